/*
 * ig_ctl_calendar.c: days, hours and zones.
 * Owns nothing, pure.  Called by dossier, report and plots.
 */

#include <stdio.h>
#include <string.h>

#include "ig_ctl_calendar.h"
#include "ig_value.h"

#define IG_YEAR_LAST  9999

typedef struct {
    int  year;
    int  month;             /* from 1 */
    int  day;
    int  hour;
    int  minute;
    int  second;
} ig_civil_t;


/* Rounds down, also below zero. */
static int64_t
ig_floor_div(int64_t n, int64_t d)
{
    return n / d - (n % d < 0);
}


/*
 * Days since the epoch of a date of the Gregorian calendar, counted in years
 * that begin in March, so that the leap day comes last.
 */
static int64_t
ig_civil_days(int64_t year, int month, int day)
{
    int64_t  y;

    y = month > 2 ? year : year - 1;
    month = month > 2 ? month - 3 : month + 9;

    /* 719468 days lie between 0000-03-01 and 1970-01-01 */

    return y * 365 + ig_floor_div(y, 4) - ig_floor_div(y, 100)
           + ig_floor_div(y, 400) + (153 * month + 2) / 5 + day - 1 - 719468;
}


static void
ig_civil(int64_t ms, ig_zone_t zone, ig_civil_t *c)
{
    int64_t  days, second, year, left, month;

    days = ig_floor_div(ms + zone, IG_DAY_MS);
    second = (ms + zone - days * IG_DAY_MS) / 1000;

    c->hour = (int) (second / 3600);
    c->minute = (int) (second / 60 % 60);
    c->second = (int) (second % 60);

    /* near enough: one year to either side is tried */

    year = 1970 + ig_floor_div(days * 400, 146097);

    while (ig_civil_days(year + 1, 3, 1) <= days) {
        year++;
    }

    while (ig_civil_days(year, 3, 1) > days) {
        year--;
    }

    left = days - ig_civil_days(year, 3, 1);
    month = (5 * left + 2) / 153;

    c->day = (int) (left - (153 * month + 2) / 5 + 1);
    c->month = (int) (month < 10 ? month + 3 : month - 9);
    c->year = (int) (month < 10 ? year : year + 1);
}


/* -- reading ------------------------------------------------------------- */


bool
ig_zone_read(ig_str_t text, ig_zone_t *zone)
{
    uint64_t  hours, minutes;

    if (ig_str_eq(text, ig_str("UTC")) || ig_str_eq(text, ig_str("Z"))) {
        *zone = 0;
        return true;
    }

    if (text.len != 6 || text.data[3] != ':'
        || (text.data[0] != '+' && text.data[0] != '-')
        || !ig_parse_uint((ig_str_t) { 2, text.data + 1 }, 14, &hours)
        || !ig_parse_uint((ig_str_t) { 2, text.data + 4 }, 59, &minutes))
    {
        return false;
    }

    *zone = (ig_zone_t) (hours * 60 + minutes) * (ig_zone_t) IG_MINUTE_MS;

    if (text.data[0] == '-') {
        *zone = -*zone;
    }

    return *zone >= -12 * IG_HOUR_MS && *zone <= 14 * IG_HOUR_MS;
}


bool
ig_day_read(ig_str_t text, ig_zone_t zone, int64_t *ms)
{
    int64_t     start;
    uint64_t    year, month, day;
    ig_civil_t  back;

    if (text.len != 10 || text.data[4] != '-' || text.data[7] != '-'
        || !ig_parse_uint((ig_str_t) { 4, text.data }, IG_YEAR_LAST, &year)
        || !ig_parse_uint((ig_str_t) { 2, text.data + 5 }, 12, &month)
        || !ig_parse_uint((ig_str_t) { 2, text.data + 8 }, 31, &day)
        || month == 0 || day == 0)
    {
        return false;
    }

    start = ig_civil_days((int64_t) year, (int) month, (int) day) * IG_DAY_MS
            - zone;

    /* 31 February would come back as a day of March */

    ig_civil(start, zone, &back);

    *ms = start;

    return start >= 0 && back.day == (int) day;
}


int64_t
ig_day_start(int64_t ms, ig_zone_t zone)
{
    return ig_floor_div(ms + zone, IG_DAY_MS) * IG_DAY_MS - zone;
}


/* -- writing ------------------------------------------------------------- */


void
ig_zone_write(ig_buf_t *b, ig_zone_t zone)
{
    int   n, minutes;
    char  text[IG_CALENDAR_TEXT];

    if (zone == 0) {
        ig_buf_lit(b, "UTC");
        return;
    }

    minutes = (int) ((zone < 0 ? -zone : zone) / IG_MINUTE_MS);

    n = snprintf(text, sizeof(text), "UTC%c%02d:%02d", zone < 0 ? '-' : '+',
                 minutes / 60, minutes % 60);
    ig_buf_bytes(b, text, (size_t) n);
}


void
ig_when_write(ig_buf_t *b, int64_t ms, ig_zone_t zone, ig_when_form_e form)
{
    int                n;
    char               text[64];
    ig_civil_t         c;
    static const char  months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

    ig_civil(ms, zone, &c);

    if (c.year < 0 || c.year > IG_YEAR_LAST) {
        ig_buf_char(b, '?');
        return;
    }

    switch (form) {

    case IG_WRITE_SHORT_DAY:
        n = snprintf(text, sizeof(text), "%d %.3s", c.day,
                     months + 3 * (c.month - 1));
        break;

    case IG_WRITE_CLOCK:
        n = snprintf(text, sizeof(text), "%02d:%02d", c.hour, c.minute);
        break;

    default:
        n = snprintf(text, sizeof(text), "%04d-%02d-%02d", c.year, c.month,
                     c.day);

        if (form != IG_WRITE_DAY) {
            n += snprintf(text + n, sizeof(text) - (size_t) n, " %02d:%02d",
                          c.hour, c.minute);
        }

        if (form == IG_WRITE_SECOND) {
            n += snprintf(text + n, sizeof(text) - (size_t) n, ":%02d",
                          c.second);
        }
    }

    ig_buf_bytes(b, text, (size_t) n);
}
