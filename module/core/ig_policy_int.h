/*
 * ig_policy_int.h: what the files that build a policy share, and nobody else:
 * a directive's line while it is read, and definitions before their names are
 * resolved.
 * Owns: the build state, in the policy's memory.  Borrows the directive's
 * arguments.  Included by ig_policy*.c, ig_plan*.c and ig_actions.c.
 */

#ifndef IG_POLICY_INT_H
#define IG_POLICY_INT_H

#include "ig_policy.h"
#include "ig_buf.h"

#define IG_MAX_SOURCES   256    /* lines of integrity_field in all */
#define IG_MAX_SCORE     1000000
#define IG_MAX_LOG       65536  /* max= of exact and distinct */
#define IG_DEFAULT_LOG   1024
#define IG_MIN_WINDOW    1000               /* ms: 1s */
#define IG_MAX_WINDOW    315360000000       /* ms: 10y */

/* -- a directive's line (ig_policy_line.c) ------------------------------- */

/* Lives while one directive is read; args[0] is the directive's name. */
typedef struct {
    ig_policy_t     *policy;
    const ig_str_t  *args;
    unsigned         nargs;
    ig_pos_t         pos;
    ig_error_t      *err;
} ig_line_t;

/* Takes one parameter; value is empty for a parameter without "=". */
typedef int (*ig_param_pt)(ig_line_t *line, void *item, ig_str_t value);

typedef struct {
    ig_str_t     name;          /* without "=" */
    bool         has_value;
    ig_param_pt  set;
} ig_param_t;

