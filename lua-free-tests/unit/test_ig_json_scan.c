/*
 * test_ig_json_scan.c: the scan counts what a parser will find, so that the
 * limits hold before the parser allocates.  Texts by hand, then generated ones
 * (seeded) and mutations of them, counted again in jansson's tree.
 * Owns nothing.  Run by the unit tests' runner.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "ig_json.h"

#define TEXT  8192


static ig_json_state_e
scan(const char *text, unsigned depth, unsigned values)
{
    return ig_json_scan((ig_str_t) { strlen(text), text }, depth, values);
}


static void
test_counts(void **state)
{
    unsigned  i;

    static const struct {
        const char  *text;
        unsigned     depth;
        unsigned     values;
    } cases[] = {
        { "1", 0, 1 },
        { "\"a\"", 0, 1 },
        { "  null\r\n", 0, 1 },
        { "{}", 1, 1 },
        { "[]", 1, 1 },
        { "{\"a\":1}", 1, 2 },
        { "{ \"a\" : \"b\" , \"c\" : true }", 1, 3 },
        { "{\"a\":{\"b\":[1,2,\"3\",[]]}}", 4, 7 },
        { "[[],[],[[]]]", 3, 5 },
        { "[1,-2.5e+3,\"x\"]", 1, 4 },

        /* brackets, commas, colons and quotes inside strings are none */
        { "[\"{[,:]}\",\"\\\"\",\"\\\\\"]", 1, 4 },
        { "{\"a\\\"b\":\"c\\\\\"}", 1, 2 },
        { "{\"\\\\\":[\"\\\\\\\"]\"]}", 2, 3 },
        { "[\"a\" ,\"b\"\t]", 1, 3 }
    };

    (void) state;

    for (i = 0; i < ig_countof(cases); i++) {
        assert_int_equal(scan(cases[i].text, cases[i].depth, cases[i].values),
                         IG_JSON_OK);
        assert_int_equal(scan(cases[i].text, cases[i].depth,
                              cases[i].values - 1), IG_JSON_VALUES);

        if (cases[i].depth > 0) {
            assert_int_equal(scan(cases[i].text, cases[i].depth - 1, UINT_MAX),
                             IG_JSON_DEPTH);
        }
    }
}


static void
test_empty(void **state)
{
    (void) state;

    assert_int_equal(scan("", 32, 1000), IG_JSON_EMPTY);
    assert_int_equal(scan(" \t\r\n", 32, 1000), IG_JSON_EMPTY);
    assert_int_equal(ig_json_scan((ig_str_t) { 0, NULL }, 32, 1000),
                     IG_JSON_EMPTY);
}


/* What is no JSON is left to the parser, and read to its end at most. */
static void
test_rubbish(void **state)
{
    unsigned  i;

    static const char *const  texts[] = {
        "\"", "\"\\", "\"a\\\"", "{\"a", "]]]]", "}", ":", ",", "\\", "{]",
        "\"a\":\"b\"", "\x01\xff"
    };

    (void) state;

    for (i = 0; i < ig_countof(texts); i++) {
        assert_int_equal(scan(texts[i], 32, 1000), IG_JSON_OK);
    }
}


/* -- generated ----------------------------------------------------------- */

static uint64_t  seed;

static unsigned
rnd(unsigned n)
{
    /* xorshift64* */
    seed ^= seed >> 12;
    seed ^= seed << 25;
    seed ^= seed >> 27;

    return (unsigned) ((seed * UINT64_C(2685821657736338717)) >> 33) % n;
}


static void
put(ig_buf_t *b, const char *s)
{
    ig_buf_bytes(b, s, strlen(s));
}


static void
put_blank(ig_buf_t *b)
{
    static const char *const  blanks[] = { "", "", "", " ", "\n", "\t \r" };

    put(b, blanks[rnd(ig_countof(blanks))]);
}


