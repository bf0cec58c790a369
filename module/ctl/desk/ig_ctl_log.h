/*
 * ig_ctl_log.h: what the files of `integrityctl log` share.
 * Owns nothing.  Included by ig_ctl_log.c and ig_ctl_log_text.c.
 */

#ifndef IG_CTL_LOG_H
#define IG_CTL_LOG_H

#include "ig_ctl_log_source.h"
#include "ig_ctl_out.h"

typedef struct {
    bool  json;
    bool  count;
    bool  follow;
    bool  colours;
} ig_log_options_t;

/* One line for people, with a newline. */
void ig_log_text(FILE *out, bool colours, const ig_audit_line_t *line);

#endif /* IG_CTL_LOG_H */
