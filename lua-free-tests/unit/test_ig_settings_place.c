/*
 * test_ig_settings_place.c: audit, body, mode, action, threshold, answers.
 * Owns nothing.  Run by the unit tests' runner.
 */

#include "ig_settings_case.h"

#include <stdio.h>
#include <string.h>


ig_settings_case_reader(audit, ig_settings_audit, ig_audit_settings_t)
ig_settings_case_reader(sample, ig_settings_sample, uint64_t)
ig_settings_case_reader(body, ig_settings_body, ig_body_settings_t)
ig_settings_case_reader(mode, ig_settings_mode, ig_mode_settings_t)
ig_settings_case_reader(action, ig_settings_action, ig_action_settings_t)
ig_settings_case_reader(threshold, ig_settings_threshold,
                        ig_threshold_settings_t)
ig_settings_case_reader(status, ig_settings_status, unsigned)


static void
test_audit(void **state)
{
    ig_audit_settings_t  s;

    static const ig_settings_refusal_t  refusals[] = {
        { "integrity_audit", "invalid number of arguments" },
        { "integrity_audit ''", "invalid value \"\": off or a file without "
          "variables is expected" },
        { "integrity_audit /var/log/$host.log", "invalid value "
          "\"/var/log/$host.log\": off or a file without variables is "
          "expected" },
        { "integrity_audit off path=uri", "invalid parameter \"path=uri\": "
          "nothing is expected after \"off\"" },
        { "integrity_audit a.log buffer=1k", "invalid parameter "
          "\"buffer=1k\": on_error= or path= is expected" },
        { "integrity_audit a.log on_error=drop", "invalid value \"drop\" in "
          "\"on_error=drop\": pass or deny is expected" },
        { "integrity_audit a.log path=full", "invalid value \"full\" in "
          "\"path=full\": location or uri is expected" },
        { "integrity_audit a.log path=uri path=location",
          "\"path=\" is duplicate" },
    };

    (void) state;

    ig_settings_case_accept(audit, "integrity_audit /var/log/a.log", &s);
    ig_settings_case_is(s.file, "/var/log/a.log");
    assert_false(s.on_error_deny);
    assert_false(s.path_uri);

    ig_settings_case_accept(audit, "integrity_audit a on_error=deny path=uri",
                            &s);
    ig_settings_case_is(s.file, "a");
    assert_true(s.on_error_deny);
    assert_true(s.path_uri);

    ig_settings_case_accept(audit, "integrity_audit a path=location "
                            "on_error=pass", &s);
    assert_false(s.on_error_deny);
    assert_false(s.path_uri);

    ig_settings_case_accept(audit, "integrity_audit off", &s);
    assert_int_equal(s.file.len, 0);
    assert_false(s.on_error_deny);
    assert_false(s.path_uri);

    ig_settings_case_refuse(audit, refusals, ig_countof(refusals));
}


#define SAMPLE  ": a number from 1 to 1000000000 is expected"


static void
test_sample(void **state)
{
    uint64_t  n;

    static const ig_settings_refusal_t  refusals[] = {
        { "integrity_audit_sample", "invalid number of arguments" },
        { "integrity_audit_sample 1 2", "invalid number of arguments" },
        { "integrity_audit_sample 0", "invalid value \"0\"" SAMPLE },
        { "integrity_audit_sample 1000000001",
          "invalid value \"1000000001\"" SAMPLE },
        { "integrity_audit_sample 10%", "invalid value \"10%\"" SAMPLE },
        { "integrity_audit_sample ''", "invalid value \"\"" SAMPLE },
    };

    (void) state;

    ig_settings_case_accept(sample, "integrity_audit_sample 1", &n);
    assert_int_equal(n, 1);
    ig_settings_case_accept(sample, "integrity_audit_sample 1000000000", &n);
    assert_int_equal(n, 1000000000);

    ig_settings_case_refuse(sample, refusals, ig_countof(refusals));
}


