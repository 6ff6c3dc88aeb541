/* HMAC: the vectors of RFC 2202 (SHA-1) and RFC 4231 (SHA-2), and keys of every length. */
#include "vectors.h"

#include <openssl/hmac.h>

#include "token/keyed_hash.h"

/* The keys and messages of RFC 4231 section 4; RFC 2202's cases for SHA-1 are others. A cut case
 * (4.6) gives only the first 128 bits. */
static const struct {
    const char *name;
    const char *key;     /* hexadecimal */
    const char *message; /* hexadecimal */
    enum hash hash;
    const char *mac; /* hexadecimal, perhaps only its beginning */
} rows[] = {
    {"RFC 4231 4.2 SHA-256", "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265",
     HASH_SHA256, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
    {"RFC 4231 4.2 SHA-512", "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265",
     HASH_SHA512,
     "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde"
     "daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854"},
    {"RFC 4231 4.3 SHA-256", "4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
     HASH_SHA256, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
    {"RFC 4231 4.3 SHA-512", "4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
     HASH_SHA512,
     "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
     "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"},
    {"RFC 4231 4.4 SHA-256", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
     "dddddddddddddddddddddddddddddddddddddddddddddddddd"
     "dddddddddddddddddddddddddddddddddddddddddddddddddd",
     HASH_SHA256, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
    {"RFC 4231 4.4 SHA-512", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
     "dddddddddddddddddddddddddddddddddddddddddddddddddd"
     "dddddddddddddddddddddddddddddddddddddddddddddddddd",
     HASH_SHA512,
     "fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39"
     "bf3e848279a722c806b485a47e67c807b946a337bee8942674278859e13292fb"},
    {"RFC 4231 4.5 SHA-256", "0102030405060708090a0b0c0d0e0f10111213141516171819",
     "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd"
     "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd",
     HASH_SHA256, "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
    {"RFC 4231 4.5 SHA-512", "0102030405060708090a0b0c0d0e0f10111213141516171819",
     "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd"
     "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd",
     HASH_SHA512,
     "b0ba465637458c6990e5a8c5f61d4af7e576d97ff94b872de76f8050361ee3db"
     "a91ca5c11aa25eb4d679275cc5788063a5f19741120c4f2de2adebeb10a298dd"},
    {"RFC 4231 4.6 SHA-256, cut", "0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c",
     "546573742057697468205472756e636174696f6e", HASH_SHA256, "a3b6167473100ee06e0c796c2955552b"},
    {"RFC 4231 4.6 SHA-512, cut", "0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c",
     "546573742057697468205472756e636174696f6e", HASH_SHA512, "415fad6271580a531d4179bc891d87a6"},
    {"RFC 4231 4.7 SHA-256",
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
     "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b6579202d20486173682"
     "04b6579204669727374",
     HASH_SHA256, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
    {"RFC 4231 4.7 SHA-512",
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
     "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b6579202d20486173682"
     "04b6579204669727374",
     HASH_SHA512,
     "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352"
     "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598"},
    {"RFC 4231 4.8 SHA-256",
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
     "5468697320697320612074657374207573696e672061206c6172676572207468616e20626c6f636b2d73697a65"
     "206b657920616e642061206c6172676572207468616e20626c6f636b2d73697a6520646174612e20546865206b"
     "6579206e6565647320746f20626520686173686564206265666f7265206265696e67207573656420627920746865"
     "20484d414320616c676f726974686d2e",
     HASH_SHA256, "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
    {"RFC 4231 4.8 SHA-512",
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
     "5468697320697320612074657374207573696e672061206c6172676572207468616e20626c6f636b2d73697a65"
     "206b657920616e642061206c6172676572207468616e20626c6f636b2d73697a6520646174612e20546865206b"
     "6579206e6565647320746f20626520686173686564206265666f7265206265696e67207573656420627920746865"
     "20484d414320616c676f726974686d2e",
     HASH_SHA512,
     "e37b6a775dc87dbaa4dfa9f96e5e3ffddebd71f8867289865df5a32d20cdc944"
     "b6022cac3c4982b10d5eeb55c3e4de15134676fb6de0446065c97440fa8c6a58"},
    {"RFC 2202 3.1 SHA-1", "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265",
     HASH_SHA1, "b617318655057264e28bc0b6fb378c8ef146be00"},
    {"RFC 2202 3.2 SHA-1", "4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
     HASH_SHA1, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"},
    {"RFC 2202 3.3 SHA-1", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
     "dddddddddddddddddddddddddddddddddddddddddddddddddd"
     "dddddddddddddddddddddddddddddddddddddddddddddddddd",
     HASH_SHA1, "125d7342b9ac11cd91a39af48aa17b4f63f175d3"},
};

static void every_published_vector_is_met(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        uint8_t key[256], message[256], expected[HASH_SIZE_MAX], mac[HASH_SIZE_MAX];
        size_t key_size = from_hex(rows[i].key, key);
        size_t message_size = from_hex(rows[i].message, message);
        size_t compared = from_hex(rows[i].mac, expected);
        struct keyed_hash keyed;

        expect(keyed_hash_init(&keyed, rows[i].hash, key, key_size) == 0, "%s", rows[i].name);
        memset(key, 0, sizeof(key)); /* the key is not borrowed */
        for (int again = 0; again < 3; again++) {
            memset(mac, 0, sizeof(mac));
            expect(keyed_hash_compute(&keyed, message, message_size, mac) == 0, "%s", rows[i].name);
            expect(memcmp(mac, expected, compared) == 0, "%s, time %d", rows[i].name, again);
        }
        keyed_hash_deinit(&keyed);
        assert_null(keyed.made);
    }
}

/* OpenSSL's one-shot function is another way to the same value. */
static void keys_and_messages_of_every_length_give_openssls_own_value(void **state)
{
    static const struct {
        enum hash hash;
        const EVP_MD *(*digest)(void);
    } kinds[] = {{HASH_SHA1, EVP_sha1}, {HASH_SHA256, EVP_sha256}, {HASH_SHA512, EVP_sha512}};
    uint8_t bytes[300];

    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 7 + 3);
    for (size_t kind = 0; kind < LENGTH_OF(kinds); kind++) {
        for (size_t key_size = 0; key_size <= 200; key_size++) {
            uint8_t *key = exact_copy(bytes, key_size);
            struct keyed_hash keyed;

            expect(keyed_hash_init(&keyed, kinds[kind].hash, key, key_size) == 0, "%s, key of %zu",
                   hash_word(kinds[kind].hash), key_size);
            free(key);
            for (size_t size = 0; size < sizeof(bytes); size += 37) {
                uint8_t mac[HASH_SIZE_MAX], other[HASH_SIZE_MAX];
                unsigned other_size;

                assert_int_equal(keyed_hash_compute(&keyed, bytes, size, mac), 0);
                HMAC(kinds[kind].digest(), bytes, (int)key_size, bytes, size, other, &other_size);
                expect(other_size == hash_size(kinds[kind].hash), "kind %zu", kind);
                expect(memcmp(mac, other, other_size) == 0, "%s, key of %zu, message of %zu",
                       hash_word(kinds[kind].hash), key_size, size);
            }
            keyed_hash_deinit(&keyed);
        }
    }
}

static void hashes_have_their_words_and_sizes(void **state)
{
    (void)state;
    assert_string_equal(hash_word(HASH_SHA1), "sha1");
    assert_string_equal(hash_word(HASH_SHA256), "sha256");
    assert_string_equal(hash_word(HASH_SHA512), "sha512");
    assert_int_equal(hash_size(HASH_SHA1), 20);
    assert_int_equal(hash_size(HASH_SHA256), 32);
    assert_int_equal(hash_size(HASH_SHA512), 64);
}

static void destroying_nothing_is_allowed(void **state)
{
    struct keyed_hash none = {0};

    (void)state;
    keyed_hash_deinit(&none);
    assert_null(none.made);
}

/* Whichever bit it is, in whichever piece, and whatever is the same elsewhere. */
static void one_bit_tells_two_hashes_apart(void **state)
{
    uint8_t one[HASH_SIZE_MAX + 1];
    uint8_t other[HASH_SIZE_MAX + 1];

    (void)state;
    for (size_t size = 1; size <= HASH_SIZE_MAX; size++) {
        memset(one, 0xa5, sizeof(one));
        memset(other, 0xa5, sizeof(other));
        other[size] = 0; /* behind the end: of no matter */
        expect(hash_is_same(one, other, size), "%zu bytes", size);
        for (size_t bit = 0; bit < 8 * size; bit++) {
            other[bit / 8] ^= (uint8_t)(1U << bit % 8);
            expect(!hash_is_same(one, other, size), "bit %zu of %zu bytes", bit, size);
            other[bit / 8] ^= (uint8_t)(1U << bit % 8);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_bit_tells_two_hashes_apart),
        cmocka_unit_test(every_published_vector_is_met),
        cmocka_unit_test(keys_and_messages_of_every_length_give_openssls_own_value),
        cmocka_unit_test(hashes_have_their_words_and_sizes),
        cmocka_unit_test(destroying_nothing_is_allowed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
