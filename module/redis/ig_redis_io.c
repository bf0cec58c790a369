/*
 * ig_redis_io.c: bytes to and from Redis: commands of a turn of the event
 * loop in one send, replies of a read in one go.
 * Owns: what is in the buffers.  Called by nginx's events and the client.
 */

#include "ig_redis_int.h"


static unsigned
ig_redis_write_ops(ig_batch_t *batch, ig_buf_t *b)
{
    char      *start;
    unsigned   i, n, replies;

    replies = 0;

    for (i = 0; i < batch->nops; i++) {
        start = b->pos;

        n = ig_redis_op_write(b, &batch->op[i],
                              batch->note == NULL ? NULL : &batch->note[i],
                              &batch->recipe[i]);

        if (b->full) {
            /* a key longer than any there can be; half a command never goes */
            b->pos = start;
            b->full = false;
            batch->op[i].state = IG_OP_FAILED;
            continue;
        }

        replies += n;
    }

    return replies;
}


/* Room for `size` bytes behind out_last, if it can be made. */
static ngx_uint_t
ig_redis_out_room(ig_redis_client_t *client, size_t size)
{
    size_t  len;

    len = client->out_last - client->out_pos;

    if (IG_REDIS_OUT - (size_t) (client->out_last - client->out) >= size) {
        return 1;
    }

    if (IG_REDIS_OUT - len < size) {
        return 0;
    }

    ngx_memmove(client->out, client->out_pos, len);
    client->out_pos = client->out;
    client->out_last = client->out + len;

    return 1;
}


/* Bytes its commands may need. */
static size_t
ig_redis_batch_size(const ig_batch_t *batch)
{
    size_t  n;

    n = batch->nops;

    if (batch->load != NULL) {
        n += 1 + (batch->load->since != NULL ? batch->load->policy->ncounters
                                             : 0);
    }

    return n * IG_REDIS_OP_TEXT;
}


static void
ig_redis_write_commands(ig_redis_client_t *client)
{
    size_t        size;
    unsigned      commands;
    ig_buf_t      b;
    ig_batch_t   *batch;
    ig_errand_t  *errand;

    commands = 0;

    while ((batch = ig_redis_unwritten(client)) != NULL) {

        errand = ig_redis_is_errand(batch) ? (ig_errand_t *) batch : NULL;

        size = errand != NULL ? ig_redis_errand_size(client, errand)
                              : ig_redis_batch_size(batch);

        if (!ig_redis_out_room(client, size)) {
            break;
        }

        ig_buf_init(&b, (char *) client->out_last, size);

        batch->replies = errand != NULL
                         ? ig_redis_errand_write(client, errand, &b)
                         : batch->load != NULL
                         ? ig_redis_load_write(&b, batch, ig_redis_now())
                         : ig_redis_write_ops(batch, &b);

        client->out_last = (u_char *) b.pos;
        client->sent = batch;
        commands += batch->replies;
    }

    if (commands != 0) {
        ig_metric_add(client->conf->metrics, redis_commands, commands);
    }
}


ngx_int_t
ig_redis_send(ig_redis_client_t *client)
{
    ssize_t            n;
    ngx_connection_t  *c;

    c = client->connection;

    while (client->out_pos != client->out_last) {

        n = c->send(c, client->out_pos, client->out_last - client->out_pos);

        if (n == NGX_AGAIN || n == 0) {
            return ngx_handle_write_event(c->write, 0) == NGX_OK ? NGX_AGAIN
                                                                 : NGX_ERROR;
        }

        if (n == NGX_ERROR) {
            return NGX_ERROR;
        }

        client->out_pos += n;
    }

    client->out_pos = client->out;
    client->out_last = client->out;

    return ngx_handle_write_event(c->write, 0);
}


void
ig_redis_flush(ig_redis_client_t *client)
{
    ngx_int_t  rc;

    if (client->link != IG_LINK_READY) {
        return;
    }

    client->connection->idle = 0;

    do {
        ig_redis_write_commands(client);

        rc = ig_redis_send(client);

        if (rc == NGX_ERROR) {
            ig_redis_disconnect(client, ngx_socket_errno, "send() failed");
            return;
        }

    } while (rc == NGX_OK && ig_redis_unwritten(client) != NULL);

    if (client->sent != NULL && client->list.head->replies == 0) {
        ig_redis_skip(client, ig_redis_clock());
    }

    client->connection->idle = client->list.head == NULL;
}


/* The next reply; the last one of a transaction is like no other. */
static int
ig_redis_next(ig_redis_client_t *client, const ig_reply_t **reply)
{
    ig_batch_t  *batch;

    batch = client->list.head;

    ig_redis_reader_results(client->reader,
                            client->sent != NULL && batch->load != NULL
                            && batch->replies == 1
                            && ig_redis_load_is_atomic(batch));

    return ig_redis_reader_next(client->reader, reply);
}


/* All replies that are whole; NGX_ERROR: the connection is of no more use. */
static ngx_int_t
ig_redis_replies(ig_redis_client_t *client, int64_t now)
{
    int                rc;
    const ig_reply_t  *reply;

    while ((rc = ig_redis_next(client, &reply)) == IG_OK) {

        if (client->link < IG_LINK_READY) {

            if (ig_redis_handshake_reply(client, reply) != NGX_OK) {
                ig_redis_disconnect(client, 0, client->why);
                return NGX_ERROR;
            }

            continue;
        }

        if (ig_redis_take(client, reply, now) != NGX_OK) {
            rc = IG_ERROR;
            break;
        }
    }

    if (rc == IG_ERROR) {
        ig_metric_add(client->conf->metrics, redis_errors, 1);
        ig_redis_disconnect(client, 0, "a reply nobody asked for");
        return NGX_ERROR;
    }

    return NGX_OK;
}


void
ig_redis_receive(ig_redis_client_t *client)
{
    int64_t            now;
    ssize_t            n;
    ngx_connection_t  *c;

    c = client->connection;
    now = ig_redis_clock();

    for ( ;; ) {
        n = c->recv(c, client->in, IG_REDIS_IN);

        if (n == NGX_AGAIN) {
            break;
        }

        if (n == NGX_ERROR) {
            ig_redis_disconnect(client, ngx_socket_errno, "recv() failed");
            return;
        }

        if (n == 0) {
            ig_redis_disconnect(client, 0, client->fatal
                                           ? client->why
                                           : "the server closed it");
            return;
        }

        if (ig_redis_reader_feed(client->reader, (char *) client->in,
                                 (size_t) n)
            != IG_OK)
        {
            ig_redis_disconnect(client, NGX_ENOMEM, "no memory");
            return;
        }

        if (ig_redis_replies(client, now) != NGX_OK) {
            return;
        }
    }

    if (client->fatal) {
        ig_redis_disconnect(client, 0, client->why);
        return;
    }

    if (ngx_handle_read_event(c->read, 0) != NGX_OK) {
        ig_redis_disconnect(client, 0, "no events");
        return;
    }

    ig_redis_breaker_replies(client);

    if (ig_redis_unwritten(client) != NULL) {
        ig_redis_flush(client);

    } else {
        c->idle = client->link == IG_LINK_READY && client->list.head == NULL;
    }
}
