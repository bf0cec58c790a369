/*
 * ig_ctl_story.c: sentences in sections, printed for people or as JSON.
 * Owns nothing.  Called by ig_ctl_explain*.c.
 */

#include <stdarg.h>
#include <string.h>

#include "ig_ctl_out.h"
#include "ig_ctl_story.h"

#define IG_STORY_WIDTH   78
#define IG_STORY_INDENT  2
#define IG_STORY_LONGEST 16384

static const struct {
    const char  *key;
    const char  *heading;
} ig_story_section[IG_STORY_SECTIONS] = {
    [IG_STORY_HAPPENED] = { "happened", "What happened" },
    [IG_STORY_SAID] = { "said", "What the call said" },
    [IG_STORY_COUNTED] = { "counted", "What was counted" },
    [IG_STORY_RULES] = { "rules", "Which rules fired" },
    [IG_STORY_WHY] = { "why", "Why it was decided so" },
    [IG_STORY_OUTCOME] = { "outcome", "What came of it" },
    [IG_STORY_CERTAINTY] = { "certainty", "How certain this is" },
    [IG_STORY_RECORD] = { "record", "Where it is recorded" }
};


void
ig_story_say(ig_story_t *story, ig_story_section_e section, const char *fmt,
    ...)
{
    int               n;
    char              text[IG_STORY_LONGEST];
    va_list           args;
    ig_str_t          said;
    ig_story_item_t  *item;

    va_start(args, fmt);
    n = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);

    said.data = text;
    said.len = n < 0 ? 0 : (size_t) n < sizeof(text) ? (size_t) n
                                                     : sizeof(text) - 1;

    item = ig_alloc(story->mem, sizeof(ig_story_item_t));

    if (item == NULL || ig_str_dup(story->mem, said, &item->text) != IG_OK) {
        story->nomem = true;
        return;
    }

    if (story->last[section]) {
        story->last[section]->next = item;

    } else {
        story->first[section] = item;
    }

    story->last[section] = item;
}


/* Columns are counted by characters; wide ones are told too short. */
static size_t
ig_story_columns(ig_str_t s)
{
    size_t  i, n;

    for (i = 0, n = 0; i < s.len; i++) {
        n += (((unsigned char) s.data[i] & 0xc0) != 0x80);
    }

    return n;
}


/* One paragraph; the lines after its first are indented further. */
static void
ig_story_paragraph(FILE *out, ig_str_t text)
{
    size_t    at, width;
    ig_str_t  word;

    at = 0;

    while (text.len > 0) {
        word.data = text.data;
        word.len = 0;

        while (word.len < text.len && text.data[word.len] != ' ') {
            word.len++;
        }

        width = ig_story_columns(word);

        if (at == 0) {
            fprintf(out, "%*s", IG_STORY_INDENT, "");
            at = IG_STORY_INDENT;

        } else if (at + 1 + width > IG_STORY_WIDTH) {
            fprintf(out, "\n%*s", 2 * IG_STORY_INDENT, "");
            at = 2 * IG_STORY_INDENT;

        } else {
            fputc(' ', out);
            at++;
        }

        ig_out_text(out, word);
        at += width;

        text.data += word.len;
        text.len -= word.len;

        if (text.len > 0) {
            text.data++;
            text.len--;
        }
    }

    fputc('\n', out);
}


void
ig_story_text(const ig_story_t *story, FILE *out, bool colours)
{
    bool                    any;
    unsigned                i;
    const ig_story_item_t  *item;

    for (any = false, i = 0; i < IG_STORY_SECTIONS; i++) {

        if (story->first[i] == NULL) {
            continue;
        }

        fputs(any ? "\n" : "", out);
        any = true;

        ig_out_colour(out, colours, IG_BOLD);
        fputs(ig_story_section[i].heading, out);
        ig_out_colour(out, colours, IG_PLAIN);
        fputc('\n', out);

        for (item = story->first[i]; item; item = item->next) {
            ig_story_paragraph(out, item->text);
        }
    }
}


void
ig_story_json(const ig_story_t *story, FILE *out)
{
    bool                    any;
    unsigned                i;
    const ig_story_item_t  *item;

    fputs("\"story\":[", out);

    for (any = false, i = 0; i < IG_STORY_SECTIONS; i++) {

        if (story->first[i] == NULL) {
            continue;
        }

        fprintf(out, "%s{\"section\":\"%s\",\"text\":[", any ? "," : "",
                ig_story_section[i].key);
        any = true;

        for (item = story->first[i]; item; item = item->next) {
            ig_out_json(out, item->text);
            fputs(item->next ? "," : "", out);
        }

        fputs("]}", out);
    }

    fputc(']', out);
}
