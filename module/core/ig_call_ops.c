/*
 * ig_call_ops.c: which operations a call wants of the store: before the
 * decision, after it, and at the end.
 * Owns nothing; ops are the caller's.  Borrows the call and its policy.
 * Called by nginx and by backtest.
 */

#include "ig_call_int.h"

#include <math.h>
#include <string.h>


#define IG_MAX_COMBINATIONS  64         /* ops of one counter */

/* Sums keep micro-units in 64 bits: what is larger is not counted. */
#define IG_SUMMAND_MAX  9e12


/* Where ops are written. */
typedef struct {
    ig_call_t  *call;
    ig_op_t    *op;
    unsigned    nops;
    unsigned    max;
    bool        hashed;                 /* event is there */
    uint8_t     event[IG_HASH];         /* member of exact counters */
} ig_ops_t;


static void
ig_ops_init(ig_ops_t *ops, ig_call_t *call, ig_op_t *op)
{
    ops->call = call;
    ops->op = op;
    ops->nops = 0;
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


/* All ops of one key: a distinct value that is a set gives one per member. */
static void
ig_ops_key(ig_ops_t *ops, const ig_counter_t *c, ig_verb_e verb,
    const uint8_t key[IG_HASH])
{
    unsigned             i;
    ig_op_t             *op;
    const ig_value_t    *value;
    const ig_members_t  *set;

    if (verb == IG_OP_READ) {
        (void) ig_ops_add(ops, c, verb, key);
        return;
    }

    if (c->kind != IG_DISTINCT) {
        op = ig_ops_add(ops, c, verb, key);

        if (c->kind == IG_COUNT_EXACT) {
            memcpy(op->member, ig_ops_event(ops), IG_HASH);

        } else if (c->kind == IG_SUM || c->kind == IG_MEAN) {
            (void) ig_call_summand(ops->call, c, &op->delta);

        } else if ((c->kind == IG_FIRST || c->kind == IG_LAST)
                   && ops->call->tuple_state[c->tuple] == IG_TUPLE_HASHED)
        {
            /* of several keys it is not remembered which was seen when */
            op->raw.first = ops->call->seen[c->id].first;
            op->raw.last = ops->call->seen[c->id].last;
        }

        return;
    }

    value = &ops->call->field[c->value];

    if (value->type != IG_SET) {
        op = ig_ops_add(ops, c, verb, key);
        ig_call_member(ops->call, value, op->member);
        return;
    }

    set = &ops->call->members[c->value];

    for (i = 0; i < set->nmembers; i++) {
        op = ig_ops_add(ops, c, verb, key);
        ig_call_member(ops->call, &set->member[i], op->member);
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
    n = 1;

    if (verb != IG_OP_READ && c->kind == IG_DISTINCT) {
        n = ig_call_width(call, (unsigned) c->value);
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
    ig_tuple_state_e  state;

    state = ig_call_tuple(ops->call, c->tuple);

    if (state == IG_TUPLE_MISSING) {
        return IG_MISSING;
    }

    if (state == IG_TUPLE_UNKNOWN) {
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

    if (state == IG_TUPLE_HASHED) {
        ig_ops_key(ops, c, verb, ops->call->tuple[c->tuple]);

    } else {
        ig_ops_combinations(ops, c, verb);
    }

    return IG_UNKNOWN;
}


/* Writes what a counter counts of this event after the decision, if it does. */
static void
ig_ops_put(ig_ops_t *ops, const ig_counter_t *c)
{
    if (ig_call_countable(ops->call, c) && ig_call_cond(ops->call, c)) {
        (void) ig_ops_counter(ops, c, IG_OP_PUT);
    }
}


/* -- before the decision ------------------------------------------------- */

/* Whether a counter is written only after the decision. */
static bool
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


unsigned
ig_call_ops(ig_call_t *call, ig_op_t *op)
{
    unsigned                  i;
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

        type = ig_ops_counter(&ops, pc->counter, verb);
        call->counter[pc->counter->id] = ig_value_of(type);
    }

    return ops.nops;
}


/* -- after the decision -------------------------------------------------- */

static void
ig_op_take_back(const ig_op_t *op, ig_op_t *out)
{
    *out = *op;
    out->verb = IG_OP_UNDO;
    out->state = IG_OP_PENDING;
}


unsigned
ig_op_undo(const ig_op_t *op, unsigned nops, ig_op_t *out)
{
    unsigned  i, n;

    for (i = 0, n = 0; i < nops; i++) {
        if (op[i].verb == IG_OP_ADD && op[i].state == IG_OP_DONE) {
            ig_op_take_back(&op[i], &out[n++]);
        }
    }

    return n;
}


/* Whether the counters' view of the call is that it was turned away. */
static bool
ig_call_rejected(const ig_call_t *call)
{
    return call->counted == IG_THROTTLE || call->counted == IG_DENY;
}


static ig_str_t
ig_decision_action(ig_decision_e d)
{
    static const ig_str_t  name[IG_DECISIONS] = {
        ig_string("decision.allow"),
        ig_string("decision.hold"),
        ig_string("decision.throttle"),
        ig_string("decision.deny")
    };

    return name[d];
}


unsigned
ig_call_settle(ig_call_t *call, const ig_op_t *op, unsigned nops,
    ig_op_t *out)
{
    bool                      rejected;
    unsigned                  i;
    ig_ops_t                  ops;
    const ig_counter_t       *c;
    const ig_plan_counter_t  *pc;

    if (call->refused) {

        /* nothing was counted, and no new key may come in by this door */
        return 0;
    }

    ig_ops_init(&ops, call, out);
    rejected = ig_call_rejected(call);

    for (i = 0; rejected && i < nops; i++) {
        if (op[i].verb == IG_OP_ADD && op[i].state == IG_OP_DONE
            && op[i].counter->when == IG_ACCEPTED)
        {
            ig_op_take_back(&op[i], &out[ops.nops++]);
        }
    }

    for (i = 0; i < call->plan->ncounters; i++) {
        pc = &call->plan->counter[i];
        c = pc->counter;

        if (pc->writes && ig_counter_settles(c) && c->when != IG_COMPLETED
            && !(rejected && c->when == IG_ACCEPTED))
        {
            ig_ops_put(&ops, c);
        }

        if (call->counted != IG_ALLOW
            && ig_actions_match(&c->on, ig_decision_action(call->counted)))
        {
            ig_ops_put(&ops, c);
        }
    }

    return ops.nops;
}


unsigned
ig_call_complete(ig_call_t *call, ig_op_t *out)
{
    unsigned                  i;
    ig_ops_t                  ops;
    const ig_plan_counter_t  *pc;

    if (call->refused || ig_call_rejected(call)) {
        return 0;
    }

    ig_ops_init(&ops, call, out);

    for (i = 0; i < call->plan->ncounters; i++) {
        pc = &call->plan->counter[i];

        if (pc->writes && pc->counter->when == IG_COMPLETED) {
            ig_ops_put(&ops, pc->counter);
        }
    }

    return ops.nops;
}
