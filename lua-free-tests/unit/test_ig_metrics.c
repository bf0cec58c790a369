/*
 * test_ig_metrics.c: series that are found again, buckets, and both pages.
 * Owns nothing.  Run by the unit tests' runner.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ig_json.h"
#include "ig_metrics.h"

static ig_metrics_t  m;
static char          page[IG_METRICS_PAGE + 1];


static int
setup(void **state)
{
    (void) state;

    memset(&m, 0, sizeof(m));

    return 0;
}


typedef void (*render_pt)(ig_buf_t *b, const ig_metrics_t *metrics,
    ig_str_t version, ig_str_t node, ig_str_t policy);


static void
render(render_pt write)
{
    ig_buf_t  b;

    ig_buf_init(&b, page, IG_METRICS_PAGE);
    write(&b, &m, ig_str("0.1.0"), ig_str("edge-1"), ig_str("abcdef"));
    assert_false(b.full);
    *b.pos = '\0';
}


static void
must_have(const char *s)
{
    if (strstr(page, s) == NULL) {
        fail_msg("no \"%s\" in:\n%.6000s", s, page);
    }
}


static void
test_series(void **state)
{
    int  a, b, c;

    (void) state;

    a = ig_metrics_series(&m, IG_SERIES_ACTION, ig_str("review.create"));
    b = ig_metrics_series(&m, IG_SERIES_RULE, ig_str("review.create"));
    c = ig_metrics_series(&m, IG_SERIES_ACTION, ig_str("review.creat"));

    assert_true(a >= 0 && b >= 0 && c >= 0);
    assert_true(a != b && a != c && b != c);

    assert_int_equal(ig_metrics_series(&m, IG_SERIES_ACTION,
                                       ig_str("review.create")), a);
    assert_int_equal(ig_metrics_series(&m, IG_SERIES_RULE,
                                       ig_str("review.create")), b);
    assert_int_equal(ig_metrics_series(&m, IG_SERIES_ACTION,
                                       ig_str("review.creat")), c);
    assert_int_equal(m.series_refused, 0);
}


/* A name of full length for series i. */
static ig_str_t
long_name(unsigned i, char name[IG_SERIES_NAME])
{
    memset(name, 'n', IG_SERIES_NAME);
    name[0] = (char) ('a' + i % 26);
    name[1] = (char) ('a' + i / 26);

    return (ig_str_t) { IG_SERIES_NAME, name };
}


static void
test_full_table(void **state)
{
    int       index[IG_SERIES], again;
    char      name[IG_SERIES_NAME + 1];
    unsigned  i;

    (void) state;

    for (i = 0; i < IG_SERIES; i++) {
        index[i] = ig_metrics_series(&m, IG_SERIES_ACTION, long_name(i, name));
        assert_true(index[i] >= 0);
    }

    assert_int_equal(ig_metrics_series(&m, IG_SERIES_ACTION,
                                       ig_str("one.more")), -1);
    assert_int_equal(m.series_refused, 1);

    for (i = 0; i < IG_SERIES; i++) {
        again = ig_metrics_series(&m, IG_SERIES_ACTION, long_name(i, name));
        assert_int_equal(again, index[i]);
    }

    /* the largest page there is, with the largest numbers */

    memset(m.latency, 0xff, sizeof(m.latency));
    m.calls = UINT64_MAX;

    for (i = 0; i < IG_SERIES; i++) {
        memset(m.series[i].value, 0xff, sizeof(m.series[i].value));
    }

    render(ig_metrics_prometheus);
    render(ig_metrics_json);
}


/* An action and a rule may share a name, however close they lie. */
static void
test_same_name(void **state)
{
    int       action, rule;
    char      name[IG_SERIES_NAME];
    unsigned  i;

    (void) state;

    action = ig_metrics_series(&m, IG_SERIES_ACTION, long_name(0, name));

    for (i = 1; i < IG_SERIES - 1; i++) {
        assert_true(ig_metrics_series(&m, IG_SERIES_ACTION,
                                      long_name(i, name)) >= 0);
    }

    rule = ig_metrics_series(&m, IG_SERIES_RULE, long_name(0, name));
    assert_true(rule >= 0 && rule != action);
    assert_int_equal(m.series[action].kind, IG_SERIES_ACTION);
    assert_int_equal(m.series[rule].kind, IG_SERIES_RULE);
}


