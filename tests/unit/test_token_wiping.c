/* What was made of a secret on the way is wiped: counted where OpenSSL is asked to do it. */
#include "vectors.h"

#include <dlfcn.h>

#include <openssl/crypto.h>

#include "token/jsxc_token.h"
#include "token/key_fingerprint.h"

static unsigned wiped; /* pieces of memory */
static size_t bytes;

/* OpenSSL wipes memory of its own by the same functions. */
static void note(const void *caller, size_t size)
{
    Dl_info place;

    if (dladdr(caller, &place) != 0 && strstr(place.dli_fname, "libcrypto") != NULL)
        return;
    wiped++;
    bytes += size;
}

void OPENSSL_cleanse(void *memory, size_t size)
{
    static __typeof__(OPENSSL_cleanse) *real;

    if (real == NULL)
        *(void **)&real = dlsym(RTLD_NEXT, "OPENSSL_cleanse");
    note(__builtin_return_address(0), size);
    real(memory, size);
}

void CRYPTO_secure_clear_free(void *memory, size_t size, const char *file, int line)
{
    static __typeof__(CRYPTO_secure_clear_free) *real;

    if (real == NULL)
        *(void **)&real = dlsym(RTLD_NEXT, "CRYPTO_secure_clear_free");
    if (memory != NULL)
        note(__builtin_return_address(0), size);
    real(memory, size, file, line);
}

/* Of a keyed hash that is made: what its key is mixed into twice, and the two states' contexts where
 * they are on the stack. */
#ifdef OPENSSL_NO_DEPRECATED_3_0
enum { OF_A_KEYED_HASH = 2, OF_ITS_END = 0 };
#else
enum { OF_A_KEYED_HASH = 4, OF_ITS_END = 1 };
#endif

static void begin(void)
{
    wiped = 0;
    bytes = 0;
}

/* Fails unless so many pieces were wiped since, and so many bytes at the least. */
static void expect_wiped(const char *name, unsigned pieces, size_t least)
{
    expect(wiped == pieces && bytes >= least, "%s: %u pieces, %zu bytes", name, wiped, bytes);
}

static const uint8_t secret[] = "a secret of the test's own, 32 characters and more";

static void a_keyed_hash_leaves_nothing_of_its_key(void **state)
{
    static const struct {
        enum hash hash;
        size_t block, size;
    } rows[] = {{HASH_SHA1, 64, 20}, {HASH_SHA256, 64, 32}, {HASH_SHA512, 128, 64}};

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        const char *name = hash_word(rows[i].hash);
        struct keyed_hash keyed;
        uint8_t mac[HASH_SIZE_MAX];

        begin();
        assert_int_equal(keyed_hash_init(&keyed, rows[i].hash, secret, sizeof(secret)), 0);
        expect_wiped(name, OF_A_KEYED_HASH, 2 * rows[i].block);
        begin();
        assert_int_equal(keyed_hash_compute(&keyed, "message", 7, mac), 0);
        expect_wiped(name, 1, rows[i].size);
        begin();
        keyed_hash_deinit(&keyed);
        expect_wiped(name, OF_ITS_END, OF_ITS_END == 0 ? 0 : 2 * rows[i].size);
    }
}

static void making_keys_leaves_nothing_of_their_secrets(void **state)
{
    struct token_format format = default_format;
    struct key_fingerprint name;
    struct token_key *key;
    struct jsxc_key *jsxc;

    (void)state;
    begin();
    key = token_key_create(&format, secret, sizeof(secret), secret, sizeof(secret), any_date);
    assert_non_null(key);
    expect_wiped("v1", 2 * OF_A_KEYED_HASH, 0);
    token_key_destroy(&key);
    /* The key of v2 is made by another's hash of a message that holds the seed. */
    format.accepts_v2 = true;
    begin();
    key = token_key_create(&format, secret, sizeof(secret), secret, sizeof(secret), any_date);
    assert_non_null(key);
    expect_wiped("v2", 4 * OF_A_KEYED_HASH + OF_ITS_END + 3, 0);
    token_key_destroy(&key);
    begin();
    jsxc = jsxc_key_create(secret, sizeof(secret));
    assert_non_null(jsxc);
    expect_wiped("JSXC", OF_A_KEYED_HASH + 1, 0);
    jsxc_key_destroy(&jsxc);
    begin();
    assert_int_equal(key_fingerprint(secret, sizeof(secret), secret, sizeof(secret), &name), 0);
    expect_wiped("a fingerprint", 1, 32);
}

static void a_key_takes_its_one_time_passwords_with_it(void **state)
{
    static const struct {
        const char *name;
        unsigned window;
        size_t otps; /* the least power of two that holds those of 6 windows and 3 steps */
    } rows[] = {{"no window", 0, 4}, {"in the key itself", 1, 16}, {"beside it", 10, 64}};
    const struct token_format usual = default_format;

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct token_format format = usual;
        struct token_key *key;

        format.window = rows[i].window;
        key = token_key_create(&format, secret, sizeof(secret), secret, sizeof(secret), any_date);
        assert_non_null(key);
        begin();
        token_key_destroy(&key);
        expect(wiped == 1 + 2 * OF_ITS_END, "%s: %u pieces", rows[i].name, wiped);
        expect(bytes == rows[i].otps * sizeof(uint32_t) + (size_t)OF_ITS_END * (2 * 32 + 2 * 20),
               "%s: %zu bytes", rows[i].name, bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_keyed_hash_leaves_nothing_of_its_key),
        cmocka_unit_test(making_keys_leaves_nothing_of_their_secrets),
        cmocka_unit_test(a_key_takes_its_one_time_passwords_with_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
