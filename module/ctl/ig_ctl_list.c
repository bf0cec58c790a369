/*
 * ig_ctl_list.c: `integrityctl list`: puts a key on a list, takes it off, or
 * asks for it, by way of nginx's integrity_control on a unix socket, so that
 * it is recorded there and works with either store.
 * Owns nothing.  Called by integrityctl.
 */

#include <stdio.h>
#include <string.h>

#include "ig_ctl_control.h"
#include "ig_ctl_list_log.h"

#define IG_LIST_QUESTION  4096


typedef struct {
    const char   *op;
    const char   *list;
    const char   *socket;
    const char   *uri;
    const char   *reason;
    const char   *by;
    const char   *time;         /* --for */
    const char   *tenant;
    char        **key;          /* "FIELD=VALUE" */
    int           nkeys;
} ig_list_request_t;


/* -- arguments ----------------------------------------------------------- */


/* "--name VALUE" or "--name=VALUE"; NULL where arg is none of the options. */
static const char **
ig_list_option(ig_list_request_t *q, const char *arg, const char **value)
{
    size_t  i, len;

    const struct {
        const char   *name;
        const char  **value;
    } option[] = {
        { "--socket", &q->socket }, { "--uri", &q->uri },
        { "--reason", &q->reason }, { "--by", &q->by },
        { "--for", &q->time },      { "--tenant", &q->tenant }
    };

    for (i = 0; i < ig_countof(option); i++) {
        len = strlen(option[i].name);

        if (strncmp(arg, option[i].name, len) == 0
            && (arg[len] == '\0' || arg[len] == '='))
        {
            *value = arg[len] == '=' ? arg + len + 1 : NULL;
            return option[i].value;
        }
    }

    return NULL;
}


/* Options go to q; what is left moves to the front of argv. */
static int
ig_list_options(ig_list_request_t *q, int argc, char **argv, int *left)
{
    int           i;
    const char   *value, **option;

    *left = 1;

    for (i = 1; i < argc; i++) {

        if (strncmp(argv[i], "--", 2) != 0) {
            argv[(*left)++] = argv[i];
            continue;
        }

        if (strcmp(argv[i], "--json") == 0) {
            continue;                   /* nginx's answer is JSON anyway */
        }

        option = ig_list_option(q, argv[i], &value);

        if (option == NULL) {
            return ig_ctl_usage(&ig_ctl_list, "unknown option \"%s\"",
                                argv[i]);
        }

        if (value == NULL && i + 1 < argc) {
            value = argv[++i];
        }

        if (value == NULL || *value == '\0') {
            return ig_ctl_usage(&ig_ctl_list, "\"%s\" needs a value", argv[i]);
        }

        *option = value;
    }

    return IG_CTL_OK;
}


static int
ig_list_check(const ig_list_request_t *q)
{
    int   i;
    bool  add, remove;

    add = strcmp(q->op, "add") == 0;
    remove = strcmp(q->op, "remove") == 0;

    if (!add && !remove && strcmp(q->op, "show") != 0) {
        return ig_ctl_usage(&ig_ctl_list, "expected \"add\", \"remove\" or"
                            " \"show\" instead of \"%s\"", q->op);
    }

    for (i = 0; i < q->nkeys; i++) {
        if (strchr(q->key[i], '=') == NULL) {
            return ig_ctl_usage(&ig_ctl_list, "\"%s\" is not FIELD=VALUE",
                                q->key[i]);
        }
    }

    if (add && q->time == NULL) {
        return ig_ctl_usage(&ig_ctl_list, "--for TIME is missing");
    }

    if ((add || remove) && (q->reason == NULL || q->by == NULL)) {
        return ig_ctl_usage(&ig_ctl_list, "%s is missing",
                            q->reason == NULL ? "--reason TEXT"
                                              : "--by NAME");
    }

    return IG_CTL_OK;
}


/* -- the request --------------------------------------------------------- */


static ig_str_t
ig_list_str(const char *s)
{
    return (ig_str_t) { strlen(s), s };
}


/* ,"name":"value" where there is one. */
static void
ig_list_member(ig_buf_t *b, const char *name, const char *value)
{
    if (value != NULL) {
        ig_buf_lit(b, ",\"");
        ig_buf_str_add(b, ig_list_str(name));
        ig_buf_lit(b, "\":");
        ig_buf_json_string(b, ig_list_str(value));
    }
}


static void
ig_list_body(ig_buf_t *b, const ig_list_request_t *q)
{
    int       i;
    ig_str_t  field;

    ig_buf_lit(b, "{\"op\":");
    ig_buf_json_string(b, ig_list_str(q->op));
    ig_list_member(b, "list", q->list);
    ig_list_member(b, "for", q->time);
    ig_list_member(b, "reason", q->reason);
    ig_list_member(b, "by", q->by);
    ig_list_member(b, "tenant", q->tenant);

    ig_buf_lit(b, ",\"key\":{");

    for (i = 0; i < q->nkeys; i++) {
        field.data = q->key[i];
        field.len = (size_t) (strchr(q->key[i], '=') - q->key[i]);

        ig_buf_bytes(b, ",", i > 0);
        ig_buf_json_string(b, field);
        ig_buf_char(b, ':');
        ig_buf_json_string(b, ig_list_str(field.data + field.len + 1));
    }

    ig_buf_lit(b, "}}");
}


