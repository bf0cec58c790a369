/*
 * ig_table_case.c: tables for tests.
 * Owns: the memory of a case's table.  Called by the tests of the table.
 */

#include "ig_table_case.h"

#include <stdlib.h>
#include <string.h>


#define IG_TABLE_GUARD  4096
#define IG_TABLE_GUARD_BYTE  0xa5


void
ig_table_case_init(ig_table_case_t *c, size_t size)
{
    c->size = size;
    c->block = aligned_alloc(64, (size + 2 * IG_TABLE_GUARD + 63) / 64 * 64);
    assert_non_null(c->block);

    memset(c->block, IG_TABLE_GUARD_BYTE, size + 2 * IG_TABLE_GUARD);

    c->memory = c->block + IG_TABLE_GUARD;
    c->t = ig_table_create(c->memory, size);
    assert_non_null(c->t);
}


void
ig_table_case_free(ig_table_case_t *c)
{
    ig_table_case_check(c);
    free(c->block);
}


/* -- the walk ------------------------------------------------------------ */

/* What was found of each slot, by number. */
typedef struct {
    const ig_table_t  *t;
    uint8_t           *listed;      /* times in free, limbo, segment or ring */
    uint8_t           *hashed;      /* times in a hash chain */
    uint32_t           used;
} ig_table_walk_t;


static void
ig_walk_list(ig_table_walk_t *w, uint32_t at)
{
    assert_true(at < w->t->fresh);
    assert_int_equal(w->listed[at], 0);

    w->listed[at] = 1;
}


static void
ig_walk_hash(ig_table_walk_t *w)
{
    uint32_t  i, at;

    for (i = 0; i < w->t->nbuckets; i++) {
        for (at = ig_table_buckets(w->t)[i];
             at != IG_NIL;
             at = ig_slot(w->t, at)->next)
        {
            assert_true(at < w->t->fresh);
            assert_int_equal(w->hashed[at], 0);
            assert_int_equal(ig_slot_bucket(w->t, ig_slot(w->t, at)), i);

            w->hashed[at] = 1;
        }
    }
}


static void
ig_walk_free(ig_table_walk_t *w)
{
    uint32_t  at;

    for (at = w->t->free; at != IG_NIL; at = ig_slot(w->t, at)->next) {
        ig_walk_list(w, at);
        assert_int_equal(ig_slot(w->t, at)->type, IG_SLOT_FREE);
        assert_int_equal(w->hashed[at], 0);
    }

    for (at = w->t->limbo; at != IG_NIL; at = ig_slot(w->t, at)->newer) {
        ig_walk_list(w, at);
        assert_int_equal(ig_slot(w->t, at)->type, IG_SLOT_MEMBER);
        assert_int_equal(w->hashed[at], 1);
    }
}


static int
ig_walk_order(const ig_slot_t *a, const ig_slot_t *b)
{
    if (a->time != b->time) {
        return a->time < b->time ? -1 : 1;
    }

    return memcmp(a->id, b->id, sizeof(a->id));
}


static void
ig_walk_ring(ig_table_walk_t *w, uint32_t log)
{
    bool              edge;
    uint32_t          at, n, stale;
    const ig_slot_t  *head, *slot, *next;

    head = ig_slot(w->t, log);
    at = head->u.log.oldest;
    edge = false;
    stale = 0;

    if (at == IG_NIL) {
        assert_int_equal(head->u.log.n, 0);
    }

    for (n = 0; at != IG_NIL; n++) {
        ig_walk_list(w, at);
        slot = ig_slot(w->t, at);
        next = ig_slot(w->t, slot->newer);

        assert_int_equal(slot->type, IG_SLOT_MEMBER);
        assert_int_equal(slot->u.member.log, log);
        assert_int_equal(slot->u.member.serial, head->u.log.serial);
        assert_int_equal(next->older, at);
        assert_int_equal(w->hashed[at], 1);

        edge |= at == head->u.log.edge;
        stale += !edge;
        w->used++;

        at = slot->newer;

        if (at == head->u.log.oldest) {
            at = IG_NIL;

        } else {
            assert_true(ig_walk_order(slot, next) < 0);
        }
    }

    assert_int_equal(head->u.log.n, n);
    assert_int_equal(head->u.log.stale, stale);
    assert_int_equal(edge, head->u.log.edge != IG_NIL);
}


