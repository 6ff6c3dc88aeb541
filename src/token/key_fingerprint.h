/*
 * A key's fingerprint: names the pair of secrets without telling anything of them, so that the
 * daemon's key and a minter's can be compared, and a key be followed through renames and reloads.
 * docs/token.md specifies it for minters.
 */
#ifndef TOKEN_KEY_FINGERPRINT_H
#define TOKEN_KEY_FINGERPRINT_H

#include <stddef.h>
#include <stdint.h>

enum { KEY_FINGERPRINT_LENGTH = 16 };

struct key_fingerprint {
    char text[KEY_FINGERPRINT_LENGTH + 1]; /* lower-case hexadecimal, terminated */
};

/*
 * The fingerprint of a key from the decoded otp_seed and the bytes of token_secret; neither is
 * kept. Returns 0, or -1 where OpenSSL fails (fingerprint_r untouched). It gives nothing away where
 * the secrets are worth their name: with weak ones, a guess can be tried against it.
 */
__attribute__((warn_unused_result)) int key_fingerprint(const uint8_t *seed, size_t seed_size,
                                                        const uint8_t *secret, size_t secret_size,
                                                        struct key_fingerprint *fingerprint_r);

#endif
