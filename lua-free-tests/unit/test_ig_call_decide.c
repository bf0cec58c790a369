/*
 * test_ig_call_decide.c: counter values from answers, outcomes of rules, the
 * decision and its precedence.
 * Mirrors module/core/ig_call_decide.c.
 */

#include "ig_call_case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>


#define T  INT64_C(1700000000000)


/* -- values -------------------------------------------------------------- */

static void
several_keys_give_the_largest_value(void **state)
{
    unsigned         i, k;
    ig_call_case_t  *c;

    /* last seen of each member before T, in s; -1: never; -2: failed */
    static const struct {
        int          seen[3];
        const char  *value;
    } test[] = {
        { {  5,  9,  7 }, "9" },
        { {  9,  5, -1 }, "9" },
        { { -1, -1,  3 }, "3" },
        { { -1, -1, -1 }, "missing" },
        { { -2,  5,  7 }, "unknown" },
        { {  5, -2, -1 }, "unknown" },
        { { -1, -1, -2 }, "unknown" }
    };

    (void) state;

    c = ig_call_case_make(
        "integrity_field account $account\n"
        "integrity_field sku json:/items/*\n"
        "integrity_counter n on=x key=account window=1h\n"
        "integrity_counter l on=x key=sku window=1h last\n"
        "integrity_counter m on=x key=account window=2h\n"
        "integrity_rule r \"n + l + m > 100\" on=x then=hold\n");

    for (i = 0; i < ig_countof(test); i++) {
        ig_call_case_begin(c, "x", T, i);
        ig_call_case_text(c, "account", "u");
        (void) ig_call_case_member(c, "sku", "1");
        (void) ig_call_case_member(c, "sku", "2");
        (void) ig_call_case_member(c, "sku", "3");

        c->nops = ig_call_ops(c->call, c->op);
        assert_string_equal(ig_call_case_ops(c->op, c->nops),
                            "n+ l? l? l? m+");

        for (k = 0; k < c->nops; k++) {
            c->op[k].state = IG_OP_DONE;
            c->op[k].raw.cur = 10 * k + 1;
        }

        for (k = 0; k < 3; k++) {
            if (test[i].seen[k] == -2) {
                c->op[k + 1].state = IG_OP_FAILED;

            } else if (test[i].seen[k] != -1) {
                c->op[k + 1].raw.last = T - 1000 * test[i].seen[k];
            }
        }

        ig_call_answer(c->call, c->op, c->nops, NULL);

        assert_string_equal(ig_call_case_value(c, "n"), "1");
        assert_string_equal(ig_call_case_value(c, "l"), test[i].value);
        assert_string_equal(ig_call_case_value(c, "m"), "41");
        assert_false(c->call->refused);
    }

    ig_call_case_free(c);
}


static void
warming_up_is_unknown(void **state)
{
    uint8_t          known[2];
    ig_call_case_t  *c;

    (void) state;

    c = ig_call_case_make(
        "integrity_field account $account\n"
        "integrity_field device $device\n"
        "integrity_counter l on=x key=account window=1h last\n"
        "integrity_counter m on=x key=device window=1h last\n"
        "integrity_rule r \"!has(l)\" on=x then=hold\n"
        "integrity_rule q \"!has(m)\" on=x then=hold\n");

    ig_call_case_begin(c, "x", T, 1);
    ig_call_case_text(c, "account", "u");

    c->nops = ig_call_ops(c->call, c->op);
    ig_table_run(c->table, c->op, c->nops, NULL);

    known[0] = 0;
    known[1] = 0;
    ig_call_answer(c->call, c->op, c->nops, known);
    ig_call_decide(c->call);

    /* what has no key is missing, however little is remembered */
    assert_string_equal(ig_call_case_value(c, "l"), "unknown");
    assert_string_equal(ig_call_case_value(c, "m"), "missing");
    assert_int_equal(c->call->outcome[0], IG_RULE_UNKNOWN);
    assert_int_equal(c->call->outcome[1], IG_RULE_FIRED);

    known[0] = 1;
    ig_call_answer(c->call, c->op, c->nops, known);
    ig_call_decide(c->call);

    assert_string_equal(ig_call_case_value(c, "l"), "missing");
    assert_int_equal(c->call->outcome[0], IG_RULE_FIRED);

    ig_call_case_free(c);
}


