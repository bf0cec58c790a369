/*
 * ig_verify_seal.c: meets lines of audit files with the checkpoints that
 * sealed them.
 * Owns: what ig_verify_seal_create and what follows allocate.
 * Called by the verifier for every line, and by integrityctl.
 */

#include <string.h>

#include "ig_verify_seal_int.h"

#define ig_llu(n)  (unsigned long long) (n)


/* The present file, or the one of this index if it comes again. */
static ig_seal_file_t *
ig_seal_file(ig_verify_seal_t *s, const ig_verify_seen_t *line)
{
    ig_seal_file_t  *file;

    if (s->file != NULL && s->file->index == line->file) {
        return s->file;
    }

    file = ig_alloc(s->mem, sizeof(*file));

    if (file == NULL) {
        s->rc = IG_NOMEM;
        return NULL;
    }

    file->index = line->file;
    file->line = line->line;
    file->next = s->file;
    s->file = file;

    if (line->time.len == IG_CHECKPOINT_TIME) {
        memcpy(file->time, line->time.data, IG_CHECKPOINT_TIME);
    }

    return file;
}


/* Where an entry of this seq is, or would be. */
static ig_seal_entry_t **
ig_seal_find(ig_seal_chain_t *chain, uint64_t seq)
{
    ig_seal_entry_t  **at;

    /* lines come in order, but files need not */
    at = seq >= chain->cursor_seq ? chain->cursor : &chain->entry;

    while (*at != NULL && (*at)->seq < seq) {
        at = &(*at)->next;
    }

    chain->cursor = at;
    chain->cursor_seq = seq;

    return at;
}


/* A line was sealed, and here it is, or at least its number. */
static void
ig_seal_meet(ig_verify_seal_t *s, ig_seal_chain_t *chain,
    ig_seal_file_t *file, const ig_seal_entry_t *entry,
    const ig_verify_seen_t *line)
{
    bool  same;

    same = memcmp(entry->hash, line->hash, IG_SHA256) == 0;

    if (!same && line->intact && !chain->bad) {
        chain->bad = true;
        ig_seal_tell_line(s, IG_FINDING_TAMPERED, line->file, line->line,
                          chain, "line %llu is not the one that checkpoint"
                          " %llu sealed: from line %llu on something was"
                          " changed, and the hashes were computed anew",
                          ig_llu(entry->seq), ig_llu(entry->checkpoint),
                          ig_llu(chain->met + 1));
    }

    if (same && entry->seq > chain->met) {
        chain->met = entry->seq;
    }

    entry->segment->given = true;

    if (file->segment == NULL) {
        file->segment = entry->segment;
    }

    file->mixed |= !same || file->segment != entry->segment;
}


static void
ig_seal_unsealed(ig_verify_seal_t *s, ig_seal_chain_t *chain,
    ig_seal_file_t *file, const ig_verify_seen_t *line)
{
    if (chain->unsealed++ == 0) {
        chain->unsealed_file = file;
        chain->unsealed_line = line->line;
        chain->unsealed_offset = line->offset;
    }

    s->unsealed++;

    if (line->time.len != IG_CHECKPOINT_TIME) {
        return;
    }

    if (s->from[0] == '\0'
        || memcmp(line->time.data, s->from, IG_CHECKPOINT_TIME) < 0)
    {
        memcpy(s->from, line->time.data, IG_CHECKPOINT_TIME);
    }

    if (memcmp(line->time.data, s->to, IG_CHECKPOINT_TIME) > 0) {
        memcpy(s->to, line->time.data, IG_CHECKPOINT_TIME);
    }
}


/* The line's chain, with its checkpoints read as far as the line needs. */
static ig_seal_chain_t *
ig_seal_reach(ig_verify_seal_t *s, const ig_verify_seen_t *line)
{
    ig_seal_chain_t  *chain;

    chain = ig_seal_chain(s, line->chain);

    while ((chain == NULL || chain->sealed < line->seq) && !s->ended) {
        ig_seal_pull(s);

        if (chain == NULL) {
            chain = ig_seal_chain(s, line->chain);
        }
    }

    return chain != NULL ? chain : ig_seal_add_chain(s, line->chain);
}


static void
ig_seal_line(void *ctx, const ig_verify_seen_t *line)
{
    ig_seal_file_t     *file;
    ig_seal_chain_t    *chain;
    ig_seal_entry_t    *entry, **at;
    ig_verify_seal_t   *s = ctx;

    file = ig_seal_file(s, line);
    chain = ig_seal_reach(s, line);

    if (file == NULL || chain == NULL
        || (!line->intact && line->seq > chain->sealed))
    {
        /* of a changed line, neither chain nor number is to be believed */
        return;
    }

    if (line->seq > chain->seen) {
        chain->seen = line->seq;
        chain->seen_file = line->file;
        chain->seen_line = line->line;
    }

    if (line->seq > chain->sealed) {
        ig_seal_unsealed(s, chain, file, line);
        return;
    }

    file->spoken = true;
    at = ig_seal_find(chain, line->seq);

    if (*at != NULL && (*at)->seq == line->seq) {
        entry = *at;
        ig_seal_meet(s, chain, file, entry, line);

        *at = entry->next;

        if (*at == NULL) {
            chain->end = at;
        }

        entry->next = s->free;
        s->free = entry;
    }
}


static void
ig_seal_ended(void *ctx)
{
    ig_verify_seal_t  *s = ctx;

    while (!s->ended) {
        ig_seal_pull(s);
    }

    if (s->rc == IG_OK) {
        ig_seal_judge(s);
    }
}


static void
ig_seal_reader_tell(void *ctx, bool tampered, const char *text)
{
    ig_verify_seal_t  *s = ctx;

    ig_seal_tell(s, tampered ? IG_FINDING_TAMPERED : IG_FINDING_NOTE, s->line,
                 "%s", text);
}


ig_verify_seal_t *
ig_verify_seal_create(ig_mem_t *mem, ig_verify_t *v,
    const ig_verify_seal_options_t *options)
{
    ig_verify_seal_t  *s;

    s = ig_alloc(mem, sizeof(*s));

    if (s == NULL) {
        return NULL;
    }

    s->mem = mem;
    s->v = v;
    s->late = options->late;
    s->since = options->since;
    s->source = options->source;
    s->ctx = options->ctx;
    s->chain_end = &s->chain;

    ig_checkpoint_reader(&s->reader, ig_seal_reader_tell, s);
    s->reader.ngiven = options->nkeys;
    memcpy(s->reader.given, options->key,
           options->nkeys * sizeof(*options->key));

    ig_verify_watch(v, ig_seal_line, s);
    v->seen_all = ig_seal_ended;

    return s;
}


int
ig_verify_seal_summary(const ig_verify_seal_t *s,
    ig_verify_seal_summary_t *summary)
{
    summary->checkpoints = s->reader.good;
    summary->number = s->reader.state.number;
    memcpy(summary->time, s->reader.time, sizeof(summary->time));
    memcpy(summary->origin, s->reader.origin, sizeof(summary->origin));
    summary->unsealed = s->unsealed;
    memcpy(summary->from, s->from, sizeof(summary->from));
    memcpy(summary->to, s->to, sizeof(summary->to));

    return s->rc;
}
