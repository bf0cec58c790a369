/*
 * test_ig_call_ops.c: which operations a call wants, before the decision,
 * after it, and at the end.
 * Mirrors module/core/ig_call_ops.c.
 */

#include "ig_call_case.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


#define T  INT64_C(1700000000000)

static const char  fields[] =
    "integrity_field account $account\n"
    "integrity_field device $device\n"
    "integrity_field amount $amount\n"
    "integrity_field rating json:/rating\n"
    "integrity_field sku json:/items/*/sku\n"
    "integrity_field size json:/items/*/size\n"
    "integrity_field ticket $upstream_http_x_ticket\n";


/* A policy of these fields and lines; free with free(). */
static char *
with_fields(const char *lines)
{
    char  *text;

    text = malloc(sizeof(fields) + strlen(lines));
    assert_non_null(text);
    strcpy(text, fields);
    strcat(text, lines);

    return text;
}


static ig_call_case_t *
make(const char *lines)
{
    char            *text;
    ig_call_case_t  *c;

    text = with_fields(lines);
    c = ig_call_case_make(text);
    free(text);

    return c;
}


static const char *
ops(ig_call_case_t *c)
{
    ig_call_case_decide(c);

    return ig_call_case_ops(c->op, c->nops);
}


static const char *
settled(ig_call_case_t *c)
{
    ig_call_case_settle(c);

    return ig_call_case_ops(c->out, c->nout);
}


static const char *
completed(ig_call_case_t *c)
{
    ig_call_case_complete(c);

    return ig_call_case_ops(c->out, c->nout);
}


/* -- before the decision ------------------------------------------------- */

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

        c = make(text);
        ig_call_case_begin(c, test[i].action, T, 1);
        ig_call_case_text(c, "account", "u");
        ig_call_case_text(c, "device", "d");
        ig_call_case_text(c, "amount", "7");

        assert_string_equal(ops(c), test[i].ops);
        ig_call_case_free(c);
    }
}


static void
what_nobody_reads_is_not_asked_for(void **state)
{
    ig_call_case_t  *c;

    (void) state;

    c = make("integrity_counter n on=x key=account window=1h\n"
             "integrity_counter l on=x key=account window=1h last\n"
             "integrity_counter e on=x key=account window=1h "
             "count=completed\n"
             "integrity_counter d on=decision.deny key=account window=1h\n");

    ig_call_case_begin(c, "x", T, 1);
    ig_call_case_text(c, "account", "u");

    assert_string_equal(ops(c), "n+");
    assert_string_equal(ig_call_case_value(c, "l"), "missing");
    assert_string_equal(settled(c), "l=");
    assert_string_equal(completed(c), "e=");

    ig_call_case_free(c);
}


