/*
 * ig_ctl_past.c: the policies of the past, from the policy lines of a log.
 * Owns: the texts and what is compiled from them.  Called by the desk.
 */

#include <string.h>

#include "ig_buf.h"
#include "ig_ctl_conf.h"
#include "ig_ctl_past.h"

#define IG_PAST_PARTS  4096         /* of one policy */
#define IG_PAST_ARGS   64           /* of one directive */


void
ig_past_init(ig_past_t *past)
{
    memset(past, 0, sizeof(*past));
    ig_ctl_memory_init(&past->memory);
}


void
ig_past_free(ig_past_t *past)
{
    ig_ctl_memory_free(&past->memory);
}


/* -- lines --------------------------------------------------------------- */


static ig_past_policy_t *
ig_past_find(const ig_past_t *past, ig_str_t hash)
{
    ig_past_policy_t  *p;

    for (p = past->first; p; p = p->next) {
        if (ig_str_eq(p->hash, hash)) {
            return p;
        }
    }

    return NULL;
}


static ig_past_policy_t *
ig_past_new(ig_past_t *past, const ig_audit_line_t *line, unsigned parts)
{
    ig_mem_t          *mem;
    ig_past_policy_t  *p;

    mem = &past->memory.mem;
    p = ig_alloc(mem, sizeof(ig_past_policy_t));

    if (p == NULL || ig_str_dup(mem, line->policy, &p->hash) != IG_OK
        || ig_str_dup(mem, ig_audit_text(line, "sha256"), &p->sha256) != IG_OK)
    {
        return NULL;
    }

    p->parts = parts;
    p->part = ig_alloc(mem, parts * sizeof(ig_str_t));

    if (p->part == NULL) {
        return NULL;
    }

    p->next = past->first;
    past->first = p;

    return p;
}


int
ig_past_add(ig_past_t *past, const ig_audit_line_t *line)
{
    double             part, parts;
    ig_str_t           text, *at;
    ig_past_policy_t  *p;

    text = ig_audit_text(line, "text");

    if (line->policy.len == 0 || !ig_audit_number(line, "part", &part)
        || !ig_audit_number(line, "parts", &parts)
        || !(part >= 1 && part <= parts && parts <= IG_PAST_PARTS))
    {
        return IG_OK;               /* no line of ours */
    }

    p = ig_past_find(past, line->policy);

    if (p == NULL) {
        p = ig_past_new(past, line, (unsigned) parts);
    }

    if (p == NULL) {
        (void) ig_ctl_error("no memory");
        return IG_NOMEM;
    }

    if ((unsigned) parts != p->parts) {
        return IG_OK;
    }

    at = &p->part[(unsigned) part - 1];

    if (at->data == NULL
        && ig_str_dup(&past->memory.mem, text, at) != IG_OK)
    {
        (void) ig_ctl_error("no memory");
        return IG_NOMEM;
    }

    return IG_OK;
}


/* -- compiling ----------------------------------------------------------- */


/* All parts in a row; false: one is missing. */
static bool
ig_past_join(ig_past_t *past, const ig_past_policy_t *p, ig_str_t *text)
{
    char      *data;
    size_t     len;
    unsigned   i;

    for (len = 0, i = 0; i < p->parts; i++) {
        if (p->part[i].data == NULL) {
            return false;
        }

        len += p->part[i].len;
    }

    data = ig_alloc(&past->memory.mem, len + 1);
    if (data == NULL) {
        return false;
    }

    text->data = data;
    text->len = len;

    for (i = 0; i < p->parts; i++) {
        memcpy(data, p->part[i].data, p->part[i].len);
        data += p->part[i].len;
    }

    return true;
}


/* The text is unescaped where it stands. */
static int
ig_past_directives(ig_policy_t *policy, ig_str_t text)
{
    int              rc;
    unsigned         n;
    ig_str_t         arg[IG_PAST_ARGS];
    ig_error_t       err;
    ig_conf_file_t   file;
    ig_conf_token_e  kind;

    file.at = (char *) text.data;
    file.end = file.at + text.len;
    file.pos = (ig_pos_t) { NULL, 1 };
    file.err = &err;
    n = 0;

    for ( ;; ) {
        rc = ig_conf_token(&file, &kind, &arg[n]);

        if (rc != IG_OK || kind == IG_CONF_EOF) {
            return rc;
        }

        if (kind == IG_CONF_ARG && ++n < IG_PAST_ARGS) {
            continue;
        }

        if (kind != IG_CONF_SEMICOLON || n == 0) {
            return IG_ERROR;
        }

        rc = ig_policy_directive(policy, arg, n, file.pos, &err);
        if (rc != IG_OK) {
            return rc;
        }

        n = 0;
    }
}


static ig_policy_t *
ig_past_compile(ig_past_t *past, const ig_past_policy_t *p)
{
    char          hex[2 * IG_SHA256];
    uint8_t       hash[IG_SHA256];
    ig_buf_t      b;
    ig_str_t      text;
    ig_error_t    err;
    ig_policy_t  *policy;

    if (!ig_past_join(past, p, &text)) {
        return NULL;
    }

    ig_sha256(text.data, text.len, hash);
    ig_buf_init(&b, hex, sizeof(hex));
    ig_buf_hex(&b, hash, sizeof(hash));

    if (!ig_str_eq(ig_buf_str(&b), p->sha256)
        || p->hash.len > sizeof(hex)
        || memcmp(hex, p->hash.data, p->hash.len) != 0)
    {
        return NULL;                /* not the text that was hashed */
    }

    policy = ig_policy_create(&past->memory.mem);

    if (policy == NULL || ig_past_directives(policy, text) != IG_OK
        || ig_policy_finish(policy, &err) != IG_OK)
    {
        return NULL;
    }

    return policy;
}


const ig_policy_t *
ig_past_policy(ig_past_t *past, ig_str_t hash)
{
    ig_past_policy_t  *p;

    p = ig_past_find(past, hash);

    if (p == NULL) {
        return NULL;
    }

    if (!p->tried) {
        p->tried = true;
        p->policy = ig_past_compile(past, p);
    }

    return p->policy;
}


bool
ig_past_has(const ig_past_t *past, ig_str_t hash)
{
    return ig_past_find(past, hash) != NULL;
}
