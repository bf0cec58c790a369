/*
 * test_ig_settings.c: the table of directives, zone, Redis, node, and the
 * reading of parameters.
 * Owns nothing.  Run by the unit tests' runner.
 */

#include "ig_settings_case.h"
#include "ig_settings_int.h"

#include <stdio.h>
#include <string.h>


ig_settings_case_reader(zone, ig_settings_zone, ig_zone_settings_t)
ig_settings_case_reader(redis, ig_settings_redis, ig_redis_settings_t)
ig_settings_case_reader(node, ig_settings_node, ig_str_t)


#define HTTP      IG_CTX_HTTP
#define PLACE     (IG_CTX_HTTP | IG_CTX_SERVER | IG_CTX_LOCATION)
#define LOCATION  IG_CTX_LOCATION


static void
test_directives(void **state)
{
    size_t                 i;
    const ig_directive_t  *d;

    /* min and max where nginx counts the arguments itself; 0: many */
    static const struct {
        const char  *name;
        unsigned     contexts;
        unsigned     min;
        unsigned     max;
        bool         policy;
    } all[] = {
        { "integrity_zone", HTTP, 1, 2, false },
        { "integrity_redis", HTTP, 1, 0, false },
        { "integrity_secret", HTTP, 1, 1, false },
        { "integrity_audit", PLACE, 1, 0, false },
        { "integrity_audit_sample", PLACE, 1, 1, false },
        { "integrity_node", HTTP, 1, 1, false },
        { "integrity_field", HTTP, 2, 0, true },
        { "integrity_counter", HTTP, 2, 0, true },
        { "integrity_threshold", PLACE, 2, 3, true },
        { "integrity_list", HTTP, 2, 0, true },
        { "integrity_rule", HTTP, 2, 0, true },
        { "integrity_scores", HTTP, 1, 0, true },
        { "integrity_time_zone", HTTP, 1, 1, true },
        { "integrity", PLACE, 1, 2, false },
        { "integrity_action", PLACE, 1, 0, false },
        { "integrity_tenant", PLACE, 1, 1, false },
        { "integrity_body", PLACE, 1, 0, false },
        { "integrity_status", LOCATION, 0, 0, false },
        { "integrity_control", LOCATION, 0, 0, false },
        { "integrity_status_throttle", PLACE, 1, 1, false },
        { "integrity_status_deny", PLACE, 1, 1, false },
    };

    (void) state;

    for (i = 0; i < ig_countof(all); i++) {
        d = ig_directive((ig_str_t) { strlen(all[i].name), all[i].name });

        assert_non_null(d);
        assert_string_equal(d->name, all[i].name);
        assert_int_equal(d->contexts, all[i].contexts);
        assert_int_equal(d->min, all[i].min);
        assert_int_equal(d->policy, all[i].policy);

        if (all[i].max != 0 || all[i].min == 0) {
            assert_int_equal(d->max, all[i].max);

        } else {
            assert_true(d->max >= 16);
        }
    }

    for (i = 0; ig_directives[i].name != NULL; i++) { /* void */ }

    assert_int_equal(i, ig_countof(all));

    assert_null(ig_directive(ig_str("integrity_lists")));
    assert_null(ig_directive(ig_str("integrity_controls")));
    assert_null(ig_directive(ig_str("integrity_")));
    assert_null(ig_directive(ig_str("integrity_zones")));
    assert_null(ig_directive(ig_str("limit_req")));
    assert_null(ig_directive((ig_str_t) { 0, NULL }));
}


