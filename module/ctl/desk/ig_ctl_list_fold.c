/*
 * ig_ctl_list_fold.c: the entries of a list, from the lines that speak of it.
 * Owns: the entries.  Called by ig_ctl_list_log.c.
 */

#include <string.h>

#include "ig_buf.h"
#include "ig_ctl_list_log.h"
#include "ig_value.h"

#define IG_FOLD_KEY  4096       /* of a key's JSON */

/* A key while it is put together, and what to do with it. */
typedef struct {
    ig_list_fold_t         *fold;
    const ig_audit_line_t  *line;
    const ig_audit_rules_t *rule;       /* that adds it; NULL */
    ig_str_t                name[IG_MAX_KEY];
    unsigned                nnames;
    ig_buf_t                key;
    int                     rc;
} ig_fold_key_t;


/* -- entries ------------------------------------------------------------- */


static unsigned
ig_fold_hash(ig_str_t key, ig_str_t tenant)
{
    size_t    i;
    uint32_t  h;

    h = 2166136261u;            /* FNV-1a */

    for (i = 0; i < key.len; i++) {
        h = (h ^ (unsigned char) key.data[i]) * 16777619u;
    }

    for (i = 0; i < tenant.len; i++) {
        h = (h ^ (unsigned char) tenant.data[i]) * 16777619u;
    }

    return h % IG_FOLD_BUCKETS;
}


/* The key's entry, or NULL. */
static ig_list_entry_t *
ig_fold_find(const ig_list_fold_t *fold, ig_str_t key, ig_str_t tenant)
{
    ig_list_entry_t  *e;

    for (e = fold->bucket[ig_fold_hash(key, tenant)]; e; e = e->bucket) {
        if (ig_str_eq(e->key, key) && ig_str_eq(e->tenant, tenant)) {
            return e;
        }
    }

    return NULL;
}


static ig_list_entry_t *
ig_fold_new(ig_list_fold_t *fold, ig_str_t key, ig_str_t tenant)
{
    ig_mem_t          *mem;
    ig_list_entry_t   *e, **bucket;

    mem = &fold->memory.mem;
    e = ig_alloc(mem, sizeof(ig_list_entry_t));

    if (e == NULL || ig_str_dup(mem, key, &e->key) != IG_OK
        || ig_str_dup(mem, tenant, &e->tenant) != IG_OK)
    {
        return NULL;
    }

    bucket = &fold->bucket[ig_fold_hash(key, tenant)];
    e->bucket = *bucket;
    *bucket = e;

    *fold->end = e;
    fold->end = &e->next;
    e->state = IG_ENTRY_OFF;

    return e;
}


static bool
ig_entry_live(const ig_list_entry_t *e, int64_t time)
{
    return e->state != IG_ENTRY_OFF && e->until > time;
}


/* Who did it, and why. */
static int
ig_entry_author(ig_list_fold_t *fold, ig_list_entry_t *e,
    const ig_audit_line_t *line, ig_str_t rule)
{
    ig_mem_t  *mem;

    mem = &fold->memory.mem;

    return ig_str_dup(mem, rule, &e->rule) == IG_OK
           && ig_str_dup(mem, ig_audit_text(line, "by"), &e->by) == IG_OK
           && ig_str_dup(mem, ig_audit_text(line, "reason"), &e->reason)
              == IG_OK
           && ig_str_dup(mem, line->event, &e->event) == IG_OK
           ? IG_OK : IG_NOMEM;
}


/* -- changes ------------------------------------------------------------- */


static int
ig_fold_person(ig_list_fold_t *fold, ig_list_entry_t *e,
    const ig_audit_line_t *line)
{
    if (ig_audit_true(line, "failed")) {
        e->failed = true;       /* the line before said what was asked */
        return IG_OK;
    }

    e->failed = false;
    e->changed = line->time;

    if (ig_str_eq(ig_audit_text(line, "op"), ig_str("remove"))) {
        e->state = IG_ENTRY_OFF;

    } else {
        if (!ig_entry_live(e, line->time)) {
            e->since = line->time;
        }

        e->state = IG_ENTRY_ON;
        e->until = INT64_MAX;
        (void) ig_audit_stamp(ig_audit_text(line, "until"), &e->until);
    }

    return ig_entry_author(fold, e, line, ig_str(""));
}


/* Without `renew` a rule leaves an entry that holds alone. */
static int
ig_fold_rule(ig_list_fold_t *fold, ig_list_entry_t *e,
    const ig_audit_line_t *line, const ig_audit_rules_t *rule)
{
    int64_t   ttl;
    ig_str_t  text;

    text.data = rule->add.data + fold->list.len + 1;
    text.len = rule->add.len - fold->list.len - 1;

    if (!ig_parse_duration(text, &ttl)
        || (ig_entry_live(e, line->time) && !rule->renew
            && e->state == IG_ENTRY_ON))
    {
        return IG_OK;
    }

    if (!ig_entry_live(e, line->time)) {
        e->since = line->time;
    }

    e->state = IG_ENTRY_ON;
    e->failed = false;
    e->until = line->time + ttl;
    e->changed = line->time;

    return ig_entry_author(fold, e, line, rule->name);
}


