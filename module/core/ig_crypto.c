/*
 * ig_crypto.c: SHA-256, HMAC, HKDF, base64 and random bytes.
 * Owns nothing; borrows libcrypto's compression function and generator.
 * Called by secrets, the call, the chain, the policy.
 */

/*
 * The one-shot and EVP interfaces of OpenSSL 3 look the algorithm up and
 * allocate a context for every digest, several times what hashing a short key
 * costs.  The low-level functions keep their state in the caller's memory, so
 * a keyed state can be absorbed once and copied per message.  They are marked
 * deprecated since 3.0 and still there in 3.5; only this file uses them.
 */
#define OPENSSL_SUPPRESS_DEPRECATED

#include <assert.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include "ig_crypto.h"

#define IG_SHA256_BLOCK  64

/* What the opaque words of an ig_hmac_key_t hold. */
typedef struct {
    SHA256_CTX  inner;
    SHA256_CTX  outer;
} ig_hmac_states_t;

static_assert(sizeof(ig_hmac_states_t)
              <= sizeof(((ig_hmac_key_t *) 0)->opaque),
              "ig_hmac_key_t is too small");
static_assert(sizeof(SHA256_CTX) <= sizeof(((ig_hmac_t *) 0)->opaque),
              "ig_hmac_t is too small");
static_assert(SHA256_DIGEST_LENGTH == IG_SHA256, "wrong digest length");


void
ig_sha256(const void *data, size_t len, uint8_t out[IG_SHA256])
{
    SHA256_CTX  ctx;

    SHA256_Init(&ctx);
    SHA256_Update(&ctx, data, len);
    SHA256_Final(out, &ctx);
}


void
ig_hmac_key(ig_hmac_key_t *key, const void *secret, size_t len)
{
    size_t            i;
    uint8_t           block[IG_SHA256_BLOCK];
    ig_hmac_states_t  states;

    memset(block, 0, sizeof(block));

    if (len > sizeof(block)) {
        ig_sha256(secret, len, block);

    } else if (len > 0) {
        memcpy(block, secret, len);
    }

    for (i = 0; i < sizeof(block); i++) {
        block[i] ^= 0x36;
    }

    SHA256_Init(&states.inner);
    SHA256_Update(&states.inner, block, sizeof(block));

    for (i = 0; i < sizeof(block); i++) {
        block[i] ^= 0x36 ^ 0x5c;
    }

    SHA256_Init(&states.outer);
    SHA256_Update(&states.outer, block, sizeof(block));

    memset(key, 0, sizeof(*key));
    memcpy(key->opaque, &states, sizeof(states));

    ig_wipe(block, sizeof(block));
    ig_wipe(&states, sizeof(states));
}


/*
 * The opaque words are used in place: they are aligned for SHA256_CTX (words
 * of 32 bits), and every access to them goes through that type.
 */

void
ig_hmac_init(ig_hmac_t *h, const ig_hmac_key_t *key)
{
    memcpy(h->opaque, key->opaque, sizeof(SHA256_CTX));
    h->key = key;
}


void
ig_hmac_update(ig_hmac_t *h, const void *data, size_t len)
{
    SHA256_Update((SHA256_CTX *) (void *) h->opaque, data, len);
}


void
ig_hmac_update_str(ig_hmac_t *h, ig_str_t s)
{
    uint8_t  prefix[4];

    prefix[0] = (uint8_t) (s.len >> 24);
    prefix[1] = (uint8_t) (s.len >> 16);
    prefix[2] = (uint8_t) (s.len >> 8);
    prefix[3] = (uint8_t) s.len;

    ig_hmac_update(h, prefix, sizeof(prefix));
    ig_hmac_update(h, s.data, s.len);
}


void
ig_hmac_final(ig_hmac_t *h, uint8_t out[IG_SHA256])
{
    SHA256_CTX  outer;

    SHA256_Final(out, (SHA256_CTX *) (void *) h->opaque);

    memcpy(&outer, (const char *) h->key->opaque
                   + offsetof(ig_hmac_states_t, outer), sizeof(outer));

    SHA256_Update(&outer, out, IG_SHA256);
    SHA256_Final(out, &outer);
}


int
ig_hkdf(const void *secret, size_t len, ig_str_t info, uint8_t *out,
    size_t outlen)
{
    size_t         n, done;
    uint8_t        count, block[IG_SHA256];
    ig_hmac_t      h;
    ig_hmac_key_t  key;

    if (outlen > 255 * IG_SHA256) {
        return IG_ERROR;
    }

    /* extract: no salt is a salt of zeros, as is an empty HMAC key */

    ig_hmac_key(&key, NULL, 0);
    ig_hmac_init(&h, &key);
    ig_hmac_update(&h, secret, len);
    ig_hmac_final(&h, block);

    /* expand */

    ig_hmac_key(&key, block, sizeof(block));

    for (done = 0, count = 1; done < outlen; done += n, count++) {
        ig_hmac_init(&h, &key);

        if (done > 0) {
            ig_hmac_update(&h, block, sizeof(block));
        }

        ig_hmac_update(&h, info.data, info.len);
        ig_hmac_update(&h, &count, 1);
        ig_hmac_final(&h, block);

        n = outlen - done < IG_SHA256 ? outlen - done : IG_SHA256;
        memcpy(out + done, block, n);
    }

    ig_wipe(block, sizeof(block));
    ig_wipe(&key, sizeof(key));
    ig_wipe(&h, sizeof(h));

    return IG_OK;
}


/* Six bits of a character of the standard alphabet, or -1. */
static int
ig_base64_bits(char c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }

    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }

    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }

    return c == '+' ? 62 : c == '/' ? 63 : -1;
}


int
ig_base64_decode(ig_str_t in, uint8_t *out, size_t *outlen)
{
    int       bits;
    size_t    i, n, pad, room;
    uint32_t  word;

    if (in.len % 4 != 0) {
        return IG_ERROR;
    }

    pad = 0;

    while (pad < 2 && pad < in.len && in.data[in.len - pad - 1] == '=') {
        pad++;
    }

    n = 0;
    word = 0;
    room = *outlen;

    if (in.len / 4 * 3 - pad > room) {
        return IG_ERROR;
    }

    for (i = 0; i < in.len - pad; i++) {
        bits = ig_base64_bits(in.data[i]);

        if (bits < 0) {
            return IG_ERROR;
        }

        word = word << 6 | (uint32_t) bits;

        if (i % 4 != 0) {
            /* 6, 4 and 2 bits are still to be used after 1, 2, 3 characters */
            out[n++] = (uint8_t) (word >> (6 - i % 4 * 2));
        }
    }

    /* what padding covers must be zero: one text for one sequence of bytes */

    if ((pad == 1 && (word & 3) != 0) || (pad == 2 && (word & 15) != 0)) {
        return IG_ERROR;
    }

    *outlen = n;

    return IG_OK;
}


int
ig_random(void *out, size_t len)
{
    uint8_t  *p = out;
    size_t    n;

    while (len > 0) {
        n = len < 4096 ? len : 4096;

        if (RAND_bytes(p, (int) n) != 1) {
            return IG_ERROR;
        }

        p += n;
        len -= n;
    }

    return IG_OK;
}


void
ig_wipe(void *data, size_t len)
{
    OPENSSL_cleanse(data, len);
}
