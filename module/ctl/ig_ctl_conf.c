/*
 * ig_ctl_conf.c: nginx's configuration files as one list of directives.
 * Owns: texts and directives, in the caller's memory.
 * Called by `integrityctl check`.
 */

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ig_ctl_conf.h"

#define IG_CONF_FILE_MAX   (64 * 1024 * 1024)
#define IG_CONF_FIRST      (64 * 1024 + 1)      /* what is read at once */
#define IG_CONF_NESTED     32                   /* includes in includes */


/* Lives while the main file and all it includes are read. */
typedef struct {
    ig_mem_t              *mem;
    ig_conf_t             *conf;
    ig_conf_directive_t  **last;
    ig_error_t            *err;
    unsigned               nested;
} ig_conf_reader_t;

/* One file of it: the arguments so far, and where blocks begin and end. */
typedef struct {
    ig_conf_file_t              file;
    ig_str_t                   *arg;
    unsigned                    nargs;
    unsigned                    room;
    const ig_conf_directive_t  *base;   /* the include stands in it */
    const ig_conf_directive_t  *parent;
} ig_conf_level_t;


static int ig_conf_read_file(ig_conf_reader_t *r, const char *path,
    ig_pos_t pos, const ig_conf_directive_t *parent);


/* -- files --------------------------------------------------------------- */


static int
ig_conf_read_fd(ig_mem_t *mem, int fd, size_t max, ig_str_t *text)
{
    char     *data, *more;
    size_t    room, len;
    ssize_t   n;

    room = max < IG_CONF_FIRST ? max + 1 : IG_CONF_FIRST;
    len = 0;

    data = ig_alloc(mem, room);
    if (data == NULL) {
        return IG_NOMEM;
    }

    while ((n = read(fd, data + len, room - len)) > 0) {

        len += (size_t) n;

        if (len > max) {
            errno = EFBIG;
            return IG_ERROR;
        }

        if (len == room) {
            more = ig_alloc(mem, 2 * room);
            if (more == NULL) {
                return IG_NOMEM;
            }

            memcpy(more, data, len);
            data = more;
            room *= 2;
        }
    }

    text->data = data;
    text->len = len;

    return n == 0 ? IG_OK : IG_ERROR;
}


int
ig_conf_load(ig_mem_t *mem, const char *path, size_t max, ig_str_t *text,
    ig_pos_t pos, ig_error_t *err)
{
    int  fd, rc;

    fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd == -1) {
        return ig_error(err, pos, "cannot open \"%s\": %s", path,
                        strerror(errno));
    }

    rc = ig_conf_read_fd(mem, fd, max, text);

    if (rc == IG_ERROR) {
        (void) ig_error(err, pos, "cannot read \"%s\": %s", path,
                        strerror(errno));
    }

    (void) close(fd);

    return rc;
}


const char *
ig_conf_path(ig_mem_t *mem, const ig_conf_t *conf, ig_str_t name)
{
    char    *path;
    size_t   n;

    n = (name.len && name.data[0] == '/') ? 0 : conf->folder.len;

    path = ig_alloc(mem, n + name.len + 1);
    if (path == NULL) {
        return NULL;
    }

    if (n) {
        memcpy(path, conf->folder.data, n);
    }

    if (name.len) {
        memcpy(path + n, name.data, name.len);
    }

    return path;
}


/* -- includes ------------------------------------------------------------ */


static int
ig_conf_glob(ig_conf_reader_t *r, const char *pattern, ig_pos_t pos,
    const ig_conf_directive_t *parent)
{
    int     rc;
    size_t  i;
    char   *path;
    glob_t  found;

    rc = glob(pattern, 0, NULL, &found);

    if (rc == GLOB_NOMATCH) {
        return IG_OK;
    }

    if (rc != 0) {
        return ig_error(r->err, pos, "include: cannot look for \"%s\"",
                        pattern);
    }

    for (i = 0, rc = IG_OK; i < found.gl_pathc && rc == IG_OK; i++) {

        /* positions keep the name */

        path = ig_alloc(r->mem, strlen(found.gl_pathv[i]) + 1);
        if (path == NULL) {
            rc = IG_NOMEM;
            break;
        }

        strcpy(path, found.gl_pathv[i]);
        rc = ig_conf_read_file(r, path, pos, parent);
    }

    globfree(&found);

    return rc;
}


