/*
 * ig_checkpoint_read.c: the lines of a checkpoint file, read strictly.
 * Owns nothing; borrows the line.  Called by ig_checkpoint_order.c, the
 * verifier and `integrityctl seal`.
 */

#include <string.h>

#include "ig_checkpoint.h"
#include "ig_verify_int.h"

#define IG_CHECKPOINT_DEPTH  8          /* a line has five levels */

/* Which members a line must have, or may have once. */
enum {
    IG_SEEN_V = 1,
    IG_SEEN_KIND = 2,
    IG_SEEN_TIME = 4,
    IG_SEEN_ORIGIN = 8,
    IG_SEEN_NUMBER = 16,
    IG_SEEN_KEY = 32,
    IG_SEEN_PREV = 64,
    IG_SEEN_HEAD = 127,         /* all of the above */
    IG_SEEN_NEXT = 128,
    IG_SEEN_LOG = 256,
    IG_SEEN_LEVEL = 512,
    IG_SEEN_TEXT = 1024,
    IG_SEEN_SIG = 2048
};


/* -- values -------------------------------------------------------------- */

static int
ig_checkpoint_nibble(char c)
{
    return c >= '0' && c <= '9' ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}


static bool
ig_checkpoint_hex(ig_str_t value, uint8_t *out, size_t len)
{
    int       high, low;
    size_t    i;
    ig_str_t  hex;

    if (!ig_line_text(value, &hex) || hex.len != 2 * len) {
        return false;
    }

    for (i = 0; i < len; i++) {
        high = ig_checkpoint_nibble(hex.data[2 * i]);
        low = ig_checkpoint_nibble(hex.data[2 * i + 1]);

        if (high < 0 || low < 0) {
            return false;
        }

        out[i] = (uint8_t) (high << 4 | low);
    }

    return true;
}


static bool
ig_checkpoint_string(ig_str_t value, size_t max, ig_str_t *text)
{
    return ig_line_text(value, text) && text->len > 0 && text->len <= max;
}


static bool
ig_checkpoint_origin(ig_str_t value, ig_str_t *origin)
{
    /* the characters of a chain's id, but for the slash */
    return ig_line_chain(value, origin) && origin->len <= IG_CHECKPOINT_ORIGIN
           && memchr(origin->data, '/', origin->len) == NULL;
}


static bool
ig_checkpoint_two(const char *p, int least, int most, int *n)
{
    if (p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9') {
        return false;
    }

    *n = (p[0] - '0') * 10 + (p[1] - '0');

    return *n >= least && *n <= most;
}


bool
ig_checkpoint_ms(ig_str_t time, int64_t *ms)
{
    int          century, year, month, day, hour, minute, second, milli, last;
    int64_t      days;
    const char  *p = time.data;

    if (time.len != IG_CHECKPOINT_TIME || p[4] != '-' || p[7] != '-'
        || p[10] != 'T' || p[13] != ':' || p[16] != ':' || p[19] != '.'
        || p[23] != 'Z' || !ig_checkpoint_two(p, 0, 99, &century)
        || !ig_checkpoint_two(p + 2, 0, 99, &year)
        || !ig_checkpoint_two(p + 5, 1, 12, &month)
        || !ig_checkpoint_two(p + 8, 1, 31, &day)
        || !ig_checkpoint_two(p + 11, 0, 23, &hour)
        || !ig_checkpoint_two(p + 14, 0, 59, &minute)
        || !ig_checkpoint_two(p + 17, 0, 60, &second)
        || !ig_checkpoint_two(p + 20, 0, 99, &milli)
        || p[22] < '0' || p[22] > '9')
    {
        return false;
    }

    /* days since 1970-01-01, the year beginning in March */
    last = p[22] - '0';
    year += century * 100 - (month <= 2);
    month = month > 2 ? month - 3 : month + 9;
    days = (int64_t) year * 365 + year / 4 - year / 100 + year / 400
           + (153 * month + 2) / 5 + day - 1 - 719468;
    *ms = (((days * 24 + hour) * 60 + minute) * 60 + second) * 1000
          + milli * 10 + last;

    return true;
}


/* -- items --------------------------------------------------------------- */

void
ig_checkpoint_items(ig_checkpoint_items_t *items, ig_str_t array)
{
    /* between the brackets */
    items->p = array.data + 1;
    items->end = array.data + array.len - 1;
}


/* The members of the next object; false: there is none. */
static bool
ig_checkpoint_item(ig_checkpoint_items_t *items, ig_str_t *object)
{
    ig_line_cursor_t  c = { items->p, items->end, false };

    if (c.p == c.end || *c.p != '{' || !ig_line_value(&c, IG_CHECKPOINT_DEPTH))
    {
        return false;
    }

    object->data = items->p;
    object->len = (size_t) (c.p - items->p);
    items->p = c.p < c.end && *c.p == ',' ? c.p + 1 : c.p;

    return true;
}


