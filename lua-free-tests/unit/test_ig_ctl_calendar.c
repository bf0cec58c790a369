/*
 * test_ig_ctl_calendar.c: days and hours of a time zone, against the C
 * library's, and counts in bins that become wider.
 * Owns nothing.  Called by make test.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ig_ctl_calendar.h"

#define NOV_23  INT64_C(1795392000000)      /* 2026-11-23T00:00:00Z, Monday */


static ig_str_t
str(const char *s)
{
    return (ig_str_t) { strlen(s), s };
}


static const char *
when(int64_t ms, ig_zone_t zone, ig_when_form_e form)
{
    static char  text[IG_CALENDAR_TEXT + 1];
    ig_buf_t     b;

    ig_buf_init(&b, text, IG_CALENDAR_TEXT);
    ig_when_write(&b, ms, zone, form);
    *b.pos = '\0';

    return text;
}


static void
zones_are_read_and_written(void **state)
{
    char         text[IG_CALENDAR_TEXT];
    size_t       i;
    ig_buf_t     b;
    ig_zone_t    zone;
    const char  *wrong[] = { "", "+8", "+08", "+0800", "08:00", "+15:00",
                             "-12:01", "+14:01", "+08:60", "CST", "+aa:00" };

    (void) state;

    assert_true(ig_zone_read(str("+08:00"), &zone));
    assert_int_equal(zone, 8 * IG_HOUR_MS);
    assert_true(ig_zone_read(str("-03:30"), &zone));
    assert_int_equal(zone, -3 * IG_HOUR_MS - 30 * IG_MINUTE_MS);

    ig_buf_init(&b, text, sizeof(text));
    ig_zone_write(&b, zone);
    assert_memory_equal(text, "UTC-03:30", 9);

    assert_true(ig_zone_read(str("UTC"), &zone));
    assert_int_equal(zone, 0);

    for (i = 0; i < ig_countof(wrong); i++) {
        assert_false(ig_zone_read(str(wrong[i]), &zone));
    }
}


static void
days_are_read(void **state)
{
    size_t       i;
    int64_t      ms;
    const char  *wrong[] = { "", "2026-11-3", "2026-13-01", "2026-00-10",
                             "2026-02-30", "2025-02-29", "2026-11-00",
                             "1969-12-31", "2026/11/23", "2026-11-23T" };

    (void) state;

    assert_true(ig_day_read(str("2026-11-23"), 0, &ms));
    assert_int_equal(ms, NOV_23);
    assert_true(ig_day_read(str("2026-11-23"), 8 * IG_HOUR_MS, &ms));
    assert_int_equal(ms, NOV_23 - 8 * IG_HOUR_MS);
    assert_int_equal(ig_day_start(ms, 8 * IG_HOUR_MS), ms);
    assert_int_equal(ig_day_start(ms + IG_DAY_MS - 1, 8 * IG_HOUR_MS), ms);
    assert_int_equal(ig_day_start(ms - 1, 8 * IG_HOUR_MS), ms - IG_DAY_MS);
    assert_true(ig_day_read(str("2024-02-29"), 0, &ms));

    for (i = 0; i < ig_countof(wrong); i++) {
        assert_false(ig_day_read(str(wrong[i]), 0, &ms));
    }
}


static void
moments_are_written_as_gmtime_does(void **state)
{
    int        i;
    char       text[64];
    time_t     t;
    struct tm  tm;

    (void) state;

    srand(3);

    for (i = 0; i < 20000; i++) {
        t = (time_t) (((int64_t) rand() << 20 ^ rand())
                      % INT64_C(250000000000));
        gmtime_r(&t, &tm);
        strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
        assert_string_equal(when((int64_t) t * 1000 + 999, 0,
                                 IG_WRITE_SECOND), text);
    }

    assert_string_equal(when(NOV_23, 8 * IG_HOUR_MS, IG_WRITE_MINUTE),
                        "2026-11-23 08:00");
    assert_string_equal(when(NOV_23 - 1, 0, IG_WRITE_SHORT_DAY), "22 Nov");
    assert_string_equal(when(0, -IG_HOUR_MS, IG_WRITE_DAY), "1969-12-31");
    assert_string_equal(when(INT64_C(900000000000000000), 0, IG_WRITE_DAY),
                        "?");
}


static uint64_t
sum(const ig_bins_t *bins)
{
    unsigned  i;
    uint64_t  n;

    for (i = 0, n = 0; i < bins->nbins; i++) {
        n += ig_bin_calls(&bins->bin[i]);
    }

    return n;
}


static void
bins_widen_and_lose_nothing(void **state)
{
    int        i;
    int64_t    ms;
    unsigned   kind;
    ig_bins_t  bins, weeks;

    (void) state;

    ig_bins_init(&bins, 8 * IG_HOUR_MS, IG_MINUTE_MS);
    ig_bins_init(&weeks, 8 * IG_HOUR_MS, 7 * IG_DAY_MS);
    srand(5);

    for (i = 1; i <= 3000; i++) {

        /* to and fro, ever farther */
        ms = NOV_23 + (rand() % 2 ? 1 : -1) * (int64_t) i * i * 4000;
        kind = (unsigned) rand() % 4;

        ig_bins_add(&bins, ms, kind, 2);
        ig_bins_add(&weeks, ms, kind, 2);
        assert_true(bins.nbins <= IG_BINS);
        assert_int_equal(sum(&bins), 2 * i);
    }

    assert_true(ig_bins_width(&bins) >= IG_DAY_MS);

    /* bins of a day and more begin at midnight there */
    assert_int_equal((ig_bins_start(&bins, 0) + 8 * IG_HOUR_MS) % IG_DAY_MS,
                     0);

    /* widened in steps, they are what wide ones are from the beginning */
    ig_bins_narrow(&bins, weeks.nbins);
    assert_memory_equal(&bins, &weeks, offsetof(ig_bins_t, bin));
    assert_memory_equal(bins.bin, weeks.bin, weeks.nbins * sizeof(ig_bin_t));

    ig_bins_narrow(&bins, 10);
    assert_true(bins.nbins <= 10);
    assert_int_equal(sum(&bins), 6000);
}


static void
a_moment_is_in_its_bin(void **state)
{
    ig_bins_t  bins;

    (void) state;

    ig_bins_init(&bins, 0, 7 * IG_DAY_MS);
    ig_bins_add(&bins, NOV_23, IG_BIN_DENY, 1);
    ig_bins_add(&bins, NOV_23 - 1, IG_BIN_HOLD, 1);

    assert_int_equal(bins.nbins, 2);
    assert_int_equal(ig_bins_start(&bins, 1), NOV_23);
    assert_int_equal(bins.bin[0].n[IG_BIN_HOLD], 1);
    assert_string_equal(ig_bins_unit(&bins), "week");

    ig_bins_init(&bins, 0, IG_HOUR_MS);
    ig_bins_cover(&bins, NOV_23, NOV_23 + 7 * IG_DAY_MS - 1);
    assert_int_equal(bins.nbins, 168);
    assert_int_equal(ig_bins_width(&bins), IG_HOUR_MS);

    /* what lies centuries away does not break it */
    ig_bins_add(&bins, INT64_C(250000000000000), IG_BIN_ALLOW, 1);
    ig_bins_add(&bins, 0, IG_BIN_ALLOW, 1);
    assert_int_equal(sum(&bins), 2);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(zones_are_read_and_written),
        cmocka_unit_test(days_are_read),
        cmocka_unit_test(moments_are_written_as_gmtime_does),
        cmocka_unit_test(bins_widen_and_lose_nothing),
        cmocka_unit_test(a_moment_is_in_its_bin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
