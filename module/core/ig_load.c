/*
 * ig_load.c: operations to load as bytes, and how far a load has come.
 * Owns nothing; pure.
 * Called by `integrityctl load`, by nginx's control handler and by the stores.
 */

#include "ig_load.h"
#include "ig_value.h"

#include <stdlib.h>
#include <string.h>


/* -- the order of counters ----------------------------------------------- */


static int
ig_load_compare(const void *one, const void *two)
{
    int                  rc;
    size_t               n;
    const ig_counter_t  *a = *(const ig_counter_t *const *) one;
    const ig_counter_t  *b = *(const ig_counter_t *const *) two;

    n = a->name.len < b->name.len ? a->name.len : b->name.len;
    rc = memcmp(a->name.data, b->name.data, n);

    return rc != 0 ? rc : a->name.len < b->name.len ? -1
                          : a->name.len > b->name.len;
}


void
ig_load_rank(const ig_policy_t *policy,
    const ig_counter_t *rank[IG_MAX_COUNTERS])
{
    unsigned  i;

    for (i = 0; i < policy->ncounters; i++) {
        rank[i] = policy->counter[i];
    }

    qsort(rank, policy->ncounters, sizeof(rank[0]), ig_load_compare);
}


/* -- operations ---------------------------------------------------------- */

/*
 * rank (1 byte), key, time (8), and by kind: count: delta (8); sum, mean:
 * delta, how many (8 each); exact, distinct: the member; first: the first
 * time (8).  Numbers are big endian.
 */

#define IG_LOAD_HEAD  (1 + IG_HASH + 8)


static size_t
ig_load_size(ig_kind_e kind)
{
    switch (kind) {

    case IG_COUNT:
    case IG_FIRST:
        return IG_LOAD_HEAD + 8;

    case IG_SUM:
    case IG_MEAN:
        return IG_LOAD_HEAD + 16;

    case IG_COUNT_EXACT:
    case IG_DISTINCT:
        return IG_LOAD_HEAD + IG_HASH;

    default:
        return IG_LOAD_HEAD;
    }
}


static uint8_t *
ig_load_put(uint8_t *p, int64_t number)
{
    int       i;
    uint64_t  n;

    n = (uint64_t) number;

    for (i = 7; i >= 0; i--) {
        p[i] = (uint8_t) n;
        n >>= 8;
    }

    return p + 8;
}


static int64_t
ig_load_get(const uint8_t *p)
{
    int       i;
    uint64_t  n;

    for (i = 0, n = 0; i < 8; i++) {
        n = n << 8 | p[i];
    }

    return (int64_t) n;
}


size_t
ig_load_op_write(uint8_t *p, size_t room, unsigned rank, const ig_op_t *op)
{
    size_t  size;

    size = ig_load_size(op->counter->kind);

    if (size > room) {
        return 0;
    }

    *p++ = (uint8_t) rank;
    memcpy(p, op->key, IG_HASH);
    p = ig_load_put(p + IG_HASH, op->time);

    switch (op->counter->kind) {

    case IG_COUNT:
        (void) ig_load_put(p, op->delta);
        break;

    case IG_SUM:
    case IG_MEAN:
        p = ig_load_put(p, op->delta);
        (void) ig_load_put(p, op->raw.ncur);
        break;

    case IG_COUNT_EXACT:
    case IG_DISTINCT:
        memcpy(p, op->member, IG_HASH);
        break;

    case IG_FIRST:
        (void) ig_load_put(p, op->raw.first);
        break;

    default:
        break;
    }

    return size;
}


/* Times and amounts that some event can have come to. */
static bool
ig_load_is_sane(const ig_op_t *op)
{
    const int64_t  most = INT64_C(1) << 53;

    if (op->time < 0 || op->time > most) {
        return false;
    }

    switch (op->counter->kind) {

    case IG_COUNT:
        return op->delta > 0 && op->delta <= UINT32_MAX;

    case IG_SUM:
    case IG_MEAN:
        return op->raw.ncur > 0 && op->raw.ncur <= UINT32_MAX;

    case IG_FIRST:
        return op->raw.first >= 0 && op->raw.first <= op->time;

    default:
        return true;
    }
}


