/*
 * test_ig_table_kind.c: what each kind of counter answers, step by step.
 * Owns its tables.  Called by make test.
 */

#include "ig_table_case.h"

#include <string.h>


#define MINUTE  60000

/* One step on one key; a NULL-terminated story of them. */
typedef struct {
    ig_verb_e  verb;
    int64_t    time;
    uint64_t   member;          /* sum, mean: micro-units */
    int64_t    was;             /* given to UNDO, expected of ADD */
    int64_t    a;               /* expected: cur, or first */
    int64_t    b;               /* prev, or last */
    int64_t    na;
    int64_t    nb;
} ig_step_t;


static void
run_story(ig_kind_e kind, unsigned max, const ig_step_t *step, unsigned n)
{
    ig_op_t          op;
    unsigned         i;
    ig_counter_t     counter, other;
    ig_table_case_t  c;

    ig_table_case_init(&c, IG_TABLE_MIN);
    counter = ig_table_case_counter(kind, MINUTE, max, 1);
    other = ig_table_case_counter(kind, MINUTE, max, 2);

    for (i = 0; i < n; i++) {
        op = ig_table_case_op(&counter, step[i].verb, 1, step[i].member,
                              step[i].time);
        op.delta = (int64_t) step[i].member;
        op.raw.was = step[i].verb == IG_OP_UNDO ? step[i].was : -1;

        ig_table_run(c.t, &op, 1, NULL);
        assert_int_equal(op.state, IG_OP_DONE);

        if (step[i].verb == IG_OP_READ || step[i].verb == IG_OP_ADD) {

            if (kind == IG_FIRST || kind == IG_LAST || kind == IG_LISTED) {
                assert_int_equal(op.raw.first, step[i].a);
                assert_int_equal(op.raw.last, step[i].b);

            } else {
                assert_int_equal(op.raw.cur, step[i].a);
                assert_int_equal(op.raw.prev, step[i].b);
                assert_int_equal(op.raw.ncur, step[i].na);
                assert_int_equal(op.raw.nprev, step[i].nb);

                if (kind == IG_DISTINCT) {
                    assert_int_equal(op.raw.was, step[i].was);
                }
            }
        }

        ig_table_case_check(&c);
    }

    /* the same counter's other keys, and another's same key, saw nothing */

    assert_int_equal(ig_table_case_run(&c, &counter, IG_OP_READ, 2, 0,
                                       step[n - 1].time).cur, 0);
    assert_int_equal(ig_table_case_run(&c, &other, IG_OP_READ, 1, 0,
                                       step[n - 1].time).last, -1);
    assert_int_equal(ig_table_case_run(&c, &other, IG_OP_READ, 1, 0,
                                       step[n - 1].time).cur, 0);

    ig_table_case_free(&c);
}

#define run_steps(kind, max, steps)                                           \
    run_story(kind, max, steps, ig_countof(steps))


static void
counts_have_two_buckets(void **state)
{
    static const ig_step_t  step[] = {
        { IG_OP_READ,   1000, 0, -1, 0, 0, 0, 0 },
        { IG_OP_UNDO,   1000, 0, -1, 0, 0, 0, 0 },
        { IG_OP_ADD,    1000, 0, -1, 1, 0, 0, 0 },
        { IG_OP_ADD,   59999, 0, -1, 2, 0, 0, 0 },
        { IG_OP_READ,  60000, 0, -1, 0, 2, 0, 0 },
        { IG_OP_READ, 119999, 0, -1, 0, 2, 0, 0 },
        { IG_OP_READ, 120000, 0, -1, 0, 0, 0, 0 },
        { IG_OP_ADD,   60000, 0, -1, 1, 2, 0, 0 },
        { IG_OP_PUT,   60001, 0, -1, 0, 0, 0, 0 },
        { IG_OP_READ,  60002, 0, -1, 2, 2, 0, 0 },

        /* an event from before the boundary, and its take-back */
        { IG_OP_ADD,   59000, 0, -1, 3, 0, 0, 0 },
        { IG_OP_READ,  61000, 0, -1, 2, 3, 0, 0 },
        { IG_OP_UNDO,  59000, 0, -1, 0, 0, 0, 0 },
        { IG_OP_READ,  61000, 0, -1, 2, 2, 0, 0 },

        /* from two buckets ago: it still counts there */
        { IG_OP_ADD,  120000, 0, -1, 1, 2, 0, 0 },
        { IG_OP_ADD,   30000, 0, -1, 3, 0, 0, 0 },
        { IG_OP_READ,  90000, 0, -1, 2, 3, 0, 0 },
        { IG_OP_READ, 121000, 0, -1, 1, 2, 0, 0 },

        /* from three: it counts for itself alone */
        { IG_OP_ADD,  -30000, 0, -1, 1, 0, 0, 0 },
        { IG_OP_PUT,  -30000, 0, -1, 0, 0, 0, 0 },
        { IG_OP_UNDO, -30000, 0, -1, 0, 0, 0, 0 },
        { IG_OP_READ, 121000, 0, -1, 1, 2, 0, 0 },

        /* taken back to nothing, and no further */
        { IG_OP_UNDO, 121000, 0, -1, 0, 0, 0, 0 },
        { IG_OP_UNDO, 121000, 0, -1, 0, 0, 0, 0 },
        { IG_OP_READ, 121000, 0, -1, 0, 2, 0, 0 },

        /* far later nothing is left */
        { IG_OP_UNDO, 900000, 0, -1, 0, 0, 0, 0 },
        { IG_OP_ADD,  900000, 0, -1, 1, 0, 0, 0 },
        { IG_OP_READ, 121000, 0, -1, 0, 0, 0, 0 }
    };

    (void) state;

    run_steps(IG_COUNT, 0, step);
}


