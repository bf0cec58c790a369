/*
 * test_ig_ctl_line.c: lines of the audit log taken apart, by value.
 * Owns nothing.  Called by make test.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "ig_ctl_line.h"

#define HEAD  "{\"v\":1,\"kind\":\"decision\",\"time\":"                      \
              "\"2023-11-14T22:13:20.500Z\""
#define WHEN  INT64_C(1700000000500)


static ig_str_t
str(const char *text)
{
    return (ig_str_t) { strlen(text), text };
}


#define assert_str(s, literal)                                                \
    assert_true(ig_str_eq(s, (ig_str_t) { sizeof(literal) - 1, literal }))


static ig_audit_line_t
parse(const char *text)
{
    const char       *why;
    ig_audit_line_t   line;

    assert_int_equal(ig_audit_parse(str(text), &line, &why), IG_OK);

    return line;
}


static void
the_head_is_read_without_parsing(void **state)
{
    int64_t          time;
    unsigned         i;
    ig_audit_kind_e  kind;

    static const char *const  other[] = {
        "", "{", "{\"v\":1,\"kind\":\"decision\"",
        "{\"v\":2,\"kind\":\"decision\",\"time\":\"2023-11-14T22:13:20.500Z\"",
        "{\"v\":1,\"kind\":\"decision\",\"time\":\"2023-11-14T22:13:20.500Z",
        "{\"v\":1,\"kind\":\"decision\",\"time\":\"yesterday\"}",
        "{ \"v\":1,\"kind\":\"decision\",\"time\":\"2023-11-14T22:13:20.500Z\""
    };

    (void) state;

    assert_true(ig_audit_head(str(HEAD "}"), &kind, &time));
    assert_int_equal(kind, IG_AUDIT_DECISION);
    assert_int_equal(time, WHEN);

    for (i = 0; i < ig_countof(other); i++) {
        assert_false(ig_audit_head(str(other[i]), &kind, &time));
    }
}


static void
the_prefix_ends_where_clients_begin(void **state)
{
    ig_audit_prefix_t  p;

    (void) state;

    ig_audit_prefix(str(HEAD ",\"event\":\"E\",\"action\":\"a.b\","
                        "\"decision\":\"hold\",\"mode\":\"enforce\"}"), &p);
    assert_str(p.event, "E");
    assert_str(p.action, "a.b");
    assert_str(p.decision, "hold");

    ig_audit_prefix(str(HEAD ",\"action\":\"a\",\"method\":\"POST\"}"), &p);
    assert_int_equal(p.event.len, 0);
    assert_str(p.action, "a");

    /* what stands later is not taken for it */
    ig_audit_prefix(str(HEAD ",\"node\":\"n\",\"event\":\"E\"}"), &p);
    assert_int_equal(p.event.len, 0);
}


