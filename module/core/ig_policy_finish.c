/*
 * ig_policy_finish.c: the end of http: every definition resolved, repetitions
 * compared, a plan for each action that is named.
 * Owns: plans, in the policy's memory.  Called by nginx and integrityctl.
 */

#include <stdlib.h>
#include <string.h>

#include "ig_policy_int.h"


/* -- definitions, in the order in which they need each other ------------- */


static int
ig_finish_counters(ig_policy_t *p)
{
    int                  rc;
    unsigned             i;
    ig_counter_draft_t  *d;

    for (i = 0, rc = IG_OK; i < p->ncounters && rc == IG_OK; i++) {
        rc = ig_policy_resolve_counter(p, (ig_counter_draft_t *)
                                          p->counter[i]);
    }

    for (d = p->build->counter_again; d && rc == IG_OK; d = d->next) {
        rc = ig_policy_resolve_counter(p, d);
    }

    return rc;
}


static int
ig_finish_conds(ig_policy_t *p)
{
    int                  rc;
    unsigned             i;
    ig_counter_draft_t  *d;

    for (i = 0, rc = IG_OK; i < p->ncounters && rc == IG_OK; i++) {
        rc = ig_policy_resolve_cond(p, (ig_counter_draft_t *) p->counter[i]);
    }

    for (d = p->build->counter_again; d && rc == IG_OK; d = d->next) {
        rc = ig_policy_resolve_cond(p, d);
    }

    return rc;
}


static int
ig_finish_rules(ig_policy_t *p)
{
    int               rc;
    unsigned          i;
    ig_rule_draft_t  *d;

    for (i = 0, rc = IG_OK; i < p->nrules && rc == IG_OK; i++) {
        rc = ig_policy_resolve_rule(p, (ig_rule_draft_t *) p->rule[i]);
    }

    for (d = p->build->rule_again; d && rc == IG_OK; d = d->next) {
        rc = ig_policy_resolve_rule(p, d);
    }

    return rc;
}


/* -- repetitions --------------------------------------------------------- */


static void
ig_finish_differs(ig_policy_t *p, const char *directive, ig_str_t name,
    ig_pos_t pos, ig_pos_t first)
{
    char  place[IG_POS_TEXT];

    ig_policy_report(p, directive, pos, "\"%.*s\" is defined differently in "
                     "%s", ig_fmt(name), ig_pos_text(first, place));
}


static int
ig_finish_counter_lines(ig_policy_t *p)
{
    unsigned             i;
    ig_counter_draft_t  *d;

    for (i = 0; i < p->ncounters; i++) {
        if (ig_policy_counter_text(p, (ig_counter_draft_t *) p->counter[i])
            != IG_OK)
        {
            return IG_NOMEM;
        }
    }

    for (d = p->build->counter_again; d; d = d->next) {

        if (ig_policy_counter_text(p, d) != IG_OK) {
            return IG_NOMEM;
        }

        if (!ig_str_eq(d->line, d->first->line)) {
            ig_finish_differs(p, ig_counter_directive(&d->counter),
                              d->counter.name, d->counter.pos,
                              d->first->counter.pos);
        }
    }

    return IG_OK;
}


static int
ig_finish_rule_lines(ig_policy_t *p)
{
    unsigned          i;
    ig_rule_draft_t  *d;

    for (i = 0; i < p->nrules; i++) {
        if (ig_policy_rule_text(p, (ig_rule_draft_t *) p->rule[i]) != IG_OK) {
            return IG_NOMEM;
        }
    }

    for (d = p->build->rule_again; d; d = d->next) {

        if (ig_policy_rule_text(p, d) != IG_OK) {
            return IG_NOMEM;
        }

        if (!ig_str_eq(d->line, d->first->line)) {
            ig_finish_differs(p, "integrity_rule", d->rule.name, d->rule.pos,
                              d->first->rule.pos);
        }
    }

    return IG_OK;
}


/* -- plans --------------------------------------------------------------- */


static int
ig_finish_literals(ig_policy_t *p, const ig_actions_t *on)
{
    unsigned  i;

    for (i = 0; i < on->nitems; i++) {

        if (on->wildcard[i] || ig_action_is_decision(on->item[i])) {
            continue;
        }

        if (ig_policy_action(p, on->item[i]) != IG_OK) {
            return IG_NOMEM;
        }
    }

    return IG_OK;
}


static int
ig_finish_actions(ig_policy_t *p)
{
    int       rc;
    unsigned  i;

    for (i = 0, rc = IG_OK; i < p->nsources && rc == IG_OK; i++) {
        rc = ig_finish_literals(p, &p->source[i]->on);
    }

    for (i = 0; i < p->ncounters && rc == IG_OK; i++) {
        rc = ig_finish_literals(p, &p->counter[i]->on);
    }

    for (i = 0; i < p->nrules && rc == IG_OK; i++) {
        rc = ig_finish_literals(p, &p->rule[i]->on);
    }

    return rc;
}


static int
ig_finish_compare(const void *a, const void *b)
{
    return ig_name_compare(*(const ig_str_t *) a, *(const ig_str_t *) b);
}


static int
ig_finish_plans(ig_policy_t *p)
{
    unsigned            i;
    ig_policy_build_t  *build;

    if (ig_finish_actions(p) != IG_OK) {
        return IG_NOMEM;
    }

    build = p->build;

    if (build->nactions == 0) {
        return IG_OK;
    }

    qsort(build->action, build->nactions, sizeof(ig_str_t),
          ig_finish_compare);

    p->plan = ig_alloc(p->mem, build->nactions * sizeof(ig_plan_t *));
    if (p->plan == NULL) {
        return IG_NOMEM;
    }

    for (i = 0; i < build->nactions; i++) {

        p->plan[i] = ig_plan_make(p, build->action[i], p->mem);
        if (p->plan[i] == NULL) {
            return IG_NOMEM;
        }

        p->nplans++;
    }

    return IG_OK;
}


/* -- the end ------------------------------------------------------------- */


typedef struct {
    int   (*run)(ig_policy_t *p);
    bool    stop;               /* mistakes so far: what follows needs all */
} ig_finish_step_t;


static const ig_finish_step_t  ig_finish_steps[] = {
    { ig_finish_counters,      false },
    { ig_finish_conds,         false },
    { ig_finish_rules,         true },
    { ig_finish_counter_lines, false },
    { ig_finish_rule_lines,    true },
    { ig_finish_plans,         false },
    { ig_policy_text,          false }
};


int
ig_policy_finish_all(ig_policy_t *policy,
    void (*report)(void *ctx, const ig_error_t *err), void *ctx)
{
    unsigned            i;
    ig_policy_build_t  *build;

    build = policy->build;

    build->report = report;
    build->report_ctx = ctx;
    build->failed = false;

    for (i = 0; i < ig_countof(ig_finish_steps); i++) {

        if (ig_finish_steps[i].run(policy) != IG_OK) {
            return IG_NOMEM;
        }

        if (build->failed && ig_finish_steps[i].stop) {
            return IG_ERROR;
        }
    }

    return IG_OK;
}


typedef struct {
    ig_error_t  *err;
    bool         taken;
} ig_finish_first_t;


static void
ig_finish_first(void *ctx, const ig_error_t *err)
{
    ig_finish_first_t  *first = ctx;

    if (!first->taken) {
        first->taken = true;
        *first->err = *err;
    }
}


int
ig_policy_finish(ig_policy_t *policy, ig_error_t *err)
{
    ig_finish_first_t  first = { err, false };

    return ig_policy_finish_all(policy, ig_finish_first, &first);
}
