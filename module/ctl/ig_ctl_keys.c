/*
 * ig_ctl_keys.c: `integrityctl keys`: makes secret files, and gives the
 * application the verdict subkeys alone.
 * Owns: the secrets it reads or makes, wiped before it returns.
 * Called by integrityctl.c.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ig_ctl.h"
#include "ig_secret.h"

#define IG_KEYS_RANDOM  32
#define IG_KEYS_TEXT    64              /* "k1:", base64 of 32 bytes, newline */
#define IG_KEYS_FILE    (64 * 1024)     /* longest secret file */


/* Standard base64 with padding, of 32 bytes: 44 characters. */
static void
ig_keys_base64(ig_buf_t *b, const uint8_t data[IG_KEYS_RANDOM])
{
    unsigned  i, bits, n;

    static const char  alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    bits = 0;
    n = 0;

    for (i = 0; i < IG_KEYS_RANDOM; i++) {
        bits = bits << 8 | data[i];
        n += 8;

        while (n >= 6) {
            n -= 6;
            ig_buf_char(b, alphabet[bits >> n & 63]);
        }
    }

    /* 256 bits are 42 characters and 4 bits */
    ig_buf_char(b, alphabet[bits << (6 - n) & 63]);
    ig_buf_char(b, '=');
}


static bool
ig_keys_write(int fd, ig_str_t text)
{
    ssize_t  n;

    while (text.len > 0) {
        n = write(fd, text.data, text.len);

        if (n < 0) {
            return false;
        }

        text.data += n;
        text.len -= (size_t) n;
    }

    return fsync(fd) == 0;
}


static int
ig_keys_create(const char *path, ig_str_t text)
{
    int   fd, err;
    bool  written;

    /* O_EXCL: a secret that is overwritten is a past nobody can read */
    fd = open(path, O_WRONLY|O_CREAT|O_EXCL|O_CLOEXEC, S_IRUSR|S_IWUSR);

    if (fd < 0 && errno == EEXIST) {
        return ig_ctl_error("\"%s\" exists; it is not overwritten", path);
    }

    if (fd < 0) {
        return ig_ctl_error("cannot create \"%s\": %s", path,
                            strerror(errno));
    }

    written = ig_keys_write(fd, text);
    err = errno;
    written &= close(fd) == 0;

    if (!written) {
        (void) unlink(path);
        return ig_ctl_error("cannot write \"%s\": %s", path, strerror(err));
    }

    return IG_CTL_OK;
}


static int
ig_keys_new(const char *path)
{
    int       rc;
    char      text[IG_KEYS_TEXT];
    uint8_t   key[IG_KEYS_RANDOM];
    ig_buf_t  b;

    if (ig_random(key, sizeof(key)) != IG_OK) {
        return ig_ctl_error("no random bytes to be had");
    }

    ig_buf_init(&b, text, sizeof(text));
    ig_buf_lit(&b, "k1:");
    ig_keys_base64(&b, key);
    ig_buf_char(&b, '\n');

    rc = ig_keys_create(path, ig_buf_str(&b));

    ig_wipe(key, sizeof(key));
    ig_wipe(text, sizeof(text));

    return rc;
}


static void
ig_keys_print(const ig_secret_t *secret)
{
    char       text[IG_KEYS_TEXT];
    unsigned   i;
    ig_buf_t   b;

    for (i = 0; i < secret->nkeys; i++) {
        ig_buf_init(&b, text, sizeof(text));
        ig_buf_bytes(&b, secret->key[i].id, secret->key[i].id_len);
        ig_buf_char(&b, ':');
        ig_keys_base64(&b, secret->key[i].verdict_raw);
        printf("%.*s\n", ig_fmt(ig_buf_str(&b)));
    }

    ig_wipe(text, sizeof(text));
}


static int
ig_keys_verdict(const char *path)
{
    int              rc;
    ig_str_t         text;
    ig_error_t       err;
    ig_secret_t      secret;
    ig_ctl_memory_t  memory;

    rc = IG_CTL_USAGE;
    ig_ctl_memory_init(&memory);

    if (ig_ctl_read(&memory, path, IG_KEYS_FILE, &text) == IG_OK) {
        rc = IG_CTL_OK;

        if (ig_secret_parse(text, &secret, &err) == IG_OK) {
            ig_keys_print(&secret);

        } else {
            (void) ig_ctl_error("\"%s\": %s", path, err.text);
            rc = IG_CTL_FAILED;
        }

        ig_wipe((char *) (uintptr_t) text.data, text.len);
        ig_wipe(&secret, sizeof(secret));
    }

    ig_ctl_memory_free(&memory);

    return rc;
}


static int
ig_keys_run(int argc, char **argv)
{
    if (argc != 3) {
        return ig_ctl_usage(&ig_ctl_keys, "expected \"new FILE\" or"
                                          " \"verdict FILE\"");
    }

    if (strcmp(argv[1], "new") == 0) {
        return ig_keys_new(argv[2]);
    }

    if (strcmp(argv[1], "verdict") == 0) {
        return ig_keys_verdict(argv[2]);
    }

    return ig_ctl_usage(&ig_ctl_keys, "expected \"new\" or \"verdict\" instead"
                                      " of \"%s\"", argv[1]);
}


const ig_ctl_command_t  ig_ctl_keys = {
    "keys",
    "new FILE | verdict FILE",
    "Make a secret file, or print the keys that check verdicts",
    "new FILE      creates FILE, readable by its owner alone, with one random\n"
    "              key called k1; an existing file is never overwritten.\n"
    "verdict FILE  prints \"id:base64\" for every key of FILE: what an\n"
    "              application needs to check the signature in\n"
    "              $integrity_verdict, and nothing more.\n"
    "\n"
    "Exit codes: 0 done, 1 FILE is no secret file, 2 usage, FILE cannot be\n"
    "read or written.\n",
    ig_keys_run
};
