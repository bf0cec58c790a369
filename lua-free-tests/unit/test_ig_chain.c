/*
 * test_ig_chain.c: sealed lines byte for byte, what a loss leaves behind, and
 * the chain's own lines.
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

#include "ig_chain.h"

#define NOON  1795435200123     /* 2026-11-23T12:00:00.123Z */
#define ZERO  "0000000000000000000000000000000000000000000000000000000000000000"

static const uint8_t  random8[8] = { 0x7f, 0x3a, 0, 1, 2, 3, 4, 0xff };

static ig_chain_t  chain;
static uint8_t     prev[IG_SHA256];
static char        memory[IG_LINE_MAX + 1];
static ig_buf_t    b;


static void
begin(void)
{
    memset(memory, 0, sizeof(memory));
    ig_buf_init(&b, memory, IG_LINE_MAX);
}


/* Seals `text` as the next line. */
static void
seal(const char *text)
{
    begin();
    ig_buf_bytes(&b, text, strlen(text));
    ig_chain_seal(&chain, &b, prev);
    assert_false(b.full);
}


/* What the line must be: text, the chain's part with prev, and its hash. */
static void
is_sealed(const char *text, const char *part, const uint8_t before[IG_SHA256])
{
    char      line[2048], hex[2 * IG_SHA256];
    uint8_t   hash[IG_SHA256];
    ig_buf_t  expected, h;

    ig_buf_init(&expected, line, sizeof(line));
    ig_buf_bytes(&expected, text, strlen(text));
    ig_buf_lit(&expected, ",\"chain\":\"edge-1/3/7f3a0001020304ff\",");
    ig_buf_bytes(&expected, part, strlen(part));
    ig_buf_lit(&expected, ",\"prev\":\"");
    ig_buf_hex(&expected, before, IG_SHA256);
    ig_buf_char(&expected, '"');

    ig_sha256(line, ig_buf_str(&expected).len, hash);
    ig_buf_init(&h, hex, sizeof(hex));
    ig_buf_hex(&h, hash, IG_SHA256);

    ig_buf_lit(&expected, ",\"hash\":\"");
    ig_buf_bytes(&expected, hex, sizeof(hex));
    ig_buf_lit(&expected, "\"}\n");
    ig_buf_char(&expected, '\0');

    assert_string_equal(memory, line);
    assert_memory_equal(prev, hash, IG_SHA256);
}


static int
setup(void **state)
{
    (void) state;

    ig_chain_init(&chain, ig_str("edge-1"), 3, random8);
    memset(prev, 0, sizeof(prev));

    return 0;
}


static void
test_first_line(void **state)
{
    (void) state;

    assert_int_equal(chain.state, IG_CHAIN_FRESH);

    seal("{\"v\":1");

    /* with the hash that sha256sum gives for the line up to "hash" */

    assert_string_equal(memory,
        "{\"v\":1,\"chain\":\"edge-1/3/7f3a0001020304ff\",\"seq\":1,"
        "\"prev\":\"" ZERO "\",\"hash\":\""
        "6a644fe7b7df92504fc5f78a26c0528772ded24a6e96fe69ca370cf9a15557b4"
        "\"}\n");
}


static void
test_links(void **state)
{
    uint8_t  first[IG_SHA256], zero[IG_SHA256] = { 0 };

    (void) state;

    seal("{\"v\":1");
    is_sealed("{\"v\":1", "\"seq\":1", zero);

    memcpy(first, prev, IG_SHA256);
    seal("{\"v\":1,\"x\":2");
    is_sealed("{\"v\":1,\"x\":2", "\"seq\":2", first);

    assert_int_equal(chain.issued, 2);
    assert_int_equal(chain.written, 0);
    assert_int_equal(chain.state, IG_CHAIN_FRESH);

    ig_chain_written(&chain, 2, prev);
    assert_int_equal(chain.written, 2);
    assert_memory_equal(chain.last, prev, IG_SHA256);
    assert_int_equal(chain.state, IG_CHAIN_OPEN);
}


