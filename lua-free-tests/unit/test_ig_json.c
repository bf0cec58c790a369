/*
 * test_ig_json.c: what is taken out of a body, and what makes a body refused.
 * Owns nothing.  Run by the unit tests' runner.
 */

#include "ig_policy_case.h"

#include <stdlib.h>
#include <string.h>

#include "ig_json.h"

static const char  policy_text[] =
    "integrity_field id json:/id\n"
    "integrity_field name json:/buyer/name\n"
    "integrity_field second json:/items/1/sku\n"
    "integrity_field sku json:/items/*/sku\n"
    "integrity_field odd json:/a~1b/m~0n\n"
    "integrity_field device $http_x_device_id\n"
    "integrity_field review json:/review on=review.create\n"
    "integrity_rule r \"has(id)\" then=hold on=order.create\n";

static struct {
    ig_policy_case_t   policy;
    const ig_plan_t   *plan;
    double             threshold[1];
    ig_place_t         place;
    void              *block;
    ig_call_t         *call;
    ig_json_t         *json;
} t;


static void
begin(void)
{
    const ig_policy_t  *policy = t.policy.policy;

    if (t.block == NULL) {
        t.block = malloc(ig_call_size(policy, t.plan));
    }

    t.call = ig_call_init(t.block, policy, t.plan, &t.place, NULL, ig_str(""),
                          0, "01ARZ3NDEKTSV4RRFFQ69G5FAV");
}


static ig_json_state_e
extract(const char *text)
{
    ig_json_state_e  state;

    ig_json_free(t.json);
    t.json = NULL;

    begin();

    state = ig_json_parse((ig_str_t) { strlen(text), text }, &t.json);

    return state == IG_JSON_OK
           ? ig_json_extract(t.json, t.call, &t.policy.mem) : state;
}


static const ig_value_t *
value(const char *name)
{
    const ig_field_t  *field;

    field = ig_policy_field(t.policy.policy,
                            (ig_str_t) { strlen(name), name });
    assert_non_null(field);

    return &t.call->field[field->id];
}


static void
is_key(const ig_value_t *v, ig_type_e type, const char *expected)
{
    char      scratch[IG_KEY_TEXT];
    ig_str_t  key;

    assert_int_equal(v->type, type);
    key = ig_value_key(v, scratch);

    if (key.len != strlen(expected)
        || memcmp(key.data, expected, key.len) != 0)
    {
        fail_msg("\"%.*s\" instead of \"%s\"", ig_fmt(key), expected);
    }
}


static int
setup(void **state)
{
    (void) state;

    memset(&t, 0, sizeof(t));

    assert_int_equal(ig_policy_case_init(&t.policy), IG_OK);
    assert_int_equal(ig_policy_case_read(&t.policy, policy_text), IG_OK);
    assert_int_equal(ig_policy_action(t.policy.policy, ig_str("order.create")),
                     IG_OK);
    assert_int_equal(ig_policy_finish(t.policy.policy, &t.policy.err), IG_OK);

    t.plan = ig_policy_plan(t.policy.policy, ig_str("order.create"));
    t.place.threshold = t.threshold;
    assert_non_null(t.plan);

    return 0;
}


static int
teardown(void **state)
{
    (void) state;

    ig_json_free(t.json);
    free(t.block);
    ig_policy_case_free(&t.policy);

    return 0;
}


