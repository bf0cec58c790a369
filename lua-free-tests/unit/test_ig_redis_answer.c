/*
 * test_ig_redis_answer.c: every reply of every kind and verb, good and bad.
 * Owns: a case per test.  Run by the unit tests' runner.
 */

#include "ig_redis_case.h"


static const ig_note_t  both_known = {
    .ttl_known = true, .prev_known = true, .prev = 7, .nprev = 2
};


static void
init(ig_redis_case_t *c, ig_kind_e kind, ig_verb_e verb, const ig_note_t *note)
{
    ig_case_init(c, kind, verb);
    c->op.delta = 250000;

    ig_buf_init(&c->buf, c->memory, sizeof(c->memory));
    (void) ig_redis_op_write(&c->buf, &c->op, note, &c->recipe);
    assert_int_equal(c->op.state, IG_OP_PENDING);
}


static void
test_count_add(void **state)
{
    ig_redis_case_t  c;

    (void) state;

    init(&c, IG_COUNT, IG_OP_ADD, NULL);
    assert_int_equal(ig_case_string(&c, 0, "OK"), IG_AGAIN);
    assert_int_equal(ig_case_integer(&c, 1, 1), IG_AGAIN);
    assert_int_equal(c.op.state, IG_OP_PENDING);
    assert_int_equal(ig_case_string(&c, 2, NULL), IG_OK);
    assert_int_equal(c.op.state, IG_OP_DONE);
    assert_int_equal(c.op.raw.cur, 1);
    assert_int_equal(c.op.raw.prev, 0);
    assert_false(c.again);

    /* the key was there: SET NX answers nil */
    init(&c, IG_COUNT, IG_OP_ADD, NULL);
    assert_int_equal(ig_case_string(&c, 0, NULL), IG_AGAIN);
    assert_int_equal(ig_case_integer(&c, 1, 12), IG_AGAIN);
    assert_int_equal(ig_case_string(&c, 2, "34"), IG_OK);
    assert_int_equal(c.op.raw.cur, 12);
    assert_int_equal(c.op.raw.prev, 34);
    assert_false(c.again);
}


static void
test_count_add_noted(void **state)
{
    ig_redis_case_t  c;

    (void) state;

    init(&c, IG_COUNT, IG_OP_ADD, &both_known);
    assert_int_equal(ig_case_integer(&c, 0, 2), IG_OK);
    assert_int_equal(c.op.state, IG_OP_DONE);
    assert_int_equal(c.op.raw.cur, 2);
    assert_int_equal(c.op.raw.prev, 7);
    assert_false(c.again);

    /* the note was wrong: somebody flushed */
    init(&c, IG_COUNT, IG_OP_ADD, &both_known);
    assert_int_equal(ig_case_integer(&c, 0, 1), IG_OK);
    assert_int_equal(c.op.state, IG_OP_DONE);
    assert_true(c.again);
}


/* SET refused, INCR not: the key must still get its TTL. */
static void
test_count_add_half(void **state)
{
    ig_redis_case_t  c;

    (void) state;

    init(&c, IG_COUNT, IG_OP_ADD, NULL);
    assert_int_equal(ig_case_error(&c, 0, "OOM no"), IG_AGAIN);
    assert_int_equal(ig_case_integer(&c, 1, 1), IG_AGAIN);
    assert_int_equal(ig_case_string(&c, 2, NULL), IG_OK);
    assert_int_equal(c.op.state, IG_OP_FAILED);
    assert_true(c.again);
}


static void
test_count_below_zero(void **state)
{
    ig_redis_case_t  c;

    (void) state;

    init(&c, IG_COUNT, IG_OP_READ, NULL);
    assert_int_equal(ig_case_pair(&c, 0, "-1", "-2"), IG_OK);
    assert_int_equal(c.op.state, IG_OP_DONE);
    assert_int_equal(c.op.raw.cur, 0);
    assert_int_equal(c.op.raw.prev, 0);

    init(&c, IG_COUNT, IG_OP_ADD, &both_known);
    assert_int_equal(ig_case_integer(&c, 0, 0), IG_OK);
    assert_int_equal(c.op.raw.cur, 1);
}