static void
counts_start_before_1970(void **state)
{
    static const ig_step_t  step[] = {
        { IG_OP_ADD,  -60001, 0, -1, 1, 0, 0, 0 },
        { IG_OP_ADD,  -60000, 0, -1, 1, 1, 0, 0 },
        { IG_OP_ADD,      -1, 0, -1, 2, 1, 0, 0 },
        { IG_OP_ADD,       0, 0, -1, 1, 2, 0, 0 },
        { IG_OP_UNDO,     -1, 0, -1, 0, 0, 0, 0 },
        { IG_OP_READ,      0, 0, -1, 1, 1, 0, 0 }
    };

    (void) state;

    run_steps(IG_COUNT, 0, step);
}


static void
sums_are_read_before_the_event(void **state)
{
    static const ig_step_t  step[] = {
        { IG_OP_READ,   1000, 0, -1, 0, 0, 0, 0 },
        { IG_OP_ADD,    1000, 5000000, -1, 0, 0, 0, 0 },
        { IG_OP_ADD,    2000, (uint64_t) -2500000, -1, 5000000, 0, 1, 0 },
        { IG_OP_READ,   3000, 0, -1, 2500000, 0, 2, 0 },
        { IG_OP_READ,  60000, 0, -1, 0, 2500000, 0, 2 },
        { IG_OP_PUT,   60000, 1, -1, 0, 0, 0, 0 },
        { IG_OP_READ,  61000, 0, -1, 1, 2500000, 1, 2 },
        { IG_OP_UNDO,   2000, (uint64_t) -2500000, -1, 0, 0, 0, 0 },
        { IG_OP_READ,  61000, 0, -1, 1, 5000000, 1, 1 },
        { IG_OP_ADD,  120000, 7, -1, 0, 1, 0, 1 },
        { IG_OP_READ,  61000, 0, -1, 1, 5000000, 1, 1 },
        { IG_OP_ADD,  -30000, 9, -1, 0, 0, 0, 0 },
        { IG_OP_UNDO, 120000, 7, -1, 0, 0, 0, 0 },
        { IG_OP_UNDO, 120000, 7, -1, 0, 0, 0, 0 },
        { IG_OP_READ, 120000, 0, -1, 0, 1, 0, 1 },
        { IG_OP_ADD,  300000, 3, -1, 0, 0, 0, 0 },
        { IG_OP_READ, 300000, 0, -1, 3, 0, 1, 0 }
    };

    (void) state;

    run_steps(IG_SUM, 0, step);
    run_steps(IG_MEAN, 0, step);
}


/* Nothing counted is worth nothing, also after a wrong take-back. */
static void
an_empty_bucket_has_no_sum(void **state)
{
    static const ig_step_t  step[] = {
        { IG_OP_ADD,    1000, 5000000, -1, 0, 0, 0, 0 },
        { IG_OP_UNDO,   1000, 2000000, -1, 0, 0, 0, 0 },
        { IG_OP_READ,   1000, 0, -1, 0, 0, 0, 0 }
    };

    (void) state;

    run_steps(IG_SUM, 0, step);
}


