/*
 * ig_ctl_seal_write.c: writes checkpoints and findings to where they are
 * kept, whatever the disk there says.
 * Owns: the checkpoint file's descriptor and its lock.
 * Called by the sealing process.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "ig_ctl_seal.h"

#define ig_llu(n)  (unsigned long long) (n)


static int64_t
ig_sealer_now(void)
{
    struct timespec  now;

    (void) clock_gettime(CLOCK_REALTIME, &now);

    return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}


int
ig_sealer_open_checkpoints(ig_sealer_t *s)
{
    char         last;
    struct stat  st;

    s->fd = open(s->path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC,
                 S_IRUSR | S_IWUSR | S_IRGRP);

    if (s->fd < 0) {
        return ig_ctl_error("cannot open \"%s\": %s", s->path,
                            strerror(errno));
    }

    if (fstat(s->fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        return ig_ctl_error("\"%s\" is no regular file", s->path);
    }

    if (flock(s->fd, LOCK_EX | LOCK_NB) != 0) {
        (void) ig_ctl_error("another process seals into \"%s\"", s->path);
        return IG_CTL_FAILED;
    }

    s->torn = st.st_size > 0
              && (pread(s->fd, &last, 1, st.st_size - 1) != 1 || last != '\n');

    return IG_CTL_OK;
}


/* -- one line ------------------------------------------------------------ */

static bool
ig_sealer_put(ig_sealer_t *s, ig_str_t text)
{
    ssize_t  n;

    while (text.len > 0) {
        n = write(s->fd, text.data, text.len);

        if (n < 0 && errno == EINTR) {
            continue;
        }

        if (n <= 0) {
            return false;
        }

        s->torn = n < (ssize_t) text.len || text.data[n - 1] != '\n';
        text.data += n;
        text.len -= (size_t) n;
    }

    return true;
}


/* Told once, and once more when it is over. */
static void
ig_sealer_disk(ig_sealer_t *s, int error)
{
    if (error != s->error && error != 0) {
        fprintf(stderr, "integrityctl: cannot write \"%s\": %s; nothing is"
                " sealed until that works again\n", s->path, strerror(error));

    } else if (error != s->error) {
        fprintf(stderr, "integrityctl: \"%s\" is written again\n", s->path);
    }

    s->error = error;
}


/* Ends a piece of a line that is there first.  IG_OK: it is in the file. */
static int
ig_sealer_append(ig_sealer_t *s, ig_buf_t *b)
{
    ig_str_t  line = ig_buf_str(b);

    s->written = ig_sealer_clock();

    if ((s->torn && !ig_sealer_put(s, ig_str("\n")))
        || !ig_sealer_put(s, line))
    {
        ig_sealer_disk(s, errno);
        return IG_ERROR;
    }

    ig_checkpoint_written(&s->state, line);

    if (s->json && (fwrite(line.data, 1, line.len, stdout) != line.len
                    || fflush(stdout) != 0))
    {
        /* whoever listened has left: that is no reason not to seal */
        s->json = false;
        (void) ig_ctl_error("cannot write to standard output: %s; sealing"
                            " goes on", strerror(errno));
    }

    /* where this fails it is there, but may not outlive the machine */
    ig_sealer_disk(s, fsync(s->fd) == 0 ? 0 : errno);

    return IG_OK;
}


/* -- findings ------------------------------------------------------------ */

static int
ig_sealer_finding_line(ig_sealer_t *s, const ig_sealer_finding_t *f)
{
    char      line[8192];
    ig_buf_t  b;

    ig_buf_init(&b, line, sizeof(line));
    ig_checkpoint_begin(&b, IG_CHECKPOINT_FINDING, &s->state, &s->key.open,
                        ig_sealer_now(), (ig_str_t) { strlen(s->origin),
                                                      s->origin });
    ig_buf_lit(&b, ",\"level\":\"");
    ig_buf_bytes(&b, f->level, strlen(f->level));
    ig_buf_lit(&b, "\",\"file\":\"");
    ig_buf_bytes(&b, f->file, strlen(f->file));
    ig_buf_lit(&b, "\",\"text\":\"");
    ig_buf_bytes(&b, f->text, strlen(f->text));
    ig_buf_char(&b, '"');

    return ig_checkpoint_end(&b, &s->key) == IG_OK ? ig_sealer_append(s, &b)
                                                   : IG_ERROR;
}


