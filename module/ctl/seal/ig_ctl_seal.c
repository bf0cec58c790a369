/*
 * ig_ctl_seal.c: `integrityctl seal`: follows audit logs and signs how far
 * they have come.
 * Owns: the sealing process's state.  Called by integrityctl.c.
 */

#define _GNU_SOURCE             /* ppoll */

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ig_ctl_seal.h"
#include "ig_value.h"

#define IG_SEALER_TICK  100             /* ms between looks at the logs */

static volatile sig_atomic_t  ig_sealer_stop;


int64_t
ig_sealer_clock(void)
{
    struct timespec  now;

    (void) clock_gettime(CLOCK_MONOTONIC, &now);

    return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}


static void
ig_sealer_signal(int number)
{
    (void) number;
    ig_sealer_stop = 1;
}


/* The signals to end by are blocked but in ppoll's time: none is missed. */
static void
ig_sealer_signals(sigset_t *open)
{
    sigset_t          blocked;
    struct sigaction  action;

    memset(&action, 0, sizeof(action));
    action.sa_handler = ig_sealer_signal;
    (void) sigaction(SIGTERM, &action, NULL);
    (void) sigaction(SIGINT, &action, NULL);

    /* a limit on the size of files is an error of write, as a full disk is */
    action.sa_handler = SIG_IGN;
    (void) sigaction(SIGXFSZ, &action, NULL);
    (void) sigaction(SIGPIPE, &action, NULL);   /* --json */

    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigaddset(&blocked, SIGINT);
    (void) sigprocmask(SIG_BLOCK, &blocked, open);
}


/* -- the loop ------------------------------------------------------------ */

/* Whether a segment is done and no checkpoint says so. */
static bool
ig_sealer_ended(const ig_sealer_log_t *log)
{
    unsigned  i;

    for (i = 0; i < log->nsegments; i++) {
        if (log->segment[i].done && log->segment[i].changed) {
            return true;
        }
    }

    return false;
}


/* What makes a checkpoint due now; NULL: nothing does. */
static const char *
ig_sealer_due(const ig_sealer_t *s)
{
    bool      ended;
    int64_t   since;
    unsigned  i;

    for (i = 0, ended = false; i < s->nlogs; i++) {
        ended |= ig_sealer_ended(&s->log[i]);
    }

    since = ig_sealer_clock() - s->written;

    return s->pending >= s->most && s->error == 0 ? "lines"
           : s->pending > 0 && since >= s->every ? "time"
           : ended && since >= s->every ? "segment"
           : s->queued > 0 && since >= s->every ? "finding"
           : since >= s->heartbeat ? "heartbeat" : NULL;
}


static void
ig_sealer_turn(ig_sealer_t *s)
{
    unsigned     i;
    const char  *why;

    for (i = 0; i < s->nlogs && s->refused == 0; i++) {
        ig_sealer_follow(&s->log[i]);
    }

    why = s->refused == 0 ? ig_sealer_due(s) : NULL;

    if (why != NULL) {
        (void) ig_sealer_checkpoint(s, why);
    }
}


/* Reads the logs until there is nothing more; the exit code. */
static int
ig_sealer_last(ig_sealer_t *s, const char *why)
{
    unsigned          i;
    ig_sealer_log_t  *log;

    for (i = 0; i < s->nlogs && s->refused == 0; i++) {
        log = &s->log[i];
        ig_sealer_follow(log);

        /* of very many rotations that were missed, a few at a time */

        while (s->refused == 0 && ig_sealer_is_full(log)
               && ig_sealer_ended(log)
               && ig_sealer_checkpoint(s, "segment") == IG_OK)
        {
            ig_sealer_follow(log);
        }
    }

    if (s->refused != 0) {
        return s->refused;
    }

    return ig_sealer_checkpoint(s, why) == IG_OK ? IG_CTL_OK : IG_CTL_FAILED;
}


static int
ig_sealer_loop(ig_sealer_t *s, const sigset_t *open)
{
    struct timespec  tick = { 0, IG_SEALER_TICK * 1000000L };

    if (ig_sealer_last(s, "start") == IG_CTL_FAILED && s->once) {
        return IG_CTL_FAILED;
    }

    while (!ig_sealer_stop && !s->once && s->refused == 0) {
        (void) ppoll(NULL, 0, &tick, open);

        if (!ig_sealer_stop) {
            ig_sealer_turn(s);
        }
    }

    return s->refused != 0 ? s->refused
           : s->once ? IG_CTL_OK : ig_sealer_last(s, "stop");
}


