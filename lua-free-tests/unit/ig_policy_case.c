/*
 * ig_policy_case.c: policies for tests.
 * Owns: the memory of a case's policy.  Called by the tests of the policy and
 * of plans.
 */

#include "ig_policy_case.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>


#define IG_POLICY_CASE_ARGS  64
#define IG_POLICY_CASE_TEXT  16384


static void *
ig_policy_case_alloc(void *ctx, size_t size)
{
    void              *p;
    ig_policy_case_t  *c = ctx;

    if (c->limit == 0 || c->nblocks == IG_POLICY_CASE_BLOCKS) {
        c->limit = c->once ? UINT_MAX : 0;
        return NULL;
    }

    c->limit--;

    p = calloc(1, size);
    c->block[c->nblocks++] = p;

    return p;
}


int
ig_policy_case_init(ig_policy_case_t *c)
{
    return ig_policy_case_init_limit(c, UINT_MAX, false);
}


int
ig_policy_case_init_limit(ig_policy_case_t *c, unsigned limit, bool once)
{
    c->mem.alloc = ig_policy_case_alloc;
    c->mem.ctx = c;
    c->nblocks = 0;
    c->limit = limit;
    c->once = once;
    c->line = 1;
    c->err.text[0] = '\0';
    c->err.pos.line = 0;

    c->policy = ig_policy_create(&c->mem);

    return c->policy ? IG_OK : IG_NOMEM;
}


void
ig_policy_case_free(ig_policy_case_t *c)
{
    while (c->nblocks) {
        free(c->block[--c->nblocks]);
    }
}


/* One argument from text into out; returns what comes after it. */
static const char *
ig_policy_case_arg(const char *text, char **out, ig_str_t *arg)
{
    char  quote, *p;

    p = *out;
    arg->data = p;

    quote = (*text == '"' || *text == '\'') ? *text++ : '\0';

    while (*text && (quote ? *text != quote : !strchr(" \t\n;", *text))) {

        if (*text == '\\' && strchr("\"'\\ntr", text[1])) {
            text++;
            *p++ = *text == 'n' ? '\n' : *text == 't' ? '\t'
                   : *text == 'r' ? '\r' : *text;
            text++;
            continue;
        }

        *p++ = *text++;
    }

    arg->len = (size_t) (p - arg->data);
    *out = p;

    return quote ? text + 1 : text;
}


int
ig_policy_case_read(ig_policy_case_t *c, const char *text)
{
    int        rc;
    char      *out, *memory;
    size_t     size;
    unsigned   n;
    ig_str_t   arg[IG_POLICY_CASE_ARGS];
    ig_pos_t   pos = { "test.conf", 0 };

    size = strlen(text);
    memory = malloc(IG_POLICY_CASE_TEXT + size);
    out = memory;
    rc = IG_OK;
    n = 0;

    for ( ;; ) {

        if (*text == '\0' || *text == '\n' || *text == ';') {

            if (n) {
                pos.line = c->line;
                rc = ig_policy_directive(c->policy, arg, n, pos, &c->err);
                n = 0;
            }

            if (rc != IG_OK || *text == '\0') {
                break;
            }

            c->line += (*text == '\n');
            out = memory;
            text++;

        } else if (*text == ' ' || *text == '\t') {
            text++;

        } else {
            text = ig_policy_case_arg(text, &out, &arg[n]);
            n++;
        }
    }

    /* what the policy keeps must be its own: overwrite what it was given */

    memset(memory, 0xff, IG_POLICY_CASE_TEXT + size);
    free(memory);

    return rc;
}


void
ig_policy_case_make(ig_policy_case_t *c, const char *text)
{
    int  rc;

    assert_int_equal(ig_policy_case_init(c), IG_OK);

    rc = ig_policy_case_read(c, text);

    if (rc == IG_OK) {
        rc = ig_policy_finish(c->policy, &c->err);
    }

    if (rc != IG_OK) {
        fail_msg("line %u: %s", c->err.pos.line, c->err.text);
    }
}


void
ig_policy_case_refuse(const ig_policy_refusal_t *refusal, unsigned n)
{
    int                rc;
    unsigned           i;
    ig_policy_case_t  *c;

    c = malloc(sizeof(*c));

    for (i = 0; i < n; i++) {

        assert_int_equal(ig_policy_case_init(c), IG_OK);

        rc = ig_policy_case_read(c, refusal[i].text);

        if (rc == IG_OK) {
            rc = ig_policy_finish(c->policy, &c->err);
        }

        if (rc != IG_ERROR) {
            fail_msg("accepted: %s", refusal[i].text);
        }

        assert_string_equal(c->err.text, refusal[i].error);
        assert_int_equal(c->err.pos.line, refusal[i].line);
        assert_string_equal(c->err.pos.file, "test.conf");

        ig_policy_case_free(c);
    }

    free(c);
}
