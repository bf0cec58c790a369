/*
 * ngx_http_integrity_content.c: what the headers say of a body: whether it is
 * JSON in UTF-8 as it stands, as far as anybody who reads it can tell.
 * Owns nothing.  Called by the body reader.
 */

#include "ngx_http_integrity.h"


/* Blanks around p .. *last: the start of what is between them, or *last. */

static u_char *
ngx_http_integrity_trim(u_char *p, u_char **last)
{
    while (p < *last && (*p == ' ' || *p == '\t')) {
        p++;
    }

    while (p < *last && ((*last)[-1] == ' ' || (*last)[-1] == '\t')) {
        (*last)--;
    }

    return p;
}


/* One parameter of a media type: no charset, or it is UTF-8. */

static ngx_uint_t
ngx_http_integrity_param_ok(u_char *p, u_char *end)
{
    u_char  *last, *value;

    value = ngx_strlchr(p, end, '=');
    last = value != NULL ? value : end;

    p = ngx_http_integrity_trim(p, &last);

    if (last - p != 7 || ngx_strncasecmp(p, (u_char *) "charset", 7) != 0) {
        return 1;
    }

    if (value == NULL) {
        return 0;
    }

    p = ngx_http_integrity_trim(value + 1, &end);

    if (end - p >= 2 && *p == '"' && end[-1] == '"') {
        p++;
        end--;
    }

    return end - p == 5 && ngx_strncasecmp(p, (u_char *) "utf-8", 5) == 0;
}


/*
 * "; name=value; ..." after a media type.  A ';' in a quoted value is taken
 * for the start of a parameter: that can refuse a type, never accept one.
 */

static ngx_uint_t
ngx_http_integrity_params_ok(u_char *p, u_char *end)
{
    u_char  *next;

    while (p < end) {
        next = ngx_strlchr(p, end, ';');
        if (next == NULL) {
            next = end;
        }

        if (!ngx_http_integrity_param_ok(p, next)) {
            return 0;
        }

        p = next + 1;
    }

    return 1;
}


/* The bytes of a name in a media type (RFC 6838), at least one. */

static ngx_uint_t
ngx_http_integrity_type_name(u_char *p, u_char *end)
{
    u_char  *start;

    for (start = p; p < end; p++) {
        if (!((*p | 0x20) >= 'a' && (*p | 0x20) <= 'z')
            && !(*p >= '0' && *p <= '9')
            && (*p == '\0' || ngx_strchr("!#$&-^_.+", *p) == NULL))
        {
            return 0;
        }
    }

    return p > start;
}


/* application/json or <anything>/<anything>+json, and nothing near it. */

static ngx_uint_t
ngx_http_integrity_type_ok(ngx_str_t *type)
{
    u_char  *p, *end, *last, *slash;

    p = type->data;
    end = p + type->len;

    last = ngx_strlchr(p, end, ';');
    if (last == NULL) {
        last = end;
    }

    if (last < end && !ngx_http_integrity_params_ok(last + 1, end)) {
        return 0;
    }

    p = ngx_http_integrity_trim(p, &last);

    if (last - p == sizeof("application/json") - 1
        && ngx_strncasecmp(p, (u_char *) "application/json", last - p) == 0)
    {
        return 1;
    }

    slash = ngx_strlchr(p, last, '/');

    return slash != NULL
           && last - slash > (ssize_t) sizeof("/+json") - 1
           && ngx_strncasecmp(last - 5, (u_char *) "+json", 5) == 0
           && ngx_http_integrity_type_name(p, slash)
           && ngx_http_integrity_type_name(slash + 1, last);
}


void
ngx_http_integrity_content(ngx_http_request_t *r,
    ngx_http_integrity_content_t *content)
{
    ngx_str_t         type;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    ngx_memzero(content, sizeof(ngx_http_integrity_content_t));
    ngx_str_null(&type);

    part = &r->headers_in.headers.part;
    h = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                break;
            }

            part = part->next;
            h = part->elts;
            i = 0;
        }

        if (h[i].key.len == sizeof("Content-Type") - 1
            && ngx_strncasecmp(h[i].key.data, (u_char *) "Content-Type",
                               sizeof("Content-Type") - 1)
               == 0)
        {
            content->types++;
            type = h[i].value;
        }

        if (h[i].key.len == sizeof("Content-Encoding") - 1
            && ngx_strncasecmp(h[i].key.data, (u_char *) "Content-Encoding",
                               sizeof("Content-Encoding") - 1)
               == 0
            && !(h[i].value.len == sizeof("identity") - 1
                 && ngx_strncasecmp(h[i].value.data, (u_char *) "identity",
                                    sizeof("identity") - 1)
                    == 0))
        {
            content->encoded = 1;
        }
    }

    content->json = content->types == 1 && ngx_http_integrity_type_ok(&type);
}
