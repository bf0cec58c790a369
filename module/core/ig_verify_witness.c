/*
 * ig_verify_witness.c: how chains end, and what the next chain of a worker says
 * of the one before.
 * Owns nothing; borrows the chains.  Called by ig_verify_end.c.
 */

#include <string.h>

#include "ig_verify_int.h"


/* The end of a chain that was not closed and for which a successor speaks. */
static void
ig_verify_witnessed(ig_verify_t *v, ig_verify_chain_t *chain,
    const ig_verify_run_t *last, const ig_verify_chain_t *successor)
{
    uint64_t                 lost;
    const ig_line_before_t  *before;

    before = &successor->before;

    chain->state = ig_str("ended");
    v->unclosed++;

    if (last->last.seq > before->issued) {
        chain->state = ig_str("open");
        ig_verify_tell(v, IG_FINDING_NOTE, last->file, last->last_line, chain,
                       "not closed: it went on after its successor began, and"
                       " its worker may still be finishing");
        return;
    }

    lost = before->issued - last->last.seq;

    if (lost > 0) {
        v->lost += lost;
        v->lost_elsewhere += successor->open_file != last->file ? lost : 0;
        ig_verify_tell(v, IG_FINDING_GAP, last->file, last->last_line, chain,
                       "not closed, and %llu line%s after this one could not"
                       " be written, as its successor says", ig_llu(lost),
                       lost == 1 ? "" : "s");

    } else {
        ig_verify_tell(v, IG_FINDING_NOTE, last->file, last->last_line, chain,
                       "not closed, but this was its last line when its"
                       " successor began");
    }
}


/* A predecessor of which no line was given. */
static void
ig_verify_absent(ig_verify_t *v, ig_verify_chain_t *chain)
{
    uint64_t  issued;

    issued = chain->before.issued;

    if (chain->before.written > 0 && chain->before.same_file) {
        ig_verify_tell(v, IG_FINDING_TAMPERED, chain->open_file,
                       chain->open_line, chain, "its predecessor %.*s wrote to"
                       " this file, and not one of its lines is left: they"
                       " were removed", ig_fmt(chain->before.chain));

    } else if (chain->before.written > 0) {
        ig_verify_tell(v, IG_FINDING_NOTE, chain->open_file, chain->open_line,
                       chain, "its predecessor %.*s is in files that were not"
                       " given", ig_fmt(chain->before.chain));

    } else if (issued > 0) {
        v->lost += issued;
        v->lost_elsewhere += issued;
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
        ig_verify_witnessed(v, p, last, chain);
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


/* The chain's lines in this file; NULL: there are none. */
static const ig_verify_run_t *
ig_verify_in_file(const ig_verify_chain_t *chain, unsigned file)
{
    const ig_verify_run_t  *run;

    for (run = chain->run; run != NULL && run->file != file; run = run->next) {
        /* void */
    }

    return run;
}


/*
 * Whether no later generation of the same worker began after the chain's last
 * line, in the file in which that is.  One that began before says nothing:
 * after a binary upgrade both go on.  A worker may write to several logs:
 * chains that share no file say nothing about each other.
 */
static bool
ig_verify_is_newest(const ig_verify_t *v, const ig_verify_chain_t *chain)
{
    ig_str_t                  slot;
    const ig_verify_run_t    *last, *run;
    const ig_verify_chain_t  *c;

    slot = ig_verify_slot(chain);
    last = ig_verify_last_run(chain);

    for (c = v->chains; c != NULL; c = c->next) {
        if (c == chain || strcmp(c->time, chain->time) <= 0
            || !ig_str_eq(ig_verify_slot(c), slot))
        {
            continue;
        }

        run = ig_verify_in_file(c, last->file);

        if (run != NULL && run->first_line > last->last_line) {
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
    v->unclosed++;

    if (last->last_kind == IG_LINE_SEGMENT_END) {
        chain->state = ig_str("continued");
        ig_verify_tell(v, IG_FINDING_NOTE, last->file, last->last_line, chain,
                       "the chain ends with a rotation: it goes on in a file"
                       " that was not given, or did not go on");
        return;
    }

    chain->state = ig_str("open");

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
ig_verify_judge_ends(ig_verify_t *v)
{
    ig_verify_chain_t  *chain;

    for (chain = v->chains; chain != NULL; chain = chain->next) {
        ig_verify_predecessor(v, chain);
    }

    for (chain = v->chains; chain != NULL; chain = chain->next) {
        if (!chain->closed && !chain->named) {
            ig_verify_unwitnessed(v, chain);
        }
    }
}