/* What would run over is refused, and everything stays as it was. */
static void
sums_do_not_run_over(void **state)
{
    ig_op_t          op;
    unsigned         i;
    ig_counter_t     sum;
    ig_table_case_t  c;

    static const int64_t  most = INT64_C(9000000000000000000);

    (void) state;

    ig_table_case_init(&c, IG_TABLE_MIN);
    sum = ig_table_case_counter(IG_SUM, MINUTE, 0, 1);

    for (i = 0; i < 3; i++) {
        op = ig_table_case_op(&sum, IG_OP_ADD, 1, 0, 1000);
        op.delta = most;
        ig_table_run(c.t, &op, 1, NULL);
        assert_int_equal(op.state, i == 0 ? IG_OP_DONE : IG_OP_FAILED);
    }

    op = ig_table_case_op(&sum, IG_OP_READ, 1, 0, 1000);
    ig_table_run(c.t, &op, 1, NULL);
    assert_true(op.raw.cur == most);
    assert_int_equal(op.raw.ncur, 1);

    ig_table_case_free(&c);
}


static void
first_and_last_are_forgotten_after_the_window(void **state)
{
    static const ig_step_t  step[] = {
        { IG_OP_READ,   1000, 0, -1, -1, -1, 0, 0 },
        { IG_OP_PUT,    1000, 0, -1, 0, 0, 0, 0 },
        { IG_OP_READ,   1000, 0, -1, 1000, 1000, 0, 0 },
        { IG_OP_READ,  61000, 0, -1, 1000, 1000, 0, 0 },
        { IG_OP_READ,  61001, 0, -1, -1, -1, 0, 0 },
        { IG_OP_PUT,   50000, 0, -1, 0, 0, 0, 0 },
        { IG_OP_READ,  61001, 0, -1, 1000, 50000, 0, 0 },

        /* an earlier event changes nothing, nor does a take-back */
        { IG_OP_PUT,     500, 0, -1, 0, 0, 0, 0 },
        { IG_OP_PUT,   20000, 0, -1, 0, 0, 0, 0 },
        { IG_OP_UNDO,  50000, 0, -1, 0, 0, 0, 0 },
        { IG_OP_READ,  61001, 0, -1, 1000, 50000, 0, 0 },

        /* at the window's end it lives on, beyond it begins anew */
        { IG_OP_PUT,  110000, 0, -1, 0, 0, 0, 0 },
        { IG_OP_READ, 111000, 0, -1, 1000, 110000, 0, 0 },
        { IG_OP_PUT,  170001, 0, -1, 0, 0, 0, 0 },
        { IG_OP_READ, 170001, 0, -1, 170001, 170001, 0, 0 },

        /* read and written at once */
        { IG_OP_ADD,  180000, 0, -1, 170001, 170001, 0, 0 },
        { IG_OP_READ, 180000, 0, -1, 170001, 180000, 0, 0 }
    };

    (void) state;

    run_steps(IG_FIRST, 0, step);
    run_steps(IG_LAST, 0, step);
}


/* The time on the list is in the members' place: it becomes op->delta. */
static void
lists_keep_until(void **state)
{
    static const ig_step_t  step[] = {
        { IG_OP_READ,  1000, 0,     0, -1, -1, 0, 0 },

        /* PUT never extends, nor shortens */
        { IG_OP_PUT,   1000, 5000,  0, 0, 0, 0, 0 },
        { IG_OP_READ,  1000, 0,     0, -1, 6000, 0, 0 },
        { IG_OP_PUT,   2000, 9000,  0, 0, 0, 0, 0 },
        { IG_OP_PUT,   2000, 1000,  0, 0, 0, 0, 0 },
        { IG_OP_READ,  5999, 0,     0, -1, 6000, 0, 0 },
        { IG_OP_READ,  6000, 0,     0, -1, -1, 0, 0 },

        /* what has ended can be put anew */
        { IG_OP_PUT,   6000, 1000,  0, 0, 0, 0, 0 },
        { IG_OP_READ,  6500, 0,     0, -1, 7000, 0, 0 },

        /* ADD sets, to later or earlier */
        { IG_OP_ADD,   6500, 9000,  0, -1, 7000, 0, 0 },
        { IG_OP_READ,  7500, 0,     0, -1, 15500, 0, 0 },
        { IG_OP_ADD,   7500, 1000,  0, -1, 15500, 0, 0 },
        { IG_OP_READ,  8499, 0,     0, -1, 8500, 0, 0 },
        { IG_OP_READ,  8500, 0,     0, -1, -1, 0, 0 },

        /* UNDO takes off, and what is not there stays away */
        { IG_OP_ADD,   9000, 60000, 0, -1, -1, 0, 0 },
        { IG_OP_UNDO,  9500, 0,     0, 0, 0, 0, 0 },
        { IG_OP_READ,  9500, 0,     0, -1, -1, 0, 0 },
        { IG_OP_READ,  1000, 0,     0, -1, -1, 0, 0 },
        { IG_OP_UNDO,  9500, 0,     0, 0, 0, 0, 0 },
        { IG_OP_PUT,   9600, 1000,  0, 0, 0, 0, 0 },
        { IG_OP_READ,  9600, 0,     0, -1, 10600, 0, 0 }
    };

    (void) state;

    run_steps(IG_LISTED, 0, step);
}


