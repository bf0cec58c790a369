/*
 * ig_verify_chain.c: follows every chain through the lines of one file after
 * another.
 * Owns: the chains and runs it allocates; borrows the line.
 * Called by ig_verify.c and ig_verify_end.c.
 */

#include <string.h>

#include "ig_verify_int.h"

const uint8_t  ig_verify_zero[IG_SHA256];


/* FNV-1a. */
static unsigned
ig_verify_bucket(ig_str_t id)
{
    size_t    i;
    uint32_t  hash;

    hash = 2166136261u;

    for (i = 0; i < id.len; i++) {
        hash = (hash ^ (uint8_t) id.data[i]) * 16777619u;
    }

    return hash % IG_VERIFY_BUCKETS;
}


ig_verify_chain_t *
ig_verify_chain(ig_verify_t *v, ig_str_t id)
{
    ig_verify_chain_t  *chain;

    chain = v->bucket[ig_verify_bucket(id)];

    while (chain != NULL && !ig_str_eq(chain->id, id)) {
        chain = chain->in_bucket;
    }

    return chain;
}


static ig_verify_chain_t *
ig_verify_add_chain(ig_verify_t *v, const ig_line_t *line)
{
    size_t               n;
    ig_verify_chain_t   *chain, **bucket;

    chain = ig_alloc(v->mem, sizeof(*chain));

    if (chain == NULL || ig_str_dup(v->mem, line->chain, &chain->id) != IG_OK)
    {
        return NULL;
    }

    n = line->time.len < sizeof(chain->time) ? line->time.len
                                             : sizeof(chain->time) - 1;
    if (n > 0) {
        memcpy(chain->time, line->time.data, n);
    }

    bucket = &v->bucket[ig_verify_bucket(chain->id)];
    chain->in_bucket = *bucket;
    *bucket = chain;

    *v->chains_end = chain;
    v->chains_end = &chain->next;
    v->nchains++;

    return chain;
}


static void
ig_verify_set_end(ig_verify_end_t *end, const ig_line_t *line)
{
    end->seq = line->seq;
    memcpy(end->hash, line->hash, IG_SHA256);
    memcpy(end->computed, line->computed, IG_SHA256);
}


/* The first line of a chain in this file. */
static int
ig_verify_add_run(ig_verify_t *v, ig_verify_chain_t *chain,
    const ig_line_t *line)
{
    ig_verify_run_t  *run, **at;

    run = ig_alloc(v->mem, sizeof(*run));

    if (run == NULL) {
        return IG_NOMEM;
    }

    run->file = v->files - 1;
    run->first_line = v->line;
    run->last_line = v->line;
    run->first.seq = line->seq;
    run->first.dropped = line->dropped;
    memcpy(run->first.prev, line->prev, IG_SHA256);
    run->first_kind = line->kind;
    run->last_kind = line->kind;
    ig_verify_set_end(&run->last, line);

    at = &chain->run;

    while (*at != NULL && (*at)->first.seq <= line->seq) {
        at = &(*at)->next;
    }

    run->next = *at;
    *at = run;
    chain->current = run;

    return IG_OK;
}


/* -- what links one line to the next ------------------------------------- */

bool
ig_verify_has_hash(const ig_verify_end_t *end, const uint8_t hash[IG_SHA256])
{
    /* of a changed line, one of the two is what it was */

    return memcmp(end->hash, hash, IG_SHA256) == 0
           || memcmp(end->computed, hash, IG_SHA256) == 0;
}


/*
 * A write that ended just before a newline leaves a whole line which its
 * writer counted as lost: the next one then refers to the line before it.
 */
static bool
ig_verify_skips_last(const ig_verify_end_t *last,
    const ig_verify_end_t *before_last, const ig_verify_link_t *link)
{
    return before_last != NULL && before_last->seq > 0 && link->dropped > 0
           && link->seq > last->seq
           && link->seq - 1 == before_last->seq + link->dropped
           && ig_verify_has_hash(before_last, link->prev);
}


