/*
 * test_ig_ctl_backtest_rank.c: the area under the ROC curve, precision and
 * recall, by value and against their definitions.
 * Owns nothing.  Called by make test.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ig_ctl_backtest_rank.h"


static void  *blocks[64];
static int    nblocks;
static int    room;             /* how many blocks there may be */


static void *
test_alloc(void *ctx, size_t size)
{
    (void) ctx;

    if (nblocks == room) {
        return NULL;
    }

    return blocks[nblocks++] = calloc(1, size);
}


static ig_mem_t  mem = { test_alloc, NULL };


static int
setup(void **state)
{
    (void) state;

    room = 64;
    nblocks = 0;

    return 0;
}


static int
teardown(void **state)
{
    (void) state;

    while (nblocks) {
        free(blocks[--nblocks]);
    }

    return 0;
}


/* "5+ 3- 3+": scores, with and without the label. */
static ig_rank_t
rank_of(const char *text)
{
    int        score;
    char      *end;
    ig_rank_t  rank;

    memset(&rank, 0, sizeof(rank));
    rank.mem = &mem;

    while (*text) {
        score = (int) strtol(text, &end, 10);
        assert_int_equal(ig_rank_add(&rank, score, *end == '+'), IG_OK);
        text = end + 1;
        text += *text == ' ';
    }

    return rank;
}


static void
auc_of_a_few(void **state)
{
    double     auc;
    unsigned   i;
    ig_rank_t  rank;

    static const struct {
        const char  *text;
        double       auc;       /* -1: there is none */
    } test[] = {
        { "1- 2+", 1 },
        { "2- 1+", 0 },
        { "1- 1+", 0.5 },
        { "1- 1- 1+ 1+ 1+", 0.5 },
        { "1- 3- 2+", 0.5 },
        { "1- 2- 2+ 3+", 0.875 },
        { "-5- -5+ 7+ -9-", 0.875 },
        { "1+", -1 },
        { "1-", -1 },
        { "", -1 }
    };

    (void) state;

    for (i = 0; i < ig_countof(test); i++) {
        rank = rank_of(test[i].text);
        auc = -1;
        assert_int_equal(ig_rank_auc(&rank, &auc), test[i].auc >= 0);
        assert_true(fabs(auc - test[i].auc) < 1e-12);
    }
}


/* The definition: of all pairs those in the right order, ties half. */
static void
auc_is_its_definition(void **state)
{
    int         score[200], i, k, n;
    bool        label[200];
    double      auc, won, pairs;
    unsigned    round, seed;
    ig_rank_t   rank;

    (void) state;

    seed = 7;

    for (round = 0; round < 20; round++) {
        memset(&rank, 0, sizeof(rank));
        rank.mem = &mem;

        n = 200;

        for (i = 0; i < n; i++) {
            seed = seed * 1103515245 + 12345;
            score[i] = (int) (seed >> 16) % (round < 10 ? 7 : 1000) - 3;
            label[i] = (seed >> 8) % 5 == 0;
            assert_int_equal(ig_rank_add(&rank, score[i], label[i]), IG_OK);
        }

        won = 0;
        pairs = 0;

        for (i = 0; i < n; i++) {
            for (k = 0; k < n; k++) {
                if (label[i] && !label[k]) {
                    won += score[i] > score[k] ? 1
                           : score[i] == score[k] ? 0.5 : 0;
                    pairs++;
                }
            }
        }

        assert_true(ig_rank_auc(&rank, &auc));
        assert_true(fabs(auc - won / pairs) < 1e-12);

        for (i = 1; (unsigned) i < rank.nrows; i++) {
            assert_true(rank.row[i - 1].score < rank.row[i].score);
        }

        (void) teardown(NULL);
    }
}


