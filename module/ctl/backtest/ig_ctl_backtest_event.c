/*
 * ig_ctl_backtest_event.c: one line of an event stream, or of the audit log.
 * Owns: the line's tree, from ig_backtest_event to ig_backtest_event_free.
 * Called by ig_ctl_backtest_source.c.
 */

#include <stdio.h>
#include <string.h>

#include "ig_ctl_backtest.h"
#include "ig_ctl_backtest_time.h"

#define IG_EVENT_ID  26         /* characters */


static void *
ig_event_no_memory(void *ctx, size_t size)
{
    (void) ctx;
    (void) size;

    return NULL;
}


/* Digits of integers over 10^15 are not wanted where this is given. */
static ig_mem_t  ig_event_no_mem = { ig_event_no_memory, NULL };


const char *
ig_skip_name(ig_skip_e skip)
{
    static const char *const  name[IG_SKIPS] = {
        [IG_SKIP_NONE] = "none",
        [IG_SKIP_BLANK] = "blank",
        [IG_SKIP_KIND] = "no decision",
        [IG_SKIP_JSON] = "no JSON object",
        [IG_SKIP_TIME] = "no time",
        [IG_SKIP_ACTION] = "no action",
        [IG_SKIP_FIELD] = "a field without a value",
        [IG_SKIP_LONG] = "too long"
    };

    return name[skip];
}


static bool
ig_event_is_blank(ig_str_t line)
{
    size_t  i;

    for (i = 0; i < line.len; i++) {
        if (memchr(" \t\r", line.data[i], 3) == NULL) {
            return false;
        }
    }

    return true;
}


/* -- members ------------------------------------------------------------- */


static ig_skip_e
ig_event_time(ig_backtest_event_t *event, const char **why)
{
    ig_value_t  value;

    value = ig_json_member(event->json, ig_str("time"), &ig_event_no_mem);

    if (value.type == IG_MISSING) {
        *why = "there is no \"time\"";
        return IG_SKIP_TIME;
    }

    if (!ig_time_value(&value, &event->time)) {
        *why = "\"time\" is neither seconds since 1970 nor RFC 3339, as "
               "1700000000.5 or \"2026-11-23T12:00:00Z\"";
        return IG_SKIP_TIME;
    }

    return IG_SKIP_NONE;
}


static ig_skip_e
ig_event_action(ig_backtest_event_t *event, ig_str_t action, const char **why)
{
    ig_value_t  value;

    value = ig_json_member(event->json, ig_str("action"), &ig_event_no_mem);

    if (value.type == IG_MISSING && event->fields != event->json) {

        /* the audit log also records calls that were refused unread */
        return IG_SKIP_KIND;
    }

    if (value.type == IG_MISSING && action.len) {
        event->action = action;
        return IG_SKIP_NONE;
    }

    if (value.type == IG_MISSING) {
        *why = "there is no \"action\"; --action NAME gives one to all events "
               "that have none";
        return IG_SKIP_ACTION;
    }

    if (value.type != IG_STRING || !ig_is_action(value.str)) {
        *why = "\"action\" is no name of an action: up to 64 of a-z, 0-9, "
               "\".\", \"_\", \"-\"";
        return IG_SKIP_ACTION;
    }

    event->action = value.str;
    return IG_SKIP_NONE;
}


/* A call without a status is taken for one that the application did. */
static bool
ig_event_completed(const ig_backtest_event_t *event)
{
    double      status;
    ig_value_t  value;

    value = ig_json_member(event->json, ig_str("status"), &ig_event_no_mem);

    if (value.type == IG_NUMBER) {
        status = value.num;

    } else if (value.type != IG_STRING
               || !ig_parse_number(value.str, &status))
    {
        return true;
    }

    return status >= 200 && status < 300;
}


