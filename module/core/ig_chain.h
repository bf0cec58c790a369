/*
 * ig_chain.h: the hash chain over audit lines: sealing, batches that fail
 * half-way, opening and closing, segments.
 * Owns: its counters and hashes.  Borrows: line buffers.  Does no I/O: the
 * writer says how many bytes reached the file.
 * Called by the audit writer (seal) and, for the format, by ig_verify.h.
 *
 * The chain's part ends every line:
 *   ,"chain":"<id>","seq":N,["dropped":N,]"prev":"<hash>","hash":"<hash>"}\n
 * A hash is SHA-256 in lower-case hex, so that sha256sum can check it.
 * "hash" is over the bytes of the line before `,"hash":`; "prev" is the hash
 * of the chain's last line that is fully in the file, all zeros for the first;
 * "dropped" is how many numbers were burnt between that line and this one.
 */

#ifndef IG_CHAIN_H
#define IG_CHAIN_H

#include "ig_crypto.h"
#include "ig_event.h"

#define IG_CHAIN_ID  96

typedef enum {
    IG_CHAIN_FRESH = 0,         /* no line written yet */
    IG_CHAIN_OPEN,
    IG_CHAIN_CLOSED
} ig_chain_state_e;

/* FRESH -> OPEN (first line written) -> CLOSED (chain_close written). */

/*
 * Lives in shared memory as a successor's only witness: fixed size, no
 * pointers.
 */
typedef struct {
    char      id[IG_CHAIN_ID];
    uint32_t  id_len;
    uint32_t  state;            /* ig_chain_state_e */
    uint64_t  issued;           /* last seq given out */
    uint64_t  written;          /* last seq whose line is fully in the file */
    uint8_t   last[IG_SHA256];  /* hash of that line */
    uint64_t  dropped;          /* lines lost since the last good line */
    uint64_t  lost;             /* lines lost in all */
    uint64_t  file;             /* the writer's number of the file in which the
                                   last good line is; 0: not known */
} ig_chain_t;

/* id: "<node>/<worker>/<16 hex of random>"; node: at most 63 bytes. */
void ig_chain_init(ig_chain_t *c, ig_str_t node, unsigned worker,
    const uint8_t random[8]);

/*
 * Completes a line that ig_event_* began in b (which has IG_CHAIN_PART bytes
 * left): assigns seq, adds "dropped" after a loss, prev, hash, "}\n".
 * `prev` must be the hash of the line before in the same batch, or c->last
 * for the first; the line's own hash is put there for the next.
 * b->full where the line did not fit: no number was used then.
 */
void ig_chain_seal(ig_chain_t *c, ig_buf_t *b, uint8_t prev[IG_SHA256]);

/* After a write: the lines up to and including `seq` are fully in the file. */
void ig_chain_written(ig_chain_t *c, uint64_t seq,
    const uint8_t hash[IG_SHA256]);

/*
 * `n` sealed lines did not get there; their numbers stay burnt.  Every number
 * given out must have been told to _written or _lost before the next batch is
 * sealed, or the gap will not be explained.
 */
void ig_chain_lost(ig_chain_t *c, uint64_t n);

/* After ig_chain_written of the chain_close line. */
void ig_chain_closed(ig_chain_t *c);

/*
 * Bodies of the chain's own lines, to be sealed like any other.  before: the
 * witness of the predecessor, or NULL; file: the number of the file this goes
 * to, or 0.  The close line must be sealed next.  truncated: how many bytes
 * the file lost behind the writer's back; 0: it is another file than before.
 */
void ig_chain_open_line(ig_buf_t *b, const ig_chain_t *before, uint64_t file,
    int64_t time, ig_str_t node, ig_str_t version,
    const uint8_t policy[IG_SHA256]);
void ig_chain_close_line(ig_buf_t *b, const ig_chain_t *c, int64_t time,
    ig_str_t node);
void ig_chain_segment_line(ig_buf_t *b, bool start, uint64_t truncated,
    int64_t time, ig_str_t node);

#endif /* IG_CHAIN_H */
