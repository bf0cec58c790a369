/*
 * ig_verify_end.c: what can only be judged when all files were seen: what
 * links one file to the next, how chains begin and end, what successors say.
 * Owns nothing; borrows the chains.  Called by ig_verify_finish.
 */

#include <string.h>

#include "ig_verify_int.h"

#define ig_llu(n)  (unsigned long long) (n)


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

    default:
        return ig_str("unverifiable");
    }
}


ig_str_t
ig_finding_name(ig_finding_kind_e kind)
{
    static const ig_str_t  names[] = {
        ig_string("note"), ig_string("gap"), ig_string("torn"),
        ig_string("tampered"), ig_string("unverifiable")
    };

    return names[kind];
}


static ig_verify_run_t *
ig_verify_last_run(const ig_verify_chain_t *chain)
{
    ig_verify_run_t  *run;

    for (run = chain->run; run->next != NULL; run = run->next) { /* void */ }

    return run;
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

    } else if (run->first_kind == IG_LINE_SEGMENT_START) {
        ig_verify_tell(v, IG_FINDING_NOTE, run->file, run->first_line, chain,
                       "the %llu lines before this one are in files that were"
                       " not given", ig_llu(before));

    } else {
        ig_verify_tell(v, IG_FINDING_TAMPERED, run->file, run->first_line,
                       chain, "lines 1 to %llu of the chain are missing before"
                       " this one, and no rotation explains it",
                       ig_llu(before));
    }
}


/* From one file to the next. */
static void
ig_verify_runs(ig_verify_t *v, ig_verify_chain_t *chain)
{
    ig_verify_run_t  *run, *next;

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
    }
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


/* The end of a chain that was not closed and for which a successor speaks. */
static void
ig_verify_witnessed(ig_verify_t *v, ig_verify_chain_t *chain,
    const ig_verify_run_t *last, const ig_line_before_t *before)
{
    uint64_t  lost;

    chain->state = ig_str("ended");

    if (last->last.seq > before->issued) {
        chain->state = ig_str("open");
        v->open++;
        ig_verify_tell(v, IG_FINDING_NOTE, last->file, last->last_line, chain,
                       "not closed: it went on after its successor began, and"
                       " its worker may still be finishing");
        return;
    }

    lost = before->issued - last->last.seq;

    if (lost > 0) {
        v->lost += lost;
        ig_verify_tell(v, IG_FINDING_GAP, last->file, last->last_line, chain,
                       "not closed, and %llu line%s after this one could not"
                       " be written, as its successor says", ig_llu(lost),
                       lost == 1 ? "" : "s");

    } else {
        ig_verify_tell(v, IG_FINDING_NOTE, last->file, last->last_line, chain,
                       "not closed, but its successor confirms this line as"
                       " its last");
    }
}


/* A predecessor of which no line was given. */
static void
ig_verify_absent(ig_verify_t *v, ig_verify_chain_t *chain)
{
    uint64_t  issued;

    issued = chain->before.issued;

    if (chain->before.written > 0) {
        ig_verify_tell(v, IG_FINDING_NOTE, chain->open_file, chain->open_line,
                       chain, "its predecessor %.*s is in files that were not"
                       " given", ig_fmt(chain->before.chain));

    } else if (issued > 0) {
        v->lost += issued;
        ig_verify_tell(v, IG_FINDING_GAP, chain->open_file, chain->open_line,
                       chain, "its predecessor %.*s could write none of its"
                       " %llu lines", ig_fmt(chain->before.chain),
                       ig_llu(issued));
    }
}


/* What a chain's chain_open says of its predecessor, if that was given. */
static void
ig_verify_predecessor(ig_verify_t *v, ig_verify_chain_t *chain)
{
    uint64_t                 seq;
    ig_verify_run_t         *last;
    ig_verify_chain_t       *p;
    const ig_line_before_t  *before;

    before = &chain->before;

    if (before->chain.len == 0) {
        return;
    }

    p = ig_verify_chain(v, before->chain);

    if (p == NULL) {
        ig_verify_absent(v, chain);
        return;
    }

    p->named = true;
    last = ig_verify_last_run(p);
    seq = last->last.seq;

    if (seq < before->written) {
        ig_verify_tell(v, IG_FINDING_TAMPERED, last->file, last->last_line, p,
                       "the chain ends here at line %llu, but its successor"
                       " saw line %llu written: the rest was removed, or is in"
                       " a file that was not given", ig_llu(seq),
                       ig_llu(before->written));

    } else if (seq == before->written && !chain->before_checked
               && !ig_verify_has_hash(&last->last, before->last))
    {
        ig_verify_tell(v, IG_FINDING_TAMPERED, last->file, last->last_line, p,
                       "this line was replaced: the chain's successor gives"
                       " another hash for it");

    } else if (before->closed && (seq > before->written || !p->closed)) {
        ig_verify_tell(v, IG_FINDING_TAMPERED, last->file, last->last_line, p,
                       "its successor found the chain closed at line %llu, but"
                       " here it ends otherwise", ig_llu(before->written));

    } else if (!p->closed) {
        ig_verify_witnessed(v, p, last, before);
    }
}


