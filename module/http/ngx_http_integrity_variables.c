/*
 * ngx_http_integrity_variables.c: $integrity_decision, _score, _rules,
 * _action, _event_id, _verdict, $integrity_field_NAME and
 * $integrity_counter_NAME.  Without a decision they are not found.
 * Owns nothing.  Called by nginx.
 */

#include "ngx_http_integrity.h"

#define NGX_HTTP_INTEGRITY_FIELD    "integrity_field_"
#define NGX_HTTP_INTEGRITY_COUNTER  "integrity_counter_"

#define NGX_HTTP_INTEGRITY_VALUE_MAX  512


typedef enum {
    NGX_HTTP_INTEGRITY_VAR_DECISION = 0,
    NGX_HTTP_INTEGRITY_VAR_SCORE,
    NGX_HTTP_INTEGRITY_VAR_RULES,
    NGX_HTTP_INTEGRITY_VAR_ACTION,
    NGX_HTTP_INTEGRITY_VAR_EVENT_ID,
    NGX_HTTP_INTEGRITY_VAR_VERDICT
} ngx_http_integrity_var_e;


static ngx_int_t ngx_http_integrity_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_integrity_field_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_integrity_counter_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);


static ngx_http_variable_t  ngx_http_integrity_vars[] = {

    { ngx_string("integrity_decision"), NULL, ngx_http_integrity_variable,
      NGX_HTTP_INTEGRITY_VAR_DECISION, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("integrity_score"), NULL, ngx_http_integrity_variable,
      NGX_HTTP_INTEGRITY_VAR_SCORE, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("integrity_rules"), NULL, ngx_http_integrity_variable,
      NGX_HTTP_INTEGRITY_VAR_RULES, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("integrity_action"), NULL, ngx_http_integrity_variable,
      NGX_HTTP_INTEGRITY_VAR_ACTION, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("integrity_event_id"), NULL, ngx_http_integrity_variable,
      NGX_HTTP_INTEGRITY_VAR_EVENT_ID, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("integrity_verdict"), NULL, ngx_http_integrity_variable,
      NGX_HTTP_INTEGRITY_VAR_VERDICT, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string(NGX_HTTP_INTEGRITY_FIELD), NULL,
      ngx_http_integrity_field_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE|NGX_HTTP_VAR_PREFIX, 0 },

    { ngx_string(NGX_HTTP_INTEGRITY_COUNTER), NULL,
      ngx_http_integrity_counter_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE|NGX_HTTP_VAR_PREFIX, 0 },

      ngx_http_null_variable
};


static ngx_int_t
ngx_http_integrity_set(ngx_http_variable_value_t *v, ig_str_t text)
{
    v->len = (unsigned) text.len;
    v->data = (u_char *) text.data;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}


static ngx_int_t
ngx_http_integrity_none(ngx_http_variable_value_t *v)
{
    v->not_found = 1;

    return NGX_OK;
}


static void
ngx_http_integrity_rules(ig_buf_t *b, ig_call_t *call)
{
    unsigned  i;

    for (i = 0; i < call->plan->nrules; i++) {
        if (call->outcome[i] != IG_RULE_FIRED
            && call->outcome[i] != IG_RULE_ON_ERROR)
        {
            continue;
        }

        if (b->pos != b->start) {
            ig_buf_char(b, ',');
        }

        ig_buf_str_add(b, call->plan->rule[i]->name);
    }
}


static ngx_int_t
ngx_http_integrity_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    size_t                     size;
    u_char                    *p;
    ig_buf_t                   b;
    ig_call_t                 *call;
    ngx_http_integrity_ctx_t  *ctx;

    ctx = ngx_http_integrity_get_ctx(r);

    if (ctx == NULL || ctx->call == NULL
        || ctx->state < NGX_HTTP_INTEGRITY_RECORDING
        || ctx->state == NGX_HTTP_INTEGRITY_IGNORED)
    {
        return ngx_http_integrity_none(v);
    }

    call = ctx->call;

    switch (data) {

    case NGX_HTTP_INTEGRITY_VAR_DECISION:
        return ngx_http_integrity_set(v, ig_decision_name(call->decision));

    case NGX_HTTP_INTEGRITY_VAR_ACTION:
        return ngx_http_integrity_set(v, call->plan->action);
    }

    size = NGX_HTTP_INTEGRITY_VALUE_MAX;

    if (data == NGX_HTTP_INTEGRITY_VAR_RULES) {
        size = call->plan->nrules * (IG_SERIES_NAME + 1) + 1;
    }

    p = ngx_pnalloc(r->pool, size);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ig_buf_init(&b, (char *) p, size);

    switch (data) {

    case NGX_HTTP_INTEGRITY_VAR_SCORE:
        ig_buf_i64(&b, call->score);
        break;

    case NGX_HTTP_INTEGRITY_VAR_RULES:
        ngx_http_integrity_rules(&b, call);
        break;

    case NGX_HTTP_INTEGRITY_VAR_EVENT_ID:
        ig_buf_bytes(&b, call->event, sizeof(call->event));
        break;

    default: /* NGX_HTTP_INTEGRITY_VAR_VERDICT */
        ig_event_verdict(&b, call, ngx_http_integrity_str(r->method_name));
        break;
    }

    return b.full ? NGX_ERROR : ngx_http_integrity_set(v, ig_buf_str(&b));
}


