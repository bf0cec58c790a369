/*
 * ngx_http_integrity_control.h: what a person asks of integrity_control,
 * between its reading and its answer, and the operations there are.
 * Owns nothing.  Included by ngx_http_integrity_control*.c alone.
 */

#ifndef NGX_HTTP_INTEGRITY_CONTROL_H
#define NGX_HTTP_INTEGRITY_CONTROL_H

#include "ngx_http_integrity.h"

typedef struct ngx_http_integrity_control_s  ngx_http_integrity_control_t;

/*
 * One operation, by the name that stands in "op".
 *
 * read:    from ctl->json into ctl->op and whatever else it wants; NGX_OK,
 *          NGX_DECLINED (it is wrong, see control_wrong) or NGX_ERROR (no
 *          memory).  ctl->nops may stay 0: then the store is not asked.
 * record:  writes the audit line; NULL: it changes nothing.  Called before the
 *          store is asked, and again, with ctl->failed, where it could not do
 *          what the line says.
 * answer:  writes the JSON object of a 200; every op is DONE.
 * run:     asks the store in a way of its own, as control_run does; NULL: that
 *          one does.
 */
typedef struct {
    ig_str_t     name;
    ngx_int_t  (*read)(ngx_http_integrity_control_t *ctl, ig_mem_t *mem);
    void       (*record)(ngx_http_integrity_control_t *ctl, ig_buf_t *line);
    void       (*answer)(ngx_http_integrity_control_t *ctl, ig_buf_t *b);
    ngx_int_t  (*run)(ngx_http_integrity_control_t *ctl);
} ngx_http_integrity_control_op_t;

/*
 * Lives in the request's pool.  A batch in flight points here; when the
 * request ends first, it no longer does, and the change goes on without us.
 */
struct ngx_http_integrity_control_s {
    ngx_http_request_t                     *request;
    ig_json_t                              *json;
    const ngx_http_integrity_control_op_t  *what;
    void                                   *data;   /* of the operation */

    ig_call_t                *call;     /* of no action: its time, its event,
                                           its tenant; carries the key */
    ig_op_t                  *op;       /* what was asked, what came back */
    unsigned                  nops;
    ig_str_t                  reason;
    ig_str_t                  by;
    unsigned                  failed:1; /* the store did not do it all */
    unsigned                  waits:1;  /* has a clean-up */

    ig_batch_t               *batch;    /* while the store has it */
    ngx_event_t               answer;

    const char               *error;    /* what is wrong with it, ... */
    ig_str_t                  about;    /* ... and with which part */
    ngx_uint_t                status;
};

/* -- ngx_http_integrity_control.c ---------------------------------------- */

/* The store has answered, or could not: the line about that, the answer. */
ngx_int_t ngx_http_integrity_control_end(ngx_http_integrity_control_t *ctl);

/* -- ngx_http_integrity_control_run.c ------------------------------------ */

/*
 * Asks the store for ctl->op.  An HTTP status or what sending gave; NGX_DONE:
 * the answer comes later.
 */
ngx_int_t ngx_http_integrity_control_run(ngx_http_integrity_control_t *ctl);

/*
 * The store has the batch: whoever gets it back posts ctl->answer, which calls
 * `resume`.  NGX_DONE or an HTTP status.
 */
ngx_int_t ngx_http_integrity_control_wait(ngx_http_integrity_control_t *ctl,
    ig_batch_t *batch, ngx_event_handler_pt resume);

/* -- ngx_http_integrity_control_read.c ----------------------------------- */

/* Always NGX_DECLINED; status 400 where none is set. */
ngx_int_t ngx_http_integrity_control_wrong(ngx_http_integrity_control_t *ctl,
    const char *error, ig_str_t about);

/* A member that is a string; empty where there is none. */
ig_str_t ngx_http_integrity_control_text(ngx_http_integrity_control_t *ctl,
    const char *name, ig_mem_t *mem);

/* A member that is an integer from 0 to max; NGX_OK or NGX_DECLINED. */
ngx_int_t ngx_http_integrity_control_uint(ngx_http_integrity_control_t *ctl,
    const char *name, int64_t max, int64_t *n, ig_mem_t *mem);

/* ctl->call, at this moment; NGX_OK or NGX_ERROR. */
ngx_int_t ngx_http_integrity_control_call(ngx_http_integrity_control_t *ctl,
    ig_mem_t *mem);

/* "reason" and "by", which a change must have. */
ngx_int_t ngx_http_integrity_control_why(ngx_http_integrity_control_t *ctl,
    ig_mem_t *mem);

/*
 * "key": a value for each field of the counter's key, into ctl->call and, as
 * a keyed hash, into key.
 */
ngx_int_t ngx_http_integrity_control_key(ngx_http_integrity_control_t *ctl,
    const ig_counter_t *counter, uint8_t key[IG_HASH], ig_mem_t *mem);

/* `n` ops of nothing yet, at the call's time; NGX_OK or NGX_ERROR. */
ngx_int_t ngx_http_integrity_control_make(ngx_http_integrity_control_t *ctl,
    unsigned n);

/* -- the operations ------------------------------------------------------ */

/* ngx_http_integrity_control_list.c */
extern const ngx_http_integrity_control_op_t  ngx_http_integrity_control_add;
extern const ngx_http_integrity_control_op_t
    ngx_http_integrity_control_remove;
extern const ngx_http_integrity_control_op_t  ngx_http_integrity_control_show;

/* ngx_http_integrity_control_key.c */
extern const ngx_http_integrity_control_op_t
    ngx_http_integrity_control_inspect;
extern const ngx_http_integrity_control_op_t  ngx_http_integrity_control_reset;

/* ngx_http_integrity_control_load_read.c */
extern const ngx_http_integrity_control_op_t
    ngx_http_integrity_control_load_look;
extern const ngx_http_integrity_control_op_t
    ngx_http_integrity_control_load_begin;
extern const ngx_http_integrity_control_op_t
    ngx_http_integrity_control_load_write;
extern const ngx_http_integrity_control_op_t
    ngx_http_integrity_control_load_end;

#endif /* NGX_HTTP_INTEGRITY_CONTROL_H */
