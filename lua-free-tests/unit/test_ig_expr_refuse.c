/*
 * test_ig_expr_refuse.c: in which words, and at which column, what is no
 * expression is refused; how deep one may be.
 * Owns nothing.  Run by the unit tests' runner.
 */

#include "ig_expr_case.h"

#include <stdio.h>
#include <string.h>


/* Expects this error, and that nothing else is given. */
static void
refused_len(const char *source, size_t len, const char *error)
{
    int             rc;
    ig_expr_t      *expr;
    ig_expr_case_t  c;

    ig_expr_case_init(&c, 64);

    rc = ig_expr_case_compile(&c, (ig_str_t) { len, source }, &expr);

    if (rc != IG_ERROR) {
        fail_msg("%.*s compiles", (int) len, source);
    }

    if (strcmp(c.err.text, error) != 0) {
        fail_msg("%s\ninstead of\n%s", c.err.text, error);
    }

    assert_null(expr);
    assert_string_equal(c.err.pos.file, "test.conf");
    assert_int_equal(c.err.pos.line, 3);

    ig_expr_case_free(&c);
}


typedef struct {
    const char  *text;
    const char  *before;        /* the error up to "at column" */
    unsigned     column;
    const char  *tail;
} refusal_t;


static void
refused(const refusal_t *r, size_t n)
{
    char  error[IG_ERROR_SIZE];

    for (; n > 0; n--, r++) {
        (void) snprintf(error, sizeof(error), "%s at column %u of \"%s\"%s",
                        r->before, r->column, r->text, r->tail);
        refused_len(r->text, strlen(r->text), error);
    }
}


static void
test_tokens_refused(void **state)
{
    static const refusal_t  cases[] = {
        { "10q > c7", "\"10q\"", 1, " is neither a number nor a duration" },
        { "c7 > 1.2.3", "\"1.2.3\"", 6, " is neither a number nor a duration" },
        { "c7 > 5.", "\"5.\"", 6, " is neither a number nor a duration" },
        { "c7 > 0x10", "\"0x10\"", 6, " is neither a number nor a duration" },
        { "c7 > 1e", "\"1e\"", 6, " is neither a number nor a duration" },
        { "c7 > 1e999", "\"1e999\"", 6, " is neither a number nor a duration" },
        { "c7 > 1m1h", "\"1m1h\"", 6, " is neither a number nor a duration" },
        { "c7 > 0s", "\"0s\"", 6, " is neither a number nor a duration" },
        { "c7 > 10me-3", "\"10me\"", 6, " is neither a number nor a duration" },
        { "c7 > 1e#5", "\"1e\"", 6, " is neither a number nor a duration" },
        { "c7 > .5", "unexpected \".\"", 6, "" },
        { "c7 = 3", "\"=\"", 4, " compares nothing; use \"==\"" },
        { "t & f", "\"&\"", 3, " is no operator; use \"&&\"" },
        { "t | f", "\"|\"", 3, " is no operator; use \"||\"" },
        { "abc == \"x\"", "a double quote", 8,
          ": strings stand in single quotes" },
        { "abc == 'x", "the string", 8, " has no closing '" },
        { "abc == '", "the string", 8, " has no closing '" },
        { "abc == 'x\\", "the string", 8, " has no closing '" },
        { "abc == 'x\\'", "the string", 8, " has no closing '" },
        { "abc == 'a\\nb'", "the backslash", 10, " escapes only ' and \\" },
        { "c7 # 3", "unexpected \"#\"", 4, "" },
        { "$c7 > 3", "unexpected \"$\"", 1, "" },
        { "c7 \xe2\x89\xa5 3", "unexpected \"\xe2\x89\xa5\"", 4, "" },
        { "c7 \xc3", "unexpected \"\xc3\"", 4, "" },

        /* characters are counted, not bytes */
        { "abc == '\xe4\xb8\xad\xe6\x96\x87' ~", "unexpected \"~\"", 13, "" },
    };

    (void) state;

    refused(cases, ig_countof(cases));

    refused_len("c7 > \x01", 6,
                "unexpected byte 0x01 at column 6 of \"c7 >  \"");
    refused_len("t\x7f", 2, "unexpected byte 0x7f at column 2 of \"t \"");
    refused_len("t \0", 3, "unexpected byte 0x00 at column 3 of \"t \"");
}


