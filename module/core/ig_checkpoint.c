/*
 * ig_checkpoint.c: writes and signs the lines of a checkpoint file.
 * Owns nothing; borrows the line's buffer and the key.
 * Called by `integrityctl seal`.
 */

#include <string.h>

#include "ig_checkpoint.h"


void
ig_checkpoint_begin(ig_buf_t *b, ig_checkpoint_kind_e kind,
    const ig_checkpoint_state_t *state, const ig_sign_public_t *key,
    int64_t time, ig_str_t origin)
{
    static const ig_str_t  names[] = {
        ig_string("checkpoint"), ig_string("finding"), ig_string("key")
    };

    ig_buf_lit(b, "{\"v\":1,\"kind\":\"");
    ig_buf_str_add(b, names[kind]);
    ig_buf_lit(b, "\",\"time\":\"");
    ig_buf_time(b, time);
    ig_buf_lit(b, "\",\"origin\":\"");
    ig_buf_str_add(b, origin);
    ig_buf_lit(b, "\",\"number\":");
    ig_buf_u64(b, state->number + 1);
    ig_buf_lit(b, ",\"key\":\"");
    ig_buf_hex(b, key->id, IG_SIGN_ID);
    ig_buf_lit(b, "\",\"prev\":\"");
    ig_buf_hex(b, state->last, IG_SHA256);
    ig_buf_char(b, '"');
}


/* Items of an array are parted by commas, also where one begins it. */
static void
ig_checkpoint_comma(ig_buf_t *b)
{
    if (b->pos > b->start && b->pos[-1] != '[') {
        ig_buf_char(b, ',');
    }
}


void
ig_checkpoint_add_log(ig_buf_t *b, const ig_checkpoint_log_t *log)
{
    uint8_t  none[IG_SHA256] = { 0 };

    ig_checkpoint_comma(b);
    ig_buf_lit(b, "{\"file\":\"");
    ig_buf_str_add(b, log->file);
    ig_buf_lit(b, "\",\"segment\":");
    ig_buf_u64(b, log->segment);

    if (memcmp(log->first, none, IG_SHA256) != 0) {
        ig_buf_lit(b, ",\"first\":\"");
        ig_buf_hex(b, log->first, IG_SHA256);
        ig_buf_char(b, '"');
    }

    ig_buf_lit(b, ",\"bytes\":");
    ig_buf_u64(b, log->bytes);

    if (log->done) {
        ig_buf_lit(b, ",\"done\":true");
    }

    ig_buf_lit(b, ",\"chain\":[");
}


void
ig_checkpoint_add_chain(ig_buf_t *b, const ig_checkpoint_chain_t *chain)
{
    ig_checkpoint_comma(b);
    ig_buf_lit(b, "{\"id\":\"");
    ig_buf_str_add(b, chain->id);
    ig_buf_lit(b, "\",\"seq\":");
    ig_buf_u64(b, chain->seq);
    ig_buf_lit(b, ",\"lost\":");
    ig_buf_u64(b, chain->lost);
    ig_buf_lit(b, ",\"hash\":\"");
    ig_buf_hex(b, chain->hash, IG_SHA256);
    ig_buf_lit(b, "\"}");
}


void
ig_checkpoint_end_log(ig_buf_t *b)
{
    ig_buf_lit(b, "]}");
}


int
ig_checkpoint_end(ig_buf_t *b, const ig_sign_private_t *key)
{
    uint8_t  sig[IG_SIGNATURE];

    if (b->full || ig_sign(key, ig_buf_str(b), sig) != IG_OK) {
        return IG_ERROR;
    }

    ig_buf_lit(b, ",\"sig\":\"");
    ig_buf_hex(b, sig, IG_SIGNATURE);
    ig_buf_lit(b, "\"}\n");

    return b->full ? IG_ERROR : IG_OK;
}


void
ig_checkpoint_written(ig_checkpoint_state_t *state, ig_str_t line)
{
    state->number++;
    ig_sha256(line.data, line.len - 1, state->last);
}
