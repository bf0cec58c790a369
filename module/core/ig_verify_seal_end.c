/*
 * ig_verify_seal_end.c: what can only be judged when all lines and all
 * checkpoints were seen: ends that were cut off, chains and segments that are
 * gone, lines that nothing sealed.
 * Owns nothing; borrows the chains.  Called by ig_verify_seal.c.
 */

#include <string.h>

#include "ig_verify_seal_int.h"

#define ig_llu(n)  (unsigned long long) (n)


/* The first of a chain's sealed lines that should be here and are not. */
static const ig_seal_entry_t *
ig_seal_unmet(const ig_seal_chain_t *chain)
{
    const ig_seal_entry_t  *entry;

    entry = chain->entry;

    while (entry != NULL && !entry->segment->given) {
        entry = entry->next;
    }

    return entry;
}


/* Lines that were sealed, in a segment that was given. */
static void
ig_seal_judge_sealed(ig_verify_seal_t *s, const ig_seal_chain_t *chain)
{
    const ig_seal_entry_t  *entry;

    entry = ig_seal_unmet(chain);

    if (entry == NULL) {
        return;
    }

    if (chain->seen == 0) {
        ig_seal_tell_line(s, IG_FINDING_TAMPERED, 0, 0, chain,
                          "no line of this chain is here, but checkpoint %llu"
                          " sealed it up to line %llu: it was removed",
                          ig_llu(chain->checkpoint), ig_llu(chain->sealed));

    } else if (entry->seq > chain->seen) {
        ig_seal_tell_line(s, IG_FINDING_TAMPERED, chain->seen_file,
                          chain->seen_line, chain, "the chain ends here at"
                          " line %llu, but checkpoint %llu sealed it up to"
                          " line %llu: its end was cut off",
                          ig_llu(chain->seen), ig_llu(chain->checkpoint),
                          ig_llu(chain->sealed));

    } else {
        ig_seal_tell_line(s, IG_FINDING_TAMPERED, 0, 0, chain,
                          "line %llu of this chain, which checkpoint %llu"
                          " sealed, is missing", ig_llu(entry->seq),
                          ig_llu(entry->checkpoint));
    }
}


/*
 * Lines of a chain that nothing sealed, in front of others that are sealed:
 * the sealing process would have read them first.
 */
static void
ig_seal_judge_inserted(ig_verify_seal_t *s, const ig_seal_chain_t *chain)
{
    const ig_seal_file_t  *file;

    file = chain->unsealed_file;

    if (chain->unsealed > 0 && file->segment != NULL && !file->mixed
        && chain->unsealed_offset < file->segment->bytes)
    {
        ig_seal_tell_line(s, IG_FINDING_TAMPERED, file->index,
                          chain->unsealed_line, chain, "no checkpoint sealed"
                          " this line, but checkpoint %llu sealed the file"
                          " beyond it: it was put there later",
                          ig_llu(file->segment->checkpoint));
    }
}


/* -- segments ------------------------------------------------------------ */

static void
ig_seal_absent(ig_verify_seal_t *s, const ig_seal_segment_t *segment)
{
    ig_seal_tell(s, IG_FINDING_TAMPERED, 0, "segment %llu of %.*s, of which"
                 " checkpoint %llu sealed %llu bytes, was removed or is in a"
                 " file that was not given", ig_llu(segment->number),
                 ig_fmt(segment->log->file), ig_llu(segment->checkpoint),
                 ig_llu(segment->bytes));
}


/*
 * Older segments than the oldest one given may have been put away; from there
 * on all must be here.
 */
