/*
 * ig_ctl_out.c: what subcommands print.
 * Owns nothing.  Called by the subcommands.
 */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ig_buf.h"
#include "ig_ctl_out.h"

#define IG_OUT_PART  256        /* bytes escaped at a time */


bool
ig_out_colours(FILE *out)
{
    const char  *no, *term;

    no = getenv("NO_COLOR");
    term = getenv("TERM");

    return isatty(fileno(out)) && (no == NULL || *no == '\0')
           && (term == NULL || strcmp(term, "dumb") != 0);
}


void
ig_out_colour(FILE *out, bool on, ig_colour_e colour)
{
    static const char *const  code[] = {
        [IG_PLAIN] = "\033[0m",
        [IG_BOLD] = "\033[1m",
        [IG_DIM] = "\033[2m",
        [IG_RED] = "\033[31m",
        [IG_GREEN] = "\033[32m",
        [IG_YELLOW] = "\033[33m",
        [IG_MAGENTA] = "\033[35m"
    };

    if (on) {
        fputs(code[colour], out);
    }
}


ig_colour_e
ig_out_decision_colour(ig_decision_e d)
{
    switch (d) {

    case IG_ALLOW:
        return IG_GREEN;

    case IG_HOLD:
        return IG_YELLOW;

    case IG_THROTTLE:
        return IG_MAGENTA;

    case IG_DENY:
        return IG_RED;

    default:
        return IG_DIM;
    }
}


/* The length of the UTF-8 character at s, 0 where it is none; its number. */
static size_t
ig_out_utf8(ig_str_t s, uint32_t *code)
{
    size_t         i, n;
    unsigned char  c;

    static const uint32_t  least[] = { 0, 0, 0x80, 0x800, 0x10000 };

    c = (unsigned char) s.data[0];
    n = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3
        : c < 0xf5 ? 4 : 0;

    if (n == 0 || n > s.len) {
        return 0;
    }

    *code = n == 1 ? c : c & (0xffu >> (n + 1));

    for (i = 1; i < n; i++) {
        c = (unsigned char) s.data[i];

        if ((c & 0xc0) != 0x80) {
            return 0;
        }

        *code = *code << 6 | (c & 0x3f);
    }

    return *code < least[n] || *code > 0x10ffff
           || (*code >= 0xd800 && *code < 0xe000) ? 0 : n;
}


/*
 * What moves the cursor or turns the direction of text, and what nobody sees,
 * so that two names would look like one. The two joiners (200c, 200d) are
 * part of how Persian and many emoji are written, and stay.
 */
static bool
ig_out_controls(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0)
           || c == 0x00ad || c == 0x061c || c == 0x200b
           || (c >= 0x200e && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e)
           || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff
           || (c >= 0xfff9 && c <= 0xfffb) || (c >= 0xe0000 && c <= 0xe007f);
}


/* How many printable ASCII characters s begins with. */
static size_t
ig_out_plain(ig_str_t s)
{
    size_t         n;
    unsigned char  c;

    for (n = 0; n < s.len; n++) {
        c = (unsigned char) s.data[n];

        if (c < 0x20 || c >= 0x7f) {
            break;
        }
    }

    return n;
}


void
ig_out_text(FILE *out, ig_str_t s)
{
    size_t    n, i;
    uint32_t  code;

    while (s.len > 0) {
        n = ig_out_plain(s);

        if (n > 0) {
            fwrite(s.data, 1, n, out);
            s.data += n;
            s.len -= n;
            continue;
        }

        code = 0;
        n = ig_out_utf8(s, &code);

        if (n > 0 && !ig_out_controls(code)) {
            fwrite(s.data, 1, n, out);

        } else {
            n = n ? n : 1;

            for (i = 0; i < n; i++) {
                fprintf(out, "\\x%02x", (unsigned char) s.data[i]);
            }
        }

        s.data += n;
        s.len -= n;
    }
}


/* The next part of s, ending between characters where it can. */
static size_t
ig_out_part(ig_str_t s)
{
    size_t  n;

    if (s.len <= IG_OUT_PART) {
        return s.len;
    }

    for (n = IG_OUT_PART; n > IG_OUT_PART - 4; n--) {
        if (((unsigned char) s.data[n] & 0xc0) != 0x80) {
            return n;
        }
    }

    return IG_OUT_PART;
}


void
ig_out_json(FILE *out, ig_str_t s)
{
    char      text[6 * IG_OUT_PART + 1];
    size_t    n;
    ig_buf_t  b;

    fputc('"', out);

    while (s.len > 0) {
        n = ig_out_part(s);

        ig_buf_init(&b, text, sizeof(text));
        ig_buf_json(&b, (ig_str_t) { n, s.data });
        fwrite(text, 1, ig_buf_str(&b).len, out);

        s.data += n;
        s.len -= n;
    }

    fputc('"', out);
}


void
ig_out_member(FILE *out, const char *key, ig_str_t value)
{
    if (value.len > 0) {
        fprintf(out, ",\"%s\":", key);
        ig_out_json(out, value);
    }
}


void
ig_out_time(FILE *out, int64_t ms)
{
    char      text[40];
    ig_buf_t  b;

    ig_buf_init(&b, text, sizeof(text));
    ig_buf_time(&b, ms);
    fwrite(text, 1, ig_buf_str(&b).len, out);
}


void
ig_out_number(FILE *out, double n)
{
    char      text[64];
    ig_buf_t  b;

    ig_buf_init(&b, text, sizeof(text));
    ig_buf_number(&b, n);
    fwrite(text, 1, ig_buf_str(&b).len, out);
}
