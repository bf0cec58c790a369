/*
 * ig_ctl_load_send.c: what load asks of nginx, and in which order: how far
 * another try has come, then to begin, batch after batch, the end.
 * Owns nothing but the text of one question.  Called by ig_ctl_load.c.
 */

#include <string.h>
#include <time.h>

#include "ig_ctl_load.h"

#define IG_LOAD_MOST  (INT64_C(1) << 53)


static ig_str_t
ig_load_str(const char *s)
{
    return (ig_str_t) { strlen(s), s };
}


/* -- questions ----------------------------------------------------------- */


static void
ig_load_text(ig_buf_t *b, const char *name, const char *value)
{
    if (value) {
        ig_buf_lit(b, ",\"");
        ig_buf_str_add(b, ig_load_str(name));
        ig_buf_lit(b, "\":");
        ig_buf_json_string(b, ig_load_str(value));
    }
}


static void
ig_load_number(ig_buf_t *b, const char *name, int64_t n)
{
    ig_buf_lit(b, ",\"");
    ig_buf_str_add(b, ig_load_str(name));
    ig_buf_lit(b, "\":");
    ig_buf_i64(b, n);
}


/* What every question says: what is asked, and that both sides fit. */
static void
ig_load_question(ig_loading_t *l, ig_buf_t *b, const char *op)
{
    uint8_t  proof[IG_LOAD_PROOF];

    ig_buf_init(b, l->question, sizeof(l->question));

    ig_buf_lit(b, "{\"op\":\"");
    ig_buf_str_add(b, ig_load_str(op));
    ig_buf_lit(b, "\",\"policy\":\"");
    ig_buf_hex(b, l->trial->policy->hash, sizeof(l->trial->policy->hash));
    ig_buf_lit(b, "\",\"proof\":\"");
    ig_load_proof(&l->secret, l->trial->policy, proof);
    ig_buf_hex(b, proof, sizeof(proof));
    ig_buf_char(b, '"');
}


static void
ig_load_question_id(ig_loading_t *l, ig_buf_t *b)
{
    ig_buf_lit(b, ",\"id\":\"");
    ig_buf_hex(b, l->id, IG_LOAD_ID);
    ig_buf_char(b, '"');
    ig_load_number(b, "at", l->now);
    ig_load_number(b, "of", l->out.n > 0 ? l->out.n : 1);
}


/* For the record. */
static void
ig_load_story(ig_loading_t *l, ig_buf_t *b)
{
    ig_load_question_id(l, b);
    ig_load_number(b, "from", l->from);
    ig_load_number(b, "to", l->until);
    ig_load_number(b, "events", (int64_t) l->events);
    ig_load_number(b, "writes", (int64_t) l->writes);
    ig_load_text(b, "by", l->options.by);
    ig_load_text(b, "reason", l->options.reason);
    ig_load_text(b, "tenant", l->options.tenant);
}


/* -- answers ------------------------------------------------------------- */


/* nginx's own words, where it says what is wrong. */
static int
ig_load_refused(ig_loading_t *l, ig_mem_t *mem)
{
    ig_json_t   *json;
    ig_value_t   error;

    if (ig_json_parse(l->control.body, &json) != IG_JSON_OK) {
        (void) ig_ctl_error("nginx answers with status %d",
                            l->control.status);
        return IG_CTL_FAILED;
    }

    error = ig_json_member(json, ig_str("error"), mem);

    if (error.type == IG_STRING) {
        (void) ig_ctl_error("%.*s", ig_fmt(error.str));
    }

    ig_json_free(json);

    return IG_CTL_FAILED;
}


static int
ig_load_ask(ig_loading_t *l, ig_buf_t *b)
{
    int  rc;

    ig_buf_char(b, '}');

    if (b->full) {
        return ig_ctl_error("the arguments are too long");
    }

    rc = ig_control_ask(&l->control, ig_buf_str(b));

    return rc != IG_CTL_OK || l->control.status == 200
           ? rc : ig_load_refused(l, l->mem);
}


