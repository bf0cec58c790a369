/*
 * ig_buf.c: plain bytes, integers, numbers, times and encodings into a
 * bounded buffer.  Owns nothing: the memory is the caller's.
 * Called by events, answers, status pages, canonical texts.
 */

#include "ig_buf.h"
#include "ig_number.h"

#include <math.h>
#include <string.h>


#define IG_DAY_MS  86400000


void
ig_buf_init(ig_buf_t *b, char *memory, size_t size)
{
    b->start = memory;
    b->pos = memory;
    b->end = memory + size;
    b->full = false;
}


ig_str_t
ig_buf_str(const ig_buf_t *b)
{
    return (ig_str_t) { (size_t) (b->pos - b->start), b->start };
}


void
ig_buf_bytes(ig_buf_t *b, const char *data, size_t len)
{
    if (len > (size_t) (b->end - b->pos)) {
        b->full = true;
        return;
    }

    if (len != 0) {
        memcpy(b->pos, data, len);
        b->pos += len;
    }
}


void
ig_buf_str_add(ig_buf_t *b, ig_str_t s)
{
    ig_buf_bytes(b, s.data, s.len);
}


void
ig_buf_char(ig_buf_t *b, char c)
{
    ig_buf_bytes(b, &c, 1);
}


void
ig_buf_u64(ig_buf_t *b, uint64_t n)
{
    char  text[20], *p;

    p = text + sizeof(text);

    do {
        *--p = (char) ('0' + n % 10);
        n /= 10;
    } while (n != 0);

    ig_buf_bytes(b, p, (size_t) (text + sizeof(text) - p));
}


void
ig_buf_i64(ig_buf_t *b, int64_t n)
{
    char      text[21];
    ig_buf_t  whole;

    if (n >= 0) {
        ig_buf_u64(b, (uint64_t) n);
        return;
    }

    /* sign and digits are dropped together where they do not fit */
    ig_buf_init(&whole, text, sizeof(text));
    ig_buf_char(&whole, '-');
    ig_buf_u64(&whole, - (uint64_t) n);

    ig_buf_str_add(b, ig_buf_str(&whole));
}


/* In the largest unit that is exact. */
void
ig_buf_duration(ig_buf_t *b, int64_t ms)
{
    unsigned  i;

    static const struct {
        int64_t   ms;
        ig_str_t  suffix;
    } unit[] = {
        { 86400000, ig_string("d") },
        { 3600000,  ig_string("h") },
        { 60000,    ig_string("m") },
        { 1000,     ig_string("s") },
        { 1,        ig_string("ms") }
    };

    if (ms == 0) {
        ig_buf_char(b, '0');
        return;
    }

    for (i = 0; ms % unit[i].ms != 0; i++) { /* void */ }

    ig_buf_i64(b, ms / unit[i].ms);
    ig_buf_str_add(b, unit[i].suffix);
}


/*
 * The fraction 0 <= f < 1 in millionths, rounded as printf's "%.6f" rounds:
 * by the exact value of the double, half to even.
 */
static uint64_t
ig_millionths(double f)
{
    bool    up;
    double  scaled, whole, rest, lost;

    scaled = f * 1e6;
    whole = floor(scaled);
    rest = scaled - whole;
    up = rest > 0.5;

    if (rest == 0.5) {
        /* a tie, or a product which was rounded to one */
        lost = fma(f, 1e6, - scaled);
        up = lost > 0 || (lost == 0 && fmod(whole, 2) != 0);
    }

    return (uint64_t) whole + (up ? 1 : 0);
}


static void
ig_buf_decimals(ig_buf_t *b, uint64_t millionths)
{
    char      text[7];
    unsigned  i, len;

    if (millionths == 0) {
        return;
    }

    for (i = 6; i > 0; i--) {
        text[i] = (char) ('0' + millionths % 10);
        millionths /= 10;
    }

    text[0] = '.';

    for (len = 7; text[len - 1] == '0'; len--) { /* void */ }

    ig_buf_bytes(b, text, len);
}


void
ig_buf_number(ig_buf_t *b, double n)
{
    char      text[IG_NUMBER_TEXT];
    double    size, whole;
    uint64_t  integer, millionths;
    ig_buf_t  number;

    if (!isfinite(n)) {
        ig_buf_lit(b, "null");
        return;
    }

    size = fabs(n);

    if (size >= 1e15) {
        ig_buf_bytes(b, text, ig_number_text(n, text));
        return;
    }

    whole = floor(size);
    integer = (uint64_t) whole;
    millionths = ig_millionths(size - whole);

    if (millionths == 1000000) {
        integer++;
        millionths = 0;
    }

    ig_buf_init(&number, text, sizeof(text));

    if (n < 0 && (integer != 0 || millionths != 0)) {
        ig_buf_char(&number, '-');
    }

    ig_buf_u64(&number, integer);
    ig_buf_decimals(&number, millionths);

    ig_buf_str_add(b, ig_buf_str(&number));
}


