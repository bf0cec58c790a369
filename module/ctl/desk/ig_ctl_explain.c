/*
 * ig_ctl_explain.c: `integrityctl explain`: the story of one event.
 * Owns: all that is read for it.  Called by integrityctl.c.
 */

#include <stdio.h>
#include <string.h>

#include "ig_ctl_explain.h"
#include "ig_ctl_options.h"
#include "ig_ctl_out.h"


/* An id, or CHAIN:SEQ. */
static int
ig_explain_event(ig_explain_t *x, const char *event)
{
    char        text[256];
    ig_buf_t    b;
    const char *colon;

    x->event = (ig_str_t) { strlen(event), event };
    colon = strrchr(event, ':');

    if (colon == NULL) {
        return IG_CTL_OK;
    }

    x->chain = (ig_str_t) { (size_t) (colon - event), event };

    ig_buf_init(&b, text, sizeof(text));
    ig_buf_lit(&b, "\"chain\":\"");
    ig_buf_str_add(&b, x->chain);
    ig_buf_lit(&b, "\",\"seq\":");
    ig_buf_bytes(&b, colon + 1, strlen(colon + 1));
    ig_buf_char(&b, ',');

    if (!ig_parse_uint((ig_str_t) { strlen(colon + 1), colon + 1 },
                       UINT64_MAX, &x->seq)
        || x->chain.len == 0 || b.full)
    {
        return ig_ctl_usage(&ig_ctl_explain, "\"%s\" is neither an event nor "
                            "CHAIN:SEQ", event);
    }

    return ig_str_dup(&x->memory.mem, ig_buf_str(&b), &x->needle) == IG_OK
           ? IG_CTL_OK : ig_ctl_error("no memory");
}


static void
ig_explain_json(const ig_explain_t *x)
{
    const ig_explain_line_t  *l;
    const ig_audit_line_t    *line;

    line = &x->first->line;

    fputs("{\"kind\":", stdout);
    ig_out_json(stdout, line->kind_name);
    fputs(",\"time\":\"", stdout);
    ig_out_time(stdout, line->time);
    putchar('"');
    ig_out_member(stdout, "event", line->event);
    ig_out_member(stdout, "action", line->action);

    if (line->decision != IG_NO_DECISION) {
        ig_out_member(stdout, "decision", ig_decision_name(line->decision));
    }

    ig_out_member(stdout, "policy", line->policy);
    putchar(',');
    ig_story_json(&x->story, stdout);

    if (!x->in_public) {
        fputs(",\"lines\":[", stdout);

        for (l = x->first; l; l = l->next) {
            fwrite(l->line.raw.data, 1, l->line.raw.len, stdout);
            fputs(l->next ? "," : "", stdout);
        }

        putchar(']');
    }

    fputs("}\n", stdout);
}


/* The decision, wherever its lines stand, or what else there is. */
static int
ig_explain_tell(ig_explain_t *x)
{
    int                       rc;
    const ig_explain_line_t  *l;
    const ig_audit_line_t    *decision;

    rc = IG_CTL_OK;
    decision = ig_explain_line(x, IG_AUDIT_DECISION);

    if (decision != NULL) {
        rc = ig_explain_find_lists(x, decision);
        ig_explain_decision(x, decision);

    } else {
        for (l = x->first; l; l = l->next) {
            ig_explain_other(x, &l->line);
        }

        if (ig_explain_line(x, IG_AUDIT_OUTCOME)
            || ig_explain_line(x, IG_AUDIT_REPEAT))
        {
            ig_explain_outcome(x, &x->first->line);
            ig_story_say(&x->story, IG_STORY_CERTAINTY, "The decision itself "
                         "is not in these files: an earlier one has it, or it "
                         "was left out by integrity_audit_sample.");
            ig_explain_record(x, &x->first->line);
        }
    }

    if (x->story.nomem) {
        return ig_ctl_error("no memory");
    }

    if (x->json) {
        ig_explain_json(x);

    } else {
        ig_story_text(&x->story, stdout, ig_out_colours(stdout));
    }

    return rc;
}


static int
ig_explain_story(ig_explain_t *x)
{
    int  i, rc;

    for (i = 0; i < x->nfiles; i++) {
        x->standard |= (strcmp(x->file[i], "-") == 0);
    }

    rc = ig_explain_find(x);

    if (x->first == NULL) {
        if (rc == IG_CTL_OK) {
            (void) ig_ctl_error("no line of the event \"%.*s\" in %s",
                                ig_fmt(x->event), x->nfiles == 1
                                ? x->file[0] : "these files");
            rc = IG_CTL_FAILED;
        }

        return rc;
    }

    i = ig_explain_tell(x);

    return rc != IG_CTL_OK ? rc : i;
}


static int
ig_explain_run(int argc, char **argv)
{
    int                    rc, n;
    ig_explain_t           x;
    const ig_ctl_option_t  option[] = {
        IG_OPTION_FLAG("--json", 0, &x.json),
        IG_OPTION_FLAG("--public", 0, &x.in_public)
    };

    memset(&x, 0, sizeof(x));

    rc = ig_ctl_options(&ig_ctl_explain, option, ig_countof(option), argc,
                        argv, &n);
    if (rc != IG_CTL_OK) {
        return rc;
    }

    if (n < 2) {
        return ig_ctl_usage(&ig_ctl_explain, n == 0 ? "no event" : "no file");
    }

    ig_ctl_memory_init(&x.memory);
    ig_past_init(&x.past);
    x.story.mem = &x.memory.mem;
    x.file = argv + 2;
    x.nfiles = n - 1;

    rc = ig_explain_event(&x, argv[1]);

    if (rc == IG_CTL_OK) {
        rc = ig_explain_story(&x);
    }

    ig_explain_forget(&x);
    ig_past_free(&x.past);
    ig_ctl_memory_free(&x.memory);

    return rc;
}


const ig_ctl_command_t  ig_ctl_explain = {
    "explain",
    "[--json] [--public] EVENT FILE...",
    "Tell the story of one event of the audit log in sentences",
    "EVENT is an event's id, or CHAIN:SEQ for a line without one. Give all the\n"
    "files that may tell of it, rotated and gzip ones too: the policy's text\n"
    "stands where the worker began, an outcome later than its decision.\n"
    "\n"
    "--json    one JSON object: the story, and the lines it is made of\n"
    "--public  for the one concerned: leaves out thresholds, scores, rules,\n"
    "          values, and what is in dry run\n"
    "\n"
    "Exit codes:\n"
    "  0  told\n"
    "  1  there is no such event in these files\n"
    "  2  usage, or a file that cannot be read to its end\n",
    ig_explain_run
};
