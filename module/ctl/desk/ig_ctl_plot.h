/*
 * ig_ctl_plot.h: plots as inline SVG, each twice: for a wide and for a narrow
 * screen.  Axes begin at zero, and say their unit and time zone.
 * Owns nothing.  Borrows the bins; called by dossier and report.
 */

#ifndef IG_CTL_PLOT_H
#define IG_CTL_PLOT_H

#include <stdio.h>

#include "ig_ctl_calendar.h"

/* The patterns that plots and legends are filled with; once a page. */
void ig_plot_patterns(FILE *out);

/* A span of time on a lane of its own: a key's time on a list. */
typedef struct {
    ig_str_t  label;
    int64_t   from;             /* ms since epoch */
    int64_t   to;               /* beyond the plot: it goes on */
} ig_plot_span_t;

typedef struct {
    const ig_bins_t       *bins;
    const ig_bins_t       *before;      /* or NULL; drawn on the same axis */
    int64_t                shift;       /* ms from `before` to `bins` */
    const ig_plot_span_t  *span;
    unsigned               nspans;
    const char            *title;       /* for who does not see it */
    const char            *id;          /* of elements: unique in the page */
} ig_plot_time_t;

/*
 * A figure of calls over time: all of them, and below those held, throttled
 * or denied, on an axis of their own; below that the spans.
 */
void ig_plot_time(FILE *out, const ig_plot_time_t *plot);

/* One horizontal bar: now, and in the period before. */
typedef struct {
    ig_str_t  label;
    uint64_t  n;
    uint64_t  before;
} ig_plot_bar_t;

typedef struct {
    const ig_plot_bar_t  *bar;
    unsigned              nbars;
    bool                  has_before;
    const char           *title;
    const char           *unit;         /* "calls" */
    const char           *id;
} ig_plot_bars_t;

void ig_plot_bars(FILE *out, const ig_plot_bars_t *plot);

#endif /* IG_CTL_PLOT_H */
