/*
 * ig_ctl_load_text.c: what was loaded, or would be: for people, and as JSON.
 * Owns nothing.  Called by ig_ctl_load.c.
 */

#include <string.h>

#include "ig_ctl_load.h"
#include "ig_ctl_out.h"


/* Since when the counter is remembered, after all. */
static int64_t
ig_report_since(const ig_load_counter_t *counter)
{
    return counter->moved >= 0 ? counter->moved : counter->since;
}


/* Until when its warm-up lasts; 0: it is over, or there is none. */
static int64_t
ig_report_warmup(const ig_loading_t *l, const ig_counter_t *c)
{
    int64_t  end;

    end = ig_report_since(&l->counter[c->id]) + c->warmup;

    return c->warmup > 0 && end > l->now ? end : 0;
}


static void
ig_report_warmup_text(const ig_loading_t *l, const ig_counter_t *c)
{
    int64_t  end;

    end = ig_report_warmup(l, c);

    if (end) {
        fputs("until ", stdout);
        ig_out_time(stdout, end);

    } else {
        fputs(c->warmup > 0 ? "over" : "none", stdout);
    }
}


static void
ig_report_counter(const ig_loading_t *l, const ig_counter_t *c, int width)
{
    const ig_load_counter_t  *counter;

    counter = &l->counter[c->id];

    printf("%-*.*s %10llu %10llu  ", width, ig_fmt(c->name),
           (unsigned long long) counter->keys,
           (unsigned long long) counter->writes);
    ig_out_time(stdout, ig_report_since(counter));
    fputs("  ", stdout);

    if (counter->left == IG_LEFT_PRIVATE) {
        fputs("left: the audit log has only pseudonyms", stdout);

    } else {
        ig_report_warmup_text(l, c);
    }

    putchar('\n');
}


static int
ig_report_width(const ig_loading_t *l)
{
    size_t    width;
    unsigned  i;

    width = sizeof("counter") - 1;

    for (i = 0; i < l->trial->policy->ncounters; i++) {
        if (l->rank[i]->name.len > width) {
            width = l->rank[i]->name.len;
        }
    }

    return (int) width;
}


static void
ig_report_events(const ig_loading_t *l)
{
    unsigned  i;
    uint64_t  wrong;

    printf("%llu events", (unsigned long long) l->events);

    if (l->events) {
        fputs(" from ", stdout);
        ig_out_time(stdout, l->from);
        fputs(" to ", stdout);
        ig_out_time(stdout, l->until);
    }

    putchar('\n');

    if (l->younger) {
        printf("%llu left out: the store has counted them itself\n",
               (unsigned long long) l->younger);
    }

    if (l->outside) {
        printf("%llu left out: before --from or after --until\n",
               (unsigned long long) l->outside);
    }

    for (i = IG_SKIP_JSON, wrong = 0; i < IG_SKIPS; i++) {
        wrong += l->source.skipped[i];
    }

    if (wrong) {
        printf("%llu lines left out: they are no events\n",
               (unsigned long long) wrong);
    }

    if (l->source.backwards) {
        printf("%llu events were earlier than one before them, by %llu s at "
               "most\n", (unsigned long long) l->source.backwards,
               (unsigned long long) l->source.furthest / 1000);
    }
}


/* How fast, and with how much memory. */
static void
ig_report_speed(const ig_loading_t *l)
{
    double  read;

    (void) fflush(stdout);

    read = (double) (ig_progress_now() - l->progress.started - l->sent) / 1000;

    fprintf(stderr, "%llu events in %.2f s", (unsigned long long)
            l->source.events, read);

    if (read > 0) {
        fprintf(stderr, ": %.0f a second", (double) l->source.events / read);
    }

    if (l->sent > 0) {
        fprintf(stderr, "; %llu writes in %.2f s: %.0f a second",
                (unsigned long long) l->writes, (double) l->sent / 1000,
                (double) l->writes * 1000 / (double) l->sent);
    }

    fprintf(stderr, "; %ld MiB of memory at most\n",
            ig_ctl_memory_peak() / 1024);
}


void
ig_load_report(const ig_loading_t *l)
{
    int       width;
    unsigned  i;

    ig_report_events(l);

    width = ig_report_width(l);

    printf("\n%-*s %10s %10s  %-24s  %s\n", width, "counter", "keys", "writes",
           "known since", "warm-up");

    for (i = 0; i < l->trial->policy->ncounters; i++) {
        ig_report_counter(l, l->rank[i], width);
    }

    if (l->options.dry_run) {
        printf("\n%llu writes in %u batches would be made: nothing was "
               "written\n", (unsigned long long) l->writes, l->out.n);

    } else if (l->sent == 0 && l->writes == 0) {
        puts("\nnothing to load");

    } else {
        printf("\n%llu writes in %u batches", (unsigned long long) l->writes,
               l->out.n);

        if (l->found.done) {
            printf(", %llu of them by an earlier try",
                   (unsigned long long) l->found.done);
        }

        putchar('\n');
    }

    ig_report_speed(l);
}


/* -- JSON ---------------------------------------------------------------- */


static void
ig_report_json_time(const char *name, int64_t time)
{
    printf(",\"%s\":\"", name);
    ig_out_time(stdout, time);
    putchar('"');
}


static void
ig_report_json_counter(const ig_loading_t *l, const ig_counter_t *c)
{
    int64_t                   warmup;
    const ig_load_counter_t  *counter;

    static const char *const  left[] = {
        [IG_LEFT_NOT] = "no", [IG_LEFT_KNOWN] = "known",
        [IG_LEFT_PRIVATE] = "pseudonyms"
    };

    counter = &l->counter[c->id];
    warmup = ig_report_warmup(l, c);

    fputs("{\"name\":", stdout);
    ig_out_json(stdout, c->name);
    printf(",\"keys\":%llu,\"writes\":%llu,\"left\":\"%s\"",
           (unsigned long long) counter->keys,
           (unsigned long long) counter->writes, left[counter->left]);
    ig_report_json_time("since", ig_report_since(counter));

    if (warmup) {
        ig_report_json_time("warm_up_until", warmup);
    }

    putchar('}');
}


void
ig_load_report_json(const ig_loading_t *l)
{
    unsigned  i;
    uint64_t  wrong;

    for (i = IG_SKIP_JSON, wrong = 0; i < IG_SKIPS; i++) {
        wrong += l->source.skipped[i];
    }

    printf("{\"dry_run\":%s,\"events\":%llu,\"younger\":%llu,"
           "\"outside\":%llu,\"wrong\":%llu,\"backwards\":%llu",
           l->options.dry_run ? "true" : "false",
           (unsigned long long) l->events, (unsigned long long) l->younger,
           (unsigned long long) l->outside, (unsigned long long) wrong,
           (unsigned long long) l->source.backwards);

    if (l->events) {
        ig_report_json_time("from", l->from);
        ig_report_json_time("until", l->until);
    }

    printf(",\"writes\":%llu,\"batches\":%u,\"resumed\":%llu,\"counters\":[",
           (unsigned long long) l->writes, l->out.n,
           (unsigned long long) l->found.done);

    for (i = 0; i < l->trial->policy->ncounters; i++) {
        fputs(i > 0 ? "," : "", stdout);
        ig_report_json_counter(l, l->rank[i]);
    }

    puts("]}");

    ig_report_speed(l);
}
