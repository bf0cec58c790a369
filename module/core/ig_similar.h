/*
 * ig_similar.h: what near-duplicate texts have in common: a few hashes, one of
 * which two texts share the likelier the more alike they are.
 * Owns: nothing; no memory beyond the stack.  Borrows key and text.
 * Called by the call; ig_secret.c makes the key.
 *
 * MinHash (Broder, On the resemblance and containment of documents, 1997)
 * over shingles of three tokens, in bands (Leskovec, Rajaraman and Ullman,
 * Mining of Massive Datasets, section 3.4): two texts whose sets of shingles
 * have the Jaccard similarity J agree in a band with probability J^ROWS, and
 * in some band with 1 - (1 - J^ROWS)^BANDS.
 */

#ifndef IG_SIMILAR_H
#define IG_SIMILAR_H

#include "ig_core.h"

#define IG_BANDS  8
#define IG_ROWS   6

/* Texts of fewer tokens are said honestly by many: they have no bands. */
#define IG_SIMILAR_MIN  6

/* Tokens read of one text; the rest of a longer one is not looked at. */
#define IG_SIMILAR_MAX  8192

/* From the secret: without it nobody can tell which words of a text matter. */
typedef struct {
    uint64_t  hash[2];
    uint64_t  row[IG_BANDS * IG_ROWS];  /* odd */
} ig_similar_key_t;

/* Bytes of the secret material that ig_similar_key reads. */
#define IG_SIMILAR_SECRET  ((2 + IG_BANDS * IG_ROWS) * 8)
void ig_similar_key(ig_similar_key_t *key,
    const uint8_t secret[IG_SIMILAR_SECRET]);

/*
 * SipHash-2-4 (Aumasson and Bernstein, 2012) of n 64-bit words, taken as the
 * bytes of their little-endian form.
 */
uint64_t ig_siphash(const uint64_t key[2], const uint64_t *word, unsigned n);

/*
 * The bands of a text in UTF-8 (see ig_token.h).  False, and no bands, where
 * it has fewer than IG_SIMILAR_MIN tokens.
 */
bool ig_similar(const ig_similar_key_t *key, ig_str_t text,
    uint64_t band[IG_BANDS]);

#endif /* IG_SIMILAR_H */
