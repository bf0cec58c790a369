/*
 * ig_ctl_export.c: `integrityctl export`: decisions with their outcomes, in
 * the formats of others.
 * Owns: the decisions that wait for their outcome.  Called by integrityctl.c.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ig_ctl_export.h"
#include "ig_ctl_out.h"

#define IG_EXPORT_QUEUE    16384        /* decisions that wait, at most */
#define IG_EXPORT_WAIT     INT64_C(60000)   /* ms for an outcome */
#define IG_EXPORT_BUCKETS  4096

/* A decision that waits, in a ring; its bytes are its own. */
typedef struct {
    ig_export_call_t  call;
    char             *raw;
    int               next;             /* of its bucket, or -1 */
} ig_export_waiting_t;

typedef struct {
    ig_export_t          *x;
    void                (*write)(const ig_export_t *x,
                                 const ig_export_call_t *call);
    ig_export_waiting_t  *ring;         /* [IG_EXPORT_QUEUE] */
    int                   bucket[IG_EXPORT_BUCKETS];
    unsigned              head;
    unsigned              count;
    uint64_t              written;
} ig_export_queue_t;


/* -- the queue ----------------------------------------------------------- */


static int *
ig_export_bucket(ig_export_queue_t *q, ig_str_t event)
{
    size_t    i;
    uint32_t  h;

    for (h = 2166136261u, i = 0; i < event.len; i++) {      /* FNV-1a */
        h = (h ^ (unsigned char) event.data[i]) * 16777619u;
    }

    return &q->bucket[h % IG_EXPORT_BUCKETS];
}


static ig_export_waiting_t *
ig_export_find(ig_export_queue_t *q, ig_str_t event)
{
    int  i;

    for (i = *ig_export_bucket(q, event); i != -1; i = q->ring[i].next) {
        if (ig_str_eq(q->ring[i].call.line.event, event)) {
            return &q->ring[i];
        }
    }

    return NULL;
}


/* Writes the decision that has waited longest. */
static void
ig_export_take(ig_export_queue_t *q)
{
    int                  *link;
    ig_export_waiting_t  *w;

    w = &q->ring[q->head];
    link = ig_export_bucket(q, w->call.line.event);

    while (*link != (int) q->head) {
        link = &q->ring[*link].next;
    }

    *link = w->next;

    q->write(q->x, &w->call);
    q->written++;

    ig_audit_free(&w->call.line);
    free(w->raw);

    q->head = (q->head + 1) % IG_EXPORT_QUEUE;
    q->count--;
}


static bool
ig_export_is_due(const ig_export_queue_t *q, int64_t now)
{
    const ig_export_waiting_t  *w;

    w = &q->ring[q->head];

    return q->count > 0
           && (w->call.has_outcome || q->count == IG_EXPORT_QUEUE
               || w->call.line.time < now - IG_EXPORT_WAIT);
}


static int
ig_export_put(ig_export_queue_t *q, const ig_audit_line_t *line)
{
    int                  *bucket;
    ig_str_t              raw;
    const char           *why;
    ig_export_waiting_t  *w;

    w = &q->ring[(q->head + q->count) % IG_EXPORT_QUEUE];
    memset(w, 0, sizeof(*w));

    w->raw = malloc(line->raw.len);

    if (w->raw == NULL) {
        return IG_NOMEM;
    }

    memcpy(w->raw, line->raw.data, line->raw.len);
    raw.data = w->raw;
    raw.len = line->raw.len;

    if (ig_audit_parse(raw, &w->call.line, &why) != IG_OK) {
        free(w->raw);
        return IG_NOMEM;
    }

    bucket = ig_export_bucket(q, w->call.line.event);
    w->next = *bucket;
    *bucket = (int) (w - q->ring);
    q->count++;

    return IG_OK;
}


/* -- lines --------------------------------------------------------------- */


