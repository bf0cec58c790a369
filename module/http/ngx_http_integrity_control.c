/*
 * ngx_http_integrity_control.c: what people ask of a running nginx: a POST
 * with what to do, which is recorded, then done in the store, then answered.
 * Owns: a question from its request to its answer.
 * Called by nginx as a content handler, and when the store has answered.
 */

#include "ngx_http_integrity_control.h"

#define NGX_HTTP_INTEGRITY_CONTROL_ANSWER  24576    /* 48 counters of names
                                                       of 64 bytes */
#define NGX_HTTP_INTEGRITY_CONTROL_ABOUT   128      /* of a wrong part */
#define NGX_HTTP_INTEGRITY_CONTROL_NONE    256
#define NGX_HTTP_INTEGRITY_CONTROL_BODY    (32 * 1024)
#define NGX_HTTP_INTEGRITY_CONTROL_DEPTH   4
#define NGX_HTTP_INTEGRITY_CONTROL_VALUES  64


static const ngx_http_integrity_control_op_t
    *const ngx_http_integrity_control_ops[] = {
    &ngx_http_integrity_control_add,
    &ngx_http_integrity_control_remove,
    &ngx_http_integrity_control_show,
    &ngx_http_integrity_control_inspect,
    &ngx_http_integrity_control_reset,
    &ngx_http_integrity_control_load_look,
    &ngx_http_integrity_control_load_begin,
    &ngx_http_integrity_control_load_write,
    &ngx_http_integrity_control_load_end
};


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
    char       memory[NGX_HTTP_INTEGRITY_CONTROL_ABOUT];

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


static ngx_int_t
ngx_http_integrity_control_result(ngx_http_integrity_control_t *ctl)
{
    char      *p;
    ig_buf_t   b;

    if (ctl->failed && ctl->error == NULL) {
        ctl->status = NGX_HTTP_SERVICE_UNAVAILABLE;
        ctl->about = ig_str("");
        ctl->error = "the store did not answer: what was asked may have been "
                     "done or not";
    }

    if (ctl->error != NULL) {
        return ngx_http_integrity_control_error(ctl);
    }

    p = ngx_palloc(ctl->request->pool, NGX_HTTP_INTEGRITY_CONTROL_ANSWER);
    if (p == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ig_buf_init(&b, p, NGX_HTTP_INTEGRITY_CONTROL_ANSWER);
    ctl->what->answer(ctl, &b);

    return ngx_http_integrity_control_send(ctl->request, NGX_HTTP_OK, &b);
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

    ctl->what->record(ctl, ngx_http_integrity_audit_line(lcf->log->file));
    ngx_http_integrity_audit_add(lcf->log->file, line);
    ngx_http_integrity_audit_write();

    return line->lost ? NGX_ERROR : NGX_OK;
}


/* What the store did not do, although the log says it was about to be done. */

ngx_int_t
ngx_http_integrity_control_end(ngx_http_integrity_control_t *ctl)
{
    unsigned  i;

    for (i = 0; i < ctl->nops; i++) {
        if (ctl->op[i].state != IG_OP_DONE) {
            ctl->failed = 1;
        }
    }

    if (ctl->failed && ctl->what->record != NULL) {
        (void) ngx_http_integrity_control_record(ctl);
    }

    return ngx_http_integrity_control_result(ctl);
}


/* -- what is asked ------------------------------------------------------- */

static ngx_int_t
ngx_http_integrity_control_none(ngx_http_integrity_control_t *ctl)
{
    char        *p;
    ig_buf_t     b;
    ngx_uint_t   i;

    p = ngx_palloc(ctl->request->pool, NGX_HTTP_INTEGRITY_CONTROL_NONE);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ig_buf_init(&b, p, NGX_HTTP_INTEGRITY_CONTROL_NONE - 1);
    ig_buf_lit(&b, "is none of");

    for (i = 0; i < ig_countof(ngx_http_integrity_control_ops); i++) {
        ig_buf_bytes(&b, ", ", i > 0 ? 2 : 0);
        ig_buf_bytes(&b, " ", i > 0 ? 0 : 1);
        ig_buf_str_add(&b, ngx_http_integrity_control_ops[i]->name);
    }

    *b.pos = '\0';

    return ngx_http_integrity_control_wrong(ctl, p, ig_str("op"));
}


static ngx_int_t
ngx_http_integrity_control_what(ngx_http_integrity_control_t *ctl,
    ig_mem_t *mem)
{
    ig_str_t    name;
    ngx_uint_t  i;

    name = ngx_http_integrity_control_text(ctl, "op", mem);

    for (i = 0; i < ig_countof(ngx_http_integrity_control_ops); i++) {
        if (ig_str_eq(name, ngx_http_integrity_control_ops[i]->name)) {
            ctl->what = ngx_http_integrity_control_ops[i];
            return NGX_OK;
        }
    }

    return ngx_http_integrity_control_none(ctl);
}


static ngx_int_t
ngx_http_integrity_control_read(ngx_http_integrity_control_t *ctl)
{
    ig_mem_t   mem;
    ngx_int_t  rc;

    ngx_http_integrity_pool_mem(&mem, ctl->request->pool);

    rc = ngx_http_integrity_control_what(ctl, &mem);

    if (rc == NGX_OK) {
        rc = ngx_http_integrity_control_call(ctl, &mem);
    }

    return rc == NGX_OK ? ctl->what->read(ctl, &mem) : rc;
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
    ig_str_t text)
{
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(ctl->request->pool, 0);
    if (cln == NULL) {
        return NGX_ERROR;
    }

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
ngx_http_integrity_control_do(ngx_http_integrity_control_t *ctl,
    ig_str_t body)
{
    ngx_int_t  rc;

    rc = ngx_http_integrity_control_parse(ctl, body);

    if (rc == NGX_OK) {
        rc = ngx_http_integrity_control_read(ctl);
    }

    if (rc == NGX_OK && ctl->what->record != NULL
        && ngx_http_integrity_control_record(ctl) != NGX_OK)
    {
        rc = ngx_http_integrity_control_wrong(ctl,
                 "the audit log cannot be written: nothing was changed",
                 ig_str(""));
        ctl->status = NGX_HTTP_SERVICE_UNAVAILABLE;
    }

    switch (rc) {

    case NGX_OK:
        return ctl->what->run != NULL ? ctl->what->run(ctl)
                                      : ngx_http_integrity_control_run(ctl);

    case NGX_DECLINED:
        return ngx_http_integrity_control_error(ctl);

    default:
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
}


static void
ngx_http_integrity_control_body(ngx_http_request_t *r)
{
    ig_str_t                       body;
    ngx_int_t                      rc;
    ngx_http_integrity_control_t  *ctl;

    ctl = ngx_pcalloc(r->pool, sizeof(ngx_http_integrity_control_t));

    if (ctl == NULL || r->request_body == NULL) {
        ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

    ctl->request = r;

    rc = ngx_http_integrity_body_gather(r, NGX_HTTP_INTEGRITY_CONTROL_BODY,
                                        &body);
    if (rc != NGX_OK) {
        ngx_http_finalize_request(r, rc == NGX_DECLINED
                                     ? NGX_HTTP_REQUEST_ENTITY_TOO_LARGE
                                     : NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

    rc = ngx_http_integrity_control_do(ctl, body);

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
