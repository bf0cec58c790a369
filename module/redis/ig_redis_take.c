/*
 * ig_redis_take.c: each reply to the op it answers, and what follows from it.
 * Owns nothing.  Borrows the head of the list.  Called by ig_redis_io.c.
 */

#include "ig_redis_int.h"

#include "ig_window.h"


/* Codes of a server that will answer nothing else for a while. */
static const ig_str_t  ig_redis_fatal[] = {
    ig_string("LOADING"),
    ig_string("READONLY"),
    ig_string("MASTERDOWN"),
    ig_string("NOAUTH"),
    ig_string("WRONGPASS"),
};


void
ig_redis_error_reply(ig_redis_client_t *client, const ig_reply_t *reply)
{
    ig_str_t    code;
    ngx_uint_t  i;

    code = ig_reply_code(reply);

    ig_metric_add(client->conf->metrics, redis_errors, 1);

    for (i = 0; i < ig_countof(ig_redis_fatal); i++) {

        if (ig_str_eq(code, ig_redis_fatal[i])) {
            client->fatal = 1;
            (void) ngx_snprintf((u_char *) client->why, sizeof(client->why),
                                "it answers %*s%Z", code.len, code.data);
            return;
        }
    }

    ig_redis_log(client, NGX_LOG_ERR, 0, "a command was refused: %*s",
                 code.len, code.data);
}


static ngx_uint_t
ig_redis_has_buckets(const ig_counter_t *counter)
{
    return counter->kind == IG_COUNT
           || counter->kind == IG_SUM
           || counter->kind == IG_MEAN;
}


/*
 * Notes are kept for counters in buckets: what an op without one learned is
 * told, and a write into a bucket that is over makes the note of the bucket
 * after it wrong.
 */
static void
ig_redis_note(ig_redis_client_t *client, const ig_batch_t *batch,
    const ig_op_t *op)
{
    int64_t           window;
    ig_redis_conf_t  *conf;
    const ig_note_t  *note;

    conf = client->conf;

    if (op->state != IG_OP_DONE
        || op->verb == IG_OP_READ
        || op->verb == IG_OP_PEEK
        || op->verb == IG_OP_DROP
        || !ig_redis_has_buckets(op->counter))
    {
        return;
    }

    window = op->counter->window;

    if (op->verb != IG_OP_ADD
        && ig_window_bucket(op->time, window)
           != ig_window_bucket(ig_redis_now(), window))
    {
        conf->forget(conf->ctx, op);
        return;
    }

    if (batch->note == NULL || op->verb == IG_OP_UNDO) {
        return;
    }

    note = &batch->note[op - batch->op];

    if (op->verb == IG_OP_ADD) {

        if (!note->ttl_known || !note->prev_known) {
            conf->note(conf->ctx, op, true, op->raw.prev, op->raw.nprev);
        }

    } else if (!note->ttl_known) {
        conf->note(conf->ctx, op, false, 0, 0);
    }
}


static ngx_int_t
ig_redis_take_op(ig_redis_client_t *client, ig_batch_t *batch,
    const ig_reply_t *reply)
{
    int       rc;
    bool      again;
    ig_op_t  *op;

    op = &batch->op[client->op];
    again = false;

    if (reply->type == IG_REPLY_ERROR) {
        ig_redis_error_reply(client, reply);

    } else {
        client->failures = 0;
    }

    rc = ig_redis_op_reply(op, batch->recipe[client->op],
                           (unsigned) client->reply, reply, &again);

    if (again) {
        ig_redis_errand_again(client, op);

        if (op->verb != IG_OP_UNDO && ig_redis_has_buckets(op->counter)) {
            client->conf->forget(client->conf->ctx, op);
            ig_redis_errand_ask(client);
        }
    }

    switch (rc) {

    case IG_AGAIN:
        client->reply++;
        return NGX_OK;

    case IG_OK:

        if (!again) {
            ig_redis_note(client, batch, op);
        }

        client->op++;
        client->reply = 0;
        return NGX_OK;

    default:
        return NGX_ERROR;
    }
}


static ngx_int_t
ig_redis_take_load(ig_redis_client_t *client, ig_batch_t *batch,
    const ig_reply_t *reply)
{
    ngx_uint_t  i, last;
    ig_load_t  *load;

    load = batch->load;
    last = batch->replies == 1;

    if (reply->type == IG_REPLY_ERROR) {
        ig_redis_error_reply(client, reply);

    } else {
        client->failures = 0;
    }

    if (ig_redis_load_reply(batch, reply, last) != IG_OK) {
        return NGX_ERROR;
    }

    if (!last || load->step != IG_LOAD_END || load->state != IG_LOAD_DONE) {
        return NGX_OK;
    }

    for (i = 0; i < client->nwarm; i++) {
        if (load->since[client->warm[i]->id] >= 0) {
            client->since[client->warm[i]->id]
                = load->since[client->warm[i]->id];
        }
    }

    return NGX_OK;
}


void
ig_redis_skip(ig_redis_client_t *client, int64_t now)
{
    ig_batch_t  *batch;

    while (client->sent != NULL) {

        batch = client->list.head;

        if (batch->replies == 0) {
            ig_redis_answered(client, now);
            continue;
        }

        if (client->reply == 0 && !ig_redis_is_errand(batch)
            && batch->load == NULL)
        {

            /* an op is final before its first reply where there is none */

            while (batch->op[client->op].state != IG_OP_PENDING) {
                client->op++;
            }
        }

        return;
    }
}


ngx_int_t
ig_redis_take(ig_redis_client_t *client, const ig_reply_t *reply, int64_t now)
{
    ngx_int_t    rc;
    ig_batch_t  *batch;

    if (client->sent == NULL) {
        return NGX_ERROR;
    }

    batch = client->list.head;
    client->late_row = 0;

    if (ig_redis_is_errand(batch)) {
        rc = ig_redis_errand_reply(client, (ig_errand_t *) batch, reply);

    } else if (batch->load != NULL) {
        rc = ig_redis_take_load(client, batch, reply);

    } else {
        rc = ig_redis_take_op(client, batch, reply);
    }

    if (rc != NGX_OK) {
        return NGX_ERROR;
    }

    batch->replies--;
    ig_redis_skip(client, now);

    return NGX_OK;
}
