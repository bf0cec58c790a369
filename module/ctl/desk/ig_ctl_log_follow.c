/*
 * ig_ctl_log_follow.c: `integrityctl log --follow`: what is written to files
 * from now on, whatever becomes of the files.
 * Owns: the open files.  Called by ig_ctl_log.c.
 *
 * A file that was renamed is read on as long as somebody writes to it: nginx
 * does until USR1 has reached every worker.  The new one of its name is read
 * from its beginning as soon as it is there.
 */

#define _GNU_SOURCE             /* memrchr */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "ig_ctl_log.h"
#include "ig_ctl_log_read.h"

#define IG_FOLLOW_BLOCK  (256 * 1024)
#define IG_FOLLOW_PAUSE  100            /* ms between looks */
#define IG_FOLLOW_QUIET  600            /* looks until an old file is let go */

/* One open file. */
typedef struct ig_follow_file_s  ig_follow_file_t;

struct ig_follow_file_s {
    int                fd;
    dev_t              dev;
    ino_t              ino;
    off_t              at;              /* what is before it was read */
    char              *block;           /* a line without its end */
    size_t             len;
    bool               drop;            /* the line is too long: to its end */
    unsigned           quiet;
    ig_follow_file_t  *older;           /* of the same name, renamed since */
};

struct ig_follow_s {
    const ig_log_options_t  *o;
    ig_audit_filter_t       *filter;
    char                   **path;
    int                      npaths;
    ig_follow_file_t       **newest;    /* by path; NULL: none is there */
    uint64_t                *limit;
};


/* -- opening ------------------------------------------------------------- */


/* How much of the file are whole lines. */
static off_t
ig_follow_whole(int fd, off_t size)
{
    char     part[4096];
    off_t    from;
    ssize_t  n;
    char    *newline;

    while (size > 0) {
        from = size > (off_t) sizeof(part) ? size - (off_t) sizeof(part) : 0;
        n = pread(fd, part, (size_t) (size - from), from);

        if (n <= 0) {
            return size;
        }

        newline = memrchr(part, '\n', (size_t) n);

        if (newline) {
            return from + (newline - part) + 1;
        }

        size = from;
    }

    return 0;
}


/* NULL with errno where it cannot be opened. */
static ig_follow_file_t *
ig_follow_file(const char *path)
{
    struct stat        st;
    ig_follow_file_t  *f;

    f = calloc(1, sizeof(ig_follow_file_t));
    if (f == NULL) {
        return NULL;
    }

    f->block = malloc(IG_FOLLOW_BLOCK);
    f->fd = open(path, O_RDONLY|O_CLOEXEC|O_NONBLOCK);

    if (f->block == NULL || f->fd == -1 || fstat(f->fd, &st) == -1) {
        if (f->fd != -1) {
            (void) close(f->fd);
        }

        free(f->block);
        free(f);
        return NULL;
    }

    f->dev = st.st_dev;
    f->ino = st.st_ino;

    return f;
}


static void
ig_follow_file_free(ig_follow_file_t *f)
{
    (void) close(f->fd);
    free(f->block);
    free(f);
}


/* IG_OK, IG_ERROR: told. */
static int
ig_follow_first(ig_follow_t *follow, int i)
{
    char               magic[2];
    struct stat        st;
    const char        *path;
    ig_follow_file_t  *f;

    path = follow->path[i];
    follow->limit[i] = UINT64_MAX;

    if (strcmp(path, "-") == 0) {
        (void) ig_ctl_error("the standard input cannot be followed");
        return IG_ERROR;
    }

    f = ig_follow_file(path);

    if (f == NULL) {
        (void) ig_ctl_error("cannot open \"%s\": %s", path, strerror(errno));
        return IG_ERROR;
    }

    if (fstat(f->fd, &st) == -1 || !S_ISREG(st.st_mode)) {
        (void) ig_ctl_error("\"%s\" is no regular file", path);
        ig_follow_file_free(f);
        return IG_ERROR;
    }

    if (pread(f->fd, magic, 2, 0) == 2 && memcmp(magic, "\x1f\x8b", 2) == 0) {
        ig_follow_file_free(f);         /* nothing is added to it any more */
        return IG_OK;
    }

    f->at = ig_follow_whole(f->fd, st.st_size);
    follow->limit[i] = (uint64_t) f->at;
    follow->newest[i] = f;

    return IG_OK;
}


ig_follow_t *
ig_follow_open(const ig_log_options_t *o, ig_audit_filter_t *filter,
    char **path, int npaths)
{
    int           i;
    ig_follow_t  *follow;

    follow = calloc(1, sizeof(ig_follow_t));

    if (follow == NULL) {
        (void) ig_ctl_error("no memory");
        return NULL;
    }

    follow->o = o;
    follow->filter = filter;
    follow->path = path;
    follow->newest = calloc((size_t) npaths, sizeof(ig_follow_file_t *));
    follow->limit = calloc((size_t) npaths, sizeof(uint64_t));

    if (follow->newest == NULL || follow->limit == NULL) {
        (void) ig_ctl_error("no memory");
        ig_follow_close(follow);
        return NULL;
    }

    follow->npaths = npaths;

    for (i = 0; i < npaths; i++) {
        if (ig_follow_first(follow, i) != IG_OK) {
            ig_follow_close(follow);
            return NULL;
        }
    }

    return follow;
}


