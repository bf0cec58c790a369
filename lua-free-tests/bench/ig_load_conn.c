/*
 * Owns: the life of a connection: open, send, read, close.
 * Borrows: the run it belongs to, whose counts it keeps.
 * Called by: ig_load_run.c; calls ig_run_dispatch() when it falls idle.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ig_load_conn.h"


static void
ig_conn_watch(ig_run_t *run, ig_conn_t *c, uint32_t events)
{
    struct epoll_event  ev;

    if (c->events == events) {
        return;
    }

    ev.events = events;
    ev.data.ptr = c;

    epoll_ctl(run->ep, c->events ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, c->fd, &ev);
    c->events = events;
}


void
ig_conn_open(ig_run_t *run, ig_conn_t *c)
{
    int                 one;
    struct sockaddr_in  sin;

    one = 1;
    memset(&sin, 0, sizeof(sin));
    sin.sin_family = AF_INET;
    sin.sin_port = htons((uint16_t) run->conf->port);
    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);

    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (c->fd < 0) {
        run->result->connect_errors++;
        return;
    }

    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));

    if (connect(c->fd, (struct sockaddr *) &sin, sizeof(sin)) != 0
        && errno != EINPROGRESS)
    {
        run->result->connect_errors++;
        close(c->fd);
        c->fd = -1;
        return;
    }

    c->state = IG_CONN_CONNECTING;
    c->started = ig_run_now();
    c->events = 0;
    ig_conn_watch(run, c, EPOLLIN | EPOLLOUT);
}


void
ig_conn_close(ig_run_t *run, ig_conn_t *c)
{
    uint32_t  i, n;

    if (c->state == IG_CONN_SENDING || c->state == IG_CONN_WAITING) {
        run->busy--;
    }

    if (c->state == IG_CONN_IDLE) {
        n = (uint32_t) (c - run->conns);

        for (i = 0; run->idle[i] != n; i++) { /* void */ }

        run->idle[i] = run->idle[--run->nidle];
    }

    if (c->fd >= 0) {
        close(c->fd);
    }

    c->fd = -1;
    c->state = IG_CONN_CLOSED;
}


static void
ig_conn_idle(ig_run_t *run, ig_conn_t *c)
{
    c->state = IG_CONN_IDLE;
    run->idle[run->nidle++] = (uint32_t) (c - run->conns);
    ig_conn_watch(run, c, EPOLLIN);
}


/* a request is lost: counted, and the connection is not to be trusted */

static void
ig_conn_broken(ig_run_t *run, ig_conn_t *c)
{
    if (c->state == IG_CONN_CONNECTING) {
        run->result->connect_errors++;

    } else if (c->state != IG_CONN_IDLE) {
        run->result->broken++;
    }

    ig_conn_close(run, c);
}


void
ig_conn_push(ig_run_t *run, ig_conn_t *c)
{
    ssize_t  n;

    n = send(c->fd, c->text->data + c->sent, c->text->len - c->sent,
             MSG_NOSIGNAL);

    if (n < 0) {
        if (errno != EAGAIN && errno != EINTR) {
            ig_conn_broken(run, c);
            return;
        }

        n = 0;
    }

    c->sent += (size_t) n;

    if (c->sent < c->text->len) {
        ig_conn_watch(run, c, EPOLLIN | EPOLLOUT);
        return;
    }

    c->state = IG_CONN_WAITING;
    ig_conn_watch(run, c, EPOLLIN);
}


static void
ig_conn_done(ig_run_t *run, ig_conn_t *c)
{
    uint64_t  now;

    now = ig_run_now();

    run->busy--;
    run->last = now;
    run->result->requests++;
    run->result->status[c->reply.status]++;
    ig_hist_add(&run->result->latency, now - c->since);

    if (c->reply.close) {
        c->state = IG_CONN_CLOSED;
        ig_conn_close(run, c);
        return;
    }

    ig_conn_idle(run, c);
    ig_run_dispatch(run);
}


static void
ig_conn_read(ig_run_t *run, ig_conn_t *c)
{
    char     buf[16384];
    ssize_t  n;

    n = recv(c->fd, buf, sizeof(buf), 0);

    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }

    if (c->state == IG_CONN_IDLE || n < 0) {
        ig_conn_broken(run, c);
        return;
    }

    run->result->bytes += (uint64_t) n;

    switch (n == 0 ? ig_reply_eof(&c->reply)
                   : ig_reply_feed(&c->reply, buf, (size_t) n))
    {
    case IG_FEED_DONE:
        ig_conn_done(run, c);
        return;

    case IG_FEED_BAD:
        ig_conn_broken(run, c);
        return;

    default:
        return;
    }
}


void
ig_conn_event(ig_run_t *run, ig_conn_t *c, uint32_t events)
{
    int        error;
    socklen_t  len;

    if (c->state == IG_CONN_CLOSED) {
        return;
    }

    if (c->state == IG_CONN_CONNECTING) {
        len = sizeof(error);
        error = 0;
        getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len);

        if (error != 0 || (events & (EPOLLERR | EPOLLHUP))) {
            ig_conn_broken(run, c);
            return;
        }

        run->result->connects++;
        ig_conn_idle(run, c);
        return;
    }

    if (c->state == IG_CONN_SENDING && (events & EPOLLOUT)) {
        ig_conn_push(run, c);
        return;
    }

    ig_conn_read(run, c);
}
