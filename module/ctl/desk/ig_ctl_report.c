/*
 * ig_ctl_report.c: `integrityctl report`: a day, a week or any other period.
 * Owns nothing.  Called by integrityctl.c.
 */

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ig_ctl_desk.h"
#include "ig_ctl_report.h"

typedef struct {
    ig_audit_filter_t   time;           /* --since, --until */
    ig_desk_output_t    output;
    const char         *period;
    const char         *ending;
    const char         *by;
} ig_report_options_t;

typedef struct {
    ig_report_t        *report;
    const ig_survey_t  *survey;
} ig_report_found_t;


static void
ig_report_write(ig_page_t *page, void *ctx)
{
    ig_report_found_t  *found = ctx;

    ig_report_page(page, found->report, found->survey);
}


/* What to do where the period has nothing: most likely it is another one. */
static int
ig_report_empty(const ig_survey_t *s, ig_zone_t zone)
{
    char      first[IG_CALENDAR_TEXT], last[IG_CALENDAR_TEXT];
    ig_buf_t  a, b;

    if (s->health.lines == 0) {
        (void) ig_ctl_error("there is no line of an audit log");
        return IG_CTL_FAILED;
    }

    ig_buf_init(&a, first, sizeof(first));
    ig_when_write(&a, s->health.first, zone, IG_WRITE_MINUTE);
    ig_buf_init(&b, last, sizeof(last));
    ig_when_write(&b, s->health.last, zone, IG_WRITE_MINUTE);

    (void) ig_ctl_error("no decided call lies in this period; the log is from"
                        " %.*s to %.*s: see --ending, --since and --until",
                        ig_fmt(ig_buf_str(&a)), ig_fmt(ig_buf_str(&b)));

    return IG_CTL_FAILED;
}


static int
ig_report_say(ig_report_t *r, const ig_report_options_t *o, ig_survey_t *s)
{
    int                rc;
    ig_report_found_t  found = { r, s };

    ig_report_sort(r);

    rc = IG_CTL_OK;

    if (o->output.json) {
        ig_report_json(stdout, r, s);
    }

    if (!o->output.json || o->output.html) {
        rc = ig_desk_page(&o->output, ig_report_write, &found);
    }

    return rc == IG_CTL_OK && ig_report_calls(r->n) == 0
           ? ig_report_empty(s, r->zone) : rc;
}


static int
ig_report_files(const ig_report_options_t *o, ig_report_t *r, char **file,
    int nfiles)
{
    int          rc;
    ig_survey_t  survey;

    if (ig_survey_init(&survey) != IG_OK) {
        return ig_ctl_error("no memory");
    }

    survey.since = r->before;
    survey.until = r->until;
    survey.ctx = r;
    survey.call = ig_report_call;
    survey.list = ig_report_change;
    survey.unclassified = ig_report_unclassified;

    rc = ig_survey_run(&survey, file, nfiles);

    if (rc == IG_CTL_OK) {
        rc = ig_report_say(r, o, &survey);
    }

    ig_survey_free(&survey);

    return rc;
}


/* -- the period ---------------------------------------------------------- */


/* The whole days that end with --ending, or today. */
static int
ig_report_days(const ig_report_options_t *o, ig_report_t *r)
{
    int64_t          day, days;
    struct timespec  now;

    days = 1;

    if (o->period && strcmp(o->period, "week") == 0) {
        days = 7;

    } else if (o->period && strcmp(o->period, "day") != 0) {
        return ig_ctl_usage(&ig_ctl_report, "--period: \"%s\" is neither day"
                            " nor week", o->period);
    }

    (void) clock_gettime(CLOCK_REALTIME, &now);
    day = ig_day_start((int64_t) now.tv_sec * 1000, r->zone);

    if (o->ending && !ig_day_read((ig_str_t) { strlen(o->ending), o->ending },
                                  r->zone, &day))
    {
        return ig_ctl_usage(&ig_ctl_report, "--ending: \"%s\" is no day, as"
                            " 2026-11-23", o->ending);
    }

    r->until = day + IG_DAY_MS;
    r->since = r->until - days * IG_DAY_MS;

    return IG_CTL_OK;
}


