/*
 * ig_verify_seal.h: holds audit files against signed checkpoints.
 * Owns: in the memory of an ig_mem_t, one entry per chain, file and segment,
 * and those checkpoints of a chain that the log has not reached yet.
 * Borrows: one line of checkpoints at a time.  No I/O.
 * Called by integrityctl.
 */

#ifndef IG_VERIFY_SEAL_H
#define IG_VERIFY_SEAL_H

#include "ig_checkpoint.h"
#include "ig_verify.h"

typedef struct ig_verify_seal_s  ig_verify_seal_t;

/*
 * Gives the next line of checkpoints without its newline, valid until the
 * next call.  IG_OK; IG_AGAIN: there is none; IG_ERROR: they cannot be read.
 */
typedef int (*ig_verify_source_pt)(void *ctx, ig_str_t *line);

typedef struct {
    uint64_t  checkpoints;      /* that count */
    uint64_t  number;           /* of the last one */
    char      time[IG_CHECKPOINT_TIME + 1];
    char      origin[IG_CHECKPOINT_ORIGIN + 1];
    uint64_t  unsealed;         /* lines of no checkpoint, after the last */
    char      from[IG_CHECKPOINT_TIME + 1];     /* their times */
    char      to[IG_CHECKPOINT_TIME + 1];
} ig_verify_seal_summary_t;

typedef struct {
    const ig_sign_public_t  *key;       /* in their order, 1 to 16 */
    unsigned                 nkeys;
    int64_t                  late;      /* ms of lines after the last
                                           checkpoint that are worth a note,
                                           no more */
    int64_t                  since;     /* ms since the epoch: when the last
                                           checkpoint must not be older */
    ig_verify_source_pt      source;
    void                    *ctx;
} ig_verify_seal_options_t;

/*
 * To be made after ig_verify_create and before the first file; what it finds
 * is among the findings of v and in its result.  NULL: no memory.
 */
ig_verify_seal_t *ig_verify_seal_create(ig_mem_t *mem, ig_verify_t *v,
    const ig_verify_seal_options_t *options);

/*
 * After ig_verify_finish.  IG_OK, IG_NOMEM, or IG_ERROR where the checkpoints
 * could not be read.
 */
int ig_verify_seal_summary(const ig_verify_seal_t *s,
    ig_verify_seal_summary_t *summary);

#endif /* IG_VERIFY_SEAL_H */
