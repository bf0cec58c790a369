/*
 * ig_ctl_page.c: a document's text, headings, paragraphs and facts, in both
 * forms.
 * Owns: the text that is being put together.  Called by dossier and report.
 */

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "ig_crypto.h"
#include "ig_ctl_out.h"
#include "ig_ctl_page_int.h"
#include "ig_version.h"

#define IG_PAGE_WIDTH  78           /* columns of plain text */


int
ig_page_init(ig_page_t *p, FILE *out, bool html, ig_zone_t zone)
{
    memset(p, 0, sizeof(ig_page_t));

    p->out = out;
    p->html = html;
    p->zone = zone;
    p->put = open_memstream(&p->text, &p->len);
    p->cells = open_memstream(&p->cell, &p->cells_len);

    if (p->put == NULL || p->cells == NULL) {
        ig_page_free(p);
        return IG_NOMEM;
    }

    return IG_OK;
}


void
ig_page_free(ig_page_t *p)
{
    if (p->put) {
        fclose(p->put);
    }

    if (p->cells) {
        fclose(p->cells);
    }

    free(p->text);
    free(p->cell);
    memset(p, 0, sizeof(ig_page_t));
}


ig_str_t
ig_page_take(FILE *stream, char **text, size_t *len)
{
    ig_str_t  s;

    /* the stream goes on at its start: what is there stays until then */

    (void) fflush(stream);
    s = (ig_str_t) { *len, *len ? *text : "" };
    (void) fseek(stream, 0, SEEK_SET);

    return s;
}


static ig_str_t
ig_page_taken(ig_page_t *p)
{
    return ig_page_take(p->put, &p->text, &p->len);
}


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
    double  share;

    if (whole == 0) {
        fputc('-', p->put);
        return;
    }

    share = 100 * (double) part / (double) whole;

    /* what is there is never told as nothing, and what lacks not as all */

    if (part > 0 && share < 0.05) {
        fputs("<0.1 %", p->put);

    } else if (part < whole && share >= 99.95) {
        fputs(">99.9 %", p->put);

    } else {
        fprintf(p->put, "%.1f %%", share);
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


/* Plain text in lines of at most IG_PAGE_WIDTH columns. */
static void
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


/* -- what a page consists of --------------------------------------------- */


/* The hash by which the policy of the page allows its own style sheet. */
static void
ig_page_policy(FILE *out)
{
    size_t             i;
    uint8_t            hash[IG_SHA256 + 1];
    uint32_t           n;
    static const char  digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnop"
                                 "qrstuvwxyz0123456789+/";

    ig_sha256(ig_page_style, strlen(ig_page_style), hash);
    hash[IG_SHA256] = 0;

    fputs("<meta http-equiv=\"Content-Security-Policy\" content=\""
          "default-src &#39;none&#39;; style-src &#39;sha256-", out);

    for (i = 0; i < IG_SHA256 + 1; i += 3) {
        n = (uint32_t) hash[i] << 16 | (uint32_t) hash[i + 1] << 8
            | (i + 2 > IG_SHA256 ? 0 : hash[i + 2]);

        fprintf(out, "%c%c%c%c", digit[n >> 18], digit[n >> 12 & 63],
                digit[n >> 6 & 63], i + 2 > IG_SHA256 - 1 ? '='
                                                          : digit[n & 63]);
    }

    fputs("&#39;; base-uri &#39;none&#39;; form-action &#39;none&#39;\" />\n",
          out);
}


void
ig_page_title(ig_page_t *p)
{
    unsigned  i, width;
    ig_str_t  title;

    title = ig_page_taken(p);

    if (!p->html) {
        ig_page_wrap(p->out, title, 0);
        fputc('\n', p->out);

        width = ig_page_columns(title);

        for (i = 0; i < width && i < IG_PAGE_WIDTH; i++) {
            fputc('=', p->out);
        }

        fputs("\n\n", p->out);
        return;
    }

    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
          "<meta charset=\"utf-8\" />\n", p->out);
    ig_page_policy(p->out);
    fputs("<meta name=\"viewport\" content=\"width=device-width,"
          " initial-scale=1\" />\n"
          "<meta name=\"color-scheme\" content=\"light dark\" />\n"
          "<meta name=\"referrer\" content=\"no-referrer\" />\n"
          "<meta name=\"robots\" content=\"noindex\" />\n"
          "<meta name=\"generator\" content=\"integrityctl " IG_VERSION
          "\" />\n<title>", p->out);
    ig_page_escape_plain(p->out, title);
    fprintf(p->out, "</title>\n<style>%s</style>\n</head>\n<body>\n<main>\n"
            "<h1>", ig_page_style);
    ig_page_markup(p->out, title);
    fputs("</h1>\n", p->out);
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


void
ig_page_section(ig_page_t *p, const char *heading)
{
    size_t  i;

    if (p->html) {
        fprintf(p->out, "<h2>%s</h2>\n", heading);
        return;
    }

    fprintf(p->out, "\n%s\n", heading);

    for (i = 0; i < strlen(heading); i++) {
        fputc('-', p->out);
    }

    fputs("\n\n", p->out);
}


static void
ig_page_block(ig_page_t *p, const char *tag)
{
    ig_str_t  text;

    text = ig_page_taken(p);

    if (p->html) {
        fputs(tag, p->out);
        ig_page_markup(p->out, text);
        fputs("</p>\n", p->out);
        return;
    }

    ig_page_wrap(p->out, text, 0);
    fputs("\n\n", p->out);
}


void
ig_page_paragraph(ig_page_t *p)
{
    ig_page_block(p, "<p>");
}


void
ig_page_note(ig_page_t *p)
{
    ig_page_block(p, "<p class=\"note\">");
}


void
ig_page_warning(ig_page_t *p)
{
    ig_page_block(p, "<p class=\"warning\"><strong>Note:</strong> ");
}


void
ig_page_facts(ig_page_t *p)
{
    if (p->html) {
        fputs("<dl>\n", p->out);
    }
}


void
ig_page_fact(ig_page_t *p, const char *label)
{
    ig_str_t  text;

    text = ig_page_taken(p);

    if (p->html) {
        fprintf(p->out, "<div><dt>%s</dt><dd>", label);
        ig_page_markup(p->out, text);
        fputs("</dd></div>\n", p->out);
        return;
    }

    fprintf(p->out, "%-20s", label);
    ig_page_wrap(p->out, text, 20);
    fputc('\n', p->out);
}


void
ig_page_facts_end(ig_page_t *p)
{
    fputs(p->html ? "</dl>\n" : "\n", p->out);
}


void
ig_page_details(ig_page_t *p, const char *summary)
{
    if (p->html) {
        fprintf(p->out, "<details>\n<summary>%s</summary>\n", summary);
    }
}


void
ig_page_details_end(ig_page_t *p)
{
    if (p->html) {
        fputs("</details>\n", p->out);
    }
}


void
ig_page_end(ig_page_t *p)
{
    if (p->html) {
        fputs("</main>\n</body>\n</html>\n", p->out);
    }
}