static int
ig_conf_include(ig_conf_reader_t *r, const ig_conf_directive_t *d)
{
    int          rc;
    const char  *path;

    if (d->nargs != 2) {
        return ig_error(r->err, d->pos, "include: takes one file or pattern");
    }

    if (r->nested == IG_CONF_NESTED) {
        return ig_error(r->err, d->pos, "include: \"%.*s\" is nested in more "
                        "than %d others", ig_fmt(d->arg[1]), IG_CONF_NESTED);
    }

    path = ig_conf_path(r->mem, r->conf, d->arg[1]);
    if (path == NULL) {
        return IG_NOMEM;
    }

    r->nested++;

    rc = strpbrk(path, "*?[") ? ig_conf_glob(r, path, d->pos, d->parent)
                              : ig_conf_read_file(r, path, d->pos, d->parent);

    r->nested--;

    return rc;
}


/* -- directives ---------------------------------------------------------- */


bool
ig_conf_is(const ig_conf_directive_t *d, const char *name)
{
    return d->arg[0].len == strlen(name)
           && memcmp(d->arg[0].data, name, d->arg[0].len) == 0;
}


/* Whether what is between the braces is directives, of nginx's own at least. */
static bool
ig_conf_is_open(const ig_conf_directive_t *d)
{
    size_t              i;
    static const char  *const name[] = {
        "http", "server", "location", "if", "limit_except", "upstream",
        "events", "stream", "mail"
    };

    for (i = 0; i < ig_countof(name); i++) {
        if (ig_conf_is(d, name[i])) {
            return true;
        }
    }

    return false;
}


static int
ig_conf_add_arg(ig_mem_t *mem, ig_conf_level_t *level, ig_str_t arg)
{
    ig_str_t  *more;

    if (level->nargs == level->room) {

        more = ig_alloc(mem, (2 * level->room + 8) * sizeof(ig_str_t));
        if (more == NULL) {
            return IG_NOMEM;
        }

        if (level->nargs) {
            memcpy(more, level->arg, level->nargs * sizeof(ig_str_t));
        }

        level->arg = more;
        level->room = 2 * level->room + 8;
    }

    level->arg[level->nargs++] = arg;

    return IG_OK;
}


static ig_conf_directive_t *
ig_conf_add(ig_conf_reader_t *r, ig_conf_level_t *level, bool block)
{
    ig_conf_directive_t  *d;

    d = ig_alloc(r->mem, sizeof(ig_conf_directive_t));
    if (d == NULL) {
        return NULL;
    }

    d->arg = level->arg;
    d->nargs = level->nargs;
    d->pos = level->file.pos;
    d->block = block;
    d->parent = level->parent;

    level->arg = NULL;
    level->nargs = 0;
    level->room = 0;

    *r->last = d;
    r->last = &d->next;

    return d;
}


/* What may not follow the arguments so far. */
static int
ig_conf_unexpected(ig_conf_level_t *level, ig_conf_token_e kind)
{
    static const char  mark[] = {
        [IG_CONF_SEMICOLON] = ';', [IG_CONF_OPEN] = '{', [IG_CONF_CLOSE] = '}'
    };

    if (kind == IG_CONF_EOF) {
        return ig_error(level->file.err, level->file.pos, "unexpected end of "
                        "file, expecting %s",
                        level->nargs ? "\";\" or \"}\"" : "\"}\"");
    }

    return ig_error(level->file.err, level->file.pos, "unexpected \"%c\"",
                    mark[kind]);
}


