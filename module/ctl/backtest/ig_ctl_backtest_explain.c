/*
 * ig_ctl_backtest_explain.c: why one event was decided as it was: every
 * field, every counter, every rule, in sentences.
 * Owns nothing.  Borrows the calls, decided and not yet settled.
 * Called by ig_ctl_backtest.c.
 */

#include <string.h>

#include "ig_ctl_backtest.h"


/* -- values -------------------------------------------------------------- */


static void
ig_explain_text(const ig_buf_t *b)
{
    fwrite(b->start, 1, (size_t) (b->pos - b->start), stdout);
    fputs(b->full ? "... (longer)" : "", stdout);
}


static void
ig_explain_value(const ig_value_t *value)
{
    char      text[256];
    ig_buf_t  b;

    if (value->type == IG_MISSING || value->type == IG_UNKNOWN) {
        fputs(value->type == IG_MISSING ? "missing" : "unknown", stdout);
        return;
    }

    ig_buf_init(&b, text, sizeof(text));
    ig_write_value(&b, value);
    ig_explain_text(&b);
}


/* 5400 s as "1h30m"; windows are whole seconds or not, ms are then told. */
static void
ig_explain_duration(int64_t ms)
{
    size_t  i;

    static const struct {
        const char  *unit;
        int64_t      ms;
    } part[] = {
        { "d", 86400000 }, { "h", 3600000 }, { "m", 60000 }, { "s", 1000 },
        { "ms", 1 }
    };

    for (i = 0; i < ig_countof(part); i++) {
        if (ms >= part[i].ms) {
            printf("%lld%s", (long long) (ms / part[i].ms), part[i].unit);
            ms %= part[i].ms;
        }
    }
}


/* -- fields -------------------------------------------------------------- */


static void
ig_explain_fields(const ig_call_t *call)
{
    char      text[1024];
    unsigned  i;
    ig_buf_t  b;

    puts("\nfields");

    for (i = 0; i < call->policy->nfields; i++) {

        if (call->plan->source[i] == NULL) {
            continue;
        }

        printf("  %.*s ", ig_fmt(call->policy->field[i]->name));

        if (call->field[i].type == IG_MISSING) {
            puts("is missing");
            continue;
        }

        if (call->field[i].type == IG_UNKNOWN) {
            puts("comes with the answer");
            continue;
        }

        ig_buf_init(&b, text, sizeof(text));
        ig_write_field(&b, call, i);

        fputs("is ", stdout);
        ig_explain_text(&b);
        putchar('\n');
    }
}


/* -- counters ------------------------------------------------------------ */


/* "events", "different device of events", ... */
static void
ig_explain_kind(const ig_policy_t *p, const ig_counter_t *c)
{
    ig_str_t  f;

    f = c->value >= 0 ? p->field[c->value]->name : ig_str("");

    if (c->similar >= 0) {
        printf("near-duplicates of %.*s, ",
               ig_fmt(p->field[c->similar]->name));
    }

    switch (c->kind) {

    case IG_COUNT:
        fputs("events", stdout);
        break;

    case IG_COUNT_EXACT:
        fputs("events, counted one by one,", stdout);
        break;

    case IG_DISTINCT:
        printf("different values of %.*s", ig_fmt(f));
        break;

    case IG_SUM:
        printf("the sum of %.*s before this event", ig_fmt(f));
        break;

    case IG_MEAN:
        printf("the mean of %.*s before this event", ig_fmt(f));
        break;

    case IG_FIRST:
        fputs("seconds since the first event", stdout);
        break;

    case IG_LAST:
        fputs("seconds since the last event before this one", stdout);
        break;

    case IG_LISTED:
        fputs("a list", stdout);
        break;

    case IG_KINDS:
        break;
    }
}


