/*
 * test_ig_policy_rule.c: rules and thresholds; for scores and the time zone see
 * test_ig_policy_score.c.
 * Mirrors module/core/ig_policy_rule.c, ig_policy_threshold.c and half of
 * ig_policy_resolve.c.
 */

#include "ig_policy_case.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


#define FIELDS                                                               \
    "integrity_field a $a; integrity_field t $t text; "                      \
    "integrity_field late $status on=x; "                                    \
    "integrity_field mixed $sent_http_m on=x; "                              \
    "integrity_field mixed $m on=y;"


static ig_policy_case_t  c;


/* -- rules --------------------------------------------------------------- */


static void
test_rule(void **state)
{
    const ig_rule_t  *r;

    (void) state;

    ig_policy_case_make(&c, FIELDS
        "integrity_rule stop \"a == 1\" then=deny;\n"
        "integrity_rule weigh \"a == 2\" on=x,y.* score=-7 dry_run;\n"
        "integrity_rule both \"a==3\" on_error=throttle score=1000000 "
        "then=hold;\n"
        "integrity_rule has \"a == 4\" then=allow on_error=allow score=0;\n");

    assert_int_equal(c.policy->nrules, 4);

    r = ig_policy_rule(c.policy, ig_str("stop"));
    assert_int_equal(r->id, 0);
    assert_int_equal(r->then, IG_DENY);
    assert_int_equal(r->on_error, IG_NO_DECISION);
    assert_false(r->has_score);
    assert_false(r->dry_run);
    assert_int_equal(r->on.nitems, 0);
    assert_str(ig_expr_text(r->expr), "a == 1");
    assert_int_equal(r->pos.line, 1);

    r = ig_policy_rule(c.policy, ig_str("weigh"));
    assert_int_equal(r->id, 1);
    assert_int_equal(r->then, IG_NO_DECISION);
    assert_true(r->has_score);
    assert_int_equal(r->score, -7);
    assert_true(r->dry_run);
    assert_int_equal(r->on.nitems, 2);

    r = ig_policy_rule(c.policy, ig_str("both"));
    assert_int_equal(r->then, IG_HOLD);
    assert_int_equal(r->score, 1000000);
    assert_int_equal(r->on_error, IG_THROTTLE);

    r = ig_policy_rule(c.policy, ig_str("has"));
    assert_int_equal(r->then, IG_ALLOW);
    assert_int_equal(r->on_error, IG_ALLOW);
    assert_true(r->has_score);
    assert_int_equal(r->score, 0);

    ig_policy_case_free(&c);
}


/* Rules have a namespace of their own; repetitions are free. */
static void
test_rule_names(void **state)
{
    (void) state;

    ig_policy_case_make(&c, FIELDS
        "integrity_rule a \"a == 1\" then=deny;\n"
        "integrity_rule a \"a==1\" then=deny on=*;\n"
        "integrity_rule rate \"a == 1\" then=deny;\n");

    assert_int_equal(c.policy->nrules, 2);
    assert_int_equal(c.policy->rule[0]->pos.line, 1);

    ig_policy_case_free(&c);
}


/* A field of the answer may be read where some action knows it in time. */
static void
test_rule_mixed(void **state)
{
    (void) state;

    ig_policy_case_make(&c, FIELDS
        "integrity_counter k key=mixed window=1h on=x count=completed;"
        "integrity_rule r \"mixed == 1 && k > 1\" then=deny;\n"
        "integrity_rule s \"mixed == 1 && k > 1\" on=y then=deny;\n"
        "integrity_rule u \"has(late)\" on=z then=deny;\n");

    ig_policy_case_free(&c);
}


/* Ids are of one kind each: a threshold's is no field's and no counter's. */
static void
test_ids(void **state)
{
    (void) state;

    ig_policy_case_make(&c,
        "integrity_field late $status; integrity_field a $a;"
        "integrity_counter k key=late window=1h count=completed;"
        "integrity_counter l key=a window=1h \"if=a > limit\";"
        "integrity_threshold limit 3;"
        "integrity_rule r \"a > limit\" then=deny;");

    assert_false(c.policy->counter[1]->cond_late);

    ig_policy_case_free(&c);
}


