/*
 * ig_ctl_report_gather.c: a period's calls, one after the other, counted.
 * Owns: the report's tables and copies.  Called by the survey.
 */

#include <stdlib.h>
#include <string.h>

#include "ig_ctl_report.h"


int
ig_report_init(ig_report_t *r)
{
    memset(r, 0, sizeof(ig_report_t));

    if (ig_top_init(&r->action, IG_REPORT_NAMES) != IG_OK
        || ig_top_init(&r->rule, IG_REPORT_NAMES) != IG_OK
        || ig_top_init(&r->added, IG_REPORT_NAMES) != IG_OK
        || ig_top_init(&r->unclassified, IG_REPORT_NAMES) != IG_OK
        || ig_top_init(&r->key, IG_REPORT_KEYS) != IG_OK
        || ig_quality_init(&r->quality) != IG_OK)
    {
        ig_report_free(r);
        return IG_NOMEM;
    }

    return IG_OK;
}


void
ig_report_free(ig_report_t *r)
{
    unsigned  i;

    for (i = 0; i < IG_REPORT_CHANGES; i++) {
        free((char *) r->change[i].list.data);
    }

    ig_top_free(&r->action);
    ig_top_free(&r->rule);
    ig_top_free(&r->added);
    ig_top_free(&r->unclassified);
    ig_top_free(&r->key);
    ig_quality_free(&r->quality);
    memset(r, 0, sizeof(ig_report_t));
}


void
ig_report_period(ig_report_t *r)
{
    int64_t  length, width;

    length = r->until - r->since;
    r->before = r->since - length;

    /* hours where they do, so that days can be laid over each other */

    width = length <= 2 * IG_HOUR_MS ? IG_MINUTE_MS
            : length <= 12 * IG_HOUR_MS ? 5 * IG_MINUTE_MS : IG_HOUR_MS;

    ig_bins_init(&r->bins, r->zone, width);
    ig_bins_cover(&r->bins, r->since, r->until - 1);

    ig_bins_init(&r->bins_before, r->zone, ig_bins_width(&r->bins));
    ig_bins_cover(&r->bins_before, r->before, r->since - 1);
}


uint64_t
ig_report_calls(const uint64_t n[IG_BIN_KINDS])
{
    return n[IG_BIN_ALLOW] + n[IG_BIN_HOLD] + n[IG_BIN_THROTTLE]
           + n[IG_BIN_DENY];
}


/* -- the period before --------------------------------------------------- */


static int
ig_report_before(ig_report_t *r, const ig_audit_line_t *line, int64_t time,
    uint64_t n)
{
    ig_top_row_t      *row;
    ig_audit_rules_t   rule;

    r->n_before[line->decision] += n;
    r->n_before[IG_BIN_WOULD] += line->would > line->decision ? n : 0;
    ig_bins_add(&r->bins_before, time, line->decision, n);

    row = ig_top_row(&r->action, ig_str(""), line->action);

    if (row == NULL) {
        return IG_NOMEM;
    }

    row->before += n;

    ig_audit_rules(line, &rule);

    while (ig_audit_next_rule(&rule)) {
        row = ig_top_row(&r->rule, ig_str(""), rule.name);

        if (row == NULL) {
            return IG_NOMEM;
        }

        row->before += n;
    }

    return IG_OK;
}


/* -- the period ---------------------------------------------------------- */


static int
ig_report_count(ig_top_t *top, ig_str_t field, ig_str_t name,
    const ig_audit_line_t *line, uint64_t n, uint64_t weight)
{
    ig_top_row_t  *row;

    row = ig_top_row(top, field, name);

    if (row == NULL) {
        return IG_NOMEM;
    }

    row->weight += weight;
    row->n[line->decision] += n;
    row->n[IG_BIN_WOULD] += line->would > line->decision ? n : 0;

    return IG_OK;
}


