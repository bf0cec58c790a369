/*
 * test_ig_redis_command.c: the exact commands of every kind and verb.
 * Owns: a case per test.  Run by the unit tests' runner.
 */

#include "ig_redis_case.h"

#include <string.h>

/* Lifetimes: a bucket's two windows and any other's one, and a minute. */
#define TWO  "7260"
#define ONE  "3660"


static void
writes(ig_kind_e kind, ig_verb_e verb, const ig_note_t *note, unsigned replies,
    const char *commands)
{
    ig_redis_case_t  c;

    ig_case_init(&c, kind, verb);
    c.op.delta = -1500000;
    ig_case_write(&c, note, replies);
    ig_case_expect(&c, commands);
}


static void
test_bytes(void **state)
{
    ig_redis_case_t  c;

    /* once without the help of the case: every byte */
    static const char  text[] =
        "*6\r\n$3\r\nSET\r\n"
        "$59\r\nig:1:{seen:AAECAwQFBgcICQoLDA0ODw}:x3600000.00010203:498780"
        "\r\n$1\r\n0\r\n$2\r\nEX\r\n$4\r\n7260\r\n$2\r\nNX\r\n"
        "*2\r\n$4\r\nINCR\r\n"
        "$59\r\nig:1:{seen:AAECAwQFBgcICQoLDA0ODw}:x3600000.00010203:498780"
        "\r\n";

    (void) state;

    ig_case_init(&c, IG_COUNT, IG_OP_PUT);
    ig_case_write(&c, NULL, 2);

    assert_int_equal(c.buf.pos - c.buf.start, sizeof(text) - 1);
    assert_memory_equal(c.memory, text, sizeof(text) - 1);
}


static void
test_count(void **state)
{
    ig_note_t  ttl = { .ttl_known = true };
    ig_note_t  both = { .ttl_known = true, .prev_known = true, .prev = 7 };

    (void) state;

    writes(IG_COUNT, IG_OP_ADD, NULL, 3,
           "SET K:498780 0 EX " TWO " NX\nINCR K:498780\nGET K:498779");
    writes(IG_COUNT, IG_OP_ADD, &ttl, 2, "INCR K:498780\nGET K:498779");
    writes(IG_COUNT, IG_OP_ADD, &both, 1, "INCR K:498780");

    writes(IG_COUNT, IG_OP_READ, NULL, 1, "MGET K:498780 K:498779");
    writes(IG_COUNT, IG_OP_READ, &ttl, 1, "MGET K:498780 K:498779");
    writes(IG_COUNT, IG_OP_READ, &both, 1, "GET K:498780");

    writes(IG_COUNT, IG_OP_PUT, NULL, 2,
           "SET K:498780 0 EX " TWO " NX\nINCR K:498780");
    writes(IG_COUNT, IG_OP_PUT, &both, 1, "INCR K:498780");

    writes(IG_COUNT, IG_OP_UNDO, NULL, 2,
           "SET K:498780 1 EX " TWO " NX\nDECR K:498780");
    writes(IG_COUNT, IG_OP_UNDO, &both, 2,
           "SET K:498780 1 EX " TWO " NX\nDECR K:498780");
}


static void
test_exact(void **state)
{
    ig_note_t  note = { .ttl_known = true, .prev_known = true };

    (void) state;

    writes(IG_COUNT_EXACT, IG_OP_ADD, &note, 4,
           "ZADD K 1795610096789 M\nZREMRANGEBYRANK K 0 -4\n"
           "ZCOUNT K (1795606496789 +inf\nEXPIRE K " ONE);
    writes(IG_COUNT_EXACT, IG_OP_READ, NULL, 1,
           "ZCOUNT K (1795606496789 +inf");
    writes(IG_COUNT_EXACT, IG_OP_PUT, NULL, 3,
           "ZADD K 1795610096789 M\nZREMRANGEBYRANK K 0 -4\nEXPIRE K " ONE);
    writes(IG_COUNT_EXACT, IG_OP_UNDO, NULL, 1, "ZREM K M");
}


