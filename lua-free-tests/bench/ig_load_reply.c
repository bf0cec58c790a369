/*
 * Owns: reading one HTTP/1.1 response that arrives in pieces.
 * Borrows: the bytes just received, for the length of a call.
 * Called by: ig_load.c.
 */

#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ig_load.h"


void
ig_reply_reset(ig_reply_t *r)
{
    r->state = IG_REPLY_HEAD;
    r->status = 0;
    r->close = 0;
    r->left = 0;
    r->held = 0;
}


/* A header's value, or NULL; "name" is given with its colon. */

static const char *
ig_reply_value(const char *line, size_t len, const char *name, size_t *n)
{
    size_t       skip;
    const char  *end, *p;

    skip = strlen(name);

    if (len < skip || strncasecmp(line, name, skip) != 0) {
        return NULL;
    }

    end = line + len;
    p = line + skip;

    while (p < end && (*p == ' ' || *p == '\t')) {
        p++;
    }

    while (end > p && (end[-1] == ' ' || end[-1] == '\t')) {
        end--;
    }

    *n = (size_t) (end - p);

    return p;
}


static int
ig_reply_number(const char *p, size_t n, int base, uint64_t *out)
{
    char   digits[20], *end;
    size_t i;

    if (n == 0 || n >= sizeof(digits)) {
        return -1;
    }

    for (i = 0; i < n; i++) {
        digits[i] = p[i];
    }

    digits[n] = '\0';
    *out = strtoull(digits, &end, base);

    return *end == '\0' && digits[0] != '-' && digits[0] != '+' ? 0 : -1;
}


/*
 * "p" is a whole head with its empty line.  Sets status and close, and says
 * by the state what the body looks like.  Returns 0 or -1.
 */

static int
ig_reply_head(ig_reply_t *r, const char *p, size_t n)
{
    int          chunked, length;
    size_t       len;
    uint64_t     status;
    const char  *end, *eol, *v;

    if (n < 14 || memcmp(p, "HTTP/1.", 7) != 0
        || ig_reply_number(p + 9, 3, 10, &status) != 0
        || status < 100 || status > 599)
    {
        return -1;
    }

    r->status = (int) status;
    r->close = (p[7] == '0');
    r->left = 0;
    chunked = 0;
    length = 0;
    end = p + n - 2;

    for (p = strchr(p, '\n') + 1; p < end; p = eol + 2) {
        eol = memmem(p, (size_t) (end - p), "\r\n", 2);

        if (eol == NULL) {
            return -1;
        }

        v = ig_reply_value(p, (size_t) (eol - p), "content-length:", &len);

        if (v != NULL) {
            length = 1;

            if (ig_reply_number(v, len, 10, &r->left) != 0) {
                return -1;
            }

            continue;
        }

        v = ig_reply_value(p, (size_t) (eol - p), "transfer-encoding:", &len);

        if (v != NULL) {
            chunked = (len == 7 && strncasecmp(v, "chunked", 7) == 0);
            continue;
        }

        v = ig_reply_value(p, (size_t) (eol - p), "connection:", &len);

        if (v != NULL && len == 5 && strncasecmp(v, "close", 5) == 0) {
            r->close = 1;
        }
    }

    if (status < 200) {
        r->state = IG_REPLY_HEAD;

    } else if (status == 204 || status == 304) {
        r->state = IG_REPLY_DONE;

    } else if (chunked) {
        r->state = IG_REPLY_CHUNK_SIZE;

    } else if (length) {
        r->state = r->left ? IG_REPLY_LENGTH : IG_REPLY_DONE;

    } else {
        r->close = 1;
        r->state = IG_REPLY_UNTIL_CLOSE;
    }

    return 0;
}


/* Consumes up to the end of what "mark" ends; whole is NULL until then. */

static size_t
ig_reply_hold(ig_reply_t *r, const char *p, size_t n, const char *mark,
    const char **whole, size_t *len)
{
    size_t       before, take;
    const char  *at;

    take = sizeof(r->hold) - 1 - r->held;

    if (take > n) {
        take = n;
    }

    before = r->held;
    memcpy(r->hold + before, p, take);
    r->held += take;
    r->hold[r->held] = '\0';

    at = memmem(r->hold, r->held, mark, strlen(mark));

    if (at == NULL) {
        *whole = NULL;
        return take;
    }

    *whole = r->hold;
    *len = (size_t) (at - r->hold) + strlen(mark);
    r->held = 0;

    return *len - before;
}


static int
ig_reply_line(ig_reply_t *r, const char *line, size_t len)
{
    size_t  n;

    switch (r->state) {

    case IG_REPLY_HEAD:
        return ig_reply_head(r, line, len);

    case IG_REPLY_CHUNK_SIZE:
        for (n = 0; n < len - 2 && line[n] != ';'; n++) { /* void */ }

        if (ig_reply_number(line, n, 16, &r->left) != 0) {
            return -1;
        }

        r->state = r->left ? IG_REPLY_CHUNK_DATA : IG_REPLY_TRAILER;
        return 0;

    case IG_REPLY_CHUNK_END:
        r->state = IG_REPLY_CHUNK_SIZE;
        return len == 2 ? 0 : -1;

    default: /* IG_REPLY_TRAILER */
        if (len == 2) {
            r->state = IG_REPLY_DONE;
        }

        return 0;
    }
}


ig_feed_e
ig_reply_feed(ig_reply_t *r, const char *p, size_t n)
{
    size_t       len, used;
    const char  *line, *mark;

    while (n > 0) {

        switch (r->state) {

        case IG_REPLY_DONE:
            return IG_FEED_BAD;

        case IG_REPLY_UNTIL_CLOSE:
            return IG_FEED_MORE;

        case IG_REPLY_LENGTH:
        case IG_REPLY_CHUNK_DATA:
            used = r->left < n ? (size_t) r->left : n;
            r->left -= used;

            if (r->left == 0) {
                r->state = r->state == IG_REPLY_LENGTH ? IG_REPLY_DONE
                                                       : IG_REPLY_CHUNK_END;
            }

            break;

        default:
            mark = r->state == IG_REPLY_HEAD ? "\r\n\r\n" : "\r\n";
            used = ig_reply_hold(r, p, n, mark, &line, &len);

            if (line == NULL) {
                return r->held == sizeof(r->hold) - 1 ? IG_FEED_BAD
                                                      : IG_FEED_MORE;
            }

            if (ig_reply_line(r, line, len) != 0) {
                return IG_FEED_BAD;
            }

            break;
        }

        p += used;
        n -= used;
    }

    return r->state == IG_REPLY_DONE ? IG_FEED_DONE : IG_FEED_MORE;
}


ig_feed_e
ig_reply_eof(ig_reply_t *r)
{
    if (r->state == IG_REPLY_UNTIL_CLOSE) {
        r->state = IG_REPLY_DONE;
        return IG_FEED_DONE;
    }

    return IG_FEED_BAD;
}