static void
test_grammar_refused(void **state)
{
    static const refusal_t  cases[] = {
        { "acount_1h > 3", "unknown name \"acount_1h\"", 1, "" },
        { "AZ_az09 > 3", "unknown name \"AZ_az09\"", 1, "" },
        { "t && foo(3)", "unknown name \"foo\"", 6, "" },
        { "has(nope)", "unknown name \"nope\"", 5, "" },
        { "rate(nope) > 1", "unknown name \"nope\"", 6, "" },

        { "c7 >", "the end", 5, " comes where a value is expected" },
        { "!", "the end", 2, " comes where a value is expected" },
        { "()", "\")\"", 2, " comes where a value is expected" },
        { "t && || f", "\"||\"", 6, " comes where a value is expected" },
        { "+c7 > 1", "\"+\"", 1, " comes where a value is expected" },
        { ", t", "\",\"", 1, " comes where a value is expected" },

        { "(c7 > 3", "the end", 8, " comes where \")\" is expected" },
        { "(c7 > 3 t", "\"t\"", 9, " comes where \")\" is expected" },
        { "c7 > 3)", "\")\"", 7, " has no \"(\"" },
        { "c7 > 3 t", "\"t\"", 8, " comes where an operator is expected" },
        { "c7 > 3, t", "\",\"", 7, " comes where an operator is expected" },
        { "t or f", "\"or\"", 3, " comes where an operator is expected" },
        { "t(f)", "\"(\"", 2, " comes where an operator is expected" },
        { "hour() > 3", "\"(\"", 5, " comes where an operator is expected" },
        { "t !f", "\"!\"", 3, " comes where an operator is expected" },
        { "c7 > 3 'a'", "\"'a'\"", 8, " comes where an operator is expected" },

        { "has > 3", "\">\"", 5, " comes where \"(\" is expected" },
        { "rate", "the end", 5, " comes where \"(\" is expected" },
        { "has()", "\")\"", 5,
          " comes where the name of a field, a counter or a list is expected" },
        { "has(5)", "\"5\"", 5,
          " comes where the name of a field, a counter or a list is expected" },
        { "has(hour)", "\"hour\"", 5,
          " comes where the name of a field, a counter or a list is expected" },
        { "has(limit)", "\"limit\"", 5,
          " comes where the name of a field, a counter or a list is expected" },
        { "has(t", "the end", 6, " comes where \")\" is expected" },
        { "has(t, f)", "\",\"", 6, " comes where \")\" is expected" },
        { "has(c7 > 3)", "\">\"", 8, " comes where \")\" is expected" },
        { "rate(five) > 1", "\"five\"", 6,
          " comes where the name of a counter is expected" },
        { "rate(on) > 1", "\"on\"", 6,
          " comes where the name of a counter is expected" },
        { "rate(limit) > 1", "\"limit\"", 6,
          " comes where the name of a counter is expected" },
        { "rate(5) > 1", "\"5\"", 6,
          " comes where the name of a counter is expected" },
        { "rate(c7, c0) > 1", "\",\"", 8, " comes where \")\" is expected" },
        { "min(c7) > 1", "\")\"", 7, " comes where \",\" is expected" },
        { "max() > 1", "\")\"", 5, " comes where a value is expected" },
        { "max(1,) > 1", "\")\"", 7, " comes where a value is expected" },
        { "abs(c7, 1) > 1", "\",\"", 7, " comes where \")\" is expected" },
        { "or(t)", "\")\"", 5, " comes where \",\" is expected" },
        { "or(t, f, u)", "\",\"", 8, " comes where \")\" is expected" },
    };

    (void) state;

    refused(cases, ig_countof(cases));

    refused_len("", 0, "the expression is empty");
    refused_len(NULL, 0, "the expression is empty");
    refused_len(" \t\r\n ", 5, "the expression is empty");
}


#define NUMBER  " is a number where true or false is expected; compare it"
#define STRING  " is a string where true or false is expected; compare it"
#define NOT_NUMBER  " is true or false where a number is expected"
#define NOT_STRING  " is a string where a number is expected"
#define WITH_NUMBER  " is true or false and is compared with a number"
#define WITH_STRING  " is true or false and is compared with a string"
#define NO_ORDER  " is true or false: it can be compared with == and != only"
#define CHAIN  " follows another comparison: comparisons do not chain; use "  \
               "&& between them, or parentheses"
#define PRESENT  " is never missing: or() wants a field, a counter or a list " \
                 "first"


