/*
 * ig_redis_int.h: private to the client: its state, shared by its files.
 * Owns nothing.  Included by ig_redis_client.c (the port), ig_redis_queue.c
 * (batches in flight), ig_redis_errand.c (what the client sends for itself),
 * ig_redis_io.c (bytes), ig_redis_take.c (replies), ig_redis_connect.c (the
 * connection's states), ig_redis_breaker.c (when not to ask).
 */

#ifndef IG_REDIS_INT_H
#define IG_REDIS_INT_H

#include "ig_redis_client.h"
#include "ig_redis_command.h"

#include <ngx_event_connect.h>

/* Commands not yet taken by the socket; what no reply came to yet. */
#define IG_REDIS_OUT      (1024 * 1024)
#define IG_REDIS_BATCHES  4096
#define IG_REDIS_IN       (16 * 1024)

/* Keys whose lifetime is in doubt, from one connection to the next. */
#define IG_REDIS_LIVES    1024

/* Late batches in a row, without a reply between, that open the breaker. */
#define IG_REDIS_LATE     5

#define IG_REDIS_TICK     5000      /* ms: probe and markers while ready */
#define IG_REDIS_ASK      50        /* ms: not sooner, whatever happens */
#define IG_REDIS_PATIENCE 5000      /* ms: how long a stalled server is kept */
#define IG_REDIS_HOLD     1000      /* ms: an exiting worker waits so long */
#define IG_REDIS_BACKOFF  50        /* ms: of the first retry, at most */
#define IG_REDIS_BACKOFF_MAX  5000


typedef enum {
    IG_LINK_RESTING = 0,    /* none is wanted until a batch comes */
    IG_LINK_WAITING,        /* until the next attempt */
    IG_LINK_CONNECTING,
    IG_LINK_AUTH,
    IG_LINK_SELECT,
    IG_LINK_PING,
    IG_LINK_READY,
    IG_LINK_STALLED,        /* open breaker, kept for the replies still owed */
    IG_LINK_CLOSED          /* the worker ends */
} ig_link_e;

/*
 * RESTING, WAITING -> CONNECTING
 * CONNECTING -> [AUTH] -> [SELECT] -> PING -> READY      each after its reply
 * READY -> STALLED          IG_REDIS_LATE batches were late, no reply between
 * STALLED -> READY          every late reply has come
 * CONNECTING ... STALLED -> WAITING   lost, refused, timed out, out of step
 * READY -> RESTING          the worker is exiting and nothing is in flight
 * any -> CLOSED             final
 *
 * One cancelable timer serves all: the backoff in WAITING, connect_timeout
 * from CONNECTING to PING, the tick in READY, the patience in STALLED.
 */

typedef enum {
    IG_BREAKER_UNTRIED = 0, /* the first attempt runs: batches wait for it */
    IG_BREAKER_CLOSED,
    IG_BREAKER_OPEN         /* nobody waits */
} ig_breaker_e;

/*
 * UNTRIED -> CLOSED         READY
 * UNTRIED, CLOSED -> OPEN   the connection was lost, or batches were late
 * OPEN -> CLOSED            READY again
 * CLOSED -> UNTRIED         RESTING
 */

/*
 * Who holds a batch.  From submit on it is in one list, oldest first:
 *
 *   head ... sent   its commands are in the output buffer or in the socket,
 *                   replies are matched from the head on
 *   (behind sent)   its commands are not written yet
 *
 * `due` is the first in this list for which somebody waits (SENT, and done is
 * not NULL); as every batch has the same deadline, only it has to be watched.
 *
 *   SENT      in the list
 *   LATE      in the list, done was called; leaves it with its last reply,
 *             or at once if it was not written yet
 *   ANSWERED  out of the list, in `finished` until done and settled are called
 *   DOWN      out of the list, in `finished`: the connection was lost
 *   SETTLED   the submitter's again
 *
 * Callbacks run only from ig_redis_settle() and ig_redis_late(), when the list
 * is in order: they may submit.
 */

