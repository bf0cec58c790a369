/*
 * ig_ctl_backtest_time.h: when an event happened, as its line says it.
 * Owns nothing, pure.  Included by ig_ctl_backtest*.c and the unit tests.
 */

#ifndef IG_CTL_BACKTEST_TIME_H
#define IG_CTL_BACKTEST_TIME_H

#include "ig_value.h"

/* Seconds since the epoch: 1970-01-01T00:00:00Z to 9999-12-31T23:59:59Z. */
#define IG_TIME_LAST  253402300799.0

/*
 * RFC 3339: 2026-11-23T12:00:00.123Z or 2026-11-23 20:00:00+08:00, with any
 * number of fractional digits, of which three count; a leap second is the
 * first of the next minute.  Result in ms since the epoch; false where the
 * text is anything else or lies before the epoch.
 */
bool ig_time_rfc3339(ig_str_t text, int64_t *ms);

/*
 * A number of seconds (integer or fraction, also as a string) or RFC 3339.
 * Fractions are rounded to the millisecond.  False for all else and for what
 * lies outside of the years 1970 to 9999: milliseconds, most likely.
 */
bool ig_time_value(const ig_value_t *value, int64_t *ms);

#endif /* IG_CTL_BACKTEST_TIME_H */
