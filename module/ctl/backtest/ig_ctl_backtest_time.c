/*
 * ig_ctl_backtest_time.c: times of events: seconds since the epoch, RFC 3339.
 * Owns nothing, pure: no clock, no locale, no time zone of the machine.
 * Called by ig_ctl_backtest_event.c.
 */

#include "ig_ctl_backtest_time.h"

#include <math.h>

#define IG_TIME_DAY  INT64_C(86400)


/* What is left of a text while it is read. */
typedef struct {
    ig_str_t  rest;
    bool      wrong;
} ig_time_reader_t;


/* Exactly n digits, at most `most`. */
static int
ig_time_digits(ig_time_reader_t *r, unsigned n, int most)
{
    int       value;
    unsigned  i;

    if (r->rest.len < n) {
        r->wrong = true;
        return 0;
    }

    for (i = 0, value = 0; i < n; i++) {
        if (r->rest.data[i] < '0' || r->rest.data[i] > '9') {
            r->wrong = true;
            return 0;
        }

        value = value * 10 + (r->rest.data[i] - '0');
    }

    r->rest.data += n;
    r->rest.len -= n;
    r->wrong |= (value > most);

    return value;
}


/* One character of `any`; 0 where there is none of them. */
static char
ig_time_one_of(ig_time_reader_t *r, const char *any)
{
    char  c;

    for ( ; r->rest.len && *any; any++) {
        if (r->rest.data[0] == *any) {
            c = *any;
            r->rest.data++;
            r->rest.len--;
            return c;
        }
    }

    return 0;
}


static void
ig_time_expect(ig_time_reader_t *r, const char *any)
{
    r->wrong |= (ig_time_one_of(r, any) == 0);
}


/* Milliseconds of ".123456"; later digits are cut off. */
static int
ig_time_fraction(ig_time_reader_t *r)
{
    int       ms, weight;

    if (ig_time_one_of(r, ".") == 0) {
        return 0;
    }

    ms = ig_time_digits(r, 1, 9) * 100;
    weight = 10;

    while (r->rest.len && r->rest.data[0] >= '0' && r->rest.data[0] <= '9') {
        ms += (r->rest.data[0] - '0') * weight;
        weight /= 10;

        r->rest.data++;
        r->rest.len--;
    }

    return ms;
}


/* Seconds east of UTC. */
static int
ig_time_offset(ig_time_reader_t *r)
{
    int   hours, minutes;
    char  sign;

    sign = ig_time_one_of(r, "Zz+-");

    if (sign == 'Z' || sign == 'z') {
        return 0;
    }

    r->wrong |= (sign == 0);

    hours = ig_time_digits(r, 2, 23);
    ig_time_expect(r, ":");
    minutes = ig_time_digits(r, 2, 59);

    return (sign == '-' ? -60 : 60) * (hours * 60 + minutes);
}


static bool
ig_time_leap_year(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}


static int
ig_time_month_days(int year, int month)
{
    static const int  days[] = {
        31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31
    };

    return days[month - 1] + (month == 2 && ig_time_leap_year(year));
}


/* Days since the epoch; the proleptic Gregorian calendar. */
static int64_t
ig_time_days(int year, int month, int day)
{
    int      m;
    int64_t  days, y;

    y = year - 1;
    days = y * 365 + y / 4 - y / 100 + y / 400;

    for (m = 1; m < month; m++) {
        days += ig_time_month_days(year, m);
    }

    /* 719162 days lie between 0001-01-01 and 1970-01-01 */

    return days + day - 1 - 719162;
}


bool
ig_time_rfc3339(ig_str_t text, int64_t *ms)
{
    int               year, month, day, hour, minute, second, fraction;
    int64_t           seconds;
    ig_time_reader_t  r = { text, false };

    year = ig_time_digits(&r, 4, 9999);
    ig_time_expect(&r, "-");
    month = ig_time_digits(&r, 2, 12);
    ig_time_expect(&r, "-");
    day = ig_time_digits(&r, 2, 31);
    ig_time_expect(&r, "Tt ");
    hour = ig_time_digits(&r, 2, 23);
    ig_time_expect(&r, ":");
    minute = ig_time_digits(&r, 2, 59);
    ig_time_expect(&r, ":");
    second = ig_time_digits(&r, 2, 60);
    fraction = ig_time_fraction(&r);
    seconds = -(int64_t) ig_time_offset(&r);

    if (r.wrong || r.rest.len || year == 0 || month == 0 || day == 0
        || day > ig_time_month_days(year, month))
    {
        return false;
    }

    seconds += ig_time_days(year, month, day) * IG_TIME_DAY
               + hour * 3600 + minute * 60 + second;

    *ms = seconds * 1000 + fraction;

    return seconds >= 0 && seconds <= (int64_t) IG_TIME_LAST;
}


bool
ig_time_value(const ig_value_t *value, int64_t *ms)
{
    double  seconds;

    if (value->type == IG_NUMBER) {
        seconds = value->num;

    } else if (value->type != IG_STRING) {
        return false;

    } else if (!ig_parse_number(value->str, &seconds)) {
        return ig_time_rfc3339(value->str, ms);
    }

    /* written so that not-a-number fails */

    if (!(seconds >= 0 && seconds <= IG_TIME_LAST)) {
        return false;
    }

    *ms = (int64_t) round(seconds * 1000);

    return true;
}
