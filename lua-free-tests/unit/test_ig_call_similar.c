/*
 * test_ig_call_similar.c: what counters with similar= make of texts.
 * Mirrors what ig_call.c, ig_call_ops.c and ig_call_settle.c do for them.
 */

#include "ig_call_case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>


#define T  INT64_C(1700000000000)

#define FIELDS                                                               \
    "integrity_field t $t text\n"                                            \
    "integrity_field reply $upstream_http_x_reply text\n"

#define AD     "加微信 abc123，免费获取天气 key 和教程，五分钟显示天气"
#define AD_2   "加微信abc456!!! 免费获取天气KEY和教程，五分钟显示天气"
#define AD_3   "【加微信】 免费获取天气 key 和教程，五分钟显示天气，成功"
#define OTHER  "这个表盘非常简洁，抬手就亮，省电，推荐大家购买"
#define SHORT  "非常好用"


/* One review of this account, decided and settled; the counter's value. */
static const char *
review(ig_call_case_t *c, const char *account, const char *text)
{
    static unsigned  event;

    ig_call_case_begin(c, "x", T + event * 1000, event);
    event++;

    ig_call_case_text(c, "account", account);
    ig_call_case_text(c, "t", text);
    ig_call_case_decide(c);
    ig_call_case_settle(c);

    return ig_call_case_value(c, "n");
}


static void
alike_texts_are_counted(void **state)
{
    unsigned         i;
    ig_call_case_t  *c;

    static const char  *const kind[] = { "", "exact", "distinct=account" };

    (void) state;

    for (i = 0; i < ig_countof(kind); i++) {
        char  line[256];

        (void) snprintf(line, sizeof(line), FIELDS
                        "integrity_counter n on=x window=30d similar=t %s\n",
                        kind[i]);
        c = ig_call_case_fields(line);

        assert_string_equal(review(c, "a1", AD), "1");
        assert_string_equal(review(c, "a2", OTHER), "1");
        assert_string_equal(review(c, "a3", AD), "2");
        assert_string_equal(review(c, "a4", AD_2), "3");
        assert_string_equal(review(c, "a5", AD_3), "4");
        assert_string_equal(review(c, "a6", OTHER), "2");

        assert_int_equal(c->nops, IG_BANDS);

        /* the same account again: a fifth text, no other account */

        assert_string_equal(review(c, "a1", AD), i < 2 ? "5" : "4");

        ig_call_case_free(c);
    }
}


static void
what_has_no_bands_is_missing(void **state)
{
    unsigned         i;
    ig_call_case_t  *c;

    static const char  *const text[] = {
        NULL, SHORT, "!!!", "\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8"
    };

    (void) state;

    c = ig_call_case_fields(FIELDS
        "integrity_counter n on=x window=30d similar=t\n"
        "integrity_rule r \"!has(n)\" then=hold\n");

    for (i = 0; i < ig_countof(text); i++) {
        assert_string_equal(review(c, "a", text[i]), "missing");
        assert_string_equal(review(c, "a", text[i]), "missing");
        assert_int_equal(c->nops, 0);
        assert_int_equal(c->call->decision, IG_HOLD);
    }

    /* a number is its digits */

    ig_call_case_begin(c, "x", T, 1);
    ig_call_case_number(c, "t", 12345);
    ig_call_case_decide(c);
    assert_string_equal(ig_call_case_value(c, "n"), "missing");

    /* uninspected: it may be a copy */

    ig_call_case_begin(c, "x", T, 2);
    c->call->field[ig_policy_field(c->policy, ig_str("t"))->id].type
        = IG_UNKNOWN;
    ig_call_case_decide(c);
    assert_string_equal(ig_call_case_value(c, "n"), "unknown");
    assert_int_equal(c->nops, 0);
    assert_int_equal(c->call->decision, IG_ALLOW);

    ig_call_case_free(c);
}


/* The key separates, the tenant too; no key: all of the tenant together. */
static void
texts_are_compared_under_a_key(void **state)
{
    ig_call_case_t  *c;

    (void) state;

    c = ig_call_case_fields(FIELDS
        "integrity_counter n on=x key=account window=30d similar=t\n"
        "integrity_counter all on=x window=30d similar=t\n");

    assert_string_equal(review(c, "a1", AD), "1");
    assert_string_equal(review(c, "a2", AD), "1");
    assert_string_equal(ig_call_case_value(c, "all"), "2");
    assert_string_equal(review(c, "a1", AD_2), "2");
    assert_string_equal(ig_call_case_value(c, "all"), "3");

    assert_string_equal(review(c, NULL, AD), "missing");
    assert_string_equal(ig_call_case_value(c, "all"), "4");

    c->tenant = ig_str("other shop");
    assert_string_equal(review(c, "a1", AD), "1");
    assert_string_equal(ig_call_case_value(c, "all"), "1");

    ig_call_case_free(c);
}


