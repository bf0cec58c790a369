/*
 * ig_ctl_explain_rules.c: which rules fired, what they say, and why that led
 * to the decision.
 * Owns nothing.  Called by ig_ctl_explain_decision.c.
 */

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "ig_ctl_describe.h"
#include "ig_ctl_explain.h"

#define IG_EXPLAIN_TEXT  4096

#define ig_say(x, section, ...)                                               \
    ig_story_say(&(x)->story, section, __VA_ARGS__)

/* While the names of an expression are gone through. */
typedef struct {
    ig_explain_t           *x;
    const ig_audit_line_t  *line;
    const ig_policy_t      *policy;
    ig_buf_t               *b;
    bool                    any;
} ig_explain_names_t;


/* -- what a rule says ---------------------------------------------------- */


static void
ig_explain_name_value(ig_explain_names_t *n, ig_str_t name,
    const char *object)
{
    char              scratch[IG_KEY_TEXT];
    ig_audit_items_t  item;

    ig_buf_str_add(n->b, n->any ? ig_str(", ") : ig_str(" Here "));
    n->any = true;

    ig_buf_str_add(n->b, name);

    if (!ig_audit_item(n->line, object, name, &item)) {
        ig_buf_lit(n->b, " was missing");

    } else if (item.value.type == IG_UNKNOWN) {
        ig_buf_lit(n->b, " was not known");

    } else {
        ig_buf_lit(n->b, " was ");
        ig_buf_str_add(n->b, ig_value_key(&item.value, scratch));
    }
}


/* What was on the list, or off it, is in the line by the list's name. */
static void
ig_explain_name_list(ig_explain_names_t *n, ig_str_t name)
{
    const char        *was;
    ig_audit_items_t   item;

    was = " did not have the key";

    ig_audit_items(n->line, "list", &item);

    while (ig_audit_next(&item)) {
        if (ig_str_eq(item.value.str, name)) {
            was = " had the key";
        }
    }

    ig_audit_items(n->line, "list_unknown", &item);

    while (ig_audit_next(&item)) {
        if (ig_str_eq(item.value.str, name)) {
            was = " could not be asked";
        }
    }

    ig_buf_str_add(n->b, n->any ? ig_str(", ") : ig_str(" Here "));
    n->any = true;
    ig_buf_lit(n->b, "the list ");
    ig_buf_str_add(n->b, name);
    ig_buf_bytes(n->b, was, strlen(was));
}


static void
ig_explain_name(void *ctx, const ig_name_t *name)
{
    ig_explain_names_t  *n = ctx;

    switch (name->kind) {

    case IG_NAME_FIELD:
        ig_explain_name_value(n, n->policy->field[name->id]->name, "field");
        break;

    case IG_NAME_COUNTER:
        ig_explain_name_value(n, n->policy->counter[name->id]->name,
                              "counter");
        break;

    case IG_NAME_LIST:
        ig_explain_name_list(n, n->policy->counter[name->id]->name);
        break;

    default:
        break;
    }
}


static void
ig_explain_thresholds(ig_explain_names_t *n, const ig_audit_rules_t *rule)
{
    ig_audit_items_t  item;

    ig_audit_thresholds(rule, &item);

    while (ig_audit_next(&item)) {
        ig_buf_str_add(n->b, n->any ? ig_str(", ") : ig_str(" Here "));
        n->any = true;
        ig_buf_lit(n->b, "the threshold ");
        ig_buf_str_add(n->b, item.name);
        ig_buf_lit(n->b, " was ");
        ig_buf_number(n->b, item.value.num);
    }
}


