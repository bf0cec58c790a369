/*
 * ig_value.c: values as keys, and the readers of durations, integers and
 * names that configuration shares.
 * Owns nothing.  Called by the expression language, fields and counters.
 */

#include "ig_value.h"
#include "ig_number.h"

#include <math.h>
#include <string.h>


static ig_str_t
ig_number_key(const ig_value_t *v, char *scratch)
{
    if (v->str.len != 0) {
        return ig_str_eq(v->str, ig_str("-0")) ? ig_str("0") : v->str;
    }

    /* no counter or field is infinite; a key must not crash over it */
    if (!isfinite(v->num)) {
        return ig_str("");
    }

    return (ig_str_t) { ig_number_text(v->num, scratch), scratch };
}


ig_str_t
ig_value_key(const ig_value_t *v, char *scratch)
{
    switch (v->type) {

    case IG_NUMBER:
        return ig_number_key(v, scratch);

    case IG_STRING:
        return v->str;

    case IG_BOOL:
        return v->num != 0 ? ig_str("true") : ig_str("false");

    case IG_UNKNOWN:
    case IG_MISSING:
    case IG_SET:
        break;
    }

    return ig_str("");
}


bool
ig_parse_uint(ig_str_t s, uint64_t max, uint64_t *n)
{
    size_t    i;
    uint64_t  value, digit;

    if (s.len == 0) {
        return false;
    }

    for (value = 0, i = 0; i < s.len; i++) {

        if (s.data[i] < '0' || s.data[i] > '9') {
            return false;
        }

        digit = (uint64_t) (s.data[i] - '0');

        if (value > max / 10 || value * 10 > max - digit || digit > max) {
            return false;
        }

        value = value * 10 + digit;
    }

    *n = value;

    return true;
}


/* Longest first, so that "ms" is not read as months. */
typedef struct {
    ig_str_t  suffix;
    unsigned  rank;             /* descends through a duration */
    int64_t   ms;
} ig_unit_t;

static const ig_unit_t  ig_units[] = {
    { ig_string("ms"), 1, 1 },
    { ig_string("s"), 2, 1000 },
    { ig_string("m"), 3, 60 * 1000 },
    { ig_string("h"), 4, 3600 * 1000 },
    { ig_string("d"), 5, 86400 * 1000 },
    { ig_string("w"), 6, 7 * 86400 * 1000 },
    { ig_string("M"), 7, INT64_C(30) * 86400 * 1000 },
    { ig_string("y"), 8, INT64_C(365) * 86400 * 1000 },
};


static const ig_unit_t *
ig_unit(const char *p, const char *end)
{
    size_t            i;
    const ig_unit_t  *u;

    for (i = 0; i < ig_countof(ig_units); i++) {
        u = &ig_units[i];

        if ((size_t) (end - p) >= u->suffix.len
            && memcmp(p, u->suffix.data, u->suffix.len) == 0)
        {
            return u;
        }
    }

    return NULL;
}


static bool
ig_duration_add(int64_t *total, uint64_t n, int64_t ms)
{
    if (n > (uint64_t) ((INT64_MAX - *total) / ms)) {
        return false;
    }

    *total += (int64_t) n * ms;

    return true;
}


bool
ig_parse_duration(ig_str_t s, int64_t *ms)
{
    int64_t           total;
    uint64_t          n;
    unsigned          rank;
    ig_str_t          digits;
    const char       *p, *end;
    const ig_unit_t  *unit;

    if (s.len == 0) {
        return false;
    }

    total = 0;
    rank = 9;

    if (ig_parse_uint(s, INT64_MAX / 1000, &n)) {
        total = (int64_t) n * 1000;
        goto done;
    }

    p = s.data;
    end = s.data + s.len;

    while (p < end) {
        digits.data = p;

        while (p < end && *p >= '0' && *p <= '9') {
            p++;
        }

        digits.len = (size_t) (p - digits.data);
        unit = ig_unit(p, end);

        if (unit == NULL || unit->rank >= rank
            || !ig_parse_uint(digits, INT64_MAX, &n)
            || !ig_duration_add(&total, n, unit->ms))
        {
            return false;
        }

        rank = unit->rank;
        p += unit->suffix.len;
    }

done:

    if (total == 0) {
        return false;
    }

    *ms = total;

    return true;
}


static bool
ig_is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}


static bool
ig_is_digit(char c)
{
    return c >= '0' && c <= '9';
}


bool
ig_is_name(ig_str_t s)
{
    size_t  i;

    if (s.len == 0 || s.len > 64 || !ig_is_letter(s.data[0])) {
        return false;
    }

    for (i = 1; i < s.len; i++) {
        if (!ig_is_letter(s.data[i]) && !ig_is_digit(s.data[i])) {
            return false;
        }
    }

    return true;
}


bool
ig_is_action(ig_str_t s)
{
    char    c;
    size_t  i;

    if (s.len == 0 || s.len > 64) {
        return false;
    }

    for (i = 0; i < s.len; i++) {
        c = s.data[i];

        if (!(c >= 'a' && c <= 'z') && !ig_is_digit(c) && c != '.' && c != '_'
            && c != '-')
        {
            return false;
        }
    }

    return true;
}
