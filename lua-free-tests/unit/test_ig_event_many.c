/*
 * test_ig_event_many.c: a policy so large that a line holds only a part of
 * what there is to say.
 * Owns nothing.  Run by the unit tests' runner.
 */

#include "ig_policy_case.h"

#include <stdlib.h>
#include <string.h>

#include "ig_event.h"
#include "ig_json.h"

#define LONGEST  (IG_LINE_MAX - IG_CHAIN_PART)

static char  memory[IG_LINE_MAX + 1];


static void
must_have(const char *s)
{
    if (strstr(memory, s) == NULL) {
        fail_msg("no %s in %s", s, memory);
    }
}


/* 64 fields, 68 counters, 68 rules, all with long names: 8 KiB hold some. */
static void
make_many(ig_policy_case_t *c)
{
    char      *text;
    unsigned   i;
    ig_buf_t   b;

    text = malloc(65536);
    ig_buf_init(&b, text, 65536);

    for (i = 0; i < 200; i++) {
        if (i < 64) {
            ig_buf_lit(&b, "integrity_field a_field_whose_name_is_long_");
            ig_buf_u64(&b, i);
            ig_buf_lit(&b, " json:/f");
            ig_buf_u64(&b, i);

        } else if (i < 132) {
            ig_buf_lit(&b, "integrity_counter a_counter_whose_name_is_long_");
            ig_buf_u64(&b, i);
            ig_buf_lit(&b, " key=a_field_whose_name_is_long_");
            ig_buf_u64(&b, i % 64);
            ig_buf_lit(&b, " window=1h");

        } else {
            ig_buf_lit(&b, "integrity_rule a_rule_whose_name_is_long_");
            ig_buf_u64(&b, i);
            ig_buf_lit(&b, " \"a_counter_whose_name_is_long_");
            ig_buf_u64(&b, 64 + i % 68);
            ig_buf_lit(&b, " > 5\" then=hold");
        }

        ig_buf_char(&b, '\n');
    }

    ig_buf_lit(&b, "integrity_rule last \"has(a_field_whose_name_is_long_1)\""
                   " then=deny\n");
    ig_buf_char(&b, '\0');

    assert_int_equal(ig_policy_case_init(c), IG_OK);

    if (ig_policy_case_read(c, text) != IG_OK
        || ig_policy_action(c->policy, ig_str("review.create")) != IG_OK
        || ig_policy_finish(c->policy, &c->err) != IG_OK)
    {
        fail_msg("%s", c->err.text);
    }

    free(text);
}


static void
test_many(void **state)
{
    void              *block;
    ig_buf_t           b;
    unsigned           i;
    ig_call_t         *call;
    ig_json_t         *json;
    ig_place_t         place = { NULL, NULL };
    const ig_plan_t   *plan;
    ig_policy_case_t  *c;
    ig_event_host_t    host = { ig_string("POST"), ig_string("/v1/"),
                                ig_string("4e1d"), ig_string("edge-1"),
                                ig_string("") };

    (void) state;

    c = malloc(sizeof(*c));
    make_many(c);

    plan = ig_policy_plan(c->policy, ig_str("review.create"));
    block = malloc(ig_call_size(c->policy, plan));
    call = ig_call_init(block, c->policy, plan, &place, NULL,
                        ig_str(""), 0, "01KARZ3NDEKTSV4RRFFQ69G5FA");

    for (i = 0; i < c->policy->nfields; i++) {
        ig_call_set_value(call, plan->source[i],
                          (ig_value_t) { IG_STRING, 0, ig_string("a value") });
    }

    for (i = 0; i < plan->nrules; i++) {
        call->outcome[i] = IG_RULE_FIRED;
    }

    memset(memory, 0, sizeof(memory));
    ig_buf_init(&b, memory, IG_LINE_MAX);
    ig_event_decision(&b, call, &host);

    assert_false(b.full);
    ig_buf_char(&b, '}');
    assert_int_equal(ig_json_parse(ig_buf_str(&b), &json), IG_JSON_OK);
    ig_json_free(json);
    must_have("\"a_field_whose_name_is_long_0\":\"a value\"");
    must_have("\"a_counter_whose_name_is_long_64\":null");
    must_have("\"a_rule_whose_name_is_long_132\"");
    must_have("\"cut\":true");

    /* room is used up, by fields, counters and rules alike */

    assert_true(ig_buf_str(&b).len > LONGEST - 300);

    free(block);
    ig_policy_case_free(c);
    free(c);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_many)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
