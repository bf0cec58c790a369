/*
 * ngx_http_integrity_body.c: the body of a call: reading it in the manner of
 * the mirror module, gathering its buffers (temp file included), and handing
 * it to the core.
 * Owns: the gathered copy, in the request's pool.  Called by the machine.
 */

#include "ngx_http_integrity.h"

static void ngx_http_integrity_body_handler(ngx_http_request_t *r);


/*
 * A body that is not inspected: refused with `status`, or passed with its
 * fields unknown; either way the event says `reason`.
 */

static ngx_int_t
ngx_http_integrity_body_refuse(ngx_http_integrity_ctx_t *ctx, ngx_uint_t pass,
    ngx_uint_t status, ig_str_t reason)
{
    ngx_uint_t          i;
    ig_value_t          unknown;
    const ig_source_t  *source;

    ctx->reason = reason;

    ig_metric_add(ngx_http_integrity_worker.metrics, body_refused, 1);

    if (!pass) {
        ctx->status = status;
        return NGX_DECLINED;
    }

    ngx_memzero(&unknown, sizeof(ig_value_t));

    for (i = 0; i < ctx->call->policy->nfields; i++) {
        source = ctx->call->plan->source[i];

        if (source != NULL && source->kind == IG_SOURCE_JSON) {
            ig_call_set_value(ctx->call, source, unknown);
        }
    }

    return NGX_OK;
}


/* What has been read of the body. */

static off_t
ngx_http_integrity_body_size(ngx_http_request_t *r)
{
    off_t         size;
    ngx_chain_t  *cl;

    if (r->request_body == NULL) {
        return 0;
    }

    for (size = 0, cl = r->request_body->bufs; cl; cl = cl->next) {
        size += ngx_buf_size(cl->buf);
    }

    return size;
}


/*
 * All that can be told before the body is read; of a chunked one only then
 * whether there is one at all.
 */

static ngx_int_t
ngx_http_integrity_body_headers(ngx_http_integrity_ctx_t *ctx)
{
    ngx_http_request_t            *r;
    ig_body_settings_t            *body;
    ngx_http_integrity_content_t   content;

    r = ctx->request;
    body = ctx->conf->body;

    if (r->headers_in.content_length_n > 0
        && (uint64_t) r->headers_in.content_length_n > body->max)
    {
        return ngx_http_integrity_body_refuse(ctx, body->oversize_pass,
                                        NGX_HTTP_REQUEST_ENTITY_TOO_LARGE,
                                        ig_str("larger than max="));
    }

    if (r->headers_in.chunked ? ngx_http_integrity_body_size(r) == 0
                              : r->headers_in.content_length_n <= 0)
    {
        return NGX_AGAIN;
    }

    ngx_http_integrity_content(r, &content);

    if (content.encoded) {
        return ngx_http_integrity_body_refuse(ctx, body->encoded_pass,
                                        NGX_HTTP_UNSUPPORTED_MEDIA_TYPE,
                                        ig_str("has a content encoding"));
    }

    if (!content.json) {
        return ngx_http_integrity_body_refuse(ctx, body->type_pass,
                                        NGX_HTTP_UNSUPPORTED_MEDIA_TYPE,
                                        content.types > 1
                                        ? ig_str("several content types")
                                        : ig_str("not json in utf-8"));
    }

    return NGX_AGAIN;
}


