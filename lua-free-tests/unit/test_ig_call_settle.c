/*
 * test_ig_call_settle.c: which operations a call wants after the decision,
 * and at its end.
 * Mirrors module/core/ig_call_settle.c.
 */

#include "ig_call_case.h"

#include <stdio.h>
#include <string.h>


#define T  INT64_C(1700000000000)


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

        c = ig_call_case_fields(text);
        c->dry_run = test[i].dry_run;

        ig_call_case_begin(c, "x", T, 1);
        ig_call_case_text(c, "account", "u");
        ig_call_case_text(c, "device", "d");

        assert_string_equal(ig_call_case_decided(c), "n+ a+ d+");
        assert_string_equal(ig_call_case_settled(c), test[i].settled);
        assert_string_equal(ig_call_case_completed(c), test[i].completed);

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

    c = ig_call_case_fields(
        "integrity_counter n on=x key=account window=1h\n"
        "integrity_counter m on=x key=device window=1h\n"
        "integrity_counter a on=x key=account window=2h count=attempts\n"
        "integrity_counter q on=y key=account window=3h\n"
        "integrity_rule r \"q < 1\" then=deny\n");

    ig_call_case_begin(c, "x", T, 1);
    ig_call_case_text(c, "account", "u");
    ig_call_case_text(c, "device", "d");

    assert_string_equal(ig_call_case_decided(c), "n+ m+ a+ q?");

    assert_int_equal(ig_op_undo(c->op, c->nops, op), 3);
    assert_string_equal(ig_call_case_ops(op, 3), "n- m- a-");
    assert_int_equal(op[2].state, IG_OP_PENDING);
    assert_memory_equal(op[1].key, c->op[1].key, IG_HASH);

    c->op[0].state = IG_OP_FAILED;
    assert_int_equal(ig_op_undo(c->op, c->nops, op), 2);
    assert_string_equal(ig_call_case_settled(c), "m-");

    c->op[1].state = IG_OP_REFUSED;
    assert_string_equal(ig_call_case_settled(c), "");

    ig_call_case_free(c);
}


