/*
 * ig_ctl_seal_chain.c: the chains of the logs that are followed: how far each
 * was read, and whether what comes next fits.
 * Owns: the chains.  Called for every line by way of the verifier.
 */

#include <string.h>

#include "ig_ctl_seal.h"

#define ig_llu(n)  (unsigned long long) (n)


/* FNV-1a. */
static unsigned
ig_sealer_bucket(ig_str_t id)
{
    size_t    i;
    uint32_t  hash;

    hash = 2166136261u;

    for (i = 0; i < id.len; i++) {
        hash = (hash ^ (uint8_t) id.data[i]) * 16777619u;
    }

    return hash % IG_SEALER_BUCKETS;
}


ig_sealer_chain_t *
ig_sealer_chain(ig_sealer_t *s, ig_str_t id, bool create)
{
    ig_sealer_chain_t  *chain, **bucket;

    bucket = &s->bucket[ig_sealer_bucket(id)];

    for (chain = *bucket; chain != NULL; chain = chain->in_bucket) {
        if (ig_str_eq(chain->id, id)) {
            return chain;
        }
    }

    chain = create ? ig_alloc(&s->memory.mem, sizeof(*chain)) : NULL;

    if (chain == NULL
        || ig_str_dup(&s->memory.mem, id, &chain->id) != IG_OK)
    {
        return NULL;
    }

    chain->in_bucket = *bucket;
    *bucket = chain;
    chain->next = s->chain;
    s->chain = chain;

    return chain;
}


/* -- lines --------------------------------------------------------------- */

/* A line that was sealed before, and is read again after a restart. */
static void
ig_sealer_again(ig_sealer_log_t *log, ig_sealer_chain_t *chain,
    const ig_verify_seen_t *line)
{
    if (line->seq != chain->seq) {
        return;
    }

    if (memcmp(line->hash, chain->hash, IG_SHA256) == 0) {
        chain->generation = log->generation;

    } else {
        ig_sealer_refuse(log, "line %llu of chain %.*s is not the one that was"
                         " sealed: a sealed past was exchanged",
                         ig_llu(line->seq), ig_fmt(chain->id));
    }
}


/*
 * The first line that this verifier sees of a chain whose lines before it
 * only an earlier one, or an earlier process, has seen.
 */
static void
ig_sealer_link(ig_sealer_log_t *log, ig_sealer_chain_t *chain,
    const ig_verify_seen_t *line)
{
    uint64_t  next;

    next = chain->seq + 1 + line->dropped;

    if ((line->seq == next
         && memcmp(line->prev, chain->hash, IG_SHA256) == 0)
        || (line->dropped > 0 && line->seq == next - 1))
    {
        /* the second: its writer takes the line before for a torn one */
        return;
    }

    if (line->seq > next) {
        ig_sealer_find(log->sealer, log, false, "lines %llu to %llu of chain"
                       " %.*s were gone before they could be sealed",
                       ig_llu(chain->seq + 1),
                       ig_llu(line->seq - line->dropped - 1),
                       ig_fmt(chain->id));

    } else {
        ig_sealer_find(log->sealer, log, true, "line %llu of chain %.*s does"
                       " not follow line %llu that was sealed",
                       ig_llu(line->seq), ig_fmt(chain->id),
                       ig_llu(chain->seq));
    }
}


static void
ig_sealer_began(ig_sealer_log_t *log, ig_str_t time)
{
    char  text[IG_CHECKPOINT_TIME + 1];

    if (time.len == IG_CHECKPOINT_TIME) {
        memcpy(text, time.data, time.len);
        text[time.len] = '\0';
        ig_sealer_latest(log, text);
    }
}


static void
ig_sealer_seen(void *ctx, const ig_verify_seen_t *line)
{
    ig_sealer_t          *s;
    ig_sealer_log_t      *log = ctx;
    ig_sealer_chain_t    *chain;
    ig_sealer_segment_t  *segment;

    static const uint8_t  none[IG_SHA256];

    s = log->sealer;
    segment = log->feeding;

    if (memcmp(segment->first, none, IG_SHA256) == 0) {
        memcpy(segment->first, line->hash, IG_SHA256);
        ig_sealer_began(log, line->time);
    }

    /* of a changed line, the verifier has told */
    chain = line->intact ? ig_sealer_chain(s, line->chain, true) : NULL;

    if (chain == NULL) {
        return;
    }

    if (line->seq <= chain->seq) {
        ig_sealer_again(log, chain, line);
        return;
    }

    if (segment->bytes < segment->sealed) {
        ig_sealer_refuse(log, "line %llu of chain %.*s stands where others"
                         " were sealed: it was put there later, or lines"
                         " before it were removed", ig_llu(line->seq),
                         ig_fmt(chain->id));
        return;
    }

    if (chain->seq > 0 && chain->generation != log->generation) {
        ig_sealer_link(log, chain, line);
    }

    s->changed += !chain->changed;
    s->pending++;
    s->lines++;

    chain->log = log->index;
    chain->segment = segment->number;
    chain->seq = line->seq;
    chain->lost += line->dropped;
    chain->generation = log->generation;
    chain->ended = line->last;
    chain->changed = true;
    memcpy(chain->hash, line->hash, IG_SHA256);
}