static int
ig_report_when(const ig_report_options_t *o, ig_report_t *r)
{
    if (o->time.since == INT64_MIN && o->time.until == INT64_MAX) {
        return ig_report_days(o, r);
    }

    if (o->period || o->ending) {
        return ig_ctl_usage(&ig_ctl_report, "either --since and --until, or"
                            " --period and --ending");
    }

    if (o->time.since == INT64_MIN) {
        return ig_ctl_usage(&ig_ctl_report, "--until needs --since");
    }

    r->since = o->time.since;
    r->until = o->time.until == INT64_MAX ? o->time.now : o->time.until;

    if (r->since >= r->until) {
        return ig_ctl_usage(&ig_ctl_report, "the period ends before it"
                            " begins");
    }

    return IG_CTL_OK;
}


/* --by FIELD,... */
static int
ig_report_fields(const char *by, ig_report_t *r)
{
    ig_str_t  name;

    while (by && *by) {
        name = (ig_str_t) { strcspn(by, ","), by };

        if (!ig_is_name(name) || r->nby == IG_REPORT_FIELDS) {
            return ig_ctl_usage(&ig_ctl_report, "--by: \"%.*s\" is no name of"
                                " a field, or one too many", ig_fmt(name));
        }

        r->by[r->nby++] = name;
        by += name.len;
        by += (*by == ',');
    }

    return IG_CTL_OK;
}


/* -- the command --------------------------------------------------------- */


static int
ig_report_start(const ig_report_options_t *o, char **file, int nfiles)
{
    int           rc;
    ig_report_t  *r;

    r = malloc(sizeof(ig_report_t));

    if (r == NULL || ig_report_init(r) != IG_OK) {
        free(r);
        return ig_ctl_error("no memory");
    }

    r->zone = o->output.zone;
    rc = ig_report_when(o, r);

    if (rc == IG_CTL_OK) {
        rc = ig_report_fields(o->by, r);
    }

    if (rc == IG_CTL_OK) {
        ig_report_period(r);
        rc = ig_report_files(o, r, file, nfiles);
    }

    ig_report_free(r);
    free(r);

    return rc;
}


static int
ig_report_run(int argc, char **argv)
{
    int                   rc, nfiles;
    ig_report_options_t   o;

    const ig_ctl_option_t  option[] = {
        IG_AUDIT_TIME_OPTIONS(&o.time),
        IG_DESK_OPTIONS(&o.output),
        IG_OPTION_TEXT("--period", 0, &o.period),
        IG_OPTION_TEXT("--ending", 0, &o.ending),
        IG_OPTION_TEXT("--by", 0, &o.by)
    };

    memset(&o, 0, sizeof(o));
    ig_audit_filter_init(&o.time);

    rc = ig_ctl_options(&ig_ctl_report, option, ig_countof(option), argc,
                        argv, &nfiles);

    if (rc == IG_CTL_OK && nfiles == 0) {
        rc = ig_ctl_usage(&ig_ctl_report, "no file");
    }

    if (rc == IG_CTL_OK) {
        rc = ig_report_start(&o, argv + 1, nfiles);
    }

    ig_audit_filter_free(&o.time);

    return rc;
}


const ig_ctl_command_t  ig_ctl_report = {
    "report",
    "[OPTION...] FILE...",
    "What happened in a day or a week, against the one before",
    "Volumes and decisions, rules that fired, keys of calls that were not\n"
    "allowed, changes of lists, hour by hour; how calls were evaluated, and\n"
    "what the log can vouch for. Give the period before as well: it is\n"
    "compared with. Files are plain, rotated or gzip, in any order; \"-\" is\n"
    "the standard input.\n"
    "\n"
    "--period NAME     day, the default, or week\n"
    "--ending DATE     its last day, as 2026-11-23; today by default\n"
    "--by FIELD,...    keys of these fields, numbers too; by default of all\n"
    "                  fields that hold names\n"
    "or, in place of --period and --ending:\n"
    IG_AUDIT_TIME_HELP
    IG_DESK_HELP
    "\n"
    "Exit codes: 0 done; 1 no call lies in the period; 2 usage, or a file that\n"
    "cannot be read to its end or written.\n",
    ig_report_run
};
