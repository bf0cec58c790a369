/*
 * ig_ctl_health.c: counts what a log can vouch for.
 * Owns: chains and tables.  Called by dossier and report.
 */

#define _GNU_SOURCE             /* memmem */

#include <stdlib.h>
#include <string.h>

#include "ig_ctl_health.h"

#define IG_HEALTH_BODIES  64
#define IG_HEALTH_MARK    ",\"chain\":\""

/* What the end of a line says. */
typedef struct {
    ig_str_t  chain;
    uint64_t  seq;
    uint64_t  dropped;
} ig_health_tail_t;


void
ig_health_init(ig_health_t *h)
{
    memset(h, 0, sizeof(ig_health_t));
}


void
ig_health_free(ig_health_t *h)
{
    ig_health_chain_t  *chain, *next;

    for (chain = h->chain; chain; chain = next) {
        next = chain->next;
        free(chain->range);
        free(chain);
    }

    ig_health_init(h);
}


/* -- the chain's part ---------------------------------------------------- */


/* "name":NUMBER at *s, which is moved behind it; false: something else. */
static bool
ig_tail_number(ig_str_t *s, const char *name, uint64_t *n)
{
    size_t  len, digits;

    len = strlen(name);

    if (s->len <= len || memcmp(s->data, name, len) != 0) {
        return false;
    }

    *n = 0;

    for (digits = 0; len + digits < s->len && digits < 19
         && s->data[len + digits] >= '0' && s->data[len + digits] <= '9';
         digits++)
    {
        *n = *n * 10 + (uint64_t) (s->data[len + digits] - '0');
    }

    s->data += len + digits;
    s->len -= len + digits;

    return digits > 0;
}


/* The last such mark: a field may have the name "chain" too. */
static bool
ig_health_tail(ig_str_t raw, ig_health_tail_t *tail)
{
    ig_str_t     rest;
    const char  *at, *next, *end;

    end = raw.data + raw.len;
    at = raw.len > IG_CHAIN_PART ? end - IG_CHAIN_PART : raw.data;
    at = memmem(at, (size_t) (end - at), IG_HEALTH_MARK,
                sizeof(IG_HEALTH_MARK) - 1);

    for (next = at; next; ) {
        at = next + sizeof(IG_HEALTH_MARK) - 1;
        next = memmem(at, (size_t) (end - at), IG_HEALTH_MARK,
                      sizeof(IG_HEALTH_MARK) - 1);
    }

    rest.data = at ? memchr(at, '"', (size_t) (end - at)) : NULL;

    if (rest.data == NULL) {
        return false;
    }

    rest.len = (size_t) (end - rest.data);

    tail->chain = (ig_str_t) { (size_t) (rest.data - at), at };
    tail->dropped = 0;

    if (!ig_tail_number(&rest, "\",\"seq\":", &tail->seq)) {
        return false;
    }

    (void) ig_tail_number(&rest, ",\"dropped\":", &tail->dropped);

    return tail->seq > 0 && tail->chain.len < IG_CHAIN_ID;
}


/*
 * Found ones move to the front: a few workers write at a time, however many
 * there were.  NULL: no memory, or there are too many (counted).
 */
static ig_health_chain_t *
ig_health_chain(ig_health_t *h, ig_str_t id, int *rc)
{
    ig_health_chain_t  *chain, **link;

    for (link = &h->chain; *link; link = &(*link)->next) {
        chain = *link;

        if (chain->len == id.len && memcmp(chain->id, id.data, id.len) == 0) {
            *link = chain->next;
            chain->next = h->chain;
            h->chain = chain;
            return chain;
        }
    }

    if (h->nchains == IG_HEALTH_CHAINS) {
        h->unkept++;
        return NULL;
    }

    chain = calloc(1, sizeof(ig_health_chain_t));

    if (chain != NULL) {
        chain->range = malloc((IG_HEALTH_RANGES + 1)
                              * sizeof(ig_health_range_t));
    }

    if (chain == NULL || chain->range == NULL) {
        free(chain);
        *rc = IG_NOMEM;
        return NULL;
    }

    memcpy(chain->id, id.data, id.len);
    chain->len = id.len;
    chain->next = h->chain;
    h->chain = chain;
    h->nchains++;

    return chain;
}


/* Ranges i and i + 1, where they touch or overlap, become one. */
static void
ig_health_join(ig_health_chain_t *chain, unsigned i)
{
    ig_health_range_t  *r;

    r = &chain->range[i];

    while (i + 1 < chain->nranges && r[0].to + 1 >= r[1].from) {
        r[0].to = r[1].to > r[0].to ? r[1].to : r[0].to;
        chain->nranges--;
        memmove(r + 1, r + 2,
                (chain->nranges - i - 1) * sizeof(ig_health_range_t));
    }
}


/*
 * Numbers that are accounted for.  Lines come in the order of time, which is
 * nearly that of numbers: most belong to the end of the last range.
 */