static void
test_types_refused(void **state)
{
    static const refusal_t  cases[] = {
        { "c7", "\"c7\"", 1, NUMBER },
        { "limit", "\"limit\"", 1, NUMBER },
        { "5", "\"5\"", 1, NUMBER },
        { "10m", "\"10m\"", 1, NUMBER },
        { "hour", "\"hour\"", 1, NUMBER },
        { "(five + 1)", "\"(five + 1)\"", 1, NUMBER },
        { "-five", "\"-five\"", 1, NUMBER },
        { "rate(c7)", "\"rate(c7)\"", 1, NUMBER },
        { "abs( five )", "\"abs( five )\"", 1, NUMBER },
        { "min(five,t)", "\"min(five,t)\"", 1, NUMBER },
        { "or(c7, 0)", "\"or(c7, 0)\"", 1, NUMBER },
        { "on + 1 > 1", "\"on\"", 1, NOT_NUMBER },
        { "-on > 1", "\"on\"", 2, NOT_NUMBER },
        { "abs(on) > 1", "\"on\"", 5, NOT_NUMBER },
        { "on > 1", "\"on\"", 1, WITH_NUMBER },
        { "on == 1", "\"on\"", 1, WITH_NUMBER },
        { "'on' == on", "\"on\"", 9, WITH_STRING },
        { "on < off", "\"on\"", 1, NO_ORDER },
        { "or(on, 5)", "\"5\"", 8, NUMBER },
        { "or(on, 'x')", "\"'x'\"", 8, STRING },
        { "'abc'", "\"'abc'\"", 1, STRING },
        { "!c7", "\"c7\"", 2, NUMBER },
        { "!c7 > 3", "\"c7\"", 2, NUMBER },
        { "t && c7", "\"c7\"", 6, NUMBER },
        { "c7 && t", "\"c7\"", 1, NUMBER },
        { "t || 'x'", "\"'x'\"", 6, STRING },
        { "t && c7 + 1", "\"c7 + 1\"", 6, NUMBER },

        { "-(c7 > 3) > 1", "\"(c7 > 3)\"", 2, NOT_NUMBER },
        { "-'5' > 1", "\"'5'\"", 2, NOT_STRING },
        { "c7 + has(t) > 1", "\"has(t)\"", 6, NOT_NUMBER },
        { "true + 1 > 1", "\"true\"", 1, NOT_NUMBER },
        { "five * 'abc' > 1", "\"'abc'\"", 8, NOT_STRING },
        { "'5' - 1 > 1", "\"'5'\"", 1, NOT_STRING },
        { "five / !t > 1", "\"!t\"", 8, NOT_NUMBER },
        { "abs(t && f) > 1", "\"t && f\"", 5, NOT_NUMBER },
        { "min(1, '2') > 1", "\"'2'\"", 8, NOT_STRING },
        { "max(t == f, 2) > 1", "\"t == f\"", 5, NOT_NUMBER },
        { "or(c7, 'x') > 1", "\"'x'\"", 8, NOT_STRING },
        { "or(c7, !t) > 1", "\"!t\"", 8, NOT_NUMBER },

        { "has(t) > 3", "\"has(t)\"", 1, WITH_NUMBER },
        { "3 == has(t)", "\"has(t)\"", 6, WITH_NUMBER },
        { "c7 != true", "\"true\"", 7, WITH_NUMBER },
        { "!t == 'x'", "\"!t\"", 1, WITH_STRING },
        { "'x' == (t || f)", "\"(t || f)\"", 8, WITH_STRING },
        { "has(t) < has(f)", "\"has(t)\"", 1, NO_ORDER },
        { "five >= false", "\"false\"", 9, NO_ORDER },
        { "c7 > 'x'", "\"'x'\"", 6, NOT_STRING },
        { "'5' <= limit", "\"'5'\"", 1, NOT_STRING },

        { "1 < c7 < 3", "\"<\"", 8, CHAIN },
        { "t == f != u", "\"!=\"", 8, CHAIN },
        { "1 < c7 == t", "\"==\"", 8, CHAIN },
        { "t == 1 < c7", "\"<\"", 8, CHAIN },
        { "f && c7 >= 1 >= 0 || t", "\">=\"", 14, CHAIN },

        { "or(c7 + 1, 3) > 2", "\"c7 + 1\"", 4, PRESENT },
        { "or(t || f, u)", "\"t || f\"", 4, PRESENT },
        { "or(limit, 3) > 2", "\"limit\"", 4, PRESENT },
        { "or(-five, 3) > 2", "\"-five\"", 4, PRESENT },
        { "or(has(t), f)", "\"has(t)\"", 4, PRESENT },
        { "or('x', abc) == abc", "\"'x'\"", 4, PRESENT },
        { "or(rate(c7), 3) > 2", "\"rate(c7)\"", 4, PRESENT },
        { "or(or(c7, 1), 3) > 2", "\"or(c7, 1)\"", 4, PRESENT },
    };

    (void) state;

    refused(cases, ig_countof(cases));
}


static void
test_long_refused(void **state)
{
    char    source[600], error[IG_ERROR_SIZE];
    size_t  i;

    (void) state;

    /* of a long token its beginning is quoted, and so of the expression */

    memset(source, 'x', 300);

    (void) snprintf(error, sizeof(error),
                    "unknown name \"%.64s\" at column 1 of \"%.200s...\"",
                    source, source);
    refused_len(source, 300, error);

    (void) snprintf(error, sizeof(error),
                    "unknown name \"%.64s\" at column 1 of \"%.200s\"",
                    source, source);
    refused_len(source, 200, error);

    /* ... so that what is wrong is told whatever stands before it */

    for (i = 0; i < 500; i += 5) {
        memcpy(source + i, "t && ", 5);
    }

    memcpy(source + 500, "c7", 3);

    (void) snprintf(error, sizeof(error), "\"c7\" at column 501 of \"%.200s"
                    "...\" is a number where true or false is expected; "
                    "compare it", source);
    refused_len(source, 502, error);
}


