/*
 * test_ig_crypto.c: digests, keyed hashes and derivations by the vectors of
 * their standards, base64 to the letter, wiping.
 * Owns nothing.  Run by the unit tests' runner.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ig_buf.h"
#include "ig_crypto.h"


/* Compares bytes with lower-case hex; the hex says how many. */
static void
is_hex(const uint8_t *data, const char *hex)
{
    char      text[256];
    size_t    len;
    ig_buf_t  b;

    len = strlen(hex);

    ig_buf_init(&b, text, sizeof(text));
    ig_buf_hex(&b, data, len / 2);

    assert_false(b.full);
    assert_int_equal(ig_buf_str(&b).len, len);

    if (memcmp(text, hex, len) != 0) {
        fail_msg("%.*s instead of %s", (int) len, text, hex);
    }
}


/* FIPS 180-4 examples. */
static void
test_sha256(void **state)
{
    size_t    i;
    uint8_t   out[IG_SHA256];

    static const struct {
        const char  *text;
        const char  *hex;
    } cases[] = {
        { "",
          "e3b0c44298fc1c149afbf4c8996fb924"
          "27ae41e4649b934ca495991b7852b855" },
        { "abc",
          "ba7816bf8f01cfea414140de5dae2223"
          "b00361a396177a9cb410ff61f20015ad" },
        { "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
          "248d6a61d20638b8e5c026930c3e6039"
          "a33ce45964ff2167f6ecedd419db06c1" }
    };

    (void) state;

    for (i = 0; i < ig_countof(cases); i++) {
        ig_sha256(cases[i].text, strlen(cases[i].text), out);
        is_hex(out, cases[i].hex);
    }
}


typedef struct {
    uint8_t      key[136];
    size_t       key_len;
    const char  *data;
    const char  *hex;
} hmac_case_t;

#define TEN(c)      c c c c c c c c c c
#define FIFTY(c)    TEN(c) TEN(c) TEN(c) TEN(c) TEN(c)