/* -- rules --------------------------------------------------------------- */

/* Decides one call whose field v is a number, 9 in most of the tests. */
static ig_call_case_t *
decide(const char *rules, bool dry_run)
{
    char             text[2048];
    ig_call_case_t  *c;

    (void) snprintf(text, sizeof(text),
                    "integrity_field v json:/v\n"
                    "integrity_field w json:/w\n"
                    "integrity_threshold high 5\n"
                    "integrity_counter n key=w window=1h\n%s", rules);

    c = ig_call_case_make(text);
    c->dry_run = dry_run;

    ig_call_case_begin(c, "x", T, 1);
    ig_call_case_number(c, "v", 9);
    ig_call_case_decide(c);

    return c;
}


static const struct {
    const char     *rules;
    ig_decision_e   decision;
    ig_decision_e   would;
    int             score;
    int             would_score;
} precedence[] = {

    { "", IG_ALLOW, IG_ALLOW, 0, 0 },

    { "integrity_rule a \"v > 100\" then=deny\n",
      IG_ALLOW, IG_ALLOW, 0, 0 },

    { "integrity_rule a \"v > 1\" then=hold\n",
      IG_HOLD, IG_HOLD, 0, 0 },

    /* the strongest of what is explicit */
    { "integrity_rule a \"v > 1\" then=throttle\n"
      "integrity_rule b \"v > 1\" then=hold\n",
      IG_THROTTLE, IG_THROTTLE, 0, 0 },

    { "integrity_rule a \"v > 1\" then=throttle\n"
      "integrity_rule b \"v > 1\" then=deny\n"
      "integrity_rule c \"v > 1\" then=hold\n",
      IG_DENY, IG_DENY, 0, 0 },

    /* trust: over all but an explicit deny */
    { "integrity_rule a \"v > 1\" then=throttle\n"
      "integrity_rule b \"v > 1\" then=allow\n",
      IG_ALLOW, IG_ALLOW, 0, 0 },

    { "integrity_rule a \"v > 1\" then=deny\n"
      "integrity_rule b \"v > 1\" then=allow\n",
      IG_DENY, IG_DENY, 0, 0 },

    { "integrity_scores hold=10 throttle=20 deny=30\n"
      "integrity_rule a \"v > 1\" score=100\n"
      "integrity_rule b \"v > 1\" then=allow\n",
      IG_ALLOW, IG_ALLOW, 100, 100 },

    /* scores add up, negative ones too */
    { "integrity_scores hold=10 throttle=20 deny=30\n"
      "integrity_rule a \"v > 1\" score=9\n",
      IG_ALLOW, IG_ALLOW, 9, 9 },

    { "integrity_scores hold=10 throttle=20 deny=30\n"
      "integrity_rule a \"v > 1\" score=9\n"
      "integrity_rule b \"v > 1\" score=1\n",
      IG_HOLD, IG_HOLD, 10, 10 },

    { "integrity_scores hold=10 throttle=20 deny=30\n"
      "integrity_rule a \"v > 1\" score=25\n"
      "integrity_rule b \"v > 1\" score=5\n"
      "integrity_rule c \"v > 1\" score=-11\n"
      "integrity_rule d \"v > 100\" score=50\n",
      IG_HOLD, IG_HOLD, 19, 19 },

    { "integrity_scores hold=10 throttle=20 deny=30\n"
      "integrity_rule a \"v > 1\" score=30\n",
      IG_DENY, IG_DENY, 30, 30 },

    { "integrity_scores throttle=20\n"
      "integrity_rule a \"v > 1\" score=300\n",
      IG_THROTTLE, IG_THROTTLE, 300, 300 },

    /* the stronger of score and word */
    { "integrity_scores hold=10 throttle=20 deny=30\n"
      "integrity_rule a \"v > 1\" score=20 then=hold\n",
      IG_THROTTLE, IG_THROTTLE, 20, 20 },

    { "integrity_scores hold=10\n"
      "integrity_rule a \"v > 1\" score=20 then=throttle\n",
      IG_THROTTLE, IG_THROTTLE, 20, 20 },

    { "integrity_scores deny=20\n"
      "integrity_rule a \"v > 1\" score=20 then=throttle\n",
      IG_DENY, IG_DENY, 20, 20 },

    { "integrity_scores hold=10\n"
      "integrity_rule a \"v > 1\" score=9 then=hold\n",
      IG_HOLD, IG_HOLD, 9, 9 },

    /* a rule in dry run is only told */
    { "integrity_scores hold=10 throttle=20\n"
      "integrity_rule a \"v > 1\" score=10\n"
      "integrity_rule b \"v > 1\" score=10 dry_run\n",
      IG_HOLD, IG_THROTTLE, 10, 20 },

    { "integrity_rule a \"v > 1\" then=hold\n"
      "integrity_rule b \"v > 1\" then=deny dry_run\n",
      IG_HOLD, IG_DENY, 0, 0 },

    { "integrity_rule a \"v > 1\" then=throttle\n"
      "integrity_rule b \"v > 1\" then=allow dry_run\n",
      IG_THROTTLE, IG_ALLOW, 0, 0 },

    /* unknown is silent, or what on_error= says, without the score */
    { "integrity_rule a \"w > 1\" then=deny\n",
      IG_ALLOW, IG_ALLOW, 0, 0 },

    { "integrity_scores deny=10\n"
      "integrity_rule a \"w > 1\" then=deny score=50 on_error=hold\n",
      IG_HOLD, IG_HOLD, 0, 0 },

    { "integrity_rule a \"w > 1\" then=deny on_error=allow\n"
      "integrity_rule b \"v > 1\" then=throttle\n",
      IG_ALLOW, IG_ALLOW, 0, 0 },

    { "integrity_rule a \"w > 1\" then=deny on_error=throttle dry_run\n",
      IG_ALLOW, IG_THROTTLE, 0, 0 },

    /* of a rule that is false, on_error= says nothing */
    { "integrity_rule a \"v > 100\" then=deny on_error=throttle\n",
      IG_ALLOW, IG_ALLOW, 0, 0 }
};


