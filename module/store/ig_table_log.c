/*
 * ig_table_log.c: the logs of distinct and exact counters: at most `max`
 * members, each with when it was last seen.
 * Owns nothing; works on the table.  Borrows the op.
 * Called by ig_table_run.c, and by ig_table_evict.c when a log goes.
 *
 * Members are found through the table's hash, so that a full log costs what
 * an empty one does.  They hang in a ring ordered by (last seen, bytes), the
 * order in which Redis' sorted sets let go of them.  `edge` remembers where
 * the window began when it was last asked for: time moves on, and so does it,
 * once over each member.
 */

#include "ig_table_int.h"

#include <string.h>


/* Members that left the window so long ago (ms) that nobody asks for them. */
#define IG_LOG_SLACK  60000

/* How many of those an ADD takes out. */
#define IG_LOG_PRUNE  2


/* -- order --------------------------------------------------------------- */

static int
ig_member_cmp(const ig_slot_t *a, const ig_slot_t *b)
{
    if (a->time != b->time) {
        return a->time < b->time ? -1 : 1;
    }

    return memcmp(a->id, b->id, sizeof(a->id));
}


static uint32_t
ig_log_newest(const ig_table_t *t, const ig_slot_t *log)
{
    return log->u.log.oldest != IG_NIL
           ? ig_slot(t, log->u.log.oldest)->older : IG_NIL;
}


/*
 * The member behind which `slot` belongs; IG_NIL: before all.  Looks from
 * both ends, for the place is near one of them: new sightings at the newest,
 * old ones that are taken back near where they left.
 */
static uint32_t
ig_log_place(const ig_table_t *t, const ig_slot_t *log, const ig_slot_t *slot)
{
    uint32_t  up, down;

    up = log->u.log.oldest;
    down = ig_log_newest(t, log);

    for ( ;; ) {
        if (ig_member_cmp(ig_slot(t, down), slot) < 0) {
            return down;
        }

        if (ig_member_cmp(slot, ig_slot(t, up)) < 0) {
            return up == log->u.log.oldest ? IG_NIL : ig_slot(t, up)->older;
        }

        down = ig_slot(t, down)->older;
        up = ig_slot(t, up)->newer;
    }
}


/* -- the ring ------------------------------------------------------------ */

static void
ig_log_insert(ig_table_t *t, ig_slot_t *log, uint32_t at)
{
    bool        newest;
    uint32_t    place, next;
    ig_slot_t  *slot;

    slot = ig_slot(t, at);
    newest = true;

    if (log->u.log.n == 0) {
        slot->older = at;
        slot->newer = at;
        log->u.log.oldest = at;

    } else {
        place = ig_log_place(t, log, slot);

        next = log->u.log.oldest;
        newest = place == ig_log_newest(t, log);

        if (place == IG_NIL) {
            place = ig_log_newest(t, log);
            log->u.log.oldest = at;

        } else {
            next = ig_slot(t, place)->newer;
        }

        slot->older = place;
        slot->newer = next;
        ig_slot(t, place)->newer = at;
        ig_slot(t, next)->older = at;
    }

    log->u.log.n++;

    if (log->u.log.edge == IG_NIL) {
        if (newest) {
            log->u.log.edge = at;

        } else {
            log->u.log.stale++;
        }

    } else if (ig_member_cmp(slot, ig_slot(t, log->u.log.edge)) < 0) {
        log->u.log.stale++;
    }
}


static void
ig_log_detach(ig_table_t *t, ig_slot_t *log, uint32_t at)
{
    ig_slot_t  *slot;

    slot = ig_slot(t, at);

    if (log->u.log.edge == at) {

        /* the ring's newest is followed by its oldest */
        log->u.log.edge = slot->newer != log->u.log.oldest ? slot->newer
                                                           : IG_NIL;

    } else if (log->u.log.edge == IG_NIL
               || ig_member_cmp(slot, ig_slot(t, log->u.log.edge)) < 0)
    {
        log->u.log.stale--;
    }

    if (log->u.log.oldest == at) {
        log->u.log.oldest = slot->newer != at ? slot->newer : IG_NIL;
    }

    ig_slot(t, slot->older)->newer = slot->newer;
    ig_slot(t, slot->newer)->older = slot->older;

    log->u.log.n--;
}


