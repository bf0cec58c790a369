/*
 * ig_ctl_list.c: `integrityctl list`: puts a key on a list, takes it off, or
 * asks for it, by way of nginx's integrity_control on a unix socket, so that
 * it is recorded there and works with either store.
 * Owns: the socket.  Called by integrityctl.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <stdio.h>

#include "ig_buf.h"
#include "ig_ctl.h"

#define IG_LIST_REQUEST  8192
#define IG_LIST_ANSWER   8192
#define IG_LIST_TIMEOUT  10             /* s */

/* Not in the path of a request: it would end there. */
#define IG_LIST_URI_STOPS  " \t\r\n?#"


typedef struct {
    const char   *op;
    const char   *list;
    const char   *socket;
    const char   *uri;
    const char   *reason;
    const char   *by;
    const char   *time;         /* --for */
    const char   *tenant;
    char        **key;          /* "FIELD=VALUE" */
    int           nkeys;
} ig_list_request_t;


/* -- arguments ----------------------------------------------------------- */


/* "--name VALUE" or "--name=VALUE"; NULL where arg is none of the options. */
static const char **
ig_list_option(ig_list_request_t *q, const char *arg, const char **value)
{
    size_t  i, len;

    const struct {
        const char   *name;
        const char  **value;
    } option[] = {
        { "--socket", &q->socket }, { "--uri", &q->uri },
        { "--reason", &q->reason }, { "--by", &q->by },
        { "--for", &q->time },      { "--tenant", &q->tenant }
    };

    for (i = 0; i < ig_countof(option); i++) {
        len = strlen(option[i].name);

        if (strncmp(arg, option[i].name, len) == 0
            && (arg[len] == '\0' || arg[len] == '='))
        {
            *value = arg[len] == '=' ? arg + len + 1 : NULL;
            return option[i].value;
        }
    }

    return NULL;
}


/* Options go to q; what is left moves to the front of argv. */
static int
ig_list_options(ig_list_request_t *q, int argc, char **argv, int *left)
{
    int           i;
    const char   *value, **option;

    *left = 1;

    for (i = 1; i < argc; i++) {

        if (strncmp(argv[i], "--", 2) != 0) {
            argv[(*left)++] = argv[i];
            continue;
        }

        option = ig_list_option(q, argv[i], &value);

        if (option == NULL) {
            return ig_ctl_usage(&ig_ctl_list, "unknown option \"%s\"",
                                argv[i]);
        }

        if (value == NULL && i + 1 < argc) {
            value = argv[++i];
        }

        if (value == NULL || *value == '\0') {
            return ig_ctl_usage(&ig_ctl_list, "\"%s\" needs a value", argv[i]);
        }

        *option = value;
    }

    return IG_CTL_OK;
}


static int
ig_list_check(const ig_list_request_t *q)
{
    int   i;
    bool  add, remove;

    add = strcmp(q->op, "add") == 0;
    remove = strcmp(q->op, "remove") == 0;

    if (!add && !remove && strcmp(q->op, "show") != 0) {
        return ig_ctl_usage(&ig_ctl_list, "expected \"add\", \"remove\" or"
                            " \"show\" instead of \"%s\"", q->op);
    }

    for (i = 0; i < q->nkeys; i++) {
        if (strchr(q->key[i], '=') == NULL) {
            return ig_ctl_usage(&ig_ctl_list, "\"%s\" is not FIELD=VALUE",
                                q->key[i]);
        }
    }

    if (q->socket == NULL) {
        return ig_ctl_usage(&ig_ctl_list, "--socket unix:PATH is missing");
    }

    if (q->uri[0] != '/' || strpbrk(q->uri, IG_LIST_URI_STOPS) != NULL) {
        return ig_ctl_usage(&ig_ctl_list, "\"%s\" is no path", q->uri);
    }

    if (add && q->time == NULL) {
        return ig_ctl_usage(&ig_ctl_list, "--for TIME is missing");
    }

    if ((add || remove) && (q->reason == NULL || q->by == NULL)) {
        return ig_ctl_usage(&ig_ctl_list, "%s is missing",
                            q->reason == NULL ? "--reason TEXT"
                                              : "--by NAME");
    }

    return IG_CTL_OK;
}