typedef struct {
    ig_batch_t  *head;
    ig_batch_t  *tail;
} ig_batch_list_t;

/*
 * What the client sends for itself, as a batch of no ops in the same list:
 * the tick (PING and the warm-up markers), what must follow an op, or a
 * lifetime for its key.  It has no callbacks, which is how it is told from a
 * submitter's.
 *
 * Between connections there are none but those for lifetimes, in `lives`: what
 * was in flight may have made its key, and not given it one.
 */
typedef struct {
    ig_batch_t   batch;     /* first */
    ngx_uint_t   tick;
    ngx_uint_t   life;
    ngx_uint_t   reply;     /* the next one's index */
    ig_op_t      op;        /* !tick: a copy */
} ig_errand_t;

#define ig_redis_is_errand(batch)  ((batch)->settled == NULL)

struct ig_redis_client_s {
    ig_store_t             store;           /* first */
    ig_redis_conf_t       *conf;
    ngx_pool_t            *pool;

    ig_link_e              link;
    ig_breaker_e           breaker;
    ngx_connection_t      *connection;
    ig_redis_reader_t     *reader;
    ngx_log_t              quiet;           /* for what nginx says of it */

    /* the list of batches, and which reply of its head comes next */
    ig_batch_list_t        list;
    ig_batch_t            *sent;
    ig_batch_t            *due;
    ngx_uint_t             nbatches;
    ngx_uint_t             nlate;           /* LATE ones in the list */
    ngx_uint_t             op;
    ngx_uint_t             reply;

    ig_batch_list_t        finished;
    ig_batch_t            *spare;           /* errands */
    ig_batch_t            *lives;
    ngx_uint_t             nlives;
    ig_errand_t            tick;
    ngx_uint_t             ticking;         /* the tick is in the list */

    const ig_counter_t   **warm;            /* counters with a marker */
    ngx_uint_t             nwarm;
    int64_t               *since;           /* by counter id */

    ngx_uint_t             late_row;
    ngx_uint_t             failures;        /* attempts since it last worked */
    ngx_uint_t             fatal;           /* why: not worth a connection */
    char                   why[64];

    ngx_event_t            flush;           /* posted once a turn */
    ngx_event_t            timer;
    ngx_event_t            deadline;
    ngx_connection_t       dummy;           /* what these call their data */

    u_char                *out;             /* IG_REDIS_OUT */
    u_char                *out_pos;
    u_char                *out_last;
    u_char                *in;              /* IG_REDIS_IN */

    /* of notices and of errors: second of the last line, lines not written */
    time_t                 said[2];
    ngx_uint_t             unsaid[2];
};

/* The node's wall clock, ms, as of this turn of the event loop. */
#define ig_redis_now()                                                        \
    ((int64_t) ngx_cached_time->sec * 1000 + ngx_cached_time->msec)


/* ig_redis_client.c */
/* Microseconds, monotonic. */
int64_t ig_redis_clock(void);
/* Has the output written at the end of this turn. */
void ig_redis_post_flush(ig_redis_client_t *client);

/* ig_redis_queue.c */
void ig_redis_append(ig_redis_client_t *client, ig_batch_t *batch);
/* In front of batches none of which is written yet. */
void ig_redis_prepend(ig_redis_client_t *client, ig_batch_t *batch);
/* The first whose commands are not written; NULL: none. */
ig_batch_t *ig_redis_unwritten(const ig_redis_client_t *client);
/* Takes the head, to which every reply came. */
void ig_redis_answered(ig_redis_client_t *client, int64_t now);
/* Takes all: nothing more will come.  Returns how many writes may be lost. */
ngx_uint_t ig_redis_lost(ig_redis_client_t *client);
/* Calls what is due to the finished ones. */
void ig_redis_settle(ig_redis_client_t *client);
/* Sets the timer for the next deadline, where it is not set. */
void ig_redis_watch(ig_redis_client_t *client, int64_t now);
void ig_redis_deadline_handler(ngx_event_t *ev);

