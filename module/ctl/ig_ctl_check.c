/*
 * ig_ctl_check.c: `integrityctl check FILE`: what nginx -t would say about
 * the integrity_* directives of a configuration, without nginx.
 * Owns: the configuration's text and the policy made of it, while it runs.
 * Called by integrityctl.c.
 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ig_ctl_check.h"

#define IG_CHECK_HASH  8        /* bytes of the policy's hash shown */


/* -- findings ------------------------------------------------------------ */


/* Which directive of the list a position is of: the first on that line. */
static unsigned
ig_check_place(const ig_check_t *c, ig_pos_t pos)
{
    unsigned                    n;
    const ig_conf_directive_t  *d;

    for (d = c->conf.first, n = 0; d; d = d->next, n++) {
        if (d->pos.file == pos.file && d->pos.line == pos.line) {
            break;
        }
    }

    return n;
}


void
ig_check_add(ig_check_t *c, const ig_error_t *err, bool warning)
{
    ig_check_finding_t  *f;

    f = ig_alloc(c->mem, sizeof(ig_check_finding_t));
    if (f == NULL) {
        c->nomem = true;
        return;
    }

    f->place = ig_check_place(c, err->pos);
    f->order = c->nfindings++;
    f->warning = warning;
    f->err = *err;
    f->next = c->finding;

    c->finding = f;
    c->nmistakes += !warning;
}


static void
ig_check_say(ig_check_t *c, const ig_conf_directive_t *d, bool warning,
    const char *fmt, va_list args)
{
    char        text[IG_ERROR_SIZE];
    ig_error_t  err;

    (void) vsnprintf(text, sizeof(text), fmt, args);
    (void) ig_error(&err, d->pos, "%.*s: %s", ig_fmt(d->arg[0]), text);

    ig_check_add(c, &err, warning);
}


void
ig_check_mistake(ig_check_t *c, const ig_conf_directive_t *d,
    const char *fmt, ...)
{
    va_list  args;

    va_start(args, fmt);
    ig_check_say(c, d, false, fmt, args);
    va_end(args);
}


void
ig_check_warning(ig_check_t *c, const ig_conf_directive_t *d,
    const char *fmt, ...)
{
    va_list  args;

    va_start(args, fmt);
    ig_check_say(c, d, true, fmt, args);
    va_end(args);
}


static void
ig_check_policy_mistake(void *ctx, const ig_error_t *err)
{
    ig_check_t  *c = ctx;

    c->policy_wrong = true;
    ig_check_add(c, err, false);
}


/* -- the answer ---------------------------------------------------------- */


static int
ig_check_compare(const void *one, const void *two)
{
    const ig_check_finding_t  *a = *(ig_check_finding_t *const *) one;
    const ig_check_finding_t  *b = *(ig_check_finding_t *const *) two;

    if (a->place != b->place) {
        return a->place < b->place ? -1 : 1;
    }

    return a->order < b->order ? -1 : 1;
}


/* In the order in which the file is read, as a person goes through it. */
static void
ig_check_print(ig_check_t *c)
{
    unsigned              i;
    ig_check_finding_t   *f, **sorted;

    sorted = ig_alloc(c->mem, c->nfindings * sizeof(ig_check_finding_t *));
    if (sorted == NULL) {
        c->nomem = true;
        return;
    }

    for (f = c->finding, i = 0; f; f = f->next) {
        sorted[i++] = f;
    }

    qsort(sorted, c->nfindings, sizeof(ig_check_finding_t *),
          ig_check_compare);

    for (i = 0; i < c->nfindings; i++) {
        f = sorted[i];

        fprintf(stderr, "%s:%u: %s%s\n", f->err.pos.file, f->err.pos.line,
                f->warning ? "warning: " : "", f->err.text);
    }
}


static void
ig_check_count(unsigned n, const char *what)
{
    printf(" %u %s%s", n, what, n == 1 ? "" : "s");
}


static void
ig_check_summary(const ig_check_t *c)
{
    unsigned            i;
    const ig_policy_t  *p;

    p = c->policy;

    fputs("policy ", stdout);

    for (i = 0; i < IG_CHECK_HASH; i++) {
        printf("%02x", p->hash[i]);
    }

    fputc(':', stdout);
    ig_check_count(p->nfields, "field");
    fputc(',', stdout);
    ig_check_count(p->ncounters, "counter");
    fputc(',', stdout);
    ig_check_count(p->nrules, "rule");
    fputc(',', stdout);
    ig_check_count(p->nplans, "action");
    puts(c->fragment ? " (read as part of http)" : "");
}


static void
ig_check_json(const ig_check_t *c)
{
    unsigned            i;
    const ig_policy_t  *p;

    p = c->policy;

    fputs("{\"policy\":\"", stdout);

    for (i = 0; i < IG_CHECK_HASH; i++) {
        printf("%02x", p->hash[i]);
    }

    printf("\",\"fields\":%u,\"counters\":%u,\"rules\":%u,\"actions\":%u,"
           "\"fragment\":%s}\n", (unsigned) p->nfields,
           (unsigned) p->ncounters, (unsigned) p->nrules,
           (unsigned) p->nplans, c->fragment ? "true" : "false");
}


/* -- the subcommand ------------------------------------------------------ */


