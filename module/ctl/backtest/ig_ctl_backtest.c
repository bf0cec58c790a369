/*
 * ig_ctl_backtest.c: `integrityctl backtest`: runs policies over events in
 * the events' own time, and says what came of it.
 * Owns: the whole run.  Called by integrityctl.c.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ig_ctl_backtest.h"

#define IG_SECRET_MAX    (64 * 1024)

/*
 * Keys of counters are hashed with a secret.  Which one does not matter here:
 * nothing of it leaves, and no result depends on it.
 */
static const char  ig_backtest_key[] =
    "backtest:aW50ZWdyaXR5Y3RsIGJhY2t0ZXN0OiBubyBzZWNyZXQ=\n";


/* -- the end -------------------------------------------------------------- */


/* How fast, and with how much memory; what the results cannot be trusted in. */
static void
ig_backtest_end(const ig_backtest_t *b)
{
    double           seconds;
    unsigned         i;
    ig_table_stat_t  stat;

    (void) fflush(stdout);

    for (i = 0; i < b->ntrials; i++) {
        ig_table_stat(b->trial[i]->table, &stat);

        if (stat.evicted) {
            (void) ig_ctl_error("the store was full: %llu keys of \"%s\" were "
                                "forgotten, counts are too low; give a larger "
                                "--zone", (unsigned long long) stat.evicted,
                                b->trial[i]->path);
        }
    }

    seconds = (double) (ig_progress_now() - b->progress.started) / 1000;

    fprintf(stderr, "%llu events in %.2f s", (unsigned long long)
            b->source.events, seconds);

    if (seconds > 0) {
        fprintf(stderr, ": %.0f a second",
                (double) b->source.events / seconds);
    }

    fprintf(stderr, "; %ld MiB of memory at most\n",
            ig_ctl_memory_peak() / 1024);
}


/* -- one event ----------------------------------------------------------- */


static ig_truth_e
ig_backtest_truth(ig_backtest_t *b, const ig_backtest_event_t *event)
{
    ig_value_t  value;

    if (b->options.label.len == 0) {
        return IG_TRUTH_NONE;
    }

    value = ig_backtest_member(event, b->options.label, &b->arena.mem);

    if (value.type == IG_MISSING) {
        return IG_TRUTH_NONE;
    }

    return ig_backtest_is_true(&value) ? IG_TRUTH_YES : IG_TRUTH_NO;
}


/* One line of --decisions, of the policy itself. */
static void
ig_backtest_decision(const ig_backtest_t *b, const ig_backtest_event_t *event)
{
    bool               first;
    unsigned           i;
    const ig_call_t   *call;
    const ig_trial_t  *t;

    t = b->trial[0];
    call = t->call;

    fprintf(b->decisions, "{\"event\":%llu,\"time\":\"",
            (unsigned long long) b->source.events);
    ig_write_time(b->decisions, event->time);
    fputs("\",\"action\":", b->decisions);
    ig_write_string(b->decisions, event->action);
    fprintf(b->decisions, ",\"decision\":\"%s\",\"score\":%d,\"rule\":[",
            ig_decision_name(ig_trial_decision(t)).data, ig_trial_score(t));

    for (i = 0, first = true; call && i < call->plan->nrules; i++) {

        if (call->outcome[i] == IG_RULE_FIRED) {
            fputs(first ? "" : ",", b->decisions);
            ig_write_string(b->decisions, call->plan->rule[i]->name);
            first = false;
        }
    }

    fputs("]}\n", b->decisions);
}


static int
ig_backtest_count(ig_backtest_t *b, const ig_backtest_event_t *event)
{
    unsigned     i;
    ig_truth_e   truth;

    truth = ig_backtest_truth(b, event);

    for (i = 0; i < b->ntrials; i++) {
        if (ig_tally_event(b->tally[i], truth, b->fired[i]) != IG_OK) {
            return IG_NOMEM;
        }
    }

    if (b->ntrials == IG_TRIALS) {
        ig_compare_event(&b->compare, &b->options, event, b->source.events,
                         truth, b->trial, b->mem);
    }

    if (b->decisions) {
        ig_backtest_decision(b, event);
    }

    return b->options.nby == 0 ? IG_OK
           : ig_groups_add(&b->groups, &b->options, event, truth, b->trial,
                           b->fired, b->ntrials, &b->arena.mem);
}


