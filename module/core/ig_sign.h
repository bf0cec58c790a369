/*
 * ig_sign.h: Ed25519 (RFC 8032): keys in PEM, signatures.
 * Owns nothing: keys are the caller's, who wipes private ones with ig_wipe.
 * Called by the checkpoints and by integrityctl.
 */

#ifndef IG_SIGN_H
#define IG_SIGN_H

#include "ig_buf.h"
#include "ig_crypto.h"

#define IG_SIGN_KEY   32
#define IG_SIGNATURE  64
#define IG_SIGN_ID    8         /* the start of the public key's SHA-256 */
#define IG_SIGN_PEM   256       /* longest PEM that is written here */

typedef struct {
    uint8_t  key[IG_SIGN_KEY];
    uint8_t  id[IG_SIGN_ID];
} ig_sign_public_t;

typedef struct {
    uint8_t           seed[IG_SIGN_KEY];    /* secret */
    ig_sign_public_t  open;                 /* what belongs to it */
} ig_sign_private_t;

/* The key of these bytes, with its id. */
void ig_sign_public(ig_sign_public_t *key, const uint8_t bytes[IG_SIGN_KEY]);

/* From 32 random bytes.  IG_OK, or IG_ERROR where libcrypto fails. */
int ig_sign_private(ig_sign_private_t *key, const uint8_t seed[IG_SIGN_KEY]);

/*
 * PEM as openssl writes and reads it: PKCS #8 without a passphrase ("PRIVATE
 * KEY", RFC 8410) and SubjectPublicKeyInfo ("PUBLIC KEY").  Lines before and
 * after it are skipped.  Errors say what is wrong, never what is in it; the
 * caller wipes `pem`.
 */
int ig_sign_read_private(ig_str_t pem, ig_sign_private_t *key,
    ig_error_t *err);
int ig_sign_read_public(ig_str_t pem, ig_sign_public_t *key, ig_error_t *err);

void ig_sign_write_private(ig_buf_t *b, const ig_sign_private_t *key);
void ig_sign_write_public(ig_buf_t *b, const ig_sign_public_t *key);

/* IG_OK, or IG_ERROR where libcrypto fails. */
int ig_sign(const ig_sign_private_t *key, ig_str_t text,
    uint8_t signature[IG_SIGNATURE]);

/* Whether the signature is this key's over this text; false on any doubt. */
bool ig_sign_check(const ig_sign_public_t *key, ig_str_t text,
    const uint8_t signature[IG_SIGNATURE]);

#endif /* IG_SIGN_H */
