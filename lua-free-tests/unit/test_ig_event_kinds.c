/*
 * test_ig_event_kinds.c: outcomes, repeats, unclassified calls, the policy's
 * text in parts.
 * Owns nothing.  Run by the unit tests' runner.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ig_event.h"
#include "ig_json.h"

#define NOON  1795435200123     /* 2026-11-23T12:00:00.123Z */

static char      memory[IG_LINE_MAX + 1];
static ig_buf_t  b;


static ig_buf_t *
line(void)
{
    memset(memory, 0, sizeof(memory));
    ig_buf_init(&b, memory, IG_LINE_MAX);

    return &b;
}


/* What was written is an object, and leaves room for the chain's part. */
static ig_json_t *
parsed(void)
{
    ig_json_t  *json;

    assert_false(b.full);
    assert_true(ig_buf_str(&b).len <= IG_LINE_MAX - IG_CHAIN_PART);
    assert_ptr_equal(b.end, memory + IG_LINE_MAX);

    ig_buf_char(&b, '}');

    if (ig_json_parse(ig_buf_str(&b), &json) != IG_JSON_OK) {
        fail_msg("no JSON: %s", memory);
    }

    *--b.pos = '\0';

    return json;
}


static void
is_line(const char *text)
{
    ig_json_free(parsed());
    assert_string_equal(memory, text);
}


static void
test_outcome(void **state)
{
    ig_event_outcome_t  o = { NOON, ig_string("01KARZ3NDEKTSV4RRFFQ69G5FA"),
                              201, 201, 17, false };

    (void) state;

    ig_event_outcome(line(), &o, ig_str("edge-1"));
    is_line("{\"v\":1,\"kind\":\"outcome\","
            "\"time\":\"2026-11-23T12:00:00.123Z\","
            "\"event\":\"01KARZ3NDEKTSV4RRFFQ69G5FA\",\"status\":201,"
            "\"upstream\":201,\"duration_ms\":17,\"node\":\"edge-1\"");

    o.status = 499;
    o.upstream = 0;
    o.aborted = true;
    o.duration = -5;            /* the clock was set back */

    ig_event_outcome(line(), &o, ig_str("edge-1"));
    is_line("{\"v\":1,\"kind\":\"outcome\","
            "\"time\":\"2026-11-23T12:00:00.123Z\","
            "\"event\":\"01KARZ3NDEKTSV4RRFFQ69G5FA\",\"status\":499,"
            "\"duration_ms\":0,\"aborted\":true,\"node\":\"edge-1\"");
}


static void
test_repeat(void **state)
{
    (void) state;

    ig_event_repeat(line(), NOON, ig_str("01KARZ3NDEKTSV4RRFFQ69G5FA"), 1017,
                    ig_str("edge-1"));
    is_line("{\"v\":1,\"kind\":\"repeat\","
            "\"time\":\"2026-11-23T12:00:00.123Z\","
            "\"event\":\"01KARZ3NDEKTSV4RRFFQ69G5FA\",\"count\":1017,"
            "\"node\":\"edge-1\"");
}


static void
test_unclassified(void **state)
{
    char      rubbish[4000];
    ig_str_t  s = { sizeof(rubbish), rubbish };

    (void) state;

    ig_event_unclassified(line(), NOON, ig_str("edge-1"), ig_str("/v1/"),
                          ig_str("POST"), ig_str("Review Create\n"), 12,
                          true);
    is_line("{\"v\":1,\"kind\":\"unclassified\","
            "\"time\":\"2026-11-23T12:00:00.123Z\","
            "\"action\":\"Review Create\\n\",\"method\":\"POST\","
            "\"path\":\"/v1/\",\"node\":\"edge-1\",\"count\":12,"
            "\"denied\":true");

    ig_event_unclassified(line(), NOON, ig_str("edge-1"), ig_str("/v1/"),
                          ig_str("POST"), ig_str(""), 1, false);
    is_line("{\"v\":1,\"kind\":\"unclassified\","
            "\"time\":\"2026-11-23T12:00:00.123Z\",\"method\":\"POST\","
            "\"path\":\"/v1/\",\"node\":\"edge-1\",\"count\":1,"
            "\"denied\":false");

    /* whatever a client sends, the line stays a line */

    memset(rubbish, 2, sizeof(rubbish));
    ig_event_unclassified(line(), NOON, s, s, s, s, INT64_MAX, false);
    ig_json_free(parsed());
    assert_non_null(strstr(memory, ",\"cut\":true"));
}


