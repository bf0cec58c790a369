/*
 * test_ig_similar.c: bands: that they are keyed, that alike texts share one
 * as often as theory says, that short texts have none.
 * Mirrors module/core/ig_similar.c.
 */

#include "ig_similar.h"
#include "ig_crypto.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>


#define KEYS  500


static void
make_key(ig_similar_key_t *key, unsigned n)
{
    uint8_t  secret[IG_SIMILAR_SECRET];

    assert_int_equal(ig_hkdf(&n, sizeof(n), ig_str("test"), secret,
                             sizeof(secret)), IG_OK);
    ig_similar_key(key, secret);
}


static bool
bands_of(unsigned key, const char *text, uint64_t band[IG_BANDS])
{
    ig_similar_key_t  k;

    make_key(&k, key);

    return ig_similar(&k, (ig_str_t) { strlen(text), text }, band);
}


/* How many of the bands are the same. */
static unsigned
common(const uint64_t a[IG_BANDS], const uint64_t b[IG_BANDS])
{
    unsigned  i, n;

    for (i = 0, n = 0; i < IG_BANDS; i++) {
        n += (a[i] == b[i]);
    }

    return n;
}


/* The authors' vectors, of a key of bytes 0 to 15 and texts 0, 1, 2, ... */
static void
siphash_is_siphash(void **state)
{
    static const uint64_t  key[2] = {
        0x0706050403020100, 0x0f0e0d0c0b0a0908
    };
    static const uint64_t  word[] = {
        0x0706050403020100, 0x0f0e0d0c0b0a0908, 0x1716151413121110
    };

    (void) state;

    assert_true(ig_siphash(key, word, 0) == 0x726fdb47dd0e0e31);
    assert_true(ig_siphash(key, word, 1) == 0x93f5f5799a932462);
    assert_true(ig_siphash(key, word, 2) == 0x3f2acc7f57c29bdb);
    assert_true(ig_siphash(key, word, 3) == 0xb8ad50c6f649af94);
}


static void
short_texts_have_no_bands(void **state)
{
    unsigned  i;
    uint64_t  band[IG_BANDS];

    static const struct {
        const char  *text;
        bool         enough;
    } test[] = {
        { "",                               false },
        { "好评",                           false },
        { "非常好用！",                     false },
        { "very good, fast delivery!!!",    false },
        { "好好好好好",                     false },
        { "非常非常好用",                   true },
        { "a very good and fast delivery",  true },
        { "好用 good 888 x",                false },
        { "好用了 good 888 x",              true },
        { "한국어 아주",                    false },
        { "한국어 아주요",                  true },
        { "\xff\xfe\xfd\xfc\xfb\xfa\xf9",   false },
        { "👍👍👍👍👍👍👍👍",               false }
    };

    (void) state;

    for (i = 0; i < ig_countof(test); i++) {
        if (bands_of(1, test[i].text, band) != test[i].enough) {
            fail_msg("\"%s\"", test[i].text);
        }
    }
}


static void
bands_follow_from_key_and_shingles(void **state)
{
    uint64_t  a[IG_BANDS], b[IG_BANDS];

    static const char  text[] = "加微信 abc123，免费获取天气 key 和教程";

    (void) state;

    assert_true(bands_of(1, text, a));
    assert_true(bands_of(1, text, b));
    assert_int_equal(common(a, b), IG_BANDS);

    /* written in other ways */

    assert_true(bands_of(1, "加微信，ＡＢＣ123!! 免费\xe2\x80\x8b获取天气Key和教程",
                         b));
    assert_int_equal(common(a, b), IG_BANDS);

    /* another secret */

    assert_true(bands_of(2, text, b));
    assert_int_equal(common(a, b), 0);

    /* a set: how often a shingle stands there does not matter */

    assert_true(bands_of(1, "one two three one two three one two", a));
    assert_true(bands_of(1, "one two three one two three one two three one "
                            "two three one two three", b));
    assert_int_equal(common(a, b), IG_BANDS);

    /* another order, another place of a blank: other shingles */

    assert_true(bands_of(1, "one three two one three two one three", b));
    assert_int_equal(common(a, b), 0);

    assert_true(bands_of(1, "onetwo three one two threeone two one two", b));
    assert_int_equal(common(a, b), 0);
}


