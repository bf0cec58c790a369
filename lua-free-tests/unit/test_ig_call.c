/*
 * test_ig_call.c: a call's memory, its fields and sets, and its keys.
 * Mirrors module/core/ig_call.c and ig_call_text.c.
 */

#include "ig_call_case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>


static const char  policy[] =
    "integrity_field account $account private\n"
    "integrity_field shop $shop\n"
    "integrity_field sku json:/items/*/sku\n"
    "integrity_field size json:/items/*/size\n"
    "integrity_field name $name decode\n"
    "integrity_field net $addr net=24/56\n"
    "integrity_field late $upstream_http_x_customer\n"
    "integrity_counter a on=x key=account window=1h\n"
    "integrity_counter ab on=x key=account,shop window=1h\n"
    "integrity_counter ba on=x key=shop,account window=1h\n"
    "integrity_counter s on=x key=sku window=1h\n"
    "integrity_counter l on=x key=late window=1h count=completed\n"
    "integrity_rule r \"a + ab + ba + s > 5\" on=x then=hold\n";


static const ig_value_t *
field(const ig_call_case_t *c, const char *name)
{
    const ig_field_t  *f;

    f = ig_policy_field(c->policy, (ig_str_t) { strlen(name), name });
    assert_non_null(f);

    return &c->call->field[f->id];
}


static const ig_members_t *
members(const ig_call_case_t *c, const char *name)
{
    return &c->call->members[field(c, name) - c->call->field];
}


static bool
key(ig_call_case_t *c, const char *counter, uint8_t out[IG_HASH])
{
    const ig_counter_t  *k;

    k = ig_policy_counter(c->policy,
                          (ig_str_t) { strlen(counter), counter });
    assert_non_null(k);
    memset(out, 0, IG_HASH);

    return ig_call_key(c->call, k, out);
}


static void
a_call_starts_with_nothing(void **state)
{
    unsigned         i;
    ig_call_case_t  *c;

    (void) state;

    c = ig_call_case_make(policy);
    ig_call_case_begin(c, "x", 5000, 7);

    for (i = 0; i < c->policy->nfields; i++) {
        assert_int_equal(c->call->members[i].nmembers, 0);
        assert_int_equal(c->call->field[i].type,
                         &c->call->field[i] == field(c, "late") ? IG_UNKNOWN
                                                                : IG_MISSING);
    }

    for (i = 0; i < c->policy->ncounters; i++) {
        assert_int_equal(c->call->counter[i].type, IG_UNKNOWN);
    }

    assert_memory_equal(c->call->event, "00000000000000000000000007", 26);
    assert_int_equal(c->call->time, 5000);
    assert_int_equal(c->call->evaluation, IG_COMPLETE);
    assert_int_equal(c->call->decision, IG_ALLOW);
    assert_false(c->call->refused);

    ig_call_case_free(c);
}


static void
evaluations_have_names(void **state)
{
    (void) state;

    assert_str(ig_evaluation_name(IG_COMPLETE), "complete");
    assert_str(ig_evaluation_name(IG_CACHED), "cached");
    assert_str(ig_evaluation_name(IG_DEGRADED), "degraded");
    assert_str(ig_evaluation_name(IG_SKIPPED), "skipped");
    assert_str(ig_evaluation_name((ig_evaluation_e) 9), "unknown");
}


/* Times that no clock shows must not run over in a window's arithmetic. */
static void
absurd_times_are_cut(void **state)
{
    ig_call_case_t  *c;

    (void) state;

    c = ig_call_case_make(policy);

    ig_call_case_begin(c, "x", INT64_MAX, 1);
    ig_call_case_text(c, "account", "u");
    ig_call_case_decide(c);
    assert_int_equal(c->call->time, INT64_C(9007199254740992));

    ig_call_case_begin(c, "x", INT64_MIN, 1);
    ig_call_case_text(c, "account", "u");
    ig_call_case_decide(c);
    assert_int_equal(c->call->time, -INT64_C(9007199254740992));

    ig_call_case_free(c);
}


