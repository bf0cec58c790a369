/*
 * ig_ctl_recall.h: what the files of `integrityctl recall` share: the accepted
 * events of one key, and which of them a rule that fired speaks of.
 * Owns: the events.  Included by ig_ctl_recall*.c.
 */

#ifndef IG_CTL_RECALL_H
#define IG_CTL_RECALL_H

#include "ig_ctl_log_source.h"
#include "ig_ctl_past.h"

typedef struct ig_recall_event_s  ig_recall_event_t;

struct ig_recall_event_s {
    ig_audit_line_t     line;
    unsigned            status;     /* of its outcome; 0: not told */
    ig_str_t            fired;      /* the event the rule fired at; empty: it
                                       is not to be taken back */
    bool                itself;     /* the rule fired at this one */
    ig_recall_event_t  *bucket;
    ig_recall_event_t  *before;
};

#define IG_RECALL_BUCKETS  1024

typedef struct {
    ig_str_t            rule;
    int64_t             since;      /* when it fired */
    int64_t             until;
    int64_t             window;     /* ms; 0: those of the rule's counters */
    bool                dry_run;    /* also where it fired without effect */
    bool                json;
    ig_audit_filter_t   key;
    ig_past_t           past;
    ig_ctl_memory_t     memory;
    ig_recall_event_t  *last;
    ig_recall_event_t  *bucket[IG_RECALL_BUCKETS];
    uint64_t            nfired;
    uint64_t            nblind;     /* fired, but its windows are not known */
    uint32_t            noted[IG_MAX_COUNTERS / 32];
} ig_recall_t;

/* Reads the files.  An exit code. */
int ig_recall_read(ig_recall_t *r, char **file, int nfiles);

/* Marks what is to be taken back, now that the rule fired at `line`. */
void ig_recall_fired(ig_recall_t *r, const ig_audit_line_t *line,
    ig_str_t event);

#endif /* IG_CTL_RECALL_H */
