/*
 * ig_ctl_describe.h: counters, durations and decisions in words.
 * Owns nothing; writes into the caller's buffer.  Included by the desk.
 */

#ifndef IG_CTL_DESCRIBE_H
#define IG_CTL_DESCRIBE_H

#include "ig_buf.h"
#include "ig_policy.h"

/* "1 hour", "90 days", "1h30m"; ms >= 0. */
void ig_describe_duration(ig_buf_t *b, int64_t ms);

/*
 * What a counter's value is, as half a sentence: "calls of review.create with
 * the same account within 1 hour".  action: of the call it is told for, or
 * empty.  in_public: without its window and its condition.
 */
void ig_describe_counter(ig_buf_t *b, const ig_policy_t *policy,
    const ig_counter_t *counter, ig_str_t action, bool in_public);

/* "account", "account and product", "account, device and product". */
void ig_describe_key(ig_buf_t *b, const ig_policy_t *policy,
    const ig_counter_t *counter);

/* What became of a call: "It was held: ...". */
const char *ig_describe_decision(ig_decision_e d);

/* "passed", "been held", "been throttled", "been denied". */
const char *ig_describe_would(ig_decision_e d);

#endif /* IG_CTL_DESCRIBE_H */
