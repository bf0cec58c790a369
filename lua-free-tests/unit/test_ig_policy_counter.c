/*
 * test_ig_policy_counter.c: integrity_counter: kinds, keys, windows, warm-up,
 * if=, identity.
 * Mirrors module/core/ig_policy_counter.c and half of ig_policy_resolve.c.
 */

#include "ig_policy_case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>


#define HOUR  INT64_C(3600000)
#define FIELDS                                                               \
    "integrity_field b $b; integrity_field a $a; integrity_field n $n; "     \
    "integrity_field t $t text; integrity_field late $upstream_http_x on=x,y;"


static ig_policy_case_t  c;


/* The counter "k" of a policy that has the fields above. */
static const ig_counter_t *
counter(const char *params)
{
    char  text[1024];

    snprintf(text, sizeof(text), FIELDS "integrity_counter k %s;\n", params);
    ig_policy_case_make(&c, text);

    return ig_policy_counter(c.policy, ig_str("k"));
}


static void
test_defaults(void **state)
{
    const ig_counter_t  *k;

    (void) state;

    k = counter("key=a window=1h");

    assert_int_equal(k->id, 0);
    assert_int_equal(k->kind, IG_COUNT);
    assert_int_equal(k->when, IG_ACCEPTED);
    assert_int_equal(k->window, HOUR);
    assert_int_equal(k->warmup, 0);
    assert_int_equal(k->max, 0);
    assert_int_equal(k->nkey, 1);
    assert_int_equal(k->key[0], 1);
    assert_int_equal(k->value, -1);
    assert_null(k->cond);
    assert_false(k->cond_late);
    assert_int_equal(k->on.nitems, 0);
    assert_int_equal(k->pos.line, 1);

    ig_policy_case_free(&c);
}


static void
test_kinds(void **state)
{
    unsigned             i;
    const ig_counter_t  *k;

    static const struct {
        const char  *params;
        ig_kind_e    kind;
        unsigned     max;
        int          value;
        int64_t      warmup;
        const char  *shape;
    } kind[] = {
        { "key=a window=1h", IG_COUNT, 0, -1, 0, "c3600000" },
        { "key=a window=1h exact", IG_COUNT_EXACT, 1024, -1, 0, "e3600000" },
        { "max=7 exact key=a window=1h", IG_COUNT_EXACT, 7, -1, 0,
          "e3600000" },
        { "key=a window=1h distinct=b", IG_DISTINCT, 1024, 0, 0, "d3600000" },
        { "key=a window=1h max=65536 distinct=b", IG_DISTINCT, 65536, 0, 0,
          "d3600000" },
        { "key=a window=1h sum=n", IG_SUM, 0, 2, 0, "s3600000" },
        { "key=a window=1h mean=n", IG_MEAN, 0, 2, 0, "m3600000" },
        { "key=a window=1h first", IG_FIRST, 0, -1, HOUR, "f3600000" },
        { "key=a window=1h last", IG_LAST, 0, -1, HOUR, "l3600000" },
        { "key=a window=1h last warmup=0", IG_LAST, 0, -1, 0, "l3600000" },
        { "key=a window=1h last warmup=10y", IG_LAST, 0, -1, 87600 * HOUR,
          "l3600000" },
        { "key=a window=1h warmup=500ms", IG_COUNT, 0, -1, 500, "c3600000" },
        { "window=1h similar=t", IG_COUNT, 0, -1, 0, "c3600000" },
        { "window=1h similar=t exact", IG_COUNT_EXACT, 1024, -1, 0,
          "e3600000" },
        { "window=1h similar=t distinct=b max=3", IG_DISTINCT, 3, 0, 0,
          "d3600000" },
        { "key=a window=1s", IG_COUNT, 0, -1, 0, "c1000" },
        { "key=a window=10y", IG_COUNT, 0, -1, 0, "c315360000000" }
    };

    (void) state;

    for (i = 0; i < ig_countof(kind); i++) {

        k = counter(kind[i].params);

        assert_int_equal(k->kind, kind[i].kind);
        assert_int_equal(k->max, kind[i].max);
        assert_int_equal(k->value, kind[i].value);
        assert_int_equal(k->warmup, kind[i].warmup);
        assert_int_equal(k->shape.len, strlen(kind[i].shape));
        assert_memory_equal(k->shape.data, kind[i].shape, k->shape.len);

        ig_policy_case_free(&c);
    }
}


