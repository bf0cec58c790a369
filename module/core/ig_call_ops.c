/*
 * ig_call_ops.c: which operations a call wants of the store before the
 * decision, and how a counter's operations are made.
 * Owns nothing; ops are the caller's.  Borrows the call and its policy.
 * Called by nginx and by backtest; by ig_call_settle.c.
 */

#include "ig_call_int.h"

#include <math.h>
#include <string.h>


#define IG_MAX_COMBINATIONS  64         /* ops of one counter */

/* Sums keep micro-units in 64 bits: what is larger is not counted. */
#define IG_SUMMAND_MAX  9e12


void
ig_ops_init(ig_ops_t *ops, ig_call_t *call, ig_op_t *op)
{
    ops->call = call;
    ops->op = op;
    ops->nops = 0;
    ops->start = 0;
    ops->max = call->plan->max_ops < IG_MAX_OPS ? call->plan->max_ops
                                                : IG_MAX_OPS;
    ops->hashed = false;
}


/* -- what an event counts ------------------------------------------------ */

/* F of sum= and mean= in micro-units, rounded half away from zero. */
static bool
ig_call_summand(const ig_call_t *call, const ig_counter_t *c, int64_t *micro)
{
    double             num;
    const ig_value_t  *v;

    v = &call->field[c->value];

    if (v->type == IG_NUMBER) {
        num = v->num;

    } else if (v->type != IG_STRING || !ig_parse_number(v->str, &num)) {
        return false;
    }

    /* written so that not-a-number fails */
    if (!(fabs(num) <= IG_SUMMAND_MAX)) {
        return false;
    }

    *micro = (int64_t) round(num * 1e6);

    return true;
}


/* Whether the counter's F, where it has one, lets this event be counted. */
static bool
ig_call_countable(const ig_call_t *call, const ig_counter_t *c)
{
    int64_t    micro;
    ig_type_e  type;

    if (c->kind != IG_DISTINCT && c->kind != IG_SUM && c->kind != IG_MEAN) {
        return true;
    }

    type = call->field[c->value].type;

    if (type == IG_UNKNOWN) {

        /* it may count: what is read without it would be a guess */
        return true;
    }

    if (c->kind == IG_DISTINCT) {
        return type != IG_MISSING;
    }

    return ig_call_summand(call, c, &micro);
}


static void
ig_call_member(const ig_call_t *call, const ig_value_t *value,
    uint8_t member[IG_HASH])
{
    char       scratch[IG_KEY_TEXT];
    uint8_t    out[IG_SHA256];
    ig_hmac_t  hmac;

    ig_hmac_init(&hmac, &call->secret->store);
    ig_hmac_update_str(&hmac, ig_str("m"));
    ig_hmac_update_str(&hmac, ig_value_key(value, scratch));
    ig_hmac_final(&hmac, out);

    memcpy(member, out, IG_HASH);
}


static const uint8_t *
ig_ops_event(ig_ops_t *ops)
{
    uint8_t  out[IG_SHA256];

    if (!ops->hashed) {
        ig_sha256(ops->call->event, sizeof(ops->call->event), out);
        memcpy(ops->event, out, IG_HASH);
        ops->hashed = true;
    }

    return ops->event;
}


/* -- one counter's ops --------------------------------------------------- */

static ig_op_t *
ig_ops_add(ig_ops_t *ops, const ig_counter_t *c, ig_verb_e verb,
    const uint8_t key[IG_HASH])
{
    ig_op_t  *op;

    op = &ops->op[ops->nops++];

    memset(op, 0, sizeof(ig_op_t));

    op->counter = c;
    op->verb = verb;
    op->time = ops->call->time;
    op->raw.first = -1;
    op->raw.last = -1;
    op->raw.was = -1;

    memcpy(op->key, key, IG_HASH);

    return op;
}


/*
 * Between reading and writing first, last and lists, what was read is kept:
 * the ops of both stand in the same order.
 */
static void
ig_ops_seen(ig_ops_t *ops, ig_op_t *op)
{
    unsigned           i;
    ig_seen_t         *seen;
    const ig_asked_t  *asked;

    i = (unsigned) (op - ops->op) - ops->start;
    asked = &ops->call->asked[op->counter->id];

    if (i < asked->n) {
        seen = &ops->call->seen[asked->op + i];
        op->raw.first = seen->first;
        op->raw.last = seen->last;
    }
}


