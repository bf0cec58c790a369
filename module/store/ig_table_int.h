/*
 * ig_table_int.h: the table's layout, and what its files share.
 * Owns the layout (IG_TABLE_VERSION): a header, an array of hash buckets,
 * slots of one cache line each; links are slot numbers, never pointers.
 * Included by ig_table*.c and their unit tests only.
 *
 * A slot is one of:
 *   a key      a counter's key, a note, a client, a mark: in the hash, and in
 *              the list of its segment
 *   a member   of a log (distinct, exact): in the hash, and in the ring of
 *              its log, which is in the order of (last seen, bytes)
 *   a rest     the second half of a sum: reached from its key alone
 *   free       in the free list
 *   in limbo   a member whose log is gone: still in the hash, where nobody
 *              looks for it; taken out when its slot is wanted
 */

#ifndef IG_TABLE_INT_H
#define IG_TABLE_INT_H

#include "ig_load.h"
#include "ig_table.h"
#include "ig_window.h"

#define IG_NIL  UINT32_MAX

typedef enum {
    IG_SLOT_FREE = 0,
    IG_SLOT_COUNT,              /* keys from here ... */
    IG_SLOT_SUM,                /* sum and mean */
    IG_SLOT_SEEN,               /* first and last */
    IG_SLOT_LOG,                /* distinct and exact */
    IG_SLOT_NOTE,               /* what is known of a sum in Redis */
    IG_SLOT_OVER,               /* a key over its limit */
    IG_SLOT_CLIENT,             /* new keys of a client's minute */
    IG_SLOT_LISTED,             /* a key on a list */
    IG_SLOT_MARK,               /* ... to here: since when a counter is known */
    IG_SLOT_MEMBER,
    IG_SLOT_REST
} ig_slot_e;

/* FREE -> any other -> FREE; a MEMBER may pass through limbo. */

typedef enum {
    IG_ONCE = 0,                /* keys seen once: the first to go */
    IG_OFTEN,                   /* keys seen more often */
    IG_LISTS,                   /* keys on lists: the last to go */
    IG_MARKS,                   /* never evicted */
    IG_SEGMENTS
} ig_segment_e;

/* ONCE -> OFTEN.  LISTS and MARKS stay. */

enum {
    IG_SLOT_RECENT = 1,         /* OFTEN: seen since it was last looked at */
    IG_SLOT_TTL = 2,            /* Redis: the newest bucket's key has a TTL */
    IG_SLOT_PREV = 4            /* Redis: the bucket before is known */
};

/* Buckets are the newest one (`bucket`) and the two before it. */
#define IG_BUCKETS  3

typedef struct {
    uint64_t  id[2];            /* a key's, mixed with its counter; a member */
    uint32_t  next;             /* in the hash chain; free: in that list */
    uint32_t  older;            /* in the segment's list, or the log's ring */
    uint32_t  newer;
    uint8_t   type;             /* ig_slot_e */
    uint8_t   segment;          /* ig_segment_e */
    uint8_t   flags;
    uint8_t   epoch;            /* in which SLOT_PREV was noted */
    int64_t   time;             /* ms; keys: of no use from then on;
                                   members: last seen */
    union {
        struct {
            int64_t   bucket;
            uint32_t  n[IG_BUCKETS];
            uint32_t  prev;     /* of Redis' bucket before; see SLOT_PREV */
        } count;

        struct {
            int64_t   bucket;
            uint32_t  n[IG_BUCKETS];
            uint32_t  rest;
        } sum;

        struct {
            int64_t   sum[IG_BUCKETS];
        } rest;

        struct {
            int64_t   first;
            int64_t   last;
        } seen;

        struct {
            int64_t   added;
            int64_t   until;    /* -1: on it no more */
        } listed;

        struct {
            uint32_t  oldest;   /* the ring's start, or IG_NIL */
            uint32_t  edge;     /* oldest in the window last asked for */
            uint32_t  stale;    /* how many are older than edge */
            uint32_t  n;
            uint32_t  serial;   /* tells members of an earlier log here */
            uint32_t  noted;    /* s since epoch: Redis' TTL was set; or 0 */
        } log;

        struct {
            uint32_t  log;
            uint32_t  serial;
        } member;

        struct {
            int64_t   bucket;
            int64_t   prev;
            int64_t   nprev;
        } note;

        struct {
            double    limit;
        } over;

        struct {
            uint64_t  created;
        } client;

        struct {
            int64_t   since;
            int64_t   asked;
        } mark;
    } u;
} ig_slot_t;

typedef struct {
    uint32_t  oldest;
    uint32_t  newest;
    uint32_t  n;
} ig_segment_t;

struct ig_table_s {
    uint64_t      magic;
    uint32_t      version;
    uint32_t      busy;         /* set while a call is inside */
    uint64_t      size;
    uint64_t      slots_at;     /* bytes from the table's start */
    uint32_t      nslots;
    uint32_t      nbuckets;
    uint32_t      fresh;        /* slots from here on were never used */
    uint32_t      free;
    uint32_t      limbo;        /* linked by `newer` */
    uint32_t      hand;         /* sweeps for keys that are of no use */
    uint32_t      serial;
    uint32_t      used;
    int64_t       now;          /* ms, of the operation inside */
    uint64_t      evicted;
    ig_load_cursor_t  load;
    ig_segment_t  segment[IG_SEGMENTS];
};

