#include "token/jsxc_token.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "token/base64.h"
#include "token/keyed_hash.h"
#include "token/token.h"

/* Version, MAC, secret's id, expiry. */
enum { VERSION_AT = 0, MAC_AT = 1, ID_AT = 17, EXPIRY_AT = 19, TOKEN_SIZE = 23, EXPIRY_SIZE = 4 };

struct jsxc_key {
    struct keyed_hash hash;
    uint8_t id[JSXC_ID_SIZE]; /* the first bytes of the secret's SHA-256 */
};

struct jsxc_key *jsxc_key_create(const uint8_t *secret, size_t size)
{
    struct jsxc_key *key = calloc(1, sizeof(*key));
    uint8_t digest[EVP_MAX_MD_SIZE];

    if (key == NULL)
        return NULL;
    if (keyed_hash_init(&key->hash, HASH_SHA256, secret, size) != 0 ||
        EVP_Digest(secret, size, digest, NULL, EVP_sha256(), NULL) != 1) {
        jsxc_key_destroy(&key);
        return NULL;
    }
    memcpy(key->id, digest, JSXC_ID_SIZE);
    OPENSSL_cleanse(digest, sizeof(digest));
    return key;
}

void jsxc_key_destroy(struct jsxc_key **key)
{
    if (*key == NULL)
        return;
    keyed_hash_deinit(&(*key)->hash);
    free(*key);
    *key = NULL;
}

/* Letters that are easily mistaken for others are written as signs. */
static char letter_of(char byte)
{
    switch (byte) {
    case '-':
        return 'O';
    case '$':
        return 'I';
    case '%':
        return 'l';
    case 'O':
    case 'I':
    case 'l':
        return '='; /* these are never written, nor is this one within base64 */
    default:
        return byte;
    }
}

int jsxc_token_parse(const char *text, size_t length, struct jsxc_token *token_r)
{
    char padded[JSXC_LENGTH + 1];
    uint8_t bytes[TOKEN_SIZE];

    if (length != JSXC_LENGTH)
        return -1;
    for (size_t i = 0; i < JSXC_LENGTH; i++)
        padded[i] = letter_of(text[i]);
    padded[JSXC_LENGTH] = '=';
    if (base64_decode(padded, sizeof(padded), bytes, sizeof(bytes)) != 0 || bytes[VERSION_AT] != 0)
        return -1;
    memcpy(token_r->mac, bytes + MAC_AT, JSXC_MAC_SIZE);
    memcpy(token_r->secret_id, bytes + ID_AT, JSXC_ID_SIZE);
    token_r->expiry = 0;
    for (size_t i = 0; i < EXPIRY_SIZE; i++)
        token_r->expiry = token_r->expiry << 8 | bytes[EXPIRY_AT + i];
    return 0;
}

/* What is signed: version, secret's id, expiry, USER@HOST. Returns its size, or 0. */
static size_t write_message(const struct jsxc_key *key, const struct jsxc_token *token,
                            struct text user, struct text host, char *message_r, size_t size)
{
    char head[1 + JSXC_ID_SIZE + EXPIRY_SIZE] = {0};

    memcpy(head + 1, key->id, JSXC_ID_SIZE);
    for (size_t i = 0; i < EXPIRY_SIZE; i++)
        head[1 + JSXC_ID_SIZE + i] = (char)(token->expiry >> (8 * (EXPIRY_SIZE - 1 - i)) & 0xff);
    return token_message(head, sizeof(head), user.bytes, user.length, host.bytes, host.length,
                         message_r, size);
}

bool jsxc_token_fits(struct jsxc_key *key, const struct jsxc_token *token, struct text user,
                     struct text host, uint8_t mac_r[JSXC_MAC_SIZE])
{
    char message[1 + JSXC_ID_SIZE + EXPIRY_SIZE + TOKEN_JID_MAX];
    uint8_t mac[HASH_SIZE_MAX];
    size_t size = write_message(key, token, user, host, message, sizeof(message));
    unsigned odd;

    memset(mac_r, 0, JSXC_MAC_SIZE);
    if (size == 0 || keyed_hash_compute(&key->hash, message, size, mac) != 0)
        return false;
    memcpy(mac_r, mac, JSXC_MAC_SIZE);
    /* Both before either is looked at. */
    odd = (unsigned)CRYPTO_memcmp(mac, token->mac, JSXC_MAC_SIZE);
    odd |= (unsigned)CRYPTO_memcmp(key->id, token->secret_id, JSXC_ID_SIZE);
    return odd == 0;
}
