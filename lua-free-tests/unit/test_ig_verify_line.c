/*
 * test_ig_verify_line.c: what a line says of its chain, and which texts are
 * JSON, the beginning of some, or neither; judged against jansson.
 * Owns nothing.  Run by the unit tests' runner.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ig_json.h"
#include "ig_verify_int.h"

#define EIGHT_A "aaaaaaaa"
#define HASH_A  EIGHT_A EIGHT_A EIGHT_A EIGHT_A EIGHT_A EIGHT_A EIGHT_A \
                EIGHT_A
#define EIGHT_B "bbbbbbbb"
#define HASH_B  EIGHT_B EIGHT_B EIGHT_B EIGHT_B EIGHT_B EIGHT_B EIGHT_B \
                EIGHT_B
#define HEAD    "{\"v\":1,\"kind\":\"outcome\",\"time\":\"2026\""
#define CHAIN   ",\"chain\":\"edge-1/0/7f\",\"seq\":7"
#define LINKS   ",\"prev\":\"" HASH_A "\",\"hash\":\"" HASH_B "\"}"


static ig_line_state_e
parse(const char *text, ig_line_t *line)
{
    return ig_line_parse((ig_str_t) { strlen(text), text }, line);
}


static void
test_good(void **state)
{
    uint8_t    computed[IG_SHA256];
    ig_line_t  line;

    static const char  hashed[] = HEAD CHAIN ",\"dropped\":3,\"prev\":\""
                                  HASH_A "\"";

    (void) state;

    assert_int_equal(parse(HEAD CHAIN ",\"dropped\":3" LINKS, &line),
                     IG_LINE_GOOD);
    assert_int_equal(line.kind, IG_LINE_OTHER);
    assert_true(ig_str_eq(line.time, ig_str("2026")));
    assert_true(ig_str_eq(line.chain, ig_str("edge-1/0/7f")));
    assert_int_equal(line.seq, 7);
    assert_int_equal(line.dropped, 3);
    assert_int_equal(line.prev[0], 0xaa);
    assert_int_equal(line.hash[31], 0xbb);

    ig_sha256(hashed, sizeof(hashed) - 1, computed);
    assert_memory_equal(line.computed, computed, IG_SHA256);

    assert_int_equal(parse("{\"v\":1,\"kind\":\"chain_close\",\"issued\":9,"
                           "\"lost\":2" CHAIN LINKS, &line), IG_LINE_GOOD);
    assert_int_equal(line.kind, IG_LINE_CLOSE);
    assert_int_equal(line.issued, 9);
    assert_int_equal(line.lost, 2);
    assert_int_equal(line.dropped, 0);
}


static void
test_before(void **state)
{
    ig_line_t  line;

    (void) state;

    assert_int_equal(parse("{\"v\":1,\"kind\":\"chain_open\",\"before\":null"
                           CHAIN LINKS, &line), IG_LINE_GOOD);
    assert_int_equal(line.kind, IG_LINE_OPEN);
    assert_int_equal(line.before.chain.len, 0);

    assert_int_equal(parse("{\"v\":1,\"kind\":\"chain_open\",\"before\":"
                           "{\"chain\":\"n/0/1\",\"state\":\"closed\","
                           "\"issued\":17,\"written\":15,\"last\":\"" HASH_B
                           "\"}" CHAIN LINKS, &line), IG_LINE_GOOD);
    assert_true(ig_str_eq(line.before.chain, ig_str("n/0/1")));
    assert_true(line.before.closed);
    assert_int_equal(line.before.issued, 17);
    assert_int_equal(line.before.written, 15);
    assert_int_equal(line.before.last[0], 0xbb);
}


static void
test_states(void **state)
{
    unsigned   i;
    ig_line_t  line;

    static const struct {
        const char       *text;
        ig_line_state_e   state;
    } cases[] = {
        { HEAD CHAIN LINKS, IG_LINE_GOOD },

        /* the chain's part is whole, in order and at the end */
        { HEAD LINKS, IG_LINE_UNCHAINED },
        { HEAD CHAIN "}", IG_LINE_UNCHAINED },
        { HEAD ",\"seq\":7,\"chain\":\"a/0/1\"" LINKS, IG_LINE_UNCHAINED },
        { HEAD CHAIN CHAIN LINKS, IG_LINE_UNCHAINED },
        { HEAD CHAIN ",\"x\":1" LINKS, IG_LINE_UNCHAINED },
        { HEAD CHAIN ",\"prev\":\"" HASH_A "\",\"dropped\":1,\"hash\":\""
          HASH_B "\"}", IG_LINE_UNCHAINED },
        { HEAD CHAIN ",\"prev\":\"" HASH_A "\",\"hash\":\"" HASH_B
          "\",\"x\":1}", IG_LINE_UNCHAINED },
        { HEAD CHAIN ",\"prev\":\"" HASH_A "\",\"hash\":\"bb\"}",
          IG_LINE_UNCHAINED },
        { HEAD CHAIN ",\"prev\":\"" HASH_A "\",\"hash\":null}",
          IG_LINE_UNCHAINED },
        { HEAD ",\"chain\":\"a b\",\"seq\":7" LINKS, IG_LINE_UNCHAINED },
        { HEAD ",\"chain\":\"\",\"seq\":7" LINKS, IG_LINE_UNCHAINED },
        { HEAD ",\"chain\":7,\"seq\":7" LINKS, IG_LINE_UNCHAINED },
        { HEAD ",\"chain\":\"a/0/1\",\"seq\":0" LINKS, IG_LINE_UNCHAINED },
        { HEAD ",\"chain\":\"a/0/1\",\"seq\":-7" LINKS, IG_LINE_UNCHAINED },
        { HEAD ",\"chain\":\"a/0/1\",\"seq\":99999999999999999999" LINKS,
          IG_LINE_UNCHAINED },
        { HEAD CHAIN ",\"dropped\":1.5" LINKS, IG_LINE_UNCHAINED },

        /* what it says of itself has its form */
        { "{\"kind\":\"outcome\"" CHAIN LINKS, IG_LINE_UNCHAINED },
        { "{\"v\":1,\"time\":5" CHAIN LINKS, IG_LINE_UNCHAINED },
        { "{\"v\":1,\"before\":7" CHAIN LINKS, IG_LINE_UNCHAINED },
        { "{\"v\":1,\"before\":{}" CHAIN LINKS, IG_LINE_UNCHAINED },
        { "{\"v\":1,\"before\":{\"chain\":\"a/0/1\",\"last\":\"x\"}" CHAIN
          LINKS, IG_LINE_UNCHAINED },
        { "{\"v\":1,\"before\":{\"chain\":\"a/0/1\",\"issued\":\"1\"}" CHAIN
          LINKS, IG_LINE_UNCHAINED },

        { "{\"v\":2" CHAIN LINKS, IG_LINE_VERSION },
        { "{\"v\":\"1\"" CHAIN LINKS, IG_LINE_VERSION },
        { "{\"v\":11}", IG_LINE_VERSION },

        { "", IG_LINE_NOT_JSON },
        { "{}", IG_LINE_NOT_JSON },
        { "[1]", IG_LINE_NOT_JSON },
        { "{\"v\":1} ", IG_LINE_NOT_JSON },
        { "{ \"v\":1}", IG_LINE_NOT_JSON },
        { "{\"v\":1}}", IG_LINE_NOT_JSON },
        { "{\"v\":1]", IG_LINE_NOT_JSON },
        { "{\"v\":01}", IG_LINE_NOT_JSON },
        { "{\"v\":1.}", IG_LINE_NOT_JSON },
        { "{\"v\":.5}", IG_LINE_NOT_JSON },
        { "{\"v\":+1}", IG_LINE_NOT_JSON },
        { "{\"v\":1e}", IG_LINE_NOT_JSON },
        { "{\"v\":True}", IG_LINE_NOT_JSON },
        { "{\"v\":nulL}", IG_LINE_NOT_JSON },
        { "{\"v\":\"a\tb\"}", IG_LINE_NOT_JSON },
        { "{\"v\":\"\\x\"}", IG_LINE_NOT_JSON },
        { "{\"v\":\"\\u12g4\"}", IG_LINE_NOT_JSON },
        { "{\"v\":[1,]}", IG_LINE_NOT_JSON },
        { "{\"v\":{\"a\"}}", IG_LINE_NOT_JSON },
        { "{\"v\":[[[[[[[[1]]]]]]]]}", IG_LINE_NOT_JSON },

        { "{", IG_LINE_CUT },
        { "{\"", IG_LINE_CUT },
        { "{\"v\"", IG_LINE_CUT },
        { "{\"v\":", IG_LINE_CUT },
        { "{\"v\":1", IG_LINE_CUT },
        { "{\"v\":-", IG_LINE_CUT },
        { "{\"v\":1.", IG_LINE_CUT },
        { "{\"v\":1e+", IG_LINE_CUT },
        { "{\"v\":tru", IG_LINE_CUT },
        { "{\"v\":\"\\", IG_LINE_CUT },
        { "{\"v\":\"\\u12", IG_LINE_CUT },
        { "{\"v\":[1", IG_LINE_CUT },
        { "{\"v\":[1,", IG_LINE_CUT },
        { "{\"v\":{}", IG_LINE_CUT },
        { "{\"v\":1,", IG_LINE_CUT }
    };

    (void) state;

    for (i = 0; i < ig_countof(cases); i++) {
        if (parse(cases[i].text, &line) != cases[i].state) {
            fail_msg("%u instead of %u: %s", parse(cases[i].text, &line),
                     cases[i].state, cases[i].text);
        }
    }
}


