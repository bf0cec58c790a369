/*
 * ig_metrics.c: named series, the latency histogram, and the status page as
 * JSON.  Owns nothing; borrows cells in shared memory.
 * Called by the request state machine and the status page.
 */

#include <string.h>

#include "ig_metrics_int.h"


const ig_metric_t  ig_metrics_table[IG_METRICS_N] = {
#define X(member, name, type, help)                                           \
    { ig_string(#member), ig_string(name), ig_string(type), ig_string(help),  \
      offsetof(ig_metrics_t, member) },
    IG_METRICS(X)
#undef X
};

const uint64_t  ig_metrics_bounds[IG_LATENCY_BUCKETS - 1] = IG_LATENCY_BOUNDS;

const ig_str_t  ig_metrics_rule_results[IG_RULE_RESULTS] = {
    ig_string("fired"), ig_string("would"), ig_string("unknown")
};

/*
 * Groups of the JSON page, by the start of a metric's member name; what is of
 * no group is about calls.
 */
static const struct {
    ig_str_t  prefix;
    ig_str_t  name;
} ig_metrics_groups[] = {
    { ig_string(""), ig_string("calls") },
    { ig_string("eval_"), ig_string("evaluation") },
    { ig_string("redis_"), ig_string("redis") },
    { ig_string("audit_"), ig_string("audit") },
    { ig_string("store_"), ig_string("store") }
};


uint64_t
ig_metrics_cell(const uint64_t *cell)
{
    return __atomic_load_n(cell, __ATOMIC_RELAXED);
}


uint64_t
ig_metrics_value(const ig_metrics_t *m, const ig_metric_t *metric)
{
    return ig_metrics_cell((const uint64_t *)
                           (const void *) ((const char *) m
                                           + metric->offset));
}


/* Only what is complete: the kind is stored last. */
bool
ig_metrics_is(const ig_series_t *s, ig_series_kind_e kind)
{
    return __atomic_load_n(&s->kind, __ATOMIC_ACQUIRE) == (uint32_t) kind;
}


/* FNV-1a. */
static uint32_t
ig_metrics_hash(ig_series_kind_e kind, ig_str_t name)
{
    size_t    i;
    uint32_t  hash;

    hash = 2166136261u ^ (uint32_t) kind;

    for (i = 0; i < name.len; i++) {
        hash = (hash ^ (uint8_t) name.data[i]) * 16777619u;
    }

    return hash;
}


int
ig_metrics_series(ig_metrics_t *m, ig_series_kind_e kind, ig_str_t name)
{
    unsigned      i, n;
    ig_series_t  *s;

    n = name.len <= IG_SERIES_NAME ? IG_SERIES : 0;
    i = ig_metrics_hash(kind, name) % IG_SERIES;

    for ( /* void */ ; n > 0; n--, i = (i + 1) % IG_SERIES) {
        s = &m->series[i];

        if (s->kind == IG_SERIES_FREE) {
            memcpy(s->name, name.data, name.len);
            s->len = (uint32_t) name.len;
            __atomic_store_n(&s->kind, (uint32_t) kind, __ATOMIC_RELEASE);
            return (int) i;
        }

        if (s->kind == (uint32_t) kind && s->len == name.len
            && memcmp(s->name, name.data, name.len) == 0)
        {
            return (int) i;
        }
    }

    ig_metric_add(m, series_refused, 1);

    return -1;
}


void
ig_metrics_latency(ig_metrics_t *m, uint64_t us)
{
    unsigned  i;

    for (i = 0; i < IG_LATENCY_BUCKETS - 1; i++) {
        if (us <= ig_metrics_bounds[i]) {
            break;
        }
    }

    ig_metric_add(m, latency[i], 1);
    ig_metric_add(m, latency_sum, us);
}


static size_t
ig_metrics_group(ig_str_t member)
{
    size_t    i;
    ig_str_t  prefix;

    for (i = ig_countof(ig_metrics_groups) - 1; i > 0; i--) {
        prefix = ig_metrics_groups[i].prefix;

        if (member.len > prefix.len
            && memcmp(member.data, prefix.data, prefix.len) == 0)
        {
            break;
        }
    }

    return i;
}


static void
ig_metrics_json_key(ig_buf_t *b, bool *first, ig_str_t key)
{
    if (!*first) {
        ig_buf_char(b, ',');
    }

    *first = false;
    ig_buf_json_string(b, key);
    ig_buf_char(b, ':');
}


/* Buckets are not cumulative here: each counts what no smaller one does. */
static void
ig_metrics_json_latency(ig_buf_t *b, const ig_metrics_t *m)
{
    unsigned  i;

    ig_buf_lit(b, "{\"sum_us\":");
    ig_buf_u64(b, ig_metrics_cell(&m->latency_sum));
    ig_buf_lit(b, ",\"bucket\":[");

    for (i = 0; i < IG_LATENCY_BUCKETS; i++) {
        ig_buf_str_add(b, i > 0 ? ig_str(",{\"up_to_us\":")
                                : ig_str("{\"up_to_us\":"));

        if (i < IG_LATENCY_BUCKETS - 1) {
            ig_buf_u64(b, ig_metrics_bounds[i]);

        } else {
            ig_buf_lit(b, "null");
        }

        ig_buf_lit(b, ",\"batches\":");
        ig_buf_u64(b, ig_metrics_cell(&m->latency[i]));
        ig_buf_char(b, '}');
    }

    ig_buf_lit(b, "]}");
}


static void
ig_metrics_json_group(ig_buf_t *b, const ig_metrics_t *m, size_t group)
{
    bool      first;
    size_t    i, skip;
    ig_str_t  member;

    first = true;
    skip = ig_metrics_groups[group].prefix.len;

    for (i = 0; i < IG_METRICS_N; i++) {
        member = ig_metrics_table[i].member;

        if (ig_metrics_group(member) == group) {
            member.data += skip;
            member.len -= skip;
            ig_metrics_json_key(b, &first, member);
            ig_buf_u64(b, ig_metrics_value(m, &ig_metrics_table[i]));
        }
    }

    if (ig_str_eq(ig_metrics_groups[group].name, ig_str("redis"))) {
        ig_metrics_json_key(b, &first, ig_str("latency"));
        ig_metrics_json_latency(b, m);
    }
}


/* {"review.create":{"allow":1,...},...} */
static void
ig_metrics_json_series(ig_buf_t *b, const ig_metrics_t *m,
    ig_series_kind_e kind)
{
    bool                first, inner;
    unsigned            i, j, n;
    const ig_series_t  *s;

    first = true;
    n = ig_metrics_labels(kind);

    ig_buf_char(b, '{');

    for (i = 0; i < IG_SERIES; i++) {
        s = &m->series[i];

        if (!ig_metrics_is(s, kind)) {
            continue;
        }

        ig_metrics_json_key(b, &first, (ig_str_t) { s->len, s->name });
        ig_buf_char(b, '{');
        inner = true;

        for (j = 0; j < n; j++) {
            ig_metrics_json_key(b, &inner, ig_metrics_label(kind, j));
            ig_buf_u64(b, ig_metrics_cell(&s->value[j]));
        }

        ig_buf_char(b, '}');
    }

    ig_buf_char(b, '}');
}


unsigned
ig_metrics_labels(ig_series_kind_e kind)
{
    return kind == IG_SERIES_ACTION ? IG_DECISIONS : IG_RULE_RESULTS;
}


ig_str_t
ig_metrics_label(ig_series_kind_e kind, unsigned i)
{
    return kind == IG_SERIES_ACTION ? ig_decision_name((ig_decision_e) i)
                                    : ig_metrics_rule_results[i];
}


void
ig_metrics_json(ig_buf_t *b, const ig_metrics_t *m, ig_str_t version,
    ig_str_t node, ig_str_t policy)
{
    size_t  group;

    ig_buf_lit(b, "{\"version\":");
    ig_buf_json_string(b, version);
    ig_buf_lit(b, ",\"node\":");
    ig_buf_json_string(b, node);
    ig_buf_lit(b, ",\"policy\":");
    ig_buf_json_string(b, policy);

    for (group = 0; group < ig_countof(ig_metrics_groups); group++) {
        ig_buf_char(b, ',');
        ig_buf_json_string(b, ig_metrics_groups[group].name);
        ig_buf_lit(b, ":{");
        ig_metrics_json_group(b, m, group);
        ig_buf_char(b, '}');
    }

    ig_buf_lit(b, ",\"action\":");
    ig_metrics_json_series(b, m, IG_SERIES_ACTION);
    ig_buf_lit(b, ",\"rule\":");
    ig_metrics_json_series(b, m, IG_SERIES_RULE);
    ig_buf_lit(b, "}\n");
}
