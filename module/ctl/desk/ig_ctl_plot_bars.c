/*
 * ig_ctl_plot_bars.c: horizontal bars with their labels above them.
 * Owns nothing.  Called by report.
 */

#include <string.h>

#include "ig_ctl_page.h"
#include "ig_ctl_plot_int.h"

#define IG_BARS_ROW    40               /* px */
#define IG_BARS_RIGHT  70               /* for the number */


static void
ig_bars_row(FILE *out, const ig_plot_bars_t *plot, unsigned i, double width,
    uint64_t most)
{
    double                y, n;
    const ig_plot_bar_t  *bar;

    bar = &plot->bar[i];
    y = IG_BARS_ROW * i;
    n = width * (double) bar->n / (double) most;

    fprintf(out, "<text x=\"0\" y=\"%.1f\">", y + 14);
    ig_page_escape(out, bar->label);
    fprintf(out, "</text><rect class=\"list\" x=\"0\" y=\"%.1f\" width=\"%.1f\""
            " height=\"12\" /><text class=\"soft\" x=\"%.1f\" y=\"%.1f\">",
            y + 19, n, n + 6, y + 29);
    ig_plot_number(out, bar->n);
    fputs("</text>", out);

    if (plot->has_before) {
        n = width * (double) bar->before / (double) most;
        fprintf(out, "<path class=\"before\" d=\"M0 %.1fH%.1f\" />", y + 34, n);
    }

    fputc('\n', out);
}


static void
ig_bars_svg(FILE *out, const ig_plot_bars_t *plot, bool wide)
{
    double    width;
    unsigned  i;
    uint64_t  most;

    width = (wide ? IG_PLOT_WIDE : IG_PLOT_NARROW) - IG_BARS_RIGHT;

    for (i = 0, most = 1; i < plot->nbars; i++) {
        most = plot->bar[i].n > most ? plot->bar[i].n : most;
        most = plot->has_before && plot->bar[i].before > most
               ? plot->bar[i].before : most;
    }

    ig_plot_open(out, plot->id, wide, IG_BARS_ROW * plot->nbars + 4.0,
                 plot->title, ig_str("The numbers are in the table below."));

    for (i = 0; i < plot->nbars; i++) {
        ig_bars_row(out, plot, i, width, most);
    }

    ig_plot_close(out);
}


void
ig_plot_bars(FILE *out, const ig_plot_bars_t *plot)
{
    fputs("<figure>\n", out);

    ig_bars_svg(out, plot, true);
    ig_bars_svg(out, plot, false);

    fprintf(out, "<figcaption>%s, from zero%s.</figcaption>\n</figure>\n",
            plot->unit, plot->has_before
            ? "; the dashed line is the period before" : "");
}
