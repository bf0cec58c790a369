/*
 * test_ig_table_note.c: the table beside Redis, keys over their limit, marks.
 * Owns its tables.  Called by make test.
 */

#include "ig_table_case.h"

#include <string.h>


#define MINUTE  60000
#define HOUR    3600000


static ig_note_t
mirror(ig_table_case_t *c, const ig_counter_t *counter, ig_verb_e verb,
    uint64_t member, int64_t time)
{
    ig_op_t    op;
    ig_note_t  note;

    op = ig_table_case_op(counter, verb, 1, member, time);
    op.state = IG_OP_PENDING;
    memset(&note, 0xff, sizeof(note));

    ig_table_mirror(c->t, &op, 1, NULL, &note);

    assert_int_equal(op.state, IG_OP_PENDING);
    assert_int_equal(op.raw.cur, 0);
    ig_table_case_check(c);

    return note;
}


static void
tell(ig_table_case_t *c, const ig_counter_t *counter, int64_t time,
    bool prev_known, int64_t prev, int64_t nprev)
{
    ig_op_t  op;

    op = ig_table_case_op(counter, IG_OP_ADD, 1, 0, time);
    ig_table_note(c->t, &op, prev_known, prev, nprev);
    ig_table_case_check(c);
}


static void
counts_and_distinct_are_kept_beside(void **state)
{
    unsigned         kind;
    ig_note_t        note;
    ig_counter_t     counter;
    ig_table_case_t  c;

    static const bool  kept[IG_KINDS] = {
        [IG_COUNT] = true, [IG_COUNT_EXACT] = true, [IG_DISTINCT] = true
    };

    (void) state;

    for (kind = 0; kind < IG_KINDS; kind++) {
        ig_table_case_init(&c, IG_TABLE_MIN);
        counter = ig_table_case_counter((ig_kind_e) kind, HOUR, 9, 1);

        (void) mirror(&c, &counter, IG_OP_ADD, 1, 1000);
        note = mirror(&c, &counter, IG_OP_ADD, 2, 1500);

        assert_int_equal(note.state, kept[kind] ? IG_OP_DONE : IG_OP_FAILED);
        assert_false(note.ttl_known);
        assert_false(note.prev_known);

        if (kept[kind]) {
            assert_int_equal(note.raw.cur, 2);
        }

        (void) mirror(&c, &counter, IG_OP_UNDO, 2, 1500);
        note = mirror(&c, &counter, IG_OP_READ, 0, 2000);

        if (kept[kind]) {
            assert_int_equal(note.raw.cur, 1);
        }

        ig_table_case_free(&c);
    }
}


static void
notes_live_as_long_as_their_keys(void **state)
{
    unsigned         i;
    ig_counter_t     counter;
    ig_table_case_t  c;

    static const struct {
        ig_kind_e  kind;
        int64_t    time;
        int64_t    end;
    } test[] = {
        { IG_FIRST, 61000, 121001 },
        { IG_LAST,  61000, 121001 },
        { IG_SUM,   61000, 180000 },
        { IG_MEAN,  60000, 180000 }
    };

    (void) state;

    for (i = 0; i < ig_countof(test); i++) {
        ig_table_case_init(&c, IG_TABLE_MIN);
        counter = ig_table_case_counter(test[i].kind, MINUTE, 0, 1);

        (void) mirror(&c, &counter, IG_OP_PUT, 0, test[i].time);
        assert_int_equal(ig_slot(c.t, c.t->segment[IG_ONCE].oldest)->time,
                         test[i].end);

        (void) mirror(&c, &counter, IG_OP_PUT, 0, test[i].time + MINUTE);
        (void) mirror(&c, &counter, IG_OP_PUT, 0, test[i].time);
        assert_int_equal(ig_slot(c.t, c.t->segment[IG_OFTEN].oldest)->time,
                         test[i].end + MINUTE);

        ig_table_case_free(&c);
    }
}