bool
ig_sealer_findings_written(ig_sealer_t *s)
{
    ig_sealer_finding_t  rest;

    while (s->queued > 0) {
        if (ig_sealer_finding_line(s, &s->queue[0]) != IG_OK) {
            return false;
        }

        memmove(s->queue, s->queue + 1, --s->queued * sizeof(s->queue[0]));
    }

    if (s->unqueued > 0) {
        memset(&rest, 0, sizeof(rest));
        rest.level = "tampered";
        strcpy(rest.file, "all");
        (void) snprintf(rest.text, sizeof(rest.text), "%llu more findings",
                        ig_llu(s->unqueued));

        if (ig_sealer_finding_line(s, &rest) != IG_OK) {
            return false;
        }

        s->unqueued = 0;
    }

    return true;
}


static void
ig_sealer_note(ig_sealer_t *s, const ig_sealer_log_t *log, const char *level,
    const char *text)
{
    ig_buf_t              b;
    ig_sealer_finding_t  *f;

    fprintf(stderr, "integrityctl: %s: %s: %s\n", log->path, level, text);

    s->findings++;

    if (s->queued == IG_SEALER_QUEUE) {
        s->unqueued++;
        return;
    }

    f = &s->queue[s->queued++];
    f->level = level;
    memcpy(f->file, log->name.data, log->name.len);
    f->file[log->name.len] = '\0';

    ig_buf_init(&b, f->text, sizeof(f->text) - 1);
    ig_buf_json(&b, (ig_str_t) { strlen(text), text });
    f->text[ig_buf_str(&b).len] = '\0';
}


bool
ig_sealer_knows(const ig_sealer_t *s, const char *text)
{
    unsigned  i, n;

    n = s->nknown < IG_SEALER_QUEUE ? s->nknown : IG_SEALER_QUEUE;

    for (i = 0; i < n; i++) {
        if (strcmp(s->known[i].text, text) == 0) {
            return true;
        }
    }

    return false;
}


void
ig_sealer_find(ig_sealer_t *s, const ig_sealer_log_t *log, bool tampered,
    const char *fmt, ...)
{
    char     text[IG_SEALER_TEXT / 2];
    va_list  args;

    va_start(args, fmt);
    (void) vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);

    /* a note is no news after each restart */
    if (tampered || !ig_sealer_knows(s, text)) {
        ig_sealer_note(s, log, tampered ? "tampered" : "note", text);
    }
}


void
ig_sealer_refuse(ig_sealer_log_t *log, const char *fmt, ...)
{
    char          text[IG_SEALER_TEXT / 2];
    va_list       args;
    ig_sealer_t  *s = log->sealer;

    if (s->refused != 0) {
        return;                 /* one contradiction is enough */
    }

    s->refused = IG_SEALER_REFUSED;

    va_start(args, fmt);
    (void) vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);

    /* a service that is started again and again tells the same once */
    if (strcmp(s->refusal, text) == 0) {
        fprintf(stderr, "integrityctl: %s: refused: %s\n", log->path, text);
        return;
    }

    ig_sealer_note(s, log, "refused", text);
    (void) ig_sealer_findings_written(s);
}


/* -- checkpoints --------------------------------------------------------- */

static void
ig_sealer_segment(ig_sealer_t *s, ig_buf_t *b, const ig_sealer_log_t *log,
    const ig_sealer_segment_t *segment)
{
    ig_sealer_chain_t      *chain;
    ig_checkpoint_log_t     l;
    ig_checkpoint_chain_t   c;

    memset(&l, 0, sizeof(l));
    l.file = log->name;
    l.segment = segment->number;
    l.bytes = segment->bytes;
    l.done = segment->done;
    memcpy(l.first, segment->first, IG_SHA256);
    ig_checkpoint_add_log(b, &l);

    for (chain = s->chain; chain != NULL; chain = chain->next) {
        if (chain->changed && chain->log == log->index
            && chain->segment == segment->number)
        {
            c.id = chain->id;
            c.seq = chain->seq;
            c.lost = chain->lost;
            memcpy(c.hash, chain->hash, IG_SHA256);
            ig_checkpoint_add_chain(b, &c);
        }
    }

    ig_checkpoint_end_log(b);
}


