/*
 * ig_settings_case.h: a directive's line as its reader gets it, and the
 * errors it must give.
 * Owns: the words of one line at a time.
 * Called by the tests of settings.
 */

#ifndef IG_SETTINGS_CASE_H
#define IG_SETTINGS_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ig_settings.h"

typedef int (*ig_settings_pt)(const ig_str_t *args, unsigned n, ig_pos_t pos,
    void *settings, ig_error_t *err);

/* So that one table serves readers of different structures. */
#define ig_settings_case_reader(name, reader, type)                           \
    static int                                                                \
    name(const ig_str_t *args, unsigned n, ig_pos_t pos, void *settings,      \
        ig_error_t *err)                                                      \
    {                                                                         \
        return reader(args, n, pos, (type *) settings, err);                  \
    }

/*
 * Reads a line: words apart by one blank; '' is an empty word.  The words
 * stay until the next line.
 */
int ig_settings_case_read(ig_settings_pt reader, const char *line,
    void *settings, ig_error_t *err);

/* A line that must be accepted. */
void ig_settings_case_accept(ig_settings_pt reader, const char *line,
    void *settings);

typedef struct {
    const char  *line;
    const char  *error;         /* after "DIRECTIVE: " */
} ig_settings_refusal_t;

void ig_settings_case_refuse(ig_settings_pt reader,
    const ig_settings_refusal_t *refusal, size_t n);

void ig_settings_case_is(ig_str_t s, const char *expected);

#endif /* IG_SETTINGS_CASE_H */
