/*
 * test_ig_call_ops.c: which operations a call wants before the decision.
 * Mirrors module/core/ig_call_ops.c.
 */

#include "ig_call_case.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


#define T  INT64_C(1700000000000)


static void
each_kind_is_asked_in_its_way(void **state)
{
    unsigned         i;
    ig_call_case_t  *c;

    static const struct {
        const char  *counter;
        const char  *action;
        const char  *ops;
    } test[] = {
        { "on=x",                               "x", "n+" },
        { "on=x",                               "y", "n?" },
        { "on=x exact",                         "x", "n+" },
        { "on=x count=attempts",                "x", "n+" },
        { "on=x count=completed",               "x", "n?" },
        { "on=x distinct=device",               "x", "n+" },
        { "on=x distinct=device",               "y", "n?" },
        { "on=x sum=amount",                    "x", "n+" },
        { "on=x mean=amount",                   "x", "n+" },
        { "on=x first",                         "x", "n?" },
        { "on=x last",                          "x", "n?" },
        { "on=x last count=attempts",           "x", "n?" },
        { "on=x \"if=amount > 3\"",             "x", "n+" },
        { "on=x \"if=amount > 30\"",            "x", "n?" },
        { "on=x \"if=rating > 3\"",             "x", "n?" },
        { "on=x \"if=m > 3\"",                  "x", "m+ n?" },
        { "on=decision.deny",                   "x", "n?" }
    };

    (void) state;

    for (i = 0; i < ig_countof(test); i++) {
        char  text[512];

        (void) snprintf(text, sizeof(text),
                        "%s"
                        "integrity_counter n key=account window=1h %s\n"
                        "integrity_rule r \"n > 100\" then=hold\n",
                        strstr(test[i].counter, "if=m") != NULL
                        ? "integrity_counter m key=account window=1h\n" : "",
                        test[i].counter);

        c = ig_call_case_fields(text);
        ig_call_case_begin(c, test[i].action, T, 1);
        ig_call_case_text(c, "account", "u");
        ig_call_case_text(c, "device", "d");
        ig_call_case_text(c, "amount", "7");

        assert_string_equal(ig_call_case_decided(c), test[i].ops);
        ig_call_case_free(c);
    }
}


static void
what_nobody_reads_is_not_asked_for(void **state)
{
    ig_call_case_t  *c;

    (void) state;

    c = ig_call_case_fields(
        "integrity_counter n on=x key=account window=1h\n"
        "integrity_counter l on=x key=account window=1h last\n"
        "integrity_counter e on=x key=account window=1h "
        "count=completed\n"
        "integrity_counter d on=decision.deny key=account window=1h\n");

    ig_call_case_begin(c, "x", T, 1);
    ig_call_case_text(c, "account", "u");

    assert_string_equal(ig_call_case_decided(c), "n+");
    assert_string_equal(ig_call_case_value(c, "l"), "missing");
    assert_string_equal(ig_call_case_settled(c), "l=");
    assert_string_equal(ig_call_case_completed(c), "e=");

    ig_call_case_free(c);
}