static void
test_distinct(void **state)
{
    ig_redis_case_t  c;

    (void) state;

    writes(IG_DISTINCT, IG_OP_ADD, NULL, 5,
           "ZSCORE K M\nZADD K GT 1795610096789 M\nZREMRANGEBYRANK K 0 -4\n"
           "ZCOUNT K (1795606496789 +inf\nEXPIRE K " ONE);
    writes(IG_DISTINCT, IG_OP_READ, NULL, 1, "ZCOUNT K (1795606496789 +inf");
    writes(IG_DISTINCT, IG_OP_PUT, NULL, 3,
           "ZADD K GT 1795610096789 M\nZREMRANGEBYRANK K 0 -4\n"
           "EXPIRE K " ONE);

    ig_case_init(&c, IG_DISTINCT, IG_OP_UNDO);
    c.op.raw.was = -1;
    ig_case_write(&c, NULL, 1);
    ig_case_expect(&c, "ZREM K M");

    c.op.raw.was = 1795610000000;
    ig_case_write(&c, NULL, 1);
    ig_case_expect(&c, "ZADD K XX LT 1795610000000 M");
}


static void
test_sum(void **state)
{
    unsigned         i;
    ig_redis_case_t  c;
    ig_note_t        both = { .ttl_known = true, .prev_known = true };
    ig_kind_e        kind[] = { IG_SUM, IG_MEAN };

    (void) state;

    for (i = 0; i < 2; i++) {
        writes(kind[i], IG_OP_ADD, NULL, 4,
               "HINCRBY K:498780 s -1500000\nHINCRBY K:498780 n 1\n"
               "EXPIRE K:498780 " TWO "\nHMGET K:498779 s n");
        writes(kind[i], IG_OP_ADD, &both, 2,
               "HINCRBY K:498780 s -1500000\nHINCRBY K:498780 n 1");
        writes(kind[i], IG_OP_READ, NULL, 2,
               "HMGET K:498780 s n\nHMGET K:498779 s n");
        writes(kind[i], IG_OP_READ, &both, 1, "HMGET K:498780 s n");
        writes(kind[i], IG_OP_PUT, NULL, 3,
               "HINCRBY K:498780 s -1500000\nHINCRBY K:498780 n 1\n"
               "EXPIRE K:498780 " TWO);
        writes(kind[i], IG_OP_UNDO, &both, 3,
               "HINCRBY K:498780 s 1500000\nHINCRBY K:498780 n -1\n"
               "EXPIRE K:498780 " TWO);
    }

    ig_case_init(&c, IG_SUM, IG_OP_UNDO);
    c.op.delta = INT64_MIN;
    ig_case_write(&c, NULL, 3);
    ig_case_expect(&c,
                   "HINCRBY K:498780 s 9223372036854775807\n"
                   "HINCRBY K:498780 n -1\nEXPIRE K:498780 " TWO);
}


static void
test_first(void **state)
{
    ig_redis_case_t  c;

    (void) state;

    writes(IG_FIRST, IG_OP_READ, NULL, 1, "HMGET K f l");
    writes(IG_FIRST, IG_OP_UNDO, NULL, 0, "");

    /* not read before: the reply may bring a correction */
    writes(IG_FIRST, IG_OP_PUT, NULL, 4,
           "HMGET K f l\nHSETNX K f 1795610096789\n"
           "HSET K l 1795610096789\nEXPIRE K " ONE);
    writes(IG_FIRST, IG_OP_ADD, NULL, 4,
           "HMGET K f l\nHSETNX K f 1795610096789\n"
           "HSET K l 1795610096789\nEXPIRE K " ONE);

    /* seen within the window, to the last millisecond of it */
    ig_case_init(&c, IG_FIRST, IG_OP_PUT);
    c.op.raw.first = 1795600000000;
    c.op.raw.last = IG_CASE_TIME - IG_CASE_WINDOW;
    ig_case_write(&c, NULL, 3);
    ig_case_expect(&c, "HSETNX K f 1795610096789\nHSET K l 1795610096789\n"
                       "EXPIRE K " ONE);

    /* forgotten */
    c.op.raw.last--;
    ig_case_write(&c, NULL, 2);
    ig_case_expect(&c, "HSET K f 1795610096789 l 1795610096789\n"
                       "EXPIRE K " ONE);

    /* another node was faster: last does not run backwards */
    c.op.raw.last = IG_CASE_TIME + 5;
    ig_case_write(&c, NULL, 3);
    ig_case_expect(&c, "HSETNX K f 1795610096789\nHSET K l 1795610096794\n"
                       "EXPIRE K " ONE);
}


