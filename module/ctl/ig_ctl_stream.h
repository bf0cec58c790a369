/*
 * ig_ctl_stream.h: a file to be read, plain or gzip, in blocks or in lines.
 * Owns: the open file and its block.  Called by verify and seal.
 */

#ifndef IG_CTL_STREAM_H
#define IG_CTL_STREAM_H

#include "ig_ctl.h"

#define IG_STREAM_READ  (256 * 1024)    /* also the longest line */

typedef struct {
    const char  *path;
    void        *gz;
    char        *block;
    size_t       start;         /* of what waits in it */
    size_t       end;
    uint64_t     room;          /* bytes that may still be read */
    bool         ended;
    bool         failed;
} ig_ctl_stream_t;

/*
 * How long a file is now, for ig_ctl_stream_limit; UINT64_MAX where it is not
 * a plain file, or there is none.
 */
uint64_t ig_ctl_stream_size(const char *path);

/* Reads no further than that, if the file is not compressed. */
void ig_ctl_stream_limit(ig_ctl_stream_t *s, uint64_t size);

/* "-": the standard input.  IG_CTL_OK, or IG_CTL_USAGE with the reason told. */
int ig_ctl_stream_open(ig_ctl_stream_t *s, const char *path, ig_mem_t *mem);
void ig_ctl_stream_close(ig_ctl_stream_t *s);

/*
 * The next bytes, valid until the next call.  IG_OK; IG_AGAIN: the end;
 * IG_ERROR with the reason told.
 */
int ig_ctl_stream_read(ig_ctl_stream_t *s, ig_str_t *bytes);

/*
 * The next line without its newline (a last one may have had none), likewise.
 * Of a line longer than the block, its pieces.
 */
int ig_ctl_stream_line(ig_ctl_stream_t *s, ig_str_t *line);

#endif /* IG_CTL_STREAM_H */
