/*
 * ig_policy_text.c: the policy as text: one directive a line in a normal form
 * that reads back as the same policy, sorted, so that neither order nor files
 * nor spacing show in its hash.
 * Owns: the text, in the policy's memory.  Called by ig_policy_finish.c.
 */

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "ig_crypto.h"
#include "ig_number.h"
#include "ig_policy_int.h"

/* The first try for a line; it doubles until the line fits. */
#define IG_TEXT_SIZE  512


typedef void (*ig_text_pt)(ig_buf_t *b, const ig_policy_t *p,
    const void *item);


static int
ig_text_write(const ig_policy_t *p, ig_text_pt write, const void *item,
    size_t size, ig_str_t *text)
{
    char      *memory;
    ig_buf_t   b;

    for ( ;; ) {

        memory = ig_alloc(p->mem, size);
        if (memory == NULL) {
            return IG_NOMEM;
        }

        ig_buf_init(&b, memory, size);
        write(&b, p, item);

        if (!b.full) {
            *text = ig_buf_str(&b);
            return IG_OK;
        }

        size *= 2;
    }
}


/* -- parameters ---------------------------------------------------------- */


/* Whether nginx would read the argument as it stands. */
static bool
ig_text_is_plain(ig_str_t s)
{
    size_t  i;

    for (i = 0; i < s.len; i++) {
        if ((unsigned char) s.data[i] <= ' '
            || strchr("\"'\\;{}#", s.data[i]) != NULL)
        {
            return false;
        }
    }

    return s.len != 0;
}


/* An argument as nginx's configuration takes it, quoted whole if at all. */
static void
ig_text_arg(ig_buf_t *b, const char *prefix, ig_str_t s)
{
    bool    plain;
    size_t  i;

    plain = ig_text_is_plain(s);

    ig_buf_bytes(b, "\"", plain ? 0 : 1);
    ig_buf_bytes(b, prefix, strlen(prefix));

    if (plain) {
        ig_buf_str_add(b, s);
        return;
    }

    for (i = 0; i < s.len; i++) {

        switch (s.data[i]) {

        case '\n':
            ig_buf_lit(b, "\\n");
            break;

        case '\r':
            ig_buf_lit(b, "\\r");
            break;

        case '\t':
            ig_buf_lit(b, "\\t");
            break;

        case '"':
        case '\\':
            ig_buf_char(b, '\\');
            /* fall through */

        default:
            ig_buf_char(b, s.data[i]);
        }
    }

    ig_buf_char(b, '"');
}


static void
ig_text_on(ig_buf_t *b, const ig_actions_t *on)
{
    ig_buf_lit(b, " on=");
    ig_actions_text(b, on);
}


/* " <param><time>" */
static void
ig_text_duration(ig_buf_t *b, const char *param, int64_t ms)
{
    ig_buf_bytes(b, param, strlen(param));
    ig_buf_duration(b, ms);
}


/* " <param><number>" */
static void
ig_text_integer(ig_buf_t *b, const char *param, int64_t n)
{
    ig_buf_bytes(b, param, strlen(param));
    ig_buf_i64(b, n);
}


/* -- directives ---------------------------------------------------------- */


static void
ig_text_field(ig_buf_t *b, const ig_policy_t *p, const void *item)
{
    const ig_source_t  *s = item;
    const ig_field_t   *field;

    field = p->field[s->field];

    ig_buf_lit(b, "integrity_field ");
    ig_buf_str_add(b, field->name);
    ig_buf_char(b, ' ');
    ig_text_arg(b, s->kind == IG_SOURCE_JSON ? "json:" : "", s->text);
    ig_text_on(b, &s->on);

    if (field->is_private) {
        ig_buf_lit(b, " private");
    }

    if (field->is_text) {
        ig_buf_lit(b, " text");
    }

    if (s->decode) {
        ig_buf_lit(b, " decode");
    }

    if (s->net4) {
        ig_text_integer(b, " net=", s->net4);
        ig_text_integer(b, "/", s->net6);
    }

    ig_buf_lit(b, ";\n");
}


static void
ig_text_kind(ig_buf_t *b, const ig_policy_t *p, const ig_counter_t *c)
{
    static const ig_str_t  kind[IG_KINDS] = {
        [IG_COUNT] = ig_string(""),
        [IG_COUNT_EXACT] = ig_string(" exact"),
        [IG_DISTINCT] = ig_string(" distinct="),
        [IG_SUM] = ig_string(" sum="),
        [IG_MEAN] = ig_string(" mean="),
        [IG_FIRST] = ig_string(" first"),
        [IG_LAST] = ig_string(" last"),
        [IG_LISTED] = ig_string("")
    };

    ig_buf_str_add(b, kind[c->kind]);

    if (c->value >= 0) {
        ig_buf_str_add(b, p->field[c->value]->name);
    }

    if (c->max) {
        ig_text_integer(b, " max=", c->max);
    }
}