static void
test_count_others(void **state)
{
    ig_redis_case_t  c;

    (void) state;

    init(&c, IG_COUNT, IG_OP_READ, NULL);
    assert_int_equal(ig_case_pair(&c, 0, "5", NULL), IG_OK);
    assert_int_equal(c.op.raw.cur, 5);
    assert_int_equal(c.op.raw.prev, 0);

    init(&c, IG_COUNT, IG_OP_READ, &both_known);
    assert_int_equal(ig_case_string(&c, 0, "5"), IG_OK);
    assert_int_equal(c.op.raw.cur, 5);
    assert_int_equal(c.op.raw.prev, 7);

    init(&c, IG_COUNT, IG_OP_PUT, NULL);
    assert_int_equal(ig_case_string(&c, 0, "OK"), IG_AGAIN);
    assert_int_equal(ig_case_integer(&c, 1, 1), IG_OK);
    assert_int_equal(c.op.state, IG_OP_DONE);
    assert_false(c.again);

    init(&c, IG_COUNT, IG_OP_UNDO, NULL);
    assert_int_equal(ig_case_string(&c, 0, NULL), IG_AGAIN);
    assert_int_equal(ig_case_integer(&c, 1, 0), IG_OK);
    assert_false(c.again);

    init(&c, IG_COUNT, IG_OP_UNDO, NULL);
    assert_int_equal(ig_case_string(&c, 0, NULL), IG_AGAIN);
    assert_int_equal(ig_case_integer(&c, 1, -1), IG_OK);
    assert_int_equal(c.op.state, IG_OP_DONE);
    assert_true(c.again);
}


static void
test_sets(void **state)
{
    ig_redis_case_t  c;

    (void) state;

    init(&c, IG_COUNT_EXACT, IG_OP_ADD, NULL);
    assert_int_equal(ig_case_integer(&c, 0, 1), IG_AGAIN);
    assert_int_equal(ig_case_integer(&c, 1, 0), IG_AGAIN);
    assert_int_equal(ig_case_integer(&c, 2, 2), IG_AGAIN);
    assert_int_equal(ig_case_integer(&c, 3, 1), IG_OK);
    assert_int_equal(c.op.state, IG_OP_DONE);
    assert_int_equal(c.op.raw.cur, 2);

    init(&c, IG_DISTINCT, IG_OP_ADD, NULL);
    assert_int_equal(ig_case_string(&c, 0, "1795610000000"), IG_AGAIN);
    assert_int_equal(ig_case_integer(&c, 1, 0), IG_AGAIN);
    assert_int_equal(ig_case_integer(&c, 2, 0), IG_AGAIN);
    assert_int_equal(ig_case_integer(&c, 3, 4), IG_AGAIN);
    assert_int_equal(ig_case_integer(&c, 4, 1), IG_OK);
    assert_int_equal(c.op.state, IG_OP_DONE);
    assert_int_equal(c.op.raw.cur, 3);              /* max */
    assert_int_equal(c.op.raw.was, 1795610000000);

    init(&c, IG_DISTINCT, IG_OP_ADD, NULL);
    assert_int_equal(ig_case_string(&c, 0, NULL), IG_AGAIN);
    assert_int_equal(c.op.raw.was, -1);

    /* a score of somebody else's */
    init(&c, IG_DISTINCT, IG_OP_ADD, NULL);
    assert_int_equal(ig_case_string(&c, 0, "1.5"), IG_AGAIN);
    assert_int_equal(c.op.state, IG_OP_FAILED);

    init(&c, IG_DISTINCT, IG_OP_READ, NULL);
    assert_int_equal(ig_case_integer(&c, 0, 2), IG_OK);
    assert_int_equal(c.op.raw.cur, 2);

    init(&c, IG_DISTINCT, IG_OP_UNDO, NULL);
    assert_int_equal(ig_case_integer(&c, 0, 1), IG_OK);
    assert_int_equal(c.op.state, IG_OP_DONE);
}


