/*
 * Owns: the texts of the requests, and who is drawn how often.
 * Borrows: nothing.
 * Called by: ig_load.c, once, before the clock starts.
 */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ig_load.h"


#define IG_RING_TEXT_MAX  5120


/* cdf[i]: the share of draws that fall on 0..i; rank 0 is the hottest */

typedef struct {
    double    *cdf;
    uint32_t   n;
} ig_zipf_t;


static const char *const  ig_words[] = {
    "the", "colour", "is", "just", "like", "in", "the", "picture", "and",
    "delivery", "took", "two", "days", "my", "daughter", "wears", "it",
    "every", "week", "seams", "are", "clean", "box", "was", "dented", "but",
    "nothing", "inside", "broke", "would", "buy", "again", "battery", "lasts",
    "a", "weekend", "caf\xc3\xa9", "quality", "for", "this", "price",
    "surprised", "me", "size", "runs", "small", "\\\"warm\\\"", "soft",
    "seller", "answered", "within", "an", "hour"
};


static int
ig_zipf_init(ig_zipf_t *z, uint32_t n, double skew)
{
    double    sum;
    uint32_t  i;

    z->n = n;
    z->cdf = malloc(n * sizeof(double));

    if (z->cdf == NULL) {
        return -1;
    }

    sum = 0;

    for (i = 0; i < n; i++) {
        sum += pow((double) i + 1, -skew);
        z->cdf[i] = sum;
    }

    for (i = 0; i < n; i++) {
        z->cdf[i] /= sum;
    }

    return 0;
}


static uint32_t
ig_zipf_draw(const ig_zipf_t *z, ig_rng_t *rng)
{
    double    u;
    uint32_t  high, low, mid;

    u = ig_rng_unit(rng);
    low = 0;
    high = z->n - 1;

    while (low < high) {
        mid = low + (high - low) / 2;

        if (z->cdf[mid] > u) {
            high = mid;

        } else {
            low = mid + 1;
        }
    }

    return low;
}


/* ties one number to another for good: a product has one merchant */

static uint32_t
ig_ring_tie(uint64_t from, uint32_t n)
{
    ig_rng_t  rng;

    rng.state = from * 0x2545f4914f6cdd1du;

    return (uint32_t) (ig_rng_next(&rng) % n);
}


static size_t
ig_ring_body(char *buf, size_t size, const ig_ring_conf_t *conf,
    uint32_t account, uint32_t product, ig_rng_t *rng)
{
    int          n, tail;
    char         end[512];
    size_t       len, word;
    uint64_t     r;
    const char  *w;

    r = ig_rng_next(rng);

    tail = snprintf(end, sizeof(end),
               "\",\"order_id\":\"o-%08x-%04x\",\"language\":\"en\","
               "\"items\":[{\"sku\":\"p%06u\",\"quantity\":%u,"
               "\"unit_price\":%u.%02u}],\"photos\":[],"
               "\"verified_purchase\":%s}",
               account * 2654435761u, (unsigned) (r & 0xffff), product,
               (unsigned) (1 + (r >> 16) % 3), (unsigned) ((r >> 20) % 900),
               (unsigned) ((r >> 32) % 100), (r >> 40) & 1 ? "true" : "false");

    n = snprintf(buf, size,
            "{\"merchant_id\":\"m-%05u\",\"rating\":%u,\"title\":\"Review\","
            "\"content\":\"",
            ig_ring_tie(product, conf->merchants),
            (unsigned) (5 - ((r >> 48) % 16) / 4));

    len = (size_t) n;

    for ( ;; ) {
        w = ig_words[ig_rng_next(rng) % (sizeof(ig_words) / sizeof(w))];
        word = strlen(w);

        if (len + word + 1 + (size_t) tail > conf->body) {
            break;
        }

        memcpy(buf + len, w, word);
        len += word;
        buf[len++] = ' ';
    }

    memcpy(buf + len, end, (size_t) tail);

    return len + (size_t) tail;
}


static size_t
ig_ring_text(char *buf, const char *body, size_t body_len, uint32_t account,
    uint32_t device, uint32_t product)
{
    int  n;

    n = snprintf(buf, IG_RING_TEXT_MAX - body_len,
            "POST /v1/products/p%06u/reviews HTTP/1.1\r\n"
            "Host: shop.example\r\n"
            "User-Agent: shop-app/5.2 (bench)\r\n"
            "Accept: application/json\r\n"
            "X-Account: u%07u\r\n"
            "X-Device-Id: d%08x\r\n"
            "Content-Type: application/json\r\n"
            "Content-Length: %zu\r\n"
            "\r\n",
            product, account, device * 2246822519u, body_len);

    memcpy(buf + n, body, body_len);

    return (size_t) n + body_len;
}


int
ig_ring_build(ig_ring_t *ring, const ig_ring_conf_t *conf)
{
    int        rc;
    char       body[IG_RING_TEXT_MAX], *p;
    size_t     len;
    uint32_t   account, device, i, product;
    ig_rng_t   rng;
    ig_zipf_t  who, what;

    memset(ring, 0, sizeof(ig_ring_t));
    rng.state = conf->seed;
    who.cdf = NULL;
    what.cdf = NULL;
    rc = -1;

    if (conf->body < 300 || conf->body > 4000) {
        return -1;
    }

    ring->text = calloc(conf->texts, sizeof(ig_text_t));
    ring->arena = malloc((size_t) conf->texts * (conf->body + 512));

    if (ring->text == NULL || ring->arena == NULL
        || ig_zipf_init(&who, conf->accounts, conf->skew) != 0
        || ig_zipf_init(&what, conf->products, conf->skew) != 0)
    {
        goto done;
    }

    p = ring->arena;

    for (i = 0; i < conf->texts; i++) {
        account = ig_zipf_draw(&who, &rng);
        product = ig_zipf_draw(&what, &rng);

        /* a shopper owns two devices and mostly uses the first */
        device = ig_ring_tie(2 * (uint64_t) account
                             + (ig_rng_next(&rng) % 4 == 0), conf->devices);

        len = ig_ring_body(body, sizeof(body), conf, account, product, &rng);
        ring->body_bytes += len;

        len = ig_ring_text(p, body, len, account, device, product);
        ring->bytes += len;

        ring->text[i].data = p;
        ring->text[i].len = len;
        p += len;
    }

    ring->n = conf->texts;
    rc = 0;

done:

    free(who.cdf);
    free(what.cdf);

    if (rc != 0) {
        ig_ring_free(ring);
    }

    return rc;
}


void
ig_ring_free(ig_ring_t *ring)
{
    free(ring->arena);
    free(ring->text);
    ring->arena = NULL;
    ring->text = NULL;
}
