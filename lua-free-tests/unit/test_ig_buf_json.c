/*
 * test_ig_buf_json.c: any bytes become the inside of a valid JSON string.
 * Owns nothing.  Run by the unit tests' runner.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ig_buf.h"


#define BAD  "\xef\xbf\xbd"


/* Writes s (from memory of exactly its size, so that a read past it shows). */
static void
gives(const char *s, size_t len, const char *expected)
{
    char      memory[512], exact[128];
    char     *place;
    ig_str_t  out;
    ig_buf_t  b;

    assert_true(len <= sizeof(exact));
    place = exact + sizeof(exact) - len;
    memcpy(place, s, len);

    ig_buf_init(&b, memory, sizeof(memory));
    ig_buf_json(&b, (ig_str_t) { len, place });
    out = ig_buf_str(&b);

    if (b.full || out.len != strlen(expected)
        || memcmp(out.data, expected, out.len) != 0)
    {
        fail_msg("\"%.*s\" instead of \"%s\"", ig_fmt(out), expected);
    }
}


#define assert_gives(lit, expected)  gives(lit, sizeof(lit) - 1, expected)


static void
test_plain(void **state)
{
    (void) state;

    assert_gives("", "");
    assert_gives("a", "a");
    assert_gives("seven77", "seven77");
    assert_gives("eight888", "eight888");
    assert_gives("/v1/{sku}?a=b&c='d'~", "/v1/{sku}?a=b&c='d'~");
    assert_gives("\x7f", "\x7f");
}


/* One byte of each kind at each place of a run: no lane of eight is blind. */
static void
test_every_byte_everywhere(void **state)
{
    char      text[20], expected[64];
    size_t    at;
    unsigned  c;
    char      escape[8];

    static const struct {
        char         c;
        const char  *escape;
    } letters[] = {
        { '\b', "\\b" }, { '\t', "\\t" }, { '\n', "\\n" }, { '\f', "\\f" },
        { '\r', "\\r" }, { '"', "\\\"" }, { '\\', "\\\\" },
    };

    (void) state;

    for (c = 0; c < 256; c++) {

        if (c >= 0x80) {
            strcpy(escape, BAD);

        } else if (c < 0x20) {
            (void) snprintf(escape, sizeof(escape), "\\u%04x", c);

        } else {
            escape[0] = (char) c;
            escape[1] = '\0';
        }

        for (at = 0; at < ig_countof(letters); at++) {
            if (letters[at].c == (char) c) {
                strcpy(escape, letters[at].escape);
            }
        }

        for (at = 0; at < sizeof(text); at++) {
            memset(text, 'a', sizeof(text));
            text[at] = (char) c;

            (void) snprintf(expected, sizeof(expected), "%.*s%s%.*s",
                            (int) at, "aaaaaaaaaaaaaaaaaaaa", escape,
                            (int) (sizeof(text) - at - 1),
                            "aaaaaaaaaaaaaaaaaaaa");

            gives(text, sizeof(text), expected);
        }
    }
}


static void
test_utf8(void **state)
{
    (void) state;

    /* the first and the last of each length */
    assert_gives("\xc2\x80\xdf\xbf", "\xc2\x80\xdf\xbf");
    assert_gives("\xe0\xa0\x80\xef\xbf\xbf", "\xe0\xa0\x80\xef\xbf\xbf");
    assert_gives("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf",
                 "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf");
    assert_gives("\xed\x9f\xbf\xee\x80\x80", "\xed\x9f\xbf\xee\x80\x80");
    assert_gives("caf\xc3\xa9 \xe4\xb8\xad\xe6\x96\x87 \xf0\x9f\x98\x80!",
                 "caf\xc3\xa9 \xe4\xb8\xad\xe6\x96\x87 \xf0\x9f\x98\x80!");
}


static void
test_bad_utf8(void **state)
{
    (void) state;

    /* tails without a start, starts without a tail */
    assert_gives("\x80", BAD);
    assert_gives("a\xbf" "b", "a" BAD "b");
    assert_gives("\xc3", BAD);
    assert_gives("\xc3" "a", BAD "a");
    assert_gives("\xe4\xb8", BAD BAD);
    assert_gives("\xe4\xb8" "a", BAD BAD "a");
    assert_gives("\xf0\x9f\x98", BAD BAD BAD);
    assert_gives("\xf0\x9f\x98\"", BAD BAD BAD "\\\"");
    assert_gives("\xc3\xc3\xa9", BAD "\xc3\xa9");

    /* overlong */
    assert_gives("\xc0\x80", BAD BAD);
    assert_gives("\xc1\xbf", BAD BAD);
    assert_gives("\xe0\x9f\xbf", BAD BAD BAD);
    assert_gives("\xf0\x8f\xbf\xbf", BAD BAD BAD BAD);

    /* surrogates, past the end of Unicode, bytes of no character */
    assert_gives("\xed\xa0\x80", BAD BAD BAD);
    assert_gives("\xed\xbf\xbf", BAD BAD BAD);
    assert_gives("\xf4\x90\x80\x80", BAD BAD BAD BAD);
    assert_gives("\xf5\x80\x80\x80", BAD BAD BAD BAD);
    assert_gives("\xfe\xff", BAD BAD);
}


static void
test_string(void **state)
{
    char      memory[64];
    ig_buf_t  b;

    (void) state;

    ig_buf_init(&b, memory, sizeof(memory));
    ig_buf_json_string(&b, ig_str("say \"hi\""));
    ig_buf_json_string(&b, (ig_str_t) { 0, NULL });

    assert_false(b.full);
    assert_int_equal(ig_buf_str(&b).len, 14);
    assert_memory_equal(memory, "\"say \\\"hi\\\"\"\"\"", 14);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_every_byte_everywhere),
        cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_bad_utf8),
        cmocka_unit_test(test_string),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
