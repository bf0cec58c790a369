/*
 * test_ig_event_list.c: what the record of a decision tells of lists: those
 * the key is on, those not known, and what rules put on them.
 * Owns nothing.  Run by the unit tests' runner.
 */

#include "ig_call_case.h"
#include "ig_event.h"

#include <string.h>


static const char  policy[] =
    "integrity_list banned key=account\n"
    "integrity_list trusted key=device\n"
    "integrity_list shop key=account,device\n"
    "integrity_rule a banned then=deny\n"
    "integrity_rule b trusted then=allow\n"
    "integrity_rule c \"amount > 1\" add=banned:90m\n"
    "integrity_rule d \"amount > 1\" add=shop:7d renew score=3\n"
    "integrity_rule e \"amount > 1\" add=shop:7d dry_run\n";


/* The line between "counter" and "policy" of a call with these values. */
static const char *
told(ig_call_case_t *c, ig_type_e banned, double is, ig_type_e trusted)
{
    char             *start, *end;
    ig_buf_t          b;
    ig_event_host_t   host;

    static char  memory[IG_LINE_MAX + 1];

    ig_call_case_text(c, "amount", "2");
    ig_call_case_decide(c);

    c->call->counter[0] = (ig_value_t) { .type = banned, .num = is };
    c->call->counter[1] = (ig_value_t) { .type = trusted };

    memset(memory, 0, sizeof(memory));
    memset(&host, 0, sizeof(host));
    ig_buf_init(&b, memory, IG_LINE_MAX);
    ig_event_decision(&b, c->call, &host);
    assert_false(b.full);

    start = strstr(memory, "\"counter\":");
    assert_non_null(start);
    end = strstr(start, ",\"policy\":");
    assert_non_null(end);
    *end = '\0';

    return start;
}


static void
events_tell_of_lists(void **state)
{
    ig_call_case_t  *c;

    (void) state;

    c = ig_call_case_fields(policy);

    ig_call_case_begin(c, "x", 1700000000000, 1);
    ig_call_case_text(c, "account", "u");
    ig_call_case_text(c, "device", "v");

    /* shop is only written: nobody asked whether the key is on it */

    assert_string_equal(told(c, IG_BOOL, 1, IG_BOOL),
        "\"counter\":{},\"list\":[\"banned\"],\"rule\":["
        "{\"name\":\"c\",\"add\":\"banned:90m\"},"
        "{\"name\":\"d\",\"score\":3,\"add\":\"shop:7d\",\"renew\":true},"
        "{\"name\":\"e\",\"dry_run\":true}]");

    /* without a device neither is its list known, nor can the rule add */

    ig_call_case_begin(c, "x", 1700000000000, 2);
    ig_call_case_text(c, "account", "u");

    assert_string_equal(told(c, IG_UNKNOWN, 0, IG_MISSING),
        "\"counter\":{},\"list_unknown\":[\"banned\"],\"rule\":["
        "{\"name\":\"c\",\"add\":\"banned:90m\"},"
        "{\"name\":\"d\",\"score\":3},"
        "{\"name\":\"e\",\"dry_run\":true}]");

    /* a place in dry run adds nothing */

    c->dry_run = true;
    ig_call_case_begin(c, "x", 1700000000000, 3);
    ig_call_case_text(c, "account", "u");
    ig_call_case_text(c, "device", "v");

    assert_string_equal(told(c, IG_BOOL, 0, IG_BOOL),
        "\"counter\":{},\"rule\":[{\"name\":\"c\"},"
        "{\"name\":\"d\",\"score\":3},{\"name\":\"e\",\"dry_run\":true}]");

    ig_call_case_free(c);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_tell_of_lists)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
