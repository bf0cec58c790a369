/*
 * ngx_http_integrity_audit.c: audit lines as a worker writes them: those of
 * one turn sealed into the chain as they come and written at once at its end,
 * before any of the decisions they tell takes effect.
 * Owns: the worker's chains.  Called by the request machine, the worker,
 * nginx (USR1).
 */

#include "ngx_http_integrity_audit.h"


static ig_str_t
ngx_http_integrity_node(void)
{
    return ngx_http_integrity_str(ngx_http_integrity_worker.mcf->node);
}


/* -- the beginning ------------------------------------------------------- */

static ngx_int_t
ngx_http_integrity_audit_start(ngx_cycle_t *cycle,
    ngx_http_integrity_file_t *file, ngx_http_integrity_audit_t *audit)
{
    u_char   random[8];
    u_char  *p;

    p = ngx_palloc(cycle->pool, NGX_HTTP_INTEGRITY_AUDIT_BUFFER + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    *p++ = '\n';

    audit->file = file;
    audit->buffer = p;
    audit->lines = ngx_palloc(cycle->pool, NGX_HTTP_INTEGRITY_AUDIT_LINES
                                           * sizeof(ngx_http_integrity_line_t));
    if (audit->lines == NULL) {
        return NGX_ERROR;
    }

    ngx_http_integrity_random(random, sizeof(random));

    ig_chain_init(&audit->chain, ngx_http_integrity_node(),
                  (unsigned) ngx_worker, random);

    ngx_memcpy(audit->prev, audit->chain.last, IG_SHA256);

    ngx_http_integrity_lock();

    audit->slot = ngx_http_integrity_shared_chain(
                                       ngx_http_integrity_worker.shared,
                                       ngx_worker, &file->name);

    if (audit->slot != NULL) {
        audit->before = *audit->slot;
        *audit->slot = audit->chain;
    }

    audit->tail = ngx_http_integrity_shared_tail(
                            ngx_http_integrity_worker.shared, &file->name);

    ngx_http_integrity_unlock();

    ngx_http_integrity_audit_look(audit);

    return NGX_OK;
}


ngx_int_t
ngx_http_integrity_audit_open(ngx_cycle_t *cycle)
{
    ngx_uint_t                     i;
    ngx_http_integrity_file_t    **file;
    ngx_http_integrity_worker_t   *w = &ngx_http_integrity_worker;

    w->audit = ngx_pcalloc(cycle->pool, (w->mcf->audit.nelts + 1)
                                        * sizeof(ngx_http_integrity_audit_t));
    if (w->audit == NULL) {
        return NGX_ERROR;
    }

    file = w->mcf->audit.elts;

    for (i = 0; i < w->mcf->audit.nelts; i++) {
        if (ngx_http_integrity_audit_start(cycle, file[i], &w->audit[i])
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        /* chain_open and the policy go first, whatever comes next. */

        (void) ngx_http_integrity_audit_line(file[i]);
        ngx_http_integrity_audit_write_one(&w->audit[i]);
    }

    return NGX_OK;
}


/* -- lines --------------------------------------------------------------- */

static ig_buf_t *
ngx_http_integrity_audit_begin(ngx_http_integrity_audit_t *audit)
{
    if (audit->used + IG_LINE_MAX > NGX_HTTP_INTEGRITY_AUDIT_BUFFER
        || audit->nlines == NGX_HTTP_INTEGRITY_AUDIT_LINES)
    {
        ngx_http_integrity_audit_write_one(audit);
    }

    ig_buf_init(&audit->line, (char *) audit->buffer + audit->used,
                IG_LINE_MAX);

    return &audit->line;
}


static void
ngx_http_integrity_audit_seal(ngx_http_integrity_audit_t *audit,
    ngx_http_integrity_ctx_t *ctx)
{
    ngx_http_integrity_line_t  *line;

    ig_chain_seal(&audit->chain, &audit->line, audit->prev);

    if (audit->line.full) {
        ngx_http_integrity_audit_complain(audit, 1, 0);
        ig_metric_add(ngx_http_integrity_worker.metrics, audit_dropped, 1);

        if (ctx != NULL) {
            ngx_http_integrity_audit_lost(ctx);
        }

        return;
    }

    audit->used += audit->line.pos - audit->line.start;

    line = &audit->lines[audit->nlines++];

    line->end = audit->used;
    line->seq = audit->chain.issued;
    line->ctx = ctx;
    ngx_memcpy(line->hash, audit->prev, IG_SHA256);

    ngx_http_integrity_post_turn();
}


/* The lines that must stand before any other: chain_open, policy. */

static void
ngx_http_integrity_audit_preface(ngx_http_integrity_audit_t *audit)
{
    uint64_t      truncated;
    unsigned      i, parts;
    ig_policy_t  *policy;

    if (audit->opening) {
        return;
    }

    if (!audit->opened) {
        audit->opening = 1;

        policy = ngx_http_integrity_worker.mcf->policy;

        ig_chain_open_line(ngx_http_integrity_audit_begin(audit),
                           audit->before.id_len ? &audit->before : NULL,
                           audit->number, ngx_http_integrity_now(),
                           ngx_http_integrity_node(),
                           ig_str(IG_VERSION), policy->hash);
        ngx_http_integrity_audit_seal(audit, NULL);

        audit->opened = 1;
        parts = ig_event_policy_parts(policy);

        for (i = 1; i <= parts; i++) {
            ig_event_policy(ngx_http_integrity_audit_begin(audit),
                            ngx_http_integrity_now(),
                            ngx_http_integrity_node(), policy, i, parts);
            ngx_http_integrity_audit_seal(audit, NULL);
        }

        audit->opening = 0;
    }

    truncated = 0;

    if (audit->fd != audit->file->file->fd) {
        ngx_http_integrity_audit_look(audit);

    } else {
        truncated = ngx_http_integrity_audit_check(audit);

        if (truncated == 0) {
            return;
        }
    }

    ig_chain_segment_line(ngx_http_integrity_audit_begin(audit), true,
                          truncated, ngx_http_integrity_now(),
                          ngx_http_integrity_node());
    ngx_http_integrity_audit_seal(audit, NULL);
}


ig_buf_t *
ngx_http_integrity_audit_line(ngx_http_integrity_file_t *file)
{
    ngx_http_integrity_audit_t  *audit;

    audit = &ngx_http_integrity_worker.audit[file->index];

    ngx_http_integrity_audit_preface(audit);

    return ngx_http_integrity_audit_begin(audit);
}


void
ngx_http_integrity_audit_add(ngx_http_integrity_file_t *file,
    ngx_http_integrity_ctx_t *ctx)
{
    ngx_http_integrity_audit_seal(
                       &ngx_http_integrity_worker.audit[file->index], ctx);
}


void
ngx_http_integrity_audit_forget(ngx_http_integrity_ctx_t *ctx)
{
    ngx_uint_t                    i, n;
    ngx_http_integrity_audit_t   *audit;
    ngx_http_integrity_worker_t  *w = &ngx_http_integrity_worker;

    for (i = 0; i < w->mcf->audit.nelts; i++) {
        audit = &w->audit[i];

        for (n = 0; n < audit->nlines; n++) {
            if (audit->lines[n].ctx == ctx) {
                audit->lines[n].ctx = NULL;
            }
        }
    }
}


/* -- the end of a turn, rotation, the end -------------------------------- */

void
ngx_http_integrity_audit_write(void)
{
    ngx_uint_t                    i;
    ngx_http_integrity_worker_t  *w = &ngx_http_integrity_worker;

    for (i = 0; i < w->mcf->audit.nelts; i++) {
        ngx_http_integrity_audit_write_one(&w->audit[i]);
    }
}


/*
 * nginx calls this before it opens the file again (USR1), in workers and in
 * the master alike, and once more when a worker exits.  The master has no
 * chain; a worker on its way out only sees to it that nothing is left behind:
 * whether the file is about to change it learns from the next write.
 */

void
ngx_http_integrity_audit_flush_hook(ngx_open_file_t *file, ngx_log_t *log)
{
    ngx_http_integrity_file_t    *own = file->data;
    ngx_http_integrity_audit_t   *audit;
    ngx_http_integrity_worker_t  *w = &ngx_http_integrity_worker;

    if (w->mcf == NULL) {
        return;
    }

    audit = &w->audit[own->index];

    if (audit->file != own) {
        return;
    }

    if (ngx_exiting || ngx_quit || ngx_terminate) {
        ngx_http_integrity_audit_write_one(audit);
        return;
    }

    audit->checked = 0;
    ngx_http_integrity_audit_preface(audit);

    ig_chain_segment_line(ngx_http_integrity_audit_begin(audit), false, 0,
                          ngx_http_integrity_now(), ngx_http_integrity_node());
    ngx_http_integrity_audit_seal(audit, NULL);

    ngx_http_integrity_audit_write_one(audit);

    /* Even where the new file gets the old one's number. */

    audit->fd = NGX_INVALID_FILE;
}


void
ngx_http_integrity_audit_close(void)
{
    ngx_uint_t                    i;
    ngx_http_integrity_audit_t   *audit;
    ngx_http_integrity_worker_t  *w = &ngx_http_integrity_worker;

    for (i = 0; i < w->mcf->audit.nelts; i++) {
        audit = &w->audit[i];

        audit->checked = 0;
        ngx_http_integrity_audit_preface(audit);

        ig_chain_close_line(ngx_http_integrity_audit_begin(audit),
                            &audit->chain, ngx_http_integrity_now(),
                            ngx_http_integrity_node());
        ngx_http_integrity_audit_seal(audit, NULL);

        ngx_http_integrity_audit_write_one(audit);

        if (audit->chain.written == audit->chain.issued) {
            ig_chain_closed(&audit->chain);
            ngx_http_integrity_audit_publish(audit);
        }
    }
}
