/*
 * ngx_http_integrity_ctx.c: the context of a request, which outlives the
 * internal redirects that make nginx forget module contexts, and what must
 * be undone when the request ends early.
 * Owns: the context.  Called by the request machine and the variables.
 */

#include "ngx_http_integrity.h"


/* The request's pool goes: the parsed body with it. */

static void
ngx_http_integrity_pool_cleanup(void *data)
{
    ngx_http_integrity_ctx_t *ctx = data;

    if (ctx->json != NULL) {
        ig_json_free(ctx->json);
        ctx->json = NULL;
    }
}


/*
 * The request ends, perhaps while the store or the log still knows of it:
 * nothing of theirs may point here afterwards.  A batch in flight goes on
 * without an owner, and what it counted is taken back when it has settled.
 */

static void
ngx_http_integrity_cleanup(void *data)
{
    ngx_http_integrity_ctx_t *ctx = data;

    if (ctx->batch != NULL) {
        ctx->batch->owner = NULL;
        ctx->batch = NULL;
    }

    if (ctx->state == NGX_HTTP_INTEGRITY_RECORDING) {
        ngx_queue_remove(&ctx->queue);
        ngx_queue_init(&ctx->queue);
        ngx_http_integrity_audit_forget(ctx);
        ngx_http_integrity_settle(ctx);
    }
}


ngx_http_integrity_ctx_t *
ngx_http_integrity_get_ctx(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t        *cln;
    ngx_http_integrity_ctx_t  *ctx;

    r = r->main;

    ctx = ngx_http_get_module_ctx(r, ngx_http_integrity_module);

    if (ctx != NULL || !(r->internal || r->filter_finalize)) {
        return ctx;
    }

    for (cln = r->pool->cleanup; cln; cln = cln->next) {
        if (cln->handler == ngx_http_integrity_pool_cleanup) {
            ctx = cln->data;
            ngx_http_set_ctx(r, ctx, ngx_http_integrity_module);
            return ctx;
        }
    }

    return NULL;
}


ngx_http_integrity_ctx_t *
ngx_http_integrity_make_ctx(ngx_http_request_t *r)
{
    ngx_http_cleanup_t        *end;
    ngx_pool_cleanup_t        *cln;
    ngx_http_integrity_ctx_t  *ctx;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_integrity_ctx_t));
    if (cln == NULL) {
        return NULL;
    }

    ctx = cln->data;
    ngx_memzero(ctx, sizeof(ngx_http_integrity_ctx_t));
    ngx_queue_init(&ctx->queue);
    ctx->request = r;

    cln->handler = ngx_http_integrity_pool_cleanup;

    end = ngx_http_cleanup_add(r, 0);
    if (end == NULL) {
        return NULL;
    }

    end->handler = ngx_http_integrity_cleanup;
    end->data = ctx;

    ngx_http_set_ctx(r, ctx, ngx_http_integrity_module);

    return ctx;
}
