/*
 * test_ig_redis_reply.c: bytes as replies, whole and in pieces, and what is
 * refused.  Owns: a reader per test.  Run by the unit tests' runner.
 */

#include "ig_redis_case.h"

#include <stdio.h>
#include <string.h>


#define feed(r, lit)                                                          \
    assert_int_equal(ig_redis_reader_feed(r, lit, sizeof(lit) - 1), IG_OK)


static const ig_reply_t *
next(ig_redis_reader_t *r)
{
    const ig_reply_t  *reply;

    assert_int_equal(ig_redis_reader_next(r, &reply), IG_OK);

    return reply;
}


static void
nothing_yet(ig_redis_reader_t *r)
{
    const ig_reply_t  *reply;

    assert_int_equal(ig_redis_reader_next(r, &reply), IG_AGAIN);
}


static void
is_string(ig_str_t s, const char *expected)
{
    assert_int_equal(s.len, strlen(expected));
    assert_memory_equal(s.data, expected, s.len);
}


static void
test_types(void **state)
{
    const ig_reply_t   *reply;
    ig_redis_reader_t  *r;

    (void) state;

    r = ig_redis_reader_create();
    assert_non_null(r);

    nothing_yet(r);

    feed(r, "+OK\r\n:42\r\n:-1\r\n$3\r\nabc\r\n$0\r\n\r\n$-1\r\n*-1\r\n"
            "-ERR no\r\n*0\r\n*4\r\n$1\r\n1\r\n$-1\r\n$2\r\n22\r\n$0\r\n\r\n");

    reply = next(r);
    assert_int_equal(reply->type, IG_REPLY_STRING);
    is_string(reply->str, "OK");

    reply = next(r);
    assert_int_equal(reply->type, IG_REPLY_INTEGER);
    assert_int_equal(reply->integer, 42);
    assert_int_equal(next(r)->integer, -1);

    is_string(next(r)->str, "abc");
    is_string(next(r)->str, "");

    assert_int_equal(next(r)->type, IG_REPLY_NIL);
    assert_int_equal(next(r)->type, IG_REPLY_NIL);

    reply = next(r);
    assert_int_equal(reply->type, IG_REPLY_ERROR);
    is_string(ig_reply_code(reply), "ERR");

    reply = next(r);
    assert_int_equal(reply->type, IG_REPLY_ARRAY);
    assert_int_equal(reply->nitems, 0);

    reply = next(r);
    assert_int_equal(reply->type, IG_REPLY_ARRAY);
    assert_int_equal(reply->nitems, 4);
    is_string(reply->item[0].str, "1");
    assert_false(reply->item[0].nil);
    assert_true(reply->item[1].nil);
    is_string(reply->item[2].str, "22");
    is_string(reply->item[3].str, "");

    nothing_yet(r);
    ig_redis_reader_free(r);
}


/* A reply split at any byte is not there before its last byte. */
static void
test_pieces(void **state)
{
    size_t              i;
    const ig_reply_t   *reply;
    ig_redis_reader_t  *r;

    static const char  text[] = "*2\r\n$13\r\n1795610096789\r\n$-1\r\n";

    (void) state;

    r = ig_redis_reader_create();
    assert_non_null(r);

    for (i = 0; i < sizeof(text) - 2; i++) {
        assert_int_equal(ig_redis_reader_feed(r, &text[i], 1), IG_OK);
        nothing_yet(r);
    }

    assert_int_equal(ig_redis_reader_feed(r, "\n", 1), IG_OK);
    reply = next(r);
    is_string(reply->item[0].str, "1795610096789");
    assert_true(reply->item[1].nil);

    ig_redis_reader_free(r);
}


/*
 * hiredis moves what it has not read once it has read a kilobyte, before it
 * hands the reply out: a reply that pointed into its buffer would change.
 */
static void
test_moving_buffer(void **state)
{
    int                 i;
    char                text[32];
    ig_redis_reader_t  *r;

    (void) state;

    r = ig_redis_reader_create();
    assert_non_null(r);

    for (i = 0; i < 1000; i++) {
        (void) sprintf(text, "$6\r\n%06d\r\n", i);
        assert_int_equal(ig_redis_reader_feed(r, text, strlen(text)), IG_OK);
    }

    for (i = 0; i < 1000; i++) {
        (void) sprintf(text, "%06d", i);
        is_string(next(r)->str, text);
    }

    nothing_yet(r);
    ig_redis_reader_free(r);
}


static void
refuses(const char *text)
{
    const ig_reply_t   *reply;
    ig_redis_reader_t  *r;

    r = ig_redis_reader_create();
    assert_non_null(r);

    assert_int_equal(ig_redis_reader_feed(r, text, strlen(text)), IG_OK);

    if (ig_redis_reader_next(r, &reply) != IG_ERROR) {
        fail_msg("accepted: %s", text);
    }

    /* and stays so */
    assert_int_equal(ig_redis_reader_next(r, &reply), IG_ERROR);

    ig_redis_reader_free(r);
}


