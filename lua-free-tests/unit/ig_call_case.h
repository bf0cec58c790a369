/*
 * ig_call_case.h: calls for tests: a policy from text, a secret, a place with
 * the policy's thresholds, and the embedded table to run the ops.
 * Owns: all of these, until ig_call_case_free.
 * Called by the tests of the call.
 */

#ifndef IG_CALL_CASE_H
#define IG_CALL_CASE_H

#include "ig_policy_case.h"
#include "ig_call_int.h"
#include "ig_table.h"

typedef struct {
    ig_policy_case_t  *source;
    ig_policy_t       *policy;
    ig_secret_t        secret;
    ig_place_t         place;
    double             threshold[8];
    uint8_t            except[IG_MAX_RULES];
    ig_str_t           tenant;
    bool               dry_run;
    ig_table_t        *table;

    ig_plan_t         *plan;
    ig_call_t         *call;
    ig_op_t            op[IG_MAX_OPS];
    unsigned           nops;
    ig_op_t            out[IG_MAX_OPS];
    unsigned           nout;
} ig_call_case_t;

ig_call_case_t *ig_call_case_make(const char *policy);
void ig_call_case_free(ig_call_case_t *c);

/*
 * The same with fields before those lines: account, device, amount ($),
 * rating (json), the sets sku and size (json), ticket (of the answer).
 */
ig_call_case_t *ig_call_case_fields(const char *lines);

/* A new call at `time` (ms); event 7 has the id "0000...07". */
void ig_call_case_begin(ig_call_case_t *c, const char *action, int64_t time,
    unsigned event);

/* Fields by name; NULL text: an empty variable. */
void ig_call_case_text(ig_call_case_t *c, const char *field,
    const char *text);
void ig_call_case_number(ig_call_case_t *c, const char *field, double num);
int ig_call_case_member(ig_call_case_t *c, const char *field,
    const char *text);

/* Members "0", "1", ... of a set. */
void ig_call_case_members(ig_call_case_t *c, const char *field, unsigned n);

/* Ops, table, answers, decision: everything before settle. */
void ig_call_case_decide(ig_call_case_t *c);

/* The ops after the decision, and at the end; run on the table. */
void ig_call_case_settle(ig_call_case_t *c);
void ig_call_case_complete(ig_call_case_t *c);

/* Each of them, and the text of its ops. */
const char *ig_call_case_decided(ig_call_case_t *c);
const char *ig_call_case_settled(ig_call_case_t *c);
const char *ig_call_case_completed(ig_call_case_t *c);

/*
 * Ops as "name+ name? name= name-": added, read, put, taken back, in order.
 * The text is good until the next call.
 */
const char *ig_call_case_ops(const ig_op_t *op, unsigned nops);

/* A counter's value as "7", "missing", "unknown". */
const char *ig_call_case_value(const ig_call_case_t *c, const char *name);

#endif /* IG_CALL_CASE_H */
