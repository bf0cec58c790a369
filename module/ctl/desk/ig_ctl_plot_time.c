/*
 * ig_ctl_plot_time.c: calls over time: bars of all calls, of the stronger
 * decisions, and spans of sanctions below.
 * Owns nothing.  Called by dossier and report.
 */

#include <string.h>

#include "ig_ctl_page.h"
#include "ig_ctl_plot_int.h"

#define IG_TIME_LEFT     52             /* px: numbers of the axis */
#define IG_TIME_RIGHT    8
#define IG_TIME_HEAD     36
#define IG_TIME_HEIGHT   110
#define IG_TIME_LISTS    26             /* the heading of the spans */
#define IG_TIME_LANE     20
#define IG_TIME_ABOVE    15             /* a label of its own line */
#define IG_TIME_LETTER   6.6            /* px, on the safe side */
#define IG_TIME_FOOT     58
#define IG_TIME_LEAST    1.2            /* px: what is there can be seen */

static const char *const  ig_time_word[] = {
    [IG_BIN_ALLOW] = "allowed",
    [IG_BIN_HOLD] = "held",
    [IG_BIN_THROTTLE] = "throttled",
    [IG_BIN_DENY] = "denied"
};


static void
ig_time_moment(FILE *out, int64_t ms, ig_zone_t zone)
{
    char      text[IG_CALENDAR_TEXT];
    ig_buf_t  b;

    ig_buf_init(&b, text, sizeof(text));
    ig_when_write(&b, ms, zone, IG_WRITE_MINUTE);
    fprintf(out, "%.*s", ig_fmt(ig_buf_str(&b)));
}


/* -- bars ---------------------------------------------------------------- */


/* What a bar says when it is pointed at. */
static void
ig_time_bar_title(const ig_panel_t *panel, const ig_bins_t *bins, unsigned i)
{
    unsigned         kind;
    const ig_bin_t  *bin;

    bin = &bins->bin[i];

    fputs("<title>", panel->out);
    ig_time_moment(panel->out, ig_bins_start(bins, i), bins->zone);
    fputs(": ", panel->out);
    ig_plot_number(panel->out, ig_bin_calls(bin));
    fputs(" calls", panel->out);

    for (kind = IG_BIN_HOLD; kind <= IG_BIN_DENY; kind++) {
        if (bin->n[kind]) {
            fputs(", ", panel->out);
            ig_plot_number(panel->out, bin->n[kind]);
            fprintf(panel->out, " %s", ig_time_word[kind]);
        }
    }

    fputs("</title>", panel->out);
}


/* One piece of a bar, from `below` up by n; what it reaches is returned. */
static uint64_t
ig_time_piece(const ig_panel_t *panel, double x, double width, unsigned kind,
    uint64_t below, uint64_t n)
{
    double  top, bottom;

    if (n == 0) {
        return below;
    }

    bottom = ig_panel_y(panel, (double) below);
    top = ig_panel_y(panel, (double) (below + n));

    if (bottom - top < IG_TIME_LEAST) {
        top = bottom - IG_TIME_LEAST;
    }

    fprintf(panel->out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\""
            " height=\"%.1f\" ", x, top, width, bottom - top);
    ig_plot_fill(panel->out, kind);
    fputs(" />", panel->out);

    return below + n;
}


static void
ig_time_bars(const ig_panel_t *panel, const ig_bins_t *bins, bool stronger)
{
    double           x, width;
    unsigned         i, kind;
    uint64_t         below;
    const ig_bin_t  *bin;

    for (i = 0; i < bins->nbins; i++) {
        bin = &bins->bin[i];

        if ((stronger ? ig_bin_stronger(bin) : ig_bin_calls(bin)) == 0) {
            continue;
        }

        x = ig_panel_x(panel, ig_bins_start(bins, i));
        width = ig_panel_x(panel, ig_bins_start(bins, i + 1)) - x;
        width = width > 4 ? width * 0.84 : width * 0.92;

        fputs("<g>", panel->out);
        ig_time_bar_title(panel, bins, i);

        if (!stronger) {
            (void) ig_time_piece(panel, x, width, IG_BIN_ALLOW, 0,
                                 ig_bin_calls(bin));

        } else {
            below = 0;

            for (kind = IG_BIN_HOLD; kind <= IG_BIN_DENY; kind++) {
                below = ig_time_piece(panel, x, width, kind, below,
                                      bin->n[kind]);
            }
        }

        fputs("</g>\n", panel->out);
    }
}


/* The period before, as a line of steps over the bars. */
static void
ig_time_before(const ig_panel_t *panel, const ig_plot_time_t *plot)
{
    int64_t          ms;
    unsigned         i;
    const ig_bins_t  *before;

    before = plot->before;

    if (before == NULL || before->nbins == 0) {
        return;
    }

    fputs("<path class=\"before\" d=\"", panel->out);

    for (i = 0; i < before->nbins; i++) {
        ms = ig_bins_start(before, i) + plot->shift;

        fprintf(panel->out, "%c%.1f %.1fH%.1f", i ? 'L' : 'M',
                ig_panel_x(panel, ms),
                ig_panel_y(panel, (double) ig_bin_calls(&before->bin[i])),
                ig_panel_x(panel, ms + ig_bins_width(before)));
    }

    fputs("\" />\n", panel->out);
}