static void
ops_carry_what_the_store_needs(void **state)
{
    uint8_t          hash[IG_SHA256], key[IG_HASH];
    ig_hmac_t        hmac;
    ig_call_case_t  *c;

    (void) state;

    c = ig_call_case_fields(
        "integrity_counter n on=x key=account window=1h\n"
        "integrity_counter e on=x key=account window=1h exact\n"
        "integrity_counter d on=x key=account window=1h distinct=device\n"
        "integrity_counter f on=x key=account window=1h distinct=rating\n"
        "integrity_counter s on=x key=account window=1h sum=amount\n");

    ig_call_case_begin(c, "x", T, 42);
    ig_call_case_text(c, "account", "u");
    ig_call_case_text(c, "device", "5");
    ig_call_case_number(c, "rating", 5);
    ig_call_case_text(c, "amount", "-12.3456785");

    assert_string_equal(ig_call_case_decided(c), "n+ e+ d+ f+ s+");

    assert_int_equal(c->op[0].time, T);
    assert_true(ig_call_key(c->call, c->op[0].counter, key));
    assert_memory_equal(c->op[0].key, key, IG_HASH);

    ig_sha256("00000000000000000000000042", 26, hash);
    assert_memory_equal(c->op[1].member, hash, IG_HASH);

    /* "5" and 5 are one member, and no key */
    assert_memory_equal(c->op[2].member, c->op[3].member, IG_HASH);
    ig_hmac_init(&hmac, &c->secret.store);
    ig_hmac_update_str(&hmac, ig_str("m"));
    ig_hmac_update_str(&hmac, ig_str("5"));
    ig_hmac_final(&hmac, hash);
    assert_memory_equal(c->op[2].member, hash, IG_HASH);
    assert_memory_not_equal(c->op[2].member, c->op[2].key, IG_HASH);

    /* half away from zero, as far as a double can tell */
    assert_int_equal(c->op[4].delta, -12345679);

    ig_call_case_free(c);
}


/* F of sum= and mean= that is no number, or too large, is not counted. */
static void
summands_are_numbers_in_range(void **state)
{
    unsigned         i;
    ig_call_case_t  *c;

    static const struct {
        const char  *text;
        bool         counted;
        int64_t      delta;
    } test[] = {
        { "1",              true,  1000000 },
        { "0",              true,  0 },
        { "-0",             true,  0 },
        { "0.000001",       true,  1 },
        { "0.0000005",      true,  1 },
        { "-0.0000005",     true, -1 },
        { "0.0000004",      true,  0 },
        { "9e12",           true,  INT64_C(9000000000000000000) },
        { "-9000000000000", true, -INT64_C(9000000000000000000) },
        { "9000000000001",  false, 0 },
        { "-9000000000000.1", false, 0 },
        { "1e400",          false, 0 },
        { "nan",            false, 0 },
        { "inf",            false, 0 },
        { "0x10",           false, 0 },
        { "12 ",            false, 0 },
        { "twelve",         false, 0 },
        { NULL,             false, 0 }
    };

    (void) state;

    c = ig_call_case_fields(
        "integrity_counter s on=x key=account window=1h sum=amount\n"
        "integrity_rule r \"s > 100\" then=hold\n");

    for (i = 0; i < ig_countof(test); i++) {
        ig_call_case_begin(c, "x", T, i);
        ig_call_case_text(c, "account", "u");
        ig_call_case_text(c, "amount", test[i].text);

        c->nops = ig_call_ops(c->call, c->op);
        assert_int_equal(c->nops, 1);
        assert_int_equal(c->op[0].verb,
                         test[i].counted ? IG_OP_ADD : IG_OP_READ);
        assert_int_equal(c->op[0].delta, test[i].delta);
    }

    ig_call_case_free(c);
}


static void
only_numbers_are_summed(void **state)
{
    unsigned            i;
    ig_call_case_t     *c;
    const ig_source_t  *source;

    static const struct {
        ig_value_t  value;
        ig_verb_e   verb;
    } test[] = {
        { { IG_NUMBER, 4, { 0, NULL } }, IG_OP_ADD },
        { { IG_NUMBER, (double) NAN, { 0, NULL } }, IG_OP_READ },
        { { IG_NUMBER, (double) INFINITY, { 0, NULL } }, IG_OP_READ },
        { { IG_BOOL, 1, { 0, NULL } }, IG_OP_READ },
        { { IG_MISSING, 0, { 0, NULL } }, IG_OP_READ },
        { { IG_SET, 0, { 0, NULL } }, IG_OP_READ }
    };

    (void) state;

    c = ig_call_case_fields(
        "integrity_counter s on=x key=account window=1h mean=rating\n"
        "integrity_rule r \"s > 100\" then=hold\n");

    for (i = 0; i < ig_countof(test); i++) {
        ig_call_case_begin(c, "x", T, i);
        ig_call_case_text(c, "account", "u");

        source = c->plan->source[ig_policy_field(c->policy,
                                                 ig_str("rating"))->id];
        ig_call_set_value(c->call, source, test[i].value);

        assert_int_equal(ig_call_ops(c->call, c->op), 1);
        assert_int_equal(c->op[0].verb, test[i].verb);
    }

    ig_call_case_free(c);
}