static const ig_policy_refusal_t  rule_refusal[] = {

    { "integrity_rule r;", 1,
      "integrity_rule: needs a name and an expression" },

    { "integrity_rule a-b true then=deny;", 1,
      "integrity_rule: \"a-b\" is no name: letters, digits and \"_\", not a "
      "digit first, at most 64" },

    { "integrity_rule r true;", 1,
      "integrity_rule: \"r\" has none of then=, score= and add=" },

    { "integrity_rule r true dry_run on_error=deny;", 1,
      "integrity_rule: \"r\" has none of then=, score= and add=" },

    { "integrity_rule r true then=block;", 1,
      "integrity_rule: \"then=block\" is none of allow, hold, throttle, "
      "deny" },

    { "integrity_rule r true then=deny on_error=none;", 1,
      "integrity_rule: \"on_error=none\" is none of allow, hold, throttle, "
      "deny" },

    { "integrity_rule r true score=1000001;", 1,
      "integrity_rule: \"score=1000001\" is no whole number from -1000000 to "
      "1000000" },

    { "integrity_rule r true score=-1000001;", 1,
      "integrity_rule: \"score=-1000001\" is no whole number from -1000000 "
      "to 1000000" },

    { "integrity_rule r true score=-;", 1,
      "integrity_rule: \"score=-\" is no whole number from -1000000 to "
      "1000000" },

    { "integrity_rule r true score=1.5;", 1,
      "integrity_rule: \"score=1.5\" is no whole number from -1000000 to "
      "1000000" },

    { "integrity_rule r true score=+1;", 1,
      "integrity_rule: \"score=+1\" is no whole number from -1000000 to "
      "1000000" },

    { "integrity_rule r true then=deny list=banned;", 1,
      "integrity_rule: \"list=banned\" is no parameter of it, those are on=, "
      "then=, score=, add=, renew, dry_run, on_error=" },

    { "integrity_rule r true then=deny then=deny;", 1,
      "integrity_rule: \"then=deny\": then is given twice" },

    { FIELDS "\nintegrity_rule r \"a > nobody\" then=deny;", 2,
      "integrity_rule: rule \"r\": unknown name \"nobody\" at column 5 of "
      "\"a > nobody\"" },

    { FIELDS "integrity_rule r \"a > 1\" then=deny;\n"
      "integrity_rule r \"a > 1\" then=hold;", 2,
      "integrity_rule: \"r\" is defined differently in test.conf:1" },

    { FIELDS "\nintegrity_rule r \"late == 200\" on=x then=deny;", 2,
      "integrity_rule: rule \"r\" reads \"late\", which comes with the "
      "answer, after the decision" },

    { FIELDS "\nintegrity_rule r \"late == 200\" then=deny;", 2,
      "integrity_rule: rule \"r\" reads \"late\", which comes with the "
      "answer, after the decision" },

    { FIELDS "\nintegrity_rule r \"mixed == 200\" on=x then=deny;", 2,
      "integrity_rule: rule \"r\" reads \"mixed\", which comes with the "
      "answer, after the decision" },

    { FIELDS "\nintegrity_counter k key=a,late window=1h count=completed;\n"
      "integrity_rule r \"k > 1\" on=x then=deny;", 3,
      "integrity_rule: rule \"r\" reads \"k\", which is keyed by \"late\", "
      "which comes with the answer, after the decision" }
};


static void
test_rule_refused(void **state)
{
    (void) state;

    ig_policy_case_refuse(rule_refusal, ig_countof(rule_refusal));
}


static void
test_rule_many(void **state)
{
    int   i;
    char  text[128];

    (void) state;

    assert_int_equal(ig_policy_case_init(&c), IG_OK);

    for (i = 0; i < IG_MAX_RULES; i++) {
        snprintf(text, sizeof(text), "integrity_rule r%d true then=deny;", i);
        assert_int_equal(ig_policy_case_read(&c, text), IG_OK);
    }

    assert_int_equal(ig_policy_case_read(&c, text), IG_OK);
    assert_int_equal(ig_policy_case_read(&c, "integrity_rule more true "
                                         "then=deny;"), IG_ERROR);
    assert_string_equal(c.err.text, "integrity_rule: \"more\" is one rule "
                        "more than 256");

    ig_policy_case_free(&c);
}


/* -- thresholds ---------------------------------------------------------- */


