/*
 * ig_ctl_verify.c: `integrityctl verify`: feeds audit files, plain or gzip,
 * to the verifier, and checkpoints with them.
 * Owns: the open files.  Called by integrityctl.c.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ig_ctl_verify.h"
#include "ig_value.h"

#define IG_VERIFY_PEM   (64 * 1024)     /* longest file of a key */
#define IG_VERIFY_LATE  60000           /* ms */


/* IG_CTL_OK, or IG_CTL_USAGE with the reason told. */
static int
ig_verify_read(ig_verify_t *v, const char *path, ig_mem_t *mem)
{
    int              rc;
    ig_str_t         bytes;
    ig_ctl_stream_t  stream;

    if (ig_ctl_stream_open(&stream, path, mem) != IG_CTL_OK) {
        return IG_CTL_USAGE;
    }

    rc = ig_verify_file(v);

    while (rc == IG_OK) {
        rc = ig_ctl_stream_read(&stream, &bytes);

        if (rc == IG_OK) {
            rc = ig_verify_feed(v, bytes.data, bytes.len);
        }
    }

    ig_ctl_stream_close(&stream);

    if (rc == IG_NOMEM) {
        return ig_ctl_error("no memory");
    }

    return rc == IG_AGAIN ? IG_CTL_OK : IG_CTL_USAGE;
}


/* The next line of all files of checkpoints, which are one after another. */
static int
ig_verify_checkpoint(void *ctx, ig_str_t *line)
{
    int                  rc;
    ig_verify_report_t  *r = ctx;

    while (r->piece < r->ncheckpoints) {

        if (!r->open) {
            r->piece_line[r->piece] = r->lines;
            rc = ig_ctl_stream_open(&r->stream, r->checkpoints[r->piece],
                                    r->mem);
            if (rc != IG_CTL_OK) {
                return IG_ERROR;
            }

            r->open = true;
            ig_ctl_stream_limit(&r->stream, r->size[r->piece]);
        }

        rc = ig_ctl_stream_line(&r->stream, line);

        if (rc != IG_AGAIN) {
            r->lines++;
            return rc;
        }

        ig_ctl_stream_close(&r->stream);
        r->open = false;
        r->piece++;
    }

    return IG_AGAIN;
}


static int
ig_verify_key(ig_verify_report_t *r, ig_ctl_memory_t *memory, const char *path)
{
    ig_str_t    pem;
    ig_error_t  err;

    if (r->nkeys == IG_CHECKPOINT_KEYS) {
        return ig_ctl_error("more than %d keys", IG_CHECKPOINT_KEYS);
    }

    if (ig_ctl_read(memory, path, IG_VERIFY_PEM, &pem) != IG_OK) {
        return IG_CTL_USAGE;
    }

    if (ig_sign_read_public(pem, &r->key[r->nkeys++], &err) != IG_OK) {
        return ig_ctl_error("\"%s\": %s", path, err.text);
    }

    return IG_CTL_OK;
}


