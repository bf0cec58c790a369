/*
 * ngx_http_integrity_life.c: gauges count what lives: a worker that crashed
 * is taken out by whoever notices, its successor or another one's tick.
 * Owns: this process's entry in the zone.  Called by the worker.
 */

#include "ngx_http_integrity.h"


/* The caller holds the zone's lock. */

static void
ngx_http_integrity_life_forget(ngx_http_integrity_life_t *life)
{
    ig_metrics_t  *m;

    m = ngx_http_integrity_worker.metrics;

    ig_metric_add(m, redis_up, 0 - life->redis_up);
    ig_metric_add(m, redis_breaker, 0 - life->redis_breaker);

    ngx_memzero(life, sizeof(ngx_http_integrity_life_t));
}


static ngx_http_integrity_life_t *
ngx_http_integrity_life(ngx_uint_t slot)
{
    return ngx_http_integrity_shared_lives(ngx_http_integrity_worker.shared)
           + slot;
}


ngx_http_integrity_life_t *
ngx_http_integrity_life_begin(void)
{
    ngx_http_integrity_life_t  *life;

    life = ngx_http_integrity_life(ngx_process_slot);

    ngx_http_integrity_lock();

    ngx_http_integrity_life_forget(life);
    life->pid = ngx_pid;

    ngx_http_integrity_unlock();

    return life;
}


void
ngx_http_integrity_life_end(void)
{
    ngx_http_integrity_lock();
    ngx_http_integrity_life_forget(ngx_http_integrity_life(ngx_process_slot));
    ngx_http_integrity_unlock();
}


/* Not every one that crashed has a successor in its slot. */

void
ngx_http_integrity_life_bury(void)
{
    ngx_uint_t                  i;
    ngx_http_integrity_life_t  *life;

    ngx_http_integrity_lock();

    for (i = 0; i < NGX_MAX_PROCESSES; i++) {
        life = ngx_http_integrity_life(i);

        if (life->pid != 0 && kill((ngx_pid_t) life->pid, 0) == -1
            && ngx_errno == NGX_ESRCH)
        {
            ngx_http_integrity_life_forget(life);
        }
    }

    ngx_http_integrity_unlock();
}
