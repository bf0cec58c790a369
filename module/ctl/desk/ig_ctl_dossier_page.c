/*
 * ig_ctl_dossier_page.c: the record as a document: who, how often, what was
 * decided and why, how far the log can be relied on.
 * Owns nothing.  Called by ig_ctl_dossier.c; ig_ctl_dossier_lists.c has the
 * sections about sanctions, single events and other keys.
 */

#include <string.h>

#include "ig_ctl_dossier.h"
#include "ig_ctl_plot.h"
#include "ig_version.h"

#define IG_DOSSIER_LABEL  40     /* bytes of a name in the plot */

static const ig_page_column_t  ig_dossier_decisions[] = {
    { "Action", IG_COLUMN_TEXT },
    { "Calls", IG_COLUMN_NUMBER },
    { "Allowed", IG_COLUMN_NUMBER },
    { "Held", IG_COLUMN_NUMBER },
    { "Throttled", IG_COLUMN_NUMBER },
    { "Denied", IG_COLUMN_NUMBER }
};

static const ig_page_column_t  ig_dossier_rules[] = {
    { "Rule", IG_COLUMN_TEXT },
    { "Fired", IG_COLUMN_NUMBER },
    { "Alone", IG_COLUMN_NUMBER },
    { "Dry run", IG_COLUMN_NUMBER },
    { "First", IG_COLUMN_TIME },
    { "Last", IG_COLUMN_TIME }
};


/* -- the beginning ------------------------------------------------------- */


/* The pseudonyms a clear value was looked for by. */
static void
ig_dossier_pseudonyms(ig_page_t *page, const ig_dossier_t *d)
{
    unsigned                 n;
    const ig_filter_word_t  *word;

    for (n = 0, word = d->key->field->value; word; word = word->next) {
        if (word->text.len > 2 && memcmp(word->text.data, "p:", 2) == 0
            && !ig_str_eq(word->text, d->value))
        {
            ig_page_put(page, "%s", n++ ? ", " : "");
            ig_page_value(page, word->text);
        }
    }

    if (n > 0) {
        ig_page_fact(page, "Also looked for as");
    }
}


static void
ig_dossier_span(ig_page_t *page, const ig_survey_t *s)
{
    char      zone[IG_CALENDAR_TEXT];
    ig_buf_t  b;

    if (s->since == INT64_MIN && s->until == INT64_MAX) {
        ig_page_put(page, "the whole of the log given");

    } else {
        if (s->since != INT64_MIN) {
            ig_page_put(page, "from ");
            ig_page_time(page, s->since, IG_WRITE_SECOND);
            ig_page_put(page, " on");
        }

        if (s->until != INT64_MAX) {
            ig_page_put(page, "%sbefore ", s->since == INT64_MIN ? "" : ", ");
            ig_page_time(page, s->until, IG_WRITE_SECOND);
        }
    }

    ig_page_fact(page, "Period");

    ig_buf_init(&b, zone, sizeof(zone));
    ig_zone_write(&b, page->zone);
    ig_page_put(page, "%.*s, in all of this record", ig_fmt(ig_buf_str(&b)));
    ig_page_fact(page, "Time zone");
}


/* The record in two sentences. */
static void
ig_dossier_summary(ig_page_t *page, const ig_dossier_t *d)
{
    unsigned  kind;
    uint64_t  calls, stronger;

    static const char *const  word[] = {
        [IG_BIN_HOLD] = "held", [IG_BIN_THROTTLE] = "throttled",
        [IG_BIN_DENY] = "denied"
    };

    calls = ig_dossier_calls(d);
    stronger = ig_dossier_stronger(d);

    ig_page_count(page, calls, "call", "calls");
    ig_page_put(page, " with this %.*s stand%s in the log, from ",
                ig_fmt(d->field), calls == 1 ? "s" : "");
    ig_page_time(page, d->first, IG_WRITE_MINUTE);
    ig_page_put(page, " to ");
    ig_page_time(page, d->last, IG_WRITE_MINUTE);
    ig_page_put(page, ". ");

    if (stronger == 0) {
        ig_page_put(page, "All of them were allowed.");

    } else {
        ig_page_number(page, stronger);
        ig_page_put(page, " (");
        ig_page_share(page, stronger, calls);
        ig_page_put(page, ") did not simply pass:");

        for (kind = IG_BIN_HOLD; kind <= IG_BIN_DENY; kind++) {
            ig_page_put(page, " ");
            ig_page_number(page, d->n[kind]);
            ig_page_put(page, " %s%s", word[kind],
                        kind == IG_BIN_DENY ? "." : ",");
        }
    }

    ig_page_paragraph(page);

    if (d->n[IG_BIN_WOULD] > 0) {
        ig_page_count(page, d->n[IG_BIN_WOULD], "call", "calls");
        ig_page_put(page, " would have met a stronger decision if rules and"
                    " places in dry run were enforced. That had no effect.");
        ig_page_paragraph(page);
    }
}


