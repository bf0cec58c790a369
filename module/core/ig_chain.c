/*
 * ig_chain.c: seals audit lines into a hash chain and writes the chain's own
 * lines.  Owns the chain's state; borrows line buffers.
 * Called by the audit writer.
 */

#include <string.h>

#include "ig_chain.h"
#include "ig_event_int.h"


void
ig_chain_init(ig_chain_t *c, ig_str_t node, unsigned worker,
    const uint8_t random[8])
{
    ig_buf_t  b;

    memset(c, 0, sizeof(*c));

    ig_buf_init(&b, c->id, sizeof(c->id));
    ig_buf_str_add(&b, node);
    ig_buf_char(&b, '/');
    ig_buf_u64(&b, worker);
    ig_buf_char(&b, '/');
    ig_buf_hex(&b, random, 8);

    c->id_len = (uint32_t) ig_buf_str(&b).len;
}


/*
 * A loss is told once, in the first line after it: the one for which all
 * numbers since the last written line are lost ones.
 */
static bool
ig_chain_tells_loss(const ig_chain_t *c)
{
    return c->dropped > 0 && c->issued == c->written + c->dropped + 1;
}


void
ig_chain_seal(ig_chain_t *c, ig_buf_t *b, uint8_t prev[IG_SHA256])
{
    uint8_t   hash[IG_SHA256];
    ig_str_t  line;

    c->issued++;

    ig_buf_lit(b, ",\"chain\":\"");
    ig_buf_bytes(b, c->id, c->id_len);
    ig_buf_lit(b, "\",\"seq\":");
    ig_buf_u64(b, c->issued);

    if (ig_chain_tells_loss(c)) {
        ig_buf_lit(b, ",\"dropped\":");
        ig_buf_u64(b, c->dropped);
    }

    ig_buf_lit(b, ",\"prev\":\"");
    ig_buf_hex(b, prev, IG_SHA256);
    ig_buf_char(b, '"');

    line = ig_buf_str(b);
    ig_sha256(line.data, line.len, hash);

    ig_buf_lit(b, ",\"hash\":\"");
    ig_buf_hex(b, hash, IG_SHA256);
    ig_buf_lit(b, "\"}\n");

    if (b->full) {
        c->issued--;            /* nobody will ever see this number */
        return;
    }

    memcpy(prev, hash, IG_SHA256);
}


void
ig_chain_written(ig_chain_t *c, uint64_t seq, const uint8_t hash[IG_SHA256])
{
    c->written = seq;
    memcpy(c->last, hash, IG_SHA256);
    c->dropped = 0;

    if (c->state == IG_CHAIN_FRESH) {
        c->state = IG_CHAIN_OPEN;
    }
}


void
ig_chain_lost(ig_chain_t *c, uint64_t n)
{
    c->dropped += n;
    c->lost += n;
}


void
ig_chain_closed(ig_chain_t *c)
{
    c->state = IG_CHAIN_CLOSED;
}


static void
ig_chain_before(ig_buf_t *b, const ig_chain_t *before, uint64_t file)
{
    ig_buf_lit(b, "{\"chain\":\"");
    ig_buf_bytes(b, before->id, before->id_len);
    ig_buf_lit(b, "\",\"state\":\"");
    ig_buf_str_add(b, before->state == IG_CHAIN_CLOSED ? ig_str("closed")
                                                       : ig_str("open"));
    ig_buf_lit(b, "\",\"issued\":");
    ig_buf_u64(b, before->issued);
    ig_buf_lit(b, ",\"written\":");
    ig_buf_u64(b, before->written);
    ig_buf_lit(b, ",\"last\":\"");
    ig_buf_hex(b, before->last, IG_SHA256);
    ig_buf_char(b, '"');

    if (file != 0 && before->file == file) {
        ig_buf_lit(b, ",\"same_file\":true");
    }

    ig_buf_char(b, '}');
}


void
ig_chain_open_line(ig_buf_t *b, const ig_chain_t *before, uint64_t file,
    int64_t time, ig_str_t node, ig_str_t version,
    const uint8_t policy[IG_SHA256])
{
    ig_event_line_t  l;

    if (ig_event_begin(&l, b, ig_str("chain_open"), time) != IG_OK) {
        return;
    }

    ig_event_member(&l, ig_str("node"), node, IG_EVENT_NAME);
    ig_event_member(&l, ig_str("version"), version, IG_EVENT_NAME);

    ig_buf_lit(b, ",\"policy\":\"");
    ig_buf_hex(b, policy, IG_EVENT_POLICY);
    ig_buf_lit(b, "\",\"before\":");

    if (before != NULL) {
        ig_chain_before(b, before, file);

    } else {
        ig_buf_lit(b, "null");
    }

    ig_event_end(&l);
}


void
ig_chain_close_line(ig_buf_t *b, const ig_chain_t *c, int64_t time,
    ig_str_t node)
{
    ig_event_line_t  l;

    if (ig_event_begin(&l, b, ig_str("chain_close"), time) != IG_OK) {
        return;
    }

    ig_event_member(&l, ig_str("node"), node, IG_EVENT_NAME);
    ig_event_uint(&l, ig_str("issued"), c->issued + 1);
    ig_event_uint(&l, ig_str("lost"), c->lost);
    ig_event_end(&l);
}


void
ig_chain_segment_line(ig_buf_t *b, bool start, uint64_t truncated,
    int64_t time, ig_str_t node)
{
    ig_event_line_t  l;

    if (ig_event_begin(&l, b, start ? ig_str("segment_start")
                                    : ig_str("segment_end"), time) != IG_OK)
    {
        return;
    }

    ig_event_member(&l, ig_str("node"), node, IG_EVENT_NAME);

    if (truncated > 0) {
        ig_event_uint(&l, ig_str("truncated"), truncated);
    }

    ig_event_end(&l);
}
