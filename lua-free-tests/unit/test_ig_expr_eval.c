/*
 * test_ig_expr_eval.c: what expressions are worth: complete truth tables,
 * every type against every other, arithmetic, exact digits, the clock.
 * Owns nothing.  Run by the unit tests' runner.
 */

#include "ig_expr_case.h"

#include <stdio.h>
#include <string.h>


/* 'T', 'F' or 'U'. */
static char
worth(const char *source)
{
    ig_value_t      v;
    ig_expr_t      *expr;
    ig_expr_case_t  c;

    ig_expr_case_init(&c, 64);

    if (ig_expr_case_compile(&c, (ig_str_t) { strlen(source), source }, &expr)
        != IG_OK)
    {
        fail_msg("%s: %s", source, c.err.text);
    }

    v = ig_expr_eval(expr, &ig_expr_case_env);
    ig_expr_case_free(&c);

    if (v.type == IG_UNKNOWN) {
        return 'U';
    }

    assert_int_equal(v.type, IG_BOOL);
    assert_true(v.num == 0 || v.num == 1);

    return v.num != 0 ? 'T' : 'F';
}


typedef struct {
    const char  *source;
    char         worth;
} case_t;


static void
check(const case_t *c, size_t n)
{
    char  is;

    for (; n > 0; n--, c++) {
        is = worth(c->source);

        if (is != c->worth) {
            fail_msg("%s is %c instead of %c", c->source, is, c->worth);
        }
    }
}


#define check_all(cases)  check(cases, ig_countof(cases))


/* Everything that is true, false or unknown, in every form it comes in. */
static const case_t  truths[] = {
    { "true", 'T' },
    { "t", 'T' },
    { "five", 'T' },
    { "(c7 > 3)", 'T' },
    { "has(s)", 'T' },
    { "or(m, t)", 'T' },
    { "false", 'F' },
    { "f", 'F' },
    { "zero", 'F' },
    { "(c7 < 3)", 'F' },
    { "has(m)", 'F' },
    { "or(f, t)", 'F' },
    { "u", 'U' },
    { "m", 'U' },
    { "s", 'U' },
    { "abc", 'U' },
    { "empty", 'U' },
    { "str5", 'U' },
    { "nan", 'U' },
    { "(cu > 3)", 'U' },
    { "has(u)", 'U' },
    { "or(u, t)", 'U' },
    { "or(m, m)", 'U' },
};


static char
both(char a, char b)
{
    static const char  table[3][3] = {
        /*        T    F    U */
        /* T */ { 'T', 'F', 'U' },
        /* F */ { 'F', 'F', 'F' },
        /* U */ { 'U', 'F', 'U' },
    };

    return table[strchr("TFU", a) - "TFU"][strchr("TFU", b) - "TFU"];
}


static char
either(char a, char b)
{
    static const char  table[3][3] = {
        /*        T    F    U */
        /* T */ { 'T', 'T', 'T' },
        /* F */ { 'T', 'F', 'U' },
        /* U */ { 'T', 'U', 'U' },
    };

    return table[strchr("TFU", a) - "TFU"][strchr("TFU", b) - "TFU"];
}


static void
test_kleene(void **state)
{
    char    source[64], not[4] = "FTU";
    size_t  i, k;
    case_t  c;

    (void) state;

    check_all(truths);
    c.source = source;

    for (i = 0; i < ig_countof(truths); i++) {

        (void) snprintf(source, sizeof(source), "!%s", truths[i].source);
        c.worth = not[strchr("TFU", truths[i].worth) - "TFU"];
        check(&c, 1);

        for (k = 0; k < ig_countof(truths); k++) {

            (void) snprintf(source, sizeof(source), "%s && %s",
                            truths[i].source, truths[k].source);
            c.worth = both(truths[i].worth, truths[k].worth);
            check(&c, 1);

            (void) snprintf(source, sizeof(source), "%s || %s",
                            truths[i].source, truths[k].source);
            c.worth = either(truths[i].worth, truths[k].worth);
            check(&c, 1);
        }
    }
}


/* Against something that is no value, or no number, nothing is known. */
/* A list is true or false; missing where its key is. */
static void
test_lists(void **state)
{
    static const case_t  cases[] = {
        { "on", 'T' },            { "off", 'F' },
        { "!on", 'F' },           { "!off", 'T' },
        { "lu", 'U' },            { "!lu", 'U' },
        { "!lm", 'U' },           { "lm || t", 'T' },
        { "lm && f", 'F' },       { "lm && t", 'U' },
        { "has(on)", 'T' },       { "has(off)", 'F' },
        { "has(lu)", 'U' },       { "!has(off) && c7 > 3", 'T' },
        { "or(lm, false)", 'F' }, { "or(lm, five)", 'T' },
        { "or(off, true)", 'F' }, { "or(lu, true)", 'U' },
        { "on == true", 'T' },    { "on != off", 'T' },
        { "on == t", 'T' },       { "lm == true", 'U' },
    };

    (void) state;

    check_all(cases);
}


