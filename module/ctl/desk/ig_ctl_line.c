/*
 * ig_ctl_line.c: one line of the audit log, taken apart.  The only file of
 * module/ctl that knows jansson.
 * Owns: the line's tree.  Called by the desk's readers.
 */

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "ig_ctl_backtest_time.h"
#include "ig_ctl_line.h"

#define IG_HEAD_KIND  "{\"v\":1,\"kind\":\""
#define IG_HEAD_TIME  "\",\"time\":\""


static const ig_str_t  ig_audit_kinds[IG_AUDIT_KINDS] = {
    [IG_AUDIT_OTHER] = ig_string("other"),
    [IG_AUDIT_DECISION] = ig_string("decision"),
    [IG_AUDIT_OUTCOME] = ig_string("outcome"),
    [IG_AUDIT_REPEAT] = ig_string("repeat"),
    [IG_AUDIT_UNCLASSIFIED] = ig_string("unclassified"),
    [IG_AUDIT_LIST] = ig_string("list"),
    [IG_AUDIT_KEY] = ig_string("key"),
    [IG_AUDIT_POLICY] = ig_string("policy"),
    [IG_AUDIT_CHAIN_OPEN] = ig_string("chain_open"),
    [IG_AUDIT_CHAIN_CLOSE] = ig_string("chain_close"),
    [IG_AUDIT_SEGMENT_END] = ig_string("segment_end"),
    [IG_AUDIT_SEGMENT_START] = ig_string("segment_start")
};


ig_str_t
ig_audit_kind_name(ig_audit_kind_e kind)
{
    return ig_audit_kinds[kind];
}


ig_audit_kind_e
ig_audit_kind(ig_str_t name)
{
    unsigned  i;

    for (i = IG_AUDIT_OTHER + 1; i < IG_AUDIT_KINDS; i++) {
        if (ig_str_eq(ig_audit_kinds[i], name)) {
            return (ig_audit_kind_e) i;
        }
    }

    return IG_AUDIT_OTHER;
}


bool
ig_audit_stamp(ig_str_t text, int64_t *ms)
{
    return ig_time_rfc3339(text, ms);
}


ig_decision_e
ig_audit_decision(ig_str_t name)
{
    unsigned  i;

    for (i = 0; i < IG_DECISIONS; i++) {
        if (ig_str_eq(ig_decision_name((ig_decision_e) i), name)) {
            return (ig_decision_e) i;
        }
    }

    return IG_NO_DECISION;
}


/* -- the head ------------------------------------------------------------ */


/* Takes the literal off *s. */
static bool
ig_head_skip(ig_str_t *s, const char *literal, size_t len)
{
    if (s->len < len || memcmp(s->data, literal, len) != 0) {
        return false;
    }

    s->data += len;
    s->len -= len;

    return true;
}


/* The literal, then all up to the next quote, which stays. */
static bool
ig_head_value(ig_str_t *raw, const char *literal, size_t len, ig_str_t *value)
{
    const char  *quote;

    if (!ig_head_skip(raw, literal, len)) {
        return false;
    }

    quote = memchr(raw->data, '"', raw->len);
    if (quote == NULL) {
        return false;
    }

    value->data = raw->data;
    value->len = (size_t) (quote - raw->data);

    raw->data += value->len;
    raw->len -= value->len;

    return true;
}

#define ig_head_take(raw, literal, value)                                     \
    ig_head_value(raw, literal, sizeof(literal) - 1, value)


bool
ig_audit_head(ig_str_t raw, ig_audit_kind_e *kind, int64_t *time)
{
    ig_str_t  name, stamp;

    if (!ig_head_take(&raw, IG_HEAD_KIND, &name)
        || !ig_head_take(&raw, IG_HEAD_TIME, &stamp))
    {
        return false;
    }

    *kind = ig_audit_kind(name);

    return ig_time_rfc3339(stamp, time);
}


void
ig_audit_prefix(ig_str_t raw, ig_audit_prefix_t *prefix)
{
    ig_str_t  ignored;

    memset(prefix, 0, sizeof(*prefix));

    if (ig_head_take(&raw, IG_HEAD_KIND, &ignored)
        && ig_head_take(&raw, IG_HEAD_TIME, &ignored))
    {
        (void) ig_head_take(&raw, "\",\"event\":\"", &prefix->event);
        (void) ig_head_take(&raw, "\",\"action\":\"", &prefix->action);
        (void) ig_head_take(&raw, "\",\"decision\":\"", &prefix->decision);
    }
}


