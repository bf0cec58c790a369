/*
 * test_ig_policy_list.c: integrity_list: what it may say, and what rules, if=
 * and plans make of it.
 * Mirrors module/core/ig_policy_list.c.
 */

#include "ig_policy_case.h"

#include <string.h>


#define FIELDS  "integrity_field a $a; integrity_field b $b; "               \
                "integrity_field t json:/t text; "                           \
                "integrity_field late $status; "                             \
                "integrity_field mixed $status on=x; "                       \
                "integrity_field mixed $m; "


static ig_policy_case_t  c, d;


static void
test_list(void **state)
{
    const ig_counter_t  *list;

    (void) state;

    ig_policy_case_make(&c, FIELDS
        "integrity_list banned key=b,a;"
        "integrity_list banned key=a,b;"
        "integrity_list mixes key=mixed;"
        "integrity_rule r banned add=banned:90m then=deny;"
        "integrity_rule s mixes on=y then=allow;");

    assert_int_equal(c.policy->ncounters, 2);

    list = ig_policy_counter(c.policy, ig_str("banned"));
    assert_non_null(list);

    assert_int_equal(list->kind, IG_LISTED);
    assert_int_equal(list->when, IG_ATTEMPTS);
    assert_int_equal(list->warmup, 0);
    assert_int_equal(list->nkey, 2);
    assert_str(c.policy->field[list->key[0]]->name, "a");
    assert_str(list->shape, "u0");

    assert_int_equal(c.policy->rule[0]->add, list->id);
    assert_int_equal(c.policy->rule[0]->add_ttl, 5400000);
    assert_false(c.policy->rule[0]->renew);
    assert_int_equal(c.policy->rule[1]->add, -1);

    ig_policy_case_free(&c);
}


/* A list and a counter of the same name and key never share what is stored. */
static void
test_ident(void **state)
{
    (void) state;

    ig_policy_case_make(&c, FIELDS "integrity_list k key=a;");
    ig_policy_case_make(&d, FIELDS "integrity_list k key=b;");

    assert_memory_not_equal(c.policy->counter[0]->ident,
                            d.policy->counter[0]->ident, 8);
    ig_policy_case_free(&d);

    ig_policy_case_make(&d, FIELDS "integrity_counter k key=a window=1h last;");
    assert_memory_not_equal(c.policy->counter[0]->ident,
                            d.policy->counter[0]->ident, 8);

    ig_policy_case_free(&c);
    ig_policy_case_free(&d);
}


/* No action writes a list; a plan has it where something reads it. */
static void
test_plan(void **state)
{
    const ig_plan_t  *plan;

    (void) state;

    ig_policy_case_make(&c, FIELDS
        "integrity_field set json:/s/* on=w;"
        "integrity_list banned key=a;"
        "integrity_list wide key=set;"
        "integrity_counter n on=x key=a window=1h;"
        "integrity_counter den on=decision.deny key=a window=1h \"if=!banned\";"
        "integrity_rule r \"n > 5\" on=x then=deny;"
        "integrity_rule s \"den >= 5\" on=x,y add=banned:7d;"
        "integrity_rule w \"b == 1\" on=w add=wide:7d;"
        "integrity_rule o \"b == 1\" on=v,y then=deny;");

    assert_true(c.policy->counter[3]->cond_late);

    /* n, den, and the list that den's if= reads; never written */

    plan = ig_policy_plan(c.policy, ig_str("x"));
    assert_int_equal(plan->ncounters, 3);
    assert_str(plan->counter[0].counter->name, "banned");
    assert_false(plan->counter[0].writes);
    assert_true(plan->counter[0].reads);

    /* what the settled call may write: n's take-back, den, and the list */
    assert_int_equal(plan->max_ops, 3);

    /* a call that puts keys on a list is evaluated whole */
    assert_int_equal(plan->nlimits, 0);

    plan = ig_policy_plan(c.policy, ig_str("y"));
    assert_int_equal(plan->ncounters, 2);

    plan = ig_policy_plan(c.policy, ig_str("w"));
    assert_int_equal(plan->max_ops, IG_MAX_OPS);

    ig_policy_case_free(&c);
}


/* What is answered from memory must be what the lists would have said. */
static void
test_limits(void **state)
{
    unsigned  i;

    static const struct {
        const char  *rules;
        unsigned     nlimits;
    } test[] = {
        { "integrity_rule r \"n > 5\" then=throttle;", 1 },
        { "integrity_rule r \"n > 5\" then=throttle;"
          "integrity_rule s l then=allow;", 0 },
        { "integrity_rule r \"n > 5\" then=throttle;"
          "integrity_rule s l then=deny;", 0 },
        { "integrity_rule r \"n > 5\" then=throttle;"
          "integrity_rule s l then=hold;", 1 },
        { "integrity_rule r \"n > 5\" then=deny;"
          "integrity_rule s l then=deny;", 1 },
        { "integrity_rule r \"n > 5\" then=deny add=l:1h;", 0 },
        { "integrity_rule r \"n > 5\" then=deny;"
          "integrity_rule s \"b == 1\" add=l:1h;", 0 },
        { "integrity_rule r \"n > 5\" then=deny;"
          "integrity_rule s \"b == 1\" add=l:1h dry_run;", 1 },
        { "integrity_rule r \"n > 5 && l\" then=throttle;", 0 }
    };

    (void) state;

    for (i = 0; i < ig_countof(test); i++) {
        char  text[1024];

        strcpy(text, FIELDS "integrity_list l key=a; integrity_counter n on=x "
                     "key=a window=1h; ");
        strcat(text, test[i].rules);

        ig_policy_case_make(&c, text);

        if (ig_policy_plan(c.policy, ig_str("x"))->nlimits != test[i].nlimits) {
            fail_msg("%s", test[i].rules);
        }

        ig_policy_case_free(&c);
    }
}


