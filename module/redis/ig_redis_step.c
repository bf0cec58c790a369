/*
 * ig_redis_step.c: the text of every command, and which of them make an op.
 * Owns the two tables, which never change.  Called by nobody: read by
 * ig_redis_command.c and ig_redis_answer.c.
 */

#include "ig_redis_step.h"


/*
 * In text, %k is the key, %p the key of the bucket before, %l the lifetime in
 * seconds, %t the op's time, %o the lower bound of its window, %w the time
 * `was`, %x the last rank beyond max, %m the member, %d the delta, %i its
 * inverse, %a the later of the op's time and of raw.last.  Each is an argument
 * of its own.  %u is when the op's delta ends, %e the delta in seconds.  Of
 * history %f is raw.first, %n raw.ncur, %z the seconds for which it is of use.
 */
const ig_step_info_t  ig_step_info[] = {
    [IG_STEP_SET] = {
        "*6\r\n$3\r\nSET\r\n%k$1\r\n0\r\n$2\r\nEX\r\n%l$2\r\nNX\r\n",
        IG_EXPECT_STATUS, IG_RECIPE_TTL },
    [IG_STEP_INCR] = {
        "*2\r\n$4\r\nINCR\r\n%k", IG_EXPECT_INTEGER, 0 },
    [IG_STEP_GET_PREV] = {
        "*2\r\n$3\r\nGET\r\n%p", IG_EXPECT_STRING, IG_RECIPE_PREV },
    [IG_STEP_GET_CUR] = {
        "*2\r\n$3\r\nGET\r\n%k", IG_EXPECT_STRING, IG_RECIPE_NO_PREV },
    [IG_STEP_MGET] = {
        "*3\r\n$4\r\nMGET\r\n%k%p", IG_EXPECT_PAIR, IG_RECIPE_PREV },
    [IG_STEP_SET_ONE] = {
        "*6\r\n$3\r\nSET\r\n%k$1\r\n1\r\n$2\r\nEX\r\n%l$2\r\nNX\r\n",
        IG_EXPECT_STATUS, 0 },
    [IG_STEP_DECR] = {
        "*2\r\n$4\r\nDECR\r\n%k", IG_EXPECT_INTEGER, 0 },

    [IG_STEP_ZSCORE] = {
        "*3\r\n$6\r\nZSCORE\r\n%k%m", IG_EXPECT_STRING, 0 },
    [IG_STEP_ZADD] = {
        "*4\r\n$4\r\nZADD\r\n%k%t%m", IG_EXPECT_INTEGER, 0 },
    [IG_STEP_ZADD_GT] = {
        "*5\r\n$4\r\nZADD\r\n%k$2\r\nGT\r\n%t%m", IG_EXPECT_INTEGER, 0 },
    [IG_STEP_ZADD_LT] = {
        "*6\r\n$4\r\nZADD\r\n%k$2\r\nXX\r\n$2\r\nLT\r\n%w%m",
        IG_EXPECT_INTEGER, IG_RECIPE_NEW },
    [IG_STEP_ZREM] = {
        "*3\r\n$4\r\nZREM\r\n%k%m", IG_EXPECT_INTEGER, IG_RECIPE_SEEN },
    [IG_STEP_TRIM] = {
        "*4\r\n$15\r\nZREMRANGEBYRANK\r\n%k$1\r\n0\r\n%x",
        IG_EXPECT_INTEGER, 0 },
    [IG_STEP_ZCOUNT] = {
        "*4\r\n$6\r\nZCOUNT\r\n%k%o$4\r\n+inf\r\n", IG_EXPECT_INTEGER, 0 },
    [IG_STEP_ZNEWEST] = {
        "*5\r\n$6\r\nZRANGE\r\n%k$2\r\n-1\r\n$2\r\n-1\r\n"
        "$10\r\nWITHSCORES\r\n", IG_EXPECT_NEWEST, 0 },

    [IG_STEP_ADD_SUM] = {
        "*4\r\n$7\r\nHINCRBY\r\n%k$1\r\ns\r\n%d", IG_EXPECT_INTEGER, 0 },
    [IG_STEP_ADD_ONE] = {
        "*4\r\n$7\r\nHINCRBY\r\n%k$1\r\nn\r\n$1\r\n1\r\n",
        IG_EXPECT_INTEGER, 0 },
    [IG_STEP_SUB_SUM] = {
        "*4\r\n$7\r\nHINCRBY\r\n%k$1\r\ns\r\n%i", IG_EXPECT_INTEGER, 0 },
    [IG_STEP_SUB_ONE] = {
        "*4\r\n$7\r\nHINCRBY\r\n%k$1\r\nn\r\n$2\r\n-1\r\n",
        IG_EXPECT_INTEGER, 0 },
    [IG_STEP_HMGET_SUM] = {
        "*4\r\n$5\r\nHMGET\r\n%k$1\r\ns\r\n$1\r\nn\r\n", IG_EXPECT_PAIR, 0 },
    [IG_STEP_HMGET_PREV] = {
        "*4\r\n$5\r\nHMGET\r\n%p$1\r\ns\r\n$1\r\nn\r\n",
        IG_EXPECT_PAIR, IG_RECIPE_PREV },

    [IG_STEP_HMGET_SEEN] = {
        "*4\r\n$5\r\nHMGET\r\n%k$1\r\nf\r\n$1\r\nl\r\n",
        IG_EXPECT_PAIR, IG_RECIPE_SEEN },
    [IG_STEP_HSETNX] = {
        "*4\r\n$6\r\nHSETNX\r\n%k$1\r\nf\r\n%t",
        IG_EXPECT_INTEGER, IG_RECIPE_FORGOTTEN },
    [IG_STEP_HSET_LAST] = {
        "*4\r\n$4\r\nHSET\r\n%k$1\r\nl\r\n%a",
        IG_EXPECT_INTEGER, IG_RECIPE_FORGOTTEN },
    [IG_STEP_HSET_BOTH] = {
        "*6\r\n$4\r\nHSET\r\n%k$1\r\nf\r\n%t$1\r\nl\r\n%t",
        IG_EXPECT_INTEGER, IG_RECIPE_KEPT },
    [IG_STEP_HSET_FIRST] = {
        "*4\r\n$4\r\nHSET\r\n%k$1\r\nf\r\n%t", IG_EXPECT_INTEGER, 0 },

    [IG_STEP_GET_LAST] = {
        "*2\r\n$3\r\nGET\r\n%k", IG_EXPECT_STRING, 0 },
    [IG_STEP_SET_LAST] = {
        "*5\r\n$3\r\nSET\r\n%k%a$2\r\nEX\r\n%l", IG_EXPECT_STATUS, 0 },

    [IG_STEP_SET_UNTIL] = {
        "*5\r\n$3\r\nSET\r\n%k%u$2\r\nEX\r\n%e", IG_EXPECT_STATUS, 0 },
    [IG_STEP_SET_UNTIL_NEW] = {
        "*6\r\n$3\r\nSET\r\n%k%u$2\r\nEX\r\n%e$2\r\nNX\r\n",
        IG_EXPECT_STATUS, 0 },
    [IG_STEP_DEL] = {
        "*2\r\n$3\r\nDEL\r\n%k", IG_EXPECT_INTEGER, 0 },
    [IG_STEP_DEL_BOTH] = {
        "*3\r\n$3\r\nDEL\r\n%k%p", IG_EXPECT_INTEGER, 0 },

    [IG_STEP_EXPIRE] = {
        "*3\r\n$6\r\nEXPIRE\r\n%k%l", IG_EXPECT_INTEGER, 0 },
    [IG_STEP_EXPIRE_NEW] = {
        "*3\r\n$6\r\nEXPIRE\r\n%k%l", IG_EXPECT_INTEGER, IG_RECIPE_TTL },

    [IG_STEP_INCRBY] = {
        "*3\r\n$6\r\nINCRBY\r\n%k%d", IG_EXPECT_INTEGER, 0 },
    [IG_STEP_ADD_MANY] = {
        "*4\r\n$7\r\nHINCRBY\r\n%k$1\r\nn\r\n%n",
        IG_EXPECT_INTEGER, 0 },
    [IG_STEP_HSET_EARLIER] = {
        "*4\r\n$4\r\nHSET\r\n%k$1\r\nf\r\n%f", IG_EXPECT_INTEGER, 0 },
    [IG_STEP_HSETNX_LAST] = {
        "*4\r\n$6\r\nHSETNX\r\n%k$1\r\nl\r\n%t",
        IG_EXPECT_INTEGER, 0 },
    [IG_STEP_SET_TIME_NEW] = {
        "*6\r\n$3\r\nSET\r\n%k%t$2\r\nEX\r\n%z$2\r\nNX\r\n",
        IG_EXPECT_STATUS, 0 },
    [IG_STEP_EXPIRE_LEFT] = {
        "*3\r\n$6\r\nEXPIRE\r\n%k%z", IG_EXPECT_INTEGER, 0 },
};


