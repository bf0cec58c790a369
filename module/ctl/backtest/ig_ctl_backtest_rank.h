/*
 * ig_ctl_backtest_rank.h: how well a score tells what is labelled from what is
 * not: how often each score occurred, and the statistics made of that.
 * Owns nothing: its memory is the caller's.  Pure.
 * Included by ig_ctl_backtest*.c and the unit tests.
 */

#ifndef IG_CTL_BACKTEST_RANK_H
#define IG_CTL_BACKTEST_RANK_H

#include "ig_core.h"

/* How often a score occurred: n[0] without the label, n[1] with it. */
typedef struct {
    int       score;
    uint64_t  n[2];
} ig_rank_row_t;

/* Rows ascend by score.  All zero but mem: empty. */
typedef struct {
    ig_mem_t       *mem;
    ig_rank_row_t  *row;
    unsigned        nrows;
    unsigned        room;
    uint64_t        total[2];
} ig_rank_t;

/* IG_OK or IG_NOMEM. */
int ig_rank_add(ig_rank_t *rank, int score, bool label);

/*
 * The area under the ROC curve: how probable it is that something labelled
 * scores higher than something that is not, ties counting half (the
 * Mann-Whitney statistic), exact.  False where one of the two is empty.
 */
bool ig_rank_auc(const ig_rank_t *rank, double *auc);

/* What is found, and what is found wrongly. */
typedef struct {
    uint64_t  hit;              /* flagged and labelled */
    uint64_t  miss;             /* labelled, not flagged */
    uint64_t  wrong;            /* flagged, not labelled */
} ig_match_t;

/* hit / (hit + wrong), hit / (hit + miss), and their harmonic mean; -1 where
 * there is nothing to divide by. */
double ig_match_precision(const ig_match_t *m);
double ig_match_recall(const ig_match_t *m);
double ig_match_f1(const ig_match_t *m);

/* What comes of flagging scores from row `row` on. */
ig_match_t ig_rank_match(const ig_rank_t *rank, unsigned row);

/*
 * Which rows to show where there are many: the highest score first, then
 * always the next that flags at least `growth` times as many as the one shown
 * before it, and the lowest score last.  Starts with *row = nrows; false: no
 * more.
 */
bool ig_rank_next(const ig_rank_t *rank, double growth, unsigned *row);

#endif /* IG_CTL_BACKTEST_RANK_H */
