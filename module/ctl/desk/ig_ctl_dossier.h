/*
 * ig_ctl_dossier.h: the integrity record of one key: what its calls were, what
 * was decided and why, what it was sanctioned for, whom it is linked with.
 * Owns: the record's tables and copies, from init to free.
 * Included by ig_ctl_dossier*.c alone.
 */

#ifndef IG_CTL_DOSSIER_H
#define IG_CTL_DOSSIER_H

#include "ig_ctl_survey.h"

#define IG_DOSSIER_EVENTS     20        /* shown, unless --events says */
#define IG_DOSSIER_MOST       1000
#define IG_DOSSIER_SANCTIONS  256       /* the latest ones */
#define IG_DOSSIER_ROWS       30        /* of them, on the page */
#define IG_DOSSIER_NAMES      512       /* actions; rules; lists */
#define IG_DOSSIER_LINKS      32768     /* other keys */
#define IG_DOSSIER_SHOWN      10        /* of them, per field */
#define IG_DOSSIER_JSON       100
#define IG_DOSSIER_SPANS      8         /* in the plot, the latest */

/* A call that was held, throttled or denied, or would have been. */
typedef struct {
    int64_t        time;
    char           event[26];
    ig_decision_e  decision;
    ig_decision_e  would;
    int64_t        score;
    uint64_t       repeats;
    unsigned       status;          /* 0: not told */
    unsigned       upstream;
    char          *text;            /* action, then rules with commas */
    size_t         action_len;
} ig_dossier_event_t;

typedef enum {
    IG_DONE_ADD = 0,                /* put on a list */
    IG_DONE_REMOVE,
    IG_DONE_INSPECT,                /* counters were looked at */
    IG_DONE_RESET                   /* counters were forgotten */
} ig_dossier_done_e;

/* A change of a list by a person or a rule, or what a person did else. */
typedef struct {
    int64_t   time;
    int64_t   until;                /* 0: removed, or not told */
    int64_t   ended;                /* by a later removal; 0: was not */
    char      event[26];
    ig_dossier_done_e  done;
    bool      failed;
    bool      by_rule;
    bool      sure;                 /* the list's key is the record's field */
    ig_str_t  list;                 /* or counters; all in one block */
    ig_str_t  reason;               /* a rule: its name */
    ig_str_t  by;
} ig_dossier_sanction_t;

/* integrity_list NAME key=...; as policies in the log say it. */
typedef struct {
    char  name[65];
    char  key[320];
} ig_dossier_list_t;

typedef struct {
    /* options */
    ig_str_t                field;
    ig_str_t                value;
    const ig_audit_filter_t *key;
    ig_zone_t               zone;
    unsigned                wanted;     /* events */

    /* the record */
    uint64_t                n[IG_BIN_KINDS];
    int64_t                 first;      /* 0: never seen */
    int64_t                 last;
    ig_bins_t               bins;
    ig_top_t                action;
    ig_top_t                rule;
    ig_top_t                on_list;    /* calls while on a list */
    ig_top_t                link;
    ig_top_t                policy;     /* hashes of policies */
    ig_quality_t            quality;
    ig_dossier_event_t     *event;      /* a ring, [wanted + 1] */
    uint64_t                nevents;
    ig_dossier_sanction_t   sanction[IG_DOSSIER_SANCTIONS];
    uint64_t                nsanctions;
    ig_dossier_list_t       list[64];
    unsigned                nlists;
} ig_dossier_t;

int ig_dossier_init(ig_dossier_t *d, unsigned wanted);
void ig_dossier_free(ig_dossier_t *d);

/* For ig_survey_t; ctx is the record. */
int ig_dossier_call(void *ctx, const ig_audit_line_t *line, int64_t time,
    uint64_t n, bool repeat);
int ig_dossier_change(void *ctx, const ig_audit_line_t *line);
int ig_dossier_policy(void *ctx, const ig_audit_line_t *line);
bool ig_dossier_wants(void *ctx, ig_str_t event);
int ig_dossier_outcome(void *ctx, const ig_audit_line_t *line);

/* Calls in all, and those held, throttled or denied. */
uint64_t ig_dossier_calls(const ig_dossier_t *d);
uint64_t ig_dossier_stronger(const ig_dossier_t *d);

/* Kept ones, from the latest (0) on; NULL: there is none. */
const ig_dossier_event_t *ig_dossier_event(const ig_dossier_t *d, unsigned i);
const ig_dossier_sanction_t *ig_dossier_sanction(const ig_dossier_t *d,
    unsigned i);

/* Whether a list's key is, or may be, the record's field. */
typedef enum {
    IG_LIST_OTHER = 0,
    IG_LIST_MAYBE,
    IG_LIST_OWN
} ig_dossier_own_e;

ig_dossier_own_e ig_dossier_owns(const ig_dossier_t *d, ig_str_t list);

/* Adds what a rule or a person did to a list; ig_ctl_dossier_list.c. */
int ig_dossier_added(ig_dossier_t *d, const ig_audit_line_t *line,
    const ig_audit_rules_t *rule);

/* After ig_dossier_sort, which is called once. */
void ig_dossier_sort(ig_dossier_t *d);
void ig_dossier_page(ig_page_t *page, ig_dossier_t *d, const ig_survey_t *s);
void ig_dossier_json(FILE *out, const ig_dossier_t *d, const ig_survey_t *s);

/* Sections of the page that are files of their own. */
void ig_dossier_page_sanctions(ig_page_t *page, const ig_dossier_t *d,
    const ig_survey_t *s);
void ig_dossier_page_events(ig_page_t *page, const ig_dossier_t *d);
void ig_dossier_page_links(ig_page_t *page, const ig_dossier_t *d);

#endif /* IG_CTL_DOSSIER_H */
