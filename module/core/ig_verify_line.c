/*
 * ig_verify_line.c: what one audit line says of its chain: the chain's part,
 * strictly as the writer writes it, and what the chain's own lines tell.
 * Owns nothing; borrows the line.  Called by ig_verify.c.
 */

#include <string.h>

#include "ig_verify_int.h"

#define IG_LINE_DEPTH  8        /* our lines have three levels */

/* The part of a line's end which the chain wrote: how far it is in order. */
typedef enum {
    IG_PART_NONE = 0,
    IG_PART_CHAIN,
    IG_PART_SEQ,
    IG_PART_DROPPED,
    IG_PART_PREV,
    IG_PART_HASH,
    IG_PART_BROKEN
} ig_part_e;

/* NONE -> CHAIN -> SEQ [-> DROPPED] -> PREV -> HASH; else BROKEN for good. */

typedef struct {
    ig_line_t   *line;
    ig_part_e    part;
    bool         bad;           /* a value is not what its key promises */
    const char  *hashed;        /* the end of what the hash is over */
    ig_str_t     version;
} ig_line_reader_t;


/* Values that must have a certain form. */

bool
ig_line_text(ig_str_t value, ig_str_t *text)
{
    if (value.len < 2 || value.data[0] != '"') {
        return false;
    }

    text->data = value.data + 1;
    text->len = value.len - 2;

    return true;
}


/* A digit of lower-case hex with 16 on it; 0: it is none. */
static const uint8_t  ig_line_nibble[256] = {
    ['0'] = 16, ['1'] = 17, ['2'] = 18, ['3'] = 19, ['4'] = 20, ['5'] = 21,
    ['6'] = 22, ['7'] = 23, ['8'] = 24, ['9'] = 25, ['a'] = 26, ['b'] = 27,
    ['c'] = 28, ['d'] = 29, ['e'] = 30, ['f'] = 31
};


static bool
ig_line_digest(ig_str_t hex, uint8_t hash[IG_SHA256])
{
    unsigned        i, high, low, good;
    const uint8_t  *p = (const uint8_t *) hex.data;

    if (hex.len != 2 * IG_SHA256) {
        return false;
    }

    for (i = 0, good = 16; i < IG_SHA256; i++) {
        high = ig_line_nibble[p[2 * i]];
        low = ig_line_nibble[p[2 * i + 1]];
        good &= high & low;
        hash[i] = (uint8_t) (high << 4 | (low & 15));
    }

    return good != 0;
}


bool
ig_line_hash(ig_str_t value, uint8_t hash[IG_SHA256])
{
    ig_str_t  hex;

    return ig_line_text(value, &hex) && ig_line_digest(hex, hash);
}


bool
ig_line_chain(ig_str_t value, ig_str_t *id)
{
    char    c;
    size_t  i;

    if (!ig_line_text(value, id) || id->len == 0 || id->len > IG_CHAIN_ID) {
        return false;
    }

    for (i = 0; i < id->len; i++) {
        c = id->data[i];

        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z')
              || (c >= 'A' && c <= 'Z') || (c != '\0' && strchr("._-/", c))))
        {
            return false;
        }
    }

    return true;
}


bool
ig_line_uint(ig_str_t value, uint64_t *n)
{
    return ig_parse_uint(value, UINT64_MAX / 2, n);
}


static bool
ig_line_before_member(const ig_line_member_t *m, ig_line_before_t *before)
{
    ig_str_t  state;

    if (ig_str_eq(m->key, ig_str("chain"))) {
        return ig_line_chain(m->value, &before->chain);
    }

    if (ig_str_eq(m->key, ig_str("state"))) {
        before->closed = ig_line_text(m->value, &state)
                         && ig_str_eq(state, ig_str("closed"));
        return true;
    }

    if (ig_str_eq(m->key, ig_str("issued"))) {
        return ig_line_uint(m->value, &before->issued);
    }

    if (ig_str_eq(m->key, ig_str("written"))) {
        return ig_line_uint(m->value, &before->written);
    }

    if (ig_str_eq(m->key, ig_str("same_file"))) {
        before->same_file = ig_str_eq(m->value, ig_str("true"));
        return true;
    }

    return !ig_str_eq(m->key, ig_str("last"))
           || ig_line_hash(m->value, before->last);
}


/* "before" of chain_open; its syntax is known to be right. */
static bool
ig_line_before(ig_str_t value, ig_line_before_t *before)
{
    ig_line_cursor_t  c = { value.data, value.data + value.len, false };
    ig_line_member_t  m;

    if (!ig_line_char(&c, '{')) {
        return ig_str_eq(value, ig_str("null"));
    }

    do {
        if (!ig_line_member(&c, 1, &m) || !ig_line_before_member(&m, before)) {
            return false;
        }
    } while (ig_line_char(&c, ','));

    return before->chain.len > 0;
}


static ig_line_kind_e
ig_line_kind(ig_str_t value)
{
    return ig_str_eq(value, ig_str("\"chain_open\"")) ? IG_LINE_OPEN
           : ig_str_eq(value, ig_str("\"chain_close\"")) ? IG_LINE_CLOSE
           : ig_str_eq(value, ig_str("\"segment_start\""))
             ? IG_LINE_SEGMENT_START
           : ig_str_eq(value, ig_str("\"segment_end\""))
             ? IG_LINE_SEGMENT_END : IG_LINE_OTHER;
}


