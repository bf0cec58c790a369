/*
 * ig_ctl_backtest_text.c: what backtest found, as tables for a person.
 * Owns nothing.  Called by ig_ctl_backtest.c.
 */

#include <limits.h>
#include <string.h>

#include "ig_ctl_backtest.h"

/* Rows of the score table: each flags half as many again as the one above. */
#define IG_TEXT_GROWTH  1.5


/* -- pieces -------------------------------------------------------------- */


static double
ig_text_percent(uint64_t part, uint64_t all)
{
    return all ? 100 * (double) part / (double) all : 0;
}


/* A share, or a dash where there is none. */
static void
ig_text_share(double share, int width)
{
    if (share < 0) {
        printf("%*s", width, "-");

    } else {
        printf("%*.3f", width, share);
    }
}


static void
ig_text_match(const ig_match_t *m)
{
    ig_text_share(ig_match_precision(m), 11);
    ig_text_share(ig_match_recall(m), 8);
    ig_text_share(ig_match_f1(m), 8);
}


static bool
ig_text_labelled(const ig_tally_t *tally)
{
    return tally->truth[IG_TRUTH_NO] + tally->truth[IG_TRUTH_YES] > 0;
}


/* -- one policy ---------------------------------------------------------- */


static void
ig_text_policy(const ig_tally_t *tally, const char *what)
{
    unsigned            i;
    const ig_policy_t  *p;

    p = tally->trial->policy;

    printf("%s %s, policy ", what, tally->trial->path);

    for (i = 0; i < IG_EVENT_POLICY; i++) {
        printf("%02x", p->hash[i]);
    }

    printf(": %u fields, %u counters, %u rules\n", p->nfields, p->ncounters,
           p->nrules);

    if (tally->trial->dry_run) {
        puts("The place is in dry run: what follows is what it would do.");
    }

    if (tally->unclassified) {
        printf("%llu events are unclassified: no counter and no rule speaks "
               "of their actions.\n",
               (unsigned long long) tally->unclassified);
    }
}


/* Whether rules in dry run would change anything. */
static bool
ig_text_would(const ig_tally_t *tally)
{
    unsigned  d;

    for (d = 0; d < IG_DECISIONS; d++) {
        if (tally->would[d] != tally->decision[d]) {
            return true;
        }
    }

    return false;
}


static void
ig_text_decisions(const ig_tally_t *tally, const char *what, bool would)
{
    bool      label;
    unsigned  d;

    label = ig_text_labelled(tally);
    would = would && ig_text_would(tally);

    printf("\n%-12s%10s%10s%s\n", "decision", what, "share",
           would ? "  with dry-run rules" : "");

    for (d = 0; d < IG_DECISIONS; d++) {
        printf("%-12s%10llu%8.2f %%",
               ig_decision_name((ig_decision_e) d).data,
               (unsigned long long) tally->decision[d],
               ig_text_percent(tally->decision[d], tally->n));

        if (would) {
            printf("%20llu", (unsigned long long) tally->would[d]);
        }

        putchar('\n');
    }

    if (!label) {
        printf("%-12s%10llu\n", "all", (unsigned long long) tally->n);
    }
}


static int
ig_text_rule_width(const ig_policy_t *p)
{
    unsigned  i;
    size_t    width;

    for (i = 0, width = 4; i < p->nrules; i++) {
        if (p->rule[i]->name.len > width) {
            width = p->rule[i]->name.len;
        }
    }

    return (int) width;
}


static void
ig_text_rule(const ig_tally_t *tally, unsigned i, int width, bool events)
{
    unsigned                d;
    ig_match_t              m;
    const ig_rule_t        *rule;
    const ig_rule_tally_t  *r;

    r = &tally->rule[i];
    rule = tally->trial->policy->rule[i];

    printf("%-*.*s%10llu", width, ig_fmt(rule->name),
           (unsigned long long) r->fired);

    if (events) {
        printf("%10llu", (unsigned long long) r->alone);
    }

    for (d = IG_HOLD; d < IG_DECISIONS; d++) {
        printf("%10llu", (unsigned long long) r->decision[d]);
    }

    if (events) {
        printf("%10llu", (unsigned long long) (r->unknown + r->on_error));
    }

    if (ig_text_labelled(tally)) {
        m = ig_tally_rule_match(tally, i);
        ig_text_match(&m);
    }

    fputs(tally->trial->except[i] ? "  left out" : "", stdout);
    puts(rule->dry_run ? "  dry run" : "");
}


