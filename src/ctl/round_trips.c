#include "ctl/round_trips.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "base/moment.h"
#include "ctl/nonce.h"
#include "doctor/round_trip.h"
#include "token/token.h"
#include "token/token_v2.h"

enum { FRESH, SPENT, TAMPERED, TOKEN_COUNT };

enum {
    TOKEN_SIZE = (int)TOKEN_LENGTH_MAX > (int)V2_LENGTH_MAX ? (int)TOKEN_LENGTH_MAX + 1
                                                            : (int)V2_LENGTH_MAX + 1,
    LIFETIME = 30
};

/* The index of the first; key_count: none. */
static size_t key_in_date(const struct host *host, int64_t seconds)
{
    size_t key = 0;

    while (key < host->key_count && !token_key_in_date(host->keys[key], seconds))
        key++;
    return key;
}

static int mint_v2(const struct host *host, size_t key, const char *domain, int64_t seconds,
                   char token_r[TOKEN_SIZE])
{
    unsigned lifetime = host->format.max_lifetime < LIFETIME ? host->format.max_lifetime : LIFETIME;
    uint8_t nonce[V2_NONCE_SIZE];

    return RAND_bytes(nonce, sizeof(nonce)) == 1
               ? token_v2_mint(host->keys[key], &host->key_fingerprints[key], ROUND_TRIP_USER,
                               domain, seconds, lifetime, nonce, token_r)
               : -1;
}

/* A token of the first version that the host accepts. */
static int mint(const struct host *host, const char *domain, char token_r[TOKEN_SIZE])
{
    int64_t seconds = moment_seconds(moment_now());
    size_t key = key_in_date(host, seconds);
    char nonce[NONCE_DIGITS_MAX + 1];

    if (key == host->key_count)
        return -1;
    if (host->format.refuses_v1)
        return host->format.accepts_v2 ? mint_v2(host, key, domain, seconds, token_r) : -1;
    if (nonce_make(host->format.nonce_digits, nonce) != 0)
        return -1;
    return token_mint(host->keys[key], &host->format, ROUND_TRIP_USER, domain,
                      totp_step(seconds, host->format.interval), nonce, token_r);
}

/* Another character in the middle of the signature, which is last. */
static void tamper(char *token)
{
    char *at = token + strlen(token) - 8;

    *at = *at == 'A' ? 'B' : 'A';
}

static void judge(const struct examination *examination, const struct route *route,
                  const enum round_trip_answer answers[TOKEN_COUNT])
{
    static const char look[] = "journalctl -u xmpp-authd -n 20";
    struct findings *findings = examination->findings;

    if (answers[FRESH] == ROUND_TRIP_NONE)
        findings_add(findings, FINDING_ROUND_TRIP, &route->place,
                     "journalctl -t xmpp-extauth -n 20",
                     "asked as %s asks, there is no answer about a login to %s",
                     examination->server, route->host);
    if (answers[FRESH] == ROUND_TRIP_NO)
        findings_add(findings, FINDING_ROUND_TRIP, &route->place, look,
                     "asked as %s asks, a fresh token for %s is refused: the daemon's log has the "
                     "reason",
                     examination->server, route->host);
    if (answers[SPENT] == ROUND_TRIP_YES)
        findings_add(findings, FINDING_ROUND_TRIP, &route->place, look,
                     "asked as %s asks, a token for %s that was spent is let in again",
                     examination->server, route->host);
    if (answers[TAMPERED] == ROUND_TRIP_YES)
        findings_add(findings, FINDING_ROUND_TRIP, &route->place, look,
                     "asked as %s asks, a token for %s that was tampered with is let in: whoever "
                     "answers looks at no token",
                     examination->server, route->host);
}

static void make(const struct examination *examination, const struct route *route)
{
    const struct host *host = config_host(examination->config, route->host, strlen(route->host));
    enum round_trip_answer answers[TOKEN_COUNT];
    char fresh[TOKEN_SIZE], tampered[TOKEN_SIZE];
    const char *tokens[TOKEN_COUNT] = {[FRESH] = fresh, [SPENT] = fresh, [TAMPERED] = tampered};

    if (host == NULL)
        return;
    if (mint(host, route->host, fresh) != 0 || mint(host, route->host, tampered) != 0) {
        findings_add(
            examination->findings, FINDING_COULD_NOT_JUDGE, &route->place,
            "see accept, accept_from and accept_until",
            "no login to %s was tried: no key of it is in date, or it accepts JSXC's tokens "
            "alone",
            route->host);
        return;
    }
    tamper(tampered);
    round_trip_ask(route, examination->user, tokens, TOKEN_COUNT, answers);
    OPENSSL_cleanse(fresh, sizeof(fresh));
    OPENSSL_cleanse(tampered, sizeof(tampered));
    judge(examination, route, answers);
}

void round_trips_make(const struct examination *examination)
{
    for (const struct route *route = examination->routes; route != NULL; route = route->next)
        make(examination, route);
}