static void
ig_export_outcome(ig_export_queue_t *q, const ig_audit_line_t *line)
{
    double                n;
    ig_export_waiting_t  *w;

    w = ig_export_find(q, line->event);

    if (w == NULL) {
        return;
    }

    w->call.has_outcome = true;
    w->call.aborted = ig_audit_true(line, "aborted");
    (void) ig_audit_number(line, "status", &n);
    w->call.status = (unsigned) n;
    (void) ig_audit_number(line, "upstream", &n);
    w->call.upstream = (unsigned) n;
    (void) ig_audit_number(line, "duration_ms", &w->call.duration);
}


static bool
ig_export_may_be(ig_export_queue_t *q, const ig_audit_entry_t *entry)
{
    ig_audit_prefix_t  prefix;

    if (!entry->own) {
        return true;
    }

    if (entry->kind == IG_AUDIT_OUTCOME) {
        ig_audit_prefix(entry->raw, &prefix);
        return ig_export_find(q, prefix.event) != NULL;
    }

    return entry->kind == IG_AUDIT_DECISION
           && ig_audit_filter_raw(&q->x->filter, entry->kind, entry->raw,
                                  true);
}


static int
ig_export_line(ig_export_queue_t *q, const ig_audit_line_t *line)
{
    const ig_audit_filter_t  *filter;

    filter = &q->x->filter;

    if (line->kind == IG_AUDIT_OUTCOME) {
        ig_export_outcome(q, line);
        return IG_OK;
    }

    if (line->kind != IG_AUDIT_DECISION || line->time < filter->since
        || line->time >= filter->until
        || !ig_audit_filter_line(filter, line))
    {
        return IG_OK;
    }

    return ig_export_put(q, line);
}


static int
ig_export_entry(ig_export_queue_t *q, const ig_audit_entry_t *entry)
{
    int               rc;
    const char       *why;
    ig_audit_line_t   line;

    while (ig_export_is_due(q, entry->time)) {
        ig_export_take(q);
    }

    if (!ig_export_may_be(q, entry)) {
        return IG_OK;
    }

    if (ig_audit_parse(entry->raw, &line, &why) != IG_OK) {
        (void) ig_ctl_error("%s:%llu: %s", entry->file,
                            (unsigned long long) entry->number, why);
        return IG_OK;
    }

    rc = ig_export_line(q, &line);
    ig_audit_free(&line);

    return rc;
}


static int
ig_export_files(ig_export_queue_t *q, char **file, int nfiles)
{
    int               rc, end;
    ig_audit_log_t   *log;
    ig_audit_entry_t  entry;

    log = ig_audit_open(file, nfiles, NULL);

    if (log == NULL) {
        return IG_CTL_USAGE;
    }

    if (q->write == ig_export_csv) {
        ig_export_csv_header(q->x);
    }

    while ((rc = ig_audit_raw(log, &entry)) == IG_OK
           && !ig_out_failed(stdout))
    {
        rc = ig_export_entry(q, &entry);

        if (rc != IG_OK) {
            (void) ig_ctl_error("no memory");
            break;
        }
    }

    while (q->count > 0) {
        ig_export_take(q);
    }

    end = ig_audit_close(log);

    return rc == IG_AGAIN || rc == IG_OK ? end : IG_CTL_USAGE;
}


static int
ig_export_all(ig_export_t *x, bool csv, char **file, int nfiles)
{
    int                 rc;
    unsigned            i;
    ig_export_queue_t  *q;

    q = calloc(1, sizeof(ig_export_queue_t));

    if (q != NULL) {
        q->ring = calloc(IG_EXPORT_QUEUE, sizeof(ig_export_waiting_t));
    }

    if (q == NULL || q->ring == NULL) {
        free(q);
        return ig_ctl_error("no memory");
    }

    for (i = 0; i < IG_EXPORT_BUCKETS; i++) {
        q->bucket[i] = -1;
    }

    q->x = x;
    q->write = csv ? ig_export_csv : ig_export_ocsf;

    rc = ig_export_files(q, file, nfiles);

    if (q->written == 0) {
        (void) ig_audit_filter_hint(&x->filter);
    }

    rc = rc != IG_CTL_OK ? rc : q->written > 0 ? IG_CTL_OK : IG_CTL_FAILED;
    free(q->ring);
    free(q);

    return rc;
}


