/*
 * ig_ctl_check_line.c: one integrity directive: may it stand there, with these
 * arguments, once more; and what its reader says.
 * Owns nothing.  Called by ig_ctl_check.c.
 */

#include <string.h>

#include "ig_ctl_check.h"
#include "ig_settings.h"


/* Reads the arguments of d; IG_OK, or IG_ERROR and the error. */
typedef int (*ig_check_read_pt)(ig_check_t *c, const ig_conf_directive_t *d,
    ig_error_t *err);


/* -- readers ------------------------------------------------------------- */


static int
ig_check_zone(ig_check_t *c, const ig_conf_directive_t *d, ig_error_t *err)
{
    ig_zone_settings_t  s;

    c->zone = true;

    return ig_settings_zone(d->arg, d->nargs, d->pos, &s, err);
}


static int
ig_check_redis(ig_check_t *c, const ig_conf_directive_t *d, ig_error_t *err)
{
    ig_redis_settings_t  s;

    (void) c;

    return ig_settings_redis(d->arg, d->nargs, d->pos, &s, err);
}


static int
ig_check_node(ig_check_t *c, const ig_conf_directive_t *d, ig_error_t *err)
{
    ig_str_t  s;

    (void) c;

    return ig_settings_node(d->arg, d->nargs, d->pos, &s, err);
}


static int
ig_check_secret_file(ig_check_t *c, const ig_conf_directive_t *d,
    ig_error_t *err)
{
    (void) err;

    c->secret = true;
    ig_check_secret(c, d);

    return IG_OK;
}


static int
ig_check_mode(ig_check_t *c, const ig_conf_directive_t *d, ig_error_t *err)
{
    ig_mode_settings_t  s;

    if (ig_settings_mode(d->arg, d->nargs, d->pos, &s, err) != IG_OK) {
        return IG_ERROR;
    }

    if (s.mode != IG_MODE_OFF && c->used == NULL) {
        c->used = d;
    }

    return IG_OK;
}


static int
ig_check_action(ig_check_t *c, const ig_conf_directive_t *d, ig_error_t *err)
{
    int                   rc;
    ig_action_settings_t  s;

    if (ig_settings_action(d->arg, d->nargs, d->pos, &s, err) != IG_OK) {
        return IG_ERROR;
    }

    if (!s.literal) {
        return IG_OK;
    }

    rc = ig_policy_action(c->policy, s.text);

    if (rc == IG_ERROR) {
        return ig_error(err, d->pos, "%.*s: \"%.*s\" is no action",
                        ig_fmt(d->arg[0]), ig_fmt(s.text));
    }

    c->nomem |= (rc == IG_NOMEM);

    return IG_OK;
}


static int
ig_check_body(ig_check_t *c, const ig_conf_directive_t *d, ig_error_t *err)
{
    ig_body_settings_t  s;

    (void) c;

    return ig_settings_body(d->arg, d->nargs, d->pos, &s, err);
}


static int
ig_check_audit(ig_check_t *c, const ig_conf_directive_t *d, ig_error_t *err)
{
    ig_audit_settings_t  s;

    (void) c;

    return ig_settings_audit(d->arg, d->nargs, d->pos, &s, err);
}


static int
ig_check_sample(ig_check_t *c, const ig_conf_directive_t *d, ig_error_t *err)
{
    uint64_t  s;

    (void) c;

    return ig_settings_sample(d->arg, d->nargs, d->pos, &s, err);
}


static int
ig_check_status(ig_check_t *c, const ig_conf_directive_t *d, ig_error_t *err)
{
    unsigned  s;

    (void) c;

    return ig_settings_status(d->arg, d->nargs, d->pos, &s, err);
}


static int
ig_check_page(ig_check_t *c, const ig_conf_directive_t *d,
    ig_error_t *err)
{
    (void) err;

    if (c->used == NULL) {
        c->used = d;
    }

    return IG_OK;
}


/* In server and location; in http it is the policy's. */
static int
ig_check_threshold(ig_check_t *c, const ig_conf_directive_t *d,
    ig_error_t *err)
{
    ig_threshold_settings_t  s;

    (void) c;

    return ig_settings_threshold(d->arg, d->nargs, d->pos, &s, err);
}


static int
ig_check_policy(ig_check_t *c, const ig_conf_directive_t *d, ig_error_t *err)
{
    int  rc;

    rc = ig_policy_directive(c->policy, d->arg, d->nargs, d->pos, err);

    c->policy_wrong |= (rc != IG_OK);
    c->nomem |= (rc == IG_NOMEM);

    return rc == IG_ERROR ? IG_ERROR : IG_OK;
}


