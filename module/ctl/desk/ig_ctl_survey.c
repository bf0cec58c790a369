/*
 * ig_ctl_survey.c: one pass over a log.
 * Owns: its health, and cached decisions.  Called by dossier and report.
 */

#define _GNU_SOURCE             /* memmem */

#include <stdlib.h>
#include <string.h>

#include "ig_ctl_survey.h"

#define IG_SURVEY_EVENT  "\"event\":\""
#define IG_SURVEY_WAYS   8


int
ig_survey_init(ig_survey_t *s)
{
    memset(s, 0, sizeof(ig_survey_t));

    s->since = INT64_MIN;
    s->until = INT64_MAX;
    ig_health_init(&s->health);
    s->cached = calloc(IG_SURVEY_CACHED, sizeof(ig_survey_cached_t));

    return s->cached ? IG_OK : IG_NOMEM;
}


void
ig_survey_free(ig_survey_t *s)
{
    unsigned  i;

    for (i = 0; s->cached && i < IG_SURVEY_CACHED; i++) {
        free(s->cached[i].raw);
    }

    free(s->cached);
    ig_health_free(&s->health);
}


/* -- cached decisions ---------------------------------------------------- */


/* The event's place; where it has none, the oldest of some that it may take. */
static ig_survey_cached_t *
ig_survey_slot(ig_survey_t *s, ig_str_t event)
{
    size_t               i;
    uint32_t             hash;
    ig_survey_cached_t  *slot, *best;

    for (i = 0, hash = 2166136261u; i < event.len; i++) {
        hash = (hash ^ (unsigned char) event.data[i]) * 16777619u;
    }

    best = NULL;

    for (i = 0; i < IG_SURVEY_WAYS; i++) {
        slot = &s->cached[(hash + i) % IG_SURVEY_CACHED];

        if (memcmp(slot->event, event.data, sizeof(slot->event)) == 0) {
            return slot;
        }

        /* ids begin with their time */

        if (best == NULL
            || memcmp(slot->event, best->event, sizeof(slot->event)) < 0)
        {
            best = slot;
        }
    }

    return best;
}


static int
ig_survey_keep(ig_survey_t *s, const ig_audit_line_t *line)
{
    char                *raw;
    ig_survey_cached_t  *slot;

    if (line->event.len != sizeof(slot->event)
        || !ig_str_eq(line->evaluation, ig_str("cached")))
    {
        return IG_OK;
    }

    slot = ig_survey_slot(s, line->event);

    if (slot->room < line->raw.len) {
        raw = realloc(slot->raw, line->raw.len);

        if (raw == NULL) {
            return IG_NOMEM;
        }

        slot->raw = raw;
        slot->room = line->raw.len;
    }

    memcpy(slot->raw, line->raw.data, line->raw.len);
    memcpy(slot->event, line->event.data, sizeof(slot->event));
    slot->len = line->raw.len;

    return IG_OK;
}


/* `count` more calls like the one whose decision was kept. */
static int
ig_survey_repeat(ig_survey_t *s, const ig_audit_line_t *repeat)
{
    int                  rc;
    double               count;
    const char          *why;
    ig_audit_line_t      line;
    ig_survey_cached_t  *slot;

    if (!ig_audit_number(repeat, "count", &count) || !(count >= 1)
        || count > 1e15)
    {
        return IG_OK;
    }

    if (repeat->event.len != sizeof(slot->event)) {
        return IG_OK;
    }

    slot = ig_survey_slot(s, repeat->event);

    if (memcmp(slot->event, repeat->event.data, sizeof(slot->event)) != 0) {

        /* with a key, it is most likely another key's */
        s->repeats_unknown += s->key ? 0 : (uint64_t) count;
        return IG_OK;
    }

    if (ig_audit_parse((ig_str_t) { slot->len, slot->raw }, &line, &why)
        != IG_OK)
    {
        return IG_OK;
    }

    rc = s->call(s->ctx, &line, repeat->time, (uint64_t) count, true);
    ig_audit_free(&line);

    return rc;
}


/* -- lines --------------------------------------------------------------- */