static void
texts_are_decoded_and_masked(void **state)
{
    unsigned           i;
    ig_call_case_t    *c;
    const ig_value_t  *v;

    static const struct {
        const char  *field;
        const char  *text;
        const char  *value;     /* NULL: missing */
    } test[] = {
        { "account", "u1",            "u1" },
        { "account", NULL,            NULL },
        { "account", "a%41",          "a%41" },

        { "name", "plain",            "plain" },
        { "name", NULL,               NULL },
        { "name", "a%20b%2fc%2F",     "a b/c/" },
        { "name", "%41",              "A" },
        { "name", "%4",               "%4" },
        { "name", "%",                "%" },
        { "name", "a%4",              "a%4" },
        { "name", "%zz%4g%g4",        "%zz%4g%g4" },
        { "name", "%2541+",           "%41+" },
        { "name", "%%41",             "%A" },

        { "net", "192.0.2.77",        "192.0.2.0/24" },
        { "net", "255.255.255.255",   "255.255.255.0/24" },
        { "net", "2001:db8:1:2ff:3::9", "2001:db8:1:200::/56" },
        { "net", "2001:DB8::1",       "2001:db8::/56" },
        { "net", "::ffff:192.0.2.77", "192.0.2.0/24" },
        { "net", NULL,                NULL },
        { "net", "unix:",             NULL },
        { "net", "192.0.2",           NULL },
        { "net", "192.0.2.77, 1.2.3.4", NULL },
        { "net", "fe80::1%eth0",      NULL },
        { "net", "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa", NULL }
    };

    (void) state;

    c = ig_call_case_make(policy);
    ig_call_case_begin(c, "x", 5000, 1);

    for (i = 0; i < ig_countof(test); i++) {
        ig_call_case_text(c, test[i].field, test[i].text);
        v = field(c, test[i].field);

        if (test[i].value == NULL) {
            assert_int_equal(v->type, IG_MISSING);
            continue;
        }

        assert_int_equal(v->type, IG_STRING);
        assert_int_equal(v->str.len, strlen(test[i].value));
        assert_memory_equal(v->str.data, test[i].value, v->str.len);
    }

    ig_call_case_free(c);
}


/* Only what is there is looked at. */
static void
escapes_end_with_the_text(void **state)
{
    ig_call_case_t     *c;
    const ig_source_t  *source;

    (void) state;

    c = ig_call_case_make(policy);
    ig_call_case_begin(c, "x", 5000, 1);
    source = c->plan->source[field(c, "name") - c->call->field];

    ig_call_set_text(c->call, source, (ig_str_t) { 3, "a%41" },
                     &c->source->mem);
    assert_str(field(c, "name")->str, "a%4");

    ig_call_set_text(c->call, source, (ig_str_t) { 2, "a%41" },
                     &c->source->mem);
    assert_str(field(c, "name")->str, "a%");

    ig_call_case_free(c);
}


static void
empty_strings_are_missing(void **state)
{
    ig_call_case_t     *c;
    const ig_source_t  *source;

    (void) state;

    c = ig_call_case_make(policy);
    ig_call_case_begin(c, "x", 5000, 1);
    source = c->plan->source[field(c, "account") - c->call->field];

    ig_call_set_value(c->call, source, (ig_value_t) { .type = IG_STRING });
    assert_int_equal(field(c, "account")->type, IG_MISSING);

    ig_call_set_value(c->call, source,
                      (ig_value_t) { .type = IG_STRING,
                                     .str = ig_string("0") });
    assert_int_equal(field(c, "account")->type, IG_STRING);

    ig_call_case_free(c);
}


/* A NUL byte does not end an address early. */
static void
addresses_end_where_they_end(void **state)
{
    ig_source_t        source;
    ig_call_case_t    *c;
    const ig_value_t  *v;

    (void) state;

    c = ig_call_case_make(policy);
    ig_call_case_begin(c, "x", 5000, 1);

    v = field(c, "net");
    source = *c->plan->source[v - c->call->field];

    ig_call_set_text(c->call, &source, ig_str("192.0.2.7\0evil"),
                     &c->source->mem);
    assert_int_equal(v->type, IG_MISSING);

    /* prefixes that are not given leave the address as it was written */

    source.net4 = 0;
    ig_call_set_text(c->call, &source, ig_str("192.0.2.7"), &c->source->mem);
    assert_str(v->str, "192.0.2.7");

    source.net6 = 128;
    ig_call_set_text(c->call, &source, ig_str("2001:db8::7"),
                     &c->source->mem);
    assert_str(v->str, "2001:db8::7/128");

    source.net4 = 32;
    ig_call_set_text(c->call, &source, ig_str("192.0.2.7"), &c->source->mem);
    assert_str(v->str, "192.0.2.7/32");

    source.net4 = 1;
    ig_call_set_text(c->call, &source, ig_str("192.0.2.7"), &c->source->mem);
    assert_str(v->str, "128.0.0.0/1");

    ig_call_case_free(c);
}


