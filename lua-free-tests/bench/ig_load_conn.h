/*
 * Owns: connection, application and run, as the files of the loop see them.
 * Borrows: the ring of request texts.
 * Called by: ig_load_conn.c, ig_load_app.c, ig_load_run.c.
 */

#ifndef IG_LOAD_CONN_H_INCLUDED
#define IG_LOAD_CONN_H_INCLUDED

#include "ig_load.h"


#define IG_RUN_SECOND  1000000000u


/* what epoll's pointer points to: the first member of each of them */

typedef enum {
    IG_SOURCE_CONN = 0,
    IG_SOURCE_APP,
    IG_SOURCE_PEER
} ig_source_e;

typedef struct ig_peer_s  ig_peer_t;

typedef struct {
    ig_source_e   source;       /* IG_SOURCE_APP */
    int           ep;
    int           fd;           /* listening, not blocking */
    ig_peer_t    *peers;
} ig_app_t;


typedef enum {
    IG_CONN_CLOSED = 0,
    IG_CONN_CONNECTING,
    IG_CONN_IDLE,
    IG_CONN_SENDING,
    IG_CONN_WAITING
} ig_conn_state_e;

/*
 * CLOSED -> CONNECTING -> IDLE -> SENDING -> WAITING -> IDLE
 * IDLE -> WAITING (sent at one go);  any -> CLOSED (error, timeout, close)
 */

typedef struct {
    ig_source_e       source;   /* IG_SOURCE_CONN */
    int               fd;
    ig_conn_state_e   state;
    const ig_text_t  *text;
    size_t            sent;
    uint64_t          since;    /* the latency counts from here, ns */
    uint64_t          started;  /* the timeout counts from here, ns */
    uint32_t          events;   /* what epoll was told */
    ig_reply_t        reply;
} ig_conn_t;

typedef struct {
    const ig_run_conf_t  *conf;
    ig_run_result_t      *result;
    ig_conn_t            *conns;
    uint32_t             *idle;     /* a stack: the warmest goes first */
    uint32_t              nidle;
    uint32_t              busy;     /* requests on their way */
    uint32_t              next;     /* in the ring */
    int                   ep;
    ig_app_t              app;
    ig_rng_t              rng;
    uint64_t              start;
    uint64_t              end;      /* nothing is intended from here on */
    uint64_t              due;      /* the next intended time */
    uint64_t              last;     /* the latest reply */
} ig_run_t;


/* monotonic, nanoseconds */
uint64_t ig_run_now(void);

/*
 * Sends what is due.  A paced request that finds no connection free keeps its
 * intended time, so that a server's stall is seen by all whom it delayed.
 */
void ig_run_dispatch(ig_run_t *run);

/* A failure is counted; the connection stays CLOSED then. */
void ig_conn_open(ig_run_t *run, ig_conn_t *c);
void ig_conn_close(ig_run_t *run, ig_conn_t *c);

/* Sends what is left of c->text; the state is SENDING. */
void ig_conn_push(ig_run_t *run, ig_conn_t *c);

/* events: what epoll said */
void ig_conn_event(ig_run_t *run, ig_conn_t *c, uint32_t events);

/* Serves on fd from now on; returns 0 or -1. */
int ig_app_open(ig_app_t *app, int ep, int fd);
void ig_app_close(ig_app_t *app);
void ig_app_event(ig_app_t *app);
void ig_peer_event(ig_peer_t *peer);

#endif
