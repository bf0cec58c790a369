/*
 * ig_verify_syntax.c: JSON (RFC 8259) as the writer writes it, without
 * blanks: where a member of an object begins and ends.
 * Owns nothing; borrows the line.  Called by ig_verify_line.c.
 */

#include <string.h>

#include "ig_verify_int.h"

static const char *ig_line_value(const char *p, const char *end,
    unsigned depth);


static bool
ig_line_is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')
           || (c >= 'A' && c <= 'F');
}


/* The functions below return where the thing at p ends, or NULL. */

static const char *
ig_line_escape(const char *p, const char *end)
{
    int  i;

    if (p == end) {
        return NULL;
    }

    if (*p != 'u') {
        return *p != '\0' && strchr("\"\\/bfnrt", *p) ? p + 1 : NULL;
    }

    for (i = 1; i <= 4; i++) {
        if (end - p <= i || !ig_line_is_hex(p[i])) {
            return NULL;
        }
    }

    return p + 5;
}


static const char *
ig_line_string(const char *p, const char *end)
{
    if (p == end || *p != '"') {
        return NULL;
    }

    p++;

    while (p != NULL && p < end) {
        if (*p == '"') {
            return p + 1;
        }

        if ((unsigned char) *p < 0x20) {
            return NULL;
        }

        p = *p == '\\' ? ig_line_escape(p + 1, end) : p + 1;
    }

    return NULL;
}


static const char *
ig_line_digits(const char *p, const char *end)
{
    const char  *start = p;

    while (p < end && *p >= '0' && *p <= '9') {
        p++;
    }

    return p > start ? p : NULL;
}


static const char *
ig_line_number(const char *p, const char *end)
{
    const char  *start;

    p += (*p == '-');
    start = p;
    p = ig_line_digits(p, end);

    if (p == NULL || (*start == '0' && p > start + 1)) {
        return NULL;
    }

    if (p < end && *p == '.') {
        p = ig_line_digits(p + 1, end);
    }

    if (p != NULL && p < end && (*p == 'e' || *p == 'E')) {
        p++;
        p += (p < end && (*p == '+' || *p == '-'));
        p = ig_line_digits(p, end);
    }

    return p;
}


static const char *
ig_line_word(const char *p, const char *end, ig_str_t word)
{
    return (size_t) (end - p) >= word.len
           && memcmp(p, word.data, word.len) == 0 ? p + word.len : NULL;
}


const char *
ig_line_member(const char *p, const char *end, unsigned depth,
    ig_line_member_t *m)
{
    m->comma = p - 1;
    m->key.data = p + 1;
    p = ig_line_string(p, end);

    if (p == NULL || p == end || *p != ':') {
        return NULL;
    }

    m->key.len = (size_t) (p - m->key.data) - 1;
    m->value.data = p + 1;
    p = ig_line_value(p + 1, end, depth);

    if (p != NULL) {
        m->value.len = (size_t) (p - m->value.data);
    }

    return p;
}


/* From behind the opening bracket; closing is ']' or '}'. */
static const char *
ig_line_items(const char *p, const char *end, char closing, unsigned depth)
{
    ig_line_member_t  m;

    if (p < end && *p == closing) {
        return p + 1;
    }

    for ( ;; ) {
        p = closing == '}' ? ig_line_member(p, end, depth, &m)
                           : ig_line_value(p, end, depth);

        if (p == NULL || p == end) {
            return NULL;
        }

        if (*p == closing) {
            return p + 1;
        }

        if (*p++ != ',') {
            return NULL;
        }
    }
}


static const char *
ig_line_value(const char *p, const char *end, unsigned depth)
{
    if (p == end || depth == 0) {
        return NULL;
    }

    switch (*p) {

    case '"':
        return ig_line_string(p, end);

    case '{':
        return ig_line_items(p + 1, end, '}', depth - 1);

    case '[':
        return ig_line_items(p + 1, end, ']', depth - 1);

    case 't':
        return ig_line_word(p, end, ig_str("true"));

    case 'f':
        return ig_line_word(p, end, ig_str("false"));

    case 'n':
        return ig_line_word(p, end, ig_str("null"));

    default:
        return ig_line_number(p, end);
    }
}
