/*
 * ngx_http_integrity_request.c: the state machine of a request, from the
 * phase handler to the moment the decision takes effect.  States and owners:
 * see ngx_http_integrity.h.
 * Owns nothing.  Called by nginx's phases and the end of a turn.
 */

#include "ngx_http_integrity.h"

static ngx_int_t ngx_http_integrity_go(ngx_http_integrity_ctx_t *ctx);


static ngx_uint_t
ngx_http_integrity_method_matches(ngx_http_request_t *r,
    ig_action_settings_t *settings)
{
    unsigned  i;

    if (settings->nmethods == 0) {
        return (r->method & (NGX_HTTP_POST|NGX_HTTP_PUT|NGX_HTTP_PATCH
                             |NGX_HTTP_DELETE)) != 0;
    }

    for (i = 0; i < settings->nmethods; i++) {
        if (ig_str_eq(settings->method[i],
                      ngx_http_integrity_str(r->method_name)))
        {
            return 1;
        }
    }

    return 0;
}


ngx_uint_t
ngx_http_integrity_serves(ngx_http_request_t *r)
{
    return ngx_http_get_module_main_conf(r, ngx_http_integrity_module)
           == ngx_http_integrity_worker.mcf;
}


/* A variable that says nothing known means on: never pass by accident. */

static ig_mode_e
ngx_http_integrity_mode(ngx_http_request_t *r,
    ngx_http_integrity_loc_conf_t *lcf)
{
    ig_mode_e                  mode;
    ngx_str_t                  value;
    ngx_http_core_loc_conf_t  *clcf;

    static time_t  told;

    if (lcf->mode->mode != IG_MODE_VARIABLE) {
        return lcf->mode->mode;
    }

    if (ngx_http_complex_value(r, lcf->mode->value, &value) != NGX_OK) {
        return IG_MODE_ON;
    }

    if (ig_mode_parse(ngx_http_integrity_str(value), &mode)) {
        return mode;
    }

    if (told != ngx_time()) {
        told = ngx_time();

        /*
         * Neither the value nor, through the connection's log, the request
         * line: both may hold what is private.
         */

        clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

        ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                      "integrity: what the variable says in location \"%V\" "
                      "is none of on, dry_run, off: taken as on",
                      &clcf->name);
    }

    return IG_MODE_ON;
}


static ig_str_t
ngx_http_integrity_path(ngx_http_request_t *r,
    ngx_http_integrity_loc_conf_t *lcf)
{
    ngx_http_core_loc_conf_t  *clcf;

    if (lcf->log->settings.path_uri) {
        return ngx_http_integrity_str(r->uri);
    }

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    return ngx_http_integrity_str(clcf->name);
}


#if (NGX_HTTP_INTEGRITY_REPLAY)

/*
 * Only in a build for tests (make build REPLAY=1): the client says when the
 * event happened, so that a stream of the past can be held against backtest.
 */

static int64_t
ngx_http_integrity_time(ngx_http_request_t *r)
{
    ngx_uint_t        i;
    ngx_int_t         ms;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (h[i].key.len == sizeof("X-Integrity-Replay") - 1
                && ngx_strncasecmp(h[i].key.data,
                                   (u_char *) "X-Integrity-Replay",
                                   h[i].key.len)
                   == 0)
            {
                ms = ngx_atoi(h[i].value.data, h[i].value.len);
                return ms == NGX_ERROR ? ngx_http_integrity_now()
                                       : (int64_t) ms;
            }
        }
    }

    return ngx_http_integrity_now();
}

#else

#define ngx_http_integrity_time(r)  ngx_http_integrity_now()

#endif


/* A fresh call on `plan`; event id and time stay those of the request. */

static ngx_int_t
ngx_http_integrity_begin(ngx_http_integrity_ctx_t *ctx, const ig_plan_t *plan)
{
    char                             event[26];
    void                            *block;
    u_char                           random[10];
    int64_t                          time;
    ngx_str_t                        tenant;
    ngx_http_request_t              *r;
    ngx_http_integrity_main_conf_t  *mcf;

    r = ctx->request;
    mcf = ngx_http_get_module_main_conf(r, ngx_http_integrity_module);

    if (ctx->call != NULL) {
        time = ctx->call->time;
        ngx_memcpy(event, ctx->call->event, sizeof(event));

    } else {
        time = ngx_http_integrity_time(r);
        ngx_http_integrity_random(random, sizeof(random));
        ig_event_id(event, time, random);
    }

    ngx_str_null(&tenant);

    if (ctx->conf->tenant != NULL
        && ngx_http_complex_value(r, ctx->conf->tenant, &tenant) != NGX_OK)
    {
        return NGX_ERROR;
    }

    block = ngx_palloc(r->pool, ig_call_size(mcf->policy, plan));
    if (block == NULL) {
        return NGX_ERROR;
    }

    ctx->call = ig_call_init(block, mcf->policy, plan, &ctx->conf->place,
                             mcf->secret, ngx_http_integrity_str(tenant),
                             time, event);

    ctx->call->dry_run = ctx->dry_run;
    ctx->path = ngx_http_integrity_path(r, ctx->conf);

    return ngx_http_integrity_fields(ctx, 0);
}


