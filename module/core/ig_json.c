/*
 * ig_json.c: parses a body and takes the fields of a plan out of it.  The
 * only file that knows jansson.
 * Owns: the tree between ig_json_parse and ig_json_free; borrows the text
 * while parsing.  Called by the body reader in nginx and by backtest.
 */

#include <string.h>

#include <jansson.h>

#include "ig_json.h"

/* An ig_json_t is a json_t under a name of our own. */
#define ig_json_root(json)  ((json_t *) (void *) (uintptr_t) (json))

/*
 * Whole doubles below this are written without an exponent, so that the
 * digits of smaller integers need not be kept.
 */
#define IG_JSON_DIGITS_FROM  1000000000000000


static const ig_str_t  ig_json_state_names[] = {
    ig_string("ok"),
    ig_string("empty"),
    ig_string("invalid json"),
    ig_string("too deep"),
    ig_string("too many values"),
    ig_string("too many elements"),
    ig_string("unexpected type"),
    ig_string("no memory")
};


ig_str_t
ig_json_state_name(ig_json_state_e s)
{
    return ig_json_state_names[s];
}


ig_json_state_e
ig_json_parse(ig_str_t text, ig_json_t **json)
{
    json_t        *root;
    json_error_t   error;

    root = json_loadb(text.data, text.len,
                      JSON_REJECT_DUPLICATES|JSON_DECODE_ANY|JSON_ALLOW_NUL,
                      &error);

    *json = (ig_json_t *) (void *) root;

    if (root != NULL) {
        return IG_JSON_OK;
    }

    return json_error_code(&error) == json_error_out_of_memory
           ? IG_JSON_NOMEM : IG_JSON_INVALID;
}


void
ig_json_free(ig_json_t *json)
{
    json_decref(ig_json_root(json));
}


/* The digits of n in mem; len 0 where there is no memory. */
static ig_str_t
ig_json_digits(json_int_t n, ig_mem_t *mem)
{
    char      text[24];
    ig_buf_t  b;
    ig_str_t  digits;

    ig_buf_init(&b, text, sizeof(text));
    ig_buf_i64(&b, n);

    if (ig_str_dup(mem, ig_buf_str(&b), &digits) != IG_OK) {
        digits.len = 0;
    }

    return digits;
}


static ig_json_state_e
ig_json_integer(const json_t *node, ig_value_t *value, ig_mem_t *mem)
{
    json_int_t  n;

    n = json_integer_value(node);

    value->type = IG_NUMBER;
    value->num = (double) n;

    if (n > -IG_JSON_DIGITS_FROM && n < IG_JSON_DIGITS_FROM) {
        return IG_JSON_OK;
    }

    value->str = ig_json_digits(n, mem);

    return value->str.len > 0 ? IG_JSON_OK : IG_JSON_NOMEM;
}


/* OK, TYPE or NOMEM.  node may be NULL: there is none. */
static ig_json_state_e
ig_json_scalar(const json_t *node, ig_value_t *value, ig_mem_t *mem)
{
    memset(value, 0, sizeof(*value));
    value->type = IG_MISSING;

    if (node == NULL) {
        return IG_JSON_OK;
    }

    switch (json_typeof(node)) {

    case JSON_STRING:
        value->str.data = json_string_value(node);
        value->str.len = json_string_length(node);
        value->type = value->str.len > 0 ? IG_STRING : IG_MISSING;
        return IG_JSON_OK;

    case JSON_INTEGER:
        return ig_json_integer(node, value, mem);

    case JSON_REAL:
        value->type = IG_NUMBER;
        value->num = json_real_value(node);
        return IG_JSON_OK;

    case JSON_TRUE:
    case JSON_FALSE:
        value->type = IG_BOOL;
        value->num = json_is_true(node);
        return IG_JSON_OK;

    case JSON_NULL:
        return IG_JSON_OK;

    default:
        return IG_JSON_TYPE;
    }
}


/* RFC 6901: digits without a leading zero; anything else is no element. */
static json_t *
ig_json_element(const json_t *array, ig_str_t token)
{
    uint64_t  n;

    if (token.len > 1 && token.data[0] == '0') {
        return NULL;
    }

    if (!ig_parse_uint(token, UINT32_MAX, &n)) {
        return NULL;
    }

    return json_array_get(array, (size_t) n);
}


/* NULL where the path leads nowhere. */
static const json_t *
ig_json_walk(const json_t *node, const ig_str_t *token, unsigned ntokens)
{
    unsigned  i;

    for (i = 0; i < ntokens && node != NULL; i++) {
        if (json_is_object(node)) {
            node = json_object_getn(node, token[i].data, token[i].len);

        } else if (json_is_array(node)) {
            node = ig_json_element(node, token[i]);

        } else {
            node = NULL;
        }
    }

    return node;
}


/* One member for every element that has a value, at `token` within it. */
static ig_json_state_e
ig_json_members(const json_t *array, const ig_str_t *token, unsigned ntokens,
    ig_call_t *call, const ig_source_t *source, ig_mem_t *mem)
{
    int              rc;
    size_t           i, n;
    ig_value_t       value;
    ig_json_state_e  state;

    n = json_array_size(array);

    if (n > IG_MAX_MEMBERS) {
        return IG_JSON_SET;
    }

    for (i = 0; i < n; i++) {
        state = ig_json_scalar(ig_json_walk(json_array_get(array, i), token,
                                            ntokens),
                               &value, mem);
        if (state != IG_JSON_OK) {
            return state;
        }

        if (value.type == IG_MISSING) {
            continue;
        }

        rc = ig_call_add_member(call, source, value, mem);

        if (rc != IG_OK) {
            return rc == IG_NOMEM ? IG_JSON_NOMEM : IG_JSON_SET;
        }
    }

    return IG_JSON_OK;
}


