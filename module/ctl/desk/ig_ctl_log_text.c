/*
 * ig_ctl_log_text.c: a line of the audit log as a line for people.
 * Owns nothing.  Called by ig_ctl_log.c and ig_ctl_log_follow.c.
 */

#include "ig_ctl_log.h"

#define ig_text_lit(out, literal)  fputs(literal, out)


/* " word text" where there is a text. */
static void
ig_text_said(FILE *out, const char *word, ig_str_t text)
{
    if (text.len > 0) {
        fprintf(out, *word ? " %s " : " %s", word);
        ig_out_text(out, text);
    }
}


static void
ig_text_value(FILE *out, const ig_value_t *value)
{
    char  scratch[IG_KEY_TEXT];

    if (value->type == IG_UNKNOWN) {
        ig_text_lit(out, "?");

    } else {
        ig_out_text(out, ig_value_key(value, scratch));
    }
}


/* " account=p:k1:... merchant=m-42"; members of a set with commas. */
static void
ig_text_fields(FILE *out, const ig_audit_line_t *line)
{
    ig_str_t          name = ig_string("");
    ig_audit_items_t  item;

    ig_audit_items(line, "field", &item);

    while (ig_audit_next(&item)) {

        if (ig_str_eq(item.name, name)) {
            fputc(',', out);

        } else {
            fputc(' ', out);
            ig_out_text(out, item.name);
            fputc('=', out);
        }

        name = item.name;
        ig_text_value(out, &item.value);
    }
}


static void
ig_text_rules(FILE *out, bool colours, const ig_audit_line_t *line)
{
    bool              any;
    ig_audit_rules_t  rule;

    any = false;
    ig_audit_rules(line, &rule);

    while (ig_audit_next_rule(&rule)) {
        fputs(any ? "," : " by ", out);
        any = true;

        ig_out_colour(out, colours && !rule.dry_run, IG_BOLD);
        ig_out_text(out, rule.name);
        ig_out_colour(out, colours && !rule.dry_run, IG_PLAIN);

        if (rule.dry_run) {
            ig_text_lit(out, "(dry run)");

        } else if (rule.on_error) {
            ig_text_lit(out, "(on error)");
        }
    }
}


static void
ig_text_decision(FILE *out, bool colours, const ig_audit_line_t *line)
{
    ig_str_t  name;

    name = line->decision == IG_NO_DECISION
           ? ig_str("?") : ig_decision_name(line->decision);

    ig_out_colour(out, colours, ig_out_decision_colour(line->decision));
    fprintf(out, "%-8.*s", ig_fmt(name));
    ig_out_colour(out, colours, IG_PLAIN);

    fputc(' ', out);
    ig_out_text(out, line->action.len ? line->action : ig_str("(no action)"));

    ig_text_rules(out, colours, line);

    if (line->score != 0) {
        fprintf(out, " score %lld", (long long) line->score);
    }

    if (line->would != line->decision && line->would != IG_NO_DECISION) {
        ig_text_said(out, "would", ig_decision_name(line->would));
    }

    if (line->dry_run) {
        ig_text_lit(out, " (place in dry run)");
    }

    if (!ig_str_eq(line->evaluation, ig_str("complete"))) {
        ig_text_said(out, "evaluation", line->evaluation);
    }

    ig_text_said(out, "tenant", line->tenant);
    ig_text_said(out, "body", ig_audit_text(line, "body"));
    ig_text_fields(out, line);
}


static void
ig_text_count(FILE *out, const ig_audit_line_t *line, const char *member,
    const char *unit)
{
    double  n;

    if (ig_audit_number(line, member, &n)) {
        fputc(' ', out);
        ig_out_number(out, n);
        ig_text_lit(out, unit);
    }
}


static void
ig_text_outcome(FILE *out, const ig_audit_line_t *line)
{
    ig_text_lit(out, "outcome ");
    ig_text_count(out, line, "status", "");

    if (ig_audit_has(line, "upstream")) {
        ig_text_lit(out, " upstream");
        ig_text_count(out, line, "upstream", "");
    }

    ig_text_lit(out, " in");
    ig_text_count(out, line, "duration_ms", " ms");

    if (ig_audit_true(line, "aborted")) {
        ig_text_lit(out, ", the client left");
    }
}


/* What a person did to a list, or to what is remembered of a key. */
static void
ig_text_list(FILE *out, const ig_audit_line_t *line)
{
    ig_audit_items_t  item;

    fprintf(out, "%-8.*s", ig_fmt(ig_audit_kind_name(line->kind)));
    ig_text_said(out, "", ig_audit_text(line, "op"));
    ig_text_said(out, "", ig_audit_text(line, "name"));

    ig_audit_items(line, "counter", &item);

    while (line->kind == IG_AUDIT_KEY && ig_audit_next(&item)) {
        ig_text_said(out, "", item.value.str);
    }

    ig_text_fields(out, line);
    ig_text_said(out, "until", ig_audit_text(line, "until"));
    ig_text_said(out, "tenant", line->tenant);
    ig_text_said(out, "by", ig_audit_text(line, "by"));
    ig_text_said(out, "because:", ig_audit_text(line, "reason"));

    if (ig_audit_true(line, "failed")) {
        ig_text_lit(out, " (the store did not do it)");
    }
}


/* Other kinds, those not known here too. */
static void
ig_text_rest(FILE *out, const ig_audit_line_t *line)
{
    ig_out_text(out, line->kind_name);

    ig_text_said(out, "action", line->action);
    ig_text_said(out, "method", line->method);
    ig_text_said(out, "path", line->path);

    if (ig_audit_has(line, "count")) {
        ig_text_count(out, line, "count", " calls");
    }

    if (ig_audit_true(line, "denied")) {
        ig_text_lit(out, ", denied");
    }

    ig_text_said(out, "policy", line->policy);

    if (line->kind == IG_AUDIT_POLICY) {
        ig_text_lit(out, " part");
        ig_text_count(out, line, "part", "");
        ig_text_lit(out, " of");
        ig_text_count(out, line, "parts", "");
    }

    ig_text_said(out, "chain", line->chain);
}


void
ig_log_text(FILE *out, bool colours, const ig_audit_line_t *line)
{
    double  dropped;

    ig_out_colour(out, colours, IG_DIM);
    ig_out_time(out, line->time);
    fputc(' ', out);

    if (line->event.len > 0) {
        ig_out_text(out, line->event);
        fputc(' ', out);
    }

    ig_out_colour(out, colours, IG_PLAIN);

    switch (line->kind) {

    case IG_AUDIT_DECISION:
        ig_text_decision(out, colours, line);
        break;

    case IG_AUDIT_OUTCOME:
        ig_text_outcome(out, line);
        break;

    case IG_AUDIT_LIST:
    case IG_AUDIT_KEY:
        ig_text_list(out, line);
        break;

    default:
        ig_text_rest(out, line);
        break;
    }

    if (ig_audit_number(line, "dropped", &dropped)) {
        fprintf(out, " (%.0f lines before it were lost)", dropped);
    }

    fputc('\n', out);
}
