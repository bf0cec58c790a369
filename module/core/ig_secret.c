/*
 * ig_secret.c: reads the secret file's text, derives the subkeys, and makes
 * pseudonyms and fingerprints with them.
 * Owns nothing beyond the caller's ig_secret_t; borrows the text.
 * Called by nginx's start-up, the event, integrityctl.
 */

#include <string.h>

#include "ig_secret.h"

#define IG_SECRET_MIN  32       /* bytes of a key, decoded */
#define IG_SECRET_MAX  255      /* a multiple of three, as base64 is */
#define IG_MAC_BYTES   16       /* of the 32 that HMAC gives: 128 bits */

/* What is known while the lines go by. */
typedef struct {
    ig_secret_t  *secret;
    ig_error_t   *err;
    unsigned      line;         /* from 1 */
    unsigned      marked;       /* line of the ":store" key, or 0 */
} ig_secret_reader_t;


static int
ig_secret_error(ig_secret_reader_t *r, const char *what)
{
    ig_pos_t  pos = { NULL, r->line };

    return ig_error(r->err, pos, "line %u: %s", r->line, what);
}


static bool
ig_secret_is_id(ig_str_t id)
{
    size_t  i;
    char    c;

    if (id.len == 0 || id.len > IG_KEY_ID) {
        return false;
    }

    for (i = 0; i < id.len; i++) {
        c = id.data[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
              || (c >= '0' && c <= '9') || c == '_' || c == '-'))
        {
            return false;
        }
    }

    return true;
}


static bool
ig_secret_has_id(const ig_secret_t *secret, ig_str_t id)
{
    unsigned  i;

    for (i = 0; i < secret->nkeys; i++) {
        if (secret->key[i].id_len == id.len
            && memcmp(secret->key[i].id, id.data, id.len) == 0)
        {
            return true;
        }
    }

    return false;
}


/* Takes what is before the first ':' of *rest (or all of it) off *rest. */
static ig_str_t
ig_secret_part(ig_str_t *rest, bool *colon)
{
    ig_str_t     part;
    const char  *p;

    part = *rest;
    p = rest->len > 0 ? memchr(rest->data, ':', rest->len) : NULL;
    *colon = (p != NULL);

    if (p != NULL) {
        part.len = (size_t) (p - rest->data);
        rest->data += part.len + 1;
        rest->len -= part.len + 1;

    } else {
        rest->data += rest->len;
        rest->len = 0;
    }

    return part;
}


static void
ig_secret_subkey(ig_hmac_key_t *key, const uint8_t *raw, size_t len,
    ig_str_t info)
{
    uint8_t  sub[IG_SHA256];

    (void) ig_hkdf(raw, len, info, sub, sizeof(sub));
    ig_hmac_key(key, sub, sizeof(sub));
    ig_wipe(sub, sizeof(sub));
}


static void
ig_secret_counters(ig_secret_t *secret, const uint8_t *raw, size_t len)
{
    uint8_t  sub[IG_SIMILAR_SECRET];

    ig_secret_subkey(&secret->store, raw, len,
                     ig_str("nginx-integrity/store"));

    (void) ig_hkdf(raw, len, ig_str("nginx-integrity/similar"), sub,
                   sizeof(sub));
    ig_similar_key(&secret->similar, sub);
    ig_wipe(sub, sizeof(sub));
}


/* The id is good and new, raw is long enough. */
static void
ig_secret_add(ig_secret_t *secret, ig_str_t id, const uint8_t *raw, size_t len)
{
    ig_secret_key_t  *key;

    key = &secret->key[secret->nkeys++];

    memcpy(key->id, id.data, id.len);
    key->id_len = id.len;

    ig_secret_subkey(&key->pseudonym, raw, len,
                     ig_str("nginx-integrity/pseudonym"));
    ig_secret_subkey(&key->text, raw, len, ig_str("nginx-integrity/text"));

    (void) ig_hkdf(raw, len, ig_str("nginx-integrity/verdict"),
                   key->verdict_raw, sizeof(key->verdict_raw));
    ig_hmac_key(&key->verdict, key->verdict_raw, sizeof(key->verdict_raw));
}