/* Every beginning of a good line is the beginning of a line. */
static void
test_beginnings(void **state)
{
    char       *copy;
    size_t      len;
    ig_line_t   line;

    static const char  text[] = "{\"v\":1,\"a\":[{\"b\":-1.5e+3},true,\"\\u00e9"
                                "\"],\"c\":null,\"d\":false" CHAIN LINKS;

    (void) state;

    for (len = 1; len < sizeof(text) - 1; len++) {
        copy = malloc(len);
        memcpy(copy, text, len);
        assert_int_equal(ig_line_parse((ig_str_t) { len, copy }, &line),
                         IG_LINE_CUT);
        free(copy);
    }

    assert_int_equal(parse(text, &line), IG_LINE_GOOD);
}


static void
test_complete(void **state)
{
    size_t    len;
    char      text[] = HEAD CHAIN LINKS;
    ig_str_t  s = { sizeof(text) - 1, text };

    (void) state;

    assert_true(ig_line_is_complete(s));

    /* whatever is done to its last two characters; but not shorter */

    text[s.len - 1] = ']';
    text[s.len - 2] = 'x';
    assert_true(ig_line_is_complete(s));

    for (len = 0; len < s.len; len++) {
        assert_false(ig_line_is_complete((ig_str_t) { len, text }));
    }

    text[s.len - 3] = 'x';
    assert_false(ig_line_is_complete(s));
}


