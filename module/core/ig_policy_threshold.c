/*
 * ig_policy_threshold.c: the numbers of a policy: integrity_threshold,
 * integrity_scores, integrity_time_zone.
 * Owns: thresholds, in the policy's memory.  Borrows the line.
 * Called by ig_policy_directive.
 */

#include <limits.h>
#include <string.h>

#include "ig_policy_int.h"


/* -- integrity_threshold NAME NUMBER|TIME [default] ---------------------- */


static int
ig_threshold_set_default(ig_line_t *line, void *item, ig_str_t value)
{
    bool  *is_default = item;

    (void) line;
    (void) value;

    *is_default = true;
    return IG_OK;
}


static const ig_param_t  ig_threshold_params[] = {
    { ig_string("default"), false, ig_threshold_set_default }
};


static ig_threshold_draft_t *
ig_threshold_find(const ig_policy_t *p, ig_str_t name)
{
    const ig_threshold_t  *t;

    t = ig_policy_threshold(p, name);

    return t ? (ig_threshold_draft_t *) p->threshold[t->id] : NULL;
}


static int
ig_threshold_add(ig_line_t *line, ig_threshold_draft_t **added)
{
    void                  *grown;
    ig_policy_t           *p;
    ig_threshold_draft_t  *d;

    p = line->policy;

    if (p->nthresholds == IG_MAX_THRESHOLDS) {
        return ig_line_error(line, "\"%.*s\" is one threshold more than %d",
                             ig_fmt(line->args[1]), IG_MAX_THRESHOLDS);
    }

    d = ig_alloc(p->mem, sizeof(ig_threshold_draft_t));
    grown = ig_policy_grow(p->mem, p->threshold, p->nthresholds,
                           sizeof(ig_threshold_t *));

    if (d == NULL || grown == NULL
        || ig_str_dup(p->mem, line->args[1], &d->threshold.name) != IG_OK)
    {
        return IG_NOMEM;
    }

    d->threshold.id = p->nthresholds;

    p->threshold = grown;
    p->threshold[p->nthresholds++] = &d->threshold;

    *added = d;
    return IG_OK;
}


/* Of each strength there is one value; the stronger one counts. */
static int
ig_threshold_value(ig_line_t *line, ig_threshold_draft_t *d, double value,
    bool is_default)
{
    char  place[IG_POS_TEXT];

    if (d->has[is_default]) {

        if (d->value[is_default] == value) {
            return IG_OK;
        }

        return ig_line_error(line, "\"%.*s\" has another %s in %s",
                             ig_fmt(d->threshold.name),
                             is_default ? "default" : "value",
                             ig_pos_text(d->pos[is_default], place));
    }

    d->has[is_default] = true;
    d->value[is_default] = value;
    d->pos[is_default] = line->pos;

    if (!is_default || !d->has[false]) {
        d->threshold.value = value;
        d->threshold.is_default = is_default;
        d->threshold.pos = line->pos;
    }

    return IG_OK;
}


int
ig_policy_threshold_line(ig_line_t *line)
{
    int                    rc;
    bool                   is_default;
    double                 value;
    int64_t                ms;
    ig_threshold_draft_t  *d;

    if (line->nargs < 3) {
        return ig_line_error(line, "needs a name and a value");
    }

    if (ig_line_claim(line, line->args[1], IG_NAME_THRESHOLD) != IG_OK) {
        return IG_ERROR;
    }

    if (!ig_parse_number(line->args[2], &value)) {

        if (!ig_parse_duration(line->args[2], &ms)) {
            return ig_line_error(line, "\"%.*s\" is neither a number nor a "
                                 "duration, as 10, 0.5 or 1h30m",
                                 ig_fmt(line->args[2]));
        }

        value = (double) ms / 1000;
    }

    is_default = false;

    rc = ig_line_params(line, 3, ig_threshold_params,
                        ig_countof(ig_threshold_params), &is_default);
    if (rc != IG_OK) {
        return rc;
    }

    d = ig_threshold_find(line->policy, line->args[1]);

    if (d == NULL) {
        rc = ig_threshold_add(line, &d);
        if (rc != IG_OK) {
            return rc;
        }
    }

    return ig_threshold_value(line, d, value, is_default);
}


/* -- integrity_scores [hold=N] [throttle=N] [deny=N] [default] ----------- */


typedef struct {
    int       from[IG_DECISIONS];
    unsigned  given;
    bool      is_default;
} ig_scores_t;


static int
ig_scores_set(ig_line_t *line, ig_scores_t *s, ig_decision_e d, ig_str_t value)
{
    s->given++;

    return ig_line_integer(line, ig_decision_name(d).data, value, 1,
                           IG_MAX_SCORE, &s->from[d]);
}


static int
ig_scores_set_hold(ig_line_t *line, void *item, ig_str_t value)
{
    return ig_scores_set(line, item, IG_HOLD, value);
}


static int
ig_scores_set_throttle(ig_line_t *line, void *item, ig_str_t value)
{
    return ig_scores_set(line, item, IG_THROTTLE, value);
}


