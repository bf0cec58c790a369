/*
 * ig_verify_int.h: a parsed line, and what is remembered of chains.
 * Owns nothing.  Included by ig_verify*.c and, for the syntax, by
 * ig_checkpoint_read.c.
 */

#ifndef IG_VERIFY_INT_H
#define IG_VERIFY_INT_H

#include "ig_verify.h"

#define ig_llu(n)  (unsigned long long) (n)

#define IG_VERIFY_MARK  "{\"v\":1,\"kind\":\""      /* how a line begins */

/* -- one line ------------------------------------------------------------ */

typedef enum {
    IG_LINE_GOOD = 0,
    IG_LINE_VERSION,            /* an audit line of a version not known here */
    IG_LINE_UNCHAINED,          /* JSON, but without the chain's part */
    IG_LINE_CUT,                /* no JSON, but the beginning of some */
    IG_LINE_NOT_JSON
} ig_line_state_e;

typedef enum {
    IG_LINE_OTHER = 0,
    IG_LINE_OPEN,
    IG_LINE_CLOSE,
    IG_LINE_SEGMENT_START,
    IG_LINE_TRUNCATED,          /* a segment_start, but of the same file */
    IG_LINE_SEGMENT_END
} ig_line_kind_e;

/* What chain_open says of the chain before. */
typedef struct {
    ig_str_t  chain;            /* empty: there was none */
    bool      closed;
    uint64_t  issued;
    uint64_t  written;
    uint8_t   last[IG_SHA256];
    bool      same_file;        /* it last wrote to the file of chain_open */
} ig_line_before_t;

/* Strings point into the line. */
typedef struct {
    ig_line_kind_e    kind;
    ig_str_t          time;
    ig_str_t          chain;
    uint64_t          seq;
    uint64_t          dropped;
    uint8_t           prev[IG_SHA256];
    uint8_t           hash[IG_SHA256];      /* as the line has it */
    uint8_t           computed[IG_SHA256];  /* as its bytes have it */
    ig_line_before_t  before;               /* of chain_open */
    uint64_t          issued;               /* of chain_close */
    uint64_t          lost;
    uint64_t          truncated;            /* of segment_start: bytes */
} ig_line_t;

/* Where reading is in a text. */
typedef struct {
    const char  *p;
    const char  *end;
    bool         cut;           /* it ended before what was read did */
} ig_line_cursor_t;

/* A member of an object in the line. */
typedef struct {
    const char  *comma;         /* or bracket, before the key */
    ig_str_t     key;           /* inside the quotes, still escaped */
    ig_str_t     value;         /* as it stands, strings with quotes */
} ig_line_member_t;

/* Goes past the character, or says that it is not there. */
bool ig_line_char(ig_line_cursor_t *c, char expected);

/*
 * Goes past "key":value, where the value has at most `depth` levels of
 * brackets, or says that it is not there.
 */
bool ig_line_member(ig_line_cursor_t *c, unsigned depth, ig_line_member_t *m);

/* Goes past any value of at most `depth` levels, likewise. */
bool ig_line_value(ig_line_cursor_t *c, unsigned depth);

/*
 * What stands in a string (still escaped), a hash in lower-case hex, a number
 * of at most 63 bits, the id of a chain (shown to people: only what
 * ig_chain_init can have written); false: the value is no such thing.
 */
bool ig_line_text(ig_str_t value, ig_str_t *text);
bool ig_line_hash(ig_str_t value, uint8_t hash[IG_SHA256]);
bool ig_line_uint(ig_str_t value, uint64_t *n);
bool ig_line_chain(ig_str_t value, ig_str_t *id);

/* Parses a line without its newline. */
ig_line_state_e ig_line_parse(ig_str_t text, ig_line_t *line);

/*
 * Whether text has its full length: after "hash":" and the hash, there is
 * room for "} and no more, whatever stands there.
 */
bool ig_line_is_complete(ig_str_t text);

/* -- pieces of lines ----------------------------------------------------- */

typedef struct {
    unsigned  n;
    unsigned  unborn;           /* of them: maybe a chain's first line */
} ig_verify_pieces_t;

/* The writes that were cut short in a text; n 0: there is something else. */
ig_verify_pieces_t ig_verify_pieces(ig_str_t text);

/* Where another line begins inside this one; NULL: nowhere from `from` on. */
const char *ig_verify_inner(ig_str_t text, size_t from);

/* How a line of ours begins, or at least could. */
bool ig_verify_is_ours(ig_str_t text);

/* What stands before the zeros at the end. */
ig_str_t ig_verify_without_zeros(ig_str_t text);

/* -- chains -------------------------------------------------------------- */

/* The last line of a run, as the next one must link to it. */
typedef struct {
    uint64_t  seq;
    uint8_t   hash[IG_SHA256];
    uint8_t   computed[IG_SHA256];  /* differs where the line was changed */
} ig_verify_end_t;

/* How the line that comes next refers to an end. */
typedef struct {
    uint64_t  seq;
    uint64_t  dropped;
    uint8_t   prev[IG_SHA256];
} ig_verify_link_t;

/* The lines of one chain in one file. */
typedef struct ig_verify_run_s  ig_verify_run_t;

