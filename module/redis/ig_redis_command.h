/*
 * ig_redis_command.h: operations as commands in RESP2, replies as raw answers.
 * hiredis' types, no nginx, no I/O.  Called by the client, and by the tests
 * that hold both stores against each other.
 *
 * Only plain commands that Redis 6.2 and Valkey 7.2 know; every string key
 * written carries a TTL in the same batch.
 */

#ifndef IG_REDIS_COMMAND_H
#define IG_REDIS_COMMAND_H

#include "ig_store.h"

/* Longest text of all commands of one op. */
#define IG_REDIS_OP_TEXT  2048

/*
 * Appends the commands of one op to b and sets *recipe, by which the replies
 * are read.  note may be NULL.  Returns how many replies will come.
 */
unsigned ig_redis_op_write(ig_buf_t *b, const ig_op_t *op,
    const ig_note_t *note, uint8_t *recipe);

/* One reply, flattened by our redisReader functions: no tree is kept. */
typedef enum {
    IG_REPLY_NIL = 0,
    IG_REPLY_INTEGER,
    IG_REPLY_STRING,            /* bulk or status */
    IG_REPLY_ERROR,
    IG_REPLY_ARRAY
} ig_reply_type_e;

typedef struct {
    ig_reply_type_e  type;
    int64_t          integer;
    ig_str_t         str;
    unsigned         nitems;
    struct {
        bool      nil;
        ig_str_t  str;
    }                item[4];
} ig_reply_t;

/*
 * Takes reply `index` (from 0) of an op.  After the last one op->state is
 * DONE or FAILED.  An error reply or one of a wrong type makes it FAILED.
 * *again is set where a follow-up op write is wanted (a key that should have
 * had a TTL turned out new: see ig_redis_op_expire).
 */
void ig_redis_op_reply(ig_op_t *op, const ig_note_t *note, uint8_t recipe,
    unsigned index, const ig_reply_t *reply, bool *again);

/* The EXPIRE for a key that lost its TTL note; one reply, to be ignored. */
unsigned ig_redis_op_expire(ig_buf_t *b, const ig_op_t *op);

#endif /* IG_REDIS_COMMAND_H */