static void
test_sum(void **state)
{
    ig_redis_case_t  c;

    (void) state;

    init(&c, IG_MEAN, IG_OP_ADD, NULL);
    assert_int_equal(ig_case_integer(&c, 0, 1250000), IG_AGAIN);
    assert_int_equal(ig_case_integer(&c, 1, 5), IG_AGAIN);
    assert_int_equal(ig_case_integer(&c, 2, 1), IG_AGAIN);
    assert_int_equal(ig_case_pair(&c, 3, "-3000000", "6"), IG_OK);
    assert_int_equal(c.op.state, IG_OP_DONE);
    assert_int_equal(c.op.raw.cur, 1000000);
    assert_int_equal(c.op.raw.ncur, 4);
    assert_int_equal(c.op.raw.prev, -3000000);
    assert_int_equal(c.op.raw.nprev, 6);
    assert_false(c.again);

    init(&c, IG_SUM, IG_OP_ADD, &both_known);
    assert_int_equal(ig_case_integer(&c, 0, 250000), IG_AGAIN);
    assert_int_equal(ig_case_integer(&c, 1, 1), IG_OK);
    assert_int_equal(c.op.raw.cur, 0);
    assert_int_equal(c.op.raw.ncur, 0);
    assert_int_equal(c.op.raw.prev, 7);
    assert_int_equal(c.op.raw.nprev, 2);
    assert_true(c.again);                           /* it had no TTL */

    init(&c, IG_SUM, IG_OP_READ, NULL);
    assert_int_equal(ig_case_pair(&c, 0, "8", "1"), IG_AGAIN);
    assert_int_equal(ig_case_pair(&c, 1, NULL, NULL), IG_OK);
    assert_int_equal(c.op.raw.cur, 8);
    assert_int_equal(c.op.raw.ncur, 1);
    assert_int_equal(c.op.raw.prev, 0);
    assert_int_equal(c.op.raw.nprev, 0);

    init(&c, IG_SUM, IG_OP_UNDO, NULL);
    assert_int_equal(ig_case_integer(&c, 0, -250000), IG_AGAIN);
    assert_int_equal(ig_case_integer(&c, 1, -1), IG_AGAIN);
    assert_int_equal(ig_case_integer(&c, 2, 1), IG_OK);
    assert_true(c.again);                           /* nothing was there */
}


/* The sum ran over and was refused: its event must not stay counted. */
static void
test_sum_overflow(void **state)
{
    ig_redis_case_t  c;

    (void) state;

    init(&c, IG_SUM, IG_OP_ADD, NULL);
    assert_int_equal(ig_case_error(&c, 0, "ERR increment would overflow"),
                     IG_AGAIN);
    assert_int_equal(ig_case_integer(&c, 1, 9), IG_AGAIN);
    assert_int_equal(ig_case_integer(&c, 2, 1), IG_AGAIN);
    assert_int_equal(ig_case_pair(&c, 3, NULL, NULL), IG_OK);
    assert_int_equal(c.op.state, IG_OP_FAILED);
    assert_true(c.again);
}


