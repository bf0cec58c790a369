/*
 * ig_value.h: what a field or a counter is worth in an expression, and the
 * readers of numbers, durations and names that configuration shares.
 * Owns nothing.  Called by the expression language, fields and counters.
 */

#ifndef IG_VALUE_H
#define IG_VALUE_H

#include "ig_buf.h"

typedef enum {
    IG_UNKNOWN = 0,     /* it may exist, but cannot be told now */
    IG_MISSING,         /* it is known that there is none */
    IG_NUMBER,
    IG_STRING,
    IG_BOOL,            /* num is 1 or 0; as a key "true" or "false" */
    IG_SET              /* more than one member: present, but no one value */
} ig_type_e;

typedef struct {
    ig_type_e  type;
    double     num;     /* IG_NUMBER, IG_BOOL */
    ig_str_t   str;     /* IG_STRING; IG_NUMBER: exact digits or len 0 */
} ig_value_t;

/*
 * The text of a value where it is a key: 42, 42.0 and "42" give "42".
 * scratch holds at least IG_KEY_TEXT bytes; the result points into it or into
 * the value.  MISSING, UNKNOWN and SET give an empty string.
 */
#define IG_KEY_TEXT  40
ig_str_t ig_value_key(const ig_value_t *v, char *scratch);

/* A whole string as a decimal number (no hex, nan, inf or blanks). */
bool ig_parse_number(ig_str_t s, double *n);

/*
 * A duration in nginx's manner: ms s m h d w M(30d) y(365d), combinable
 * ("1h30m"); a bare number is seconds.  Result in milliseconds, > 0.
 */
bool ig_parse_duration(ig_str_t s, int64_t *ms);

bool ig_parse_uint(ig_str_t s, uint64_t max, uint64_t *n);

/* [A-Za-z_][A-Za-z0-9_]{0,63}: names of fields, counters, rules, thresholds. */
bool ig_is_name(ig_str_t s);

/* [a-z0-9._-]{1,64} */
bool ig_is_action(ig_str_t s);

#endif /* IG_VALUE_H */