static void
test_size(void **state)
{
    size_t    i;
    uint64_t  n;

    static const struct {
        ig_str_t  text;
        uint64_t  size;
    } good[] = {
        { ig_string("0"), 0 },
        { ig_string("1"), 1 },
        { ig_string("16k"), 16384 },
        { ig_string("16K"), 16384 },
        { ig_string("32m"), 33554432 },
        { ig_string("32M"), 33554432 },
        { ig_string("2g"), UINT64_C(2147483648) },
        { ig_string("2G"), UINT64_C(2147483648) },
        { ig_string("18446744073709551615"), UINT64_MAX },
        { ig_string("18014398509481983k"), UINT64_C(18446744073709550592) },
    };

    static const ig_str_t  bad[] = {
        ig_string(""), ig_string("k"), ig_string("1t"), ig_string("1kb"),
        ig_string("-1"), ig_string("1.5m"), ig_string(" 1"), ig_string("1 k"),
        ig_string("18446744073709551616"), ig_string("18014398509481984k"),
        ig_string("17179869184g"),
    };

    (void) state;

    for (i = 0; i < ig_countof(good); i++) {
        assert_true(ig_parse_size(good[i].text, &n));
        assert_true(n == good[i].size);
    }

    for (i = 0; i < ig_countof(bad); i++) {
        assert_false(ig_parse_size(bad[i], &n));
    }

    assert_false(ig_parse_size((ig_str_t) { 0, NULL }, &n));
}


static void
test_variables(void **state)
{
    size_t  i;

    static const ig_str_t  good[] = {
        ig_string("$a"), ig_string("$1"), ig_string("${a}"),
        ig_string("$a$b"), ig_string("x.$a.y"), ig_string("${a}b$c-"),
        ig_string("$v10"), ig_string("$AZ_az09"), ig_string("none"),
    };

    static const ig_str_t  bad[] = {
        ig_string("$"), ig_string("a$"), ig_string("$-"), ig_string("${}"),
        ig_string("${a"), ig_string("$a${"), ig_string("$$a"),
        ig_string("${a-b}"), ig_string("$a $ b"),
    };

    (void) state;

    for (i = 0; i < ig_countof(good); i++) {
        assert_true(ig_variables_valid(good[i]));
        assert_int_equal(ig_has_variables(good[i]),
                         i != ig_countof(good) - 1);
    }

    for (i = 0; i < ig_countof(bad); i++) {
        assert_true(ig_has_variables(bad[i]));
        assert_false(ig_variables_valid(bad[i]));
    }

    /* what stands behind the text is not read */
    assert_false(ig_variables_valid((ig_str_t) { 3, "${a}" }));
    assert_false(ig_variables_valid((ig_str_t) { 1, "$a" }));
    assert_true(ig_variables_valid((ig_str_t) { 3, "$ab$" }));

    assert_false(ig_has_variables((ig_str_t) { 0, NULL }));
}


static void
test_zone(void **state)
{
    ig_zone_settings_t  s;

    static const ig_settings_refusal_t  refusals[] = {
        { "integrity_zone", "invalid number of arguments" },
        { "integrity_zone a:1m new_keys=1 new_keys=1",
          "invalid number of arguments" },
        { "integrity_zone ''", "invalid value \"\": a name with a size, like "
          "integrity:32m, is expected" },
        { "integrity_zone integrity", "invalid value \"integrity\": a name "
          "with a size, like integrity:32m, is expected" },
        { "integrity_zone :32m", "invalid value \":32m\": a name with a size, "
          "like integrity:32m, is expected" },
        { "integrity_zone a:", "invalid value \"\" in \"a:\": a size of at "
          "least 1m is expected" },
        { "integrity_zone a:b:1m", "invalid value \"b:1m\" in \"a:b:1m\": a "
          "size of at least 1m is expected" },
        { "integrity_zone a:1023k", "invalid value \"1023k\" in \"a:1023k\": "
          "a size of at least 1m is expected" },
        { "integrity_zone a:1m 5", "invalid parameter \"5\": new_keys= is "
          "expected" },
        { "integrity_zone a:1m new_keys", "invalid parameter \"new_keys\": "
          "new_keys= is expected" },
        { "integrity_zone a:1m new_keys=0", "invalid value \"0\" in "
          "\"new_keys=0\": a number from 1 to 1000000000 is expected" },
        { "integrity_zone a:1m new_keys=1000000001", "invalid value "
          "\"1000000001\" in \"new_keys=1000000001\": a number from 1 to "
          "1000000000 is expected" },
        { "integrity_zone a:1m new_keys=", "invalid value \"\" in "
          "\"new_keys=\": a number from 1 to 1000000000 is expected" },
    };

    (void) state;

    ig_settings_case_accept(zone, "integrity_zone integrity:32m", &s);
    ig_settings_case_is(s.name, "integrity");
    assert_int_equal(s.size, 33554432);
    assert_int_equal(s.new_keys, 3000);

    ig_settings_case_accept(zone, "integrity_zone z:1024k new_keys=1", &s);
    ig_settings_case_is(s.name, "z");
    assert_int_equal(s.size, IG_ZONE_MIN);
    assert_int_equal(s.new_keys, 1);

    ig_settings_case_refuse(zone, refusals, ig_countof(refusals));
}


