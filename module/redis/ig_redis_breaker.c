/*
 * ig_redis_breaker.c: when Redis is not asked, how soon it is tried again,
 * and how much of that is told.
 * Owns: the breaker's state, the backoff, the second of the last log line.
 * Called by the client's other files.
 */

#include "ig_redis_int.h"


void
ig_redis_breaker(ig_redis_client_t *client, ig_breaker_e breaker)
{
    if ((breaker == IG_BREAKER_OPEN) != (client->breaker == IG_BREAKER_OPEN)) {
        ig_metric_add(client->conf->metrics, redis_breaker,
                      breaker == IG_BREAKER_OPEN ? 1 : -1);
        *client->conf->open = breaker == IG_BREAKER_OPEN;
    }

    client->breaker = breaker;
}


void
ig_redis_breaker_late(ig_redis_client_t *client)
{
    if (++client->late_row < IG_REDIS_LATE
        || client->breaker == IG_BREAKER_OPEN)
    {
        return;
    }

    ig_redis_breaker(client, IG_BREAKER_OPEN);

    if (client->link == IG_LINK_READY) {
        client->connection->idle = 0;
        ig_redis_link(client, IG_LINK_STALLED, IG_REDIS_PATIENCE);
    }

    ig_redis_log(client, NGX_LOG_ERR, NGX_ETIMEDOUT,
                 "no reply to %ui batches in a row, the breaker opens",
                 client->late_row);
}


void
ig_redis_breaker_replies(ig_redis_client_t *client)
{
    if (client->link != IG_LINK_STALLED || client->late_row != 0) {
        return;
    }

    if (client->nlate != 0) {
        /* it is alive: the rest may take its time */
        ig_redis_link(client, IG_LINK_STALLED, IG_REDIS_PATIENCE);
        return;
    }

    ig_redis_link(client, IG_LINK_READY, IG_REDIS_TICK);
    ig_redis_breaker(client, IG_BREAKER_CLOSED);

    ig_redis_log(client, NGX_LOG_NOTICE, 0, "it answers again");
}


/*
 * Exponential with full jitter: anywhere between now and the bound, so that
 * workers and nodes which lost a server together do not come back together.
 */
ngx_msec_t
ig_redis_backoff(ig_redis_client_t *client)
{
    ngx_uint_t  i;
    ngx_msec_t  bound;

    bound = IG_REDIS_BACKOFF;

    for (i = 1; i < client->failures && bound < IG_REDIS_BACKOFF_MAX; i++) {
        bound *= 2;
    }

    return 1 + (ngx_msec_t) ngx_random() % ngx_min(bound,
                                                   IG_REDIS_BACKOFF_MAX);
}


void
ig_redis_log(ig_redis_client_t *client, ngx_uint_t level, ngx_err_t err,
    const char *fmt, ...)
{
    u_char      text[NGX_MAX_ERROR_STR / 4], *p;
    va_list     args;
    ngx_uint_t  i;

    /* that it is back must not hide why it was gone */
    i = level <= NGX_LOG_ERR;

    if (client->said[i] == ngx_time()) {
        client->unsaid[i]++;
        return;
    }

    va_start(args, fmt);
    p = ngx_vslprintf(text, text + sizeof(text), fmt, args);
    va_end(args);

    if (client->unsaid[i] != 0) {
        p = ngx_slprintf(p, text + sizeof(text), " (%ui more such lines)",
                         client->unsaid[i]);
    }

    ngx_log_error(level, client->conf->log, err, "integrity: redis %V: %*s",
                  &client->conf->addr.name, (size_t) (p - text), text);

    client->said[i] = ngx_time();
    client->unsaid[i] = 0;
}
