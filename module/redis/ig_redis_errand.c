/*
 * ig_redis_errand.c: what the client sends for itself: a probe with the
 * warm-up markers every few seconds, and commands that must follow an op.
 * Owns: errands, recycled; since when each counter is remembered.
 * Called by the client's other files.
 */

#include "ig_redis_int.h"


/* NULL: no memory. */
static ig_errand_t *
ig_redis_errand_new(ig_redis_client_t *client, const ig_op_t *op)
{
    ig_errand_t  *errand;

    if (client->spare != NULL) {
        errand = (ig_errand_t *) client->spare;
        client->spare = client->spare->next;

    } else {
        errand = ngx_palloc(client->pool, sizeof(ig_errand_t));
        if (errand == NULL) {
            return NULL;
        }
    }

    ngx_memzero(errand, sizeof(ig_errand_t));

    errand->op = *op;

    return errand;
}


static void
ig_redis_errand_send(ig_redis_client_t *client, ig_errand_t *errand)
{
    errand->reply = 0;
    errand->batch.state = IG_BATCH_SENT;
    errand->batch.submitted = ig_redis_clock();

    ig_redis_append(client, &errand->batch);
}


void
ig_redis_errand_again(ig_redis_client_t *client, const ig_op_t *op)
{
    ig_errand_t  *errand;

    errand = ig_redis_errand_new(client, op);

    if (errand != NULL) {
        ig_redis_errand_send(client, errand);
    }
}


void
ig_redis_errand_life(ig_redis_client_t *client, const ig_op_t *op)
{
    ig_errand_t  *errand;

    if (client->nlives >= IG_REDIS_LIVES || !ig_redis_op_expires(op)) {
        return;
    }

    errand = ig_redis_errand_new(client, op);

    if (errand != NULL) {
        errand->life = 1;
        errand->batch.next = client->lives;
        client->lives = &errand->batch;
        client->nlives++;
    }
}


void
ig_redis_errand_lives(ig_redis_client_t *client)
{
    ig_batch_t  *batch;

    while (client->lives != NULL) {
        batch = client->lives;
        client->lives = batch->next;

        ig_redis_errand_send(client, (ig_errand_t *) batch);
    }

    client->nlives = 0;
}


void
ig_redis_errand_lost(ig_redis_client_t *client, ig_errand_t *errand)
{
    ig_op_t  op;

    if (!errand->tick) {
        op = errand->op;
        ig_redis_errand_free(client, errand);
        ig_redis_errand_life(client, &op);

    } else {
        ig_redis_errand_free(client, errand);
    }
}


void
ig_redis_errand_tick(ig_redis_client_t *client, ngx_uint_t first)
{
    ig_errand_t  *errand;

    errand = &client->tick;
    client->ticking = 1;

    ngx_memzero(errand, sizeof(ig_errand_t));

    errand->tick = 1;
    errand->batch.state = IG_BATCH_SENT;
    errand->batch.submitted = ig_redis_clock();

    if (first) {
        ig_redis_prepend(client, &errand->batch);

    } else {
        ig_redis_append(client, &errand->batch);
    }
}


void
ig_redis_errand_ask(ig_redis_client_t *client)
{
    int64_t  age;

    age = ig_redis_clock() - client->tick.batch.submitted;

    if (!client->ticking && age >= IG_REDIS_ASK * 1000) {
        ig_redis_errand_tick(client, 0);
    }
}


void
ig_redis_errand_free(ig_redis_client_t *client, ig_errand_t *errand)
{
    if (errand->tick) {
        client->ticking = 0;
        return;
    }

    errand->batch.next = client->spare;
    client->spare = &errand->batch;
}


size_t
ig_redis_errand_size(const ig_redis_client_t *client,
    const ig_errand_t *errand)
{
    return IG_REDIS_OP_TEXT * (errand->tick ? client->nwarm + 1 : 1);
}


unsigned
ig_redis_errand_write(ig_redis_client_t *client, ig_errand_t *errand,
    ig_buf_t *b)
{
    ngx_uint_t  i;

    if (errand->life) {
        return ig_redis_op_expire(b, &errand->op);
    }

    if (!errand->tick) {
        return ig_redis_op_again(b, &errand->op);
    }

    ig_buf_lit(b, "*1\r\n$4\r\nPING\r\n");

    for (i = 0; i < client->nwarm; i++) {
        ig_redis_marker_write(b, client->warm[i], ig_redis_now());
    }

    return 1 + (unsigned) client->nwarm * IG_REDIS_MARKER_REPLIES;
}


/* The reply to a marker's SET or GET. */
static void
ig_redis_marker_reply(ig_redis_client_t *client, ngx_uint_t i,
    const ig_reply_t *reply)
{
    const ig_counter_t  *counter;

    if (i % IG_REDIS_MARKER_REPLIES != IG_REDIS_MARKER_REPLIES - 1) {
        return;
    }

    counter = client->warm[i / IG_REDIS_MARKER_REPLIES];
    client->since[counter->id] = ig_redis_marker_value(reply);
}


ngx_int_t
ig_redis_errand_reply(ig_redis_client_t *client, ig_errand_t *errand,
    const ig_reply_t *reply)
{
    ngx_uint_t  i;

    i = errand->reply++;

    if (reply->type == IG_REPLY_ERROR) {
        ig_redis_error_reply(client, reply);

    } else if (!errand->tick) {
        /* each follow-up command answers with a number */
        return reply->type == IG_REPLY_INTEGER ? NGX_OK : NGX_ERROR;

    } else if (reply->type != IG_REPLY_STRING
               && (i == 0 || reply->type != IG_REPLY_NIL))
    {
        return NGX_ERROR;
    }

    if (errand->tick && i != 0) {
        ig_redis_marker_reply(client, i - 1, reply);
    }

    return NGX_OK;
}
