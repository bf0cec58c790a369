/*
 * ig_ctl_keys_file.c: a secret file as `integrityctl keys` reads it, and puts
 * another in its place.
 * Owns: the file's text and keys, wiped; its lock; a temporary file while it
 * is written.
 * Called by ig_ctl_keys*.c.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "ig_ctl_keys.h"

#define IG_KEYS_TEMPLATE  ".XXXXXX"
#define IG_KEYS_ZEROS     4096


/* -- lines --------------------------------------------------------------- */


bool
ig_keys_next(ig_str_t *rest, ig_str_t *line)
{
    const char  *nl;

    if (rest->len == 0) {
        return false;
    }

    nl = memchr(rest->data, '\n', rest->len);

    line->data = rest->data;
    line->len = nl ? (size_t) (nl - rest->data) : rest->len;

    rest->data += line->len + (nl ? 1 : 0);
    rest->len -= line->len + (nl ? 1 : 0);

    return true;
}


/* What is before the first of `stops`, without blanks in front. */
static ig_str_t
ig_keys_word(ig_str_t *s, const char *stops)
{
    size_t    n;
    ig_str_t  word;

    while (s->len > 0 && (*s->data == ' ' || *s->data == '\t')) {
        s->data++;
        s->len--;
    }

    for (n = 0; n < s->len && strchr(stops, s->data[n]) == NULL; n++) {
        /* void */
    }

    word = (ig_str_t) { n, s->data };
    s->data += n;
    s->len -= n;

    return word;
}


ig_str_t
ig_keys_line_id(ig_str_t line)
{
    ig_str_t  id;

    id = ig_keys_word(&line, ":");

    return line.len > 0 && id.len > 0 && id.data[0] != '#'
           ? id : (ig_str_t) ig_string("");
}


ig_str_t
ig_keys_line_gone(ig_str_t line, ig_str_t *when)
{
    ig_str_t  id;

    *when = (ig_str_t) ig_string("");

    if (ig_str_eq(ig_keys_word(&line, " \t"), ig_str("#"))) {
        id = ig_keys_word(&line, " \t");

        if (ig_str_eq(ig_keys_word(&line, " \t"), ig_str("destroyed"))) {
            *when = ig_keys_word(&line, " \t\r");
        }

        /* words of a person's are no time */
        if (when->len == IG_KEYS_TIME && when->data[0] == '2') {
            return id;
        }
    }

    return (ig_str_t) ig_string("");
}


ig_str_t
ig_keys_gone(const ig_keys_file_t *f, ig_str_t id)
{
    ig_str_t  rest, line, when;

    rest = f->text;

    while (ig_keys_next(&rest, &line)) {
        if (ig_str_eq(ig_keys_line_gone(line, &when), id)) {
            return when;
        }
    }

    return (ig_str_t) ig_string("");
}


int
ig_keys_find(const ig_keys_file_t *f, ig_str_t id)
{
    unsigned  i;

    for (i = 0; i < f->secret.nkeys; i++) {
        if (f->secret.key[i].id_len == id.len
            && memcmp(f->secret.key[i].id, id.data, id.len) == 0)
        {
            return (int) i;
        }
    }

    return -1;
}


/* -- reading ------------------------------------------------------------- */


static int
ig_keys_read(ig_keys_file_t *f)
{
    char     *text;
    size_t    len;
    ssize_t   n;

    text = ig_alloc(&f->memory.mem, IG_KEYS_FILE + 1);
    if (text == NULL) {
        return ig_ctl_error("no memory");
    }

    f->text.data = text;

    for (len = 0; len <= IG_KEYS_FILE; len += (size_t) n) {
        n = read(f->fd, text + len, IG_KEYS_FILE + 1 - len);
        f->text.len = len;

        if (n < 0) {
            return ig_ctl_error("cannot read \"%s\": %s", f->name,
                                strerror(errno));
        }

        if (n == 0) {
            return IG_CTL_OK;
        }
    }

    f->text.len = len;

    return ig_ctl_error("\"%s\" is longer than %d bytes", f->name,
                        IG_KEYS_FILE);
}


/* Nobody else has it, and nobody put another in its place meanwhile. */
static int
ig_keys_lock(ig_keys_file_t *f)
{
    struct stat  now;

    f->path = realpath(f->name, NULL);

    if (f->path == NULL) {
        return ig_ctl_error("cannot open \"%s\": %s", f->name,
                            strerror(errno));
    }

    if (!S_ISREG(f->stat.st_mode)) {
        return ig_ctl_error("\"%s\" is no regular file", f->name);
    }

    if (flock(f->fd, LOCK_EX|LOCK_NB) != 0 || stat(f->path, &now) != 0
        || now.st_dev != f->stat.st_dev || now.st_ino != f->stat.st_ino)
    {
        return ig_ctl_error("\"%s\" is being changed by somebody else; nothing"
                            " was done", f->name);
    }

    return IG_CTL_OK;
}