/* -- values -------------------------------------------------------------- */


static ig_str_t
ig_tree_string(const json_t *value)
{
    ig_str_t  s = ig_string("");

    if (json_is_string(value)) {
        s.data = json_string_value(value);
        s.len = json_string_length(value);
    }

    return s;
}


static int64_t
ig_tree_integer(const json_t *value)
{
    return json_is_integer(value) ? json_integer_value(value) : 0;
}


/* Digits of integers go to `digits`, which is 24 bytes. */
static ig_value_t
ig_tree_value(const json_t *value, char *digits)
{
    ig_value_t  v = { .type = IG_UNKNOWN };

    switch (json_typeof(value)) {

    case JSON_STRING:
        v.type = IG_STRING;
        v.str = ig_tree_string(value);
        break;

    case JSON_INTEGER:
        v.type = IG_NUMBER;
        v.num = (double) json_integer_value(value);
        v.str.len = (size_t) snprintf(digits, 24, "%lld",
                                      (long long) json_integer_value(value));
        v.str.data = digits;
        break;

    case JSON_REAL:
        v.type = IG_NUMBER;
        v.num = json_real_value(value);
        break;

    case JSON_TRUE:
    case JSON_FALSE:
        v.type = IG_BOOL;
        v.num = json_is_true(value);
        break;

    default:
        break;
    }

    return v;
}


ig_str_t
ig_audit_text(const ig_audit_line_t *line, const char *name)
{
    return ig_tree_string(json_object_get(line->tree, name));
}


bool
ig_audit_true(const ig_audit_line_t *line, const char *name)
{
    return json_is_true(json_object_get(line->tree, name));
}


bool
ig_audit_has(const ig_audit_line_t *line, const char *name)
{
    return json_object_get(line->tree, name) != NULL;
}


bool
ig_audit_number(const ig_audit_line_t *line, const char *name, double *number)
{
    const json_t  *value;

    value = json_object_get(line->tree, name);
    *number = json_number_value(value);

    return json_is_number(value);
}


void
ig_audit_print(const ig_audit_line_t *line, const char *name, FILE *out)
{
    const json_t  *value;

    value = json_object_get(line->tree, name);

    if (value == NULL
        || json_dumpf(value, out, JSON_COMPACT|JSON_ENCODE_ANY
                                  |JSON_REAL_PRECISION(15)) != 0)
    {
        fputs("null", out);
    }
}


/* -- the line ------------------------------------------------------------ */


static void
ig_audit_result(ig_audit_line_t *line)
{
    int64_t  seq;

    line->decision = ig_audit_decision(ig_audit_text(line, "decision"));
    line->would = ig_audit_decision(ig_audit_text(line, "would"));

    if (line->would == IG_NO_DECISION) {
        line->would = line->decision;
    }

    line->dry_run = ig_str_eq(ig_audit_text(line, "mode"),
                              ig_str("dry_run"));

    line->score = ig_tree_integer(json_object_get(line->tree, "score"));
    line->would_score = ig_audit_has(line, "would_score")
        ? ig_tree_integer(json_object_get(line->tree, "would_score"))
        : line->score;

    seq = ig_tree_integer(json_object_get(line->tree, "seq"));
    line->seq = seq > 0 ? (uint64_t) seq : 0;
}


static void
ig_audit_members(ig_audit_line_t *line)
{
    line->event = ig_audit_text(line, "event");
    line->action = ig_audit_text(line, "action");
    line->evaluation = ig_audit_text(line, "evaluation");
    line->method = ig_audit_text(line, "method");
    line->path = ig_audit_text(line, "path");
    line->request = ig_audit_text(line, "request");
    line->node = ig_audit_text(line, "node");
    line->tenant = ig_audit_text(line, "tenant");
    line->policy = ig_audit_text(line, "policy");
    line->chain = ig_audit_text(line, "chain");

    ig_audit_result(line);
}


