/*
 * ig_ctl_load_ledger.c: which keys the history has written, and what the
 * trial's store holds of them in the end, as ops for the live one.
 * Owns: the list of keys and the ops' bytes.  Called by ig_ctl_load.c.
 */

#include <stdlib.h>
#include <string.h>

#include "ig_ctl_load.h"
#include "ig_window.h"

#define IG_LEDGER_FIRST  4096
#define IG_LEDGER_END    UINT32_MAX


/* -- keys ---------------------------------------------------------------- */


static uint32_t
ig_ledger_bucket(const ig_ledger_t *g, const uint8_t key[IG_HASH],
    unsigned counter)
{
    uint64_t  h;

    memcpy(&h, key, sizeof(h));
    h = (h ^ counter) * UINT64_C(0x9e3779b97f4a7c15);

    return (uint32_t) (h >> 32) & (g->nbuckets - 1);
}


/* Twice the room, all keys in new buckets. */
static bool
ig_ledger_grow(ig_ledger_t *g)
{
    uint32_t          i, at, room, *bucket;
    ig_ledger_key_t  *key;

    room = g->room ? 2 * g->room : IG_LEDGER_FIRST;

    key = realloc(g->key, room * sizeof(ig_ledger_key_t));
    if (key) {
        g->key = key;
    }

    bucket = realloc(g->bucket, room * sizeof(uint32_t));
    if (bucket) {
        g->bucket = bucket;
    }

    if (key == NULL || bucket == NULL || room == 0) {
        return false;
    }

    g->room = room;
    g->nbuckets = room;
    memset(bucket, 0xff, room * sizeof(uint32_t));

    for (i = 0; i < g->n; i++) {
        at = ig_ledger_bucket(g, key[i].key, key[i].counter);
        key[i].next = bucket[at];
        bucket[at] = i;
    }

    return true;
}


static bool
ig_ledger_put(ig_ledger_t *g, const ig_op_t *op)
{
    uint32_t          at, i;
    ig_ledger_key_t  *key;

    if (g->n == g->room && !ig_ledger_grow(g)) {
        return false;
    }

    at = ig_ledger_bucket(g, op->key, op->counter->id);

    for (i = g->bucket[at]; i != IG_LEDGER_END; i = g->key[i].next) {
        if (g->key[i].counter == op->counter->id
            && memcmp(g->key[i].key, op->key, IG_HASH) == 0)
        {
            return true;
        }
    }

    key = &g->key[g->n];

    memcpy(key->key, op->key, IG_HASH);
    key->counter = (uint16_t) op->counter->id;
    key->next = g->bucket[at];
    g->bucket[at] = g->n++;

    return true;
}


/* The longest that anything written at the op's time can still matter. */
static bool
ig_ledger_matters(const ig_loading_t *l, const ig_op_t *op)
{
    int64_t  age;

    age = l->now - op->time;

    return op->counter->kind == IG_LISTED ? op->delta > age
                                          : age / 2 <= op->counter->window;
}


void
ig_ledger_add(ig_loading_t *l, const ig_op_t *op, unsigned nops)
{
    unsigned  i;

    for (i = 0; i < nops && !l->nomem; i++) {
        if ((op[i].verb == IG_OP_ADD || op[i].verb == IG_OP_PUT)
            && op[i].state == IG_OP_DONE
            && !l->counter[op[i].counter->id].taken
            && ig_ledger_matters(l, &op[i])
            && !ig_ledger_put(&l->ledger, &op[i]))
        {
            l->nomem = true;
        }
    }
}


void
ig_ledger_free(ig_loading_t *l)
{
    free(l->ledger.key);
    free(l->ledger.bucket);
    free(l->out.bytes);
    free(l->out.end);
}


/* -- ops as bytes -------------------------------------------------------- */


static bool
ig_out_batch(ig_load_out_t *out)
{
    size_t  *end;

    if (out->n == out->nroom) {
        out->nroom = out->nroom ? 2 * out->nroom : 64;

        end = realloc(out->end, out->nroom * sizeof(size_t));
        if (end == NULL) {
            return false;
        }

        out->end = end;
    }

    out->end[out->n++] = out->len;
    out->ops = 0;

    return true;
}


static bool
ig_out_room(ig_load_out_t *out)
{
    uint8_t  *bytes;

    if (out->room - out->len >= IG_LOAD_BYTES) {
        return true;
    }

    out->room = out->room ? 2 * out->room : 4 * IG_LOAD_BYTES;

    bytes = realloc(out->bytes, out->room);
    if (bytes) {
        out->bytes = bytes;
    }

    return bytes != NULL;
}


static unsigned
ig_out_rank(const ig_loading_t *l, const ig_counter_t *counter)
{
    unsigned  i;

    for (i = 0; l->rank[i] != counter; i++) { /* void */ }

    return i;
}


