/*
 * ig_ctl_health_say.c: what a log can vouch for, on a page and as JSON.
 * Owns nothing.  Called by dossier and report.
 */

#include <string.h>

#include "ig_ctl_health.h"
#include "ig_ctl_out.h"

typedef struct {
    uint64_t  missing;
    uint64_t  repeated;
    uint64_t  late;             /* chains whose first line here is not 1 */
    uint64_t  open;             /* chains without a last line */
} ig_health_sum_t;


static void
ig_health_sum(const ig_health_t *h, ig_health_sum_t *sum)
{
    const ig_health_chain_t  *chain;

    memset(sum, 0, sizeof(ig_health_sum_t));

    for (chain = h->chain; chain; chain = chain->next) {
        sum->missing += ig_health_missing(chain);
        sum->repeated += chain->repeated;
        sum->late += (chain->nranges && chain->range[0].from > 1);
        sum->open += !chain->closed;
    }
}


/* -- the page ------------------------------------------------------------ */


static void
ig_health_chains(ig_page_t *page, const ig_health_t *h)
{
    unsigned                  i;
    const ig_health_chain_t  *chain;

    static const ig_page_column_t  column[] = {
        { "Chain", IG_COLUMN_TEXT },
        { "Lines", IG_COLUMN_NUMBER },
        { "First", IG_COLUMN_NUMBER },
        { "Last", IG_COLUMN_NUMBER },
        { "Told as lost", IG_COLUMN_NUMBER },
        { "Not told", IG_COLUMN_NUMBER },
        { "Ends", IG_COLUMN_TEXT }
    };

    ig_page_put(page, "Chains, the one written last first");

    if (h->nchains > IG_HEALTH_SHOWN) {
        ig_page_put(page, "; %u more are not shown",
                    h->nchains - IG_HEALTH_SHOWN);
    }

    ig_page_table(page, column, ig_countof(column), true);

    for (i = 0, chain = h->chain; chain && i < IG_HEALTH_SHOWN;
         i++, chain = chain->next)
    {
        ig_page_value(page, (ig_str_t) { chain->len, chain->id });
        ig_page_cell(page);
        ig_page_number(page, chain->lines);
        ig_page_cell(page);
        ig_page_number(page, chain->first);
        ig_page_cell(page);
        ig_page_number(page, chain->last);
        ig_page_cell(page);
        ig_page_number(page, chain->dropped);
        ig_page_cell(page);
        ig_page_number(page, ig_health_missing(chain));
        ig_page_cell(page);
        ig_page_put(page, chain->closed ? "closed" : "open");
        ig_page_cell(page);
    }

    ig_page_table_end(page);
}


static void
ig_health_gaps(ig_page_t *page, const ig_health_t *h,
    const ig_health_sum_t *sum)
{
    if (sum->missing > 0) {
        ig_page_count(page, sum->missing, "line is", "lines are");
        ig_page_put(page, " missing in the middle of a chain, and no line says"
                    " that it could not be written. Either a file was not"
                    " given, or lines were removed: \"integrityctl verify\""
                    " tells which.");
        ig_page_warning(page);
    }

    if (sum->repeated > 0) {
        ig_page_count(page, sum->repeated, "line stands", "lines stand");
        ig_page_put(page, " here more than once: a file was given twice, or"
                    " lines were copied. What is counted here is too high.");
        ig_page_warning(page);
    }

    if (h->damaged > 0) {
        ig_page_count(page, h->damaged, "line", "lines");
        ig_page_put(page, " could not be read and are left out:"
                    " \"integrityctl verify\" tells more.");
        ig_page_warning(page);
    }
}


void
ig_health_page(ig_page_t *page, const ig_health_t *h)
{
    ig_health_sum_t  sum;

    ig_health_sum(h, &sum);

    ig_page_facts(page);

    ig_page_count(page, h->lines, "line", "lines");

    if (h->lines > 0) {
        ig_page_put(page, ", from ");
        ig_page_time(page, h->first, IG_WRITE_SECOND);
        ig_page_put(page, " to ");
        ig_page_time(page, h->last, IG_WRITE_SECOND);
    }

    ig_page_fact(page, "Read");

    ig_page_count(page, h->nchains, "chain", "chains");
    ig_page_put(page, " of workers; ");
    ig_page_count(page, sum.open, "has", "have");
    ig_page_put(page, " no last line, ");
    ig_page_count(page, sum.late, "begins", "begin");
    ig_page_put(page, " before these files");
    ig_page_fact(page, "Chains");

    if (h->lost == 0) {
        ig_page_put(page, "none told");

    } else {
        ig_page_count(page, h->lost, "line", "lines");
        ig_page_put(page, " told as dropped, in ");
        ig_page_count(page, h->lost_lines, "place", "places");
    }

    ig_page_fact(page, "Lines lost");
    ig_page_facts_end(page);

    ig_health_gaps(page, h, &sum);

    if (h->nchains > 0) {
        ig_health_chains(page, h);
    }

    if (h->unkept > 0) {
        ig_page_put(page, "There are more chains than %u: gaps of the others"
                    " are not looked for.", IG_HEALTH_CHAINS);
        ig_page_note(page);
    }
}


/* -- JSON ---------------------------------------------------------------- */