static void
ig_dossier_head(ig_page_t *page, const ig_dossier_t *d, const ig_survey_t *s)
{
    ig_page_put(page, "Integrity record: %.*s ", ig_fmt(d->field));
    ig_page_value(page, d->value);
    ig_page_title(page);

    if (page->html) {
        ig_plot_patterns(page->out);
    }

    ig_page_facts(page);
    ig_page_value(page, d->value);
    ig_page_fact(page, "Key");
    ig_dossier_pseudonyms(page, d);
    ig_dossier_span(page, s);
    ig_page_facts_end(page);
}


/* -- calls --------------------------------------------------------------- */


/* As much of a text as a label has room for. */
static int
ig_dossier_short(ig_str_t s)
{
    return s.len < IG_DOSSIER_LABEL ? (int) s.len : IG_DOSSIER_LABEL;
}


/* Sanctions as spans of the plot, the latest ones. */
static unsigned
ig_dossier_spans(const ig_dossier_t *d, ig_plot_span_t *span,
    char label[][2 * IG_DOSSIER_LABEL + 16])
{
    unsigned                      i, n;
    const ig_dossier_sanction_t  *s;

    n = 0;

    for (i = 0; n < IG_DOSSIER_SPANS; i++) {
        s = ig_dossier_sanction(d, i);

        if (s == NULL) {
            break;
        }

        if (s->done != IG_DONE_ADD || s->failed || s->until <= s->time) {
            continue;
        }

        snprintf(label[n], sizeof(label[n]), "%.*s, %s %.*s",
                 ig_dossier_short(s->list), s->list.data,
                 s->by_rule ? "rule" : "by",
                 ig_dossier_short(s->by_rule ? s->reason : s->by),
                 s->by_rule ? s->reason.data : s->by.data);

        span[n].label = (ig_str_t) { strlen(label[n]), label[n] };
        span[n].from = s->time;
        span[n].to = s->ended ? s->ended : s->until;
        n++;
    }

    return n;
}


static void
ig_dossier_plot(ig_page_t *page, const ig_dossier_t *d)
{
    char            label[IG_DOSSIER_SPANS][2 * IG_DOSSIER_LABEL + 16];
    ig_plot_span_t  span[IG_DOSSIER_SPANS];
    ig_plot_time_t  plot = { .bins = &d->bins, .id = "calls" };

    plot.title = "Calls over time";
    plot.span = span;
    plot.nspans = ig_dossier_spans(d, span, label);

    ig_plot_time(page->out, &plot);
}


