/*
 * ig_event_load.c: the record of a load of history: which events, how many,
 * why and by whom.
 * Owns nothing; borrows the call and the line's buffer.
 * Called by nginx's control handler.
 */

#include "ig_event_int.h"


static void
ig_event_load_time(ig_event_line_t *l, ig_str_t name, int64_t time)
{
    ig_buf_char(l->b, ',');
    ig_event_key(l, name);
    ig_buf_char(l->b, '"');
    ig_buf_time(l->b, time);
    ig_buf_char(l->b, '"');
}


void
ig_event_load(ig_buf_t *b, const ig_call_t *call, const ig_event_load_t *e)
{
    ig_event_line_t  l;

    if (ig_event_begin(&l, b, ig_str("load"), e->time) != IG_OK) {
        return;
    }

    ig_buf_lit(b, ",\"event\":\"");
    ig_buf_bytes(b, call->event, sizeof(call->event));
    ig_buf_char(b, '"');

    ig_event_member(&l, ig_str("op"), e->op, IG_EVENT_NAME);
    ig_event_member(&l, ig_str("load"), e->load, IG_EVENT_NAME);
    ig_event_load_time(&l, ig_str("since"), e->since);
    ig_event_load_time(&l, ig_str("until"), e->until);
    ig_event_uint(&l, ig_str("events"), e->events);
    ig_event_uint(&l, ig_str("writes"), e->writes);
    ig_event_member(&l, ig_str("reason"), e->reason, IG_EVENT_VALUE);
    ig_event_member(&l, ig_str("by"), e->by, IG_EVENT_NAME);
    ig_event_member(&l, ig_str("tenant"), call->tenant, IG_EVENT_NAME);
    ig_event_member(&l, ig_str("node"), e->node, IG_EVENT_NAME);

    if (e->failed) {
        ig_buf_lit(b, ",\"failed\":true");
    }

    ig_buf_lit(b, ",\"policy\":\"");
    ig_buf_hex(b, call->policy->hash, IG_EVENT_POLICY);
    ig_buf_char(b, '"');

    ig_event_end(&l);
}
