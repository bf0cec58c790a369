/*
 * ig_expr_eval.c: compiled expressions over the values of one call.
 * Owns nothing and allocates nothing; three-valued logic after Kleene.
 * Called by the call, per rule and condition; by the policy for limits.
 */

#include "ig_expr_int.h"

#include <math.h>
#include <string.h>


static const ig_value_t  ig_unknown = { IG_UNKNOWN, 0, ig_string("") };


bool
ig_is_integer(ig_str_t s)
{
    size_t  i, sign;

    sign = s.len > 0 && s.data[0] == '-' ? 1 : 0;

    /* no leading zeros, and no -0: equal numbers have equal digits */

    if (s.len == sign
        || (s.data[sign] == '0' && s.len != 1))
    {
        return false;
    }

    for (i = sign; i < s.len; i++) {
        if (s.data[i] < '0' || s.data[i] > '9') {
            return false;
        }
    }

    return true;
}


static ig_value_t
ig_value_truth(bool truth)
{
    return (ig_value_t) { IG_BOOL, truth ? 1 : 0, ig_string("") };
}


static ig_value_t
ig_value_number(double n)
{
    if (!isfinite(n)) {
        return ig_unknown;
    }

    return (ig_value_t) { IG_NUMBER, n, ig_string("") };
}


/* False where the value is no number, or not known to be one. */
static bool
ig_read_number(const ig_value_t *v, double *n)
{
    switch (v->type) {

    case IG_NUMBER:
    case IG_BOOL:
        *n = v->num;
        return isfinite(*n);

    case IG_STRING:
        return ig_parse_number(v->str, n);

    case IG_UNKNOWN:
    case IG_MISSING:
    case IG_SET:
        break;
    }

    return false;
}


/* A field where true or false is wanted. */
static ig_value_t
ig_eval_truth(const ig_value_t *v)
{
    if ((v->type == IG_BOOL || v->type == IG_NUMBER) && isfinite(v->num)) {
        return ig_value_truth(v->num != 0);
    }

    return ig_unknown;
}


static ig_value_t
ig_eval_not(const ig_value_t *v)
{
    return v->type == IG_BOOL ? ig_value_truth(v->num == 0) : ig_unknown;
}


/* The operands of && and || are true, false or unknown, nothing else. */
static ig_value_t
ig_eval_logic(ig_code_e code, const ig_value_t *a, const ig_value_t *b)
{
    bool  settles;

    settles = code == IG_CODE_OR;       /* true settles ||, false && */

    if ((a->type == IG_BOOL && (a->num != 0) == settles)
        || (b->type == IG_BOOL && (b->num != 0) == settles))
    {
        return ig_value_truth(settles);
    }

    if (a->type != IG_BOOL || b->type != IG_BOOL) {
        return ig_unknown;
    }

    return ig_value_truth(!settles);
}


/* Whether a value in place of another is smaller (-1), the same, larger (1). */
static int
ig_compare_bytes(ig_str_t a, ig_str_t b)
{
    int     rc;
    size_t  n;

    n = a.len < b.len ? a.len : b.len;
    rc = n != 0 ? memcmp(a.data, b.data, n) : 0;

    if (rc == 0) {
        return (a.len > b.len) - (a.len < b.len);
    }

    return rc < 0 ? -1 : 1;
}


static ig_value_t
ig_compare_order(ig_code_e code, int order)
{
    switch (code) {

    case IG_CODE_EQ:
        return ig_value_truth(order == 0);

    case IG_CODE_NE:
        return ig_value_truth(order != 0);

    case IG_CODE_LT:
        return ig_value_truth(order < 0);

    case IG_CODE_LE:
        return ig_value_truth(order <= 0);

    case IG_CODE_GT:
        return ig_value_truth(order > 0);

    default: /* IG_CODE_GE */
        return ig_value_truth(order >= 0);
    }
}


/* Integers of 64 bits are told apart by their digits: a double rounds them. */
static bool
ig_value_exact(const ig_value_t *v)
{
    return (v->type == IG_NUMBER || v->type == IG_STRING)
           && ig_is_integer(v->str);
}


static ig_value_t
ig_eval_compare(ig_code_e code, const ig_value_t *a, const ig_value_t *b)
{
    double  x, y;

    if (a->type == IG_STRING && b->type == IG_STRING) {
        return ig_compare_order(code, ig_compare_bytes(a->str, b->str));
    }

    if ((code == IG_CODE_EQ || code == IG_CODE_NE)
        && ig_value_exact(a) && ig_value_exact(b))
    {
        return ig_compare_order(code, ig_compare_bytes(a->str, b->str));
    }

    if (!ig_read_number(a, &x) || !ig_read_number(b, &y)) {
        return ig_unknown;
    }

    return ig_compare_order(code, (x > y) - (x < y));
}


static ig_value_t
ig_eval_arithmetic(ig_code_e code, const ig_value_t *a, const ig_value_t *b)
{
    double  x, y;

    if (!ig_read_number(a, &x) || !ig_read_number(b, &y)) {
        return ig_unknown;
    }

    switch (code) {

    case IG_CODE_ADD:
        return ig_value_number(x + y);

    case IG_CODE_SUB:
        return ig_value_number(x - y);

    case IG_CODE_MUL:
        return ig_value_number(x * y);

    case IG_CODE_DIV:
        return y != 0 ? ig_value_number(x / y) : ig_unknown;

    case IG_CODE_MIN:
        return ig_value_number(x < y ? x : y);

    default: /* IG_CODE_MAX */
        return ig_value_number(x > y ? x : y);
    }
}