static void
test_redis(void **state)
{
    ig_redis_settings_t  s;

    static const ig_settings_refusal_t  refusals[] = {
        { "integrity_redis", "invalid number of arguments" },
        { "integrity_redis h port=1", "invalid parameter \"port=1\": "
          "timeout=, connect_timeout=, db=, user=, password_file= or "
          "on_error= is expected" },
        { "integrity_redis h timeout=1s timeout=2s",
          "\"timeout=\" is duplicate" },
        { "integrity_redis h timeout=x", "invalid value \"x\" in "
          "\"timeout=x\": a duration of at most 1h is expected" },
        { "integrity_redis h timeout=", "invalid value \"\" in \"timeout=\": "
          "a duration of at most 1h is expected" },
        { "integrity_redis h timeout=0", "invalid value \"0\" in "
          "\"timeout=0\": a duration of at most 1h is expected" },
        { "integrity_redis h timeout=3600001ms", "invalid value \"3600001ms\" "
          "in \"timeout=3600001ms\": a duration of at most 1h is expected" },
        { "integrity_redis h connect_timeout=x", "invalid value \"x\" in "
          "\"connect_timeout=x\": a duration of at most 1h is expected" },
        { "integrity_redis h db=x", "invalid value \"x\" in \"db=x\": the "
          "number of a database is expected" },
        { "integrity_redis h db=2147483648", "invalid value \"2147483648\" in "
          "\"db=2147483648\": the number of a database is expected" },
        { "integrity_redis h user=", "invalid value \"\" in \"user=\": a name "
          "is expected" },
        { "integrity_redis h user=a", "\"user=\" needs \"password_file=\"" },
        { "integrity_redis h password_file=", "invalid value \"\" in "
          "\"password_file=\": a file is expected" },
        { "integrity_redis h on_error=pass", "invalid value \"pass\" in "
          "\"on_error=pass\": local, allow or deny is expected" },
        { "integrity_redis h on_error=allow on_error=allow",
          "\"on_error=\" is duplicate" },
    };

    (void) state;

    ig_settings_case_accept(redis, "integrity_redis unix:/run/redis.sock", &s);
    ig_settings_case_is(s.address, "unix:/run/redis.sock");
    assert_int_equal(s.timeout, 20);
    assert_int_equal(s.connect_timeout, 1000);
    assert_int_equal(s.db, 0);
    assert_int_equal(s.user.len, 0);
    assert_int_equal(s.password_file.len, 0);
    assert_int_equal(s.on_error, IG_STORE_LOCAL);

    ig_settings_case_accept(redis, "integrity_redis 10.0.0.1:6380 db=15 "
                            "user=nginx password_file=/etc/redis.pass "
                            "timeout=1h connect_timeout=250ms on_error=deny",
                            &s);
    ig_settings_case_is(s.address, "10.0.0.1:6380");
    assert_int_equal(s.timeout, 3600000);
    assert_int_equal(s.connect_timeout, 250);
    assert_int_equal(s.db, 15);
    ig_settings_case_is(s.user, "nginx");
    ig_settings_case_is(s.password_file, "/etc/redis.pass");
    assert_int_equal(s.on_error, IG_STORE_DENY);

    ig_settings_case_accept(redis, "integrity_redis h on_error=allow", &s);
    assert_int_equal(s.on_error, IG_STORE_ALLOW);
    ig_settings_case_accept(redis, "integrity_redis h on_error=local db=0",
                            &s);
    assert_int_equal(s.db, 0);
    assert_int_equal(s.on_error, IG_STORE_LOCAL);

    ig_settings_case_refuse(redis, refusals, ig_countof(refusals));
}