/* ig_redis_errand.c */
/* Commands that must follow an op whose replies said so. */
void ig_redis_errand_again(ig_redis_client_t *client, const ig_op_t *op);
/* The fate of this op's writes is unknown: its key shall have a lifetime. */
void ig_redis_errand_life(ig_redis_client_t *client, const ig_op_t *op);
/* Those of before, on a new connection. */
void ig_redis_errand_lives(ig_redis_client_t *client);
/* An errand that got no reply. */
void ig_redis_errand_lost(ig_redis_client_t *client, ig_errand_t *errand);
/* PING and the warm-up markers, before (first) or after what waits. */
void ig_redis_errand_tick(ig_redis_client_t *client, ngx_uint_t first);
/* The same out of turn: a key is gone that had its lifetime, perhaps with all
 * others. */
void ig_redis_errand_ask(ig_redis_client_t *client);
/* Returns the number of replies that will come. */
unsigned ig_redis_errand_write(ig_redis_client_t *client,
    ig_errand_t *errand, ig_buf_t *b);
/* Bytes its commands may need. */
size_t ig_redis_errand_size(const ig_redis_client_t *client,
    const ig_errand_t *errand);
/* NGX_OK; NGX_ERROR: such a reply is none to that command. */
ngx_int_t ig_redis_errand_reply(ig_redis_client_t *client,
    ig_errand_t *errand, const ig_reply_t *reply);
void ig_redis_errand_free(ig_redis_client_t *client, ig_errand_t *errand);

/* ig_redis_io.c */
/* Writes commands and sends; may end in ig_redis_disconnect(). */
void ig_redis_flush(ig_redis_client_t *client);
/* Sends what the output buffer holds: NGX_OK (all), NGX_AGAIN, NGX_ERROR. */
ngx_int_t ig_redis_send(ig_redis_client_t *client);
/* Reads and hands out replies; may end in ig_redis_disconnect(). */
void ig_redis_receive(ig_redis_client_t *client);

/* ig_redis_take.c */
/* A reply for the head of the list; NGX_ERROR: nobody asked for such a one. */
ngx_int_t ig_redis_take(ig_redis_client_t *client, const ig_reply_t *reply,
    int64_t now);
/* Steps over whatever in the list waits for no reply. */
void ig_redis_skip(ig_redis_client_t *client, int64_t now);
/* Counts an error reply, tells the log, may set client->fatal. */
void ig_redis_error_reply(ig_redis_client_t *client, const ig_reply_t *reply);

/* ig_redis_connect.c */
/* In WAITING or RESTING: an attempt; the link tells what became of it. */
void ig_redis_connect(ig_redis_client_t *client);
/* The reply to AUTH, SELECT or PING; NGX_ERROR: refused, see client->why. */
ngx_int_t ig_redis_handshake_reply(ig_redis_client_t *client,
    const ig_reply_t *reply);
/* Closes, lets go of all batches, tries again later; err: errno or 0. */
void ig_redis_disconnect(ig_redis_client_t *client, ngx_err_t err,
    const char *why);
/* Closes for want of work. */
void ig_redis_rest(ig_redis_client_t *client);
/* Closes for good. */
void ig_redis_unlink(ig_redis_client_t *client);
/* A new state, and when its timer expires (0: never). */
void ig_redis_link(ig_redis_client_t *client, ig_link_e link,
    ngx_msec_t timer);
void ig_redis_timer_handler(ngx_event_t *ev);

/* ig_redis_breaker.c */
void ig_redis_breaker(ig_redis_client_t *client, ig_breaker_e breaker);
/* A batch was late: may open it. */
void ig_redis_breaker_late(ig_redis_client_t *client);
/* Replies were read: may close it. */
void ig_redis_breaker_replies(ig_redis_client_t *client);
/* How long to wait before the next attempt. */
ngx_msec_t ig_redis_backoff(ig_redis_client_t *client);
/* At most one error a second and one notice, with a count of the others. */
void ig_redis_log(ig_redis_client_t *client, ngx_uint_t level, ngx_err_t err,
    const char *fmt, ...);

#endif /* IG_REDIS_INT_H */
