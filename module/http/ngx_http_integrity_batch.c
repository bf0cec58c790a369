/*
 * ngx_http_integrity_batch.c: batches of operations in the worker's memory,
 * and the way they take: the table in shared memory first, then the store.
 * Owns: batches outside the store, and a list of spare ones.
 * Called by the request machine.
 */

#include "ngx_http_integrity.h"
#include "ig_table.h"

#define NGX_HTTP_INTEGRITY_BATCH_OPS    16      /* of a spare batch */
#define NGX_HTTP_INTEGRITY_BATCH_SPARE  256


typedef struct ngx_http_integrity_batch_s  ngx_http_integrity_batch_t;

struct ngx_http_integrity_batch_s {
    ig_batch_t                   batch;     /* first: it is what others see */
    ngx_http_integrity_batch_t  *next;
    unsigned                     capacity;
};

static ngx_uint_t  ngx_http_integrity_nspare;


static ngx_http_integrity_batch_t *
ngx_http_integrity_batch_alloc(unsigned capacity)
{
    u_char                      *p;
    size_t                       head, ops, notes;
    ngx_http_integrity_batch_t  *b;

    head = ngx_align(sizeof(ngx_http_integrity_batch_t), 16);
    ops = ngx_align(capacity * sizeof(ig_op_t), 16);
    notes = ngx_align(capacity * sizeof(ig_note_t), 16);

    p = ngx_alloc(head + ops + notes + capacity, ngx_cycle->log);
    if (p == NULL) {
        return NULL;
    }

    b = (ngx_http_integrity_batch_t *) p;

    ngx_memzero(b, sizeof(ngx_http_integrity_batch_t));

    b->capacity = capacity;
    b->batch.op = (ig_op_t *) (p + head);
    b->batch.note = (ig_note_t *) (p + head + ops);
    b->batch.recipe = p + head + ops + notes;

    return b;
}


ig_batch_t *
ngx_http_integrity_batch(unsigned max_ops)
{
    ngx_http_integrity_batch_t   *b;
    ngx_http_integrity_worker_t  *w = &ngx_http_integrity_worker;

    if (max_ops <= NGX_HTTP_INTEGRITY_BATCH_OPS && w->free_batches != NULL) {
        b = w->free_batches;
        w->free_batches = b->next;
        ngx_http_integrity_nspare--;

    } else {
        b = ngx_http_integrity_batch_alloc(
                             ngx_max(max_ops, NGX_HTTP_INTEGRITY_BATCH_OPS));
        if (b == NULL) {
            return NULL;
        }
    }

    b->batch.nops = 0;
    b->batch.state = IG_BATCH_NEW;
    b->batch.done = NULL;
    b->batch.settled = NULL;
    b->batch.owner = NULL;
    b->batch.load = NULL;
    b->batch.next = NULL;
    b->batch.replies = 0;

    return &b->batch;
}


void
ngx_http_integrity_batch_free(ig_batch_t *batch)
{
    ngx_http_integrity_batch_t   *b = (ngx_http_integrity_batch_t *) batch;
    ngx_http_integrity_worker_t  *w = &ngx_http_integrity_worker;

    if (b->capacity > NGX_HTTP_INTEGRITY_BATCH_OPS || w->mcf == NULL
        || ngx_http_integrity_nspare >= NGX_HTTP_INTEGRITY_BATCH_SPARE)
    {
        ngx_free(b);
        return;
    }

    b->next = w->free_batches;
    w->free_batches = b;
    ngx_http_integrity_nspare++;
}


/* The spare ones: a single process that reloads starts with none. */

void
ngx_http_integrity_batch_drop(void)
{
    ngx_http_integrity_batch_t   *b;
    ngx_http_integrity_worker_t  *w = &ngx_http_integrity_worker;

    while (w->free_batches != NULL) {
        b = w->free_batches;
        w->free_batches = b->next;
        ngx_free(b);
    }

    ngx_http_integrity_nspare = 0;
}


/* Addresses are personal: the zone gets a keyed hash. */

static void
ngx_http_integrity_client_hash(uint8_t id[IG_HASH], const void *address,
    size_t len)
{
    uint8_t    out[IG_SHA256];
    ig_hmac_t  hmac;

    ig_hmac_init(&hmac, &ngx_http_integrity_worker.mcf->secret->store);
    ig_hmac_update_str(&hmac, ig_str("client"));
    ig_hmac_update(&hmac, address, len);
    ig_hmac_final(&hmac, out);

    ngx_memcpy(id, out, IG_HASH);
}


