/*
 * ig_expr_lex.c: the text of an expression as tokens.
 * Owns nothing: tokens point into the text.
 * Called by the parser; ig_expr_reserved by the policy.
 */

#include "ig_expr_int.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>


/* What errors quote of a token and of the expression, so that all fits. */
#define IG_QUOTE_MAX       64
#define IG_QUOTE_EXPR_MAX  200


static const ig_str_t  ig_words[] = {
    [IG_WORD_HAS] = ig_string("has"),
    [IG_WORD_OR] = ig_string("or"),
    [IG_WORD_ABS] = ig_string("abs"),
    [IG_WORD_MIN] = ig_string("min"),
    [IG_WORD_MAX] = ig_string("max"),
    [IG_WORD_RATE] = ig_string("rate"),
    [IG_WORD_HOUR] = ig_string("hour"),
    [IG_WORD_WEEKDAY] = ig_string("weekday"),
    [IG_WORD_TRUE] = ig_string("true"),
    [IG_WORD_FALSE] = ig_string("false"),
};


/* The longer of two that begin alike is first. */
static const struct {
    ig_str_t    text;
    ig_token_e  kind;
} ig_signs[] = {
    { ig_string("||"), IG_TOKEN_OR },
    { ig_string("&&"), IG_TOKEN_AND },
    { ig_string("=="), IG_TOKEN_EQ },
    { ig_string("!="), IG_TOKEN_NE },
    { ig_string("<="), IG_TOKEN_LE },
    { ig_string("<"), IG_TOKEN_LT },
    { ig_string(">="), IG_TOKEN_GE },
    { ig_string(">"), IG_TOKEN_GT },
    { ig_string("+"), IG_TOKEN_ADD },
    { ig_string("-"), IG_TOKEN_SUB },
    { ig_string("*"), IG_TOKEN_MUL },
    { ig_string("/"), IG_TOKEN_DIV },
    { ig_string("!"), IG_TOKEN_NOT },
    { ig_string("("), IG_TOKEN_OPEN },
    { ig_string(")"), IG_TOKEN_CLOSE },
    { ig_string(","), IG_TOKEN_COMMA },
};


static ig_word_e
ig_word(ig_str_t s)
{
    unsigned  i;

    for (i = 0; i < ig_countof(ig_words); i++) {
        if (ig_str_eq(s, ig_words[i])) {
            return (ig_word_e) i;
        }
    }

    return IG_WORD_NONE;
}


bool
ig_expr_reserved(ig_str_t name)
{
    return ig_word(name) != IG_WORD_NONE;
}


ig_str_t
ig_lexer_quote(ig_str_t s)
{
    return (ig_str_t) { s.len < IG_QUOTE_MAX ? s.len : IG_QUOTE_MAX, s.data };
}


int
ig_lexer_error(ig_lexer_t *lexer, const char *at, const char *tail,
    const char *fmt, ...)
{
    char         subject[IG_QUOTE_MAX + 64];
    bool         cut;
    va_list      args;
    ig_str_t     text;
    unsigned     column;
    const char  *p;

    va_start(args, fmt);
    (void) vsnprintf(subject, sizeof(subject), fmt, args);
    va_end(args);

    text = lexer->text;
    column = 1;

    for (p = text.data; p < at; p++) {
        if (((unsigned char) *p & 0xc0) != 0x80) {
            column++;
        }
    }

    cut = text.len > IG_QUOTE_EXPR_MAX;
    text.len = cut ? IG_QUOTE_EXPR_MAX : text.len;

    return ig_error(lexer->err, lexer->pos, "%s at column %u of \"%.*s%s\"%s",
                    subject, column, ig_fmt(text), cut ? "..." : "", tail);
}


static bool
ig_is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}


static bool
ig_is_digit(char c)
{
    return c >= '0' && c <= '9';
}


static bool
ig_is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'
           || ig_is_digit(c);
}


/* Cuts the token off: what comes next is after its n bytes. */
static void
ig_lexer_take(ig_lexer_t *lexer, ig_token_t *token, ig_token_e kind, size_t n)
{
    token->kind = kind;
    token->text.data = lexer->text.data + lexer->at;
    token->text.len = n;

    lexer->at += n;
}


/* Whether the number ending before the 'e' at p goes on with "e-3". */
static bool
ig_lexer_exponent(const char *start, const char *p, const char *end)
{
    if ((*p != 'e' && *p != 'E') || end - p < 3
        || (p[1] != '-' && p[1] != '+') || !ig_is_digit(p[2]))
    {
        return false;
    }

    for (; start < p; start++) {
        if (!ig_is_digit(*start) && *start != '.') {
            return false;
        }
    }

    return true;
}


