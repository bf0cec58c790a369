/*
 * ig_verify.c: cuts files into lines and sorts them.
 * Owns: what ig_verify_create allocates; borrows the bytes of one feed.
 * Called by integrityctl.
 */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ig_verify_int.h"


ig_verify_t *
ig_verify_create(ig_mem_t *mem, ig_finding_pt finding, void *ctx)
{
    ig_verify_t  *v;

    v = ig_alloc(mem, sizeof(*v));

    if (v != NULL) {
        v->mem = mem;
        v->finding = finding;
        v->ctx = ctx;
        v->chains_end = &v->chains;
    }

    return v;
}


void
ig_verify_watch(ig_verify_t *v,
    void (*seen)(void *ctx, const ig_verify_seen_t *line), void *ctx)
{
    v->seen = seen;
    v->seen_ctx = ctx;
}


uint64_t
ig_verify_foreign_lines(const ig_verify_t *v)
{
    return v->foreign;
}


uint64_t
ig_verify_torn_lines(const ig_verify_t *v)
{
    return v->torn;
}


void
ig_verify_tell(ig_verify_t *v, ig_finding_kind_e kind, unsigned file,
    uint64_t line, ig_verify_chain_t *chain, const char *fmt, ...)
{
    int           n;
    char          text[512];
    va_list       args;
    ig_finding_t  finding;

    va_start(args, fmt);
    n = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);

    finding.kind = kind;
    finding.file = file;
    finding.line = line;
    finding.chain = chain != NULL ? chain->id : ig_str("");
    finding.text.data = text;
    finding.text.len = n < 0 ? 0 : (size_t) n < sizeof(text)
                       ? (size_t) n : sizeof(text) - 1;

    v->count[kind]++;

    if (kind == IG_FINDING_TAMPERED && chain != NULL) {
        chain->bad = true;
    }

    v->finding(v->ctx, &finding);
}


/* -- one line ------------------------------------------------------------ */

static void
ig_verify_foreign(ig_verify_t *v)
{
    if (v->foreign++ == 0) {
        v->foreign_file = v->files - 1;
        v->foreign_line = v->line;
    }
}


/* What is no whole line: left by a crash or a full disk, or by somebody. */
static void
ig_verify_broken(ig_verify_t *v, ig_str_t text)
{
    ig_verify_pieces_t  pieces;

    pieces = ig_verify_pieces(text);

    if (pieces.n > 0) {
        v->torn += pieces.n;
        v->unborn += pieces.unborn;
        v->torn_end += v->at_end ? pieces.n : 0;
        ig_verify_tell(v, IG_FINDING_TORN, v->files - 1, v->line, NULL,
                       "a line breaks off after %zu bytes", text.len);

    } else if (ig_verify_is_ours(text)) {
        ig_verify_tell(v, IG_FINDING_TAMPERED, v->files - 1, v->line, NULL,
                       "this line was changed: it is no longer JSON");

    } else {
        ig_verify_foreign(v);
    }
}


/*
 * A piece of a line whose writer was cut short, with a whole line of another
 * worker glued to its end.
 */
static bool
ig_verify_glued(ig_verify_t *v, ig_str_t text, int *rc)
{
    ig_str_t     rest, piece;
    ig_line_t    line;
    const char  *p;

    for (p = ig_verify_inner(text, 1); p != NULL;
         p = ig_verify_inner(text, (size_t) (p - text.data) + 1))
    {
        piece.data = text.data;
        piece.len = (size_t) (p - text.data);
        rest.data = p;
        rest.len = text.len - piece.len;

        if (ig_line_parse(rest, &line) == IG_LINE_GOOD) {
            ig_verify_broken(v, piece);
            *rc = ig_verify_good(v, &line);
            return true;
        }
    }

    return false;
}


/* A chain has one version: another one within it is no upgrade. */
static void
ig_verify_version(ig_verify_t *v, const ig_line_t *line)
{
    ig_verify_chain_t  *chain;

    chain = ig_verify_chain(v, line->chain);

    if (chain != NULL) {
        ig_verify_tell(v, IG_FINDING_TAMPERED, v->files - 1, v->line, chain,
                       "this line was changed: its chain is of another"
                       " version");

    } else {
        ig_verify_tell(v, IG_FINDING_UNVERIFIABLE, v->files - 1, v->line,
                       NULL, "a line of a version that is not known here");
    }
}


