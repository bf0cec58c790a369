/*
 * ngx_http_integrity.h: what the files of the nginx side share: configuration
 * of http and of a place, the state of a request, the state of a worker.
 * Owns nothing.  Included by every file of module/http.
 */

#ifndef NGX_HTTP_INTEGRITY_H
#define NGX_HTTP_INTEGRITY_H

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ig_call.h"
#include "ig_chain.h"
#include "ig_event.h"
#include "ig_json.h"
#include "ig_metrics.h"
#include "ig_policy.h"
#include "ig_secret.h"
#include "ig_settings.h"
#include "ig_store.h"
#include "ig_version.h"
#include "ig_window.h"

/* nginx strings and the core's have the same shape but other pointers. */
#define ngx_http_integrity_str(s)                                             \
    ((ig_str_t) { (s).len, (const char *) (s).data })

typedef struct ngx_http_integrity_shared_s  ngx_http_integrity_shared_t;
typedef struct ngx_http_integrity_audit_s   ngx_http_integrity_audit_t;
typedef struct ngx_http_integrity_ctx_s     ngx_http_integrity_ctx_t;


/* -- configuration: read only once the configuration is read ------------- */

/* Where the bytes of a field's source come from. */
typedef struct {
    ngx_int_t                  index;       /* a plain "$name"; else -1 */
    ngx_http_complex_value_t  *value;
} ngx_http_integrity_source_t;

/* A text with variables that a directive of a place was given. */
typedef struct {
    ngx_str_t                  directive;
    ig_str_t                   text;
    ig_pos_t                   pos;
} ngx_http_integrity_text_t;

/* One file that some place writes to. */
typedef struct {
    ngx_open_file_t  *file;                 /* by a name of our own */
    ngx_str_t         name;
    ngx_uint_t        index;                /* in mcf->audit, worker->audit */
    ig_pos_t          pos;
} ngx_http_integrity_file_t;

typedef struct {
    ig_mem_t                      mem;      /* the configuration's pool */
    ig_policy_t                  *policy;
    ig_plan_t                    *empty;    /* of no action: reads `body` */
    ngx_http_integrity_source_t  *source;   /* by source id */

    ngx_shm_zone_t               *zone;
    ig_zone_settings_t            zone_settings;
    ig_secret_t                  *secret;
    ngx_str_t                     node;

    ngx_flag_t                    redis;    /* unset: counters in the zone */
    ig_redis_settings_t           redis_settings;
    ngx_addr_t                    redis_addr;
    ngx_str_t                     redis_password;

    ngx_int_t                     request_id;   /* its index; -1: unused */
    ngx_array_t                   audit;    /* ngx_http_integrity_file_t * */
    ngx_uint_t                    nplaces;  /* that decide */
    ig_pos_t                      used;     /* the first `integrity` not off */
    const char                   *used_by;  /* or `integrity_status` */
    ngx_array_t                   texts;    /* ngx_http_integrity_text_t */

    char                          policy_hex[2 * IG_SHA256 + 1];
} ngx_http_integrity_main_conf_t;

typedef struct {
    ig_mode_e                  mode;
    ngx_http_complex_value_t  *value;       /* IG_MODE_VARIABLE */
    ig_str_t                   except;
    ig_pos_t                   pos;
} ngx_http_integrity_mode_t;

typedef struct {
    ig_action_settings_t       settings;
    ngx_http_complex_value_t  *value;       /* not literal */
    const ig_plan_t           *plan;        /* literal; after http ends */
} ngx_http_integrity_action_t;

typedef struct {
    ngx_http_integrity_file_t  *file;       /* NULL: off */
    ig_audit_settings_t         settings;
} ngx_http_integrity_log_t;

typedef struct {
    ig_threshold_settings_t  settings;
    ig_pos_t                 pos;
} ngx_http_integrity_threshold_t;

