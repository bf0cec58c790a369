/*
 * ig_ctl_page.h: a document for people, as plain text or as one HTML page
 * that needs nothing else: no script, no file, no font of its own.
 * Owns: the text that is being put together.  Borrows the file it goes to.
 * Called by dossier and report; plots are written between its parts.
 *
 * All text is put together first (ig_page_put, ig_page_value, ...), then
 * taken as what it is (ig_page_paragraph, ig_page_cell, ...).  Whatever comes
 * from the log is hostile: control characters and those that turn the
 * direction of writing become visible, and nothing is ever markup.
 */

#ifndef IG_CTL_PAGE_H
#define IG_CTL_PAGE_H

#include <stdio.h>

#include "ig_ctl.h"
#include "ig_ctl_calendar.h"

typedef struct {
    const char  *head;
    enum {
        IG_COLUMN_TEXT = 0,
        IG_COLUMN_NUMBER,
        IG_COLUMN_TIME,
        IG_COLUMN_ID                    /* of known length: not broken */
    }  kind;
} ig_page_column_t;

typedef struct {
    FILE                    *out;
    bool                     html;
    ig_zone_t                zone;

    /* private from here on */
    FILE                    *put;       /* text to be taken */
    char                    *text;
    size_t                   len;
    FILE                    *cells;     /* of the table, each ends with NUL */
    char                    *cell;
    size_t                   cells_len;
    const ig_page_column_t  *column;
    unsigned                 ncolumns;
    bool                     stacked;
} ig_page_t;

/* IG_OK or IG_NOMEM. */
int ig_page_init(ig_page_t *p, FILE *out, bool html, ig_zone_t zone);
void ig_page_free(ig_page_t *p);

/* -- putting text together ----------------------------------------------- */

void ig_page_put(ig_page_t *p, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* A value of the log: set apart, whatever it contains. */
void ig_page_value(ig_page_t *p, ig_str_t value);

void ig_page_number(ig_page_t *p, uint64_t n);      /* 1,234,567 */
void ig_page_share(ig_page_t *p, uint64_t part, uint64_t whole);
void ig_page_time(ig_page_t *p, int64_t ms, ig_when_form_e form);

/* "1 call", "2 calls". */
void ig_page_count(ig_page_t *p, uint64_t n, const char *one,
    const char *many);

/* -- taking it ----------------------------------------------------------- */

/* The title; the page begins with it. */
void ig_page_title(ig_page_t *p);
void ig_page_section(ig_page_t *p, const char *heading);

void ig_page_paragraph(ig_page_t *p);
void ig_page_note(ig_page_t *p);                    /* smaller */
void ig_page_warning(ig_page_t *p);                 /* stands out */

/* A list of facts: begin, any number of facts, end. */
void ig_page_facts(ig_page_t *p);
void ig_page_fact(ig_page_t *p, const char *label);
void ig_page_facts_end(ig_page_t *p);

/*
 * A table: cells come row by row; the caption is taken first.  A stacked one
 * becomes one block a row on a narrow screen.
 */
void ig_page_table(ig_page_t *p, const ig_page_column_t *column,
    unsigned ncolumns, bool stacked);
void ig_page_cell(ig_page_t *p);
void ig_page_table_end(ig_page_t *p);

/* What is behind a click on a screen; not in plain text, not printed. */
void ig_page_details(ig_page_t *p, const char *summary);
void ig_page_details_end(ig_page_t *p);

void ig_page_end(ig_page_t *p);

/* -- for plots ----------------------------------------------------------- */

/* Text as the content or an attribute of an element. */
void ig_page_escape(FILE *out, ig_str_t text);

/* The page's style sheet. */
extern const char  ig_page_style[];

#endif /* IG_CTL_PAGE_H */
