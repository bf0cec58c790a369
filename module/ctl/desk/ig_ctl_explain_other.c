/*
 * ig_ctl_explain_other.c: lines that are no decision, in sentences: outcomes,
 * repeats, lists, unclassified calls; and where a line stands.
 * Owns nothing.  Called by ig_ctl_explain*.c.
 */

#include <stdio.h>
#include <string.h>

#include "ig_buf.h"
#include "ig_ctl_explain.h"

#define IG_EXPLAIN_TEXT  4096

#define ig_say(x, section, ...)                                               \
    ig_story_say(&(x)->story, section, __VA_ARGS__)


static double
ig_explain_count(const ig_audit_line_t *line, const char *name)
{
    double  n;

    (void) ig_audit_number(line, name, &n);

    return n;
}


/* -- what came of a decision --------------------------------------------- */


static void
ig_explain_status(ig_explain_t *x, const ig_audit_line_t *line)
{
    double  upstream;

    if (ig_audit_true(line, "aborted")) {
        ig_say(x, IG_STORY_OUTCOME, "The client left before the decision.");
        return;
    }

    if (ig_audit_number(line, "upstream", &upstream)) {
        ig_say(x, IG_STORY_OUTCOME, "The application answered with status "
               "%.0f; the client got %.0f, %.0f ms after the call began.",
               upstream, ig_explain_count(line, "status"),
               ig_explain_count(line, "duration_ms"));
        return;
    }

    ig_say(x, IG_STORY_OUTCOME, "The application was not asked; the client got "
           "status %.0f, %.0f ms after the call began.",
           ig_explain_count(line, "status"),
           ig_explain_count(line, "duration_ms"));
}


void
ig_explain_outcome(ig_explain_t *x, const ig_audit_line_t *decision)
{
    double                    repeats;
    bool                      any;
    const ig_explain_line_t  *l;

    any = false;
    repeats = 0;

    for (l = x->first; l; l = l->next) {
        if (l->line.kind == IG_AUDIT_OUTCOME) {
            ig_explain_status(x, &l->line);
            any = true;

        } else if (l->line.kind == IG_AUDIT_REPEAT) {
            repeats += ig_explain_count(&l->line, "count");
        }
    }

    if (repeats > 0) {
        ig_say(x, IG_STORY_OUTCOME, "This record stands for %.0f more call%s of "
               "the same key within the same second, decided alike.", repeats,
               repeats == 1 ? "" : "s");
    }

    if (!any && !ig_str_eq(decision->evaluation, ig_str("cached"))) {
        ig_say(x, IG_STORY_OUTCOME, "How the call ended is not in these files: "
               "it had not ended yet, or a later file tells.");
    }
}


/* -- other lines --------------------------------------------------------- */


static void
ig_explain_key(const ig_audit_line_t *line, ig_buf_t *b)
{
    char              scratch[IG_KEY_TEXT];
    bool              any;
    ig_audit_items_t  item;

    any = false;
    ig_audit_items(line, "field", &item);

    while (ig_audit_next(&item)) {
        ig_buf_str_add(b, any ? ig_str(" and ") : ig_str(""));
        any = true;
        ig_buf_str_add(b, item.name);
        ig_buf_char(b, ' ');
        ig_buf_str_add(b, ig_value_key(&item.value, scratch));
    }
}


static void
ig_explain_list(ig_explain_t *x, const ig_audit_line_t *line)
{
    char      text[IG_EXPLAIN_TEXT], when[40];
    bool      removed;
    ig_str_t  until;
    ig_buf_t  b, t;

    if (ig_audit_true(line, "failed")) {
        ig_say(x, IG_STORY_OUTCOME, "The store did not answer: whether the "
               "change was made is not known.");
        return;
    }

    removed = ig_str_eq(ig_audit_text(line, "op"), ig_str("remove"));
    until = ig_audit_text(line, "until");

    ig_buf_init(&b, text, sizeof(text));
    ig_explain_key(line, &b);
    ig_buf_init(&t, when, sizeof(when));
    ig_buf_time(&t, line->time);

    ig_say(x, IG_STORY_HAPPENED, "On %.*s %.*s %s the list %.*s: %.*s%s%.*s.",
           ig_fmt(ig_buf_str(&t)), ig_fmt(ig_audit_text(line, "by")),
           removed ? "took a key off" : "put a key on",
           ig_fmt(ig_audit_text(line, "name")), ig_fmt(ig_buf_str(&b)),
           until.len ? ", until " : "", ig_fmt(until));

    ig_say(x, IG_STORY_WHY, "The reason given: %.*s",
           ig_fmt(ig_audit_text(line, "reason")));

    ig_explain_record(x, line);
}