typedef struct {
    ngx_http_integrity_mode_t    *mode;
    ngx_http_integrity_action_t  *action;
    ngx_http_integrity_log_t     *log;
    ngx_http_complex_value_t     *tenant;
    ig_body_settings_t           *body;
    ngx_array_t                  *thresholds;   /* of this level only */
    ngx_uint_t                    status_throttle;
    ngx_uint_t                    status_deny;
    ngx_uint_t                    sample;
    ig_pos_t                      control;  /* integrity_control, if it is */

    ig_place_t                    place;        /* merged: see init */
    ngx_flag_t                    enabled;      /* the one test: decides, or
                                                   may lead to where we do */
    ngx_flag_t                    decides;
    ngx_uint_t                    quiet;        /* index in worker->quiet */
    ngx_flag_t                    leads;
} ngx_http_integrity_loc_conf_t;


/* -- a request ----------------------------------------------------------- */

typedef enum {
    NGX_HTTP_INTEGRITY_START = 0,
    NGX_HTTP_INTEGRITY_BODY,        /* nginx is reading the body */
    NGX_HTTP_INTEGRITY_COUNTING,    /* the store has the batch */
    NGX_HTTP_INTEGRITY_ABANDONED,   /* nginx answered before we could */
    NGX_HTTP_INTEGRITY_RECORDING,   /* the audit line waits for its write */
    NGX_HTTP_INTEGRITY_RECORDED,    /* the decision may take effect */
    NGX_HTTP_INTEGRITY_PASSED,
    NGX_HTTP_INTEGRITY_REJECTED,
    NGX_HTTP_INTEGRITY_IGNORED      /* a place named no action for it */
} ngx_http_integrity_state_e;

/*
 * START -> BODY -> COUNTING -> RECORDING -> RECORDED -> PASSED | REJECTED
 * START -> COUNTING (no body wanted), START, BODY -> RECORDING (answered
 * without the store), COUNTING skipped where the store answers at once,
 * any before RECORDED -> the request ends (client gone): see the clean-up.
 * START -> IGNORED -> START (another place after an internal redirect).
 * BODY -> ABANDONED (nginx refused the body itself, and may show an error
 * page), COUNTING, RECORDING -> ABANDONED (a post_action of a client gone).
 *
 * Who owns the request: in BODY nginx's body reader, which comes back through
 * a callback; in COUNTING the batch points to it and detaching is the
 * clean-up's work; in RECORDING the worker's queue of waiting requests.  In
 * the latter two the phase handler answers NGX_AGAIN to anybody who runs it.
 */

struct ngx_http_integrity_ctx_s {
    ngx_http_request_t             *request;
    ngx_http_integrity_state_e      state;
    ngx_http_integrity_loc_conf_t  *conf;       /* of the deciding place */
    ngx_queue_t                     queue;      /* in RECORDING */

    ig_call_t                      *call;
    ig_str_t                        path;
    ig_json_t                      *json;
    ig_batch_t                     *batch;      /* in COUNTING */
    ig_op_t                        *op;         /* answered; request's pool */
    unsigned                        nops;

    ngx_uint_t                      status;     /* of a refusal; 0: none */
    ig_str_t                        reason;     /* why no body was inspected */

    unsigned                        dry_run:1;
    unsigned                        body_read:1;
    unsigned                        recorded:1; /* a decision line exists */
    unsigned                        lost:1;     /* that line did not get out */
    unsigned                        degraded:1;
    unsigned                        settled:1;  /* written after it */
    unsigned                        completed:1;
    unsigned                        quiet:1;    /* another line tells of it */
};


/* -- a worker ------------------------------------------------------------ */

typedef struct {
    ngx_http_integrity_main_conf_t  *mcf;       /* NULL: not set up */
    ngx_http_integrity_shared_t     *shared;
    ngx_slab_pool_t                 *shpool;
    struct ig_table_s               *table;
    ig_metrics_t                    *metrics;

    ig_store_t                      *store;     /* NULL: the table itself */
    struct ig_redis_client_s        *redis;

    ngx_http_integrity_audit_t      *audit;     /* by file index */
    ngx_queue_t                      waiting;   /* ctx in RECORDING */
    ngx_event_t                      turn;      /* posted once a turn */
    ngx_event_t                      tick;      /* once a second */

    uint8_t                         *known;     /* by counter id */
    int                             *action_series;     /* by plan index */
    int                             *rule_series;       /* by rule id */

    struct ngx_http_integrity_batch_s  *free_batches;
    struct ngx_http_integrity_quiet_s  *quiet;  /* unclassified, by place */

    u_char                           random[1024];
    size_t                           random_left;
} ngx_http_integrity_worker_t;

