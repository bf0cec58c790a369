/*
 * ig_ctl_token.c: the tokens of nginx's configuration.
 * Owns nothing; borrows the file's text and writes into it: an unescaped
 * argument is never longer than it was.  Called by ig_ctl_conf.c.
 *
 * The rules, as nginx has them: an argument ends at a blank, ";" or "{"; a
 * quote, a comment or "}" is one only where an argument could begin; "${" does
 * not begin a block; a backslash takes the next byte as it is, and \" \' \\
 * lose it while \t \r \n become the control characters; behind a closing
 * quote comes a blank, ";", "{" or ")".
 */

#include "ig_ctl_conf.h"

/* nginx reads into a buffer of so many bytes, which an argument must fit. */
#define IG_CONF_ARG_MAX  4096


static bool
ig_conf_is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}


static void
ig_conf_step(ig_conf_file_t *file)
{
    if (*file->at == '\n') {
        file->pos.line++;
    }

    file->at++;
}


static void
ig_conf_blanks(ig_conf_file_t *file)
{
    while (file->at < file->end) {

        if (*file->at == '#') {
            while (file->at < file->end && *file->at != '\n') {
                file->at++;
            }

        } else if (ig_conf_is_blank(*file->at)) {
            ig_conf_step(file);

        } else {
            break;
        }
    }
}


/* Undoes escapes in place. */
static ig_str_t
ig_conf_unescape(char *start, const char *end)
{
    char        *out;
    const char  *in;

    for (in = start, out = start; in < end; in++) {

        if (*in == '\\' && in + 1 < end) {

            switch (in[1]) {

            case '"':
            case '\'':
            case '\\':
                *out++ = *++in;
                continue;

            case 't':
                *out++ = '\t';
                in++;
                continue;

            case 'r':
                *out++ = '\r';
                in++;
                continue;

            case 'n':
                *out++ = '\n';
                in++;
                continue;
            }
        }

        *out++ = *in;
    }

    return (ig_str_t) { (size_t) (out - start), start };
}


/* Goes on to the end of an unquoted argument. */
static void
ig_conf_word(ig_conf_file_t *file)
{
    char  c, before;

    before = '\0';

    for ( /* void */ ; file->at < file->end; ig_conf_step(file)) {

        c = *file->at;

        if (c == '{' && before == '$') {
            before = '\0';
            continue;
        }

        if (ig_conf_is_blank(c) || c == ';' || c == '{') {
            break;
        }

        if (c == '\\' && file->at + 1 < file->end) {
            ig_conf_step(file);
            c = '\0';
        }

        before = c;
    }
}


/* Goes on to the closing quote.  False: there is none. */
static bool
ig_conf_quoted(ig_conf_file_t *file, char quote)
{
    for ( /* void */ ; file->at < file->end; ig_conf_step(file)) {

        if (*file->at == quote) {
            return true;
        }

        if (*file->at == '\\' && file->at + 1 < file->end) {
            ig_conf_step(file);
        }
    }

    return false;
}


static int
ig_conf_too_long(ig_conf_file_t *file, ig_pos_t begin, const char *start)
{
    return ig_error(file->err, begin, "too long parameter, probably missing "
                    "terminating quote: \"%.10s...\"", start);
}


static int
ig_conf_quoted_arg(ig_conf_file_t *file, ig_str_t *arg)
{
    char       quote, *start;
    ig_pos_t   begin;

    begin = file->pos;
    quote = *file->at++;
    start = file->at;

    if (!ig_conf_quoted(file, quote)) {

        return (file->end - start >= IG_CONF_ARG_MAX)
               ? ig_conf_too_long(file, begin, start)
               : ig_error(file->err, begin, "the quote %c has no end", quote);
    }

    if (file->at - start >= IG_CONF_ARG_MAX) {
        return ig_conf_too_long(file, begin, start);
    }

    *arg = ig_conf_unescape(start, file->at);
    file->at++;

    if (file->at < file->end && !ig_conf_is_blank(*file->at)
        && *file->at != ';' && *file->at != '{' && *file->at != ')')
    {
        return ig_error(file->err, file->pos, "unexpected \"%c\"", *file->at);
    }

    return IG_OK;
}


int
ig_conf_token(ig_conf_file_t *file, ig_conf_token_e *kind, ig_str_t *arg)
{
    char      *start;
    ig_pos_t   begin;

    ig_conf_blanks(file);

    if (file->at == file->end) {
        *kind = IG_CONF_EOF;
        return IG_OK;
    }

    switch (*file->at) {

    case ';':
        *kind = IG_CONF_SEMICOLON;
        file->at++;
        return IG_OK;

    case '{':
        *kind = IG_CONF_OPEN;
        file->at++;
        return IG_OK;

    case '}':
        *kind = IG_CONF_CLOSE;
        file->at++;
        return IG_OK;

    case '"':
    case '\'':
        *kind = IG_CONF_ARG;
        return ig_conf_quoted_arg(file, arg);
    }

    begin = file->pos;
    start = file->at;

    ig_conf_word(file);

    if (file->at - start >= IG_CONF_ARG_MAX) {
        return ig_conf_too_long(file, begin, start);
    }

    *kind = IG_CONF_ARG;
    *arg = ig_conf_unescape(start, file->at);

    return IG_OK;
}
