/*
 * ig_call_int.h: what the files of the call share, and nobody else.
 * Owns and borrows nothing.  Included by ig_call*.c only.
 */

#ifndef IG_CALL_INT_H
#define IG_CALL_INT_H

#include "ig_call.h"
#include "ig_window.h"

/* What a key tuple's fields come to; call->tuple_state[i] is NEW or HASHED. */
typedef enum {
    IG_TUPLE_NEW = 0,           /* never looked up */
    IG_TUPLE_HASHED,            /* each field has one value; call->tuple[i] */
    IG_TUPLE_SET,               /* some is a set: a hash per combination */
    IG_TUPLE_MISSING,           /* some field is missing */
    IG_TUPLE_UNKNOWN            /* some field cannot be told (yet) */
} ig_tuple_state_e;

/*
 * NEW -> HASHED, and stays.  The others are judged anew each time: body and
 * late fields come in later than the first question may.
 */

/* What a text has come to. */
typedef enum {
    IG_BANDS_NEW = 0,           /* never looked at */
    IG_BANDS_SHORT,             /* too few tokens */
    IG_BANDS_HASHED             /* call->band[...] */
} ig_bands_state_e;

/* NEW -> SHORT | HASHED; NEW again where the field is set anew. */

/* Looks the tuple's fields up; hashes them once. */
ig_tuple_state_e ig_call_tuple(ig_call_t *call, unsigned tuple);

/*
 * The keyed hash of a tuple whose fields have the values value[0 ...], in the
 * tuple's order; none of them missing, unknown or a set.
 */
void ig_call_hash(const ig_call_t *call, const ig_value_t *const *value,
    unsigned nvalues, uint8_t key[IG_HASH]);

/*
 * The bands of a text field, hashed once: IG_STRING, or IG_MISSING where it is
 * missing or too short, or IG_UNKNOWN.
 */
ig_type_e ig_call_bands(ig_call_t *call, unsigned field);

/* The keyed hash of one band of a text under a tuple's. */
void ig_call_band_hash(const ig_call_t *call, const uint8_t tuple[IG_HASH],
    unsigned n, uint64_t band, uint8_t key[IG_HASH]);

/* A text field's value from a variable's bytes: decode= and net=. */
ig_value_t ig_field_text(const ig_source_t *source, ig_str_t text,
    ig_mem_t *mem);

/* Whether if= is true now; without if= it is. */
bool ig_call_cond(const ig_call_t *call, const ig_counter_t *counter);

/* -- ig_call_ops.c ------------------------------------------------------- */

/* Where ops are written. */
typedef struct {
    ig_call_t  *call;
    ig_op_t    *op;
    unsigned    nops;
    unsigned    max;
    unsigned    start;                  /* of the counter's own */
    bool        hashed;                 /* event is there */
    uint8_t     event[IG_HASH];         /* member of exact counters */
} ig_ops_t;

void ig_ops_init(ig_ops_t *ops, ig_call_t *call, ig_op_t *op);

/* Writes what a counter counts of this event after the decision, if it does. */
void ig_ops_put(ig_ops_t *ops, const ig_counter_t *c);

/* The call's key goes on the rule's list. */
void ig_ops_list(ig_ops_t *ops, const ig_rule_t *rule);

/* Whether a counter is written only after the decision. */
bool ig_counter_settles(const ig_counter_t *c);

/* The three values no number or string goes with, and SET. */
static inline ig_value_t
ig_value_of(ig_type_e type)
{
    return (ig_value_t) { .type = type };
}

#endif /* IG_CALL_INT_H */
