/*
 * ig_number.c: doubles from decimal text and back.  The C library rounds;
 * what depends on the locale (the decimal point) never reaches it.
 * Owns nothing.  Called by the buffer writer and by values.
 */

#include "ig_number.h"
#include "ig_value.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


/*
 * No double needs more than 767 significant digits to be told from the middle
 * between two others; of more, it only matters whether all are zero.
 */
#define IG_SIGNIFICANT  768

/* digit[0..n) times 10^exponent; no leading zeros, so n is 0 for zero. */
typedef struct {
    char      digit[IG_SIGNIFICANT + 1];
    size_t    n;
    int64_t   exponent;
    bool      rest;             /* a dropped digit was not zero */
} ig_decimal_t;


static bool
ig_is_digit(char c)
{
    return c >= '0' && c <= '9';
}


/* Takes a run of digits, at least one; returns its end, or NULL. */
static const char *
ig_decimal_run(ig_decimal_t *d, const char *p, const char *end, bool fraction)
{
    if (p == end || !ig_is_digit(*p)) {
        return NULL;
    }

    for (; p < end && ig_is_digit(*p); p++) {

        if (d->n == IG_SIGNIFICANT) {
            d->rest |= *p != '0';
            d->exponent += fraction ? 0 : 1;
            continue;
        }

        if (d->n != 0 || *p != '0') {
            d->digit[d->n++] = *p;
        }

        d->exponent -= fraction ? 1 : 0;
    }

    return p;
}


/* Takes what follows an 'e'; returns its end, or NULL. */
static const char *
ig_decimal_exponent(ig_decimal_t *d, const char *p, const char *end)
{
    bool     negative;
    int64_t  n;

    negative = p < end && *p == '-';

    if (p < end && (*p == '-' || *p == '+')) {
        p++;
    }

    if (p == end || !ig_is_digit(*p)) {
        return NULL;
    }

    for (n = 0; p < end && ig_is_digit(*p); p++) {
        if (n < INT64_C(1000000000000000)) {
            n = n * 10 + (*p - '0');
        }
    }

    d->exponent += negative ? - n : n;

    return p;
}


/* False where the magnitude is past the largest double. */
static bool
ig_decimal_value(ig_decimal_t *d, double *value)
{
    size_t    i;
    char      text[IG_SIGNIFICANT + 32];
    uint64_t  integer;

    static const double  power[] = {
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12,
        1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22
    };

    *value = 0;

    if (d->n == 0 || d->exponent < - IG_SIGNIFICANT - 400) {
        return true;
    }

    if (d->exponent > 400) {
        return false;
    }

    /* both operands are exact doubles, so one operation rounds correctly */

    if (FLT_EVAL_METHOD == 0 && d->n <= 15 && d->exponent >= -22
        && d->exponent <= 22)
    {
        for (integer = 0, i = 0; i < d->n; i++) {
            integer = integer * 10 + (uint64_t) (d->digit[i] - '0');
        }

        *value = d->exponent < 0
                 ? (double) integer / power[- d->exponent]
                 : (double) integer * power[d->exponent];
        return true;
    }

    if (d->rest) {
        d->digit[d->n++] = '1';
        d->exponent--;
    }

    (void) snprintf(text, sizeof(text), "%.*se%d", (int) d->n, d->digit,
                    (int) d->exponent);
    *value = strtod(text, NULL);

    return isfinite(*value);
}


bool
ig_parse_number(ig_str_t s, double *n)
{
    bool           negative;
    double         value;
    const char    *p, *end;
    ig_decimal_t   d;

    if (s.len == 0) {
        return false;
    }

    p = s.data;
    end = s.data + s.len;

    negative = *p == '-';
    p += negative ? 1 : 0;

    d.n = 0;
    d.exponent = 0;
    d.rest = false;

    p = ig_decimal_run(&d, p, end, false);

    if (p != NULL && p < end && *p == '.') {
        p = ig_decimal_run(&d, p + 1, end, true);
    }

    if (p != NULL && p < end && (*p == 'e' || *p == 'E')) {
        p = ig_decimal_exponent(&d, p + 1, end);
    }

    if (p != end || !ig_decimal_value(&d, &value)) {
        return false;
    }

    *n = negative && value != 0 ? - value : value;

    return true;
}


/* 0 < n as `precision` significant digits, without trailing zeros. */
static void
ig_decimal_round(ig_decimal_t *d, double n, int precision)
{
    char   text[IG_NUMBER_TEXT], *p;

    (void) snprintf(text, sizeof(text), "%.*e", precision - 1, n);

    d->n = 0;

    /* past the decimal point, whatever the locale makes it */
    for (p = text; *p != 'e'; p++) {
        if (ig_is_digit(*p)) {
            d->digit[d->n++] = *p;
        }
    }

    while (d->n > 1 && d->digit[d->n - 1] == '0') {
        d->n--;
    }

    d->exponent = strtol(p + 1, NULL, 10) - (int64_t) (d->n - 1);
    d->rest = false;
}


static size_t
ig_decimal_text(const ig_decimal_t *d, char text[IG_NUMBER_TEXT])
{
    int       point;            /* digits before the decimal point */
    size_t    n;
    ig_buf_t  b;

    n = d->n;
    point = (int) n + (int) d->exponent;
    ig_buf_init(&b, text, IG_NUMBER_TEXT);

    if (point > 21 || point <= -6) {
        ig_buf_bytes(&b, d->digit, 1);

        if (n > 1) {
            ig_buf_char(&b, '.');
            ig_buf_bytes(&b, d->digit + 1, n - 1);
        }

        ig_buf_char(&b, 'e');
        ig_buf_i64(&b, point - 1);

    } else if (point <= 0) {
        ig_buf_lit(&b, "0.");
        ig_buf_bytes(&b, "00000", (size_t) - point);
        ig_buf_bytes(&b, d->digit, n);

    } else if ((size_t) point >= n) {
        ig_buf_bytes(&b, d->digit, n);
        ig_buf_bytes(&b, "00000000000000000000", (size_t) point - n);

    } else {
        ig_buf_bytes(&b, d->digit, (size_t) point);
        ig_buf_char(&b, '.');
        ig_buf_bytes(&b, d->digit + point, n - (size_t) point);
    }

    return ig_buf_str(&b).len;
}


size_t
ig_number_text(double n, char text[IG_NUMBER_TEXT])
{
    int           precision;
    size_t        sign;
    double        size, back;
    ig_buf_t      b;
    ig_decimal_t  d;

    if (fabs(n) < 1e15 && n == trunc(n)) {
        ig_buf_init(&b, text, IG_NUMBER_TEXT);
        ig_buf_i64(&b, (int64_t) n);
        return ig_buf_str(&b).len;
    }

    size = fabs(n);

    /* any 15 digits survive the way through a double; not a subnormal one */

    for (precision = size < DBL_MIN ? 1 : 15; precision < 17; precision++) {
        ig_decimal_round(&d, size, precision);

        if (ig_decimal_value(&d, &back) && back == size) {
            break;
        }
    }

    if (precision == 17) {
        ig_decimal_round(&d, size, precision);
    }

    sign = n < 0 ? 1 : 0;
    text[0] = '-';

    return sign + ig_decimal_text(&d, text + sign);
}
