/*
 * ngx_http_integrity_control_load.c: "load_look", "load_begin", "load_write"
 * and "load_end": what `integrityctl load` asks, on its way through the store.
 * Owns: a step of a load, outside the request's pool, while it is in flight.
 * Called by ngx_http_integrity_control.c through the four operations, and by
 * the store.
 */

#include "ngx_http_integrity_control.h"
#include "ngx_http_integrity_control_load.h"


/*
 * No batch of a load has the store's deadline, which is meant for calls; but
 * neither a person nor a worker that is to end waits for ever.
 */
#define NGX_HTTP_INTEGRITY_LOAD_WAIT  4000      /* ms */


/* What the store has while it works; nothing of it is the request's. */
typedef struct {
    ig_load_t  load;            /* first */
    int64_t    since[IG_MAX_COUNTERS];
} ngx_http_integrity_step_t;


static void ngx_http_integrity_control_load_resume(ngx_event_t *ev);

static ngx_uint_t  ngx_http_integrity_checks;


/* -- a step -------------------------------------------------------------- */

static void
ngx_http_integrity_control_load_free(ig_batch_t *batch)
{
    ngx_free(batch->load);
    batch->load = NULL;

    ngx_http_integrity_batch_free(batch);
}


/* What came of it; a step that nobody answered has failed. */

static void
ngx_http_integrity_control_load_take(ngx_http_integrity_control_t *ctl,
    const ig_load_t *load)
{
    ngx_http_integrity_loading_t *l = ctl->data;

    l->state = load->state;

    if (load->step == IG_LOAD_LOOK || load->step == IG_LOAD_CHECK) {
        l->found = load->cursor;
    }

    if (load->step == IG_LOAD_LOOK) {
        ngx_memcpy(l->since, load->since, sizeof(l->since));
    }
}


static void
ngx_http_integrity_control_load_settled(ig_batch_t *batch)
{
    ngx_http_integrity_control_t *ctl = batch->owner;

    if (ctl != NULL) {
        ctl->batch = NULL;
        ngx_http_integrity_control_load_take(ctl, batch->load);

        if (ctl->answer.timer_set) {
            ngx_del_timer(&ctl->answer);
        }

        /* The store goes through its replies: nothing else may begin. */

        ngx_post_event((&ctl->answer), &ngx_posted_events);
    }

    ngx_http_integrity_control_load_free(batch);
}


static ig_batch_t *
ngx_http_integrity_control_load_batch(ngx_http_integrity_control_t *ctl,
    ig_load_step_e step)
{
    unsigned                       i;
    ig_batch_t                    *batch;
    ngx_http_integrity_step_t     *x;
    ngx_http_integrity_loading_t  *l = ctl->data;

    x = ngx_calloc(sizeof(ngx_http_integrity_step_t), ngx_cycle->log);
    batch = ngx_http_integrity_batch(l->nops > 0 ? l->nops : 1);

    if (x == NULL || batch == NULL) {
        if (x != NULL) {
            ngx_free(x);
        }

        if (batch != NULL) {
            ngx_http_integrity_batch_free(batch);
        }

        return NULL;
    }

    x->load.step = step;
    x->load.policy = ctl->call->policy;
    x->load.cursor = l->cursor;
    x->load.replace = l->replace;

    if (step == IG_LOAD_LOOK || step == IG_LOAD_END) {
        ngx_memcpy(x->since, l->since, sizeof(x->since));
        x->load.since = x->since;
    }

    if (step == IG_LOAD_WRITE) {
        ngx_memcpy(batch->op, l->op, l->nops * sizeof(ig_op_t));
        batch->nops = l->nops;

        for (i = 0; i < l->nops; i++) {
            batch->op[i].raw.was = ngx_http_integrity_now();
        }
    }

    batch->load = &x->load;
    batch->settled = ngx_http_integrity_control_load_settled;
    batch->owner = ctl;

    return batch;
}


/* NGX_OK: l->state says what came of it; NGX_DONE: it will. */

static ngx_int_t
ngx_http_integrity_control_load_step(ngx_http_integrity_control_t *ctl,
    ig_load_step_e step)
{
    ngx_int_t                      rc;
    ig_batch_t                    *batch;
    ngx_http_integrity_loading_t  *l = ctl->data;

    l->step = step;
    l->state = IG_LOAD_FAILED;

    if (step == IG_LOAD_CHECK) {
        l->check = ++ngx_http_integrity_checks;
    }

    batch = ngx_http_integrity_control_load_batch(ctl, step);
    if (batch == NULL) {
        return NGX_OK;
    }

    rc = ngx_http_integrity_load_run(batch);

    if (rc == NGX_AGAIN) {
        rc = ngx_http_integrity_control_wait(ctl, batch,
                                     ngx_http_integrity_control_load_resume);
        if (rc != NGX_DONE) {
            return NGX_OK;
        }

        ctl->answer.timedout = 0;
        ngx_add_timer(&ctl->answer, NGX_HTTP_INTEGRITY_LOAD_WAIT);

        return NGX_DONE;
    }

    if (rc == NGX_OK) {
        ngx_http_integrity_control_load_take(ctl, batch->load);
    }

    ngx_http_integrity_control_load_free(batch);

    return NGX_OK;
}