static void
ig_walk_segment(ig_table_walk_t *w, ig_segment_e segment)
{
    uint32_t             at, before, n;
    const ig_slot_t     *slot;
    const ig_segment_t  *s;

    s = &w->t->segment[segment];
    before = IG_NIL;

    for (at = s->oldest, n = 0; at != IG_NIL; at = slot->newer, n++) {
        ig_walk_list(w, at);
        slot = ig_slot(w->t, at);

        assert_int_equal(slot->segment, segment);
        assert_int_equal(slot->older, before);
        assert_int_equal(w->hashed[at], 1);
        assert_int_equal(slot->type == IG_SLOT_MARK, segment == IG_MARKS);
        assert_in_range(slot->type, IG_SLOT_COUNT, IG_SLOT_MARK);

        if (slot->type == IG_SLOT_LOG) {
            ig_walk_ring(w, at);

        } else if (slot->type == IG_SLOT_SUM) {
            ig_walk_list(w, slot->u.sum.rest);
            assert_int_equal(w->hashed[slot->u.sum.rest], 0);
            w->used++;
        }

        before = at;
        w->used++;
    }

    assert_int_equal(s->newest, before);
    assert_int_equal(s->n, n);
}


void
ig_table_case_check(const ig_table_case_t *c)
{
    size_t           i;
    uint32_t         at;
    ig_table_walk_t  w;

    assert_int_equal(c->t->busy, 0);

    w.t = c->t;
    w.listed = calloc(c->t->nslots, 1);
    w.hashed = calloc(c->t->nslots, 1);
    w.used = 0;

    assert_non_null(w.listed);
    assert_non_null(w.hashed);

    ig_walk_hash(&w);
    ig_walk_free(&w);
    ig_walk_segment(&w, IG_ONCE);
    ig_walk_segment(&w, IG_OFTEN);
    ig_walk_segment(&w, IG_LISTS);
    ig_walk_segment(&w, IG_MARKS);

    for (at = 0; at < c->t->fresh; at++) {
        assert_int_equal(w.listed[at], 1);
    }

    for (at = c->t->fresh; at < c->t->nslots; at++) {
        assert_int_equal(w.hashed[at], 0);
    }

    assert_int_equal(w.used, c->t->used);

    for (i = 0; i < IG_TABLE_GUARD; i++) {
        assert_int_equal((uint8_t) c->memory[-1 - (ptrdiff_t) i],
                         IG_TABLE_GUARD_BYTE);
        assert_int_equal((uint8_t) c->memory[c->size + i],
                         IG_TABLE_GUARD_BYTE);
    }

    free(w.listed);
    free(w.hashed);
}


/* -- ops ----------------------------------------------------------------- */

ig_counter_t
ig_table_case_counter(ig_kind_e kind, int64_t window, unsigned max,
    uint64_t name)
{
    ig_counter_t  c;

    memset(&c, 0, sizeof(c));

    c.kind = kind;
    c.window = window;
    c.max = max;
    c.value = -1;
    name = (name + 1) * UINT64_C(0xd6e8feb86659fd93);
    memcpy(c.ident, &name, sizeof(c.ident));

    return c;
}


ig_op_t
ig_table_case_op(const ig_counter_t *counter, ig_verb_e verb, uint64_t key,
    uint64_t member, int64_t time)
{
    ig_op_t  op;
    unsigned i;

    memset(&op, 0, sizeof(op));

    op.counter = counter;
    op.verb = verb;
    op.time = time;
    op.raw.was = -1;
    op.raw.first = -1;
    op.raw.last = -1;

    /* big endian, so that members are ordered as their numbers are */

    for (i = 0; i < 8; i++) {
        op.key[i] = (uint8_t) (key * UINT64_C(0x9e3779b97f4a7c15)
                               >> (56 - 8 * i));
        op.key[8 + i] = (uint8_t) (key >> (56 - 8 * i));
        op.member[i] = (uint8_t) (member >> (56 - 8 * i));
    }

    return op;
}


ig_raw_t
ig_table_case_run(ig_table_case_t *c, const ig_counter_t *counter,
    ig_verb_e verb, uint64_t key, uint64_t member, int64_t time)
{
    ig_op_t  op;

    op = ig_table_case_op(counter, verb, key, member, time);

    ig_table_run(c->t, &op, 1, NULL);

    assert_int_equal(op.state, IG_OP_DONE);

    return op.raw;
}