typedef bool (*ig_checkpoint_member_pt)(void *ctx, const ig_line_member_t *m);

static bool
ig_checkpoint_members(ig_str_t object, ig_checkpoint_member_pt member,
    void *ctx)
{
    ig_line_cursor_t  c = { object.data, object.data + object.len, false };
    ig_line_member_t  m;

    if (!ig_line_char(&c, '{')) {
        return false;
    }

    do {
        if (!ig_line_member(&c, IG_CHECKPOINT_DEPTH, &m) || !member(ctx, &m)) {
            return false;
        }
    } while (ig_line_char(&c, ','));

    return ig_line_char(&c, '}') && c.p == c.end;
}


static bool
ig_checkpoint_is(const ig_line_member_t *m, const char *key)
{
    return m->key.len == strlen(key)
           && memcmp(m->key.data, key, m->key.len) == 0;
}


static bool
ig_checkpoint_log_member(void *ctx, const ig_line_member_t *m)
{
    ig_checkpoint_log_t  *log = ctx;

    if (ig_checkpoint_is(m, "file")) {
        return ig_checkpoint_string(m->value, IG_CHECKPOINT_FILE, &log->file);
    }

    if (ig_checkpoint_is(m, "segment")) {
        return ig_line_uint(m->value, &log->segment) && log->segment > 0;
    }

    if (ig_checkpoint_is(m, "first")) {
        return ig_checkpoint_hex(m->value, log->first, IG_SHA256);
    }

    if (ig_checkpoint_is(m, "bytes")) {
        return ig_line_uint(m->value, &log->bytes);
    }

    if (ig_checkpoint_is(m, "done")) {
        log->done = ig_str_eq(m->value, ig_str("true"));
        return true;
    }

    if (ig_checkpoint_is(m, "chain")) {
        log->chains = m->value;
        return m->value.data[0] == '[';
    }

    return true;
}


bool
ig_checkpoint_next_log(ig_checkpoint_items_t *items, ig_checkpoint_log_t *log)
{
    ig_str_t  object;

    memset(log, 0, sizeof(*log));

    if (!ig_checkpoint_item(items, &object)) {
        return false;
    }

    if (ig_checkpoint_members(object, ig_checkpoint_log_member, log)
        && log->file.len > 0 && log->segment > 0 && log->chains.len > 0)
    {
        return true;
    }

    items->p = object.data;     /* not the end: this one is wrong */

    return false;
}


static bool
ig_checkpoint_chain_member(void *ctx, const ig_line_member_t *m)
{
    ig_checkpoint_chain_t  *chain = ctx;

    if (ig_checkpoint_is(m, "id")) {
        return ig_line_chain(m->value, &chain->id);
    }

    if (ig_checkpoint_is(m, "seq")) {
        return ig_line_uint(m->value, &chain->seq) && chain->seq > 0;
    }

    if (ig_checkpoint_is(m, "lost")) {
        return ig_line_uint(m->value, &chain->lost);
    }

    return !ig_checkpoint_is(m, "hash")
           || ig_checkpoint_hex(m->value, chain->hash, IG_SHA256);
}


bool
ig_checkpoint_next_chain(ig_checkpoint_items_t *items,
    ig_checkpoint_chain_t *chain)
{
    ig_str_t  object;

    memset(chain, 0, sizeof(*chain));

    if (!ig_checkpoint_item(items, &object)) {
        return false;
    }

    if (ig_checkpoint_members(object, ig_checkpoint_chain_member, chain)
        && chain->id.len > 0 && chain->seq > 0)
    {
        return true;
    }

    items->p = object.data;

    return false;
}


/* Whether every item can be read, so that nobody need ask again. */
static bool
ig_checkpoint_sound(ig_str_t array)
{
    ig_checkpoint_log_t    log;
    ig_checkpoint_chain_t  chain;
    ig_checkpoint_items_t  logs, chains;

    ig_checkpoint_items(&logs, array);

    while (ig_checkpoint_next_log(&logs, &log)) {
        ig_checkpoint_items(&chains, log.chains);

        while (ig_checkpoint_next_chain(&chains, &chain)) { /* void */ }

        if (chains.p != chains.end) {
            return false;
        }
    }

    return logs.p == logs.end;
}


/* -- lines --------------------------------------------------------------- */

typedef struct {
    ig_checkpoint_t  *c;
    unsigned          seen;
    ig_str_t          line;
} ig_checkpoint_parser_t;


static bool
ig_checkpoint_kind(ig_str_t value, ig_checkpoint_kind_e *kind)
{
    *kind = ig_str_eq(value, ig_str("\"finding\"")) ? IG_CHECKPOINT_FINDING
            : ig_str_eq(value, ig_str("\"key\"")) ? IG_CHECKPOINT_KEY
                                                  : IG_CHECKPOINT_SEAL;

    return *kind != IG_CHECKPOINT_SEAL
           || ig_str_eq(value, ig_str("\"checkpoint\""));
}