/* -- the request --------------------------------------------------------- */


static ig_str_t
ig_list_str(const char *s)
{
    return (ig_str_t) { strlen(s), s };
}


/* ,"name":"value" where there is one. */
static void
ig_list_member(ig_buf_t *b, const char *name, const char *value)
{
    if (value != NULL) {
        ig_buf_lit(b, ",\"");
        ig_buf_str_add(b, ig_list_str(name));
        ig_buf_lit(b, "\":");
        ig_buf_json_string(b, ig_list_str(value));
    }
}


static void
ig_list_body(ig_buf_t *b, const ig_list_request_t *q)
{
    int       i;
    ig_str_t  field;

    ig_buf_lit(b, "{\"op\":");
    ig_buf_json_string(b, ig_list_str(q->op));
    ig_list_member(b, "list", q->list);
    ig_list_member(b, "for", q->time);
    ig_list_member(b, "reason", q->reason);
    ig_list_member(b, "by", q->by);
    ig_list_member(b, "tenant", q->tenant);

    ig_buf_lit(b, ",\"key\":{");

    for (i = 0; i < q->nkeys; i++) {
        field.data = q->key[i];
        field.len = (size_t) (strchr(q->key[i], '=') - q->key[i]);

        ig_buf_bytes(b, ",", i > 0);
        ig_buf_json_string(b, field);
        ig_buf_char(b, ':');
        ig_buf_json_string(b, ig_list_str(field.data + field.len + 1));
    }

    ig_buf_lit(b, "}}");
}


static int
ig_list_write(ig_buf_t *b, const ig_list_request_t *q)
{
    char      memory[IG_LIST_REQUEST / 2];
    ig_buf_t  body;

    ig_buf_init(&body, memory, sizeof(memory));
    ig_list_body(&body, q);

    ig_buf_lit(b, "POST ");
    ig_buf_str_add(b, ig_list_str(q->uri));
    ig_buf_lit(b, " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                  "Content-Type: application/json\r\nContent-Length: ");
    ig_buf_u64(b, (uint64_t) (body.pos - body.start));
    ig_buf_lit(b, "\r\n\r\n");
    ig_buf_str_add(b, ig_buf_str(&body));

    if (body.full || b->full) {
        return ig_ctl_error("the arguments are too long");
    }

    return IG_CTL_OK;
}


/* -- the socket ---------------------------------------------------------- */


/* A connected socket, or -1 and the reason told. */
static int
ig_list_connect(const char *name)
{
    int                 fd;
    struct timeval      limit = { IG_LIST_TIMEOUT, 0 };
    struct sockaddr_un  sun;

    memset(&sun, 0, sizeof(sun));
    sun.sun_family = AF_UNIX;

    if (strncmp(name, "unix:", 5) == 0) {
        name += 5;
    }

    if (strlen(name) >= sizeof(sun.sun_path)) {
        (void) ig_ctl_error("\"%s\" is too long for a socket", name);
        return -1;
    }

    strcpy(sun.sun_path, name);

    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0
        || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) != 0
        || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) != 0
        || connect(fd, (struct sockaddr *) &sun, sizeof(sun)) != 0)
    {
        (void) ig_ctl_error("cannot connect to \"%s\": %s", name,
                            strerror(errno));

        if (fd >= 0) {
            close(fd);
        }

        return -1;
    }

    return fd;
}


static bool
ig_list_send(int fd, ig_str_t request)
{
    ssize_t  n;

    while (request.len > 0) {
        n = send(fd, request.data, request.len, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR) {
            continue;
        }

        if (n <= 0) {
            return false;
        }

        request.data += n;
        request.len -= (size_t) n;
    }

    return true;
}