static void
test_body(void **state)
{
    ig_body_settings_t  s;

    static const ig_settings_refusal_t  refusals[] = {
        { "integrity_body", "invalid number of arguments" },
        { "integrity_body foo=1", "invalid parameter \"foo=1\": max=, depth=, "
          "values=, invalid=, oversize=, encoded= or type= is expected" },
        { "integrity_body 16k", "invalid parameter \"16k\": max=, depth=, "
          "values=, invalid=, oversize=, encoded= or type= is expected" },
        { "integrity_body max=0", "invalid value \"0\" in \"max=0\": a size "
          "from 1 to 64m is expected" },
        { "integrity_body max=65537k", "invalid value \"65537k\" in "
          "\"max=65537k\": a size from 1 to 64m is expected" },
        { "integrity_body max=x", "invalid value \"x\" in \"max=x\": a size "
          "from 1 to 64m is expected" },
        { "integrity_body depth=0", "invalid value \"0\" in \"depth=0\": a "
          "number from 1 to 1000 is expected" },
        { "integrity_body depth=1001", "invalid value \"1001\" in "
          "\"depth=1001\": a number from 1 to 1000 is expected" },
        { "integrity_body values=0", "invalid value \"0\" in \"values=0\": a "
          "number from 1 to 1000000 is expected" },
        { "integrity_body values=1k", "invalid value \"1k\" in \"values=1k\": "
          "a number from 1 to 1000000 is expected" },
        { "integrity_body invalid=allow", "invalid value \"allow\" in "
          "\"invalid=allow\": deny or pass is expected" },
        { "integrity_body oversize=", "invalid value \"\" in \"oversize=\": "
          "deny or pass is expected" },
        { "integrity_body encoded=Pass", "invalid value \"Pass\" in "
          "\"encoded=Pass\": deny or pass is expected" },
        { "integrity_body type=json", "invalid value \"json\" in "
          "\"type=json\": deny or pass is expected" },
        { "integrity_body type=deny max=1k type=deny",
          "\"type=\" is duplicate" },
    };

    (void) state;

    /* every one alone, so that none writes into another's place */

    ig_settings_case_accept(body, "integrity_body max=64m", &s);
    assert_int_equal(s.max, 67108864);
    assert_int_equal(s.depth, 32);
    assert_int_equal(s.values, 1000);
    assert_false(s.invalid_pass || s.oversize_pass || s.encoded_pass
                 || s.type_pass);

    ig_settings_case_accept(body, "integrity_body depth=1000", &s);
    assert_int_equal(s.max, 16384);
    assert_int_equal(s.depth, 1000);
    assert_int_equal(s.values, 1000);

    ig_settings_case_accept(body, "integrity_body values=1", &s);
    assert_int_equal(s.max, 16384);
    assert_int_equal(s.depth, 32);
    assert_int_equal(s.values, 1);

    ig_settings_case_accept(body, "integrity_body max=1 depth=1 "
                            "values=1000000", &s);
    assert_int_equal(s.max, 1);
    assert_int_equal(s.depth, 1);
    assert_int_equal(s.values, 1000000);

    ig_settings_case_accept(body, "integrity_body invalid=pass", &s);
    assert_true(s.invalid_pass);
    assert_false(s.oversize_pass || s.encoded_pass || s.type_pass);

    ig_settings_case_accept(body, "integrity_body oversize=pass", &s);
    assert_true(s.oversize_pass);
    assert_false(s.invalid_pass || s.encoded_pass || s.type_pass);

    ig_settings_case_accept(body, "integrity_body encoded=pass", &s);
    assert_true(s.encoded_pass);
    assert_false(s.invalid_pass || s.oversize_pass || s.type_pass);

    ig_settings_case_accept(body, "integrity_body type=pass invalid=deny", &s);
    assert_true(s.type_pass);
    assert_false(s.invalid_pass || s.oversize_pass || s.encoded_pass);

    ig_settings_case_refuse(body, refusals, ig_countof(refusals));
}


#define MODE    ": on, dry_run, off or a variable is expected"
#define EXCEPT  ": a list of rules, like too_fast,device_farm, is expected"