/* RFC 4231, test cases 1 to 7. */
static const hmac_case_t  hmac_cases[] = {
    { TEN("\x0b") TEN("\x0b"), 20, "Hi There",
      "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
    { "Jefe", 4, "what do ya want for nothing?",
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
    { TEN("\xaa") TEN("\xaa"), 20, FIFTY("\xdd"),
      "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe" },
    { "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11"
      "\x12\x13\x14\x15\x16\x17\x18\x19", 25, FIFTY("\xcd"),
      "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b" },
    { TEN("\x0c") TEN("\x0c"), 20, "Test With Truncation",
      "a3b6167473100ee06e0c796c2955552b" },
    { FIFTY("\xaa") FIFTY("\xaa") TEN("\xaa") TEN("\xaa") TEN("\xaa")
      "\xaa", 131,
      "Test Using Larger Than Block-Size Key - Hash Key First",
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54" },
    { FIFTY("\xaa") FIFTY("\xaa") TEN("\xaa") TEN("\xaa") TEN("\xaa")
      "\xaa", 131,
      "This is a test using a larger than block-size key and a larger than "
      "block-size data. The key needs to be hashed before being used by the "
      "HMAC algorithm.",
      "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2" }
};


static void
test_hmac(void **state)
{
    size_t              i, j, len;
    uint8_t             out[IG_SHA256];
    ig_hmac_t           h;
    ig_hmac_key_t       key;
    const hmac_case_t  *c;

    (void) state;

    for (i = 0; i < ig_countof(hmac_cases); i++) {
        c = &hmac_cases[i];
        len = strlen(c->data);

        ig_hmac_key(&key, c->key, c->key_len);

        ig_hmac_init(&h, &key);
        ig_hmac_update(&h, c->data, len);
        ig_hmac_final(&h, out);
        is_hex(out, c->hex);

        /* the key serves again, and pieces make no difference */

        ig_hmac_init(&h, &key);

        for (j = 0; j < len; j++) {
            ig_hmac_update(&h, c->data + j, 1);
        }

        ig_hmac_final(&h, out);
        is_hex(out, c->hex);
    }
}


static void
test_prefixed(void **state)
{
    uint8_t        prefixed[IG_SHA256], plain[IG_SHA256];
    ig_hmac_t      h;
    ig_hmac_key_t  key;

    (void) state;

    ig_hmac_key(&key, "key", 3);

    ig_hmac_init(&h, &key);
    ig_hmac_update_str(&h, ig_str("ab"));
    ig_hmac_update_str(&h, ig_str(""));
    ig_hmac_update_str(&h, ig_str("c"));
    ig_hmac_final(&h, prefixed);

    ig_hmac_init(&h, &key);
    ig_hmac_update(&h, "\0\0\0\2ab\0\0\0\0\0\0\0\1c", 15);
    ig_hmac_final(&h, plain);

    assert_memory_equal(prefixed, plain, IG_SHA256);

    /* a tuple cut elsewhere is another tuple */

    ig_hmac_init(&h, &key);
    ig_hmac_update_str(&h, ig_str("a"));
    ig_hmac_update_str(&h, ig_str(""));
    ig_hmac_update_str(&h, ig_str("bc"));
    ig_hmac_final(&h, plain);

    assert_memory_not_equal(prefixed, plain, IG_SHA256);
}


static void
test_hkdf(void **state)
{
    int       i;
    uint8_t   secret[80], info[80], out[255 * IG_SHA256 + 1];
    ig_str_t  s = { sizeof(info), (const char *) info };

    (void) state;

    /* RFC 5869, test case 3: no salt, no info */

    memset(secret, 0x0b, 22);
    assert_int_equal(ig_hkdf(secret, 22, ig_str(""), out, 42), IG_OK);
    is_hex(out, "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d"
                "2d9d201395faa4b61a96c8");

    /* input and info of test case 2, without its salt: by `openssl kdf` */

    for (i = 0; i < 80; i++) {
        secret[i] = (uint8_t) i;
        info[i] = (uint8_t) (0xb0 + i);
    }

    assert_int_equal(ig_hkdf(secret, 80, s, out, 82), IG_OK);
    is_hex(out, "bdeaae544c019348d911435a228f8a7f6eba81db6892a2be5560274060c70a"
                "75ebd4c875b737c678a1fe60c8cd40b334e5c0b5b0500d6b78ed90fb08388f"
                "5a7b22ed5dc466cac7b0bec32bf3eb1681d01524");

    assert_int_equal(ig_hkdf(secret, 80, s, out, 255 * IG_SHA256), IG_OK);
    is_hex(out + 255 * IG_SHA256 - 8, "db82e59497b52b98");

    assert_int_equal(ig_hkdf(secret, 80, s, out, 255 * IG_SHA256 + 1),
                     IG_ERROR);
}


static void
test_base64(void **state)
{
    size_t    i, len;
    uint8_t   out[64];
    ig_str_t  in;

    /* RFC 4648, section 10 */
    static const char *const  good[][2] = {
        { "", "" }, { "Zg==", "66" }, { "Zm8=", "666f" },
        { "Zm9v", "666f6f" }, { "Zm9vYg==", "666f6f62" },
        { "Zm9vYmE=", "666f6f6261" }, { "Zm9vYmFy", "666f6f626172" },
        { "+/+/", "fbffbf" }, { "AAAA", "000000" }
    };

    static const char *const  bad[] = {
        "Z", "Zg", "Zg=", "Z===", "====", "Zg==Zg==", "Zm9v=", "Zm9vYg=a",
        "Zm 9v", "Zm9v\n", "-_-_", "Zh==", "Zm9=", "Zm9vYh=="
    };

    (void) state;

    for (i = 0; i < ig_countof(good); i++) {
        in.data = good[i][0];
        in.len = strlen(in.data);
        len = sizeof(out);

        assert_int_equal(ig_base64_decode(in, out, &len), IG_OK);
        assert_int_equal(len, strlen(good[i][1]) / 2);
        is_hex(out, good[i][1]);
    }

    for (i = 0; i < ig_countof(bad); i++) {
        in.data = bad[i];
        in.len = strlen(in.data);
        len = sizeof(out);

        if (ig_base64_decode(in, out, &len) != IG_ERROR) {
            fail_msg("accepted: %s", bad[i]);
        }
    }
}


static void
test_base64_room(void **state)
{
    size_t   len;
    uint8_t  out[7];

    (void) state;

    memset(out, 0xee, sizeof(out));

    len = 6;
    assert_int_equal(ig_base64_decode(ig_str("Zm9vYmFy"), out, &len), IG_OK);
    assert_int_equal(len, 6);
    assert_int_equal(out[6], 0xee);

    len = 5;
    assert_int_equal(ig_base64_decode(ig_str("Zm9vYmFy"), out, &len),
                     IG_ERROR);

    len = 5;
    assert_int_equal(ig_base64_decode(ig_str("Zm9vYmE="), out, &len), IG_OK);
    assert_int_equal(len, 5);
}


static void
test_random(void **state)
{
    uint8_t  a[10000], b[10000];

    (void) state;

    memset(a, 0, sizeof(a));
    memset(b, 0, sizeof(b));

    assert_int_equal(ig_random(a, sizeof(a)), 0);
    assert_int_equal(ig_random(b, sizeof(b)), 0);

    /* the last 32 bytes too: 2^-256 says that this is no accident */
    assert_memory_not_equal(a, b, 32);
    assert_memory_not_equal(a + sizeof(a) - 32, b + sizeof(b) - 32, 32);
}


static void
test_wipe(void **state)
{
    size_t   i;
    uint8_t  secret[65];

    (void) state;

    memset(secret, 0x5a, sizeof(secret));
    ig_wipe(secret, sizeof(secret) - 1);

    for (i = 0; i < sizeof(secret) - 1; i++) {
        assert_int_equal(secret[i], 0);
    }

    assert_int_equal(secret[64], 0x5a);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_sha256),
        cmocka_unit_test(test_hmac),
        cmocka_unit_test(test_prefixed),
        cmocka_unit_test(test_hkdf),
        cmocka_unit_test(test_base64),
        cmocka_unit_test(test_base64_room),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_wipe)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
