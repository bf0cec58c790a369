/*
 * test_ig_ctl_log_time.c: --since and --until, by value.
 * Owns nothing.  Called by make test.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ig_ctl_log_time.h"

#define NOW       INT64_C(1700000000500)    /* 2023-11-14T22:13:20.500Z */
#define MIDNIGHT  INT64_C(1699920000000)
#define DAY       INT64_C(86400000)


static void
times_are_read(void **state)
{
    int64_t   ms;
    unsigned  i;

    static const struct {
        const char  *text;
        int64_t      ms;
    } test[] = {
        { "now", NOW },
        { "today", MIDNIGHT },
        { "yesterday", MIDNIGHT - DAY },
        { "2023-11-14", MIDNIGHT },
        { "2023-11-14T22:13", NOW - 20500 },
        { "2023-11-14 22:13:20", NOW - 500 },
        { "2023-11-14T22:13:20.500Z", NOW },
        { "2023-11-15T06:13:20.5+08:00", NOW },
        { "500ms", NOW - 500 },
        { "90m", NOW - 90 * 60000 },
        { "2h", NOW - 7200000 },
        { "1h30m", NOW - 90 * 60000 },
        { "7d", NOW - 7 * DAY }
    };

    (void) state;

    for (i = 0; i < ig_countof(test); i++) {
        ms = -1;
        assert_true(ig_audit_when(test[i].text, NOW, &ms));
        assert_int_equal(ms, test[i].ms);
    }
}


/* A bare number could be seconds ago, or since the epoch: it is neither. */
static void
what_is_no_time_is_refused(void **state)
{
    int64_t   ms;
    unsigned  i;

    static const char *const  test[] = {
        "", "12", "1700000000", "-2h", "2x", "h", "tomorrow", "2023-11",
        "2023-13-01", "2023-11-14T", "2023-11-14T25:00", "22:13", "2h ago",
        "2023-11-14T22:13:20.500Z and much more than forty characters of it"
    };

    (void) state;

    for (i = 0; i < ig_countof(test); i++) {
        assert_false(ig_audit_when(test[i], NOW, &ms));
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(times_are_read),
        cmocka_unit_test(what_is_no_time_is_refused)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
