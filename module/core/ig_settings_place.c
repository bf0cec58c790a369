/*
 * ig_settings_place.c: the readers of what a place (http, server, location)
 * sets: audit, body, mode, action, thresholds, answers.
 * Owns nothing: strings point into the arguments.
 * Called by nginx's directives and integrityctl.
 */

#include "ig_settings_int.h"

#include <string.h>


/* -- integrity_audit, integrity_audit_sample ----------------------------- */

/* Where nginx's own logs can go, but no line that must last. */
static bool
ig_audit_is_no_file(ig_str_t s)
{
    size_t                 i;
    static const ig_str_t  prefix[] = {
        ig_string("syslog:"), ig_string("memory:")
    };

    for (i = 0; i < ig_countof(prefix); i++) {
        if (s.len >= prefix[i].len
            && memcmp(s.data, prefix[i].data, prefix[i].len) == 0)
        {
            return true;
        }
    }

    return ig_str_eq(s, ig_str("stderr"));
}


int
ig_settings_audit(const ig_str_t *args, unsigned n, ig_pos_t pos,
    ig_audit_settings_t *s, ig_error_t *err)
{
    unsigned      on_error, path;
    ig_reading_t  r;

    static const ig_str_t  errors[] = { ig_string("pass"), ig_string("deny") };
    static const ig_str_t  paths[] = { ig_string("location"),
                                       ig_string("uri") };

    ig_setting_t  table[] = {
        { ig_string("on_error="), IG_SETTING_WORD, &on_error, 0, 0,
          "pass or deny", errors, ig_countof(errors) },
        { ig_string("path="), IG_SETTING_WORD, &path, 0, 0,
          "location or uri", paths, ig_countof(paths) },
    };

    memset(s, 0, sizeof(*s));
    on_error = 0;
    path = 0;

    if (ig_reading_start(&r, args, n, pos, err) != IG_OK) {
        return IG_ERROR;
    }

    if (args[1].len == 0 || ig_has_variables(args[1])
        || ig_audit_is_no_file(args[1]))
    {
        return ig_reading_invalid(&r, args[1], "off or a file without "
                                  "variables");
    }

    if (ig_str_eq(args[1], ig_str("off"))) {

        if (n > 2) {
            return ig_reading_error(&r, "invalid parameter \"%.*s\": nothing "
                                    "is expected after \"off\"",
                                    ig_fmt(args[2]));
        }

        return IG_OK;
    }

    s->file = args[1];

    if (ig_reading_settings(&r, 2, table, ig_countof(table)) != IG_OK) {
        return IG_ERROR;
    }

    s->on_error_deny = on_error == 1;
    s->path_uri = path == 1;

    return IG_OK;
}


int
ig_settings_sample(const ig_str_t *args, unsigned n, ig_pos_t pos,
    uint64_t *sample, ig_error_t *err)
{
    ig_reading_t  r;

    if (ig_reading_start(&r, args, n, pos, err) != IG_OK) {
        return IG_ERROR;
    }

    if (!ig_parse_uint(args[1], 1000000000, sample) || *sample == 0) {
        return ig_reading_invalid(&r, args[1],
                                  "a number from 1 to 1000000000");
    }

    return IG_OK;
}


/* -- integrity_body ------------------------------------------------------ */

int
ig_settings_body(const ig_str_t *args, unsigned n, ig_pos_t pos,
    ig_body_settings_t *s, ig_error_t *err)
{
    unsigned      invalid, oversize, encoded, type;
    ig_reading_t  r;

    static const ig_str_t  words[] = { ig_string("deny"), ig_string("pass") };

    ig_setting_t  table[] = {
        { ig_string("max="), IG_SETTING_SIZE, &s->max, 1, 64 << 20,
          "a size from 1 to 64m", NULL, 0 },
        { ig_string("depth="), IG_SETTING_COUNT, &s->depth, 1, 1000,
          "a number from 1 to 1000", NULL, 0 },
        { ig_string("values="), IG_SETTING_COUNT, &s->values, 1, 1000000,
          "a number from 1 to 1000000", NULL, 0 },
        { ig_string("invalid="), IG_SETTING_WORD, &invalid, 0, 0,
          "deny or pass", words, ig_countof(words) },
        { ig_string("oversize="), IG_SETTING_WORD, &oversize, 0, 0,
          "deny or pass", words, ig_countof(words) },
        { ig_string("encoded="), IG_SETTING_WORD, &encoded, 0, 0,
          "deny or pass", words, ig_countof(words) },
        { ig_string("type="), IG_SETTING_WORD, &type, 0, 0,
          "deny or pass", words, ig_countof(words) },
    };

    s->max = 16 * 1024;
    s->depth = 32;
    s->values = 1000;
    invalid = oversize = encoded = type = 0;

    if (ig_reading_start(&r, args, n, pos, err) != IG_OK
        || ig_reading_settings(&r, 1, table, ig_countof(table)) != IG_OK)
    {
        return IG_ERROR;
    }

    s->invalid_pass = invalid == 1;
    s->oversize_pass = oversize == 1;
    s->encoded_pass = encoded == 1;
    s->type_pass = type == 1;

    return IG_OK;
}


