/*
 * ig_verify_seal_int.h: what is remembered of checkpoints and of the files
 * held against them.
 * Owns nothing.  Included by ig_verify_seal*.c alone.
 */

#ifndef IG_VERIFY_SEAL_INT_H
#define IG_VERIFY_SEAL_INT_H

#include "ig_verify_int.h"
#include "ig_verify_seal.h"

#define IG_SEAL_BUCKETS  1024

typedef struct ig_seal_log_s      ig_seal_log_t;
typedef struct ig_seal_segment_s  ig_seal_segment_t;
typedef struct ig_seal_file_s     ig_seal_file_t;
typedef struct ig_seal_entry_s    ig_seal_entry_t;
typedef struct ig_seal_chain_s    ig_seal_chain_t;

/* A log as the sealing process named it. */
struct ig_seal_log_s {
    ig_seal_log_t      *next;
    ig_str_t            file;
    ig_seal_segment_t  *newest;
};

struct ig_seal_segment_s {
    ig_seal_segment_t  *older;
    ig_seal_log_t      *log;
    uint64_t            number;
    uint64_t            bytes;      /* sealed at last */
    uint64_t            checkpoint; /* the last one about it */
    uint64_t            entries;    /* lines of chains it sealed */
    bool                given;      /* lines it sealed are in a file */
};

/* A file that was given. */
struct ig_seal_file_s {
    ig_seal_file_t     *next;
    unsigned            index;
    char                time[IG_CHECKPOINT_TIME + 1];   /* of its first line */
    uint64_t            line;       /* where that stands */
    bool                spoken;     /* some checkpoint speaks of a chain's
                                       part that is here */
    bool                mixed;      /* not one segment as it was sealed */
    ig_seal_segment_t  *segment;
};

/* One line of a chain as a checkpoint has it. */
struct ig_seal_entry_s {
    ig_seal_entry_t    *next;       /* by seq */
    uint64_t            seq;
    uint64_t            checkpoint;
    ig_seal_segment_t  *segment;
    uint8_t             hash[IG_SHA256];
};

struct ig_seal_chain_s {
    ig_seal_chain_t    *in_bucket;
    ig_seal_chain_t    *next;       /* in order of appearance */
    ig_str_t            id;

    /* what checkpoints say */
    ig_seal_entry_t    *entry;      /* not yet met, by seq */
    ig_seal_entry_t   **end;
    ig_seal_entry_t   **cursor;     /* where the last line was looked for */
    uint64_t            cursor_seq;
    uint64_t            sealed;     /* the last seq; 0: of none */
    uint64_t            checkpoint;
    ig_seal_segment_t  *segment;

    /* what the files have */
    uint64_t            seen;       /* the last seq; 0: no line */
    unsigned            seen_file;
    uint64_t            seen_line;
    uint64_t            met;        /* the last seq that is as it was sealed */
    bool                bad;        /* that one was not, was told */
    uint64_t            unsealed;
    ig_seal_file_t     *unsealed_file;      /* of the first of them */
    uint64_t            unsealed_line;
    uint64_t            unsealed_offset;
};

struct ig_verify_seal_s {
    ig_mem_t               *mem;
    ig_verify_t            *v;
    ig_verify_source_pt     source;
    void                   *ctx;
    int64_t                 late;
    int64_t                 since;
    int                     rc;         /* IG_OK, or why all is void */

    ig_checkpoint_reader_t  reader;
    uint64_t                line;       /* of checkpoints, so far */
    bool                    ended;

    ig_seal_log_t          *log;
    ig_seal_file_t         *file;       /* the present one first */
    ig_seal_entry_t        *free;
    ig_seal_chain_t        *bucket[IG_SEAL_BUCKETS];
    ig_seal_chain_t        *chain;
    ig_seal_chain_t       **chain_end;

    uint64_t                unsealed;
    char                    from[IG_CHECKPOINT_TIME + 1];
    char                    to[IG_CHECKPOINT_TIME + 1];
};

/* A finding about the line of checkpoints read last, or about none (0). */
void ig_seal_tell(ig_verify_seal_t *s, ig_finding_kind_e kind, uint64_t line,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* A finding about a line of a file and its chain (NULL: of none). */
void ig_seal_tell_line(ig_verify_seal_t *s, ig_finding_kind_e kind,
    unsigned file, uint64_t line, const ig_seal_chain_t *chain,
    const char *fmt, ...) __attribute__((format(printf, 6, 7)));

/* Takes the next line of checkpoints in. */
void ig_seal_pull(ig_verify_seal_t *s);

/* The chain of that id; NULL: neither checkpoint nor line spoke of it. */
ig_seal_chain_t *ig_seal_chain(ig_verify_seal_t *s, ig_str_t id);
ig_seal_chain_t *ig_seal_add_chain(ig_verify_seal_t *s, ig_str_t id);

/* ig_verify_seal_end.c: all lines were seen. */
void ig_seal_judge(ig_verify_seal_t *s);

#endif /* IG_VERIFY_SEAL_INT_H */
