#include "mint.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>

#include "reused_hmac.h"

enum { SECRET_MAX = 256, NONCE_HALF = 16 };

struct minter {
    EVP_MAC_CTX *seed;
    EVP_MAC_CTX *secret;
    time_t step;               /* that otp belongs to */
    char otp[MINT_OTP_DIGITS]; /* of the step */
    uint64_t origin;           /* the nonces' first half: random, another for each process */
    uint64_t count;            /* of the questions minted; the nonces' second half */
};

/* Decimal digits of exactly the given length, leading zeros included. */
static void write_digits(char *place, size_t length, uint64_t value)
{
    while (length > 0) {
        place[--length] = (char)('0' + value % 10);
        value /= 10;
    }
}

/* The value of "name = value" in the file at path; false where it has no such line. */
static bool read_setting(const char *path, const char *name, char value_r[SECRET_MAX])
{
    char line[SECRET_MAX + 64];
    char word[64];
    FILE *file = fopen(path, "r");
    bool found = false;

    while (file != NULL && !found && fgets(line, sizeof(line), file) != NULL)
        found = sscanf(line, "%63[a-z_] = %255s", word, value_r) == 2 && strcmp(word, name) == 0;
    if (file != NULL)
        fclose(file);
    return found;
}

/* Unpadded upper-case base32, as the bench's own key file has it. */
static size_t decode_base32(const char *text, uint8_t *bytes_r)
{
    uint32_t bits = 0;
    unsigned bit_count = 0;
    size_t size = 0;

    for (; *text != '\0'; text++) {
        bits = bits << 5 | (uint32_t)(*text >= 'A' ? *text - 'A' : *text - '2' + 26);
        bit_count += 5;
        if (bit_count >= 8)
            bytes_r[size++] = (uint8_t)(bits >> (bit_count -= 8));
    }
    return size;
}

static int set_keys(struct minter *minter, const char *key_path)
{
    char seed_text[SECRET_MAX];
    char secret[SECRET_MAX];
    uint8_t seed[SECRET_MAX];

    if (!read_setting(key_path, "otp_seed", seed_text) ||
        !read_setting(key_path, "token_secret", secret))
        return -1;
    minter->seed = reused_hmac_create("SHA1", seed, decode_base32(seed_text, seed));
    minter->secret = reused_hmac_create("SHA256", secret, strlen(secret));
    return minter->seed == NULL || minter->secret == NULL ? -1 : 0;
}

struct minter *minter_create(const char *key_path)
{
    struct minter *minter = calloc(1, sizeof(*minter));

    if (minter == NULL || set_keys(minter, key_path) != 0 ||
        RAND_bytes((unsigned char *)&minter->origin, sizeof(minter->origin)) != 1) {
        fprintf(stderr, "%s: no otp_seed and token_secret to mint with\n", key_path);
        minter_destroy(&minter);
        return NULL;
    }
    minter->step = -1;
    return minter;
}

void minter_destroy(struct minter **minter)
{
    if (*minter == NULL)
        return;
    EVP_MAC_CTX_free((*minter)->seed);
    EVP_MAC_CTX_free((*minter)->secret);
    free(*minter);
    *minter = NULL;
}

/* RFC 6238: HOTP (RFC 4226 section 5.3) of the time step. */
static int compute_otp(struct minter *minter, time_t step)
{
    uint64_t counter = (uint64_t)step;
    uint8_t message[8];
    uint8_t mac[20];
    const uint8_t *at;

    for (int i = 7; i >= 0; i--, counter >>= 8)
        message[i] = (uint8_t)counter;
    if (reused_hmac_compute(minter->seed, message, sizeof(message), mac, sizeof(mac)) != 0)
        return -1;
    at = mac + (mac[19] & 15);
    write_digits(minter->otp, MINT_OTP_DIGITS,
                 (uint32_t)(at[0] & 0x7f) << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 |
                     at[3]);
    minter->step = step;
    return 0;
}

int minter_sign(struct minter *minter, const void *message, size_t size, uint8_t signature_r[32])
{
    return reused_hmac_compute(minter->secret, message, size, signature_r, 32);
}

static char *append(char *place, const char *text, size_t length)
{
    memcpy(place, text, length);
    return place + length;
}

int minter_mint(struct minter *minter, time_t now, struct minted *minted_r)
{
    return minter_mint_at(minter, MINT_HOST, now, minted_r);
}

int minter_mint_at(struct minter *minter, const char host[MINT_HOST_LENGTH], time_t now,
                   struct minted *minted_r)
{
    uint64_t number = ++minter->count;
    char *message = minted_r->message;
    char *question = minted_r->question;
    char user[MINT_USER_LENGTH] = "user";
    uint8_t signature[32];

    if (minter->step != now / MINT_INTERVAL && compute_otp(minter, now / MINT_INTERVAL) != 0)
        return -1;
    write_digits(user + 4, MINT_USER_LENGTH - 4, number);
    message = append(message, minter->otp, MINT_OTP_DIGITS);
    write_digits(message, NONCE_HALF, minter->origin);
    write_digits(message + NONCE_HALF, MINT_NONCE_DIGITS - NONCE_HALF, number);
    message = append(message + MINT_NONCE_DIGITS, user, MINT_USER_LENGTH);
    *message++ = '@';
    append(message, host, MINT_HOST_LENGTH);
    if (minter_sign(minter, minted_r->message, MINT_MESSAGE_LENGTH, signature) != 0)
        return -1;
    question = append(question, "auth:", 5);
    question = append(question, user, MINT_USER_LENGTH);
    *question++ = ':';
    question = append(question, host, MINT_HOST_LENGTH);
    *question++ = ':';
    question = append(question, minted_r->message, MINT_OTP_DIGITS + MINT_NONCE_DIGITS);
    *question++ = ' ';
    EVP_EncodeBlock((unsigned char *)question, signature, sizeof(signature));
    return 0;
}