/* Members of the chain's part, in their order; false: not one of them. */
static bool
ig_line_chain_part(ig_line_reader_t *r, const ig_line_member_t *m)
{
    bool        good;
    ig_part_e   part, was;
    ig_line_t  *line;

    line = r->line;
    was = r->part;

    if (ig_str_eq(m->key, ig_str("chain"))) {
        part = was == IG_PART_NONE ? IG_PART_CHAIN : IG_PART_BROKEN;
        good = ig_line_chain(m->value, &line->chain);

    } else if (ig_str_eq(m->key, ig_str("seq"))) {
        part = was == IG_PART_CHAIN ? IG_PART_SEQ : IG_PART_BROKEN;
        good = ig_line_uint(m->value, &line->seq) && line->seq > 0;

    } else if (ig_str_eq(m->key, ig_str("dropped"))) {
        part = was == IG_PART_SEQ ? IG_PART_DROPPED : IG_PART_BROKEN;
        good = ig_line_uint(m->value, &line->dropped);

    } else if (ig_str_eq(m->key, ig_str("prev"))) {
        part = was == IG_PART_SEQ || was == IG_PART_DROPPED ? IG_PART_PREV
                                                            : IG_PART_BROKEN;
        good = ig_line_hash(m->value, line->prev);

    } else if (ig_str_eq(m->key, ig_str("hash"))) {
        part = was == IG_PART_PREV ? IG_PART_HASH : IG_PART_BROKEN;
        good = ig_line_hash(m->value, line->hash);
        r->hashed = m->comma;

    } else {
        return false;
    }

    r->part = good ? part : IG_PART_BROKEN;

    return true;
}


static void
ig_line_top(ig_line_reader_t *r, const ig_line_member_t *m)
{
    if (ig_line_chain_part(r, m)) {
        return;
    }

    if (r->part != IG_PART_NONE) {
        r->part = IG_PART_BROKEN;

    } else if (ig_str_eq(m->key, ig_str("v"))) {
        r->version = m->value;

    } else if (ig_str_eq(m->key, ig_str("kind"))) {
        r->line->kind = ig_line_kind(m->value);

    } else if (ig_str_eq(m->key, ig_str("time"))) {
        r->bad |= !ig_line_text(m->value, &r->line->time);

    } else if (ig_str_eq(m->key, ig_str("before"))) {
        r->bad |= !ig_line_before(m->value, &r->line->before);

    } else if (ig_str_eq(m->key, ig_str("issued"))) {
        r->bad |= !ig_line_uint(m->value, &r->line->issued);

    } else if (ig_str_eq(m->key, ig_str("lost"))) {
        r->bad |= !ig_line_uint(m->value, &r->line->lost);

    } else if (ig_str_eq(m->key, ig_str("truncated"))) {
        r->bad |= !ig_line_uint(m->value, &r->line->truncated);
    }
}


ig_line_state_e
ig_line_parse(ig_str_t text, ig_line_t *line)
{
    ig_line_cursor_t  c = { text.data, text.data + text.len, false };
    ig_line_member_t  m;
    ig_line_reader_t  r;

    memset(line, 0, sizeof(*line));
    memset(&r, 0, sizeof(r));
    r.line = line;

    if (!ig_line_char(&c, '{')) {
        return IG_LINE_NOT_JSON;
    }

    do {
        if (!ig_line_member(&c, IG_LINE_DEPTH, &m)) {
            return c.cut ? IG_LINE_CUT : IG_LINE_NOT_JSON;
        }

        ig_line_top(&r, &m);
    } while (ig_line_char(&c, ','));

    if (!ig_line_char(&c, '}')) {
        return c.cut ? IG_LINE_CUT : IG_LINE_NOT_JSON;
    }

    if (c.p != c.end) {
        return IG_LINE_NOT_JSON;
    }

    if (r.version.len > 0 && !ig_str_eq(r.version, ig_str("1"))) {
        return IG_LINE_VERSION;
    }

    if (r.part != IG_PART_HASH || r.bad || r.version.len == 0) {
        return IG_LINE_UNCHAINED;
    }

    if (line->kind == IG_LINE_SEGMENT_START && line->truncated > 0) {
        line->kind = IG_LINE_TRUNCATED;
    }

    ig_sha256(text.data, (size_t) (r.hashed - text.data), line->computed);

    return IG_LINE_GOOD;
}


bool
ig_line_is_complete(ig_str_t text)
{
    size_t    tail;
    uint8_t   hash[IG_SHA256];
    ig_str_t  key = ig_string(",\"hash\":\"");

    tail = key.len + 2 * IG_SHA256 + 2;

    if (text.len < tail) {
        return false;
    }

    text.data += text.len - tail;

    return memcmp(text.data, key.data, key.len) == 0
           && ig_line_digest((ig_str_t) { 2 * IG_SHA256,
                                          text.data + key.len }, hash);
}