static void
test_first_and_last(void **state)
{
    ig_redis_case_t  c;

    (void) state;

    init(&c, IG_FIRST, IG_OP_READ, NULL);
    assert_int_equal(ig_case_pair(&c, 0, "1795600000000", "1795610000000"),
                     IG_OK);
    assert_int_equal(c.op.raw.first, 1795600000000);
    assert_int_equal(c.op.raw.last, 1795610000000);

    init(&c, IG_FIRST, IG_OP_READ, NULL);
    assert_int_equal(ig_case_pair(&c, 0, NULL, NULL), IG_OK);
    assert_int_equal(c.op.raw.first, -1);
    assert_int_equal(c.op.raw.last, -1);
    assert_false(c.again);

    /* written unread, and what was there had been forgotten */
    init(&c, IG_FIRST, IG_OP_PUT, NULL);
    assert_int_equal(ig_case_pair(&c, 0, "1795500000000", "1795600000000"),
                     IG_AGAIN);
    assert_int_equal(ig_case_integer(&c, 1, 0), IG_AGAIN);
    assert_int_equal(ig_case_integer(&c, 2, 0), IG_AGAIN);
    assert_int_equal(ig_case_integer(&c, 3, 1), IG_OK);
    assert_int_equal(c.op.state, IG_OP_DONE);
    assert_true(c.again);

    init(&c, IG_LAST, IG_OP_READ, NULL);
    assert_int_equal(ig_case_string(&c, 0, "1795610000000"), IG_OK);
    assert_int_equal(c.op.raw.last, 1795610000000);

    init(&c, IG_LAST, IG_OP_READ, NULL);
    assert_int_equal(ig_case_string(&c, 0, NULL), IG_OK);
    assert_int_equal(c.op.raw.last, -1);

    init(&c, IG_LAST, IG_OP_PUT, NULL);
    assert_int_equal(ig_case_string(&c, 0, "OK"), IG_OK);
    assert_int_equal(c.op.state, IG_OP_DONE);
}


static void
test_listed(void **state)
{
    ig_redis_case_t  c;

    (void) state;

    init(&c, IG_LISTED, IG_OP_READ, NULL);
    assert_int_equal(ig_case_string(&c, 0, "1795610000000"), IG_OK);
    assert_int_equal(c.op.raw.last, 1795610000000);
    assert_int_equal(c.op.state, IG_OP_DONE);

    init(&c, IG_LISTED, IG_OP_READ, NULL);
    assert_int_equal(ig_case_string(&c, 0, NULL), IG_OK);
    assert_int_equal(c.op.raw.last, -1);
    assert_int_equal(c.op.state, IG_OP_DONE);

    /* not set, because it is there: NX */
    init(&c, IG_LISTED, IG_OP_PUT, NULL);
    assert_int_equal(ig_case_string(&c, 0, NULL), IG_OK);
    assert_int_equal(c.op.state, IG_OP_DONE);

    init(&c, IG_LISTED, IG_OP_ADD, NULL);
    assert_int_equal(ig_case_string(&c, 0, "1795610000000"), IG_AGAIN);
    assert_int_equal(ig_case_string(&c, 1, "OK"), IG_OK);
    assert_int_equal(c.op.raw.last, 1795610000000);

    init(&c, IG_LISTED, IG_OP_UNDO, NULL);
    assert_int_equal(ig_case_integer(&c, 0, 0), IG_OK);
    assert_int_equal(c.op.state, IG_OP_DONE);
    assert_false(c.again);
}


static void
test_nothing_to_send(void **state)
{
    unsigned         i;
    ig_redis_case_t  c;
    ig_kind_e        kind[] = { IG_FIRST, IG_LAST };

    (void) state;

    for (i = 0; i < 2; i++) {
        ig_case_init(&c, kind[i], IG_OP_UNDO);
        ig_case_write(&c, NULL, 0);
        assert_int_equal(c.op.state, IG_OP_DONE);
    }
}


