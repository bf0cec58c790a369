/*
 * ig_event_verdict.c: event ids, and the verdict the application reads.
 * Owns nothing; borrows the buffer.
 * Called by the request state machine and backtest.
 */

#include "ig_event.h"


/* ULID: github.com/ulid/spec; the first character carries three bits. */
void
ig_event_id(char out[26], int64_t time, const uint8_t random[10])
{
    int       i;
    uint64_t  high, low;

    static const char  alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

    /* 48 bits of time and 16 of the random ones; the other 64 */

    high = (uint64_t) time << 16 | (uint64_t) random[0] << 8 | random[1];
    low = 0;

    for (i = 2; i < 10; i++) {
        low = low << 8 | random[i];
    }

    for (i = 25; i >= 0; i--) {
        out[i] = alphabet[low & 31];
        low = low >> 5 | high << 59;
        high >>= 5;
    }
}


/* Methods are letters in nginx; nothing else may pass for a separator. */
static void
ig_event_method(ig_buf_t *b, ig_str_t method)
{
    char    c;
    size_t  i;

    for (i = 0; i < method.len; i++) {
        c = method.data[i];

        ig_buf_char(b, (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')
                       || c == '-' || c == '_' ? c : '?');
    }
}


void
ig_event_verdict(ig_buf_t *b, const ig_call_t *call, ig_str_t method)
{
    char       *start;
    int64_t     seconds;
    uint8_t     mac[IG_SHA256];
    ig_hmac_t   h;

    start = b->pos;

    ig_buf_str_add(b, ig_decision_name(call->decision));
    ig_buf_lit(b, ";action=");
    ig_buf_str_add(b, call->plan->action);
    ig_buf_lit(b, ";method=");
    ig_event_method(b, method);
    ig_buf_lit(b, ";score=");
    ig_buf_i64(b, call->score);
    ig_buf_lit(b, ";id=");
    ig_buf_bytes(b, call->event, sizeof(call->event));
    ig_buf_lit(b, ";t=");

    seconds = call->time / 1000 - (call->time % 1000 < 0);
    ig_buf_i64(b, seconds);

    if (call->secret == NULL || call->secret->nkeys == 0) {
        return;
    }

    ig_hmac_init(&h, &call->secret->key[0].verdict);
    ig_hmac_update(&h, start, (size_t) (b->pos - start));
    ig_hmac_final(&h, mac);

    ig_buf_lit(b, ";sig=");
    ig_buf_base64url(b, mac, 16);
}
