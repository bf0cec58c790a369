/*
 * ig_ctl_log_file.h: one file of the audit log: its lines in order of time.
 * Owns: the open file, and the lines that wait in its window.
 * Included by ig_ctl_log_source.c and ig_ctl_log_file.c.
 */

#ifndef IG_CTL_LOG_FILE_H
#define IG_CTL_LOG_FILE_H

#include "ig_ctl_line.h"
#include "ig_ctl_log_read.h"

/*
 * How far a line may stand from where its time would put it: workers write
 * side by side, and a call that waited for its body is older than its line.
 */
#define IG_LOG_WINDOW  4096             /* lines */
#define IG_LOG_SLACK   INT64_C(60000)   /* ms, between files */

/* One line that waits; its memory is used again. */
typedef struct {
    char            *data;
    size_t           len;
    size_t           room;
    ig_audit_kind_e  kind;
    bool             own;               /* begins as the module writes it */
    uint64_t         number;
} ig_log_slot_t;

typedef struct {
    int64_t         time;
    ig_log_slot_t  *slot;
} ig_log_waiting_t;

typedef enum {
    IG_LOG_ASLEEP = 0,                  /* its first line's time is known */
    IG_LOG_AWAKE,                       /* open, its window is full */
    IG_LOG_ENDED
} ig_log_state_e;

/* ASLEEP -> AWAKE -> ENDED */

/* What all files share. */
typedef struct {
    int64_t   since;                    /* ms; lines before are left out */
    int64_t   until;                    /* and those at or after this */
    uint64_t  lines;
    uint64_t  damaged;
    bool      failed;                   /* a file was not read to its end */
} ig_log_shared_t;

typedef struct {
    const char        *path;
    ig_log_state_e     state;
    bool               open;
    bool               once;            /* cannot be opened twice: a pipe */
    int64_t            first;           /* time of its first line */
    uint64_t           limit;           /* bytes that are read of it */
    ig_log_read_t      read;
    unsigned           late;            /* lines beyond `until`, in a row */
    ig_log_slot_t     *slot;            /* [IG_LOG_WINDOW + 1] */
    ig_log_slot_t     *taken;           /* the caller reads it */
    ig_log_slot_t    **spare;
    unsigned           nspare;
    ig_log_waiting_t  *ring;            /* sorted by time, from head on */
    unsigned           head;
    unsigned           count;
} ig_log_file_t;

/* Opens it and looks at its first line's time.  IG_ERROR: told. */
int ig_log_file_open(ig_log_file_t *f, const char *path);

/* Opens it again and fills its window.  IG_OK; IG_ERROR: told. */
int ig_log_file_wake(ig_log_file_t *f, ig_log_shared_t *shared);

/* The time of its earliest line; false: there is none, it has ended. */
bool ig_log_file_time(const ig_log_file_t *f, int64_t *time);

/*
 * Takes the earliest line, which is valid until the next call.  IG_NOMEM:
 * the line that should take its place could not be kept.
 */
int ig_log_file_take(ig_log_file_t *f, ig_log_shared_t *shared,
    const ig_log_slot_t **slot, int64_t *time);

void ig_log_file_close(ig_log_file_t *f, ig_log_shared_t *shared);

/* Tells that a line is damaged (the first twenty) and counts it. */
void ig_log_damaged(ig_log_shared_t *shared, const char *name,
    uint64_t number, const char *why);

#endif /* IG_CTL_LOG_FILE_H */
