/*
 * ig_ctl_log.c: `integrityctl log`: searches the audit log and follows it.
 * Owns nothing.  Called by integrityctl.c.
 */

#include <stdio.h>
#include <string.h>

#include "ig_ctl_log.h"


static int
ig_log_print(const ig_log_options_t *o, ig_audit_log_t *log, uint64_t *shown)
{
    int                     rc;
    ig_audit_entry_t        entry;
    const ig_audit_line_t  *line;

    for ( ;; ) {

        if (o->json || o->count) {
            rc = ig_audit_raw(log, &entry);

        } else {
            rc = ig_audit_line(log, &line);
        }

        if (rc != IG_OK) {
            return rc == IG_AGAIN ? IG_CTL_OK : IG_CTL_USAGE;
        }

        (*shown)++;

        if (o->count) {
            continue;
        }

        if (o->json) {
            fwrite(entry.raw.data, 1, entry.raw.len, stdout);
            putchar('\n');

        } else {
            ig_log_text(stdout, o->colours, line);
        }

        if (ig_out_failed(stdout)) {
            return IG_CTL_OK;           /* told when all is done */
        }
    }
}


static int
ig_log_search(const ig_log_options_t *o, ig_audit_filter_t *filter,
    char **file, int nfiles)
{
    int              rc, end;
    uint64_t         shown;
    ig_audit_log_t  *log;

    log = ig_audit_open(file, nfiles, filter);

    if (log == NULL) {
        return IG_CTL_USAGE;
    }

    shown = 0;
    rc = ig_log_print(o, log, &shown);
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
ig_log_options(ig_log_options_t *o, ig_audit_filter_t *filter, int argc,
    char **argv, int *nfiles)
{
    const ig_ctl_option_t  option[] = {
        IG_AUDIT_FILTER_OPTIONS(filter),
        IG_OPTION_FLAG("--json", 0, &o->json),
        IG_OPTION_FLAG("--count", 0, &o->count)
    };

    return ig_ctl_options(&ig_ctl_log, option, ig_countof(option), argc, argv,
                          nfiles);
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

    if (rc == IG_CTL_OK && nfiles == 0) {
        rc = ig_ctl_usage(&ig_ctl_log, "no file");
    }

    if (rc == IG_CTL_OK) {
        rc = ig_audit_filter_finish(&filter);
    }

    if (rc == IG_CTL_OK) {
        o.colours = ig_out_colours(stdout);
        rc = ig_log_search(&o, &filter, argv + 1, nfiles);
    }

    ig_audit_filter_free(&filter);

    return rc;
}


const ig_ctl_command_t  ig_ctl_log = {
    "log",
    "[OPTION...] FILE...",
    "Search the audit log",
    "Plain, rotated and gzip files, \"-\" is the standard input, in the order\n"
    "of time across files and workers; a line for people each.\n"
    "\n"
    IG_AUDIT_FILTER_HELP
    "--json            the lines as they are in the log\n"
    "--count           how many there are\n"
    "\n"
    "Exit codes: 0 some line fits; 1 none does; 2 usage, or a file that cannot\n"
    "be read to its end.\n",
    ig_log_run
};