static void
ig_explain_effect(ig_buf_t *b, const ig_audit_rules_t *rule)
{
    if (rule->dry_run) {
        ig_buf_lit(b, " (in dry run, without effect)");
    }

    if (rule->on_error) {
        ig_buf_lit(b, " (did not fire: it could not be evaluated, and its "
                      "on_error= stood in)");
    }

    if (rule->decision != IG_NO_DECISION) {
        ig_buf_lit(b, " demands ");
        ig_buf_str_add(b, ig_decision_name(rule->decision));
    }

    if (rule->has_score) {
        ig_buf_str_add(b, rule->decision != IG_NO_DECISION
                          ? ig_str(" and adds ") : ig_str(" adds "));
        ig_buf_i64(b, rule->score);
        ig_buf_lit(b, " to the score");
    }

    if (rule->decision == IG_NO_DECISION && !rule->has_score
        && rule->add.len == 0)
    {
        ig_buf_lit(b, " fired");
    }

    if (rule->add.len > 0) {
        ig_buf_str_add(b, rule->decision != IG_NO_DECISION || rule->has_score
                          ? ig_str(", and put") : ig_str(" put"));
        ig_buf_lit(b, " the key on a list: ");
        ig_buf_str_add(b, rule->add);
    }

    ig_buf_char(b, '.');
}


static void
ig_explain_rule(ig_explain_t *x, const ig_audit_line_t *line,
    const ig_policy_t *policy, const ig_audit_rules_t *rule)
{
    char                 text[IG_EXPLAIN_TEXT];
    ig_buf_t             b;
    const ig_rule_t     *known;
    ig_explain_names_t   names = { x, line, policy, &b, false };

    ig_buf_init(&b, text, sizeof(text));
    ig_buf_lit(&b, "The rule ");
    ig_buf_str_add(&b, rule->name);
    ig_explain_effect(&b, rule);

    known = policy ? ig_policy_rule(policy, rule->name) : NULL;

    if (known != NULL) {
        ig_buf_lit(&b, " It says: ");
        ig_buf_str_add(&b, ig_expr_text(known->expr));
        ig_buf_char(&b, '.');
        ig_expr_names(known->expr, ig_explain_name, &names);
    }

    ig_explain_thresholds(&names, rule);
    ig_buf_str_add(&b, names.any ? ig_str(".") : ig_str(""));

    ig_say(x, IG_STORY_RULES, "%.*s", ig_fmt(ig_buf_str(&b)));
}


/* -- why ----------------------------------------------------------------- */


/* The enforced rules that demand d, with commas; how many. */
static unsigned
ig_explain_demand(const ig_audit_line_t *line, ig_decision_e d, bool dry_run,
    ig_buf_t *b)
{
    unsigned          n;
    ig_audit_rules_t  rule;

    n = 0;
    ig_audit_rules(line, &rule);

    while (ig_audit_next_rule(&rule)) {
        if (rule.decision == d && (dry_run || !rule.dry_run)) {
            ig_buf_str_add(b, n++ ? ig_str(", ") : ig_str(""));
            ig_buf_str_add(b, rule.name);
        }
    }

    return n;
}


/* The sum of scores, and what it would take. */
static void
ig_explain_scores(ig_explain_t *x, const ig_policy_t *policy, int64_t score,
    ig_decision_e d)
{
    int  next;

    if (d > IG_ALLOW && policy && policy->score[d] != INT_MAX) {
        ig_say(x, IG_STORY_WHY, "The scores of the rules that fired add up to "
               "%lld; %.*s begins at %d.", (long long) score,
               ig_fmt(ig_decision_name(d)), policy->score[d]);
        return;
    }

    if (d > IG_ALLOW) {
        ig_say(x, IG_STORY_WHY, "The scores of the rules that fired add up to "
               "%lld, which is enough for %.*s.", (long long) score,
               ig_fmt(ig_decision_name(d)));
        return;
    }

    for (next = IG_HOLD; policy && next < IG_DECISIONS; next++) {
        if (policy->has_scores && policy->score[next] != INT_MAX) {
            ig_say(x, IG_STORY_WHY, "The scores add up to %lld; %.*s begins at "
                   "%d.", (long long) score,
                   ig_fmt(ig_decision_name((ig_decision_e) next)),
                   policy->score[next]);
            return;
        }
    }
}


