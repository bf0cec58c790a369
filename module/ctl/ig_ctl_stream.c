/*
 * ig_ctl_stream.c: reads files, plain or gzip, in blocks or in lines.
 * Owns: the open file; the block is in the caller's memory.
 * Called by verify and seal.
 */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zlib.h>

#include "ig_ctl_stream.h"


static const char *
ig_stream_name(const ig_ctl_stream_t *s)
{
    return strcmp(s->path, "-") == 0 ? "standard input" : s->path;
}


int
ig_ctl_stream_open(ig_ctl_stream_t *s, const char *path, ig_mem_t *mem)
{
    int          fd;
    struct stat  st;

    memset(s, 0, sizeof(*s));
    s->path = path;
    s->room = UINT64_MAX;
    s->block = ig_alloc(mem, IG_STREAM_READ);

    fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO)
                                : open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0) {
        return ig_ctl_error("cannot open \"%s\": %s", path, strerror(errno));
    }

    if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
        (void) close(fd);
        return ig_ctl_error("cannot read \"%s\": %s", path, strerror(EISDIR));
    }

    s->gz = gzdopen(fd, "rb");

    if (s->gz == NULL || s->block == NULL) {
        (void) (s->gz != NULL ? gzclose(s->gz) : close(fd));
        s->gz = NULL;
        return ig_ctl_error("no memory");
    }

    (void) gzbuffer(s->gz, IG_STREAM_READ);

    return IG_CTL_OK;
}


uint64_t
ig_ctl_stream_size(const char *path)
{
    struct stat  st;

    return strcmp(path, "-") != 0 && stat(path, &st) == 0
           && S_ISREG(st.st_mode) ? (uint64_t) st.st_size : UINT64_MAX;
}


void
ig_ctl_stream_limit(ig_ctl_stream_t *s, uint64_t size)
{
    if (gzdirect(s->gz)) {
        s->room = size;
    }
}


void
ig_ctl_stream_close(ig_ctl_stream_t *s)
{
    if (s->gz != NULL) {
        (void) gzclose(s->gz);
        s->gz = NULL;
    }
}


/* The end, or why it is none. */
static int
ig_stream_end(ig_ctl_stream_t *s)
{
    int          code;
    const char  *why;

    s->ended = true;
    why = gzerror(s->gz, &code);

    if (code == Z_OK || code == Z_STREAM_END) {
        return IG_AGAIN;
    }

    s->failed = true;
    (void) ig_ctl_error("cannot read \"%s\": %s", ig_stream_name(s),
                        code == Z_ERRNO ? strerror(errno)
                        : code == Z_BUF_ERROR
                          ? "it ends within compressed data" : why);

    return IG_ERROR;
}


/* More bytes behind those that wait. */
static int
ig_stream_fill(ig_ctl_stream_t *s)
{
    int     n;
    size_t  most;

    if (s->ended || s->room == 0) {
        return s->failed ? IG_ERROR : IG_AGAIN;
    }

    if (s->start > 0) {
        memmove(s->block, s->block + s->start, s->end - s->start);
        s->end -= s->start;
        s->start = 0;
    }

    most = IG_STREAM_READ - s->end;

    if (most > s->room) {
        most = (size_t) s->room;
    }

    n = gzread(s->gz, s->block + s->end, (unsigned) most);

    if (n <= 0) {
        return ig_stream_end(s);
    }

    s->end += (size_t) n;
    s->room -= s->room < UINT64_MAX ? (size_t) n : 0;

    return IG_OK;
}


int
ig_ctl_stream_read(ig_ctl_stream_t *s, ig_str_t *bytes)
{
    int  rc;

    s->start = s->end;
    rc = ig_stream_fill(s);
    bytes->data = s->block;
    bytes->len = s->end;

    return rc;
}


int
ig_ctl_stream_line(ig_ctl_stream_t *s, ig_str_t *line)
{
    int          rc;
    size_t       seen;
    const char  *newline;

    seen = 0;

    for ( ;; ) {
        line->data = s->block + s->start;
        newline = memchr(line->data + seen, '\n', s->end - s->start - seen);

        if (newline != NULL) {
            line->len = (size_t) (newline - line->data);
            s->start += line->len + 1;
            return IG_OK;
        }

        seen = s->end - s->start;
        rc = seen < IG_STREAM_READ ? ig_stream_fill(s) : IG_AGAIN;

        if (rc == IG_OK) {
            continue;
        }

        line->data = s->block + s->start;
        line->len = seen;
        s->start = s->end;

        return rc == IG_ERROR || seen == 0 ? rc : IG_OK;
    }
}
