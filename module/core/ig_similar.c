/*
 * ig_similar.c: tokens become shingles, shingles minima, minima bands.
 * Owns nothing: all state is on the stack, whatever the text's length.
 * Borrows key and text.  Called by the call and by ig_secret.c.
 *
 * SipHash is a keyed function of short strings that nobody without the key
 * can tell from a random one: a writer cannot work out which of his words to
 * change, nor make a stranger's text meet his.  That is what is needed here;
 * 64 bits are enough, since nothing is looked up by them alone: what goes to
 * the store is an HMAC of the band under another key.
 */

#include "ig_similar.h"
#include "ig_token.h"

#define IG_SHINGLE  3           /* tokens */

/* SipHash's own constants, "somepseudorandomlygeneratedbytes". */
#define IG_SIP_0  0x736f6d6570736575
#define IG_SIP_1  0x646f72616e646f6d
#define IG_SIP_2  0x6c7967656e657261
#define IG_SIP_3  0x7465646279746573


/* -- SipHash ------------------------------------------------------------- */

typedef struct {
    uint64_t  v[4];
    uint64_t  len;              /* bytes */
} ig_sip_t;


static inline uint64_t
ig_rotate(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}


static inline void
ig_sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = ig_rotate(v[1], 13) ^ v[0];
    v[0] = ig_rotate(v[0], 32);

    v[2] += v[3];
    v[3] = ig_rotate(v[3], 16) ^ v[2];

    v[0] += v[3];
    v[3] = ig_rotate(v[3], 21) ^ v[0];

    v[2] += v[1];
    v[1] = ig_rotate(v[1], 17) ^ v[2];
    v[2] = ig_rotate(v[2], 32);
}


static inline void
ig_sip_init(ig_sip_t *sip, const uint64_t key[2])
{
    sip->v[0] = key[0] ^ IG_SIP_0;
    sip->v[1] = key[1] ^ IG_SIP_1;
    sip->v[2] = key[0] ^ IG_SIP_2;
    sip->v[3] = key[1] ^ IG_SIP_3;
    sip->len = 0;
}


static inline void
ig_sip_absorb(ig_sip_t *sip, uint64_t word)
{
    sip->v[3] ^= word;
    ig_sip_round(sip->v);
    ig_sip_round(sip->v);
    sip->v[0] ^= word;
}


/* `rest`: the last len % 8 bytes. */
static inline uint64_t
ig_sip_final(ig_sip_t *sip, uint64_t rest)
{
    unsigned  i;

    ig_sip_absorb(sip, rest | sip->len << 56);

    sip->v[2] ^= 0xff;

    for (i = 0; i < 4; i++) {
        ig_sip_round(sip->v);
    }

    return sip->v[0] ^ sip->v[1] ^ sip->v[2] ^ sip->v[3];
}


uint64_t
ig_siphash(const uint64_t key[2], const uint64_t *word, unsigned n)
{
    unsigned  i;
    ig_sip_t  sip;

    ig_sip_init(&sip, key);

    for (i = 0; i < n; i++) {
        ig_sip_absorb(&sip, word[i]);
    }

    sip.len = (uint64_t) n * 8;

    return ig_sip_final(&sip, 0);
}


/* -- the key ------------------------------------------------------------- */

static uint64_t
ig_similar_word(const uint8_t *p)
{
    unsigned  i;
    uint64_t  word;

    for (i = 0, word = 0; i < 8; i++) {
        word |= (uint64_t) p[i] << 8 * i;
    }

    return word;
}


void
ig_similar_key(ig_similar_key_t *key,
    const uint8_t secret[IG_SIMILAR_SECRET])
{
    unsigned  i;

    key->hash[0] = ig_similar_word(secret);
    key->hash[1] = ig_similar_word(secret + 8);

    for (i = 0; i < ig_countof(key->row); i++) {
        key->row[i] = ig_similar_word(secret + 16 + 8 * i) | 1;
    }
}


/* -- shingles and minima ------------------------------------------------- */

typedef struct {
    const ig_similar_key_t  *key;
    ig_sip_t                 token;         /* the present one */
    uint32_t                 half;          /* of its next word */
    uint64_t                 last[IG_SHINGLE];
    unsigned                 ntokens;
    uint64_t                 min[IG_BANDS * IG_ROWS];
} ig_similar_t;


/* A token is hashed as UTF-32, two characters a word. */
static void
ig_similar_add(void *ctx, uint32_t c)
{
    ig_similar_t  *s = ctx;

    if (s->token.len % 8 == 0) {
        s->half = c;

    } else {
        ig_sip_absorb(&s->token, s->half | (uint64_t) c << 32);
    }

    s->token.len += 4;
}


/*
 * A row orders all shingles in its own way: multiplying by an odd number is a
 * permutation of 64 bits, and the hash has made them random before that.
 */
static void
ig_similar_shingle(ig_similar_t *s)
{
    unsigned  i;
    uint64_t  x, y;

    x = ig_siphash(s->key->hash, s->last, IG_SHINGLE);

    for (i = 0; i < IG_BANDS * IG_ROWS; i++) {
        y = x * s->key->row[i];
        s->min[i] = y < s->min[i] ? y : s->min[i];
    }
}


static bool
ig_similar_end(void *ctx)
{
    unsigned       i;
    ig_similar_t  *s = ctx;

    for (i = 0; i + 1 < IG_SHINGLE; i++) {
        s->last[i] = s->last[i + 1];
    }

    s->last[i] = ig_sip_final(&s->token, s->token.len % 8 ? s->half : 0);
    ig_sip_init(&s->token, s->key->hash);

    if (++s->ntokens >= IG_SHINGLE) {
        ig_similar_shingle(s);
    }

    return s->ntokens < IG_SIMILAR_MAX;
}


bool
ig_similar(const ig_similar_key_t *key, ig_str_t text,
    uint64_t band[IG_BANDS])
{
    unsigned         i;
    ig_similar_t     s;
    ig_token_sink_t  sink = { ig_similar_add, ig_similar_end, &s };

    s.key = key;
    s.ntokens = 0;
    s.half = 0;

    ig_sip_init(&s.token, key->hash);

    for (i = 0; i < ig_countof(s.min); i++) {
        s.min[i] = UINT64_MAX;
    }

    ig_tokens(text, &sink);

    if (s.ntokens < IG_SIMILAR_MIN) {
        return false;
    }

    for (i = 0; i < IG_BANDS; i++) {
        band[i] = ig_siphash(key->hash, s.min + i * IG_ROWS, IG_ROWS);
    }

    return true;
}