/* "<node>/<worker>": what generations of one chain have in common. */
static ig_str_t
ig_verify_slot(const ig_verify_chain_t *chain)
{
    ig_str_t  slot;

    slot = chain->id;

    while (slot.len > 0 && slot.data[slot.len - 1] != '/') {
        slot.len--;
    }

    return slot;
}


static bool
ig_verify_is_in_file(const ig_verify_chain_t *chain, unsigned file)
{
    const ig_verify_run_t  *run;

    for (run = chain->run; run != NULL && run->file != file; run = run->next) {
        /* void */
    }

    return run != NULL;
}


/*
 * Whether no later generation of the same worker wrote to the file in which
 * the chain ends.  A worker may write to several logs: chains that share no
 * file say nothing about each other.
 */
static bool
ig_verify_is_newest(const ig_verify_t *v, const ig_verify_chain_t *chain)
{
    unsigned                  file;
    ig_str_t                  slot;
    const ig_verify_chain_t  *c;

    slot = ig_verify_slot(chain);
    file = ig_verify_last_run(chain)->file;

    for (c = v->chains; c != NULL; c = c->next) {
        if (c != chain && strcmp(c->time, chain->time) > 0
            && ig_str_eq(ig_verify_slot(c), slot)
            && ig_verify_is_in_file(c, file))
        {
            return false;
        }
    }

    return true;
}


/* A chain that was not closed and for which no successor speaks. */
static void
ig_verify_unwitnessed(ig_verify_t *v, ig_verify_chain_t *chain)
{
    ig_verify_run_t  *last;

    last = ig_verify_last_run(chain);

    if (last->last_kind == IG_LINE_SEGMENT_END) {
        chain->state = ig_str("continued");
        ig_verify_tell(v, IG_FINDING_NOTE, last->file, last->last_line, chain,
                       "the chain goes on in a file that was not given");
        return;
    }

    chain->state = ig_str("open");
    v->open++;

    if (ig_verify_is_newest(v, chain)) {
        ig_verify_tell(v, IG_FINDING_NOTE, last->file, last->last_line, chain,
                       "not closed yet: its worker may still be writing");

    } else {
        v->ended++;
        ig_verify_tell(v, IG_FINDING_TORN, last->file, last->last_line, chain,
                       "the chain ends here without being closed, and no later"
                       " one speaks for it: whether more was written cannot be"
                       " told");
    }
}


void
ig_verify_judge_chains(ig_verify_t *v)
{
    ig_verify_chain_t  *chain;

    for (chain = v->chains; chain != NULL; chain = chain->next) {
        chain->state = ig_str("closed");
        ig_verify_head(v, chain);
        ig_verify_runs(v, chain);
        ig_verify_close(v, chain);
    }

    for (chain = v->chains; chain != NULL; chain = chain->next) {
        ig_verify_predecessor(v, chain);
    }

    for (chain = v->chains; chain != NULL; chain = chain->next) {
        if (!chain->closed && !chain->named) {
            ig_verify_unwitnessed(v, chain);
        }
    }
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
    if (v->nchains > 0 && v->torn > v->lost + v->open) {
        ig_verify_tell(v, IG_FINDING_TAMPERED, 0, 0, NULL,
                       "%llu lines break off, but the chains account for no"
                       " more than %llu", ig_llu(v->torn),
                       ig_llu(v->lost + v->open));
    }
}


ig_verify_result_e
ig_verify_judge(ig_verify_t *v)
{
    ig_verify_judge_foreign(v);
    ig_verify_judge_torn(v);

    if (v->nchains == 0) {
        return IG_VERIFY_UNVERIFIABLE;
    }

    if (v->count[IG_FINDING_TAMPERED] > 0) {
        return IG_VERIFY_TAMPERED;
    }

    if (v->count[IG_FINDING_UNVERIFIABLE] > 0) {
        return IG_VERIFY_UNVERIFIABLE;
    }

    if (v->ended > 0 || v->torn > v->lost) {
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
