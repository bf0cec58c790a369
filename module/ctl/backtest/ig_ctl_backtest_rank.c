/*
 * ig_ctl_backtest_rank.c: occurrences of scores, area under the ROC curve,
 * precision and recall.
 * Owns: the rows, in the memory given.  Pure.
 * Called by the tallies and reports of backtest.
 */

#include "ig_ctl_backtest_rank.h"

#include <string.h>


/* The row of the score, or where it belongs. */
static unsigned
ig_rank_find(const ig_rank_t *rank, int score)
{
    unsigned  low, high, middle;

    low = 0;
    high = rank->nrows;

    while (low < high) {
        middle = low + (high - low) / 2;

        if (rank->row[middle].score < score) {
            low = middle + 1;

        } else {
            high = middle;
        }
    }

    return low;
}


static int
ig_rank_insert(ig_rank_t *rank, unsigned at, int score)
{
    ig_rank_row_t  *grown;

    if (rank->nrows == rank->room) {

        grown = ig_alloc(rank->mem,
                         (2 * rank->room + 32) * sizeof(ig_rank_row_t));
        if (grown == NULL) {
            return IG_NOMEM;
        }

        if (rank->nrows) {
            memcpy(grown, rank->row, rank->nrows * sizeof(ig_rank_row_t));
        }

        rank->row = grown;
        rank->room = 2 * rank->room + 32;
    }

    memmove(rank->row + at + 1, rank->row + at,
            (rank->nrows - at) * sizeof(ig_rank_row_t));
    memset(rank->row + at, 0, sizeof(ig_rank_row_t));

    rank->row[at].score = score;
    rank->nrows++;

    return IG_OK;
}


int
ig_rank_add(ig_rank_t *rank, int score, bool label)
{
    unsigned  at;

    at = ig_rank_find(rank, score);

    if ((at == rank->nrows || rank->row[at].score != score)
        && ig_rank_insert(rank, at, score) != IG_OK)
    {
        return IG_NOMEM;
    }

    rank->row[at].n[label]++;
    rank->total[label]++;

    return IG_OK;
}


bool
ig_rank_auc(const ig_rank_t *rank, double *auc)
{
    double               area;
    uint64_t             below;
    unsigned             i;
    const ig_rank_row_t  *row;

    if (rank->total[0] == 0 || rank->total[1] == 0) {
        return false;
    }

    /*
     * Twice the pairs in the right order, ties once: whole numbers, which a
     * double holds up to 2^53, that is up to 67 million events of each.
     */

    area = 0;
    below = 0;

    for (i = 0; i < rank->nrows; i++) {
        row = &rank->row[i];
        area += (double) row->n[1] * (double) (2 * below + row->n[0]);
        below += row->n[0];
    }

    *auc = area / 2 / (double) rank->total[0] / (double) rank->total[1];

    return true;
}


/* -- matches ------------------------------------------------------------- */

static double
ig_match_share(uint64_t part, uint64_t rest)
{
    return part + rest ? (double) part / (double) (part + rest) : -1;
}


double
ig_match_precision(const ig_match_t *m)
{
    return ig_match_share(m->hit, m->wrong);
}


double
ig_match_recall(const ig_match_t *m)
{
    return ig_match_share(m->hit, m->miss);
}


double
ig_match_f1(const ig_match_t *m)
{
    return ig_match_share(2 * m->hit, m->wrong + m->miss);
}


ig_match_t
ig_rank_match(const ig_rank_t *rank, unsigned row)
{
    unsigned    i;
    ig_match_t  m = { 0, 0, 0 };

    for (i = row; i < rank->nrows; i++) {
        m.hit += rank->row[i].n[1];
        m.wrong += rank->row[i].n[0];
    }

    m.miss = rank->total[1] - m.hit;

    return m;
}


bool
ig_rank_next(const ig_rank_t *rank, double growth, unsigned *row)
{
    unsigned    i;
    uint64_t    before, n;
    ig_match_t  m;

    if (*row == 0) {
        return false;
    }

    m = ig_rank_match(rank, *row);
    before = m.hit + m.wrong;
    n = before;

    for (i = *row - 1; i > 0; i--) {
        n += rank->row[i].n[0] + rank->row[i].n[1];

        if ((double) n >= growth * (double) before) {
            break;
        }
    }

    *row = i;

    return true;
}
