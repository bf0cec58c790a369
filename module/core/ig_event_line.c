/*
 * ig_event_line.c: the pieces a line is written with: bounded strings, and
 * items that are kept whole or taken back.
 * Owns nothing; borrows the line's buffer.  Called by ig_event*.c.
 */

#include "ig_event_int.h"

#define IG_EVENT_ELLIPSIS  "\xe2\x80\xa6"


int
ig_event_begin(ig_event_line_t *l, ig_buf_t *b, ig_str_t kind, int64_t time)
{
    size_t  room;

    room = (size_t) (b->end - b->start);

    if (room > IG_LINE_MAX) {
        room = IG_LINE_MAX;
    }

    if (room < IG_CHAIN_PART + IG_EVENT_TAIL) {
        b->full = true;
        return IG_ERROR;
    }

    l->b = b;
    l->whole = b->end;
    b->end = b->start + room - IG_CHAIN_PART;
    l->end = b->end - IG_EVENT_TAIL;
    l->first = true;
    l->cut = false;

    ig_buf_lit(b, "{\"v\":1,\"kind\":\"");
    ig_buf_str_add(b, kind);
    ig_buf_lit(b, "\",\"time\":\"");
    ig_buf_time(b, time);
    ig_buf_char(b, '"');

    return IG_OK;
}


void
ig_event_end(ig_event_line_t *l)
{
    if (l->cut) {
        ig_buf_lit(l->b, ",\"cut\":true");
    }

    l->b->end = l->whole;
}


ig_str_t
ig_event_prefix(ig_str_t s, size_t n)
{
    if (n >= s.len) {
        return s;
    }

    s.len = n;

    while (s.len > 0 && ((unsigned char) s.data[s.len] & 0xc0) == 0x80) {
        s.len--;
    }

    return s;
}


void
ig_event_string(ig_event_line_t *l, ig_str_t s, size_t max)
{
    char      *mark;
    ig_str_t   part;

    /* an escape takes up to six bytes for one */

    part = s.len > max ? ig_event_prefix(s, max - 3) : s;

    ig_buf_char(l->b, '"');
    mark = l->b->pos;
    ig_buf_json(l->b, part);

    if ((size_t) (l->b->pos - mark) > max - (part.len < s.len ? 3 : 0)) {
        l->b->pos = mark;
        part = ig_event_prefix(s, (max - 3) / 6);
        ig_buf_json(l->b, part);
    }

    if (part.len < s.len) {
        ig_buf_lit(l->b, IG_EVENT_ELLIPSIS);
        l->cut = true;
    }

    ig_buf_char(l->b, '"');
}


void
ig_event_member(ig_event_line_t *l, ig_str_t key, ig_str_t value, size_t max)
{
    if (value.len > 0) {
        ig_buf_lit(l->b, ",\"");
        ig_buf_str_add(l->b, key);
        ig_buf_lit(l->b, "\":");
        ig_event_string(l, value, max);
    }
}


char *
ig_event_open(ig_event_line_t *l, ig_str_t opening, size_t part, size_t of)
{
    char    *end;
    size_t   left;

    end = l->b->end;
    ig_buf_str_add(l->b, opening);

    left = l->b->pos < l->end ? (size_t) (l->end - l->b->pos) : 0;
    l->b->end = l->b->pos + left / of * part;

    l->first = true;

    return end;
}


void
ig_event_close(ig_event_line_t *l, char bracket, char *end)
{
    l->b->end = end;
    ig_buf_char(l->b, bracket);
}


char *
ig_event_item(ig_event_line_t *l)
{
    char  *mark;

    mark = l->b->pos;

    if (!l->first) {
        ig_buf_char(l->b, ',');
    }

    return mark;
}


void
ig_event_keep(ig_event_line_t *l, char *mark)
{
    if (!l->b->full) {
        l->first = false;
        return;
    }

    l->b->pos = mark;
    l->b->full = false;
    l->cut = true;
}


void
ig_event_key(ig_event_line_t *l, ig_str_t name)
{
    ig_buf_char(l->b, '"');
    ig_buf_str_add(l->b, name);
    ig_buf_lit(l->b, "\":");
}


void
ig_event_uint(ig_event_line_t *l, ig_str_t key, uint64_t n)
{
    ig_buf_char(l->b, ',');
    ig_event_key(l, key);
    ig_buf_u64(l->b, n);
}