static void
test_last(void **state)
{
    ig_redis_case_t  c;

    (void) state;

    writes(IG_LAST, IG_OP_READ, NULL, 1, "GET K");
    writes(IG_LAST, IG_OP_ADD, NULL, 2,
           "GET K\nSET K 1795610096789 EX " ONE);
    writes(IG_LAST, IG_OP_PUT, NULL, 1, "SET K 1795610096789 EX " ONE);
    writes(IG_LAST, IG_OP_UNDO, NULL, 0, "");

    ig_case_init(&c, IG_LAST, IG_OP_PUT);
    c.op.raw.last = IG_CASE_TIME + 5;
    ig_case_write(&c, NULL, 1);
    ig_case_expect(&c, "SET K 1795610096794 EX " ONE);
}


static void
test_listed(void **state)
{
    ig_redis_case_t  c;

    (void) state;

    writes(IG_LISTED, IG_OP_READ, NULL, 1, "GET K");
    writes(IG_LISTED, IG_OP_UNDO, NULL, 1, "DEL K");

    ig_case_init(&c, IG_LISTED, IG_OP_PUT);
    c.op.delta = 604800000;
    ig_case_write(&c, NULL, 1);
    ig_case_expect(&c, "SET K 1796214896789 EX 604800 NX");

    ig_case_init(&c, IG_LISTED, IG_OP_ADD);
    c.op.delta = 1500;
    ig_case_write(&c, NULL, 2);
    ig_case_expect(&c, "GET K\nSET K 1795610098289 EX 2");

    /* never without a TTL */

    ig_case_init(&c, IG_LISTED, IG_OP_PUT);
    ig_case_write(&c, NULL, 1);
    ig_case_expect(&c, "SET K 1795610096789 EX 1 NX");
}


static void
test_before_1970(void **state)
{
    ig_redis_case_t  c;

    (void) state;

    ig_case_init(&c, IG_COUNT, IG_OP_READ);
    c.op.time = -1;
    ig_case_write(&c, NULL, 1);
    ig_case_expect(&c, "MGET K:-1 K:-2");
}


/* The longest names and numbers there are still fit into IG_REDIS_OP_TEXT. */
static void
test_longest(void **state)
{
    unsigned         kind, verb;
    ig_redis_case_t  c;

    static const char  name[] =
        "a2345678901234567890123456789012345678901234567890123456789012345";

    (void) state;

    for (kind = 0; kind < IG_KINDS; kind++) {
        for (verb = IG_OP_READ; verb <= IG_OP_DROP; verb++) {
            ig_case_init(&c, kind, verb);
            c.counter.name = (ig_str_t) { 64, name };
            c.counter.shape = ig_str("x9223372036854775807-4294967295");
            c.counter.max = UINT32_MAX;
            c.op.time = INT64_MIN / 2;
            c.op.delta = INT64_MIN + 1;

            ig_buf_init(&c.buf, c.memory, sizeof(c.memory));
            (void) ig_redis_op_write(&c.buf, &c.op, NULL, &c.recipe);
            assert_false(c.buf.full);

            c.op.state = IG_OP_FAILED;
            ig_buf_init(&c.buf, c.memory, sizeof(c.memory));
            (void) ig_redis_op_again(&c.buf, &c.op);
            assert_false(c.buf.full);
        }
    }
}


/* A key that does not fit is told by the buffer, not cut. */
static void
test_too_long(void **state)
{
    char             name[300];
    ig_redis_case_t  c;

    (void) state;

    memset(name, 'a', sizeof(name));

    ig_case_init(&c, IG_COUNT, IG_OP_ADD);
    c.counter.name = (ig_str_t) { sizeof(name), name };

    ig_buf_init(&c.buf, c.memory, sizeof(c.memory));
    (void) ig_redis_op_write(&c.buf, &c.op, NULL, &c.recipe);
    assert_true(c.buf.full);

    ig_buf_init(&c.buf, c.memory, sizeof(c.memory));
    ig_redis_marker_write(&c.buf, &c.counter, 1);
    assert_true(c.buf.full);

    ig_case_init(&c, IG_COUNT, IG_OP_ADD);
    ig_buf_init(&c.buf, c.memory, 100);
    (void) ig_redis_op_write(&c.buf, &c.op, NULL, &c.recipe);
    assert_true(c.buf.full);
}