static void
ig_sealer_body(ig_sealer_t *s, ig_buf_t *b, const char *why)
{
    unsigned                    i, n;
    const ig_sealer_segment_t  *segment;

    ig_checkpoint_begin(b, IG_CHECKPOINT_SEAL, &s->state, &s->key.open,
                        ig_sealer_now(), (ig_str_t) { strlen(s->origin),
                                                      s->origin });
    ig_buf_lit(b, ",\"why\":\"");
    ig_buf_bytes(b, why, strlen(why));
    ig_buf_lit(b, "\",\"lines\":");
    ig_buf_u64(b, s->lines);
    ig_buf_lit(b, ",\"findings\":");
    ig_buf_u64(b, s->findings);
    ig_buf_lit(b, ",\"log\":[");

    for (i = 0; i < s->nlogs; i++) {
        for (n = 0; n < s->log[i].nsegments; n++) {
            segment = &s->log[i].segment[n];

            /* what is read again is not yet known to be what it was */
            if (segment->changed && segment->sealed == 0) {
                ig_sealer_segment(s, b, &s->log[i], segment);
            }
        }
    }

    ig_buf_char(b, ']');
}


/*
 * What a signature speaks of must outlive a power cut, or it would accuse the
 * log afterwards; workers never wait for a disk, this process may.
 */
static void
ig_sealer_sync(ig_sealer_t *s)
{
    unsigned                    i, n;
    const ig_sealer_segment_t  *segment;

    for (i = 0; i < s->nlogs; i++) {
        for (n = 0; n < s->log[i].nsegments; n++) {
            segment = &s->log[i].segment[n];

            if (segment->changed && fdatasync(segment->fd) != 0
                && !s->unsynced)
            {
                s->unsynced = true;
                (void) ig_ctl_error("cannot sync \"%s\": %s", s->log[i].path,
                                    strerror(errno));
            }
        }
    }
}


int
ig_sealer_checkpoint(ig_sealer_t *s, const char *why)
{
    unsigned            i, n;
    ig_buf_t            b;
    ig_sealer_chain_t  *chain;

    static char  line[IG_CHECKPOINT_LINE];

    if (!ig_sealer_findings_written(s)) {
        return IG_ERROR;
    }

    ig_sealer_sync(s);
    ig_buf_init(&b, line, sizeof(line));
    ig_sealer_body(s, &b, why);

    if (ig_checkpoint_end(&b, &s->key) != IG_OK
        || ig_sealer_append(s, &b) != IG_OK)
    {
        return IG_ERROR;
    }

    for (chain = s->chain; chain != NULL; chain = chain->next) {
        chain->changed = false;
    }

    for (i = 0; i < s->nlogs; i++) {
        for (n = 0; n < s->log[i].nsegments; n++) {
            s->log[i].segment[n].changed &= s->log[i].segment[n].sealed > 0;
        }
    }

    s->changed = 0;
    s->pending = 0;

    return IG_OK;
}


int
ig_sealer_introduce(ig_sealer_t *s)
{
    char      line[2048];
    ig_buf_t  b;

    ig_buf_init(&b, line, sizeof(line));
    ig_checkpoint_begin(&b, IG_CHECKPOINT_KEY, &s->state, &s->old_key.open,
                        ig_sealer_now(), (ig_str_t) { strlen(s->origin),
                                                      s->origin });
    ig_buf_lit(&b, ",\"next\":\"");
    ig_buf_hex(&b, s->key.open.key, IG_SIGN_KEY);
    ig_buf_char(&b, '"');

    return ig_checkpoint_end(&b, &s->old_key) == IG_OK
           ? ig_sealer_append(s, &b) : IG_ERROR;
}
