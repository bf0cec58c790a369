/*
 * ig_ctl_export_csv.c: a decision as a line of CSV (RFC 4180).
 * Owns nothing.  Called by ig_ctl_export.c.
 */

#include <stdlib.h>
#include <string.h>

#include "ig_ctl_export.h"
#include "ig_ctl_out.h"

static const char *const  ig_csv_columns[] = {
    "time", "event", "action", "decision", "would", "mode", "score",
    "evaluation", "method", "path", "request", "node", "tenant", "status",
    "upstream", "duration_ms", "aborted", "rules", "lists", "policy", "chain",
    "seq"
};


/* A spreadsheet takes what begins so for a formula. */
static bool
ig_csv_is_formula(ig_str_t s)
{
    return s.len > 0 && memchr("=+-@\t\r\n", s.data[0], 7) != NULL;
}


/* As text is shown elsewhere: a table may be looked at in a terminal, too. */
static void
ig_csv_characters(ig_str_t s)
{
    size_t  n;

    while (s.len > 0) {
        n = 0;

        while (n < s.len && memchr("\"\t\r\n", s.data[n], 4) == NULL) {
            n++;
        }

        ig_out_text(stdout, (ig_str_t) { n, s.data });

        if (n < s.len) {
            if (s.data[n] == '"') {
                putchar('"');
            }

            putchar(s.data[n++]);
        }

        s.data += n;
        s.len -= n;
    }
}


static void
ig_csv_text(ig_str_t s)
{
    bool    quotes;
    size_t  i;

    quotes = ig_csv_is_formula(s);

    for (i = 0; i < s.len && !quotes; i++) {
        quotes = memchr(",\"\r\n", s.data[i], 4) != NULL;
    }

    if (!quotes) {
        ig_csv_characters(s);
        return;
    }

    putchar('"');

    if (ig_csv_is_formula(s)) {
        putchar('\'');
    }

    ig_csv_characters(s);
    putchar('"');
}


static void
ig_csv_next(ig_str_t s)
{
    putchar(',');
    ig_csv_text(s);
}


/* A number, or nothing. */
static void
ig_csv_number(bool known, double n)
{
    putchar(',');

    if (known) {
        ig_out_number(stdout, n);
    }
}


/* Names in one column, with blanks between them. */
static void
ig_csv_names(const ig_audit_line_t *line)
{
    bool              any;
    ig_audit_items_t  item;
    ig_audit_rules_t  rule;

    putchar(',');
    any = false;
    ig_audit_rules(line, &rule);

    while (ig_audit_next_rule(&rule)) {
        fputs(any ? " " : "", stdout);
        ig_csv_text(rule.name);
        fputs(rule.dry_run ? "(dry_run)" : "", stdout);
        any = true;
    }

    putchar(',');
    any = false;
    ig_audit_items(line, "list", &item);

    while (ig_audit_next(&item)) {
        fputs(any ? " " : "", stdout);
        ig_csv_text(item.value.str);
        any = true;
    }
}


/* A whole object of the line as JSON, in quotes. */
static void
ig_csv_object(const ig_audit_line_t *line, const char *name)
{
    char    *text;
    FILE    *memory;
    size_t   size;

    putchar(',');

    memory = open_memstream(&text, &size);
    if (memory == NULL) {
        return;
    }

    ig_audit_print(line, name, memory);

    if (fclose(memory) == 0) {
        ig_csv_text((ig_str_t) { size, text });
        free(text);
    }
}


/* "field.account": its value; members of a set with blanks between them. */
static void
ig_csv_column(const ig_audit_line_t *line, const char *column)
{
    char              object[16], text[1024], scratch[IG_KEY_TEXT];
    size_t            n;
    ig_str_t          name;
    ig_buf_t          b;
    ig_audit_items_t  item;

    n = strcspn(column, ".");
    (void) snprintf(object, sizeof(object), "%.*s", (int) n, column);
    name.data = column + n + 1;
    name.len = strlen(name.data);

    ig_buf_init(&b, text, sizeof(text));
    ig_audit_items(line, object, &item);

    while (ig_audit_next(&item)) {

        if (!ig_str_eq(item.name, name)) {
            continue;
        }

        if (item.value.type == IG_NUMBER && !item.in_set) {
            ig_csv_number(true, item.value.num);
            return;
        }

        ig_buf_str_add(&b, ig_buf_str(&b).len ? ig_str(" ") : ig_str(""));
        ig_buf_str_add(&b, ig_value_key(&item.value, scratch));
    }

    ig_csv_next(ig_buf_str(&b));
}


void
ig_export_csv_header(const ig_export_t *x)
{
    unsigned  i;

    for (i = 0; i < ig_countof(ig_csv_columns); i++) {
        printf("%s%s", i ? "," : "", ig_csv_columns[i]);
    }

    for (i = 0; i < x->ncolumns; i++) {
        ig_csv_next((ig_str_t) { strlen(x->column[i]), x->column[i] });
    }

    fputs(x->ncolumns ? "\r\n" : ",field,counter\r\n", stdout);
}


void
ig_export_csv(const ig_export_t *x, const ig_export_call_t *call)
{
    unsigned                i;
    const ig_audit_line_t  *line;

    line = &call->line;

    ig_out_time(stdout, line->time);
    ig_csv_next(line->event);
    ig_csv_next(line->action);
    ig_csv_next(ig_decision_name(line->decision));
    ig_csv_next(ig_decision_name(line->would));
    ig_csv_next(line->dry_run ? ig_str("dry_run") : ig_str("enforce"));
    ig_csv_number(true, (double) line->score);
    ig_csv_next(line->evaluation);
    ig_csv_next(line->method);
    ig_csv_next(line->path);
    ig_csv_next(line->request);
    ig_csv_next(line->node);
    ig_csv_next(line->tenant);
    ig_csv_number(call->has_outcome, call->status);
    ig_csv_number(call->upstream != 0, call->upstream);
    ig_csv_number(call->has_outcome, call->duration);
    ig_csv_next(!call->has_outcome ? ig_str("")
                : call->aborted ? ig_str("true") : ig_str("false"));
    ig_csv_names(line);
    ig_csv_next(line->policy);
    ig_csv_next(line->chain);
    ig_csv_number(true, (double) line->seq);

    for (i = 0; i < x->ncolumns; i++) {
        ig_csv_column(line, x->column[i]);
    }

    if (x->ncolumns == 0) {
        ig_csv_object(line, "field");
        ig_csv_object(line, "counter");
    }

    fputs("\r\n", stdout);
}
