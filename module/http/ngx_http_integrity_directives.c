/*
 * ngx_http_integrity_directives.c: the slot functions of the command table:
 * the core reads the arguments, these put them where nginx wants them.
 * Owns nothing.  Called by nginx while it reads the configuration.
 */

#include "ngx_http_integrity.h"


static ig_pos_t
ngx_http_integrity_pos(ngx_conf_t *cf)
{
    ig_pos_t  pos;

    if (cf->conf_file == NULL || cf->conf_file->file.name.data == NULL) {
        pos.file = "command line";
        pos.line = 0;

    } else {
        pos.file = (const char *) cf->conf_file->file.name.data;
        pos.line = cf->conf_file->line;
    }

    return pos;
}


char *
ngx_http_integrity_conf_error(ngx_conf_t *cf, const ig_error_t *err)
{
    if (err->pos.file == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%s", err->text);

    } else {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0, "%s in %s:%ui", err->text,
                      err->pos.file, (ngx_uint_t) err->pos.line);
    }

    return NGX_CONF_ERROR;
}


/* The arguments as the core reads them, copied to live as long as cf->pool. */

static ig_str_t *
ngx_http_integrity_args(ngx_conf_t *cf)
{
    ig_str_t    *args;
    ngx_str_t   *value;
    ngx_uint_t   i;

    args = ngx_palloc(cf->pool, cf->args->nelts * sizeof(ig_str_t));
    if (args == NULL) {
        return NULL;
    }

    value = cf->args->elts;

    for (i = 0; i < cf->args->nelts; i++) {
        args[i] = ngx_http_integrity_str(value[i]);
    }

    return args;
}


/* Runs one reader of ig_settings.h over the directive at hand. */

#define ngx_http_integrity_settings(cf, reader, settings)                     \
    do {                                                                      \
        ig_str_t    *args_;                                                   \
        ig_error_t   err_;                                                    \
                                                                              \
        args_ = ngx_http_integrity_args(cf);                                  \
        if (args_ == NULL) {                                                  \
            return NGX_CONF_ERROR;                                            \
        }                                                                     \
                                                                              \
        if (reader(args_, (unsigned) (cf)->args->nelts,                       \
                   ngx_http_integrity_pos(cf), settings, &err_)               \
            != IG_OK)                                                         \
        {                                                                     \
            return ngx_http_integrity_conf_error(cf, &err_);                  \
        }                                                                     \
    } while (0)


char *
ngx_http_integrity_policy_slot(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_integrity_main_conf_t  *mcf;

    int          rc;
    ig_str_t    *args;
    ig_error_t   err;

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_integrity_module);

    args = ngx_http_integrity_args(cf);
    if (args == NULL) {
        return NGX_CONF_ERROR;
    }

    rc = ig_policy_directive(mcf->policy, args, (unsigned) cf->args->nelts,
                             ngx_http_integrity_pos(cf), &err);

    if (rc == IG_ERROR) {
        return ngx_http_integrity_conf_error(cf, &err);
    }

    return rc == IG_OK ? NGX_CONF_OK : NGX_CONF_ERROR;
}


