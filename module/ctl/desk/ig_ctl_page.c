/*
 * ig_ctl_page.c: a document's beginning, headings, paragraphs and facts, in
 * both forms.
 * Owns: the text that is being put together.  Called by dossier and report.
 */

#include <stdlib.h>
#include <string.h>

#include "ig_crypto.h"
#include "ig_ctl_page_int.h"
#include "ig_version.h"

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
