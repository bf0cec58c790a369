/*
 * ig_expr_emit.c: the parser's hands: it moves on from token to token, writes
 * canonical text and code, and says what an operand may be.
 * Owns nothing; the parser's state is in its caller.
 * Called by the parser at configuration time.
 */

#include "ig_expr_int.h"

#include <stdio.h>


/* -- tokens in, canonical text out --------------------------------------- */

int
ig_parser_advance(ig_parser_t *p)
{
    int   rc;
    bool  operator;

    p->end = p->token.text.data + p->token.text.len;

    rc = ig_lexer_next(&p->lexer, &p->token);
    if (rc != IG_OK) {
        return rc;
    }

    /* a minus after an operand has two, else it is a sign */
    operator = p->token.kind >= IG_TOKEN_OR && p->after_operand;

    if (operator || p->after_operator) {
        ig_buf_char(&p->text, ' ');
    }

    p->written.data = p->text.pos;
    p->written.len = p->token.text.len;
    ig_buf_str_add(&p->text, p->token.text);

    p->after_operator = operator || p->token.kind == IG_TOKEN_COMMA;
    p->after_operand = p->token.kind == IG_TOKEN_NUMBER
                       || p->token.kind == IG_TOKEN_STRING
                       || p->token.kind == IG_TOKEN_NAME
                       || p->token.kind == IG_TOKEN_CLOSE;
    return IG_OK;
}


/* The current token is none of `what`. */
int
ig_parser_expected(ig_parser_t *p, const char *what)
{
    char  tail[128];

    (void) snprintf(tail, sizeof(tail), " comes where %s is expected", what);

    if (p->token.kind == IG_TOKEN_END) {
        return ig_lexer_error(&p->lexer, p->token.text.data, tail, "the end");
    }

    return ig_lexer_error(&p->lexer, p->token.text.data, tail, "\"%.*s\"",
                          ig_fmt(ig_lexer_quote(p->token.text)));
}


int
ig_parser_take(ig_parser_t *p, ig_token_e kind, const char *what)
{
    if (p->token.kind != kind) {
        return ig_parser_expected(p, what);
    }

    return ig_parser_advance(p);
}


int
ig_parser_deep(ig_parser_t *p)
{
    return ig_lexer_error(&p->lexer, p->token.text.data,
                          " is nested too deeply", "\"%.*s\"",
                          ig_fmt(ig_lexer_quote(p->token.text)));
}


int
ig_operand_error(ig_parser_t *p, const ig_operand_t *o, const char *tail)
{
    ig_str_t  text;

    text.data = o->start;
    text.len = (size_t) (o->end - o->start);

    return ig_lexer_error(&p->lexer, o->start, tail, "\"%.*s\"",
                          ig_fmt(ig_lexer_quote(text)));
}


/* -- code out ------------------------------------------------------------ */

/* Room for all of it is there: see ig_parser_room. */
int
ig_emit(ig_parser_t *p, ig_code_e code, unsigned arg)
{
    ig_expr_t  *expr;

    expr = p->expr;
    expr->code[expr->ncode++] = (ig_instruction_t) { code, arg };

    if (code >= IG_CODE_BINARY) {
        p->depth--;

    } else if (code < IG_CODE_TRUTH && ++p->depth > IG_EXPR_DEPTH) {
        return ig_parser_deep(p);
    }

    return IG_OK;
}


int
ig_emit_constant(ig_parser_t *p, ig_value_t value)
{
    ig_expr_t  *expr;

    expr = p->expr;
    expr->constant[expr->nconstants] = value;

    return ig_emit(p, IG_CODE_CONSTANT, expr->nconstants++);
}


int
ig_emit_name(ig_parser_t *p, const ig_name_t *name)
{
    unsigned    i;
    ig_expr_t  *expr;

    static const ig_code_e  code[] = {
        [IG_NAME_FIELD] = IG_CODE_FIELD,
        [IG_NAME_COUNTER] = IG_CODE_COUNTER,
        [IG_NAME_THRESHOLD] = IG_CODE_THRESHOLD,
        [IG_NAME_LIST] = IG_CODE_COUNTER,
    };

    expr = p->expr;

    for (i = 0; i < expr->nnames; i++) {
        if (expr->name[i].kind == name->kind && expr->name[i].id == name->id) {
            break;
        }
    }

    if (i == expr->nnames) {
        expr->name[expr->nnames++] = *name;
    }

    return ig_emit(p, code[name->kind], name->id);
}


/* -- what an operand must be --------------------------------------------- */

int
ig_want_truth(ig_parser_t *p, const ig_operand_t *o)
{
    switch (o->kind) {

    case IG_KIND_TRUTH:
        return IG_OK;

    case IG_KIND_ANY:
        return ig_emit(p, IG_CODE_TRUTH, 0);

    case IG_KIND_STRING:
        return ig_operand_error(p, o, " is a string where true or false is "
                                "expected; compare it");

    case IG_KIND_NUMBER:
        break;
    }

    return ig_operand_error(p, o, " is a number where true or false is "
                            "expected; compare it");
}


int
ig_want_number(ig_parser_t *p, const ig_operand_t *o)
{
    if (o->kind == IG_KIND_TRUTH) {
        return ig_operand_error(p, o, " is true or false where a number is "
                                "expected");
    }

    if (o->kind == IG_KIND_STRING) {
        return ig_operand_error(p, o, " is a string where a number is "
                                "expected");
    }

    return IG_OK;
}


/* Refuses pairs whose comparison could never be known. */
int
ig_want_comparable(ig_parser_t *p, ig_token_e op, const ig_operand_t *left,
    const ig_operand_t *right)
{
    const ig_operand_t  *truth, *other;

    truth = left->kind == IG_KIND_TRUTH ? left : right;
    other = truth == left ? right : left;

    if (truth->kind == IG_KIND_TRUTH) {

        if (other->kind == IG_KIND_NUMBER || other->kind == IG_KIND_STRING) {
            return ig_operand_error(p, truth, other->kind == IG_KIND_NUMBER
                      ? " is true or false and is compared with a number"
                      : " is true or false and is compared with a string");
        }

        if (op != IG_TOKEN_EQ && op != IG_TOKEN_NE) {
            return ig_operand_error(p, truth, " is true or false: it can be "
                                    "compared with == and != only");
        }

        return IG_OK;
    }

    if (left->kind == IG_KIND_NUMBER) {
        return ig_want_number(p, right);
    }

    if (right->kind == IG_KIND_NUMBER) {
        return ig_want_number(p, left);
    }

    return IG_OK;
}
