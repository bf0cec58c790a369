/*
 * ig_probe_store.c: ops on the embedded table, or on a real Redis over one
 * blocking connection, with the codec and the notes that nginx uses.
 * Owns: the table's memory, the connection, the reader.
 * Called by ig_store_probe.c.
 */

#include "ig_store_probe.h"

#include <errno.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "ig_redis_command.h"
#include "ig_window.h"


struct ig_probe_store_s {
    ig_table_t         *table;
    void               *memory;
    int                 fd;             /* -1: the table is the store */
    ig_redis_reader_t  *reader;
    bool                notes;
    unsigned long       commands;
    char                text[IG_MAX_OPS * IG_REDIS_OP_TEXT];
    ig_note_t           note[IG_MAX_OPS];
    uint8_t             recipe[IG_MAX_OPS];
};


void
ig_probe_fail(const char *fmt, ...)
{
    va_list  args;

    (void) fprintf(stderr, "ig_store_probe: ");
    va_start(args, fmt);
    (void) vfprintf(stderr, fmt, args);
    va_end(args);
    (void) fprintf(stderr, "\n");

    exit(2);
}


/* -- the connection ------------------------------------------------------ */

static int
ig_probe_connect_unix(const char *path)
{
    int                 fd;
    struct sockaddr_un  sun;

    memset(&sun, 0, sizeof(sun));
    sun.sun_family = AF_UNIX;

    if (strlen(path) >= sizeof(sun.sun_path)) {
        ig_probe_fail("the path \"%s\" is too long", path);
    }

    strcpy(sun.sun_path, path);

    fd = socket(AF_UNIX, SOCK_STREAM, 0);

    if (fd == -1
        || connect(fd, (struct sockaddr *) &sun, sizeof(sun)) == -1)
    {
        ig_probe_fail("%s: %s", path, strerror(errno));
    }

    return fd;
}


static int
ig_probe_connect(const char *address)
{
    int               fd, rc;
    char              host[256];
    const char       *port;
    struct addrinfo   hints, *res;

    if (strncmp(address, "unix:", 5) == 0) {
        return ig_probe_connect_unix(address + 5);
    }

    port = strrchr(address, ':');

    if (port == NULL || (size_t) (port - address) >= sizeof(host)) {
        ig_probe_fail("\"%s\" is no HOST:PORT", address);
    }

    memcpy(host, address, (size_t) (port - address));
    host[port - address] = '\0';

    memset(&hints, 0, sizeof(hints));
    hints.ai_socktype = SOCK_STREAM;

    rc = getaddrinfo(host, port + 1, &hints, &res);
    if (rc != 0) {
        ig_probe_fail("%s: %s", address, gai_strerror(rc));
    }

    fd = socket(res->ai_family, res->ai_socktype, res->ai_protocol);

    if (fd == -1 || connect(fd, res->ai_addr, res->ai_addrlen) == -1) {
        ig_probe_fail("%s: %s", address, strerror(errno));
    }

    freeaddrinfo(res);

    return fd;
}


static void
ig_probe_send(ig_probe_store_t *store, const ig_buf_t *b)
{
    ssize_t     n;
    const char *p;

    if (b->full) {
        ig_probe_fail("commands do not fit");
    }

    for (p = b->start; p < b->pos; p += n) {
        n = send(store->fd, p, (size_t) (b->pos - p), MSG_NOSIGNAL);

        if (n <= 0) {
            ig_probe_fail("send: %s", strerror(errno));
        }
    }
}


static const ig_reply_t *
ig_probe_reply(ig_probe_store_t *store)
{
    int                rc;
    char               bytes[4096];
    ssize_t            n;
    const ig_reply_t  *reply;

    for ( ;; ) {
        rc = ig_redis_reader_next(store->reader, &reply);

        if (rc == IG_OK) {
            return reply;
        }

        if (rc != IG_AGAIN) {
            ig_probe_fail("what Redis sent is no reply");
        }

        n = recv(store->fd, bytes, sizeof(bytes), 0);

        if (n <= 0) {
            ig_probe_fail("recv: %s", n == 0 ? "closed" : strerror(errno));
        }

        if (ig_redis_reader_feed(store->reader, bytes, (size_t) n) != IG_OK) {
            ig_probe_fail("no memory");
        }
    }
}


/* -- ops ----------------------------------------------------------------- */

static bool
ig_probe_has_buckets(const ig_counter_t *counter)
{
    return counter->kind == IG_COUNT || counter->kind == IG_SUM
           || counter->kind == IG_MEAN;
}


