/*
 * ngx_http_integrity_control_list.c: "add", "remove" and "show": a key on a
 * list, put there, taken off or asked for by a person.
 * Owns nothing but what is in the request's pool.
 * Called by ngx_http_integrity_control.c, through the three operations.
 */

#include "ngx_http_integrity_control.h"

#define NGX_HTTP_INTEGRITY_CONTROL_TTL     INT64_C(315360000000)    /* 10y */


static ngx_int_t
ngx_http_integrity_control_list_name(ngx_http_integrity_control_t *ctl,
    ig_event_list_t *event, ig_mem_t *mem)
{
    ig_str_t  name;

    name = ngx_http_integrity_control_text(ctl, "list", mem);
    event->list = ig_policy_counter(ctl->call->policy, name);

    if (event->list == NULL || event->list->kind != IG_LISTED) {
        ctl->status = NGX_HTTP_NOT_FOUND;
        return ngx_http_integrity_control_wrong(ctl, "is no list", name);
    }

    return NGX_OK;
}


/* What all three say: the list and the key. */

static ngx_int_t
ngx_http_integrity_control_list_read(ngx_http_integrity_control_t *ctl,
    ig_verb_e verb, ig_mem_t *mem)
{
    ngx_int_t                        rc;
    ig_event_list_t                 *event;
    ngx_http_integrity_main_conf_t  *mcf;

    mcf = ngx_http_get_module_main_conf(ctl->request,
                                        ngx_http_integrity_module);

    event = ngx_pcalloc(ctl->request->pool, sizeof(ig_event_list_t));

    if (event == NULL || ngx_http_integrity_control_make(ctl, 1) != NGX_OK) {
        return NGX_ERROR;
    }

    ctl->data = event;

    event->op = ctl->what->name;
    event->time = ctl->call->time;
    event->node = ngx_http_integrity_str(mcf->node);

    rc = ngx_http_integrity_control_list_name(ctl, event, mem);
    if (rc != NGX_OK) {
        return rc;
    }

    if (verb != IG_OP_READ) {
        rc = ngx_http_integrity_control_why(ctl, mem);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    event->reason = ctl->reason;
    event->by = ctl->by;

    ctl->op[0].verb = verb;
    ctl->op[0].counter = event->list;

    return ngx_http_integrity_control_key(ctl, event->list, ctl->op[0].key,
                                          mem);
}


static ngx_int_t
ngx_http_integrity_control_list_add(ngx_http_integrity_control_t *ctl,
    ig_mem_t *mem)
{
    int64_t           ttl;
    ig_str_t          text;
    ngx_int_t         rc;
    ig_event_list_t  *event;

    rc = ngx_http_integrity_control_list_read(ctl, IG_OP_ADD, mem);
    if (rc != NGX_OK) {
        return rc;
    }

    text = ngx_http_integrity_control_text(ctl, "for", mem);

    if (!ig_parse_duration(text, &ttl) || ttl < 1000
        || ttl > NGX_HTTP_INTEGRITY_CONTROL_TTL)
    {
        return ngx_http_integrity_control_wrong(ctl,
                   "wants a duration from 1s to 10y, as 7d", ig_str("for"));
    }

    event = ctl->data;
    event->until = event->time + ttl;
    ctl->op[0].delta = ttl;

    return NGX_OK;
}


static ngx_int_t
ngx_http_integrity_control_list_remove(ngx_http_integrity_control_t *ctl,
    ig_mem_t *mem)
{
    return ngx_http_integrity_control_list_read(ctl, IG_OP_UNDO, mem);
}


static ngx_int_t
ngx_http_integrity_control_list_show(ngx_http_integrity_control_t *ctl,
    ig_mem_t *mem)
{
    return ngx_http_integrity_control_list_read(ctl, IG_OP_READ, mem);
}


static void
ngx_http_integrity_control_list_record(ngx_http_integrity_control_t *ctl,
    ig_buf_t *line)
{
    ig_event_list_t *event = ctl->data;

    if (ctl->failed) {
        event->time = ngx_http_integrity_now();
        event->failed = true;
    }

    ig_event_list(line, ctl->call, event);
}


static void
ngx_http_integrity_control_list_answer(ngx_http_integrity_control_t *ctl,
    ig_buf_t *b)
{
    int64_t           until;
    ig_event_list_t  *event;

    event = ctl->data;
    until = ctl->op[0].verb == IG_OP_ADD ? event->until
            : ctl->op[0].verb == IG_OP_READ ? ctl->op[0].raw.last : -1;

    ig_buf_lit(b, "{\"op\":\"");
    ig_buf_str_add(b, event->op);
    ig_buf_lit(b, "\",\"list\":\"");
    ig_buf_str_add(b, event->list->name);
    ig_buf_lit(b, "\",\"listed\":");

    if (until > ctl->op[0].time) {
        ig_buf_lit(b, "true,\"until\":\"");
        ig_buf_time(b, until);
        ig_buf_char(b, '"');

    } else {
        ig_buf_lit(b, "false");
    }

    if (ctl->op[0].verb != IG_OP_READ) {
        ig_buf_lit(b, ",\"event\":\"");
        ig_buf_bytes(b, ctl->call->event, sizeof(ctl->call->event));
        ig_buf_char(b, '"');
    }

    ig_buf_lit(b, "}\n");
}


const ngx_http_integrity_control_op_t  ngx_http_integrity_control_add = {
    ig_string("add"),
    ngx_http_integrity_control_list_add,
    ngx_http_integrity_control_list_record,
    ngx_http_integrity_control_list_answer,
    NULL
};

const ngx_http_integrity_control_op_t  ngx_http_integrity_control_remove = {
    ig_string("remove"),
    ngx_http_integrity_control_list_remove,
    ngx_http_integrity_control_list_record,
    ngx_http_integrity_control_list_answer,
    NULL
};

const ngx_http_integrity_control_op_t  ngx_http_integrity_control_show = {
    ig_string("show"),
    ngx_http_integrity_control_list_show,
    NULL,
    ngx_http_integrity_control_list_answer,
    NULL
};
