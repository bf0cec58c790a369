/*
 * ig_table_run.c: batches of operations: each op's key is found or made, the
 * cap on new keys, the same beside Redis.
 * Owns nothing; works on the table.  Borrows ops, notes, the client.
 * Called by nginx's workers and by backtest, under the zone's lock.
 */

#include "ig_table_int.h"

#include <string.h>


static const ig_raw_t  ig_raw_none = { 0, 0, 0, 0, -1, -1, -1 };


static ig_slot_e
ig_slot_of(ig_kind_e kind)
{
    static const uint8_t  type[IG_KINDS] = {
        [IG_COUNT] = IG_SLOT_COUNT,
        [IG_COUNT_EXACT] = IG_SLOT_LOG,
        [IG_DISTINCT] = IG_SLOT_LOG,
        [IG_SUM] = IG_SLOT_SUM,
        [IG_MEAN] = IG_SLOT_SUM,
        [IG_FIRST] = IG_SLOT_SEEN,
        [IG_LAST] = IG_SLOT_SEEN,
        [IG_LISTED] = IG_SLOT_LISTED
    };

    return (ig_slot_e) type[kind];
}


/* -- keys ---------------------------------------------------------------- */

/* A new counter's key, with nothing counted yet. */
static uint32_t
ig_table_counter(ig_table_t *t, const ig_slot_key_t *key, const ig_op_t *op)
{
    uint32_t    at, rest;
    ig_slot_t  *slot;

    rest = IG_NIL;

    if (key->type == IG_SLOT_SUM) {
        rest = ig_table_alloc(t, IG_NIL);

        if (rest == IG_NIL) {
            return IG_NIL;
        }

        ig_slot(t, rest)->type = IG_SLOT_REST;
    }

    at = ig_table_create_key(t, key, key->type == IG_SLOT_LISTED ? IG_LISTS
                                                                 : IG_ONCE);

    if (at == IG_NIL) {
        if (rest != IG_NIL) {
            ig_table_free(t, rest);
        }

        return IG_NIL;
    }

    slot = ig_slot(t, at);

    switch (key->type) {

    case IG_SLOT_COUNT:
        slot->u.count.bucket = ig_window_bucket(t->now, op->counter->window);
        slot->time = (slot->u.count.bucket + 2) * op->counter->window;
        break;

    case IG_SLOT_SUM:
        slot->u.sum.bucket = ig_window_bucket(t->now, op->counter->window);
        slot->u.sum.rest = rest;
        slot->time = (slot->u.sum.bucket + 2) * op->counter->window;
        break;

    case IG_SLOT_SEEN:
        slot->u.seen.first = -1;
        slot->u.seen.last = -1;
        break;

    case IG_SLOT_LISTED:
        slot->u.listed.until = -1;
        break;

    case IG_SLOT_NOTE:
        slot->u.note.bucket = INT64_MIN;
        break;

    default:
        slot->u.log.oldest = IG_NIL;
        slot->u.log.edge = IG_NIL;
        slot->u.log.serial = ++t->serial;
        slot->time = t->now + op->counter->window;
        break;
    }

    return at;
}


static bool
ig_slot_key_same(const ig_slot_key_t *a, const ig_slot_key_t *b)
{
    return a->type == b->type && a->id[0] == b->id[0]
           && a->id[1] == b->id[1];
}


/* Whether the slot is (still) what the key is looked up for. */
static bool
ig_slot_matches(const ig_slot_t *slot, const ig_slot_key_t *key)
{
    return slot->type == key->type && slot->id[0] == key->id[0]
           && slot->id[1] == key->id[1];
}


/*
 * One op.  *at is where its key was found a moment ago or IG_NIL, and where
 * it is afterwards; `again` where the op before was not for the same key.
 */
static ig_op_state_e
ig_table_op(ig_table_t *t, const ig_op_t *op, const ig_slot_key_t *key,
    uint32_t *at, bool again, ig_raw_t *raw)
{
    bool      done;
    ig_raw_t  unread;

    /* the end of a list's entry is no present time: it would expire others */

    t->now = ig_table_time(op->verb == IG_OP_LOAD
                           && op->counter->kind == IG_LISTED
                           ? op->raw.was : op->time);

    if (op->verb != IG_OP_READ && op->verb != IG_OP_ADD
        && op->verb != IG_OP_PEEK)
    {
        /* nothing is read, and an UNDO's or a LOAD's raw is part of the
           question */
        raw = &unread;
    }

    *raw = ig_raw_none;

    if (*at == IG_NIL || !ig_slot_matches(ig_slot(t, *at), key)) {
        *at = ig_table_find(t, key);
    }

    if (op->verb == IG_OP_DROP) {
        ig_table_over_drop(t, op->counter, op->key);

        if (*at != IG_NIL) {
            ig_table_drop(t, *at);
            *at = IG_NIL;
        }

        return IG_OP_DONE;
    }

    if (*at != IG_NIL) {

        /* a person's look must not keep a key longer */
        if (again && op->verb != IG_OP_UNDO && op->verb != IG_OP_PEEK) {
            ig_table_touch(t, *at);
        }

    } else {
        if (!ig_op_writes(op)) {
            return IG_OP_DONE;
        }

        *at = ig_table_counter(t, key, op);

        if (*at == IG_NIL) {
            return IG_OP_FAILED;
        }
    }

    switch (key->type) {

    case IG_SLOT_COUNT:
        done = ig_table_count(t, *at, op, raw);
        break;

    case IG_SLOT_SUM:
        done = ig_table_sum(t, *at, op, raw);
        break;

    case IG_SLOT_SEEN:
        done = ig_table_seen(t, *at, op, raw);
        break;

    case IG_SLOT_LISTED:
        done = ig_table_listed(t, *at, op, raw);
        break;

    case IG_SLOT_NOTE:
        ig_table_follow(t, *at, op);
        done = true;
        break;

    default:
        done = ig_table_log(t, *at, op, raw);
        break;
    }

    return done ? IG_OP_DONE : IG_OP_FAILED;
}


