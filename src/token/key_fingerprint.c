#include "token/key_fingerprint.h"

#include <stdbool.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

enum { DIGEST_SIZE = 32 };

/* Tells these hashes from any other that is ever made of the same secrets; its NUL counts. */
static const char domain[] = "xmpp-authd key fingerprint";

/* Each with its length before it: no byte can pass from one secret to the other unnoticed. */
static bool add(EVP_MD_CTX *hash, const uint8_t *bytes, size_t size)
{
    uint8_t length[4];

    for (size_t i = 0; i < sizeof(length); i++)
        length[i] = (uint8_t)(size >> (8 * (sizeof(length) - 1 - i)));
    return size <= UINT32_MAX && EVP_DigestUpdate(hash, length, sizeof(length)) == 1 &&
           EVP_DigestUpdate(hash, bytes, size) == 1;
}

static void write_hexadecimal(const uint8_t *bytes, struct key_fingerprint *fingerprint_r)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < KEY_FINGERPRINT_LENGTH; i++)
        fingerprint_r->text[i] = digits[bytes[i / 2] >> (i % 2 == 0 ? 4 : 0) & 15];
    fingerprint_r->text[KEY_FINGERPRINT_LENGTH] = '\0';
}

int key_fingerprint(const uint8_t *seed, size_t seed_size, const uint8_t *secret,
                    size_t secret_size, struct key_fingerprint *fingerprint_r)
{
    EVP_MD_CTX *hash = EVP_MD_CTX_new();
    uint8_t digest[DIGEST_SIZE];
    bool done = hash != NULL && EVP_DigestInit_ex(hash, EVP_sha256(), NULL) == 1 &&
                EVP_DigestUpdate(hash, domain, sizeof(domain)) == 1 && add(hash, seed, seed_size) &&
                add(hash, secret, secret_size) && EVP_DigestFinal_ex(hash, digest, NULL) == 1;

    EVP_MD_CTX_free(hash);
    if (done)
        write_hexadecimal(digest, fingerprint_r);
    OPENSSL_cleanse(digest, sizeof(digest));
    return done ? 0 : -1;
}
