/*
 * ig_redis_command.c: ops as the text of commands.
 * Owns nothing.  Borrows the op and the buffer for the call.
 * Called by the client, for every op it sends.
 */

#include "ig_redis_step.h"
#include "ig_window.h"

#include <string.h>


/* Longest argument "$<len>\r\n<bytes>\r\n" made here: a key of 200 bytes. */
#define IG_ARG_SIZE  224
#define IG_ARG_HEAD  6          /* "$200\r\n" */


/* The two keys of an op as arguments; the second is made when it is asked. */
typedef struct {
    ig_str_t  cur;
    ig_str_t  prev;
    char      memory[2][IG_ARG_SIZE];
} ig_keys_t;


void
ig_redis_arg(ig_buf_t *b, ig_str_t arg)
{
    ig_buf_char(b, '$');
    ig_buf_u64(b, arg.len);
    ig_buf_lit(b, "\r\n");
    ig_buf_str_add(b, arg);
    ig_buf_lit(b, "\r\n");
}


/* Writes n behind `prefix` (0: none) as one argument. */
static void
ig_arg_number(ig_buf_t *b, char prefix, int64_t n)
{
    char      memory[24];
    ig_buf_t  text;

    ig_buf_init(&text, memory, sizeof(memory));

    if (prefix != 0) {
        ig_buf_char(&text, prefix);
    }

    ig_buf_i64(&text, n);
    ig_redis_arg(b, ig_buf_str(&text));
}


/*
 * Finishes an argument whose bytes were written IG_ARG_HEAD into memory: puts
 * the length in front and the line's end behind.  An empty string: too long.
 */
static ig_str_t
ig_arg_close(ig_buf_t *b, char *memory)
{
    char    *p;
    size_t   len, n;

    n = len = (size_t) (b->pos - b->start);
    ig_buf_lit(b, "\r\n");

    if (b->full) {
        return ig_str("");
    }

    p = memory + IG_ARG_HEAD;
    *--p = '\n';
    *--p = '\r';

    do {
        *--p = (char) ('0' + n % 10);
        n /= 10;
    } while (n != 0);

    *--p = '$';

    return (ig_str_t) { (size_t) (b->pos - p), p };
}


static bool
ig_has_buckets(const ig_counter_t *counter)
{
    return counter->kind == IG_COUNT
           || counter->kind == IG_SUM
           || counter->kind == IG_MEAN;
}


/* The key of the bucket `back` buckets before the op's own, as an argument. */
static ig_str_t
ig_key(const ig_op_t *op, int64_t back, char memory[IG_ARG_SIZE])
{
    ig_buf_t             b;
    const ig_counter_t  *counter;

    counter = op->counter;

    ig_buf_init(&b, memory + IG_ARG_HEAD, IG_ARG_SIZE - IG_ARG_HEAD);

    ig_buf_lit(&b, "ig:1:{");
    ig_buf_str_add(&b, counter->name);
    ig_buf_char(&b, ':');
    ig_buf_base64url(&b, op->key, IG_HASH);
    ig_buf_lit(&b, "}:");
    ig_buf_str_add(&b, counter->shape);
    ig_buf_char(&b, '.');
    ig_buf_hex(&b, counter->ident, 4);

    if (ig_has_buckets(counter)) {
        ig_buf_char(&b, ':');
        ig_buf_i64(&b, ig_window_bucket(op->time, counter->window) - back);
    }

    return ig_arg_close(&b, memory);
}


/* The latest time known: last must not run backwards. */
static int64_t
ig_last_time(const ig_op_t *op)
{
    return op->raw.last > op->time ? op->raw.last : op->time;
}


/* Until when a key is to be on a list. */
static int64_t
ig_until(const ig_op_t *op)
{
    int64_t  until;

    return __builtin_add_overflow(op->time, op->delta, &until) ? INT64_MAX
                                                               : until;
}


