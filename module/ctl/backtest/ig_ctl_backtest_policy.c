/*
 * ig_ctl_backtest_policy.c: a configuration becomes a policy on trial: its
 * rules, the settings of one place, an empty store.
 * Owns: the store's memory, from ig_trial_open to ig_trial_close.
 * Called by ig_ctl_backtest.c.
 */

#include <stdlib.h>
#include <string.h>

#include "ig_ctl_backtest.h"
#include "ig_settings.h"

#define IG_PLACE_DEPTH  32      /* blocks in blocks */
#define IG_TABLE_ALIGN  64


/* -- the place ----------------------------------------------------------- */


/* Whether a location's arguments, or the last of them, are what was asked. */
static bool
ig_place_is(const ig_conf_directive_t *d, const char *name)
{
    size_t    n;
    unsigned  i;

    if (!d->block || !ig_conf_is(d, "location") || d->nargs < 2) {
        return false;
    }

    if (ig_str_eq(d->arg[d->nargs - 1], (ig_str_t) { strlen(name), name })) {
        return true;
    }

    for (i = 1; i < d->nargs; i++) {
        n = d->arg[i].len;

        if (strncmp(name, d->arg[i].data, n) != 0) {
            return false;
        }

        name += n;

        if (i + 1 < d->nargs && *name++ != ' ') {
            return false;
        }
    }

    return *name == '\0';
}


static int
ig_place_find(const ig_trial_t *t, const char *name,
    const ig_conf_directive_t **place)
{
    const ig_conf_directive_t  *d;

    *place = NULL;

    for (d = t->conf.conf.first; d; d = d->next) {

        if (!ig_place_is(d, name)) {
            continue;
        }

        if (*place) {
            return ig_ctl_error("location \"%s\" is twice in \"%s\": in "
                                "%s:%u and %s:%u", name, t->path,
                                (*place)->pos.file, (*place)->pos.line,
                                d->pos.file, d->pos.line);
        }

        *place = d;
    }

    return *place ? IG_CTL_OK
           : ig_ctl_error("there is no location \"%s\" in \"%s\"", name,
                          t->path);
}


/* The blocks around a place, outermost first; NULL is a fragment's top. */
static unsigned
ig_place_blocks(const ig_trial_t *t, const ig_conf_directive_t *place,
    const ig_conf_directive_t **block)
{
    unsigned                    n, i;
    const ig_conf_directive_t  *d;

    for (d = place, n = t->conf.fragment; d && n < IG_PLACE_DEPTH;
         d = d->parent)
    {
        n++;
    }

    for (d = place, i = n; d && i > t->conf.fragment; d = d->parent) {
        block[--i] = d;
    }

    if (t->conf.fragment) {
        block[0] = NULL;
    }

    return n;
}


static void
ig_place_threshold(ig_trial_t *t, const ig_conf_directive_t *d)
{
    ig_error_t                err;
    const ig_threshold_t     *threshold;
    ig_threshold_settings_t   s;

    /* in http it is a part of the policy */

    if (ig_check_context(&t->conf, d) == IG_CTX_HTTP
        || ig_settings_threshold(d->arg, d->nargs, d->pos, &s, &err) != IG_OK)
    {
        return;
    }

    threshold = ig_policy_threshold(t->policy, s.name);

    if (threshold) {
        t->threshold[threshold->id] = s.value;
    }
}


static void
ig_place_except(ig_trial_t *t, ig_str_t rest)
{
    char             *comma;
    ig_str_t          name;
    const ig_rule_t  *rule;

    while (rest.len) {
        comma = memchr(rest.data, ',', rest.len);

        name.data = rest.data;
        name.len = comma ? (size_t) (comma - rest.data) : rest.len;

        rest.data += name.len + (comma != NULL);
        rest.len -= name.len + (comma != NULL);

        rule = ig_policy_rule(t->policy, name);

        if (rule) {
            t->except[rule->id] = 1;
        }
    }
}


/* The innermost `integrity` counts, with its except=. */
static void
ig_place_mode(ig_trial_t *t, const ig_conf_directive_t *d, ig_mode_e *mode)
{
    ig_error_t          err;
    ig_mode_settings_t  s;

    if (ig_settings_mode(d->arg, d->nargs, d->pos, &s, &err) != IG_OK) {
        return;
    }

    *mode = s.mode;
    t->dry_run = (s.mode == IG_MODE_DRY_RUN);

    memset(t->except, 0, sizeof(t->except));
    ig_place_except(t, s.except);
}