static void
distinct_members_slide_out(void **state)
{
    static const ig_step_t  step[] = {
        { IG_OP_READ,   1000, 7, -1, 0, 0, 0, 0 },
        { IG_OP_ADD,    1000, 7, -1, 1, 0, 0, 0 },
        { IG_OP_ADD,    2000, 7, 1000, 1, 0, 0, 0 },
        { IG_OP_ADD,    3000, 8, -1, 2, 0, 0, 0 },

        /* last seen must be later than t - W */
        { IG_OP_READ,  61999, 0, -1, 2, 0, 0, 0 },
        { IG_OP_READ,  62000, 0, -1, 1, 0, 0, 0 },
        { IG_OP_READ,  63000, 0, -1, 0, 0, 0, 0 },
        { IG_OP_READ,  30000, 0, -1, 2, 0, 0, 0 },

        /* an earlier sighting lowers nothing; what is later counts too */
        { IG_OP_ADD,    2500, 8, 3000, 2, 0, 0, 0 },
        { IG_OP_READ,   1000, 0, -1, 2, 0, 0, 0 },
        { IG_OP_READ,  62999, 0, -1, 1, 0, 0, 0 },

        /* take-backs: to before, and away */
        { IG_OP_ADD,   50000, 7, 2000, 2, 0, 0, 0 },
        { IG_OP_UNDO,  50000, 7, 2000, 0, 0, 0, 0 },
        { IG_OP_READ,  62000, 0, -1, 1, 0, 0, 0 },
        { IG_OP_ADD,   50000, 9, -1, 3, 0, 0, 0 },
        { IG_OP_UNDO,  50000, 9, -1, 0, 0, 0, 0 },
        { IG_OP_UNDO,  50000, 9, -1, 0, 0, 0, 0 },
        { IG_OP_READ,  61000, 0, -1, 2, 0, 0, 0 },

        /* not over a sighting that came between */
        { IG_OP_ADD,   50000, 9, -1, 3, 0, 0, 0 },
        { IG_OP_ADD,   50010, 9, 50000, 3, 0, 0, 0 },
        { IG_OP_UNDO,  50000, 9, -1, 0, 0, 0, 0 },
        { IG_OP_READ,  61000, 0, -1, 3, 0, 0, 0 },

        { IG_OP_PUT,   62000, 5, -1, 0, 0, 0, 0 },
        { IG_OP_READ,  62500, 0, -1, 3, 0, 0, 0 }
    };

    (void) state;

    run_steps(IG_DISTINCT, 100, step);
}


/* At max the oldest goes, and of equally old ones the smallest. */
static void
distinct_saturates(void **state)
{
    static const ig_step_t  step[] = {
        { IG_OP_ADD,  1000, 5, -1, 1, 0, 0, 0 },
        { IG_OP_ADD,  1000, 3, -1, 2, 0, 0, 0 },
        { IG_OP_ADD,  1000, 4, -1, 3, 0, 0, 0 },
        { IG_OP_ADD,  2000, 9, -1, 3, 0, 0, 0 },
        { IG_OP_ADD,  2000, 3, -1, 3, 0, 0, 0 },    /* 3 was gone; 4 goes */
        { IG_OP_ADD,  2000, 5, 1000, 3, 0, 0, 0 },
        { IG_OP_ADD,  2000, 4, -1, 3, 0, 0, 0 },    /* 3 goes */
        { IG_OP_ADD,  2000, 3, -1, 3, 0, 0, 0 },    /* itself the smallest */
        { IG_OP_ADD,  1999, 6, -1, 3, 0, 0, 0 },    /* itself the oldest */
        { IG_OP_UNDO, 1999, 6, -1, 0, 0, 0, 0 },
        { IG_OP_ADD,  2001, 9, 2000, 3, 0, 0, 0 },
        { IG_OP_ADD,  2001, 6, -1, 3, 0, 0, 0 },    /* 4 goes */
        { IG_OP_ADD,  2001, 5, 2000, 3, 0, 0, 0 },

        /* what a taken back ADD drove out does not come back */
        { IG_OP_ADD,  2002, 8, -1, 3, 0, 0, 0 },    /* 5 goes */
        { IG_OP_UNDO, 2002, 8, -1, 0, 0, 0, 0 },
        { IG_OP_READ, 2003, 0, -1, 2, 0, 0, 0 },
        { IG_OP_ADD,  2003, 6, 2001, 2, 0, 0, 0 },
        { IG_OP_ADD,  2003, 9, 2001, 2, 0, 0, 0 }
    };

    (void) state;

    run_steps(IG_DISTINCT, 3, step);
}


