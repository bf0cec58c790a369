/*
 * ig_policy.h: fields, counters, thresholds, rules, scores, and the plan per
 * action made of them.  Built once from directives, then read only.
 * Owns: everything reachable from ig_policy_t, in the memory of its ig_mem_t.
 * Called by nginx's directives and integrityctl (build), the call (read).
 */

#ifndef IG_POLICY_H
#define IG_POLICY_H

#include "ig_expr.h"

#define IG_MAX_FIELDS      64
#define IG_MAX_COUNTERS    256
#define IG_MAX_RULES       256
#define IG_MAX_THRESHOLDS  256
#define IG_MAX_KEY         8        /* fields in one counter's key */
#define IG_MAX_MEMBERS     64       /* elements of a set field */
#define IG_MAX_OPS         256      /* operations of one call */

typedef enum {
    IG_ALLOW = 0,
    IG_HOLD,
    IG_THROTTLE,
    IG_DENY,
    IG_DECISIONS,
    IG_NO_DECISION = IG_DECISIONS
} ig_decision_e;

/* "allow", "hold", "throttle", "deny". */
ig_str_t ig_decision_name(ig_decision_e d);

/* on=: names, "prefix.*" and "*", comma-separated. */
typedef struct {
    ig_str_t   *item;           /* wildcards without their '*' */
    bool       *wildcard;
    unsigned    nitems;         /* 0: the default, as "*" */
} ig_actions_t;

bool ig_actions_match(const ig_actions_t *on, ig_str_t action);

/* -- fields -------------------------------------------------------------- */

typedef enum {
    IG_SOURCE_VARIABLE,         /* text is "$name" or a string with variables */
    IG_SOURCE_JSON
} ig_source_kind_e;

/* One line of integrity_field. */
typedef struct {
    ig_source_kind_e   kind;
    unsigned           id;      /* index in policy->source: the host's handle */
    unsigned           field;
    ig_str_t           text;    /* "$http_x_device_id"; JSON: "/items/" */
    ig_str_t          *token;   /* JSON: unescaped RFC 6901 tokens */
    unsigned           ntokens;
    int                star;    /* JSON: index of the token "*", or -1 */
    ig_actions_t       on;
    bool               decode;  /* undo percent-encoding */
    bool               late;    /* known only when the answer is there */
    uint8_t            net4;    /* prefix lengths; 0: take as is */
    uint8_t            net6;
    ig_pos_t           pos;
} ig_source_t;

typedef struct {
    ig_str_t       name;
    unsigned       id;
    bool           is_private;
    bool           is_text;
    int            similar;     /* index among those that similar= compares,
                                   or -1 */
    ig_source_t  **source;      /* in order of definition */
    unsigned       nsources;
    ig_pos_t       pos;
} ig_field_t;

/* -- counters ------------------------------------------------------------ */

typedef enum {
    IG_COUNT = 0,
    IG_COUNT_EXACT,
    IG_DISTINCT,
    IG_SUM,
    IG_MEAN,
    IG_FIRST,
    IG_LAST,
    IG_LISTED,                  /* integrity_list: keys, each until a time */
    IG_KINDS
} ig_kind_e;

typedef enum {
    IG_ACCEPTED = 0,            /* taken back when throttled or denied */
    IG_ATTEMPTS,
    IG_COMPLETED                /* written when the application said 2xx */
} ig_when_e;

typedef struct {
    ig_str_t       name;
    unsigned       id;
    ig_kind_e      kind;
    ig_when_e      when;
    int64_t        window;      /* ms */
    int64_t        warmup;      /* ms; 0: none */
    unsigned       max;         /* distinct, exact */
    unsigned       key[IG_MAX_KEY];     /* field ids */
    unsigned       nkey;
    unsigned       tuple;       /* index in policy->tuple */
    int            value;       /* field id of distinct=, sum=, mean=; or -1 */
    int            similar;     /* text field id: IG_COUNT, IG_COUNT_EXACT or
                                   IG_DISTINCT per band; or -1 */
    ig_expr_t     *cond;        /* if=; or NULL */
    bool           cond_late;   /* if= reads counters */
    ig_actions_t   on;
    uint8_t        ident[8];    /* of name, kind, window, key fields: what the
                                   stores and the warm-up marker go by */
    ig_str_t       shape;       /* kind and window, as in Redis keys: "c3600000" */
    ig_pos_t       pos;
} ig_counter_t;

/* Distinct key tuples: one keyed hash serves all counters keyed alike. */
typedef struct {
    unsigned  field[IG_MAX_KEY];
    unsigned  nfields;
} ig_tuple_t;

/* -- thresholds and rules ------------------------------------------------ */

typedef struct {
    ig_str_t  name;
    unsigned  id;
    double    value;
    bool      is_default;       /* yields to any other */
    ig_pos_t  pos;
} ig_threshold_t;