static void
test_types(void **state)
{
    unsigned  i;

    static const struct {
        const char  *body;
        ig_type_e    type;
        const char  *key;
    } cases[] = {
        { "{\"id\":42}", IG_NUMBER, "42" },
        { "{\"id\":42.0}", IG_NUMBER, "42" },
        { "{\"id\":4.2e1}", IG_NUMBER, "42" },
        { "{\"id\":\"42\"}", IG_STRING, "42" },
        { "{\"id\":-7}", IG_NUMBER, "-7" },
        { "{\"id\":0.5}", IG_NUMBER, "0.5" },
        { "{\"id\":true}", IG_BOOL, "true" },
        { "{\"id\":false}", IG_BOOL, "false" },
        { "{\"id\":null}", IG_MISSING, "" },
        { "{\"id\":\"\"}", IG_MISSING, "" },
        { "{}", IG_MISSING, "" },
        { "{\"id\":\"\\u00e9\\u4e2d\"}", IG_STRING, "\xc3\xa9\xe4\xb8\xad" },

        /* ids of 64 bits are keys to the last digit */
        { "{\"id\":9007199254740993}", IG_NUMBER, "9007199254740993" },
        { "{\"id\":9223372036854775807}", IG_NUMBER, "9223372036854775807" },
        { "{\"id\":-9223372036854775808}", IG_NUMBER, "-9223372036854775808" },
        { "{\"id\":999999999999999}", IG_NUMBER, "999999999999999" },
        { "{\"id\":1000000000000000}", IG_NUMBER, "1000000000000000" },
        { "{\"id\":1000000000000001}", IG_NUMBER, "1000000000000001" },

        /* no object at the top: no fields */
        { "42", IG_MISSING, "" },
        { "\"id\"", IG_MISSING, "" },
        { "[1,2]", IG_MISSING, "" }
    };

    (void) state;

    for (i = 0; i < ig_countof(cases); i++) {
        assert_int_equal(extract(cases[i].body), IG_JSON_OK);
        is_key(value("id"), cases[i].type, cases[i].key);
    }
}


static void
test_nul(void **state)
{
    (void) state;

    assert_int_equal(extract("{\"id\":\"a\\u0000b\"}"), IG_JSON_OK);
    assert_int_equal(value("id")->type, IG_STRING);
    assert_int_equal(value("id")->str.len, 3);
    assert_memory_equal(value("id")->str.data, "a\0b", 3);
}


static void
test_paths(void **state)
{
    (void) state;

    assert_int_equal(extract("{\"buyer\":{\"name\":\"eve\",\"id\":9},"
                             "\"items\":[{\"sku\":1},{\"sku\":\"b\"}],"
                             "\"a/b\":{\"m~n\":3}}"), IG_JSON_OK);
    is_key(value("name"), IG_STRING, "eve");
    is_key(value("second"), IG_STRING, "b");
    is_key(value("odd"), IG_NUMBER, "3");

    /* not of this action, not from the body */
    assert_int_equal(value("review")->type, IG_MISSING);
    assert_int_equal(value("device")->type, IG_MISSING);

    /* a path that leads nowhere is not there; keys are no indexes */

    assert_int_equal(extract("{\"buyer\":\"name\",\"items\":[1]}"),
                     IG_JSON_OK);
    assert_int_equal(value("name")->type, IG_MISSING);
    assert_int_equal(value("second")->type, IG_MISSING);

    assert_int_equal(extract("{\"buyer\":[{\"name\":1}],"
                             "\"items\":[{},{\"sku\":null}]}"), IG_JSON_OK);
    assert_int_equal(value("name")->type, IG_MISSING);
    assert_int_equal(value("second")->type, IG_MISSING);
}


static void
test_set(void **state)
{
    unsigned             i;
    const ig_members_t  *members;

    static const char *const  skus[] = { "a", "7", "true" };

    (void) state;

    assert_int_equal(extract("{\"items\":[{\"sku\":\"a\"},{\"sku\":7},{},"
                             "{\"sku\":null},{\"sku\":\"\"},{\"sku\":true},"
                             "{\"sku\":\"a\"},5]}"), IG_JSON_OK);
    assert_int_equal(value("sku")->type, IG_SET);

    members = &t.call->members[value("sku") - t.call->field];
    assert_int_equal(members->nmembers, ig_countof(skus));

    for (i = 0; i < ig_countof(skus); i++) {
        is_key(&members->member[i], members->member[i].type, skus[i]);
    }

    /* one element is a value; none, or no array to speak of: missing */

    assert_int_equal(extract("{\"items\":[{\"sku\":\"a\"}]}"), IG_JSON_OK);
    is_key(value("sku"), IG_STRING, "a");

    assert_int_equal(extract("{\"items\":[]}"), IG_JSON_OK);
    assert_int_equal(value("sku")->type, IG_MISSING);

    assert_int_equal(extract("{\"items\":null}"), IG_JSON_OK);
    assert_int_equal(value("sku")->type, IG_MISSING);
}


