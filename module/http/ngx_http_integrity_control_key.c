/*
 * ngx_http_integrity_control_key.c: "inspect" and "reset": what the store
 * holds for a key, and having it forgotten.
 * Owns nothing.  Called by ngx_http_integrity_control.c.
 */

#include "ngx_http_integrity_control.h"

#define NGX_HTTP_INTEGRITY_CONTROL_COUNTERS  48     /* at once: the answer's
                                                       size goes by it */

typedef struct {
    ig_event_key_t       event;
    const ig_counter_t  *counter[NGX_HTTP_INTEGRITY_CONTROL_COUNTERS];
} ngx_http_integrity_control_key_t;


static const ig_str_t  ngx_http_integrity_control_kinds[IG_KINDS] = {
    [IG_COUNT] = ig_string("count"),
    [IG_COUNT_EXACT] = ig_string("exact"),
    [IG_DISTINCT] = ig_string("distinct"),
    [IG_SUM] = ig_string("sum"),
    [IG_MEAN] = ig_string("mean"),
    [IG_FIRST] = ig_string("first"),
    [IG_LAST] = ig_string("last")
};


/* -- which counters ------------------------------------------------------ */

static ngx_int_t
ngx_http_integrity_control_key_one(ngx_http_integrity_control_t *ctl,
    ngx_http_integrity_control_key_t *data, ig_str_t name)
{
    const ig_counter_t  *counter;

    counter = ig_policy_counter(ctl->call->policy, name);

    if (counter == NULL) {
        ctl->status = NGX_HTTP_NOT_FOUND;
        return ngx_http_integrity_control_wrong(ctl, "is no counter", name);
    }

    if (counter->kind == IG_LISTED) {
        return ngx_http_integrity_control_wrong(ctl,
                   "is a list: show and remove are for lists", name);
    }

    if (counter->similar >= 0) {
        return ngx_http_integrity_control_wrong(ctl,
                   "is kept by texts, which no key names", name);
    }

    data->counter[0] = counter;
    data->event.ncounters = 1;

    return NGX_OK;
}


/* Whether the counter's key are exactly the fields that "key" names. */

static ngx_uint_t
ngx_http_integrity_control_key_fits(ngx_http_integrity_control_t *ctl,
    const ig_counter_t *counter, const ig_json_t *key, ig_mem_t *mem)
{
    unsigned           i;
    const ig_field_t  *field;

    if (counter->kind == IG_LISTED || counter->similar >= 0
        || counter->nkey != ig_json_size(key))
    {
        return 0;
    }

    for (i = 0; i < counter->nkey; i++) {
        field = ctl->call->policy->field[counter->key[i]];

        if (ig_json_member(key, field->name, mem).type == IG_MISSING) {
            return 0;
        }
    }

    return 1;
}


static ngx_int_t
ngx_http_integrity_control_key_all(ngx_http_integrity_control_t *ctl,
    ngx_http_integrity_control_key_t *data, ig_mem_t *mem)
{
    unsigned            i, n;
    const ig_json_t    *key;
    const ig_policy_t  *policy;

    policy = ctl->call->policy;
    key = ig_json_object(ctl->json, ig_str("key"));

    for (i = 0, n = 0; i < policy->ncounters; i++) {
        if (!ngx_http_integrity_control_key_fits(ctl, policy->counter[i], key,
                                                 mem))
        {
            continue;
        }

        if (n == NGX_HTTP_INTEGRITY_CONTROL_COUNTERS) {
            return ngx_http_integrity_control_wrong(ctl,
                       "is more than 48 counters: name them", ig_str("all"));
        }

        data->counter[n++] = policy->counter[i];
    }

    if (n == 0) {
        ctl->status = NGX_HTTP_NOT_FOUND;
        return ngx_http_integrity_control_wrong(ctl,
                   "names fields by which no counter is kept", ig_str("key"));
    }

    data->event.ncounters = n;

    return NGX_OK;
}


