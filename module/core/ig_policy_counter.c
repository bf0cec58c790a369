/*
 * ig_policy_counter.c: integrity_counter NAME [on=] key=a,b window=TIME
 * [distinct=F|sum=F|mean=F|first|last] [exact] [similar=F] [max=N] [count=]
 * [warmup=] ["if=EXPR"].
 * Owns: counters as written, in the policy's memory; their names are resolved
 * when all lines are known.  Borrows the line.  Called by ig_policy_directive.
 */

#include <string.h>

#include "ig_policy_int.h"


/* -- the kind ------------------------------------------------------------ */


static int
ig_counter_set_kind(ig_line_t *line, ig_counter_draft_t *d, ig_kind_e kind,
    ig_str_t param)
{
    if (d->kind.len) {
        return ig_line_error(line, "\"%.*s\": %.*s and %.*s exclude each other",
                             ig_fmt(line->args[1]), ig_fmt(d->kind),
                             ig_fmt(param));
    }

    d->kind = param;
    d->counter.kind = kind;

    return IG_OK;
}


static int
ig_counter_set_value(ig_line_t *line, ig_counter_draft_t *d, ig_kind_e kind,
    ig_str_t param, ig_str_t value)
{
    if (ig_counter_set_kind(line, d, kind, param) != IG_OK
        || ig_line_name(line, value) != IG_OK)
    {
        return IG_ERROR;
    }

    return ig_str_dup(line->policy->mem, value, &d->value);
}


static int
ig_counter_set_distinct(ig_line_t *line, void *item, ig_str_t value)
{
    return ig_counter_set_value(line, item, IG_DISTINCT, ig_str("distinct="),
                                value);
}


static int
ig_counter_set_sum(ig_line_t *line, void *item, ig_str_t value)
{
    return ig_counter_set_value(line, item, IG_SUM, ig_str("sum="), value);
}


static int
ig_counter_set_mean(ig_line_t *line, void *item, ig_str_t value)
{
    return ig_counter_set_value(line, item, IG_MEAN, ig_str("mean="), value);
}


static int
ig_counter_set_first(ig_line_t *line, void *item, ig_str_t value)
{
    (void) value;

    return ig_counter_set_kind(line, item, IG_FIRST, ig_str("first"));
}


static int
ig_counter_set_last(ig_line_t *line, void *item, ig_str_t value)
{
    (void) value;

    return ig_counter_set_kind(line, item, IG_LAST, ig_str("last"));
}


static int
ig_counter_set_similar(ig_line_t *line, void *item, ig_str_t value)
{
    ig_counter_draft_t  *d = item;

    if (ig_line_name(line, value) != IG_OK) {
        return IG_ERROR;
    }

    return ig_str_dup(line->policy->mem, value, &d->similar);
}


static int
ig_counter_set_exact(ig_line_t *line, void *item, ig_str_t value)
{
    ig_counter_draft_t  *d = item;

    (void) line;
    (void) value;

    d->exact = true;
    return IG_OK;
}


static int
ig_counter_set_max(ig_line_t *line, void *item, ig_str_t value)
{
    int                  n;
    ig_counter_draft_t  *d = item;

    if (ig_line_integer(line, "max", value, 1, IG_MAX_LOG, &n) != IG_OK) {
        return IG_ERROR;
    }

    d->counter.max = (unsigned) n;
    return IG_OK;
}


/* -- the key ------------------------------------------------------------- */


static int
ig_counter_add_key(ig_line_t *line, ig_counter_draft_t *d, ig_str_t name)
{
    unsigned  i;

    if (ig_line_name(line, name) != IG_OK) {
        return IG_ERROR;
    }

    for (i = 0; i < d->counter.nkey; i++) {
        if (ig_str_eq(d->key[i], name)) {
            return ig_line_error(line, "\"%.*s\" is twice in key=",
                                 ig_fmt(name));
        }
    }

    if (d->counter.nkey == IG_MAX_KEY) {
        return ig_line_error(line, "\"%.*s\" in key= is one field more than "
                             "%d", ig_fmt(name), IG_MAX_KEY);
    }

    return ig_str_dup(line->policy->mem, name, &d->key[d->counter.nkey++]);
}


