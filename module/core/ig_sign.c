/*
 * ig_sign.c: Ed25519 by libcrypto, its keys in PEM.
 * Owns nothing; what libcrypto allocates is freed before a function returns.
 * Called by the checkpoints and by integrityctl.
 */

#include <assert.h>
#include <string.h>

#include <openssl/evp.h>

#include "ig_sign.h"

#define IG_SIGN_DER  64         /* room for the longer of the two below */

/*
 * DER of a key is these bytes and the 32 of the key (RFC 8410): there is
 * nothing else in it that could vary.
 */
static const uint8_t  ig_sign_pkcs8[] = {
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70,
    0x04, 0x22, 0x04, 0x20
};

static const uint8_t  ig_sign_spki[] = {
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00
};

static_assert(sizeof(ig_sign_pkcs8) + IG_SIGN_KEY <= IG_SIGN_DER,
              "IG_SIGN_DER is too small");


void
ig_sign_public(ig_sign_public_t *key, const uint8_t bytes[IG_SIGN_KEY])
{
    uint8_t  digest[IG_SHA256];

    memcpy(key->key, bytes, IG_SIGN_KEY);
    ig_sha256(bytes, IG_SIGN_KEY, digest);
    memcpy(key->id, digest, IG_SIGN_ID);
}


int
ig_sign_private(ig_sign_private_t *key, const uint8_t seed[IG_SIGN_KEY])
{
    int        rc;
    size_t     len;
    uint8_t    bytes[IG_SIGN_KEY];
    EVP_PKEY  *pkey;

    rc = IG_ERROR;
    len = sizeof(bytes);
    pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed,
                                        IG_SIGN_KEY);

    if (pkey != NULL && EVP_PKEY_get_raw_public_key(pkey, bytes, &len) == 1
        && len == sizeof(bytes))
    {
        memmove(key->seed, seed, IG_SIGN_KEY);
        ig_sign_public(&key->open, bytes);
        rc = IG_OK;
    }

    EVP_PKEY_free(pkey);

    return rc;
}


/* -- PEM ----------------------------------------------------------------- */

static const char *
ig_sign_find(ig_str_t text, ig_str_t what)
{
    size_t  i;

    for (i = 0; i + what.len <= text.len; i++) {
        if (memcmp(text.data + i, what.data, what.len) == 0) {
            return text.data + i;
        }
    }

    return NULL;
}


/* What stands between the lines of this label; IG_ERROR: there are none. */
static int
ig_sign_between(ig_str_t pem, const char *label, ig_str_t *inner)
{
    char         mark[64];
    ig_buf_t     b;
    const char  *begin, *end;

    ig_buf_init(&b, mark, sizeof(mark));
    ig_buf_lit(&b, "-----BEGIN ");
    ig_buf_bytes(&b, label, strlen(label));
    ig_buf_lit(&b, "-----");
    begin = ig_sign_find(pem, ig_buf_str(&b));

    if (begin == NULL) {
        return IG_ERROR;
    }

    begin += ig_buf_str(&b).len;
    pem.len -= (size_t) (begin - pem.data);
    pem.data = begin;

    ig_buf_init(&b, mark, sizeof(mark));
    ig_buf_lit(&b, "-----END ");
    ig_buf_bytes(&b, label, strlen(label));
    ig_buf_lit(&b, "-----");
    end = ig_sign_find(pem, ig_buf_str(&b));

    if (end == NULL) {
        return IG_ERROR;
    }

    inner->data = begin;
    inner->len = (size_t) (end - begin);

    return IG_OK;
}


/* DER of exactly this prefix and a key. */
static int
ig_sign_read(ig_str_t pem, const char *label, const uint8_t *prefix,
    size_t prefix_len, uint8_t key[IG_SIGN_KEY])
{
    int       rc;
    char      text[2 * IG_SIGN_DER];
    size_t    i, len;
    uint8_t   der[IG_SIGN_DER];
    ig_buf_t  b;
    ig_str_t  inner;

    if (ig_sign_between(pem, label, &inner) != IG_OK) {
        return IG_ERROR;
    }

    ig_buf_init(&b, text, sizeof(text));

    for (i = 0; i < inner.len; i++) {
        if (inner.data[i] != '\n' && inner.data[i] != '\r') {
            ig_buf_char(&b, inner.data[i]);
        }
    }

    rc = IG_ERROR;
    len = sizeof(der);

    if (!b.full && ig_base64_decode(ig_buf_str(&b), der, &len) == IG_OK
        && len == prefix_len + IG_SIGN_KEY
        && memcmp(der, prefix, prefix_len) == 0)
    {
        memcpy(key, der + prefix_len, IG_SIGN_KEY);
        rc = IG_OK;
    }

    ig_wipe(der, sizeof(der));
    ig_wipe(text, sizeof(text));

    return rc;
}


static const ig_pos_t  ig_sign_nowhere = { NULL, 0 };


