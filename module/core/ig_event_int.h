/*
 * ig_event_int.h: one audit line while it is written.
 * Owns nothing; borrows the line's buffer.  Included by ig_event*.c alone.
 */

#ifndef IG_EVENT_INT_H
#define IG_EVENT_INT_H

#include "ig_event.h"

/* Longest texts of a line, in bytes inside the quotes. */
#define IG_EVENT_METHOD  32
#define IG_EVENT_PATH    1024
#define IG_EVENT_NAME    128        /* request id, node, tenant, reason */
#define IG_EVENT_VALUE   256

#define IG_EVENT_TAIL    128        /* closing brackets, policy, cut */

typedef struct {
    ig_buf_t  *b;
    char      *whole;           /* the buffer's end, with the chain's part */
    char      *end;             /* of what may be left out where it is much */
    bool       first;           /* no comma before the next item */
    bool       cut;             /* something was shortened or left out */
} ig_event_line_t;

/* The line's start; IG_ERROR and b->full where b is no buffer for a line. */
int ig_event_begin(ig_event_line_t *l, ig_buf_t *b, ig_str_t kind,
    int64_t time);

/*
 * Says "cut" where that is so, and gives the chain its part of the buffer.
 * Every line that was begun is ended, full or not.
 */
void ig_event_end(ig_event_line_t *l);

/* The longest prefix of s of at most n bytes that ends between characters. */
ig_str_t ig_event_prefix(ig_str_t s, size_t n);

/*
 * A JSON string of at most max bytes between its quotes; a shortened one ends
 * with an ellipsis.
 */
void ig_event_string(ig_event_line_t *l, ig_str_t s, size_t max);

/* ,"key":"value" where there is a value. */
void ig_event_member(ig_event_line_t *l, ig_str_t key, ig_str_t value,
    size_t max);

/* ,"key":n */
void ig_event_uint(ig_event_line_t *l, ig_str_t key, uint64_t n);

/* "key": */
void ig_event_key(ig_event_line_t *l, ig_str_t name);

/*
 * A group of items which may take `part` of `of` parts of what is left of the
 * line.  Returns what ig_event_close wants back.
 */
char *ig_event_open(ig_event_line_t *l, ig_str_t opening, size_t part,
    size_t of);
void ig_event_close(ig_event_line_t *l, char bracket, char *end);

/*
 * An item of a group: _item writes the comma, where one is due; _keep, with
 * what _item returned, takes the item back if it did not fit as a whole.
 */
char *ig_event_item(ig_event_line_t *l);
void ig_event_keep(ig_event_line_t *l, char *mark);

/* -- ig_event.c ---------------------------------------------------------- */

/* A field's one value, or what the secret makes of a private one. */
void ig_event_value(ig_event_line_t *l, const ig_secret_t *secret,
    const ig_field_t *field, const ig_value_t *value);

#endif /* IG_EVENT_INT_H */
