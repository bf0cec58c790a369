/*
 * ig_ctl_backtest_source.c: files of events, plain or gzip, as one stream in
 * the order of time.
 * Owns: open files and what of them waits to be read.
 * Called by ig_ctl_backtest.c.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ig_ctl_backtest.h"

#define IG_STREAM_BLOCK  (256 * 1024)
#define IG_SOURCE_TOLD   20     /* complaints about lines */


/* -- complaints ---------------------------------------------------------- */


static const char *
ig_stream_name(const char *path)
{
    return strcmp(path, "-") == 0 ? "standard input" : path;
}


static int
ig_source_complain(ig_source_files_t *s, ig_skip_e skip, const char *path,
    uint64_t line, const char *why)
{
    s->skipped[skip]++;

    if (s->told++ < IG_SOURCE_TOLD) {
        fprintf(stderr, "%s:%llu: %s\n", ig_stream_name(path),
                (unsigned long long) line, why);

        if (s->told == IG_SOURCE_TOLD && !s->options->strict) {
            fputs("integrityctl: further lines that are skipped are only "
                  "counted\n", stderr);
        }
    }

    return s->options->strict ? IG_ERROR : IG_OK;
}


int
ig_source_refuse(ig_source_files_t *s, const ig_backtest_event_t *event,
    ig_skip_e skip, const char *fmt, ...)
{
    char     why[IG_ERROR_SIZE];
    va_list  args;

    va_start(args, fmt);
    (void) vsnprintf(why, sizeof(why), fmt, args);
    va_end(args);

    return ig_source_complain(s, skip, event->file, event->line, why);
}


/* -- one file ------------------------------------------------------------ */


static int
ig_stream_open(ig_stream_t *stream, const char *path, ig_mem_t *mem)
{
    struct stat  st;

    stream->path = path;

    stream->fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO)
                                        : open(path, O_RDONLY | O_CLOEXEC);

    if (stream->fd == -1) {
        return ig_ctl_error("cannot open \"%s\": %s", path, strerror(errno));
    }

    if (fstat(stream->fd, &st) == 0 && S_ISDIR(st.st_mode)) {
        (void) close(stream->fd);
        return ig_ctl_error("\"%s\" is a folder", path);
    }

    stream->room = IG_STREAM_BLOCK;
    stream->block = ig_alloc(mem, stream->room);
    stream->gz = gzdopen(stream->fd, "rb");

    if (stream->gz == NULL) {
        (void) close(stream->fd);
    }

    if (stream->block == NULL || stream->gz == NULL) {
        return ig_ctl_error("no memory");
    }

    (void) gzbuffer(stream->gz, IG_STREAM_BLOCK);

    return IG_CTL_OK;
}


/* Why reading stopped, where it was not the end. */
static void
ig_stream_check_end(ig_source_files_t *s, ig_stream_t *stream)
{
    int          code;
    const char  *why;

    why = gzerror(stream->gz, &code);

    if (code == Z_OK || code == Z_STREAM_END) {
        return;
    }

    s->damaged = true;

    (void) ig_ctl_error("\"%s\" cannot be read further than line %llu: %s",
                        ig_stream_name(stream->path),
                        (unsigned long long) stream->lines,
                        code == Z_ERRNO ? strerror(errno)
                        : code == Z_BUF_ERROR ? "it ends within compressed data"
                        : why);
}


/* More bytes behind those that wait; false: there are none. */
static bool
ig_stream_fill(ig_source_files_t *s, ig_stream_t *stream, ig_mem_t *mem)
{
    int    n;
    char  *more;

    if (stream->eof) {
        return false;
    }

    if (stream->start > 0) {
        memmove(stream->block, stream->block + stream->start,
                stream->end - stream->start);
        stream->end -= stream->start;
        stream->start = 0;
    }

    if (stream->end == stream->room) {
        more = ig_alloc(mem, 2 * stream->room);
        if (more == NULL) {
            stream->eof = true;
            s->damaged = true;
            (void) ig_ctl_error("no memory");
            return false;
        }

        memcpy(more, stream->block, stream->end);
        stream->block = more;
        stream->room *= 2;
    }

    n = gzread(stream->gz, stream->block + stream->end,
               (unsigned) (stream->room - stream->end));

    if (n <= 0) {
        stream->eof = true;
        ig_stream_check_end(s, stream);
        return false;
    }

    stream->end += (size_t) n;

    return true;
}


/* The next line without its end; IG_AGAIN: there is none, IG_ERROR: too long,
 * it is left out. */
