/*
 * test_ig_verify_tamper.c: every byte changed, every line removed, repeated,
 * moved or replaced, every cut: what somebody does to a log is seen, and what
 * a crash does to it is not taken for that.
 * Owns nothing.  Run by the unit tests' runner.
 */

#define _GNU_SOURCE      /* memmem */

#include "ig_audit_case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static ig_audit_t          a;
static ig_audit_verdict_t  verdict;
static ig_audit_worker_t   w, w2;
static unsigned            last[2];     /* line numbers of the chains' ends */


/* Two workers, interleaved, closed: lines of slots 0 1 0 1 0 1 ... 0 1. */
static int
setup(void **state)
{
    unsigned  i;

    (void) state;

    ig_audit_init(&a);
    ig_audit_start(&w, &a, 0, 1, NULL, SIZE_MAX);
    ig_audit_start(&w2, &a, 1, 1, NULL, SIZE_MAX);

    for (i = 0; i < 5; i++) {
        ig_audit_line(&w);
        ig_audit_write(&w, SIZE_MAX);
        ig_audit_line(&w2);
        ig_audit_write(&w2, SIZE_MAX);
    }

    ig_audit_close(&w);
    ig_audit_close(&w2);

    last[0] = ig_audit_count(a.file) - 2;
    last[1] = ig_audit_count(a.file) - 1;

    return 0;
}


static int
teardown(void **state)
{
    (void) state;

    ig_audit_empty(&a);

    return 0;
}


static ig_str_t
line(unsigned n)
{
    return ig_audit_get(a.file, n);
}


/* Judges a copy of the file and frees it. */
static ig_verify_result_e
judge(ig_audit_file_t copy)
{
    ig_audit_verify(&copy, 1, 4096, &verdict);
    free(copy.data);

    return verdict.summary.result;
}


static void
must_be(ig_verify_result_e result, ig_verify_result_e expected,
    const char *what, unsigned n)
{
    if (result != expected) {
        fail_msg("%s %u: %.*s instead of %.*s:\n%s", what, n,
                 ig_fmt(ig_verify_result_name(result)),
                 ig_fmt(ig_verify_result_name(expected)), verdict.text);
    }
}


/* One finding, on this line of the file (from 1), with these words. */
static void
only_finding(unsigned n, const char *words)
{
    char  start[64];

    snprintf(start, sizeof(start), "0:%u: tampered: %s", n, words);

    if (strncmp(verdict.text, start, strlen(start)) != 0
        || verdict.count[IG_FINDING_TAMPERED] != 1)
    {
        fail_msg("\"%s\" is not the only finding of:\n%s", start,
                 verdict.text);
    }
}


static void
test_every_byte(void **state)
{
    size_t               i;
    unsigned             j;
    ig_verify_result_e   result;

    static const char  masks[] = { 1, 0x20, '\x80' };

    (void) state;

    for (i = 0; i < a.file[0].len; i++) {
        for (j = 0; j < sizeof(masks); j++) {
            a.file[0].data[i] ^= masks[j];
            ig_audit_verify(a.file, 1, 4096, &verdict);
            result = verdict.summary.result;
            a.file[0].data[i] ^= masks[j];

            /* the last newline: like a write that was cut there */

            if (result != IG_VERIFY_TAMPERED && i + 1 < a.file[0].len) {
                fail_msg("byte %zu: %.*s:\n%s", i,
                         ig_fmt(ig_verify_result_name(result)), verdict.text);
            }

            assert_int_not_equal(result, IG_VERIFY_CLEAN);
        }
    }
}


/* A changed value is one finding, on its own line. */
static void
test_edit(void **state)
{
    char     *p;
    unsigned  i;

    static const char *const  values[] = { "201", "\"time\":\"20", "seq\":",
                                           "prev\":\"", "hash\":\"" };

    (void) state;

    for (i = 0; i < ig_countof(values); i++) {
        p = memmem(line(6).data, line(6).len, values[i], strlen(values[i]));
        assert_non_null(p);
        p += strlen(values[i]) - 1;

        /* the last of its characters, or the first of what follows */

        p += *p == '"' || *p == ':';
        *p = *p == '7' ? '8' : '7';

        ig_audit_verify(a.file, 1, 4096, &verdict);
        assert_int_equal(verdict.summary.result, IG_VERIFY_TAMPERED);

        /* a changed number also leaves a gap: two findings */

        if (i == 2) {
            assert_int_equal(verdict.count[IG_FINDING_TAMPERED], 2);
            assert_non_null(strstr(verdict.text, "line 4 of the chain is"));

        } else {
            only_finding(7, "this line was changed");
        }

        ig_audit_empty(&a);
        setup(NULL);
    }

    /* a changed id is no third chain: the line is missing in its own */

    p = memmem(line(6).data, line(6).len, "\"edge-1/", 8);
    p[1] = 'E';
    ig_audit_verify(a.file, 1, 4096, &verdict);
    assert_int_equal(verdict.count[IG_FINDING_TAMPERED], 2);
    assert_int_equal(verdict.summary.chains, 2);
}


static void
test_forged(void **state)
{
    unsigned  n;

    (void) state;

    for (n = 2; n < last[0]; n++) {
        must_be(judge(ig_audit_forge(a.file, n, ":201", ":403")),
                IG_VERIFY_TAMPERED, "forged line", n);

        /* the next line of the chain tells */

        only_finding(n + 3, "the line before this one in its chain was");
    }
}


