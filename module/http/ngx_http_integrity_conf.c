/*
 * ngx_http_integrity_conf.c: the configurations of http and of a place: how
 * they begin, how http's end resolves the policy, how places inherit.
 * Owns: both, in the configuration's pool.  Called by nginx.
 */

#include "ngx_http_integrity.h"


void *
ngx_http_integrity_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_integrity_main_conf_t  *mcf;

    mcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_integrity_main_conf_t));
    if (mcf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     mcf->zone = NULL;
     *     mcf->secret = NULL;
     *     mcf->node = { 0, NULL };
     *     mcf->redis = 0;
     *     mcf->used.file = NULL;
     *     mcf->used_by = NULL;
     */

    ngx_http_integrity_pool_mem(&mcf->mem, cf->pool);

    mcf->policy = ig_policy_create(&mcf->mem);
    if (mcf->policy == NULL) {
        return NULL;
    }

    if (ngx_array_init(&mcf->audit, cf->pool, 2,
                       sizeof(ngx_http_integrity_file_t *))
        != NGX_OK
        || ngx_array_init(&mcf->texts, cf->pool, 4,
                          sizeof(ngx_http_integrity_text_t))
           != NGX_OK)
    {
        return NULL;
    }

    return mcf;
}


/* Compiles the sources of fields that are nginx variables. */

static ngx_int_t
ngx_http_integrity_compile_source(ngx_conf_t *cf, const ig_source_t *source,
    ngx_http_integrity_source_t *compiled)
{
    size_t                             i;
    ngx_str_t                          text, name;
    ngx_http_compile_complex_value_t   ccv;

    compiled->index = -1;

    if (source->kind != IG_SOURCE_VARIABLE) {
        return NGX_OK;
    }

    text.len = source->text.len;
    text.data = (u_char *) source->text.data;

    name.len = text.len;
    name.data = text.data;

    if (name.len > 1 && name.data[0] == '$') {
        name.len--;
        name.data++;

        for (i = 0; i < name.len; i++) {
            if (!((name.data[i] | 0x20) >= 'a' && (name.data[i] | 0x20) <= 'z')
                && !(name.data[i] >= '0' && name.data[i] <= '9')
                && name.data[i] != '_')
            {
                break;
            }
        }

        if (i == name.len && (name.len > 1 || name.data[0] > '9')) {
            compiled->index = ngx_http_get_variable_index(cf, &name);
            return compiled->index == NGX_ERROR ? NGX_ERROR : NGX_OK;
        }
    }

    compiled->value = ngx_palloc(cf->pool, sizeof(ngx_http_complex_value_t));
    if (compiled->value == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = &text;
    ccv.complex_value = compiled->value;

    return ngx_http_compile_complex_value(&ccv);
}


static char *
ngx_http_integrity_check_use(ngx_conf_t *cf,
    ngx_http_integrity_main_conf_t *mcf)
{
    const char  *missing;

    if (mcf->used.file == NULL) {
        return NGX_CONF_OK;
    }

    missing = mcf->zone == NULL ? "integrity_zone"
              : mcf->secret == NULL ? "integrity_secret" : NULL;

    if (missing != NULL) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"%s\" needs \"%s\" in http in %s:%ui",
                      mcf->used_by, missing, mcf->used.file,
                      (ngx_uint_t) mcf->used.line);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


char *
ngx_http_integrity_init_main_conf(ngx_conf_t *cf, void *conf)
{
    ngx_http_integrity_main_conf_t *mcf = conf;

    ngx_uint_t   i;
    ig_error_t   err;
    ig_policy_t  *policy;

    policy = mcf->policy;

    if (ig_policy_finish(policy, &err) != IG_OK) {
        return ngx_http_integrity_conf_error(cf, &err);
    }

    mcf->empty = ig_plan_make(policy, ig_str(""), &mcf->mem);
    if (mcf->empty == NULL) {
        return NGX_CONF_ERROR;
    }

    mcf->source = ngx_pcalloc(cf->pool, (policy->nsources + 1)
                                      * sizeof(ngx_http_integrity_source_t));
    if (mcf->source == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 0; i < policy->nsources; i++) {
        if (ngx_http_integrity_compile_source(cf, policy->source[i],
                                              &mcf->source[i])
            != NGX_OK)
        {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "\"integrity_field\" has an invalid source \"%*s\" "
                          "in %s:%ui", policy->source[i]->text.len,
                          policy->source[i]->text.data,
                          policy->source[i]->pos.file,
                          (ngx_uint_t) policy->source[i]->pos.line);
            return NGX_CONF_ERROR;
        }
    }

    ngx_hex_dump((u_char *) mcf->policy_hex, (u_char *) policy->hash,
                 IG_SHA256);

    if (mcf->node.len == 0) {
        mcf->node = cf->cycle->hostname;
    }

    return ngx_http_integrity_check_use(cf, mcf);
}


