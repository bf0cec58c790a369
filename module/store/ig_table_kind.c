/*
 * ig_table_kind.c: what an operation does to a counter's slot, by its kind.
 * Owns nothing; works on the table.  Borrows the op.
 * Called by ig_table_run.c, which has found or made the slot.
 *
 * Counts and sums keep the newest bucket and the two before it: exact for
 * events up to one window older than the newest of their key.  What is older
 * is not counted.
 */

#include "ig_table_int.h"


/* -- two buckets --------------------------------------------------------- */

/* floor(time / window), without dividing where it is the bucket at hand. */
static int64_t
ig_bucket_of(int64_t time, int64_t window, int64_t at_hand)
{
    int64_t  elapsed;

    elapsed = time - at_hand * window;

    return elapsed >= 0 && elapsed < window ? at_hand
                                            : ig_window_bucket(time, window);
}


/* How far the op's bucket lies behind the newest; IG_BUCKETS: too far. */
static unsigned
ig_bucket_age(int64_t newest, int64_t bucket)
{
    int64_t  age;

    age = newest - bucket;

    return age >= 0 && age < IG_BUCKETS ? (unsigned) age : IG_BUCKETS;
}


static uint32_t
ig_bucket_n(const uint32_t n[IG_BUCKETS], unsigned age)
{
    return age < IG_BUCKETS ? n[age] : 0;
}


/* What both come to, as far as a bucket can hold it. */
static uint32_t
ig_count_sum(uint32_t n, int64_t more)
{
    return more < UINT32_MAX - (int64_t) n ? n + (uint32_t) more : UINT32_MAX;
}


static void
ig_count_turn(ig_slot_t *slot, int64_t bucket, int64_t window)
{
    int64_t   turns;
    uint32_t  *n;

    n = slot->u.count.n;

    for (turns = bucket - slot->u.count.bucket; turns > 0; turns--) {
        n[2] = n[1];
        n[1] = n[0];
        n[0] = 0;

        if ((n[1] | n[2]) == 0) {
            break;
        }
    }

    slot->u.count.bucket = bucket;
    slot->time = (bucket + 2) * window;
    slot->flags &= (uint8_t) ~(IG_SLOT_TTL | IG_SLOT_PREV);
}


bool
ig_table_count(ig_table_t *t, uint32_t at, const ig_op_t *op, ig_raw_t *raw)
{
    int64_t     bucket, window;
    unsigned    age;
    ig_slot_t  *slot;

    slot = ig_slot(t, at);
    window = op->counter->window;
    bucket = ig_bucket_of(t->now, window, slot->u.count.bucket);

    if (bucket > slot->u.count.bucket && ig_op_writes(op)) {
        ig_count_turn(slot, bucket, window);
    }

    age = ig_bucket_age(slot->u.count.bucket, bucket);

    if (op->verb != IG_OP_READ && op->verb != IG_OP_PEEK && age < IG_BUCKETS) {
        if (op->verb == IG_OP_LOAD) {
            slot->u.count.n[age] = ig_count_sum(slot->u.count.n[age],
                                                op->delta);

        } else if (op->verb != IG_OP_UNDO) {
            slot->u.count.n[age] += slot->u.count.n[age] < UINT32_MAX;

        } else {
            slot->u.count.n[age] -= slot->u.count.n[age] > 0;
        }

        if (age == 1) {

            /* what is known of Redis' bucket before has changed there too */
            slot->flags &= (uint8_t) ~IG_SLOT_PREV;
        }
    }

    raw->cur = ig_bucket_n(slot->u.count.n, age);

    if (op->verb == IG_OP_ADD && age == IG_BUCKETS) {
        raw->cur = 1;
    }

    raw->prev = ig_bucket_n(slot->u.count.n,
                            ig_bucket_age(slot->u.count.bucket, bucket - 1));

    return true;
}


/* -- sums ---------------------------------------------------------------- */

static void
ig_sum_turn(ig_table_t *t, ig_slot_t *slot, int64_t bucket, int64_t window)
{
    int64_t   turns, *sum;
    uint32_t  *n;

    n = slot->u.sum.n;
    sum = ig_slot(t, slot->u.sum.rest)->u.rest.sum;

    for (turns = bucket - slot->u.sum.bucket; turns > 0; turns--) {
        n[2] = n[1];
        n[1] = n[0];
        n[0] = 0;

        sum[2] = sum[1];
        sum[1] = sum[0];
        sum[0] = 0;

        if ((n[1] | n[2]) == 0) {

            /* an empty bucket has no sum: it was taken back whole */
            sum[1] = 0;
            sum[2] = 0;
            break;
        }
    }

    slot->u.sum.bucket = bucket;
    slot->time = (bucket + 2) * window;
}


/*
 * Counts or takes back; false where the sum would run over, and then nothing
 * has changed.
 */
static bool
ig_sum_write(uint32_t *n, int64_t *sum, const ig_op_t *op)
{
    int64_t  total;

    if (op->verb == IG_OP_UNDO) {
        if (*n > 0 && !__builtin_sub_overflow(*sum, op->delta, &total)) {
            *n -= 1;
            *sum = *n > 0 ? total : 0;
        }

        return true;
    }

    if (__builtin_add_overflow(*sum, op->delta, &total)) {
        return false;
    }

    *sum = total;
    *n = ig_count_sum(*n, op->verb == IG_OP_LOAD ? op->raw.ncur : 1);

    return true;
}


