/*
 * ig_policy_list.c: integrity_list NAME key=a,b.  A list is kept where the
 * counters are: no action writes it, rules do by add=, and people.
 * Owns: lists as written, in the policy's memory; their names are resolved
 * when all lines are known.  Borrows the line.  Called by ig_policy_directive.
 */

#include "ig_policy_int.h"


static const ig_param_t  ig_list_params[] = {
    { ig_string("key"), true, ig_policy_counter_key }
};


const char *
ig_counter_directive(const ig_counter_t *c)
{
    return c->kind == IG_LISTED ? "integrity_list" : "integrity_counter";
}


const char *
ig_counter_noun(const ig_counter_t *c)
{
    return c->kind == IG_LISTED ? "list" : "counter";
}


int
ig_policy_list_line(ig_line_t *line)
{
    int                  rc;
    ig_counter_draft_t  *d;

    if (line->nargs < 2) {
        return ig_line_error(line, "needs a name and key=");
    }

    if (ig_line_claim(line, line->args[1], IG_NAME_LIST) != IG_OK) {
        return IG_ERROR;
    }

    d = ig_alloc(line->policy->mem, sizeof(ig_counter_draft_t));

    if (d == NULL
        || ig_str_dup(line->policy->mem, line->args[1], &d->counter.name)
           != IG_OK)
    {
        return IG_NOMEM;
    }

    d->counter.kind = IG_LISTED;
    d->counter.when = IG_ATTEMPTS;
    d->counter.value = -1;
    d->counter.similar = -1;
    d->counter.pos = line->pos;

    rc = ig_line_params(line, 2, ig_list_params, ig_countof(ig_list_params),
                        d);
    if (rc != IG_OK) {
        return rc;
    }

    if (d->counter.nkey == 0) {
        return ig_line_error(line, "\"%.*s\" has no key=FIELD,...",
                             ig_fmt(line->args[1]));
    }

    return ig_policy_counter_add(line, d);
}
