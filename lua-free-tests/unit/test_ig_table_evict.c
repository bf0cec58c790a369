/*
 * test_ig_table_evict.c: who makes room for whom, and that nothing breaks
 * while the table is far too small.
 * Owns its tables.  Called by make test.
 */

#include "ig_table_case.h"

#include <string.h>


#define HOUR  3600000


static void
keys_seen_once_go_first(void **state)
{
    uint64_t         key, half;
    ig_counter_t     count;
    ig_table_case_t  c;

    (void) state;

    ig_table_case_init(&c, IG_TABLE_MIN);
    count = ig_table_case_counter(IG_COUNT, HOUR, 0, 1);
    half = c.t->nslots / 2;

    for (key = 0; key < half; key++) {
        (void) ig_table_case_run(&c, &count, IG_OP_ADD, key, 0, 1000);
        (void) ig_table_case_run(&c, &count, IG_OP_ADD, key, 0, 1000);
    }

    /* a flood of keys seen once washes out none that was seen twice */

    for (key = 1000000; key < 1000000 + 5 * c.t->nslots; key++) {
        (void) ig_table_case_run(&c, &count, IG_OP_ADD, key, 0, 2000);
    }

    for (key = 0; key < half; key++) {
        assert_int_equal(ig_table_case_run(&c, &count, IG_OP_READ, key, 0,
                                           3000).cur, 2);
    }

    /* of those seen once the latest are there */
    assert_int_equal(ig_table_case_run(&c, &count, IG_OP_READ,
                                       1000000 + 5 * c.t->nslots - 1, 0,
                                       3000).cur, 1);
    assert_int_equal(ig_table_case_run(&c, &count, IG_OP_READ, 1000000, 0,
                                       3000).cur, 0);

    ig_table_case_free(&c);
}


/* A table full of old keys still lets new ones live to be seen twice. */
static void
new_keys_have_a_share(void **state)
{
    unsigned         kept;
    uint64_t         key, n;
    ig_counter_t     count;
    ig_table_case_t  c;

    (void) state;

    ig_table_case_init(&c, IG_TABLE_MIN);
    count = ig_table_case_counter(IG_COUNT, HOUR, 0, 1);
    n = c.t->nslots;

    for (key = 0; key < n; key++) {
        (void) ig_table_case_run(&c, &count, IG_OP_ADD, key, 0, 1000);
        (void) ig_table_case_run(&c, &count, IG_OP_ADD, key, 0, 1000);
    }

    for (key = n; key < 2 * n; key++) {
        (void) ig_table_case_run(&c, &count, IG_OP_ADD, key, 0, 2000);
    }

    kept = 0;

    for (key = n; key < 2 * n; key++) {
        kept += ig_table_case_run(&c, &count, IG_OP_READ, key, 0, 2000).cur
                != 0;
    }

    assert_in_range(kept, n / 8 - 2, n / 8 + 2);

    ig_table_case_free(&c);
}


/* Among old keys those seen lately stay. */
static void
recent_keys_get_another_round(void **state)
{
    uint64_t         key, n;
    ig_counter_t     count;
    ig_table_case_t  c;

    (void) state;

    ig_table_case_init(&c, IG_TABLE_MIN);
    count = ig_table_case_counter(IG_COUNT, HOUR, 0, 1);
    n = c.t->nslots;

    for (key = 0; key < n; key++) {
        (void) ig_table_case_run(&c, &count, IG_OP_ADD, key, 0, 1000);
        (void) ig_table_case_run(&c, &count, IG_OP_ADD, key, 0, 1000);
    }

    /* of the first four, one is still in use */
    (void) ig_table_case_run(&c, &count, IG_OP_READ, 2, 0, 1000);

    for (key = n; key < n + 4; key++) {
        (void) ig_table_case_run(&c, &count, IG_OP_ADD, key, 0, 2000);
    }

    assert_int_equal(ig_table_case_run(&c, &count, IG_OP_READ, 0, 0,
                                       2000).cur, 0);
    assert_int_equal(ig_table_case_run(&c, &count, IG_OP_READ, 1, 0,
                                       2000).cur, 0);
    assert_int_equal(ig_table_case_run(&c, &count, IG_OP_READ, 2, 0,
                                       2000).cur, 2);
    assert_int_equal(ig_table_case_run(&c, &count, IG_OP_READ, 3, 0,
                                       2000).cur, 0);

    ig_table_case_free(&c);
}