static void
decisions_have_precedence(void **state)
{
    unsigned         i;
    ig_call_case_t  *c;

    (void) state;

    for (i = 0; i < ig_countof(precedence); i++) {
        c = decide(precedence[i].rules, false);

        assert_int_equal(c->call->decision, precedence[i].decision);
        assert_int_equal(c->call->counted, precedence[i].decision);
        assert_int_equal(c->call->would, precedence[i].would);
        assert_int_equal(c->call->score, precedence[i].score);
        assert_int_equal(c->call->would_score, precedence[i].would_score);

        ig_call_case_free(c);

        /* the place in dry run: nothing takes effect, all else is told */

        c = decide(precedence[i].rules, true);

        assert_int_equal(c->call->decision, IG_ALLOW);
        assert_int_equal(c->call->counted, precedence[i].decision);
        assert_int_equal(c->call->would, precedence[i].would);
        assert_int_equal(c->call->score, precedence[i].score);
        assert_int_equal(c->call->would_score, precedence[i].would_score);

        ig_call_case_free(c);
    }
}


static void
scores_do_not_run_over(void **state)
{
    char             rules[1024];
    size_t           n;
    unsigned         i;
    ig_call_case_t  *c;

    (void) state;

    n = (size_t) snprintf(rules, sizeof(rules), "integrity_scores deny=10\n");

    for (i = 0; i < 4; i++) {
        n += (size_t) snprintf(rules + n, sizeof(rules) - n,
                               "integrity_rule r%u \"v > 1\" score=1\n", i);
    }

    c = decide(rules, false);

    for (i = 0; i < 4; i++) {
        c->policy->rule[i]->score = INT32_MAX;
    }

    ig_call_decide(c->call);
    assert_int_equal(c->call->score, INT32_MAX);
    assert_int_equal(c->call->decision, IG_DENY);

    for (i = 0; i < 4; i++) {
        c->policy->rule[i]->score = INT32_MIN;
    }

    ig_call_decide(c->call);
    assert_int_equal(c->call->score, INT32_MIN);
    assert_int_equal(c->call->decision, IG_ALLOW);

    ig_call_case_free(c);
}