size_t
ig_load_op_read(const uint8_t *p, size_t len, const ig_counter_t *const *rank,
    unsigned nranks, ig_op_t *op)
{
    size_t  size;

    if (len == 0 || *p >= nranks) {
        return 0;
    }

    memset(op, 0, sizeof(ig_op_t));

    op->counter = rank[*p];
    op->verb = IG_OP_LOAD;
    op->raw.first = -1;
    op->raw.last = -1;
    op->raw.was = -1;

    size = ig_load_size(op->counter->kind);

    if (size > len) {
        return 0;
    }

    memcpy(op->key, p + 1, IG_HASH);
    p += 1 + IG_HASH;
    op->time = ig_load_get(p);
    p += 8;

    switch (op->counter->kind) {

    case IG_COUNT:
        op->delta = ig_load_get(p);
        break;

    case IG_SUM:
    case IG_MEAN:
        op->delta = ig_load_get(p);
        op->raw.ncur = ig_load_get(p + 8);
        break;

    case IG_COUNT_EXACT:
    case IG_DISTINCT:
        memcpy(op->member, p, IG_HASH);
        break;

    case IG_FIRST:
        op->raw.first = ig_load_get(p);
        break;

    default:
        break;
    }

    return ig_load_is_sane(op) ? size : 0;
}


void
ig_load_proof(const ig_secret_t *secret, const ig_policy_t *policy,
    uint8_t proof[IG_LOAD_PROOF])
{
    uint8_t    out[IG_SHA256];
    ig_hmac_t  hmac;

    ig_hmac_init(&hmac, &secret->store);
    ig_hmac_update_str(&hmac, ig_str("load"));
    ig_hmac_update(&hmac, policy->hash, sizeof(policy->hash));
    ig_hmac_final(&hmac, out);

    memcpy(proof, out, IG_LOAD_PROOF);
}


/* -- the cursor ---------------------------------------------------------- */


void
ig_load_cursor_write(ig_buf_t *b, const ig_load_cursor_t *cursor)
{
    ig_buf_hex(b, cursor->id, IG_LOAD_ID);
    ig_buf_char(b, ' ');
    ig_buf_i64(b, cursor->now);
    ig_buf_char(b, ' ');
    ig_buf_u64(b, cursor->done);
    ig_buf_char(b, ' ');
    ig_buf_u64(b, cursor->of);
}


static int
ig_load_nibble(char c)
{
    return c >= '0' && c <= '9' ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}


bool
ig_load_id_read(ig_str_t text, uint8_t id[IG_LOAD_ID])
{
    int     high, low;
    size_t  i;

    if (text.len != 2 * IG_LOAD_ID) {
        return false;
    }

    for (i = 0; i < IG_LOAD_ID; i++) {
        high = ig_load_nibble(text.data[2 * i]);
        low = ig_load_nibble(text.data[2 * i + 1]);

        if (high < 0 || low < 0) {
            return false;
        }

        id[i] = (uint8_t) (high << 4 | low);
    }

    return true;
}


/* Takes a number and the blank before it off the text. */
static bool
ig_load_number(ig_str_t *text, uint64_t *n)
{
    size_t  len;

    if (text->len == 0 || text->data[0] != ' ') {
        return false;
    }

    for (len = 1; len < text->len && text->data[len] != ' '; len++) {
        /* void */
    }

    if (!ig_parse_uint((ig_str_t) { len - 1, text->data + 1 }, INT64_MAX, n)) {
        return false;
    }

    text->data += len;
    text->len -= len;

    return true;
}


bool
ig_load_cursor_read(ig_str_t text, ig_load_cursor_t *cursor)
{
    uint64_t  now;

    if (text.len < 2 * IG_LOAD_ID
        || !ig_load_id_read((ig_str_t) { 2 * IG_LOAD_ID, text.data },
                            cursor->id))
    {
        return false;
    }

    text.data += 2 * IG_LOAD_ID;
    text.len -= 2 * IG_LOAD_ID;

    if (!ig_load_number(&text, &now)
        || !ig_load_number(&text, &cursor->done)
        || !ig_load_number(&text, &cursor->of)
        || text.len != 0)
    {
        return false;
    }

    cursor->now = (int64_t) now;

    return cursor->of > 0 && cursor->done <= cursor->of;
}
