/*
 * test_ig_plan.c: what a call of one action takes.
 * Mirrors module/core/ig_plan.c and ig_plan_limit.c.
 */

#include "ig_policy_case.h"
#include "ig_similar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>


static ig_policy_case_t  c;


/* A plan's counters as "name:rw name:r name:w name:-". */
static const char *
counters(const ig_plan_t *plan)
{
    size_t       n;
    unsigned     i;

    static char  text[1024];

    for (i = 0, n = 0, text[0] = '\0'; i < plan->ncounters; i++) {
        n += (size_t) snprintf(text + n, sizeof(text) - n, "%s%.*s:%s%s%s",
                               i ? " " : "",
                               ig_fmt(plan->counter[i].counter->name),
                               plan->counter[i].reads ? "r" : "",
                               plan->counter[i].writes ? "w" : "",
                               plan->counter[i].reads
                               || plan->counter[i].writes ? "" : "-");
    }

    return text;
}


static const char *
rules(const ig_plan_t *plan)
{
    size_t       n;
    unsigned     i;

    static char  text[1024];

    for (i = 0, n = 0, text[0] = '\0'; i < plan->nrules; i++) {
        n += (size_t) snprintf(text + n, sizeof(text) - n, "%s%.*s",
                               i ? " " : "", ig_fmt(plan->rule[i]->name));
    }

    return text;
}


/* The limits as "rule:counter rule:counter:early". */
static const char *
limits(const ig_plan_t *plan)
{
    size_t       n;
    unsigned     i;

    static char  text[1024];

    for (i = 0, n = 0, text[0] = '\0'; i < plan->nlimits; i++) {
        n += (size_t) snprintf(text + n, sizeof(text) - n, "%s%.*s:%.*s%s",
                               i ? " " : "",
                               ig_fmt(plan->limit[i].rule->name),
                               ig_fmt(plan->limit[i].counter->name),
                               plan->limit[i].early ? ":early" : "");
    }

    return text;
}


/* -- which actions have a plan ------------------------------------------- */


static void
test_literals(void **state)
{
    unsigned          i;
    const ig_plan_t  *plan;

    static const char  *const name[] = {
        "a", "b", "c.d", "e", "order.create", "z"
    };

    (void) state;

    assert_int_equal(ig_policy_case_init(&c), IG_OK);
    assert_int_equal(ig_policy_case_read(&c,
        "integrity_field f $f on=z,x.*;"
        "integrity_field g $f on=*;"
        "integrity_counter k key=g window=1h on=b,decision.deny,a;"
        "integrity_counter l key=g window=1h on=e,b,*;"
        "integrity_rule r \"k > 1\" then=hold on=c.d;"), IG_OK);

    assert_int_equal(ig_policy_action(c.policy, ig_str("order.create")),
                     IG_OK);
    assert_int_equal(ig_policy_action(c.policy, ig_str("order.create")),
                     IG_OK);
    assert_int_equal(ig_policy_action(c.policy, ig_str("a")), IG_OK);
    assert_int_equal(ig_policy_action(c.policy, ig_str("Order")), IG_ERROR);
    assert_int_equal(ig_policy_action(c.policy, ig_str("")), IG_ERROR);
    assert_int_equal(ig_policy_action(c.policy, ig_str("decision.deny")),
                     IG_ERROR);
    assert_int_equal(ig_policy_action(c.policy, ig_str("decision.x")),
                     IG_ERROR);

    assert_int_equal(ig_policy_finish(c.policy, &c.err), IG_OK);
    assert_int_equal(c.policy->nplans, ig_countof(name));

    for (i = 0; i < ig_countof(name); i++) {
        assert_int_equal(c.policy->plan[i]->action.len, strlen(name[i]));
        assert_memory_equal(c.policy->plan[i]->action.data, name[i],
                            strlen(name[i]));

        plan = ig_policy_plan(c.policy, c.policy->plan[i]->action);
        assert_ptr_equal(plan, c.policy->plan[i]);
    }

    assert_null(ig_policy_plan(c.policy, ig_str("order")));
    assert_null(ig_policy_plan(c.policy, ig_str("order.created")));
    assert_null(ig_policy_plan(c.policy, ig_str("")));
    assert_null(ig_policy_plan(c.policy, ig_str("zz")));
    assert_null(ig_policy_plan(c.policy, ig_str("decision.deny")));

    ig_policy_case_free(&c);
}


