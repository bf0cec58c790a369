/*
 * ig_ctl_story.h: sentences in sections, printed for people or as JSON.
 * Owns nothing; borrows memory.  Included by ig_ctl_explain*.c.
 */

#ifndef IG_CTL_STORY_H
#define IG_CTL_STORY_H

#include <stdio.h>

#include "ig_ctl.h"

typedef enum {
    IG_STORY_HAPPENED = 0,
    IG_STORY_SAID,
    IG_STORY_COUNTED,
    IG_STORY_RULES,
    IG_STORY_WHY,
    IG_STORY_OUTCOME,
    IG_STORY_CERTAINTY,
    IG_STORY_RECORD,
    IG_STORY_SECTIONS
} ig_story_section_e;

typedef struct ig_story_item_s  ig_story_item_t;

struct ig_story_item_s {
    ig_str_t          text;
    ig_story_item_t  *next;
};

typedef struct {
    ig_mem_t         *mem;
    ig_story_item_t  *first[IG_STORY_SECTIONS];
    ig_story_item_t  *last[IG_STORY_SECTIONS];
    bool              nomem;
} ig_story_t;

void ig_story_say(ig_story_t *story, ig_story_section_e section,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Paragraphs of at most 78 columns below headings. */
void ig_story_text(const ig_story_t *story, FILE *out, bool colours);

/* "story":[{"section":"...","text":["...",...]},...] */
void ig_story_json(const ig_story_t *story, FILE *out);

#endif /* IG_CTL_STORY_H */