void *
ngx_http_integrity_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_integrity_loc_conf_t  *conf;

    conf = ngx_pcalloc(cf->pool, sizeof(ngx_http_integrity_loc_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     conf->thresholds = NULL;
     *     conf->place = { NULL, NULL };
     *     conf->enabled = 0;
     *     conf->decides = 0;
     *     conf->leads = 0;
     *     conf->quiet = 0;
     *     conf->control.file = NULL;
     */

    conf->mode = NGX_CONF_UNSET_PTR;
    conf->action = NGX_CONF_UNSET_PTR;
    conf->log = NGX_CONF_UNSET_PTR;
    conf->tenant = NGX_CONF_UNSET_PTR;
    conf->body = NGX_CONF_UNSET_PTR;
    conf->status_throttle = NGX_CONF_UNSET_UINT;
    conf->status_deny = NGX_CONF_UNSET_UINT;
    conf->sample = NGX_CONF_UNSET_UINT;

    return conf;
}


/* The values of all thresholds at this place: those of outside, overridden. */

static char *
ngx_http_integrity_merge_thresholds(ngx_conf_t *cf,
    ngx_http_integrity_main_conf_t *mcf, ngx_http_integrity_loc_conf_t *prev,
    ngx_http_integrity_loc_conf_t *conf)
{
    double                          *value;
    ngx_uint_t                       i;
    const ig_threshold_t            *known;
    ngx_http_integrity_threshold_t  *t;

    if (conf->thresholds == NULL && prev->place.threshold != NULL) {
        conf->place.threshold = prev->place.threshold;
        return NGX_CONF_OK;
    }

    value = ngx_palloc(cf->pool, (mcf->policy->nthresholds + 1)
                                 * sizeof(double));
    if (value == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 0; i < mcf->policy->nthresholds; i++) {
        value[i] = prev->place.threshold != NULL
                   ? prev->place.threshold[i]
                   : mcf->policy->threshold[i]->value;
    }

    conf->place.threshold = value;

    if (conf->thresholds == NULL) {
        return NGX_CONF_OK;
    }

    t = conf->thresholds->elts;

    for (i = 0; i < conf->thresholds->nelts; i++) {
        known = ig_policy_threshold(mcf->policy, t[i].settings.name);

        if (known == NULL) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "\"integrity_threshold\" \"%*s\" has no value in "
                          "http, which every threshold needs in %s:%ui",
                          t[i].settings.name.len, t[i].settings.name.data,
                          t[i].pos.file, (ngx_uint_t) t[i].pos.line);
            return NGX_CONF_ERROR;
        }

        value[known->id] = t[i].settings.value;
    }

    return NGX_CONF_OK;
}


/* Rules that `except=` leaves out of this place. */