/* Decided without the store: refused for its body, or named no action. */

static ngx_int_t
ngx_http_integrity_refuse(ngx_http_integrity_ctx_t *ctx)
{
    ig_call_t  *call;

    call = ctx->call;

    call->evaluation = IG_SKIPPED;
    call->would = IG_DENY;
    call->decision = ctx->dry_run ? IG_ALLOW : IG_DENY;
    call->counted = IG_DENY;

    ngx_http_integrity_record(ctx);

    return NGX_AGAIN;
}


static ngx_int_t
ngx_http_integrity_unclassified(ngx_http_integrity_ctx_t *ctx, ig_str_t action)
{
    ngx_http_integrity_main_conf_t  *mcf;

    ngx_http_integrity_quiet_count(ctx, action);

    if (!ctx->conf->action->settings.unclassified_deny) {
        ctx->call = NULL;
        ctx->state = NGX_HTTP_INTEGRITY_IGNORED;
        return NGX_DECLINED;
    }

    mcf = ngx_http_get_module_main_conf(ctx->request,
                                        ngx_http_integrity_module);

    if (ctx->call == NULL
        && ngx_http_integrity_begin(ctx, mcf->empty) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->status = ctx->conf->status_deny;
    ctx->reason = ig_str("no action named");

    return ngx_http_integrity_refuse(ctx);
}


/* Another place named no action: what it made of the body was by its rules. */

static void
ngx_http_integrity_forget(ngx_http_integrity_ctx_t *ctx)
{
    if (ctx->json != NULL) {
        ig_json_free(ctx->json);
        ctx->json = NULL;
    }

    ctx->reason.len = 0;
    ctx->status = 0;
}


static ngx_int_t
ngx_http_integrity_start(ngx_http_request_t *r,
    ngx_http_integrity_loc_conf_t *lcf, ngx_http_integrity_ctx_t *ctx)
{
    ig_mode_e  mode;

    if (!ngx_http_integrity_method_matches(r, &lcf->action->settings)) {
        return NGX_DECLINED;
    }

    mode = ngx_http_integrity_mode(r, lcf);

    if (mode == IG_MODE_OFF) {
        return NGX_DECLINED;
    }

    if (ctx == NULL) {
        ctx = ngx_http_integrity_make_ctx(r);
        if (ctx == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    ngx_http_integrity_forget(ctx);

    ctx->conf = lcf;
    ctx->dry_run = mode == IG_MODE_DRY_RUN;
    ctx->state = NGX_HTTP_INTEGRITY_START;

    return ngx_http_integrity_go(ctx);
}


/*
 * The first place that is asked about a request.  Where that is an error page,
 * the call was refused before any place was asked, by limit_req or access
 * control; those which come later find the context that is left here.
 */

static ngx_int_t
ngx_http_integrity_first(ngx_http_request_t *r,
    ngx_http_integrity_loc_conf_t *lcf)
{
    ngx_int_t                  rc;
    ngx_http_integrity_ctx_t  *ctx;

    if (r->error_page || r->err_status >= NGX_HTTP_SPECIAL_RESPONSE
        || r->post_action)
    {
        return NGX_DECLINED;
    }

    rc = lcf->decides ? ngx_http_integrity_start(r, lcf, NULL) : NGX_DECLINED;

    if (rc == NGX_DECLINED && lcf->leads
        && ngx_http_integrity_get_ctx(r) == NULL)
    {
        ctx = ngx_http_integrity_make_ctx(r);
        if (ctx == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        ctx->state = NGX_HTTP_INTEGRITY_IGNORED;
    }

    return rc;
}


/* Makes the call once its action is known; NGX_OK, or what to answer now. */

static ngx_int_t
ngx_http_integrity_classify(ngx_http_integrity_ctx_t *ctx)
{
    ig_str_t          action;
    const ig_plan_t  *plan;

    plan = ngx_http_integrity_plan(ctx->request, ctx->conf, &action);

    if (plan == NULL) {
        return ngx_http_integrity_unclassified(ctx, action);
    }

    return ngx_http_integrity_begin(ctx, plan) == NGX_OK
           ? NGX_OK : NGX_HTTP_INTERNAL_SERVER_ERROR;
}


/* The body's fields for the present plan; NGX_OK, or what to answer now. */

static ngx_int_t
ngx_http_integrity_inspect(ngx_http_integrity_ctx_t *ctx)
{
    ngx_int_t  rc;

    rc = ngx_http_integrity_body(ctx);

    if (rc == NGX_DECLINED) {
        return ngx_http_integrity_refuse(ctx);
    }

    return rc == NGX_ERROR ? NGX_HTTP_INTERNAL_SERVER_ERROR : rc;
}


/* integrity_action ... body: the body first, then what it says to do. */

static ngx_int_t
ngx_http_integrity_go_body(ngx_http_integrity_ctx_t *ctx)
{
    ngx_int_t                        rc;
    ngx_http_integrity_main_conf_t  *mcf;

    mcf = ngx_http_get_module_main_conf(ctx->request,
                                        ngx_http_integrity_module);

    if (ctx->call == NULL
        && ngx_http_integrity_begin(ctx, mcf->empty) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_integrity_inspect(ctx);

    return rc == NGX_OK ? ngx_http_integrity_classify(ctx) : rc;
}


/* From START, at first and again when the body is there. */

static ngx_int_t
ngx_http_integrity_go(ngx_http_integrity_ctx_t *ctx)
{
    ngx_int_t  rc;

    if (ctx->conf->action->settings.body) {
        rc = ngx_http_integrity_go_body(ctx);

    } else if (ctx->call == NULL) {
        rc = ngx_http_integrity_classify(ctx);

        if (rc == NGX_OK && ngx_http_integrity_cached(ctx, 1) == NGX_OK) {
            return NGX_AGAIN;
        }

    } else {
        rc = NGX_OK;
    }

    if (rc != NGX_OK) {
        return rc;
    }

    if (ctx->call->plan->body) {
        rc = ngx_http_integrity_inspect(ctx);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    if (ngx_http_integrity_cached(ctx, 0) == NGX_OK) {
        return NGX_AGAIN;
    }

    return ngx_http_integrity_count(ctx);
}


/* The record is in the file, or is lost: now the decision takes effect. */

static ngx_int_t
ngx_http_integrity_effect(ngx_http_integrity_ctx_t *ctx)
{
    ig_call_t                      *call;
    ngx_http_integrity_loc_conf_t  *conf;

    call = ctx->call;
    conf = ctx->conf;

    if (ctx->lost && conf->log->settings.on_error_deny && !ctx->dry_run) {
        ngx_http_integrity_take_back(ctx);
        call->decision = IG_DENY;
        ctx->status = NGX_HTTP_SERVICE_UNAVAILABLE;

    } else {
        ngx_http_integrity_settle(ctx);
    }

    if (call->decision < IG_THROTTLE) {
        ctx->state = NGX_HTTP_INTEGRITY_PASSED;
        return NGX_DECLINED;
    }

    ctx->state = NGX_HTTP_INTEGRITY_REJECTED;

    if (ctx->status == 0) {
        ctx->status = call->decision == IG_THROTTLE ? conf->status_throttle
                                                    : conf->status_deny;
    }

    return ngx_http_integrity_answer(ctx->request, ctx);
}


ngx_int_t
ngx_http_integrity_handler(ngx_http_request_t *r)
{
    ngx_http_integrity_ctx_t       *ctx;
    ngx_http_integrity_loc_conf_t  *lcf;

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_integrity_module);

    if (!lcf->enabled || r != r->main) {
        return NGX_DECLINED;
    }

    if (!ngx_http_integrity_serves(r)) {
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }

    ctx = ngx_http_integrity_get_ctx(r);

    if (ctx == NULL) {
        return ngx_http_integrity_first(r, lcf);
    }

    switch (ctx->state) {

    case NGX_HTTP_INTEGRITY_START:
        return ngx_http_integrity_go(ctx);

    case NGX_HTTP_INTEGRITY_BODY:

        /* Our callback would have said START: this is an error page. */

        ctx->state = NGX_HTTP_INTEGRITY_ABANDONED;
        return NGX_DECLINED;

    case NGX_HTTP_INTEGRITY_COUNTING:
    case NGX_HTTP_INTEGRITY_RECORDING:
        return NGX_AGAIN;

    case NGX_HTTP_INTEGRITY_RECORDED:
        return ngx_http_integrity_effect(ctx);

    case NGX_HTTP_INTEGRITY_IGNORED:
        return lcf->decides && !r->post_action
               ? ngx_http_integrity_start(r, lcf, ctx) : NGX_DECLINED;

    default: /* ABANDONED, PASSED, REJECTED */
        return NGX_DECLINED;
    }
}


/* From the end of a turn: the line of this request has been written. */

void
ngx_http_integrity_resume(ngx_http_integrity_ctx_t *ctx)
{
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = ctx->request;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    if (r->post_action) {

        /* The client left while we waited: nobody takes the answer. */

        ctx->state = NGX_HTTP_INTEGRITY_ABANDONED;
        ngx_http_integrity_settle(ctx);
        return;
    }

    ctx->state = NGX_HTTP_INTEGRITY_RECORDED;

    r->read_event_handler = ngx_http_block_reading;
    r->write_event_handler = ngx_http_core_run_phases;

    ngx_http_core_run_phases(r);

    ngx_http_run_posted_requests(c);
}
