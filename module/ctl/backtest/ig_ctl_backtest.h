/*
 * ig_ctl_backtest.h: what the files of `integrityctl backtest` share: events
 * in the order of their time, policies on trial, what they came to.
 * Owns nothing.  Included by ig_ctl_backtest*.c alone.
 */

#ifndef IG_CTL_BACKTEST_H
#define IG_CTL_BACKTEST_H

#include <stdio.h>
#include <zlib.h>

#include "ig_ctl.h"
#include "ig_ctl_check.h"
#include "ig_ctl_backtest_rank.h"
#include "ig_event.h"
#include "ig_json.h"
#include "ig_table.h"

#define IG_TRIALS     2         /* the policy, and a candidate */
#define IG_GROUP_BY   8         /* fields in --by */

#define IG_BACKTEST_LINE  (1024 * 1024)     /* longest line of events */

typedef struct {
    const char   *conf;
    const char   *candidate;    /* NULL: none */
    const char   *location;     /* NULL: http's settings */
    const char   *secret;       /* NULL: a fixed key */
    const char   *decisions;    /* NULL: not written */
    ig_str_t      action;       /* of events without one; may be empty */
    ig_str_t      label;        /* empty: none */
    ig_str_t      by[IG_GROUP_BY];
    unsigned      nby;
    ig_str_t      field[IG_MAX_FIELDS];
    unsigned      nfields;
    uint64_t      zone;         /* bytes */
    uint64_t      explain;      /* number of an event; 0: none */
    unsigned      examples;
    bool          warm;
    bool          strict;
    bool          json;
    char        **file;
    int           nfiles;
} ig_backtest_options_t;

/* ig_ctl_backtest_options.c: IG_CTL_OK, or IG_CTL_USAGE with the reason told.
 * o is zero; file points into argv, whose order changes. */
int ig_backtest_options(ig_backtest_options_t *o, int argc, char **argv);

/* As in integrity_zone, into o->zone; IG_OK or IG_ERROR. */
int ig_option_zone(ig_backtest_options_t *o, const char *value);

/* -- memory of one event (ig_ctl_backtest_arena.c) ----------------------- */

/* Blocks of ig_mem_t that all end with the event. */
#define IG_ARENA_SIZE  (256 * 1024)

typedef struct {
    ig_mem_t   mem;
    size_t     used;
    char      *block;
} ig_arena_t;

/* IG_OK or IG_NOMEM. */
int ig_arena_init(ig_arena_t *arena, ig_mem_t *mem);

/* -- events (ig_ctl_backtest_event.c) ------------------------------------ */

/* Why a line is no event.  BLANK and KIND are in order, the rest is not. */
typedef enum {
    IG_SKIP_NONE = 0,
    IG_SKIP_BLANK,
    IG_SKIP_KIND,               /* an audit line, but no decision */
    IG_SKIP_JSON,
    IG_SKIP_TIME,
    IG_SKIP_ACTION,
    IG_SKIP_FIELD,              /* an object where a value is expected */
    IG_SKIP_LONG,
    IG_SKIPS
} ig_skip_e;

const char *ig_skip_name(ig_skip_e skip);

typedef struct {
    const char       *file;
    uint64_t          line;
    int64_t           time;     /* ms */
    ig_str_t          action;   /* in the tree */
    bool              completed;
    bool              logged;   /* a line of the audit log; only then: */
    ig_str_t          id;       /* its own, or empty */
    ig_str_t          tenant;
    ig_decision_e     decision; /* IG_NO_DECISION: not known */
    ig_json_t        *json;     /* owned, see ig_event_close */
    const ig_json_t  *fields;   /* the tree, or its object "field" */
} ig_backtest_event_t;

/*
 * Reads one line.  SKIP_NONE: an event, to be freed by ig_event_free.  All
 * else: none, and *why is a sentence where something is wrong.
 */
ig_skip_e ig_backtest_event(ig_backtest_event_t *event, ig_str_t line,
    ig_str_t action, const char **why);
