/*
 * ig_ctl_plot_int.h: what the files of the plot layer share: panels, axes,
 * patterns.
 * Owns nothing.  Included by ig_ctl_plot*.c alone.
 */

#ifndef IG_CTL_PLOT_INT_H
#define IG_CTL_PLOT_INT_H

#include "ig_ctl_plot.h"

#define IG_PLOT_WIDE    720     /* px */
#define IG_PLOT_NARROW  340

/* A panel: where it lies, and what its axes stand for. */
typedef struct {
    FILE      *out;
    double     left;
    double     right;
    double     top;
    double     bottom;
    int64_t    from;            /* ms since epoch, at the left */
    int64_t    to;
    uint64_t   most;            /* at the top; > 0 */
    ig_zone_t  zone;
} ig_panel_t;

double ig_panel_x(const ig_panel_t *panel, int64_t ms);
double ig_panel_y(const ig_panel_t *panel, double n);

/* most: rounded up, to a number that ticks lead to.  Returns their step. */
uint64_t ig_panel_scale(ig_panel_t *panel, uint64_t most);

/* Grid and numbers, from zero on, and the panel's heading above it. */
void ig_panel_y_axis(const ig_panel_t *panel, uint64_t step, const char *head);

/* The line at the bottom; its ticks, where `labels`, on two lines of text. */
void ig_panel_x_axis(const ig_panel_t *panel, bool labels);

/* "<svg ...><title>...": class "wide" or "narrow"; desc is escaped here. */
void ig_plot_open(FILE *out, const char *id, bool wide, double height,
    const char *title, ig_str_t desc);
void ig_plot_close(FILE *out);

/* 1,234,567 */
void ig_plot_number(FILE *out, uint64_t n);

/* "fill" and outline of a decision (IG_BIN_*), as attributes. */
void ig_plot_fill(FILE *out, unsigned kind);

#endif /* IG_CTL_PLOT_INT_H */