/* Of three lines the first gets there; the loss is told once, by the next. */
static void
test_loss(void **state)
{
    uint8_t  first[IG_SHA256], fourth[IG_SHA256], fifth[IG_SHA256];

    (void) state;

    seal("{\"v\":1");
    memcpy(first, prev, IG_SHA256);
    seal("{\"v\":1");
    seal("{\"v\":1");

    ig_chain_written(&chain, 1, first);
    ig_chain_lost(&chain, 2);

    memcpy(prev, chain.last, IG_SHA256);
    seal("{\"v\":1");
    is_sealed("{\"v\":1", "\"seq\":4,\"dropped\":2", first);
    memcpy(fourth, prev, IG_SHA256);

    seal("{\"v\":1");
    is_sealed("{\"v\":1", "\"seq\":5", fourth);
    memcpy(fifth, prev, IG_SHA256);

    ig_chain_written(&chain, 5, fifth);
    seal("{\"v\":1");
    is_sealed("{\"v\":1", "\"seq\":6", fifth);

    assert_int_equal(chain.lost, 2);
    assert_int_equal(chain.dropped, 0);
}


/* A line that tells of a loss and is lost itself. */
static void
test_loss_of_loss(void **state)
{
    uint8_t  first[IG_SHA256];

    (void) state;

    seal("{\"v\":1");
    ig_chain_written(&chain, 1, prev);
    memcpy(first, prev, IG_SHA256);

    seal("{\"v\":1");
    ig_chain_lost(&chain, 1);

    memcpy(prev, chain.last, IG_SHA256);
    seal("{\"v\":1");
    seal("{\"v\":1");
    ig_chain_lost(&chain, 2);

    memcpy(prev, chain.last, IG_SHA256);
    seal("{\"v\":1");
    is_sealed("{\"v\":1", "\"seq\":5,\"dropped\":3", first);
    assert_int_equal(chain.lost, 3);
}


/* The first line of all is lost: the next one still begins the chain. */
static void
test_lost_opening(void **state)
{
    uint8_t  zero[IG_SHA256] = { 0 };

    (void) state;

    seal("{\"v\":1");
    ig_chain_lost(&chain, 1);
    assert_int_equal(chain.state, IG_CHAIN_FRESH);

    memcpy(prev, chain.last, IG_SHA256);
    seal("{\"v\":1");
    is_sealed("{\"v\":1", "\"seq\":2,\"dropped\":1", zero);
}


static void
test_full(void **state)
{
    size_t   room;
    char    *small;
    uint8_t  zero[IG_SHA256] = { 0 };

    (void) state;

    /* with a byte too little, nothing was sealed and no number used */

    for (room = 0; ; room++) {
        small = malloc(room + 1);
        ig_buf_init(&b, small, room);
        ig_chain_seal(&chain, &b, prev);
        free(small);

        if (!b.full) {
            break;
        }

        assert_int_equal(chain.issued, 0);
        assert_memory_equal(prev, zero, IG_SHA256);
    }

    assert_int_equal(chain.issued, 1);
    assert_true(room > 150 && room < IG_CHAIN_PART);
}


/* The longest part there can be fits into what events leave for it. */
static void
test_longest(void **state)
{
    char      node[63];
    ig_str_t  s = { sizeof(node), node };

    (void) state;

    memset(node, 'n', sizeof(node));
    ig_chain_init(&chain, s, UINT32_MAX, random8);
    assert_true(chain.id_len < IG_CHAIN_ID);

    chain.issued = UINT64_MAX - 1;
    chain.dropped = UINT64_MAX - 1;

    begin();
    ig_chain_seal(&chain, &b, prev);
    assert_non_null(strstr(memory, "\"dropped\":18446744073709551614,"));
    assert_true(ig_buf_str(&b).len <= IG_CHAIN_PART);
}


static void
is_line(const char *text)
{
    assert_false(b.full);
    assert_string_equal(memory, text);
}