static void
put_string(ig_buf_t *b)
{
    unsigned  n;

    static const char *const  parts[] = {
        "a", "{", "}", "[", "]", ",", ":", "\\\"", "\\\\", "\\u0022", "\\n",
        "\xc3\xa9", " ", "\\/"
    };

    ig_buf_char(b, '"');

    for (n = rnd(5); n > 0; n--) {
        put(b, parts[rnd(ig_countof(parts))]);
    }

    ig_buf_char(b, '"');
}


static void
put_value(ig_buf_t *b, unsigned depth)
{
    bool      object;
    unsigned  i, n;

    static const char *const  scalars[] = {
        "0", "-1", "12.5", "1e3", "true", "false", "null"
    };

    put_blank(b);

    if (depth == 0 || rnd(3) == 0) {
        if (rnd(2)) {
            put_string(b);

        } else {
            put(b, scalars[rnd(ig_countof(scalars))]);
        }

    } else {
        object = rnd(2);
        ig_buf_char(b, object ? '{' : '[');
        put_blank(b);
        n = rnd(4);

        for (i = 0; i < n; i++) {
            put(b, i > 0 ? "," : "");
            put_blank(b);

            if (object) {
                put_string(b);
                put_blank(b);
                put(b, ":");
            }

            put_value(b, depth - 1);
        }

        ig_buf_char(b, object ? '}' : ']');
    }

    put_blank(b);
}


static unsigned
tree_values(const json_t *node, unsigned level, unsigned *depth)
{
    size_t       i;
    unsigned     n;
    json_t      *member;
    const char  *key;

    n = 1;
    level += json_is_object(node) || json_is_array(node);
    *depth = level > *depth ? level : *depth;

    json_object_foreach((json_t *) (uintptr_t) node, key, member) {
        n += tree_values(member, level, depth);
    }

    json_array_foreach((json_t *) (uintptr_t) node, i, member) {
        n += tree_values(member, level, depth);
    }

    return n;
}


/* Where a parser takes the text, both count alike; says whether it did. */
static bool
agree(ig_str_t text)
{
    json_t    *root;
    unsigned   depth, values;

    depth = 0;

    root = json_loadb(text.data, text.len, JSON_DECODE_ANY|JSON_ALLOW_NUL
                                           |JSON_REJECT_DUPLICATES, NULL);

    if (root == NULL) {
        (void) ig_json_scan(text, 3, 10);
        return false;
    }

    values = tree_values(root, 0, &depth);
    json_decref(root);

    if (ig_json_scan(text, depth, values) != IG_JSON_OK
        || ig_json_scan(text, depth, values - 1) != IG_JSON_VALUES
        || (depth > 0
            && ig_json_scan(text, depth - 1, values) != IG_JSON_DEPTH))
    {
        fail_msg("depth %u, values %u: %.*s", depth, values, ig_fmt(text));
    }

    return true;
}


static void
test_generated(void **state)
{
    char      *text, *copy;
    unsigned   i, j, at, taken, mutated;
    ig_buf_t   b;
    ig_str_t   s;

    static const char  strange[] = "\"\\{}[],: 0a";

    (void) state;

    seed = 20261123;
    taken = 0;
    mutated = 0;
    text = malloc(TEXT);

    for (i = 0; i < 4000; i++) {
        ig_buf_init(&b, text, TEXT);
        put_value(&b, 1 + rnd(6));

        if (b.full) {
            continue;
        }

        s = ig_buf_str(&b);
        taken += agree(s);

        for (j = 0; j < 4 && s.len > 0; j++) {
            /* of its own size, for a sanitizer to see the edge */

            copy = malloc(s.len);
            memcpy(copy, text, s.len);
            at = rnd((unsigned) s.len);
            copy[at] = strange[rnd(sizeof(strange) - 1)];
            mutated += agree((ig_str_t) { s.len, copy });
            free(copy);
        }
    }

    free(text);

    /* the loop is about texts that are JSON: see that they were */

    assert_true(taken > 3000);
    assert_true(mutated > 1000);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_rubbish),
        cmocka_unit_test(test_generated)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
