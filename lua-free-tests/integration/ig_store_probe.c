/*
 * ig_store_probe.c: events through a policy over one of the stores, without
 * nginx and with the events' own times: what test_stores.py holds against a
 * plain model.
 * Owns: the policy, the calls that are open.  Called by test_stores.py.
 *
 *   ig_store_probe [--redis ADDRESS [--notes]] [--size BYTES] [--dry-run]
 *                  [--secret LINE] POLICY < EVENTS
 *
 * POLICY has the policy's directives, one a line.  An event is one JSON
 * object a line: "at" (ms), "action", "event" (26 characters), "status" of
 * the application's answer; every other member is the variable of that name,
 * and the object itself is the body.  {"keep": N} in an event leaves the call
 * open after its decision, {"at": ms, "end": N} settles it then.
 *
 * Written per event: {"decision", "would", "score", "would_score", "counter"},
 * a counter as a number, null where it is unknown, false where it is missing.
 * The last line counts the commands that Redis got: {"commands": n}.
 */

#include "ig_store_probe.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ig_call.h"
#include "ig_json.h"


#define IG_PROBE_ARGS  32
#define IG_PROBE_KEPT  16
#define IG_PROBE_LINE  65536


/* Memory that goes as one. */
typedef struct ig_probe_part_s  ig_probe_part_t;

struct ig_probe_part_s {
    ig_probe_part_t  *next;
    max_align_t       data[];
};

typedef struct {
    ig_mem_t          mem;
    ig_probe_part_t  *part;
} ig_probe_mem_t;

typedef struct {
    ig_probe_mem_t   mem;
    char            *text;
    ig_json_t       *json;
    ig_call_t       *call;
    ig_op_t          op[IG_MAX_OPS];
    unsigned         nops;
} ig_probe_call_t;

typedef struct {
    ig_probe_mem_t     mem;
    ig_policy_t       *policy;
    ig_secret_t        secret;
    ig_place_t         place;
    ig_probe_store_t  *store;
    int64_t           *since;           /* by counter id */
    uint8_t           *known;
    bool               started;
    bool               dry_run;
    int64_t            now;             /* the latest time seen */
    ig_probe_call_t   *kept[IG_PROBE_KEPT];
} ig_probe_t;


/* -- memory -------------------------------------------------------------- */

static void *
ig_probe_alloc(void *ctx, size_t size)
{
    ig_probe_mem_t   *m;
    ig_probe_part_t  *part;

    m = ctx;
    part = calloc(1, sizeof(ig_probe_part_t) + size);

    if (part == NULL) {
        return NULL;
    }

    part->next = m->part;
    m->part = part;

    return part->data;
}


static void
ig_probe_mem_init(ig_probe_mem_t *m)
{
    m->mem.alloc = ig_probe_alloc;
    m->mem.ctx = m;
    m->part = NULL;
}


static void
ig_probe_mem_free(ig_probe_mem_t *m)
{
    ig_probe_part_t  *part;

    while (m->part != NULL) {
        part = m->part;
        m->part = part->next;
        free(part);
    }
}


/* -- the policy ---------------------------------------------------------- */

/* Splits a directive's line in place; quotes as in nginx, no escapes. */
static unsigned
ig_probe_split(char *line, ig_str_t *arg)
{
    char      stop, *p;
    unsigned  n;

    n = 0;

    for (p = line; ; ) {
        p += strspn(p, " \t\r\n;");

        if (*p == '\0' || *p == '#') {
            return n;
        }

        if (n == IG_PROBE_ARGS) {
            ig_probe_fail("too many parameters: %s", line);
        }

        stop = *p == '"' || *p == '\'' ? *p++ : '\0';

        arg[n].data = p;
        arg[n].len = stop != '\0' ? strcspn(p, stop == '"' ? "\"" : "'")
                                  : strcspn(p, " \t\r\n;");
        p += arg[n].len;
        n++;

        if (stop != '\0' && *p++ != stop) {
            ig_probe_fail("a quote is open: %s", line);
        }
    }
}


static void
ig_probe_policy(ig_probe_t *probe, const char *path)
{
    int         rc;
    char        line[4096];
    FILE       *f;
    unsigned    n, i;
    double     *threshold;
    ig_str_t    arg[IG_PROBE_ARGS];
    ig_pos_t    pos = { path, 0 };
    ig_error_t  err = { "no memory", { NULL, 0 } };

    probe->policy = ig_policy_create(&probe->mem.mem);
    rc = probe->policy != NULL ? IG_OK : IG_NOMEM;

    f = fopen(path, "r");
    if (f == NULL) {
        ig_probe_fail("cannot read %s", path);
    }

    while (rc == IG_OK && fgets(line, sizeof(line), f) != NULL) {
        pos.line++;
        n = ig_probe_split(line, arg);

        if (n != 0) {
            rc = ig_policy_directive(probe->policy, arg, n, pos, &err);
        }
    }

    (void) fclose(f);

    if (rc == IG_OK) {
        rc = ig_policy_finish(probe->policy, &err);
    }

    if (rc != IG_OK) {
        ig_probe_fail("%s:%u: %s", path, pos.line, err.text);
    }

    threshold = ig_probe_alloc(&probe->mem, sizeof(double)
                                            * (probe->policy->nthresholds
                                               + 1));

    for (i = 0; i < probe->policy->nthresholds; i++) {
        threshold[i] = probe->policy->threshold[i]->value;
    }

    probe->place.threshold = threshold;
    probe->since = ig_probe_alloc(&probe->mem, sizeof(int64_t)
                                               * IG_MAX_COUNTERS);
    probe->known = ig_probe_alloc(&probe->mem, IG_MAX_COUNTERS);
}


