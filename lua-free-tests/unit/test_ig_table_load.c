/*
 * test_ig_table_load.c: history comes into the table behind what live calls
 * have counted: added, never overwriting.
 * Owns: a table per test.  Run by the unit tests' runner.
 */

#include "ig_table_case.h"

#include <string.h>

#define SIZE  (256 * 1024)
#define HOUR  INT64_C(3600000)
#define NOW   (500000 * HOUR + 1000)    /* a second into its hour */


static ig_table_case_t  c;


static int
set_up(void **state)
{
    (void) state;

    ig_table_case_init(&c, SIZE);

    return 0;
}


static int
tear_down(void **state)
{
    (void) state;

    ig_table_case_check(&c);
    ig_table_case_free(&c);

    return 0;
}


static void
load(ig_op_t op)
{
    op.raw.was = NOW;
    ig_table_run(c.t, &op, 1, NULL);
    assert_int_equal(op.state, IG_OP_DONE);
    assert_int_equal(op.raw.was, NOW);
}


static void
buckets_add_up(void **state)
{
    ig_op_t       op;
    ig_raw_t      raw;
    ig_counter_t  count, sum;

    (void) state;

    count = ig_table_case_counter(IG_COUNT, HOUR, 0, 1);
    sum = ig_table_case_counter(IG_SUM, HOUR, 0, 2);

    (void) ig_table_case_run(&c, &count, IG_OP_ADD, 1, 0, NOW);

    op = ig_table_case_op(&count, IG_OP_LOAD, 1, 0, NOW - HOUR);
    op.delta = 40;
    load(op);

    op.time = NOW;
    op.delta = 2;
    load(op);

    raw = ig_table_case_run(&c, &count, IG_OP_READ, 1, 0, NOW);
    assert_int_equal(raw.cur, 3);
    assert_int_equal(raw.prev, 40);

    /* it is full, and stays so */

    op.delta = UINT32_MAX;
    load(op);
    raw = ig_table_case_run(&c, &count, IG_OP_READ, 1, 0, NOW);
    assert_int_equal(raw.cur, UINT32_MAX);

    op = ig_table_case_op(&sum, IG_OP_LOAD, 1, 0, NOW - HOUR);
    op.delta = -5000000;
    op.raw.ncur = 3;
    load(op);

    raw = ig_table_case_run(&c, &sum, IG_OP_READ, 1, 0, NOW);
    assert_int_equal(raw.prev, -5000000);
    assert_int_equal(raw.nprev, 3);
    assert_int_equal(raw.ncur, 0);
}


static void
seen_is_one_row_of_sightings(void **state)
{
    ig_op_t       op;
    ig_raw_t      raw;
    ig_counter_t  first, last;

    (void) state;

    first = ig_table_case_counter(IG_FIRST, HOUR, 0, 1);
    last = ig_table_case_counter(IG_LAST, HOUR, 0, 2);

    /* before what was seen since */

    (void) ig_table_case_run(&c, &first, IG_OP_PUT, 1, 0, NOW);
    op = ig_table_case_op(&first, IG_OP_LOAD, 1, 0, NOW - 1000);
    op.raw.first = NOW - 50 * HOUR;
    load(op);
    raw = ig_table_case_run(&c, &first, IG_OP_READ, 1, 0, NOW);
    assert_int_equal(raw.first, NOW - 50 * HOUR);
    assert_int_equal(raw.last, NOW);

    /* over a window before it: another row, which was forgotten */

    (void) ig_table_case_run(&c, &first, IG_OP_PUT, 2, 0, NOW);
    op = ig_table_case_op(&first, IG_OP_LOAD, 2, 0, NOW - HOUR - 1);
    op.raw.first = NOW - 50 * HOUR;
    load(op);
    raw = ig_table_case_run(&c, &first, IG_OP_READ, 2, 0, NOW);
    assert_int_equal(raw.first, NOW);

    /* a key that nobody has seen since; twice is once */

    op = ig_table_case_op(&last, IG_OP_LOAD, 1, 0, NOW - 5000);
    load(op);
    load(op);
    raw = ig_table_case_run(&c, &last, IG_OP_READ, 1, 0, NOW);
    assert_int_equal(raw.last, NOW - 5000);

    /* a later sighting stays */

    (void) ig_table_case_run(&c, &last, IG_OP_PUT, 1, 0, NOW);
    load(op);
    raw = ig_table_case_run(&c, &last, IG_OP_READ, 1, 0, NOW);
    assert_int_equal(raw.last, NOW);
}