static void
ig_place_block(ig_trial_t *t, const ig_conf_directive_t *block,
    ig_mode_e *mode)
{
    const ig_conf_directive_t  *d;

    for (d = t->conf.conf.first; d; d = d->next) {

        if (d->parent != block) {
            continue;
        }

        if (ig_conf_is(d, "integrity_threshold")) {
            ig_place_threshold(t, d);

        } else if (ig_conf_is(d, "integrity")) {
            ig_place_mode(t, d, mode);
        }
    }
}


/* http's own block, where no location is asked for. */
static const ig_conf_directive_t *
ig_place_http(const ig_trial_t *t)
{
    const ig_conf_directive_t  *d;

    for (d = t->conf.conf.first; d; d = d->next) {
        if (d->parent == NULL && d->block && ig_conf_is(d, "http")) {
            return d;
        }
    }

    return NULL;
}


static int
ig_trial_place(ig_trial_t *t, const char *location)
{
    int                         rc;
    unsigned                    i, n;
    ig_mode_e                   mode;
    const ig_conf_directive_t  *place, *block[IG_PLACE_DEPTH + 1];

    for (i = 0; i < t->policy->nthresholds; i++) {
        t->threshold[i] = t->policy->threshold[i]->value;
    }

    place = ig_place_http(t);

    if (location) {
        rc = ig_place_find(t, location, &place);
        if (rc != IG_CTL_OK) {
            return rc;
        }
    }

    mode = IG_MODE_ON;
    n = ig_place_blocks(t, place, block);

    for (i = 0; i < n; i++) {
        ig_place_block(t, block[i], &mode);
    }

    if (location && mode == IG_MODE_OFF) {
        return ig_ctl_error("integrity is off in location \"%s\" of \"%s\"",
                            location, t->path);
    }

    t->place.threshold = t->threshold;
    t->place.except = t->except;

    return IG_CTL_OK;
}


/* -- the trial ----------------------------------------------------------- */


static int
ig_trial_store(ig_trial_t *t, uint64_t size)
{
    size_t  rounded;

    rounded = (size_t) (size + IG_TABLE_ALIGN - 1) & ~(size_t)
              (IG_TABLE_ALIGN - 1);

    t->memory = aligned_alloc(IG_TABLE_ALIGN, rounded);

    if (t->memory) {
        t->table = ig_table_create(t->memory, rounded);
    }

    return t->table ? IG_CTL_OK
           : ig_ctl_error("no memory for a store of %llu bytes",
                          (unsigned long long) size);
}


static int
ig_trial_plans(ig_trial_t *t)
{
    unsigned  i;

    t->plan = ig_alloc(t->mem, (t->policy->nplans + 1) * sizeof(ig_plan_t *));
    if (t->plan == NULL) {
        return ig_ctl_error("no memory");
    }

    for (i = 0; i < t->policy->nplans; i++) {
        t->plan[i] = t->policy->plan[i];

        /* any field of an event may be an array, whatever its source is */
        t->plan[i]->max_ops = IG_MAX_OPS;
    }

    t->nplans = t->policy->nplans;

    return IG_CTL_OK;
}


int
ig_trial_open(ig_trial_t *t, const char *path,
    const ig_backtest_options_t *options, ig_secret_t *secret, ig_mem_t *mem)
{
    int  rc;

    t->path = path;
    t->mem = mem;
    t->secret = secret;

    t->conf.mem = mem;
    t->conf.field = options->field;
    t->conf.nfields = options->nfields;

    rc = ig_check_file(&t->conf, path);
    if (rc != IG_CTL_OK) {
        return rc;
    }

    t->policy = t->conf.policy;

    if (options->label.len && ig_policy_field(t->policy, options->label)) {
        return ig_ctl_error("\"%.*s\" is a field of \"%s\": no rule may read "
                            "the label", ig_fmt(options->label), path);
    }

    rc = ig_trial_place(t, options->location);

    if (rc == IG_CTL_OK) {
        rc = ig_trial_plans(t);
    }

    if (rc == IG_CTL_OK) {
        rc = ig_trial_store(t, options->zone);
    }

    return rc;
}


void
ig_trial_close(ig_trial_t *t)
{
    free(t->block);
    free(t->memory);

    t->block = NULL;
    t->memory = NULL;
}
