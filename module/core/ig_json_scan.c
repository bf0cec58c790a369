/*
 * ig_json_scan.c: counts depth and values of a body before a parser may
 * allocate anything for it.
 * Owns nothing; borrows the text.  Called by the body reader and backtest.
 */

#include "ig_json.h"

/* What begins at a byte outside strings. */
enum {
    IG_SCAN_SCALAR = 0,         /* a number, true, false, null, or rubbish */
    IG_SCAN_BLANK,
    IG_SCAN_COMMA,              /* comma, colon */
    IG_SCAN_OPEN,
    IG_SCAN_CLOSE,
    IG_SCAN_QUOTE
};

static const uint8_t  ig_scan_class[256] = {
    [' '] = IG_SCAN_BLANK, ['\t'] = IG_SCAN_BLANK,
    ['\n'] = IG_SCAN_BLANK, ['\r'] = IG_SCAN_BLANK,
    [','] = IG_SCAN_COMMA, [':'] = IG_SCAN_COMMA,
    ['{'] = IG_SCAN_OPEN, ['['] = IG_SCAN_OPEN,
    ['}'] = IG_SCAN_CLOSE, [']'] = IG_SCAN_CLOSE,
    ['"'] = IG_SCAN_QUOTE
};

#define ig_scan_at(p)  ig_scan_class[(uint8_t) *(p)]


static const char *
ig_scan_blanks(const char *p, const char *end)
{
    while (p < end && ig_scan_at(p) == IG_SCAN_BLANK) {
        p++;
    }

    return p;
}


/* From behind the opening quote to behind the closing one, or to the end. */
static const char *
ig_scan_string(const char *p, const char *end)
{
    while (p < end) {
        if (*p == '"') {
            return p + 1;
        }

        /* an escaped character is never the closing quote */
        if (*p++ == '\\' && p < end) {
            p++;
        }
    }

    return end;
}


static const char *
ig_scan_scalar(const char *p, const char *end)
{
    while (p < end && ig_scan_at(p) == IG_SCAN_SCALAR) {
        p++;
    }

    return p;
}


/*
 * A parser stops at the first mistake, so the counts need to be right only
 * for what is well-formed up to there; that is why brackets need not match
 * and a string before a colon is taken for a name wherever it stands.
 */
ig_json_state_e
ig_json_scan(ig_str_t text, unsigned depth, unsigned values)
{
    unsigned     level, count;
    const char  *p, *end;

    if (text.len == 0) {
        return IG_JSON_EMPTY;
    }

    p = text.data;
    end = text.data + text.len;
    level = 0;
    count = 0;

    p = ig_scan_blanks(p, end);

    if (p == end) {
        return IG_JSON_EMPTY;
    }

    while (p < end) {
        switch (ig_scan_at(p)) {

        case IG_SCAN_OPEN:
            p++;
            count++;

            if (++level > depth) {
                return IG_JSON_DEPTH;
            }

            break;

        case IG_SCAN_CLOSE:
            p++;
            level -= (level > 0);
            break;

        case IG_SCAN_QUOTE:
            p = ig_scan_blanks(ig_scan_string(p + 1, end), end);

            if (p == end || *p != ':') {
                count++;
            }

            break;

        case IG_SCAN_SCALAR:
            p = ig_scan_scalar(p, end);
            count++;
            break;

        default:
            p++;
        }

        if (count > values) {
            return IG_JSON_VALUES;
        }
    }

    return IG_JSON_OK;
}
