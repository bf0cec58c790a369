/*
 * ig_ctl_page_int.h: what the files of the page layer share.
 * Owns nothing.  Included by ig_ctl_page*.c alone.
 */

#ifndef IG_CTL_PAGE_INT_H
#define IG_CTL_PAGE_INT_H

#include "ig_ctl_page.h"

/* Around a value, in text that is put together. */
#define IG_PAGE_VALUE      '\x02'
#define IG_PAGE_VALUE_END  '\x03'

/* Around a time, which is not broken at the end of a line. */
#define IG_PAGE_TIME       '\x04'
#define IG_PAGE_TIME_END   '\x05'

/* Of text that is put together, marks alone are control characters. */
#define ig_page_is_mark(c)  ((unsigned char) (c) < ' ')

/* What was written to a memory stream, which is empty again. */
ig_str_t ig_page_take(FILE *stream, char **text, size_t *len);

/* Text with its marks: as elements, as nothing, as nothing but escaped. */
void ig_page_markup(FILE *out, ig_str_t s);
void ig_page_plain(FILE *out, ig_str_t s);
void ig_page_escape_plain(FILE *out, ig_str_t s);

#define IG_PAGE_WIDTH  78           /* columns of plain text */

/* As plain text, in lines that begin with `indent` blanks but the first. */
void ig_page_wrap(FILE *out, ig_str_t s, unsigned indent);

/* Columns of a terminal that text takes: wide characters take two. */
unsigned ig_page_columns(ig_str_t s);

#endif /* IG_CTL_PAGE_INT_H */