static void *
heap(void *ctx, size_t size)
{
    (void) ctx;
    (void) size;

    fail_msg("strings need no memory");

    return NULL;
}


/* Writes the text's parts and checks that they make up the text again. */
static void
is_whole(const char *data, size_t len, unsigned expected)
{
    char         *again;
    size_t        n;
    unsigned      i, parts;
    ig_mem_t      mem = { heap, NULL };
    ig_json_t    *json;
    ig_value_t    v;
    ig_policy_t   policy;

    memset(&policy, 0, sizeof(policy));
    policy.text = (ig_str_t) { len, data };
    policy.hash[0] = 0xab;
    policy.hash[31] = 0xcd;

    again = malloc(len + 1);
    n = 0;

    parts = ig_event_policy_parts(&policy);
    assert_int_equal(parts, expected);

    for (i = 1; i <= parts; i++) {
        ig_event_policy(line(), NOON, ig_str("edge-1"), &policy, i, parts);
        json = parsed();

        v = ig_json_member(json, ig_str("part"), &mem);
        assert_int_equal((int) v.num, i);
        v = ig_json_member(json, ig_str("parts"), &mem);
        assert_int_equal((int) v.num, parts);
        v = ig_json_member(json, ig_str("policy"), &mem);
        assert_true(ig_str_eq(v.str, ig_str("ab00000000000000")));
        v = ig_json_member(json, ig_str("sha256"), &mem);
        assert_int_equal(v.str.len, 64);

        v = ig_json_member(json, ig_str("text"), &mem);
        assert_true(n + v.str.len <= len);

        if (v.str.len > 0) {
            memcpy(again + n, v.str.data, v.str.len);
        }

        n += v.str.len;
        ig_json_free(json);
    }

    assert_int_equal(n, len);
    assert_memory_equal(again, data, len);
    free(again);
}


static void
test_policy(void **state)
{
    char      *text;
    size_t     i;

    (void) state;

    is_whole("", 0, 1);
    is_whole("integrity_field a $b\n", 21, 1);

    text = malloc(50000);

    for (i = 0; i < 50000; i++) {
        text[i] = "integrity_rule \"x > 5\"\n"[i % 23];
    }

    is_whole(text, 50000, 8);

    /* escapes count as what they take; characters are not cut in two */

    memset(text, '"', 50000);
    is_whole(text, 50000, 14);

    for (i = 0; i + 3 <= 50000; i += 3) {
        memcpy(text + i, "\xe4\xb8\xad", 3);
    }

    is_whole(text, i, 21);
    memmove(text + 1, text, i - 3);
    text[0] = 'x';
    is_whole(text, i - 2, 21);

    free(text);
}


static void
test_small_buffer(void **state)
{
    char                 small[IG_CHAIN_PART];
    ig_buf_t             s;
    ig_policy_t          policy;
    ig_event_outcome_t   o = { 0, ig_string("x"), 200, 0, 0, false };

    (void) state;

    memset(&policy, 0, sizeof(policy));

    ig_buf_init(&s, small, sizeof(small));
    ig_event_outcome(&s, &o, ig_str("n"));
    assert_true(s.full);

    ig_buf_init(&s, small, sizeof(small));
    ig_event_policy(&s, 0, ig_str("n"), &policy, 1, 1);
    assert_true(s.full);

    ig_buf_init(&s, small, sizeof(small));
    ig_event_repeat(&s, 0, ig_str("x"), 1, ig_str("n"));
    assert_true(s.full);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_outcome),
        cmocka_unit_test(test_repeat),
        cmocka_unit_test(test_unclassified),
        cmocka_unit_test(test_policy),
        cmocka_unit_test(test_small_buffer)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
