/*
 * ig_ctl_log_file.c: one file of the audit log: its lines in order of time.
 * Owns: the lines that wait in its window.  Called by ig_ctl_log_source.c.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ig_ctl_log_file.h"

#define IG_LOG_RING  (2 * IG_LOG_WINDOW)
#define IG_LOG_TOLD  20
#define IG_LOG_PEEK  100                /* lines looked at for a time */
#define IG_LOG_KEPT  (16 * 1024)        /* bytes a slot keeps */


void
ig_log_damaged(ig_log_shared_t *shared, const char *name, uint64_t number,
    const char *why)
{
    if (shared->damaged++ < IG_LOG_TOLD) {
        fprintf(stderr, "%s:%llu: %s\n", name, (unsigned long long) number,
                why);

        if (shared->damaged == IG_LOG_TOLD) {
            fputs("integrityctl: further damaged lines are only counted\n",
                  stderr);
        }
    }
}


/* -- opening ------------------------------------------------------------- */


/*
 * The time of the first line that says it as the module does.  Where that is
 * not found soon, INT64_MIN: the file is read from the beginning on.
 */
static int64_t
ig_log_file_peek(ig_log_read_t *r)
{
    int              rc;
    unsigned         i;
    int64_t          time;
    ig_str_t         line;
    ig_audit_kind_e  kind;

    for (i = 0; i < IG_LOG_PEEK; i++) {
        rc = ig_log_read_line(r, &line);

        if (rc == IG_AGAIN) {
            break;
        }

        if (rc == IG_OK && ig_audit_head(line, &kind, &time)) {
            return time;
        }
    }

    return INT64_MIN;
}


int
ig_log_file_open(ig_log_file_t *f, const char *path)
{
    struct stat  st;

    memset(f, 0, sizeof(*f));
    f->path = path;
    f->first = INT64_MIN;
    f->limit = UINT64_MAX;

    if (ig_log_read_open(&f->read, path, &st) != IG_OK) {
        return IG_ERROR;
    }

    f->open = true;
    f->once = !S_ISREG(st.st_mode) || strcmp(path, "-") == 0;

    if (f->once) {
        return IG_OK;
    }

    f->read.quiet = true;       /* what is wrong is told when it is read */
    f->first = ig_log_file_peek(&f->read);
    ig_log_read_close(&f->read);
    f->open = false;

    return IG_OK;
}


static int
ig_log_file_window(ig_log_file_t *f)
{
    unsigned  i;

    f->slot = calloc(IG_LOG_WINDOW + 1, sizeof(ig_log_slot_t));
    f->spare = calloc(IG_LOG_WINDOW + 1, sizeof(ig_log_slot_t *));
    f->ring = calloc(IG_LOG_RING, sizeof(ig_log_waiting_t));

    if (f->slot == NULL || f->spare == NULL || f->ring == NULL) {
        (void) ig_ctl_error("no memory for \"%s\"", f->path);
        return IG_ERROR;
    }

    for (i = 0; i <= IG_LOG_WINDOW; i++) {
        f->spare[f->nspare++] = &f->slot[i];
    }

    return IG_OK;
}


/* -- the window ---------------------------------------------------------- */


/* Sorts a line in: most are the latest, and go to the end. */
static void
ig_log_file_sort_in(ig_log_file_t *f, int64_t time, ig_log_slot_t *slot)
{
    unsigned           i;
    ig_log_waiting_t  *ring;

    if (f->head + f->count == IG_LOG_RING) {
        memmove(f->ring, f->ring + f->head,
                f->count * sizeof(ig_log_waiting_t));
        f->head = 0;
    }

    ring = f->ring + f->head;

    for (i = f->count; i > 0 && ring[i - 1].time > time; i--) {
        ring[i] = ring[i - 1];
    }

    ring[i].time = time;
    ring[i].slot = slot;
    f->count++;
}


static int
ig_log_slot_fill(ig_log_slot_t *slot, ig_str_t line)
{
    char    *data;
    size_t   room;

    if (slot->room < line.len) {
        room = (line.len + 1023) / 1024 * 1024;

        data = realloc(slot->data, room);
        if (data == NULL) {
            return IG_NOMEM;
        }

        slot->data = data;
        slot->room = room;
    }

    memcpy(slot->data, line.data, line.len);
    slot->len = line.len;

    return IG_OK;
}


static void
ig_log_file_put(ig_log_file_t *f, ig_log_slot_t *slot)
{
    if (slot == NULL) {
        return;
    }

    if (slot->room > IG_LOG_KEPT) {
        free(slot->data);
        slot->data = NULL;
        slot->room = 0;
    }

    f->spare[f->nspare++] = slot;
}


/* -- reading ------------------------------------------------------------- */


