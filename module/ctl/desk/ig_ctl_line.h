/*
 * ig_ctl_line.h: one line of the audit log, taken apart.
 * Owns: the line's tree, from ig_audit_parse to ig_audit_free.  Borrows the
 * line's bytes.  Included by module/ctl/desk and its unit tests.
 */

#ifndef IG_CTL_LINE_H
#define IG_CTL_LINE_H

#include <stdio.h>

#include "ig_call.h"

typedef enum {
    IG_AUDIT_OTHER = 0,         /* a kind that is not known here */
    IG_AUDIT_DECISION,
    IG_AUDIT_OUTCOME,
    IG_AUDIT_REPEAT,
    IG_AUDIT_UNCLASSIFIED,
    IG_AUDIT_LIST,
    IG_AUDIT_KEY,
    IG_AUDIT_POLICY,
    IG_AUDIT_CHAIN_OPEN,
    IG_AUDIT_CHAIN_CLOSE,
    IG_AUDIT_SEGMENT_END,
    IG_AUDIT_SEGMENT_START,
    IG_AUDIT_KINDS
} ig_audit_kind_e;

/* "decision", "outcome", ...; "other". */
ig_str_t ig_audit_kind_name(ig_audit_kind_e kind);

/* By name; IG_AUDIT_OTHER where there is none of it. */
ig_audit_kind_e ig_audit_kind(ig_str_t name);

/*
 * Kind and time (ms since the epoch) of a line as the module writes it, read
 * from its first bytes alone, without parsing.  False: it begins otherwise;
 * ig_audit_parse may still read it.
 */
bool ig_audit_head(ig_str_t raw, ig_audit_kind_e *kind, int64_t *time);

/* What stands right behind the time, as it is in the line. */
typedef struct {
    ig_str_t  event;
    ig_str_t  action;
    ig_str_t  decision;
} ig_audit_prefix_t;

/*
 * Of a line that ig_audit_head can read: these have no escapes, and no client
 * can put anything before them.  Empty where the line has none.
 */
void ig_audit_prefix(ig_str_t raw, ig_audit_prefix_t *prefix);

/* Strings are empty where the line has no such member. */
typedef struct {
    ig_str_t         raw;           /* the line, without its newline */
    ig_audit_kind_e  kind;
    ig_str_t         kind_name;     /* as the line says it */
    int64_t          time;          /* ms since the epoch */

    ig_str_t         event;
    ig_str_t         action;
    ig_decision_e    decision;      /* IG_NO_DECISION: no such member */
    ig_decision_e    would;         /* as decision, where nothing differs */
    bool             dry_run;       /* mode */
    int64_t          score;
    int64_t          would_score;   /* as score, where nothing differs */
    ig_str_t         evaluation;    /* "complete", "cached", ... */
    ig_str_t         method;
    ig_str_t         path;
    ig_str_t         request;
    ig_str_t         node;
    ig_str_t         tenant;
    ig_str_t         policy;        /* 16 hex digits */
    ig_str_t         chain;
    uint64_t         seq;

    const char      *file;          /* where it stands, or NULL */
    uint64_t         number;        /* from 1 */

    /* private from here on */
    void            *tree;
} ig_audit_line_t;

/*
 * IG_OK; IG_ERROR where it is no JSON object with a kind and a time, or has a
 * member twice: *why says so.  line is written in both cases; file and number
 * are the caller's to set.
 */
int ig_audit_parse(ig_str_t raw, ig_audit_line_t *line, const char **why);
void ig_audit_free(ig_audit_line_t *line);

/* Other members at the top level: empty, false or 0 where there is none. */
ig_str_t ig_audit_text(const ig_audit_line_t *line, const char *name);
bool ig_audit_true(const ig_audit_line_t *line, const char *name);
bool ig_audit_number(const ig_audit_line_t *line, const char *name,
    double *number);
bool ig_audit_has(const ig_audit_line_t *line, const char *name);

/* A member at the top level as compact JSON; null where there is none. */
void ig_audit_print(const ig_audit_line_t *line, const char *name, FILE *out);

/* -- fields, counters, thresholds, names of lists ------------------------ */

/* Written by ig_audit_next; value: UNKNOWN is null, never SET or MISSING. */
typedef struct {
    ig_str_t    name;           /* of an array's elements: the array's */
    ig_value_t  value;
    bool        in_set;         /* one of several members of this name */

    /* private from here on */
    void       *object;
    void       *at;
    void       *set;
    size_t      index;
    char        digits[24];
} ig_audit_items_t;

/*
 * Prepares a walk over the members of an object at the top level ("field",
 * "counter") or the elements of an array ("list", "list_unknown"); where
 * there is none, ig_audit_next gives nothing.  A set gives an item for each
 * of its members.  Strings live as long as the line, numbers' digits until
 * the next item.
 */
void ig_audit_items(const ig_audit_line_t *line, const char *name,
    ig_audit_items_t *items);
bool ig_audit_next(ig_audit_items_t *items);

/*
 * A field or a counter by its name: "field", "account".  Of a set the first
 * member.  False: the line has none.
 */
bool ig_audit_item(const ig_audit_line_t *line, const char *object,
    ig_str_t name, ig_audit_items_t *item);

/* -- rules --------------------------------------------------------------- */

/* Written by ig_audit_next_rule. */
typedef struct {
    ig_str_t       name;
    ig_decision_e  decision;    /* IG_NO_DECISION: none of its own */
    bool           has_score;
    int64_t        score;
    bool           dry_run;
    bool           on_error;    /* did not fire: its on_error= stood in */
    ig_str_t       add;         /* "LIST:TTL"; empty: adds nothing */
    bool           renew;

    /* private from here on */
    void          *array;
    void          *rule;
    size_t         index;
} ig_audit_rules_t;

void ig_audit_rules(const ig_audit_line_t *line, ig_audit_rules_t *rules);
bool ig_audit_next_rule(ig_audit_rules_t *rules);

/* The thresholds of the rule the walk stands at. */
void ig_audit_thresholds(const ig_audit_rules_t *rule,
    ig_audit_items_t *items);

/* A time as lines have it: 2026-11-23T12:00:00.123Z, in ms; or false. */
bool ig_audit_stamp(ig_str_t text, int64_t *ms);

/* "allow" ...; IG_NO_DECISION where it is none of them. */
ig_decision_e ig_audit_decision(ig_str_t name);

#endif /* IG_CTL_LINE_H */