/* An array of n items with different skus. */
static char *
items(unsigned n)
{
    char      *text;
    unsigned   i;
    ig_buf_t   b;

    text = malloc(64 + n * 16);
    ig_buf_init(&b, text, 64 + n * 16);
    ig_buf_lit(&b, "{\"id\":1,\"items\":[");

    for (i = 0; i < n; i++) {
        ig_buf_lit(&b, "{\"sku\":");
        ig_buf_u64(&b, i);
        ig_buf_str_add(&b, i + 1 < n ? ig_str("},") : ig_str("}"));
    }

    ig_buf_lit(&b, "]}");
    ig_buf_char(&b, '\0');

    return text;
}


static void
test_set_limit(void **state)
{
    char  *text;

    (void) state;

    text = items(IG_MAX_MEMBERS);
    assert_int_equal(extract(text), IG_JSON_OK);
    assert_int_equal(t.call->members[value("sku") - t.call->field].nmembers,
                     IG_MAX_MEMBERS);
    free(text);

    text = items(IG_MAX_MEMBERS + 1);
    assert_int_equal(extract(text), IG_JSON_SET);
    free(text);
}


static void
test_type(void **state)
{
    unsigned  i;

    static const char *const  bodies[] = {
        "{\"id\":[]}", "{\"id\":{}}", "{\"id\":1,\"buyer\":{\"name\":[1]}}",
        "{\"id\":1,\"items\":[{\"sku\":\"a\"},{\"sku\":{}}]}",
        "{\"id\":1,\"items\":{\"sku\":2}}", "{\"id\":1,\"items\":\"none\"}"
    };

    (void) state;

    for (i = 0; i < ig_countof(bodies); i++) {
        assert_int_equal(extract(bodies[i]), IG_JSON_TYPE);

        /* whole or not at all: what was read before the mistake is gone */

        assert_int_equal(value("id")->type, IG_MISSING);
        assert_int_equal(value("sku")->type, IG_MISSING);
    }
}


static void
test_invalid(void **state)
{
    unsigned  i;

    static const char *const  bodies[] = {
        "{", "{\"id\":}", "{\"id\":1,}", "{'id':1}", "{\"id\":1}x", "nul",
        "{\"id\":01}", "{\"id\":+1}", "{\"id\":NaN}", "[1 2]",
        "{\"id\":\"\x80\"}", "{\"id\":\"\xc0\xaf\"}", "{\"id\":\"\\ud800\"}",
        "{\"id\":\"a\nb\"}", "\xef\xbb\xbf{}", "{\"id\":1} {\"id\":1}",

        /* duplicate keys, also deep down */
        "{\"id\":1,\"id\":1}", "{\"x\":[{\"a\":1,\"b\":2,\"a\":3}]}",
        "{\"id\":1,\"\\u0069d\":2}",

        /* one more than 64 bits hold, and more than a double holds */
        "{\"id\":9223372036854775808}", "{\"id\":-9223372036854775809}",
        "{\"id\":1e999}"
    };

    (void) state;

    for (i = 0; i < ig_countof(bodies); i++) {
        if (extract(bodies[i]) != IG_JSON_INVALID) {
            fail_msg("accepted: %s", bodies[i]);
        }

        assert_null(t.json);
    }
}


static void
test_no_memory(void **state)
{
    unsigned         blocks;
    ig_json_state_e  rc;

    static const char  body[] =
        "{\"id\":9007199254740993,\"items\":[{\"sku\":\"a\"},"
        "{\"sku\":9007199254740995},{\"sku\":\"c\"}]}";

    (void) state;

    /* each allocation fails once, until none does */

    for (blocks = 0; ; blocks++) {
        t.policy.limit = blocks;
        rc = extract(body);

        if (rc == IG_JSON_OK) {
            break;
        }

        assert_int_equal(rc, IG_JSON_NOMEM);
        assert_int_equal(value("id")->type, IG_MISSING);
    }

    t.policy.limit = IG_POLICY_CASE_BLOCKS;
    assert_true(blocks >= 3);
    is_key(value("id"), IG_NUMBER, "9007199254740993");
}


