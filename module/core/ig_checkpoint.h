/*
 * ig_checkpoint.h: signed checkpoints of audit logs: their lines, written and
 * read, and whether one follows the other under a key that may sign it.
 * Owns nothing but its counters; borrows lines and buffers.  No I/O.
 * Called by `integrityctl seal` and by the verifier.
 *
 * A file of checkpoints is JSON Lines.  Every line begins
 *   {"v":1,"kind":"K","time":"T","origin":"O","number":N,"key":"I","prev":"P"
 * and ends ,"sig":"S"}.  Numbers begin at 1 and leave none out; I is the id
 * of the key, P the SHA-256 of the whole line before (without its newline),
 * zeros for the first; S the Ed25519 signature over the line's bytes before
 * `,"sig":`, in hex as all of these.  Kinds:
 *   checkpoint  how far each chain and file is sealed, where that changed
 *   finding     something the sealing process saw that should not be
 *   key         "next": the public key that signs from here on
 */

#ifndef IG_CHECKPOINT_H
#define IG_CHECKPOINT_H

#include "ig_chain.h"
#include "ig_sign.h"

#define IG_CHECKPOINT_LINE    (128 * 1024)  /* longest, its newline included */
#define IG_CHECKPOINT_CHAINS  256           /* this many in one are enough */
#define IG_CHECKPOINT_FILE    1024          /* longest name, as JSON */
#define IG_CHECKPOINT_ORIGIN  63
#define IG_CHECKPOINT_TIME    24            /* 2026-11-23T12:00:00.123Z */
#define IG_CHECKPOINT_KEYS    16            /* most given to the reader */

typedef enum {
    IG_CHECKPOINT_SEAL = 0,
    IG_CHECKPOINT_FINDING,
    IG_CHECKPOINT_KEY
} ig_checkpoint_kind_e;

/* A segment: one file that a log was, from its first line to a rotation. */
typedef struct {
    ig_str_t  file;             /* the log's name, as JSON has it */
    uint64_t  segment;          /* from 1 */
    uint64_t  bytes;            /* sealed, up to the end of a line */
    uint8_t   first[IG_SHA256]; /* hash of its first line; zeros: none yet */
    bool      done;             /* nothing will be added to it */
    ig_str_t  chains;           /* read: array, for ig_checkpoint_items */
} ig_checkpoint_log_t;

typedef struct {
    ig_str_t  id;
    uint64_t  seq;
    uint64_t  lost;             /* as its lines say, so far */
    uint8_t   hash[IG_SHA256];
} ig_checkpoint_chain_t;

/* What one line hands on to the next. */
typedef struct {
    uint64_t  number;           /* of the last one; 0: none */
    uint8_t   last[IG_SHA256];  /* SHA-256 of its line */
} ig_checkpoint_state_t;

/* -- writing ------------------------------------------------------------- */

/* time: ms since the epoch; origin: [A-Za-z0-9._-]{1,63}. */
void ig_checkpoint_begin(ig_buf_t *b, ig_checkpoint_kind_e kind,
    const ig_checkpoint_state_t *state, const ig_sign_public_t *key,
    int64_t time, ig_str_t origin);

/* Items of "log", within brackets of the caller's. */
void ig_checkpoint_add_log(ig_buf_t *b, const ig_checkpoint_log_t *log);
void ig_checkpoint_add_chain(ig_buf_t *b, const ig_checkpoint_chain_t *chain);
void ig_checkpoint_end_log(ig_buf_t *b);

/*
 * Signs what is in b and ends the line.  IG_OK; IG_ERROR: it did not fit or
 * could not be signed.
 */
int ig_checkpoint_end(ig_buf_t *b, const ig_sign_private_t *key);

/* The line, its newline included, is in the file. */
void ig_checkpoint_written(ig_checkpoint_state_t *state, ig_str_t line);

/* -- reading one line ---------------------------------------------------- */

/* Strings point into the line and are as JSON has them. */
typedef struct {
    ig_checkpoint_kind_e  kind;
    ig_str_t              time;
    ig_str_t              origin;
    uint64_t              number;
    uint8_t               key[IG_SIGN_ID];
    uint8_t               prev[IG_SHA256];
    ig_str_t              why;          /* checkpoint: what made it due */
    uint64_t              lines;        /* checkpoint: sealed in all */
    uint64_t              findings;
    ig_str_t              log;          /* array, for ig_checkpoint_items */
    ig_str_t              level;        /* finding: note, tampered, refused */
    ig_str_t              file;
    ig_str_t              text;
    uint8_t               next[IG_SIGN_KEY];    /* key */
    ig_str_t              signed_part;
    uint8_t               sig[IG_SIGNATURE];
} ig_checkpoint_t;

/*
 * Reads a line without its newline; of "log" every item.  IG_OK, or IG_ERROR
 * where it is no line of a checkpoint file.  Signs are not checked.
 */
int ig_checkpoint_parse(ig_str_t line, ig_checkpoint_t *c);

/* Walks through an array of a parsed line; false: that was all. */
typedef struct {
    const char  *p;
    const char  *end;
} ig_checkpoint_items_t;

void ig_checkpoint_items(ig_checkpoint_items_t *items, ig_str_t array);
bool ig_checkpoint_next_log(ig_checkpoint_items_t *items,
    ig_checkpoint_log_t *log);
bool ig_checkpoint_next_chain(ig_checkpoint_items_t *items,
    ig_checkpoint_chain_t *chain);

/* RFC 3339 in UTC with milliseconds, as ms since the epoch. */
bool ig_checkpoint_ms(ig_str_t time, int64_t *ms);

/* -- reading a file ------------------------------------------------------ */

/*
 * level "tampered" or "note"; text: a sentence without a full stop, valid
 * during the call.
 */
typedef void (*ig_checkpoint_tell_pt)(void *ctx, bool tampered,
    const char *text);

typedef struct {
    ig_checkpoint_tell_pt  tell;
    void                  *ctx;
    ig_sign_public_t       given[IG_CHECKPOINT_KEYS];
    unsigned               ngiven;
    bool                   lenient;     /* until the first given key signs or
                                           is introduced, others need not be
                                           known: what it signs is linked to
                                           all before it */

    /* what follows is the reader's */
    bool                   began;
    unsigned               reign;       /* key: the present one in `given` */
    uint64_t               good;        /* lines that count */
    uint64_t               skipped;     /* lines since then that do not */
    uint64_t               refused;     /* lines signed by none of the keys */
    ig_checkpoint_state_t  state;
    char                   origin[IG_CHECKPOINT_ORIGIN + 1];
    char                   time[IG_CHECKPOINT_TIME + 1];    /* the latest */
} ig_checkpoint_reader_t;

/*
 * The first of the given keys must have signed the first line; a key that
 * follows it must be introduced by a line the one before has signed, and if
 * more than one is given, be the next of them.
 */
void ig_checkpoint_reader(ig_checkpoint_reader_t *r,
    ig_checkpoint_tell_pt tell, void *ctx);

/*
 * The next line without its newline.  IG_OK: it is signed by the key whose
 * turn it is, and c may be used; IG_ERROR: it is not, or cannot be read.
 * What is wrong (also about its place among the others) was told.
 */
int ig_checkpoint_read(ig_checkpoint_reader_t *r, ig_str_t line,
    ig_checkpoint_t *c);

/* The key that signs the next line. */
const ig_sign_public_t *ig_checkpoint_key(const ig_checkpoint_reader_t *r);

#endif /* IG_CHECKPOINT_H */
