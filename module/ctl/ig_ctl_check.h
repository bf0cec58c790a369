/*
 * ig_ctl_check.h: what the files of `integrityctl check` share.
 * Owns nothing.  Included by ig_ctl_check*.c alone.
 */

#ifndef IG_CTL_CHECK_H
#define IG_CTL_CHECK_H

#include "ig_ctl.h"
#include "ig_ctl_conf.h"
#include "ig_policy.h"

/* One mistake, or a warning. */
typedef struct ig_check_finding_s  ig_check_finding_t;

struct ig_check_finding_s {
    unsigned             place;         /* of its directive in the list */
    unsigned             order;
    bool                 warning;
    ig_error_t           err;
    ig_check_finding_t  *next;
};

/* Lives while one configuration is checked. */
typedef struct {
    ig_mem_t                   *mem;
    ig_conf_t                   conf;
    ig_policy_t                *policy;
    bool                        fragment;   /* without http { }: inside it */
    bool                        policy_wrong;
    bool                        zone;
    bool                        secret;
    const ig_conf_directive_t  *used;       /* the first that needs a zone */

    const ig_str_t             *field;      /* fields to have besides those */
    unsigned                    nfields;    /* of the file: NAME or NAME:text */

    ig_check_finding_t         *finding;    /* latest first */
    unsigned                    nfindings;
    unsigned                    nmistakes;
    bool                        nomem;
} ig_check_t;

/*
 * Reads the configuration, finishes its policy and tells on stderr all that
 * is wrong, as `check` does; c is zero but for mem and field.  IG_CTL_OK: the
 * policy may be used.
 */
int ig_check_file(ig_check_t *c, const char *path);

/* -- findings (ig_ctl_check.c) ------------------------------------------- */

void ig_check_add(ig_check_t *c, const ig_error_t *err, bool warning);

/* "DIRECTIVE: ..." about d. */
void ig_check_mistake(ig_check_t *c, const ig_conf_directive_t *d,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void ig_check_warning(ig_check_t *c, const ig_conf_directive_t *d,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* -- one directive (ig_ctl_check_line.c) --------------------------------- */

/* Its context, arguments, repetition; policy lines go into the policy. */
void ig_check_line(ig_check_t *c, const ig_conf_directive_t *d);

/* IG_CTX_... of where d stands, or 0. */
unsigned ig_check_context(const ig_check_t *c, const ig_conf_directive_t *d);

/* -- places, when the policy is finished (ig_ctl_check_place.c) ---------- */

void ig_check_places(ig_check_t *c);

/* The secret's file, where it is there and may be read. */
void ig_check_secret(ig_check_t *c, const ig_conf_directive_t *d);

#endif /* IG_CTL_CHECK_H */
