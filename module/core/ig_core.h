/*
 * ig_core.h: the vocabulary every other file of the core is written in.
 * Owns: strings, status codes, positions, errors, the allocator interface.
 * Borrows nothing.  Called by everyone.
 */

#ifndef IG_CORE_H
#define IG_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A byte string, not terminated; same shape as nginx's ngx_str_t. */
typedef struct {
    size_t       len;
    const char  *data;
} ig_str_t;

#define ig_string(lit)  { sizeof(lit) - 1, lit }
#define ig_str(lit)     ((ig_str_t) { sizeof(lit) - 1, lit })

#define ig_countof(a)   (sizeof(a) / sizeof((a)[0]))

/* Return codes of every fallible function; details are in an ig_error_t. */
enum {
    IG_OK = 0,
    IG_ERROR = -1,       /* the input is wrong; the error names it */
    IG_NOMEM = -2,       /* the allocator gave nothing */
    IG_AGAIN = -3        /* the answer comes later */
};

/* Where a definition stands; file is NULL where there is none. */
typedef struct {
    const char  *file;
    unsigned     line;
} ig_pos_t;

#define IG_ERROR_SIZE  512

/*
 * One error for a human: a full sentence without a trailing newline, and the
 * position of the definition it is about (file NULL: the caller's own).
 */
typedef struct {
    char      text[IG_ERROR_SIZE];
    ig_pos_t  pos;
} ig_error_t;

/* Formats into err->text (cut, never overrun); always returns IG_ERROR. */
int ig_error(ig_error_t *err, ig_pos_t pos, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* For "%.*s": an ig_str_t as printf arguments. */
#define ig_fmt(s)  (int) (s).len, (s).data

/*
 * Configuration-time memory: zeroed, aligned for any type, freed by whoever
 * owns ctx, all at once.  alloc returns NULL when there is none.
 */
typedef struct {
    void  *(*alloc)(void *ctx, size_t size);
    void   *ctx;
} ig_mem_t;

void *ig_alloc(ig_mem_t *mem, size_t size);
int ig_str_dup(ig_mem_t *mem, ig_str_t src, ig_str_t *dst);

bool ig_str_eq(ig_str_t a, ig_str_t b);

#endif /* IG_CORE_H */
