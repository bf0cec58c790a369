/*
 * ig_policy_resolve.c: the names in a policy, once all lines are known: which
 * fields a counter is keyed by, what expressions read, and what of that can
 * never be known in time.
 * Owns: compiled expressions and key tuples, in the policy's memory.
 * Called by ig_policy_finish.c.
 */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ig_crypto.h"
#include "ig_policy_int.h"
#include "ig_similar.h"


static const char  ig_rule_directive[] = "integrity_rule";


void
ig_policy_report(ig_policy_t *p, const char *directive, ig_pos_t pos,
    const char *fmt, ...)
{
    char                text[IG_ERROR_SIZE];
    va_list             args;
    ig_error_t          err;
    ig_policy_build_t  *build;

    va_start(args, fmt);
    (void) vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);

    (void) ig_error(&err, pos, "%s: %s", directive, text);

    build = p->build;
    build->failed = true;
    build->report(build->report_ctx, &err);
}


static bool
ig_policy_name(void *ctx, ig_str_t text, ig_name_t *name)
{
    ig_pos_t  pos;

    return ig_policy_lookup(ctx, text, name, &pos);
}


/* -- fields of the answer ------------------------------------------------ */


/* Whether a field comes from the answer in some of these actions. */
static bool
ig_field_late_some(const ig_field_t *field, const ig_actions_t *on)
{
    unsigned  i;

    for (i = 0; i < field->nsources; i++) {
        if (field->source[i]->late
            && ig_actions_overlap(&field->source[i]->on, on))
        {
            return true;
        }
    }

    return false;
}


/* Whether that is so wherever these actions give it a source at all. */
static bool
ig_field_late_all(const ig_field_t *field, const ig_actions_t *on)
{
    unsigned  i;

    for (i = 0; i < field->nsources; i++) {
        if (!field->source[i]->late
            && ig_actions_overlap(&field->source[i]->on, on))
        {
            return false;
        }
    }

    return ig_field_late_some(field, on);
}


/*
 * A decision's counter is written in calls of any action, and before the
 * answer whatever its count= is.  A list is unknown where its key is not there
 * yet: see ig_rule_visit.
 */
static bool
ig_counter_may_use(const ig_counter_t *c, const ig_field_t *field)
{
    static const ig_actions_t  any;

    if (c->when == IG_COMPLETED || c->kind == IG_LISTED) {
        return true;
    }

    return !ig_field_late_some(field, ig_actions_have_decision(&c->on)
                                      ? &any : &c->on);
}


/* -- counters ------------------------------------------------------------ */


/* By name, so that the order in which key= is written does not matter. */
static void
ig_counter_sort_key(const ig_policy_t *p, ig_counter_t *c)
{
    unsigned  i, k, id;

    for (i = 1; i < c->nkey; i++) {

        id = c->key[i];

        for (k = i; k > 0; k--) {
            if (ig_name_compare(p->field[c->key[k - 1]]->name,
                                p->field[id]->name) <= 0)
            {
                break;
            }

            c->key[k] = c->key[k - 1];
        }

        c->key[k] = id;
    }
}


/*
 * A field of key=, of a value or of similar=, the one place for a text; -1 and
 * a report where it cannot be.
 */
static int
ig_counter_field(ig_policy_t *p, const ig_counter_draft_t *d, ig_str_t name,
    const char *what, bool text)
{
    const ig_field_t    *field;
    const ig_counter_t  *c;

    c = &d->counter;
    field = ig_policy_field(p, name);

    if (field == NULL) {
        ig_policy_report(p, ig_counter_directive(c), c->pos, "%s \"%.*s\" "
                         "%s \"%.*s\", which is no field",
                         ig_counter_noun(c), ig_fmt(c->name), what,
                         ig_fmt(name));
        return -1;
    }

    if (field->is_text != text) {
        ig_policy_report(p, ig_counter_directive(c), c->pos, "%s \"%.*s\" "
                         "%s \"%.*s\", which is %s", ig_counter_noun(c),
                         ig_fmt(c->name), what, ig_fmt(name),
                         text ? "no text: its integrity_field needs \"text\""
                              : "a text: only its fingerprint is kept");
        return -1;
    }

    if (!ig_counter_may_use(c, field)) {
        ig_policy_report(p, ig_counter_directive(c), c->pos, "counter \"%.*s\" "
                         "%s \"%.*s\", which comes with the answer: that "
                         "needs count=completed", ig_fmt(c->name), what,
                         ig_fmt(name));
        return -1;
    }

    return (int) field->id;
}


