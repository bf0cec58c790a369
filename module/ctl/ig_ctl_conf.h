/*
 * ig_ctl_conf.h: nginx's configuration as a list of directives: tokens, quotes
 * and escapes, comments, blocks, includes; each with its file and line.
 * Owns nothing: everything is in the caller's memory.
 * Included by module/ctl alone.
 */

#ifndef IG_CTL_CONF_H
#define IG_CTL_CONF_H

#include "ig_core.h"

/* -- tokens (ig_ctl_token.c) --------------------------------------------- */

typedef enum {
    IG_CONF_ARG = 0,
    IG_CONF_SEMICOLON,
    IG_CONF_OPEN,               /* { */
    IG_CONF_CLOSE,              /* } */
    IG_CONF_EOF
} ig_conf_token_e;

/* One file while it is read.  Arguments are unescaped where they stand. */
typedef struct {
    char        *at;
    char        *end;
    ig_pos_t     pos;           /* of the next byte */
    ig_error_t  *err;
} ig_conf_file_t;

/*
 * The next token, as nginx reads it; arg points into the file's text.
 * IG_OK, or IG_ERROR for a quote without its end, a parameter of 4096 bytes
 * or more, and a closing quote with something behind it.
 */
int ig_conf_token(ig_conf_file_t *file, ig_conf_token_e *kind, ig_str_t *arg);

/* -- directives (ig_ctl_conf.c) ------------------------------------------ */

typedef struct ig_conf_directive_s  ig_conf_directive_t;

struct ig_conf_directive_s {
    ig_str_t                   *arg;        /* arg[0] is the name */
    unsigned                    nargs;
    ig_pos_t                    pos;        /* of its end, as in nginx */
    bool                        block;      /* has braces */
    const ig_conf_directive_t  *parent;     /* NULL: outside of all blocks */
    ig_conf_directive_t        *next;
};

typedef struct {
    ig_conf_directive_t  *first;            /* in order of reading */
    ig_str_t              folder;           /* of the main file, with "/" */
} ig_conf_t;

/*
 * Reads a file and what it includes.  Relative names are relative to the main
 * file's folder.  What is in blocks whose content is no directives (map, geo,
 * types, ...) is left out.  IG_OK; IG_ERROR where nginx would stop too, with
 * a position without a file where the main file cannot be read; IG_NOMEM.
 */
int ig_conf_read(ig_mem_t *mem, const char *path, ig_conf_t *conf,
    ig_error_t *err);

/* Reads a whole regular file; the error says why not.  As above. */
int ig_conf_load(ig_mem_t *mem, const char *path, size_t max, ig_str_t *text,
    ig_pos_t pos, ig_error_t *err);

/* name, below conf->folder unless it begins with "/"; terminated.  NULL. */
const char *ig_conf_path(ig_mem_t *mem, const ig_conf_t *conf, ig_str_t name);

bool ig_conf_is(const ig_conf_directive_t *d, const char *name);

#endif /* IG_CTL_CONF_H */
