/*
 * ig_expr_call.c: names, and the functions over them.
 * Owns nothing; the parser's state is in its caller.
 * Called by the parser at configuration time.
 */

#include "ig_expr_int.h"


int
ig_parse_name(ig_parser_t *p, const char *what, ig_name_t *name)
{
    if (p->token.kind != IG_TOKEN_NAME || p->token.word != IG_WORD_NONE) {
        return ig_parser_expected(p, what);
    }

    *name = (ig_name_t) { 0 };

    if (!p->resolve(p->ctx, p->token.text, name)
        || name->kind == IG_NAME_NONE)
    {
        return ig_lexer_error(&p->lexer, p->token.text.data, "",
                              "unknown name \"%.*s\"",
                              ig_fmt(ig_lexer_quote(p->token.text)));
    }

    return IG_OK;
}


/* After its "(", as all of these; up to its ")". */
static int
ig_parse_has(ig_parser_t *p, ig_operand_t *o)
{
    int        rc;
    ig_name_t  name;

    rc = ig_parse_name(p, "the name of a field, a counter or a list", &name);
    if (rc != IG_OK) {
        return rc;
    }

    if (name.kind == IG_NAME_THRESHOLD) {
        return ig_parser_expected(p, "the name of a field, a counter or a "
                                  "list");
    }

    o->kind = IG_KIND_TRUTH;

    if ((rc = ig_emit_name(p, &name)) != IG_OK) {
        return rc;
    }

    /* of a list it is what the list itself is */

    if (name.kind != IG_NAME_LIST
        && (rc = ig_emit(p, IG_CODE_HAS, 0)) != IG_OK)
    {
        return rc;
    }

    return ig_parser_advance(p);
}


static int
ig_parse_rate(ig_parser_t *p, ig_operand_t *o)
{
    int         rc;
    ig_name_t   name;
    ig_value_t  seconds;

    rc = ig_parse_name(p, "the name of a counter", &name);
    if (rc != IG_OK) {
        return rc;
    }

    if (name.kind != IG_NAME_COUNTER) {
        return ig_parser_expected(p, "the name of a counter");
    }

    o->kind = IG_KIND_NUMBER;
    seconds = (ig_value_t) { IG_NUMBER, (double) name.window / 1000,
                             ig_string("") };

    if ((rc = ig_emit_name(p, &name)) != IG_OK
        || (rc = ig_emit_constant(p, seconds)) != IG_OK
        || (rc = ig_emit(p, IG_CODE_DIV, 0)) != IG_OK)
    {
        return rc;
    }

    return ig_parser_advance(p);
}


static int
ig_parse_or(ig_parser_t *p, ig_operand_t *o)
{
    int           rc;
    ig_operand_t  other;

    if ((rc = ig_parse_binary(p, 0, o)) != IG_OK) {
        return rc;
    }

    if (!o->missing) {
        return ig_operand_error(p, o, " is never missing: or() wants a field, "
                                "a counter or a list first");
    }

    if ((rc = ig_parser_take(p, IG_TOKEN_COMMA, "\",\"")) != IG_OK
        || (rc = ig_parse_binary(p, 0, &other)) != IG_OK)
    {
        return rc;
    }

    if (o->kind == IG_KIND_NUMBER) {
        rc = ig_want_number(p, &other);
        if (rc != IG_OK) {
            return rc;
        }

        o->kind = other.kind;

    } else if (o->kind == IG_KIND_TRUTH) {
        rc = ig_want_truth(p, &other);
        if (rc != IG_OK) {
            return rc;
        }
    }

    o->missing = other.missing;

    return ig_emit(p, IG_CODE_ELSE, 0);
}


static int
ig_parse_number_argument(ig_parser_t *p)
{
    int           rc;
    ig_operand_t  o;

    rc = ig_parse_binary(p, 0, &o);

    return rc == IG_OK ? ig_want_number(p, &o) : rc;
}


static int
ig_parse_abs(ig_parser_t *p, ig_operand_t *o)
{
    int  rc;

    o->kind = IG_KIND_NUMBER;
    rc = ig_parse_number_argument(p);

    return rc == IG_OK ? ig_emit(p, IG_CODE_ABS, 0) : rc;
}


static int
ig_parse_extreme(ig_parser_t *p, ig_operand_t *o, ig_code_e code)
{
    int  rc;

    o->kind = IG_KIND_NUMBER;
    rc = ig_parse_number_argument(p);

    if (rc == IG_OK && p->token.kind != IG_TOKEN_COMMA) {
        return ig_parser_expected(p, "\",\"");
    }

    while (rc == IG_OK && p->token.kind == IG_TOKEN_COMMA) {

        if ((rc = ig_parser_advance(p)) != IG_OK
            || (rc = ig_parse_number_argument(p)) != IG_OK)
        {
            return rc;
        }

        rc = ig_emit(p, code, 0);
    }

    return rc;
}


static int
ig_parse_arguments(ig_parser_t *p, ig_word_e word, ig_operand_t *o)
{
    switch (word) {

    case IG_WORD_HAS:
        return ig_parse_has(p, o);

    case IG_WORD_OR:
        return ig_parse_or(p, o);

    case IG_WORD_ABS:
        return ig_parse_abs(p, o);

    case IG_WORD_MIN:
        return ig_parse_extreme(p, o, IG_CODE_MIN);

    case IG_WORD_MAX:
        return ig_parse_extreme(p, o, IG_CODE_MAX);

    default: /* IG_WORD_RATE */
        return ig_parse_rate(p, o);
    }
}


int
ig_parse_call(ig_parser_t *p, ig_operand_t *o)
{
    int        rc;
    ig_word_e  word;

    word = p->token.word;

    if ((rc = ig_parser_advance(p)) != IG_OK
        || (rc = ig_parser_take(p, IG_TOKEN_OPEN, "\"(\"")) != IG_OK
        || (rc = ig_parse_arguments(p, word, o)) != IG_OK)
    {
        return rc;
    }

    return ig_parser_take(p, IG_TOKEN_CLOSE, "\")\"");
}
