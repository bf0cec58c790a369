/*
 * test_ig_checkpoint.c: lines of a checkpoint file: written and read back,
 * damaged in every byte, made of random bytes, out of order, under keys
 * whose turn it is not.
 * Owns nothing.  Run by the unit tests' runner.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ig_checkpoint.h"

#define NOW  INT64_C(1795435200123)

static ig_sign_private_t       key[4];
static ig_checkpoint_state_t   state_now;
static ig_checkpoint_reader_t  reader;
static char                    told[4096];
static unsigned                tampered;


static void
tell(void *ctx, bool is_tampered, const char *text)
{
    (void) ctx;

    tampered += is_tampered;
    strcat(told, text);
    strcat(told, "\n");
}


static int
setup(void **state)
{
    unsigned  i;
    uint8_t   seed[IG_SIGN_KEY];

    (void) state;

    for (i = 0; i < ig_countof(key); i++) {
        memset(seed, (int) i + 1, sizeof(seed));
        assert_int_equal(ig_sign_private(&key[i], seed), IG_OK);
    }

    memset(&state_now, 0, sizeof(state_now));
    told[0] = '\0';
    tampered = 0;
    ig_checkpoint_reader(&reader, tell, NULL);
    reader.given[0] = key[0].open;
    reader.ngiven = 1;

    return 0;
}


/* A line of one chain, without its newline. */
static ig_str_t
seal(char *memory, size_t size, unsigned k, uint64_t seq)
{
    ig_buf_t               b;
    ig_str_t               line;
    ig_checkpoint_log_t    log;
    ig_checkpoint_chain_t  chain;

    memset(&log, 0, sizeof(log));
    log.file = ig_str("/var/log/a \\\"b\\\"");
    log.segment = 3;
    log.bytes = 1000 + seq;
    log.done = seq % 2;
    memset(log.first, 7, sizeof(log.first));

    chain.id = ig_str("edge-1/0/7f3a7f3a7f3a7f3a");
    chain.seq = seq;
    chain.lost = 2;
    memset(chain.hash, 9, sizeof(chain.hash));

    ig_buf_init(&b, memory, size);
    ig_checkpoint_begin(&b, IG_CHECKPOINT_SEAL, &state_now, &key[k].open, NOW,
                        ig_str("edge-1"));
    ig_buf_lit(&b, ",\"why\":\"time\",\"lines\":12,\"findings\":1,\"log\":[");
    ig_checkpoint_add_log(&b, &log);
    ig_checkpoint_add_chain(&b, &chain);
    chain.id = ig_str("edge-1/1/7f3a7f3a7f3a7f3a");
    ig_checkpoint_add_chain(&b, &chain);
    ig_checkpoint_end_log(&b);
    log.segment = 4;
    ig_checkpoint_add_log(&b, &log);
    ig_checkpoint_end_log(&b);
    ig_buf_char(&b, ']');
    assert_int_equal(ig_checkpoint_end(&b, &key[k]), IG_OK);

    line = ig_buf_str(&b);
    ig_checkpoint_written(&state_now, line);
    line.len--;

    return line;
}


static ig_str_t
introduce(char *memory, size_t size, unsigned k, unsigned next)
{
    ig_buf_t  b;
    ig_str_t  line;

    ig_buf_init(&b, memory, size);
    ig_checkpoint_begin(&b, IG_CHECKPOINT_KEY, &state_now, &key[k].open, NOW,
                        ig_str("edge-1"));
    ig_buf_lit(&b, ",\"next\":\"");
    ig_buf_hex(&b, key[next].open.key, IG_SIGN_KEY);
    ig_buf_char(&b, '"');
    assert_int_equal(ig_checkpoint_end(&b, &key[k]), IG_OK);

    line = ig_buf_str(&b);
    ig_checkpoint_written(&state_now, line);
    line.len--;

    return line;
}


static void
expect(ig_str_t line, int rc, const char *text)
{
    ig_checkpoint_t  c;

    told[0] = '\0';
    assert_int_equal(ig_checkpoint_read(&reader, line, &c), rc);

    if (text == NULL) {
        assert_string_equal(told, "");

    } else if (strstr(told, text) == NULL) {
        fail_msg("no \"%s\" in \"%s\"", text, told);
    }
}


/* -- one line ------------------------------------------------------------ */