char *
ngx_http_integrity_threshold_slot(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_integrity_loc_conf_t *lcf = conf;

    ngx_uint_t                       i;
    ig_threshold_settings_t          settings;
    ngx_http_integrity_threshold_t  *t;

    if (cf->cmd_type & NGX_HTTP_MAIN_CONF) {
        return ngx_http_integrity_policy_slot(cf, cmd, conf);
    }

    ngx_http_integrity_settings(cf, ig_settings_threshold, &settings);

    if (lcf->thresholds == NULL) {
        lcf->thresholds = ngx_array_create(cf->pool, 4,
                                     sizeof(ngx_http_integrity_threshold_t));
        if (lcf->thresholds == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    t = lcf->thresholds->elts;

    for (i = 0; i < lcf->thresholds->nelts; i++) {
        if (ig_str_eq(t[i].settings.name, settings.name)) {
            return "is duplicate";
        }
    }

    t = ngx_array_push(lcf->thresholds);
    if (t == NULL) {
        return NGX_CONF_ERROR;
    }

    t->settings = settings;
    t->pos = ngx_http_integrity_pos(cf);

    return NGX_CONF_OK;
}


char *
ngx_http_integrity_zone_slot(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_integrity_main_conf_t *mcf = conf;

    ngx_str_t  name;

    if (mcf->zone != NULL) {
        return "is duplicate";
    }

    ngx_http_integrity_settings(cf, ig_settings_zone, &mcf->zone_settings);

    name.len = mcf->zone_settings.name.len;
    name.data = (u_char *) mcf->zone_settings.name.data;

    mcf->zone = ngx_shared_memory_add(cf, &name,
                                      (size_t) mcf->zone_settings.size,
                                      &ngx_http_integrity_module);
    if (mcf->zone == NULL) {
        return NGX_CONF_ERROR;
    }

    mcf->zone->init = ngx_http_integrity_zone_init;
    mcf->zone->data = mcf;

    return NGX_CONF_OK;
}


char *
ngx_http_integrity_redis_slot(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_integrity_main_conf_t *mcf = conf;

    ngx_url_t   u;
    ngx_str_t   file, text;
    ig_str_t   *address;

    if (mcf->redis) {
        return "is duplicate";
    }

    ngx_http_integrity_settings(cf, ig_settings_redis, &mcf->redis_settings);

    address = &mcf->redis_settings.address;

    ngx_memzero(&u, sizeof(ngx_url_t));

    u.url.len = address->len;
    u.url.data = (u_char *) address->data;
    u.default_port = 6379;

    if (ngx_parse_url(cf->pool, &u) != NGX_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "%s in \"integrity_redis\" address \"%V\"",
                           u.err ? u.err : "invalid address", &u.url);
        return NGX_CONF_ERROR;
    }

    mcf->redis_addr = u.addrs[0];

    if (mcf->redis_settings.password_file.len) {
        file.len = mcf->redis_settings.password_file.len;
        file.data = (u_char *) mcf->redis_settings.password_file.data;

        if (ngx_http_integrity_read_private(cf, &cmd->name, &file, &text)
            != NGX_OK)
        {
            return NGX_CONF_ERROR;
        }

        while (text.len && (text.data[text.len - 1] == LF
                            || text.data[text.len - 1] == CR))
        {
            text.len--;
        }

        if (text.len == 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "integrity_redis: password file \"%V\" is "
                               "empty", &file);
            return NGX_CONF_ERROR;
        }

        mcf->redis_password = text;
    }

    mcf->redis = 1;

    return NGX_CONF_OK;
}


