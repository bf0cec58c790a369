/*
 * ig_expr_case.h: expressions for tests: fixed names and values to read, and
 * an allocator that keeps what it gave and gives out when told to.
 * Owns: the memory of a case's expressions, until ig_expr_case_free.
 * Called by the tests of the expression language.
 */

#ifndef IG_EXPR_CASE_H
#define IG_EXPR_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ig_expr.h"

typedef struct {
    ig_mem_t    mem;
    void       *block[64];
    unsigned    nblocks;
    unsigned    limit;          /* allocations that succeed */
    ig_error_t  err;
} ig_expr_case_t;

void ig_expr_case_init(ig_expr_case_t *c, unsigned limit);
void ig_expr_case_free(ig_expr_case_t *c);

/*
 * Compiles over these names, whose values are in ig_expr_case_env:
 *   fields      t, f (IG_BOOL), u (UNKNOWN), m (MISSING), s (SET), zero, five,
 *               exact5 (5 with digits), half, big, bigger (2^53 and 2^53 + 1,
 *               with digits), minus (-5 with digits), nbig, nbigger (big and
 *               bigger below zero), str5 "5", strbig "9007199254740993",
 *               abc "abc", abd "abd", quote "it's", slash "\a\b\", empty "",
 *               nan (no field should be that)
 *   counters    c7 (7, window 1h), c0 (0, window 7d), cu (UNKNOWN),
 *               cm (MISSING), c2h (7.5, window 1500ms)
 *   lists       on (true), off (false), lu (UNKNOWN), lm (MISSING)
 *   thresholds  limit (6), many (100)
 */
int ig_expr_case_compile(ig_expr_case_t *c, ig_str_t text, ig_expr_t **expr);

/* The event's time is 2026-11-23T12:00:00.123Z, a Monday; the zone is UTC. */
extern ig_env_t  ig_expr_case_env;

#endif /* IG_EXPR_CASE_H */