/* ... one round: unless it is seen again, it goes at the end of that. */
static void
one_round_is_no_right_to_stay(void **state)
{
    uint32_t         n;
    uint64_t         key;
    ig_counter_t     count;
    ig_table_case_t  c;

    (void) state;

    ig_table_case_init(&c, IG_TABLE_MIN);
    count = ig_table_case_counter(IG_COUNT, HOUR, 0, 1);
    n = c.t->nslots;

    for (key = 0; key < n; key++) {
        (void) ig_table_case_run(&c, &count, IG_OP_ADD, key, 0, 1000);
        (void) ig_table_case_run(&c, &count, IG_OP_ADD, key, 0, 1000);
    }

    (void) ig_table_case_run(&c, &count, IG_OP_READ, 0, 0, 1000);

    /* every new key is seen twice: all old ones go, in their order */

    for (key = n; key < 2 * n - 1; key++) {
        (void) ig_table_case_run(&c, &count, IG_OP_ADD, key, 0, 2000);
        (void) ig_table_case_run(&c, &count, IG_OP_ADD, key, 0, 2000);
    }

    assert_int_equal(c.t->evicted, n - 1);
    (void) ig_table_case_run(&c, &count, IG_OP_ADD, 2 * n, 0, 2000);

    assert_int_equal(ig_table_case_run(&c, &count, IG_OP_READ, 0, 0,
                                       2000).cur, 0);

    ig_table_case_free(&c);
}


static void
a_take_back_is_no_sighting(void **state)
{
    ig_counter_t     count;
    ig_table_case_t  c;

    (void) state;

    ig_table_case_init(&c, IG_TABLE_MIN);
    count = ig_table_case_counter(IG_COUNT, HOUR, 0, 1);

    (void) ig_table_case_run(&c, &count, IG_OP_ADD, 1, 0, 1000);
    (void) ig_table_case_run(&c, &count, IG_OP_UNDO, 1, 0, 1000);
    assert_int_equal(c.t->segment[IG_ONCE].n, 1);

    (void) ig_table_case_run(&c, &count, IG_OP_READ, 1, 0, 1000);
    assert_int_equal(c.t->segment[IG_OFTEN].n, 1);

    ig_table_case_free(&c);
}


static void
expired_keys_go_without_counting(void **state)
{
    uint64_t         key, n;
    ig_counter_t     minute, hour;
    ig_table_case_t  c;

    (void) state;

    ig_table_case_init(&c, IG_TABLE_MIN);
    minute = ig_table_case_counter(IG_COUNT, 60000, 0, 1);
    hour = ig_table_case_counter(IG_COUNT, HOUR, 0, 2);
    n = c.t->nslots;

    /* half of the keys are of no use two minutes later, in turns */

    for (key = 0; key < n; key++) {
        (void) ig_table_case_run(&c, key % 2 ? &minute : &hour, IG_OP_ADD,
                                 key, 0, 0);
    }

    for (key = 0; key < n / 2; key++) {
        (void) ig_table_case_run(&c, &hour, IG_OP_ADD, n + key, 0, 120000);
    }

    assert_int_equal(c.t->evicted, 0);

    for (key = 0; key < n; key += 2) {
        assert_int_equal(ig_table_case_run(&c, &hour, IG_OP_READ, key, 0,
                                           120000).cur, 1);
    }

    ig_table_case_free(&c);
}


/* The last moment of a key's use, per kind, and the first without. */
static void
keys_live_as_long_as_they_tell(void **state)
{
    int64_t          end;
    unsigned         i;
    ig_counter_t     counter;
    ig_table_case_t  c;

    static const struct {
        ig_kind_e  kind;
        int64_t    time;
        int64_t    end;
    } test[] = {
        { IG_COUNT,       60000, 180000 },  /* as the previous bucket */
        { IG_COUNT,      119999, 180000 },
        { IG_COUNT,      -60000,  60000 },
        { IG_SUM,         60000, 180000 },
        { IG_MEAN,        60001, 180000 },
        { IG_COUNT_EXACT, 60000, 120000 },
        { IG_DISTINCT,    61234, 121234 },
        { IG_FIRST,       60000, 120001 },  /* still there then */
        { IG_LAST,        60000, 120001 }
    };

    (void) state;

    for (i = 0; i < ig_countof(test); i++) {
        ig_table_case_init(&c, IG_TABLE_MIN);
        counter = ig_table_case_counter(test[i].kind, 60000, 8, 1);

        (void) ig_table_case_run(&c, &counter, IG_OP_PUT, 1, 1, test[i].time);
        end = ig_slot(c.t, c.t->segment[IG_ONCE].oldest)->time;
        assert_int_equal(end, test[i].end);

        /* a window later it lives a window longer, and not less for what
           comes in late */

        (void) ig_table_case_run(&c, &counter, IG_OP_PUT, 1, 2,
                                 test[i].time + 60000);
        (void) ig_table_case_run(&c, &counter, IG_OP_PUT, 1, 3,
                                 test[i].time);
        end = ig_slot(c.t, c.t->segment[IG_OFTEN].oldest)->time;
        assert_int_equal(end, test[i].end + 60000);

        ig_table_case_free(&c);
    }
}


