/* What the unit tests of base, token, store and wire share: cmocka, failures that name the table's
 * row, bytes from hexadecimal, and the keys of RFC 6238. */
#ifndef UNIT_VECTORS_H
#define UNIT_VECTORS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "token/base32.h"
#include "token/token.h"
#include "token/verify.h"

#define LENGTH_OF(array) (sizeof(array) / sizeof((array)[0]))

/* Fails the test unless the condition holds; the rest is a format that says in which row. (fail_msg
 * leaves the test; abort is there for the analyzer, which does not know that.) */
#define expect(condition, ...)                                                                     \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            print_error("not so: %s\n", #condition);                                               \
            fail_msg(__VA_ARGS__);                                                                 \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* Under AddressSanitizer, which brings its own allocator, memory can't be made short. */
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

static const struct token_format default_format = {
    .otp_digits = 8,
    .nonce_digits = 32,
    .interval = 30,
    .window = 1,
    .otp_hash = HASH_SHA1,
    .signature_hash = HASH_SHA256,
};

static const struct token_key_dates any_date = {.accept_from = INT64_MIN,
                                                .accept_until = INT64_MAX};

/* The seed of RFC 4226 and of RFC 6238 with SHA-1. */
#define RFC_SEED "12345678901234567890"
#define NONCE_32 "31415926535897932384626433832795"

/* A copy of exactly length bytes, so that reading one byte too far is an error that is seen. The
 * caller frees it. */
static inline void *exact_copy(const void *bytes, size_t length)
{
    void *copy = malloc(length > 0 ? length : 1);

    assert_non_null(copy);
    memcpy(copy, bytes, length);
    return copy;
}

/* Copies a text, terminator and all, to where there is room for it; returns its length. */
static inline size_t copy_text(char *copy_r, const char *text)
{
    size_t length = strlen(text);

    memcpy(copy_r, text, length + 1);
    return length;
}

/* Reads hexadecimal; returns the number of bytes. */
static inline size_t from_hex(const char *hex, uint8_t *bytes_r)
{
    size_t size = strlen(hex) / 2;

    for (size_t i = 0; i < size; i++) {
        unsigned byte;

        assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
        bytes_r[i] = (uint8_t)byte;
    }
    return size;
}

static inline struct token_key *key_with_dates(const struct token_format *format, const char *seed,
                                               const char *secret, struct token_key_dates dates)
{
    struct token_key *key = token_key_create(format, (const uint8_t *)seed, strlen(seed),
                                             (const uint8_t *)secret, strlen(secret), dates);

    assert_non_null(key);
    return key;
}

static inline struct token_key *key_of(const struct token_format *format, const char *seed,
                                       const char *secret)
{
    return key_with_dates(format, seed, secret, any_date);
}

/* What somebody claims: this user, at this host, with this password. */
static inline struct claim claim_of(const char *user, const char *host, const char *password)
{
    return (struct claim){.user = user,
                          .user_length = strlen(user),
                          .host = host,
                          .host_length = strlen(host),
                          .password = password,
                          .password_length = strlen(password)};
}

static inline struct token_verdict verdict_of(struct token_key *key,
                                              const struct token_format *format, const char *user,
                                              const char *host, const char *password,
                                              int64_t seconds)
{
    struct claim claim = claim_of(user, host, password);
    struct token_verdict verdict;

    token_verify(&key, 1, format, &claim, seconds, &verdict);
    return verdict;
}

/* Repeatable random numbers (SplitMix64): the same in every run, so that a failure can be seen
 * again. */
static inline uint64_t random_next(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static inline uint64_t random_below(uint64_t *state, uint64_t limit)
{
    return random_next(state) % limit;
}

#endif
