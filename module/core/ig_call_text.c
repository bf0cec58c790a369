/*
 * ig_call_text.c: what decode= and net= make of a variable's bytes.
 * Owns nothing; results are in the memory given, or the bytes themselves.
 * Called by ig_call_set_text.
 */

#include "ig_call_int.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>


static int
ig_hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }

    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }

    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }

    return -1;
}


/*
 * Percent-encoding (RFC 3986, section 2.1); what is no escape stays as it is.
 * False: no memory.
 */
static bool
ig_field_decode(ig_str_t *text, ig_mem_t *mem)
{
    int     high, low;
    char   *out, *p;
    size_t  i;

    if (memchr(text->data, '%', text->len) == NULL) {
        return true;
    }

    out = ig_alloc(mem, text->len);
    if (out == NULL) {
        return false;
    }

    p = out;

    for (i = 0; i < text->len; i++) {
        if (text->data[i] == '%' && text->len - i > 2) {
            high = ig_hex_digit(text->data[i + 1]);
            low = ig_hex_digit(text->data[i + 2]);

            if (high >= 0 && low >= 0) {
                *p++ = (char) (high * 16 + low);
                i += 2;
                continue;
            }
        }

        *p++ = text->data[i];
    }

    text->data = out;
    text->len = (size_t) (p - out);

    return true;
}


typedef struct {
    int      family;            /* AF_INET, AF_INET6; 0: no address */
    uint8_t  byte[16];
} ig_address_t;


/* An IPv4-mapped IPv6 address is the IPv4 address that it maps. */
static ig_address_t
ig_address(ig_str_t text)
{
    char          buf[INET6_ADDRSTRLEN];
    ig_address_t  a;

    static const uint8_t  mapped[12] = {
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff
    };

    memset(&a, 0, sizeof(a));

    if (text.len >= sizeof(buf) || memchr(text.data, 0, text.len) != NULL) {
        return a;
    }

    memcpy(buf, text.data, text.len);
    buf[text.len] = '\0';

    if (inet_pton(AF_INET, buf, a.byte) == 1) {
        a.family = AF_INET;

    } else if (inet_pton(AF_INET6, buf, a.byte) == 1) {
        a.family = AF_INET6;

        if (memcmp(a.byte, mapped, sizeof(mapped)) == 0) {
            a.family = AF_INET;
            memmove(a.byte, a.byte + sizeof(mapped), 4);
        }
    }

    return a;
}


static void
ig_address_mask(ig_address_t *a, unsigned prefix)
{
    unsigned  i, bits;

    for (i = 0; i < sizeof(a->byte); i++) {
        bits = prefix > i * 8 ? prefix - i * 8 : 0;

        if (bits < 8) {
            a->byte[i] &= (uint8_t) (0xff00 >> bits);
        }
    }
}


/*
 * "192.0.2.0/24" or "2001:db8:0:100::/56".  What is no address (a unix
 * socket's peer, a malformed header) has no network: it is missing.
 */
static ig_value_t
ig_field_net(const ig_source_t *source, ig_str_t text, ig_mem_t *mem)
{
    int           n;
    char          buf[INET6_ADDRSTRLEN + sizeof("/128")];
    size_t        len;
    unsigned      prefix;
    ig_str_t      copy;
    ig_address_t  a;

    a = ig_address(text);

    if (a.family == 0) {
        return ig_value_of(IG_MISSING);
    }

    prefix = a.family == AF_INET ? source->net4 : source->net6;

    if (prefix != 0) {
        ig_address_mask(&a, prefix);

        if (inet_ntop(a.family, a.byte, buf, INET6_ADDRSTRLEN) == NULL) {
            return ig_value_of(IG_UNKNOWN);
        }

        len = strlen(buf);
        n = snprintf(buf + len, sizeof(buf) - len, "/%u", prefix);

        if (ig_str_dup(mem, (ig_str_t) { len + (size_t) n, buf }, &copy)
            != IG_OK)
        {
            return ig_value_of(IG_UNKNOWN);
        }

        text = copy;
    }

    return (ig_value_t) { .type = IG_STRING, .str = text };
}


ig_value_t
ig_field_text(const ig_source_t *source, ig_str_t text, ig_mem_t *mem)
{
    if (text.len == 0) {
        return ig_value_of(IG_MISSING);
    }

    if (source->decode && !ig_field_decode(&text, mem)) {
        return ig_value_of(IG_UNKNOWN);
    }

    if (source->net4 != 0 || source->net6 != 0) {
        return ig_field_net(source, text, mem);
    }

    return (ig_value_t) { .type = IG_STRING, .str = text };
}