static bool
ig_log_is_blank(ig_str_t line)
{
    size_t  i;

    for (i = 0; i < line.len; i++) {
        if (line.data[i] != ' ' && line.data[i] != '\t'
            && line.data[i] != '\r')
        {
            return false;
        }
    }

    return true;
}


/* Kind and time of a line that is not written as the module writes. */
static bool
ig_log_file_parse(ig_log_file_t *f, ig_log_shared_t *shared, ig_str_t line,
    ig_audit_kind_e *kind, int64_t *time)
{
    const char       *why;
    ig_audit_line_t   parsed;

    if (ig_audit_parse(line, &parsed, &why) != IG_OK) {
        ig_log_damaged(shared, f->read.name, f->read.lines, why);
        return false;
    }

    *kind = parsed.kind;
    *time = parsed.time;
    ig_audit_free(&parsed);

    return true;
}


/*
 * Whether the line is wanted at all.  Where everything is later than wanted,
 * and by more than lines are out of order, the rest is not read.
 */
static bool
ig_log_file_wants(ig_log_file_t *f, const ig_log_shared_t *shared,
    int64_t time)
{
    if (time < shared->until) {
        f->late = 0;
        return time >= shared->since;
    }

    if (time - IG_LOG_SLACK < shared->until) {
        f->late = 0;

    } else if (++f->late > IG_LOG_WINDOW) {
        f->read.eof = true;
        f->read.start = f->read.end;
    }

    return false;
}


/* Reads on until one more line waits.  IG_OK, also at the end; IG_NOMEM. */
static int
ig_log_file_more(ig_log_file_t *f, ig_log_shared_t *shared)
{
    int              rc;
    bool             own;
    int64_t          time;
    ig_str_t         line;
    ig_log_slot_t   *slot;
    ig_audit_kind_e  kind;

    for ( ;; ) {
        rc = ig_log_read_line(&f->read, &line);

        if (rc == IG_AGAIN) {
            return IG_OK;
        }

        if (rc == IG_OK && ig_log_is_blank(line)) {
            continue;
        }

        shared->lines++;

        if (rc != IG_OK) {
            ig_log_damaged(shared, f->read.name, f->read.lines,
                           "is longer than 256 KiB");
            continue;
        }

        own = ig_audit_head(line, &kind, &time);

        if ((own || ig_log_file_parse(f, shared, line, &kind, &time))
            && ig_log_file_wants(f, shared, time))
        {
            break;
        }
    }

    slot = f->spare[--f->nspare];

    if (ig_log_slot_fill(slot, line) != IG_OK) {
        f->nspare++;
        return IG_NOMEM;
    }

    slot->kind = kind;
    slot->own = own;
    slot->number = f->read.lines;
    ig_log_file_sort_in(f, time, slot);

    return IG_OK;
}


int
ig_log_file_wake(ig_log_file_t *f, ig_log_shared_t *shared)
{
    unsigned     before;
    struct stat  st;

    if (!f->open && ig_log_read_open(&f->read, f->path, &st) != IG_OK) {
        f->state = IG_LOG_ENDED;
        shared->failed = true;
        return IG_OK;           /* told; the others are read all the same */
    }

    f->open = true;
    f->state = IG_LOG_AWAKE;
    f->read.left = f->limit;

    if (ig_log_file_window(f) != IG_OK) {
        return IG_NOMEM;
    }

    do {
        before = f->count;

        if (ig_log_file_more(f, shared) != IG_OK) {
            return IG_NOMEM;
        }
    } while (f->count > before && f->count < IG_LOG_WINDOW);

    return IG_OK;
}


bool
ig_log_file_time(const ig_log_file_t *f, int64_t *time)
{
    if (f->count == 0) {
        return false;
    }

    *time = f->ring[f->head].time;

    return true;
}


int
ig_log_file_take(ig_log_file_t *f, ig_log_shared_t *shared,
    const ig_log_slot_t **slot, int64_t *time)
{
    ig_log_file_put(f, f->taken);

    f->taken = f->ring[f->head].slot;
    *time = f->ring[f->head].time;
    *slot = f->taken;

    f->head++;
    f->count--;

    if (f->count == 0) {
        f->head = 0;
    }

    return ig_log_file_more(f, shared);
}


void
ig_log_file_close(ig_log_file_t *f, ig_log_shared_t *shared)
{
    unsigned  i;

    shared->failed |= f->read.failed;

    if (f->open) {
        ig_log_read_close(&f->read);
        f->open = false;
    }

    for (i = 0; f->slot && i <= IG_LOG_WINDOW; i++) {
        free(f->slot[i].data);
    }

    free(f->slot);
    free(f->spare);
    free(f->ring);

    f->slot = NULL;
    f->spare = NULL;
    f->ring = NULL;
    f->taken = NULL;
    f->count = 0;
    f->state = IG_LOG_ENDED;
}
