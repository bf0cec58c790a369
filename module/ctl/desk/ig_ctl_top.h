/*
 * ig_ctl_top.h: counts by name in bounded memory: the frequent ones of many.
 * Owns: its rows and the copies of their names, from ig_top_init to
 * ig_top_free.  Called by dossier and report.
 *
 * Exact while there are at most `cap` names.  Where one more comes, the
 * lighter half of the rows is dropped, and the heaviest of those is remembered
 * in `missed`: whatever stands in a row since then may be too low by as much,
 * never too high, and a name that is in no row has at most that weight
 * (Misra and Gries, "Finding repeated elements", 1982, in steps).
 */

#ifndef IG_CTL_TOP_H
#define IG_CTL_TOP_H

#include "ig_core.h"
#include "ig_ctl_calendar.h"

typedef struct {
    ig_str_t  field;            /* of what kind the name is; may be empty */
    ig_str_t  name;
    uint64_t  weight;           /* what rows are ranked by */
    uint64_t  n[IG_BIN_KINDS];  /* calls by decision, and IG_BIN_WOULD */
    uint64_t  before;           /* calls in the period before */
    uint64_t  alone;            /* a rule: the only one that fired */
    uint64_t  dry_run;          /* a rule: fired without effect */
    uint64_t  on_error;         /* a rule: could not be evaluated */
    uint64_t  repeated;         /* of the calls: told by a repeat line */
    int64_t   first;            /* ms since epoch; 0: never counted */
    int64_t   last;

    /* private */
    uint32_t  hash;
    uint32_t  next;
    uint64_t  missed;           /* the table's, when the row began */
} ig_top_row_t;

typedef struct {
    ig_top_row_t  *row;
    unsigned       nrows;
    uint64_t       missed;
    uint64_t       dropped;     /* rows dropped; 0: everything is exact */

    /* private */
    unsigned       cap;
    unsigned       room;
    uint32_t      *slot;
    uint32_t       mask;
    uint32_t       seed;
} ig_top_t;

/* cap: rows at most, from 2 on.  IG_OK or IG_NOMEM. */
int ig_top_init(ig_top_t *top, unsigned cap);
void ig_top_free(ig_top_t *top);

/*
 * The row of a name, made where there is none: valid until the next call.
 * NULL where there is no memory.
 */
ig_top_row_t *ig_top_row(ig_top_t *top, ig_str_t field, ig_str_t name);

/* The row of a name, or NULL. */
const ig_top_row_t *ig_top_find(const ig_top_t *top, ig_str_t field,
    ig_str_t name);

/* A moment the row's name was seen at. */
void ig_top_seen(ig_top_row_t *row, int64_t ms);

/* Calls of all decisions. */
uint64_t ig_top_calls(const ig_top_row_t *row);
/* Held, throttled, denied. */
uint64_t ig_top_stronger(const ig_top_row_t *row);

/*
 * Sorts by field, then weight, heaviest first, then name.  After it rows can
 * be read, and none be looked for or added.
 */
void ig_top_sort(ig_top_t *top);

#endif /* IG_CTL_TOP_H */
