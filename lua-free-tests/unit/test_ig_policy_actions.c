/*
 * test_ig_policy_actions.c: which actions an on= speaks of.
 * Mirrors module/core/ig_actions.c.
 */

#include "ig_policy_case.h"
#include "ig_policy_int.h"

#include <stdio.h>


static ig_policy_case_t  c;


/* The on= of a counter; NULL is none. */
static const ig_actions_t *
on(const char *text)
{
    char  line[512];

    static unsigned  n;

    snprintf(line, sizeof(line), "integrity_counter c%u key=f window=1s %s%s;",
             n++, text ? "on=" : "", text ? text : "");

    assert_int_equal(ig_policy_case_read(&c, line), IG_OK);

    return &c.policy->counter[c.policy->ncounters - 1]->on;
}


static int
setup(void **state)
{
    (void) state;

    return ig_policy_case_init(&c);
}


static int
teardown(void **state)
{
    (void) state;

    ig_policy_case_free(&c);
    return 0;
}


static bool
match(const char *pattern, ig_str_t action)
{
    return ig_actions_match(on(pattern), action);
}


static void
test_match(void **state)
{
    (void) state;

    assert_true(match("review.create", ig_str("review.create")));
    assert_false(match("review.create", ig_str("review.created")));
    assert_false(match("review.create", ig_str("review.creat")));
    assert_false(match("review.create", ig_str("")));

    assert_true(match("review.*", ig_str("review.create")));
    assert_true(match("review.*", ig_str("review.a.b")));
    assert_true(match("review.*", ig_str("review.")));
    assert_false(match("review.*", ig_str("review")));
    assert_false(match("review.*", ig_str("reviews.create")));

    assert_true(match("x,review.*,y", ig_str("x")));
    assert_true(match("x,review.*,y", ig_str("review.z")));
    assert_false(match("x,review.*,y", ig_str("z")));

    assert_true(match("*", ig_str("anything")));
    assert_true(match(NULL, ig_str("anything")));
}


/* `*` never means `decision.*`. */
static void
test_decisions(void **state)
{
    (void) state;

    assert_false(match("*", ig_str("decision.deny")));
    assert_false(match(NULL, ig_str("decision.deny")));
    assert_true(match("decision.deny", ig_str("decision.deny")));
    assert_false(match("decision.deny", ig_str("decision.hold")));
    assert_false(match("decision.deny", ig_str("review.create")));
    assert_true(match("*,decision.hold", ig_str("decision.hold")));
    assert_true(match("*,decision.hold", ig_str("x")));
    assert_true(match("*", ig_str("decisions")));

    assert_true(ig_actions_have_decision(on("a,decision.throttle")));
    assert_false(ig_actions_have_decision(on("a")));
    assert_false(ig_actions_have_decision(on("*")));
    assert_false(ig_actions_have_decision(on(NULL)));
}


static void
test_cover(void **state)
{
    (void) state;

    assert_true(ig_actions_cover(on(NULL), on(NULL)));
    assert_true(ig_actions_cover(on("*"), on(NULL)));
    assert_true(ig_actions_cover(on(NULL), on("a,b.*,*")));
    assert_true(ig_actions_cover(on("a,b.*"), on("b.c,a")));
    assert_true(ig_actions_cover(on("b.*"), on("b.c.*")));

    assert_false(ig_actions_cover(on("b.c.*"), on("b.*")));
    assert_false(ig_actions_cover(on("a"), on("a,b")));
    assert_false(ig_actions_cover(on("a"), on(NULL)));
    assert_false(ig_actions_cover(on(NULL), on("decision.deny")));
    assert_false(ig_actions_cover(on("a"), on("a.*")));
}


static void
test_overlap(void **state)
{
    (void) state;

    assert_true(ig_actions_overlap(on("a,b"), on("b,c")));
    assert_true(ig_actions_overlap(on("b.*"), on("b.c.*")));
    assert_true(ig_actions_overlap(on("b.c.*"), on("b.*")));
    assert_true(ig_actions_overlap(on("b.c"), on("b.*")));
    assert_true(ig_actions_overlap(on(NULL), on("x")));
    assert_true(ig_actions_overlap(on("x"), on("*")));

    assert_false(ig_actions_overlap(on("a"), on("b")));
    assert_false(ig_actions_overlap(on("a.*"), on("b.*")));
    assert_false(ig_actions_overlap(on("a.*"), on("a")));
    assert_false(ig_actions_overlap(on(NULL), on("decision.deny")));
}