int
ig_audit_parse(ig_str_t raw, ig_audit_line_t *line, const char **why)
{
    json_error_t  err;

    memset(line, 0, sizeof(*line));

    line->raw = raw;
    line->tree = json_loadb(raw.data, raw.len,
                            JSON_REJECT_DUPLICATES|JSON_ALLOW_NUL, &err);

    if (line->tree == NULL) {
        *why = "is no JSON object, or has a member twice";
        return IG_ERROR;
    }

    line->kind_name = ig_audit_text(line, "kind");
    line->kind = ig_audit_kind(line->kind_name);

    if (line->kind_name.len == 0) {
        *why = "is no line of an audit log: it has no \"kind\"";

    } else if (!ig_time_rfc3339(ig_audit_text(line, "time"), &line->time)) {
        *why = "has no \"time\", or one that is not as "
               "2026-11-23T12:00:00.123Z";

    } else {
        ig_audit_members(line);
        return IG_OK;
    }

    ig_audit_free(line);

    return IG_ERROR;
}


void
ig_audit_free(ig_audit_line_t *line)
{
    json_decref(line->tree);
    line->tree = NULL;
}


/* -- items --------------------------------------------------------------- */


static void
ig_items_of(json_t *tree, const char *name, ig_audit_items_t *items)
{
    json_t  *value;

    memset(items, 0, sizeof(*items));

    value = json_object_get(tree, name);

    if (json_is_array(value)) {
        items->set = value;
        items->name.data = name;
        items->name.len = strlen(name);

    } else if (json_is_object(value)) {
        items->object = value;
        items->at = json_object_iter(value);
    }
}


void
ig_audit_items(const ig_audit_line_t *line, const char *name,
    ig_audit_items_t *items)
{
    ig_items_of(line->tree, name, items);
}


/* The next member of the set the walk is in; false: there is none. */
static bool
ig_items_in_set(ig_audit_items_t *items)
{
    if (items->set == NULL) {
        return false;
    }

    if (items->index >= json_array_size(items->set)) {
        items->set = NULL;
        return false;
    }

    items->in_set = true;
    items->value = ig_tree_value(json_array_get(items->set, items->index++),
                                 items->digits);

    return true;
}


bool
ig_audit_next(ig_audit_items_t *items)
{
    json_t  *value;

    for ( ;; ) {

        if (ig_items_in_set(items)) {
            return true;
        }

        if (items->at == NULL) {
            return false;
        }

        items->name.data = json_object_iter_key(items->at);
        items->name.len = strlen(items->name.data);
        value = json_object_iter_value(items->at);
        items->at = json_object_iter_next(items->object, items->at);

        if (!json_is_array(value)) {
            items->in_set = false;
            items->value = ig_tree_value(value, items->digits);
            return true;
        }

        items->set = value;
        items->index = 0;
    }
}


bool
ig_audit_item(const ig_audit_line_t *line, const char *object, ig_str_t name,
    ig_audit_items_t *item)
{
    ig_audit_items(line, object, item);

    while (ig_audit_next(item)) {
        if (ig_str_eq(item->name, name)) {
            return true;
        }
    }

    return false;
}


/* -- rules --------------------------------------------------------------- */


void
ig_audit_rules(const ig_audit_line_t *line, ig_audit_rules_t *rules)
{
    memset(rules, 0, sizeof(*rules));

    rules->array = json_object_get(line->tree, "rule");
}


bool
ig_audit_next_rule(ig_audit_rules_t *rules)
{
    json_t  *rule, *score;

    if (rules->index >= json_array_size(rules->array)) {
        return false;
    }

    rule = json_array_get(rules->array, rules->index++);
    score = json_object_get(rule, "score");

    rules->rule = rule;
    rules->name = ig_tree_string(json_object_get(rule, "name"));
    rules->decision = ig_audit_decision(
        ig_tree_string(json_object_get(rule, "decision")));
    rules->has_score = (score != NULL);
    rules->score = ig_tree_integer(score);
    rules->dry_run = json_is_true(json_object_get(rule, "dry_run"));
    rules->on_error = json_is_true(json_object_get(rule, "on_error"));
    rules->add = ig_tree_string(json_object_get(rule, "add"));
    rules->renew = json_is_true(json_object_get(rule, "renew"));

    return true;
}


void
ig_audit_thresholds(const ig_audit_rules_t *rule, ig_audit_items_t *items)
{
    ig_items_of(rule->rule, "threshold", items);
}