/* -- missing and unknown ------------------------------------------------- */

static void
a_missing_key_makes_a_counter_missing(void **state)
{
    ig_call_case_t  *c;

    (void) state;

    c = ig_call_case_fields(
        "integrity_counter n on=x key=account,device window=1h\n"
        "integrity_counter d on=x key=account window=1h "
        "distinct=device\n"
        "integrity_rule r \"n > 100 || d > 100\" then=hold\n");

    ig_call_case_begin(c, "x", T, 1);
    ig_call_case_text(c, "account", "u");

    /* without a value there is nothing to add, but a number to read */
    assert_string_equal(ig_call_case_decided(c), "d?");
    assert_string_equal(ig_call_case_value(c, "n"), "missing");
    assert_string_equal(ig_call_case_value(c, "d"), "0");
    assert_string_equal(ig_call_case_settled(c), "");

    ig_call_case_free(c);
}


static void
an_unknown_field_makes_a_counter_unknown(void **state)
{
    ig_call_case_t  *c;

    (void) state;

    c = ig_call_case_fields(
        "integrity_counter n on=x key=device window=1h\n"
        "integrity_counter d on=x key=account window=1h "
        "distinct=device\n"
        "integrity_counter s on=x key=account window=1h sum=device\n"
        "integrity_rule r \"n > 100 || d > 100 || s > 100\" then=hold\n");

    ig_call_case_begin(c, "x", T, 1);
    ig_call_case_text(c, "account", "u");
    c->call->field[ig_policy_field(c->policy, ig_str("device"))->id].type =
        IG_UNKNOWN;

    assert_string_equal(ig_call_case_decided(c), "");
    assert_string_equal(ig_call_case_value(c, "n"), "unknown");
    assert_string_equal(ig_call_case_value(c, "d"), "unknown");
    assert_string_equal(ig_call_case_value(c, "s"), "unknown");

    ig_call_case_free(c);
}


/* With a field that is missing there is no key, whatever the others are. */
static void
missing_wins_over_unknown(void **state)
{
    unsigned         i;
    ig_call_case_t  *c;

    static const char  *const  name[] = { "account", "device" };

    (void) state;

    c = ig_call_case_fields(
        "integrity_counter n on=x key=account,device window=1h\n"
        "integrity_rule r \"n > 100\" then=hold\n");

    for (i = 0; i < 2; i++) {
        ig_call_case_begin(c, "x", T, 1);
        c->call->field[ig_policy_field(c->policy,
                                       (ig_str_t) { strlen(name[i]),
                                                    name[i] })->id].type =
            IG_UNKNOWN;

        assert_string_equal(ig_call_case_decided(c), "");
        assert_string_equal(ig_call_case_value(c, "n"), "missing");
    }

    ig_call_case_free(c);
}


/* -- sets ---------------------------------------------------------------- */