/* The same as a table, for those who read numbers. */
static void
ig_dossier_bins(ig_page_t *page, const ig_dossier_t *d)
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

    bins = d->bins;

    if (!page->html) {
        ig_bins_narrow(&bins, 24);
    }

    ig_page_put(page, "Calls per %s; without calls there is no row",
                ig_bins_unit(&bins));
    ig_page_table(page, column, ig_countof(column), false);

    for (i = 0; i < bins.nbins; i++) {
        if (ig_bin_calls(&bins.bin[i]) == 0) {
            continue;
        }

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
ig_dossier_actions(ig_page_t *page, const ig_dossier_t *d)
{
    unsigned             i, kind;
    const ig_top_row_t  *row;

    ig_page_put(page, "Actions by what was decided");
    ig_page_table(page, ig_dossier_decisions,
                  ig_countof(ig_dossier_decisions), true);

    for (i = 0; i < d->action.nrows; i++) {
        row = &d->action.row[i];

        if (row->name.len) {
            ig_page_value(page, row->name);

        } else {
            ig_page_put(page, "(none named)");
        }

        ig_page_cell(page);
        ig_page_number(page, ig_top_calls(row));
        ig_page_cell(page);

        for (kind = IG_BIN_ALLOW; kind <= IG_BIN_DENY; kind++) {
            ig_page_number(page, row->n[kind]);
            ig_page_cell(page);
        }
    }

    ig_page_table_end(page);
}


static void
ig_dossier_rule_table(ig_page_t *page, const ig_dossier_t *d)
{
    unsigned             i;
    const ig_top_row_t  *row;

    ig_page_section(page, "Rules that fired");

    if (d->rule.nrows == 0) {
        ig_page_put(page, "None did.");
        ig_page_paragraph(page);
        return;
    }

    ig_page_put(page, "Calls by rule; alone: no other rule fired");
    ig_page_table(page, ig_dossier_rules, ig_countof(ig_dossier_rules), true);

    for (i = 0; i < d->rule.nrows; i++) {
        row = &d->rule.row[i];

        ig_page_value(page, row->name);
        ig_page_cell(page);
        ig_page_number(page, row->weight);
        ig_page_cell(page);
        ig_page_number(page, row->alone);
        ig_page_cell(page);
        ig_page_number(page, row->dry_run);
        ig_page_cell(page);
        ig_page_time(page, row->first, IG_WRITE_MINUTE);
        ig_page_cell(page);
        ig_page_time(page, row->last, IG_WRITE_MINUTE);
        ig_page_cell(page);
    }

    ig_page_table_end(page);
}


/* -- the end ------------------------------------------------------------- */


static void
ig_dossier_limits(ig_page_t *page, const ig_dossier_t *d)
{
    ig_page_section(page, "What this record cannot tell");

    ig_page_put(page, "The log holds what nginx decided, not what was meant:"
                " a call that was held or denied is a suspicion with its"
                " grounds, not a proof. Calls that other parts of nginx"
                " refused before, and those of places without integrity, do"
                " not stand in it.");
    ig_page_paragraph(page);

    ig_page_put(page, "Where integrity_audit_sample is in force, only some of"
                " the allowed calls stand in the log, and it does not say so:"
                " the number of allowed calls may then be too low. Stronger"
                " decisions are always there. Lines that were lost are told"
                " under \"The log\"; which keys they were about is not"
                " known.");
    ig_page_paragraph(page);

    ig_page_put(page, "A pseudonym stands for one value under one key of the"
                " secret. After a rotation the same account has another"
                " pseudonym: among the linked keys it is then counted"
                " twice.");
    ig_page_paragraph(page);

    if (d->policy.nrows > 0) {
        ig_page_put(page, "The calls were decided by ");
        ig_page_count(page, d->policy.nrows, "policy", "policies");
        ig_page_put(page, d->policy.nrows > 1 ? ", most of them by "
                                              : ", whose hash begins ");
        ig_page_value(page, d->policy.row[0].name);
        ig_page_put(page, ". Its text stands in the log, in lines of kind"
                    " policy.");
        ig_page_paragraph(page);
    }
}


void
ig_dossier_page(ig_page_t *page, ig_dossier_t *d, const ig_survey_t *s)
{
    ig_dossier_head(page, d, s);

    ig_page_section(page, "Calls");

    if (d->first == 0) {
        ig_page_put(page, "The log has no call with this %.*s.",
                    ig_fmt(d->field));
        ig_page_paragraph(page);

    } else {
        ig_dossier_summary(page, d);

        if (page->html) {
            ig_dossier_plot(page, d);
        }

        ig_page_details(page, "The numbers of the plot");
        ig_dossier_bins(page, d);
        ig_page_details_end(page);
        ig_dossier_actions(page, d);
        ig_dossier_rule_table(page, d);
    }

    ig_dossier_page_sanctions(page, d, s);

    if (d->first != 0) {
        ig_dossier_page_events(page, d);
        ig_dossier_page_links(page, d);
        ig_page_section(page, "How its calls were evaluated");
        ig_quality_page(page, &d->quality);
    }

    ig_page_section(page, "The log");
    ig_health_page(page, &s->health);
    ig_dossier_limits(page, d);

    ig_page_put(page, "Made by integrityctl " IG_VERSION ".");
    ig_page_note(page);
    ig_page_end(page);
}
