/*
 * ig_ctl_backtest_progress.c: how far a run is, on a terminal.
 * Owns nothing.  Called by ig_ctl_backtest.c and ig_ctl_load*.c.
 */

#include <time.h>
#include <unistd.h>

#include "ig_ctl_backtest.h"

#define IG_PROGRESS_BAR  30             /* characters */
#define IG_PROGRESS_MS   100            /* between two bars */

/* How often the clock is looked at. */
#define IG_PROGRESS_EVENTS  2048


int64_t
ig_progress_now(void)
{
    struct timespec  now;

    (void) clock_gettime(CLOCK_MONOTONIC, &now);

    return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}


void
ig_progress_begin(ig_progress_t *p)
{
    p->draws = isatty(STDERR_FILENO);
    p->started = ig_progress_now();
    p->drawn = 0;
}


void
ig_progress_draw(ig_progress_t *p, double part, uint64_t n, const char *what)
{
    int      done;
    int64_t  now;

    if (!p->draws) {
        return;
    }

    now = ig_progress_now();

    if (now - p->drawn < IG_PROGRESS_MS) {
        return;
    }

    p->drawn = now;

    if (part < 0) {
        fprintf(stderr, "\r%llu %s ", (unsigned long long) n, what);

    } else {
        done = (int) (part * IG_PROGRESS_BAR);
        fprintf(stderr, "\r[%.*s%*s] %3.0f %%  %llu %s ", done,
                "##############################", IG_PROGRESS_BAR - done, "",
                part * 100, (unsigned long long) n, what);
    }
}


void
ig_progress_source(ig_progress_t *p, const ig_source_files_t *source)
{
    if (p->draws && source->events % IG_PROGRESS_EVENTS == 0) {
        ig_progress_draw(p, ig_source_progress(source), source->events,
                         "events");
    }
}


void
ig_progress_end(ig_progress_t *p)
{
    if (p->draws && p->drawn) {
        fprintf(stderr, "\r%*s\r", IG_PROGRESS_BAR + 40, "");
        p->drawn = 0;
    }
}
