/*
 * ig_ctl_memory.c: blocks that are freed together, and files read into them.
 * Owns: the blocks.  Called by the subcommands.
 */

#include <errno.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ig_ctl.h"

struct ig_ctl_block_s {
    alignas(max_align_t) ig_ctl_block_t  *before;
};


static void *
ig_ctl_alloc(void *ctx, size_t size)
{
    ig_ctl_block_t   *block;
    ig_ctl_memory_t  *memory = ctx;

    if (size > SIZE_MAX - sizeof(*block)) {
        return NULL;
    }

    block = calloc(1, sizeof(*block) + size);

    if (block == NULL) {
        return NULL;
    }

    block->before = memory->last;
    memory->last = block;

    return block + 1;
}


void
ig_ctl_memory_init(ig_ctl_memory_t *memory)
{
    memory->mem.alloc = ig_ctl_alloc;
    memory->mem.ctx = memory;
    memory->last = NULL;
}


void
ig_ctl_memory_free(ig_ctl_memory_t *memory)
{
    ig_ctl_block_t  *block;

    while (memory->last != NULL) {
        block = memory->last;
        memory->last = block->before;
        free(block);
    }
}


/* ru_maxrss is not that: it begins with what our parent had before exec. */
long
ig_ctl_memory_peak(void)
{
    long   peak;
    char   line[128];
    FILE  *status;

    peak = 0;
    status = fopen("/proc/self/status", "re");

    if (status == NULL) {
        return 0;
    }

    while (peak == 0 && fgets(line, sizeof(line), status) != NULL) {
        (void) sscanf(line, "VmHWM: %ld kB", &peak);
    }

    fclose(status);

    return peak;
}


int
ig_ctl_read(ig_ctl_memory_t *memory, const char *path, size_t max,
    ig_str_t *text)
{
    int      err;
    char    *data;
    FILE    *file;
    size_t   len;

    file = fopen(path, "rb");

    if (file == NULL) {
        (void) ig_ctl_error("cannot open \"%s\": %s", path, strerror(errno));
        return IG_ERROR;
    }

    /* no stdio buffer: what is read may be a secret */
    (void) setvbuf(file, NULL, _IONBF, 0);

    data = ig_alloc(&memory->mem, max + 2);
    len = data != NULL ? fread(data, 1, max + 1, file) : 0;
    err = ferror(file) ? errno : 0;
    fclose(file);

    if (data == NULL) {
        (void) ig_ctl_error("no memory for \"%s\"", path);
        return IG_ERROR;
    }

    if (err != 0) {
        (void) ig_ctl_error("cannot read \"%s\": %s", path, strerror(err));
        return IG_ERROR;
    }

    if (len > max) {
        (void) ig_ctl_error("\"%s\" is longer than %zu bytes", path, max);
        return IG_ERROR;
    }

    text->data = data;
    text->len = len;

    return IG_OK;
}