static void
test_known(void **state)
{
    ig_plan_t  *plan;

    (void) state;

    ig_policy_case_make(&c,
        "integrity_field f $f;"
        "integrity_counter k key=f window=1h on=a,decision.deny;"
        "integrity_counter l key=f window=1h on=b.*;"
        "integrity_rule r \"k > 1\" then=hold on=c;");

    assert_true(ig_policy_plan(c.policy, ig_str("a"))->known);
    assert_true(ig_policy_plan(c.policy, ig_str("c"))->known);

    plan = ig_plan_make(c.policy, ig_str("b.x"), &c.mem);
    assert_true(plan->known);
    assert_string_equal(counters(plan), "k:- l:w");

    plan = ig_plan_make(c.policy, ig_str("d"), &c.mem);
    assert_false(plan->known);
    assert_non_null(plan->source[0]);

    /* a client that could choose its action must not write by it */

    plan = ig_plan_make(c.policy, ig_str("decision.deny"), &c.mem);
    assert_false(plan->known);
    assert_string_equal(counters(plan), "k:-");

    ig_policy_case_free(&c);

    ig_policy_case_make(&c,
        "integrity_field f $f;"
        "integrity_rule r \"has(f)\" then=hold;");

    assert_int_equal(c.policy->nplans, 0);

    plan = ig_plan_make(c.policy, ig_str("anything"), &c.mem);
    assert_true(plan->known);

    ig_policy_case_free(&c);
}


/* -- fields, counters, rules --------------------------------------------- */


static void
test_sources(void **state)
{
    const ig_plan_t  *plan;

    (void) state;

    ig_policy_case_make(&c,
        "integrity_field p $sku on=review.create;\n"
        "integrity_field p json:/sku on=order.*;\n"
        "integrity_field p $other;\n"
        "integrity_field late $status on=order.create;\n"
        "integrity_field unused $u on=review.create,order.create,x;\n");

    plan = ig_policy_plan(c.policy, ig_str("review.create"));
    assert_ptr_equal(plan->source[0], c.policy->source[0]);
    assert_null(plan->source[1]);
    assert_ptr_equal(plan->source[2], c.policy->source[4]);
    assert_false(plan->body);

    plan = ig_policy_plan(c.policy, ig_str("order.create"));
    assert_ptr_equal(plan->source[0], c.policy->source[1]);
    assert_ptr_equal(plan->source[1], c.policy->source[3]);
    assert_true(plan->body);

    plan = ig_policy_plan(c.policy, ig_str("x"));
    assert_ptr_equal(plan->source[0], c.policy->source[2]);
    assert_false(plan->body);

    ig_policy_case_free(&c);
}


static void
test_counters(void **state)
{
    (void) state;

    ig_policy_case_make(&c,
        "integrity_field f $f;"
        "integrity_counter unrelated key=f window=1h on=z;"
        "integrity_counter of_cond key=f window=1h on=z \"if=far > 1\";"
        "integrity_counter far key=f window=1h on=z;"
        "integrity_counter written key=f window=1h on=a,b \"if=of_cond > 1\";"
        "integrity_counter both key=f window=1h on=a;"
        "integrity_counter of_rule key=f window=1h on=z;"
        "integrity_rule one \"both > 1 && of_rule > 1\" on=a then=hold;"
        "integrity_rule two \"has(f)\" then=hold;"
        "integrity_rule three \"both > 1\" on=z then=hold;");

    assert_string_equal(counters(ig_policy_plan(c.policy, ig_str("a"))),
                        "of_cond:r written:w both:rw of_rule:r");
    assert_string_equal(rules(ig_policy_plan(c.policy, ig_str("a"))),
                        "one two");

    /* what is only read needs no if= of its own */

    assert_string_equal(counters(ig_policy_plan(c.policy, ig_str("b"))),
                        "of_cond:r written:w");
    assert_string_equal(rules(ig_policy_plan(c.policy, ig_str("b"))), "two");

    assert_string_equal(counters(ig_policy_plan(c.policy, ig_str("z"))),
                        "unrelated:w of_cond:w far:rw both:r of_rule:w");

    ig_policy_case_free(&c);
}