static void
ig_step_argument(ig_buf_t *b, char name, const ig_op_t *op, ig_keys_t *keys)
{
    const ig_counter_t  *counter;

    counter = op->counter;

    switch (name) {

    case 'k':
        b->full |= keys->cur.len == 0;
        ig_buf_str_add(b, keys->cur);
        break;

    case 'p':
        keys->prev = ig_key(op, 1, keys->memory[1]);
        b->full |= keys->prev.len == 0;
        ig_buf_str_add(b, keys->prev);
        break;

    case 'l':
        ig_arg_number(b, 0, ig_window_ttl(counter));
        break;

    case 't':
        ig_arg_number(b, 0, op->time);
        break;

    case 'a':
        ig_arg_number(b, 0, ig_last_time(op));
        break;

    case 'w':
        ig_arg_number(b, 0, op->raw.was);
        break;

    case 'o':
        ig_arg_number(b, '(', op->time - counter->window);
        break;

    case 'x':
        ig_arg_number(b, 0, - (int64_t) counter->max - 1);
        break;

    case 'm':
        ig_redis_arg(b, (ig_str_t) { IG_HASH, (const char *) op->member });
        break;

    case 'd':
        ig_arg_number(b, 0, op->delta);
        break;

    case 'u':
        ig_arg_number(b, 0, ig_until(op));
        break;

    case 'e':
        /* Redis refuses a TTL of nothing */
        ig_arg_number(b, 0, op->delta > 0 ? (op->delta - 1) / 1000 + 1 : 1);
        break;

    case 'f':
        ig_arg_number(b, 0, op->raw.first);
        break;

    case 'n':
        ig_arg_number(b, 0, op->raw.ncur);
        break;

    case 'z':
        ig_arg_number(b, 0, ig_window_left(counter, op->time, op->raw.was));
        break;

    case 'i':
        ig_arg_number(b, 0, op->delta == INT64_MIN ? INT64_MAX : - op->delta);
        break;
    }
}


/* One command: the step's text with its arguments filled in. */
static void
ig_step_write(ig_buf_t *b, ig_step_e step, const ig_op_t *op, ig_keys_t *keys)
{
    const char  *p, *mark;

    p = ig_step_info[step].text;

    for ( ;; ) {
        mark = strchr(p, '%');

        if (mark == NULL) {
            ig_buf_bytes(b, p, strlen(p));
            return;
        }

        ig_buf_bytes(b, p, (size_t) (mark - p));
        ig_step_argument(b, mark[1], op, keys);
        p = mark + 2;
    }
}


static unsigned
ig_steps_write(ig_buf_t *b, const uint8_t *steps, uint8_t recipe,
    const ig_op_t *op)
{
    unsigned   replies;
    ig_keys_t  keys;

    keys.cur = ig_key(op, 0, keys.memory[0]);
    replies = 0;

    for ( /* void */ ; *steps != IG_STEP_NONE; steps++) {
        if (ig_step_sent(*steps, recipe)) {
            ig_step_write(b, *steps, op, &keys);
            replies++;
        }
    }

    return replies;
}


/* What is known of the first or last sighting, for writing it. */
static uint8_t
ig_recipe_seen(const ig_op_t *op)
{
    if (op->verb != IG_OP_PUT || op->raw.last <= 0) {
        return IG_RECIPE_KEPT;
    }

    if (op->raw.last < op->time - op->counter->window) {
        return IG_RECIPE_SEEN | IG_RECIPE_FORGOTTEN;
    }

    return IG_RECIPE_SEEN | IG_RECIPE_KEPT;
}


static uint8_t
ig_recipe(const ig_op_t *op, const ig_note_t *note)
{
    uint8_t  recipe;

    if (op->verb == IG_OP_PEEK || op->verb == IG_OP_DROP) {
        return IG_RECIPE_NO_PREV;
    }

    switch (op->counter->kind) {

    case IG_COUNT:
    case IG_SUM:
    case IG_MEAN:
        recipe = note != NULL && note->ttl_known ? IG_RECIPE_TTL : 0;
        recipe |= note != NULL && note->prev_known ? IG_RECIPE_PREV
                                                   : IG_RECIPE_NO_PREV;
        return recipe;

    case IG_DISTINCT:
        if (op->verb != IG_OP_UNDO) {
            return 0;
        }

        return op->raw.was < 0 ? IG_RECIPE_NEW : IG_RECIPE_SEEN;

    case IG_FIRST:
        return ig_recipe_seen(op);

    default:
        return 0;
    }
}