static int
ig_scores_set_deny(ig_line_t *line, void *item, ig_str_t value)
{
    return ig_scores_set(line, item, IG_DENY, value);
}


static int
ig_scores_set_default(ig_line_t *line, void *item, ig_str_t value)
{
    ig_scores_t  *s = item;

    (void) line;
    (void) value;

    s->is_default = true;
    return IG_OK;
}


static const ig_param_t  ig_scores_params[] = {
    { ig_string("hold"),     true, ig_scores_set_hold },
    { ig_string("throttle"), true, ig_scores_set_throttle },
    { ig_string("deny"),     true, ig_scores_set_deny },
    { ig_string("default"),  false, ig_scores_set_default }
};


/* Those that are given ascend: the stronger, the later. */
static int
ig_scores_check(ig_line_t *line, const ig_scores_t *s)
{
    unsigned  d, below;

    for (d = IG_HOLD, below = IG_ALLOW; d < IG_DECISIONS; d++) {

        if (s->from[d] == INT_MAX) {
            continue;
        }

        if (below != IG_ALLOW && s->from[d] < s->from[below]) {
            return ig_line_error(line, "%s=%d is below %s=%d, they go up "
                                 "from hold to deny",
                                 ig_decision_name((ig_decision_e) d).data,
                                 s->from[d],
                                 ig_decision_name((ig_decision_e) below).data,
                                 s->from[below]);
        }

        below = d;
    }

    return IG_OK;
}


/* Of each strength there is one line; the stronger one counts. */
static int
ig_scores_add(ig_line_t *line, const ig_scores_t *s)
{
    char                place[IG_POS_TEXT];
    ig_policy_t        *p;
    ig_policy_build_t  *build;

    p = line->policy;
    build = p->build;

    if (build->has_scores[s->is_default]) {
        return memcmp(build->scores[s->is_default], s->from, sizeof(s->from))
               == 0 ? IG_OK
               : ig_line_error(line, "there are other %sscores in %s",
                               s->is_default ? "default " : "",
                               ig_pos_text(build->scores_pos[s->is_default],
                                           place));
    }

    build->has_scores[s->is_default] = true;
    build->scores_pos[s->is_default] = line->pos;
    memcpy(build->scores[s->is_default], s->from, sizeof(s->from));

    if (!s->is_default || !build->has_scores[false]) {
        memcpy(p->score, s->from, sizeof(p->score));
        p->has_scores = true;
    }

    return IG_OK;
}


int
ig_policy_scores_line(ig_line_t *line)
{
    int          rc;
    unsigned     d;
    ig_scores_t  s;

    s.given = 0;
    s.is_default = false;

    for (d = 0; d < IG_DECISIONS; d++) {
        s.from[d] = INT_MAX;
    }

    rc = ig_line_params(line, 1, ig_scores_params,
                        ig_countof(ig_scores_params), &s);
    if (rc != IG_OK) {
        return rc;
    }

    if (s.given == 0) {
        return ig_line_error(line, "needs one of hold=, throttle=, deny=");
    }

    if (ig_scores_check(line, &s) != IG_OK) {
        return IG_ERROR;
    }

    return ig_scores_add(line, &s);
}


/* -- integrity_time_zone UTC|+HH:MM|-HH:MM ------------------------------- */


/* Seconds east of UTC; the farthest zones are -12:00 and +14:00. */
static bool
ig_zone_parse(ig_str_t s, int32_t *zone)
{
    uint64_t  hours, minutes;

    if (ig_str_eq(s, ig_str("UTC"))) {
        *zone = 0;
        return true;
    }

    if (s.len != 6 || s.data[3] != ':'
        || (s.data[0] != '+' && s.data[0] != '-')
        || !ig_parse_uint((ig_str_t) { 2, s.data + 1 }, 14, &hours)
        || !ig_parse_uint((ig_str_t) { 2, s.data + 4 }, 59, &minutes))
    {
        return false;
    }

    *zone = (int32_t) (hours * 3600 + minutes * 60);

    if (s.data[0] == '-') {
        *zone = -*zone;
    }

    return *zone >= -12 * 3600 && *zone <= 14 * 3600;
}


int
ig_policy_zone_line(ig_line_t *line)
{
    char                place[IG_POS_TEXT];
    int32_t             zone;
    ig_policy_t        *p;
    ig_policy_build_t  *build;

    p = line->policy;
    build = p->build;

    if (line->nargs != 2) {
        return ig_line_error(line, "needs one offset, as +08:00, or UTC");
    }

    if (!ig_zone_parse(line->args[1], &zone)) {
        return ig_line_error(line, "\"%.*s\" is neither UTC nor an offset "
                             "from -12:00 to +14:00, as +08:00",
                             ig_fmt(line->args[1]));
    }

    if (build->has_zone) {
        return p->zone == zone ? IG_OK
               : ig_line_error(line, "\"%.*s\" is not what %s says",
                               ig_fmt(line->args[1]),
                               ig_pos_text(build->zone_pos, place));
    }

    p->zone = zone;
    build->has_zone = true;
    build->zone_pos = line->pos;

    return IG_OK;
}
