/*
 * ig_policy_field.c: integrity_field NAME SOURCE [on=] [private] [text]
 * [decode] [net=4/6].
 * Owns: fields, in the policy's memory.  Borrows the line.
 * Called by ig_policy_directive.
 */

#include <string.h>

#include "ig_policy_int.h"


/* A line of a field: its source, and what must be the same on all lines. */
typedef struct {
    ig_source_t  source;
    bool         is_private;
    bool         is_text;
    bool         net;
} ig_field_line_t;


/* -- parameters ---------------------------------------------------------- */


static int
ig_field_set_on(ig_line_t *line, void *item, ig_str_t value)
{
    ig_field_line_t  *f = item;

    return ig_line_actions(line, value, false, &f->source.on);
}


static int
ig_field_set_private(ig_line_t *line, void *item, ig_str_t value)
{
    ig_field_line_t  *f = item;

    (void) line;
    (void) value;

    f->is_private = true;
    return IG_OK;
}


static int
ig_field_set_text(ig_line_t *line, void *item, ig_str_t value)
{
    ig_field_line_t  *f = item;

    (void) line;
    (void) value;

    f->is_text = true;
    return IG_OK;
}


static int
ig_field_set_decode(ig_line_t *line, void *item, ig_str_t value)
{
    ig_field_line_t  *f = item;

    (void) line;
    (void) value;

    f->source.decode = true;
    return IG_OK;
}


static int
ig_field_set_net(ig_line_t *line, void *item, ig_str_t value)
{
    uint64_t          net4, net6;
    ig_str_t          before, after;
    const char       *slash;
    ig_field_line_t  *f = item;

    slash = memchr(value.data, '/', value.len);

    if (slash) {
        before.data = value.data;
        before.len = (size_t) (slash - value.data);
        after.data = slash + 1;
        after.len = value.len - before.len - 1;

        if (ig_parse_uint(before, 32, &net4) && net4 > 0
            && ig_parse_uint(after, 128, &net6) && net6 > 0)
        {
            f->net = true;
            f->source.net4 = (uint8_t) net4;
            f->source.net6 = (uint8_t) net6;
            return IG_OK;
        }
    }

    return ig_line_error(line, "\"net=%.*s\" is no pair of prefix lengths: "
                         "1 to 32 for IPv4, 1 to 128 for IPv6, as net=24/56",
                         ig_fmt(value));
}


static const ig_param_t  ig_field_params[] = {
    { ig_string("on"),      true,  ig_field_set_on },
    { ig_string("private"), false, ig_field_set_private },
    { ig_string("text"),    false, ig_field_set_text },
    { ig_string("decode"),  false, ig_field_set_decode },
    { ig_string("net"),     true,  ig_field_set_net }
};


/* -- one line ------------------------------------------------------------ */


/* What parameters and source may not do together. */
static int
ig_field_check(ig_line_t *line, const ig_field_line_t *f)
{
    const char  *what;

    if (f->is_text && f->net) {
        return ig_line_error(line, "\"%.*s\": text and net= exclude each "
                             "other", ig_fmt(line->args[1]));
    }

    if (f->is_text && f->source.star >= 0) {
        return ig_line_error(line, "\"%.*s\": a text is one value, \"*\" makes "
                             "a set", ig_fmt(line->args[1]));
    }

    what = f->source.decode ? "decode" : f->net ? "net=" : NULL;

    if (what && f->source.kind == IG_SOURCE_JSON) {
        return ig_line_error(line, "\"%.*s\": %s is for variables, not for "
                             "JSON", ig_fmt(line->args[1]), what);
    }

    return IG_OK;
}


/* -- many lines of one name ---------------------------------------------- */


static bool
ig_field_same_source(const ig_source_t *a, const ig_source_t *b)
{
    return a->kind == b->kind && ig_str_eq(a->text, b->text)
           && a->decode == b->decode && a->net4 == b->net4
           && a->net6 == b->net6 && ig_actions_equal(&a->on, &b->on);
}