static void
ig_out_add(ig_loading_t *l, const ig_op_t *op)
{
    size_t          start, n;
    ig_load_out_t  *out;

    out = &l->out;

    if (l->nomem || !ig_out_room(out)) {
        l->nomem = true;
        return;
    }

    start = out->n > 1 ? out->end[out->n - 2] : 0;
    n = out->n > 0 && out->ops < IG_LOAD_OPS
        ? ig_load_op_write(out->bytes + out->len,
                           IG_LOAD_BYTES - (out->len - start),
                           ig_out_rank(l, op->counter), op)
        : 0;

    if (n == 0) {
        if (!ig_out_batch(out)) {
            l->nomem = true;
            return;
        }

        n = ig_load_op_write(out->bytes + out->len, IG_LOAD_BYTES,
                             ig_out_rank(l, op->counter), op);
    }

    out->len += n;
    out->end[out->n - 1] = out->len;
    out->ops++;

    l->writes++;
    l->counter[op->counter->id].writes++;
}


/* -- what the trial's store holds ---------------------------------------- */


typedef struct {
    ig_loading_t  *l;
    ig_op_t       *op;
} ig_load_member_t;


static void
ig_load_member(void *ctx, const uint8_t member[IG_HASH], int64_t seen)
{
    ig_load_member_t  *m = ctx;

    memcpy(m->op->member, member, IG_HASH);
    m->op->time = seen;
    ig_out_add(m->l, m->op);
}


/* Both buckets that count at l->now, each in its own time. */
static void
ig_load_buckets(ig_loading_t *l, const ig_op_t *read)
{
    ig_op_t  op;
    int64_t  bucket, window;
    bool     count;

    count = read->counter->kind == IG_COUNT;
    window = read->counter->window;
    bucket = ig_window_bucket(l->now, window);

    op = *read;
    op.verb = IG_OP_LOAD;

    op.time = bucket > 0 ? (bucket - 1) * window : 0;
    op.delta = read->raw.prev;
    op.raw.ncur = read->raw.nprev;

    if (count ? op.delta > 0 : op.raw.ncur > 0) {
        ig_out_add(l, &op);
    }

    op.time = bucket * window;
    op.delta = read->raw.cur;
    op.raw.ncur = read->raw.ncur;

    if (count ? op.delta > 0 : op.raw.ncur > 0) {
        ig_out_add(l, &op);
    }
}


static void
ig_load_key(ig_loading_t *l, ig_op_t *op)
{
    ig_load_member_t  m;

    op->verb = IG_OP_READ;
    op->time = l->now;

    ig_table_run(l->trial->table, op, 1, NULL);

    op->verb = IG_OP_LOAD;

    switch (op->counter->kind) {

    case IG_COUNT:
    case IG_SUM:
    case IG_MEAN:
        ig_load_buckets(l, op);
        break;

    case IG_COUNT_EXACT:
    case IG_DISTINCT:
        m.l = l;
        m.op = op;
        ig_table_members(l->trial->table, op->counter, op->key,
                         l->now - op->counter->window, ig_load_member, &m);
        break;

    default:
        if (op->raw.last != -1) {
            op->time = op->raw.last;
            ig_out_add(l, op);
        }
        break;
    }
}


/* Whether the audit log tells pseudonyms of what the counter goes by. */
static bool
ig_load_is_private(const ig_policy_t *policy, const ig_counter_t *c)
{
    unsigned           i;
    const ig_field_t  *field;

    for (i = 0; i < c->nkey; i++) {
        field = policy->field[c->key[i]];

        if (field->is_private || field->is_text) {
            return true;
        }
    }

    return c->similar >= 0
           || (c->kind == IG_DISTINCT
               && (policy->field[c->value]->is_private
                   || policy->field[c->value]->is_text));
}


static bool
ig_load_is_due(ig_loading_t *l, const ig_counter_t *c, int64_t time)
{
    ig_load_counter_t  *counter;

    counter = &l->counter[c->id];

    if (counter->taken || counter->since > time) {
        return false;
    }

    counter->taken = true;

    if (l->from >= counter->since) {
        counter->left = IG_LEFT_KNOWN;

    } else if (l->logged && ig_load_is_private(l->trial->policy, c)) {
        counter->left = IG_LEFT_PRIVATE;
    }

    return counter->left == IG_LEFT_NOT;
}


int
ig_load_take(ig_loading_t *l, int64_t time)
{
    bool       due[IG_MAX_COUNTERS], any;
    ig_op_t    op;
    unsigned   i;
    uint64_t   before;

    for (i = 0, any = false; i < l->trial->policy->ncounters; i++) {
        due[i] = ig_load_is_due(l, l->trial->policy->counter[i], time);
        any |= due[i];

        if (due[i]) {
            l->counter[i].moved = l->from;
        }
    }

    for (i = 0; any && i < l->ledger.n && !l->nomem; i++) {

        if (!due[l->ledger.key[i].counter]) {
            continue;
        }

        memset(&op, 0, sizeof(op));
        op.counter = l->trial->policy->counter[l->ledger.key[i].counter];
        memcpy(op.key, l->ledger.key[i].key, IG_HASH);

        before = l->writes;
        ig_load_key(l, &op);
        l->counter[op.counter->id].keys += l->writes > before;
    }

    return l->nomem ? IG_NOMEM : IG_OK;
}
