/*
 * ngx_http_integrity_answer.c: what a refused client is told: RFC 9457
 * problem details, with an event id that finds the audit record and nothing
 * about thresholds, rules or scores.  A configured error_page wins.
 * Owns nothing.  Called by the state machine.
 */

#include "ngx_http_integrity.h"

#define NGX_HTTP_INTEGRITY_RETRY_MAX  60        /* seconds */


static ngx_int_t
ngx_http_integrity_header(ngx_http_request_t *r, const char *name,
    size_t name_len, ngx_str_t *value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    h->hash = 1;
#if (nginx_version >= 1023000)
    h->next = NULL;
#endif
    h->key.len = name_len;
    h->key.data = (u_char *) name;
    h->value = *value;

    return NGX_OK;
}


/*
 * When to come back: a tenth of the shortest window that could have held the
 * call up, at most a minute, plus up to half of that at random so that
 * clients do not come back in step.  It tells nothing of where a limit is.
 */

static ngx_uint_t
ngx_http_integrity_retry_after(ngx_http_integrity_ctx_t *ctx)
{
    u_char      random[2];
    int64_t     window;
    unsigned    i;
    ngx_uint_t  seconds;

    window = NGX_HTTP_INTEGRITY_RETRY_MAX * 10 * 1000;

    for (i = 0; i < ctx->call->plan->nlimits; i++) {
        window = ngx_min(window, ctx->call->plan->limit[i].counter->window);
    }

    seconds = (ngx_uint_t) ngx_max(window / 10000, 1);

    ngx_http_integrity_random(random, sizeof(random));

    return seconds + ((random[0] << 8 | random[1]) % (seconds / 2 + 1));
}


static ngx_int_t
ngx_http_integrity_headers(ngx_http_request_t *r,
    ngx_http_integrity_ctx_t *ctx)
{
    u_char     *p;
    ngx_str_t   value;

    ngx_str_set(&value, "no-store");

    if (ngx_http_integrity_header(r, "Cache-Control",
                                  sizeof("Cache-Control") - 1, &value)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ctx->call->decision != IG_THROTTLE) {
        return NGX_OK;
    }

    p = ngx_pnalloc(r->pool, NGX_INT_T_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    value.data = p;
    value.len = ngx_sprintf(p, "%ui", ngx_http_integrity_retry_after(ctx)) - p;

    return ngx_http_integrity_header(r, "Retry-After",
                                     sizeof("Retry-After") - 1, &value);
}


static ngx_uint_t
ngx_http_integrity_has_error_page(ngx_http_request_t *r, ngx_uint_t status)
{
    ngx_uint_t                 i;
    ngx_http_err_page_t       *page;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    if (clcf->error_pages == NULL || r->error_page) {
        return 0;
    }

    page = clcf->error_pages->elts;

    for (i = 0; i < clcf->error_pages->nelts; i++) {
        if (page[i].status == (ngx_int_t) status) {
            return 1;
        }
    }

    return 0;
}


static const char *
ngx_http_integrity_title(ngx_uint_t status)
{
    switch (status) {
    case NGX_HTTP_BAD_REQUEST:
        return "Bad Request";
    case NGX_HTTP_FORBIDDEN:
        return "Forbidden";
    case NGX_HTTP_REQUEST_ENTITY_TOO_LARGE:
        return "Content Too Large";
    case NGX_HTTP_UNSUPPORTED_MEDIA_TYPE:
        return "Unsupported Media Type";
    case NGX_HTTP_TOO_MANY_REQUESTS:
        return "Too Many Requests";
    case NGX_HTTP_SERVICE_UNAVAILABLE:
        return "Service Unavailable";
    default:
        return "Request refused";
    }
}


ngx_int_t
ngx_http_integrity_answer(ngx_http_request_t *r, ngx_http_integrity_ctx_t *ctx)
{
    u_char                    *p;
    ngx_int_t                  rc;
    ngx_str_t                  type;
    ngx_http_complex_value_t   cv;

    if (ctx->status == NGX_HTTP_CLOSE) {
        return NGX_HTTP_CLOSE;
    }

    if (ngx_http_integrity_headers(r, ctx) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_http_integrity_has_error_page(r, ctx->status)) {
        return ctx->status;
    }

    ngx_memzero(&cv, sizeof(ngx_http_complex_value_t));

    p = ngx_pnalloc(r->pool, 256);
    if (p == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    cv.value.data = p;
    cv.value.len = ngx_snprintf(p, 256,
                                "{\"type\":\"about:blank\",\"title\":\"%s\","
                                "\"status\":%ui,\"event\":\"%*s\"}" CRLF,
                                ngx_http_integrity_title(ctx->status),
                                ctx->status, sizeof(ctx->call->event),
                                ctx->call->event)
                   - p;

    ngx_str_set(&type, "application/problem+json");

    rc = ngx_http_send_response(r, ctx->status, &type, &cv);

    if (rc == NGX_HTTP_INTERNAL_SERVER_ERROR) {
        return rc;
    }

    ngx_http_finalize_request(r, rc);

    return NGX_DONE;
}
