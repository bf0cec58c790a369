/*
 * ngx_http_integrity_worker.c: what a worker process sets up and takes down:
 * the store it asks (the one place that picks it), the series it counts in,
 * the end of each turn of the event loop and the tick of each second.
 * Owns: ngx_http_integrity_worker.  Called by nginx and the request machine.
 */

#include "ngx_http_integrity.h"
#include "ig_redis_client.h"
#include "ig_table.h"

static void ngx_http_integrity_turn_handler(ngx_event_t *ev);
static void ngx_http_integrity_tick_handler(ngx_event_t *ev);

#define NGX_HTTP_INTEGRITY_TICK  1000


ngx_http_integrity_worker_t  ngx_http_integrity_worker;

static ig_redis_conf_t   ngx_http_integrity_redis_conf;
static ngx_connection_t  ngx_http_integrity_dummy;


void
ngx_http_integrity_lock(void)
{
    ngx_shmtx_lock(&ngx_http_integrity_worker.shpool->mutex);
}


void
ngx_http_integrity_unlock(void)
{
    ngx_shmtx_unlock(&ngx_http_integrity_worker.shpool->mutex);
}


void
ngx_http_integrity_random(u_char *p, size_t len)
{
    ngx_http_integrity_worker_t  *w = &ngx_http_integrity_worker;

    if (w->random_left < len) {
        if (ig_random(w->random, sizeof(w->random)) != IG_OK) {
            ngx_log_error(NGX_LOG_CRIT, ngx_cycle->log, 0,
                          "integrity: no random bytes, event ids may repeat");
        }

        w->random_left = sizeof(w->random);
    }

    w->random_left -= len;

    ngx_memcpy(p, w->random + w->random_left, len);
    ngx_explicit_memzero(w->random + w->random_left, len);
}


/* -- notes of the Redis client, under the zone's lock -------------------- */

static void
ngx_http_integrity_redis_note(void *ctx, const ig_op_t *op, bool prev_known,
    int64_t prev, int64_t nprev)
{
    ngx_http_integrity_worker_t *w = ctx;

    ngx_http_integrity_lock();
    ig_table_note(w->table, op, prev_known, prev, nprev);
    ngx_http_integrity_unlock();
}


static void
ngx_http_integrity_redis_forget(void *ctx, const ig_op_t *op)
{
    ngx_http_integrity_worker_t *w = ctx;

    ngx_http_integrity_lock();
    ig_table_forget(w->table, op);
    ngx_http_integrity_unlock();
}


static ngx_int_t
ngx_http_integrity_pick_store(ngx_cycle_t *cycle,
    ngx_http_integrity_worker_t *w)
{
    ig_redis_conf_t                 *conf = &ngx_http_integrity_redis_conf;
    ngx_http_integrity_life_t       *life;
    ngx_http_integrity_main_conf_t  *mcf;

    mcf = w->mcf;
    life = ngx_http_integrity_life_begin();

    if (!mcf->redis) {
        w->store = NULL;
        w->redis = NULL;
        return NGX_OK;
    }

    ngx_memzero(conf, sizeof(ig_redis_conf_t));

    conf->addr = mcf->redis_addr;
    conf->timeout = (ngx_msec_t) mcf->redis_settings.timeout;
    conf->connect_timeout = (ngx_msec_t) mcf->redis_settings.connect_timeout;
    conf->db = (ngx_uint_t) mcf->redis_settings.db;
    conf->user.len = mcf->redis_settings.user.len;
    conf->user.data = (u_char *) mcf->redis_settings.user.data;
    conf->password = mcf->redis_password;
    conf->policy = mcf->policy;
    conf->metrics = w->metrics;
    conf->up = &life->redis_up;
    conf->open = &life->redis_breaker;
    conf->ctx = w;
    conf->note = ngx_http_integrity_redis_note;
    conf->forget = ngx_http_integrity_redis_forget;
    conf->log = cycle->log;

    w->redis = ig_redis_client_create(cycle, conf);
    if (w->redis == NULL) {
        return NGX_ERROR;
    }

    w->store = ig_redis_client_store(w->redis);

    return NGX_OK;
}


/* -- what is known: warm-up of counters, names of series ----------------- */

