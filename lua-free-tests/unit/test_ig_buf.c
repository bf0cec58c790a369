/*
 * test_ig_buf.c: what the bounded writer writes, and what it drops.
 * Owns nothing.  Run by the unit tests' runner.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ig_buf.h"


static char      memory[4096];
static ig_buf_t  buf;


static void
fresh(size_t size)
{
    assert_true(size <= sizeof(memory));
    memset(memory, '#', sizeof(memory));
    ig_buf_init(&buf, memory, size);
}


static void
holds(const char *expected, size_t len)
{
    ig_str_t  s;

    s = ig_buf_str(&buf);

    if (s.len != len || memcmp(s.data, expected, len) != 0) {
        fail_msg("\"%.*s\" instead of \"%.*s\"", ig_fmt(s), (int) len,
                 expected);
    }

    assert_false(buf.full);
}


#define assert_holds(text)  holds(text, strlen(text))


static void
test_bytes(void **state)
{
    (void) state;

    fresh(16);
    ig_buf_lit(&buf, "abc");
    ig_buf_char(&buf, '-');
    ig_buf_str_add(&buf, ig_str("d\0e"));
    ig_buf_str_add(&buf, (ig_str_t) { 0, NULL });
    holds("abc-d\0e", 7);
}


/* Every writer: fits exactly, or leaves no byte and says so. */

static void w_bytes(ig_buf_t *b) { ig_buf_bytes(b, "abcdef", 6); }
static void w_char(ig_buf_t *b) { ig_buf_char(b, 'x'); }
static void w_u64(ig_buf_t *b) { ig_buf_u64(b, UINT64_MAX); }
static void w_i64(ig_buf_t *b) { ig_buf_i64(b, INT64_MIN); }
static void w_number(ig_buf_t *b) { ig_buf_number(b, -1234.5); }
static void w_null(ig_buf_t *b) { ig_buf_number(b, NAN); }
static void w_json(ig_buf_t *b) { ig_buf_json(b, ig_str("ab\ncd")); }
static void w_time(ig_buf_t *b) { ig_buf_time(b, 0); }

static void
w_string(ig_buf_t *b)
{
    ig_buf_json_string(b, ig_str("\"twelve\x01"));
}

static void
w_base64url(ig_buf_t *b)
{
    ig_buf_base64url(b, (const uint8_t *) "abcde", 5);
}

static void
w_base64url3(ig_buf_t *b)
{
    ig_buf_base64url(b, (const uint8_t *) "abc", 3);
}

static void
w_base64url4(ig_buf_t *b)
{
    ig_buf_base64url(b, (const uint8_t *) "abcd", 4);
}

static void
w_hex(ig_buf_t *b)
{
    ig_buf_hex(b, (const uint8_t *) "abc", 3);
}


static void
test_full(void **state)
{
    size_t  i, size;

    static const struct {
        void    (*write)(ig_buf_t *b);
        size_t    len;
    } writers[] = {
        { w_bytes, 6 }, { w_char, 1 }, { w_u64, 20 }, { w_i64, 20 },
        { w_number, 7 }, { w_null, 4 }, { w_json, 6 }, { w_time, 24 },
        { w_string, 16 }, { w_base64url, 7 }, { w_base64url3, 4 },
        { w_base64url4, 6 }, { w_hex, 6 },
    };

    (void) state;

    for (i = 0; i < ig_countof(writers); i++) {

        for (size = 0; size < writers[i].len; size++) {
            fresh(size);
            writers[i].write(&buf);

            assert_true(buf.full);
            assert_int_equal(ig_buf_str(&buf).len, 0);
            assert_int_equal(memory[size], '#');
        }

        fresh(writers[i].len);
        writers[i].write(&buf);

        assert_false(buf.full);
        assert_int_equal(ig_buf_str(&buf).len, writers[i].len);
        assert_int_equal(memory[writers[i].len], '#');
    }
}


