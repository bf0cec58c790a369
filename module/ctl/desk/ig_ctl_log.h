/*
 * ig_ctl_log.h: what the files of `integrityctl log` share.
 * Owns nothing.  Included by ig_ctl_log.c, _text.c and _follow.c.
 */

#ifndef IG_CTL_LOG_H
#define IG_CTL_LOG_H

#include "ig_ctl_log_source.h"
#include "ig_ctl_out.h"

typedef struct {
    bool      json;
    bool      count;
    bool      follow;
    bool      colours;
    bool      some;             /* only the last ones */
    uint64_t  last;             /* how many */
} ig_log_options_t;

/* One line for people, with a newline. */
void ig_log_text(FILE *out, bool colours, const ig_audit_line_t *line);

/* One line as the options want it; line may be NULL for --json. */
void ig_log_show(const ig_log_options_t *o, ig_str_t raw,
    const ig_audit_line_t *line);

/* -- following (ig_ctl_log_follow.c) ------------------------------------- */

typedef struct ig_follow_s  ig_follow_t;

/* Opens the files where they end now; NULL: told. */
ig_follow_t *ig_follow_open(const ig_log_options_t *o,
    ig_audit_filter_t *filter, char **path, int npaths);
void ig_follow_close(ig_follow_t *follow);

/* Where file i ended when it was opened; UINT64_MAX: it is not followed. */
uint64_t ig_follow_limit(const ig_follow_t *follow, int i);

/* Shows what comes, until the output fails. */
int ig_follow_run(ig_follow_t *follow);

#endif /* IG_CTL_LOG_H */