static void
notes_are_on_one_bucket(void **state)
{
    unsigned         i;
    ig_note_t        note;
    ig_counter_t     counter;
    ig_table_case_t  c;

    static const ig_kind_e  kind[] = { IG_COUNT, IG_SUM, IG_MEAN };

    (void) state;

    for (i = 0; i < ig_countof(kind); i++) {
        ig_table_case_init(&c, IG_TABLE_MIN);
        counter = ig_table_case_counter(kind[i], MINUTE, 0, 1);

        /* of a key nobody wrote nothing is kept */
        tell(&c, &counter, 60500, true, 8, 3);
        assert_int_equal(c.t->used, 0);

        (void) mirror(&c, &counter, IG_OP_ADD, 0, 60500);

        /* a second after the boundary the bucket before may still change */
        tell(&c, &counter, 61000, true, 8, 3);
        note = mirror(&c, &counter, IG_OP_ADD, 0, 61000);
        assert_true(note.ttl_known);
        assert_false(note.prev_known);

        tell(&c, &counter, 61001, false, 8, 3);
        note = mirror(&c, &counter, IG_OP_READ, 0, 61001);
        assert_false(note.prev_known);

        tell(&c, &counter, 61001, true, 8, 3);
        note = mirror(&c, &counter, IG_OP_READ, 0, 69999);
        assert_true(note.ttl_known);
        assert_true(note.prev_known);
        assert_int_equal(note.prev, 8);
        assert_int_equal(note.nprev, kind[i] == IG_COUNT ? 0 : 3);

        /* another node may have had the key forgotten */
        note = mirror(&c, &counter, IG_OP_READ, 0, 70000);
        assert_true(note.ttl_known);
        assert_false(note.prev_known);

        /* nothing of it is true of another bucket */
        note = mirror(&c, &counter, IG_OP_READ, 0, 59999);
        assert_false(note.ttl_known || note.prev_known);
        note = mirror(&c, &counter, IG_OP_READ, 0, 120000);
        assert_false(note.ttl_known || note.prev_known);

        note = mirror(&c, &counter, IG_OP_READ, 0, 69000);
        assert_true(note.ttl_known && note.prev_known);

        /* what this node does to the bucket before is not what was told */
        note = mirror(&c, &counter, IG_OP_PUT, 0, 59999);
        assert_false(note.ttl_known || note.prev_known);
        note = mirror(&c, &counter, IG_OP_READ, 0, 70000);
        assert_true(note.ttl_known);
        assert_false(note.prev_known);

        tell(&c, &counter, 71000, true, 9, 4);
        assert_true(mirror(&c, &counter, IG_OP_READ, 0, 72000).prev_known);
        note = mirror(&c, &counter, IG_OP_UNDO, 0, 59999);
        note = mirror(&c, &counter, IG_OP_READ, 0, 72000);
        assert_false(note.prev_known);

        /* a reset forgets what is known of it, and its local count */
        tell(&c, &counter, 72000, true, 9, 4);
        note = mirror(&c, &counter, IG_OP_PEEK, 0, 72500);
        assert_true(note.prev_known);
        note = mirror(&c, &counter, IG_OP_DROP, 0, 72500);
        assert_false(note.ttl_known || note.prev_known);
        note = mirror(&c, &counter, IG_OP_READ, 0, 72600);
        assert_false(note.ttl_known || note.prev_known);
        assert_int_equal(note.raw.cur, 0);
        (void) mirror(&c, &counter, IG_OP_ADD, 0, 72700);

        /* a late reply about an older bucket */
        tell(&c, &counter, 59000, true, 77, 7);
        note = mirror(&c, &counter, IG_OP_READ, 0, 72000);
        assert_false(note.prev_known);

        tell(&c, &counter, 73000, true, 9, 4);
        note = mirror(&c, &counter, IG_OP_ADD, 0, 120000);
        assert_false(note.ttl_known || note.prev_known);

        ig_table_case_free(&c);
    }
}


static void
forgetting_drops_all_notes(void **state)
{
    ig_op_t          op;
    unsigned         kind;
    ig_note_t        note;
    ig_counter_t     counter;
    ig_table_case_t  c;

    (void) state;

    for (kind = 0; kind < IG_KINDS; kind++) {
        ig_table_case_init(&c, IG_TABLE_MIN);
        counter = ig_table_case_counter((ig_kind_e) kind, HOUR, 9, 1);

        op = ig_table_case_op(&counter, IG_OP_ADD, 1, 0, HOUR + 5000);
        ig_table_forget(c.t, &op);

        (void) mirror(&c, &counter, IG_OP_ADD, 1, HOUR + 5000);
        tell(&c, &counter, HOUR + 5000, true, 9, 4);
        note = mirror(&c, &counter, IG_OP_READ, 1, HOUR + 5000);
        assert_int_equal(note.ttl_known,
                         kind != IG_FIRST && kind != IG_LAST
                         && kind != IG_LISTED);

        ig_table_forget(c.t, &op);
        note = mirror(&c, &counter, IG_OP_READ, 1, HOUR + 5000);
        assert_false(note.ttl_known);
        assert_false(note.prev_known);

        ig_table_case_free(&c);
    }
}