static void
ops_carry_what_the_store_needs(void **state)
{
    uint8_t          hash[IG_SHA256], key[IG_HASH];
    ig_call_case_t  *c;

    (void) state;

    c = make("integrity_counter n on=x key=account window=1h\n"
             "integrity_counter e on=x key=account window=1h exact\n"
             "integrity_counter d on=x key=account window=1h distinct=device\n"
             "integrity_counter f on=x key=account window=1h distinct=rating\n"
             "integrity_counter s on=x key=account window=1h sum=amount\n");

    ig_call_case_begin(c, "x", T, 42);
    ig_call_case_text(c, "account", "u");
    ig_call_case_text(c, "device", "5");
    ig_call_case_number(c, "rating", 5);
    ig_call_case_text(c, "amount", "-12.3456785");

    assert_string_equal(ops(c), "n+ e+ d+ f+ s+");

    assert_int_equal(c->op[0].time, T);
    assert_true(ig_call_key(c->call, c->op[0].counter, key));
    assert_memory_equal(c->op[0].key, key, IG_HASH);

    ig_sha256("00000000000000000000000042", 26, hash);
    assert_memory_equal(c->op[1].member, hash, IG_HASH);

    /* "5" and 5 are one member, and no key */
    assert_memory_equal(c->op[2].member, c->op[3].member, IG_HASH);
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

    c = make("integrity_counter s on=x key=account window=1h sum=amount\n"
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

    c = make("integrity_counter s on=x key=account window=1h mean=rating\n"
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

    c = make("integrity_counter n on=x key=account,device window=1h\n"
             "integrity_counter d on=x key=account window=1h "
             "distinct=device\n"
             "integrity_rule r \"n > 100 || d > 100\" then=hold\n");

    ig_call_case_begin(c, "x", T, 1);
    ig_call_case_text(c, "account", "u");

    /* without a value there is nothing to add, but a number to read */
    assert_string_equal(ops(c), "d?");
    assert_string_equal(ig_call_case_value(c, "n"), "missing");
    assert_string_equal(ig_call_case_value(c, "d"), "0");
    assert_string_equal(settled(c), "");

    ig_call_case_free(c);
}


static void
an_unknown_field_makes_a_counter_unknown(void **state)
{
    ig_call_case_t  *c;

    (void) state;

    c = make("integrity_counter n on=x key=device window=1h\n"
             "integrity_counter d on=x key=account window=1h "
             "distinct=device\n"
             "integrity_counter s on=x key=account window=1h sum=device\n"
             "integrity_rule r \"n > 100 || d > 100 || s > 100\" then=hold\n");

    ig_call_case_begin(c, "x", T, 1);
    ig_call_case_text(c, "account", "u");
    c->call->field[ig_policy_field(c->policy, ig_str("device"))->id].type =
        IG_UNKNOWN;

    assert_string_equal(ops(c), "");
    assert_string_equal(ig_call_case_value(c, "n"), "unknown");
    assert_string_equal(ig_call_case_value(c, "d"), "unknown");
    assert_string_equal(ig_call_case_value(c, "s"), "unknown");

    ig_call_case_free(c);
}


/* -- sets ---------------------------------------------------------------- */

static void
add_members(ig_call_case_t *c, const char *field, unsigned n)
{
    unsigned     i;

    static char  text[IG_MAX_MEMBERS][12];

    for (i = 0; i < n; i++) {
        (void) snprintf(text[i], sizeof(text[i]), "%u", i);
        assert_int_equal(ig_call_case_member(c, field, text[i]), IG_OK);
    }
}


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

        c = make(text);
        ig_call_case_begin(c, "x", T, 1);
        ig_call_case_text(c, "account", "u");
        add_members(c, "sku", test[i].skus);
        add_members(c, "size", test[i].sizes);

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

    c = make("integrity_counter a on=x key=sku window=1h\n"
             "integrity_counter b on=x key=sku window=2h\n"
             "integrity_counter c on=x key=sku window=3h\n"
             "integrity_counter d on=x key=sku window=4h exact\n"
             "integrity_counter e on=x key=sku window=5h\n"
             "integrity_counter f on=x key=account window=1h\n"
             "integrity_rule r \"a + b + c + d + e + f > 100\" then=hold\n");

    ig_call_case_begin(c, "x", T, 1);
    ig_call_case_text(c, "account", "u");
    add_members(c, "sku", 60);

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

    c = make("integrity_counter n on=x key=sku window=1h\n"
             "integrity_counter d on=x key=account window=1h distinct=sku\n"
             "integrity_rule r \"n > 100 || d > 100\" then=hold\n");

    for (i = 1; i < 4; i++) {
        ig_call_case_begin(c, "x", T, i);
        ig_call_case_text(c, "account", "u");
        add_members(c, "sku", i);
        ig_call_case_decide(c);

        /* the largest: member "0" was there each time */
        assert_int_equal(atoi(ig_call_case_value(c, "n")), i);
        assert_int_equal(atoi(ig_call_case_value(c, "d")), i);
    }

    ig_call_case_free(c);
}


/* -- after the decision -------------------------------------------------- */

static void
decisions_settle_what_they_say(void **state)
{
    unsigned         i;
    ig_call_case_t  *c;

    static const struct {
        const char  *then;
        bool         dry_run;
        const char  *settled;
        const char  *completed;
    } test[] = {
        { "then=allow",    false, "f= l= t=",            "e=" },
        { "then=hold",     false, "f= l= t= dh=",        "e=" },
        { "then=throttle", false, "n- d- f= t= dt= da=", "" },
        { "then=deny",     false, "n- d- f= t= dd= da=", "" },

        /* in a dry run counters are as if it were none */
        { "then=deny",     true,  "n- d- f= t= dd= da=", "" },
        { "then=hold",     true,  "f= l= t= dh=",        "e=" },
        { "then=deny dry_run", false, "f= l= t=",        "e=" }
    };

    (void) state;

    for (i = 0; i < ig_countof(test); i++) {
        char  text[2048];

        (void) snprintf(text, sizeof(text),
            "integrity_counter n on=x key=account window=1h\n"
            "integrity_counter a on=x key=account window=1h count=attempts\n"
            "integrity_counter d on=x key=account window=1h distinct=device\n"
            "integrity_counter f on=x key=account window=1h first "
            "count=attempts\n"
            "integrity_counter l on=x key=account window=1h last\n"
            "integrity_counter t on=x key=account window=2h count=attempts "
            "\"if=n >= 1\"\n"
            "integrity_counter u on=x key=account window=2h \"if=n > 5\"\n"
            "integrity_counter e on=x key=account window=1h count=completed\n"
            "integrity_counter dh on=decision.hold key=account window=1h\n"
            "integrity_counter dt on=decision.throttle key=account "
            "window=1h\n"
            "integrity_counter dd on=decision.deny key=account window=1h\n"
            "integrity_counter da on=decision.throttle,decision.deny "
            "key=account window=1h \"if=n >= 1 && d >= 1\"\n"
            "integrity_rule r \"n >= 1\" %s\n", test[i].then);

        c = make(text);
        c->dry_run = test[i].dry_run;

        ig_call_case_begin(c, "x", T, 1);
        ig_call_case_text(c, "account", "u");
        ig_call_case_text(c, "device", "d");

        assert_string_equal(ops(c), "n+ a+ d+");
        assert_string_equal(settled(c), test[i].settled);
        assert_string_equal(completed(c), test[i].completed);

        /* what stays of it, read by the next call of another action */

        ig_call_case_begin(c, "y", T + 1000, 2);
        ig_call_case_text(c, "account", "u");
        ig_call_case_decide(c);
        assert_string_equal(ig_call_case_value(c, "n"),
                            strchr(test[i].settled, '-') ? "0" : "1");

        ig_call_case_free(c);
    }
}


static void
what_failed_is_not_taken_back(void **state)
{
    ig_op_t          op[4];
    ig_call_case_t  *c;

    (void) state;

    c = make("integrity_counter n on=x key=account window=1h\n"
             "integrity_counter m on=x key=device window=1h\n"
             "integrity_counter a on=x key=account window=2h count=attempts\n"
             "integrity_counter q on=y key=account window=3h\n"
             "integrity_rule r \"q < 1\" then=deny\n");

    ig_call_case_begin(c, "x", T, 1);
    ig_call_case_text(c, "account", "u");
    ig_call_case_text(c, "device", "d");

    assert_string_equal(ops(c), "n+ m+ a+ q?");

    assert_int_equal(ig_op_undo(c->op, c->nops, op), 3);
    assert_string_equal(ig_call_case_ops(op, 3), "n- m- a-");
    assert_int_equal(op[2].state, IG_OP_PENDING);
    assert_memory_equal(op[1].key, c->op[1].key, IG_HASH);

    c->op[0].state = IG_OP_FAILED;
    assert_int_equal(ig_op_undo(c->op, c->nops, op), 2);
    assert_string_equal(settled(c), "m-");

    c->op[1].state = IG_OP_REFUSED;
    assert_string_equal(settled(c), "");

    ig_call_case_free(c);
}


/* The cap on new keys has no back door. */
static void
a_refused_call_writes_nothing(void **state)
{
    unsigned         i;
    ig_call_case_t  *c;

    (void) state;

    c = make("integrity_counter n on=x key=account window=1h\n"
             "integrity_counter l on=x key=account window=1h last\n"
             "integrity_counter e on=x key=account window=1h "
             "count=completed\n"
             "integrity_counter h on=decision.hold key=account window=1h\n"
             "integrity_rule r \"n > 5\" then=hold on_error=hold\n");

    ig_call_case_begin(c, "x", T, 1);
    ig_call_case_text(c, "account", "u");

    c->nops = ig_call_ops(c->call, c->op);

    for (i = 0; i < c->nops; i++) {
        c->op[i].state = IG_OP_REFUSED;
    }

    ig_call_answer(c->call, c->op, c->nops, NULL);
    ig_call_decide(c->call);

    assert_true(c->call->refused);
    assert_int_equal(c->call->decision, IG_HOLD);
    assert_string_equal(ig_call_case_value(c, "n"), "unknown");
    assert_string_equal(settled(c), "");
    assert_string_equal(completed(c), "");

    ig_call_case_free(c);
}


/* -- first and last ------------------------------------------------------ */

static void
seen_times_pass_from_reading_to_writing(void **state)
{
    ig_call_case_t  *c;

    (void) state;

    c = make("integrity_counter f on=x key=account window=1h first\n"
             "integrity_counter l on=x key=sku window=1h last "
             "count=completed\n"
             "integrity_rule r \"f + l < 0\" then=hold\n");

    ig_call_case_begin(c, "x", T, 1);
    ig_call_case_text(c, "account", "u");
    add_members(c, "sku", 1);
    assert_string_equal(ops(c), "f? l?");
    assert_string_equal(settled(c), "f=");
    assert_int_equal(c->out[0].raw.last, -1);
    assert_string_equal(completed(c), "l=");
    assert_int_equal(c->out[0].raw.last, -1);

    ig_call_case_begin(c, "x", T + 5000, 2);
    ig_call_case_text(c, "account", "u");
    add_members(c, "sku", 1);
    ig_call_case_decide(c);
    assert_string_equal(ig_call_case_value(c, "f"), "5");
    assert_string_equal(ig_call_case_value(c, "l"), "5");

    assert_string_equal(settled(c), "f=");
    assert_int_equal(c->out[0].raw.first, T);
    assert_int_equal(c->out[0].raw.last, T);
    assert_string_equal(completed(c), "l=");
    assert_int_equal(c->out[0].raw.last, T);

    /* each key of several its own */

    ig_call_case_begin(c, "x", T + 6000, 3);
    ig_call_case_text(c, "account", "u");
    add_members(c, "sku", 2);
    ig_call_case_decide(c);
    assert_string_equal(ig_call_case_value(c, "l"), "1");
    assert_string_equal(settled(c), "f=");
    assert_int_equal(c->out[0].raw.first, T);
    assert_int_equal(c->out[0].raw.last, T + 5000);
    assert_string_equal(completed(c), "l= l=");
    assert_int_equal(c->out[0].raw.last, T + 5000);
    assert_int_equal(c->out[1].raw.last, -1);

    /* nothing, where no answer came */

    ig_call_case_begin(c, "x", T + 7000, 4);
    ig_call_case_text(c, "account", "u");
    add_members(c, "sku", 2);
    c->nops = ig_call_ops(c->call, c->op);
    ig_call_decide(c->call);
    assert_string_equal(settled(c), "f=");
    assert_int_equal(c->out[0].raw.last, -1);
    assert_string_equal(completed(c), "l= l=");
    assert_int_equal(c->out[0].raw.last, -1);

    ig_call_case_free(c);
}


/* -- at the end ---------------------------------------------------------- */

static void
completed_counters_may_use_the_answer(void **state)
{
    ig_call_case_t  *c;

    (void) state;

    c = make("integrity_counter k on=x key=ticket window=1h "
             "count=completed\n"
             "integrity_counter v on=x key=account window=1h distinct=ticket "
             "count=completed\n"
             "integrity_counter w on=x key=account window=1h sum=amount "
             "count=completed\n"
             "integrity_counter i on=x key=account window=1h "
             "count=completed \"if=ticket == 'gold'\"\n"
             "integrity_rule r \"hour > 99\" then=hold\n");

    ig_call_case_begin(c, "x", T, 1);
    ig_call_case_text(c, "account", "u");
    ig_call_case_text(c, "amount", "2.5");

    assert_string_equal(ops(c), "");
    assert_string_equal(settled(c), "");

    ig_call_case_text(c, "ticket", "gold");
    assert_string_equal(completed(c), "k= v= w= i=");
    assert_int_equal(c->out[2].delta, 2500000);
    assert_int_equal(c->out[0].time, T);

    /* an answer without it */
    ig_call_case_begin(c, "x", T, 2);
    ig_call_case_text(c, "account", "u");
    ig_call_case_text(c, "amount", "much");
    assert_string_equal(ops(c), "");
    ig_call_case_text(c, "ticket", NULL);
    assert_string_equal(completed(c), "");

    /* one that was never looked at */
    ig_call_case_begin(c, "x", T, 3);
    ig_call_case_text(c, "account", "u");
    ig_call_case_text(c, "amount", "1");
    assert_string_equal(completed(c), "w=");

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
        cmocka_unit_test(a_set_gives_an_op_per_combination),
        cmocka_unit_test(a_call_has_a_limit_of_ops),
        cmocka_unit_test(one_event_counts_for_each_member),
        cmocka_unit_test(decisions_settle_what_they_say),
        cmocka_unit_test(what_failed_is_not_taken_back),
        cmocka_unit_test(a_refused_call_writes_nothing),
        cmocka_unit_test(seen_times_pass_from_reading_to_writing),
        cmocka_unit_test(completed_counters_may_use_the_answer)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