int
ig_keys_open(ig_keys_file_t *f, const char *name, bool change)
{
    int         rc;
    ig_error_t  err;

    memset(f, 0, sizeof(*f));
    ig_ctl_memory_init(&f->memory);
    f->name = name;

    f->fd = open(name, O_RDONLY|O_CLOEXEC);

    if (f->fd < 0 || fstat(f->fd, &f->stat) != 0) {
        return ig_ctl_error("cannot open \"%s\": %s", name, strerror(errno));
    }

    rc = change ? ig_keys_lock(f) : IG_CTL_OK;

    if (rc == IG_CTL_OK) {
        rc = ig_keys_read(f);
    }

    if (rc != IG_CTL_OK) {
        return rc;
    }

    if (ig_secret_parse(f->text, &f->secret, &err) != IG_OK) {
        (void) ig_ctl_error("\"%s\": %s", name, err.text);
        return IG_CTL_FAILED;
    }

    return IG_CTL_OK;
}


void
ig_keys_close(ig_keys_file_t *f)
{
    if (f->text.data != NULL) {
        ig_wipe((char *) (uintptr_t) f->text.data, IG_KEYS_FILE + 1);
    }

    ig_wipe(&f->secret, sizeof(f->secret));
    ig_ctl_memory_free(&f->memory);
    free(f->path);

    if (f->fd >= 0) {
        (void) close(f->fd);
    }
}


/* -- writing ------------------------------------------------------------- */


/* Best effort: what the folder says is on the disk too. */
static void
ig_keys_sync_folder(const char *path)
{
    int    fd;
    char  *folder, *slash;

    folder = strdup(path);
    if (folder == NULL) {
        return;
    }

    slash = strrchr(folder, '/');
    slash[slash == folder] = '\0';

    fd = open(folder, O_RDONLY|O_DIRECTORY|O_CLOEXEC);

    if (fd >= 0) {
        (void) fsync(fd);
        (void) close(fd);
    }

    free(folder);
}


/*
 * Best effort: a disk that writes elsewhere (an SSD, a file system that
 * copies on write) keeps the old bytes, and so do snapshots and backups.
 */
static void
ig_keys_erase(int fd)
{
    off_t        at;
    ssize_t      n;
    struct stat  st;

    static const char  zeros[IG_KEYS_ZEROS];

    /* another name of the same file is not ours to erase */
    if (fstat(fd, &st) != 0 || st.st_nlink != 0) {
        return;
    }

    for (at = 0; at < st.st_size; at += n) {
        n = pwrite(fd, zeros, sizeof(zeros), at);

        if (n <= 0) {
            return;
        }
    }

    (void) fsync(fd);
}


/* Owner first: it takes mode bits away. */
static bool
ig_keys_fill(const ig_keys_file_t *f, int fd, ig_str_t text)
{
    ssize_t  n;

    if (fchown(fd, f->stat.st_uid, f->stat.st_gid) != 0
        || fchmod(fd, f->stat.st_mode & 07777) != 0)
    {
        return false;
    }

    while (text.len > 0) {
        n = write(fd, text.data, text.len);

        if (n < 0) {
            return false;
        }

        text.data += n;
        text.len -= (size_t) n;
    }

    return fsync(fd) == 0;
}


static int
ig_keys_swap(const ig_keys_file_t *f, char *temp, ig_str_t text)
{
    int   fd, err;
    bool  done;

    fd = mkstemp(temp);

    if (fd < 0) {
        return ig_ctl_error("cannot create a file beside \"%s\": %s",
                            f->path, strerror(errno));
    }

    done = ig_keys_fill(f, fd, text);
    err = errno;

    if (close(fd) != 0 && done) {
        done = false;
        err = errno;
    }

    if (done && rename(temp, f->path) != 0) {
        done = false;
        err = errno;
    }

    if (!done) {
        (void) unlink(temp);
        return ig_ctl_error("cannot replace \"%s\": %s; it is as it was",
                            f->path, strerror(err));
    }

    ig_keys_sync_folder(f->path);

    return IG_CTL_OK;
}


/* A mistake of ours must not cost a key. */
static bool
ig_keys_sound(const ig_keys_file_t *f, ig_str_t text, bool store)
{
    bool         sound;
    ig_error_t   err;
    ig_secret_t  secret;

    sound = ig_secret_parse(text, &secret, &err) == IG_OK
            && (!store || memcmp(&secret.store, &f->secret.store,
                                 sizeof(secret.store)) == 0);

    ig_wipe(&secret, sizeof(secret));

    return sound;
}


int
ig_keys_replace(ig_keys_file_t *f, ig_str_t text, bool store, bool erase)
{
    int        rc, old;
    char      *temp;
    size_t     len;
    sigset_t   all, before;

    if (text.len > IG_KEYS_FILE || !ig_keys_sound(f, text, store)) {
        return ig_ctl_error("\"%s\" cannot be changed so; it is as it was",
                            f->name);
    }

    len = strlen(f->path);
    temp = ig_alloc(&f->memory.mem, len + sizeof(IG_KEYS_TEMPLATE));
    if (temp == NULL) {
        return ig_ctl_error("no memory");
    }

    memcpy(temp, f->path, len);
    memcpy(temp + len, IG_KEYS_TEMPLATE, sizeof(IG_KEYS_TEMPLATE));

    old = erase ? open(f->path, O_WRONLY|O_CLOEXEC) : -1;

    /* an interruption must not leave a second file of keys behind */

    (void) sigfillset(&all);
    (void) sigprocmask(SIG_BLOCK, &all, &before);

    rc = ig_keys_swap(f, temp, text);

    if (old >= 0) {
        if (rc == IG_CTL_OK) {
            ig_keys_erase(old);
        }

        (void) close(old);
    }

    (void) sigprocmask(SIG_SETMASK, &before, NULL);

    return rc;
}