static void
ig_text_key(ig_buf_t *b, const ig_policy_t *p, const ig_counter_t *c)
{
    unsigned  i;

    for (i = 0; i < c->nkey; i++) {
        ig_buf_str_add(b, i ? ig_str(",") : ig_str(" key="));
        ig_buf_str_add(b, p->field[c->key[i]]->name);
    }
}


static void
ig_text_list(ig_buf_t *b, const ig_policy_t *p, const void *item)
{
    const ig_counter_t  *c = item;

    ig_buf_lit(b, "integrity_list ");
    ig_buf_str_add(b, c->name);
    ig_text_key(b, p, c);
    ig_buf_lit(b, ";\n");
}


static void
ig_text_counter(ig_buf_t *b, const ig_policy_t *p, const void *item)
{
    const ig_counter_t    *c = item;
    static const ig_str_t  when[] = {
        [IG_ACCEPTED] = ig_string("accepted"),
        [IG_ATTEMPTS] = ig_string("attempts"),
        [IG_COMPLETED] = ig_string("completed")
    };

    ig_buf_lit(b, "integrity_counter ");
    ig_buf_str_add(b, c->name);
    ig_text_on(b, &c->on);
    ig_text_key(b, p, c);
    ig_text_duration(b, " window=", c->window);

    if (c->similar >= 0) {
        ig_buf_lit(b, " similar=");
        ig_buf_str_add(b, p->field[c->similar]->name);
    }

    ig_text_kind(b, p, c);
    ig_buf_lit(b, " count=");
    ig_buf_str_add(b, when[c->when]);
    ig_text_duration(b, " warmup=", c->warmup);

    if (c->cond) {
        ig_buf_char(b, ' ');
        ig_text_arg(b, "if=", ig_expr_text(c->cond));
    }

    ig_buf_lit(b, ";\n");
}


int
ig_policy_counter_text(ig_policy_t *p, ig_counter_draft_t *d)
{
    return ig_text_write(p, d->counter.kind == IG_LISTED ? ig_text_list
                                                         : ig_text_counter,
                         &d->counter, IG_TEXT_SIZE, &d->line);
}


static void
ig_text_rule(ig_buf_t *b, const ig_policy_t *p, const void *item)
{
    const ig_rule_t  *r = item;

    ig_buf_lit(b, "integrity_rule ");
    ig_buf_str_add(b, r->name);
    ig_buf_char(b, ' ');
    ig_text_arg(b, "", ig_expr_text(r->expr));
    ig_text_on(b, &r->on);

    if (r->then != IG_NO_DECISION) {
        ig_buf_lit(b, " then=");
        ig_buf_str_add(b, ig_decision_name(r->then));
    }

    if (r->has_score) {
        ig_text_integer(b, " score=", r->score);
    }

    if (r->add >= 0) {
        ig_buf_lit(b, " add=");
        ig_buf_str_add(b, p->counter[r->add]->name);
        ig_text_duration(b, ":", r->add_ttl);
    }

    if (r->renew) {
        ig_buf_lit(b, " renew");
    }

    if (r->dry_run) {
        ig_buf_lit(b, " dry_run");
    }

    if (r->on_error != IG_NO_DECISION) {
        ig_buf_lit(b, " on_error=");
        ig_buf_str_add(b, ig_decision_name(r->on_error));
    }

    ig_buf_lit(b, ";\n");
}


int
ig_policy_rule_text(ig_policy_t *p, ig_rule_draft_t *d)
{
    return ig_text_write(p, ig_text_rule, &d->rule, IG_TEXT_SIZE, &d->line);
}


/* The value that counts: which of two lines it came from does not matter. */
static void
ig_text_threshold(ig_buf_t *b, const ig_policy_t *p, const void *item)
{
    char                   text[IG_NUMBER_TEXT];
    const ig_threshold_t  *t = item;

    (void) p;

    ig_buf_lit(b, "integrity_threshold ");
    ig_buf_str_add(b, t->name);
    ig_buf_char(b, ' ');
    ig_buf_bytes(b, text, ig_number_text(t->value, text));
    ig_buf_lit(b, ";\n");
}


static void
ig_text_scores(ig_buf_t *b, const ig_policy_t *p)
{
    unsigned  d;

    ig_buf_lit(b, "integrity_scores");

    for (d = IG_HOLD; d < IG_DECISIONS; d++) {
        if (p->score[d] != INT_MAX) {
            ig_buf_char(b, ' ');
            ig_buf_str_add(b, ig_decision_name((ig_decision_e) d));
            ig_text_integer(b, "=", p->score[d]);
        }
    }

    ig_buf_lit(b, ";\n");
}


