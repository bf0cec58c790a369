/*
 * ig_table_evict.c: where slots come from and go to: free list, limbo, and
 * keys that have to make room.
 * Owns nothing; works on the table.  Borrows nothing.
 * Called by the other files of the table.
 *
 * No step walks the table: a search looks at a fixed number of slots, and
 * what hangs on a dropped key goes to limbo as one piece.
 */

#include "ig_table_int.h"

#include <string.h>


#define IG_SWEEP  8             /* slots the hand looks at, per slot wanted */
#define IG_OLDEST  4            /* keys looked at, of each segment */

/* Keys seen once go first while they are more than one in so many. */
#define IG_ONCE_SHARE  8


/* -- segments ------------------------------------------------------------ */

void
ig_segment_add(ig_table_t *t, ig_segment_e segment, uint32_t at)
{
    ig_slot_t     *slot;
    ig_segment_t  *s;

    s = &t->segment[segment];
    slot = ig_slot(t, at);

    slot->segment = (uint8_t) segment;
    slot->older = s->newest;
    slot->newer = IG_NIL;

    if (s->newest != IG_NIL) {
        ig_slot(t, s->newest)->newer = at;

    } else {
        s->oldest = at;
    }

    s->newest = at;
    s->n++;
}


void
ig_segment_remove(ig_table_t *t, uint32_t at)
{
    ig_slot_t     *slot;
    ig_segment_t  *s;

    slot = ig_slot(t, at);
    s = &t->segment[slot->segment];

    if (slot->older != IG_NIL) {
        ig_slot(t, slot->older)->newer = slot->newer;

    } else {
        s->oldest = slot->newer;
    }

    if (slot->newer != IG_NIL) {
        ig_slot(t, slot->newer)->older = slot->older;

    } else {
        s->newest = slot->older;
    }

    s->n--;
}


/* -- giving back --------------------------------------------------------- */

void
ig_table_free(ig_table_t *t, uint32_t at)
{
    ig_slot_t  *slot;

    slot = ig_slot(t, at);

    slot->type = IG_SLOT_FREE;
    slot->next = t->free;

    t->free = at;
    t->used--;
}


void
ig_table_drop(ig_table_t *t, uint32_t at)
{
    ig_slot_t  *slot;

    slot = ig_slot(t, at);

    if (slot->type == IG_SLOT_LOG) {
        ig_log_empty(t, at);

    } else if (slot->type == IG_SLOT_SUM) {
        ig_table_free(t, slot->u.sum.rest);
    }

    ig_table_unlink(t, at, ig_slot_bucket(t, slot));
    ig_segment_remove(t, at);
    ig_table_free(t, at);
}


/* -- making room --------------------------------------------------------- */

static bool
ig_slot_is_key(const ig_slot_t *slot)
{
    return slot->type >= IG_SLOT_COUNT && slot->type < IG_SLOT_MARK;
}


/* Drops the key if its window has passed. */
static bool
ig_table_expire(ig_table_t *t, uint32_t at, uint32_t keep)
{
    const ig_slot_t  *slot;

    slot = ig_slot(t, at);

    if (at == keep || !ig_slot_is_key(slot) || slot->time > t->now) {
        return false;
    }

    ig_table_drop(t, at);

    return true;
}


/* The next few slots in turn, whoever they belong to. */
static bool
ig_table_sweep(ig_table_t *t, uint32_t keep)
{
    unsigned  i;

    for (i = 0; i < IG_SWEEP; i++) {
        if (t->hand >= t->fresh) {
            t->hand = 0;
        }

        if (ig_table_expire(t, t->hand++, keep)) {
            return true;
        }
    }

    return false;
}


static bool
ig_segment_expire(ig_table_t *t, ig_segment_e segment, uint32_t keep)
{
    uint32_t  at;
    unsigned  i;

    at = t->segment[segment].oldest;

    for (i = 0; i < IG_OLDEST && at != IG_NIL; i++) {
        if (ig_table_expire(t, at, keep)) {
            return true;
        }

        at = ig_slot(t, at)->newer;
    }

    return false;
}


/* The oldest, but those seen since get another round, a few of them at most. */
static uint32_t
ig_segment_victim(ig_table_t *t, ig_segment_e segment, uint32_t keep)
{
    uint32_t    at;
    unsigned    i;
    ig_slot_t  *slot;

    for (i = 0; i <= IG_OLDEST; i++) {
        at = t->segment[segment].oldest;

        if (at == IG_NIL) {
            return IG_NIL;
        }

        slot = ig_slot(t, at);

        if (at != keep && (i == IG_OLDEST
                           || !(slot->flags & IG_SLOT_RECENT)))
        {
            return at;
        }

        if (slot->newer == IG_NIL) {

            /* the only one */
            return at != keep ? at : IG_NIL;
        }

        slot->flags &= (uint8_t) ~IG_SLOT_RECENT;

        ig_segment_remove(t, at);
        ig_segment_add(t, segment, at);
    }

    return t->segment[segment].oldest;
}


static bool
ig_table_evict(ig_table_t *t, uint32_t keep)
{
    uint32_t      at, once, again;
    ig_segment_e  first;

    once = t->segment[IG_ONCE].n;
    again = t->segment[IG_OFTEN].n;

    /*
     * Without a share of their own, new keys would never live to be seen
     * twice in a table full of old ones.
     */
    first = once > again / (IG_ONCE_SHARE - 1) ? IG_ONCE : IG_OFTEN;

    at = ig_segment_victim(t, first, keep);

    if (at == IG_NIL) {
        at = ig_segment_victim(t, first == IG_ONCE ? IG_OFTEN : IG_ONCE,
                               keep);
    }

    if (at == IG_NIL) {
        at = ig_segment_victim(t, IG_LISTS, keep);
    }

    if (at == IG_NIL) {
        return false;
    }

    ig_table_drop(t, at);
    t->evicted++;

    return true;
}


/* -- taking -------------------------------------------------------------- */

static uint32_t
ig_table_from_limbo(ig_table_t *t)
{
    uint32_t    at;
    ig_slot_t  *slot;

    at = t->limbo;
    slot = ig_slot(t, at);

    t->limbo = slot->newer;

    ig_table_unlink(t, at, ig_slot_bucket(t, slot));

    return at;
}


/* A slot at hand, or IG_NIL. */
static uint32_t
ig_table_spare(ig_table_t *t)
{
    uint32_t  at;

    if (t->free != IG_NIL) {
        at = t->free;
        t->free = ig_slot(t, at)->next;
        return at;
    }

    if (t->limbo != IG_NIL) {
        return ig_table_from_limbo(t);
    }

    return t->fresh < t->nslots ? t->fresh++ : IG_NIL;
}


uint32_t
ig_table_alloc(ig_table_t *t, uint32_t keep)
{
    uint32_t  at;

    at = ig_table_spare(t);

    if (at == IG_NIL) {
        if (!ig_table_sweep(t, keep)
            && !ig_segment_expire(t, IG_ONCE, keep)
            && !ig_segment_expire(t, IG_OFTEN, keep)
            && !ig_segment_expire(t, IG_LISTS, keep)
            && !ig_table_evict(t, keep))
        {
            return IG_NIL;
        }

        at = ig_table_spare(t);
    }

    memset(ig_slot(t, at), 0, sizeof(ig_slot_t));
    t->used++;

    return at;
}