void ig_backtest_event_free(ig_backtest_event_t *event);

/* A member by name: among the fields, else of the whole line. */
ig_value_t ig_backtest_member(const ig_backtest_event_t *event, ig_str_t name,
    ig_mem_t *mem);

/* Whether a label's value is true: not 0, "", "0", "false", false. */
bool ig_backtest_is_true(const ig_value_t *value);

/* -- files (ig_ctl_backtest_source.c) ------------------------------------ */

/* One file of events while it is read. */
typedef struct {
    const char           *path;
    gzFile                gz;
    int                   fd;       /* what gz reads */
    char                 *block;
    size_t                room;
    size_t                start;    /* of what is not read yet */
    size_t                end;
    uint64_t              lines;
    bool                  eof;      /* of the file */
    bool                  ended;    /* no event is left */
    bool                  has;      /* event is the next one */
    ig_backtest_event_t   event;
} ig_stream_t;

/* All of them. */
typedef struct {
    const ig_backtest_options_t  *options;
    ig_stream_t                  *stream;
    unsigned                      nstreams;
    uint64_t                      skipped[IG_SKIPS];
    uint64_t                      told;         /* lines complained about */
    uint64_t                      events;
    uint64_t                      backwards;    /* earlier than one before */
    int64_t                       furthest;     /* ms, the worst of them */
    int64_t                       first;        /* time of the first event */
    int64_t                       latest;
    bool                          damaged;      /* a file could not be read
                                                   to its end */
} ig_source_files_t;

int ig_source_open(ig_source_files_t *s, const ig_backtest_options_t *options,
    ig_mem_t *mem);
void ig_source_close(ig_source_files_t *s);

/*
 * The next event of all files, the earliest first.  IG_OK; IG_AGAIN at the
 * end; IG_ERROR where a line is wrong and options are strict.
 */
int ig_source_next(ig_source_files_t *s, ig_backtest_event_t *event,
    ig_mem_t *mem);