static void
test_refused(void **state)
{
    (void) state;

    refuses("HTTP/1.1 200 OK\r\n");
    refuses("\r\n");
    refuses(":12x\r\n");
    refuses(":\r\n");
    refuses(":99999999999999999999\r\n");
    refuses("$-2\r\n");
    refuses("$x\r\n");
    refuses("$3\r\nabcd\r\n");
    refuses("*5\r\n");
    refuses("*2147483648\r\n");
    refuses("*-2\r\n");

    /* what no command of ours returns in an array */
    refuses("*1\r\n*1\r\n$1\r\n1\r\n");
    refuses("*1\r\n:1\r\n");
    refuses("*1\r\n+OK\r\n");
    refuses("*1\r\n-ERR no\r\n");

    /* RESP3 */
    refuses("%1\r\n+a\r\n:1\r\n");
    refuses("~1\r\n:1\r\n");
    refuses(">2\r\n+message\r\n+a\r\n");
    refuses(",1.5\r\n");
    refuses("#t\r\n");
    refuses("(12345678901234567890\r\n");
    refuses("=7\r\ntxt:abc\r\n");
}


/* A bulk or a line without an end does not fill the memory. */
static void
test_endless(void **state)
{
    int                 rc;
    char                block[4096];
    size_t              fed;
    unsigned            i;
    const ig_reply_t   *reply;
    ig_redis_reader_t  *r;

    static const char *const  head[] = { "$1000000000\r\n", "+", "-", ":" };

    (void) state;

    memset(block, '1', sizeof(block));

    for (i = 0; i < ig_countof(head); i++) {
        r = ig_redis_reader_create();
        assert_non_null(r);

        fed = strlen(head[i]);
        assert_int_equal(ig_redis_reader_feed(r, head[i], fed), IG_OK);

        while ((rc = ig_redis_reader_next(r, &reply)) == IG_AGAIN) {
            assert_true(fed < 2 * IG_REPLY_UNREAD);
            fed += sizeof(block);
            assert_int_equal(ig_redis_reader_feed(r, block, sizeof(block)),
                             IG_OK);
        }

        assert_int_equal(rc, IG_ERROR);
        ig_redis_reader_free(r);
    }
}


/* A string longer than any number is cut, and is then no number. */
static void
test_long_string(void **state)
{
    int64_t             n;
    const ig_reply_t   *reply;
    ig_redis_reader_t  *r;

    (void) state;

    r = ig_redis_reader_create();
    assert_non_null(r);

    feed(r, "$70\r\n0000000000000000000000000000000000000000000000000000000000"
            "000000000012\r\n+PONG\r\n");

    reply = next(r);
    assert_int_equal(reply->str.len, IG_REPLY_TEXT);

    is_string(next(r)->str, "PONG");

    feed(r, "$64\r\n9999999999999999999999999999999999999999999999999999999999"
            "999999\r\n");
    assert_false(ig_reply_number(next(r)->str, &n));

    ig_redis_reader_free(r);
}


static void
test_number(void **state)
{
    int64_t   n;
    unsigned  i;

    static const char *const  bad[] = {
        "", "-", "+1", " 1", "1 ", "1.0", "1e3", "0x1", "--1", "1-",
        "9223372036854775808", "-9223372036854775809", "18446744073709551616",
        "99999999999999999999999"
    };

    (void) state;

    assert_true(ig_reply_number(ig_str("0"), &n));
    assert_int_equal(n, 0);
    assert_true(ig_reply_number(ig_str("-1"), &n));
    assert_int_equal(n, -1);
    assert_true(ig_reply_number(ig_str("9223372036854775807"), &n));
    assert_true(n == INT64_MAX);
    assert_true(ig_reply_number(ig_str("-9223372036854775808"), &n));
    assert_true(n == INT64_MIN);

    for (i = 0; i < ig_countof(bad); i++) {
        assert_false(ig_reply_number((ig_str_t) { strlen(bad[i]), bad[i] },
                                     &n));
    }
}


static void
code_is(const char *error, const char *code)
{
    ig_reply_t  reply = { .type = IG_REPLY_ERROR };

    reply.str = (ig_str_t) { strlen(error), error };
    is_string(ig_reply_code(&reply), code);
}


static void
test_code(void **state)
{
    (void) state;

    code_is("WRONGTYPE Operation against a key", "WRONGTYPE");
    code_is("LOADING", "LOADING");
    code_is("", "?");
    code_is("err lower", "?");
    code_is("ERR:x", "?");
    code_is("A\nB", "?");
    code_is("ABCDEFGHIJKLMNOPQ too long", "?");
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_moving_buffer),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_endless),
        cmocka_unit_test(test_long_string),
        cmocka_unit_test(test_number),
        cmocka_unit_test(test_code),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
