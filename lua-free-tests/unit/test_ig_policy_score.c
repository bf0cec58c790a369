/*
 * Tests of ig_policy_threshold.c: integrity_scores, integrity_time_zone.
 * Owns nothing.  Called by the test runner.
 */

#include "ig_policy_case.h"

#include <limits.h>
#include <stdio.h>


static ig_policy_case_t  c;


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
        ("integrity_scores hold=50 default; integrity_scores deny=9;"
         "integrity_scores hold=50 default; integrity_scores deny=9;")
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
        cmocka_unit_test(test_scores),
        cmocka_unit_test(test_scores_default),
        cmocka_unit_test(test_scores_refused),
        cmocka_unit_test(test_zone),
        cmocka_unit_test(test_zone_refused)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
