/*
 * ig_ctl_log_text.c: a line of the audit log as a line for people.
 * Owns nothing.  Called by ig_ctl_log.c.
 */

#include "ig_ctl_log.h"


void
ig_log_text(FILE *out, bool colours, const ig_audit_line_t *line)
{
    (void) colours;
    ig_out_time(out, line->time);
    fputc(' ', out);
    ig_out_text(out, line->kind_name);
    fputc(' ', out);
    ig_out_text(out, line->event);
    fputc('\n', out);
}
