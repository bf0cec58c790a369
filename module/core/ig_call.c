/*
 * ig_call.c: the call's memory, its fields, and the keyed hashes of them.
 * Owns nothing: the block is the caller's.  Borrows policy, plan, place,
 * secret and the fields' bytes.  Called by nginx and by backtest.
 */

#include "ig_call_int.h"

#include <string.h>


/* Times beyond this (ms, in the year 287396) would run over in sums. */
#define IG_TIME_MAX  9007199254740992


ig_str_t
ig_evaluation_name(ig_evaluation_e e)
{
    static const ig_str_t  name[] = {
        ig_string("complete"),
        ig_string("cached"),
        ig_string("degraded"),
        ig_string("skipped")
    };

    return (unsigned) e < ig_countof(name) ? name[e] : ig_str("unknown");
}


/* -- memory -------------------------------------------------------------- */

/*
 * One pass both sizes and places the parts, so that the two cannot disagree:
 * without a block it only counts.
 */
typedef struct {
    char    *block;
    size_t   size;
} ig_layout_t;


static void *
ig_layout(ig_layout_t *layout, size_t size)
{
    char  *part;

    part = layout->block != NULL ? layout->block + layout->size : NULL;
    layout->size += (size + 7) & ~(size_t) 7;

    return part;
}


static size_t
ig_call_layout(ig_call_t *call, void *block, const ig_policy_t *policy,
    const ig_plan_t *plan)
{
    ig_layout_t  layout;

    layout.block = block;
    layout.size = 0;

    (void) ig_layout(&layout, sizeof(ig_call_t));

    call->field = ig_layout(&layout, policy->nfields * sizeof(ig_value_t));
    call->members = ig_layout(&layout,
                              policy->nfields * sizeof(ig_members_t));
    call->counter = ig_layout(&layout,
                              policy->ncounters * sizeof(ig_value_t));
    call->seen = ig_layout(&layout, plan->max_ops * sizeof(ig_seen_t));
    call->asked = ig_layout(&layout, policy->ncounters * sizeof(ig_asked_t));
    call->tuple = ig_layout(&layout, policy->ntuples * IG_HASH);
    call->tuple_state = ig_layout(&layout, policy->ntuples);
    call->band = ig_layout(&layout, policy->nsimilar * sizeof(*call->band));
    call->band_state = ig_layout(&layout, policy->nsimilar);
    call->outcome = ig_layout(&layout, plan->nrules);

    return layout.size;
}


size_t
ig_call_size(const ig_policy_t *policy, const ig_plan_t *plan)
{
    ig_call_t  call;

    return ig_call_layout(&call, NULL, policy, plan);
}


ig_call_t *
ig_call_init(void *block, const ig_policy_t *policy, const ig_plan_t *plan,
    const ig_place_t *place, const ig_secret_t *secret, ig_str_t tenant,
    int64_t time, const char event[26])
{
    unsigned            i;
    ig_call_t          *call;
    const ig_source_t  *source;

    call = block;

    memset(call, 0, sizeof(ig_call_t));

    (void) ig_call_layout(call, block, policy, plan);

    call->policy = policy;
    call->plan = plan;
    call->place = place;
    call->secret = secret;
    call->tenant = tenant;
    call->time = time > IG_TIME_MAX ? IG_TIME_MAX
                 : time < -IG_TIME_MAX ? -IG_TIME_MAX : time;

    memcpy(call->event, event, sizeof(call->event));

    /* zero is unknown, no op, new tuple or text, a rule that did not fire */

    memset(call->members, 0, policy->nfields * sizeof(ig_members_t));
    memset(call->counter, 0, policy->ncounters * sizeof(ig_value_t));
    memset(call->asked, 0, policy->ncounters * sizeof(ig_asked_t));
    memset(call->tuple_state, 0, policy->ntuples);
    memset(call->band_state, 0, policy->nsimilar);
    memset(call->outcome, 0, plan->nrules);

    for (i = 0; i < policy->nfields; i++) {
        source = plan->source[i];

        call->field[i] = ig_value_of(source != NULL && source->late
                                     ? IG_UNKNOWN : IG_MISSING);
    }

    return call;
}