/* The store is asked by them: they must never change between releases. */
static void
bands_stay_what_they_are(void **state)
{
    uint64_t  band[IG_BANDS];

    (void) state;

    assert_true(bands_of(0, "Great 手表, 非常好用。 한국어 ガ", band));

    assert_true(band[0] == 0x1151a8709691042b);
    assert_true(band[7] == 0xc99abc7d75514955);
}


/* `n` different Han characters from `first` on. */
static char *
han(char *p, unsigned first, unsigned n)
{
    unsigned  c;

    for (c = 0x4e00 + first; n > 0; c++, n--) {
        *p++ = (char) (0xe0 | c >> 12);
        *p++ = (char) (0x80 | (c >> 6 & 0x3f));
        *p++ = (char) (0x80 | (c & 0x3f));
    }

    *p = '\0';

    return p;
}


/*
 * Two texts of 52 characters, 50 shingles, of which the first `same` are
 * common: J = same / (100 - same).  Over many keys a band is common as often
 * as J^ROWS, and some band as often as 1 - (1 - J^ROWS)^BANDS.
 */
static void
alike_texts_share_bands_as_often_as_they_should(void **state)
{
    char      one[200], other[200];
    double    j, expected;
    unsigned  i, k, n, bands, some;
    uint64_t  a[IG_BANDS], b[IG_BANDS];

    static const unsigned  same[] = { 0, 20, 33, 40, 45, 49, 50 };

    (void) state;

    (void) han(one, 0, 52);

    for (i = 0; i < ig_countof(same); i++) {

        (void) han(han(other, 0, same[i] ? same[i] + 2 : 0), 1000,
                   same[i] ? 50 - same[i] : 52);

        for (k = 0, bands = 0, some = 0; k < KEYS; k++) {
            assert_true(bands_of(k, one, a));
            assert_true(bands_of(k, other, b));

            n = common(a, b);
            bands += n;
            some += (n != 0);
        }

        j = (double) same[i] / (100 - same[i]);
        expected = pow(j, IG_ROWS);

        /* some four standard deviations; the keys are always the same */

        assert_true(fabs((double) bands / (KEYS * IG_BANDS) - expected)
                    <= 0.035);

        expected = 1 - pow(1 - expected, IG_BANDS);

        assert_true(fabs((double) some / KEYS - expected) <= 0.09);
    }
}


/* A body may be 64 KiB and more: the work is bounded, and so are the bands. */
static void
long_texts_count_by_their_beginning(void **state)
{
    char              *text;
    size_t             i, len;
    unsigned           random;
    uint64_t           a[IG_BANDS], b[IG_BANDS];
    ig_similar_key_t   key;

    (void) state;

    make_key(&key, 1);

    len = 64 * 1024;
    text = malloc(len);
    assert_non_null(text);

    for (i = 0, random = 1; i < len; i++) {
        random = random * 1103515245 + 12345;
        text[i] = i % 4 == 3 ? ' ' : (char) ('a' + (random >> 16) % 26);
    }

    assert_true(ig_similar(&key, (ig_str_t) { len, text }, a));
    assert_true(ig_similar(&key, (ig_str_t) { 4 * IG_SIMILAR_MAX, text }, b));
    assert_int_equal(common(a, b), IG_BANDS);

    memset(text + 4 * IG_SIMILAR_MAX, 'x', len - 4 * IG_SIMILAR_MAX);
    assert_true(ig_similar(&key, (ig_str_t) { len, text }, b));
    assert_int_equal(common(a, b), IG_BANDS);

    assert_true(ig_similar(&key, (ig_str_t) { 2 * IG_SIMILAR_MAX, text }, b));
    assert_int_not_equal(common(a, b), IG_BANDS);

    /* one token, however long */

    memset(text, 'x', len);
    assert_false(ig_similar(&key, (ig_str_t) { len, text }, a));

    memset(text, 0xff, len);
    assert_false(ig_similar(&key, (ig_str_t) { len, text }, a));

    free(text);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(siphash_is_siphash),
        cmocka_unit_test(short_texts_have_no_bands),
        cmocka_unit_test(bands_follow_from_key_and_shingles),
        cmocka_unit_test(bands_stay_what_they_are),
        cmocka_unit_test(alike_texts_share_bands_as_often_as_they_should),
        cmocka_unit_test(long_texts_count_by_their_beginning)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
