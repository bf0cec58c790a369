/*
 * test_ig_expr.c: what compiles: its canonical text, its names, whether it is
 * a limit; and compilation without memory.
 * Owns nothing.  Run by the unit tests' runner.
 */

#include "ig_expr_case.h"

#include <stdio.h>
#include <string.h>


static ig_str_t
text(const char *s)
{
    return (ig_str_t) { strlen(s), s };
}


static void
test_canonical_text(void **state)
{
    size_t          i;
    ig_str_t        s;
    ig_expr_t      *expr;
    ig_expr_case_t  c;

    static const struct {
        const char  *source;
        const char  *canonical;
    } cases[] = {
        { "t", "t" },
        { "  c7>limit\n", "c7 > limit" },
        { "c7\t>=\r\n10m", "c7 >= 10m" },
        { "! t&&!( f||u )", "!t && !(f || u)" },
        { "c7- -1>-  five", "c7 - -1 > -five" },
        { "c7-1>five- -(2)", "c7 - 1 > five - -(2)" },
        { "- - five==5", "--five == 5" },
        { "min( c7 ,1,2 )*2<=max(c0,-1)", "min(c7, 1, 2) * 2 <= max(c0, -1)" },
        { "abc=='it\\'s  \\\\ a &&b'", "abc == 'it\\'s  \\\\ a &&b'" },
        { "has (m)||or( m , t)", "has(m) || or(m, t)" },
        { "hour  >=  22  ||  weekday==7", "hour >= 22 || weekday == 7" },
        { "(t)==(true)", "(t) == (true)" },
        { "five/2*3+1!=1.5e-3", "five / 2 * 3 + 1 != 1.5e-3" },
        { "'a'<abc", "'a' < abc" },
        { "rate( c7 )>5*rate(c0)", "rate(c7) > 5 * rate(c0)" },
    };

    (void) state;

    for (i = 0; i < ig_countof(cases); i++) {
        ig_expr_case_init(&c, 64);
        assert_int_equal(ig_expr_case_compile(&c, text(cases[i].source),
                                              &expr), IG_OK);

        s = ig_expr_text(expr);

        if (!ig_str_eq(s, text(cases[i].canonical))) {
            fail_msg("%.*s instead of %s", ig_fmt(s), cases[i].canonical);
        }

        /* canonical text is its own canonical text */

        assert_int_equal(ig_expr_case_compile(&c, s, &expr), IG_OK);
        assert_true(ig_str_eq(ig_expr_text(expr), text(cases[i].canonical)));

        ig_expr_case_free(&c);
    }
}


static void
test_reserved(void **state)
{
    size_t  i;

    static const char  *reserved[] = { "has", "or", "abs", "min", "max",
                                       "rate", "hour", "weekday", "true",
                                       "false" };
    static const char  *free_[] = { "", "h", "hast", "ha", "Has", "OR", "and",
                                    "not", "hours", "trues", "account" };

    (void) state;

    for (i = 0; i < ig_countof(reserved); i++) {
        assert_true(ig_expr_reserved(text(reserved[i])));
    }

    for (i = 0; i < ig_countof(free_); i++) {
        assert_false(ig_expr_reserved(text(free_[i])));
    }
}


static void
collect(void *ctx, const ig_name_t *name)
{
    char    *out = ctx;
    size_t   n;

    n = strlen(out);
    (void) snprintf(out + n, 200 - n, "%c%u/%lld ", "?fct"[name->kind],
                    name->id, (long long) name->window);
}


static void
test_names(void **state)
{
    size_t          i;
    char            out[200];
    ig_expr_t      *expr;
    ig_expr_case_t  c;

    static const struct {
        const char  *source;
        const char  *names;
    } cases[] = {
        { "true", "" },
        { "hour > 3", "" },
        { "t", "f0/0 " },
        { "t || t || f && t", "f0/0 f1/0 " },
        { "c7 > limit && c7 < many", "c0/3600000 t0/0 t1/0 " },
        { "has(m) && rate(c2h) > 1 && or(t, f)", "f3/0 c4/1500 f0/0 f1/0 " },

        /* the same number in another array is another name */
        { "t && c7 > limit && c7 > 1", "f0/0 c0/3600000 t0/0 " },
    };

    (void) state;

    for (i = 0; i < ig_countof(cases); i++) {
        ig_expr_case_init(&c, 64);
        assert_int_equal(ig_expr_case_compile(&c, text(cases[i].source),
                                              &expr), IG_OK);
        out[0] = '\0';
        ig_expr_names(expr, collect, out);
        assert_string_equal(out, cases[i].names);
        ig_expr_case_free(&c);
    }
}