bool
ig_table_sum(ig_table_t *t, uint32_t at, const ig_op_t *op, ig_raw_t *raw)
{
    int64_t     bucket, window, *sum;
    unsigned    age, before;
    ig_slot_t  *slot;

    slot = ig_slot(t, at);
    window = op->counter->window;
    bucket = ig_bucket_of(t->now, window, slot->u.sum.bucket);

    if (bucket > slot->u.sum.bucket && ig_op_writes(op)) {
        ig_sum_turn(t, slot, bucket, window);
    }

    sum = ig_slot(t, slot->u.sum.rest)->u.rest.sum;
    age = ig_bucket_age(slot->u.sum.bucket, bucket);
    before = ig_bucket_age(slot->u.sum.bucket, bucket - 1);

    raw->cur = age < IG_BUCKETS ? sum[age] : 0;
    raw->ncur = ig_bucket_n(slot->u.sum.n, age);
    raw->prev = before < IG_BUCKETS ? sum[before] : 0;
    raw->nprev = ig_bucket_n(slot->u.sum.n, before);

    if (op->verb == IG_OP_READ || op->verb == IG_OP_PEEK
        || age == IG_BUCKETS)
    {
        return true;
    }

    return ig_sum_write(&slot->u.sum.n[age], &sum[age], op);
}


/* -- first and last ------------------------------------------------------ */

/*
 * What is there may be younger than what comes: they are one row of sightings
 * where no window without any lies between them.
 */
static void
ig_seen_load(ig_slot_t *slot, const ig_op_t *op)
{
    int64_t  first, last;

    first = ig_table_time(op->raw.first);
    last = ig_table_time(op->time);

    if (op->counter->kind == IG_LAST) {
        first = last;
    }

    if (slot->u.seen.last == -1
        || last - slot->u.seen.last > op->counter->window)
    {
        slot->u.seen.first = first;
        slot->u.seen.last = last;

    } else if (slot->u.seen.first - last <= op->counter->window) {
        if (first < slot->u.seen.first) {
            slot->u.seen.first = first;
        }

        if (last > slot->u.seen.last) {
            slot->u.seen.last = last;
        }
    }

    slot->time = slot->u.seen.last + op->counter->window + 1;
}


bool
ig_table_seen(ig_table_t *t, uint32_t at, const ig_op_t *op, ig_raw_t *raw)
{
    ig_slot_t  *slot;

    slot = ig_slot(t, at);

    if (op->verb == IG_OP_LOAD) {
        ig_seen_load(slot, op);
        return true;
    }

    if (slot->u.seen.last != -1
        && t->now - slot->u.seen.last <= op->counter->window)
    {
        raw->first = slot->u.seen.first;
        raw->last = slot->u.seen.last;
    }

    if (!ig_op_writes(op)) {
        return true;
    }

    if (raw->last == -1) {

        /* never, or forgotten */
        slot->u.seen.first = t->now;
        slot->u.seen.last = t->now;

    } else if (slot->u.seen.last < t->now) {
        slot->u.seen.last = t->now;
    }

    slot->time = slot->u.seen.last + op->counter->window + 1;

    return true;
}


/* -- lists --------------------------------------------------------------- */

/*
 * PUT and LOAD leave a live entry as it is, ADD sets it anew, UNDO takes it
 * off.
 */
bool
ig_table_listed(ig_table_t *t, uint32_t at, const ig_op_t *op, ig_raw_t *raw)
{
    ig_slot_t  *slot;

    slot = ig_slot(t, at);

    if (op->verb == IG_OP_LOAD) {
        if (slot->u.listed.until <= t->now) {
            slot->u.listed.added = t->now;
            slot->u.listed.until = ig_table_time(op->time);
            slot->time = slot->u.listed.until;
        }

        return true;
    }

    if (slot->u.listed.until > t->now) {
        raw->last = slot->u.listed.until;
    }

    if (op->verb == IG_OP_ADD || (op->verb == IG_OP_PUT && raw->last == -1)) {
        slot->u.listed.added = t->now;
        slot->u.listed.until = t->now + ig_table_time(op->delta);
        slot->time = slot->u.listed.until;

    } else if (op->verb == IG_OP_UNDO) {
        slot->u.listed.until = -1;
        slot->time = t->now;
    }

    return true;
}


/* -- distinct and exact -------------------------------------------------- */

bool
ig_table_log(ig_table_t *t, uint32_t at, const ig_op_t *op, ig_raw_t *raw)
{
    switch (op->verb) {

    case IG_OP_ADD:
    case IG_OP_PUT:
    case IG_OP_LOAD:

        if (!ig_log_add(t, at, op, &raw->was)) {
            return false;
        }

        break;

    case IG_OP_UNDO:
        ig_log_undo(t, at, op);
        return true;

    case IG_OP_PEEK:
        raw->last = ig_log_last(t, at);
        break;

    case IG_OP_READ:
    case IG_OP_DROP:
        break;
    }

    if (op->verb == IG_OP_READ || op->verb == IG_OP_ADD
        || op->verb == IG_OP_PEEK)
    {
        raw->cur = ig_log_live(t, at, t->now - op->counter->window);
    }

    return true;
}
