/*
 * ig_ctl_seal.h: the sealing process: logs it follows, chains it knows, the
 * checkpoint file it writes.
 * Owns nothing.  Included by ig_ctl_seal*.c and, for keys, ig_ctl_keys.c.
 */

#ifndef IG_CTL_SEAL_H
#define IG_CTL_SEAL_H

#include <sys/stat.h>

#include "ig_checkpoint.h"
#include "ig_ctl.h"
#include "ig_verify.h"

#define IG_SEALER_LOGS      16
#define IG_SEALER_SEGMENTS  8           /* of one log that are read at once */
#define IG_SEALER_READ      (32 * 1024) /* bytes between looks at the time */
#define IG_SEALER_CARRY     (64 * 1024) /* longest line that is waited for */
#define IG_SEALER_BUCKETS   1024
#define IG_SEALER_QUEUE     64          /* findings that wait for the disk */
#define IG_SEALER_TEXT      700

enum {
    IG_SEALER_REFUSED = 4       /* exit code: the past is not what was sealed */
};

typedef struct ig_sealer_s        ig_sealer_t;
typedef struct ig_sealer_chain_s  ig_sealer_chain_t;

/* A file that the log is, or was until a rotation. */
typedef struct {
    uint64_t  number;
    int       fd;
    dev_t     dev;
    ino_t     ino;
    uint64_t  lines;
    uint64_t  bytes;            /* of whole lines that were read */
    uint64_t  sealed;           /* of these, sealed by an earlier process */
    uint8_t   first[IG_SHA256]; /* hash of its first line; zeros: none */
    int64_t   grown;            /* when it last did, by the steady clock, ms */
    bool      done;
    bool      apart;            /* what came before it is not read again */
    bool      changed;          /* since the last checkpoint */
    size_t    carried;          /* of a line without its newline */
    char     *carry;
} ig_sealer_segment_t;

/* A segment that was done, or is what an earlier process has said of one. */
typedef struct ig_sealer_past_s  ig_sealer_past_t;

struct ig_sealer_past_s {
    ig_sealer_past_t  *next;    /* newer first */
    uint64_t           number;
    uint64_t           bytes;
    uint8_t            first[IG_SHA256];
    bool               done;
    char               time[IG_CHECKPOINT_TIME + 1];    /* first spoken of */
};

typedef struct {
    ig_sealer_t          *sealer;
    unsigned              index;
    const char           *path;
    ig_str_t              name;         /* the same as JSON has it */
    ig_ctl_memory_t       memory;       /* of its verifier */
    ig_verify_t          *v;
    unsigned              generation;   /* of that */
    uint64_t              foreign;      /* lines of no chain that were told */
    uint64_t              fed;          /* lines given to v before this feed */
    ig_sealer_segment_t  *feeding;
    ig_sealer_segment_t   segment[IG_SEALER_SEGMENTS];      /* oldest first */
    unsigned              nsegments;
    uint64_t              last_segment; /* number */
    ig_sealer_past_t     *past;         /* segments that are not open */
    char                  latest[IG_CHECKPOINT_TIME + 1];   /* first line */
    int                   error;        /* why it cannot be opened; told */
} ig_sealer_log_t;

struct ig_sealer_chain_s {
    ig_sealer_chain_t  *in_bucket;
    ig_sealer_chain_t  *next;
    ig_str_t            id;
    unsigned            log;
    uint64_t            segment;        /* number, of its last line */
    uint64_t            seq;
    uint64_t            lost;
    uint8_t             hash[IG_SHA256];
    unsigned            generation;     /* of the verifier that saw this line */
    bool                ended;          /* no more lines in this segment */
    bool                changed;        /* since the last checkpoint */
};

/* A finding, or the place of one in the queue. */
typedef struct {
    const char  *level;         /* "note", "tampered", "refused" */
    char         file[IG_CHECKPOINT_FILE + 1];
    char         text[IG_SEALER_TEXT];  /* as JSON has it */
} ig_sealer_finding_t;

