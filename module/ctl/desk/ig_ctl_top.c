/*
 * ig_ctl_top.c: counts by name in bounded memory.
 * Owns: rows and copies of names.  Called by dossier and report.
 */

#include <stdlib.h>
#include <string.h>

#include "ig_crypto.h"
#include "ig_ctl_top.h"

#define IG_TOP_FIRST  64            /* rows to begin with */
#define IG_TOP_NONE   UINT32_MAX


int
ig_top_init(ig_top_t *top, unsigned cap)
{
    uint32_t  slots;

    memset(top, 0, sizeof(ig_top_t));

    for (slots = 2 * IG_TOP_FIRST; slots < 2 * cap; slots *= 2) {
        /* void */
    }

    top->cap = cap;
    top->room = cap < IG_TOP_FIRST ? cap : IG_TOP_FIRST;
    top->mask = slots - 1;
    top->row = malloc(top->room * sizeof(ig_top_row_t));
    top->slot = malloc(slots * sizeof(uint32_t));

    if (top->row == NULL || top->slot == NULL) {
        ig_top_free(top);
        return IG_NOMEM;
    }

    memset(top->slot, 0xff, slots * sizeof(uint32_t));

    /* without random bytes there is a start that can be guessed */
    (void) ig_random(&top->seed, sizeof(top->seed));

    return IG_OK;
}


/* field and name are one block, field first. */
static void
ig_top_forget(ig_top_row_t *row)
{
    free((char *) row->field.data);
}


void
ig_top_free(ig_top_t *top)
{
    unsigned  i;

    for (i = 0; i < top->nrows; i++) {
        ig_top_forget(&top->row[i]);
    }

    free(top->row);
    free(top->slot);
    memset(top, 0, sizeof(ig_top_t));
}


/* -- the hash table ------------------------------------------------------ */


/*
 * FNV-1a from a random start: names come from calls, whose senders should not
 * know which of them meet in one slot.
 */
static uint32_t
ig_top_hash(const ig_top_t *top, ig_str_t field, ig_str_t name)
{
    size_t    i;
    uint32_t  h;

    h = 2166136261u ^ top->seed;

    for (i = 0; i < field.len; i++) {
        h = (h ^ (unsigned char) field.data[i]) * 16777619u;
    }

    h = (h ^ 0xff) * 16777619u;

    for (i = 0; i < name.len; i++) {
        h = (h ^ (unsigned char) name.data[i]) * 16777619u;
    }

    return h ^ (h >> 15);
}


static uint32_t
ig_top_index(const ig_top_t *top, ig_str_t field, ig_str_t name,
    uint32_t hash)
{
    uint32_t  i;

    for (i = top->slot[hash & top->mask]; i != IG_TOP_NONE;
         i = top->row[i].next)
    {
        if (top->row[i].hash == hash && ig_str_eq(top->row[i].name, name)
            && ig_str_eq(top->row[i].field, field))
        {
            return i;
        }
    }

    return IG_TOP_NONE;
}


static void
ig_top_link(ig_top_t *top, uint32_t i)
{
    uint32_t  *slot;

    slot = &top->slot[top->row[i].hash & top->mask];
    top->row[i].next = *slot;
    *slot = i;
}


/* -- room ---------------------------------------------------------------- */


/* Upper bound of what the row's name weighs. */
static uint64_t
ig_top_most(const ig_top_row_t *row)
{
    return row->weight + row->missed;
}


static int
ig_top_heavier(const void *one, const void *two)
{
    uint64_t  a, b;

    a = ig_top_most(one);
    b = ig_top_most(two);

    return a < b ? 1 : a > b ? -1 : 0;
}