/* One op of a key, and what its kind wants beside key and time. */
static void
ig_ops_one(ig_ops_t *ops, const ig_counter_t *c, ig_verb_e verb,
    const uint8_t key[IG_HASH], const ig_value_t *value)
{
    ig_op_t  *op;

    op = ig_ops_add(ops, c, verb, key);

    if (verb == IG_OP_READ) {
        return;
    }

    switch (c->kind) {

    case IG_COUNT_EXACT:
        memcpy(op->member, ig_ops_event(ops), IG_HASH);
        break;

    case IG_DISTINCT:
        ig_call_member(ops->call, value, op->member);
        break;

    case IG_SUM:
    case IG_MEAN:
        (void) ig_call_summand(ops->call, c, &op->delta);
        break;

    case IG_FIRST:
    case IG_LAST:
    case IG_LISTED:
        ig_ops_seen(ops, op);
        break;

    default:
        break;
    }
}


/* All ops of one key: a distinct value that is a set gives one per member. */
static void
ig_ops_values(ig_ops_t *ops, const ig_counter_t *c, ig_verb_e verb,
    const uint8_t key[IG_HASH])
{
    unsigned             i;
    const ig_value_t    *value;
    const ig_members_t  *set;

    value = c->value >= 0 ? &ops->call->field[c->value] : NULL;

    if (verb == IG_OP_READ || c->kind != IG_DISTINCT
        || value->type != IG_SET)
    {
        ig_ops_one(ops, c, verb, key, value);
        return;
    }

    set = &ops->call->members[c->value];

    for (i = 0; i < set->nmembers; i++) {
        ig_ops_one(ops, c, verb, key, &set->member[i]);
    }
}


/* A tuple's key, or one for each band of the text under it. */
static void
ig_ops_key(ig_ops_t *ops, const ig_counter_t *c, ig_verb_e verb,
    const uint8_t key[IG_HASH])
{
    uint8_t          band_key[IG_HASH];
    unsigned         i;
    const uint64_t  *band;

    if (c->similar < 0) {
        ig_ops_values(ops, c, verb, key);
        return;
    }

    band = ops->call->band[ops->call->policy->field[c->similar]->similar];

    for (i = 0; i < IG_BANDS; i++) {
        ig_call_band_hash(ops->call, key, i, band[i], band_key);
        ig_ops_values(ops, c, verb, band_key);
    }
}


/* How many values a field has: 1, or the members of a set. */
static unsigned
ig_call_width(const ig_call_t *call, unsigned field)
{
    return call->field[field].type == IG_SET ? call->members[field].nmembers
                                             : 1;
}


/* A key for each combination of the sets' members, as an odometer counts. */
static void
ig_ops_combinations(ig_ops_t *ops, const ig_counter_t *c, ig_verb_e verb)
{
    uint8_t            key[IG_HASH];
    unsigned           i, f, at[IG_MAX_KEY];
    ig_call_t         *call;
    const ig_value_t  *value[IG_MAX_KEY];
    const ig_tuple_t  *tuple;

    call = ops->call;
    tuple = &call->policy->tuple[c->tuple];

    memset(at, 0, sizeof(at));

    do {
        for (i = 0; i < tuple->nfields; i++) {
            f = tuple->field[i];
            value[i] = call->field[f].type == IG_SET
                       ? &call->members[f].member[at[i]] : &call->field[f];
        }

        ig_call_hash(call, value, tuple->nfields, key);
        ig_ops_key(ops, c, verb, key);

        for (i = 0; i < tuple->nfields; i++) {
            if (++at[i] < ig_call_width(call, tuple->field[i])) {
                break;
            }

            at[i] = 0;
        }

    } while (i < tuple->nfields);
}


/* How many ops the counter wants; more than IG_MAX_COMBINATIONS: too many. */
static unsigned
ig_ops_wanted(const ig_call_t *call, const ig_counter_t *c, ig_verb_e verb)
{
    unsigned           i, n;
    const ig_tuple_t  *tuple;

    tuple = &call->policy->tuple[c->tuple];
    n = c->similar >= 0 ? IG_BANDS : 1;

    if (verb != IG_OP_READ && c->kind == IG_DISTINCT) {
        n *= ig_call_width(call, (unsigned) c->value);
    }

    for (i = 0; i < tuple->nfields && n <= IG_MAX_COMBINATIONS; i++) {
        n *= ig_call_width(call, tuple->field[i]);
    }

    return n;
}


/*
 * Writes the ops of one counter.  Without any, says why: MISSING where the
 * key is, UNKNOWN where key or value cannot be told, or where there would be
 * too many; with some: UNKNOWN too, until they are answered.
 */