static void
test_own_lines(void **state)
{
    uint8_t      policy[IG_SHA256] = { 0xde, 0xad, 0, 0, 0, 0, 0, 1, 0xff };
    ig_chain_t   before;

    (void) state;

    begin();
    ig_chain_open_line(&b, NULL, 7, NOON, ig_str("edge-1"), ig_str("0.1.0"),
                       policy);
    is_line("{\"v\":1,\"kind\":\"chain_open\","
            "\"time\":\"2026-11-23T12:00:00.123Z\",\"node\":\"edge-1\","
            "\"version\":\"0.1.0\",\"policy\":\"dead000000000001\","
            "\"before\":null");

    ig_chain_init(&before, ig_str("edge-1"), 3, random8);
    before.state = IG_CHAIN_OPEN;
    before.issued = 17;
    before.written = 15;
    memset(before.last, 0xab, IG_SHA256);

    begin();
    ig_chain_open_line(&b, &before, 7, NOON, ig_str("edge-1"), ig_str("0.1.0"),
                       policy);
    is_line("{\"v\":1,\"kind\":\"chain_open\","
            "\"time\":\"2026-11-23T12:00:00.123Z\",\"node\":\"edge-1\","
            "\"version\":\"0.1.0\",\"policy\":\"dead000000000001\","
            "\"before\":{\"chain\":\"edge-1/3/7f3a0001020304ff\","
            "\"state\":\"open\",\"issued\":17,\"written\":15,"
            "\"last\":\"abababababababababababababababababababababababababab"
            "abababababab\"}");

    ig_chain_closed(&before);
    begin();
    ig_chain_open_line(&b, &before, 7, NOON, ig_str("edge-1"), ig_str("0.1.0"),
                       policy);
    assert_non_null(strstr(memory, "\"state\":\"closed\""));
    assert_null(strstr(memory, "same_file"));

    before.file = 7;
    begin();
    ig_chain_open_line(&b, &before, 7, NOON, ig_str("edge-1"), ig_str("0.1.0"),
                       policy);
    assert_non_null(strstr(memory, "ab\",\"same_file\":true}"));

    before.file = 0;
    begin();
    ig_chain_open_line(&b, &before, 0, NOON, ig_str("edge-1"), ig_str("0.1.0"),
                       policy);
    assert_null(strstr(memory, "same_file"));

    before.lost = 2;
    begin();
    ig_chain_close_line(&b, &before, NOON, ig_str("edge-1"));
    is_line("{\"v\":1,\"kind\":\"chain_close\","
            "\"time\":\"2026-11-23T12:00:00.123Z\",\"node\":\"edge-1\","
            "\"issued\":18,\"lost\":2");

    begin();
    ig_chain_segment_line(&b, true, 0, NOON, ig_str("edge-1"));
    is_line("{\"v\":1,\"kind\":\"segment_start\","
            "\"time\":\"2026-11-23T12:00:00.123Z\",\"node\":\"edge-1\"");

    begin();
    ig_chain_segment_line(&b, true, 4096, NOON, ig_str("edge-1"));
    is_line("{\"v\":1,\"kind\":\"segment_start\","
            "\"time\":\"2026-11-23T12:00:00.123Z\",\"node\":\"edge-1\","
            "\"truncated\":4096");

    begin();
    ig_chain_segment_line(&b, false, 0, NOON, ig_str("edge-1"));
    is_line("{\"v\":1,\"kind\":\"segment_end\","
            "\"time\":\"2026-11-23T12:00:00.123Z\",\"node\":\"edge-1\"");
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup(test_first_line, setup),
        cmocka_unit_test_setup(test_links, setup),
        cmocka_unit_test_setup(test_loss, setup),
        cmocka_unit_test_setup(test_loss_of_loss, setup),
        cmocka_unit_test_setup(test_lost_opening, setup),
        cmocka_unit_test_setup(test_full, setup),
        cmocka_unit_test_setup(test_longest, setup),
        cmocka_unit_test_setup(test_own_lines, setup)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
