/*
 * ig_ctl_check_place.c: what places say about a policy that is finished, and
 * what a configuration that uses one needs besides.
 * Owns: the secret while it is looked at.  Called by ig_ctl_check.c.
 */

#include <string.h>
#include <sys/stat.h>

#include "ig_ctl_check.h"
#include "ig_secret.h"
#include "ig_settings.h"

#define IG_CHECK_SECRET  65536          /* longest secret file */


/* -- except=, thresholds, actions ---------------------------------------- */


static void
ig_check_except(ig_check_t *c, const ig_conf_directive_t *d)
{
    ig_str_t            rest, name;
    ig_error_t          err;
    const char         *comma;
    ig_mode_settings_t  s;

    if (ig_settings_mode(d->arg, d->nargs, d->pos, &s, &err) != IG_OK) {
        return;
    }

    for (rest = s.except; rest.len; ) {

        comma = memchr(rest.data, ',', rest.len);

        name.data = rest.data;
        name.len = comma ? (size_t) (comma - rest.data) : rest.len;

        rest.data += name.len;
        rest.len -= name.len;

        if (comma) {
            rest.data++;
            rest.len--;
        }

        if (ig_policy_rule(c->policy, name) == NULL) {
            ig_check_mistake(c, d, "leaves out \"%.*s\", which is no rule",
                             ig_fmt(name));
        }
    }
}


static void
ig_check_place_threshold(ig_check_t *c, const ig_conf_directive_t *d)
{
    ig_error_t               err;
    ig_threshold_settings_t  s;

    if (ig_settings_threshold(d->arg, d->nargs, d->pos, &s, &err) == IG_OK
        && ig_policy_threshold(c->policy, s.name) == NULL)
    {
        ig_check_mistake(c, d, "\"%.*s\" has no value in http, which every "
                         "threshold needs", ig_fmt(d->arg[1]));
    }
}


/* Nothing is wrong, but nothing would happen either. */
static void
ig_check_place_action(ig_check_t *c, const ig_conf_directive_t *d)
{
    const ig_plan_t  *plan;

    plan = d->nargs > 1 ? ig_policy_plan(c->policy, d->arg[1]) : NULL;

    if (plan && !plan->known) {
        ig_check_warning(c, d, "no counter and no rule speaks of \"%.*s\"",
                         ig_fmt(d->arg[1]));
    }
}


static void
ig_check_needs(ig_check_t *c)
{
    if (c->used == NULL || c->fragment) {
        return;
    }

    if (!c->zone) {
        ig_check_mistake(c, c->used, "needs \"integrity_zone\" in http");
    }

    if (!c->secret) {
        ig_check_mistake(c, c->used, "needs \"integrity_secret\" in http");
    }
}


void
ig_check_places(ig_check_t *c)
{
    unsigned                    context;
    const ig_conf_directive_t  *d;

    ig_check_needs(c);

    if (c->policy_wrong) {

        /* a name may be missing only because its line was refused */
        return;
    }

    for (d = c->conf.first; d; d = d->next) {

        context = ig_check_context(c, d);

        if (context == 0) {
            continue;
        }

        if (ig_conf_is(d, "integrity")) {
            ig_check_except(c, d);

        } else if (ig_conf_is(d, "integrity_action")) {
            ig_check_place_action(c, d);

        } else if (ig_conf_is(d, "integrity_threshold")
                   && context != IG_CTX_HTTP)
        {
            ig_check_place_threshold(c, d);
        }
    }
}


/* -- the secret ---------------------------------------------------------- */


static void
ig_check_secret_text(ig_check_t *c, const ig_conf_directive_t *d,
    const char *path)
{
    int           rc;
    ig_pos_t      none = { NULL, 0 };
    ig_str_t      text;
    ig_error_t    err;
    ig_secret_t  *secret;

    secret = ig_alloc(c->mem, sizeof(ig_secret_t));
    rc = secret ? ig_conf_load(c->mem, path, IG_CHECK_SECRET, &text, none,
                               &err)
                : IG_NOMEM;

    if (rc == IG_NOMEM) {
        c->nomem = true;
        return;
    }

    if (rc == IG_ERROR) {

        /* whoever checks need not be whom nginx reads it as */
        return;
    }

    if (ig_secret_parse(text, secret, &err) != IG_OK) {
        ig_check_mistake(c, d, "\"%s\": %s", path, err.text);
    }

    explicit_bzero((char *) text.data, text.len);
    explicit_bzero(secret, sizeof(ig_secret_t));
}


void
ig_check_secret(ig_check_t *c, const ig_conf_directive_t *d)
{
    const char   *path;
    struct stat   st;

    path = ig_conf_path(c->mem, &c->conf, d->arg[1]);

    if (path == NULL) {
        c->nomem = true;
        return;
    }

    if (stat(path, &st) != 0) {
        return;
    }

    if (!S_ISREG(st.st_mode)) {
        ig_check_mistake(c, d, "\"%s\" is not a regular file", path);

    } else if (st.st_mode & (S_IROTH | S_IWOTH | S_IXOTH)) {
        ig_check_mistake(c, d, "\"%s\" can be read by others: its mode is "
                         "%04o, 0600 or 0640 would be right", path,
                         (unsigned) (st.st_mode & 07777));

    } else if (st.st_size > IG_CHECK_SECRET) {
        ig_check_mistake(c, d, "\"%s\" is larger than 64 KiB", path);

    } else {
        ig_check_secret_text(c, d, path);
    }
}
