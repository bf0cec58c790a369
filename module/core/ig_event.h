/*
 * ig_event.h: audit records as JSON lines, up to but without the chain's
 * part ("chain", "seq", "prev", "hash", closing brace): see ig_chain.h.
 * Owns nothing.  Called by the request state machine, the audit writer and,
 * for backtest's output, integrityctl.
 */

#ifndef IG_EVENT_H
#define IG_EVENT_H

#include "ig_call.h"

#define IG_LINE_MAX  8192       /* with the chain's part and the newline */
#define IG_CHAIN_PART  320      /* what the chain's part takes at most */

#define IG_EVENT_POLICY  8      /* bytes of the policy's hash in every event */

/*
 * Every function below but the last two begins a line in an empty buffer of
 * IG_LINE_MAX bytes; b->full where the buffer is smaller and does not do.
 * Texts that are too long are cut and end with an ellipsis; "cut":true says
 * that a line has such a text or lacks an item.
 */

/* What only the host knows of a call. */
typedef struct {
    ig_str_t  method;
    ig_str_t  path;             /* the location's name, or the URI */
    ig_str_t  request;          /* nginx's request id; may be empty */
    ig_str_t  node;
    ig_str_t  body;             /* why the body was not inspected; or empty */
} ig_event_host_t;

/*
 * kind "decision": one object per decided call.  Private fields as
 * pseudonyms, text fields as fingerprints, both null without a secret; values
 * over 256 bytes are cut.  Where the line would pass IG_LINE_MAX, the last
 * fields give way, then counters, then rules.
 */
void ig_event_decision(ig_buf_t *b, const ig_call_t *call,
    const ig_event_host_t *host);

typedef struct {
    int64_t   time;             /* ms since epoch */
    ig_str_t  event;            /* the id of its decision */
    unsigned  status;
    unsigned  upstream;         /* 0: none was asked */
    int64_t   duration;         /* ms */
    bool      aborted;          /* the client left before the decision */
} ig_event_outcome_t;

void ig_event_outcome(ig_buf_t *b, const ig_event_outcome_t *o, ig_str_t node);

/*
 * kind "repeat": `count` more calls which the decision line of `event` stands
 * for (answered from shared memory: same key, rule, decision and second).
 */
void ig_event_repeat(ig_buf_t *b, int64_t time, ig_str_t event,
    uint64_t count, ig_str_t node);

typedef struct {
    int64_t              time;      /* ms since epoch */
    ig_str_t             op;        /* "add", "remove" */
    const ig_counter_t  *list;
    int64_t              until;     /* ms since epoch; 0: does not matter */
    ig_str_t             reason;
    ig_str_t             by;
    ig_str_t             node;
    bool                 failed;    /* the store could not; told afterwards */
} ig_event_list_t;

/*
 * kind "list": a person's change to a list, written before it takes effect.
 * The key is that of `call`, of which only fields, tenant and event are used;
 * every field of the list's key has one value.
 */
void ig_event_list(ig_buf_t *b, const ig_call_t *call,
    const ig_event_list_t *e);

typedef struct {
    int64_t                     time;       /* ms since epoch */
    ig_str_t                    op;         /* "inspect", "reset" */
    const ig_counter_t *const  *counter;    /* all of the same key */
    unsigned                    ncounters;  /* at least one */
    ig_str_t                    reason;
    ig_str_t                    by;
    ig_str_t                    node;
    bool                        failed;     /* as above */
} ig_event_key_t;

/*
 * kind "key": a person looked at what is remembered of a key, or had it
 * forgotten; written before either.  The key is that of `call`, as above.
 */
void ig_event_of_key(ig_buf_t *b, const ig_call_t *call,
    const ig_event_key_t *e);

typedef struct {
    int64_t   time;             /* ms since epoch */
    ig_str_t  op;               /* "begin", "end" */
    ig_str_t  load;             /* id of what is loaded: joins both lines */
    int64_t   since;            /* ms since epoch: what the events cover */
    int64_t   until;
    uint64_t  events;
    uint64_t  writes;           /* keys, and members of keys, written */
    ig_str_t  reason;
    ig_str_t  by;
    ig_str_t  node;
    bool      failed;           /* the store could not; told afterwards */
} ig_event_load_t;

/*
 * kind "load": a person fills counters from history, written before it takes
 * effect.  Of `call` only event, tenant and policy are used.
 */
void ig_event_load(ig_buf_t *b, const ig_call_t *call,
    const ig_event_load_t *e);

/* kind "unclassified": calls of a place that named no action, summed up. */
void ig_event_unclassified(ig_buf_t *b, int64_t time, ig_str_t node,
    ig_str_t path, ig_str_t method, ig_str_t action, uint64_t count,
    bool denied);

/*
 * kind "policy", part `part` (from 1) of `parts`: the canonical text behind
 * the hash, split so that every line fits.  ig_event_policy_parts says how
 * many there are.
 */
unsigned ig_event_policy_parts(const ig_policy_t *policy);
void ig_event_policy(ig_buf_t *b, int64_t time, ig_str_t node,
    const ig_policy_t *policy, unsigned part, unsigned parts);

/* 26 characters of Crockford base32: 48 bits of ms, 80 random bits. */
void ig_event_id(char out[26], int64_t time, const uint8_t random[10]);

/*
 * "decision;action=..;method=..;score=..;id=..;t=..;sig=..": t in seconds,
 * sig HMAC-SHA256/128 in base64url over all before ";sig=", with the verdict
 * key of the secret's first line; left out where there is no secret.
 */
void ig_event_verdict(ig_buf_t *b, const ig_call_t *call, ig_str_t method);

#endif /* IG_EVENT_H */