static void
test_name_length(void **state)
{
    char  name[IG_SERIES_NAME + 1];

    (void) state;

    memset(name, 'x', sizeof(name));

    assert_true(ig_metrics_series(&m, IG_SERIES_RULE,
                                  (ig_str_t) { IG_SERIES_NAME, name }) >= 0);
    assert_int_equal(ig_metrics_series(&m, IG_SERIES_RULE,
                                       (ig_str_t) { IG_SERIES_NAME + 1,
                                                    name }), -1);
    assert_int_equal(m.series_refused, 1);
}


static void
test_latency(void **state)
{
    unsigned  i;
    uint64_t  sum;

    static const struct {
        uint64_t  us;
        unsigned  bucket;
    } cases[] = {
        { 0, 0 }, { 100, 0 }, { 101, 1 }, { 200, 1 }, { 1000, 3 }, { 1001, 4 },
        { 100000, 9 }, { 100001, 10 }, { UINT32_MAX, 10 }
    };

    (void) state;

    sum = 0;

    for (i = 0; i < ig_countof(cases); i++) {
        memset(m.latency, 0, sizeof(m.latency));
        ig_metrics_latency(&m, cases[i].us);
        sum += cases[i].us;

        assert_int_equal(m.latency[cases[i].bucket], 1);
        assert_int_equal(m.latency_sum, sum);
    }
}


static void
fill(void)
{
    int  action, rule;

    ig_metric_add(&m, calls, 7);
    ig_metric_add(&m, eval_degraded, 2);
    ig_metric_add(&m, redis_breaker, 1);
    ig_metric_add(&m, audit_dropped, 3);
    ig_metric_add(&m, store_slots, 4096);

    action = ig_metrics_series(&m, IG_SERIES_ACTION, ig_str("review.create"));
    ig_metric_add(&m.series[action], value[IG_ALLOW], 5);
    ig_metric_add(&m.series[action], value[IG_DENY], 2);

    rule = ig_metrics_series(&m, IG_SERIES_RULE, ig_str("too_fast"));
    ig_metric_add(&m.series[rule], value[0], 11);
    ig_metric_add(&m.series[rule], value[1], 12);
    ig_metric_add(&m.series[rule], value[2], 13);

    ig_metrics_latency(&m, 150);
    ig_metrics_latency(&m, 900);
    ig_metrics_latency(&m, 2000000);
}


static void
test_json(void **state)
{
    ig_json_t  *json;

    (void) state;

    fill();
    render(ig_metrics_json);

    assert_int_equal(ig_json_parse((ig_str_t) { strlen(page), page }, &json),
                     IG_JSON_OK);
    ig_json_free(json);

    must_have("{\"version\":\"0.1.0\",\"node\":\"edge-1\","
              "\"policy\":\"abcdef\",\"calls\":{\"calls\":7,");
    must_have("\"evaluation\":{\"complete\":0,\"cached\":0,\"degraded\":2,"
              "\"skipped\":0}");
    must_have("\"redis\":{\"up\":0,\"breaker\":1,");
    must_have("\"latency\":{\"sum_us\":2001050,\"bucket\":["
              "{\"up_to_us\":100,\"batches\":0},"
              "{\"up_to_us\":200,\"batches\":1},"
              "{\"up_to_us\":500,\"batches\":0},"
              "{\"up_to_us\":1000,\"batches\":1},");
    must_have("{\"up_to_us\":null,\"batches\":1}]}}");
    must_have("\"audit\":{\"lines\":0,\"dropped\":3,\"writes\":0}");
    must_have("\"store\":{\"slots\":4096,");
    must_have("\"action\":{\"review.create\":{\"allow\":5,\"hold\":0,"
              "\"throttle\":0,\"deny\":2}}");
    must_have("\"rule\":{\"too_fast\":{\"fired\":11,\"would\":12,"
              "\"unknown\":13}}}\n");
}


