/*
 * ig_redis_answer.c: the replies to an op's commands as its raw answer.
 * Owns nothing.  Borrows the op and the reply for the call.
 * Called by the client, for every reply it reads.
 */

#include "ig_redis_step.h"


static bool
ig_reply_fits(const ig_reply_t *reply, ig_expect_e expect)
{
    switch (expect) {

    case IG_EXPECT_INTEGER:
        return reply->type == IG_REPLY_INTEGER;

    case IG_EXPECT_PAIR:
        return reply->type == IG_REPLY_ARRAY && reply->nitems == 2;

    case IG_EXPECT_NEWEST:
        return reply->type == IG_REPLY_ARRAY
               && (reply->nitems == 2 || reply->nitems == 0);

    case IG_EXPECT_STATUS:
    case IG_EXPECT_STRING:
        return reply->type == IG_REPLY_STRING || reply->type == IG_REPLY_NIL;
    }

    return false;
}


/* The number in a string reply; `none` where the reply is nil. */
static bool
ig_reply_value(const ig_reply_t *reply, int64_t none, int64_t *n)
{
    if (reply->type == IG_REPLY_NIL) {
        *n = none;
        return true;
    }

    return ig_reply_number(reply->str, n);
}


static bool
ig_reply_pair(const ig_reply_t *reply, int64_t none, int64_t *a, int64_t *b)
{
    unsigned   i;
    int64_t   *n[2] = { a, b };

    for (i = 0; i < 2; i++) {
        *n[i] = none;

        if (!reply->item[i].nil
            && !ig_reply_number(reply->item[i].str, n[i]))
        {
            return false;
        }
    }

    return true;
}


/* What HINCRBY answered, without what it added; wraps as it would. */
static int64_t
ig_before(int64_t after, int64_t added)
{
    return (int64_t) ((uint64_t) after - (uint64_t) added);
}


/*
 * The key is new although its TTL was taken for known, or the command which
 * should have given it one was refused.
 */
static bool
ig_ttl_missing(const ig_op_t *op, uint8_t recipe)
{
    return (recipe & IG_RECIPE_TTL) || op->state == IG_OP_FAILED;
}


static bool
ig_is_forgotten(const ig_op_t *op)
{
    return op->verb != IG_OP_READ
           && op->verb != IG_OP_PEEK
           && op->raw.last >= 0
           && op->raw.last < op->time - op->counter->window;
}


static void
ig_raise(int64_t *n, int64_t least)
{
    if (*n < least) {
        *n = least;
    }
}


/* A bucket never holds less than nothing, whatever a race left there. */
static void
ig_raw_tidy(ig_op_t *op)
{
    ig_raw_t  *raw;

    raw = &op->raw;

    switch (op->counter->kind) {

    case IG_COUNT:
        ig_raise(&raw->cur, op->verb == IG_OP_ADD ? 1 : 0);
        ig_raise(&raw->prev, 0);
        break;

    case IG_SUM:
    case IG_MEAN:
        ig_raise(&raw->ncur, 0);
        ig_raise(&raw->nprev, 0);
        break;

    default:
        break;
    }
}


/* One good reply; false where its value is no number. */
static bool
ig_step_answer(ig_op_t *op, ig_step_e step, uint8_t recipe,
    const ig_reply_t *reply, bool *again)
{
    int64_t    n;
    ig_raw_t  *raw;

    n = reply->integer;
    raw = &op->raw;

    switch (step) {

    case IG_STEP_INCR:
        if (n == 1 && ig_ttl_missing(op, recipe)) {
            *again = true;
        }

        raw->cur = n;
        return true;

    case IG_STEP_DECR:
        if (n < 0) {
            *again = true;
        }

        return true;

    case IG_STEP_GET_CUR:
        return ig_reply_value(reply, 0, &raw->cur);

    case IG_STEP_GET_PREV:
        return ig_reply_value(reply, 0, &raw->prev);

    case IG_STEP_MGET:
        return ig_reply_pair(reply, 0, &raw->cur, &raw->prev);

    case IG_STEP_ZSCORE:
        return ig_reply_value(reply, -1, &raw->was);

    case IG_STEP_ZCOUNT:
        raw->cur = n < op->counter->max ? n : op->counter->max;
        return true;

    case IG_STEP_ZNEWEST:
        return reply->nitems == 0
               || (!reply->item[1].nil
                   && ig_reply_number(reply->item[1].str, &raw->last));

    case IG_STEP_ADD_SUM:
        raw->cur = ig_before(n, op->delta);
        return true;

    case IG_STEP_ADD_ONE:
        /* counted although the sum was refused: taken back */
        if (op->state == IG_OP_FAILED || (n == 1 && recipe & IG_RECIPE_TTL)) {
            *again = true;
        }

        raw->ncur = ig_before(n, 1);
        return true;

    case IG_STEP_SUB_ONE:
        if (n < 0) {
            *again = true;
        }

        return true;

    case IG_STEP_HMGET_SUM:
        return ig_reply_pair(reply, 0, &raw->cur, &raw->ncur);

    case IG_STEP_HMGET_PREV:
        return ig_reply_pair(reply, 0, &raw->prev, &raw->nprev);

    case IG_STEP_HMGET_SEEN:
        if (!ig_reply_pair(reply, -1, &raw->first, &raw->last)) {
            return false;
        }

        if (ig_is_forgotten(op)) {
            *again = true;
        }

        return true;

    case IG_STEP_GET_LAST:
        return ig_reply_value(reply, -1, &raw->last);

    default:
        /* the command's effect was all that was wanted */
        return true;
    }
}


/* The step which reply `index` answers; *last: it is the op's last. */
static ig_step_e
ig_step_at(const ig_op_t *op, uint8_t recipe, unsigned index, bool *last)
{
    ig_step_e       found;
    const uint8_t  *step;

    found = IG_STEP_NONE;
    *last = true;

    for (step = ig_steps[op->counter->kind][op->verb];
         *step != IG_STEP_NONE;
         step++)
    {
        if (!ig_step_sent(*step, recipe)) {
            continue;
        }

        if (found != IG_STEP_NONE) {
            *last = false;
            break;
        }

        if (index-- == 0) {
            found = *step;
        }
    }

    return found;
}


int
ig_redis_op_reply(ig_op_t *op, uint8_t recipe, unsigned index,
    const ig_reply_t *reply, bool *again)
{
    bool       last;
    ig_step_e  step;

    step = ig_step_at(op, recipe, index, &last);

    if (reply->type == IG_REPLY_ERROR) {
        op->state = IG_OP_FAILED;

    } else if (step == IG_STEP_NONE
               || !ig_reply_fits(reply, ig_step_info[step].expect))
    {
        op->state = IG_OP_FAILED;
        return IG_ERROR;

    } else if (!ig_step_answer(op, step, recipe, reply, again)) {
        op->state = IG_OP_FAILED;
    }

    if (!last) {
        return IG_AGAIN;
    }

    if (op->state == IG_OP_PENDING) {
        op->state = IG_OP_DONE;
        ig_raw_tidy(op);
    }

    return IG_OK;
}


int64_t
ig_redis_marker_value(const ig_reply_t *reply)
{
    int64_t  n;

    if (reply->type != IG_REPLY_STRING
        || !ig_reply_number(reply->str, &n)
        || n < 0)
    {
        return -1;
    }

    return n;
}
