/*
 * ig_ctl_report.h: a day, a week, or any other period of the log: how much,
 * what was decided, by which rules, about whom, against the period before.
 * Owns: the report's tables, from init to free.
 * Included by ig_ctl_report*.c alone.
 */

#ifndef IG_CTL_REPORT_H
#define IG_CTL_REPORT_H

#include "ig_ctl_survey.h"

#define IG_REPORT_NAMES    1024         /* actions; rules; lists */
#define IG_REPORT_KEYS     65536
#define IG_REPORT_SHOWN    10           /* keys per field, rules in the plot */
#define IG_REPORT_CHANGES  100          /* of lists, the latest */
#define IG_REPORT_FIELDS   16           /* of --by */
#define IG_REPORT_PLACES   20           /* that named no action, shown */
#define IG_REPORT_PLACE    2048         /* bytes of a method and a path */

/* A person's change of a list. */
typedef struct {
    int64_t   time;
    bool      remove;
    bool      failed;
    char      event[26];
    ig_str_t  list;                     /* all in one block, list first */
    ig_str_t  reason;
    ig_str_t  by;
} ig_report_change_t;

typedef struct {
    /* what is asked for */
    int64_t              since;         /* ms since epoch */
    int64_t              until;
    int64_t              before;        /* when the period before begins */
    ig_zone_t            zone;
    ig_str_t             by[IG_REPORT_FIELDS];
    unsigned             nby;           /* 0: all fields that hold names */

    /* what was found */
    uint64_t             n[IG_BIN_KINDS];
    uint64_t             n_before[IG_BIN_KINDS];
    ig_bins_t            bins;
    ig_bins_t            bins_before;
    ig_top_t             action;
    ig_top_t             rule;
    ig_top_t             key;           /* weight: stronger decisions */
    ig_top_t             added;         /* lists that rules put keys on */
    ig_top_t             unclassified;  /* by method and place */
    uint64_t             unclassified_before;
    ig_quality_t         quality;
    ig_report_change_t   change[IG_REPORT_CHANGES];
    uint64_t             nchanges;
    uint64_t             looked;        /* people at a key's counters */
    uint64_t             forgotten;     /* of these: counters reset */
} ig_report_t;

/* since, until, zone are set after it. */
int ig_report_init(ig_report_t *r);
void ig_report_free(ig_report_t *r);

/* The bins and the period before, when since and until are known. */
void ig_report_period(ig_report_t *r);

/* For ig_survey_t; ctx is the report. */
int ig_report_call(void *ctx, const ig_audit_line_t *line, int64_t time,
    uint64_t n, bool repeat);
int ig_report_change(void *ctx, const ig_audit_line_t *line);
int ig_report_unclassified(void *ctx, const ig_audit_line_t *line);

uint64_t ig_report_calls(const uint64_t n[IG_BIN_KINDS]);

/* Kept changes, from the latest (0) on; NULL: there is none. */
const ig_report_change_t *ig_report_changed(const ig_report_t *r, unsigned i);

/* Whether the log reaches back to where the period before begins. */
bool ig_report_compares(const ig_report_t *r, const ig_survey_t *s);

/* After ig_report_sort, which is called once. */
void ig_report_sort(ig_report_t *r);
void ig_report_page(ig_page_t *page, ig_report_t *r, const ig_survey_t *s);
void ig_report_json(FILE *out, const ig_report_t *r, const ig_survey_t *s);

/* Sections of the page that are a file of their own. */
void ig_report_page_keys(ig_page_t *page, const ig_report_t *r);
void ig_report_page_lists(ig_page_t *page, const ig_report_t *r);
void ig_report_page_unclassified(ig_page_t *page, const ig_report_t *r,
    bool compares);

#endif /* IG_CTL_REPORT_H */