static void
test_is_limit(void **state)
{
    size_t          i;
    ig_expr_t      *expr;
    ig_limit_t      limit;
    ig_expr_case_t  c;

    static const struct {
        const char  *source;
        ig_limit_t   limit;
    } limits[] = {
        { "c7 > 5", { 0, false, false, 0, 5 } },
        { "c7 >= 5.5", { 0, true, false, 0, 5.5 } },
        { "5 < c0", { 1, false, false, 0, 5 } },
        { "5 <= c0", { 1, true, false, 0, 5 } },
        { "c7 > 10m", { 0, false, false, 0, 600 } },
        { "c7 > many", { 0, false, true, 1, 0 } },
        { "c7 >= limit", { 0, true, true, 0, 0 } },
        { "many < c0", { 1, false, true, 1, 0 } },
        { "limit <= c2h", { 4, true, true, 0, 0 } },
        { "((c7) > (5))", { 0, false, false, 0, 5 } },
    };

    static const char  *others[] = {
        "c7 < 5", "c7 <= 5", "5 > c7", "5 >= c7", "c7 == 5", "c7 != 5",
        "five > 5", "c7 > five", "c7 > c0", "limit > 5", "5 > limit",
        "5 > 4", "c7 > 5 && t", "c7 + 1 > 5", "c7 > -5", "c7 > 2 * 3",
        "rate(c7) > 5", "!(c7 > 5)", "or(c7, 0) > 5", "c7 > hour", "t",
        "has(c7)", "c7 > limit + 1", "five > 'x'", "true",
    };

    (void) state;

    for (i = 0; i < ig_countof(limits); i++) {
        ig_expr_case_init(&c, 64);
        assert_int_equal(ig_expr_case_compile(&c, text(limits[i].source),
                                              &expr), IG_OK);

        memset(&limit, 0xff, sizeof(limit));
        assert_true(ig_expr_is_limit(expr, &limit));
        assert_int_equal(limit.counter, limits[i].limit.counter);
        assert_int_equal(limit.or_equal, limits[i].limit.or_equal);
        assert_int_equal(limit.is_threshold, limits[i].limit.is_threshold);
        assert_int_equal(limit.threshold, limits[i].limit.threshold);
        assert_true(limit.number == limits[i].limit.number);
        ig_expr_case_free(&c);
    }

    for (i = 0; i < ig_countof(others); i++) {
        ig_expr_case_init(&c, 64);
        assert_int_equal(ig_expr_case_compile(&c, text(others[i]), &expr),
                         IG_OK);

        if (ig_expr_is_limit(expr, &limit)) {
            fail_msg("%s is taken for a limit", others[i]);
        }

        ig_expr_case_free(&c);
    }
}


/* The n-th allocation gives nothing, for n from the first to the last. */
static void
test_without_memory(void **state)
{
    int             rc;
    unsigned        n;
    ig_value_t      v;
    ig_expr_t      *expr;
    ig_expr_case_t  c;

    static const char  source[] =
        "abc == 'it\\'s' || abc == 'a\\\\b' || min(c7, rate(c0), 3) == 0"
        " && has(five) && or(m, 'abc') == 'abc'";

    (void) state;

    for (n = 0; n < ig_countof(c.block); n++) {
        ig_expr_case_init(&c, n);
        rc = ig_expr_case_compile(&c, text(source), &expr);

        if (rc == IG_OK) {
            break;
        }

        assert_int_equal(rc, IG_NOMEM);
        assert_null(expr);
        assert_int_equal(c.nblocks, n);
        ig_expr_case_free(&c);
    }

    /* the expression and its four arrays, and each string with a backslash */

    assert_int_equal(n, 7);

    v = ig_expr_eval(expr, &ig_expr_case_env);
    assert_int_equal(v.type, IG_BOOL);
    assert_true(v.num == 1);

    ig_expr_case_free(&c);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_canonical_text),
        cmocka_unit_test(test_reserved),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_is_limit),
        cmocka_unit_test(test_without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
