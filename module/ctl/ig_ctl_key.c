/*
 * ig_ctl_key.c: `integrityctl key`: what the store holds for a key, and
 * having it forgotten, by way of nginx's integrity_control, so that it is
 * recorded there and works with either store.
 * Owns nothing.  Called by integrityctl.
 */

#include <stdio.h>
#include <string.h>

#include "ig_ctl_control.h"
#include "ig_json.h"

#define IG_KEY_QUESTION  4096


typedef struct {
    const char   *op;
    const char   *socket;
    const char   *uri;
    const char   *reason;
    const char   *by;
    const char   *tenant;
    bool          all;
    bool          json;
    char        **arg;          /* COUNTER, where not all; "FIELD=VALUE" */
    int           nargs;
} ig_key_request_t;


static ig_str_t
ig_key_str(const char *s)
{
    return (ig_str_t) { strlen(s), s };
}


/* -- arguments ----------------------------------------------------------- */


/* "--name VALUE" or "--name=VALUE"; NULL where arg is none of the options. */
static const char **
ig_key_option(ig_key_request_t *q, const char *arg, const char **value)
{
    size_t  i, len;

    const struct {
        const char   *name;
        const char  **value;
    } option[] = {
        { "--socket", &q->socket }, { "--uri", &q->uri },
        { "--reason", &q->reason }, { "--by", &q->by },
        { "--tenant", &q->tenant }
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


static bool
ig_key_flag(ig_key_request_t *q, const char *arg)
{
    bool  *flag;

    flag = strcmp(arg, "--all") == 0 ? &q->all
           : strcmp(arg, "--json") == 0 ? &q->json : NULL;

    if (flag == NULL) {
        return false;
    }

    *flag = true;

    return true;
}


/* Options go to q; what is left moves to the front of argv. */
static int
ig_key_options(ig_key_request_t *q, int argc, char **argv)
{
    int           i;
    const char   *value, **option;

    q->arg = argv;

    for (i = 0; i < argc; i++) {

        if (strncmp(argv[i], "--", 2) != 0) {
            q->arg[q->nargs++] = argv[i];
            continue;
        }

        if (ig_key_flag(q, argv[i])) {
            continue;
        }

        option = ig_key_option(q, argv[i], &value);

        if (option == NULL) {
            return ig_ctl_usage(&ig_ctl_key, "unknown option \"%s\"",
                                argv[i]);
        }

        if (value == NULL && i + 1 < argc) {
            value = argv[++i];
        }

        if (value == NULL || *value == '\0') {
            return ig_ctl_usage(&ig_ctl_key, "\"%s\" needs a value", argv[i]);
        }

        *option = value;
    }

    return IG_CTL_OK;
}


static int
ig_key_check(const ig_key_request_t *q)
{
    int  i;

    i = q->all ? 0 : 1;

    if (!q->all && q->nargs > 0 && strchr(q->arg[0], '=') != NULL) {
        return ig_ctl_usage(&ig_ctl_key, "COUNTER is missing before \"%s\";"
                            " --all takes every counter kept by these fields",
                            q->arg[0]);
    }

    if (q->nargs <= i) {
        return ig_ctl_usage(&ig_ctl_key, "%s is missing",
                            q->nargs < i ? "COUNTER" : "FIELD=VALUE");
    }

    for ( /* void */ ; i < q->nargs; i++) {
        if (strchr(q->arg[i], '=') == NULL) {
            return ig_ctl_usage(&ig_ctl_key, "\"%s\" is not FIELD=VALUE",
                                q->arg[i]);
        }
    }

    if (q->reason == NULL || q->by == NULL) {
        return ig_ctl_usage(&ig_ctl_key, "%s is missing",
                            q->reason == NULL ? "--reason TEXT"
                                              : "--by NAME");
    }

    return IG_CTL_OK;
}


/* -- the question -------------------------------------------------------- */


/* ,"name":"value" where there is one. */
static void
ig_key_member(ig_buf_t *b, const char *name, const char *value)
{
    if (value != NULL) {
        ig_buf_lit(b, ",\"");
        ig_buf_str_add(b, ig_key_str(name));
        ig_buf_lit(b, "\":");
        ig_buf_json_string(b, ig_key_str(value));
    }
}


static void
ig_key_question(ig_buf_t *b, const ig_key_request_t *q)
{
    int       i, first;
    ig_str_t  field;

    ig_buf_lit(b, "{\"op\":");
    ig_buf_json_string(b, ig_key_str(q->op));

    if (q->all) {
        ig_buf_lit(b, ",\"all\":true");

    } else {
        ig_key_member(b, "counter", q->arg[0]);
    }

    ig_key_member(b, "reason", q->reason);
    ig_key_member(b, "by", q->by);
    ig_key_member(b, "tenant", q->tenant);

    ig_buf_lit(b, ",\"key\":{");
    first = q->all ? 0 : 1;

    for (i = first; i < q->nargs; i++) {
        field.data = q->arg[i];
        field.len = (size_t) (strchr(q->arg[i], '=') - q->arg[i]);

        ig_buf_bytes(b, ",", i > first);
        ig_buf_json_string(b, field);
        ig_buf_char(b, ':');
        ig_buf_json_string(b, ig_key_str(field.data + field.len + 1));
    }

    ig_buf_lit(b, "}}");
}


/* -- the answer as text -------------------------------------------------- */


/* "3.5", a time, or what stands for nothing. */
static void
ig_key_print(const char *name, const ig_json_t *counter, const char *member,
    const char *none, ig_mem_t *mem)
{
    char        memory[64];
    ig_buf_t    b;
    ig_value_t  v;

    v = ig_json_member(counter, ig_key_str(member), mem);
    ig_buf_init(&b, memory, sizeof(memory));

    if (v.type == IG_NUMBER) {
        ig_buf_number(&b, v.num);

    } else if (v.type == IG_STRING) {
        ig_buf_str_add(&b, v.str);

    } else if (none == NULL) {
        return;

    } else {
        ig_buf_str_add(&b, ig_key_str(none));
    }

    printf("  %-14s %.*s\n", name, ig_fmt(ig_buf_str(&b)));
}


static void
ig_key_counter(const ig_json_t *counter, ig_str_t name, ig_mem_t *mem)
{
    ig_value_t  known, kind, window;

    kind = ig_json_member(counter, ig_str("kind"), mem);
    window = ig_json_member(counter, ig_str("window"), mem);
    known = ig_json_member(counter, ig_str("known"), mem);

    printf("%.*s: %.*s, window %.*s\n", ig_fmt(name), ig_fmt(kind.str),
           ig_fmt(window.str));

    ig_key_print("value", counter, "value",
                 known.num != 0 ? "none" : "not known: still warming up", mem);
    ig_key_print("bucket", counter, "bucket", NULL, mem);
    ig_key_print("bucket before", counter, "bucket_before", NULL, mem);
    ig_key_print("sum", counter, "sum", NULL, mem);
    ig_key_print("sum before", counter, "sum_before", NULL, mem);
    ig_key_print("first seen", counter, "first", NULL, mem);
    ig_key_print("last seen", counter, "last", NULL, mem);
    ig_key_print("counts until", counter, "until", "nothing counts now", mem);
    ig_key_print("remembered", counter, "since", NULL, mem);
}


static void
ig_key_text(const ig_key_request_t *q, const ig_json_t *json, ig_mem_t *mem)
{
    bool              reset;
    unsigned          i;
    ig_str_t          name;
    ig_value_t        event;
    const ig_json_t  *counters, *counter;

    reset = strcmp(q->op, "reset") == 0;
    counters = ig_json_object(json, ig_str("counter"));
    event = ig_json_member(json, ig_str("event"), mem);

    if (reset) {
        puts("Forgotten was:");
    }

    for (i = 0; i < ig_json_size(counters); i++) {
        counter = ig_json_at(counters, i, &name);
        ig_key_counter(counter, name, mem);
    }

    if (reset) {
        puts("It holds at once on this node, within 10 seconds on others that"
             " share the store.");
    }

    printf("Recorded as %.*s.\n", ig_fmt(event.str));
}


static int
ig_key_answer(const ig_key_request_t *q, const ig_control_t *c)
{
    ig_json_t        *json;
    ig_ctl_memory_t   memory;

    if (c->status != 200 || q->json) {
        (void) fwrite(c->body.data, 1, c->body.len, stdout);
        return c->status == 200 ? IG_CTL_OK : IG_CTL_FAILED;
    }

    if (ig_json_parse(c->body, &json) != IG_JSON_OK) {
        return ig_ctl_error("the answer is not understood");
    }

    ig_ctl_memory_init(&memory);
    ig_key_text(q, json, &memory.mem);
    ig_ctl_memory_free(&memory);
    ig_json_free(json);

    return IG_CTL_OK;
}


static int
ig_key_ask(const ig_key_request_t *q)
{
    int           rc;
    char          memory[IG_KEY_QUESTION];
    ig_buf_t      question;
    ig_control_t  c;

    rc = ig_control_init(&c, &ig_ctl_key, q->socket, q->uri);
    if (rc != IG_CTL_OK) {
        return rc;
    }

    ig_buf_init(&question, memory, sizeof(memory));
    ig_key_question(&question, q);

    if (question.full) {
        return ig_ctl_error("the arguments are too long");
    }

    rc = ig_control_ask(&c, ig_buf_str(&question));
    ig_control_close(&c);

    return rc == IG_CTL_OK ? ig_key_answer(q, &c) : rc;
}


static int
ig_key_run(int argc, char **argv)
{
    int               rc;
    ig_key_request_t  q = { .uri = IG_CONTROL_URI };

    if (argc < 2 || (strcmp(argv[1], "inspect") != 0
                     && strcmp(argv[1], "reset") != 0))
    {
        return ig_ctl_usage(&ig_ctl_key, "expected \"inspect\" or \"reset\""
                            "%s%s%s", argc < 2 ? "" : " instead of \"",
                            argc < 2 ? "" : argv[1], argc < 2 ? "" : "\"");
    }

    q.op = argv[1];

    rc = ig_key_options(&q, argc - 2, argv + 2);

    if (rc == IG_CTL_OK) {
        rc = ig_key_check(&q);
    }

    return rc == IG_CTL_OK ? ig_key_ask(&q) : rc;
}


const ig_ctl_command_t  ig_ctl_key = {
    "key",
    "inspect|reset COUNTER|--all FIELD=VALUE... [OPTION...]",
    "Ask what is remembered of a key, or have it forgotten",
    "The key is named by the fields of the counter's key=, as calls send them.\n"
    "nginx is asked, where a location has integrity_control. Both are recorded\n"
    "in the audit log before they happen, the key's private fields as\n"
    "pseudonyms.\n"
    "\n"
    "inspect  what the store holds now: the value as a rule would read it, what\n"
    "         it is made of, until when any of it counts, and, where the counter\n"
    "         has a warm-up, since when it has been remembered\n"
    "reset    has it forgotten, which unblocks a customer: the next call is\n"
    "         counted as the first. At once on this node, within 10 seconds on\n"
    "         others that share the store. Prints what was there. A counter of\n"
    "         purchases forgets them too, and a list is left by \"list remove\".\n"
    "\n"
    "--all               every counter that is kept by exactly these fields\n"
    "--socket unix:PATH  the socket nginx listens on; needed\n"
    "--uri URI           the location's path, by default /integrity/control\n"
    "--reason TEXT       why, needed; in the audit log\n"
    "--by NAME           who asks, needed; in the audit log\n"
    "--tenant NAME       where places have an integrity_tenant\n"
    "--json              nginx's answer, one JSON object\n"
    "\n"
    "Exit codes: 0 done; 1 refused, or the store did not answer; 2 bad\n"
    "arguments, or no answer.\n",
    ig_key_run
};