static void
ig_seal_judge_log(ig_verify_seal_t *s, const ig_seal_log_t *log)
{
    uint64_t                  older;
    const ig_seal_segment_t  *segment, *oldest;

    oldest = NULL;
    older = 0;

    for (segment = log->newest; segment != NULL; segment = segment->older) {
        if (segment->given) {
            oldest = segment;
            older = 0;

        } else {
            older += segment->entries > 0;
        }
    }

    for (segment = log->newest; oldest != NULL && segment != oldest;
         segment = segment->older)
    {
        if (!segment->given && segment->entries > 0) {
            ig_seal_absent(s, segment);
        }
    }

    if (older > 0) {
        ig_seal_tell(s, IG_FINDING_NOTE, 0, "%llu %ssegment%s of %.*s %s"
                     " sealed too, but not given", ig_llu(older),
                     oldest != NULL ? "older " : "", older == 1 ? "" : "s",
                     ig_fmt(log->file), older == 1 ? "is" : "are");
    }
}


/* -- what is not sealed -------------------------------------------------- */

/* Whether the file began after the last checkpoint was written. */
static bool
ig_seal_is_newer(const ig_verify_seal_t *s, const ig_seal_file_t *file)
{
    return file->time[0] != '\0'
           && memcmp(file->time, s->reader.time, IG_CHECKPOINT_TIME) > 0;
}


static void
ig_seal_judge_files(ig_verify_seal_t *s)
{
    const ig_seal_file_t  *file;

    for (file = s->file; file != NULL; file = file->next) {
        if (!file->spoken && !ig_seal_is_newer(s, file)) {
            ig_seal_tell_line(s, IG_FINDING_UNSEALED, file->index, file->line,
                              NULL, "no checkpoint speaks of this file: it was"
                              " not sealed, or it is not the file that was");
        }
    }
}


/* What came after the last checkpoint. */
static void
ig_seal_judge_tail(ig_verify_seal_t *s)
{
    bool     late;
    int64_t  from, to;

    if (s->unsealed == 0) {
        return;
    }

    late = !ig_checkpoint_ms((ig_str_t) { strlen(s->reader.time),
                                          s->reader.time }, &from)
           || !ig_checkpoint_ms((ig_str_t) { strlen(s->to), s->to }, &to)
           || to - from > s->late;

    ig_seal_tell(s, late ? IG_FINDING_UNSEALED : IG_FINDING_NOTE, 0,
                 "%llu line%s, from %s to %s, %s not sealed: the last"
                 " checkpoint, number %llu, is of %s", ig_llu(s->unsealed),
                 s->unsealed == 1 ? "" : "s", s->from, s->to,
                 s->unsealed == 1 ? "is" : "are",
                 ig_llu(s->reader.state.number), s->reader.time);
}


/* Whether whoever asked expects a later checkpoint than the last one. */
static void
ig_seal_judge_age(ig_verify_seal_t *s)
{
    int64_t   last;
    ig_str_t  time = { strlen(s->reader.time), s->reader.time };

    if (ig_checkpoint_ms(time, &last) && last < s->since) {
        ig_seal_tell(s, IG_FINDING_UNSEALED, 0, "the last checkpoint, number"
                     " %llu, is of %s: that is too old, later ones were"
                     " removed or not written",
                     ig_llu(s->reader.state.number), s->reader.time);
    }
}


void
ig_seal_judge(ig_verify_seal_t *s)
{
    ig_seal_log_t    *log;
    ig_seal_chain_t  *chain;

    if (s->reader.good == 0) {
        ig_seal_tell(s, IG_FINDING_UNSEALED, 0, "nothing is sealed: there is"
                     " no checkpoint by the given key");
        return;
    }

    if (s->reader.refused > 1) {
        ig_seal_tell(s, IG_FINDING_TAMPERED, 0, "%llu checkpoints in all are"
                     " signed with keys that were not given",
                     ig_llu(s->reader.refused));
    }

    for (chain = s->chain; chain != NULL; chain = chain->next) {
        ig_seal_judge_sealed(s, chain);
        ig_seal_judge_inserted(s, chain);
    }

    for (log = s->log; log != NULL; log = log->next) {
        ig_seal_judge_log(s, log);
    }

    ig_seal_judge_files(s);
    ig_seal_judge_tail(s);
    ig_seal_judge_age(s);
}
