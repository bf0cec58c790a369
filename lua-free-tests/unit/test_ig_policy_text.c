/*
 * test_ig_policy_text.c: canonical text and the hash over it.
 * Mirrors module/core/ig_policy_text.c.
 */

#include "ig_policy_case.h"
#include "ig_crypto.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>


static ig_policy_case_t  c, d;


static const char  written[] =
    "integrity_rule   weigh  \"  k>limit \"  score=5   on=b,a  dry_run;\n"
    "integrity_rule stop 'n > 1' then=hold;\n"
    "integrity_threshold limit 1h;\n"
    "integrity_threshold small 0.0000001 default;\n"
    "integrity_rule all \"true\" on_error=hold then=deny score=-1;\n"
    "integrity_counter s key=f sum=n window=36h count=attempts;\n"
    "integrity_counter k window=60m key=p,f distinct=n max=9 on=x.*,a;\n"
    "integrity_counter l window=90s key=f last count=completed warmup=0;\n"
    "integrity_rule ban \"s > 5 && !banned\" renew add=banned:24h;\n"
    "integrity_list banned key=p,f;\n"
    "integrity_counter c similar=t max=7 window=30d distinct=n;\n"
    "integrity_counter cc key=f exact similar=t window=30d;\n"
    "integrity_counter e window=1500ms key=f exact \"if= n=='it' \";\n"
    "integrity_field p $q on=z; integrity_field p json:/a/*/b on=y;\n"
    "integrity_field f \"$a b\" private decode net=24/56 on=y,z;\n"
    "integrity_field n json:/n;\n"
    "integrity_field p $c;\n"
    "integrity_field odd 'a\"b\\\\c;{\\td\\n'; integrity_field u \"json:/x y\";\n"
    "integrity_field t json:/t private text;\n"
    "integrity_scores deny=9 hold=3;\n"
    "integrity_time_zone -03:30;\n";

static const char  canonical[] =
    "integrity_field f \"$a b\" on=y,z private decode net=24/56;\n"
    "integrity_field n json:/n on=*;\n"
    "integrity_field odd \"a\\\"b\\\\c;{\\td\\n\" on=*;\n"
    "integrity_field p $q on=z;\n"
    "integrity_field p json:/a/*/b on=y;\n"
    "integrity_field p $c on=*;\n"
    "integrity_field t json:/t on=* private text;\n"
    "integrity_field u \"json:/x y\" on=*;\n"
    "integrity_list banned key=f,p;\n"
    "integrity_counter c on=* window=30d similar=t distinct=n max=7 "
        "count=accepted warmup=0;\n"
    "integrity_counter cc on=* key=f window=30d similar=t exact max=1024 "
        "count=accepted warmup=0;\n"
    "integrity_counter e on=* key=f window=1500ms exact max=1024 "
        "count=accepted warmup=0 \"if=n == 'it'\";\n"
    "integrity_counter k on=a,x.* key=f,p window=1h distinct=n max=9 "
        "count=accepted warmup=0;\n"
    "integrity_counter l on=* key=f window=90s last count=completed "
        "warmup=0;\n"
    "integrity_counter s on=* key=f window=36h sum=n count=attempts "
        "warmup=0;\n"
    "integrity_threshold limit 3600;\n"
    "integrity_threshold small 1e-7;\n"
    "integrity_rule all true on=* then=deny score=-1 on_error=hold;\n"
    "integrity_rule ban \"s > 5 && !banned\" on=* add=banned:1d renew;\n"
    "integrity_rule stop \"n > 1\" on=* then=hold;\n"
    "integrity_rule weigh \"k > limit\" on=a,b score=5 dry_run;\n"
    "integrity_scores hold=3 deny=9;\n"
    "integrity_time_zone -03:30;\n";


static void
test_canonical(void **state)
{
    uint8_t  hash[IG_SHA256];

    (void) state;

    ig_policy_case_make(&c, written);

    assert_int_equal(c.policy->text.len, strlen(canonical));
    assert_memory_equal(c.policy->text.data, canonical, strlen(canonical));

    ig_sha256(canonical, strlen(canonical), hash);
    assert_memory_equal(c.policy->hash, hash, IG_SHA256);

    ig_policy_case_free(&c);
}


/* The text in the audit log makes the same policy again. */
static void
test_round_trip(void **state)
{
    (void) state;

    ig_policy_case_make(&c, canonical);

    assert_int_equal(c.policy->text.len, strlen(canonical));
    assert_memory_equal(c.policy->text.data, canonical, strlen(canonical));

    ig_policy_case_free(&c);
}


