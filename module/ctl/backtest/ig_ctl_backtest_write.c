/*
 * ig_ctl_backtest_write.c: strings, times and numbers on their way out.
 * Owns nothing.  Called by backtest's reports.
 */

#include <stdlib.h>
#include <string.h>

#include "ig_ctl_backtest.h"

#define IG_FIELDS_TEXT  4096    /* fields of an example */


void
ig_write_string(FILE *out, ig_str_t s)
{
    char      text[512], *room;
    size_t    size;
    ig_buf_t  b;

    /* an escape takes up to six bytes for one */

    size = 6 * s.len + 2;
    room = size <= sizeof(text) ? text : malloc(size);

    if (room == NULL) {
        fputs("null", out);
        return;
    }

    ig_buf_init(&b, room, size);
    ig_buf_json_string(&b, s);
    fwrite(room, 1, (size_t) (b.pos - b.start), out);

    if (room != text) {
        free(room);
    }
}


void
ig_write_time(FILE *out, int64_t ms)
{
    char      text[64];
    ig_buf_t  b;

    ig_buf_init(&b, text, sizeof(text));
    ig_buf_time(&b, ms);
    fwrite(text, 1, (size_t) (b.pos - b.start), out);
}


void
ig_write_number(FILE *out, double n)
{
    char      text[64];
    ig_buf_t  b;

    ig_buf_init(&b, text, sizeof(text));
    ig_buf_number(&b, n);
    fwrite(text, 1, (size_t) (b.pos - b.start), out);
}


/* -- values -------------------------------------------------------------- */


void
ig_write_value(ig_buf_t *b, const ig_value_t *value)
{
    switch (value->type) {

    case IG_STRING:
        ig_buf_json_string(b, value->str);
        return;

    case IG_BOOL:
        ig_buf_str_add(b, value->num != 0 ? ig_str("true")
                                          : ig_str("false"));
        return;

    case IG_NUMBER:
        if (value->str.len) {
            ig_buf_str_add(b, value->str);

        } else {
            ig_buf_number(b, value->num);
        }

        return;

    default:
        ig_buf_lit(b, "null");
    }
}


void
ig_write_field(ig_buf_t *b, const ig_call_t *call, unsigned field)
{
    unsigned  i;

    if (call->field[field].type != IG_SET) {
        ig_write_value(b, &call->field[field]);
        return;
    }

    ig_buf_char(b, '[');

    for (i = 0; i < call->members[field].nmembers; i++) {
        if (i) {
            ig_buf_char(b, ',');
        }

        ig_write_value(b, &call->members[field].member[i]);
    }

    ig_buf_char(b, ']');
}


ig_str_t
ig_write_fields(const ig_trial_t *trial, ig_mem_t *mem)
{
    char              text[IG_FIELDS_TEXT];
    char             *mark;
    unsigned          i;
    ig_buf_t          b;
    ig_str_t          copy;
    const ig_call_t  *call;

    call = trial->call;

    ig_buf_init(&b, text, sizeof(text) - 1);
    ig_buf_char(&b, '{');

    for (i = 0; call && i < trial->policy->nfields; i++) {

        if (call->field[i].type == IG_MISSING
            || call->plan->source[i] == NULL)
        {
            continue;
        }

        mark = b.pos;

        if (b.pos != text + 1) {
            ig_buf_char(&b, ',');
        }

        ig_buf_json_string(&b, trial->policy->field[i]->name);
        ig_buf_char(&b, ':');
        ig_write_field(&b, call, i);

        if (b.full) {

            /* a text, most likely: the example does without it */
            b.pos = mark;
            b.full = false;
        }
    }

    b.end++;
    ig_buf_char(&b, '}');

    return ig_str_dup(mem, ig_buf_str(&b), &copy) == IG_OK ? copy
                                                           : ig_str("{}");
}
