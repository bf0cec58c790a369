/*
 * ig_verify_end.c: what can only be judged when all files were seen: how chains
 * begin, what links one file to the next, and the result.
 * Owns nothing; borrows the chains.  Called by ig_verify_finish.
 */

#include <string.h>

#include "ig_verify_int.h"


ig_str_t
ig_verify_result_name(ig_verify_result_e r)
{
    switch (r) {

    case IG_VERIFY_CLEAN:
        return ig_str("clean");

    case IG_VERIFY_EXPLAINED:
        return ig_str("explained gap");

    case IG_VERIFY_TORN:
        return ig_str("torn tail");

    case IG_VERIFY_TAMPERED:
        return ig_str("tampered");

    case IG_VERIFY_UNSEALED:
        return ig_str("unsealed");

    default:
        return ig_str("unverifiable");
    }
}


ig_str_t
ig_finding_name(ig_finding_kind_e kind)
{
    static const ig_str_t  names[] = {
        ig_string("note"), ig_string("gap"), ig_string("torn"),
        ig_string("tampered"), ig_string("unverifiable"),
        ig_string("unsealed")
    };

    return names[kind];
}


ig_verify_run_t *
ig_verify_last_run(const ig_verify_chain_t *chain)
{
    ig_verify_run_t  *run;

    for (run = chain->run; run->next != NULL; run = run->next) { /* void */ }

    return run;
}


static bool
ig_verify_is_rotation(const ig_verify_run_t *run)
{
    return run->last_kind == IG_LINE_SEGMENT_END
           && run->next->first_kind == IG_LINE_SEGMENT_START
           && run->next->first.seq == run->last.seq + 1;
}


/* Which file follows which, as the chains that are in both have it. */
static int
ig_verify_order_files(ig_verify_t *v)
{
    ig_verify_run_t    *run;
    ig_verify_chain_t  *chain;

    v->order = ig_alloc(v->mem, (v->files + 1) * sizeof(*v->order));

    if (v->order == NULL) {
        return IG_NOMEM;
    }

    for (chain = v->chains; chain != NULL; chain = chain->next) {
        for (run = chain->run; run->next != NULL; run = run->next) {
            v->order[run->file].to = run->next->file + 1;
            v->order[run->next->file].rotated |= ig_verify_is_rotation(run);
        }
    }

    return IG_OK;
}


/* The line with which a chain begins in what was given. */
static void
ig_verify_head(ig_verify_t *v, ig_verify_chain_t *chain)
{
    uint64_t          before;
    ig_verify_run_t  *run;

    run = chain->run;
    before = run->first.seq - 1;

    if (memcmp(run->first.prev, ig_verify_zero, IG_SHA256) == 0) {

        if (before != run->first.dropped) {
            ig_verify_tell(v, IG_FINDING_TAMPERED, run->file, run->first_line,
                           chain, "lines 1 to %llu of the chain are missing"
                           " before this one", ig_llu(before));

        } else if (before > 0) {
            ig_verify_lost(v, chain, run->file, run->first_line, before);

        } else if (run->first_kind != IG_LINE_OPEN) {
            ig_verify_tell(v, IG_FINDING_TAMPERED, run->file, run->first_line,
                           chain, "the chain begins without a chain_open");
        }

    } else if (before == 0) {
        ig_verify_tell(v, IG_FINDING_TAMPERED, run->file, run->first_line,
                       chain, "the first line of its chain refers to one"
                       " before it");

    } else if (run->first_kind == IG_LINE_SEGMENT_START
               && run->first.dropped == 0 && v->order[run->file].rotated)
    {
        ig_verify_tell(v, IG_FINDING_TAMPERED, run->file, run->first_line,
                       chain, "the %llu lines before this one are missing,"
                       " also from the file before, from which other chains go"
                       " on here", ig_llu(before));

    } else if (run->first_kind == IG_LINE_SEGMENT_START) {
        ig_verify_tell(v, IG_FINDING_NOTE, run->file, run->first_line, chain,
                       "the %llu lines before this one are in files that were"
                       " not given", ig_llu(before));

    } else if (run->truncated > 0) {
        ig_verify_tell(v, IG_FINDING_TAMPERED, run->file, run->first_line,
                       chain, "lines 1 to %llu of the chain are missing before"
                       " this one: the file was truncated, as line %llu of it"
                       " says, and what may have been copied before was not"
                       " given", ig_llu(before), ig_llu(run->truncated));

    } else {
        ig_verify_tell(v, IG_FINDING_TAMPERED, run->file, run->first_line,
                       chain, "lines 1 to %llu of the chain are missing before"
                       " this one, and no rotation explains it",
                       ig_llu(before));
    }
}


/* A chain that changes files: as others do, and with a rotation's lines? */
static void
ig_verify_next_file(ig_verify_t *v, ig_verify_chain_t *chain,
    const ig_verify_run_t *run, const ig_verify_run_t *next)
{
    if (v->order[next->file].to == run->file + 1) {
        ig_verify_tell(v, IG_FINDING_TAMPERED, next->file, next->first_line,
                       chain, "the chain goes on here from a file to which"
                       " others go on from this one: lines were moved");
        return;
    }

    if (run->last_kind == IG_LINE_SEGMENT_END
        || next->first_kind == IG_LINE_SEGMENT_START)
    {
        return;
    }

    ig_verify_tell(v, IG_FINDING_NOTE, next->file, next->first_line, chain,
                   "the chain goes on here without a rotation: the file was %s"
                   "; lines written in between are lost",
                   next->truncated > 0 ? "copied and truncated"
                                       : "copied and truncated, or split");
}


