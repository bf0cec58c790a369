/*
 * ig_ctl_export_ocsf.c: a decision as an event of OCSF 1.5.0: API Activity
 * (class 6003) with the profile security_control.
 * Owns nothing.  Called by ig_ctl_export.c.
 */

#include <arpa/inet.h>
#include <string.h>

#include "ig_ctl_export.h"
#include "ig_ctl_out.h"
#include "ig_version.h"

#define IG_OCSF_VERSION  "1.5.0"

/* An id of the schema and its caption. */
typedef struct {
    unsigned     id;
    const char  *name;
} ig_ocsf_enum_t;


static bool
ig_ocsf_ends(ig_str_t s, const char *end)
{
    size_t  len;

    len = strlen(end);

    return s.len >= len && memcmp(s.data + s.len - len, end, len) == 0;
}


/* What the action's name says, else the method. */
static ig_ocsf_enum_t
ig_ocsf_activity(const ig_audit_line_t *line)
{
    unsigned  i;

    static const struct {
        const char      *verb;
        const char      *method;
        ig_ocsf_enum_t   activity;
    } table[] = {
        { ".create", "POST", { 1, "Create" } },
        { ".read", "GET", { 2, "Read" } },
        { ".read", "HEAD", { 2, "Read" } },
        { ".update", "PUT", { 3, "Update" } },
        { ".update", "PATCH", { 3, "Update" } },
        { ".delete", "DELETE", { 4, "Delete" } }
    };

    for (i = 0; i < ig_countof(table); i++) {
        if (ig_ocsf_ends(line->action, table[i].verb)) {
            return table[i].activity;
        }
    }

    for (i = 0; i < ig_countof(table); i++) {
        if (line->method.len == strlen(table[i].method)
            && ig_ocsf_ends(line->method, table[i].method))
        {
            return table[i].activity;
        }
    }

    return (ig_ocsf_enum_t) { 99, "Other" };
}


static ig_ocsf_enum_t
ig_ocsf_severity(ig_decision_e d)
{
    static const ig_ocsf_enum_t  severity[] = {
        [IG_ALLOW] = { 1, "Informational" },
        [IG_HOLD] = { 2, "Low" },
        [IG_THROTTLE] = { 2, "Low" },
        [IG_DENY] = { 3, "Medium" },
        [IG_NO_DECISION] = { 0, "Unknown" }
    };

    return severity[d];
}


/* A place in dry run only observes; a held call passes with a mark. */
static void
ig_ocsf_control(const ig_audit_line_t *line, ig_ocsf_enum_t *action,
    ig_ocsf_enum_t *disposition)
{
    if (line->dry_run && line->would > IG_ALLOW && line->would < IG_DECISIONS)
    {
        *action = (ig_ocsf_enum_t) { 3, "Observed" };
        *disposition = (ig_ocsf_enum_t) { 15, "Detected" };

    } else if (line->decision == IG_ALLOW) {
        *action = (ig_ocsf_enum_t) { 1, "Allowed" };
        *disposition = (ig_ocsf_enum_t) { 1, "Allowed" };

    } else if (line->decision == IG_HOLD) {
        *action = (ig_ocsf_enum_t) { 1, "Allowed" };
        *disposition = (ig_ocsf_enum_t) { 18, "Tagged" };

    } else if (line->decision == IG_NO_DECISION) {
        *action = (ig_ocsf_enum_t) { 0, "Unknown" };
        *disposition = (ig_ocsf_enum_t) { 0, "Unknown" };

    } else {
        *action = (ig_ocsf_enum_t) { 2, "Denied" };
        *disposition = (ig_ocsf_enum_t) { 2, "Blocked" };
    }
}


static void
ig_ocsf_print(const char *name, const char *caption, ig_ocsf_enum_t e)
{
    printf(",\"%s\":%u,\"%s\":\"%s\"", name, e.id, caption, e.name);
}


/* -- objects ------------------------------------------------------------- */


/* Begins an object's first member: no comma before it. */
static void
ig_ocsf_first(const char *key, ig_str_t value)
{
    printf("\"%s\":", key);
    ig_out_json(stdout, value);
}


static bool
ig_ocsf_field(const ig_audit_line_t *line, const char *name,
    ig_audit_items_t *item, char *scratch, ig_str_t *value)
{
    ig_str_t  field = { strlen(name), name };

    if (!ig_audit_item(line, "field", field, item)) {
        return false;
    }

    *value = ig_value_key(&item->value, scratch);

    return value->len > 0;
}


static void
ig_ocsf_actor(const ig_export_t *x, const ig_audit_line_t *line)
{
    char              scratch[IG_KEY_TEXT];
    ig_str_t          value;
    ig_audit_items_t  item;

    fputs(",\"actor\":{", stdout);

    if (ig_ocsf_field(line, x->actor ? x->actor : "account", &item, scratch,
                      &value))
    {
        fputs("\"user\":{", stdout);
        ig_ocsf_first("uid", value);
        putchar('}');

    } else {
        /* the schema wants one of a few members */
        ig_ocsf_first("app_name", ig_str("unknown"));
    }

    putchar('}');
}


static bool
ig_ocsf_is_address(ig_str_t value)
{
    char     text[INET6_ADDRSTRLEN];
    uint8_t  address[16];

    if (value.len >= sizeof(text)) {
        return false;
    }

    memcpy(text, value.data, value.len);
    text[value.len] = '\0';

    return inet_pton(AF_INET, text, address) == 1
           || inet_pton(AF_INET6, text, address) == 1;
}


