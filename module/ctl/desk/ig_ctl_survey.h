/*
 * ig_ctl_survey.h: one pass over a log, which hands on its calls, changes of
 * lists and so on, and counts what the log can vouch for.
 * Owns: the health it counts, and cached decisions that repeat lines may
 * still speak of.  Called by dossier and report.
 */

#ifndef IG_CTL_SURVEY_H
#define IG_CTL_SURVEY_H

#include "ig_ctl_health.h"

/* Cached decisions kept at a time: their repeats follow within a second. */
#define IG_SURVEY_CACHED  4096

typedef struct {
    char   *raw;
    size_t  len;
    size_t  room;
    char    event[26];
} ig_survey_cached_t;

/*
 * A NULL function is not called.  All return IG_OK, or IG_NOMEM, which ends
 * the survey.
 */
typedef struct {
    /* what is asked for */
    int64_t             since;      /* ms since epoch */
    int64_t             until;
    ig_audit_filter_t  *key;        /* calls and lists it fits; NULL: all */
    void               *ctx;

    /* n calls like `line`, at `time`: itself, or what a repeat line says */
    int               (*call)(void *ctx, const ig_audit_line_t *line,
                              int64_t time, uint64_t n, bool repeat);

    /* what a person did: kinds "list" and "key" */
    int               (*list)(void *ctx, const ig_audit_line_t *line);

    int               (*unclassified)(void *ctx, const ig_audit_line_t *line);

    /* how a call ended, where `wants` says that its event matters */
    bool              (*wants)(void *ctx, ig_str_t event);
    int               (*outcome)(void *ctx, const ig_audit_line_t *line);

    /* a piece of a policy's text */
    int               (*policy)(void *ctx, const ig_audit_line_t *line);

    /* what was found */
    ig_health_t         health;
    uint64_t            repeats_unknown;    /* their decision is not here */

    /* private */
    ig_survey_cached_t *cached;
} ig_survey_t;

/* Everything but what is asked for.  IG_OK or IG_NOMEM. */
int ig_survey_init(ig_survey_t *s);
void ig_survey_free(ig_survey_t *s);

/* Exit code; told where it is not IG_CTL_OK. */
int ig_survey_run(ig_survey_t *s, char **file, int nfiles);

#endif /* IG_CTL_SURVEY_H */