/* What the verifier finds; of lines sealed before, only what is new. */
static void
ig_sealer_finding(void *ctx, const ig_finding_t *f)
{
    char                  text[IG_SEALER_TEXT / 2];
    ig_buf_t              b;
    ig_sealer_log_t      *log = ctx;
    ig_sealer_segment_t  *segment = log->feeding;

    if (f->kind != IG_FINDING_TAMPERED && f->kind != IG_FINDING_UNVERIFIABLE) {
        return;
    }

    ig_buf_init(&b, text, sizeof(text) - 1);
    ig_buf_lit(&b, "segment ");
    ig_buf_u64(&b, segment->number);
    ig_buf_lit(&b, ", line ");
    ig_buf_u64(&b, segment->lines + f->line - log->fed);
    ig_buf_lit(&b, ": ");
    ig_buf_str_add(&b, f->text);

    if (f->chain.len > 0) {
        ig_buf_lit(&b, " (");
        ig_buf_str_add(&b, f->chain);
        ig_buf_char(&b, ')');
    }

    text[ig_buf_str(&b).len] = '\0';

    if (segment->bytes >= segment->sealed) {
        ig_sealer_find(log->sealer, log, true, "%s", text);

    } else if (!ig_sealer_knows(log->sealer, text)) {
        ig_sealer_refuse(log, "%s", text);
    }
}


/* -- feeding ------------------------------------------------------------- */

int
ig_sealer_verifier(ig_sealer_log_t *log)
{
    ig_ctl_memory_free(&log->memory);
    ig_ctl_memory_init(&log->memory);

    log->v = ig_verify_create(&log->memory.mem, ig_sealer_finding, log);
    log->generation++;
    log->foreign = 0;
    log->fed = 0;

    if (log->v == NULL || ig_verify_file(log->v) != IG_OK) {
        return ig_ctl_error("no memory");
    }

    ig_verify_watch(log->v, ig_sealer_seen, log);

    return IG_CTL_OK;
}


static uint64_t
ig_sealer_count(const char *data, size_t len)
{
    uint64_t     n;
    const char  *p, *end;

    end = data + len;

    for (n = 0, p = data; p < end; n++) {
        p = memchr(p, '\n', (size_t) (end - p));

        if (p == NULL) {
            break;
        }

        p++;
    }

    return n;
}


int
ig_sealer_feed(ig_sealer_log_t *log, ig_sealer_segment_t *segment,
    const char *data, size_t len)
{
    int       rc;
    uint64_t  n, foreign;

    log->feeding = segment;
    rc = ig_verify_feed(log->v, data, len);
    n = ig_sealer_count(data, len);
    foreign = ig_verify_foreign_lines(log->v);

    if (foreign > log->foreign && segment->bytes >= segment->sealed) {
        ig_sealer_find(log->sealer, log, true, "segment %llu: %llu line%s of"
                       " no chain within lines %llu to %llu",
                       ig_llu(segment->number), ig_llu(foreign - log->foreign),
                       foreign - log->foreign == 1 ? "" : "s",
                       ig_llu(segment->lines + 1), ig_llu(segment->lines + n));
    }

    log->foreign = foreign;
    log->fed += n;
    segment->lines += n;
    segment->bytes += len;
    segment->changed = true;

    return rc == IG_OK ? IG_CTL_OK : ig_ctl_error("no memory");
}


void
ig_sealer_confirm(ig_sealer_log_t *log, ig_sealer_segment_t *segment)
{
    ig_sealer_chain_t  *chain;

    for (chain = log->sealer->chain; chain != NULL; chain = chain->next) {
        if (chain->log == log->index && chain->segment == segment->number
            && chain->generation != log->generation)
        {
            ig_sealer_refuse(log, "line %llu of chain %.*s, which was sealed,"
                             " is not in the file: it was cut short or"
                             " exchanged", ig_llu(chain->seq),
                             ig_fmt(chain->id));
            return;
        }
    }
}
