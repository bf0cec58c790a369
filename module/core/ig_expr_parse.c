/*
 * ig_expr_parse.c: tokens to postfix code, by recursive descent; knows what
 * is a number, a string, true or false, and refuses what can never be meant.
 * Owns: the compiled form, in the memory of its caller.  Borrows: names.
 * Called by the policy at configuration time.
 */

#include "ig_expr_int.h"

#include <string.h>


/* The weakest first; a level takes operands of the next one. */
enum {
    IG_LEVEL_OR = 0,
    IG_LEVEL_AND,
    IG_LEVEL_COMPARE,
    IG_LEVEL_ADD,
    IG_LEVEL_MUL,
    IG_LEVELS
};

static const struct {
    unsigned   level;
    ig_code_e  code;
} ig_operators[] = {
    [IG_TOKEN_OR] = { IG_LEVEL_OR, IG_CODE_OR },
    [IG_TOKEN_AND] = { IG_LEVEL_AND, IG_CODE_AND },
    [IG_TOKEN_EQ] = { IG_LEVEL_COMPARE, IG_CODE_EQ },
    [IG_TOKEN_NE] = { IG_LEVEL_COMPARE, IG_CODE_NE },
    [IG_TOKEN_LT] = { IG_LEVEL_COMPARE, IG_CODE_LT },
    [IG_TOKEN_LE] = { IG_LEVEL_COMPARE, IG_CODE_LE },
    [IG_TOKEN_GT] = { IG_LEVEL_COMPARE, IG_CODE_GT },
    [IG_TOKEN_GE] = { IG_LEVEL_COMPARE, IG_CODE_GE },
    [IG_TOKEN_ADD] = { IG_LEVEL_ADD, IG_CODE_ADD },
    [IG_TOKEN_SUB] = { IG_LEVEL_ADD, IG_CODE_SUB },
    [IG_TOKEN_MUL] = { IG_LEVEL_MUL, IG_CODE_MUL },
    [IG_TOKEN_DIV] = { IG_LEVEL_MUL, IG_CODE_DIV },
};


static int ig_parse_unary(ig_parser_t *p, ig_operand_t *o);


/* -- operands ------------------------------------------------------------ */

static int
ig_parse_word(ig_parser_t *p, ig_operand_t *o)
{
    int         rc;
    ig_value_t  truth;

    switch (p->token.word) {

    case IG_WORD_HOUR:
        o->kind = IG_KIND_NUMBER;
        rc = ig_emit(p, IG_CODE_HOUR, 0);
        break;

    case IG_WORD_WEEKDAY:
        o->kind = IG_KIND_NUMBER;
        rc = ig_emit(p, IG_CODE_WEEKDAY, 0);
        break;

    default: /* IG_WORD_TRUE, IG_WORD_FALSE */
        o->kind = IG_KIND_TRUTH;
        truth = (ig_value_t) { IG_BOOL, p->token.word == IG_WORD_TRUE,
                               ig_string("") };
        rc = ig_emit_constant(p, truth);
        break;
    }

    return rc == IG_OK ? ig_parser_advance(p) : rc;
}


static int
ig_parse_variable(ig_parser_t *p, ig_operand_t *o)
{
    int        rc;
    ig_name_t  name;

    rc = ig_parse_name(p, "a name", &name);
    if (rc != IG_OK) {
        return rc;
    }

    o->kind = name.kind == IG_NAME_FIELD ? IG_KIND_ANY
              : name.kind == IG_NAME_LIST ? IG_KIND_TRUTH : IG_KIND_NUMBER;
    o->missing = name.kind != IG_NAME_THRESHOLD;

    rc = ig_emit_name(p, &name);

    return rc == IG_OK ? ig_parser_advance(p) : rc;
}


/* The inside of a 'literal'; its own copy only where a backslash goes. */
static int
ig_parser_unescape(ig_parser_t *p, ig_str_t *s)
{
    char        *copy;
    size_t       n;
    const char  *from, *end;

    s->data = p->written.data + 1;
    s->len = p->written.len - 2;

    if (s->len == 0 || memchr(s->data, '\\', s->len) == NULL) {
        return IG_OK;
    }

    copy = ig_alloc(p->mem, s->len);
    if (copy == NULL) {
        return IG_NOMEM;
    }

    n = 0;
    end = s->data + s->len;

    for (from = s->data; from < end; from++) {
        from += *from == '\\' ? 1 : 0;
        copy[n++] = *from;
    }

    s->data = copy;
    s->len = n;

    return IG_OK;
}