/*
 * The TTL comes first where a string is counted, so that no crash in between
 * leaves a key without one; where it comes last, the commands of one write
 * reach Redis together.
 *
 * Known gaps, for want of scripts: distinct's UNDO takes back a newer sighting
 * of the same member that came between; exact and distinct do not bring back
 * what was trimmed; first and last follow the last writer.
 *
 * History is older than all that live calls have written: it may set `first`
 * without looking, and `last` only where there is none.
 */
const uint8_t  ig_steps[IG_KINDS][IG_VERBS][IG_STEPS + 1] = {
    [IG_COUNT] = {
        [IG_OP_READ] = { IG_STEP_GET_CUR, IG_STEP_MGET },
        [IG_OP_ADD] = { IG_STEP_SET, IG_STEP_INCR, IG_STEP_GET_PREV },
        [IG_OP_PUT] = { IG_STEP_SET, IG_STEP_INCR },
        [IG_OP_UNDO] = { IG_STEP_SET_ONE, IG_STEP_DECR },
        [IG_OP_PEEK] = { IG_STEP_MGET },
        [IG_OP_DROP] = { IG_STEP_DEL_BOTH },
        [IG_OP_LOAD] = { IG_STEP_INCRBY, IG_STEP_EXPIRE_LEFT } },

    [IG_COUNT_EXACT] = {
        [IG_OP_READ] = { IG_STEP_ZCOUNT },
        [IG_OP_ADD] = { IG_STEP_ZADD, IG_STEP_TRIM, IG_STEP_ZCOUNT,
                        IG_STEP_EXPIRE },
        [IG_OP_PUT] = { IG_STEP_ZADD, IG_STEP_TRIM, IG_STEP_EXPIRE },
        [IG_OP_UNDO] = { IG_STEP_ZREM },
        [IG_OP_PEEK] = { IG_STEP_ZCOUNT, IG_STEP_ZNEWEST },
        [IG_OP_DROP] = { IG_STEP_DEL },
        [IG_OP_LOAD] = { IG_STEP_ZADD, IG_STEP_TRIM, IG_STEP_EXPIRE } },

    [IG_DISTINCT] = {
        [IG_OP_READ] = { IG_STEP_ZCOUNT },
        [IG_OP_ADD] = { IG_STEP_ZSCORE, IG_STEP_ZADD_GT, IG_STEP_TRIM,
                        IG_STEP_ZCOUNT, IG_STEP_EXPIRE },
        [IG_OP_PUT] = { IG_STEP_ZADD_GT, IG_STEP_TRIM, IG_STEP_EXPIRE },
        [IG_OP_UNDO] = { IG_STEP_ZREM, IG_STEP_ZADD_LT },
        [IG_OP_PEEK] = { IG_STEP_ZCOUNT, IG_STEP_ZNEWEST },
        [IG_OP_DROP] = { IG_STEP_DEL },
        [IG_OP_LOAD] = { IG_STEP_ZADD_GT, IG_STEP_TRIM, IG_STEP_EXPIRE } },

    [IG_SUM] = {
        [IG_OP_READ] = { IG_STEP_HMGET_SUM, IG_STEP_HMGET_PREV },
        [IG_OP_ADD] = { IG_STEP_ADD_SUM, IG_STEP_ADD_ONE, IG_STEP_EXPIRE_NEW,
                        IG_STEP_HMGET_PREV },
        [IG_OP_PUT] = { IG_STEP_ADD_SUM, IG_STEP_ADD_ONE, IG_STEP_EXPIRE_NEW },
        [IG_OP_UNDO] = { IG_STEP_SUB_SUM, IG_STEP_SUB_ONE, IG_STEP_EXPIRE },
        [IG_OP_PEEK] = { IG_STEP_HMGET_SUM, IG_STEP_HMGET_PREV },
        [IG_OP_DROP] = { IG_STEP_DEL_BOTH },
        [IG_OP_LOAD] = { IG_STEP_ADD_SUM, IG_STEP_ADD_MANY,
                         IG_STEP_EXPIRE_LEFT } },

    [IG_MEAN] = {
        [IG_OP_READ] = { IG_STEP_HMGET_SUM, IG_STEP_HMGET_PREV },
        [IG_OP_ADD] = { IG_STEP_ADD_SUM, IG_STEP_ADD_ONE, IG_STEP_EXPIRE_NEW,
                        IG_STEP_HMGET_PREV },
        [IG_OP_PUT] = { IG_STEP_ADD_SUM, IG_STEP_ADD_ONE, IG_STEP_EXPIRE_NEW },
        [IG_OP_UNDO] = { IG_STEP_SUB_SUM, IG_STEP_SUB_ONE, IG_STEP_EXPIRE },
        [IG_OP_PEEK] = { IG_STEP_HMGET_SUM, IG_STEP_HMGET_PREV },
        [IG_OP_DROP] = { IG_STEP_DEL_BOTH },
        [IG_OP_LOAD] = { IG_STEP_ADD_SUM, IG_STEP_ADD_MANY,
                         IG_STEP_EXPIRE_LEFT } },

    [IG_FIRST] = {
        [IG_OP_READ] = { IG_STEP_HMGET_SEEN },
        [IG_OP_ADD] = { IG_STEP_HMGET_SEEN, IG_STEP_HSETNX, IG_STEP_HSET_LAST,
                        IG_STEP_EXPIRE },
        [IG_OP_PUT] = { IG_STEP_HMGET_SEEN, IG_STEP_HSETNX, IG_STEP_HSET_LAST,
                        IG_STEP_HSET_BOTH, IG_STEP_EXPIRE },
        [IG_OP_UNDO] = { IG_STEP_NONE },
        [IG_OP_PEEK] = { IG_STEP_HMGET_SEEN },
        [IG_OP_DROP] = { IG_STEP_DEL },
        [IG_OP_LOAD] = { IG_STEP_HSET_EARLIER, IG_STEP_HSETNX_LAST,
                         IG_STEP_EXPIRE } },

    [IG_LAST] = {
        [IG_OP_READ] = { IG_STEP_GET_LAST },
        [IG_OP_ADD] = { IG_STEP_GET_LAST, IG_STEP_SET_LAST },
        [IG_OP_PUT] = { IG_STEP_SET_LAST },
        [IG_OP_UNDO] = { IG_STEP_NONE },
        [IG_OP_PEEK] = { IG_STEP_GET_LAST },
        [IG_OP_DROP] = { IG_STEP_DEL },
        [IG_OP_LOAD] = { IG_STEP_SET_TIME_NEW } },

    [IG_LISTED] = {
        [IG_OP_READ] = { IG_STEP_GET_LAST },
        [IG_OP_ADD] = { IG_STEP_GET_LAST, IG_STEP_SET_UNTIL },
        [IG_OP_PUT] = { IG_STEP_SET_UNTIL_NEW },
        [IG_OP_UNDO] = { IG_STEP_DEL },
        [IG_OP_PEEK] = { IG_STEP_GET_LAST },
        [IG_OP_DROP] = { IG_STEP_DEL },
        [IG_OP_LOAD] = { IG_STEP_SET_TIME_NEW } },
};
