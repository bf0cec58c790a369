/*
 * test_ig_secret.c: secret files that are read and refused, and what the
 * subkeys make of names and texts (values computed by another program).
 * Owns nothing.  Run by the unit tests' runner.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ig_secret.h"

/* bytes 0 to 31, and 100 to 139 */
#define KEY_A  "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define KEY_B  "ZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXp7fH1+f4CBgoOEhYaHiImKiw=="

/* HMAC-SHA256 of "x" with the store's subkeys */
#define STORE_A  "432ae637c5da1a825689cc7274e4fee8be3becccbd7cff618b48cbf8e9c2"
#define STORE_B  "bf6b50fa58f5ea67728cbf632125cd81811df1e364f1bad0f5caca009dd4"

static ig_secret_t  secret;
static ig_error_t   err;


static int
parse(const char *text)
{
    return ig_secret_parse((ig_str_t) { strlen(text), text }, &secret, &err);
}


static void
is_store(const char *hex)
{
    char       text[2 * IG_SHA256];
    uint8_t    mac[IG_SHA256];
    ig_buf_t   b;
    ig_hmac_t  h;

    ig_hmac_init(&h, &secret.store);
    ig_hmac_update(&h, "x", 1);
    ig_hmac_final(&h, mac);

    ig_buf_init(&b, text, sizeof(text));
    ig_buf_hex(&b, mac, IG_SHA256);

    assert_memory_equal(text, hex, strlen(hex));
}


static void
test_one_key(void **state)
{
    (void) state;

    assert_int_equal(parse("k1:" KEY_A), IG_OK);
    assert_int_equal(secret.nkeys, 1);
    assert_string_equal(secret.key[0].id, "k1");
    assert_int_equal(secret.key[0].id_len, 2);
    is_store(STORE_A);
}


static void
test_rotation(void **state)
{
    (void) state;

    /* a new key goes first; the counters stay where they were */

    assert_int_equal(parse("# secrets\n\nnew:" KEY_B "\r\n  old:" KEY_A "\t\n"),
                     IG_OK);
    assert_int_equal(secret.nkeys, 2);
    assert_string_equal(secret.key[0].id, "new");
    assert_string_equal(secret.key[1].id, "old");
    is_store(STORE_A);

    /* unless a line says so, wherever it stands */

    assert_int_equal(parse("new:" KEY_B ":store\nold:" KEY_A "\n"), IG_OK);
    is_store(STORE_B);
    assert_int_equal(secret.nstore, 0);

    assert_int_equal(parse("old:" KEY_A "\nnew:" KEY_B ":store"), IG_OK);
    is_store(STORE_B);
    assert_int_equal(secret.nstore, 1);
}


static void
test_sixteen_keys(void **state)
{
    char      text[4096];
    unsigned  i;
    ig_buf_t  b;

    (void) state;

    ig_buf_init(&b, text, sizeof(text) - 1);

    for (i = 0; i < IG_MAX_KEYS; i++) {
        ig_buf_lit(&b, "key_");
        ig_buf_u64(&b, i);
        ig_buf_lit(&b, ":" KEY_A "\n");
    }

    *b.pos = '\0';
    assert_int_equal(parse(text), IG_OK);
    assert_int_equal(secret.nkeys, IG_MAX_KEYS);
    assert_string_equal(secret.key[15].id, "key_15");

    ig_buf_lit(&b, "one-too-many:" KEY_A "\n");
    *b.pos = '\0';
    assert_int_equal(parse(text), IG_ERROR);
    assert_string_equal(err.text, "line 17: more than 16 keys");
}


static const struct {
    const char  *text;
    const char  *error;
} refused[] = {
    { "", "there is no key in it; make one with \"integrityctl keys new"
          " FILE\"" },
    { "\n# only words\n", "there is no key in it; make one with"
                          " \"integrityctl keys new FILE\"" },
    { "# a\n\nk1=" KEY_A, "line 3: expected id:base64" },
    { "secret", "line 1: expected id:base64" },
    { ":" KEY_A, "line 1: a key's id is 1 to 16 of letters, digits, \"_\" and"
                 " \"-\"" },
    { "a.b:" KEY_A, "line 1: a key's id is 1 to 16 of letters, digits, \"_\""
                    " and \"-\"" },
    { "seventeen_letters:" KEY_A,
      "line 1: a key's id is 1 to 16 of letters, digits, \"_\" and \"-\"" },
    { "k1:" KEY_A "\nk1:" KEY_B,
      "line 2: this id stands on an earlier line too" },
    { "k1:" KEY_A ":current", "line 1: only \":store\" may follow the key" },
    { "k1:" KEY_A ":", "line 1: only \":store\" may follow the key" },
    { "k1:" KEY_A ":store\nk2:" KEY_B ":store",
      "line 2: an earlier line is marked \":store\" too" },
    { "k1:", "line 1: the key is shorter than 32 bytes; make one with"
             " \"integrityctl keys new FILE\"" },
    { "k1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==",
      "line 1: the key is shorter than 32 bytes; make one with \"integrityctl"
      " keys new FILE\"" },
    { "k1:" KEY_A "x", "line 1: the key is not base64 (standard alphabet, with"
                       " padding)" },
    { "k1: " KEY_A, "line 1: the key is not base64 (standard alphabet, with"
                    " padding)" }
};