uint64_t
ig_follow_limit(const ig_follow_t *follow, int i)
{
    return follow->limit[i];
}


void
ig_follow_close(ig_follow_t *follow)
{
    int                i;
    ig_follow_file_t  *f, *older;

    for (i = 0; i < follow->npaths; i++) {
        for (f = follow->newest[i]; f; f = older) {
            older = f->older;
            ig_follow_file_free(f);
        }
    }

    free(follow->newest);
    free(follow->limit);
    free(follow);
}


/* -- lines --------------------------------------------------------------- */


static void
ig_follow_line(ig_follow_t *follow, int i, ig_str_t raw)
{
    bool              own;
    int64_t           time;
    const char       *why;
    ig_audit_kind_e   kind;
    ig_audit_line_t   line;

    own = ig_audit_head(raw, &kind, &time);

    if (raw.len == 0 || (own && !ig_audit_filter_raw(follow->filter, kind, raw,
                                                     true)))
    {
        return;
    }

    if (ig_audit_parse(raw, &line, &why) != IG_OK) {
        (void) ig_ctl_error("a new line of \"%s\" %s", follow->path[i], why);
        return;
    }

    if (ig_audit_filter_raw(follow->filter, line.kind, raw, own)
        && ig_audit_filter_line(follow->filter, &line)
        && line.time >= follow->filter->since)
    {
        ig_log_show(follow->o, raw, &line);
    }

    ig_audit_free(&line);
}


/* The whole lines of f->block; what is left moves to its beginning. */
static void
ig_follow_lines(ig_follow_t *follow, int i, ig_follow_file_t *f)
{
    char      *newline, *from;
    ig_str_t   raw;

    from = f->block;

    while ((newline = memchr(from, '\n',
                             (size_t) (f->block + f->len - from))) != NULL)
    {
        raw.data = from;
        raw.len = (size_t) (newline - from);

        if (!f->drop) {
            ig_follow_line(follow, i, raw);
        }

        f->drop = false;
        from = newline + 1;
    }

    f->len = (size_t) (f->block + f->len - from);
    memmove(f->block, from, f->len);

    if (f->len == IG_FOLLOW_BLOCK) {
        (void) ig_ctl_error("a new line of \"%s\" is too long",
                            follow->path[i]);
        f->drop = true;
        f->len = 0;
    }
}


/* Whether there was anything new. */
static bool
ig_follow_read(ig_follow_t *follow, int i, ig_follow_file_t *f)
{
    bool         any;
    ssize_t      n;
    struct stat  st;

    if (fstat(f->fd, &st) == 0 && st.st_size < f->at) {
        (void) ig_ctl_error("\"%s\" was cut to %lld bytes (copytruncate?): "
                            "lines may be missing here", follow->path[i],
                            (long long) st.st_size);
        f->at = 0;
        f->len = 0;
    }

    for (any = false;; any = true) {
        n = pread(f->fd, f->block + f->len, IG_FOLLOW_BLOCK - f->len, f->at);

        if (n <= 0) {
            return any;
        }

        f->at += n;
        f->len += (size_t) n;
        ig_follow_lines(follow, i, f);
    }
}


/* -- what becomes of files ----------------------------------------------- */


/* Where another file has the name now, it comes before the one known. */
static bool
ig_follow_renamed(ig_follow_t *follow, int i)
{
    struct stat        st;
    ig_follow_file_t  *f, *known;

    known = follow->newest[i];

    if (known == NULL || stat(follow->path[i], &st) == -1
        || (st.st_dev == known->dev && st.st_ino == known->ino))
    {
        return false;
    }

    f = ig_follow_file(follow->path[i]);
    if (f == NULL) {
        return false;                   /* not readable yet: looked at again */
    }

    f->older = known;
    follow->newest[i] = f;

    return true;
}


/* Reads the oldest first, and lets go of those nobody writes to any more. */
static bool
ig_follow_chain(ig_follow_t *follow, int i, ig_follow_file_t **link)
{
    bool               any;
    ig_follow_file_t  *f;

    f = *link;

    if (f == NULL) {
        return false;
    }

    any = ig_follow_chain(follow, i, &f->older);

    if (ig_follow_read(follow, i, f)) {
        f->quiet = 0;
        return true;
    }

    if (link != &follow->newest[i] && ++f->quiet > IG_FOLLOW_QUIET) {
        *link = f->older;
        ig_follow_file_free(f);
    }

    return any;
}


int
ig_follow_run(ig_follow_t *follow)
{
    int   i;
    bool  any;

    static const struct timespec  pause = { 0, IG_FOLLOW_PAUSE * 1000000 };

    while (fflush(stdout) == 0 && !ig_out_failed(stdout)) {

        any = false;

        for (i = 0; i < follow->npaths; i++) {
            any |= ig_follow_renamed(follow, i);
            any |= ig_follow_chain(follow, i, &follow->newest[i]);
        }

        if (!any) {
            (void) nanosleep(&pause, NULL);
        }
    }

    return IG_CTL_OK;           /* what is wrong with the output is told later */
}
