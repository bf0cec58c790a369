/*
 * ig_table_note.c: what the table remembers beside counts: notes on keys in
 * Redis, keys over their limit, and since when a counter is remembered.
 * Owns nothing; works on the table.  Borrows ops and counters.
 * Called by nginx's workers, under the zone's lock.
 */

#include "ig_table_int.h"

#include <string.h>


/*
 * Redis keys without a bucket get their TTL anew with each write.  It is a
 * minute longer than the window (ig_window_ttl), so that half of that may
 * pass before it is wanted again.
 */
#define IG_NOTE_TTL  30                 /* s */

/* Other nodes may still take back what they counted in the bucket before. */
#define IG_NOTE_PREV  1000              /* ms */

/*
 * What is known of the bucket before is read anew after so long (ms): a key
 * that was reset, or filled from history, is known here as it was.  A slot has
 * room for the epoch's last byte alone; one that comes round again after 256
 * is taken for the present one, and only for as long as that lasts.
 */
#define IG_NOTE_EPOCH  10000

/* Marks take up to this part of all slots ... */
#define IG_MARK_SHARE  4

/* ... and one that nobody asked for so long (ms) makes room for another. */
#define IG_MARK_IDLE  3600000


/* -- Redis --------------------------------------------------------------- */

ig_slot_e
ig_table_mirrored(ig_kind_e kind)
{
    switch (kind) {

    case IG_COUNT:
        return IG_SLOT_COUNT;

    case IG_COUNT_EXACT:
    case IG_DISTINCT:
        return IG_SLOT_LOG;

    default:
        return IG_SLOT_NOTE;
    }
}


static bool
ig_kind_has_buckets(ig_kind_e kind)
{
    return kind == IG_COUNT || kind == IG_SUM || kind == IG_MEAN;
}


void
ig_table_follow(ig_table_t *t, uint32_t at, const ig_op_t *op)
{
    int64_t     bucket, window;
    ig_slot_t  *slot;

    slot = ig_slot(t, at);
    window = op->counter->window;

    if (op->verb == IG_OP_READ || op->verb == IG_OP_PEEK) {
        return;
    }

    if (!ig_kind_has_buckets(op->counter->kind)) {
        if (slot->time <= t->now + window) {
            slot->time = t->now + window + 1;
        }

        return;
    }

    bucket = ig_window_bucket(t->now, window);

    if (bucket > slot->u.note.bucket && op->verb != IG_OP_UNDO) {
        slot->u.note.bucket = bucket;
        slot->time = (bucket + 2) * window;
        slot->flags &= (uint8_t) ~(IG_SLOT_TTL | IG_SLOT_PREV);

    } else if (bucket != slot->u.note.bucket) {

        /* the bucket before changes, or one that nobody reads */
        slot->flags &= (uint8_t) ~IG_SLOT_PREV;
    }
}


static uint8_t
ig_note_epoch(int64_t time)
{
    return (uint8_t) ig_window_bucket(time, IG_NOTE_EPOCH);
}


/* Whether the slot's notes are on the bucket of that time. */
static bool
ig_note_on(const ig_slot_t *slot, const ig_counter_t *counter, int64_t time)
{
    int64_t  bucket;

    bucket = slot->type == IG_SLOT_COUNT ? slot->u.count.bucket
                                         : slot->u.note.bucket;

    return ig_kind_has_buckets(counter->kind)
           && bucket == ig_window_bucket(time, counter->window);
}


static bool
ig_note_ttl(const ig_slot_t *slot, int64_t time)
{
    int64_t  age;

    age = time / 1000 - (int64_t) slot->u.log.noted;

    return slot->u.log.noted != 0 && age >= 0 && age <= IG_NOTE_TTL;
}


void
ig_table_known(const ig_table_t *t, const ig_op_t *op, uint32_t at,
    ig_note_t *note)
{
    const ig_slot_t  *slot;

    note->ttl_known = false;
    note->prev_known = false;
    note->prev = 0;
    note->nprev = 0;

    if (at == IG_NIL) {
        return;
    }

    slot = ig_slot(t, at);

    if (slot->type == IG_SLOT_LOG) {
        note->ttl_known = ig_note_ttl(slot, t->now);
        return;
    }

    if (!ig_note_on(slot, op->counter, t->now)) {
        return;
    }

    note->ttl_known = (slot->flags & IG_SLOT_TTL) != 0;

    if ((slot->flags & IG_SLOT_PREV) && slot->epoch == ig_note_epoch(t->now)) {
        note->prev_known = true;

        if (slot->type == IG_SLOT_COUNT) {
            note->prev = slot->u.count.prev;

        } else {
            note->prev = slot->u.note.prev;
            note->nprev = slot->u.note.nprev;
        }
    }
}


static uint32_t
ig_table_noted(const ig_table_t *t, const ig_op_t *op)
{
    ig_slot_key_t  key;

    key = ig_slot_key(op->counter, op->key,
                      ig_table_mirrored(op->counter->kind));

    return ig_table_find(t, &key);
}


/* The bucket before, once it has come to rest. */
static void
ig_note_prev(ig_slot_t *slot, int64_t elapsed, int64_t prev, int64_t nprev,
    uint8_t epoch)
{
    if (elapsed <= IG_NOTE_PREV) {
        return;
    }

    if (slot->type == IG_SLOT_COUNT) {
        if (prev < 0 || prev > UINT32_MAX) {
            return;
        }

        slot->u.count.prev = (uint32_t) prev;

    } else {
        slot->u.note.prev = prev;
        slot->u.note.nprev = nprev;
    }

    slot->flags |= IG_SLOT_PREV;
    slot->epoch = epoch;
}


