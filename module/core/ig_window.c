/*
 * ig_window.c: the arithmetic of sliding windows.
 * Owns nothing, borrows nothing: pure functions of their arguments.
 * Called by the call, both stores and the over-limit note.
 */

#include "ig_window.h"

#include <math.h>


/* Clocks of several nodes differ a little; a key must outlive that. */
#define IG_WINDOW_SLACK  60             /* s */

#define IG_MICRO  1e6


static int64_t
ig_window_elapsed(int64_t time, int64_t window)
{
    int64_t  rest;

    rest = time % window;

    return rest < 0 ? rest + window : rest;
}


/* time - since, without running over. */
static int64_t
ig_window_age(int64_t time, int64_t since)
{
    int64_t  age;

    if (__builtin_sub_overflow(time, since, &age)) {
        return since < 0 ? INT64_MAX : INT64_MIN;
    }

    return age;
}


int64_t
ig_window_bucket(int64_t time, int64_t window)
{
    int64_t  bucket;

    bucket = time / window;

    /* division truncates towards zero; before 1970 that is upwards */
    return time % window < 0 ? bucket - 1 : bucket;
}


double
ig_window_weight(int64_t time, int64_t window)
{
    return 1.0 - (double) ig_window_elapsed(time, window) / (double) window;
}


int64_t
ig_window_ttl(const ig_counter_t *counter)
{
    int64_t  seconds;

    seconds = counter->window / 1000 + (counter->window % 1000 != 0);

    switch (counter->kind) {

    case IG_COUNT:
    case IG_SUM:
    case IG_MEAN:

        /* as the present bucket, then as the previous one */
        seconds = 2 * (counter->window / 1000)
                  + (2 * (counter->window % 1000) + 999) / 1000;
        break;

    default:
        break;
    }

    return seconds + IG_WINDOW_SLACK;
}


int64_t
ig_window_left(const ig_counter_t *counter, int64_t time, int64_t now)
{
    int64_t  until, slack, left;

    slack = IG_WINDOW_SLACK;

    switch (counter->kind) {

    case IG_COUNT:
    case IG_SUM:
    case IG_MEAN:

        /* as the present bucket, then as the previous one */
        until = (ig_window_bucket(time, counter->window) + 2)
                * counter->window;
        break;

    case IG_LISTED:
        until = time;
        slack = 0;
        break;

    default:
        until = time + counter->window;
        break;
    }

    left = until > now ? (until - now + 999) / 1000 + slack : slack;

    return left > 0 ? left : 1;
}


static ig_value_t
ig_window_number(double num)
{
    ig_value_t  v;

    v.type = IG_NUMBER;
    v.num = num;
    v.str.len = 0;
    v.str.data = NULL;

    return v;
}


static ig_value_t
ig_window_none(ig_type_e type)
{
    ig_value_t  v;

    v = ig_window_number(0);
    v.type = type;

    return v;
}


static ig_value_t
ig_window_truth(bool truth)
{
    ig_value_t  v;

    v = ig_window_number(truth ? 1 : 0);
    v.type = IG_BOOL;

    return v;
}


/* What both buckets come to: cur + prev * weight. */
static double
ig_window_blend(int64_t cur, int64_t prev, const ig_op_t *op)
{
    return (double) cur
           + (double) prev
             * ig_window_weight(op->time, op->counter->window);
}


static ig_value_t
ig_window_mean(const ig_op_t *op)
{
    double  sum, n;

    n = ig_window_blend(op->raw.ncur, op->raw.nprev, op);

    if (!(n > 0)) {
        return ig_window_none(IG_MISSING);
    }

    sum = ig_window_blend(op->raw.cur, op->raw.prev, op);

    return ig_window_number(sum / IG_MICRO / n);
}


/* Seconds since `since`; never negative, where clocks disagree. */
static ig_value_t
ig_window_since(const ig_op_t *op, int64_t since)
{
    int64_t  age;

    age = ig_window_age(op->time, since);

    return ig_window_number(age > 0 ? (double) age / 1000.0 : 0);
}


