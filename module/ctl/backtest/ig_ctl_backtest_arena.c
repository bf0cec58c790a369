/*
 * ig_ctl_backtest_arena.c: memory of one event: blocks that all end with it.
 * Owns: the arena's block.  Called by ig_ctl_backtest.c and ig_ctl_load.c.
 */

#include <string.h>

#include "ig_ctl_backtest.h"


static void *
ig_arena_alloc(void *ctx, size_t size)
{
    void        *p;
    ig_arena_t  *arena = ctx;

    size = (size + 15) & ~(size_t) 15;

    if (size > IG_ARENA_SIZE - arena->used) {
        return NULL;
    }

    p = arena->block + arena->used;
    arena->used += size;

    return memset(p, 0, size);
}


int
ig_arena_init(ig_arena_t *arena, ig_mem_t *mem)
{
    arena->mem.alloc = ig_arena_alloc;
    arena->mem.ctx = arena;
    arena->used = 0;
    arena->block = ig_alloc(mem, IG_ARENA_SIZE);

    return arena->block ? IG_OK : IG_NOMEM;
}
