/*
 * ig_call_case.c: calls for tests.
 * Owns: what a case is made of.  Called by the tests of the call.
 */

#include "ig_call_case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>


#define IG_CALL_CASE_TABLE  (256 * 1024)

static const char  ig_call_case_secret[] =
    "k1:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\n";


ig_call_case_t *
ig_call_case_make(const char *policy)
{
    unsigned         i;
    ig_str_t         text;
    ig_error_t       err;
    ig_call_case_t  *c;

    c = calloc(1, sizeof(*c));
    assert_non_null(c);

    c->source = calloc(1, sizeof(*c->source));
    assert_non_null(c->source);

    ig_policy_case_make(c->source, policy);
    c->policy = c->source->policy;

    text.data = ig_call_case_secret;
    text.len = sizeof(ig_call_case_secret) - 1;
    assert_int_equal(ig_secret_parse(text, &c->secret, &err), IG_OK);

    assert_true(c->policy->nthresholds <= ig_countof(c->threshold));

    for (i = 0; i < c->policy->nthresholds; i++) {
        c->threshold[i] = c->policy->threshold[i]->value;
    }

    c->place.threshold = c->threshold;
    c->place.except = c->except;
    c->tenant = ig_str("shop");

    c->table = aligned_alloc(64, IG_CALL_CASE_TABLE);
    assert_non_null(c->table);
    assert_non_null(ig_table_create(c->table, IG_CALL_CASE_TABLE));

    return c;
}


ig_call_case_t *
ig_call_case_fields(const char *lines)
{
    char            *text;
    ig_call_case_t  *c;

    static const char  fields[] =
        "integrity_field account $account\n"
        "integrity_field device $device\n"
        "integrity_field amount $amount\n"
        "integrity_field rating json:/rating\n"
        "integrity_field sku json:/items/*/sku\n"
        "integrity_field size json:/items/*/size\n"
        "integrity_field ticket $upstream_http_x_ticket\n";

    text = malloc(sizeof(fields) + strlen(lines));
    assert_non_null(text);
    strcpy(text, fields);
    strcat(text, lines);

    c = ig_call_case_make(text);
    free(text);

    return c;
}


void
ig_call_case_free(ig_call_case_t *c)
{
    free(c->call);
    free(c->table);
    ig_policy_case_free(c->source);
    free(c->source);
    free(c);
}


void
ig_call_case_begin(ig_call_case_t *c, const char *action, int64_t time,
    unsigned event)
{
    char    id[27];
    size_t  size;

    c->plan = ig_plan_make(c->policy,
                           (ig_str_t) { strlen(action), action },
                           &c->source->mem);
    assert_non_null(c->plan);

    free(c->call);

    /* exactly as large as it says, and not zeroed */

    size = ig_call_size(c->policy, c->plan);
    c->call = malloc(size);
    assert_non_null(c->call);
    memset(c->call, 0xee, size);

    (void) snprintf(id, sizeof(id), "%026u", event);

    assert_ptr_equal(ig_call_init(c->call, c->policy, c->plan, &c->place,
                                  &c->secret, c->tenant, time, id), c->call);

    c->call->dry_run = c->dry_run;
    c->nops = 0;
    c->nout = 0;
}


static const ig_source_t *
ig_call_case_source(const ig_call_case_t *c, const char *field)
{
    const ig_field_t   *f;
    const ig_source_t  *source;

    f = ig_policy_field(c->policy, (ig_str_t) { strlen(field), field });
    assert_non_null(f);

    source = c->plan->source[f->id];
    assert_non_null(source);

    return source;
}


void
ig_call_case_text(ig_call_case_t *c, const char *field, const char *text)
{
    ig_str_t  s;

    s.len = text != NULL ? strlen(text) : 0;
    s.data = text;

    ig_call_set_text(c->call, ig_call_case_source(c, field), s,
                     &c->source->mem);
}


void
ig_call_case_number(ig_call_case_t *c, const char *field, double num)
{
    ig_call_set_value(c->call, ig_call_case_source(c, field),
                      (ig_value_t) { .type = IG_NUMBER, .num = num });
}


int
ig_call_case_member(ig_call_case_t *c, const char *field, const char *text)
{
    ig_value_t  v;

    v = (ig_value_t) { .type = IG_STRING, .str = { strlen(text), text } };

    return ig_call_add_member(c->call, ig_call_case_source(c, field), v,
                              &c->source->mem);
}


void
ig_call_case_members(ig_call_case_t *c, const char *field, unsigned n)
{
    unsigned     i;

    static char  text[IG_MAX_MEMBERS][12];

    for (i = 0; i < n; i++) {
        (void) snprintf(text[i], sizeof(text[i]), "%u", i);
        assert_int_equal(ig_call_case_member(c, field, text[i]), IG_OK);
    }
}


void
ig_call_case_decide(ig_call_case_t *c)
{
    c->nops = ig_call_ops(c->call, c->op);
    assert_true(c->nops <= c->plan->max_ops);

    ig_table_run(c->table, c->op, c->nops, NULL);
    ig_call_answer(c->call, c->op, c->nops, NULL);
    ig_call_decide(c->call);
}


void
ig_call_case_settle(ig_call_case_t *c)
{
    c->nout = ig_call_settle(c->call, c->op, c->nops, c->out);
    assert_true(c->nout <= c->plan->max_ops);

    ig_table_run(c->table, c->out, c->nout, NULL);
}


void
ig_call_case_complete(ig_call_case_t *c)
{
    c->nout = ig_call_complete(c->call, c->out);
    assert_true(c->nout <= c->plan->max_ops);

    ig_table_run(c->table, c->out, c->nout, NULL);
}


const char *
ig_call_case_ops(const ig_op_t *op, unsigned nops)
{
    size_t       n;
    unsigned     i;

    static char        text[16384];
    static const char  sign[] = {
        [IG_OP_READ] = '?', [IG_OP_ADD] = '+', [IG_OP_PUT] = '=',
        [IG_OP_UNDO] = '-'
    };

    for (i = 0, n = 0, text[0] = '\0'; i < nops; i++) {
        n += (size_t) snprintf(text + n, sizeof(text) - n, "%s%.*s%c",
                               i != 0 ? " " : "",
                               ig_fmt(op[i].counter->name),
                               sign[op[i].verb]);
    }

    return text;
}


const char *
ig_call_case_decided(ig_call_case_t *c)
{
    ig_call_case_decide(c);

    return ig_call_case_ops(c->op, c->nops);
}


const char *
ig_call_case_settled(ig_call_case_t *c)
{
    ig_call_case_settle(c);

    return ig_call_case_ops(c->out, c->nout);
}


const char *
ig_call_case_completed(ig_call_case_t *c)
{
    ig_call_case_complete(c);

    return ig_call_case_ops(c->out, c->nout);
}


const char *
ig_call_case_value(const ig_call_case_t *c, const char *name)
{
    const ig_value_t    *v;
    const ig_counter_t  *counter;

    static char  text[64];

    counter = ig_policy_counter(c->policy, (ig_str_t) { strlen(name), name });
    assert_non_null(counter);

    v = &c->call->counter[counter->id];

    switch (v->type) {

    case IG_NUMBER:
        (void) snprintf(text, sizeof(text), "%.9g", v->num);
        return text;

    case IG_MISSING:
        return "missing";

    default:
        return "unknown";
    }
}
