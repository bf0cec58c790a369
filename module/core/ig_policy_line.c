/*
 * ig_policy_line.c: one directive's arguments: parameters by table, names,
 * words, numbers, on=; and the errors about them.
 * Owns nothing.  Borrows the line; what is kept goes to the policy's memory.
 * Called by the directives of the policy.
 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ig_policy_int.h"


int
ig_line_error(ig_line_t *line, const char *fmt, ...)
{
    char     text[IG_ERROR_SIZE];
    va_list  args;

    va_start(args, fmt);
    (void) vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);

    return ig_error(line->err, line->pos, "%.*s: %s", ig_fmt(line->args[0]),
                    text);
}


const char *
ig_pos_text(ig_pos_t pos, char text[IG_POS_TEXT])
{
    if (pos.file) {
        (void) snprintf(text, IG_POS_TEXT, "%s:%u", pos.file, pos.line);

    } else {
        (void) snprintf(text, IG_POS_TEXT, "line %u", pos.line);
    }

    return text;
}


/* -- parameters ---------------------------------------------------------- */


/* Says what is known, as a person would write it. */
static int
ig_line_unknown_param(ig_line_t *line, ig_str_t arg, const ig_param_t *table,
    unsigned n)
{
    char      known[256];
    unsigned  i;
    ig_buf_t  b;

    ig_buf_init(&b, known, sizeof(known));

    for (i = 0; i < n; i++) {
        if (i) {
            ig_buf_lit(&b, ", ");
        }

        ig_buf_str_add(&b, table[i].name);

        if (table[i].has_value) {
            ig_buf_char(&b, '=');
        }
    }

    return ig_line_error(line, "\"%.*s\" is no parameter of it, those are %.*s",
                         ig_fmt(arg), ig_fmt(ig_buf_str(&b)));
}


static int
ig_line_param_form(ig_line_t *line, const ig_param_t *param, ig_str_t arg)
{
    ig_str_t  rest;

    rest.data = arg.data + param->name.len;
    rest.len = arg.len - param->name.len;

    if (!param->has_value) {
        return rest.len == 0 ? IG_OK
               : ig_line_error(line, "\"%.*s\": %.*s takes no value",
                               ig_fmt(arg), ig_fmt(param->name));
    }

    if (rest.len < 2) {
        return ig_line_error(line, "\"%.*s\" needs a value: %.*s=...",
                             ig_fmt(arg), ig_fmt(param->name));
    }

    if (rest.data[1] == '"' || rest.data[1] == '\'') {
        return ig_line_error(line, "\"%.*s\" begins with a quote after \"=\": "
                             "quote the whole parameter, \"%.*s=...\"",
                             ig_fmt(arg), ig_fmt(param->name));
    }

    return IG_OK;
}


static unsigned
ig_line_find_param(ig_str_t arg, const ig_param_t *table, unsigned n)
{
    unsigned     i;
    ig_str_t     name;
    const char  *equals;

    name = arg;
    equals = arg.len ? memchr(arg.data, '=', arg.len) : NULL;

    if (equals) {
        name.len = (size_t) (equals - arg.data);
    }

    for (i = 0; i < n; i++) {
        if (ig_str_eq(name, table[i].name)) {
            break;
        }
    }

    return i;
}


int
ig_line_params(ig_line_t *line, unsigned from, const ig_param_t *table,
    unsigned n, void *item)
{
    int       rc;
    unsigned  i, k;
    uint32_t  seen;
    ig_str_t  arg, value;

    seen = 0;

    for (i = from; i < line->nargs; i++) {

        arg = line->args[i];
        k = ig_line_find_param(arg, table, n);

        if (k == n) {
            return ig_line_unknown_param(line, arg, table, n);
        }

        if (ig_line_param_form(line, &table[k], arg) != IG_OK) {
            return IG_ERROR;
        }

        if (seen & (UINT32_C(1) << k)) {
            return ig_line_error(line, "\"%.*s\": %.*s is given twice",
                                 ig_fmt(arg), ig_fmt(table[k].name));
        }

        seen |= UINT32_C(1) << k;

        value = (ig_str_t) ig_string("");

        if (table[k].has_value) {
            value.data = arg.data + table[k].name.len + 1;
            value.len = arg.len - table[k].name.len - 1;
        }

        rc = table[k].set(line, item, value);
        if (rc != IG_OK) {
            return rc;
        }
    }

    return IG_OK;
}


/* -- values -------------------------------------------------------------- */


int
ig_line_choice(ig_line_t *line, const char *param, ig_str_t value,
    const ig_str_t *word, unsigned n, unsigned *which)
{
    char      known[128];
    unsigned  i;
    ig_buf_t  b;

    ig_buf_init(&b, known, sizeof(known));

    for (i = 0; i < n; i++) {
        if (ig_str_eq(value, word[i])) {
            *which = i;
            return IG_OK;
        }

        if (i) {
            ig_buf_lit(&b, ", ");
        }

        ig_buf_str_add(&b, word[i]);
    }

    return ig_line_error(line, "\"%s=%.*s\" is none of %.*s", param,
                         ig_fmt(value), ig_fmt(ig_buf_str(&b)));
}


int
ig_line_decision(ig_line_t *line, const char *param, ig_str_t value,
    ig_decision_e *decision)
{
    unsigned  i, which;
    ig_str_t  word[IG_DECISIONS];

    for (i = 0; i < IG_DECISIONS; i++) {
        word[i] = ig_decision_name((ig_decision_e) i);
    }

    if (ig_line_choice(line, param, value, word, IG_DECISIONS, &which)
        != IG_OK)
    {
        return IG_ERROR;
    }

    *decision = (ig_decision_e) which;
    return IG_OK;
}


