/*
 * test_ig_verify_crash.c: logs that honest processes leave behind when they are
 * killed, when power fails and when a file is truncated while it is written:
 * none of them is called tampered with, unless lines are gone.
 * Owns nothing.  Run by the unit tests' runner.
 */

#include "ig_audit_case.h"

#include <stdlib.h>
#include <string.h>

static ig_audit_t          a;
static ig_audit_verdict_t  verdict;
static ig_audit_worker_t   w, w2;


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
lines(ig_audit_worker_t *worker, unsigned n)
{
    while (n-- > 0) {
        ig_audit_line(worker);
    }

    ig_audit_write(worker, SIZE_MAX);
}


static void
expect(ig_verify_result_e result, const char *text)
{
    ig_audit_expect(a.file, a.nfiles, result, &verdict);

    if (text != NULL && strstr(verdict.text, text) == NULL) {
        fail_msg("no \"%s\" in:\n%s", text, verdict.text);
    }
}


static void
add_zeros(size_t n)
{
    char  *zeros;

    zeros = calloc(1, n);
    ig_audit_add(&a, zeros, n);
    free(zeros);
}


/* -- pieces ---------------------------------------------------------------- */

/* Power fails while a chain writes its very first line: nobody knows it. */
static void
test_first_line_torn(void **state)
{
    size_t           len;
    ig_audit_file_t  cut;

    (void) state;

    ig_audit_whole(&a, 0, 1, NULL, 2, NULL);
    len = a.file[0].len;
    ig_audit_start(&w, &a, 0, 2, NULL, SIZE_MAX);

    for (cut = a.file[0]; cut.len > len; cut.len--) {
        ig_audit_verify(&cut, 1, 4096, &verdict);
        assert_int_equal(verdict.summary.result,
                         cut.len + 1 < a.file[0].len ? IG_VERIFY_TORN
                                                     : IG_VERIFY_CLEAN);
    }

    /* and the next life goes on behind it */

    a.file[0].len -= 60;
    ig_audit_add(&a, "\n", 1);
    ig_audit_whole(&a, 0, 3, NULL, 2, NULL);
    expect(IG_VERIFY_TORN, "a line breaks off after");
}


/* An old worker dies in a write after a reload: its successor has spoken. */
static void
test_killed_after_its_successor_began(void **state)
{
    unsigned  more;

    (void) state;

    for (more = 0; more <= 1; more++) {
        ig_audit_empty(&a);
        ig_audit_init(&a);
        ig_audit_start(&w, &a, 0, 1, NULL, SIZE_MAX);
        lines(&w, 3);
        ig_audit_start(&w2, &a, 0, 2, &w.chain, SIZE_MAX);
        lines(&w, more);
        ig_audit_line(&w);
        ig_audit_crash(&w, 200);
        ig_audit_add(&a, "\n", 1);
        lines(&w2, 2);
        ig_audit_close(&w2);
        expect(IG_VERIFY_TORN, more ? "may still be finishing"
                                    : "its last line when its successor");
    }
}


/* Megabytes of zeros, in one line or as a line of their own. */
static void
test_many_zeros(void **state)
{
    unsigned  piece;

    (void) state;

    for (piece = 0; piece <= 1; piece++) {
        ig_audit_empty(&a);
        ig_audit_init(&a);
        ig_audit_start(&w, &a, 0, 1, NULL, SIZE_MAX);
        lines(&w, 2);
        ig_audit_line(&w);
        ig_audit_crash(&w, piece * 100);
        add_zeros(3 * 1024 * 1024);

        ig_audit_verify(a.file, 1, 4096, &verdict);
        assert_int_equal(verdict.summary.result, IG_VERIFY_TORN);
        expect(IG_VERIFY_TORN, "0:4: torn: a line breaks off");

        ig_audit_add(&a, "\n", 1);
        ig_audit_whole(&a, 0, 2, NULL, 2, NULL);
        ig_audit_verify(a.file, 1, 4096, &verdict);
        assert_int_equal(verdict.summary.result, IG_VERIFY_TORN);
        expect(IG_VERIFY_TORN, "0:3: torn: the chain ends here");
    }

    /* with something behind them it is no write that was cut short */

    add_zeros(1024 * 1024);
    ig_audit_add(&a, "x", 1);
    ig_audit_verify(a.file, 1, 4096, &verdict);
    assert_int_equal(verdict.summary.result, IG_VERIFY_TAMPERED);
}


/* A loss that the chain explains does not explain the file's torn end. */
static void
test_a_loss_and_a_torn_end(void **state)
{
    (void) state;

    ig_audit_start(&w, &a, 0, 1, NULL, SIZE_MAX);
    ig_audit_line(&w);
    ig_audit_write(&w, 0);
    lines(&w, 2);
    expect(IG_VERIFY_EXPLAINED, "1 line before this one");

    ig_audit_line(&w);
    ig_audit_crash(&w, 100);
    expect(IG_VERIFY_TORN, "a line breaks off after 100 bytes");

    /* but the loss which the next file tells of does */

    ig_audit_rotate(&a);
    ig_chain_lost(&w.chain, 1);
    ig_audit_segment(&w, true);
    ig_audit_write(&w, SIZE_MAX);
    expect(IG_VERIFY_EXPLAINED, "1:2: gap: 1 line before this one");
}


