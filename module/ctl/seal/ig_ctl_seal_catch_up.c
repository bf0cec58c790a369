/*
 * ig_ctl_seal_catch_up.c: finds, after a restart, the files that were
 * followed before and those the log was meanwhile: whatever they are called
 * now, they are known by their first line.
 * Owns: what glob finds, for the time of a call.
 * Called once for each log, before it is followed.
 */

#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ig_ctl_seal.h"

#define ig_llu(n)  (unsigned long long) (n)

/* A file that may have been the log. */
typedef struct {
    const char  *path;
    bool         taken;
    bool         has;                   /* a first line */
    uint8_t      first[IG_SHA256];
    char         time[IG_CHECKPOINT_TIME + 1];
} ig_sealer_found_t;

typedef struct {
    ig_sealer_found_t  *file;
    size_t              n;
    char                latest[IG_CHECKPOINT_TIME + 1];
} ig_sealer_finds_t;


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


/* Reads the first line of a chain in the file. */
static void
ig_sealer_probe(ig_sealer_found_t *f)
{
    int              fd;
    ssize_t          n;
    ig_verify_t     *v;
    ig_ctl_memory_t  memory;

    static char  block[IG_SEALER_CARRY];

    fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0) {
        return;
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
}


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
        memcpy(finds->latest, f->time, sizeof(f->time));
    }
}


/* Oldest first; the list has the newest first. */
static void
ig_sealer_find_pasts(ig_sealer_log_t *log, ig_sealer_finds_t *finds,
    const ig_sealer_past_t *past)
{
    size_t                i;
    static const uint8_t  none[IG_SHA256];

    if (past == NULL) {
        return;
    }

    ig_sealer_find_pasts(log, finds, past->next);

    if (past->time[0] != '\0'
        && strcmp(past->time, finds->latest) > 0)
    {
        memcpy(finds->latest, past->time, sizeof(past->time));
    }

    if (!past->done && memcmp(past->first, none, IG_SHA256) != 0) {
        ig_sealer_find_past(log, finds, past);
        return;
    }

    for (i = 0; i < finds->n; i++) {
        finds->file[i].taken |= finds->file[i].has
                                && memcmp(finds->file[i].first, past->first,
                                          IG_SHA256) == 0;
    }
}


static int
ig_sealer_by_time(const void *a, const void *b)
{
    return strcmp(((const ig_sealer_found_t *) a)->time,
                  ((const ig_sealer_found_t *) b)->time);
}


/* Rotated away while nobody looked; the one that has the name comes last. */
static void
ig_sealer_find_missed(ig_sealer_log_t *log, ig_sealer_finds_t *finds)
{
    size_t              i;
    ig_sealer_found_t  *f;

    qsort(finds->file, finds->n, sizeof(*finds->file), ig_sealer_by_time);

    for (i = 0, f = finds->file; i < finds->n; i++, f++) {
        if (f->has && !f->taken && strcmp(f->path, log->path) != 0
            && strcmp(f->time, finds->latest) > 0)
        {
            (void) ig_sealer_open(log, f->path);
        }
    }
}


static bool
ig_sealer_is_gz(const char *path)
{
    size_t  len;

    len = strlen(path);

    return len > 3 && strcmp(path + len - 3, ".gz") == 0;
}


void
ig_sealer_catch_up(ig_sealer_log_t *log)
{
    size_t             i;
    char               pattern[4096];
    glob_t             g;
    ig_sealer_finds_t  finds;

    if (log->past == NULL
        || (size_t) snprintf(pattern, sizeof(pattern), "%s*", log->path)
           >= sizeof(pattern)
        || glob(pattern, 0, NULL, &g) != 0)
    {
        memset(&g, 0, sizeof(g));
    }

    memset(&finds, 0, sizeof(finds));
    finds.file = calloc(g.gl_pathc + 1, sizeof(*finds.file));

    for (i = 0; finds.file != NULL && i < g.gl_pathc; i++) {
        if (!ig_sealer_is_gz(g.gl_pathv[i])) {
            finds.file[finds.n].path = g.gl_pathv[i];
            ig_sealer_probe(&finds.file[finds.n++]);
        }
    }

    if (finds.file != NULL && log->past != NULL) {
        ig_sealer_find_pasts(log, &finds, log->past);
        ig_sealer_find_missed(log, &finds);
    }

    free(finds.file);
    globfree(&g);
}
