/*
 * ig_buf.h: one writer over one bounded buffer.
 * Owns nothing: the memory is the caller's.  What does not fit is dropped
 * whole and remembered in `full`, so callers check once, at the end.
 */

#ifndef IG_BUF_H
#define IG_BUF_H

#include "ig_core.h"

typedef struct {
    char  *start;
    char  *pos;
    char  *end;
    bool   full;        /* something did not fit; content is not to be used */
} ig_buf_t;

void ig_buf_init(ig_buf_t *b, char *memory, size_t size);
ig_str_t ig_buf_str(const ig_buf_t *b);

void ig_buf_bytes(ig_buf_t *b, const char *data, size_t len);
void ig_buf_str_add(ig_buf_t *b, ig_str_t s);
#define ig_buf_lit(b, lit)  ig_buf_bytes(b, lit, sizeof(lit) - 1)
void ig_buf_char(ig_buf_t *b, char c);
void ig_buf_u64(ig_buf_t *b, uint64_t n);
void ig_buf_i64(ig_buf_t *b, int64_t n);

/* A duration of at least 0 ms as configurations write it: "90s", "7d", "0". */
void ig_buf_duration(ig_buf_t *b, int64_t ms);

/*
 * A number as people and JSON write it: integers without a point, others with
 * at most six decimals and no trailing zeros, never an exponent below 1e15.
 * NaN and infinities are written as null.
 */
void ig_buf_number(ig_buf_t *b, double n);

/* The inside of a JSON string (no quotes): escapes, bad UTF-8 as U+FFFD. */
void ig_buf_json(ig_buf_t *b, ig_str_t s);

/* A JSON string with quotes. */
void ig_buf_json_string(ig_buf_t *b, ig_str_t s);

/* base64url without padding (RFC 4648, section 5). */
void ig_buf_base64url(ig_buf_t *b, const uint8_t *data, size_t len);

void ig_buf_hex(ig_buf_t *b, const uint8_t *data, size_t len);

/* RFC 3339 UTC with milliseconds: 2026-11-23T12:00:00.123Z. ms since epoch. */
void ig_buf_time(ig_buf_t *b, int64_t ms);

#endif /* IG_BUF_H */
