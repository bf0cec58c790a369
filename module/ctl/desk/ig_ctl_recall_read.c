/*
 * ig_ctl_recall_read.c: the accepted events of one key, with their outcomes,
 * and where the rule fired for it.
 * Owns: the events.  Called by ig_ctl_recall.c.
 */

#include <string.h>

#include "ig_ctl_recall.h"


/* -- events -------------------------------------------------------------- */


static ig_recall_event_t **
ig_recall_bucket(ig_recall_t *r, ig_str_t event)
{
    size_t    i;
    uint32_t  h;

    for (h = 2166136261u, i = 0; i < event.len; i++) {      /* FNV-1a */
        h = (h ^ (unsigned char) event.data[i]) * 16777619u;
    }

    return &r->bucket[h % IG_RECALL_BUCKETS];
}


static ig_recall_event_t *
ig_recall_find(ig_recall_t *r, ig_str_t event)
{
    ig_recall_event_t  *e;

    for (e = *ig_recall_bucket(r, event); e; e = e->bucket) {
        if (ig_str_eq(e->line.event, event)) {
            return e;
        }
    }

    return NULL;
}


/* A copy that stays; NULL: no memory. */
static ig_recall_event_t *
ig_recall_keep(ig_recall_t *r, const ig_audit_line_t *line)
{
    ig_str_t            raw;
    const char         *why;
    ig_recall_event_t  *e, **bucket;

    e = ig_alloc(&r->memory.mem, sizeof(ig_recall_event_t));

    if (e == NULL || ig_str_dup(&r->memory.mem, line->raw, &raw) != IG_OK
        || ig_audit_parse(raw, &e->line, &why) != IG_OK)
    {
        return NULL;
    }

    bucket = ig_recall_bucket(r, e->line.event);
    e->bucket = *bucket;
    *bucket = e;
    e->before = r->last;
    r->last = e;

    return e;
}


/* -- lines --------------------------------------------------------------- */


static bool
ig_recall_has_fired(const ig_recall_t *r, const ig_audit_line_t *line)
{
    ig_audit_rules_t  rule;

    if (line->time < r->since || line->time >= r->until
        || (line->dry_run && !r->dry_run))
    {
        return false;
    }

    ig_audit_rules(line, &rule);

    while (ig_audit_next_rule(&rule)) {
        if (ig_str_eq(rule.name, r->rule) && !rule.on_error
            && (r->dry_run || !rule.dry_run))
        {
            return true;
        }
    }

    return false;
}


static int
ig_recall_decision(ig_recall_t *r, const ig_audit_line_t *line)
{
    ig_str_t            event;
    ig_recall_event_t  *e;

    e = NULL;

    if (line->decision == IG_ALLOW || line->decision == IG_HOLD) {
        e = ig_recall_keep(r, line);

        if (e == NULL) {
            return IG_NOMEM;
        }
    }

    if (!ig_recall_has_fired(r, line)) {
        return IG_OK;
    }

    r->nfired++;

    if (e != NULL) {
        e->itself = true;
        e->fired = e->line.event;
        ig_recall_fired(r, &e->line, e->line.event);
        return IG_OK;
    }

    /* refused: there is nothing of it to take back, but of those before */

    if (ig_str_dup(&r->memory.mem, line->event, &event) != IG_OK) {
        return IG_NOMEM;
    }

    ig_recall_fired(r, line, event);

    return IG_OK;
}


static void
ig_recall_outcome(ig_recall_t *r, const ig_audit_line_t *line)
{
    double              status;
    ig_recall_event_t  *e;

    e = ig_recall_find(r, line->event);

    if (e != NULL && ig_audit_number(line, "status", &status)) {
        e->status = (unsigned) status;
    }
}


static int
ig_recall_line(ig_recall_t *r, const ig_audit_line_t *line)
{
    switch (line->kind) {

    case IG_AUDIT_POLICY:
        return ig_past_add(&r->past, line);

    case IG_AUDIT_OUTCOME:
        ig_recall_outcome(r, line);
        return IG_OK;

    case IG_AUDIT_DECISION:
        return ig_audit_filter_line(&r->key, line)
               ? ig_recall_decision(r, line) : IG_OK;

    default:
        return IG_OK;
    }
}


/* Whether a look at the line's bytes leaves it possible. */
static bool
ig_recall_may_be(ig_recall_t *r, const ig_audit_entry_t *entry)
{
    ig_audit_prefix_t  prefix;

    if (!entry->own || entry->kind == IG_AUDIT_POLICY) {
        return true;
    }

    if (entry->kind == IG_AUDIT_OUTCOME) {
        ig_audit_prefix(entry->raw, &prefix);
        return ig_recall_find(r, prefix.event) != NULL;
    }

    return entry->kind == IG_AUDIT_DECISION
           && ig_audit_filter_raw(&r->key, entry->kind, entry->raw, true);
}


int
ig_recall_read(ig_recall_t *r, char **file, int nfiles)
{
    int               rc, end;
    const char       *why;
    ig_audit_log_t   *log;
    ig_audit_line_t   line;
    ig_audit_entry_t  entry;

    log = ig_audit_open(file, nfiles, NULL);

    if (log == NULL) {
        return IG_CTL_USAGE;
    }

    while ((rc = ig_audit_raw(log, &entry)) == IG_OK) {

        if (!ig_recall_may_be(r, &entry)) {
            continue;
        }

        if (ig_audit_parse(entry.raw, &line, &why) != IG_OK) {
            (void) ig_ctl_error("%s:%llu: %s", entry.file,
                                (unsigned long long) entry.number, why);
            continue;
        }

        rc = ig_recall_line(r, &line);
        ig_audit_free(&line);

        if (rc != IG_OK) {
            (void) ig_ctl_error("no memory");
            break;
        }
    }

    end = ig_audit_close(log);

    return rc == IG_AGAIN ? end : IG_CTL_USAGE;
}
