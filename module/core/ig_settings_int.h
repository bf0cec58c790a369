/*
 * ig_settings_int.h: one reader for the parameters of all directives.
 * Owns nothing: strings point into the arguments.
 * Included by ig_settings*.c only.
 */

#ifndef IG_SETTINGS_INT_H
#define IG_SETTINGS_INT_H

#include "ig_settings.h"

/* One directive being read; args[0] is its name. */
typedef struct {
    const ig_str_t  *args;
    unsigned         n;
    ig_pos_t         pos;
    ig_error_t      *err;
} ig_reading_t;

/* What a parameter's value is, and what its target points to. */
typedef enum {
    IG_SETTING_DURATION = 0,    /* int64_t, ms; max applies */
    IG_SETTING_SIZE,            /* uint64_t, bytes, with k, m or g */
    IG_SETTING_NUMBER,          /* uint64_t */
    IG_SETTING_COUNT,           /* unsigned */
    IG_SETTING_TEXT,            /* ig_str_t, not empty */
    IG_SETTING_WORD             /* unsigned: index in word[] */
} ig_setting_kind_e;

typedef struct {
    ig_str_t            name;       /* with its "=" */
    ig_setting_kind_e   kind;
    void               *target;
    uint64_t            min;
    uint64_t            max;
    const char         *expected;   /* "a duration"; WORD: "on or off" */
    const ig_str_t     *word;
    unsigned            nwords;
} ig_setting_t;

/* "DIRECTIVE: TEXT"; returns IG_ERROR. */
int ig_reading_error(const ig_reading_t *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* A value which is a whole argument. */
int ig_reading_invalid(const ig_reading_t *r, ig_str_t value,
    const char *expected);

/* Checks the number of arguments against the table of directives. */
int ig_reading_start(ig_reading_t *r, const ig_str_t *args, unsigned n,
    ig_pos_t pos, ig_error_t *err);

/* All arguments from args[from] on, which are parameters of the table. */
int ig_reading_settings(const ig_reading_t *r, unsigned from,
    const ig_setting_t *table, unsigned nsettings);

/* Bytes with k, m or g; false: not a size, or past 64 bits. */
bool ig_parse_size(ig_str_t s, uint64_t *size);

/* Whether a '$' is in it, and whether each of them begins a variable. */
bool ig_has_variables(ig_str_t s);
bool ig_variables_valid(ig_str_t s);

#endif /* IG_SETTINGS_INT_H */