static void
a_decision_is_taken_apart(void **state)
{
    double            n;
    ig_audit_line_t   line;
    ig_audit_items_t  item;
    ig_audit_rules_t  rule;

    (void) state;

    line = parse(HEAD ",\"event\":\"E\",\"action\":\"a.b\",\"decision\":\"hold\","
                 "\"mode\":\"dry_run\",\"score\":-3,\"would\":\"deny\","
                 "\"new_keys\":true,\"field\":{\"a\":null,\"s\":[\"x\",7],"
                 "\"b\":true,\"r\":4.5,\"t\":\"\\u0000\"},"
                 "\"list\":[\"l1\",\"l2\"],\"rule\":[{\"name\":\"r1\","
                 "\"score\":60},{\"name\":\"r2\",\"decision\":\"deny\","
                 "\"dry_run\":true,\"add\":\"l1:1d\",\"threshold\":{\"t\":10}}],"
                 "\"chain\":\"c\",\"seq\":9007199254740993}");

    assert_int_equal(line.kind, IG_AUDIT_DECISION);
    assert_int_equal(line.time, WHEN);
    assert_int_equal(line.decision, IG_HOLD);
    assert_int_equal(line.would, IG_DENY);
    assert_true(line.dry_run);
    assert_int_equal(line.score, -3);
    assert_int_equal(line.would_score, -3);
    assert_true(line.seq == UINT64_C(9007199254740993));
    assert_true(ig_audit_true(&line, "new_keys"));
    assert_false(ig_audit_true(&line, "aborted"));
    assert_false(ig_audit_number(&line, "dropped", &n));

    ig_audit_items(&line, "field", &item);
    assert_true(ig_audit_next(&item));
    assert_str(item.name, "a");
    assert_int_equal(item.value.type, IG_UNKNOWN);
    assert_true(ig_audit_next(&item));
    assert_str(item.name, "s");
    assert_true(item.in_set);
    assert_str(item.value.str, "x");
    assert_true(ig_audit_next(&item));
    assert_str(item.name, "s");
    assert_str(item.value.str, "7");
    assert_true(ig_audit_next(&item));
    assert_false(item.in_set);
    assert_int_equal(item.value.type, IG_BOOL);
    assert_true(ig_audit_next(&item));
    assert_true(item.value.num == 4.5 && item.value.str.len == 0);
    assert_true(ig_audit_next(&item));
    assert_int_equal(item.value.str.len, 1);
    assert_false(ig_audit_next(&item));

    ig_audit_items(&line, "list", &item);
    assert_true(ig_audit_next(&item));
    assert_str(item.value.str, "l1");
    assert_true(ig_audit_next(&item));
    assert_false(ig_audit_next(&item));

    ig_audit_rules(&line, &rule);
    assert_true(ig_audit_next_rule(&rule));
    assert_int_equal(rule.decision, IG_NO_DECISION);
    assert_true(rule.has_score && rule.score == 60 && !rule.dry_run);
    assert_true(ig_audit_next_rule(&rule));
    assert_str(rule.name, "r2");
    assert_true(rule.dry_run && !rule.has_score);
    assert_str(rule.add, "l1:1d");
    ig_audit_thresholds(&rule, &item);
    assert_true(ig_audit_next(&item));
    assert_str(item.name, "t");
    assert_true(item.value.num == 10);
    assert_false(ig_audit_next_rule(&rule));

    ig_audit_free(&line);
}


static void
what_is_missing_or_of_another_type_is_empty(void **state)
{
    ig_audit_line_t   line;
    ig_audit_items_t  item;
    ig_audit_rules_t  rule;

    (void) state;

    line = parse("{\"time\":\"2023-11-14T22:13:20.500Z\",\"kind\":\"new\","
                 "\"event\":7,\"field\":3,\"list\":{},\"rule\":{\"a\":1},"
                 "\"seq\":-1}");

    assert_int_equal(line.kind, IG_AUDIT_OTHER);
    assert_str(line.kind_name, "new");
    assert_int_equal(line.event.len, 0);
    assert_int_equal(line.decision, IG_NO_DECISION);
    assert_int_equal(line.seq, 0);
    ig_audit_items(&line, "field", &item);
    assert_false(ig_audit_next(&item));
    ig_audit_items(&line, "counter", &item);
    assert_false(ig_audit_next(&item));
    ig_audit_rules(&line, &rule);
    assert_false(ig_audit_next_rule(&rule));

    ig_audit_free(&line);
}


static void
what_is_no_line_is_refused(void **state)
{
    unsigned          i;
    const char       *why;
    ig_audit_line_t   line;

    static const char *const  test[] = {
        "", "x", "[]", "7", "{}", HEAD, HEAD "}}", HEAD ",\"v\":1}",
        "{\"kind\":\"decision\"}", "{\"time\":\"2023-11-14T22:13:20.500Z\"}",
        "{\"kind\":\"decision\",\"time\":1700000000}",
        "{\"kind\":\"decision\",\"time\":\"2023-11-14\"}"
    };

    (void) state;

    for (i = 0; i < ig_countof(test); i++) {
        why = NULL;
        assert_int_equal(ig_audit_parse(str(test[i]), &line, &why), IG_ERROR);
        assert_non_null(why);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(the_head_is_read_without_parsing),
        cmocka_unit_test(the_prefix_ends_where_clients_begin),
        cmocka_unit_test(a_decision_is_taken_apart),
        cmocka_unit_test(what_is_missing_or_of_another_type_is_empty),
        cmocka_unit_test(what_is_no_line_is_refused)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