static void
ig_health_cover(ig_health_chain_t *chain, uint64_t from, uint64_t to)
{
    unsigned            i;
    ig_health_range_t  *r;

    /* the first range from the end on that begins before */

    for (i = chain->nranges; i > 0 && chain->range[i - 1].from > from; i--) {
        /* void */
    }

    r = &chain->range[i];
    memmove(r + 1, r, (chain->nranges - i) * sizeof(ig_health_range_t));
    *r = (ig_health_range_t) { from, to };
    chain->nranges++;

    ig_health_join(chain, i);

    if (i > 0) {
        ig_health_join(chain, i - 1);
    }

    if (chain->nranges > IG_HEALTH_RANGES) {
        r = chain->range;
        chain->gone += r[1].from - r[0].to - 1;
        r[1].from = r[0].from;
        chain->nranges--;
        memmove(r, r + 1, chain->nranges * sizeof(ig_health_range_t));
    }
}


static bool
ig_health_covered(const ig_health_chain_t *chain, uint64_t seq)
{
    unsigned  i;

    for (i = chain->nranges; i > 0; i--) {
        if (seq > chain->range[i - 1].to) {
            return false;
        }

        if (seq >= chain->range[i - 1].from) {
            return true;
        }
    }

    return false;
}


static void
ig_health_number(ig_health_chain_t *chain, const ig_health_tail_t *tail)
{
    uint64_t  dropped;

    chain->lines++;

    if (ig_health_covered(chain, tail->seq)) {
        chain->repeated++;
        return;
    }

    dropped = tail->dropped < tail->seq ? tail->dropped : tail->seq - 1;

    chain->dropped += dropped;
    ig_health_cover(chain, tail->seq - dropped, tail->seq);

    if (chain->first == 0 || tail->seq < chain->first) {
        chain->first = tail->seq;
    }

    if (tail->seq > chain->last) {
        chain->last = tail->seq;
    }
}


int
ig_health_line(ig_health_t *h, const ig_audit_entry_t *entry, bool inside)
{
    int                 rc;
    ig_health_tail_t    tail;
    ig_health_chain_t  *chain;

    if (h->lines++ == 0 || entry->time < h->first) {
        h->first = entry->time;
    }

    if (entry->time > h->last) {
        h->last = entry->time;
    }

    h->kind[entry->kind] += inside;

    if (!ig_health_tail(entry->raw, &tail)) {
        h->unchained++;
        return IG_OK;
    }

    if (inside && tail.dropped > 0) {
        h->lost += tail.dropped;
        h->lost_lines++;
    }

    rc = IG_OK;
    chain = ig_health_chain(h, tail.chain, &rc);

    if (chain) {
        ig_health_number(chain, &tail);
        chain->closed |= (entry->kind == IG_AUDIT_CHAIN_CLOSE);
    }

    return rc;
}


uint64_t
ig_health_missing(const ig_health_chain_t *chain)
{
    unsigned  i;
    uint64_t  n;

    n = chain->gone;

    for (i = 1; i < chain->nranges; i++) {
        n += chain->range[i].from - chain->range[i - 1].to - 1;
    }

    return n;
}


/* -- evaluation ---------------------------------------------------------- */


int
ig_quality_init(ig_quality_t *q)
{
    memset(q, 0, sizeof(ig_quality_t));

    return ig_top_init(&q->body, IG_HEALTH_BODIES);
}


void
ig_quality_free(ig_quality_t *q)
{
    ig_top_free(&q->body);
}


static ig_quality_e
ig_quality_kind(ig_str_t evaluation)
{
    unsigned  i;

    static const ig_str_t  name[] = {
        [IG_QUALITY_COMPLETE] = ig_string("complete"),
        [IG_QUALITY_CACHED] = ig_string("cached"),
        [IG_QUALITY_DEGRADED] = ig_string("degraded"),
        [IG_QUALITY_SKIPPED] = ig_string("skipped")
    };

    for (i = 0; i < ig_countof(name); i++) {
        if (ig_str_eq(name[i], evaluation)) {
            return (ig_quality_e) i;
        }
    }

    return IG_QUALITY_OTHER;
}


int
ig_quality_add(ig_quality_t *q, const ig_audit_line_t *line, uint64_t n)
{
    ig_str_t       body;
    ig_top_row_t  *row;

    q->calls += n;
    q->evaluation[ig_quality_kind(line->evaluation)] += n;
    q->lists_unknown += ig_audit_has(line, "list_unknown") ? n : 0;
    q->new_keys += ig_audit_true(line, "new_keys") ? n : 0;
    q->cut += ig_audit_true(line, "cut") ? n : 0;

    body = ig_audit_text(line, "body");

    if (body.len == 0) {
        return IG_OK;
    }

    row = ig_top_row(&q->body, ig_str(""), body);

    if (row == NULL) {
        return IG_NOMEM;
    }

    row->weight += n;

    return IG_OK;
}


uint64_t
ig_quality_uninspected(const ig_quality_t *q)
{
    unsigned  i;
    uint64_t  n;

    for (i = 0, n = 0; i < q->body.nrows; i++) {
        n += q->body.row[i].weight;
    }

    return n;
}
