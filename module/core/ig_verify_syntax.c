/*
 * ig_verify_syntax.c: JSON (RFC 8259) as the writer writes it, without
 * blanks: where a member of an object begins and ends, and whether a text
 * that is none could have become one.
 * Owns nothing; borrows the line.  Called by ig_verify_line.c and by
 * ig_checkpoint_read.c.
 */

#include <string.h>

#include "ig_verify_int.h"

/* The functions below go past what they read, or say that it is not there. */

static bool
ig_line_more(ig_line_cursor_t *c)
{
    if (c->p == c->end) {
        c->cut = true;
    }

    return !c->cut;
}


bool
ig_line_char(ig_line_cursor_t *c, char expected)
{
    if (!ig_line_more(c) || *c->p != expected) {
        return false;
    }

    c->p++;

    return true;
}


static bool
ig_line_is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')
           || (c >= 'A' && c <= 'F');
}


/* Behind the backslash. */
static bool
ig_line_escape(ig_line_cursor_t *c)
{
    int   i;
    char  ch;

    if (!ig_line_more(c)) {
        return false;
    }

    ch = *c->p++;

    if (ch != 'u') {
        return ch != '\0' && strchr("\"\\/bfnrt", ch) != NULL;
    }

    for (i = 0; i < 4; i++) {
        if (!ig_line_more(c) || !ig_line_is_hex(*c->p++)) {
            return false;
        }
    }

    return true;
}


/* Goes past what needs no look of its own: most of every line. */
static void
ig_line_plain(ig_line_cursor_t *c)
{
    const char  *p;

    for (p = c->p; p < c->end && *p != '"' && *p != '\\'
                   && (unsigned char) *p >= 0x20; p++) { /* void */ }

    c->p = p;
}


static bool
ig_line_string(ig_line_cursor_t *c)
{
    char  ch;

    if (!ig_line_char(c, '"')) {
        return false;
    }

    for (ig_line_plain(c); ig_line_more(c); ig_line_plain(c)) {
        ch = *c->p++;

        if (ch == '"') {
            return true;
        }

        if ((unsigned char) ch < 0x20 || (ch == '\\' && !ig_line_escape(c))) {
            return false;
        }
    }

    return false;
}


static bool
ig_line_digits(ig_line_cursor_t *c)
{
    const char  *start;

    start = c->p;

    while (c->p < c->end && *c->p >= '0' && *c->p <= '9') {
        c->p++;
    }

    return c->p > start || (ig_line_more(c) && false);
}


static bool
ig_line_at(const ig_line_cursor_t *c, char a, char b)
{
    return c->p < c->end && (*c->p == a || *c->p == b);
}


static bool
ig_line_number(ig_line_cursor_t *c)
{
    const char  *start;

    c->p += ig_line_at(c, '-', '-');
    start = c->p;

    if (!ig_line_digits(c) || (*start == '0' && c->p > start + 1)) {
        return false;
    }

    if (ig_line_at(c, '.', '.')) {
        c->p++;

        if (!ig_line_digits(c)) {
            return false;
        }
    }

    if (ig_line_at(c, 'e', 'E')) {
        c->p++;
        c->p += ig_line_at(c, '+', '-');
        return ig_line_digits(c);
    }

    return true;
}


static bool
ig_line_word(ig_line_cursor_t *c, const char *word)
{
    while (*word != '\0') {
        if (!ig_line_char(c, *word++)) {
            return false;
        }
    }

    return true;
}


bool
ig_line_member(ig_line_cursor_t *c, unsigned depth, ig_line_member_t *m)
{
    m->comma = c->p - 1;
    m->key.data = c->p + 1;

    if (!ig_line_string(c)) {
        return false;
    }

    m->key.len = (size_t) (c->p - m->key.data) - 1;

    if (!ig_line_char(c, ':')) {
        return false;
    }

    m->value.data = c->p;

    if (!ig_line_value(c, depth)) {
        return false;
    }

    m->value.len = (size_t) (c->p - m->value.data);

    return true;
}


/* Behind the opening bracket; closing is ']' or '}'. */
static bool
ig_line_items(ig_line_cursor_t *c, char closing, unsigned depth)
{
    bool              good;
    ig_line_member_t  m;

    if (ig_line_at(c, closing, closing)) {
        c->p++;
        return true;
    }

    for ( ;; ) {
        good = closing == '}' ? ig_line_member(c, depth, &m)
                              : ig_line_value(c, depth);

        if (!good || ig_line_char(c, closing)) {
            return good;
        }

        if (!ig_line_char(c, ',')) {
            return false;
        }
    }
}


bool
ig_line_value(ig_line_cursor_t *c, unsigned depth)
{
    if (!ig_line_more(c) || depth == 0) {
        return false;
    }

    switch (*c->p) {

    case '"':
        return ig_line_string(c);

    case '{':
        c->p++;
        return ig_line_items(c, '}', depth - 1);

    case '[':
        c->p++;
        return ig_line_items(c, ']', depth - 1);

    case 't':
        return ig_line_word(c, "true");

    case 'f':
        return ig_line_word(c, "false");

    case 'n':
        return ig_line_word(c, "null");

    default:
        return ig_line_number(c);
    }
}
