/*
 * ig_ctl_control.c: asking a running nginx: JSON over HTTP, on a unix socket.
 * Owns: the socket.  Called by ig_ctl_list.c and others that ask.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "ig_ctl_control.h"

#define IG_CONTROL_HEAD     1024
#define IG_CONTROL_TIMEOUT  10          /* s */

/* Not in the path of a request: it would end there. */
#define IG_CONTROL_URI_STOPS  " \t\r\n?#"

/* Nothing came back, and the connection is gone: it was nginx's to close. */
#define IG_CONTROL_GONE  (-1)


int
ig_control_init(ig_control_t *c, const ig_ctl_command_t *command,
    const char *socket, const char *uri)
{
    c->fd = -1;
    c->socket = socket;
    c->uri = uri;

    if (socket == NULL) {
        return ig_ctl_usage(command, "--socket unix:PATH is missing");
    }

    if (uri[0] != '/' || strlen(uri) > IG_CONTROL_HEAD / 2
        || strpbrk(uri, IG_CONTROL_URI_STOPS) != NULL)
    {
        return ig_ctl_usage(command, "\"%s\" is no path", uri);
    }

    return IG_CTL_OK;
}


void
ig_control_close(ig_control_t *c)
{
    if (c->fd >= 0) {
        (void) close(c->fd);
        c->fd = -1;
    }
}


/* -- the socket ---------------------------------------------------------- */


static int
ig_control_connect(ig_control_t *c)
{
    int                 err;
    const char         *name;
    struct timeval      limit = { IG_CONTROL_TIMEOUT, 0 };
    struct sockaddr_un  sun;

    memset(&sun, 0, sizeof(sun));
    sun.sun_family = AF_UNIX;

    name = strncmp(c->socket, "unix:", 5) == 0 ? c->socket + 5 : c->socket;

    if (strlen(name) >= sizeof(sun.sun_path)) {
        return ig_ctl_error("\"%s\" is too long for a socket", name);
    }

    strcpy(sun.sun_path, name);

    c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (c->fd < 0
        || setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit))
           != 0
        || setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit))
           != 0
        || connect(c->fd, (struct sockaddr *) &sun, sizeof(sun)) != 0)
    {
        err = errno;
        ig_control_close(c);
        return ig_ctl_error("cannot connect to \"%s\": %s", name,
                            strerror(err));
    }

    return IG_CTL_OK;
}


static bool
ig_control_send(int fd, ig_str_t text)
{
    ssize_t  n;

    while (text.len > 0) {
        n = send(fd, text.data, text.len, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR) {
            continue;
        }

        if (n <= 0) {
            return false;
        }

        text.data += n;
        text.len -= (size_t) n;
    }

    return true;
}


static ssize_t
ig_control_recv(int fd, char *to, size_t room)
{
    ssize_t  n;

    do {
        n = recv(fd, to, room, 0);
    } while (n < 0 && errno == EINTR);

    return n;
}


/* -- the answer ---------------------------------------------------------- */


/* A header's value, up to its line's end; NULL: there is none. */
static const char *
ig_control_header(const char *head, const char *name)
{
    size_t       len;
    const char  *line;

    len = strlen(name);

    for (line = strstr(head, "\r\n"); line && line[2] != '\r';
         line = strstr(line + 2, "\r\n"))
    {
        if (strncasecmp(line + 2, name, len) == 0 && line[2 + len] == ':') {
            line += 2 + len + 1;
            return line + strspn(line, " ");
        }
    }

    return NULL;
}


/* The head of an answer of which `len` bytes came; *size: of all of it, or 0
 * where only the end of the connection tells. */
static bool
ig_control_head(ig_control_t *c, size_t len, size_t *size)
{
    char        *body;
    const char  *value;

    c->answer[len] = '\0';
    body = strstr(c->answer, "\r\n\r\n");

    if (body == NULL) {
        return false;
    }

    c->body.data = body + 4;
    *size = 0;

    value = ig_control_header(c->answer, "Content-Length");

    if (value) {
        *size = (size_t) (body + 4 - c->answer) + strtoul(value, NULL, 10);
    }

    return true;
}


