/*
 * ig_policy_rule.c: integrity_rule NAME "EXPR" [on=] [then=] [score=]
 * [add=LIST:TIME] [renew] [dry_run] [on_error=].
 * Owns: rules as written, in the policy's memory; their expressions are
 * compiled when all names are known.  Borrows the line.
 * Called by ig_policy_directive.
 */

#include <string.h>

#include "ig_policy_int.h"


static int
ig_rule_set_on(ig_line_t *line, void *item, ig_str_t value)
{
    ig_rule_draft_t  *d = item;

    return ig_line_actions(line, value, false, &d->rule.on);
}


static int
ig_rule_set_then(ig_line_t *line, void *item, ig_str_t value)
{
    ig_rule_draft_t  *d = item;

    return ig_line_decision(line, "then", value, &d->rule.then);
}


static int
ig_rule_set_score(ig_line_t *line, void *item, ig_str_t value)
{
    ig_rule_draft_t  *d = item;

    d->rule.has_score = true;

    return ig_line_integer(line, "score", value, -IG_MAX_SCORE, IG_MAX_SCORE,
                           &d->rule.score);
}


static int
ig_rule_set_add(ig_line_t *line, void *item, ig_str_t value)
{
    int64_t           ms;
    ig_str_t          name, time;
    const char       *colon;
    ig_rule_draft_t  *d = item;

    colon = memchr(value.data, ':', value.len);

    if (colon == NULL) {
        return ig_line_error(line, "\"add=%.*s\" is not LIST:TIME, as "
                             "banned:7d", ig_fmt(value));
    }

    name.data = value.data;
    name.len = (size_t) (colon - value.data);
    time.data = colon + 1;
    time.len = value.len - name.len - 1;

    if (ig_line_name(line, name) != IG_OK) {
        return IG_ERROR;
    }

    if (!ig_parse_duration(time, &ms)) {
        return ig_line_error(line, "\"add=%.*s\": \"%.*s\" is no duration, "
                             "as 90s, 1h30m or 7d", ig_fmt(value),
                             ig_fmt(time));
    }

    if (ms < IG_MIN_WINDOW || ms > IG_MAX_WINDOW) {
        return ig_line_error(line, "\"add=%.*s\": \"%.*s\" is not between "
                             "1s and 10y", ig_fmt(value), ig_fmt(time));
    }

    d->rule.add_ttl = ms;

    return ig_str_dup(line->policy->mem, name, &d->add);
}


static int
ig_rule_set_renew(ig_line_t *line, void *item, ig_str_t value)
{
    ig_rule_draft_t  *d = item;

    (void) line;
    (void) value;

    d->rule.renew = true;
    return IG_OK;
}


static int
ig_rule_set_dry_run(ig_line_t *line, void *item, ig_str_t value)
{
    ig_rule_draft_t  *d = item;

    (void) line;
    (void) value;

    d->rule.dry_run = true;
    return IG_OK;
}


static int
ig_rule_set_on_error(ig_line_t *line, void *item, ig_str_t value)
{
    ig_rule_draft_t  *d = item;

    return ig_line_decision(line, "on_error", value, &d->rule.on_error);
}


static const ig_param_t  ig_rule_params[] = {
    { ig_string("on"),       true,  ig_rule_set_on },
    { ig_string("then"),     true,  ig_rule_set_then },
    { ig_string("score"),    true,  ig_rule_set_score },
    { ig_string("add"),      true,  ig_rule_set_add },
    { ig_string("renew"),    false, ig_rule_set_renew },
    { ig_string("dry_run"),  false, ig_rule_set_dry_run },
    { ig_string("on_error"), true,  ig_rule_set_on_error }
};


static ig_rule_draft_t *
ig_rule_find(const ig_policy_t *p, ig_str_t name)
{
    const ig_rule_t  *rule;

    rule = ig_policy_rule(p, name);

    return rule ? (ig_rule_draft_t *) p->rule[rule->id] : NULL;
}


static int
ig_rule_add(ig_line_t *line, ig_rule_draft_t *d)
{
    void         *grown;
    ig_policy_t  *p;

    p = line->policy;
    d->first = ig_rule_find(p, d->rule.name);

    if (d->first) {
        d->next = p->build->rule_again;
        p->build->rule_again = d;
        return IG_OK;
    }

    if (p->nrules == IG_MAX_RULES) {
        return ig_line_error(line, "\"%.*s\" is one rule more than %d",
                             ig_fmt(line->args[1]), IG_MAX_RULES);
    }

    grown = ig_policy_grow(p->mem, p->rule, p->nrules, sizeof(ig_rule_t *));
    if (grown == NULL) {
        return IG_NOMEM;
    }

    d->rule.id = p->nrules;

    p->rule = grown;
    p->rule[p->nrules++] = &d->rule;

    return IG_OK;
}


int
ig_policy_rule_line(ig_line_t *line)
{
    int               rc;
    ig_policy_t      *p;
    ig_rule_draft_t  *d;

    p = line->policy;

    if (line->nargs < 3) {
        return ig_line_error(line, "needs a name and an expression");
    }

    if (ig_line_name(line, line->args[1]) != IG_OK) {
        return IG_ERROR;
    }

    d = ig_alloc(p->mem, sizeof(ig_rule_draft_t));

    if (d == NULL
        || ig_str_dup(p->mem, line->args[1], &d->rule.name) != IG_OK
        || ig_str_dup(p->mem, line->args[2], &d->expr) != IG_OK)
    {
        return IG_NOMEM;
    }

    d->rule.then = IG_NO_DECISION;
    d->rule.on_error = IG_NO_DECISION;
    d->rule.add = -1;
    d->rule.pos = line->pos;

    rc = ig_line_params(line, 3, ig_rule_params, ig_countof(ig_rule_params),
                        d);
    if (rc != IG_OK) {
        return rc;
    }

    if (d->rule.then == IG_NO_DECISION && !d->rule.has_score
        && d->add.len == 0)
    {
        return ig_line_error(line, "\"%.*s\" has none of then=, score= and "
                             "add=", ig_fmt(line->args[1]));
    }

    if (d->rule.renew && d->add.len == 0) {
        return ig_line_error(line, "\"%.*s\" has renew without add=LIST:TIME",
                             ig_fmt(line->args[1]));
    }

    return ig_rule_add(line, d);
}