/* The whole key is in k->key. */
static int
ig_fold_apply(ig_fold_key_t *k)
{
    ig_str_t          key;
    ig_list_entry_t  *e;

    if (k->key.full) {
        k->fold->untold++;
        return IG_OK;
    }

    key = ig_buf_str(&k->key);
    e = ig_fold_find(k->fold, key, k->line->tenant);

    if (e == NULL) {
        e = ig_fold_new(k->fold, key, k->line->tenant);
    }

    if (e == NULL) {
        return IG_NOMEM;
    }

    if (k->line->kind == IG_AUDIT_LIST) {
        return ig_fold_person(k->fold, e, k->line);
    }

    if (k->rule != NULL) {
        return ig_fold_rule(k->fold, e, k->line, k->rule);
    }

    if (!ig_entry_live(e, k->line->time)) {
        e->state = IG_ENTRY_SEEN;
        e->since = k->line->time;
        e->until = INT64_MAX;
        return ig_entry_author(k->fold, e, k->line, ig_str(""));
    }

    return IG_OK;
}


/* -- keys ---------------------------------------------------------------- */


/* Field n of the key, each member of a set in turn, then what follows. */
static void
ig_fold_fields(ig_fold_key_t *k, unsigned n)
{
    char              scratch[IG_KEY_TEXT], *mark;
    bool              any;
    ig_audit_items_t  item;

    if (n == k->nnames) {
        mark = k->key.pos;
        ig_buf_char(&k->key, '}');
        k->rc = ig_fold_apply(k);
        k->key.pos = mark;
        return;
    }

    any = false;
    ig_audit_items(k->line, "field", &item);

    while (k->rc == IG_OK && ig_audit_next(&item)) {

        if (!ig_str_eq(item.name, k->name[n])
            || item.value.type == IG_UNKNOWN)
        {
            continue;
        }

        any = true;
        mark = k->key.pos;
        ig_buf_char(&k->key, n == 0 ? '{' : ',');
        ig_buf_json_string(&k->key, item.name);
        ig_buf_char(&k->key, ':');
        ig_buf_json_string(&k->key, ig_value_key(&item.value, scratch));
        ig_fold_fields(k, n + 1);
        k->key.pos = mark;
    }

    if (!any) {
        k->fold->untold++;
    }
}


/* A person's line has the key's fields alone, in the key's order. */
static void
ig_fold_names_of_line(ig_fold_key_t *k)
{
    ig_audit_items_t  item;

    ig_audit_items(k->line, "field", &item);

    while (k->nnames < IG_MAX_KEY && ig_audit_next(&item)) {
        k->name[k->nnames++] = item.name;
    }
}


static void
ig_fold_names_of_policy(ig_fold_key_t *k)
{
    unsigned             i;
    const ig_policy_t   *policy;
    const ig_counter_t  *list;

    policy = ig_past_policy(&k->fold->past, k->line->policy);
    list = policy ? ig_policy_counter(policy, k->fold->list) : NULL;

    for (i = 0; list && i < list->nkey; i++) {
        k->name[k->nnames++] = policy->field[list->key[i]]->name;
    }
}


static int
ig_fold_line(ig_list_fold_t *fold, const ig_audit_line_t *line,
    const ig_audit_rules_t *rule)
{
    char           key[IG_FOLD_KEY];
    ig_fold_key_t  k = { .fold = fold, .line = line, .rule = rule };

    ig_buf_init(&k.key, key, sizeof(key));

    if (line->kind == IG_AUDIT_LIST) {
        ig_fold_names_of_line(&k);

    } else {
        ig_fold_names_of_policy(&k);
    }

    if (k.nnames == 0) {
        fold->untold++;
        return IG_OK;
    }

    ig_fold_fields(&k, 0);

    return k.rc;
}


/* -- lines --------------------------------------------------------------- */


static int
ig_fold_decision(ig_list_fold_t *fold, const ig_audit_line_t *line)
{
    int               rc;
    ig_audit_items_t  item;
    ig_audit_rules_t  rule;

    rc = IG_OK;
    ig_audit_items(line, "list", &item);

    while (rc == IG_OK && ig_audit_next(&item)) {
        if (ig_str_eq(item.value.str, fold->list)) {
            rc = ig_fold_line(fold, line, NULL);
        }
    }

    ig_audit_rules(line, &rule);

    while (rc == IG_OK && ig_audit_next_rule(&rule)) {
        if (rule.add.len > fold->list.len + 1
            && rule.add.data[fold->list.len] == ':'
            && memcmp(rule.add.data, fold->list.data, fold->list.len) == 0)
        {
            rc = ig_fold_line(fold, line, &rule);
        }
    }

    return rc;
}


int
ig_list_fold(ig_list_fold_t *fold, const ig_audit_line_t *line)
{
    switch (line->kind) {

    case IG_AUDIT_POLICY:
        return ig_past_add(&fold->past, line);

    case IG_AUDIT_LIST:
        return ig_str_eq(ig_audit_text(line, "name"), fold->list)
               ? ig_fold_line(fold, line, NULL) : IG_OK;

    case IG_AUDIT_DECISION:
        return ig_fold_decision(fold, line);

    default:
        return IG_OK;
    }
}


const char *
ig_list_entry_state(const ig_list_fold_t *fold, const ig_list_entry_t *entry)
{
    return entry->state == IG_ENTRY_OFF ? "off"
           : entry->until <= fold->at ? "ended" : "on";
}