static int
ig_parse_literal(ig_parser_t *p, ig_operand_t *o)
{
    int         rc;
    ig_value_t  value;

    value = (ig_value_t) { IG_NUMBER, p->token.num, ig_string("") };
    o->kind = IG_KIND_NUMBER;

    if (ig_is_integer(p->written)) {
        value.str = p->written;
    }

    if (p->token.kind == IG_TOKEN_STRING) {
        value.type = IG_STRING;
        o->kind = IG_KIND_STRING;

        rc = ig_parser_unescape(p, &value.str);
        if (rc != IG_OK) {
            return rc;
        }
    }

    rc = ig_emit_constant(p, value);

    return rc == IG_OK ? ig_parser_advance(p) : rc;
}


static int
ig_parse_parentheses(ig_parser_t *p, ig_operand_t *o)
{
    int  rc;

    if ((rc = ig_parser_advance(p)) != IG_OK
        || (rc = ig_parse_binary(p, 0, o)) != IG_OK)
    {
        return rc;
    }

    return ig_parser_take(p, IG_TOKEN_CLOSE, "\")\"");
}


static int
ig_parse_sign(ig_parser_t *p, ig_operand_t *o)
{
    int         rc;
    ig_token_e  sign;

    sign = p->token.kind;

    if ((rc = ig_parser_advance(p)) != IG_OK
        || (rc = ig_parse_unary(p, o)) != IG_OK)
    {
        return rc;
    }

    o->missing = false;

    if (sign == IG_TOKEN_NOT) {
        rc = ig_want_truth(p, o);
        o->kind = IG_KIND_TRUTH;
        return rc == IG_OK ? ig_emit(p, IG_CODE_NOT, 0) : rc;
    }

    rc = ig_want_number(p, o);
    o->kind = IG_KIND_NUMBER;

    return rc == IG_OK ? ig_emit(p, IG_CODE_NEGATE, 0) : rc;
}


static int
ig_parse_operand(ig_parser_t *p, ig_operand_t *o)
{
    switch (p->token.kind) {

    case IG_TOKEN_NOT:
    case IG_TOKEN_SUB:
        return ig_parse_sign(p, o);

    case IG_TOKEN_OPEN:
        return ig_parse_parentheses(p, o);

    case IG_TOKEN_NUMBER:
    case IG_TOKEN_STRING:
        return ig_parse_literal(p, o);

    case IG_TOKEN_NAME:

        if (p->token.word < IG_WORD_FUNCTIONS) {
            return ig_parse_call(p, o);
        }

        return p->token.word != IG_WORD_NONE ? ig_parse_word(p, o)
                                             : ig_parse_variable(p, o);

    default:
        return ig_parser_expected(p, "a value");
    }
}


/* Parentheses, signs and calls all come back to here, so it counts them. */
static int
ig_parse_unary(ig_parser_t *p, ig_operand_t *o)
{
    int          rc;
    const char  *start;

    *o = (ig_operand_t) { 0 };
    start = p->token.text.data;

    if (++p->nesting > IG_EXPR_DEPTH) {
        return ig_parser_deep(p);
    }

    rc = ig_parse_operand(p, o);

    p->nesting--;
    o->start = start;
    o->end = p->end;

    return rc;
}


/* -- operators ----------------------------------------------------------- */

static bool
ig_parser_at(const ig_parser_t *p, unsigned level)
{
    return p->token.kind >= IG_TOKEN_OR
           && ig_operators[p->token.kind].level == level;
}


static int
ig_want_operand(ig_parser_t *p, unsigned level, const ig_operand_t *o)
{
    if (level < IG_LEVEL_COMPARE) {
        return ig_want_truth(p, o);
    }

    return level > IG_LEVEL_COMPARE ? ig_want_number(p, o) : IG_OK;
}


/* The operator at hand and what is right of it; the two become `left`. */
static int
ig_parse_right(ig_parser_t *p, unsigned level, ig_operand_t *left)
{
    int           rc;
    ig_token_e    op;
    ig_operand_t  right;

    op = p->token.kind;

    if ((rc = ig_want_operand(p, level, left)) != IG_OK
        || (rc = ig_parser_advance(p)) != IG_OK
        || (rc = ig_parse_binary(p, level + 1, &right)) != IG_OK
        || (rc = ig_want_operand(p, level, &right)) != IG_OK)
    {
        return rc;
    }

    if (level == IG_LEVEL_COMPARE) {
        rc = ig_want_comparable(p, op, left, &right);
        if (rc != IG_OK) {
            return rc;
        }
    }

    left->kind = level > IG_LEVEL_COMPARE ? IG_KIND_NUMBER : IG_KIND_TRUTH;
    left->missing = false;
    left->end = right.end;

    return ig_emit(p, ig_operators[op].code, 0);
}


