/*
 * ig_verify_seal_take.c: takes checkpoints in: what they say of segments and
 * of chains.
 * Owns: the entries; borrows the line.  Called by ig_verify_seal.c.
 */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ig_verify_seal_int.h"


void
ig_seal_tell(ig_verify_seal_t *s, ig_finding_kind_e kind, uint64_t line,
    const char *fmt, ...)
{
    char     text[512];
    va_list  args;

    va_start(args, fmt);
    (void) vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);

    ig_verify_tell(s->v, kind, IG_FINDING_CHECKPOINTS, line, NULL, "%s", text);
}


void
ig_seal_tell_line(ig_verify_seal_t *s, ig_finding_kind_e kind, unsigned file,
    uint64_t line, const ig_seal_chain_t *chain, const char *fmt, ...)
{
    char               text[512];
    va_list            args;
    ig_verify_chain_t  other;

    va_start(args, fmt);
    (void) vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);

    /* the verifier need not know the chain */
    memset(&other, 0, sizeof(other));
    other.id = chain != NULL ? chain->id : ig_str("");

    ig_verify_tell(s->v, kind, file, line, &other, "%s", text);
}


/* -- chains -------------------------------------------------------------- */

/* FNV-1a. */
static unsigned
ig_seal_bucket(ig_str_t id)
{
    size_t    i;
    uint32_t  hash;

    hash = 2166136261u;

    for (i = 0; i < id.len; i++) {
        hash = (hash ^ (uint8_t) id.data[i]) * 16777619u;
    }

    return hash % IG_SEAL_BUCKETS;
}


ig_seal_chain_t *
ig_seal_chain(ig_verify_seal_t *s, ig_str_t id)
{
    ig_seal_chain_t  *chain;

    chain = s->bucket[ig_seal_bucket(id)];

    while (chain != NULL && !ig_str_eq(chain->id, id)) {
        chain = chain->in_bucket;
    }

    return chain;
}


ig_seal_chain_t *
ig_seal_add_chain(ig_verify_seal_t *s, ig_str_t id)
{
    ig_seal_chain_t  *chain, **bucket;

    chain = ig_alloc(s->mem, sizeof(*chain));

    if (chain == NULL || ig_str_dup(s->mem, id, &chain->id) != IG_OK) {
        s->rc = IG_NOMEM;
        return NULL;
    }

    chain->end = &chain->entry;
    chain->cursor = &chain->entry;

    bucket = &s->bucket[ig_seal_bucket(id)];
    chain->in_bucket = *bucket;
    *bucket = chain;

    *s->chain_end = chain;
    s->chain_end = &chain->next;

    return chain;
}


static ig_seal_entry_t *
ig_seal_entry(ig_verify_seal_t *s)
{
    ig_seal_entry_t  *entry;

    entry = s->free;

    if (entry != NULL) {
        s->free = entry->next;

    } else {
        entry = ig_alloc(s->mem, sizeof(*entry));
    }

    return entry;
}


/* What a checkpoint says of a chain. */
static void
ig_seal_take_chain(ig_verify_seal_t *s, ig_seal_segment_t *segment,
    const ig_checkpoint_chain_t *c, uint64_t number)
{
    ig_seal_chain_t  *chain;
    ig_seal_entry_t  *entry;

    chain = ig_seal_chain(s, c->id);

    if (chain == NULL) {
        chain = ig_seal_add_chain(s, c->id);
    }

    entry = chain != NULL ? ig_seal_entry(s) : NULL;

    if (entry == NULL) {
        s->rc = IG_NOMEM;
        return;
    }

    if (c->seq <= chain->sealed) {
        ig_seal_tell(s, IG_FINDING_TAMPERED, s->line, "checkpoint %llu seals"
                     " line %llu of chain %.*s, which is behind line %llu that"
                     " was sealed before: a sealed past was exchanged",
                     (unsigned long long) number, (unsigned long long) c->seq,
                     ig_fmt(c->id), (unsigned long long) chain->sealed);
        entry->next = s->free;
        s->free = entry;
        return;
    }

    entry->next = NULL;
    entry->seq = c->seq;
    entry->checkpoint = number;
    entry->segment = segment;
    memcpy(entry->hash, c->hash, IG_SHA256);

    *chain->end = entry;
    chain->end = &entry->next;
    chain->sealed = c->seq;
    chain->checkpoint = number;
    chain->segment = segment;
    segment->entries++;
}


