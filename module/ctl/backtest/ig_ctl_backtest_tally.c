/*
 * ig_ctl_backtest_tally.c: how often each decision was made and each rule
 * fired, and how well that agrees with the labels.
 * Owns nothing.  Borrows the trial's call, which has just been decided.
 * Called by ig_ctl_backtest.c.
 */

#include <string.h>

#include "ig_ctl_backtest.h"


static int
ig_tally_truth(ig_tally_t *tally, ig_truth_e truth, ig_decision_e decision,
    int score)
{
    tally->n++;
    tally->decision[decision]++;
    tally->truth[truth]++;
    tally->held[truth] += (decision != IG_ALLOW);

    return truth == IG_TRUTH_NONE ? IG_OK
           : ig_rank_add(&tally->rank, score, truth == IG_TRUTH_YES);
}


static void
ig_tally_rule(ig_tally_t *tally, const ig_call_t *call, unsigned i,
    ig_truth_e truth)
{
    ig_rule_tally_t  *r;

    r = &tally->rule[call->plan->rule[i]->id];

    switch ((ig_outcome_e) call->outcome[i]) {

    case IG_RULE_FIRED:
        r->fired++;
        r->decision[call->counted]++;
        r->truth[truth]++;
        break;

    case IG_RULE_ON_ERROR:
        r->on_error++;
        break;

    case IG_RULE_UNKNOWN:
        r->unknown++;
        break;

    default:
        break;
    }
}


int
ig_tally_event(ig_tally_t *tally, ig_truth_e truth, uint8_t *fired)
{
    unsigned          i, n, id;
    const ig_call_t  *call;

    memset(fired, 0, tally->trial->policy->nrules);

    call = tally->trial->call;

    if (call == NULL) {
        tally->unclassified++;
        tally->would[IG_ALLOW]++;
        return ig_tally_truth(tally, truth, IG_ALLOW, 0);
    }

    for (i = 0, n = 0, id = 0; i < call->plan->nrules; i++) {
        ig_tally_rule(tally, call, i, truth);

        if (call->outcome[i] == IG_RULE_FIRED) {
            id = call->plan->rule[i]->id;
            fired[id] = 1;
            n++;
        }
    }

    tally->rule[id].alone += (n == 1);
    tally->would[call->would]++;

    return ig_tally_truth(tally, truth, call->counted, call->score);
}


int
ig_tally_group(ig_tally_t *tally, ig_truth_e truth, ig_decision_e decision,
    int score, const uint8_t *bits)
{
    unsigned          i;
    ig_rule_tally_t  *r;

    for (i = 0; i < tally->trial->policy->nrules; i++) {

        if (bits[i / 8] & (1 << i % 8)) {
            r = &tally->rule[i];

            r->fired++;
            r->decision[decision]++;
            r->truth[truth]++;
        }
    }

    return ig_tally_truth(tally, truth, decision, score);
}


static ig_match_t
ig_tally_matches(const ig_tally_t *tally, const uint64_t *flagged)
{
    ig_match_t  m;

    m.hit = flagged[IG_TRUTH_YES];
    m.miss = tally->truth[IG_TRUTH_YES] - flagged[IG_TRUTH_YES];
    m.wrong = flagged[IG_TRUTH_NO];

    return m;
}


ig_match_t
ig_tally_match(const ig_tally_t *tally)
{
    return ig_tally_matches(tally, tally->held);
}


ig_match_t
ig_tally_rule_match(const ig_tally_t *tally, unsigned rule)
{
    return ig_tally_matches(tally, tally->rule[rule].truth);
}
