/*
 * ig_ctl_report_page.c: the report as a document: how much, what was decided,
 * by which rules, hour by hour.
 * Owns nothing.  Called by ig_ctl_report.c; ig_ctl_report_keys.c has the
 * sections about keys, lists and unclassified calls.
 */

#include <string.h>

#include "ig_ctl_plot.h"
#include "ig_ctl_report.h"
#include "ig_version.h"

#define IG_REPORT_TIMES  5          /* from here on a percentage says little */


/* -- against the period before ------------------------------------------- */


/* "+12.0 %", "-3.5 %", "7.5 times", "new", "the same". */
static void
ig_report_trend(ig_page_t *page, uint64_t now, uint64_t before)
{
    double  change;

    if (now == before) {
        ig_page_put(page, "the same");

    } else if (before == 0) {
        ig_page_put(page, "new");

    } else if (now / before >= IG_REPORT_TIMES) {
        ig_page_put(page, "%.1f times", (double) now / (double) before);

    } else {
        change = 100 * ((double) now - (double) before) / (double) before;
        ig_page_put(page, "%+.1f %%", change);
    }
}


/*
 * The two cells that compare, and how many columns a table has that ends with
 * them: where there is nothing to compare with there are none.
 */
#define ig_report_columns(column, compares)                                   \
    ((unsigned) ig_countof(column) - ((compares) ? 0 : 2))


static void
ig_report_compare(ig_page_t *page, uint64_t now, uint64_t before,
    bool compares)
{
    if (compares) {
        ig_page_number(page, before);
        ig_page_cell(page);
        ig_report_trend(page, now, before);
        ig_page_cell(page);
    }
}


/* -- the beginning ------------------------------------------------------- */


static void
ig_report_head(ig_page_t *page, const ig_report_t *r)
{
    char      zone[IG_CALENDAR_TEXT];
    bool      days;
    ig_buf_t  b;

    ig_buf_init(&b, zone, sizeof(zone));
    ig_zone_write(&b, r->zone);

    days = ig_day_start(r->since, r->zone) == r->since
           && ig_day_start(r->until, r->zone) == r->until;

    ig_page_put(page, "Integrity report, ");
    ig_page_time(page, r->since, days ? IG_WRITE_DAY : IG_WRITE_MINUTE);

    if (!days || r->until - r->since > IG_DAY_MS) {
        ig_page_put(page, " to ");
        ig_page_time(page, days ? r->until - 1 : r->until,
                     days ? IG_WRITE_DAY : IG_WRITE_MINUTE);
    }

    ig_page_title(page);

    if (page->html) {
        ig_plot_patterns(page->out);
    }

    ig_page_put(page, "All times are %.*s. The period before is from ",
                ig_fmt(ig_buf_str(&b)));
    ig_page_time(page, r->before, IG_WRITE_MINUTE);
    ig_page_put(page, " to ");
    ig_page_time(page, r->since, IG_WRITE_MINUTE);
    ig_page_put(page, ".");
    ig_page_note(page);
}


static void
ig_report_reach(ig_page_t *page, const ig_report_t *r, const ig_survey_t *s)
{
    if (s->health.lines == 0) {
        ig_page_put(page, "The files have no line of an audit log.");
        ig_page_warning(page);
        return;
    }

    if (!ig_report_compares(r, s)) {
        ig_page_put(page, "The log given begins ");
        ig_page_time(page, s->health.first, IG_WRITE_MINUTE);
        ig_page_put(page, ": it does not reach back to where the period"
                    " before begins, so that nothing is compared.");
        ig_page_warning(page);
    }

    if (s->health.last < r->until - IG_HOUR_MS) {
        ig_page_put(page, "The log given ends ");
        ig_page_time(page, s->health.last, IG_WRITE_MINUTE);
        ig_page_put(page, ", before the period does.");
        ig_page_warning(page);
    }
}


