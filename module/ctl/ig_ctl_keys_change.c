/*
 * ig_ctl_keys_change.c: `integrityctl keys rotate` and `destroy`: what the
 * secret file's text becomes.
 * Owns: that text, wiped.  Called by ig_ctl_keys.c.
 */

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "ig_ctl_keys.h"

#define IG_KEYS_MARK  ":store"


/* -- texts --------------------------------------------------------------- */


/* Room for all the old text and one line more. */
static int
ig_keys_room(ig_keys_file_t *f, ig_buf_t *b)
{
    char    *memory;
    size_t   size;

    size = f->text.len + 2 * IG_KEYS_LINE;
    memory = ig_alloc(&f->memory.mem, size);

    if (memory == NULL) {
        return ig_ctl_error("no memory");
    }

    ig_buf_init(b, memory, size);

    return IG_CTL_OK;
}


/* A line of the old text, without its mark where `unmark`. */
static void
ig_keys_copy(ig_buf_t *b, ig_str_t line, bool unmark)
{
    size_t    mark = sizeof(IG_KEYS_MARK) - 1;
    ig_str_t  kept;

    kept = line;

    while (kept.len > 0 && strchr(" \t\r", kept.data[kept.len - 1]) != NULL) {
        kept.len--;
    }

    if (unmark && ig_keys_line_id(line).len > 0 && kept.len > mark
        && memcmp(kept.data + kept.len - mark, IG_KEYS_MARK, mark) == 0)
    {
        line = (ig_str_t) { kept.len - mark, kept.data };
    }

    ig_buf_str_add(b, line);
    ig_buf_char(b, '\n');
}


/* -- rotate -------------------------------------------------------------- */


/* The number in "k7"; 0: it has none. */
static unsigned
ig_keys_number(ig_str_t id)
{
    size_t    i;
    unsigned  n;

    if (id.len < 2 || id.len > 9 || id.data[0] != 'k') {
        return 0;
    }

    for (i = 1, n = 0; i < id.len; i++) {
        if (id.data[i] < '0' || id.data[i] > '9') {
            return 0;
        }

        n = n * 10 + (unsigned) (id.data[i] - '0');
    }

    return n;
}


/* One more than any key here has or had. */
static void
ig_keys_name(const ig_keys_file_t *f, char id[IG_KEY_ID + 1])
{
    unsigned  most, n;
    ig_str_t  rest, line, when;

    rest = f->text;
    most = 0;

    while (ig_keys_next(&rest, &line)) {
        n = ig_keys_number(ig_keys_line_id(line));
        most = n > most ? n : most;

        n = ig_keys_number(ig_keys_line_gone(line, &when));
        most = n > most ? n : most;
    }

    (void) snprintf(id, IG_KEY_ID + 1, "k%u", most + 1);
}


static int
ig_keys_refuse_id(const ig_keys_file_t *f, const char *id)
{
    size_t    len;
    ig_str_t  name = { strlen(id), id }, when;

    len = strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                     "0123456789_-");

    if (name.len == 0 || name.len > IG_KEY_ID || len != name.len) {
        return ig_ctl_usage(&ig_ctl_keys, "\"%s\" is no id: 1 to %d of letters,"
                            " digits, \"_\" and \"-\"", id, IG_KEY_ID);
    }

    when = ig_keys_gone(f, name);

    if (ig_keys_find(f, name) >= 0 || when.len > 0) {
        (void) ig_ctl_error("\"%s\" %s a key called %s; another id keeps their"
                            " pseudonyms apart", f->name,
                            when.len > 0 ? "had" : "has", id);
        return IG_CTL_FAILED;
    }

    if (f->secret.nkeys == IG_MAX_KEYS) {
        (void) ig_ctl_error("\"%s\" has %d keys, as many as it can; destroy"
                            " one first", f->name, IG_MAX_KEYS);
        return IG_CTL_FAILED;
    }

    return IG_CTL_OK;
}


/* The new key's line stands before the first old one. */
static int
ig_keys_put_first(ig_keys_file_t *f, ig_buf_t *b, const char *id, bool store)
{
    bool      put;
    ig_str_t  rest, line, name = { strlen(id), id };

    rest = f->text;
    put = false;

    while (ig_keys_next(&rest, &line)) {
        if (!put && ig_keys_line_id(line).len > 0) {
            put = true;

            if (ig_keys_random(b, name) != IG_OK) {
                return IG_CTL_USAGE;
            }

            if (store) {
                ig_buf_lit(b, IG_KEYS_MARK);
            }

            ig_buf_char(b, '\n');
        }

        ig_keys_copy(b, line, store);
    }

    return IG_CTL_OK;
}


static void
ig_keys_tell_rotated(const ig_keys_file_t *f, const ig_keys_options_t *o,
    const char *id, const char *store)
{
    const char  *before = f->secret.key[0].id;

    if (o->given & IG_KEYS_JSON) {
        printf("{\"id\":\"%s\",\"before\":\"%s\",\"store\":\"%s\","
               "\"reload\":true}\n", id, before, store);
        return;
    }

    printf("%s is the current key of %s; %s stays readable.\n"
           "Now:\n"
           "  1. give every node that shares the log or the store this file;\n"
           "  2. give the application its verdict keys"
           " (integrityctl keys verdict),\n"
           "     before nginx signs with the new one;\n"
           "  3. reload nginx: until then it goes on with %s.\n",
           id, f->name, before, before);

    if (o->given & IG_KEYS_STORE) {
        printf("The store's names are made with %s too: after the reload all"
               " counters and lists\nbegin anew.\n", id);

    } else {
        printf("The store's names stay with %s: no counter is forgotten.\n",
               store);
    }
}