static void
without_memory_a_field_is_unknown(void **state)
{
    ig_call_case_t  *c;

    (void) state;

    c = ig_call_case_make(policy);
    ig_call_case_begin(c, "x", 5000, 1);
    c->source->limit = 0;

    ig_call_case_text(c, "name", "a%20b");
    assert_int_equal(field(c, "name")->type, IG_UNKNOWN);

    ig_call_case_text(c, "net", "192.0.2.7");
    assert_int_equal(field(c, "net")->type, IG_UNKNOWN);

    /* what needs none is known */
    ig_call_case_text(c, "name", "ab");
    assert_int_equal(field(c, "name")->type, IG_STRING);

    assert_int_equal(ig_call_case_member(c, "sku", "1"), IG_OK);
    assert_int_equal(ig_call_case_member(c, "sku", "1"), IG_OK);
    assert_int_equal(ig_call_case_member(c, "sku", "2"), IG_NOMEM);
    assert_int_equal(field(c, "sku")->type, IG_UNKNOWN);

    ig_call_case_free(c);
}


/* -- sets ---------------------------------------------------------------- */

static void
one_member_is_a_value(void **state)
{
    ig_call_case_t  *c;

    (void) state;

    c = ig_call_case_make(policy);
    ig_call_case_begin(c, "x", 5000, 1);

    assert_int_equal(ig_call_case_member(c, "sku", ""), IG_OK);
    assert_int_equal(field(c, "sku")->type, IG_MISSING);

    assert_int_equal(ig_call_case_member(c, "sku", "p1"), IG_OK);
    assert_int_equal(ig_call_case_member(c, "sku", "p1"), IG_OK);
    assert_str(field(c, "sku")->str, "p1");
    assert_int_equal(members(c, "sku")->nmembers, 0);

    assert_int_equal(ig_call_case_member(c, "sku", "p2"), IG_OK);
    assert_int_equal(ig_call_case_member(c, "sku", "p1"), IG_OK);
    assert_int_equal(field(c, "sku")->type, IG_SET);
    assert_int_equal(members(c, "sku")->nmembers, 2);
    assert_str(members(c, "sku")->member[0].str, "p1");
    assert_str(members(c, "sku")->member[1].str, "p2");

    /* a value set as a whole is no set any more */
    ig_call_case_number(c, "sku", 3);
    assert_int_equal(members(c, "sku")->nmembers, 0);
    assert_int_equal(ig_call_case_member(c, "sku", "p3"), IG_OK);
    assert_int_equal(members(c, "sku")->nmembers, 2);

    ig_call_case_free(c);
}


/* 42, 42.0 and "42" are one key, and so one member; true is "true". */
static void
equal_members_are_kept_once(void **state)
{
    unsigned            i;
    ig_call_case_t     *c;
    const ig_source_t  *source;

    static const struct {
        ig_value_t  value;
        unsigned    n;
    } test[] = {
        { { IG_NUMBER, 42, ig_string("42") }, 0 },
        { { IG_NUMBER, 42, { 0, NULL } }, 0 },
        { { IG_STRING, 0, ig_string("42") }, 0 },
        { { IG_NUMBER, 42.5, { 0, NULL } }, 2 },
        { { IG_STRING, 0, ig_string("42.5") }, 2 },
        { { IG_BOOL, 1, { 0, NULL } }, 3 },
        { { IG_STRING, 0, ig_string("true") }, 3 },
        { { IG_STRING, 0, ig_string("x") }, 4 },
        { { IG_MISSING, 0, { 0, NULL } }, 4 },

        /* equal as doubles, not as numbers */
        { { IG_NUMBER, 9007199254740992, ig_string("9007199254740992") }, 5 },
        { { IG_NUMBER, 9007199254740992, ig_string("9007199254740993") }, 6 },
        { { IG_NUMBER, 9007199254740992, ig_string("9007199254740992") }, 6 }
    };

    (void) state;

    c = ig_call_case_make(policy);
    ig_call_case_begin(c, "x", 5000, 1);
    source = c->plan->source[field(c, "sku") - c->call->field];

    for (i = 0; i < ig_countof(test); i++) {
        assert_int_equal(ig_call_add_member(c->call, source, test[i].value,
                                            &c->source->mem), IG_OK);
        assert_int_equal(members(c, "sku")->nmembers, test[i].n);
    }

    ig_call_case_free(c);
}


