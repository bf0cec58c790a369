/*
 * ig_call_decide.c: raw answers become counter values, rules become outcomes,
 * outcomes a decision.
 * Owns nothing.  Borrows the call, the answered ops, the host's place.
 * Called by nginx and by backtest.
 */

#include "ig_call_int.h"

#include <limits.h>


/* -- values -------------------------------------------------------------- */

/* Of several keys of one counter: unknown wins, then the largest number. */
static ig_value_t
ig_value_worst(ig_value_t a, ig_value_t b)
{
    if (a.type == IG_UNKNOWN || b.type == IG_MISSING) {
        return a;
    }

    if (b.type == IG_UNKNOWN || a.type == IG_MISSING) {
        return b;
    }

    return b.num > a.num ? b : a;
}


void
ig_call_answer(ig_call_t *call, const ig_op_t *op, unsigned nops,
    const uint8_t *known)
{
    unsigned      i, id;
    ig_value_t    value;
    const void   *last;

    last = NULL;

    for (i = 0; i < nops; i++) {
        id = op[i].counter->id;

        if (op[i].state == IG_OP_REFUSED) {
            call->refused = true;
        }

        value = known == NULL || known[id] ? ig_window_value(&op[i])
                                           : ig_value_of(IG_UNKNOWN);

        /* all ops of one counter stand together */

        if (op[i].counter == last) {
            value = ig_value_worst(call->counter[id], value);
        }

        if (call->asked[id].n != 0 && op[i].state == IG_OP_DONE) {
            call->seen[i].first = op[i].raw.first;
            call->seen[i].last = op[i].raw.last;
        }

        last = op[i].counter;
        call->counter[id] = value;
    }
}


/* -- rules --------------------------------------------------------------- */

static ig_env_t
ig_call_env(const ig_call_t *call)
{
    ig_env_t  env;

    env.field = call->field;
    env.counter = call->counter;
    env.threshold = call->place->threshold;
    env.time = call->time;
    env.zone = call->policy->zone;

    return env;
}


bool
ig_call_cond(const ig_call_t *call, const ig_counter_t *counter)
{
    ig_env_t    env;
    ig_value_t  v;

    if (counter->cond == NULL) {
        return true;
    }

    env = ig_call_env(call);
    v = ig_expr_eval(counter->cond, &env);

    return v.type == IG_BOOL && v.num != 0;
}


static ig_outcome_e
ig_call_rule(const ig_call_t *call, const ig_rule_t *rule,
    const ig_env_t *env)
{
    ig_value_t  v;

    if (call->place->except != NULL && call->place->except[rule->id]) {
        return IG_RULE_EXCEPT;
    }

    v = ig_expr_eval(rule->expr, env);

    if (v.type != IG_BOOL) {
        return rule->on_error != IG_NO_DECISION ? IG_RULE_ON_ERROR
                                                : IG_RULE_UNKNOWN;
    }

    return v.num != 0 ? IG_RULE_FIRED : IG_RULE_NOT;
}


/* -- the decision -------------------------------------------------------- */

/* What rules have said so far; one for the enforced, one for all. */
typedef struct {
    bool     said[IG_DECISIONS];
    int64_t  score;
} ig_votes_t;


static void
ig_votes_add(ig_votes_t *votes, const ig_rule_t *rule, ig_outcome_e outcome)
{
    ig_decision_e  d;

    d = outcome == IG_RULE_FIRED ? rule->then : rule->on_error;

    if (d != IG_NO_DECISION) {
        votes->said[d] = true;
    }

    if (outcome == IG_RULE_FIRED && rule->has_score) {
        votes->score += rule->score;
    }
}


static int
ig_votes_score(const ig_votes_t *votes)
{
    return votes->score > INT_MAX ? INT_MAX
           : votes->score < INT_MIN ? INT_MIN : (int) votes->score;
}


/* The strongest decision whose score is reached. */
static ig_decision_e
ig_score_decision(const ig_policy_t *policy, int64_t score)
{
    int  d;

    if (!policy->has_scores) {
        return IG_ALLOW;
    }

    for (d = IG_DENY; d > IG_ALLOW; d--) {
        if (policy->score[d] != INT_MAX && score >= policy->score[d]) {
            return (ig_decision_e) d;
        }
    }

    return IG_ALLOW;
}


/* deny, then allow, then the strongest of what is explicit and the score. */
static ig_decision_e
ig_votes_decision(const ig_votes_t *votes, const ig_policy_t *policy)
{
    ig_decision_e  scored;

    if (votes->said[IG_DENY]) {
        return IG_DENY;
    }

    if (votes->said[IG_ALLOW]) {
        return IG_ALLOW;
    }

    scored = ig_score_decision(policy, votes->score);

    if (votes->said[IG_THROTTLE] && scored < IG_THROTTLE) {
        return IG_THROTTLE;
    }

    if (votes->said[IG_HOLD] && scored < IG_HOLD) {
        return IG_HOLD;
    }

    return scored;
}


void
ig_call_decide(ig_call_t *call)
{
    unsigned          i;
    ig_env_t          env;
    ig_votes_t        enforced = { { false }, 0 };
    ig_votes_t        all = { { false }, 0 };
    ig_outcome_e      outcome;
    const ig_rule_t  *rule;

    env = ig_call_env(call);

    for (i = 0; i < call->plan->nrules; i++) {
        rule = call->plan->rule[i];

        outcome = ig_call_rule(call, rule, &env);
        call->outcome[i] = (uint8_t) outcome;

        if (outcome != IG_RULE_FIRED && outcome != IG_RULE_ON_ERROR) {
            continue;
        }

        ig_votes_add(&all, rule, outcome);

        if (!rule->dry_run) {
            ig_votes_add(&enforced, rule, outcome);
        }
    }

    call->score = ig_votes_score(&enforced);
    call->would_score = ig_votes_score(&all);

    call->counted = ig_votes_decision(&enforced, call->policy);
    call->would = ig_votes_decision(&all, call->policy);
    call->decision = call->dry_run ? IG_ALLOW : call->counted;
}