static ngx_int_t
ngx_http_integrity_body_copy(ngx_http_request_t *r, ngx_buf_t *buf,
    u_char **last)
{
    size_t   size;
    ssize_t  n;

    if (ngx_buf_in_memory(buf)) {
        *last = ngx_cpymem(*last, buf->pos, buf->last - buf->pos);
        return NGX_OK;
    }

    size = (size_t) (buf->file_last - buf->file_pos);

    while (size) {
        n = ngx_read_file(buf->file, *last, size,
                          buf->file_last - (off_t) size);
        if (n <= 0) {

            /* the connection's log would name the request */

            ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                          "integrity: the body's temporary file ended early");
            return NGX_ERROR;
        }

        *last += n;
        size -= n;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_integrity_body_gather(ngx_http_request_t *r, size_t max,
    ig_str_t *text)
{
    off_t         size;
    u_char       *p, *last;
    ngx_chain_t  *cl;

    text->len = 0;
    text->data = "";

    size = ngx_http_integrity_body_size(r);

    if (size == 0) {
        return NGX_OK;
    }

    if (size > (off_t) max) {
        return NGX_DECLINED;
    }

    cl = r->request_body->bufs;

    if (cl->next == NULL && ngx_buf_in_memory(cl->buf)) {
        text->data = (char *) cl->buf->pos;
        text->len = (size_t) size;
        return NGX_OK;
    }

    p = ngx_pnalloc(r->pool, (size_t) size + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    last = p;

    for (cl = r->request_body->bufs; cl; cl = cl->next) {
        if (ngx_http_integrity_body_copy(r, cl->buf, &last) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    text->data = (char *) p;
    text->len = last - p;

    return NGX_OK;
}


static ngx_int_t
ngx_http_integrity_body_state(ngx_http_integrity_ctx_t *ctx,
    ig_json_state_e state)
{
    ig_body_settings_t  *body;

    body = ctx->conf->body;

    switch (state) {

    case IG_JSON_OK:
    case IG_JSON_EMPTY:
        return NGX_OK;

    case IG_JSON_DEPTH:
    case IG_JSON_VALUES:
    case IG_JSON_SET:
        return ngx_http_integrity_body_refuse(ctx, body->oversize_pass,
                                        NGX_HTTP_REQUEST_ENTITY_TOO_LARGE,
                                        ig_json_state_name(state));

    case IG_JSON_NOMEM:
        return NGX_ERROR;

    default:
        return ngx_http_integrity_body_refuse(ctx, body->invalid_pass,
                                              NGX_HTTP_BAD_REQUEST,
                                              ig_json_state_name(state));
    }
}


static ngx_int_t
ngx_http_integrity_body_parse(ngx_http_integrity_ctx_t *ctx)
{
    ig_mem_t             mem;
    ig_str_t             text;
    ngx_int_t            rc;
    ig_json_state_e      state;
    ig_body_settings_t  *body;

    body = ctx->conf->body;

    rc = ngx_http_integrity_body_gather(ctx->request, body->max, &text);

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (rc == NGX_DECLINED) {
        return ngx_http_integrity_body_refuse(ctx, body->oversize_pass,
                                        NGX_HTTP_REQUEST_ENTITY_TOO_LARGE,
                                        ig_str("larger than max="));
    }

    if (ctx->json == NULL) {
        state = ig_json_scan(text, body->depth, body->values);

        if (state == IG_JSON_OK) {
            state = ig_json_parse(text, &ctx->json);
        }

        if (state != IG_JSON_OK) {
            return ngx_http_integrity_body_state(ctx, state);
        }
    }

    ngx_http_integrity_pool_mem(&mem, ctx->request->pool);

    return ngx_http_integrity_body_state(ctx, ig_json_extract(ctx->json,
                                                              ctx->call,
                                                              &mem));
}


ngx_int_t
ngx_http_integrity_body(ngx_http_integrity_ctx_t *ctx)
{
    ngx_int_t            rc;
    ngx_http_request_t  *r;

    r = ctx->request;

    rc = ngx_http_integrity_body_headers(ctx);

    if (rc != NGX_AGAIN) {
        return rc;
    }

    if (ctx->body_read || r->request_body != NULL) {
        return ngx_http_integrity_body_parse(ctx);
    }

    ctx->state = NGX_HTTP_INTEGRITY_BODY;

    rc = ngx_http_read_client_request_body(r, ngx_http_integrity_body_handler);

    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        ctx->state = NGX_HTTP_INTEGRITY_ABANDONED;
        return rc;
    }

    ngx_http_finalize_request(r, NGX_DONE);

    return NGX_DONE;
}


/* The body is there: the phases run again and find it. */

static void
ngx_http_integrity_body_handler(ngx_http_request_t *r)
{
    ngx_http_integrity_ctx_t  *ctx;

    ctx = ngx_http_integrity_get_ctx(r);

    ctx->body_read = 1;
    ctx->state = NGX_HTTP_INTEGRITY_START;

    r->preserve_body = 1;
    r->write_event_handler = ngx_http_core_run_phases;

    ngx_http_core_run_phases(r);
}