static int
ig_survey_parsed(ig_survey_t *s, const ig_audit_line_t *line)
{
    int  rc;

    switch (line->kind) {

    case IG_AUDIT_DECISION:
        if (s->key && !ig_audit_filter_line(s->key, line)) {
            return IG_OK;
        }

        rc = ig_survey_keep(s, line);
        return rc == IG_OK ? s->call(s->ctx, line, line->time, 1, false) : rc;

    case IG_AUDIT_REPEAT:
        return ig_survey_repeat(s, line);

    case IG_AUDIT_LIST:
    case IG_AUDIT_KEY:
        return s->list && (!s->key || ig_audit_filter_line(s->key, line))
               ? s->list(s->ctx, line) : IG_OK;

    case IG_AUDIT_UNCLASSIFIED:
        return s->unclassified ? s->unclassified(s->ctx, line) : IG_OK;

    case IG_AUDIT_OUTCOME:
        return s->outcome ? s->outcome(s->ctx, line) : IG_OK;

    case IG_AUDIT_POLICY:
        return s->policy ? s->policy(s->ctx, line) : IG_OK;

    default:
        return IG_OK;
    }
}


/* Outcomes are half of a log: most need no parsing. */
static bool
ig_survey_wants_outcome(const ig_survey_t *s, ig_str_t raw)
{
    size_t       left;
    const char  *at;

    if (s->wants == NULL) {
        return false;
    }

    at = memmem(raw.data, raw.len, IG_SURVEY_EVENT,
                sizeof(IG_SURVEY_EVENT) - 1);
    if (at == NULL) {
        return false;
    }

    at += sizeof(IG_SURVEY_EVENT) - 1;
    left = (size_t) (raw.data + raw.len - at);

    return left >= 26 && s->wants(s->ctx, (ig_str_t) { 26, at });
}


/* By its bytes alone: whether the line is worth taking apart. */
static bool
ig_survey_wants(ig_survey_t *s, const ig_audit_entry_t *entry)
{
    int64_t          time;
    ig_audit_kind_e  kind;

    switch (entry->kind) {

    case IG_AUDIT_OUTCOME:
        return ig_survey_wants_outcome(s, entry->raw);

    case IG_AUDIT_DECISION:
    case IG_AUDIT_LIST:
    case IG_AUDIT_KEY:
        return s->key == NULL
               || ig_audit_filter_raw(s->key, entry->kind, entry->raw,
                                      ig_audit_head(entry->raw, &kind, &time));

    case IG_AUDIT_REPEAT:
    case IG_AUDIT_UNCLASSIFIED:
    case IG_AUDIT_POLICY:
        return true;

    default:
        return false;
    }
}


static int
ig_survey_entry(ig_survey_t *s, const ig_audit_entry_t *entry)
{
    int               rc;
    bool              inside;
    const char       *why;
    ig_audit_line_t   line;

    inside = entry->time >= s->since && entry->time < s->until;

    rc = ig_health_line(&s->health, entry, inside);

    /* policies in force at the beginning were written before */

    if (rc != IG_OK || (!inside && entry->kind != IG_AUDIT_POLICY)
        || !ig_survey_wants(s, entry))
    {
        return rc;
    }

    if (ig_audit_parse(entry->raw, &line, &why) != IG_OK) {
        s->health.damaged++;
        return IG_OK;
    }

    rc = ig_survey_parsed(s, &line);
    ig_audit_free(&line);

    return rc;
}


int
ig_survey_run(ig_survey_t *s, char **file, int nfiles)
{
    int                rc, end;
    ig_audit_log_t    *log;
    ig_audit_entry_t   entry;

    log = ig_audit_open(file, nfiles, NULL);

    if (log == NULL) {
        return IG_CTL_USAGE;
    }

    while ((rc = ig_audit_raw(log, &entry)) == IG_OK) {
        rc = ig_survey_entry(s, &entry);

        if (rc != IG_OK) {
            break;
        }
    }

    s->health.damaged += ig_audit_damaged(log);
    end = ig_audit_close(log);

    if (rc != IG_AGAIN) {
        return ig_ctl_error("no memory");
    }

    return end;
}
