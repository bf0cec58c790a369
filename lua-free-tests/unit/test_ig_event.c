/*
 * test_ig_event.c: the record of a decision, byte for byte; what leaves of
 * private fields and texts; lines that would be too long.
 * Owns nothing.  Run by the unit tests' runner.
 */

#include "ig_policy_case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ig_event.h"
#include "ig_json.h"

/* bytes 0 to 31 */
#define SECRET  "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

#define LONGEST  (IG_LINE_MAX - IG_CHAIN_PART)

static const char  policy_text[] =
    "integrity_field account json:/account private\n"
    "integrity_field merchant json:/merchant\n"
    "integrity_field rating json:/rating\n"
    "integrity_field gift json:/gift\n"
    "integrity_field content json:/content text\n"
    "integrity_field sku json:/items/*/sku\n"
    "integrity_field buyer json:/buyers/* private\n"
    "integrity_field other json:/other on=other.action\n"
    "integrity_counter account_1h key=account window=1h\n"
    "integrity_counter merchant_1h key=merchant window=1h\n"
    "integrity_counter rating_mean key=merchant window=1d mean=rating\n"
    "integrity_threshold per_hour 10\n"
    "integrity_threshold share 0.25\n"
    "integrity_rule fast \"account_1h > per_hour\" then=throttle\n"
    "integrity_rule trial \"account_1h > 6\" then=deny dry_run\n"
    "integrity_rule burst \"merchant_1h > 2 && account_1h > per_hour &&"
        " rating_mean > share\" score=60\n"
    "integrity_rule blind \"merchant_1h > 5\" then=deny score=7"
        " on_error=hold\n"
    "integrity_scores hold=50\n";

static struct {
    ig_policy_case_t    policy;
    const ig_plan_t    *plan;
    double              threshold[2];
    ig_place_t          place;
    ig_secret_t         secret;
    void               *block;
    ig_call_t          *call;
    ig_event_host_t     host;
    char                memory[IG_LINE_MAX];
    ig_buf_t            b;
} t;


static ig_str_t
str(const char *s)
{
    return (ig_str_t) { strlen(s), s };
}


static void
begin(void)
{
    const ig_policy_t  *policy = t.policy.policy;

    /* 2026-11-23T12:00:00.123Z */

    t.call = ig_call_init(t.block, policy, t.plan, &t.place, &t.secret,
                          ig_str(""), 1795435200123,
                          "01KARZ3NDEKTSV4RRFFQ69G5FA");
    t.call->evaluation = IG_COMPLETE;

    memset(&t.host, 0, sizeof(t.host));
    t.host.method = ig_str("POST");
    t.host.path = ig_str("/v1/");
    t.host.request = ig_str("4e1d");
    t.host.node = ig_str("edge-1");
}


static void
set(const char *name, ig_value_t value)
{
    const ig_field_t  *field;

    field = ig_policy_field(t.policy.policy, str(name));
    assert_non_null(field);
    assert_non_null(t.plan->source[field->id]);

    ig_call_set_value(t.call, t.plan->source[field->id], value);
}


static void
add(const char *name, ig_value_t value)
{
    const ig_field_t  *field;

    field = ig_policy_field(t.policy.policy, str(name));
    assert_int_equal(ig_call_add_member(t.call, t.plan->source[field->id],
                                        value, &t.policy.mem), IG_OK);
}


static void
count(const char *name, ig_type_e type, double n)
{
    const ig_counter_t  *counter;

    counter = ig_policy_counter(t.policy.policy, str(name));
    assert_non_null(counter);

    t.call->counter[counter->id] = (ig_value_t) { type, n, ig_string("") };
}


static void
fire(const char *name, ig_outcome_e outcome)
{
    unsigned  i;

    for (i = 0; i < t.plan->nrules; i++) {
        if (ig_str_eq(t.plan->rule[i]->name, str(name))) {
            t.call->outcome[i] = (uint8_t) outcome;
            return;
        }
    }

    fail_msg("no rule %s", name);
}