/* -- integrity ----------------------------------------------------------- */

bool
ig_mode_parse(ig_str_t s, ig_mode_e *mode)
{
    unsigned  i;

    static const ig_str_t  words[] = {
        [IG_MODE_OFF] = ig_string("off"),
        [IG_MODE_DRY_RUN] = ig_string("dry_run"),
        [IG_MODE_ON] = ig_string("on"),
    };

    for (i = 0; i < ig_countof(words); i++) {
        if (ig_str_eq(s, words[i])) {
            *mode = (ig_mode_e) i;
            return true;
        }
    }

    return false;
}


static bool
ig_names_valid(ig_str_t s)
{
    ig_str_t     name;
    const char  *p, *end;

    p = s.data;
    end = s.data + s.len;

    for ( ;; ) {
        name.data = p;

        while (p < end && *p != ',') {
            p++;
        }

        name.len = (size_t) (p - name.data);

        if (!ig_is_name(name)) {
            return false;
        }

        if (p++ == end) {
            return true;
        }
    }
}


int
ig_settings_mode(const ig_str_t *args, unsigned n, ig_pos_t pos,
    ig_mode_settings_t *s, ig_error_t *err)
{
    ig_reading_t  r;
    ig_setting_t  table[] = {
        { ig_string("except="), IG_SETTING_TEXT, &s->except, 0, 0,
          "a list of rules, like too_fast,device_farm,", NULL, 0 },
    };

    memset(s, 0, sizeof(*s));

    if (ig_reading_start(&r, args, n, pos, err) != IG_OK) {
        return IG_ERROR;
    }

    if (ig_has_variables(args[1]) && ig_variables_valid(args[1])) {
        s->mode = IG_MODE_VARIABLE;
        s->variable = args[1];

    } else if (!ig_mode_parse(args[1], &s->mode)) {
        return ig_reading_invalid(&r, args[1], "on, dry_run, off or a "
                                  "variable");
    }

    if (ig_reading_settings(&r, 2, table, ig_countof(table)) != IG_OK) {
        return IG_ERROR;
    }

    if (s->except.len != 0 && !ig_names_valid(s->except)) {
        return ig_reading_error(&r, "invalid value \"%.*s\" in \"%.*s\": %s is "
                                "expected", ig_fmt(s->except),
                                ig_fmt(args[2]), table[0].expected);
    }

    return IG_OK;
}


/* -- integrity_action ---------------------------------------------------- */

static bool
ig_is_method(ig_str_t s)
{
    size_t  i;

    for (i = 0; i < s.len; i++) {
        if (s.data[i] < 'A' || s.data[i] > 'Z') {
            return false;
        }
    }

    return s.len != 0 && s.len <= 32;
}


static int
ig_action_method(const ig_reading_t *r, ig_action_settings_t *s,
    ig_str_t method)
{
    unsigned  i;

    for (i = 0; i < s->nmethods; i++) {
        if (ig_str_eq(s->method[i], method)) {
            return ig_reading_error(r, "\"%.*s\" is duplicate",
                                    ig_fmt(method));
        }
    }

    if (s->nmethods == IG_MAX_METHODS) {
        return ig_reading_error(r, "\"%.*s\" is one method too many: at most "
                                "%d are expected", ig_fmt(method),
                                IG_MAX_METHODS);
    }

    s->method[s->nmethods++] = method;

    return IG_OK;
}


