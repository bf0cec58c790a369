/*
 * ngx_http_integrity_control.h: a person's change to a list, between its
 * reading and its carrying out.
 * Owns nothing.  Included by ngx_http_integrity_control*.c alone.
 */

#ifndef NGX_HTTP_INTEGRITY_CONTROL_H
#define NGX_HTTP_INTEGRITY_CONTROL_H

#include "ngx_http_integrity.h"

/*
 * Lives in the request's pool.  A batch in flight points here; when the
 * request ends first, it no longer does, and the change goes on without us.
 */
typedef struct {
    ngx_http_request_t  *request;
    ig_json_t           *json;
    ig_call_t           *call;          /* carries the key */
    ig_event_list_t      event;
    ig_op_t              op;            /* what was asked, what came back */
    ig_batch_t          *batch;         /* while the store has it */
    ngx_event_t          answer;

    const char          *error;         /* what is wrong with it, ... */
    ig_str_t             about;         /* ... and with which part */
    ngx_uint_t           status;
} ngx_http_integrity_control_t;

/*
 * Reads what the JSON asks for into call, event and op.  NGX_DECLINED: it is
 * wrong, and error, about and status say how; NGX_ERROR: no memory.
 */
ngx_int_t ngx_http_integrity_control_read(ngx_http_integrity_control_t *ctl);

#endif /* NGX_HTTP_INTEGRITY_CONTROL_H */
