/*
 * Owns: the application behind the proxy: reads a request, answers 200.
 * Borrows: the run's epoll set and its listening socket.
 * Called by: ig_load_run.c.
 *
 * It lives in the generator's loop because a process of its own costs a
 * context switch per request on the CPU they share, more than all it does;
 * a second nginx would cost three times as much again.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ig_load_conn.h"


#define IG_PEER_BUF  16384


struct ig_peer_s {
    ig_source_e   source;       /* IG_SOURCE_PEER */
    int           fd;
    ig_peer_t    *next;         /* all peers, so that the run can end them */
    ig_peer_t   **back;
    size_t        held;
    char          buf[IG_PEER_BUF];
};


static const char  ig_app_answer[] =
    "HTTP/1.1 200 OK\r\n"
    "Content-Type: application/json\r\n"
    "Content-Length: 37\r\n"
    "\r\n"
    "{\"id\":\"r-00000001\",\"state\":\"posted\"}\n";


/* The length of the first request in buf; 0: not whole yet, -1: not one. */

static long
ig_app_request(const char *buf, size_t n)
{
    long         length;
    const char  *end, *p;

    end = memmem(buf, n, "\r\n\r\n", 4);

    if (end == NULL) {
        return n == IG_PEER_BUF ? -1 : 0;
    }

    length = 0;
    p = buf;

    while ((p = memchr(p, '\n', (size_t) (end + 2 - p))) != NULL) {
        p++;

        if (strncasecmp(p, "content-length:", 15) == 0) {
            length = strtol(p + 15, NULL, 10);

        } else if (strncasecmp(p, "transfer-encoding:", 18) == 0) {
            return -1;
        }
    }

    length += end + 4 - buf;

    if (length < end + 4 - buf || length > IG_PEER_BUF) {
        return -1;
    }

    return (size_t) length <= n ? length : 0;
}


static void
ig_peer_close(ig_peer_t *peer)
{
    *peer->back = peer->next;

    if (peer->next != NULL) {
        peer->next->back = peer->back;
    }

    close(peer->fd);
    free(peer);
}


void
ig_peer_event(ig_peer_t *peer)
{
    long     len;
    ssize_t  n;

    n = recv(peer->fd, peer->buf + peer->held, IG_PEER_BUF - peer->held, 0);

    if (n <= 0) {
        if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
            ig_peer_close(peer);
        }

        return;
    }

    peer->held += (size_t) n;

    while (peer->held > 0) {
        len = ig_app_request(peer->buf, peer->held);

        if (len == 0) {
            return;
        }

        if (len < 0
            || send(peer->fd, ig_app_answer, sizeof(ig_app_answer) - 1,
                    MSG_NOSIGNAL)
               != (ssize_t) sizeof(ig_app_answer) - 1)
        {
            ig_peer_close(peer);
            return;
        }

        peer->held -= (size_t) len;
        memmove(peer->buf, peer->buf + len, peer->held);
    }
}


void
ig_app_event(ig_app_t *app)
{
    int                 fd, one;
    ig_peer_t          *peer;
    struct epoll_event  ev;

    one = 1;

    while ((fd = accept4(app->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC))
           >= 0)
    {
        peer = malloc(sizeof(ig_peer_t));

        if (peer == NULL) {
            close(fd);
            continue;
        }

        peer->source = IG_SOURCE_PEER;
        peer->fd = fd;
        peer->held = 0;
        peer->next = app->peers;
        peer->back = &app->peers;

        if (peer->next != NULL) {
            peer->next->back = &peer->next;
        }

        app->peers = peer;

        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        ev.events = EPOLLIN;
        ev.data.ptr = peer;

        if (epoll_ctl(app->ep, EPOLL_CTL_ADD, fd, &ev) != 0) {
            ig_peer_close(peer);
        }
    }
}


int
ig_app_open(ig_app_t *app, int ep, int fd)
{
    struct epoll_event  ev;

    app->source = IG_SOURCE_APP;
    app->ep = ep;
    app->fd = fd;
    app->peers = NULL;

    ev.events = EPOLLIN;
    ev.data.ptr = app;

    return epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev);
}


void
ig_app_close(ig_app_t *app)
{
    while (app->peers != NULL) {
        ig_peer_close(app->peers);
    }
}