typedef struct {
    ig_str_t       name;
    unsigned       id;
    ig_expr_t     *expr;
    ig_actions_t   on;
    ig_decision_e  then;        /* IG_NO_DECISION: only a score */
    bool           has_score;
    int            score;
    int            add;         /* id of the list the call's key goes on; -1 */
    int64_t        add_ttl;     /* ms */
    bool           renew;       /* also where the key is on it already */
    bool           dry_run;
    ig_decision_e  on_error;    /* IG_NO_DECISION: silent when unknown */
    ig_pos_t       pos;
} ig_rule_t;

/* -- plans --------------------------------------------------------------- */

typedef struct {
    const ig_counter_t  *counter;
    bool                 writes;    /* the action is one of its on= */
    bool                 reads;     /* some rule or if= wants its value */
} ig_plan_counter_t;

/*
 * A rule `counter > constant` which alone decides: when its key is over the
 * limit until a known time, the call can be answered from shared memory.
 */
typedef struct {
    const ig_rule_t     *rule;
    const ig_counter_t  *counter;
    ig_limit_t           limit;
    bool                 early;     /* the key needs no body */
} ig_plan_limit_t;

typedef struct {
    ig_str_t                 action;
    bool                     known;     /* some counter or rule speaks of it */
    bool                     body;      /* some field comes from the body */
    const ig_source_t      **source;    /* by field id; NULL: none here */
    ig_plan_counter_t       *counter;
    unsigned                 ncounters;
    const ig_rule_t        **rule;
    unsigned                 nrules;
    ig_plan_limit_t         *limit;
    unsigned                 nlimits;
    unsigned                 max_ops;   /* of any one batch of such a call */
} ig_plan_t;

/* -- the policy ---------------------------------------------------------- */

typedef struct ig_policy_s {
    ig_mem_t          *mem;

    ig_field_t       **field;
    unsigned           nfields;
    unsigned           nsimilar;                /* fields that have bands */
    ig_source_t      **source;
    unsigned           nsources;
    ig_counter_t     **counter;
    unsigned           ncounters;
    ig_tuple_t        *tuple;
    unsigned           ntuples;
    ig_threshold_t   **threshold;
    unsigned           nthresholds;
    ig_rule_t        **rule;
    unsigned           nrules;

    int                score[IG_DECISIONS];     /* from which on; INT_MAX: never */
    bool               has_scores;
    int32_t            zone;                    /* s east of UTC */

    ig_plan_t        **plan;                    /* sorted by action */
    unsigned           nplans;

    ig_str_t           text;                    /* canonical, a line each */
    uint8_t            hash[32];                /* SHA-256 of text */

    /* private from here on */
    struct ig_policy_build_s  *build;
} ig_policy_t;

/* NULL: no memory. */
ig_policy_t *ig_policy_create(ig_mem_t *mem);

/*
 * One directive of http: integrity_field, _counter, _list, _threshold, _rule,
 * _scores, _time_zone.  args[0] is the directive's name; all is copied, pos
 * too (file is kept as a pointer).  An exact repetition of an earlier line is
 * accepted and ignored.  IG_OK, IG_ERROR or IG_NOMEM.
 */
int ig_policy_directive(ig_policy_t *policy, const ig_str_t *args,
    unsigned nargs, ig_pos_t pos, ig_error_t *err);

/*
 * A name that some integrity_action gives literally: it gets a plan.  IG_OK,
 * IG_ERROR where it is no action's name or begins with "decision.", IG_NOMEM.
 */
int ig_policy_action(ig_policy_t *policy, ig_str_t action);

/* Resolves names, compiles expressions, makes plans, text and hash. */
int ig_policy_finish(ig_policy_t *policy, ig_error_t *err);

/*
 * The same, but goes on after a mistake where it can: report is called for
 * each.  IG_OK, IG_ERROR where there was one, or IG_NOMEM.
 */
int ig_policy_finish_all(ig_policy_t *policy,
    void (*report)(void *ctx, const ig_error_t *err), void *ctx);

/*
 * By name; NULL where there is none.  Valid after finish.  Lists are found
 * among the counters.
 */
const ig_field_t *ig_policy_field(const ig_policy_t *p, ig_str_t name);
const ig_counter_t *ig_policy_counter(const ig_policy_t *p, ig_str_t name);
const ig_rule_t *ig_policy_rule(const ig_policy_t *p, ig_str_t name);
const ig_threshold_t *ig_policy_threshold(const ig_policy_t *p, ig_str_t name);

/* The plan of a literal action, or NULL: then make one with ig_plan_make. */
const ig_plan_t *ig_policy_plan(const ig_policy_t *p, ig_str_t action);

/*
 * A plan for an action known only at run time (matched by a wildcard), in
 * mem.  NULL: no memory.
 */
ig_plan_t *ig_plan_make(const ig_policy_t *p, ig_str_t action, ig_mem_t *mem);

/*
 * What a place (a location) changes: thresholds by id (innermost value wins)
 * and rules left out.  Both arrays are the host's.
 */
typedef struct {
    const double   *threshold;  /* [nthresholds] */
    const uint8_t  *except;     /* [nrules], 1: left out; NULL: none */
} ig_place_t;

#endif /* IG_POLICY_H */
