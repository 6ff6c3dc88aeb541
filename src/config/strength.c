#include "config/strength.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

static bool is_written(const struct secret *secret, const char *text)
{
    return secret->size == strlen(text) &&
           strncasecmp((const char *)secret->bytes, text, secret->size) == 0;
}

static bool is_published_sample(const struct secret *secret)
{
    return is_written(secret, "XVGR73KMZH2M4XMY") ||
           is_written(secret, "JYXEX4IQOEYFYQ2S3MC5P4ZT4SDHYEA7");
}

static bool contains(const struct secret *secret, const char *word)
{
    size_t length = strlen(word);

    for (size_t i = 0; i + length <= secret->size; i++) {
        if (strncasecmp((const char *)secret->bytes + i, word, length) == 0)
            return true;
    }
    return false;
}

static size_t distinct_bytes(const struct secret *secret)
{
    bool seen[256] = {false};
    size_t count = 0;

    for (size_t i = 0; i < secret->size; i++) {
        count += !seen[secret->bytes[i]];
        seen[secret->bytes[i]] = true;
    }
    return count;
}

/* Words of six letters or more: a random secret holds one of them once in a hundred million. */
static bool is_placeholder(const struct secret *secret)
{
    static const char *const words[] = {"change", "example",  "secret",  "placeholder",
                                        "insert", "password", "replace", "yourkey"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (contains(secret, words[i]))
            return true;
    }
    return secret->size >= 8 && distinct_bytes(secret) <= 4;
}

static const char *well_known(const struct secret *secret)
{
    if (is_published_sample(secret))
        return "is the published sample, which everybody has";
    if (is_placeholder(secret))
        return "is a placeholder";
    return NULL;
}

const char *otp_seed_weakness(const struct secret *written, size_t decoded_size)
{
    const char *weakness = well_known(written);

    if (weakness == NULL && decoded_size * 8 < SECRET_BITS_MIN)
        weakness = "is shorter than 128 bits";
    return weakness;
}

static bool all_within(const struct secret *secret, const char *alphabet)
{
    for (size_t i = 0; i < secret->size; i++) {
        if (secret->bytes[i] == '\0' || strchr(alphabet, secret->bytes[i]) == NULL)
            return false;
    }
    return true;
}

static size_t bits_a_character(const struct secret *secret)
{
    if (all_within(secret, "0123456789abcdef") || all_within(secret, "0123456789ABCDEF"))
        return 4;
    if (all_within(secret, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567=") ||
        all_within(secret, "abcdefghijklmnopqrstuvwxyz234567="))
        return 5;
    return 6;
}

const char *token_secret_weakness(const struct secret *written)
{
    const char *weakness = well_known(written);

    if (weakness == NULL && written->size * bits_a_character(written) < SECRET_BITS_MIN)
        weakness = "is weaker than 128 bits";
    return weakness;
}