/* Every kind of reply that is not one to the command before it. */
static void
test_out_of_step(void **state)
{
    ig_redis_case_t  c;
    ig_reply_t       three = { .type = IG_REPLY_ARRAY, .nitems = 3 };

    (void) state;

    init(&c, IG_COUNT, IG_OP_ADD, &both_known);
    assert_int_equal(ig_case_string(&c, 0, "2"), IG_ERROR);
    assert_int_equal(c.op.state, IG_OP_FAILED);

    init(&c, IG_COUNT, IG_OP_ADD, &both_known);
    assert_int_equal(ig_case_string(&c, 0, NULL), IG_ERROR);

    init(&c, IG_COUNT, IG_OP_ADD, NULL);
    assert_int_equal(ig_case_integer(&c, 0, 1), IG_ERROR);

    init(&c, IG_COUNT, IG_OP_READ, NULL);
    assert_int_equal(ig_case_string(&c, 0, "1"), IG_ERROR);

    init(&c, IG_COUNT, IG_OP_READ, NULL);
    assert_int_equal(ig_redis_op_reply(&c.op, c.recipe, 0, &three, &c.again),
                     IG_ERROR);

    init(&c, IG_LAST, IG_OP_READ, NULL);
    assert_int_equal(ig_case_pair(&c, 0, "1", "2"), IG_ERROR);

    /* one reply too many */
    init(&c, IG_LAST, IG_OP_READ, NULL);
    assert_int_equal(ig_case_string(&c, 1, "1"), IG_ERROR);

    /* text where a number belongs is the value's fault, not the protocol's */
    init(&c, IG_LAST, IG_OP_READ, NULL);
    assert_int_equal(ig_case_string(&c, 0, "soon"), IG_OK);
    assert_int_equal(c.op.state, IG_OP_FAILED);

    init(&c, IG_COUNT, IG_OP_READ, NULL);
    assert_int_equal(ig_case_pair(&c, 0, "1", ""), IG_OK);
    assert_int_equal(c.op.state, IG_OP_FAILED);
}


/* An error in any place fails the op and nothing else. */
static void
test_errors(void **state)
{
    int              rc;
    unsigned         kind, verb, n, i;
    ig_redis_case_t  c;

    (void) state;

    for (kind = 0; kind < IG_KINDS; kind++) {
        for (verb = IG_OP_READ; verb <= IG_OP_UNDO; verb++) {
            ig_case_init(&c, kind, verb);
            ig_buf_init(&c.buf, c.memory, sizeof(c.memory));
            n = ig_redis_op_write(&c.buf, &c.op, NULL, &c.recipe);

            for (i = 0; i < n; i++) {
                rc = ig_case_error(&c, i, "WRONGTYPE Operation against");
                assert_int_equal(rc, i + 1 < n ? IG_AGAIN : IG_OK);
                assert_int_equal(c.op.state, IG_OP_FAILED);
            }

            assert_false(c.again);
        }
    }
}


static void
test_marker_value(void **state)
{
    ig_reply_t  reply = { .type = IG_REPLY_STRING };

    (void) state;

    reply.str = ig_str("1795610096789");
    assert_int_equal(ig_redis_marker_value(&reply), 1795610096789);

    reply.str = ig_str("-5");
    assert_int_equal(ig_redis_marker_value(&reply), -1);

    reply.str = ig_str("x");
    assert_int_equal(ig_redis_marker_value(&reply), -1);

    reply.type = IG_REPLY_NIL;
    assert_int_equal(ig_redis_marker_value(&reply), -1);

    reply.type = IG_REPLY_ERROR;
    reply.str = ig_str("1");
    assert_int_equal(ig_redis_marker_value(&reply), -1);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_count_add),
        cmocka_unit_test(test_count_add_noted),
        cmocka_unit_test(test_count_add_half),
        cmocka_unit_test(test_count_below_zero),
        cmocka_unit_test(test_count_others),
        cmocka_unit_test(test_sets),
        cmocka_unit_test(test_sum),
        cmocka_unit_test(test_sum_overflow),
        cmocka_unit_test(test_first_and_last),
        cmocka_unit_test(test_listed),
        cmocka_unit_test(test_nothing_to_send),
        cmocka_unit_test(test_out_of_step),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_marker_value),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