static int
ig_sealer_start(ig_sealer_t *s)
{
    int       rc;
    unsigned  i;
    sigset_t  open;

    ig_sealer_signals(&open);
    rc = ig_sealer_open_checkpoints(s);

    if (rc == IG_CTL_OK) {
        rc = ig_sealer_recall(s);
    }

    for (i = 0; i < s->nlogs && rc == IG_CTL_OK; i++) {
        ig_ctl_memory_init(&s->log[i].memory);
        rc = ig_sealer_verifier(&s->log[i]);
        ig_sealer_catch_up(&s->log[i]);
    }

    if (rc == IG_CTL_OK) {
        rc = ig_sealer_loop(s, &open);
    }

    if (rc == IG_SEALER_REFUSED) {
        (void) ig_ctl_error("this is not sealed over: keep \"%s\" and the log"
                            " as evidence, and begin a new file of"
                            " checkpoints", s->path);
    }

    return rc;
}


/* -- arguments ----------------------------------------------------------- */

static int
ig_sealer_add_log(ig_sealer_t *s, const char *path)
{
    char      name[IG_CHECKPOINT_FILE];
    ig_buf_t  b;

    ig_buf_init(&b, name, sizeof(name));
    ig_buf_json(&b, (ig_str_t) { strlen(path), path });

    if (s->nlogs == IG_SEALER_LOGS || b.full || path[0] == '\0') {
        return ig_ctl_error(b.full ? "\"%s\" is too long a name"
                            : "too many logs at \"%s\": at most 16", path);
    }

    s->log[s->nlogs].sealer = s;
    s->log[s->nlogs].index = s->nlogs;
    s->log[s->nlogs].path = path;

    return ig_str_dup(&s->memory.mem, ig_buf_str(&b),
                      &s->log[s->nlogs++].name) == IG_OK
           ? IG_CTL_OK : ig_ctl_error("no memory");
}


static int
ig_sealer_set_origin(ig_sealer_t *s, const char *name)
{
    static const char  allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";

    if (name[0] == '\0' || strlen(name) > IG_CHECKPOINT_ORIGIN
        || strspn(name, allowed) != strlen(name))
    {
        return ig_ctl_usage(&ig_ctl_seal, "--origin \"%s\": expected 1 to 63"
                            " letters, digits, \".\", \"_\" and \"-\"", name);
    }

    strcpy(s->origin, name);

    return IG_CTL_OK;
}


static int
ig_sealer_set_time(const char *name, const char *value, int64_t *ms)
{
    ig_str_t  text = { strlen(value), value };

    if (!ig_parse_duration(text, ms) || *ms < IG_SEALER_TICK) {
        return ig_ctl_usage(&ig_ctl_seal, "%s \"%s\": expected a time of at"
                            " least 100ms, such as 1s", name, value);
    }

    return IG_CTL_OK;
}


static int
ig_sealer_set_lines(ig_sealer_t *s, const char *value)
{
    ig_str_t  text = { strlen(value), value };

    if (!ig_parse_uint(text, 1000000, &s->most) || s->most == 0) {
        return ig_ctl_usage(&ig_ctl_seal, "--lines \"%s\": expected 1 to"
                            " 1000000", value);
    }

    return IG_CTL_OK;
}


/* One option with its value. */
static int
ig_sealer_option(ig_sealer_t *s, const char *name, const char *value)
{
    if (strcmp(name, "--key") == 0) {
        return ig_sealer_read_key(value, &s->key);
    }

    if (strcmp(name, "--old-key") == 0) {
        s->has_old_key = true;
        return ig_sealer_read_key(value, &s->old_key);
    }

    if (strcmp(name, "--checkpoints") == 0) {
        s->path = value;
        return IG_CTL_OK;
    }

    if (strcmp(name, "--origin") == 0) {
        return ig_sealer_set_origin(s, value);
    }

    if (strcmp(name, "--every") == 0) {
        return ig_sealer_set_time(name, value, &s->every);
    }

    if (strcmp(name, "--heartbeat") == 0) {
        return ig_sealer_set_time(name, value, &s->heartbeat);
    }

    if (strcmp(name, "--lines") == 0) {
        return ig_sealer_set_lines(s, value);
    }

    return ig_ctl_usage(&ig_ctl_seal, "unknown option \"%s\"", name);
}


/* --name VALUE or --name=VALUE */
static int
ig_sealer_named(ig_sealer_t *s, int argc, char **argv, int *i)
{
    char         name[32];
    size_t       len;
    const char  *equals;

    equals = strchr(argv[*i], '=');
    len = equals != NULL ? (size_t) (equals - argv[*i]) : strlen(argv[*i]);

    if (len >= sizeof(name)) {
        return ig_ctl_usage(&ig_ctl_seal, "unknown option \"%s\"", argv[*i]);
    }

    memcpy(name, argv[*i], len);
    name[len] = '\0';

    if (equals != NULL) {
        return ig_sealer_option(s, name, equals + 1);
    }

    if (*i + 1 == argc) {
        return ig_ctl_usage(&ig_ctl_seal, "%s needs a value", name);
    }

    return ig_sealer_option(s, name, argv[++*i]);
}


