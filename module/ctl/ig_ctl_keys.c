/*
 * ig_ctl_keys.c: `integrityctl keys`: its parts and their options; makes
 * secret files, and gives the application the verdict subkeys alone.
 * Owns: the secrets it reads or makes, wiped before it returns.
 * Called by integrityctl.c.
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ig_ctl_keys.h"
#include "ig_ctl_seal.h"


void
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


int
ig_keys_random(ig_buf_t *b, ig_str_t id)
{
    uint8_t  key[IG_KEYS_RANDOM];

    if (ig_random(key, sizeof(key)) != IG_OK) {
        (void) ig_ctl_error("no random bytes to be had");
        return IG_ERROR;
    }

    ig_buf_str_add(b, id);
    ig_buf_char(b, ':');
    ig_keys_base64(b, key);
    ig_wipe(key, sizeof(key));

    return IG_OK;
}


/* -- new ----------------------------------------------------------------- */


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
ig_keys_new(const ig_keys_options_t *o)
{
    int       rc;
    char      text[IG_KEYS_LINE];
    ig_buf_t  b;

    ig_buf_init(&b, text, sizeof(text));
    rc = IG_CTL_USAGE;

    if (ig_keys_random(&b, ig_str("k1")) == IG_OK) {
        ig_buf_char(&b, '\n');
        rc = ig_keys_create(o->arg[0], ig_buf_str(&b));
    }

    ig_wipe(text, sizeof(text));

    if (rc == IG_CTL_OK && (o->given & IG_KEYS_JSON)) {
        puts("{\"id\":\"k1\"}");
    }

    return rc;
}


/* -- verdict ------------------------------------------------------------- */


static void
ig_keys_print(const ig_secret_t *secret, bool json)
{
    char       text[IG_KEYS_LINE];
    unsigned   i;
    ig_buf_t   b;

    for (i = 0; i < secret->nkeys; i++) {
        ig_buf_init(&b, text, sizeof(text));
        ig_keys_base64(&b, secret->key[i].verdict_raw);
        printf(json ? "%s{\"id\":\"%s\",\"key\":\"%.*s\"}" : "%s%s:%.*s\n",
               !json ? "" : i == 0 ? "{\"verdict\":[" : ",",
               secret->key[i].id, ig_fmt(ig_buf_str(&b)));
    }

    fputs(json ? "]}\n" : "", stdout);
    ig_wipe(text, sizeof(text));
}


static int
ig_keys_verdict(const ig_keys_options_t *o)
{
    int             rc;
    ig_keys_file_t  f;

    rc = ig_keys_open(&f, o->arg[0], false);

    if (rc == IG_CTL_OK) {
        ig_keys_print(&f.secret, o->given & IG_KEYS_JSON);
    }

    ig_keys_close(&f);

    return rc;
}


/* Another kind of key, but where one looks for it. */
static int
ig_keys_seal(const ig_keys_options_t *o)
{
    return ig_ctl_seal_new_key(o->arg[0], o->given & IG_KEYS_JSON);
}


/* -- parts and options --------------------------------------------------- */


static const ig_keys_part_t  ig_keys_parts[] = {
    { "new", 1, 1, IG_KEYS_JSON, ig_keys_new },
    { "rotate", 1, 1, IG_KEYS_JSON|IG_KEYS_STORE|IG_KEYS_ID_OPTION,
      ig_keys_rotate },
    { "show", 1, INT_MAX, IG_KEYS_JSON|IG_KEYS_LOG, ig_keys_show },
    { "destroy", 2, 2, IG_KEYS_JSON|IG_KEYS_YES, ig_keys_destroy },
    { "verdict", 1, 1, IG_KEYS_JSON, ig_keys_verdict },
    { "seal", 1, 1, IG_KEYS_JSON, ig_keys_seal }
};

static const struct {
    const char  *name;
    unsigned     bit;
    bool         value;
} ig_keys_option[] = {
    { "--json", IG_KEYS_JSON, false },
    { "--store", IG_KEYS_STORE, false },
    { "--yes", IG_KEYS_YES, false },
    { "--id", IG_KEYS_ID_OPTION, true },
    { "--log", IG_KEYS_LOG, true }
};