static void
extreme_scores_have_their_places(void **state)
{
    double     auc;
    ig_rank_t  rank;

    (void) state;

    rank = rank_of("");
    assert_int_equal(ig_rank_add(&rank, INT_MAX, true), IG_OK);
    assert_int_equal(ig_rank_add(&rank, INT_MIN, false), IG_OK);
    assert_int_equal(ig_rank_add(&rank, 0, false), IG_OK);
    assert_int_equal(rank.row[0].score, INT_MIN);
    assert_int_equal(rank.row[2].score, INT_MAX);
    assert_true(ig_rank_auc(&rank, &auc));
    assert_true(auc == 1);
}


static void
matches_from_a_row_on(void **state)
{
    ig_match_t  m;
    ig_rank_t   rank;

    (void) state;

    rank = rank_of("1- 1- 2- 2+ 3+ 3+ 3-");
    assert_int_equal(rank.nrows, 3);

    m = ig_rank_match(&rank, 2);
    assert_int_equal(m.hit, 2);
    assert_int_equal(m.wrong, 1);
    assert_int_equal(m.miss, 1);
    assert_true(fabs(ig_match_precision(&m) - 2.0 / 3) < 1e-12);
    assert_true(fabs(ig_match_recall(&m) - 2.0 / 3) < 1e-12);
    assert_true(fabs(ig_match_f1(&m) - 2.0 / 3) < 1e-12);

    m = ig_rank_match(&rank, 0);
    assert_int_equal(m.hit, 3);
    assert_int_equal(m.wrong, 4);
    assert_int_equal(m.miss, 0);
    assert_true(fabs(ig_match_f1(&m) - 6.0 / 10) < 1e-12);

    m = ig_rank_match(&rank, 3);
    assert_int_equal(m.hit, 0);
    assert_int_equal(m.wrong, 0);
    assert_true(ig_match_precision(&m) == -1);
    assert_true(ig_match_recall(&m) == 0);
    assert_true(ig_match_f1(&m) == 0);

    memset(&m, 0, sizeof(m));
    assert_true(ig_match_recall(&m) == -1);
    assert_true(ig_match_f1(&m) == -1);
}


/* The highest, each that flags half as many again, the lowest. */
static void
rows_that_are_shown(void **state)
{
    int        i, n;
    unsigned   row, shown[16];
    ig_rank_t  rank;

    (void) state;

    rank = rank_of("");
    row = rank.nrows;
    assert_false(ig_rank_next(&rank, 1.5, &row));

    for (i = 1; i <= 100; i++) {
        assert_int_equal(ig_rank_add(&rank, i, false), IG_OK);
    }

    for (row = rank.nrows, n = 0; ig_rank_next(&rank, 2, &row); n++) {
        assert_true(n < 16);
        shown[n] = row;
    }

    /* 1, 2, 4, ... 64 of the hundred, and all */

    assert_int_equal(n, 8);
    assert_int_equal(shown[0], 99);
    assert_int_equal(shown[1], 98);
    assert_int_equal(shown[2], 96);
    assert_int_equal(shown[6], 36);
    assert_int_equal(shown[7], 0);
}


static void
without_memory_nothing_is_added(void **state)
{
    int        i;
    ig_rank_t  rank;

    (void) state;

    rank = rank_of("");
    room = 0;
    assert_int_equal(ig_rank_add(&rank, 1, true), IG_NOMEM);
    assert_int_equal(rank.nrows, 0);
    assert_int_equal(rank.total[1], 0);

    room = 1;

    for (i = 0; ig_rank_add(&rank, i, true) == IG_OK; i++) {
        assert_true(i < 10000);
    }

    assert_int_equal(rank.nrows, (unsigned) i);
    assert_int_equal(rank.total[1], (unsigned) i);

    /* what is there already needs none */
    assert_int_equal(ig_rank_add(&rank, 0, false), IG_OK);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup_teardown(auc_of_a_few, setup, teardown),
        cmocka_unit_test_setup_teardown(auc_is_its_definition, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(extreme_scores_have_their_places,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(matches_from_a_row_on, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(rows_that_are_shown, setup, teardown),
        cmocka_unit_test_setup_teardown(without_memory_nothing_is_added,
                                        setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
