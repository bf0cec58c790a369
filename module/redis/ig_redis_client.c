/*
 * ig_redis_client.c: the counter store in Redis, as the port wants it.
 * Owns: the client.  Borrows: its configuration, batches between submit and
 * settled.  Called by the worker set-up and, through the port, by requests.
 */

#include "ig_redis_int.h"


static int ig_redis_submit(ig_store_t *store, ig_batch_t *batch);
static int64_t ig_redis_since(ig_store_t *store, const ig_counter_t *counter);
static void ig_redis_flush_handler(ngx_event_t *ev);


int64_t
ig_redis_clock(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (int64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}


static ngx_int_t
ig_redis_alloc(ig_redis_client_t *client)
{
    ngx_pool_t           *pool;
    ngx_uint_t            i, n;
    const ig_counter_t   *counter;
    const ig_policy_t    *policy;

    pool = client->pool;
    policy = client->conf->policy;
    n = policy->ncounters;

    client->out = ngx_palloc(pool, IG_REDIS_OUT);
    client->in = ngx_palloc(pool, IG_REDIS_IN);
    client->warm = ngx_palloc(pool, (n + 1) * sizeof(ig_counter_t *));
    client->since = ngx_pcalloc(pool, (n + 1) * sizeof(int64_t));

    if (client->out == NULL || client->in == NULL
        || client->warm == NULL || client->since == NULL)
    {
        return NGX_ERROR;
    }

    /* also of those without a warm-up: a load of history goes by it */

    for (i = 0; i < n; i++) {
        counter = policy->counter[i];

        client->warm[client->nwarm++] = counter;
        client->since[counter->id] = -1;
    }

    client->out_pos = client->out;
    client->out_last = client->out;

    return NGX_OK;
}


static void
ig_redis_event(ig_redis_client_t *client, ngx_event_t *ev,
    ngx_event_handler_pt handler, ngx_uint_t cancelable)
{
    ev->handler = handler;
    ev->data = &client->dummy;
    ev->log = client->conf->log;
    ev->cancelable = cancelable;
}


ig_redis_client_t *
ig_redis_client_create(ngx_cycle_t *cycle, ig_redis_conf_t *conf)
{
    ig_redis_client_t  *client;

    /*
     * set by ngx_pcalloc():
     *
     *     link = IG_LINK_RESTING, breaker = IG_BREAKER_UNTRIED
     *     lists, counts, connection, reader: none
     */

    client = ngx_pcalloc(cycle->pool, sizeof(ig_redis_client_t));
    if (client == NULL) {
        return NULL;
    }

    client->store.submit = ig_redis_submit;
    client->store.since = ig_redis_since;
    client->conf = conf;
    client->pool = cycle->pool;

    if (ig_redis_alloc(client) != NGX_OK) {
        return NULL;
    }

    /* nginx's own lines on every failed attempt; ours are fewer */
    client->quiet = *conf->log;
    client->quiet.log_level = NGX_LOG_ALERT;

    client->dummy.fd = (ngx_socket_t) -1;
    client->dummy.data = client;

    ig_redis_event(client, &client->flush, ig_redis_flush_handler, 0);
    ig_redis_event(client, &client->timer, ig_redis_timer_handler, 1);
    ig_redis_event(client, &client->deadline, ig_redis_deadline_handler, 0);

    ig_redis_connect(client);

    return client;
}


ig_store_t *
ig_redis_client_store(ig_redis_client_t *client)
{
    return &client->store;
}


void
ig_redis_post_flush(ig_redis_client_t *client)
{
    ngx_post_event(&client->flush, &ngx_posted_events);
}


static void
ig_redis_flush_handler(ngx_event_t *ev)
{
    ngx_connection_t   *c;
    ig_redis_client_t  *client;

    c = ev->data;
    client = c->data;

    ig_redis_flush(client);
    ig_redis_settle(client);
}


/*
 * While the breaker is open nobody waits; but what nobody waits for, the
 * take-backs of late calls above all, is kept for a server that only stalled.
 */
static ngx_uint_t
ig_redis_accepts(ig_redis_client_t *client, const ig_batch_t *batch)
{
    if (client->link == IG_LINK_CLOSED) {
        return 0;
    }

    if (batch->load != NULL && ig_redis_load_is_atomic(batch)
        && client->link != IG_LINK_READY)
    {
        /* the connection that watched for it is gone */
        return 0;
    }

    if (client->breaker == IG_BREAKER_OPEN
        && (client->link != IG_LINK_STALLED || batch->done != NULL))
    {
        return 0;
    }

    if (client->nbatches >= IG_REDIS_BATCHES) {
        ig_redis_log(client, NGX_LOG_ERR, 0, "too many batches in flight");
        return 0;
    }

    if (client->link == IG_LINK_RESTING) {
        ig_redis_connect(client);
        return client->link != IG_LINK_WAITING;
    }

    return 1;
}


static int
ig_redis_submit(ig_store_t *store, ig_batch_t *batch)
{
    unsigned            i;
    ig_redis_client_t  *client;

    client = (ig_redis_client_t *) store;

    if (batch->nops == 0 && batch->load == NULL) {
        batch->state = IG_BATCH_ANSWERED;
        return IG_OK;
    }

    if (!ig_redis_accepts(client, batch)) {

        for (i = 0; i < batch->nops; i++) {
            batch->op[i].state = IG_OP_FAILED;
        }

        batch->state = IG_BATCH_DOWN;
        return IG_ERROR;
    }

    batch->state = IG_BATCH_SENT;
    batch->submitted = ig_redis_clock();

    ig_redis_append(client, batch);
    ig_redis_watch(client, batch->submitted);

    if (client->link == IG_LINK_READY) {
        client->connection->idle = 0;
        ig_redis_post_flush(client);
    }

    return IG_AGAIN;
}


static int64_t
ig_redis_since(ig_store_t *store, const ig_counter_t *counter)
{
    ig_redis_client_t  *client;

    client = (ig_redis_client_t *) store;

    return client->since[counter->id];
}


void
ig_redis_client_close(ig_redis_client_t *client)
{
    ngx_uint_t  lost;

    if (client->link == IG_LINK_CLOSED) {
        return;
    }

    if (client->link == IG_LINK_READY) {
        /* without waiting for the replies */
        ig_redis_flush(client);

    } else if (client->link == IG_LINK_STALLED) {
        (void) ig_redis_send(client);
    }

    ig_redis_unlink(client);
    ig_redis_link(client, IG_LINK_CLOSED, 0);
    ig_redis_breaker(client, IG_BREAKER_CLOSED);

    lost = ig_redis_lost(client);

    if (lost != 0) {
        ig_metric_add(client->conf->metrics, redis_lost, lost);
    }

    if (client->deadline.timer_set) {
        ngx_del_timer(&client->deadline);
    }

    if (client->flush.posted) {
        ngx_delete_posted_event(&client->flush);
    }

    ig_redis_settle(client);
}


ig_str_t
ig_redis_client_state(const ig_redis_client_t *client)
{
    if (client->breaker == IG_BREAKER_OPEN) {
        return ig_str("open");
    }

    switch (client->link) {

    case IG_LINK_RESTING:
        return ig_str("resting");

    case IG_LINK_READY:
        return ig_str("ready");

    case IG_LINK_CLOSED:
        return ig_str("closed");

    default:
        return ig_str("connecting");
    }
}