struct ig_sealer_s {
    /* what was asked */
    const char            *path;        /* of checkpoints */
    ig_sign_private_t      key;
    ig_sign_private_t      old_key;
    bool                   has_old_key;
    char                   origin[IG_CHECKPOINT_ORIGIN + 1];
    int64_t                every;       /* ms */
    int64_t                heartbeat;   /* ms */
    uint64_t               most;        /* lines in one checkpoint */
    bool                   json;
    bool                   once;
    ig_sealer_log_t        log[IG_SEALER_LOGS];
    unsigned               nlogs;

    ig_ctl_memory_t        memory;
    ig_sealer_chain_t     *bucket[IG_SEALER_BUCKETS];
    ig_sealer_chain_t     *chain;
    unsigned               changed;     /* chains */
    uint64_t               pending;     /* lines that are not sealed */
    uint64_t               lines;
    uint64_t               findings;

    /* the checkpoint file */
    int                    fd;
    bool                   torn;        /* it ends within a line */
    int                    error;       /* why it cannot be written; told */
    bool                   unsynced;    /* a log; told */
    ig_checkpoint_state_t  state;
    int64_t                written;     /* when, by the steady clock, ms */
    ig_sealer_finding_t    queue[IG_SEALER_QUEUE];
    unsigned               queued;
    uint64_t               unqueued;    /* findings that found no place */
    ig_sealer_finding_t    known[IG_SEALER_QUEUE];  /* of earlier processes */
    unsigned               nknown;      /* counts on; the newest are kept */
    char                   refusal[IG_SEALER_TEXT];     /* the last one */

    int                    refused;     /* exit code; 0: go on */
};

int64_t ig_sealer_clock(void);          /* steady, ms */

/* ig_ctl_seal_key.c; both tell the reason.  IG_CTL_* */
int ig_ctl_seal_new_key(const char *path, bool json);
int ig_sealer_read_key(const char *path, ig_sign_private_t *key);

/* ig_ctl_seal_chain.c */
ig_sealer_chain_t *ig_sealer_chain(ig_sealer_t *s, ig_str_t id, bool create);
int ig_sealer_verifier(ig_sealer_log_t *log);
int ig_sealer_feed(ig_sealer_log_t *log, ig_sealer_segment_t *segment,
    const char *data, size_t len);
void ig_sealer_confirm(ig_sealer_log_t *log, ig_sealer_segment_t *segment);

/* ig_ctl_seal_log.c */
bool ig_sealer_is_full(const ig_sealer_log_t *log);
ig_sealer_segment_t *ig_sealer_open(ig_sealer_log_t *log, const char *path);
void ig_sealer_undo(ig_sealer_log_t *log, ig_sealer_segment_t *segment);
void ig_sealer_latest(ig_sealer_log_t *log, const char *time);
void ig_sealer_follow(ig_sealer_log_t *log);

/* ig_ctl_seal_write.c */
int ig_sealer_open_checkpoints(ig_sealer_t *s);         /* IG_CTL_* */
bool ig_sealer_knows(const ig_sealer_t *s, const char *text);
void ig_sealer_find(ig_sealer_t *s, const ig_sealer_log_t *log, bool tampered,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void ig_sealer_refuse(ig_sealer_log_t *log, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
bool ig_sealer_findings_written(ig_sealer_t *s);
int ig_sealer_checkpoint(ig_sealer_t *s, const char *why);
int ig_sealer_introduce(ig_sealer_t *s);

/* ig_ctl_seal_restart.c: what the checkpoint file says.  IG_CTL_* or 4 */
int ig_sealer_recall(ig_sealer_t *s);

/* ig_ctl_seal_catch_up.c */
void ig_sealer_catch_up(ig_sealer_log_t *log);
void ig_sealer_next_files(ig_sealer_log_t *log);

#endif /* IG_CTL_SEAL_H */
