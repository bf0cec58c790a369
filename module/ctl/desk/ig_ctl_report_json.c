/*
 * ig_ctl_report_json.c: the report as one JSON object.
 * Owns nothing.  Called by ig_ctl_report.c.
 */

#include "ig_ctl_desk.h"
#include "ig_ctl_report.h"

#define IG_REPORT_JSON  100             /* keys per field */


static void
ig_report_json_period(FILE *out, const ig_report_t *r, const ig_survey_t *s)
{
    char      zone[IG_CALENDAR_TEXT];
    ig_buf_t  b;

    fputs("{\"period\":{", out);
    ig_desk_time(out, "since", r->since);
    fputc(',', out);
    ig_desk_time(out, "until", r->until);
    fputc(',', out);
    ig_desk_time(out, "before", r->before);

    ig_buf_init(&b, zone, sizeof(zone));
    ig_zone_write(&b, r->zone);
    ig_out_member(out, "time_zone", ig_buf_str(&b));

    fprintf(out, ",\"compares\":%s}",
            ig_report_compares(r, s) ? "true" : "false");

    ig_desk_number(out, "calls", ig_report_calls(r->n));
    fputs(",\"decision\":{", out);
    ig_desk_decisions(out, r->n);
    fputs("},\"before\":{", out);
    ig_desk_decisions(out, r->n_before);
    fputc('}', out);
}


static void
ig_report_json_actions(FILE *out, const ig_report_t *r)
{
    unsigned             i;
    const ig_top_row_t  *row;

    fputs(",\"action\":[", out);

    for (i = 0; i < r->action.nrows; i++) {
        row = &r->action.row[i];

        fputs(i ? ",{\"name\":" : "{\"name\":", out);
        ig_out_json(out, row->name);
        ig_desk_number(out, "calls", row->weight);
        fputc(',', out);
        ig_desk_decisions(out, row->n);
        ig_desk_number(out, "before", row->before);
        fputc('}', out);
    }

    fputc(']', out);
}


static void
ig_report_json_rules(FILE *out, const ig_report_t *r)
{
    unsigned             i;
    const ig_top_row_t  *row;

    fputs(",\"rule\":[", out);

    for (i = 0; i < r->rule.nrows; i++) {
        row = &r->rule.row[i];

        fputs(i ? ",{\"name\":" : "{\"name\":", out);
        ig_out_json(out, row->name);
        ig_desk_number(out, "fired", row->weight);
        ig_desk_number(out, "alone", row->alone);
        ig_desk_number(out, "dry_run", row->dry_run);
        ig_desk_number(out, "on_error", row->on_error);
        ig_desk_number(out, "before", row->before);
        fputc('}', out);
    }

    fputc(']', out);
}


static void
ig_report_json_keys(FILE *out, const ig_report_t *r)
{
    unsigned             i, n, shown;
    const ig_top_row_t  *row;

    fputs(",\"key\":[", out);

    for (i = 0, n = 0, shown = 0; i < r->key.nrows; i++) {
        row = &r->key.row[i];

        if (i && !ig_str_eq(row->field, row[-1].field)) {
            n = 0;
        }

        if (n++ >= IG_REPORT_JSON) {
            continue;
        }

        fputs(shown++ ? ",{\"field\":" : "{\"field\":", out);
        ig_out_json(out, row->field);
        ig_out_member(out, "value", row->name);
        ig_desk_number(out, "calls", row->weight);
        fputc(',', out);
        ig_desk_decisions(out, row->n);
        fputc('}', out);
    }

    fputc(']', out);
    ig_desk_number(out, "keys", r->key.nrows);
    ig_desk_number(out, "keys_forgotten", r->key.dropped);
    ig_desk_number(out, "keys_too_low_by", r->key.missed);
}


static void
ig_report_json_lists(FILE *out, const ig_report_t *r)
{
    unsigned                   i;
    const ig_report_change_t  *c;

    fputs(",\"added\":{", out);

    for (i = 0; i < r->added.nrows; i++) {
        fputs(i ? "," : "", out);
        ig_out_json(out, r->added.row[i].name);
        fprintf(out, ":%llu", (unsigned long long) r->added.row[i].weight);
    }

    fputs("},\"change\":[", out);

    for (i = 0; (c = ig_report_changed(r, i)) != NULL; i++) {
        fputs(i ? ",{" : "{", out);
        ig_desk_time(out, "time", c->time);
        fprintf(out, ",\"op\":\"%s\"", c->remove ? "remove" : "add");
        ig_out_member(out, "list", c->list);
        ig_out_member(out, "reason", c->reason);
        ig_out_member(out, "by", c->by);
        fprintf(out, ",\"failed\":%s}", c->failed ? "true" : "false");
    }

    fputc(']', out);
    ig_desk_number(out, "changes", r->nchanges);
    ig_desk_number(out, "looked_at", r->looked);
    ig_desk_number(out, "reset", r->forgotten);
}


static void
ig_report_json_unclassified(FILE *out, const ig_report_t *r)
{
    unsigned             i;
    const ig_top_row_t  *row;

    fputs(",\"unclassified\":[", out);

    for (i = 0; i < r->unclassified.nrows; i++) {
        row = &r->unclassified.row[i];

        fputs(i ? ",{\"place\":" : "{\"place\":", out);
        ig_out_json(out, row->name);
        ig_desk_number(out, "calls", row->weight);
        ig_desk_number(out, "denied", row->n[IG_BIN_DENY]);
        fputc('}', out);
    }

    fputc(']', out);
    ig_desk_number(out, "unclassified_before", r->unclassified_before);
}


void
ig_report_json(FILE *out, const ig_report_t *r, const ig_survey_t *s)
{
    ig_report_json_period(out, r, s);
    ig_report_json_actions(out, r);
    ig_report_json_rules(out, r);
    ig_report_json_keys(out, r);
    ig_report_json_lists(out, r);
    ig_report_json_unclassified(out, r);
    ig_desk_number(out, "repeats", r->quality.repeats);
    ig_desk_number(out, "repeats_unknown", s->repeats_unknown);

    fputc(',', out);
    ig_desk_bins(out, "time", &r->bins);
    fputc(',', out);
    ig_quality_json(out, &r->quality);
    fputc(',', out);
    ig_health_json(out, &s->health);
    fputs("}\n", out);
}
