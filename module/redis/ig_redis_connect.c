/*
 * ig_redis_connect.c: the states of the connection: connecting, AUTH, SELECT,
 * PING, ready, and trying again.
 * Owns: the socket and the reader.  Called by nginx's events and the client.
 */

#include "ig_redis_int.h"


static void ig_redis_read_handler(ngx_event_t *ev);
static void ig_redis_write_handler(ngx_event_t *ev);
static void ig_redis_handshake(ig_redis_client_t *client);


void
ig_redis_link(ig_redis_client_t *client, ig_link_e link, ngx_msec_t timer)
{
    if (client->timer.timer_set) {
        ngx_del_timer(&client->timer);
    }

    if (timer != 0) {
        ngx_add_timer(&client->timer, timer);
    }

    if ((link == IG_LINK_READY) != (client->link == IG_LINK_READY)) {
        ig_metric_add(client->conf->metrics, redis_up,
                      link == IG_LINK_READY ? 1 : -1);
        *client->conf->up = link == IG_LINK_READY;
    }

    client->link = link;
}


void
ig_redis_connect(ig_redis_client_t *client)
{
    ngx_err_t               err;
    ngx_int_t               rc;
    ngx_connection_t       *c;
    ig_redis_conf_t        *conf;
    ngx_peer_connection_t   pc;

    conf = client->conf;

    client->reader = ig_redis_reader_create();
    if (client->reader == NULL) {
        ig_redis_disconnect(client, NGX_ENOMEM, "no memory");
        return;
    }

    ngx_memzero(&pc, sizeof(ngx_peer_connection_t));

    pc.sockaddr = conf->addr.sockaddr;
    pc.socklen = conf->addr.socklen;
    pc.name = &conf->addr.name;
    pc.get = ngx_event_get_peer;
    pc.log = &client->quiet;
    pc.log_error = NGX_ERROR_INFO;
    pc.so_keepalive = conf->addr.sockaddr->sa_family != AF_UNIX;

    ngx_set_errno(0);

    rc = ngx_event_connect_peer(&pc);

    if (rc != NGX_OK && rc != NGX_AGAIN) {
        err = ngx_errno;
        ig_redis_disconnect(client, err, "connect() failed");
        return;
    }

    c = pc.connection;
    c->data = client;
    c->read->handler = ig_redis_read_handler;
    c->write->handler = ig_redis_write_handler;

    client->connection = c;
    ig_redis_link(client, IG_LINK_CONNECTING, conf->connect_timeout);

    if (pc.so_keepalive && ngx_tcp_nodelay(c) != NGX_OK) {
        ig_redis_disconnect(client, 0, "setsockopt() failed");
        return;
    }

    if (rc == NGX_OK) {
        ig_redis_handshake(client);
    }
}


/* The state after this one, up to PING. */
static ig_link_e
ig_redis_next_link(const ig_redis_client_t *client)
{
    if (client->link == IG_LINK_CONNECTING && client->conf->password.len != 0)
    {
        return IG_LINK_AUTH;
    }

    if (client->link < IG_LINK_SELECT && client->conf->db != 0) {
        return IG_LINK_SELECT;
    }

    return IG_LINK_PING;
}


static void
ig_redis_arg_ngx(ig_buf_t *b, const ngx_str_t *s)
{
    ig_redis_arg(b, (ig_str_t) { s->len, (const char *) s->data });
}


static void
ig_redis_handshake_write(ig_redis_client_t *client, ig_buf_t *b)
{
    char              memory[24];
    ig_buf_t          db;
    ig_redis_conf_t  *conf;

    conf = client->conf;

    switch (client->link) {

    case IG_LINK_AUTH:

        if (conf->user.len != 0) {
            ig_buf_lit(b, "*3\r\n$4\r\nAUTH\r\n");
            ig_redis_arg_ngx(b, &conf->user);

        } else {
            ig_buf_lit(b, "*2\r\n$4\r\nAUTH\r\n");
        }

        ig_redis_arg_ngx(b, &conf->password);
        break;

    case IG_LINK_SELECT:
        ig_buf_init(&db, memory, sizeof(memory));
        ig_buf_u64(&db, conf->db);

        ig_buf_lit(b, "*2\r\n$6\r\nSELECT\r\n");
        ig_redis_arg(b, ig_buf_str(&db));
        break;

    default:
        ig_buf_lit(b, "*1\r\n$4\r\nPING\r\n");
        break;
    }
}


