/*
 * ig_policy.c: the policy itself: created empty, fed with directives, asked
 * by name.
 * Owns: ig_policy_t and its build state, in the memory of its ig_mem_t.
 * Called by nginx's directives, integrityctl, and whoever looks a name up.
 */

#include <limits.h>
#include <string.h>

#include "ig_policy_int.h"


typedef struct {
    ig_str_t   name;
    int      (*read)(ig_line_t *line);
} ig_policy_directive_t;


static const ig_policy_directive_t  ig_policy_directives[] = {
    { ig_string("integrity_field"),     ig_policy_field_line },
    { ig_string("integrity_counter"),   ig_policy_counter_line },
    { ig_string("integrity_list"),      ig_policy_list_line },
    { ig_string("integrity_threshold"), ig_policy_threshold_line },
    { ig_string("integrity_rule"),      ig_policy_rule_line },
    { ig_string("integrity_scores"),    ig_policy_scores_line },
    { ig_string("integrity_time_zone"), ig_policy_zone_line }
};


ig_str_t
ig_decision_name(ig_decision_e d)
{
    static const ig_str_t  name[] = {
        ig_string("allow"),
        ig_string("hold"),
        ig_string("throttle"),
        ig_string("deny"),
        ig_string("none")
    };

    return name[d];
}


ig_policy_t *
ig_policy_create(ig_mem_t *mem)
{
    unsigned      i;
    ig_policy_t  *policy;

    policy = ig_alloc(mem, sizeof(ig_policy_t));
    if (policy == NULL) {
        return NULL;
    }

    policy->build = ig_alloc(mem, sizeof(ig_policy_build_t));
    if (policy->build == NULL) {
        return NULL;
    }

    policy->mem = mem;

    for (i = 0; i < IG_DECISIONS; i++) {
        policy->score[i] = INT_MAX;
    }

    return policy;
}


int
ig_policy_directive(ig_policy_t *policy, const ig_str_t *args, unsigned nargs,
    ig_pos_t pos, ig_error_t *err)
{
    unsigned   i;
    ig_line_t  line;

    line.policy = policy;
    line.args = args;
    line.nargs = nargs;
    line.pos = pos;
    line.err = err;

    for (i = 0; i < ig_countof(ig_policy_directives); i++) {
        if (ig_str_eq(args[0], ig_policy_directives[i].name)) {
            return ig_policy_directives[i].read(&line);
        }
    }

    return ig_line_error(&line, "is no directive of the policy");
}


int
ig_policy_action(ig_policy_t *policy, ig_str_t action)
{
    void               *grown;
    unsigned            i;
    ig_policy_build_t  *build;

    if (!ig_is_action(action) || ig_action_is_decision(action)) {
        return IG_ERROR;
    }

    build = policy->build;

    for (i = 0; i < build->nactions; i++) {
        if (ig_str_eq(build->action[i], action)) {
            return IG_OK;
        }
    }

    grown = ig_policy_grow(policy->mem, build->action, build->nactions,
                           sizeof(ig_str_t));
    if (grown == NULL) {
        return IG_NOMEM;
    }

    build->action = grown;

    if (ig_str_dup(policy->mem, action, &build->action[build->nactions])
        != IG_OK)
    {
        return IG_NOMEM;
    }

    build->nactions++;
    return IG_OK;
}


/*
 * The capacity is not kept: it is what this function gave last, a power of
 * two from four on, and so it is full exactly when n is one.
 */
void *
ig_policy_grow(ig_mem_t *mem, void *array, unsigned n, size_t size)
{
    void      *grown;
    unsigned   room;

    if (n != 0 && (n < 4 || (n & (n - 1)) != 0)) {
        return array;
    }

    room = n ? 2 * n : 4;

    grown = ig_alloc(mem, room * size);

    if (grown && n) {
        memcpy(grown, array, n * size);
    }

    return grown;
}


/* -- by name ------------------------------------------------------------- */


const ig_field_t *
ig_policy_field(const ig_policy_t *p, ig_str_t name)
{
    unsigned  i;

    for (i = 0; i < p->nfields; i++) {
        if (ig_str_eq(p->field[i]->name, name)) {
            return p->field[i];
        }
    }

    return NULL;
}


const ig_counter_t *
ig_policy_counter(const ig_policy_t *p, ig_str_t name)
{
    unsigned  i;

    for (i = 0; i < p->ncounters; i++) {
        if (ig_str_eq(p->counter[i]->name, name)) {
            return p->counter[i];
        }
    }

    return NULL;
}


const ig_rule_t *
ig_policy_rule(const ig_policy_t *p, ig_str_t name)
{
    unsigned  i;

    for (i = 0; i < p->nrules; i++) {
        if (ig_str_eq(p->rule[i]->name, name)) {
            return p->rule[i];
        }
    }

    return NULL;
}


const ig_threshold_t *
ig_policy_threshold(const ig_policy_t *p, ig_str_t name)
{
    unsigned  i;

    for (i = 0; i < p->nthresholds; i++) {
        if (ig_str_eq(p->threshold[i]->name, name)) {
            return p->threshold[i];
        }
    }

    return NULL;
}


bool
ig_policy_lookup(const ig_policy_t *p, ig_str_t text, ig_name_t *name,
    ig_pos_t *pos)
{
    const ig_field_t      *field;
    const ig_counter_t    *counter;
    const ig_threshold_t  *threshold;

    memset(name, 0, sizeof(ig_name_t));

    field = ig_policy_field(p, text);

    if (field) {
        name->kind = IG_NAME_FIELD;
        name->id = field->id;
        *pos = field->pos;
        return true;
    }

    counter = ig_policy_counter(p, text);

    if (counter) {
        name->kind = counter->kind == IG_LISTED ? IG_NAME_LIST
                                                : IG_NAME_COUNTER;
        name->id = counter->id;
        name->window = counter->window;
        *pos = counter->pos;
        return true;
    }

    threshold = ig_policy_threshold(p, text);

    if (threshold) {
        name->kind = IG_NAME_THRESHOLD;
        name->id = threshold->id;
        *pos = threshold->pos;
        return true;
    }

    return false;
}


int
ig_name_compare(ig_str_t a, ig_str_t b)
{
    int     rc;
    size_t  n;

    n = a.len < b.len ? a.len : b.len;
    rc = n ? memcmp(a.data, b.data, n) : 0;

    return rc ? rc : (a.len > b.len) - (a.len < b.len);
}


const ig_plan_t *
ig_policy_plan(const ig_policy_t *p, ig_str_t action)
{
    int       rc;
    unsigned  low, high, mid;

    low = 0;
    high = p->nplans;

    while (low < high) {

        mid = low + (high - low) / 2;
        rc = ig_name_compare(action, p->plan[mid]->action);

        if (rc == 0) {
            return p->plan[mid];
        }

        if (rc < 0) {
            high = mid;

        } else {
            low = mid + 1;
        }
    }

    return NULL;
}