static void
ig_explain_why(ig_explain_t *x, const ig_audit_line_t *line,
    const ig_policy_t *policy)
{
    char           text[IG_EXPLAIN_TEXT];
    bool           dry_run;
    int64_t        score;
    ig_buf_t       b;
    unsigned       n;
    ig_decision_e  d;

    dry_run = line->dry_run;
    d = dry_run ? line->would : line->decision;
    score = dry_run ? line->would_score : line->score;

    ig_buf_init(&b, text, sizeof(text));
    n = ig_explain_demand(line, d, dry_run, &b);

    if (n > 0 && d == IG_ALLOW) {
        ig_say(x, IG_STORY_WHY, "The rule%s %.*s allow%s it, which stands above "
               "throttle, hold and every score.", n == 1 ? "" : "s",
               ig_fmt(ig_buf_str(&b)), n == 1 ? "s" : "");

    } else if (n > 0) {
        ig_say(x, IG_STORY_WHY, "The rule%s %.*s demand%s %.*s, and nothing "
               "stronger was said.", n == 1 ? "" : "s",
               ig_fmt(ig_buf_str(&b)), n == 1 ? "s" : "",
               ig_fmt(ig_decision_name(d)));

    } else if (d == IG_ALLOW && score == 0) {
        ig_say(x, IG_STORY_WHY, "No rule that is enforced asked for more.");

    } else {
        ig_explain_scores(x, policy, score, d);
    }
}


static void
ig_explain_skipped(ig_explain_t *x, const ig_audit_line_t *line)
{
    ig_str_t  body;

    body = ig_audit_text(line, "body");

    if (body.len > 0) {
        ig_say(x, IG_STORY_WHY, "The body could not be inspected: %.*s. No rule "
               "was asked; what becomes of such calls is a setting of the "
               "place.", ig_fmt(body));

    } else if (line->action.len == 0) {
        ig_say(x, IG_STORY_WHY, "The call named no action of the policy, and "
               "the place refuses such calls.");

    } else {
        ig_say(x, IG_STORY_WHY, "No rule was asked.");
    }
}


/* -- in public ----------------------------------------------------------- */


/* What an enforced rule looks at: no name, number or window. */
static void
ig_explain_public_name(void *ctx, const ig_name_t *name)
{
    char                 text[IG_EXPLAIN_TEXT];
    ig_buf_t             b;
    ig_explain_names_t  *n = ctx;

    ig_buf_init(&b, text, sizeof(text));

    if (name->kind == IG_NAME_COUNTER || name->kind == IG_NAME_LIST) {
        ig_describe_counter(&b, n->policy, n->policy->counter[name->id],
                            n->line->action, true);

    } else if (name->kind == IG_NAME_FIELD) {
        ig_buf_lit(&b, "what the call says as ");
        ig_buf_str_add(&b, n->policy->field[name->id]->name);
    }

    if (ig_buf_str(&b).len > 0) {
        ig_say(n->x, IG_STORY_WHY, "Looked at: %.*s.",
               ig_fmt(ig_buf_str(&b)));
    }
}


static void
ig_explain_public(ig_explain_t *x, const ig_audit_line_t *line,
    const ig_policy_t *policy)
{
    const ig_rule_t     *known;
    ig_audit_rules_t     rule;
    ig_explain_names_t   names = { x, line, policy, NULL, false };

    if (line->decision == IG_ALLOW) {
        return;
    }

    ig_say(x, IG_STORY_WHY, "The call met a rule of the platform for calls of this kind; "
           "such rules go by what was counted over time and by lists.");

    ig_audit_rules(line, &rule);

    while (ig_audit_next_rule(&rule)) {
        known = policy ? ig_policy_rule(policy, rule.name) : NULL;

        if (known != NULL && !rule.dry_run) {
            ig_expr_names(known->expr, ig_explain_public_name, &names);
        }
    }
}


void
ig_explain_rules(ig_explain_t *x, const ig_audit_line_t *line,
    const ig_policy_t *policy)
{
    bool              any;
    ig_audit_rules_t  rule;

    if (ig_str_eq(line->evaluation, ig_str("skipped"))) {
        ig_explain_skipped(x, line);
        return;
    }

    if (x->in_public) {
        ig_explain_public(x, line, policy);
        return;
    }

    any = false;
    ig_audit_rules(line, &rule);

    while (ig_audit_next_rule(&rule)) {
        ig_explain_rule(x, line, policy, &rule);
        any = true;
    }

    if (!any) {
        ig_say(x, IG_STORY_RULES, "No rule fired.");
    }

    ig_explain_why(x, line, policy);
}