/* Texts that are compared are numbered, each once; the key may be empty. */
static void
test_similar(void **state)
{
    const ig_counter_t  *k;

    (void) state;

    k = counter("window=1h similar=t; integrity_field u json:/u text; "
                "integrity_counter l key=a window=1h similar=u distinct=b; "
                "integrity_counter m key=a window=2h similar=t exact; "
                "integrity_counter o key=a window=2h");

    assert_int_equal(k->nkey, 0);
    assert_int_equal(k->similar, 3);
    assert_int_equal(c.policy->tuple[k->tuple].nfields, 0);
    assert_int_equal(c.policy->counter[1]->similar, 5);
    assert_int_equal(c.policy->counter[2]->similar, 3);
    assert_int_equal(c.policy->counter[3]->similar, -1);

    assert_int_equal(c.policy->nsimilar, 2);
    assert_int_equal(c.policy->field[0]->similar, -1);
    assert_int_equal(c.policy->field[3]->similar, 0);
    assert_int_equal(c.policy->field[5]->similar, 1);

    ig_policy_case_free(&c);
}


static void
test_when(void **state)
{
    (void) state;

    assert_int_equal(counter("key=a window=1h count=attempts")->when,
                     IG_ATTEMPTS);
    ig_policy_case_free(&c);

    assert_int_equal(counter("key=a window=1h count=accepted")->when,
                     IG_ACCEPTED);
    ig_policy_case_free(&c);

    assert_int_equal(counter("key=a window=1h count=completed")->when,
                     IG_COMPLETED);
    ig_policy_case_free(&c);
}


/* How a person writes key= does not matter; one tuple serves all alike. */
static void
test_tuples(void **state)
{
    const ig_counter_t  *one, *two, *three;

    (void) state;

    ig_policy_case_make(&c, FIELDS
        "integrity_counter k1 key=b,a,n window=1h;"
        "integrity_counter k2 key=n,a,b window=2h;"
        "integrity_counter k3 key=a,b window=1h;"
        "integrity_counter k4 key=b,a window=1h distinct=n;");

    one = c.policy->counter[0];
    two = c.policy->counter[1];
    three = c.policy->counter[2];

    assert_int_equal(c.policy->ntuples, 2);
    assert_int_equal(one->tuple, two->tuple);
    assert_int_equal(three->tuple, c.policy->counter[3]->tuple);
    assert_int_not_equal(one->tuple, three->tuple);

    assert_int_equal(one->nkey, 3);
    assert_int_equal(one->key[0], 1);
    assert_int_equal(one->key[1], 0);
    assert_int_equal(one->key[2], 2);

    assert_int_equal(c.policy->tuple[one->tuple].nfields, 3);
    assert_int_equal(c.policy->tuple[one->tuple].field[0], 1);
    assert_int_equal(c.policy->tuple[one->tuple].field[1], 0);
    assert_int_equal(c.policy->tuple[one->tuple].field[2], 2);

    ig_policy_case_free(&c);
}


static void
ident(const char *text, const char *params, uint8_t id[8])
{
    char  all[1024];

    snprintf(all, sizeof(all), "%s integrity_counter %s;", text, params);
    ig_policy_case_make(&c, all);
    memcpy(id, c.policy->counter[0]->ident, 8);
    ig_policy_case_free(&c);
}


/* What the stores go by: name, kind, window, key, value; nothing else. */
static void
test_ident(void **state)
{
    uint8_t   id[8], other[8];
    unsigned  i;

    static const char  *const same[] = {
        "k window=60m key=a,b distinct=n",
        "k key=b,a window=1h distinct=n max=5",
        "k key=b,a window=1h distinct=n on=x count=attempts",
        "k key=b,a window=1h distinct=n warmup=3d \"if=n > 3\""
    };
    static const char  *const different[] = {
        "k2 key=a,b window=1h distinct=n",
        "k key=a,b window=2h distinct=n",
        "k key=a window=1h distinct=n",
        "k key=a,n window=1h distinct=n",
        "k key=a,b window=1h distinct=a",
        "k key=a,b window=1h sum=n",
        "k key=a,b window=1h mean=n",
        "k key=a,b window=1h first",
        "k key=a,b window=1h last",
        "k key=a,b window=1h exact",
        "k key=a,b window=1h",
        "k key=a,b window=1h distinct=n similar=t"
    };

    (void) state;

    ident(FIELDS, "k key=a,b window=1h distinct=n", id);

    for (i = 0; i < ig_countof(same); i++) {
        ident(FIELDS, same[i], other);
        assert_memory_equal(id, other, 8);
    }

    ident("integrity_field n $x; integrity_field a json:/a/*; "
          "integrity_field b $b;", "k key=a,b window=1h distinct=n", other);
    assert_memory_equal(id, other, 8);

    for (i = 0; i < ig_countof(different); i++) {
        ident(FIELDS, different[i], other);
        assert_memory_not_equal(id, other, 8);
    }

    /* stored data is found by it: it must never change between releases */

    ident("integrity_field account $a;", "account_1h key=account window=1h",
          id);
    assert_memory_equal(id, "\x99\x18\xbc\x34\xde\x70\xe5\xf1", 8);
}


