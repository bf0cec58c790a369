/*
 * ig_ctl_dossier_list.c: what put the key on lists and took it off again, by
 * rules and by people.
 * Owns: copies in the record.  Called by the survey and by the gathering.
 */

#define _GNU_SOURCE             /* memmem */

#include <stdlib.h>
#include <string.h>

#include "ig_ctl_backtest_time.h"
#include "ig_ctl_dossier.h"

#define IG_LIST_LINE         "integrity_list "
#define IG_DOSSIER_COUNTERS  4096   /* bytes: 48 names and their commas */


/* -- whose list it is ---------------------------------------------------- */


static void
ig_dossier_list_line(ig_dossier_t *d, ig_str_t line)
{
    size_t              name, key;
    const char         *at;
    unsigned            i;
    ig_dossier_list_t  *list;

    at = memchr(line.data, ' ', line.len);
    name = at ? (size_t) (at - line.data) : 0;

    if (name == 0 || name >= sizeof(list->name) || line.len < name + 5
        || memcmp(at, " key=", 5) != 0)
    {
        return;
    }

    at += 5;
    key = line.len - name - 5;

    for (i = 0; i < d->nlists; i++) {
        if (strlen(d->list[i].name) == name
            && memcmp(d->list[i].name, line.data, name) == 0)
        {
            break;
        }
    }

    if (i == ig_countof(d->list) || key + 3 > sizeof(list->key)) {
        return;
    }

    /* ",a,b," so that each field stands between commas */

    list = &d->list[i];
    d->nlists += (i == d->nlists);

    memcpy(list->name, line.data, name);
    list->name[name] = '\0';
    list->key[0] = ',';
    memcpy(list->key + 1, at, key);
    memcpy(list->key + 1 + key, ",", 2);
}


/* A later policy's lists take the place of those of an earlier one. */
int
ig_dossier_policy(void *ctx, const ig_audit_line_t *line)
{
    ig_str_t       text;
    const char    *at, *end, *stop;
    ig_dossier_t  *d = ctx;

    text = ig_audit_text(line, "text");

    if (text.len == 0) {
        return IG_OK;
    }

    end = text.data + text.len;

    for (at = text.data; at < end; at = stop + 1) {
        stop = memchr(at, '\n', (size_t) (end - at));

        if (stop == NULL) {
            break;
        }

        /* "integrity_list banned key=account;" */

        if ((size_t) (stop - at) > sizeof(IG_LIST_LINE)
            && memcmp(at, IG_LIST_LINE, sizeof(IG_LIST_LINE) - 1) == 0)
        {
            at += sizeof(IG_LIST_LINE) - 1;
            ig_dossier_list_line(d, (ig_str_t) {
                (size_t) (stop - at) - (stop[-1] == ';'), at });
        }
    }

    return IG_OK;
}


ig_dossier_own_e
ig_dossier_owns(const ig_dossier_t *d, ig_str_t name)
{
    char      field[80];
    unsigned  i;

    for (i = 0; i < d->nlists; i++) {
        if (strlen(d->list[i].name) == name.len
            && memcmp(d->list[i].name, name.data, name.len) == 0)
        {
            snprintf(field, sizeof(field), ",%.*s,", ig_fmt(d->field));
            return strstr(d->list[i].key, field) ? IG_LIST_OWN
                                                 : IG_LIST_OTHER;
        }
    }

    return IG_LIST_MAYBE;
}


/* -- sanctions ----------------------------------------------------------- */


/* The next place in the ring, its texts copied; NULL: no memory. */
static ig_dossier_sanction_t *
ig_dossier_new(ig_dossier_t *d, const ig_audit_line_t *line, ig_str_t list,
    ig_str_t reason, ig_str_t by)
{
    char                   *copy;
    ig_dossier_sanction_t  *s;

    copy = malloc(list.len + reason.len + by.len + 1);

    if (copy == NULL) {
        return NULL;
    }

    s = &d->sanction[d->nsanctions++ % IG_DOSSIER_SANCTIONS];

    free((char *) s->list.data);
    memset(s, 0, sizeof(ig_dossier_sanction_t));

    memcpy(copy, list.data, list.len);
    memcpy(copy + list.len, reason.data, reason.len);
    memcpy(copy + list.len + reason.len, by.data, by.len);

    s->list = (ig_str_t) { list.len, copy };
    s->reason = (ig_str_t) { reason.len, copy + list.len };
    s->by = (ig_str_t) { by.len, copy + list.len + reason.len };
    s->time = line->time;

    if (line->event.len == sizeof(s->event)) {
        memcpy(s->event, line->event.data, sizeof(s->event));
    }

    return s;
}


const ig_dossier_sanction_t *
ig_dossier_sanction(const ig_dossier_t *d, unsigned i)
{
    if (i >= IG_DOSSIER_SANCTIONS || i >= d->nsanctions) {
        return NULL;
    }

    return &d->sanction[(d->nsanctions - 1 - i) % IG_DOSSIER_SANCTIONS];
}


