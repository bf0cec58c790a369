/*
 * ig_ctl_backtest_options.c: the command line of backtest.
 * Owns nothing: strings are argv's.  Called by ig_ctl_backtest.c.
 */

#include <string.h>

#include "ig_ctl_backtest.h"
#include "ig_settings.h"

#define IG_BACKTEST_EXAMPLES  5
#define IG_BACKTEST_ZONE      "256m"


/* Takes the value of an option, or, value NULL, sees that it is given. */
typedef int (*ig_option_pt)(ig_backtest_options_t *o, const char *value);

typedef struct {
    const char    *name;
    bool           valued;
    ig_option_pt   set;
} ig_option_t;


static ig_str_t
ig_option_str(const char *value)
{
    return (ig_str_t) { strlen(value), value };
}


/* -- values -------------------------------------------------------------- */


static int
ig_option_conf(ig_backtest_options_t *o, const char *value)
{
    o->conf = value;
    return IG_OK;
}


static int
ig_option_candidate(ig_backtest_options_t *o, const char *value)
{
    o->candidate = value;
    return IG_OK;
}


static int
ig_option_location(ig_backtest_options_t *o, const char *value)
{
    o->location = value;
    return IG_OK;
}


static int
ig_option_secret(ig_backtest_options_t *o, const char *value)
{
    o->secret = value;
    return IG_OK;
}


static int
ig_option_decisions(ig_backtest_options_t *o, const char *value)
{
    o->decisions = value;
    return IG_OK;
}


static int
ig_option_action(ig_backtest_options_t *o, const char *value)
{
    o->action = ig_option_str(value);

    return ig_is_action(o->action) ? IG_OK : IG_ERROR;
}


static int
ig_option_label(ig_backtest_options_t *o, const char *value)
{
    o->label = ig_option_str(value);

    return o->label.len ? IG_OK : IG_ERROR;
}


/* Names separated by commas, behind those that are there. */
static int
ig_option_names(ig_str_t *name, unsigned *n, unsigned most, const char *value)
{
    size_t  len;

    for ( ;; ) {
        len = strcspn(value, ",");

        if (len == 0 || *n == most) {
            return IG_ERROR;
        }

        name[(*n)++] = (ig_str_t) { len, value };

        if (value[len] == '\0') {
            return IG_OK;
        }

        value += len + 1;
    }
}


static int
ig_option_by(ig_backtest_options_t *o, const char *value)
{
    return ig_option_names(o->by, &o->nby, IG_GROUP_BY, value);
}


static int
ig_option_field(ig_backtest_options_t *o, const char *value)
{
    return ig_option_names(o->field, &o->nfields, IG_MAX_FIELDS, value);
}


static int
ig_option_explain(ig_backtest_options_t *o, const char *value)
{
    return ig_parse_uint(ig_option_str(value), UINT64_MAX, &o->explain)
           && o->explain ? IG_OK : IG_ERROR;
}


static int
ig_option_examples(ig_backtest_options_t *o, const char *value)
{
    uint64_t  n;

    if (!ig_parse_uint(ig_option_str(value), 1000000, &n)) {
        return IG_ERROR;
    }

    o->examples = (unsigned) n;
    return IG_OK;
}


/* As in integrity_zone. */
int
ig_option_zone(ig_backtest_options_t *o, const char *value)
{
    char                 text[64] = "backtest:";
    ig_pos_t             none = { NULL, 0 };
    ig_str_t             arg[2];
    ig_error_t           err;
    ig_zone_settings_t   s;

    strncat(text, value, sizeof(text) - strlen(text) - 1);

    arg[0] = ig_str("integrity_zone");
    arg[1] = ig_option_str(text);

    if (ig_settings_zone(arg, 2, none, &s, &err) != IG_OK) {
        return IG_ERROR;
    }

    o->zone = s.size;
    return IG_OK;
}


static int
ig_option_warm(ig_backtest_options_t *o, const char *value)
{
    (void) value;

    o->warm = true;
    return IG_OK;
}


