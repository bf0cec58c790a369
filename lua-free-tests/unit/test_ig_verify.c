/*
 * test_ig_verify.c: what the verifier says of whole logs, of what workers
 * leave behind when disks are full and processes die, and of what somebody
 * did to a log afterwards.
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
add(const char *text)
{
    ig_audit_add(&a, text, strlen(text));
}


static void
expect(ig_verify_result_e result, const char *text)
{
    ig_audit_expect(a.file, a.nfiles, result, &verdict);

    if (text != NULL && strstr(verdict.text, text) == NULL) {
        fail_msg("no \"%s\" in:\n%s", text, verdict.text);
    }
}


/* -- logs as they should be ---------------------------------------------- */

static void
test_closed(void **state)
{
    (void) state;

    ig_audit_whole(&a, 0, 1, NULL, 5, NULL);
    expect(IG_VERIFY_CLEAN, NULL);

    assert_string_equal(verdict.text, "");
    assert_int_equal(verdict.summary.lines, 7);
    assert_int_equal(verdict.summary.chains, 1);
    assert_int_equal(verdict.summary.files, 1);
    assert_int_equal(verdict.summary.lost, 0);
    assert_int_equal(verdict.summary.torn, 0);
}


static void
test_open(void **state)
{
    (void) state;

    ig_audit_start(&w, &a, 0, 1, NULL, SIZE_MAX);
    lines(&w, 3);
    expect(IG_VERIFY_CLEAN, "0:4: note: not closed yet");
}


static void
test_interleaved(void **state)
{
    unsigned  i;

    (void) state;

    ig_audit_start(&w, &a, 0, 1, NULL, SIZE_MAX);
    ig_audit_start(&w2, &a, 1, 1, NULL, SIZE_MAX);

    for (i = 0; i < 10; i++) {
        lines(&w, 1 + i % 3);
        lines(&w2, 1);
    }

    ig_audit_close(&w);
    ig_audit_close(&w2);
    expect(IG_VERIFY_CLEAN, NULL);
    assert_int_equal(verdict.summary.chains, 2);
    assert_string_equal(verdict.text, "");
}


/* A reload: the new worker begins while the old one is still finishing. */
static void
test_generations(void **state)
{
    (void) state;

    ig_audit_start(&w, &a, 0, 1, NULL, SIZE_MAX);
    lines(&w, 3);
    ig_audit_start(&w2, &a, 0, 2, &w.chain, SIZE_MAX);
    lines(&w2, 2);
    expect(IG_VERIFY_CLEAN, NULL);

    lines(&w, 1);
    expect(IG_VERIFY_CLEAN, "may still be finishing");

    ig_audit_close(&w);
    lines(&w2, 1);
    expect(IG_VERIFY_CLEAN, NULL);

    ig_audit_close(&w2);
    ig_audit_whole(&a, 0, 3, &w2.chain, 1, NULL);
    expect(IG_VERIFY_CLEAN, NULL);
    assert_string_equal(verdict.text, "");
    assert_int_equal(verdict.summary.chains, 3);
}


static void
test_rotation(void **state)
{
    ig_audit_file_t  shuffled[3];

    (void) state;

    ig_audit_start(&w, &a, 0, 1, NULL, SIZE_MAX);
    ig_audit_start(&w2, &a, 1, 1, NULL, SIZE_MAX);
    lines(&w, 3);
    lines(&w2, 3);

    while (a.nfiles < 3) {
        ig_audit_segment(&w, false);
        ig_audit_segment(&w2, false);
        ig_audit_write(&w, SIZE_MAX);
        ig_audit_write(&w2, SIZE_MAX);
        ig_audit_rotate(&a);
        ig_audit_segment(&w, true);
        lines(&w, 2);
        ig_audit_segment(&w2, true);
        lines(&w2, 2);
    }

    ig_audit_close(&w);
    ig_audit_close(&w2);

    expect(IG_VERIFY_CLEAN, NULL);
    assert_string_equal(verdict.text, "");
    assert_int_equal(verdict.summary.files, 3);

    /* in any order */

    shuffled[0] = a.file[2];
    shuffled[1] = a.file[0];
    shuffled[2] = a.file[1];
    ig_audit_expect(shuffled, 3, IG_VERIFY_CLEAN, &verdict);
    assert_string_equal(verdict.text, "");

    /* the newest alone, the oldest alone: notes, no more */

    ig_audit_expect(&a.file[2], 1, IG_VERIFY_CLEAN, &verdict);
    assert_int_equal(verdict.count[IG_FINDING_NOTE], 2);
    assert_non_null(strstr(verdict.text, "are in files that were not given"));

    ig_audit_expect(&a.file[0], 1, IG_VERIFY_CLEAN, &verdict);
    assert_int_equal(verdict.count[IG_FINDING_NOTE], 2);
    assert_non_null(strstr(verdict.text, "goes on in a file"));

    /* without the middle one, or one of them twice */

    shuffled[1] = a.file[0];
    ig_audit_expect(shuffled, 2, IG_VERIFY_TAMPERED, &verdict);
    assert_int_equal(verdict.count[IG_FINDING_TAMPERED], 2);
    assert_non_null(strstr(verdict.text, "of the chain are missing"));

    shuffled[2] = a.file[0];
    ig_audit_expect(shuffled + 1, 2, IG_VERIFY_TAMPERED, &verdict);
    assert_non_null(strstr(verdict.text, "given twice"));
}