static void
test_read_back(void **state)
{
    char                   memory[4096];
    int64_t                ms;
    ig_checkpoint_t        c;
    ig_checkpoint_log_t    log;
    ig_checkpoint_chain_t  chain;
    ig_checkpoint_items_t  logs, chains;

    (void) state;

    assert_int_equal(ig_checkpoint_parse(seal(memory, sizeof(memory), 0, 41),
                                         &c), IG_OK);
    assert_int_equal(c.kind, IG_CHECKPOINT_SEAL);
    assert_int_equal(c.number, 1);
    assert_int_equal(c.lines, 12);
    assert_int_equal(c.findings, 1);
    assert_true(ig_str_eq(c.origin, ig_str("edge-1")));
    assert_true(ig_str_eq(c.why, ig_str("time")));
    assert_true(ig_checkpoint_ms(c.time, &ms));
    assert_int_equal(ms, NOW);
    assert_true(ig_sign_check(&key[0].open, c.signed_part, c.sig));

    ig_checkpoint_items(&logs, c.log);
    assert_true(ig_checkpoint_next_log(&logs, &log));
    assert_true(ig_str_eq(log.file, ig_str("/var/log/a \\\"b\\\"")));
    assert_int_equal(log.segment, 3);
    assert_int_equal(log.bytes, 1041);
    assert_int_equal(log.first[31], 7);
    assert_true(log.done);

    ig_checkpoint_items(&chains, log.chains);
    assert_true(ig_checkpoint_next_chain(&chains, &chain));
    assert_true(ig_str_eq(chain.id, ig_str("edge-1/0/7f3a7f3a7f3a7f3a")));
    assert_int_equal(chain.seq, 41);
    assert_int_equal(chain.lost, 2);
    assert_int_equal(chain.hash[0], 9);
    assert_true(ig_checkpoint_next_chain(&chains, &chain));
    assert_false(ig_checkpoint_next_chain(&chains, &chain));

    assert_true(ig_checkpoint_next_log(&logs, &log));
    assert_int_equal(log.segment, 4);
    ig_checkpoint_items(&chains, log.chains);
    assert_false(ig_checkpoint_next_chain(&chains, &chain));
    assert_false(ig_checkpoint_next_log(&logs, &log));
}


/* No byte may be another one and the line still count. */
static void
test_damaged(void **state)
{
    char                    memory[4096], copy[4096];
    size_t                  i, bit;
    ig_str_t                line;
    ig_checkpoint_t         c;
    ig_checkpoint_reader_t  fresh;

    (void) state;

    fresh = reader;
    line = seal(memory, sizeof(memory), 0, 41);

    for (i = 0; i < line.len; i++) {
        for (bit = 0; bit < 8; bit++) {
            memcpy(copy, line.data, line.len);
            copy[i] = (char) (copy[i] ^ (1 << bit));
            reader = fresh;
            told[0] = '\0';
            assert_int_equal(ig_checkpoint_read(&reader, (ig_str_t)
                                                { line.len, copy }, &c),
                             IG_ERROR);
            assert_string_not_equal(told, "");
        }
    }

    for (i = 0; i < line.len; i++) {
        assert_int_equal(ig_checkpoint_parse((ig_str_t) { i, memory }, &c),
                         IG_ERROR);
    }
}


static void
test_random(void **state)
{
    char             memory[4096], text[512], *copy;
    size_t           i, n, len, from, to;
    ig_str_t         line;
    ig_checkpoint_t  c;

    static const char  parts[] = "{}[]\",:\\\"v\"1kind\0null0x-";

    (void) state;

    srand(20261123);

    for (i = 0; i < 20000; i++) {
        len = (size_t) rand() % sizeof(text);

        for (n = 0; n < len; n++) {
            text[n] = i % 2 ? (char) rand()
                            : parts[(size_t) rand() % sizeof(parts)];
        }

        (void) ig_checkpoint_parse((ig_str_t) { len, text }, &c);
    }

    /* pieces of a true line put together otherwise, in memory of that size */

    line = seal(memory, sizeof(memory), 0, 41);

    for (i = 0; i < 20000; i++) {
        from = (size_t) rand() % line.len;
        to = (size_t) rand() % line.len;
        len = from + line.len - to;
        copy = malloc(len);
        memcpy(copy, line.data, from);
        memcpy(copy + from, line.data + to, line.len - to);

        if (ig_checkpoint_parse((ig_str_t) { len, copy }, &c) == IG_OK
            && from != to)
        {
            assert_false(ig_sign_check(&key[0].open, c.signed_part, c.sig)
                         && len != line.len);
        }

        free(copy);
    }
}


