/*
 * ig_ctl.h: what integrityctl's subcommands share: the table of them, exit
 * codes, errors, whole files, memory.
 * Owns nothing.  Included by module/ctl alone.
 */

#ifndef IG_CTL_H
#define IG_CTL_H

#include "ig_core.h"

/* Exit codes of every subcommand; verify has more, see its help. */
enum {
    IG_CTL_OK = 0,
    IG_CTL_FAILED = 1,          /* the thing asked about is wrong */
    IG_CTL_USAGE = 2            /* bad arguments, a file that cannot be read */
};

/*
 * One subcommand.  run gets its own arguments, argv[0] being its name, and
 * returns an exit code.  "--help" and "-h" never reach it.
 */
typedef struct {
    const char  *name;
    const char  *arguments;     /* "FILE..." */
    const char  *summary;       /* one line, no full stop */
    const char  *help;          /* what --help adds, ends with a newline */
    int        (*run)(int argc, char **argv);
} ig_ctl_command_t;

extern const ig_ctl_command_t  ig_ctl_backtest;
extern const ig_ctl_command_t  ig_ctl_check;
extern const ig_ctl_command_t  ig_ctl_explain;
extern const ig_ctl_command_t  ig_ctl_dossier;
extern const ig_ctl_command_t  ig_ctl_export;
extern const ig_ctl_command_t  ig_ctl_key;
extern const ig_ctl_command_t  ig_ctl_keys;
extern const ig_ctl_command_t  ig_ctl_list;
extern const ig_ctl_command_t  ig_ctl_load;
extern const ig_ctl_command_t  ig_ctl_log;
extern const ig_ctl_command_t  ig_ctl_recall;
extern const ig_ctl_command_t  ig_ctl_report;
extern const ig_ctl_command_t  ig_ctl_seal;
extern const ig_ctl_command_t  ig_ctl_verify;

/* "integrityctl: " and the text on stderr; returns IG_CTL_USAGE. */
int ig_ctl_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The same, followed by how the subcommand is used. */
int ig_ctl_usage(const ig_ctl_command_t *command, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * Memory for ig_mem_t users: zeroed blocks from malloc, freed all at once.
 * NULL comes back only when malloc fails.
 */
typedef struct ig_ctl_block_s  ig_ctl_block_t;

typedef struct {
    ig_mem_t         mem;
    ig_ctl_block_t  *last;
} ig_ctl_memory_t;

void ig_ctl_memory_init(ig_ctl_memory_t *memory);
void ig_ctl_memory_free(ig_ctl_memory_t *memory);

/* The most memory this process ever had, in KiB; 0 where that is not told. */
long ig_ctl_memory_peak(void);

/*
 * Reads a whole file of at most max bytes into memory (terminated by a NUL
 * that is not counted).  IG_OK, or IG_ERROR with the reason already told by
 * ig_ctl_error.
 */
int ig_ctl_read(ig_ctl_memory_t *memory, const char *path, size_t max,
    ig_str_t *text);

#endif /* IG_CTL_H */
