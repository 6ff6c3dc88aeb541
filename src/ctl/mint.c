/* mint USER@HOST: a token as the web application would make it. */

#include <string.h>

#include <openssl/crypto.h>

#include "base/nearest.h"
#include "ctl/command.h"
#include "ctl/jid.h"
#include "ctl/key_source.h"
#include "ctl/nonce.h"
#include "ctl/report.h"
#include "token/token.h"

static int take_nonce(const struct arguments *arguments, const struct token_format *format,
                      char nonce_r[NONCE_DIGITS_MAX + 1])
{
    const char *given = arguments->values[OPTION_NONCE];

    if (given == NULL)
        return nonce_make(format->nonce_digits, nonce_r);
    if (strlen(given) != format->nonce_digits ||
        strspn(given, "0123456789") != format->nonce_digits) {
        ctl_complain("--nonce takes exactly %u decimal digits here", format->nonce_digits);
        return -1;
    }
    memcpy(nonce_r, given, format->nonce_digits + 1);
    return 0;
}

static struct token_key *key_in_date(const struct host *host, int64_t seconds)
{
    for (size_t i = 0; i < host->key_count; i++) {
        if (token_key_in_date(host->keys[i], seconds))
            return host->keys[i];
    }
    ctl_complain("no key of [host %s] is in date: see accept_from and accept_until, or name a key "
                 "with --key",
                 host->name);
    return NULL;
}

static struct token_key *key_named(const struct host *host, const char *name, int64_t seconds)
{
    const char *nearest = nearest_name(name, host->key_names, host->key_count);

    for (size_t i = 0; i < host->key_count; i++) {
        if (strcmp(host->key_names[i], name) != 0)
            continue;
        if (!token_key_in_date(host->keys[i], seconds))
            ctl_complain("warning: this key is not in date; the daemon will refuse the token as "
                         "key-retired");
        return host->keys[i];
    }
    if (nearest != NULL && nearest[0] != '\0')
        ctl_complain("[host %s] has no key of that name; did you mean %s?", host->name, nearest);
    else
        ctl_complain("[host %s] has no key of that name; see its [key %s NAME] sections",
                     host->name, host->name);
    return NULL;
}

static enum ctl_status mint(const struct host *host, const struct jid *jid,
                            const struct arguments *arguments, int64_t seconds)
{
    const char *name = arguments->values[OPTION_KEY];
    struct token_key *key =
        name == NULL ? key_in_date(host, seconds) : key_named(host, name, seconds);
    char nonce[NONCE_DIGITS_MAX + 1];
    char token[TOKEN_LENGTH_MAX + 1];

    if (key == NULL || take_nonce(arguments, &host->format, nonce) != 0)
        return CTL_ERROR;
    if (token_mint(key, &host->format, jid->user, jid->host,
                   totp_step(seconds, host->format.interval), nonce, token) != 0) {
        ctl_complain("OpenSSL failed to make the token");
        return CTL_ERROR;
    }
    puts(token);
    OPENSSL_cleanse(token, sizeof(token));
    return CTL_YES;
}

static enum ctl_status run_mint(struct arguments *arguments)
{
    enum ctl_status status = CTL_ERROR;
    struct key_source source;
    const struct host *host;
    struct jid jid;
    int64_t seconds;

    if (jid_split(arguments->operands[0], &jid) != 0 || arguments_time(arguments, &seconds) != 0)
        return CTL_ERROR;
    if (!jid_can_be_asked(&jid)) {
        ctl_complain("%s", jid_complaint);
        return CTL_ERROR;
    }
    if (key_source_open(&source, arguments) != 0)
        return CTL_ERROR;
    host = key_source_host(&source, jid.host);
    if (host != NULL)
        status = mint(host, &jid, arguments, seconds);
    else
        ctl_complain("%s has no [host %s] and no [host *]: xmpp-authctl keygen %s prints one",
                     source.config->path, jid.host, jid.host);
    key_source_close(&source);
    return status;
}

const struct command command_mint = {
    .word = "mint",
    .operands = "USER@HOST",
    .operands_min = 1,
    .operands_max = 1,
    .options = OPTION_BIT(OPTION_TIME) | OPTION_BIT(OPTION_NONCE) | OPTION_BIT(OPTION_SECRETS) |
               OPTION_BIT(OPTION_KEY),
    .meaning = "print a token for a user",
    .explanation = "Prints a token that counts now, once, for this user on this host.\n",
    .run = run_mint,
};