/* What a slot is looked up by. */
typedef struct {
    uint64_t   id[2];
    ig_slot_e  type;
} ig_slot_key_t;

static inline ig_slot_t *
ig_slot(const ig_table_t *t, uint32_t at)
{
    return (ig_slot_t *) ((char *) (uintptr_t) t + t->slots_at) + at;
}

static inline uint32_t *
ig_table_buckets(const ig_table_t *t)
{
    return (uint32_t *) ((char *) (uintptr_t) t + sizeof(ig_table_t));
}

/* Times far beyond any clock would run over in sums with a window. */
static inline int64_t
ig_table_time(int64_t time)
{
    const int64_t  most = INT64_C(1) << 53;

    return time > most ? most : time < -most ? -most : time;
}

static inline bool
ig_op_writes(const ig_op_t *op)
{
    return op->verb == IG_OP_ADD || op->verb == IG_OP_PUT
           || op->verb == IG_OP_LOAD;
}

/* -- ig_table.c ---------------------------------------------------------- */

/*
 * Around every call: a process that died inside left links half made, and
 * the table starts empty.
 */
void ig_table_enter(ig_table_t *t, int64_t now);
void ig_table_leave(ig_table_t *t);

/* The key of a counter's slot of that type. */
ig_slot_key_t ig_slot_key(const ig_counter_t *counter,
    const uint8_t key[IG_HASH], ig_slot_e type);

uint32_t ig_table_bucket(const ig_table_t *t, uint64_t id, uint32_t salt);
uint32_t ig_table_find(const ig_table_t *t, const ig_slot_key_t *key);

/* Into and out of the hash. */
void ig_table_link(ig_table_t *t, uint32_t at, uint32_t bucket);
void ig_table_unlink(ig_table_t *t, uint32_t at, uint32_t bucket);
uint32_t ig_slot_bucket(const ig_table_t *t, const ig_slot_t *slot);

/*
 * A new key, in the hash and in its segment; only the common part is set,
 * the rest is zero.  IG_NIL: no room.
 */
uint32_t ig_table_create_key(ig_table_t *t, const ig_slot_key_t *key,
    ig_segment_e segment);

/* The key was seen again. */
void ig_table_touch(ig_table_t *t, uint32_t at);

/* -- ig_table_evict.c ---------------------------------------------------- */

/* A zeroed slot of nobody's, whatever it takes but `keep`; or IG_NIL. */
uint32_t ig_table_alloc(ig_table_t *t, uint32_t keep);

/* Takes a slot that is in no list and not in the hash. */
void ig_table_free(ig_table_t *t, uint32_t at);

/* A key goes, and all that hangs on it. */
void ig_table_drop(ig_table_t *t, uint32_t at);

void ig_segment_add(ig_table_t *t, ig_segment_e segment, uint32_t at);
void ig_segment_remove(ig_table_t *t, uint32_t at);

/* -- ig_table_kind.c ----------------------------------------------------- */

/*
 * One op on its key's slot at t->now; raw starts as all zero and -1.  False:
 * it could not be counted, and nothing has changed.
 */
bool ig_table_count(ig_table_t *t, uint32_t at, const ig_op_t *op,
    ig_raw_t *raw);
bool ig_table_sum(ig_table_t *t, uint32_t at, const ig_op_t *op,
    ig_raw_t *raw);
bool ig_table_seen(ig_table_t *t, uint32_t at, const ig_op_t *op,
    ig_raw_t *raw);
bool ig_table_log(ig_table_t *t, uint32_t at, const ig_op_t *op,
    ig_raw_t *raw);
bool ig_table_listed(ig_table_t *t, uint32_t at, const ig_op_t *op,
    ig_raw_t *raw);

/* -- ig_table_log.c ------------------------------------------------------ */

/*
 * Counts the op's member in the log `at`: was (may be NULL) becomes its last
 * seen before, -1 where it was not there.  False: no room.
 */
bool ig_log_add(ig_table_t *t, uint32_t at, const ig_op_t *op, int64_t *was);

/* Takes an ADD back, whose member was last seen at op->raw.was before. */
void ig_log_undo(ig_table_t *t, uint32_t at, const ig_op_t *op);

/* When the newest of the log was last seen; -1: it is empty. */
int64_t ig_log_last(const ig_table_t *t, uint32_t at);

/* How many members were last seen after `cut`. */
uint32_t ig_log_live(ig_table_t *t, uint32_t at, int64_t cut);

/* Sends all members to limbo. */
void ig_log_empty(ig_table_t *t, uint32_t at);

/* -- ig_table_note.c ----------------------------------------------------- */

/* The type of slot that a counter of that kind has beside Redis. */
ig_slot_e ig_table_mirrored(ig_kind_e kind);

/* A NOTE's key was used by the op: its note follows the op's bucket. */
void ig_table_follow(ig_table_t *t, uint32_t at, const ig_op_t *op);

/* Fills what is known of the op's key in Redis; at: its slot, or IG_NIL. */
void ig_table_known(const ig_table_t *t, const ig_op_t *op, uint32_t at,
    ig_note_t *note);

/* Within a call: takes a key's "over" note. */
void ig_table_over_drop(ig_table_t *t, const ig_counter_t *counter,
    const uint8_t key[IG_HASH]);

#endif /* IG_TABLE_INT_H */
