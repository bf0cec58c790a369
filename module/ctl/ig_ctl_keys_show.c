/*
 * ig_ctl_keys_show.c: `integrityctl keys show`: the keys of a secret file,
 * what each is for, and which of them a log needs.
 * Owns nothing.  Called by ig_ctl_keys.c.
 */

#include <stdio.h>
#include <string.h>

#include "ig_ctl_keys.h"

/* One object of --json: an id, what it is for, when it was in use. */
#define IG_KEYS_OBJECT  512


typedef struct {
    const ig_keys_file_t  *file;
    const ig_keys_log_t   *log;         /* NULL: none was given */
} ig_keys_view_t;


static ig_str_t
ig_keys_str(const char *s)
{
    return (ig_str_t) { strlen(s), s };
}


/* An id of the log that the file has no key for. */
static bool
ig_keys_is_foreign(const ig_keys_view_t *v, const ig_keys_seen_t *seen)
{
    return ig_keys_find(v->file, ig_keys_str(seen->id)) < 0;
}


/* -- text ---------------------------------------------------------------- */


static void
ig_keys_text_seen(const ig_keys_view_t *v, const char *id)
{
    const ig_keys_seen_t  *seen;

    if (v->log == NULL) {
        return;
    }

    seen = ig_keys_log_find(v->log, ig_keys_str(id));

    if (seen == NULL) {
        printf("    not in these logs\n");

    } else {
        printf("    in %llu line%s, %s to %s\n",
               (unsigned long long) seen->lines, seen->lines == 1 ? "" : "s",
               seen->first, seen->last);
    }
}


/* Ids whose key is not here: of the file's comments, and of the log. */
static void
ig_keys_text_gone(const ig_keys_view_t *v)
{
    unsigned   i;
    ig_str_t   rest, line, id, when;

    rest = v->file->text;

    while (ig_keys_next(&rest, &line)) {
        id = ig_keys_line_gone(line, &when);

        if (id.len > 0) {
            printf("%.*s  destroyed %.*s: its past cannot be read\n",
                   ig_fmt(id), ig_fmt(when));

            if (v->log != NULL && ig_keys_log_find(v->log, id) != NULL) {
                ig_keys_text_seen(v, ig_keys_log_find(v->log, id)->id);
            }
        }
    }

    for (i = 0; v->log != NULL && i < v->log->nseen; i++) {
        id = ig_keys_str(v->log->seen[i].id);

        if (ig_keys_is_foreign(v, &v->log->seen[i])
            && ig_keys_gone(v->file, id).len == 0)
        {
            printf("%s  not in this file: its past cannot be read with it\n",
                   v->log->seen[i].id);
            ig_keys_text_seen(v, v->log->seen[i].id);
        }
    }
}


static void
ig_keys_text(const ig_keys_view_t *v)
{
    unsigned            i;
    const ig_secret_t  *secret = &v->file->secret;

    for (i = 0; i < secret->nkeys; i++) {
        printf("%s  %s%s\n", secret->key[i].id,
               i == 0 ? "current: makes pseudonyms and fingerprints, signs"
                        " verdicts"
                      : "older: what it made can be read",
               i == secret->nstore ? "; makes the store's names" : "");
        ig_keys_text_seen(v, secret->key[i].id);
    }

    ig_keys_text_gone(v);

    if (v->log != NULL) {
        printf("%llu audit lines", (unsigned long long) v->log->lines);

        if (v->log->other > 0) {
            printf(", %llu others left out",
                   (unsigned long long) v->log->other);
        }

        puts(v->log->more ? ", more ids than are told here" : "");
    }
}


/* -- JSON ---------------------------------------------------------------- */


/* {"id":"k1" and what is seen of it; the caller closes it. */
static void
ig_keys_json_id(const ig_keys_view_t *v, ig_str_t id, bool *first)
{
    char                   memory[IG_KEYS_OBJECT];
    ig_buf_t               b;
    const ig_keys_seen_t  *seen;

    ig_buf_init(&b, memory, sizeof(memory));
    ig_buf_str_add(&b, *first ? ig_str("{\"id\":") : ig_str(",{\"id\":"));
    ig_buf_json_string(&b, id);
    *first = false;

    seen = v->log != NULL ? ig_keys_log_find(v->log, id) : NULL;

    if (v->log != NULL) {
        ig_buf_lit(&b, ",\"lines\":");
        ig_buf_u64(&b, seen != NULL ? seen->lines : 0);
    }

    if (seen != NULL) {
        ig_buf_lit(&b, ",\"first\":");
        ig_buf_json_string(&b, ig_keys_str(seen->first));
        ig_buf_lit(&b, ",\"last\":");
        ig_buf_json_string(&b, ig_keys_str(seen->last));
    }

    printf("%.*s", ig_fmt(ig_buf_str(&b)));
}


static void
ig_keys_json_destroyed(ig_str_t when)
{
    char      memory[IG_KEYS_OBJECT];
    ig_buf_t  b;

    ig_buf_init(&b, memory, sizeof(memory));
    ig_buf_json_string(&b, when);
    printf(",\"destroyed\":%.*s}", ig_fmt(ig_buf_str(&b)));
}


static void
ig_keys_json_gone(const ig_keys_view_t *v)
{
    bool      first;
    unsigned  i;
    ig_str_t  rest, line, id, when;

    first = true;
    rest = v->file->text;

    while (ig_keys_next(&rest, &line)) {
        id = ig_keys_line_gone(line, &when);

        if (id.len > 0) {
            ig_keys_json_id(v, id, &first);
            ig_keys_json_destroyed(when);
        }
    }

    for (i = 0; v->log != NULL && i < v->log->nseen; i++) {
        id = ig_keys_str(v->log->seen[i].id);

        if (ig_keys_is_foreign(v, &v->log->seen[i])
            && ig_keys_gone(v->file, id).len == 0)
        {
            ig_keys_json_id(v, id, &first);
            printf(",\"destroyed\":null}");
        }
    }
}


static void
ig_keys_json(const ig_keys_view_t *v)
{
    bool                first;
    unsigned            i;
    const ig_secret_t  *secret = &v->file->secret;

    first = true;
    printf("{\"keys\":[");

    for (i = 0; i < secret->nkeys; i++) {
        ig_keys_json_id(v, ig_keys_str(secret->key[i].id), &first);
        printf(",\"current\":%s,\"store\":%s}", i == 0 ? "true" : "false",
               i == secret->nstore ? "true" : "false");
    }

    printf("],\"gone\":[");
    ig_keys_json_gone(v);
    printf("]");

    if (v->log != NULL) {
        printf(",\"log\":{\"lines\":%llu,\"other\":%llu}",
               (unsigned long long) v->log->lines,
               (unsigned long long) v->log->other);
    }

    puts("}");
}


int
ig_keys_show(const ig_keys_options_t *o)
{
    int             i, rc;
    ig_keys_log_t   log;
    ig_keys_file_t  f;
    ig_keys_view_t  v = { &f, o->given & IG_KEYS_LOG ? &log : NULL };

    memset(&log, 0, sizeof(log));
    rc = ig_keys_open(&f, o->arg[0], false);

    for (i = 1; rc == IG_CTL_OK && i < o->nargs; i++) {
        rc = ig_keys_log_read(&log, o->arg[i]);
    }

    if (rc == IG_CTL_OK) {
        if (o->given & IG_KEYS_JSON) {
            ig_keys_json(&v);

        } else {
            ig_keys_text(&v);
        }
    }

    ig_keys_close(&f);

    return rc;
}
