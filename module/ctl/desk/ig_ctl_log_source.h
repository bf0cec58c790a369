/*
 * ig_ctl_log_source.h: files of the audit log, of several nodes and rotations,
 * plain or gzip, as one stream in the order of time.
 * Owns: open files and the lines that wait.  Included by the desk.
 *
 *   log = ig_audit_open(file, nfiles, &filter);
 *   while ((rc = ig_audit_line(log, &line)) == IG_OK) { ... }
 *   rc = ig_audit_close(log);
 *
 * Memory does not grow with the log: a file holds the lines of its last
 * moments alone, and files whose time has not come are closed again.
 */

#ifndef IG_CTL_LOG_SOURCE_H
#define IG_CTL_LOG_SOURCE_H

#include "ig_ctl_line.h"
#include "ig_ctl_log_filter.h"

typedef struct ig_audit_log_s  ig_audit_log_t;

/* A line that passed the filter. */
typedef struct {
    ig_str_t         raw;       /* as it is in the file, without newline */
    ig_audit_kind_e  kind;
    int64_t          time;      /* ms since the epoch */
    const char      *file;      /* or "standard input" */
    uint64_t         number;    /* of the line, from 1 */
    bool             own;       /* ig_audit_prefix can read it */
} ig_audit_entry_t;

/*
 * "-" is the standard input, and may be given once.  filter outlives the log;
 * NULL: all lines.  NULL where a file cannot be opened: told.
 */
ig_audit_log_t *ig_audit_open(char **file, int nfiles,
    ig_audit_filter_t *filter);

/* Nothing of file i beyond its first `bytes` bytes is read. */
void ig_audit_limit(ig_audit_log_t *log, int i, uint64_t bytes);

/*
 * The next line that passes the filter, parsed only as far as the filter needs
 * it.  Valid until the next call.  IG_OK; IG_AGAIN at the end; IG_NOMEM.
 */
int ig_audit_raw(ig_audit_log_t *log, ig_audit_entry_t *entry);

/*
 * The same, parsed.  Lines that are damaged are told, counted and left out.
 */
int ig_audit_line(ig_audit_log_t *log, const ig_audit_line_t **line);

/* Lines read (blank ones are none), and those of them that are damaged. */
uint64_t ig_audit_lines(const ig_audit_log_t *log);
uint64_t ig_audit_damaged(const ig_audit_log_t *log);

/*
 * Frees all, and tells how many lines were damaged.  IG_CTL_OK, or
 * IG_CTL_USAGE where a file could not be read to its end (told when it was).
 */
int ig_audit_close(ig_audit_log_t *log);

#endif /* IG_CTL_LOG_SOURCE_H */