/* -- spans --------------------------------------------------------------- */


/* Where a span's label has room: before its bar, behind it, or above it. */
typedef struct {
    double       x;
    const char  *anchor;
    bool         above;
} ig_time_label_t;


static ig_time_label_t
ig_time_label(const ig_panel_t *panel, const ig_plot_span_t *span)
{
    double  x, end, width;

    x = ig_panel_x(panel, span->from);
    end = ig_panel_x(panel, span->to);
    width = IG_TIME_LETTER * (double) span->label.len;

    if (x - panel->left > width) {
        return (ig_time_label_t) { x - 6, "end", false };
    }

    if (panel->right - end > width + 6) {
        return (ig_time_label_t) { end + 6, "start", false };
    }

    return (ig_time_label_t) { panel->left, "start", true };
}


/* A bar with its label; an arrow where it goes on.  Returns where it ends. */
static double
ig_time_span(const ig_panel_t *panel, const ig_plot_span_t *span, double y)
{
    double           x, end;
    ig_time_label_t  label;

    x = ig_panel_x(panel, span->from);
    end = ig_panel_x(panel, span->to);
    label = ig_time_label(panel, span);

    fprintf(panel->out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">",
            label.x, y + 12, label.anchor);
    ig_page_escape(panel->out, span->label);

    y += label.above ? IG_TIME_ABOVE : 0;

    fprintf(panel->out, "</text><rect class=\"list\" x=\"%.1f\" y=\"%.1f\""
            " width=\"%.1f\" height=\"8\" />", x, y + 4,
            end - x > 3 ? end - x : 3);

    if (span->to > panel->to) {
        fprintf(panel->out, "<path class=\"list\" d=\"M%.1f %.1fl7 8l-7 8z\""
                " />", panel->right, y);
    }

    fputc('\n', panel->out);

    return y + IG_TIME_LANE;
}


static double
ig_time_spans(const ig_panel_t *panel, const ig_plot_time_t *plot, double y)
{
    unsigned  i;

    if (plot->nspans == 0) {
        return y;
    }

    fprintf(panel->out, "<text class=\"head\" x=\"0\" y=\"%.1f\">On lists"
            "</text>\n", y + 16);
    y += IG_TIME_LISTS;

    for (i = 0; i < plot->nspans; i++) {
        y = ig_time_span(panel, &plot->span[i], y);
    }

    return y + 6;
}


/* What ig_time_spans takes. */
static double
ig_time_spans_height(const ig_panel_t *panel, const ig_plot_time_t *plot)
{
    double    height;
    unsigned  i;

    if (plot->nspans == 0) {
        return 0;
    }

    height = IG_TIME_LISTS + 6;

    for (i = 0; i < plot->nspans; i++) {
        height += IG_TIME_LANE;
        height += ig_time_label(panel, &plot->span[i]).above ? IG_TIME_ABOVE
                                                             : 0;
    }

    return height;
}


/* -- the whole ----------------------------------------------------------- */


/* What a reader who does not see the plot should know of it. */
static ig_str_t
ig_time_describe(const ig_plot_time_t *plot, char *text, size_t size)
{
    unsigned   i, most;
    ig_buf_t   b;
    uint64_t   calls, stronger;

    const ig_bins_t  *bins = plot->bins;

    calls = 0;
    stronger = 0;

    for (i = 0, most = 0; i < bins->nbins; i++) {
        calls += ig_bin_calls(&bins->bin[i]);
        stronger += ig_bin_stronger(&bins->bin[i]);

        if (ig_bin_calls(&bins->bin[i]) > ig_bin_calls(&bins->bin[most])) {
            most = i;
        }
    }

    ig_buf_init(&b, text, size);
    ig_buf_lit(&b, "Bars, one per ");
    ig_buf_bytes(&b, ig_bins_unit(bins), strlen(ig_bins_unit(bins)));
    ig_buf_lit(&b, ", from ");
    ig_when_write(&b, ig_bins_start(bins, 0), bins->zone, IG_WRITE_MINUTE);
    ig_buf_lit(&b, " to ");
    ig_when_write(&b, ig_bins_start(bins, bins->nbins), bins->zone,
                  IG_WRITE_MINUTE);
    ig_buf_char(&b, ' ');
    ig_zone_write(&b, bins->zone);
    ig_buf_lit(&b, ": ");
    ig_buf_u64(&b, calls);
    ig_buf_lit(&b, " calls, ");
    ig_buf_u64(&b, stronger);
    ig_buf_lit(&b, " of them held, throttled or denied. The highest bar: ");
    ig_buf_u64(&b, ig_bin_calls(&bins->bin[most]));
    ig_buf_lit(&b, " calls from ");
    ig_when_write(&b, ig_bins_start(bins, most), bins->zone, IG_WRITE_MINUTE);
    ig_buf_lit(&b, " on.");

    return ig_buf_str(&b);
}


