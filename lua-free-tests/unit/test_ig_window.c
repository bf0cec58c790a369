/*
 * test_ig_window.c: buckets, weights, lifetimes, values and the over-limit
 * time, by value.
 * Owns nothing.  Called by make test.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "ig_window.h"


#define MINUTE  60000
#define HOUR    3600000


static void
buckets_round_down(void **state)
{
    unsigned  i;

    static const struct {
        int64_t  time;
        int64_t  window;
        int64_t  bucket;
    } test[] = {
        { 0,             1000,  0 },
        { 999,           1000,  0 },
        { 1000,          1000,  1 },
        { -1,            1000, -1 },
        { -1000,         1000, -1 },
        { -1001,         1000, -2 },
        { 1700000000123, HOUR,  472222 },
        { INT64_MAX,     1,     INT64_MAX },
        { INT64_MIN,     1,     INT64_MIN },
        { INT64_MIN,     1000, -9223372036854776 },
        { 1,             INT64_MAX, 0 },
        { -1,            INT64_MAX, -1 }
    };

    (void) state;

    for (i = 0; i < ig_countof(test); i++) {
        assert_true(ig_window_bucket(test[i].time, test[i].window)
                    == test[i].bucket);
    }
}


static void
weights_fall_from_one(void **state)
{
    unsigned  i;

    static const struct {
        int64_t  time;
        double   weight;
    } test[] = {
        { 0,          1 },
        { 1,          1 - 1.0 / MINUTE },
        { MINUTE / 4, 0.75 },
        { MINUTE - 1, 1.0 / MINUTE },
        { MINUTE,     1 },
        { -1,         1.0 / MINUTE },
        { -MINUTE,    1 },
        { -15000,     0.25 }
    };

    (void) state;

    for (i = 0; i < ig_countof(test); i++) {
        assert_true(fabs(ig_window_weight(test[i].time, MINUTE)
                         - test[i].weight) < 1e-12);
    }
}


static void
keys_outlive_their_window(void **state)
{
    unsigned      i;
    ig_counter_t  c;

    static const struct {
        ig_kind_e  kind;
        int64_t    window;
        int64_t    ttl;
    } test[] = {
        { IG_COUNT,       MINUTE,       180 },
        { IG_SUM,         MINUTE,       180 },
        { IG_MEAN,        1500,          63 },
        { IG_MEAN,        1501,          64 },
        { IG_COUNT,       1200,          63 },
        { IG_COUNT_EXACT, MINUTE,       120 },
        { IG_DISTINCT,    1500,          62 },
        { IG_FIRST,       1000,          61 },
        { IG_LAST,        315360000000, 315360060 },
        { IG_COUNT,       315360000000, 630720060 }
    };

    (void) state;

    memset(&c, 0, sizeof(c));

    for (i = 0; i < ig_countof(test); i++) {
        c.kind = test[i].kind;
        c.window = test[i].window;
        assert_int_equal(ig_window_ttl(&c), test[i].ttl);
    }
}


static void
values_follow_their_kind(void **state)
{
    unsigned      i;
    ig_op_t       op;
    ig_value_t    v;
    ig_counter_t  c;

    static const struct {
        ig_kind_e  kind;
        int64_t    time;
        ig_raw_t   raw;
        ig_type_e  type;
        double     num;
    } test[] = {
        /* kind, time, { cur prev ncur nprev first last was } */

        { IG_COUNT, MINUTE, { 1, 0, 0, 0, -1, -1, -1 }, IG_NUMBER, 1 },
        { IG_COUNT, MINUTE, { 1, 8, 0, 0, -1, -1, -1 }, IG_NUMBER, 9 },
        { IG_COUNT, MINUTE + 15000, { 1, 8, 0, 0, -1, -1, -1 },
          IG_NUMBER, 7 },
        { IG_COUNT, 2 * MINUTE - 1, { 1, 8, 0, 0, -1, -1, -1 },
          IG_NUMBER, 1 + 8.0 / MINUTE },
        { IG_COUNT, -15000, { 2, 8, 0, 0, -1, -1, -1 }, IG_NUMBER, 4 },

        { IG_COUNT_EXACT, MINUTE + 15000, { 5, 9, 0, 0, -1, -1, -1 },
          IG_NUMBER, 5 },
        { IG_DISTINCT, MINUTE + 15000, { 3, 9, 0, 0, -1, -1, 77 },
          IG_NUMBER, 3 },

        { IG_SUM, MINUTE, { 0, 0, 0, 0, -1, -1, -1 }, IG_NUMBER, 0 },
        { IG_SUM, MINUTE + 15000, { 1500000, -4000000, 1, 2, -1, -1, -1 },
          IG_NUMBER, -1.5 },
        { IG_SUM, MINUTE, { 1, 0, 1, 0, -1, -1, -1 }, IG_NUMBER, 0.000001 },

        { IG_MEAN, MINUTE, { 0, 0, 0, 0, -1, -1, -1 }, IG_MISSING, 0 },
        { IG_MEAN, MINUTE, { 9000000, 0, 2, 0, -1, -1, -1 },
          IG_NUMBER, 4.5 },
        { IG_MEAN, MINUTE + 30000, { 3000000, 10000000, 1, 2, -1, -1, -1 },
          IG_NUMBER, 4 },
        { IG_MEAN, 2 * MINUTE - 1, { 0, 10000000, 0, 4, -1, -1, -1 },
          IG_NUMBER, 2.5 },

        { IG_FIRST, 5000, { 0, 0, 0, 0, -1, -1, -1 }, IG_NUMBER, 0 },
        { IG_FIRST, 5000, { 0, 0, 0, 0, 1500, 4000, -1 }, IG_NUMBER, 3.5 },
        { IG_FIRST, 5000, { 0, 0, 0, 0, 6000, 6000, -1 }, IG_NUMBER, 0 },
        { IG_FIRST, 64000, { 0, 0, 0, 0, 1500, 4000, -1 },
          IG_NUMBER, 62.5 },
        { IG_FIRST, 64001, { 0, 0, 0, 0, 1500, 4000, -1 }, IG_NUMBER, 0 },

        { IG_LAST, 5000, { 0, 0, 0, 0, -1, -1, -1 }, IG_MISSING, 0 },
        { IG_LAST, 5000, { 0, 0, 0, 0, -1, 5000, -1 }, IG_NUMBER, 0 },
        { IG_LAST, 5000, { 0, 0, 0, 0, -1, 5500, -1 }, IG_NUMBER, 0 },
        { IG_LAST, 5000, { 0, 0, 0, 0, -1, 4999, -1 }, IG_NUMBER, 0.001 },
        { IG_LAST, 65000, { 0, 0, 0, 0, -1, 5000, -1 }, IG_NUMBER, 60 },
        { IG_LAST, 65001, { 0, 0, 0, 0, -1, 5000, -1 }, IG_MISSING, 0 },
        { IG_LAST, INT64_MAX, { 0, 0, 0, 0, -1, -5, -1 }, IG_MISSING, 0 },
        { IG_LAST, INT64_MIN, { 0, 0, 0, 0, -1, 5, -1 }, IG_NUMBER, 0 }
    };

    (void) state;

    memset(&c, 0, sizeof(c));
    memset(&op, 0, sizeof(op));

    c.window = MINUTE;
    op.counter = &c;
    op.state = IG_OP_DONE;

    for (i = 0; i < ig_countof(test); i++) {
        c.kind = test[i].kind;
        op.time = test[i].time;
        op.raw = test[i].raw;

        v = ig_window_value(&op);

        assert_int_equal(v.type, test[i].type);

        if (v.type == IG_NUMBER) {
            assert_true(fabs(v.num - test[i].num) < 1e-12);
        }
    }
}


