/*
 * ig_ctl_log_field.c: what a clear value of a field looks like in a log: as
 * it is, or as the pseudonym or fingerprint that a key made of it.
 * Owns: the secret while it is read; it is wiped.
 * Called by ig_ctl_log_filter.c.
 */

#include <string.h>

#include "ig_call_int.h"
#include "ig_ctl_check.h"
#include "ig_ctl_log_filter.h"

#define IG_SECRET_FILE    (64 * 1024)
#define IG_NEEDLE_LONGEST  120      /* longer strings may be cut in a line */

/* What values are turned with. */
typedef struct {
    ig_audit_filter_t  *filter;
    const ig_secret_t  *secret;     /* NULL: none */
    const ig_policy_t  *policy;     /* NULL: not known */
} ig_disguise_t;


/* "text" or "text, quoted and escaped as in a line. */
static void
ig_filter_needle(ig_audit_filter_t *filter, ig_filter_word_t *word)
{
    char      text[6 * IG_NEEDLE_LONGEST + 3];
    ig_buf_t  b;

    if (word->text.len > IG_NEEDLE_LONGEST) {
        return;
    }

    ig_buf_init(&b, text, sizeof(text));
    ig_buf_char(&b, '"');
    ig_buf_json(&b, word->text);

    if (!word->wildcard) {
        ig_buf_char(&b, '"');
    }

    /* without memory there is no needle, which is right too */
    (void) ig_str_dup(&filter->memory.mem, ig_buf_str(&b), &word->needle);
}


static ig_filter_word_t *
ig_filter_word_new(ig_audit_filter_t *filter, ig_filter_word_t **list,
    ig_str_t text)
{
    ig_filter_word_t  *word;

    word = ig_alloc(&filter->memory.mem, sizeof(ig_filter_word_t));

    if (word == NULL
        || ig_str_dup(&filter->memory.mem, text, &word->text) != IG_OK)
    {
        (void) ig_ctl_error("no memory");
        return NULL;
    }

    word->next = *list;
    *list = word;

    return word;
}


bool
ig_filter_word_add(ig_audit_filter_t *filter, ig_filter_word_t **list,
    ig_str_t text)
{
    ig_filter_word_t  *word;

    word = ig_filter_word_new(filter, list, text);

    if (word == NULL) {
        return false;
    }

    if (text.len > 0 && text.data[text.len - 1] == '*') {
        word->wildcard = true;
        word->text.len--;
    }

    ig_filter_needle(filter, word);

    return true;
}


/* -- values -------------------------------------------------------------- */


/* A value of a field: 42 and 42.0 stand without quotes in a line. */
static bool
ig_filter_value_add(ig_audit_filter_t *filter, ig_filter_field_t *field,
    ig_str_t text)
{
    double             number;
    ig_filter_word_t  *word;

    word = ig_filter_word_new(filter, &field->value, text);

    if (word == NULL) {
        return false;
    }

    if (ig_parse_number(text, &number) || ig_str_eq(text, ig_str("true"))
        || ig_str_eq(text, ig_str("false")))
    {
        word->needle = word->text;

    } else {
        ig_filter_needle(filter, word);
    }

    return true;
}


/* The value and what each key makes of it. */
static bool
ig_disguise_text(const ig_disguise_t *d, ig_filter_field_t *field,
    ig_str_t text)
{
    char       hidden[IG_PSEUDONYM + IG_FINGERPRINT];
    unsigned   i;
    ig_buf_t   b;

    if (!ig_filter_value_add(d->filter, field, text)) {
        return false;
    }

    for (i = 0; d->secret && i < d->secret->nkeys; i++) {

        ig_buf_init(&b, hidden, sizeof(hidden));
        ig_pseudonym(&b, &d->secret->key[i], field->name, text);

        if (!ig_filter_value_add(d->filter, field, ig_buf_str(&b))) {
            return false;
        }

        ig_buf_init(&b, hidden, sizeof(hidden));
        ig_fingerprint(&b, &d->secret->key[i], text);

        if (!ig_filter_value_add(d->filter, field, ig_buf_str(&b))) {
            return false;
        }

        field->is_keyed = true;
    }

    return true;
}


/* "42.0" may be meant as the number, whose key is "42". */
static bool
ig_disguise_number(const ig_disguise_t *d, ig_filter_field_t *field,
    ig_str_t text)
{
    char        scratch[IG_KEY_TEXT];
    ig_str_t    key;
    ig_value_t  value = { .type = IG_NUMBER };

    if (!ig_parse_number(text, &value.num)) {
        return true;
    }

    key = ig_value_key(&value, scratch);

    return ig_str_eq(key, text) || ig_disguise_text(d, field, key);
}