/* What every line begins with; 0: another member, or a wrong value. */
static unsigned
ig_checkpoint_head(ig_checkpoint_t *c, const ig_line_member_t *m)
{
    int64_t  ms;

    return ig_checkpoint_is(m, "v")
               && ig_str_eq(m->value, ig_str("1")) ? IG_SEEN_V
           : ig_checkpoint_is(m, "kind")
               && ig_checkpoint_kind(m->value, &c->kind) ? IG_SEEN_KIND
           : ig_checkpoint_is(m, "time") && ig_line_text(m->value, &c->time)
               && ig_checkpoint_ms(c->time, &ms) ? IG_SEEN_TIME
           : ig_checkpoint_is(m, "origin")
               && ig_checkpoint_origin(m->value, &c->origin) ? IG_SEEN_ORIGIN
           : ig_checkpoint_is(m, "number")
               && ig_line_uint(m->value, &c->number) ? IG_SEEN_NUMBER
           : ig_checkpoint_is(m, "key")
               && ig_checkpoint_hex(m->value, c->key, IG_SIGN_ID)
             ? IG_SEEN_KEY
           : ig_checkpoint_is(m, "prev")
               && ig_checkpoint_hex(m->value, c->prev, IG_SHA256)
             ? IG_SEEN_PREV : 0;
}


/* The rest likewise; members that are not known here are left alone. */
static bool
ig_checkpoint_rest(ig_checkpoint_parser_t *p, const ig_line_member_t *m)
{
    ig_checkpoint_t  *c = p->c;

    if (ig_checkpoint_is(m, "why")) {
        return ig_checkpoint_string(m->value, 32, &c->why);
    }

    if (ig_checkpoint_is(m, "lines")) {
        return ig_line_uint(m->value, &c->lines);
    }

    if (ig_checkpoint_is(m, "findings")) {
        return ig_line_uint(m->value, &c->findings);
    }

    if (ig_checkpoint_is(m, "file")) {
        return ig_checkpoint_string(m->value, IG_CHECKPOINT_FILE, &c->file);
    }

    if (ig_checkpoint_is(m, "log")) {
        p->seen |= IG_SEEN_LOG;
        c->log = m->value;
        return m->value.data[0] == '[' && ig_checkpoint_sound(m->value);
    }

    if (ig_checkpoint_is(m, "level")) {
        p->seen |= IG_SEEN_LEVEL;
        return ig_checkpoint_string(m->value, 16, &c->level);
    }

    if (ig_checkpoint_is(m, "text")) {
        p->seen |= IG_SEEN_TEXT;
        return ig_checkpoint_string(m->value, 4096, &c->text);
    }

    if (ig_checkpoint_is(m, "next")) {
        p->seen |= IG_SEEN_NEXT;
        return ig_checkpoint_hex(m->value, c->next, IG_SIGN_KEY);
    }

    return true;
}


static bool
ig_checkpoint_member(void *ctx, const ig_line_member_t *m)
{
    unsigned                 seen;
    ig_checkpoint_parser_t  *p = ctx;

    if (p->seen & IG_SEEN_SIG) {
        return false;           /* nothing follows what is signed */
    }

    if (ig_checkpoint_is(m, "sig")) {
        p->seen |= IG_SEEN_SIG;
        p->c->signed_part.data = p->line.data;
        p->c->signed_part.len = (size_t) (m->comma - p->line.data);
        return ig_checkpoint_hex(m->value, p->c->sig, IG_SIGNATURE);
    }

    if ((p->seen & IG_SEEN_HEAD) != IG_SEEN_HEAD) {
        seen = ig_checkpoint_head(p->c, m);
        p->seen |= seen;
        return seen != 0;
    }

    return ig_checkpoint_rest(p, m);
}


int
ig_checkpoint_parse(ig_str_t line, ig_checkpoint_t *c)
{
    unsigned                body;
    ig_checkpoint_parser_t  p = { c, 0, line };

    memset(c, 0, sizeof(*c));

    if (line.len >= IG_CHECKPOINT_LINE
        || !ig_checkpoint_members(line, ig_checkpoint_member, &p)
        || !(p.seen & IG_SEEN_SIG))
    {
        return IG_ERROR;
    }

    body = c->kind == IG_CHECKPOINT_SEAL ? IG_SEEN_LOG
           : c->kind == IG_CHECKPOINT_KEY ? IG_SEEN_NEXT
                                          : IG_SEEN_LEVEL | IG_SEEN_TEXT;

    return (p.seen & (IG_SEEN_HEAD | body)) == (IG_SEEN_HEAD | body)
           ? IG_OK : IG_ERROR;
}