/* What is still in force on that list ends at `time`; 0: it does not. */
static void
ig_dossier_end(ig_dossier_t *d, ig_str_t list, int64_t time, int64_t ended,
    int64_t was)
{
    unsigned                i;
    ig_dossier_sanction_t  *s;

    for (i = 0; i < IG_DOSSIER_SANCTIONS && i < d->nsanctions; i++) {
        s = &d->sanction[i];

        if (s->done == IG_DONE_ADD && !s->failed && s->ended == was && s->until > time
            && ig_str_eq(s->list, list))
        {
            s->ended = ended;
        }
    }
}


/* The second line of a change: the store did not do it. */
static void
ig_dossier_failed(ig_dossier_t *d, const ig_audit_line_t *line)
{
    unsigned                i;
    ig_dossier_sanction_t  *s;

    for (i = 0; i < IG_DOSSIER_SANCTIONS && i < d->nsanctions; i++) {
        s = &d->sanction[i];

        if (line->event.len != sizeof(s->event) || s->failed
            || memcmp(s->event, line->event.data, sizeof(s->event)) != 0)
        {
            continue;
        }

        s->failed = true;

        if (s->done == IG_DONE_REMOVE) {
            ig_dossier_end(d, s->list, s->time, 0, s->time);
        }
    }
}


/* kind "key": the counters, as "a, b". */
static int
ig_dossier_counters(ig_dossier_t *d, const ig_audit_line_t *line)
{
    char                    names[IG_DOSSIER_COUNTERS];
    ig_buf_t                b;
    ig_audit_items_t        counter;
    ig_dossier_sanction_t  *s;

    ig_buf_init(&b, names, sizeof(names));
    ig_audit_items(line, "counter", &counter);

    while (ig_audit_next(&counter)) {
        ig_buf_bytes(&b, ", ", b.pos == b.start ? 0 : 2);
        ig_buf_str_add(&b, counter.value.str);
    }

    s = ig_dossier_new(d, line, ig_buf_str(&b), ig_audit_text(line, "reason"),
                       ig_audit_text(line, "by"));

    if (s == NULL) {
        return IG_NOMEM;
    }

    s->sure = true;
    s->done = ig_str_eq(ig_audit_text(line, "op"), ig_str("reset"))
              ? IG_DONE_RESET : IG_DONE_INSPECT;

    return IG_OK;
}


/* What a person did, before it took effect. */
int
ig_dossier_change(void *ctx, const ig_audit_line_t *line)
{
    ig_str_t                list;
    ig_dossier_t           *d = ctx;
    ig_dossier_sanction_t  *s;

    if (ig_audit_true(line, "failed")) {
        ig_dossier_failed(d, line);
        return IG_OK;
    }

    if (line->kind == IG_AUDIT_KEY) {
        return ig_dossier_counters(d, line);
    }

    /* a removal ends what is there, and a person's addition replaces it */

    list = ig_audit_text(line, "name");
    ig_dossier_end(d, list, line->time, line->time, 0);

    s = ig_dossier_new(d, line, list, ig_audit_text(line, "reason"),
                       ig_audit_text(line, "by"));

    if (s == NULL) {
        return IG_NOMEM;
    }

    s->sure = true;

    if (ig_str_eq(ig_audit_text(line, "op"), ig_str("remove"))) {
        s->done = IG_DONE_REMOVE;

    } else if (!ig_time_rfc3339(ig_audit_text(line, "until"), &s->until)) {
        s->until = 0;
    }

    return IG_OK;
}


int
ig_dossier_added(ig_dossier_t *d, const ig_audit_line_t *line,
    const ig_audit_rules_t *rule)
{
    int64_t                 ttl;
    ig_str_t                list, text;
    const char             *colon;
    ig_dossier_own_e        own;
    ig_dossier_sanction_t  *s;

    colon = memchr(rule->add.data, ':', rule->add.len);

    if (colon == NULL || rule->dry_run) {
        return IG_OK;
    }

    list = (ig_str_t) { (size_t) (colon - rule->add.data), rule->add.data };
    text = (ig_str_t) { rule->add.len - list.len - 1, colon + 1 };
    own = ig_dossier_owns(d, list);

    if (own == IG_LIST_OTHER || !ig_parse_duration(text, &ttl)) {
        return IG_OK;
    }

    if (rule->renew) {
        ig_dossier_end(d, list, line->time, line->time, 0);
    }

    s = ig_dossier_new(d, line, list, rule->name, ig_str("a rule"));

    if (s == NULL) {
        return IG_NOMEM;
    }

    s->by_rule = true;
    s->sure = (own == IG_LIST_OWN);
    s->until = line->time + ttl;

    return IG_OK;
}