static void
again(ig_kind_e kind, ig_verb_e verb, ig_op_state_e op_state, unsigned replies,
    const char *commands)
{
    ig_redis_case_t  c;

    ig_case_init(&c, kind, verb);
    c.op.delta = 1500000;
    c.op.state = op_state;

    ig_buf_init(&c.buf, c.memory, sizeof(c.memory));
    assert_int_equal(ig_redis_op_again(&c.buf, &c.op), replies);
    ig_case_expect(&c, commands);
}


static void
test_again(void **state)
{
    (void) state;

    again(IG_COUNT, IG_OP_ADD, IG_OP_DONE, 1, "EXPIRE K:498780 " TWO);
    again(IG_COUNT, IG_OP_ADD, IG_OP_FAILED, 1, "EXPIRE K:498780 " TWO);
    again(IG_COUNT, IG_OP_PUT, IG_OP_DONE, 1, "EXPIRE K:498780 " TWO);
    again(IG_COUNT, IG_OP_UNDO, IG_OP_DONE, 2,
          "INCR K:498780\nEXPIRE K:498780 " TWO);

    again(IG_SUM, IG_OP_ADD, IG_OP_DONE, 1, "EXPIRE K:498780 " TWO);
    again(IG_MEAN, IG_OP_PUT, IG_OP_DONE, 1, "EXPIRE K:498780 " TWO);
    again(IG_SUM, IG_OP_ADD, IG_OP_FAILED, 2,
          "HINCRBY K:498780 n -1\nEXPIRE K:498780 " TWO);
    again(IG_MEAN, IG_OP_UNDO, IG_OP_DONE, 3,
          "HINCRBY K:498780 s 1500000\nHINCRBY K:498780 n 1\n"
          "EXPIRE K:498780 " TWO);

    again(IG_FIRST, IG_OP_PUT, IG_OP_DONE, 2,
          "HSET K f 1795610096789\nEXPIRE K " ONE);
}


static void
test_marker(void **state)
{
    ig_redis_case_t  c;

    (void) state;

    ig_case_init(&c, IG_LAST, IG_OP_READ);
    ig_buf_init(&c.buf, c.memory, sizeof(c.memory));
    ig_redis_marker_write(&c.buf, &c.counter, IG_CASE_TIME);

    ig_case_expect(&c,
        "SET ig:1:{seen}:since.00010203 1795610096789 EX 315360000 NX\n"
        "GET ig:1:{seen}:since.00010203");
}


/* What a person asks: past every note, and both buckets at once. */
static void
test_peek_and_drop(void **state)
{
    unsigned   i;
    ig_note_t  both = { .ttl_known = true, .prev_known = true, .prev = 9 };

    static const struct {
        ig_kind_e    kind;
        unsigned     replies;
        const char  *peek;
        const char  *drop;
    } test[] = {
        { IG_COUNT, 1, "MGET K:498780 K:498779", "DEL K:498780 K:498779" },
        { IG_COUNT_EXACT, 2, "ZCOUNT K (1795606496789 +inf\n"
                             "ZRANGE K -1 -1 WITHSCORES", "DEL K" },
        { IG_DISTINCT, 2, "ZCOUNT K (1795606496789 +inf\n"
                          "ZRANGE K -1 -1 WITHSCORES", "DEL K" },
        { IG_SUM, 2, "HMGET K:498780 s n\nHMGET K:498779 s n",
          "DEL K:498780 K:498779" },
        { IG_MEAN, 2, "HMGET K:498780 s n\nHMGET K:498779 s n",
          "DEL K:498780 K:498779" },
        { IG_FIRST, 1, "HMGET K f l", "DEL K" },
        { IG_LAST, 1, "GET K", "DEL K" },
        { IG_LISTED, 1, "GET K", "DEL K" }
    };

    (void) state;

    assert_int_equal(ig_countof(test), IG_KINDS);

    for (i = 0; i < ig_countof(test); i++) {
        writes(test[i].kind, IG_OP_PEEK, &both, test[i].replies, test[i].peek);
        writes(test[i].kind, IG_OP_DROP, &both, 1, test[i].drop);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_count),
        cmocka_unit_test(test_exact),
        cmocka_unit_test(test_distinct),
        cmocka_unit_test(test_sum),
        cmocka_unit_test(test_first),
        cmocka_unit_test(test_last),
        cmocka_unit_test(test_listed),
        cmocka_unit_test(test_before_1970),
        cmocka_unit_test(test_longest),
        cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_again),
        cmocka_unit_test(test_marker),
        cmocka_unit_test(test_peek_and_drop)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
