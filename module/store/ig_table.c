/*
 * ig_table.c: the table as a whole: laying it out, finding and making keys.
 * Owns: the caller's memory from ig_table_create on.  Borrows nothing.
 * Called by nginx's zone and worker code and by backtest, under their lock.
 */

#include "ig_table_int.h"

#include <stdatomic.h>
#include <string.h>


#define IG_TABLE_MAGIC  UINT64_C(0x69675f7461626c65)

_Static_assert(sizeof(ig_slot_t) == 64, "a slot is one cache line");


/* -- layout -------------------------------------------------------------- */

/* Everything but the memory's size: an empty table. */
static void
ig_table_clear(ig_table_t *t)
{
    unsigned  i;

    t->fresh = 0;
    t->free = IG_NIL;
    t->limbo = IG_NIL;
    t->hand = 0;
    t->used = 0;
    t->load.of = 0;

    for (i = 0; i < IG_SEGMENTS; i++) {
        t->segment[i].oldest = IG_NIL;
        t->segment[i].newest = IG_NIL;
        t->segment[i].n = 0;
    }

    /* all bits set is IG_NIL */
    memset(ig_table_buckets(t), 0xff, t->nbuckets * sizeof(uint32_t));
}


/* Bytes before the first slot, a multiple of a slot. */
static size_t
ig_table_front(uint32_t nbuckets)
{
    size_t  front;

    front = sizeof(ig_table_t) + nbuckets * sizeof(uint32_t);

    return (front + sizeof(ig_slot_t) - 1) / sizeof(ig_slot_t)
           * sizeof(ig_slot_t);
}


ig_table_t *
ig_table_create(void *memory, size_t size)
{
    size_t       n;
    ig_table_t  *t;

    if (size < IG_TABLE_MIN || (uintptr_t) memory % sizeof(ig_slot_t) != 0) {
        return NULL;
    }

    /* one bucket for each slot */

    n = (size - sizeof(ig_table_t) - sizeof(ig_slot_t))
        / (sizeof(ig_slot_t) + sizeof(uint32_t));

    if (n > IG_NIL - 1) {
        n = IG_NIL - 1;
    }

    t = memory;
    memset(t, 0, sizeof(ig_table_t));

    t->version = IG_TABLE_VERSION;
    t->size = size;
    t->nslots = (uint32_t) n;
    t->nbuckets = (uint32_t) n;
    t->slots_at = ig_table_front(t->nbuckets);

    ig_table_clear(t);

    t->magic = IG_TABLE_MAGIC;

    return t;
}


ig_table_t *
ig_table_attach(void *memory, size_t size)
{
    ig_table_t  *t;

    if (size < IG_TABLE_MIN || (uintptr_t) memory % sizeof(ig_slot_t) != 0) {
        return NULL;
    }

    t = memory;

    if (t->magic != IG_TABLE_MAGIC || t->version != IG_TABLE_VERSION
        || t->size != size || t->slots_at != ig_table_front(t->nbuckets)
        || t->slots_at + (uint64_t) t->nslots * sizeof(ig_slot_t) > size)
    {
        return NULL;
    }

    return t;
}


void
ig_table_stat(const ig_table_t *t, ig_table_stat_t *stat)
{
    stat->slots = t->nslots;
    stat->used = t->used;
    stat->evicted = t->evicted;
}


void
ig_table_enter(ig_table_t *t, int64_t now)
{
    if (t->busy) {
        t->evicted += t->segment[IG_ONCE].n + t->segment[IG_OFTEN].n
                      + t->segment[IG_LISTS].n;
        ig_table_clear(t);
    }

    t->busy = 1;
    atomic_signal_fence(memory_order_seq_cst);

    t->now = ig_table_time(now);
}


void
ig_table_leave(ig_table_t *t)
{
    atomic_signal_fence(memory_order_seq_cst);
    t->busy = 0;
}


/* -- the hash ------------------------------------------------------------ */

/*
 * Ids are keyed hashes, out of reach of whoever sends the keys: mixing only
 * has to tell types and logs apart.
 */
uint32_t
ig_table_bucket(const ig_table_t *t, uint64_t id, uint32_t salt)
{
    uint64_t  h;

    h = (id ^ salt) * UINT64_C(0x9e3779b97f4a7c15);

    return (uint32_t) (((h >> 32) * t->nbuckets) >> 32);
}


uint32_t
ig_slot_bucket(const ig_table_t *t, const ig_slot_t *slot)
{
    return ig_table_bucket(t, slot->id[0], slot->type == IG_SLOT_MEMBER
                                           ? slot->u.member.serial
                                           : slot->type);
}


ig_slot_key_t
ig_slot_key(const ig_counter_t *counter, const uint8_t key[IG_HASH],
    ig_slot_e type)
{
    uint64_t       ident;
    ig_slot_key_t  k;

    memcpy(&ident, counter->ident, sizeof(ident));
    memcpy(k.id, key, sizeof(k.id));

    k.id[0] ^= ident;
    k.type = type;

    return k;
}


uint32_t
ig_table_find(const ig_table_t *t, const ig_slot_key_t *key)
{
    uint32_t          at;
    const ig_slot_t  *slot;

    at = ig_table_buckets(t)[ig_table_bucket(t, key->id[0], key->type)];

    while (at != IG_NIL) {
        slot = ig_slot(t, at);

        if (slot->id[0] == key->id[0] && slot->id[1] == key->id[1]
            && slot->type == key->type)
        {
            return at;
        }

        at = slot->next;
    }

    return IG_NIL;
}


void
ig_table_link(ig_table_t *t, uint32_t at, uint32_t bucket)
{
    uint32_t  *head;

    head = &ig_table_buckets(t)[bucket];

    ig_slot(t, at)->next = *head;
    *head = at;
}


void
ig_table_unlink(ig_table_t *t, uint32_t at, uint32_t bucket)
{
    uint32_t  *link;

    link = &ig_table_buckets(t)[bucket];

    while (*link != at) {
        link = &ig_slot(t, *link)->next;
    }

    *link = ig_slot(t, at)->next;
}


/* -- keys ---------------------------------------------------------------- */

uint32_t
ig_table_create_key(ig_table_t *t, const ig_slot_key_t *key,
    ig_segment_e segment)
{
    uint32_t    at;
    ig_slot_t  *slot;

    at = ig_table_alloc(t, IG_NIL);
    if (at == IG_NIL) {
        return IG_NIL;
    }

    slot = ig_slot(t, at);

    slot->id[0] = key->id[0];
    slot->id[1] = key->id[1];
    slot->type = (uint8_t) key->type;

    ig_table_link(t, at, ig_slot_bucket(t, slot));
    ig_segment_add(t, segment, at);

    return at;
}


/*
 * The second sighting moves a key out of the way of those that are seen once;
 * later ones only leave a flag, so that a hot key costs no relinking.
 */
void
ig_table_touch(ig_table_t *t, uint32_t at)
{
    ig_slot_t  *slot;

    slot = ig_slot(t, at);

    if (slot->segment == IG_ONCE) {
        ig_segment_remove(t, at);
        ig_segment_add(t, IG_OFTEN, at);

    } else {
        slot->flags |= IG_SLOT_RECENT;
    }
}
