/*
 * ig_plan_limit.c: the rules of a plan which alone decide once their counter
 * is over its limit, so that such a call can be answered without the store.
 * Owns: plan->limit, in the memory given.  Borrows the policy.
 * Called by ig_plan_make.
 *
 * The answer must be what a whole evaluation would say, and leave behind what
 * it would leave behind.  Hence: the rule is enforced and says throttle or
 * deny; nothing in the plan could say something else that is stronger; a
 * rejected call writes nothing (accepted counters are taken back, and no rule
 * puts keys on a list); and what the counter stands at depends on nothing but
 * accepted events and time.
 */

#include <limits.h>

#include "ig_policy_int.h"


/* What the enforced rules of a plan can say, whether by then= or on_error=. */
typedef struct {
    bool     says[IG_DECISIONS];
    bool     adds;              /* to some list */
    int64_t  score;             /* if all that add to it fire */
} ig_plan_votes_t;


static void
ig_plan_votes(const ig_plan_t *plan, ig_plan_votes_t *votes)
{
    unsigned          i;
    const ig_rule_t  *rule;

    for (i = 0; i < plan->nrules; i++) {

        rule = plan->rule[i];

        if (rule->dry_run) {
            continue;
        }

        if (rule->then != IG_NO_DECISION) {
            votes->says[rule->then] = true;
        }

        if (rule->on_error != IG_NO_DECISION) {
            votes->says[rule->on_error] = true;
        }

        votes->adds |= (rule->add >= 0);

        if (rule->score > 0) {
            votes->score += rule->score;
        }
    }
}


/* Whether the plan has nothing that would win over this decision. */
static bool
ig_plan_is_final(const ig_policy_t *p, const ig_plan_votes_t *votes,
    ig_decision_e then)
{
    if (then == IG_DENY) {
        return !votes->says[IG_ALLOW];
    }

    return then == IG_THROTTLE
           && !votes->says[IG_ALLOW] && !votes->says[IG_DENY]
           && (p->score[IG_DENY] == INT_MAX
               || votes->score < p->score[IG_DENY]);
}


/* Whether a call that ends in this decision leaves something behind. */
static bool
ig_plan_writes_for(const ig_policy_t *p, const ig_plan_t *plan,
    ig_decision_e then)
{
    unsigned             i;
    const ig_counter_t  *c;

    for (i = 0; i < plan->ncounters; i++) {
        if (plan->counter[i].writes
            && plan->counter[i].counter->when == IG_ATTEMPTS)
        {
            return true;
        }
    }

    for (i = 0; i < p->ncounters; i++) {

        c = p->counter[i];

        if (ig_actions_match(&c->on, then == IG_DENY
                                     ? ig_str("decision.deny")
                                     : ig_str("decision.throttle")))
        {
            return true;
        }
    }

    return false;
}


/* Whether the counter's value follows from accepted events and time alone. */
static bool
ig_plan_is_predictable(const ig_plan_t *plan, const ig_counter_t *c)
{
    unsigned            i;
    const ig_source_t  *source;

    if (c->kind != IG_COUNT || c->similar >= 0 || c->when != IG_ACCEPTED
        || c->cond || c->warmup != 0 || !ig_actions_match(&c->on, plan->action))
    {
        return false;
    }

    for (i = 0; i < c->nkey; i++) {

        source = plan->source[c->key[i]];

        if (source == NULL || source->late
            || ig_plan_is_set(plan, c->key[i]))
        {
            return false;
        }
    }

    return true;
}


static bool
ig_plan_is_early(const ig_plan_t *plan, const ig_counter_t *c)
{
    unsigned  i;

    for (i = 0; i < c->nkey; i++) {
        if (plan->source[c->key[i]]->kind == IG_SOURCE_JSON) {
            return false;
        }
    }

    return true;
}


int
ig_plan_limits(const ig_policy_t *p, ig_plan_t *plan, ig_mem_t *mem)
{
    unsigned             i;
    ig_limit_t           limit;
    ig_plan_limit_t     *pl;
    ig_plan_votes_t      votes = { { false }, false, 0 };
    const ig_rule_t     *rule;
    const ig_counter_t  *c;

    plan->limit = ig_alloc(mem, plan->nrules * sizeof(ig_plan_limit_t));
    if (plan->limit == NULL) {
        return IG_NOMEM;
    }

    ig_plan_votes(plan, &votes);

    for (i = 0; i < plan->nrules; i++) {

        rule = plan->rule[i];

        if (rule->dry_run || rule->then == IG_NO_DECISION
            || !ig_expr_is_limit(rule->expr, &limit)
            || votes.adds || !ig_plan_is_final(p, &votes, rule->then)
            || ig_plan_writes_for(p, plan, rule->then))
        {
            continue;
        }

        c = p->counter[limit.counter];

        if (!ig_plan_is_predictable(plan, c)) {
            continue;
        }

        pl = &plan->limit[plan->nlimits++];

        pl->rule = rule;
        pl->counter = c;
        pl->limit = limit;
        pl->early = ig_plan_is_early(plan, c);
    }

    return IG_OK;
}
