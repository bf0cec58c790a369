/*
 * ig_ctl_recall.c: `integrityctl recall`: which accepted events of a key to
 * take back, now that a rule has fired for it.
 * Owns: all that is read for it.  Called by integrityctl.c.
 */

#include <stdio.h>
#include <string.h>

#include "ig_ctl_out.h"
#include "ig_ctl_recall.h"


/* -- showing ------------------------------------------------------------- */


static void
ig_recall_json(const ig_recall_t *r, const ig_recall_event_t *e)
{
    fputs("{\"event\":", stdout);
    ig_out_json(stdout, e->line.event);
    ig_out_member(stdout, "request", e->line.request);
    fputs(",\"time\":\"", stdout);
    ig_out_time(stdout, e->line.time);
    putchar('"');
    ig_out_member(stdout, "action", e->line.action);
    ig_out_member(stdout, "tenant", e->line.tenant);
    ig_out_member(stdout, "decision", ig_decision_name(e->line.decision));

    if (e->status != 0) {
        printf(",\"status\":%u", e->status);
    }

    fputs(",\"field\":", stdout);
    ig_audit_print(&e->line, "field", stdout);
    ig_out_member(stdout, "rule", r->rule);
    ig_out_member(stdout, "fired", e->fired);
    printf(",\"itself\":%s}\n", e->itself ? "true" : "false");
}


static void
ig_recall_text(const ig_recall_event_t *e)
{
    char              scratch[IG_KEY_TEXT];
    ig_audit_items_t  item;

    ig_out_time(stdout, e->line.time);
    printf("  %.*s  %-5.*s ", ig_fmt(e->line.event),
           ig_fmt(ig_decision_name(e->line.decision)));

    if (e->status != 0) {
        printf(" %3u  ", e->status);

    } else {
        fputs("   ?  ", stdout);
    }

    ig_out_text(stdout, e->line.action);

    if (e->line.request.len > 0) {
        fputs("  request=", stdout);
        ig_out_text(stdout, e->line.request);
    }

    ig_audit_items(&e->line, "field", &item);

    while (ig_audit_next(&item)) {
        fputs("  ", stdout);
        ig_out_text(stdout, item.name);
        putchar('=');
        ig_out_text(stdout, ig_value_key(&item.value, scratch));
    }

    fputs(e->itself ? "  (the rule fired here)\n" : "\n", stdout);
}


/* The list of events has the latest first: shown the other way round. */
static uint64_t
ig_recall_show(const ig_recall_t *r)
{
    uint64_t            n;
    ig_recall_event_t  *e, *next, *first;

    for (first = NULL, e = r->last; e; e = next) {
        next = e->before;
        e->before = first;
        first = e;
    }

    for (n = 0, e = first; e; e = e->before) {

        if (e->fired.len == 0) {
            continue;
        }

        if (r->json) {
            ig_recall_json(r, e);

        } else {
            ig_recall_text(e);
        }

        n++;
    }

    for (e = first; e; e = e->before) {
        ig_audit_free(&e->line);
    }

    return n;
}


/* What is to be known of a result besides it. */
static void
ig_recall_tell(const ig_recall_t *r, uint64_t shown)
{
    if (r->nfired == 0) {
        if (!ig_audit_filter_hint(&r->key)) {
            (void) ig_ctl_error("the rule \"%.*s\" did not fire for this key "
                                "in these files", ig_fmt(r->rule));
        }

        return;
    }

    if (r->nblind > 0) {
        (void) ig_ctl_error("the rule fired, but the policy's text is not in "
                            "these files, so that its windows are not known: "
                            "give an older file too, or --window TIME");

    } else if (shown == 0) {
        (void) ig_ctl_error("the rule fired %llu time%s for this key; nothing "
                            "accepted lies in its windows before",
                            (unsigned long long) r->nfired,
                            r->nfired == 1 ? "" : "s");
    }
}


/* -- arguments ----------------------------------------------------------- */


static int
ig_recall_option_window(void *ctx, const char *name, const char *value)
{
    ig_str_t      text = { strlen(value), value };
    ig_recall_t  *r = ctx;

    return ig_parse_duration(text, &r->window)
           ? IG_CTL_OK
           : ig_ctl_error("%s: \"%s\" is no duration, as 90m, 2h, 7d", name,
                          value);
}