static void
test_full_stays(void **state)
{
    (void) state;

    fresh(4);
    ig_buf_lit(&buf, "12345");
    ig_buf_json_string(&buf, ig_str("a"));
    assert_true(buf.full);

    fresh(4);
    ig_buf_lit(&buf, "12345");
    ig_buf_json(&buf, ig_str("a"));
    assert_true(buf.full);
}


static void
test_integers(void **state)
{
    (void) state;

    fresh(200);
    ig_buf_u64(&buf, 0);
    ig_buf_char(&buf, ' ');
    ig_buf_u64(&buf, 10);
    ig_buf_char(&buf, ' ');
    ig_buf_u64(&buf, UINT64_MAX);
    ig_buf_char(&buf, ' ');
    ig_buf_i64(&buf, 0);
    ig_buf_char(&buf, ' ');
    ig_buf_i64(&buf, -1);
    ig_buf_char(&buf, ' ');
    ig_buf_i64(&buf, INT64_MIN);
    ig_buf_char(&buf, ' ');
    ig_buf_i64(&buf, INT64_MAX);

    assert_holds("0 10 18446744073709551615 0 -1 -9223372036854775808 "
                 "9223372036854775807");
}


static void
test_number(void **state)
{
    size_t  i;

    static const struct {
        double       n;
        const char  *text;
    } cases[] = {
        { 0, "0" },
        { -0.0, "0" },
        { 1, "1" },
        { -1, "-1" },
        { 42, "42" },
        { 1.5, "1.5" },
        { -1.5, "-1.5" },
        { 0.1, "0.1" },
        { 0.1 + 0.2, "0.3" },
        { 1.0 / 3, "0.333333" },
        { 2.0 / 3, "0.666667" },
        { -2.0 / 3, "-0.666667" },
        { 0.000001, "0.000001" },
        { 0.0000004, "0" },
        { -0.0000004, "0" },
        { -0.0000006, "-0.000001" },
        { 0.9999996, "1" },
        { 9.9999996, "10" },
        { 0.0009765625, "0.000977" },
        { 1234567.890125, "1234567.890125" },
        { 999999999999999.5, "999999999999999.5" },
        { 999999999999999.0, "999999999999999" },
        { 1e15, "1000000000000000" },
        { -1e15, "-1000000000000000" },
        { 9007199254740993.0, "9007199254740992" },
        { 1.5e20, "150000000000000000000" },
        { 1e21, "1e21" },
        { -1.25e300, "-1.25e300" },
        { NAN, "null" },
        { INFINITY, "null" },
        { -INFINITY, "null" },
    };

    (void) state;

    for (i = 0; i < ig_countof(cases); i++) {
        fresh(64);
        ig_buf_number(&buf, cases[i].n);
        assert_holds(cases[i].text);
    }
}


/* Against printf, where six decimals lie about a tie. */
static void
test_number_rounds_as_printf(void **state)
{
    char      text[64], *end;
    double    n;
    unsigned  i;

    (void) state;

    for (i = 0; i < 200000; i++) {
        /* steps of half a millionth, and of 1/2^k, which are true ties */
        n = i % 2 != 0 ? i * 0.0000005 : i / 128.0 / 1024 / 1024;
        n += i % 5;

        (void) snprintf(text, sizeof(text), "%.6f", n);

        for (end = text + strlen(text); end[-1] == '0'; end--) { /* void */ }

        *(end[-1] == '.' ? end - 1 : end) = '\0';

        fresh(64);
        ig_buf_number(&buf, n);
        assert_holds(text);
    }
}