/* What a field may show outside the request: pseudonym, fingerprint, value. */

static ngx_int_t
ngx_http_integrity_field_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t *name = (ngx_str_t *) data;

    char                       scratch[IG_KEY_TEXT];
    u_char                    *p;
    ig_buf_t                   b;
    ig_str_t                   text, wanted;
    ig_call_t                 *call;
    const ig_field_t          *field;
    ngx_http_integrity_ctx_t  *ctx;

    ctx = ngx_http_integrity_get_ctx(r);

    if (ctx == NULL || ctx->call == NULL) {
        return ngx_http_integrity_none(v);
    }

    call = ctx->call;

    wanted.len = name->len - (sizeof(NGX_HTTP_INTEGRITY_FIELD) - 1);
    wanted.data = (char *) name->data + sizeof(NGX_HTTP_INTEGRITY_FIELD) - 1;

    field = ig_policy_field(call->policy, wanted);

    if (field == NULL) {
        return ngx_http_integrity_none(v);
    }

    text = ig_value_key(&call->field[field->id], scratch);

    if (text.len == 0) {
        return ngx_http_integrity_none(v);
    }

    p = ngx_pnalloc(r->pool, ngx_max(text.len,
                                     NGX_HTTP_INTEGRITY_VALUE_MAX));
    if (p == NULL) {
        return NGX_ERROR;
    }

    ig_buf_init(&b, (char *) p, ngx_max(text.len,
                                        NGX_HTTP_INTEGRITY_VALUE_MAX));

    if (field->is_private) {
        ig_pseudonym(&b, &call->secret->key[0], field->name, text);

    } else if (field->is_text) {
        ig_fingerprint(&b, &call->secret->key[0], text);

    } else {
        ig_buf_str_add(&b, text);
    }

    return b.full ? NGX_ERROR : ngx_http_integrity_set(v, ig_buf_str(&b));
}


static ngx_int_t
ngx_http_integrity_counter_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t *name = (ngx_str_t *) data;

    u_char                    *p;
    ig_buf_t                   b;
    ig_str_t                   wanted;
    const ig_counter_t        *counter;
    ngx_http_integrity_ctx_t  *ctx;

    ctx = ngx_http_integrity_get_ctx(r);

    if (ctx == NULL || ctx->call == NULL) {
        return ngx_http_integrity_none(v);
    }

    wanted.len = name->len - (sizeof(NGX_HTTP_INTEGRITY_COUNTER) - 1);
    wanted.data = (char *) name->data + sizeof(NGX_HTTP_INTEGRITY_COUNTER) - 1;

    counter = ig_policy_counter(ctx->call->policy, wanted);

    if (counter == NULL
        || ctx->call->counter[counter->id].type != IG_NUMBER)
    {
        return ngx_http_integrity_none(v);
    }

    p = ngx_pnalloc(r->pool, IG_KEY_TEXT);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ig_buf_init(&b, (char *) p, IG_KEY_TEXT);
    ig_buf_number(&b, ctx->call->counter[counter->id].num);

    return ngx_http_integrity_set(v, ig_buf_str(&b));
}


