/*
 * ig_ctl_seal_log.c: follows a log through its rotations.
 * Owns: the open files of a log.  Called by the sealing process's loop.
 *
 * After a rename workers go to the new file one by one.  What is in the new
 * one was written after all that its writer put into the old one; so sizes
 * are taken newest first, and bytes up to there are read oldest first.
 */

#define _GNU_SOURCE             /* memrchr */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ig_ctl_seal.h"

#define IG_SEALER_QUIET  30000          /* ms: an old file that nobody ends */

#define ig_llu(n)  (unsigned long long) (n)


/* "<log>: <what>", told once, until something else is to be told. */
static void
ig_sealer_complain(ig_sealer_log_t *log, int error)
{
    if (log->error == error) {
        return;
    }

    log->error = error;

    if (error == ENOENT) {
        fprintf(stderr, "integrityctl: \"%s\" does not exist yet; waiting for"
                " it\n", log->path);

    } else if (error != 0) {
        fprintf(stderr, "integrityctl: cannot read \"%s\": %s; trying on\n",
                log->path, strerror(error));
    }
}


/* -- segments ------------------------------------------------------------ */

static void
ig_sealer_end(ig_sealer_segment_t *segment)
{
    segment->done = true;
    segment->changed = true;
}


bool
ig_sealer_is_full(const ig_sealer_log_t *log)
{
    return log->nsegments == IG_SEALER_SEGMENTS;
}


/* When the youngest segment known began. */
void
ig_sealer_latest(ig_sealer_log_t *log, const char *time)
{
    if (strcmp(time, log->latest) > 0) {
        memcpy(log->latest, time, sizeof(log->latest));
    }
}


/* A copy of it must not be taken for another one. */
static void
ig_sealer_remember(ig_sealer_log_t *log, const ig_sealer_segment_t *segment)
{
    ig_sealer_past_t  *past;

    past = ig_alloc(&log->sealer->memory.mem, sizeof(*past));

    if (past != NULL) {
        past->number = segment->number;
        past->done = true;
        memcpy(past->first, segment->first, IG_SHA256);
        past->next = log->past;
        log->past = past;
    }
}


/* Closes what is done, once a checkpoint says so. */
static void
ig_sealer_forget(ig_sealer_log_t *log)
{
    unsigned             i, n;
    ig_sealer_segment_t  kept;

    for (i = 0, n = 0; i < log->nsegments; i++) {
        if (log->segment[i].done && !log->segment[i].changed) {
            ig_sealer_remember(log, &log->segment[i]);
            (void) close(log->segment[i].fd);
            continue;
        }

        /* exchanged: each place keeps memory of its own */
        kept = log->segment[i];
        log->segment[i] = log->segment[n];
        log->segment[n++] = kept;
    }

    log->nsegments = n;
}


ig_sealer_segment_t *
ig_sealer_open(ig_sealer_log_t *log, const char *path)
{
    int                   fd;
    char                 *carry;
    struct stat           st = { 0 };
    ig_sealer_segment_t  *segment;

    if (ig_sealer_is_full(log)) {
        return NULL;            /* until others were read to their end */
    }

    segment = &log->segment[log->nsegments];
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0) {
        ig_sealer_complain(log, errno);
        return NULL;
    }

    carry = segment->carry != NULL
            ? segment->carry
            : ig_alloc(&log->sealer->memory.mem, IG_SEALER_CARRY);

    if (carry == NULL || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        ig_sealer_complain(log, carry == NULL ? ENOMEM
                                : S_ISDIR(st.st_mode) ? EISDIR : EINVAL);
        (void) close(fd);
        return NULL;
    }

    ig_sealer_complain(log, 0);
    memset(segment, 0, sizeof(*segment));
    segment->carry = carry;
    segment->fd = fd;
    segment->dev = st.st_dev;
    segment->ino = st.st_ino;
    segment->number = ++log->last_segment;
    segment->grown = ig_sealer_clock();
    segment->changed = true;
    log->nsegments++;

    return segment;
}


