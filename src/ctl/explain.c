#include "ctl/explain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"
#include "base/timestamp.h"
#include "ctl/token_shape.h"

enum { KEY_LABEL_SIZE = 300 };

static const char *key_label(const struct host *host, size_t key, char label_r[KEY_LABEL_SIZE])
{
    if (host->key_names[key][0] == '\0')
        snprintf(label_r, KEY_LABEL_SIZE, "the key of [host %s]", host->name);
    else
        snprintf(label_r, KEY_LABEL_SIZE, "[key %s %s]", host->name, host->key_names[key]);
    return label_r;
}

static void explain_allowed(const struct token_verdict *verdict, int64_t seconds,
                            char text_r[EXPLANATION_SIZE])
{
    snprintf(text_r, EXPLANATION_SIZE,
             "genuine and in time, for another %lld s, unless it was spent already; whether it "
             "was, whether the user is revoked and whether the daemon has just started, only the "
             "running daemon can tell",
             (long long)(verdict->good_until - seconds));
}

/* `; exactly 4 half hours: ...`, where the offset looks like a time zone. */
static void add_time_zone(int64_t offset, int64_t zone, char *text, size_t size)
{
    long long away = llabs((long long)offset - (long long)zone);

    if (away == 0)
        snprintf(text, size, "; exactly %lld half hours", llabs((long long)zone) / 1800);
    else
        snprintf(text, size, "; within %lld s of %lld half hours", away,
                 llabs((long long)zone) / 1800);
    snprintf(text + strlen(text), size - strlen(text),
             ": looks like a minter that takes UTC for local time (a naive utcnow() given to "
             "pyotp); use totp.now(), or an aware datetime.now(timezone.utc)");
}

static void explain_v1_clock(const struct token_verdict *verdict, const struct token_format *format,
                             char text_r[EXPLANATION_SIZE])
{
    int64_t offset = verdict->clock_offset;
    int64_t zone = time_zone_offset(offset, format);
    int used = snprintf(text_r, EXPLANATION_SIZE,
                        "made by a clock that is %lld s %s this one, token's own age included "
                        "(window: %u s either side)",
                        llabs((long long)offset), offset < 0 ? "behind" : "ahead of",
                        format->window * format->interval);

    if (zone != 0)
        add_time_zone(offset, zone, text_r + used, EXPLANATION_SIZE - (size_t)used);
    else if (offset < 0)
        snprintf(text_r + used, EXPLANATION_SIZE - (size_t)used,
                 "; it may just be old: try a fresh one, and set both clocks (NTP) if that fails "
                 "too");
    else
        snprintf(text_r + used, EXPLANATION_SIZE - (size_t)used, "; set both clocks (NTP)");
}

/* Kinds that have their times in them. */
static void explain_times(const struct token_verdict *verdict, const struct token_format *format,
                          char text_r[EXPLANATION_SIZE])
{
    int64_t offset = verdict->clock_offset;
    int64_t zone = time_zone_offset(offset, format);
    int used = snprintf(
        text_r, EXPLANATION_SIZE,
        verdict->kind == TOKEN_V2 ? "issued %lld s %s by this clock, good for at most %u s"
                                  : "issued %lld s %s by this clock if it was to last for %u s "
                                    "(jsxc_max_lifetime)",
        llabs((long long)offset), offset < 0 ? "ago" : "from now",
        verdict->kind == TOKEN_V2 ? format->max_lifetime : format->jsxc_max_lifetime);

    if (zone != 0)
        add_time_zone(offset, zone, text_r + used, EXPLANATION_SIZE - (size_t)used);
    else
        snprintf(text_r + used, EXPLANATION_SIZE - (size_t)used,
                 "; try a fresh one, and set both clocks (NTP) if that fails too");
}

static void explain_clock(const struct token_verdict *verdict, const struct token_format *format,
                          char text_r[EXPLANATION_SIZE])
{
    if (verdict->kind == TOKEN_V1)
        explain_v1_clock(verdict, format, text_r);
    else
        explain_times(verdict, format, text_r);
}