/* Goes over the content of a block, up to its "}". */
static int
ig_conf_skip(ig_conf_level_t *level)
{
    bool             fits;
    unsigned         depth;
    ig_str_t         arg;
    ig_conf_token_e  kind;

    for (depth = 1; depth > 0; ) {

        if (ig_conf_token(&level->file, &kind, &arg) != IG_OK) {
            return IG_ERROR;
        }

        if (kind == IG_CONF_ARG) {
            level->nargs++;
            continue;
        }

        fits = kind == IG_CONF_CLOSE ? level->nargs == 0
               : kind != IG_CONF_EOF && level->nargs != 0;

        if (!fits) {
            return ig_conf_unexpected(level, kind);
        }

        level->nargs = 0;

        depth += (kind == IG_CONF_OPEN);
        depth -= (kind == IG_CONF_CLOSE);
    }

    return IG_OK;
}


static int
ig_conf_open(ig_conf_reader_t *r, ig_conf_level_t *level)
{
    ig_conf_directive_t  *d;

    d = ig_conf_add(r, level, true);
    if (d == NULL) {
        return IG_NOMEM;
    }

    if (!ig_conf_is_open(d)) {
        return ig_conf_skip(level);
    }

    level->parent = d;
    return IG_OK;
}


static int
ig_conf_semicolon(ig_conf_reader_t *r, ig_conf_level_t *level)
{
    ig_conf_directive_t  *d;

    d = ig_conf_add(r, level, false);
    if (d == NULL) {
        return IG_NOMEM;
    }

    return ig_conf_is(d, "include") ? ig_conf_include(r, d) : IG_OK;
}


/* One token of a file; IG_AGAIN: there are more. */
static int
ig_conf_next(ig_conf_reader_t *r, ig_conf_level_t *level)
{
    int               rc;
    bool              fits;
    ig_str_t          arg;
    ig_conf_token_e   kind;

    if (ig_conf_token(&level->file, &kind, &arg) != IG_OK) {
        return IG_ERROR;
    }

    switch (kind) {

    case IG_CONF_ARG:
        rc = ig_conf_add_arg(r->mem, level, arg);
        return rc == IG_OK ? IG_AGAIN : rc;

    case IG_CONF_SEMICOLON:
    case IG_CONF_OPEN:
        fits = (level->nargs != 0);
        break;

    case IG_CONF_CLOSE:
        fits = (level->nargs == 0 && level->parent != level->base);
        break;

    default: /* IG_CONF_EOF */
        fits = (level->nargs == 0 && level->parent == level->base);
    }

    if (!fits) {
        return ig_conf_unexpected(level, kind);
    }

    if (kind == IG_CONF_EOF) {
        return IG_OK;
    }

    if (kind == IG_CONF_CLOSE) {
        level->parent = level->parent->parent;
        return IG_AGAIN;
    }

    rc = kind == IG_CONF_OPEN ? ig_conf_open(r, level)
                              : ig_conf_semicolon(r, level);

    return rc == IG_OK ? IG_AGAIN : rc;
}


/* pos is where the include stands. */
static int
ig_conf_read_file(ig_conf_reader_t *r, const char *path, ig_pos_t pos,
    const ig_conf_directive_t *parent)
{
    int              rc;
    ig_str_t         text;
    ig_conf_level_t  level;

    memset(&level, 0, sizeof(level));

    rc = ig_conf_load(r->mem, path, IG_CONF_FILE_MAX, &text, pos, r->err);
    if (rc != IG_OK) {
        return rc;
    }

    level.base = parent;
    level.parent = parent;

    /* the text is this reader's own, see ig_conf_read_fd */

    level.file.at = (char *) text.data;
    level.file.end = level.file.at + text.len;
    level.file.pos.file = path;
    level.file.pos.line = 1;
    level.file.err = r->err;

    do {
        rc = ig_conf_next(r, &level);
    } while (rc == IG_AGAIN);

    return rc;
}


int
ig_conf_read(ig_mem_t *mem, const char *path, ig_conf_t *conf,
    ig_error_t *err)
{
    const char        *slash;
    ig_pos_t           none = { NULL, 0 };
    ig_conf_reader_t   r;

    r.mem = mem;
    r.conf = conf;
    r.last = &conf->first;
    r.err = err;
    r.nested = 0;

    slash = strrchr(path, '/');

    conf->first = NULL;
    conf->folder.data = path;
    conf->folder.len = slash ? (size_t) (slash + 1 - path) : 0;

    return ig_conf_read_file(&r, path, none, NULL);
}
