/*
 * ig_ctl_recall_window.c: which earlier events a rule that fired speaks of:
 * those that its counters counted, inside their windows.
 * Owns nothing.  Called by ig_ctl_recall_read.c.
 */

#include <string.h>

#include "ig_ctl_recall.h"

/* While the names of the rule's expression are gone through. */
typedef struct {
    ig_recall_t            *r;
    const ig_policy_t      *policy;
    const ig_audit_line_t  *line;       /* at which it fired */
    ig_str_t                event;
} ig_recall_firing_t;


/* -- if= ----------------------------------------------------------------- */


/* The line's value of a field; private ones cannot be compared any more. */
static ig_value_t
ig_recall_field(const ig_audit_line_t *line, const ig_field_t *field,
    ig_audit_items_t *item)
{
    ig_value_t  value = { .type = IG_UNKNOWN };

    if (field->is_private || field->is_text) {
        return value;
    }

    value.type = IG_MISSING;

    if (ig_audit_item(line, "field", field->name, item)) {
        value = item->value;

        if (item->in_set) {
            value.type = IG_SET;
        }
    }

    return value;
}


/* Whether the counter's if= may have been true of the event. */
static bool
ig_recall_counts(const ig_policy_t *policy, const ig_counter_t *counter,
    const ig_audit_line_t *line)
{
    double            threshold[IG_MAX_THRESHOLDS];
    unsigned          i;
    ig_env_t          env;
    ig_value_t        field[IG_MAX_FIELDS], value[IG_MAX_COUNTERS], v;
    ig_audit_items_t  item[IG_MAX_FIELDS];

    if (counter->cond == NULL) {
        return true;
    }

    memset(value, 0, sizeof(value));            /* unknown */

    for (i = 0; i < policy->nfields; i++) {
        field[i] = ig_recall_field(line, policy->field[i], &item[i]);
    }

    for (i = 0; i < policy->nthresholds; i++) {
        threshold[i] = policy->threshold[i]->value;
    }

    env.field = field;
    env.counter = value;
    env.threshold = threshold;
    env.time = line->time;
    env.zone = policy->zone;

    v = ig_expr_eval(counter->cond, &env);

    return v.type != IG_BOOL || v.num != 0;
}


/* -- windows ------------------------------------------------------------- */


static void
ig_recall_mark(const ig_recall_firing_t *f, ig_recall_event_t *e)
{
    if (e->fired.len == 0) {
        e->fired = f->event;
    }
}


/* Tells once that a counter is kept by more than the key that was given. */
static void
ig_recall_note(ig_recall_t *r, const ig_policy_t *policy,
    const ig_counter_t *counter)
{
    unsigned                  i;
    const ig_filter_field_t  *given;

    if (r->noted[counter->id / 32] & (1u << counter->id % 32)) {
        return;
    }

    r->noted[counter->id / 32] |= 1u << counter->id % 32;

    for (i = 0; i < counter->nkey; i++) {

        for (given = r->key.field; given; given = given->next) {
            if (ig_str_eq(given->name, policy->field[counter->key[i]]->name)) {
                break;
            }
        }

        if (given == NULL) {
            (void) ig_ctl_error("note: the counter %.*s is kept by %.*s, which "
                                "is not in the key: what it counted of others "
                                "is not told", ig_fmt(counter->name),
                                ig_fmt(policy->field[counter->key[i]]->name));
            return;
        }
    }

    if (counter->similar >= 0) {
        (void) ig_ctl_error("note: the counter %.*s compares texts, which the "
                            "log does not have: all of the key's are told",
                            ig_fmt(counter->name));
    }
}


/* Counters of what was done; first and last tell of other things. */
static bool
ig_recall_is_count(const ig_counter_t *counter)
{
    return counter->kind == IG_COUNT || counter->kind == IG_COUNT_EXACT
           || counter->kind == IG_DISTINCT || counter->kind == IG_SUM
           || counter->kind == IG_MEAN;
}


static void
ig_recall_counter(void *ctx, const ig_name_t *name)
{
    const ig_counter_t  *counter;
    ig_recall_event_t   *e;
    ig_recall_firing_t  *f = ctx;

    if (name->kind != IG_NAME_COUNTER) {
        return;
    }

    counter = f->policy->counter[name->id];

    if (!ig_recall_is_count(counter)) {
        return;
    }

    ig_recall_note(f->r, f->policy, counter);

    for (e = f->r->last; e; e = e->before) {
        if (e->line.time > f->line->time - counter->window
            && e->line.time <= f->line->time
            && ig_str_eq(e->line.tenant, f->line->tenant)
            && ig_actions_match(&counter->on, e->line.action)
            && ig_recall_counts(f->policy, counter, &e->line))
        {
            ig_recall_mark(f, e);
        }
    }
}


/* --window: the same action, whatever was counted. */
static void
ig_recall_within(const ig_recall_firing_t *f)
{
    ig_recall_event_t  *e;

    for (e = f->r->last; e; e = e->before) {
        if (e->line.time > f->line->time - f->r->window
            && e->line.time <= f->line->time
            && ig_str_eq(e->line.tenant, f->line->tenant)
            && ig_str_eq(e->line.action, f->line->action))
        {
            ig_recall_mark(f, e);
        }
    }
}


void
ig_recall_fired(ig_recall_t *r, const ig_audit_line_t *line, ig_str_t event)
{
    const ig_rule_t     *rule;
    ig_recall_firing_t   f = { r, NULL, line, event };

    if (r->window > 0) {
        ig_recall_within(&f);
        return;
    }

    f.policy = ig_past_policy(&r->past, line->policy);
    rule = f.policy ? ig_policy_rule(f.policy, r->rule) : NULL;

    if (rule == NULL) {
        r->nblind++;
        return;
    }

    ig_expr_names(rule->expr, ig_recall_counter, &f);
}
