/*
 * Owns: the types shared by the parts of the load generator.
 * Borrows: nothing; libc only.
 * Called by: ig_load.c, ig_load_run.c, ig_load_conn.c, ig_load_app.c,
 * ig_load_ring.c, ig_load_reply.c, ig_load_hist.c.
 */

#ifndef IG_LOAD_H_INCLUDED
#define IG_LOAD_H_INCLUDED

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>


/* splitmix64: seeded, the same sequence on every machine */

typedef struct {
    uint64_t  state;
} ig_rng_t;

uint64_t ig_rng_next(ig_rng_t *rng);

/* a number in [0, 1) */
double ig_rng_unit(ig_rng_t *rng);


/* requests made before the run: sending one is one pointer and one length */

typedef struct {
    uint32_t     texts;         /* requests in the ring */
    uint32_t     accounts;      /* how many different ones; all >= 1 */
    uint32_t     devices;
    uint32_t     merchants;
    uint32_t     products;
    size_t       body;          /* bytes of JSON aimed at, 300..4000 */
    double       skew;          /* zipf exponent; 0 is uniform */
    uint64_t     seed;
} ig_ring_conf_t;

typedef struct {
    const char  *data;
    size_t       len;
} ig_text_t;

typedef struct {
    char        *arena;
    ig_text_t   *text;
    uint32_t     n;
    uint64_t     bytes;         /* of all requests, headers included */
    uint64_t     body_bytes;    /* of their bodies alone */
} ig_ring_t;

/* Returns 0, or -1 where memory is short or conf is out of range. */
int ig_ring_build(ig_ring_t *ring, const ig_ring_conf_t *conf);
void ig_ring_free(ig_ring_t *ring);


/* one HTTP/1.1 response, in whatever pieces it comes */

typedef enum {
    IG_REPLY_HEAD = 0,
    IG_REPLY_LENGTH,
    IG_REPLY_CHUNK_SIZE,
    IG_REPLY_CHUNK_DATA,
    IG_REPLY_CHUNK_END,
    IG_REPLY_TRAILER,
    IG_REPLY_UNTIL_CLOSE,
    IG_REPLY_DONE
} ig_reply_state_e;

/*
 * HEAD -> HEAD (1xx) | LENGTH | CHUNK_SIZE | UNTIL_CLOSE | DONE
 * LENGTH -> DONE;  UNTIL_CLOSE -> DONE (at end of file)
 * CHUNK_SIZE -> CHUNK_DATA -> CHUNK_END -> CHUNK_SIZE
 * CHUNK_SIZE (0) -> TRAILER -> DONE
 */

typedef enum {
    IG_FEED_MORE = 0,
    IG_FEED_DONE,
    IG_FEED_BAD
} ig_feed_e;

#define IG_REPLY_HEAD_MAX  8192

typedef struct {
    ig_reply_state_e  state;
    int               status;
    int               close;    /* the server closes after this one */
    uint64_t          left;     /* bytes of body or chunk to come */
    size_t            held;     /* bytes of an incomplete head or line */
    char              hold[IG_REPLY_HEAD_MAX];
} ig_reply_t;

void ig_reply_reset(ig_reply_t *r);

/* Bytes behind the end of the response are BAD: nothing is pipelined here. */
ig_feed_e ig_reply_feed(ig_reply_t *r, const char *p, size_t n);

/* What end of file means now: DONE for a body that ends so, else BAD. */
ig_feed_e ig_reply_eof(ig_reply_t *r);


/* log-linear: 64 steps in each power of two, so an error below 1.6 % */

#define IG_HIST_SUB   64
#define IG_HIST_SIZE  (IG_HIST_SUB * 36)

typedef struct {
    uint64_t  n;
    uint64_t  sum;
    uint64_t  max;
    uint64_t  slot[IG_HIST_SIZE];
} ig_hist_t;

/* ns: nanoseconds; more than 2^40 counts in the last slot */
void ig_hist_add(ig_hist_t *h, uint64_t ns);

/* q in (0, 1]; returns nanoseconds, the slot's upper edge, at most max */
uint64_t ig_hist_quantile(const ig_hist_t *h, double q);


/* one run against 127.0.0.1 */

typedef struct {
    unsigned          port;
    int               application;  /* listening socket to serve, or -1 */
    unsigned          connections;
    double            seconds;      /* for how long new requests start */
    double            rate;         /* requests/s to intend; 0: closed loop */
    int               uniform;      /* equal gaps, not exponential ones */
    int               spin;         /* paced: look, never sleep */
    double            timeout;      /* seconds until a request is given up */
    uint64_t          seed;
    const ig_ring_t  *ring;
} ig_run_conf_t;

typedef struct {
    uint64_t          requests;     /* whole responses */
    uint64_t          status[600];
    uint64_t          broken;       /* closed early, or not HTTP */
    uint64_t          timeouts;
    uint64_t          connects;
    uint64_t          connect_errors;
    uint64_t          unsent;       /* intended, but no connection was free */
    uint64_t          bytes;        /* received */
    double            seconds;      /* from the first send to the last reply */
    double            cpu_seconds;  /* of this process, application too */
    ig_hist_t         latency;      /* since sent; paced: since intended */
} ig_run_result_t;

/* Returns 0; -1 where the server cannot be reached or memory is short. */
int ig_run(const ig_run_conf_t *conf, ig_run_result_t *result);

#endif
