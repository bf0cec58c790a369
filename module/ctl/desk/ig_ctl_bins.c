/*
 * ig_ctl_bins.c: calls over time, in bins that become wider as time passes.
 * Owns nothing, pure: the bins are the caller's.
 * Called by dossier, report and plots.
 */

#include <string.h>

#include "ig_ctl_calendar.h"

/* The Monday that bins are numbered from: 1970-01-05. */
#define IG_MONDAY  (4 * IG_DAY_MS)

/* Each is a multiple of the one before, so that bins can be put together. */
static const struct {
    int64_t      ms;
    const char  *unit;
} ig_widths[] = {
    { IG_MINUTE_MS,       "minute" },
    { 5 * IG_MINUTE_MS,   "5 minutes" },
    { 15 * IG_MINUTE_MS,  "15 minutes" },
    { IG_HOUR_MS,         "hour" },
    { 3 * IG_HOUR_MS,     "3 hours" },
    { 6 * IG_HOUR_MS,     "6 hours" },
    { 12 * IG_HOUR_MS,    "12 hours" },
    { IG_DAY_MS,          "day" },
    { 7 * IG_DAY_MS,      "week" },
    { 28 * IG_DAY_MS,     "4 weeks" },
    { 364 * IG_DAY_MS,    "52 weeks" }
};

#define IG_WIDEST  (ig_countof(ig_widths) - 1)


static int64_t
ig_bins_floor(int64_t n, int64_t d)
{
    return n / d - (n % d < 0);
}


void
ig_bins_init(ig_bins_t *bins, ig_zone_t zone, int64_t at_least)
{
    memset(bins, 0, sizeof(ig_bins_t));

    bins->zone = zone;

    while (bins->width < IG_WIDEST && ig_widths[bins->width].ms < at_least) {
        bins->width++;
    }
}


static int64_t
ig_bins_number(const ig_bins_t *bins, int64_t ms)
{
    return ig_bins_floor(ms + bins->zone - IG_MONDAY,
                         ig_widths[bins->width].ms);
}


static void
ig_bin_merge(ig_bin_t *to, const ig_bin_t *from)
{
    unsigned  kind;

    for (kind = 0; kind < IG_BIN_KINDS; kind++) {
        to->n[kind] += from->n[kind];
    }
}


/* The next width; false where there is none. */
static bool
ig_bins_widen(ig_bins_t *bins)
{
    int64_t   ratio, first, to;
    unsigned  i, n;
    ig_bin_t  bin;

    if (bins->width == IG_WIDEST) {
        return false;
    }

    ratio = ig_widths[bins->width + 1].ms / ig_widths[bins->width].ms;
    first = ig_bins_floor(bins->first, ratio);
    n = bins->nbins;

    bins->nbins = 0;

    for (i = 0; i < n; i++) {
        bin = bins->bin[i];
        memset(&bins->bin[i], 0, sizeof(ig_bin_t));

        to = ig_bins_floor(bins->first + i, ratio) - first;
        ig_bin_merge(&bins->bin[to], &bin);
        bins->nbins = (unsigned) to + 1;
    }

    bins->first = first;
    bins->width++;

    return true;
}


/* Makes the bin of that number exist; false: it lies too far away. */
static bool
ig_bins_reach(ig_bins_t *bins, int64_t number)
{
    int64_t  before;

    if (bins->nbins == 0) {
        bins->first = number;
        bins->nbins = 1;
        return true;
    }

    if (number >= bins->first) {

        if (number - bins->first >= IG_BINS) {
            return false;
        }

        if (number - bins->first >= bins->nbins) {
            bins->nbins = (unsigned) (number - bins->first) + 1;
        }

        return true;
    }

    before = bins->first - number;

    if (before + bins->nbins > IG_BINS) {
        return false;
    }

    memmove(bins->bin + before, bins->bin, bins->nbins * sizeof(ig_bin_t));
    memset(bins->bin, 0, (size_t) before * sizeof(ig_bin_t));

    bins->first = number;
    bins->nbins += (unsigned) before;

    return true;
}


/* Where the moment's bin is; centuries apart, the last one takes it. */
static unsigned
ig_bins_find(ig_bins_t *bins, int64_t ms)
{
    int64_t  number;

    do {
        number = ig_bins_number(bins, ms);

        if (ig_bins_reach(bins, number)) {
            return (unsigned) (number - bins->first);
        }
    } while (ig_bins_widen(bins));

    return number < bins->first ? 0 : bins->nbins - 1;
}


void
ig_bins_cover(ig_bins_t *bins, int64_t from, int64_t to)
{
    (void) ig_bins_find(bins, from);
    (void) ig_bins_find(bins, to);
}


void
ig_bins_add(ig_bins_t *bins, int64_t ms, unsigned kind, uint64_t n)
{
    bins->bin[ig_bins_find(bins, ms)].n[kind] += n;
}


void
ig_bins_narrow(ig_bins_t *bins, unsigned most)
{
    while (bins->nbins > most && ig_bins_widen(bins)) {
        /* void */
    }
}


int64_t
ig_bins_start(const ig_bins_t *bins, unsigned i)
{
    return (bins->first + i) * ig_widths[bins->width].ms + IG_MONDAY
           - bins->zone;
}


int64_t
ig_bins_width(const ig_bins_t *bins)
{
    return ig_widths[bins->width].ms;
}


const char *
ig_bins_unit(const ig_bins_t *bins)
{
    return ig_widths[bins->width].unit;
}


uint64_t
ig_bin_stronger(const ig_bin_t *bin)
{
    return bin->n[IG_BIN_HOLD] + bin->n[IG_BIN_THROTTLE] + bin->n[IG_BIN_DENY];
}


uint64_t
ig_bin_calls(const ig_bin_t *bin)
{
    return bin->n[IG_BIN_ALLOW] + ig_bin_stronger(bin);
}
