/*
 * ngx_http_integrity_status.c: the status page: metrics of all workers as
 * JSON, or with ?format=prometheus as Prometheus text.
 * Owns nothing.  Called by nginx as a content handler.
 */

#include "ngx_http_integrity.h"


static ngx_uint_t
ngx_http_integrity_wants_prometheus(ngx_http_request_t *r)
{
    ngx_str_t  value;

    return ngx_http_arg(r, (u_char *) "format", 6, &value) == NGX_OK
           && value.len == sizeof("prometheus") - 1
           && ngx_strncmp(value.data, "prometheus", value.len) == 0;
}


static ngx_int_t
ngx_http_integrity_status_handler(ngx_http_request_t *r)
{
    u_char                          *p;
    ig_buf_t                         b;
    ngx_int_t                        rc;
    ngx_str_t                        type;
    ngx_http_complex_value_t         cv;
    ngx_http_integrity_main_conf_t  *mcf;

    void  (*render)(ig_buf_t *b, const ig_metrics_t *m, ig_str_t version,
                    ig_str_t node, ig_str_t policy);

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return NGX_HTTP_NOT_ALLOWED;
    }

    if (ngx_http_integrity_worker.mcf == NULL) {
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    mcf = ngx_http_get_module_main_conf(r, ngx_http_integrity_module);

    p = ngx_palloc(r->pool, IG_METRICS_PAGE);
    if (p == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ig_buf_init(&b, (char *) p, IG_METRICS_PAGE);

    if (ngx_http_integrity_wants_prometheus(r)) {
        render = ig_metrics_prometheus;
        ngx_str_set(&type, "text/plain; version=0.0.4; charset=utf-8");

    } else {
        render = ig_metrics_json;
        ngx_str_set(&type, "application/json");
    }

    render(&b, ngx_http_integrity_worker.metrics,
           ig_str(IG_VERSION),
           ngx_http_integrity_str(mcf->node),
           (ig_str_t) { 2 * IG_SHA256, mcf->policy_hex });

    if (b.full) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_memzero(&cv, sizeof(ngx_http_complex_value_t));

    cv.value.len = b.pos - b.start;
    cv.value.data = p;

    return ngx_http_send_response(r, NGX_HTTP_OK, &type, &cv);
}


char *
ngx_http_integrity_status_slot(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_core_loc_conf_t        *clcf;
    ngx_http_integrity_main_conf_t  *mcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_http_integrity_status_handler;

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_integrity_module);

    if (mcf->used.file == NULL) {
        mcf->used.file = (char *) cf->conf_file->file.name.data;
        mcf->used.line = cf->conf_file->line;
        mcf->used_by = "integrity_status";
    }

    return NGX_CONF_OK;
}
