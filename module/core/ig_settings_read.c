/*
 * ig_settings_read.c: NAME=VALUE parameters by table, sizes, and the words in
 * which mistakes are told.
 * Owns nothing: strings point into the arguments.
 * Called by the readers of single directives.
 */

#include "ig_settings_int.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>


int
ig_reading_error(const ig_reading_t *r, const char *fmt, ...)
{
    char     text[IG_ERROR_SIZE];
    va_list  args;

    va_start(args, fmt);
    (void) vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);

    return ig_error(r->err, r->pos, "%.*s: %s", ig_fmt(r->args[0]), text);
}


int
ig_reading_invalid(const ig_reading_t *r, ig_str_t value, const char *expected)
{
    return ig_reading_error(r, "invalid value \"%.*s\": %s is expected",
                            ig_fmt(value), expected);
}


int
ig_reading_start(ig_reading_t *r, const ig_str_t *args, unsigned n,
    ig_pos_t pos, ig_error_t *err)
{
    const ig_directive_t  *d;

    *r = (ig_reading_t) { args, n, pos, err };

    d = ig_directive(args[0]);

    if (d == NULL || n < 1 + d->min || n > 1 + d->max) {
        return ig_reading_error(r, "invalid number of arguments");
    }

    return IG_OK;
}


bool
ig_parse_size(ig_str_t s, uint64_t *size)
{
    unsigned  shift;
    uint64_t  n;

    if (s.len == 0) {
        return false;
    }

    switch (s.data[s.len - 1]) {

    case 'k':
    case 'K':
        shift = 10;
        break;

    case 'm':
    case 'M':
        shift = 20;
        break;

    case 'g':
    case 'G':
        shift = 30;
        break;

    default:
        shift = 0;
        break;
    }

    s.len -= shift != 0 ? 1 : 0;

    if (!ig_parse_uint(s, UINT64_MAX >> shift, &n)) {
        return false;
    }

    *size = n << shift;

    return true;
}


bool
ig_has_variables(ig_str_t s)
{
    return s.len != 0 && memchr(s.data, '$', s.len) != NULL;
}


/* Bytes of the name of a variable at p: [A-Za-z0-9_]. */
static size_t
ig_variable_len(const char *p, const char *end)
{
    size_t  n;

    for (n = 0; p + n < end; n++) {
        if (!((p[n] >= 'a' && p[n] <= 'z') || (p[n] >= 'A' && p[n] <= 'Z')
              || (p[n] >= '0' && p[n] <= '9') || p[n] == '_'))
        {
            break;
        }
    }

    return n;
}


bool
ig_variables_valid(ig_str_t s)
{
    bool         braces;
    size_t       n;
    const char  *p, *end;

    p = s.data;
    end = s.data + s.len;

    while (p < end) {

        if (*p++ != '$') {
            continue;
        }

        braces = p < end && *p == '{';
        p += braces ? 1 : 0;

        n = ig_variable_len(p, end);
        p += n;

        if (n == 0 || (braces && (p == end || *p++ != '}'))) {
            return false;
        }
    }

    return true;
}


/* The value behind the "=" into the target; false where it is none. */
static bool
ig_setting_set(const ig_setting_t *set, ig_str_t value)
{
    int64_t   ms;
    uint64_t  n;
    unsigned  i;

    switch (set->kind) {

    case IG_SETTING_DURATION:
        if (!ig_parse_duration(value, &ms) || (uint64_t) ms > set->max) {
            return false;
        }

        *(int64_t *) set->target = ms;
        return true;

    case IG_SETTING_SIZE:
    case IG_SETTING_NUMBER:
    case IG_SETTING_COUNT:
        if (!(set->kind == IG_SETTING_SIZE
              ? ig_parse_size(value, &n) : ig_parse_uint(value, set->max, &n))
            || n < set->min || n > set->max)
        {
            return false;
        }

        if (set->kind == IG_SETTING_COUNT) {
            *(unsigned *) set->target = (unsigned) n;

        } else {
            *(uint64_t *) set->target = n;
        }

        return true;

    case IG_SETTING_TEXT:
        *(ig_str_t *) set->target = value;
        return value.len != 0;

    case IG_SETTING_WORD:
        break;
    }

    for (i = 0; i < set->nwords; i++) {
        if (ig_str_eq(value, set->word[i])) {
            *(unsigned *) set->target = i;
            return true;
        }
    }

    return false;
}


static const ig_setting_t *
ig_setting_find(const ig_setting_t *table, unsigned nsettings, ig_str_t arg)
{
    unsigned  i;

    for (i = 0; i < nsettings; i++) {
        if (arg.len >= table[i].name.len
            && memcmp(arg.data, table[i].name.data, table[i].name.len) == 0)
        {
            return &table[i];
        }
    }

    return NULL;
}


/* "a=, b= or c=": what would have been right. */
static int
ig_setting_unknown(const ig_reading_t *r, ig_str_t arg,
    const ig_setting_t *table, unsigned nsettings)
{
    char      text[256];
    unsigned  i;
    ig_buf_t  known;

    ig_buf_init(&known, text, sizeof(text));

    for (i = 0; i < nsettings; i++) {

        if (i != 0 && i == nsettings - 1) {
            ig_buf_lit(&known, " or ");

        } else if (i != 0) {
            ig_buf_lit(&known, ", ");
        }

        ig_buf_str_add(&known, table[i].name);
    }

    return ig_reading_error(r, "invalid parameter \"%.*s\": %.*s is expected",
                            ig_fmt(arg), ig_fmt(ig_buf_str(&known)));
}


int
ig_reading_settings(const ig_reading_t *r, unsigned from,
    const ig_setting_t *table, unsigned nsettings)
{
    bool                 seen[16] = { false };
    unsigned             i;
    ig_str_t             arg, value;
    const ig_setting_t  *set;

    for (i = from; i < r->n; i++) {

        arg = r->args[i];
        set = ig_setting_find(table, nsettings, arg);

        if (set == NULL) {
            return ig_setting_unknown(r, arg, table, nsettings);
        }

        if (seen[set - table]) {
            return ig_reading_error(r, "\"%.*s\" is duplicate",
                                    ig_fmt(set->name));
        }

        seen[set - table] = true;

        value.data = arg.data + set->name.len;
        value.len = arg.len - set->name.len;

        if (!ig_setting_set(set, value)) {
            return ig_reading_error(r, "invalid value \"%.*s\" in \"%.*s\": "
                                    "%s is expected", ig_fmt(value),
                                    ig_fmt(arg), set->expected);
        }
    }

    return IG_OK;
}