/* Takes back the last one that was opened; NULL: there was none. */
void
ig_sealer_undo(ig_sealer_log_t *log, ig_sealer_segment_t *segment)
{
    if (segment != NULL) {
        (void) close(segment->fd);
        log->nsegments--;
        log->last_segment--;
    }
}


/* -- reading ------------------------------------------------------------- */

/* Gives on what ends with a newline, keeps the rest. */
static int
ig_sealer_lines(ig_sealer_log_t *log, ig_sealer_segment_t *segment, size_t n)
{
    int          rc;
    size_t       whole;
    const char  *newline;

    n += segment->carried;
    newline = memrchr(segment->carry, '\n', n);
    whole = newline != NULL ? (size_t) (newline - segment->carry) + 1
            : n == IG_SEALER_CARRY ? n : 0;

    rc = whole > 0 ? ig_sealer_feed(log, segment, segment->carry, whole)
                   : IG_CTL_OK;

    segment->carried = n - whole;
    memmove(segment->carry, segment->carry + whole, segment->carried);

    return rc;
}


/* How many bytes to read next: not across what was sealed before. */
static size_t
ig_sealer_room(const ig_sealer_segment_t *segment, uint64_t limit)
{
    size_t    room;
    uint64_t  at;

    at = segment->bytes + segment->carried;
    room = IG_SEALER_CARRY - segment->carried;

    if (at < segment->sealed && segment->sealed < limit) {
        limit = segment->sealed;
    }

    if (room > IG_SEALER_READ) {
        room = IG_SEALER_READ;
    }

    return limit - at < room ? (size_t) (limit - at) : room;
}


/* The bytes that an earlier process has sealed were all read again. */
static void
ig_sealer_reached(ig_sealer_log_t *log, ig_sealer_segment_t *segment)
{
    if (segment->bytes != segment->sealed) {
        ig_sealer_refuse(log, "no line ends at byte %llu of segment %llu,"
                         " where one that was sealed did",
                         ig_llu(segment->sealed), ig_llu(segment->number));
        return;
    }

    segment->sealed = 0;
    ig_sealer_confirm(log, segment);
}


static void
ig_sealer_read(ig_sealer_log_t *log, ig_sealer_segment_t *segment,
    uint64_t limit)
{
    ssize_t       n;
    uint64_t      at;
    ig_sealer_t  *s = log->sealer;

    at = segment->bytes + segment->carried;

    if (segment->apart) {
        segment->apart = false;

        /* or it would miss what stands between: that was sealed long ago */

        if (ig_sealer_verifier(log) != IG_CTL_OK) {
            s->refused = IG_CTL_USAGE;
        }
    }

    while (at < limit && s->refused == 0) {

        if (s->changed >= IG_CHECKPOINT_CHAINS || s->pending >= s->most) {
            if (ig_sealer_checkpoint(s, "lines") != IG_OK
                && s->changed >= IG_CHECKPOINT_CHAINS)
            {
                return;         /* what one checkpoint can hold waits */
            }
        }

        n = pread(segment->fd, segment->carry + segment->carried,
                  ig_sealer_room(segment, limit), (off_t) at);

        if (n <= 0) {
            return;             /* cut short meanwhile: seen next time */
        }

        segment->grown = ig_sealer_clock();

        if (ig_sealer_lines(log, segment, (size_t) n) != IG_CTL_OK) {
            s->refused = IG_CTL_USAGE;
            return;
        }

        at += (uint64_t) n;

        if (segment->sealed > 0 && at >= segment->sealed) {
            ig_sealer_reached(log, segment);
        }
    }
}


/* -- rotations ----------------------------------------------------------- */

