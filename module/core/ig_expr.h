/*
 * ig_expr.h: the expression language: compiled once, evaluated without
 * allocation and without loops.
 * Owns: the compiled form.  Borrows: names through a resolver, values through
 * an environment.  Called by the policy (compile) and the call (evaluate).
 */

#ifndef IG_EXPR_H
#define IG_EXPR_H

#include "ig_value.h"

#define IG_EXPR_DEPTH  32       /* operand stack; deeper is refused */

typedef struct ig_expr_s  ig_expr_t;

typedef enum {
    IG_NAME_NONE = 0,
    IG_NAME_FIELD,
    IG_NAME_COUNTER,
    IG_NAME_THRESHOLD,
    IG_NAME_LIST                /* true or false; id: the counter's */
} ig_name_kind_e;

typedef struct {
    ig_name_kind_e  kind;
    unsigned        id;         /* index in the policy's array of that kind */
    int64_t         window;     /* counters: ms, for rate() */
} ig_name_t;

/* Fills name; returns false where nothing is called so. */
typedef bool (*ig_resolve_pt)(void *ctx, ig_str_t text, ig_name_t *name);

/*
 * Compiles text, which must be true or false as a whole (`boolean`).  Errors
 * name the offending token and its column, and what would be right.
 * mem keeps the compiled form; text is copied.
 */
int ig_expr_compile(ig_mem_t *mem, ig_str_t text, ig_resolve_pt resolve,
    void *ctx, ig_expr_t **expr, ig_error_t *err, ig_pos_t pos);

/*
 * Names that mean something in the language itself (has, or, abs, min, max,
 * rate, hour, weekday, true, false): no field, counter or threshold may be
 * called so.
 */
bool ig_expr_reserved(ig_str_t name);

/* Calls visit once for every distinct name the expression reads. */
void ig_expr_names(const ig_expr_t *expr,
    void (*visit)(void *ctx, const ig_name_t *name), void *ctx);

/* As compiled, in canonical spacing. */
ig_str_t ig_expr_text(const ig_expr_t *expr);

/*
 * Where the expression is exactly `counter > n` or `counter >= n` with n a
 * number or a threshold: true, and what the counter must stay at or below.
 */
typedef struct {
    unsigned   counter;
    bool       or_equal;        /* >= */
    bool       is_threshold;
    unsigned   threshold;
    double     number;
} ig_limit_t;

bool ig_expr_is_limit(const ig_expr_t *expr, ig_limit_t *limit);

/* What evaluation reads; arrays are indexed by the ids of ig_name_t. */
typedef struct {
    const ig_value_t  *field;
    const ig_value_t  *counter;
    const double      *threshold;
    int64_t            time;        /* ms since epoch: the event's own */
    int32_t            zone;        /* seconds east of UTC */
} ig_env_t;

/* Three-valued: IG_BOOL (num 1 or 0) or IG_UNKNOWN. */
ig_value_t ig_expr_eval(const ig_expr_t *expr, const ig_env_t *env);

#endif /* IG_EXPR_H */
