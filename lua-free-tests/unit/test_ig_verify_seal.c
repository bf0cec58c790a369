/*
 * test_ig_verify_seal.c: logs held against checkpoints: in any order of
 * files, with lines, chains and checkpoints taken away, and without memory.
 * Owns: the checkpoints.  Run by the unit tests' runner.
 */

#include "ig_audit_case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ig_verify_seal.h"

#define LINES  64

static ig_audit_t                a;
static ig_audit_worker_t         w, w2;
static ig_sign_private_t         key;
static ig_checkpoint_state_t     now;
static char                     *line[LINES];
static unsigned                  nlines, given;
static char                      text[16384];
static ig_verify_seal_summary_t  seal_summary;


static int
setup(void **state)
{
    uint8_t  seed[IG_SIGN_KEY] = { 1 };

    (void) state;

    ig_audit_init(&a);
    memset(&now, 0, sizeof(now));
    nlines = 0;

    return ig_sign_private(&key, seed);
}


static int
teardown(void **state)
{
    (void) state;

    ig_audit_empty(&a);

    while (nlines > 0) {
        free(line[--nlines]);
    }

    return 0;
}


/*
 * Seals the present file as far as these workers have written it; without
 * any, a heartbeat.
 */
static void
seal(const ig_audit_worker_t *one, const ig_audit_worker_t *two)
{
    unsigned                  i;
    char                      memory[8192];
    ig_buf_t                  b;
    ig_checkpoint_log_t       log;
    ig_checkpoint_chain_t     chain;
    const ig_audit_worker_t  *worker[] = { one, two };

    memset(&log, 0, sizeof(log));
    log.file = ig_str("audit.log");
    log.segment = a.nfiles;
    log.bytes = a.file[a.nfiles - 1].len;

    ig_buf_init(&b, memory, sizeof(memory));
    ig_checkpoint_begin(&b, IG_CHECKPOINT_SEAL, &now, &key.open, a.time,
                        ig_str("edge-1"));
    ig_buf_lit(&b, ",\"log\":[");

    if (one != NULL) {
        ig_checkpoint_add_log(&b, &log);
    }

    for (i = 0; i < 2; i++) {
        if (worker[i] != NULL) {
            chain.id.data = worker[i]->chain.id;
            chain.id.len = worker[i]->chain.id_len;
            chain.seq = worker[i]->chain.written;
            chain.lost = 0;
            memcpy(chain.hash, worker[i]->chain.last, IG_SHA256);
            ig_checkpoint_add_chain(&b, &chain);
        }
    }

    if (one != NULL) {
        ig_checkpoint_end_log(&b);
    }

    ig_buf_char(&b, ']');
    assert_int_equal(ig_checkpoint_end(&b, &key), IG_OK);
    ig_checkpoint_written(&now, ig_buf_str(&b));
    b.pos[-1] = '\0';
    line[nlines++] = strdup(memory);
}


static int
source(void *ctx, ig_str_t *next)
{
    (void) ctx;

    while (given < nlines && line[given] == NULL) {
        given++;
    }

    if (given == nlines) {
        return IG_AGAIN;
    }

    next->data = line[given];
    next->len = strlen(line[given++]);

    return IG_OK;
}


static void
tell(void *ctx, const ig_finding_t *f)
{
    size_t  len;

    (void) ctx;

    len = strlen(text);
    (void) snprintf(text + len, sizeof(text) - len, "%d:%llu: %.*s: %.*s\n",
                    (int) f->file, (unsigned long long) f->line,
                    ig_fmt(ig_finding_name(f->kind)), ig_fmt(f->text));
}


/* Files in the order of these digits; -1: no memory. */
static int
verify(ig_mem_t *mem, const char *order)
{
    int                        rc;
    ig_verify_t               *v;
    ig_verify_seal_t          *s;
    ig_verify_summary_t        summary;
    ig_verify_seal_options_t   options = {
        &key.open, 1, 60000, INT64_MIN, source, NULL
    };

    text[0] = '\0';
    given = 0;
    v = ig_verify_create(mem, tell, NULL);
    s = v != NULL ? ig_verify_seal_create(mem, v, &options) : NULL;
    rc = s != NULL ? IG_OK : IG_NOMEM;

    for (; rc == IG_OK && *order != '\0'; order++) {
        rc = ig_verify_file(v);

        if (rc == IG_OK) {
            rc = ig_verify_feed(v, a.file[*order - '0'].data,
                                a.file[*order - '0'].len);
        }
    }

    if (rc == IG_OK) {
        rc = ig_verify_finish(v, &summary);
    }

    if (rc == IG_OK) {
        rc = ig_verify_seal_summary(s, &seal_summary);
    }

    assert_true(rc == IG_OK || rc == IG_NOMEM);

    return rc == IG_OK ? (int) summary.result : -1;
}


