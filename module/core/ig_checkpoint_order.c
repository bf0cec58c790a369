/*
 * ig_checkpoint_order.c: whether the lines of a checkpoint file follow one
 * another, each signed by the key whose turn it is.
 * Owns nothing; borrows lines.  Called by the verifier and by `integrityctl
 * seal`.
 */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ig_checkpoint.h"

#define ig_llu(n)  (unsigned long long) (n)


static void
ig_checkpoint_tell(ig_checkpoint_reader_t *r, bool tampered, const char *fmt,
    ...)
    __attribute__((format(printf, 3, 4)));

static void
ig_checkpoint_tell(ig_checkpoint_reader_t *r, bool tampered, const char *fmt,
    ...)
{
    char     text[512];
    va_list  args;

    va_start(args, fmt);
    (void) vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);

    r->tell(r->ctx, tampered, text);
}


void
ig_checkpoint_reader(ig_checkpoint_reader_t *r, ig_checkpoint_tell_pt tell,
    void *ctx)
{
    memset(r, 0, sizeof(*r));
    r->tell = tell;
    r->ctx = ctx;
}


const ig_sign_public_t *
ig_checkpoint_key(const ig_checkpoint_reader_t *r)
{
    return &r->given[r->reign];
}


/* -- who signed ---------------------------------------------------------- */

static const char *
ig_checkpoint_id(const uint8_t id[IG_SIGN_ID], char text[2 * IG_SIGN_ID + 1])
{
    ig_buf_t  b;

    ig_buf_init(&b, text, 2 * IG_SIGN_ID);
    ig_buf_hex(&b, id, IG_SIGN_ID);
    text[2 * IG_SIGN_ID] = '\0';

    return text;
}


/* The place among the given keys of the one with this id; ngiven: none. */
static unsigned
ig_checkpoint_given(const ig_checkpoint_reader_t *r,
    const uint8_t id[IG_SIGN_ID])
{
    unsigned  i;

    for (i = 0; i < r->ngiven; i++) {
        if (memcmp(r->given[i].id, id, IG_SIGN_ID) == 0) {
            break;
        }
    }

    return i;
}


/* Why a line that is not signed by the key whose turn it is cannot count. */
static void
ig_checkpoint_refuse(ig_checkpoint_reader_t *r, const ig_checkpoint_t *c)
{
    char      id[2 * IG_SIGN_ID + 1];
    unsigned  i;

    i = ig_checkpoint_given(r, c->key);
    (void) ig_checkpoint_id(c->key, id);
    r->skipped += c->number == r->state.number + r->skipped + 1;

    if (i == r->reign || (i < r->ngiven
                          && !ig_sign_check(&r->given[i], c->signed_part,
                                            c->sig)))
    {
        ig_checkpoint_tell(r, true, "checkpoint %llu was changed, or is"
                           " forged: its signature is not that of its text",
                           ig_llu(c->number));

    } else if (i < r->reign) {
        ig_checkpoint_tell(r, true, "checkpoint %llu is signed with key %s,"
                           " which had given way to another one by then",
                           ig_llu(c->number), id);

    } else if (i < r->ngiven) {
        ig_checkpoint_tell(r, true, "checkpoint %llu is signed with key %s"
                           " before the key in force introduced it: the past"
                           " was sealed again with a newer key",
                           ig_llu(c->number), id);

    } else if (r->refused++ == 0) {
        ig_checkpoint_tell(r, true, "checkpoint %llu is signed with key %s,"
                           " which is not one of those given: it is forged, or"
                           " of another file", ig_llu(c->number), id);
    }
}


/* -- what follows what --------------------------------------------------- */

static void
ig_checkpoint_gap(ig_checkpoint_reader_t *r, uint64_t from, uint64_t to)
{
    if (from == to) {
        ig_checkpoint_tell(r, true, "checkpoint %llu is missing: it was"
                           " removed", ig_llu(from));

    } else {
        ig_checkpoint_tell(r, true, "checkpoints %llu to %llu are missing:"
                           " they were removed", ig_llu(from), ig_llu(to));
    }
}