int
ig_keys_rotate(const ig_keys_options_t *o)
{
    int             rc;
    char            made[IG_KEY_ID + 1];
    bool            store;
    ig_buf_t        b;
    const char     *id;
    ig_keys_file_t  f;

    store = o->given & IG_KEYS_STORE;
    id = o->id;
    b.start = NULL;

    rc = ig_keys_open(&f, o->arg[0], true);

    if (rc == IG_CTL_OK && id == NULL) {
        ig_keys_name(&f, made);
        id = made;
    }

    if (rc == IG_CTL_OK) {
        rc = ig_keys_refuse_id(&f, id);
    }

    if (rc == IG_CTL_OK) {
        rc = ig_keys_room(&f, &b);
    }

    if (rc == IG_CTL_OK) {
        rc = ig_keys_put_first(&f, &b, id, store);

        if (rc == IG_CTL_OK) {
            rc = ig_keys_replace(&f, ig_buf_str(&b), !store, false);
        }

        ig_wipe(b.start, (size_t) (b.end - b.start));
    }

    if (rc == IG_CTL_OK) {
        ig_keys_tell_rotated(&f, o, id, store ? id
                             : f.secret.key[f.secret.nstore].id);
    }

    ig_keys_close(&f);

    return rc;
}


/* -- destroy ------------------------------------------------------------- */


static int
ig_keys_refuse_destroy(const ig_keys_file_t *f, const char *id)
{
    int  at;

    at = ig_keys_find(f, (ig_str_t) { strlen(id), id });

    if (at < 0) {
        (void) ig_ctl_error("\"%s\" has no key called \"%s\"; see"
                            " \"integrityctl keys show\"", f->name, id);
        return IG_CTL_FAILED;
    }

    if (at == 0) {
        (void) ig_ctl_error("%s is the current key, which nginx writes with;"
                            " \"keys rotate\" and reload first", id);
        return IG_CTL_FAILED;
    }

    if (at == (int) f->secret.nstore) {
        (void) ig_ctl_error("%s makes the store's names: without it all"
                            " counters and lists are lost; \"keys rotate"
                            " --store\" gives them to a new key first", id);
        return IG_CTL_FAILED;
    }

    return IG_CTL_OK;
}


/* A comment stays, so that the id is never given again. */
static void
ig_keys_leave_out(const ig_keys_file_t *f, ig_buf_t *b, const char *id)
{
    ig_str_t         rest, line, name = { strlen(id), id };
    struct timespec  now;

    (void) clock_gettime(CLOCK_REALTIME, &now);
    rest = f->text;

    while (ig_keys_next(&rest, &line)) {

        if (!ig_str_eq(ig_keys_line_id(line), name)) {
            ig_keys_copy(b, line, false);
            continue;
        }

        ig_buf_lit(b, "# ");
        ig_buf_str_add(b, name);
        ig_buf_lit(b, " destroyed ");
        ig_buf_time(b, (int64_t) now.tv_sec * 1000);
        ig_buf_char(b, '\n');
    }
}


static void
ig_keys_tell_destroyed(const ig_keys_file_t *f, const ig_keys_options_t *o)
{
    bool         yes;
    const char  *id = o->arg[1];

    yes = o->given & IG_KEYS_YES;

    if (o->given & IG_KEYS_JSON) {
        printf("{\"id\":\"%s\",\"destroyed\":%s,\"reload\":%s}\n", id,
               yes ? "true" : "false", yes ? "true" : "false");
        return;
    }

    printf(yes ? "%s is no more in %s.\n" : "%s would be taken out of %s.\n",
           id, f->name);

    printf("%s:\n"
           "  - whose the pseudonyms p:%s:... in audit logs are, nor what an"
           " account did\n    under them\n"
           "  - which text a fingerprint of that time is of\n"
           "  - whether a verdict signed with it is true, but where its verdict"
           " key was kept\n"
           "The log's lines and its chain stay as they are; counters and lists"
           " too.\n", yes ? "Nobody can tell any more" : "Nobody could tell"
           " any more", id);

    if (yes) {
        puts("It is gone once every copy is: other nodes, backups, snapshots,"
             " and the memory\nof nginx, which must be reloaded.");

    } else {
        puts("Nothing was changed: add --yes to do it.");
    }
}


int
ig_keys_destroy(const ig_keys_options_t *o)
{
    int             rc;
    ig_buf_t        b;
    ig_keys_file_t  f;

    rc = ig_keys_open(&f, o->arg[0], true);

    if (rc == IG_CTL_OK) {
        rc = ig_keys_refuse_destroy(&f, o->arg[1]);
    }

    if (rc == IG_CTL_OK && (o->given & IG_KEYS_YES)) {
        rc = ig_keys_room(&f, &b);

        if (rc == IG_CTL_OK) {
            ig_keys_leave_out(&f, &b, o->arg[1]);
            rc = ig_keys_replace(&f, ig_buf_str(&b), true, true);
            ig_wipe(b.start, (size_t) (b.end - b.start));
        }
    }

    if (rc == IG_CTL_OK) {
        ig_keys_tell_destroyed(&f, o);

        if (!(o->given & IG_KEYS_YES)) {
            rc = IG_CTL_FAILED;
        }
    }

    ig_keys_close(&f);

    return rc;
}
