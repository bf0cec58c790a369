/*
 * ig_ctl_log_filter.c: which lines of the audit log are asked for: reading
 * the options, first looking at a line's bytes, then at its members.
 * Owns: the filter's memory.  Called by the desk's subcommands and the source.
 */

#define _GNU_SOURCE             /* memmem */

#include <string.h>
#include <time.h>

#include "ig_buf.h"
#include "ig_ctl_log_filter.h"
#include "ig_ctl_log_time.h"


/* The option of each list of words, and the member it is about. */
static const struct {
    const char  *option;
    const char  *member;        /* NULL: names of rules */
} ig_filter_words[IG_FILTER_WORDS] = {
    [IG_FILTER_ACTION] = { "--action", "action" },
    [IG_FILTER_EVENT] = { "--event", "event" },
    [IG_FILTER_RULE] = { "--rule", NULL },
    [IG_FILTER_CHAIN] = { "--chain", "chain" },
    [IG_FILTER_NODE] = { "--node", "node" },
    [IG_FILTER_TENANT] = { "--tenant", "tenant" }
};


void
ig_audit_filter_init(ig_audit_filter_t *filter)
{
    struct timespec  now;

    memset(filter, 0, sizeof(*filter));

    (void) clock_gettime(CLOCK_REALTIME, &now);
    filter->now = (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;

    filter->since = INT64_MIN;
    filter->until = INT64_MAX;
    ig_ctl_memory_init(&filter->memory);
}


void
ig_audit_filter_free(ig_audit_filter_t *filter)
{
    ig_ctl_memory_free(&filter->memory);
}


/* -- options ------------------------------------------------------------- */


static int
ig_filter_time(const ig_audit_filter_t *filter, const char *name,
    const char *value, int64_t *ms)
{
    if (ig_audit_when(value, filter->now, ms)) {
        return IG_CTL_OK;
    }

    return ig_ctl_error("%s: \"%s\" is no time: 2026-11-23T12:00:00Z, "
                        "2026-11-23, today, yesterday, or how long ago as "
                        "90m, 2h, 7d", name, value);
}


int
ig_audit_filter_since(void *filter, const char *name, const char *value)
{
    return ig_filter_time(filter, name, value,
                          &((ig_audit_filter_t *) filter)->since);
}


int
ig_audit_filter_until(void *filter, const char *name, const char *value)
{
    return ig_filter_time(filter, name, value,
                          &((ig_audit_filter_t *) filter)->until);
}


/* Takes the next name off a list with commas; it may be empty. */
static bool
ig_filter_next(const char **list, ig_str_t *name)
{
    if (*list == NULL) {
        return false;
    }

    name->data = *list;
    name->len = strcspn(*list, ",");
    *list = name->data[name->len] == ',' ? name->data + name->len + 1 : NULL;

    return true;
}


int
ig_audit_filter_kind(void *ctx, const char *option, const char *value)
{
    ig_str_t            name;
    ig_audit_kind_e     kind;
    ig_audit_filter_t  *filter = ctx;

    while (ig_filter_next(&value, &name)) {
        kind = ig_audit_kind(name);

        if (kind == IG_AUDIT_OTHER && !ig_str_eq(name, ig_str("other"))) {
            return ig_ctl_error("%s: no kind of line is called \"%.*s\": "
                                "decision, outcome, repeat, unclassified, "
                                "list, key, policy, chain_open, chain_close, "
                                "segment_start, segment_end, other", option,
                                ig_fmt(name));
        }

        filter->kinds |= 1u << kind;
    }

    return IG_CTL_OK;
}


/* "deny", "hold+", "allow,hold" as bits. */
static int
ig_filter_decisions(const char *option, const char *value, uint32_t *bits)
{
    bool           stronger;
    ig_str_t       name;
    ig_decision_e  d;

    while (ig_filter_next(&value, &name)) {
        stronger = (name.len > 0 && name.data[name.len - 1] == '+');
        name.len -= stronger;
        d = ig_audit_decision(name);

        if (d == IG_NO_DECISION) {
            return ig_ctl_error("%s: \"%.*s\" is no decision: allow, hold, "
                                "throttle, deny, or \"hold+\" for hold and "
                                "stronger", option, ig_fmt(name));
        }

        do {
            *bits |= 1u << d++;
        } while (stronger && d < IG_DECISIONS);
    }

    return IG_CTL_OK;
}


int
ig_audit_filter_decision(void *filter, const char *name, const char *value)
{
    return ig_filter_decisions(name, value,
                               &((ig_audit_filter_t *) filter)->decisions);
}


int
ig_audit_filter_would(void *filter, const char *name, const char *value)
{
    return ig_filter_decisions(name, value,
                               &((ig_audit_filter_t *) filter)->would);
}


int
ig_audit_filter_words(void *ctx, const char *option, const char *value)
{
    unsigned            i;
    ig_str_t            name;
    ig_audit_filter_t  *filter = ctx;

    for (i = 0; strcmp(ig_filter_words[i].option, option) != 0; i++) {
        /* the table has it */
    }

    while (ig_filter_next(&value, &name)) {

        if (name.len == 0) {
            return ig_ctl_error("%s: a name is empty", option);
        }

        if (!ig_filter_word_add(filter, &filter->word[i], name)) {
            return IG_CTL_USAGE;
        }
    }

    return IG_CTL_OK;
}


static ig_filter_field_t *
ig_filter_field(ig_audit_filter_t *filter, ig_str_t name)
{
    ig_filter_field_t  *field;

    for (field = filter->field; field; field = field->next) {
        if (ig_str_eq(field->name, name)) {
            return field;
        }
    }

    field = ig_alloc(&filter->memory.mem, sizeof(ig_filter_field_t));

    if (field == NULL) {
        (void) ig_ctl_error("no memory");
        return NULL;
    }

    field->name = name;
    field->next = filter->field;
    filter->field = field;

    return field;
}


int
ig_audit_filter_field(void *ctx, const char *option, const char *value)
{
    ig_str_t            name;
    const char         *equals;
    ig_filter_word_t   *word;
    ig_filter_field_t  *field;
    ig_audit_filter_t  *filter = ctx;

    equals = strchr(value, '=');

    name.data = value;
    name.len = equals ? (size_t) (equals - value) : 0;

    if (!ig_is_name(name) || equals[1] == '\0') {
        return ig_ctl_error("%s: \"%s\" is not NAME=VALUE", option, value);
    }

    field = ig_filter_field(filter, name);
    word = ig_alloc(&filter->memory.mem, sizeof(ig_filter_word_t));

    if (field == NULL || word == NULL) {
        return IG_CTL_USAGE;
    }

    word->text.data = equals + 1;
    word->text.len = strlen(equals + 1);
    word->next = field->given;
    field->given = word;

    return IG_CTL_OK;
}


int
ig_audit_filter_finish(ig_audit_filter_t *filter)
{
    unsigned  i;

    filter->parses = (filter->would || filter->field);
    filter->asks = (filter->parses || filter->decisions);

    for (i = 0; i < IG_FILTER_WORDS; i++) {
        if (filter->word[i] != NULL) {
            filter->asks = true;
            filter->parses |= (i >= IG_FILTER_RULE);
        }
    }

    if (filter->since >= filter->until) {
        return ig_ctl_error("--until is not later than --since");
    }

    return ig_audit_filter_fields(filter);
}


/* -- bytes --------------------------------------------------------------- */


static bool
ig_filter_word_is(const ig_filter_word_t *word, ig_str_t text)
{
    for ( ; word; word = word->next) {
        if (word->wildcard ? text.len > 0 && text.len >= word->text.len
                             && memcmp(text.data, word->text.data,
                                       word->text.len) == 0
                           : ig_str_eq(text, word->text))
        {
            return true;
        }
    }

    return false;
}


/* What stands at the beginning of a line, before all that clients say. */
static bool
ig_filter_prefix(const ig_audit_filter_t *filter, ig_str_t raw)
{
    ig_audit_prefix_t        prefix;
    const ig_filter_word_t  *action, *event;

    action = filter->word[IG_FILTER_ACTION];
    event = filter->word[IG_FILTER_EVENT];

    if (!filter->decisions && action == NULL && event == NULL) {
        return true;
    }

    ig_audit_prefix(raw, &prefix);

    return (action == NULL || ig_filter_word_is(action, prefix.action))
           && (event == NULL || ig_filter_word_is(event, prefix.event))
           && (!filter->decisions
               || filter->decisions
                  & (1u << ig_audit_decision(prefix.decision)));
}


static bool
ig_filter_has(ig_str_t raw, ig_str_t needle)
{
    return memmem(raw.data, raw.len, needle.data, needle.len) != NULL;
}


/* Whether one of the words may be in it; a list without words asks nothing. */
static bool
ig_filter_raw_words(const ig_filter_word_t *word, ig_str_t raw)
{
    bool  asks;

    for (asks = false; word; word = word->next) {
        if (word->needle.len == 0 || ig_filter_has(raw, word->needle)) {
            return true;
        }

        asks = true;
    }

    return !asks;
}


static bool
ig_filter_raw_fields(ig_filter_field_t *field, ig_str_t raw)
{
    bool  fits;

    for (fits = true; field; field = field->next) {

        if (!field->is_hidden && field->hidden.len > 0) {
            field->is_hidden = ig_filter_has(raw, field->hidden);
        }

        fits &= ig_filter_raw_words(field->value, raw);
    }

    return fits;
}


bool
ig_audit_filter_raw(ig_audit_filter_t *filter, ig_audit_kind_e kind,
    ig_str_t raw, bool own)
{
    unsigned  i;

    if (filter->kinds && !(filter->kinds & (1u << kind))) {
        return false;
    }

    if (!own || !filter->asks) {
        return true;
    }

    if (!ig_filter_prefix(filter, raw)) {
        return false;
    }

    for (i = IG_FILTER_RULE; i < IG_FILTER_WORDS; i++) {
        if (!ig_filter_raw_words(filter->word[i], raw)) {
            return false;
        }
    }

    return ig_filter_raw_fields(filter->field, raw);
}


/* -- members ------------------------------------------------------------- */


static bool
ig_filter_rule(const ig_filter_word_t *word, const ig_audit_line_t *line)
{
    ig_audit_rules_t  rule;

    ig_audit_rules(line, &rule);

    while (ig_audit_next_rule(&rule)) {
        if (ig_filter_word_is(word, rule.name)) {
            return true;
        }
    }

    return false;
}


static bool
ig_filter_field_is(const ig_filter_field_t *field,
    const ig_audit_line_t *line)
{
    char              scratch[IG_KEY_TEXT];
    ig_audit_items_t  item;

    ig_audit_items(line, "field", &item);

    while (ig_audit_next(&item)) {
        if (ig_str_eq(item.name, field->name)
            && ig_filter_word_is(field->value,
                                 ig_value_key(&item.value, scratch)))
        {
            return true;
        }
    }

    return false;
}


bool
ig_audit_filter_line(const ig_audit_filter_t *filter,
    const ig_audit_line_t *line)
{
    unsigned                  i;
    const ig_filter_field_t  *field;

    if ((filter->decisions && !(filter->decisions & (1u << line->decision)))
        || (filter->would && !(filter->would & (1u << line->would))))
    {
        return false;
    }

    for (i = 0; i < IG_FILTER_WORDS; i++) {

        if (filter->word[i] == NULL) {
            continue;
        }

        if (i == IG_FILTER_RULE
            ? !ig_filter_rule(filter->word[i], line)
            : !ig_filter_word_is(filter->word[i],
                                 ig_audit_text(line,
                                               ig_filter_words[i].member)))
        {
            return false;
        }
    }

    for (field = filter->field; field; field = field->next) {
        if (!ig_filter_field_is(field, line)) {
            return false;
        }
    }

    return true;
}


bool
ig_audit_filter_hint(const ig_audit_filter_t *filter)
{
    bool                      told;
    const ig_filter_field_t  *field;

    for (told = false, field = filter->field; field; field = field->next) {
        if (field->is_hidden && !field->is_keyed) {
            (void) ig_ctl_error("the log has pseudonyms of \"%.*s\"; --secret "
                                "FILE turns a clear value into them",
                                ig_fmt(field->name));
            told = true;
        }
    }

    return told;
}