int
ig_policy_counter_key(ig_line_t *line, void *draft, ig_str_t value)
{
    int       rc;
    size_t    i, start;
    ig_str_t  name;

    for (i = 0, start = 0; i <= value.len; i++) {

        if (i < value.len && value.data[i] != ',') {
            continue;
        }

        name.data = value.data + start;
        name.len = i - start;
        start = i + 1;

        rc = ig_counter_add_key(line, draft, name);
        if (rc != IG_OK) {
            return rc;
        }
    }

    return IG_OK;
}


/* -- when and for how long ----------------------------------------------- */


static int
ig_counter_set_on(ig_line_t *line, void *item, ig_str_t value)
{
    ig_counter_draft_t  *d = item;

    return ig_line_actions(line, value, true, &d->counter.on);
}


static int
ig_counter_set_window(ig_line_t *line, void *item, ig_str_t value)
{
    int64_t              ms;
    ig_counter_draft_t  *d = item;

    if (!ig_parse_duration(value, &ms)) {
        return ig_line_error(line, "\"window=%.*s\" is no duration, as 90s, "
                             "1h30m or 7d", ig_fmt(value));
    }

    if (ms < IG_MIN_WINDOW || ms > IG_MAX_WINDOW) {
        return ig_line_error(line, "\"window=%.*s\" is not between 1s and 10y",
                             ig_fmt(value));
    }

    d->counter.window = ms;
    return IG_OK;
}


static int
ig_counter_set_warmup(ig_line_t *line, void *item, ig_str_t value)
{
    int64_t              ms;
    ig_counter_draft_t  *d = item;

    if (ig_str_eq(value, ig_str("0"))) {
        ms = 0;

    } else if (!ig_parse_duration(value, &ms)) {
        return ig_line_error(line, "\"warmup=%.*s\" is no duration, as 60d, "
                             "nor 0 for none", ig_fmt(value));
    }

    if (ms > IG_MAX_WINDOW) {
        return ig_line_error(line, "\"warmup=%.*s\" is over 10y",
                             ig_fmt(value));
    }

    d->counter.warmup = ms;
    return IG_OK;
}


static int
ig_counter_set_count(ig_line_t *line, void *item, ig_str_t value)
{
    unsigned                when;
    ig_counter_draft_t     *d = item;
    static const ig_str_t   word[] = {
        [IG_ACCEPTED] = ig_string("accepted"),
        [IG_ATTEMPTS] = ig_string("attempts"),
        [IG_COMPLETED] = ig_string("completed")
    };

    if (ig_line_choice(line, "count", value, word, ig_countof(word), &when)
        != IG_OK)
    {
        return IG_ERROR;
    }

    d->counter.when = (ig_when_e) when;
    return IG_OK;
}


static int
ig_counter_set_if(ig_line_t *line, void *item, ig_str_t value)
{
    ig_counter_draft_t  *d = item;

    return ig_str_dup(line->policy->mem, value, &d->cond);
}


static const ig_param_t  ig_counter_params[] = {
    { ig_string("on"),       true,  ig_counter_set_on },
    { ig_string("key"),      true,  ig_policy_counter_key },
    { ig_string("window"),   true,  ig_counter_set_window },
    { ig_string("distinct"), true,  ig_counter_set_distinct },
    { ig_string("sum"),      true,  ig_counter_set_sum },
    { ig_string("mean"),     true,  ig_counter_set_mean },
    { ig_string("first"),    false, ig_counter_set_first },
    { ig_string("last"),     false, ig_counter_set_last },
    { ig_string("exact"),    false, ig_counter_set_exact },
    { ig_string("similar"),  true,  ig_counter_set_similar },
    { ig_string("max"),      true,  ig_counter_set_max },
    { ig_string("count"),    true,  ig_counter_set_count },
    { ig_string("warmup"),   true,  ig_counter_set_warmup },
    { ig_string("if"),       true,  ig_counter_set_if }
};


/* -- the whole line ------------------------------------------------------ */