static void
members_keep_their_latest_time(void **state)
{
    ig_op_t       op;
    unsigned      i;
    ig_counter_t  distinct;

    (void) state;

    distinct = ig_table_case_counter(IG_DISTINCT, HOUR, 3, 1);

    (void) ig_table_case_run(&c, &distinct, IG_OP_ADD, 1, 1, NOW);

    op = ig_table_case_op(&distinct, IG_OP_LOAD, 1, 1, NOW - 1000);
    load(op);
    op = ig_table_case_op(&distinct, IG_OP_LOAD, 1, 2, NOW - HOUR + 500);
    load(op);

    assert_int_equal(ig_table_case_run(&c, &distinct, IG_OP_READ, 1, 0,
                                       NOW).cur, 2);
    assert_int_equal(ig_table_case_run(&c, &distinct, IG_OP_READ, 1, 0,
                                       NOW + 1000).cur, 1);

    /* a full log lets go of the oldest, of history first */

    for (i = 3; i < 9; i++) {
        op = ig_table_case_op(&distinct, IG_OP_LOAD, 1, i, NOW - HOUR + i);
        load(op);
    }

    assert_int_equal(ig_table_case_run(&c, &distinct, IG_OP_READ, 1, 0,
                                       NOW - HOUR + 500).cur, 3);
    assert_int_equal(ig_table_case_run(&c, &distinct, IG_OP_READ, 1, 0,
                                       NOW + 1000).cur, 1);
}


static void
who_is_on_a_list_stays_as_he_is(void **state)
{
    ig_op_t       op;
    ig_counter_t  list;

    (void) state;

    list = ig_table_case_counter(IG_LISTED, 0, 0, 1);

    op = ig_table_case_op(&list, IG_OP_ADD, 1, 0, NOW);
    op.delta = HOUR;
    ig_table_run(c.t, &op, 1, NULL);

    load(ig_table_case_op(&list, IG_OP_LOAD, 1, 0, NOW + 9 * HOUR));
    assert_int_equal(ig_table_case_run(&c, &list, IG_OP_READ, 1, 0, NOW).last,
                     NOW + HOUR);

    load(ig_table_case_op(&list, IG_OP_LOAD, 2, 0, NOW + 9 * HOUR));
    assert_int_equal(ig_table_case_run(&c, &list, IG_OP_READ, 2, 0, NOW).last,
                     NOW + 9 * HOUR);
}


static void
since_only_moves_back(void **state)
{
    ig_counter_t  counter;

    (void) state;

    counter = ig_table_case_counter(IG_COUNT, HOUR, 0, 1);

    /* none is made by moving it */

    ig_table_since_move(c.t, &counter, 5);
    assert_int_equal(ig_table_since(c.t, &counter, NOW), NOW);

    ig_table_since_move(c.t, &counter, NOW + 1);
    assert_int_equal(ig_table_since(c.t, &counter, NOW), NOW);

    ig_table_since_move(c.t, &counter, NOW - HOUR);
    assert_int_equal(ig_table_since(c.t, &counter, NOW), NOW - HOUR);
}


typedef struct {
    unsigned  n;
    int64_t   seen[8];
} found_t;


static void
found(void *ctx, const uint8_t member[IG_HASH], int64_t seen)
{
    found_t  *f = ctx;

    (void) member;

    f->seen[f->n++] = seen;
}


static void
what_a_log_holds(void **state)
{
    int           i;
    found_t       f = { 0, { 0 } };
    ig_op_t       op;
    ig_counter_t  exact;

    (void) state;

    exact = ig_table_case_counter(IG_COUNT_EXACT, HOUR, 8, 1);
    op = ig_table_case_op(&exact, IG_OP_READ, 1, 0, NOW);

    ig_table_members(c.t, &exact, op.key, 0, found, &f);
    assert_int_equal(f.n, 0);

    for (i = 0; i < 5; i++) {
        (void) ig_table_case_run(&c, &exact, IG_OP_ADD, 1, (uint64_t) i,
                                 NOW - i);
    }

    ig_table_members(c.t, &exact, op.key, NOW - 3, found, &f);

    assert_int_equal(f.n, 3);
    assert_int_equal(f.seen[0], NOW - 2);
    assert_int_equal(f.seen[2], NOW);
}


static void
the_cursor_goes_with_the_table(void **state)
{
    ig_counter_t  counter;

    (void) state;

    ig_table_load_cursor(c.t)->of = 7;
    assert_int_equal(ig_table_load_cursor(c.t)->of, 7);

    /* a process died inside */

    counter = ig_table_case_counter(IG_COUNT, HOUR, 0, 1);
    c.t->busy = 1;
    (void) ig_table_since(c.t, &counter, NOW);

    assert_int_equal(ig_table_load_cursor(c.t)->of, 0);
}


#define a_test(f)  cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest  tests[] = {
        a_test(buckets_add_up),
        a_test(seen_is_one_row_of_sightings),
        a_test(members_keep_their_latest_time),
        a_test(who_is_on_a_list_stays_as_he_is),
        a_test(since_only_moves_back),
        a_test(what_a_log_holds),
        a_test(the_cursor_goes_with_the_table)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