static void
ig_log_remove(ig_table_t *t, ig_slot_t *log, uint32_t at)
{
    ig_log_detach(t, log, at);
    ig_table_unlink(t, at, ig_slot_bucket(t, ig_slot(t, at)));
    ig_table_free(t, at);
}


static void
ig_log_move(ig_table_t *t, ig_slot_t *log, uint32_t at, int64_t time)
{
    ig_log_detach(t, log, at);
    ig_slot(t, at)->time = time;
    ig_log_insert(t, log, at);
}


/* -- members ------------------------------------------------------------- */

static uint32_t
ig_log_find(const ig_table_t *t, uint32_t log, const uint8_t member[IG_HASH])
{
    uint32_t          at, serial;
    uint64_t          id[2];
    const ig_slot_t  *slot;

    memcpy(id, member, sizeof(id));
    serial = ig_slot(t, log)->u.log.serial;

    at = ig_table_buckets(t)[ig_table_bucket(t, id[0], serial)];

    while (at != IG_NIL) {
        slot = ig_slot(t, at);

        if (slot->id[0] == id[0] && slot->id[1] == id[1]
            && slot->type == IG_SLOT_MEMBER
            && slot->u.member.log == log && slot->u.member.serial == serial)
        {
            return at;
        }

        at = slot->next;
    }

    return IG_NIL;
}


/*
 * Makes room for one more member, as if it had come in before the oldest was
 * let go.  False: it would itself have been the oldest.
 */
static bool
ig_log_trim(ig_table_t *t, ig_slot_t *log, const ig_op_t *op)
{
    uint32_t   max;
    ig_slot_t  newcomer;

    max = op->counter->max > 0 ? op->counter->max : 1;

    newcomer.time = ig_table_time(op->time);
    memcpy(newcomer.id, op->member, sizeof(newcomer.id));

    while (log->u.log.n >= max) {
        if (log->u.log.n == max
            && ig_member_cmp(&newcomer,
                             ig_slot(t, log->u.log.oldest)) < 0)
        {
            return false;
        }

        ig_log_remove(t, log, log->u.log.oldest);
    }

    return true;
}


/* A full table costs a log its own oldest member, where nothing else goes. */
static uint32_t
ig_log_alloc(ig_table_t *t, uint32_t log)
{
    uint32_t    at;
    ig_slot_t  *slot;

    at = ig_table_alloc(t, log);
    slot = ig_slot(t, log);

    if (at == IG_NIL && slot->u.log.n > 0) {
        ig_log_remove(t, slot, slot->u.log.oldest);
        t->evicted++;

        at = ig_table_alloc(t, log);
    }

    return at;
}


static bool
ig_log_new(ig_table_t *t, uint32_t log, const ig_op_t *op)
{
    uint32_t    at;
    ig_slot_t  *slot;

    if (!ig_log_trim(t, ig_slot(t, log), op)) {
        return true;
    }

    at = ig_log_alloc(t, log);
    if (at == IG_NIL) {
        return false;
    }

    slot = ig_slot(t, at);

    memcpy(slot->id, op->member, sizeof(slot->id));
    slot->type = IG_SLOT_MEMBER;
    slot->time = ig_table_time(op->time);
    slot->u.member.log = log;
    slot->u.member.serial = ig_slot(t, log)->u.log.serial;

    ig_table_link(t, at, ig_slot_bucket(t, slot));
    ig_log_insert(t, ig_slot(t, log), at);

    return true;
}


