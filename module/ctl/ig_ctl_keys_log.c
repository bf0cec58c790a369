/*
 * ig_ctl_keys_log.c: which keys made the pseudonyms in audit logs.
 * Owns: a log while it is read.  Called by ig_ctl_keys_show.c.
 */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "ig_ctl_keys.h"

#define IG_KEYS_BLOCK   (256 * 1024)
#define IG_KEYS_LONGEST (16 * 1024)     /* twice what a line may have */
#define IG_KEYS_MAC     22              /* characters of a pseudonym's hash */

/* As every audit line begins. */
#define IG_KEYS_HEAD    "{\"v\":1,\"kind\":\""


const ig_keys_seen_t *
ig_keys_log_find(const ig_keys_log_t *log, ig_str_t id)
{
    unsigned  i;

    for (i = 0; i < log->nseen; i++) {
        if (strlen(log->seen[i].id) == id.len
            && memcmp(log->seen[i].id, id.data, id.len) == 0)
        {
            return &log->seen[i];
        }
    }

    return NULL;
}


static void
ig_keys_log_add(ig_keys_log_t *log, ig_str_t id, ig_str_t time)
{
    ig_keys_seen_t  *seen;

    seen = (ig_keys_seen_t *) (uintptr_t) ig_keys_log_find(log, id);

    if (seen == NULL && log->nseen == IG_KEYS_SEEN) {
        log->more = true;
        return;
    }

    if (seen == NULL) {
        seen = &log->seen[log->nseen++];
        memcpy(seen->id, id.data, id.len);
        memcpy(seen->first, time.data, time.len);
        memcpy(seen->last, time.data, time.len);
    }

    seen->lines++;

    /* such times sort as they are written */

    if (memcmp(time.data, seen->first, IG_KEYS_TIME) < 0) {
        memcpy(seen->first, time.data, time.len);
    }

    if (memcmp(time.data, seen->last, IG_KEYS_TIME) > 0) {
        memcpy(seen->last, time.data, time.len);
    }
}


static bool
ig_keys_is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
           || (c >= '0' && c <= '9') || c == '_' || c == '-';
}


/* s is what follows "p:; the id of a whole pseudonym, or empty. */
static ig_str_t
ig_keys_pseudonym(const char *s)
{
    size_t  id, mac;

    for (id = 0; id <= IG_KEY_ID && ig_keys_is_word(s[id]); id++) { /* void */ }

    if (id == 0 || id > IG_KEY_ID || s[id] != ':') {
        return (ig_str_t) ig_string("");
    }

    for (mac = 0; mac <= IG_KEYS_MAC && ig_keys_is_word(s[id + 1 + mac]);
         mac++)
    {
        /* void */
    }

    return mac == IG_KEYS_MAC && s[id + 1 + mac] == '"'
           ? (ig_str_t) { id, s } : (ig_str_t) ig_string("");
}


/* A line counts once for an id, however often it is there. */
static void
ig_keys_log_line(ig_keys_log_t *log, const char *line)
{
    size_t       i, n;
    ig_str_t     id, time, had[IG_MAX_KEYS];
    const char  *p;

    p = strstr(line, ",\"time\":\"");

    if (strncmp(line, IG_KEYS_HEAD, sizeof(IG_KEYS_HEAD) - 1) != 0
        || p == NULL)
    {
        log->other++;
        return;
    }

    log->lines++;
    n = 0;

    time.data = p + sizeof(",\"time\":\"") - 1;
    time.len = strcspn(time.data, "\"");

    if (time.len != IG_KEYS_TIME) {
        return;
    }

    for (p = strstr(line, "\"p:"); p != NULL; p = strstr(p + 1, "\"p:")) {
        id = ig_keys_pseudonym(p + 3);

        /* "p: after a backslash is within a string */
        if (id.len == 0 || p[-1] == '\\') {
            continue;
        }

        for (i = 0; i < n && !ig_str_eq(had[i], id); i++) { /* void */ }

        if (i == n && n < IG_MAX_KEYS) {
            had[n++] = id;
            ig_keys_log_add(log, id, time);
        }
    }
}


static void
ig_keys_log_lines(ig_keys_log_t *log, gzFile gz)
{
    char    line[IG_KEYS_LONGEST];
    bool    begun, whole;
    size_t  len;

    begun = true;

    while (gzgets(gz, line, sizeof(line)) != NULL) {
        len = strlen(line);
        whole = len > 0 && line[len - 1] == '\n';

        if (begun) {
            ig_keys_log_line(log, line);
        }

        /* what is left of a line that is too long is no line */
        begun = whole || len + 1 < sizeof(line);
    }
}


int
ig_keys_log_read(ig_keys_log_t *log, const char *path)
{
    int          fd, code;
    gzFile       gz;
    const char  *why;

    fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO)
                                : open(path, O_RDONLY|O_CLOEXEC);

    if (fd < 0) {
        return ig_ctl_error("cannot open \"%s\": %s", path, strerror(errno));
    }

    gz = gzdopen(fd, "rb");

    if (gz == NULL) {
        (void) close(fd);
        return ig_ctl_error("no memory");
    }

    (void) gzbuffer(gz, IG_KEYS_BLOCK);
    ig_keys_log_lines(log, gz);

    why = gzerror(gz, &code);

    if (code != Z_OK && code != Z_STREAM_END) {
        (void) ig_ctl_error("\"%s\" cannot be read to its end: %s", path,
                            code == Z_ERRNO ? strerror(errno)
                            : code == Z_BUF_ERROR
                              ? "it ends within compressed data" : why);
        (void) gzclose(gz);
        return IG_CTL_USAGE;
    }

    (void) gzclose(gz);

    return IG_CTL_OK;
}
