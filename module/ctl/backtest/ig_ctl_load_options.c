/*
 * ig_ctl_load_options.c: the command line of load.
 * Owns nothing: strings are argv's.  Called by ig_ctl_load.c.
 */

#include <string.h>

#include "ig_ctl_backtest_time.h"
#include "ig_ctl_load.h"
#include "ig_ctl_options.h"


static int
ig_load_required(const ig_loading_t *l)
{
    if (l->source_options.conf == NULL) {
        return ig_ctl_usage(&ig_ctl_load, "no configuration: -c FILE");
    }

    if (l->source_options.nfiles == 0) {
        return ig_ctl_usage(&ig_ctl_load, "no file of events; \"-\" is the"
                            " standard input");
    }

    if (!l->options.dry_run
        && (l->options.reason == NULL || l->options.by == NULL))
    {
        return ig_ctl_usage(&ig_ctl_load, "%s is missing",
                            l->options.reason == NULL ? "--reason TEXT"
                                                      : "--by NAME");
    }

    return IG_CTL_OK;
}


static int
ig_load_time(const char *name, const char *text, int64_t none, int64_t *ms)
{
    ig_value_t  value;

    *ms = none;

    if (text == NULL) {
        return IG_CTL_OK;
    }

    value.type = IG_STRING;
    value.num = 0;
    value.str = (ig_str_t) { strlen(text), text };

    return ig_time_value(&value, ms) ? IG_CTL_OK
           : ig_ctl_usage(&ig_ctl_load, "\"%s\" is no time for %s, as"
                          " 2026-11-23T12:00:00Z", text, name);
}


/* What is not just a text. */
static int
ig_load_values(ig_loading_t *l)
{
    int                     rc;
    ig_load_options_t      *q;
    ig_backtest_options_t  *o;

    q = &l->options;
    o = &l->source_options;

    rc = ig_load_time("--from", q->from, -1, &l->from);

    if (rc == IG_CTL_OK) {
        rc = ig_load_time("--until", q->until, -1, &l->until);
    }

    if (rc == IG_CTL_OK
        && ig_option_zone(o, q->zone ? q->zone : "256m") != IG_OK)
    {
        rc = ig_ctl_usage(&ig_ctl_load, "\"%s\" is no size for --zone, as"
                          " 512m", q->zone);
    }

    if (rc == IG_CTL_OK && q->action) {
        o->action = (ig_str_t) { strlen(q->action), q->action };

        if (!ig_is_action(o->action)) {
            rc = ig_ctl_usage(&ig_ctl_load, "\"%s\" is no name of an action",
                              q->action);
        }
    }

    return rc == IG_CTL_OK
           ? ig_control_init(&l->control, &ig_ctl_load, q->socket,
                             q->uri ? q->uri : IG_CONTROL_URI)
           : rc;
}


int
ig_load_options(ig_loading_t *l, int argc, char **argv)
{
    int                     rc;
    ig_load_options_t      *q = &l->options;
    ig_backtest_options_t  *o = &l->source_options;

    const ig_ctl_option_t  option[] = {
        IG_OPTION_TEXT("--conf", 'c', &o->conf),
        IG_OPTION_TEXT("--socket", 0, &q->socket),
        IG_OPTION_TEXT("--uri", 0, &q->uri),
        IG_OPTION_TEXT("--by", 0, &q->by),
        IG_OPTION_TEXT("--reason", 0, &q->reason),
        IG_OPTION_TEXT("--from", 0, &q->from),
        IG_OPTION_TEXT("--until", 0, &q->until),
        IG_OPTION_TEXT("--location", 0, &o->location),
        IG_OPTION_TEXT("--action", 0, &q->action),
        IG_OPTION_TEXT("--tenant", 0, &q->tenant),
        IG_OPTION_TEXT("--secret", 0, &o->secret),
        IG_OPTION_TEXT("--zone", 0, &q->zone),
        IG_OPTION_FLAG("--dry-run", 0, &q->dry_run),
        IG_OPTION_FLAG("--replace", 0, &q->replace),
        IG_OPTION_FLAG("--warm", 0, &o->warm),
        IG_OPTION_FLAG("--strict", 0, &o->strict),
        IG_OPTION_FLAG("--json", 0, &o->json)
    };

    rc = ig_ctl_options(&ig_ctl_load, option, ig_countof(option), argc, argv,
                        &o->nfiles);
    o->file = argv + 1;

    if (rc == IG_CTL_OK) {
        rc = ig_load_required(l);
    }

    return rc == IG_CTL_OK ? ig_load_values(l) : rc;
}
