/*
 * ig_ctl_dossier_json.c: the record as one JSON object.
 * Owns nothing.  Called by ig_ctl_dossier.c.
 */

#include <string.h>

#include "ig_ctl_desk.h"
#include "ig_ctl_dossier.h"


static void
ig_dossier_json_key(FILE *out, const ig_dossier_t *d)
{
    const ig_filter_word_t  *word;

    fputs("{\"field\":", out);
    ig_out_json(out, d->field);
    fputs(",\"value\":", out);
    ig_out_json(out, d->value);
    fputs(",\"pseudonym\":[", out);

    for (word = d->key->field->value; word; word = word->next) {
        if (word->text.len > 2 && memcmp(word->text.data, "p:", 2) == 0) {
            ig_out_json(out, word->text);
            break;
        }
    }

    for (word = word ? word->next : NULL; word; word = word->next) {
        if (word->text.len > 2 && memcmp(word->text.data, "p:", 2) == 0) {
            fputc(',', out);
            ig_out_json(out, word->text);
        }
    }

    fputc(']', out);
    ig_desk_number(out, "calls", ig_dossier_calls(d));
    fputc(',', out);
    ig_desk_decisions(out, d->n);

    if (d->first) {
        fputc(',', out);
        ig_desk_time(out, "first", d->first);
        fputc(',', out);
        ig_desk_time(out, "last", d->last);
    }
}


/* "name":[{"name":..,"calls":..,...},...] behind a comma. */
static void
ig_dossier_json_top(FILE *out, const char *name, const ig_top_t *top)
{
    unsigned             i;
    const ig_top_row_t  *row;

    fprintf(out, ",\"%s\":[", name);

    for (i = 0; i < top->nrows; i++) {
        row = &top->row[i];

        fputs(i ? ",{\"name\":" : "{\"name\":", out);
        ig_out_json(out, row->name);
        ig_desk_number(out, "calls", row->weight);
        fputc(',', out);
        ig_desk_decisions(out, row->n);
        ig_desk_number(out, "alone", row->alone);
        ig_desk_number(out, "dry_run", row->dry_run);
        ig_desk_number(out, "on_error", row->on_error);
        fputc(',', out);
        ig_desk_time(out, "first", row->first);
        fputc(',', out);
        ig_desk_time(out, "last", row->last);
        fputc('}', out);
    }

    fputc(']', out);
}


static void
ig_dossier_json_sanctions(FILE *out, const ig_dossier_t *d)
{
    unsigned                      i;
    const ig_dossier_sanction_t  *s;

    static const char *const  op[] = { "add", "remove", "inspect", "reset" };

    fputs(",\"sanction\":[", out);

    for (i = 0; (s = ig_dossier_sanction(d, i)) != NULL; i++) {
        fputs(i ? ",{" : "{", out);
        ig_desk_time(out, "time", s->time);
        fprintf(out, ",\"op\":\"%s\"", op[s->done]);
        ig_out_member(out, s->done < IG_DONE_INSPECT ? "list" : "counter",
                      s->list);
        ig_out_member(out, s->by_rule ? "rule" : "reason", s->reason);

        if (!s->by_rule) {
            ig_out_member(out, "by", s->by);
        }

        if (s->until) {
            fputc(',', out);
            ig_desk_time(out, "until", s->until);
        }

        if (s->ended) {
            fputc(',', out);
            ig_desk_time(out, "ended", s->ended);
        }

        ig_out_member(out, "event", (ig_str_t) { s->event[0] ? 26 : 0,
                                                 s->event });
        fprintf(out, ",\"failed\":%s,\"sure\":%s}",
                s->failed ? "true" : "false", s->sure ? "true" : "false");
    }

    fputc(']', out);
    ig_desk_number(out, "sanctions", d->nsanctions);
}


static void
ig_dossier_json_events(FILE *out, const ig_dossier_t *d)
{
    unsigned                   i;
    const ig_dossier_event_t  *e;

    fputs(",\"event\":[", out);

    for (i = 0; (e = ig_dossier_event(d, i)) != NULL; i++) {
        fputs(i ? ",{" : "{", out);
        ig_desk_time(out, "time", e->time);
        fprintf(out, ",\"event\":\"%.26s\"", e->event);
        ig_out_member(out, "action", (ig_str_t) { e->action_len, e->text });
        ig_out_member(out, "decision", ig_decision_name(e->decision));
        ig_out_member(out, "would", ig_decision_name(e->would));
        fprintf(out, ",\"score\":%lld", (long long) e->score);
        ig_out_member(out, "rules", (ig_str_t) {
            strlen(e->text + e->action_len), e->text + e->action_len });
        ig_desk_number(out, "repeats", e->repeats);

        if (e->status) {
            ig_desk_number(out, "status", e->status);
        }

        if (e->upstream) {
            ig_desk_number(out, "upstream", e->upstream);
        }

        fputc('}', out);
    }

    fputc(']', out);
    ig_desk_number(out, "events", d->nevents);
}


/* The heaviest of each field. */
static void
ig_dossier_json_links(FILE *out, const ig_dossier_t *d)
{
    unsigned             i, n, shown;
    const ig_top_row_t  *row;

    fputs(",\"link\":[", out);

    for (i = 0, n = 0, shown = 0; i < d->link.nrows; i++) {
        row = &d->link.row[i];

        if (i && !ig_str_eq(row->field, row[-1].field)) {
            n = 0;
        }

        if (n++ >= IG_DOSSIER_JSON) {
            continue;
        }

        fputs(shown++ ? ",{\"field\":" : "{\"field\":", out);
        ig_out_json(out, row->field);
        ig_out_member(out, "value", row->name);
        ig_desk_number(out, "calls", row->weight);
        fputc(',', out);
        ig_desk_decisions(out, row->n);
        fputc(',', out);
        ig_desk_time(out, "first", row->first);
        fputc(',', out);
        ig_desk_time(out, "last", row->last);
        fputc('}', out);
    }

    fputc(']', out);
    ig_desk_number(out, "links", d->link.nrows);
    ig_desk_number(out, "links_forgotten", d->link.dropped);
    ig_desk_number(out, "links_too_low_by", d->link.missed);
}


void
ig_dossier_json(FILE *out, const ig_dossier_t *d, const ig_survey_t *s)
{
    ig_dossier_json_key(out, d);
    ig_dossier_json_top(out, "action", &d->action);
    ig_dossier_json_top(out, "rule", &d->rule);
    ig_dossier_json_top(out, "on_list", &d->on_list);
    ig_dossier_json_top(out, "policy", &d->policy);
    ig_dossier_json_sanctions(out, d);
    ig_dossier_json_events(out, d);
    ig_dossier_json_links(out, d);

    if (d->first) {
        fputc(',', out);
        ig_desk_bins(out, "time", &d->bins);
    }

    fputc(',', out);
    ig_quality_json(out, &d->quality);
    fputc(',', out);
    ig_health_json(out, &s->health);
    fputs("}\n", out);
}
