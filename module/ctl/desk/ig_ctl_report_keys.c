/*
 * ig_ctl_report_keys.c: the report's sections about keys, lists and calls
 * that named no action.
 * Owns nothing.  Called by ig_ctl_report_page.c.
 */

#include "ig_ctl_desk.h"
#include "ig_ctl_report.h"


/* -- keys ---------------------------------------------------------------- */


static void
ig_report_key_row(ig_page_t *page, const ig_top_row_t *row)
{
    unsigned  kind;

    ig_page_value(page, row->name);
    ig_page_cell(page);
    ig_page_number(page, row->weight);
    ig_page_cell(page);

    for (kind = IG_BIN_HOLD; kind <= IG_BIN_DENY; kind++) {
        ig_page_number(page, row->n[kind]);
        ig_page_cell(page);
    }
}


static unsigned
ig_report_key_field(ig_page_t *page, const ig_report_t *r, unsigned from)
{
    static const ig_page_column_t  column[] = {
        { "Key", IG_COLUMN_TEXT },
        { "Not allowed", IG_COLUMN_NUMBER },
        { "Held", IG_COLUMN_NUMBER },
        { "Throttled", IG_COLUMN_NUMBER },
        { "Denied", IG_COLUMN_NUMBER }
    };

    return ig_desk_top_field(page, &r->key, from, IG_REPORT_SHOWN, column,
                             ig_countof(column), ig_report_key_row);
}


void
ig_report_page_keys(ig_page_t *page, const ig_report_t *r)
{
    unsigned  i;

    ig_page_section(page, "Keys of calls that were not allowed");

    if (r->key.nrows == 0) {
        ig_page_put(page, "There is none.");
        ig_page_paragraph(page);
        return;
    }

    if (r->key.dropped > 0) {
        ig_page_put(page, "There were more than %u of them: rare ones were"
                    " forgotten, and what is counted here may be up to ",
                    IG_REPORT_KEYS);
        ig_page_number(page, r->key.missed);
        ig_page_put(page, " too low.");
        ig_page_warning(page);
    }

    for (i = 0; i < r->key.nrows; ) {
        i = ig_report_key_field(page, r, i);
    }

    ig_page_put(page, "A merchant or a product can stand here because others"
                " attack it. \"integrityctl dossier FIELD VALUE\" tells more"
                " of each.");
    ig_page_note(page);
}


/* -- lists --------------------------------------------------------------- */


static void
ig_report_changes(ig_page_t *page, const ig_report_t *r)
{
    unsigned                   i;
    const ig_report_change_t  *c;

    static const ig_page_column_t  column[] = {
        { "When", IG_COLUMN_TIME },
        { "List", IG_COLUMN_TEXT },
        { "What", IG_COLUMN_TEXT },
        { "Reason", IG_COLUMN_TEXT },
        { "By", IG_COLUMN_TEXT }
    };

    ig_page_put(page, "Changes by people, the latest first");

    if (r->nchanges > IG_REPORT_CHANGES) {
        ig_page_put(page, "; the %u latest of %llu", IG_REPORT_CHANGES,
                    (unsigned long long) r->nchanges);
    }

    ig_page_table(page, column, ig_countof(column), true);

    for (i = 0; (c = ig_report_changed(r, i)) != NULL; i++) {
        ig_page_time(page, c->time, IG_WRITE_MINUTE);
        ig_page_cell(page);
        ig_page_value(page, c->list);
        ig_page_cell(page);
        ig_page_put(page, "%s%s", c->remove ? "taken off" : "put on",
                    c->failed ? "; the store did not do it" : "");
        ig_page_cell(page);
        ig_page_value(page, c->reason);
        ig_page_cell(page);
        ig_page_value(page, c->by);
        ig_page_cell(page);
    }

    ig_page_table_end(page);
}


void
ig_report_page_lists(ig_page_t *page, const ig_report_t *r)
{
    unsigned  i;

    static const ig_page_column_t  column[] = {
        { "List", IG_COLUMN_TEXT },
        { "Keys put on it", IG_COLUMN_NUMBER }
    };

    ig_page_section(page, "What people and rules did to keys");

    if (r->looked > 0) {
        ig_page_put(page, "People looked at the counters of a key ");
        ig_page_count(page, r->looked, "time", "times");
        ig_page_put(page, ", and had them forgotten ");
        ig_page_count(page, r->forgotten, "time", "times");
        ig_page_put(page, ".");
        ig_page_paragraph(page);
    }

    if (r->nchanges == 0 && r->added.nrows == 0) {
        ig_page_put(page, "Nothing was put on a list or taken off.");
        ig_page_paragraph(page);
        return;
    }

    if (r->added.nrows > 0) {
        ig_page_put(page, "Put on lists by rules");
        ig_page_table(page, column, ig_countof(column), false);

        for (i = 0; i < r->added.nrows; i++) {
            ig_page_value(page, r->added.row[i].name);
            ig_page_cell(page);
            ig_page_number(page, r->added.row[i].weight);
            ig_page_cell(page);
        }

        ig_page_table_end(page);
    }

    if (r->nchanges > 0) {
        ig_report_changes(page, r);
    }
}


/* -- unclassified calls -------------------------------------------------- */


void
ig_report_page_unclassified(ig_page_t *page, const ig_report_t *r,
    bool compares)
{
    unsigned  i;
    uint64_t  n;

    static const ig_page_column_t  column[] = {
        { "Place", IG_COLUMN_TEXT },
        { "Calls", IG_COLUMN_NUMBER },
        { "Denied", IG_COLUMN_NUMBER }
    };

    for (i = 0, n = 0; i < r->unclassified.nrows; i++) {
        n += r->unclassified.row[i].weight;
    }

    ig_page_section(page, "Calls that named no action");

    ig_page_count(page, n, "call", "calls");

    if (compares) {
        ig_page_put(page, ", in the period before ");
        ig_page_number(page, r->unclassified_before);
    }

    ig_page_put(page, ". No rule looks at them: where they become more, an"
                " endpoint may have moved.");
    ig_page_paragraph(page);

    if (n == 0) {
        return;
    }

    ig_page_put(page, "By method and place of the last of each minute");

    if (r->unclassified.nrows > IG_REPORT_PLACES) {
        ig_page_put(page, "; %u of ", IG_REPORT_PLACES);
        ig_page_number(page, r->unclassified.nrows);
        ig_page_put(page, ", --json has more");
    }

    ig_page_table(page, column, ig_countof(column), true);

    for (i = 0; i < r->unclassified.nrows && i < IG_REPORT_PLACES; i++) {
        ig_page_value(page, r->unclassified.row[i].name);
        ig_page_cell(page);
        ig_page_number(page, r->unclassified.row[i].weight);
        ig_page_cell(page);
        ig_page_number(page, r->unclassified.row[i].n[IG_BIN_DENY]);
        ig_page_cell(page);
    }

    ig_page_table_end(page);
}
