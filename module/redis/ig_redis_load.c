/*
 * ig_redis_load.c: the steps of a load of history as commands, and what their
 * replies say.
 * Owns nothing.  Borrows the batch, its load and the reply for the call.
 * Called by the client.
 *
 * A batch of history and the cursor behind it are one transaction: whatever
 * breaks, Redis has both or neither, and who goes on can tell.
 */

#include "ig_redis_command.h"

#define IG_LOAD_KEY  "$9\r\nig:1:load\r\n"


static void
ig_load_number(ig_buf_t *b, int64_t n)
{
    char      memory[24];
    ig_buf_t  text;

    ig_buf_init(&text, memory, sizeof(memory));
    ig_buf_i64(&text, n);
    ig_redis_arg(b, ig_buf_str(&text));
}


/* -- commands ------------------------------------------------------------ */


static void
ig_load_set_cursor(ig_buf_t *b, const ig_load_t *load, bool unless)
{
    char      memory[IG_LOAD_CURSOR];
    ig_buf_t  text;

    ig_buf_init(&text, memory, sizeof(memory));
    ig_load_cursor_write(&text, &load->cursor);

    ig_buf_lit(b, "*");
    ig_buf_char(b, unless ? '6' : '5');
    ig_buf_lit(b, "\r\n$3\r\nSET\r\n" IG_LOAD_KEY);
    ig_redis_arg(b, ig_buf_str(&text));
    ig_buf_lit(b, "$2\r\nEX\r\n");
    ig_redis_arg(b, ig_str(IG_REDIS_MARKER_TTL));

    if (unless) {
        ig_buf_lit(b, "$2\r\nNX\r\n");
    }
}


/* Since when each counter is known; where that is not known, from now on. */
static unsigned
ig_load_look(ig_buf_t *b, const ig_load_t *load, int64_t now)
{
    unsigned  i;

    ig_buf_lit(b, "*2\r\n$3\r\nGET\r\n" IG_LOAD_KEY);

    for (i = 0; i < load->policy->ncounters; i++) {
        ig_redis_marker_write(b, load->policy->counter[i], now);
    }

    return 1 + i * IG_REDIS_MARKER_REPLIES;
}


static unsigned
ig_load_ops(ig_buf_t *b, ig_batch_t *batch)
{
    uint8_t   recipe;
    unsigned  i, replies;

    for (i = 0, replies = 0; i < batch->nops; i++) {
        replies += ig_redis_op_write(b, &batch->op[i], NULL, &recipe);
    }

    return replies;
}


static unsigned
ig_load_markers(ig_buf_t *b, const ig_load_t *load)
{
    unsigned             i, replies;
    const ig_counter_t  *counter;

    for (i = 0, replies = 0; i < load->policy->ncounters; i++) {
        counter = load->policy->counter[i];

        if (load->since[counter->id] < 0) {
            continue;
        }

        ig_buf_lit(b, "*5\r\n$3\r\nSET\r\n");
        ig_redis_marker_key(b, counter);
        ig_load_number(b, load->since[counter->id]);
        ig_buf_lit(b, "$2\r\nEX\r\n");
        ig_redis_arg(b, ig_str(IG_REDIS_MARKER_TTL));
        replies++;
    }

    return replies;
}


unsigned
ig_redis_load_write(ig_buf_t *b, ig_batch_t *batch, int64_t now)
{
    unsigned    replies;
    ig_load_t  *load;

    load = batch->load;

    switch (load->step) {

    case IG_LOAD_LOOK:
        return ig_load_look(b, load, now);

    case IG_LOAD_BEGIN:
        ig_load_set_cursor(b, load, !load->replace);
        return 1;

    case IG_LOAD_CHECK:

        /* a check that nothing came of may have left its watch */

        ig_buf_lit(b, "*1\r\n$7\r\nUNWATCH\r\n"
                      "*2\r\n$5\r\nWATCH\r\n" IG_LOAD_KEY
                      "*2\r\n$3\r\nGET\r\n" IG_LOAD_KEY);
        return 3;

    case IG_LOAD_WRITE:
    case IG_LOAD_END:
        break;
    }

    ig_buf_lit(b, "*1\r\n$5\r\nMULTI\r\n");

    if (load->step == IG_LOAD_WRITE) {
        replies = ig_load_ops(b, batch);
        ig_load_set_cursor(b, load, false);

    } else {
        replies = ig_load_markers(b, load);
        ig_buf_lit(b, "*2\r\n$3\r\nDEL\r\n" IG_LOAD_KEY);
    }

    ig_buf_lit(b, "*1\r\n$4\r\nEXEC\r\n");

    return replies + 3;
}


