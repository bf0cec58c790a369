/*
 * test_ig_table.c: layout, attaching, the cap on new keys, and what a crash
 * inside leaves.
 * Owns its tables.  Called by make test.
 */

#include "ig_table_case.h"

#include <stdlib.h>
#include <string.h>


#define HOUR  3600000


static void
create_refuses_little_memory(void **state)
{
    char  *memory;

    (void) state;

    memory = aligned_alloc(64, 2 * IG_TABLE_MIN);
    assert_non_null(memory);

    assert_null(ig_table_create(memory, IG_TABLE_MIN - 1));
    assert_null(ig_table_create(memory + 8, IG_TABLE_MIN));
    assert_non_null(ig_table_create(memory, IG_TABLE_MIN));

    free(memory);
}


static void
attach_knows_its_own(void **state)
{
    ig_counter_t     count;
    ig_table_case_t  c;

    (void) state;

    ig_table_case_init(&c, IG_TABLE_MIN);
    count = ig_table_case_counter(IG_COUNT, HOUR, 0, 1);

    (void) ig_table_case_run(&c, &count, IG_OP_ADD, 1, 0, 1000);

    assert_ptr_equal(ig_table_attach(c.memory, IG_TABLE_MIN), c.t);
    assert_int_equal(ig_table_case_run(&c, &count, IG_OP_ADD, 1, 0, 1000).cur,
                     2);

    assert_null(ig_table_attach(c.memory, IG_TABLE_MIN + 64));
    assert_null(ig_table_attach(c.memory, IG_TABLE_MIN - 1));
    assert_null(ig_table_attach(c.memory + 64, IG_TABLE_MIN));

    c.t->version++;
    assert_null(ig_table_attach(c.memory, IG_TABLE_MIN));
    c.t->version--;

    c.t->magic++;
    assert_null(ig_table_attach(c.memory, IG_TABLE_MIN));
    c.t->magic--;

    c.t->nslots++;
    c.t->nslots += 64;
    assert_null(ig_table_attach(c.memory, IG_TABLE_MIN));
    c.t->nslots -= 65;

    ig_table_case_free(&c);
}


/* Odd sizes too: the last slot lies within the memory given. */
static void
every_slot_is_inside(void **state)
{
    size_t           size;
    uint64_t         key;
    ig_counter_t     count;
    ig_table_case_t  c;

    (void) state;

    count = ig_table_case_counter(IG_COUNT, HOUR, 0, 1);

    for (size = IG_TABLE_MIN; size < IG_TABLE_MIN + 200; size += 13) {
        ig_table_case_init(&c, size);

        for (key = 0; key < 2 * c.t->nslots; key++) {
            (void) ig_table_case_run(&c, &count, IG_OP_ADD, key, 0, 1000);
        }

        assert_int_equal(c.t->used, c.t->nslots);
        assert_int_equal(c.t->evicted, c.t->nslots);
        ig_table_case_free(&c);
    }
}


static void
stat_tells_slots_used_and_evicted(void **state)
{
    uint64_t         key;
    ig_counter_t     count;
    ig_table_stat_t  stat;
    ig_table_case_t  c;

    (void) state;

    ig_table_case_init(&c, IG_TABLE_MIN);
    count = ig_table_case_counter(IG_COUNT, HOUR, 0, 1);

    ig_table_stat(c.t, &stat);
    assert_in_range(stat.slots, 900, 1024);
    assert_int_equal(stat.used, 0);
    assert_int_equal(stat.evicted, 0);

    for (key = 0; key < stat.slots + 7; key++) {
        (void) ig_table_case_run(&c, &count, IG_OP_ADD, key, 0, 1000);
    }

    ig_table_stat(c.t, &stat);
    assert_int_equal(stat.used, stat.slots);
    assert_int_equal(stat.evicted, 7);

    ig_table_case_free(&c);
}


/* -- the cap on new keys ------------------------------------------------- */

static unsigned
client_batch(ig_table_case_t *c, const ig_counter_t *counter, ig_verb_e verb,
    const ig_client_t *client, uint64_t from, unsigned n)
{
    ig_op_t   op[IG_MAX_OPS];
    unsigned  i, refused;

    for (i = 0; i < n; i++) {
        op[i] = ig_table_case_op(counter, verb, from + i, 0, client->now);
    }

    ig_table_run(c->t, op, n, client);

    for (i = 0, refused = 0; i < n; i++) {
        refused += op[i].state == IG_OP_REFUSED;
    }

    assert_true(refused == 0 || refused == n);
    ig_table_case_check(c);

    return refused;
}