/* -- events -------------------------------------------------------------- */

static bool
ig_probe_number(ig_probe_call_t *c, const char *name, int64_t *n)
{
    ig_value_t  v;

    v = ig_json_member(c->json, (ig_str_t) { strlen(name), name },
                       &c->mem.mem);

    *n = (int64_t) v.num;

    return v.type == IG_NUMBER;
}


static ig_str_t
ig_probe_text(ig_probe_call_t *c, ig_str_t name)
{
    char        scratch[IG_KEY_TEXT];
    ig_str_t    text;
    ig_value_t  v;

    v = ig_json_member(c->json, name, &c->mem.mem);

    if (ig_str_dup(&c->mem.mem, ig_value_key(&v, scratch), &text) != IG_OK) {
        ig_probe_fail("no memory");
    }

    return text;
}


/* Variables that are known before the answer, or those that come with it. */
static void
ig_probe_variables(ig_probe_call_t *c, bool late)
{
    unsigned            i;
    ig_str_t            name;
    const ig_source_t  *source;

    for (i = 0; i < c->call->policy->nfields; i++) {
        source = c->call->plan->source[i];

        if (source == NULL || source->kind != IG_SOURCE_VARIABLE
            || source->late != late)
        {
            continue;
        }

        name = source->text;
        name.data++;
        name.len--;

        ig_call_set_text(c->call, source, ig_probe_text(c, name),
                         &c->mem.mem);
    }
}


/* The counters are remembered from the first event on. */
static void
ig_probe_known(ig_probe_t *probe, int64_t time)
{
    unsigned             i;
    const ig_counter_t  *counter;

    for (i = 0; i < probe->policy->ncounters; i++) {
        counter = probe->policy->counter[i];

        if (!probe->started && counter->warmup != 0) {
            probe->since[i] = ig_probe_store_since(probe->store, counter,
                                                   time);
        }

        probe->known[i] = counter->warmup == 0
                          || (probe->since[i] != -1
                              && time - probe->since[i] >= counter->warmup);
    }

    probe->started = true;
}


static void
ig_probe_print(const ig_probe_call_t *c)
{
    unsigned                  i;
    const char               *comma;
    const ig_call_t          *call;
    const ig_value_t         *v;
    const ig_plan_counter_t  *pc;

    call = c->call;

    (void) printf("{\"decision\":\"%.*s\",\"would\":\"%.*s\",\"score\":%d,"
                  "\"would_score\":%d,\"counter\":{",
                  ig_fmt(ig_decision_name(call->decision)),
                  ig_fmt(ig_decision_name(call->would)),
                  call->score, call->would_score);

    for (i = 0, comma = ""; i < call->plan->ncounters; i++) {
        pc = &call->plan->counter[i];
        v = &call->counter[pc->counter->id];

        if (!pc->reads) {
            continue;
        }

        (void) printf("%s\"%.*s\":", comma, ig_fmt(pc->counter->name));
        comma = ",";

        if (v->type == IG_NUMBER) {
            (void) printf("%.17g", v->num);

        } else if (v->type == IG_BOOL) {
            (void) printf("%d", v->num != 0);

        } else {
            (void) printf("%s", v->type == IG_MISSING ? "false" : "null");
        }
    }

    (void) printf("}}\n");
}


/* What is written after the decision, and at the end of the call. */
static void
ig_probe_end(ig_probe_t *probe, ig_probe_call_t *c)
{
    int64_t   status;
    ig_op_t   out[IG_MAX_OPS];
    unsigned  n;

    n = ig_call_settle(c->call, c->op, c->nops, out);
    ig_probe_store_run(probe->store, out, n, probe->now);

    if (c->call->decision <= IG_HOLD && ig_probe_number(c, "status", &status)
        && status >= 200 && status < 300)
    {
        ig_probe_variables(c, true);

        n = ig_call_complete(c->call, out);
        ig_probe_store_run(probe->store, out, n, probe->now);
    }

    ig_json_free(c->json);
    ig_probe_mem_free(&c->mem);
    free(c->text);
    free(c);
}


