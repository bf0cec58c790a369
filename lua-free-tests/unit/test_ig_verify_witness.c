/*
 * test_ig_verify_witness.c: what successors reveal of a chain's end, and
 * chains that contradict themselves.
 * Owns nothing.  Run by the unit tests' runner.
 */

#include "ig_audit_case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static ig_audit_t          a;
static ig_audit_verdict_t  verdict;
static ig_audit_worker_t   w;


static int
setup(void **state)
{
    (void) state;

    ig_audit_init(&a);

    return 0;
}


static int
teardown(void **state)
{
    (void) state;

    ig_audit_empty(&a);

    return 0;
}


static void
start_again(void)
{
    ig_audit_empty(&a);
    ig_audit_init(&a);
}


/* The copy is tampered with, and this is said of it. */
static void
must_tell(ig_audit_file_t copy, const char *words)
{
    ig_audit_expect(&copy, 1, IG_VERIFY_TAMPERED, &verdict);
    free(copy.data);

    if (strstr(verdict.text, words) == NULL) {
        fail_msg("no \"%s\" in:\n%s", words, verdict.text);
    }
}


/* One finding, on this line of the file (from 1), with these words. */
static void
only_finding(unsigned n, const char *words)
{
    char  start[128];

    snprintf(start, sizeof(start), "0:%u: tampered: %s", n, words);

    if (strncmp(verdict.text, start, strlen(start)) != 0
        || verdict.count[IG_FINDING_TAMPERED] != 1)
    {
        fail_msg("\"%s\" is not the only finding of:\n%s", start,
                 verdict.text);
    }
}


/* -- what successors reveal ---------------------------------------------- */

/* A first generation of 4 lines and a close, a second that names it. */
static void
begin_generations(bool closed)
{
    start_again();

    ig_audit_start(&w, &a, 0, 1, NULL, SIZE_MAX);

    while (w.chain.issued < 4) {
        ig_audit_line(&w);
        ig_audit_write(&w, SIZE_MAX);
    }

    if (closed) {
        ig_audit_close(&w);
    }

    ig_audit_whole(&a, 0, 2, &w.chain, 2, NULL);
}


static void
test_successor(void **state)
{
    unsigned  n, closed;

    (void) state;

    for (closed = 0; closed <= 1; closed++) {
        begin_generations(closed);
        ig_audit_expect(a.file, 1, IG_VERIFY_CLEAN, &verdict);

        /* the end of the first generation, cut off line by line */

        for (n = 1; n < 4 + closed; n++) {
            must_tell(ig_audit_replace(a.file, 4 + closed - n, n, ig_str("")),
                      "but its successor saw line");
        }
    }

    /* the last line forged, with a hash that fits */

    begin_generations(false);
    must_tell(ig_audit_forge(a.file, 3, ":201", ":403"),
              "gives another hash for it");
    assert_int_equal(verdict.count[IG_FINDING_TAMPERED], 1);
}


/* The same where the two generations stand in different files. */
static void
test_successor_elsewhere(void **state)
{
    unsigned         order;
    ig_audit_file_t  file[2];

    (void) state;

    for (order = 0; order < 2; order++) {
        start_again();
        ig_audit_start(&w, &a, 0, 1, NULL, SIZE_MAX);
        ig_audit_line(&w);
        ig_audit_write(&w, SIZE_MAX);
        ig_audit_rotate(&a);
        ig_audit_whole(&a, 0, 2, &w.chain, 2, NULL);

        file[order] = a.file[0];
        file[1 - order] = a.file[1];
        ig_audit_expect(file, 2, IG_VERIFY_CLEAN, &verdict);

        file[order] = ig_audit_forge(a.file, 1, ":201", ":403");
        ig_audit_expect(file, 2, IG_VERIFY_TAMPERED, &verdict);
        assert_non_null(strstr(verdict.text, "gives another hash for it"));
        free(file[order].data);

        file[order] = ig_audit_replace(a.file, 1, 1, ig_str(""));
        ig_audit_expect(file, 2, IG_VERIFY_TAMPERED, &verdict);
        assert_non_null(strstr(verdict.text, "but its successor saw line 2"));
        free(file[order].data);
    }
}


/* -- what other chains reveal -------------------------------------------- */

/* Two workers over two files; both write a line in each. */
static void
begin_files(void)
{
    unsigned                   i;
    static ig_audit_worker_t   other;
    ig_audit_worker_t         *both[] = { &w, &other };

    start_again();

    for (i = 0; i < 2; i++) {
        ig_audit_start(both[i], &a, i, 1, NULL, SIZE_MAX);
        ig_audit_line(both[i]);
        ig_audit_segment(both[i], false);
        ig_audit_write(both[i], SIZE_MAX);
    }

    ig_audit_rotate(&a);

    for (i = 0; i < 2; i++) {
        ig_audit_segment(both[i], true);
        ig_audit_write(both[i], SIZE_MAX);
        ig_audit_close(both[i]);
    }
}


/* One worker's lines removed from the older file, where the other's stand. */
static void
test_gone_from_the_file_before(void **state)
{
    ig_audit_file_t  file[2];

    (void) state;

    begin_files();
    ig_audit_expect(a.file, 2, IG_VERIFY_CLEAN, &verdict);
    ig_audit_expect(&a.file[1], 1, IG_VERIFY_CLEAN, &verdict);

    file[0] = ig_audit_replace(&a.file[0], 3, 3, ig_str(""));
    file[1] = a.file[1];
    ig_audit_expect(file, 2, IG_VERIFY_TAMPERED, &verdict);
    assert_non_null(strstr(verdict.text, "1:3: tampered: the 3 lines before"
                           " this one are missing, also from the file before"));
    free(file[0].data);
}