/* A file that is shorter than what was read of it. */
static void
ig_sealer_cut(ig_sealer_log_t *log, ig_sealer_segment_t *segment,
    uint64_t size)
{
    uint64_t  number;

    number = segment->number;

    if (segment->sealed > 0) {
        ig_sealer_refuse(log, "segment %llu has %llu bytes, but %llu of it"
                         " were sealed: it was cut short", ig_llu(number),
                         ig_llu(size), ig_llu(segment->sealed));
        return;
    }

    ig_sealer_find(log->sealer, log, true, "segment %llu was cut from %llu to"
                   " %llu bytes while it was followed, by copytruncate or by"
                   " somebody: what is written now is segment %llu",
                   ig_llu(number), ig_llu(segment->bytes), ig_llu(size),
                   ig_llu(log->last_segment + 1));

    ig_sealer_end(segment);

    /* lines may come again that this verifier would call repeated */
    if (ig_sealer_verifier(log) != IG_CTL_OK) {
        log->sealer->refused = IG_CTL_USAGE;
    }
}


/* Whether everyone who wrote to an old segment has said that it was all. */
static bool
ig_sealer_left(const ig_sealer_log_t *log, const ig_sealer_segment_t *segment)
{
    const ig_sealer_chain_t  *chain;

    if (segment->sealed > 0 || segment->carried > 0 || segment->bytes == 0) {
        return false;
    }

    for (chain = log->sealer->chain; chain != NULL; chain = chain->next) {
        if (chain->log == log->index && chain->segment == segment->number
            && !chain->ended)
        {
            return false;
        }
    }

    return true;
}


static void
ig_sealer_retire(ig_sealer_log_t *log)
{
    unsigned              i;
    ig_sealer_segment_t  *segment;

    for (i = 0; i + 1 < log->nsegments; i++) {
        segment = &log->segment[i];

        if (!segment->done
            && (ig_sealer_left(log, segment)
                || ig_sealer_clock() - segment->grown > IG_SEALER_QUIET))
        {
            ig_sealer_end(segment);
        }
    }
}


/* The file that has the log's name now, if it is another one, and others. */
static void
ig_sealer_look(ig_sealer_log_t *log)
{
    struct stat           st;
    ig_sealer_segment_t  *newest;

    newest = log->nsegments > 0 ? &log->segment[log->nsegments - 1] : NULL;

    if (stat(log->path, &st) != 0) {
        /* renamed, and not yet made anew: the old file is written to */
        if (newest == NULL || errno != ENOENT) {
            ig_sealer_complain(log, errno);
        }

    } else if (newest == NULL || newest->done || newest->dev != st.st_dev
               || newest->ino != st.st_ino)
    {
        if (ig_sealer_is_full(log)) {
            return;             /* until others were read to their end */
        }

        if (access(log->path, R_OK) != 0) {
            ig_sealer_complain(log, errno);

        } else if (newest == NULL && log->past == NULL) {
            (void) ig_sealer_open(log, log->path);  /* the first one ever */

        } else {
            ig_sealer_next_files(log);
        }
    }
}


void
ig_sealer_follow(ig_sealer_log_t *log)
{
    unsigned              i;
    uint64_t              size[IG_SEALER_SEGMENTS];
    struct stat           st;
    ig_sealer_segment_t  *segment;

    ig_sealer_forget(log);
    ig_sealer_look(log);

    for (i = log->nsegments; i > 0; i--) {
        segment = &log->segment[i - 1];
        size[i - 1] = fstat(segment->fd, &st) == 0 ? (uint64_t) st.st_size : 0;

        if (!segment->done
            && size[i - 1] < (segment->sealed > 0 ? segment->sealed
                                                  : segment->bytes))
        {
            ig_sealer_cut(log, segment, size[i - 1]);
        }
    }

    for (i = 0; i < log->nsegments && log->sealer->refused == 0; i++) {
        if (!log->segment[i].done) {
            ig_sealer_read(log, &log->segment[i], size[i]);
        }
    }

    ig_sealer_retire(log);
}