/* One argument behind the name of the action. */
static int
ig_action_argument(const ig_reading_t *r, ig_action_settings_t *s,
    ig_str_t arg)
{
    bool      *flag;
    ig_str_t   value;

    static const ig_str_t  unclassified = ig_string("unclassified=");

    if (ig_is_method(arg)) {
        return ig_action_method(r, s, arg);
    }

    if (ig_str_eq(arg, ig_str("body"))) {
        flag = &s->body;

    } else if (arg.len >= unclassified.len
               && memcmp(arg.data, unclassified.data, unclassified.len) == 0)
    {
        flag = &s->unclassified_deny;

        value.data = arg.data + unclassified.len;
        value.len = arg.len - unclassified.len;

        if (!ig_str_eq(value, ig_str("deny"))) {
            return ig_reading_error(r, "invalid value \"%.*s\" in \"%.*s\": "
                                    "deny is expected", ig_fmt(value),
                                    ig_fmt(arg));
        }

        arg = unclassified;

    } else {
        return ig_reading_error(r, "invalid parameter \"%.*s\": body, "
                                "unclassified=deny or a method in capitals is "
                                "expected", ig_fmt(arg));
    }

    if (*flag) {
        return ig_reading_error(r, "\"%.*s\" is duplicate", ig_fmt(arg));
    }

    *flag = true;

    return IG_OK;
}


/* The events which follow a decision are nobody's call. */
static bool
ig_action_is_own(ig_str_t s)
{
    static const ig_str_t  prefix = ig_string("decision.");

    return s.len >= prefix.len && memcmp(s.data, prefix.data, prefix.len) == 0;
}


int
ig_settings_action(const ig_str_t *args, unsigned n, ig_pos_t pos,
    ig_action_settings_t *s, ig_error_t *err)
{
    unsigned      i;
    ig_reading_t  r;

    memset(s, 0, sizeof(*s));

    if (ig_reading_start(&r, args, n, pos, err) != IG_OK) {
        return IG_ERROR;
    }

    s->text = args[1];
    s->literal = !ig_has_variables(args[1]);

    if (s->literal ? !ig_is_action(args[1]) : !ig_variables_valid(args[1])) {
        return ig_reading_invalid(&r, args[1], "a variable, or a name of at "
                                  "most 64 small letters, digits, \".\", \"_\" "
                                  "and \"-\",");
    }

    if (s->literal && ig_action_is_own(args[1])) {
        return ig_reading_invalid(&r, args[1], "a name that does not begin "
                                  "with \"decision.\"");
    }

    for (i = 2; i < n; i++) {
        if (ig_action_argument(&r, s, args[i]) != IG_OK) {
            return IG_ERROR;
        }
    }

    return IG_OK;
}


/* -- integrity_threshold ------------------------------------------------- */

int
ig_settings_threshold(const ig_str_t *args, unsigned n, ig_pos_t pos,
    ig_threshold_settings_t *s, ig_error_t *err)
{
    int64_t       ms;
    ig_reading_t  r;

    if (ig_reading_start(&r, args, n, pos, err) != IG_OK) {
        return IG_ERROR;
    }

    if (!ig_is_name(args[1])) {
        return ig_reading_invalid(&r, args[1], "the name of a threshold");
    }

    s->name = args[1];

    if (!ig_parse_number(args[2], &s->value)) {

        if (!ig_parse_duration(args[2], &ms)) {
            return ig_reading_invalid(&r, args[2], "a number or a duration");
        }

        s->value = (double) ms / 1000;
    }

    if (n > 3) {
        return ig_reading_error(&r, "invalid parameter \"%.*s\": in a server "
                                "or location nothing is expected after the "
                                "value", ig_fmt(args[3]));
    }

    return IG_OK;
}


/* -- integrity_status_throttle, integrity_status_deny -------------------- */

int
ig_settings_status(const ig_str_t *args, unsigned n, ig_pos_t pos,
    unsigned *status, ig_error_t *err)
{
    uint64_t      code;
    ig_reading_t  r;

    if (ig_reading_start(&r, args, n, pos, err) != IG_OK) {
        return IG_ERROR;
    }

    if (!ig_parse_uint(args[1], 599, &code) || code < 400) {
        return ig_reading_invalid(&r, args[1], "a number from 400 to 599");
    }

    *status = (unsigned) code;

    return IG_OK;
}
