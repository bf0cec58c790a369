/*
 * ig_token.c: reads a text character by character: decomposed, folded, marks
 * in canonical order, cut into tokens.
 * Owns nothing: the reader is on the stack, whatever the text's length.
 * Borrows the text and the sink.  Called by ig_similar.c.
 */

#include <utf8proc.h>

#include "ig_token.h"

/* The longest decomposition in Unicode, U+FDFA's, has 18 characters. */
#define IG_TOKEN_PARTS  32

/* Marks in a row that are brought into order; UAX #15 calls 30 safe. */
#define IG_TOKEN_MARKS  30

#define IG_TOKEN_OPTIONS  (utf8proc_option_t) (UTF8PROC_DECOMPOSE            \
                                               | UTF8PROC_COMPAT             \
                                               | UTF8PROC_CASEFOLD           \
                                               | UTF8PROC_IGNORE)

/* The token that is open, by what it can go on with beside marks. */
typedef enum {
    IG_TOKEN_NONE = 0,          /* there is none */
    IG_TOKEN_RUN,               /* letters and digits */
    IG_TOKEN_LEAD,              /* a Hangul lead: a vowel */
    IG_TOKEN_VOWEL,             /* lead and vowel: a tail */
    IG_TOKEN_WIDE               /* nothing */
} ig_token_state_e;

/*
 * NONE -> RUN | LEAD | WIDE; LEAD -> VOWEL | WIDE; VOWEL -> WIDE (a tail, or
 * a mark, ends what can be joined); any -> NONE, or the next token's first.
 */

typedef struct {
    const ig_token_sink_t  *sink;
    ig_token_state_e        state;
    bool                    enough;
    unsigned                left;       /* of IG_TOKEN_MAX */
    unsigned                nmarks;
    uint32_t                mark[IG_TOKEN_MARKS];
    utf8proc_propval_t      order[IG_TOKEN_MARKS];
} ig_token_reader_t;


static void
ig_token_close(ig_token_reader_t *r)
{
    if (r->state != IG_TOKEN_NONE) {
        r->state = IG_TOKEN_NONE;
        r->enough = !r->sink->end(r->sink->ctx);
    }
}


static void
ig_token_open(ig_token_reader_t *r, ig_token_state_e state, uint32_t c)
{
    ig_token_close(r);

    if (!r->enough) {
        r->state = state;
        r->sink->add(r->sink->ctx, c);
    }
}


static void
ig_token_run(ig_token_reader_t *r, uint32_t c)
{
    if (r->state == IG_TOKEN_RUN) {
        r->sink->add(r->sink->ctx, c);

    } else {
        ig_token_open(r, IG_TOKEN_RUN, c);
    }
}


/* A mark belongs to the letter before it, and to nothing after a blank. */
static void
ig_token_mark(ig_token_reader_t *r, uint32_t c)
{
    if (r->state == IG_TOKEN_NONE) {
        return;
    }

    if (r->state != IG_TOKEN_RUN) {
        r->state = IG_TOKEN_WIDE;
    }

    r->sink->add(r->sink->ctx, c);
}


/*
 * Decomposition took Hangul syllables apart (Unicode, section 3.12): they are
 * joined as composition would join them.
 */
static void
ig_token_hangul(ig_token_reader_t *r, uint32_t c, unsigned boundclass)
{
    if (boundclass == UTF8PROC_BOUNDCLASS_V && r->state == IG_TOKEN_LEAD) {
        r->state = IG_TOKEN_VOWEL;

    } else if (boundclass == UTF8PROC_BOUNDCLASS_T
               && r->state == IG_TOKEN_VOWEL)
    {
        r->state = IG_TOKEN_WIDE;

    } else {
        ig_token_open(r, boundclass == UTF8PROC_BOUNDCLASS_L ? IG_TOKEN_LEAD
                                                             : IG_TOKEN_WIDE,
                      c);
        return;
    }

    r->sink->add(r->sink->ctx, c);
}


/*
 * utf8proc knows no scripts, but cells (UAX #11) and Hangul's letters: what is
 * a letter and two cells wide, once decomposed, is Han, Kana, Bopomofo, Yi or
 * of the like.
 */
static void
ig_token_letter(ig_token_reader_t *r, uint32_t c,
    const utf8proc_property_t *property)
{
    switch (property->boundclass) {

    case UTF8PROC_BOUNDCLASS_L:
    case UTF8PROC_BOUNDCLASS_V:
    case UTF8PROC_BOUNDCLASS_T:
        ig_token_hangul(r, c, property->boundclass);
        break;

    default:
        if (property->charwidth == 2) {
            ig_token_open(r, IG_TOKEN_WIDE, c);

        } else {
            ig_token_run(r, c);
        }
    }
}


