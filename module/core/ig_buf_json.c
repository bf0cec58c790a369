/*
 * ig_buf_json.c: the inside of a JSON string (RFC 8259, section 7).
 * Owns nothing: the memory is the caller's.
 * Called by everything that writes JSON.
 */

#include "ig_buf.h"

#include <string.h>


#define IG_BYTES(n)  (UINT64_C(0x0101010101010101) * (n))


/*
 * Whether eight bytes can be copied as they stand: none below 0x20, none above
 * 0x7f, no quote, no backslash.  A borrow may run from one byte into the next
 * only past a byte that is special itself, so the answer is exact.
 */
static bool
ig_json_plain8(const char *p)
{
    uint64_t  w, quote, slash;

    memcpy(&w, p, 8);

    quote = w ^ IG_BYTES(0x22);
    slash = w ^ IG_BYTES(0x5c);

    return ((w | (w - IG_BYTES(0x20)) | (quote - IG_BYTES(1))
             | (slash - IG_BYTES(1))) & IG_BYTES(0x80)) == 0;
}


static bool
ig_json_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}


static bool
ig_utf8_tail(const unsigned char *p, size_t n)
{
    size_t  i;

    for (i = 0; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return false;
        }
    }

    return true;
}


/*
 * Length of the well-formed character (RFC 3629) of two to four bytes at p,
 * or 0: overlong, a surrogate, past U+10FFFF, cut, or no start of one.
 */
static size_t
ig_utf8_len(const unsigned char *p, size_t left)
{
    size_t  n;

    if (p[0] >= 0xc2 && p[0] <= 0xdf) {
        n = 2;

    } else if (p[0] >= 0xe0 && p[0] <= 0xef) {
        n = 3;

    } else if (p[0] >= 0xf0 && p[0] <= 0xf4) {
        n = 4;

    } else {
        return 0;
    }

    if (n > left || !ig_utf8_tail(p + 1, n - 1)) {
        return 0;
    }

    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f)
        || (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
    {
        return 0;
    }

    return n;
}


/* Where the run of bytes that need no change, from p on, ends. */
static const char *
ig_json_run(const char *p, const char *end)
{
    size_t  n;

    for ( ;; ) {

        while (end - p >= 8 && ig_json_plain8(p)) {
            p += 8;
        }

        while (p < end && ig_json_plain((unsigned char) *p)) {
            p++;
        }

        if (p == end || (unsigned char) *p < 0x80) {
            return p;
        }

        n = ig_utf8_len((const unsigned char *) p, (size_t) (end - p));
        if (n == 0) {
            return p;
        }

        p += n;
    }
}


static void
ig_json_escape(ig_buf_t *b, unsigned char c)
{
    char  text[6];

    static const char  letter[] = "btn?fr";         /* 0x08 to 0x0d */
    static const char  digit[] = "0123456789abcdef";

    if (c >= 0x80) {
        ig_buf_lit(b, "\xef\xbf\xbd");              /* U+FFFD */
        return;
    }

    if (c == '"' || c == '\\') {
        text[0] = '\\';
        text[1] = (char) c;
        ig_buf_bytes(b, text, 2);
        return;
    }

    if (c >= 0x08 && c <= 0x0d && c != 0x0b) {
        text[0] = '\\';
        text[1] = letter[c - 0x08];
        ig_buf_bytes(b, text, 2);
        return;
    }

    memcpy(text, "\\u00", 4);
    text[4] = digit[c >> 4];
    text[5] = digit[c & 15];
    ig_buf_bytes(b, text, 6);
}


void
ig_buf_json(ig_buf_t *b, ig_str_t s)
{
    char        *start;
    bool         full;
    const char  *p, *end, *run;

    if (s.len == 0) {
        return;
    }

    start = b->pos;
    full = b->full;
    b->full = false;

    p = s.data;
    end = s.data + s.len;

    while (p < end && !b->full) {
        run = ig_json_run(p, end);
        ig_buf_bytes(b, p, (size_t) (run - p));
        p = run;

        if (p < end) {
            ig_json_escape(b, (unsigned char) *p++);
        }
    }

    if (b->full) {
        b->pos = start;
    }

    b->full |= full;
}


void
ig_buf_json_string(ig_buf_t *b, ig_str_t s)
{
    char  *start;
    bool   full;

    start = b->pos;
    full = b->full;
    b->full = false;

    ig_buf_char(b, '"');
    ig_buf_json(b, s);
    ig_buf_char(b, '"');

    if (b->full) {
        b->pos = start;
    }

    b->full |= full;
}