/* Without a bucket the key lives on: its TTL must be set anew in time. */
static void
logs_want_their_ttl_again(void **state)
{
    ig_counter_t     counter;
    ig_table_case_t  c;

    (void) state;

    ig_table_case_init(&c, IG_TABLE_MIN);
    counter = ig_table_case_counter(IG_DISTINCT, HOUR, 9, 1);

    (void) mirror(&c, &counter, IG_OP_ADD, 1, 100000);
    tell(&c, &counter, 100000, false, 0, 0);

    assert_true(mirror(&c, &counter, IG_OP_ADD, 1, 100000).ttl_known);
    assert_true(mirror(&c, &counter, IG_OP_ADD, 1, 130999).ttl_known);
    assert_false(mirror(&c, &counter, IG_OP_ADD, 1, 131000).ttl_known);
    assert_false(mirror(&c, &counter, IG_OP_ADD, 1, 99999).ttl_known);

    tell(&c, &counter, 131000, false, 0, 0);
    assert_true(mirror(&c, &counter, IG_OP_ADD, 1, 140000).ttl_known);

    ig_table_case_free(&c);
}


/*
 * Every kind of key counts for the cap, also those kept in Redis alone; but
 * none that a rule puts on a list, which is not even noted here.
 */
static void
the_cap_holds_beside_redis(void **state)
{
    ig_op_t          op[2];
    unsigned         kind;
    ig_note_t        note[2];
    ig_client_t      client;
    ig_counter_t     counter;
    ig_table_case_t  c;

    (void) state;

    memset(&client, 0, sizeof(client));
    client.cap = 1;

    for (kind = 0; kind < IG_KINDS; kind++) {
        ig_table_case_init(&c, IG_TABLE_MIN);
        counter = ig_table_case_counter((ig_kind_e) kind, HOUR, 9, 1);

        if (kind == IG_LISTED) {
            op[0] = ig_table_case_op(&counter, IG_OP_PUT, 1, 1, 1000);
            op[1] = ig_table_case_op(&counter, IG_OP_PUT, 2, 1, 1000);

            ig_table_mirror(c.t, op, 2, &client, note);
            assert_int_equal(op[0].state, IG_OP_PENDING);
            assert_int_equal(note[1].state, IG_OP_FAILED);
            assert_int_equal(c.t->used, 0);

            ig_table_case_free(&c);
            continue;
        }

        op[0] = ig_table_case_op(&counter, IG_OP_PUT, 1, 1, 1000);
        op[1] = ig_table_case_op(&counter, IG_OP_PUT, 2, 1, 1000);

        ig_table_mirror(c.t, op, 2, &client, note);
        assert_int_equal(op[0].state, IG_OP_REFUSED);
        assert_int_equal(op[1].state, IG_OP_REFUSED);
        assert_int_equal(c.t->used, 0);

        op[0].state = IG_OP_PENDING;
        ig_table_mirror(c.t, op, 1, &client, note);
        assert_int_equal(op[0].state, IG_OP_PENDING);

        ig_table_mirror(c.t, op, 1, &client, note);
        assert_int_equal(op[0].state, IG_OP_PENDING);

        ig_table_mirror(c.t, &op[1], 1, &client, note);
        assert_int_equal(op[1].state, IG_OP_REFUSED);

        ig_table_case_free(&c);
    }
}