static void
ig_explain_key(const ig_policy_t *p, const ig_counter_t *c)
{
    unsigned  i;

    for (i = 0; i < c->nkey; i++) {
        printf("%s%.*s", i == 0 ? " of this " : ", ",
               ig_fmt(p->field[c->key[i]]->name));
    }

    if (c->kind != IG_LISTED) {
        fputs(" in the last ", stdout);
        ig_explain_duration(c->window);
    }
}


static const ig_op_t *
ig_explain_op(const ig_trial_t *t, const ig_counter_t *c)
{
    unsigned  i;

    for (i = 0; i < t->nops; i++) {
        if (t->op[i].counter == c) {
            return &t->op[i];
        }
    }

    return NULL;
}


static const char *
ig_explain_written(const ig_trial_t *t, const ig_plan_counter_t *pc)
{
    const ig_op_t       *op;
    const ig_counter_t  *c;

    c = pc->counter;
    op = ig_explain_op(t, c);

    if (c->kind == IG_LISTED) {
        return "rules and people write it";
    }

    if (!pc->writes) {
        return "this action does not write it";
    }

    if (c->when == IG_COMPLETED) {
        return "written when the application has answered 2xx";
    }

    if (c->kind == IG_FIRST || c->kind == IG_LAST || c->cond_late) {
        return "written after the decision";
    }

    if (op == NULL || op->verb != IG_OP_ADD) {
        return "this event does not count, its if= or its value is not so";
    }

    if (c->when == IG_ACCEPTED && ig_trial_decision(t) > IG_HOLD) {
        return "this event was counted, and is taken back";
    }

    return "this event is counted";
}


/* Why a counter has no value. */
static void
ig_explain_nothing(const ig_trial_t *t, const ig_counter_t *c)
{
    unsigned          i;
    const ig_call_t  *call;

    call = t->call;

    for (i = 0; i < c->nkey; i++) {
        if (call->field[c->key[i]].type == IG_MISSING) {
            printf(": %.*s is missing",
                   ig_fmt(call->policy->field[c->key[i]]->name));
            return;
        }
    }

    if (!t->known[c->id]) {
        fputs(": not remembered for its warmup of ", stdout);
        ig_explain_duration(c->warmup);
        fputs(" yet", stdout);

    } else if (c->kind == IG_LAST || c->kind == IG_MEAN) {
        fputs(": never seen", stdout);
    }
}


static void
ig_explain_counters(const ig_trial_t *t)
{
    unsigned                  i;
    const ig_value_t         *value;
    const ig_counter_t       *c;
    const ig_plan_counter_t  *pc;

    puts("\ncounters");

    for (i = 0; i < t->current->ncounters; i++) {
        pc = &t->current->counter[i];
        c = pc->counter;
        value = &t->call->counter[c->id];

        printf("  %.*s is ", ig_fmt(c->name));

        if (value->type == IG_MISSING && !pc->reads
            && ig_explain_op(t, c) == NULL)
        {
            fputs("not asked for", stdout);

        } else {
            ig_explain_value(value);
        }

        if (value->type == IG_MISSING || value->type == IG_UNKNOWN) {
            ig_explain_nothing(t, c);
        }

        fputs(" (", stdout);
        ig_explain_kind(t->policy, c);
        ig_explain_key(t->policy, c);
        printf("; %s)\n", ig_explain_written(t, pc));
    }
}


/* -- rules --------------------------------------------------------------- */


typedef struct {
    const ig_call_t  *call;
    bool              any;
} ig_explain_names_t;