static void
test_pieces(void **state)
{
    size_t              piece;
    ig_audit_verdict_t  again;

    (void) state;

    ig_audit_whole(&a, 0, 1, NULL, 3, NULL);
    add("rubbish\n\n");
    ig_audit_whole(&a, 1, 1, NULL, 1, NULL);
    a.file[0].data[700] ^= 1;

    expect(IG_VERIFY_TAMPERED, NULL);

    for (piece = 1; piece < 40; piece++) {
        ig_audit_verify(a.file, 1, piece, &again);
        assert_int_equal(again.summary.result, IG_VERIFY_TAMPERED);
        assert_string_equal(again.text, verdict.text);
    }
}


/* -- what disks and crashes do ------------------------------------------- */

static void
test_dropped(void **state)
{
    (void) state;

    ig_audit_start(&w, &a, 0, 1, NULL, SIZE_MAX);
    lines(&w, 2);
    ig_audit_line(&w);
    ig_audit_line(&w);
    ig_audit_write(&w, 0);
    lines(&w, 2);
    expect(IG_VERIFY_EXPLAINED, "0:4: gap: 2 lines before this one could not");
    assert_int_equal(verdict.summary.lost, 2);

    /* also at the very beginning, and right before the close */

    ig_audit_line(&w);
    ig_audit_write(&w, 0);
    ig_audit_close(&w);
    ig_audit_start(&w, &a, 1, 1, NULL, 0);
    lines(&w, 1);
    ig_audit_close(&w);
    expect(IG_VERIFY_EXPLAINED, NULL);
    assert_int_equal(verdict.count[IG_FINDING_GAP], 3);
    assert_int_equal(verdict.summary.lost, 4);
}


/* A write of three lines is cut after every possible number of bytes. */
static void
test_short_write(void **state)
{
    size_t  room, size;

    (void) state;

    for (room = 0; ; room++) {
        ig_audit_start(&w, &a, 0, 1, NULL, SIZE_MAX);
        ig_audit_line(&w);
        ig_audit_line(&w);
        ig_audit_line(&w);
        size = w.len;
        ig_audit_write(&w, room);
        lines(&w, 2);
        ig_audit_close(&w);

        if (room >= size) {
            expect(IG_VERIFY_CLEAN, NULL);
            break;
        }

        expect(IG_VERIFY_EXPLAINED, NULL);
        assert_int_equal(verdict.count[IG_FINDING_GAP], 1);
        assert_in_range(verdict.summary.lost, 1, 3);
        assert_true(verdict.summary.torn <= 1);

        ig_audit_empty(&a);
        ig_audit_init(&a);
    }
}


/* The same, and another worker's line is glued to what is left. */
static void
test_glued(void **state)
{
    size_t  room, size;

    (void) state;

    for (room = 1; ; room++) {
        ig_audit_start(&w, &a, 0, 1, NULL, SIZE_MAX);
        ig_audit_start(&w2, &a, 1, 1, NULL, SIZE_MAX);
        ig_audit_line(&w);
        size = w.len;

        if (room == size) {
            break;
        }

        ig_audit_write(&w, room);
        lines(&w2, 1);
        lines(&w, 1);
        ig_audit_close(&w);
        ig_audit_close(&w2);

        /* without its newline a line is whole, but glued it is torn */

        expect(IG_VERIFY_EXPLAINED, "0:3: torn: a line breaks off after");
        assert_int_equal(verdict.summary.lost, 1);
        assert_int_equal(verdict.summary.torn, 1);

        ig_audit_empty(&a);
        ig_audit_init(&a);
    }
}