static int64_t
ngx_http_integrity_since(ngx_http_integrity_worker_t *w,
    const ig_counter_t *counter, int64_t now)
{
    int64_t  since;

    if (w->store != NULL) {
        return w->store->since(w->store, counter);
    }

    ngx_http_integrity_lock();
    since = ig_table_since(w->table, counter, now);
    ngx_http_integrity_unlock();

    return since;
}


static void
ngx_http_integrity_refresh(ngx_http_integrity_worker_t *w,
    const ig_counter_t *counter)
{
    int64_t  now, since;

    /* also of those without a warm-up: a load of history goes by it */

    now = ngx_http_integrity_now();
    since = ngx_http_integrity_since(w, counter, now);

    w->known[counter->id] = counter->warmup == 0
                            || (since >= 0
                                && now - since >= counter->warmup);
}


static void
ngx_http_integrity_refresh_known(ngx_http_integrity_worker_t *w)
{
    ngx_uint_t  i;

    for (i = 0; i < w->mcf->policy->ncounters; i++) {
        ngx_http_integrity_refresh(w, w->mcf->policy->counter[i]);
    }
}


/*
 * The table forgets nothing while we live; Redis may be another one than a
 * moment ago, whose first answers must not pass for "never".
 */

const uint8_t *
ngx_http_integrity_known(const ig_plan_t *plan)
{
    ngx_uint_t                    i;
    ngx_http_integrity_worker_t  *w = &ngx_http_integrity_worker;

    if (w->store != NULL) {
        for (i = 0; i < plan->ncounters; i++) {
            ngx_http_integrity_refresh(w, plan->counter[i].counter);
        }
    }

    return w->known;
}


ngx_uint_t
ngx_http_integrity_remembers(const ig_counter_t *counter, int64_t *since)
{
    ngx_http_integrity_worker_t  *w = &ngx_http_integrity_worker;

    *since = counter->warmup > 0
             ? ngx_http_integrity_since(w, counter, ngx_http_integrity_now())
             : -1;

    ngx_http_integrity_refresh(w, counter);

    return w->known[counter->id];
}


static void
ngx_http_integrity_find_series(ngx_http_integrity_worker_t *w)
{
    ngx_uint_t    i;
    ig_policy_t  *policy;

    policy = w->mcf->policy;

    ngx_http_integrity_lock();

    for (i = 0; i < policy->nplans; i++) {
        w->action_series[i] = ig_metrics_series(w->metrics, IG_SERIES_ACTION,
                                                policy->plan[i]->action);
    }

    for (i = 0; i < policy->nrules; i++) {
        w->rule_series[i] = ig_metrics_series(w->metrics, IG_SERIES_RULE,
                                              policy->rule[i]->name);
    }

    ngx_http_integrity_unlock();
}


/* -- the end of a turn, the tick of a second ----------------------------- */

void
ngx_http_integrity_post_turn(void)
{
    ngx_post_event((&ngx_http_integrity_worker.turn), &ngx_posted_events);
}


static void
ngx_http_integrity_turn_handler(ngx_event_t *ev)
{
    ngx_queue_t                  *q, batch;
    ngx_http_integrity_ctx_t     *ctx;
    ngx_http_integrity_worker_t  *w = &ngx_http_integrity_worker;

    if (w->mcf == NULL) {
        return;
    }

    ngx_http_integrity_audit_write();

    /*
     * Resuming one request may end another of the list: it is looked at
     * afresh each time.  What is added meanwhile waits for its own write.
     */

    ngx_queue_init(&batch);

    if (!ngx_queue_empty(&w->waiting)) {
        ngx_queue_add(&batch, &w->waiting);
        ngx_queue_init(&w->waiting);
    }

    while (!ngx_queue_empty(&batch)) {
        q = ngx_queue_head(&batch);
        ngx_queue_remove(q);

        ctx = ngx_queue_data(q, ngx_http_integrity_ctx_t, queue);

        ngx_queue_init(&ctx->queue);
        ngx_http_integrity_resume(ctx);
    }
}


static void
ngx_http_integrity_tick_handler(ngx_event_t *ev)
{
    ig_table_stat_t               stat;
    ngx_http_integrity_worker_t  *w = &ngx_http_integrity_worker;

    if (w->mcf == NULL) {
        return;
    }

    ngx_http_integrity_refresh_known(w);
    ngx_http_integrity_life_bury();
    ngx_http_integrity_cached_flush(0);
    ngx_http_integrity_quiet_flush(0);

    ngx_http_integrity_lock();
    ig_table_stat(w->table, &stat);
    ngx_http_integrity_unlock();

    w->metrics->store_slots = stat.slots;
    w->metrics->store_used = stat.used;
    w->metrics->store_evicted = stat.evicted;

    if (!ngx_exiting) {
        ngx_add_timer(ev, NGX_HTTP_INTEGRITY_TICK);
    }
}


