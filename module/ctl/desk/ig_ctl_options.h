/*
 * ig_ctl_options.h: the options of a subcommand as a table: --name VALUE,
 * --name=VALUE, -n VALUE, flags, "--".
 * Owns nothing: what is read goes where the table points.
 * Included by the subcommands.
 */

#ifndef IG_CTL_OPTIONS_H
#define IG_CTL_OPTIONS_H

#include "ig_ctl.h"

/* Exactly one of flag, text and call is there. */
typedef struct {
    const char   *name;         /* "--since" */
    char          letter;       /* 'f': -f means the same; 0: none */
    bool         *flag;         /* takes no value; set to true */
    const char  **text;         /* set to the value; NULL before */
    int         (*call)(void *ctx, const char *name, const char *value);
    void         *ctx;          /* call returns IG_CTL_OK, or tells */
} ig_ctl_option_t;

#define IG_OPTION_FLAG(name, letter, at)                                      \
    { name, letter, at, NULL, NULL, NULL }
#define IG_OPTION_TEXT(name, letter, at)                                      \
    { name, letter, NULL, at, NULL, NULL }
#define IG_OPTION_CALL(name, letter, call, ctx)                               \
    { name, letter, NULL, NULL, call, ctx }

/*
 * Reads argv[1..argc-1].  What is no option, "-" included, is moved to argv[1]
 * on, *nrest says how many those are.  Text options given twice are refused.
 * IG_CTL_OK, or IG_CTL_USAGE with the reason told.
 */
int ig_ctl_options(const ig_ctl_command_t *command,
    const ig_ctl_option_t *option, size_t noptions, int argc, char **argv,
    int *nrest);

#endif /* IG_CTL_OPTIONS_H */