static void
over_limit_notes_hold_for_lower_limits(void **state)
{
    uint8_t          key[IG_HASH] = { 1 }, other[IG_HASH] = { 2 };
    ig_counter_t     a, b;
    ig_table_case_t  c;

    (void) state;

    ig_table_case_init(&c, IG_TABLE_MIN);
    a = ig_table_case_counter(IG_COUNT, HOUR, 0, 1);
    b = ig_table_case_counter(IG_COUNT, HOUR, 0, 2);

    assert_int_equal(ig_table_over_get(c.t, &a, key, 10, 1000), 0);

    ig_table_over_put(c.t, &a, key, 10, 5000);

    assert_int_equal(ig_table_over_get(c.t, &a, key, 10, 1000), 5000);
    assert_int_equal(ig_table_over_get(c.t, &a, key, 9.5, 4999), 5000);
    assert_int_equal(ig_table_over_get(c.t, &a, key, 10.5, 1000), 0);
    assert_int_equal(ig_table_over_get(c.t, &a, key, 10, 5000), 0);
    assert_int_equal(ig_table_over_get(c.t, &a, other, 10, 1000), 0);
    assert_int_equal(ig_table_over_get(c.t, &b, key, 10, 1000), 0);

    /* what says less does not replace what says more */
    ig_table_over_put(c.t, &a, key, 8, 4000);
    assert_int_equal(ig_table_over_get(c.t, &a, key, 10, 4500), 5000);

    ig_table_over_put(c.t, &a, key, 12, 4000);
    assert_int_equal(ig_table_over_get(c.t, &a, key, 12, 1000), 4000);

    ig_table_over_put(c.t, &a, key, 3, 9000);
    assert_int_equal(ig_table_over_get(c.t, &a, key, 3, 8999), 9000);
    assert_int_equal(ig_table_over_get(c.t, &a, key, 4, 1000), 0);

    ig_table_case_free(&c);
}


static void
marks_remember_the_first_time(void **state)
{
    ig_counter_t     a, b;
    ig_table_case_t  c;

    (void) state;

    ig_table_case_init(&c, IG_TABLE_MIN);
    a = ig_table_case_counter(IG_LAST, HOUR, 0, 1);
    b = ig_table_case_counter(IG_LAST, HOUR, 0, 2);

    assert_int_equal(ig_table_since(c.t, &a, 1000), 1000);
    assert_int_equal(ig_table_since(c.t, &a, 9999), 1000);
    assert_int_equal(ig_table_since(c.t, &b, 9999), 9999);
    assert_int_equal(ig_table_since(c.t, &a, 500), 1000);

    ig_table_case_free(&c);
}


/* Years of reloads with ever new counters do not fill the table. */
static void
idle_marks_make_room(void **state)
{
    uint32_t         room, i;
    ig_counter_t     a, b;
    ig_table_case_t  c;

    (void) state;

    ig_table_case_init(&c, IG_TABLE_MIN);
    room = c.t->nslots / 4;

    for (i = 0; i < room; i++) {
        a = ig_table_case_counter(IG_LAST, HOUR, 0, i);
        assert_int_equal(ig_table_since(c.t, &a, 1000), 1000);
    }

    b = ig_table_case_counter(IG_LAST, HOUR, 0, 1000000);
    assert_int_equal(ig_table_since(c.t, &b, 1000 + HOUR - 1), -1);

    /* the first is still asked for: the second is the idle one */

    a = ig_table_case_counter(IG_LAST, HOUR, 0, 0);
    assert_int_equal(ig_table_since(c.t, &a, 1000 + HOUR), 1000);
    assert_int_equal(ig_table_since(c.t, &b, 1000 + HOUR), 1000 + HOUR);
    assert_int_equal(ig_table_since(c.t, &a, 1000 + HOUR), 1000);

    a = ig_table_case_counter(IG_LAST, HOUR, 0, 1);
    assert_int_equal(ig_table_since(c.t, &a, 1000 + HOUR), 1000 + HOUR);

    ig_table_case_check(&c);
    assert_int_equal(c.t->used, room);

    ig_table_case_free(&c);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_and_distinct_are_kept_beside),
        cmocka_unit_test(notes_live_as_long_as_their_keys),
        cmocka_unit_test(notes_are_on_one_bucket),
        cmocka_unit_test(forgetting_drops_all_notes),
        cmocka_unit_test(logs_want_their_ttl_again),
        cmocka_unit_test(the_cap_holds_beside_redis),
        cmocka_unit_test(over_limit_notes_hold_for_lower_limits),
        cmocka_unit_test(marks_remember_the_first_time),
        cmocka_unit_test(idle_marks_make_room)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