/* Drops the lighter half. */
static void
ig_top_drop(ig_top_t *top)
{
    unsigned  i, keep;

    qsort(top->row, top->nrows, sizeof(ig_top_row_t), ig_top_heavier);

    keep = top->nrows / 2;

    if (ig_top_most(&top->row[keep]) > top->missed) {
        top->missed = ig_top_most(&top->row[keep]);
    }

    for (i = keep; i < top->nrows; i++) {
        ig_top_forget(&top->row[i]);
    }

    top->dropped += top->nrows - keep;
    top->nrows = keep;

    memset(top->slot, 0xff, (top->mask + (size_t) 1) * sizeof(uint32_t));

    for (i = 0; i < top->nrows; i++) {
        ig_top_link(top, i);
    }
}


/* Room for one more row; false: no memory. */
static bool
ig_top_room(ig_top_t *top)
{
    unsigned       room;
    ig_top_row_t  *row;

    if (top->nrows < top->room) {
        return true;
    }

    if (top->room == top->cap) {
        ig_top_drop(top);
        return true;
    }

    room = top->room * 2 < top->cap ? top->room * 2 : top->cap;
    row = realloc(top->row, room * sizeof(ig_top_row_t));

    if (row == NULL) {
        return false;
    }

    top->row = row;
    top->room = room;

    return true;
}


ig_top_row_t *
ig_top_row(ig_top_t *top, ig_str_t field, ig_str_t name)
{
    char          *copy;
    uint32_t       i, hash;
    ig_top_row_t  *row;

    hash = ig_top_hash(top, field, name);
    i = ig_top_index(top, field, name, hash);

    if (i != IG_TOP_NONE) {
        return &top->row[i];
    }

    /* the names may lie in a row that is dropped: copied first */

    copy = malloc(field.len + name.len + 1);

    if (copy == NULL) {
        return NULL;
    }

    memcpy(copy, field.data ? field.data : "", field.len);
    memcpy(copy + field.len, name.data ? name.data : "", name.len);

    if (!ig_top_room(top)) {
        free(copy);
        return NULL;
    }

    row = &top->row[top->nrows];
    memset(row, 0, sizeof(ig_top_row_t));

    row->field = (ig_str_t) { field.len, copy };
    row->name = (ig_str_t) { name.len, copy + field.len };
    row->hash = hash;
    row->missed = top->missed;

    ig_top_link(top, top->nrows++);

    return row;
}


const ig_top_row_t *
ig_top_find(const ig_top_t *top, ig_str_t field, ig_str_t name)
{
    uint32_t  i;

    i = ig_top_index(top, field, name, ig_top_hash(top, field, name));

    return i == IG_TOP_NONE ? NULL : &top->row[i];
}


/* -- counting and reading ------------------------------------------------ */


void
ig_top_seen(ig_top_row_t *row, int64_t ms)
{
    if (row->first == 0 || ms < row->first) {
        row->first = ms;
    }

    if (ms > row->last) {
        row->last = ms;
    }
}


uint64_t
ig_top_stronger(const ig_top_row_t *row)
{
    return row->n[IG_BIN_HOLD] + row->n[IG_BIN_THROTTLE] + row->n[IG_BIN_DENY];
}


uint64_t
ig_top_calls(const ig_top_row_t *row)
{
    return row->n[IG_BIN_ALLOW] + ig_top_stronger(row);
}


static int
ig_top_compare_str(ig_str_t a, ig_str_t b)
{
    int  n;

    n = memcmp(a.data, b.data, a.len < b.len ? a.len : b.len);

    return n ? n : (a.len > b.len) - (a.len < b.len);
}


static int
ig_top_order(const void *one, const void *two)
{
    int                  n;
    const ig_top_row_t  *a = one, *b = two;

    n = ig_top_compare_str(a->field, b->field);

    if (n == 0 && a->weight != b->weight) {
        return a->weight < b->weight ? 1 : -1;
    }

    return n ? n : ig_top_compare_str(a->name, b->name);
}


void
ig_top_sort(ig_top_t *top)
{
    if (top->nrows > 0) {
        qsort(top->row, top->nrows, sizeof(ig_top_row_t), ig_top_order);
    }
}