static int
ig_counter_tuple(ig_policy_t *p, ig_counter_t *c)
{
    void        *grown;
    unsigned     i;
    ig_tuple_t  *tuple;

    for (i = 0; i < p->ntuples; i++) {
        if (p->tuple[i].nfields == c->nkey
            && memcmp(p->tuple[i].field, c->key, c->nkey * sizeof(unsigned))
               == 0)
        {
            c->tuple = i;
            return IG_OK;
        }
    }

    grown = ig_policy_grow(p->mem, p->tuple, p->ntuples, sizeof(ig_tuple_t));
    if (grown == NULL) {
        return IG_NOMEM;
    }

    p->tuple = grown;
    c->tuple = p->ntuples;

    tuple = &p->tuple[p->ntuples++];
    tuple->nfields = c->nkey;
    memcpy(tuple->field, c->key, c->nkey * sizeof(unsigned));

    return IG_OK;
}


/*
 * What is hashed holds names only, so that the definitions' order does not
 * matter; no name has a blank or a comma in it, so that it reads one way.
 */
static int
ig_counter_ident(ig_policy_t *p, ig_counter_t *c)
{
    char               text[(IG_MAX_KEY + 3) * 65 + 96];
    uint8_t            digest[IG_SHA256];
    unsigned           i;
    ig_buf_t           b;
    ig_str_t           s;
    static const char  letter[] = {
        [IG_COUNT] = 'c', [IG_COUNT_EXACT] = 'e', [IG_DISTINCT] = 'd',
        [IG_SUM] = 's', [IG_MEAN] = 'm', [IG_FIRST] = 'f', [IG_LAST] = 'l',
        [IG_LISTED] = 'u'
    };

    ig_buf_init(&b, text, sizeof(text));
    ig_buf_char(&b, letter[c->kind]);
    ig_buf_i64(&b, c->window);

    s = ig_buf_str(&b);

    if (ig_str_dup(p->mem, s, &c->shape) != IG_OK) {
        return IG_NOMEM;
    }

    ig_buf_char(&b, ' ');
    ig_buf_str_add(&b, c->name);
    ig_buf_char(&b, ' ');

    for (i = 0; i < c->nkey; i++) {
        ig_buf_str_add(&b, p->field[c->key[i]]->name);
        ig_buf_char(&b, ',');
    }

    ig_buf_char(&b, ' ');

    if (c->value >= 0) {
        ig_buf_str_add(&b, p->field[c->value]->name);
    }

    if (c->similar >= 0) {
        ig_buf_char(&b, ' ');
        ig_buf_str_add(&b, p->field[c->similar]->name);
        ig_buf_char(&b, ' ');
        ig_buf_u64(&b, IG_BANDS);
        ig_buf_char(&b, 'x');
        ig_buf_u64(&b, IG_ROWS);
    }

    s = ig_buf_str(&b);

    ig_sha256(s.data, s.len, digest);
    memcpy(c->ident, digest, sizeof(c->ident));

    return IG_OK;
}


/*
 * A sum is kept as it is, and the sum of one number is that number: no secret
 * hides it.  Of different values the hashes are kept.
 */