static void
ig_ocsf_source(const ig_export_t *x, const ig_audit_line_t *line)
{
    char              scratch[IG_KEY_TEXT];
    ig_str_t          value;
    ig_audit_items_t  item;

    fputs(",\"src_endpoint\":{", stdout);

    if (x->source ? ig_ocsf_field(line, x->source, &item, scratch, &value)
                  : ig_ocsf_field(line, "device", &item, scratch, &value)
                    || ig_ocsf_field(line, "network", &item, scratch, &value))
    {
        ig_ocsf_first(ig_ocsf_is_address(value) ? "ip" : "uid", value);

    } else {
        ig_ocsf_first("name", ig_str("unknown"));
    }

    putchar('}');
}


static void
ig_ocsf_metadata(const ig_audit_line_t *line)
{
    printf(",\"metadata\":{\"version\":\"" IG_OCSF_VERSION "\",\"product\":{"
           "\"name\":\"nginx-integrity\",\"vendor_name\":\"nginx-integrity\","
           "\"version\":\"" IG_VERSION "\"},\"profiles\":[\"security_control\"]"
           ",\"log_name\":\"integrity_audit\"");

    ig_out_member(stdout, "uid", line->event);
    ig_out_member(stdout, "correlation_uid", line->request);
    ig_out_member(stdout, "tenant_uid", line->tenant);
    ig_out_member(stdout, "original_time", ig_audit_text(line, "time"));

    if (line->seq > 0) {
        printf(",\"sequence\":%llu", (unsigned long long) line->seq);
    }

    putchar('}');
}


static void
ig_ocsf_api(const ig_export_call_t *call)
{
    const ig_audit_line_t  *line;

    line = &call->line;

    fputs(",\"api\":{", stdout);
    ig_ocsf_first("operation", line->action.len ? line->action
                                                : ig_str("unclassified"));
    fputs(",\"request\":{", stdout);
    ig_ocsf_first("uid", line->request.len ? line->request : line->event);
    putchar('}');

    if (call->has_outcome) {
        printf(",\"response\":{\"code\":%u}", call->status);
    }

    putchar('}');
}


static void
ig_ocsf_http(const ig_export_call_t *call)
{
    const ig_audit_line_t  *line;

    line = &call->line;

    if (line->method.len > 0) {
        fputs(",\"http_request\":{", stdout);
        ig_ocsf_first("http_method", line->method);

        if (line->path.len > 0) {
            fputs(",\"url\":{", stdout);
            ig_ocsf_first("path", line->path);
            putchar('}');
        }

        putchar('}');
    }

    if (call->has_outcome) {
        printf(",\"http_response\":{\"code\":%u,\"latency\":%.0f}",
               call->status, call->duration);
    }

    if (line->node.len > 0) {
        fputs(",\"dst_endpoint\":{", stdout);
        ig_ocsf_first("name", line->node);
        putchar('}');
    }
}


/* What the schema has no place for, under our own names. */
static void
ig_ocsf_unmapped(const ig_audit_line_t *line)
{
    unsigned  i;

    static const char *const  member[] = {
        "mode", "would", "would_score", "evaluation", "body", "new_keys",
        "field", "counter", "list", "list_unknown", "rule", "cut", "chain",
        "hash"
    };

    fputs(",\"unmapped\":{", stdout);
    ig_ocsf_first("decision", ig_decision_name(line->decision));

    for (i = 0; i < ig_countof(member); i++) {
        if (ig_audit_has(line, member[i])) {
            printf(",\"%s\":", member[i]);
            ig_audit_print(line, member[i], stdout);
        }
    }

    putchar('}');
}


/* -- the event ----------------------------------------------------------- */


static void
ig_ocsf_classification(const ig_audit_line_t *line)
{
    ig_ocsf_enum_t  activity, action, disposition;

    activity = ig_ocsf_activity(line);
    ig_ocsf_control(line, &action, &disposition);

    printf("{\"category_uid\":6,\"category_name\":\"Application Activity\","
           "\"class_uid\":6003,\"class_name\":\"API Activity\","
           "\"type_uid\":%u,\"type_name\":\"API Activity: %s\"",
           600300 + activity.id, activity.name);

    ig_ocsf_print("activity_id", "activity_name", activity);
    ig_ocsf_print("severity_id", "severity", ig_ocsf_severity(line->decision));
    ig_ocsf_print("action_id", "action", action);
    ig_ocsf_print("disposition_id", "disposition", disposition);

    printf(",\"is_alert\":%s,\"time\":%lld",
           line->decision == IG_ALLOW ? "false" : "true",
           (long long) line->time);
}


static void
ig_ocsf_status(const ig_export_call_t *call)
{
    ig_ocsf_enum_t  status = { 0, "Unknown" };

    if (call->has_outcome && !call->aborted) {
        status = call->status < 400 ? (ig_ocsf_enum_t) { 1, "Success" }
                                    : (ig_ocsf_enum_t) { 2, "Failure" };
    }

    ig_ocsf_print("status_id", "status", status);

    if (call->has_outcome) {
        printf(",\"status_code\":\"%u\"", call->status);
    }

    ig_out_member(stdout, "status_detail",
                  ig_decision_name(call->line.decision));
}


void
ig_export_ocsf(const ig_export_t *x, const ig_export_call_t *call)
{
    const ig_audit_line_t  *line;

    line = &call->line;

    ig_ocsf_classification(line);
    ig_ocsf_status(call);
    ig_ocsf_metadata(line);
    ig_ocsf_actor(x, line);
    ig_ocsf_source(x, line);
    ig_ocsf_api(call);
    ig_ocsf_http(call);

    fputs(",\"policy\":{", stdout);
    ig_ocsf_first("uid", line->policy);
    printf(",\"name\":\"integrity\",\"is_applied\":%s},\"risk_score\":%lld",
           line->dry_run ? "false" : "true", (long long) line->score);

    ig_ocsf_unmapped(line);
    fputs("}\n", stdout);
}
