/*
 * test_ig_token.c: what a text's tokens are.
 * Mirrors module/core/ig_token.c.
 */

#include "ig_token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>


#define ROOM  (64 * 1024)

/* Tokens as UTF-8 with "|" behind each; `max` of them are enough. */
typedef struct {
    char      text[ROOM];
    size_t    len;
    unsigned  ntokens;
    unsigned  max;
    unsigned  nchars;
} tokens_t;


static void
add(void *ctx, uint32_t c)
{
    tokens_t  *t = ctx;

    t->nchars++;

    if (t->len + 5 > sizeof(t->text)) {
        return;
    }

    if (c < 0x80) {
        t->text[t->len++] = (char) c;

    } else if (c < 0x800) {
        t->text[t->len++] = (char) (0xc0 | c >> 6);
        t->text[t->len++] = (char) (0x80 | (c & 0x3f));

    } else if (c < 0x10000) {
        t->text[t->len++] = (char) (0xe0 | c >> 12);
        t->text[t->len++] = (char) (0x80 | (c >> 6 & 0x3f));
        t->text[t->len++] = (char) (0x80 | (c & 0x3f));

    } else {
        t->text[t->len++] = (char) (0xf0 | c >> 18);
        t->text[t->len++] = (char) (0x80 | (c >> 12 & 0x3f));
        t->text[t->len++] = (char) (0x80 | (c >> 6 & 0x3f));
        t->text[t->len++] = (char) (0x80 | (c & 0x3f));
    }
}


static bool
end(void *ctx)
{
    tokens_t  *t = ctx;

    if (t->len + 1 < sizeof(t->text)) {
        t->text[t->len++] = '|';
    }

    return ++t->ntokens != t->max;
}


static const tokens_t *
tokens_of(const char *text, size_t len, unsigned max)
{
    static tokens_t  t;
    ig_token_sink_t  sink = { add, end, &t };

    t.len = 0;
    t.ntokens = 0;
    t.max = max;
    t.nchars = 0;

    ig_tokens((ig_str_t) { len, text }, &sink);

    t.text[t.len] = '\0';

    return &t;
}


static const char *
tokens(const char *text)
{
    return tokens_of(text, strlen(text), 0)->text;
}


static void
text_is_cut_into_letters_and_runs(void **state)
{
    unsigned  i;

    static const struct {
        const char  *text;
        const char  *tokens;
    } test[] = {
        { "",                           "" },
        { " \t.,-!",                    "" },
        { "Great WATCH, 5 stars!",      "great|watch|5|stars|" },
        { "wechat:abc123_x",            "wechat|abc123|x|" },
        { "3.14",                       "3|14|" },

        /* Han, one by one; Latin among it in runs */
        { "非常好用",                   "非|常|好|用|" },
        { "加V信abc123好",              "加|v|信|abc123|好|" },
        { "好，评。“佳明”",             "好|评|佳|明|" },
        { "\xf0\xa0\xae\xb7\xe9\x87\x8e",   /* U+20BB7, beyond the BMP */
          "\xf0\xa0\xae\xb7|\xe9\x87\x8e|" },
        { "\xe3\x80\x87\xe4\xba\x8c\xe3\x80\x85",       /* zero two again */
          "\xe3\x80\x87|\xe4\xba\x8c|\xe3\x80\x85|" },

        /* Kana; a voiced mark stays with its letter */
        { "とてもいい",                 "と|て|も|い|い|" },
        { "カメラー",                   "カ|メ|ラ|ー|" },
        { "\xe3\x82\xac\xe3\x81\xb1",                   /* ga, pa */
          "\xe3\x82\xab\xe3\x82\x99|\xe3\x81\xaf\xe3\x82\x9a|" },

        /* Hangul: a syllable is a token, whatever it is made of */
        { "\xed\x95\x9c\xea\xb0\x80",                   /* han, ga */
          "\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab|\xe1\x84\x80\xe1\x85\xa1|" },
        { "\xe3\x85\x8b\xe3\x85\x8b",                   /* kk, laughing */
          "\xe1\x84\x8f|\xe1\x84\x8f|" },
        { "\xe3\x85\xa0\xe3\x85\xa0",                   /* yuyu, in tears */
          "\xe1\x85\xb2|\xe1\x85\xb2|" },

        /* Bopomofo, Yi */
        { "ㄅㄆ",                       "ㄅ|ㄆ|" },
        { "ꀀꀁ",                         "ꀀ|ꀁ|" },

        /* scripts in runs */
        { "Отличный ТОВАР",             "отличныи\xcc\x86|товар|" },
        { "ΣΊΣΥΦΟΣ",                    "σι\xcc\x81συφοσ|" },
        { "جيد جدا",                    "جيد|جدا|" },
        { "ดีมาก",                       "ดีมาก|" },
        { "अच्छा है",                     "अच्छा|है|" },

        /* emoji and other symbols separate */
        { "好\xf0\x9f\x91\x8d用",       "好|用|" },
        { "a\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9z", "a|z|" },
        { "\xf0\x9f\x87\xa8\xf0\x9f\x87\xb3", "" },     /* a flag */
        { "5€+3™",                      "5|3tm|" },     /* NFKC: TM */

        /* a mark without a letter before it is nothing */
        { "- \xcc\x81x",                "x|" },
    };

    (void) state;

    for (i = 0; i < ig_countof(test); i++) {
        assert_string_equal(tokens(test[i].text), test[i].tokens);
    }
}