static void
test_unknown_operands(void **state)
{
    char    source[64];
    size_t  i, k, f;
    case_t  c;

    static const char  *nothing[] = { "u", "m", "s", "cu", "cm", "nan" };

    static const char  *others[] = { "u", "m", "s", "t", "f", "five", "exact5",
                                     "str5", "abc", "empty", "cu", "cm", "c7",
                                     "limit", "hour", "5", "nan" };

    static const char  *forms[] = {
        "%s == %s", "%s != %s", "%s < %s", "%s <= %s", "%s > %s", "%s >= %s",
        "%s + %s == 0", "%s - %s == 0", "%s * %s == 0", "%s / %s == 0",
        "min(%s, %s) < 0", "max(%s, %s) < 0", "max(1, %s, %s) < 0",
    };

    (void) state;

    c.source = source;
    c.worth = 'U';

    for (f = 0; f < ig_countof(forms); f++) {
        for (i = 0; i < ig_countof(nothing); i++) {
            for (k = 0; k < ig_countof(others); k++) {

                (void) snprintf(source, sizeof(source), forms[f], nothing[i],
                                others[k]);
                check(&c, 1);

                (void) snprintf(source, sizeof(source), forms[f], others[k],
                                nothing[i]);
                check(&c, 1);
            }
        }
    }

    for (i = 0; i < ig_countof(nothing); i++) {
        (void) snprintf(source, sizeof(source), "-%s < 0", nothing[i]);
        check(&c, 1);
        (void) snprintf(source, sizeof(source), "abs(%s) < 0", nothing[i]);
        check(&c, 1);
    }
}


static void
test_compare(void **state)
{
    static const case_t  cases[] = {
        /* numbers */
        { "five == 5", 'T' },    { "five == 5.0", 'T' },  { "five == 6", 'F' },
        { "five != 5", 'F' },    { "five != 6", 'T' },
        { "five < 5", 'F' },     { "five < 5.1", 'T' },   { "five < 4", 'F' },
        { "five <= 5", 'T' },    { "five <= 4.9", 'F' },  { "five <= 6", 'T' },
        { "five > 5", 'F' },     { "five > 4.9", 'T' },   { "five > 6", 'F' },
        { "five >= 5", 'T' },    { "five >= 5.1", 'F' },  { "five >= 4", 'T' },
        { "zero == -zero", 'T' },
        { "c7 > limit", 'T' },   { "limit < c0", 'F' },   { "c2h == 7.5", 'T' },

        /* bytes */
        { "abc == 'abc'", 'T' }, { "abc != 'abc'", 'F' }, { "abc == abd", 'F' },
        { "abc < abd", 'T' },    { "abc <= abc", 'T' },   { "abd > abc", 'T' },
        { "abc >= abd", 'F' },   { "abc < 'ab'", 'F' },   { "'ab' < abc", 'T' },
        { "abc > 'ABC'", 'T' },  { "empty < abc", 'T' },
        { "empty == ''", 'T' },
        { "'10' < '9'", 'T' },   { "str5 == '5.0'", 'F' },
        { "abc < '\xff'", 'T' },
        { "quote == 'it\\'s'", 'T' },
        { "slash == '\\\\a\\\\b\\\\'", 'T' },
        { "'\\'' < quote", 'T' },

        /* a string against a number */
        { "str5 == 5", 'T' },    { "str5 != 5", 'F' },    { "str5 < 6", 'T' },
        { "str5 == 5.0", 'T' },  { "five == '5'", 'T' },
        { "five == '5.0'", 'T' },
        { "exact5 == '5.0'", 'T' },
        { "abc == 5", 'U' },     { "abc != 5", 'U' },     { "5 > abc", 'U' },
        { "empty == 0", 'U' },   { "five == 'x'", 'U' },  { "five != ''", 'U' },

        /* true and false are 1 and 0 where a number is wanted */
        { "t == true", 'T' },    { "t != true", 'F' },    { "f == true", 'F' },
        { "t == f", 'F' },       { "t != f", 'T' },       { "t > f", 'T' },
        { "t == 1", 'T' },       { "f == 0", 'T' },       { "t >= 2", 'F' },
        { "five == true", 'F' }, { "str5 == true", 'F' },
        { "abc == true", 'U' },
        { "abc == t", 'U' },     { "f < five", 'T' },
        { "(c7 > 1) == (c0 > 1)", 'F' },
        { "(c7 > 1) != (cu > 1)", 'U' },
        { "has(t) == true", 'T' },
    };

    (void) state;

    check_all(cases);
}