static void
values_are_unknown_unless_done(void **state)
{
    ig_op_t       op;
    unsigned      kind, s;
    ig_counter_t  c;

    static const ig_op_state_e  other[] = {
        IG_OP_PENDING, IG_OP_FAILED, IG_OP_REFUSED
    };

    (void) state;

    memset(&c, 0, sizeof(c));
    memset(&op, 0, sizeof(op));

    c.window = MINUTE;
    op.counter = &c;
    op.raw.cur = 7;

    for (kind = 0; kind < IG_KINDS; kind++) {
        c.kind = (ig_kind_e) kind;

        for (s = 0; s < ig_countof(other); s++) {
            op.state = other[s];
            assert_int_equal(ig_window_value(&op).type, IG_UNKNOWN);
        }
    }
}


/* -- over the limit ------------------------------------------------------ */

static bool
exceeds(int64_t cur, int64_t prev, int64_t time, int64_t window,
    double limit, bool or_equal)
{
    ig_op_t       op;
    double        num;
    ig_counter_t  c;

    memset(&c, 0, sizeof(c));
    memset(&op, 0, sizeof(op));

    c.window = window;
    op.counter = &c;
    op.state = IG_OP_DONE;
    op.time = time;
    op.raw.cur = cur + 1;
    op.raw.prev = prev;

    num = ig_window_value(&op).num;

    return or_equal ? num >= limit : num > limit;
}


