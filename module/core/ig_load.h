/*
 * ig_load.h: what history adds to a store: operations as bytes, which
 * integrityctl writes and nginx reads, and how far a load has come.
 * Owns nothing; pure.  Called by `integrityctl load`, by nginx's control
 * handler and by both stores.
 *
 * An op to load (IG_OP_LOAD) adds what a counter's key had come to before the
 * store began to remember it:
 *   count              time: in the bucket; delta: how many
 *   sum, mean          time: in the bucket; delta: the sum; raw.ncur: how many
 *   exact, distinct    member; time: when it was last seen
 *   first              raw.first; time: when it was last seen
 *   last               time
 *   listed             time: until when the key is on the list
 * raw.was is the present time, by which the store tells what is still of use.
 * What live calls have written is never overwritten: buckets add up, of two
 * times of a member or of a last sighting the later stays, of two first ones
 * the earlier, a key that is on a list stays on it as it is.
 */

#ifndef IG_LOAD_H
#define IG_LOAD_H

#include "ig_buf.h"
#include "ig_op.h"
#include "ig_secret.h"

/* One batch: at most so many ops, and so many bytes of them. */
#define IG_LOAD_OPS    200
#define IG_LOAD_BYTES  11400

#define IG_LOAD_ID     8
#define IG_LOAD_PROOF  16

/* The policy's counters and lists by name: the order both sides count in. */
void ig_load_rank(const ig_policy_t *policy,
    const ig_counter_t *rank[IG_MAX_COUNTERS]);

/* Both return how many bytes, or 0: no room; such bytes are no op. */
size_t ig_load_op_write(uint8_t *p, size_t room, unsigned rank,
    const ig_op_t *op);
size_t ig_load_op_read(const uint8_t *p, size_t len,
    const ig_counter_t *const *rank, unsigned nranks, ig_op_t *op);

/*
 * Tells that both sides have the same secret, and nothing else: a keyed hash
 * of the policy's own.
 */
void ig_load_proof(const ig_secret_t *secret, const ig_policy_t *policy,
    uint8_t proof[IG_LOAD_PROOF]);

/*
 * A load under way, as the store keeps it beside what was loaded.  `of` is 0
 * where there is none.
 */
typedef struct {
    uint8_t   id[IG_LOAD_ID];   /* of all that it writes */
    int64_t   now;              /* ms: the time it was reckoned for */
    uint64_t  done;             /* batches that are in the store */
    uint64_t  of;
} ig_load_cursor_t;

/* As text of at most 64 bytes, "<id> <now> <done> <of>"; false: it is none. */
#define IG_LOAD_CURSOR  64
void ig_load_cursor_write(ig_buf_t *b, const ig_load_cursor_t *cursor);
bool ig_load_cursor_read(ig_str_t text, ig_load_cursor_t *cursor);

/* 16 digits of hex. */
bool ig_load_id_read(ig_str_t text, uint8_t id[IG_LOAD_ID]);

#endif /* IG_LOAD_H */