static void explain_malformed(const struct host *host, enum token_kind kind, const char *password,
                              size_t password_length, char text_r[EXPLANATION_SIZE])
{
    static const char *const words[] = {
        [TOKEN_V1] = "v1", [TOKEN_V2] = "v2", [TOKEN_JSXC] = "jsxc"};
    char shape[TOKEN_SHAPE_SIZE];

    if (kind == TOKEN_V1 && !host->format.refuses_v1)
        snprintf(text_r, EXPLANATION_SIZE, "not a token of this host's format: %s",
                 token_shape_explain(&host->format, password, password_length, shape));
    else if (!token_kind_is_accepted(kind, &host->format))
        snprintf(text_r, EXPLANATION_SIZE,
                 "it begins like a token of a kind that this host does not take; %s is not in its "
                 "accept",
                 words[kind]);
    else
        snprintf(text_r, EXPLANATION_SIZE,
                 "it begins like a token of the kind %s, but is none in its one spelling: its "
                 "length is %zu, and %s",
                 words[kind], password_length,
                 kind == TOKEN_V2 ? "v2.KEY.ISSUED.LIFETIME.NONCE.SIGNATURE has 16, 1 to 12, 1 to "
                                    "4, 22 and 43 characters after v2, and no more than 3600 s"
                                  : "JSXC's has 31 characters");
}

static void explain_retired(const struct token_verdict *verdict, const struct host *host,
                            int64_t seconds, char text_r[EXPLANATION_SIZE])
{
    const struct key_values *dates = host->key_values[verdict->key];
    char label[KEY_LABEL_SIZE], from[TIMESTAMP_SIZE], until[TIMESTAMP_SIZE], now[TIMESTAMP_SIZE];

    snprintf(text_r, EXPLANATION_SIZE,
             "signed with %s, which counts%s%s%s%s and not at %s: the minter must take a key that "
             "is in date, or the dates must change",
             key_label(host, verdict->key, label), dates->accept_from == INT64_MIN ? "" : " from ",
             dates->accept_from == INT64_MIN ? "" : timestamp_format(dates->accept_from, from),
             dates->accept_until == INT64_MAX ? "" : " until ",
             dates->accept_until == INT64_MAX ? "" : timestamp_format(dates->accept_until, until),
             timestamp_format(seconds, now));
}

/* Which keys a forged token fits none of; the web side may know its own by the fingerprint. */
static void explain_forged(enum token_kind kind, const struct host *host,
                           char text_r[EXPLANATION_SIZE])
{
    const size_t listed_max = 8;
    int used;

    if (kind == TOKEN_JSXC) {
        snprintf(
            text_r, EXPLANATION_SIZE,
            "not signed with jsxc_secret for this user and host: made with another secret, made "
            "for another, or changed on its way");
        return;
    }
    used =
        snprintf(text_r, EXPLANATION_SIZE,
                 "no key's signature fits: made with another token_secret, made for another "
                 "user or host, or changed on its way (%zu key%s tried, fingerprint%s",
                 host->key_count, host->key_count == 1 ? "" : "s", host->key_count == 1 ? "" : "s");
    for (size_t i = 0; i < host->key_count && i < listed_max; i++)
        used += snprintf(text_r + used, EXPLANATION_SIZE - (size_t)used, " %s",
                         host->key_fingerprints[i].text);
    snprintf(text_r + used, EXPLANATION_SIZE - (size_t)used, "%s)",
             host->key_count > listed_max ? " ..." : "");
}

static void add_fingerprint(const struct key_fingerprint *fingerprint, char text[EXPLANATION_SIZE])
{
    size_t used = strlen(text);

    snprintf(text + used, EXPLANATION_SIZE - used, " (key fingerprint %s)", fingerprint->text);
}

