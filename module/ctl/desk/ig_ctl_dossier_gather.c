/*
 * ig_ctl_dossier_gather.c: a key's calls, one after the other, put into its
 * record.
 * Owns: the record's tables and copies.  Called by the survey.
 */

#include <stdlib.h>
#include <string.h>

#include "ig_ctl_dossier.h"


int
ig_dossier_init(ig_dossier_t *d, unsigned wanted)
{
    memset(d, 0, sizeof(ig_dossier_t));

    d->wanted = wanted;
    d->event = calloc(wanted + 1, sizeof(ig_dossier_event_t));

    if (d->event == NULL
        || ig_top_init(&d->action, IG_DOSSIER_NAMES) != IG_OK
        || ig_top_init(&d->rule, IG_DOSSIER_NAMES) != IG_OK
        || ig_top_init(&d->on_list, IG_DOSSIER_NAMES) != IG_OK
        || ig_top_init(&d->policy, IG_DOSSIER_NAMES) != IG_OK
        || ig_top_init(&d->link, IG_DOSSIER_LINKS) != IG_OK
        || ig_quality_init(&d->quality) != IG_OK)
    {
        ig_dossier_free(d);
        return IG_NOMEM;
    }

    return IG_OK;
}


void
ig_dossier_free(ig_dossier_t *d)
{
    unsigned  i;

    for (i = 0; d->event && i <= d->wanted; i++) {
        free(d->event[i].text);
    }

    for (i = 0; i < IG_DOSSIER_SANCTIONS; i++) {
        free((char *) d->sanction[i].list.data);
    }

    free(d->event);
    ig_top_free(&d->action);
    ig_top_free(&d->rule);
    ig_top_free(&d->on_list);
    ig_top_free(&d->policy);
    ig_top_free(&d->link);
    ig_quality_free(&d->quality);
    memset(d, 0, sizeof(ig_dossier_t));
}


uint64_t
ig_dossier_stronger(const ig_dossier_t *d)
{
    return d->n[IG_BIN_HOLD] + d->n[IG_BIN_THROTTLE] + d->n[IG_BIN_DENY];
}


uint64_t
ig_dossier_calls(const ig_dossier_t *d)
{
    return d->n[IG_BIN_ALLOW] + ig_dossier_stronger(d);
}


/* -- tables -------------------------------------------------------------- */


/* n calls of this line's decision for a name. */
static int
ig_dossier_count(ig_top_t *top, ig_str_t field, ig_str_t name,
    const ig_audit_line_t *line, int64_t time, uint64_t n)
{
    ig_top_row_t  *row;

    row = ig_top_row(top, field, name);

    if (row == NULL) {
        return IG_NOMEM;
    }

    row->weight += n;
    row->n[line->decision] += n;
    row->n[IG_BIN_WOULD] += line->would > line->decision ? n : 0;
    ig_top_seen(row, time);

    return IG_OK;
}


/* The rules that fired; the first call of several adds to lists. */
static int
ig_dossier_rules(ig_dossier_t *d, const ig_audit_line_t *line, int64_t time,
    uint64_t n, bool first)
{
    unsigned           fired;
    ig_top_row_t      *row;
    ig_audit_rules_t   rule;

    ig_audit_rules(line, &rule);

    for (fired = 0; ig_audit_next_rule(&rule); fired++) {
        row = ig_top_row(&d->rule, ig_str(""), rule.name);

        if (row == NULL) {
            return IG_NOMEM;
        }

        row->weight += n;
        row->n[line->decision] += n;
        row->dry_run += rule.dry_run ? n : 0;
        row->on_error += rule.on_error ? n : 0;
        ig_top_seen(row, time);

        if (first && rule.add.len && ig_dossier_added(d, line, &rule) != IG_OK)
        {
            return IG_NOMEM;
        }
    }

    /* alone: the line has no other rule */

    if (fired == 1) {
        ig_audit_rules(line, &rule);
        (void) ig_audit_next_rule(&rule);
        row = ig_top_row(&d->rule, ig_str(""), rule.name);

        if (row == NULL) {
            return IG_NOMEM;
        }

        row->alone += n;
    }

    return IG_OK;
}


/* Other keys of the same calls: names, not numbers; texts are none. */
static int
ig_dossier_links(ig_dossier_t *d, const ig_audit_line_t *line, int64_t time,
    uint64_t n)
{
    ig_audit_items_t  field;

    ig_audit_items(line, "field", &field);

    while (ig_audit_next(&field)) {

        if (field.value.type != IG_STRING || field.value.str.len == 0
            || ig_str_eq(field.name, d->field)
            || (field.value.str.len > 2
                && memcmp(field.value.str.data, "t:", 2) == 0))
        {
            continue;
        }

        if (ig_dossier_count(&d->link, field.name, field.value.str, line,
                             time, n)
            != IG_OK)
        {
            return IG_NOMEM;
        }
    }

    return IG_OK;
}


static int
ig_dossier_on_lists(ig_dossier_t *d, const ig_audit_line_t *line,
    int64_t time, uint64_t n)
{
    ig_audit_items_t  list;

    ig_audit_items(line, "list", &list);

    while (ig_audit_next(&list)) {
        if (list.value.type == IG_STRING
            && ig_dossier_count(&d->on_list, ig_str(""), list.value.str, line,
                                time, n)
               != IG_OK)
        {
            return IG_NOMEM;
        }
    }

    return IG_OK;
}


