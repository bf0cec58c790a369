/*
 * ig_ctl_log_read.c: the bytes of one file of the audit log, line by line.
 * Owns: the open file and its block.  Called by ig_ctl_log_file.c.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ig_ctl_log_read.h"

#define IG_LOG_BLOCK  (256 * 1024)


int
ig_log_read_open(ig_log_read_t *r, const char *path, struct stat *st)
{
    int  fd;

    memset(r, 0, sizeof(*r));
    r->left = UINT64_MAX;
    r->name = strcmp(path, "-") == 0 ? "standard input" : path;

    fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO)
                                : open(path, O_RDONLY|O_CLOEXEC);

    if (fd == -1 || fstat(fd, st) == -1) {
        (void) ig_ctl_error("cannot open \"%s\": %s", path, strerror(errno));

    } else if (S_ISDIR(st->st_mode)) {
        (void) ig_ctl_error("\"%s\" is a folder", path);

    } else {
        r->room = IG_LOG_BLOCK;
        r->block = malloc(r->room);
        r->gz = gzdopen(fd, "rb");

        if (r->block != NULL && r->gz != NULL) {
            (void) gzbuffer(r->gz, IG_LOG_BLOCK);
            return IG_OK;
        }

        (void) ig_ctl_error("no memory");
    }

    if (r->gz == NULL && fd != -1) {
        (void) close(fd);
    }

    ig_log_read_close(r);

    return IG_ERROR;
}


void
ig_log_read_close(ig_log_read_t *r)
{
    if (r->gz != NULL) {
        (void) gzclose(r->gz);
        r->gz = NULL;
    }

    free(r->block);
    r->block = NULL;
}


/* Why reading stopped, where it was not the end. */
static void
ig_log_read_end(ig_log_read_t *r)
{
    int          code, err;
    const char  *why;

    err = errno;
    why = gzerror(r->gz, &code);
    r->eof = true;

    if (code == Z_OK || code == Z_STREAM_END) {
        return;
    }

    r->failed = true;

    if (r->quiet) {
        return;
    }

    (void) ig_ctl_error("\"%s\" cannot be read further than line %llu: %s",
                        r->name, (unsigned long long) r->lines,
                        code == Z_ERRNO ? strerror(err)
                        : code == Z_BUF_ERROR
                        ? "it ends within compressed data" : why);
}


/* More bytes behind those that wait; false: there are none. */
static bool
ig_log_read_fill(ig_log_read_t *r)
{
    int     n;
    char   *more;
    size_t  room;

    if (r->eof || r->left == 0) {
        return false;
    }

    if (r->start > 0) {
        memmove(r->block, r->block + r->start, r->end - r->start);
        r->end -= r->start;
        r->start = 0;
    }

    if (r->end == r->room) {
        more = realloc(r->block, 2 * r->room);
        if (more == NULL) {
            (void) ig_ctl_error("no memory for \"%s\"", r->name);
            r->eof = true;
            r->failed = true;
            return false;
        }

        r->block = more;
        r->room *= 2;
    }

    room = r->room - r->end;

    if (room > r->left) {
        room = (size_t) r->left;
    }

    n = gzread(r->gz, r->block + r->end, (unsigned) room);

    if (n <= 0) {
        ig_log_read_end(r);
        return false;
    }

    r->end += (size_t) n;
    r->left -= (uint64_t) n;

    return true;
}


int
ig_log_read_line(ig_log_read_t *r, ig_str_t *line)
{
    bool    drop;
    char   *newline;
    size_t  seen;

    drop = false;
    seen = 0;

    for ( ;; ) {
        newline = memchr(r->block + r->start + seen, '\n',
                         r->end - r->start - seen);
        if (newline) {
            break;
        }

        seen = r->end - r->start;

        if (seen > IG_LOG_LINE) {
            drop = true;
            r->start = r->end;
            seen = 0;
        }

        if (!ig_log_read_fill(r)) {
            break;
        }
    }

    line->data = r->block + r->start;
    line->len = newline ? (size_t) (newline - line->data)
                        : r->end - r->start;

    if (newline == NULL && line->len == 0 && !drop) {
        return IG_AGAIN;
    }

    r->start += line->len + (newline != NULL);
    r->lines++;

    return drop || line->len > IG_LOG_LINE ? IG_ERROR : IG_OK;
}