/* IG_OK, IG_AGAIN: it was the one to explain, IG_ERROR, IG_NOMEM. */
static int
ig_backtest_event_run(ig_backtest_t *b, const ig_backtest_event_t *event)
{
    int       rc;
    unsigned  i;
    ig_str_t  field;

    b->arena.used = 0;

    for (i = 0; i < b->ntrials; i++) {
        rc = ig_trial_begin(b->trial[i], event, b->source.events, &b->arena,
                            &field);

        if (rc == IG_ERROR) {
            return ig_source_refuse(&b->source, event, IG_SKIP_FIELD,
                                    "\"%.*s\" is an object, or an array of "
                                    "more than %d values or of no values",
                                    ig_fmt(field), IG_MAX_MEMBERS);
        }

        if (rc != IG_OK) {
            return rc;
        }
    }

    for (i = 0; i < b->ntrials; i++) {
        ig_trial_decide(b->trial[i], b->options.warm);
    }

    if (b->options.explain == b->source.events) {
        ig_backtest_explain(b, event);
        b->explained = true;
        return IG_AGAIN;
    }

    rc = ig_backtest_count(b, event);

    for (i = 0; i < b->ntrials; i++) {
        ig_trial_settle(b->trial[i], event, &b->arena);
    }

    return rc;
}


/* -- the run ------------------------------------------------------------- */


static int
ig_backtest_events(ig_backtest_t *b)
{
    int                  rc;
    ig_backtest_event_t  event;

    for ( ;; ) {
        rc = ig_source_next(&b->source, &event, b->mem);
        if (rc != IG_OK) {
            break;
        }

        rc = ig_backtest_event_run(b, &event);
        ig_backtest_event_free(&event);

        if (rc != IG_OK) {
            break;
        }

        ig_progress_source(&b->progress, &b->source);
    }

    return rc == IG_AGAIN ? IG_CTL_OK
           : rc == IG_NOMEM ? ig_ctl_error("no memory") : IG_CTL_FAILED;
}


static int
ig_backtest_groups(ig_backtest_t *b)
{
    unsigned     i, k;
    ig_group_t  *group;

    for (i = 0; i < b->groups.n; i++) {
        group = b->groups.all[i];

        for (k = 0; k < b->ntrials; k++) {
            if (ig_tally_group(b->group_tally[k], group->truth,
                               (ig_decision_e) group->result[k].decision,
                               group->result[k].score, group->result[k].bits)
                != IG_OK)
            {
                return ig_ctl_error("no memory");
            }
        }

        if (b->ntrials == IG_TRIALS) {
            ig_compare_group(&b->group_compare, &b->options, group, b->trial,
                             b->mem);
        }
    }

    return IG_CTL_OK;
}


static int
ig_backtest_secret(ig_backtest_t *b, ig_ctl_memory_t *memory)
{
    int         rc;
    ig_str_t    text = ig_string(ig_backtest_key);
    ig_error_t  err;

    if (b->options.secret
        && ig_ctl_read(memory, b->options.secret, IG_SECRET_MAX, &text)
           != IG_OK)
    {
        return IG_CTL_USAGE;
    }

    rc = ig_secret_parse(text, &b->secret, &err);

    if (b->options.secret) {
        explicit_bzero((char *) text.data, text.len);
    }

    return rc == IG_OK ? IG_CTL_OK
           : ig_ctl_error("\"%s\": %s", b->options.secret, err.text);
}


static int
ig_backtest_trial(ig_backtest_t *b, const char *path)
{
    unsigned  n;

    n = b->ntrials;

    b->trial[n] = ig_alloc(b->mem, sizeof(ig_trial_t));
    b->tally[n] = ig_alloc(b->mem, sizeof(ig_tally_t));
    b->group_tally[n] = ig_alloc(b->mem, sizeof(ig_tally_t));

    if (b->trial[n] == NULL || b->tally[n] == NULL
        || b->group_tally[n] == NULL)
    {
        return ig_ctl_error("no memory");
    }

    b->tally[n]->trial = b->trial[n];
    b->tally[n]->rank.mem = b->mem;
    b->group_tally[n]->trial = b->trial[n];
    b->group_tally[n]->rank.mem = b->mem;
    b->ntrials++;

    return ig_trial_open(b->trial[n], path, &b->options, &b->secret, b->mem);
}


/* All that can be wrong before the first event is read. */
static int
ig_backtest_begin(ig_backtest_t *b, ig_ctl_memory_t *memory)
{
    int  rc;

    ig_compare_init(&b->compare);
    ig_compare_init(&b->group_compare);
    b->groups.mem = b->mem;

    rc = ig_arena_init(&b->arena, b->mem) == IG_OK
         ? ig_backtest_secret(b, memory) : ig_ctl_error("no memory");

    if (rc == IG_CTL_OK) {
        rc = ig_backtest_trial(b, b->options.conf);
    }

    if (rc == IG_CTL_OK && b->options.candidate) {
        rc = ig_backtest_trial(b, b->options.candidate);
    }

    if (rc == IG_CTL_OK) {
        rc = ig_source_open(&b->source, &b->options, b->mem);
    }

    if (rc == IG_CTL_OK && b->options.decisions) {
        b->decisions = fopen(b->options.decisions, "w");

        if (b->decisions == NULL) {
            rc = ig_ctl_error("cannot open \"%s\": %s", b->options.decisions,
                              strerror(errno));
        }
    }

    return rc;
}