struct ig_verify_run_s {
    ig_verify_run_t   *next;        /* by first.seq */
    unsigned           file;
    uint64_t           first_line;
    uint64_t           last_line;
    uint64_t           truncated;   /* the line that says so; 0: none */
    ig_verify_link_t   first;
    ig_line_kind_e     first_kind;
    ig_line_kind_e     last_kind;
    ig_verify_end_t    last;
    ig_verify_end_t    before_last; /* seq 0: there is none */
};

typedef struct ig_verify_chain_s  ig_verify_chain_t;

struct ig_verify_chain_s {
    ig_verify_chain_t  *in_bucket;
    ig_verify_chain_t  *next;       /* in order of appearance */
    ig_str_t            id;
    char                time[32];   /* of its first line: orders generations */
    ig_verify_run_t    *run;        /* sorted */
    ig_verify_run_t    *current;    /* where the last line went */
    uint64_t            lines;
    uint64_t            dropped;    /* sum of what its lines say */
    bool                bad;        /* some finding says tampered */
    bool                closed;
    uint64_t            close_issued;
    uint64_t            close_lost;
    bool                named;      /* by a successor's chain_open */
    ig_str_t            state;      /* how it ends */
    ig_line_before_t    before;     /* what its chain_open says; strings kept */
    bool                before_checked;
    uint64_t            open_line;  /* where that stands */
    unsigned            open_file;
};

/* A file among others. */
typedef struct {
    unsigned  to;               /* a chain goes on in file to - 1; 0: none */
    bool      rotated;          /* a chain comes here by a rotation */
} ig_verify_order_t;

#define IG_VERIFY_BUCKETS  1024
#define IG_VERIFY_CARRY    (64 * 1024)

struct ig_verify_s {
    ig_mem_t            *mem;
    ig_finding_pt        finding;
    void                *ctx;

    void               (*seen)(void *ctx, const ig_verify_seen_t *line);
    void               (*seen_all)(void *ctx);
    void                *seen_ctx;

    unsigned             files;
    uint64_t             line;      /* of the present file */
    uint64_t             offset;    /* where that begins */
    uint64_t             pending;   /* bytes of it so far */

    ig_verify_chain_t   *bucket[IG_VERIFY_BUCKETS];
    ig_verify_chain_t   *chains;
    ig_verify_chain_t  **chains_end;

    uint64_t             nchains;
    uint64_t             lines;
    uint64_t             count[IG_FINDING_KINDS];
    ig_verify_order_t   *order;     /* of files */
    uint64_t             lost;
    uint64_t             lost_elsewhere;    /* told in another file */
    uint64_t             torn;
    uint64_t             torn_end;  /* at the end of a file */
    uint64_t             unborn;    /* maybe first lines of chains */

    /* lines of no chain, held back until it is clear whether there is one */
    uint64_t             foreign;
    unsigned             foreign_file;
    uint64_t             foreign_line;

    uint64_t             ended;     /* chains that end without a witness */
    uint64_t             unclosed;  /* chains: each may have torn a line */

    bool                 at_end;    /* the present line ends with its file */
    bool                 overlong;  /* it is longer than carry */
    bool                 zeros;     /* it is, but what follows are zeros */
    size_t               carried;
    char                 carry[IG_VERIFY_CARRY];
};

extern const uint8_t  ig_verify_zero[IG_SHA256];    /* prev of a first line */

/* NULL where no line of it was seen. */
ig_verify_chain_t *ig_verify_chain(ig_verify_t *v, ig_str_t id);

/* Puts a line where it belongs in its chain.  IG_OK or IG_NOMEM. */
int ig_verify_good(ig_verify_t *v, const ig_line_t *line);

/* A finding about a line of a chain (or of none: NULL). */
void ig_verify_tell(ig_verify_t *v, ig_finding_kind_e kind, unsigned file,
    uint64_t line, ig_verify_chain_t *chain, const char *fmt, ...)
    __attribute__((format(printf, 6, 7)));

/*
 * Whether what comes next in a chain fits its end; tells what does not.
 * before_last may be NULL.
 */
void ig_verify_join(ig_verify_t *v, ig_verify_chain_t *chain,
    const ig_verify_end_t *last, const ig_verify_end_t *before_last,
    const ig_verify_link_t *link, unsigned file, uint64_t line);

/* Tells of n lines which the line says were lost. */
void ig_verify_lost(ig_verify_t *v, ig_verify_chain_t *chain, unsigned file,
    uint64_t line, uint64_t n);

/* Whether the end has the hash that another line gives it. */
bool ig_verify_has_hash(const ig_verify_end_t *end,
    const uint8_t hash[IG_SHA256]);

/* The last piece of a chain that has one. */
ig_verify_run_t *ig_verify_last_run(const ig_verify_chain_t *chain);

/* ig_verify_end.c */
int ig_verify_judge_chains(ig_verify_t *v);     /* IG_OK or IG_NOMEM */
ig_verify_result_e ig_verify_judge(ig_verify_t *v);

/* ig_verify_witness.c: chains that were not closed, and who speaks for them. */
void ig_verify_judge_ends(ig_verify_t *v);

#endif /* IG_VERIFY_INT_H */