/* -- generations ----------------------------------------------------------- */

/* A binary upgrade: the new workers know of no predecessor, both go on. */
static void
test_two_generations_at_once(void **state)
{
    (void) state;

    ig_audit_start(&w, &a, 0, 1, NULL, SIZE_MAX);
    lines(&w, 2);
    ig_audit_start(&w2, &a, 0, 2, NULL, SIZE_MAX);
    expect(IG_VERIFY_TORN, "0:3: torn: the chain ends here");

    lines(&w, 1);
    lines(&w2, 1);
    expect(IG_VERIFY_CLEAN, "0:5: note: not closed yet");

    ig_audit_close(&w);
    lines(&w2, 1);
    expect(IG_VERIFY_CLEAN, "note: not closed yet");
    assert_int_equal(verdict.count[IG_FINDING_NOTE], 1);
}


/* A whole chain removed: its successor knows that it wrote to this file. */
static void
test_a_removed_generation(void **state)
{
    unsigned          from, n;
    ig_chain_t        left;
    ig_audit_file_t   copy;

    (void) state;

    ig_audit_whole(&a, 0, 1, NULL, 2, &left);
    from = ig_audit_count(a.file);
    ig_audit_whole(&a, 0, 2, &left, 2, &left);
    n = ig_audit_count(a.file) - from;
    ig_audit_whole(&a, 0, 3, &left, 2, NULL);
    expect(IG_VERIFY_CLEAN, NULL);

    copy = ig_audit_replace(a.file, from, n, ig_str(""));
    ig_audit_expect(&copy, 1, IG_VERIFY_TAMPERED, &verdict);
    assert_non_null(strstr(verdict.text, "0:5: tampered: its predecessor"
                           " edge-1/0/0000000000000002 wrote to this file"));
    free(copy.data);

    /* in a file that was not given, it is nobody's fault */

    ig_audit_empty(&a);
    ig_audit_init(&a);
    ig_audit_whole(&a, 0, 1, NULL, 2, &left);
    ig_audit_rotate(&a);
    ig_audit_whole(&a, 0, 2, &left, 2, NULL);
    ig_audit_expect(&a.file[1], 1, IG_VERIFY_CLEAN, &verdict);
    assert_non_null(strstr(verdict.text, "is in files that were not given"));
}


/* -- truncation ------------------------------------------------------------ */

static void
truncated_start(ig_audit_worker_t *worker)
{
    char      memory[IG_LINE_MAX];
    uint8_t   prev[IG_SHA256];
    ig_buf_t  b;

    memcpy(prev, worker->chain.last, IG_SHA256);
    ig_buf_init(&b, memory, sizeof(memory));
    ig_chain_segment_line(&b, true, 1234, a.time, ig_str("edge-1"));
    ig_chain_seal(&worker->chain, &b, prev);
    ig_audit_add(&a, memory, ig_buf_str(&b).len);
    ig_chain_written(&worker->chain, worker->chain.issued, prev);
}


/* copytruncate: named, and lines that it lost are missed. */
static void
test_copied_and_truncated(void **state)
{
    unsigned  i, idle, lost;

    (void) state;

    for (i = 0; i < 4; i++) {
        idle = i / 2;
        lost = i % 2;

        ig_audit_empty(&a);
        ig_audit_init(&a);
        ig_audit_start(&w, &a, 0, 1, NULL, SIZE_MAX);
        lines(&w, 2);
        ig_audit_rotate(&a);

        /* written after the copy was made, and gone with the truncation */

        lines(&w, lost);
        a.file[1].len = 0;

        /* the writer needs a moment to see it, unless it was idle */

        lines(&w, 1 - idle);
        truncated_start(&w);
        lines(&w, 1);

        if (lost) {
            expect(IG_VERIFY_TAMPERED, "line 4 of the chain is missing");
        } else {
            expect(IG_VERIFY_CLEAN, NULL);
        }

        assert_non_null(strstr(verdict.text, "1:1: note: the chain goes on"
                               " here without a rotation: the file was copied"
                               " and truncated; lines"));
        assert_non_null(strstr(verdict.text, idle
                               ? "1:1: note: somebody cut 1234 bytes off this"
                               : "1:2: note: somebody cut 1234 bytes off this"));

        /* without the copy */

        ig_audit_expect(&a.file[1], 1, IG_VERIFY_TAMPERED, &verdict);
        assert_non_null(strstr(verdict.text, lost ? "lines 1 to 4"
                                                  : "lines 1 to 3"));
        assert_non_null(strstr(verdict.text, idle
                               ? "the file was truncated, as line 1 of it says"
                               : "the file was truncated, as line 2 of it"));
    }
}


#define TEST(name)  cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest  tests[] = {
        TEST(test_first_line_torn),
        TEST(test_killed_after_its_successor_began),
        TEST(test_many_zeros),
        TEST(test_a_loss_and_a_torn_end),
        TEST(test_two_generations_at_once),
        TEST(test_a_removed_generation),
        TEST(test_copied_and_truncated)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