/* -- fields -------------------------------------------------------------- */

static void
ig_call_set(ig_call_t *call, unsigned field, ig_value_t value)
{
    int  similar;

    call->field[field] = value;
    call->members[field].nmembers = 0;

    similar = call->policy->field[field]->similar;

    if (similar >= 0) {
        call->band_state[similar] = IG_BANDS_NEW;
    }
}


void
ig_call_set_text(ig_call_t *call, const ig_source_t *source, ig_str_t text,
    ig_mem_t *mem)
{
    ig_call_set(call, source->field, ig_field_text(source, text, mem));
}


void
ig_call_set_value(ig_call_t *call, const ig_source_t *source,
    ig_value_t value)
{
    if (value.type == IG_STRING && value.str.len == 0) {
        value = ig_value_of(IG_MISSING);
    }

    ig_call_set(call, source->field, value);
}


/* Whether both are the same key. */
static bool
ig_value_same(const ig_value_t *a, const ig_value_t *b)
{
    char  text_a[IG_KEY_TEXT], text_b[IG_KEY_TEXT];

    if (a->type == IG_STRING && b->type == IG_STRING) {
        return ig_str_eq(a->str, b->str);
    }

    if (a->type == IG_NUMBER && b->type == IG_NUMBER && a->num != b->num) {
        return false;
    }

    return ig_str_eq(ig_value_key(a, text_a), ig_value_key(b, text_b));
}


/* Makes a field of one value a set of that one. */
static int
ig_call_open_set(ig_call_t *call, unsigned field, ig_mem_t *mem)
{
    ig_members_t  *set;

    set = &call->members[field];

    if (set->member == NULL) {
        set->member = ig_alloc(mem, IG_MAX_MEMBERS * sizeof(ig_value_t));

        if (set->member == NULL) {
            call->field[field] = ig_value_of(IG_UNKNOWN);
            return IG_NOMEM;
        }
    }

    set->member[0] = call->field[field];
    set->nmembers = 1;
    call->field[field] = ig_value_of(IG_SET);

    return IG_OK;
}


int
ig_call_add_member(ig_call_t *call, const ig_source_t *source,
    ig_value_t value, ig_mem_t *mem)
{
    unsigned       i;
    ig_value_t    *field;
    ig_members_t  *set;

    if (value.type == IG_MISSING || value.type == IG_UNKNOWN
        || value.type == IG_SET
        || (value.type == IG_STRING && value.str.len == 0))
    {
        return IG_OK;
    }

    field = &call->field[source->field];
    set = &call->members[source->field];

    if (field->type == IG_MISSING || field->type == IG_UNKNOWN) {
        *field = value;
        return IG_OK;
    }

    if (field->type != IG_SET) {
        if (ig_value_same(field, &value)) {
            return IG_OK;
        }

        if (ig_call_open_set(call, source->field, mem) != IG_OK) {
            return IG_NOMEM;
        }
    }

    for (i = 0; i < set->nmembers; i++) {
        if (ig_value_same(&set->member[i], &value)) {
            return IG_OK;
        }
    }

    if (set->nmembers == IG_MAX_MEMBERS) {
        return IG_ERROR;
    }

    set->member[set->nmembers++] = value;

    return IG_OK;
}


/* -- keys ---------------------------------------------------------------- */

/* A set among the fields wins over nothing: missing and unknown come first. */
static ig_tuple_state_e
ig_call_tuple_state(const ig_call_t *call, const ig_tuple_t *tuple)
{
    unsigned          i;
    ig_tuple_state_e  state;

    state = IG_TUPLE_HASHED;

    for (i = 0; i < tuple->nfields; i++) {

        switch (call->field[tuple->field[i]].type) {

        case IG_MISSING:
            return IG_TUPLE_MISSING;

        case IG_UNKNOWN:
            state = IG_TUPLE_UNKNOWN;
            break;

        case IG_SET:
            if (state == IG_TUPLE_HASHED) {
                state = IG_TUPLE_SET;
            }

            break;

        default:
            break;
        }
    }

    return state;
}


