/*
 * test_ig_value.c: keys, and the readers of numbers, durations and names.
 * Owns nothing.  Run by the unit tests' runner.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <float.h>
#include <locale.h>
#include <math.h>
#include <string.h>

#include <cmocka.h>

#include "ig_number.h"
#include "ig_value.h"


static ig_str_t
text(const char *s)
{
    return (ig_str_t) { strlen(s), s };
}


static void
is_key(ig_value_t v, const char *expected)
{
    char      scratch[IG_KEY_TEXT];
    ig_str_t  key;

    key = ig_value_key(&v, scratch);

    if (!ig_str_eq(key, text(expected))) {
        fail_msg("\"%.*s\" instead of \"%s\"", ig_fmt(key), expected);
    }
}


static void
test_key(void **state)
{
    (void) state;

    /* 42, 42.0 and "42" are one key; so are 64-bit integers and their text */
    is_key((ig_value_t) { IG_NUMBER, 42, ig_string("42") }, "42");
    is_key((ig_value_t) { IG_NUMBER, 42.0, ig_string("") }, "42");
    is_key((ig_value_t) { IG_STRING, 0, ig_string("42") }, "42");
    is_key((ig_value_t) { IG_NUMBER, 9007199254740992.0,
                          ig_string("9007199254740993") },
           "9007199254740993");

    is_key((ig_value_t) { IG_STRING, 0, ig_string("42.0") }, "42.0");
    is_key((ig_value_t) { IG_STRING, 0, ig_string("") }, "");

    is_key((ig_value_t) { IG_NUMBER, 0, ig_string("") }, "0");
    is_key((ig_value_t) { IG_NUMBER, -0.0, ig_string("") }, "0");
    is_key((ig_value_t) { IG_NUMBER, -0.0, ig_string("-0") }, "0");

    is_key((ig_value_t) { IG_BOOL, 1, ig_string("") }, "true");
    is_key((ig_value_t) { IG_BOOL, 0, ig_string("") }, "false");

    is_key((ig_value_t) { IG_UNKNOWN, 5, ig_string("x") }, "");
    is_key((ig_value_t) { IG_MISSING, 5, ig_string("x") }, "");
    is_key((ig_value_t) { IG_SET, 5, ig_string("x") }, "");
    is_key((ig_value_t) { IG_NUMBER, NAN, ig_string("") }, "");
    is_key((ig_value_t) { IG_NUMBER, INFINITY, ig_string("") }, "");
}


static const struct {
    double       n;
    const char  *text;
} shortest[] = {
    { 1, "1" },
    { -7, "-7" },
    { 0.1, "0.1" },
    { 4.35, "4.35" },
    { -4.35, "-4.35" },
    { 0.30000000000000004, "0.30000000000000004" },
    { 1.0 / 3, "0.3333333333333333" },
    { 123456.789, "123456.789" },
    { 100, "100" },
    { 999999999999999, "999999999999999" },
    { 1e15, "1000000000000000" },
    { 1e15 + 0.5, "1000000000000000.5" },
    { 1e20, "100000000000000000000" },
    { 123456789012345680000.0, "123456789012345680000" },
    { 1e21, "1e21" },
    { 1.5e21, "1.5e21" },
    { 9007199254740993.0, "9007199254740992" },
    { 0.000001, "0.000001" },
    { 0.00000123, "0.00000123" },
    { 0.0000001, "1e-7" },
    { 0.00000015, "1.5e-7" },
    { -2.5e-9, "-2.5e-9" },
    { DBL_MAX, "1.7976931348623157e308" },
    { DBL_MIN, "2.2250738585072014e-308" },
    { DBL_TRUE_MIN, "5e-324" },
    { -1.2345678901234568e-300, "-1.2345678901234568e-300" },
};


static void
test_shortest(void **state)
{
    size_t  i;

    (void) state;

    for (i = 0; i < ig_countof(shortest); i++) {
        is_key((ig_value_t) { IG_NUMBER, shortest[i].n, ig_string("") },
               shortest[i].text);
    }
}


/* Doubles of all sizes, from a fixed xorshift, survive the way and back. */
static void
test_shortest_reads_back(void **state)
{
    char      scratch[IG_NUMBER_TEXT];
    double    n, back;
    uint64_t  bits;
    unsigned  i;
    size_t    len;

    (void) state;

    bits = UINT64_C(88172645463325252);

    for (i = 0; i < 100000; i++) {
        bits ^= bits << 13;
        bits ^= bits >> 7;
        bits ^= bits << 17;

        memcpy(&n, &bits, sizeof(n));

        if (i % 2 != 0) {
            n = (double) (bits % 1000000000) / (double) (i % 1000 + 1);
        }

        if (!isfinite(n)) {
            continue;
        }

        len = ig_number_text(n, scratch);

        assert_in_range(len, 1, IG_NUMBER_TEXT);
        assert_true(ig_parse_number((ig_str_t) { len, scratch }, &back));
        assert_true(back == n);
    }
}


