/*
 * ig_redis_step.h: private to the codec: the steps ops are made of.
 * Owns nothing.  Included by ig_redis_command.c (writes steps) and
 * ig_redis_answer.c (reads their replies); the tables are in ig_redis_step.c.
 *
 * An op is a short list of steps, one command and one reply each.  A step is
 * left out where something known makes it needless; the op's recipe remembers
 * which, as a set of the bits below.
 */

#ifndef IG_REDIS_STEP_H
#define IG_REDIS_STEP_H

#include "ig_redis_command.h"

#define IG_VERBS  (IG_OP_LOAD + 1)
#define IG_STEPS  5             /* of one op, at most */

typedef enum {
    IG_STEP_NONE = 0,           /* ends a list */

    IG_STEP_SET,                /* count */
    IG_STEP_INCR,
    IG_STEP_GET_CUR,
    IG_STEP_GET_PREV,
    IG_STEP_MGET,
    IG_STEP_SET_ONE,
    IG_STEP_DECR,

    IG_STEP_ZSCORE,             /* exact, distinct */
    IG_STEP_ZADD,
    IG_STEP_ZADD_GT,
    IG_STEP_ZADD_LT,
    IG_STEP_ZREM,
    IG_STEP_TRIM,
    IG_STEP_ZCOUNT,
    IG_STEP_ZNEWEST,

    IG_STEP_ADD_SUM,            /* sum, mean */
    IG_STEP_ADD_ONE,
    IG_STEP_SUB_SUM,
    IG_STEP_SUB_ONE,
    IG_STEP_HMGET_SUM,
    IG_STEP_HMGET_PREV,

    IG_STEP_HMGET_SEEN,         /* first */
    IG_STEP_HSETNX,
    IG_STEP_HSET_LAST,
    IG_STEP_HSET_BOTH,
    IG_STEP_HSET_FIRST,

    IG_STEP_GET_LAST,           /* last */
    IG_STEP_SET_LAST,

    IG_STEP_SET_UNTIL,          /* listed */
    IG_STEP_SET_UNTIL_NEW,
    IG_STEP_DEL,
    IG_STEP_DEL_BOTH,           /* of this bucket and the one before */

    IG_STEP_EXPIRE,
    IG_STEP_EXPIRE_NEW,

    IG_STEP_INCRBY,             /* history */
    IG_STEP_ADD_MANY,
    IG_STEP_HSET_EARLIER,
    IG_STEP_HSETNX_LAST,
    IG_STEP_SET_TIME_NEW,
    IG_STEP_EXPIRE_LEFT
} ig_step_e;

/* Bits of a recipe: why steps are left out. */
enum {
    IG_RECIPE_TTL = 1,          /* the key has its TTL */
    IG_RECIPE_PREV = 2,         /* the previous bucket is known */
    IG_RECIPE_NO_PREV = 4,      /* it is not */
    IG_RECIPE_SEEN = 8,         /* when the key or member was last seen is */
    IG_RECIPE_NEW = 16,         /* the member was not there */
    IG_RECIPE_KEPT = 32,        /* first: not known to be forgotten */
    IG_RECIPE_FORGOTTEN = 64    /* first: last seen over a window ago */
};

typedef enum {
    IG_EXPECT_STATUS,           /* or nil, where NX did nothing */
    IG_EXPECT_INTEGER,
    IG_EXPECT_STRING,           /* or nil */
    IG_EXPECT_PAIR,             /* an array of two */
    IG_EXPECT_NEWEST            /* the same, or an empty one */
} ig_expect_e;

typedef struct {
    const char   *text;
    ig_expect_e   expect;
    uint8_t       without;      /* left out where the recipe has one of these */
} ig_step_info_t;

extern const ig_step_info_t  ig_step_info[];

/* Each list ends with IG_STEP_NONE. */
extern const uint8_t  ig_steps[IG_KINDS][IG_VERBS][IG_STEPS + 1];

#define ig_step_sent(step, recipe)                                            \
    ((ig_step_info[step].without & (recipe)) == 0)

#endif /* IG_REDIS_STEP_H */
