/*
 * ngx_http_integrity_module.c: the module as nginx sees it: its directives,
 * its hooks, its phase handlers.
 * Owns: the command table.  Called by nginx.
 */

#include "ngx_http_integrity.h"

static ngx_int_t ngx_http_integrity_preconfiguration(ngx_conf_t *cf);
static ngx_int_t ngx_http_integrity_init(ngx_conf_t *cf);
static ngx_int_t ngx_http_integrity_init_module(ngx_cycle_t *cycle);


#define NGX_HTTP_INTEGRITY_PLACE                                              \
    (NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF)


static ngx_command_t  ngx_http_integrity_commands[] = {

    { ngx_string("integrity_zone"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_integrity_zone_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("integrity_redis"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_integrity_redis_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("integrity_secret"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_integrity_secret_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("integrity_node"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_integrity_node_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("integrity_field"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_2MORE,
      ngx_http_integrity_policy_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("integrity_counter"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_2MORE,
      ngx_http_integrity_policy_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("integrity_list"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_2MORE,
      ngx_http_integrity_policy_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("integrity_rule"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_2MORE,
      ngx_http_integrity_policy_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("integrity_scores"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_integrity_policy_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("integrity_time_zone"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_integrity_policy_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("integrity_threshold"),
      NGX_HTTP_INTEGRITY_PLACE|NGX_CONF_TAKE23,
      ngx_http_integrity_threshold_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("integrity"),
      NGX_HTTP_INTEGRITY_PLACE|NGX_CONF_TAKE12,
      ngx_http_integrity_mode_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("integrity_action"),
      NGX_HTTP_INTEGRITY_PLACE|NGX_CONF_1MORE,
      ngx_http_integrity_action_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("integrity_tenant"),
      NGX_HTTP_INTEGRITY_PLACE|NGX_CONF_TAKE1,
      ngx_http_integrity_tenant_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_integrity_loc_conf_t, tenant),
      NULL },

    { ngx_string("integrity_body"),
      NGX_HTTP_INTEGRITY_PLACE|NGX_CONF_1MORE,
      ngx_http_integrity_body_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("integrity_audit"),
      NGX_HTTP_INTEGRITY_PLACE|NGX_CONF_1MORE,
      ngx_http_integrity_audit_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("integrity_audit_sample"),
      NGX_HTTP_INTEGRITY_PLACE|NGX_CONF_TAKE1,
      ngx_http_integrity_sample_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("integrity_status_throttle"),
      NGX_HTTP_INTEGRITY_PLACE|NGX_CONF_TAKE1,
      ngx_http_integrity_status_code_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_integrity_loc_conf_t, status_throttle),
      NULL },

    { ngx_string("integrity_status_deny"),
      NGX_HTTP_INTEGRITY_PLACE|NGX_CONF_TAKE1,
      ngx_http_integrity_status_code_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_integrity_loc_conf_t, status_deny),
      NULL },

    { ngx_string("integrity_status"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_integrity_status_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("integrity_control"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_integrity_control_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_integrity_module_ctx = {
    ngx_http_integrity_preconfiguration,   /* preconfiguration */
    ngx_http_integrity_init,               /* postconfiguration */

    ngx_http_integrity_create_main_conf,   /* create main configuration */
    ngx_http_integrity_init_main_conf,     /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_integrity_create_loc_conf,    /* create location configuration */
    ngx_http_integrity_merge_loc_conf      /* merge location configuration */
};


ngx_module_t  ngx_http_integrity_module = {
    NGX_MODULE_V1,
    &ngx_http_integrity_module_ctx,        /* module context */
    ngx_http_integrity_commands,           /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    ngx_http_integrity_init_module,        /* init module */
    ngx_http_integrity_init_process,       /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_http_integrity_exit_process,       /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static void *
ngx_http_integrity_alloc(void *ctx, size_t size)
{
    return ngx_pcalloc(ctx, size);
}


void
ngx_http_integrity_pool_mem(ig_mem_t *mem, ngx_pool_t *pool)
{
    mem->alloc = ngx_http_integrity_alloc;
    mem->ctx = pool;
}


static ngx_int_t
ngx_http_integrity_preconfiguration(ngx_conf_t *cf)
{
    return ngx_http_integrity_add_variables(cf);
}


static ngx_int_t
ngx_http_integrity_init(ngx_conf_t *cf)
{
    ngx_http_handler_pt             *h;
    ngx_http_core_main_conf_t       *cmcf;
    ngx_http_integrity_main_conf_t  *mcf;

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_integrity_module);

    if (ngx_http_integrity_check_variables(cf) != NGX_OK
        || ngx_http_integrity_check_files(cf->cycle, mcf, cf->log) != NGX_OK)
    {
        return NGX_ERROR;
    }

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    /*
     * Handlers of a phase run in reverse order, and dynamic modules come
     * last: ours is asked before those of try_files and mirror.
     */

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_PRECONTENT_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_integrity_handler;

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_LOG_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_integrity_log_handler;

    return NGX_OK;
}


static ngx_int_t
ngx_http_integrity_init_module(ngx_cycle_t *cycle)
{
    ngx_http_integrity_main_conf_t  *mcf;

    mcf = ngx_http_cycle_get_module_main_conf(cycle,
                                              ngx_http_integrity_module);
    if (mcf == NULL) {
        return NGX_OK;
    }

    /*
     * Again, for logs that are named behind http.  An error here would end
     * the master of a running nginx: a reload is only told.
     */

    if (ngx_http_integrity_check_files(cycle, mcf, cycle->log) != NGX_OK
        && ngx_is_init_cycle(cycle->old_cycle))
    {
        return NGX_ERROR;
    }

    /* A single process reloads without init_process. */

    if (ngx_process == NGX_PROCESS_SINGLE
        && ngx_http_integrity_worker.mcf != NULL)
    {
        ngx_http_integrity_exit_process(cycle);
        return ngx_http_integrity_init_process(cycle);
    }

    return NGX_OK;
}