static void
test_mode(void **state)
{
    ig_mode_settings_t  s;

    static const ig_settings_refusal_t  refusals[] = {
        { "integrity", "invalid number of arguments" },
        { "integrity on except=a except=b", "invalid number of arguments" },
        { "integrity maybe", "invalid value \"maybe\"" MODE },
        { "integrity ON", "invalid value \"ON\"" MODE },
        { "integrity ''", "invalid value \"\"" MODE },
        { "integrity $", "invalid value \"$\"" MODE },
        { "integrity ${x", "invalid value \"${x\"" MODE },
        { "integrity on dry_run", "invalid parameter \"dry_run\": except= is "
          "expected" },
        { "integrity on except=", "invalid value \"\" in \"except=\"" EXCEPT },
        { "integrity on except=a,", "invalid value \"a,\" in \"except=a,\""
          EXCEPT },
        { "integrity on except=,a", "invalid value \",a\" in \"except=,a\""
          EXCEPT },
        { "integrity on except=a,,b", "invalid value \"a,,b\" in "
          "\"except=a,,b\"" EXCEPT },
        { "integrity on except=a,1b", "invalid value \"a,1b\" in "
          "\"except=a,1b\"" EXCEPT },
        { "integrity on except=*", "invalid value \"*\" in \"except=*\""
          EXCEPT },
    };

    (void) state;

    ig_settings_case_accept(mode, "integrity on", &s);
    assert_int_equal(s.mode, IG_MODE_ON);
    assert_int_equal(s.variable.len, 0);
    assert_int_equal(s.except.len, 0);

    ig_settings_case_accept(mode, "integrity dry_run except=too_fast", &s);
    assert_int_equal(s.mode, IG_MODE_DRY_RUN);
    ig_settings_case_is(s.except, "too_fast");

    ig_settings_case_accept(mode, "integrity off", &s);
    assert_int_equal(s.mode, IG_MODE_OFF);

    ig_settings_case_accept(mode, "integrity $mode except=a,b_2,C", &s);
    assert_int_equal(s.mode, IG_MODE_VARIABLE);
    ig_settings_case_is(s.variable, "$mode");
    ig_settings_case_is(s.except, "a,b_2,C");

    ig_settings_case_refuse(mode, refusals, ig_countof(refusals));
}


static void
test_mode_parse(void **state)
{
    ig_mode_e  m;

    (void) state;

    m = IG_MODE_VARIABLE;
    assert_true(ig_mode_parse(ig_str("on"), &m));
    assert_int_equal(m, IG_MODE_ON);
    assert_true(ig_mode_parse(ig_str("dry_run"), &m));
    assert_int_equal(m, IG_MODE_DRY_RUN);
    assert_true(ig_mode_parse(ig_str("off"), &m));
    assert_int_equal(m, IG_MODE_OFF);

    m = IG_MODE_ON;
    assert_false(ig_mode_parse(ig_str(""), &m));
    assert_false(ig_mode_parse(ig_str("o"), &m));
    assert_false(ig_mode_parse(ig_str("on "), &m));
    assert_false(ig_mode_parse(ig_str("On"), &m));
    assert_false(ig_mode_parse(ig_str("1"), &m));
    assert_false(ig_mode_parse((ig_str_t) { 0, NULL }, &m));
    assert_int_equal(m, IG_MODE_ON);
}


#define ACTION  ": a variable, or a name of at most 64 small letters, "       \
                "digits, \".\", \"_\" and \"-\", is expected"
#define ARGUMENT  ": body, unclassified=deny or a method in capitals is "     \
                  "expected"


static void
test_action(void **state)
{
    ig_action_settings_t  s;

    static const ig_settings_refusal_t  refusals[] = {
        { "integrity_action", "invalid number of arguments" },
        { "integrity_action ''", "invalid value \"\"" ACTION },
        { "integrity_action Review.Create", "invalid value \"Review.Create\""
          ACTION },
        { "integrity_action POST", "invalid value \"POST\"" ACTION },
        { "integrity_action a/b", "invalid value \"a/b\"" ACTION },
        { "integrity_action $", "invalid value \"$\"" ACTION },
        { "integrity_action x.${y", "invalid value \"x.${y\"" ACTION },
        { "integrity_action decision.deny", "invalid value \"decision.deny\": "
          "a name that does not begin with \"decision.\" is expected" },
        { "integrity_action decision.", "invalid value \"decision.\": "
          "a name that does not begin with \"decision.\" is expected" },
        { "integrity_action a pOST", "invalid parameter \"pOST\"" ARGUMENT },
        { "integrity_action a post", "invalid parameter \"post\"" ARGUMENT },
        { "integrity_action a ''", "invalid parameter \"\"" ARGUMENT },
        { "integrity_action a body=1", "invalid parameter \"body=1\""
          ARGUMENT },
        { "integrity_action a unclassified", "invalid parameter "
          "\"unclassified\"" ARGUMENT },
        { "integrity_action a M-SEARCH", "invalid parameter \"M-SEARCH\""
          ARGUMENT },
        { "integrity_action a ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG",
          "invalid parameter \"ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG\"" ARGUMENT },
        { "integrity_action a unclassified=pass", "invalid value \"pass\" in "
          "\"unclassified=pass\": deny is expected" },
        { "integrity_action a unclassified=", "invalid value \"\" in "
          "\"unclassified=\": deny is expected" },
        { "integrity_action a body POST body", "\"body\" is duplicate" },
        { "integrity_action a unclassified=deny unclassified=deny",
          "\"unclassified=\" is duplicate" },
        { "integrity_action a POST PUT POST", "\"POST\" is duplicate" },
        { "integrity_action a A B C D E F G H I", "\"I\" is one method too "
          "many: at most 8 are expected" },
    };

    (void) state;

    ig_settings_case_accept(action, "integrity_action review.create", &s);
    ig_settings_case_is(s.text, "review.create");
    assert_true(s.literal);
    assert_false(s.body || s.unclassified_deny);
    assert_int_equal(s.nmethods, 0);

    ig_settings_case_accept(action, "integrity_action $op body", &s);
    ig_settings_case_is(s.text, "$op");
    assert_false(s.literal);
    assert_true(s.body);
    assert_false(s.unclassified_deny);

    ig_settings_case_accept(action, "integrity_action x.${op} GET "
                            "unclassified=deny "
                            "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEF", &s);
    ig_settings_case_is(s.text, "x.${op}");
    assert_false(s.literal || s.body);
    assert_true(s.unclassified_deny);
    assert_int_equal(s.nmethods, 2);
    ig_settings_case_is(s.method[0], "GET");
    ig_settings_case_is(s.method[1], "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEF");

    ig_settings_case_accept(action, "integrity_action decisions A B C D E F G "
                            "H", &s);
    assert_int_equal(s.nmethods, IG_MAX_METHODS);
    ig_settings_case_is(s.method[7], "H");

    ig_settings_case_refuse(action, refusals, ig_countof(refusals));
}


