/*
 * test_ig_policy_field.c: integrity_field: sources, pointers, late variables,
 * parameters, several lines of one name.
 * Mirrors module/core/ig_policy_field.c and ig_policy_source.c.
 */

#include "ig_policy_case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>


static ig_policy_case_t  c;


static void
test_variable(void **state)
{
    const ig_field_t   *f;
    const ig_source_t  *s;

    (void) state;

    ig_policy_case_make(&c,
        "integrity_field account $http_x_account private decode;\n"
        "integrity_field network $remote_addr net=24/56 on=b.*,a;\n"
        "integrity_field fixed plain;\n");

    assert_int_equal(c.policy->nfields, 3);
    assert_int_equal(c.policy->nsources, 3);

    f = ig_policy_field(c.policy, ig_str("account"));
    s = f->source[0];

    assert_int_equal(f->id, 0);
    assert_true(f->is_private);
    assert_false(f->is_text);
    assert_string_equal(f->pos.file, "test.conf");
    assert_int_equal(f->pos.line, 1);
    assert_int_equal(f->nsources, 1);
    assert_int_equal(s->kind, IG_SOURCE_VARIABLE);
    assert_str(s->text, "$http_x_account");
    assert_true(s->decode);
    assert_false(s->late);
    assert_int_equal(s->star, -1);
    assert_int_equal(s->on.nitems, 0);

    f = ig_policy_field(c.policy, ig_str("network"));
    s = f->source[0];

    assert_false(f->is_private);
    assert_ptr_equal(c.policy->source[1], s);
    assert_int_equal(s->id, 1);
    assert_int_equal(s->field, 1);
    assert_int_equal(s->pos.line, 2);
    assert_int_equal(s->net4, 24);
    assert_int_equal(s->net6, 56);
    assert_int_equal(s->on.nitems, 2);
    assert_str(s->on.item[0], "a");
    assert_false(s->on.wildcard[0]);
    assert_str(s->on.item[1], "b.");
    assert_true(s->on.wildcard[1]);

    f = ig_policy_field(c.policy, ig_str("fixed"));
    assert_str(f->source[0]->text, "plain");
    assert_int_equal(f->source[0]->net4, 0);

    ig_policy_case_free(&c);
}


static void
test_pointer(void **state)
{
    const ig_source_t  *s;

    (void) state;

    ig_policy_case_make(&c,
        "integrity_field a json:/items/*/sku;\n"
        "integrity_field b json:/a~1b/m~0n/0/~01;\n"
        "integrity_field d json:/;\n"
        "integrity_field e json:/*;\n"
        "integrity_field f \"json:/with blank//x*\";\n");

    s = c.policy->source[0];
    assert_int_equal(s->kind, IG_SOURCE_JSON);
    assert_str(s->text, "/items/*/sku");
    assert_int_equal(s->ntokens, 3);
    assert_str(s->token[0], "items");
    assert_str(s->token[1], "*");
    assert_str(s->token[2], "sku");
    assert_int_equal(s->star, 1);
    assert_false(s->late);

    s = c.policy->source[1];
    assert_int_equal(s->ntokens, 4);
    assert_str(s->token[0], "a/b");
    assert_str(s->token[1], "m~n");
    assert_str(s->token[2], "0");
    assert_str(s->token[3], "~1");
    assert_int_equal(s->star, -1);

    s = c.policy->source[2];
    assert_int_equal(s->ntokens, 1);
    assert_str(s->token[0], "");

    s = c.policy->source[3];
    assert_int_equal(s->ntokens, 1);
    assert_int_equal(s->star, 0);

    s = c.policy->source[4];
    assert_int_equal(s->ntokens, 3);
    assert_str(s->token[0], "with blank");
    assert_str(s->token[1], "");
    assert_str(s->token[2], "x*");
    assert_int_equal(s->star, -1);

    ig_policy_case_free(&c);
}


static void
test_late(void **state)
{
    char      text[256];
    unsigned  i;

    static const struct {
        const char  *source;
        bool         late;
    } source[] = {
        { "$upstream_http_x_account", true },
        { "$upstream_status", true },
        { "$sent_http_location", true },
        { "$sent_trailer_x", true },
        { "$status", true },
        { "$request_time", true },
        { "$body_bytes_sent", true },
        { "$bytes_sent", true },
        { "$Upstream_HTTP_x", true },
        { "${upstream_http_x}", true },
        { "$account:$status", true },
        { "a${status}b", true },
        { "$statuses", false },
        { "$my_upstream_http_x", false },
        { "$request_time_x", false },
        { "upstream_http_x", false },
        { "$http_status", false },
        { "$account-$status", true }
    };

    (void) state;

    for (i = 0; i < ig_countof(source); i++) {
        snprintf(text, sizeof(text), "integrity_field f %s;",
                 source[i].source);

        ig_policy_case_make(&c, text);

        if (c.policy->source[0]->late != source[i].late) {
            fail_msg("%s", source[i].source);
        }

        ig_policy_case_free(&c);
    }
}


