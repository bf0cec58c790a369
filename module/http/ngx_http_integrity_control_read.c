/*
 * ngx_http_integrity_control_read.c: what the operations of integrity_control
 * have in common: texts, the key, why and by whom.
 * Owns nothing.  Called by ngx_http_integrity_control*.c.
 */

#include "ngx_http_integrity_control.h"

#include <math.h>

#define NGX_HTTP_INTEGRITY_CONTROL_REASON  256
#define NGX_HTTP_INTEGRITY_CONTROL_BY      128


ngx_int_t
ngx_http_integrity_control_wrong(ngx_http_integrity_control_t *ctl,
    const char *error, ig_str_t about)
{
    if (ctl->status == 0) {
        ctl->status = NGX_HTTP_BAD_REQUEST;
    }

    ctl->error = error;
    ctl->about = about;

    return NGX_DECLINED;
}


ig_str_t
ngx_http_integrity_control_text(ngx_http_integrity_control_t *ctl,
    const char *name, ig_mem_t *mem)
{
    ig_str_t    key;
    ig_value_t  value;

    key.len = ngx_strlen(name);
    key.data = name;

    value = ig_json_member(ctl->json, key, mem);

    return value.type == IG_STRING ? value.str : (ig_str_t) ig_string("");
}


ngx_int_t
ngx_http_integrity_control_uint(ngx_http_integrity_control_t *ctl,
    const char *name, int64_t max, int64_t *n, ig_mem_t *mem)
{
    ig_str_t    key;
    ig_value_t  value;

    key.len = ngx_strlen(name);
    key.data = name;

    value = ig_json_member(ctl->json, key, mem);

    if (value.type != IG_NUMBER || !(value.num >= 0)
        || value.num > (double) max || value.num != floor(value.num))
    {
        return ngx_http_integrity_control_wrong(ctl,
                                                "is no number that is wanted",
                                                key);
    }

    *n = (int64_t) value.num;

    return NGX_OK;
}


/*
 * One field of the key, as a call would say it: an address is taken for its
 * network where the field is one.
 */

static void
ngx_http_integrity_control_field(ig_call_t *call, const ig_field_t *field,
    ig_value_t value, ig_mem_t *mem)
{
    unsigned     i;
    ig_source_t  source;

    source = *field->source[0];

    for (i = 0; i < field->nsources; i++) {
        if (field->source[i]->net4) {
            source = *field->source[i];
            break;
        }
    }

    source.decode = false;

    if (value.type == IG_STRING) {
        ig_call_set_text(call, &source, value.str, mem);
    }

    if (value.type != IG_STRING || call->field[field->id].type == IG_MISSING) {
        ig_call_set_value(call, &source, value);
    }
}


/* What "key" says of one field, which may be none of the counter's. */

static ngx_int_t
ngx_http_integrity_control_part(ngx_http_integrity_control_t *ctl,
    const ig_counter_t *counter, const ig_field_t *field,
    const ig_json_t *key, ig_mem_t *mem)
{
    unsigned     k;
    ngx_uint_t   list;
    ig_value_t   value;

    list = counter->kind == IG_LISTED;

    value = key != NULL ? ig_json_member(key, field->name, mem)
                        : (ig_value_t) { .type = IG_MISSING };

    for (k = 0; k < counter->nkey; k++) {
        if (counter->key[k] == field->id) {
            break;
        }
    }

    if (k == counter->nkey) {
        return value.type == IG_MISSING ? NGX_OK
               : ngx_http_integrity_control_wrong(ctl,
                     list ? "is no field of the list's key"
                          : "is no field of the counter's key", field->name);
    }

    if (value.type != IG_STRING && value.type != IG_NUMBER
        && value.type != IG_BOOL)
    {
        return ngx_http_integrity_control_wrong(ctl,
                   list ? "is a field of the list's key and has no value"
                        : "is a field of the counter's key and has no value",
                   field->name);
    }

    ngx_http_integrity_control_field(ctl->call, field, value, mem);

    return NGX_OK;
}


ngx_int_t
ngx_http_integrity_control_key(ngx_http_integrity_control_t *ctl,
    const ig_counter_t *counter, uint8_t keyed[IG_HASH], ig_mem_t *mem)
{
    ngx_int_t         rc;
    unsigned          i;
    const ig_json_t  *key;

    key = ig_json_object(ctl->json, ig_str("key"));

    for (i = 0; i < ctl->call->policy->nfields; i++) {
        rc = ngx_http_integrity_control_part(ctl, counter,
                                             ctl->call->policy->field[i], key,
                                             mem);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    if (ig_json_size(key) != counter->nkey) {
        return ngx_http_integrity_control_wrong(ctl,
                   "names what is no field of the policy", ig_str("key"));
    }

    if (!ig_call_key(ctl->call, counter, keyed)) {
        return ngx_http_integrity_control_wrong(ctl,
                   counter->kind == IG_LISTED
                   ? "a field of the list's key is empty"
                   : "a field of the counter's key is empty", ig_str(""));
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_integrity_control_why(ngx_http_integrity_control_t *ctl,
    ig_mem_t *mem)
{
    ctl->reason = ngx_http_integrity_control_text(ctl, "reason", mem);
    ctl->by = ngx_http_integrity_control_text(ctl, "by", mem);

    if (ctl->reason.len == 0
        || ctl->reason.len > NGX_HTTP_INTEGRITY_CONTROL_REASON)
    {
        return ngx_http_integrity_control_wrong(ctl, "wants 1 to 256 bytes",
                                                ig_str("reason"));
    }

    if (ctl->by.len == 0 || ctl->by.len > NGX_HTTP_INTEGRITY_CONTROL_BY) {
        return ngx_http_integrity_control_wrong(ctl, "wants 1 to 128 bytes",
                                                ig_str("by"));
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_integrity_control_call(ngx_http_integrity_control_t *ctl,
    ig_mem_t *mem)
{
    char                             id[26];
    void                            *block;
    u_char                           random[10];
    int64_t                          now;
    ngx_http_integrity_loc_conf_t   *lcf;
    ngx_http_integrity_main_conf_t  *mcf;

    lcf = ngx_http_get_module_loc_conf(ctl->request,
                                       ngx_http_integrity_module);
    mcf = ngx_http_get_module_main_conf(ctl->request,
                                        ngx_http_integrity_module);

    block = ngx_palloc(ctl->request->pool,
                       ig_call_size(mcf->policy, mcf->empty));
    if (block == NULL) {
        return NGX_ERROR;
    }

    now = ngx_http_integrity_now();

    ngx_http_integrity_random(random, sizeof(random));
    ig_event_id(id, now, random);

    ctl->call = ig_call_init(block, mcf->policy, mcf->empty, &lcf->place,
                             mcf->secret,
                             ngx_http_integrity_control_text(ctl, "tenant",
                                                             mem),
                             now, id);

    return NGX_OK;
}


ngx_int_t
ngx_http_integrity_control_make(ngx_http_integrity_control_t *ctl, unsigned n)
{
    unsigned  i;

    ctl->op = ngx_pcalloc(ctl->request->pool, n * sizeof(ig_op_t));
    if (ctl->op == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {
        ctl->op[i].time = ctl->call->time;
        ctl->op[i].raw.first = -1;
        ctl->op[i].raw.last = -1;
        ctl->op[i].raw.was = -1;
    }

    ctl->nops = n;

    return NGX_OK;
}
