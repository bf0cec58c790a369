/*
 * ig_ctl_log_time.h: points in time as people give them: --since, --until.
 * Owns nothing, pure.  Included by the desk and the unit tests.
 */

#ifndef IG_CTL_LOG_TIME_H
#define IG_CTL_LOG_TIME_H

#include "ig_core.h"

/*
 * RFC 3339 (2026-11-23T12:00:00Z); without an offset it is UTC, as the log
 * is; also without seconds, or a date alone, which is its midnight.  "now",
 * "today" and "yesterday" (midnights UTC).  "90m", "2h", "7d", "1h30m": that
 * long before now.  ms since the epoch; false where it is none of these.
 */
bool ig_audit_when(const char *text, int64_t now, int64_t *ms);

#endif /* IG_CTL_LOG_TIME_H */
