/*
 * ig_ctl_log_time.c: points in time as people give them.
 * Owns nothing, pure.  Called by ig_ctl_log_filter.c.
 */

#include <stdio.h>
#include <string.h>

#include "ig_ctl_backtest_time.h"
#include "ig_ctl_log_time.h"
#include "ig_value.h"

#define IG_WHEN_DAY  INT64_C(86400000)


/* text with what it lacks to be RFC 3339. */
static bool
ig_when_stamp(const char *text, int64_t *ms)
{
    char      whole[64];
    size_t    i;

    static const char *const  rest[] = { "", "Z", ":00Z", "T00:00:00Z" };

    if (strlen(text) > 40) {
        return false;
    }

    for (i = 0; i < ig_countof(rest); i++) {
        (void) snprintf(whole, sizeof(whole), "%s%s", text, rest[i]);

        if (ig_time_rfc3339((ig_str_t) { strlen(whole), whole }, ms)) {
            return true;
        }
    }

    return false;
}


bool
ig_audit_when(const char *text, int64_t now, int64_t *ms)
{
    size_t   len;
    int64_t  ago, midnight;

    len = strlen(text);
    midnight = now - now % IG_WHEN_DAY;

    if (strcmp(text, "now") == 0) {
        *ms = now;

    } else if (strcmp(text, "today") == 0) {
        *ms = midnight;

    } else if (strcmp(text, "yesterday") == 0) {
        *ms = midnight - IG_WHEN_DAY;

    } else if (len > 1 && (text[len - 1] < '0' || text[len - 1] > '9')
               && ig_parse_duration((ig_str_t) { len, text }, &ago))
    {
        *ms = now - ago;

    } else {
        return ig_when_stamp(text, ms);
    }

    return true;
}
