/*
 * Owns: the event loop of one run, and when each request is meant to go.
 * Borrows: the ring of request texts.
 * Called by: ig_load.c.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <math.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "ig_load_conn.h"


#define IG_RUN_EVENTS      256
#define IG_RUN_LOOK_EVERY  (IG_RUN_SECOND / 20)
#define IG_RUN_NEVER       UINT64_MAX


uint64_t
ig_run_now(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return (uint64_t) ts.tv_sec * IG_RUN_SECOND + (uint64_t) ts.tv_nsec;
}


static double
ig_run_cpu(void)
{
    struct rusage  ru;

    getrusage(RUSAGE_SELF, &ru);

    return (double) (ru.ru_utime.tv_sec + ru.ru_stime.tv_sec)
           + 1e-6 * (double) (ru.ru_utime.tv_usec + ru.ru_stime.tv_usec);
}


/* "since" is when the request was meant to go, which may be long past */

static void
ig_run_send(ig_run_t *run, uint64_t since, uint64_t now)
{
    ig_conn_t  *c;

    c = &run->conns[run->idle[--run->nidle]];

    c->text = &run->conf->ring->text[run->next];
    run->next = (run->next + 1) % run->conf->ring->n;

    c->state = IG_CONN_SENDING;
    c->sent = 0;
    c->since = since;
    c->started = now;
    run->busy++;

    ig_reply_reset(&c->reply);
    ig_conn_push(run, c);
}


static uint64_t
ig_run_gap(ig_run_t *run)
{
    double  gap;

    gap = IG_RUN_SECOND / run->conf->rate;

    if (!run->conf->uniform) {
        gap *= -log(1 - ig_rng_unit(&run->rng));
    }

    return (uint64_t) gap;
}


void
ig_run_dispatch(ig_run_t *run)
{
    uint64_t  now;

    now = ig_run_now();

    if (run->conf->rate == 0) {
        while (run->nidle > 0 && now < run->end) {
            ig_run_send(run, now, now);
            now = ig_run_now();
        }

        return;
    }

    while (run->nidle > 0 && run->due <= now && run->due < run->end) {
        ig_run_send(run, run->due, now);
        run->due += ig_run_gap(run);
        now = ig_run_now();
    }
}


/* every 50 ms: gives up what takes too long, opens what was closed */

static void
ig_run_look(ig_run_t *run, uint64_t now)
{
    uint32_t    i;
    uint64_t    limit;
    ig_conn_t  *c;

    limit = (uint64_t) (run->conf->timeout * IG_RUN_SECOND);

    for (i = 0; i < run->conf->connections; i++) {
        c = &run->conns[i];

        if (c->state == IG_CONN_CLOSED) {
            ig_conn_open(run, c);

        } else if (c->state != IG_CONN_IDLE && now - c->started > limit) {

            if (c->state != IG_CONN_CONNECTING) {
                run->result->timeouts++;
                ig_hist_add(&run->result->latency, now - c->since);
            }

            ig_conn_close(run, c);
        }
    }
}


static void
ig_run_event(ig_run_t *run, struct epoll_event *ev)
{
    switch (*(ig_source_e *) ev->data.ptr) {

    case IG_SOURCE_CONN:
        ig_conn_event(run, ev->data.ptr, ev->events);
        return;

    case IG_SOURCE_APP:
        ig_app_event(ev->data.ptr);
        return;

    case IG_SOURCE_PEER:
        ig_peer_event(ev->data.ptr);
        return;
    }
}


/* waits until something happens, at most until then, and has it done */

static void
ig_run_step(ig_run_t *run, uint64_t until)
{
    int                 i, n;
    uint64_t            now, ns;
    struct timespec     ts;
    struct epoll_event  events[IG_RUN_EVENTS];

    now = ig_run_now();
    ns = until > now ? until - now : 0;

    if (run->conf->spin && run->conf->rate > 0) {
        ns = 0;
    }

    ts.tv_sec = (time_t) (ns / IG_RUN_SECOND);
    ts.tv_nsec = (long) (ns % IG_RUN_SECOND);

    n = epoll_pwait2(run->ep, events, IG_RUN_EVENTS, &ts, NULL);

    if (n < 0 && errno == ENOSYS) {
        /* before Linux 5.11: whole milliseconds, the rest is spun away */
        n = epoll_wait(run->ep, events, IG_RUN_EVENTS,
                       (int) (ns / 1000000));
    }

    if (n == 0 && run->conf->spin) {
        sched_yield();      /* to whoever shares this CPU: Redis, say */
    }

    for (i = 0; i < n; i++) {
        ig_run_event(run, &events[i]);
    }
}


