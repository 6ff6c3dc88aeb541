/* Memory that is short and an OpenSSL that fails: each call that can fail is made to, in its turn.
 * What rests on it is not done and not half done, and nobody is let in by it. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "vectors.h"

#include <dlfcn.h>
#include <errno.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include "token/judge.h"

enum { NOT_SOON = -1 };

static long calls_until_failure = NOT_SOON;
static bool has_failed;
static unsigned depth;

static bool call_fails(void)
{
    if (calls_until_failure == NOT_SOON || depth > 0)
        return false;
    has_failed = calls_until_failure == 0;
    calls_until_failure--;
    return has_failed;
}

/* A function of OpenSSL that can be made to fail. It fails as a whole: not what it calls itself, which
 * it may do without. */
#define CAN_FAIL(type, failure, name, parameters, arguments)                                       \
    type name parameters                                                                           \
    {                                                                                              \
        static __typeof__(name) *real;                                                             \
        type result;                                                                               \
                                                                                                   \
        if (call_fails())                                                                          \
            return failure;                                                                        \
        if (real == NULL)                                                                          \
            *(void **)&real = dlsym(RTLD_NEXT, #name);                                             \
        depth++;                                                                                   \
        result = real arguments;                                                                   \
        depth--;                                                                                   \
        return result;                                                                             \
    }

CAN_FAIL(EVP_MD_CTX *, NULL, EVP_MD_CTX_new, (void), ())
CAN_FAIL(EVP_MD *, NULL, EVP_MD_fetch,
         (OSSL_LIB_CTX * library, const char *algorithm, const char *properties),
         (library, algorithm, properties))
CAN_FAIL(int, 0, EVP_DigestInit_ex, (EVP_MD_CTX * context, const EVP_MD *type, ENGINE *engine),
         (context, type, engine))
CAN_FAIL(int, 0, EVP_DigestInit_ex2,
         (EVP_MD_CTX * context, const EVP_MD *type, const OSSL_PARAM parameters[]),
         (context, type, parameters))
CAN_FAIL(int, 0, EVP_DigestUpdate, (EVP_MD_CTX * context, const void *bytes, size_t size),
         (context, bytes, size))
CAN_FAIL(int, 0, EVP_DigestFinal_ex,
         (EVP_MD_CTX * context, unsigned char *digest, unsigned int *size), (context, digest, size))
CAN_FAIL(int, 0, EVP_MD_CTX_copy_ex, (EVP_MD_CTX * to, const EVP_MD_CTX *from), (to, from))
CAN_FAIL(int, 0, EVP_Digest,
         (const void *bytes, size_t count, unsigned char *digest, unsigned int *size,
          const EVP_MD *type, ENGINE *engine),
         (bytes, count, digest, size, type, engine))
CAN_FAIL(int, 0, EVP_Q_digest,
         (OSSL_LIB_CTX * library, const char *name, const char *properties, const void *bytes,
          size_t size, unsigned char *digest, size_t *digest_size),
         (library, name, properties, bytes, size, digest, digest_size))
CAN_FAIL(void *, NULL, CRYPTO_secure_malloc, (size_t size, const char *file, int line),
         (size, file, line))
CAN_FAIL(void *, NULL, CRYPTO_secure_zalloc, (size_t size, const char *file, int line),
         (size, file, line))
#ifndef OPENSSL_NO_DEPRECATED_3_0
CAN_FAIL(int, 0, SHA1_Init, (SHA_CTX * context), (context))
CAN_FAIL(int, 0, SHA1_Update, (SHA_CTX * context, const void *bytes, size_t size),
         (context, bytes, size))
CAN_FAIL(int, 0, SHA1_Final, (unsigned char *digest, SHA_CTX *context), (digest, context))
CAN_FAIL(int, 0, SHA256_Init, (SHA256_CTX * context), (context))
CAN_FAIL(int, 0, SHA256_Update, (SHA256_CTX * context, const void *bytes, size_t size),
         (context, bytes, size))
CAN_FAIL(int, 0, SHA256_Final, (unsigned char *digest, SHA256_CTX *context), (digest, context))
CAN_FAIL(int, 0, SHA512_Init, (SHA512_CTX * context), (context))
CAN_FAIL(int, 0, SHA512_Update, (SHA512_CTX * context, const void *bytes, size_t size),
         (context, bytes, size))
CAN_FAIL(int, 0, SHA512_Final, (unsigned char *digest, SHA512_CTX *context), (digest, context))
#endif

#if !SANITIZED
void *__libc_calloc(size_t count, size_t size);
void *__libc_malloc(size_t size);
void *__libc_memalign(size_t alignment, size_t size);

void *calloc(size_t count, size_t size)
{
    if (call_fails()) {
        errno = ENOMEM;
        return NULL;
    }
    return __libc_calloc(count, size);
}

void *malloc(size_t size)
{
    if (call_fails()) {
        errno = ENOMEM;
        return NULL;
    }
    return __libc_malloc(size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    if (call_fails()) {
        errno = ENOMEM;
        return NULL;
    }
    return __libc_memalign(alignment, size);
}
#endif

/* From here on the call with this number fails, once. */
static void fail_call(long number)
{
    has_failed = false;
    calls_until_failure = number;
}

/* Whether one has failed since; none does from here on. */
static bool ended_with_failure(void)
{
    calls_until_failure = NOT_SOON;
    return has_failed;
}

enum { NOON = 1767225600 };

#define SECRET "test.vectors+only/never=use_them~elsewhere,2026"

static struct token_format every_kind(void)
{
    struct token_format format = default_format;

    format.accepts_v2 = format.accepts_jsxc = true;
    format.max_lifetime = 120;
    format.jsxc_max_lifetime = 3600;
    return format;
}

static struct token_key *create_key(const struct token_format *format)
{
    return token_key_create(format, (const uint8_t *)RFC_SEED, strlen(RFC_SEED),
                            (const uint8_t *)SECRET, strlen(SECRET), any_date);
}

/* Longer than any hash's block: they are hashed first, and a hash of nothing would be a key that
 * everybody has. */
static struct token_key *create_long_key(const struct token_format *format)
{
    static const uint8_t secret[200] = {1, 2, 3};

    return token_key_create(format, secret, sizeof(secret), secret, sizeof(secret), any_date);
}

static void a_key_is_made_whole_or_not_at_all(void **state)
{
    const struct {
        const char *name;
        struct token_key *(*create)(const struct token_format *format);
        struct token_format format;
    } rows[] = {
        {"v1", create_key, default_format},
        {"every kind", create_key, every_kind()},
        {"v1, a long key", create_long_key, default_format},
        {"every kind, a long key", create_long_key, every_kind()},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct token_key *key = rows[i].create(&rows[i].format);
        bool failed = true;
        long call = 0;

        /* OpenSSL looks for its hashes once. */
        token_key_destroy(&key);
        for (; failed; call++) {
            fail_call(call);
            key = rows[i].create(&rows[i].format);
            failed = ended_with_failure();
            expect((key == NULL) == failed, "%s, call %ld", rows[i].name, call);
            token_key_destroy(&key);
        }
        expect(call > 3, "%s: %ld calls", rows[i].name, call);
    }
}

static void what_could_not_be_made_of_a_key_holds_nothing(void **state)
{
    (void)state;
    for (enum hash hash = 0; hash < HASH_COUNT; hash++) {
        struct keyed_hash keyed;
        bool failed = true;
        long call = 0;

        for (; failed; call++) {
            int result;

            fail_call(call);
            result = keyed_hash_init(&keyed, hash, (const uint8_t *)SECRET, strlen(SECRET));
            failed = ended_with_failure();
            expect((result != 0) == failed, "%s, call %ld", hash_word(hash), call);
            expect((keyed.made == NULL) == failed, "%s, call %ld", hash_word(hash), call);
        }
        assert_true(call > 3);
        keyed_hash_deinit(&keyed);
    }
}

static void a_jsxc_key_is_made_whole_or_not_at_all(void **state)
{
    struct jsxc_key *key = jsxc_key_create((const uint8_t *)SECRET, strlen(SECRET));
    bool failed = true;
    long call = 0;

    (void)state;
    jsxc_key_destroy(&key);
    for (; failed; call++) {
        fail_call(call);
        key = jsxc_key_create((const uint8_t *)SECRET, strlen(SECRET));
        failed = ended_with_failure();
        expect((key == NULL) == failed, "call %ld", call);
        jsxc_key_destroy(&key);
    }
    expect(call > 3, "%ld calls", call);
}

static void a_fingerprint_is_whole_or_none(void **state)
{
    const struct key_fingerprint untouched = {"----------------"};
    bool failed = true;

    (void)state;
    for (long call = 0; failed; call++) {
        struct key_fingerprint name = untouched;
        int result;

        fail_call(call);
        result = key_fingerprint((const uint8_t *)RFC_SEED, strlen(RFC_SEED),
                                 (const uint8_t *)SECRET, strlen(SECRET), &name);
        failed = ended_with_failure();
        expect((result != 0) == failed, "call %ld", call);
        expect((strcmp(name.text, untouched.text) == 0) == failed, "call %ld: %s", call, name.text);
    }
}

/* What is asked of a key; each says whether it was done. */
static bool signs(struct token_key *key)
{
    uint8_t signature[HASH_SIZE_MAX];

    return token_key_sign(key, "message", 7, signature) == 0;
}

static bool signs_v2(struct token_key *key)
{
    uint8_t signature[V2_SIGNATURE_SIZE];

    return token_key_sign_v2(key, "message", 7, signature) == 0;
}

static bool gives_an_otp(struct token_key *key)
{
    uint32_t otp;

    return token_key_otp(key, NOON / 30, &otp) == 0;
}

static bool mints(struct token_key *key)
{
    const struct token_format format = every_kind();
    char text[TOKEN_LENGTH_MAX + 1];

    return token_mint(key, &format, "alice", "example.org", NOON / 30, NONCE_32, text) == 0;
}

static bool mints_v2(struct token_key *key)
{
    static const struct key_fingerprint name = {"0123456789abcdef"};
    static const uint8_t nonce[V2_NONCE_SIZE];
    char text[V2_LENGTH_MAX + 1];

    return token_v2_mint(key, &name, "alice", "example.org", NOON, 60, nonce, text) == 0;
}

static bool searches(struct token_key *key)
{
    int64_t step;

    return token_key_find_step(key, 0, NOON / 30, &step) != STEP_NOT_SEARCHED;
}

static void nothing_is_said_to_be_done_that_failed(void **state)
{
    static const struct {
        const char *name;
        bool (*ask)(struct token_key *key);
    } rows[] = {
        {"a signature", signs}, {"a signature of v2", signs_v2}, {"an OTP", gives_an_otp},
        {"a token", mints},     {"a token of v2", mints_v2},     {"a search", searches},
    };
    const struct token_format format = every_kind();

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        bool failed = true;
        long call = 0;

        for (; failed; call = call < 40 ? call + 1 : call + 997) {
            struct token_key *key = create_key(&format);
            bool done;

            fail_call(call);
            done = rows[i].ask(key);
            failed = ended_with_failure();
            expect(done == !failed, "%s, call %ld", rows[i].name, call);
            expect(rows[i].ask(key), "%s, after call %ld", rows[i].name, call);
            token_key_destroy(&key);
        }
        expect(call > 1, "%s asks nothing of OpenSSL", rows[i].name);
    }
}

/* A token and the user who presents it. */
struct presented {
    const char *name;
    char text[TOKEN_LENGTH_MAX + V2_LENGTH_MAX];
    const char *user;
    bool is_good;
};

static void mint_all(struct presented *rows, struct token_key *key,
                     const struct key_fingerprint *name)
{
    static const uint8_t nonce[V2_NONCE_SIZE] = {7};
    const struct token_format format = every_kind();

    for (size_t i = 0; i < 3; i++)
        assert_int_equal(token_mint(key, &format, "alice", "example.org",
                                    NOON / 30 - (i == 2 ? 120 : 0), NONCE_32, rows[i].text),
                         0);
    for (size_t i = 3; i < 5; i++)
        assert_int_equal(
            token_v2_mint(key, name, "alice", "example.org", NOON, 60, nonce, rows[i].text), 0);
}

static void no_failure_lets_anybody_in_who_is_not_let_in_without_it(void **state)
{
    static struct presented rows[] = {
        {"a good token", "", "alice", true},
        {"another's token", "", "mallory", false},
        {"an old token", "", "alice", false},
        {"a good token of v2", "", "alice", true},
        {"another's token of v2", "", "mallory", false},
        /* Published in tests/vectors: of alice, for the hour after noon. */
        {"a good token of JSXC", "ADV/rQY/REjRprn4fB905vxV8W%VxxA", "alice", true},
        {"another's token of JSXC", "ADV/rQY/REjRprn4fB905vxV8W%VxxA", "mallory", false},
    };
    const struct token_format format = every_kind();
    struct key_fingerprint name;
    struct token_key *key = create_key(&format);
    struct jsxc_key *jsxc = jsxc_key_create((const uint8_t *)SECRET, strlen(SECRET));
    const struct judge_keys keys = {&key, &name, 1, jsxc};

    (void)state;
    assert_int_equal(key_fingerprint((const uint8_t *)RFC_SEED, strlen(RFC_SEED),
                                     (const uint8_t *)SECRET, strlen(SECRET), &name),
                     0);
    mint_all(rows, key, &name);
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        const struct claim claim = claim_of(rows[i].user, "example.org", rows[i].text);
        struct token_verdict verdict;
        bool failed = true;

        /* A search makes thousands of calls that are alike. */
        for (long call = 0; failed; call += call < 60 ? 1 : 97) {
            /* Another step each time, so that its OTPs are computed and not remembered. */
            fail_call(call);
            token_judge(&keys, &format, &claim, NOON + 30 * (call % 2), &verdict);
            failed = ended_with_failure();
            expect(verdict.reason != REASON_ALLOWED || rows[i].is_good, "%s, call %ld",
                   rows[i].name, call);
            expect(failed || (verdict.reason == REASON_ALLOWED) == rows[i].is_good,
                   "%s, call %ld: %s", rows[i].name, call, reason_word(verdict.reason));
        }
    }
    token_key_destroy(&key);
    jsxc_key_destroy(&jsxc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_made_whole_or_not_at_all),
        cmocka_unit_test(what_could_not_be_made_of_a_key_holds_nothing),
        cmocka_unit_test(a_jsxc_key_is_made_whole_or_not_at_all),
        cmocka_unit_test(a_fingerprint_is_whole_or_none),
        cmocka_unit_test(nothing_is_said_to_be_done_that_failed),
        cmocka_unit_test(no_failure_lets_anybody_in_who_is_not_let_in_without_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