static void
test_wrong_members(void **state)
{
    size_t            i;
    ig_checkpoint_t   c;

    static const char  head[] =
        "{\"v\":1,\"kind\":\"checkpoint\","
        "\"time\":\"2026-11-23T12:00:00.123Z\",\"origin\":\"a\",\"number\":1,"
        "\"key\":\"0123456789abcdef\",\"prev\":\"00000000000000000000000000000"
        "00000000000000000000000000000000000\"";

    static const char *const  bodies[] = {
        ",\"log\":{}", ",\"log\":[1]", ",\"log\":[{}]", ",\"why\":\"time\"",
        ",\"log\":[{\"file\":\"a\",\"segment\":1}]",
        ",\"log\":[{\"file\":\"a\",\"segment\":0,\"chain\":[]}]",
        ",\"log\":[{\"file\":\"\",\"segment\":1,\"chain\":[]}]",
        ",\"log\":[{\"file\":\"a\",\"segment\":1,\"chain\":[{}]}]",
        ",\"log\":[{\"file\":\"a\",\"segment\":1,\"chain\":[{\"id\":\"a\","
            "\"seq\":0}]}]",
        ",\"log\":[{\"file\":\"a\",\"segment\":1,\"chain\":[{\"id\":\"a\\n\","
            "\"seq\":1}]}]",
        ",\"log\":[{\"file\":\"a\",\"segment\":1,\"chain\":[{\"id\":\"a\","
            "\"seq\":99999999999999999999}]}]",
        ",\"log\":[],\"lines\":-1", ",\"log\":[],\"why\":\"\""
    };

    char  text[2048];
    char  sig[2 * IG_SIGNATURE + 1];

    (void) state;

    memset(sig, 'a', sizeof(sig) - 1);
    sig[sizeof(sig) - 1] = '\0';

    (void) snprintf(text, sizeof(text), "%s,\"log\":[],\"sig\":\"%s\"}", head,
                    sig);
    assert_int_equal(ig_checkpoint_parse((ig_str_t) { strlen(text), text },
                                         &c), IG_OK);

    for (i = 0; i < ig_countof(bodies); i++) {
        (void) snprintf(text, sizeof(text), "%s%s,\"sig\":\"%s\"}", head,
                        bodies[i], sig);
        assert_int_equal(ig_checkpoint_parse((ig_str_t) { strlen(text), text },
                                             &c), IG_ERROR);
    }

    (void) snprintf(text, sizeof(text), "%s,\"log\":[],\"sig\":\"%s\",\"x\":1}",
                    head, sig);
    assert_int_equal(ig_checkpoint_parse((ig_str_t) { strlen(text), text },
                                         &c), IG_ERROR);
}


static void
test_times(void **state)
{
    size_t   i;
    int64_t  ms;

    static const struct {
        const char  *text;
        int64_t      ms;
    } good[] = {
        { "1970-01-01T00:00:00.000Z", 0 },
        { "2000-02-29T23:59:59.999Z", INT64_C(951868799999) },
        { "2026-11-23T12:00:00.123Z", INT64_C(1795435200123) }
    };

    static const char *const  bad[] = {
        "", "2026-11-23T12:00:00Z", "2026-13-23T12:00:00.123Z",
        "2026-11-23T24:00:00.123Z", "2026-11-23 12:00:00.123Z",
        "2026-11-23T12:00:00.12xZ", "2026-11-00T12:00:00.123Z"
    };

    (void) state;

    for (i = 0; i < ig_countof(good); i++) {
        assert_true(ig_checkpoint_ms((ig_str_t) { strlen(good[i].text),
                                                  good[i].text }, &ms));
        assert_int_equal(ms, good[i].ms);
    }

    for (i = 0; i < ig_countof(bad); i++) {
        assert_false(ig_checkpoint_ms((ig_str_t) { strlen(bad[i]), bad[i] },
                                      &ms));
    }
}


/* -- one after another --------------------------------------------------- */