static int
ig_sealer_arguments(ig_sealer_t *s, int argc, char **argv)
{
    int   i, rc;
    bool  key, options;

    key = false;
    options = true;

    for (i = 1, rc = IG_CTL_OK; i < argc && rc == IG_CTL_OK; i++) {

        if (!options) {
            rc = ig_sealer_add_log(s, argv[i]);

        } else if (strcmp(argv[i], "--") == 0) {
            options = false;

        } else if (strcmp(argv[i], "--once") == 0) {
            s->once = true;

        } else if (strcmp(argv[i], "--json") == 0) {
            s->json = true;

        } else if (strncmp(argv[i], "--", 2) == 0) {
            key |= strncmp(argv[i], "--key", 5) == 0;
            rc = ig_sealer_named(s, argc, argv, &i);

        } else {
            rc = ig_sealer_add_log(s, argv[i]);
        }
    }

    if (rc == IG_CTL_OK && (!key || s->path == NULL || s->nlogs == 0)) {
        rc = ig_ctl_usage(&ig_ctl_seal, "%s", !key ? "no --key"
                          : s->path == NULL ? "no --checkpoints" : "no log");
    }

    return rc;
}


static int
ig_sealer_run(int argc, char **argv)
{
    int           rc;
    char          host[256];
    unsigned      i;
    ig_sealer_t  *s;

    s = calloc(1, sizeof(*s));

    if (s == NULL) {
        return ig_ctl_error("no memory");
    }

    s->fd = -1;
    s->every = 1000;
    s->heartbeat = 10000;
    s->most = 1000;
    ig_ctl_memory_init(&s->memory);

    if (gethostname(host, sizeof(host)) != 0
        || memchr(host, '\0', IG_CHECKPOINT_ORIGIN + 1) == NULL)
    {
        strcpy(host, "localhost");
    }

    rc = ig_sealer_arguments(s, argc, argv);

    if (rc == IG_CTL_OK && s->origin[0] == '\0') {
        rc = ig_sealer_set_origin(s, host);
    }

    if (rc == IG_CTL_OK) {
        rc = ig_sealer_start(s);
    }

    for (i = 0; i < s->nlogs; i++) {
        ig_ctl_memory_free(&s->log[i].memory);
    }

    ig_wipe(&s->key, sizeof(s->key));
    ig_wipe(&s->old_key, sizeof(s->old_key));
    ig_ctl_memory_free(&s->memory);
    free(s);

    return rc;
}


const ig_ctl_command_t  ig_ctl_seal = {
    "seal",
    "--key FILE --checkpoints FILE LOG...",
    "Follow audit logs and sign how far they have come",
    "Runs until it is told to end (SIGTERM, SIGINT), under a user of its own\n"
    "who may read the logs and nobody else may become. What it writes to the\n"
    "file of checkpoints is what `integrityctl verify --checkpoints` holds a\n"
    "log against. Keep that file, or copies of it, where those who can change\n"
    "the logs cannot reach it.\n"
    "\n"
    "--key FILE          the private key; `integrityctl keys seal` makes one\n"
    "--checkpoints FILE  where to write; it is only ever added to\n"
    "--old-key FILE      the key that signed until now, so that it introduces\n"
    "                    the one of --key; needed once\n"
    "--origin NAME       who is speaking; the host's name by default\n"
    "--every TIME        while lines come, at least so often; 1s by default\n"
    "--lines N           and after so many lines; 1000 by default\n"
    "--heartbeat TIME    while nothing comes; 10s by default\n"
    "--once              seal what is there and end\n"
    "--json              copies every line that is written to the output\n"
    "\n"
    "A log may be renamed and made anew at any time, and need not exist yet.\n"
    "After a restart it goes on from the last checkpoint, also with segments\n"
    "that were renamed meanwhile (LOG*, not with those compressed by gzip).\n"
    "\n"
    "Exit codes:\n"
    "  0  ended by a signal, or --once: all that was read is sealed.\n"
    "  1  refused: another process seals into the file, or it is of another\n"
    "     key or origin; or the last checkpoint could not be written.\n"
    "  2  usage, or a file that cannot be read.\n"
    "  4  refused: the log, or the file itself, is no longer what was sealed.\n"
    "     That is written to the file of checkpoints, once.\n",
    ig_sealer_run
};