static void
ig_health_json_chain(FILE *out, const ig_health_chain_t *chain)
{
    fputs("{\"chain\":", out);
    ig_out_json(out, (ig_str_t) { chain->len, chain->id });
    fprintf(out, ",\"lines\":%llu,\"first\":%llu,\"last\":%llu,"
            "\"dropped\":%llu,\"missing\":%llu,\"repeated\":%llu,"
            "\"closed\":%s}",
            (unsigned long long) chain->lines,
            (unsigned long long) chain->first,
            (unsigned long long) chain->last,
            (unsigned long long) chain->dropped,
            (unsigned long long) ig_health_missing(chain),
            (unsigned long long) chain->repeated,
            chain->closed ? "true" : "false");
}


void
ig_health_json(FILE *out, const ig_health_t *h)
{
    unsigned                  i;
    ig_health_sum_t           sum;
    const ig_health_chain_t  *chain;

    ig_health_sum(h, &sum);

    fprintf(out, "\"log\":{\"lines\":%llu,\"damaged\":%llu",
            (unsigned long long) h->lines, (unsigned long long) h->damaged);

    if (h->lines > 0) {
        fputs(",\"first\":\"", out);
        ig_out_time(out, h->first);
        fputs("\",\"last\":\"", out);
        ig_out_time(out, h->last);
        fputc('"', out);
    }

    fputs(",\"kind\":{", out);

    for (i = 0; i < IG_AUDIT_KINDS; i++) {
        fprintf(out, "%s\"%.*s\":%llu", i ? "," : "",
                ig_fmt(ig_audit_kind_name((ig_audit_kind_e) i)),
                (unsigned long long) h->kind[i]);
    }

    fprintf(out, "},\"lost\":%llu,\"missing\":%llu,\"repeated\":%llu,"
            "\"unchained\":%llu,\"chains\":%u,\"chain\":[",
            (unsigned long long) h->lost, (unsigned long long) sum.missing,
            (unsigned long long) sum.repeated,
            (unsigned long long) h->unchained, h->nchains);

    for (chain = h->chain; chain; chain = chain->next) {
        fputs(chain == h->chain ? "" : ",", out);
        ig_health_json_chain(out, chain);
    }

    fputs("]}", out);
}


/* -- evaluation ---------------------------------------------------------- */


static const char *const  ig_quality_word[] = {
    [IG_QUALITY_COMPLETE] = "complete",
    [IG_QUALITY_CACHED] = "cached",
    [IG_QUALITY_DEGRADED] = "degraded",
    [IG_QUALITY_SKIPPED] = "skipped",
    [IG_QUALITY_OTHER] = "other"
};


static void
ig_quality_fact(ig_page_t *page, const ig_quality_t *q, uint64_t n,
    const char *what, const char *label)
{
    ig_page_number(page, n);
    ig_page_put(page, " (");
    ig_page_share(page, n, q->calls);
    ig_page_put(page, ")%s", what);
    ig_page_fact(page, label);
}


void
ig_quality_page(ig_page_t *page, const ig_quality_t *q)
{
    unsigned  i;

    ig_page_facts(page);

    ig_quality_fact(page, q, q->evaluation[IG_QUALITY_COMPLETE],
                    ": every counter was known", "Complete");
    ig_quality_fact(page, q, q->evaluation[IG_QUALITY_CACHED],
                    ": answered from memory, the key was over a limit until a"
                    " known time", "Cached");
    ig_quality_fact(page, q, q->evaluation[IG_QUALITY_DEGRADED],
                    ": the store was away, only this node's counts were"
                    " known", "Degraded");
    ig_quality_fact(page, q, q->evaluation[IG_QUALITY_SKIPPED], "", "Skipped");

    ig_page_number(page, ig_quality_uninspected(q));

    for (i = 0; i < q->body.nrows; i++) {
        ig_page_put(page, "%s", i ? ", " : ": ");
        ig_page_value(page, q->body.row[i].name);
        ig_page_put(page, " ");
        ig_page_number(page, q->body.row[i].weight);
    }

    ig_page_fact(page, "Body not inspected");

    if (q->new_keys > 0) {
        ig_quality_fact(page, q, q->new_keys, ": the client was beyond its"
                        " cap of new keys, its counters were unknown",
                        "Too many new keys");
    }

    if (q->lists_unknown > 0) {
        ig_quality_fact(page, q, q->lists_unknown, ": whether the key was on"
                        " a list was not known", "List not known");
    }

    if (q->cut > 0) {
        ig_quality_fact(page, q, q->cut, ": something was too long for the"
                        " line", "Cut");
    }

    ig_page_facts_end(page);
}


void
ig_quality_json(FILE *out, const ig_quality_t *q)
{
    unsigned  i;

    fputs("\"evaluation\":{", out);

    for (i = 0; i < IG_QUALITY_KINDS; i++) {
        fprintf(out, "%s\"%s\":%llu", i ? "," : "", ig_quality_word[i],
                (unsigned long long) q->evaluation[i]);
    }

    fprintf(out, "},\"list_unknown\":%llu,\"new_keys\":%llu,\"cut\":%llu,"
            "\"body\":{", (unsigned long long) q->lists_unknown,
            (unsigned long long) q->new_keys, (unsigned long long) q->cut);

    for (i = 0; i < q->body.nrows; i++) {
        fputs(i ? "," : "", out);
        ig_out_json(out, q->body.row[i].name);
        fprintf(out, ":%llu", (unsigned long long) q->body.row[i].weight);
    }

    fputc('}', out);
}