/* Directives whose arguments nothing can be wrong with are not in it. */
static const struct {
    const char        *name;
    ig_check_read_pt   read;
} ig_check_readers[] = {
    { "integrity",                 ig_check_mode },
    { "integrity_action",          ig_check_action },
    { "integrity_audit",           ig_check_audit },
    { "integrity_audit_sample",    ig_check_sample },
    { "integrity_body",            ig_check_body },
    { "integrity_control",         ig_check_page },
    { "integrity_node",            ig_check_node },
    { "integrity_redis",           ig_check_redis },
    { "integrity_secret",          ig_check_secret_file },
    { "integrity_status",          ig_check_page },
    { "integrity_status_deny",     ig_check_status },
    { "integrity_status_throttle", ig_check_status },
    { "integrity_threshold",       ig_check_threshold },
    { "integrity_zone",            ig_check_zone }
};


static ig_check_read_pt
ig_check_reader(const ig_conf_directive_t *d)
{
    size_t  i;

    for (i = 0; i < ig_countof(ig_check_readers); i++) {
        if (ig_conf_is(d, ig_check_readers[i].name)) {
            return ig_check_readers[i].read;
        }
    }

    return NULL;
}


/* -- where, how many, how often ------------------------------------------ */


/*
 * A fragment's top is inside http; who includes it may do so in a server, so
 * that a location is right there too.
 */
unsigned
ig_check_context(const ig_check_t *c, const ig_conf_directive_t *d)
{
    unsigned                    outer;
    const ig_conf_directive_t  *block;

    block = d->parent;

    if (block == NULL) {
        return c->fragment ? IG_CTX_HTTP : 0;
    }

    if (ig_conf_is(block, "http")) {
        return block->parent == NULL ? IG_CTX_HTTP : 0;
    }

    outer = ig_check_context(c, block);

    if (ig_conf_is(block, "server")) {
        return outer == IG_CTX_HTTP ? IG_CTX_SERVER : 0;
    }

    if (ig_conf_is(block, "location")
        && (outer & (IG_CTX_SERVER | IG_CTX_LOCATION)
            || (c->fragment && block->parent == NULL)))
    {
        return IG_CTX_LOCATION;
    }

    return 0;
}


static void
ig_check_not_here(ig_check_t *c, const ig_conf_directive_t *d,
    unsigned contexts)
{
    ig_check_mistake(c, d, "is not allowed here, only in %s",
                     contexts == IG_CTX_HTTP ? "http"
                     : contexts == IG_CTX_LOCATION ? "location"
                     : "http, server and location");
}


static bool
ig_check_arguments(ig_check_t *c, const ig_conf_directive_t *d,
    const ig_directive_t *known)
{
    unsigned  n;

    n = d->nargs - 1;

    if (d->block) {
        ig_check_mistake(c, d, "is no block, it ends with \";\"");
        return false;
    }

    if (n >= known->min && n <= known->max) {
        return true;
    }

    if (known->min == known->max) {
        ig_check_mistake(c, d, "takes %u argument%s, not %u", known->min,
                         known->min == 1 ? "" : "s", n);

    } else if (n < known->min) {
        ig_check_mistake(c, d, "takes at least %u argument%s, not %u",
                         known->min, known->min == 1 ? "" : "s", n);

    } else {
        ig_check_mistake(c, d, "takes at most %u arguments, not %u",
                         known->max, n);
    }

    return false;
}


/* A place says each thing once; thresholds are told apart by their names. */
static bool
ig_check_is_repeated(const ig_check_t *c, const ig_conf_directive_t *d)
{
    bool                        named;
    const ig_conf_directive_t  *other;

    named = ig_conf_is(d, "integrity_threshold");

    for (other = c->conf.first; other != d; other = other->next) {
        if (other->parent == d->parent
            && ig_str_eq(other->arg[0], d->arg[0])
            && (!named || (other->nargs > 1
                           && ig_str_eq(other->arg[1], d->arg[1]))))
        {
            return true;
        }
    }

    return false;
}


void
ig_check_line(ig_check_t *c, const ig_conf_directive_t *d)
{
    unsigned               context;
    ig_error_t             err;
    ig_check_read_pt       read;
    const ig_directive_t  *known;

    known = ig_directive(d->arg[0]);

    if (known == NULL) {
        ig_check_mistake(c, d, "unknown directive");
        return;
    }

    context = ig_check_context(c, d);

    if (!(context & known->contexts)) {
        ig_check_not_here(c, d, known->contexts);
        return;
    }

    if (!ig_check_arguments(c, d, known)) {
        c->policy_wrong |= known->policy;
        return;
    }

    read = (known->policy && context == IG_CTX_HTTP) ? ig_check_policy
                                                     : ig_check_reader(d);

    if (read != ig_check_policy && ig_check_is_repeated(c, d)) {
        ig_check_mistake(c, d, "is duplicate");
        return;
    }

    if (read && read(c, d, &err) != IG_OK) {
        ig_check_add(c, &err, false);
    }
}
