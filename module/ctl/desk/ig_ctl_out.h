/*
 * ig_ctl_out.h: what subcommands print: plain text that cannot talk to the
 * terminal, JSON strings, colours where a person looks.
 * Owns nothing; all goes to a FILE of the caller's.
 */

#ifndef IG_CTL_OUT_H
#define IG_CTL_OUT_H

#include <stdio.h>

#include "ig_ctl.h"
#include "ig_policy.h"

typedef enum {
    IG_PLAIN = 0,
    IG_BOLD,
    IG_DIM,
    IG_RED,
    IG_GREEN,
    IG_YELLOW,
    IG_MAGENTA
} ig_colour_e;

/* Whether colours may be used: a terminal, no NO_COLOR, TERM not "dumb". */
bool ig_out_colours(FILE *out);

/* Begins a colour, or with IG_PLAIN ends it, where `on`. */
void ig_out_colour(FILE *out, bool on, ig_colour_e colour);

/* What a decision is painted in. */
ig_colour_e ig_out_decision_colour(ig_decision_e d);

/*
 * Text of a log as it is, but for bytes that control terminals, characters
 * that turn the direction of writing, and bad UTF-8: those become \x1b.
 */
void ig_out_text(FILE *out, ig_str_t s);

/* A JSON string with its quotes, of any length; bad UTF-8 as U+FFFD. */
void ig_out_json(FILE *out, ig_str_t s);

/* ,"key":"value" where there is a value. */
void ig_out_member(FILE *out, const char *key, ig_str_t value);

/* ms since the epoch as 2026-11-23T12:00:00.123Z; without quotes. */
void ig_out_time(FILE *out, int64_t ms);

/* A number as ig_buf_number writes it. */
void ig_out_number(FILE *out, double n);

/* True where nothing more can be written: a closed pipe, a full disk. */
#define ig_out_failed(out)  (ferror(out) != 0)

#endif /* IG_CTL_OUT_H */