/* Sends the next step's command; nothing else is written before READY. */
static void
ig_redis_handshake(ig_redis_client_t *client)
{
    ig_buf_t  b;

    client->link = ig_redis_next_link(client);

    ig_buf_init(&b, (char *) client->out, IG_REDIS_OUT);
    ig_redis_handshake_write(client, &b);

    client->out_pos = client->out;
    client->out_last = (u_char *) b.pos;

    if (ig_redis_send(client) == NGX_ERROR) {
        ig_redis_disconnect(client, ngx_socket_errno, "send() failed");
    }
}


static void
ig_redis_ready(ig_redis_client_t *client)
{
    ig_metric_add(client->conf->metrics, redis_connects, 1);

    ig_redis_log(client, NGX_LOG_NOTICE, 0, "connected");

    ig_redis_link(client, IG_LINK_READY, IG_REDIS_TICK);
    ig_redis_breaker(client, IG_BREAKER_CLOSED);

    /* since when it remembers is asked before anything is counted */
    ig_redis_errand_tick(client, 1);
    ig_redis_errand_lives(client);
    ig_redis_post_flush(client);
}


static const char *
ig_redis_link_command(ig_link_e link)
{
    return link == IG_LINK_AUTH ? "AUTH"
           : link == IG_LINK_SELECT ? "SELECT"
           : "PING";
}


ngx_int_t
ig_redis_handshake_reply(ig_redis_client_t *client, const ig_reply_t *reply)
{
    ig_str_t     code;
    const char  *command;

    command = ig_redis_link_command(client->link);

    if (reply->type == IG_REPLY_ERROR) {
        ig_metric_add(client->conf->metrics, redis_errors, 1);

        code = ig_reply_code(reply);
        (void) ngx_snprintf((u_char *) client->why, sizeof(client->why),
                            "%s was refused: %*s%Z", command,
                            code.len, code.data);
        return NGX_ERROR;
    }

    if (client->link == IG_LINK_CONNECTING
        || reply->type != IG_REPLY_STRING
        || !ig_str_eq(reply->str, client->link == IG_LINK_PING
                                  ? ig_str("PONG") : ig_str("OK")))
    {
        ig_metric_add(client->conf->metrics, redis_errors, 1);

        (void) ngx_snprintf((u_char *) client->why, sizeof(client->why),
                            "no reply to %s%Z", command);
        return NGX_ERROR;
    }

    if (client->link == IG_LINK_PING) {
        ig_redis_ready(client);

    } else {
        ig_redis_handshake(client);
    }

    return NGX_OK;
}


void
ig_redis_unlink(ig_redis_client_t *client)
{
    ngx_uint_t  i;

    if (client->connection != NULL) {
        ngx_close_connection(client->connection);
        client->connection = NULL;
    }

    ig_redis_reader_free(client->reader);
    client->reader = NULL;

    client->out_pos = client->out;
    client->out_last = client->out;
    client->late_row = 0;
    client->fatal = 0;

    /* whatever server comes next may remember less */

    for (i = 0; i < client->nwarm; i++) {
        client->since[client->warm[i]->id] = -1;
    }
}


void
ig_redis_disconnect(ig_redis_client_t *client, ngx_err_t err, const char *why)
{
    ngx_uint_t  lost, ready;

    ready = client->link >= IG_LINK_READY;

    client->failures++;

    ig_redis_unlink(client);
    ig_redis_link(client, IG_LINK_WAITING, ig_redis_backoff(client));
    ig_redis_breaker(client, IG_BREAKER_OPEN);

    lost = ig_redis_lost(client);

    if (lost != 0) {
        ig_metric_add(client->conf->metrics, redis_lost, lost);
    }

    if (ready) {
        ig_redis_log(client, NGX_LOG_ERR, err,
                     "connection lost: %s; %ui writes of unknown fate",
                     why, lost);

    } else {
        ig_redis_log(client, NGX_LOG_ERR, err, "no connection: %s", why);
    }
}


