/*
 * ig_redis_command.h: operations as commands in RESP2, replies as raw answers.
 * Owns nothing.  No nginx, no I/O; called by the client, and by the tests that
 * hold both stores against each other.
 *
 * Only plain commands that Redis 6.2 and Valkey 7.2 know.  Keys, where # is
 * the keyed hash of the tenant and the key tuple in base64url, and the number
 * behind the shape the first half of counter->ident, so that a counter which
 * changed under its name never meets its old data:
 *
 *   count              string  ig:1:{<counter>:#}:<shape>.<ident>:<bucket>
 *   sum, mean          hash    ig:1:{<counter>:#}:<shape>.<ident>:<bucket>
 *   count exact        zset    ig:1:{<counter>:#}:<shape>.<ident>
 *   distinct           zset    ig:1:{<counter>:#}:<shape>.<ident>
 *   first              hash    ig:1:{<counter>:#}:<shape>.<ident>
 *   last               string  ig:1:{<counter>:#}:<shape>.<ident>
 *   listed             string  ig:1:{<list>:#}:<shape>.<ident>
 *   warm-up marker     string  ig:1:{<counter>}:since.<ident>
 *   load under way     string  ig:1:load
 *
 * Whatever creates a key gives it its TTL in the same batch.
 */

#ifndef IG_REDIS_COMMAND_H
#define IG_REDIS_COMMAND_H

#include "ig_store.h"

#include "ig_redis_reply.h"

/* Longest text of all commands of one op, of ig_redis_op_again, of a marker. */
#define IG_REDIS_OP_TEXT  2048

/*
 * Appends the commands of one op to b and sets *recipe, by which the replies
 * are read.  note may be NULL.  Returns how many replies will come; where
 * that is none, the op is final already.
 *
 * READ, ADD and PEEK start op->raw afresh.  UNDO of distinct goes by raw.was,
 * as the ADD left it.  PUT of first and last go by raw as a READ of the same counter
 * left it; zeros or -1 mean that it was not read.
 */
unsigned ig_redis_op_write(ig_buf_t *b, ig_op_t *op, const ig_note_t *note,
    uint8_t *recipe);

/*
 * Takes reply `index` (from 0) of an op.  IG_AGAIN: more replies of it come.
 * IG_OK: this was the last, op->state is DONE or FAILED (an error reply, or a
 * value that is no number).  IG_ERROR: such a reply is not one to this
 * command; the op is FAILED, and whoever sent it is out of step.
 *
 * *again is set (never cleared) where ig_redis_op_again has to follow: what
 * the note said of the key was wrong, or a take-back found nothing to take.
 */
int ig_redis_op_reply(ig_op_t *op, uint8_t recipe, unsigned index,
    const ig_reply_t *reply, bool *again);

/* Appends what must follow; returns the number of replies, to be ignored. */
unsigned ig_redis_op_again(ig_buf_t *b, const ig_op_t *op);

/*
 * A lifetime for the op's key, where its commands give it one apart from its
 * value: a connection may break between the two.  One reply, to be ignored.
 */
bool ig_redis_op_expires(const ig_op_t *op);
unsigned ig_redis_op_expire(ig_buf_t *b, const ig_op_t *op);

/*
 * The marker that tells since when (ms since epoch) Redis has remembered a
 * counter: written with `now` where there is none, then read.  Two replies:
 * the first tells nothing, the second is a number as text.
 */
#define IG_REDIS_MARKER_REPLIES  2
#define IG_REDIS_MARKER_TTL      "315360000"    /* outlives any window: 10y */
void ig_redis_marker_write(ig_buf_t *b, const ig_counter_t *counter,
    int64_t now);
void ig_redis_marker_key(ig_buf_t *b, const ig_counter_t *counter);
int64_t ig_redis_marker_value(const ig_reply_t *reply);     /* -1: none */

/*
 * A step of a load as commands; returns how many replies will come.  Text: at
 * most IG_REDIS_OP_TEXT for each op and each counter, and once more.
 */
unsigned ig_redis_load_write(ig_buf_t *b, ig_batch_t *batch, int64_t now);

/*
 * Takes the next reply of the step.  `last`: it is the last one, which sets
 * load->state and makes the ops DONE or FAILED.  IG_OK, or IG_ERROR: such a
 * reply is none to that command.
 */
int ig_redis_load_reply(ig_batch_t *batch, const ig_reply_t *reply, bool last);

/* Whether the step's last reply is an array of whatever its commands gave. */
bool ig_redis_load_is_atomic(const ig_batch_t *batch);

/* One argument "$<len>\r\n<bytes>\r\n" of a command. */
void ig_redis_arg(ig_buf_t *b, ig_str_t arg);

#endif /* IG_REDIS_COMMAND_H */