static void
clients_create_so_many_keys_a_minute(void **state)
{
    ig_client_t      client, other;
    ig_counter_t     count;
    ig_table_case_t  c;

    (void) state;

    ig_table_case_init(&c, IG_TABLE_MIN);
    count = ig_table_case_counter(IG_COUNT, HOUR, 0, 1);

    memset(&client, 0, sizeof(client));
    client.id[0] = 1;
    client.cap = 10;
    client.now = 60000;

    other = client;
    other.id[0] = 2;

    assert_int_equal(client_batch(&c, &count, IG_OP_ADD, &client, 0, 6), 0);

    /* five more would be eleven: nothing of the batch happens */
    assert_int_equal(client_batch(&c, &count, IG_OP_ADD, &client, 6, 5), 5);
    assert_int_equal(ig_table_case_run(&c, &count, IG_OP_READ, 6, 0,
                                       60000).cur, 0);

    assert_int_equal(client_batch(&c, &count, IG_OP_ADD, &client, 6, 4), 0);
    assert_int_equal(client_batch(&c, &count, IG_OP_ADD, &client, 10, 1), 1);
    assert_int_equal(client_batch(&c, &count, IG_OP_PUT, &client, 10, 1), 1);

    /* known keys, readings and take-backs are free */
    assert_int_equal(client_batch(&c, &count, IG_OP_ADD, &client, 0, 10), 0);
    assert_int_equal(client_batch(&c, &count, IG_OP_READ, &client, 50, 9), 0);
    assert_int_equal(client_batch(&c, &count, IG_OP_UNDO, &client, 50, 9), 0);

    /* more than a minute's at once, by one who has created none of late */
    client.now = 119000;
    client.cap = 12;
    assert_int_equal(client_batch(&c, &count, IG_OP_ADD, &client, 60, 13),
                     13);
    client.cap = 10;

    /* another client has its own, and more than a minute's is never had */
    assert_int_equal(client_batch(&c, &count, IG_OP_ADD, &other, 20, 11), 11);
    assert_int_equal(client_batch(&c, &count, IG_OP_ADD, &other, 20, 10), 0);

    client.now = 119999;
    assert_int_equal(client_batch(&c, &count, IG_OP_ADD, &client, 10, 1), 1);
    client.now = 120000;
    assert_int_equal(client_batch(&c, &count, IG_OP_ADD, &client, 10, 10), 0);
    assert_int_equal(client_batch(&c, &count, IG_OP_ADD, &client, 40, 1), 1);

    client.cap = 0;
    assert_int_equal(client_batch(&c, &count, IG_OP_ADD, &client, 40, 200),
                     0);

    ig_table_case_free(&c);
}


/* Who creates nothing takes no slot to be counted in. */
static void
clients_without_new_keys_leave_no_trace(void **state)
{
    ig_client_t      client;
    ig_counter_t     count;
    ig_table_case_t  c;

    (void) state;

    ig_table_case_init(&c, IG_TABLE_MIN);
    count = ig_table_case_counter(IG_COUNT, HOUR, 0, 1);
    (void) ig_table_case_run(&c, &count, IG_OP_ADD, 1, 0, 1000);

    memset(&client, 0, sizeof(client));
    client.cap = 10;
    client.now = 1000;

    assert_int_equal(client_batch(&c, &count, IG_OP_ADD, &client, 1, 1), 0);
    assert_int_equal(client_batch(&c, &count, IG_OP_READ, &client, 5, 5), 0);
    assert_int_equal(c.t->used, 1);

    ig_table_case_free(&c);
}


/*
 * Where a key was found before the batch it need not be any more: an earlier
 * op of the batch may have driven it out.
 */
static void
keys_may_go_within_a_batch(void **state)
{
    ig_op_t          op[3];
    uint64_t         key;
    ig_client_t      client;
    ig_counter_t     count;
    ig_table_case_t  c;

    (void) state;

    ig_table_case_init(&c, IG_TABLE_MIN);
    count = ig_table_case_counter(IG_COUNT, HOUR, 0, 1);

    for (key = 0; key < c.t->nslots; key++) {
        (void) ig_table_case_run(&c, &count, IG_OP_ADD, key, 0, 1000);
    }

    memset(&client, 0, sizeof(client));
    client.cap = 10;
    client.now = 1000;

    op[0] = ig_table_case_op(&count, IG_OP_ADD, 5000, 0, 1000);
    op[1] = ig_table_case_op(&count, IG_OP_ADD, 0, 0, 1000);
    op[2] = ig_table_case_op(&count, IG_OP_ADD, 1, 0, 1000);

    ig_table_run(c.t, op, 3, &client);

    /* one went for the client, one for the new key, and so on */
    assert_int_equal(op[0].raw.cur, 1);
    assert_int_equal(op[1].raw.cur, 1);
    assert_int_equal(op[2].raw.cur, 1);

    ig_table_case_free(&c);
}