unsigned
ig_redis_op_write(ig_buf_t *b, ig_op_t *op, const ig_note_t *note,
    uint8_t *recipe)
{
    unsigned  replies;

    *recipe = ig_recipe(op, note);

    op->state = IG_OP_PENDING;

    if (op->verb == IG_OP_READ || op->verb == IG_OP_ADD
        || op->verb == IG_OP_PEEK)
    {
        op->raw = (ig_raw_t) { .first = -1, .last = -1, .was = -1 };

        if (*recipe & IG_RECIPE_PREV) {
            op->raw.prev = note->prev;
            op->raw.nprev = note->nprev;
        }
    }

    replies = ig_steps_write(b, ig_steps[op->counter->kind][op->verb],
                             *recipe, op);

    if (replies == 0) {
        op->state = IG_OP_DONE;
    }

    return replies;
}


bool
ig_redis_op_expires(const ig_op_t *op)
{
    return op->counter->kind != IG_LAST && op->counter->kind != IG_LISTED;
}


unsigned
ig_redis_op_expire(ig_buf_t *b, const ig_op_t *op)
{
    static const uint8_t  expire[] = { IG_STEP_EXPIRE, IG_STEP_NONE };

    return ig_steps_write(b, expire, 0, op);
}


unsigned
ig_redis_op_again(ig_buf_t *b, const ig_op_t *op)
{
    const uint8_t  *steps;

    static const uint8_t  expire[] = { IG_STEP_EXPIRE, IG_STEP_NONE };
    static const uint8_t  incr[] = { IG_STEP_INCR, IG_STEP_EXPIRE,
                                     IG_STEP_NONE };
    static const uint8_t  add[] = { IG_STEP_ADD_SUM, IG_STEP_ADD_ONE,
                                    IG_STEP_EXPIRE, IG_STEP_NONE };
    static const uint8_t  sub[] = { IG_STEP_SUB_ONE, IG_STEP_EXPIRE,
                                    IG_STEP_NONE };
    static const uint8_t  first[] = { IG_STEP_HSET_FIRST, IG_STEP_EXPIRE,
                                      IG_STEP_NONE };

    steps = expire;

    switch (op->counter->kind) {

    case IG_COUNT:
        if (op->verb == IG_OP_UNDO) {
            steps = incr;
        }
        break;

    case IG_SUM:
    case IG_MEAN:
        if (op->verb == IG_OP_UNDO) {
            steps = add;

        } else if (op->state == IG_OP_FAILED) {
            steps = sub;
        }
        break;

    case IG_FIRST:
        steps = first;
        break;

    default:
        break;
    }

    return ig_steps_write(b, steps, 0, op);
}


void
ig_redis_marker_key(ig_buf_t *b, const ig_counter_t *counter)
{
    char      memory[IG_ARG_SIZE];
    ig_buf_t  key;

    ig_buf_init(&key, memory, sizeof(memory));

    ig_buf_lit(&key, "ig:1:{");
    ig_buf_str_add(&key, counter->name);
    ig_buf_lit(&key, "}:since.");
    ig_buf_hex(&key, counter->ident, 4);

    b->full |= key.full;
    ig_redis_arg(b, ig_buf_str(&key));
}


void
ig_redis_marker_write(ig_buf_t *b, const ig_counter_t *counter, int64_t now)
{
    ig_buf_lit(b, "*6\r\n$3\r\nSET\r\n");
    ig_redis_marker_key(b, counter);
    ig_arg_number(b, 0, now);
    ig_buf_lit(b, "$2\r\nEX\r\n");
    ig_redis_arg(b, ig_str(IG_REDIS_MARKER_TTL));
    ig_buf_lit(b, "$2\r\nNX\r\n");

    ig_buf_lit(b, "*2\r\n$3\r\nGET\r\n");
    ig_redis_marker_key(b, counter);
}
