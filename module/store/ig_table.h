/*
 * ig_table.h: the embedded counter store: a hash table of fixed slots over
 * memory the caller lends (a shared zone), linked by offsets, with bounded
 * eviction: keys seen once go first, keys on lists last.
 * Owns: the memory from ig_table_create on.  The caller holds its lock around
 * every call.  Called by nginx's zone and worker code, and by backtest.
 */

#ifndef IG_TABLE_H
#define IG_TABLE_H

#include "ig_load.h"
#include "ig_store.h"

#define IG_TABLE_VERSION  3     /* of the layout; another one is refused */

typedef struct ig_table_s  ig_table_t;

/*
 * Lays an empty table out in memory (aligned to 64) of `size` bytes.
 * NULL where size is too small for a useful one (see IG_TABLE_MIN).
 */
#define IG_TABLE_MIN  (64 * 1024)
ig_table_t *ig_table_create(void *memory, size_t size);

/* The table another generation left there, or NULL if it is not one of ours
 * (magic, version, size). */
ig_table_t *ig_table_attach(void *memory, size_t size);

typedef struct {
    uint64_t  slots;
    uint64_t  used;
    uint64_t  evicted;          /* keys evicted before their window ended */
} ig_table_stat_t;

void ig_table_stat(const ig_table_t *t, ig_table_stat_t *stat);

/*
 * Who is asking, for the cap on new keys: the keyed hash of the client's
 * address, how many keys it may create per minute (0: no cap), the node's
 * clock (ms).  A batch that would pass the cap changes nothing: all its ops
 * are REFUSED.
 */
typedef struct {
    uint8_t   id[IG_HASH];
    uint64_t  cap;
    int64_t   now;
} ig_client_t;

/*
 * Runs ops in order, each final on return: DONE, REFUSED, or FAILED where the
 * table had no room.  client may be NULL: no cap.
 */
void ig_table_run(ig_table_t *t, ig_op_t *op, unsigned nops,
    const ig_client_t *client);

/*
 * The same beside a Redis store: executes count, exact and distinct locally
 * and puts the local answer and what is known of the Redis key into note[i];
 * op[i] is not touched, except that a refused batch has all ops REFUSED.
 * Other kinds only get a note (state FAILED), lists not even a key here.
 */
void ig_table_mirror(ig_table_t *t, ig_op_t *op, unsigned nops,
    const ig_client_t *client, ig_note_t *note);

/*
 * After Redis' replies: its key for this op's bucket has a TTL; the previous
 * bucket stood at prev/nprev (kept only once the present bucket is over a
 * second old).  `forget` drops both (an unexpected 1 came back).
 */
void ig_table_note(ig_table_t *t, const ig_op_t *op, bool prev_known,
    int64_t prev, int64_t nprev);
void ig_table_forget(ig_table_t *t, const ig_op_t *op);

/*
 * "Over `limit` until `until` (ms)" of a counter's key; get: until when, or 0.
 * A note holds for its own limit and lower ones.
 */
void ig_table_over_put(ig_table_t *t, const ig_counter_t *counter,
    const uint8_t key[IG_HASH], double limit, int64_t until);
int64_t ig_table_over_get(ig_table_t *t, const ig_counter_t *counter,
    const uint8_t key[IG_HASH], double limit, int64_t now);

/*
 * No such note any more: the key was reset.  An op DROP does so too; this is
 * for what a call that was under way put there after it.
 */
void ig_table_over_forget(ig_table_t *t, const ig_counter_t *counter,
    const uint8_t key[IG_HASH]);

/*
 * Since when (ms) the table remembers this counter; marks it as remembered
 * from `now` on where it was not known.  -1: no room for the mark.
 */
int64_t ig_table_since(ig_table_t *t, const ig_counter_t *counter,
    int64_t now);

/* -- history (ig_table_load.c) ------------------------------------------- */

/*
 * Since when is moved to `since` (ms), where the counter has a mark and that
 * is earlier.
 */
void ig_table_since_move(ig_table_t *t, const ig_counter_t *counter,
    int64_t since);

/* The load under way; of 0: none.  Lost with all else where the table is. */
ig_load_cursor_t *ig_table_load_cursor(ig_table_t *t);

/* Those of a log (distinct, exact) last seen after `cut` (ms), oldest first. */
typedef void (*ig_member_pt)(void *ctx, const uint8_t member[IG_HASH],
    int64_t seen);

void ig_table_members(ig_table_t *t, const ig_counter_t *counter,
    const uint8_t key[IG_HASH], int64_t cut, ig_member_pt each, void *ctx);

#endif /* IG_TABLE_H */
