/*
 * ngx_http_integrity_control_read.c: what a person's change to a list asks
 * for: the operation, the list, the key, for how long, why and by whom.
 * Owns nothing.  Called by ngx_http_integrity_control.c.
 */

#include "ngx_http_integrity_control.h"

#define NGX_HTTP_INTEGRITY_CONTROL_REASON  256
#define NGX_HTTP_INTEGRITY_CONTROL_BY      128
#define NGX_HTTP_INTEGRITY_CONTROL_TTL     INT64_C(315360000000)    /* 10y */


static const struct {
    ig_str_t   name;
    ig_verb_e  verb;
} ngx_http_integrity_control_ops[] = {
    { ig_string("add"),    IG_OP_ADD },
    { ig_string("remove"), IG_OP_UNDO },
    { ig_string("show"),   IG_OP_READ }
};


static ngx_int_t
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


/* A member that is a string; empty where there is none. */

static ig_str_t
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


static ngx_int_t
ngx_http_integrity_control_key(ngx_http_integrity_control_t *ctl,
    ig_mem_t *mem)
{
    unsigned             i, k;
    ig_value_t           value;
    const ig_json_t     *key;
    const ig_field_t    *field;
    const ig_policy_t   *policy;
    const ig_counter_t  *list;

    policy = ctl->call->policy;
    list = ctl->event.list;

    key = ig_json_object(ctl->json, ig_str("key"));

    for (i = 0; i < policy->nfields; i++) {
        field = policy->field[i];

        for (k = 0; k < list->nkey && list->key[k] != i; k++) { /* void */ }

        value = key != NULL ? ig_json_member(key, field->name, mem)
                            : (ig_value_t) { .type = IG_MISSING };

        if (k == list->nkey) {
            if (value.type != IG_MISSING) {
                return ngx_http_integrity_control_wrong(ctl,
                           "is no field of the list's key", field->name);
            }

            continue;
        }

        if (value.type != IG_STRING && value.type != IG_NUMBER
            && value.type != IG_BOOL)
        {
            return ngx_http_integrity_control_wrong(ctl,
                       "is a field of the list's key and has no value",
                       field->name);
        }

        ngx_http_integrity_control_field(ctl->call, field, value, mem);
    }

    if (!ig_call_key(ctl->call, list, ctl->op.key)) {
        return ngx_http_integrity_control_wrong(ctl,
                   "a field of the list's key is empty", ig_str(""));
    }

    return NGX_OK;
}


/* Why, by whom, for how long: what a change must say. */

static ngx_int_t
ngx_http_integrity_control_why(ngx_http_integrity_control_t *ctl,
    ig_mem_t *mem)
{
    ig_str_t  text;

    ctl->event.reason = ngx_http_integrity_control_text(ctl, "reason", mem);
    ctl->event.by = ngx_http_integrity_control_text(ctl, "by", mem);

    if (ctl->op.verb == IG_OP_READ) {
        return NGX_OK;
    }

    if (ctl->event.reason.len == 0
        || ctl->event.reason.len > NGX_HTTP_INTEGRITY_CONTROL_REASON)
    {
        return ngx_http_integrity_control_wrong(ctl, "wants 1 to 256 bytes",
                                              ig_str("reason"));
    }

    if (ctl->event.by.len == 0
        || ctl->event.by.len > NGX_HTTP_INTEGRITY_CONTROL_BY)
    {
        return ngx_http_integrity_control_wrong(ctl, "wants 1 to 128 bytes",
                                              ig_str("by"));
    }

    if (ctl->op.verb != IG_OP_ADD) {
        return NGX_OK;
    }

    text = ngx_http_integrity_control_text(ctl, "for", mem);

    if (!ig_parse_duration(text, &ctl->op.delta) || ctl->op.delta < 1000
        || ctl->op.delta > NGX_HTTP_INTEGRITY_CONTROL_TTL)
    {
        return ngx_http_integrity_control_wrong(ctl,
                   "wants a duration from 1s to 10y, as 7d", ig_str("for"));
    }

    ctl->event.until = ctl->op.time + ctl->op.delta;

    return NGX_OK;
}


static ngx_int_t
ngx_http_integrity_control_what(ngx_http_integrity_control_t *ctl,
    ngx_http_integrity_main_conf_t *mcf, ig_mem_t *mem)
{
    ig_str_t    text;
    ngx_uint_t  i;

    text = ngx_http_integrity_control_text(ctl, "op", mem);

    for (i = 0; i < ig_countof(ngx_http_integrity_control_ops); i++) {
        if (ig_str_eq(text, ngx_http_integrity_control_ops[i].name)) {
            break;
        }
    }

    if (i == ig_countof(ngx_http_integrity_control_ops)) {
        return ngx_http_integrity_control_wrong(ctl, "is none of add, remove, "
                                              "show", ig_str("op"));
    }

    ctl->event.op = ngx_http_integrity_control_ops[i].name;
    ctl->op.verb = ngx_http_integrity_control_ops[i].verb;

    text = ngx_http_integrity_control_text(ctl, "list", mem);
    ctl->event.list = ig_policy_counter(mcf->policy, text);

    if (ctl->event.list == NULL || ctl->event.list->kind != IG_LISTED) {
        ctl->status = NGX_HTTP_NOT_FOUND;
        return ngx_http_integrity_control_wrong(ctl, "is no list", text);
    }

    ctl->op.counter = ctl->event.list;

    return NGX_OK;
}


/* A call of no action, for its key, its event and its tenant. */

static ngx_int_t
ngx_http_integrity_control_call(ngx_http_integrity_control_t *ctl,
    ngx_http_integrity_main_conf_t *mcf, ig_mem_t *mem)
{
    char                            id[26];
    void                           *block;
    u_char                          random[10];
    int64_t                         now;
    ngx_http_integrity_loc_conf_t  *lcf;

    lcf = ngx_http_get_module_loc_conf(ctl->request,
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

    ctl->op.time = now;
    ctl->op.raw.first = -1;
    ctl->op.raw.last = -1;
    ctl->op.raw.was = -1;

    ctl->event.time = now;
    ctl->event.node = ngx_http_integrity_str(mcf->node);

    return NGX_OK;
}


ngx_int_t
ngx_http_integrity_control_read(ngx_http_integrity_control_t *ctl)
{
    ig_mem_t                         mem;
    ngx_int_t                        rc;
    ngx_http_integrity_main_conf_t  *mcf;

    mcf = ngx_http_get_module_main_conf(ctl->request,
                                        ngx_http_integrity_module);

    ngx_http_integrity_pool_mem(&mem, ctl->request->pool);

    rc = ngx_http_integrity_control_call(ctl, mcf, &mem);

    if (rc == NGX_OK) {
        rc = ngx_http_integrity_control_what(ctl, mcf, &mem);
    }

    if (rc == NGX_OK) {
        rc = ngx_http_integrity_control_why(ctl, &mem);
    }

    if (rc == NGX_OK) {
        rc = ngx_http_integrity_control_key(ctl, &mem);
    }

    return rc;
}
