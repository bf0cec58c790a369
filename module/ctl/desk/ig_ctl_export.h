/*
 * ig_ctl_export.h: what the files of `integrityctl export` share: decisions
 * with their outcomes.
 * Owns: the decisions that wait.  Included by ig_ctl_export*.c.
 */

#ifndef IG_CTL_EXPORT_H
#define IG_CTL_EXPORT_H

#include "ig_ctl_log_source.h"

#define IG_EXPORT_COLUMNS  64

/* A decision, and what its outcome says; has_outcome: there is one. */
typedef struct {
    ig_audit_line_t  line;
    bool             has_outcome;
    bool             aborted;
    unsigned         status;
    unsigned         upstream;      /* 0: none was asked */
    double           duration;      /* ms */
} ig_export_call_t;

typedef struct {
    const char         *format;
    const char         *actor;      /* --actor: the field that is the user */
    const char         *source;     /* --source: that of the endpoint */
    const char         *column[IG_EXPORT_COLUMNS];
    unsigned            ncolumns;   /* --column: field.NAME, counter.NAME */
    ig_audit_filter_t   filter;
} ig_export_t;

/* One OCSF event, a line. */
void ig_export_ocsf(const ig_export_t *x, const ig_export_call_t *call);

void ig_export_csv_header(const ig_export_t *x);
void ig_export_csv(const ig_export_t *x, const ig_export_call_t *call);

#endif /* IG_CTL_EXPORT_H */
