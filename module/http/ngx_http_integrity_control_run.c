/*
 * ngx_http_integrity_control_run.c: what was asked on its way through the
 * store, as one batch.
 * Owns: that batch until the store has it, and again once it has settled.
 * Called by ngx_http_integrity_control.c, and by the store.
 */

#include "ngx_http_integrity_control.h"


/* What came back; an op that has no answer is one that failed. */

static void
ngx_http_integrity_control_take(ngx_http_integrity_control_t *ctl,
    const ig_batch_t *batch, ngx_uint_t answered)
{
    unsigned  i;

    ngx_memcpy(ctl->op, batch->op, ctl->nops * sizeof(ig_op_t));

    for (i = 0; i < ctl->nops && !answered; i++) {
        ctl->op[i].state = IG_OP_FAILED;
    }
}


/* -- the store ----------------------------------------------------------- */

static void
ngx_http_integrity_control_answer(ngx_event_t *ev)
{
    ngx_http_integrity_control_t *ctl = ev->data;

    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = ctl->request;
    c = r->connection;

    ngx_http_finalize_request(r, ngx_http_integrity_control_end(ctl));
    ngx_http_run_posted_requests(c);
}


static void
ngx_http_integrity_control_done(ig_batch_t *batch)
{
    ngx_http_integrity_control_t *ctl = batch->owner;

    if (ctl == NULL) {
        return;
    }

    ctl->batch = NULL;
    batch->owner = NULL;

    ngx_http_integrity_control_take(ctl, batch,
                                    batch->state == IG_BATCH_ANSWERED);

    /* The store goes through its replies: nothing else may begin meanwhile. */

    ngx_post_event((&ctl->answer), &ngx_posted_events);
}


static void
ngx_http_integrity_control_cleanup(void *data)
{
    ngx_http_integrity_control_t *ctl = data;

    if (ctl->batch != NULL) {
        ctl->batch->owner = NULL;
        ctl->batch = NULL;
    }

    if (ctl->answer.timer_set) {
        ngx_del_timer(&ctl->answer);
    }

    if (ctl->answer.posted) {
        ngx_delete_posted_event((&ctl->answer));
    }
}


ngx_int_t
ngx_http_integrity_control_wait(ngx_http_integrity_control_t *ctl,
    ig_batch_t *batch, ngx_event_handler_pt resume)
{
    ngx_http_cleanup_t  *cln;
    ngx_http_request_t  *r;

    r = ctl->request;

    if (!ctl->waits) {
        cln = ngx_http_cleanup_add(r, 0);

        if (cln == NULL) {
            batch->owner = NULL;
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        cln->handler = ngx_http_integrity_control_cleanup;
        cln->data = ctl;
        ctl->waits = 1;
    }

    ctl->batch = batch;
    ctl->answer.handler = resume;
    ctl->answer.data = ctl;
    ctl->answer.log = r->connection->log;

    r->read_event_handler = ngx_http_test_reading;
    r->write_event_handler = ngx_http_request_empty_handler;

    return NGX_DONE;
}


ngx_int_t
ngx_http_integrity_control_run(ngx_http_integrity_control_t *ctl)
{
    ngx_int_t    rc;
    ig_batch_t  *batch;

    if (ctl->nops == 0) {
        return ngx_http_integrity_control_end(ctl);
    }

    batch = ngx_http_integrity_batch(ctl->nops);
    if (batch == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_memcpy(batch->op, ctl->op, ctl->nops * sizeof(ig_op_t));

    batch->nops = ctl->nops;
    batch->done = ngx_http_integrity_control_done;
    batch->settled = ngx_http_integrity_batch_free;
    batch->owner = ctl;

    rc = ngx_http_integrity_batch_run(batch, NULL);

    if (rc == NGX_AGAIN) {
        return ngx_http_integrity_control_wait(ctl, batch,
                                          ngx_http_integrity_control_answer);
    }

    ngx_http_integrity_control_take(ctl, batch, rc == NGX_OK);
    ngx_http_integrity_batch_free(batch);

    return ngx_http_integrity_control_end(ctl);
}
