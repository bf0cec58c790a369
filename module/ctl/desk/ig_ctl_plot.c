/*
 * ig_ctl_plot.c: panels, their axes, and the patterns they are filled with.
 * Owns nothing.  Called by ig_ctl_plot_time.c and ig_ctl_plot_bars.c.
 */

#include <string.h>

#include "ig_ctl_page.h"
#include "ig_ctl_plot_int.h"

#define IG_Y_TICKS    4         /* at most, above zero */
#define IG_X_ROOM     76        /* px between ticks, at least */
#define IG_X_NARROW   52        /* the same, where there is little room */

/* The Monday that ticks are counted from: 1970-01-05. */
#define IG_X_MONDAY   (4 * IG_DAY_MS)


void
ig_plot_patterns(FILE *out)
{
    fputs("<svg class=\"defs\" aria-hidden=\"true\" focusable=\"false\""
          " xmlns=\"http://www.w3.org/2000/svg\"><defs>\n"
          "<pattern id=\"fill-hold\" width=\"5\" height=\"5\""
          " patternUnits=\"userSpaceOnUse\""
          " patternTransform=\"rotate(45)\">"
          "<rect class=\"hold-back\" width=\"5\" height=\"5\" />"
          "<line class=\"hold-ink\" x1=\"1\" y1=\"0\" x2=\"1\" y2=\"5\" />"
          "</pattern>\n"
          "<pattern id=\"fill-throttle\" width=\"5\" height=\"5\""
          " patternUnits=\"userSpaceOnUse\">"
          "<rect class=\"throttle-back\" width=\"5\" height=\"5\" />"
          "<circle class=\"throttle-ink\" cx=\"2.5\" cy=\"2.5\" r=\"1.3\" />"
          "</pattern>\n</defs></svg>\n", out);
}


void
ig_plot_fill(FILE *out, unsigned kind)
{
    static const char *const  fill[] = {
        [IG_BIN_ALLOW] = "class=\"allow\"",
        [IG_BIN_HOLD] = "class=\"edge-hold\" fill=\"url(#fill-hold)\"",
        [IG_BIN_THROTTLE] =
            "class=\"edge-throttle\" fill=\"url(#fill-throttle)\"",
        [IG_BIN_DENY] = "class=\"edge-deny deny-back\""
    };

    fprintf(out, "%s stroke-width=\"%s\"", fill[kind],
            kind == IG_BIN_ALLOW ? "0" : "0.8");
}


void
ig_plot_open(FILE *out, const char *id, bool wide, double height,
    const char *title, ig_str_t desc)
{
    const char  *form;

    form = wide ? "wide" : "narrow";

    fprintf(out, "<svg class=\"%s\" xmlns=\"http://www.w3.org/2000/svg\""
            " viewBox=\"0 0 %d %.0f\" role=\"img\""
            " aria-labelledby=\"%s-%s-title %s-%s-desc\">\n"
            "<title id=\"%s-%s-title\">%s</title>\n<desc id=\"%s-%s-desc\">",
            form, wide ? IG_PLOT_WIDE : IG_PLOT_NARROW, height,
            id, form, id, form, id, form, title, id, form);
    ig_page_escape(out, desc);
    fputs("</desc>\n", out);
}


void
ig_plot_close(FILE *out)
{
    fputs("</svg>\n", out);
}


void
ig_plot_number(FILE *out, uint64_t n)
{
    int   i, len;
    char  text[32];

    len = snprintf(text, sizeof(text), "%llu", (unsigned long long) n);

    for (i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0) {
            fputc(',', out);
        }

        fputc(text[i], out);
    }
}


/* -- the axis of numbers ------------------------------------------------- */


double
ig_panel_y(const ig_panel_t *panel, double n)
{
    return panel->bottom
           - (panel->bottom - panel->top) * n / (double) panel->most;
}


uint64_t
ig_panel_scale(ig_panel_t *panel, uint64_t most)
{
    unsigned  i;
    uint64_t  step, power;

    static const unsigned  nice[] = { 1, 2, 5 };

    step = 1;

    for (i = 0, power = 1; step * IG_Y_TICKS < most && power < UINT64_MAX / 50;
         i++)
    {
        if (i == 3) {
            i = 0;
            power *= 10;
        }

        step = nice[i] * power;
    }

    panel->most = most ? (most + step - 1) / step * step : step;

    return step;
}