/* The cap on new keys has no back door. */
static void
a_refused_call_writes_nothing(void **state)
{
    unsigned         i;
    ig_call_case_t  *c;

    (void) state;

    c = ig_call_case_fields(
        "integrity_counter n on=x key=account window=1h\n"
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
    assert_string_equal(ig_call_case_settled(c), "");
    assert_string_equal(ig_call_case_completed(c), "");

    ig_call_case_free(c);
}


/* -- first and last ------------------------------------------------------ */

static void
seen_times_pass_from_reading_to_writing(void **state)
{
    ig_call_case_t  *c;

    (void) state;

    c = ig_call_case_fields(
        "integrity_counter f on=x key=account window=1h first\n"
        "integrity_counter l on=x key=sku window=1h last "
        "count=completed\n"
        "integrity_rule r \"f + l < 0\" then=hold\n");

    ig_call_case_begin(c, "x", T, 1);
    ig_call_case_text(c, "account", "u");
    ig_call_case_members(c, "sku", 1);
    assert_string_equal(ig_call_case_decided(c), "f? l?");
    assert_string_equal(ig_call_case_settled(c), "f=");
    assert_int_equal(c->out[0].raw.last, -1);
    assert_string_equal(ig_call_case_completed(c), "l=");
    assert_int_equal(c->out[0].raw.last, -1);

    ig_call_case_begin(c, "x", T + 5000, 2);
    ig_call_case_text(c, "account", "u");
    ig_call_case_members(c, "sku", 1);
    ig_call_case_decide(c);
    assert_string_equal(ig_call_case_value(c, "f"), "5");
    assert_string_equal(ig_call_case_value(c, "l"), "5");

    assert_string_equal(ig_call_case_settled(c), "f=");
    assert_int_equal(c->out[0].raw.first, T);
    assert_int_equal(c->out[0].raw.last, T);
    assert_string_equal(ig_call_case_completed(c), "l=");
    assert_int_equal(c->out[0].raw.last, T);

    /* each key of several its own */

    ig_call_case_begin(c, "x", T + 6000, 3);
    ig_call_case_text(c, "account", "u");
    ig_call_case_members(c, "sku", 2);
    ig_call_case_decide(c);
    assert_string_equal(ig_call_case_value(c, "l"), "1");
    assert_string_equal(ig_call_case_settled(c), "f=");
    assert_int_equal(c->out[0].raw.first, T);
    assert_int_equal(c->out[0].raw.last, T + 5000);
    assert_string_equal(ig_call_case_completed(c), "l= l=");
    assert_int_equal(c->out[0].raw.last, T + 5000);
    assert_int_equal(c->out[1].raw.last, -1);

    /* nothing, where no answer came */

    ig_call_case_begin(c, "x", T + 7000, 4);
    ig_call_case_text(c, "account", "u");
    ig_call_case_members(c, "sku", 2);
    c->nops = ig_call_ops(c->call, c->op);
    ig_call_decide(c->call);
    assert_string_equal(ig_call_case_settled(c), "f=");
    assert_int_equal(c->out[0].raw.last, -1);
    assert_string_equal(ig_call_case_completed(c), "l= l=");
    assert_int_equal(c->out[0].raw.last, -1);

    ig_call_case_free(c);
}


/* -- at the end ---------------------------------------------------------- */

static void
completed_counters_may_use_the_answer(void **state)
{
    ig_call_case_t  *c;

    (void) state;

    c = ig_call_case_fields(
        "integrity_counter k on=x key=ticket window=1h "
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

    assert_string_equal(ig_call_case_decided(c), "");
    assert_string_equal(ig_call_case_settled(c), "");

    ig_call_case_text(c, "ticket", "gold");
    assert_string_equal(ig_call_case_completed(c), "k= v= w= i=");
    assert_int_equal(c->out[2].delta, 2500000);
    assert_int_equal(c->out[0].time, T);

    /* an answer without it */
    ig_call_case_begin(c, "x", T, 2);
    ig_call_case_text(c, "account", "u");
    ig_call_case_text(c, "amount", "much");
    assert_string_equal(ig_call_case_decided(c), "");
    ig_call_case_text(c, "ticket", NULL);
    assert_string_equal(ig_call_case_completed(c), "");

    /* one that was never looked at */
    ig_call_case_begin(c, "x", T, 3);
    ig_call_case_text(c, "account", "u");
    ig_call_case_text(c, "amount", "1");
    assert_string_equal(ig_call_case_completed(c), "w=");

    ig_call_case_free(c);
}


/* The first five are counted; what the ban denies is not, and so it ends. */
static void
denials_lead_to_a_ban_that_lifts(void **state)
{
    unsigned         i;
    int64_t          time;
    ig_call_case_t  *c;

    (void) state;

    c = ig_call_case_fields(
        "integrity_list banned key=account\n"
        "integrity_counter denials on=decision.deny key=account window=1h "
            "\"if=!banned\"\n"
        "integrity_rule bad \"amount > 100\" then=deny\n"
        "integrity_rule ban \"denials >= 5\" add=banned:1d\n"
        "integrity_rule banned banned then=deny\n");

    /* T is a whole hour and a while: all five are in one bucket */

    for (i = 0; i < 5; i++) {
        ig_call_case_begin(c, "x", T + i, i);
        ig_call_case_text(c, "account", "u");
        ig_call_case_number(c, "amount", 500);
        assert_string_equal(ig_call_case_decided(c), "banned? denials?");
        assert_string_equal(ig_call_case_settled(c), "denials=");
    }

    /* an honest call now is let through, and bans what follows */

    ig_call_case_begin(c, "x", T + 10, 10);
    ig_call_case_text(c, "account", "u");
    ig_call_case_decide(c);
    assert_int_equal(c->call->decision, IG_ALLOW);
    assert_string_equal(ig_call_case_settled(c), "banned+");
    assert_true(ig_call_adds(c->call, 1));

    for (i = 1; i < 100; i++) {
        time = T + 10 + i * INT64_C(864000);        /* a hundredth of a day */

        ig_call_case_begin(c, "x", time, 10 + i);
        ig_call_case_text(c, "account", "u");
        ig_call_case_decide(c);
        assert_int_equal(c->call->decision, IG_DENY);
        (void) ig_call_case_settled(c);
    }

    ig_call_case_begin(c, "x", T + 10 + 86400000, 200);
    ig_call_case_text(c, "account", "u");
    ig_call_case_decide(c);
    assert_int_equal(c->call->decision, IG_ALLOW);
    assert_string_equal(ig_call_case_settled(c), "");

    ig_call_case_free(c);
}


/* Renewed where the rule says so, each member of a set, or not at all. */
static void
rules_put_keys_on_lists(void **state)
{
    unsigned         i;
    ig_call_case_t  *c;

    static const struct {
        const char  *rule;
        bool         dry_run;
        bool         account;
        const char  *decided;
        const char  *settled;
        const char  *again;         /* a second later */
    } test[] = {
        { "add=l:1h", false, true, "l?", "l+", "" },
        { "add=l:1h renew", false, true, "", "l+", "l+" },
        { "add=l:1h then=deny", false, true, "l?", "l+", "" },
        { "add=l:1h dry_run", false, true, "", "", "" },
        { "add=l:1h", true, true, "l?", "", "" },
        { "add=l:1h", false, false, "", "", "" },
        { "add=s:1h", false, true, "s? s? s?", "s+ s+ s+", "s+" }
    };

    (void) state;

    for (i = 0; i < ig_countof(test); i++) {
        char  text[512];

        (void) snprintf(text, sizeof(text),
                        "integrity_list l key=account,device\n"
                        "integrity_list s key=sku\n"
                        "integrity_rule r \"amount > 1\" %s\n", test[i].rule);

        c = ig_call_case_fields(text);
        c->dry_run = test[i].dry_run;

        ig_call_case_begin(c, "x", T, 1);
        ig_call_case_text(c, "account", test[i].account ? "u" : NULL);
        ig_call_case_text(c, "device", "d");
        ig_call_case_text(c, "amount", "2");
        ig_call_case_members(c, "sku", 3);
        assert_string_equal(ig_call_case_decided(c), test[i].decided);
        assert_string_equal(ig_call_case_settled(c), test[i].settled);

        assert_int_equal(ig_call_adds(c->call, 0), test[i].settled[0] != 0);

        if (c->nout) {
            assert_int_equal(c->out[0].delta, 3600000);
        }

        /* what is on it stays as it is; a new member of a set goes on it */

        ig_call_case_begin(c, "x", T + 1000, 2);
        ig_call_case_text(c, "account", test[i].account ? "u" : NULL);
        ig_call_case_text(c, "device", "d");
        ig_call_case_text(c, "amount", "2");
        ig_call_case_members(c, "sku", 4);
        ig_call_case_decide(c);
        assert_string_equal(ig_call_case_settled(c), test[i].again);
        assert_int_equal(ig_call_adds(c->call, 0), test[i].again[0] != 0);

        ig_call_case_free(c);
    }
}


/* The first rule wins; where nothing was read, the store judges. */
static void
rules_agree_on_one_entry(void **state)
{
    ig_call_case_t  *c;

    (void) state;

    c = ig_call_case_fields(
        "integrity_list l key=account\n"
        "integrity_rule a \"amount > 1\" add=l:1h\n"
        "integrity_rule b \"amount > 0\" add=l:2h\n"
        "integrity_rule d \"amount > 2\" add=l:3h renew\n");

    ig_call_case_begin(c, "x", T, 1);
    ig_call_case_text(c, "account", "u");
    ig_call_case_text(c, "amount", "2");
    assert_string_equal(ig_call_case_decided(c), "l?");
    assert_string_equal(ig_call_case_settled(c), "l+");
    assert_int_equal(c->out[0].delta, 3600000);

    ig_call_case_begin(c, "x", T, 2);
    ig_call_case_text(c, "account", "v");
    ig_call_case_text(c, "amount", "3");
    (void) ig_call_case_decided(c);
    assert_string_equal(ig_call_case_settled(c), "l+ l+");
    assert_int_equal(c->out[1].delta, 3 * 3600000);

    /* the store did not say */

    ig_call_case_begin(c, "x", T, 3);
    ig_call_case_text(c, "account", "w");
    ig_call_case_text(c, "amount", "2");
    (void) ig_call_case_decided(c);
    c->op[0].state = IG_OP_FAILED;
    ig_call_answer(c->call, c->op, c->nops, NULL);
    assert_string_equal(ig_call_case_settled(c), "l=");
    assert_true(ig_call_adds(c->call, 0));

    ig_call_case_free(c);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decisions_settle_what_they_say),
        cmocka_unit_test(what_failed_is_not_taken_back),
        cmocka_unit_test(a_refused_call_writes_nothing),
        cmocka_unit_test(seen_times_pass_from_reading_to_writing),
        cmocka_unit_test(completed_counters_may_use_the_answer),
        cmocka_unit_test(denials_lead_to_a_ban_that_lifts),
        cmocka_unit_test(rules_put_keys_on_lists),
        cmocka_unit_test(rules_agree_on_one_entry)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