static bool
ig_counter_tells(ig_policy_t *p, const ig_counter_t *c, const char *what)
{
    const ig_field_t  *field;

    field = p->field[c->value];

    if (c->kind == IG_DISTINCT || !field->is_private) {
        return false;
    }

    ig_policy_report(p, ig_counter_directive(c), c->pos, "counter \"%.*s\" %s "
                     "\"%.*s\", which is private: the store and the log would "
                     "tell it", ig_fmt(c->name), what, ig_fmt(field->name));

    return true;
}


int
ig_policy_resolve_counter(ig_policy_t *p, ig_counter_draft_t *d)
{
    int            id;
    bool           failed;
    unsigned       i;
    ig_counter_t  *c;

    static const char  *value_of[IG_KINDS] = {
        [IG_DISTINCT] = "counts different values of",
        [IG_SUM] = "sums up", [IG_MEAN] = "takes the mean of"
    };

    c = &d->counter;
    failed = false;

    for (i = 0; i < c->nkey; i++) {
        id = ig_counter_field(p, d, d->key[i], "is keyed by", false);
        failed |= (id < 0);
        c->key[i] = (unsigned) id;
    }

    if (d->value.len) {
        c->value = ig_counter_field(p, d, d->value, value_of[c->kind], false);
        failed |= (c->value < 0) || ig_counter_tells(p, c, value_of[c->kind]);
    }

    if (d->similar.len) {
        c->similar = ig_counter_field(p, d, d->similar,
                                      "looks for texts similar to", true);
        failed |= (c->similar < 0);
    }

    if (failed) {
        /* rules are looked at all the same */
        c->nkey = 0;
        return IG_OK;
    }

    ig_counter_sort_key(p, c);

    if (ig_counter_tuple(p, c) != IG_OK) {
        return IG_NOMEM;
    }

    if (c->similar >= 0 && p->field[c->similar]->similar < 0) {
        p->field[c->similar]->similar = (int) p->nsimilar++;
    }

    return ig_counter_ident(p, c);
}


/* -- expressions --------------------------------------------------------- */


/* Compiles; what is wrong with the text is reported. */
static int
ig_policy_compile(ig_policy_t *p, ig_str_t text, const char *directive,
    const char *what, ig_str_t name, ig_pos_t pos, ig_expr_t **expr)
{
    int         rc;
    ig_error_t  err;

    rc = ig_expr_compile(p->mem, text, ig_policy_name, p, expr, &err, pos);

    if (rc == IG_ERROR) {
        *expr = NULL;
        ig_policy_report(p, directive, pos, "%s \"%.*s\": %s", what,
                         ig_fmt(name), err.text);
        return IG_OK;
    }

    return rc;
}


typedef struct {
    ig_policy_t         *policy;
    ig_counter_draft_t  *draft;
} ig_cond_visit_t;


static void
ig_cond_visit(void *ctx, const ig_name_t *name)
{
    ig_policy_t        *p;
    ig_counter_t       *c;
    const ig_field_t   *field;
    ig_cond_visit_t    *visit = ctx;

    p = visit->policy;
    c = &visit->draft->counter;

    if (name->kind == IG_NAME_COUNTER || name->kind == IG_NAME_LIST) {

        c->cond_late = true;

        if (ig_str_eq(p->counter[name->id]->name, c->name)) {
            ig_policy_report(p, ig_counter_directive(c), c->pos,
                             "if= of counter \"%.*s\" reads the counter itself",
                             ig_fmt(c->name));
        }

    } else if (name->kind == IG_NAME_FIELD) {

        field = p->field[name->id];

        if (!ig_counter_may_use(c, field)) {
            ig_policy_report(p, ig_counter_directive(c), c->pos,
                             "if= of counter \"%.*s\" reads \"%.*s\", which "
                             "comes with the answer: that needs "
                             "count=completed",
                             ig_fmt(c->name), ig_fmt(field->name));
        }
    }
}