char *
ngx_http_integrity_secret_slot(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_integrity_main_conf_t *mcf = conf;

    int          rc;
    ngx_str_t   *value, file, text;
    ig_error_t   err;

    if (mcf->secret != NULL) {
        return "is duplicate";
    }

    value = cf->args->elts;
    file = value[1];

    if (ngx_http_integrity_read_private(cf, &cmd->name, &file, &text)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    mcf->secret = ngx_pcalloc(cf->pool, sizeof(ig_secret_t));
    if (mcf->secret == NULL) {
        return NGX_CONF_ERROR;
    }

    rc = ig_secret_parse(ngx_http_integrity_str(text), mcf->secret, &err);

    ngx_explicit_memzero(text.data, text.len);

    if (rc != IG_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "integrity_secret: \"%V\": %s", &file,
                           err.text);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


char *
ngx_http_integrity_node_slot(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_integrity_main_conf_t *mcf = conf;

    ig_str_t  node;

    if (mcf->node.len) {
        return "is duplicate";
    }

    ngx_http_integrity_settings(cf, ig_settings_node, &node);

    mcf->node.len = node.len;
    mcf->node.data = (u_char *) node.data;

    return NGX_CONF_OK;
}


char *
ngx_http_integrity_audit_slot(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_integrity_loc_conf_t *lcf = conf;

    ngx_str_t                  name;
    ngx_http_integrity_log_t  *log;

    if (lcf->log != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    log = ngx_pcalloc(cf->pool, sizeof(ngx_http_integrity_log_t));
    if (log == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_http_integrity_settings(cf, ig_settings_audit, &log->settings);

    if (log->settings.file.len) {
        name.len = log->settings.file.len;
        name.data = (u_char *) log->settings.file.data;

        log->file = ngx_http_integrity_audit_file(cf, name,
                                                  ngx_http_integrity_pos(cf));
        if (log->file == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    lcf->log = log;

    return NGX_CONF_OK;
}


char *
ngx_http_integrity_sample_slot(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_integrity_loc_conf_t *lcf = conf;

    uint64_t  sample;

    if (lcf->sample != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    ngx_http_integrity_settings(cf, ig_settings_sample, &sample);

    lcf->sample = (ngx_uint_t) sample;

    return NGX_CONF_OK;
}


/* A string with variables; NULL where it does not compile (told already). */

static ngx_http_complex_value_t *
ngx_http_integrity_complex(ngx_conf_t *cf, ig_str_t text)
{
    ngx_str_t                          value;
    ngx_http_complex_value_t          *cv;
    ngx_http_compile_complex_value_t   ccv;

    value.len = text.len;
    value.data = (u_char *) text.data;

    cv = ngx_palloc(cf->pool, sizeof(ngx_http_complex_value_t));
    if (cv == NULL) {
        return NULL;
    }

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = &value;
    ccv.complex_value = cv;

    return ngx_http_compile_complex_value(&ccv) == NGX_OK ? cv : NULL;
}


/* Remembered for the end of http, when all variables are known. */

static ngx_int_t
ngx_http_integrity_text(ngx_conf_t *cf, ngx_command_t *cmd, ig_str_t text)
{
    ngx_http_integrity_text_t       *t;
    ngx_http_integrity_main_conf_t  *mcf;

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_integrity_module);

    t = ngx_array_push(&mcf->texts);
    if (t == NULL) {
        return NGX_ERROR;
    }

    t->directive = cmd->name;
    t->text = text;
    t->pos = ngx_http_integrity_pos(cf);

    return NGX_OK;
}


char *
ngx_http_integrity_tenant_slot(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t  *value;

    value = cf->args->elts;

    if (ngx_http_integrity_text(cf, cmd, ngx_http_integrity_str(value[1]))
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    return ngx_http_set_complex_value_slot(cf, cmd, conf);
}


char *
ngx_http_integrity_mode_slot(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_integrity_loc_conf_t *lcf = conf;

    ig_mode_settings_t               settings;
    ngx_http_integrity_mode_t       *mode;
    ngx_http_integrity_main_conf_t  *mcf;

    if (lcf->mode != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    ngx_http_integrity_settings(cf, ig_settings_mode, &settings);

    mode = ngx_pcalloc(cf->pool, sizeof(ngx_http_integrity_mode_t));
    if (mode == NULL) {
        return NGX_CONF_ERROR;
    }

    mode->mode = settings.mode;
    mode->except = settings.except;
    mode->pos = ngx_http_integrity_pos(cf);

    if (settings.mode == IG_MODE_VARIABLE) {
        mode->value = ngx_http_integrity_complex(cf, settings.variable);

        if (mode->value == NULL
            || ngx_http_integrity_text(cf, cmd, settings.variable) != NGX_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    if (settings.mode != IG_MODE_OFF) {
        mcf = ngx_http_conf_get_module_main_conf(cf,
                                                 ngx_http_integrity_module);
        if (mcf->used.file == NULL) {
            mcf->used = mode->pos;
            mcf->used_by = "integrity";
        }
    }

    lcf->mode = mode;

    return NGX_CONF_OK;
}


char *
ngx_http_integrity_action_slot(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_integrity_loc_conf_t *lcf = conf;

    ngx_http_integrity_action_t     *action;
    ngx_http_integrity_main_conf_t  *mcf;

    if (lcf->action != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_integrity_module);

    action = ngx_pcalloc(cf->pool, sizeof(ngx_http_integrity_action_t));
    if (action == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_http_integrity_settings(cf, ig_settings_action, &action->settings);

    if (!action->settings.literal) {
        action->value = ngx_http_integrity_complex(cf, action->settings.text);

        if (action->value == NULL
            || ngx_http_integrity_text(cf, cmd, action->settings.text)
               != NGX_OK)
        {
            return NGX_CONF_ERROR;
        }

    } else if (ig_policy_action(mcf->policy, action->settings.text) != IG_OK) {
        return NGX_CONF_ERROR;
    }

    lcf->action = action;

    return NGX_CONF_OK;
}


char *
ngx_http_integrity_body_slot(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_integrity_loc_conf_t *lcf = conf;

    ig_body_settings_t  *body;

    if (lcf->body != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    body = ngx_pcalloc(cf->pool, sizeof(ig_body_settings_t));
    if (body == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_http_integrity_settings(cf, ig_settings_body, body);

    lcf->body = body;

    return NGX_CONF_OK;
}


char *
ngx_http_integrity_status_code_slot(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    char  *p = conf;

    unsigned     status;
    ngx_uint_t  *field;

    field = (ngx_uint_t *) (p + cmd->offset);

    if (*field != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    ngx_http_integrity_settings(cf, ig_settings_status, &status);

    *field = status;

    return NGX_CONF_OK;
}