void
ig_table_note(ig_table_t *t, const ig_op_t *op, bool prev_known,
    int64_t prev, int64_t nprev)
{
    int64_t     window;
    uint32_t    at;
    ig_slot_t  *slot;

    ig_table_enter(t, op->time);

    at = ig_table_noted(t, op);

    if (at != IG_NIL) {
        slot = ig_slot(t, at);
        window = op->counter->window;

        if (slot->type == IG_SLOT_LOG) {
            if (t->now > 0 && t->now / 1000 <= UINT32_MAX) {
                slot->u.log.noted = (uint32_t) (t->now / 1000);
            }

        } else if (ig_note_on(slot, op->counter, t->now)) {
            slot->flags |= IG_SLOT_TTL;

            if (prev_known) {
                ig_note_prev(slot, t->now - ig_window_bucket(t->now, window)
                                            * window, prev, nprev,
                             ig_note_epoch(t->now));
            }
        }
    }

    ig_table_leave(t);
}


void
ig_table_forget(ig_table_t *t, const ig_op_t *op)
{
    uint32_t    at;
    ig_slot_t  *slot;

    ig_table_enter(t, op->time);

    at = ig_table_noted(t, op);

    if (at != IG_NIL) {
        slot = ig_slot(t, at);
        slot->flags &= (uint8_t) ~(IG_SLOT_TTL | IG_SLOT_PREV);

        if (slot->type == IG_SLOT_LOG) {
            slot->u.log.noted = 0;
        }
    }

    ig_table_leave(t);
}


/* -- keys over their limit ----------------------------------------------- */

void
ig_table_over_put(ig_table_t *t, const ig_counter_t *counter,
    const uint8_t key[IG_HASH], double limit, int64_t until)
{
    uint32_t       at;
    ig_slot_t     *slot;
    ig_slot_key_t  k;

    ig_table_enter(t, t->now);

    k = ig_slot_key(counter, key, IG_SLOT_OVER);
    at = ig_table_find(t, &k);

    if (at == IG_NIL) {
        at = ig_table_create_key(t, &k, IG_ONCE);
        slot = at != IG_NIL ? ig_slot(t, at) : NULL;

    } else {
        slot = ig_slot(t, at);

        if (slot->u.over.limit >= limit && slot->time >= until) {

            /* says more already */
            slot = NULL;
        }
    }

    if (slot != NULL) {
        slot->u.over.limit = limit;
        slot->time = ig_table_time(until);
    }

    ig_table_leave(t);
}


int64_t
ig_table_over_get(ig_table_t *t, const ig_counter_t *counter,
    const uint8_t key[IG_HASH], double limit, int64_t now)
{
    int64_t           until;
    uint32_t          at;
    ig_slot_key_t     k;
    const ig_slot_t  *slot;

    ig_table_enter(t, now);

    k = ig_slot_key(counter, key, IG_SLOT_OVER);
    at = ig_table_find(t, &k);
    until = 0;

    if (at != IG_NIL) {
        slot = ig_slot(t, at);

        if (limit <= slot->u.over.limit && t->now < slot->time) {
            until = slot->time;
            ig_table_touch(t, at);
        }
    }

    ig_table_leave(t);

    return until;
}


void
ig_table_over_drop(ig_table_t *t, const ig_counter_t *counter,
    const uint8_t key[IG_HASH])
{
    uint32_t       at;
    ig_slot_key_t  k;

    k = ig_slot_key(counter, key, IG_SLOT_OVER);
    at = ig_table_find(t, &k);

    if (at != IG_NIL) {
        ig_table_drop(t, at);
    }
}


void
ig_table_over_forget(ig_table_t *t, const ig_counter_t *counter,
    const uint8_t key[IG_HASH])
{
    ig_table_enter(t, t->now);
    ig_table_over_drop(t, counter, key);
    ig_table_leave(t);
}


/* -- marks --------------------------------------------------------------- */

/* A mark that belongs to no counter any more gives way to a new one. */
static bool
ig_mark_room(ig_table_t *t)
{
    uint32_t  oldest;

    if (t->segment[IG_MARKS].n < t->nslots / IG_MARK_SHARE) {
        return true;
    }

    oldest = t->segment[IG_MARKS].oldest;

    if (t->now - ig_slot(t, oldest)->u.mark.asked < IG_MARK_IDLE) {
        return false;
    }

    ig_table_drop(t, oldest);

    return true;
}


static uint32_t
ig_mark_create(ig_table_t *t, const ig_slot_key_t *key)
{
    uint32_t  at;

    if (!ig_mark_room(t)) {
        return IG_NIL;
    }

    at = ig_table_create_key(t, key, IG_MARKS);

    if (at != IG_NIL) {
        ig_slot(t, at)->u.mark.since = t->now;
    }

    return at;
}


int64_t
ig_table_since(ig_table_t *t, const ig_counter_t *counter, int64_t now)
{
    int64_t        since;
    uint32_t       at;
    ig_slot_t     *slot;
    ig_slot_key_t  key;

    ig_table_enter(t, now);

    memcpy(&key.id[0], counter->ident, sizeof(key.id[0]));
    key.id[1] = 0;
    key.type = IG_SLOT_MARK;

    at = ig_table_find(t, &key);

    if (at == IG_NIL) {
        at = ig_mark_create(t, &key);

    } else {

        /* the newest are those asked for last */
        ig_segment_remove(t, at);
        ig_segment_add(t, IG_MARKS, at);
    }

    since = -1;

    if (at != IG_NIL) {
        slot = ig_slot(t, at);
        slot->u.mark.asked = t->now;
        since = slot->u.mark.since;
    }

    ig_table_leave(t);

    return since;
}
