/*
 * ngx_http_integrity_decide.c: the middle of a call: its operations go to
 * the store, the answers become a decision, the decision an audit line that
 * the request waits for; then what is written after the decision.
 * Owns: batches from their making until the store has them, and again once
 * they have settled.  Called by the state machine and by the store.
 */

#include "ngx_http_integrity.h"

static void ngx_http_integrity_done(ig_batch_t *batch);
static void ngx_http_integrity_settled(ig_batch_t *batch);


/* What owns a batch whose request went on: see the settled callback. */
static char  ngx_http_integrity_decided;
static char  ngx_http_integrity_late;


/* -- the decision -------------------------------------------------------- */

static void
ngx_http_integrity_decide(ngx_http_integrity_ctx_t *ctx)
{
    ig_call_t                       *call;
    ngx_http_integrity_main_conf_t  *mcf;

    call = ctx->call;
    mcf = ngx_http_get_module_main_conf(ctx->request,
                                        ngx_http_integrity_module);

    ig_call_answer(call, ctx->op, ctx->nops,
                   ngx_http_integrity_known(call->plan));

    if (ctx->degraded) {
        call->evaluation = IG_DEGRADED;

        if (mcf->redis_settings.on_error == IG_STORE_DENY) {
            call->would = IG_DENY;
            call->decision = ctx->dry_run ? IG_ALLOW : IG_DENY;
            call->counted = IG_DENY;
            ctx->status = NGX_HTTP_SERVICE_UNAVAILABLE;

            /* No counter saw the call, and it was not its fault. */

            ctx->settled = 1;

            ngx_http_integrity_record(ctx);
            return;
        }
    }

    ig_call_decide(call);

    if (!ctx->degraded) {
        ngx_http_integrity_cached_note(ctx);
    }

    ngx_http_integrity_record(ctx);
}


/* The answered operations, kept until the decision has taken effect. */

