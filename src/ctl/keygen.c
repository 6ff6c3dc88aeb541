/* keygen [HOST]: a new key, ready to be pasted. */

#include <string.h>

#include "config/ini.h"
#include "ctl/command.h"
#include "ctl/new_key.h"
#include "ctl/report.h"

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
    printf("# The key's fingerprint, by which the two sides can be compared: %s\n",
           key->fingerprint.text);
    puts("# For the web application: the same two values. Plone's secrets.cfg has them as\n"
         "# prosody_otp_seed and prosody_token_secret.");
}

static enum ctl_status run_keygen(struct arguments *arguments)
{
    const char *host = arguments->operand_count > 0 ? arguments->operands[0] : NULL;
    struct new_key key;
    enum ctl_status status = CTL_ERROR;

    if (host != NULL && !is_domain(host)) {
        ctl_complain("HOST is a domain in lower case, such as example.org, or * for all others");
        return CTL_ERROR;
    }
    if (new_key_make(&key) == 0) {
        new_key_warn_of_open_output();
        print_key(&key, host);
        status = CTL_YES;
    }
    new_key_wipe(&key);
    return status;
}

const struct command command_keygen = {
    .word = "keygen",
    .operands = "[HOST]",
    .operands_max = 1,
    .meaning = "print a new key: a [host] section, or its two settings alone",
    .explanation = "Prints an otp_seed and a token_secret of 256 random bits each, and the key's\n"
                   "fingerprint.\n",
    .run = run_keygen,
};