static void
test_time(void **state)
{
    size_t  i;

    static const struct {
        int64_t      ms;
        const char  *text;
    } cases[] = {
        { 0, "1970-01-01T00:00:00.000Z" },
        { 1, "1970-01-01T00:00:00.001Z" },
        { -1, "1969-12-31T23:59:59.999Z" },
        { -1000, "1969-12-31T23:59:59.000Z" },
        { -86400000, "1969-12-31T00:00:00.000Z" },
        { INT64_C(1795435200123), "2026-11-23T12:00:00.123Z" },
        { INT64_C(951782400000), "2000-02-29T00:00:00.000Z" },
        { INT64_C(951868799999), "2000-02-29T23:59:59.999Z" },
        { INT64_C(951868800000), "2000-03-01T00:00:00.000Z" },
        { INT64_C(1709164800000), "2024-02-29T00:00:00.000Z" },
        { INT64_C(1735689599999), "2024-12-31T23:59:59.999Z" },
        { INT64_C(1735689600000), "2025-01-01T00:00:00.000Z" },
        { INT64_C(4107542400000), "2100-03-01T00:00:00.000Z" },
        { INT64_C(4107456000000), "2100-02-28T00:00:00.000Z" },
        { INT64_C(-2203891200000), "1900-03-01T00:00:00.000Z" },
        { INT64_C(-2203977600000), "1900-02-28T00:00:00.000Z" },
        { INT64_C(-62167219200000), "0000-01-01T00:00:00.000Z" },
        { INT64_C(253402300799999), "9999-12-31T23:59:59.999Z" },
        { INT64_C(253402300800000), "10000-01-01T00:00:00.000Z" },
        { INT64_C(-62167219200001), "-1-12-31T23:59:59.999Z" },
        { INT64_MAX, "292278994-08-17T07:12:55.807Z" },
        { INT64_MIN, "-292275055-05-16T16:47:04.192Z" },
    };

    (void) state;

    for (i = 0; i < ig_countof(cases); i++) {
        fresh(64);
        ig_buf_time(&buf, cases[i].ms);
        assert_holds(cases[i].text);
    }
}


/* Each day of four centuries follows the one before it. */
static void
test_time_calendar(void **state)
{
    int          y, m, d, days;
    int64_t      day;
    char         text[64];

    static const int  length[] = { 31, 28, 31, 30, 31, 30,
                                   31, 31, 30, 31, 30, 31 };

    (void) state;

    day = -25567;                       /* 1900-01-01 */

    for (y = 1900; y < 2300; y++) {
        for (m = 1; m <= 12; m++) {

            days = length[m - 1];
            days += m == 2 && y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);

            for (d = 1; d <= days; d++, day++) {
                (void) snprintf(text, sizeof(text),
                                "%04d-%02d-%02dT06:07:08.009Z", y, m, d);
                fresh(64);
                ig_buf_time(&buf, day * 86400000 + 22028009);
                assert_holds(text);
            }
        }
    }
}


static void
test_base64url(void **state)
{
    size_t  i;

    /* RFC 4648, section 10, without padding; and the two other letters */
    static const struct {
        const char  *data;
        const char  *text;
    } cases[] = {
        { "", "" },
        { "f", "Zg" },
        { "fo", "Zm8" },
        { "foo", "Zm9v" },
        { "foob", "Zm9vYg" },
        { "fooba", "Zm9vYmE" },
        { "foobar", "Zm9vYmFy" },
        { "\xfb\xef\xbe", "----" },
        { "\xff\xff\xff", "____" },
        { "\xff", "_w" },
        { "\xff\xff", "__8" },
    };

    (void) state;

    for (i = 0; i < ig_countof(cases); i++) {
        fresh(64);
        ig_buf_base64url(&buf, (const uint8_t *) cases[i].data,
                         strlen(cases[i].data));
        assert_holds(cases[i].text);
    }
}


static void
test_hex(void **state)
{
    (void) state;

    fresh(64);
    ig_buf_hex(&buf, (const uint8_t *) "\x00\x01\x9a\xff\x7f", 5);
    assert_holds("00019aff7f");

    fresh(64);
    ig_buf_hex(&buf, NULL, 0);
    assert_holds("");
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_full_stays),
        cmocka_unit_test(test_integers),
        cmocka_unit_test(test_number),
        cmocka_unit_test(test_number_rounds_as_printf),
        cmocka_unit_test(test_time),
        cmocka_unit_test(test_time_calendar),
        cmocka_unit_test(test_base64url),
        cmocka_unit_test(test_hex),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
