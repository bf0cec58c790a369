/*
 * test_ig_ctl_backtest_time.c: times of events, by value.
 * Owns nothing.  Called by make test.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "ig_ctl_backtest_time.h"


static ig_str_t
str(const char *text)
{
    return (ig_str_t) { strlen(text), text };
}


static void
rfc3339_is_read(void **state)
{
    int64_t   ms;
    unsigned  i;

    static const struct {
        const char  *text;
        int64_t      ms;
    } test[] = {
        { "1970-01-01T00:00:00Z", 0 },
        { "1970-01-01T00:00:00.001Z", 1 },
        { "1970-01-01T00:00:00.1Z", 100 },
        { "1970-01-01T00:00:00.123999999999Z", 123 },
        { "1970-01-01t00:00:01z", 1000 },
        { "1970-01-01 00:01:00Z", 60000 },
        { "1970-01-01T08:00:00+08:00", 0 },
        { "1969-12-31T20:30:00-03:30", 0 },
        { "1970-03-01T00:00:00Z", INT64_C(59) * 86400000 },
        { "1972-03-01T00:00:00Z", INT64_C(790) * 86400000 },
        { "2000-02-29T12:00:00Z", INT64_C(951825600000) },
        { "2023-11-14T22:13:20.500Z", INT64_C(1700000000500) },
        { "2016-12-31T23:59:60Z", INT64_C(1483228800000) },
        { "2100-03-01T00:00:00Z", INT64_C(4107542400000) },
        { "9999-12-31T23:59:59.999Z", INT64_C(253402300799999) }
    };

    (void) state;

    for (i = 0; i < ig_countof(test); i++) {
        ms = -1;
        assert_true(ig_time_rfc3339(str(test[i].text), &ms));
        assert_int_equal(ms, test[i].ms);
    }
}


static void
what_is_no_rfc3339_is_refused(void **state)
{
    int64_t   ms;
    unsigned  i;

    static const char *const  test[] = {
        "", "2023", "2023-11-14", "2023-11-14T22:13:20", "2023-11-14T22:13Z",
        "2023-11-14T22:13:20.Z", "2023-11-14T22:13:20Z ",
        "2023-11-14T22:13:20+0800", "2023-11-14T22:13:20+24:00",
        "2023-11-14T22:13:20+08:60", "2023-11-14T24:00:00Z",
        "2023-11-14T22:60:00Z", "2023-11-14T22:13:61Z",
        "2023-02-29T00:00:00Z", "2100-02-29T00:00:00Z",
        "2023-04-31T00:00:00Z", "2023-00-01T00:00:00Z",
        "2023-13-01T00:00:00Z", "2023-01-00T00:00:00Z",
        "0000-01-01T00:00:00Z", "1969-12-31T23:59:59Z",
        "1970-01-01T00:00:00+00:01", "20231-01-01T00:00:00Z",
        "2023-1-01T00:00:00Z", "2023-11-14x22:13:20Z", "-023-11-14T22:13:20Z"
    };

    (void) state;

    for (i = 0; i < ig_countof(test); i++) {
        if (ig_time_rfc3339(str(test[i]), &ms)) {
            fail_msg("\"%s\" was read", test[i]);
        }
    }
}


/* Every day from 1970 to 9999, against the one before it. */
static void
days_follow_each_other(void **state)
{
    char      text[32] = "YYYY-MM-DDT00:00:00Z";
    int       y, m, d, leap;
    int64_t   ms, expected;

    static const int  days[] = {
        31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31
    };

    (void) state;

    expected = 0;

    for (y = 1970; y < 10000; y++) {
        leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;

        for (m = 0; m < 12; m++) {
            for (d = 0; d < days[m] + (m == 1 && leap); d++) {
                text[0] = (char) ('0' + y / 1000);
                text[1] = (char) ('0' + y / 100 % 10);
                text[2] = (char) ('0' + y / 10 % 10);
                text[3] = (char) ('0' + y % 10);
                text[5] = (char) ('0' + (m + 1) / 10);
                text[6] = (char) ('0' + (m + 1) % 10);
                text[8] = (char) ('0' + (d + 1) / 10);
                text[9] = (char) ('0' + (d + 1) % 10);

                ms = -1;

                if (!ig_time_rfc3339(str(text), &ms) || ms != expected) {
                    fail_msg("%s", text);
                }

                expected += 86400000;
            }
        }
    }
}


static ig_value_t
number(double n)
{
    return (ig_value_t) { .type = IG_NUMBER, .num = n };
}


static ig_value_t
string(const char *text)
{
    return (ig_value_t) { .type = IG_STRING, .str = str(text) };
}


static void
values_are_seconds_or_rfc3339(void **state)
{
    int64_t   ms;
    unsigned  i;

    const struct {
        ig_value_t  value;
        int64_t     ms;         /* -1: refused */
    } test[] = {
        { number(0), 0 },
        { number(1.0004), 1000 },
        { number(1.0005), 1001 },
        { number(1700000000.123), INT64_C(1700000000123) },
        { number(IG_TIME_LAST), INT64_C(253402300799000) },
        { number(IG_TIME_LAST + 1), -1 },
        { number(1.7e12), -1 },
        { number(-1), -1 },
        { number((double) NAN), -1 },
        { number((double) INFINITY), -1 },
        { string("12.5"), 12500 },
        { string("1970-01-01T00:00:02Z"), 2000 },
        { string("soon"), -1 },
        { { .type = IG_BOOL, .num = 1 }, -1 },
        { { .type = IG_SET }, -1 },
        { { .type = IG_UNKNOWN }, -1 },
        { { .type = IG_MISSING }, -1 }
    };

    (void) state;

    for (i = 0; i < ig_countof(test); i++) {
        if (test[i].ms < 0) {
            assert_false(ig_time_value(&test[i].value, &ms));

        } else {
            assert_true(ig_time_value(&test[i].value, &ms));
            assert_int_equal(ms, test[i].ms);
        }
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(rfc3339_is_read),
        cmocka_unit_test(what_is_no_rfc3339_is_refused),
        cmocka_unit_test(days_follow_each_other),
        cmocka_unit_test(values_are_seconds_or_rfc3339),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