/*
 * Whom the cap on new keys counts: the address after realip, an IPv6 one by
 * its /64.  Connections over unix sockets have no address and no cap.
 */

static ig_client_t *
ngx_http_integrity_client(ngx_connection_t *c, ig_client_t *client)
{
#if (NGX_HAVE_INET6)
    struct sockaddr_in6  *sin6;
#endif
    struct sockaddr_in   *sin;

    if (c == NULL) {
        return NULL;
    }

    switch (c->sockaddr->sa_family) {

#if (NGX_HAVE_INET6)
    case AF_INET6:
        sin6 = (struct sockaddr_in6 *) c->sockaddr;
        ngx_http_integrity_client_hash(client->id, sin6->sin6_addr.s6_addr,
                                       8);
        break;
#endif

    case AF_INET:
        sin = (struct sockaddr_in *) c->sockaddr;
        ngx_http_integrity_client_hash(client->id, &sin->sin_addr.s_addr, 4);
        break;

    default:
        return NULL;
    }

    client->cap = ngx_http_integrity_worker.mcf->zone_settings.new_keys;
    client->now = ngx_http_integrity_now();

    return client;
}


/* Here first: the table counts, or mirrors what the store will count. */

static void
ngx_http_integrity_batch_local(ig_batch_t *batch, ngx_connection_t *c)
{
    ig_client_t                   client, *who;
    ngx_http_integrity_worker_t  *w = &ngx_http_integrity_worker;

    who = ngx_http_integrity_client(c, &client);

    ngx_http_integrity_lock();

    if (w->store == NULL) {
        ig_table_run(w->table, batch->op, batch->nops, who);

    } else {
        ig_table_mirror(w->table, batch->op, batch->nops, who, batch->note);
    }

    ngx_http_integrity_unlock();
}


ngx_int_t
ngx_http_integrity_batch_run(ig_batch_t *batch, ngx_connection_t *client)
{
    ngx_http_integrity_worker_t  *w = &ngx_http_integrity_worker;

    if (batch->nops == 0) {
        batch->state = IG_BATCH_ANSWERED;
        return NGX_OK;
    }

    ngx_http_integrity_batch_local(batch, client);

    if (w->store == NULL || batch->op[0].state == IG_OP_REFUSED) {
        batch->state = IG_BATCH_ANSWERED;
        return NGX_OK;
    }

    switch (w->store->submit(w->store, batch)) {

    case IG_OK:
        return NGX_OK;

    case IG_AGAIN:
        return NGX_AGAIN;

    default:
        return NGX_ERROR;
    }
}


/* Operations that wrote here only: the store is not to hear of them. */

static void
ngx_http_integrity_batch_drop_undo(ig_batch_t *batch)
{
    unsigned  i, n;

    for (i = 0, n = 0; i < batch->nops; i++) {
        if (batch->op[i].verb != IG_OP_UNDO) {
            batch->note[n] = batch->note[i];
            batch->op[n++] = batch->op[i];
        }
    }

    batch->nops = n;
}


static void
ngx_http_integrity_batch_submit(ig_batch_t *batch)
{
    ngx_http_integrity_worker_t  *w = &ngx_http_integrity_worker;

    batch->done = NULL;
    batch->settled = ngx_http_integrity_batch_free;
    batch->owner = NULL;

    if (batch->nops == 0 || w->store == NULL
        || batch->op[0].state == IG_OP_REFUSED
        || w->store->submit(w->store, batch) != IG_AGAIN)
    {
        ngx_http_integrity_batch_free(batch);
    }
}


void
ngx_http_integrity_batch_send(ig_batch_t *batch, ngx_uint_t local_undo,
    ngx_connection_t *client)
{
    if (batch->nops) {
        ngx_http_integrity_batch_local(batch, client);
    }

    if (local_undo) {
        ngx_http_integrity_batch_drop_undo(batch);
    }

    ngx_http_integrity_batch_submit(batch);
}


void
ngx_http_integrity_batch_undo(ig_batch_t *batch, ngx_uint_t everywhere)
{
    ig_batch_t  *undo;

    undo = ngx_http_integrity_batch(batch->nops);
    if (undo == NULL) {
        return;
    }

    undo->nops = ig_op_undo(batch->op, batch->nops, undo->op);

    if (undo->nops && everywhere) {
        ngx_http_integrity_batch_local(undo, NULL);

    } else {
        ngx_memzero(undo->note, undo->nops * sizeof(ig_note_t));
    }

    ngx_http_integrity_batch_submit(undo);
}
