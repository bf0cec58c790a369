/*
 * ig_ctl_list_log.c: `integrityctl list show LIST --log FILE...`: all entries
 * of a list, as the audit log tells them.
 * Owns: what is read.  Called by ig_ctl_list.c.
 */

#define _GNU_SOURCE             /* memmem */

#include <stdio.h>
#include <string.h>

#include "ig_ctl_list_log.h"
#include "ig_ctl_log_time.h"
#include "ig_ctl_out.h"

/* What has the list's name in a line's bytes. */
typedef struct {
    ig_str_t  name;             /* "banned" */
    ig_str_t  add;              /* "add":"banned: */
} ig_list_needle_t;


/* -- reading ------------------------------------------------------------- */


static bool
ig_list_may_speak(const ig_list_needle_t *needle,
    const ig_audit_entry_t *entry)
{
    if (!entry->own || entry->kind == IG_AUDIT_POLICY) {
        return true;
    }

    return (entry->kind == IG_AUDIT_LIST || entry->kind == IG_AUDIT_DECISION)
           && (memmem(entry->raw.data, entry->raw.len, needle->name.data,
                      needle->name.len)
               || memmem(entry->raw.data, entry->raw.len, needle->add.data,
                         needle->add.len));
}


static int
ig_list_read_line(ig_list_fold_t *fold, const ig_audit_entry_t *entry)
{
    int               rc;
    const char       *why;
    ig_audit_line_t   line;

    if (ig_audit_parse(entry->raw, &line, &why) != IG_OK) {
        (void) ig_ctl_error("%s:%llu: %s", entry->file,
                            (unsigned long long) entry->number, why);
        return IG_OK;
    }

    rc = ig_list_fold(fold, &line);
    ig_audit_free(&line);

    return rc;
}


static int
ig_list_read(ig_list_fold_t *fold, char **file, int nfiles)
{
    int                rc, end;
    char               name[80], add[80];
    ig_audit_log_t    *log;
    ig_audit_entry_t   entry;
    ig_list_needle_t   needle;
    ig_audit_filter_t  filter;

    needle.name.data = name;
    needle.name.len = (size_t) snprintf(name, sizeof(name), "\"%.*s\"",
                                        ig_fmt(fold->list));
    needle.add.data = add;
    needle.add.len = (size_t) snprintf(add, sizeof(add), "\"%.*s:",
                                       ig_fmt(fold->list));

    ig_audit_filter_init(&filter);
    filter.until = fold->at < INT64_MAX ? fold->at + 1 : fold->at;

    log = ig_audit_open(file, nfiles, &filter);

    if (log == NULL) {
        ig_audit_filter_free(&filter);
        return IG_CTL_USAGE;
    }

    while ((rc = ig_audit_raw(log, &entry)) == IG_OK) {

        if (ig_list_may_speak(&needle, &entry)
            && ig_list_read_line(fold, &entry) != IG_OK)
        {
            rc = ig_ctl_error("no memory");
            break;
        }
    }

    end = ig_audit_close(log);
    ig_audit_filter_free(&filter);

    return rc == IG_AGAIN ? end : IG_CTL_USAGE;
}


/* -- showing ------------------------------------------------------------- */


static bool
ig_list_shown(const ig_list_fold_t *fold, const ig_list_entry_t *e)
{
    return fold->all || strcmp(ig_list_entry_state(fold, e), "on") == 0;
}


static void
ig_list_json_time(const char *key, int64_t time)
{
    if (time != INT64_MAX) {
        printf(",\"%s\":\"", key);
        ig_out_time(stdout, time);
        putchar('"');
    }
}


static void
ig_list_entry_json(const ig_list_fold_t *fold, const ig_list_entry_t *e)
{
    printf("{\"key\":%.*s", ig_fmt(e->key));
    ig_out_member(stdout, "tenant", e->tenant);
    printf(",\"state\":\"%s\"", ig_list_entry_state(fold, e));
    ig_list_json_time(e->state == IG_ENTRY_SEEN ? "seen" : "since", e->since);

    if (e->state != IG_ENTRY_OFF) {
        ig_list_json_time("until", e->until);

    } else {
        ig_list_json_time("off", e->changed);
    }

    ig_out_member(stdout, "by", e->by);
    ig_out_member(stdout, "rule", e->rule);
    ig_out_member(stdout, "reason", e->reason);
    ig_out_member(stdout, "event", e->event);
    printf("%s}", e->failed ? ",\"failed\":true" : "");
}


/* {"account":"p:..."} as account=p:... */
static void
ig_list_key_text(ig_str_t key)
{
    size_t    i;
    bool      quoted;

    for (i = 1, quoted = false; i + 1 < key.len; i++) {

        if (key.data[i] == '"') {
            quoted = !quoted;

        } else if (key.data[i] == '\\' && i + 2 < key.len) {
            ig_out_text(stdout, (ig_str_t) { 2, key.data + i++ });

        } else if (!quoted) {
            putchar(key.data[i] == ':' ? '=' : ' ');

        } else {
            putchar(key.data[i]);
        }
    }
}


static void
ig_list_time_text(const char *word, int64_t time)
{
    printf("  %s ", word);
    ig_out_time(stdout, time);
}


