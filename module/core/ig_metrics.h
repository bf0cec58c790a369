/*
 * ig_metrics.h: what the status page tells: one X-macro line per metric,
 * named series for actions and rules, a latency histogram; JSON and
 * Prometheus text.  Plain 64-bit cells in shared memory, added to atomically
 * by all workers; no pointers inside.
 */

#ifndef IG_METRICS_H
#define IG_METRICS_H

#include "ig_policy.h"

/* X(member, Prometheus name, type, help); names end in _total if counters. */
#define IG_METRICS(X)                                                         \
    X(calls, "calls_total", "counter", "Calls decided")                       \
    X(unclassified, "unclassified_total", "counter",                          \
      "Writing calls that named no action of the policy")                     \
    X(eval_complete, "evaluation_complete_total", "counter",                  \
      "Calls evaluated with every counter")                                   \
    X(eval_cached, "evaluation_cached_total", "counter",                      \
      "Calls answered from shared memory")                                    \
    X(eval_degraded, "evaluation_degraded_total", "counter",                  \
      "Calls evaluated while the store was down")                             \
    X(eval_skipped, "evaluation_skipped_total", "counter",                    \
      "Calls passed without evaluation")                                      \
    X(body_refused, "body_refused_total", "counter",                          \
      "Calls whose body could not be inspected")                              \
    X(aborted, "aborted_total", "counter",                                    \
      "Clients that left before the decision")                                \
    X(new_keys_refused, "new_keys_refused_total", "counter",                  \
      "Calls beyond the new-key cap of their address")                        \
    X(series_refused, "series_refused_total", "counter",                      \
      "Look-ups that found no room for another action or rule")               \
    X(redis_up, "redis_up", "gauge", "Workers whose connection is ready")     \
    X(redis_breaker, "redis_breaker_open", "gauge",                           \
      "Workers whose breaker is open")                                        \
    X(redis_commands, "redis_commands_total", "counter", "Commands sent")     \
    X(redis_timeouts, "redis_timeouts_total", "counter",                      \
      "Calls that waited past the deadline")                                  \
    X(redis_errors, "redis_errors_total", "counter",                          \
      "Error replies and protocol errors")                                    \
    X(redis_connects, "redis_connects_total", "counter",                      \
      "Connections made")                                                     \
    X(redis_lost, "redis_lost_total", "counter",                              \
      "Operations whose fate is unknown after a lost connection")             \
    X(audit_lines, "audit_lines_total", "counter", "Audit lines written")     \
    X(audit_dropped, "audit_dropped_total", "counter", "Audit lines lost")    \
    X(audit_writes, "audit_writes_total", "counter", "Writes to the log")     \
    X(store_slots, "store_slots", "gauge", "Slots of the embedded table")     \
    X(store_used, "store_slots_used", "gauge", "Slots in use")                \
    X(store_evicted, "store_evicted_total", "counter",                        \
      "Keys evicted before their window ended")

/* Upper bounds in microseconds; the last bucket is +Inf. */
#define IG_LATENCY_BOUNDS  { 100, 200, 500, 1000, 2000, 5000, 10000, 20000,   \
                             50000, 100000 }
#define IG_LATENCY_BUCKETS  11

#define IG_SERIES       512
#define IG_SERIES_NAME  64

typedef enum {
    IG_SERIES_FREE = 0,
    IG_SERIES_ACTION,           /* value: by decision */
    IG_SERIES_RULE              /* value: fired, would have, unknown */
} ig_series_kind_e;

typedef struct {
    uint32_t  kind;
    uint32_t  len;
    char      name[IG_SERIES_NAME];
    uint64_t  value[IG_DECISIONS];
} ig_series_t;

typedef struct {
#define X(member, name, type, help)  uint64_t member;
    IG_METRICS(X)
#undef X
    uint64_t     latency[IG_LATENCY_BUCKETS];
    uint64_t     latency_sum;   /* microseconds */
    ig_series_t  series[IG_SERIES];
} ig_metrics_t;

#define ig_metric_add(m, member, n)                                           \
    (void) __atomic_fetch_add(&(m)->member, (uint64_t) (n), __ATOMIC_RELAXED)

/*
 * Finds or makes a series and returns its index.  Where the table is full or
 * the name is longer than IG_SERIES_NAME: -1, and series_refused is counted.
 * The caller holds the zone's lock.  Existing series are never moved.
 */
int ig_metrics_series(ig_metrics_t *m, ig_series_kind_e kind, ig_str_t name);

/* us: microseconds from submission to the last reply of a batch. */
void ig_metrics_latency(ig_metrics_t *m, uint64_t us);

/*
 * The whole page.  `version`, `node` and `policy` (hex hash) are told in the
 * JSON's head and in an _info metric.  Prometheus: text format 0.0.4.
 * b->full where it did not fit; IG_METRICS_PAGE is enough for a full series
 * table of names that need no escapes.
 */
#define IG_METRICS_PAGE  (320 * 1024)
void ig_metrics_json(ig_buf_t *b, const ig_metrics_t *m, ig_str_t version,
    ig_str_t node, ig_str_t policy);
void ig_metrics_prometheus(ig_buf_t *b, const ig_metrics_t *m,
    ig_str_t version, ig_str_t node, ig_str_t policy);

#endif /* IG_METRICS_H */