static void
test_cond(void **state)
{
    const ig_counter_t  *k;

    (void) state;

    k = counter("key=a window=1h \"if=n >= 5 && t != 'x'\"");
    assert_str(ig_expr_text(k->cond), "n >= 5 && t != 'x'");
    assert_false(k->cond_late);
    ig_policy_case_free(&c);

    k = counter("key=a window=1h \"if=n > limit\"; integrity_threshold limit 3");
    assert_non_null(k->cond);
    assert_false(k->cond_late);
    ig_policy_case_free(&c);

    /* a counter's value is known only after the first round trip */

    k = counter("key=a window=1h \"if=n > 3 && other > 2\"; "
                "integrity_counter other key=a window=1h \"if=k > 2\"");
    assert_true(k->cond_late);
    assert_true(ig_policy_counter(c.policy, ig_str("other"))->cond_late);
    ig_policy_case_free(&c);

    k = counter("key=late window=1h sum=late count=completed \"if=late > 0\"");
    assert_false(k->cond_late);
    assert_int_equal(k->key[0], 4);
    ig_policy_case_free(&c);

    /* the answer's field is of other actions than the counter's */

    k = counter("key=late window=1h on=z \"if=has(late)\"; "
                "integrity_field late json:/late on=z");
    assert_int_equal(k->key[0], 4);
    ig_policy_case_free(&c);
}


#define NO_NAME                                                              \
    " is no name: letters, digits and \"_\", not a digit first, at most 64"