/* A source with '*'. */
static ig_json_state_e
ig_json_set(const json_t *root, ig_call_t *call, const ig_source_t *source,
    ig_mem_t *mem)
{
    unsigned       after;
    const json_t  *array;

    array = ig_json_walk(root, source->token, (unsigned) source->star);

    if (array == NULL || json_is_null(array)) {
        return IG_JSON_OK;
    }

    if (!json_is_array(array)) {
        return IG_JSON_TYPE;
    }

    after = (unsigned) source->star + 1;

    return ig_json_members(array, source->token + after,
                           source->ntokens - after, call, source, mem);
}


static ig_json_state_e
ig_json_field(const json_t *root, ig_call_t *call, const ig_source_t *source,
    ig_mem_t *mem)
{
    ig_value_t       value;
    ig_json_state_e  state;

    if (source->star >= 0) {
        return ig_json_set(root, call, source, mem);
    }

    state = ig_json_scalar(ig_json_walk(root, source->token, source->ntokens),
                           &value, mem);

    if (state == IG_JSON_OK) {
        ig_call_set_value(call, source, value);
    }

    return state;
}


/* A body is taken whole or not at all: nothing half-read stays behind. */
static void
ig_json_forget(ig_call_t *call)
{
    unsigned            i;
    const ig_source_t  *source;

    for (i = 0; i < call->policy->nfields; i++) {
        source = call->plan->source[i];

        if (source != NULL && source->kind == IG_SOURCE_JSON) {
            memset(&call->field[i], 0, sizeof(ig_value_t));
            call->field[i].type = IG_MISSING;
            call->members[i].nmembers = 0;
        }
    }
}


ig_json_state_e
ig_json_extract(const ig_json_t *json, ig_call_t *call, ig_mem_t *mem)
{
    unsigned            i;
    ig_json_state_e     state;
    const ig_source_t  *source;

    for (i = 0; i < call->policy->nfields; i++) {
        source = call->plan->source[i];

        if (source == NULL || source->kind != IG_SOURCE_JSON) {
            continue;
        }

        state = ig_json_field(ig_json_root(json), call, source, mem);

        if (state != IG_JSON_OK) {
            ig_json_forget(call);
            return state;
        }
    }

    return IG_JSON_OK;
}


/* A container becomes a SET, lack of memory UNKNOWN. */
static ig_value_t
ig_json_as_value(const json_t *node, ig_mem_t *mem)
{
    ig_value_t       value;
    ig_json_state_e  state;

    state = ig_json_scalar(node, &value, mem);

    if (state != IG_JSON_OK) {
        value.type = state == IG_JSON_TYPE ? IG_SET : IG_UNKNOWN;
    }

    return value;
}


ig_value_t
ig_json_member(const ig_json_t *json, ig_str_t name, ig_mem_t *mem)
{
    const json_t  *root;

    root = ig_json_root(json);

    return ig_json_as_value(json_is_object(root)
                            ? json_object_getn(root, name.data, name.len)
                            : NULL, mem);
}


ig_value_t
ig_json_value(const ig_json_t *json, const ig_source_t *source, ig_mem_t *mem)
{
    return ig_json_as_value(ig_json_walk(ig_json_root(json), source->token,
                                         source->ntokens), mem);
}


const ig_json_t *
ig_json_object(const ig_json_t *json, ig_str_t name)
{
    const json_t  *node;

    node = json_object_getn(ig_json_root(json), name.data, name.len);

    return json_is_object(node) ? (const ig_json_t *) (const void *) node
                                : NULL;
}


unsigned
ig_json_size(const ig_json_t *object)
{
    return object != NULL ? (unsigned) json_object_size(ig_json_root(object))
                          : 0;
}


const ig_json_t *
ig_json_at(const ig_json_t *object, unsigned i, ig_str_t *name)
{
    void    *iter;
    json_t  *root;

    root = (json_t *) (uintptr_t) ig_json_root(object);

    for (iter = json_object_iter(root); iter != NULL && i > 0; i--) {
        iter = json_object_iter_next(root, iter);
    }

    if (iter == NULL) {
        return NULL;
    }

    name->data = json_object_iter_key(iter);
    name->len = json_object_iter_key_len(iter);

    return (const ig_json_t *) (const void *) json_object_iter_value(iter);
}


ig_json_state_e
ig_json_named(const ig_json_t *json, ig_str_t name, ig_call_t *call,
    const ig_source_t *source, ig_mem_t *mem)
{
    ig_value_t       value;
    const json_t    *node;
    ig_json_state_e  state;

    memset(&value, 0, sizeof(value));
    value.type = IG_MISSING;

    node = json_object_getn(ig_json_root(json), name.data, name.len);

    if (!json_is_array(node)) {
        state = ig_json_scalar(node, &value, mem);
        ig_call_set_value(call, source, value);
        return state;
    }

    ig_call_set_value(call, source, value);

    return ig_json_members(node, NULL, 0, call, source, mem);
}
