/*
 * ig_ctl_dossier_lists.c: the record's sections about sanctions, single
 * events and other keys of the same calls.
 * Owns nothing.  Called by ig_ctl_dossier_page.c.
 */

#include <string.h>

#include "ig_ctl_desk.h"
#include "ig_ctl_dossier.h"


/* -- sanctions ----------------------------------------------------------- */


static const ig_page_column_t  ig_dossier_sanctions[] = {
    { "When", IG_COLUMN_TIME },
    { "List or counters", IG_COLUMN_TEXT },
    { "What", IG_COLUMN_TEXT },
    { "Until", IG_COLUMN_TEXT },
    { "Reason", IG_COLUMN_TEXT },
    { "By", IG_COLUMN_TEXT }
};


static void
ig_dossier_until(ig_page_t *page, const ig_dossier_sanction_t *s)
{
    if (s->failed || s->until == 0) {
        return;
    }

    if (s->ended) {
        ig_page_time(page, s->ended, IG_WRITE_MINUTE);
        ig_page_put(page, ", instead of ");
    }

    ig_page_time(page, s->until, IG_WRITE_MINUTE);
}


static void
ig_dossier_sanction_row(ig_page_t *page, const ig_dossier_sanction_t *s)
{
    static const char *const  what[] = {
        [IG_DONE_ADD] = "put on",
        [IG_DONE_REMOVE] = "taken off",
        [IG_DONE_INSPECT] = "looked at",
        [IG_DONE_RESET] = "forgotten"
    };

    ig_page_time(page, s->time, IG_WRITE_MINUTE);
    ig_page_cell(page);
    ig_page_value(page, s->list);
    ig_page_cell(page);
    ig_page_put(page, "%s%s%s", what[s->done],
                s->failed ? "; the store did not do it" : "",
                s->sure ? "" : "; this key, or another of the same call");
    ig_page_cell(page);
    ig_dossier_until(page, s);
    ig_page_cell(page);
    ig_page_put(page, s->by_rule ? "rule " : "");
    ig_page_value(page, s->reason);
    ig_page_cell(page);

    if (s->by_rule) {
        ig_page_put(page, "a rule");

    } else {
        ig_page_value(page, s->by);
    }

    ig_page_cell(page);
}


/* What is in force when the log ends: what that is now is not known here. */
static void
ig_dossier_in_force(ig_page_t *page, const ig_dossier_t *d,
    const ig_survey_t *survey)
{
    unsigned                      i, n;
    const ig_dossier_sanction_t  *s;

    for (i = 0, n = 0; (s = ig_dossier_sanction(d, i)) != NULL; i++) {

        if (s->failed || s->ended || s->until <= survey->health.last)
        {
            continue;
        }

        ig_page_put(page, n++ ? "; " : "In force when the log ends: ");
        ig_page_value(page, s->list);
        ig_page_put(page, " until ");
        ig_page_time(page, s->until, IG_WRITE_MINUTE);
    }

    ig_page_put(page, n ? "." : "None is in force when the log ends.");
    ig_page_paragraph(page);
}


static void
ig_dossier_on_list(ig_page_t *page, const ig_dossier_t *d)
{
    unsigned             i;
    const ig_top_row_t  *row;

    static const ig_page_column_t  column[] = {
        { "List", IG_COLUMN_TEXT },
        { "Calls while on it", IG_COLUMN_NUMBER },
        { "First", IG_COLUMN_TIME },
        { "Last", IG_COLUMN_TIME }
    };

    if (d->on_list.nrows == 0) {
        return;
    }

    ig_page_put(page, "Lists that a key of these calls was on, this one or"
                " another");
    ig_page_table(page, column, ig_countof(column), true);

    for (i = 0; i < d->on_list.nrows; i++) {
        row = &d->on_list.row[i];

        ig_page_value(page, row->name);
        ig_page_cell(page);
        ig_page_number(page, row->weight);
        ig_page_cell(page);
        ig_page_time(page, row->first, IG_WRITE_MINUTE);
        ig_page_cell(page);
        ig_page_time(page, row->last, IG_WRITE_MINUTE);
        ig_page_cell(page);
    }

    ig_page_table_end(page);
}


void
ig_dossier_page_sanctions(ig_page_t *page, const ig_dossier_t *d,
    const ig_survey_t *survey)
{
    unsigned                      i;
    const ig_dossier_sanction_t  *s;

    ig_page_section(page, "Sanctions and trust");

    if (d->nsanctions == 0) {
        ig_page_put(page, "No change of a list for this key stands in the"
                    " log, and nobody looked at its counters.");
        ig_page_paragraph(page);

    } else {
        ig_dossier_in_force(page, d, survey);

        ig_page_put(page, "Changes of lists, and what people did to the key's"
                    " counters, the latest first");

        if (d->nsanctions > IG_DOSSIER_ROWS) {
            ig_page_put(page, "; %u of ", IG_DOSSIER_ROWS);
            ig_page_number(page, d->nsanctions);
            ig_page_put(page, ", --json has more");
        }

        ig_page_table(page, ig_dossier_sanctions,
                      ig_countof(ig_dossier_sanctions), true);

        for (i = 0; i < IG_DOSSIER_ROWS; i++) {
            s = ig_dossier_sanction(d, i);

            if (s == NULL) {
                break;
            }

            ig_dossier_sanction_row(page, s);
        }

        ig_page_table_end(page);
    }

    ig_dossier_on_list(page, d);
}


