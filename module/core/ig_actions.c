/*
 * ig_actions.c: which actions an on= speaks of.
 * Owns nothing: the items are in the policy's memory, made by the reader of
 * directives.  Borrows action names.  Called by the policy, plans, the call.
 */

#include <string.h>

#include "ig_policy_int.h"


/* One item; no items at all read as the single pattern "*". */
typedef struct {
    ig_str_t  text;
    bool      wildcard;
} ig_pattern_t;


static unsigned
ig_pattern_count(const ig_actions_t *on)
{
    return on->nitems ? on->nitems : 1;
}


static ig_pattern_t
ig_pattern(const ig_actions_t *on, unsigned i)
{
    ig_pattern_t  pattern = { ig_string(""), true };

    if (on->nitems) {
        pattern.text = on->item[i];
        pattern.wildcard = on->wildcard[i];
    }

    return pattern;
}


static bool
ig_starts_with(ig_str_t s, ig_str_t prefix)
{
    return s.len >= prefix.len
           && (prefix.len == 0 || memcmp(s.data, prefix.data, prefix.len) == 0);
}


bool
ig_action_is_decision(ig_str_t action)
{
    return ig_starts_with(action, ig_str("decision."));
}


/* Whether `pattern` matches every action that `other` matches. */
static bool
ig_pattern_covers(ig_pattern_t pattern, ig_pattern_t other)
{
    if (!pattern.wildcard) {
        return !other.wildcard && ig_str_eq(pattern.text, other.text);
    }

    if (!other.wildcard && ig_action_is_decision(other.text)) {
        return false;
    }

    return ig_starts_with(other.text, pattern.text);
}


bool
ig_actions_match(const ig_actions_t *on, ig_str_t action)
{
    unsigned      i;
    ig_pattern_t  name = { action, false };

    for (i = 0; i < ig_pattern_count(on); i++) {
        if (ig_pattern_covers(ig_pattern(on, i), name)) {
            return true;
        }
    }

    return false;
}


/* Item by item: every item of `other` must be covered by one of `on`. */
bool
ig_actions_cover(const ig_actions_t *on, const ig_actions_t *other)
{
    unsigned  i, j;

    for (i = 0; i < ig_pattern_count(other); i++) {

        for (j = 0; j < ig_pattern_count(on); j++) {
            if (ig_pattern_covers(ig_pattern(on, j), ig_pattern(other, i))) {
                break;
            }
        }

        if (j == ig_pattern_count(on)) {
            return false;
        }
    }

    return true;
}


/* Two patterns have an action in common where one covers the other. */
bool
ig_actions_overlap(const ig_actions_t *on, const ig_actions_t *other)
{
    unsigned      i, j;
    ig_pattern_t  a, b;

    for (i = 0; i < ig_pattern_count(on); i++) {
        for (j = 0; j < ig_pattern_count(other); j++) {

            a = ig_pattern(on, i);
            b = ig_pattern(other, j);

            if (ig_pattern_covers(a, b) || ig_pattern_covers(b, a)) {
                return true;
            }
        }
    }

    return false;
}


/* Items are sorted and each is there once, so that this is enough. */
bool
ig_actions_equal(const ig_actions_t *a, const ig_actions_t *b)
{
    unsigned      i;
    ig_pattern_t  x, y;

    if (ig_pattern_count(a) != ig_pattern_count(b)) {
        return false;
    }

    for (i = 0; i < ig_pattern_count(a); i++) {

        x = ig_pattern(a, i);
        y = ig_pattern(b, i);

        if (x.wildcard != y.wildcard || !ig_str_eq(x.text, y.text)) {
            return false;
        }
    }

    return true;
}


bool
ig_actions_have_decision(const ig_actions_t *on)
{
    unsigned  i;

    for (i = 0; i < on->nitems; i++) {
        if (!on->wildcard[i] && ig_action_is_decision(on->item[i])) {
            return true;
        }
    }

    return false;
}


void
ig_actions_text(ig_buf_t *b, const ig_actions_t *on)
{
    unsigned      i;
    ig_pattern_t  pattern;

    for (i = 0; i < ig_pattern_count(on); i++) {

        if (i) {
            ig_buf_char(b, ',');
        }

        pattern = ig_pattern(on, i);
        ig_buf_str_add(b, pattern.text);

        if (pattern.wildcard) {
            ig_buf_char(b, '*');
        }
    }
}