static void
test_prometheus(void **state)
{
    (void) state;

    fill();
    render(ig_metrics_prometheus);

    must_have("# HELP nginx_integrity_info What is running\n"
              "# TYPE nginx_integrity_info gauge\n"
              "nginx_integrity_info{version=\"0.1.0\",node=\"edge-1\","
              "policy=\"abcdef\"} 1\n");
    must_have("# HELP nginx_integrity_calls_total Calls decided\n"
              "# TYPE nginx_integrity_calls_total counter\n"
              "nginx_integrity_calls_total 7\n");
    must_have("# TYPE nginx_integrity_redis_breaker_open gauge\n"
              "nginx_integrity_redis_breaker_open 1\n");
    must_have("# TYPE nginx_integrity_redis_latency_seconds histogram\n"
              "nginx_integrity_redis_latency_seconds_bucket{le=\"0.0001\"} 0\n"
              "nginx_integrity_redis_latency_seconds_bucket{le=\"0.0002\"} 1\n"
              "nginx_integrity_redis_latency_seconds_bucket{le=\"0.0005\"} 1\n"
              "nginx_integrity_redis_latency_seconds_bucket{le=\"0.001\"} 2\n");
    must_have("_bucket{le=\"0.1\"} 2\n"
              "nginx_integrity_redis_latency_seconds_bucket{le=\"+Inf\"} 3\n"
              "nginx_integrity_redis_latency_seconds_sum 2.00105\n"
              "nginx_integrity_redis_latency_seconds_count 3\n");
    must_have("nginx_integrity_decisions_total{action=\"review.create\","
              "decision=\"allow\"} 5\n");
    must_have("nginx_integrity_decisions_total{action=\"review.create\","
              "decision=\"deny\"} 2\n");
    must_have("nginx_integrity_rule_total{rule=\"too_fast\","
              "result=\"would\"} 12\n");
}


/* The format itself: one HELP and one TYPE before the samples of a family. */
static void
test_families(void **state)
{
    char    *line, *next, type[128], start[160];
    size_t   len, samples;

    (void) state;

    fill();
    render(ig_metrics_prometheus);

    type[0] = '\0';
    samples = 0;

    for (line = page; *line != '\0'; line = next) {
        next = strchr(line, '\n');
        assert_non_null(next);
        *next++ = '\0';

        if (strncmp(line, "# HELP ", 7) == 0) {
            len = strcspn(line + 7, " ");
            snprintf(type, sizeof(type), "%.*s", (int) len, line + 7);
            snprintf(start, sizeof(start), "# TYPE %s ", type);
            assert_int_equal(strncmp(next, start, strlen(start)), 0);

            /* a family has one place */

            snprintf(start, sizeof(start), "# HELP %s ", type);
            assert_null(strstr(next, start));

        } else if (strncmp(line, "# TYPE ", 7) != 0) {
            assert_int_equal(strncmp(line, type, strlen(type)), 0);
            samples++;
        }
    }

    assert_true(samples > 40);
}


static void
test_labels(void **state)
{
    ig_buf_t  b;

    (void) state;

    ig_buf_init(&b, page, IG_METRICS_PAGE);
    ig_metrics_prometheus(&b, &m, ig_str("a\"b\\c\nd"), ig_str(""),
                          ig_str(""));
    *b.pos = '\0';
    must_have("{version=\"a\\\"b\\\\c\\nd\",node=\"\"");
}


static void
test_small_page(void **state)
{
    ig_buf_t  b;

    (void) state;

    ig_buf_init(&b, page, 100);
    ig_metrics_json(&b, &m, ig_str(""), ig_str(""), ig_str(""));
    assert_true(b.full);

    ig_buf_init(&b, page, 100);
    ig_metrics_prometheus(&b, &m, ig_str(""), ig_str(""), ig_str(""));
    assert_true(b.full);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup(test_series, setup),
        cmocka_unit_test_setup(test_full_table, setup),
        cmocka_unit_test_setup(test_same_name, setup),
        cmocka_unit_test_setup(test_name_length, setup),
        cmocka_unit_test_setup(test_latency, setup),
        cmocka_unit_test_setup(test_json, setup),
        cmocka_unit_test_setup(test_prometheus, setup),
        cmocka_unit_test_setup(test_families, setup),
        cmocka_unit_test_setup(test_labels, setup),
        cmocka_unit_test_setup(test_small_page, setup)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
