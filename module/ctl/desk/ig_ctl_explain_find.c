/*
 * ig_ctl_explain_find.c: the lines of one event, and how its key came onto
 * lists.
 * Owns: the lines that are kept.  Called by ig_ctl_explain*.c.
 */

#define _GNU_SOURCE             /* memmem */

#include <string.h>

#include "ig_ctl_explain.h"


const ig_audit_line_t *
ig_explain_line(const ig_explain_t *x, ig_audit_kind_e kind)
{
    const ig_explain_line_t  *l;

    for (l = x->first; l; l = l->next) {
        if (l->line.kind == kind) {
            return &l->line;
        }
    }

    return NULL;
}


/* A copy that outlives the log; NULL: no memory, told. */
static ig_explain_line_t *
ig_explain_keep(ig_explain_t *x, const ig_audit_line_t *line)
{
    ig_str_t            raw;
    const char         *why;
    ig_explain_line_t  *kept;

    kept = ig_alloc(&x->memory.mem, sizeof(ig_explain_line_t));

    if (kept == NULL || ig_str_dup(&x->memory.mem, line->raw, &raw) != IG_OK
        || ig_audit_parse(raw, &kept->line, &why) != IG_OK)
    {
        (void) ig_ctl_error("no memory");
        return NULL;
    }

    kept->line.file = line->file;
    kept->line.number = line->number;
    kept->before = x->kept;
    x->kept = kept;

    return kept;
}


void
ig_explain_forget(ig_explain_t *x)
{
    for ( ; x->kept; x->kept = x->kept->before) {
        ig_audit_free(&x->kept->line);
    }
}


/* -- the event ----------------------------------------------------------- */


/* Whether a look at the line's bytes leaves it possible. */
static bool
ig_explain_may_be(const ig_explain_t *x, const ig_audit_entry_t *entry)
{
    ig_audit_prefix_t  prefix;

    if (!entry->own || entry->kind == IG_AUDIT_POLICY) {
        return true;
    }

    if (x->chain.len > 0) {
        return memmem(entry->raw.data, entry->raw.len, x->needle.data,
                      x->needle.len) != NULL;
    }

    ig_audit_prefix(entry->raw, &prefix);

    return ig_str_eq(prefix.event, x->event);
}


static int
ig_explain_take(ig_explain_t *x, const ig_audit_line_t *line)
{
    ig_explain_line_t  *kept;

    if (line->kind == IG_AUDIT_POLICY
        && ig_past_add(&x->past, line) != IG_OK)
    {
        return IG_NOMEM;
    }

    if (x->chain.len > 0 ? !ig_str_eq(line->chain, x->chain)
                           || line->seq != x->seq
                         : !ig_str_eq(line->event, x->event))
    {
        return IG_OK;
    }

    kept = ig_explain_keep(x, line);

    if (kept == NULL) {
        return IG_NOMEM;
    }

    *x->end = kept;
    x->end = &kept->next;

    return IG_OK;
}


/* Calls take for every line that passes may_be. */
static int
ig_explain_read(ig_explain_t *x,
    bool (*may_be)(const ig_explain_t *x, const ig_audit_entry_t *entry),
    int (*take)(ig_explain_t *x, const ig_audit_line_t *line))
{
    int               rc, end;
    const char       *why;
    ig_audit_log_t   *log;
    ig_audit_line_t   line;
    ig_audit_entry_t  entry;

    log = ig_audit_open(x->file, x->nfiles, NULL);

    if (log == NULL) {
        return IG_CTL_USAGE;
    }

    while ((rc = ig_audit_raw(log, &entry)) == IG_OK) {

        if (!may_be(x, &entry)) {
            continue;
        }

        if (ig_audit_parse(entry.raw, &line, &why) != IG_OK) {
            (void) ig_ctl_error("%s:%llu: %s", entry.file,
                                (unsigned long long) entry.number, why);
            continue;
        }

        line.file = entry.file;
        line.number = entry.number;
        rc = take(x, &line);
        ig_audit_free(&line);

        if (rc != IG_OK) {
            break;
        }
    }

    end = ig_audit_close(log);

    return rc == IG_AGAIN ? end : IG_CTL_USAGE;
}


