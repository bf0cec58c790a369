/*
 * ig_table_case.h: tables for tests: counters without a policy, ops in a
 * line, and a walk that proves every slot to be in exactly one place.
 * Owns: the memory of its table, with guard bytes on both sides.
 * Called by the tests of the table.
 */

#ifndef IG_TABLE_CASE_H
#define IG_TABLE_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ig_table_int.h"

typedef struct {
    ig_table_t  *t;
    size_t       size;
    char        *memory;        /* guards, table, guards */
    char        *block;
} ig_table_case_t;

void ig_table_case_init(ig_table_case_t *c, size_t size);

/* Also checks the table and the guards. */
void ig_table_case_free(ig_table_case_t *c);

/*
 * Every slot in exactly one list, every link both ways, every count right,
 * nothing outside the memory given.
 */
void ig_table_case_check(const ig_table_case_t *c);

/* A counter of that kind; `name` makes its ident. */
ig_counter_t ig_table_case_counter(ig_kind_e kind, int64_t window,
    unsigned max, uint64_t name);

/* Key and member are numbers here. */
ig_op_t ig_table_case_op(const ig_counter_t *counter, ig_verb_e verb,
    uint64_t key, uint64_t member, int64_t time);

/* One op, which must be done; returns what it read. */
ig_raw_t ig_table_case_run(ig_table_case_t *c, const ig_counter_t *counter,
    ig_verb_e verb, uint64_t key, uint64_t member, int64_t time);

#endif /* IG_TABLE_CASE_H */