static void
ig_report_decisions(ig_page_t *page, const ig_report_t *r, bool compares)
{
    unsigned  kind;
    uint64_t  calls;

    static const ig_page_column_t  column[] = {
        { "Decision", IG_COLUMN_TEXT },
        { "Calls", IG_COLUMN_NUMBER },
        { "Share", IG_COLUMN_NUMBER },
        { "Before", IG_COLUMN_NUMBER },
        { "Change", IG_COLUMN_NUMBER }
    };

    static const char *const  word[] = {
        "allow", "hold", "throttle", "deny"
    };

    calls = ig_report_calls(r->n);

    ig_page_put(page, "What was decided");
    ig_page_table(page, column, ig_report_columns(column, compares),
                  false);

    ig_page_put(page, "all");
    ig_page_cell(page);
    ig_page_number(page, calls);
    ig_page_cell(page);
    ig_page_share(page, calls, calls);
    ig_page_cell(page);
    ig_report_compare(page, calls, ig_report_calls(r->n_before), compares);

    for (kind = IG_BIN_ALLOW; kind <= IG_BIN_DENY; kind++) {
        ig_page_put(page, "%s", word[kind]);
        ig_page_cell(page);
        ig_page_number(page, r->n[kind]);
        ig_page_cell(page);
        ig_page_share(page, r->n[kind], calls);
        ig_page_cell(page);
        ig_report_compare(page, r->n[kind], r->n_before[kind], compares);
    }

    ig_page_table_end(page);

    if (r->n[IG_BIN_WOULD] > 0) {
        ig_page_count(page, r->n[IG_BIN_WOULD], "call", "calls");
        ig_page_put(page, " would have met a stronger decision if rules and"
                    " places in dry run were enforced.");
        ig_page_paragraph(page);
    }
}


/* -- actions ------------------------------------------------------------- */


static void
ig_report_actions(ig_page_t *page, const ig_report_t *r, bool compares)
{
    unsigned             i, kind;
    const ig_top_row_t  *row;

    static const ig_page_column_t  column[] = {
        { "Action", IG_COLUMN_TEXT },
        { "Calls", IG_COLUMN_NUMBER },
        { "Held", IG_COLUMN_NUMBER },
        { "Throttled", IG_COLUMN_NUMBER },
        { "Denied", IG_COLUMN_NUMBER },
        { "Before", IG_COLUMN_NUMBER },
        { "Change", IG_COLUMN_NUMBER }
    };

    ig_page_section(page, "Actions");
    ig_page_put(page, "Calls by action");
    ig_page_table(page, column, ig_report_columns(column, compares),
                  true);

    for (i = 0; i < r->action.nrows; i++) {
        row = &r->action.row[i];

        if (row->name.len) {
            ig_page_value(page, row->name);

        } else {
            ig_page_put(page, "(none named)");
        }

        ig_page_cell(page);
        ig_page_number(page, row->weight);
        ig_page_cell(page);

        for (kind = IG_BIN_HOLD; kind <= IG_BIN_DENY; kind++) {
            ig_page_number(page, row->n[kind]);
            ig_page_cell(page);
        }

        ig_report_compare(page, row->weight, row->before, compares);
    }

    ig_page_table_end(page);
}


/* -- rules --------------------------------------------------------------- */


static void
ig_report_rule_plot(ig_page_t *page, const ig_report_t *r, bool compares)
{
    unsigned        i;
    ig_plot_bar_t   bar[IG_REPORT_SHOWN];
    ig_plot_bars_t  plot = { .bar = bar, .has_before = compares };

    for (i = 0; i < IG_REPORT_SHOWN && i < r->rule.nrows; i++) {
        bar[i].label = r->rule.row[i].name;
        bar[i].n = r->rule.row[i].weight;
        bar[i].before = r->rule.row[i].before;
    }

    plot.nbars = i;
    plot.title = "Rules that fired most";
    plot.unit = "Calls in which a rule fired, dry run included";
    plot.id = "rules";

    ig_plot_bars(page->out, &plot);
}


static void
ig_report_rules(ig_page_t *page, const ig_report_t *r, bool compares)
{
    unsigned             i;
    const ig_top_row_t  *row;

    static const ig_page_column_t  column[] = {
        { "Rule", IG_COLUMN_TEXT },
        { "Fired", IG_COLUMN_NUMBER },
        { "Alone", IG_COLUMN_NUMBER },
        { "Dry run", IG_COLUMN_NUMBER },
        { "Before", IG_COLUMN_NUMBER },
        { "Change", IG_COLUMN_NUMBER }
    };

    ig_page_section(page, "Rules");

    if (r->rule.nrows == 0) {
        ig_page_put(page, "No rule fired.");
        ig_page_paragraph(page);
        return;
    }

    if (page->html) {
        ig_report_rule_plot(page, r, compares);
    }

    ig_page_put(page, "Calls by rule; alone: no other rule fired; those in"
                " dry run had no effect");
    ig_page_table(page, column, ig_report_columns(column, compares),
                  true);

    for (i = 0; i < r->rule.nrows; i++) {
        row = &r->rule.row[i];

        ig_page_value(page, row->name);
        ig_page_cell(page);
        ig_page_number(page, row->weight);
        ig_page_cell(page);
        ig_page_number(page, row->alone);
        ig_page_cell(page);
        ig_page_number(page, row->dry_run);
        ig_page_cell(page);
        ig_report_compare(page, row->weight, row->before, compares);
    }

    ig_page_table_end(page);
}