static const ig_policy_refusal_t  refusal[] = {

    { "integrity_list;", 1, "integrity_list: needs a name and key=" },

    { "integrity_list l;", 1, "integrity_list: \"l\" has no key=FIELD,..." },

    { "integrity_list l-m key=a;", 1,
      "integrity_list: \"l-m\" is no name: letters, digits and \"_\", not a "
      "digit first, at most 64" },

    { "integrity_list has key=a;", 1,
      "integrity_list: \"has\" is a word of the expression language, choose "
      "another name" },

    { "integrity_list l key=a window=1h;", 1,
      "integrity_list: \"window=1h\" is no parameter of it, those are key=" },

    { FIELDS "\nintegrity_list l key=nobody;", 2,
      "integrity_list: list \"l\" is keyed by \"nobody\", which is no field" },

    { FIELDS "\nintegrity_list l key=t;", 2,
      "integrity_list: list \"l\" is keyed by \"t\", which is a text: only its "
      "fingerprint is kept" },

    { FIELDS "\nintegrity_list a key=b;", 2,
      "integrity_list: \"a\" is already the name of a field, in test.conf:1" },

    { FIELDS "integrity_list l key=a;\nintegrity_counter l key=a window=1h;", 2,
      "integrity_counter: \"l\" is already the name of a list, in "
      "test.conf:1" },

    { FIELDS "integrity_counter l key=a window=1h;\nintegrity_list l key=a;", 2,
      "integrity_list: \"l\" is already the name of a counter, in "
      "test.conf:1" },

    { "integrity_rule r true add=banned;", 1,
      "integrity_rule: \"add=banned\" is not LIST:TIME, as banned:7d" },

    { "integrity_rule r true add=ban-ned:7d;", 1,
      "integrity_rule: \"ban-ned\" is no name: letters, digits and \"_\", not "
      "a digit first, at most 64" },

    { "integrity_rule r true add=banned:;", 1,
      "integrity_rule: \"add=banned:\": \"\" is no duration, as 90s, 1h30m or "
      "7d" },

    { "integrity_rule r true add=banned:soon;", 1,
      "integrity_rule: \"add=banned:soon\": \"soon\" is no duration, as 90s, "
      "1h30m or 7d" },

    { "integrity_rule r true add=banned:999ms;", 1,
      "integrity_rule: \"add=banned:999ms\": \"999ms\" is not between 1s and "
      "10y" },

    { "integrity_rule r true add=banned:3651d;", 1,
      "integrity_rule: \"add=banned:3651d\": \"3651d\" is not between 1s and "
      "10y" },

    { "integrity_rule r true then=deny renew;", 1,
      "integrity_rule: \"r\" has renew without add=LIST:TIME" },

    { FIELDS "\nintegrity_rule r true add=nothing:7d;", 2,
      "integrity_rule: rule \"r\" adds to \"nothing\", which is no list" },

    { FIELDS "integrity_counter k key=a window=1h;\n"
      "integrity_rule r true add=k:7d;", 2,
      "integrity_rule: rule \"r\" adds to \"k\", which is no list" },

    { FIELDS "integrity_list l key=late;\nintegrity_rule r true add=l:7d;", 2,
      "integrity_rule: rule \"r\" adds to \"l\", which is keyed by \"late\", "
      "which comes with the answer, after the decision" },

    { FIELDS "integrity_list l key=late;\nintegrity_rule r l then=deny;", 2,
      "integrity_rule: rule \"r\" reads \"l\", which is keyed by \"late\", "
      "which comes with the answer, after the decision" },

    { FIELDS "integrity_list l key=a;\nintegrity_rule r \"l > 1\" then=deny;",
      2, "integrity_rule: rule \"r\": \"l\" at column 1 of \"l > 1\" is true "
      "or false and is compared with a number" },

    { FIELDS "integrity_list l key=a; integrity_rule r l add=l:7d;\n"
      "integrity_rule r l add=l:7d renew;", 2,
      "integrity_rule: \"r\" is defined differently in test.conf:1" },

    { FIELDS "integrity_list l key=a;\nintegrity_list l key=b;", 2,
      "integrity_list: \"l\" is defined differently in test.conf:1" }
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
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_ident),
        cmocka_unit_test(test_plan),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_refused)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
