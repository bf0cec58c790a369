/*
 * ig_redis_reply.h: bytes from Redis as replies, one at a time, flat.
 * hiredis' redisReader parses; our object functions keep no tree and refuse
 * what no command of ours returns.
 * Owns: the reader and the one reply in it.  Called by the client and by
 * ig_redis_command.c, which knows what the replies mean.
 */

#ifndef IG_REDIS_REPLY_H
#define IG_REDIS_REPLY_H

#include "ig_core.h"

#define IG_REPLY_ITEMS  4       /* longest array */
#define IG_REPLY_RESULT 1024    /* most results */
#define IG_REPLY_TEXT   64      /* longer strings are cut: no number is */

/* Unread bytes in the reader beyond which the other side is not Redis. */
#define IG_REPLY_UNREAD  (64 * 1024)

typedef enum {
    IG_REPLY_NIL = 0,
    IG_REPLY_INTEGER,
    IG_REPLY_STRING,            /* bulk or status */
    IG_REPLY_ERROR,
    IG_REPLY_ARRAY,             /* of strings and nils */
    IG_REPLY_RESULTS            /* of what EXEC's commands gave; not kept */
} ig_reply_type_e;

typedef struct {
    ig_reply_type_e  type;
    int64_t          integer;
    ig_str_t         str;
    unsigned         nitems;
    unsigned         nerrors;   /* RESULTS: how many are errors */
    struct {
        bool      nil;
        ig_str_t  str;
    }                item[IG_REPLY_ITEMS];
} ig_reply_t;

typedef struct ig_redis_reader_s  ig_redis_reader_t;

/* NULL: no memory. */
ig_redis_reader_t *ig_redis_reader_create(void);
void ig_redis_reader_free(ig_redis_reader_t *reader);

/* Whether the next array is RESULTS; said before each ig_redis_reader_next. */
void ig_redis_reader_results(ig_redis_reader_t *reader, bool results);

/* Bytes as they came.  IG_OK, IG_NOMEM. */
int ig_redis_reader_feed(ig_redis_reader_t *reader, const char *data,
    size_t len);

/*
 * IG_OK: *reply is the next one, valid until the next call.  IG_AGAIN: more
 * bytes are wanted.  IG_ERROR: these bytes are no reply of ours; the reader
 * is of no more use.
 */
int ig_redis_reader_next(ig_redis_reader_t *reader, const ig_reply_t **reply);

/* A whole string as an int64_t; false where it is none. */
bool ig_reply_number(ig_str_t str, int64_t *n);

/*
 * The code at the head of an error reply ("WRONGTYPE"), capitals only, at
 * most 16; "?" where there is none.  The rest is never shown: a server that
 * does not know a command repeats its arguments, a password among them.
 */
ig_str_t ig_reply_code(const ig_reply_t *reply);

#endif /* IG_REDIS_REPLY_H */