/* Pairs of different bytes that people see, or mean, as the same. */
static void
what_looks_alike_is_alike(void **state)
{
    unsigned  i;

    static char  one[ROOM];

    static const char  *const pair[][2] = {
        { "ＶＸ１２３ａｂｃ",           "vx123ABC" },
        { "\xef\xbd\xb6\xef\xbe\x9e\xef\xbd\xb1", "ガア" },   /* half width */
        { "\xef\xbe\xa1\xef\xbf\x82",   "\xea\xb0\x80" },      /* ga */
        { "\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab", "\xed\x95\x9c" },
        { "\xe3\x85\x8e\xe3\x85\x8f",   "\xed\x95\x98" },      /* ha */
        { "caf\xc3\xa9",                "CAFE\xcc\x81" },
        { "\xef\xac\x81\xef\xac\x85",   "fist" },              /* ligatures */
        { "stra\xc3\x9f" "e",           "STRASSE" },
        { "①②",                         "12" },
        { "½",                          "1\xe2\x81\x84" "2" },
        { "㍿",                         "株式会社" },
        { "㊙",                         "秘" },
        { "\xe2\xbc\x80",               "一" },                 /* a radical */
        { "㎏",                         "kg" },
        { "𝓦𝓮𝓒𝓱𝓪𝓽",                     "wechat" },
        { "ⓦⓔⓒⓗⓐⓣ",                     "wechat" },
        { "x²",                         "x2" },

        /* what does not show */
        { "we\xe2\x80\x8b" "ch\xe2\x80\x8d" "at", "wechat" },
        { "wechat",                     "we\xc2\xad" "chat\xef\xb8\x8f" },
        { "\xef\xbb\xbf微\xe2\x81\xa0信", "微信" },

        /* marks in another order: below, above; in two letters, or one */
        { "a\xcc\xa3\xcc\x82",          "a\xcc\x82\xcc\xa3" },
        { "\xe1\xba\xad",               "\xc3\xa2\xcc\xa3" },
        { "\xe1\xba\xad",               "A\xcc\x82\xcc\xa3" },

        /* separators are all the same */
        { "加微信！！！abc",            "加 微 信 abc" }
    };

    (void) state;

    for (i = 0; i < ig_countof(pair); i++) {
        strcpy(one, tokens(pair[i][0]));
        assert_string_equal(one, tokens(pair[i][1]));
        assert_true(strlen(one) > 1);
    }
}


static void
what_is_not_alike_is_not(void **state)
{
    unsigned  i;

    static char  one[ROOM];

    static const char  *const pair[][2] = {
        { "ab c",                       "a bc" },
        { "カ",                         "ガ" },
        { "ば",                         "ぱ" },
        { "\xea\xb0\x80\xe1\x86\xa8",   /* ga + k: one syllable, gak */
          "\xea\xb0\x80 \xe1\x86\xa8" },
        { "a\xcc\x81\xcc\x88",          /* of one class: order tells */
          "a\xcc\x88\xcc\x81" },
        { "е",                          "e" }       /* Cyrillic, Latin */
    };

    (void) state;

    for (i = 0; i < ig_countof(pair); i++) {
        strcpy(one, tokens(pair[i][0]));
        assert_string_not_equal(one, tokens(pair[i][1]));
    }

    assert_string_equal(tokens("\xea\xb0\x80\xe1\x86\xa8"),
                        tokens("\xea\xb0\x81"));
}


