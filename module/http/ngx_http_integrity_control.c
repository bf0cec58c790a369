/*
 * ngx_http_integrity_control.c: changes to lists by people: a POST with what
 * to do, which is recorded, then done in the store, then answered.
 * Owns: a change from its request to its answer; its batch until the store
 * has it, and again once it has settled.
 * Called by nginx as a content handler, and by the store.
 */

#include "ngx_http_integrity_control.h"

#define NGX_HTTP_INTEGRITY_CONTROL_ANSWER  512
#define NGX_HTTP_INTEGRITY_CONTROL_DEPTH   4
#define NGX_HTTP_INTEGRITY_CONTROL_VALUES  64


/* -- answers ------------------------------------------------------------- */

static ngx_int_t
ngx_http_integrity_control_send(ngx_http_request_t *r, ngx_uint_t status,
    ig_buf_t *b)
{
    ngx_str_t                 type = ngx_string("application/json");
    ngx_http_complex_value_t  cv;

    if (b->full) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_memzero(&cv, sizeof(ngx_http_complex_value_t));

    cv.value.len = b->pos - b->start;
    cv.value.data = (u_char *) b->start;

    return ngx_http_send_response(r, status, &type, &cv);
}


static ngx_int_t
ngx_http_integrity_control_error(ngx_http_integrity_control_t *ctl)
{
    char      *p;
    ig_buf_t   b, about;
    char       memory[NGX_HTTP_INTEGRITY_CONTROL_ANSWER / 4];

    p = ngx_palloc(ctl->request->pool, NGX_HTTP_INTEGRITY_CONTROL_ANSWER);
    if (p == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ig_buf_init(&b, p, NGX_HTTP_INTEGRITY_CONTROL_ANSWER);
    ig_buf_init(&about, memory, sizeof(memory));

    ig_buf_lit(&b, "{\"error\":\"");
    ig_buf_json(&about, ctl->about);

    if (ctl->about.len && !about.full) {
        ig_buf_lit(&b, "\\\"");
        ig_buf_str_add(&b, ig_buf_str(&about));
        ig_buf_lit(&b, "\\\" ");
    }

    ig_buf_bytes(&b, ctl->error, ngx_strlen(ctl->error));
    ig_buf_lit(&b, "\"}\n");

    return ngx_http_integrity_control_send(ctl->request, ctl->status, &b);
}


/* What the store has made of it. */

static ngx_int_t
ngx_http_integrity_control_result(ngx_http_integrity_control_t *ctl)
{
    char                *p;
    int64_t              until;
    ig_buf_t             b;
    ngx_http_request_t  *r;

    r = ctl->request;

    if (ctl->op.state != IG_OP_DONE) {
        ctl->status = NGX_HTTP_SERVICE_UNAVAILABLE;
        ctl->error = "the store did not answer: what was asked may have been "
                     "done or not";
        return ngx_http_integrity_control_error(ctl);
    }

    p = ngx_palloc(r->pool, NGX_HTTP_INTEGRITY_CONTROL_ANSWER);
    if (p == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    until = ctl->op.verb == IG_OP_ADD ? ctl->event.until
            : ctl->op.verb == IG_OP_READ ? ctl->op.raw.last : -1;

    ig_buf_init(&b, p, NGX_HTTP_INTEGRITY_CONTROL_ANSWER);

    ig_buf_lit(&b, "{\"op\":\"");
    ig_buf_str_add(&b, ctl->event.op);
    ig_buf_lit(&b, "\",\"list\":\"");
    ig_buf_str_add(&b, ctl->event.list->name);
    ig_buf_lit(&b, "\",\"listed\":");

    if (until > ctl->op.time) {
        ig_buf_lit(&b, "true,\"until\":\"");
        ig_buf_time(&b, until);
        ig_buf_char(&b, '"');

    } else {
        ig_buf_lit(&b, "false");
    }

    if (ctl->op.verb != IG_OP_READ) {
        ig_buf_lit(&b, ",\"event\":\"");
        ig_buf_bytes(&b, ctl->call->event, sizeof(ctl->call->event));
        ig_buf_char(&b, '"');
    }

    ig_buf_lit(&b, "}\n");

    return ngx_http_integrity_control_send(r, NGX_HTTP_OK, &b);
}


/* -- the record ---------------------------------------------------------- */

/* In the file before the change takes effect; NGX_ERROR: it is not. */

static ngx_int_t
ngx_http_integrity_control_record(ngx_http_integrity_control_t *ctl)
{
    ngx_http_integrity_ctx_t       *line;
    ngx_http_integrity_loc_conf_t  *lcf;

    lcf = ngx_http_get_module_loc_conf(ctl->request,
                                       ngx_http_integrity_module);

    /* whoever waits for a line is told by its context that it is lost */

    line = ngx_pcalloc(ctl->request->pool, sizeof(ngx_http_integrity_ctx_t));
    if (line == NULL) {
        return NGX_ERROR;
    }

    line->request = ctl->request;
    line->call = ctl->call;

    ig_event_list(ngx_http_integrity_audit_line(lcf->log->file), ctl->call,
                  &ctl->event);
    ngx_http_integrity_audit_add(lcf->log->file, line);
    ngx_http_integrity_audit_write();

    return line->lost ? NGX_ERROR : NGX_OK;
}


/* The store did not do what the log says was about to be done. */

static void
ngx_http_integrity_control_outcome(ngx_http_integrity_control_t *ctl)
{
    if (ctl->op.state == IG_OP_DONE || ctl->op.verb == IG_OP_READ) {
        return;
    }

    ctl->event.time = ngx_http_integrity_now();
    ctl->event.failed = true;

    (void) ngx_http_integrity_control_record(ctl);
}


/* -- the store ----------------------------------------------------------- */

static void
ngx_http_integrity_control_answer(ngx_event_t *ev)
{
    ngx_http_integrity_control_t *ctl = ev->data;

    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = ctl->request;
    c = r->connection;

    ngx_http_integrity_control_outcome(ctl);

    ngx_http_finalize_request(r, ngx_http_integrity_control_result(ctl));
    ngx_http_run_posted_requests(c);
}


static void
ngx_http_integrity_control_done(ig_batch_t *batch)
{
    ngx_http_integrity_control_t *ctl = batch->owner;

    if (ctl == NULL) {
        return;
    }

    ctl->batch = NULL;
    batch->owner = NULL;

    ctl->op = batch->op[0];

    if (batch->state != IG_BATCH_ANSWERED) {
        ctl->op.state = IG_OP_FAILED;
    }

    /* The store goes through its replies: nothing else may begin meanwhile. */

    ngx_post_event((&ctl->answer), &ngx_posted_events);
}


static void
ngx_http_integrity_control_cleanup(void *data)
{
    ngx_http_integrity_control_t *ctl = data;

    if (ctl->batch != NULL) {
        ctl->batch->owner = NULL;
        ctl->batch = NULL;
    }

    if (ctl->answer.posted) {
        ngx_delete_posted_event((&ctl->answer));
    }
}


static ngx_int_t
ngx_http_integrity_control_wait(ngx_http_integrity_control_t *ctl,
    ig_batch_t *batch)
{
    ngx_http_cleanup_t  *cln;
    ngx_http_request_t  *r;

    r = ctl->request;

    cln = ngx_http_cleanup_add(r, 0);

    if (cln == NULL) {
        batch->owner = NULL;
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    cln->handler = ngx_http_integrity_control_cleanup;
    cln->data = ctl;

    ctl->batch = batch;
    ctl->answer.handler = ngx_http_integrity_control_answer;
    ctl->answer.data = ctl;
    ctl->answer.log = r->connection->log;

    r->read_event_handler = ngx_http_test_reading;
    r->write_event_handler = ngx_http_request_empty_handler;

    return NGX_DONE;
}


/* An HTTP status or what sending gave; NGX_DONE: the answer comes later. */

static ngx_int_t
ngx_http_integrity_control_run(ngx_http_integrity_control_t *ctl)
{
    ngx_int_t    rc;
    ig_batch_t  *batch;

    batch = ngx_http_integrity_batch(1);
    if (batch == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    batch->op[0] = ctl->op;
    batch->nops = 1;
    batch->done = ngx_http_integrity_control_done;
    batch->settled = ngx_http_integrity_batch_free;
    batch->owner = ctl;

    rc = ngx_http_integrity_batch_run(batch, NULL);

    if (rc == NGX_AGAIN) {
        return ngx_http_integrity_control_wait(ctl, batch);
    }

    ctl->op = batch->op[0];

    if (rc != NGX_OK) {
        ctl->op.state = IG_OP_FAILED;
    }

    ngx_http_integrity_batch_free(batch);
    ngx_http_integrity_control_outcome(ctl);

    return ngx_http_integrity_control_result(ctl);
}


/* -- the body ------------------------------------------------------------ */

static void
ngx_http_integrity_control_json_cleanup(void *data)
{
    ig_json_free(data);
}


/* NGX_OK: ctl->json is there; NGX_DECLINED: it is none. */

static ngx_int_t
ngx_http_integrity_control_parse(ngx_http_integrity_control_t *ctl,
    ngx_chain_t *body)
{
    ig_str_t             text;
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(ctl->request->pool, 0);
    if (cln == NULL) {
        return NGX_ERROR;
    }

    text.len = body != NULL ? (size_t) (body->buf->last - body->buf->pos) : 0;
    text.data = body != NULL ? (char *) body->buf->pos : NULL;

    if (ig_json_scan(text, NGX_HTTP_INTEGRITY_CONTROL_DEPTH,
                     NGX_HTTP_INTEGRITY_CONTROL_VALUES)
        != IG_JSON_OK
        || ig_json_parse(text, &ctl->json) != IG_JSON_OK)
    {
        ctl->status = NGX_HTTP_BAD_REQUEST;
        ctl->error = "the body is not the JSON that is expected";
        return NGX_DECLINED;
    }

    cln->handler = ngx_http_integrity_control_json_cleanup;
    cln->data = ctl->json;

    return NGX_OK;
}


/* An HTTP status or what sending gave; NGX_DONE: the answer comes later. */

static ngx_int_t
ngx_http_integrity_control_change(ngx_http_integrity_control_t *ctl,
    ngx_chain_t *body)
{
    ngx_int_t  rc;

    rc = ngx_http_integrity_control_parse(ctl, body);

    if (rc == NGX_OK) {
        rc = ngx_http_integrity_control_read(ctl);
    }

    if (rc == NGX_OK && ctl->op.verb != IG_OP_READ
        && ngx_http_integrity_control_record(ctl) != NGX_OK)
    {
        ctl->status = NGX_HTTP_SERVICE_UNAVAILABLE;
        ctl->error = "the audit log cannot be written: nothing was changed";
        rc = NGX_DECLINED;
    }

    switch (rc) {

    case NGX_OK:
        return ngx_http_integrity_control_run(ctl);

    case NGX_DECLINED:
        return ngx_http_integrity_control_error(ctl);

    default:
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
}


static void
ngx_http_integrity_control_body(ngx_http_request_t *r)
{
    ngx_int_t                      rc;
    ngx_chain_t                   *body;
    ngx_http_integrity_control_t  *ctl;

    ctl = ngx_pcalloc(r->pool, sizeof(ngx_http_integrity_control_t));

    if (ctl == NULL || r->request_body == NULL) {
        ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

    ctl->request = r;
    body = r->request_body->bufs;

    if (r->request_body->temp_file != NULL
        || (body != NULL && body->next != NULL))
    {
        ngx_http_finalize_request(r, NGX_HTTP_REQUEST_ENTITY_TOO_LARGE);
        return;
    }

    rc = ngx_http_integrity_control_change(ctl, body);

    if (rc != NGX_DONE) {
        ngx_http_finalize_request(r, rc);
    }
}


static ngx_int_t
ngx_http_integrity_control_handler(ngx_http_request_t *r)
{
    ngx_int_t                     rc;
    ngx_http_integrity_content_t  content;

    if (r->method != NGX_HTTP_POST) {
        return NGX_HTTP_NOT_ALLOWED;
    }

    if (ngx_http_integrity_worker.mcf == NULL) {
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }

    /* no form of a web page can send this type elsewhere unasked */

    ngx_http_integrity_content(r, &content);

    if (!content.json || content.types != 1 || content.encoded) {
        return NGX_HTTP_UNSUPPORTED_MEDIA_TYPE;
    }

    r->request_body_in_single_buf = 1;

    rc = ngx_http_read_client_request_body(r, ngx_http_integrity_control_body);

    return rc >= NGX_HTTP_SPECIAL_RESPONSE ? rc : NGX_DONE;
}


char *
ngx_http_integrity_control_slot(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_integrity_loc_conf_t *lcf = conf;

    ngx_http_core_loc_conf_t        *clcf;
    ngx_http_integrity_main_conf_t  *mcf;

    if (lcf->control.file != NULL) {
        return "is duplicate";
    }

    lcf->control.file = (char *) cf->conf_file->file.name.data;
    lcf->control.line = cf->conf_file->line;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_http_integrity_control_handler;

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_integrity_module);

    if (mcf->used.file == NULL) {
        mcf->used = lcf->control;
        mcf->used_by = "integrity_control";
    }

    return NGX_CONF_OK;
}
