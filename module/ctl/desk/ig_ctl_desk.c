/*
 * ig_ctl_desk.c: what dossier and report share.
 * Owns: the file a page goes to, while it is written.
 */

#include <errno.h>
#include <string.h>

#include "ig_ctl_desk.h"


void
ig_desk_decisions(FILE *out, const uint64_t n[IG_BIN_KINDS])
{
    unsigned  kind;

    static const char *const  name[IG_BIN_KINDS] = {
        [IG_BIN_ALLOW] = "allow", [IG_BIN_HOLD] = "hold",
        [IG_BIN_THROTTLE] = "throttle", [IG_BIN_DENY] = "deny",
        [IG_BIN_WOULD] = "would"
    };

    for (kind = 0; kind < IG_BIN_KINDS; kind++) {
        fprintf(out, "%s\"%s\":%llu", kind ? "," : "", name[kind],
                (unsigned long long) n[kind]);
    }
}


void
ig_desk_time(FILE *out, const char *name, int64_t ms)
{
    fprintf(out, "\"%s\":\"", name);
    ig_out_time(out, ms);
    fputc('"', out);
}


void
ig_desk_number(FILE *out, const char *name, uint64_t n)
{
    fprintf(out, ",\"%s\":%llu", name, (unsigned long long) n);
}


void
ig_desk_bins(FILE *out, const char *name, const ig_bins_t *bins)
{
    unsigned  i;

    fprintf(out, "\"%s\":{\"seconds\":%lld,\"bin\":[", name,
            (long long) (ig_bins_width(bins) / 1000));

    for (i = 0; i < bins->nbins; i++) {
        fputs(i ? ",{" : "{", out);
        ig_desk_time(out, "time", ig_bins_start(bins, i));
        fputc(',', out);
        ig_desk_decisions(out, bins->bin[i].n);
        fputc('}', out);
    }

    fputs("]}", out);
}


int
ig_desk_zone(void *ctx, const char *name, const char *value)
{
    ig_desk_output_t  *output = ctx;

    if (ig_zone_read((ig_str_t) { strlen(value), value }, &output->zone)) {
        return IG_CTL_OK;
    }

    return ig_ctl_error("%s: \"%s\" is neither UTC nor an offset from -12:00"
                        " to +14:00, as +08:00", name, value);
}


/* -- pages --------------------------------------------------------------- */


static int
ig_desk_write(FILE *out, const ig_desk_output_t *output,
    void (*write)(ig_page_t *page, void *ctx), void *ctx)
{
    ig_page_t  page;

    if (ig_page_init(&page, out, output->html != NULL, output->zone) != IG_OK)
    {
        return ig_ctl_error("no memory");
    }

    write(&page, ctx);
    ig_page_free(&page);

    return IG_CTL_OK;
}


int
ig_desk_page(const ig_desk_output_t *output,
    void (*write)(ig_page_t *page, void *ctx), void *ctx)
{
    int    rc;
    bool   failed;
    FILE  *out;

    if (output->html == NULL || strcmp(output->html, "-") == 0) {
        return ig_desk_write(stdout, output, write, ctx);
    }

    out = fopen(output->html, "w");

    if (out == NULL) {
        return ig_ctl_error("cannot write \"%s\": %s", output->html,
                            strerror(errno));
    }

    rc = ig_desk_write(out, output, write, ctx);
    failed = ferror(out) != 0;

    if (fclose(out) != 0 || failed) {
        return ig_ctl_error("cannot write \"%s\": %s", output->html,
                            strerror(errno));
    }

    return rc;
}


unsigned
ig_desk_top_field(ig_page_t *page, const ig_top_t *top, unsigned from,
    unsigned shown, const ig_page_column_t *column, unsigned ncolumns,
    void (*write)(ig_page_t *page, const ig_top_row_t *row))
{
    unsigned  i, end;

    for (end = from; end < top->nrows
         && ig_str_eq(top->row[end].field, top->row[from].field); end++)
    {
        /* void */
    }

    ig_page_put(page, "%.*s: %s", ig_fmt(top->row[from].field),
                top->dropped ? "at least " : "");
    ig_page_number(page, end - from);
    ig_page_put(page, " different");

    if (end - from > shown) {
        ig_page_put(page, ", the %u most frequent", shown);
    }

    ig_page_table(page, column, ncolumns, true);

    for (i = from; i < end && i < from + shown; i++) {
        write(page, &top->row[i]);
    }

    ig_page_table_end(page);

    return end;
}
