/*
 * Owns: the latency histogram and the pseudo-random numbers.
 * Borrows: the caller's memory.
 * Called by: ig_load.c, ig_load_ring.c.
 */

#include "ig_load.h"


uint64_t
ig_rng_next(ig_rng_t *rng)
{
    uint64_t  z;

    rng->state += 0x9e3779b97f4a7c15u;

    z = rng->state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;

    return z ^ (z >> 31);
}


double
ig_rng_unit(ig_rng_t *rng)
{
    return (double) (ig_rng_next(rng) >> 11) * 0x1.0p-53;
}


/*
 * Below 128 a slot is one nanosecond.  Above, the seven leading bits choose
 * the slot: the exponent its group of 64, the six bits behind it the step.
 */

static unsigned
ig_hist_slot(uint64_t ns)
{
    unsigned  exp, slot;

    if (ns < 2 * IG_HIST_SUB) {
        return (unsigned) ns;
    }

    exp = 63 - (unsigned) __builtin_clzll(ns) - 6;
    slot = exp * IG_HIST_SUB + (unsigned) (ns >> exp);

    return slot < IG_HIST_SIZE ? slot : IG_HIST_SIZE - 1;
}


static uint64_t
ig_hist_edge(unsigned slot)
{
    unsigned  exp;

    if (slot < 2 * IG_HIST_SUB) {
        return slot;
    }

    exp = slot / IG_HIST_SUB - 1;

    return (((uint64_t) (slot % IG_HIST_SUB) + IG_HIST_SUB + 1) << exp) - 1;
}


void
ig_hist_add(ig_hist_t *h, uint64_t ns)
{
    h->n++;
    h->sum += ns;
    h->slot[ig_hist_slot(ns)]++;

    if (ns > h->max) {
        h->max = ns;
    }
}


uint64_t
ig_hist_quantile(const ig_hist_t *h, double q)
{
    unsigned  i;
    uint64_t  edge, rank, seen;

    rank = (uint64_t) (q * (double) h->n);

    if ((double) rank < q * (double) h->n) {
        rank++;
    }

    seen = 0;

    for (i = 0; i < IG_HIST_SIZE; i++) {
        seen += h->slot[i];

        if (seen >= rank && seen > 0) {
            edge = ig_hist_edge(i);
            return edge < h->max ? edge : h->max;
        }
    }

    return h->max;
}
