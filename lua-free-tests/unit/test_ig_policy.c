/*
 * test_ig_policy.c: a policy as a whole: dispatch, the shared namespace,
 * finding by name, many mistakes at once, running out of memory.
 * Mirrors module/core/ig_policy.c and ig_policy_finish.c.
 */

#include "ig_policy_case.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


static ig_policy_case_t  c;


static const char  whole[] =
    "integrity_field account $account private;\n"
    "integrity_field product $sku on=review.create;\n"
    "integrity_field product json:/items/*/sku~1 on=order.create;\n"
    "integrity_field rating json:/rating;\n"
    "integrity_field content json:/content text;\n"
    "integrity_field account $account private;\n"
    "integrity_counter hourly on=review.* key=account window=1h;\n"
    "integrity_counter hourly on=review.* key=account window=60m;\n"
    "integrity_counter praise key=product,account window=1h \"if=rating > 4 "
        "&& hourly > 2\" on=review.create,decision.deny;\n"
    "integrity_counter buys key=account window=9d last count=completed;\n"
    "integrity_counter goods key=account window=9d distinct=product max=9;\n"
    "integrity_threshold limit 5 default;\n"
    "integrity_threshold limit 10;\n"
    "integrity_rule fast \"hourly > limit\" then=throttle on=review.create;\n"
    "integrity_rule fast \"hourly>limit\" then=throttle on=review.create;\n"
    "integrity_rule farm \"praise > 20 || !has(buys)\" score=30 "
        "on_error=hold;\n"
    "integrity_scores hold=50 throttle=80;\n"
    "integrity_time_zone +08:00;\n";


static void
test_decision_names(void **state)
{
    (void) state;

    assert_str(ig_decision_name(IG_ALLOW), "allow");
    assert_str(ig_decision_name(IG_HOLD), "hold");
    assert_str(ig_decision_name(IG_THROTTLE), "throttle");
    assert_str(ig_decision_name(IG_DENY), "deny");
    assert_str(ig_decision_name(IG_NO_DECISION), "none");
}


static void
test_by_name(void **state)
{
    (void) state;

    ig_policy_case_make(&c, whole);

    assert_int_equal(c.policy->nfields, 4);
    assert_int_equal(c.policy->nsources, 5);
    assert_int_equal(c.policy->ncounters, 4);
    assert_int_equal(c.policy->nthresholds, 1);
    assert_int_equal(c.policy->nrules, 2);

    assert_int_equal(ig_policy_field(c.policy, ig_str("rating"))->id, 2);
    assert_int_equal(ig_policy_counter(c.policy, ig_str("buys"))->id, 2);
    assert_int_equal(ig_policy_rule(c.policy, ig_str("farm"))->id, 1);
    assert_int_equal(ig_policy_threshold(c.policy, ig_str("limit"))->id, 0);

    assert_null(ig_policy_field(c.policy, ig_str("buys")));
    assert_null(ig_policy_counter(c.policy, ig_str("rating")));
    assert_null(ig_policy_rule(c.policy, ig_str("limit")));
    assert_null(ig_policy_threshold(c.policy, ig_str("farm")));
    assert_null(ig_policy_field(c.policy, ig_str("ratin")));
    assert_null(ig_policy_field(c.policy, ig_str("")));

    ig_policy_case_free(&c);
}


static const ig_policy_refusal_t  refusal[] = {

    { "integrity_lists banned key=account;", 1,
      "integrity_lists: is no directive of the policy" },

    { "integrity_field x $x;\nintegrity_counter x key=a window=1h;", 2,
      "integrity_counter: \"x\" is already the name of a field, in "
      "test.conf:1" },

    { "integrity_counter x key=a window=1h;\nintegrity_field x $x;", 2,
      "integrity_field: \"x\" is already the name of a counter, in "
      "test.conf:1" },

    { "integrity_threshold x 3;\nintegrity_field x $x;", 2,
      "integrity_field: \"x\" is already the name of a threshold, in "
      "test.conf:1" },

    { "integrity_field x $x;\nintegrity_threshold x 3;", 2,
      "integrity_threshold: \"x\" is already the name of a field, in "
      "test.conf:1" }
};


static void
test_refused(void **state)
{
    (void) state;

    ig_policy_case_refuse(refusal, ig_countof(refusal));
}