static void
exact_counts_are_a_trailing_log(void **state)
{
    static const ig_step_t  step[] = {
        { IG_OP_ADD,   1000, 1, -1, 1, 0, 0, 0 },
        { IG_OP_ADD,   1000, 2, -1, 2, 0, 0, 0 },
        { IG_OP_ADD,   2000, 3, -1, 3, 0, 0, 0 },
        { IG_OP_READ, 60999, 0, -1, 3, 0, 0, 0 },
        { IG_OP_READ, 61000, 0, -1, 1, 0, 0, 0 },
        { IG_OP_UNDO,  1000, 1, -1, 0, 0, 0, 0 },
        { IG_OP_READ,  3000, 0, -1, 2, 0, 0, 0 },

        /* the same event twice is one */
        { IG_OP_PUT,   2000, 3, -1, 0, 0, 0, 0 },
        { IG_OP_ADD,   3000, 4, -1, 3, 0, 0, 0 },
        { IG_OP_ADD,   3000, 5, -1, 4, 0, 0, 0 },
        { IG_OP_ADD,   3000, 6, -1, 4, 0, 0, 0 },
        { IG_OP_READ, 61999, 0, -1, 4, 0, 0, 0 },
        { IG_OP_READ, 62000, 0, -1, 3, 0, 0, 0 }
    };

    (void) state;

    run_steps(IG_COUNT_EXACT, 4, step);
}


/* A counter whose max= was lowered by a reload shrinks at the next event. */
static void
a_lower_max_trims(void **state)
{
    unsigned         i;
    ig_counter_t     distinct;
    ig_table_case_t  c;

    (void) state;

    ig_table_case_init(&c, IG_TABLE_MIN);
    distinct = ig_table_case_counter(IG_DISTINCT, MINUTE, 50, 1);

    for (i = 0; i < 50; i++) {
        (void) ig_table_case_run(&c, &distinct, IG_OP_ADD, 1, i, 1000 + i);
    }

    distinct.max = 5;

    assert_int_equal(ig_table_case_run(&c, &distinct, IG_OP_ADD, 1, 99,
                                       2000).cur, 5);
    assert_int_equal(ig_table_case_run(&c, &distinct, IG_OP_ADD, 1, 46,
                                       2000).was, 1046);
    assert_int_equal(ig_table_case_run(&c, &distinct, IG_OP_ADD, 1, 45,
                                       2000).was, -1);

    ig_table_case_free(&c);
}


/* What left the window long ago does not stay until max. */
static void
old_members_are_taken_out(void **state)
{
    unsigned         i;
    ig_counter_t     distinct;
    ig_table_case_t  c;

    (void) state;

    ig_table_case_init(&c, IG_TABLE_MIN);
    distinct = ig_table_case_counter(IG_DISTINCT, MINUTE, 500, 1);

    for (i = 0; i < 400; i++) {
        (void) ig_table_case_run(&c, &distinct, IG_OP_ADD, 1, i,
                                 (int64_t) i * 10000);
        ig_table_case_check(&c);
    }

    /* one window and the slack of another, and the key */
    assert_in_range(c.t->used, 12, 14);
    assert_int_equal(ig_table_case_run(&c, &distinct, IG_OP_READ, 1, 0,
                                       3990000).cur, 6);

    ig_table_case_free(&c);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_have_two_buckets),
        cmocka_unit_test(counts_start_before_1970),
        cmocka_unit_test(sums_are_read_before_the_event),
        cmocka_unit_test(an_empty_bucket_has_no_sum),
        cmocka_unit_test(sums_do_not_run_over),
        cmocka_unit_test(first_and_last_are_forgotten_after_the_window),
        cmocka_unit_test(lists_keep_until),
        cmocka_unit_test(distinct_members_slide_out),
        cmocka_unit_test(distinct_saturates),
        cmocka_unit_test(exact_counts_are_a_trailing_log),
        cmocka_unit_test(a_lower_max_trims),
        cmocka_unit_test(old_members_are_taken_out)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