/* Whether nothing was seen within the window before the op's time. */
static bool
ig_window_forgotten(const ig_op_t *op)
{
    return op->raw.last == -1
           || ig_window_age(op->time, op->raw.last) > op->counter->window;
}


ig_value_t
ig_window_value(const ig_op_t *op)
{
    const ig_raw_t  *raw;

    if (op->state != IG_OP_DONE) {
        return ig_window_none(IG_UNKNOWN);
    }

    raw = &op->raw;

    switch (op->counter->kind) {

    case IG_COUNT:
        return ig_window_number(ig_window_blend(raw->cur, raw->prev, op));

    case IG_COUNT_EXACT:
    case IG_DISTINCT:
        return ig_window_number((double) raw->cur);

    case IG_SUM:
        return ig_window_number(ig_window_blend(raw->cur, raw->prev, op)
                                / IG_MICRO);

    case IG_MEAN:
        return ig_window_mean(op);

    case IG_FIRST:

        if (raw->first == -1 || ig_window_forgotten(op)) {
            return ig_window_number(0);
        }

        return ig_window_since(op, raw->first);

    case IG_LAST:

        if (ig_window_forgotten(op)) {
            return ig_window_none(IG_MISSING);
        }

        return ig_window_since(op, raw->last);

    case IG_LISTED:
        return ig_window_truth(raw->last > op->time);

    case IG_KINDS:
        break;
    }

    return ig_window_none(IG_UNKNOWN);
}


/* The end of what two buckets hold. */
static int64_t
ig_window_buckets_end(const ig_op_t *op, int64_t cur, int64_t prev)
{
    int64_t  bucket;

    bucket = ig_window_bucket(op->time, op->counter->window);

    if (cur > 0) {
        return (bucket + 2) * op->counter->window;
    }

    return prev > 0 ? (bucket + 1) * op->counter->window : -1;
}


int64_t
ig_window_until(const ig_op_t *op)
{
    const ig_raw_t  *raw;

    raw = &op->raw;

    if (op->state != IG_OP_DONE) {
        return -1;
    }

    switch (op->counter->kind) {

    case IG_COUNT:
        return ig_window_buckets_end(op, raw->cur, raw->prev);

    case IG_SUM:
    case IG_MEAN:
        return ig_window_buckets_end(op, raw->ncur, raw->nprev);

    case IG_LISTED:
        return raw->last > op->time ? raw->last : -1;

    default:
        return ig_window_forgotten(op) ? -1 : raw->last + op->counter->window;
    }
}


static bool
ig_window_exceeds(int64_t cur, int64_t prev, int64_t time, int64_t window,
    double limit, bool or_equal)
{
    double  next;

    /* as ig_window_value() would see the next event */
    next = (double) (cur + 1)
           + (double) prev * ig_window_weight(time, window);

    return or_equal ? next >= limit : next > limit;
}


int64_t
ig_window_over_until(int64_t cur, int64_t prev, int64_t time, int64_t window,
    double limit, bool or_equal)
{
    double   part;
    int64_t  start, until;

    if (!ig_window_exceeds(cur, prev, time, window, limit, or_equal)) {
        return time;
    }

    start = time - ig_window_elapsed(time, window);

    if (ig_window_exceeds(cur, prev, start + window - 1, window, limit,
                          or_equal))
    {
        return start + window;
    }

    /*
     * cur + 1 + prev * (1 - elapsed/W) falls to the limit within this bucket:
     * solve for elapsed, then step off the rounding.
     */

    part = 1.0 - (limit - (double) (cur + 1)) / (double) prev;
    until = start + (int64_t) floor(part * (double) window) + 2;

    while (until > time + 1
           && !ig_window_exceeds(cur, prev, until - 1, window, limit,
                                 or_equal))
    {
        until--;
    }

    return until;
}