/* Of one name each action takes the first line that matches. */
static void
test_lines(void **state)
{
    const ig_field_t  *f;

    (void) state;

    ig_policy_case_make(&c,
        "integrity_field p $sku on=review.create;\n"
        "integrity_field q json:/q text private;\n"
        "integrity_field p json:/sku on=review.*;\n"
        "integrity_field p $sku on=review.create;\n"
        "integrity_field p $arg_p;\n"
        "integrity_field q json:/q private text;\n"
        "integrity_field p $sku on=review.create,review.create;\n");

    assert_int_equal(c.policy->nfields, 2);
    assert_int_equal(c.policy->nsources, 4);

    f = ig_policy_field(c.policy, ig_str("p"));
    assert_int_equal(f->nsources, 3);
    assert_str(f->source[0]->text, "$sku");
    assert_str(f->source[1]->text, "/sku");
    assert_str(f->source[2]->text, "$arg_p");
    assert_int_equal(f->source[2]->id, 3);
    assert_int_equal(f->source[2]->field, 0);

    f = ig_policy_field(c.policy, ig_str("q"));
    assert_int_equal(f->nsources, 1);
    assert_true(f->is_text && f->is_private);

    ig_policy_case_free(&c);
}


static const ig_policy_refusal_t  refusal[] = {

    { "integrity_field account;", 1,
      "integrity_field: needs a name and a source" },

    { "integrity_field 1st $a;", 1,
      "integrity_field: \"1st\" is no name: letters, digits and \"_\", not a "
      "digit first, at most 64" },

    { "integrity_field hour $a;", 1,
      "integrity_field: \"hour\" is a word of the expression language, "
      "choose another name" },

    { "integrity_field a \"\";", 1,
      "integrity_field: the source of \"a\" is empty" },

    { "integrity_field a json:;", 1,
      "integrity_field: \"json:\" is no JSON pointer, as json:/items/*/sku" },

    { "integrity_field a json:x/y;", 1,
      "integrity_field: \"json:x/y\" is no JSON pointer, as "
      "json:/items/*/sku" },

    { "integrity_field a json:/a~2b;", 1,
      "integrity_field: \"json:/a~2b\" has a \"~\" that is neither \"~0\" nor "
      "\"~1\"" },

    { "integrity_field a json:/a~/b;", 1,
      "integrity_field: \"json:/a~/b\" has a \"~\" that is neither \"~0\" nor "
      "\"~1\"" },

    { "integrity_field a json:/*/b/*;", 1,
      "integrity_field: \"json:/*/b/*\" has more than one \"*\"" },

    { "integrity_field a $a secret;", 1,
      "integrity_field: \"secret\" is no parameter of it, those are on=, "
      "private, text, decode, net=" },

    { "integrity_field a $a private=1;", 1,
      "integrity_field: \"private=1\": private takes no value" },

    { "integrity_field a $a decode decode;", 1,
      "integrity_field: \"decode\": decode is given twice" },

    { "integrity_field a $a on;", 1,
      "integrity_field: \"on\" needs a value: on=..." },

    { "integrity_field a $a on=;", 1,
      "integrity_field: \"on=\" needs a value: on=..." },

    { "integrity_field a $a net=24;", 1,
      "integrity_field: \"net=24\" is no pair of prefix lengths: 1 to 32 for "
      "IPv4, 1 to 128 for IPv6, as net=24/56" },

    { "integrity_field a $a net=0/56;", 1,
      "integrity_field: \"net=0/56\" is no pair of prefix lengths: 1 to 32 "
      "for IPv4, 1 to 128 for IPv6, as net=24/56" },

    { "integrity_field a $a net=33/56;", 1,
      "integrity_field: \"net=33/56\" is no pair of prefix lengths: 1 to 32 "
      "for IPv4, 1 to 128 for IPv6, as net=24/56" },

    { "integrity_field a $a net=32/0;", 1,
      "integrity_field: \"net=32/0\" is no pair of prefix lengths: 1 to 32 "
      "for IPv4, 1 to 128 for IPv6, as net=24/56" },

    { "integrity_field a $a net=32/129;", 1,
      "integrity_field: \"net=32/129\" is no pair of prefix lengths: 1 to 32 "
      "for IPv4, 1 to 128 for IPv6, as net=24/56" },

    { "integrity_field a $a text net=24/56;", 1,
      "integrity_field: \"a\": text and net= exclude each other" },

    { "integrity_field a json:/x/* text;", 1,
      "integrity_field: \"a\": a text is one value, \"*\" makes a set" },

    { "integrity_field a json:/x decode;", 1,
      "integrity_field: \"a\": decode is for variables, not for JSON" },

    { "integrity_field a json:/x net=24/56;", 1,
      "integrity_field: \"a\": net= is for variables, not for JSON" },

    { "integrity_field a $a private on=x;\nintegrity_field a $a on=y;", 2,
      "integrity_field: \"a\" is private on one line and not on the other, "
      "in test.conf:1" },

    { "integrity_field a $a on=x;\n\nintegrity_field a $a text on=y;", 3,
      "integrity_field: \"a\" is text on one line and not on the other, "
      "in test.conf:1" },

    { "integrity_field a $a on=x,y;\nintegrity_field a $b on=y,x;", 2,
      "integrity_field: this source of \"a\" can never be reached, the one in "
      "test.conf:1 comes first for all its actions" },

    { "integrity_field a $a;\nintegrity_field a $a decode;", 2,
      "integrity_field: this source of \"a\" can never be reached, the one in "
      "test.conf:1 comes first for all its actions" },

    { "integrity_field a $a;\nintegrity_field a $a net=8/8;", 2,
      "integrity_field: this source of \"a\" can never be reached, the one in "
      "test.conf:1 comes first for all its actions" },

    { "integrity_field a $a on=x.*;\nintegrity_field a $b on=x.z;", 2,
      "integrity_field: this source of \"a\" can never be reached, the one in "
      "test.conf:1 comes first for all its actions" }
};


