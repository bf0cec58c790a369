/*
 * ngx_http_integrity_zone.c: what lives in the shared zone: metrics, the
 * chains' last states, the embedded table.  Offsets only, with a layout
 * version, so that a reload keeps it all and another layout is refused.
 * Owns: the zone's layout.  Called by nginx (init) and the worker.
 */

#include "ngx_http_integrity.h"
#include "ig_table.h"

#define NGX_HTTP_INTEGRITY_MAGIC    0x69677a31      /* "igz1" */
#define NGX_HTTP_INTEGRITY_LAYOUT   4
#define NGX_HTTP_INTEGRITY_CHAINS   256             /* workers times files */
#define NGX_HTTP_INTEGRITY_TAILS    64              /* files */


typedef struct {
    uint64_t    file;           /* hash of the file's name; 0: free slot */
    uint64_t    worker;
    ig_chain_t  chain;
} ngx_http_integrity_slot_t;


struct ngx_http_integrity_shared_s {
    uint32_t                   magic;
    uint32_t                   layout;
    uint64_t                   size;            /* of this struct */
    uint64_t                   table_offset;    /* from this struct's start */
    uint64_t                   table_size;
    ngx_http_integrity_tail_t  tail[NGX_HTTP_INTEGRITY_TAILS];
    ngx_http_integrity_slot_t  slot[NGX_HTTP_INTEGRITY_CHAINS];
    ig_metrics_t               metrics;
    ngx_http_integrity_life_t  life[NGX_MAX_PROCESSES];     /* by slot */
};


static ngx_int_t
ngx_http_integrity_zone_reuse(ngx_shm_zone_t *zone,
    ngx_http_integrity_shared_t *shared)
{
    if (shared->magic == NGX_HTTP_INTEGRITY_MAGIC
        && shared->layout == NGX_HTTP_INTEGRITY_LAYOUT
        && shared->size == sizeof(ngx_http_integrity_shared_t)
        && ig_table_attach((u_char *) shared + shared->table_offset,
                           shared->table_size)
           != NULL)
    {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_EMERG, zone->shm.log, 0,
                  "\"integrity_zone\" \"%V\" has the layout of another "
                  "version of the module: upgrade with USR2 or restart "
                  "instead of reloading", &zone->shm.name);

    return NGX_ERROR;
}


/* The largest piece the slab pool gives, all in one, for good. */

static ngx_http_integrity_shared_t *
ngx_http_integrity_zone_take(ngx_slab_pool_t *shpool, size_t *size)
{
    void        *p;
    ngx_uint_t   pages;

    shpool->log_nomem = 0;

    for (pages = shpool->pfree; pages > 0; pages--) {
        *size = pages * ngx_pagesize;

        p = ngx_slab_alloc(shpool, *size);
        if (p != NULL) {
            return p;
        }
    }

    return NULL;
}


ngx_int_t
ngx_http_integrity_zone_init(ngx_shm_zone_t *zone, void *data)
{
    size_t                        size, head;
    ngx_slab_pool_t              *shpool;
    ngx_http_integrity_shared_t  *shared;

    shpool = (ngx_slab_pool_t *) zone->shm.addr;

    if (data != NULL || zone->shm.exists) {
        return ngx_http_integrity_zone_reuse(zone, shpool->data);
    }

    shared = ngx_http_integrity_zone_take(shpool, &size);

    head = ngx_align(sizeof(ngx_http_integrity_shared_t), 64);

    if (shared == NULL || size < head + IG_TABLE_MIN) {
        ngx_log_error(NGX_LOG_EMERG, zone->shm.log, 0,
                      "\"integrity_zone\" \"%V\" is too small",
                      &zone->shm.name);
        return NGX_ERROR;
    }

    ngx_memzero(shared, head);

    if (ig_table_create((u_char *) shared + head, size - head) == NULL) {
        return NGX_ERROR;
    }

    shared->magic = NGX_HTTP_INTEGRITY_MAGIC;
    shared->layout = NGX_HTTP_INTEGRITY_LAYOUT;
    shared->size = sizeof(ngx_http_integrity_shared_t);
    shared->table_offset = head;
    shared->table_size = size - head;

    shpool->data = shared;

    return NGX_OK;
}


struct ig_table_s *
ngx_http_integrity_shared_table(ngx_http_integrity_shared_t *shared)
{
    return ig_table_attach((u_char *) shared + shared->table_offset,
                           shared->table_size);
}


ig_metrics_t *
ngx_http_integrity_shared_metrics(ngx_http_integrity_shared_t *shared)
{
    return &shared->metrics;
}


ngx_http_integrity_life_t *
ngx_http_integrity_shared_lives(ngx_http_integrity_shared_t *shared)
{
    return shared->life;
}


static uint64_t
ngx_http_integrity_file_hash(ngx_str_t *file)
{
    return ((uint64_t) ngx_crc32_long(file->data, file->len) << 32)
           | ngx_murmur_hash2(file->data, file->len) | 1;
}


/*
 * The caller holds the zone's lock.  Where there is no room left, the slot of
 * a chain that was closed is taken: its end is in its file.
 */

ig_chain_t *
ngx_http_integrity_shared_chain(ngx_http_integrity_shared_t *shared,
    ngx_uint_t worker, ngx_str_t *file)
{
    uint64_t                    hash;
    ngx_uint_t                  i;
    ngx_http_integrity_slot_t  *slot, *closed;

    hash = ngx_http_integrity_file_hash(file);
    slot = NULL;
    closed = NULL;

    for (i = 0; i < NGX_HTTP_INTEGRITY_CHAINS; i++) {
        slot = &shared->slot[i];

        if (slot->file == hash && slot->worker == worker) {
            return &slot->chain;
        }

        if (slot->file == 0) {
            break;
        }

        if (slot->chain.state == IG_CHAIN_CLOSED) {
            closed = slot;
        }
    }

    if (i == NGX_HTTP_INTEGRITY_CHAINS) {
        slot = closed;
    }

    if (slot == NULL) {
        return NULL;
    }

    ngx_memzero(slot, sizeof(ngx_http_integrity_slot_t));

    slot->file = hash;
    slot->worker = worker;

    return &slot->chain;
}


/*
 * The caller holds the zone's lock.  Files beyond the table share an entry
 * with another: at worst there is a blank line in one of them, and chains do
 * not know that their predecessor wrote to the same file.
 */

ngx_http_integrity_tail_t *
ngx_http_integrity_shared_tail(ngx_http_integrity_shared_t *shared,
    ngx_str_t *file)
{
    uint64_t                    hash;
    ngx_uint_t                  i;
    ngx_http_integrity_tail_t  *tail;

    hash = ngx_http_integrity_file_hash(file);

    for (i = 0; i < NGX_HTTP_INTEGRITY_TAILS; i++) {
        tail = &shared->tail[(hash + i) % NGX_HTTP_INTEGRITY_TAILS];

        if (tail->name == 0) {
            tail->name = hash;
        }

        if (tail->name == hash) {
            return tail;
        }
    }

    return &shared->tail[hash % NGX_HTTP_INTEGRITY_TAILS];
}