/* 2^53 and 2^53 + 1 are one double, and two accounts. */
static void
test_exact(void **state)
{
    static const case_t  cases[] = {
        { "big == bigger", 'F' },
        { "big != bigger", 'T' },
        { "bigger == bigger", 'T' },
        { "bigger != bigger", 'F' },
        { "bigger == 9007199254740993", 'T' },
        { "bigger == 9007199254740992", 'F' },
        { "bigger != 9007199254740992", 'T' },
        { "9007199254740993 == big", 'F' },
        { "bigger == strbig", 'T' },
        { "big == strbig", 'F' },
        { "strbig == 9007199254740992", 'F' },
        { "bigger == '9007199254740992'", 'F' },
        { "nbig == nbigger", 'F' },
        { "nbigger == '-9007199254740993'", 'T' },
        { "99999999999999999999 == 99999999999999999998", 'F' },

        /* order knows doubles only, and what has no exact digits too */
        { "big < bigger", 'F' },
        { "big <= bigger", 'T' },
        { "bigger == 9007199254740992.0", 'T' },
        { "bigger == 9007199254740993.0", 'T' },
        { "bigger + 0 == 9007199254740992", 'T' },
        { "exact5 == 5", 'T' },
        { "exact5 == 05", 'T' },
        { "exact5 == 5.0", 'T' },
        { "exact5 == five", 'T' },
        { "exact5 == '05'", 'T' },
        { "exact5 == 5e0", 'T' },
        { "minus == -5", 'T' },
        { "minus == '-5'", 'T' },
        { "minus == '-05'", 'T' },
        { "zero == '-0'", 'T' },
    };

    (void) state;

    check_all(cases);
}


static void
test_arithmetic(void **state)
{
    static const case_t  cases[] = {
        { "1 + 2 * 3 == 7", 'T' },
        { "(1 + 2) * 3 == 9", 'T' },
        { "10 - 4 - 3 == 3", 'T' },
        { "24 / 4 / 3 == 2", 'T' },
        { "24 / 4 * 3 == 18", 'T' },
        { "7 / 2 == 3.5", 'T' },
        { "-five + 2 == -3", 'T' },
        { "-(five + 2) == -7", 'T' },
        { "--five == 5", 'T' },
        { "2 - -3 == 5", 'T' },
        { "abs(-7.5) == 7.5", 'T' },
        { "abs(7.5) == 7.5", 'T' },
        { "abs(minus) == five", 'T' },
        { "min(3, 1, 2) == 1", 'T' },
        { "min(1, 2) == 1", 'T' },
        { "max(3, 1, 2) == 3", 'T' },
        { "max(1, 2) == 2", 'T' },
        { "max(min(5, 9), min(8, 7)) == 7", 'T' },
        { "10m == 600", 'T' },
        { "1h30m == 5400", 'T' },
        { "20ms == 0.02", 'T' },
        { "1.5e-3 * 1000 == 1.5", 'T' },
        { "str5 + 1 == 6", 'T' },
        { "t + t + f == 2", 'T' },
        { "-t == -1", 'T' },
        { "c7 * limit == 42", 'T' },

        /* what no number can tell */
        { "five / 0 == 0", 'U' },
        { "five / zero > 0", 'U' },
        { "0 / 0 == 0", 'U' },
        { "five / -zero < 0", 'U' },
        { "1e308 * 10 > 1", 'U' },
        { "-1e308 - 1e308 < 1", 'U' },
        { "1e308 * 10 - 1e308 * 10 == 0", 'U' },
        { "1 / 1e-320 > 1", 'U' },
        { "abc + 1 > 0", 'U' },
        { "empty * 0 == 0", 'U' },
        { "-abc < 0", 'U' },
        { "abs(abc) > 0", 'U' },
        { "min(1, abc) < 2", 'U' },
        { "max(abc, 1) < 2", 'U' },
    };

    (void) state;

    check_all(cases);
}


static void
test_precedence(void **state)
{
    static const case_t  cases[] = {
        { "true || true && false", 'T' },
        { "(true || true) && false", 'F' },
        { "false && true || true", 'T' },
        { "!false || true", 'T' },
        { "!(false || true)", 'F' },
        { "!f && t", 'T' },
        { "1 + 1 > 1 && 2 * 2 == 4", 'T' },
        { "c7 > limit && !has(m) || f", 'T' },
        { "!!t", 'T' },
    };

    (void) state;

    check_all(cases);
}


