/*
 * ngx_http_integrity_control_load.h: what `integrityctl load` asks, between
 * its reading and its steps through the store.
 * Owns nothing.  Included by ngx_http_integrity_control_load*.c alone.
 */

#ifndef NGX_HTTP_INTEGRITY_CONTROL_LOAD_H
#define NGX_HTTP_INTEGRITY_CONTROL_LOAD_H

#include "ngx_http_integrity_control.h"

/* ctl->data, in the request's pool. */
typedef struct {
    ig_event_load_t      event;
    char                 id[2 * IG_LOAD_ID];    /* event.load points here */

    ig_load_step_e       last;      /* what is asked: LOOK, BEGIN, CHECK and
                                       WRITE, CHECK and END */
    ig_load_step_e       step;      /* under way, or the latest */
    ig_load_state_e      state;     /* of it */
    ig_load_cursor_t     cursor;    /* what it is to be */
    ig_load_cursor_t     found;     /* what it was */
    ngx_uint_t           check;     /* the worker's how manieth: a connection
                                       watches for the latest one only */
    ngx_uint_t           replace;
    ig_op_t             *op;
    unsigned             nops;
    int64_t              since[IG_MAX_COUNTERS];    /* by counter id */
    const ig_counter_t  *rank[IG_MAX_COUNTERS];
} ngx_http_integrity_loading_t;

/* As ngx_http_integrity_control_run. */
ngx_int_t ngx_http_integrity_control_load_run(
    ngx_http_integrity_control_t *ctl);

#endif /* NGX_HTTP_INTEGRITY_CONTROL_LOAD_H */
