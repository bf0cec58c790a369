/*
 * test_ig_policy_rule.c: rules, thresholds, scores and the time zone.
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


/* -- scores -------------------------------------------------------------- */


static void
test_scores(void **state)
{
    (void) state;

    ig_policy_case_make(&c, "");
    assert_false(c.policy->has_scores);
    assert_int_equal(c.policy->score[IG_ALLOW], INT_MAX);
    assert_int_equal(c.policy->score[IG_HOLD], INT_MAX);
    assert_int_equal(c.policy->score[IG_THROTTLE], INT_MAX);
    assert_int_equal(c.policy->score[IG_DENY], INT_MAX);
    ig_policy_case_free(&c);

    ig_policy_case_make(&c,
        "integrity_scores deny=100 hold=50;\n"
        "integrity_scores hold=50 deny=100;\n");
    assert_true(c.policy->has_scores);
    assert_int_equal(c.policy->score[IG_ALLOW], INT_MAX);
    assert_int_equal(c.policy->score[IG_HOLD], 50);
    assert_int_equal(c.policy->score[IG_THROTTLE], INT_MAX);
    assert_int_equal(c.policy->score[IG_DENY], 100);
    ig_policy_case_free(&c);

    ig_policy_case_make(&c, "integrity_scores hold=1 throttle=1 deny=1000000;");
    assert_int_equal(c.policy->score[IG_HOLD], 1);
    assert_int_equal(c.policy->score[IG_THROTTLE], 1);
    assert_int_equal(c.policy->score[IG_DENY], 1000000);
    ig_policy_case_free(&c);
}


/* A pack's scores yield, wherever they stand. */
static void
test_scores_default(void **state)
{
    unsigned  i;

    static const char *const  text[] = {
        "integrity_scores hold=50 default; integrity_scores deny=9;",
        "integrity_scores deny=9; integrity_scores default hold=50;",
        "integrity_scores hold=50 default; integrity_scores deny=9;"
        "integrity_scores hold=50 default; integrity_scores deny=9;"
    };

    (void) state;

    for (i = 0; i < ig_countof(text); i++) {
        ig_policy_case_make(&c, text[i]);
        assert_int_equal(c.policy->score[IG_HOLD], INT_MAX);
        assert_int_equal(c.policy->score[IG_DENY], 9);
        ig_policy_case_free(&c);
    }

    ig_policy_case_make(&c, "integrity_scores hold=50 default;");
    assert_true(c.policy->has_scores);
    assert_int_equal(c.policy->score[IG_HOLD], 50);
    ig_policy_case_free(&c);
}


static const ig_policy_refusal_t  scores_refusal[] = {

    { "integrity_scores;", 1,
      "integrity_scores: needs one of hold=, throttle=, deny=" },

    { "integrity_scores allow=5;", 1,
      "integrity_scores: \"allow=5\" is no parameter of it, those are hold=, "
      "throttle=, deny=, default" },

    { "integrity_scores default;", 1,
      "integrity_scores: needs one of hold=, throttle=, deny=" },

    { "integrity_scores hold=0;", 1,
      "integrity_scores: \"hold=0\" is no whole number from 1 to 1000000" },

    { "integrity_scores throttle=-1;", 1,
      "integrity_scores: \"throttle=-1\" is no whole number from 1 to "
      "1000000" },

    { "integrity_scores deny=1000001;", 1,
      "integrity_scores: \"deny=1000001\" is no whole number from 1 to "
      "1000000" },

    { "integrity_scores hold=1 hold=1;", 1,
      "integrity_scores: \"hold=1\": hold is given twice" },

    { "integrity_scores hold=5 throttle=4;", 1,
      "integrity_scores: throttle=4 is below hold=5, they go up from hold to "
      "deny" },

    { "integrity_scores deny=4 hold=5;", 1,
      "integrity_scores: deny=4 is below hold=5, they go up from hold to "
      "deny" },

    { "integrity_scores hold=1 throttle=5 deny=4;", 1,
      "integrity_scores: deny=4 is below throttle=5, they go up from hold to "
      "deny" },

    { "integrity_scores hold=5;\nintegrity_scores hold=6;", 2,
      "integrity_scores: there are other scores in test.conf:1" },

    { "integrity_scores hold=5 default;\nintegrity_scores hold=6 default;", 2,
      "integrity_scores: there are other default scores in test.conf:1" }
};