/* A worker's lines of both files exchanged: files have one order. */
static void
test_moved_between_files(void **state)
{
    ig_str_t         one, two;
    ig_audit_file_t  file[2];

    (void) state;

    begin_files();
    one.data = ig_audit_get(&a.file[0], 3).data;
    one.len = (size_t) (a.file[0].data + a.file[0].len - one.data);
    two.data = ig_audit_get(&a.file[1], 2).data;
    two.len = (size_t) (a.file[1].data + a.file[1].len - two.data);

    file[0] = ig_audit_replace(&a.file[0], 3, 3, two);
    file[1] = ig_audit_replace(&a.file[1], 2, 2, one);
    ig_audit_expect(file, 2, IG_VERIFY_TAMPERED, &verdict);
    assert_non_null(strstr(verdict.text, "lines were moved"));
    free(file[0].data);
    free(file[1].data);
}


/* -- chains that contradict themselves ----------------------------------- */

static void
one_line(void)
{
    ig_audit_line(&w);
    ig_audit_write(&w, SIZE_MAX);
}


/* "dropped" with nothing missing: chain_close knows that none was lost. */
static void
test_false_loss(void **state)
{
    (void) state;

    start_again();
    ig_audit_start(&w, &a, 0, 1, NULL, SIZE_MAX);
    w.chain.dropped = 1;
    w.chain.issued++;
    one_line();
    ig_audit_expect(a.file, 1, IG_VERIFY_EXPLAINED, &verdict);

    ig_audit_close(&w);
    ig_audit_expect(a.file, 1, IG_VERIFY_TAMPERED, &verdict);
    assert_non_null(strstr(verdict.text, "chain_close counts 4 lines, 0 of"));
}


static void
test_after_close(void **state)
{
    (void) state;

    ig_audit_start(&w, &a, 0, 1, NULL, SIZE_MAX);
    ig_audit_close(&w);
    one_line();
    ig_audit_expect(a.file, 1, IG_VERIFY_TAMPERED, &verdict);
    only_finding(3, "a line after the chain was closed");
}


static void
test_wrong_beginnings(void **state)
{
    (void) state;

    /* nothing before, and yet the fourth line */

    start_again();
    ig_audit_start(&w, &a, 0, 1, NULL, 0);
    w.chain.dropped = 0;
    w.chain.issued = 3;
    one_line();
    ig_audit_expect(a.file, 1, IG_VERIFY_TAMPERED, &verdict);
    only_finding(1, "lines 1 to 3 of the chain are missing");

    /* the first line opens nothing */

    start_again();
    ig_audit_start(&w, &a, 0, 1, NULL, 0);
    w.chain.dropped = 0;
    w.chain.issued = 0;
    one_line();
    ig_audit_expect(a.file, 1, IG_VERIFY_TAMPERED, &verdict);
    only_finding(1, "the chain begins without a chain_open");

    /* the first line follows another */

    start_again();
    ig_audit_start(&w, &a, 0, 1, NULL, 0);
    w.chain.dropped = 0;
    w.chain.issued = 0;
    w.chain.last[0] = 1;
    one_line();
    ig_audit_expect(a.file, 1, IG_VERIFY_TAMPERED, &verdict);
    only_finding(1, "the first line of its chain refers to one before");
}


static void
test_opened_twice(void **state)
{
    char      memory[IG_LINE_MAX];
    uint8_t   prev[IG_SHA256], policy[IG_SHA256] = { 0 };
    ig_buf_t  b;

    (void) state;

    start_again();
    ig_audit_start(&w, &a, 0, 1, NULL, SIZE_MAX);

    memcpy(prev, w.chain.last, IG_SHA256);
    ig_buf_init(&b, memory, sizeof(memory));
    ig_chain_open_line(&b, NULL, 0, a.time, ig_str("edge-1"), ig_str("1.0"),
                       policy);
    ig_chain_seal(&w.chain, &b, prev);
    ig_audit_add(&a, memory, ig_buf_str(&b).len);

    ig_audit_expect(a.file, 1, IG_VERIFY_TAMPERED, &verdict);
    only_finding(2, "a chain_open in the middle of its chain");
}


/* A successor that saw a close which is not there. */
static void
test_false_witness(void **state)
{
    (void) state;

    start_again();
    ig_audit_start(&w, &a, 0, 1, NULL, SIZE_MAX);
    one_line();
    ig_chain_closed(&w.chain);
    ig_audit_whole(&a, 0, 2, &w.chain, 2, NULL);

    ig_audit_expect(a.file, 1, IG_VERIFY_TAMPERED, &verdict);
    only_finding(2, "its successor found the chain closed at line 2");
}


#define TEST(name)  cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest  tests[] = {
        TEST(test_successor),
        TEST(test_successor_elsewhere),
        TEST(test_gone_from_the_file_before),
        TEST(test_moved_between_files),
        TEST(test_false_loss),
        TEST(test_after_close),
        TEST(test_wrong_beginnings),
        TEST(test_opened_twice),
        TEST(test_false_witness)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