/* The list of "LIST:TTL", without the time. */
static int
ig_report_add(ig_report_t *r, const ig_audit_line_t *line, ig_str_t add)
{
    const char  *colon;

    colon = memchr(add.data, ':', add.len);

    if (colon == NULL) {
        return IG_OK;
    }

    return ig_report_count(&r->added, ig_str(""),
                           (ig_str_t) { (size_t) (colon - add.data),
                                        add.data }, line, 1, 1);
}


static int
ig_report_rules(ig_report_t *r, const ig_audit_line_t *line, uint64_t n,
    bool repeat)
{
    unsigned           fired;
    ig_str_t           name;
    ig_top_row_t      *row;
    ig_audit_rules_t   rule;

    ig_audit_rules(line, &rule);

    for (fired = 0; ig_audit_next_rule(&rule); fired++) {
        row = ig_top_row(&r->rule, ig_str(""), rule.name);

        if (row == NULL) {
            return IG_NOMEM;
        }

        row->weight += n;
        row->n[line->decision] += n;
        row->dry_run += rule.dry_run ? n : 0;
        row->on_error += rule.on_error ? n : 0;
        name = rule.name;

        if (!repeat && rule.add.len && !rule.dry_run
            && ig_report_add(r, line, rule.add) != IG_OK)
        {
            return IG_NOMEM;
        }
    }

    if (fired == 1) {
        row = ig_top_row(&r->rule, ig_str(""), name);

        if (row == NULL) {
            return IG_NOMEM;
        }

        row->alone += n;
    }

    return IG_OK;
}


static bool
ig_report_asked(const ig_report_t *r, ig_str_t field)
{
    unsigned  i;

    for (i = 0; i < r->nby; i++) {
        if (ig_str_eq(r->by[i], field)) {
            return true;
        }
    }

    return false;
}


/*
 * The keys of a call that did not simply pass.  Without --by those that are
 * names: a number is rather a rating than a key, and a text is none.
 */
static int
ig_report_keys(ig_report_t *r, const ig_audit_line_t *line, uint64_t n)
{
    char              scratch[IG_KEY_TEXT];
    ig_str_t          value;
    ig_audit_items_t  field;

    ig_audit_items(line, "field", &field);

    while (ig_audit_next(&field)) {
        value = ig_value_key(&field.value, scratch);

        if (r->nby ? !ig_report_asked(r, field.name)
                   : field.value.type != IG_STRING
                     || (value.len > 2 && memcmp(value.data, "t:", 2) == 0))
        {
            continue;
        }

        if (value.len
            && ig_report_count(&r->key, field.name, value, line, n, n)
               != IG_OK)
        {
            return IG_NOMEM;
        }
    }

    return IG_OK;
}


int
ig_report_call(void *ctx, const ig_audit_line_t *line, int64_t time,
    uint64_t n, bool repeat)
{
    ig_report_t  *r = ctx;

    if (line->decision == IG_NO_DECISION) {
        return IG_OK;
    }

    if (time < r->since) {
        return ig_report_before(r, line, time, n);
    }

    r->n[line->decision] += n;
    ig_bins_add(&r->bins, time, line->decision, n);

    if (line->would > line->decision) {
        r->n[IG_BIN_WOULD] += n;
        ig_bins_add(&r->bins, time, IG_BIN_WOULD, n);
    }

    if (repeat) {
        r->quality.repeats += n;
    }

    if (ig_report_count(&r->action, ig_str(""), line->action, line, n, n)
            != IG_OK
        || ig_report_rules(r, line, n, repeat) != IG_OK
        || ig_quality_add(&r->quality, line, n) != IG_OK)
    {
        return IG_NOMEM;
    }

    return line->decision == IG_ALLOW ? IG_OK : ig_report_keys(r, line, n);
}


