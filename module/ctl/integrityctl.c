/*
 * integrityctl.c: the command line: which subcommands there are, and help.
 * Owns the table of subcommands.  Called by people and scripts.
 */

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ig_ctl.h"
#include "ig_version.h"

static const ig_ctl_command_t *const  ig_ctl_commands[] = {
    &ig_ctl_check,
    &ig_ctl_backtest,
    &ig_ctl_verify,
    &ig_ctl_log,
    &ig_ctl_explain,
    &ig_ctl_recall,
    &ig_ctl_export,
    &ig_ctl_seal,
    &ig_ctl_dossier,
    &ig_ctl_report,
    &ig_ctl_list,
    &ig_ctl_key,
    &ig_ctl_load,
    &ig_ctl_keys
};


int
ig_ctl_error(const char *fmt, ...)
{
    va_list  args;

    fputs("integrityctl: ", stderr);
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fputc('\n', stderr);

    return IG_CTL_USAGE;
}


int
ig_ctl_usage(const ig_ctl_command_t *command, const char *fmt, ...)
{
    va_list  args;

    fprintf(stderr, "integrityctl %s: ", command->name);
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fprintf(stderr, "\nUsage: integrityctl %s %s\n", command->name,
            command->arguments);

    return IG_CTL_USAGE;
}


static void
ig_ctl_help(FILE *out)
{
    size_t  i;

    fputs("Usage: integrityctl SUBCOMMAND [ARGUMENT...]\n\n", out);

    for (i = 0; i < ig_countof(ig_ctl_commands); i++) {
        fprintf(out, "  %-8s %s\n", ig_ctl_commands[i]->name,
                ig_ctl_commands[i]->summary);
    }

    fputs("\n\"integrityctl SUBCOMMAND --help\" tells more about each,"
          " \"integrityctl --version\" the version.\n", out);
}


static bool
ig_ctl_is_help(const char *arg)
{
    return strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0;
}


static int
ig_ctl_run(const ig_ctl_command_t *command, int argc, char **argv)
{
    int  i;

    for (i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (ig_ctl_is_help(argv[i])) {
            printf("Usage: integrityctl %s %s\n\n%s.\n\n%s", command->name,
                   command->arguments, command->summary, command->help);
            return IG_CTL_OK;
        }
    }

    return command->run(argc, argv);
}


/*
 * Where the caller closed a standard stream, the next file opened would take
 * its number, and what is said would go into a log of checkpoints or a secret
 * file. Its place is taken here by what neither can be read nor written.
 */
static void
ig_ctl_hold_streams(void)
{
    int  fd, rc;

    for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) != -1) {
            continue;
        }

        rc = open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);

        if (rc != fd) {
            exit(IG_CTL_USAGE);
        }
    }
}


static int
ig_ctl_dispatch(int argc, char **argv)
{
    int     rc;
    size_t  i;

    if (ig_ctl_is_help(argv[1])) {
        ig_ctl_help(stdout);
        return IG_CTL_OK;
    }

    if (strcmp(argv[1], "--version") == 0) {
        puts("integrityctl " IG_VERSION);
        return IG_CTL_OK;
    }

    for (i = 0; i < ig_countof(ig_ctl_commands); i++) {
        if (strcmp(argv[1], ig_ctl_commands[i]->name) == 0) {
            return ig_ctl_run(ig_ctl_commands[i], argc - 1, argv + 1);
        }
    }

    rc = ig_ctl_error("unknown subcommand \"%s\"", argv[1]);
    ig_ctl_help(stderr);

    return rc;
}


int
main(int argc, char **argv)
{
    int  rc;

    ig_ctl_hold_streams();

    if (argc < 2) {
        ig_ctl_help(stderr);
        return IG_CTL_USAGE;
    }

    rc = ig_ctl_dispatch(argc, argv);

    if (fflush(stdout) != 0 || ferror(stdout)) {
        return ig_ctl_error("cannot write to standard output");
    }

    return rc;
}