static void
marks_survive_pressure(void **state)
{
    uint64_t         key;
    ig_counter_t     count, mark;
    ig_table_case_t  c;

    (void) state;

    ig_table_case_init(&c, IG_TABLE_MIN);
    count = ig_table_case_counter(IG_COUNT, HOUR, 0, 1);
    mark = ig_table_case_counter(IG_LAST, HOUR, 0, 2);

    assert_int_equal(ig_table_since(c.t, &mark, 500), 500);

    for (key = 0; key < 10 * c.t->nslots; key++) {
        (void) ig_table_case_run(&c, &count, IG_OP_ADD, key, 0,
                                 (int64_t) key * 10000);
    }

    assert_int_equal(ig_table_since(c.t, &mark, 99 * HOUR), 500);

    ig_table_case_free(&c);
}


static uint64_t
next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;

    return *seed;
}


/* Every kind, every verb, any order of times, in a table far too small. */
static void
nothing_breaks_under_pressure(void **state)
{
    ig_op_t          op;
    int64_t          time;
    uint64_t         seed, r;
    unsigned         i, round;
    ig_counter_t     counter[2 * IG_KINDS];
    ig_table_case_t  c;

    static const int64_t  edge[] = {
        INT64_MIN, INT64_MAX, 0, -1, -60000, 1, INT64_C(1) << 53
    };

    (void) state;

    for (i = 0; i < 2 * IG_KINDS; i++) {
        counter[i] = ig_table_case_counter((ig_kind_e) (i % IG_KINDS),
                                           i < IG_KINDS ? 60000 : 1000,
                                           i < IG_KINDS ? 1024 : 5, i);
    }

    for (round = 0; round < 4; round++) {
        ig_table_case_init(&c, IG_TABLE_MIN);
        seed = 88172645463325252u + round;
        time = 1000000;

        for (i = 0; i < 60000; i++) {
            r = next_random(&seed);

            switch (round) {

            case 0:
                time += (int64_t) (r >> 20) % 50;
                break;

            case 1:
                time += (int64_t) (r >> 20) % 2001 - 1000;
                break;

            case 2:
                time = (int64_t) (r >> 20) % 200000 - 100000;
                break;

            default:
                time = r % 17 == 0 ? edge[(r >> 9) % ig_countof(edge)]
                                   : (int64_t) (r >> 20) % 200000;
                break;
            }

            op = ig_table_case_op(&counter[r % (2 * IG_KINDS)],
                                  (ig_verb_e) ((r >> 8) % 4),
                                  (r >> 16) % 300, (r >> 32) % 700, time);
            op.delta = (int64_t) next_random(&seed);
            op.raw.was = r % 3 || time < 0 ? -1
                         : time - (int64_t) (r >> 40) % 5000;

            ig_table_run(c.t, &op, 1, NULL);

            assert_true(op.state == IG_OP_DONE || op.state == IG_OP_FAILED);
            assert_true(op.raw.cur >= 0 || op.counter->kind == IG_SUM
                        || op.counter->kind == IG_MEAN);

            if (i % 500 == 0) {
                ig_table_case_check(&c);
            }
        }

        ig_table_case_free(&c);
    }
}


static int64_t
listed(ig_table_case_t *c, const ig_counter_t *list, ig_verb_e verb,
    uint64_t key, int64_t time)
{
    ig_op_t  op;

    op = ig_table_case_op(list, verb, key, 0, time);
    op.delta = 500000;

    ig_table_run(c->t, &op, 1, NULL);
    assert_int_equal(op.state, IG_OP_DONE);

    return op.raw.last;
}