/* From one file to the next. */
static void
ig_verify_runs(ig_verify_t *v, ig_verify_chain_t *chain)
{
    uint64_t          lost;
    ig_verify_run_t  *run, *next;

    lost = v->lost;

    for (run = chain->run; run->next != NULL; run = next) {
        next = run->next;

        if (next->first.seq <= run->last.seq) {
            ig_verify_tell(v, IG_FINDING_TAMPERED, next->file,
                           next->first_line, chain,
                           "line %llu of the chain was seen before: a file was"
                           " given twice, or lines were copied",
                           ig_llu(next->first.seq));
            continue;
        }

        if (run->last_kind == IG_LINE_CLOSE) {
            ig_verify_tell(v, IG_FINDING_TAMPERED, next->file,
                           next->first_line, chain,
                           "a line after the chain was closed");
        }

        ig_verify_join(v, chain, &run->last, &run->before_last, &next->first,
                       next->file, next->first_line);
        ig_verify_next_file(v, chain, run, next);
    }

    v->lost_elsewhere += v->lost - lost;
}


/* chain_close counts what the chain should have. */
static void
ig_verify_close(ig_verify_t *v, ig_verify_chain_t *chain)
{
    bool              whole;
    ig_verify_run_t  *last;

    last = ig_verify_last_run(chain);
    whole = memcmp(chain->run->first.prev, ig_verify_zero, IG_SHA256) == 0;

    if (!chain->closed || chain->bad || !whole) {
        return;
    }

    if (chain->close_issued != last->last.seq
        || chain->close_lost != chain->dropped)
    {
        ig_verify_tell(v, IG_FINDING_TAMPERED, last->file, last->last_line,
                       chain, "chain_close counts %llu lines, %llu of them"
                       " lost, but the chain has %llu and says %llu were lost",
                       ig_llu(chain->close_issued), ig_llu(chain->close_lost),
                       ig_llu(last->last.seq), ig_llu(chain->dropped));
    }
}


int
ig_verify_judge_chains(ig_verify_t *v)
{
    ig_verify_chain_t  *chain;

    if (ig_verify_order_files(v) != IG_OK) {
        return IG_NOMEM;
    }

    for (chain = v->chains; chain != NULL; chain = chain->next) {
        chain->state = ig_str("closed");
        ig_verify_head(v, chain);
        ig_verify_runs(v, chain);
        ig_verify_close(v, chain);
    }

    ig_verify_judge_ends(v);

    return IG_OK;
}


static void
ig_verify_judge_foreign(ig_verify_t *v)
{
    if (v->foreign > 0) {
        ig_verify_tell(v, v->nchains > 0 ? IG_FINDING_TAMPERED
                                         : IG_FINDING_UNVERIFIABLE,
                       v->foreign_file, v->foreign_line, NULL,
                       "%llu line%s of no chain, this is the first",
                       ig_llu(v->foreign), v->foreign == 1 ? "" : "s");
    }
}


/* Every piece of a line must be one of the lines that are known to be lost. */
static void
ig_verify_judge_torn(ig_verify_t *v)
{
    uint64_t  most;

    /* an open chain may have died in a write, and a new one in its first */

    most = v->lost + v->unclosed + v->unborn;

    if (v->nchains > 0 && v->torn > most) {
        ig_verify_tell(v, IG_FINDING_TAMPERED, 0, 0, NULL,
                       "%llu lines break off, but the chains account for no"
                       " more than %llu", ig_llu(v->torn), ig_llu(most));
    }
}


ig_verify_result_e
ig_verify_judge(ig_verify_t *v)
{
    ig_verify_judge_foreign(v);
    ig_verify_judge_torn(v);

    if (v->count[IG_FINDING_TAMPERED] > 0) {
        return IG_VERIFY_TAMPERED;
    }

    if (v->nchains == 0 || v->count[IG_FINDING_UNVERIFIABLE] > 0) {
        return IG_VERIFY_UNVERIFIABLE;
    }

    if (v->count[IG_FINDING_UNSEALED] > 0) {
        return IG_VERIFY_UNSEALED;
    }

    if (v->ended > 0 || v->torn > v->lost
        || v->torn_end > v->lost_elsewhere)
    {
        return IG_VERIFY_TORN;
    }

    return v->count[IG_FINDING_GAP] > 0 ? IG_VERIFY_EXPLAINED
                                        : IG_VERIFY_CLEAN;
}


void
ig_verify_chains(const ig_verify_t *v,
    void (*visit)(void *ctx, const ig_verify_chain_info_t *chain), void *ctx)
{
    ig_verify_chain_t       *chain;
    ig_verify_chain_info_t   info;

    for (chain = v->chains; chain != NULL; chain = chain->next) {
        info.id = chain->id;
        info.first = chain->run->first.seq;
        info.last = ig_verify_last_run(chain)->last.seq;
        info.lines = chain->lines;
        info.state = chain->state;
        visit(ctx, &info);
    }
}