/* A definition without a file says its line all the same. */
static void
test_no_file(void **state)
{
    ig_str_t    field[] = { ig_string("integrity_field"), ig_string("x"),
                            ig_string("$x") };
    ig_str_t    threshold[] = { ig_string("integrity_threshold"),
                                ig_string("x"), ig_string("3") };
    ig_pos_t    pos = { NULL, 12 };
    ig_error_t  err;

    (void) state;

    assert_int_equal(ig_policy_case_init(&c), IG_OK);
    assert_int_equal(ig_policy_directive(c.policy, field, 3, pos, &err),
                     IG_OK);
    assert_int_equal(ig_policy_directive(c.policy, threshold, 3, pos, &err),
                     IG_ERROR);
    assert_string_equal(err.text, "integrity_threshold: \"x\" is already the "
                        "name of a field, in line 12");

    ig_policy_case_free(&c);
}


/* -- many mistakes ------------------------------------------------------- */


typedef struct {
    char      text[4096];
    unsigned  n;
} told_t;


static void
tell(void *ctx, const ig_error_t *err)
{
    told_t  *told = ctx;
    size_t   n;

    n = strlen(told->text);
    snprintf(told->text + n, sizeof(told->text) - n, "%s:%u: %s\n",
             err->pos.file, err->pos.line, err->text);
    told->n++;
}


static void
test_all_mistakes(void **state)
{
    told_t  told = { "", 0 };

    static const char  text[] =
        "integrity_field a $a; integrity_field t $t text;\n"
        "integrity_counter k1 key=a,nobody,t window=1h;\n"
        "integrity_counter k2 key=a window=1h \"if=k1 > nothing\";\n"
        "integrity_rule r1 \"k1 > nil\" then=deny;\n"
        "integrity_rule r2 \"k2 > 3\" then=deny;\n"
        "integrity_rule r2 \"nix\" then=deny;\n";

    (void) state;

    assert_int_equal(ig_policy_case_init(&c), IG_OK);
    assert_int_equal(ig_policy_case_read(&c, text), IG_OK);
    assert_int_equal(ig_policy_finish_all(c.policy, tell, &told), IG_ERROR);

    assert_string_equal(told.text,
        "test.conf:2: integrity_counter: counter \"k1\" is keyed by "
        "\"nobody\", which is no field\n"
        "test.conf:2: integrity_counter: counter \"k1\" is keyed by \"t\", "
        "which is a text: only its fingerprint is kept\n"
        "test.conf:3: integrity_counter: if= of counter \"k2\": unknown name "
        "\"nothing\" at column 6 of \"k1 > nothing\"\n"
        "test.conf:4: integrity_rule: rule \"r1\": unknown name \"nil\" at "
        "column 6 of \"k1 > nil\"\n"
        "test.conf:6: integrity_rule: rule \"r2\": unknown name \"nix\" at "
        "column 1 of \"nix\"\n");

    ig_policy_case_free(&c);

    assert_int_equal(ig_policy_case_init(&c), IG_OK);
    assert_int_equal(ig_policy_case_read(&c, text), IG_OK);
    assert_int_equal(ig_policy_finish(c.policy, &c.err), IG_ERROR);
    assert_string_equal(c.err.text, "integrity_counter: counter \"k1\" is "
                        "keyed by \"nobody\", which is no field");
    ig_policy_case_free(&c);
}


/* -- memory -------------------------------------------------------------- */


static int
build(unsigned limit, bool once)
{
    int  rc;

    rc = ig_policy_case_init_limit(&c, limit, once);

    if (rc == IG_OK) {
        rc = ig_policy_case_read(&c, whole);
    }

    if (rc == IG_OK) {
        rc = ig_policy_action(c.policy, ig_str("merchant.login"));
    }

    if (rc == IG_OK) {
        rc = ig_policy_finish(c.policy, &c.err);
    }

    if (rc == IG_OK && ig_plan_make(c.policy, ig_str("x"), &c.mem) == NULL) {
        rc = IG_NOMEM;
    }

    return rc;
}


/* Each allocation fails in turn, alone and with all that follow. */
static void
test_no_memory(void **state)
{
    unsigned  limit, needed;

    (void) state;

    assert_int_equal(build(UINT_MAX, false), IG_OK);
    needed = c.nblocks;
    ig_policy_case_free(&c);

    assert_in_range(needed, 100, 1000);

    for (limit = 0; limit < needed; limit++) {

        assert_int_equal(build(limit, false), IG_NOMEM);
        assert_int_equal(c.nblocks, limit);
        ig_policy_case_free(&c);

        assert_int_equal(build(limit, true), IG_NOMEM);
        ig_policy_case_free(&c);
    }

    assert_int_equal(build(needed, false), IG_OK);
    ig_policy_case_free(&c);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_decision_names),
        cmocka_unit_test(test_by_name),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_no_file),
        cmocka_unit_test(test_all_mistakes),
        cmocka_unit_test(test_no_memory)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