/* -- hour by hour -------------------------------------------------------- */


static void
ig_report_bins(ig_page_t *page, const ig_report_t *r)
{
    unsigned   i, kind;
    ig_bins_t  bins;

    static const ig_page_column_t  column[] = {
        { "From", IG_COLUMN_TIME },
        { "Calls", IG_COLUMN_NUMBER },
        { "Held", IG_COLUMN_NUMBER },
        { "Throttled", IG_COLUMN_NUMBER },
        { "Denied", IG_COLUMN_NUMBER }
    };

    bins = r->bins;

    if (!page->html) {
        ig_bins_narrow(&bins, 31);
    }

    ig_page_put(page, "Calls per %s", ig_bins_unit(&bins));
    ig_page_table(page, column, ig_countof(column), false);

    for (i = 0; i < bins.nbins; i++) {
        ig_page_time(page, ig_bins_start(&bins, i), IG_WRITE_MINUTE);
        ig_page_cell(page);
        ig_page_number(page, ig_bin_calls(&bins.bin[i]));
        ig_page_cell(page);

        for (kind = IG_BIN_HOLD; kind <= IG_BIN_DENY; kind++) {
            ig_page_number(page, bins.bin[i].n[kind]);
            ig_page_cell(page);
        }
    }

    ig_page_table_end(page);
}


static void
ig_report_time(ig_page_t *page, const ig_report_t *r, bool compares)
{
    ig_plot_time_t  plot = {
        .bins = &r->bins, .id = "calls", .title = "Calls over time"
    };

    if (compares
        && ig_bins_width(&r->bins) == ig_bins_width(&r->bins_before))
    {
        plot.before = &r->bins_before;
        plot.shift = r->since - r->before;
    }

    if (page->html) {
        ig_plot_time(page->out, &plot);
    }

    ig_page_details(page, "The numbers of the plot");
    ig_report_bins(page, r);
    ig_page_details_end(page);
}


/* -- the whole ----------------------------------------------------------- */


static void
ig_report_health(ig_page_t *page, const ig_report_t *r, const ig_survey_t *s)
{
    ig_page_section(page, "How calls were evaluated");
    ig_quality_page(page, &r->quality);

    if (r->quality.repeats > 0) {
        ig_page_count(page, r->quality.repeats, "call is", "calls are");
        ig_page_put(page, " told by repeat lines, which stand for calls like"
                    " one that has a line; they are counted above as that"
                    " one.");
        ig_page_note(page);
    }

    if (s->repeats_unknown > 0) {
        ig_page_count(page, s->repeats_unknown, "call", "calls");
        ig_page_put(page, " of repeat lines are not counted: the line they"
                    " are like is not in these files.");
        ig_page_warning(page);
    }

    ig_page_section(page, "The log");
    ig_health_page(page, &s->health);

    ig_page_put(page, "Where integrity_audit_sample is in force, only some of"
                " the allowed calls stand in the log, and it does not say so:"
                " the status page counts them all. Made by integrityctl "
                IG_VERSION ".");
    ig_page_note(page);
}


void
ig_report_page(ig_page_t *page, ig_report_t *r, const ig_survey_t *s)
{
    bool  compares;

    compares = ig_report_compares(r, s);

    ig_report_head(page, r);
    ig_report_reach(page, r, s);

    ig_page_section(page, "Decisions");

    if (ig_report_calls(r->n) == 0) {
        ig_page_put(page, "The log has no decided call in this period.");
        ig_page_paragraph(page);

    } else {
        ig_report_decisions(page, r, compares);
        ig_report_time(page, r, compares);
        ig_report_actions(page, r, compares);
        ig_report_rules(page, r, compares);
        ig_report_page_keys(page, r);
    }

    ig_report_page_lists(page, r);
    ig_report_page_unclassified(page, r, compares);
    ig_report_health(page, r, s);
    ig_page_end(page);
}
