/*
 * ig_redis_case.h: counters, ops, commands and replies for the codec's tests.
 * Owns: one counter, one op, one buffer per test program.
 * Called by the tests of module/redis.
 */

#ifndef IG_REDIS_CASE_H
#define IG_REDIS_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ig_redis_command.h"

/* An hour; 2026-11-25T12:34:56.789Z, in bucket 498780 of an hour. */
#define IG_CASE_WINDOW  3600000
#define IG_CASE_TIME    INT64_C(1795610096789)

/* The op's key without its bucket, of the counter below. */
#define IG_CASE_KEY  "ig:1:{seen:AAECAwQFBgcICQoLDA0ODw}:x3600000.00010203"

typedef struct {
    ig_counter_t  counter;
    ig_op_t       op;
    ig_note_t     note;
    uint8_t       recipe;
    bool          again;
    char          memory[IG_REDIS_OP_TEXT];
    ig_buf_t      buf;
} ig_redis_case_t;

/* A counter "seen" of this kind, shape x3600000, max 3, and an op on it. */
void ig_case_init(ig_redis_case_t *c, ig_kind_e kind, ig_verb_e verb);

/* Writes the op; checks the number of replies. */
void ig_case_write(ig_redis_case_t *c, const ig_note_t *note,
    unsigned replies);

/*
 * Checks that the buffer holds exactly these commands: words separated by
 * blanks, commands by newlines.  K is IG_CASE_KEY, M the op's member.
 */
void ig_case_expect(ig_redis_case_t *c, const char *commands);

/* Hands a reply to the op; the results are those of ig_redis_op_reply. */
int ig_case_integer(ig_redis_case_t *c, unsigned index, int64_t n);
int ig_case_string(ig_redis_case_t *c, unsigned index, const char *s);
int ig_case_error(ig_redis_case_t *c, unsigned index, const char *s);
int ig_case_pair(ig_redis_case_t *c, unsigned index, const char *a,
    const char *b);

#endif /* IG_REDIS_CASE_H */