int
ig_policy_resolve_cond(ig_policy_t *p, ig_counter_draft_t *d)
{
    int              rc;
    ig_cond_visit_t  visit = { p, d };

    if (d->cond.len == 0) {
        return IG_OK;
    }

    rc = ig_policy_compile(p, d->cond, ig_counter_directive(&d->counter),
                           "if= of counter", d->counter.name, d->counter.pos,
                           &d->counter.cond);

    if (rc == IG_OK && d->counter.cond) {
        ig_expr_names(d->counter.cond, ig_cond_visit, &visit);
    }

    return rc;
}


typedef struct {
    ig_policy_t      *policy;
    const ig_rule_t  *rule;
} ig_rule_visit_t;


/* A field it is kept by that comes with the answer in all these actions. */
static const ig_field_t *
ig_counter_late_key(const ig_policy_t *p, const ig_counter_t *c,
    const ig_actions_t *on)
{
    unsigned  i;

    for (i = 0; i < c->nkey; i++) {
        if (ig_field_late_all(p->field[c->key[i]], on)) {
            return p->field[c->key[i]];
        }
    }

    if (c->similar >= 0 && ig_field_late_all(p->field[c->similar], on)) {
        return p->field[c->similar];
    }

    return NULL;
}


/* A rule that reads what is never there in time would be silent for ever. */
static void
ig_rule_visit(void *ctx, const ig_name_t *name)
{
    ig_policy_t         *p;
    const ig_rule_t     *rule;
    ig_rule_visit_t     *visit = ctx;
    const ig_field_t    *field;
    const ig_counter_t  *c;

    p = visit->policy;
    rule = visit->rule;

    if (name->kind == IG_NAME_FIELD) {

        field = p->field[name->id];

        if (ig_field_late_all(field, &rule->on)) {
            ig_policy_report(p, ig_rule_directive, rule->pos, "rule \"%.*s\" "
                             "reads \"%.*s\", which comes with the answer, "
                             "after the decision", ig_fmt(rule->name),
                             ig_fmt(field->name));
        }

    } else if (name->kind == IG_NAME_COUNTER || name->kind == IG_NAME_LIST) {

        c = p->counter[name->id];
        field = ig_counter_late_key(p, c, &rule->on);

        if (field) {
            ig_policy_report(p, ig_rule_directive, rule->pos, "rule \"%.*s\" "
                             "reads \"%.*s\", which is keyed by \"%.*s\", "
                             "which comes with the answer, after the decision",
                             ig_fmt(rule->name), ig_fmt(c->name),
                             ig_fmt(field->name));
        }
    }
}


/* add=: a list whose key is there before the decision. */
static void
ig_rule_list(ig_policy_t *p, ig_rule_draft_t *d)
{
    const ig_rule_t     *rule;
    const ig_field_t    *field;
    const ig_counter_t  *list;

    rule = &d->rule;
    list = ig_policy_counter(p, d->add);

    if (list == NULL || list->kind != IG_LISTED) {
        ig_policy_report(p, ig_rule_directive, rule->pos, "rule \"%.*s\" "
                         "adds to \"%.*s\", which is no list",
                         ig_fmt(rule->name), ig_fmt(d->add));
        return;
    }

    field = ig_counter_late_key(p, list, &rule->on);

    if (field) {
        ig_policy_report(p, ig_rule_directive, rule->pos, "rule \"%.*s\" "
                         "adds to \"%.*s\", which is keyed by \"%.*s\", "
                         "which comes with the answer, after the decision",
                         ig_fmt(rule->name), ig_fmt(list->name),
                         ig_fmt(field->name));
        return;
    }

    d->rule.add = (int) list->id;
}


int
ig_policy_resolve_rule(ig_policy_t *p, ig_rule_draft_t *d)
{
    int              rc;
    ig_rule_visit_t  visit = { p, &d->rule };

    if (d->add.len) {
        ig_rule_list(p, d);
    }

    rc = ig_policy_compile(p, d->expr, ig_rule_directive, "rule",
                           d->rule.name, d->rule.pos, &d->rule.expr);

    if (rc == IG_OK && d->rule.expr) {
        ig_expr_names(d->rule.expr, ig_rule_visit, &visit);
    }

    return rc;
}