/* -- single events ------------------------------------------------------- */


/* "review.create" and, behind it, "too_fast, device_farm (dry run)". */
static char *
ig_dossier_event_text(const ig_audit_line_t *line)
{
    FILE              *stream;
    char              *text;
    size_t             len;
    const char        *comma;
    ig_audit_rules_t   rule;

    text = NULL;
    stream = open_memstream(&text, &len);

    if (stream == NULL) {
        return NULL;
    }

    fwrite(line->action.data ? line->action.data : "", 1, line->action.len,
           stream);
    ig_audit_rules(line, &rule);

    for (comma = ""; ig_audit_next_rule(&rule); comma = ", ") {
        fprintf(stream, "%s%.*s%s%s", comma, ig_fmt(rule.name),
                rule.dry_run ? " (dry run)" : "",
                rule.on_error ? " (could not be evaluated)" : "");
    }

    fclose(stream);

    return text;
}


static int
ig_dossier_keep(ig_dossier_t *d, const ig_audit_line_t *line)
{
    ig_dossier_event_t  *event;

    if (d->wanted == 0 || line->event.len != sizeof(event->event)) {
        return IG_OK;
    }

    event = &d->event[d->nevents++ % d->wanted];

    free(event->text);
    memset(event, 0, sizeof(ig_dossier_event_t));

    memcpy(event->event, line->event.data, sizeof(event->event));
    event->time = line->time;
    event->decision = line->decision;
    event->would = line->would;
    event->score = line->decision == line->would ? line->score
                                                 : line->would_score;
    event->action_len = line->action.len;
    event->text = ig_dossier_event_text(line);

    return event->text ? IG_OK : IG_NOMEM;
}


/* The kept event of that id; NULL: none. */
static ig_dossier_event_t *
ig_dossier_find(const ig_dossier_t *d, ig_str_t id)
{
    unsigned  i;

    for (i = 0; i < d->wanted && i < d->nevents; i++) {
        if (memcmp(d->event[i].event, id.data, sizeof(d->event[i].event)) == 0)
        {
            return &d->event[i];
        }
    }

    return NULL;
}


bool
ig_dossier_wants(void *ctx, ig_str_t event)
{
    return ig_dossier_find(ctx, event) != NULL;
}


int
ig_dossier_outcome(void *ctx, const ig_audit_line_t *line)
{
    double               n;
    ig_dossier_event_t  *event;

    if (line->event.len != sizeof(event->event)) {
        return IG_OK;
    }

    event = ig_dossier_find(ctx, line->event);

    if (event == NULL) {
        return IG_OK;
    }

    if (ig_audit_number(line, "status", &n) && n >= 0 && n < 1000) {
        event->status = (unsigned) n;
    }

    if (ig_audit_number(line, "upstream", &n) && n >= 0 && n < 1000) {
        event->upstream = (unsigned) n;
    }

    return IG_OK;
}


const ig_dossier_event_t *
ig_dossier_event(const ig_dossier_t *d, unsigned i)
{
    if (i >= d->wanted || i >= d->nevents) {
        return NULL;
    }

    return &d->event[(d->nevents - 1 - i) % d->wanted];
}


/* -- calls --------------------------------------------------------------- */


static void
ig_dossier_seen(ig_dossier_t *d, const ig_audit_line_t *line, int64_t time,
    uint64_t n)
{
    if (d->first == 0) {
        ig_bins_init(&d->bins, d->zone, 15 * IG_MINUTE_MS);
    }

    if (d->first == 0 || time < d->first) {
        d->first = time;
    }

    if (time > d->last) {
        d->last = time;
    }

    d->n[line->decision] += n;
    ig_bins_add(&d->bins, time, line->decision, n);

    if (line->would > line->decision) {
        d->n[IG_BIN_WOULD] += n;
        ig_bins_add(&d->bins, time, IG_BIN_WOULD, n);
    }
}


int
ig_dossier_call(void *ctx, const ig_audit_line_t *line, int64_t time,
    uint64_t n, bool repeat)
{
    ig_dossier_t        *d = ctx;
    ig_dossier_event_t  *event;

    if (line->decision == IG_NO_DECISION) {
        return IG_OK;
    }

    ig_dossier_seen(d, line, time, n);

    if (ig_dossier_count(&d->action, ig_str(""), line->action, line, time, n)
            != IG_OK
        || ig_dossier_count(&d->policy, ig_str(""), line->policy, line, time,
                            n) != IG_OK
        || ig_dossier_rules(d, line, time, n, !repeat) != IG_OK
        || ig_dossier_links(d, line, time, n) != IG_OK
        || ig_dossier_on_lists(d, line, time, n) != IG_OK
        || ig_quality_add(&d->quality, line, n) != IG_OK)
    {
        return IG_NOMEM;
    }

    if (line->decision == IG_ALLOW && line->would == IG_ALLOW) {
        return IG_OK;
    }

    if (!repeat) {
        return ig_dossier_keep(d, line);
    }

    event = line->event.len == sizeof(event->event)
            ? ig_dossier_find(d, line->event) : NULL;

    if (event) {
        event->repeats += n;
    }

    return IG_OK;
}


void
ig_dossier_sort(ig_dossier_t *d)
{
    ig_top_sort(&d->action);
    ig_top_sort(&d->rule);
    ig_top_sort(&d->on_list);
    ig_top_sort(&d->policy);
    ig_top_sort(&d->link);
    ig_top_sort(&d->quality.body);
}
