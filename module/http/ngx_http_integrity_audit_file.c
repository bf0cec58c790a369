/*
 * ngx_http_integrity_audit_file.c: batches of audit lines into their file:
 * what the kernel took and what it did not, torn lines and their mending.
 * Borrows: nginx's open files, the worker's chains.  Called by
 * ngx_http_integrity_audit.c.
 */

#include "ngx_http_integrity_audit.h"


/* -- the file ------------------------------------------------------------ */

/*
 * The last byte, where we may read the file: a crash, of the system or in the
 * middle of a write, leaves half a line and nobody who remembers.
 */

static ngx_uint_t
ngx_http_integrity_audit_is_torn(u_char *name, ngx_file_info_t *own)
{
    u_char           last;
    ngx_fd_t         fd;
    ngx_uint_t       torn;
    ngx_file_info_t  fi;

    fd = ngx_open_file(name, NGX_FILE_RDONLY|NGX_FILE_NONBLOCK, NGX_FILE_OPEN,
                       0);

    if (fd == NGX_INVALID_FILE) {
        return 0;
    }

    torn = ngx_fd_info(fd, &fi) != NGX_FILE_ERROR
           && ngx_file_uniq(&fi) == ngx_file_uniq(own)
           && pread(fd, &last, 1, ngx_file_size(own) - 1) == 1
           && last != '\n';

    (void) ngx_close_file(fd);

    return torn;
}


void
ngx_http_integrity_audit_look(ngx_http_integrity_audit_t *audit)
{
    ngx_open_file_t  *file;
    ngx_file_info_t   fi;

    file = audit->file->file;

    audit->fd = file->fd;
    audit->number = 0;
    audit->checked = ngx_time();
    audit->no_file = ngx_fd_info(file->fd, &fi) == NGX_FILE_ERROR
                     || !ngx_is_file(&fi);

    if (audit->no_file) {
        ngx_log_error(NGX_LOG_CRIT, ngx_cycle->log, 0,
                      "integrity: \"%V\" is not a regular file: nothing is "
                      "written to it", &audit->file->name);
        return;
    }

    ngx_http_integrity_audit_number(audit, &fi);

    if (ngx_file_size(&fi) > 0
        && ngx_http_integrity_audit_is_torn(file->name.data, &fi))
    {
        __atomic_store_n(&audit->tail->torn, 1, __ATOMIC_RELAXED);
    }
}


/* -- the chain's state as a successor will find it ----------------------- */

void
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


/* -- the write ----------------------------------------------------------- */

void
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


/* The line that this request waits for did not get out. */

void
ngx_http_integrity_audit_lost(ngx_http_integrity_ctx_t *ctx)
{
    ctx->lost = 1;

    if (ctx->call->evaluation == IG_CACHED) {
        ngx_http_integrity_cached_lost(ctx);
    }
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
        audit->chain.file = audit->number;
    }

    ig_metric_add(w->metrics, audit_lines, i);

    lost = audit->nlines - i;

    if (lost == 0) {
        return;
    }

    for ( /* void */ ; i < audit->nlines; i++) {
        if (audit->lines[i].ctx != NULL) {
            ngx_http_integrity_audit_lost(audit->lines[i].ctx);
        }
    }

    ig_chain_lost(&audit->chain, lost);
    ig_metric_add(w->metrics, audit_dropped, lost);

    if (audit->chain.written == 0) {
        audit->opened = 0;
    }

    ngx_http_integrity_audit_complain(audit, lost, err);
}


/*
 * Returns how much of the batch the kernel took; *err is why not all.  After
 * a torn line a newline goes first, in the same write: where it does not get
 * through, the next batch needs it still.
 */

static size_t
ngx_http_integrity_audit_put(ngx_http_integrity_audit_t *audit, ngx_err_t *err)
{
    size_t   mend, size;
    ssize_t  n;

    mend = __atomic_exchange_n(&audit->tail->torn, 0, __ATOMIC_RELAXED) != 0;
    size = audit->used + mend;
    *err = 0;

    if (audit->no_file) {
        n = 0;

    } else {
        n = ngx_write_fd(audit->file->file->fd, audit->buffer - mend, size);

        if ((size_t) n != size) {
            *err = n == -1 ? ngx_errno : NGX_ENOSPC;
            n = ngx_max(n, 0);
        }
    }

    if ((mend && n == 0)
        || ((size_t) n > mend && audit->buffer[n - mend - 1] != '\n'))
    {
        __atomic_store_n(&audit->tail->torn, 1, __ATOMIC_RELAXED);
    }

    ngx_http_integrity_audit_grow(audit, n);

    return n == 0 ? 0 : n - mend;
}


void
ngx_http_integrity_audit_write_one(ngx_http_integrity_audit_t *audit)
{
    size_t     n;
    ngx_err_t  err;

    if (audit->nlines == 0) {
        return;
    }

    /* Should we die in the write, a successor knows what was attempted. */

    ngx_http_integrity_audit_publish(audit);

    n = ngx_http_integrity_audit_put(audit, &err);

    ig_metric_add(ngx_http_integrity_worker.metrics, audit_writes, 1);

    ngx_http_integrity_audit_account(audit, n, err);

    ngx_memcpy(audit->prev, audit->chain.last, IG_SHA256);

    audit->used = 0;
    audit->nlines = 0;

    ngx_http_integrity_audit_publish(audit);
}
