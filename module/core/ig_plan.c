/*
 * ig_plan.c: what a call of one action takes: which fields to extract, which
 * counters to read and write, which rules to try, how many operations.
 * Owns: the plan, in the memory given.  Borrows the policy, which outlives it.
 * Called by ig_policy_finish.c, and by nginx for actions met at run time.
 */

#include "ig_policy_int.h"
#include "ig_similar.h"


/* What a counter is wanted for, by counter id. */
typedef struct {
    const ig_policy_t  *policy;
    bool                writes[IG_MAX_COUNTERS];
    bool                reads[IG_MAX_COUNTERS];
    bool                decision[IG_MAX_COUNTERS];
} ig_plan_use_t;


bool
ig_plan_is_set(const ig_plan_t *plan, unsigned field)
{
    return plan->source[field] && plan->source[field]->star >= 0;
}


/* -- fields and rules ---------------------------------------------------- */


static int
ig_plan_sources(const ig_policy_t *p, ig_plan_t *plan, ig_mem_t *mem)
{
    unsigned           i, k;
    const ig_field_t  *field;

    plan->source = ig_alloc(mem, p->nfields * sizeof(ig_source_t *));
    if (plan->source == NULL) {
        return IG_NOMEM;
    }

    for (i = 0; i < p->nfields; i++) {

        field = p->field[i];

        for (k = 0; k < field->nsources; k++) {
            if (ig_actions_match(&field->source[k]->on, plan->action)) {
                plan->source[i] = field->source[k];
                plan->body |= (field->source[k]->kind == IG_SOURCE_JSON);
                break;
            }
        }
    }

    return IG_OK;
}


static int
ig_plan_rules(const ig_policy_t *p, ig_plan_t *plan, ig_mem_t *mem)
{
    unsigned  i;

    plan->rule = ig_alloc(mem, p->nrules * sizeof(ig_rule_t *));
    if (plan->rule == NULL) {
        return IG_NOMEM;
    }

    for (i = 0; i < p->nrules; i++) {
        if (ig_actions_match(&p->rule[i]->on, plan->action)) {
            plan->rule[plan->nrules++] = p->rule[i];
        }
    }

    plan->known |= (plan->nrules != 0);

    return IG_OK;
}


/* -- counters ------------------------------------------------------------ */


static void
ig_plan_use_name(void *ctx, const ig_name_t *name)
{
    ig_plan_use_t  *use = ctx;

    if (name->kind == IG_NAME_COUNTER || name->kind == IG_NAME_LIST) {
        use->reads[name->id] = true;
    }
}


/*
 * What is written, by the action or by whatever its decision will be, and
 * what rules and the if= of those read, or want to know before they add to it.
 * What is only read needs no if=.
 */
static void
ig_plan_use(ig_plan_use_t *use, const ig_plan_t *plan)
{
    bool                 internal;
    unsigned             i;
    const ig_counter_t  *c;

    internal = ig_action_is_decision(plan->action);

    for (i = 0; i < use->policy->ncounters; i++) {

        c = use->policy->counter[i];

        use->writes[i] = !internal && c->kind != IG_LISTED
                         && ig_actions_match(&c->on, plan->action);
        use->decision[i] = ig_actions_have_decision(&c->on);

        if ((use->writes[i] || use->decision[i]) && c->cond) {
            ig_expr_names(c->cond, ig_plan_use_name, use);
        }
    }

    for (i = 0; i < plan->nrules; i++) {
        ig_expr_names(plan->rule[i]->expr, ig_plan_use_name, use);

        if (plan->rule[i]->add >= 0 && !plan->rule[i]->dry_run
            && !plan->rule[i]->renew)
        {
            /* so that nothing is written where the key is on it */
            use->reads[plan->rule[i]->add] = true;
        }
    }
}


static int
ig_plan_counters(const ig_plan_use_t *use, ig_plan_t *plan, ig_mem_t *mem)
{
    unsigned            i;
    ig_plan_counter_t  *pc;

    plan->counter = ig_alloc(mem, use->policy->ncounters
                                  * sizeof(ig_plan_counter_t));
    if (plan->counter == NULL) {
        return IG_NOMEM;
    }

    for (i = 0; i < use->policy->ncounters; i++) {

        if (!use->writes[i] && !use->reads[i] && !use->decision[i]) {
            continue;
        }

        pc = &plan->counter[plan->ncounters++];

        pc->counter = use->policy->counter[i];
        pc->writes = use->writes[i];
        pc->reads = use->reads[i];

        plan->known |= pc->writes;
    }

    return IG_OK;
}


/* -- operations ---------------------------------------------------------- */


/* Whether one event may be many operations on this counter. */
static bool
ig_plan_counter_is_wide(const ig_plan_t *plan, const ig_counter_t *c)
{
    unsigned  i;

    for (i = 0; i < c->nkey; i++) {
        if (ig_plan_is_set(plan, c->key[i])) {
            return true;
        }
    }

    return c->kind == IG_DISTINCT && ig_plan_is_set(plan, (unsigned) c->value);
}


/*
 * The larger of two batches: before the decision each counter once; after it a
 * take-back or a late write of what the action writes, a write of what the
 * decision writes, and what rules put on lists.  What is counted when completed
 * is no more than the first.
 */
static unsigned
ig_plan_max_ops(const ig_policy_t *p, const ig_plan_t *plan)
{
    unsigned                  i, n, before, after;
    const ig_rule_t          *rule;
    const ig_plan_counter_t  *pc;

    before = 0;
    after = 0;

    for (i = 0; i < plan->ncounters; i++) {

        pc = &plan->counter[i];

        if (ig_plan_counter_is_wide(plan, pc->counter)) {
            return IG_MAX_OPS;
        }

        n = pc->counter->similar >= 0 ? IG_BANDS : 1;

        before += n;
        after += n * (pc->writes && pc->counter->when != IG_COMPLETED);
        after += n * ig_actions_have_decision(&pc->counter->on);
    }

    for (i = 0; i < plan->nrules; i++) {

        rule = plan->rule[i];

        if (rule->add < 0) {
            continue;
        }

        if (ig_plan_counter_is_wide(plan, p->counter[rule->add])) {
            return IG_MAX_OPS;
        }

        after++;
    }

    if (before < after) {
        before = after;
    }

    return before < IG_MAX_OPS ? before : IG_MAX_OPS;
}


ig_plan_t *
ig_plan_make(const ig_policy_t *p, ig_str_t action, ig_mem_t *mem)
{
    ig_plan_t      *plan;
    ig_plan_use_t   use = { .policy = p };

    plan = ig_alloc(mem, sizeof(ig_plan_t));

    if (plan == NULL
        || ig_str_dup(mem, action, &plan->action) != IG_OK
        || ig_plan_sources(p, plan, mem) != IG_OK
        || ig_plan_rules(p, plan, mem) != IG_OK)
    {
        return NULL;
    }

    ig_plan_use(&use, plan);

    if (ig_plan_counters(&use, plan, mem) != IG_OK
        || ig_plan_limits(p, plan, mem) != IG_OK)
    {
        return NULL;
    }

    plan->max_ops = ig_plan_max_ops(p, plan);

    return plan;
}