/* Whatever the call is, its decision may have to be counted. */
static void
test_decision_counters(void **state)
{
    (void) state;

    ig_policy_case_make(&c,
        "integrity_field f $f;"
        "integrity_counter denied key=f window=1h on=decision.deny "
        "\"if=seen > 1\";"
        "integrity_counter seen key=f window=1h on=z;"
        "integrity_counter mixed key=f window=1h on=a,decision.hold;"
        "integrity_rule r \"denied > 3\" on=b then=deny;");

    assert_string_equal(counters(ig_policy_plan(c.policy, ig_str("a"))),
                        "denied:- seen:r mixed:w");
    assert_int_equal(ig_policy_plan(c.policy, ig_str("a"))->max_ops, 3);

    assert_string_equal(counters(ig_policy_plan(c.policy, ig_str("b"))),
                        "denied:r seen:r mixed:-");
    assert_string_equal(counters(ig_policy_plan(c.policy, ig_str("z"))),
                        "denied:- seen:rw mixed:-");

    ig_policy_case_free(&c);
}


/* -- operations ---------------------------------------------------------- */


static unsigned
max_ops(const char *text)
{
    unsigned    n;
    ig_plan_t  *plan;

    ig_policy_case_make(&c, text);
    plan = ig_plan_make(c.policy, ig_str("a"), &c.mem);
    n = plan->max_ops;
    ig_policy_case_free(&c);

    return n;
}


static void
test_max_ops(void **state)
{
    char      text[65536];
    size_t    n;
    unsigned  i;

    (void) state;

    assert_int_equal(max_ops("integrity_field f $f;"), 0);

    assert_int_equal(max_ops("integrity_field f $f;"
        "integrity_counter k key=f window=1h on=a;"
        "integrity_counter l key=f window=1h on=b;"
        "integrity_rule r \"l > 1\" then=hold;"), 2);

    /* after a denial: two take-backs and three counts of it */

    assert_int_equal(max_ops("integrity_field f $f;"
        "integrity_counter k key=f window=1h on=a,decision.deny;"
        "integrity_counter l key=f window=1h on=a,decision.deny;"
        "integrity_counter m key=f window=1h on=decision.deny;"), 5);

    assert_int_equal(max_ops("integrity_field f $f;"
        "integrity_counter k key=f window=1h count=completed;"
        "integrity_counter l key=f window=1h count=completed;"), 2);

    assert_int_equal(max_ops("integrity_field f $f;"
        "integrity_counter k key=f window=1h on=a,decision.deny;"
        "integrity_counter l key=f window=1h count=completed;"), 2);

    /* a set in a key or as a value: one event is many operations */

    assert_int_equal(max_ops("integrity_field f $f;"
        "integrity_field s json:/x/* on=a;"
        "integrity_counter k key=f window=1h;"), 1);

    assert_int_equal(max_ops("integrity_field f $f;"
        "integrity_field s json:/x/* on=a;"
        "integrity_counter k key=f,s window=1h;"), IG_MAX_OPS);

    assert_int_equal(max_ops("integrity_field f $f;"
        "integrity_field s json:/x/* on=a;"
        "integrity_counter k key=f window=1h distinct=s;"), IG_MAX_OPS);

    assert_int_equal(max_ops("integrity_field f $f;"
        "integrity_field s json:/x/* on=a;"
        "integrity_counter k key=f window=1h sum=s;"), 1);

    /* a set in other actions only */

    assert_int_equal(max_ops("integrity_field f $f;"
        "integrity_field s json:/x/* on=b; integrity_field s $s;"
        "integrity_counter k key=f,s window=1h;"), 1);

    /* written by a decision alone, keyed by a set */

    assert_int_equal(max_ops("integrity_field s json:/x/*;"
        "integrity_counter k key=s window=1h on=decision.deny;"), IG_MAX_OPS);

    /* a text is as many operations as it has bands */

    assert_int_equal(max_ops("integrity_field f $f; integrity_field t $t text;"
        "integrity_counter k key=f window=1h on=a;"
        "integrity_counter l window=1h on=a similar=t;"), 1 + IG_BANDS);

    assert_int_equal(max_ops("integrity_field f $f; integrity_field t $t text;"
        "integrity_counter k key=f window=1h on=a,decision.deny;"
        "integrity_counter l window=1h on=a,decision.deny similar=t "
        "distinct=f;"), 2 + 2 * IG_BANDS);

    assert_int_equal(max_ops("integrity_field s json:/x/*;"
        "integrity_field t $t text;"
        "integrity_counter k key=s window=1h similar=t;"), IG_MAX_OPS);

    n = (size_t) sprintf(text, "integrity_field f $f;");

    for (i = 0; i < 200; i++) {
        n += (size_t) sprintf(text + n, "integrity_counter k%u key=f "
                              "window=1h on=a,decision.deny;", i);
    }

    assert_int_equal(max_ops(text), IG_MAX_OPS);
}


