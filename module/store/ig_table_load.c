/*
 * ig_table_load.c: what a load of history asks of the table beside its ops:
 * how far it has come, since when counters are remembered, what logs hold.
 * Owns nothing; works on the table.  Borrows counters.
 * Called by nginx's control handler and workers, and by `integrityctl load`.
 */

#include "ig_table_int.h"

#include <string.h>


void
ig_table_since_move(ig_table_t *t, const ig_counter_t *counter, int64_t since)
{
    uint32_t       at;
    ig_slot_t     *slot;
    ig_slot_key_t  key;

    ig_table_enter(t, t->now);

    memcpy(&key.id[0], counter->ident, sizeof(key.id[0]));
    key.id[1] = 0;
    key.type = IG_SLOT_MARK;

    at = ig_table_find(t, &key);

    if (at != IG_NIL) {
        slot = ig_slot(t, at);

        if (since < slot->u.mark.since) {
            slot->u.mark.since = since;
        }
    }

    ig_table_leave(t);
}


ig_load_cursor_t *
ig_table_load_cursor(ig_table_t *t)
{
    return &t->load;
}


void
ig_table_members(ig_table_t *t, const ig_counter_t *counter,
    const uint8_t key[IG_HASH], int64_t cut, ig_member_pt each, void *ctx)
{
    uint32_t          at, log, n;
    ig_slot_key_t     k;
    const ig_slot_t  *slot;

    k = ig_slot_key(counter, key, IG_SLOT_LOG);
    log = ig_table_find(t, &k);

    if (log == IG_NIL) {
        return;
    }

    at = ig_slot(t, log)->u.log.oldest;

    for (n = ig_slot(t, log)->u.log.n; n > 0; n--) {
        slot = ig_slot(t, at);
        at = slot->newer;

        if (slot->time > cut) {
            each(ctx, (const uint8_t *) slot->id, slot->time);
        }
    }
}