/* All until the other side closes; false: it did not, or says too much. */
static bool
ig_list_receive(int fd, char *answer, size_t size, size_t *len)
{
    ssize_t  n;

    *len = 0;

    while (*len < size) {
        n = recv(fd, answer + *len, size - *len, 0);

        if (n < 0 && errno == EINTR) {
            continue;
        }

        if (n <= 0) {
            return n == 0;
        }

        *len += (size_t) n;
    }

    return false;
}


/* -- the answer ---------------------------------------------------------- */


/* Prints the body; what the status says of it is the exit code. */
static int
ig_list_answer(const ig_list_request_t *q, char *answer, size_t len)
{
    int          status;
    const char  *body;

    answer[len] = '\0';

    body = strstr(answer, "\r\n\r\n");

    if (body == NULL || sscanf(answer, "HTTP/1.%*1[01] %3d", &status) != 1) {
        return ig_ctl_error("what answers at \"%s\" is not nginx", q->socket);
    }

    body += 4;

    /* pages of nginx's own are HTML */

    if (*body != '{') {
        (void) ig_ctl_error("\"%s\" answers with status %d", q->uri, status);
        return IG_CTL_FAILED;
    }

    fputs(body, stdout);

    if (status != 200) {
        return IG_CTL_FAILED;
    }

    return strcmp(q->op, "show") == 0
           && strstr(body, "\"listed\":true") == NULL
           ? IG_CTL_FAILED : IG_CTL_OK;
}


static int
ig_list_ask(const ig_list_request_t *q)
{
    int       fd, rc;
    bool      done;
    char      request[IG_LIST_REQUEST], answer[IG_LIST_ANSWER + 1];
    size_t    len;
    ig_buf_t  b;

    ig_buf_init(&b, request, sizeof(request));

    rc = ig_list_write(&b, q);
    if (rc != IG_CTL_OK) {
        return rc;
    }

    fd = ig_list_connect(q->socket);
    if (fd < 0) {
        return IG_CTL_USAGE;
    }

    done = ig_list_send(fd, ig_buf_str(&b))
           && ig_list_receive(fd, answer, IG_LIST_ANSWER, &len);
    close(fd);

    if (!done) {
        return ig_ctl_error("no answer from \"%s\": %s", q->socket,
                            strerror(errno));
    }

    return ig_list_answer(q, answer, len);
}


static int
ig_list_run(int argc, char **argv)
{
    int                rc, left;
    ig_list_request_t  q = { .uri = "/integrity/control" };

    rc = ig_list_options(&q, argc, argv, &left);
    if (rc != IG_CTL_OK) {
        return rc;
    }

    if (left < 4) {
        return ig_ctl_usage(&ig_ctl_list, "expected \"add\", \"remove\" or"
                            " \"show\", a list and FIELD=VALUE");
    }

    q.op = argv[1];
    q.list = argv[2];
    q.key = argv + 3;
    q.nkeys = left - 3;

    rc = ig_list_check(&q);

    return rc == IG_CTL_OK ? ig_list_ask(&q) : rc;
}


const ig_ctl_command_t  ig_ctl_list = {
    "list",
    "add|remove|show LIST FIELD=VALUE... [OPTION...]",
    "Put a key on a list, take it off, or ask whether it is on it",
    "The key is named by the fields of the list's key=, as calls send them.\n"
    "nginx is asked, where a location has integrity_control; a change is\n"
    "recorded in the audit log before it takes effect, the key's private\n"
    "fields as pseudonyms, and holds at once on every node that shares the\n"
    "store.\n"
    "\n"
    "--socket unix:PATH  the socket nginx listens on\n"
    "--uri URI           the location's path, by default /integrity/control\n"
    "--for TIME          add: for how long from now, as 12h or 7d, also\n"
    "                    where the key is on the list already\n"
    "--reason TEXT       add, remove: why; in the audit log\n"
    "--by NAME           add, remove: who says so; in the audit log\n"
    "--tenant NAME       where places have an integrity_tenant\n"
    "\n"
    "Prints nginx's answer, one JSON object.\n"
    "\n"
    "Exit codes: 0 done, or the key is on the list; 1 refused, or the key is\n"
    "not on it; 2 bad arguments, or no answer.\n",
    ig_list_run
};
