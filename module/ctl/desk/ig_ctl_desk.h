/*
 * ig_ctl_desk.h: what dossier and report share: pieces of JSON, and where
 * their pages go.
 * Owns nothing.  Included by ig_ctl_dossier*.c and ig_ctl_report*.c.
 */

#ifndef IG_CTL_DESK_H
#define IG_CTL_DESK_H

#include "ig_ctl_out.h"
#include "ig_ctl_page.h"
#include "ig_ctl_top.h"

/* ,"allow":N,"hold":N,"throttle":N,"deny":N,"would":N without the comma. */
void ig_desk_decisions(FILE *out, const uint64_t n[IG_BIN_KINDS]);

/* "name":"2026-..." */
void ig_desk_time(FILE *out, const char *name, int64_t ms);

/* "name":N, behind a comma */
void ig_desk_number(FILE *out, const char *name, uint64_t n);

/* "bins":{...} */
void ig_desk_bins(FILE *out, const char *name, const ig_bins_t *bins);

/* What to call a key that --json and pages name with their field. */
typedef struct {
    bool         json;
    const char  *html;          /* file, "-" for standard output; NULL */
    ig_zone_t    zone;
} ig_desk_output_t;

/* --time-zone; ctx is an ig_desk_output_t. */
int ig_desk_zone(void *ctx, const char *name, const char *value);

/*
 * Lets `write` put a page together: into output->html as HTML, or as plain
 * text on standard output.  Exit code; told where it is not IG_CTL_OK.
 */
int ig_desk_page(const ig_desk_output_t *output,
    void (*write)(ig_page_t *page, void *ctx), void *ctx);

/*
 * A table of the heaviest keys of one field, at most `shown`, from row `from`
 * of a sorted top on; column[1] is their weight, `write` fills a row's cells.
 * Returns the row behind the field's last.
 */
unsigned ig_desk_top_field(ig_page_t *page, const ig_top_t *top,
    unsigned from, unsigned shown, const ig_page_column_t *column,
    unsigned ncolumns, void (*write)(ig_page_t *page, const ig_top_row_t *row));

#define IG_DESK_OPTIONS(o)                                                    \
    IG_OPTION_FLAG("--json", 0, &(o)->json),                                  \
    IG_OPTION_TEXT("--html", 0, &(o)->html),                                  \
    IG_OPTION_CALL("--time-zone", 0, ig_desk_zone, o)

#define IG_DESK_HELP                                                          \
    "--time-zone ZONE  of days and hours: +08:00; UTC by default\n"           \
    "--json            one JSON object instead of text; its times are UTC\n"  \
    "--html FILE       a page instead of text, without script or any other\n" \
    "                  file, for a screen and for paper; \"-\" is the\n"      \
    "                  standard output\n"

#endif /* IG_CTL_DESK_H */
