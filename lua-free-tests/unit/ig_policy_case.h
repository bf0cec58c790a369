/*
 * ig_policy_case.h: policies for tests, read from text as nginx would read
 * it, on an allocator that counts, zeroes, and gives out when told to.
 * Owns: the memory of its policy, until ig_policy_case_free.
 * Called by the tests of the policy and of plans.
 */

#ifndef IG_POLICY_CASE_H
#define IG_POLICY_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ig_policy.h"

#define IG_POLICY_CASE_BLOCKS  32768

typedef struct {
    ig_mem_t      mem;
    void         *block[IG_POLICY_CASE_BLOCKS];
    unsigned      nblocks;
    unsigned      limit;        /* allocations that succeed before one fails */
    bool          once;         /* those after it succeed again */
    ig_policy_t  *policy;
    ig_error_t    err;
    unsigned      line;
} ig_policy_case_t;

/* An empty policy.  IG_OK or IG_NOMEM. */
int ig_policy_case_init(ig_policy_case_t *c);

/* The same, where one allocation fails, or all from there on. */
int ig_policy_case_init_limit(ig_policy_case_t *c, unsigned limit, bool once);
void ig_policy_case_free(ig_policy_case_t *c);

/*
 * Feeds directives from text: one ends with ";" or at the end of its line;
 * quotes and backslashes as in nginx; the file is called "test.conf" and the
 * first line of the first text is 1.  Stops at the first that is refused.
 */
int ig_policy_case_read(ig_policy_case_t *c, const char *text);

/* A whole policy that must be right. */
void ig_policy_case_make(ig_policy_case_t *c, const char *text);

/* A whole policy that must be refused, on this line and in these words. */
typedef struct {
    const char  *text;
    unsigned     line;
    const char  *error;
} ig_policy_refusal_t;

void ig_policy_case_refuse(const ig_policy_refusal_t *refusal, unsigned n);

/* For assertions: compares an ig_str_t with a literal. */
#define assert_str(s, lit)                                                   \
    do {                                                                     \
        ig_str_t  str_ = (s);                                                \
        assert_int_equal(str_.len, sizeof(lit) - 1);                         \
        assert_memory_equal(str_.data, lit, sizeof(lit) - 1);                \
    } while (0)

#endif /* IG_POLICY_CASE_H */
