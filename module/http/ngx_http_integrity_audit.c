/*
 * ngx_http_integrity_audit.c: audit files as a worker writes them: lines of
 * one turn sealed into the chain as they come and written at once at its end,
 * before any of the decisions they tell takes effect.
 * Owns: the batch buffers and the worker's chains.  Borrows: nginx's open
 * files.  Called by the request machine, the worker, nginx (USR1).
 */

#include "ngx_http_integrity.h"

#define NGX_HTTP_INTEGRITY_AUDIT_BUFFER  (256 * 1024)
#define NGX_HTTP_INTEGRITY_AUDIT_LINES   512

static void ngx_http_integrity_audit_write_one(
    ngx_http_integrity_audit_t *audit);
static void ngx_http_integrity_audit_complain(
    ngx_http_integrity_audit_t *audit, ngx_uint_t lost, ngx_err_t err);


/* A sealed line that waits for the write. */
typedef struct {
    size_t                     end;         /* offset of its end in the buffer */
    uint64_t                   seq;
    uint8_t                    hash[IG_SHA256];
    ngx_http_integrity_ctx_t  *ctx;         /* who waits for it, or NULL */
} ngx_http_integrity_line_t;


struct ngx_http_integrity_audit_s {
    ngx_http_integrity_file_t  *file;
    ngx_fd_t                    fd;         /* as of the last line: a change
                                               means a new segment */
    ig_chain_t                  chain;
    ig_chain_t                  before;     /* the predecessor's last state */
    ig_chain_t                 *slot;       /* in the zone; NULL: no room */
    uint8_t                     prev[IG_SHA256];    /* of the batch so far */

    u_char                     *buffer;
    size_t                      used;
    ig_buf_t                    line;       /* being written by somebody */

    ngx_http_integrity_line_t  *lines;
    ngx_uint_t                  nlines;

    time_t                      complained;
    uint64_t                    complaints; /* not told since */
    unsigned                    opened:1;   /* chain_open is in the file */
    unsigned                    opening:1;
};


static ig_str_t
ngx_http_integrity_node(void)
{
    return ngx_http_integrity_str(ngx_http_integrity_worker.mcf->node);
}


/* -- the chain's state as a successor will find it ----------------------- */

static void
ngx_http_integrity_audit_publish(ngx_http_integrity_audit_t *audit)
{
    ig_chain_t  *slot;

    slot = audit->slot;

    if (slot == NULL) {
        return;
    }

    ngx_http_integrity_lock();

    /* After a reload the slot is the younger generation's. */

    if (slot->id_len == audit->chain.id_len
        && ngx_memcmp(slot->id, audit->chain.id, slot->id_len) == 0)
    {
        *slot = audit->chain;
    }

    ngx_http_integrity_unlock();
}


