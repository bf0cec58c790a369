/*
 * ig_ctl_log_source.c: files of the audit log as one stream in the order of
 * time.
 * Owns: the files, and the line that was parsed last.
 * Called by the desk's subcommands.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ig_ctl_log_file.h"
#include "ig_ctl_log_source.h"

struct ig_audit_log_s {
    ig_log_file_t      *file;
    unsigned            nfiles;
    int64_t             asleep;         /* the earliest first line of those */
    ig_audit_filter_t  *filter;
    ig_log_shared_t     shared;
    ig_audit_line_t     line;
    bool                parsed;
};


/* -- opening ------------------------------------------------------------- */


static int
ig_audit_open_files(ig_audit_log_t *log, char **file, int nfiles)
{
    int   i;
    bool  standard;

    standard = false;

    for (i = 0; i < nfiles; i++) {

        if (strcmp(file[i], "-") == 0) {
            if (standard) {
                (void) ig_ctl_error("the standard input is given twice");
                return IG_ERROR;
            }

            standard = true;
        }

        if (ig_log_file_open(&log->file[i], file[i]) != IG_OK) {
            return IG_ERROR;
        }

        log->nfiles++;
    }

    return IG_OK;
}


/* When the next sleeping file is due. */
static void
ig_audit_alarm(ig_audit_log_t *log)
{
    unsigned  i;

    log->asleep = INT64_MAX;

    for (i = 0; i < log->nfiles; i++) {
        if (log->file[i].state == IG_LOG_ASLEEP
            && log->file[i].first < log->asleep)
        {
            log->asleep = log->file[i].first;
        }
    }
}


ig_audit_log_t *
ig_audit_open(char **file, int nfiles, ig_audit_filter_t *filter)
{
    ig_audit_log_t  *log;

    log = calloc(1, sizeof(ig_audit_log_t));

    if (log != NULL) {
        log->file = calloc((size_t) nfiles + 1, sizeof(ig_log_file_t));
    }

    if (log == NULL || log->file == NULL) {
        (void) ig_ctl_error("no memory");
        free(log);
        return NULL;
    }

    log->filter = filter;
    log->shared.since = filter ? filter->since : INT64_MIN;
    log->shared.until = filter ? filter->until : INT64_MAX;

    if (ig_audit_open_files(log, file, nfiles) != IG_OK) {
        (void) ig_audit_close(log);
        return NULL;
    }

    ig_audit_alarm(log);

    return log;
}


void
ig_audit_limit(ig_audit_log_t *log, int i, uint64_t bytes)
{
    log->file[i].limit = bytes;
}


/* -- the order of time --------------------------------------------------- */


/* The file with the earliest line; NULL: none is awake and has one. */
static ig_log_file_t *
ig_audit_earliest(ig_audit_log_t *log, int64_t *earliest)
{
    int64_t         time;
    unsigned        i;
    ig_log_file_t  *f, *best;

    best = NULL;
    *earliest = INT64_MAX;

    for (i = 0; i < log->nfiles; i++) {
        f = &log->file[i];

        if (f->state != IG_LOG_AWAKE) {
            continue;
        }

        if (!ig_log_file_time(f, &time)) {
            ig_log_file_close(f, &log->shared);

        } else if (best == NULL || time < *earliest
                   || (time == *earliest && f->first < best->first))
        {
            best = f;
            *earliest = time;
        }
    }

    return best;
}


/* Wakes the files that may have something as early as this. */
static int
ig_audit_wake(ig_audit_log_t *log, int64_t time)
{
    unsigned        i;
    ig_log_file_t  *f;

    for (i = 0; i < log->nfiles; i++) {
        f = &log->file[i];

        if (f->state == IG_LOG_ASLEEP && f->first <= time
            && ig_log_file_wake(f, &log->shared) != IG_OK)
        {
            return IG_NOMEM;
        }
    }

    ig_audit_alarm(log);

    return IG_OK;
}


static int64_t
ig_audit_with_slack(int64_t time)
{
    return time > INT64_MAX - IG_LOG_SLACK ? INT64_MAX : time + IG_LOG_SLACK;
}


