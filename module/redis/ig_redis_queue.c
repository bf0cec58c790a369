/*
 * ig_redis_queue.c: the list of batches in flight, deadlines, callbacks.
 * Owns: batches between submit and settled.  Called by the client's other
 * files; calls the submitter back.
 */

#include "ig_redis_int.h"

/* A timer's grain: a deadline this near (microseconds) has passed. */
#define IG_REDIS_GRAIN  500


ig_batch_t *
ig_redis_unwritten(const ig_redis_client_t *client)
{
    return client->sent == NULL ? client->list.head : client->sent->next;
}


/* The first from `batch` on for which somebody waits. */
static ig_batch_t *
ig_redis_next_due(ig_batch_t *batch)
{
    while (batch != NULL
           && (batch->done == NULL || batch->state != IG_BATCH_SENT))
    {
        batch = batch->next;
    }

    return batch;
}


static void
ig_list_append(ig_batch_list_t *list, ig_batch_t *batch)
{
    batch->next = NULL;

    if (list->tail == NULL) {
        list->head = batch;

    } else {
        list->tail->next = batch;
    }

    list->tail = batch;
}


void
ig_redis_append(ig_redis_client_t *client, ig_batch_t *batch)
{
    ig_list_append(&client->list, batch);
    client->nbatches++;

    if (client->due == NULL) {
        client->due = ig_redis_next_due(batch);
    }
}


void
ig_redis_prepend(ig_redis_client_t *client, ig_batch_t *batch)
{
    batch->next = client->list.head;
    client->list.head = batch;

    if (client->list.tail == NULL) {
        client->list.tail = batch;
    }

    client->nbatches++;
}


/* prev: the one before it, NULL: it is the head. */
static void
ig_redis_remove(ig_redis_client_t *client, ig_batch_t *prev, ig_batch_t *batch)
{
    if (prev == NULL) {
        client->list.head = batch->next;

    } else {
        prev->next = batch->next;
    }

    if (client->list.tail == batch) {
        client->list.tail = prev;
    }

    if (client->sent == batch) {
        client->sent = prev;
    }

    if (client->due == batch) {
        client->due = ig_redis_next_due(batch->next);
    }

    if (batch->state == IG_BATCH_LATE) {
        client->nlate--;
    }

    client->nbatches--;
}


void
ig_redis_answered(ig_redis_client_t *client, int64_t now)
{
    ig_batch_t  *batch;

    batch = client->list.head;

    ig_redis_remove(client, NULL, batch);

    client->op = 0;
    client->reply = 0;

    if (ig_redis_is_errand(batch)) {
        ig_redis_errand_free(client, (ig_errand_t *) batch);
        return;
    }

    if (batch->load == NULL) {
        ig_metrics_latency(client->conf->metrics,
                           (uint64_t) (now - batch->submitted));
    }

    if (batch->state == IG_BATCH_SENT) {
        batch->state = IG_BATCH_ANSWERED;
    }

    ig_list_append(&client->finished, batch);
}


/* Fails what is not final; returns how many of these may have been written. */
static ngx_uint_t
ig_redis_fail_ops(ig_redis_client_t *client, ig_batch_t *batch,
    ngx_uint_t written)
{
    unsigned    i;
    ngx_uint_t  lost;

    lost = 0;

    for (i = 0; i < batch->nops; i++) {

        if (written && batch->op[i].state != IG_OP_PENDING) {
            continue;
        }

        if (written && batch->op[i].verb != IG_OP_READ
            && batch->op[i].verb != IG_OP_PEEK
            && batch->load == NULL)
        {
            ig_redis_errand_life(client, &batch->op[i]);
            lost++;
        }

        batch->op[i].state = IG_OP_FAILED;
    }

    return lost;
}


