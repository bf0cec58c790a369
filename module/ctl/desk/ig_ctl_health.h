/*
 * ig_ctl_health.h: what a log can vouch for: its chains and their gaps, and
 * how well calls were evaluated.
 * Owns: chains and tables, from init to free.  Included by dossier and report.
 */

#ifndef IG_CTL_HEALTH_H
#define IG_CTL_HEALTH_H

#include "ig_chain.h"
#include "ig_ctl_log_source.h"
#include "ig_ctl_page.h"
#include "ig_ctl_top.h"

/* Stretches of a chain's numbers; where there are more, the first two become
 * one, and what lies between them is missing for good. */
#define IG_HEALTH_RANGES  128

typedef struct {
    uint64_t  from;
    uint64_t  to;
} ig_health_range_t;

/* Chains kept apart; lines of further ones are counted in `unkept`. */
#define IG_HEALTH_CHAINS  4096
#define IG_HEALTH_SHOWN   12

typedef struct ig_health_chain_s  ig_health_chain_t;

struct ig_health_chain_s {
    char                id[IG_CHAIN_ID];
    size_t              len;
    uint64_t            first;      /* numbers of its lines seen */
    uint64_t            last;
    uint64_t            lines;
    uint64_t            dropped;    /* numbers told as lost */
    uint64_t            repeated;   /* lines whose number was there already */
    uint64_t            gone;       /* missing for good */
    ig_health_range_t  *range;      /* numbers seen or told, in order */
    unsigned            nranges;
    bool                closed;
    ig_health_chain_t  *next;       /* the one used before this */
};

/*
 * Of all lines of the files, so that a chain is not broken where a period
 * begins; but kinds, lost and lost_lines are of the period's lines.
 */
typedef struct {
    uint64_t            lines;
    uint64_t            damaged;
    int64_t             first;      /* ms since epoch; 0: no line */
    int64_t             last;
    uint64_t            kind[IG_AUDIT_KINDS];
    uint64_t            lost;       /* numbers told as dropped */
    uint64_t            lost_lines; /* lines that told it */
    uint64_t            unchained;  /* lines without a chain's part */
    uint64_t            unkept;
    ig_health_chain_t  *chain;      /* the one used last comes first */
    unsigned            nchains;
} ig_health_t;

void ig_health_init(ig_health_t *h);
void ig_health_free(ig_health_t *h);

/* One line; inside: it lies in the period.  IG_OK or IG_NOMEM. */
int ig_health_line(ig_health_t *h, const ig_audit_entry_t *entry, bool inside);

/*
 * Numbers in the middle of a chain that have no line and that no line tells
 * as dropped.
 */
uint64_t ig_health_missing(const ig_health_chain_t *chain);

/* "The log": a section, or the member "log" without a comma before it. */
void ig_health_page(ig_page_t *page, const ig_health_t *h);
void ig_health_json(FILE *out, const ig_health_t *h);


/* -- how calls were evaluated -------------------------------------------- */

typedef enum {
    IG_QUALITY_COMPLETE = 0,
    IG_QUALITY_CACHED,
    IG_QUALITY_DEGRADED,
    IG_QUALITY_SKIPPED,
    IG_QUALITY_OTHER,
    IG_QUALITY_KINDS
} ig_quality_e;

typedef struct {
    uint64_t  evaluation[IG_QUALITY_KINDS];
    uint64_t  calls;
    uint64_t  lists_unknown;
    uint64_t  new_keys;
    uint64_t  cut;
    uint64_t  repeats;              /* calls told by a repeat line */
    ig_top_t  body;                 /* why bodies were not inspected */
} ig_quality_t;

int ig_quality_init(ig_quality_t *q);
void ig_quality_free(ig_quality_t *q);
int ig_quality_add(ig_quality_t *q, const ig_audit_line_t *line, uint64_t n);

uint64_t ig_quality_uninspected(const ig_quality_t *q);

/* Facts, or the member "evaluation". */
void ig_quality_page(ig_page_t *page, const ig_quality_t *q);
void ig_quality_json(FILE *out, const ig_quality_t *q);

#endif /* IG_CTL_HEALTH_H */
