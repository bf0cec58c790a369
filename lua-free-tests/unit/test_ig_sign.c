/*
 * test_ig_sign.c: Ed25519 by the vectors of RFC 8032, keys in PEM as openssl
 * writes them, and what is no key.
 * Owns nothing.  Run by the unit tests' runner.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ig_sign.h"


static void
from_hex(const char *hex, uint8_t *out)
{
    unsigned  n;

    for (; *hex != '\0'; hex += 2) {
        assert_int_equal(sscanf(hex, "%2x", &n), 1);
        *out++ = (uint8_t) n;
    }
}


/* RFC 8032, section 7.1: tests 1 to 3. */
static void
test_vectors(void **state)
{
    size_t             i, len;
    uint8_t            seed[32], key[32], sig[64], made[64], text[2];
    ig_str_t           message;
    ig_sign_private_t  private;

    static const struct {
        const char  *seed;
        const char  *key;
        const char  *text;
        const char  *sig;
    } cases[] = {
        { "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
          "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
          "",
          "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
          "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b" },
        { "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
          "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
          "72",
          "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
          "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00" },
        { "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
          "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
          "af82",
          "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
          "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a" }
    };

    (void) state;

    for (i = 0; i < ig_countof(cases); i++) {
        from_hex(cases[i].seed, seed);
        from_hex(cases[i].key, key);
        from_hex(cases[i].text, text);
        from_hex(cases[i].sig, sig);
        message.data = (const char *) text;
        message.len = strlen(cases[i].text) / 2;

        assert_int_equal(ig_sign_private(&private, seed), IG_OK);
        assert_memory_equal(private.open.key, key, sizeof(key));
        assert_int_equal(ig_sign(&private, message, made), IG_OK);
        assert_memory_equal(made, sig, sizeof(sig));
        assert_true(ig_sign_check(&private.open, message, sig));

        for (len = 0; len < sizeof(sig); len++) {
            sig[len] ^= 1;
            assert_false(ig_sign_check(&private.open, message, sig));
            sig[len] ^= 1;
        }

        message.data = "another";
        message.len = 7;
        assert_false(ig_sign_check(&private.open, message, sig));
    }
}


/* What openssl wrote for the seed of the first vector. */
static const char  private_pem[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
    "-----END PRIVATE KEY-----\n";

static const char  public_pem[] =
    "-----BEGIN PUBLIC KEY-----\n"
    "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"
    "-----END PUBLIC KEY-----\n";


static void
test_pem(void **state)
{
    char               text[IG_SIGN_PEM];
    ig_buf_t           b;
    ig_error_t         err;
    ig_sign_public_t   public;
    ig_sign_private_t  private;

    (void) state;

    assert_int_equal(ig_sign_read_private(ig_str(private_pem), &private, &err),
                     IG_OK);
    assert_int_equal(ig_sign_read_public(ig_str(public_pem), &public, &err),
                     IG_OK);
    assert_memory_equal(&private.open, &public, sizeof(public));

    ig_buf_init(&b, text, sizeof(text));
    ig_sign_write_private(&b, &private);
    assert_true(ig_str_eq(ig_buf_str(&b), ig_str(private_pem)));

    ig_buf_init(&b, text, sizeof(text));
    ig_sign_write_public(&b, &public);
    assert_true(ig_str_eq(ig_buf_str(&b), ig_str(public_pem)));
}


static void
refused(const char *pem, size_t len)
{
    ig_str_t           text = { len, pem };
    ig_error_t         err;
    ig_sign_public_t   public;
    ig_sign_private_t  private;

    assert_int_equal(ig_sign_read_private(text, &private, &err), IG_ERROR);
    assert_int_equal(ig_sign_read_public(text, &public, &err), IG_ERROR);
    assert_true(strlen(err.text) > 0);
}


static void
test_no_key(void **state)
{
    size_t             i;
    char               text[sizeof(private_pem)];
    ig_error_t         err;
    ig_sign_public_t   public;
    ig_sign_private_t  private;

    static const char *const  wrong[] = {
        "", "k1:c2VjcmV0", "-----BEGIN PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY----------END PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\nMC4C\n-----END PUBLIC KEY-----\n",
        "-----BEGIN EC PRIVATE KEY-----\nMC4C\n-----END EC PRIVATE KEY-----\n",
        /* X25519, whose DER differs in one byte */
        "-----BEGIN PRIVATE KEY-----\n"
        "MC4CAQAwBQYDK2VuBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
        "-----END PRIVATE KEY-----\n",
        "-----BEGIN PUBLIC KEY-----\n"
        "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHUQ==\n"
        "-----END PUBLIC KEY-----\n"
    };

    (void) state;

    for (i = 0; i < ig_countof(wrong); i++) {
        refused(wrong[i], strlen(wrong[i]));
    }

    assert_int_equal(ig_sign_read_public(ig_str(private_pem), &public, &err),
                     IG_ERROR);
    assert_non_null(strstr(err.text, "a private key: the public one"));
    assert_null(strstr(err.text, "MC4C"));

    /* cut anywhere but after the last dash, it is none */

    for (i = 0; i < sizeof(private_pem) - 2; i++) {
        refused(private_pem, i);
    }

    /* any other character in its base64 is another key, or none */

    for (i = 28; i < 92; i++) {
        memcpy(text, private_pem, sizeof(text));
        text[i] = '*';
        assert_int_equal(ig_sign_read_private(ig_str(text), &private, &err),
                         IG_ERROR);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_pem),
        cmocka_unit_test(test_no_key)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