/*
 * What was due and never sent waited at least until now: it belongs into the
 * histogram, or an overload would look fast.
 */

static void
ig_run_unsent(ig_run_t *run, uint64_t now)
{
    if (run->conf->rate == 0) {
        return;
    }

    while (run->due < run->end && run->due <= now) {
        run->result->unsent++;
        ig_hist_add(&run->result->latency, now - run->due);
        run->due += ig_run_gap(run);
    }
}


static int
ig_run_connect(ig_run_t *run)
{
    uint32_t  i;
    uint64_t  until;

    for (i = 0; i < run->conf->connections; i++) {
        ig_conn_open(run, &run->conns[i]);
    }

    until = ig_run_now() + 5 * (uint64_t) IG_RUN_SECOND;

    while (run->nidle < run->conf->connections) {

        if (run->result->connect_errors > 0 || ig_run_now() > until) {
            return -1;
        }

        ig_run_step(run, until);
    }

    return 0;
}


static void
ig_run_loop(ig_run_t *run)
{
    double    cpu;
    uint64_t  look, now, stop, until;

    cpu = ig_run_cpu();
    run->start = ig_run_now();
    run->end = run->start + (uint64_t) (run->conf->seconds * IG_RUN_SECOND);
    run->due = run->conf->rate == 0 ? IG_RUN_NEVER : run->start;
    run->last = run->start;

    stop = run->end + (uint64_t) (run->conf->timeout * IG_RUN_SECOND);
    look = run->start + IG_RUN_LOOK_EVERY;

    for ( ;; ) {
        ig_run_dispatch(run);

        now = ig_run_now();

        if (now >= stop || (now >= run->end && run->busy == 0
                            && (run->conf->rate == 0 || run->due >= run->end)))
        {
            break;
        }

        if (now >= look) {
            ig_run_look(run, now);
            look = now + IG_RUN_LOOK_EVERY;
        }

        until = look;

        if (run->nidle > 0 && run->due < until) {
            until = run->due < run->end ? run->due : until;
        }

        if (until > run->end && now < run->end) {
            until = run->end;
        }

        ig_run_step(run, until);
    }

    run->result->timeouts += run->busy;
    ig_run_unsent(run, now);

    run->result->seconds = (double) (run->last - run->start) / IG_RUN_SECOND;
    run->result->cpu_seconds = ig_run_cpu() - cpu;
}


int
ig_run(const ig_run_conf_t *conf, ig_run_result_t *result)
{
    int       rc;
    uint32_t  i;
    ig_run_t  run;

    memset(&run, 0, sizeof(run));
    memset(result, 0, sizeof(ig_run_result_t));

    run.conf = conf;
    run.result = result;
    run.rng.state = ~conf->seed;
    run.conns = calloc(conf->connections, sizeof(ig_conn_t));
    run.idle = calloc(conf->connections, sizeof(uint32_t));
    run.ep = epoll_create1(EPOLL_CLOEXEC);
    rc = -1;

    if (run.conns == NULL || run.idle == NULL || run.ep < 0) {
        goto done;
    }

    for (i = 0; i < conf->connections; i++) {
        run.conns[i].fd = -1;
    }

    /* the default slack of 50 us would delay each paced request by as much */
    prctl(PR_SET_TIMERSLACK, 1ul);

    if (conf->application >= 0
        && ig_app_open(&run.app, run.ep, conf->application) != 0)
    {
        goto done;
    }

    if (ig_run_connect(&run) == 0) {
        ig_run_loop(&run);
        rc = 0;
    }

    ig_app_close(&run.app);

    for (i = 0; i < conf->connections; i++) {
        ig_conn_close(&run, &run.conns[i]);
    }

done:

    free(run.conns);
    free(run.idle);

    if (run.ep >= 0) {
        close(run.ep);
    }

    return rc;
}
