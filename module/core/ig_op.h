/*
 * ig_op.h: one operation on one counter's key, and the raw answer to it.
 * Both stores execute these; the value is computed from the raw answer by
 * ig_window.h alone, so that both give the same.  Owned by whoever built it.
 */

#ifndef IG_OP_H
#define IG_OP_H

#include "ig_policy.h"

#define IG_HASH  16             /* bytes of a keyed hash */

typedef enum {
    IG_OP_READ = 0,             /* read, write nothing */
    IG_OP_ADD,                  /* count this event and read, atomically */
    IG_OP_PUT,                  /* write after the decision; nothing is read */
    IG_OP_UNDO,                 /* take back what an ADD with this op did */
    IG_OP_PEEK,                 /* a person reads: as READ, past all notes */
    IG_OP_DROP,                 /* forget the key; nothing is read */
    IG_OP_LOAD                  /* add what was before, see ig_load.h */
} ig_verb_e;

typedef enum {
    IG_OP_PENDING = 0,
    IG_OP_DONE,                 /* raw is valid */
    IG_OP_FAILED,               /* the store could not; the value is unknown */
    IG_OP_REFUSED               /* new-key cap of the client: not counted */
} ig_op_state_e;

/* PENDING -> DONE | FAILED | REFUSED; the last three are final. */

/*
 * The raw answer.  Times are ms since epoch, -1 where there is none; sums are
 * micro-units (fixed point, six decimals).
 *   count            cur (this event included by ADD), prev: bucket contents
 *   count exact      cur: entries with time > t - W (this one included by ADD)
 *   distinct         cur: members with last-seen > t - W (ADD: this included),
 *                    at most max; was: the member's last-seen before the ADD
 *   sum, mean        cur, prev: sums before this event; ncur, nprev: how many
 *   first            first, last: first and last seen before this event
 *   last             last: last seen before this event
 *   listed           last: until when the key is on the list
 * PEEK tells of exact and distinct when the newest was last seen too: last.
 */
typedef struct {
    int64_t  cur;
    int64_t  prev;
    int64_t  ncur;
    int64_t  nprev;
    int64_t  first;
    int64_t  last;
    int64_t  was;
} ig_raw_t;

typedef struct {
    const ig_counter_t  *counter;
    ig_verb_e            verb;
    ig_op_state_e        state;
    uint8_t              key[IG_HASH];     /* of tenant and key tuple */
    uint8_t              member[IG_HASH];  /* distinct: of the value;
                                              exact: of the event id */
    int64_t              time;             /* ms since epoch, the event's */
    int64_t              delta;            /* sum, mean: micro-units;
                                              listed: for how long, ms */
    ig_raw_t             raw;
} ig_op_t;

#endif /* IG_OP_H */