static void
test_threshold(void **state)
{
    const ig_threshold_t  *t;

    (void) state;

    ig_policy_case_make(&c,
        "integrity_threshold plain 10;\n"
        "integrity_threshold part -0.25;\n"
        "integrity_threshold time 1h30m;\n"
        "integrity_threshold short 250ms;\n"
        "integrity_threshold pack 5 default;\n");

    assert_int_equal(c.policy->nthresholds, 5);
    assert_true(c.policy->threshold[0]->value == 10);
    assert_true(c.policy->threshold[1]->value == -0.25);
    assert_true(c.policy->threshold[2]->value == 5400);
    assert_true(c.policy->threshold[3]->value == 0.25);

    t = ig_policy_threshold(c.policy, ig_str("pack"));
    assert_int_equal(t->id, 4);
    assert_true(t->value == 5);
    assert_true(t->is_default);
    assert_int_equal(t->pos.line, 5);

    ig_policy_case_free(&c);
}


/* `default` in a pack yields to any other, whichever comes first. */
static void
test_threshold_default(void **state)
{
    unsigned               i;
    const ig_threshold_t  *t;

    static const char  *const text[] = {
        "integrity_threshold t 5 default;\nintegrity_threshold t 10;\n"
        "integrity_threshold t 5 default;\nintegrity_threshold t 10;\n",

        "\nintegrity_threshold t 10;\nintegrity_threshold t 5 default;\n"
        "integrity_threshold t 10.0;\n"
    };

    (void) state;

    for (i = 0; i < ig_countof(text); i++) {
        ig_policy_case_make(&c, text[i]);

        assert_int_equal(c.policy->nthresholds, 1);

        t = c.policy->threshold[0];
        assert_true(t->value == 10);
        assert_false(t->is_default);
        assert_int_equal(t->pos.line, 2);

        ig_policy_case_free(&c);
    }
}


static const ig_policy_refusal_t  threshold_refusal[] = {

    { "integrity_threshold t;", 1,
      "integrity_threshold: needs a name and a value" },

    { "integrity_threshold t much;", 1,
      "integrity_threshold: \"much\" is neither a number nor a duration, as "
      "10, 0.5 or 1h30m" },

    { "integrity_threshold t 0x10;", 1,
      "integrity_threshold: \"0x10\" is neither a number nor a duration, as "
      "10, 0.5 or 1h30m" },

    { "integrity_threshold max 10;", 1,
      "integrity_threshold: \"max\" is a word of the expression language, "
      "choose another name" },

    { "integrity_threshold t 10 often;", 1,
      "integrity_threshold: \"often\" is no parameter of it, those are "
      "default" },

    { "integrity_threshold t 10;\nintegrity_threshold t 11;", 2,
      "integrity_threshold: \"t\" has another value in test.conf:1" },

    { "integrity_threshold t 10 default;\nintegrity_threshold t 11 default;",
      2, "integrity_threshold: \"t\" has another default in test.conf:1" },

    { "integrity_threshold t 10 default;\nintegrity_threshold t 3;\n"
      "integrity_threshold t 11 default;", 3,
      "integrity_threshold: \"t\" has another default in test.conf:1" },

    { "integrity_threshold t 10 default;\nintegrity_threshold t 3;\n"
      "integrity_threshold t 4;", 3,
      "integrity_threshold: \"t\" has another value in test.conf:2" }
};


static void
test_threshold_refused(void **state)
{
    (void) state;

    ig_policy_case_refuse(threshold_refusal, ig_countof(threshold_refusal));
}


static void
test_threshold_many(void **state)
{
    int   i;
    char  text[128];

    (void) state;

    assert_int_equal(ig_policy_case_init(&c), IG_OK);

    for (i = 0; i < IG_MAX_THRESHOLDS; i++) {
        snprintf(text, sizeof(text), "integrity_threshold t%d 1;", i);
        assert_int_equal(ig_policy_case_read(&c, text), IG_OK);
    }

    assert_int_equal(ig_policy_case_read(&c, text), IG_OK);
    assert_int_equal(ig_policy_case_read(&c, "integrity_threshold more 1;"),
                     IG_ERROR);
    assert_string_equal(c.err.text, "integrity_threshold: \"more\" is one "
                        "threshold more than 256");

    ig_policy_case_free(&c);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_rule),
        cmocka_unit_test(test_rule_names),
        cmocka_unit_test(test_rule_mixed),
        cmocka_unit_test(test_ids),
        cmocka_unit_test(test_rule_refused),
        cmocka_unit_test(test_rule_many),
        cmocka_unit_test(test_threshold),
        cmocka_unit_test(test_threshold_default),
        cmocka_unit_test(test_threshold_refused),
        cmocka_unit_test(test_threshold_many)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