/* -- arguments ----------------------------------------------------------- */


static int
ig_export_option_column(void *ctx, const char *name, const char *value)
{
    ig_export_t  *x = ctx;

    if ((strncmp(value, "field.", 6) != 0 || value[6] == '\0')
        && (strncmp(value, "counter.", 8) != 0 || value[8] == '\0'))
    {
        return ig_ctl_error("%s: \"%s\" is neither field.NAME nor "
                            "counter.NAME", name, value);
    }

    if (x->ncolumns == IG_EXPORT_COLUMNS) {
        return ig_ctl_error("%s: more than %d columns", name,
                            IG_EXPORT_COLUMNS);
    }

    x->column[x->ncolumns++] = value;

    return IG_CTL_OK;
}


static int
ig_export_arguments(ig_export_t *x, int argc, char **argv, int *nfiles)
{
    int                    rc;
    const ig_ctl_option_t  option[] = {
        IG_AUDIT_FILTER_OPTIONS(&x->filter),
        IG_OPTION_TEXT("--format", 0, &x->format),
        IG_OPTION_TEXT("--actor", 0, &x->actor),
        IG_OPTION_TEXT("--source", 0, &x->source),
        IG_OPTION_CALL("--column", 0, ig_export_option_column, x)
    };

    rc = ig_ctl_options(&ig_ctl_export, option, ig_countof(option), argc,
                        argv, nfiles);
    if (rc != IG_CTL_OK) {
        return rc;
    }

    if (x->format == NULL) {
        return ig_ctl_usage(&ig_ctl_export, "no format: --format ocsf or csv");
    }

    if (strcmp(x->format, "ocsf") != 0 && strcmp(x->format, "csv") != 0) {
        return ig_ctl_usage(&ig_ctl_export, "--format: \"%s\" is neither ocsf "
                            "nor csv", x->format);
    }

    if (*nfiles == 0) {
        return ig_ctl_usage(&ig_ctl_export, "no file");
    }

    return ig_audit_filter_finish(&x->filter);
}


static int
ig_export_run(int argc, char **argv)
{
    int          rc, nfiles;
    ig_export_t  x;

    nfiles = 0;
    memset(&x, 0, sizeof(x));
    ig_audit_filter_init(&x.filter);

    rc = ig_export_arguments(&x, argc, argv, &nfiles);

    if (rc == IG_CTL_OK) {
        rc = ig_export_all(&x, strcmp(x.format, "csv") == 0, argv + 1,
                           nfiles);
    }

    ig_audit_filter_free(&x.filter);

    return rc;
}


const ig_ctl_command_t  ig_ctl_export = {
    "export",
    "--format ocsf|csv [OPTION...] FILE...",
    "Write decisions with their outcomes in the formats of others",
    "ocsf: an event of the class API Activity (6003) with the profile\n"
    "security_control, OCSF 1.5.0, a line each. csv: RFC 4180 with a header;\n"
    "values that a spreadsheet would take for a formula get a ' in front.\n"
    "Only decisions are written; an outcome is waited for a minute of the\n"
    "log's time at most.\n"
    "\n"
    IG_AUDIT_FILTER_HELP
    "--actor FIELD     ocsf: the field that is the user, by default account\n"
    "--source FIELD    ocsf: the field that is the endpoint, by default\n"
    "                  device or network\n"
    "--column NAME     csv: field.NAME or counter.NAME in a column of its\n"
    "                  own, in place of the columns field and counter\n"
    "\n"
    "Exit codes:\n"
    "  0  written\n"
    "  1  no decision fits\n"
    "  2  usage, or a file that cannot be read to its end\n",
    ig_export_run
};