/* -- against jansson ----------------------------------------------------- */

static uint64_t  seed;

static unsigned
rnd(unsigned n)
{
    /* xorshift64* */
    seed ^= seed >> 12;
    seed ^= seed << 25;
    seed ^= seed >> 27;

    return (unsigned) ((seed * UINT64_C(2685821657736338717)) >> 33) % n;
}


static void
put_value(ig_buf_t *b, unsigned depth, unsigned *key)
{
    unsigned     n;
    bool         object;
    const char  *s;

    static const char *const  scalars[] = {
        "0", "-1", "12.5", "1e3", "-0.5E-2", "true", "false", "null", "\"\"",
        "\"a\"", "\"\\\"\\\\\\/\\b\\n\"", "\"\\u00e9x\"", "\"{[,:]}\""
    };

    if (depth == 0 || rnd(3) == 0) {
        s = scalars[rnd(ig_countof(scalars))];
        ig_buf_bytes(b, s, strlen(s));
        return;
    }

    object = rnd(2);
    ig_buf_char(b, object ? '{' : '[');

    for (n = rnd(4); n > 0; n--) {
        if (object) {
            ig_buf_lit(b, "\"k");
            ig_buf_u64(b, ++*key);
            ig_buf_lit(b, "\":");
        }

        put_value(b, depth - 1, key);
        ig_buf_str_add(b, n > 1 ? ig_str(",") : ig_str(""));
    }

    ig_buf_char(b, object ? '}' : ']');
}


/* Whether both take the text for JSON, or neither. */
static bool
agree(ig_str_t text)
{
    bool              ours;
    ig_line_t         line;
    ig_json_t        *json;
    ig_line_state_e   state;

    state = ig_line_parse(text, &line);
    ours = state == IG_LINE_GOOD || state == IG_LINE_UNCHAINED
           || state == IG_LINE_VERSION;

    if (ours != (ig_json_parse(text, &json) == IG_JSON_OK)) {
        fail_msg("here %d: %.*s", ours, ig_fmt(text));
    }

    ig_json_free(json);

    return ours;
}


static void
test_generated(void **state)
{
    char      *text, *copy;
    size_t     at;
    unsigned   i, j, key, taken, refused;
    ig_buf_t   b;
    ig_str_t   s;

    /* no blanks: those are JSON, but never the writer's; no digits, which
       could make numbers that only one of the two can hold, nor two keys of
       one name, which only one of the two refuses */

    static const char  strange[] = "\"\\{}[],:-+.eutfn\x01~";

    (void) state;

    seed = 20261123;
    taken = 0;
    refused = 0;
    text = malloc(8192);

    for (i = 0; i < 3000; i++) {
        key = 0;
        ig_buf_init(&b, text, 8192);
        ig_buf_lit(&b, "{\"v\":");
        put_value(&b, 1 + rnd(5), &key);
        ig_buf_char(&b, '}');
        assert_false(b.full);

        s = ig_buf_str(&b);
        assert_true(agree(s));

        for (j = 0; j < 8; j++) {
            copy = malloc(s.len);
            memcpy(copy, text, s.len);

            at = 1 + rnd((unsigned) s.len - 1);
            copy[at] = strange[rnd(sizeof(strange) - 1)];

            if (agree((ig_str_t) { s.len, copy })) {
                taken++;

            } else {
                refused++;
            }

            free(copy);
        }
    }

    free(text);

    assert_true(taken > 1000);
    assert_true(refused > 1000);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_before),
        cmocka_unit_test(test_states),
        cmocka_unit_test(test_beginnings),
        cmocka_unit_test(test_complete),
        cmocka_unit_test(test_generated)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