void
ig_buf_base64url(ig_buf_t *b, const uint8_t *data, size_t len)
{
    char      *p;
    size_t     size, i;
    uint32_t   bits;

    static const char  alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    size = len / 3 * 4 + (len % 3 != 0 ? len % 3 + 1 : 0);

    if (size > (size_t) (b->end - b->pos)) {
        b->full = true;
        return;
    }

    p = b->pos;

    for (i = 0; i + 2 < len; i += 3) {
        bits = (uint32_t) data[i] << 16 | (uint32_t) data[i + 1] << 8
               | data[i + 2];
        *p++ = alphabet[bits >> 18];
        *p++ = alphabet[bits >> 12 & 63];
        *p++ = alphabet[bits >> 6 & 63];
        *p++ = alphabet[bits & 63];
    }

    if (i < len) {
        bits = (uint32_t) data[i] << 16;
        *p++ = alphabet[bits >> 18];

        if (i + 1 < len) {
            bits |= (uint32_t) data[i + 1] << 8;
            *p++ = alphabet[bits >> 12 & 63];
            *p++ = alphabet[bits >> 6 & 63];

        } else {
            *p++ = alphabet[bits >> 12 & 63];
        }
    }

    b->pos = p;
}


void
ig_buf_hex(ig_buf_t *b, const uint8_t *data, size_t len)
{
    size_t  i;

    static const char  digit[] = "0123456789abcdef";

    if (len > (size_t) (b->end - b->pos) / 2) {
        b->full = true;
        return;
    }

    for (i = 0; i < len; i++) {
        *b->pos++ = digit[data[i] >> 4];
        *b->pos++ = digit[data[i] & 15];
    }
}


/* n in exactly `width` digits, from the right; returns what is left of n. */
static uint64_t
ig_digits(char *p, unsigned width, uint64_t n)
{
    while (width > 0) {
        p[--width] = (char) ('0' + n % 10);
        n /= 10;
    }

    return n;
}


/*
 * Year, month and day of a day counted from 1970-01-01.  Years are taken to
 * begin in March, so that the leap day is the last one, and are counted from
 * the start of a 400-year cycle, 146097 days long.
 */
static int64_t
ig_civil(int64_t days, unsigned *month, unsigned *day)
{
    int64_t  cycle, year, of_cycle, of_year, shifted;

    days += 719468;                         /* since 0000-03-01 */
    cycle = (days >= 0 ? days : days - 146096) / 146097;
    of_cycle = days - cycle * 146097;

    year = (of_cycle - of_cycle / 1460 + of_cycle / 36524
            - of_cycle / 146096) / 365;
    of_year = of_cycle - (365 * year + year / 4 - year / 100);

    shifted = (5 * of_year + 2) / 153;      /* 0: March */
    *day = (unsigned) (of_year - (153 * shifted + 2) / 5 + 1);
    *month = (unsigned) (shifted < 10 ? shifted + 3 : shifted - 9);

    return year + cycle * 400 + (*month <= 2 ? 1 : 0);
}


void
ig_buf_time(ig_buf_t *b, int64_t ms)
{
    char      text[40];
    int64_t   days, year;
    uint64_t  rest;
    unsigned  month, day;
    ig_buf_t  time;

    days = ms / IG_DAY_MS;

    if (ms % IG_DAY_MS < 0) {
        days--;                             /* before 1970, too: downwards */
    }

    rest = (uint64_t) ms - (uint64_t) days * IG_DAY_MS;
    year = ig_civil(days, &month, &day);

    ig_buf_init(&time, text, sizeof(text));

    if (year >= 0 && year <= 9999) {
        (void) ig_digits(time.pos, 4, (uint64_t) year);
        time.pos += 4;

    } else {
        ig_buf_i64(&time, year);
    }

    memcpy(time.pos, "-00-00T00:00:00.000Z", 20);
    (void) ig_digits(time.pos + 1, 2, month);
    (void) ig_digits(time.pos + 4, 2, day);
    rest = ig_digits(time.pos + 16, 3, rest);
    (void) ig_digits(time.pos + 13, 2, rest % 60);
    (void) ig_digits(time.pos + 10, 2, rest / 60 % 60);
    (void) ig_digits(time.pos + 7, 2, rest / 3600);
    time.pos += 20;

    ig_buf_str_add(b, ig_buf_str(&time));
}