/* -- set-up and end ------------------------------------------------------ */

static ngx_int_t
ngx_http_integrity_worker_memory(ngx_cycle_t *cycle,
    ngx_http_integrity_worker_t *w)
{
    ig_policy_t  *policy;

    policy = w->mcf->policy;

    w->known = ngx_pcalloc(cycle->pool, policy->ncounters + 1);
    w->action_series = ngx_pcalloc(cycle->pool,
                                   (policy->nplans + 1) * sizeof(int));
    w->rule_series = ngx_pcalloc(cycle->pool,
                                 (policy->nrules + 1) * sizeof(int));
    w->quiet = ngx_pcalloc(cycle->pool, ngx_http_integrity_quiet_size(w->mcf));

    if (w->known == NULL || w->quiet == NULL || w->action_series == NULL
        || w->rule_series == NULL)
    {
        return NGX_ERROR;
    }

    ngx_queue_init(&w->waiting);

    ngx_memzero(&ngx_http_integrity_dummy, sizeof(ngx_connection_t));
    ngx_http_integrity_dummy.fd = (ngx_socket_t) -1;

    w->turn.handler = ngx_http_integrity_turn_handler;
    w->turn.log = cycle->log;
    w->turn.data = &ngx_http_integrity_dummy;

    w->tick.handler = ngx_http_integrity_tick_handler;
    w->tick.log = cycle->log;
    w->tick.data = &ngx_http_integrity_dummy;
    w->tick.cancelable = 1;

    return NGX_OK;
}


ngx_int_t
ngx_http_integrity_init_process(ngx_cycle_t *cycle)
{
    ngx_http_integrity_worker_t     *w = &ngx_http_integrity_worker;
    ngx_http_integrity_main_conf_t  *mcf;

    if (ngx_process != NGX_PROCESS_WORKER && ngx_process != NGX_PROCESS_SINGLE)
    {
        return NGX_OK;
    }

    mcf = ngx_http_cycle_get_module_main_conf(cycle,
                                              ngx_http_integrity_module);

    if (mcf == NULL || mcf->zone == NULL) {
        return NGX_OK;
    }

    ngx_memzero(w, sizeof(ngx_http_integrity_worker_t));

    w->mcf = mcf;
    w->shpool = (ngx_slab_pool_t *) mcf->zone->shm.addr;
    w->shared = w->shpool->data;
    w->table = ngx_http_integrity_shared_table(w->shared);
    w->metrics = ngx_http_integrity_shared_metrics(w->shared);

    if (ngx_http_integrity_worker_memory(cycle, w) != NGX_OK) {
        w->mcf = NULL;
        return NGX_ERROR;
    }

    ngx_http_integrity_find_series(w);

    if (ngx_http_integrity_audit_open(cycle) != NGX_OK
        || ngx_http_integrity_pick_store(cycle, w) != NGX_OK)
    {
        w->mcf = NULL;
        return NGX_ERROR;
    }

    ngx_http_integrity_refresh_known(w);
    ngx_add_timer(&w->tick, NGX_HTTP_INTEGRITY_TICK);

    return NGX_OK;
}


void
ngx_http_integrity_exit_process(ngx_cycle_t *cycle)
{
    ngx_http_integrity_worker_t  *w = &ngx_http_integrity_worker;

    if (w->mcf == NULL) {
        return;
    }

    /* What was in flight is decided and recorded before the chain closes. */

    if (w->redis != NULL) {
        ig_redis_client_close(w->redis);
    }

    ngx_http_integrity_life_end();

    ngx_http_integrity_cached_flush(1);
    ngx_http_integrity_quiet_flush(1);
    ngx_http_integrity_audit_close();

    if (w->turn.posted) {
        ngx_delete_posted_event((&w->turn));
    }

    if (w->tick.timer_set) {
        ngx_del_timer(&w->tick);
    }

    w->mcf = NULL;

    ngx_http_integrity_batch_drop();
}