/* -- batches ------------------------------------------------------------- */

/* Of what a client may still create in this minute; takes it. */
static bool
ig_client_take(ig_table_t *t, const ig_client_t *client, uint64_t n)
{
    uint32_t       at;
    ig_slot_t     *slot;
    ig_slot_key_t  key;

    memcpy(key.id, client->id, sizeof(key.id));
    key.type = IG_SLOT_CLIENT;

    t->now = ig_table_time(client->now);
    at = ig_table_find(t, &key);

    if (at == IG_NIL) {
        at = n <= client->cap ? ig_table_create_key(t, &key, IG_ONCE) : IG_NIL;

        if (at == IG_NIL) {

            /* without room to count there is none to fill either */
            return n <= client->cap;
        }
    }

    slot = ig_slot(t, at);

    if (slot->time <= t->now) {
        slot->u.client.created = 0;
        slot->time = (ig_window_bucket(t->now, 60000) + 1) * 60000;
    }

    if (n > client->cap || slot->u.client.created > client->cap - n) {
        return false;
    }

    slot->u.client.created += n;

    return true;
}


/*
 * Whether the client may create the keys this batch would; hint[i] becomes
 * where the key of op[i] is.
 */
static bool
ig_table_admit(ig_table_t *t, const ig_op_t *op, unsigned nops,
    const ig_client_t *client, ig_slot_e (*type)(ig_kind_e kind),
    uint32_t *hint)
{
    bool           same;
    uint64_t       created;
    unsigned       i;
    ig_slot_key_t  key, last = { { 0, 0 }, IG_SLOT_FREE };

    created = 0;

    for (i = 0; i < nops; i++) {
        key = ig_slot_key(op[i].counter, op[i].key, type(op[i].counter->kind));
        same = ig_slot_key_same(&key, &last);

        hint[i] = same ? hint[i - 1] : ig_table_find(t, &key);

        if (hint[i] == IG_NIL && ig_op_writes(&op[i])
            && op[i].counter->kind != IG_LISTED)
        {
            /*
             * Ops of one key stand together.  No cap keeps a key off a list:
             * it is a rule that puts it there.
             */
            created += !same || !ig_op_writes(&op[i - 1]);
        }

        last = key;
    }

    return created == 0 || ig_client_take(t, client, created);
}


/* Runs all ops; with notes, beside Redis and into them. */
static void
ig_table_batch(ig_table_t *t, ig_op_t *op, unsigned nops, ig_note_t *note,
    const uint32_t *hint)
{
    bool           same;
    uint32_t       at;
    unsigned       i;
    ig_slot_key_t  key, last = { { 0, 0 }, IG_SLOT_FREE };

    at = IG_NIL;

    for (i = 0; i < nops; i++) {
        key = ig_slot_key(op[i].counter, op[i].key,
                          note != NULL ? ig_table_mirrored(op[i].counter->kind)
                                       : ig_slot_of(op[i].counter->kind));
        same = ig_slot_key_same(&key, &last);

        if (!same) {
            at = hint != NULL ? hint[i] : IG_NIL;
        }

        if (note != NULL && op[i].counter->kind == IG_LISTED) {

            /* lists are the store's alone */
            note[i] = (ig_note_t) { .state = IG_OP_FAILED,
                                    .raw = ig_raw_none };

        } else if (note == NULL) {
            op[i].state = ig_table_op(t, &op[i], &key, &at, !same,
                                      &op[i].raw);

        } else {
            note[i].state = ig_table_op(t, &op[i], &key, &at, !same,
                                        &note[i].raw);
            ig_table_known(t, &op[i], at, &note[i]);

            if (key.type == IG_SLOT_NOTE) {
                note[i].state = IG_OP_FAILED;
            }
        }

        last = key;
    }
}


static void
ig_table_all(ig_table_t *t, ig_op_t *op, unsigned nops,
    const ig_client_t *client, ig_note_t *note)
{
    uint32_t   hint[IG_MAX_OPS];
    unsigned   i;
    ig_slot_e  (*type)(ig_kind_e kind);

    if (nops == 0) {
        return;
    }

    ig_table_enter(t, op[0].time);

    if (client == NULL || client->cap == 0 || nops > IG_MAX_OPS) {
        ig_table_batch(t, op, nops, note, NULL);

    } else {
        type = note != NULL ? ig_table_mirrored : ig_slot_of;

        if (ig_table_admit(t, op, nops, client, type, hint)) {
            ig_table_batch(t, op, nops, note, hint);

        } else {
            for (i = 0; i < nops; i++) {
                op[i].state = IG_OP_REFUSED;
            }
        }
    }

    ig_table_leave(t);
}


void
ig_table_run(ig_table_t *t, ig_op_t *op, unsigned nops,
    const ig_client_t *client)
{
    ig_table_all(t, op, nops, client, NULL);
}


void
ig_table_mirror(ig_table_t *t, ig_op_t *op, unsigned nops,
    const ig_client_t *client, ig_note_t *note)
{
    ig_table_all(t, op, nops, client, note);
}
