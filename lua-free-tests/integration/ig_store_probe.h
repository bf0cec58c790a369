/*
 * ig_store_probe.h: the two stores behind one blocking function.
 * Owns: the store it opened.  Called by ig_store_probe.c.
 */

#ifndef IG_STORE_PROBE_H
#define IG_STORE_PROBE_H

#include "ig_table.h"

typedef struct ig_probe_store_s  ig_probe_store_t;

/*
 * address: "unix:PATH" or "HOST:PORT" of a Redis, or NULL for the embedded
 * table of `size` bytes.  notes: keep notes beside Redis, as nginx does.
 * Ends the program where it cannot.
 */
ig_probe_store_t *ig_probe_store_open(const char *address, size_t size,
    bool notes);
void ig_probe_store_close(ig_probe_store_t *store);

/* Runs ops; each is final on return.  now: the latest time seen, ms. */
void ig_probe_store_run(ig_probe_store_t *store, ig_op_t *op, unsigned nops,
    int64_t now);

/* Since when the counter is remembered, ms. */
int64_t ig_probe_store_since(ig_probe_store_t *store,
    const ig_counter_t *counter, int64_t now);

/* How many commands were sent to Redis. */
unsigned long ig_probe_store_commands(const ig_probe_store_t *store);

/* Says what is wrong and exits with status 2. */
void ig_probe_fail(const char *fmt, ...)
    __attribute__((format(printf, 1, 2), noreturn));

#endif /* IG_STORE_PROBE_H */