static void
test_scores_refused(void **state)
{
    (void) state;

    ig_policy_case_refuse(scores_refusal, ig_countof(scores_refusal));
}


/* -- the time zone ------------------------------------------------------- */


static void
test_zone(void **state)
{
    char      text[64];
    unsigned  i;

    static const struct {
        const char  *text;
        int32_t      zone;
    } zone[] = {
        { "UTC", 0 }, { "+00:00", 0 }, { "+08:00", 28800 },
        { "-03:30", -12600 }, { "+14:00", 50400 }, { "-12:00", -43200 },
        { "+05:45", 20700 }
    };

    (void) state;

    ig_policy_case_make(&c, "");
    assert_int_equal(c.policy->zone, 0);
    ig_policy_case_free(&c);

    for (i = 0; i < ig_countof(zone); i++) {
        snprintf(text, sizeof(text), "integrity_time_zone %s;\n"
                 "integrity_time_zone %s;\n", zone[i].text, zone[i].text);

        ig_policy_case_make(&c, text);
        assert_int_equal(c.policy->zone, zone[i].zone);
        ig_policy_case_free(&c);
    }
}


#define NO_ZONE                                                              \
    " is neither UTC nor an offset from -12:00 to +14:00, as +08:00"


static const ig_policy_refusal_t  zone_refusal[] = {

    { "integrity_time_zone;", 1,
      "integrity_time_zone: needs one offset, as +08:00, or UTC" },

    { "integrity_time_zone UTC UTC;", 1,
      "integrity_time_zone: needs one offset, as +08:00, or UTC" },

    { "integrity_time_zone CET;", 1,
      "integrity_time_zone: \"CET\"" NO_ZONE },

    { "integrity_time_zone 08:00;", 1,
      "integrity_time_zone: \"08:00\"" NO_ZONE },

    { "integrity_time_zone +8:00;", 1,
      "integrity_time_zone: \"+8:00\"" NO_ZONE },

    { "integrity_time_zone +08-00;", 1,
      "integrity_time_zone: \"+08-00\"" NO_ZONE },

    { "integrity_time_zone *08:00;", 1,
      "integrity_time_zone: \"*08:00\"" NO_ZONE },

    { "integrity_time_zone +15:00;", 1,
      "integrity_time_zone: \"+15:00\"" NO_ZONE },

    { "integrity_time_zone +14:01;", 1,
      "integrity_time_zone: \"+14:01\"" NO_ZONE },

    { "integrity_time_zone -12:30;", 1,
      "integrity_time_zone: \"-12:30\"" NO_ZONE },

    { "integrity_time_zone +08:60;", 1,
      "integrity_time_zone: \"+08:60\"" NO_ZONE },

    { "integrity_time_zone +0x:00;", 1,
      "integrity_time_zone: \"+0x:00\"" NO_ZONE },

    { "integrity_time_zone +08:00;\nintegrity_time_zone UTC;", 2,
      "integrity_time_zone: \"UTC\" is not what test.conf:1 says" }
};


static void
test_zone_refused(void **state)
{
    (void) state;

    ig_policy_case_refuse(zone_refusal, ig_countof(zone_refusal));
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
        cmocka_unit_test(test_threshold_many),
        cmocka_unit_test(test_scores),
        cmocka_unit_test(test_scores_default),
        cmocka_unit_test(test_scores_refused),
        cmocka_unit_test(test_zone),
        cmocka_unit_test(test_zone_refused)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
