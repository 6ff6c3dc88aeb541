#include "ctl/new_key.h"

#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "config/strength.h"
#include "ctl/report.h"

static bool is_weak(char *text)
{
    const struct secret secret = {.bytes = (uint8_t *)text, .size = NEW_SECRET_LENGTH};

    return otp_seed_weakness(&secret, NEW_SECRET_SIZE) != NULL ||
           token_secret_weakness(&secret) != NULL;
}

/* A random secret that the daemon will take: a few in a thousand million hold a placeholder's word.
 */
static int make_secret(uint8_t bytes_r[NEW_SECRET_SIZE], char text_r[NEW_SECRET_LENGTH + 1])
{
    do {
        if (RAND_priv_bytes(bytes_r, NEW_SECRET_SIZE) != 1) {
            ctl_complain("the system gives no random numbers");
            return -1;
        }
        base32_encode(bytes_r, NEW_SECRET_SIZE, text_r);
    } while (is_weak(text_r));
    return 0;
}

int new_key_make(struct new_key *key_r)
{
    uint8_t seed[NEW_SECRET_SIZE], secret[NEW_SECRET_SIZE];
    int result = -1;

    *key_r = (struct new_key){.otp_seed = ""};
    if (make_secret(seed, key_r->otp_seed) == 0 && make_secret(secret, key_r->token_secret) == 0) {
        result = key_fingerprint(seed, sizeof(seed), (const uint8_t *)key_r->token_secret,
                                 NEW_SECRET_LENGTH, &key_r->fingerprint);
        if (result != 0)
            ctl_complain("memory is short");
    }
    OPENSSL_cleanse(seed, sizeof(seed));
    OPENSSL_cleanse(secret, sizeof(secret));
    return result;
}

void new_key_wipe(struct new_key *key)
{
    OPENSSL_cleanse(key, sizeof(*key));
}

void new_key_warn_of_open_output(void)
{
    struct stat status;

    if (fstat(STDOUT_FILENO, &status) == 0 && S_ISREG(status.st_mode) &&
        (status.st_mode & (S_IWGRP | S_IRWXO)) != 0)
        ctl_complain("warning: the file that standard output goes to is open to others than its "
                     "owner and group: chmod 640 it");
}
