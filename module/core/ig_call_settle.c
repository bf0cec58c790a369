/*
 * ig_call_settle.c: what is written after the decision: take-backs, what the
 * decision counts, what the end of the call counts.
 * Owns nothing; ops are the caller's.  Borrows the call and its policy.
 * Called by nginx and by backtest.
 */

#include "ig_call_int.h"


static void
ig_op_take_back(const ig_op_t *op, ig_op_t *out)
{
    *out = *op;
    out->verb = IG_OP_UNDO;
    out->state = IG_OP_PENDING;
}


unsigned
ig_op_undo(const ig_op_t *op, unsigned nops, ig_op_t *out)
{
    unsigned  i, n;

    for (i = 0, n = 0; i < nops; i++) {
        if (op[i].verb == IG_OP_ADD && op[i].state == IG_OP_DONE) {
            ig_op_take_back(&op[i], &out[n++]);
        }
    }

    return n;
}


/* Whether the counters' view of the call is that it was turned away. */
static bool
ig_call_rejected(const ig_call_t *call)
{
    return call->counted == IG_THROTTLE || call->counted == IG_DENY;
}


static ig_str_t
ig_decision_action(ig_decision_e d)
{
    static const ig_str_t  name[IG_DECISIONS] = {
        ig_string("decision.allow"),
        ig_string("decision.hold"),
        ig_string("decision.throttle"),
        ig_string("decision.deny")
    };

    return name[d];
}


bool
ig_call_adds(const ig_call_t *call, unsigned i)
{
    const ig_rule_t     *rule;
    const ig_value_t    *listed;
    const ig_counter_t  *list;

    rule = call->plan->rule[i];

    if (rule->add < 0 || rule->dry_run || call->outcome[i] != IG_RULE_FIRED
        || call->dry_run || call->refused)
    {
        return false;
    }

    list = call->policy->counter[rule->add];
    listed = &call->counter[list->id];

    /* of several keys some may be on the list, and others not */

    if (!rule->renew && listed->type == IG_BOOL && listed->num != 0
        && call->asked[list->id].n == 1)
    {
        return false;
    }

    return ig_call_has_key(call, list);
}


unsigned
ig_call_settle(ig_call_t *call, const ig_op_t *op, unsigned nops,
    ig_op_t *out)
{
    bool                      rejected;
    unsigned                  i;
    ig_ops_t                  ops;
    const ig_counter_t       *c;
    const ig_plan_counter_t  *pc;

    if (call->refused) {

        /* nothing was counted, and no new key may come in by this door */
        return 0;
    }

    ig_ops_init(&ops, call, out);
    rejected = ig_call_rejected(call);

    for (i = 0; rejected && i < nops; i++) {
        if (op[i].verb == IG_OP_ADD && op[i].state == IG_OP_DONE
            && op[i].counter->when == IG_ACCEPTED)
        {
            ig_op_take_back(&op[i], &out[ops.nops++]);
        }
    }

    for (i = 0; i < call->plan->ncounters; i++) {
        pc = &call->plan->counter[i];
        c = pc->counter;

        if (pc->writes && ig_counter_settles(c) && c->when != IG_COMPLETED
            && !(rejected && c->when == IG_ACCEPTED))
        {
            ig_ops_put(&ops, c);
        }

        if (call->counted != IG_ALLOW
            && ig_actions_match(&c->on, ig_decision_action(call->counted)))
        {
            ig_ops_put(&ops, c);
        }
    }

    for (i = 0; i < call->plan->nrules; i++) {
        if (ig_call_adds(call, i)) {
            ig_ops_list(&ops, call->plan->rule[i]);
        }
    }

    return ops.nops;
}


unsigned
ig_call_complete(ig_call_t *call, ig_op_t *out)
{
    unsigned                  i;
    ig_ops_t                  ops;
    const ig_plan_counter_t  *pc;

    if (call->refused || ig_call_rejected(call)) {
        return 0;
    }

    ig_ops_init(&ops, call, out);

    for (i = 0; i < call->plan->ncounters; i++) {
        pc = &call->plan->counter[i];

        if (pc->writes && pc->counter->when == IG_COMPLETED) {
            ig_ops_put(&ops, pc->counter);
        }
    }

    return ops.nops;
}
