/*
 * ngx_http_integrity_outcome.c: the end of a request: how it went, for the
 * log, and counters of what the application completed.
 * Owns nothing.  Called by nginx's LOG phase.
 */

#include "ngx_http_integrity.h"


static unsigned
ngx_http_integrity_upstream_status(ngx_http_request_t *r)
{
    ngx_http_upstream_state_t  *state;

    if (r->upstream_states == NULL || r->upstream_states->nelts == 0) {
        return 0;
    }

    state = r->upstream_states->elts;

    return (unsigned) state[r->upstream_states->nelts - 1].status;
}


static void
ngx_http_integrity_outcome(ngx_http_request_t *r,
    ngx_http_integrity_ctx_t *ctx)
{
    ngx_time_t                      *tp;
    ngx_msec_int_t                   ms;
    ig_event_outcome_t               outcome;
    ngx_http_integrity_file_t       *file;
    ngx_http_integrity_main_conf_t  *mcf;

    file = ctx->conf->log->file;

    if (file == NULL) {
        return;
    }

    mcf = ngx_http_get_module_main_conf(r, ngx_http_integrity_module);

    tp = ngx_timeofday();
    ms = (ngx_msec_int_t) ((tp->sec - r->start_sec) * 1000
                           + (tp->msec - r->start_msec));

    outcome.time = ngx_http_integrity_now();
    outcome.event.len = sizeof(ctx->call->event);
    outcome.event.data = ctx->call->event;
    outcome.status = (unsigned) (r->err_status ? r->err_status
                                 : r->headers_out.status
                                 ? r->headers_out.status : NGX_HTTP_CLOSE);
    outcome.upstream = ngx_http_integrity_upstream_status(r);
    outcome.duration = ngx_max(ms, 0);
    outcome.aborted = !ctx->recorded;

    ig_event_outcome(ngx_http_integrity_audit_line(file), &outcome,
                     ngx_http_integrity_str(mcf->node));
    ngx_http_integrity_audit_add(file, NULL);
}


ngx_int_t
ngx_http_integrity_log_handler(ngx_http_request_t *r)
{
    unsigned                   upstream;
    ngx_uint_t                 status;
    ngx_http_integrity_ctx_t  *ctx;

    ctx = ngx_http_integrity_get_ctx(r);

    if (ctx == NULL || ctx->call == NULL || !ngx_http_integrity_serves(r)) {
        return NGX_OK;
    }

    if (!ctx->recorded && ctx->state < NGX_HTTP_INTEGRITY_RECORDING) {
        ig_metric_add(ngx_http_integrity_worker.metrics, aborted, 1);
        ngx_http_integrity_outcome(r, ctx);
        return NGX_OK;
    }

    if (ctx->recorded) {
        ngx_http_integrity_outcome(r, ctx);
    }

    upstream = ngx_http_integrity_upstream_status(r);
    status = upstream ? upstream : r->headers_out.status;

    if (ctx->state == NGX_HTTP_INTEGRITY_PASSED
        && status >= NGX_HTTP_OK && status < NGX_HTTP_SPECIAL_RESPONSE)
    {
        ngx_http_integrity_complete(ctx);
    }

    return NGX_OK;
}
