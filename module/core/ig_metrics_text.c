/*
 * ig_metrics_text.c: the status page as Prometheus reads it (text format
 * 0.0.4).  Owns nothing; borrows cells in shared memory.
 * Called by the status page.
 */

#include "ig_metrics_int.h"

#define ig_text_prefix(b)  ig_buf_lit(b, "nginx_integrity_")


static void
ig_text_family(ig_buf_t *b, ig_str_t name, ig_str_t type, ig_str_t help)
{
    ig_buf_lit(b, "# HELP ");
    ig_text_prefix(b);
    ig_buf_str_add(b, name);
    ig_buf_char(b, ' ');
    ig_buf_str_add(b, help);
    ig_buf_lit(b, "\n# TYPE ");
    ig_text_prefix(b);
    ig_buf_str_add(b, name);
    ig_buf_char(b, ' ');
    ig_buf_str_add(b, type);
    ig_buf_char(b, '\n');
}


/* key="value": backslash, quote and newline are escaped. */
static void
ig_text_label(ig_buf_t *b, ig_str_t key, ig_str_t value)
{
    size_t  i;

    ig_buf_str_add(b, key);
    ig_buf_lit(b, "=\"");

    for (i = 0; i < value.len; i++) {
        switch (value.data[i]) {

        case '\n':
            ig_buf_lit(b, "\\n");
            break;

        case '\\':
        case '"':
            ig_buf_char(b, '\\');
            /* fall through */

        default:
            ig_buf_char(b, value.data[i]);
        }
    }

    ig_buf_char(b, '"');
}


static void
ig_text_scalars(ig_buf_t *b, const ig_metrics_t *m)
{
    size_t              i;
    const ig_metric_t  *metric;

    for (i = 0; i < IG_METRICS_N; i++) {
        metric = &ig_metrics_table[i];

        ig_text_family(b, metric->name, metric->type, metric->help);
        ig_text_prefix(b);
        ig_buf_str_add(b, metric->name);
        ig_buf_char(b, ' ');
        ig_buf_u64(b, ig_metrics_value(m, metric));
        ig_buf_char(b, '\n');
    }
}


/* Microseconds as seconds: exact, so that two pages give one "le". */
static void
ig_text_seconds(ig_buf_t *b, uint64_t us)
{
    uint64_t  unit;

    ig_buf_u64(b, us / 1000000);
    us %= 1000000;

    if (us > 0) {
        ig_buf_char(b, '.');
    }

    for (unit = 100000; us > 0; unit /= 10) {
        ig_buf_u64(b, us / unit);
        us %= unit;
    }
}


static void
ig_text_latency(ig_buf_t *b, const ig_metrics_t *m)
{
    uint64_t  total;
    unsigned  i;

    ig_text_family(b, ig_str("redis_latency_seconds"), ig_str("histogram"),
                   ig_str("From sending a batch to its last reply"));
    total = 0;

    for (i = 0; i < IG_LATENCY_BUCKETS; i++) {
        total += ig_metrics_cell(&m->latency[i]);

        ig_text_prefix(b);
        ig_buf_lit(b, "redis_latency_seconds_bucket{le=\"");

        if (i < IG_LATENCY_BUCKETS - 1) {
            ig_text_seconds(b, ig_metrics_bounds[i]);

        } else {
            ig_buf_lit(b, "+Inf");
        }

        ig_buf_lit(b, "\"} ");
        ig_buf_u64(b, total);
        ig_buf_char(b, '\n');
    }

    ig_text_prefix(b);
    ig_buf_lit(b, "redis_latency_seconds_sum ");
    ig_text_seconds(b, ig_metrics_cell(&m->latency_sum));
    ig_buf_char(b, '\n');

    ig_text_prefix(b);
    ig_buf_lit(b, "redis_latency_seconds_count ");
    ig_buf_u64(b, total);
    ig_buf_char(b, '\n');
}


/* One line per value of each series of a kind. */
static void
ig_text_series(ig_buf_t *b, const ig_metrics_t *m, ig_series_kind_e kind,
    ig_str_t family, ig_str_t name_label, ig_str_t value_label)
{
    unsigned            i, j, n;
    const ig_series_t  *s;

    n = ig_metrics_labels(kind);

    for (i = 0; i < IG_SERIES; i++) {
        s = &m->series[i];

        if (!ig_metrics_is(s, kind)) {
            continue;
        }

        for (j = 0; j < n; j++) {
            ig_text_prefix(b);
            ig_buf_str_add(b, family);
            ig_buf_char(b, '{');
            ig_text_label(b, name_label, (ig_str_t) { s->len, s->name });
            ig_buf_char(b, ',');
            ig_text_label(b, value_label, ig_metrics_label(kind, j));
            ig_buf_lit(b, "} ");
            ig_buf_u64(b, ig_metrics_cell(&s->value[j]));
            ig_buf_char(b, '\n');
        }
    }
}


void
ig_metrics_prometheus(ig_buf_t *b, const ig_metrics_t *m, ig_str_t version,
    ig_str_t node, ig_str_t policy)
{
    ig_str_t  family;

    ig_text_family(b, ig_str("info"), ig_str("gauge"),
                   ig_str("What is running"));
    ig_text_prefix(b);
    ig_buf_lit(b, "info{");
    ig_text_label(b, ig_str("version"), version);
    ig_buf_char(b, ',');
    ig_text_label(b, ig_str("node"), node);
    ig_buf_char(b, ',');
    ig_text_label(b, ig_str("policy"), policy);
    ig_buf_lit(b, "} 1\n");

    ig_text_scalars(b, m);
    ig_text_latency(b, m);

    family = ig_str("decisions_total");
    ig_text_family(b, family, ig_str("counter"),
                   ig_str("Decisions that took effect, by action"));
    ig_text_series(b, m, IG_SERIES_ACTION, family, ig_str("action"),
                   ig_str("decision"));

    family = ig_str("rule_total");
    ig_text_family(b, family, ig_str("counter"),
                   ig_str("What became of rules: fired, would have fired in"
                          " dry run, unknown"));
    ig_text_series(b, m, IG_SERIES_RULE, family, ig_str("rule"),
                   ig_str("result"));
}