typedef struct {
    unsigned  left;
    unsigned  nblocks;
    void     *block[1024];
} few_t;


static void *
some_blocks(void *ctx, size_t size)
{
    few_t  *few = ctx;

    if (few->left == 0 || few->nblocks == ig_countof(few->block)) {
        return NULL;
    }

    few->left--;
    few->block[few->nblocks] = calloc(1, size);

    return few->block[few->nblocks++];
}


static unsigned  blocks;

static int
verify_with(unsigned n, const char *order)
{
    int       result;
    few_t     few = { n, 0, { NULL } };
    ig_mem_t  mem = { some_blocks, &few };

    result = verify(&mem, order);
    blocks = few.nblocks;

    while (few.nblocks > 0) {
        free(few.block[--few.nblocks]);
    }

    return result;
}


static void
expect(const char *order, ig_verify_result_e result, const char *words)
{
    if (verify_with(1024, order) != (int) result
        || (words != NULL && strstr(text, words) == NULL))
    {
        fail_msg("not %d with \"%s\" but:\n%s", (int) result,
                 words != NULL ? words : "", text);
    }
}


static void
some_lines(ig_audit_worker_t *worker, unsigned n)
{
    while (n-- > 0) {
        ig_audit_line(worker);
    }

    ig_audit_write(worker, SIZE_MAX);
}


/* Three segments of two chains, each sealed a few times. */
static void
history(void)
{
    unsigned  i, n;

    ig_audit_start(&w, &a, 0, 1, NULL, SIZE_MAX);
    ig_audit_start(&w2, &a, 1, 1, NULL, SIZE_MAX);

    for (i = 0; i < 3; i++) {

        if (i > 0) {
            ig_audit_segment(&w, false);
            ig_audit_segment(&w2, false);
            ig_audit_write(&w, SIZE_MAX);
            ig_audit_write(&w2, SIZE_MAX);
            seal(&w, &w2);
            ig_audit_rotate(&a);
            ig_audit_segment(&w, true);
            ig_audit_segment(&w2, true);
        }

        for (n = 0; n < 3; n++) {
            some_lines(&w, 3);
            some_lines(&w2, n == 1 ? 0 : 2);
            seal(&w, n == 1 ? NULL : &w2);
        }
    }
}


/* -- tests --------------------------------------------------------------- */

static void
test_any_order(void **state)
{
    size_t  i;

    static const char *const  orders[] = {
        "012", "021", "102", "120", "201", "210"
    };

    (void) state;

    history();

    for (i = 0; i < ig_countof(orders); i++) {
        expect(orders[i], IG_VERIFY_CLEAN, NULL);
        assert_null(strstr(text, "tampered"));
        assert_int_equal(seal_summary.checkpoints, nlines);
        assert_int_equal(seal_summary.unsealed, 0);
    }

    expect("12", IG_VERIFY_CLEAN, "1 older segment of audit.log is sealed");
    expect("2", IG_VERIFY_CLEAN, "2 older segments of audit.log are sealed");
    expect("01", IG_VERIFY_TAMPERED, "segment 3 of audit.log, of which");
    expect("02", IG_VERIFY_TAMPERED, "segment 2 of audit.log, of which");
    expect("", IG_VERIFY_UNVERIFIABLE, NULL);
}