/* -- single events ------------------------------------------------------- */


static void
ig_dossier_event_row(ig_page_t *page, const ig_dossier_event_t *e)
{
    ig_str_t  rules;

    ig_page_time(page, e->time, IG_WRITE_SECOND);
    ig_page_cell(page);
    ig_page_value(page, (ig_str_t) { sizeof(e->event), e->event });
    ig_page_cell(page);
    ig_page_value(page, (ig_str_t) { e->action_len, e->text });
    ig_page_cell(page);
    ig_page_put(page, "%.*s", ig_fmt(ig_decision_name(e->decision)));

    if (e->would != e->decision) {
        ig_page_put(page, "; dry run: %.*s",
                    ig_fmt(ig_decision_name(e->would)));
    }

    if (e->repeats > 0) {
        ig_page_put(page, ", and ");
        ig_page_number(page, e->repeats);
        ig_page_put(page, " more");
    }

    ig_page_cell(page);

    rules.data = e->text + e->action_len;
    rules.len = strlen(rules.data);

    if (rules.len) {
        ig_page_value(page, rules);
    }

    ig_page_cell(page);

    if (e->status) {
        ig_page_put(page, "%u", e->status);
    }

    ig_page_cell(page);
}


void
ig_dossier_page_events(ig_page_t *page, const ig_dossier_t *d)
{
    unsigned                   i;
    const ig_dossier_event_t  *e;

    static const ig_page_column_t  column[] = {
        { "When", IG_COLUMN_TIME },
        { "Event", IG_COLUMN_ID },
        { "Action", IG_COLUMN_TEXT },
        { "Decision", IG_COLUMN_TEXT },
        { "Rules", IG_COLUMN_TEXT },
        { "Status", IG_COLUMN_NUMBER }
    };

    if (d->wanted == 0) {
        return;
    }

    ig_page_section(page, "Calls that did not simply pass");

    if (d->nevents == 0) {
        ig_page_put(page, "There is none.");
        ig_page_paragraph(page);
        return;
    }

    ig_page_put(page, "The latest ");

    if (d->nevents > d->wanted) {
        ig_page_put(page, "%u of ", d->wanted);
        ig_page_number(page, d->nevents);
        ig_page_put(page, ", ");
    }

    ig_page_put(page, "first; \"integrityctl explain EVENT\" tells more of"
                " each");
    ig_page_table(page, column, ig_countof(column), true);

    for (i = 0; (e = ig_dossier_event(d, i)) != NULL; i++) {
        ig_dossier_event_row(page, e);
    }

    ig_page_table_end(page);
}


/* -- other keys ---------------------------------------------------------- */


static void
ig_dossier_link_row(ig_page_t *page, const ig_top_row_t *row)
{
    ig_page_value(page, row->name);
    ig_page_cell(page);
    ig_page_number(page, row->weight);
    ig_page_cell(page);
    ig_page_number(page, ig_top_stronger(row));
    ig_page_cell(page);
    ig_page_time(page, row->first, IG_WRITE_MINUTE);
    ig_page_cell(page);
    ig_page_time(page, row->last, IG_WRITE_MINUTE);
    ig_page_cell(page);
}


static unsigned
ig_dossier_link_field(ig_page_t *page, const ig_dossier_t *d, unsigned from)
{
    static const ig_page_column_t  column[] = {
        { "Key", IG_COLUMN_TEXT },
        { "Calls", IG_COLUMN_NUMBER },
        { "Not allowed", IG_COLUMN_NUMBER },
        { "First", IG_COLUMN_TIME },
        { "Last", IG_COLUMN_TIME }
    };

    return ig_desk_top_field(page, &d->link, from, IG_DOSSIER_SHOWN, column,
                             ig_countof(column), ig_dossier_link_row);
}


void
ig_dossier_page_links(ig_page_t *page, const ig_dossier_t *d)
{
    unsigned  i;

    ig_page_section(page, "Linked keys");

    if (d->link.nrows == 0) {
        ig_page_put(page, "No other key stands in these calls.");
        ig_page_paragraph(page);
        return;
    }

    ig_page_put(page, "Other keys in the same calls. To have been in one call"
                " is a link, not a guilt: a network or a device can be shared"
                " by strangers.");
    ig_page_paragraph(page);

    if (d->link.dropped > 0) {
        ig_page_put(page, "There were more than %u of them: rare ones were"
                    " forgotten, and what is counted here may be up to ",
                    IG_DOSSIER_LINKS);
        ig_page_number(page, d->link.missed);
        ig_page_put(page, " too low.");
        ig_page_warning(page);
    }

    for (i = 0; i < d->link.nrows; ) {
        i = ig_dossier_link_field(page, d, i);
    }
}
