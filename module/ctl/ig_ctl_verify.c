/*
 * ig_ctl_verify.c: `integrityctl verify`: feeds audit files to the verifier
 * and says what it found, for people or as JSON.
 * Owns: the read buffer.  Called by integrityctl.c.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ig_ctl.h"
#include "ig_verify.h"

#define IG_VERIFY_READ    (256 * 1024)
#define IG_VERIFY_SHOWN   100           /* findings, unless --all */
#define IG_VERIFY_TABLE   20            /* chains, unless --all */

typedef struct {
    char          **file;
    bool            json;
    bool            all;
    uint64_t        findings;           /* shown or not */
    uint64_t        chains;
} ig_verify_report_t;


static const char *
ig_report_file(const ig_verify_report_t *r, unsigned file)
{
    return strcmp(r->file[file], "-") == 0 ? "standard input" : r->file[file];
}


static void
ig_report_string(ig_str_t s)
{
    char      text[2048];
    ig_buf_t  b;

    ig_buf_init(&b, text, sizeof(text));
    ig_buf_json_string(&b, s);
    printf("%.*s", ig_fmt(b.full ? ig_str("\"\"") : ig_buf_str(&b)));
}


static void
ig_report_member(const char *key, ig_str_t value)
{
    printf(",\"%s\":", key);
    ig_report_string(value);
}


static void
ig_report_finding_json(const ig_verify_report_t *r, const ig_finding_t *f)
{
    const char  *file;

    printf("%s{\"kind\":", r->findings > 1 ? "," : "");
    ig_report_string(ig_finding_name(f->kind));

    if (f->line > 0) {
        file = ig_report_file(r, f->file);
        ig_report_member("file", (ig_str_t) { strlen(file), file });
        printf(",\"line\":%llu", (unsigned long long) f->line);
    }

    if (f->chain.len > 0) {
        ig_report_member("chain", f->chain);
    }

    ig_report_member("text", f->text);
    putchar('}');
}


static void
ig_report_finding(void *ctx, const ig_finding_t *f)
{
    ig_verify_report_t  *r = ctx;

    r->findings++;

    if (!r->all && r->findings > IG_VERIFY_SHOWN) {
        return;
    }

    if (r->json) {
        ig_report_finding_json(r, f);
        return;
    }

    if (f->line > 0) {
        printf("%s:%llu: ", ig_report_file(r, f->file),
               (unsigned long long) f->line);
    }

    printf("%.*s: %.*s", ig_fmt(ig_finding_name(f->kind)), ig_fmt(f->text));

    if (f->chain.len > 0) {
        printf(" (%.*s)", ig_fmt(f->chain));
    }

    putchar('\n');
}


static void
ig_report_chain(void *ctx, const ig_verify_chain_info_t *c)
{
    ig_verify_report_t  *r = ctx;

    r->chains++;

    if (r->json) {
        printf("%s{\"chain\":", r->chains > 1 ? "," : "");
        ig_report_string(c->id);
        printf(",\"first\":%llu,\"last\":%llu,\"lines\":%llu",
               (unsigned long long) c->first, (unsigned long long) c->last,
               (unsigned long long) c->lines);
        ig_report_member("state", c->state);
        putchar('}');

    } else if (r->all || r->chains <= IG_VERIFY_TABLE) {
        printf("  %-40.*s  %10llu lines, %llu to %llu, %.*s\n", ig_fmt(c->id),
               (unsigned long long) c->lines, (unsigned long long) c->first,
               (unsigned long long) c->last, ig_fmt(c->state));
    }
}


static void
ig_report_end_json(ig_verify_report_t *r, const ig_verify_t *v,
    const ig_verify_summary_t *s)
{
    uint64_t  shown;

    shown = r->all || r->findings < IG_VERIFY_SHOWN ? r->findings
                                                    : IG_VERIFY_SHOWN;

    printf("],\"omitted\":%llu,\"chains\":[",
           (unsigned long long) (r->findings - shown));
    ig_verify_chains(v, ig_report_chain, r);
    putchar(']');

    ig_report_member("result", ig_verify_result_name(s->result));
    printf(",\"exit\":%d,\"files\":%u,\"lines\":%llu,\"lost\":%llu,"
           "\"torn\":%llu}\n", (int) s->result, s->files,
           (unsigned long long) s->lines, (unsigned long long) s->lost,
           (unsigned long long) s->torn);
}


