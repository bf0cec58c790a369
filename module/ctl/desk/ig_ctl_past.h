/*
 * ig_ctl_past.h: the policies of the past: read back from the policy lines of
 * the audit log, found by the hash that stands in every event.
 * Owns: everything, in a memory of its own.  Included by the desk.
 */

#ifndef IG_CTL_PAST_H
#define IG_CTL_PAST_H

#include "ig_ctl.h"
#include "ig_ctl_line.h"
#include "ig_policy.h"

/* One policy's text; parts that are missing have no data. */
typedef struct ig_past_policy_s  ig_past_policy_t;

struct ig_past_policy_s {
    ig_str_t           hash;        /* the 16 digits of events */
    ig_str_t           sha256;
    ig_str_t          *part;
    unsigned           parts;
    bool               tried;
    ig_policy_t       *policy;      /* NULL: not all of it, or not that text */
    ig_past_policy_t  *next;
};

typedef struct {
    ig_ctl_memory_t    memory;
    ig_past_policy_t  *first;
} ig_past_t;

void ig_past_init(ig_past_t *past);
void ig_past_free(ig_past_t *past);

/* Takes a line of kind "policy".  IG_OK, IG_NOMEM: told. */
int ig_past_add(ig_past_t *past, const ig_audit_line_t *line);

/*
 * The policy of an event's hash, compiled, or NULL: the log that was read
 * does not have all of its text, or the text is not the one that was hashed.
 * Rules, counters and fields are what they were; the thresholds are those of
 * http, a place may have had others (the event tells).
 */
const ig_policy_t *ig_past_policy(ig_past_t *past, ig_str_t hash);

/* Whether some part of that text was there. */
bool ig_past_has(const ig_past_t *past, ig_str_t hash);

#endif /* IG_CTL_PAST_H */
