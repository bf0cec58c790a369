/*
 * ig_token.h: a text as tokens, in a form in which what looks alike is alike.
 * The only door to utf8proc.
 * Owns: nothing; no memory beyond the stack.  Borrows the text.
 * Called by ig_similar.c.
 */

#ifndef IG_TOKEN_H
#define IG_TOKEN_H

#include "ig_core.h"

/*
 * Folded characters read of one text: the rest of a longer one is not looked
 * at, so that any text takes a bounded time.  A character may fold to several.
 */
#define IG_TOKEN_MAX  65536

typedef struct {
    /* one more character of the present token, decomposed and folded */
    void  (*add)(void *ctx, uint32_t c);

    /* the present token is complete; false: enough, read no further */
    bool  (*end)(void *ctx);

    void   *ctx;
} ig_token_sink_t;

/*
 * Reads a text in UTF-8.  Compatibility forms, case and what does not show
 * (zero-width characters, variation selectors, soft hyphens) make no
 * difference: Unicode's NFKD with case folding, which tells apart exactly the
 * texts that NFKC does (UAX #15).  A token is
 *   - one letter of a script that is written in wide cells, without blanks:
 *     Han, Kana, Hangul (a syllable, or a lone letter), Bopomofo, Yi; or
 *   - a run of other letters and digits;
 * with the marks that follow.  All else separates: blanks, punctuation,
 * symbols, emoji, and each byte that is no UTF-8.
 */
void ig_tokens(ig_str_t text, const ig_token_sink_t *sink);

#endif /* IG_TOKEN_H */