/* "; account_1h is 12": what an expression read. */
static void
ig_explain_name(void *ctx, const ig_name_t *name)
{
    ig_str_t             text;
    const ig_call_t     *call;
    const ig_policy_t   *p;
    ig_explain_names_t  *names = ctx;

    call = names->call;
    p = call->policy;

    fputs(names->any ? ", " : ": ", stdout);
    names->any = true;

    switch (name->kind) {

    case IG_NAME_FIELD:
        text = p->field[name->id]->name;
        printf("%.*s is ", ig_fmt(text));

        if (call->field[name->id].type == IG_SET) {
            fputs("a set", stdout);

        } else {
            ig_explain_value(&call->field[name->id]);
        }

        break;

    case IG_NAME_COUNTER:
    case IG_NAME_LIST:
        text = p->counter[name->id]->name;
        printf("%.*s is ", ig_fmt(text));
        ig_explain_value(&call->counter[name->id]);
        break;

    case IG_NAME_THRESHOLD:
        text = p->threshold[name->id]->name;
        printf("%.*s is ", ig_fmt(text));
        ig_write_number(stdout, call->place->threshold[name->id]);
        break;

    default:
        break;
    }
}


static void
ig_explain_effect(const ig_call_t *call, unsigned i)
{
    ig_outcome_e      outcome;
    const ig_rule_t  *rule;

    rule = call->plan->rule[i];
    outcome = (ig_outcome_e) call->outcome[i];

    if (outcome == IG_RULE_ON_ERROR) {
        printf("; it cannot be told, so on_error=%s",
               ig_decision_name(rule->on_error).data);

    } else if (outcome == IG_RULE_FIRED) {

        if (rule->then != IG_NO_DECISION) {
            printf("; then=%s", ig_decision_name(rule->then).data);
        }

        if (rule->has_score) {
            printf("; score=%d", rule->score);
        }
    }

    if (ig_call_adds(call, i)) {
        printf("; put on the list %.*s for ",
               ig_fmt(call->policy->counter[rule->add]->name));
        ig_explain_duration(rule->add_ttl);
    }

    fputs(rule->dry_run ? " (dry run: no effect)" : "", stdout);
}


static void
ig_explain_rule(const ig_call_t *call, unsigned i)
{
    const ig_rule_t     *rule;
    ig_explain_names_t   names = { call, false };

    static const char *const  word[] = {
        [IG_RULE_NOT] = "did not fire",
        [IG_RULE_UNKNOWN] = "cannot be told and is silent",
        [IG_RULE_FIRED] = "FIRED",
        [IG_RULE_ON_ERROR] = "ACTED",
        [IG_RULE_EXCEPT] = "is left out in this place"
    };

    rule = call->plan->rule[i];

    printf("  %.*s %s", ig_fmt(rule->name), word[call->outcome[i]]);
    ig_explain_effect(call, i);
    printf("\n    \"%.*s\"", ig_fmt(ig_expr_text(rule->expr)));
    ig_expr_names(rule->expr, ig_explain_name, &names);
    putchar('\n');
}


/* -- the whole event ----------------------------------------------------- */


static void
ig_explain_trial(const ig_trial_t *t)
{
    unsigned          i;
    const ig_call_t  *call;

    call = t->call;

    printf("\n%s: ", t->path);

    if (call == NULL) {
        printf("unclassified: no counter and no rule speaks of %.*s\n",
               ig_fmt(t->current->action));
        return;
    }

    printf("%s, score %d", ig_decision_name(call->counted).data,
           call->score);

    if (call->would != call->counted || call->would_score != call->score) {
        printf("; with rules in dry run %s, score %d",
               ig_decision_name(call->would).data, call->would_score);
    }

    puts(t->dry_run ? " (the place is in dry run: it passes)" : "");

    ig_explain_fields(call);
    ig_explain_counters(t);

    puts("\nrules");

    for (i = 0; i < call->plan->nrules; i++) {
        ig_explain_rule(call, i);
    }
}


void
ig_backtest_explain(const ig_backtest_t *b, const ig_backtest_event_t *event)
{
    unsigned  i;

    printf("event %llu (%s:%llu), ", (unsigned long long) b->source.events,
           event->file, (unsigned long long) event->line);
    ig_write_time(stdout, event->time);
    printf(", %.*s\n", ig_fmt(event->action));

    for (i = 0; i < b->ntrials; i++) {
        ig_explain_trial(b->trial[i]);
    }
}
