/*
 * ig_ctl_log_filter.h: which lines of the audit log are asked for.
 * Owns: its memory, from ig_audit_filter_init to ig_audit_filter_free.
 * Included by the desk.
 *
 * A subcommand puts IG_AUDIT_FILTER_OPTIONS(&filter) into its table of
 * options, and calls ig_audit_filter_finish when they are read.
 */

#ifndef IG_CTL_LOG_FILTER_H
#define IG_CTL_LOG_FILTER_H

#include "ig_ctl_line.h"
#include "ig_ctl_options.h"
#include "ig_secret.h"

/* Members that are compared with words, of which one must fit. */
typedef enum {
    IG_FILTER_ACTION = 0,
    IG_FILTER_EVENT,
    IG_FILTER_RULE,             /* from here on a line must be parsed */
    IG_FILTER_CHAIN,
    IG_FILTER_NODE,
    IG_FILTER_TENANT,
    IG_FILTER_WORDS
} ig_filter_word_e;

/* A word; "prefix*" without its star. */
typedef struct ig_filter_word_s  ig_filter_word_t;

struct ig_filter_word_s {
    ig_str_t           text;
    bool               wildcard;
    ig_str_t           needle;      /* in a line's bytes; empty: none */
    ig_filter_word_t  *next;
};

/* One name of --field, and the texts it may have. */
typedef struct ig_filter_field_s  ig_filter_field_t;

struct ig_filter_field_s {
    ig_str_t            name;
    ig_str_t            hidden;     /* needle: the log has pseudonyms */
    bool                is_hidden;
    bool                is_keyed;   /* some value became a pseudonym */
    ig_filter_word_t   *given;
    ig_filter_word_t   *value;      /* what given ones look like in a log */
    ig_filter_field_t  *next;
};

typedef struct {
    int64_t             since;      /* ms since the epoch; INT64_MIN */
    int64_t             until;      /* lines before it; INT64_MAX */
    uint32_t            kinds;      /* 1 << ig_audit_kind_e; 0: all */
    uint32_t            decisions;  /* 1 << ig_decision_e; 0: all */
    uint32_t            would;
    ig_filter_word_t   *word[IG_FILTER_WORDS];
    ig_filter_field_t  *field;
    const char         *secret;     /* file; NULL */
    const char         *conf;       /* file; NULL */
    bool                asks;       /* for more than time and kind */
    bool                parses;     /* for more than a line's first members */

    /* private from here on */
    ig_ctl_memory_t     memory;
    int64_t             now;
} ig_audit_filter_t;

void ig_audit_filter_init(ig_audit_filter_t *filter);
void ig_audit_filter_free(ig_audit_filter_t *filter);

/* Each reads the value of its option.  IG_CTL_OK, or told. */
int ig_audit_filter_since(void *filter, const char *name, const char *value);
int ig_audit_filter_until(void *filter, const char *name, const char *value);
int ig_audit_filter_kind(void *filter, const char *name, const char *value);
int ig_audit_filter_decision(void *filter, const char *name,
    const char *value);
int ig_audit_filter_would(void *filter, const char *name, const char *value);
int ig_audit_filter_words(void *filter, const char *name, const char *value);
int ig_audit_filter_field(void *filter, const char *name, const char *value);

#define IG_AUDIT_TIME_OPTIONS(f)                                              \
    IG_OPTION_CALL("--since", 0, ig_audit_filter_since, f),                   \
    IG_OPTION_CALL("--until", 0, ig_audit_filter_until, f)

/* --secret FILE and -c CONF: how clear values become pseudonyms. */
#define IG_AUDIT_SECRET_OPTIONS(f)                                            \
    IG_OPTION_TEXT("--secret", 0, &(f)->secret),                              \
    IG_OPTION_TEXT("--conf", 'c', &(f)->conf)

#define IG_AUDIT_FILTER_OPTIONS(f)                                            \
    IG_AUDIT_TIME_OPTIONS(f),                                                 \
    IG_AUDIT_SECRET_OPTIONS(f),                                               \
    IG_OPTION_CALL("--kind", 0, ig_audit_filter_kind, f),                     \
    IG_OPTION_CALL("--decision", 0, ig_audit_filter_decision, f),             \
    IG_OPTION_CALL("--would", 0, ig_audit_filter_would, f),                   \
    IG_OPTION_CALL("--action", 0, ig_audit_filter_words, f),                  \
    IG_OPTION_CALL("--rule", 0, ig_audit_filter_words, f),                    \
    IG_OPTION_CALL("--event", 0, ig_audit_filter_words, f),                   \
    IG_OPTION_CALL("--chain", 0, ig_audit_filter_words, f),                   \
    IG_OPTION_CALL("--node", 0, ig_audit_filter_words, f),                    \
    IG_OPTION_CALL("--tenant", 0, ig_audit_filter_words, f),                  \
    IG_OPTION_CALL("--field", 0, ig_audit_filter_field, f)

/* What --help says of them. */
#define IG_AUDIT_TIME_HELP                                                    \
    "--since TIME      from this time on: RFC 3339, a date (its midnight,\n"  \
    "                  UTC), today, yesterday, or how long ago: 90m, 2h, 7d\n"\
    "--until TIME      before this time\n"

#define IG_AUDIT_SECRET_HELP                                                  \
    "--secret FILE     the secret's file: clear values are looked for as the\n"\
    "                  pseudonyms that each of its keys makes of them\n"      \
    "-c, --conf FILE   nginx's configuration: which fields are networks\n"    \
    "                  (net=), and where the secret's file is\n"

#define IG_AUDIT_FILTER_HELP                                                  \
    IG_AUDIT_TIME_HELP                                                        \
    "--action NAME     names with commas, or as in on=: review.*\n"           \
    "--decision NAME   what took effect; \"hold+\" is hold and stronger\n"    \
    "--would NAME      the same with rules and places in dry run\n"           \
    "--rule NAME       a rule that fired, in dry run too\n"                   \
    "--kind NAME       decision, outcome, repeat, list, unclassified, ...\n"  \
    "--event ID        the lines of this event\n"                             \
    "--node NAME, --chain ID, --tenant NAME   also with * at the end\n"       \
    "--field NAME=VALUE   the call's field; of one name several: any of\n"    \
    "                  them, of different names: all\n"                       \
    IG_AUDIT_SECRET_HELP

/*
 * Turns fields into pseudonyms where there is a secret.  IG_CTL_OK, or the
 * reason told: a file that cannot be read, a field that the configuration
 * does not have.
 */
int ig_audit_filter_finish(ig_audit_filter_t *filter);

/*
 * Whether a line's bytes leave it possible that it fits.  own: it is written
 * as the module writes, so that strings look as expected.
 */
bool ig_audit_filter_raw(ig_audit_filter_t *filter, ig_audit_kind_e kind,
    ig_str_t raw, bool own);

/* Whether it fits. */
bool ig_audit_filter_line(const ig_audit_filter_t *filter,
    const ig_audit_line_t *line);

/*
 * Tells which fields of --field are pseudonyms in the log, where no secret
 * was given: for when nothing was found.  True where it told something.
 */
bool ig_audit_filter_hint(const ig_audit_filter_t *filter);

/* -- ig_ctl_log_field.c -------------------------------------------------- */

/* Reads filter->secret and filter->conf, and fills field->value. */
int ig_audit_filter_fields(ig_audit_filter_t *filter);

/* A new word at the end of a list; false: no memory, told. */
bool ig_filter_word_add(ig_audit_filter_t *filter, ig_filter_word_t **list,
    ig_str_t text);

#endif /* IG_CTL_LOG_FILTER_H */