/* A person looked at what is remembered of a key, or had it forgotten. */
static void
ig_explain_remembered(ig_explain_t *x, const ig_audit_line_t *line)
{
    char              text[IG_EXPLAIN_TEXT], when[40];
    ig_buf_t          b, t;
    ig_audit_items_t  item;

    if (ig_audit_true(line, "failed")) {
        ig_say(x, IG_STORY_OUTCOME, "The store did not answer: whether it was "
               "done is not known.");
        return;
    }

    ig_buf_init(&b, text, sizeof(text));
    ig_explain_key(line, &b);
    ig_buf_init(&t, when, sizeof(when));
    ig_buf_time(&t, line->time);

    ig_say(x, IG_STORY_HAPPENED, "On %.*s %.*s %s what is remembered of a key: "
           "%.*s.", ig_fmt(ig_buf_str(&t)), ig_fmt(ig_audit_text(line, "by")),
           ig_str_eq(ig_audit_text(line, "op"), ig_str("reset"))
           ? "had forgotten" : "looked at", ig_fmt(ig_buf_str(&b)));

    ig_audit_items(line, "counter", &item);

    while (ig_audit_next(&item)) {
        ig_say(x, IG_STORY_COUNTED, "The counter %.*s.",
               ig_fmt(item.value.str));
    }

    ig_say(x, IG_STORY_WHY, "The reason given: %.*s",
           ig_fmt(ig_audit_text(line, "reason")));

    ig_explain_record(x, line);
}


static void
ig_explain_unclassified(ig_explain_t *x, const ig_audit_line_t *line)
{
    double    n;
    char      when[40];
    ig_buf_t  t;

    n = ig_explain_count(line, "count");
    ig_buf_init(&t, when, sizeof(when));
    ig_buf_time(&t, line->time);

    ig_say(x, IG_STORY_HAPPENED, "By %.*s, %.0f writing call%s at %.*s named no "
           "action of the policy, the last by %.*s%s%.*s. %s",
           ig_fmt(ig_buf_str(&t)), n, n == 1 ? "" : "s", ig_fmt(line->path),
           ig_fmt(line->method), line->action.len ? " as " : "",
           ig_fmt(line->action), ig_audit_true(line, "denied")
           ? "They were denied." : "They passed.");

    ig_say(x, IG_STORY_WHY, "No rule looks at such calls: the map that names "
           "actions does not know them, or the policy has no rule or counter "
           "for that name. A line like this is written at most once a minute "
           "for each place and worker.");

    ig_explain_record(x, line);
}


void
ig_explain_other(ig_explain_t *x, const ig_audit_line_t *line)
{
    char      when[40];
    ig_buf_t  t;

    switch (line->kind) {

    case IG_AUDIT_LIST:
        ig_explain_list(x, line);
        break;

    case IG_AUDIT_KEY:
        ig_explain_remembered(x, line);
        break;

    case IG_AUDIT_UNCLASSIFIED:
        ig_explain_unclassified(x, line);
        break;

    case IG_AUDIT_OUTCOME:
    case IG_AUDIT_REPEAT:
        break;                  /* told together, below */

    default:
        ig_buf_init(&t, when, sizeof(when));
        ig_buf_time(&t, line->time);
        ig_say(x, IG_STORY_HAPPENED, "A line of kind %.*s, written on %.*s.",
               ig_fmt(line->kind_name), ig_fmt(ig_buf_str(&t)));
        ig_explain_record(x, line);
        break;
    }
}


void
ig_explain_record(ig_explain_t *x, const ig_audit_line_t *line)
{
    if (line->event.len > 0) {
        ig_say(x, IG_STORY_RECORD, "Event %.*s%s%.*s.", ig_fmt(line->event),
               line->request.len ? ", request " : "", ig_fmt(line->request));
    }

    if (line->policy.len > 0) {
        ig_say(x, IG_STORY_RECORD, "Policy %.*s%s.", ig_fmt(line->policy),
               x->in_public || !ig_past_policy(&x->past, line->policy) ? ""
               : ", whose text in the log has this hash");
    }

    if (x->in_public) {
        return;
    }

    ig_say(x, IG_STORY_RECORD, "%s:%llu, line %llu of the chain %.*s, hash "
           "%.*s. Whether the log is unchanged is what integrityctl verify "
           "tells.", line->file, (unsigned long long) line->number,
           (unsigned long long) line->seq, ig_fmt(line->chain),
           ig_fmt(ig_audit_text(line, "hash")));
}
