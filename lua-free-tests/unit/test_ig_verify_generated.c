/*
 * test_ig_verify_generated.c: logs of three workers that lose lines, rotate,
 * crash and are replaced (seeded): never called tampered, and always where a
 * line is taken away.  And what happens without memory.
 * Owns nothing.  Run by the unit tests' runner.
 */

#include "ig_audit_case.h"

#include <stdlib.h>
#include <string.h>

static ig_audit_t          a;
static ig_audit_verdict_t  verdict;


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


static uint64_t  seed;

static unsigned
rnd(unsigned n)
{
    /* xorshift64* */
    seed ^= seed >> 12;
    seed ^= seed << 25;
    seed ^= seed >> 27;

    return (unsigned) ((seed * UINT64_C(2685821657736338717)) >> 33) % n;
}


/* Somewhere in the batch, but not between a line and its newline. */
static size_t
some_room(const ig_audit_worker_t *worker)
{
    unsigned  i;
    size_t    room;

    room = rnd((unsigned) worker->len + 1);

    for (i = 0; i < worker->nlines; i++) {
        room -= room + 1 == worker->end[i];
    }

    return room;
}


static void
turn(ig_audit_worker_t *worker, unsigned slot, unsigned *generation)
{
    unsigned    n;
    ig_chain_t  before;

    for (n = 1 + rnd(4); n > 0; n--) {
        ig_audit_line(worker);
    }

    switch (rnd(12)) {

    case 0:
        ig_audit_write(worker, some_room(worker));
        break;

    case 1:
        ig_audit_crash(worker, some_room(worker));
        before = worker->chain;
        ig_audit_start(worker, &a, slot, ++*generation, &before, SIZE_MAX);
        break;

    case 2:
        ig_audit_write(worker, SIZE_MAX);
        ig_audit_close(worker);
        before = worker->chain;
        ig_audit_start(worker, &a, slot, ++*generation, &before, SIZE_MAX);
        break;

    default:
        ig_audit_write(worker, SIZE_MAX);
    }
}


static void
rotate(ig_audit_worker_t *worker, unsigned n)
{
    unsigned  i;

    for (i = 0; i < n; i++) {
        ig_audit_segment(&worker[i], false);
        ig_audit_write(&worker[i], SIZE_MAX);
        worker[i].torn = false;
    }

    ig_audit_rotate(&a);

    for (i = 0; i < n; i++) {
        ig_audit_segment(&worker[i], true);
        ig_audit_write(&worker[i], SIZE_MAX);
    }
}


static void
generate(ig_audit_worker_t *worker)
{
    unsigned  i, slot, generation;

    generation = 0;

    for (slot = 0; slot < 3; slot++) {
        ig_audit_start(&worker[slot], &a, slot, ++generation, NULL, SIZE_MAX);
    }

    for (i = 0; i < 40; i++) {
        slot = rnd(3);
        turn(&worker[slot], slot, &generation);

        if (i % 15 == 14) {
            rotate(worker, 3);
        }
    }

    for (slot = 0; slot < 3; slot++) {
        ig_audit_close(&worker[slot]);
    }
}


/* ,"chain":"..." of the last line in what stands between two newlines. */
static ig_str_t
chain_of(ig_str_t s)
{
    size_t    i;
    ig_str_t  id = ig_string("");

    for (i = 0; i + 10 < s.len; i++) {
        if (memcmp(s.data + i, ",\"chain\":\"", 10) == 0) {
            id.data = s.data + i;
        }
    }

    if (s.len > 3 && memcmp(s.data + s.len - 3, "\"}\n", 3) == 0) {
        id.len = (size_t) ((const char *) memchr(id.data + 10, '"', 100)
                           - id.data);
    }

    return id;
}


/* Removes a line that is not the last of its chain in its file. */
static bool
remove_one(ig_audit_file_t *file)
{
    unsigned          n, i, count;
    ig_str_t          id;
    ig_audit_file_t   copy;

    count = ig_audit_count(file);
    n = rnd(count);
    id = chain_of(ig_audit_get(file, n));

    for (i = n + 1; id.len > 0 && i < count; i++) {

        if (ig_str_eq(chain_of(ig_audit_get(file, i)), id)) {
            copy = ig_audit_replace(file, n, 1, ig_str(""));
            free(file->data);
            *file = copy;
            return true;
        }
    }

    return false;
}


static void
test_generated(void **state)
{
    unsigned             i, gaps, removed;
    ig_audit_worker_t   *worker;

    (void) state;

    seed = 20261123;
    gaps = 0;
    removed = 0;
    worker = malloc(3 * sizeof(*worker));

    for (i = 0; i < 150; i++) {
        ig_audit_empty(&a);
        ig_audit_init(&a);
        generate(worker);

        ig_audit_verify(a.file, a.nfiles, 1 + rnd(3000), &verdict);

        if (verdict.summary.result > IG_VERIFY_EXPLAINED) {
            fail_msg("log %u: %.*s:\n%s", i,
                     ig_fmt(ig_verify_result_name(verdict.summary.result)),
                     verdict.text);
        }

        gaps += verdict.count[IG_FINDING_GAP];

        if (remove_one(&a.file[rnd(a.nfiles)])) {
            removed++;
            ig_audit_verify(a.file, a.nfiles, 4096, &verdict);

            if (verdict.summary.result != IG_VERIFY_TAMPERED) {
                fail_msg("log %u: a line less is not seen:\n%s", i,
                         verdict.text);
            }
        }
    }

    free(worker);

    /* losses did happen, and so did removals */

    assert_true(gaps > 300);
    assert_true(removed > 100);
}


/* -- memory -------------------------------------------------------------- */

typedef struct {
    unsigned  left;
    unsigned  nblocks;
    void     *block[64];
} few_t;


static void *
some_blocks(void *ctx, size_t size)
{
    few_t  *few = ctx;

    if (few->left == 0) {
        return NULL;
    }

    few->left--;
    few->block[few->nblocks] = calloc(1, size);

    return few->block[few->nblocks++];
}


static void
ignore(void *ctx, const ig_finding_t *f)
{
    (void) ctx;
    (void) f;
}


/* True where n allocations were enough. */
static bool
verify_with(unsigned n)
{
    int                   rc;
    few_t                 few = { n, 0, { NULL } };
    ig_mem_t              mem = { some_blocks, &few };
    ig_verify_t          *v;
    ig_verify_summary_t   summary;

    v = ig_verify_create(&mem, ignore, NULL);
    rc = v != NULL ? ig_verify_file(v) : IG_NOMEM;

    if (rc == IG_OK) {
        rc = ig_verify_feed(v, a.file[0].data, a.file[0].len);
    }

    if (rc == IG_OK) {
        rc = ig_verify_finish(v, &summary);
        assert_true(rc != IG_OK || summary.result == IG_VERIFY_CLEAN);
    }

    while (few.nblocks > 0) {
        free(few.block[--few.nblocks]);
    }

    assert_true(rc == IG_OK || rc == IG_NOMEM);

    return rc == IG_OK;
}


static void
test_no_memory(void **state)
{
    unsigned    n;
    ig_chain_t  first;

    (void) state;

    ig_audit_whole(&a, 0, 1, NULL, 2, &first);
    ig_audit_whole(&a, 0, 2, &first, 2, NULL);

    for (n = 0; !verify_with(n); n++) { /* void */ }

    /* the verifier; two chains of three blocks; the name of one before; the
     * order of files */

    assert_int_equal(n, 9);
}


#define TEST(name)  cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest  tests[] = {
        TEST(test_generated),
        TEST(test_no_memory)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
