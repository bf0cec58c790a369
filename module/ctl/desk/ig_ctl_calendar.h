/*
 * ig_ctl_calendar.h: days and hours as people of one time zone count them,
 * and counts of calls over time in bins that begin at such hours.
 * Owns nothing; pure: no clock, no locale, no time zone of the machine.
 * Included by dossier, report, plots and their unit tests.
 */

#ifndef IG_CTL_CALENDAR_H
#define IG_CTL_CALENDAR_H

#include "ig_buf.h"

#define IG_MINUTE_MS  INT64_C(60000)
#define IG_HOUR_MS    (60 * IG_MINUTE_MS)
#define IG_DAY_MS     (24 * IG_HOUR_MS)

#define IG_CALENDAR_TEXT  32

/* Milliseconds east of UTC. */
typedef int32_t  ig_zone_t;

/* "UTC", "Z", or an offset from -12:00 to +14:00 as +08:00; false: none. */
bool ig_zone_read(ig_str_t text, ig_zone_t *zone);

/* "UTC", "UTC+08:00": how plots and tables name their zone. */
void ig_zone_write(ig_buf_t *b, ig_zone_t zone);

/*
 * A day as 2026-11-23, in that zone: ms since the epoch of its first moment.
 * False where the text is anything else or lies before the epoch.
 */
bool ig_day_read(ig_str_t text, ig_zone_t zone, int64_t *ms);

/* The first moment of the day that `ms` lies in. */
int64_t ig_day_start(int64_t ms, ig_zone_t zone);

/*
 * "2026-11-23", "2026-11-23 14:05", "2026-11-23 14:05:09", "23 Nov",
 * "14:05": times before the year 0 or beyond 9999 are written as "?".
 */
typedef enum {
    IG_WRITE_DAY,
    IG_WRITE_MINUTE,
    IG_WRITE_SECOND,
    IG_WRITE_SHORT_DAY,
    IG_WRITE_CLOCK
} ig_when_form_e;

void ig_when_write(ig_buf_t *b, int64_t ms, ig_zone_t zone, ig_when_form_e form);


/* -- bins ---------------------------------------------------------------- */

/* One hour of a week each, and some to spare. */
#define IG_BINS       180

/* What is counted: calls by decision, and those held, throttled or denied if
 * dry-run rules and places were real. */
enum {
    IG_BIN_ALLOW = 0,
    IG_BIN_HOLD,
    IG_BIN_THROTTLE,
    IG_BIN_DENY,
    IG_BIN_WOULD,
    IG_BIN_KINDS
};

typedef struct {
    uint64_t  n[IG_BIN_KINDS];
} ig_bin_t;

/*
 * Bins without a gap from the first to the last one used, all of one width:
 * 1, 5, 15 min, 1, 3, 6, 12 h, a day, a week (from Monday), four weeks, 52
 * weeks.  What would take more than IG_BINS of them takes wider ones.
 */
typedef struct {
    ig_zone_t  zone;
    unsigned   width;           /* index of the width */
    int64_t    first;           /* number of bin[0], from a Monday on */
    unsigned   nbins;
    ig_bin_t   bin[IG_BINS];
} ig_bins_t;

/* at_least: ms; the narrowest of the widths that is not below it is used. */
void ig_bins_init(ig_bins_t *bins, ig_zone_t zone, int64_t at_least);

/* Makes room for both moments and all between, counting nothing. */
void ig_bins_cover(ig_bins_t *bins, int64_t from, int64_t to);

void ig_bins_add(ig_bins_t *bins, int64_t ms, unsigned kind, uint64_t n);

/* Wider bins, until there are at most `most` (> 0) of them. */
void ig_bins_narrow(ig_bins_t *bins, unsigned most);

/* ms since the epoch of the first moment of bin i; i may be nbins. */
int64_t ig_bins_start(const ig_bins_t *bins, unsigned i);
int64_t ig_bins_width(const ig_bins_t *bins);

/* "minute", "5 minutes", "hour", "3 hours", ..., "52 weeks". */
const char *ig_bins_unit(const ig_bins_t *bins);

/* Held, throttled and denied. */
uint64_t ig_bin_stronger(const ig_bin_t *bin);
/* Those and the allowed ones. */
uint64_t ig_bin_calls(const ig_bin_t *bin);

#endif /* IG_CTL_CALENDAR_H */
