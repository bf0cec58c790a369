/*
 * ig_ctl_seal_catch_up.c: which files the log was and is: after a restart,
 * those that were followed before; after each rotation, those that came and
 * went between two looks.  Whatever they are called now, they are known by
 * their first line.
 * Owns: what glob finds, for the time of a call.
 * Called before a log is followed, and where its name has another file.
 */

#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ig_ctl_seal.h"

#define ig_llu(n)  (unsigned long long) (n)

/* A file that may be, or may have been, the log. */
typedef struct {
    const char       *path;
    bool              taken;
    bool              current;          /* it has the log's name */
    bool              has;              /* a first line */
    struct stat       st;
    uint8_t           first[IG_SHA256];
    char              time[IG_CHECKPOINT_TIME + 1];
} ig_sealer_found_t;

typedef struct {
    glob_t              glob;
    ig_sealer_found_t  *file;
    size_t              n;
    bool                skipped;        /* a segment, since one was opened */
} ig_sealer_finds_t;


/* -- files --------------------------------------------------------------- */

static void
ig_sealer_first(void *ctx, const ig_verify_seen_t *line)
{
    ig_sealer_found_t  *f = ctx;

    if (!f->has && line->time.len == IG_CHECKPOINT_TIME) {
        f->has = true;
        memcpy(f->first, line->hash, IG_SHA256);
        memcpy(f->time, line->time.data, IG_CHECKPOINT_TIME);
    }
}


static void
ig_sealer_ignore(void *ctx, const ig_finding_t *finding)
{
    (void) ctx;
    (void) finding;
}


/* Reads the first line of a chain in the file; false: it is none to read. */
static bool
ig_sealer_probe(ig_sealer_found_t *f)
{
    int              fd;
    ssize_t          n;
    ig_verify_t     *v;
    ig_ctl_memory_t  memory;

    static char  block[IG_SEALER_CARRY];

    fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0 || fstat(fd, &f->st) != 0 || !S_ISREG(f->st.st_mode)) {
        (void) (fd < 0 ? 0 : close(fd));
        return false;
    }

    ig_ctl_memory_init(&memory);
    v = ig_verify_create(&memory.mem, ig_sealer_ignore, NULL);

    if (v != NULL && ig_verify_file(v) == IG_OK) {
        ig_verify_watch(v, ig_sealer_first, f);
        n = read(fd, block, sizeof(block));

        if (n > 0) {
            (void) ig_verify_feed(v, block, (size_t) n);
        }
    }

    (void) close(fd);
    ig_ctl_memory_free(&memory);

    return true;
}


static bool
ig_sealer_is_gz(const char *path)
{
    size_t  len;

    len = strlen(path);

    return len > 3 && strcmp(path + len - 3, ".gz") == 0;
}


/* Oldest first; one without a line is younger than all that have some. */
static int
ig_sealer_by_time(const void *a, const void *b)
{
    int                       by;
    const ig_sealer_found_t  *x = a, *y = b;

    if (x->has != y->has) {
        return x->has ? -1 : 1;
    }

    by = strcmp(x->time, y->time);

    if (by == 0) {
        by = x->st.st_mtim.tv_sec != y->st.st_mtim.tv_sec
             ? (x->st.st_mtim.tv_sec < y->st.st_mtim.tv_sec ? -1 : 1)
             : x->st.st_mtim.tv_nsec < y->st.st_mtim.tv_nsec ? -1 : 1;
    }

    return by;
}


/* All files whose names begin like the log's, but for what gzip made. */
static void
ig_sealer_find_files(const ig_sealer_log_t *log, ig_sealer_finds_t *finds)
{
    char                pattern[4096];
    size_t              i;
    ig_sealer_found_t  *f;

    memset(finds, 0, sizeof(*finds));

    if ((size_t) snprintf(pattern, sizeof(pattern), "%s*", log->path)
        >= sizeof(pattern)
        || glob(pattern, 0, NULL, &finds->glob) != 0)
    {
        memset(&finds->glob, 0, sizeof(finds->glob));
        return;
    }

    finds->file = calloc(finds->glob.gl_pathc, sizeof(*finds->file));

    for (i = 0; finds->file != NULL && i < finds->glob.gl_pathc; i++) {
        f = &finds->file[finds->n];
        f->path = finds->glob.gl_pathv[i];
        f->current = strcmp(f->path, log->path) == 0;

        if (!ig_sealer_is_gz(f->path) && ig_sealer_probe(f)) {
            finds->n++;

        } else {
            memset(f, 0, sizeof(*f));
        }
    }

    if (finds->n > 0) {
        qsort(finds->file, finds->n, sizeof(*finds->file), ig_sealer_by_time);
    }
}


