/*
 * ig_ctl_keys.h: what the parts of `integrityctl keys` share: their table,
 * the secret file while it is read or changed, random keys as text.
 * Owns nothing.  Included by ig_ctl_keys*.c alone.
 */

#ifndef IG_CTL_KEYS_H
#define IG_CTL_KEYS_H

#include <sys/stat.h>

#include "ig_ctl.h"
#include "ig_secret.h"

#define IG_KEYS_RANDOM  32              /* bytes of a key that is made here */
#define IG_KEYS_LINE    128             /* "ID:BASE64:store", a newline */
#define IG_KEYS_FILE    (64 * 1024)     /* longest secret file */
#define IG_KEYS_TIME    24              /* 2026-11-23T12:00:00.123Z */

/* Options; a part says with these which it takes. */
enum {
    IG_KEYS_JSON = 1,
    IG_KEYS_STORE = 2,          /* --store */
    IG_KEYS_YES = 4,            /* --yes */
    IG_KEYS_ID_OPTION = 8,      /* --id ID */
    IG_KEYS_LOG = 16            /* --log FILE: and what follows are logs */
};

typedef struct {
    unsigned      given;        /* of the above */
    const char   *id;
    char        **arg;          /* what is no option; logs are at the end */
    int           nargs;
} ig_keys_options_t;

typedef struct {
    const char  *name;
    int          fewest;        /* arguments, FILE included */
    int          most;
    unsigned     options;
    int        (*run)(const ig_keys_options_t *o);  /* an exit code */
} ig_keys_part_t;

/* -- ig_ctl_keys.c ------------------------------------------------------- */

/* Standard base64 with padding, of 32 bytes: 44 characters. */
void ig_keys_base64(ig_buf_t *b, const uint8_t data[IG_KEYS_RANDOM]);

/* "ID:", a random key in base64; IG_ERROR, told, where none is to be had. */
int ig_keys_random(ig_buf_t *b, ig_str_t id);

/* -- ig_ctl_keys_file.c -------------------------------------------------- */

/*
 * A secret file as it was read.  Its text and the keys are wiped by
 * ig_keys_close.
 */
typedef struct {
    const char       *name;     /* as it was given */
    char             *path;     /* with links followed */
    int               fd;       /* locked, where it is to be changed; or -1 */
    struct stat       stat;
    ig_str_t          text;
    ig_secret_t       secret;
    ig_ctl_memory_t   memory;
} ig_keys_file_t;

/*
 * IG_CTL_OK, or the exit code and the reason told: IG_CTL_FAILED: it is no
 * secret file.  In all cases ig_keys_close follows.  `change`: nobody else
 * shall change it meanwhile.
 */
int ig_keys_open(ig_keys_file_t *f, const char *name, bool change);
void ig_keys_close(ig_keys_file_t *f);

/*
 * Puts text in the file's place: it is there whole or not at all, whatever
 * happens, under the same owner and mode.  `erase`: what the old one held is
 * overwritten too, as far as the disk has it in the same place.  The new text
 * must be a secret file; where `store` is true, one whose store's subkey is
 * that of the old one.  IG_CTL_OK, or an exit code and the reason told.
 */
int ig_keys_replace(ig_keys_file_t *f, ig_str_t text, bool store, bool erase);

/* The next line of *rest, without its newline; false: there is none. */
bool ig_keys_next(ig_str_t *rest, ig_str_t *line);

/* The id of a line with a key; empty where it is none. */
ig_str_t ig_keys_line_id(ig_str_t line);

/* The id of a key that was destroyed, as its comment says, and when. */
ig_str_t ig_keys_line_gone(ig_str_t line, ig_str_t *when);

/* When this id was destroyed; empty where it was not. */
ig_str_t ig_keys_gone(const ig_keys_file_t *f, ig_str_t id);

/* Of secret.key[]; or -1. */
int ig_keys_find(const ig_keys_file_t *f, ig_str_t id);

/* -- ig_ctl_keys_change.c, ig_ctl_keys_show.c ---------------------------- */

int ig_keys_rotate(const ig_keys_options_t *o);
int ig_keys_destroy(const ig_keys_options_t *o);
int ig_keys_show(const ig_keys_options_t *o);

/* -- ig_ctl_keys_log.c --------------------------------------------------- */

#define IG_KEYS_SEEN  64        /* ids told apart in logs */

typedef struct {
    char      id[IG_KEY_ID + 1];
    uint64_t  lines;
    char      first[IG_KEYS_TIME + 1];
    char      last[IG_KEYS_TIME + 1];
} ig_keys_seen_t;

typedef struct {
    ig_keys_seen_t  seen[IG_KEYS_SEEN];
    unsigned        nseen;
    uint64_t        lines;      /* audit lines read */
    uint64_t        other;      /* lines that are none */
    bool            more;       /* ids than fit */
} ig_keys_log_t;

/* Adds a log, plain or gzip, "-" the standard input.  IG_CTL_OK or told. */
int ig_keys_log_read(ig_keys_log_t *log, const char *path);

/* What was seen of an id; NULL: nothing. */
const ig_keys_seen_t *ig_keys_log_find(const ig_keys_log_t *log, ig_str_t id);

#endif /* IG_CTL_KEYS_H */
