/*
 * test_ig_event_verdict.c: event ids (ULID), and the verdict an application
 * checks (signatures computed by another program).
 * Owns nothing.  Run by the unit tests' runner.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ig_event.h"


static void
is_id(int64_t time, const uint8_t random[10], const char *expected)
{
    char  id[27];

    id[26] = '\0';
    ig_event_id(id, time, random);
    assert_string_equal(id, expected);
}


static void
test_id(void **state)
{
    int      i;
    char     before[26], after[26];
    uint8_t  random[10];

    (void) state;

    memset(random, 0, sizeof(random));
    is_id(0, random, "00000000000000000000000000");
    is_id(1, random, "00000000010000000000000000");

    /* the example of the specification, and the largest there is */

    is_id(1469918176385, random, "01ARYZ6S410000000000000000");
    memset(random, 0xff, sizeof(random));
    is_id((INT64_C(1) << 48) - 1, random, "7ZZZZZZZZZZZZZZZZZZZZZZZZZ");

    for (i = 0; i < 10; i++) {
        random[i] = (uint8_t) (i + 1);
    }

    is_id(0, random, "0000000000041061050R3GG28A");

    /* later ids sort later */

    for (i = 0; i < 60; i++) {
        ig_event_id(before, INT64_C(1795435200000) + i * 997, random);
        ig_event_id(after, INT64_C(1795435200000) + i * 997 + 1, random);
        assert_true(memcmp(before, after, 26) < 0);
    }
}


static void
is_verdict(ig_call_t *call, const char *method, const char *expected)
{
    char      memory[256];
    ig_buf_t  b;

    memset(memory, 0, sizeof(memory));
    ig_buf_init(&b, memory, sizeof(memory) - 1);
    ig_event_verdict(&b, call, (ig_str_t) { strlen(method), method });

    assert_false(b.full);
    assert_string_equal(memory, expected);
}


static void
test_verdict(void **state)
{
    ig_call_t    call;
    ig_plan_t    plan;
    ig_error_t   err;
    ig_secret_t  secret;

    (void) state;

    memset(&plan, 0, sizeof(plan));
    plan.action = ig_str("review.create");

    /* bytes 0 to 31 sign; the older key does not */

    assert_int_equal(ig_secret_parse(
                         ig_str("k2:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh"
                                "8=\nk1:AAAAAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGx"
                                "wdHh8=\n"), &secret, &err), IG_OK);

    memset(&call, 0, sizeof(call));
    call.plan = &plan;
    call.secret = &secret;
    call.decision = IG_THROTTLE;
    call.score = 75;
    call.time = 1795435200999;
    memcpy(call.event, "01KARZ3NDEKTSV4RRFFQ69G5FA", 26);

    is_verdict(&call, "POST",
               "throttle;action=review.create;method=POST;score=75;"
               "id=01KARZ3NDEKTSV4RRFFQ69G5FA;t=1795435200;"
               "sig=73sgvefq1MGFOd_WbN5ajg");

    /* no method can pretend to be another part */

    call.decision = IG_ALLOW;
    call.score = -3;
    call.time = -1001;
    is_verdict(&call, "A;b-_=",
               "allow;action=review.create;method=A?b-_?;score=-3;"
               "id=01KARZ3NDEKTSV4RRFFQ69G5FA;t=-2;"
               "sig=E6SS2PCifZrXUw9oxS83Tw");

    call.secret = NULL;
    is_verdict(&call, "PUT",
               "allow;action=review.create;method=PUT;score=-3;"
               "id=01KARZ3NDEKTSV4RRFFQ69G5FA;t=-2");
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_id),
        cmocka_unit_test(test_verdict)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