static void
ig_text_rules(const ig_tally_t *tally, bool events)
{
    int       width;
    unsigned  i;

    width = ig_text_rule_width(tally->trial->policy);

    printf("\n%-*s%10s%s%10s%10s%10s%s%s\n", width, "rule", "fired",
           events ? "     alone" : "", "hold", "throttle", "deny",
           events ? "   unknown" : "",
           ig_text_labelled(tally) ? "  precision  recall      F1" : "");

    for (i = 0; i < tally->trial->policy->nrules; i++) {
        ig_text_rule(tally, i, width, events);
    }
}


/* -- labels -------------------------------------------------------------- */


/* "hold" where the policy's score for it is first reached in this row. */
static const char *
ig_text_score_name(const ig_tally_t *tally, unsigned row)
{
    int                 from, below;
    unsigned            d;
    const ig_rank_t    *rank;
    const ig_policy_t  *p;

    p = tally->trial->policy;
    rank = &tally->rank;
    below = row ? rank->row[row - 1].score : INT_MIN;

    for (d = IG_DENY; p->has_scores && d > IG_ALLOW; d--) {
        from = p->score[d];

        if (from != INT_MAX && from <= rank->row[row].score && from > below) {
            return ig_decision_name((ig_decision_e) d).data;
        }
    }

    return "";
}


static void
ig_text_score(const ig_tally_t *tally, unsigned row)
{
    uint64_t     n;
    ig_match_t   m;
    const char  *name;

    m = ig_rank_match(&tally->rank, row);
    n = m.hit + m.wrong;

    printf("%8d%10llu%8.2f %%", tally->rank.row[row].score,
           (unsigned long long) n,
           ig_text_percent(n, tally->rank.total[0] + tally->rank.total[1]));

    ig_text_match(&m);

    name = ig_text_score_name(tally, row);
    printf("%s%s\n", *name ? "  " : "", name);
}


static void
ig_text_scores(const ig_tally_t *tally, const char *what)
{
    unsigned          row, shown, i;
    const ig_rank_t  *rank;

    rank = &tally->rank;

    if (rank->nrows < 2) {
        return;
    }

    printf("\n%8s%10s%10s  precision  recall      F1\n", "score >=", what,
           "share");

    for (row = rank->nrows, shown = row;
         ig_rank_next(rank, IG_TEXT_GROWTH, &row); shown = row)
    {
        /* rows left out in between, where a decision begins */

        for (i = shown; i > row + 1; i--) {
            if (*ig_text_score_name(tally, i - 1)) {
                ig_text_score(tally, i - 1);
            }
        }

        ig_text_score(tally, row);
    }
}


static void
ig_text_label(const ig_tally_t *tally, const ig_backtest_options_t *o,
    const char *what)
{
    double      auc;
    uint64_t    labelled;
    ig_match_t  m;

    if (!ig_text_labelled(tally)) {
        return;
    }

    labelled = tally->truth[IG_TRUTH_NO] + tally->truth[IG_TRUTH_YES];

    printf("\n%.*s: true for %llu of %llu %s (%.2f %%)", ig_fmt(o->label),
           (unsigned long long) tally->truth[IG_TRUTH_YES],
           (unsigned long long) labelled, what,
           ig_text_percent(tally->truth[IG_TRUTH_YES], labelled));

    if (tally->truth[IG_TRUTH_NONE]) {
        printf(", %llu have none",
               (unsigned long long) tally->truth[IG_TRUTH_NONE]);
    }

    m = ig_tally_match(tally);

    printf("\nheld or stronger: %llu rightly, %llu wrongly, %llu missed; "
           "precision ", (unsigned long long) m.hit,
           (unsigned long long) m.wrong, (unsigned long long) m.miss);
    ig_text_share(ig_match_precision(&m), 0);
    fputs(", recall ", stdout);
    ig_text_share(ig_match_recall(&m), 0);
    fputs(", F1 ", stdout);
    ig_text_share(ig_match_f1(&m), 0);
    putchar('\n');

    if (ig_rank_auc(&tally->rank, &auc)) {
        printf("area under the ROC curve of the score: %.4f\n", auc);
    }

    ig_text_scores(tally, what);
}