static int
ig_stream_line(ig_source_files_t *s, ig_stream_t *stream, ig_str_t *line,
    ig_mem_t *mem)
{
    bool    drop;
    char   *newline, *from;
    size_t  seen;

    drop = false;
    seen = 0;

    for ( ;; ) {
        from = stream->block + stream->start;
        newline = memchr(from + seen, '\n',
                         stream->end - stream->start - seen);
        if (newline) {
            break;
        }

        seen = stream->end - stream->start;

        if (seen > IG_BACKTEST_LINE) {
            drop = true;
            stream->start = stream->end;
            seen = 0;
        }

        if (!ig_stream_fill(s, stream, mem)) {
            break;
        }
    }

    from = stream->block + stream->start;
    line->data = from;
    line->len = newline ? (size_t) (newline - from)
                        : stream->end - stream->start;

    if (newline == NULL && line->len == 0 && !drop) {
        return IG_AGAIN;
    }

    stream->start += line->len + (newline != NULL);
    stream->lines++;

    return drop || line->len > IG_BACKTEST_LINE ? IG_ERROR : IG_OK;
}


/* Reads on to the next event.  IG_OK (also at the end), IG_ERROR: strict. */
static int
ig_stream_event(ig_source_files_t *s, ig_stream_t *stream, ig_mem_t *mem)
{
    int          rc;
    ig_str_t     line;
    ig_skip_e    skip;
    const char  *why;

    for ( ;; ) {
        rc = ig_stream_line(s, stream, &line, mem);

        if (rc == IG_AGAIN) {
            stream->ended = true;
            return IG_OK;
        }

        why = NULL;

        if (rc == IG_ERROR) {
            skip = IG_SKIP_LONG;
            why = "is longer than 1 MiB";

        } else {
            skip = ig_backtest_event(&stream->event, line,
                                     s->options->action, &why);
        }

        if (skip == IG_SKIP_NONE) {
            stream->event.file = stream->path;
            stream->event.line = stream->lines;
            stream->has = true;
            return IG_OK;
        }

        if (why == NULL) {
            s->skipped[skip]++;
            continue;
        }

        if (ig_source_complain(s, skip, stream->path, stream->lines, why)
            != IG_OK)
        {
            return IG_ERROR;
        }
    }
}


/* -- all files ----------------------------------------------------------- */


int
ig_source_open(ig_source_files_t *s, const ig_backtest_options_t *options,
    ig_mem_t *mem)
{
    int  i, rc;

    s->options = options;

    s->stream = ig_alloc(mem, (size_t) options->nfiles * sizeof(ig_stream_t));
    if (s->stream == NULL) {
        return ig_ctl_error("no memory");
    }

    for (i = 0; i < options->nfiles; i++) {
        rc = ig_stream_open(&s->stream[i], options->file[i], mem);
        if (rc != IG_CTL_OK) {
            return rc;
        }

        s->nstreams++;
    }

    return IG_CTL_OK;
}


void
ig_source_close(ig_source_files_t *s)
{
    unsigned  i;

    for (i = 0; i < s->nstreams; i++) {
        if (s->stream[i].has) {
            ig_backtest_event_free(&s->stream[i].event);
        }

        (void) gzclose(s->stream[i].gz);
    }

    s->nstreams = 0;
}


static void
ig_source_clock(ig_source_files_t *s, int64_t time)
{
    if (s->events++ == 0) {
        s->first = time;
        s->latest = time;
        return;
    }

    if (time >= s->latest) {
        s->latest = time;
        return;
    }

    s->backwards++;

    if (s->latest - time > s->furthest) {
        s->furthest = s->latest - time;
    }
}


int
ig_source_next(ig_source_files_t *s, ig_backtest_event_t *event,
    ig_mem_t *mem)
{
    unsigned      i;
    ig_stream_t  *stream, *best;

    best = NULL;

    for (i = 0; i < s->nstreams; i++) {
        stream = &s->stream[i];

        if (!stream->has && !stream->ended
            && ig_stream_event(s, stream, mem) != IG_OK)
        {
            return IG_ERROR;
        }

        if (stream->has
            && (best == NULL || stream->event.time < best->event.time))
        {
            best = stream;
        }
    }

    if (best == NULL) {
        return IG_AGAIN;
    }

    *event = best->event;
    best->has = false;

    ig_source_clock(s, event->time);

    return IG_OK;
}


double
ig_source_progress(const ig_source_files_t *s)
{
    double       done, all;
    unsigned     i;
    struct stat  st;

    done = 0;
    all = 0;

    for (i = 0; i < s->nstreams; i++) {
        if (fstat(s->stream[i].fd, &st) != 0 || !S_ISREG(st.st_mode)) {
            return -1;
        }

        done += (double) gzoffset(s->stream[i].gz);
        all += (double) st.st_size;
    }

    return all > 0 ? done / all : -1;
}