const char *explain_verdict(const struct token_verdict *verdict, const struct host *host,
                            const char *password, size_t password_length, int64_t seconds,
                            char text_r[EXPLANATION_SIZE])
{
    char label[KEY_LABEL_SIZE];

    switch (verdict->reason) {
    case REASON_ALLOWED:
        explain_allowed(verdict, seconds, text_r);
        break;
    case REASON_MALFORMED:
        explain_malformed(host, verdict->kind, password, password_length, text_r);
        break;
    case REASON_FORGED:
        explain_forged(verdict->kind, host, text_r);
        break;
    case REASON_WRONG_OTP:
        snprintf(text_r, EXPLANATION_SIZE,
                 "the signature fits %s, but no time within 26 h gives this OTP: the minter has "
                 "another otp_seed (or otp_interval or otp_hash), unless the token is older than "
                 "that",
                 key_label(host, verdict->key, label));
        break;
    case REASON_EXPIRED:
    case REASON_EARLY:
        explain_clock(verdict, &host->format, text_r);
        break;
    case REASON_KEY_RETIRED:
        explain_retired(verdict, host, seconds, text_r);
        break;
    default:
        snprintf(text_r, EXPLANATION_SIZE, "%s", reason_word(verdict->reason));
        break;
    }
    if (verdict->reason != REASON_MALFORMED && verdict->reason != REASON_FORGED &&
        verdict->key != TOKEN_KEY_NONE)
        add_fingerprint(&host->key_fingerprints[verdict->key], text_r);
    return text_r;
}

/* The known domain nearest to one; NULL: none. */
static const char *nearest_host(const struct config *config, const char *domain)
{
    const char **names = calloc(config->host_count, sizeof(*names));
    const char *nearest = NULL;

    if (names == NULL)
        return NULL;
    for (size_t i = 0; i < config->host_count; i++)
        names[i] = config->hosts[i].name;
    nearest = nearest_name(domain, names, config->host_count);
    free(names);
    return nearest;
}

const char *explain_unknown_host(const struct config *config, const char *domain,
                                 char text_r[EXPLANATION_SIZE])
{
    const char *nearest = nearest_host(config, domain);

    snprintf(text_r, EXPLANATION_SIZE,
             "%s has no [host %s] and no [host *]%s%s%s; add a section with the two secrets that "
             "the minter has, or new ones (xmpp-authctl keygen %s)",
             config->path, domain, nearest == NULL ? "" : "; did you mean ",
             nearest == NULL ? "" : nearest, nearest == NULL ? "" : "?", domain);
    return text_r;
}

const char *explain_reason(const char *word)
{
    static const char *const explanations[REASON_COUNT] = {
        [REASON_ALLOWED] = "Yes. If the login failed all the same, look at the chat server's log.",
        [REASON_MALFORMED] =
            "Not the shape of a token: a password that somebody typed, or one that was cut. Does "
            "the client use the password that the web application gave it?",
        [REASON_UNKNOWN_HOST] =
            "The configuration has no section for this domain: add [host DOMAIN].",
        [REASON_FORGED] =
            "No key's signature fits: another token_secret, or a token of another user or host. "
            "Compare the minter's key fingerprint with xmpp-authctl keys, and the name that it "
            "signs with this one. Anybody can send such tokens.",
        [REASON_WRONG_OTP] = "The token_secret is right, the otp_seed is not the minter's, or the "
                             "token is older than a day.",
        [REASON_EXPIRED] =
            "Genuine, but too old: a client that sends an old token again, or a minter whose clock "
            "is behind. Take a fresh token for each login; if fresh ones fail, set the clocks "
            "(NTP) "
            "and look for a time zone taken for another.",
        [REASON_EARLY] = "Genuine, but from the future: the minter's clock is ahead of this "
                         "machine's. Set both (NTP), and look for a time zone taken for another.",
        [REASON_KEY_RETIRED] = "Genuine, but its key is out of its dates: the minter must take the "
                               "next key, or accept_from and accept_until must change.",
        [REASON_REVOKED] = "The operator has shut this user out: xmpp-authctl allow ends it.",
        [REASON_STARTING] = "The daemon had just started and could not tell whether this token was "
                            "spent before. A fresh one was good within a minute.",
        [REASON_REPLAYED] =
            "The token was spent already: a client that connects again needs a new one. Where that "
            "can't be, somebody else had it: does the page travel encrypted, is it cached?",
        [REASON_UNSUPPORTED] =
            "Something else than a login was asked, such as to change a password.",
        [REASON_UNKNOWN_USER] =
            "The chat server asked whether the user exists, and by the host's isuser he does not.",
        [REASON_STORE_ERROR] = "Genuine, but it could not be recorded as spent: see "
                               "event=store-failed in the daemon's log.",
    };

    for (size_t i = 0; i < REASON_COUNT; i++) {
        if (strcmp(word, reason_word((enum reason)i)) == 0)
            return explanations[i];
    }
    return "This daemon knows a reason that this xmpp-authctl does not.";
}