static void
ig_report_end(ig_verify_report_t *r, const ig_verify_t *v,
    const ig_verify_summary_t *s)
{
    if (!r->all && r->findings > IG_VERIFY_SHOWN) {
        printf("... and %llu more; --all shows them\n",
               (unsigned long long) (r->findings - IG_VERIFY_SHOWN));
    }

    if (s->chains > 0) {
        printf("%schains:\n", r->findings > 0 ? "\n" : "");
        ig_verify_chains(v, ig_report_chain, r);
    }

    if (!r->all && r->chains > IG_VERIFY_TABLE) {
        printf("  ... and %llu more; --all shows them\n",
               (unsigned long long) (r->chains - IG_VERIFY_TABLE));
    }

    printf("%s%llu line%s of %llu chain%s in %u file%s",
           s->chains > 0 ? "\n" : "", (unsigned long long) s->lines,
           s->lines == 1 ? "" : "s", (unsigned long long) s->chains,
           s->chains == 1 ? "" : "s", s->files, s->files == 1 ? "" : "s");

    if (s->lost > 0) {
        printf(", %llu lost", (unsigned long long) s->lost);
    }

    printf(": %.*s\n", ig_fmt(ig_verify_result_name(s->result)));
}


/* IG_CTL_OK, or IG_CTL_USAGE with the reason told. */
static int
ig_verify_read(ig_verify_t *v, const char *path, char *buffer)
{
    int      rc;
    FILE    *file;
    size_t   n;

    file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");

    if (file == NULL) {
        return ig_ctl_error("cannot open \"%s\": %s", path, strerror(errno));
    }

    rc = ig_verify_file(v);

    do {
        n = fread(buffer, 1, IG_VERIFY_READ, file);

        if (rc == IG_OK) {
            rc = ig_verify_feed(v, buffer, n);
        }
    } while (n == IG_VERIFY_READ && rc == IG_OK);

    if (ferror(file)) {
        rc = ig_ctl_error("cannot read \"%s\": %s", path, strerror(errno));

    } else if (rc != IG_OK) {
        rc = ig_ctl_error("no memory");
    }

    if (file != stdin) {
        fclose(file);
    }

    return rc;
}


static int
ig_verify_files(ig_verify_report_t *r, int nfiles, ig_mem_t *mem)
{
    int                   i;
    char                 *buffer;
    ig_verify_t          *v;
    ig_verify_summary_t   summary;

    v = ig_verify_create(mem, ig_report_finding, r);
    buffer = ig_alloc(mem, IG_VERIFY_READ);

    if (v == NULL || buffer == NULL) {
        return ig_ctl_error("no memory");
    }

    if (r->json) {
        fputs("{\"findings\":[", stdout);
    }

    for (i = 0; i < nfiles; i++) {
        if (ig_verify_read(v, r->file[i], buffer) != IG_CTL_OK) {
            return IG_CTL_USAGE;
        }
    }

    if (ig_verify_finish(v, &summary) != IG_OK) {
        return ig_ctl_error("no memory");
    }

    if (r->json) {
        ig_report_end_json(r, v, &summary);

    } else {
        ig_report_end(r, v, &summary);
    }

    return (int) summary.result;
}


static int
ig_verify_run(int argc, char **argv)
{
    int                 i, rc;
    ig_ctl_memory_t     memory;
    ig_verify_report_t  r;

    memset(&r, 0, sizeof(r));

    for (i = 1; i < argc && argv[i][0] == '-' && argv[i][1] != '\0'; i++) {
        if (strcmp(argv[i], "--") == 0) {
            i++;
            break;
        }

        if (strcmp(argv[i], "--json") == 0) {
            r.json = true;

        } else if (strcmp(argv[i], "--all") == 0) {
            r.all = true;

        } else {
            return ig_ctl_usage(&ig_ctl_verify, "unknown option \"%s\"",
                                argv[i]);
        }
    }

    if (i == argc) {
        return ig_ctl_usage(&ig_ctl_verify, "no file");
    }

    r.file = argv + i;

    ig_ctl_memory_init(&memory);
    rc = ig_verify_files(&r, argc - i, &memory.mem);
    ig_ctl_memory_free(&memory);

    return rc;
}


const ig_ctl_command_t  ig_ctl_verify = {
    "verify",
    "[--json] [--all] FILE...",
    "Check that audit files are whole, in order and unchanged",
    "Give all segments of a rotated log together, in any order; \"-\" is the\n"
    "standard input. Chains of several workers and nodes may be mixed.\n"
    "\n"
    "--json  one JSON object instead of text\n"
    "--all   every finding and every chain, not just the first 100 and 20\n"
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
    "     segment in the middle was not given.\n"
    "  5  unverifiable: no line of a chain, or a version not known here.\n"
    "\n"
    "Whoever can write the whole file can also compute its hashes again, or\n"
    "cut the end of a chain that is still open: no check here sees that.\n",
    ig_verify_run
};