/* seal: NULL where there is no memory. */
static void
ig_verify_with_seal(ig_verify_report_t *r, ig_verify_t *v,
    ig_verify_seal_t **seal)
{
    unsigned                  i;
    struct timespec           now;
    ig_verify_seal_options_t  options;

    /*
     * What is sealed while the logs are read may be of lines behind those
     * that were read: only checkpoints from before speak of all of them.
     */
    for (i = 0; i < r->ncheckpoints; i++) {
        r->size[i] = ig_ctl_stream_size(r->checkpoints[i]);
    }

    (void) clock_gettime(CLOCK_REALTIME, &now);

    options.key = r->key;
    options.nkeys = r->nkeys;
    options.late = r->late;
    options.since = r->max_age < 0 ? INT64_MIN
                    : (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000
                      - r->max_age;
    options.source = ig_verify_checkpoint;
    options.ctx = r;

    *seal = ig_verify_seal_create(r->mem, v, &options);
}


static int
ig_verify_files(ig_verify_report_t *r)
{
    int                        rc;
    unsigned                   i;
    ig_verify_t               *v;
    ig_verify_seal_t          *seal;
    ig_verify_summary_t        summary;
    ig_verify_outcome_t        outcome = { NULL, &summary, NULL };
    ig_verify_seal_summary_t   seal_summary;

    seal = NULL;
    v = ig_verify_create(r->mem, ig_report_finding, r);

    if (v != NULL && r->ncheckpoints > 0) {
        ig_verify_with_seal(r, v, &seal);
    }

    if (v == NULL || (r->ncheckpoints > 0 && seal == NULL)) {
        return ig_ctl_error("no memory");
    }

    ig_report_begin(r);

    for (i = 0; i < r->nfiles; i++) {
        if (ig_verify_read(v, r->file[i], r->mem) != IG_CTL_OK) {
            return IG_CTL_USAGE;
        }
    }

    rc = ig_verify_finish(v, &summary);

    if (rc == IG_OK && seal != NULL) {
        rc = ig_verify_seal_summary(seal, &seal_summary);
        outcome.seal = &seal_summary;
    }

    if (rc != IG_OK) {
        return rc == IG_NOMEM ? ig_ctl_error("no memory") : IG_CTL_USAGE;
    }

    outcome.v = v;
    ig_report_end(r, &outcome);

    return (int) summary.result;
}


/* -- arguments ----------------------------------------------------------- */

/* --name VALUE or --name=VALUE; *value NULL: this is another option. */
static int
ig_verify_value(int argc, char **argv, int *i, const char *name,
    const char **value)
{
    size_t  len;

    len = strlen(name);
    *value = NULL;

    if (strncmp(argv[*i], name, len) != 0) {
        return IG_CTL_OK;
    }

    if (argv[*i][len] == '=') {
        *value = argv[*i] + len + 1;
        return IG_CTL_OK;
    }

    if (argv[*i][len] != '\0') {
        return IG_CTL_OK;
    }

    if (*i + 1 == argc) {
        return ig_ctl_usage(&ig_ctl_verify, "%s needs a value", name);
    }

    *value = argv[++*i];

    return IG_CTL_OK;
}


static int
ig_verify_time(const char *name, const char *value, int64_t *ms)
{
    if (!ig_parse_duration((ig_str_t) { strlen(value), value }, ms)) {
        return ig_ctl_usage(&ig_ctl_verify, "%s \"%s\" is no time, such as"
                                            " 90s or 5m", name, value);
    }

    return IG_CTL_OK;
}


/* One option that has a value; IG_CTL_FAILED: it is none of these. */
static int
ig_verify_option(ig_verify_report_t *r, ig_ctl_memory_t *memory, int argc,
    char **argv, int *i)
{
    size_t       n;
    const char  *value;

    static const char *const  names[] = {
        "--checkpoints", "--key", "--max-age", "--late"
    };

    for (n = 0, value = NULL; n < ig_countof(names) && value == NULL; n++) {
        if (ig_verify_value(argc, argv, i, names[n], &value) != IG_CTL_OK) {
            return IG_CTL_USAGE;
        }
    }

    if (value == NULL) {
        return IG_CTL_FAILED;
    }

    switch (n - 1) {

    case 0:
        if (r->ncheckpoints == IG_VERIFY_PIECES) {
            return ig_ctl_error("more than %d files of checkpoints",
                                IG_VERIFY_PIECES);
        }

        r->checkpoints[r->ncheckpoints++] = value;
        return IG_CTL_OK;

    case 1:
        return ig_verify_key(r, memory, value);

    case 2:
        return ig_verify_time("--max-age", value, &r->max_age);

    default:
        return ig_verify_time("--late", value, &r->late);
    }
}


static int
ig_verify_arguments(ig_verify_report_t *r, ig_ctl_memory_t *memory, int argc,
    char **argv)
{
    int  i, rc;

    for (i = 1; i < argc && argv[i][0] == '-' && argv[i][1] != '\0'; i++) {
        if (strcmp(argv[i], "--") == 0) {
            i++;
            break;
        }

        if (strcmp(argv[i], "--json") == 0) {
            r->json = true;
            continue;
        }

        if (strcmp(argv[i], "--all") == 0) {
            r->all = true;
            continue;
        }

        rc = ig_verify_option(r, memory, argc, argv, &i);

        if (rc == IG_CTL_FAILED) {
            return ig_ctl_usage(&ig_ctl_verify, "unknown option \"%s\"",
                                argv[i]);
        }

        if (rc != IG_CTL_OK) {
            return rc;
        }
    }

    if (i == argc) {
        return ig_ctl_usage(&ig_ctl_verify, "no file");
    }

    if ((r->ncheckpoints > 0) != (r->nkeys > 0)) {
        return ig_ctl_usage(&ig_ctl_verify, "--checkpoints and --key go"
                                            " together");
    }

    r->file = argv + i;
    r->nfiles = (unsigned) (argc - i);

    return IG_CTL_OK;
}


static int
ig_verify_run(int argc, char **argv)
{
    int                 rc;
    ig_ctl_memory_t     memory;
    ig_verify_report_t  r;

    memset(&r, 0, sizeof(r));
    ig_ctl_memory_init(&memory);
    r.mem = &memory.mem;
    r.max_age = -1;
    r.late = IG_VERIFY_LATE;

    rc = ig_verify_arguments(&r, &memory, argc, argv);

    if (rc == IG_CTL_OK) {
        rc = ig_verify_files(&r);
    }

    if (r.open) {
        ig_ctl_stream_close(&r.stream);
    }

    ig_ctl_memory_free(&memory);

    return rc;
}


const ig_ctl_command_t  ig_ctl_verify = {
    "verify",
    "[OPTION...] FILE...",
    "Check that audit files are whole, in order and unchanged",
    "Give all segments of a rotated log together, in any order, plain or\n"
    "gzip; \"-\" is the standard input. Chains of several workers and nodes\n"
    "may be mixed.\n"
    "\n"
    "--json              one JSON object instead of text\n"
    "--all               every finding and chain, not just the first 100 and\n"
    "                    20\n"
    "--checkpoints FILE  what `integrityctl seal` wrote about this log;\n"
    "                    several are pieces of one, in their order\n"
    "--key PUB           the public key of the seal; several in the order\n"
    "                    they were used. A new key that the old one\n"
    "                    introduced is believed without being given.\n"
    "--late TIME         lines this long after the last checkpoint are only\n"
    "                    noted as unsealed; 60s by default\n"
    "--max-age TIME      the last checkpoint must not be older than this now\n"
    "\n"
    "Exit codes:\n"
    "  0  clean: every line is unchanged and linked to the one before.\n"
    "     Chains may still be open (a live log).\n"
    "  1  explained gap: lines are missing, and the chain itself says that\n"
    "     they could not be written.\n"
    "  2  usage, or a file that cannot be read.\n"
    "  3  torn tail: a chain breaks off, in the middle of a line or without\n"
    "     being closed although a later one of its worker follows. A crash\n"
    "     does this; so does somebody who cuts the end off.\n"
    "  4  tampered: lines were changed, removed, repeated or moved, or a\n"
    "     segment in the middle was not given; the log is not the one that\n"
    "     was sealed; checkpoints are forged, removed or moved; or the\n"
    "     sealing process found such a thing itself.\n"
    "  5  unverifiable: no line of a chain, or a version not known here.\n"
    "  6  unsealed: no checkpoint speaks of a file, or the last checkpoint\n"
    "     is too old.\n"
    "\n"
    "Without checkpoints, whoever can write the whole file can also compute\n"
    "its hashes again, or cut the end of a chain that is still open: no check\n"
    "sees that. With them, the same is true of lines after the last\n"
    "checkpoint only.\n",
    ig_verify_run
};