static int
ig_backtest_finish(ig_backtest_t *b)
{
    int  rc;

    rc = ig_backtest_groups(b);

    ig_progress_end(&b->progress);

    if (rc != IG_CTL_OK || b->explained) {
        return rc;
    }

    if (b->options.explain) {
        return ig_ctl_error("there are only %llu events",
                            (unsigned long long) b->source.events);
    }

    if (b->options.json) {
        ig_backtest_report_json(b);

    } else {
        ig_backtest_report(b);
    }

    ig_backtest_end(b);

    return b->source.damaged ? IG_CTL_FAILED : IG_CTL_OK;
}


static int
ig_backtest_close(ig_backtest_t *b, int rc)
{
    unsigned  i;

    for (i = 0; i < b->ntrials; i++) {
        ig_trial_close(b->trial[i]);
    }

    ig_source_close(&b->source);
    explicit_bzero(&b->secret, sizeof(b->secret));

    if (b->decisions && fclose(b->decisions) != 0) {
        rc = ig_ctl_error("cannot write \"%s\": %s", b->options.decisions,
                          strerror(errno));
    }

    return rc;
}


static int
ig_backtest_run(int argc, char **argv)
{
    int              rc;
    ig_backtest_t   *b;
    ig_ctl_memory_t  memory;

    ig_ctl_memory_init(&memory);

    b = ig_alloc(&memory.mem, sizeof(ig_backtest_t));
    if (b == NULL) {
        return ig_ctl_error("no memory");
    }

    b->mem = &memory.mem;
    ig_progress_begin(&b->progress);

    rc = ig_backtest_options(&b->options, argc, argv);

    if (rc == IG_CTL_OK) {
        rc = ig_backtest_begin(b, &memory);
    }

    if (rc == IG_CTL_OK) {
        rc = ig_backtest_events(b);
    }

    if (rc == IG_CTL_OK) {
        rc = ig_backtest_finish(b);
    }

    rc = ig_backtest_close(b, rc);
    ig_ctl_memory_free(&memory);

    return rc;
}


const ig_ctl_command_t  ig_ctl_backtest = {
    "backtest",
    "-c CONF [OPTION...] EVENTS...",
    "Try a policy on events of the past, in their own time, without nginx",

    "CONF is nginx's configuration, as for check, or a file that could be\n"
    "included in http. EVENTS are JSON Lines, plain or gzip; \"-\" is the\n"
    "standard input; several files are merged by time. An event has a \"time\"\n"
    "(seconds since 1970 or RFC 3339), an \"action\", and fields by their\n"
    "names; an array is a set; \"status\" says whether the application did it\n"
    "(2xx; without one it did). The audit log can be read too: its decisions\n"
    "are taken anew, its pseudonyms still tell accounts apart.\n"
    "\n"
    "--location NAME   thresholds, except= and dry_run of that location\n"
    "--field NAME,...  fields that CONF does not define, for a rule pack alone;\n"
    "                  NAME:text is a text\n"
    "--action NAME     of events that have none\n"
    "--label FIELD     the truth: precision, recall, F1, area under the ROC\n"
    "                  curve of the score\n"
    "--by FIELD,...    the same per group: flagged if any event of it is\n"
    "--candidate CONF  a second policy: what it would hold and let pass anew\n"
    "--examples N      of each, 5 by default\n"
    "--explain N       the N-th event alone: every field, counter and rule\n"
    "--decisions FILE  a JSON line for every event\n"
    "--warm            all counters are known from the first event on\n"
    "--zone SIZE       memory for counters, 256m by default\n"
    "--secret FILE     for keyed hashes; no result depends on it\n"
    "--strict          stop at the first line that is wrong\n"
    "--json            one JSON object instead of tables\n"
    "\n"
    "\"held\" is hold or stronger. What a place in dry run would do is shown as\n"
    "if it were enforced. docs/signals.md has examples.\n"
    "\n"
    "Exit codes: 0 done (skipped lines are counted), 1 mistakes in CONF, a\n"
    "wrong line with --strict or a damaged file, 2 wrong usage.\n",

    ig_backtest_run
};