/* Writes the line; what is in memory ends with a NUL. */
static void
decide(void)
{
    memset(t.memory, 0, sizeof(t.memory));
    ig_buf_init(&t.b, t.memory, sizeof(t.memory));
    ig_event_decision(&t.b, t.call, &t.host);

    assert_false(t.b.full);
    assert_true(ig_buf_str(&t.b).len <= LONGEST);
}


static bool
has(const char *s)
{
    return strstr(t.memory, s) != NULL;
}


static void
must_have(const char *s)
{
    if (!has(s)) {
        fail_msg("no %s in %s", s, t.memory);
    }
}


/* With a brace at its end, the line is JSON without duplicate keys. */
static void
is_json(void)
{
    ig_json_t  *json;

    ig_buf_char(&t.b, '}');

    if (ig_json_parse(ig_buf_str(&t.b), &json) != IG_JSON_OK) {
        fail_msg("no JSON: %s", t.memory);
    }

    ig_json_free(json);
    *--t.b.pos = '\0';
}


static int
setup(void **state)
{
    ig_error_t  err;

    (void) state;

    memset(&t, 0, sizeof(t));

    assert_int_equal(ig_policy_case_init(&t.policy), IG_OK);
    assert_int_equal(ig_policy_case_read(&t.policy, policy_text), IG_OK);
    assert_int_equal(ig_policy_action(t.policy.policy,
                                      ig_str("review.create")), IG_OK);

    if (ig_policy_finish(t.policy.policy, &t.policy.err) != IG_OK) {
        fail_msg("%s", t.policy.err.text);
    }

    t.plan = ig_policy_plan(t.policy.policy, ig_str("review.create"));
    assert_non_null(t.plan);

    t.threshold[ig_policy_threshold(t.policy.policy,
                                    ig_str("per_hour"))->id] = 10;
    t.threshold[ig_policy_threshold(t.policy.policy,
                                    ig_str("share"))->id] = 0.25;
    t.place.threshold = t.threshold;

    assert_int_equal(ig_secret_parse(ig_str(SECRET), &t.secret, &err), IG_OK);

    t.block = malloc(ig_call_size(t.policy.policy, t.plan));

    return 0;
}


static int
teardown(void **state)
{
    (void) state;

    free(t.block);
    ig_policy_case_free(&t.policy);

    return 0;
}


static void
test_line(void **state)
{
    char      text[2048], hash[17];
    ig_buf_t  b;

    (void) state;

    begin();

    set("account", (ig_value_t) { IG_STRING, 0, ig_string("alice") });
    set("merchant", (ig_value_t) { IG_STRING, 0, ig_string("m-\"42\"") });
    set("rating", (ig_value_t) { IG_NUMBER, 4.5, ig_string("") });
    set("gift", (ig_value_t) { IG_BOOL, 1, ig_string("") });
    set("content", (ig_value_t) { IG_STRING, 0, ig_string("very good") });
    add("sku", (ig_value_t) { IG_STRING, 0, ig_string("a") });
    add("sku", (ig_value_t) { IG_NUMBER, 9007199254740992.0,
                              ig_string("9007199254740993") });
    count("account_1h", IG_NUMBER, 12.3456789);
    count("merchant_1h", IG_UNKNOWN, 0);
    count("rating_mean", IG_MISSING, 0);
    fire("fast", IG_RULE_FIRED);
    fire("trial", IG_RULE_FIRED);
    fire("burst", IG_RULE_UNKNOWN);
    fire("blind", IG_RULE_ON_ERROR);

    t.call->decision = IG_THROTTLE;
    t.call->would = IG_DENY;

    decide();
    is_json();

    ig_buf_init(&b, hash, sizeof(hash));
    ig_buf_hex(&b, t.policy.policy->hash, 8);
    ig_buf_char(&b, '\0');

    snprintf(text, sizeof(text),
        "{\"v\":1,\"kind\":\"decision\",\"time\":\"2026-11-23T12:00:00.123Z\","
        "\"event\":\"01KARZ3NDEKTSV4RRFFQ69G5FA\","
        "\"action\":\"review.create\",\"decision\":\"throttle\","
        "\"mode\":\"enforce\",\"score\":0,\"would\":\"deny\","
        "\"evaluation\":\"complete\",\"method\":\"POST\",\"path\":\"/v1/\","
        "\"request\":\"4e1d\",\"node\":\"edge-1\","
        "\"field\":{\"account\":\"p:k1:FjUJTNlyY6ZjOlBbQZvMJg\","
        "\"merchant\":\"m-\\\"42\\\"\",\"rating\":4.5,\"gift\":true,"
        "\"content\":\"t:9:HU_ezdQJt6v8TY87Q_znOg\","
        "\"sku\":[\"a\",9007199254740993]},"
        "\"counter\":{\"account_1h\":12.345679,\"merchant_1h\":null},"
        "\"rule\":[{\"name\":\"fast\",\"decision\":\"throttle\","
        "\"threshold\":{\"per_hour\":10}},"
        "{\"name\":\"trial\",\"decision\":\"deny\",\"dry_run\":true},"
        "{\"name\":\"blind\",\"decision\":\"hold\",\"on_error\":true}],"
        "\"policy\":\"%s\"", hash);

    assert_string_equal(t.memory, text);
}