static void
test_equal(void **state)
{
    (void) state;

    assert_true(ig_actions_equal(on("a,b,a"), on("b,a")));
    assert_true(ig_actions_equal(on(NULL), on("*")));
    assert_true(ig_actions_equal(on("*"), on(NULL)));

    assert_false(ig_actions_equal(on("a"), on("a,b")));
    assert_false(ig_actions_equal(on("a,b"), on("a,c")));
    assert_false(ig_actions_equal(on("a."), on("a.*")));
    assert_false(ig_actions_equal(on("a"), on(NULL)));
}


static void
test_text(void **state)
{
    char      memory[64];
    ig_buf_t  b;

    (void) state;

    ig_buf_init(&b, memory, sizeof(memory));
    ig_actions_text(&b, on("review.*,decision.deny,a,review.,*,a,review.*"));
    assert_str(ig_buf_str(&b), "*,a,decision.deny,review.,review.*");

    ig_buf_init(&b, memory, sizeof(memory));
    ig_actions_text(&b, on(NULL));
    assert_str(ig_buf_str(&b), "*");
}


#define NO_ACTION                                                            \
    " in on= is no action: a name (a-z 0-9 . _ -, at most 64), "             \
    "\"prefix.*\" or \"*\""
#define SIXTEEN  "0123456789abcdef"


static const ig_policy_refusal_t  refusal[] = {

    { "integrity_field f $f on=Review.create;", 1,
      "integrity_field: \"Review.create\"" NO_ACTION },

    { "integrity_field f $f on=a,,b;", 1,
      "integrity_field: \"\"" NO_ACTION },

    { "integrity_field f $f on=a,;", 1,
      "integrity_field: \"\"" NO_ACTION },

    { "integrity_field f $f on=rev*;", 1,
      "integrity_field: \"rev*\"" NO_ACTION },

    { "integrity_field f $f on=**;", 1,
      "integrity_field: \"**\"" NO_ACTION },

    { "integrity_field f $f on=.*;", 1,
      "integrity_field: \".*\"" NO_ACTION },

    { "integrity_field f $f on=*.create;", 1,
      "integrity_field: \"*.create\"" NO_ACTION },

    { "integrity_field f $f on=" SIXTEEN SIXTEEN SIXTEEN SIXTEEN "x;", 1,
      "integrity_field: \"" SIXTEEN SIXTEEN SIXTEEN SIXTEEN "x\"" NO_ACTION },

    { "integrity_field f $f on=decision.deny;", 1,
      "integrity_field: \"decision.deny\" in on=: only a counter can be "
      "written by a decision" },

    { "integrity_rule r true then=deny on=decision.deny;", 1,
      "integrity_rule: \"decision.deny\" in on=: only a counter can be "
      "written by a decision" },

    { "integrity_counter f key=a window=1s on=decision.*;", 1,
      "integrity_counter: \"decision.*\" in on=: the decisions are "
      "decision.hold, decision.throttle and decision.deny" },

    { "integrity_counter f key=a window=1s on=decision.allow;", 1,
      "integrity_counter: \"decision.allow\" in on=: the decisions are "
      "decision.hold, decision.throttle and decision.deny" }
};


static void
test_refused(void **state)
{
    (void) state;

    ig_policy_case_refuse(refusal, ig_countof(refusal));
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup_teardown(test_match, setup, teardown),
        cmocka_unit_test_setup_teardown(test_decisions, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cover, setup, teardown),
        cmocka_unit_test_setup_teardown(test_overlap, setup, teardown),
        cmocka_unit_test_setup_teardown(test_equal, setup, teardown),
        cmocka_unit_test_setup_teardown(test_text, setup, teardown),
        cmocka_unit_test(test_refused)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
