/*
 * ig_ctl_backtest_group.c: events gathered by --by: a group is what its worst
 * event is.
 * Owns: groups, in the memory given.  Borrows the event and the trials.
 * Called by ig_ctl_backtest.c.
 */

#include <limits.h>
#include <string.h>

#include "ig_ctl_backtest.h"

#define IG_GROUP_KEY  8192      /* bytes; what has a longer key is left out */


/* FNV-1a: the table only has to spread, keys are compared whole. */
static uint64_t
ig_group_hash(ig_str_t key)
{
    size_t    i;
    uint64_t  hash;

    hash = UINT64_C(0xcbf29ce484222325);

    for (i = 0; i < key.len; i++) {
        hash ^= (uint8_t) key.data[i];
        hash *= UINT64_C(0x100000001b3);
    }

    return hash ^ hash >> 29;
}


/* ["m-42","u7"]; false where a value is missing or none. */
static bool
ig_group_key(const ig_backtest_options_t *options,
    const ig_backtest_event_t *event, ig_mem_t *scratch, ig_buf_t *b)
{
    char        text[IG_KEY_TEXT];
    unsigned    i;
    ig_value_t  value;

    ig_buf_char(b, '[');

    for (i = 0; i < options->nby; i++) {
        value = ig_backtest_member(event, options->by[i], scratch);

        if (value.type == IG_MISSING || value.type == IG_UNKNOWN
            || value.type == IG_SET)
        {
            return false;
        }

        if (i) {
            ig_buf_char(b, ',');
        }

        ig_buf_json_string(b, ig_value_key(&value, text));
    }

    ig_buf_char(b, ']');

    return !b->full;
}


static int
ig_groups_grow(ig_groups_t *g)
{
    unsigned      i, n;
    ig_group_t   *group, **all, **bucket;

    n = g->room ? 2 * g->room : 1024;

    all = ig_alloc(g->mem, n * sizeof(ig_group_t *));
    bucket = ig_alloc(g->mem, 2 * (size_t) n * sizeof(ig_group_t *));

    if (all == NULL || bucket == NULL) {
        return IG_NOMEM;
    }

    if (g->n) {
        memcpy(all, g->all, g->n * sizeof(ig_group_t *));
    }

    g->all = all;
    g->bucket = bucket;
    g->room = n;
    g->nbuckets = 2 * n;

    for (i = 0; i < g->n; i++) {
        group = g->all[i];
        group->next = bucket[group->hash & (g->nbuckets - 1)];
        bucket[group->hash & (g->nbuckets - 1)] = group;
    }

    return IG_OK;
}


static ig_group_t *
ig_groups_find(const ig_groups_t *g, ig_str_t key, uint64_t hash)
{
    ig_group_t  *group;

    if (g->nbuckets == 0) {
        return NULL;
    }

    for (group = g->bucket[hash & (g->nbuckets - 1)]; group;
         group = group->next)
    {
        if (group->hash == hash && ig_str_eq(group->key, key)) {
            return group;
        }
    }

    return NULL;
}


/* One block: the group, its key, a bit for each rule. */
static ig_group_t *
ig_groups_create(ig_groups_t *g, ig_str_t key, uint64_t hash,
    ig_trial_t *const *trial, unsigned ntrials)
{
    char         *rest;
    size_t        bytes[IG_TRIALS], size;
    unsigned      i;
    ig_group_t   *group;

    if (g->n == g->room && ig_groups_grow(g) != IG_OK) {
        return NULL;
    }

    size = sizeof(ig_group_t) + key.len;

    for (i = 0; i < ntrials; i++) {
        bytes[i] = (trial[i]->policy->nrules + 7) / 8;
        size += bytes[i];
    }

    group = ig_alloc(g->mem, size);
    if (group == NULL) {
        return NULL;
    }

    rest = (char *) (group + 1);

    for (i = 0; i < ntrials; i++) {
        group->result[i].score = INT_MIN;
        group->result[i].bits = (uint8_t *) rest;
        rest += bytes[i];
    }

    memcpy(rest, key.data, key.len);

    group->key.data = rest;
    group->key.len = key.len;
    group->hash = hash;
    group->truth = IG_TRUTH_NONE;
    group->next = g->bucket[hash & (g->nbuckets - 1)];

    g->bucket[hash & (g->nbuckets - 1)] = group;
    g->all[g->n++] = group;

    return group;
}


static void
ig_group_result(ig_group_result_t *result, const ig_trial_t *trial,
    const uint8_t *fired)
{
    int            score;
    unsigned       i;
    ig_decision_e  decision;

    decision = ig_trial_decision(trial);
    score = ig_trial_score(trial);

    if (decision > result->decision) {
        result->decision = (uint8_t) decision;
    }

    if (score > result->score) {
        result->score = score;
    }

    for (i = 0; i < trial->policy->nrules; i++) {
        result->bits[i / 8] |= (uint8_t) (fired[i] << i % 8);
    }
}


int
ig_groups_add(ig_groups_t *g, const ig_backtest_options_t *options,
    const ig_backtest_event_t *event, ig_truth_e truth,
    ig_trial_t *const *trial, uint8_t (*fired)[IG_MAX_RULES],
    unsigned ntrials, ig_mem_t *scratch)
{
    char         text[IG_GROUP_KEY];
    ig_buf_t     b;
    unsigned     i;
    uint64_t     hash;
    ig_group_t  *group;

    ig_buf_init(&b, text, sizeof(text));

    if (!ig_group_key(options, event, scratch, &b)) {
        g->without++;
        return IG_OK;
    }

    hash = ig_group_hash(ig_buf_str(&b));
    group = ig_groups_find(g, ig_buf_str(&b), hash);

    if (group == NULL) {
        group = ig_groups_create(g, ig_buf_str(&b), hash, trial, ntrials);
        if (group == NULL) {
            return IG_NOMEM;
        }
    }

    group->events++;

    if (truth != IG_TRUTH_NONE
        && (group->truth == IG_TRUTH_NONE || truth == IG_TRUTH_YES))
    {
        group->truth = truth;
    }

    for (i = 0; i < ntrials; i++) {
        ig_group_result(&group->result[i], trial[i], fired[i]);
    }

    return IG_OK;
}