/* Against every millisecond of a short bucket, as the next event sees it. */
static void
over_until_is_the_last_moment(void **state)
{
    bool      or_equal;
    int64_t   cur, prev, limit, time, until, t;

    const int64_t  window = 60, start = 600;

    (void) state;

    for (cur = 0; cur < 8; cur++)
    for (prev = 0; prev < 13; prev++)
    for (limit = -1; limit < 12; limit++)
    for (or_equal = false; ; or_equal = true) {

        for (time = start; time < start + window; time += 7) {
            until = ig_window_over_until(cur, prev, time, window,
                                         (double) limit, or_equal);

            assert_in_range(until, time, start + window);

            for (t = time; t < until; t++) {
                assert_true(exceeds(cur, prev, t, window, (double) limit,
                                    or_equal));
            }

            if (until < start + window) {
                assert_false(exceeds(cur, prev, until, window,
                                     (double) limit, or_equal));
            }
        }

        if (or_equal) {
            break;
        }
    }
}


static void
over_until_holds_for_long_windows(void **state)
{
    unsigned  i;
    int64_t   until;

    static const struct {
        int64_t  cur;
        int64_t  prev;
        int64_t  time;
        int64_t  window;
        double   limit;
        bool     or_equal;
        int64_t  until;
    } test[] = {
        /* the bucket's own events are over it: to its end */
        { 10, 0, 1700000000000, HOUR, 10, false, 1700002800000 },
        { 9,  0, 1700000000000, HOUR, 10, true,  1700002800000 },
        { 9,  0, 1700000000000, HOUR, 10, false, 1700000000000 },

        /* 1 + 20 * (1 - e/W) > 10 until e = 0.55 W */
        { 0, 20, 1699999200000, HOUR, 10, false, 1700001180000 },
        { 0, 20, 1699999200000, HOUR, 10, true,  1700001180001 },

        /* fractions of a limit, and one that nothing reaches */
        { 0, 1,  1699999200000, HOUR, 1.5, false, 1700001000000 },
        { 5, 5,  1699999200000, HOUR, 1e300, false, 1699999200000 },
        { 0, 0,  -1, HOUR, 0, false, 0 },

        /* ten years */
        { 0, 1000000, 1577836800000, 315360000000, 5, false, 1892158738560 }
    };

    (void) state;

    for (i = 0; i < ig_countof(test); i++) {
        until = ig_window_over_until(test[i].cur, test[i].prev, test[i].time,
                                     test[i].window, test[i].limit,
                                     test[i].or_equal);

        assert_in_range(until - test[i].until + 1, 0, 2);
    }
}


static void
until_is_when_nothing_counts(void **state)
{
    unsigned      i;
    ig_op_t       op;
    ig_counter_t  counter;

    static const struct {
        ig_kind_e  kind;
        ig_raw_t   raw;
        int64_t    until;
    } test[] = {
        { IG_COUNT, { .cur = 1, .prev = 9 }, 3 * HOUR },
        { IG_COUNT, { .prev = 9 }, 2 * HOUR },
        { IG_COUNT, { .cur = 0 }, -1 },
        { IG_SUM, { .cur = 0, .ncur = 1 }, 3 * HOUR },
        { IG_MEAN, { .nprev = 1 }, 2 * HOUR },
        { IG_MEAN, { .cur = 5 }, -1 },
        { IG_DISTINCT, { .cur = 2, .last = HOUR + 50 }, 2 * HOUR + 50 },
        { IG_COUNT_EXACT, { .last = -1 }, -1 },
        { IG_FIRST, { .first = 1, .last = HOUR }, 2 * HOUR },
        { IG_LAST, { .last = 99 }, -1 },
        { IG_LISTED, { .last = 5 * HOUR }, 5 * HOUR },
        { IG_LISTED, { .last = HOUR }, -1 }
    };

    (void) state;

    memset(&op, 0, sizeof(op));
    memset(&counter, 0, sizeof(counter));
    counter.window = HOUR;
    op.counter = &counter;
    op.verb = IG_OP_PEEK;
    op.time = HOUR + 100;

    for (i = 0; i < ig_countof(test); i++) {
        counter.kind = test[i].kind;
        op.raw = test[i].raw;

        op.state = IG_OP_DONE;
        assert_int_equal(ig_window_until(&op), test[i].until);
        op.state = IG_OP_FAILED;
        assert_int_equal(ig_window_until(&op), -1);
    }
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buckets_round_down),
        cmocka_unit_test(weights_fall_from_one),
        cmocka_unit_test(keys_outlive_their_window),
        cmocka_unit_test(values_follow_their_kind),
        cmocka_unit_test(values_are_unknown_unless_done),
        cmocka_unit_test(over_until_is_the_last_moment),
        cmocka_unit_test(over_until_holds_for_long_windows),
        cmocka_unit_test(until_is_when_nothing_counts)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
