/*
 * ngx_http_integrity_quiet.c: writing calls that no action of the policy
 * speaks of: counted, and told once a minute for each place, so that rules
 * do not go dead silently when an endpoint moves.
 * Owns: the worker's counts by place.  Called by the state machine and the
 * worker's tick.
 */

#include "ngx_http_integrity.h"

#define NGX_HTTP_INTEGRITY_QUIET_SECONDS  60


struct ngx_http_integrity_quiet_s {
    ngx_http_integrity_file_t  *file;
    time_t                      told;
    uint64_t                    count;      /* not told yet */
    ig_str_t                    path;       /* the location's name */
    unsigned                    denied:1;
    size_t                      method_len;
    size_t                      action_len;
    char                        method[16];
    char                        action[64];     /* what was named last */
};


size_t
ngx_http_integrity_quiet_size(ngx_http_integrity_main_conf_t *mcf)
{
    return (mcf->nplaces + 1) * sizeof(struct ngx_http_integrity_quiet_s);
}


static void
ngx_http_integrity_quiet_tell(struct ngx_http_integrity_quiet_s *quiet)
{
    ig_str_t                         method, action;
    ngx_http_integrity_main_conf_t  *mcf;

    mcf = ngx_http_integrity_worker.mcf;

    method.len = quiet->method_len;
    method.data = quiet->method;
    action.len = quiet->action_len;
    action.data = quiet->action;

    ig_event_unclassified(ngx_http_integrity_audit_line(quiet->file),
                          ngx_http_integrity_now(),
                          ngx_http_integrity_str(mcf->node), quiet->path,
                          method, action, quiet->count, quiet->denied);
    ngx_http_integrity_audit_add(quiet->file, NULL);

    quiet->told = ngx_time();
    quiet->count = 0;
}


void
ngx_http_integrity_quiet_count(ngx_http_integrity_ctx_t *ctx, ig_str_t action)
{
    ngx_http_request_t                 *r;
    ngx_http_core_loc_conf_t           *clcf;
    ngx_http_integrity_worker_t        *w = &ngx_http_integrity_worker;
    struct ngx_http_integrity_quiet_s  *quiet;

    r = ctx->request;

    ig_metric_add(w->metrics, unclassified, 1);

    if (ctx->conf->log->file == NULL) {
        return;
    }

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);
    quiet = &w->quiet[ctx->conf->quiet];

    quiet->count++;
    quiet->file = ctx->conf->log->file;
    quiet->path = ngx_http_integrity_str(clcf->name);
    quiet->denied = ctx->conf->action->settings.unclassified_deny;

    quiet->method_len = ngx_min(r->method_name.len, sizeof(quiet->method));
    ngx_memcpy(quiet->method, r->method_name.data, quiet->method_len);

    /* What is no name may be anything of a query string or a body. */

    quiet->action_len = ig_is_action(action) ? action.len : 0;
    ngx_memcpy(quiet->action, action.data, quiet->action_len);

    if (ngx_time() - quiet->told >= NGX_HTTP_INTEGRITY_QUIET_SECONDS) {
        ngx_http_integrity_quiet_tell(quiet);
    }
}


void
ngx_http_integrity_quiet_flush(ngx_uint_t all)
{
    ngx_uint_t                          i;
    ngx_http_integrity_worker_t        *w = &ngx_http_integrity_worker;
    struct ngx_http_integrity_quiet_s  *quiet;

    for (i = 0; i < w->mcf->nplaces; i++) {
        quiet = &w->quiet[i];

        if (quiet->count
            && (all
                || ngx_time() - quiet->told
                   >= NGX_HTTP_INTEGRITY_QUIET_SECONDS))
        {
            ngx_http_integrity_quiet_tell(quiet);
        }
    }
}
