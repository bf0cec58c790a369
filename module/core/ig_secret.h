/*
 * ig_secret.h: the secret file and the subkeys derived from it.
 * Lines "id:base64" (at least 32 bytes each), first is current; '#' comments
 * and blank lines are skipped.  The store's subkey comes from the line marked
 * "id:base64:store", else from the last line, so that putting a new key first
 * rotates pseudonyms without forgetting the counters; the key of texts' bands,
 * which counters are kept by, goes with it.
 * Owns: the derived keys.  Called by nginx's start-up and integrityctl.
 */

#ifndef IG_SECRET_H
#define IG_SECRET_H

#include "ig_crypto.h"
#include "ig_buf.h"
#include "ig_similar.h"
#include "ig_value.h"

#define IG_MAX_KEYS     16
#define IG_KEY_ID       16      /* longest id: [A-Za-z0-9_-]{1,16} */
#define IG_VERDICT_KEY  32

typedef struct {
    char           id[IG_KEY_ID + 1];
    size_t         id_len;
    ig_hmac_key_t  pseudonym;
    ig_hmac_key_t  text;
    ig_hmac_key_t  verdict;
    uint8_t        verdict_raw[IG_VERDICT_KEY];     /* for `keys verdict` */
} ig_secret_key_t;

typedef struct {
    ig_secret_key_t  key[IG_MAX_KEYS];
    unsigned         nkeys;
    unsigned         nstore;        /* of key[]: whose line the next two have */
    ig_hmac_key_t    store;
    ig_similar_key_t similar;
} ig_secret_t;

/*
 * Parses the whole file's text.  Errors name the line and what is wrong with
 * it, never its content.  The caller wipes `text`.
 */
int ig_secret_parse(ig_str_t text, ig_secret_t *secret, ig_error_t *err);

/* "p:<key id>:<22 characters>" over the field's name and the key text. */
#define IG_PSEUDONYM  (2 + IG_KEY_ID + 1 + 22)
void ig_pseudonym(ig_buf_t *b, const ig_secret_key_t *key, ig_str_t field,
    ig_str_t value);

/* "t:<bytes>:<22 characters>": what leaves a request of a text field. */
#define IG_FINGERPRINT  (2 + 20 + 1 + 22)
void ig_fingerprint(ig_buf_t *b, const ig_secret_key_t *key, ig_str_t text);

#endif /* IG_SECRET_H */