/* The file whose turn it is; NULL at the end, or where *rc is IG_NOMEM. */
static ig_log_file_t *
ig_audit_turn(ig_audit_log_t *log, int *rc)
{
    int64_t         time;
    ig_log_file_t  *f;

    for ( ;; ) {
        f = ig_audit_earliest(log, &time);

        if (log->asleep == INT64_MAX) {
            break;
        }

        if (f == NULL) {
            time = log->asleep;         /* nothing is earlier than those */
        }

        if (f != NULL && log->asleep > ig_audit_with_slack(time)) {
            break;
        }

        *rc = ig_audit_wake(log, ig_audit_with_slack(time));
        if (*rc != IG_OK) {
            return NULL;
        }
    }

    return f;
}


/* -- lines --------------------------------------------------------------- */


static int
ig_audit_take(ig_audit_log_t *log, ig_audit_entry_t *entry)
{
    int                   rc;
    ig_log_file_t        *f;
    const ig_log_slot_t  *slot;

    rc = IG_OK;
    f = ig_audit_turn(log, &rc);

    if (f == NULL) {
        return rc == IG_OK ? IG_AGAIN : rc;
    }

    rc = ig_log_file_take(f, &log->shared, &slot, &entry->time);

    if (rc != IG_OK) {
        (void) ig_ctl_error("no memory");
        return rc;
    }

    entry->raw.data = slot->data;
    entry->raw.len = slot->len;
    entry->kind = slot->kind;
    entry->file = f->read.name;
    entry->number = slot->number;
    entry->own = slot->own;

    return IG_OK;
}


/* false: it is damaged, and that was told. */
static bool
ig_audit_parse_entry(ig_audit_log_t *log, const ig_audit_entry_t *entry)
{
    const char  *why;

    if (ig_audit_parse(entry->raw, &log->line, &why) != IG_OK) {
        ig_log_damaged(&log->shared, entry->file, entry->number, why);
        return false;
    }

    log->parsed = true;
    log->line.file = entry->file;
    log->line.number = entry->number;

    return true;
}


int
ig_audit_raw(ig_audit_log_t *log, ig_audit_entry_t *entry)
{
    int  rc;

    for ( ;; ) {

        if (log->parsed) {
            ig_audit_free(&log->line);
            log->parsed = false;
        }

        rc = ig_audit_take(log, entry);

        if (rc != IG_OK || log->filter == NULL) {
            return rc;
        }

        if (!ig_audit_filter_raw(log->filter, entry->kind, entry->raw,
                                 entry->own))
        {
            continue;
        }

        if (!log->filter->asks || (entry->own && !log->filter->parses)) {
            return IG_OK;
        }

        if (ig_audit_parse_entry(log, entry)
            && ig_audit_filter_line(log->filter, &log->line))
        {
            return IG_OK;
        }
    }
}


int
ig_audit_line(ig_audit_log_t *log, const ig_audit_line_t **line)
{
    int               rc;
    ig_audit_entry_t  entry;

    do {
        rc = ig_audit_raw(log, &entry);

        if (rc != IG_OK) {
            return rc;
        }
    } while (!log->parsed && !ig_audit_parse_entry(log, &entry));

    *line = &log->line;

    return IG_OK;
}


uint64_t
ig_audit_lines(const ig_audit_log_t *log)
{
    return log->shared.lines;
}


uint64_t
ig_audit_damaged(const ig_audit_log_t *log)
{
    return log->shared.damaged;
}


int
ig_audit_close(ig_audit_log_t *log)
{
    bool      failed;
    unsigned  i;

    if (log->parsed) {
        ig_audit_free(&log->line);
    }

    for (i = 0; i < log->nfiles; i++) {
        ig_log_file_close(&log->file[i], &log->shared);
    }

    if (log->shared.damaged > 0) {
        (void) ig_ctl_error("%llu damaged line%s left out; \"integrityctl"
                            " verify\" tells more",
                            (unsigned long long) log->shared.damaged,
                            log->shared.damaged == 1 ? " was" : "s were");
    }

    failed = log->shared.failed;
    free(log->file);
    free(log);

    return failed ? IG_CTL_USAGE : IG_CTL_OK;
}
