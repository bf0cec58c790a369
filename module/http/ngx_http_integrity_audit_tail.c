/*
 * ngx_http_integrity_audit_tail.c: what all workers know together of an audit
 * file: which one it is, how long it must be at least, and so whether somebody
 * took bytes or the whole of it away while it was written.
 * Borrows: the zone's entry of the file.  Called by ngx_http_integrity_audit.c
 * and ngx_http_integrity_audit_file.c.
 */

#include "ngx_http_integrity_audit.h"

#define ngx_http_integrity_audit_packed(number, size)                         \
    ((number) << NGX_HTTP_INTEGRITY_SIZE_BITS | (uint64_t) (size))


/*
 * Files that were opened one after another have different numbers: a chain
 * whose predecessor wrote to the same one says so.
 */

void
ngx_http_integrity_audit_number(ngx_http_integrity_audit_t *audit,
    ngx_file_info_t *fi)
{
    ngx_http_integrity_tail_t  *tail;

    tail = audit->tail;

    ngx_http_integrity_lock();

    if (tail->number == 0 || tail->inode != (uint64_t) ngx_file_uniq(fi)
        || tail->device != (uint64_t) fi->st_dev)
    {
        tail->number++;
        tail->inode = ngx_file_uniq(fi);
        tail->device = fi->st_dev;
        __atomic_store_n(&tail->size, ngx_http_integrity_audit_packed(
                                         tail->number, ngx_file_size(fi)),
                         __ATOMIC_RELAXED);
    }

    audit->number = tail->number;
    audit->cuts = tail->cuts;

    ngx_http_integrity_unlock();
}


/* Unless the others went on to another file meanwhile. */

void
ngx_http_integrity_audit_grow(ngx_http_integrity_audit_t *audit, size_t n)
{
    uint64_t   size, mine, *tail;

    tail = &audit->tail->size;
    mine = ngx_http_integrity_audit_packed(audit->number, 0);
    size = __atomic_load_n(tail, __ATOMIC_RELAXED);

    while ((size ^ mine) >> NGX_HTTP_INTEGRITY_SIZE_BITS == 0) {
        if (__atomic_compare_exchange_n(tail, &size, size + n, 0,
                                        __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        {
            return;
        }
    }
}


/* How much shorter it is than what was written to it. */

static uint64_t
ngx_http_integrity_audit_missing(ngx_http_integrity_audit_t *audit,
    ngx_file_info_t *fi)
{
    uint64_t  size, mine;

    /* in this order: it may grow meanwhile */

    size = __atomic_load_n(&audit->tail->size, __ATOMIC_SEQ_CST);
    mine = ngx_http_integrity_audit_packed(audit->number, 0);

    if (ngx_fd_info(audit->fd, fi) == NGX_FILE_ERROR) {
        fi->st_nlink = 1;
        return 0;
    }

    if ((size ^ mine) >> NGX_HTTP_INTEGRITY_SIZE_BITS != 0) {
        return 0;
    }

    size -= mine;

    return size > (uint64_t) ngx_file_size(fi)
           ? size - (uint64_t) ngx_file_size(fi) : 0;
}


static void
ngx_http_integrity_audit_count_cut(ngx_http_integrity_audit_t *audit)
{
    uint64_t                    cut;
    ngx_file_info_t             fi;
    ngx_http_integrity_tail_t  *tail;

    tail = audit->tail;

    ngx_http_integrity_lock();

    /* another worker may have been first */

    cut = ngx_http_integrity_audit_missing(audit, &fi);

    if (cut > 0) {
        __atomic_sub_fetch(&tail->size, cut, __ATOMIC_RELAXED);
        tail->cut = cut;
        tail->cuts++;
    }

    ngx_http_integrity_unlock();

    if (cut > 0) {
        ngx_log_error(NGX_LOG_CRIT, ngx_cycle->log, 0,
                      "integrity: somebody cut %uL bytes off \"%V\" while it "
                      "was written: move it and send USR1 instead of "
                      "copytruncate", cut, &audit->file->name);
    }
}


static void
ngx_http_integrity_audit_find_deleted(ngx_http_integrity_audit_t *audit,
    ngx_file_info_t *fi)
{
    if (fi->st_nlink == 0 && !audit->deleted) {
        ngx_log_error(NGX_LOG_CRIT, ngx_cycle->log, 0,
                      "integrity: \"%V\" was deleted while it was written, "
                      "with all lines in it: USR1 opens a new one",
                      &audit->file->name);
    }

    audit->deleted = fi->st_nlink == 0;
}


/*
 * Somebody who truncates the file takes lines away, or moves them to a copy:
 * only we can tell, from it being shorter than what was written to it.
 */

uint64_t
ngx_http_integrity_audit_check(ngx_http_integrity_audit_t *audit)
{
    uint64_t         cut;
    ngx_file_info_t  fi;

    if (audit->checked == ngx_time() || audit->no_file) {
        return 0;
    }

    audit->checked = ngx_time();

    if (ngx_http_integrity_audit_missing(audit, &fi) > 0) {
        ngx_http_integrity_audit_count_cut(audit);
    }

    ngx_http_integrity_audit_find_deleted(audit, &fi);

    if (audit->cuts == audit->tail->cuts) {
        return 0;
    }

    cut = audit->tail->cut;
    ngx_http_integrity_audit_look(audit);

    return cut;
}