void
ig_verify_lost(ig_verify_t *v, ig_verify_chain_t *chain, unsigned file,
    uint64_t line, uint64_t n)
{
    v->lost += n;

    ig_verify_tell(v, IG_FINDING_GAP, file, line, chain,
                   "%llu line%s before this one could not be written, as it"
                   " says itself", ig_llu(n), n == 1 ? "" : "s");
}


void
ig_verify_join(ig_verify_t *v, ig_verify_chain_t *chain,
    const ig_verify_end_t *last, const ig_verify_end_t *before_last,
    const ig_verify_link_t *link, unsigned file, uint64_t line)
{
    uint64_t            gap;
    unsigned long long  from, to;

    gap = link->seq - last->seq - 1;
    from = last->seq + 1;
    to = link->seq - 1;

    if (link->dropped == gap && ig_verify_has_hash(last, link->prev)) {
        if (gap > 0) {
            ig_verify_lost(v, chain, file, line, gap);
        }

    } else if (ig_verify_skips_last(last, before_last, link)) {
        ig_verify_lost(v, chain, file, line, link->dropped);

    } else if (gap > link->dropped) {
        ig_verify_tell(v, IG_FINDING_TAMPERED, file, line, chain,
                       gap == 1 ? "line %llu of the chain is missing before"
                                  " this one"
                                : "lines %llu to %llu of the chain are missing"
                                  " before this one", from, to);

    } else if (gap < link->dropped) {
        ig_verify_tell(v, IG_FINDING_TAMPERED, file, line, chain,
                       "this line says that %llu before it were lost, but"
                       " %llu are missing",
                       (unsigned long long) link->dropped,
                       (unsigned long long) gap);

    } else {
        ig_verify_tell(v, IG_FINDING_TAMPERED, file, line, chain,
                       "the line before this one in its chain was replaced:"
                       " this one was written after another");
    }
}


/* -- one line ------------------------------------------------------------ */

/* What chain_open says about a chain that this file was just following. */
static void
ig_verify_before(ig_verify_t *v, ig_verify_chain_t *chain,
    const ig_line_t *line)
{
    ig_verify_chain_t  *before;

    before = ig_verify_chain(v, chain->before.chain);

    if (before == NULL || before->current == NULL
        || before->current->file != v->files - 1
        || before->current->last.seq != line->before.written)
    {
        return;
    }

    chain->before_checked = true;

    if (!ig_verify_has_hash(&before->current->last, line->before.last)) {
        ig_verify_tell(v, IG_FINDING_TAMPERED, v->files - 1, v->line, before,
                       "line %llu of this chain was replaced: its successor"
                       " gives another hash for it",
                       ig_llu(line->before.written));
    }
}


/* Nobody but a writer sees this: afterwards the file looks like any other. */
static void
ig_verify_truncated(ig_verify_t *v, ig_verify_chain_t *chain, uint64_t bytes)
{
    chain->current->truncated = v->line;

    ig_verify_tell(v, IG_FINDING_NOTE, v->files - 1, v->line, chain,
                   "somebody cut %llu bytes off this file while it was"
                   " written, as logrotate's copytruncate does",
                   ig_llu(bytes));
}


/* Lines that say something about the chain itself. */
static int
ig_verify_own_line(ig_verify_t *v, ig_verify_chain_t *chain,
    const ig_line_t *line)
{
    if (line->kind == IG_LINE_CLOSE) {
        chain->closed = true;
        chain->close_issued = line->issued;
        chain->close_lost = line->lost;
    }

    if (line->kind == IG_LINE_TRUNCATED) {
        ig_verify_truncated(v, chain, line->truncated);
    }

    if (line->kind != IG_LINE_OPEN) {
        return IG_OK;
    }

    if (memcmp(line->prev, ig_verify_zero, IG_SHA256) != 0) {
        ig_verify_tell(v, IG_FINDING_TAMPERED, v->files - 1, v->line, chain,
                       "a chain_open in the middle of its chain");
        return IG_OK;
    }

    chain->before = line->before;
    chain->open_line = v->line;
    chain->open_file = v->files - 1;

    if (line->before.chain.len == 0) {
        return IG_OK;
    }

    ig_verify_before(v, chain, line);

    return ig_str_dup(v->mem, line->before.chain, &chain->before.chain);
}