int
ig_line_integer(ig_line_t *line, const char *param, ig_str_t value, int min,
    int max, int *n)
{
    bool      negative;
    uint64_t  u;
    ig_str_t  digits;

    digits = value;
    negative = (digits.len && digits.data[0] == '-');

    if (negative) {
        digits.data++;
        digits.len--;
    }

    /* every bound of a policy is far inside int, and so is its negation */

    if (ig_parse_uint(digits, INT32_MAX, &u)) {
        *n = negative ? -(int) u : (int) u;

        if (*n >= min && *n <= max) {
            return IG_OK;
        }
    }

    return ig_line_error(line, "\"%s=%.*s\" is no whole number from %d to %d",
                         param, ig_fmt(value), min, max);
}


/* -- names --------------------------------------------------------------- */


int
ig_line_name(ig_line_t *line, ig_str_t name)
{
    if (!ig_is_name(name)) {
        return ig_line_error(line, "\"%.*s\" is no name: letters, digits and "
                             "\"_\", not a digit first, at most 64",
                             ig_fmt(name));
    }

    return IG_OK;
}


int
ig_line_claim(ig_line_t *line, ig_str_t name, ig_name_kind_e kind)
{
    char                place[IG_POS_TEXT];
    ig_pos_t            pos;
    ig_name_t           other;
    static const char  *what[] = { "nothing", "field", "counter",
                                   "threshold", "list" };

    if (ig_line_name(line, name) != IG_OK) {
        return IG_ERROR;
    }

    if (ig_expr_reserved(name)) {
        return ig_line_error(line, "\"%.*s\" is a word of the expression "
                             "language, choose another name", ig_fmt(name));
    }

    if (ig_policy_lookup(line->policy, name, &other, &pos)
        && other.kind != kind)
    {
        return ig_line_error(line, "\"%.*s\" is already the name of a %s, "
                             "in %s", ig_fmt(name), what[other.kind],
                             ig_pos_text(pos, place));
    }

    return IG_OK;
}


/* -- on= ----------------------------------------------------------------- */


/* Takes the '*' off; false for what is no pattern. */
static bool
ig_line_action_form(ig_str_t text, ig_str_t *item, bool *wildcard)
{
    ig_str_t  prefix;

    *item = text;
    *wildcard = (text.len && text.data[text.len - 1] == '*');

    if (!*wildcard) {
        return ig_is_action(text);
    }

    item->len--;

    if (item->len == 0) {
        return true;
    }

    prefix = *item;
    prefix.len--;

    return prefix.data[prefix.len] == '.' && ig_is_action(prefix);
}


static int
ig_line_action_item(ig_line_t *line, ig_str_t text, ig_str_t *item,
    bool *wildcard, bool decisions)
{
    if (!ig_line_action_form(text, item, wildcard)) {
        return ig_line_error(line, "\"%.*s\" in on= is no action: a name "
                             "(a-z 0-9 . _ -, at most 64), \"prefix.*\" or "
                             "\"*\"", ig_fmt(text));
    }

    if (!ig_action_is_decision(*item)) {
        return IG_OK;
    }

    if (!decisions) {
        return ig_line_error(line, "\"%.*s\" in on=: only a counter can be "
                             "written by a decision", ig_fmt(text));
    }

    if (!ig_str_eq(text, ig_str("decision.hold"))
        && !ig_str_eq(text, ig_str("decision.throttle"))
        && !ig_str_eq(text, ig_str("decision.deny")))
    {
        return ig_line_error(line, "\"%.*s\" in on=: the decisions are "
                             "decision.hold, decision.throttle and "
                             "decision.deny", ig_fmt(text));
    }

    return IG_OK;
}


/* Keeps the items sorted and each once, so that sets of them compare. */
static int
ig_line_action_add(ig_line_t *line, ig_actions_t *on, ig_str_t item,
    bool wildcard)
{
    int       rc;
    unsigned  i, k;
    ig_str_t  copy;

    for (i = 0; i < on->nitems; i++) {
        rc = ig_name_compare(item, on->item[i]);

        if (rc == 0) {
            rc = (int) wildcard - (int) on->wildcard[i];
        }

        if (rc == 0) {
            return IG_OK;
        }

        if (rc < 0) {
            break;
        }
    }

    if (ig_str_dup(line->policy->mem, item, &copy) != IG_OK) {
        return IG_NOMEM;
    }

    for (k = on->nitems; k > i; k--) {
        on->item[k] = on->item[k - 1];
        on->wildcard[k] = on->wildcard[k - 1];
    }

    on->item[i] = copy;
    on->wildcard[i] = wildcard;
    on->nitems++;

    return IG_OK;
}


int
ig_line_actions(ig_line_t *line, ig_str_t value, bool decisions,
    ig_actions_t *on)
{
    int       rc;
    bool      wildcard;
    size_t    i, n, start;
    ig_str_t  text, item;

    n = 1;

    for (i = 0; i < value.len; i++) {
        n += (value.data[i] == ',');
    }

    on->nitems = 0;
    on->item = ig_alloc(line->policy->mem, n * sizeof(ig_str_t));
    on->wildcard = ig_alloc(line->policy->mem, n * sizeof(bool));

    if (on->item == NULL || on->wildcard == NULL) {
        return IG_NOMEM;
    }

    for (i = 0, start = 0; i <= value.len; i++) {

        if (i < value.len && value.data[i] != ',') {
            continue;
        }

        text.data = value.data + start;
        text.len = i - start;
        start = i + 1;

        rc = ig_line_action_item(line, text, &item, &wildcard, decisions);
        if (rc != IG_OK) {
            return rc;
        }

        rc = ig_line_action_add(line, on, item, wildcard);
        if (rc != IG_OK) {
            return rc;
        }
    }

    return IG_OK;
}
