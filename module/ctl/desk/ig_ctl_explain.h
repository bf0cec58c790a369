/*
 * ig_ctl_explain.h: what the files of `integrityctl explain` share: the lines
 * of one event, and the story that is made of them.
 * Owns: all of it, in one memory.  Included by ig_ctl_explain*.c.
 */

#ifndef IG_CTL_EXPLAIN_H
#define IG_CTL_EXPLAIN_H

#include "ig_ctl_log_source.h"
#include "ig_ctl_past.h"
#include "ig_ctl_story.h"

/* A line that is kept. */
typedef struct ig_explain_line_s  ig_explain_line_t;

struct ig_explain_line_s {
    ig_audit_line_t     line;
    ig_explain_line_t  *next;       /* of the event */
    ig_explain_line_t  *before;     /* of all that are kept */
};

/* How the call's key came onto a list. */
typedef struct ig_explain_entry_s  ig_explain_entry_t;

struct ig_explain_entry_s {
    ig_str_t             list;
    bool                 known;     /* something was found */
    ig_explain_line_t   *by;        /* a person's line, or the decision */
    ig_str_t             rule;      /* that put it there; empty: a person */
    ig_str_t             add;       /* "LIST:TTL" of that rule */
    ig_explain_entry_t  *next;
};

typedef struct {
    bool                 json;
    bool                 in_public;
    ig_str_t             event;     /* an id, or CHAIN:SEQ */
    ig_str_t             chain;     /* of CHAIN:SEQ; empty */
    uint64_t             seq;
    ig_str_t             needle;
    char               **file;
    int                  nfiles;

    ig_explain_line_t   *first;     /* in the order of time */
    ig_explain_line_t  **end;
    ig_explain_line_t   *kept;
    ig_explain_entry_t  *entry;
    bool                 standard;  /* read from standard input: once only */
    ig_past_t            past;
    ig_ctl_memory_t      memory;
    ig_story_t           story;
} ig_explain_t;

/* -- ig_ctl_explain_find.c ----------------------------------------------- */

/*
 * Reads the files for the event's lines and the policies.  IG_CTL_OK, also
 * where nothing was found; what reading returned where not all could be read.
 */
int ig_explain_find(ig_explain_t *x);

/* Reads them again for how the key came onto the lists it is on. */
int ig_explain_find_lists(ig_explain_t *x, const ig_audit_line_t *decision);

/* Frees the lines that are kept. */
void ig_explain_forget(ig_explain_t *x);

/* The first line of a kind, or NULL. */
const ig_audit_line_t *ig_explain_line(const ig_explain_t *x,
    ig_audit_kind_e kind);

/* -- ig_ctl_explain_decision.c, ig_ctl_explain_rules.c ------------------- */

void ig_explain_decision(ig_explain_t *x, const ig_audit_line_t *line);
void ig_explain_rules(ig_explain_t *x, const ig_audit_line_t *line,
    const ig_policy_t *policy);

/* What of its evidence the log itself does not tell. */
void ig_explain_certainty(ig_explain_t *x, const ig_audit_line_t *line,
    const ig_policy_t *policy);

/* -- ig_ctl_explain_other.c ---------------------------------------------- */

/* Lines that are no decision. */
void ig_explain_other(ig_explain_t *x, const ig_audit_line_t *line);

/* Outcome and repeat lines of a decision. */
void ig_explain_outcome(ig_explain_t *x, const ig_audit_line_t *decision);

/* Where the line stands in its chain. */
void ig_explain_record(ig_explain_t *x, const ig_audit_line_t *line);

#endif /* IG_CTL_EXPLAIN_H */