void
ig_panel_y_axis(const ig_panel_t *panel, uint64_t step, const char *head)
{
    double    y;
    uint64_t  n;

    fprintf(panel->out, "<text class=\"head\" x=\"0\" y=\"%.1f\">%s</text>\n",
            panel->top - 16, head);

    for (n = 0; n <= panel->most; n += step) {
        y = ig_panel_y(panel, (double) n);

        fprintf(panel->out, "<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\""
                " y1=\"%.1f\" y2=\"%.1f\" />"
                "<text class=\"soft\" text-anchor=\"end\" x=\"%.1f\""
                " y=\"%.1f\">", panel->left, panel->right, y, y,
                panel->left - 6, y + 4);
        ig_plot_number(panel->out, n);
        fputs("</text>\n", panel->out);
    }
}


/* -- the axis of time ---------------------------------------------------- */


double
ig_panel_x(const ig_panel_t *panel, int64_t ms)
{
    if (ms < panel->from) {
        ms = panel->from;
    }

    if (ms > panel->to) {
        ms = panel->to;
    }

    return panel->left + (panel->right - panel->left)
           * (double) (ms - panel->from) / (double) (panel->to - panel->from);
}


/* The narrowest step whose labels have room. */
static int64_t
ig_panel_time_step(const ig_panel_t *panel)
{
    size_t   i;
    double   width;
    int64_t  most;

    static const int64_t  step[] = {
        IG_MINUTE_MS, 5 * IG_MINUTE_MS, 15 * IG_MINUTE_MS, 30 * IG_MINUTE_MS,
        IG_HOUR_MS, 3 * IG_HOUR_MS, 6 * IG_HOUR_MS, 12 * IG_HOUR_MS,
        IG_DAY_MS, 2 * IG_DAY_MS, 7 * IG_DAY_MS, 14 * IG_DAY_MS,
        28 * IG_DAY_MS, 56 * IG_DAY_MS, 182 * IG_DAY_MS, 364 * IG_DAY_MS
    };

    width = panel->right - panel->left;
    most = (int64_t) (width / (width < IG_PLOT_NARROW ? IG_X_NARROW
                                                      : IG_X_ROOM));

    for (i = 0; i + 1 < ig_countof(step); i++) {
        if ((panel->to - panel->from) / step[i] <= most) {
            return step[i];
        }
    }

    return (panel->to - panel->from) / most + 1;
}


static void
ig_panel_tick_text(const ig_panel_t *panel, double x, int line, ig_str_t text)
{
    fprintf(panel->out, "<text class=\"soft\" text-anchor=\"%s\" x=\"%.1f\""
            " y=\"%.1f\">%.*s</text>\n",
            x > panel->right - 12 ? "end" : "middle", x,
            panel->bottom + 18 + 15 * line, ig_fmt(text));
}


/*
 * Two lines: the hour, and its day where that is another than before; or the
 * day and its year.
 */
static void
ig_panel_tick(const ig_panel_t *panel, int64_t ms, int64_t step, char *last)
{
    char      text[IG_CALENDAR_TEXT], more[IG_CALENDAR_TEXT];
    bool      clock;
    double    x;
    ig_buf_t  b, m;

    x = ig_panel_x(panel, ms);
    clock = (step < IG_DAY_MS);

    fprintf(panel->out, "<line class=\"axis\" x1=\"%.1f\" x2=\"%.1f\""
            " y1=\"%.1f\" y2=\"%.1f\" />", x, x, panel->bottom,
            panel->bottom + 4);

    ig_buf_init(&b, text, sizeof(text));
    ig_when_write(&b, ms, panel->zone,
                  clock ? IG_WRITE_CLOCK : IG_WRITE_SHORT_DAY);
    ig_panel_tick_text(panel, x, 0, ig_buf_str(&b));

    ig_buf_init(&m, more, sizeof(more) - 1);
    ig_when_write(&m, ms, panel->zone,
                  clock ? IG_WRITE_SHORT_DAY : IG_WRITE_DAY);

    if (!clock && m.pos - m.start > 4) {
        m.pos = m.start + 4;
    }

    *m.pos = '\0';

    if (strcmp(more, last) != 0) {
        ig_panel_tick_text(panel, x, 1, ig_buf_str(&m));
        strcpy(last, more);
    }
}


void
ig_panel_x_axis(const ig_panel_t *panel, bool labels)
{
    char     last[IG_CALENDAR_TEXT] = "";
    int64_t  step, ms, past;

    fprintf(panel->out, "<line class=\"axis\" x1=\"%.1f\" x2=\"%.1f\""
            " y1=\"%.1f\" y2=\"%.1f\" />\n", panel->left, panel->right,
            panel->bottom, panel->bottom);

    if (!labels) {
        return;
    }

    step = ig_panel_time_step(panel);
    past = (panel->from + panel->zone - IG_X_MONDAY) % step;

    /* the first moment from `from` on that the step leads to */

    ms = panel->from - past + (past > 0 ? step : 0);

    for ( ; ms <= panel->to; ms += step) {
        ig_panel_tick(panel, ms, step, last);
    }
}