#define SUN_PATH                                                              \
    "/2345678901234567890123456789012345678901234567890123456789"             \
    "012345678901234567890123456789012345678901234567"


static void
test_redis_address(void **state)
{
    char                  line[256], error[512];
    size_t                i;
    ig_redis_settings_t   s;

    static const char  *good[] = {
        "localhost", "AZ.az-09_", "localhost:6379",
        "redis-1.shop_a.example:1", "h:65535",
        "127.0.0.1", "127.0.0.1:6379", "[::1]", "[::1]:6379",
        "[2001:db8::10.0.0.1]:80", "unix:/r", "unix:" SUN_PATH,
    };

    static const char  *bad[] = {
        "''", ":6379", "h:", "h:0", "h:65536", "h:x", "h:1:2", "::1",
        "fe80::1", "[::1", "[]", "[]:1", "[::1]6379", "[::1]:", "[::1]:0",
        "[h/x]:1", "[/::1]", "unix:", "unix:/", "unix:redis.sock",
        "unix:" SUN_PATH "x", "redis://h", "h/0", "$redis", "a,b", "user@h",
    };

    (void) state;

    assert_int_equal(strlen(SUN_PATH), 107);

    for (i = 0; i < ig_countof(good); i++) {
        (void) snprintf(line, sizeof(line), "integrity_redis %s", good[i]);
        ig_settings_case_accept(redis, line, &s);
        ig_settings_case_is(s.address, good[i]);
    }

    for (i = 0; i < ig_countof(bad); i++) {
        (void) snprintf(line, sizeof(line), "integrity_redis %s", bad[i]);
        (void) snprintf(error, sizeof(error), "invalid value \"%s\": an "
                        "address, which is unix:/PATH, HOST, HOST:PORT or "
                        "[IPv6]:PORT, is expected",
                        i == 0 ? "" : bad[i]);
        ig_settings_case_refuse(redis,
                                &(ig_settings_refusal_t) { line, error }, 1);
    }
}


static void
test_node(void **state)
{
    ig_pos_t    pos = { "test.conf", 1 };
    ig_str_t    s, nul[] = { ig_string("integrity_node"), ig_string("a\0b") };
    ig_error_t  err;

    static const char  sixtythree[] = "integrity_node "
        "edge-1.Shop_A.example.0123456789012345678901234567890123456789x";

    static const ig_settings_refusal_t  refusals[] = {
        { "integrity_node", "invalid number of arguments" },
        { "integrity_node a b", "invalid number of arguments" },
        { "integrity_node ''", "invalid value \"\": a name of at most 63 "
          "letters, digits, \".\", \"_\" and \"-\" is expected" },
        { "integrity_node a/b", "invalid value \"a/b\": a name of at most 63 "
          "letters, digits, \".\", \"_\" and \"-\" is expected" },
        { "integrity_node $hostname", "invalid value \"$hostname\": a name of "
          "at most 63 letters, digits, \".\", \"_\" and \"-\" is expected" },
        { "integrity_node "
          "edge-1.Shop_A.example.0123456789012345678901234567890123456789xy",
          "invalid value "
          "\"edge-1.Shop_A.example.0123456789012345678901234567890123456789xy"
          "\": a name of at most 63 letters, digits, \".\", \"_\" and \"-\" "
          "is expected" },
    };

    (void) state;

    ig_settings_case_accept(node, sixtythree, &s);
    ig_settings_case_is(s, strchr(sixtythree, ' ') + 1);
    assert_int_equal(s.len, 63);

    ig_settings_case_refuse(node, refusals, ig_countof(refusals));

    assert_int_equal(ig_settings_node(nul, 2, pos, &s, &err), IG_ERROR);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_directives),
        cmocka_unit_test(test_size),
        cmocka_unit_test(test_variables),
        cmocka_unit_test(test_zone),
        cmocka_unit_test(test_redis),
        cmocka_unit_test(test_redis_address),
        cmocka_unit_test(test_node),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
