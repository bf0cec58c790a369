/*
 * Owns: the command line of the load generator and its report, one JSON object.
 * Borrows: nothing; libc only.
 * Called by: bench.py, or by hand: ig_load --port 8080 --seconds 3
 */

#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "ig_load.h"


static const char  ig_load_usage[] =
    "usage: ig_load --port N [options]\n"
    "  --application FD  an inherited listening socket: be the application\n"
    "                    behind the proxy too, in the same loop\n"
    "  --connections N   keepalive connections (64)\n"
    "  --seconds S       how long new requests start (3)\n"
    "  --rate R          intended requests/s, latency from the intended time;\n"
    "                    without it a closed loop\n"
    "  --uniform         equal gaps at that rate instead of exponential ones\n"
    "  --spin            poll at that rate instead of sleeping: no time lost\n"
    "                    in waking up, a whole CPU used\n"
    "  --timeout S       a request is given up after this (5)\n"
    "  --texts N         different requests, made beforehand (65536)\n"
    "  --accounts N --devices N --merchants N --products N\n"
    "                    how many there are (20000 30000 500 5000)\n"
    "  --skew S          zipf exponent of accounts and products (0.8)\n"
    "  --body N          bytes of a review's JSON, 300..4000 (400)\n"
    "  --seed N          (1)\n";


/* Returns 0 where the whole of "text" is a number in the range. */

static int
ig_load_number(const char *text, double low, double high, double *out)
{
    char  *end;

    errno = 0;
    *out = strtod(text, &end);

    return errno == 0 && end != text && *end == '\0'
           && *out >= low && *out <= high ? 0 : -1;
}


static int
ig_load_options(int argc, char **argv, ig_run_conf_t *run,
    ig_ring_conf_t *ring)
{
    int     opt;
    double  v;

    static const struct option  options[] = {
        { "port", required_argument, NULL, 'p' },
        { "application", required_argument, NULL, 'a' },
        { "connections", required_argument, NULL, 'c' },
        { "seconds", required_argument, NULL, 's' },
        { "rate", required_argument, NULL, 'r' },
        { "uniform", no_argument, NULL, 'u' },
        { "spin", no_argument, NULL, 'i' },
        { "timeout", required_argument, NULL, 't' },
        { "texts", required_argument, NULL, 'n' },
        { "accounts", required_argument, NULL, 'A' },
        { "devices", required_argument, NULL, 'D' },
        { "merchants", required_argument, NULL, 'M' },
        { "products", required_argument, NULL, 'P' },
        { "skew", required_argument, NULL, 'z' },
        { "body", required_argument, NULL, 'b' },
        { "seed", required_argument, NULL, 'S' },
        { NULL, 0, NULL, 0 }
    };

    while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {

        v = 0;

        if (opt == '?' || (optarg != NULL
                           && ig_load_number(optarg, 0, 4e9, &v) != 0))
        {
            return -1;
        }

        switch (opt) {
        case 'p': run->port = (unsigned) v; break;
        case 'a': run->application = (int) v; break;
        case 'c': run->connections = (unsigned) v; break;
        case 's': run->seconds = v; break;
        case 'r': run->rate = v; break;
        case 'u': run->uniform = 1; break;
        case 'i': run->spin = 1; break;
        case 't': run->timeout = v; break;
        case 'n': ring->texts = (uint32_t) v; break;
        case 'A': ring->accounts = (uint32_t) v; break;
        case 'D': ring->devices = (uint32_t) v; break;
        case 'M': ring->merchants = (uint32_t) v; break;
        case 'P': ring->products = (uint32_t) v; break;
        case 'z': ring->skew = v; break;
        case 'b': ring->body = (size_t) v; break;
        default:  ring->seed = (uint64_t) v; break;
        }
    }

    if (optind != argc || run->port < 1 || run->port > 65535
        || run->connections < 1 || run->connections > 10000
        || run->seconds <= 0 || run->timeout <= 0
        || ring->texts < 1 || ring->accounts < 1 || ring->devices < 1
        || ring->merchants < 1 || ring->products < 1)
    {
        return -1;
    }

    run->seed = ring->seed;

    return 0;
}


static void
ig_load_report(const ig_run_conf_t *conf, const ig_run_result_t *r)
{
    int               i;
    double            mean;
    const char       *comma;
    const ig_hist_t  *h;

    h = &r->latency;
    mean = h->n ? (double) h->sum / (double) h->n : 0;

    printf("{\"mode\":\"%s\",\"connections\":%u,\"rate\":%.1f,"
           "\"requests\":%llu,\"seconds\":%.6f,\"rps\":%.1f,",
           conf->rate == 0 ? "closed" : "paced", conf->connections, conf->rate,
           (unsigned long long) r->requests, r->seconds,
           r->seconds > 0 ? (double) r->requests / r->seconds : 0.0);

    printf("\"mean_us\":%.1f,\"p50_us\":%.1f,\"p90_us\":%.1f,"
           "\"p99_us\":%.1f,\"p999_us\":%.1f,\"max_us\":%.1f,",
           mean / 1e3, (double) ig_hist_quantile(h, 0.5) / 1e3,
           (double) ig_hist_quantile(h, 0.9) / 1e3,
           (double) ig_hist_quantile(h, 0.99) / 1e3,
           (double) ig_hist_quantile(h, 0.999) / 1e3, (double) h->max / 1e3);

    printf("\"statuses\":{");
    comma = "";

    for (i = 0; i < 600; i++) {
        if (r->status[i] > 0) {
            printf("%s\"%d\":%llu", comma, i,
                   (unsigned long long) r->status[i]);
            comma = ",";
        }
    }

    printf("},\"broken\":%llu,\"timeouts\":%llu,\"unsent\":%llu,"
           "\"connects\":%llu,\"connect_errors\":%llu,",
           (unsigned long long) r->broken, (unsigned long long) r->timeouts,
           (unsigned long long) r->unsent, (unsigned long long) r->connects,
           (unsigned long long) r->connect_errors);

    printf("\"bytes\":%llu,\"request_bytes\":%.1f,\"body_bytes\":%.1f,"
           "\"cpu_seconds\":%.6f}\n",
           (unsigned long long) r->bytes,
           (double) conf->ring->bytes / conf->ring->n,
           (double) conf->ring->body_bytes / conf->ring->n, r->cpu_seconds);
}


int
main(int argc, char **argv)
{
    int                     rc;
    ig_ring_t               ring;
    static ig_run_result_t  result;

    ig_ring_conf_t  ring_conf = {
        .texts = 65536, .accounts = 20000, .devices = 30000,
        .merchants = 500, .products = 5000, .body = 400, .skew = 0.8,
        .seed = 1
    };

    ig_run_conf_t  run_conf = {
        .application = -1, .connections = 64, .seconds = 3, .timeout = 5
    };

    if (ig_load_options(argc, argv, &run_conf, &ring_conf) != 0) {
        fputs(ig_load_usage, stderr);
        return 1;
    }

    if (ig_ring_build(&ring, &ring_conf) != 0) {
        fputs("ig_load: no memory, or --body out of range\n", stderr);
        return 1;
    }

    run_conf.ring = &ring;
    rc = ig_run(&run_conf, &result);

    if (rc != 0) {
        fprintf(stderr, "ig_load: cannot connect to 127.0.0.1:%u\n",
                run_conf.port);

    } else {
        ig_load_report(&run_conf, &result);
    }

    ig_ring_free(&ring);

    return rc == 0 ? 0 : 2;
}
