/*
 * ngx_http_integrity_fields.c: what a call says as far as nginx knows it:
 * its action, and the fields that come from variables.
 * Owns nothing.  Called by the request machine.
 */

#include "ngx_http_integrity.h"


/*
 * The plan of the call, or NULL where the place names no action of the
 * policy for it; *action is what it named, possibly nothing.
 */

const ig_plan_t *
ngx_http_integrity_plan(ngx_http_request_t *r,
    ngx_http_integrity_loc_conf_t *lcf, ig_str_t *action)
{
    ig_mem_t                         mem;
    ngx_str_t                        value;
    const ig_plan_t                 *plan;
    ngx_http_integrity_main_conf_t  *mcf;

    *action = lcf->action->settings.text;
    plan = lcf->action->plan;

    if (!lcf->action->settings.literal) {

        if (ngx_http_complex_value(r, lcf->action->value, &value) != NGX_OK) {
            return NULL;
        }

        *action = ngx_http_integrity_str(value);

        if (!ig_is_action(*action)) {
            return NULL;
        }

        mcf = ngx_http_get_module_main_conf(r, ngx_http_integrity_module);
        plan = ig_policy_plan(mcf->policy, *action);

        if (plan == NULL) {
            ngx_http_integrity_pool_mem(&mem, r->pool);
            plan = ig_plan_make(mcf->policy, *action, &mem);
        }
    }

    return plan != NULL && plan->known ? plan : NULL;
}


static ngx_int_t
ngx_http_integrity_source_text(ngx_http_request_t *r,
    ngx_http_integrity_source_t *source, ngx_str_t *text)
{
    ngx_http_variable_value_t  *v;

    if (source->index < 0) {
        return ngx_http_complex_value(r, source->value, text);
    }

    v = ngx_http_get_indexed_variable(r, source->index);

    if (v == NULL || v->not_found) {
        ngx_str_null(text);
        return NGX_OK;
    }

    text->len = v->len;
    text->data = v->data;

    return NGX_OK;
}


/* `late`: those which the application's answer brought; else all others. */

ngx_int_t
ngx_http_integrity_fields(ngx_http_integrity_ctx_t *ctx, ngx_uint_t late)
{
    ig_mem_t                         mem;
    ngx_str_t                        text;
    ngx_uint_t                       i;
    const ig_source_t               *source;
    ngx_http_request_t              *r;
    ngx_http_integrity_main_conf_t  *mcf;

    r = ctx->request;
    mcf = ngx_http_get_module_main_conf(r, ngx_http_integrity_module);

    ngx_http_integrity_pool_mem(&mem, r->pool);

    for (i = 0; i < mcf->policy->nfields; i++) {
        source = ctx->call->plan->source[i];

        if (source == NULL || source->kind != IG_SOURCE_VARIABLE
            || source->late != (late != 0))
        {
            continue;
        }

        if (ngx_http_integrity_source_text(r, &mcf->source[source->id], &text)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        ig_call_set_text(ctx->call, source, ngx_http_integrity_str(text),
                         &mem);
    }

    return NGX_OK;
}