static ig_value_t
ig_eval_sign(ig_code_e code, const ig_value_t *v)
{
    double  n;

    if (!ig_read_number(v, &n)) {
        return ig_unknown;
    }

    return ig_value_number(code == IG_CODE_NEGATE ? - n : fabs(n));
}


static ig_value_t
ig_eval_has(const ig_value_t *v)
{
    return v->type == IG_UNKNOWN ? ig_unknown
                                 : ig_value_truth(v->type != IG_MISSING);
}


/* n / d and what remains of n, downwards also below zero. */
static int64_t
ig_floor_divide(int64_t n, int64_t d, int64_t *rest)
{
    *rest = n % d;

    if (*rest < 0) {
        *rest += d;
        return n / d - 1;
    }

    return n / d;
}


/* The hour of the day, 0 to 23, or the ISO weekday, 1 (Monday) to 7. */
static ig_value_t
ig_eval_clock(ig_code_e code, const ig_env_t *env)
{
    int64_t  seconds, days, rest;

    seconds = ig_floor_divide(env->time, 1000, &rest) + env->zone;
    days = ig_floor_divide(seconds, 86400, &rest);

    if (code == IG_CODE_HOUR) {
        return ig_value_number((double) (rest / 3600));
    }

    /* the epoch was a Thursday */
    (void) ig_floor_divide(days + 3, 7, &rest);

    return ig_value_number((double) (rest + 1));
}


static ig_value_t
ig_eval_push(const ig_expr_t *expr, const ig_instruction_t *in,
    const ig_env_t *env)
{
    switch (in->code) {

    case IG_CODE_FIELD:
        return env->field[in->arg];

    case IG_CODE_COUNTER:
        return env->counter[in->arg];

    case IG_CODE_THRESHOLD:
        return ig_value_number(env->threshold[in->arg]);

    case IG_CODE_CONSTANT:
        return expr->constant[in->arg];

    default: /* IG_CODE_HOUR, IG_CODE_WEEKDAY */
        return ig_eval_clock(in->code, env);
    }
}


static ig_value_t
ig_eval_unary(ig_code_e code, const ig_value_t *v)
{
    switch (code) {

    case IG_CODE_TRUTH:
        return ig_eval_truth(v);

    case IG_CODE_NOT:
        return ig_eval_not(v);

    case IG_CODE_HAS:
        return ig_eval_has(v);

    default: /* IG_CODE_NEGATE, IG_CODE_ABS */
        return ig_eval_sign(code, v);
    }
}


static ig_value_t
ig_eval_binary(ig_code_e code, const ig_value_t *a, const ig_value_t *b)
{
    switch (code) {

    case IG_CODE_ELSE:
        return a->type == IG_MISSING ? *b : *a;

    case IG_CODE_OR:
    case IG_CODE_AND:
        return ig_eval_logic(code, a, b);

    case IG_CODE_EQ:
    case IG_CODE_NE:
    case IG_CODE_LT:
    case IG_CODE_LE:
    case IG_CODE_GT:
    case IG_CODE_GE:
        return ig_eval_compare(code, a, b);

    default:
        return ig_eval_arithmetic(code, a, b);
    }
}


ig_value_t
ig_expr_eval(const ig_expr_t *expr, const ig_env_t *env)
{
    ig_value_t               stack[IG_EXPR_DEPTH], *top;
    const ig_instruction_t  *in, *end;

    top = stack;                /* one past the topmost */
    end = expr->code + expr->ncode;

    for (in = expr->code; in < end; in++) {

        if (in->code < IG_CODE_TRUTH) {
            *top++ = ig_eval_push(expr, in, env);

        } else if (in->code < IG_CODE_BINARY) {
            top[-1] = ig_eval_unary(in->code, &top[-1]);

        } else {
            top--;
            top[-1] = ig_eval_binary(in->code, &top[-1], &top[0]);
        }
    }

    return stack[0];
}


ig_str_t
ig_expr_text(const ig_expr_t *expr)
{
    return expr->text;
}


void
ig_expr_names(const ig_expr_t *expr,
    void (*visit)(void *ctx, const ig_name_t *name), void *ctx)
{
    unsigned  i;

    for (i = 0; i < expr->nnames; i++) {
        visit(ctx, &expr->name[i]);
    }
}


/* The side which a counter must not pass: a number or a threshold. */
static bool
ig_limit_bound(const ig_expr_t *expr, const ig_instruction_t *in,
    ig_limit_t *limit)
{
    if (in->code == IG_CODE_THRESHOLD) {
        limit->is_threshold = true;
        limit->threshold = in->arg;
        return true;
    }

    if (in->code == IG_CODE_CONSTANT
        && expr->constant[in->arg].type == IG_NUMBER)
    {
        limit->number = expr->constant[in->arg].num;
        return true;
    }

    return false;
}


bool
ig_expr_is_limit(const ig_expr_t *expr, ig_limit_t *limit)
{
    bool                     mirrored;
    ig_code_e                code;
    const ig_instruction_t  *counter, *bound;

    if (expr->ncode != 3) {
        return false;
    }

    code = expr->code[2].code;
    mirrored = code == IG_CODE_LT || code == IG_CODE_LE;

    if (!mirrored && code != IG_CODE_GT && code != IG_CODE_GE) {
        return false;
    }

    counter = &expr->code[mirrored ? 1 : 0];
    bound = &expr->code[mirrored ? 0 : 1];

    *limit = (ig_limit_t) { 0 };

    if (counter->code != IG_CODE_COUNTER
        || !ig_limit_bound(expr, bound, limit))
    {
        return false;
    }

    limit->counter = counter->arg;
    limit->or_equal = code == IG_CODE_GE || code == IG_CODE_LE;

    return true;
}
