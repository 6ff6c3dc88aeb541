/*
 * HMAC (RFC 2104) with a key set once: what the hashes have made of it is kept, the key is not, and
 * fetching the algorithm or setting the key for each message would cost several times the hash.
 */
#ifndef TOKEN_KEYED_HASH_H
#define TOKEN_KEYED_HASH_H

#include "token/hash.h"

/* A zeroed one holds nothing. It stands in its owner's memory, so that it is there when that is. */
struct keyed_hash {
    enum hash hash;
    void *made; /* what the hash has made of the key; NULL: no key was set */
};

/*
 * Makes HMAC with the given hash and key (any length, also 0; not kept), which holds twice
 * hash_size() bytes of OpenSSL's secure heap. Returns 0, or -1 where OpenSSL fails or memory is
 * short: then it holds nothing. Released with keyed_hash_deinit().
 */
__attribute__((warn_unused_result)) int keyed_hash_init(struct keyed_hash *keyed, enum hash hash,
                                                        const uint8_t *key, size_t key_size);

/* Wipes and frees what it holds, if anything, and leaves it holding nothing. */
void keyed_hash_deinit(struct keyed_hash *keyed);

/* Has what the key was made into fetched, for keyed_hash_compute(). */
static inline void keyed_hash_prefetch(const struct keyed_hash *keyed)
{
    __builtin_prefetch(keyed->made);
}

/*
 * Computes the HMAC of size bytes into output_r, which holds hash_size() bytes of its hash. Returns
 * 0, or -1 where OpenSSL fails; output_r is not to be used then. Not reentrant for one object.
 */
__attribute__((warn_unused_result)) int keyed_hash_compute(const struct keyed_hash *keyed,
                                                           const void *message, size_t size,
                                                           uint8_t output_r[HASH_SIZE_MAX]);

#endif
