/*
 * ig_ctl_load.h: what the files of `integrityctl load` share: the history,
 * what of it the live store lacks, and the way there.
 * Owns nothing.  Included by ig_ctl_load*.c alone.
 */

#ifndef IG_CTL_LOAD_H
#define IG_CTL_LOAD_H

#include "ig_ctl_backtest.h"
#include "ig_ctl_control.h"
#include "ig_load.h"

typedef struct {
    const char  *socket;
    const char  *uri;
    const char  *by;
    const char  *reason;
    const char  *from;
    const char  *until;
    const char  *zone;
    const char  *action;
    const char  *tenant;
    bool         dry_run;
    bool         replace;       /* whatever load was begun and not ended */
} ig_load_options_t;

/* Why a counter is left as it is. */
typedef enum {
    IG_LEFT_NOT = 0,
    IG_LEFT_KNOWN,              /* its past is in the store already */
    IG_LEFT_PRIVATE             /* the audit log has its keys as pseudonyms */
} ig_left_e;

typedef struct {
    int64_t    since;           /* ms: the store's own memory begins */
    int64_t    moved;           /* where it will begin; -1: as it is */
    ig_left_e  left;
    bool       taken;           /* what there was before `since` is in out */
    uint64_t   keys;
    uint64_t   writes;
} ig_load_counter_t;

/* Keys that may have something to load, each once. */
typedef struct {
    uint8_t   key[IG_HASH];
    uint32_t  next;             /* in its bucket */
    uint16_t  counter;          /* id */
} ig_ledger_key_t;

typedef struct {
    ig_ledger_key_t  *key;      /* malloc */
    uint32_t          n;
    uint32_t          room;
    uint32_t         *bucket;
    uint32_t          nbuckets; /* a power of two */
} ig_ledger_t;

/* Ops as bytes, in batches. */
typedef struct {
    uint8_t   *bytes;           /* malloc */
    size_t     len;
    size_t     room;
    size_t    *end;             /* of each batch; malloc */
    unsigned   n;
    unsigned   nroom;
    unsigned   ops;             /* in the last one */
} ig_load_out_t;

typedef struct {
    ig_backtest_options_t   source_options;
    ig_load_options_t       options;
    ig_mem_t               *mem;
    ig_arena_t              arena;
    ig_secret_t             secret;
    ig_source_files_t       source;
    ig_trial_t             *trial;
    ig_progress_t           progress;
    ig_control_t            control;

    int64_t                 now;        /* ms, nginx's: windows end here */
    int64_t                 from;       /* ms: the events are complete from */
    int64_t                 until;      /* here to there */
    uint64_t                events;     /* within, before the store's memory */
    uint64_t                outside;    /* before from, after until */
    uint64_t                younger;    /* known to the store itself */
    bool                    logged;     /* some are from the audit log */
    bool                    redis;
    uint64_t                slots;      /* of the zone */
    uint64_t                used;

    ig_load_counter_t       counter[IG_MAX_COUNTERS];   /* by id */
    const ig_counter_t     *rank[IG_MAX_COUNTERS];
    ig_ledger_t             ledger;
    ig_load_out_t           out;
    uint64_t                writes;
    bool                    nomem;

    uint8_t                 id[IG_LOAD_ID];
    ig_load_cursor_t        found;      /* an unfinished load; of 0: none */
    int64_t                 sent;       /* ms it took to write */
    char                    question[IG_CONTROL_QUESTION];
} ig_loading_t;

/* ig_ctl_load_options.c: IG_CTL_OK, or IG_CTL_USAGE with the reason told. */
int ig_load_options(ig_loading_t *l, int argc, char **argv);

/* -- ig_ctl_load_ledger.c ------------------------------------------------ */

/* Remembers the keys that ops wrote; sets l->nomem. */
void ig_ledger_add(ig_loading_t *l, const ig_op_t *op, unsigned nops);

/*
 * Takes what the trial's store holds of the counters whose own memory begins
 * at `time` (ms) or before: nothing later may be in it.  IG_OK or IG_NOMEM.
 */
int ig_load_take(ig_loading_t *l, int64_t time);

void ig_ledger_free(ig_loading_t *l);

/* -- ig_ctl_load_send.c -------------------------------------------------- */

/* All: an exit code, with the reason told. */

/* nginx's time, since when it remembers each counter, a load under way. */
int ig_load_look(ig_loading_t *l);

/* Begins or goes on, writes, ends. */
int ig_load_send(ig_loading_t *l);

/* What is loaded, as an id. */
void ig_load_identify(ig_loading_t *l);

/* -- ig_ctl_load_text.c -------------------------------------------------- */

void ig_load_report(const ig_loading_t *l);
void ig_load_report_json(const ig_loading_t *l);

#endif /* IG_CTL_LOAD_H */
