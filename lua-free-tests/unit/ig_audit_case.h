/*
 * ig_audit_case.h: audit files in memory for tests, written by workers that may
 * be cut short, lose lines, rotate and crash; and what the verifier says.
 * Owns: the files' bytes, until ig_audit_empty.
 * Called by the tests of the chain and of the verifier.
 */

#ifndef IG_AUDIT_CASE_H
#define IG_AUDIT_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ig_verify.h"

#define IG_AUDIT_FILES  4
#define IG_AUDIT_BATCH  64

typedef struct {
    char    *data;
    size_t   len;
} ig_audit_file_t;

typedef struct {
    ig_audit_file_t  file[IG_AUDIT_FILES];
    unsigned       nfiles;      /* the last one is written to */
    int64_t        time;
} ig_audit_t;

/* A worker: its chain, and the batch that is not yet written. */
typedef struct {
    ig_audit_t    *log;
    ig_chain_t   chain;
    char         batch[IG_AUDIT_BATCH * 1024];
    size_t       len;
    size_t       end[IG_AUDIT_BATCH];
    uint64_t     seq[IG_AUDIT_BATCH];
    uint8_t      hash[IG_AUDIT_BATCH][IG_SHA256];
    unsigned     nlines;
    uint8_t      prev[IG_SHA256];
    bool         torn;          /* the next write begins with a newline */
} ig_audit_worker_t;

void ig_audit_init(ig_audit_t *log);
void ig_audit_empty(ig_audit_t *log);
void ig_audit_add(ig_audit_t *log, const char *data, size_t len);

/* From here on to another file, where the workers only do as they are told. */
void ig_audit_rotate(ig_audit_t *log);

/*
 * A new chain of this slot, whose chain_open is written at once unless it is
 * cut to `room` bytes; before: the predecessor's witness or NULL.
 */
void ig_audit_start(ig_audit_worker_t *w, ig_audit_t *log, unsigned slot,
    unsigned generation, const ig_chain_t *before, size_t room);

/* Seals an outcome line, or another one, into the batch. */
void ig_audit_line(ig_audit_worker_t *w);
void ig_audit_segment(ig_audit_worker_t *w, bool start);
void ig_audit_close(ig_audit_worker_t *w);

/*
 * Writes at most `room` bytes of the batch; whole: SIZE_MAX.  Lines that did
 * not get there are lost.
 */
void ig_audit_write(ig_audit_worker_t *w, size_t room);

/* The same, and then the worker dies: nobody accounts for anything. */
void ig_audit_crash(ig_audit_worker_t *w, size_t room);

/* Open, lines, close: all at once. */
void ig_audit_whole(ig_audit_t *log, unsigned slot, unsigned generation,
    const ig_chain_t *before, unsigned lines, ig_chain_t *left);

/* -- lines of a file ----------------------------------------------------- */

unsigned ig_audit_count(const ig_audit_file_t *file);

/* Line n, from 0, with its newline. */
ig_str_t ig_audit_get(const ig_audit_file_t *file, unsigned n);

/* A copy of the file with lines from..from+n replaced by text. */
ig_audit_file_t ig_audit_replace(const ig_audit_file_t *file, unsigned from,
    unsigned n, ig_str_t text);

/*
 * A copy of the file where `from` in line n became `to` (of the same length),
 * with a hash that fits.
 */
ig_audit_file_t ig_audit_forge(const ig_audit_file_t *file, unsigned n,
    const char *from, const char *to);

/* -- the verifier -------------------------------------------------------- */

typedef struct {
    ig_verify_summary_t  summary;
    unsigned             count[IG_FINDING_UNVERIFIABLE + 1];
    char                 text[8192];    /* of all findings, a line each */
} ig_audit_verdict_t;

/* Feeds the files in pieces of `piece` bytes. */
void ig_audit_verify(const ig_audit_file_t *file, unsigned n, size_t piece,
    ig_audit_verdict_t *verdict);

/* The result of all files of the log must be this one. */
void ig_audit_expect_at(const char *where, unsigned line,
    const ig_audit_file_t *file, unsigned n, ig_verify_result_e result,
    ig_audit_verdict_t *verdict);

#define ig_audit_expect(file, n, result, verdict)                              \
    ig_audit_expect_at(__FILE__, __LINE__, file, n, result, verdict)

#endif /* IG_AUDIT_CASE_H */
