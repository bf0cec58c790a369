/*
 * ig_core.c: strings, errors and the allocator's two front doors.
 * Owns nothing; borrows the allocator of its caller.
 * Called by everyone.
 */

#include "ig_core.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>


/* An error is one line of a log, whatever bytes it quotes. */
static void
ig_error_one_line(char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char) *text < 0x20 || *text == 0x7f) {
            *text = ' ';
        }
    }
}


/* Marks a cut text; does not leave half a UTF-8 character before the mark. */
static void
ig_error_cut(char text[IG_ERROR_SIZE])
{
    size_t  n;

    n = IG_ERROR_SIZE - sizeof("...");

    while (n > 0 && ((unsigned char) text[n] & 0xc0) == 0x80) {
        n--;
    }

    memcpy(text + n, "...", sizeof("..."));
}


int
ig_error(ig_error_t *err, ig_pos_t pos, const char *fmt, ...)
{
    int      n;
    va_list  args;

    va_start(args, fmt);
    n = vsnprintf(err->text, IG_ERROR_SIZE, fmt, args);
    va_end(args);

    if (n < 0) {
        err->text[0] = '\0';

    } else if (n >= IG_ERROR_SIZE) {
        ig_error_cut(err->text);
    }

    ig_error_one_line(err->text);
    err->pos = pos;

    return IG_ERROR;
}


void *
ig_alloc(ig_mem_t *mem, size_t size)
{
    /* a size of 0 is not an error, NULL means "no memory" and only that */
    return mem->alloc(mem->ctx, size != 0 ? size : 1);
}


int
ig_str_dup(ig_mem_t *mem, ig_str_t src, ig_str_t *dst)
{
    char  *p;

    /* the terminator is not counted: it is there for calls that want one */
    p = ig_alloc(mem, src.len + 1);
    if (p == NULL) {
        return IG_NOMEM;
    }

    if (src.len != 0) {
        memcpy(p, src.data, src.len);
    }

    p[src.len] = '\0';

    dst->len = src.len;
    dst->data = p;

    return IG_OK;
}


bool
ig_str_eq(ig_str_t a, ig_str_t b)
{
    return a.len == b.len
           && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}