static void
outcomes_tell_what_became_of_rules(void **state)
{
    ig_call_case_t  *c;

    (void) state;

    c = decide("integrity_rule a \"v > 100\" then=hold\n"
               "integrity_rule b \"w > 1\" then=hold\n"
               "integrity_rule c \"v > high\" then=hold\n"
               "integrity_rule d \"w > 1\" then=hold on_error=allow\n"
               "integrity_rule e \"v > 1\" then=deny\n"
               "integrity_rule f \"v > 1\" on=y then=deny\n"
               "integrity_rule g \"v > 1\" then=throttle dry_run\n", false);

    assert_int_equal(c->plan->nrules, 6);
    assert_int_equal(c->call->decision, IG_DENY);

    c->except[ig_policy_rule(c->policy, ig_str("e"))->id] = 1;
    ig_call_decide(c->call);

    assert_int_equal(c->call->outcome[0], IG_RULE_NOT);
    assert_int_equal(c->call->outcome[1], IG_RULE_UNKNOWN);
    assert_int_equal(c->call->outcome[2], IG_RULE_FIRED);
    assert_int_equal(c->call->outcome[3], IG_RULE_ON_ERROR);
    assert_int_equal(c->call->outcome[4], IG_RULE_EXCEPT);
    assert_int_equal(c->call->outcome[5], IG_RULE_FIRED);
    assert_int_equal(c->call->decision, IG_ALLOW);

    /* also of what is unknown, and without a list nothing is left out */

    c->except[ig_policy_rule(c->policy, ig_str("d"))->id] = 1;
    ig_call_decide(c->call);
    assert_int_equal(c->call->outcome[3], IG_RULE_EXCEPT);
    assert_int_equal(c->call->decision, IG_HOLD);

    c->place.except = NULL;
    ig_call_decide(c->call);
    assert_int_equal(c->call->decision, IG_DENY);

    ig_call_case_free(c);
}


/* A place's threshold is the one that counts. */
static void
thresholds_are_the_places(void **state)
{
    ig_call_case_t  *c;

    (void) state;

    c = decide("integrity_rule a \"v > high\" then=hold\n", false);
    assert_int_equal(c->call->decision, IG_HOLD);

    c->threshold[0] = 9;
    ig_call_decide(c->call);
    assert_int_equal(c->call->decision, IG_ALLOW);

    c->threshold[0] = 8.999;
    ig_call_decide(c->call);
    assert_int_equal(c->call->decision, IG_HOLD);

    ig_call_case_free(c);
}


/* An answer that never came leaves rules on it silent, not false. */
static void
no_answer_is_no_zero(void **state)
{
    ig_call_case_t  *c;

    (void) state;

    c = ig_call_case_make(
        "integrity_field account $account\n"
        "integrity_counter n on=x key=account window=1h\n"
        "integrity_rule r \"n < 5\" on=x then=hold\n"
        "integrity_rule q \"n < 5\" on=x then=hold on_error=throttle\n");

    ig_call_case_begin(c, "x", T, 1);
    ig_call_case_text(c, "account", "u");
    assert_int_equal(ig_call_ops(c->call, c->op), 1);

    ig_call_decide(c->call);

    assert_int_equal(c->call->outcome[0], IG_RULE_UNKNOWN);
    assert_int_equal(c->call->outcome[1], IG_RULE_ON_ERROR);
    assert_int_equal(c->call->decision, IG_THROTTLE);

    ig_call_case_free(c);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(several_keys_give_the_largest_value),
        cmocka_unit_test(warming_up_is_unknown),
        cmocka_unit_test(decisions_have_precedence),
        cmocka_unit_test(scores_do_not_run_over),
        cmocka_unit_test(outcomes_tell_what_became_of_rules),
        cmocka_unit_test(thresholds_are_the_places),
        cmocka_unit_test(no_answer_is_no_zero)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
