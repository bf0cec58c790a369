/*
 * ngx_http_integrity_cached.c: keys known to be over a limit are answered
 * from shared memory, where nothing else could change the decision; the log
 * gets one decision line per key, rule and second, and a line that says how
 * many more calls it stood for.
 * Owns: the worker's table of lines that stand for several calls.
 * Called by the state machine and the worker's tick.
 */

#include "ngx_http_integrity.h"
#include "ig_table.h"

#include <math.h>

#define NGX_HTTP_INTEGRITY_OVER_MS   1000   /* asked afresh after that */
#define NGX_HTTP_INTEGRITY_REPEATS   1024   /* a power of two */


typedef struct {
    uint8_t                     key[IG_HASH];
    const ig_rule_t            *rule;       /* NULL: free */
    ngx_http_integrity_file_t  *file;
    time_t                      second;
    uint64_t                    count;      /* calls beyond the line's own */
    char                        event[26];
} ngx_http_integrity_repeat_t;

static ngx_http_integrity_repeat_t  ngx_http_integrity_repeats[
                                                NGX_HTTP_INTEGRITY_REPEATS];


static double
ngx_http_integrity_limit(ngx_http_integrity_ctx_t *ctx,
    const ig_plan_limit_t *limit)
{
    double  n;

    n = limit->limit.is_threshold
        ? ctx->conf->place.threshold[limit->limit.threshold]
        : limit->limit.number;

    /* Notes speak of "more than"; "at least n" is more than just below n. */

    return limit->limit.or_equal ? nextafter(n, -INFINITY) : n;
}


static ngx_uint_t
ngx_http_integrity_limit_applies(ngx_http_integrity_ctx_t *ctx,
    const ig_plan_limit_t *limit)
{
    const uint8_t  *except;

    except = ctx->conf->place.except;

    return except == NULL || !except[limit->rule->id];
}


/* -- lines that stand for several calls ---------------------------------- */

static void
ngx_http_integrity_repeat_write(ngx_http_integrity_repeat_t *repeat)
{
    ig_str_t                         event;
    ngx_http_integrity_main_conf_t  *mcf;

    if (repeat->count && repeat->file != NULL) {
        mcf = ngx_http_integrity_worker.mcf;

        event.len = sizeof(repeat->event);
        event.data = repeat->event;

        ig_event_repeat(ngx_http_integrity_audit_line(repeat->file),
                        ngx_http_integrity_now(), event, repeat->count,
                        ngx_http_integrity_str(mcf->node));
        ngx_http_integrity_audit_add(repeat->file, NULL);
    }

    repeat->rule = NULL;
    repeat->count = 0;
}


/* True where a line of this second already tells of this key and rule. */

static ngx_uint_t
ngx_http_integrity_repeated(ngx_http_integrity_ctx_t *ctx,
    const ig_rule_t *rule, const uint8_t key[IG_HASH])
{
    ngx_uint_t                    i;
    ngx_http_integrity_repeat_t  *repeat;

    i = (key[0] << 8 | key[1]) ^ rule->id;
    repeat = &ngx_http_integrity_repeats[i & (NGX_HTTP_INTEGRITY_REPEATS - 1)];

    if (repeat->rule == rule && repeat->second == ngx_time()
        && repeat->file == ctx->conf->log->file
        && ngx_memcmp(repeat->key, key, IG_HASH) == 0)
    {
        repeat->count++;
        ngx_memcpy(ctx->call->event, repeat->event, sizeof(repeat->event));
        return 1;
    }

    if (repeat->rule != NULL) {
        ngx_http_integrity_repeat_write(repeat);
    }

    repeat->rule = rule;
    repeat->file = ctx->conf->log->file;
    repeat->second = ngx_time();
    ngx_memcpy(repeat->key, key, IG_HASH);
    ngx_memcpy(repeat->event, ctx->call->event, sizeof(repeat->event));

    return 0;
}


void
ngx_http_integrity_cached_flush(ngx_uint_t all)
{
    ngx_uint_t                    i;
    ngx_http_integrity_repeat_t  *repeat;

    for (i = 0; i < NGX_HTTP_INTEGRITY_REPEATS; i++) {
        repeat = &ngx_http_integrity_repeats[i];

        if (repeat->rule != NULL && (all || repeat->second != ngx_time())) {
            ngx_http_integrity_repeat_write(repeat);
        }
    }
}


/*
 * The line of this call was lost: it stands for none but those that already
 * wait for it, whose line is lost with it; the next one writes its own.
 */

