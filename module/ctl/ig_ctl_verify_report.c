/*
 * ig_ctl_verify_report.c: what `integrityctl verify` says, for people or as
 * JSON.
 * Owns nothing; borrows the verifier.  Called by ig_ctl_verify.c.
 */

#include <stdio.h>
#include <string.h>

#include "ig_ctl_verify.h"

#define IG_VERIFY_SHOWN   100           /* findings, unless --all */
#define IG_VERIFY_TABLE   20            /* chains, unless --all */


/* Where a finding is; its line becomes that of its own file. */
static const char *
ig_report_place(const ig_verify_report_t *r, const ig_finding_t *f,
    uint64_t *line)
{
    unsigned     i;
    const char  *path;

    *line = f->line;

    if (f->file == IG_FINDING_CHECKPOINTS) {
        for (i = 0; i + 1 < r->ncheckpoints && i < r->piece
                    && r->piece_line[i + 1] < f->line; i++) { /* void */ }

        path = r->checkpoints[i];
        *line -= f->line > 0 ? r->piece_line[i] : 0;

    } else {
        path = r->file[f->file];
    }

    return strcmp(path, "-") == 0 ? "standard input" : path;
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
    uint64_t     line;
    const char  *file;

    printf("%s{\"kind\":", r->findings > 1 ? "," : "");
    ig_report_string(ig_finding_name(f->kind));

    if (f->line > 0 || f->file == IG_FINDING_CHECKPOINTS) {
        file = ig_report_place(r, f, &line);
        ig_report_member("file", (ig_str_t) { strlen(file), file });

        if (line > 0) {
            printf(",\"line\":%llu", (unsigned long long) line);
        }
    }

    if (f->chain.len > 0) {
        ig_report_member("chain", f->chain);
    }

    ig_report_member("text", f->text);
    putchar('}');
}


void
ig_report_finding(void *ctx, const ig_finding_t *f)
{
    uint64_t             line;
    const char          *file;
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
        file = ig_report_place(r, f, &line);
        printf("%s:%llu: ", file, (unsigned long long) line);

    } else if (f->file == IG_FINDING_CHECKPOINTS) {
        printf("%s: ", ig_report_place(r, f, &line));
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
ig_report_seal_json(const ig_verify_seal_summary_t *seal)
{
    printf(",\"checkpoints\":{\"count\":%llu",
           (unsigned long long) seal->checkpoints);

    if (seal->checkpoints > 0) {
        ig_report_member("origin",
                         (ig_str_t) { strlen(seal->origin), seal->origin });
        printf(",\"last\":%llu", (unsigned long long) seal->number);
        ig_report_member("time",
                         (ig_str_t) { strlen(seal->time), seal->time });
    }

    printf(",\"unsealed\":%llu", (unsigned long long) seal->unsealed);

    if (seal->from[0] != '\0') {
        ig_report_member("from",
                         (ig_str_t) { strlen(seal->from), seal->from });
        ig_report_member("to", (ig_str_t) { strlen(seal->to), seal->to });
    }

    putchar('}');
}


static void
ig_report_end_json(ig_verify_report_t *r, const ig_verify_outcome_t *o)
{
    uint64_t                    shown;
    const ig_verify_summary_t  *s = o->summary;

    shown = r->all || r->findings < IG_VERIFY_SHOWN ? r->findings
                                                    : IG_VERIFY_SHOWN;

    printf("],\"omitted\":%llu,\"chains\":[",
           (unsigned long long) (r->findings - shown));
    ig_verify_chains(o->v, ig_report_chain, r);
    putchar(']');

    if (o->seal != NULL) {
        ig_report_seal_json(o->seal);
    }

    ig_report_member("result", ig_verify_result_name(s->result));
    printf(",\"exit\":%d,\"files\":%u,\"lines\":%llu,\"lost\":%llu,"
           "\"torn\":%llu}\n", (int) s->result, s->files,
           (unsigned long long) s->lines, (unsigned long long) s->lost,
           (unsigned long long) s->torn);
}


static void
ig_report_seal(const ig_verify_seal_summary_t *seal)
{
    if (seal->checkpoints > 0) {
        printf("sealed by %s up to checkpoint %llu of %s; %llu line%s after"
               " it\n", seal->origin, (unsigned long long) seal->number,
               seal->time, (unsigned long long) seal->unsealed,
               seal->unsealed == 1 ? "" : "s");
    }
}


static void
ig_report_end_text(ig_verify_report_t *r, const ig_verify_outcome_t *o)
{
    const ig_verify_summary_t  *s = o->summary;

    if (!r->all && r->findings > IG_VERIFY_SHOWN) {
        printf("... and %llu more; --all shows them\n",
               (unsigned long long) (r->findings - IG_VERIFY_SHOWN));
    }

    if (s->chains > 0) {
        printf("%schains:\n", r->findings > 0 ? "\n" : "");
        ig_verify_chains(o->v, ig_report_chain, r);
    }

    if (!r->all && r->chains > IG_VERIFY_TABLE) {
        printf("  ... and %llu more; --all shows them\n",
               (unsigned long long) (r->chains - IG_VERIFY_TABLE));
    }

    if (s->chains > 0) {
        putchar('\n');
    }

    if (o->seal != NULL) {
        ig_report_seal(o->seal);
    }

    printf("%llu line%s of %llu chain%s in %u file%s",
           (unsigned long long) s->lines, s->lines == 1 ? "" : "s",
           (unsigned long long) s->chains, s->chains == 1 ? "" : "s",
           s->files, s->files == 1 ? "" : "s");

    if (s->lost > 0) {
        printf(", %llu lost", (unsigned long long) s->lost);
    }

    printf(": %.*s\n", ig_fmt(ig_verify_result_name(s->result)));
}


void
ig_report_begin(const ig_verify_report_t *r)
{
    if (r->json) {
        fputs("{\"findings\":[", stdout);
    }
}


void
ig_report_end(ig_verify_report_t *r, const ig_verify_outcome_t *o)
{
    if (r->json) {
        ig_report_end_json(r, o);

    } else {
        ig_report_end_text(r, o);
    }
}
