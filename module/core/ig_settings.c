/*
 * ig_settings.c: the table of directives, and the readers of those that set
 * up the whole server: zone, Redis, node.
 * Owns nothing: strings point into the arguments.
 * Called by nginx's directives and integrityctl.
 */

#include "ig_settings_int.h"

#include <limits.h>
#include <string.h>


#define IG_CTX_PLACE  (IG_CTX_HTTP | IG_CTX_SERVER | IG_CTX_LOCATION)

/* Duplicates are refused by the policy, which then can say of what. */
#define IG_ARGS_MANY  32


const ig_directive_t  ig_directives[] = {
    { "integrity_zone",            IG_CTX_HTTP,     1, 2, false },
    { "integrity_redis",           IG_CTX_HTTP,     1, IG_ARGS_MANY, false },
    { "integrity_secret",          IG_CTX_HTTP,     1, 1, false },
    { "integrity_node",            IG_CTX_HTTP,     1, 1, false },

    { "integrity_field",           IG_CTX_HTTP,     2, IG_ARGS_MANY, true },
    { "integrity_counter",         IG_CTX_HTTP,     2, IG_ARGS_MANY, true },
    { "integrity_list",            IG_CTX_HTTP,     2, IG_ARGS_MANY, true },
    { "integrity_rule",            IG_CTX_HTTP,     2, IG_ARGS_MANY, true },
    { "integrity_scores",          IG_CTX_HTTP,     1, IG_ARGS_MANY, true },
    { "integrity_time_zone",       IG_CTX_HTTP,     1, 1, true },
    { "integrity_threshold",       IG_CTX_PLACE,    2, 3, true },

    { "integrity",                 IG_CTX_PLACE,    1, 2, false },
    { "integrity_action",          IG_CTX_PLACE,    1, IG_ARGS_MANY, false },
    { "integrity_tenant",          IG_CTX_PLACE,    1, 1, false },
    { "integrity_body",            IG_CTX_PLACE,    1, IG_ARGS_MANY, false },
    { "integrity_audit",           IG_CTX_PLACE,    1, IG_ARGS_MANY, false },
    { "integrity_audit_sample",    IG_CTX_PLACE,    1, 1, false },
    { "integrity_status_throttle", IG_CTX_PLACE,    1, 1, false },
    { "integrity_status_deny",     IG_CTX_PLACE,    1, 1, false },
    { "integrity_status",          IG_CTX_LOCATION, 0, 0, false },
    { "integrity_control",         IG_CTX_LOCATION, 0, 0, false },

    { NULL, 0, 0, 0, false }
};


const ig_directive_t *
ig_directive(ig_str_t name)
{
    const ig_directive_t  *d;

    for (d = ig_directives; d->name != NULL; d++) {
        if (name.len == strlen(d->name)
            && memcmp(name.data, d->name, name.len) == 0)
        {
            return d;
        }
    }

    return NULL;
}


int
ig_settings_zone(const ig_str_t *args, unsigned n, ig_pos_t pos,
    ig_zone_settings_t *s, ig_error_t *err)
{
    ig_str_t       size;
    const char    *colon;
    ig_reading_t   r;
    ig_setting_t   table[] = {
        { ig_string("new_keys="), IG_SETTING_NUMBER, &s->new_keys,
          1, 1000000000, "a number from 1 to 1000000000", NULL, 0 },
    };

    s->new_keys = 3000;

    if (ig_reading_start(&r, args, n, pos, err) != IG_OK) {
        return IG_ERROR;
    }

    colon = args[1].len != 0 ? memchr(args[1].data, ':', args[1].len) : NULL;

    if (colon == NULL || colon == args[1].data) {
        return ig_reading_invalid(&r, args[1], "a name with a size, like "
                                  "integrity:32m,");
    }

    s->name.data = args[1].data;
    s->name.len = (size_t) (colon - args[1].data);
    size.data = colon + 1;
    size.len = args[1].len - s->name.len - 1;

    if (!ig_parse_size(size, &s->size) || s->size < IG_ZONE_MIN) {
        return ig_reading_error(&r, "invalid value \"%.*s\" in \"%.*s\": a "
                                "size of at least 1m is expected",
                                ig_fmt(size), ig_fmt(args[1]));
    }

    return ig_reading_settings(&r, 2, table, ig_countof(table));
}


/* -- integrity_redis ----------------------------------------------------- */

/* As long as a struct sockaddr_un takes, with its terminator. */
#define IG_UNIX_PATH  107


