/*
 * Owns: the application behind the proxy: reads a request, answers 200.
 * Borrows: nothing; libc only.
 * Called by: bench.py.  Prints the port it got as one line, then serves until
 * it is killed or its parent ends.
 *
 * A second nginx would do as well, but costs three times the CPU, which on a
 * machine of two cores is taken from the nginx under test.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>


#define IG_BACKEND_FDS   4096
#define IG_BACKEND_BUF   16384


typedef struct {
    size_t  held;
    char    buf[IG_BACKEND_BUF];
} ig_peer_t;


static const char  ig_answer[] =
    "HTTP/1.1 200 OK\r\n"
    "Content-Type: application/json\r\n"
    "Content-Length: 37\r\n"
    "\r\n"
    "{\"id\":\"r-00000001\",\"state\":\"posted\"}\n";


static ig_peer_t  *ig_peers[IG_BACKEND_FDS];


/* The length of the first request in buf; 0: not whole yet, -1: not one. */

static long
ig_backend_request(const char *buf, size_t n)
{
    long         length;
    const char  *end, *p;

    end = memmem(buf, n, "\r\n\r\n", 4);

    if (end == NULL) {
        return n == IG_BACKEND_BUF ? -1 : 0;
    }

    length = 0;

    for (p = buf; p < end; p++) {
        p = memchr(p, '\n', (size_t) (end + 2 - p));

        if (p == NULL) {
            break;
        }

        if (strncasecmp(p + 1, "content-length:", 15) == 0) {
            length = strtol(p + 16, NULL, 10);

        } else if (strncasecmp(p + 1, "transfer-encoding:", 18) == 0) {
            return -1;
        }
    }

    length += end + 4 - buf;

    if (length > IG_BACKEND_BUF) {
        return -1;
    }

    return (size_t) length <= n ? length : 0;
}


static void
ig_backend_close(int fd)
{
    free(ig_peers[fd]);
    ig_peers[fd] = NULL;
    close(fd);
}


static void
ig_backend_read(int fd)
{
    long        len;
    ssize_t     n;
    ig_peer_t  *peer;

    peer = ig_peers[fd];
    n = recv(fd, peer->buf + peer->held, sizeof(peer->buf) - peer->held, 0);

    if (n <= 0) {
        if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
            ig_backend_close(fd);
        }

        return;
    }

    peer->held += (size_t) n;

    for ( ;; ) {
        len = ig_backend_request(peer->buf, peer->held);

        if (len == 0) {
            return;
        }

        if (len < 0
            || send(fd, ig_answer, sizeof(ig_answer) - 1, MSG_NOSIGNAL)
               != (ssize_t) sizeof(ig_answer) - 1)
        {
            ig_backend_close(fd);
            return;
        }

        peer->held -= (size_t) len;
        memmove(peer->buf, peer->buf + len, peer->held);

        if (peer->held == 0) {
            return;
        }
    }
}


static void
ig_backend_accept(int ep, int listener)
{
    int                 fd, one;
    struct epoll_event  ev;

    one = 1;

    for ( ;; ) {
        fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd < 0) {
            return;
        }

        if (fd >= IG_BACKEND_FDS
            || (ig_peers[fd] = calloc(1, sizeof(ig_peer_t))) == NULL)
        {
            close(fd);
            continue;
        }

        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        ev.events = EPOLLIN;
        ev.data.fd = fd;

        if (epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev) != 0) {
            ig_backend_close(fd);
        }
    }
}


static int
ig_backend_listen(void)
{
    int                 fd;
    socklen_t           len;
    struct sockaddr_in  sin;

    memset(&sin, 0, sizeof(sin));
    sin.sin_family = AF_INET;
    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    len = sizeof(sin);

    fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0
        || bind(fd, (struct sockaddr *) &sin, sizeof(sin)) != 0
        || listen(fd, 1024) != 0
        || getsockname(fd, (struct sockaddr *) &sin, &len) != 0)
    {
        perror("ig_backend: listen");
        return -1;
    }

    printf("%u\n", (unsigned) ntohs(sin.sin_port));
    fflush(stdout);

    return fd;
}


int
main(void)
{
    int                 ep, i, listener, n;
    struct epoll_event  ev, events[256];

    prctl(PR_SET_PDEATHSIG, SIGTERM);

    listener = ig_backend_listen();
    ep = epoll_create1(EPOLL_CLOEXEC);

    if (listener < 0 || ep < 0) {
        return 2;
    }

    ev.events = EPOLLIN;
    ev.data.fd = listener;

    if (epoll_ctl(ep, EPOLL_CTL_ADD, listener, &ev) != 0) {
        return 2;
    }

    for ( ;; ) {
        n = epoll_wait(ep, events, 256, -1);

        for (i = 0; i < n; i++) {
            if (events[i].data.fd == listener) {
                ig_backend_accept(ep, listener);

            } else {
                ig_backend_read(events[i].data.fd);
            }
        }

        if (n < 0 && errno != EINTR) {
            perror("ig_backend: epoll_wait");
            return 2;
        }
    }
}
