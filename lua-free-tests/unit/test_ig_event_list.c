/*
 * test_ig_event_list.c: what the record of a decision tells of lists: those
 * the key is on, those not known, and what rules put on them; the record of a
 * person's change.
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

    assert_string_equal(told(c, IG_BOOL, 0, IG_BOOL),
        "\"counter\":{},\"rule\":["
        "{\"name\":\"c\",\"add\":\"banned:90m\"},"
        "{\"name\":\"d\",\"score\":3,\"add\":\"shop:7d\",\"renew\":true},"
        "{\"name\":\"e\",\"dry_run\":true}]");

    /* a key that is on the list is not put there again */

    assert_string_equal(told(c, IG_BOOL, 1, IG_BOOL),
        "\"counter\":{},\"list\":[\"banned\"],\"rule\":["
        "{\"name\":\"c\"},"
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


static void
changes_name_nobody(void **state)
{
    char             *end;
    char              memory[IG_LINE_MAX + 1], reason[2000];
    ig_buf_t          b;
    ig_call_case_t   *c;
    ig_event_list_t   e = { .time = 1795435200123, .op = ig_string("add"),
                            .until = 1795438800123, .by = ig_string("ada"),
                            .reason = ig_string("a \"ring\""),
                            .node = ig_string("edge-1") };

    (void) state;

    c = ig_call_case_make("integrity_field account $account private\n"
                          "integrity_field shop $shop\n"
                          "integrity_field other $other\n"
                          "integrity_list banned key=shop,account\n");

    ig_call_case_begin(c, "x", 1795435200123, 7);
    ig_call_case_text(c, "account", "alice");
    ig_call_case_text(c, "shop", "m-1");
    ig_call_case_text(c, "other", "o");

    e.list = c->policy->counter[0];

    memset(memory, 0, sizeof(memory));
    ig_buf_init(&b, memory, IG_LINE_MAX);
    ig_event_list(&b, c->call, &e);
    assert_false(b.full);

    assert_null(strstr(memory, "alice"));
    assert_non_null(strstr(memory, ",\"field\":{\"account\":\"p:k1:"));
    assert_non_null(strstr(memory, "\",\"shop\":\"m-1\"},\"policy\":\""));

    end = strstr(memory, ",\"field\"");
    *end = '\0';

    assert_string_equal(memory,
        "{\"v\":1,\"kind\":\"list\",\"time\":\"2026-11-23T12:00:00.123Z\","
        "\"event\":\"00000000000000000000000007\",\"op\":\"add\","
        "\"name\":\"banned\",\"until\":\"2026-11-23T13:00:00.123Z\","
        "\"reason\":\"a \\\"ring\\\"\",\"by\":\"ada\",\"tenant\":\"shop\","
        "\"node\":\"edge-1\"");

    /* a long reason is cut, what failed is said */

    memset(reason, '"', sizeof(reason));
    e.reason = (ig_str_t) { sizeof(reason), reason };
    e.until = 0;
    e.failed = true;

    memset(memory, 0, sizeof(memory));
    ig_buf_init(&b, memory, IG_LINE_MAX);
    ig_event_list(&b, c->call, &e);
    assert_false(b.full);

    assert_null(strstr(memory, "\"until\""));
    assert_non_null(strstr(memory, ",\"failed\":true,\"field\":{"));
    assert_non_null(strstr(memory, "\",\"cut\":true"));

    ig_call_case_free(c);
}


static void
questions_name_nobody(void **state)
{
    char                 memory[IG_LINE_MAX + 1];
    ig_buf_t             b;
    ig_call_case_t      *c;
    ig_event_key_t       e = { .time = 1795435200123,
                               .op = ig_string("reset"),
                               .by = ig_string("ada"),
                               .reason = ig_string("a bug"),
                               .node = ig_string("edge-1") };

    (void) state;

    c = ig_call_case_make("integrity_field account $account private\n"
                          "integrity_field other $other\n"
                          "integrity_counter n key=account window=1h\n"
                          "integrity_counter m key=account window=2h\n");

    ig_call_case_begin(c, "x", 1795435200123, 7);
    ig_call_case_text(c, "account", "alice");
    ig_call_case_text(c, "other", "o");

    e.counter = (const ig_counter_t *const *) c->policy->counter;
    e.ncounters = 2;

    memset(memory, 0, sizeof(memory));
    ig_buf_init(&b, memory, IG_LINE_MAX);
    ig_event_of_key(&b, c->call, &e);
    assert_false(b.full);

    assert_null(strstr(memory, "alice"));
    assert_null(strstr(memory, "other"));
    assert_non_null(strstr(memory,
        "{\"v\":1,\"kind\":\"key\",\"time\":\"2026-11-23T12:00:00.123Z\","
        "\"event\":\"00000000000000000000000007\",\"op\":\"reset\","
        "\"reason\":\"a bug\",\"by\":\"ada\",\"tenant\":\"shop\","
        "\"node\":\"edge-1\",\"counter\":[\"n\",\"m\"],"
        "\"field\":{\"account\":\"p:k1:"));

    e.failed = true;
    memset(memory, 0, sizeof(memory));
    ig_buf_init(&b, memory, IG_LINE_MAX);
    ig_event_of_key(&b, c->call, &e);
    assert_non_null(strstr(memory, ",\"failed\":true,\"counter\":["));

    ig_call_case_free(c);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_tell_of_lists),
        cmocka_unit_test(changes_name_nobody),
        cmocka_unit_test(questions_name_nobody)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
