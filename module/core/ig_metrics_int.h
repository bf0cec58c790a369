/*
 * ig_metrics_int.h: the metrics as a table, and how their cells are read.
 * Owns nothing.  Included by ig_metrics*.c alone.
 */

#ifndef IG_METRICS_INT_H
#define IG_METRICS_INT_H

#include "ig_metrics.h"

typedef struct {
    ig_str_t  member;
    ig_str_t  name;
    ig_str_t  type;
    ig_str_t  help;
    size_t    offset;
} ig_metric_t;

#define X(member, name, type, help)  + 1
enum { IG_METRICS_N = 0 IG_METRICS(X) };
#undef X

#define IG_RULE_RESULTS  3

extern const ig_metric_t  ig_metrics_table[IG_METRICS_N];
extern const uint64_t     ig_metrics_bounds[IG_LATENCY_BUCKETS - 1];
extern const ig_str_t     ig_metrics_rule_results[IG_RULE_RESULTS];

uint64_t ig_metrics_cell(const uint64_t *cell);
uint64_t ig_metrics_value(const ig_metrics_t *m, const ig_metric_t *metric);
bool ig_metrics_is(const ig_series_t *s, ig_series_kind_e kind);

/* How many values a series of this kind has, and the name of each. */
unsigned ig_metrics_labels(ig_series_kind_e kind);
ig_str_t ig_metrics_label(ig_series_kind_e kind, unsigned i);

#endif /* IG_METRICS_INT_H */