/* Each byte that is no UTF-8 separates, and costs no neighbour. */
static void
bad_bytes_separate(void **state)
{
    unsigned         i;
    const tokens_t  *t;

    static const struct {
        const char  *text;
        const char  *tokens;
    } test[] = {
        { "a\xff" "b",                  "a|b|" },
        { "好\x80用",                   "好|用|" },
        { "\xc0\xaf" "a",               "a|" },     /* overlong */
        { "a\xed\xa0\x80" "b",          "a|b|" },   /* a surrogate */
        { "a\xf4\x90\x80\x80" "b",      "a|b|" },   /* beyond U+10FFFF */
        { "a\xe5\xa5",                  "a|" },     /* cut off */
        { "\xe5\xa5" "a",               "a|" },
        { "a\xef\xbf\xbd" "b",          "a|b|" }    /* U+FFFD itself */
    };

    (void) state;

    for (i = 0; i < ig_countof(test); i++) {
        assert_string_equal(tokens(test[i].text), test[i].tokens);
    }

    /* zeros are bytes like others, and what is behind the end is not read */

    t = tokens_of("a\0b\xe5\xa5\xbd", 4, 0);
    assert_string_equal(t->text, "a|b|");

    assert_string_equal(tokens_of(NULL, 0, 0)->text, "");
}


static void
the_sink_may_have_enough(void **state)
{
    (void) state;

    assert_string_equal(tokens_of("a b c d", 7, 2)->text, "a|b|");
    assert_string_equal(tokens_of("好好好好", 12, 3)->text, "好|好|好|");

    /* also in the middle of what one character folds to */

    assert_string_equal(tokens_of("\xef\xb7\xba", 3, 1)->text, "صلى|");
}


static char *
repeat(const char *unit, size_t *len)
{
    char    *text;
    size_t   i, n;

    n = strlen(unit);
    *len = 8 * IG_TOKEN_MAX / n * n;

    text = malloc(*len);
    assert_non_null(text);

    for (i = 0; i < *len; i++) {
        text[i] = unit[i % n];
    }

    return text;
}


/* However long the text: no more of it is read than is promised. */
static void
long_texts_are_bounded(void **state)
{
    char            *text;
    size_t           len;
    unsigned         i;
    const tokens_t  *t;

    static const struct {
        const char  *unit;
        unsigned     nchars;
        unsigned     ntokens;
    } test[] = {
        { "a",            IG_TOKEN_MAX,      1 },
        { "a ",           IG_TOKEN_MAX / 2,  IG_TOKEN_MAX / 2 },
        { "好",           IG_TOKEN_MAX,      IG_TOKEN_MAX },
        { "\xe2\x80\x8b", 0,                 0 },
        { "\xff",         0,                 0 },

        /* a letter and a mark each */
        { "\xc3\xa9",     IG_TOKEN_MAX,      1 }
    };

    (void) state;

    for (i = 0; i < ig_countof(test); i++) {
        text = repeat(test[i].unit, &len);
        t = tokens_of(text, len, 0);

        assert_int_equal(t->nchars, test[i].nchars);
        assert_int_equal(t->ntokens, test[i].ntokens);
        free(text);
    }

    /* eighteen of one, in four words without blanks around */

    text = repeat("\xef\xb7\xba", &len);
    t = tokens_of(text, len, 0);

    assert_true(t->nchars <= IG_TOKEN_MAX + 18);
    assert_in_range(t->ntokens, IG_TOKEN_MAX / 18 * 3,
                    IG_TOKEN_MAX / 18 * 3 + 6);
    free(text);
}


/* More marks in a row than can be put in order are all kept. */
static void
many_marks_are_kept(void **state)
{
    char      text[1 + 200 * 2 + 1];
    unsigned  i;

    (void) state;

    text[0] = 'a';

    for (i = 0; i < 200; i++) {
        memcpy(text + 1 + 2 * i, i % 2 ? "\xcc\xa3" : "\xcc\x82", 2);
    }

    text[sizeof(text) - 1] = '\0';

    assert_int_equal(tokens_of(text, strlen(text), 0)->nchars, 201);
    assert_int_equal(tokens_of(text, strlen(text), 0)->ntokens, 1);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(text_is_cut_into_letters_and_runs),
        cmocka_unit_test(what_looks_alike_is_alike),
        cmocka_unit_test(what_is_not_alike_is_not),
        cmocka_unit_test(bad_bytes_separate),
        cmocka_unit_test(the_sink_may_have_enough),
        cmocka_unit_test(long_texts_are_bounded),
        cmocka_unit_test(many_marks_are_kept)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