/* What a line of the audit log tells of the call beside its fields. */
static void
ig_event_logged(ig_backtest_event_t *event)
{
    unsigned    i;
    ig_value_t  value;

    value = ig_json_member(event->json, ig_str("event"), &ig_event_no_mem);

    if (value.type == IG_STRING && value.str.len == IG_EVENT_ID) {
        event->id = value.str;
    }

    value = ig_json_member(event->json, ig_str("tenant"), &ig_event_no_mem);

    if (value.type == IG_STRING) {
        event->tenant = value.str;
    }

    /* in dry run all passed, and counters are as if it had not */

    value = ig_json_member(event->json, ig_str("mode"), &ig_event_no_mem);

    if (value.type != IG_STRING
        || !ig_str_eq(value.str, ig_str("enforce")))
    {
        return;
    }

    value = ig_json_member(event->json, ig_str("decision"), &ig_event_no_mem);

    for (i = 0; i < IG_DECISIONS && value.type == IG_STRING; i++) {
        if (ig_str_eq(value.str, ig_decision_name((ig_decision_e) i))) {
            event->decision = (ig_decision_e) i;
        }
    }
}


/* Lines of the audit log have a kind, and the fields in an object. */
static ig_skip_e
ig_event_kind(ig_backtest_event_t *event)
{
    ig_value_t  kind;

    event->fields = event->json;
    event->logged = false;
    event->id = ig_str("");
    event->tenant = ig_str("");
    event->decision = IG_NO_DECISION;

    if (ig_json_member(event->json, ig_str("chain"), &ig_event_no_mem).type
        != IG_STRING)
    {
        return IG_SKIP_NONE;
    }

    kind = ig_json_member(event->json, ig_str("kind"), &ig_event_no_mem);

    if (kind.type != IG_STRING) {
        return IG_SKIP_NONE;
    }

    event->fields = ig_json_object(event->json, ig_str("field"));
    event->logged = true;
    ig_event_logged(event);

    return event->fields && ig_str_eq(kind.str, ig_str("decision"))
           ? IG_SKIP_NONE : IG_SKIP_KIND;
}


/* -- lines --------------------------------------------------------------- */


static ig_skip_e
ig_event_members(ig_backtest_event_t *event, ig_str_t action,
    const char **why)
{
    ig_skip_e  skip;

    skip = ig_event_kind(event);

    if (skip == IG_SKIP_NONE) {
        skip = ig_event_time(event, why);
    }

    if (skip == IG_SKIP_NONE) {
        skip = ig_event_action(event, action, why);
    }

    event->completed = ig_event_completed(event);

    return skip;
}


ig_skip_e
ig_backtest_event(ig_backtest_event_t *event, ig_str_t line, ig_str_t action,
    const char **why)
{
    ig_skip_e        skip;
    ig_json_state_e  state;

    if (ig_event_is_blank(line)) {
        return IG_SKIP_BLANK;
    }

    state = ig_json_parse(line, &event->json);

    if (state == IG_JSON_NOMEM) {
        *why = "no memory";
        return IG_SKIP_JSON;
    }

    if (state != IG_JSON_OK || line.data[strspn(line.data, " \t\r")] != '{') {
        *why = state == IG_JSON_OK ? "is no JSON object"
               : "is no JSON, or has a member twice";

        if (state == IG_JSON_OK) {
            ig_backtest_event_free(event);
        }

        return IG_SKIP_JSON;
    }

    skip = ig_event_members(event, action, why);

    if (skip != IG_SKIP_NONE) {
        ig_backtest_event_free(event);
    }

    return skip;
}


void
ig_backtest_event_free(ig_backtest_event_t *event)
{
    ig_json_free(event->json);
    event->json = NULL;
}


ig_value_t
ig_backtest_member(const ig_backtest_event_t *event, ig_str_t name,
    ig_mem_t *mem)
{
    ig_value_t  value;

    value = ig_json_member(event->fields, name, mem);

    if (value.type == IG_MISSING && event->fields != event->json) {
        value = ig_json_member(event->json, name, mem);
    }

    return value;
}


bool
ig_backtest_is_true(const ig_value_t *value)
{
    double  num;

    if (value->type == IG_NUMBER || value->type == IG_BOOL) {
        return value->num != 0;
    }

    if (value->type != IG_STRING || ig_str_eq(value->str, ig_str("false"))) {
        return false;
    }

    return !ig_parse_number(value->str, &num) || num != 0;
}
