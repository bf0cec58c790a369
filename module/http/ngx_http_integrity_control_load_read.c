/*
 * ngx_http_integrity_control_load_read.c: what `integrityctl load` says and
 * what it is told: the four operations.
 * Owns nothing but what is in the request's pool.
 * Called by ngx_http_integrity_control.c.
 */

#include "ngx_http_integrity_control_load.h"

#define NGX_HTTP_INTEGRITY_LOAD_MOST   (INT64_C(1) << 53)
#define NGX_HTTP_INTEGRITY_LOAD_AHEAD  60000    /* ms: clocks are set back */


/* -- what is the same in all --------------------------------------------- */

/* Says which policy nginx runs, as the audit log does. */

static ngx_int_t
ngx_http_integrity_load_other(ngx_http_integrity_control_t *ctl,
    const char *hash)
{
    u_char  *error;

    static const char  text[] =
        "nginx runs another policy (%*s) than the configuration that load "
        "was given: reload nginx, or give its own%Z";

    error = ngx_pnalloc(ctl->request->pool,
                        sizeof(text) + 2 * IG_EVENT_POLICY);
    if (error == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_sprintf(error, text, (size_t) (2 * IG_EVENT_POLICY), hash);

    ctl->status = NGX_HTTP_CONFLICT;

    return ngx_http_integrity_control_wrong(ctl, (char *) error, ig_str(""));
}


/* Both sides must mean the same: counters, their keys, the keys' hashes. */

static ngx_int_t
ngx_http_integrity_load_match(ngx_http_integrity_control_t *ctl,
    ig_mem_t *mem)
{
    char      hash[2 * IG_SHA256], proof[2 * IG_LOAD_PROOF];
    uint8_t   expected[IG_LOAD_PROOF];
    ig_buf_t  b;

    ig_buf_init(&b, hash, sizeof(hash));
    ig_buf_hex(&b, ctl->call->policy->hash, sizeof(ctl->call->policy->hash));

    if (!ig_str_eq(ngx_http_integrity_control_text(ctl, "policy", mem),
                   ig_buf_str(&b)))
    {
        return ngx_http_integrity_load_other(ctl, hash);
    }

    ig_load_proof(ctl->call->secret, ctl->call->policy, expected);
    ig_buf_init(&b, proof, sizeof(proof));
    ig_buf_hex(&b, expected, sizeof(expected));

    if (!ig_str_eq(ngx_http_integrity_control_text(ctl, "proof", mem),
                   ig_buf_str(&b)))
    {
        ctl->status = NGX_HTTP_CONFLICT;
        return ngx_http_integrity_control_wrong(ctl,
                   "nginx has another secret than load: the keys would never "
                   "be found", ig_str(""));
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_integrity_load_prepare(ngx_http_integrity_control_t *ctl,
    ig_load_step_e last, ig_mem_t *mem)
{
    unsigned                       i;
    ngx_http_integrity_loading_t  *l;

    l = ngx_pcalloc(ctl->request->pool, sizeof(ngx_http_integrity_loading_t));
    if (l == NULL) {
        return NGX_ERROR;
    }

    l->last = last;

    for (i = 0; i < IG_MAX_COUNTERS; i++) {
        l->since[i] = -1;
    }

    ctl->data = l;

    if (ctl->call->secret == NULL) {
        return ngx_http_integrity_control_wrong(ctl,
                   "\"integrity_secret\" is missing in nginx's configuration",
                   ig_str(""));
    }

    ig_load_rank(ctl->call->policy, l->rank);

    return ngx_http_integrity_load_match(ctl, mem);
}


static ngx_int_t
ngx_http_integrity_load_id(ngx_http_integrity_control_t *ctl, ig_mem_t *mem)
{
    ig_str_t                       id;
    ngx_http_integrity_loading_t  *l = ctl->data;

    id = ngx_http_integrity_control_text(ctl, "id", mem);

    if (!ig_load_id_read(id, l->cursor.id)) {
        return ngx_http_integrity_control_wrong(ctl, "is no id of a load",
                                                ig_str("id"));
    }

    ngx_memcpy(l->id, id.data, id.len);

    return NGX_OK;
}


/*
 * Which batch of how many: 1 to `of`, or none, where `seq` is NULL.  The store
 * could not read another cursor back.
 */

static ngx_int_t
ngx_http_integrity_load_place(ngx_http_integrity_control_t *ctl,
    const char *seq, ig_mem_t *mem)
{
    int64_t                        of, done;
    ngx_http_integrity_loading_t  *l = ctl->data;

    done = 0;

    if (ngx_http_integrity_control_uint(ctl, "of",
                                        NGX_HTTP_INTEGRITY_LOAD_MOST, &of,
                                        mem)
        != NGX_OK
        || (seq != NULL
            && ngx_http_integrity_control_uint(ctl, seq, of, &done, mem)
               != NGX_OK))
    {
        return NGX_DECLINED;
    }

    if (of == 0) {
        return ngx_http_integrity_control_wrong(ctl, "is no number of batches",
                                                ig_str("of"));
    }

    if (seq != NULL && done == 0) {
        return ngx_http_integrity_control_wrong(ctl, "is no batch of them",
                                                ig_str("seq"));
    }

    l->cursor.done = (uint64_t) done;
    l->cursor.of = (uint64_t) of;

    return NGX_OK;
}


/* For the record of its beginning and its end. */

static ngx_int_t
ngx_http_integrity_load_story(ngx_http_integrity_control_t *ctl, ig_str_t op,
    ig_mem_t *mem)
{
    int64_t                          events, writes;
    ig_event_load_t                 *event;
    ngx_http_integrity_loading_t    *l = ctl->data;
    ngx_http_integrity_main_conf_t  *mcf;

    const int64_t  most = NGX_HTTP_INTEGRITY_LOAD_MOST;

    mcf = ngx_http_get_module_main_conf(ctl->request,
                                        ngx_http_integrity_module);
    event = &l->event;

    if (ngx_http_integrity_control_uint(ctl, "from", most, &event->since,
                                        mem) != NGX_OK
        || ngx_http_integrity_control_uint(ctl, "to", most, &event->until,
                                           mem) != NGX_OK
        || ngx_http_integrity_control_uint(ctl, "events", most, &events, mem)
           != NGX_OK
        || ngx_http_integrity_control_uint(ctl, "writes", most, &writes, mem)
           != NGX_OK
        || ngx_http_integrity_load_id(ctl, mem) != NGX_OK
        || ngx_http_integrity_control_why(ctl, mem) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    event->op = op;
    event->load = (ig_str_t) { sizeof(l->id), l->id };
    event->time = ctl->call->time;
    event->events = (uint64_t) events;
    event->writes = (uint64_t) writes;
    event->reason = ctl->reason;
    event->by = ctl->by;
    event->node = ngx_http_integrity_str(mcf->node);

    return NGX_OK;
}


static void
ngx_http_integrity_load_record(ngx_http_integrity_control_t *ctl,
    ig_buf_t *line)
{
    ngx_http_integrity_loading_t *l = ctl->data;

    if (ctl->failed) {
        l->event.time = ngx_http_integrity_now();
        l->event.failed = true;
    }

    ig_event_load(line, ctl->call, &l->event);
}


/* Numbers by rank as text, "-1" where there is none. */

static void
ngx_http_integrity_load_since_write(const ngx_http_integrity_control_t *ctl,
    ig_buf_t *b)
{
    unsigned                       i;
    ngx_http_integrity_loading_t  *l = ctl->data;

    for (i = 0; i < ctl->call->policy->ncounters; i++) {
        ig_buf_bytes(b, ",", i > 0);
        ig_buf_i64(b, l->since[l->rank[i]->id]);
    }
}


static ngx_int_t
ngx_http_integrity_load_since_read(ngx_http_integrity_control_t *ctl,
    ig_mem_t *mem)
{
    size_t                         len;
    ig_str_t                       text;
    unsigned                       i;
    uint64_t                       n;
    ngx_http_integrity_loading_t  *l = ctl->data;

    text = ngx_http_integrity_control_text(ctl, "since", mem);

    for (i = 0; i < ctl->call->policy->ncounters; i++) {
        for (len = 0; len < text.len && text.data[len] != ','; len++) {
            /* void */
        }

        if (ig_parse_uint((ig_str_t) { len, text.data },
                          (uint64_t) ctl->call->time, &n))
        {
            l->since[l->rank[i]->id] = (int64_t) n;
        }

        len += len < text.len;
        text.data += len;
        text.len -= len;
    }

    return NGX_OK;
}


static void
ngx_http_integrity_load_cursor(const ig_load_cursor_t *cursor, ig_buf_t *b)
{
    if (cursor->of == 0) {
        return;
    }

    ig_buf_lit(b, ",\"id\":\"");
    ig_buf_hex(b, cursor->id, IG_LOAD_ID);
    ig_buf_lit(b, "\",\"at\":");
    ig_buf_i64(b, cursor->now);
    ig_buf_lit(b, ",\"done\":");
    ig_buf_u64(b, cursor->done);
    ig_buf_lit(b, ",\"of\":");
    ig_buf_u64(b, cursor->of);
}


/* -- look ---------------------------------------------------------------- */

static ngx_int_t
ngx_http_integrity_load_look_read(ngx_http_integrity_control_t *ctl,
    ig_mem_t *mem)
{
    return ngx_http_integrity_load_prepare(ctl, IG_LOAD_LOOK, mem);
}


static void
ngx_http_integrity_load_look_answer(ngx_http_integrity_control_t *ctl,
    ig_buf_t *b)
{
    uint64_t                       slots, used, evicted;
    ngx_http_integrity_loading_t  *l = ctl->data;

    ngx_http_integrity_load_room(&slots, &used, &evicted);

    ig_buf_lit(b, "{\"op\":\"load_look\",\"store\":");
    ig_buf_str_add(b, ngx_http_integrity_worker.store == NULL
                      ? ig_str("\"zone\"") : ig_str("\"redis\""));
    ig_buf_lit(b, ",\"now\":");
    ig_buf_i64(b, ctl->call->time);
    ig_buf_lit(b, ",\"slots\":");
    ig_buf_u64(b, slots);
    ig_buf_lit(b, ",\"used\":");
    ig_buf_u64(b, used);
    ngx_http_integrity_load_cursor(&l->found, b);
    ig_buf_lit(b, ",\"since\":\"");
    ngx_http_integrity_load_since_write(ctl, b);
    ig_buf_lit(b, "\"}\n");
}


/* -- begin --------------------------------------------------------------- */

static ngx_int_t
ngx_http_integrity_load_begin_read(ngx_http_integrity_control_t *ctl,
    ig_mem_t *mem)
{
    ngx_int_t                      rc;
    ngx_http_integrity_loading_t  *l;

    rc = ngx_http_integrity_load_prepare(ctl, IG_LOAD_BEGIN, mem);
    if (rc != NGX_OK) {
        return rc;
    }

    l = ctl->data;

    if (ngx_http_integrity_control_uint(ctl, "at",
                                        NGX_HTTP_INTEGRITY_LOAD_MOST,
                                        &l->cursor.now, mem)
        != NGX_OK
        || ngx_http_integrity_load_place(ctl, NULL, mem) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    l->replace = ig_str_eq(ngx_http_integrity_control_text(ctl, "replace",
                                                           mem),
                           ig_str("yes"));

    return ngx_http_integrity_load_story(ctl, ig_str("begin"), mem);
}


static void
ngx_http_integrity_load_answer(ngx_http_integrity_control_t *ctl,
    ig_buf_t *b)
{
    ig_buf_lit(b, "{\"op\":\"");
    ig_buf_str_add(b, ctl->what->name);
    ig_buf_lit(b, "\",\"event\":\"");
    ig_buf_bytes(b, ctl->call->event, sizeof(ctl->call->event));
    ig_buf_lit(b, "\"}\n");
}


/* -- write --------------------------------------------------------------- */

/* base64url to bytes; NULL: it is none, or there is no memory. */

static uint8_t *
ngx_http_integrity_load_bytes(ngx_pool_t *pool, ig_str_t text, size_t *len)
{
    char      *p;
    size_t     i, padded;
    uint8_t   *bytes;
    ig_str_t   standard;

    padded = (text.len + 3) / 4 * 4;

    p = ngx_pnalloc(pool, padded + 1);
    bytes = ngx_pnalloc(pool, padded);

    if (p == NULL || bytes == NULL || text.len == 0) {
        return NULL;
    }

    for (i = 0; i < text.len; i++) {
        p[i] = text.data[i] == '-' ? '+' : text.data[i] == '_' ? '/'
                                                               : text.data[i];
    }

    ngx_memset(p + text.len, '=', padded - text.len);

    standard.data = p;
    standard.len = padded;
    *len = padded;

    return ig_base64_decode(standard, bytes, len) == IG_OK ? bytes : NULL;
}


static ngx_int_t
ngx_http_integrity_load_ops(ngx_http_integrity_control_t *ctl, ig_mem_t *mem)
{
    size_t                         len, n;
    uint8_t                       *p;
    ngx_http_integrity_loading_t  *l = ctl->data;

    p = ngx_http_integrity_load_bytes(ctl->request->pool,
            ngx_http_integrity_control_text(ctl, "data", mem), &len);

    l->op = ngx_palloc(ctl->request->pool, IG_LOAD_OPS * sizeof(ig_op_t));
    if (l->op == NULL) {
        return NGX_ERROR;
    }

    for ( /* void */ ; p != NULL && len > 0; p += n, len -= n) {

        n = l->nops == IG_LOAD_OPS
            ? 0 : ig_load_op_read(p, len, l->rank,
                                  ctl->call->policy->ncounters,
                                  &l->op[l->nops]);
        if (n == 0
            || (l->op[l->nops].counter->kind != IG_LISTED
                && l->op[l->nops].time
                   > ctl->call->time + NGX_HTTP_INTEGRITY_LOAD_AHEAD))
        {
            /* what is to come is no history: buckets would wait for it */
            break;
        }

        l->nops++;
    }

    return p != NULL && len == 0 ? NGX_OK
           : ngx_http_integrity_control_wrong(ctl, "is no batch of a load",
                                              ig_str("data"));
}


static ngx_int_t
ngx_http_integrity_load_write_read(ngx_http_integrity_control_t *ctl,
    ig_mem_t *mem)
{
    ngx_int_t                      rc;
    ngx_http_integrity_loading_t  *l;

    rc = ngx_http_integrity_load_prepare(ctl, IG_LOAD_WRITE, mem);
    if (rc != NGX_OK) {
        return rc;
    }

    l = ctl->data;

    if (ngx_http_integrity_load_id(ctl, mem) != NGX_OK
        || ngx_http_integrity_control_uint(ctl, "at",
                                           NGX_HTTP_INTEGRITY_LOAD_MOST,
                                           &l->cursor.now, mem)
           != NGX_OK
        || ngx_http_integrity_load_place(ctl, "seq", mem) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    return ngx_http_integrity_load_ops(ctl, mem);
}


/* -- end ----------------------------------------------------------------- */

static ngx_int_t
ngx_http_integrity_load_end_read(ngx_http_integrity_control_t *ctl,
    ig_mem_t *mem)
{
    ngx_int_t  rc;

    rc = ngx_http_integrity_load_prepare(ctl, IG_LOAD_END, mem);

    if (rc == NGX_OK) {
        rc = ngx_http_integrity_load_story(ctl, ig_str("end"), mem);
    }

    return rc == NGX_OK ? ngx_http_integrity_load_since_read(ctl, mem) : rc;
}


const ngx_http_integrity_control_op_t
    ngx_http_integrity_control_load_look = {
    ig_string("load_look"),
    ngx_http_integrity_load_look_read,
    NULL,
    ngx_http_integrity_load_look_answer,
    ngx_http_integrity_control_load_run
};

const ngx_http_integrity_control_op_t
    ngx_http_integrity_control_load_begin = {
    ig_string("load_begin"),
    ngx_http_integrity_load_begin_read,
    ngx_http_integrity_load_record,
    ngx_http_integrity_load_answer,
    ngx_http_integrity_control_load_run
};

const ngx_http_integrity_control_op_t
    ngx_http_integrity_control_load_write = {
    ig_string("load_write"),
    ngx_http_integrity_load_write_read,
    NULL,
    ngx_http_integrity_load_answer,
    ngx_http_integrity_control_load_run
};

const ngx_http_integrity_control_op_t
    ngx_http_integrity_control_load_end = {
    ig_string("load_end"),
    ngx_http_integrity_load_end_read,
    ngx_http_integrity_load_record,
    ngx_http_integrity_load_answer,
    ngx_http_integrity_control_load_run
};