/* -- limits -------------------------------------------------------------- */


static const char *
limits_of(const char *text)
{
    const char       *found;
    const ig_plan_t  *plan;

    ig_policy_case_make(&c, text);

    plan = ig_plan_make(c.policy, ig_str("a"), &c.mem);
    found = limits(plan);

    ig_policy_case_free(&c);

    return found;
}


#define FIELDS                                                               \
    "integrity_field f $f; integrity_field j json:/j;"                       \
    "integrity_field s json:/x/*; integrity_field late $status on=b;"
#define COUNTER  "integrity_counter k key=f window=1h on=a;"
#define RULE     "integrity_rule r \"k > 3\" then=throttle;"


static void
test_limits(void **state)
{
    ig_plan_t  *plan;

    (void) state;

    assert_string_equal(limits_of(FIELDS COUNTER RULE), "r:k:early");

    assert_string_equal(limits_of(FIELDS COUNTER
        "integrity_rule r \"k > 3\" then=deny;"), "r:k:early");

    assert_string_equal(limits_of(FIELDS
        "integrity_counter k key=f,j window=1h on=a;" RULE), "r:k");

    assert_string_equal(limits_of(FIELDS COUNTER
        "integrity_threshold t 3;"
        "integrity_rule r \"k >= t\" then=throttle on=a;"), "r:k:early");

    /* others of the same strength or weaker change nothing */

    assert_string_equal(limits_of(FIELDS COUNTER RULE
        "integrity_counter l key=j window=1h;"
        "integrity_counter m key=j window=1h count=completed;"
        "integrity_counter n key=j window=1h on=decision.hold;"
        "integrity_rule r2 \"l > 3\" then=throttle;"
        "integrity_rule r3 \"l + k > 3\" then=throttle;"
        "integrity_rule r4 \"has(f)\" then=hold;"
        "integrity_rule r5 \"has(f)\" then=allow dry_run;"
        "integrity_rule r6 \"has(f)\" then=deny dry_run;"
        "integrity_rule r7 \"has(f)\" then=deny on=b;"
        "integrity_rule r8 \"has(f)\" score=60;"
        "integrity_rule r9 \"has(f)\" score=-60;"
        "integrity_rule r10 \"has(f)\" score=60 dry_run;"
        "integrity_scores hold=10 throttle=60 deny=61;"),
        "r:k:early r2:l");

    /* a denial is final over a throttle and over any score */

    assert_string_equal(limits_of(FIELDS COUNTER
        "integrity_rule r \"k > 3\" then=deny;"
        "integrity_rule r2 \"k > 2\" then=throttle;"
        "integrity_rule r8 \"has(f)\" score=60;"
        "integrity_scores deny=60;"), "r:k:early");

    ig_policy_case_make(&c, FIELDS COUNTER "integrity_threshold t 3;"
                        "integrity_rule r \"k >= t\" then=throttle on=a;");

    plan = ig_plan_make(c.policy, ig_str("a"), &c.mem);
    assert_ptr_equal(plan->limit[0].rule, c.policy->rule[0]);
    assert_ptr_equal(plan->limit[0].counter, c.policy->counter[0]);
    assert_true(plan->limit[0].limit.or_equal);
    assert_true(plan->limit[0].limit.is_threshold);
    assert_int_equal(plan->limit[0].limit.threshold, 0);

    ig_policy_case_free(&c);
}


