/*
 * ig_ctl_log_read.h: the bytes of one file of the audit log, line by line.
 * Owns: the open file and its block.  Included by ig_ctl_log_file.h.
 */

#ifndef IG_CTL_LOG_READ_H
#define IG_CTL_LOG_READ_H

#include <sys/stat.h>
#include <zlib.h>

#include "ig_ctl.h"

#define IG_LOG_LINE  (256 * 1024)       /* longest line that is read */

typedef struct {
    const char  *name;                  /* for people */
    gzFile       gz;                    /* reads plain files as they are */
    char        *block;
    size_t       start;
    size_t       end;
    size_t       room;
    uint64_t     left;                  /* bytes that may still be read */
    uint64_t     lines;
    bool         eof;
    bool         failed;                /* could not be read to its end */
    bool         quiet;                 /* does not tell why not */
} ig_log_read_t;

/* "-" is the standard input.  IG_OK, or IG_ERROR: told, nothing is open. */
int ig_log_read_open(ig_log_read_t *r, const char *path, struct stat *st);
void ig_log_read_close(ig_log_read_t *r);

/*
 * The next line without its end, until the next call.  IG_OK; IG_AGAIN: there
 * is none; IG_ERROR: it is longer than IG_LOG_LINE and left out.
 */
int ig_log_read_line(ig_log_read_t *r, ig_str_t *line);

#endif /* IG_CTL_LOG_READ_H */