/* -- several ------------------------------------------------------------- */

/* Whether the batch at hand is the one behind those that are in the store. */

static ngx_uint_t
ngx_http_integrity_control_load_is_next(const ngx_http_integrity_loading_t *l)
{
    return l->found.of != 0
           && ngx_memcmp(l->found.id, l->cursor.id, IG_LOAD_ID) == 0
           && l->found.done + 1 == l->cursor.done;
}


/* The same batch again, its answer having been lost on the way. */

static ngx_uint_t
ngx_http_integrity_control_load_is_done(const ngx_http_integrity_loading_t *l)
{
    return l->found.of != 0
           && ngx_memcmp(l->found.id, l->cursor.id, IG_LOAD_ID) == 0
           && l->found.done == l->cursor.done;
}


static ngx_int_t
ngx_http_integrity_control_load_end_of(ngx_http_integrity_control_t *ctl)
{
    ngx_http_integrity_loading_t *l = ctl->data;

    switch (l->state) {

    case IG_LOAD_DONE:
        break;

    case IG_LOAD_FAILED:
        ctl->failed = 1;

        if (l->last == IG_LOAD_LOOK) {
            ctl->status = NGX_HTTP_SERVICE_UNAVAILABLE;
            (void) ngx_http_integrity_control_wrong(ctl,
                                         "the store does not answer",
                                         ig_str(""));
        }

        break;

    case IG_LOAD_CONFLICT:
        ctl->failed = 1;
        ctl->status = NGX_HTTP_CONFLICT;
        (void) ngx_http_integrity_control_wrong(ctl,
                   "another load is under way, or this one went on elsewhere",
                   ig_str(""));
        break;
    }

    return ngx_http_integrity_control_end(ctl);
}


/* After a step, or in vain: the next one, or the end.  As control_run. */

static ngx_int_t
ngx_http_integrity_control_load_go(ngx_http_integrity_control_t *ctl)
{
    ngx_http_integrity_loading_t *l = ctl->data;

    if (l->state == IG_LOAD_DONE && l->step == IG_LOAD_CHECK
        && !(l->last == IG_LOAD_WRITE
             && ngx_http_integrity_control_load_is_done(l)))
    {
        if (l->last == IG_LOAD_WRITE
            ? !ngx_http_integrity_control_load_is_next(l)
            : l->found.of == 0
              || ngx_memcmp(l->found.id, l->cursor.id, IG_LOAD_ID) != 0)
        {
            l->state = IG_LOAD_CONFLICT;

        } else if (l->check != ngx_http_integrity_checks) {

            /*
             * Another check went over the same connection since: what it
             * leads to would end the watch that guards ours.
             */

            l->state = IG_LOAD_CONFLICT;

        } else if (ngx_http_integrity_control_load_step(ctl, l->last)
                   == NGX_DONE)
        {
            return NGX_DONE;
        }
    }

    return ngx_http_integrity_control_load_end_of(ctl);
}


static void
ngx_http_integrity_control_load_resume(ngx_event_t *ev)
{
    ngx_http_integrity_control_t *ctl = ev->data;

    ngx_int_t            rc;
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = ctl->request;
    c = r->connection;

    if (ctl->batch != NULL) {

        /* in vain: the step has failed, whatever still comes of it */

        ctl->batch->owner = NULL;
        ctl->batch = NULL;
    }

    rc = ngx_http_integrity_control_load_go(ctl);

    if (rc != NGX_DONE) {
        ngx_http_finalize_request(r, rc);
        ngx_http_run_posted_requests(c);
    }
}


ngx_int_t
ngx_http_integrity_control_load_run(ngx_http_integrity_control_t *ctl)
{
    ig_load_step_e                 first;
    ngx_http_integrity_loading_t  *l = ctl->data;

    first = l->last == IG_LOAD_WRITE || l->last == IG_LOAD_END
            ? IG_LOAD_CHECK : l->last;

    if (ngx_http_integrity_control_load_step(ctl, first) == NGX_DONE) {
        return NGX_DONE;
    }

    return ngx_http_integrity_control_load_go(ctl);
}
