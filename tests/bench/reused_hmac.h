/* OpenSSL's HMAC by EVP_MAC with the key set once and the context rewound for each message: the
 * fastest that its public interface has. */
#ifndef BENCH_REUSED_HMAC_H
#define BENCH_REUSED_HMAC_H

#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>

/* A context keyed for a digest ("SHA256"); NULL where OpenSSL fails. Freed with EVP_MAC_CTX_free().
 */
EVP_MAC_CTX *reused_hmac_create(const char *digest, const void *key, size_t key_size);

/* Computes the HMAC of a message into output_r, which holds output_size bytes. 0, or -1 where
 * OpenSSL fails. */
__attribute__((warn_unused_result)) int reused_hmac_compute(EVP_MAC_CTX *context,
                                                            const void *message, size_t size,
                                                            uint8_t *output_r, size_t output_size);

#endif
