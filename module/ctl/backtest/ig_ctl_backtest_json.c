/*
 * ig_ctl_backtest_json.c: what backtest found, as one JSON object.
 * Owns nothing.  Called by ig_ctl_backtest.c.
 */

#include <limits.h>
#include <string.h>

#include "ig_ctl_backtest.h"


/* -- pieces -------------------------------------------------------------- */


static void
ig_json_count(const char *name, uint64_t n)
{
    printf("\"%s\":%llu,", name, (unsigned long long) n);
}


/* A share with six decimals, or null. */
static void
ig_json_share(const char *name, double share)
{
    printf("\"%s\":", name);

    if (share < 0) {
        fputs("null", stdout);

    } else {
        ig_write_number(stdout, share);
    }
}


static void
ig_json_match(const ig_match_t *m)
{
    ig_json_count("hit", m->hit);
    ig_json_count("wrong", m->wrong);
    ig_json_count("missed", m->miss);
    ig_json_share("precision", ig_match_precision(m));
    putchar(',');
    ig_json_share("recall", ig_match_recall(m));
    putchar(',');
    ig_json_share("f1", ig_match_f1(m));
}


static void
ig_json_decisions(const char *name, const uint64_t *n)
{
    unsigned  d;

    printf("\"%s\":{", name);

    for (d = 0; d < IG_DECISIONS; d++) {
        printf("%s\"%s\":%llu", d ? "," : "",
               ig_decision_name((ig_decision_e) d).data,
               (unsigned long long) n[d]);
    }

    putchar('}');
}


static bool
ig_json_labelled(const ig_tally_t *tally)
{
    return tally->truth[IG_TRUTH_NO] + tally->truth[IG_TRUTH_YES] > 0;
}


/* -- one policy ---------------------------------------------------------- */


static void
ig_json_rule(const ig_tally_t *tally, unsigned i, bool events)
{
    ig_match_t              m;
    const ig_rule_t        *rule;
    const ig_rule_tally_t  *r;

    r = &tally->rule[i];
    rule = tally->trial->policy->rule[i];

    fputs("{\"name\":", stdout);
    ig_write_string(stdout, rule->name);
    putchar(',');

    if (rule->dry_run) {
        fputs("\"dry_run\":true,", stdout);
    }

    if (tally->trial->except[i]) {
        fputs("\"except\":true,", stdout);
    }

    ig_json_count("fired", r->fired);

    if (events) {
        ig_json_count("alone", r->alone);
        ig_json_count("unknown", r->unknown);
        ig_json_count("on_error", r->on_error);
    }

    ig_json_decisions("decision", r->decision);

    if (ig_json_labelled(tally)) {
        m = ig_tally_rule_match(tally, i);
        putchar(',');
        ig_json_match(&m);
    }

    putchar('}');
}


static void
ig_json_scores(const ig_rank_t *rank)
{
    unsigned    row;
    ig_match_t  m;

    fputs("\"score\":[", stdout);

    for (row = rank->nrows; row > 0; row--) {
        m = ig_rank_match(rank, row - 1);

        printf("%s{\"from\":%d,", row < rank->nrows ? "," : "",
               rank->row[row - 1].score);
        ig_json_match(&m);
        putchar('}');
    }

    putchar(']');
}


static void
ig_json_label(const ig_tally_t *tally)
{
    double      auc;
    ig_match_t  m;

    fputs(",\"label\":{", stdout);
    ig_json_count("true", tally->truth[IG_TRUTH_YES]);
    ig_json_count("false", tally->truth[IG_TRUTH_NO]);
    ig_json_count("none", tally->truth[IG_TRUTH_NONE]);

    fputs("\"held\":{", stdout);
    m = ig_tally_match(tally);
    ig_json_match(&m);
    fputs("},", stdout);

    ig_json_share("auc", ig_rank_auc(&tally->rank, &auc) ? auc : -1);
    putchar(',');
    ig_json_scores(&tally->rank);
    putchar('}');
}


static void
ig_json_tally(const ig_tally_t *tally, bool events)
{
    unsigned  i;

    ig_json_count("n", tally->n);

    if (events) {
        ig_json_count("unclassified", tally->unclassified);
        ig_json_decisions("would", tally->would);
        putchar(',');
    }

    ig_json_decisions("decision", tally->decision);
    fputs(",\"rule\":[", stdout);

    for (i = 0; i < tally->trial->policy->nrules; i++) {
        fputs(i ? "," : "", stdout);
        ig_json_rule(tally, i, events);
    }

    putchar(']');

    if (ig_json_labelled(tally)) {
        ig_json_label(tally);
    }
}


static void
ig_json_scores_of(const ig_policy_t *p)
{
    bool      first;
    unsigned  d;

    fputs("\"scores\":{", stdout);

    for (d = IG_HOLD, first = true; p->has_scores && d < IG_DECISIONS; d++) {
        if (p->score[d] != INT_MAX) {
            printf("%s\"%s\":%d", first ? "" : ",",
                   ig_decision_name((ig_decision_e) d).data, p->score[d]);
            first = false;
        }
    }

    fputs("},", stdout);
}