int
ig_explain_find(ig_explain_t *x)
{
    int  rc;

    x->end = &x->first;
    rc = ig_explain_read(x, ig_explain_may_be, ig_explain_take);

    /* CHAIN:SEQ found the decision: its outcome has the same event */

    if (rc == IG_CTL_OK && x->chain.len > 0 && x->first
        && x->first->line.event.len > 0 && !x->standard)
    {
        x->event = x->first->line.event;
        x->chain.len = 0;
        x->first = NULL;
        x->end = &x->first;
        rc = ig_explain_read(x, ig_explain_may_be, ig_explain_take);
    }

    return rc;
}


/* -- lists --------------------------------------------------------------- */


static bool
ig_explain_may_list(const ig_explain_t *x, const ig_audit_entry_t *entry)
{
    (void) x;

    if (!entry->own || entry->kind == IG_AUDIT_LIST) {
        return true;
    }

    return entry->kind == IG_AUDIT_DECISION
           && memmem(entry->raw.data, entry->raw.len, ",\"add\":\"", 8);
}


/* The fields of the list's key are the same in both lines. */
static bool
ig_explain_same_key(const ig_policy_t *policy, const ig_counter_t *list,
    const ig_audit_line_t *a, const ig_audit_line_t *b)
{
    char              one[IG_KEY_TEXT], two[IG_KEY_TEXT];
    unsigned          i;
    ig_str_t          name;
    ig_audit_items_t  x, y;

    for (i = 0; i < list->nkey; i++) {
        name = policy->field[list->key[i]]->name;

        if (!ig_audit_item(a, "field", name, &x)
            || !ig_audit_item(b, "field", name, &y)
            || !ig_str_eq(ig_value_key(&x.value, one),
                          ig_value_key(&y.value, two)))
        {
            return false;
        }
    }

    return ig_str_eq(a->tenant, b->tenant);
}


/* The rule of the line that puts its key on this list; false: there is none. */
static bool
ig_explain_adds(const ig_audit_line_t *line, ig_str_t list,
    ig_audit_rules_t *rule)
{
    ig_audit_rules(line, rule);

    while (ig_audit_next_rule(rule)) {
        if (rule->add.len > list.len && rule->add.data[list.len] == ':'
            && memcmp(rule->add.data, list.data, list.len) == 0)
        {
            return true;
        }
    }

    return false;
}


static int
ig_explain_list_line(ig_explain_t *x, ig_explain_entry_t *entry,
    const ig_audit_line_t *line)
{
    ig_audit_rules_t  rule;

    entry->rule.len = 0;
    entry->known = true;
    entry->by = ig_explain_keep(x, line);

    if (entry->by == NULL) {
        return IG_NOMEM;
    }

    if (line->kind == IG_AUDIT_DECISION
        && ig_explain_adds(&entry->by->line, entry->list, &rule))
    {
        entry->rule = rule.name;
        entry->add = rule.add;
    }

    return IG_OK;
}


static int
ig_explain_take_list(ig_explain_t *x, const ig_audit_line_t *line)
{
    ig_audit_rules_t        rule;
    const ig_policy_t      *policy;
    ig_explain_entry_t     *e;
    const ig_counter_t     *list;
    const ig_audit_line_t  *decision;

    decision = ig_explain_line(x, IG_AUDIT_DECISION);
    policy = ig_past_policy(&x->past, decision->policy);

    if (line->time > decision->time || ig_str_eq(line->event, decision->event)
        || ig_audit_true(line, "failed"))
    {
        return IG_OK;
    }

    for (e = x->entry; e; e = e->next) {
        list = policy ? ig_policy_counter(policy, e->list) : NULL;

        if (list == NULL || !ig_explain_same_key(policy, list, decision, line)
            || (line->kind == IG_AUDIT_LIST
                ? !ig_str_eq(ig_audit_text(line, "name"), e->list)
                : !ig_explain_adds(line, e->list, &rule)))
        {
            continue;
        }

        if (ig_explain_list_line(x, e, line) != IG_OK) {
            return IG_NOMEM;
        }
    }

    return IG_OK;
}


int
ig_explain_find_lists(ig_explain_t *x, const ig_audit_line_t *decision)
{
    ig_audit_items_t     item;
    ig_explain_entry_t  *entry;

    ig_audit_items(decision, "list", &item);

    while (ig_audit_next(&item)) {
        entry = ig_alloc(&x->memory.mem, sizeof(ig_explain_entry_t));

        if (entry == NULL) {
            return ig_ctl_error("no memory");
        }

        entry->list = item.value.str;
        entry->next = x->entry;
        x->entry = entry;
    }

    if (x->entry == NULL || x->standard) {
        return IG_CTL_OK;
    }

    return ig_explain_read(x, ig_explain_may_list, ig_explain_take_list);
}