/* -- the answer ---------------------------------------------------------- */


/* Prints the body; what the status says of it is the exit code. */
static int
ig_list_answer(const ig_list_request_t *q, const ig_control_t *c)
{
    (void) fwrite(c->body.data, 1, c->body.len, stdout);

    if (c->status != 200) {
        return IG_CTL_FAILED;
    }

    return strcmp(q->op, "show") == 0
           && strstr(c->body.data, "\"listed\":true") == NULL
           ? IG_CTL_FAILED : IG_CTL_OK;
}


static int
ig_list_ask(const ig_list_request_t *q)
{
    int           rc;
    char          memory[IG_LIST_QUESTION];
    ig_buf_t      question;
    ig_control_t  c;

    rc = ig_control_init(&c, &ig_ctl_list, q->socket, q->uri);
    if (rc != IG_CTL_OK) {
        return rc;
    }

    ig_buf_init(&question, memory, sizeof(memory));
    ig_list_body(&question, q);

    if (question.full) {
        return ig_ctl_error("the arguments are too long");
    }

    rc = ig_control_ask(&c, ig_buf_str(&question));
    ig_control_close(&c);

    return rc == IG_CTL_OK ? ig_list_answer(q, &c) : rc;
}


/* "show" with --log asks the log, not nginx. */
static bool
ig_list_of_log(int argc, char **argv)
{
    int   i;
    bool  show, log;

    for (i = 1, show = false, log = false; i < argc; i++) {
        show |= (strcmp(argv[i], "show") == 0);
        log |= (strcmp(argv[i], "--log") == 0
                || strncmp(argv[i], "--log=", 6) == 0);
    }

    return show && log;
}


static int
ig_list_run(int argc, char **argv)
{
    int                rc, left;
    ig_list_request_t  q = { .uri = IG_CONTROL_URI };

    if (ig_list_of_log(argc, argv)) {
        return ig_list_log_run(argc, argv);
    }

    rc = ig_list_options(&q, argc, argv, &left);
    if (rc != IG_CTL_OK) {
        return rc;
    }

    if (left < 4) {
        return ig_ctl_usage(&ig_ctl_list, "expected \"add\", \"remove\" or"
                            " \"show\", a list and FIELD=VALUE; or \"show\","
                            " a list and --log FILE");
    }

    q.op = argv[1];
    q.list = argv[2];
    q.key = argv + 3;
    q.nkeys = left - 3;

    rc = ig_list_check(&q);

    return rc == IG_CTL_OK ? ig_list_ask(&q) : rc;
}


const ig_ctl_command_t  ig_ctl_list = {
    "list",
    "add|remove|show LIST FIELD=VALUE... [OPTION...]\n"
    "       integrityctl list show LIST --log FILE... [OPTION...]",
    "Put a key on a list, take it off, or ask whether it is on it",
    "The key is named by the fields of the list's key=, as calls send them.\n"
    "nginx is asked, where a location has integrity_control; a change is\n"
    "recorded in the audit log before it takes effect, the key's private\n"
    "fields as pseudonyms, and holds at once on every node that shares the\n"
    "store.\n"
    "\n"
    "--socket unix:PATH  the socket nginx listens on; needed without --log\n"
    "--uri URI           the location's path, by default /integrity/control\n"
    "--for TIME          add: for how long from now, needed; as 12h or 7d,\n"
    "                    also where the key is on the list already\n"
    "--reason TEXT       add, remove: why, needed; in the audit log\n"
    "--by NAME           add, remove: who says so, needed; in the audit log\n"
    "--tenant NAME       where places have an integrity_tenant\n"
    "\n"
    "Prints nginx's answer, one JSON object, with --json or without.\n"
    "\n"
    "With --log, all entries of a list are told as the audit log knows them:\n"
    "key, since when, until when, by whom or by which rule, and why.\n"
    "\n"
    "--log FILE...       files of the audit log, plain or gzip, all that go\n"
    "                    back to the oldest entry\n"
    "--at TIME           as it was then: RFC 3339, a date, 2h, 7d\n"
    "--all               entries that ended or were taken off, too\n"
    "--json              one JSON object\n"
    "\n"
    "Exit codes: 0 done, or the key is on the list, or the list has entries;\n"
    "1 refused, or the key is not on it, or it has none; 2 bad arguments, no\n"
    "answer, or a file that cannot be read to its end.\n",
    ig_list_run
};