static void
test_functions(void **state)
{
    static const case_t  cases[] = {
        { "has(t)", 'T' },       { "has(f)", 'T' },       { "has(zero)", 'T' },
        { "has(empty)", 'T' },   { "has(s)", 'T' },       { "has(c0)", 'T' },
        { "has(m)", 'F' },       { "has(cm)", 'F' },
        { "has(u)", 'U' },       { "has(cu)", 'U' },
        { "!has(m)", 'T' },      { "!has(u)", 'U' },

        { "or(m, 5) == 5", 'T' },
        { "or(cm, 5) == 5", 'T' },
        { "or(c7, 5) == 7", 'T' },
        { "or(five, 6) == 5", 'T' },
        { "or(u, 5) == 5", 'U' },
        { "or(cu, 5) == 5", 'U' },
        { "or(s, 5) == 5", 'U' },
        { "or(m, u) == 5", 'U' },
        { "or(m, m) == 5", 'U' },
        { "or(m, abc) == 'abc'", 'T' },
        { "or(abd, abc) == 'abd'", 'T' },
        { "or(m, or(cm, 9)) == 9", 'T' },
        { "or(or(m, cm), 9) == 9", 'T' },
        { "or(or(m, c7), 9) == 7", 'T' },
        { "or((m), 1 + 2) == 3", 'T' },
        { "or(m, c7 > 3)", 'T' },
        { "or(m, c7 > 3 && f)", 'F' },
        { "or(m, f || t)", 'T' },
        { "or(f, true)", 'F' },
        { "or(cm, five) * 2 == 10", 'T' },
        { "!has(cm) || cm < 10m", 'T' },
        { "or(m, 'x') == 'x' && or(m, 'x') != 'y'", 'T' },

        /* per second of the window: 7 in an hour, 0 in a week, 7.5 in 1.5 s */
        { "rate(c7) * 3600 == 7", 'T' },
        { "rate(c0) == 0", 'T' },
        { "rate(c2h) == 5", 'T' },
        { "rate(c2h) > 5 * rate(c7)", 'T' },
        { "rate(cu) >= 0", 'U' },
        { "rate(cm) >= 0", 'U' },
    };

    (void) state;

    check_all(cases);
}


static void
test_clock(void **state)
{
    char    source[64];
    size_t  i;
    case_t  c;

    static const struct {
        int64_t   time;
        int32_t   zone;
        unsigned  hour;
        unsigned  weekday;
    } cases[] = {
        { INT64_C(1795435200123), 0, 12, 1 },          /* Mon 2026-11-23 */
        { INT64_C(1795435200123), 8 * 3600, 20, 1 },
        { INT64_C(1795435200123), 12 * 3600, 0, 2 },
        { INT64_C(1795435200123), -12 * 3600, 0, 1 },
        { INT64_C(1795435200123), -12 * 3600 - 1, 23, 7 },
        { INT64_C(1795435200123), 5 * 3600 + 1800, 17, 1 },
        { INT64_C(1795391999999), 0, 23, 7 },          /* Sun, last ms */
        { INT64_C(1795392000000), 0, 0, 1 },
        { INT64_C(1795737600000), 0, 0, 5 },           /* Fri */
        { INT64_C(1795824000000), 0, 0, 6 },           /* Sat */
        { 0, 0, 0, 4 },                                /* Thu 1970-01-01 */
        { 3599999, 0, 0, 4 },
        { 3600000, 0, 1, 4 },
        { -1, 0, 23, 3 },
        { 0, -1, 23, 3 },
        { -1, 1, 0, 4 },
        { -86400000, 0, 0, 3 },
        { -86400001, 0, 23, 2 },
        { INT64_C(-259200000), 0, 0, 1 },              /* Mon 1969-12-29 */
        { INT64_C(-259200001), 0, 23, 7 },
        { INT64_C(-2208988800000), 0, 0, 1 },          /* Mon 1900-01-01 */
        { INT64_MIN, -86400, 16, 6 },
        { INT64_MAX, 86400, 7, 1 },
    };

    (void) state;

    c.source = source;
    c.worth = 'T';

    for (i = 0; i < ig_countof(cases); i++) {
        ig_expr_case_env.time = cases[i].time;
        ig_expr_case_env.zone = cases[i].zone;

        (void) snprintf(source, sizeof(source), "hour == %u && weekday == %u",
                        cases[i].hour, cases[i].weekday);
        check(&c, 1);
    }

    ig_expr_case_env.time = INT64_C(1795435200123);
    ig_expr_case_env.zone = 0;
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_kleene),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_unknown_operands),
        cmocka_unit_test(test_compare),
        cmocka_unit_test(test_exact),
        cmocka_unit_test(test_arithmetic),
        cmocka_unit_test(test_precedence),
        cmocka_unit_test(test_functions),
        cmocka_unit_test(test_clock),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
