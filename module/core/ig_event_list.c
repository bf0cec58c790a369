/*
 * ig_event_list.c: the record of what a person did to a list, or to what is
 * remembered of a key: what was done to which key, why and by whom.
 * Owns nothing; borrows the call that carries the key, and the line's buffer.
 * Called by nginx's control handler.
 */

#include "ig_event_int.h"


/* The fields of the key, as a decision's line would have them. */
static void
ig_event_list_key(ig_event_line_t *l, const ig_call_t *call,
    const ig_counter_t *list)
{
    char              *mark, *end;
    unsigned           i;
    const ig_field_t  *field;

    end = ig_event_open(l, ig_str(",\"field\":{"), 1, 1);

    for (i = 0; i < list->nkey; i++) {
        field = call->policy->field[list->key[i]];

        mark = ig_event_item(l);
        ig_event_key(l, field->name);
        ig_event_value(l, call->secret, field, &call->field[field->id]);
        ig_event_keep(l, mark);
    }

    ig_event_close(l, '}', end);
}


void
ig_event_list(ig_buf_t *b, const ig_call_t *call, const ig_event_list_t *e)
{
    ig_event_line_t  l;

    if (ig_event_begin(&l, b, ig_str("list"), e->time) != IG_OK) {
        return;
    }

    ig_buf_lit(b, ",\"event\":\"");
    ig_buf_bytes(b, call->event, sizeof(call->event));
    ig_buf_char(b, '"');

    ig_event_member(&l, ig_str("op"), e->op, IG_EVENT_NAME);
    ig_event_member(&l, ig_str("name"), e->list->name, IG_EVENT_NAME);

    if (e->until > 0) {
        ig_buf_lit(b, ",\"until\":\"");
        ig_buf_time(b, e->until);
        ig_buf_char(b, '"');
    }

    ig_event_member(&l, ig_str("reason"), e->reason, IG_EVENT_VALUE);
    ig_event_member(&l, ig_str("by"), e->by, IG_EVENT_NAME);
    ig_event_member(&l, ig_str("tenant"), call->tenant, IG_EVENT_NAME);
    ig_event_member(&l, ig_str("node"), e->node, IG_EVENT_NAME);

    if (e->failed) {
        ig_buf_lit(b, ",\"failed\":true");
    }

    if (!b->full) {
        ig_event_list_key(&l, call, e->list);
    }

    ig_buf_lit(b, ",\"policy\":\"");
    ig_buf_hex(b, call->policy->hash, IG_EVENT_POLICY);
    ig_buf_char(b, '"');

    ig_event_end(&l);
}


static void
ig_event_key_names(ig_event_line_t *l, const ig_event_key_t *e)
{
    char      *mark, *end;
    unsigned   i;

    end = ig_event_open(l, ig_str(",\"counter\":["), 1, 2);

    for (i = 0; i < e->ncounters; i++) {
        mark = ig_event_item(l);
        ig_buf_json_string(l->b, e->counter[i]->name);
        ig_event_keep(l, mark);
    }

    ig_event_close(l, ']', end);
}


void
ig_event_of_key(ig_buf_t *b, const ig_call_t *call, const ig_event_key_t *e)
{
    ig_event_line_t  l;

    if (ig_event_begin(&l, b, ig_str("key"), e->time) != IG_OK) {
        return;
    }

    ig_buf_lit(b, ",\"event\":\"");
    ig_buf_bytes(b, call->event, sizeof(call->event));
    ig_buf_char(b, '"');

    ig_event_member(&l, ig_str("op"), e->op, IG_EVENT_NAME);
    ig_event_member(&l, ig_str("reason"), e->reason, IG_EVENT_VALUE);
    ig_event_member(&l, ig_str("by"), e->by, IG_EVENT_NAME);
    ig_event_member(&l, ig_str("tenant"), call->tenant, IG_EVENT_NAME);
    ig_event_member(&l, ig_str("node"), e->node, IG_EVENT_NAME);

    if (e->failed) {
        ig_buf_lit(b, ",\"failed\":true");
    }

    if (!b->full) {
        ig_event_key_names(&l, e);
        ig_event_list_key(&l, call, e->counter[0]);
    }

    ig_buf_lit(b, ",\"policy\":\"");
    ig_buf_hex(b, call->policy->hash, IG_EVENT_POLICY);
    ig_buf_char(b, '"');

    ig_event_end(&l);
}
