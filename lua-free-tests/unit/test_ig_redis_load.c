/*
 * test_ig_redis_load.c: the steps of a load as commands, and what their
 * replies say.
 * Owns: a batch of one op per test.  Run by the unit tests' runner.
 */

#include "ig_redis_case.h"

#include <string.h>

#define CURSOR  "0123456789abcdef 1795610096789 3 9"


static ig_redis_case_t   c;
static ig_load_t         load;
static ig_batch_t        batch;
static ig_policy_t       policy;
static ig_counter_t     *counters[1];
static int64_t           since[1];


static int
set_up(void **state)
{
    (void) state;

    ig_case_init(&c, IG_COUNT, IG_OP_LOAD);
    ig_buf_init(&c.buf, c.memory, sizeof(c.memory) - 1);
    c.op.delta = 5;
    c.op.raw.was = IG_CASE_TIME;

    counters[0] = &c.counter;
    policy.counter = counters;
    policy.ncounters = 1;

    memset(&load, 0, sizeof(load));
    load.policy = &policy;
    load.since = since;
    assert_true(ig_load_cursor_read(ig_str(CURSOR), &load.cursor));

    memset(&batch, 0, sizeof(batch));
    batch.op = &c.op;
    batch.load = &load;

    return 0;
}


static unsigned
write_step(ig_load_step_e step, unsigned nops)
{
    load.step = step;
    batch.nops = nops;
    batch.replies = ig_redis_load_write(&c.buf, &batch, IG_CASE_TIME);
    assert_false(c.buf.full);

    return batch.replies;
}


/* How often a word is in what was written. */
static unsigned
says(const char *word)
{
    char      *p;
    unsigned   n;

    *c.buf.pos = '\0';

    for (p = c.buf.start, n = 0; (p = strstr(p, word)) != NULL; p++) {
        n++;
    }

    return n;
}


static int
reply(ig_reply_type_e type, const char *text, unsigned nerrors)
{
    int         rc;
    ig_reply_t  r = { .type = type, .nerrors = nerrors };

    r.str = (ig_str_t) { strlen(text), text };
    rc = ig_redis_load_reply(&batch, &r, batch.replies == 1);
    batch.replies--;

    return rc;
}


static void
ok(const char *text)
{
    assert_int_equal(reply(IG_REPLY_STRING, text, 0), IG_OK);
}


static void
what_a_batch_came_to(void **state)
{
    (void) state;

    (void) write_step(IG_LOAD_WRITE, 1);
    assert_int_equal(says("MULTI"), 1);
    assert_int_equal(says("EXEC"), 1);
    assert_int_equal(says("INCRBY"), 1);
    assert_int_equal(says(CURSOR), 1);

    ok("OK");
    ok("QUEUED");
    ok("QUEUED");
    ok("QUEUED");
    assert_int_equal(reply(IG_REPLY_RESULTS, "", 0), IG_OK);

    assert_int_equal(load.state, IG_LOAD_DONE);
    assert_int_equal(c.op.state, IG_OP_DONE);
}


static void
somebody_else_was_there(void **state)
{
    (void) state;

    (void) write_step(IG_LOAD_WRITE, 1);

    ok("OK");
    ok("QUEUED");
    ok("QUEUED");
    ok("QUEUED");
    assert_int_equal(reply(IG_REPLY_NIL, "", 0), IG_OK);

    assert_int_equal(load.state, IG_LOAD_CONFLICT);
    assert_int_equal(c.op.state, IG_OP_FAILED);
}


static void
an_error_is_no_success(void **state)
{
    (void) state;

    /* refused while it was put together */

    (void) write_step(IG_LOAD_WRITE, 1);
    ok("OK");
    assert_int_equal(reply(IG_REPLY_ERROR, "OOM", 0), IG_OK);
    ok("QUEUED");
    ok("QUEUED");
    assert_int_equal(reply(IG_REPLY_ERROR, "EXECABORT", 0), IG_OK);
    assert_int_equal(load.state, IG_LOAD_FAILED);

    /* refused while it ran */

    (void) set_up(state);
    (void) write_step(IG_LOAD_WRITE, 1);
    ok("OK");
    ok("QUEUED");
    ok("QUEUED");
    ok("QUEUED");
    assert_int_equal(reply(IG_REPLY_RESULTS, "", 1), IG_OK);
    assert_int_equal(load.state, IG_LOAD_FAILED);
    assert_int_equal(c.op.state, IG_OP_FAILED);

    /* no reply to such a command */

    (void) set_up(state);
    (void) write_step(IG_LOAD_WRITE, 1);
    assert_int_equal(reply(IG_REPLY_INTEGER, "", 0), IG_ERROR);
}