static const ig_policy_refusal_t  refusal[] = {

    { "integrity_counter;", 1,
      "integrity_counter: needs a name, key= and window=" },

    { "integrity_counter k window=1h;", 1,
      "integrity_counter: \"k\" has no key=FIELD,..." },

    { "integrity_counter k key=a;", 1,
      "integrity_counter: \"k\" has no window=TIME" },

    { "integrity_counter or key=a window=1h;", 1,
      "integrity_counter: \"or\" is a word of the expression language, choose "
      "another name" },

    { "integrity_counter k key=a,b-c window=1h;", 1,
      "integrity_counter: \"b-c\"" NO_NAME },

    { "integrity_counter k key=a, window=1h;", 1,
      "integrity_counter: \"\"" NO_NAME },

    { "integrity_counter k key=a,b,a window=1h;", 1,
      "integrity_counter: \"a\" is twice in key=" },

    { "integrity_counter k key=a,b,c,d,e,f,g,h,i window=1h;", 1,
      "integrity_counter: \"i\" in key= is one field more than 8" },

    { "integrity_counter k key=a window=soon;", 1,
      "integrity_counter: \"window=soon\" is no duration, as 90s, 1h30m or "
      "7d" },

    { "integrity_counter k key=a window=0;", 1,
      "integrity_counter: \"window=0\" is no duration, as 90s, 1h30m or 7d" },

    { "integrity_counter k key=a window=999ms;", 1,
      "integrity_counter: \"window=999ms\" is not between 1s and 10y" },

    { "integrity_counter k key=a window=3651d;", 1,
      "integrity_counter: \"window=3651d\" is not between 1s and 10y" },

    { "integrity_counter k key=a window=1h warmup=x;", 1,
      "integrity_counter: \"warmup=x\" is no duration, as 60d, nor 0 for "
      "none" },

    { "integrity_counter k key=a window=1h warmup=11y;", 1,
      "integrity_counter: \"warmup=11y\" is over 10y" },

    { "integrity_counter k key=a window=1h count=always;", 1,
      "integrity_counter: \"count=always\" is none of accepted, attempts, "
      "completed" },

    { "integrity_counter k key=a window=1h distinct=b sum=c;", 1,
      "integrity_counter: \"k\": distinct= and sum= exclude each other" },

    { "integrity_counter k key=a window=1h first last;", 1,
      "integrity_counter: \"k\": first and last exclude each other" },

    { "integrity_counter k key=a window=1h mean=9;", 1,
      "integrity_counter: \"9\"" NO_NAME },

    { "integrity_counter k key=a window=1h exact distinct=b;", 1,
      "integrity_counter: \"k\": exact and distinct= exclude each other" },

    { "integrity_counter k key=a window=1h last exact;", 1,
      "integrity_counter: \"k\": exact and last exclude each other" },

    { "integrity_counter k key=a window=1h max=9;", 1,
      "integrity_counter: \"k\": max= is for exact and distinct=" },

    { "integrity_counter k key=a window=1h sum=b max=9;", 1,
      "integrity_counter: \"k\": max= is for exact and distinct=" },

    { "integrity_counter k key=a window=1h exact max=0;", 1,
      "integrity_counter: \"max=0\" is no whole number from 1 to 65536" },

    { "integrity_counter k key=a window=1h exact max=65537;", 1,
      "integrity_counter: \"max=65537\" is no whole number from 1 to 65536" },

    { "integrity_counter k key=a window=1h exact max=1e3;", 1,
      "integrity_counter: \"max=1e3\" is no whole number from 1 to 65536" },

    { "integrity_counter k key=a window=1h count=completed on=x,decision.deny;",
      1,
      "integrity_counter: \"k\": count=completed and a decision in on= "
      "exclude each other, a decision is written at once" },

    { "integrity_counter k key=a window=1h like=t;", 1,
      "integrity_counter: \"like=t\" is no parameter of it, those are on=, "
      "key=, window=, distinct=, sum=, mean=, first, last, exact, similar=, "
      "max=, count=, warmup=, if=" },

    { "integrity_counter k window=1h similar=t sum=n;", 1,
      "integrity_counter: \"k\": similar= and sum= exclude each other" },

    { "integrity_counter k window=1h mean=n similar=t;", 1,
      "integrity_counter: \"k\": similar= and mean= exclude each other" },

    { "integrity_counter k window=1h similar=t first;", 1,
      "integrity_counter: \"k\": similar= and first exclude each other" },

    { "integrity_counter k window=1h similar=t last;", 1,
      "integrity_counter: \"k\": similar= and last exclude each other" },

    { "integrity_counter k window=1h similar=t max=9;", 1,
      "integrity_counter: \"k\": max= is for exact and distinct=" },

    { "integrity_counter k window=1h similar=9;", 1,
      "integrity_counter: \"9\"" NO_NAME },

    { "integrity_counter k similar=t;", 1,
      "integrity_counter: \"k\" has no window=TIME" },

    { "integrity_counter k key=a window=1h key=b;", 1,
      "integrity_counter: \"key=b\": key is given twice" },

    /* as nginx hands over an unquoted if="rating >= 5" */

    { "integrity_counter k key=a window=1h if=\"rating >= 5\";", 1,
      "integrity_counter: \"if=\"rating\" begins with a quote after \"=\": "
      "quote the whole parameter, \"if=...\"" },

    { FIELDS "\nintegrity_counter k key=a,x window=1h;", 2,
      "integrity_counter: counter \"k\" is keyed by \"x\", which is no "
      "field" },

    { FIELDS "\nintegrity_counter k key=a window=1h distinct=x;", 2,
      "integrity_counter: counter \"k\" counts different values of \"x\", "
      "which is no field" },

    { FIELDS "\nintegrity_counter k key=a window=1h sum=x;", 2,
      "integrity_counter: counter \"k\" sums up \"x\", which is no field" },

    { FIELDS "\nintegrity_counter k key=a window=1h mean=x;", 2,
      "integrity_counter: counter \"k\" takes the mean of \"x\", which is no "
      "field" },

    { FIELDS "integrity_field s $s private;\n"
      "integrity_counter k key=a window=1h sum=s;", 2,
      "integrity_counter: counter \"k\" sums up \"s\", which is private: the "
      "store and the log would tell it" },

    { FIELDS "integrity_field s $s private;\n"
      "integrity_counter k key=a window=1h mean=s;", 2,
      "integrity_counter: counter \"k\" takes the mean of \"s\", which is "
      "private: the store and the log would tell it" },

    { FIELDS "\nintegrity_counter k key=t window=1h;", 2,
      "integrity_counter: counter \"k\" is keyed by \"t\", which is a text: "
      "only its fingerprint is kept" },

    { FIELDS "\nintegrity_counter k key=a window=1h distinct=t;", 2,
      "integrity_counter: counter \"k\" counts different values of \"t\", "
      "which is a text: only its fingerprint is kept" },

    { FIELDS "\nintegrity_counter k window=1h similar=a;", 2,
      "integrity_counter: counter \"k\" looks for texts similar to \"a\", "
      "which is no text: its integrity_field needs \"text\"" },

    { FIELDS "\nintegrity_counter k window=1h similar=x;", 2,
      "integrity_counter: counter \"k\" looks for texts similar to \"x\", "
      "which is no field" },

    { FIELDS "\nintegrity_counter k key=t window=1h similar=t;", 2,
      "integrity_counter: counter \"k\" is keyed by \"t\", which is a text: "
      "only its fingerprint is kept" },

    { "integrity_field t $upstream_http_x text;\n"
      "integrity_counter k window=1h similar=t;", 2,
      "integrity_counter: counter \"k\" looks for texts similar to \"t\", "
      "which comes with the answer: that needs count=completed" },

    { FIELDS "integrity_counter k window=1h similar=t;\n"
      "integrity_counter k window=1h similar=t key=a;", 2,
      "integrity_counter: \"k\" is defined differently in test.conf:1" },

    { FIELDS "\nintegrity_counter k key=late window=1h;", 2,
      "integrity_counter: counter \"k\" is keyed by \"late\", which comes "
      "with the answer: that needs count=completed" },

    { FIELDS "\nintegrity_counter k key=a distinct=late window=1h on=y;", 2,
      "integrity_counter: counter \"k\" counts different values of \"late\", "
      "which comes with the answer: that needs count=completed" },

    { FIELDS "\nintegrity_counter k key=late window=1h on=decision.deny;", 2,
      "integrity_counter: counter \"k\" is keyed by \"late\", which comes "
      "with the answer: that needs count=completed" },

    { FIELDS "\nintegrity_counter k key=a window=1h \"if=late > 2\";", 2,
      "integrity_counter: if= of counter \"k\" reads \"late\", which comes "
      "with the answer: that needs count=completed" },

    { FIELDS "\nintegrity_counter k key=a window=1h \"if=k > 2\";", 2,
      "integrity_counter: if= of counter \"k\" reads the counter itself" },

    { FIELDS "\nintegrity_counter k key=a window=1h \"if=nobody > 2\";", 2,
      "integrity_counter: if= of counter \"k\": unknown name \"nobody\" at "
      "column 1 of \"nobody > 2\"" },

    { FIELDS "integrity_counter k key=a window=1h;\n"
      "integrity_counter k key=a window=2h;", 2,
      "integrity_counter: \"k\" is defined differently in test.conf:1" },

    { FIELDS "integrity_counter k key=a window=1h \"if=n > 1\";\n"
      "integrity_counter k key=a window=1h \"if=n > 2\";", 2,
      "integrity_counter: \"k\" is defined differently in test.conf:1" }
};


