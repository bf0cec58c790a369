/*
 * ig_redis_reply.c: hiredis' redisReader with object functions of our own.
 * Owns: the reader's memory (hiredis takes it from malloc).
 * Called by the client, once per read.
 *
 * hiredis calls an object function with bytes in its own buffer, which moves
 * before the reply is handed out, and may move between the items of an array.
 * So the few bytes that matter are copied into the reader, and every function
 * returns the same reply, or NULL to refuse, which makes the reader fail.
 */

#include "ig_redis_reply.h"

#include <hiredis/read.h>
#include <stdlib.h>
#include <string.h>


/* hiredis 1.0 brought RESP3: sizes became size_t, types were added. */
#ifdef REDIS_REPLY_DOUBLE
#define IG_RESP3  1
typedef size_t  ig_elements_t;
#else
#define IG_RESP3  0
typedef int  ig_elements_t;
#endif


struct ig_redis_reader_s {
    redisReader  *reader;
    ig_reply_t    reply;
    bool          results;      /* arrays are RESULTS */
    char          text[IG_REPLY_ITEMS][IG_REPLY_TEXT];
};


static ig_redis_reader_t *
ig_reader_of(const redisReadTask *task)
{
    return task->privdata;
}


/* Refuses an item of an array that has no place; index 0 outside of arrays. */
static bool
ig_reply_index(const redisReadTask *task, unsigned *i)
{
    *i = task->parent == NULL ? 0 : (unsigned) task->idx;

    return *i < IG_REPLY_ITEMS;
}


/* One of EXEC's results. */
static bool
ig_reply_is_result(const ig_redis_reader_t *r, const redisReadTask *task)
{
    return task->parent != NULL && r->reply.type == IG_REPLY_RESULTS;
}


static void *
ig_reply_string(const redisReadTask *task, char *str, size_t len)
{
    unsigned            i;
    ig_str_t            copy;
    ig_redis_reader_t  *r;

    r = ig_reader_of(task);

    if (ig_reply_is_result(r, task)) {
        r->reply.nerrors += task->type == REDIS_REPLY_ERROR;
        return &r->reply;
    }

    /* hiredis skips the two bytes behind a bulk without looking at them */
    if (!ig_reply_index(task, &i) || str[len] != '\r' || str[len + 1] != '\n') {
        return NULL;
    }

    copy.data = r->text[i];
    copy.len = len < IG_REPLY_TEXT ? len : IG_REPLY_TEXT;
    memcpy(r->text[i], str, copy.len);

    if (task->parent != NULL) {
        if (task->type != REDIS_REPLY_STRING) {
            return NULL;
        }

        r->reply.item[i].nil = false;
        r->reply.item[i].str = copy;

        return &r->reply;
    }

    switch (task->type) {

    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS:
        r->reply.type = IG_REPLY_STRING;
        break;

    case REDIS_REPLY_ERROR:
        r->reply.type = IG_REPLY_ERROR;
        break;

    default:
        return NULL;
    }

    r->reply.str = copy;

    return &r->reply;
}


static void *
ig_reply_array(const redisReadTask *task, ig_elements_t elements)
{
    ig_redis_reader_t  *r;

    r = ig_reader_of(task);

    if (task->parent != NULL
        || task->type != REDIS_REPLY_ARRAY
        || elements > (r->results ? IG_REPLY_RESULT : IG_REPLY_ITEMS))
    {
        return NULL;
    }

    r->reply.type = r->results ? IG_REPLY_RESULTS : IG_REPLY_ARRAY;
    r->reply.nerrors = 0;
    r->reply.nitems = (unsigned) elements;

    return &r->reply;
}


static void *
ig_reply_integer(const redisReadTask *task, long long n)
{
    ig_redis_reader_t  *r;

    r = ig_reader_of(task);

    if (ig_reply_is_result(r, task)) {
        return &r->reply;
    }

    if (task->parent != NULL) {
        return NULL;
    }

    r->reply.type = IG_REPLY_INTEGER;
    r->reply.integer = n;

    return &r->reply;
}