static void
test_removed(void **state)
{
    unsigned            n;
    ig_verify_result_e  result;

    (void) state;

    for (n = 0; n <= last[1]; n++) {
        result = judge(ig_audit_replace(a.file, n, 1, ig_str("")));

        if (n < last[0]) {
            must_be(result, IG_VERIFY_TAMPERED, "without line", n);

            /* seen at the next line of its chain, now one place earlier */

            only_finding(n < 2 ? n + 2 : n + 2, "line");

        } else {
            /* without its close, a chain looks as if it were still open */

            must_be(result, IG_VERIFY_CLEAN, "without line", n);
            assert_non_null(strstr(verdict.text, "not closed yet"));
        }
    }
}


static void
test_head_cut(void **state)
{
    unsigned  n;

    (void) state;

    for (n = 1; n < last[0]; n++) {
        must_be(judge(ig_audit_replace(a.file, 0, n, ig_str(""))),
                IG_VERIFY_TAMPERED, "without lines up to", n);
    }
}


/* A cut end is a torn tail, or unseen; it is no sign of anything else. */
static void
test_tail_cut(void **state)
{
    size_t               len;
    bool                 whole;
    ig_verify_result_e   result;

    (void) state;

    for (len = 1; len < a.file[0].len; len++) {
        ig_audit_verify(&(ig_audit_file_t) { a.file[0].data, len }, 1, 4096,
                        &verdict);
        result = verdict.summary.result;

        whole = a.file[0].data[len - 1] == '\n' || a.file[0].data[len] == '\n';

        if (len <= line(0).len) {
            must_be(result, len + 1 >= line(0).len ? IG_VERIFY_CLEAN
                                                   : IG_VERIFY_UNVERIFIABLE,
                    "cut after byte", (unsigned) len);

        } else {
            must_be(result, whole ? IG_VERIFY_CLEAN : IG_VERIFY_TORN,
                    "cut after byte", (unsigned) len);
        }
    }
}


static void
test_repeated(void **state)
{
    unsigned  n, at;

    (void) state;

    for (n = 0; n <= last[1]; n++) {
        for (at = n + 1; at <= last[1] + 1; at++) {
            must_be(judge(ig_audit_replace(a.file, at, 0, line(n))),
                    IG_VERIFY_TAMPERED, "repeated line", n);
            only_finding(at + 1, "line");
        }
    }
}


static void
test_moved(void **state)
{
    unsigned         n;
    ig_str_t         pair[4];
    char             text[4096];
    size_t           len;
    unsigned         i;

    (void) state;

    /* lines n and n + 2 belong to one chain, n + 1 to the other */

    for (n = 0; n + 2 <= last[1]; n++) {
        pair[0] = line(n + 2);
        pair[1] = line(n + 1);
        pair[2] = line(n);

        for (len = 0, i = 0; i < 3; i++) {
            memcpy(text + len, pair[i].data, pair[i].len);
            len += pair[i].len;
        }

        must_be(judge(ig_audit_replace(a.file, n, 3, (ig_str_t) { len, text })),
                IG_VERIFY_TAMPERED, "swapped line", n);
        assert_non_null(strstr(verdict.text, "repeated or moved"));
    }
}


/* Lines of different chains have no order among each other. */
static void
test_other_interleaving(void **state)
{
    unsigned  n;
    char      text[4096];
    size_t    len;

    (void) state;

    for (n = 0; n + 1 <= last[1]; n++) {
        len = line(n + 1).len;
        memcpy(text, line(n + 1).data, len);
        memcpy(text + len, line(n).data, line(n).len);
        len += line(n).len;

        must_be(judge(ig_audit_replace(a.file, n, 2, (ig_str_t) { len, text })),
                IG_VERIFY_CLEAN, "interleaved line", n);
    }
}


/* A line broken in two, a line of rubbish, a line without its end. */
static void
test_broken(void **state)
{
    char      text[2048];
    unsigned  n;
    ig_str_t  s;

    (void) state;

    for (n = 0; n < last[0]; n++) {
        s = line(n);
        memcpy(text, s.data, s.len);
        text[s.len / 2] = '\n';
        must_be(judge(ig_audit_replace(a.file, n, 1,
                                       (ig_str_t) { s.len, text })),
                IG_VERIFY_TAMPERED, "broken line", n);

        must_be(judge(ig_audit_replace(a.file, n, 1, ig_str("rubbish\n"))),
                IG_VERIFY_TAMPERED, "rubbish for line", n);

        text[s.len / 2] = '\n';
        must_be(judge(ig_audit_replace(a.file, n, 1,
                                       (ig_str_t) { s.len / 2 + 1, text })),
                IG_VERIFY_TAMPERED, "half of line", n);
    }

    /* of full length, but no JSON any more: an edit and no crash */

    s = line(last[1]);
    memcpy(text, s.data, s.len);
    text[20] = '"';
    must_be(judge(ig_audit_replace(a.file, last[1], 1,
                                   (ig_str_t) { s.len, text })),
            IG_VERIFY_TAMPERED, "edited line", last[1]);
    assert_non_null(strstr(verdict.text, "it is no longer JSON"));
}


#define TEST(name)  cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest  tests[] = {
        TEST(test_every_byte),
        TEST(test_edit),
        TEST(test_forged),
        TEST(test_removed),
        TEST(test_head_cut),
        TEST(test_tail_cut),
        TEST(test_repeated),
        TEST(test_moved),
        TEST(test_other_interleaving),
        TEST(test_broken)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
