/*
 * test_ig_load.c: operations to load as bytes and back, the cursor as text,
 * the order in which counters are named.
 * Owns nothing.  Run by the unit tests' runner.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ig_load.h"

#define KINDS  IG_KINDS


static ig_counter_t         counter[KINDS];
static const ig_counter_t  *rank[KINDS];


static ig_op_t
an_op(ig_kind_e kind)
{
    unsigned  i;
    ig_op_t   op;

    memset(&op, 0, sizeof(op));

    counter[kind].kind = kind;
    counter[kind].window = 3600000;
    rank[kind] = &counter[kind];

    op.counter = rank[kind];
    op.verb = IG_OP_LOAD;
    op.time = INT64_C(1795610096789);
    op.raw.first = op.raw.last = op.raw.was = -1;

    for (i = 0; i < IG_HASH; i++) {
        op.key[i] = (uint8_t) (0xf0 + i);
    }

    switch (kind) {

    case IG_COUNT:
        op.delta = UINT32_MAX;
        break;

    case IG_SUM:
    case IG_MEAN:
        op.delta = -INT64_C(123456789012345);
        op.raw.ncur = 7;
        break;

    case IG_COUNT_EXACT:
    case IG_DISTINCT:
        memset(op.member, 0xab, IG_HASH);
        break;

    case IG_FIRST:
        op.raw.first = 5;
        break;

    default:
        break;
    }

    return op;
}


static void
every_kind_comes_back_as_it_went(void **state)
{
    int      i;
    size_t   n;
    ig_op_t  op, back;
    uint8_t  bytes[64];

    (void) state;

    for (i = 0; i < KINDS; i++) {
        op = an_op((ig_kind_e) i);
        n = ig_load_op_write(bytes, sizeof(bytes), (unsigned) i, &op);

        assert_true(n > 0 && n < sizeof(bytes));
        assert_int_equal(ig_load_op_read(bytes, n, rank, KINDS, &back), n);
        assert_memory_equal(&op, &back, sizeof(op));

        /* too little room, too few bytes, no such counter */

        assert_int_equal(ig_load_op_write(bytes, n - 1, 0, &op), 0);
        assert_int_equal(ig_load_op_read(bytes, n - 1, rank, KINDS, &back), 0);
        assert_int_equal(ig_load_op_read(bytes, n, rank, (unsigned) i, &back),
                         0);
    }

    assert_int_equal(ig_load_op_read(bytes, 0, rank, KINDS, &back), 0);
}


/* What no history comes to. */
static void
refused(ig_op_t op)
{
    size_t   n;
    ig_op_t  back;
    uint8_t  bytes[64];

    n = ig_load_op_write(bytes, sizeof(bytes), op.counter->kind, &op);
    assert_int_equal(ig_load_op_read(bytes, n, rank, KINDS, &back), 0);
}


static void
what_cannot_be_is_refused(void **state)
{
    ig_op_t  op;

    (void) state;

    op = an_op(IG_COUNT);
    op.delta = 0;
    refused(op);

    op.delta = -1;
    refused(op);

    op.delta = INT64_C(1) << 32;
    refused(op);

    op = an_op(IG_LAST);
    op.time = -1;
    refused(op);

    op.time = INT64_MAX;
    refused(op);

    op = an_op(IG_MEAN);
    op.raw.ncur = 0;
    refused(op);

    op = an_op(IG_FIRST);
    op.raw.first = op.time + 1;
    refused(op);
}


static void
cursor_is(const char *text, bool good)
{
    char              memory[IG_LOAD_CURSOR];
    ig_buf_t          b;
    ig_load_cursor_t  cursor;

    assert_int_equal(ig_load_cursor_read((ig_str_t) { strlen(text), text },
                                         &cursor), good);

    if (good) {
        ig_buf_init(&b, memory, sizeof(memory));
        ig_load_cursor_write(&b, &cursor);

        assert_false(b.full);
        assert_int_equal(b.pos - b.start, strlen(text));
        assert_memory_equal(memory, text, strlen(text));
    }
}


static void
a_cursor_as_text(void **state)
{
    (void) state;

    cursor_is("0123456789abcdef 1795610096789 0 1", true);
    cursor_is("ffffffffffffffff 1795610096789 9999999999 9999999999", true);

    cursor_is("", false);
    cursor_is("0123456789abcdef", false);
    cursor_is("0123456789ABCDEF 1 0 1", false);
    cursor_is("0123456789abcdef 1 0 0", false);         /* of nothing */
    cursor_is("0123456789abcdef 1 2 1", false);         /* more than all */
    cursor_is("0123456789abcdef 1 0 1 ", false);
    cursor_is("0123456789abcdef 1  1", false);
    cursor_is("0123456789abcdef -1 0 1", false);
}


static void
counters_are_named_by_their_order(void **state)
{
    ig_counter_t         c[3] = { { .name = ig_string("b") },
                                  { .name = ig_string("ab") },
                                  { .name = ig_string("a") } };
    ig_counter_t        *all[3] = { &c[0], &c[1], &c[2] };
    ig_policy_t          policy = { .counter = all, .ncounters = 3 };
    const ig_counter_t  *by_name[IG_MAX_COUNTERS];

    (void) state;

    ig_load_rank(&policy, by_name);

    assert_ptr_equal(by_name[0], &c[2]);
    assert_ptr_equal(by_name[1], &c[1]);
    assert_ptr_equal(by_name[2], &c[0]);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(every_kind_comes_back_as_it_went),
        cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test(a_cursor_as_text),
        cmocka_unit_test(counters_are_named_by_their_order)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
