/*
 * ig_expr_case.c: the names and values that expressions in tests read.
 * Owns: the memory of a case's expressions.
 * Called by the tests of the expression language.
 */

#include "ig_expr_case.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>


static const struct {
    ig_str_t    name;
    ig_value_t  value;
} fields[] = {
    { ig_string("t"), { IG_BOOL, 1, ig_string("") } },
    { ig_string("f"), { IG_BOOL, 0, ig_string("") } },
    { ig_string("u"), { IG_UNKNOWN, 0, ig_string("") } },
    { ig_string("m"), { IG_MISSING, 0, ig_string("") } },
    { ig_string("s"), { IG_SET, 0, ig_string("") } },
    { ig_string("zero"), { IG_NUMBER, 0, ig_string("") } },
    { ig_string("five"), { IG_NUMBER, 5, ig_string("") } },
    { ig_string("exact5"), { IG_NUMBER, 5, ig_string("5") } },
    { ig_string("half"), { IG_NUMBER, 0.5, ig_string("") } },
    { ig_string("big"), { IG_NUMBER, 9007199254740992.0,
                          ig_string("9007199254740992") } },
    { ig_string("bigger"), { IG_NUMBER, 9007199254740992.0,
                             ig_string("9007199254740993") } },
    { ig_string("minus"), { IG_NUMBER, -5, ig_string("-5") } },
    { ig_string("nbig"), { IG_NUMBER, -9007199254740992.0,
                           ig_string("-9007199254740992") } },
    { ig_string("nbigger"), { IG_NUMBER, -9007199254740992.0,
                              ig_string("-9007199254740993") } },
    { ig_string("str5"), { IG_STRING, 0, ig_string("5") } },
    { ig_string("strbig"), { IG_STRING, 0, ig_string("9007199254740993") } },
    { ig_string("abc"), { IG_STRING, 0, ig_string("abc") } },
    { ig_string("abd"), { IG_STRING, 0, ig_string("abd") } },
    { ig_string("quote"), { IG_STRING, 0, ig_string("it's") } },
    { ig_string("slash"), { IG_STRING, 0, ig_string("\\a\\b\\") } },
    { ig_string("empty"), { IG_STRING, 0, ig_string("") } },
    { ig_string("nan"), { IG_NUMBER, NAN, ig_string("") } },
};

static const struct {
    ig_str_t    name;
    int64_t     window;
    ig_value_t  value;
} counters[] = {
    { ig_string("c7"), 3600000, { IG_NUMBER, 7, ig_string("") } },
    { ig_string("c0"), 604800000, { IG_NUMBER, 0, ig_string("") } },
    { ig_string("cu"), 3600000, { IG_UNKNOWN, 0, ig_string("") } },
    { ig_string("cm"), 3600000, { IG_MISSING, 0, ig_string("") } },
    { ig_string("c2h"), 1500, { IG_NUMBER, 7.5, ig_string("") } },
};

/* Lists are kept behind the counters. */
static const struct {
    ig_str_t    name;
    ig_value_t  value;
} lists[] = {
    { ig_string("on"), { IG_BOOL, 1, ig_string("") } },
    { ig_string("off"), { IG_BOOL, 0, ig_string("") } },
    { ig_string("lu"), { IG_UNKNOWN, 0, ig_string("") } },
    { ig_string("lm"), { IG_MISSING, 0, ig_string("") } },
};

static const ig_str_t  threshold_names[] = { ig_string("limit"),
                                             ig_string("many") };
static const double  thresholds[] = { 6, 100 };

static ig_value_t  field_values[ig_countof(fields)];
static ig_value_t  counter_values[ig_countof(counters) + ig_countof(lists)];

ig_env_t  ig_expr_case_env = {
    field_values, counter_values, thresholds, INT64_C(1795435200123), 0
};


static void *
ig_expr_case_alloc(void *ctx, size_t size)
{
    ig_expr_case_t  *c = ctx;

    if (c->nblocks == c->limit) {
        return NULL;
    }

    assert_true(c->nblocks < ig_countof(c->block));

    /* exactly what was asked for: a write past it shows */
    c->block[c->nblocks] = calloc(1, size);
    assert_non_null(c->block[c->nblocks]);

    return c->block[c->nblocks++];
}


void
ig_expr_case_init(ig_expr_case_t *c, unsigned limit)
{
    unsigned  i;

    memset(c, 0, sizeof(*c));

    c->mem.alloc = ig_expr_case_alloc;
    c->mem.ctx = c;
    c->limit = limit;

    for (i = 0; i < ig_countof(fields); i++) {
        field_values[i] = fields[i].value;
    }

    for (i = 0; i < ig_countof(counters); i++) {
        counter_values[i] = counters[i].value;
    }

    for (i = 0; i < ig_countof(lists); i++) {
        counter_values[ig_countof(counters) + i] = lists[i].value;
    }
}


void
ig_expr_case_free(ig_expr_case_t *c)
{
    while (c->nblocks > 0) {
        free(c->block[--c->nblocks]);
    }
}


static bool
ig_expr_case_resolve(void *ctx, ig_str_t text, ig_name_t *name)
{
    unsigned  i;

    assert_non_null(ctx);

    for (i = 0; i < ig_countof(fields); i++) {
        if (ig_str_eq(text, fields[i].name)) {
            *name = (ig_name_t) { IG_NAME_FIELD, i, 0 };
            return true;
        }
    }

    for (i = 0; i < ig_countof(counters); i++) {
        if (ig_str_eq(text, counters[i].name)) {
            *name = (ig_name_t) { IG_NAME_COUNTER, i, counters[i].window };
            return true;
        }
    }

    for (i = 0; i < ig_countof(lists); i++) {
        if (ig_str_eq(text, lists[i].name)) {
            *name = (ig_name_t) { IG_NAME_LIST,
                                  (unsigned) ig_countof(counters) + i, 0 };
            return true;
        }
    }

    for (i = 0; i < ig_countof(threshold_names); i++) {
        if (ig_str_eq(text, threshold_names[i])) {
            *name = (ig_name_t) { IG_NAME_THRESHOLD, i, 0 };
            return true;
        }
    }

    return false;
}


int
ig_expr_case_compile(ig_expr_case_t *c, ig_str_t text, ig_expr_t **expr)
{
    int       rc;
    char     *exact;
    ig_pos_t  pos = { "test.conf", 3 };

    /* the source goes away: what is kept must be a copy */

    exact = malloc(text.len != 0 ? text.len : 1);
    assert_non_null(exact);

    if (text.len != 0) {
        memcpy(exact, text.data, text.len);
    }

    *expr = NULL;
    rc = ig_expr_compile(&c->mem, (ig_str_t) { text.len, exact },
                         ig_expr_case_resolve, c, expr, &c->err, pos);

    memset(exact, 'Z', text.len);
    free(exact);

    return rc;
}