static void *
ig_reply_nil(const redisReadTask *task)
{
    unsigned            i;
    ig_redis_reader_t  *r;

    r = ig_reader_of(task);

    if (ig_reply_is_result(r, task)) {
        return &r->reply;
    }

    if (!ig_reply_index(task, &i)) {
        return NULL;
    }

    if (task->parent == NULL) {
        r->reply.type = IG_REPLY_NIL;

    } else {
        r->reply.item[i].nil = true;
    }

    return &r->reply;
}


#if IG_RESP3

static void *
ig_reply_double(const redisReadTask *task, double n, char *str, size_t len)
{
    (void) task;
    (void) n;
    (void) str;
    (void) len;

    return NULL;
}


static void *
ig_reply_bool(const redisReadTask *task, int n)
{
    (void) task;
    (void) n;

    return NULL;
}

#endif


static void
ig_reply_free(void *reply)
{
    (void) reply;       /* it lives in the reader */
}


static redisReplyObjectFunctions  ig_reply_functions = {
    .createString = ig_reply_string,
    .createArray = ig_reply_array,
    .createInteger = ig_reply_integer,
#if IG_RESP3
    .createDouble = ig_reply_double,
    .createBool = ig_reply_bool,
#endif
    .createNil = ig_reply_nil,
    .freeObject = ig_reply_free,
};


ig_redis_reader_t *
ig_redis_reader_create(void)
{
    ig_redis_reader_t  *r;

    r = calloc(1, sizeof(ig_redis_reader_t));
    if (r == NULL) {
        return NULL;
    }

    r->reader = redisReaderCreateWithFunctions(&ig_reply_functions);
    if (r->reader == NULL) {
        free(r);
        return NULL;
    }

    r->reader->privdata = r;

    return r;
}


void
ig_redis_reader_free(ig_redis_reader_t *r)
{
    if (r != NULL) {
        redisReaderFree(r->reader);
        free(r);
    }
}


void
ig_redis_reader_results(ig_redis_reader_t *r, bool results)
{
    r->results = results;
}


int
ig_redis_reader_feed(ig_redis_reader_t *r, const char *data, size_t len)
{
    return redisReaderFeed(r->reader, data, len) == REDIS_OK ? IG_OK : IG_NOMEM;
}


int
ig_redis_reader_next(ig_redis_reader_t *r, const ig_reply_t **reply)
{
    void  *got;

    if (redisReaderGetReply(r->reader, &got) != REDIS_OK) {
        return IG_ERROR;
    }

    if (got != NULL) {
        *reply = got;
        return IG_OK;
    }

    return r->reader->len - r->reader->pos > IG_REPLY_UNREAD ? IG_ERROR
                                                             : IG_AGAIN;
}


bool
ig_reply_number(ig_str_t str, int64_t *n)
{
    bool        negative;
    size_t      i;
    uint64_t    value, limit;
    unsigned    digit;

    negative = str.len != 0 && str.data[0] == '-';
    limit = negative ? (uint64_t) INT64_MAX + 1 : INT64_MAX;
    value = 0;

    i = negative ? 1 : 0;

    if (i == str.len) {
        return false;
    }

    for ( /* void */ ; i < str.len; i++) {
        digit = (unsigned) (str.data[i] - '0');

        if (digit > 9 || value > (limit - digit) / 10) {
            return false;
        }

        value = value * 10 + digit;
    }

    *n = (int64_t) (negative ? - value : value);

    return true;
}


ig_str_t
ig_reply_code(const ig_reply_t *reply)
{
    ig_str_t  code;

    code.data = reply->str.data;

    for (code.len = 0; code.len < reply->str.len; code.len++) {
        if (code.data[code.len] < 'A' || code.data[code.len] > 'Z') {
            break;
        }
    }

    if (code.len == 0 || code.len > 16
        || (code.len < reply->str.len && code.data[code.len] != ' '))
    {
        return ig_str("?");
    }

    return code;
}
