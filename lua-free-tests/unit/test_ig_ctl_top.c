/*
 * test_ig_ctl_top.c: counts by name in bounded memory: exact while there is
 * room, never too high, and told by how much too low.
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

#include "ig_ctl_top.h"

#define NAMES  1000


static ig_str_t
str(const char *s)
{
    return (ig_str_t) { strlen(s), s };
}


static void
add(ig_top_t *top, const char *field, const char *name, uint64_t n)
{
    ig_top_row_t  *row;

    row = ig_top_row(top, str(field), str(name));
    assert_non_null(row);
    row->weight += n;
}


static void
rows_are_exact_while_there_is_room(void **state)
{
    ig_top_t  top;

    (void) state;

    assert_int_equal(ig_top_init(&top, 1000), IG_OK);

    add(&top, "b", "x", 3);
    add(&top, "a", "y", 1);
    add(&top, "a", "x", 1);
    add(&top, "a", "z", 7);
    add(&top, "b", "x", 2);

    assert_int_equal(top.nrows, 4);
    assert_int_equal(ig_top_find(&top, str("b"), str("x"))->weight, 5);
    assert_null(ig_top_find(&top, str("b"), str("y")));

    /* "ab" and "c" is not "a" and "bc" */
    add(&top, "ab", "c", 1);
    assert_null(ig_top_find(&top, str("a"), str("bc")));

    ig_top_sort(&top);

    assert_int_equal(top.row[0].weight, 7);
    assert_int_equal(top.row[1].name.data[0], 'x');
    assert_int_equal(top.row[2].name.data[0], 'y');
    assert_int_equal(top.row[4].weight, 5);
    assert_int_equal(top.dropped, 0);

    ig_top_free(&top);
}


/* A skewed stream with far more names than rows. */
static void
bounds_hold_where_names_were_dropped(void **state)
{
    char                 name[32];
    unsigned             i, k;
    uint64_t             count[NAMES];
    ig_top_t             top;
    const ig_top_row_t  *row;

    (void) state;

    memset(count, 0, sizeof(count));
    srand(7);

    assert_int_equal(ig_top_init(&top, 100), IG_OK);

    for (i = 0; i < 50000; i++) {
        k = (unsigned) rand() % NAMES;
        k = rand() % 3 ? k : k % 20;
        count[k]++;

        snprintf(name, sizeof(name), "n%u", k);
        add(&top, "f", name, 1);

        assert_true(top.nrows <= 100);
    }

    assert_true(top.dropped > 0);

    for (k = 0; k < NAMES; k++) {
        snprintf(name, sizeof(name), "n%u", k);
        row = ig_top_find(&top, str("f"), str(name));

        if (row) {
            assert_true(row->weight <= count[k]);
            assert_true(row->weight + top.missed >= count[k]);

        } else {
            assert_true(count[k] <= top.missed);
        }
    }

    /* not a bound that says nothing */
    assert_true(top.missed < 50000 / 50);
    assert_non_null(ig_top_find(&top, str("f"), str("n0")));

    ig_top_free(&top);
}


static void
the_first_and_the_last_time(void **state)
{
    ig_top_row_t  row;

    (void) state;

    memset(&row, 0, sizeof(row));

    ig_top_seen(&row, 50);
    ig_top_seen(&row, 20);
    ig_top_seen(&row, 40);

    assert_int_equal(row.first, 20);
    assert_int_equal(row.last, 50);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(rows_are_exact_while_there_is_room),
        cmocka_unit_test(bounds_hold_where_names_were_dropped),
        cmocka_unit_test(the_first_and_the_last_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