/* What a process adds to gauges, in the zone: others take it back where the
 * process cannot. */
typedef struct {
    uint64_t  pid;              /* 0: free */
    uint64_t  redis_up;
    uint64_t  redis_breaker;
} ngx_http_integrity_life_t;

/* What all workers know of an audit file, in the zone. */
typedef struct {
    uint64_t  name;             /* hash of its path; 0: free */
    uint64_t  torn;             /* its last line, of whomever, lacks its end */
    uint64_t  number;           /* of files opened by this path, from 1 */
    uint64_t  inode;            /* of the last of them */
    uint64_t  device;
    uint64_t  size;             /* at least, of that one; above, in 16 bits,
                                   its number: both change at once */
    uint64_t  cuts;             /* how often it was found shorter than that */
    uint64_t  cut;              /* by how much, the last time */
} ngx_http_integrity_tail_t;

#define NGX_HTTP_INTEGRITY_SIZE_BITS  48

extern ngx_http_integrity_worker_t  ngx_http_integrity_worker;
extern ngx_module_t                 ngx_http_integrity_module;

/* The node's wall clock in ms, as of this turn of the event loop. */
#define ngx_http_integrity_now()                                              \
    ((int64_t) ngx_cached_time->sec * 1000                                    \
     + (int64_t) ngx_cached_time->msec)