static void
how_far_it_is(void **state)
{
    (void) state;

    assert_int_equal(write_step(IG_LOAD_CHECK, 0), 3);
    assert_int_equal(says("UNWATCH"), 1);
    assert_int_equal(says("WATCH"), 2);
    assert_false(ig_redis_load_is_atomic(&batch));

    ok("OK");
    ok("OK");
    ok("fedcba9876543210 7 1 2");
    assert_int_equal(load.state, IG_LOAD_DONE);
    assert_int_equal(load.cursor.done, 1);
    assert_int_equal(load.cursor.of, 2);

    (void) set_up(state);
    (void) write_step(IG_LOAD_CHECK, 0);
    ok("OK");
    ok("OK");
    assert_int_equal(reply(IG_REPLY_NIL, "", 0), IG_OK);
    assert_int_equal(load.state, IG_LOAD_DONE);
    assert_int_equal(load.cursor.of, 0);

    /* what is there is not ours */

    (void) set_up(state);
    (void) write_step(IG_LOAD_CHECK, 0);
    ok("OK");
    ok("OK");
    ok("hello");
    assert_int_equal(load.state, IG_LOAD_FAILED);
}


static void
since_when(void **state)
{
    (void) state;

    assert_int_equal(write_step(IG_LOAD_LOOK, 0), 3);
    assert_int_equal(reply(IG_REPLY_NIL, "", 0), IG_OK);
    assert_int_equal(reply(IG_REPLY_NIL, "", 0), IG_OK);
    ok("1795610000000");

    assert_int_equal(load.state, IG_LOAD_DONE);
    assert_int_equal(since[0], INT64_C(1795610000000));

    /* moved, all at once */

    (void) set_up(state);
    since[0] = 5;
    assert_int_equal(write_step(IG_LOAD_END, 0), 4);
    assert_int_equal(says("MULTI"), 1);
    assert_int_equal(says("since."), 1);
    assert_int_equal(says("DEL"), 1);

    (void) set_up(state);
    since[0] = -1;
    assert_int_equal(write_step(IG_LOAD_END, 0), 3);
    assert_int_equal(says("since."), 0);
}


static void
one_begins(void **state)
{
    (void) state;

    assert_int_equal(write_step(IG_LOAD_BEGIN, 0), 1);
    assert_int_equal(says("NX"), 1);
    assert_int_equal(reply(IG_REPLY_NIL, "", 0), IG_OK);
    assert_int_equal(load.state, IG_LOAD_CONFLICT);

    (void) set_up(state);
    load.replace = true;
    (void) write_step(IG_LOAD_BEGIN, 0);
    assert_int_equal(says("NX"), 0);
    ok("OK");
    assert_int_equal(load.state, IG_LOAD_DONE);
}


/* One op's commands. */
static void
writes(ig_kind_e kind, const char *commands, unsigned replies)
{
    ig_case_init(&c, kind, IG_OP_LOAD);
    c.op.delta = -1500000;
    c.op.raw.ncur = 4;
    c.op.raw.first = 17;
    c.op.raw.was = IG_CASE_TIME + 1000;
    ig_case_write(&c, NULL, replies);
    ig_case_expect(&c, commands);
}


static void
every_kind(void **state)
{
    (void) state;

    writes(IG_SUM, "HINCRBY K:498780 s -1500000\nHINCRBY K:498780 n 4\n"
                   "EXPIRE K:498780 5163\n", 3);
    writes(IG_COUNT_EXACT, "ZADD K 1795610096789 M\n"
                           "ZREMRANGEBYRANK K 0 -4\nEXPIRE K 3660\n", 3);
    writes(IG_DISTINCT, "ZADD K GT 1795610096789 M\n"
                        "ZREMRANGEBYRANK K 0 -4\nEXPIRE K 3660\n", 3);
    writes(IG_FIRST, "HSET K f 17\nHSETNX K l 1795610096789\n"
                     "EXPIRE K 3660\n", 3);
    writes(IG_LAST, "SET K 1795610096789 EX 3659 NX\n", 1);

    /* until a second ago: as short as can be */

    writes(IG_LISTED, "SET K 1795610096789 EX 1 NX\n", 1);
}


#define a_test(f)  cmocka_unit_test_setup(f, set_up)

int
main(void)
{
    const struct CMUnitTest  tests[] = {
        a_test(what_a_batch_came_to),
        a_test(somebody_else_was_there),
        a_test(an_error_is_no_success),
        a_test(how_far_it_is),
        a_test(since_when),
        a_test(one_begins),
        a_test(every_kind)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
