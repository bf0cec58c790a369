/*
 * ig_expr_int.h: what the files of the expression language share: tokens
 * (lexer to parser), the parser's state, postfix code (parser to evaluator).
 * Owns nothing.  Included by ig_expr_*.c and their test only.
 */

#ifndef IG_EXPR_INT_H
#define IG_EXPR_INT_H

#include "ig_expr.h"

/* -- tokens -------------------------------------------------------------- */

/* Operators of two operands are last, from IG_TOKEN_OR on. */
typedef enum {
    IG_TOKEN_END = 0,
    IG_TOKEN_NUMBER,
    IG_TOKEN_STRING,
    IG_TOKEN_NAME,
    IG_TOKEN_OPEN,
    IG_TOKEN_CLOSE,
    IG_TOKEN_COMMA,
    IG_TOKEN_NOT,
    IG_TOKEN_OR,
    IG_TOKEN_AND,
    IG_TOKEN_EQ,
    IG_TOKEN_NE,
    IG_TOKEN_LT,
    IG_TOKEN_LE,
    IG_TOKEN_GT,
    IG_TOKEN_GE,
    IG_TOKEN_ADD,
    IG_TOKEN_SUB,
    IG_TOKEN_MUL,
    IG_TOKEN_DIV
} ig_token_e;

/* Names with a meaning of their own; functions are first. */
typedef enum {
    IG_WORD_HAS = 0,
    IG_WORD_OR,
    IG_WORD_ABS,
    IG_WORD_MIN,
    IG_WORD_MAX,
    IG_WORD_RATE,
    IG_WORD_FUNCTIONS,
    IG_WORD_HOUR = IG_WORD_FUNCTIONS,
    IG_WORD_WEEKDAY,
    IG_WORD_TRUE,
    IG_WORD_FALSE,
    IG_WORD_NONE
} ig_word_e;

typedef struct {
    ig_token_e  kind;
    ig_word_e   word;           /* NAME */
    ig_str_t    text;           /* in the source, as written */
    double      num;            /* NUMBER; durations in seconds */
} ig_token_t;

typedef struct {
    ig_str_t     text;
    size_t       at;            /* offset of what comes next */
    ig_error_t  *err;
    ig_pos_t     pos;
} ig_lexer_t;

/* The next token, END at the end; IG_OK or IG_ERROR. */
int ig_lexer_next(ig_lexer_t *lexer, ig_token_t *token);

/*
 * SUBJECT at column N of "the whole expression"TAIL: the subject is formatted,
 * the tail is literal; columns are characters, from 1.  `at` points into the
 * source.  Returns IG_ERROR.
 */
int ig_lexer_error(ig_lexer_t *lexer, const char *at, const char *tail,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* As much of s as an error quotes; for "%.*s" with ig_fmt. */
ig_str_t ig_lexer_quote(ig_str_t s);

/* -- code ---------------------------------------------------------------- */

typedef enum {
    /* these push one value; arg is an id, an index of constant[], or none */
    IG_CODE_FIELD = 0,
    IG_CODE_COUNTER,
    IG_CODE_THRESHOLD,
    IG_CODE_CONSTANT,
    IG_CODE_HOUR,
    IG_CODE_WEEKDAY,

    /* these replace the top */
    IG_CODE_TRUTH,              /* a field where true or false is wanted */
    IG_CODE_NOT,
    IG_CODE_NEGATE,
    IG_CODE_ABS,
    IG_CODE_HAS,

    /* these replace the two on top by one */
    IG_CODE_BINARY,
    IG_CODE_ELSE = IG_CODE_BINARY,      /* or(x, y) */
    IG_CODE_OR,
    IG_CODE_AND,
    IG_CODE_EQ,
    IG_CODE_NE,
    IG_CODE_LT,
    IG_CODE_LE,
    IG_CODE_GT,
    IG_CODE_GE,
    IG_CODE_ADD,
    IG_CODE_SUB,
    IG_CODE_MUL,
    IG_CODE_DIV,
    IG_CODE_MIN,
    IG_CODE_MAX
} ig_code_e;

typedef struct {
    ig_code_e  code;
    unsigned   arg;
} ig_instruction_t;

/* The parser has proved that the stack never holds more than IG_EXPR_DEPTH. */
struct ig_expr_s {
    ig_instruction_t  *code;
    unsigned           ncode;
    ig_value_t        *constant;
    unsigned           nconstants;
    ig_name_t         *name;            /* distinct */
    unsigned           nnames;
    ig_str_t           text;            /* canonical */
};

/* Digits and nothing else, as JSON writes an integer: such text is exact. */
bool ig_is_integer(ig_str_t s);

/* -- the parser ---------------------------------------------------------- */

/* What is known of an operand before any call is seen. */
typedef enum {
    IG_KIND_NUMBER = 0,         /* counters, thresholds, arithmetic */
    IG_KIND_TRUTH,              /* comparisons, logic, has() */
    IG_KIND_STRING,             /* 'literals' */
    IG_KIND_ANY                 /* fields: each call says */
} ig_operand_kind_e;

typedef struct {
    ig_operand_kind_e   kind;
    bool                missing;        /* or() may look behind it */
    const char         *start;          /* in the source */
    const char         *end;
} ig_operand_t;

typedef struct {
    ig_lexer_t          lexer;
    ig_token_t          token;          /* the one to be parsed */
    const char         *end;            /* of the token before */

    ig_buf_t            text;           /* canonical */
    ig_str_t            written;        /* this token in it */
    bool                after_operand;
    bool                after_operator;

    ig_mem_t           *mem;
    ig_resolve_pt       resolve;
    void               *ctx;

    ig_expr_t          *expr;
    unsigned            depth;          /* of the operand stack, so far */
    unsigned            nesting;        /* of the recursion */
} ig_parser_t;


/* All of these: IG_OK, IG_ERROR or IG_NOMEM. */

/* Makes the next token the current one, writes it into the canonical text. */
int ig_parser_advance(ig_parser_t *p);

/* The current token is an error: `what` is expected in its place. */
int ig_parser_expected(ig_parser_t *p, const char *what);

/* Advances past a token which must be of this kind. */
int ig_parser_take(ig_parser_t *p, ig_token_e kind, const char *what);

/* Nesting or stack beyond IG_EXPR_DEPTH. */
int ig_parser_deep(ig_parser_t *p);

int ig_operand_error(ig_parser_t *p, const ig_operand_t *o, const char *tail);

int ig_emit(ig_parser_t *p, ig_code_e code, unsigned arg);
int ig_emit_constant(ig_parser_t *p, ig_value_t value);
int ig_emit_name(ig_parser_t *p, const ig_name_t *name);

/* Refuse what can never be right; a field gets a conversion at run time. */
int ig_want_truth(ig_parser_t *p, const ig_operand_t *o);
int ig_want_number(ig_parser_t *p, const ig_operand_t *o);
int ig_want_comparable(ig_parser_t *p, ig_token_e op, const ig_operand_t *left,
    const ig_operand_t *right);

/* An expression of operators of `level` (0: any) or stronger ones. */
int ig_parse_binary(ig_parser_t *p, unsigned level, ig_operand_t *o);

/* The current token is a function's name: up to its ")". */
int ig_parse_call(ig_parser_t *p, ig_operand_t *o);

/* Resolves the current token, which must be a name that is not reserved. */
int ig_parse_name(ig_parser_t *p, const char *what, ig_name_t *name);

#endif /* IG_EXPR_INT_H */