/* -- segments ------------------------------------------------------------ */

static ig_seal_log_t *
ig_seal_log(ig_verify_seal_t *s, ig_str_t file)
{
    ig_seal_log_t  *log, **at;

    for (at = &s->log; *at != NULL; at = &(*at)->next) {
        if (ig_str_eq((*at)->file, file)) {
            return *at;
        }
    }

    log = ig_alloc(s->mem, sizeof(*log));

    if (log == NULL || ig_str_dup(s->mem, file, &log->file) != IG_OK) {
        s->rc = IG_NOMEM;
        return NULL;
    }

    *at = log;

    return log;
}


/* The log's segment of that number; NULL: no memory. */
static ig_seal_segment_t *
ig_seal_segment(ig_verify_seal_t *s, ig_seal_log_t *log, uint64_t number)
{
    ig_seal_segment_t  *segment, **at;

    at = &log->newest;

    while (*at != NULL && (*at)->number > number) {
        at = &(*at)->older;
    }

    if (*at != NULL && (*at)->number == number) {
        return *at;
    }

    segment = ig_alloc(s->mem, sizeof(*segment));

    if (segment == NULL) {
        s->rc = IG_NOMEM;
        return NULL;
    }

    segment->log = log;
    segment->number = number;
    segment->older = *at;
    *at = segment;

    return segment;
}


static void
ig_seal_take_log(ig_verify_seal_t *s, const ig_checkpoint_log_t *l,
    uint64_t number)
{
    ig_seal_log_t          *log;
    ig_seal_segment_t      *segment;
    ig_checkpoint_chain_t   chain;
    ig_checkpoint_items_t   items;

    log = ig_seal_log(s, l->file);
    segment = log != NULL ? ig_seal_segment(s, log, l->segment) : NULL;

    if (segment == NULL) {
        return;
    }

    if (l->bytes < segment->bytes) {
        ig_seal_tell(s, IG_FINDING_TAMPERED, s->line, "checkpoint %llu has"
                     " fewer bytes of segment %llu of %.*s than one before it",
                     (unsigned long long) number,
                     (unsigned long long) l->segment, ig_fmt(l->file));
    }

    segment->bytes = l->bytes;
    segment->checkpoint = number;
    ig_checkpoint_items(&items, l->chains);

    while (s->rc == IG_OK && ig_checkpoint_next_chain(&items, &chain)) {
        ig_seal_take_chain(s, segment, &chain, number);
    }
}


static void
ig_seal_take(ig_verify_seal_t *s, const ig_checkpoint_t *c)
{
    ig_checkpoint_log_t    log;
    ig_checkpoint_items_t  items;

    if (c->kind == IG_CHECKPOINT_FINDING) {
        ig_seal_tell(s, ig_str_eq(c->level, ig_str("note"))
                        ? IG_FINDING_NOTE : IG_FINDING_TAMPERED, s->line,
                     "the sealing process found: %.*s%s%.*s", ig_fmt(c->file),
                     c->file.len > 0 ? ": " : "", ig_fmt(c->text));
    }

    if (c->kind != IG_CHECKPOINT_SEAL) {
        return;
    }

    ig_checkpoint_items(&items, c->log);

    while (s->rc == IG_OK && ig_checkpoint_next_log(&items, &log)) {
        ig_seal_take_log(s, &log, c->number);
    }
}


void
ig_seal_pull(ig_verify_seal_t *s)
{
    int              rc;
    ig_str_t         line;
    ig_checkpoint_t  c;

    rc = s->rc == IG_OK ? s->source(s->ctx, &line) : IG_ERROR;

    if (rc != IG_OK) {
        s->ended = true;
        s->rc = rc == IG_ERROR && s->rc == IG_OK ? IG_ERROR : s->rc;
        return;
    }

    s->line++;

    if (line.len > 0 && ig_checkpoint_read(&s->reader, line, &c) == IG_OK) {
        ig_seal_take(s, &c);
    }
}
