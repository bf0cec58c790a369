/*
 * ig_verify.h: checks audit files, as a stream: hashes, chains, gaps, torn
 * lines, ends.
 * Owns: one entry per chain and, per chain, one per file it stands in, in the
 * memory of an ig_mem_t.  Borrows: the bytes of one feed at a time.  No I/O.
 * Called by integrityctl.
 *
 * Chains of several workers may be interleaved in a file, and files (segments
 * of a rotated log) may come in any order: what links one to the next is
 * judged at the end, by sequence numbers and hashes.
 */

#ifndef IG_VERIFY_H
#define IG_VERIFY_H

#include "ig_chain.h"

/* How bad the worst of it is; also the exit code of `integrityctl verify`. */
typedef enum {
    IG_VERIFY_CLEAN = 0,        /* all there is, is linked and unchanged */
    IG_VERIFY_EXPLAINED = 1,    /* lines are missing, and the chain says why */
    IG_VERIFY_TORN = 3,         /* a chain breaks off at its end */
    IG_VERIFY_TAMPERED = 4,     /* changed, removed, repeated, moved */
    IG_VERIFY_UNVERIFIABLE = 5, /* nothing there that could be checked */
    IG_VERIFY_UNSEALED = 6      /* no checkpoint speaks of some of it */
} ig_verify_result_e;

ig_str_t ig_verify_result_name(ig_verify_result_e r);

typedef enum {
    IG_FINDING_NOTE = 0,        /* worth knowing, changes no result */
    IG_FINDING_GAP,
    IG_FINDING_TORN,
    IG_FINDING_TAMPERED,
    IG_FINDING_UNVERIFIABLE,
    IG_FINDING_UNSEALED,
    IG_FINDING_KINDS
} ig_finding_kind_e;

ig_str_t ig_finding_name(ig_finding_kind_e kind);

/* The `file` of findings that are about the checkpoints. */
#define IG_FINDING_CHECKPOINTS  UINT32_MAX

/* Valid during the callback alone. */
typedef struct {
    ig_finding_kind_e  kind;
    unsigned           file;    /* from 0, in order of ig_verify_file */
    uint64_t           line;    /* from 1; 0: about no line */
    ig_str_t           chain;   /* may be empty */
    ig_str_t           text;    /* a plain sentence without a full stop */
} ig_finding_t;

typedef void (*ig_finding_pt)(void *ctx, const ig_finding_t *finding);

typedef struct {
    ig_verify_result_e  result;
    unsigned            files;
    uint64_t            lines;      /* of chains */
    uint64_t            chains;
    uint64_t            lost;       /* lines missing with an explanation */
    uint64_t            torn;       /* pieces of lines */
} ig_verify_summary_t;

/* One chain, as far as it was seen. */
typedef struct {
    ig_str_t  id;
    uint64_t  first;            /* seq */
    uint64_t  last;
    uint64_t  lines;
    ig_str_t  state;            /* "closed", "open", "ended", "continued" */
} ig_verify_chain_info_t;

typedef struct ig_verify_s  ig_verify_t;

/* NULL: no memory. */
ig_verify_t *ig_verify_create(ig_mem_t *mem, ig_finding_pt finding, void *ctx);

/*
 * Begins the next file; then its bytes, in pieces of any size.  IG_OK or
 * IG_NOMEM.
 */
int ig_verify_file(ig_verify_t *v);
int ig_verify_feed(ig_verify_t *v, const char *data, size_t len);

/* Judges the ends and what links files.  IG_OK or IG_NOMEM; once, last. */
int ig_verify_finish(ig_verify_t *v, ig_verify_summary_t *summary);

/* -- whoever looks on ---------------------------------------------------- */

/* A line that is JSON of a chain; strings and hashes are borrowed. */
typedef struct {
    unsigned        file;
    uint64_t        line;
    uint64_t        offset;     /* of its first byte in its file */
    ig_str_t        time;
    ig_str_t        chain;
    uint64_t        seq;
    uint64_t        dropped;
    const uint8_t  *prev;
    const uint8_t  *hash;       /* of its text */
    bool            intact;     /* that is also the one it claims */
    bool            last;       /* its writer has no more for this file */
} ig_verify_seen_t;

/* Shows every such line, before it is judged.  Once, before the first file. */
void ig_verify_watch(ig_verify_t *v,
    void (*seen)(void *ctx, const ig_verify_seen_t *line), void *ctx);

/* Lines so far that belong to no chain, and pieces of lines. */
uint64_t ig_verify_foreign_lines(const ig_verify_t *v);
uint64_t ig_verify_torn_lines(const ig_verify_t *v);

/* After finish: every chain, in order of appearance. */
void ig_verify_chains(const ig_verify_t *v,
    void (*visit)(void *ctx, const ig_verify_chain_info_t *chain), void *ctx);

#endif /* IG_VERIFY_H */