static int
ig_verify_line(ig_verify_t *v, ig_str_t text)
{
    int        rc;
    ig_line_t  line;

    if (text.len == 0) {
        /* what a writer begins with after a write that was cut short */
        return IG_OK;
    }

    switch (ig_line_parse(text, &line)) {

    case IG_LINE_GOOD:
        return ig_verify_good(v, &line);

    case IG_LINE_VERSION:
        ig_verify_version(v, &line);
        return IG_OK;

    case IG_LINE_UNCHAINED:
        ig_verify_foreign(v);
        return IG_OK;

    case IG_LINE_CUT:
    case IG_LINE_NOT_JSON:
        break;
    }

    if (ig_verify_glued(v, text, &rc)) {
        return rc;
    }

    ig_verify_broken(v, text);

    return IG_OK;
}


/* -- bytes --------------------------------------------------------------- */

static void
ig_verify_next_line(ig_verify_t *v)
{
    v->offset += v->pending + 1;
    v->pending = 0;
}


/* A line that came in several feeds, or the last one without a newline. */
static int
ig_verify_carried(ig_verify_t *v)
{
    int  rc;

    v->line++;
    rc = IG_OK;

    if (v->overlong) {
        ig_verify_foreign(v);

    } else {
        rc = ig_verify_line(v, (ig_str_t) { v->carried, v->carry });
    }

    v->carried = 0;
    v->overlong = false;
    v->zeros = false;
    ig_verify_next_line(v);

    return rc;
}


/* The last line of a file, where no newline ends it. */
static int
ig_verify_rest(ig_verify_t *v)
{
    int  rc;

    v->at_end = true;
    rc = v->carried > 0 || v->overlong ? ig_verify_carried(v) : IG_OK;
    v->at_end = false;

    return rc;
}


int
ig_verify_file(ig_verify_t *v)
{
    int  rc;

    rc = ig_verify_rest(v);

    v->files++;
    v->line = 0;
    v->offset = 0;

    return rc;
}


/*
 * Of zeros, which a file system may leave by the megabyte, those that do not
 * fit need not be kept: where anything follows them, the line is not
 * understood anyway.
 */
static void
ig_verify_carry(ig_verify_t *v, const char *data, size_t len)
{
    size_t  room, kept;

    v->pending += len;
    room = sizeof(v->carry) - v->carried;
    kept = ig_verify_without_zeros((ig_str_t) { len, data }).len;

    if (v->overlong || (kept > 0 && (v->zeros || kept > room))) {
        v->overlong = true;
        v->carried = 0;
        return;
    }

    if (len > room) {
        v->zeros = true;
        len = room;
    }

    if (len > 0) {
        memcpy(v->carry + v->carried, data, len);
        v->carried += len;
    }
}


int
ig_verify_feed(ig_verify_t *v, const char *data, size_t len)
{
    int          rc;
    size_t       n;
    const char  *nl;

    while (len > 0) {
        nl = memchr(data, '\n', len);
        n = nl != NULL ? (size_t) (nl - data) : len;

        if (nl == NULL) {
            ig_verify_carry(v, data, n);
            return IG_OK;
        }

        if (v->carried > 0 || v->overlong) {
            ig_verify_carry(v, data, n);
            rc = ig_verify_carried(v);

        } else {
            v->line++;
            v->pending = n;
            rc = ig_verify_line(v, (ig_str_t) { n, data });
            ig_verify_next_line(v);
        }

        if (rc != IG_OK) {
            return rc;
        }

        data += n + 1;
        len -= n + 1;
    }

    return IG_OK;
}


int
ig_verify_finish(ig_verify_t *v, ig_verify_summary_t *summary)
{
    int  rc;

    rc = ig_verify_rest(v);

    if (rc == IG_OK) {
        rc = ig_verify_judge_chains(v);
    }

    if (rc != IG_OK) {
        return rc;
    }

    if (v->seen_all != NULL) {
        v->seen_all(v->seen_ctx);
    }

    summary->result = ig_verify_judge(v);
    summary->files = v->files;
    summary->lines = v->lines;
    summary->chains = v->nchains;
    summary->lost = v->lost;
    summary->torn = v->torn;

    return IG_OK;
}
