/*
 * ig_ctl_dossier.c: `integrityctl dossier`: the integrity record of one key.
 * Owns nothing.  Called by integrityctl.c.
 */

#include <stdlib.h>
#include <string.h>

#include "ig_ctl_desk.h"
#include "ig_ctl_dossier.h"

typedef struct {
    ig_audit_filter_t   time;       /* --since, --until */
    ig_audit_filter_t   key;
    ig_desk_output_t    output;
    const char         *events;
} ig_dossier_options_t;

typedef struct {
    ig_dossier_t       *record;
    const ig_survey_t  *survey;
} ig_dossier_found_t;


static void
ig_dossier_write(ig_page_t *page, void *ctx)
{
    ig_dossier_found_t  *found = ctx;

    ig_dossier_page(page, found->record, found->survey);
}


static int
ig_dossier_say(ig_dossier_t *d, const ig_dossier_options_t *o,
    ig_survey_t *s)
{
    int                 rc;
    ig_dossier_found_t  found = { d, s };

    ig_dossier_sort(d);

    rc = IG_CTL_OK;

    if (o->output.json) {
        ig_dossier_json(stdout, d, s);
    }

    if (!o->output.json || o->output.html) {
        rc = ig_desk_page(&o->output, ig_dossier_write, &found);
    }

    if (rc != IG_CTL_OK || d->first || d->nsanctions) {
        return rc;
    }

    (void) ig_ctl_error("the log has nothing about this key");
    (void) ig_audit_filter_hint(&o->key);

    return IG_CTL_FAILED;
}


static int
ig_dossier_files(ig_dossier_options_t *o, ig_dossier_t *d, char **file,
    int nfiles)
{
    int          rc;
    ig_survey_t  survey;

    if (ig_survey_init(&survey) != IG_OK) {
        return ig_ctl_error("no memory");
    }

    survey.since = o->time.since;
    survey.until = o->time.until;
    survey.key = &o->key;
    survey.ctx = d;
    survey.call = ig_dossier_call;
    survey.list = ig_dossier_change;
    survey.wants = ig_dossier_wants;
    survey.outcome = ig_dossier_outcome;
    survey.policy = ig_dossier_policy;

    rc = ig_survey_run(&survey, file, nfiles);

    if (rc == IG_CTL_OK) {
        rc = ig_dossier_say(d, o, &survey);
    }

    ig_survey_free(&survey);

    return rc;
}


/* FIELD VALUE as the filter wants it. */
static int
ig_dossier_key(ig_dossier_options_t *o, const char *field, const char *value)
{
    int     rc;
    char   *text;
    size_t  size;

    if (!ig_is_name((ig_str_t) { strlen(field), field })) {
        return ig_ctl_usage(&ig_ctl_dossier, "\"%s\" is no name of a field",
                            field);
    }

    if (*value == '\0') {
        return ig_ctl_usage(&ig_ctl_dossier, "the value is empty");
    }

    size = strlen(field) + strlen(value) + 2;
    text = ig_alloc(&o->key.memory.mem, size);

    if (text == NULL) {
        return ig_ctl_error("no memory");
    }

    snprintf(text, size, "%s=%s", field, value);

    rc = ig_audit_filter_field(&o->key, "FIELD VALUE", text);

    return rc == IG_CTL_OK ? ig_audit_filter_finish(&o->key) : rc;
}


/* --events: how many single events are shown. */
static int
ig_dossier_wanted(const char *text, unsigned *wanted)
{
    uint64_t  n;

    n = IG_DOSSIER_EVENTS;
    *wanted = IG_DOSSIER_EVENTS;

    if (text && !ig_parse_uint((ig_str_t) { strlen(text), text },
                               IG_DOSSIER_MOST, &n))
    {
        return ig_ctl_usage(&ig_ctl_dossier, "--events: \"%s\" is no number"
                            " up to %d", text, IG_DOSSIER_MOST);
    }

    *wanted = (unsigned) n;

    return IG_CTL_OK;
}


static int
ig_dossier_start(ig_dossier_options_t *o, char **argv, int nrest)
{
    int            rc;
    unsigned       wanted;
    ig_dossier_t  *d;

    rc = ig_dossier_wanted(o->events, &wanted);

    if (rc == IG_CTL_OK) {
        rc = ig_dossier_key(o, argv[1], argv[2]);
    }

    if (rc != IG_CTL_OK) {
        return rc;
    }

    d = malloc(sizeof(ig_dossier_t));

    if (d == NULL || ig_dossier_init(d, wanted) != IG_OK) {
        free(d);
        return ig_ctl_error("no memory");
    }

    d->field = (ig_str_t) { strlen(argv[1]), argv[1] };
    d->value = (ig_str_t) { strlen(argv[2]), argv[2] };
    d->key = &o->key;
    d->zone = o->output.zone;

    rc = ig_dossier_files(o, d, argv + 3, nrest - 2);

    ig_dossier_free(d);
    free(d);

    return rc;
}


static int
ig_dossier_run(int argc, char **argv)
{
    int                   rc, nrest;
    ig_dossier_options_t  o;

    const ig_ctl_option_t  option[] = {
        IG_AUDIT_TIME_OPTIONS(&o.time),
        IG_AUDIT_SECRET_OPTIONS(&o.key),
        IG_DESK_OPTIONS(&o.output),
        IG_OPTION_TEXT("--events", 0, &o.events)
    };

    memset(&o, 0, sizeof(o));
    ig_audit_filter_init(&o.time);
    ig_audit_filter_init(&o.key);

    rc = ig_ctl_options(&ig_ctl_dossier, option, ig_countof(option), argc,
                        argv, &nrest);

    if (rc == IG_CTL_OK && nrest < 3) {
        rc = ig_ctl_usage(&ig_ctl_dossier,
                          "expected a field, its value and a file");
    }

    if (rc == IG_CTL_OK) {
        rc = ig_dossier_start(&o, argv, nrest);
    }

    ig_audit_filter_free(&o.time);
    ig_audit_filter_free(&o.key);

    return rc;
}


const ig_ctl_command_t  ig_ctl_dossier = {
    "dossier",
    "[OPTION...] FIELD VALUE FILE...",
    "The integrity record of one account, merchant, device or product",
    "What the audit log has about one key: its calls and decisions over time,\n"
    "the rules that fired, sanctions and their reasons, single events, other\n"
    "keys of the same calls, how well its calls were evaluated, and what the\n"
    "log cannot tell. Files are plain, rotated or gzip, in any order; \"-\" is\n"
    "the standard input.\n"
    "\n"
    IG_AUDIT_TIME_HELP
    IG_AUDIT_SECRET_HELP
    "--events N        single events at most; 20 by default\n"
    IG_DESK_HELP
    "\n"
    "Exit codes: 0 done; 1 the log has nothing about this key; 2 usage, or a\n"
    "file that cannot be read to its end or written.\n",
    ig_dossier_run
};
