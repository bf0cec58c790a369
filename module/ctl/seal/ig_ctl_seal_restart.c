/*
 * ig_ctl_seal_restart.c: what the checkpoint file says of the time before
 * this process: where it goes on, what was sealed and what was found.
 * Owns nothing of its own.  Called once, before anything is followed.
 */

#include <stdio.h>
#include <string.h>

#include "ig_ctl_seal.h"
#include "ig_ctl_stream.h"

typedef struct {
    ig_sealer_t             *s;
    ig_checkpoint_reader_t   reader;
    bool                     tampered;
    uint8_t                  last_key[IG_SIGN_ID];
} ig_sealer_recall_t;


static void
ig_sealer_told(void *ctx, bool tampered, const char *text)
{
    ig_sealer_recall_t  *r = ctx;

    if (tampered && !r->tampered) {
        r->tampered = true;
        (void) ig_ctl_error("\"%s\" was changed: %s; nothing is added to it",
                            r->s->path, text);
    }
}


/* -- one line ------------------------------------------------------------ */

static void
ig_sealer_recall_finding(ig_sealer_t *s, const ig_checkpoint_t *c)
{
    char  *text;

    s->findings++;

    if (c->text.len >= IG_SEALER_TEXT) {
        return;
    }

    /* what was refused once is never taken for known */
    text = ig_str_eq(c->level, ig_str("refused"))
           ? s->refusal : s->known[s->nknown++ % IG_SEALER_QUEUE].text;
    memcpy(text, c->text.data, c->text.len);
    text[c->text.len] = '\0';
}


static int
ig_sealer_recall_chain(ig_sealer_t *s, const ig_sealer_log_t *log,
    uint64_t segment, const ig_checkpoint_chain_t *c)
{
    ig_sealer_chain_t  *chain;

    chain = ig_sealer_chain(s, c->id, true);

    if (chain == NULL) {
        return IG_NOMEM;
    }

    chain->log = log->index;
    chain->segment = segment;
    chain->seq = c->seq;
    chain->lost = c->lost;
    memcpy(chain->hash, c->hash, IG_SHA256);

    return IG_OK;
}


static int
ig_sealer_recall_log(ig_sealer_t *s, const ig_checkpoint_log_t *l,
    const ig_checkpoint_t *c)
{
    int                     rc;
    unsigned                i;
    ig_sealer_log_t        *log;
    ig_sealer_past_t       *past;
    ig_checkpoint_chain_t   chain;
    ig_checkpoint_items_t   items;

    for (i = 0; i < s->nlogs && !ig_str_eq(s->log[i].name, l->file); i++) {
        /* void */
    }

    if (i == s->nlogs) {
        return IG_OK;           /* it is no longer followed */
    }

    log = &s->log[i];

    for (past = log->past; past != NULL && past->number != l->segment;
         past = past->next) { /* void */ }

    if (past == NULL) {
        past = ig_alloc(&s->memory.mem, sizeof(*past));

        if (past == NULL) {
            return IG_NOMEM;
        }

        past->number = l->segment;
        memcpy(past->time, c->time.data, IG_CHECKPOINT_TIME);
        past->next = log->past;
        log->past = past;
        log->last_segment = l->segment;
    }

    past->bytes = l->bytes;
    past->done = l->done;
    memcpy(past->first, l->first, IG_SHA256);

    ig_checkpoint_items(&items, l->chains);

    for (rc = IG_OK; rc == IG_OK && ig_checkpoint_next_chain(&items, &chain);) {
        rc = ig_sealer_recall_chain(s, log, l->segment, &chain);
    }

    return rc;
}


static int
ig_sealer_recall_line(ig_sealer_recall_t *r, ig_str_t line)
{
    int                    rc;
    ig_sealer_t           *s = r->s;
    ig_checkpoint_t        c;
    ig_checkpoint_log_t    log;
    ig_checkpoint_items_t  items;

    if (line.len == 0
        || ig_checkpoint_read(&r->reader, line, &c) != IG_OK)
    {
        return IG_OK;
    }

    memcpy(r->last_key, c.key, IG_SIGN_ID);

    if (r->reader.lenient && s->has_old_key
        && memcmp(c.key, s->old_key.open.id, IG_SIGN_ID) == 0
        && !ig_sign_check(&s->old_key.open, c.signed_part, c.sig))
    {
        ig_sealer_told(r, true, "a signature is not that of --old-key");
    }

    if (c.kind == IG_CHECKPOINT_FINDING) {
        ig_sealer_recall_finding(s, &c);
    }

    if (c.kind != IG_CHECKPOINT_SEAL) {
        return IG_OK;
    }

    s->lines = c.lines;
    ig_checkpoint_items(&items, c.log);

    for (rc = IG_OK; rc == IG_OK && ig_checkpoint_next_log(&items, &log);) {
        rc = ig_sealer_recall_log(s, &log, &c);
    }

    return rc;
}


/* -- the file ------------------------------------------------------------ */

/* Under which key, and as whom, this process may go on. */
static int
ig_sealer_entitled(ig_sealer_t *s, const ig_sealer_recall_t *r)
{
    char      id[2 * IG_SIGN_ID + 1];
    ig_buf_t  b;

    if (r->tampered) {
        return IG_SEALER_REFUSED;
    }

    if (!r->reader.began) {
        return IG_CTL_OK;
    }

    if (strcmp(r->reader.origin, s->origin) != 0) {
        (void) ig_ctl_error("\"%s\" is of origin \"%s\", not of \"%s\"; see"
                            " --origin", s->path, r->reader.origin, s->origin);
        return IG_CTL_FAILED;
    }

    if (!r->reader.lenient) {

        if (r->reader.reign == 0) {
            return IG_CTL_OK;
        }

        (void) ig_ctl_error("the key given has given way to another one in"
                            " \"%s\"", s->path);
        return IG_CTL_FAILED;
    }

    if (s->has_old_key
        && memcmp(r->last_key, s->old_key.open.id, IG_SIGN_ID) == 0)
    {
        return ig_sealer_introduce(s) == IG_OK ? IG_CTL_OK : IG_CTL_USAGE;
    }

    ig_buf_init(&b, id, sizeof(id));
    ig_buf_hex(&b, r->last_key, IG_SIGN_ID);
    (void) ig_ctl_error("\"%s\" is signed with key %.*s, not with the one"
                        " given: --old-key FILE lets that one introduce it",
                        s->path, ig_fmt(ig_buf_str(&b)));

    return IG_CTL_FAILED;
}


int
ig_sealer_recall(ig_sealer_t *s)
{
    int                  rc;
    ig_str_t             line;
    ig_ctl_stream_t      stream;
    ig_sealer_recall_t   r;

    memset(&r, 0, sizeof(r));
    r.s = s;
    ig_checkpoint_reader(&r.reader, ig_sealer_told, &r);
    r.reader.given[0] = s->key.open;
    r.reader.ngiven = 1;
    r.reader.lenient = true;

    if (ig_ctl_stream_open(&stream, s->path, &s->memory.mem) != IG_CTL_OK) {
        return IG_CTL_USAGE;
    }

    do {
        rc = ig_ctl_stream_line(&stream, &line);
    } while (rc == IG_OK && (rc = ig_sealer_recall_line(&r, line)) == IG_OK);

    ig_ctl_stream_close(&stream);

    if (rc != IG_AGAIN) {
        return rc == IG_NOMEM ? ig_ctl_error("no memory") : IG_CTL_USAGE;
    }

    s->state = r.reader.state;

    return ig_sealer_entitled(s, &r);
}