static void
test_order(void **state)
{
    char      memory[6][4096];
    unsigned  i;
    ig_str_t  line[6];

    (void) state;

    for (i = 0; i < 6; i++) {
        line[i] = seal(memory[i], sizeof(memory[i]), 0, i + 1);
    }

    expect(line[0], IG_OK, NULL);
    expect(line[1], IG_OK, NULL);
    expect(line[4], IG_OK, "checkpoints 3 to 4 are missing");
    expect(line[3], IG_OK, "checkpoint 4 after checkpoint 5");
    expect(line[4], IG_OK, NULL);
    expect(ig_str("{\"v\":1,\"ki"), IG_ERROR, "it breaks off");
    expect(line[5], IG_OK, NULL);
    assert_int_equal(tampered, 2);

    (void) setup(NULL);
    expect(line[2], IG_OK, "the file begins with checkpoint 3");

    /* another second line, under the same key and number */

    (void) setup(NULL);
    expect(line[0], IG_OK, NULL);
    state_now.number = 1;
    line[3] = seal(memory[3], sizeof(memory[3]), 0, 9);
    expect(line[3], IG_OK, "was replaced: this one was written after another");
}


static void
test_keys(void **state)
{
    char      memory[5][4096];
    ig_str_t  line[5];

    (void) state;

    line[0] = seal(memory[0], sizeof(memory[0]), 0, 1);
    line[1] = introduce(memory[1], sizeof(memory[1]), 0, 1);
    line[2] = seal(memory[2], sizeof(memory[2]), 1, 2);
    line[3] = seal(memory[3], sizeof(memory[3]), 0, 3);
    line[4] = seal(memory[4], sizeof(memory[4]), 2, 4);

    expect(line[0], IG_OK, NULL);
    expect(line[2], IG_ERROR, "which is not one of those given");
    (void) setup(NULL);

    expect(line[0], IG_OK, NULL);
    expect(line[1], IG_OK, NULL);
    expect(line[2], IG_OK, NULL);
    expect(line[3], IG_ERROR, "which had given way to another one by then");
    expect(line[4], IG_ERROR, "which is not one of those given");

    /* both given, in their order: before its turn a key says nothing */

    (void) setup(NULL);
    reader.given[1] = key[1].open;
    reader.ngiven = 2;
    expect(line[0], IG_OK, NULL);
    expect(line[2], IG_ERROR, "the past was sealed again with a newer key");

    /* given in the wrong order */

    (void) setup(NULL);
    reader.given[0] = key[1].open;
    reader.given[1] = key[0].open;
    reader.ngiven = 2;
    expect(line[0], IG_ERROR, "before the key in force introduced it");

    /* introduced is another than the next one given */

    (void) setup(NULL);
    reader.given[1] = key[3].open;
    reader.ngiven = 2;
    expect(line[0], IG_OK, NULL);
    expect(line[1], IG_ERROR, "which is not the next of those given");
}


/* A process that knows its own key alone: what is linked to that counts. */
static void
test_lenient(void **state)
{
    char      memory[4][4096];
    ig_str_t  line[4];

    (void) state;

    line[0] = seal(memory[0], sizeof(memory[0]), 0, 1);
    line[1] = introduce(memory[1], sizeof(memory[1]), 0, 1);
    line[2] = seal(memory[2], sizeof(memory[2]), 1, 2);
    line[3] = seal(memory[3], sizeof(memory[3]), 0, 3);

    reader.given[0] = key[1].open;
    reader.lenient = true;
    expect(line[0], IG_OK, NULL);
    assert_true(reader.lenient);
    expect(line[1], IG_OK, NULL);
    expect(line[2], IG_OK, NULL);
    assert_false(reader.lenient);
    expect(line[3], IG_ERROR, "signed with key");

    (void) setup(NULL);
    reader.given[0] = key[1].open;
    reader.lenient = true;
    memory[0][38]++;                    /* the last digit of the year */
    expect(line[0], IG_OK, NULL);
    expect(line[1], IG_OK, "was replaced");
}


#define TEST(name)  cmocka_unit_test_setup(name, setup)

int
main(void)
{
    const struct CMUnitTest  tests[] = {
        TEST(test_read_back),
        TEST(test_damaged),
        TEST(test_random),
        TEST(test_wrong_members),
        TEST(test_times),
        TEST(test_order),
        TEST(test_keys),
        TEST(test_lenient)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
