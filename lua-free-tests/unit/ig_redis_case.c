/*
 * ig_redis_case.c: see ig_redis_case.h.
 * Owns nothing: a case is its test's.  Called by the tests of module/redis.
 */

#include "ig_redis_case.h"

#include <stdio.h>
#include <string.h>


void
ig_case_init(ig_redis_case_t *c, ig_kind_e kind, ig_verb_e verb)
{
    unsigned  i;

    memset(c, 0, sizeof(ig_redis_case_t));

    c->counter.name = ig_str("seen");
    c->counter.shape = ig_str("x3600000");
    c->counter.kind = kind;
    c->counter.window = IG_CASE_WINDOW;
    c->counter.max = 3;

    for (i = 0; i < sizeof(c->counter.ident); i++) {
        c->counter.ident[i] = (uint8_t) i;
    }

    c->op.counter = &c->counter;
    c->op.verb = verb;
    c->op.time = IG_CASE_TIME;

    for (i = 0; i < IG_HASH; i++) {
        c->op.key[i] = (uint8_t) i;
        /* bytes that a text protocol would trip over */
        c->op.member[i] = (uint8_t) "\r\n\0%$*k1\xff\x80 :-+ab"[i];
    }
}


void
ig_case_write(ig_redis_case_t *c, const ig_note_t *note, unsigned replies)
{
    ig_buf_init(&c->buf, c->memory, sizeof(c->memory));

    assert_int_equal(ig_redis_op_write(&c->buf, &c->op, note, &c->recipe),
                     replies);
    assert_false(c->buf.full);
}


/* One word of an expected command as an argument; returns its length. */
static size_t
ig_case_word(const ig_redis_case_t *c, const char *word, size_t len, char *out)
{
    int          n;
    char         text[256];
    size_t       size;

    size = len;
    memcpy(text, word, len);

    if (len == 1 && word[0] == 'M') {
        size = IG_HASH;
        memcpy(text, c->op.member, size);

    } else if (word[0] == 'K') {
        size = sizeof(IG_CASE_KEY) - 1 + len - 1;
        memcpy(text, IG_CASE_KEY, sizeof(IG_CASE_KEY) - 1);
        memcpy(text + sizeof(IG_CASE_KEY) - 1, word + 1, len - 1);
    }

    n = sprintf(out, "$%zu\r\n", size);
    memcpy(out + n, text, size);
    memcpy(out + n + size, "\r\n", 2);

    return (size_t) n + size + 2;
}


void
ig_case_expect(ig_redis_case_t *c, const char *commands)
{
    char         expected[IG_REDIS_OP_TEXT], words[IG_REDIS_OP_TEXT];
    size_t       len, size, nwords, n;
    const char  *p;

    size = 0;
    p = commands;

    while (*p != '\0') {
        len = nwords = 0;

        do {
            n = strcspn(p, " \n");
            len += ig_case_word(c, p, n, words + len);
            nwords++;
            p += n;
        } while (*p++ == ' ');

        size += (size_t) sprintf(expected + size, "*%zu\r\n", nwords);
        memcpy(expected + size, words, len);
        size += len;

        if (p[-1] == '\0') {
            break;
        }
    }

    assert_int_equal(c->buf.pos - c->buf.start, size);
    assert_memory_equal(c->memory, expected, size);
}


int
ig_case_integer(ig_redis_case_t *c, unsigned index, int64_t n)
{
    ig_reply_t  reply = { .type = IG_REPLY_INTEGER, .integer = n };

    return ig_redis_op_reply(&c->op, c->recipe, index, &reply, &c->again);
}


int
ig_case_string(ig_redis_case_t *c, unsigned index, const char *s)
{
    ig_reply_t  reply = { .type = IG_REPLY_NIL };

    if (s != NULL) {
        reply.type = IG_REPLY_STRING;
        reply.str = (ig_str_t) { strlen(s), s };
    }

    return ig_redis_op_reply(&c->op, c->recipe, index, &reply, &c->again);
}


int
ig_case_error(ig_redis_case_t *c, unsigned index, const char *s)
{
    ig_reply_t  reply = { .type = IG_REPLY_ERROR };

    reply.str = (ig_str_t) { strlen(s), s };

    return ig_redis_op_reply(&c->op, c->recipe, index, &reply, &c->again);
}


int
ig_case_pair(ig_redis_case_t *c, unsigned index, const char *a, const char *b)
{
    unsigned     i;
    ig_reply_t   reply = { .type = IG_REPLY_ARRAY, .nitems = 2 };
    const char  *s[2] = { a, b };

    for (i = 0; i < 2; i++) {
        reply.item[i].nil = s[i] == NULL;

        if (s[i] != NULL) {
            reply.item[i].str = (ig_str_t) { strlen(s[i]), s[i] };
        }
    }

    return ig_redis_op_reply(&c->op, c->recipe, index, &reply, &c->again);
}