ngx_uint_t
ig_redis_lost(ig_redis_client_t *client)
{
    ig_batch_t  *batch, *next, *sent;
    ngx_uint_t   lost, written;

    batch = client->list.head;
    sent = client->sent;

    client->list.head = NULL;
    client->list.tail = NULL;
    client->sent = NULL;
    client->due = NULL;
    client->nbatches = 0;
    client->nlate = 0;
    client->op = 0;
    client->reply = 0;

    lost = 0;
    written = sent != NULL;

    for ( /* void */ ; batch != NULL; batch = next) {
        next = batch->next;

        if (ig_redis_is_errand(batch)) {
            ig_redis_errand_lost(client, (ig_errand_t *) batch);

        } else {
            lost += ig_redis_fail_ops(client, batch, written);

            if (batch->state == IG_BATCH_SENT) {
                batch->state = IG_BATCH_DOWN;
            }

            ig_list_append(&client->finished, batch);
        }

        if (batch == sent) {
            written = 0;
        }
    }

    return lost;
}


void
ig_redis_settle(ig_redis_client_t *client)
{
    ig_batch_t  *batch;

    while (client->finished.head != NULL) {

        batch = client->finished.head;
        client->finished.head = batch->next;

        if (client->finished.head == NULL) {
            client->finished.tail = NULL;
        }

        /* a late one was told when it was late */

        if (batch->done != NULL && batch->state != IG_BATCH_LATE) {
            batch->done(batch);
        }

        batch->state = IG_BATCH_SETTLED;
        batch->settled(batch);
    }

    if (ngx_exiting
        && client->list.head == NULL
        && client->deadline.timer_set)
    {
        ngx_del_timer(&client->deadline);
    }
}


/* Late and not written yet: Redis shall never hear of them. */
static void
ig_redis_drop_late(ig_redis_client_t *client)
{
    ig_batch_t  *batch, *prev, *next;

    prev = client->sent;

    for (batch = ig_redis_unwritten(client); batch != NULL; batch = next) {
        next = batch->next;

        if (batch->state != IG_BATCH_LATE) {
            prev = batch;
            continue;
        }

        ig_redis_remove(client, prev, batch);
        (void) ig_redis_fail_ops(client, batch, 0);
        ig_list_append(&client->finished, batch);
    }
}


static ngx_uint_t
ig_redis_overdue(const ig_redis_client_t *client, int64_t now)
{
    return client->due != NULL
           && now - client->due->submitted + IG_REDIS_GRAIN
              >= (int64_t) client->conf->timeout * 1000;
}


static void
ig_redis_late(ig_redis_client_t *client, int64_t now)
{
    ig_batch_t  *batch;

    while (ig_redis_overdue(client, now)) {

        batch = client->due;
        client->due = ig_redis_next_due(batch->next);

        batch->state = IG_BATCH_LATE;
        client->nlate++;

        ig_metric_add(client->conf->metrics, redis_timeouts, 1);
        ig_redis_breaker_late(client);

        batch->done(batch);
    }

    if (client->nlate != 0) {
        ig_redis_drop_late(client);
    }
}


/*
 * Never further away than the deadline of a batch submitted right now, so
 * that no timer has to be moved when one is.  Where nobody waits, the timer
 * still keeps an exiting worker alive until the replies came: for a while.
 */
void
ig_redis_watch(ig_redis_client_t *client, int64_t now)
{
    int64_t  until, wait;

    if (client->deadline.timer_set || client->list.head == NULL) {
        return;
    }

    wait = (int64_t) client->conf->timeout * 1000;

    if (client->due != NULL) {
        wait = client->due->submitted + wait - now;

    } else {
        until = client->list.head->submitted + IG_REDIS_HOLD * 1000;

        if (until <= now) {
            return;
        }

        wait = ngx_min(wait, until - now);
    }

    ngx_add_timer(&client->deadline,
                  wait > 1000 ? (ngx_msec_t) (wait + 999) / 1000 : 1);
}


void
ig_redis_deadline_handler(ngx_event_t *ev)
{
    int64_t             now;
    ngx_connection_t   *c;
    ig_redis_client_t  *client;

    c = ev->data;
    client = c->data;
    c = client->connection;

    now = ig_redis_clock();

    if (c != NULL
        && client->link != IG_LINK_CONNECTING
        && ig_redis_overdue(client, now))
    {
        /* a busy turn may have kept us from replies that are there */

        c->read->ready = 1;
        c->read->available = -1;

        ig_redis_receive(client);
        now = ig_redis_clock();
    }

    ig_redis_late(client, now);
    ig_redis_settle(client);
    ig_redis_watch(client, now);
}