static bool
ig_address_bytes(ig_str_t s, const char *marks)
{
    char    c;
    size_t  i;

    for (i = 0; i < s.len; i++) {
        c = s.data[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
              || (c >= '0' && c <= '9') || strchr(marks, c) != NULL)
            || c == '\0')
        {
            return false;
        }
    }

    return s.len != 0;
}


/* What is right of the host: nothing, or a colon and 1..65535. */
static bool
ig_address_port(const char *p, const char *end)
{
    uint64_t  port;
    ig_str_t  text;

    if (p == end) {
        return true;
    }

    text.data = p + 1;
    text.len = (size_t) (end - text.data);

    return *p == ':' && ig_parse_uint(text, 65535, &port) && port != 0;
}


static bool
ig_address_valid(ig_str_t s)
{
    ig_str_t     host;
    const char  *end, *p;

    if (s.len >= 5 && memcmp(s.data, "unix:", 5) == 0) {
        return s.len >= 7 && s.data[5] == '/' && s.len - 5 <= IG_UNIX_PATH;
    }

    if (s.len == 0) {
        return false;
    }

    end = s.data + s.len;

    if (s.data[0] == '[') {
        p = memchr(s.data, ']', s.len);

        if (p == NULL) {
            return false;
        }

        host.data = s.data + 1;
        host.len = (size_t) (p - host.data);

        return ig_address_bytes(host, ":.") && ig_address_port(p + 1, end);
    }

    p = memchr(s.data, ':', s.len);
    p = p != NULL ? p : end;

    host.data = s.data;
    host.len = (size_t) (p - s.data);

    return ig_address_bytes(host, ".-_") && ig_address_port(p, end);
}


int
ig_settings_redis(const ig_str_t *args, unsigned n, ig_pos_t pos,
    ig_redis_settings_t *s, ig_error_t *err)
{
    unsigned        on_error;
    ig_reading_t    r;

    static const ig_str_t  words[] = {
        [IG_STORE_LOCAL] = ig_string("local"),
        [IG_STORE_ALLOW] = ig_string("allow"),
        [IG_STORE_DENY] = ig_string("deny"),
    };

    ig_setting_t    table[] = {
        { ig_string("timeout="), IG_SETTING_DURATION, &s->timeout,
          1, 3600 * 1000, "a duration of at most 1h", NULL, 0 },
        { ig_string("connect_timeout="), IG_SETTING_DURATION,
          &s->connect_timeout, 1, 3600 * 1000, "a duration of at most 1h",
          NULL, 0 },
        { ig_string("db="), IG_SETTING_NUMBER, &s->db, 0, INT_MAX,
          "the number of a database", NULL, 0 },
        { ig_string("user="), IG_SETTING_TEXT, &s->user, 0, 0,
          "a name", NULL, 0 },
        { ig_string("password_file="), IG_SETTING_TEXT, &s->password_file,
          0, 0, "a file", NULL, 0 },
        { ig_string("on_error="), IG_SETTING_WORD, &on_error, 0, 0,
          "local, allow or deny", words, ig_countof(words) },
    };

    memset(s, 0, sizeof(*s));

    s->timeout = 20;
    s->connect_timeout = 1000;
    on_error = IG_STORE_LOCAL;

    if (ig_reading_start(&r, args, n, pos, err) != IG_OK) {
        return IG_ERROR;
    }

    if (!ig_address_valid(args[1])) {
        return ig_reading_invalid(&r, args[1], "an address, which is "
                                  "unix:/PATH, HOST, HOST:PORT or "
                                  "[IPv6]:PORT,");
    }

    s->address = args[1];

    if (ig_reading_settings(&r, 2, table, ig_countof(table)) != IG_OK) {
        return IG_ERROR;
    }

    if (s->user.len != 0 && s->password_file.len == 0) {
        return ig_reading_error(&r, "\"user=\" needs \"password_file=\"");
    }

    s->on_error = (ig_store_policy_e) on_error;

    return IG_OK;
}


/* -- integrity_node ------------------------------------------------------ */

int
ig_settings_node(const ig_str_t *args, unsigned n, ig_pos_t pos,
    ig_str_t *node, ig_error_t *err)
{
    ig_reading_t  r;

    if (ig_reading_start(&r, args, n, pos, err) != IG_OK) {
        return IG_ERROR;
    }

    if (args[1].len > 63 || !ig_address_bytes(args[1], "._-")) {
        return ig_reading_invalid(&r, args[1], "a name of at most 63 letters, "
                                  "digits, \".\", \"_\" and \"-\"");
    }

    *node = args[1];

    return IG_OK;
}