/* A line is no event after all: told and counted as any other. */
int ig_source_refuse(ig_source_files_t *s, const ig_backtest_event_t *event,
    ig_skip_e skip, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* How much of the files was read, 0 to 1; -1: cannot be told. */
double ig_source_progress(const ig_source_files_t *s);

/* -- how far it is (ig_ctl_backtest_progress.c) -------------------------- */

typedef struct {
    bool     draws;                     /* stderr is a terminal */
    int64_t  started;                   /* monotonic, ms */
    int64_t  drawn;
} ig_progress_t;

int64_t ig_progress_now(void);          /* monotonic, ms */
void ig_progress_begin(ig_progress_t *p);
void ig_progress_source(ig_progress_t *p, const ig_source_files_t *source);
/* part: 0 to 1; less: not known. */
void ig_progress_draw(ig_progress_t *p, double part, uint64_t n,
    const char *what);
void ig_progress_end(ig_progress_t *p);

/* -- a policy on trial (ig_ctl_backtest_policy.c, _run.c) ---------------- */

typedef struct {
    const char    *path;
    ig_mem_t      *mem;
    ig_check_t     conf;
    ig_policy_t   *policy;
    ig_place_t     place;
    double         threshold[IG_MAX_THRESHOLDS];
    uint8_t        except[IG_MAX_RULES];
    bool           dry_run;         /* the place's; decisions are as without */
    ig_secret_t   *secret;
    ig_str_t       tenant;          /* of events that name none; or empty */

    /* told of what was written after the decision; NULL: nobody */
    void         (*wrote)(void *ctx, const ig_op_t *op, unsigned nops);
    void          *wrote_ctx;

    ig_table_t    *table;
    void          *memory;          /* of the table, from malloc */
    uint8_t        known[IG_MAX_COUNTERS];
    unsigned       nwarm;           /* how many of them */
    bool           begun;
    int64_t        since;           /* ms: the first event */

    ig_plan_t    **plan;            /* of actions met so far */
    unsigned       nplans;
    void          *block;           /* of the call */
    size_t         block_size;

    const ig_plan_t  *current;      /* plan of the event, or NULL */
    ig_call_t        *call;         /* NULL: the event is unclassified */
    ig_op_t           op[IG_MAX_OPS];
    unsigned          nops;
    ig_op_t           out[IG_MAX_OPS];
} ig_trial_t;

/* IG_CTL_OK, or an exit code with the reason told. */
int ig_trial_open(ig_trial_t *t, const char *path,
    const ig_backtest_options_t *options, ig_secret_t *secret, ig_mem_t *mem);
void ig_trial_close(ig_trial_t *t);

/*
 * Sets the fields of an event, number `n` of all.  IG_OK, IG_NOMEM, or
 * IG_ERROR with the name of the field that has no value it could have.
 */
int ig_trial_begin(ig_trial_t *t, const ig_backtest_event_t *event,
    uint64_t n, ig_arena_t *arena, ig_str_t *field);

/* Counts and decides. */
void ig_trial_decide(ig_trial_t *t, bool warm);

/* What is written after the decision, and at the end of a call that passed. */
void ig_trial_settle(ig_trial_t *t, const ig_backtest_event_t *event,
    ig_arena_t *arena);

/* Of the event: allow and 0 where it is unclassified. */
ig_decision_e ig_trial_decision(const ig_trial_t *t);
int ig_trial_score(const ig_trial_t *t);

/* -- what it came to (ig_ctl_backtest_tally.c) --------------------------- */

/* TRUTH_NONE: without a label, or it is missing. */
typedef enum {
    IG_TRUTH_NO = 0,
    IG_TRUTH_YES,
    IG_TRUTH_NONE,
    IG_TRUTHS
} ig_truth_e;

typedef struct {
    uint64_t  fired;
    uint64_t  alone;                    /* no other rule fired */
    uint64_t  on_error;
    uint64_t  unknown;                  /* evaluated to unknown */
    uint64_t  decision[IG_DECISIONS];   /* of events where it fired */
    uint64_t  truth[IG_TRUTHS];         /* of those */
} ig_rule_tally_t;

/* Over events, or over groups (fired, decision and truth of a rule only). */
typedef struct {
    const ig_trial_t  *trial;
    uint64_t           n;
    uint64_t           unclassified;
    uint64_t           decision[IG_DECISIONS];
    uint64_t           would[IG_DECISIONS];     /* with dry-run rules */
    uint64_t           truth[IG_TRUTHS];
    uint64_t           held[IG_TRUTHS];         /* hold or stronger */
    ig_rank_t          rank;
    ig_rule_tally_t    rule[IG_MAX_RULES];
} ig_tally_t;

/* Both: IG_OK or IG_NOMEM.  fired: a byte per rule id. */
int ig_tally_event(ig_tally_t *tally, ig_truth_e truth, uint8_t *fired);
int ig_tally_group(ig_tally_t *tally, ig_truth_e truth, ig_decision_e decision,
    int score, const uint8_t *bits);

ig_match_t ig_tally_match(const ig_tally_t *tally);
ig_match_t ig_tally_rule_match(const ig_tally_t *tally, unsigned rule);

/* -- groups (ig_ctl_backtest_group.c) ------------------------------------ */

/* Of one trial: the worst of its events. */
typedef struct {
    uint8_t   decision;
    int       score;
    uint8_t  *bits;                     /* rules that fired, by id */
} ig_group_result_t;

typedef struct ig_group_s  ig_group_t;

struct ig_group_s {
    uint64_t            hash;
    ig_group_t         *next;           /* in its bucket */
    ig_str_t            key;            /* JSON array of the values */
    ig_truth_e          truth;          /* YES where any event is */
    uint64_t            events;
    ig_group_result_t   result[IG_TRIALS];
};

typedef struct {
    ig_mem_t      *mem;
    ig_group_t   **bucket;
    unsigned       nbuckets;            /* a power of two */
    ig_group_t   **all;                 /* in order of appearance */
    unsigned       n;
    unsigned       room;
    uint64_t       without;             /* events that lack a value */
} ig_groups_t;

/*
 * Adds an event to its group; fired[i] is of trial i.  IG_OK or IG_NOMEM.
 */
int ig_groups_add(ig_groups_t *g, const ig_backtest_options_t *options,
    const ig_backtest_event_t *event, ig_truth_e truth,
    ig_trial_t *const *trial, uint8_t (*fired)[IG_MAX_RULES],
    unsigned ntrials, ig_mem_t *scratch);

/* -- two policies side by side (ig_ctl_backtest_compare.c) --------------- */

typedef enum {
    IG_CHANGE_HELD = 0,         /* passed, and would be held or worse */
    IG_CHANGE_PASSED,           /* was held or worse, and would pass */
    IG_CHANGES
} ig_change_e;

typedef struct ig_example_s  ig_example_t;

struct ig_example_s {
    uint64_t        number;             /* of the event; groups: 0 */
    const char     *file;
    uint64_t        line;
    int64_t         time;
    ig_str_t        what;               /* JSON: fields, or a group's key */
    ig_truth_e      truth;
    ig_decision_e   decision[IG_TRIALS];
    int             score[IG_TRIALS];
    ig_str_t        rules[IG_TRIALS];   /* names, comma-separated */
    ig_example_t   *next;
};

typedef struct {
    uint64_t        n;
    uint64_t        truth[IG_TRUTHS];
    ig_example_t   *first;
    ig_example_t  **last;
    unsigned        nexamples;
} ig_change_t;

typedef struct {
    uint64_t     cross[IG_DECISIONS][IG_DECISIONS];     /* [before][after] */
    ig_change_t  change[IG_CHANGES];
} ig_compare_t;

void ig_compare_init(ig_compare_t *c);

/* An example that there is no memory for is left out. */
void ig_compare_event(ig_compare_t *c, const ig_backtest_options_t *options,
    const ig_backtest_event_t *event, uint64_t number, ig_truth_e truth,
    ig_trial_t *const *trial, ig_mem_t *mem);
void ig_compare_group(ig_compare_t *c, const ig_backtest_options_t *options,
    const ig_group_t *group, ig_trial_t *const *trial, ig_mem_t *mem);

/* -- the whole run, and what is said of it ------------------------------- */

typedef struct {
    ig_backtest_options_t   options;
    ig_mem_t               *mem;
    ig_arena_t              arena;
    ig_secret_t             secret;
    ig_source_files_t       source;
    ig_trial_t             *trial[IG_TRIALS];
    unsigned                ntrials;
    ig_tally_t             *tally[IG_TRIALS];
    ig_tally_t             *group_tally[IG_TRIALS];
    ig_groups_t             groups;
    ig_compare_t            compare;
    ig_compare_t            group_compare;
    uint8_t                 fired[IG_TRIALS][IG_MAX_RULES];
    FILE                   *decisions;
    bool                    explained;
    ig_progress_t           progress;
} ig_backtest_t;

/* ig_ctl_backtest_explain.c: the event under way, in sentences. */
void ig_backtest_explain(const ig_backtest_t *b,
    const ig_backtest_event_t *event);

/* ig_ctl_backtest_text.c, _json.c */
void ig_backtest_report(const ig_backtest_t *b);
void ig_backtest_report_json(const ig_backtest_t *b);

/* -- ig_ctl_backtest_write.c --------------------------------------------- */

/* A string with quotes, a time of ms, a number; as JSON has them. */
void ig_write_string(FILE *out, ig_str_t s);
void ig_write_time(FILE *out, int64_t ms);
void ig_write_number(FILE *out, double n);

/* A value as JSON; of a field also a set. */
void ig_write_value(ig_buf_t *b, const ig_value_t *value);
void ig_write_field(ig_buf_t *b, const ig_call_t *call, unsigned field);

/* The fields of the trial's call as a JSON object, in mem. */
ig_str_t ig_write_fields(const ig_trial_t *trial, ig_mem_t *mem);

#endif /* IG_CTL_BACKTEST_H */
