/*
 * ig_audit_case.c: audit files in memory, their writers, their verifier.
 * Owns: the files' bytes.  Called by the tests of the chain and the verifier.
 */

#define _GNU_SOURCE      /* memmem */

#include "ig_audit_case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>


/* -- files --------------------------------------------------------------- */

void
ig_audit_init(ig_audit_t *log)
{
    memset(log, 0, sizeof(*log));
    log->nfiles = 1;
    log->time = INT64_C(1795435200000);
}


void
ig_audit_empty(ig_audit_t *log)
{
    unsigned  i;

    for (i = 0; i < log->nfiles; i++) {
        free(log->file[i].data);
    }
}


void
ig_audit_add(ig_audit_t *log, const char *data, size_t len)
{
    ig_audit_file_t  *file;

    if (len == 0) {
        return;
    }

    file = &log->file[log->nfiles - 1];
    file->data = realloc(file->data, file->len + len);
    memcpy(file->data + file->len, data, len);
    file->len += len;
}


void
ig_audit_rotate(ig_audit_t *log)
{
    assert_true(log->nfiles < IG_AUDIT_FILES);
    log->nfiles++;
}


/* -- workers ------------------------------------------------------------- */

/* Where the next line goes. */
static ig_buf_t
ig_audit_begin(ig_audit_worker_t *w)
{
    ig_buf_t  b;

    w->log->time += 7;

    assert_true(w->nlines < IG_AUDIT_BATCH);
    ig_buf_init(&b, w->batch + w->len, sizeof(w->batch) - w->len);

    if (w->nlines == 0) {
        memcpy(w->prev, w->chain.last, IG_SHA256);
    }

    return b;
}


static void
ig_audit_seal(ig_audit_worker_t *w, ig_buf_t *b)
{
    ig_chain_seal(&w->chain, b, w->prev);
    assert_false(b->full);

    w->len += ig_buf_str(b).len;
    w->end[w->nlines] = w->len;
    w->seq[w->nlines] = w->chain.issued;
    memcpy(w->hash[w->nlines], w->prev, IG_SHA256);
    w->nlines++;
}


void
ig_audit_start(ig_audit_worker_t *w, ig_audit_t *log, unsigned slot,
    unsigned generation, const ig_chain_t *before, size_t room)
{
    uint8_t   random[8] = { 0 }, policy[IG_SHA256] = { 0xaa };
    ig_buf_t  b;

    memset(w, 0, sizeof(*w));
    w->log = log;
    random[6] = (uint8_t) slot;
    random[7] = (uint8_t) generation;

    ig_chain_init(&w->chain, ig_str("edge-1"), slot, random);

    b = ig_audit_begin(w);
    ig_chain_open_line(&b, before, log->nfiles, log->time, ig_str("edge-1"),
                       ig_str("1.0"), policy);
    ig_audit_seal(w, &b);
    ig_audit_write(w, room);
}


void
ig_audit_line(ig_audit_worker_t *w)
{
    ig_buf_t            b;
    ig_event_outcome_t  o = { w->log->time, ig_string("01KARZ3NDEKTSV4RRFFQ69"
                                                      "G5FA"),
                              201, 201, 17, false };

    b = ig_audit_begin(w);
    ig_event_outcome(&b, &o, ig_str("edge-1"));
    ig_audit_seal(w, &b);
}


void
ig_audit_segment(ig_audit_worker_t *w, bool start)
{
    ig_buf_t  b;

    b = ig_audit_begin(w);
    ig_chain_segment_line(&b, start, 0, w->log->time, ig_str("edge-1"));
    ig_audit_seal(w, &b);
}


void
ig_audit_close(ig_audit_worker_t *w)
{
    ig_buf_t  b;

    b = ig_audit_begin(w);
    ig_chain_close_line(&b, &w->chain, w->log->time, ig_str("edge-1"));
    ig_audit_seal(w, &b);
    ig_audit_write(w, SIZE_MAX);
    ig_chain_closed(&w->chain);
}


/* Puts up to room bytes into the file; how many lines those are. */
static unsigned
ig_audit_put(ig_audit_worker_t *w, size_t room)
{
    size_t    n;
    unsigned  i;

    if (w->torn && room > 0) {
        ig_audit_add(w->log, "\n", 1);
        w->torn = false;
    }

    n = w->len < room ? w->len : room;
    ig_audit_add(w->log, w->batch, n);

    for (i = 0; i < w->nlines && w->end[i] <= n; i++) { /* void */ }

    if (n > (i > 0 ? w->end[i - 1] : 0)) {
        w->torn = true;
    }

    return i;
}


void
ig_audit_write(ig_audit_worker_t *w, size_t room)
{
    unsigned  n;

    n = ig_audit_put(w, room);

    if (n > 0) {
        ig_chain_written(&w->chain, w->seq[n - 1], w->hash[n - 1]);
        w->chain.file = w->log->nfiles;
    }

    if (n < w->nlines) {
        ig_chain_lost(&w->chain, w->nlines - n);
    }

    w->nlines = 0;
    w->len = 0;
}


void
ig_audit_crash(ig_audit_worker_t *w, size_t room)
{
    (void) ig_audit_put(w, room);
    w->nlines = 0;
    w->len = 0;
}


