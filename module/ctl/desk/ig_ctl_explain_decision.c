/*
 * ig_ctl_explain_decision.c: a decision in sentences: what was called, what
 * it said, what was counted, and how certain that is.
 * Owns nothing.  Called by ig_ctl_explain.c.
 */

#include <stdio.h>
#include <string.h>

#include "ig_ctl_describe.h"
#include "ig_ctl_explain.h"

#define IG_EXPLAIN_TEXT  4096

#define ig_say(x, section, ...)                                               \
    ig_story_say(&(x)->story, section, __VA_ARGS__)


/* -- what happened ------------------------------------------------------- */


static void
ig_explain_call(ig_explain_t *x, const ig_audit_line_t *line)
{
    char      text[IG_EXPLAIN_TEXT];
    ig_buf_t  b;

    ig_buf_init(&b, text, sizeof(text));
    ig_buf_lit(&b, "On ");
    ig_buf_time(&b, line->time);

    if (line->action.len > 0) {
        ig_buf_lit(&b, " a call of the action ");
        ig_buf_str_add(&b, line->action);

    } else {
        ig_buf_lit(&b, " a call that names no action");
    }

    if (line->method.len > 0) {
        ig_buf_lit(&b, ", ");
        ig_buf_str_add(&b, line->method);
    }

    if (line->path.len > 0) {
        ig_buf_lit(&b, " at ");
        ig_buf_str_add(&b, line->path);
    }

    if (line->node.len > 0 && !x->in_public) {
        ig_buf_lit(&b, ", came to node ");
        ig_buf_str_add(&b, line->node);

    } else {
        ig_buf_lit(&b, ", arrived");
    }

    if (line->tenant.len > 0) {
        ig_buf_lit(&b, ", for the tenant ");
        ig_buf_str_add(&b, line->tenant);
    }

    ig_buf_char(&b, '.');

    ig_say(x, IG_STORY_HAPPENED, "%.*s %s", ig_fmt(ig_buf_str(&b)),
           ig_describe_decision(line->decision));
}


static void
ig_explain_dry_run(ig_explain_t *x, const ig_audit_line_t *line)
{
    if (x->in_public) {
        return;
    }

    if (line->dry_run) {
        ig_say(x, IG_STORY_HAPPENED, "The place was in dry run, where nothing "
               "takes effect. Otherwise the call would have %s.",
               ig_describe_would(line->would));

    } else if (line->would != line->decision) {
        ig_say(x, IG_STORY_HAPPENED, "Had the rules that are in dry run been "
               "enforced, it would have %s.", ig_describe_would(line->would));
    }
}


/* -- what it said -------------------------------------------------------- */


static void
ig_explain_value(ig_buf_t *b, const ig_value_t *value)
{
    char      scratch[IG_KEY_TEXT];
    ig_str_t  text;

    text = ig_value_key(value, scratch);

    if (value->type == IG_UNKNOWN) {
        ig_buf_lit(b, "not known");

    } else if (text.len > 2 && memcmp(text.data, "p:", 2) == 0) {
        ig_buf_str_add(b, text);
        ig_buf_lit(b, " (a pseudonym)");

    } else if (text.len > 2 && memcmp(text.data, "t:", 2) == 0) {
        ig_buf_lit(b, "a text of ");
        ig_buf_bytes(b, text.data + 2, strcspn(text.data + 2, ":"));
        ig_buf_lit(b, " bytes, of which only the fingerprint ");
        ig_buf_str_add(b, text);
        ig_buf_lit(b, " is kept");

    } else {
        ig_buf_str_add(b, text);
    }
}


static void
ig_explain_fields(ig_explain_t *x, const ig_audit_line_t *line)
{
    char              text[IG_EXPLAIN_TEXT];
    ig_buf_t          b;
    ig_audit_items_t  item;

    ig_audit_items(line, "field", &item);

    while (ig_audit_next(&item)) {
        ig_buf_init(&b, text, sizeof(text));
        ig_explain_value(&b, &item.value);

        ig_say(x, IG_STORY_SAID, "%.*s: %.*s", ig_fmt(item.name),
               ig_fmt(ig_buf_str(&b)));
    }

    if (ig_audit_text(line, "body").len > 0) {
        ig_say(x, IG_STORY_SAID, "The body was not inspected: %.*s.",
               ig_fmt(ig_audit_text(line, "body")));
    }
}


/* -- what was counted ---------------------------------------------------- */


static void
ig_explain_counter(ig_explain_t *x, const ig_audit_line_t *line,
    const ig_policy_t *policy, const ig_audit_items_t *item)
{
    char                 text[IG_EXPLAIN_TEXT];
    ig_buf_t             b;
    const ig_counter_t  *counter;

    ig_buf_init(&b, text, sizeof(text));
    ig_buf_str_add(&b, item->name);

    if (item->value.type == IG_UNKNOWN) {
        ig_buf_lit(&b, ": not known");

    } else {
        ig_buf_lit(&b, ": ");
        ig_buf_number(&b, item->value.num);
    }

    counter = policy ? ig_policy_counter(policy, item->name) : NULL;

    if (counter != NULL) {
        ig_buf_lit(&b, " - ");
        ig_describe_counter(&b, policy, counter, line->action, false);

        if (counter->kind == IG_COUNT || counter->kind == IG_SUM
            || counter->kind == IG_MEAN)
        {
            ig_buf_lit(&b, " (estimated from two buckets)");
        }
    }

    ig_say(x, IG_STORY_COUNTED, "%.*s", ig_fmt(ig_buf_str(&b)));
}