static int64_t
ig_load_member(const ig_json_t *json, const char *name, ig_mem_t *mem)
{
    ig_value_t  value;

    value = ig_json_member(json, ig_load_str(name), mem);

    return value.type == IG_NUMBER && value.num >= 0
           && value.num <= (double) IG_LOAD_MOST ? (int64_t) value.num : 0;
}


/* Numbers by rank; false where some counter's is not known. */
static bool
ig_load_since(ig_loading_t *l, ig_str_t text)
{
    size_t    len;
    unsigned  i;
    uint64_t  n;

    for (i = 0; i < l->trial->policy->ncounters; i++) {
        for (len = 0; len < text.len && text.data[len] != ','; len++) {
            /* void */
        }

        if (!ig_parse_uint((ig_str_t) { len, text.data }, IG_LOAD_MOST, &n)) {
            (void) ig_ctl_error("nginx's store does not say since when it "
                                "remembers \"%.*s\": is it there?",
                                ig_fmt(l->rank[i]->name));
            return false;
        }

        l->counter[l->rank[i]->id].since = (int64_t) n;
        l->counter[l->rank[i]->id].moved = -1;

        len += len < text.len;
        text.data += len;
        text.len -= len;
    }

    return true;
}


static int
ig_load_looked(ig_loading_t *l, const ig_json_t *json)
{
    ig_value_t  id, since, store;

    l->now = ig_load_member(json, "now", l->mem);
    l->slots = (uint64_t) ig_load_member(json, "slots", l->mem);
    l->used = (uint64_t) ig_load_member(json, "used", l->mem);

    id = ig_json_member(json, ig_str("id"), l->mem);
    since = ig_json_member(json, ig_str("since"), l->mem);
    store = ig_json_member(json, ig_str("store"), l->mem);

    l->redis = store.type == IG_STRING
               && ig_str_eq(store.str, ig_str("redis"));

    if (id.type == IG_STRING && ig_load_id_read(id.str, l->found.id)) {

        /* windows end where they did for whoever began */

        l->now = ig_load_member(json, "at", l->mem);
        l->found.done = (uint64_t) ig_load_member(json, "done", l->mem);
        l->found.of = (uint64_t) ig_load_member(json, "of", l->mem);
    }

    return since.type == IG_STRING && ig_load_since(l, since.str)
           ? IG_CTL_OK : IG_CTL_FAILED;
}


int
ig_load_look(ig_loading_t *l)
{
    int         rc;
    ig_buf_t    b;
    ig_json_t  *json;

    ig_load_question(l, &b, "load_look");

    rc = ig_load_ask(l, &b);
    if (rc != IG_CTL_OK) {
        return rc;
    }

    if (ig_json_parse(l->control.body, &json) != IG_JSON_OK) {
        return ig_ctl_error("nginx's answer cannot be read");
    }

    rc = ig_load_looked(l, json);
    ig_json_free(json);

    return rc;
}


/* -- the way of a load --------------------------------------------------- */


void
ig_load_identify(ig_loading_t *l)
{
    char      memory[IG_LOAD_CURSOR];
    uint8_t   digest[4][IG_SHA256];
    ig_buf_t  b;

    ig_buf_init(&b, memory, sizeof(memory));
    ig_buf_i64(&b, l->now);
    ig_buf_char(&b, ' ');
    ig_buf_i64(&b, l->from);

    memcpy(digest[0], l->trial->policy->hash, IG_SHA256);
    ig_sha256(memory, (size_t) (b.pos - b.start), digest[1]);
    ig_sha256(l->out.bytes, l->out.len, digest[2]);
    ig_sha256(l->out.end, l->out.n * sizeof(size_t), digest[3]);
    ig_sha256(digest, sizeof(digest), digest[0]);

    memcpy(l->id, digest[0], IG_LOAD_ID);
}


