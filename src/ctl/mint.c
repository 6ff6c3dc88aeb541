/* mint USER@HOST: a token as the web application would make it. */

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "base/nearest.h"
#include "base/number.h"
#include "ctl/command.h"
#include "ctl/jid.h"
#include "ctl/key_source.h"
#include "ctl/nonce.h"
#include "ctl/report.h"
#include "token/token.h"
#include "token/token_v2.h"

/* Where --lifetime does not say: time enough to connect, whatever the two clocks. */
enum { V2_LIFETIME_USUAL = 60 };

static const size_t NO_KEY = SIZE_MAX;

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

static size_t key_in_date(const struct host *host, int64_t seconds)
{
    for (size_t i = 0; i < host->key_count; i++) {
        if (token_key_in_date(host->keys[i], seconds))
            return i;
    }
    ctl_complain("no key of [host %s] is in date: see accept_from and accept_until, or name a key "
                 "with --key",
                 host->name);
    return NO_KEY;
}

static size_t key_named(const struct host *host, const char *name, int64_t seconds)
{
    const char *nearest = nearest_name(name, host->key_names, host->key_count);

    for (size_t i = 0; i < host->key_count; i++) {
        if (strcmp(host->key_names[i], name) != 0)
            continue;
        if (!token_key_in_date(host->keys[i], seconds))
            ctl_complain("warning: this key is not in date; the daemon will refuse the token as "
                         "key-retired");
        return i;
    }
    if (nearest != NULL && nearest[0] != '\0')
        ctl_complain("[host %s] has no key of that name; did you mean %s?", host->name, nearest);
    else
        ctl_complain("[host %s] has no key of that name; see its [key %s NAME] sections",
                     host->name, host->name);
    return NO_KEY;
}

static enum ctl_status print_token(char *token, size_t size, int minted)
{
    if (minted == 0)
        puts(token);
    else
        ctl_complain("OpenSSL failed to make the token");
    OPENSSL_cleanse(token, size);
    return minted == 0 ? CTL_YES : CTL_ERROR;
}

static enum ctl_status mint_v1(const struct host *host, size_t key, const struct jid *jid,
                               const struct arguments *arguments, int64_t seconds)
{
    char nonce[NONCE_DIGITS_MAX + 1];
    char token[TOKEN_LENGTH_MAX + 1];

    if (take_nonce(arguments, &host->format, nonce) != 0)
        return CTL_ERROR;
    return print_token(token, sizeof(token),
                       token_mint(host->keys[key], &host->format, jid->user, jid->host,
                                  totp_step(seconds, host->format.interval), nonce, token));
}

/* 16 bytes, in hexadecimal where they are given. */
static int take_v2_nonce(const struct arguments *arguments, uint8_t nonce_r[V2_NONCE_SIZE])
{
    const char *given = arguments->values[OPTION_NONCE];
    size_t length = 0;

    if (given == NULL && RAND_bytes(nonce_r, V2_NONCE_SIZE) == 1)
        return 0;
    if (given == NULL)
        ctl_complain("the system gives no random numbers");
    else if (OPENSSL_hexstr2buf_ex(nonce_r, V2_NONCE_SIZE, &length, given, '\0') == 1 &&
             length == V2_NONCE_SIZE)
        return 0;
    else
        ctl_complain("--nonce takes exactly %d hexadecimal digits with --v2", 2 * V2_NONCE_SIZE);
    return -1;
}

static int take_lifetime(const struct arguments *arguments, const struct token_format *format,
                         unsigned *lifetime_r)
{
    const char *given = arguments->values[OPTION_LIFETIME];
    int64_t lifetime = V2_LIFETIME_USUAL;

    if (given != NULL && (number_parse(given, strlen(given), &lifetime) != 0 || lifetime < 1 ||
                          lifetime > V2_LIFETIME_MAX)) {
        ctl_complain("--lifetime takes seconds, 1 to %d", V2_LIFETIME_MAX);
        return -1;
    }
    if (lifetime > format->max_lifetime)
        ctl_complain("warning: the daemon cuts this lifetime to %u s (max_lifetime)",
                     format->max_lifetime);
    *lifetime_r = (unsigned)lifetime;
    return 0;
}

static enum ctl_status mint_v2(const struct host *host, size_t key, const struct jid *jid,
                               const struct arguments *arguments, int64_t seconds)
{
    char token[V2_LENGTH_MAX + 1];
    uint8_t nonce[V2_NONCE_SIZE];
    unsigned lifetime = 0;

    if (!host->format.accepts_v2) {
        ctl_complain("[host %s] does not accept v2: set accept = v1, v2", host->name);
        return CTL_ERROR;
    }
    if (seconds < 1) {
        ctl_complain("--time takes a second after 1970's first with --v2");
        return CTL_ERROR;
    }
    if (take_v2_nonce(arguments, nonce) != 0 ||
        take_lifetime(arguments, &host->format, &lifetime) != 0)
        return CTL_ERROR;
    return print_token(token, sizeof(token),
                       token_v2_mint(host->keys[key], &host->key_fingerprints[key], jid->user,
                                     jid->host, seconds, lifetime, nonce, token));
}

static enum ctl_status mint(const struct host *host, const struct jid *jid,
                            const struct arguments *arguments, int64_t seconds)
{
    const char *name = arguments->values[OPTION_KEY];
    size_t key = name == NULL ? key_in_date(host, seconds) : key_named(host, name, seconds);

    if (key == NO_KEY)
        return CTL_ERROR;
    if (arguments->values[OPTION_V2] != NULL)
        return mint_v2(host, key, jid, arguments, seconds);
    if (arguments->values[OPTION_LIFETIME] != NULL) {
        ctl_complain("--lifetime is for --v2: v1 tokens last as otp_window says");
        return CTL_ERROR;
    }
    if (host->format.refuses_v1)
        ctl_complain("warning: [host %s] does not accept v1; --v2 mints what it accepts",
                     host->name);
    return mint_v1(host, key, jid, arguments, seconds);
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
               OPTION_BIT(OPTION_KEY) | OPTION_BIT(OPTION_V2) | OPTION_BIT(OPTION_LIFETIME),
    .meaning = "print a token for a user",
    .explanation = "Prints a token that counts now, once, for this user on this host.\n",
    .run = run_mint,
};
