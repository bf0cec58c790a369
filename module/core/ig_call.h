/*
 * ig_call.h: one call on its way through the policy: fields in, counter
 * operations out, raw answers in, a decision out, then what is written after.
 * Owns: nothing; all memory is one block of the caller's.  No I/O, no clock.
 * Called by the request state machine in nginx and by backtest.
 *
 * Order of use:
 *   ig_call_init
 *   ig_call_set_text / _set_value / _add_member for each field of the plan,
 *   or ig_json_extract for those from the body
 *   ig_call_ops          -> the store runs them
 *   ig_call_answer       (the same ops, states and raw set)
 *   ig_call_decide
 *   ig_call_settle       -> the store runs them, nobody waits
 *   ig_call_complete     -> at the end of an answered call, nobody waits
 * or ig_op_undo instead of settle, where the call never took effect.
 */

#ifndef IG_CALL_H
#define IG_CALL_H

#include "ig_op.h"
#include "ig_secret.h"

typedef enum {
    IG_COMPLETE = 0,
    IG_CACHED,
    IG_DEGRADED,
    IG_SKIPPED
} ig_evaluation_e;

ig_str_t ig_evaluation_name(ig_evaluation_e e);

/* Members of a set field; a field of one value has none. */
typedef struct {
    ig_value_t  *member;
    unsigned     nmembers;
} ig_members_t;

/*
 * When a key was seen, or (last) until when it is on a list, as read before
 * the decision; ms, -1: not known.
 */
typedef struct {
    int64_t  first;
    int64_t  last;
} ig_seen_t;

/* A counter's ops before the decision, as a range of them. */
typedef struct {
    uint16_t  op;
    uint16_t  n;
} ig_asked_t;

/* What became of a rule of the plan, by index in plan->rule. */
typedef enum {
    IG_RULE_NOT = 0,            /* false */
    IG_RULE_UNKNOWN,            /* unknown, and on_error is silent */
    IG_RULE_FIRED,
    IG_RULE_ON_ERROR,           /* unknown, acted by its on_error= */
    IG_RULE_EXCEPT              /* left out in this place */
} ig_outcome_e;

typedef struct {
    const ig_policy_t  *policy;
    const ig_plan_t    *plan;
    const ig_place_t   *place;
    const ig_secret_t  *secret;
    ig_str_t            tenant;
    int64_t             time;           /* ms since epoch: the event's own */
    char                event[26];      /* ULID */
    bool                dry_run;        /* the place's */

    ig_value_t         *field;          /* by field id */
    ig_members_t       *members;        /* by field id */
    ig_value_t         *counter;        /* by counter id */
    uint8_t           (*tuple)[IG_HASH];    /* by tuple id; see tuple_state */
    uint8_t            *tuple_state;
    uint8_t            *outcome;        /* by index in plan->rule */

    ig_decision_e       decision;       /* what takes effect */
    ig_decision_e       would;          /* with dry-run rules and places */
    ig_decision_e       counted;        /* by enforced rules, as if the place
                                           were enforced: counters go by it */
    int                 score;          /* of enforced rules */
    int                 would_score;    /* with dry-run rules */
    ig_evaluation_e     evaluation;
    bool                refused;        /* new-key cap hit */

    /* private from here on */
    ig_seen_t          *seen;           /* by op before the decision */
    ig_asked_t         *asked;          /* by counter id: first, last, lists */
    uint64_t          (*band)[IG_BANDS];    /* by field->similar */
    uint8_t            *band_state;
} ig_call_t;

/* Bytes of the block that ig_call_init wants, aligned as by malloc. */
size_t ig_call_size(const ig_policy_t *policy, const ig_plan_t *plan);

/*
 * Lays the call out in `block` (of ig_call_size, need not be zeroed) and
 * returns it.  All fields start missing, all counters unknown.  place, secret,
 * tenant and plan must outlive the call.
 */
ig_call_t *ig_call_init(void *block, const ig_policy_t *policy,
    const ig_plan_t *plan, const ig_place_t *place, const ig_secret_t *secret,
    ig_str_t tenant, int64_t time, const char event[26]);

/*
 * Sets a field from an nginx variable's bytes: empty is missing; decode= and
 * net= are applied here (scratch memory comes from mem, may be request
 * memory; NULL result of alloc makes the field unknown).  Bytes must outlive
 * the call.
 */
void ig_call_set_text(ig_call_t *call, const ig_source_t *source,
    ig_str_t text, ig_mem_t *mem);

/* A typed value, as JSON gives it; empty strings are missing. */
void ig_call_set_value(ig_call_t *call, const ig_source_t *source,
    ig_value_t value);

/*
 * One more element of a set.  IG_ERROR past IG_MAX_MEMBERS, IG_NOMEM.
 * Equal elements are kept once.
 */
int ig_call_add_member(ig_call_t *call, const ig_source_t *source,
    ig_value_t value, ig_mem_t *mem);

/* All operations wanted before the decision, at most plan->max_ops. */
unsigned ig_call_ops(ig_call_t *call, ig_op_t *op);

/*
 * Takes the raw answers of those ops.  `known` tells, by counter id, whether
 * the store has remembered the counter for its warm-up (NULL: all known).
 * Ops FAILED leave their counter unknown; several ops of one counter (sets)
 * give the largest value.
 */
void ig_call_answer(ig_call_t *call, const ig_op_t *op, unsigned nops,
    const uint8_t *known);

/* Runs the rules; sets outcome, decision, would, score, would_score. */
void ig_call_decide(ig_call_t *call);

/*
 * What is written after the decision: take-backs of `accepted` counters where
 * the decision (or, in dry run, what it would have been) is throttle or deny;
 * first and last; counters whose if= reads counters; decision.* counters; keys
 * that rules put on lists.  A refused call writes nothing, here and in
 * ig_call_complete.
 * In ops that write first and last, raw is what was read of the key before
 * the decision, where that is known: a store without it must look again.
 * `op` are those of ig_call_ops as answered; writes at most plan->max_ops
 * to `out`.
 */
unsigned ig_call_settle(ig_call_t *call, const ig_op_t *op, unsigned nops,
    ig_op_t *out);

/*
 * Whether the rule plan->rule[i] puts the call's key on its list: it fired, it
 * and its place are enforced, the key is known, and not known to be on it
 * (but for renew).  After ig_call_decide.
 */
bool ig_call_adds(const ig_call_t *call, unsigned i);

/*
 * At the end of a call the application answered with 2xx: the ops of
 * `completed` counters.  Late fields must have been set before.  None where
 * the call would have been throttled or denied but for a dry-run place.
 */
unsigned ig_call_complete(ig_call_t *call, ig_op_t *out);

/* UNDO for each ADD of `op` that was DONE; returns how many in out. */
unsigned ig_op_undo(const ig_op_t *op, unsigned nops, ig_op_t *out);

/*
 * The keyed hash of a counter's key for this call, for over-limit notes.
 * False where a key field is missing or a set.
 */
bool ig_call_key(ig_call_t *call, const ig_counter_t *counter,
    uint8_t key[IG_HASH]);

/* Whether the fields of the counter's key are there, one value or a set. */
bool ig_call_has_key(const ig_call_t *call, const ig_counter_t *counter);

#endif /* IG_CALL_H */