static void
test_empty(void **state)
{
    (void) state;

    ig_policy_case_make(&c, "");
    assert_str(c.policy->text, "integrity_time_zone UTC;\n");
    ig_policy_case_free(&c);
}


static bool
same_hash(const char *one, const char *two)
{
    bool  same;

    ig_policy_case_make(&c, one);
    ig_policy_case_make(&d, two);

    same = memcmp(c.policy->hash, d.policy->hash, IG_SHA256) == 0;

    assert_int_equal(same, ig_str_eq(c.policy->text, d.policy->text));

    ig_policy_case_free(&c);
    ig_policy_case_free(&d);

    return same;
}


#define FIELDS  "integrity_field a $a;\nintegrity_field b $b;\n"


/* Neither order nor files nor words for the same thing. */
static void
test_same(void **state)
{
    (void) state;

    assert_true(same_hash(FIELDS, "integrity_field b $b on=*; "
                                  "integrity_field a $a; "
                                  "integrity_field a '$a';"));

    assert_true(same_hash(
        FIELDS "integrity_counter x key=a,b window=1h;"
        "integrity_counter y key=b window=60m;"
        "integrity_rule r \"x>1 && y>2\" then=deny;"
        "integrity_rule q \"true\" score=1;",
        "integrity_rule q true score=1;"
        "integrity_rule r \"x > 1   && y > 2\" then=deny on=*;"
        "integrity_counter y key=b window=3600;"
        "integrity_counter x window=1h warmup=0 key=b,a count=accepted;"
        FIELDS));

    assert_true(same_hash(
        "integrity_threshold t 60; integrity_threshold t 5 default;",
        "integrity_threshold t 1m;"));

    assert_true(same_hash("integrity_time_zone +00:00;", ""));
}


static void
test_different(void **state)
{
    unsigned  i;

    static const char  base[] = FIELDS
        "integrity_counter x key=a window=1h; integrity_threshold t 5;"
        "integrity_rule r \"x > t\" then=hold;";

    static const char  *const other[] = {

        "integrity_field a $a private;\nintegrity_field b $b;\n"
        "integrity_counter x key=a window=1h; integrity_threshold t 5;"
        "integrity_rule r \"x > t\" then=hold;",

        FIELDS
        "integrity_counter x key=a window=1h count=attempts;"
        "integrity_threshold t 5; integrity_rule r \"x > t\" then=hold;",

        FIELDS
        "integrity_counter x key=a window=1h; integrity_threshold t 6;"
        "integrity_rule r \"x > t\" then=hold;",

        FIELDS
        "integrity_counter x key=a window=1h; integrity_threshold t 5;"
        "integrity_rule r \"x >= t\" then=hold;",

        FIELDS
        "integrity_counter x key=a window=1h; integrity_threshold t 5;"
        "integrity_rule r \"x > t\" then=hold dry_run;",

        FIELDS
        "integrity_counter x key=a window=1h; integrity_threshold t 5;"
        "integrity_rule r \"x > t\" then=hold; integrity_scores deny=9;",

        FIELDS
        "integrity_counter x key=a window=1h; integrity_threshold t 5;"
        "integrity_rule r \"x > t\" then=hold; integrity_time_zone +01:00;"
    };

    (void) state;

    for (i = 0; i < ig_countof(other); i++) {
        assert_false(same_hash(base, other[i]));
    }

    /* which source comes first decides */

    assert_false(same_hash("integrity_field a $x on=p.q;integrity_field a $y;",
                           "integrity_field a $x on=p.r;integrity_field a "
                           "$y;"));
    assert_false(same_hash("integrity_field a $x on=p;integrity_field a $y "
                           "on=p,q;",
                           "integrity_field a $y on=q,p; integrity_field b "
                           "$b;"));
}


static void
test_long(void **state)
{
    char      *text;
    size_t     n;
    unsigned   i;

    (void) state;

    /* longer than any first try for a line, and for the whole */

    text = malloc(65536);
    n = (size_t) sprintf(text, "integrity_field a $a;"
                               "integrity_rule r \"a == '");

    for (i = 0; i < 4000; i++) {
        text[n++] = (char) ('a' + i % 26);
    }

    (void) sprintf(text + n, "'\" then=deny on=b;");

    ig_policy_case_make(&c, text);

    assert_true(c.policy->text.len > 4000);
    assert_non_null(strstr(text, "wxyzabcd"));
    assert_memory_equal(c.policy->text.data, "integrity_field a $a on=*;\n",
                        27);

    ig_policy_case_free(&c);
    free(text);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_canonical),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_same),
        cmocka_unit_test(test_different),
        cmocka_unit_test(test_long)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