bool
ig_redis_load_is_atomic(const ig_batch_t *batch)
{
    return batch->load->step == IG_LOAD_WRITE
           || batch->load->step == IG_LOAD_END;
}


/* -- replies ------------------------------------------------------------- */


static int
ig_load_cursor_reply(ig_load_t *load, const ig_reply_t *reply)
{
    load->cursor.of = 0;

    if (reply->type == IG_REPLY_NIL) {
        return IG_OK;
    }

    if (reply->type != IG_REPLY_STRING) {
        return IG_ERROR;
    }

    if (!ig_load_cursor_read(reply->str, &load->cursor)) {
        load->broken = true;
    }

    return IG_OK;
}


/* Of LOOK: the cursor, then for each counter that of SET and of GET. */
static int
ig_load_look_reply(ig_load_t *load, const ig_reply_t *reply, unsigned i)
{
    const ig_counter_t  *counter;

    if (i == 0) {
        return ig_load_cursor_reply(load, reply);
    }

    if (reply->type != IG_REPLY_STRING && reply->type != IG_REPLY_NIL) {
        return IG_ERROR;
    }

    i--;

    if (i % IG_REDIS_MARKER_REPLIES == IG_REDIS_MARKER_REPLIES - 1) {
        counter = load->policy->counter[i / IG_REDIS_MARKER_REPLIES];
        load->since[counter->id] = ig_redis_marker_value(reply);
    }

    return IG_OK;
}


/* Of a transaction: "OK", "QUEUED" for each command, what they gave. */
static int
ig_load_atomic_reply(ig_load_t *load, const ig_reply_t *reply, bool last)
{
    if (!last) {
        return reply->type == IG_REPLY_STRING ? IG_OK : IG_ERROR;
    }

    if (reply->type == IG_REPLY_NIL) {
        load->state = IG_LOAD_CONFLICT;
        return IG_OK;
    }

    if (reply->type != IG_REPLY_RESULTS) {
        return IG_ERROR;
    }

    if (reply->nerrors > 0) {
        load->broken = true;
    }

    return IG_OK;
}


static int
ig_load_step_reply(ig_load_t *load, const ig_reply_t *reply, bool last)
{
    unsigned  i;

    i = load->reply++;

    if (reply->type == IG_REPLY_ERROR) {
        load->broken = true;
        return IG_OK;
    }

    switch (load->step) {

    case IG_LOAD_LOOK:
        return ig_load_look_reply(load, reply, i);

    case IG_LOAD_BEGIN:
        if (reply->type == IG_REPLY_NIL) {
            load->state = IG_LOAD_CONFLICT;
        }

        return reply->type == IG_REPLY_NIL || reply->type == IG_REPLY_STRING
               ? IG_OK : IG_ERROR;

    case IG_LOAD_CHECK:
        return i > 1 ? ig_load_cursor_reply(load, reply)
               : reply->type == IG_REPLY_STRING ? IG_OK : IG_ERROR;

    default:
        return ig_load_atomic_reply(load, reply, last);
    }
}


int
ig_redis_load_reply(ig_batch_t *batch, const ig_reply_t *reply, bool last)
{
    int         rc;
    unsigned    i;
    ig_load_t  *load;

    load = batch->load;
    rc = ig_load_step_reply(load, reply, last);

    if (rc != IG_OK || !last) {
        return rc;
    }

    if (load->state != IG_LOAD_CONFLICT) {
        load->state = load->broken ? IG_LOAD_FAILED : IG_LOAD_DONE;
    }

    for (i = 0; i < batch->nops; i++) {
        batch->op[i].state = load->state == IG_LOAD_DONE ? IG_OP_DONE
                                                         : IG_OP_FAILED;
    }

    return IG_OK;
}
