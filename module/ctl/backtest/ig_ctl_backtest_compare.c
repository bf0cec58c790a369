/*
 * ig_ctl_backtest_compare.c: what a candidate would change: who is newly
 * held, who passes again, with examples.
 * Owns: examples, in the memory given.  Borrows the trials' calls.
 * Called by ig_ctl_backtest.c.
 */

#include <string.h>

#include "ig_ctl_backtest.h"


void
ig_compare_init(ig_compare_t *c)
{
    unsigned  i;

    memset(c, 0, sizeof(ig_compare_t));

    for (i = 0; i < IG_CHANGES; i++) {
        c->change[i].last = &c->change[i].first;
    }
}


/* NULL: neither newly held nor passing again. */
static ig_change_t *
ig_compare_count(ig_compare_t *c, ig_decision_e before, ig_decision_e after,
    ig_truth_e truth)
{
    ig_change_t  *change;

    c->cross[before][after]++;

    if ((before == IG_ALLOW) == (after == IG_ALLOW)) {
        return NULL;
    }

    change = &c->change[before == IG_ALLOW ? IG_CHANGE_HELD
                                           : IG_CHANGE_PASSED];
    change->n++;
    change->truth[truth]++;

    return change;
}


/* Whether a rule fired in what is compared. */
typedef bool (*ig_compare_fired_pt)(const void *of, const ig_trial_t *trial,
    unsigned rule);


static ig_str_t
ig_compare_rules(const ig_trial_t *trial, ig_compare_fired_pt fired,
    const void *of, ig_mem_t *mem)
{
    char       text[2048];
    unsigned   i;
    ig_buf_t   b;
    ig_str_t   copy;

    ig_buf_init(&b, text, sizeof(text));

    for (i = 0; i < trial->policy->nrules; i++) {

        if (!fired(of, trial, i)) {
            continue;
        }

        if (b.pos != b.start) {
            ig_buf_lit(&b, ", ");
        }

        ig_buf_str_add(&b, trial->policy->rule[i]->name);
    }

    return ig_str_dup(mem, ig_buf_str(&b), &copy) == IG_OK ? copy
                                                           : ig_str("");
}


static ig_example_t *
ig_compare_example(ig_change_t *change, unsigned most, ig_mem_t *mem)
{
    ig_example_t  *e;

    if (change->nexamples == most) {
        return NULL;
    }

    e = ig_alloc(mem, sizeof(ig_example_t));
    if (e == NULL) {
        return NULL;
    }

    *change->last = e;
    change->last = &e->next;
    change->nexamples++;

    return e;
}


/* -- events -------------------------------------------------------------- */


static bool
ig_compare_call_fired(const void *of, const ig_trial_t *trial, unsigned rule)
{
    unsigned          i;
    const ig_call_t  *call = of;

    for (i = 0; call && i < call->plan->nrules; i++) {
        if (call->plan->rule[i] == trial->policy->rule[rule]) {
            return call->outcome[i] == IG_RULE_FIRED;
        }
    }

    return false;
}


void
ig_compare_event(ig_compare_t *c, const ig_backtest_options_t *options,
    const ig_backtest_event_t *event, uint64_t number, ig_truth_e truth,
    ig_trial_t *const *trial, ig_mem_t *mem)
{
    unsigned       i;
    ig_change_t   *change;
    ig_example_t  *e;

    change = ig_compare_count(c, ig_trial_decision(trial[0]),
                              ig_trial_decision(trial[1]), truth);

    e = change ? ig_compare_example(change, options->examples, mem) : NULL;

    if (e == NULL) {
        return;
    }

    e->number = number;
    e->file = event->file;
    e->line = event->line;
    e->time = event->time;
    e->truth = truth;
    e->what = ig_write_fields(trial[0]->call ? trial[0] : trial[1], mem);

    for (i = 0; i < IG_TRIALS; i++) {
        e->decision[i] = ig_trial_decision(trial[i]);
        e->score[i] = ig_trial_score(trial[i]);
        e->rules[i] = ig_compare_rules(trial[i], ig_compare_call_fired,
                                       trial[i]->call, mem);
    }
}


/* -- groups -------------------------------------------------------------- */


static bool
ig_compare_group_fired(const void *of, const ig_trial_t *trial, unsigned rule)
{
    const ig_group_result_t  *result = of;

    (void) trial;

    return result->bits[rule / 8] & (1 << rule % 8);
}


void
ig_compare_group(ig_compare_t *c, const ig_backtest_options_t *options,
    const ig_group_t *group, ig_trial_t *const *trial, ig_mem_t *mem)
{
    unsigned                  i;
    ig_change_t              *change;
    ig_example_t             *e;
    const ig_group_result_t  *result;

    result = group->result;

    change = ig_compare_count(c, (ig_decision_e) result[0].decision,
                              (ig_decision_e) result[1].decision,
                              group->truth);

    e = change ? ig_compare_example(change, options->examples, mem) : NULL;

    if (e == NULL) {
        return;
    }

    e->truth = group->truth;
    e->what = group->key;

    for (i = 0; i < IG_TRIALS; i++) {
        e->decision[i] = (ig_decision_e) result[i].decision;
        e->score[i] = result[i].score;
        e->rules[i] = ig_compare_rules(trial[i], ig_compare_group_fired,
                                       &result[i], mem);
    }
}