static void
test_refused(void **state)
{
    size_t       i, j;
    const char  *bytes;

    (void) state;

    for (i = 0; i < ig_countof(refused); i++) {
        assert_int_equal(parse(refused[i].text), IG_ERROR);
        assert_string_equal(err.text, refused[i].error);
        assert_null(err.pos.file);

        /* nothing of a refused file stays */

        bytes = (const char *) &secret;

        for (j = 0; j < sizeof(secret); j++) {
            assert_int_equal(bytes[j], 0);
        }
    }
}


static void
test_too_long(void **state)
{
    char  text[512];

    (void) state;

    /* 255 bytes are the longest key: 340 characters */

    strcpy(text, "k1:");
    memset(text + 3, 'A', 340);
    text[343] = '\0';
    assert_int_equal(parse(text), IG_OK);

    memset(text + 343, 'A', 4);
    text[347] = '\0';
    assert_int_equal(parse(text), IG_ERROR);
    assert_string_equal(err.text, "line 1: the key is longer than 255 bytes");
}


static void
test_pseudonym(void **state)
{
    char       text[IG_PSEUDONYM];
    ig_buf_t   b;

    (void) state;

    assert_int_equal(parse("k1:" KEY_A "\n2026-old:" KEY_B), IG_OK);

    ig_buf_init(&b, text, sizeof(text));
    ig_pseudonym(&b, &secret.key[0], ig_str("account"), ig_str("alice"));
    assert_true(ig_str_eq(ig_buf_str(&b),
                          ig_str("p:k1:FjUJTNlyY6ZjOlBbQZvMJg")));

    ig_buf_init(&b, text, sizeof(text));
    ig_pseudonym(&b, &secret.key[0], ig_str("device"), ig_str("alice"));
    assert_true(ig_str_eq(ig_buf_str(&b),
                          ig_str("p:k1:h3KOU7HnCHTXkebyi90h9A")));

    ig_buf_init(&b, text, sizeof(text));
    ig_pseudonym(&b, &secret.key[1], ig_str("account"), ig_str("alice"));
    assert_true(ig_str_eq(ig_buf_str(&b),
                          ig_str("p:2026-old:feZ8y9-RMFXgTL6teQsmcg")));
}


static void
test_fingerprint(void **state)
{
    char       text[IG_FINGERPRINT];
    ig_buf_t   b;

    (void) state;

    assert_int_equal(parse("k1:" KEY_A), IG_OK);

    ig_buf_init(&b, text, sizeof(text));
    ig_fingerprint(&b, &secret.key[0], ig_str("very good"));
    assert_true(ig_str_eq(ig_buf_str(&b),
                          ig_str("t:9:HU_ezdQJt6v8TY87Q_znOg")));
}


static void
test_room(void **state)
{
    char       text[IG_PSEUDONYM];
    ig_buf_t   b;

    (void) state;

    /* the longest there is fits what the header promises, exactly */

    assert_int_equal(parse("sixteen_letters_:" KEY_A), IG_OK);

    ig_buf_init(&b, text, sizeof(text));
    ig_pseudonym(&b, &secret.key[0], ig_str("account"), ig_str("alice"));
    assert_false(b.full);
    assert_int_equal(ig_buf_str(&b).len, IG_PSEUDONYM);
}


static void
test_verdict_key(void **state)
{
    char      text[2 * IG_VERDICT_KEY];
    ig_buf_t  b;

    (void) state;

    assert_int_equal(parse("k1:" KEY_A), IG_OK);

    ig_buf_init(&b, text, sizeof(text));
    ig_buf_hex(&b, secret.key[0].verdict_raw, IG_VERDICT_KEY);

    assert_memory_equal(text, "a4b4bc659d0c93349ee0b1bdf2ad7f48e7f135c2e8d0fad"
                              "bff2f37a7beddd657", sizeof(text));
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_one_key),
        cmocka_unit_test(test_rotation),
        cmocka_unit_test(test_sixteen_keys),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_pseudonym),
        cmocka_unit_test(test_fingerprint),
        cmocka_unit_test(test_room),
        cmocka_unit_test(test_verdict_key)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
