/*
 * ig_ctl_backtest_run.c: one event on its way through a policy, as a request
 * goes through nginx: fields, counters, decision, what is written after it.
 * Owns: the call's block.  Borrows the event, the policy, the store.
 * Called by ig_ctl_backtest.c.
 */

#include <stdlib.h>
#include <string.h>

#include "ig_ctl_backtest.h"
#include "ig_event.h"


/* -- plans --------------------------------------------------------------- */


/* An action that only wildcards speak of gets its plan when it is met. */
static const ig_plan_t *
ig_trial_plan(ig_trial_t *t, ig_str_t action)
{
    unsigned     i;
    ig_plan_t   *plan, **grown;

    for (i = 0; i < t->nplans; i++) {
        if (ig_str_eq(t->plan[i]->action, action)) {
            return t->plan[i];
        }
    }

    plan = ig_plan_make(t->policy, action, t->mem);
    grown = ig_alloc(t->mem, (t->nplans + 1) * sizeof(ig_plan_t *));

    if (plan == NULL || grown == NULL) {
        return NULL;
    }

    plan->max_ops = IG_MAX_OPS;

    memcpy(grown, t->plan, t->nplans * sizeof(ig_plan_t *));
    t->plan = grown;
    t->plan[t->nplans++] = plan;

    return plan;
}


static int
ig_trial_room(ig_trial_t *t)
{
    void    *grown;
    size_t   size;

    size = ig_call_size(t->policy, t->current);

    if (size > t->block_size) {
        grown = realloc(t->block, size);
        if (grown == NULL) {
            return IG_NOMEM;
        }

        t->block = grown;
        t->block_size = size;
    }

    return IG_OK;
}


/* -- fields -------------------------------------------------------------- */


/*
 * net= makes a network of an address; what is no address (a pseudonym, a
 * network already) stays as it is.
 */
static void
ig_trial_network(ig_call_t *call, const ig_source_t *source, ig_mem_t *mem)
{
    ig_value_t  value;

    value = call->field[source->field];

    if (value.type != IG_STRING) {
        return;
    }

    ig_call_set_text(call, source, value.str, mem);

    if (call->field[source->field].type != IG_STRING) {
        ig_call_set_value(call, source, value);
    }
}


/* A source without variables says the same of every call: no event has it. */
static void
ig_trial_constant(ig_call_t *call, const ig_source_t *source, ig_mem_t *mem)
{
    if (call->field[source->field].type == IG_MISSING
        && source->kind == IG_SOURCE_VARIABLE
        && memchr(source->text.data, '$', source->text.len) == NULL)
    {
        ig_call_set_text(call, source, source->text, mem);
    }
}


/* Those of the call, or, late, those that come with the answer. */
static int
ig_trial_fields(ig_trial_t *t, const ig_backtest_event_t *event, bool late,
    ig_arena_t *arena, ig_str_t *field)
{
    unsigned            i;
    ig_json_state_e     state;
    const ig_source_t  *source;

    for (i = 0; i < t->policy->nfields; i++) {
        source = t->current->source[i];

        if (source == NULL || source->late != late) {
            continue;
        }

        state = ig_json_named(event->fields, t->policy->field[i]->name,
                              t->call, source, &arena->mem);

        if (state != IG_JSON_OK) {
            *field = t->policy->field[i]->name;
            return state == IG_JSON_NOMEM ? IG_NOMEM : IG_ERROR;
        }

        ig_trial_constant(t->call, source, &arena->mem);

        if (source->net4 || source->net6) {
            ig_trial_network(t->call, source, &arena->mem);
        }
    }

    return IG_OK;
}


/* Ids tell events apart, and nothing else depends on them. */
static void
ig_trial_event_id(char id[26], int64_t time, uint64_t n)
{
    unsigned  i;
    uint8_t   random[10];

    for (i = 0; i < sizeof(random); i++) {
        random[i] = i < 2 ? 0 : (uint8_t) (n >> (8 * (9 - i)));
    }

    ig_event_id(id, time, random);
}


int
ig_trial_begin(ig_trial_t *t, const ig_backtest_event_t *event, uint64_t n,
    ig_arena_t *arena, ig_str_t *field)
{
    char  id[26];

    t->call = NULL;
    t->nops = 0;

    if (!t->begun) {
        t->begun = true;
        t->since = event->time;
    }

    t->current = ig_trial_plan(t, event->action);

    if (t->current == NULL) {
        return IG_NOMEM;
    }

    if (!t->current->known) {
        return IG_OK;
    }

    if (ig_trial_room(t) != IG_OK) {
        return IG_NOMEM;
    }

    ig_trial_event_id(id, event->time, n);

    if (event->id.len == sizeof(id)) {
        memcpy(id, event->id.data, sizeof(id));
    }

    t->call = ig_call_init(t->block, t->policy, t->current, &t->place,
                           t->secret, event->tenant.len ? event->tenant
                                                        : t->tenant,
                           event->time, id);
    t->call->dry_run = t->dry_run;

    return ig_trial_fields(t, event, false, arena, field);
}


/* -- the decision -------------------------------------------------------- */


/*
 * What the store has remembered for long enough.  Once known a counter stays
 * so, as in nginx, also where events go back in time.
 */
static void
ig_trial_warm(ig_trial_t *t, bool warm)
{
    unsigned             i;
    const ig_counter_t  *c;

    if (t->nwarm == t->policy->ncounters) {
        return;
    }

    for (i = 0; i < t->policy->ncounters; i++) {
        c = t->policy->counter[i];

        if (!t->known[i]
            && (warm || c->warmup == 0
                || t->call->time - t->since >= c->warmup))
        {
            t->known[i] = 1;
            t->nwarm++;
        }
    }
}


void
ig_trial_decide(ig_trial_t *t, bool warm)
{
    if (t->call == NULL) {
        return;
    }

    ig_trial_warm(t, warm);

    t->nops = ig_call_ops(t->call, t->op);
    ig_table_run(t->table, t->op, t->nops, NULL);

    ig_call_answer(t->call, t->op, t->nops, t->known);
    ig_call_decide(t->call);
}


static void
ig_trial_write(ig_trial_t *t, unsigned n)
{
    ig_table_run(t->table, t->out, n, NULL);

    if (t->wrote) {
        t->wrote(t->wrote_ctx, t->out, n);
    }
}


void
ig_trial_settle(ig_trial_t *t, const ig_backtest_event_t *event,
    ig_arena_t *arena)
{
    unsigned  n;
    ig_str_t  field;

    if (t->call == NULL) {
        return;
    }

    n = ig_call_settle(t->call, t->op, t->nops, t->out);
    ig_trial_write(t, n);

    if (!event->completed) {
        return;
    }

    /* a field that has no value it could have stays unknown */

    (void) ig_trial_fields(t, event, true, arena, &field);

    n = ig_call_complete(t->call, t->out);
    ig_trial_write(t, n);
}


ig_decision_e
ig_trial_decision(const ig_trial_t *t)
{
    return t->call ? t->call->counted : IG_ALLOW;
}


int
ig_trial_score(const ig_trial_t *t)
{
    return t->call ? t->call->score : 0;
}