static char *
ngx_http_integrity_merge_except(ngx_conf_t *cf,
    ngx_http_integrity_main_conf_t *mcf, ngx_http_integrity_loc_conf_t *conf)
{
    uint8_t          *except;
    ig_str_t          rest, name;
    const char       *comma;
    const ig_rule_t  *rule;

    rest = conf->mode->except;

    if (rest.len == 0) {
        return NGX_CONF_OK;
    }

    except = ngx_pcalloc(cf->pool, mcf->policy->nrules + 1);
    if (except == NULL) {
        return NGX_CONF_ERROR;
    }

    while (rest.len) {
        comma = ngx_strlchr((u_char *) rest.data,
                            (u_char *) rest.data + rest.len, ',') == NULL
                ? rest.data + rest.len
                : (char *) ngx_strlchr((u_char *) rest.data,
                                       (u_char *) rest.data + rest.len, ',');

        name.data = rest.data;
        name.len = comma - rest.data;

        rule = ig_policy_rule(mcf->policy, name);

        if (rule == NULL) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "\"integrity\" leaves out \"%*s\", which is no rule "
                          "in %s:%ui", name.len, name.data,
                          conf->mode->pos.file,
                          (ngx_uint_t) conf->mode->pos.line);
            return NGX_CONF_ERROR;
        }

        except[rule->id] = 1;

        rest.len -= name.len;
        rest.data += name.len;

        if (rest.len) {
            rest.len--;
            rest.data++;
        }
    }

    conf->place.except = except;

    return NGX_CONF_OK;
}


/*
 * True where an error page of this place may hand the call on as it is, to a
 * named location or as an answer of its own ("=").  A plain page is a GET of
 * something that tells of the error.
 */

static ngx_flag_t
ngx_http_integrity_leads(ngx_conf_t *cf)
{
    ngx_uint_t                 i;
    ngx_http_err_page_t       *page;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (clcf->error_pages == NULL) {
        return 0;
    }

    page = clcf->error_pages->elts;

    for (i = 0; i < clcf->error_pages->nelts; i++) {
        if (page[i].overwrite >= 0 || page[i].value.lengths != NULL
            || (page[i].value.value.len && page[i].value.value.data[0] == '@'))
        {
            return 1;
        }
    }

    return 0;
}


static ngx_http_integrity_mode_t  ngx_http_integrity_mode_off = {
    IG_MODE_OFF, NULL, { 0, NULL }, { NULL, 0 }
};

static ngx_http_integrity_log_t  ngx_http_integrity_log_off;

static ig_body_settings_t  ngx_http_integrity_body_default = {
    16384, 32, 1000, false, false, false, false
};


char *
ngx_http_integrity_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_integrity_loc_conf_t *prev = parent;
    ngx_http_integrity_loc_conf_t *conf = child;

    ngx_http_integrity_main_conf_t  *mcf;

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_integrity_module);

    ngx_conf_merge_ptr_value(conf->mode, prev->mode,
                             &ngx_http_integrity_mode_off);
    ngx_conf_merge_ptr_value(conf->action, prev->action, NULL);
    ngx_conf_merge_ptr_value(conf->log, prev->log,
                             &ngx_http_integrity_log_off);
    ngx_conf_merge_ptr_value(conf->tenant, prev->tenant, NULL);
    ngx_conf_merge_ptr_value(conf->body, prev->body,
                             &ngx_http_integrity_body_default);
    ngx_conf_merge_uint_value(conf->status_throttle, prev->status_throttle,
                              NGX_HTTP_TOO_MANY_REQUESTS);
    ngx_conf_merge_uint_value(conf->status_deny, prev->status_deny,
                              NGX_HTTP_FORBIDDEN);
    ngx_conf_merge_uint_value(conf->sample, prev->sample, 1);

    if (conf->control.file != NULL && conf->log->file == NULL) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"integrity_control\" needs \"integrity_audit\": every "
                      "change to a list is recorded in %s:%ui",
                      conf->control.file, (ngx_uint_t) conf->control.line);
        return NGX_CONF_ERROR;
    }

    /* What operators ask is no call, whatever the levels above say. */
    conf->decides = conf->mode->mode != IG_MODE_OFF && conf->action != NULL
                    && conf->control.file == NULL;
    conf->leads = mcf->used.file != NULL && ngx_http_integrity_leads(cf);
    conf->enabled = conf->decides || conf->leads;

    if (conf->decides) {
        conf->quiet = mcf->nplaces++;
    }

    if (conf->action != NULL && conf->action->settings.literal) {
        conf->action->plan = ig_policy_plan(mcf->policy,
                                            conf->action->settings.text);
    }

    if (ngx_http_integrity_merge_except(cf, mcf, conf) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    return ngx_http_integrity_merge_thresholds(cf, mcf, prev, conf);
}
