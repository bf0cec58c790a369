/*
 * ngx_http_integrity_audit.h: private to the audit log: a worker's state for
 * one file, shared by ngx_http_integrity_audit.c (lines and chains) and
 * ngx_http_integrity_audit_file.c (bytes).  Owns nothing.
 */

#ifndef NGX_HTTP_INTEGRITY_AUDIT_H
#define NGX_HTTP_INTEGRITY_AUDIT_H

#include "ngx_http_integrity.h"

#define NGX_HTTP_INTEGRITY_AUDIT_BUFFER  (256 * 1024)
#define NGX_HTTP_INTEGRITY_AUDIT_LINES   512


/* A sealed line that waits for the write. */
typedef struct {
    size_t                     end;         /* of it in the buffer */
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
    ngx_http_integrity_tail_t  *tail;       /* in the zone */
    uint64_t                    number;     /* as the tail had it */
    uint8_t                     prev[IG_SHA256];    /* of the batch so far */

    u_char                     *buffer;     /* behind a newline */
    size_t                      used;
    ig_buf_t                    line;       /* being written by somebody */

    ngx_http_integrity_line_t  *lines;
    ngx_uint_t                  nlines;

    uint64_t                    cuts;       /* likewise */
    time_t                      checked;    /* whether somebody cut it */

    time_t                      complained;
    uint64_t                    complaints; /* not told since */
    unsigned                    opened:1;   /* chain_open is in the file */
    unsigned                    opening:1;
    unsigned                    no_file:1;  /* fd is a device or the like */
    unsigned                    deleted:1;  /* the file has no name left */
};


/* ngx_http_integrity_audit_file.c */
/* At the start, and whenever the file was opened anew: what is it? */
void ngx_http_integrity_audit_look(ngx_http_integrity_audit_t *audit);
/* Leaves the chain's state where a successor will find it. */
void ngx_http_integrity_audit_publish(ngx_http_integrity_audit_t *audit);
/* Writes the batch; marks the requests whose lines were lost. */
void ngx_http_integrity_audit_write_one(ngx_http_integrity_audit_t *audit);
void ngx_http_integrity_audit_lost(ngx_http_integrity_ctx_t *ctx);
/* Tells of lines that were lost, at most once a second. */
void ngx_http_integrity_audit_complain(ngx_http_integrity_audit_t *audit,
    ngx_uint_t lost, ngx_err_t err);

/* ngx_http_integrity_audit_tail.c */
/* Which file is it?  Files opened one after another have other numbers. */
void ngx_http_integrity_audit_number(ngx_http_integrity_audit_t *audit,
    ngx_file_info_t *fi);
/* `n` bytes were written to it. */
void ngx_http_integrity_audit_grow(ngx_http_integrity_audit_t *audit,
    size_t n);
/*
 * At most once a second: how many bytes somebody cut off the file since this
 * worker was told of it; mostly 0.
 */
uint64_t ngx_http_integrity_audit_check(ngx_http_integrity_audit_t *audit);

#endif /* NGX_HTTP_INTEGRITY_AUDIT_H */