/* Without any one line of the log, or any one but the last checkpoint. */
static void
test_one_less(void **state)
{
    char             *kept;
    unsigned          i, n;
    ig_audit_file_t   whole, less;

    (void) state;

    history();

    for (i = 0; i < 3; i++) {
        whole = a.file[i];

        for (n = 0; n < ig_audit_count(&whole); n++) {
            less = ig_audit_replace(&whole, n, 1, ig_str(""));
            a.file[i] = less;
            expect("012", IG_VERIFY_TAMPERED, NULL);
            free(less.data);
        }

        a.file[i] = whole;
    }

    for (i = 0; i + 1 < nlines; i++) {
        kept = line[i];
        line[i] = NULL;
        expect("012", IG_VERIFY_TAMPERED,
               i == 0 ? "the file begins with checkpoint 2" : "was removed");
        line[i] = kept;
    }

    /* the last checkpoint leaves lines unsealed, no more */

    kept = line[nlines - 1];
    line[nlines - 1] = NULL;
    expect("012", IG_VERIFY_CLEAN, "5 lines, from ");
    assert_int_equal(seal_summary.unsealed, 5);
    line[nlines - 1] = kept;
}


/* Any line changed, and all hashes after it computed anew. */
static void
test_hashes_anew(void **state)
{
    unsigned         n;
    ig_audit_file_t  whole, forged;

    (void) state;

    ig_audit_start(&w, &a, 0, 1, NULL, SIZE_MAX);
    some_lines(&w, 5);
    seal(&w, NULL);
    whole = a.file[0];

    /* the hash of the last line alone need be anew there */

    n = ig_audit_count(&whole) - 1;
    forged = ig_audit_forge(&whole, n, "\"v\":1,\"kind\":\"out",
                            "\"v\":1,\"kind\":\"oux");
    a.file[0] = forged;
    expect("0", IG_VERIFY_TAMPERED,
           "line 6 is not the one that checkpoint 1 sealed: from line 1 on");
    a.file[0] = whole;
    free(forged.data);
}


static void
test_unsealed(void **state)
{
    (void) state;

    ig_audit_start(&w, &a, 0, 1, NULL, SIZE_MAX);
    some_lines(&w, 5);
    expect("0", IG_VERIFY_UNSEALED, "nothing is sealed");

    seal(&w, NULL);
    ig_audit_rotate(&a);
    ig_audit_start(&w2, &a, 1, 1, NULL, SIZE_MAX);
    some_lines(&w2, 2);
    expect("01", IG_VERIFY_CLEAN, "3 lines, from ");

    a.time += 3600000;
    some_lines(&w2, 1);
    expect("01", IG_VERIFY_UNSEALED, "4 lines, from ");

    /* another log, of the time before the checkpoint */

    seal(NULL, NULL);
    expect("1", IG_VERIFY_UNSEALED, "0:1: unsealed: no checkpoint speaks");
}


static void
test_lines_between(void **state)
{
    (void) state;

    ig_audit_start(&w, &a, 0, 1, NULL, SIZE_MAX);
    some_lines(&w, 2);
    ig_audit_start(&w2, &a, 1, 1, NULL, SIZE_MAX);
    some_lines(&w, 2);
    seal(&w, NULL);
    expect("0", IG_VERIFY_TAMPERED,
           "no checkpoint sealed this line, but checkpoint 1 sealed the file");
}


/* A seal that says less than it said before is no seal. */
static void
test_behind(void **state)
{
    ig_audit_worker_t  *before;

    (void) state;

    before = malloc(sizeof(*before));
    ig_audit_start(&w, &a, 0, 1, NULL, SIZE_MAX);
    some_lines(&w, 2);
    *before = w;
    some_lines(&w, 2);
    seal(&w, NULL);
    seal(before, NULL);
    expect("0", IG_VERIFY_TAMPERED, "a sealed past was exchanged");
    free(before);
}


static void
test_no_memory(void **state)
{
    unsigned  n;

    (void) state;

    history();

    for (n = 0; verify_with(n, "012") == -1; n++) { /* void */ }

    assert_int_equal(n, blocks);
    assert_int_equal(verify_with(n, "012"), IG_VERIFY_CLEAN);

    /* in order, entries that were met are used again */

    assert_true(n < 30);
}


#define TEST(name)  cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest  tests[] = {
        TEST(test_any_order),
        TEST(test_one_less),
        TEST(test_hashes_anew),
        TEST(test_unsealed),
        TEST(test_lines_between),
        TEST(test_behind),
        TEST(test_no_memory)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