void
ig_redis_rest(ig_redis_client_t *client)
{
    ig_redis_unlink(client);
    ig_redis_link(client, IG_LINK_RESTING, 0);
    ig_redis_breaker(client, IG_BREAKER_UNTRIED);
}


/* nginx asks connections to close: all idle ones when a worker begins to
 * exit, any when its time for that is over. */
static void
ig_redis_asked_to_close(ig_redis_client_t *client)
{
    ngx_connection_t  *c;

    c = client->connection;

    if (c->error) {
        ig_redis_disconnect(client, 0, "the worker is shutting down");

    } else if (client->link == IG_LINK_READY && client->list.head == NULL) {
        ig_redis_rest(client);

    } else {
        c->close = 0;
    }
}


static void
ig_redis_read_handler(ngx_event_t *ev)
{
    ngx_connection_t   *c;
    ig_redis_client_t  *client;

    c = ev->data;
    client = c->data;

    if (c->close) {
        ig_redis_asked_to_close(client);

    } else {
        ig_redis_receive(client);
    }

    ig_redis_settle(client);
}


static void
ig_redis_test_connect(ig_redis_client_t *client)
{
    int        err;
    socklen_t  len;

    err = 0;
    len = sizeof(int);

    if (getsockopt(client->connection->fd, SOL_SOCKET, SO_ERROR,
                   (void *) &err, &len)
        == -1)
    {
        err = ngx_socket_errno;
    }

    if (err != 0) {
        ig_redis_disconnect(client, err, "connect() failed");
        return;
    }

    ig_redis_handshake(client);
}


static void
ig_redis_write_handler(ngx_event_t *ev)
{
    ngx_connection_t   *c;
    ig_redis_client_t  *client;

    c = ev->data;
    client = c->data;

    switch (client->link) {

    case IG_LINK_CONNECTING:
        ig_redis_test_connect(client);
        break;

    case IG_LINK_READY:
        ig_redis_flush(client);
        break;

    default:

        /* a command of the handshake, or what a stalled server did not take */

        if (ig_redis_send(client) == NGX_ERROR) {
            ig_redis_disconnect(client, ngx_socket_errno, "send() failed");
        }

        break;
    }

    ig_redis_settle(client);
}


static void
ig_redis_tick(ig_redis_client_t *client)
{
    if (ngx_exiting && client->list.head == NULL) {
        ig_redis_rest(client);
        return;
    }

    if (client->ticking
        && ig_redis_clock() - client->tick.batch.submitted
           >= IG_REDIS_TICK / 2 * 1000)
    {
        ig_redis_disconnect(client, NGX_ETIMEDOUT, "no reply to PING");
        return;
    }

    ig_redis_link(client, IG_LINK_READY, IG_REDIS_TICK);

    if (client->ticking) {
        /* asked out of turn a moment ago */
        return;
    }

    client->failures = 0;

    ig_redis_errand_tick(client, 0);
    ig_redis_flush(client);
}


void
ig_redis_timer_handler(ngx_event_t *ev)
{
    ngx_connection_t   *c;
    ig_redis_client_t  *client;

    c = ev->data;
    client = c->data;

    switch (client->link) {

    case IG_LINK_WAITING:
        ig_redis_connect(client);
        break;

    case IG_LINK_READY:
        ig_redis_tick(client);
        break;

    case IG_LINK_STALLED:
        ig_redis_disconnect(client, NGX_ETIMEDOUT, "it stays silent");
        break;

    default:
        ig_redis_disconnect(client, NGX_ETIMEDOUT, "connecting took too long");
        break;
    }

    ig_redis_settle(client);
}
