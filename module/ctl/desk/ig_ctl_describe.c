/*
 * ig_ctl_describe.c: counters, durations and decisions in words.
 * Owns nothing.  Called by ig_ctl_explain*.c and ig_ctl_recall.c.
 */

#include "ig_ctl_describe.h"


void
ig_describe_duration(ig_buf_t *b, int64_t ms)
{
    unsigned  i;

    static const struct {
        int64_t     ms;
        const char *name;
    } unit[] = {
        { INT64_C(86400000), "day" },
        { 3600000, "hour" },
        { 60000, "minute" },
        { 1000, "second" }
    };

    for (i = 0; i < ig_countof(unit); i++) {
        if (ms > 0 && ms % unit[i].ms == 0) {
            ig_buf_i64(b, ms / unit[i].ms);
            ig_buf_char(b, ' ');
            ig_buf_str_add(b, (ig_str_t) { __builtin_strlen(unit[i].name),
                                           unit[i].name });
            ig_buf_str_add(b, ms == unit[i].ms ? ig_str("") : ig_str("s"));
            return;
        }
    }

    ig_buf_duration(b, ms);
}


void
ig_describe_key(ig_buf_t *b, const ig_policy_t *policy,
    const ig_counter_t *counter)
{
    unsigned  i;

    for (i = 0; i < counter->nkey; i++) {

        if (i > 0) {
            ig_buf_str_add(b, i + 1 < counter->nkey ? ig_str(", ")
                                                    : ig_str(" and "));
        }

        ig_buf_str_add(b, policy->field[counter->key[i]]->name);
    }
}


/* "calls of review.create and order.*" */
static void
ig_describe_calls(ig_buf_t *b, const ig_counter_t *c)
{
    unsigned               i;
    static const ig_str_t  when[] = {
        [IG_ACCEPTED] = ig_string("calls"),
        [IG_ATTEMPTS] = ig_string("calls, refused ones too,"),
        [IG_COMPLETED] = ig_string("calls that the application completed")
    };

    ig_buf_str_add(b, when[c->when]);

    for (i = 0; i < c->on.nitems; i++) {
        ig_buf_str_add(b, i == 0 ? ig_str(" of ")
                       : i + 1 < c->on.nitems ? ig_str(", ")
                                              : ig_str(" and "));
        ig_buf_str_add(b, c->on.item[i]);
        ig_buf_str_add(b, c->on.wildcard[i] ? ig_str("*") : ig_str(""));
    }

    if (c->on.nitems == 0) {
        ig_buf_lit(b, " of any action");
    }
}


static void
ig_describe_same(ig_buf_t *b, const ig_policy_t *policy,
    const ig_counter_t *c)
{
    if (c->similar >= 0) {
        ig_buf_lit(b, " with nearly the same ");
        ig_buf_str_add(b, policy->field[c->similar]->name);
    }

    if (c->nkey > 0) {
        ig_buf_str_add(b, c->similar >= 0 ? ig_str(" and the same ")
                                          : ig_str(" with the same "));
        ig_describe_key(b, policy, c);
    }
}


static void
ig_describe_kind(ig_buf_t *b, const ig_policy_t *policy,
    const ig_counter_t *c)
{
    static const ig_str_t  kind[IG_KINDS] = {
        [IG_COUNT] = ig_string(""),
        [IG_COUNT_EXACT] = ig_string(""),
        [IG_DISTINCT] = ig_string("different values of "),
        [IG_SUM] = ig_string("the sum of "),
        [IG_MEAN] = ig_string("the mean of "),
        [IG_FIRST] = ig_string("seconds since the first of the "),
        [IG_LAST] = ig_string("seconds since the last of the "),
        [IG_LISTED] = ig_string("")
    };

    ig_buf_str_add(b, kind[c->kind]);

    if (c->value >= 0) {
        ig_buf_str_add(b, policy->field[c->value]->name);
        ig_buf_lit(b, " in ");
    }
}


static void
ig_describe_window(ig_buf_t *b, const ig_counter_t *c, ig_str_t action)
{
    if (c->kind == IG_FIRST) {
        ig_buf_lit(b, ", forgotten after ");
        ig_describe_duration(b, c->window);
        ig_buf_lit(b, " without one");
        return;
    }

    ig_buf_lit(b, " within ");
    ig_describe_duration(b, c->window);

    if (c->kind == IG_SUM || c->kind == IG_MEAN) {
        ig_buf_lit(b, ", this one not included");

    } else if (c->kind != IG_LAST && action.len > 0
               && ig_actions_match(&c->on, action))
    {
        ig_buf_lit(b, ", this one included");
    }
}


void
ig_describe_counter(ig_buf_t *b, const ig_policy_t *policy,
    const ig_counter_t *c, ig_str_t action, bool in_public)
{
    if (c->kind == IG_LISTED) {
        ig_buf_lit(b, "a list of ");
        ig_describe_key(b, policy, c);
        return;
    }

    ig_describe_kind(b, policy, c);
    ig_describe_calls(b, c);
    ig_describe_same(b, policy, c);

    if (in_public) {
        return;
    }

    ig_describe_window(b, c, action);

    if (c->cond) {
        ig_buf_lit(b, ", where ");
        ig_buf_str_add(b, ig_expr_text(c->cond));
    }
}


const char *
ig_describe_decision(ig_decision_e d)
{
    switch (d) {

    case IG_ALLOW:
        return "It was allowed: it passed.";

    case IG_HOLD:
        return "It was held: it passed, and the application was told to "
               "moderate it.";

    case IG_THROTTLE:
        return "It was throttled: refused for now, to be tried again later.";

    case IG_DENY:
        return "It was denied: refused.";

    default:
        return "What was decided is not told.";
    }
}


const char *
ig_describe_would(ig_decision_e d)
{
    switch (d) {

    case IG_HOLD:
        return "been held";

    case IG_THROTTLE:
        return "been throttled";

    case IG_DENY:
        return "been denied";

    default:
        return "passed";
    }
}
