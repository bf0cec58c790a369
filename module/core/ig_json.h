/*
 * ig_json.h: reading a body: limits first, then jansson, then the fields a
 * plan wants.  The only door to jansson.
 * Owns: the parsed tree, from ig_json_parse to ig_json_free.
 * Called by the body reader in nginx and by backtest.
 */

#ifndef IG_JSON_H
#define IG_JSON_H

#include "ig_call.h"

typedef struct ig_json_s  ig_json_t;

typedef enum {
    IG_JSON_OK = 0,
    IG_JSON_EMPTY,              /* no body, or only white space */
    IG_JSON_INVALID,            /* not JSON, duplicate keys, bad UTF-8 */
    IG_JSON_DEPTH,              /* deeper than depth= */
    IG_JSON_VALUES,             /* more values than values= */
    IG_JSON_SET,                /* an array under '*' has over 64 elements */
    IG_JSON_TYPE,               /* object or array where a value is expected */
    IG_JSON_NOMEM
} ig_json_state_e;

/* "invalid json", "too deep", ... as the audit log says it. */
ig_str_t ig_json_state_name(ig_json_state_e s);

/*
 * Counts depth and values of `text` in one scan, before anything is
 * allocated.  OK, EMPTY, DEPTH, VALUES; syntax is not judged here.
 */
ig_json_state_e ig_json_scan(ig_str_t text, unsigned depth, unsigned values);

/*
 * Parses: OK, INVALID (no value at all is invalid too: scan first) or NOMEM.
 * Duplicate keys and integers over 64 bits are invalid; a lone value at the
 * top is valid JSON without fields.
 */
ig_json_state_e ig_json_parse(ig_str_t text, ig_json_t **json);
void ig_json_free(ig_json_t *json);

/*
 * Sets every field of the call's plan whose source is JSON, or, where the
 * result is not OK (SET, TYPE, NOMEM), leaves all of them missing.  null and
 * "" are missing.  Strings point into the tree: it must outlive the call.
 * mem: for sets and digits.
 */
ig_json_state_e ig_json_extract(const ig_json_t *json, ig_call_t *call,
    ig_mem_t *mem);

/*
 * One value by name at the top level (event streams of integrityctl, the
 * body's operation name): MISSING where absent, SET where not a scalar.
 */
ig_value_t ig_json_member(const ig_json_t *json, ig_str_t name,
    ig_mem_t *mem);

/*
 * One value by the tokens of a JSON source without '*'; as ig_json_member.
 * UNKNOWN from either where mem gave nothing.
 */
ig_value_t ig_json_value(const ig_json_t *json, const ig_source_t *source,
    ig_mem_t *mem);

/*
 * The object that is a member at the top level, as if it were the whole:
 * borrowed, not to be freed.  NULL: there is none.
 */
const ig_json_t *ig_json_object(const ig_json_t *json, ig_str_t name);

/* Members of an object; 0 of NULL. */
unsigned ig_json_size(const ig_json_t *object);

/*
 * The object's member `i` (from 0, in the order of the text) and its name:
 * borrowed, NULL beyond the last.  For few members: it counts from the first.
 */
const ig_json_t *ig_json_at(const ig_json_t *object, unsigned i,
    ig_str_t *name);

/*
 * Sets the field of `source` from the member of that name at the top level,
 * whatever the source is (event streams): an array gives a set.  As
 * ig_json_extract for one field.
 */
ig_json_state_e ig_json_named(const ig_json_t *json, ig_str_t name,
    ig_call_t *call, const ig_source_t *source, ig_mem_t *mem);

#endif /* IG_JSON_H */
