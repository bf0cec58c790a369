/*
 * ig_verify_piece.c: what a crash, a power cut or a full disk leaves of lines:
 * beginnings of lines, perhaps several in one, perhaps with zeros behind.
 * Owns nothing; borrows the text.  Called by ig_verify.c.
 */

#include <string.h>

#include "ig_verify_int.h"


const char *
ig_verify_inner(ig_str_t text, size_t from)
{
    size_t    i;
    ig_str_t  mark = ig_string(IG_VERIFY_MARK);

    for (i = from; i + mark.len <= text.len; i++) {
        if (text.data[i] == '{'
            && memcmp(text.data + i, mark.data, mark.len) == 0)
        {
            return text.data + i;
        }
    }

    return NULL;
}


/* Whether one of the two begins with the other. */
static bool
ig_verify_agrees(ig_str_t text, ig_str_t begin)
{
    size_t  n;

    n = text.len < begin.len ? text.len : begin.len;

    return memcmp(text.data, begin.data, n) == 0;
}


bool
ig_verify_is_ours(ig_str_t text)
{
    return ig_verify_agrees(text, ig_str(IG_VERIFY_MARK));
}


ig_str_t
ig_verify_without_zeros(ig_str_t text)
{
    while (text.len > 0 && text.data[text.len - 1] == '\0') {
        text.len--;
    }

    return text;
}


/*
 * A write that was cut short, perhaps just before its newline, perhaps with
 * zeros where a file system knew its length but had not stored its bytes when
 * power failed.
 */
static bool
ig_verify_is_cut(ig_str_t text)
{
    ig_line_t        line;
    ig_line_state_e  state;

    text = ig_verify_without_zeros(text);
    state = ig_line_parse(text, &line);

    return text.len == 0 || state == IG_LINE_GOOD
           || (state == IG_LINE_CUT && ig_verify_is_ours(text)
               && !ig_line_is_complete(text));
}


/*
 * Whether it may be all there is of a chain: the first line of one that got no
 * further, or what zeros are in the place of.
 */
static bool
ig_verify_is_unborn(ig_str_t text)
{
    return ig_verify_agrees(ig_verify_without_zeros(text),
                            ig_str(IG_VERIFY_MARK "chain_open\""));
}


/* How many bytes at the end are the start of a line that goes no further. */
static size_t
ig_verify_stub(ig_str_t text)
{
    size_t    n;
    ig_str_t  mark = ig_string(IG_VERIFY_MARK);

    for (n = 1; n < mark.len && n <= text.len; n++) {
        if (memcmp(text.data + text.len - n, mark.data, n) == 0) {
            return n;
        }
    }

    return 0;
}


/*
 * Writes that were cut short and follow each other in a text in which no line
 * begins after its start.  False: there is something else.
 */
static bool
ig_verify_stubs(ig_str_t text, ig_verify_pieces_t *pieces)
{
    size_t  stub;

    while (text.len > 0 && !ig_verify_is_cut(text)) {
        stub = ig_verify_stub(text);

        if (stub == 0) {
            return false;
        }

        text.len -= stub;
        pieces->n++;
        pieces->unborn++;
    }

    if (text.len > 0) {
        pieces->n++;
        pieces->unborn += ig_verify_is_unborn(text);
    }

    return true;
}


ig_verify_pieces_t
ig_verify_pieces(ig_str_t text)
{
    ig_str_t             piece;
    const char          *next;
    ig_verify_pieces_t   pieces = { 0, 0 };

    if (ig_verify_is_cut(text)) {
        pieces.n = 1;
        pieces.unborn = ig_verify_is_unborn(text);
        return pieces;
    }

    while (text.len > 0) {
        next = ig_verify_inner(text, 1);
        piece.data = text.data;
        piece.len = next != NULL ? (size_t) (next - text.data) : text.len;

        if (!ig_verify_stubs(piece, &pieces)) {
            return (ig_verify_pieces_t) { 0, 0 };
        }

        text.data += piece.len;
        text.len -= piece.len;
    }

    return pieces;
}