static void
ig_sealer_found_free(ig_sealer_finds_t *finds)
{
    free(finds->file);
    globfree(&finds->glob);
}


/* -- after a restart ----------------------------------------------------- */

/* An old segment that was not finished: which file is it now? */
static void
ig_sealer_find_past(ig_sealer_log_t *log, ig_sealer_finds_t *finds,
    const ig_sealer_past_t *past)
{
    size_t                i;
    uint64_t              last;
    ig_sealer_found_t    *f;
    ig_sealer_segment_t  *segment;

    for (i = 0, f = finds->file; i < finds->n; i++, f++) {
        if (f->has && !f->taken
            && memcmp(f->first, past->first, IG_SHA256) == 0)
        {
            break;
        }
    }

    if (i == finds->n) {
        finds->skipped = true;
        ig_sealer_find(log->sealer, log, false, "segment %llu, sealed up to"
                       " byte %llu, is no longer there: what was written to"
                       " it after that cannot be sealed", ig_llu(past->number),
                       ig_llu(past->bytes));
        return;
    }

    f->taken = true;
    last = log->last_segment;
    segment = ig_sealer_open(log, f->path);
    log->last_segment = last;

    if (segment != NULL) {
        segment->number = past->number;
        segment->sealed = past->bytes;
        segment->apart = finds->skipped;
        finds->skipped = false;
        ig_sealer_latest(log, f->time);
    }
}


/* Oldest first; the list has the newest first. */
static void
ig_sealer_find_pasts(ig_sealer_log_t *log, ig_sealer_finds_t *finds,
    const ig_sealer_past_t *past)
{
    static const uint8_t  none[IG_SHA256];

    if (past == NULL) {
        return;
    }

    ig_sealer_find_pasts(log, finds, past->next);

    if (!past->done && memcmp(past->first, none, IG_SHA256) != 0) {
        ig_sealer_find_past(log, finds, past);

    } else {
        finds->skipped = true;
    }

    /* where its file is gone, what came after it is younger than this */
    if (log->nsegments == 0) {
        ig_sealer_latest(log, past->time);
    }
}


void
ig_sealer_catch_up(ig_sealer_log_t *log)
{
    ig_sealer_finds_t  finds;

    if (log->past != NULL) {
        ig_sealer_find_files(log, &finds);
        ig_sealer_find_pasts(log, &finds, log->past);
        ig_sealer_found_free(&finds);
    }
}


/* -- after a rotation ---------------------------------------------------- */

/* Whether the file was, or is, a segment that is known. */
static bool
ig_sealer_is_known(const ig_sealer_log_t *log, const ig_sealer_found_t *f)
{
    unsigned                i;
    const ig_sealer_past_t *past;

    for (i = 0; i < log->nsegments; i++) {
        if ((log->segment[i].ino == f->st.st_ino
             && log->segment[i].dev == f->st.st_dev && !log->segment[i].done)
            || (!f->current && memcmp(log->segment[i].first, f->first,
                                      IG_SHA256) == 0))
        {
            return true;
        }
    }

    for (past = log->past; past != NULL && !f->current; past = past->next) {
        if (memcmp(past->first, f->first, IG_SHA256) == 0) {
            return true;
        }
    }

    return false;
}


void
ig_sealer_next_files(ig_sealer_log_t *log)
{
    bool                  opened;
    size_t                i;
    ig_sealer_found_t    *f;
    ig_sealer_finds_t     finds;
    ig_sealer_segment_t  *segment;

    opened = false;
    ig_sealer_find_files(log, &finds);

    for (i = 0, f = finds.file; i < finds.n; i++, f++) {
        if (ig_sealer_is_known(log, f)
            || (!f->current && (!f->has || strcmp(f->time, log->latest) < 0)))
        {
            continue;
        }

        segment = ig_sealer_open(log, f->path);
        opened = true;

        if (segment == NULL || segment->ino != f->st.st_ino
            || segment->dev != f->st.st_dev)
        {
            /* renamed between the two: what it is now comes after others */
            ig_sealer_undo(log, segment);
            break;
        }

        if (f->has) {
            ig_sealer_latest(log, f->time);
        }
    }

    ig_sealer_found_free(&finds);

    if (!opened) {
        (void) ig_sealer_open(log, log->path);
    }
}
