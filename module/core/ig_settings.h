/*
 * ig_settings.h: the arguments of every directive that is not policy, read
 * into plain structures, so that nginx -t and `integrityctl check` refuse the
 * same text with the same words.
 * Owns nothing: strings point into args.  Called by nginx's directives and
 * integrityctl.
 */

#ifndef IG_SETTINGS_H
#define IG_SETTINGS_H

#include "ig_policy.h"

/* Contexts of a directive. */
enum {
    IG_CTX_HTTP = 1,
    IG_CTX_SERVER = 2,
    IG_CTX_LOCATION = 4
};

typedef struct {
    const char  *name;
    unsigned     contexts;
    unsigned     min;           /* arguments besides the name */
    unsigned     max;
    bool         policy;        /* goes to ig_policy_directive in http */
} ig_directive_t;

/* Ends with a NULL name; nginx's command table is tested against it. */
extern const ig_directive_t ig_directives[];

const ig_directive_t *ig_directive(ig_str_t name);

/* integrity_zone name:size [new_keys=N] */
typedef struct {
    ig_str_t  name;
    uint64_t  size;             /* bytes, >= IG_ZONE_MIN */
    uint64_t  new_keys;         /* per client address and minute */
} ig_zone_settings_t;
#define IG_ZONE_MIN  (1024 * 1024)

/*
 * integrity_redis address [timeout=20ms] [connect_timeout=1s] [db=0]
 *     [user=NAME] [password_file=FILE] [on_error=local|allow|deny]
 * address: unix:PATH, HOST, HOST:PORT, [IPv6]:PORT.
 */
typedef enum { IG_STORE_LOCAL = 0, IG_STORE_ALLOW, IG_STORE_DENY }
    ig_store_policy_e;

typedef struct {
    ig_str_t           address;     /* with "unix:" where it is one */
    int64_t            timeout;     /* ms */
    int64_t            connect_timeout;
    uint64_t           db;
    ig_str_t           user;        /* empty: none */
    ig_str_t           password_file;
    ig_store_policy_e  on_error;
} ig_redis_settings_t;

/* integrity_audit FILE|off [on_error=pass|deny] [path=location|uri] */
typedef struct {
    ig_str_t  file;             /* empty: off */
    bool      on_error_deny;
    bool      path_uri;
} ig_audit_settings_t;

/* integrity_body max= depth= values= invalid= oversize= encoded= type= */
typedef struct {
    uint64_t  max;              /* bytes */
    unsigned  depth;
    unsigned  values;
    bool      invalid_pass;
    bool      oversize_pass;
    bool      encoded_pass;
    bool      type_pass;
} ig_body_settings_t;

/* integrity on|dry_run|off|$variable [except=RULE,...] */
typedef enum { IG_MODE_OFF = 0, IG_MODE_DRY_RUN, IG_MODE_ON, IG_MODE_VARIABLE }
    ig_mode_e;

typedef struct {
    ig_mode_e  mode;
    ig_str_t   variable;        /* the whole text, with "$" */
    ig_str_t   except;          /* names, comma-separated; may be empty */
} ig_mode_settings_t;

bool ig_mode_parse(ig_str_t s, ig_mode_e *mode);    /* a variable's value */

/* integrity_action NAME|$variable [body] [unclassified=deny] [METHOD ...] */
#define IG_MAX_METHODS  8
typedef struct {
    ig_str_t  text;
    bool      literal;
    bool      body;
    bool      unclassified_deny;
    ig_str_t  method[IG_MAX_METHODS];   /* nmethods 0: POST PUT PATCH DELETE */
    unsigned  nmethods;
} ig_action_settings_t;

/*
 * integrity_threshold NAME VALUE in server or location: a number, or a
 * duration, which is seconds.  "default" is for http (the policy) only.
 */
typedef struct {
    ig_str_t  name;
    double    value;
} ig_threshold_settings_t;

/*
 * All: args[0] is the directive's name; IG_OK or IG_ERROR.  Errors begin with
 * "DIRECTIVE: " and quote the argument.  What is not given has its default.
 */
int ig_settings_zone(const ig_str_t *args, unsigned n, ig_pos_t pos,
    ig_zone_settings_t *s, ig_error_t *err);
int ig_settings_redis(const ig_str_t *args, unsigned n, ig_pos_t pos,
    ig_redis_settings_t *s, ig_error_t *err);
int ig_settings_audit(const ig_str_t *args, unsigned n, ig_pos_t pos,
    ig_audit_settings_t *s, ig_error_t *err);
int ig_settings_body(const ig_str_t *args, unsigned n, ig_pos_t pos,
    ig_body_settings_t *s, ig_error_t *err);
int ig_settings_mode(const ig_str_t *args, unsigned n, ig_pos_t pos,
    ig_mode_settings_t *s, ig_error_t *err);
int ig_settings_action(const ig_str_t *args, unsigned n, ig_pos_t pos,
    ig_action_settings_t *s, ig_error_t *err);
int ig_settings_threshold(const ig_str_t *args, unsigned n, ig_pos_t pos,
    ig_threshold_settings_t *s, ig_error_t *err);
/* integrity_status_throttle, integrity_status_deny: 400..599. */
int ig_settings_status(const ig_str_t *args, unsigned n, ig_pos_t pos,
    unsigned *status, ig_error_t *err);
/* integrity_audit_sample N: every Nth allowed call in full; 1 is all. */
int ig_settings_sample(const ig_str_t *args, unsigned n, ig_pos_t pos,
    uint64_t *sample, ig_error_t *err);
/* integrity_node NAME: [A-Za-z0-9._-]{1,63} */
int ig_settings_node(const ig_str_t *args, unsigned n, ig_pos_t pos,
    ig_str_t *node, ig_error_t *err);

#endif /* IG_SETTINGS_H */