static void
ig_json_trial(const ig_backtest_t *b, unsigned i)
{
    unsigned           k;
    const ig_trial_t  *t;

    t = b->trial[i];

    fputs("{\"file\":", stdout);
    ig_write_string(stdout, (ig_str_t) { strlen(t->path), t->path });
    fputs(",\"policy\":\"", stdout);

    for (k = 0; k < IG_EVENT_POLICY; k++) {
        printf("%02x", t->policy->hash[k]);
    }

    printf("\",\"mode\":\"%s\",", t->dry_run ? "dry_run" : "enforce");
    ig_json_scores_of(t->policy);

    fputs("\"events\":{", stdout);
    ig_json_tally(b->tally[i], true);
    putchar('}');

    if (b->options.nby) {
        fputs(",\"groups\":{", stdout);
        ig_json_tally(b->group_tally[i], false);
        putchar('}');
    }

    putchar('}');
}


/* -- the change ---------------------------------------------------------- */


static void
ig_json_example(const ig_example_t *e)
{
    unsigned  i;

    putchar('{');

    if (e->number) {
        ig_json_count("event", e->number);
        fputs("\"file\":", stdout);
        ig_write_string(stdout, (ig_str_t) { strlen(e->file), e->file });
        printf(",\"line\":%llu,\"time\":\"", (unsigned long long) e->line);
        ig_write_time(stdout, e->time);
        fputs("\",", stdout);
    }

    printf("\"%s\":%.*s,", e->number ? "field" : "group", ig_fmt(e->what));

    if (e->truth != IG_TRUTH_NONE) {
        printf("\"label\":%s,", e->truth == IG_TRUTH_YES ? "true" : "false");
    }

    for (i = 0; i < IG_TRIALS; i++) {
        printf("%s\"%s\":{\"decision\":\"%s\",\"score\":%d,\"rules\":",
               i ? "," : "", i ? "candidate" : "conf",
               ig_decision_name(e->decision[i]).data, e->score[i]);
        ig_write_string(stdout, e->rules[i]);
        putchar('}');
    }

    putchar('}');
}


static void
ig_json_change(const char *name, const ig_change_t *change)
{
    const ig_example_t  *e;

    printf("\"%s\":{", name);
    ig_json_count("n", change->n);
    ig_json_count("true", change->truth[IG_TRUTH_YES]);
    ig_json_count("false", change->truth[IG_TRUTH_NO]);
    fputs("\"examples\":[", stdout);

    for (e = change->first; e; e = e->next) {
        fputs(e == change->first ? "" : ",", stdout);
        ig_json_example(e);
    }

    fputs("]}", stdout);
}


static void
ig_json_compare(const char *name, const ig_compare_t *c)
{
    unsigned  d;

    printf("\"%s\":{\"from\":{", name);

    for (d = 0; d < IG_DECISIONS; d++) {
        fputs(d ? "," : "", stdout);
        ig_json_decisions(ig_decision_name((ig_decision_e) d).data,
                          c->cross[d]);
    }

    fputs("},", stdout);
    ig_json_change("newly_held", &c->change[IG_CHANGE_HELD]);
    putchar(',');
    ig_json_change("passing_again", &c->change[IG_CHANGE_PASSED]);
    putchar('}');
}


/* -- all of it ----------------------------------------------------------- */


static void
ig_json_events(const ig_backtest_t *b)
{
    bool                      first;
    unsigned                  i;
    const ig_source_files_t  *s;

    s = &b->source;

    ig_json_count("events", b->tally[0]->n);

    if (s->events) {
        fputs("\"first\":\"", stdout);
        ig_write_time(stdout, s->first);
        fputs("\",\"last\":\"", stdout);
        ig_write_time(stdout, s->latest);
        fputs("\",", stdout);
    }

    ig_json_count("backwards", s->backwards);
    fputs("\"skipped\":{", stdout);

    for (i = IG_SKIP_BLANK, first = true; i < IG_SKIPS; i++) {
        if (s->skipped[i]) {
            printf("%s\"%s\":%llu", first ? "" : ",",
                   ig_skip_name((ig_skip_e) i),
                   (unsigned long long) s->skipped[i]);
            first = false;
        }
    }

    fputs("},", stdout);

    if (b->options.nby) {
        ig_json_count("groups", b->groups.n);
        ig_json_count("without_group", b->groups.without);
    }
}


void
ig_backtest_report_json(const ig_backtest_t *b)
{
    putchar('{');
    ig_json_events(b);

    fputs("\"conf\":", stdout);
    ig_json_trial(b, 0);

    if (b->ntrials == IG_TRIALS) {
        fputs(",\"candidate\":", stdout);
        ig_json_trial(b, 1);
        fputs(",\"change\":{", stdout);
        ig_json_compare("events", &b->compare);

        if (b->options.nby) {
            putchar(',');
            ig_json_compare("groups", &b->group_compare);
        }

        putchar('}');
    }

    puts("}");
}
