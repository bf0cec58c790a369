/*
 * ngx_http_integrity_body.c: the body of a call: whether it may be inspected,
 * reading it in the manner of the mirror module, gathering its buffers (temp
 * file included), and handing it to the core.
 * Owns: the gathered copy, in the request's pool.  Called by the machine.
 */

#include "ngx_http_integrity.h"

static void ngx_http_integrity_body_handler(ngx_http_request_t *r);


/* What the headers say of the body. */
typedef struct {
    ngx_uint_t   types;             /* Content-Type headers */
    ngx_str_t    type;
    ngx_uint_t   encoded;           /* a Content-Encoding but identity */
} ngx_http_integrity_content_t;


static void
ngx_http_integrity_content(ngx_http_request_t *r,
    ngx_http_integrity_content_t *content)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    ngx_memzero(content, sizeof(ngx_http_integrity_content_t));

    part = &r->headers_in.headers.part;
    h = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                break;
            }

            part = part->next;
            h = part->elts;
            i = 0;
        }

        if (h[i].key.len == sizeof("Content-Type") - 1
            && ngx_strncasecmp(h[i].key.data, (u_char *) "Content-Type",
                               sizeof("Content-Type") - 1)
               == 0)
        {
            content->types++;
            content->type = h[i].value;
        }

        if (h[i].key.len == sizeof("Content-Encoding") - 1
            && ngx_strncasecmp(h[i].key.data, (u_char *) "Content-Encoding",
                               sizeof("Content-Encoding") - 1)
               == 0
            && !(h[i].value.len == sizeof("identity") - 1
                 && ngx_strncasecmp(h[i].value.data, (u_char *) "identity",
                                    sizeof("identity") - 1)
                    == 0))
        {
            content->encoded = 1;
        }
    }
}


/* `charset` none or UTF-8 in "; name=value; ..." after a media type. */

static ngx_uint_t
ngx_http_integrity_charset_ok(u_char *p, u_char *end)
{
    u_char  *name, *value, *next;
    size_t   len;

    while (p < end) {
        next = ngx_strlchr(p, end, ';');
        if (next == NULL) {
            next = end;
        }

        name = p;
        while (name < next && (*name == ' ' || *name == '\t')) {
            name++;
        }

        if (next - name > 8
            && ngx_strncasecmp(name, (u_char *) "charset=", 8) == 0)
        {
            value = name + 8;
            len = next - value;

            while (len && (value[len - 1] == ' ' || value[len - 1] == '\t')) {
                len--;
            }

            if (len >= 2 && value[0] == '"' && value[len - 1] == '"') {
                value++;
                len -= 2;
            }

            if (len != 5
                || ngx_strncasecmp(value, (u_char *) "utf-8", 5) != 0)
            {
                return 0;
            }
        }

        p = next + 1;
    }

    return 1;
}


/* application/json or <anything>/<anything>+json, and nothing near it. */

static ngx_uint_t
ngx_http_integrity_type_ok(ngx_str_t *type)
{
    u_char  *p, *end, *semi, *slash;
    size_t   len;

    p = type->data;
    end = p + type->len;

    semi = ngx_strlchr(p, end, ';');
    if (semi == NULL) {
        semi = end;
    }

    if (!ngx_http_integrity_charset_ok(semi == end ? end : semi + 1, end)) {
        return 0;
    }

    len = semi - p;
    while (len && (p[len - 1] == ' ' || p[len - 1] == '\t')) {
        len--;
    }

    if (len == sizeof("application/json") - 1
        && ngx_strncasecmp(p, (u_char *) "application/json", len) == 0)
    {
        return 1;
    }

    slash = ngx_strlchr(p, p + len, '/');

    return slash != NULL && slash > p
           && len > sizeof("+json") - 1
           && p + len - 5 > slash + 1
           && ngx_strncasecmp(p + len - 5, (u_char *) "+json", 5) == 0;
}


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


/* All that can be told before the body is read. */

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

    if (r->headers_in.content_length_n <= 0 && !r->headers_in.chunked) {
        return NGX_AGAIN;
    }

    ngx_http_integrity_content(r, &content);

    if (content.encoded) {
        return ngx_http_integrity_body_refuse(ctx, body->encoded_pass,
                                        NGX_HTTP_UNSUPPORTED_MEDIA_TYPE,
                                        ig_str("has a content encoding"));
    }

    if (content.types != 1 || !ngx_http_integrity_type_ok(&content.type)) {
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
            ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                          "integrity: the body's temporary file ended early");
            return NGX_ERROR;
        }

        *last += n;
        size -= n;
    }

    return NGX_OK;
}


/* The body in one piece; a single buffer in memory is not copied. */

static ngx_int_t
ngx_http_integrity_body_gather(ngx_http_request_t *r, size_t max,
    ig_str_t *text)
{
    off_t         size;
    u_char       *p, *last;
    ngx_chain_t  *cl;

    text->len = 0;
    text->data = "";

    if (r->request_body == NULL || r->request_body->bufs == NULL) {
        return NGX_OK;
    }

    cl = r->request_body->bufs;

    if (cl->next == NULL && ngx_buf_in_memory(cl->buf)) {
        text->data = (char *) cl->buf->pos;
        text->len = cl->buf->last - cl->buf->pos;
        return text->len > max ? NGX_DECLINED : NGX_OK;
    }

    for (size = 0; cl; cl = cl->next) {
        size += ngx_buf_size(cl->buf);
    }

    if (size > (off_t) max) {
        return NGX_DECLINED;
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
