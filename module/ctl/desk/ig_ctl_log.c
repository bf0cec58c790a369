/*
 * ig_ctl_log.c: `integrityctl log`: searches the audit log and follows it.
 * Owns: the last lines, where only those are asked for.
 * Called by integrityctl.c.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ig_ctl_log.h"
#include "ig_value.h"

#define IG_LOG_MOST_LAST  100000
#define IG_LOG_FOLLOWED   10            /* lines shown before following */

/* The last lines that fit, as a ring. */
typedef struct {
    ig_str_t  *line;
    uint64_t   next;
} ig_log_last_t;


/* -- showing ------------------------------------------------------------- */


void
ig_log_show(const ig_log_options_t *o, ig_str_t raw,
    const ig_audit_line_t *line)
{
    if (o->json) {
        fwrite(raw.data, 1, raw.len, stdout);
        putchar('\n');

    } else {
        ig_log_text(stdout, o->colours, line);
    }
}


static int
ig_log_last_keep(const ig_log_options_t *o, ig_log_last_t *last, ig_str_t raw)
{
    char      *copy;
    ig_str_t  *at;

    at = &last->line[last->next++ % o->last];

    copy = realloc((char *) at->data, raw.len ? raw.len : 1);
    if (copy == NULL) {
        (void) ig_ctl_error("no memory");
        return IG_NOMEM;
    }

    memcpy(copy, raw.data, raw.len);
    at->data = copy;
    at->len = raw.len;

    return IG_OK;
}


static void
ig_log_last_show(const ig_log_options_t *o, ig_log_last_t *last)
{
    uint64_t          i;
    ig_str_t         *raw;
    const char       *why;
    ig_audit_line_t   line;

    i = last->next > o->last ? last->next - o->last : 0;

    for ( ; i < last->next; i++) {
        raw = &last->line[i % o->last];

        if (ig_audit_parse(*raw, &line, &why) == IG_OK) {
            ig_log_show(o, *raw, &line);
            ig_audit_free(&line);
        }
    }
}


static void
ig_log_last_free(const ig_log_options_t *o, ig_log_last_t *last)
{
    uint64_t  i;

    for (i = 0; last->line && i < o->last; i++) {
        free((char *) last->line[i].data);
    }

    free(last->line);
}


/* -- searching ----------------------------------------------------------- */


static int
ig_log_one(const ig_log_options_t *o, ig_audit_log_t *log,
    ig_log_last_t *last)
{
    int                     rc;
    ig_audit_entry_t        entry;
    const ig_audit_line_t  *line;

    if (!o->json && !o->count && !o->some) {
        rc = ig_audit_line(log, &line);

        if (rc == IG_OK) {
            ig_log_show(o, line->raw, line);
        }

        return rc;
    }

    rc = ig_audit_raw(log, &entry);

    if (rc != IG_OK || o->count) {
        return rc;
    }

    if (o->some) {
        return o->last ? ig_log_last_keep(o, last, entry.raw) : IG_OK;
    }

    ig_log_show(o, entry.raw, NULL);

    return IG_OK;
}


static int
ig_log_all(const ig_log_options_t *o, ig_audit_log_t *log, uint64_t *shown)
{
    int            rc;
    ig_log_last_t  last = { NULL, 0 };

    *shown = 0;

    if (o->some && o->last) {
        last.line = calloc(o->last, sizeof(ig_str_t));

        if (last.line == NULL) {
            return ig_ctl_error("no memory");
        }
    }

    while ((rc = ig_log_one(o, log, &last)) == IG_OK) {
        (*shown)++;

        if (ig_out_failed(stdout)) {
            rc = IG_AGAIN;              /* it is told when all is done */
            break;
        }
    }

    ig_log_last_show(o, &last);
    ig_log_last_free(o, &last);

    return rc == IG_AGAIN ? IG_CTL_OK : IG_CTL_USAGE;
}


static int
ig_log_search(const ig_log_options_t *o, ig_audit_filter_t *filter,
    const ig_follow_t *follow, char **file, int nfiles)
{
    int              i, rc, end;
    uint64_t         shown;
    ig_audit_log_t  *log;

    log = ig_audit_open(file, nfiles, filter);

    if (log == NULL) {
        return IG_CTL_USAGE;
    }

    for (i = 0; follow && i < nfiles; i++) {
        ig_audit_limit(log, i, ig_follow_limit(follow, i));
    }

    rc = ig_log_all(o, log, &shown);
    end = ig_audit_close(log);

    if (o->count) {
        printf("%llu\n", (unsigned long long) shown);
    }

    if (shown == 0) {
        (void) ig_audit_filter_hint(filter);
    }

    return rc != IG_CTL_OK ? rc : end != IG_CTL_OK ? end
           : shown > 0 ? IG_CTL_OK : IG_CTL_FAILED;
}