static void
ig_token_char(ig_token_reader_t *r, uint32_t c,
    const utf8proc_property_t *property)
{
    if (r->enough) {
        return;
    }

    switch (property->category) {

    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_NL:
        ig_token_letter(r, c, property);
        break;

    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NO:
        ig_token_run(r, c);
        break;

    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
        ig_token_mark(r, c);
        break;

    default:
        ig_token_close(r);
    }
}


/* -- the order of marks -------------------------------------------------- */

static void
ig_token_flush(ig_token_reader_t *r)
{
    unsigned  i;

    for (i = 0; i < r->nmarks; i++) {
        ig_token_char(r, r->mark[i],
                      utf8proc_get_property((utf8proc_int32_t) r->mark[i]));
    }

    r->nmarks = 0;
}


/*
 * By combining class, those of one class as they stand: canonical order.  One
 * mark, U+0345, was folded to a letter before this and parts the others.
 */
static void
ig_token_keep(ig_token_reader_t *r, uint32_t c, utf8proc_propval_t order)
{
    unsigned  i;

    if (r->nmarks == IG_TOKEN_MARKS) {
        ig_token_flush(r);
    }

    for (i = r->nmarks++; i > 0 && r->order[i - 1] > order; i--) {
        r->mark[i] = r->mark[i - 1];
        r->order[i] = r->order[i - 1];
    }

    r->mark[i] = c;
    r->order[i] = order;
}


static void
ig_token_part(ig_token_reader_t *r, utf8proc_int32_t c)
{
    const utf8proc_property_t  *property;

    property = utf8proc_get_property(c);

    if (property->combining_class != 0) {
        ig_token_keep(r, (uint32_t) c, property->combining_class);
        return;
    }

    ig_token_flush(r);
    ig_token_char(r, (uint32_t) c, property);
}


/* -- the text ------------------------------------------------------------ */

/* Most of most texts; what utf8proc says of ASCII, without asking it. */
static void
ig_token_ascii(ig_token_reader_t *r, unsigned char c)
{
    if (c >= 'A' && c <= 'Z') {
        c |= 0x20;
    }

    ig_token_flush(r);

    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
        ig_token_run(r, c);

    } else {
        ig_token_close(r);
    }
}


/* Folds a character; none comes of one that does not show. */
static void
ig_token_fold(ig_token_reader_t *r, utf8proc_int32_t c)
{
    int               boundary;
    unsigned          i, n;
    utf8proc_int32_t  part[IG_TOKEN_PARTS];
    utf8proc_ssize_t  rc;

    boundary = UTF8PROC_BOUNDCLASS_START;

    rc = utf8proc_decompose_char(c, part, IG_TOKEN_PARTS, IG_TOKEN_OPTIONS,
                                 &boundary);

    n = rc < 0 ? 0 : rc > IG_TOKEN_PARTS ? IG_TOKEN_PARTS : (unsigned) rc;

    for (i = 0; i < n; i++) {
        ig_token_part(r, part[i]);
    }

    /* one was counted when the character was read */

    n = n > 0 ? n - 1 : 0;
    r->left -= n < r->left ? n : r->left;
}


/* One character beyond ASCII, or one byte that begins none: its length. */
static size_t
ig_token_wide(ig_token_reader_t *r, const unsigned char *p, size_t len)
{
    utf8proc_int32_t  c;
    utf8proc_ssize_t  n;

    /* four bytes are the longest, and the length is a signed type */
    n = utf8proc_iterate(p, len < 4 ? (utf8proc_ssize_t) len : 4, &c);

    if (n <= 0) {

        /* U+FFFD would stand for it: a symbol */
        ig_token_ascii(r, ' ');
        return 1;
    }

    ig_token_fold(r, c);

    return (size_t) n;
}


void
ig_tokens(ig_str_t text, const ig_token_sink_t *sink)
{
    size_t                i;
    const unsigned char  *p;
    ig_token_reader_t     r;

    r.sink = sink;
    r.state = IG_TOKEN_NONE;
    r.enough = false;
    r.left = IG_TOKEN_MAX;
    r.nmarks = 0;

    p = (const unsigned char *) text.data;

    for (i = 0; i < text.len && r.left > 0 && !r.enough; /* void */) {

        r.left--;

        if (p[i] < 0x80) {
            ig_token_ascii(&r, p[i++]);

        } else {
            i += ig_token_wide(&r, p + i, text.len - i);
        }
    }

    ig_token_flush(&r);
    ig_token_close(&r);
}