int
ig_sign_read_private(ig_str_t pem, ig_sign_private_t *key, ig_error_t *err)
{
    int      rc;
    uint8_t  seed[IG_SIGN_KEY];

    if (ig_sign_read(pem, "PRIVATE KEY", ig_sign_pkcs8, sizeof(ig_sign_pkcs8),
                     seed)
        != IG_OK)
    {
        return ig_error(err, ig_sign_nowhere,
                        "no Ed25519 private key in PEM without a passphrase,"
                        " as \"integrityctl keys seal\" makes it");
    }

    rc = ig_sign_private(key, seed);
    ig_wipe(seed, sizeof(seed));

    return rc == IG_OK ? IG_OK
                       : ig_error(err, ig_sign_nowhere,
                                  "libcrypto does not take this key");
}


int
ig_sign_read_public(ig_str_t pem, ig_sign_public_t *key, ig_error_t *err)
{
    uint8_t   bytes[IG_SIGN_KEY];
    ig_str_t  inner;

    if (ig_sign_read(pem, "PUBLIC KEY", ig_sign_spki, sizeof(ig_sign_spki),
                     bytes)
        == IG_OK)
    {
        ig_sign_public(key, bytes);
        return IG_OK;
    }

    if (ig_sign_between(pem, "PRIVATE KEY", &inner) == IG_OK) {
        return ig_error(err, ig_sign_nowhere,
                        "a private key: the public one is wanted here");
    }

    return ig_error(err, ig_sign_nowhere, "no Ed25519 public key in PEM");
}


static void
ig_sign_base64(ig_buf_t *b, const uint8_t *data, size_t len)
{
    size_t    i, n, left;
    uint32_t  word;

    static const char  alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (i = 0; i < len; i += 3) {
        left = len - i;
        word = (uint32_t) data[i] << 16
               | (left > 1 ? (uint32_t) data[i + 1] << 8 : 0)
               | (left > 2 ? (uint32_t) data[i + 2] : 0);

        for (n = 0; n < 4; n++) {
            ig_buf_char(b, n > left ? '='
                                    : alphabet[word >> (18 - 6 * n) & 63]);
        }
    }
}


void
ig_sign_write_private(ig_buf_t *b, const ig_sign_private_t *key)
{
    uint8_t  der[IG_SIGN_DER];

    memcpy(der, ig_sign_pkcs8, sizeof(ig_sign_pkcs8));
    memcpy(der + sizeof(ig_sign_pkcs8), key->seed, IG_SIGN_KEY);

    ig_buf_lit(b, "-----BEGIN PRIVATE KEY-----\n");
    ig_sign_base64(b, der, sizeof(ig_sign_pkcs8) + IG_SIGN_KEY);
    ig_buf_lit(b, "\n-----END PRIVATE KEY-----\n");

    ig_wipe(der, sizeof(der));
}


void
ig_sign_write_public(ig_buf_t *b, const ig_sign_public_t *key)
{
    uint8_t  der[IG_SIGN_DER];

    memcpy(der, ig_sign_spki, sizeof(ig_sign_spki));
    memcpy(der + sizeof(ig_sign_spki), key->key, IG_SIGN_KEY);

    ig_buf_lit(b, "-----BEGIN PUBLIC KEY-----\n");
    ig_sign_base64(b, der, sizeof(ig_sign_spki) + IG_SIGN_KEY);
    ig_buf_lit(b, "\n-----END PUBLIC KEY-----\n");
}


/* -- signatures ---------------------------------------------------------- */

int
ig_sign(const ig_sign_private_t *key, ig_str_t text,
    uint8_t signature[IG_SIGNATURE])
{
    int          rc;
    size_t       len;
    EVP_PKEY    *pkey;
    EVP_MD_CTX  *ctx;

    rc = IG_ERROR;
    len = IG_SIGNATURE;
    ctx = EVP_MD_CTX_new();
    pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, key->seed,
                                        IG_SIGN_KEY);

    if (ctx != NULL && pkey != NULL
        && EVP_DigestSignInit(ctx, NULL, NULL, NULL, pkey) == 1
        && EVP_DigestSign(ctx, signature, &len, (const uint8_t *) text.data,
                          text.len) == 1
        && len == IG_SIGNATURE)
    {
        rc = IG_OK;
    }

    EVP_PKEY_free(pkey);
    EVP_MD_CTX_free(ctx);

    return rc;
}


bool
ig_sign_check(const ig_sign_public_t *key, ig_str_t text,
    const uint8_t signature[IG_SIGNATURE])
{
    bool         good;
    EVP_PKEY    *pkey;
    EVP_MD_CTX  *ctx;

    ctx = EVP_MD_CTX_new();
    pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key->key,
                                       IG_SIGN_KEY);

    good = ctx != NULL && pkey != NULL
           && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pkey) == 1
           && EVP_DigestVerify(ctx, signature, IG_SIGNATURE,
                               (const uint8_t *) text.data, text.len) == 1;

    EVP_PKEY_free(pkey);
    EVP_MD_CTX_free(ctx);

    return good;
}