static void
test_threshold(void **state)
{
    ig_threshold_settings_t  s;

    static const ig_settings_refusal_t  refusals[] = {
        { "integrity_threshold a", "invalid number of arguments" },
        { "integrity_threshold a 1 default x", "invalid number of arguments" },
        { "integrity_threshold 1a 5", "invalid value \"1a\": the name of a "
          "threshold is expected" },
        { "integrity_threshold a x", "invalid value \"x\": a number or a "
          "duration is expected" },
        { "integrity_threshold a ''", "invalid value \"\": a number or a "
          "duration is expected" },
        { "integrity_threshold a 0s", "invalid value \"0s\": a number or a "
          "duration is expected" },
        { "integrity_threshold a 1e999", "invalid value \"1e999\": a number "
          "or a duration is expected" },
        { "integrity_threshold a 5 default", "invalid parameter \"default\": "
          "in a server or location nothing is expected after the value" },
    };

    (void) state;

    ig_settings_case_accept(threshold, "integrity_threshold per_hour 10", &s);
    ig_settings_case_is(s.name, "per_hour");
    assert_true(s.value == 10);

    ig_settings_case_accept(threshold, "integrity_threshold a -0.5", &s);
    assert_true(s.value == -0.5);
    ig_settings_case_accept(threshold, "integrity_threshold a 0", &s);
    assert_true(s.value == 0);
    ig_settings_case_accept(threshold, "integrity_threshold a 1h30m", &s);
    assert_true(s.value == 5400);
    ig_settings_case_accept(threshold, "integrity_threshold a 250ms", &s);
    assert_true(s.value == 0.25);

    ig_settings_case_refuse(threshold, refusals, ig_countof(refusals));
}


#define STATUS  ": a number from 400 to 599 is expected"


static void
test_status(void **state)
{
    unsigned  n;

    static const ig_settings_refusal_t  refusals[] = {
        { "integrity_status_throttle", "invalid number of arguments" },
        { "integrity_status_throttle 429 1", "invalid number of arguments" },
        { "integrity_status_throttle 399", "invalid value \"399\"" STATUS },
        { "integrity_status_deny 600", "invalid value \"600\"" STATUS },
        { "integrity_status_deny 4xx", "invalid value \"4xx\"" STATUS },
        { "integrity_status_deny -403", "invalid value \"-403\"" STATUS },
    };

    (void) state;

    ig_settings_case_accept(status, "integrity_status_throttle 400", &n);
    assert_int_equal(n, 400);
    ig_settings_case_accept(status, "integrity_status_deny 599", &n);
    assert_int_equal(n, 599);

    ig_settings_case_refuse(status, refusals, ig_countof(refusals));
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_audit),
        cmocka_unit_test(test_sample),
        cmocka_unit_test(test_body),
        cmocka_unit_test(test_mode),
        cmocka_unit_test(test_mode_parse),
        cmocka_unit_test(test_action),
        cmocka_unit_test(test_threshold),
        cmocka_unit_test(test_status),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