/* What parameters may not do together. */
static int
ig_counter_check(ig_line_t *line, const ig_counter_draft_t *d)
{
    ig_str_t             name;
    const ig_counter_t  *c;

    c = &d->counter;
    name = line->args[1];

    if (c->nkey == 0 && d->similar.len == 0) {
        return ig_line_error(line, "\"%.*s\" has no key=FIELD,...",
                             ig_fmt(name));
    }

    if (c->window == 0) {
        return ig_line_error(line, "\"%.*s\" has no window=TIME",
                             ig_fmt(name));
    }

    if (d->exact && c->kind != IG_COUNT) {
        return ig_line_error(line, "\"%.*s\": exact and %.*s exclude each "
                             "other", ig_fmt(name), ig_fmt(d->kind));
    }

    if (d->similar.len && c->kind != IG_COUNT && c->kind != IG_DISTINCT) {
        return ig_line_error(line, "\"%.*s\": similar= and %.*s exclude each "
                             "other", ig_fmt(name), ig_fmt(d->kind));
    }

    if (c->max && !d->exact && c->kind != IG_DISTINCT) {
        return ig_line_error(line, "\"%.*s\": max= is for exact and distinct=",
                             ig_fmt(name));
    }

    if (c->when == IG_COMPLETED && ig_actions_have_decision(&c->on)) {
        return ig_line_error(line, "\"%.*s\": count=completed and a decision "
                             "in on= exclude each other, a decision is "
                             "written at once", ig_fmt(name));
    }

    return IG_OK;
}


static void
ig_counter_defaults(ig_counter_draft_t *d)
{
    ig_counter_t  *c;

    c = &d->counter;

    if (d->exact) {
        c->kind = IG_COUNT_EXACT;
    }

    if (c->max == 0 && (c->kind == IG_COUNT_EXACT || c->kind == IG_DISTINCT)) {
        c->max = IG_DEFAULT_LOG;
    }

    if (c->warmup < 0) {
        c->warmup = (c->kind == IG_FIRST || c->kind == IG_LAST) ? c->window
                                                                : 0;
    }
}


static ig_counter_draft_t *
ig_counter_find(const ig_policy_t *p, ig_str_t name)
{
    const ig_counter_t  *counter;

    counter = ig_policy_counter(p, name);

    return counter ? (ig_counter_draft_t *) p->counter[counter->id] : NULL;
}


int
ig_policy_counter_add(ig_line_t *line, ig_counter_draft_t *d)
{
    void         *grown;
    ig_policy_t  *p;

    p = line->policy;
    d->first = ig_counter_find(p, d->counter.name);

    if (d->first) {
        d->next = p->build->counter_again;
        p->build->counter_again = d;
        return IG_OK;
    }

    if (p->ncounters == IG_MAX_COUNTERS) {
        return ig_line_error(line, "\"%.*s\" is one counter or list more than "
                             "%d", ig_fmt(line->args[1]), IG_MAX_COUNTERS);
    }

    grown = ig_policy_grow(p->mem, p->counter, p->ncounters,
                           sizeof(ig_counter_t *));
    if (grown == NULL) {
        return IG_NOMEM;
    }

    d->counter.id = p->ncounters;

    p->counter = grown;
    p->counter[p->ncounters++] = &d->counter;

    return IG_OK;
}


int
ig_policy_counter_line(ig_line_t *line)
{
    int                  rc;
    ig_policy_t         *p;
    ig_counter_draft_t  *d;

    p = line->policy;

    if (line->nargs < 2) {
        return ig_line_error(line, "needs a name, key= and window=");
    }

    if (ig_line_claim(line, line->args[1], IG_NAME_COUNTER) != IG_OK) {
        return IG_ERROR;
    }

    d = ig_alloc(p->mem, sizeof(ig_counter_draft_t));

    if (d == NULL
        || ig_str_dup(p->mem, line->args[1], &d->counter.name) != IG_OK)
    {
        return IG_NOMEM;
    }

    d->counter.value = -1;
    d->counter.similar = -1;
    d->counter.warmup = -1;
    d->counter.pos = line->pos;

    rc = ig_line_params(line, 2, ig_counter_params,
                        ig_countof(ig_counter_params), d);
    if (rc != IG_OK) {
        return rc;
    }

    if (ig_counter_check(line, d) != IG_OK) {
        return IG_ERROR;
    }

    ig_counter_defaults(d);

    return ig_policy_counter_add(line, d);
}