static ngx_int_t
ngx_http_integrity_audit_start(ngx_cycle_t *cycle,
    ngx_http_integrity_file_t *file, ngx_http_integrity_audit_t *audit)
{
    u_char  random[8];

    audit->file = file;
    audit->fd = file->file->fd;
    audit->buffer = ngx_palloc(cycle->pool, NGX_HTTP_INTEGRITY_AUDIT_BUFFER);
    audit->lines = ngx_palloc(cycle->pool, NGX_HTTP_INTEGRITY_AUDIT_LINES
                                           * sizeof(ngx_http_integrity_line_t));

    if (audit->buffer == NULL || audit->lines == NULL) {
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

    ngx_http_integrity_unlock();

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
            ctx->lost = 1;
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
                           ngx_http_integrity_now(), ngx_http_integrity_node(),
                           ig_str(NGX_HTTP_INTEGRITY_VERSION), policy->hash);
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

    if (audit->fd != audit->file->file->fd) {
        audit->fd = audit->file->file->fd;

        ig_chain_segment_line(ngx_http_integrity_audit_begin(audit), true,
                              ngx_http_integrity_now(),
                              ngx_http_integrity_node());
        ngx_http_integrity_audit_seal(audit, NULL);
    }
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


/* -- the write ----------------------------------------------------------- */

static void
ngx_http_integrity_audit_complain(ngx_http_integrity_audit_t *audit,
    ngx_uint_t lost, ngx_err_t err)
{
    audit->complaints += lost;

    if (audit->complained == ngx_time()) {
        return;
    }

    ngx_log_error(NGX_LOG_CRIT, ngx_cycle->log, err,
                  "integrity: %uL audit lines were not written to \"%V\"",
                  audit->complaints, &audit->file->name);

    audit->complained = ngx_time();
    audit->complaints = 0;
}


/* `n` bytes of the batch reached the file: which lines are those? */

static void
ngx_http_integrity_audit_account(ngx_http_integrity_audit_t *audit, size_t n,
    ngx_err_t err)
{
    ngx_uint_t                    i, lost;
    ngx_http_integrity_line_t    *line;
    ngx_http_integrity_worker_t  *w = &ngx_http_integrity_worker;

    for (i = 0; i < audit->nlines && audit->lines[i].end <= n; i++) {
        line = &audit->lines[i];
        ig_chain_written(&audit->chain, line->seq, line->hash);
    }

    ig_metric_add(w->metrics, audit_lines, i);

    lost = audit->nlines - i;

    if (lost == 0) {
        return;
    }

    for ( /* void */ ; i < audit->nlines; i++) {
        if (audit->lines[i].ctx != NULL) {
            audit->lines[i].ctx->lost = 1;
        }
    }

    ig_chain_lost(&audit->chain, lost);
    ig_metric_add(w->metrics, audit_dropped, lost);

    if (audit->chain.written == 0) {
        audit->opened = 0;
    }

    ngx_http_integrity_audit_complain(audit, lost, err);
}


static void
ngx_http_integrity_audit_write_one(ngx_http_integrity_audit_t *audit)
{
    size_t      whole;
    ssize_t     n;
    ngx_err_t   err;
    ngx_uint_t  i;

    if (audit->nlines == 0) {
        return;
    }

    /* Should we die in the write, a successor knows what was attempted. */

    ngx_http_integrity_audit_publish(audit);

    if (ngx_http_integrity_shared_torn(ngx_http_integrity_worker.shared, 0)) {
        (void) ngx_write_fd(audit->file->file->fd, "\n", 1);
    }

    n = ngx_write_fd(audit->file->file->fd, audit->buffer, audit->used);

    err = n == -1 ? ngx_errno : (size_t) n < audit->used ? NGX_ENOSPC : 0;
    whole = n == -1 ? 0 : (size_t) n;

    ig_metric_add(ngx_http_integrity_worker.metrics, audit_writes, 1);

    ngx_http_integrity_audit_account(audit, whole, err);

    if (whole != 0 && whole < audit->used) {
        for (i = 0; i < audit->nlines && audit->lines[i].end < whole; i++) {
            /* void */
        }

        /* The end of a line exactly there is a clean cut. */

        if (i == audit->nlines || audit->lines[i].end != whole) {
            (void) ngx_http_integrity_shared_torn(
                                        ngx_http_integrity_worker.shared, 1);
        }
    }

    ngx_memcpy(audit->prev, audit->chain.last, IG_SHA256);

    audit->used = 0;
    audit->nlines = 0;

    ngx_http_integrity_audit_publish(audit);
}


void
ngx_http_integrity_audit_write(void)
{
    ngx_uint_t                    i;
    ngx_http_integrity_worker_t  *w = &ngx_http_integrity_worker;

    for (i = 0; i < w->mcf->audit.nelts; i++) {
        ngx_http_integrity_audit_write_one(&w->audit[i]);
    }
}


/* -- rotation and end ---------------------------------------------------- */

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

    ngx_http_integrity_audit_preface(audit);

    ig_chain_segment_line(ngx_http_integrity_audit_begin(audit), false,
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