/* n times `open`, then `inner`, then n times ")", then `after`. */
static int
compile_nested(const char *open, unsigned n, const char *inner,
    const char *after, ig_expr_case_t *c, ig_expr_t **expr)
{
    char      source[1024];
    unsigned  i;

    source[0] = '\0';

    for (i = 0; i < n; i++) {
        strcat(source, open);
    }

    strcat(source, inner);

    for (i = 0; i < n; i++) {
        strcat(source, ")");
    }

    strcat(source, after);

    return ig_expr_case_compile(c, (ig_str_t) { strlen(source), source },
                                expr);
}


static void
test_depth(void **state)
{
    size_t          i;
    unsigned        n;
    ig_value_t      v;
    ig_expr_t      *expr;
    ig_expr_case_t  c;

    static const struct {
        const char  *open;
        const char  *inner;
        const char  *after;
        unsigned     most;
        const char  *error;
    } cases[] = {
        /* the recursion of the parser */
        { "(", "t", "", 31, "\"t\" at column 33 of \"" },
        { "!(", "t", "", 15, "\"t\" at column 33 of \"" },
        { "has(t) && (", "t", "", 31, "\"t\" at column 353 of \"" },
        { "abs(", "1", " > 0", 31, "\"1\" at column 129 of \"" },

        /* the stack of the evaluation */
        { "1 + 1 * (", "1", " > 0", 15, "\"1\" at column 145 of \"" },
        { "min(1, 2, 3, ", "1", " > 0", 31, "\"1\" at column 408 of \"" },
    };

    (void) state;

    for (i = 0; i < ig_countof(cases); i++) {

        for (n = 0; n <= cases[i].most; n++) {
            ig_expr_case_init(&c, 64);
            assert_int_equal(compile_nested(cases[i].open, n, cases[i].inner,
                                            cases[i].after, &c, &expr),
                             IG_OK);
            v = ig_expr_eval(expr, &ig_expr_case_env);
            assert_int_equal(v.type, IG_BOOL);
            ig_expr_case_free(&c);
        }

        ig_expr_case_init(&c, 64);
        assert_int_equal(compile_nested(cases[i].open, n, cases[i].inner,
                                        cases[i].after, &c, &expr),
                         IG_ERROR);
        assert_non_null(strstr(c.err.text, " is nested too deeply"));
        assert_memory_equal(c.err.text, cases[i].error,
                            strlen(cases[i].error));
        ig_expr_case_free(&c);
    }
}


/* What is done with leaves the stack: length alone is no depth. */
static void
test_flat(void **state)
{
    char            source[4096];
    size_t          i;
    unsigned        n;
    ig_expr_t      *expr;
    ig_expr_case_t  c;

    static const struct {
        const char  *repeat;
        const char  *last;
    } cases[] = {
        { "t && ", "t" },
        { "f || ", "t" },
        { "five + ", "1 > 0" },
        { "five - ", "1 < 0" },
        { "five * ", "1 > 0" },
        { "five / ", "1 > 0" },
        { "or(m, 1) + ", "1 > 0" },
        { "rate(c7) + ", "1 > 0" },
        { "min(3, 2, 1) + ", "1 > 0" },
        { "max(3, 2, 1) + ", "1 > 0" },
        { "-abs(hour) + ", "1 < 0" },
        { "!(five == 6) && ", "t" },
        { "has(five) && (c7 != 8) == (c7 > 1) && ", "t" },
        { "five < 6 && five <= 5 && five >= 5 && ", "weekday < 8" },
    };

    (void) state;

    for (i = 0; i < ig_countof(cases); i++) {
        source[0] = '\0';

        for (n = 0; n < 2 * IG_EXPR_DEPTH; n++) {
            strcat(source, cases[i].repeat);
        }

        strcat(source, cases[i].last);

        ig_expr_case_init(&c, 64);
        assert_int_equal(ig_expr_case_compile(&c, (ig_str_t) {
                             strlen(source), source }, &expr), IG_OK);
        assert_true(ig_expr_eval(expr, &ig_expr_case_env).num == 1);
        ig_expr_case_free(&c);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_tokens_refused),
        cmocka_unit_test(test_grammar_refused),
        cmocka_unit_test(test_types_refused),
        cmocka_unit_test(test_long_refused),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_flat),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