static void
ig_checkpoint_place(ig_checkpoint_reader_t *r, const ig_checkpoint_t *c)
{
    uint64_t  last;

    /* what was refused is no longer missing */
    last = r->state.number + r->skipped;

    if (!r->began && c->number != last + 1) {
        ig_checkpoint_tell(r, true, "the file begins with checkpoint %llu:"
                           " those before it were removed, or are in a file"
                           " that was not given", ig_llu(c->number));

    } else if (c->number <= last) {
        ig_checkpoint_tell(r, true, "checkpoint %llu after checkpoint %llu: it"
                           " was repeated or moved", ig_llu(c->number),
                           ig_llu(last));

    } else if (c->number > last + 1) {
        ig_checkpoint_gap(r, last + 1, c->number - 1);

    } else if (r->skipped == 0
               && memcmp(c->prev, r->state.last, IG_SHA256) != 0)
    {
        ig_checkpoint_tell(r, true, "the checkpoint before checkpoint %llu was"
                           " replaced: this one was written after another",
                           ig_llu(c->number));
    }
}


/* A clock that is set back is no crime; that it was is worth knowing. */
static void
ig_checkpoint_clock(ig_checkpoint_reader_t *r, const ig_checkpoint_t *c)
{
    if (memcmp(c->time.data, r->time, IG_CHECKPOINT_TIME) < 0) {
        if (c->number == r->state.number + 1) {
            ig_checkpoint_tell(r, false, "the clock went back before"
                               " checkpoint %llu, from %s to %.*s",
                               ig_llu(c->number), r->time, ig_fmt(c->time));
        }

        return;
    }

    memcpy(r->time, c->time.data, IG_CHECKPOINT_TIME);
}


static void
ig_checkpoint_same_origin(ig_checkpoint_reader_t *r, const ig_checkpoint_t *c)
{
    ig_str_t  origin = { strlen(r->origin), r->origin };

    if (!r->began) {
        memcpy(r->origin, c->origin.data, c->origin.len);

    } else if (!ig_str_eq(origin, c->origin)) {
        ig_checkpoint_tell(r, true, "checkpoint %llu is of \"%.*s\", those"
                           " before it of \"%s\"", ig_llu(c->number),
                           ig_fmt(c->origin), r->origin);
    }
}


/* From here on another key signs. */
static int
ig_checkpoint_succeed(ig_checkpoint_reader_t *r, const ig_checkpoint_t *c)
{
    char              id[2 * IG_SIGN_ID + 1];
    unsigned          i;
    ig_sign_public_t  next;

    ig_sign_public(&next, c->next);
    i = ig_checkpoint_given(r, next.id);

    /* where further keys were given, the next of them must be meant */

    if (r->reign + 1 < r->ngiven && i != r->reign + 1) {
        ig_checkpoint_tell(r, true, "checkpoint %llu introduces key %s, which"
                           " is not the next of those given",
                           ig_llu(c->number), ig_checkpoint_id(next.id, id));
        return IG_ERROR;
    }

    if (i == r->ngiven) {

        if (r->ngiven == IG_CHECKPOINT_KEYS) {
            ig_checkpoint_tell(r, true, "more than %d keys",
                               IG_CHECKPOINT_KEYS);
            return IG_ERROR;
        }

        r->given[r->ngiven++] = next;

    } else if (i <= r->reign) {
        ig_checkpoint_tell(r, true, "checkpoint %llu introduces a key that had"
                           " given way before", ig_llu(c->number));
        return IG_ERROR;
    }

    r->reign = i;

    return IG_OK;
}


int
ig_checkpoint_read(ig_checkpoint_reader_t *r, ig_str_t line,
    ig_checkpoint_t *c)
{
    if (ig_checkpoint_parse(line, c) != IG_OK) {
        /* the sealing process died while it wrote, or somebody was here */
        ig_checkpoint_tell(r, false, "a line after checkpoint %llu is no"
                           " checkpoint: it breaks off, or was damaged",
                           ig_llu(r->state.number));
        return IG_ERROR;
    }

    r->lenient &= memcmp(c->key, r->given[0].id, IG_SIGN_ID) != 0;

    if (!r->lenient
        && !ig_sign_check(ig_checkpoint_key(r), c->signed_part, c->sig))
    {
        ig_checkpoint_refuse(r, c);
        return IG_ERROR;
    }

    ig_checkpoint_place(r, c);
    ig_checkpoint_same_origin(r, c);
    ig_checkpoint_clock(r, c);

    r->began = true;
    r->skipped = 0;
    r->good++;
    r->state.number = c->number;
    ig_sha256(line.data, line.len, r->state.last);

    if (c->kind != IG_CHECKPOINT_KEY) {
        return IG_OK;
    }

    if (r->lenient) {
        r->lenient = memcmp(c->next, r->given[0].key, IG_SIGN_KEY) != 0;
        return IG_OK;
    }

    return ig_checkpoint_succeed(r, c);
}