static ngx_int_t
ngx_http_integrity_keep(ngx_http_integrity_ctx_t *ctx, ig_batch_t *batch)
{
    if (batch->nops == 0) {
        return NGX_OK;
    }

    ctx->op = ngx_palloc(ctx->request->pool, batch->nops * sizeof(ig_op_t));
    if (ctx->op == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(ctx->op, batch->op, batch->nops * sizeof(ig_op_t));
    ctx->nops = batch->nops;

    return NGX_OK;
}


/* The store is down, late or refuses: this node's own counts, or nothing. */

static void
ngx_http_integrity_keep_local(ngx_http_integrity_ctx_t *ctx,
    ig_batch_t *batch)
{
    unsigned                         i;
    ngx_http_integrity_main_conf_t  *mcf;

    mcf = ngx_http_get_module_main_conf(ctx->request,
                                        ngx_http_integrity_module);

    ctx->degraded = 1;

    if (ngx_http_integrity_keep(ctx, batch) != NGX_OK) {
        return;
    }

    for (i = 0; i < ctx->nops; i++) {
        ctx->op[i].state = IG_OP_FAILED;

        if (mcf->redis_settings.on_error == IG_STORE_LOCAL
            && batch->note[i].state == IG_OP_DONE)
        {
            ctx->op[i].state = IG_OP_DONE;
            ctx->op[i].raw = batch->note[i].raw;
        }
    }
}


/* Whether every operation was done: one that was refused leaves a hole. */

static ngx_uint_t
ngx_http_integrity_answered(ig_batch_t *batch)
{
    unsigned  i;

    if (batch->state != IG_BATCH_ANSWERED) {
        return 0;
    }

    for (i = 0; i < batch->nops; i++) {
        if (batch->op[i].state == IG_OP_FAILED) {
            return 0;
        }
    }

    return 1;
}


/* -- the store's callbacks ----------------------------------------------- */

static void
ngx_http_integrity_done(ig_batch_t *batch)
{
    ngx_http_integrity_ctx_t  *ctx = batch->owner;

    if (ctx == NULL) {
        return;
    }

    ctx->batch = NULL;

    if (ngx_http_integrity_answered(batch)) {
        batch->owner = &ngx_http_integrity_decided;

        if (ngx_http_integrity_keep(ctx, batch) != NGX_OK) {
            ctx->degraded = 1;
        }

    } else {
        batch->owner = &ngx_http_integrity_late;
        ngx_http_integrity_keep_local(ctx, batch);
    }

    ngx_http_integrity_decide(ctx);
}


static void
ngx_http_integrity_settled(ig_batch_t *batch)
{
    unsigned  i;

    if (batch->owner == &ngx_http_integrity_late) {

        /* Nobody went by these answers: what they counted is taken back. */

        ngx_http_integrity_batch_undo(batch, 0);

    } else if (batch->owner != &ngx_http_integrity_decided) {

        /* The client left first: only an attempt it was. */

        for (i = 0; i < batch->nops; i++) {
            if (batch->op[i].counter->when == IG_ATTEMPTS) {
                batch->op[i].verb = IG_OP_READ;
            }
        }

        ngx_http_integrity_batch_undo(batch, 1);
    }

    ngx_http_integrity_batch_free(batch);
}


/* The client may leave while the store is asked. */

static ngx_int_t
ngx_http_integrity_wait(ngx_http_request_t *r)
{
    if (r->connection->read->ready) {
        ngx_post_event(r->connection->read, &ngx_posted_events);

    } else if (ngx_handle_read_event(r->connection->read, 0) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->read_event_handler = ngx_http_test_reading;
    r->write_event_handler = ngx_http_request_empty_handler;

    return NGX_AGAIN;
}


ngx_int_t
ngx_http_integrity_count(ngx_http_integrity_ctx_t *ctx)
{
    ngx_int_t    rc;
    ig_batch_t  *batch;

    batch = ngx_http_integrity_batch(ctx->call->plan->max_ops);
    if (batch == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    batch->nops = ig_call_ops(ctx->call, batch->op);
    batch->done = ngx_http_integrity_done;
    batch->settled = ngx_http_integrity_settled;
    batch->owner = ctx;

    rc = ngx_http_integrity_batch_run(batch, ctx->request->connection);

    if (rc == NGX_AGAIN) {
        ctx->batch = batch;
        ctx->state = NGX_HTTP_INTEGRITY_COUNTING;
        return ngx_http_integrity_wait(ctx->request);
    }

    if (rc == NGX_ERROR) {
        ngx_http_integrity_keep_local(ctx, batch);

    } else if (ngx_http_integrity_keep(ctx, batch) != NGX_OK) {
        ngx_http_integrity_batch_free(batch);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;

    } else {
        ctx->degraded = !ngx_http_integrity_answered(batch);
    }

    ngx_http_integrity_batch_free(batch);
    ngx_http_integrity_decide(ctx);

    return NGX_AGAIN;
}


/* -- the record ---------------------------------------------------------- */

static void
ngx_http_integrity_measure(ngx_http_integrity_ctx_t *ctx)
{
    int                           n;
    unsigned                      i;
    ig_call_t                    *call;
    ngx_uint_t                    p;
    ig_metrics_t                 *m;
    const ig_policy_t            *policy;
    ngx_http_integrity_worker_t  *w = &ngx_http_integrity_worker;

    m = w->metrics;
    call = ctx->call;
    policy = call->policy;

    ig_metric_add(m, calls, 1);

    switch (call->evaluation) {
    case IG_COMPLETE: ig_metric_add(m, eval_complete, 1); break;
    case IG_CACHED:   ig_metric_add(m, eval_cached, 1);   break;
    case IG_DEGRADED: ig_metric_add(m, eval_degraded, 1); break;
    default:          ig_metric_add(m, eval_skipped, 1);  break;
    }

    if (call->refused) {
        ig_metric_add(m, new_keys_refused, 1);
    }

    for (p = 0; p < policy->nplans; p++) {
        if (policy->plan[p] == call->plan) {
            n = w->action_series[p];
            if (n >= 0) {
                ig_metric_add(&m->series[n], value[call->decision], 1);
            }
            break;
        }
    }

    for (i = 0; i < call->plan->nrules; i++) {
        n = w->rule_series[call->plan->rule[i]->id];

        if (n < 0) {
            continue;
        }

        switch (call->outcome[i]) {
        case IG_RULE_FIRED:
        case IG_RULE_ON_ERROR:
            if (call->plan->rule[i]->dry_run || ctx->dry_run) {
                ig_metric_add(&m->series[n], value[1], 1);
            } else {
                ig_metric_add(&m->series[n], value[0], 1);
            }
            break;

        case IG_RULE_UNKNOWN:
            ig_metric_add(&m->series[n], value[2], 1);
            break;

        default:
            break;
        }
    }
}


/* Every Nth allowed call in full, by event id; anything stronger always. */

static ngx_uint_t
ngx_http_integrity_sampled(ngx_http_integrity_ctx_t *ctx)
{
    ngx_uint_t  sample;

    sample = ctx->conf->sample;

    if (sample <= 1 || ctx->call->decision != IG_ALLOW
        || ctx->call->would != IG_ALLOW || ctx->reason.len)
    {
        return 1;
    }

    return ngx_crc32_short((u_char *) ctx->call->event,
                           sizeof(ctx->call->event))
           % sample == 0;
}


static void
ngx_http_integrity_line(ngx_http_integrity_ctx_t *ctx)
{
    ngx_http_request_t              *r;
    ig_event_host_t                  host;
    ngx_http_integrity_file_t       *file;
    ngx_http_variable_value_t       *id;
    ngx_http_integrity_main_conf_t  *mcf;

    r = ctx->request;
    file = ctx->conf->log->file;
    mcf = ngx_http_get_module_main_conf(r, ngx_http_integrity_module);

    ngx_memzero(&host, sizeof(ig_event_host_t));

    host.method = ngx_http_integrity_str(r->method_name);
    host.path = ctx->path;
    host.node = ngx_http_integrity_str(mcf->node);
    host.body = ctx->reason;

    if (mcf->request_id >= 0) {
        id = ngx_http_get_indexed_variable(r, mcf->request_id);
        if (id != NULL && !id->not_found) {
            host.request.len = id->len;
            host.request.data = (const char *) id->data;
        }
    }

    ig_event_decision(ngx_http_integrity_audit_line(file), ctx->call, &host);
    ngx_http_integrity_audit_add(file, ctx);

    ctx->recorded = 1;
}


void
ngx_http_integrity_record(ngx_http_integrity_ctx_t *ctx)
{
    ngx_http_integrity_measure(ctx);

    if (ctx->conf->log->file != NULL && !ctx->quiet
        && ngx_http_integrity_sampled(ctx))
    {
        ngx_http_integrity_line(ctx);
    }

    ctx->state = NGX_HTTP_INTEGRITY_RECORDING;

    ngx_queue_insert_tail(&ngx_http_integrity_worker.waiting, &ctx->queue);
    ngx_http_integrity_post_turn();
}


/* -- after the decision -------------------------------------------------- */

void
ngx_http_integrity_settle(ngx_http_integrity_ctx_t *ctx)
{
    ig_batch_t  *batch;

    if (ctx->settled || ctx->call->evaluation == IG_SKIPPED
        || ctx->call->evaluation == IG_CACHED)
    {
        return;
    }

    ctx->settled = 1;

    batch = ngx_http_integrity_batch(ctx->call->plan->max_ops);
    if (batch == NULL) {
        return;
    }

    batch->nops = ig_call_settle(ctx->call, ctx->op, ctx->nops, batch->op);

    ngx_http_integrity_batch_send(batch, ctx->degraded,
                                  ctx->request->connection);
}


void
ngx_http_integrity_take_back(ngx_http_integrity_ctx_t *ctx)
{
    ig_batch_t  *batch;

    if (ctx->settled || ctx->nops == 0) {
        return;
    }

    ctx->settled = 1;

    batch = ngx_http_integrity_batch(ctx->nops);
    if (batch == NULL) {
        return;
    }

    batch->nops = ig_op_undo(ctx->op, ctx->nops, batch->op);

    ngx_http_integrity_batch_send(batch, ctx->degraded, NULL);
}


/* The application answered with 2xx: counters of what was completed. */

void
ngx_http_integrity_complete(ngx_http_integrity_ctx_t *ctx)
{
    ig_batch_t  *batch;

    if (ctx->completed || ngx_http_integrity_fields(ctx, 1) != NGX_OK) {
        return;
    }

    ctx->completed = 1;

    batch = ngx_http_integrity_batch(ctx->call->plan->max_ops);
    if (batch == NULL) {
        return;
    }

    batch->nops = ig_call_complete(ctx->call, batch->op);

    ngx_http_integrity_batch_send(batch, 0, ctx->request->connection);
}
