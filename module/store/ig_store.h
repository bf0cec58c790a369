/*
 * ig_store.h: the port through which calls reach a counter store, and the
 * batch of operations that travels through it.
 * Owns nothing.  Implemented by the embedded table and the Redis client;
 * called by the request state machine through whatever the worker set up.
 */

#ifndef IG_STORE_H
#define IG_STORE_H

#include "ig_load.h"
#include "ig_op.h"

/*
 * What the node remembers about an op's key beside its own count: spares
 * commands to Redis, and answers in its place when it is down.
 */
typedef struct {
    ig_op_state_e  state;       /* of the local answer; FAILED: none */
    ig_raw_t       raw;         /* this node's own count or distinct */
    bool           ttl_known;   /* the stored key has its TTL already */
    bool           prev_known;  /* raw of Redis' previous bucket: */
    int64_t        prev;
    int64_t        nprev;
} ig_note_t;

typedef enum {
    IG_BATCH_NEW = 0,
    IG_BATCH_SENT,              /* submitted, nobody answered yet */
    IG_BATCH_ANSWERED,          /* every op is final */
    IG_BATCH_LATE,              /* the deadline passed; replies may come */
    IG_BATCH_DOWN,              /* the store could not be asked at all */
    IG_BATCH_SETTLED            /* nothing is in flight any more */
} ig_batch_state_e;

/*
 * NEW -> SENT -> ANSWERED -> SETTLED        the normal way
 *        SENT -> LATE     -> SETTLED        done at the deadline, settled when
 *                                           the last reply came or never will
 * NEW -> DOWN -> SETTLED, SENT -> DOWN -> SETTLED
 */

/* A step of a load of history, see ig_load.h. */
typedef enum {
    IG_LOAD_LOOK = 0,           /* how far a load is; since when is known */
    IG_LOAD_BEGIN,              /* there is one now; CONFLICT: another was */
    IG_LOAD_CHECK,              /* how far it is, right before WRITE */
    IG_LOAD_WRITE,              /* the batch's ops and the cursor, all or none;
                                   CONFLICT: it moved since CHECK */
    IG_LOAD_END                 /* since when is moved, the cursor removed */
} ig_load_step_e;

typedef enum {
    IG_LOAD_FAILED = 0,         /* the store did not answer, or refused */
    IG_LOAD_DONE,
    IG_LOAD_CONFLICT            /* another load was there first */
} ig_load_state_e;

typedef struct {
    ig_load_step_e      step;
    ig_load_state_e     state;
    const ig_policy_t  *policy;
    ig_load_cursor_t    cursor; /* LOOK, CHECK: as read; BEGIN, WRITE: to set */
    bool                replace;    /* BEGIN: whatever load was there */
    int64_t            *since;  /* by counter id, ms; LOOK: as read, -1: not
                                   known; END: to set, -1: stays */
    unsigned            reply;  /* private to the store */
    bool                broken;
} ig_load_t;

typedef struct ig_batch_s  ig_batch_t;

/*
 * A batch belongs to the submitter before submit and after `settled`; in
 * between to the store.  It never lives in a request's memory: a submitter
 * whose request is gone sets `owner` to NULL and waits for `settled`.
 *
 * done:    called exactly once, when the caller can go on: state is ANSWERED,
 *          LATE or DOWN.  NULL: nobody waits (writes after the decision), and
 *          such a batch has no deadline.
 * load:    a step of a load; such a batch has no done, and may have no ops:
 *          load->state says what came of it.
 * settled: called exactly once, after done, when nothing of it is in flight:
 *          ops are DONE or FAILED for good; may free the batch.
 * Neither is called from inside submit that returned IG_OK or IG_AGAIN.
 */
struct ig_batch_s {
    ig_op_t           *op;
    ig_note_t         *note;        /* parallel to op; NULL: none taken */
    unsigned           nops;
    ig_batch_state_e   state;
    void             (*done)(ig_batch_t *batch);
    void             (*settled)(ig_batch_t *batch);
    void              *owner;
    ig_load_t         *load;        /* NULL: an ordinary batch */

    /* private to the store from submit to settled */
    ig_batch_t        *next;
    unsigned           replies;     /* still expected */
    int64_t            submitted;   /* monotonic, microseconds */
    uint8_t           *recipe;      /* parallel to op: memory of the submitter,
                                       content of the store */
};

typedef struct ig_store_s  ig_store_t;

struct ig_store_s {
    /*
     * IG_OK: answered at once, every op final, state ANSWERED, neither
     * callback will be called.  IG_AGAIN: callbacks follow.  IG_ERROR: the
     * store is down, state DOWN, no callback will be called.
     */
    int   (*submit)(ig_store_t *store, ig_batch_t *batch);

    /*
     * By counter id: since when (ms since epoch) the store remembers the
     * counter without a gap; -1 where that is not known (yet).
     */
    int64_t (*since)(ig_store_t *store, const ig_counter_t *counter);
};

#endif /* IG_STORE_H */