static void
test_two_glued(void **state)
{
    (void) state;

    ig_audit_start(&w, &a, 0, 1, NULL, SIZE_MAX);
    ig_audit_start(&w2, &a, 1, 1, NULL, SIZE_MAX);
    ig_audit_line(&w);
    ig_audit_write(&w, 50);
    ig_audit_line(&w2);
    ig_audit_write(&w2, 60);
    ig_audit_whole(&a, 2, 1, NULL, 1, NULL);
    ig_audit_close(&w);
    ig_audit_close(&w2);
    expect(IG_VERIFY_EXPLAINED, "a line breaks off after 110 bytes");
    assert_int_equal(verdict.summary.torn, 2);
    assert_int_equal(verdict.summary.lost, 2);
}


/* A worker is killed while it writes; its successor saw what it had. */
static void
test_crash(void **state)
{
    size_t  room, size;

    (void) state;

    for (room = 0; ; room++) {
        ig_audit_start(&w, &a, 0, 1, NULL, SIZE_MAX);
        lines(&w, 2);
        ig_audit_line(&w);
        ig_audit_line(&w);
        size = w.len;
        ig_audit_crash(&w, room);
        ig_audit_whole(&a, 0, 2, &w.chain, 2, NULL);

        if (room == size) {
            expect(IG_VERIFY_CLEAN, "but this was its last line when its successor");
            break;
        }

        expect(IG_VERIFY_EXPLAINED, "as its successor says");
        assert_in_range(verdict.summary.lost, 1, 2);

        ig_audit_empty(&a);
        ig_audit_init(&a);
    }
}


/* Power fails: the successor starts with empty memory. */
static void
test_power_failure(void **state)
{
    (void) state;

    ig_audit_start(&w, &a, 0, 1, NULL, SIZE_MAX);
    lines(&w, 2);
    ig_audit_line(&w);
    ig_audit_crash(&w, 100);
    expect(IG_VERIFY_TORN, "0:4: torn: a line breaks off after 100 bytes");

    ig_audit_whole(&a, 0, 2, NULL, 2, NULL);
    expect(IG_VERIFY_TORN, "0:3: torn: the chain ends here without");

    /* also where it failed between two lines */

    ig_audit_empty(&a);
    ig_audit_init(&a);
    ig_audit_start(&w, &a, 0, 1, NULL, SIZE_MAX);
    lines(&w, 2);
    ig_audit_whole(&a, 0, 2, NULL, 2, NULL);
    expect(IG_VERIFY_TORN, "0:3: torn: the chain ends here without");

    /* zeros, as some file systems leave them */

    ig_audit_empty(&a);
    ig_audit_init(&a);
    ig_audit_start(&w, &a, 0, 1, NULL, SIZE_MAX);
    lines(&w, 2);
    ig_audit_add(&a, "\0\0\0\0\0\0", 6);
    expect(IG_VERIFY_TORN, "0:4: torn: a line breaks off after 6 bytes");

    ig_audit_whole(&a, 0, 2, NULL, 2, NULL);
    expect(IG_VERIFY_TORN, "0:4: torn: a line breaks off after 6 bytes");

    /* but nobody leaves two where one was writing */

    add("\n{\"v\":1,\"kind\":\"outcome\",\n");
    add("{\"v\":1,\"kind\":\"outcome\",\n");
    expect(IG_VERIFY_TAMPERED, "3 lines break off, but the chains account for"
                               " no more than 2");
}


/* Several logs of one worker are no generations of each other. */
static void
test_two_logs(void **state)
{
    (void) state;

    ig_audit_start(&w, &a, 0, 1, NULL, SIZE_MAX);
    lines(&w, 2);
    ig_audit_rotate(&a);
    ig_audit_start(&w2, &a, 0, 2, NULL, SIZE_MAX);
    lines(&w2, 2);
    expect(IG_VERIFY_CLEAN, NULL);
    assert_int_equal(verdict.count[IG_FINDING_NOTE], 2);
}