static bool
ig_check_is_ours(const ig_conf_directive_t *d)
{
    return ig_conf_is(d, "integrity")
           || (d->arg[0].len >= 10
               && memcmp(d->arg[0].data, "integrity_", 10) == 0);
}


static bool
ig_check_is_fragment(const ig_conf_t *conf)
{
    const ig_conf_directive_t  *d;

    for (d = conf->first; d; d = d->next) {
        if (d->parent == NULL && ig_conf_is(d, "http")) {
            return false;
        }
    }

    return true;
}


/*
 * A field that is wanted, NAME or NAME:text, and not there: its source does
 * not matter.
 */
static void
ig_check_field(ig_check_t *c, ig_str_t field)
{
    char        *colon;
    ig_pos_t     none = { "--field", 1 };
    ig_str_t     arg[4];
    ig_error_t   err;

    arg[0] = ig_str("integrity_field");
    arg[1] = field;
    arg[2] = ig_str("$event");

    colon = memchr(field.data, ':', field.len);

    if (colon) {
        arg[1].len = (size_t) (colon - field.data);
        arg[3].data = colon + 1;
        arg[3].len = field.len - arg[1].len - 1;
    }

    if (ig_policy_field(c->policy, arg[1]) == NULL
        && ig_policy_directive(c->policy, arg, colon ? 4 : 3, none, &err)
           != IG_OK)
    {
        c->policy_wrong = true;
        ig_check_add(c, &err, false);
    }
}


static int
ig_check_conf(ig_check_t *c)
{
    unsigned                    i;
    const ig_conf_directive_t  *d;

    c->policy = ig_policy_create(c->mem);
    if (c->policy == NULL) {
        return ig_ctl_error("no memory");
    }

    c->fragment = ig_check_is_fragment(&c->conf);

    for (d = c->conf.first; d; d = d->next) {
        if (ig_check_is_ours(d)) {
            ig_check_line(c, d);
        }
    }

    for (i = 0; i < c->nfields; i++) {
        ig_check_field(c, c->field[i]);
    }

    if (ig_policy_finish_all(c->policy, ig_check_policy_mistake, c)
        == IG_NOMEM)
    {
        c->nomem = true;
    }

    ig_check_places(c);
    ig_check_print(c);

    if (c->nomem) {
        return ig_ctl_error("no memory");
    }

    return c->nmistakes ? IG_CTL_FAILED : IG_CTL_OK;
}


int
ig_check_file(ig_check_t *c, const char *path)
{
    int         rc;
    ig_error_t  err;

    rc = ig_conf_read(c->mem, path, &c->conf, &err);

    if (rc == IG_OK) {
        return ig_check_conf(c);
    }

    if (rc == IG_NOMEM) {
        return ig_ctl_error("no memory");
    }

    if (err.pos.file == NULL) {
        return ig_ctl_error("%s", err.text);
    }

    fprintf(stderr, "%s:%u: %s\n", err.pos.file, err.pos.line, err.text);

    return IG_CTL_FAILED;
}


/* Takes --json out of the arguments, before "--" alone. */
static bool
ig_check_wants_json(int *argc, char **argv)
{
    int   i, n;
    bool  json, names;

    json = names = false;

    for (i = n = 1; i < *argc; i++) {
        if (!names && strcmp(argv[i], "--json") == 0) {
            json = true;
            continue;
        }

        names = names || strcmp(argv[i], "--") == 0;
        argv[n++] = argv[i];
    }

    *argc = n;

    return json;
}


static int
ig_check_run(int argc, char **argv)
{
    int              rc;
    bool             json;
    ig_check_t       c;
    ig_ctl_memory_t  memory;

    json = ig_check_wants_json(&argc, argv);

    if (argc > 1 && strcmp(argv[1], "--") == 0) {
        argc--;
        argv++;

    } else if (argc > 1 && argv[1][0] == '-') {
        return ig_ctl_usage(&ig_ctl_check, "unknown option \"%s\"", argv[1]);
    }

    if (argc != 2) {
        return ig_ctl_usage(&ig_ctl_check, "one configuration file is wanted");
    }

    memset(&c, 0, sizeof(c));
    ig_ctl_memory_init(&memory);
    c.mem = &memory.mem;

    rc = ig_check_file(&c, argv[1]);

    if (rc == IG_CTL_OK && json) {
        ig_check_json(&c);

    } else if (rc == IG_CTL_OK) {
        ig_check_summary(&c);
    }

    ig_ctl_memory_free(&memory);

    return rc;
}


const ig_ctl_command_t  ig_ctl_check = {
    "check",
    "[--json] FILE",
    "Say what nginx -t would say about the integrity directives of FILE",

    "FILE is nginx's main configuration; what it includes is read too, relative\n"
    "names relative to its folder.  A file without http { } is read as if it\n"
    "were included there.  Neither nginx nor the module is needed, and the\n"
    "secret's file may be missing; where it can be read it is checked.\n"
    "\n"
    "Each mistake is a line on stderr: FILE:LINE: DIRECTIVE: what is wrong.\n"
    "Without any, one line on stdout tells the policy's hash (the audit log's\n"
    "\"policy\") and what it consists of.\n"
    "\n"
    "--json  that as one JSON object; mistakes stay lines on stderr\n"
    "\n"
    "Exit codes: 0 right, 1 mistakes, 2 wrong usage or no such file.\n",

    ig_check_run
};