static void
ig_text_two_digits(ig_buf_t *b, int n)
{
    ig_buf_char(b, (char) ('0' + n / 10));
    ig_buf_char(b, (char) ('0' + n % 10));
}


static void
ig_text_zone(ig_buf_t *b, const ig_policy_t *p)
{
    int  minutes;

    ig_buf_lit(b, "integrity_time_zone ");

    if (p->zone == 0) {
        ig_buf_lit(b, "UTC;\n");
        return;
    }

    minutes = (p->zone < 0 ? -p->zone : p->zone) / 60;

    ig_buf_char(b, p->zone < 0 ? '-' : '+');
    ig_text_two_digits(b, minutes / 60);
    ig_buf_char(b, ':');
    ig_text_two_digits(b, minutes % 60);
    ig_buf_lit(b, ";\n");
}


/* -- the whole ----------------------------------------------------------- */


/* A line, and what it is sorted by. */
typedef struct {
    unsigned  rank;             /* of the directive */
    ig_str_t  name;
    unsigned  order;            /* of one name: fields keep theirs */
    ig_str_t  text;
} ig_text_line_t;


typedef struct {
    ig_text_line_t  *line;
    unsigned         nlines;
} ig_text_lines_t;


static int
ig_text_compare(const void *one, const void *two)
{
    int                    rc;
    const ig_text_line_t  *a = one;
    const ig_text_line_t  *b = two;

    if (a->rank != b->rank) {
        return a->rank < b->rank ? -1 : 1;
    }

    rc = ig_name_compare(a->name, b->name);

    if (rc == 0 && a->order != b->order) {
        rc = a->order < b->order ? -1 : 1;
    }

    return rc;
}


static void
ig_text_add(ig_text_lines_t *lines, unsigned rank, ig_str_t name,
    ig_str_t text)
{
    ig_text_line_t  *line;

    line = &lines->line[lines->nlines];

    line->rank = rank;
    line->name = name;
    line->order = lines->nlines++;
    line->text = text;
}


static int
ig_text_collect(ig_policy_t *p, ig_text_lines_t *lines)
{
    unsigned   i;
    ig_str_t   text;

    for (i = 0; i < p->nsources; i++) {
        if (ig_text_write(p, ig_text_field, p->source[i], IG_TEXT_SIZE, &text)
            != IG_OK)
        {
            return IG_NOMEM;
        }

        ig_text_add(lines, 0, p->field[p->source[i]->field]->name, text);
    }

    for (i = 0; i < p->ncounters; i++) {
        ig_text_add(lines, 1, p->counter[i]->name,
                    ((ig_counter_draft_t *) p->counter[i])->line);
    }

    for (i = 0; i < p->nthresholds; i++) {
        if (ig_text_write(p, ig_text_threshold, p->threshold[i], IG_TEXT_SIZE,
                          &text)
            != IG_OK)
        {
            return IG_NOMEM;
        }

        ig_text_add(lines, 2, p->threshold[i]->name, text);
    }

    for (i = 0; i < p->nrules; i++) {
        ig_text_add(lines, 3, p->rule[i]->name,
                    ((ig_rule_draft_t *) p->rule[i])->line);
    }

    return IG_OK;
}


static void
ig_text_all(ig_buf_t *b, const ig_policy_t *p, const void *item)
{
    unsigned                i;
    const ig_text_lines_t  *lines = item;

    for (i = 0; i < lines->nlines; i++) {
        ig_buf_str_add(b, lines->line[i].text);
    }

    if (p->has_scores) {
        ig_text_scores(b, p);
    }

    ig_text_zone(b, p);
}


int
ig_policy_text(ig_policy_t *p)
{
    ig_text_lines_t  lines;

    lines.nlines = 0;
    lines.line = ig_alloc(p->mem, (p->nsources + p->ncounters + p->nrules
                                   + p->nthresholds)
                                  * sizeof(ig_text_line_t));

    if (lines.line == NULL || ig_text_collect(p, &lines) != IG_OK) {
        return IG_NOMEM;
    }

    if (lines.nlines) {
        qsort(lines.line, lines.nlines, sizeof(ig_text_line_t),
              ig_text_compare);
    }

    if (ig_text_write(p, ig_text_all, &lines,
                      (lines.nlines + 1) * IG_TEXT_SIZE / 2, &p->text)
        != IG_OK)
    {
        return IG_NOMEM;
    }

    ig_sha256(p->text.data, p->text.len, p->hash);

    return IG_OK;
}
