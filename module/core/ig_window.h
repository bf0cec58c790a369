/*
 * ig_window.h: the arithmetic of sliding windows: buckets, weights, values.
 * Pure functions of their arguments.  Called by the call (values), by both
 * stores (buckets, lifetimes) and by the over-limit note.
 */

#ifndef IG_WINDOW_H
#define IG_WINDOW_H

#include "ig_op.h"

/* floor(t / W); t in ms, may be before 1970. */
int64_t ig_window_bucket(int64_t time, int64_t window);

/* Weight of the previous bucket, (0, 1]: 1 - elapsed/W. */
double ig_window_weight(int64_t time, int64_t window);

/* How long (s) a stored key of this counter must live from `time` on. */
int64_t ig_window_ttl(const ig_counter_t *counter);

/*
 * Seconds from `now` (ms) on for which what was written at `time` is of use,
 * at least 1.  listed: time is until when.
 */
int64_t ig_window_left(const ig_counter_t *counter, int64_t time, int64_t now);

/*
 * The value in an expression of a DONE op (READ, ADD or PEEK); IG_UNKNOWN for any
 * other state, IG_MISSING for last never seen and mean of nothing, IG_BOOL of
 * a list.
 */
ig_value_t ig_window_value(const ig_op_t *op);

/*
 * From when on (ms since epoch) nothing of what a PEEK found counts any more,
 * if no event comes; -1: nothing does now.
 */
int64_t ig_window_until(const ig_op_t *op);

/*
 * For a two-bucket count that stands at cur (accepted events only) and prev:
 * until when (ms since epoch) the next event would still make the value
 * exceed `limit` (or reach it, or_equal), if nothing is added or taken back.
 * At most the end of the present bucket; `time` itself where it would not.
 */
int64_t ig_window_over_until(int64_t cur, int64_t prev, int64_t time,
    int64_t window, double limit, bool or_equal);

#endif /* IG_WINDOW_H */