static void
test_quiet_call(void **state)
{
    (void) state;

    begin();
    count("account_1h", IG_MISSING, 0);
    count("merchant_1h", IG_MISSING, 0);
    count("rating_mean", IG_MISSING, 0);
    t.host.request = ig_str("");

    decide();
    is_json();
    must_have("\"decision\":\"allow\",\"mode\":\"enforce\",\"score\":0,"
              "\"evaluation\":\"complete\",\"method\":\"POST\","
              "\"path\":\"/v1/\",\"node\":\"edge-1\","
              "\"field\":{},\"counter\":{},\"rule\":[],\"policy\":\"");
}


static void
test_circumstances(void **state)
{
    (void) state;

    begin();
    t.call->dry_run = true;
    t.call->would = IG_HOLD;
    t.call->score = 60;
    t.call->would_score = 67;
    t.call->evaluation = IG_CACHED;
    t.call->refused = true;
    t.call->tenant = ig_str("shop \"7\"");
    t.host.body = ig_str("too deep");
    fire("burst", IG_RULE_FIRED);

    decide();
    is_json();
    must_have("\"decision\":\"allow\",\"mode\":\"dry_run\",\"score\":60,"
              "\"would\":\"hold\",\"would_score\":67,"
              "\"evaluation\":\"cached\",");
    must_have("\"tenant\":\"shop \\\"7\\\"\",\"body\":\"too deep\","
              "\"new_keys\":true,\"field\":");
    must_have("{\"name\":\"burst\",\"score\":60,"
              "\"threshold\":{\"per_hour\":10,\"share\":0.25}}]");
}


/* Whatever a private field holds, only what the key made of it leaves. */
static void
test_private(void **state)
{
    unsigned  i;

    static const ig_value_t  values[] = {
        { IG_STRING, 0, ig_string("S3CRET") },
        { IG_NUMBER, 778899, ig_string("") },
        { IG_NUMBER, 778899, ig_string("778899") },
        { IG_BOOL, 1, ig_string("") }
    };

    (void) state;

    for (i = 0; i < ig_countof(values); i++) {
        begin();
        set("account", values[i]);
        set("content", values[i]);
        add("buyer", values[i]);
        add("buyer", (ig_value_t) { IG_STRING, 0, ig_string("S3CRET2") });

        decide();
        is_json();
        must_have("\"account\":\"p:k1:");
        must_have("\"content\":\"t:");
        must_have("\"buyer\":[\"p:k1:");
        assert_false(has("S3CRET"));
        assert_false(has("778899"));
        assert_false(has("true"));
    }

    /* the same value of two fields: two pseudonyms */

    begin();
    set("account", (ig_value_t) { IG_STRING, 0, ig_string("alice") });
    add("buyer", (ig_value_t) { IG_STRING, 0, ig_string("alice") });
    decide();
    must_have("\"account\":\"p:k1:FjUJTNlyY6ZjOlBbQZvMJg\"");
    assert_false(has("\"buyer\":\"p:k1:FjUJTNlyY6ZjOlBbQZvMJg\""));

    /* without a secret there is no pseudonym, and no value either */

    t.call->secret = NULL;
    decide();
    is_json();
    must_have("\"account\":null");
    must_have("\"buyer\":null");
    assert_false(has("alice"));
}