static ngx_int_t
ngx_http_integrity_control_key_which(ngx_http_integrity_control_t *ctl,
    ngx_http_integrity_control_key_t *data, ig_mem_t *mem)
{
    ig_str_t    name;
    ig_value_t  all;

    all = ig_json_member(ctl->json, ig_str("all"), mem);
    name = ngx_http_integrity_control_text(ctl, "counter", mem);

    if (all.type == IG_BOOL && all.num != 0) {
        return name.len == 0
               ? ngx_http_integrity_control_key_all(ctl, data, mem)
               : ngx_http_integrity_control_wrong(ctl,
                     "goes with no counter's name", ig_str("all"));
    }

    return ngx_http_integrity_control_key_one(ctl, data, name);
}


/* -- what the store is asked --------------------------------------------- */

/* An inspection is one op for each counter, a reset two: it says what was. */

static ngx_int_t
ngx_http_integrity_control_key_ops(ngx_http_integrity_control_t *ctl,
    ngx_http_integrity_control_key_t *data, ngx_uint_t reset, ig_mem_t *mem)
{
    ig_op_t    *op;
    unsigned    i, each;
    ngx_int_t   rc;

    each = reset ? 2 : 1;

    if (ngx_http_integrity_control_make(ctl, each * data->event.ncounters)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    rc = ngx_http_integrity_control_key(ctl, data->counter[0],
                                        ctl->op[0].key, mem);
    if (rc != NGX_OK) {
        return rc;
    }

    for (i = 0; i < data->event.ncounters; i++) {
        op = &ctl->op[i * each];

        op->counter = data->counter[i];
        op->verb = IG_OP_PEEK;
        (void) ig_call_key(ctl->call, op->counter, op->key);

        if (reset) {
            op[1].counter = op->counter;
            op[1].verb = IG_OP_DROP;
            ngx_memcpy(op[1].key, op->key, IG_HASH);
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_integrity_control_key_read(ngx_http_integrity_control_t *ctl,
    ngx_uint_t reset, ig_mem_t *mem)
{
    ngx_int_t                          rc;
    ngx_http_integrity_main_conf_t    *mcf;
    ngx_http_integrity_control_key_t  *data;

    mcf = ngx_http_get_module_main_conf(ctl->request,
                                        ngx_http_integrity_module);

    data = ngx_pcalloc(ctl->request->pool,
                       sizeof(ngx_http_integrity_control_key_t));
    if (data == NULL) {
        return NGX_ERROR;
    }

    ctl->data = data;

    rc = ngx_http_integrity_control_key_which(ctl, data, mem);

    if (rc == NGX_OK) {
        rc = ngx_http_integrity_control_why(ctl, mem);
    }

    data->event.op = ctl->what->name;
    data->event.time = ctl->call->time;
    data->event.node = ngx_http_integrity_str(mcf->node);
    data->event.counter = data->counter;
    data->event.reason = ctl->reason;
    data->event.by = ctl->by;

    return rc == NGX_OK
           ? ngx_http_integrity_control_key_ops(ctl, data, reset, mem) : rc;
}


static ngx_int_t
ngx_http_integrity_control_key_inspect(ngx_http_integrity_control_t *ctl,
    ig_mem_t *mem)
{
    return ngx_http_integrity_control_key_read(ctl, 0, mem);
}


static ngx_int_t
ngx_http_integrity_control_key_reset(ngx_http_integrity_control_t *ctl,
    ig_mem_t *mem)
{
    return ngx_http_integrity_control_key_read(ctl, 1, mem);
}


static void
ngx_http_integrity_control_key_record(ngx_http_integrity_control_t *ctl,
    ig_buf_t *line)
{
    ngx_http_integrity_control_key_t *data = ctl->data;

    if (ctl->failed) {
        data->event.time = ngx_http_integrity_now();
        data->event.failed = true;
    }

    ig_event_of_key(line, ctl->call, &data->event);
}


/* -- the answer ---------------------------------------------------------- */

static void
ngx_http_integrity_control_number(ig_buf_t *b, ig_str_t name, double n)
{
    ig_buf_lit(b, ",\"");
    ig_buf_str_add(b, name);
    ig_buf_lit(b, "\":");
    ig_buf_number(b, n);
}


/* A moment; nothing where there is none. */

static void
ngx_http_integrity_control_moment(ig_buf_t *b, ig_str_t name, int64_t time)
{
    if (time >= 0) {
        ig_buf_lit(b, ",\"");
        ig_buf_str_add(b, name);
        ig_buf_lit(b, "\":\"");
        ig_buf_time(b, time);
        ig_buf_char(b, '"');
    }
}


/* What the value is made of. */

static void
ngx_http_integrity_control_raw(ig_buf_t *b, const ig_op_t *op)
{
    const ig_raw_t  *raw;

    raw = &op->raw;

    switch (op->counter->kind) {

    case IG_COUNT:
        ngx_http_integrity_control_number(b, ig_str("bucket"),
                                          (double) raw->cur);
        ngx_http_integrity_control_number(b, ig_str("bucket_before"),
                                          (double) raw->prev);
        break;

    case IG_SUM:
    case IG_MEAN:
        ngx_http_integrity_control_number(b, ig_str("bucket"),
                                          (double) raw->ncur);
        ngx_http_integrity_control_number(b, ig_str("bucket_before"),
                                          (double) raw->nprev);
        ngx_http_integrity_control_number(b, ig_str("sum"),
                                          (double) raw->cur / 1e6);
        ngx_http_integrity_control_number(b, ig_str("sum_before"),
                                          (double) raw->prev / 1e6);
        break;

    case IG_FIRST:
        ngx_http_integrity_control_moment(b, ig_str("first"), raw->first);
        ngx_http_integrity_control_moment(b, ig_str("last"), raw->last);
        break;

    default:
        ngx_http_integrity_control_moment(b, ig_str("last"), raw->last);
        break;
    }
}


static void
ngx_http_integrity_control_counter(ig_buf_t *b, const ig_op_t *op)
{
    int64_t     since;
    ig_value_t  value;
    ngx_uint_t  known;

    known = ngx_http_integrity_remembers(op->counter, &since);
    value = ig_window_value(op);

    ig_buf_char(b, '"');
    ig_buf_str_add(b, op->counter->name);
    ig_buf_lit(b, "\":{\"kind\":\"");
    ig_buf_str_add(b, ngx_http_integrity_control_kinds[op->counter->kind]);
    ig_buf_lit(b, "\",\"window\":\"");
    ig_buf_duration(b, op->counter->window);
    ig_buf_lit(b, "\",\"value\":");

    if (known && value.type == IG_NUMBER) {
        ig_buf_number(b, value.num);

    } else {
        ig_buf_lit(b, "null");
    }

    ig_buf_str_add(b, known ? ig_str(",\"known\":true")
                            : ig_str(",\"known\":false"));

    ngx_http_integrity_control_raw(b, op);
    ngx_http_integrity_control_moment(b, ig_str("until"),
                                      ig_window_until(op));
    ngx_http_integrity_control_moment(b, ig_str("since"), since);
    ig_buf_char(b, '}');
}


static void
ngx_http_integrity_control_key_answer(ngx_http_integrity_control_t *ctl,
    ig_buf_t *b)
{
    unsigned                           i, each;
    ngx_http_integrity_control_key_t  *data;

    data = ctl->data;
    each = ctl->nops / data->event.ncounters;

    ig_buf_lit(b, "{\"op\":\"");
    ig_buf_str_add(b, data->event.op);
    ig_buf_lit(b, "\",\"counter\":{");

    for (i = 0; i < data->event.ncounters; i++) {
        ig_buf_bytes(b, ",", i > 0);
        ngx_http_integrity_control_counter(b, &ctl->op[i * each]);

        if (each > 1) {

            /* a call that was under way may have noted the key as over */
            ngx_http_integrity_cached_forget(&ctl->op[i * each]);
        }
    }

    ig_buf_lit(b, "},\"event\":\"");
    ig_buf_bytes(b, ctl->call->event, sizeof(ctl->call->event));
    ig_buf_lit(b, "\"}\n");
}


const ngx_http_integrity_control_op_t  ngx_http_integrity_control_inspect = {
    ig_string("inspect"),
    ngx_http_integrity_control_key_inspect,
    ngx_http_integrity_control_key_record,
    ngx_http_integrity_control_key_answer,
    NULL
};

const ngx_http_integrity_control_op_t  ngx_http_integrity_control_reset = {
    ig_string("reset"),
    ngx_http_integrity_control_key_reset,
    ngx_http_integrity_control_key_record,
    ngx_http_integrity_control_key_answer,
    NULL
};