/* One option; the value's place in argv is *i, where it is not its own. */
static int
ig_keys_take(const ig_keys_part_t *part, ig_keys_options_t *o, char **argv,
    int argc, int *i)
{
    char    *arg, *value;
    size_t   k, len;

    arg = argv[*i];
    len = strcspn(arg, "=");
    value = arg[len] == '=' ? arg + len + 1 : NULL;

    for (k = 0; k < ig_countof(ig_keys_option); k++) {
        if (strlen(ig_keys_option[k].name) == len
            && strncmp(ig_keys_option[k].name, arg, len) == 0)
        {
            break;
        }
    }

    if (k == ig_countof(ig_keys_option)
        || !(ig_keys_option[k].bit & part->options))
    {
        return ig_ctl_usage(&ig_ctl_keys, "\"%s\" has no option \"%.*s\"",
                            part->name, (int) len, arg);
    }

    if (!ig_keys_option[k].value && value != NULL) {
        return ig_ctl_usage(&ig_ctl_keys, "\"%.*s\" has no value", (int) len,
                            arg);
    }

    o->given |= ig_keys_option[k].bit;

    if (!ig_keys_option[k].value) {
        return IG_CTL_OK;
    }

    if (value == NULL && *i + 1 < argc) {
        value = argv[++*i];
    }

    if (value == NULL || *value == '\0') {
        return ig_ctl_usage(&ig_ctl_keys, "\"%.*s\" needs a value", (int) len,
                            arg);
    }

    if (ig_keys_option[k].bit == IG_KEYS_LOG) {
        o->arg[o->nargs++] = value;

    } else {
        o->id = value;
    }

    return IG_CTL_OK;
}


/* argv is what follows the part's name; what is no option moves forward. */
static int
ig_keys_options(const ig_keys_part_t *part, ig_keys_options_t *o, int argc,
    char **argv)
{
    int  i, rc, plain;

    o->arg = argv;
    plain = 0;

    for (i = 0; i < argc; i++) {

        if (strncmp(argv[i], "--", 2) == 0) {
            rc = ig_keys_take(part, o, argv, argc, &i);

            if (rc != IG_CTL_OK) {
                return rc;
            }

            if (o->nargs > 0 && plain == 0) {
                return ig_ctl_usage(&ig_ctl_keys, "FILE comes before --log");
            }

            continue;
        }

        o->arg[o->nargs++] = argv[i];
        plain += !(o->given & IG_KEYS_LOG);
    }

    if (o->nargs < part->fewest || o->nargs > part->most) {
        return ig_ctl_usage(&ig_ctl_keys, "\"%s\" takes FILE%s", part->name,
                            part->fewest > 1 ? " and ID" : "");
    }

    if (plain > part->fewest) {
        return ig_ctl_usage(&ig_ctl_keys, "\"%s\" is one argument too many",
                            argv[part->fewest]);
    }

    return IG_CTL_OK;
}


static int
ig_keys_run(int argc, char **argv)
{
    int                rc;
    size_t             i;
    ig_keys_options_t  o = { 0, NULL, NULL, 0 };

    if (argc < 2) {
        return ig_ctl_usage(&ig_ctl_keys, "what to do is missing");
    }

    for (i = 0; i < ig_countof(ig_keys_parts); i++) {
        if (strcmp(argv[1], ig_keys_parts[i].name) == 0) {
            rc = ig_keys_options(&ig_keys_parts[i], &o, argc - 2, argv + 2);

            return rc == IG_CTL_OK ? ig_keys_parts[i].run(&o) : rc;
        }
    }

    return ig_ctl_usage(&ig_ctl_keys, "there is no \"keys %s\"", argv[1]);
}


const ig_ctl_command_t  ig_ctl_keys = {
    "keys",
    "new|rotate|show|destroy|verdict|seal FILE [ARGUMENT...]",
    "Make, rotate, show and destroy the keys of a secret file",
    "new FILE         creates FILE, readable by its owner alone, with one\n"
    "                 random key called k1; an existing file is never\n"
    "                 overwritten\n"
    "rotate FILE      puts a new random key first, which makes it the current\n"
    "                 one; the older ones stay, and the store's names with\n"
    "                 them, so that no counter is forgotten. FILE is replaced\n"
    "                 in one step, under the same owner and mode. nginx goes\n"
    "                 on with the old key until it is reloaded.\n"
    "  --id ID        what the new key is called; else k2 comes after k1\n"
    "  --store        the store's names go to the new key too: all counters\n"
    "                 and lists in the store begin anew\n"
    "show FILE [--log FILE...]\n"
    "                 which keys there are and what for. With audit logs,\n"
    "                 plain or gzip: which of them made the pseudonyms there,\n"
    "                 in how many lines, from when to when, and which ids are\n"
    "                 in FILE no more. A field that is not private may hold\n"
    "                 what looks like a pseudonym.\n"
    "destroy FILE ID  takes a key out for good. Without --yes it only says\n"
    "                 what nobody could read any more. The current key and the\n"
    "                 one of the store's names are not destroyed.\n"
    "verdict FILE     prints \"id:base64\" for every key: what an application\n"
    "                 needs to check the signature in $integrity_verdict, and\n"
    "                 nothing more\n"
    "seal FILE        creates FILE with the private key of `integrityctl seal`,\n"
    "                 and FILE.pub with the public one for verify; PEM, which\n"
    "                 openssl reads. Neither is ever overwritten.\n"
    "\n"
    "--json           one JSON object instead. No part ever prints a key that\n"
    "                 FILE holds.\n"
    "\n"
    "Exit codes: 0 done; 1 FILE is no secret file, or it was refused; 2 usage,\n"
    "or a file that cannot be read or written.\n",
    ig_keys_run
};