/* An error about the line, "<directive>: ..."; always IG_ERROR. */
int ig_line_error(ig_line_t *line, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * Reads args[from ...] by a table of at most 32 parameters.  Refuses what is
 * not in it, what is given twice, what lacks its value or has one too many,
 * and a quote after "=".
 */
int ig_line_params(ig_line_t *line, unsigned from, const ig_param_t *table,
    unsigned n, void *item);

/* One of n words; `which` is its index. */
int ig_line_choice(ig_line_t *line, const char *param, ig_str_t value,
    const ig_str_t *word, unsigned n, unsigned *which);

/* A decision's name. */
int ig_line_decision(ig_line_t *line, const char *param, ig_str_t value,
    ig_decision_e *decision);

/* A whole number, min to max. */
int ig_line_integer(ig_line_t *line, const char *param, ig_str_t value,
    int min, int max, int *n);

/* Refuses what is no name. */
int ig_line_name(ig_line_t *line, ig_str_t name);

/*
 * The same for the namespace that fields, counters and thresholds share:
 * also refuses words of the expression language, and what is already the
 * name of something else than `kind`.
 */
int ig_line_claim(ig_line_t *line, ig_str_t name, ig_name_kind_e kind);

/* on=; decision.hold, _throttle and _deny only where `decisions`. */
int ig_line_actions(ig_line_t *line, ig_str_t value, bool decisions,
    ig_actions_t *on);

/* "FILE:LINE" for a message; the result points into text. */
#define IG_POS_TEXT  200
const char *ig_pos_text(ig_pos_t pos, char text[IG_POS_TEXT]);

/* -- definitions before they are resolved -------------------------------- */

/*
 * Of one name the first definition is published in the policy; repetitions
 * wait in a list until they can be compared with it: canonical text is known
 * only when names and expressions are.
 */

typedef struct ig_counter_draft_s  ig_counter_draft_t;

struct ig_counter_draft_s {
    ig_counter_t         counter;       /* what the policy points at */
    ig_str_t             key[IG_MAX_KEY];
    ig_str_t             value;         /* name of distinct=, sum=, mean= */
    ig_str_t             similar;
    ig_str_t             cond;          /* text of if= */
    ig_str_t             kind;          /* the parameter that set the kind */
    bool                 exact;
    ig_str_t             line;          /* canonical */
    ig_counter_draft_t  *first;         /* repetitions: of what */
    ig_counter_draft_t  *next;
};

typedef struct ig_rule_draft_s  ig_rule_draft_t;

struct ig_rule_draft_s {
    ig_rule_t         rule;
    ig_str_t          expr;
    ig_str_t          add;              /* name of add= */
    ig_str_t          line;
    ig_rule_draft_t  *first;
    ig_rule_draft_t  *next;
};

/* A threshold's two values: the stronger one is published. */
typedef struct {
    ig_threshold_t  threshold;
    bool            has[2];             /* [1]: of `default` lines */
    double          value[2];
    ig_pos_t        pos[2];
} ig_threshold_draft_t;

typedef void (*ig_report_pt)(void *ctx, const ig_error_t *err);

typedef struct ig_policy_build_s {
    ig_str_t            *action;        /* literal names, each once */
    unsigned             nactions;
    ig_counter_draft_t  *counter_again;
    ig_rule_draft_t     *rule_again;
    bool                 has_scores[2]; /* [1]: of `default` lines */
    int                  scores[2][IG_DECISIONS];
    ig_pos_t             scores_pos[2];
    bool                 has_zone;
    ig_pos_t             zone_pos;
    bool                 finished;

    ig_report_pt         report;        /* while finishing */
    void                *report_ctx;
    bool                 failed;
} ig_policy_build_t;

/* -- directives, one file each ------------------------------------------- */

int ig_policy_field_line(ig_line_t *line);
int ig_policy_counter_line(ig_line_t *line);
int ig_policy_list_line(ig_line_t *line);
int ig_policy_rule_line(ig_line_t *line);
int ig_policy_threshold_line(ig_line_t *line);
int ig_policy_scores_line(ig_line_t *line);
int ig_policy_zone_line(ig_line_t *line);

/* What counters and lists have in common: key=, and their place. */
int ig_policy_counter_key(ig_line_t *line, void *draft, ig_str_t value);
int ig_policy_counter_add(ig_line_t *line, ig_counter_draft_t *d);

/* "integrity_counter" or "integrity_list"; "counter" or "list". */
const char *ig_counter_directive(const ig_counter_t *c);
const char *ig_counter_noun(const ig_counter_t *c);

/* args[2] of integrity_field: sets kind, text, tokens, star and late. */
int ig_policy_source(ig_line_t *line, ig_source_t *source);

/*
 * Room for one more element in an array of n that only this function grows.
 * NULL: no memory; the old array stays as it is.
 */
void *ig_policy_grow(ig_mem_t *mem, void *array, unsigned n, size_t size);

/* Byte order: below, at or above 0. */
int ig_name_compare(ig_str_t a, ig_str_t b);

/* What a name of the shared namespace stands for, and where it is defined. */
bool ig_policy_lookup(const ig_policy_t *p, ig_str_t text, ig_name_t *name,
    ig_pos_t *pos);

/* -- resolving (ig_policy_resolve.c) ------------------------------------- */

/* Reports a mistake found when all lines are known: "<directive>: ...". */
void ig_policy_report(ig_policy_t *p, const char *directive, ig_pos_t pos,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/*
 * Fields of key and value, then what if= and the rule's expression read.
 * Mistakes are reported; IG_OK or IG_NOMEM.
 */
int ig_policy_resolve_counter(ig_policy_t *p, ig_counter_draft_t *d);
int ig_policy_resolve_cond(ig_policy_t *p, ig_counter_draft_t *d);
int ig_policy_resolve_rule(ig_policy_t *p, ig_rule_draft_t *d);

/* -- canonical text (ig_policy_text.c) ----------------------------------- */

/* Set draft->line.  IG_OK or IG_NOMEM. */
int ig_policy_counter_text(ig_policy_t *p, ig_counter_draft_t *d);
int ig_policy_rule_text(ig_policy_t *p, ig_rule_draft_t *d);

/* Sets p->text and p->hash; lines of counters and rules are made before. */
int ig_policy_text(ig_policy_t *p);

/* -- actions (ig_actions.c) ---------------------------------------------- */

bool ig_action_is_decision(ig_str_t action);
bool ig_actions_have_decision(const ig_actions_t *on);

/* Whether `on` matches all, or some, of the actions `other` matches. */
bool ig_actions_cover(const ig_actions_t *on, const ig_actions_t *other);
bool ig_actions_overlap(const ig_actions_t *on, const ig_actions_t *other);

bool ig_actions_equal(const ig_actions_t *a, const ig_actions_t *b);

/* As on= takes them, sorted. */
void ig_actions_text(ig_buf_t *b, const ig_actions_t *on);

/* -- plans (ig_plan.c, ig_plan_limit.c) ---------------------------------- */

/* Sets plan->limit.  IG_OK or IG_NOMEM. */
int ig_plan_limits(const ig_policy_t *p, ig_plan_t *plan, ig_mem_t *mem);

/* Whether a field may be a set in calls of this plan. */
bool ig_plan_is_set(const ig_plan_t *plan, unsigned field);

#endif /* IG_POLICY_INT_H */
