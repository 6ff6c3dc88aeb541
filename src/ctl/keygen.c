/* keygen [HOST]: a new key, ready to be pasted. */

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "config/ini.h"
#include "config/strength.h"
#include "ctl/command.h"
#include "ctl/report.h"
#include "token/base32.h"

enum { SECRET_SIZE = 32, SECRET_LENGTH = BASE32_ENCODED_LENGTH(SECRET_SIZE) };

struct new_key {
    char otp_seed[SECRET_LENGTH + 1];
    char token_secret[SECRET_LENGTH + 1];
};

static bool is_weak(char *text)
{
    const struct secret secret = {.bytes = (uint8_t *)text, .size = SECRET_LENGTH};

    return otp_seed_weakness(&secret, SECRET_SIZE) != NULL ||
           token_secret_weakness(&secret) != NULL;
}

/* A random secret that the daemon will take: a few in a thousand million hold a placeholder's word.
 */
static int make_secret(char text_r[SECRET_LENGTH + 1])
{
    uint8_t bytes[SECRET_SIZE];

    do {
        if (RAND_priv_bytes(bytes, sizeof(bytes)) != 1) {
            ctl_complain("the system gives no random numbers");
            return -1;
        }
        base32_encode(bytes, sizeof(bytes), text_r);
        OPENSSL_cleanse(bytes, sizeof(bytes));
    } while (is_weak(text_r));
    return 0;
}

/* Stricter than the daemon, which takes any bytes that a server can ask about. */
static bool is_domain(const char *host)
{
    size_t length = strlen(host);

    if (strcmp(host, "*") == 0)
        return true;
    for (const char *at = host; *at != '\0'; at++) {
        if ((unsigned char)*at < 0x80 &&
            strchr("abcdefghijklmnopqrstuvwxyz0123456789.-_", *at) == NULL)
            return false;
    }
    return length > 0 && length + strlen("[host ]") <= INI_LINE_MAX;
}

static void warn_of_open_file(void)
{
    struct stat status;

    if (fstat(STDOUT_FILENO, &status) == 0 && S_ISREG(status.st_mode) &&
        (status.st_mode & (S_IWGRP | S_IRWXO)) != 0)
        ctl_complain("warning: the file that standard output goes to is open to others than its "
                     "owner and group: chmod 640 it");
}

static void print_key(const struct new_key *key, const char *host)
{
    if (host != NULL)
        printf("# For the daemon: in xmpp-authd.conf, which only its owner and group may read "
               "(mode 0640).\n"
               "[host %s]\n",
               host);
    else
        puts("# For the daemon: under a [host DOMAIN] or [key DOMAIN NAME] header in\n"
             "# xmpp-authd.conf, which only its owner and group may read (mode 0640).");
    printf("otp_seed = %s\ntoken_secret = %s\n", key->otp_seed, key->token_secret);
    puts("# For the web application: the same two values. Plone's secrets.cfg has them as\n"
         "# prosody_otp_seed and prosody_token_secret.");
}

static enum ctl_status run_keygen(struct arguments *arguments)
{
    const char *host = arguments->operand_count > 0 ? arguments->operands[0] : NULL;
    struct new_key key = {.otp_seed = ""};
    enum ctl_status status = CTL_ERROR;

    if (host != NULL && !is_domain(host)) {
        ctl_complain("HOST is a domain in lower case, such as example.org, or * for all others");
        return CTL_ERROR;
    }
    if (make_secret(key.otp_seed) == 0 && make_secret(key.token_secret) == 0) {
        warn_of_open_file();
        print_key(&key, host);
        status = CTL_YES;
    }
    OPENSSL_cleanse(&key, sizeof(key));
    return status;
}

const struct command command_keygen = {
    .word = "keygen",
    .operands = "[HOST]",
    .operands_max = 1,
    .meaning = "print a new key: a [host] section, or its two settings alone",
    .explanation = "Prints an otp_seed and a token_secret of 256 random bits each.\n",
    .run = run_keygen,
};