void
ngx_http_integrity_cached_lost(ngx_http_integrity_ctx_t *ctx)
{
    char                         *event;
    ngx_uint_t                    i;
    ngx_queue_t                  *q;
    ngx_http_integrity_ctx_t     *other;
    ngx_http_integrity_repeat_t  *repeat;
    ngx_http_integrity_worker_t  *w = &ngx_http_integrity_worker;

    event = ctx->call->event;

    for (i = 0; i < NGX_HTTP_INTEGRITY_REPEATS; i++) {
        repeat = &ngx_http_integrity_repeats[i];

        if (repeat->rule != NULL
            && ngx_memcmp(repeat->event, event, sizeof(repeat->event)) == 0)
        {
            repeat->rule = NULL;
            repeat->count = 0;
        }
    }

    for (q = ngx_queue_head(&w->waiting);
         q != ngx_queue_sentinel(&w->waiting);
         q = ngx_queue_next(q))
    {
        other = ngx_queue_data(q, ngx_http_integrity_ctx_t, queue);

        if (other->quiet
            && ngx_memcmp(other->call->event, event, sizeof(repeat->event))
               == 0)
        {
            other->lost = 1;
        }
    }
}


/* -- the answer ---------------------------------------------------------- */

static ngx_uint_t
ngx_http_integrity_is_over(ngx_http_integrity_ctx_t *ctx,
    const ig_plan_limit_t *limit, uint8_t key[IG_HASH])
{
    int64_t                       until;
    ngx_http_integrity_worker_t  *w = &ngx_http_integrity_worker;

    if (!ngx_http_integrity_limit_applies(ctx, limit)
        || !ig_call_key(ctx->call, limit->counter, key))
    {
        return 0;
    }

    ngx_http_integrity_lock();

    until = ig_table_over_get(w->table, limit->counter, key,
                              ngx_http_integrity_limit(ctx, limit),
                              ctx->call->time);

    ngx_http_integrity_unlock();

    return until > ctx->call->time;
}


void
ngx_http_integrity_cached_forget(const ig_op_t *op)
{
    ngx_http_integrity_worker_t  *w = &ngx_http_integrity_worker;

    ngx_http_integrity_lock();
    ig_table_over_forget(w->table, op->counter, op->key);
    ngx_http_integrity_unlock();
}


ngx_int_t
ngx_http_integrity_cached(ngx_http_integrity_ctx_t *ctx, ngx_uint_t early)
{
    uint8_t                 key[IG_HASH];
    unsigned                i, n;
    ig_call_t              *call;
    const ig_plan_limit_t  *limit;

    call = ctx->call;

    if (ctx->dry_run || ctx->reason.len) {
        return NGX_DECLINED;
    }

    for (i = 0; i < call->plan->nlimits; i++) {
        limit = &call->plan->limit[i];

        /* Those without a body were asked before it, unless it came first. */

        if (limit->early != (early != 0)
            && !(limit->early && ctx->conf->action->settings.body))
        {
            continue;
        }

        if (!ngx_http_integrity_is_over(ctx, limit, key)) {
            continue;
        }

        for (n = 0; n < call->plan->nrules; n++) {
            call->outcome[n] = call->plan->rule[n] == limit->rule
                               ? IG_RULE_FIRED : IG_RULE_NOT;
        }

        /* No counter was asked: the line speaks of none. */

        for (n = 0; n < call->plan->ncounters; n++) {
            call->counter[call->plan->counter[n].counter->id].type
                                                               = IG_MISSING;
        }

        call->evaluation = IG_CACHED;
        call->decision = limit->rule->then;
        call->would = limit->rule->then;

        ctx->quiet = ngx_http_integrity_repeated(ctx, limit->rule, key);

        ngx_http_integrity_record(ctx);

        return NGX_OK;
    }

    return NGX_DECLINED;
}


/* After a full evaluation that refused the call: what is known for a while. */

void
ngx_http_integrity_cached_note(ngx_http_integrity_ctx_t *ctx)
{
    double                        n;
    int64_t                       until;
    unsigned                      i, k;
    ig_op_t                      *op;
    ig_call_t                    *call;
    const ig_plan_limit_t        *limit;
    ngx_http_integrity_worker_t  *w = &ngx_http_integrity_worker;

    call = ctx->call;

    if (ctx->dry_run || call->decision < IG_THROTTLE) {
        return;
    }

    for (i = 0; i < call->plan->nlimits; i++) {
        limit = &call->plan->limit[i];

        if (!ngx_http_integrity_limit_applies(ctx, limit)) {
            continue;
        }

        for (k = 0; k < ctx->nops; k++) {
            op = &ctx->op[k];

            if (op->counter != limit->counter || op->verb != IG_OP_ADD
                || op->state != IG_OP_DONE)
            {
                continue;
            }

            n = ngx_http_integrity_limit(ctx, limit);

            until = ig_window_over_until(op->raw.cur - 1, op->raw.prev,
                                         call->time, op->counter->window, n,
                                         false);
            until = ngx_min(until, call->time + NGX_HTTP_INTEGRITY_OVER_MS);

            if (until > call->time) {
                ngx_http_integrity_lock();
                ig_table_over_put(w->table, op->counter, op->key, n, until);
                ngx_http_integrity_unlock();
            }
        }
    }
}