static void
a_set_gives_an_op_per_combination(void **state)
{
    unsigned         i, k;
    ig_call_case_t  *c;

    static const struct {
        unsigned     skus;
        unsigned     sizes;
        const char  *counter;
        unsigned     ops;       /* 0: none, the counter is unknown */
    } test[] = {
        { 1,  0, "key=sku",                       1 },
        { 3,  0, "key=sku",                       3 },
        { 64, 0, "key=sku",                      64 },
        { 3,  2, "key=sku,size",                  6 },
        { 8,  8, "key=sku,size",                 64 },
        { 9,  8, "key=sku,size",                  0 },
        { 64, 64, "key=sku,size",                 0 },
        { 3,  1, "key=account,sku,size",          3 },
        { 0,  5, "key=account distinct=size",     5 },
        { 4,  5, "key=sku distinct=size",        20 },
        { 13, 5, "key=sku distinct=size",         0 },
        { 4,  2, "key=account,sku exact",         4 }
    };

    (void) state;

    for (i = 0; i < ig_countof(test); i++) {
        char  text[512];

        (void) snprintf(text, sizeof(text),
                        "integrity_counter n on=x window=1h %s\n"
                        "integrity_rule r \"n > 100\" then=hold\n",
                        test[i].counter);

        c = ig_call_case_fields(text);
        ig_call_case_begin(c, "x", T, 1);
        ig_call_case_text(c, "account", "u");
        ig_call_case_members(c, "sku", test[i].skus);
        ig_call_case_members(c, "size", test[i].sizes);

        ig_call_case_decide(c);
        assert_int_equal(c->nops, test[i].ops);

        for (k = 1; k < c->nops; k++) {
            assert_true(memcmp(c->op[k - 1].key, c->op[k].key, IG_HASH) != 0
                        || memcmp(c->op[k - 1].member, c->op[k].member,
                                  IG_HASH) != 0);
        }

        if (test[i].ops == 0) {
            assert_string_equal(ig_call_case_value(c, "n"), "unknown");
        }

        ig_call_case_free(c);
    }
}


/* What a call may ask in all ends one counter, not the next ones. */
static void
a_call_has_a_limit_of_ops(void **state)
{
    ig_call_case_t  *c;

    (void) state;

    c = ig_call_case_fields(
        "integrity_counter a on=x key=sku window=1h\n"
        "integrity_counter b on=x key=sku window=2h\n"
        "integrity_counter c on=x key=sku window=3h\n"
        "integrity_counter d on=x key=sku window=4h exact\n"
        "integrity_counter e on=x key=sku window=5h\n"
        "integrity_counter f on=x key=account window=1h\n"
        "integrity_rule r \"a + b + c + d + e + f > 100\" then=hold\n");

    ig_call_case_begin(c, "x", T, 1);
    ig_call_case_text(c, "account", "u");
    ig_call_case_members(c, "sku", 60);

    ig_call_case_decide(c);
    assert_int_equal(c->nops, 241);
    assert_string_equal(ig_call_case_value(c, "d"), "1");
    assert_string_equal(ig_call_case_value(c, "e"), "unknown");
    assert_string_equal(ig_call_case_value(c, "f"), "1");

    ig_call_case_free(c);
}


static void
one_event_counts_for_each_member(void **state)
{
    unsigned         i;
    ig_call_case_t  *c;

    (void) state;

    c = ig_call_case_fields(
        "integrity_counter n on=x key=sku window=1h\n"
        "integrity_counter d on=x key=account window=1h distinct=sku\n"
        "integrity_rule r \"n > 100 || d > 100\" then=hold\n");

    for (i = 1; i < 4; i++) {
        ig_call_case_begin(c, "x", T, i);
        ig_call_case_text(c, "account", "u");
        ig_call_case_members(c, "sku", i);
        ig_call_case_decide(c);

        /* the largest: member "0" was there each time */
        assert_int_equal(atoi(ig_call_case_value(c, "n")), i);
        assert_int_equal(atoi(ig_call_case_value(c, "d")), i);
    }

    ig_call_case_free(c);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_is_asked_in_its_way),
        cmocka_unit_test(what_nobody_reads_is_not_asked_for),
        cmocka_unit_test(ops_carry_what_the_store_needs),
        cmocka_unit_test(summands_are_numbers_in_range),
        cmocka_unit_test(only_numbers_are_summed),
        cmocka_unit_test(a_missing_key_makes_a_counter_missing),
        cmocka_unit_test(an_unknown_field_makes_a_counter_unknown),
        cmocka_unit_test(missing_wins_over_unknown),
        cmocka_unit_test(a_set_gives_an_op_per_combination),
        cmocka_unit_test(a_call_has_a_limit_of_ops),
        cmocka_unit_test(one_event_counts_for_each_member)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
