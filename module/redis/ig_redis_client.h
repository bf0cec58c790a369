/*
 * ig_redis_client.h: one pipelined connection to Redis on nginx's event loop.
 * Owns: the connection, its buffers, timers, the queue of batches in flight.
 * Borrows: batches between submit and settled; the table for notes (locked
 * through the callbacks given).  Called by the worker set-up in http.
 */

#ifndef IG_REDIS_CLIENT_H
#define IG_REDIS_CLIENT_H

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ig_store.h"
#include "ig_metrics.h"
#include "ig_settings.h"

typedef struct ig_redis_client_s  ig_redis_client_t;

typedef struct {
    ngx_addr_t             addr;        /* resolved at configuration time */
    ngx_msec_t             timeout;     /* deadline, where someone waits */
    ngx_msec_t             connect_timeout;
    ngx_uint_t             db;
    ngx_str_t              user;        /* empty: none */
    ngx_str_t              password;    /* empty: none; never logged */

    const ig_policy_t     *policy;      /* for the warm-up markers */
    ig_metrics_t          *metrics;

    /* This process's part, 0 or 1, of the gauges redis_up and redis_breaker:
     * where others find it should the process crash. */
    uint64_t              *up;
    uint64_t              *open;

    /* Notes, under the zone's lock; ctx is passed through. */
    void                  *ctx;
    void                 (*note)(void *ctx, const ig_op_t *op, bool prev_known,
                               int64_t prev, int64_t nprev);
    void                 (*forget)(void *ctx, const ig_op_t *op);

    ngx_log_t             *log;
} ig_redis_conf_t;

/*
 * Starts connecting at once; NULL: no memory.  conf must outlive the client.
 * The client is an ig_store_t (its first member).
 */
ig_redis_client_t *ig_redis_client_create(ngx_cycle_t *cycle,
    ig_redis_conf_t *conf);

ig_store_t *ig_redis_client_store(ig_redis_client_t *client);

/*
 * exit_process: sends what is buffered as far as the socket takes it,
 * completes everything (DOWN, settled) and closes.
 */
void ig_redis_client_close(ig_redis_client_t *client);

/*
 * For the status page: "connecting", "ready", "open" (the breaker; nobody is
 * asked), "resting" (an exiting worker has nothing to ask), "closed".
 */
ig_str_t ig_redis_client_state(const ig_redis_client_t *client);

#endif /* IG_REDIS_CLIENT_H */