static int
ig_secret_key_text(ig_secret_reader_t *r, ig_str_t id, ig_str_t base64,
    bool store)
{
    int      rc;
    size_t   len;
    uint8_t  raw[IG_SECRET_MAX];

    rc = IG_ERROR;
    len = sizeof(raw);

    if (base64.len > IG_SECRET_MAX / 3 * 4) {
        (void) ig_secret_error(r, "the key is longer than 255 bytes");

    } else if (ig_base64_decode(base64, raw, &len) != IG_OK) {
        (void) ig_secret_error(r, "the key is not base64 (standard alphabet,"
                                  " with padding)");

    } else if (len < IG_SECRET_MIN) {
        (void) ig_secret_error(r, "the key is shorter than 32 bytes; make one"
                                  " with \"integrityctl keys new FILE\"");

    } else {
        ig_secret_add(r->secret, id, raw, len);

        if (store || r->marked == 0) {
            ig_secret_counters(r->secret, raw, len);
            r->secret->nstore = r->secret->nkeys - 1;
        }

        rc = IG_OK;
    }

    ig_wipe(raw, sizeof(raw));

    return rc;
}


/* One line "id:base64" or "id:base64:store", without blanks around it. */
static int
ig_secret_line(ig_secret_reader_t *r, ig_str_t line)
{
    int       rc;
    bool      colon, mark;
    ig_str_t  id, base64;

    id = ig_secret_part(&line, &colon);

    if (!colon) {
        return ig_secret_error(r, "expected id:base64");
    }

    if (!ig_secret_is_id(id)) {
        return ig_secret_error(r, "a key's id is 1 to 16 of letters, digits,"
                                  " \"_\" and \"-\"");
    }

    if (ig_secret_has_id(r->secret, id)) {
        return ig_secret_error(r, "this id stands on an earlier line too");
    }

    if (r->secret->nkeys == IG_MAX_KEYS) {
        return ig_secret_error(r, "more than 16 keys");
    }

    base64 = ig_secret_part(&line, &mark);

    if (mark && !ig_str_eq(line, ig_str("store"))) {
        return ig_secret_error(r, "only \":store\" may follow the key");
    }

    if (mark && r->marked != 0) {
        return ig_secret_error(r, "an earlier line is marked \":store\" too");
    }

    rc = ig_secret_key_text(r, id, base64, mark);

    if (mark) {
        r->marked = r->line;
    }

    return rc;
}


static ig_str_t
ig_secret_trim(ig_str_t s)
{
    while (s.len > 0 && (s.data[0] == ' ' || s.data[0] == '\t')) {
        s.data++;
        s.len--;
    }

    while (s.len > 0 && (s.data[s.len - 1] == ' '
                         || s.data[s.len - 1] == '\t'
                         || s.data[s.len - 1] == '\r'))
    {
        s.len--;
    }

    return s;
}


int
ig_secret_parse(ig_str_t text, ig_secret_t *secret, ig_error_t *err)
{
    ig_str_t            line;
    const char         *nl;
    ig_secret_reader_t  r;

    memset(secret, 0, sizeof(*secret));

    r.secret = secret;
    r.err = err;
    r.marked = 0;

    for (r.line = 1; text.len > 0; r.line++) {
        nl = memchr(text.data, '\n', text.len);

        line.data = text.data;
        line.len = nl ? (size_t) (nl - text.data) : text.len;

        text.data += line.len + (nl ? 1 : 0);
        text.len -= line.len + (nl ? 1 : 0);

        line = ig_secret_trim(line);

        if (line.len == 0 || line.data[0] == '#') {
            continue;
        }

        if (ig_secret_line(&r, line) != IG_OK) {
            ig_wipe(secret, sizeof(*secret));
            return IG_ERROR;
        }
    }

    if (secret->nkeys == 0) {
        return ig_error(err, (ig_pos_t) { NULL, 0 },
                        "there is no key in it; make one with"
                        " \"integrityctl keys new FILE\"");
    }

    return IG_OK;
}


/* Writes the first half of the digest: 22 characters. */
static void
ig_secret_mac(ig_buf_t *b, ig_hmac_t *h)
{
    uint8_t  mac[IG_SHA256];

    ig_hmac_final(h, mac);
    ig_buf_base64url(b, mac, IG_MAC_BYTES);
}


void
ig_pseudonym(ig_buf_t *b, const ig_secret_key_t *key, ig_str_t field,
    ig_str_t value)
{
    ig_hmac_t  h;

    ig_hmac_init(&h, &key->pseudonym);
    ig_hmac_update_str(&h, field);
    ig_hmac_update_str(&h, value);

    ig_buf_lit(b, "p:");
    ig_buf_bytes(b, key->id, key->id_len);
    ig_buf_char(b, ':');
    ig_secret_mac(b, &h);
}


void
ig_fingerprint(ig_buf_t *b, const ig_secret_key_t *key, ig_str_t text)
{
    ig_hmac_t  h;

    ig_hmac_init(&h, &key->text);
    ig_hmac_update_str(&h, text);

    ig_buf_lit(b, "t:");
    ig_buf_u64(b, text.len);
    ig_buf_char(b, ':');
    ig_secret_mac(b, &h);
}