static void
test_refused(void **state)
{
    (void) state;

    ig_policy_case_refuse(refusal, ig_countof(refusal));
}


/* Quotes after "=": nginx hands them over as part of the argument. */
static void
test_quote_inside(void **state)
{
    ig_str_t    line[] = { ig_string("integrity_field"), ig_string("a"),
                           ig_string("$a"), ig_string("on=\"x\"") };
    ig_pos_t    pos = { NULL, 7 };
    ig_error_t  err;

    (void) state;

    assert_int_equal(ig_policy_case_init(&c), IG_OK);
    assert_int_equal(ig_policy_directive(c.policy, line, 4, pos, &err),
                     IG_ERROR);
    assert_string_equal(err.text, "integrity_field: \"on=\"x\"\" begins with "
                        "a quote after \"=\": quote the whole parameter, "
                        "\"on=...\"");

    line[3] = ig_str("net='8/8'");

    assert_int_equal(ig_policy_directive(c.policy, line, 4, pos, &err),
                     IG_ERROR);
    assert_string_equal(err.text, "integrity_field: \"net='8/8'\" begins with "
                        "a quote after \"=\": quote the whole parameter, "
                        "\"net=...\"");
    assert_null(err.pos.file);
    assert_int_equal(err.pos.line, 7);

    ig_policy_case_free(&c);
}


static void
test_many(void **state)
{
    int       i;
    char      text[128];

    (void) state;

    assert_int_equal(ig_policy_case_init(&c), IG_OK);

    for (i = 0; i < IG_MAX_FIELDS; i++) {
        snprintf(text, sizeof(text), "integrity_field f%d $f on=a;", i);
        assert_int_equal(ig_policy_case_read(&c, text), IG_OK);
    }

    assert_int_equal(ig_policy_case_read(&c, "integrity_field more $f;"),
                     IG_ERROR);
    assert_string_equal(c.err.text, "integrity_field: \"more\" is one field "
                        "more than 64");

    for (i = IG_MAX_FIELDS; i < 256; i++) {
        snprintf(text, sizeof(text), "integrity_field f0 $f on=a%d;", i);
        assert_int_equal(ig_policy_case_read(&c, text), IG_OK);
    }

    assert_int_equal(ig_policy_case_read(&c, "integrity_field f0 $f on=c;"),
                     IG_ERROR);
    assert_string_equal(c.err.text, "integrity_field: \"f0\" has one source "
                        "more than 256 in all fields");

    /* what is there already may be said again */

    assert_int_equal(ig_policy_case_read(&c, "integrity_field f1 $f on=a;"),
                     IG_OK);

    ig_policy_case_free(&c);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_variable),
        cmocka_unit_test(test_pointer),
        cmocka_unit_test(test_late),
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_quote_inside),
        cmocka_unit_test(test_many)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
