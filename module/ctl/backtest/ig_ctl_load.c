/*
 * ig_ctl_load.c: `integrityctl load`: runs the policy over events of the past
 * and hands what still matters of them to the store of a running nginx.
 * Owns: the whole run.  Called by integrityctl.c.
 */

#include <string.h>

#include "ig_ctl_load.h"

#define IG_LOAD_SECRET  (64 * 1024)

/* Between the last event and the store's own memory: quiet, or a hole. */
#define IG_LOAD_GAP     3600000         /* ms */


/* -- before the first event ---------------------------------------------- */


/* The file that CONF names, unless --secret does. */
static const char *
ig_load_secret_path(const ig_loading_t *l)
{
    const ig_conf_directive_t  *d;

    if (l->source_options.secret) {
        return l->source_options.secret;
    }

    for (d = l->trial->conf.conf.first; d; d = d->next) {
        if (ig_conf_is(d, "integrity_secret") && d->nargs == 2) {
            return ig_conf_path(l->mem, &l->trial->conf.conf, d->arg[1]);
        }
    }

    return NULL;
}


static int
ig_load_secret(ig_loading_t *l, ig_ctl_memory_t *memory)
{
    int          rc;
    ig_str_t     text;
    ig_error_t   err;
    const char  *path;

    path = ig_load_secret_path(l);

    if (path == NULL) {
        return ig_ctl_error("\"%s\" names no integrity_secret: give --secret "
                            "FILE, nginx's own", l->source_options.conf);
    }

    if (ig_ctl_read(memory, path, IG_LOAD_SECRET, &text) != IG_OK) {
        return IG_CTL_USAGE;
    }

    rc = ig_secret_parse(text, &l->secret, &err);
    explicit_bzero((char *) text.data, text.len);

    return rc == IG_OK ? IG_CTL_OK
           : ig_ctl_error("\"%s\": %s", path, err.text);
}


static void
ig_load_wrote(void *ctx, const ig_op_t *op, unsigned nops)
{
    ig_ledger_add(ctx, op, nops);
}


static int
ig_load_open(ig_loading_t *l, ig_ctl_memory_t *memory)
{
    int  rc;

    l->trial = ig_alloc(l->mem, sizeof(ig_trial_t));

    if (l->trial == NULL || ig_arena_init(&l->arena, l->mem) != IG_OK) {
        return ig_ctl_error("no memory");
    }

    l->trial->wrote = ig_load_wrote;
    l->trial->wrote_ctx = l;

    if (l->options.tenant) {
        l->trial->tenant = (ig_str_t) { strlen(l->options.tenant),
                                        l->options.tenant };
    }

    rc = ig_trial_open(l->trial, l->source_options.conf, &l->source_options,
                       &l->secret, l->mem);

    if (rc == IG_CTL_OK) {
        rc = ig_load_secret(l, memory);
    }

    if (rc == IG_CTL_OK) {
        rc = ig_source_open(&l->source, &l->source_options, l->mem);
    }

    if (rc == IG_CTL_OK) {
        ig_load_rank(l->trial->policy, l->rank);
        rc = ig_load_look(l);
    }

    return rc;
}


/* -- one event ----------------------------------------------------------- */


static int
ig_load_event(ig_loading_t *l, const ig_backtest_event_t *event)
{
    int          rc;
    ig_str_t     field;
    ig_trial_t  *t;

    t = l->trial;
    l->arena.used = 0;
    l->logged |= event->logged;

    rc = ig_trial_begin(t, event, l->source.events, &l->arena, &field);

    if (rc == IG_ERROR) {
        return ig_source_refuse(&l->source, event, IG_SKIP_FIELD,
                                "\"%.*s\" is an object, or an array of more "
                                "than %d values or of no values",
                                ig_fmt(field), IG_MAX_MEMBERS);
    }

    if (rc != IG_OK) {
        return rc;
    }

    ig_trial_decide(t, l->source_options.warm);

    if (t->call && event->decision != IG_NO_DECISION) {

        /* what was counted then is what had been decided then */
        t->call->counted = event->decision;
    }

    ig_ledger_add(l, t->op, t->nops);
    ig_trial_settle(t, event, &l->arena);

    l->events++;

    return l->nomem ? IG_NOMEM : IG_OK;
}