static uint64_t
ig_time_most(const ig_bins_t *bins, bool stronger)
{
    unsigned  i;
    uint64_t  n, most;

    most = 0;

    for (i = 0; bins != NULL && i < bins->nbins; i++) {
        n = stronger ? ig_bin_stronger(&bins->bin[i])
                     : ig_bin_calls(&bins->bin[i]);
        most = n > most ? n : most;
    }

    return most;
}


static void
ig_time_panel(ig_panel_t *panel, const ig_plot_time_t *plot, bool stronger)
{
    char      head[80];
    uint64_t  most, before, step;

    most = ig_time_most(plot->bins, stronger);
    before = stronger ? 0 : ig_time_most(plot->before, false);
    step = ig_panel_scale(panel, before > most ? before : most);

    snprintf(head, sizeof(head), stronger
             ? "Held, throttled or denied, per %s" : "Calls per %s",
             ig_bins_unit(plot->bins));

    ig_panel_y_axis(panel, step, head);
    ig_time_bars(panel, plot->bins, stronger);

    if (!stronger) {
        ig_time_before(panel, plot);
    }

    ig_panel_x_axis(panel, false);
}


static void
ig_time_svg(FILE *out, const ig_plot_time_t *plot, bool wide)
{
    char        desc[512];
    double      y, height;
    ig_buf_t    b;
    ig_panel_t  panel;

    panel = (ig_panel_t) {
        .out = out, .left = IG_TIME_LEFT, .zone = plot->bins->zone,
        .right = (wide ? IG_PLOT_WIDE : IG_PLOT_NARROW) - IG_TIME_RIGHT,
        .top = IG_TIME_HEAD, .bottom = IG_TIME_HEAD + IG_TIME_HEIGHT,
        .from = ig_bins_start(plot->bins, 0),
        .to = ig_bins_start(plot->bins, plot->bins->nbins), .most = 1
    };

    height = 2 * (IG_TIME_HEAD + IG_TIME_HEIGHT) + IG_TIME_FOOT + 6
             + ig_time_spans_height(&panel, plot);

    ig_plot_open(out, plot->id, wide, height, plot->title,
                 ig_time_describe(plot, desc, sizeof(desc)));

    ig_time_panel(&panel, plot, false);

    panel.top = panel.bottom + IG_TIME_HEAD + 6;
    panel.bottom = panel.top + IG_TIME_HEIGHT;

    ig_time_panel(&panel, plot, true);

    y = ig_time_spans(&panel, plot, panel.bottom + 6);
    panel.bottom = plot->nspans ? y : panel.bottom;
    ig_panel_x_axis(&panel, true);

    ig_buf_init(&b, desc, sizeof(desc));
    ig_zone_write(&b, panel.zone);
    fprintf(out, "<text class=\"soft\" text-anchor=\"end\" x=\"%.1f\""
            " y=\"%.1f\">Time, %.*s</text>\n", panel.right,
            panel.bottom + 50, ig_fmt(ig_buf_str(&b)));

    ig_plot_close(out);
}


static void
ig_time_key(FILE *out, unsigned kind, const char *word)
{
    fputs("<li><svg viewBox=\"0 0 22 14\" aria-hidden=\"true\""
          " xmlns=\"http://www.w3.org/2000/svg\"><rect x=\"1\" y=\"1\""
          " width=\"20\" height=\"12\" ", out);
    ig_plot_fill(out, kind);
    fprintf(out, " /></svg>%s</li>\n", word);
}


void
ig_plot_time(FILE *out, const ig_plot_time_t *plot)
{
    unsigned  kind;

    fputs("<figure>\n<ul class=\"legend\">\n", out);
    ig_time_key(out, IG_BIN_ALLOW, "all calls");

    for (kind = IG_BIN_HOLD; kind <= IG_BIN_DENY; kind++) {
        ig_time_key(out, kind, ig_time_word[kind]);
    }

    if (plot->before && plot->before->nbins) {
        fputs("<li><svg viewBox=\"0 0 22 14\" aria-hidden=\"true\""
              " xmlns=\"http://www.w3.org/2000/svg\"><path class=\"before\""
              " d=\"M0 7H22\" /></svg>all calls, the period before</li>\n",
              out);
    }

    fputs("</ul>\n", out);

    ig_time_svg(out, plot, true);
    ig_time_svg(out, plot, false);

    fputs("<figcaption>The two plots have axes of their own, both from zero."
          " What is too small for its scale is drawn as a thin line."
          "</figcaption>\n</figure>\n", out);
}