void
ig_call_hash(const ig_call_t *call, const ig_value_t *const *value,
    unsigned nvalues, uint8_t key[IG_HASH])
{
    char       scratch[IG_KEY_TEXT];
    uint8_t    out[IG_SHA256];
    unsigned   i;
    ig_hmac_t  hmac;

    ig_hmac_init(&hmac, &call->secret->store);
    ig_hmac_update_str(&hmac, call->tenant);

    for (i = 0; i < nvalues; i++) {
        ig_hmac_update_str(&hmac, ig_value_key(value[i], scratch));
    }

    ig_hmac_final(&hmac, out);
    memcpy(key, out, IG_HASH);
}


ig_tuple_state_e
ig_call_tuple(ig_call_t *call, unsigned tuple)
{
    unsigned           i;
    const ig_value_t  *value[IG_MAX_KEY];
    ig_tuple_state_e   state;
    const ig_tuple_t  *t;

    if (call->tuple_state[tuple] == IG_TUPLE_HASHED) {
        return IG_TUPLE_HASHED;
    }

    t = &call->policy->tuple[tuple];
    state = ig_call_tuple_state(call, t);

    if (state == IG_TUPLE_HASHED) {
        for (i = 0; i < t->nfields; i++) {
            value[i] = &call->field[t->field[i]];
        }

        ig_call_hash(call, value, t->nfields, call->tuple[tuple]);
        call->tuple_state[tuple] = IG_TUPLE_HASHED;
    }

    return state;
}


ig_type_e
ig_call_bands(ig_call_t *call, unsigned field)
{
    char               scratch[IG_KEY_TEXT];
    uint8_t           *state;
    unsigned           similar;
    const ig_value_t  *text;

    text = &call->field[field];

    if (text->type == IG_MISSING || text->type == IG_UNKNOWN) {
        return text->type;
    }

    similar = (unsigned) call->policy->field[field]->similar;
    state = &call->band_state[similar];

    if (*state == IG_BANDS_NEW) {
        *state = ig_similar(&call->secret->similar,
                            ig_value_key(text, scratch), call->band[similar])
                 ? IG_BANDS_HASHED : IG_BANDS_SHORT;
    }

    return *state == IG_BANDS_HASHED ? IG_STRING : IG_MISSING;
}


void
ig_call_band_hash(const ig_call_t *call, const uint8_t tuple[IG_HASH],
    unsigned n, uint64_t band, uint8_t key[IG_HASH])
{
    uint8_t    out[IG_SHA256];
    unsigned   i;
    ig_hmac_t  hmac;
    uint8_t    bytes[IG_HASH + 1 + sizeof(band)];

    memcpy(bytes, tuple, IG_HASH);
    bytes[IG_HASH] = (uint8_t) n;

    /* written so that all machines of a shared store agree */

    for (i = 0; i < sizeof(band); i++) {
        bytes[IG_HASH + 1 + i] = (uint8_t) (band >> 8 * i);
    }

    ig_hmac_init(&hmac, &call->secret->store);
    ig_hmac_update_str(&hmac, ig_str("s"));
    ig_hmac_update(&hmac, bytes, sizeof(bytes));
    ig_hmac_final(&hmac, out);

    memcpy(key, out, IG_HASH);
}


bool
ig_call_key(ig_call_t *call, const ig_counter_t *counter,
    uint8_t key[IG_HASH])
{
    if (ig_call_tuple(call, counter->tuple) != IG_TUPLE_HASHED) {
        return false;
    }

    memcpy(key, call->tuple[counter->tuple], IG_HASH);

    return true;
}


bool
ig_call_has_key(const ig_call_t *call, const ig_counter_t *counter)
{
    ig_tuple_state_e  state;

    state = ig_call_tuple_state(call, &call->policy->tuple[counter->tuple]);

    return state == IG_TUPLE_HASHED || state == IG_TUPLE_SET;
}