/* A set of distinct values under one new key creates one key. */
static void
members_are_no_keys(void **state)
{
    ig_op_t          op[20];
    unsigned         i;
    ig_client_t      client;
    ig_counter_t     distinct;
    ig_table_case_t  c;

    (void) state;

    ig_table_case_init(&c, IG_TABLE_MIN);
    distinct = ig_table_case_counter(IG_DISTINCT, HOUR, 100, 1);

    memset(&client, 0, sizeof(client));
    client.cap = 1;

    for (i = 0; i < 20; i++) {
        op[i] = ig_table_case_op(&distinct, IG_OP_ADD, 1, i, 1000);
    }

    ig_table_run(c.t, op, 20, &client);

    assert_int_equal(op[19].state, IG_OP_DONE);
    assert_int_equal(op[19].raw.cur, 20);

    /* nor does it count as having been seen twenty times */
    assert_int_equal(c.t->segment[IG_ONCE].n, 2);

    ig_table_case_free(&c);
}


/* -- what people ask ----------------------------------------------------- */

static void
a_key_is_looked_at_and_forgotten(void **state)
{
    uint32_t         n;
    ig_raw_t         raw;
    unsigned         kind;
    ig_counter_t     counter;
    ig_table_case_t  c;

    (void) state;

    for (kind = 0; kind < IG_KINDS; kind++) {
        ig_table_case_init(&c, IG_TABLE_MIN);
        counter = ig_table_case_counter((ig_kind_e) kind, HOUR, 9, 1);

        (void) ig_table_case_run(&c, &counter, IG_OP_ADD, 1, 1, 1000);
        (void) ig_table_case_run(&c, &counter, IG_OP_ADD, 1, 2, 2000);
        (void) ig_table_case_run(&c, &counter, IG_OP_ADD, 2, 1, 2000);
        ig_table_over_put(c.t, &counter, ig_table_case_op(&counter,
                          IG_OP_READ, 1, 0, 0).key, 5, HOUR);

        n = c.t->segment[IG_ONCE].n;
        raw = ig_table_case_run(&c, &counter, IG_OP_PEEK, 2, 0, 3000);
        assert_int_equal(c.t->segment[IG_ONCE].n, n);

        raw = ig_table_case_run(&c, &counter, IG_OP_PEEK, 1, 0, 3000);

        switch (kind) {

        case IG_COUNT:
            assert_int_equal(raw.cur, 2);
            break;

        case IG_COUNT_EXACT:
        case IG_DISTINCT:
            assert_int_equal(raw.cur, 2);
            assert_int_equal(raw.last, 2000);
            break;

        case IG_SUM:
        case IG_MEAN:
            assert_int_equal(raw.ncur, 2);
            break;

        case IG_FIRST:
        case IG_LAST:
            assert_int_equal(raw.first, 1000);
            assert_int_equal(raw.last, 2000);
            break;

        default:
            break;
        }

        (void) ig_table_case_run(&c, &counter, IG_OP_DROP, 1, 0, 3000);
        raw = ig_table_case_run(&c, &counter, IG_OP_PEEK, 1, 0, 3000);
        assert_int_equal(raw.cur, 0);
        assert_int_equal(raw.ncur, 0);
        assert_int_equal(raw.last, -1);
        assert_int_equal(ig_table_over_get(c.t, &counter, ig_table_case_op(
                         &counter, IG_OP_READ, 1, 0, 0).key, 5, 3000), 0);

        /* twice is once, and nobody else's is gone */
        (void) ig_table_case_run(&c, &counter, IG_OP_DROP, 1, 0, 3000);
        raw = ig_table_case_run(&c, &counter, IG_OP_ADD, 2, 2, 3000);
        assert_true(kind == IG_LISTED || raw.cur == 2 || raw.ncur == 1
                    || raw.last != -1);

        ig_table_case_free(&c);
    }
}


/* -- crashes ------------------------------------------------------------- */

/*
 * A worker killed with the lock held leaves links half made: the table must
 * not be walked any more.
 */
static void
a_crash_inside_empties_the_table(void **state)
{
    uint64_t         key;
    ig_counter_t     count;
    ig_table_case_t  c;

    (void) state;

    ig_table_case_init(&c, IG_TABLE_MIN);
    count = ig_table_case_counter(IG_COUNT, HOUR, 0, 1);

    for (key = 0; key < 50; key++) {
        (void) ig_table_case_run(&c, &count, IG_OP_ADD, key, 0, 1000);
    }

    c.t->busy = 1;
    ig_slot(c.t, 3)->next = 3;

    assert_int_equal(ig_table_case_run(&c, &count, IG_OP_ADD, 3, 0, 1000).cur,
                     1);
    assert_int_equal(c.t->evicted, 50);
    assert_int_equal(c.t->used, 1);

    ig_table_case_free(&c);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(create_refuses_little_memory),
        cmocka_unit_test(attach_knows_its_own),
        cmocka_unit_test(every_slot_is_inside),
        cmocka_unit_test(stat_tells_slots_used_and_evicted),
        cmocka_unit_test(clients_create_so_many_keys_a_minute),
        cmocka_unit_test(clients_without_new_keys_leave_no_trace),
        cmocka_unit_test(keys_may_go_within_a_batch),
        cmocka_unit_test(members_are_no_keys),
        cmocka_unit_test(a_crash_inside_empties_the_table),
        cmocka_unit_test(a_key_is_looked_at_and_forgotten)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
