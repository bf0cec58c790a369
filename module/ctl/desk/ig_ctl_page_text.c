/*
 * ig_ctl_page_text.c: text of a document: put together with its marks, then
 * written as plain text or as HTML.
 * Owns nothing: the text is the page's.  Called by dossier, report, plots.
 */

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "ig_ctl_out.h"
#include "ig_ctl_page_int.h"


/* -- putting text together ----------------------------------------------- */


void
ig_page_put(ig_page_t *p, const char *fmt, ...)
{
    int      n;
    char     text[512];
    va_list  args;

    va_start(args, fmt);
    n = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);

    if (n >= (int) sizeof(text)) {
        n = (int) sizeof(text) - 1;
    }

    ig_out_text(p->put, (ig_str_t) { (size_t) n, text });
}


/* Marks are control characters, of which none are left in the text. */
void
ig_page_value(ig_page_t *p, ig_str_t value)
{
    fputc(IG_PAGE_VALUE, p->put);
    ig_out_text(p->put, value);
    fputc(IG_PAGE_VALUE_END, p->put);
}


void
ig_page_number(ig_page_t *p, uint64_t n)
{
    char  text[32];
    int   i, len;

    len = snprintf(text, sizeof(text), "%llu", (unsigned long long) n);

    for (i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0) {
            fputc(',', p->put);
        }

        fputc(text[i], p->put);
    }
}


void
ig_page_share(ig_page_t *p, uint64_t part, uint64_t whole)
{
    double       share;
    const char  *percent;

    /* not broken at the end of a line */
    percent = p->html ? "\xc2\xa0%" : " %";

    if (whole == 0) {
        fputc('-', p->put);
        return;
    }

    share = 100 * (double) part / (double) whole;

    /* what is there is never told as nothing, and what lacks not as all */

    if (part > 0 && share < 0.05) {
        fprintf(p->put, "<0.1%s", percent);

    } else if (part < whole && share >= 99.95) {
        fprintf(p->put, ">99.9%s", percent);

    } else {
        fprintf(p->put, "%.1f%s", share, percent);
    }
}


void
ig_page_time(ig_page_t *p, int64_t ms, ig_when_form_e form)
{
    char      text[IG_CALENDAR_TEXT];
    ig_buf_t  b;

    ig_buf_init(&b, text, sizeof(text));
    ig_when_write(&b, ms, p->zone, form);

    fputc(IG_PAGE_TIME, p->put);
    fwrite(text, 1, (size_t) (b.pos - b.start), p->put);
    fputc(IG_PAGE_TIME_END, p->put);
}


void
ig_page_count(ig_page_t *p, uint64_t n, const char *one, const char *many)
{
    ig_page_number(p, n);
    ig_page_put(p, " %s", n == 1 ? one : many);
}


/* -- writing it ---------------------------------------------------------- */


static void
ig_page_escape_char(FILE *out, char c)
{
    switch (c) {

    case '&':
        fputs("&amp;", out);
        break;

    case '<':
        fputs("&lt;", out);
        break;

    case '>':
        fputs("&gt;", out);
        break;

    case '"':
        fputs("&quot;", out);
        break;

    case '\'':
        fputs("&#39;", out);
        break;

    default:
        fputc(c, out);
    }
}


void
ig_page_markup(FILE *out, ig_str_t s)
{
    size_t  i;

    for (i = 0; i < s.len; i++) {

        switch (s.data[i]) {

        case IG_PAGE_VALUE:
            fputs("<code><bdi>", out);
            break;

        case IG_PAGE_VALUE_END:
            fputs("</bdi></code>", out);
            break;

        case IG_PAGE_TIME:
            fputs("<time>", out);
            break;

        case IG_PAGE_TIME_END:
            fputs("</time>", out);
            break;

        default:
            ig_page_escape_char(out, s.data[i]);
        }
    }
}


void
ig_page_escape(FILE *out, ig_str_t text)
{
    size_t     i;
    char      *plain;
    FILE      *stream;
    size_t     len;

    plain = NULL;
    stream = open_memstream(&plain, &len);

    if (stream == NULL) {
        return;
    }

    ig_out_text(stream, text);
    fclose(stream);

    for (i = 0; i < len; i++) {
        ig_page_escape_char(out, plain[i]);
    }

    free(plain);
}


void
ig_page_plain(FILE *out, ig_str_t s)
{
    size_t  i;

    for (i = 0; i < s.len; i++) {
        if (!ig_page_is_mark(s.data[i])) {
            fputc(s.data[i], out);
        }
    }
}


void
ig_page_wrap(FILE *out, ig_str_t s, unsigned indent)
{
    size_t    n;
    unsigned  column, width;
    ig_str_t  word;

    column = indent;

    while (s.len > 0) {
        for (n = 0; n < s.len && s.data[n] != ' '; n++) {
            /* void */
        }

        word = (ig_str_t) { n, s.data };
        width = ig_page_columns(word);

        if (column > indent) {
            if (column + 1 + width > IG_PAGE_WIDTH) {
                fprintf(out, "\n%*s", (int) indent, "");
                column = indent;

            } else {
                fputc(' ', out);
                column++;
            }
        }

        ig_page_plain(out, word);
        column += width;

        n = n < s.len ? n + 1 : n;
        s.data += n;
        s.len -= n;
    }
}


void
ig_page_escape_plain(FILE *out, ig_str_t s)
{
    size_t  i;

    for (i = 0; i < s.len; i++) {
        if (!ig_page_is_mark(s.data[i])) {
            ig_page_escape_char(out, s.data[i]);
        }
    }
}