static void
sets_have_a_limit(void **state)
{
    unsigned         i;
    ig_call_case_t  *c;

    static char  text[IG_MAX_MEMBERS + 1][12];

    (void) state;

    c = ig_call_case_make(policy);
    ig_call_case_begin(c, "x", 5000, 1);

    for (i = 0; i <= IG_MAX_MEMBERS; i++) {
        (void) snprintf(text[i], sizeof(text[i]), "p%u", i);
        assert_int_equal(ig_call_case_member(c, "sku", text[i]),
                         i < IG_MAX_MEMBERS ? IG_OK : IG_ERROR);
    }

    assert_int_equal(members(c, "sku")->nmembers, IG_MAX_MEMBERS);
    assert_int_equal(ig_call_case_member(c, "sku", "p7"), IG_OK);

    ig_call_case_free(c);
}


/* -- keys ---------------------------------------------------------------- */

static void
keys_are_of_tenant_and_fields(void **state)
{
    uint8_t          a[IG_HASH], b[IG_HASH];
    ig_call_case_t  *c;

    (void) state;

    c = ig_call_case_make(policy);

    ig_call_case_begin(c, "x", 5000, 1);
    ig_call_case_text(c, "account", "12");
    ig_call_case_text(c, "shop", "3");
    assert_true(key(c, "a", a));
    assert_true(key(c, "a", b));
    assert_memory_equal(a, b, IG_HASH);
    assert_true(key(c, "ab", a));
    assert_true(key(c, "ba", b));
    assert_memory_equal(a, b, IG_HASH);

    /* the same bytes cut elsewhere */
    ig_call_case_begin(c, "x", 9000, 2);
    ig_call_case_text(c, "account", "1");
    ig_call_case_text(c, "shop", "23");
    assert_true(key(c, "ab", b));
    assert_memory_not_equal(a, b, IG_HASH);

    /* a number is its text */
    ig_call_case_begin(c, "x", 9000, 2);
    ig_call_case_number(c, "account", 12);
    ig_call_case_number(c, "shop", 3);
    assert_true(key(c, "ab", b));
    assert_memory_equal(a, b, IG_HASH);

    /* another tenant's key */
    c->tenant = ig_str("market");
    ig_call_case_begin(c, "x", 9000, 2);
    ig_call_case_text(c, "account", "12");
    ig_call_case_text(c, "shop", "3");
    assert_true(key(c, "ab", b));
    assert_memory_not_equal(a, b, IG_HASH);

    /* even where the bytes are the same in a row */
    c->tenant = ig_str("shop1");
    ig_call_case_begin(c, "x", 9000, 2);
    ig_call_case_text(c, "account", "2");
    ig_call_case_text(c, "shop", "3");
    assert_true(key(c, "ab", b));
    assert_memory_not_equal(a, b, IG_HASH);

    ig_call_case_free(c);
}


static void
keys_need_one_value_each(void **state)
{
    uint8_t          a[IG_HASH];
    char             large[4096];
    ig_call_case_t  *c;

    (void) state;

    c = ig_call_case_make(policy);
    ig_call_case_begin(c, "x", 5000, 1);

    assert_false(key(c, "a", a));
    assert_false(key(c, "l", a));

    ig_call_case_text(c, "account", "u");
    assert_true(key(c, "a", a));
    assert_false(key(c, "ab", a));

    /* what was missing when first asked for may come later */
    ig_call_case_text(c, "shop", "m");
    assert_true(key(c, "ab", a));

    assert_int_equal(ig_call_case_member(c, "sku", "1"), IG_OK);
    assert_true(key(c, "s", a));

    ig_call_case_begin(c, "x", 5000, 1);
    assert_int_equal(ig_call_case_member(c, "sku", "1"), IG_OK);
    assert_int_equal(ig_call_case_member(c, "sku", "2"), IG_OK);
    assert_false(key(c, "s", a));

    memset(large, 'k', sizeof(large));
    large[sizeof(large) - 1] = '\0';
    ig_call_case_text(c, "account", large);
    assert_true(key(c, "a", a));

    ig_call_case_free(c);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_starts_with_nothing),
        cmocka_unit_test(evaluations_have_names),
        cmocka_unit_test(absurd_times_are_cut),
        cmocka_unit_test(texts_are_decoded_and_masked),
        cmocka_unit_test(escapes_end_with_the_text),
        cmocka_unit_test(empty_strings_are_missing),
        cmocka_unit_test(addresses_end_where_they_end),
        cmocka_unit_test(without_memory_a_field_is_unknown),
        cmocka_unit_test(one_member_is_a_value),
        cmocka_unit_test(equal_members_are_kept_once),
        cmocka_unit_test(sets_have_a_limit),
        cmocka_unit_test(keys_are_of_tenant_and_fields),
        cmocka_unit_test(keys_need_one_value_each)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