static void
test_unknown_field(void **state)
{
    (void) state;

    begin();
    t.call->field[ig_policy_field(t.policy.policy, ig_str("account"))->id]
        .type = IG_UNKNOWN;
    decide();
    must_have("\"field\":{\"account\":null}");
}


/* Values are cut between characters, and say so. */
static void
test_long_value(void **state)
{
    char  value[300];

    (void) state;

    begin();
    memset(value, 'a', sizeof(value));
    set("merchant", (ig_value_t) { IG_STRING, 0, { 256, value } });
    decide();
    assert_false(has("\xe2\x80\xa6"));
    assert_false(has("\"cut\""));

    begin();
    memcpy(value + 252, "\xe4\xb8\xad", 3);
    set("merchant", (ig_value_t) { IG_STRING, 0, { 257, value } });
    decide();
    is_json();
    must_have("aa\xe2\x80\xa6\"}");
    must_have(",\"cut\":true");
    assert_false(has("\xe4"));
    assert_ptr_equal(strstr(t.memory, "aaa") + 252,
                     strstr(t.memory, "\xe2\x80\xa6"));

    /* control characters take six bytes each, and the limit is in bytes */

    begin();
    memset(value, 1, sizeof(value));
    set("merchant", (ig_value_t) { IG_STRING, 0, { 100, value } });
    decide();
    is_json();
    must_have(",\"cut\":true");
    assert_true(strstr(t.memory, "\xe2\x80\xa6")
                - strstr(t.memory, "\\u0001") <= 253);
}


/* However much there is, the line ends in order. */
static void
test_crowded(void **state)
{
    char         value[2000];
    unsigned     i;
    ig_str_t     s;

    (void) state;

    for (i = 0; i < 256; i++) {
        begin();
        memset(value, (int) i, sizeof(value));
        s = (ig_str_t) { sizeof(value), value };

        t.host.method = s;
        t.host.path = s;
        t.host.request = s;
        t.host.node = s;
        t.host.body = s;
        t.call->tenant = s;
        set("merchant", (ig_value_t) { IG_STRING, 0, s });
        fire("fast", IG_RULE_FIRED);
        fire("burst", IG_RULE_FIRED);

        decide();
        is_json();
        must_have(",\"cut\":true");
        must_have("{\"name\":\"fast\"");
        must_have("{\"name\":\"burst\"");
    }
}


static void
test_small_buffer(void **state)
{
    char    *memory;
    size_t   size;

    (void) state;

    begin();
    set("account", (ig_value_t) { IG_STRING, 0, ig_string("alice") });
    fire("fast", IG_RULE_FIRED);

    for (size = 0; size < 1200; size++) {
        memory = malloc(size + 1);
        ig_buf_init(&t.b, memory, size);
        ig_event_decision(&t.b, t.call, &t.host);

        /* it says that it is full, or leaves room for the chain's part */

        assert_true(t.b.full
                    || ig_buf_str(&t.b).len + IG_CHAIN_PART <= size);
        free(memory);
    }

    assert_false(t.b.full);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_line),
        cmocka_unit_test(test_quiet_call),
        cmocka_unit_test(test_circumstances),
        cmocka_unit_test(test_private),
        cmocka_unit_test(test_unknown_field),
        cmocka_unit_test(test_long_value),
        cmocka_unit_test(test_crowded),
        cmocka_unit_test(test_small_buffer)
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