static void
ig_explain_counters(ig_explain_t *x, const ig_audit_line_t *line,
    const ig_policy_t *policy)
{
    ig_audit_items_t  item;

    ig_audit_items(line, "counter", &item);

    while (ig_audit_next(&item)) {
        ig_explain_counter(x, line, policy, &item);
    }
}


/* " until 2026-...", from the line of a person or the TTL of a rule. */
static void
ig_explain_until(ig_buf_t *b, const ig_explain_entry_t *e)
{
    int64_t   ttl;
    ig_str_t  until;

    until = ig_audit_text(&e->by->line, "until");

    if (until.len > 0) {
        ig_buf_lit(b, ", until ");
        ig_buf_str_add(b, until);
    }

    if (e->add.len > e->list.len + 1) {
        until.data = e->add.data + e->list.len + 1;
        until.len = e->add.len - e->list.len - 1;

        if (ig_parse_duration(until, &ttl)) {
            ig_buf_lit(b, ", until ");
            ig_buf_time(b, e->by->line.time + ttl);
        }
    }
}


static void
ig_explain_entry(ig_explain_t *x, const ig_explain_entry_t *e)
{
    char      text[IG_EXPLAIN_TEXT];
    ig_buf_t  b;

    if (!e->known) {
        ig_say(x, IG_STORY_COUNTED, "The call's key was on the list %.*s. Who "
               "put it there %s.", ig_fmt(e->list),
               x->standard ? "was not looked for: the log came by standard "
                             "input and cannot be read twice"
                           : "is not in the files that were given");
        return;
    }

    ig_buf_init(&b, text, sizeof(text));
    ig_buf_lit(&b, "on ");
    ig_buf_time(&b, e->by->line.time);

    if (e->rule.len > 0) {
        ig_buf_lit(&b, " by the rule ");
        ig_buf_str_add(&b, e->rule);
        ig_buf_lit(&b, " in the event ");

    } else {
        ig_buf_lit(&b, " by ");
        ig_buf_str_add(&b, ig_audit_text(&e->by->line, "by"));
        ig_buf_lit(&b, " (\"");
        ig_buf_str_add(&b, ig_audit_text(&e->by->line, "reason"));
        ig_buf_lit(&b, "\") in the event ");
    }

    ig_buf_str_add(&b, e->by->line.event);
    ig_explain_until(&b, e);

    ig_say(x, IG_STORY_COUNTED, "The call's key was on the list %.*s. What the "
           "log last tells of it: %s %.*s.", ig_fmt(e->list),
           ig_str_eq(ig_audit_text(&e->by->line, "op"), ig_str("remove"))
           ? "taken off" : "put on", ig_fmt(ig_buf_str(&b)));
}


/* -- the whole ----------------------------------------------------------- */


void
ig_explain_certainty(ig_explain_t *x, const ig_audit_line_t *line,
    const ig_policy_t *policy)
{
    ig_audit_items_t  item;

    if (ig_str_eq(line->evaluation, ig_str("complete"))) {
        ig_say(x, IG_STORY_CERTAINTY, "The evaluation was complete: every "
               "counter was read.");

    } else if (ig_str_eq(line->evaluation, ig_str("cached"))) {
        ig_say(x, IG_STORY_CERTAINTY, "The call was answered from memory: its "
               "key was known to be over a limit, and nothing else could have "
               "changed the decision. It was not counted.");

    } else if (ig_str_eq(line->evaluation, ig_str("degraded"))) {
        ig_say(x, IG_STORY_CERTAINTY, "The store of counters was down, late or "
               "refused something: counts are those of this node alone, what "
               "else the store remembers was not known.");

    } else if (ig_str_eq(line->evaluation, ig_str("skipped"))) {
        ig_say(x, IG_STORY_CERTAINTY, "No rule was evaluated.");
    }

    ig_audit_items(line, "list_unknown", &item);

    while (ig_audit_next(&item) && !x->in_public) {
        ig_say(x, IG_STORY_CERTAINTY, "Whether the call's key was on the list "
               "%.*s could not be told.", ig_fmt(item.value.str));
    }

    if (ig_audit_true(line, "new_keys")) {
        ig_say(x, IG_STORY_CERTAINTY, "The client's address had made too many "
               "new keys within a minute: the call's counters were not known.");
    }

    if (ig_audit_true(line, "cut")) {
        ig_say(x, IG_STORY_CERTAINTY, "The record was too long: something in "
               "it was shortened or left out.");
    }

    if (policy == NULL && !x->in_public) {
        ig_say(x, IG_STORY_CERTAINTY, "%s: what rules and counters say cannot "
               "be told, only their names.",
               ig_past_has(&x->past, line->policy)
               ? "The policy's text in these files is not whole, or is not "
                 "the one its hash stands for"
               : "The policy's text is not in these files; it stands where "
                 "the worker began, in an older file perhaps");
    }
}


void
ig_explain_decision(ig_explain_t *x, const ig_audit_line_t *line)
{
    const ig_policy_t         *policy;
    const ig_explain_entry_t  *e;

    policy = ig_past_policy(&x->past, line->policy);

    ig_explain_call(x, line);
    ig_explain_dry_run(x, line);

    if (!x->in_public) {
        ig_explain_fields(x, line);
        ig_explain_counters(x, line, policy);

        for (e = x->entry; e; e = e->next) {
            ig_explain_entry(x, e);
        }
    }

    ig_explain_rules(x, line, policy);
    ig_explain_outcome(x, line);
    ig_explain_certainty(x, line, policy);
    ig_explain_record(x, line);
}