/* The networks of an address, and what decode makes of a value. */
static bool
ig_disguise_sources(const ig_disguise_t *d, ig_filter_field_t *field,
    ig_str_t text)
{
    unsigned             i;
    ig_value_t           value;
    const ig_field_t    *known;
    const ig_source_t   *source;

    known = d->policy ? ig_policy_field(d->policy, field->name) : NULL;

    for (i = 0; known && i < known->nsources; i++) {
        source = known->source[i];
        value = ig_field_text(source, text, &d->filter->memory.mem);

        if (value.type == IG_STRING && !ig_str_eq(value.str, text)
            && !ig_disguise_text(d, field, value.str))
        {
            return false;
        }
    }

    return true;
}


static bool
ig_disguise_value(const ig_disguise_t *d, ig_filter_field_t *field,
    ig_str_t text)
{
    if (text.len > 2 && text.data[1] == ':'
        && (text.data[0] == 'p' || text.data[0] == 't'))
    {
        field->is_keyed = true;
        return ig_filter_value_add(d->filter, field, text);
    }

    return ig_disguise_text(d, field, text)
           && ig_disguise_number(d, field, text)
           && ig_disguise_sources(d, field, text);
}


static bool
ig_disguise_field(const ig_disguise_t *d, ig_filter_field_t *field)
{
    char               text[IG_NEEDLE_LONGEST];
    ig_buf_t           b;
    ig_filter_word_t  *given;

    if (d->policy && ig_policy_field(d->policy, field->name) == NULL) {
        (void) ig_ctl_error("note: \"%s\" has no field \"%.*s\"",
                            d->filter->conf, ig_fmt(field->name));
    }

    ig_buf_init(&b, text, sizeof(text));
    ig_buf_char(&b, '"');
    ig_buf_str_add(&b, field->name);
    ig_buf_lit(&b, "\":\"p:");
    (void) ig_str_dup(&d->filter->memory.mem, ig_buf_str(&b), &field->hidden);

    for (given = field->given; given; given = given->next) {
        if (!ig_disguise_value(d, field, given->text)) {
            return false;
        }
    }

    return true;
}


/* -- files --------------------------------------------------------------- */


/* The policy, and the secret's path where none was given. */
static int
ig_disguise_conf(ig_disguise_t *d, ig_check_t *check)
{
    ig_mem_t                   *mem;
    const ig_conf_directive_t  *directive;

    mem = &d->filter->memory.mem;

    memset(check, 0, sizeof(*check));
    check->mem = mem;

    if (ig_check_file(check, d->filter->conf) != IG_CTL_OK) {
        return IG_CTL_USAGE;
    }

    d->policy = check->policy;

    for (directive = check->conf.first; directive; directive = directive->next)
    {
        if (d->filter->secret == NULL && directive->nargs == 2
            && ig_conf_is(directive, "integrity_secret"))
        {
            d->filter->secret = ig_conf_path(mem, &check->conf,
                                             directive->arg[1]);
        }
    }

    return IG_CTL_OK;
}


static int
ig_disguise_secret(const ig_disguise_t *d, ig_secret_t *secret)
{
    int         rc;
    ig_str_t    text;
    ig_error_t  err;

    if (ig_ctl_read(&d->filter->memory, d->filter->secret, IG_SECRET_FILE,
                    &text)
        != IG_OK)
    {
        return IG_CTL_USAGE;
    }

    rc = ig_secret_parse(text, secret, &err);
    explicit_bzero((char *) text.data, text.len);

    return rc == IG_OK ? IG_CTL_OK
                       : ig_ctl_error("\"%s\": %s", d->filter->secret,
                                      err.text);
}


int
ig_audit_filter_fields(ig_audit_filter_t *filter)
{
    int                 rc;
    ig_check_t          check;
    ig_secret_t         secret;
    ig_disguise_t       d = { filter, NULL, NULL };
    ig_filter_field_t  *field;

    rc = filter->conf ? ig_disguise_conf(&d, &check) : IG_CTL_OK;

    if (rc == IG_CTL_OK && filter->secret && filter->field) {
        rc = ig_disguise_secret(&d, &secret);
        d.secret = &secret;
    }

    for (field = filter->field; rc == IG_CTL_OK && field; field = field->next)
    {
        if (!ig_disguise_field(&d, field)) {
            rc = IG_CTL_USAGE;
        }
    }

    explicit_bzero(&secret, sizeof(secret));

    return rc;
}