/* IG_OK: goes in; IG_AGAIN: it is there already. */
static int
ig_field_compare(ig_line_t *line, const ig_field_t *field,
    const ig_field_line_t *f)
{
    char                place[IG_POS_TEXT];
    unsigned            i;
    const char         *what;
    const ig_source_t  *source;

    what = field->is_private != f->is_private ? "private"
           : field->is_text != f->is_text ? "text" : NULL;

    if (what) {
        return ig_line_error(line, "\"%.*s\" is %s on one line and not on the "
                             "other, in %s", ig_fmt(field->name), what,
                             ig_pos_text(field->pos, place));
    }

    for (i = 0; i < field->nsources; i++) {
        if (ig_field_same_source(field->source[i], &f->source)) {
            return IG_AGAIN;
        }
    }

    for (i = 0; i < field->nsources; i++) {

        source = field->source[i];

        if (ig_actions_cover(&source->on, &f->source.on)) {
            return ig_line_error(line, "this source of \"%.*s\" can never be "
                                 "reached, the one in %s comes first for all "
                                 "its actions", ig_fmt(field->name),
                                 ig_pos_text(source->pos, place));
        }
    }

    return IG_OK;
}


static ig_field_t *
ig_field_find(const ig_policy_t *p, ig_str_t name)
{
    const ig_field_t  *field;

    field = ig_policy_field(p, name);

    return field ? p->field[field->id] : NULL;
}


static int
ig_field_add(ig_line_t *line, const ig_field_line_t *f, ig_field_t **added)
{
    void         *grown;
    ig_field_t   *field;
    ig_policy_t  *p;

    p = line->policy;

    if (p->nfields == IG_MAX_FIELDS) {
        return ig_line_error(line, "\"%.*s\" is one field more than %d",
                             ig_fmt(line->args[1]), IG_MAX_FIELDS);
    }

    field = ig_alloc(p->mem, sizeof(ig_field_t));
    grown = ig_policy_grow(p->mem, p->field, p->nfields, sizeof(ig_field_t *));

    if (field == NULL || grown == NULL
        || ig_str_dup(p->mem, line->args[1], &field->name) != IG_OK)
    {
        return IG_NOMEM;
    }

    field->id = p->nfields;
    field->is_private = f->is_private;
    field->is_text = f->is_text;
    field->similar = -1;
    field->pos = line->pos;

    p->field = grown;
    p->field[p->nfields++] = field;

    *added = field;
    return IG_OK;
}


static int
ig_field_add_source(ig_line_t *line, const ig_field_line_t *f,
    ig_field_t *field)
{
    void         *all, *own;
    ig_policy_t  *p;
    ig_source_t  *source;

    p = line->policy;

    source = ig_alloc(p->mem, sizeof(ig_source_t));
    all = ig_policy_grow(p->mem, p->source, p->nsources,
                         sizeof(ig_source_t *));
    own = ig_policy_grow(p->mem, field->source, field->nsources,
                         sizeof(ig_source_t *));

    if (source == NULL || all == NULL || own == NULL) {
        return IG_NOMEM;
    }

    *source = f->source;
    source->id = p->nsources;
    source->field = field->id;
    source->pos = line->pos;

    p->source = all;
    p->source[p->nsources++] = source;

    field->source = own;
    field->source[field->nsources++] = source;

    return IG_OK;
}


int
ig_policy_field_line(ig_line_t *line)
{
    int               rc;
    ig_field_t       *field;
    ig_field_line_t   f;

    memset(&f, 0, sizeof(f));

    if (line->nargs < 3) {
        return ig_line_error(line, "needs a name and a source");
    }

    rc = ig_line_claim(line, line->args[1], IG_NAME_FIELD);

    if (rc == IG_OK) {
        rc = ig_policy_source(line, &f.source);
    }

    if (rc == IG_OK) {
        rc = ig_line_params(line, 3, ig_field_params,
                            ig_countof(ig_field_params), &f);
    }

    if (rc == IG_OK) {
        rc = ig_field_check(line, &f);
    }

    if (rc != IG_OK) {
        return rc;
    }

    field = ig_field_find(line->policy, line->args[1]);

    if (field) {
        rc = ig_field_compare(line, field, &f);

        if (rc != IG_OK) {
            return rc == IG_AGAIN ? IG_OK : rc;
        }
    }

    if (line->policy->nsources == IG_MAX_SOURCES) {
        return ig_line_error(line, "\"%.*s\" has one source more than %d in "
                             "all fields", ig_fmt(line->args[1]),
                             IG_MAX_SOURCES);
    }

    if (field == NULL) {
        rc = ig_field_add(line, &f, &field);
        if (rc != IG_OK) {
            return rc;
        }
    }

    return ig_field_add_source(line, &f, field);
}
