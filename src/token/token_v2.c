#include "token/token_v2.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "token/base64.h"
#include "token/token.h"

/* Domain, key, time, lifetime, nonce, user and host, each with four bytes of length. */
enum { MESSAGE_MAX = V2_LENGTH_MAX + TOKEN_JID_MAX + 64 };

static const char domain[] = "xmpp-authd token v2";

/* Splits at the dots. False unless there are exactly as many fields as there must be. */
static bool split(const char *text, size_t length, struct text fields_r[V2_FIELD_COUNT])
{
    const char *end = text + length;

    for (size_t i = 0; i < V2_FIELD_COUNT; i++) {
        const char *dot = memchr(text, '.', (size_t)(end - text));
        bool is_last = i == V2_FIELD_COUNT - 1;

        if (is_last != (dot == NULL))
            return false;
        if (is_last)
            dot = end;
        fields_r[i] = (struct text){text, (size_t)(dot - text)};
        text = is_last ? end : dot + 1;
    }
    return true;
}

/* A number of 1 to digits digits in its one spelling: no zero in front. */
static bool take_number(struct text text, size_t digits, int64_t *number_r)
{
    int64_t number = 0;

    if (text.length == 0 || text.length > digits || text.bytes[0] == '0')
        return false;
    for (size_t i = 0; i < text.length; i++) {
        if (text.bytes[i] < '0' || text.bytes[i] > '9')
            return false;
        number = number * 10 + (text.bytes[i] - '0');
    }
    *number_r = number;
    return true;
}

static bool is_fingerprint(struct text text)
{
    if (text.length != KEY_FINGERPRINT_LENGTH)
        return false;
    for (size_t i = 0; i < text.length; i++) {
        if (!(text.bytes[i] >= '0' && text.bytes[i] <= '9') &&
            !(text.bytes[i] >= 'a' && text.bytes[i] <= 'f'))
            return false;
    }
    return true;
}

/* base64url without padding (RFC 4648 section 5), in its one spelling. */
static bool take_base64url(struct text text, uint8_t *bytes_r, size_t size)
{
    char padded[BASE64_ENCODED_LENGTH(V2_SIGNATURE_SIZE)];
    size_t length = BASE64_ENCODED_LENGTH(size);

    if (text.length != (size * 8 + 5) / 6)
        return false;
    for (size_t i = 0; i < length; i++) {
        char byte = '=';

        if (i < text.length)
            byte = text.bytes[i];
        if (i < text.length && (byte == '+' || byte == '/' || byte == '='))
            return false;
        padded[i] = (char)(byte == '-' ? '+' : byte == '_' ? '/' : byte);
    }
    return base64_decode(padded, length, bytes_r, size) == 0;
}

static void write_base64url(const uint8_t *bytes, size_t size, char *text_r)
{
    char padded[BASE64_ENCODED_LENGTH(V2_SIGNATURE_SIZE) + 1];
    size_t length = (size * 8 + 5) / 6;

    base64_encode(bytes, size, padded);
    for (size_t i = 0; i < length; i++)
        text_r[i] = (char)(padded[i] == '+' ? '-' : padded[i] == '/' ? '_' : padded[i]);
    text_r[length] = '\0';
}

int token_v2_parse(const char *text, size_t length, struct token_v2 *token_r)
{
    const struct text *fields = token_r->fields;
    uint8_t nonce[V2_NONCE_SIZE];
    int64_t lifetime = 0;

    if (length > V2_LENGTH_MAX || !split(text, length, token_r->fields) ||
        fields[V2_VERSION].length != 2 || memcmp(fields[V2_VERSION].bytes, "v2", 2) != 0 ||
        !is_fingerprint(fields[V2_KEY]) || !take_number(fields[V2_ISSUED], 12, &token_r->issued) ||
        !take_number(fields[V2_LIFETIME], 4, &lifetime) || lifetime > V2_LIFETIME_MAX ||
        !take_base64url(fields[V2_NONCE], nonce, sizeof(nonce)) ||
        !take_base64url(fields[V2_SIGNATURE], token_r->signature, V2_SIGNATURE_SIZE))
        return -1;
    token_r->lifetime = (unsigned)lifetime;
    return 0;
}

static char *put_field(char *at, struct text text)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        *at++ = (char)(text.length >> shift & 0xff);
    memcpy(at, text.bytes, text.length);
    return at + text.length;
}

int token_v2_sign(struct token_key *key, const struct token_v2 *token, struct text user,
                  struct text host, uint8_t signature_r[V2_SIGNATURE_SIZE])
{
    char message[MESSAGE_MAX];
    char *at = message;

    if (user.length > TOKEN_JID_MAX || host.length > TOKEN_JID_MAX - user.length)
        return -1;
    at = put_field(at, (struct text){domain, sizeof(domain) - 1});
    for (size_t i = V2_KEY; i < V2_SIGNATURE; i++)
        at = put_field(at, token->fields[i]);
    at = put_field(at, user);
    at = put_field(at, host);
    return token_key_sign_v2(key, message, (size_t)(at - message), signature_r);
}

int token_v2_mint(struct token_key *key, const struct key_fingerprint *name, const char *user,
                  const char *host, int64_t issued, unsigned lifetime,
                  const uint8_t nonce[V2_NONCE_SIZE], char *text_r)
{
    uint8_t signature[V2_SIGNATURE_SIZE];
    char nonce_text[V2_NONCE_LENGTH + 1];
    struct token_v2 token = {.fields = {{.length = 0}}};
    int length;

    write_base64url(nonce, V2_NONCE_SIZE, nonce_text);
    length = snprintf(text_r, V2_LENGTH_MAX + 1, "v2.%s.%lld.%u.%s.", name->text, (long long)issued,
                      lifetime, nonce_text);
    if (length < 0 || (size_t)length + V2_SIGNATURE_LENGTH > V2_LENGTH_MAX ||
        !split(text_r, (size_t)length, token.fields) ||
        token_v2_sign(key, &token, (struct text){user, strlen(user)},
                      (struct text){host, strlen(host)}, signature) != 0)
        return -1;
    write_base64url(signature, sizeof(signature), text_r + length);
    return 0;
}