static int
ig_log_follow(const ig_log_options_t *o, ig_audit_filter_t *filter,
    char **file, int nfiles)
{
    int           rc;
    ig_follow_t  *follow;

    follow = ig_follow_open(o, filter, file, nfiles);

    if (follow == NULL) {
        return IG_CTL_USAGE;
    }

    rc = ig_log_search(o, filter, follow, file, nfiles);

    if (rc != IG_CTL_USAGE) {
        rc = ig_follow_run(follow);
    }

    ig_follow_close(follow);

    return rc;
}


/* -- options ------------------------------------------------------------- */


static int
ig_log_option_lines(void *ctx, const char *name, const char *value)
{
    ig_str_t           text = { strlen(value), value };
    ig_log_options_t  *o = ctx;

    if (!ig_parse_uint(text, IG_LOG_MOST_LAST, &o->last)) {
        return ig_ctl_error("%s: \"%s\" is no number from 0 to %d", name,
                            value, IG_LOG_MOST_LAST);
    }

    o->some = true;

    return IG_CTL_OK;
}


static int
ig_log_options(ig_log_options_t *o, ig_audit_filter_t *filter, int argc,
    char **argv, int *nfiles)
{
    int                    rc;
    const ig_ctl_option_t  option[] = {
        IG_AUDIT_FILTER_OPTIONS(filter),
        IG_OPTION_FLAG("--follow", 'f', &o->follow),
        IG_OPTION_CALL("--lines", 'n', ig_log_option_lines, o),
        IG_OPTION_FLAG("--json", 0, &o->json),
        IG_OPTION_FLAG("--count", 0, &o->count)
    };

    rc = ig_ctl_options(&ig_ctl_log, option, ig_countof(option), argc, argv,
                        nfiles);
    if (rc != IG_CTL_OK) {
        return rc;
    }

    if (*nfiles == 0) {
        return ig_ctl_usage(&ig_ctl_log, "no file");
    }

    if (o->follow && (o->count || filter->until != INT64_MAX)) {
        return ig_ctl_usage(&ig_ctl_log, "--follow never comes to an end: it "
                            "goes with neither --count nor --until");
    }

    if (o->follow && !o->some && filter->since == INT64_MIN) {
        o->some = true;
        o->last = IG_LOG_FOLLOWED;
    }

    return ig_audit_filter_finish(filter);
}


static int
ig_log_run(int argc, char **argv)
{
    int                rc, nfiles;
    ig_log_options_t   o;
    ig_audit_filter_t  filter;

    memset(&o, 0, sizeof(o));
    ig_audit_filter_init(&filter);

    rc = ig_log_options(&o, &filter, argc, argv, &nfiles);

    if (rc == IG_CTL_OK) {
        o.colours = ig_out_colours(stdout);
        rc = o.follow ? ig_log_follow(&o, &filter, argv + 1, nfiles)
                      : ig_log_search(&o, &filter, NULL, argv + 1, nfiles);
    }

    ig_audit_filter_free(&filter);

    return rc;
}


const ig_ctl_command_t  ig_ctl_log = {
    "log",
    "[OPTION...] FILE...",
    "Search the audit log, or follow it",
    "Plain, rotated and gzip files, \"-\" is the standard input, in the order\n"
    "of time across files and workers, for people a line each. Lines that are\n"
    "damaged are told and left out.\n"
    "\n"
    IG_AUDIT_FILTER_HELP
    "-f, --follow      the last lines, then what comes, as it comes; goes on\n"
    "                  when files are renamed, reopened or cut\n"
    "-n, --lines N     only the last N that fit; 10 with --follow, unless\n"
    "                  there is --since\n"
    "--json            the lines as they are in the log\n"
    "--count           only how many fit\n"
    "\n"
    "Exit codes:\n"
    "  0  some line fits\n"
    "  1  none does\n"
    "  2  usage, or a file that cannot be read to its end\n",
    ig_log_run
};
