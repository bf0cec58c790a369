/*
 * ig_policy_source.c: the SOURCE of integrity_field: a text with variables, or
 * a JSON pointer taken apart (RFC 6901).
 * Owns: tokens, in the policy's memory.  Borrows the line.
 * Called by ig_policy_field_line.
 */

#include <string.h>

#include "ig_policy_int.h"
#include "ig_settings_int.h"


/* RFC 6901, section 4: "~1" is "/" and "~0" is "~", nothing else. */
static int
ig_source_token(ig_line_t *line, ig_str_t text, ig_str_t *token)
{
    char    *p;
    size_t   i, n;

    p = ig_alloc(line->policy->mem, text.len + 1);
    if (p == NULL) {
        return IG_NOMEM;
    }

    for (i = 0, n = 0; i < text.len; i++) {

        if (text.data[i] != '~') {
            p[n++] = text.data[i];
            continue;
        }

        i++;

        if (i == text.len || (text.data[i] != '0' && text.data[i] != '1')) {
            return ig_line_error(line, "\"%.*s\" has a \"~\" that is neither "
                                 "\"~0\" nor \"~1\"",
                                 ig_fmt(line->args[2]));
        }

        p[n++] = text.data[i] == '0' ? '~' : '/';
    }

    token->data = p;
    token->len = n;

    return IG_OK;
}


/* pointer begins with '/': as many tokens as slashes, none of them missing. */
static int
ig_source_pointer(ig_line_t *line, ig_source_t *source, ig_str_t pointer)
{
    int       rc;
    size_t    i, start;
    ig_str_t  text;

    source->star = -1;

    for (i = 0; i < pointer.len; i++) {
        source->ntokens += (pointer.data[i] == '/');
    }

    source->token = ig_alloc(line->policy->mem,
                             source->ntokens * sizeof(ig_str_t));
    if (source->token == NULL) {
        return IG_NOMEM;
    }

    source->ntokens = 0;

    for (i = 1, start = 1; i <= pointer.len; i++) {

        if (i < pointer.len && pointer.data[i] != '/') {
            continue;
        }

        text.data = pointer.data + start;
        text.len = i - start;
        start = i + 1;

        if (ig_str_eq(text, ig_str("*"))) {

            if (source->star >= 0) {
                return ig_line_error(line, "\"%.*s\" has more than one \"*\"",
                                     ig_fmt(line->args[2]));
            }

            source->star = (int) source->ntokens;
        }

        rc = ig_source_token(line, text, &source->token[source->ntokens]);
        if (rc != IG_OK) {
            return rc;
        }

        source->ntokens++;
    }

    return IG_OK;
}


/* nginx finds variables whatever their case; word is in lower case. */
static bool
ig_source_begins(ig_str_t name, ig_str_t word)
{
    char    c;
    size_t  i;

    if (name.len < word.len) {
        return false;
    }

    for (i = 0; i < word.len; i++) {
        c = name.data[i];

        if (c >= 'A' && c <= 'Z') {
            c = (char) (c | 0x20);
        }

        if (c != word.data[i]) {
            return false;
        }
    }

    return true;
}


static bool
ig_source_is_late_variable(ig_str_t name)
{
    size_t                 i;
    static const ig_str_t  whole[] = {
        ig_string("status"), ig_string("request_time"),
        ig_string("bytes_sent"), ig_string("body_bytes_sent")
    };
    static const ig_str_t  prefix[] = {
        ig_string("upstream_"), ig_string("sent_http_"),
        ig_string("sent_trailer_")
    };

    for (i = 0; i < ig_countof(whole); i++) {
        if (name.len == whole[i].len && ig_source_begins(name, whole[i])) {
            return true;
        }
    }

    for (i = 0; i < ig_countof(prefix); i++) {
        if (ig_source_begins(name, prefix[i])) {
            return true;
        }
    }

    return false;
}


/* The name behind a '$' at text[i]: "$name" or "${name}"; may be empty. */
static ig_str_t
ig_source_variable(ig_str_t text, size_t i)
{
    char      c;
    ig_str_t  name;

    i++;

    if (i < text.len && text.data[i] == '{') {
        i++;
    }

    name.data = text.data + i;
    name.len = 0;

    for ( /* void */ ; i < text.len; i++) {
        c = text.data[i];

        if (!(c == '_' || (c >= '0' && c <= '9')
              || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')))
        {
            break;
        }

        name.len++;
    }

    return name;
}


/* Whether some variable in the text is of the answer. */
static bool
ig_source_is_late(ig_str_t text)
{
    size_t  i;

    for (i = 0; i < text.len; i++) {
        if (text.data[i] == '$'
            && ig_source_is_late_variable(ig_source_variable(text, i)))
        {
            return true;
        }
    }

    return false;
}


int
ig_policy_source(ig_line_t *line, ig_source_t *source)
{
    ig_str_t  text, pointer;

    text = line->args[2];

    if (text.len == 0) {
        return ig_line_error(line, "the source of \"%.*s\" is empty",
                             ig_fmt(line->args[1]));
    }

    if (text.len < 5 || memcmp(text.data, "json:", 5) != 0) {

        if (ig_has_variables(text) && !ig_variables_valid(text)) {
            return ig_line_error(line, "\"%.*s\" has a \"$\" without the "
                                 "name of a variable, as $name or ${name}",
                                 ig_fmt(text));
        }

        source->kind = IG_SOURCE_VARIABLE;
        source->star = -1;
        source->late = ig_source_is_late(text);
        return ig_str_dup(line->policy->mem, text, &source->text);
    }

    pointer.data = text.data + 5;
    pointer.len = text.len - 5;

    if (pointer.len == 0 || pointer.data[0] != '/') {
        return ig_line_error(line, "\"%.*s\" is no JSON pointer, as "
                             "json:/items/*/sku", ig_fmt(text));
    }

    source->kind = IG_SOURCE_JSON;

    if (ig_str_dup(line->policy->mem, pointer, &source->text) != IG_OK) {
        return IG_NOMEM;
    }

    return ig_source_pointer(line, source, pointer);
}