/* What an answered op tells the notes, as the client on the event loop does. */
static void
ig_probe_note(ig_probe_store_t *store, const ig_op_t *op,
    const ig_note_t *note, bool again, int64_t now)
{
    int64_t  window;

    if (!ig_probe_has_buckets(op->counter) || op->verb == IG_OP_READ) {
        return;
    }

    window = op->counter->window;

    if ((again && op->verb != IG_OP_UNDO)
        || (op->verb != IG_OP_ADD
            && ig_window_bucket(op->time, window)
               != ig_window_bucket(now, window)))
    {
        ig_table_forget(store->table, op);
        return;
    }

    if (op->verb == IG_OP_ADD) {
        if (!note->ttl_known || !note->prev_known) {
            ig_table_note(store->table, op, true, op->raw.prev,
                          op->raw.nprev);
        }

    } else if (op->verb == IG_OP_PUT && !note->ttl_known) {
        ig_table_note(store->table, op, false, 0, 0);
    }
}


static void
ig_probe_again(ig_probe_store_t *store, const ig_op_t *op)
{
    char      text[IG_REDIS_OP_TEXT];
    ig_buf_t  b;
    unsigned  replies;

    ig_buf_init(&b, text, sizeof(text));
    replies = ig_redis_op_again(&b, op);
    ig_probe_send(store, &b);
    store->commands += replies;

    while (replies-- != 0) {
        (void) ig_probe_reply(store);
    }
}


/* Replies of one op; whether more commands must follow. */
static bool
ig_probe_take(ig_probe_store_t *store, ig_op_t *op, uint8_t recipe)
{
    int       rc;
    bool      again;
    unsigned  index;

    again = false;
    index = 0;

    do {
        rc = ig_redis_op_reply(op, recipe, index++, ig_probe_reply(store),
                               &again);

        if (rc == IG_ERROR) {
            ig_probe_fail("a reply does not answer its command");
        }

    } while (rc == IG_AGAIN);

    return again;
}


static void
ig_probe_redis(ig_probe_store_t *store, ig_op_t *op, unsigned nops,
    int64_t now)
{
    bool              again;
    ig_buf_t          b;
    unsigned          i, replies;
    const ig_note_t  *note;

    if (store->notes) {
        ig_table_mirror(store->table, op, nops, NULL, store->note);
    }

    ig_buf_init(&b, store->text, sizeof(store->text));

    for (i = 0; i < nops; i++) {
        note = store->notes ? &store->note[i] : NULL;
        replies = ig_redis_op_write(&b, &op[i], note, &store->recipe[i]);
        store->commands += replies;
    }

    ig_probe_send(store, &b);

    for (i = 0; i < nops; i++) {
        again = op[i].state == IG_OP_PENDING
                && ig_probe_take(store, &op[i], store->recipe[i]);

        if (again) {
            /* after all replies: what is on its way comes first */
            store->recipe[i] = 255;
        }

        if (store->notes) {
            ig_probe_note(store, &op[i], &store->note[i], again, now);
        }
    }

    for (i = 0; i < nops; i++) {
        if (store->recipe[i] == 255) {
            ig_probe_again(store, &op[i]);
        }
    }
}


void
ig_probe_store_run(ig_probe_store_t *store, ig_op_t *op, unsigned nops,
    int64_t now)
{
    if (nops == 0) {
        return;
    }

    if (store->fd == -1) {
        ig_table_run(store->table, op, nops, NULL);

    } else {
        ig_probe_redis(store, op, nops, now);
    }
}


int64_t
ig_probe_store_since(ig_probe_store_t *store, const ig_counter_t *counter,
    int64_t now)
{
    char      text[IG_REDIS_OP_TEXT];
    ig_buf_t  b;

    if (store->fd == -1) {
        return ig_table_since(store->table, counter, now);
    }

    ig_buf_init(&b, text, sizeof(text));
    ig_redis_marker_write(&b, counter, now);
    ig_probe_send(store, &b);

    (void) ig_probe_reply(store);

    return ig_redis_marker_value(ig_probe_reply(store));
}


unsigned long
ig_probe_store_commands(const ig_probe_store_t *store)
{
    return store->commands;
}


/* -- opening ------------------------------------------------------------- */

ig_probe_store_t *
ig_probe_store_open(const char *address, size_t size, bool notes)
{
    ig_probe_store_t  *store;

    store = calloc(1, sizeof(*store));

    if (store == NULL) {
        ig_probe_fail("no memory");
    }

    store->fd = -1;
    store->notes = notes;

    size = (size + 63) / 64 * 64;
    store->memory = aligned_alloc(64, size);
    store->table = store->memory != NULL
                   ? ig_table_create(store->memory, size) : NULL;

    if (store->table == NULL) {
        ig_probe_fail("no table in %zu bytes", size);
    }

    if (address != NULL) {
        store->fd = ig_probe_connect(address);
        store->reader = ig_redis_reader_create();

        if (store->reader == NULL) {
            ig_probe_fail("no memory");
        }
    }

    return store;
}


void
ig_probe_store_close(ig_probe_store_t *store)
{
    if (store->fd != -1) {
        (void) close(store->fd);
        ig_redis_reader_free(store->reader);
    }

    free(store->memory);
    free(store);
}