static void
ig_text_tally(const ig_backtest_t *b, unsigned i)
{
    unsigned  k;

    ig_text_policy(b->tally[i], i == 0 ? "conf" : "candidate");
    ig_text_decisions(b->tally[i], "events", true);
    ig_text_rules(b->tally[i], true);
    ig_text_label(b->tally[i], &b->options, "events");

    if (b->options.nby == 0) {
        return;
    }

    fputs("\n-- by ", stdout);

    for (k = 0; k < b->options.nby; k++) {
        printf("%s%.*s", k ? "," : "", ig_fmt(b->options.by[k]));
    }

    puts(": the worst of a group's events, the highest of its scores");

    ig_text_decisions(b->group_tally[i], "groups", false);
    ig_text_rules(b->group_tally[i], false);
    ig_text_label(b->group_tally[i], &b->options, "groups");
}


/* -- the change ---------------------------------------------------------- */


static void
ig_text_example(const ig_example_t *e)
{
    unsigned  i;

    if (e->number) {
        printf("  event %llu (%s:%llu), ", (unsigned long long) e->number,
               e->file, (unsigned long long) e->line);
        ig_write_time(stdout, e->time);
        putchar('\n');
    }

    printf("    %.*s%s\n", ig_fmt(e->what),
           e->truth == IG_TRUTH_YES ? "  (label: true)"
           : e->truth == IG_TRUTH_NO ? "  (label: false)" : "");

    for (i = 0; i < IG_TRIALS; i++) {
        printf("    %s: %s, score %d%s%.*s\n", i == 0 ? "conf" : "candidate",
               ig_decision_name(e->decision[i]).data, e->score[i],
               e->rules[i].len ? ", " : "", ig_fmt(e->rules[i]));
    }
}


static void
ig_text_change(const ig_change_t *change, const char *what, const char *unit)
{
    const ig_example_t  *e;

    printf("\n%s: %llu %s", what, (unsigned long long) change->n, unit);

    if (change->truth[IG_TRUTH_YES] + change->truth[IG_TRUTH_NO]) {
        printf(", the label is true for %llu and false for %llu",
               (unsigned long long) change->truth[IG_TRUTH_YES],
               (unsigned long long) change->truth[IG_TRUTH_NO]);
    }

    putchar('\n');

    for (e = change->first; e; e = e->next) {
        ig_text_example(e);
    }
}


static void
ig_text_compare(const ig_compare_t *c, const char *unit)
{
    unsigned  before, after;

    printf("\n%-14s%10s%10s%10s%10s  (%s)\n", "conf \\ cand.", "allow", "hold",
           "throttle", "deny", unit);

    for (before = 0; before < IG_DECISIONS; before++) {
        printf("%-14s", ig_decision_name((ig_decision_e) before).data);

        for (after = 0; after < IG_DECISIONS; after++) {
            printf("%10llu", (unsigned long long) c->cross[before][after]);
        }

        putchar('\n');
    }

    ig_text_change(&c->change[IG_CHANGE_HELD], "newly held", unit);
    ig_text_change(&c->change[IG_CHANGE_PASSED], "passing again", unit);
}


/* -- what was read ------------------------------------------------------- */


static void
ig_text_events(const ig_backtest_t *b)
{
    unsigned                  i;
    const ig_source_files_t  *s;

    s = &b->source;

    printf("%llu events", (unsigned long long) b->tally[0]->n);

    if (s->events) {
        fputs(" from ", stdout);
        ig_write_time(stdout, s->first);
        fputs(" to ", stdout);
        ig_write_time(stdout, s->latest);
    }

    putchar('\n');

    for (i = IG_SKIP_BLANK; i < IG_SKIPS; i++) {
        if (s->skipped[i]) {
            printf("skipped %llu lines: %s\n",
                   (unsigned long long) s->skipped[i],
                   ig_skip_name((ig_skip_e) i));
        }
    }

    if (s->backwards) {
        printf("%llu events are earlier than one before them, by up to %.3f "
               "s\n", (unsigned long long) s->backwards,
               (double) s->furthest / 1000);
    }

    if (b->options.nby) {
        printf("%u groups", b->groups.n);

        if (b->groups.without) {
            printf("; %llu events have no value to group by",
                   (unsigned long long) b->groups.without);
        }

        putchar('\n');
    }

    putchar('\n');
}


void
ig_backtest_report(const ig_backtest_t *b)
{
    unsigned  i;

    ig_text_events(b);

    for (i = 0; i < b->ntrials; i++) {
        ig_text_tally(b, i);

        if (i + 1 < b->ntrials) {
            putchar('\n');
        }
    }

    if (b->ntrials < IG_TRIALS) {
        return;
    }

    fputs("\n-- the candidate against conf\n", stdout);
    ig_text_compare(&b->compare, "events");

    if (b->options.nby) {
        ig_text_compare(&b->group_compare, "groups");
    }
}
