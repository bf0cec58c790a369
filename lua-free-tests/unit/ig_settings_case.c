/*
 * ig_settings_case.c: lines of directives for the tests of settings.
 * Owns: the words of one line at a time.
 * Called by the tests of settings.
 */

#include "ig_settings_case.h"

#include <stdio.h>
#include <string.h>


static char      words[1024];
static ig_str_t  args[64];


static unsigned
split(const char *line)
{
    char      *p, *blank;
    unsigned   n;

    assert_true(strlen(line) < sizeof(words));
    strcpy(words, line);
    memset(args, 0, sizeof(args));

    for (n = 0, p = words; p != NULL; p = blank) {
        assert_true(n < ig_countof(args));

        blank = strchr(p, ' ');

        if (blank != NULL) {
            *blank++ = '\0';
        }

        /* the words touch nothing that is terminated: lengths must be kept */
        args[n].data = p;
        args[n].len = strcmp(p, "''") == 0 ? 0 : strlen(p);
        n++;
    }

    for (p = words; p < words + strlen(line); p++) {
        if (*p == '\0') {
            *p = '\xff';
        }
    }

    return n;
}


int
ig_settings_case_read(ig_settings_pt reader, const char *line, void *settings,
    ig_error_t *err)
{
    unsigned  n;
    ig_pos_t  pos = { "test.conf", 5 };

    n = split(line);

    return reader(args, n, pos, settings, err);
}


void
ig_settings_case_accept(ig_settings_pt reader, const char *line,
    void *settings)
{
    ig_error_t  err;

    err.text[0] = '\0';

    if (ig_settings_case_read(reader, line, settings, &err) != IG_OK) {
        fail_msg("%s: %s", line, err.text);
    }
}


void
ig_settings_case_refuse(ig_settings_pt reader,
    const ig_settings_refusal_t *refusal, size_t n)
{
    char        error[IG_ERROR_SIZE];
    uint64_t    settings[64];
    ig_error_t  err;

    for (; n > 0; n--, refusal++) {

        if (ig_settings_case_read(reader, refusal->line, settings, &err)
            != IG_ERROR)
        {
            fail_msg("%s is accepted", refusal->line);
        }

        (void) snprintf(error, sizeof(error), "%.*s: %s", ig_fmt(args[0]),
                        refusal->error);

        if (strcmp(err.text, error) != 0) {
            fail_msg("%s\ninstead of\n%s", err.text, error);
        }

        assert_string_equal(err.pos.file, "test.conf");
        assert_int_equal(err.pos.line, 5);
    }
}


void
ig_settings_case_is(ig_str_t s, const char *expected)
{
    if (s.len != strlen(expected) || memcmp(s.data, expected, s.len) != 0) {
        fail_msg("\"%.*s\" instead of \"%s\"", ig_fmt(s), expected);
    }
}