/* Every band has a key of its own, which nothing but it and the tuple has. */
static void
keys_are_hashes_of_bands(void **state)
{
    unsigned         i, k;
    ig_op_t          op[2 * IG_BANDS];
    ig_call_case_t  *c;

    (void) state;

    c = ig_call_case_fields(FIELDS
        "integrity_counter n on=x window=30d similar=t\n"
        "integrity_counter m on=x key=account window=30d similar=t\n");

    (void) review(c, "a", AD);
    assert_int_equal(c->nops, 2 * IG_BANDS);
    memcpy(op, c->op, sizeof(op));

    for (i = 0; i < 2 * IG_BANDS; i++) {
        for (k = 0; k < i; k++) {
            assert_memory_not_equal(op[i].key, op[k].key, IG_HASH);
        }
    }

    (void) review(c, "a", AD);

    for (i = 0; i < 2 * IG_BANDS; i++) {
        assert_memory_equal(op[i].key, c->op[i].key, IG_HASH);
    }

    (void) review(c, "a", OTHER);

    for (i = 0; i < 2 * IG_BANDS; i++) {
        for (k = 0; k < 2 * IG_BANDS; k++) {
            assert_memory_not_equal(op[i].key, c->op[k].key, IG_HASH);
        }
    }

    ig_call_case_free(c);
}


/* Stored data is found by it: it must never change between releases. */
static void
keys_stay_what_they_are(void **state)
{
    ig_call_case_t  *c;

    (void) state;

    c = ig_call_case_fields(FIELDS
        "integrity_counter n on=x window=30d similar=t\n");

    (void) review(c, "a", AD);

    assert_memory_equal(c->op[0].key, "\xef\xfb\x27\x0e\xc4\xc5\x6a\xbb"
                                      "\xa8\xaa\x90\xae\x9a\xbf\x4b\x8d", IG_HASH);
    assert_memory_equal(c->op[7].key, "\x8e\x29\xe7\xb9\x99\xe0\xae\x59"
                                      "\xb6\xf8\x88\x2e\x45\x32\xf3\x10", IG_HASH);

    ig_call_case_free(c);
}


/* A text that came with an earlier line of the secret is found again. */
static void
a_new_first_key_forgets_no_text(void **state)
{
    ig_error_t       err;
    ig_call_case_t  *c;

    static const ig_str_t  rotated = ig_string(
        "k2:ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA=\n"
        "k1:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\n");
    static const ig_str_t  other = ig_string(
        "k2:ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA=\n");

    (void) state;

    c = ig_call_case_fields(FIELDS
        "integrity_counter n on=x window=30d similar=t\n");

    assert_string_equal(review(c, "a", AD), "1");

    assert_int_equal(ig_secret_parse(rotated, &c->secret, &err), IG_OK);
    assert_string_equal(review(c, "a", AD), "2");

    assert_int_equal(ig_secret_parse(other, &c->secret, &err), IG_OK);
    assert_string_equal(review(c, "a", AD), "1");

    ig_call_case_free(c);
}


static void
refused_texts_are_taken_back(void **state)
{
    ig_call_case_t  *c;

    (void) state;

    c = ig_call_case_fields(FIELDS
        "integrity_counter n on=x window=30d similar=t\n"
        "integrity_counter d on=x window=30d similar=t distinct=account\n"
        "integrity_counter e on=x window=30d similar=t exact\n"
        "integrity_rule r \"n > 2 || d > 2 || e > 2\" then=throttle\n");

    assert_string_equal(review(c, "a1", AD), "1");
    assert_string_equal(review(c, "a2", AD), "2");

    assert_string_equal(review(c, "a3", AD), "3");
    assert_int_equal(c->call->decision, IG_THROTTLE);
    assert_int_equal(c->nout, 3 * IG_BANDS);

    assert_string_equal(review(c, "a4", AD), "3");
    assert_string_equal(ig_call_case_value(c, "d"), "3");
    assert_string_equal(ig_call_case_value(c, "e"), "3");

    ig_call_case_free(c);
}