static void
test_member(void **state)
{
    ig_value_t   v;
    ig_str_t     tokens[2] = { ig_string("buyer"), ig_string("name") };
    ig_source_t  source = { .kind = IG_SOURCE_JSON, .token = tokens,
                            .ntokens = 2, .star = -1 };

    (void) state;

    assert_int_equal(extract("{\"op\":\"createReview\",\"n\":12,"
                             "\"items\":[1],\"none\":null,"
                             "\"buyer\":{\"name\":\"eve\"}}"), IG_JSON_OK);

    v = ig_json_member(t.json, ig_str("op"), &t.policy.mem);
    is_key(&v, IG_STRING, "createReview");
    v = ig_json_member(t.json, ig_str("n"), &t.policy.mem);
    is_key(&v, IG_NUMBER, "12");
    v = ig_json_member(t.json, ig_str("items"), &t.policy.mem);
    assert_int_equal(v.type, IG_SET);
    v = ig_json_member(t.json, ig_str("buyer"), &t.policy.mem);
    assert_int_equal(v.type, IG_SET);
    v = ig_json_member(t.json, ig_str("none"), &t.policy.mem);
    assert_int_equal(v.type, IG_MISSING);
    v = ig_json_member(t.json, ig_str("o"), &t.policy.mem);
    assert_int_equal(v.type, IG_MISSING);

    v = ig_json_value(t.json, &source, &t.policy.mem);
    is_key(&v, IG_STRING, "eve");
    source.ntokens = 1;
    v = ig_json_value(t.json, &source, &t.policy.mem);
    assert_int_equal(v.type, IG_SET);

    assert_int_equal(extract("[{\"op\":1}]"), IG_JSON_OK);
    v = ig_json_member(t.json, ig_str("op"), &t.policy.mem);
    assert_int_equal(v.type, IG_MISSING);
}


static ig_json_state_e
named(const ig_json_t *json, const char *member, const char *field)
{
    const ig_policy_t  *policy = t.policy.policy;

    return ig_json_named(json, (ig_str_t) { strlen(member), member }, t.call,
                         ig_policy_field(policy, (ig_str_t) { strlen(field),
                                                              field })
                         ->source[0], &t.policy.mem);
}


/* Members of events go by the fields' names, whatever the sources are. */
static void
test_named(void **state)
{
    const ig_json_t  *field;

    (void) state;

    assert_int_equal(extract("{\"kind\":\"decision\",\"list\":[1],\"field\":{"
                             "\"device\":\"d1\",\"id\":[7,null,\"7\",8],"
                             "\"sku\":[],\"name\":{},\"odd\":[[1]]}}"),
                     IG_JSON_OK);

    assert_null(ig_json_object(t.json, ig_str("kind")));
    assert_null(ig_json_object(t.json, ig_str("list")));
    assert_null(ig_json_object(t.json, ig_str("none")));

    field = ig_json_object(t.json, ig_str("field"));
    assert_non_null(field);

    assert_int_equal(named(field, "device", "device"), IG_JSON_OK);
    is_key(value("device"), IG_STRING, "d1");

    assert_int_equal(named(field, "none", "device"), IG_JSON_OK);
    assert_int_equal(value("device")->type, IG_MISSING);

    assert_int_equal(named(field, "id", "id"), IG_JSON_OK);
    assert_int_equal(value("id")->type, IG_SET);

    assert_int_equal(named(field, "sku", "sku"), IG_JSON_OK);
    assert_int_equal(value("sku")->type, IG_MISSING);

    assert_int_equal(named(field, "name", "name"), IG_JSON_TYPE);
    assert_int_equal(named(field, "odd", "odd"), IG_JSON_TYPE);
    assert_int_equal(value("odd")->type, IG_MISSING);
}


static void
test_names(void **state)
{
    unsigned  i;

    (void) state;

    for (i = IG_JSON_OK; i <= IG_JSON_NOMEM; i++) {
        assert_true(ig_json_state_name((ig_json_state_e) i).len > 1);
    }

    assert_true(ig_str_eq(ig_json_state_name(IG_JSON_INVALID),
                          ig_str("invalid json")));
    assert_true(ig_str_eq(ig_json_state_name(IG_JSON_NOMEM),
                          ig_str("no memory")));
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_nul),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_set),
        cmocka_unit_test(test_set_limit),
        cmocka_unit_test(test_type),
        cmocka_unit_test(test_invalid),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_member),
        cmocka_unit_test(test_named),
        cmocka_unit_test(test_names)
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