/* ngx_http_integrity_directives.c: slot functions of the command table. */
char *ngx_http_integrity_policy_slot(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_integrity_threshold_slot(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_integrity_zone_slot(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_integrity_redis_slot(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_integrity_secret_slot(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_integrity_node_slot(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_integrity_audit_slot(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_integrity_sample_slot(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_integrity_mode_slot(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_integrity_action_slot(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_integrity_tenant_slot(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_integrity_body_slot(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_integrity_status_code_slot(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* Reports a core error: where it stands, or at the directive being read. */
char *ngx_http_integrity_conf_error(ngx_conf_t *cf, const ig_error_t *err);

/* ngx_http_integrity_conf.c: begin, end and inheritance. */
void *ngx_http_integrity_create_main_conf(ngx_conf_t *cf);
char *ngx_http_integrity_init_main_conf(ngx_conf_t *cf, void *conf);
void *ngx_http_integrity_create_loc_conf(ngx_conf_t *cf);
char *ngx_http_integrity_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);

/*
 * ngx_http_integrity_files.c: at configuration.  *name, relative to the
 * configuration's folder, is made absolute; what is wrong has been told.
 */
ngx_int_t ngx_http_integrity_read_private(ngx_conf_t *cf,
    ngx_str_t *directive, ngx_str_t *name, ngx_str_t *text);
/* The one file of mcf->audit by this name; NULL: told, or no memory. */
ngx_http_integrity_file_t *ngx_http_integrity_audit_file(ngx_conf_t *cf,
    ngx_str_t name, ig_pos_t pos);
/* NGX_ERROR, and told, where an audit file is also somebody else's. */
ngx_int_t ngx_http_integrity_check_files(ngx_cycle_t *cycle,
    ngx_http_integrity_main_conf_t *mcf, ngx_log_t *log);

/* ngx_http_integrity_zone.c: the shared zone. */
ngx_int_t ngx_http_integrity_zone_init(ngx_shm_zone_t *zone, void *data);
struct ig_table_s *ngx_http_integrity_shared_table(
    ngx_http_integrity_shared_t *shared);
ig_metrics_t *ngx_http_integrity_shared_metrics(
    ngx_http_integrity_shared_t *shared);
/* NGX_MAX_PROCESSES of them, by ngx_process_slot. */
ngx_http_integrity_life_t *ngx_http_integrity_shared_lives(
    ngx_http_integrity_shared_t *shared);
/* The slot that remembers a worker's chain on a file; NULL: none left. */
ig_chain_t *ngx_http_integrity_shared_chain(
    ngx_http_integrity_shared_t *shared, ngx_uint_t worker, ngx_str_t *file);
/* What all workers know of a file. */
ngx_http_integrity_tail_t *ngx_http_integrity_shared_tail(
    ngx_http_integrity_shared_t *shared, ngx_str_t *file);

/* ngx_http_integrity_worker.c: set-up and end of a worker, its clock tick. */
ngx_int_t ngx_http_integrity_init_process(ngx_cycle_t *cycle);
void ngx_http_integrity_exit_process(ngx_cycle_t *cycle);
void ngx_http_integrity_lock(void);
void ngx_http_integrity_unlock(void);
/* `len` (at most 64) random bytes; zeros only if the system has none. */
void ngx_http_integrity_random(u_char *p, size_t len);
/* By counter id, right for those of the plan: remembered for long enough. */
const uint8_t *ngx_http_integrity_known(const ig_plan_t *plan);
/*
 * Whether the store has remembered the counter for its warm-up, and since when
 * (ms since epoch; -1: that is not known, or has no warm-up).
 */
ngx_uint_t ngx_http_integrity_remembers(const ig_counter_t *counter,
    int64_t *since);
/* Asks for the end of this turn: lines are written, requests resumed. */
void ngx_http_integrity_post_turn(void);

/* ngx_http_integrity_life.c: this process's entry, and those of crashed ones */
ngx_http_integrity_life_t *ngx_http_integrity_life_begin(void);
void ngx_http_integrity_life_end(void);
void ngx_http_integrity_life_bury(void);

/* ngx_http_integrity_batch.c: batches of operations in worker memory. */
ig_batch_t *ngx_http_integrity_batch(unsigned max_ops);
void ngx_http_integrity_batch_free(ig_batch_t *batch);
void ngx_http_integrity_batch_drop(void);
/*
 * Runs a batch on the table and, where there is one, through the store.
 * NGX_OK: answered; NGX_AGAIN: batch->done will be called; NGX_ERROR: the
 * store is down, local answers are in the notes.  Ownership as in ig_store.h.
 */
ngx_int_t ngx_http_integrity_batch_run(ig_batch_t *batch,
    ngx_connection_t *client);
/* Writes after the decision: nobody waits, the batch frees itself. */
void ngx_http_integrity_batch_send(ig_batch_t *batch, ngx_uint_t local_undo,
    ngx_connection_t *client);
/* Takes back, in the store only or here too, what a finished batch added. */
void ngx_http_integrity_batch_undo(ig_batch_t *batch, ngx_uint_t everywhere);

/* ngx_http_integrity_request.c: the state machine. */
ngx_int_t ngx_http_integrity_handler(ngx_http_request_t *r);
void ngx_http_integrity_resume(ngx_http_integrity_ctx_t *ctx);
/*
 * Whether this process is set up for the configuration of the request.  A
 * single process (master_process off) that was told to reload still has
 * requests of the old one, whose plans and files are not those of the worker.
 */
ngx_uint_t ngx_http_integrity_serves(ngx_http_request_t *r);

/* ngx_http_integrity_outcome.c: how a request ended. */
ngx_int_t ngx_http_integrity_log_handler(ngx_http_request_t *r);

/* ngx_http_integrity_ctx.c: the context that outlives internal redirects. */
ngx_http_integrity_ctx_t *ngx_http_integrity_get_ctx(ngx_http_request_t *r);
ngx_http_integrity_ctx_t *ngx_http_integrity_make_ctx(ngx_http_request_t *r);

/* ngx_http_integrity_decide.c: from operations to the audit line. */
ngx_int_t ngx_http_integrity_count(ngx_http_integrity_ctx_t *ctx);
void ngx_http_integrity_record(ngx_http_integrity_ctx_t *ctx);
void ngx_http_integrity_settle(ngx_http_integrity_ctx_t *ctx);
void ngx_http_integrity_take_back(ngx_http_integrity_ctx_t *ctx);
void ngx_http_integrity_complete(ngx_http_integrity_ctx_t *ctx);

/* ngx_http_integrity_fields.c: fields from variables; the action. */
ngx_int_t ngx_http_integrity_fields(ngx_http_integrity_ctx_t *ctx,
    ngx_uint_t late);
void ngx_http_integrity_pool_mem(ig_mem_t *mem, ngx_pool_t *pool);
const ig_plan_t *ngx_http_integrity_plan(ngx_http_request_t *r,
    ngx_http_integrity_loc_conf_t *lcf, ig_str_t *action);

/*
 * ngx_http_integrity_body.c: NGX_OK: the body's fields are set (or the
 * configuration passes what cannot be read); NGX_DONE: being read; else ctx->
 * status is set and NGX_DECLINED returned; NGX_ERROR or an HTTP status.
 */
ngx_int_t ngx_http_integrity_body(ngx_http_integrity_ctx_t *ctx);

/*
 * The body that was read, in one piece: a single buffer in memory is not
 * copied.  NGX_OK; NGX_DECLINED: over max bytes; NGX_ERROR.
 */
ngx_int_t ngx_http_integrity_body_gather(ngx_http_request_t *r, size_t max,
    ig_str_t *text);

/* ngx_http_integrity_content.c: what the headers say of the body. */
typedef struct {
    ngx_uint_t  types;          /* Content-Type headers */
    ngx_uint_t  json;           /* one of them, and JSON in UTF-8 */
    ngx_uint_t  encoded;        /* a Content-Encoding but identity */
} ngx_http_integrity_content_t;

void ngx_http_integrity_content(ngx_http_request_t *r,
    ngx_http_integrity_content_t *content);

/* ngx_http_integrity_answer.c: refusals. */
ngx_int_t ngx_http_integrity_answer(ngx_http_request_t *r,
    ngx_http_integrity_ctx_t *ctx);

/*
 * ngx_http_integrity_load.c: a step of a load of history, batch->load, in the
 * table or through the store.  NGX_OK: load->state says what came of it;
 * NGX_AGAIN: batch->settled will be called, then it does; NGX_ERROR: the store
 * is down.
 */
ngx_int_t ngx_http_integrity_load_run(ig_batch_t *batch);
/* Of the table: slots, how many are taken, keys evicted too early so far. */
void ngx_http_integrity_load_room(uint64_t *slots, uint64_t *used,
    uint64_t *evicted);

/* ngx_http_integrity_cached.c: NGX_OK: decided from shared memory. */
ngx_int_t ngx_http_integrity_cached(ngx_http_integrity_ctx_t *ctx,
    ngx_uint_t early);
void ngx_http_integrity_cached_note(ngx_http_integrity_ctx_t *ctx);
void ngx_http_integrity_cached_flush(ngx_uint_t all);
void ngx_http_integrity_cached_lost(ngx_http_integrity_ctx_t *ctx);
/* What is noted of the op's key: it was reset. */
void ngx_http_integrity_cached_forget(const ig_op_t *op);

/* ngx_http_integrity_quiet.c: calls that no action speaks of. */
void ngx_http_integrity_quiet_count(ngx_http_integrity_ctx_t *ctx,
    ig_str_t action);
size_t ngx_http_integrity_quiet_size(ngx_http_integrity_main_conf_t *mcf);
void ngx_http_integrity_quiet_flush(ngx_uint_t all);

/* ngx_http_integrity_audit.c: the log's file, its chain, its batch. */
ngx_int_t ngx_http_integrity_audit_open(ngx_cycle_t *cycle);
void ngx_http_integrity_audit_close(void);
/* Where to write the next line; the host ends with audit_add. */
ig_buf_t *ngx_http_integrity_audit_line(ngx_http_integrity_file_t *file);
void ngx_http_integrity_audit_add(ngx_http_integrity_file_t *file,
    ngx_http_integrity_ctx_t *ctx);
/* A request that waits for its line is gone. */
void ngx_http_integrity_audit_forget(ngx_http_integrity_ctx_t *ctx);
void ngx_http_integrity_audit_write(void);
void ngx_http_integrity_audit_flush_hook(ngx_open_file_t *file,
    ngx_log_t *log);

/* ngx_http_integrity_variables.c */
ngx_int_t ngx_http_integrity_add_variables(ngx_conf_t *cf);
ngx_int_t ngx_http_integrity_check_variables(ngx_conf_t *cf);

/* ngx_http_integrity_control.c */
char *ngx_http_integrity_control_slot(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* ngx_http_integrity_status.c */
char *ngx_http_integrity_status_slot(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

#endif /* NGX_HTTP_INTEGRITY_H */
