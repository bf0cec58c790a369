/*
 * ig_ctl_control.h: asking a running nginx: JSON over HTTP, through the unix
 * socket where a location has integrity_control.
 * Owns: the connection, which is kept from one question to the next.
 * Called by list, load and whatever else asks.
 */

#ifndef IG_CTL_CONTROL_H
#define IG_CTL_CONTROL_H

#include "ig_buf.h"
#include "ig_ctl.h"

#define IG_CONTROL_URI       "/integrity/control"
#define IG_CONTROL_QUESTION  (16 * 1024)    /* longest body that is asked with:
                                               what nginx reads in one piece */
#define IG_CONTROL_ANSWER    (32 * 1024)    /* longest answer, with its head */

typedef struct {
    const char  *socket;        /* "unix:PATH" or PATH */
    const char  *uri;
    int          fd;            /* -1: not connected */
    int          status;        /* of the answer */
    ig_str_t     body;          /* its body, ends with a NUL */
    char         answer[IG_CONTROL_ANSWER + 1];
} ig_control_t;

/*
 * Whether --socket and --uri are there and can be used: IG_CTL_OK, or
 * IG_CTL_USAGE with the reason told.
 */
int ig_control_init(ig_control_t *c, const ig_ctl_command_t *command,
    const char *socket, const char *uri);

/*
 * One question, a JSON object.  IG_CTL_OK: status and body are nginx's answer,
 * the body a JSON object; IG_CTL_FAILED: it answered with a page of its own;
 * IG_CTL_USAGE: nobody answers.  What is not OK has been told.
 */
int ig_control_ask(ig_control_t *c, ig_str_t question);

void ig_control_close(ig_control_t *c);

#endif /* IG_CTL_CONTROL_H */
