/*
 * ngx_http_integrity_load.c: a step of a load of history: in the table, under
 * its lock, or through the store behind it.
 * Owns nothing.  Borrows the batch.  Called by the control handler.
 */

#include "ngx_http_integrity.h"
#include "ig_table.h"


static void
ngx_http_integrity_load_look(ig_table_t *table, ig_load_t *load)
{
    ngx_uint_t           i;
    const ig_counter_t  *counter;

    load->cursor = *ig_table_load_cursor(table);

    for (i = 0; i < load->policy->ncounters; i++) {
        counter = load->policy->counter[i];
        load->since[counter->id] = ig_table_since(table, counter,
                                                  ngx_http_integrity_now());
    }
}


static ig_load_state_e
ngx_http_integrity_load_begin(ig_table_t *table, const ig_load_t *load)
{
    ig_load_cursor_t  *cursor;

    cursor = ig_table_load_cursor(table);

    if (cursor->of != 0 && !load->replace) {
        return IG_LOAD_CONFLICT;
    }

    *cursor = load->cursor;

    return IG_LOAD_DONE;
}


static ig_load_state_e
ngx_http_integrity_load_write(ig_table_t *table, ig_batch_t *batch)
{
    ig_load_t         *load;
    ig_load_cursor_t  *cursor;

    load = batch->load;
    cursor = ig_table_load_cursor(table);

    if (cursor->of == 0
        || ngx_memcmp(cursor->id, load->cursor.id, IG_LOAD_ID) != 0
        || cursor->done + 1 != load->cursor.done)
    {
        return IG_LOAD_CONFLICT;
    }

    ig_table_run(table, batch->op, batch->nops, NULL);

    *cursor = load->cursor;

    return IG_LOAD_DONE;
}


static void
ngx_http_integrity_load_end(ig_table_t *table, const ig_load_t *load)
{
    ngx_uint_t           i;
    const ig_counter_t  *counter;

    for (i = 0; i < load->policy->ncounters; i++) {
        counter = load->policy->counter[i];

        if (load->since[counter->id] >= 0) {
            ig_table_since_move(table, counter, load->since[counter->id]);
        }
    }

    ig_table_load_cursor(table)->of = 0;
}


static void
ngx_http_integrity_load_local(ig_table_t *table, ig_batch_t *batch)
{
    ig_load_t  *load;

    load = batch->load;
    load->state = IG_LOAD_DONE;

    switch (load->step) {

    case IG_LOAD_LOOK:
        ngx_http_integrity_load_look(table, load);
        break;

    case IG_LOAD_BEGIN:
        load->state = ngx_http_integrity_load_begin(table, load);
        break;

    case IG_LOAD_CHECK:
        load->cursor = *ig_table_load_cursor(table);
        break;

    case IG_LOAD_WRITE:
        load->state = ngx_http_integrity_load_write(table, batch);
        break;

    case IG_LOAD_END:
        ngx_http_integrity_load_end(table, load);
        break;
    }
}


ngx_int_t
ngx_http_integrity_load_run(ig_batch_t *batch)
{
    ngx_http_integrity_worker_t  *w = &ngx_http_integrity_worker;

    if (w->store == NULL) {
        ngx_http_integrity_lock();
        ngx_http_integrity_load_local(w->table, batch);
        ngx_http_integrity_unlock();

        return NGX_OK;
    }

    return w->store->submit(w->store, batch) == IG_AGAIN ? NGX_AGAIN
                                                         : NGX_ERROR;
}


void
ngx_http_integrity_load_room(uint64_t *slots, uint64_t *used,
    uint64_t *evicted)
{
    ig_table_stat_t               stat;
    ngx_http_integrity_worker_t  *w = &ngx_http_integrity_worker;

    ngx_http_integrity_lock();
    ig_table_stat(w->table, &stat);
    ngx_http_integrity_unlock();

    *slots = stat.slots;
    *used = stat.used;
    *evicted = stat.evicted;
}