/* IG_CTL_OK, IG_CONTROL_GONE, or IG_CTL_USAGE and told. */
static int
ig_control_receive(ig_control_t *c)
{
    size_t   len, size;
    ssize_t  n;

    size = 0;

    for (len = 0; len < IG_CONTROL_ANSWER; len += (size_t) n) {
        n = ig_control_recv(c->fd, c->answer + len, IG_CONTROL_ANSWER - len);

        if (n < 0 && (len > 0 || errno != ECONNRESET)) {
            return ig_ctl_error("no answer from \"%s\": %s", c->socket,
                                strerror(errno));
        }

        if (n <= 0 && len == 0) {
            return IG_CONTROL_GONE;
        }

        if (ig_control_head(c, len + (size_t) n, &size)
            && ((size == 0 && n == 0) || (size && len + (size_t) n >= size)))
        {
            c->body.len = (size_t) (c->answer + len + (size_t) n
                                    - c->body.data);
            return IG_CTL_OK;
        }

        if (n == 0) {
            break;
        }
    }

    return ig_ctl_error("what answers at \"%s\" is not nginx", c->socket);
}


static int
ig_control_read(ig_control_t *c)
{
    int          rc;
    const char  *value;

    rc = ig_control_receive(c);

    if (rc != IG_CTL_OK) {
        ig_control_close(c);
        return rc;
    }

    value = ig_control_header(c->answer, "Connection");

    if (value == NULL || strncasecmp(value, "keep-alive", 10) != 0) {
        ig_control_close(c);
    }

    if (sscanf(c->answer, "HTTP/1.%*1[01] %3d", &c->status) != 1) {
        ig_control_close(c);
        return ig_ctl_error("what answers at \"%s\" is not nginx", c->socket);
    }

    /* pages of nginx's own are HTML */

    if (*c->body.data != '{') {
        (void) ig_ctl_error("\"%s\" answers with status %d", c->uri,
                            c->status);
        return IG_CTL_FAILED;
    }

    return IG_CTL_OK;
}


/* -- a question ---------------------------------------------------------- */


static int
ig_control_try(ig_control_t *c, ig_str_t head, ig_str_t question)
{
    int  rc;

    if (c->fd < 0) {
        rc = ig_control_connect(c);
        if (rc != IG_CTL_OK) {
            return rc;
        }
    }

    /* what was not taken whole may have been answered all the same */

    (void) (ig_control_send(c->fd, head) && ig_control_send(c->fd, question));

    return ig_control_read(c);
}


int
ig_control_ask(ig_control_t *c, ig_str_t question)
{
    int       rc;
    bool      kept;
    char      memory[IG_CONTROL_HEAD];
    ig_buf_t  head;

    ig_buf_init(&head, memory, sizeof(memory));

    ig_buf_lit(&head, "POST ");
    ig_buf_bytes(&head, c->uri, strlen(c->uri));
    ig_buf_lit(&head, " HTTP/1.1\r\nHost: localhost\r\n"
                      "Connection: keep-alive\r\n"
                      "Content-Type: application/json\r\nContent-Length: ");
    ig_buf_u64(&head, question.len);
    ig_buf_lit(&head, "\r\n\r\n");

    kept = c->fd >= 0;
    rc = ig_control_try(c, ig_buf_str(&head), question);

    if (rc == IG_CONTROL_GONE && kept) {

        /* nginx closed a connection that had nothing to do */
        rc = ig_control_try(c, ig_buf_str(&head), question);
    }

    return rc == IG_CONTROL_GONE
           ? ig_ctl_error("no answer from \"%s\": it closed the connection",
                          c->socket)
           : rc;
}
