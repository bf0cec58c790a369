/*
 * ig_ctl_options.c: the options of a subcommand as a table.
 * Owns nothing.  Called by the subcommands.
 */

#include <string.h>

#include "ig_ctl_options.h"


/* The option that arg names; *value: behind its "=", or NULL. */
static const ig_ctl_option_t *
ig_options_find(const ig_ctl_option_t *option, size_t n, const char *arg,
    const char **value)
{
    size_t  i, len;

    *value = NULL;

    for (i = 0; i < n; i++) {

        if (arg[1] != '-') {
            if (option[i].letter && arg[1] == option[i].letter
                && arg[2] == '\0')
            {
                return &option[i];
            }

            continue;
        }

        len = strlen(option[i].name);

        if (strncmp(arg, option[i].name, len) != 0) {
            continue;
        }

        if (arg[len] == '\0') {
            return &option[i];
        }

        if (arg[len] == '=') {
            *value = arg + len + 1;
            return &option[i];
        }
    }

    return NULL;
}


static int
ig_options_set(const ig_ctl_command_t *command, const ig_ctl_option_t *option,
    const char *value)
{
    if (option->flag) {
        *option->flag = true;
        return IG_CTL_OK;
    }

    if (option->call) {
        return option->call(option->ctx, option->name, value);
    }

    if (*option->text != NULL) {
        return ig_ctl_usage(command, "%s is given twice", option->name);
    }

    *option->text = value;

    return IG_CTL_OK;
}


/* The option at argv[*i], which is moved on to its value. */
static int
ig_options_one(const ig_ctl_command_t *command, const ig_ctl_option_t *option,
    size_t n, int argc, char **argv, int *i)
{
    const char             *arg, *value;
    const ig_ctl_option_t  *found;

    arg = argv[*i];
    found = ig_options_find(option, n, arg, &value);

    if (found == NULL) {
        return ig_ctl_usage(command, "unknown option \"%s\"", arg);
    }

    if (found->flag && value) {
        return ig_ctl_usage(command, "%s takes no value", found->name);
    }

    if (!found->flag && value == NULL) {

        if (*i + 1 == argc) {
            return ig_ctl_usage(command, "%s needs a value", arg);
        }

        value = argv[++*i];
    }

    return ig_options_set(command, found, value);
}


int
ig_ctl_options(const ig_ctl_command_t *command, const ig_ctl_option_t *option,
    size_t noptions, int argc, char **argv, int *nrest)
{
    int   i, rc;
    bool  rest;

    *nrest = 0;
    rest = false;

    for (i = 1; i < argc; i++) {

        if (!rest && strcmp(argv[i], "--") == 0) {
            rest = true;

        } else if (rest || argv[i][0] != '-' || argv[i][1] == '\0') {
            argv[1 + (*nrest)++] = argv[i];

        } else {
            rc = ig_options_one(command, option, noptions, argc, argv, &i);
            if (rc != IG_CTL_OK) {
                return rc;
            }
        }
    }

    return IG_CTL_OK;
}