static void
test_refused(void **state)
{
    (void) state;

    ig_policy_case_refuse(refusal, ig_countof(refusal));
}


/* The same in other words is the same. */
static void
test_repeated(void **state)
{
    (void) state;

    ig_policy_case_make(&c, FIELDS
        "integrity_counter k key=a,b window=1h on=x,y \"if=n>1\";\n"
        "integrity_counter k \"if= n > 1\" on=y,x,y window=60m key=b,a "
        "count=accepted warmup=0;\n"
        "integrity_counter l window=1h key=a last;\n"
        "integrity_counter l window=1h key=a last warmup=3600;\n");

    assert_int_equal(c.policy->ncounters, 2);
    assert_int_equal(c.policy->counter[0]->pos.line, 1);

    ig_policy_case_free(&c);
}


static void
test_many(void **state)
{
    int   i;
    char  text[128];

    (void) state;

    assert_int_equal(ig_policy_case_init(&c), IG_OK);

    for (i = 0; i < IG_MAX_COUNTERS; i++) {
        snprintf(text, sizeof(text),
                 "integrity_counter k%d key=a window=1h;", i);
        assert_int_equal(ig_policy_case_read(&c, text), IG_OK);
    }

    assert_int_equal(ig_policy_case_read(&c, text), IG_OK);
    assert_int_equal(ig_policy_case_read(&c, "integrity_counter more key=a "
                                         "window=1h;"), IG_ERROR);
    assert_string_equal(c.err.text, "integrity_counter: \"more\" is one "
                        "counter or list more than 256");

    assert_int_equal(ig_policy_case_read(&c, FIELDS), IG_OK);
    assert_int_equal(ig_policy_finish(c.policy, &c.err), IG_OK);

    ig_policy_case_free(&c);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_similar),
        cmocka_unit_test(test_when),
        cmocka_unit_test(test_tuples),
        cmocka_unit_test(test_ident),
        cmocka_unit_test(test_cond),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_repeated),
        cmocka_unit_test(test_many)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