int
ig_parse_binary(ig_parser_t *p, unsigned level, ig_operand_t *o)
{
    int  rc;

    if (level == IG_LEVELS) {
        return ig_parse_unary(p, o);
    }

    rc = ig_parse_binary(p, level + 1, o);

    while (rc == IG_OK && ig_parser_at(p, level)) {
        rc = ig_parse_right(p, level, o);

        if (rc == IG_OK && level == IG_LEVEL_COMPARE
            && ig_parser_at(p, level))
        {
            return ig_lexer_error(&p->lexer, p->token.text.data,
                      " follows another comparison: comparisons do not chain;"
                      " use && between them, or parentheses",
                      "\"%.*s\"", ig_fmt(p->token.text));
        }
    }

    return rc;
}


/* -- the whole ----------------------------------------------------------- */

/*
 * Reads all tokens once, to find what cannot be read at all and how much room
 * is enough: a token makes two instructions at most (a name, and its reading
 * as true or false), a literal, true, false or rate() one constant.
 */
static int
ig_parser_room(ig_parser_t *p)
{
    int           rc;
    char         *text;
    size_t        ntokens, nconstants, nnames, len;
    ig_expr_t    *expr;
    ig_token_t    token;
    ig_lexer_t    lexer;

    lexer = p->lexer;
    ntokens = nconstants = nnames = len = 0;

    for ( ;; ) {
        rc = ig_lexer_next(&lexer, &token);
        if (rc != IG_OK) {
            return rc;
        }

        if (token.kind == IG_TOKEN_END) {
            break;
        }

        ntokens++;
        len += token.text.len + 1;
        nnames += token.kind == IG_TOKEN_NAME && token.word == IG_WORD_NONE;
        nconstants += token.kind != IG_TOKEN_NAME || token.word != IG_WORD_NONE;
    }

    if (ntokens == 0) {
        return ig_error(p->lexer.err, p->lexer.pos, "the expression is empty");
    }

    expr = p->expr;
    expr->code = ig_alloc(p->mem, 2 * ntokens * sizeof(ig_instruction_t));
    expr->constant = ig_alloc(p->mem, nconstants * sizeof(ig_value_t));
    expr->name = ig_alloc(p->mem, nnames * sizeof(ig_name_t));
    text = ig_alloc(p->mem, len);

    if (expr->code == NULL || expr->constant == NULL || expr->name == NULL
        || text == NULL)
    {
        return IG_NOMEM;
    }

    ig_buf_init(&p->text, text, len);

    return IG_OK;
}


static int
ig_parse_whole(ig_parser_t *p)
{
    int           rc;
    ig_operand_t  o;

    if ((rc = ig_parser_advance(p)) != IG_OK
        || (rc = ig_parse_binary(p, 0, &o)) != IG_OK)
    {
        return rc;
    }

    if (p->token.kind == IG_TOKEN_CLOSE) {
        return ig_lexer_error(&p->lexer, p->token.text.data, " has no \"(\"",
                              "\")\"");
    }

    if (p->token.kind != IG_TOKEN_END) {
        return ig_parser_expected(p, "an operator");
    }

    return ig_want_truth(p, &o);
}


int
ig_expr_compile(ig_mem_t *mem, ig_str_t text, ig_resolve_pt resolve, void *ctx,
    ig_expr_t **expr, ig_error_t *err, ig_pos_t pos)
{
    int          rc;
    ig_parser_t  p;

    if (text.len == 0) {
        return ig_error(err, pos, "the expression is empty");
    }

    memset(&p, 0, sizeof(p));

    p.lexer = (ig_lexer_t) { text, 0, err, pos };
    p.token.text.data = text.data;
    p.mem = mem;
    p.resolve = resolve;
    p.ctx = ctx;

    p.expr = ig_alloc(mem, sizeof(ig_expr_t));
    if (p.expr == NULL) {
        return IG_NOMEM;
    }

    if ((rc = ig_parser_room(&p)) != IG_OK
        || (rc = ig_parse_whole(&p)) != IG_OK)
    {
        return rc;
    }

    p.expr->text = ig_buf_str(&p.text);
    *expr = p.expr;

    return IG_OK;
}