static void
test_locale(void **state)
{
    size_t  i;
    double  n;

    static const char  *comma[] = { "de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8",
                                    "de_DE", "fr_FR", "ru_RU.UTF-8" };

    for (i = 0; i < ig_countof(comma); i++) {
        if (setlocale(LC_NUMERIC, comma[i]) != NULL) {
            break;
        }
    }

    if (i == ig_countof(comma)) {
        skip();                 /* the machine knows no such locale */
    }

    test_shortest(state);
    assert_true(ig_parse_number(ig_str("0.30000000000000004"), &n));
    assert_true(n == 0.30000000000000004);
    assert_false(ig_parse_number(ig_str("1,5"), &n));

    (void) setlocale(LC_NUMERIC, "C");
}


static void
test_parse_number(void **state)
{
    size_t  i;
    double  n;

    static const struct {
        const char  *text;
        double       n;
    } good[] = {
        { "0", 0 },
        { "-0", 0 },
        { "42", 42 },
        { "042", 42 },
        { "-42.50", -42.5 },
        { "0.1", 0.1 },
        { "1e3", 1000 },
        { "1E+3", 1000 },
        { "1.5e-3", 0.0015 },
        { "123456789012345", 123456789012345 },
        { "9007199254740993", 9007199254740992.0 },
        { "9007199254740993.000000001", 9007199254740994.0 },
        { "18446744073709551615", 18446744073709551616.0 },
        { "1e22", 1e22 },
        { "1e23", 1e23 },
        { "8.41e21", 8.41e21 },
        { "5e-324", DBL_TRUE_MIN },
        { "2e-324", 0 },
        { "1e-400", 0 },
        { "1e-99999999999999999999", 0 },
        { "0e99999999999999999999", 0 },
        { "1.7976931348623157e308", DBL_MAX },
        { "0.000000000000000000000000000000001e33", 1 },
    };

    static const char  *bad[] = {
        "", "-", "+1", " 1", "1 ", "1.", ".5", "1.e3", "1e", "1e+", "1e1.5",
        "0x10", "nan", "inf", "infinity", "1_000", "1,5", "--1", "1-", "1.2.3",
        "1e309", "1e99999999999999999999", "12a", "\xd9\xa1",
    };

    (void) state;

    for (i = 0; i < ig_countof(good); i++) {
        n = 12345;

        if (!ig_parse_number(text(good[i].text), &n) || n != good[i].n
            || (n == 0 && signbit(n)))
        {
            fail_msg("\"%s\" gave %.17g", good[i].text, n);
        }
    }

    for (i = 0; i < ig_countof(bad); i++) {
        n = 12345;

        if (ig_parse_number(text(bad[i]), &n) || n != 12345) {
            fail_msg("\"%s\" gave %.17g", bad[i], n);
        }
    }

    assert_false(ig_parse_number(ig_str("1\0"), &n));
    assert_false(ig_parse_number((ig_str_t) { 0, NULL }, &n));
}


/* Thousands of digits: the last one decides, and nothing overflows. */
static void
test_parse_long_number(void **state)
{
    char    digits[3000];
    double  n;

    (void) state;

    /* the middle between 2^53 and 2^53 + 2, then a hair more */

    memset(digits, '0', sizeof(digits));
    memcpy(digits, "9007199254740993.", 17);

    assert_true(ig_parse_number((ig_str_t) { 3000, digits }, &n));
    assert_true(n == 9007199254740992.0);

    digits[2999] = '1';

    assert_true(ig_parse_number((ig_str_t) { 3000, digits }, &n));
    assert_true(n == 9007199254740994.0);

    /* an integer of 3000 digits is past every double, a fraction is not */

    memset(digits, '7', sizeof(digits));
    assert_false(ig_parse_number((ig_str_t) { 3000, digits }, &n));

    memset(digits, '0', sizeof(digits));
    memcpy(digits, "25", 2);
    memcpy(digits + 1000, "e-999", 5);
    assert_true(ig_parse_number((ig_str_t) { 1005, digits }, &n));
    assert_true(n == 2.5);

    memset(digits, '0', sizeof(digits));
    digits[1] = '.';
    digits[2990] = '9';
    assert_true(ig_parse_number((ig_str_t) { 2991, digits }, &n));
    assert_true(n == 0);

    memcpy(digits + 2991, "e2989", 5);
    assert_true(ig_parse_number((ig_str_t) { 2996, digits }, &n));
    assert_true(n == 9);
}