static int
ig_option_strict(ig_backtest_options_t *o, const char *value)
{
    (void) value;

    o->strict = true;
    return IG_OK;
}


static int
ig_option_json(ig_backtest_options_t *o, const char *value)
{
    (void) value;

    o->json = true;
    return IG_OK;
}


static const ig_option_t  ig_options[] = {
    { "-c",          true,  ig_option_conf },
    { "--conf",      true,  ig_option_conf },
    { "--candidate", true,  ig_option_candidate },
    { "--location",  true,  ig_option_location },
    { "--secret",    true,  ig_option_secret },
    { "--decisions", true,  ig_option_decisions },
    { "--action",    true,  ig_option_action },
    { "--label",     true,  ig_option_label },
    { "--by",        true,  ig_option_by },
    { "--field",     true,  ig_option_field },
    { "--explain",   true,  ig_option_explain },
    { "--examples",  true,  ig_option_examples },
    { "--zone",      true,  ig_option_zone },
    { "--warm",      false, ig_option_warm },
    { "--strict",    false, ig_option_strict },
    { "--json",      false, ig_option_json }
};


/* -- the command line ---------------------------------------------------- */


/* The option of an argument; *value is what follows "=", or NULL. */
static const ig_option_t *
ig_option_find(const char *arg, const char **value)
{
    size_t  i, n;

    n = strcspn(arg, "=");
    *value = arg[n] ? arg + n + 1 : NULL;

    for (i = 0; i < ig_countof(ig_options); i++) {
        if (strlen(ig_options[i].name) == n
            && memcmp(ig_options[i].name, arg, n) == 0)
        {
            return &ig_options[i];
        }
    }

    return NULL;
}


/* One option at argv[*i], and its value behind it. */
static int
ig_option_read(ig_backtest_options_t *o, int argc, char **argv, int *i)
{
    const char         *value;
    const ig_option_t  *option;

    option = ig_option_find(argv[*i], &value);

    if (option == NULL) {
        return ig_ctl_usage(&ig_ctl_backtest, "unknown option \"%s\"",
                            argv[*i]);
    }

    if (value && !option->valued) {
        return ig_ctl_usage(&ig_ctl_backtest, "\"%s\" takes no value",
                            option->name);
    }

    if (option->valued && value == NULL) {
        if (*i + 1 == argc) {
            return ig_ctl_usage(&ig_ctl_backtest, "\"%s\" needs a value",
                                option->name);
        }

        value = argv[++*i];
    }

    if (option->set(o, value) != IG_OK) {
        return ig_ctl_usage(&ig_ctl_backtest, "\"%s\" is no value of \"%s\"",
                            value, option->name);
    }

    return IG_CTL_OK;
}


/*
 * Options may stand before and behind files; all behind "--" are files.  The
 * files are gathered at the front of argv.
 */
int
ig_backtest_options(ig_backtest_options_t *o, int argc, char **argv)
{
    int   i, rc;
    bool  files;

    (void) ig_option_zone(o, IG_BACKTEST_ZONE);

    o->examples = IG_BACKTEST_EXAMPLES;
    o->file = argv + 1;

    for (i = 1, files = false; i < argc; i++) {

        if (!files && strcmp(argv[i], "--") == 0) {
            files = true;

        } else if (files || argv[i][0] != '-' || argv[i][1] == '\0') {
            o->file[o->nfiles++] = argv[i];

        } else {
            rc = ig_option_read(o, argc, argv, &i);
            if (rc != IG_CTL_OK) {
                return rc;
            }
        }
    }

    if (o->conf == NULL) {
        return ig_ctl_usage(&ig_ctl_backtest, "no configuration: -c FILE");
    }

    if (o->nfiles == 0) {
        return ig_ctl_usage(&ig_ctl_backtest, "no file of events; \"-\" is "
                            "the standard input");
    }

    return IG_CTL_OK;
}