/* Whether some counter's own memory begins after that time. */
static bool
ig_load_wants(const ig_loading_t *l, int64_t time)
{
    unsigned  i;

    for (i = 0; i < l->trial->policy->ncounters; i++) {
        if (l->counter[i].since > time) {
            return true;
        }
    }

    return false;
}


static int
ig_load_next(ig_loading_t *l, const ig_backtest_event_t *event)
{
    if (l->from == -1) {
        l->from = event->time;
    }

    if (event->time < l->from
        || (l->options.until && event->time > l->until))
    {
        l->outside++;
        return IG_OK;
    }

    if (ig_load_take(l, event->time) != IG_OK) {
        return IG_NOMEM;
    }

    if (!ig_load_wants(l, event->time)) {
        l->younger++;
        return IG_OK;
    }

    if (l->options.until == NULL && event->time > l->until) {
        l->until = event->time;
    }

    return ig_load_event(l, event);
}


static int
ig_load_events(ig_loading_t *l)
{
    int                  rc;
    ig_backtest_event_t  event;

    for ( ;; ) {
        rc = ig_source_next(&l->source, &event, l->mem);
        if (rc != IG_OK) {
            break;
        }

        rc = ig_load_next(l, &event);
        ig_backtest_event_free(&event);

        if (rc != IG_OK) {
            break;
        }

        ig_progress_source(&l->progress, &l->source);
    }

    ig_progress_end(&l->progress);

    if (rc == IG_AGAIN) {
        rc = ig_load_take(l, INT64_MAX);
    }

    return rc == IG_OK ? IG_CTL_OK
           : rc == IG_NOMEM ? ig_ctl_error("no memory") : IG_CTL_FAILED;
}


/* -- what came of it ----------------------------------------------------- */


static void
ig_load_time_text(char text[32], int64_t ms)
{
    ig_buf_t  b;

    ig_buf_init(&b, text, 31);
    ig_buf_time(&b, ms);
    *b.pos = '\0';
}


/* A hole between the history and the store's own memory would pass for
 * "never"; which counter it is said of does not matter. */
static int
ig_load_gap(const ig_loading_t *l)
{
    char                 until[32], since[32];
    unsigned             i;
    const ig_counter_t  *c;

    for (i = 0; i < l->trial->policy->ncounters; i++) {
        c = l->trial->policy->counter[i];

        if (l->counter[i].moved < 0 || l->younger > 0
            || l->counter[i].since - l->until <= IG_LOAD_GAP)
        {
            continue;
        }

        ig_load_time_text(until, l->until);
        ig_load_time_text(since, l->counter[i].since);

        (void) ig_ctl_error("the events end at %s, and nginx remembers "
                            "\"%.*s\" since %s only: what happened between "
                            "would pass for never. Give the events up to "
                            "then, or say --until TIME if there were none",
                            until, ig_fmt(c->name), since);
        return IG_CTL_FAILED;
    }

    return IG_CTL_OK;
}


/* Whether what was read may be loaded at all. */
static int
ig_load_judge(const ig_loading_t *l)
{
    ig_table_stat_t  stat;

    if (l->source.damaged) {
        (void) ig_ctl_error("nothing was loaded: what is missing would pass "
                            "for never");
        return IG_CTL_FAILED;
    }

    if (l->source.events == 0) {
        (void) ig_ctl_error("there are no events: nothing was loaded");
        return IG_CTL_FAILED;
    }

    ig_table_stat(l->trial->table, &stat);

    if (stat.evicted) {
        (void) ig_ctl_error("%llu keys did not fit into the memory of this "
                            "run: nothing was loaded; give a larger --zone",
                            (unsigned long long) stat.evicted);
        return IG_CTL_FAILED;
    }

    if (!l->redis && l->writes > l->slots) {
        (void) ig_ctl_error("nginx's integrity_zone has room for %llu keys, "
                            "and this is %llu: nothing was loaded; make it "
                            "larger", (unsigned long long) l->slots,
                            (unsigned long long) l->writes);
        return IG_CTL_FAILED;
    }

    if (!l->redis && l->used + l->writes > l->slots) {
        (void) ig_ctl_error("nginx's integrity_zone has %llu keys of %llu, "
                            "and this is %llu: the oldest may be forgotten",
                            (unsigned long long) l->used,
                            (unsigned long long) l->slots,
                            (unsigned long long) l->writes);
    }

    return ig_load_gap(l);
}