static ig_type_e
ig_ops_counter(ig_ops_t *ops, const ig_counter_t *c, ig_verb_e verb)
{
    unsigned          wanted;
    ig_type_e         text;
    ig_tuple_state_e  state;

    state = ig_call_tuple(ops->call, c->tuple);
    text = c->similar >= 0 ? ig_call_bands(ops->call, (unsigned) c->similar)
                           : IG_STRING;

    if (state == IG_TUPLE_MISSING || text == IG_MISSING) {
        return IG_MISSING;
    }

    if (state == IG_TUPLE_UNKNOWN || text == IG_UNKNOWN) {
        return IG_UNKNOWN;
    }

    if (verb != IG_OP_READ && c->value >= 0
        && ops->call->field[c->value].type == IG_UNKNOWN)
    {
        return IG_UNKNOWN;
    }

    wanted = ig_ops_wanted(ops->call, c, verb);

    if (wanted > IG_MAX_COMBINATIONS || wanted > ops->max - ops->nops) {
        return IG_UNKNOWN;
    }

    ops->start = ops->nops;

    if (state == IG_TUPLE_HASHED) {
        ig_ops_key(ops, c, verb, ops->call->tuple[c->tuple]);

    } else {
        ig_ops_combinations(ops, c, verb);
    }

    return IG_UNKNOWN;
}


void
ig_ops_put(ig_ops_t *ops, const ig_counter_t *c)
{
    if (ig_call_countable(ops->call, c) && ig_call_cond(ops->call, c)) {
        (void) ig_ops_counter(ops, c, IG_OP_PUT);
    }
}


/* Whether an earlier rule of this call has put the same key on that list. */
static bool
ig_ops_listed(const ig_ops_t *ops, unsigned nops, const ig_op_t *op)
{
    unsigned  i;

    for (i = 0; i < nops; i++) {
        if (ops->op[i].counter == op->counter
            && memcmp(ops->op[i].key, op->key, IG_HASH) == 0)
        {
            return true;
        }
    }

    return false;
}


/*
 * What was read of the keys says which are on the list already.  Where that is
 * not known the store is left to judge: it does by its own clock, and PUT
 * leaves alone what is there.
 */
void
ig_ops_list(ig_ops_t *ops, const ig_rule_t *rule)
{
    bool                 known;
    ig_op_t             *op;
    unsigned             i, from, kept;
    const ig_counter_t  *list;

    list = ops->call->policy->counter[rule->add];
    known = ops->call->counter[list->id].type == IG_BOOL;
    from = ops->nops;

    (void) ig_ops_counter(ops, list, known || rule->renew ? IG_OP_ADD
                                                          : IG_OP_PUT);

    for (i = from, kept = from; i < ops->nops; i++) {
        op = &ops->op[i];
        op->delta = rule->add_ttl;

        if (rule->renew || !((known && op->raw.last > op->time)
                             || ig_ops_listed(ops, kept, op)))
        {
            ops->op[kept++] = *op;
        }
    }

    ops->nops = kept;
}


/* -- before the decision ------------------------------------------------- */

bool
ig_counter_settles(const ig_counter_t *c)
{
    return c->kind == IG_FIRST || c->kind == IG_LAST || c->cond_late;
}


static ig_verb_e
ig_call_verb(const ig_call_t *call, const ig_plan_counter_t *pc)
{
    const ig_counter_t  *c;

    c = pc->counter;

    if (!pc->writes || c->when == IG_COMPLETED || ig_counter_settles(c)
        || !ig_call_countable(call, c) || !ig_call_cond(call, c))
    {
        return IG_OP_READ;
    }

    return IG_OP_ADD;
}


/* Nothing is known yet of when keys were seen, or until when listed. */
static void
ig_ops_asked(ig_ops_t *ops, const ig_counter_t *c, unsigned from)
{
    unsigned  i;

    if (c->kind != IG_FIRST && c->kind != IG_LAST && c->kind != IG_LISTED) {
        return;
    }

    ops->call->asked[c->id].op = (uint16_t) from;
    ops->call->asked[c->id].n = (uint16_t) (ops->nops - from);

    for (i = from; i < ops->nops; i++) {
        ops->call->seen[i].first = -1;
        ops->call->seen[i].last = -1;
    }
}


unsigned
ig_call_ops(ig_call_t *call, ig_op_t *op)
{
    unsigned                  i, from;
    ig_ops_t                  ops;
    ig_type_e                 type;
    ig_verb_e                 verb;
    const ig_plan_counter_t  *pc;

    ig_ops_init(&ops, call, op);

    for (i = 0; i < call->plan->ncounters; i++) {
        pc = &call->plan->counter[i];
        verb = ig_call_verb(call, pc);

        if (verb == IG_OP_READ && !pc->reads) {

            /* only written, and not now: nobody asks what it stands at */
            call->counter[pc->counter->id] = ig_value_of(IG_MISSING);
            continue;
        }

        from = ops.nops;
        type = ig_ops_counter(&ops, pc->counter, verb);
        ig_ops_asked(&ops, pc->counter, from);

        call->counter[pc->counter->id] = ig_value_of(type);
    }

    return ops.nops;
}