static void
ig_probe_call(ig_probe_t *probe, ig_probe_call_t *c, int64_t time)
{
    void        *block;
    char         id[27];
    int64_t      keep;
    ig_str_t     event;
    ig_plan_t   *plan;

    plan = ig_plan_make(probe->policy,
                        ig_probe_text(c, ig_str("action")), &c->mem.mem);
    block = plan != NULL
            ? ig_probe_alloc(&c->mem, ig_call_size(probe->policy, plan))
            : NULL;

    if (block == NULL) {
        ig_probe_fail("no memory");
    }

    event = ig_probe_text(c, ig_str("event"));
    (void) snprintf(id, sizeof(id), "%-26.*s", ig_fmt(event));

    c->call = ig_call_init(block, probe->policy, plan, &probe->place,
                           &probe->secret, ig_str("test"), time, id);
    c->call->dry_run = probe->dry_run;

    ig_probe_variables(c, false);

    if (ig_json_extract(c->json, c->call, &c->mem.mem) != IG_JSON_OK) {
        ig_probe_fail("the body is refused: %s", c->text);
    }

    ig_probe_known(probe, time);

    c->nops = ig_call_ops(c->call, c->op);
    ig_probe_store_run(probe->store, c->op, c->nops, probe->now);
    ig_call_answer(c->call, c->op, c->nops, probe->known);
    ig_call_decide(c->call);

    ig_probe_print(c);

    if (!ig_probe_number(c, "keep", &keep)) {
        ig_probe_end(probe, c);
        return;
    }

    if (keep < 0 || keep >= IG_PROBE_KEPT || probe->kept[keep] != NULL) {
        ig_probe_fail("no place to keep: %s", c->text);
    }

    probe->kept[keep] = c;
}


static void
ig_probe_line(ig_probe_t *probe, const char *line)
{
    int64_t           time, end;
    ig_probe_call_t  *c;

    c = calloc(1, sizeof(*c));

    if (c == NULL || (c->text = strdup(line)) == NULL) {
        ig_probe_fail("no memory");
    }

    ig_probe_mem_init(&c->mem);

    if (ig_json_parse((ig_str_t) { strlen(line), c->text }, &c->json)
        != IG_JSON_OK
        || !ig_probe_number(c, "at", &time))
    {
        ig_probe_fail("no event: %s", line);
    }

    if (time > probe->now) {
        probe->now = time;
    }

    if (!ig_probe_number(c, "end", &end)) {
        ig_probe_call(probe, c, time);
        return;
    }

    if (end < 0 || end >= IG_PROBE_KEPT || probe->kept[end] == NULL) {
        ig_probe_fail("nothing kept: %s", line);
    }

    ig_probe_end(probe, probe->kept[end]);
    probe->kept[end] = NULL;

    ig_json_free(c->json);
    ig_probe_mem_free(&c->mem);
    free(c->text);
    free(c);
}


/* -- the program --------------------------------------------------------- */

static void
ig_probe_run(ig_probe_t *probe)
{
    char      *line;
    unsigned   i;

    line = malloc(IG_PROBE_LINE);

    if (line == NULL) {
        ig_probe_fail("no memory");
    }

    while (fgets(line, IG_PROBE_LINE, stdin) != NULL) {
        ig_probe_line(probe, line);
        (void) fflush(stdout);
    }

    free(line);

    for (i = 0; i < IG_PROBE_KEPT; i++) {
        if (probe->kept[i] != NULL) {
            ig_probe_end(probe, probe->kept[i]);
        }
    }

    (void) printf("{\"commands\":%lu}\n",
                  ig_probe_store_commands(probe->store));
}


int
main(int argc, char **argv)
{
    int          i;
    bool         notes;
    size_t       size;
    ig_probe_t   probe;
    ig_error_t   err;
    const char  *redis, *policy, *secret;

    redis = NULL;
    policy = NULL;
    secret = "k1:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
    notes = false;
    size = 4 * 1024 * 1024;

    memset(&probe, 0, sizeof(probe));
    ig_probe_mem_init(&probe.mem);

    for (i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--redis") == 0 && i + 1 < argc) {
            redis = argv[++i];

        } else if (strcmp(argv[i], "--size") == 0 && i + 1 < argc) {
            size = (size_t) strtoul(argv[++i], NULL, 10);

        } else if (strcmp(argv[i], "--secret") == 0 && i + 1 < argc) {
            secret = argv[++i];

        } else if (strcmp(argv[i], "--notes") == 0) {
            notes = true;

        } else if (strcmp(argv[i], "--dry-run") == 0) {
            probe.dry_run = true;

        } else if (argv[i][0] != '-' && policy == NULL) {
            policy = argv[i];

        } else {
            ig_probe_fail("no such option: %s", argv[i]);
        }
    }

    if (policy == NULL) {
        ig_probe_fail("which policy?");
    }

    if (ig_secret_parse((ig_str_t) { strlen(secret), secret }, &probe.secret,
                        &err)
        != IG_OK)
    {
        ig_probe_fail("%s", err.text);
    }

    ig_probe_policy(&probe, policy);
    probe.store = ig_probe_store_open(redis, size, notes);

    ig_probe_run(&probe);

    ig_probe_store_close(probe.store);
    ig_probe_mem_free(&probe.mem);

    return 0;
}