/* Counted when completed, of decisions, and where if= reads a counter. */
static void
texts_are_also_written_later(void **state)
{
    ig_call_case_t  *c;

    (void) state;

    c = ig_call_case_fields(FIELDS
        "integrity_counter n on=x window=30d similar=t count=completed\n"
        "integrity_counter late on=x window=30d similar=reply "
            "count=completed\n"
        "integrity_counter denied on=decision.deny window=30d similar=t\n"
        "integrity_counter second on=x window=30d similar=t \"if=n >= 1\"\n"
        "integrity_rule r \"has(denied) && has(second) && n >= 1\" "
            "then=deny\n");

    assert_string_equal(review(c, "a", AD), "0");
    assert_int_equal(c->nout, 0);

    ig_call_case_text(c, "reply", OTHER);
    ig_call_case_complete(c);
    assert_int_equal(c->nout, 2 * IG_BANDS);

    assert_string_equal(review(c, "a", AD), "1");
    assert_int_equal(c->call->decision, IG_DENY);
    assert_string_equal(ig_call_case_value(c, "denied"), "0");
    assert_int_equal(c->nout, IG_BANDS);

    assert_string_equal(review(c, "a", AD_2), "1");
    assert_string_equal(ig_call_case_value(c, "denied"), "1");

    ig_call_case_free(c);
}


/* Without G nothing is counted, and what there is can be read all the same. */
static void
distinct_needs_its_value(void **state)
{
    ig_call_case_t  *c;

    (void) state;

    c = ig_call_case_fields(FIELDS
        "integrity_counter n on=x window=30d similar=t distinct=account\n"
        "integrity_rule r \"n > 9\" then=hold\n");

    assert_string_equal(review(c, "a1", AD), "1");
    assert_string_equal(review(c, NULL, AD), "1");
    assert_string_equal(review(c, "a2", AD), "2");

    ig_call_case_free(c);
}


/* A set in the key is as many keys again; beyond the limit: unknown. */
static void
sets_multiply_bands(void **state)
{
    unsigned         n;
    ig_call_case_t  *c;

    (void) state;

    c = ig_call_case_fields(FIELDS
        "integrity_counter n on=x key=sku window=30d similar=t\n"
        "integrity_counter d on=x window=30d similar=t distinct=sku\n");

    for (n = 1; n <= 9; n += 4) {
        ig_call_case_begin(c, "x", T, n);
        ig_call_case_text(c, "t", AD);
        ig_call_case_members(c, "sku", n);
        ig_call_case_decide(c);

        assert_int_equal(c->nops, n < 9 ? 2 * n * IG_BANDS : 0);
        assert_string_equal(ig_call_case_value(c, "n"),
                            n == 1 ? "1" : n == 5 ? "2" : "unknown");
        assert_string_equal(ig_call_case_value(c, "d"),
                            n == 1 ? "1" : n == 5 ? "5" : "unknown");
    }

    ig_call_case_free(c);
}


/* What is set last counts. */
static void
a_text_set_again_is_read_again(void **state)
{
    ig_call_case_t  *c;

    (void) state;

    c = ig_call_case_fields(FIELDS
        "integrity_counter n on=x window=30d similar=t\n");

    assert_string_equal(review(c, "a", AD), "1");

    ig_call_case_begin(c, "x", T, 1);
    ig_call_case_text(c, "t", SHORT);
    assert_int_equal(ig_call_ops(c->call, c->op), 0);

    ig_call_case_text(c, "t", AD_2);
    ig_call_case_decide(c);
    assert_string_equal(ig_call_case_value(c, "n"), "2");

    ig_call_case_free(c);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(alike_texts_are_counted),
        cmocka_unit_test(what_has_no_bands_is_missing),
        cmocka_unit_test(texts_are_compared_under_a_key),
        cmocka_unit_test(keys_are_hashes_of_bands),
        cmocka_unit_test(keys_stay_what_they_are),
        cmocka_unit_test(a_new_first_key_forgets_no_text),
        cmocka_unit_test(refused_texts_are_taken_back),
        cmocka_unit_test(texts_are_also_written_later),
        cmocka_unit_test(distinct_needs_its_value),
        cmocka_unit_test(sets_multiply_bands),
        cmocka_unit_test(a_text_set_again_is_read_again)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
