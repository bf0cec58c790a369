/*
 * ig_ctl_list_log.h: what the log tells of a list: its entries, folded from
 * people's changes and from what rules put there.
 * Owns: the entries, in a memory of its own.
 * Included by ig_ctl_list_log*.c and ig_ctl_list.c.
 */

#ifndef IG_CTL_LIST_LOG_H
#define IG_CTL_LIST_LOG_H

#include "ig_ctl_log_source.h"
#include "ig_ctl_past.h"

#define IG_FOLD_BUCKETS  4096

typedef enum {
    IG_ENTRY_ON = 0,
    IG_ENTRY_OFF,               /* a person took it off */
    IG_ENTRY_SEEN               /* a call was on the list; how is not told */
} ig_entry_state_e;

/* SEEN, OFF -> ON -> OFF; a time that has passed is no state. */

typedef struct ig_list_entry_s  ig_list_entry_t;

struct ig_list_entry_s {
    ig_str_t           key;     /* {"account":"p:k1:..."}, texts throughout */
    ig_str_t           tenant;
    ig_entry_state_e   state;
    bool               failed;  /* the store did not answer: not certain */
    int64_t            since;   /* ms; SEEN: when it was first seen there */
    int64_t            until;   /* ms; INT64_MAX: not told */
    int64_t            changed; /* ms; by the last change */
    ig_str_t           by;      /* a person, or empty */
    ig_str_t           rule;    /* or a rule */
    ig_str_t           reason;
    ig_str_t           event;
    ig_list_entry_t   *bucket;
    ig_list_entry_t   *next;    /* in the order of first mention */
};

typedef struct {
    ig_str_t            list;
    int64_t             at;     /* ms: as it was then */
    bool                all;    /* entries that ended, too */
    bool                json;
    ig_past_t           past;
    ig_ctl_memory_t     memory;
    uint64_t            untold; /* lines whose key could not be told */
    ig_list_entry_t    *bucket[IG_FOLD_BUCKETS];
    ig_list_entry_t    *first;
    ig_list_entry_t   **end;
} ig_list_fold_t;

/* Takes a line that may speak of the list.  IG_OK; IG_NOMEM: told. */
int ig_list_fold(ig_list_fold_t *fold, const ig_audit_line_t *line);

/* "on", "off", "ended" at fold->at. */
const char *ig_list_entry_state(const ig_list_fold_t *fold,
    const ig_list_entry_t *entry);

/* `integrityctl list show LIST --log FILE...`; argv[0] is "list". */
int ig_list_log_run(int argc, char **argv);

#endif /* IG_CTL_LIST_LOG_H */