/* A predecessor whose disk was full from its first line to its last. */
static void
test_silent_predecessor(void **state)
{
    ig_chain_t  silent;

    (void) state;

    ig_chain_init(&silent, ig_str("edge-1"), 0, (const uint8_t *) "01234567");
    ig_audit_whole(&a, 0, 1, &silent, 1, NULL);
    expect(IG_VERIFY_CLEAN, NULL);
    assert_string_equal(verdict.text, "");

    silent.issued = 5;
    ig_audit_whole(&a, 1, 1, &silent, 1, NULL);
    expect(IG_VERIFY_EXPLAINED, "could write none of its 5 lines");

    silent.written = 4;
    ig_audit_whole(&a, 2, 1, &silent, 1, NULL);
    expect(IG_VERIFY_EXPLAINED, "is in files that were not given");
}


/* -- what is no audit log ------------------------------------------------ */

static void
test_unverifiable(void **state)
{
    (void) state;

    expect(IG_VERIFY_UNVERIFIABLE, NULL);

    add("\n");
    expect(IG_VERIFY_UNVERIFIABLE, NULL);

    add("127.0.0.1 - - [23/Nov/2026]\n{\"v\":1}\n{}\n[1]\n");
    expect(IG_VERIFY_UNVERIFIABLE, "0:2: unverifiable: 4 lines of no chain");

    add("{\"v\":2,\"kind\":\"decision\"}\n");
    expect(IG_VERIFY_UNVERIFIABLE,
           "0:6: unverifiable: a line of a version that is not known");

    /* next to a good chain, an unknown version is still unverifiable */

    ig_audit_empty(&a);
    ig_audit_init(&a);
    ig_audit_whole(&a, 0, 1, NULL, 2, NULL);
    add("{\"v\":2,\"kind\":\"decision\"}\n");
    expect(IG_VERIFY_UNVERIFIABLE, NULL);

    /* and a line of no chain is an intruder */

    add("{\"v\":1,\"kind\":\"decision\"}\n");
    expect(IG_VERIFY_TAMPERED, "0:6: tampered: 1 line of no chain");
}


/* No writer writes such a line, so nothing in it counts. */
static void
test_overlong(void **state)
{
    char      *line;
    size_t     len;
    ig_str_t   good;

    (void) state;

    ig_audit_whole(&a, 0, 1, NULL, 2, NULL);
    good = ig_audit_get(a.file, 1);

    len = 200000;
    line = malloc(len);
    memset(line, 'x', len);
    memcpy(line + len - good.len, good.data, good.len);

    ig_audit_add(&a, line, len);
    ig_audit_whole(&a, 1, 1, NULL, 2, NULL);
    free(line);

    ig_audit_verify(a.file, 1, 4096, &verdict);
    assert_int_equal(verdict.summary.result, IG_VERIFY_TAMPERED);
    assert_int_equal(verdict.count[IG_FINDING_TAMPERED], 1);
    assert_non_null(strstr(verdict.text, "0:5: tampered: 1 line of no chain"));
    assert_int_equal(verdict.summary.chains, 2);
    assert_int_equal(verdict.summary.lines, 8);
}


static void
test_names(void **state)
{
    (void) state;

    assert_true(ig_str_eq(ig_verify_result_name(IG_VERIFY_CLEAN),
                          ig_str("clean")));
    assert_true(ig_str_eq(ig_verify_result_name(IG_VERIFY_UNVERIFIABLE),
                          ig_str("unverifiable")));
    assert_true(ig_str_eq(ig_finding_name(IG_FINDING_UNVERIFIABLE),
                          ig_str("unverifiable")));
}


#define TEST(name)  cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest  tests[] = {
        TEST(test_closed),
        TEST(test_open),
        TEST(test_interleaved),
        TEST(test_generations),
        TEST(test_rotation),
        TEST(test_pieces),
        TEST(test_dropped),
        TEST(test_short_write),
        TEST(test_glued),
        TEST(test_two_glued),
        TEST(test_crash),
        TEST(test_power_failure),
        TEST(test_two_logs),
        TEST(test_silent_predecessor),
        TEST(test_unverifiable),
        TEST(test_overlong),
        TEST(test_names)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