static void
test_no_limits(void **state)
{
    unsigned     i;
    const char  *found;

    static const char  *const text[] = {

        /* the rule */
        FIELDS COUNTER "integrity_rule r \"k > 3\" then=throttle dry_run;",
        FIELDS COUNTER "integrity_rule r \"k > 3\" then=hold;",
        FIELDS COUNTER "integrity_rule r \"k > 3\" then=allow;",
        FIELDS COUNTER "integrity_rule r \"k > 3\" score=90;",
        FIELDS COUNTER "integrity_rule r \"k > 3 && has(f)\" then=throttle;",

        /* the counter */
        FIELDS "integrity_counter k key=f window=1h on=b;" RULE,
        FIELDS "integrity_counter k key=f window=1h exact;" RULE,
        FIELDS "integrity_counter k key=f window=1h distinct=j;" RULE,
        FIELDS "integrity_counter k key=f window=1h count=attempts;" RULE,
        FIELDS "integrity_counter k key=f window=1h count=completed;" RULE,
        FIELDS "integrity_counter k key=f window=1h warmup=1h;" RULE,
        FIELDS "integrity_counter k key=f window=1h \"if=j > 1\";" RULE,
        FIELDS "integrity_counter k key=f,s window=1h;" RULE,
        FIELDS "integrity_field t json:/t text;"
            "integrity_counter k key=f window=1h similar=t;" RULE,
        FIELDS "integrity_field late $late on=c;"
            "integrity_counter k key=late window=1h on=a;" RULE,

        /* something stronger */
        FIELDS COUNTER RULE "integrity_rule x \"has(f)\" then=allow;",
        FIELDS COUNTER RULE "integrity_rule x \"has(f)\" then=deny;",
        FIELDS COUNTER RULE
            "integrity_rule x \"has(f)\" then=hold on_error=deny;",
        FIELDS COUNTER RULE
            "integrity_rule x \"has(f)\" then=hold on_error=allow;",
        FIELDS COUNTER RULE "integrity_rule x \"has(f)\" score=61;"
            "integrity_scores deny=61;",
        FIELDS COUNTER RULE "integrity_rule x \"has(f)\" score=30;"
            "integrity_rule y \"has(j)\" score=31;"
            "integrity_scores deny=61;",
        FIELDS COUNTER RULE "integrity_rule x \"has(f)\" score=61;"
            "integrity_rule y \"has(j)\" score=-60;"
            "integrity_scores deny=61;",
        FIELDS COUNTER "integrity_rule r \"k > 3\" then=deny;"
            "integrity_rule x \"has(f)\" then=allow;",

        /* something left behind */
        FIELDS COUNTER RULE
            "integrity_counter l key=j window=1h count=attempts;",
        FIELDS COUNTER RULE
            "integrity_counter l key=j window=1h on=decision.throttle;",
        FIELDS COUNTER "integrity_rule r \"k > 3\" then=deny;"
            "integrity_counter l key=j window=1h on=decision.deny;"
    };

    (void) state;

    for (i = 0; i < ig_countof(text); i++) {

        found = limits_of(text[i]);

        if (found[0] != '\0') {
            fail_msg("%s in %s", found, text[i]);
        }
    }

    /* what is left behind by the other decision or action does not matter */

    assert_string_equal(limits_of(FIELDS COUNTER RULE
        "integrity_counter l key=j window=1h on=decision.deny;"
        "integrity_counter m key=j window=1h on=b count=attempts;"),
        "r:k:early");
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_literals),
        cmocka_unit_test(test_known),
        cmocka_unit_test(test_sources),
        cmocka_unit_test(test_counters),
        cmocka_unit_test(test_decision_counters),
        cmocka_unit_test(test_max_ops),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_no_limits)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