/* FIELD=VALUE... go to the filter, files to the front of argv. */
static int
ig_recall_key(ig_recall_t *r, int argc, char **argv, int *nfiles)
{
    int         i, rc;
    ig_str_t    name;
    const char *equals;

    for (*nfiles = 0, i = 0; i < argc; i++) {
        equals = strchr(argv[i], '=');
        name.data = argv[i];
        name.len = equals ? (size_t) (equals - argv[i]) : 0;

        if (!ig_is_name(name)) {
            argv[(*nfiles)++] = argv[i];
            continue;
        }

        rc = ig_audit_filter_field(&r->key, "the key", argv[i]);
        if (rc != IG_CTL_OK) {
            return rc;
        }
    }

    if (r->key.field == NULL) {
        return ig_ctl_usage(&ig_ctl_recall, "no key: FIELD=VALUE");
    }

    return *nfiles > 0 ? IG_CTL_OK : ig_ctl_usage(&ig_ctl_recall, "no file");
}


static int
ig_recall_arguments(ig_recall_t *r, int argc, char **argv, int *nfiles)
{
    int                    rc, n;
    const ig_ctl_option_t  option[] = {
        IG_AUDIT_TIME_OPTIONS(&r->key),
        IG_AUDIT_SECRET_OPTIONS(&r->key),
        IG_OPTION_CALL("--window", 0, ig_recall_option_window, r),
        IG_OPTION_FLAG("--dry-run", 0, &r->dry_run),
        IG_OPTION_FLAG("--json", 0, &r->json)
    };

    rc = ig_ctl_options(&ig_ctl_recall, option, ig_countof(option), argc,
                        argv, &n);
    if (rc != IG_CTL_OK) {
        return rc;
    }

    if (n == 0) {
        return ig_ctl_usage(&ig_ctl_recall, "no rule");
    }

    r->rule = (ig_str_t) { strlen(argv[1]), argv[1] };

    if (!ig_is_name(r->rule)) {
        return ig_ctl_usage(&ig_ctl_recall, "\"%s\" is no name of a rule",
                            argv[1]);
    }

    rc = ig_recall_key(r, n - 1, argv + 2, nfiles);

    if (rc == IG_CTL_OK) {
        rc = ig_audit_filter_finish(&r->key);
    }

    r->since = r->key.since;
    r->until = r->key.until;

    return rc;
}


static int
ig_recall_do(ig_recall_t *r, char **file, int nfiles)
{
    int       rc;
    uint64_t  shown;

    rc = ig_recall_read(r, file, nfiles);
    shown = ig_recall_show(r);

    /* of files that were not read nothing can be said */
    if (rc == IG_CTL_OK || shown > 0) {
        ig_recall_tell(r, shown);
    }

    return rc != IG_CTL_OK ? rc : shown > 0 ? IG_CTL_OK : IG_CTL_FAILED;
}


static int
ig_recall_run(int argc, char **argv)
{
    int          rc, nfiles;
    ig_recall_t  r;

    nfiles = 0;
    memset(&r, 0, sizeof(r));
    ig_ctl_memory_init(&r.memory);
    ig_past_init(&r.past);
    ig_audit_filter_init(&r.key);

    rc = ig_recall_arguments(&r, argc, argv, &nfiles);

    if (rc == IG_CTL_OK) {
        rc = ig_recall_do(&r, argv + 2, nfiles);
    }

    ig_audit_filter_free(&r.key);
    ig_past_free(&r.past);
    ig_ctl_memory_free(&r.memory);

    return rc;
}


const ig_ctl_command_t  ig_ctl_recall = {
    "recall",
    "RULE FIELD=VALUE... FILE... [OPTION...]",
    "Tell which accepted events to take back where a rule has fired",
    "For each time that the rule fired for the key: the accepted events of the\n"
    "key that the rule's counters had counted, inside their windows before,\n"
    "and the event itself where it was accepted (held, or scored too low).\n"
    "Rules, counters and windows are read from the policy's text in the log.\n"
    "Counters of the kinds first and last, and lists, count nothing to take\n"
    "back. Give a file whose name looks like FIELD=VALUE as ./NAME.\n"
    "\n"
    "--since TIME      only where the rule fired from this time on: RFC 3339,\n"
    "                  a date, today, yesterday, 90m, 2h, 7d\n"
    "--until TIME      only where it fired before this time\n"
    IG_AUDIT_SECRET_HELP
    "--dry-run         also where the rule or the place was in dry run\n"
    "--window TIME     events of the same action within this time, whatever\n"
    "                  the rule's counters are\n"
    "--json            JSON Lines: event, request, time, action, decision,\n"
    "                  status, field, rule, fired (the event), itself\n"
    "\n"
    "Exit codes:\n"
    "  0  there is something to take back\n"
    "  1  there is nothing, or the rule did not fire for this key\n"
    "  2  usage, or a file that cannot be read to its end\n",
    ig_recall_run
};
