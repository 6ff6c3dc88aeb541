/* A new key: two secrets of 256 random bits each. */
#ifndef CTL_NEW_KEY_H
#define CTL_NEW_KEY_H

#include "token/base32.h"
#include "token/key_fingerprint.h"

enum { NEW_SECRET_SIZE = 32, NEW_SECRET_LENGTH = BASE32_ENCODED_LENGTH(NEW_SECRET_SIZE) };

struct new_key {
    char otp_seed[NEW_SECRET_LENGTH + 1];
    char token_secret[NEW_SECRET_LENGTH + 1];
    struct key_fingerprint fingerprint;
};

/* Makes one that the daemon will take. Returns 0, or -1 after a complaint; wiped with
 * new_key_wipe() in both cases. */
__attribute__((warn_unused_result)) int new_key_make(struct new_key *key_r);

void new_key_wipe(struct new_key *key);

/* Says so where a key is about to be printed into a file that others than its owner and group may
 * read or write. */
void new_key_warn_of_open_output(void);

#endif