int
ig_report_unclassified(void *ctx, const ig_audit_line_t *line)
{
    char           place[IG_REPORT_PLACE];
    double         count;
    ig_buf_t       b;
    ig_report_t   *r = ctx;
    ig_top_row_t  *row;

    if (!ig_audit_number(line, "count", &count) || !(count >= 1)
        || count > 1e15)
    {
        return IG_OK;
    }

    if (line->time < r->since) {
        r->unclassified_before += (uint64_t) count;
        return IG_OK;
    }

    ig_buf_init(&b, place, sizeof(place));
    ig_buf_str_add(&b, line->method);
    ig_buf_char(&b, ' ');
    ig_buf_str_add(&b, line->path);

    row = ig_top_row(&r->unclassified, ig_str(""), ig_buf_str(&b));

    if (row == NULL) {
        return IG_NOMEM;
    }

    row->weight += (uint64_t) count;
    row->n[ig_audit_true(line, "denied") ? IG_BIN_DENY : IG_BIN_ALLOW]
        += (uint64_t) count;

    return IG_OK;
}


/* -- lists --------------------------------------------------------------- */


const ig_report_change_t *
ig_report_changed(const ig_report_t *r, unsigned i)
{
    if (i >= IG_REPORT_CHANGES || i >= r->nchanges) {
        return NULL;
    }

    return &r->change[(r->nchanges - 1 - i) % IG_REPORT_CHANGES];
}


/* The second line of a change: the store did not do it. */
static void
ig_report_failed(ig_report_t *r, const ig_audit_line_t *line)
{
    unsigned             i;
    ig_report_change_t  *c;

    for (i = 0; i < IG_REPORT_CHANGES && i < r->nchanges; i++) {
        c = &r->change[i];

        if (line->event.len == sizeof(c->event)
            && memcmp(c->event, line->event.data, sizeof(c->event)) == 0)
        {
            c->failed = true;
        }
    }
}


int
ig_report_change(void *ctx, const ig_audit_line_t *line)
{
    char                *copy;
    ig_str_t             list, reason, by;
    ig_report_t         *r = ctx;
    ig_report_change_t  *c;

    if (line->time < r->since) {
        return IG_OK;
    }

    if (line->kind == IG_AUDIT_KEY) {
        if (ig_audit_true(line, "failed")) {
            return IG_OK;
        }

        r->looked++;
        r->forgotten += ig_str_eq(ig_audit_text(line, "op"),
                                  ig_str("reset"));
        return IG_OK;
    }

    if (ig_audit_true(line, "failed")) {
        ig_report_failed(r, line);
        return IG_OK;
    }

    list = ig_audit_text(line, "name");
    reason = ig_audit_text(line, "reason");
    by = ig_audit_text(line, "by");

    copy = malloc(list.len + reason.len + by.len + 1);

    if (copy == NULL) {
        return IG_NOMEM;
    }

    c = &r->change[r->nchanges++ % IG_REPORT_CHANGES];

    free((char *) c->list.data);
    memset(c, 0, sizeof(ig_report_change_t));

    memcpy(copy, list.data, list.len);
    memcpy(copy + list.len, reason.data, reason.len);
    memcpy(copy + list.len + reason.len, by.data, by.len);

    c->list = (ig_str_t) { list.len, copy };
    c->reason = (ig_str_t) { reason.len, copy + list.len };
    c->by = (ig_str_t) { by.len, copy + list.len + reason.len };
    c->time = line->time;
    c->remove = ig_str_eq(ig_audit_text(line, "op"), ig_str("remove"));

    if (line->event.len == sizeof(c->event)) {
        memcpy(c->event, line->event.data, sizeof(c->event));
    }

    return IG_OK;
}


/* -- the end ------------------------------------------------------------- */


bool
ig_report_compares(const ig_report_t *r, const ig_survey_t *s)
{
    return s->health.lines > 0 && s->health.first < r->before + IG_HOUR_MS;
}


void
ig_report_sort(ig_report_t *r)
{
    ig_top_sort(&r->action);
    ig_top_sort(&r->rule);
    ig_top_sort(&r->added);
    ig_top_sort(&r->unclassified);
    ig_top_sort(&r->key);
    ig_top_sort(&r->quality.body);
}
