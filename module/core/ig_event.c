/*
 * ig_event.c: the record of a decision: what was called, what it said, what
 * was remembered, which rules fired, what came of it.
 * Owns nothing; borrows the call and the line's buffer.
 * Called by the request state machine and backtest; ig_event_list.c.
 */

#include "ig_event_int.h"

/* The thresholds of a rule, while they are written. */
typedef struct {
    ig_event_line_t  *line;
    const ig_call_t  *call;
    bool              any;
} ig_event_evidence_t;


/* Private and text fields leave as what the key made of them, never as is. */
static void
ig_event_hidden(ig_event_line_t *l, const ig_secret_t *secret,
    const ig_field_t *field, const ig_value_t *value)
{
    char      scratch[IG_KEY_TEXT];
    ig_str_t  text;

    if (secret == NULL || secret->nkeys == 0) {
        ig_buf_lit(l->b, "null");
        return;
    }

    text = ig_value_key(value, scratch);

    ig_buf_char(l->b, '"');

    if (field->is_text) {
        ig_fingerprint(l->b, &secret->key[0], text);

    } else {
        ig_pseudonym(l->b, &secret->key[0], field->name, text);
    }

    ig_buf_char(l->b, '"');
}


void
ig_event_value(ig_event_line_t *l, const ig_secret_t *secret,
    const ig_field_t *field, const ig_value_t *value)
{
    if (value->type == IG_UNKNOWN) {
        ig_buf_lit(l->b, "null");

    } else if (field->is_private || field->is_text) {
        ig_event_hidden(l, secret, field, value);

    } else if (value->type == IG_STRING) {
        ig_event_string(l, value->str, IG_EVENT_VALUE);

    } else if (value->type == IG_BOOL) {
        ig_buf_str_add(l->b, value->num != 0 ? ig_str("true")
                                             : ig_str("false"));

    } else if (value->str.len > 0) {
        ig_buf_str_add(l->b, value->str);

    } else {
        ig_buf_number(l->b, value->num);
    }
}


static void
ig_event_set(ig_event_line_t *l, const ig_secret_t *secret,
    const ig_field_t *field, const ig_members_t *members)
{
    unsigned  i;

    ig_buf_char(l->b, '[');

    for (i = 0; i < members->nmembers; i++) {
        if (i > 0) {
            ig_buf_char(l->b, ',');
        }

        ig_event_value(l, secret, field, &members->member[i]);
    }

    ig_buf_char(l->b, ']');
}


static void
ig_event_fields(ig_event_line_t *l, const ig_call_t *call)
{
    char              *mark, *end;
    unsigned           i;
    const ig_field_t  *field;

    end = ig_event_open(l, ig_str(",\"field\":{"), 1, 2);

    for (i = 0; i < call->policy->nfields; i++) {
        if (call->plan->source[i] == NULL
            || call->field[i].type == IG_MISSING)
        {
            continue;
        }

        field = call->policy->field[i];

        mark = ig_event_item(l);
        ig_event_key(l, field->name);

        if (call->field[i].type == IG_SET) {
            ig_event_set(l, call->secret, field, &call->members[i]);

        } else {
            ig_event_value(l, call->secret, field, &call->field[i]);
        }

        ig_event_keep(l, mark);
    }

    ig_event_close(l, '}', end);
}


static void
ig_event_counters(ig_event_line_t *l, const ig_call_t *call)
{
    char                *mark, *end;
    unsigned             i;
    const ig_value_t    *value;
    const ig_counter_t  *counter;

    end = ig_event_open(l, ig_str(",\"counter\":{"), 1, 2);

    for (i = 0; i < call->plan->ncounters; i++) {
        counter = call->plan->counter[i].counter;
        value = &call->counter[counter->id];

        if (value->type == IG_MISSING || counter->kind == IG_LISTED) {
            continue;
        }

        mark = ig_event_item(l);
        ig_event_key(l, counter->name);

        if (value->type == IG_UNKNOWN) {
            ig_buf_lit(l->b, "null");

        } else {
            ig_buf_number(l->b, value->num);
        }

        ig_event_keep(l, mark);
    }

    ig_event_close(l, '}', end);
}


/*
 * Names of the plan's lists: those with the call's key on them, or those of
 * which that is not known.  Without any there is no such member.
 */
static void
ig_event_lists(ig_event_line_t *l, const ig_call_t *call, ig_str_t opening,
    ig_type_e type)
{
    char                *mark, *end;
    unsigned             i;
    const ig_value_t    *value;
    const ig_counter_t  *list;

    end = NULL;

    for (i = 0; i < call->plan->ncounters; i++) {
        list = call->plan->counter[i].counter;
        value = &call->counter[list->id];

        if (list->kind != IG_LISTED || value->type != type
            || (type == IG_BOOL && value->num == 0))
        {
            continue;
        }

        if (end == NULL) {
            end = ig_event_open(l, opening, 1, 2);
        }

        mark = ig_event_item(l);
        ig_buf_char(l->b, '"');
        ig_buf_str_add(l->b, list->name);
        ig_buf_char(l->b, '"');
        ig_event_keep(l, mark);
    }

    if (end != NULL) {
        ig_event_close(l, ']', end);
    }
}


/* Thresholds have one value per place: evidence names the ones used. */
static void
ig_event_threshold(void *ctx, const ig_name_t *name)
{
    ig_event_line_t      *l;
    ig_event_evidence_t  *e = ctx;

    if (name->kind != IG_NAME_THRESHOLD) {
        return;
    }

    l = e->line;

    if (e->any) {
        ig_buf_char(l->b, ',');

    } else {
        ig_buf_lit(l->b, ",\"threshold\":{");
        e->any = true;
    }

    ig_event_key(l, e->call->policy->threshold[name->id]->name);
    ig_buf_number(l->b, e->call->place->threshold[name->id]);
}