/* Numbers and durations: all that sticks together, then one or the other. */
static int
ig_lexer_number(ig_lexer_t *lexer, ig_token_t *token)
{
    int64_t      ms;
    const char  *start, *p, *end;

    start = lexer->text.data + lexer->at;
    end = lexer->text.data + lexer->text.len;

    for (p = start; p < end && (ig_is_word(*p) || *p == '.'); p++) {
        if (ig_lexer_exponent(start, p, end)) {
            p++;
        }
    }

    ig_lexer_take(lexer, token, IG_TOKEN_NUMBER, (size_t) (p - start));

    if (ig_parse_number(token->text, &token->num)) {
        return IG_OK;
    }

    if (ig_parse_duration(token->text, &ms)) {
        token->num = (double) ms / 1000;
        return IG_OK;
    }

    return ig_lexer_error(lexer, start, " is neither a number nor a duration",
                          "\"%.*s\"", ig_fmt(ig_lexer_quote(token->text)));
}


static int
ig_lexer_string(ig_lexer_t *lexer, ig_token_t *token)
{
    const char  *start, *p, *end;

    start = lexer->text.data + lexer->at;
    end = lexer->text.data + lexer->text.len;

    for (p = start + 1; p < end && *p != '\''; p++) {

        if (*p != '\\' || p + 1 == end) {
            continue;
        }

        if (p[1] != '\'' && p[1] != '\\') {
            return ig_lexer_error(lexer, p, " escapes only ' and \\",
                                  "the backslash");
        }

        p++;
    }

    if (p == end) {
        return ig_lexer_error(lexer, start, " has no closing '",
                              "the string");
    }

    ig_lexer_take(lexer, token, IG_TOKEN_STRING, (size_t) (p + 1 - start));

    return IG_OK;
}


static void
ig_lexer_name(ig_lexer_t *lexer, ig_token_t *token)
{
    const char  *start, *p, *end;

    start = lexer->text.data + lexer->at;
    end = lexer->text.data + lexer->text.len;

    for (p = start; p < end && ig_is_word(*p); p++) { /* void */ }

    ig_lexer_take(lexer, token, IG_TOKEN_NAME, (size_t) (p - start));
    token->word = ig_word(token->text);
}


/* What begins no token; names what was probably meant. */
static int
ig_lexer_unexpected(ig_lexer_t *lexer, const char *p)
{
    size_t  n, left;

    left = (size_t) (lexer->text.data + lexer->text.len - p);

    switch (*p) {

    case '=':
        return ig_lexer_error(lexer, p, " compares nothing; use \"==\"",
                              "\"=\"");

    case '&':
        return ig_lexer_error(lexer, p, " is no operator; use \"&&\"",
                              "\"&\"");

    case '|':
        return ig_lexer_error(lexer, p, " is no operator; use \"||\"",
                              "\"|\"");

    case '"':
        return ig_lexer_error(lexer, p, ": strings stand in single quotes",
                              "a double quote");
    }

    if ((unsigned char) *p < 0x20 || *p == 0x7f) {
        return ig_lexer_error(lexer, p, "", "unexpected byte 0x%02x", *p);
    }

    /* a character of several bytes is shown whole */
    for (n = 1; n < left && ((unsigned char) p[n] & 0xc0) == 0x80; n++) {
        /* void */
    }

    return ig_lexer_error(lexer, p, "", "unexpected \"%.*s\"", (int) n, p);
}


int
ig_lexer_next(ig_lexer_t *lexer, ig_token_t *token)
{
    size_t       i, left;
    const char  *p;

    while (lexer->at < lexer->text.len
           && ig_is_blank(lexer->text.data[lexer->at]))
    {
        lexer->at++;
    }

    *token = (ig_token_t) { .word = IG_WORD_NONE };
    left = lexer->text.len - lexer->at;

    if (left == 0) {
        ig_lexer_take(lexer, token, IG_TOKEN_END, 0);
        return IG_OK;
    }

    p = lexer->text.data + lexer->at;

    if (ig_is_digit(*p)) {
        return ig_lexer_number(lexer, token);
    }

    if (ig_is_word(*p)) {
        ig_lexer_name(lexer, token);
        return IG_OK;
    }

    if (*p == '\'') {
        return ig_lexer_string(lexer, token);
    }

    for (i = 0; i < ig_countof(ig_signs); i++) {
        if (ig_signs[i].text.len <= left
            && memcmp(p, ig_signs[i].text.data, ig_signs[i].text.len) == 0)
        {
            ig_lexer_take(lexer, token, ig_signs[i].kind,
                          ig_signs[i].text.len);
            return IG_OK;
        }
    }

    return ig_lexer_unexpected(lexer, p);
}
