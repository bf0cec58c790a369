/*
 * ig_ctl_seal_key.c: the key of the seal: made once, read with care.
 * Owns: the text of a key, wiped before a function returns.
 * Called by `integrityctl keys` and `integrityctl seal`.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ig_ctl_seal.h"

#define IG_SEAL_KEY_FILE  (64 * 1024)   /* longest file of a key */


/* "<path>.pub" */
static int
ig_seal_key_public(const char *path, char *name, size_t size)
{
    int  n;

    n = snprintf(name, size, "%s.pub", path);

    return n > 0 && (size_t) n < size
           ? IG_CTL_OK : ig_ctl_error("\"%s\" is too long a name", path);
}


static int
ig_seal_key_write(const char *path, mode_t mode, ig_str_t text)
{
    int      fd, err;
    bool     good;
    ssize_t  n;

    /* O_EXCL: nobody can check any more what a lost key has sealed */
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);

    if (fd < 0 && errno == EEXIST) {
        return ig_ctl_error("\"%s\" exists; it is not overwritten", path);
    }

    if (fd < 0) {
        return ig_ctl_error("cannot create \"%s\": %s", path,
                            strerror(errno));
    }

    n = write(fd, text.data, text.len);
    good = n == (ssize_t) text.len && fsync(fd) == 0;
    err = n >= 0 && n != (ssize_t) text.len ? ENOSPC : errno;
    good &= close(fd) == 0;

    if (!good) {
        (void) unlink(path);
        return ig_ctl_error("cannot write \"%s\": %s", path, strerror(err));
    }

    return IG_CTL_OK;
}


/* Never the key itself. */
static void
ig_seal_key_json(const char *path, const char *name,
    const ig_sign_public_t *key)
{
    char      text[2 * 6 * 4096 + 128];
    ig_buf_t  b;

    ig_buf_init(&b, text, sizeof(text));
    ig_buf_lit(&b, "{\"created\":true,\"key\":\"");
    ig_buf_hex(&b, key->id, IG_SIGN_ID);
    ig_buf_lit(&b, "\",\"private\":");
    ig_buf_json_string(&b, (ig_str_t) { strlen(path), path });
    ig_buf_lit(&b, ",\"public\":");
    ig_buf_json_string(&b, (ig_str_t) { strlen(name), name });
    ig_buf_lit(&b, "}\n");
    printf("%.*s", ig_fmt(ig_buf_str(&b)));
}


int
ig_ctl_seal_new_key(const char *path, bool json)
{
    int                rc;
    char               name[4096], pem[IG_SIGN_PEM];
    uint8_t            seed[IG_SIGN_KEY];
    ig_buf_t           b;
    struct stat        st;
    ig_sign_private_t  key;

    if (ig_seal_key_public(path, name, sizeof(name)) != IG_CTL_OK) {
        return IG_CTL_USAGE;
    }

    if (lstat(path, &st) == 0 || lstat(name, &st) == 0) {
        return ig_ctl_error("\"%s\" exists; it is not overwritten",
                            lstat(path, &st) == 0 ? path : name);
    }

    if (ig_random(seed, sizeof(seed)) != IG_OK
        || ig_sign_private(&key, seed) != IG_OK)
    {
        return ig_ctl_error("no random bytes to be had");
    }

    ig_buf_init(&b, pem, sizeof(pem));
    ig_sign_write_private(&b, &key);
    rc = ig_seal_key_write(path, S_IRUSR | S_IWUSR, ig_buf_str(&b));

    if (rc == IG_CTL_OK) {
        ig_buf_init(&b, pem, sizeof(pem));
        ig_sign_write_public(&b, &key.open);
        rc = ig_seal_key_write(name, S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH,
                               ig_buf_str(&b));
        if (rc != IG_CTL_OK) {
            (void) unlink(path);

        } else if (json) {
            ig_seal_key_json(path, name, &key.open);
        }
    }

    ig_wipe(seed, sizeof(seed));
    ig_wipe(&key, sizeof(key));
    ig_wipe(pem, sizeof(pem));

    return rc;
}


int
ig_sealer_read_key(const char *path, ig_sign_private_t *key)
{
    int              rc;
    ig_str_t         pem;
    ig_error_t       err;
    struct stat      st;
    ig_ctl_memory_t  memory;

    rc = IG_CTL_USAGE;
    ig_ctl_memory_init(&memory);

    if (stat(path, &st) == 0 && (st.st_mode & S_IRWXO) != 0) {
        return ig_ctl_error("\"%s\" can be read by others: its mode is %04o,"
                            " chmod o-rwx it", path,
                            (unsigned) (st.st_mode & 07777));
    }

    if (ig_ctl_read(&memory, path, IG_SEAL_KEY_FILE, &pem) == IG_OK) {
        rc = IG_CTL_OK;

        if (ig_sign_read_private(pem, key, &err) != IG_OK) {
            rc = ig_ctl_error("\"%s\": %s", path, err.text);
        }

        ig_wipe((char *) (uintptr_t) pem.data, pem.len);
    }

    ig_ctl_memory_free(&memory);

    return rc;
}