static void
ig_event_add(ig_buf_t *b, const ig_policy_t *policy, const ig_rule_t *rule)
{
    ig_buf_lit(b, ",\"add\":\"");
    ig_buf_str_add(b, policy->counter[rule->add]->name);
    ig_buf_char(b, ':');
    ig_buf_duration(b, rule->add_ttl);
    ig_buf_char(b, '"');

    if (rule->renew) {
        ig_buf_lit(b, ",\"renew\":true");
    }
}


static void
ig_event_rule(ig_event_line_t *l, const ig_call_t *call, unsigned i)
{
    bool                 on_error;
    ig_decision_e        decision;
    const ig_rule_t     *rule;
    ig_event_evidence_t  evidence = { l, call, false };

    rule = call->plan->rule[i];
    on_error = (call->outcome[i] == IG_RULE_ON_ERROR);

    ig_buf_lit(l->b, "{\"name\":\"");
    ig_buf_str_add(l->b, rule->name);
    ig_buf_char(l->b, '"');

    decision = on_error ? rule->on_error : rule->then;

    if (decision != IG_NO_DECISION) {
        ig_buf_lit(l->b, ",\"decision\":\"");
        ig_buf_str_add(l->b, ig_decision_name(decision));
        ig_buf_char(l->b, '"');
    }

    if (rule->has_score && !on_error) {
        ig_buf_lit(l->b, ",\"score\":");
        ig_buf_i64(l->b, rule->score);
    }

    if (rule->dry_run) {
        ig_buf_lit(l->b, ",\"dry_run\":true");
    }

    if (on_error) {
        ig_buf_lit(l->b, ",\"on_error\":true");
    }

    if (ig_call_adds(call, i)) {
        ig_event_add(l->b, call->policy, rule);
    }

    ig_expr_names(rule->expr, ig_event_threshold, &evidence);

    if (evidence.any) {
        ig_buf_char(l->b, '}');
    }

    ig_buf_char(l->b, '}');
}


static void
ig_event_rules(ig_event_line_t *l, const ig_call_t *call)
{
    char      *mark, *end;
    uint8_t    outcome;
    unsigned   i;

    end = ig_event_open(l, ig_str(",\"rule\":["), 1, 1);

    for (i = 0; i < call->plan->nrules; i++) {
        outcome = call->outcome[i];

        if (outcome == IG_RULE_FIRED || outcome == IG_RULE_ON_ERROR) {
            mark = ig_event_item(l);
            ig_event_rule(l, call, i);
            ig_event_keep(l, mark);
        }
    }

    ig_event_close(l, ']', end);
}


/* What took effect, and what would have without dry run. */
static void
ig_event_result(ig_buf_t *b, const ig_call_t *call)
{
    ig_buf_lit(b, ",\"decision\":\"");
    ig_buf_str_add(b, ig_decision_name(call->decision));
    ig_buf_lit(b, "\",\"mode\":\"");
    ig_buf_str_add(b, call->dry_run ? ig_str("dry_run") : ig_str("enforce"));
    ig_buf_lit(b, "\",\"score\":");
    ig_buf_i64(b, call->score);

    if (call->would != call->decision) {
        ig_buf_lit(b, ",\"would\":\"");
        ig_buf_str_add(b, ig_decision_name(call->would));
        ig_buf_char(b, '"');
    }

    if (call->would_score != call->score) {
        ig_buf_lit(b, ",\"would_score\":");
        ig_buf_i64(b, call->would_score);
    }

    ig_buf_lit(b, ",\"evaluation\":\"");
    ig_buf_str_add(b, ig_evaluation_name(call->evaluation));
    ig_buf_char(b, '"');
}


static void
ig_event_circumstances(ig_event_line_t *l, const ig_call_t *call,
    const ig_event_host_t *host)
{
    ig_event_member(l, ig_str("method"), host->method, IG_EVENT_METHOD);
    ig_event_member(l, ig_str("path"), host->path, IG_EVENT_PATH);
    ig_event_member(l, ig_str("request"), host->request, IG_EVENT_NAME);
    ig_event_member(l, ig_str("node"), host->node, IG_EVENT_NAME);
    ig_event_member(l, ig_str("tenant"), call->tenant, IG_EVENT_NAME);
    ig_event_member(l, ig_str("body"), host->body, IG_EVENT_NAME);

    if (call->refused) {
        ig_buf_lit(l->b, ",\"new_keys\":true");
    }
}


void
ig_event_decision(ig_buf_t *b, const ig_call_t *call,
    const ig_event_host_t *host)
{
    ig_event_line_t  l;

    if (ig_event_begin(&l, b, ig_str("decision"), call->time) != IG_OK) {
        return;
    }

    ig_buf_lit(b, ",\"event\":\"");
    ig_buf_bytes(b, call->event, sizeof(call->event));
    ig_buf_lit(b, "\",\"action\":\"");
    ig_buf_str_add(b, call->plan->action);
    ig_buf_char(b, '"');

    ig_event_result(b, call);
    ig_event_circumstances(&l, call, host);

    if (!b->full) {
        /* what does not fit from here on is left out */
        ig_event_fields(&l, call);
        ig_event_counters(&l, call);
        ig_event_lists(&l, call, ig_str(",\"list\":["), IG_BOOL);
        ig_event_lists(&l, call, ig_str(",\"list_unknown\":["), IG_UNKNOWN);
        ig_event_rules(&l, call);
    }

    ig_buf_lit(b, ",\"policy\":\"");
    ig_buf_hex(b, call->policy->hash, IG_EVENT_POLICY);
    ig_buf_char(b, '"');

    ig_event_end(&l);
}