/* A ban outlives whatever is counted; only what the table is full of goes. */
static void
listed_keys_go_last(void **state)
{
    unsigned         i;
    uint32_t         slots;
    ig_counter_t     list, count;
    ig_table_case_t  c;

    (void) state;

    ig_table_case_init(&c, IG_TABLE_MIN);
    list = ig_table_case_counter(IG_LISTED, 0, 0, 1);
    count = ig_table_case_counter(IG_COUNT, HOUR, 0, 2);
    slots = c.t->nslots;

    for (i = 0; i < 100; i++) {
        (void) listed(&c, &list, IG_OP_PUT, i, 1000);
    }

    for (i = 0; i < 3 * slots; i++) {
        (void) ig_table_case_run(&c, &count, IG_OP_ADD, 1000 + i / 2, 0, 2000);
    }

    for (i = 0; i < 100; i++) {
        assert_int_equal(listed(&c, &list, IG_OP_READ, i, 2000), 501000);
    }

    for (i = 100; i < slots + 200; i++) {
        (void) listed(&c, &list, IG_OP_PUT, i, 3000);
    }

    assert_int_equal(listed(&c, &list, IG_OP_READ, 300, 3000), 503000);
    assert_int_equal(listed(&c, &list, IG_OP_READ, slots + 199, 3000), 503000);
    assert_int_equal(c.t->segment[IG_LISTS].n, slots);
    ig_table_case_check(&c);

    /* what has ended makes room at once, and is not told as evicted */

    i = (unsigned) c.t->evicted;
    (void) ig_table_case_run(&c, &count, IG_OP_ADD, 1, 0, 600000);
    assert_int_equal(c.t->evicted, i);

    ig_table_case_free(&c);
}


/* One log larger than the table feeds on itself; the rest must go. */
static void
one_log_cannot_outgrow_the_table(void **state)
{
    int64_t          cur;
    uint64_t         member;
    ig_counter_t     log;
    ig_table_case_t  c;

    (void) state;

    ig_table_case_init(&c, IG_TABLE_MIN);
    log = ig_table_case_counter(IG_DISTINCT, HOUR, 65536, 1);
    cur = 0;

    for (member = 0; member < 3 * c.t->nslots; member++) {
        cur = ig_table_case_run(&c, &log, IG_OP_ADD, 1, member,
                                1000 + (int64_t) member).cur;
    }

    assert_int_equal(cur, c.t->nslots - 1);
    ig_table_case_check(&c);

    /* a new key drops it whole, and its slots serve one by one */

    for (member = 0; member < 100; member++) {
        (void) ig_table_case_run(&c, &log, IG_OP_ADD, 2, member, 9000);
        ig_table_case_check(&c);
    }

    assert_int_equal(ig_table_case_run(&c, &log, IG_OP_READ, 1, 0, 9000).cur,
                     0);
    assert_int_equal(c.t->used, 101);

    ig_table_case_free(&c);
}


/* A log that grows in one batch is the only key seen once, and stays. */
static void
a_log_does_not_make_room_for_itself(void **state)
{
    ig_op_t          op[60];
    unsigned         i;
    uint64_t         key, member;
    ig_counter_t     log;
    ig_table_case_t  c;

    (void) state;

    ig_table_case_init(&c, IG_TABLE_MIN);
    log = ig_table_case_counter(IG_DISTINCT, HOUR, 1000, 1);

    /* six logs fill the table, the oldest is small */

    for (key = 0; c.t->used < c.t->nslots; key += key < 5) {
        for (member = 0; member < (key == 0 ? 10u : 180u)
                         && c.t->used < c.t->nslots; member++)
        {
            (void) ig_table_case_run(&c, &log, IG_OP_ADD, key,
                                     key * 1000 + member + c.t->used, 1000);
        }
    }

    assert_int_equal(c.t->segment[IG_OFTEN].n, 6);
    assert_int_equal(c.t->evicted, 0);

    /* as if it had had its round */
    ig_slot(c.t, c.t->segment[IG_OFTEN].oldest)->flags = 0;

    for (i = 0; i < 60; i++) {
        op[i] = ig_table_case_op(&log, IG_OP_ADD, 99, i, 2000);
    }

    ig_table_run(c.t, op, 60, NULL);

    assert_int_equal(op[59].state, IG_OP_DONE);
    assert_int_equal(op[59].raw.cur, 60);
    assert_int_equal(c.t->evicted, 2);

    ig_table_case_free(&c);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_seen_once_go_first),
        cmocka_unit_test(new_keys_have_a_share),
        cmocka_unit_test(recent_keys_get_another_round),
        cmocka_unit_test(one_round_is_no_right_to_stay),
        cmocka_unit_test(a_take_back_is_no_sighting),
        cmocka_unit_test(a_log_does_not_make_room_for_itself),
        cmocka_unit_test(expired_keys_go_without_counting),
        cmocka_unit_test(keys_live_as_long_as_they_tell),
        cmocka_unit_test(marks_survive_pressure),
        cmocka_unit_test(nothing_breaks_under_pressure),
        cmocka_unit_test(listed_keys_go_last),
        cmocka_unit_test(one_log_cannot_outgrow_the_table)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