void
ig_audit_whole(ig_audit_t *log, unsigned slot, unsigned generation,
    const ig_chain_t *before, unsigned lines, ig_chain_t *left)
{
    ig_audit_worker_t  *w;

    w = malloc(sizeof(*w));
    ig_audit_start(w, log, slot, generation, before, SIZE_MAX);

    while (lines-- > 0) {
        ig_audit_line(w);
        ig_audit_write(w, SIZE_MAX);
    }

    ig_audit_close(w);

    if (left != NULL) {
        *left = w->chain;
    }

    free(w);
}


/* -- lines of a file ----------------------------------------------------- */

unsigned
ig_audit_count(const ig_audit_file_t *file)
{
    size_t    i;
    unsigned  n;

    for (n = 0, i = 0; i < file->len; i++) {
        n += file->data[i] == '\n';
    }

    return n;
}


ig_str_t
ig_audit_get(const ig_audit_file_t *file, unsigned n)
{
    const char  *p, *nl, *end;

    p = file->data;
    end = p + file->len;

    for ( ;; ) {
        assert_true(p < end);
        nl = memchr(p, '\n', (size_t) (end - p));
        assert_non_null(nl);

        if (n-- == 0) {
            return (ig_str_t) { (size_t) (nl + 1 - p), p };
        }

        p = nl + 1;
    }
}


ig_audit_file_t
ig_audit_replace(const ig_audit_file_t *file, unsigned from, unsigned n,
    ig_str_t text)
{
    size_t         head, tail;
    ig_audit_file_t  copy;

    head = from < ig_audit_count(file)
           ? (size_t) (ig_audit_get(file, from).data - file->data) : file->len;
    tail = from + n < ig_audit_count(file)
           ? (size_t) (ig_audit_get(file, from + n).data - file->data)
           : file->len;

    copy.len = head + text.len + file->len - tail;
    copy.data = malloc(copy.len + 1);

    memcpy(copy.data, file->data, head);
    memcpy(copy.data + head, text.data, text.len);
    memcpy(copy.data + head + text.len, file->data + tail, file->len - tail);

    return copy;
}


ig_audit_file_t
ig_audit_forge(const ig_audit_file_t *file, unsigned n, const char *from,
    const char *to)
{
    char       text[2048], *p;
    uint8_t    hash[IG_SHA256];
    ig_str_t   old;
    ig_buf_t   b;

    old = ig_audit_get(file, n);
    assert_true(old.len <= sizeof(text));
    memcpy(text, old.data, old.len);

    p = memmem(text, old.len, from, strlen(from));
    assert_non_null(p);
    memcpy(p, to, strlen(to));

    p = memmem(text, old.len, ",\"hash\":\"", 9);
    ig_sha256(text, (size_t) (p - text), hash);
    ig_buf_init(&b, p + 9, 2 * IG_SHA256);
    ig_buf_hex(&b, hash, IG_SHA256);

    return ig_audit_replace(file, n, 1, (ig_str_t) { old.len, text });
}


/* -- the verifier -------------------------------------------------------- */

static void
ig_audit_finding(void *ctx, const ig_finding_t *f)
{
    size_t             len;
    ig_audit_verdict_t  *verdict = ctx;

    verdict->count[f->kind]++;

    len = strlen(verdict->text);
    snprintf(verdict->text + len, sizeof(verdict->text) - len,
             "%u:%u: %.*s: %.*s\n", f->file, (unsigned) f->line,
             ig_fmt(ig_finding_name(f->kind)), ig_fmt(f->text));
}


typedef struct ig_audit_block_s  ig_audit_block_t;

struct ig_audit_block_s {
    ig_audit_block_t  *before;
    max_align_t      data[];
};


static void *
ig_audit_alloc(void *ctx, size_t size)
{
    ig_audit_block_t   *block;
    ig_audit_block_t  **last = ctx;

    block = calloc(1, sizeof(*block) + size);
    block->before = *last;
    *last = block;

    return block->data;
}


void
ig_audit_verify(const ig_audit_file_t *file, unsigned n, size_t piece,
    ig_audit_verdict_t *verdict)
{
    char            *copy;
    size_t           at, len;
    unsigned         i;
    ig_mem_t         mem;
    ig_verify_t     *v;
    ig_audit_block_t  *block, *last;

    last = NULL;
    mem.alloc = ig_audit_alloc;
    mem.ctx = &last;

    memset(verdict, 0, sizeof(*verdict));
    v = ig_verify_create(&mem, ig_audit_finding, verdict);

    for (i = 0; i < n; i++) {
        assert_int_equal(ig_verify_file(v), IG_OK);

        for (at = 0; at < file[i].len; at += len) {
            len = file[i].len - at < piece ? file[i].len - at : piece;

            /* each piece alone, for a sanitizer to see what is kept of it */

            copy = malloc(len);
            memcpy(copy, file[i].data + at, len);
            assert_int_equal(ig_verify_feed(v, copy, len), IG_OK);
            memset(copy, 0xff, len);
            free(copy);
        }
    }

    assert_int_equal(ig_verify_finish(v, &verdict->summary), IG_OK);

    while (last != NULL) {
        block = last;
        last = block->before;
        free(block);
    }
}


void
ig_audit_expect_at(const char *where, unsigned line,
    const ig_audit_file_t *file, unsigned n, ig_verify_result_e result,
    ig_audit_verdict_t *verdict)
{
    ig_audit_verify(file, n, SIZE_MAX / 2, verdict);

    if (verdict->summary.result != result) {
        fail_msg("%s:%u: %.*s instead of %.*s:\n%s", where, line,
                 ig_fmt(ig_verify_result_name(verdict->summary.result)),
                 ig_fmt(ig_verify_result_name(result)), verdict->text);
    }
}