static void
test_parse_duration(void **state)
{
    size_t   i;
    int64_t  ms;

    static const struct {
        const char  *text;
        int64_t      ms;
    } good[] = {
        { "1ms", 1 },
        { "20ms", 20 },
        { "1", 1000 },
        { "90", 90000 },
        { "1s", 1000 },
        { "10m", 600000 },
        { "1h", 3600000 },
        { "24h", 86400000 },
        { "1d", 86400000 },
        { "1w", 604800000 },
        { "1M", INT64_C(2592000000) },
        { "1y", INT64_C(31536000000) },
        { "1h30m", 5400000 },
        { "1y2M3w4d5h6m7s8ms", INT64_C(38898367008) },
        { "0h1m", 60000 },
        { "1m500ms", 60500 },
        { "9223372036854775807ms", INT64_MAX },
        { "9223372036854775", INT64_C(9223372036854775000) },
    };

    static const char  *bad[] = {
        "", "0", "0s", "0h0m", "-1", "-1s", "+1s", "s", "h", "1x", "1hm",
        "1m1h", "1s1ms1s", "1m1m", "1s1m", "1M1y", "1h 30m", " 1h", "1h ",
        "1.5h", "1H", "1h30", "30 1h", "1sec", "1e3s", "m1",
        "9223372036854775808ms", "9223372036854775807s", "9223372036854776",
        "292471209y", "18446744073709551617s", "292471208y9M",
        "9223372036854775807ms1ms",
    };

    (void) state;

    for (i = 0; i < ig_countof(good); i++) {
        ms = -1;

        if (!ig_parse_duration(text(good[i].text), &ms) || ms != good[i].ms) {
            fail_msg("\"%s\" gave %lld", good[i].text, (long long) ms);
        }
    }

    for (i = 0; i < ig_countof(bad); i++) {
        ms = -1;

        if (ig_parse_duration(text(bad[i]), &ms) || ms != -1) {
            fail_msg("\"%s\" gave %lld", bad[i], (long long) ms);
        }
    }

    assert_false(ig_parse_duration((ig_str_t) { 0, NULL }, &ms));
}


static void
test_parse_uint(void **state)
{
    uint64_t  n;

    (void) state;

    assert_true(ig_parse_uint(ig_str("0"), 0, &n));
    assert_int_equal(n, 0);
    assert_true(ig_parse_uint(ig_str("007"), 7, &n));
    assert_int_equal(n, 7);
    assert_true(ig_parse_uint(ig_str("255"), 255, &n));
    assert_int_equal(n, 255);
    assert_true(ig_parse_uint(ig_str("18446744073709551615"), UINT64_MAX, &n));
    assert_true(n == UINT64_MAX);

    n = 77;
    assert_false(ig_parse_uint(ig_str("1"), 0, &n));
    assert_false(ig_parse_uint(ig_str("9"), 5, &n));
    assert_false(ig_parse_uint(ig_str("256"), 255, &n));
    assert_false(ig_parse_uint(ig_str("260"), 255, &n));
    assert_false(ig_parse_uint(ig_str("18446744073709551616"), UINT64_MAX,
                               &n));
    assert_false(ig_parse_uint(ig_str("99999999999999999999"), UINT64_MAX,
                               &n));
    assert_false(ig_parse_uint(ig_str(""), 9, &n));
    assert_false(ig_parse_uint(ig_str("-1"), 9, &n));
    assert_false(ig_parse_uint(ig_str("+1"), 9, &n));
    assert_false(ig_parse_uint(ig_str("1 "), 9, &n));
    assert_false(ig_parse_uint(ig_str("0x1"), 9, &n));
    assert_false(ig_parse_uint(ig_str("/"), 99, &n));
    assert_false(ig_parse_uint(ig_str(":"), 99, &n));
    assert_int_equal(n, 77);
}


#define SIXTYFOUR                                                             \
    "a1234567890123456789012345678901" "23456789012345678901234567890123"


static void
test_names(void **state)
{
    size_t  i;

    static const char  *names[] = { "a", "_", "Z9", "AZaz_09", "account_1h",
                                    "_1", SIXTYFOUR };
    static const char  *others[] = { "", "1a", "a-b", "a.b", "a b", "a$",
                                     "caf\xc3\xa9", SIXTYFOUR "x", "@", "[",
                                     "`", "{" };

    static const char  *actions[] = { "a", "1", "review.create", "-", "_", ".",
                                      "a-b_c.9", SIXTYFOUR };
    static const char  *not_actions[] = { "", "A", "a b", "a/b", "a*", "a,b",
                                          "\xc3\xa9", SIXTYFOUR "x", "`",
                                          "{" };

    (void) state;

    assert_int_equal(strlen(SIXTYFOUR), 64);

    for (i = 0; i < ig_countof(names); i++) {
        assert_true(ig_is_name(text(names[i])));
    }

    for (i = 0; i < ig_countof(others); i++) {
        assert_false(ig_is_name(text(others[i])));
    }

    for (i = 0; i < ig_countof(actions); i++) {
        assert_true(ig_is_action(text(actions[i])));
    }

    for (i = 0; i < ig_countof(not_actions); i++) {
        assert_false(ig_is_action(text(not_actions[i])));
    }

    assert_false(ig_is_name(ig_str("a\0")));
    assert_false(ig_is_action(ig_str("a\0")));
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_key),
        cmocka_unit_test(test_shortest),
        cmocka_unit_test(test_shortest_reads_back),
        cmocka_unit_test(test_locale),
        cmocka_unit_test(test_parse_number),
        cmocka_unit_test(test_parse_long_number),
        cmocka_unit_test(test_parse_duration),
        cmocka_unit_test(test_parse_uint),
        cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