static bool
ig_load_has_any(const ig_loading_t *l)
{
    unsigned  i;

    for (i = 0; i < l->trial->policy->ncounters; i++) {
        if (l->counter[i].moved >= 0) {
            return true;
        }
    }

    return false;
}


static int
ig_load_finish(ig_loading_t *l)
{
    int  rc;

    rc = ig_load_judge(l);

    if (rc == IG_CTL_OK && !l->options.dry_run && ig_load_has_any(l)) {
        ig_load_identify(l);
        rc = ig_load_send(l);
    }

    if (rc != IG_CTL_OK) {
        return rc;
    }

    if (l->source_options.json) {
        ig_load_report_json(l);

    } else {
        ig_load_report(l);
    }

    return IG_CTL_OK;
}


static int
ig_load_run(int argc, char **argv)
{
    int              rc;
    ig_loading_t    *l;
    ig_ctl_memory_t  memory;

    ig_ctl_memory_init(&memory);

    l = ig_alloc(&memory.mem, sizeof(ig_loading_t));
    if (l == NULL) {
        return ig_ctl_error("no memory");
    }

    l->mem = &memory.mem;
    l->control.fd = -1;
    ig_progress_begin(&l->progress);

    rc = ig_load_options(l, argc, argv);

    if (rc == IG_CTL_OK) {
        rc = ig_load_open(l, &memory);
    }

    if (rc == IG_CTL_OK) {
        rc = ig_load_events(l);
    }

    if (rc == IG_CTL_OK) {
        rc = ig_load_finish(l);
    }

    if (l->trial) {
        ig_trial_close(l->trial);
    }

    ig_source_close(&l->source);
    ig_control_close(&l->control);
    ig_ledger_free(l);
    explicit_bzero(&l->secret, sizeof(l->secret));
    ig_ctl_memory_free(&memory);

    return rc;
}


const ig_ctl_command_t  ig_ctl_load = {
    "load",
    "-c CONF --socket unix:PATH [OPTION...] EVENTS...",
    "Fill a running nginx's counters from events of the past",

    "The policy of CONF runs over EVENTS in their own time, as backtest runs\n"
    "it; what its counters and lists then hold of what still matters now goes\n"
    "to nginx, and from there to its store. Counters are then known since the\n"
    "first event, which ends the warm-up of those that were seen long enough.\n"
    "\n"
    "Nothing counts twice: only what is older than the store's own memory of\n"
    "a counter is loaded. A second load finds nothing to do; one that was\n"
    "interrupted goes on where it stopped when the same is run again.\n"
    "Keys are hashed here with nginx's secret; nothing clear is sent.\n"
    "\n"
    "-c, --conf CONF     nginx's configuration: the same policy, the same\n"
    "                    secret, or nothing is loaded\n"
    "--socket unix:PATH  the socket nginx listens on; needed\n"
    "--uri URI           the location's path, by default /integrity/control\n"
    "--reason TEXT       why, needed; in the audit log\n"
    "--by NAME           who says so, needed; in the audit log\n"
    "--from TIME         the events are complete from there on, by default\n"
    "                    from the first one; earlier ones are left out\n"
    "--until TIME        they are complete up to there, by default up to the\n"
    "                    last one; later ones are left out\n"
    "--dry-run           say what would be written, and write nothing\n"
    "--replace           give up a load that was begun and not ended\n"
    "--location NAME     thresholds, except= and dry_run of that location\n"
    "--action NAME       of events that have none\n"
    "--tenant NAME       where places have an integrity_tenant\n"
    "--secret FILE       nginx's secret, if not where CONF says\n"
    "--warm              rules that ask for the past run from the first event\n"
    "                    on, as if there had been nothing before\n"
    "--zone SIZE         memory for counters in this run, 256m by default\n"
    "--strict            stop at the first line that is wrong\n"
    "--json              one JSON object\n"
    "\n"
    "EVENTS are what backtest reads. Calls of our own audit log count as what\n"
    "was decided then; counters by private fields cannot be filled from it,\n"
    "because it has pseudonyms in their place.\n"
    "\n"
    "Exit codes: 0 loaded, or there was nothing to load; 1 refused, stopped\n"
    "or damaged: stderr says which, and what is in the store; 2 bad\n"
    "arguments, or no answer.\n",

    ig_load_run
};