/* Takes out a few that left the window long ago; says how long it lives. */
static void
ig_log_refresh(ig_table_t *t, ig_slot_t *log, int64_t window)
{
    int64_t   newest, horizon;
    unsigned  i;

    if (log->u.log.n == 0) {
        return;
    }

    newest = ig_slot(t, ig_log_newest(t, log))->time;
    horizon = newest - window
              - (window < IG_LOG_SLACK ? window : IG_LOG_SLACK);

    for (i = 0; i < IG_LOG_PRUNE; i++) {
        if (ig_slot(t, log->u.log.oldest)->time > horizon) {
            break;
        }

        ig_log_remove(t, log, log->u.log.oldest);
    }

    log->time = newest + window;
}


bool
ig_log_add(ig_table_t *t, uint32_t at, const ig_op_t *op, int64_t *was)
{
    int64_t     time, seen;
    uint32_t    member;
    ig_slot_t  *log;

    log = ig_slot(t, at);
    time = ig_table_time(op->time);
    seen = -1;

    member = ig_log_find(t, at, op->member);

    if (member != IG_NIL) {
        seen = ig_slot(t, member)->time;

        if (seen < time) {
            ig_log_move(t, log, member, time);
        }

    } else if (!ig_log_new(t, at, op)) {
        return false;
    }

    if (was != NULL) {
        *was = seen;
    }

    ig_log_refresh(t, log, op->counter->window);

    return true;
}


void
ig_log_undo(ig_table_t *t, uint32_t at, const ig_op_t *op)
{
    uint32_t    member;
    ig_slot_t  *log;

    log = ig_slot(t, at);
    member = ig_log_find(t, at, op->member);

    if (member == IG_NIL) {
        return;
    }

    if (op->counter->kind == IG_COUNT_EXACT) {
        ig_log_remove(t, log, member);
        return;
    }

    if (ig_slot(t, member)->time != ig_table_time(op->time)) {

        /* seen again since, by a call that may stay */
        return;
    }

    if (op->raw.was == -1) {
        ig_log_remove(t, log, member);

    } else if (op->raw.was < op->time) {
        ig_log_move(t, log, member, ig_table_time(op->raw.was));
    }
}


int64_t
ig_log_last(const ig_table_t *t, uint32_t at)
{
    const ig_slot_t  *log;

    log = ig_slot(t, at);

    return log->u.log.oldest != IG_NIL
           ? ig_slot(t, ig_log_newest(t, log))->time : -1;
}


uint32_t
ig_log_live(ig_table_t *t, uint32_t at, int64_t cut)
{
    uint32_t    edge, before;
    ig_slot_t  *log;

    log = ig_slot(t, at);
    edge = log->u.log.edge;

    while (edge != IG_NIL && ig_slot(t, edge)->time <= cut) {
        log->u.log.stale++;
        edge = ig_slot(t, edge)->newer;

        if (edge == log->u.log.oldest) {
            edge = IG_NIL;
        }
    }

    while (log->u.log.stale > 0) {
        before = edge != IG_NIL ? ig_slot(t, edge)->older
                                : ig_log_newest(t, log);

        if (ig_slot(t, before)->time <= cut) {
            break;
        }

        log->u.log.stale--;
        edge = before;
    }

    log->u.log.edge = edge;

    return log->u.log.n - log->u.log.stale;
}


void
ig_log_empty(ig_table_t *t, uint32_t at)
{
    ig_slot_t  *log;

    log = ig_slot(t, at);

    if (log->u.log.n == 0) {
        return;
    }

    /* the ring is opened behind its newest and becomes limbo's front */

    ig_slot(t, ig_log_newest(t, log))->newer = t->limbo;
    t->limbo = log->u.log.oldest;
    t->used -= log->u.log.n;

    log->u.log.oldest = IG_NIL;
    log->u.log.edge = IG_NIL;
    log->u.log.n = 0;
    log->u.log.stale = 0;
}