static int
ig_load_begin(ig_loading_t *l)
{
    ig_buf_t  b;

    if (l->found.of > 0 && memcmp(l->found.id, l->id, IG_LOAD_ID) == 0) {
        return IG_CTL_OK;
    }

    if (l->found.of > 0 && !l->options.replace) {
        (void) ig_ctl_error("another load ended at batch %llu of %llu, and "
                            "these are not its events or its options: run it "
                            "again, and it goes on from there; or give it up "
                            "with --replace, and what it has counted may "
                            "count twice",
                            (unsigned long long) l->found.done,
                            (unsigned long long) l->found.of);
        return IG_CTL_FAILED;
    }

    l->found.done = 0;

    ig_load_question(l, &b, "load_begin");
    ig_load_story(l, &b);
    ig_load_text(&b, "replace", l->options.replace ? "yes" : NULL);

    return ig_load_ask(l, &b);
}


static int
ig_load_batch(ig_loading_t *l, unsigned i)
{
    size_t    start;
    ig_buf_t  b;

    start = i > 0 ? l->out.end[i - 1] : 0;

    ig_load_question(l, &b, "load_write");
    ig_load_question_id(l, &b);
    ig_load_number(&b, "seq", i + 1);
    ig_buf_lit(&b, ",\"data\":\"");
    ig_buf_base64url(&b, l->out.bytes + start, l->out.end[i] - start);
    ig_buf_char(&b, '"');

    return ig_load_ask(l, &b);
}


/* As long as nginx took: live calls have at least half of its time. */
static void
ig_load_pause(int64_t us)
{
    struct timespec  pause;

    pause.tv_sec = us / 1000000;
    pause.tv_nsec = us % 1000000 * 1000;

    (void) nanosleep(&pause, NULL);
}


static int64_t
ig_load_clock(void)
{
    struct timespec  now;

    (void) clock_gettime(CLOCK_MONOTONIC, &now);

    return (int64_t) now.tv_sec * 1000000 + now.tv_nsec / 1000;
}


static int
ig_load_batches(ig_loading_t *l)
{
    int       rc;
    int64_t   start;
    unsigned  i;

    for (i = (unsigned) l->found.done; i < l->out.n; i++) {

        start = ig_load_clock();
        rc = ig_load_batch(l, i);

        if (rc != IG_CTL_OK) {
            ig_progress_end(&l->progress);
            (void) ig_ctl_error("stopped at batch %u of %u: run the same "
                                "again, and it goes on from there; until then "
                                "nothing is known that was not", i + 1,
                                l->out.n);
            return IG_CTL_FAILED;
        }

        ig_load_pause(ig_load_clock() - start);
        ig_progress_draw(&l->progress, (double) (i + 1) / l->out.n, i + 1,
                         "batches");
    }

    return IG_CTL_OK;
}


static int
ig_load_end(ig_loading_t *l)
{
    unsigned  i;
    ig_buf_t  b;

    ig_load_question(l, &b, "load_end");
    ig_load_story(l, &b);
    ig_buf_lit(&b, ",\"since\":\"");

    for (i = 0; i < l->trial->policy->ncounters; i++) {
        ig_buf_bytes(&b, ",", i > 0);
        ig_buf_i64(&b, l->counter[l->rank[i]->id].moved);
    }

    ig_buf_char(&b, '"');

    return ig_load_ask(l, &b);
}


int
ig_load_send(ig_loading_t *l)
{
    int      rc;
    int64_t  start;

    start = ig_progress_now();

    rc = ig_load_begin(l);

    if (rc == IG_CTL_OK) {
        rc = ig_load_batches(l);
    }

    if (rc == IG_CTL_OK) {
        rc = ig_load_end(l);
    }

    l->sent = ig_progress_now() - start;
    ig_progress_end(&l->progress);

    return rc;
}
