/*
 * ig_ctl_page_table.c: tables, in both forms.
 * Owns: the cells, until the table ends.  Called by dossier and report.
 */

#include <stdlib.h>
#include <string.h>

#include "ig_ctl_page_int.h"

#define IG_TABLE_COLUMNS  16
#define IG_TABLE_WIDEST   44        /* of plain text; a wider cell sticks out */


void
ig_page_table(ig_page_t *p, const ig_page_column_t *column, unsigned ncolumns,
    bool stacked)
{
    ig_str_t  caption;

    caption = ig_page_take(p->put, &p->text, &p->len);

    p->column = column;
    p->ncolumns = ncolumns < IG_TABLE_COLUMNS ? ncolumns : IG_TABLE_COLUMNS;
    p->stacked = stacked;

    if (p->html) {
        fprintf(p->out, "<table%s>\n<caption>",
                stacked ? " class=\"stacked\"" : "");
        ig_page_markup(p->out, caption);
        fputs("</caption>\n", p->out);
        return;
    }

    ig_page_plain(p->out, caption);
    fputs(":\n", p->out);
}


void
ig_page_cell(ig_page_t *p)
{
    ig_str_t  text;

    text = ig_page_take(p->put, &p->text, &p->len);

    fwrite(text.data, 1, text.len, p->cells);
    fputc('\0', p->cells);
}


/* The next cell of what was taken; false: there is none. */
static bool
ig_table_next(ig_str_t *cells, ig_str_t *cell)
{
    if (cells->len == 0) {
        return false;
    }

    *cell = (ig_str_t) { strnlen(cells->data, cells->len), cells->data };

    cells->data += cell->len + 1;
    cells->len -= cell->len + 1;

    return true;
}


/* -- plain text ---------------------------------------------------------- */


/* One wide cell must not push all others aside. */
static void
ig_table_widths(const ig_page_t *p, ig_str_t cells, unsigned *width)
{
    unsigned  i, n;
    ig_str_t  cell;

    for (i = 0; i < p->ncolumns; i++) {
        width[i] = (unsigned) strlen(p->column[i].head);
    }

    for (i = 0; ig_table_next(&cells, &cell); i = (i + 1) % p->ncolumns) {
        n = ig_page_columns(cell);

        if (n > width[i]) {
            width[i] = n < IG_TABLE_WIDEST ? n : IG_TABLE_WIDEST;
        }
    }
}


static void
ig_table_text_cell(const ig_page_t *p, unsigned i, ig_str_t cell,
    unsigned width)
{
    unsigned  n, pad;

    n = ig_page_columns(cell);
    pad = n < width ? width - n : 0;

    if (i > 0) {
        fputs("  ", p->out);
    }

    if (p->column[i].kind == IG_COLUMN_NUMBER) {
        fprintf(p->out, "%*s", (int) pad, "");
        ig_page_plain(p->out, cell);

    } else {
        ig_page_plain(p->out, cell);

        if (i + 1 < p->ncolumns) {
            fprintf(p->out, "%*s", (int) pad, "");
        }
    }

    if (i + 1 == p->ncolumns) {
        fputc('\n', p->out);
    }
}


static void
ig_table_text(const ig_page_t *p, ig_str_t cells)
{
    unsigned  i, width[IG_TABLE_COLUMNS];
    ig_str_t  cell;

    ig_table_widths(p, cells, width);

    for (i = 0; i < p->ncolumns; i++) {
        cell = (ig_str_t) { strlen(p->column[i].head), p->column[i].head };
        fputs(i == 0 ? "  " : "", p->out);
        ig_table_text_cell(p, i, cell, width[i]);
    }

    for (i = 0; ig_table_next(&cells, &cell); i = (i + 1) % p->ncolumns) {
        fputs(i == 0 ? "  " : "", p->out);
        ig_table_text_cell(p, i, cell, width[i]);
    }

    fputc('\n', p->out);
}


/* -- HTML ---------------------------------------------------------------- */


static const char *
ig_table_class(const ig_page_column_t *column)
{
    switch (column->kind) {

    case IG_COLUMN_NUMBER:
        return " class=\"number\"";

    case IG_COLUMN_TIME:
        return " class=\"time\"";

    case IG_COLUMN_ID:
        return " class=\"id\"";

    default:
        return "";
    }
}


static void
ig_table_html_cell(const ig_page_t *p, unsigned i, ig_str_t cell)
{
    const ig_page_column_t  *column;

    column = &p->column[i];

    /* the first cell names the row */

    fprintf(p->out, i == 0 ? "<tr><th scope=\"row\"%s>" : "<td%s",
            ig_table_class(column));

    if (i > 0) {
        if (p->stacked) {
            fprintf(p->out, " data-head=\"%s\"", column->head);
        }

        fputc('>', p->out);
    }

    ig_page_markup(p->out, cell);

    fputs(i == 0 ? "</th>" : "</td>", p->out);

    if (i + 1 == p->ncolumns) {
        fputs("</tr>\n", p->out);
    }
}


static void
ig_table_html(const ig_page_t *p, ig_str_t cells)
{
    unsigned  i;
    ig_str_t  cell;

    fputs("<thead><tr>", p->out);

    for (i = 0; i < p->ncolumns; i++) {
        fprintf(p->out, "<th scope=\"col\"%s>%s</th>",
                ig_table_class(&p->column[i]), p->column[i].head);
    }

    fputs("</tr></thead>\n<tbody>\n", p->out);

    for (i = 0; ig_table_next(&cells, &cell); i = (i + 1) % p->ncolumns) {
        ig_table_html_cell(p, i, cell);
    }

    fputs("</tbody>\n</table>\n", p->out);
}


void
ig_page_table_end(ig_page_t *p)
{
    ig_str_t  cells;

    cells = ig_page_take(p->cells, &p->cell, &p->cells_len);

    if (p->html) {
        ig_table_html(p, cells);

    } else {
        ig_table_text(p, cells);
    }
}


/* -- widths -------------------------------------------------------------- */


/* Ranges of what terminals draw in two cells, after UAX #11. */
static bool
ig_page_is_wide(uint32_t c)
{
    return (c >= 0x1100 && c <= 0x115f) || (c >= 0x2e80 && c <= 0xa4cf)
           || (c >= 0xac00 && c <= 0xd7a3) || (c >= 0xf900 && c <= 0xfaff)
           || (c >= 0xfe30 && c <= 0xfe6f) || (c >= 0xff00 && c <= 0xff60)
           || (c >= 0xffe0 && c <= 0xffe6) || (c >= 0x1f300 && c <= 0x1f64f)
           || (c >= 0x1f900 && c <= 0x1f9ff) || (c >= 0x20000);
}


unsigned
ig_page_columns(ig_str_t s)
{
    size_t         i, k, n;
    uint32_t       c;
    unsigned       columns;
    unsigned char  lead;

    columns = 0;

    for (i = 0; i < s.len; i += n) {
        lead = (unsigned char) s.data[i];
        n = lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
        c = n == 1 ? lead : lead & (0xffu >> (n + 1));

        for (k = 1; k < n && i + k < s.len; k++) {
            c = c << 6 | ((unsigned char) s.data[i + k] & 0x3f);
        }

        if (c >= 0x20) {
            columns += ig_page_is_wide(c) ? 2 : 1;
        }
    }

    return columns;
}
