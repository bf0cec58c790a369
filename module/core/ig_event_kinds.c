/*
 * ig_event_kinds.c: the other lines the host writes: outcomes, unclassified
 * calls, the policy's text.
 * Owns nothing; borrows the line's buffer.
 * Called by the request state machine and the audit writer.
 */

#include "ig_event_int.h"

/*
 * What a part of the policy's text takes at most, escaped: the line less the
 * chain's part and less what stands around the text.
 */
#define IG_POLICY_PART  (IG_LINE_MAX - IG_CHAIN_PART - 448)


void
ig_event_outcome(ig_buf_t *b, const ig_event_outcome_t *o, ig_str_t node)
{
    ig_event_line_t  l;

    if (ig_event_begin(&l, b, ig_str("outcome"), o->time) != IG_OK) {
        return;
    }

    ig_event_member(&l, ig_str("event"), o->event, IG_EVENT_NAME);
    ig_event_uint(&l, ig_str("status"), o->status);

    if (o->upstream != 0) {
        ig_event_uint(&l, ig_str("upstream"), o->upstream);
    }

    ig_event_uint(&l, ig_str("duration_ms"),
                  o->duration > 0 ? (uint64_t) o->duration : 0);

    if (o->aborted) {
        ig_buf_lit(b, ",\"aborted\":true");
    }

    ig_event_member(&l, ig_str("node"), node, IG_EVENT_NAME);
    ig_event_end(&l);
}


void
ig_event_repeat(ig_buf_t *b, int64_t time, ig_str_t event, uint64_t count,
    ig_str_t node)
{
    ig_event_line_t  l;

    if (ig_event_begin(&l, b, ig_str("repeat"), time) != IG_OK) {
        return;
    }

    ig_event_member(&l, ig_str("event"), event, IG_EVENT_NAME);
    ig_event_uint(&l, ig_str("count"), count);
    ig_event_member(&l, ig_str("node"), node, IG_EVENT_NAME);
    ig_event_end(&l);
}


void
ig_event_unclassified(ig_buf_t *b, int64_t time, ig_str_t node, ig_str_t path,
    ig_str_t method, ig_str_t action, uint64_t count, bool denied)
{
    ig_event_line_t  l;

    if (ig_event_begin(&l, b, ig_str("unclassified"), time) != IG_OK) {
        return;
    }

    ig_event_member(&l, ig_str("action"), action, IG_EVENT_NAME);
    ig_event_member(&l, ig_str("method"), method, IG_EVENT_METHOD);
    ig_event_member(&l, ig_str("path"), path, IG_EVENT_PATH);
    ig_event_member(&l, ig_str("node"), node, IG_EVENT_NAME);
    ig_event_uint(&l, ig_str("count"), count);

    ig_buf_lit(b, ",\"denied\":");
    ig_buf_str_add(b, denied ? ig_str("true") : ig_str("false"));

    ig_event_end(&l);
}


/* What a byte takes at most inside a JSON string. */
static size_t
ig_event_escaped(unsigned char c)
{
    if (c < 0x20) {
        return c == '\n' || c == '\t' ? 2 : 6;
    }

    if (c == '"' || c == '\\') {
        return 2;
    }

    return c < 0x80 ? 1 : 3;
}


/* Takes the next part off *text. */
static ig_str_t
ig_event_policy_part(ig_str_t *text)
{
    size_t    size, n;
    ig_str_t  part;

    size = 0;

    for (n = 0; n < text->len; n++) {
        size += ig_event_escaped((unsigned char) text->data[n]);

        if (size > IG_POLICY_PART) {
            break;
        }
    }

    part = ig_event_prefix(*text, n);

    if (part.len == 0) {
        part.len = n;           /* no character at all, as it were */
    }

    if (part.len > 0) {
        text->data += part.len;
        text->len -= part.len;
    }

    return part;
}


unsigned
ig_event_policy_parts(const ig_policy_t *policy)
{
    unsigned  parts;
    ig_str_t  text;

    text = policy->text;
    parts = 0;

    do {
        (void) ig_event_policy_part(&text);
        parts++;
    } while (text.len > 0);

    return parts;
}


void
ig_event_policy(ig_buf_t *b, int64_t time, ig_str_t node,
    const ig_policy_t *policy, unsigned part, unsigned parts)
{
    unsigned         i;
    ig_str_t         text, piece;
    ig_event_line_t  l;

    text = policy->text;
    piece = ig_event_policy_part(&text);

    for (i = 1; i < part; i++) {
        piece = ig_event_policy_part(&text);
    }

    if (ig_event_begin(&l, b, ig_str("policy"), time) != IG_OK) {
        return;
    }

    ig_event_member(&l, ig_str("node"), node, IG_EVENT_NAME);

    ig_buf_lit(b, ",\"policy\":\"");
    ig_buf_hex(b, policy->hash, IG_EVENT_POLICY);
    ig_buf_lit(b, "\",\"sha256\":\"");
    ig_buf_hex(b, policy->hash, sizeof(policy->hash));
    ig_buf_char(b, '"');

    ig_event_uint(&l, ig_str("part"), part);
    ig_event_uint(&l, ig_str("parts"), parts);

    ig_buf_lit(b, ",\"text\":");
    ig_buf_json_string(b, piece);

    ig_event_end(&l);
}