/* True where the line continues its run (or is not to be followed). */
static bool
ig_verify_step(ig_verify_t *v, ig_verify_chain_t *chain, const ig_line_t *line,
    bool intact)
{
    ig_verify_run_t   *run;
    ig_verify_link_t   link;

    run = chain->current;

    if (line->seq <= run->last.seq) {
        ig_verify_tell(v, IG_FINDING_TAMPERED, v->files - 1, v->line, chain,
                       "line %llu of the chain after line %llu: it was"
                       " repeated or moved", (unsigned long long) line->seq,
                       (unsigned long long) run->last.seq);
        return false;
    }

    if (!intact && line->seq != run->last.seq + 1 + line->dropped) {
        /* do not believe the number of a changed line */
        return false;
    }

    if (run->last_kind == IG_LINE_CLOSE) {
        ig_verify_tell(v, IG_FINDING_TAMPERED, v->files - 1, v->line, chain,
                       "a line after the chain was closed");
    }

    link.seq = line->seq;
    link.dropped = line->dropped;
    memcpy(link.prev, line->prev, IG_SHA256);

    if (intact) {
        ig_verify_join(v, chain, &run->last, &run->before_last, &link,
                       v->files - 1, v->line);
    }

    run->before_last = run->last;
    ig_verify_set_end(&run->last, line);
    run->last_kind = line->kind;
    run->last_line = v->line;

    return true;
}


/* Has whoever looks on see the line. */
static void
ig_verify_show(ig_verify_t *v, const ig_line_t *line, bool intact)
{
    ig_verify_seen_t  seen;

    if (v->seen == NULL) {
        return;
    }

    seen.file = v->files - 1;
    seen.line = v->line;
    seen.offset = v->offset;
    seen.time = line->time;
    seen.chain = line->chain;
    seen.seq = line->seq;
    seen.dropped = line->dropped;
    seen.prev = line->prev;
    seen.hash = line->computed;
    seen.intact = intact;
    seen.last = line->kind == IG_LINE_SEGMENT_END
                || line->kind == IG_LINE_CLOSE;

    v->seen(v->seen_ctx, &seen);
}


int
ig_verify_good(ig_verify_t *v, const ig_line_t *line)
{
    bool                intact;
    ig_verify_chain_t  *chain;

    intact = memcmp(line->hash, line->computed, IG_SHA256) == 0;
    chain = ig_verify_chain(v, line->chain);

    if (!intact) {
        ig_verify_tell(v, IG_FINDING_TAMPERED, v->files - 1, v->line, chain,
                       "this line was changed: its hash is not that of its"
                       " text");
    }

    v->lines++;
    ig_verify_show(v, line, intact);

    if (chain == NULL) {
        if (!intact && v->nchains > 0) {
            /* more likely a changed id than another chain */
            return IG_OK;
        }

        chain = ig_verify_add_chain(v, line);

        if (chain == NULL) {
            return IG_NOMEM;
        }

        chain->bad = !intact;
    }

    chain->lines++;

    if (chain->current == NULL || chain->current->file != v->files - 1) {
        if (ig_verify_add_run(v, chain, line) != IG_OK) {
            return IG_NOMEM;
        }

    } else if (!ig_verify_step(v, chain, line, intact)) {
        return IG_OK;
    }

    chain->dropped += line->dropped;

    return ig_verify_own_line(v, chain, line);
}
