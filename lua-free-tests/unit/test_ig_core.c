/*
 * test_ig_core.c: errors are one whole line, strings compare and copy.
 * Owns nothing.  Run by the unit tests' runner.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ig_core.h"


static void *
heap(void *ctx, size_t size)
{
    size_t  *asked = ctx;

    *asked = size;

    return calloc(1, size);
}


static void *
nothing(void *ctx, size_t size)
{
    (void) ctx;
    (void) size;

    return NULL;
}


static void
test_error(void **state)
{
    int         rc;
    ig_pos_t    pos = { "some.conf", 17 };
    ig_str_t    s = ig_string("account_1h and more");
    ig_error_t  err;

    (void) state;

    s.len = 10;

    rc = ig_error(&err, pos, "unknown \"%.*s\" %d", ig_fmt(s), 3);

    assert_int_equal(rc, IG_ERROR);
    assert_string_equal(err.text, "unknown \"account_1h\" 3");
    assert_string_equal(err.pos.file, "some.conf");
    assert_int_equal(err.pos.line, 17);
}


static void
test_error_is_one_line(void **state)
{
    ig_pos_t    nowhere = { NULL, 0 };
    ig_error_t  err;

    (void) state;

    (void) ig_error(&err, nowhere, "a\nb\tc\x7f" "d\x1b[0m\xc3\xa9.");

    assert_string_equal(err.text, "a b c d [0m\xc3\xa9.");
    assert_null(err.pos.file);
}


/* A text of n times 'x' and then s. */
static void
long_error(ig_error_t *err, size_t n, const char *s)
{
    char      text[IG_ERROR_SIZE * 2];
    ig_pos_t  nowhere = { NULL, 0 };

    memset(text, 'x', n);
    strcpy(text + n, s);
    memset(err, 'Z', sizeof(*err));

    (void) ig_error(err, nowhere, "%s", text);
}


static void
test_error_cut(void **state)
{
    size_t      i;
    ig_error_t  err;

    (void) state;

    long_error(&err, IG_ERROR_SIZE - 1, "");
    assert_int_equal(strlen(err.text), IG_ERROR_SIZE - 1);
    assert_int_equal(err.text[IG_ERROR_SIZE - 2], 'x');

    long_error(&err, IG_ERROR_SIZE, "");
    assert_int_equal(strlen(err.text), IG_ERROR_SIZE - 1);
    assert_string_equal(err.text + IG_ERROR_SIZE - 5, "x...");

    /* "e" with an accent, at every place about the cut, is whole or absent */

    for (i = IG_ERROR_SIZE - 8; i < IG_ERROR_SIZE - 1; i++) {
        long_error(&err, i, "\xc3\xa9yyyyyyyy");

        if (i <= IG_ERROR_SIZE - 6) {
            assert_memory_equal(err.text + i, "\xc3\xa9", 2);

        } else {
            assert_null(strchr(err.text, '\xc3'));
            assert_null(strchr(err.text, '\xa9'));
        }

        assert_string_equal(err.text + strlen(err.text) - 3, "...");
    }
}


static void
test_alloc(void **state)
{
    void      *p;
    size_t     asked;
    ig_mem_t   mem = { heap, &asked }, none = { nothing, NULL };

    (void) state;

    p = ig_alloc(&mem, 24);
    assert_non_null(p);
    assert_int_equal(asked, 24);
    free(p);

    /* nothing is asked for as one byte: NULL always means "no memory" */
    p = ig_alloc(&mem, 0);
    assert_non_null(p);
    assert_int_equal(asked, 1);
    free(p);

    assert_null(ig_alloc(&none, 1));
}


static void
test_str_dup(void **state)
{
    size_t     asked;
    ig_mem_t   mem = { heap, &asked }, none = { nothing, NULL };
    ig_str_t   src = ig_string("merchant\0x"), dst, empty = { 0, NULL };

    (void) state;

    assert_int_equal(ig_str_dup(&mem, src, &dst), IG_OK);
    assert_int_equal(dst.len, 10);
    assert_memory_equal(dst.data, "merchant\0x", 11);   /* terminated */
    assert_ptr_not_equal(dst.data, src.data);
    free((void *) dst.data);

    assert_int_equal(ig_str_dup(&mem, empty, &dst), IG_OK);
    assert_int_equal(dst.len, 0);
    assert_string_equal(dst.data, "");
    free((void *) dst.data);

    assert_int_equal(ig_str_dup(&none, src, &dst), IG_NOMEM);
}


static void
test_str_eq(void **state)
{
    ig_str_t  null = { 0, NULL };

    (void) state;

    assert_true(ig_str_eq(ig_str("abc"), ig_str("abc")));
    assert_true(ig_str_eq(ig_str("a\0b"), ig_str("a\0b")));
    assert_true(ig_str_eq(null, ig_str("")));
    assert_true(ig_str_eq(null, null));

    assert_false(ig_str_eq(ig_str("abc"), ig_str("abd")));
    assert_false(ig_str_eq(ig_str("abc"), ig_str("ab")));
    assert_false(ig_str_eq(ig_str("a\0b"), ig_str("a\0c")));
    assert_false(ig_str_eq(ig_str("abc"), ig_str("ABC")));
    assert_false(ig_str_eq(null, ig_str("a")));
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_error),
        cmocka_unit_test(test_error_is_one_line),
        cmocka_unit_test(test_error_cut),
        cmocka_unit_test(test_alloc),
        cmocka_unit_test(test_str_dup),
        cmocka_unit_test(test_str_eq),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