static void
ig_list_entry_text(const ig_list_fold_t *fold, const ig_list_entry_t *e)
{
    if (fold->all) {
        printf("%-5s  ", ig_list_entry_state(fold, e));
    }

    ig_list_key_text(e->key);

    if (e->tenant.len > 0) {
        fputs("  tenant ", stdout);
        ig_out_text(stdout, e->tenant);
    }

    if (e->state == IG_ENTRY_SEEN) {
        ig_list_time_text("seen on it", e->since);
        fputs("  who put it there is not in these files\n", stdout);
        return;
    }

    ig_list_time_text("since", e->since);

    if (e->state == IG_ENTRY_OFF) {
        ig_list_time_text("off", e->changed);

    } else if (e->until != INT64_MAX) {
        ig_list_time_text("until", e->until);
    }

    fputs(e->rule.len ? "  by rule " : "  by ", stdout);
    ig_out_text(stdout, e->rule.len ? e->rule : e->by);

    if (e->reason.len > 0) {
        fputs("  because: ", stdout);
        ig_out_text(stdout, e->reason);
    }

    fputs(e->failed ? "  (the store did not answer: not certain)\n" : "\n",
          stdout);
}


/* How many were shown. */
static uint64_t
ig_list_show(const ig_list_fold_t *fold)
{
    uint64_t          n;
    ig_list_entry_t  *e;

    if (fold->json) {
        fputs("{\"list\":", stdout);
        ig_out_json(stdout, fold->list);
        fputs(",\"at\":\"", stdout);
        ig_out_time(stdout, fold->at);
        printf("\",\"untold\":%llu,\"entries\":[",
               (unsigned long long) fold->untold);
    }

    for (n = 0, e = fold->first; e; e = e->next) {

        if (!ig_list_shown(fold, e)) {
            continue;
        }

        if (fold->json) {
            fputs(n > 0 ? "," : "", stdout);
            ig_list_entry_json(fold, e);

        } else {
            ig_list_entry_text(fold, e);
        }

        n++;
    }

    fputs(fold->json ? "]}\n" : "", stdout);

    if (fold->untold > 0) {
        (void) ig_ctl_error("of %llu line%s the key could not be told: the "
                            "policy's text is not in these files, or a field "
                            "of the key is missing",
                            (unsigned long long) fold->untold,
                            fold->untold == 1 ? "" : "s");
    }

    return n;
}


/* -- arguments ----------------------------------------------------------- */


typedef struct {
    ig_list_fold_t  *fold;
    char           **file;
    int              nfiles;
    int64_t          now;
} ig_list_arguments_t;


static int
ig_list_option_log(void *ctx, const char *name, const char *value)
{
    ig_list_arguments_t  *a = ctx;

    (void) name;
    a->file[a->nfiles++] = (char *) value;

    return IG_CTL_OK;
}


static int
ig_list_option_at(void *ctx, const char *name, const char *value)
{
    ig_list_arguments_t  *a = ctx;

    return ig_audit_when(value, a->now, &a->fold->at)
           ? IG_CTL_OK : ig_ctl_error("%s: \"%s\" is no time", name, value);
}


/* argv: "list", then what is no option: "show", LIST, more FILEs. */
static int
ig_list_log_arguments(ig_list_arguments_t *a, int argc, char **argv)
{
    int                    i, n, rc;
    ig_list_fold_t        *fold = a->fold;
    const ig_ctl_option_t  option[] = {
        IG_OPTION_CALL("--log", 0, ig_list_option_log, a),
        IG_OPTION_CALL("--at", 0, ig_list_option_at, a),
        IG_OPTION_FLAG("--all", 0, &fold->all),
        IG_OPTION_FLAG("--json", 0, &fold->json)
    };

    rc = ig_ctl_options(&ig_ctl_list, option, ig_countof(option), argc, argv,
                        &n);
    if (rc != IG_CTL_OK) {
        return rc;
    }

    if (n < 2) {
        return ig_ctl_usage(&ig_ctl_list, "no list");
    }

    fold->list = (ig_str_t) { strlen(argv[2]), argv[2] };

    if (!ig_is_name(fold->list)) {
        return ig_ctl_usage(&ig_ctl_list, "\"%s\" is no name of a list",
                            argv[2]);
    }

    for (i = 3; i <= n; i++) {
        a->file[a->nfiles++] = argv[i];
    }

    return IG_CTL_OK;
}


static int
ig_list_log_fold(ig_list_arguments_t *a)
{
    int       rc;
    uint64_t  shown;

    rc = ig_list_read(a->fold, a->file, a->nfiles);
    shown = ig_list_show(a->fold);

    if (rc == IG_CTL_OK && shown == 0) {
        (void) ig_ctl_error("by these files no key %s on the list \"%.*s\"",
                            a->fold->all ? "ever was" : "is",
                            ig_fmt(a->fold->list));
    }

    return rc != IG_CTL_OK ? rc : shown > 0 ? IG_CTL_OK : IG_CTL_FAILED;
}


int
ig_list_log_run(int argc, char **argv)
{
    int                  rc;
    ig_list_fold_t      *fold;
    ig_ctl_memory_t      memory;
    ig_audit_filter_t    clock;
    ig_list_arguments_t  a;

    ig_ctl_memory_init(&memory);
    ig_audit_filter_init(&clock);

    fold = ig_alloc(&memory.mem, sizeof(ig_list_fold_t));
    a.file = ig_alloc(&memory.mem, (size_t) argc * sizeof(char *));

    if (fold == NULL || a.file == NULL) {
        ig_ctl_memory_free(&memory);
        return ig_ctl_error("no memory");
    }

    a.fold = fold;
    a.nfiles = 0;
    a.now = clock.now;

    fold->end = &fold->first;
    fold->at = clock.now;
    ig_past_init(&fold->past);
    ig_ctl_memory_init(&fold->memory);

    rc = ig_list_log_arguments(&a, argc, argv);

    if (rc == IG_CTL_OK) {
        rc = ig_list_log_fold(&a);
    }

    ig_past_free(&fold->past);
    ig_ctl_memory_free(&fold->memory);
    ig_audit_filter_free(&clock);
    ig_ctl_memory_free(&memory);

    return rc;
}
