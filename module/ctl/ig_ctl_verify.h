/*
 * ig_ctl_verify.h: what `integrityctl verify` was asked, and its report.
 * Owns nothing.  Included by ig_ctl_verify*.c alone.
 */

#ifndef IG_CTL_VERIFY_H
#define IG_CTL_VERIFY_H

#include "ig_ctl.h"
#include "ig_ctl_stream.h"
#include "ig_verify.h"
#include "ig_verify_seal.h"

#define IG_VERIFY_PIECES  64            /* files of checkpoints */

typedef struct {
    char             **file;
    unsigned           nfiles;
    bool               json;
    bool               all;
    int64_t            max_age;         /* of the last checkpoint, ms; -1 */
    int64_t            late;            /* ms */

    const char        *checkpoints[IG_VERIFY_PIECES];
    unsigned           ncheckpoints;
    unsigned           piece;           /* the present one */
    bool               open;
    ig_ctl_stream_t    stream;
    uint64_t           piece_line[IG_VERIFY_PIECES];    /* lines before it */
    uint64_t           size[IG_VERIFY_PIECES];  /* before logs were read */
    uint64_t           lines;           /* of checkpoints */
    ig_sign_public_t   key[IG_CHECKPOINT_KEYS];
    unsigned           nkeys;

    uint64_t           findings;        /* shown or not */
    uint64_t           chains;
    ig_mem_t          *mem;
} ig_verify_report_t;

/* seal: NULL without --checkpoints. */
typedef struct {
    const ig_verify_t               *v;
    const ig_verify_summary_t       *summary;
    const ig_verify_seal_summary_t  *seal;
} ig_verify_outcome_t;

/* ig_ctl_verify_report.c */
void ig_report_begin(const ig_verify_report_t *r);
void ig_report_finding(void *ctx, const ig_finding_t *f);
void ig_report_end(ig_verify_report_t *r, const ig_verify_outcome_t *o);

#endif /* IG_CTL_VERIFY_H */
