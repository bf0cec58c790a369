/*
 * ig_crypto.h: the only door to libcrypto: digests, keyed hashes, key
 * derivation, random bytes, wiping.  Owns nothing; no allocation in the
 * hash functions.  Called by secrets, the call, the chain, the policy.
 */

#ifndef IG_CRYPTO_H
#define IG_CRYPTO_H

#include "ig_core.h"

#define IG_SHA256  32

void ig_sha256(const void *data, size_t len, uint8_t out[IG_SHA256]);

/*
 * HMAC-SHA256 (RFC 2104) with the two key blocks already absorbed, so that a
 * short message costs two compressions.
 */
typedef struct {
    uint64_t  opaque[32];
} ig_hmac_key_t;

typedef struct {
    uint64_t             opaque[16];
    const ig_hmac_key_t *key;
} ig_hmac_t;

void ig_hmac_key(ig_hmac_key_t *key, const void *secret, size_t len);
void ig_hmac_init(ig_hmac_t *h, const ig_hmac_key_t *key);
void ig_hmac_update(ig_hmac_t *h, const void *data, size_t len);
/* Length-prefixed (32 bits, big endian), so that tuples cannot be confused. */
void ig_hmac_update_str(ig_hmac_t *h, ig_str_t s);
void ig_hmac_final(ig_hmac_t *h, uint8_t out[IG_SHA256]);

/*
 * HKDF-SHA256 (RFC 5869) with an empty salt.  IG_ERROR where outlen is over
 * 255 * 32.
 */
int ig_hkdf(const void *secret, size_t len, ig_str_t info, uint8_t *out,
    size_t outlen);

/*
 * Standard base64 (RFC 4648 section 4), padding required, no blanks.
 * *outlen is the room in `out` before and the number of bytes after; IG_ERROR
 * where the text is wrong or does not fit, `out` is then undefined.
 */
int ig_base64_decode(ig_str_t in, uint8_t *out, size_t *outlen);

/* 0 or IG_ERROR. */
int ig_random(void *out, size_t len);

/* Zeroes memory that held a secret; never optimized away. */
void ig_wipe(void *data, size_t len);

#endif /* IG_CRYPTO_H */