ngx_int_t
ngx_http_integrity_add_variables(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var, *v;

    for (v = ngx_http_integrity_vars; v->name.len; v++) {
        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return NGX_OK;
}


/* Whether there is a variable of this name, in small letters. */

static ngx_uint_t
ngx_http_integrity_is_variable(ngx_http_core_main_conf_t *cmcf,
    ngx_str_t *name)
{
    ngx_uint_t            i;
    ngx_hash_key_t       *key;
    ngx_http_variable_t  *prefix;

    key = cmcf->variables_keys->keys.elts;

    for (i = 0; i < cmcf->variables_keys->keys.nelts; i++) {
        if (key[i].key.len == name->len
            && ngx_strncmp(key[i].key.data, name->data, name->len) == 0)
        {
            return 1;
        }
    }

    prefix = cmcf->prefix_variables.elts;

    for (i = 0; i < cmcf->prefix_variables.nelts; i++) {
        if (name->len >= prefix[i].name.len
            && ngx_strncmp(prefix[i].name.data, name->data,
                           prefix[i].name.len)
               == 0)
        {
            return 1;
        }
    }

    return 0;
}


/* Every variable in a text; nginx itself would not say where it stands. */

static ngx_int_t
ngx_http_integrity_check_text(ngx_conf_t *cf, const char *directive,
    ig_str_t text, ig_pos_t pos)
{
    u_char                     *p, *end;
    ngx_str_t                   name;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    p = (u_char *) text.data;
    end = p + text.len;

    while (p < end) {
        if (*p++ != '$') {
            continue;
        }

        if (p < end && *p == '{') {
            p++;
        }

        if (p == end || (*p >= '1' && *p <= '9')) {
            continue;
        }

        name.data = ngx_pnalloc(cf->pool, end - p);
        if (name.data == NULL) {
            return NGX_ERROR;
        }

        for (name.len = 0; p < end; p++) {
            if (!((*p | 0x20) >= 'a' && (*p | 0x20) <= 'z')
                && !(*p >= '0' && *p <= '9') && *p != '_')
            {
                break;
            }

            name.data[name.len++] = ngx_tolower(*p);
        }

        if (name.len && !ngx_http_integrity_is_variable(cmcf, &name)) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "%s: there is no variable \"$%V\" in %s:%ui",
                          directive, &name, pos.file, (ngx_uint_t) pos.line);
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_integrity_check_texts(ngx_conf_t *cf,
    ngx_http_integrity_main_conf_t *mcf)
{
    ngx_uint_t                   i;
    const ig_source_t           *source;
    ngx_http_integrity_text_t   *t;

    for (i = 0; i < mcf->policy->nsources; i++) {
        source = mcf->policy->source[i];

        if (source->kind == IG_SOURCE_VARIABLE
            && ngx_http_integrity_check_text(cf, "integrity_field",
                                             source->text, source->pos)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    t = mcf->texts.elts;

    for (i = 0; i < mcf->texts.nelts; i++) {
        if (ngx_http_integrity_check_text(cf, (char *) t[i].directive.data,
                                          t[i].text, t[i].pos)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* True where name begins with prefix; *s is the rest, possibly empty. */

static ngx_uint_t
ngx_http_integrity_suffix(ngx_str_t *name, const char *prefix, size_t len,
    ig_str_t *s)
{
    if (name->len < len || ngx_strncmp(name->data, prefix, len) != 0) {
        return 0;
    }

    s->len = name->len - len;
    s->data = (char *) name->data + len;

    return 1;
}


/* Lists are kept among the counters, but have no number. */

static ngx_uint_t
ngx_http_integrity_is_counter(ig_policy_t *policy, ig_str_t name)
{
    const ig_counter_t  *counter;

    counter = ig_policy_counter(policy, name);

    return counter != NULL && counter->kind != IG_LISTED;
}


/*
 * At the end of http: $integrity_field_NAME and $integrity_counter_NAME of
 * things that do not exist are mistakes; $request_id goes into the events
 * where something else of the configuration reads it too.
 */

ngx_int_t
ngx_http_integrity_check_variables(ngx_conf_t *cf)
{
    ig_str_t                         name;
    ngx_uint_t                       i;
    ngx_http_variable_t             *v;
    ngx_http_core_main_conf_t       *cmcf;
    ngx_http_integrity_main_conf_t  *mcf;

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_integrity_module);
    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    mcf->request_id = -1;

    if (ngx_http_integrity_check_texts(cf, mcf) != NGX_OK) {
        return NGX_ERROR;
    }

    v = cmcf->variables.elts;

    for (i = 0; i < cmcf->variables.nelts; i++) {

        if (v[i].name.len == sizeof("request_id") - 1
            && ngx_strncmp(v[i].name.data, "request_id", v[i].name.len) == 0)
        {
            mcf->request_id = i;
        }

        if (ngx_http_integrity_suffix(&v[i].name, NGX_HTTP_INTEGRITY_FIELD,
                                      sizeof(NGX_HTTP_INTEGRITY_FIELD) - 1,
                                      &name)
            && ig_policy_field(mcf->policy, name) == NULL)
        {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "\"$%V\" names no field: there is no "
                          "\"integrity_field %*s\"", &v[i].name,
                          name.len, name.data);
            return NGX_ERROR;
        }

        if (ngx_http_integrity_suffix(&v[i].name, NGX_HTTP_INTEGRITY_COUNTER,
                                      sizeof(NGX_HTTP_INTEGRITY_COUNTER) - 1,
                                      &name)
            && !ngx_http_integrity_is_counter(mcf->policy, name))
        {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "\"$%V\" names no counter: there is no "
                          "\"integrity_counter %*s\"", &v[i].name,
                          name.len, name.data);
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}
