#include "config/settings.h"

#include <string.h>

#include "token/format.h"
#include "token/totp.h"
#include "wire/protocol.h"

const struct section_type section_types[SECTION_KIND_COUNT] = {
    [SECTION_SERVER] = {"server", "[server]", 0, sizeof(struct server_values)},
    [SECTION_LISTEN] = {"listen", "[listen NAME]", 1, sizeof(struct listen_values)},
    [SECTION_CONTROL] = {"control", "[control]", 0, sizeof(struct control_values)},
    [SECTION_STATE] = {"state", "[state]", 0, sizeof(struct state_values)},
    [SECTION_REPLAY] = {"replay", "[replay]", 0, sizeof(struct replay_values)},
    [SECTION_HTTP] = {"http", "[http]", 0, sizeof(struct http_values)},
    [SECTION_LOG] = {"log", "[log]", 0, sizeof(struct log_values)},
    [SECTION_HOST] = {"host", "[host DOMAIN]", 1, sizeof(struct host_values)},
    [SECTION_KEY] = {"key", "[key DOMAIN NAME]", 2, sizeof(struct key_values)},
};

static const char *const protocols[] = {"auto", "generic", "ejabberd", "saslauthd", "http", NULL};
static const char *const after_restart_rules[] = {"refuse", "accept", NULL};
static const char *const levels[] = {"error", "warning", "info", "debug", NULL};
static const char *const otp_hashes[] = {"sha1", "sha256", "sha512", NULL};
static const char *const signature_hashes[] = {"sha256", "sha512", NULL};
static const char *const no_yes[] = {"no", "yes", NULL};

/* In milliseconds. */
#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

#define PLACE(section, member) .offset = offsetof(struct section##_values, member)
#define BOUNDS(least, most)    .minimum = (least), .maximum = (most)

/* clang-format off */
const struct setting settings[] = {
    {SECTION_SERVER, "listen", VALUE_SOCKET_PATH, PLACE(server, listen), .initial = "/run/xmpp-authd/auth.sock", .restart = true,
     .meaning = "the socket that chat servers ask through"},
    {SECTION_SERVER, "mode", VALUE_MODE, PLACE(server, access.mode), .initial = "0660", .restart = true,
     .meaning = "the socket's permissions"},
    {SECTION_SERVER, "group", VALUE_TEXT, PLACE(server, access.group), .initial = "", .restart = true,
     .meaning = "the socket's group; else xmpp-authd-clients if there is one, else the process's"},
    {SECTION_SERVER, "allow_users", VALUE_NAMES, PLACE(server, access.allow_users), .initial = "",
     .meaning = "only peers that run as one of these users; empty: whoever can open the socket"},
    {SECTION_SERVER, "allow_groups", VALUE_NAMES, PLACE(server, access.allow_groups), .initial = "",
     .meaning = "or that are in one of these groups"},
    {SECTION_SERVER, "max_connections", VALUE_NUMBER, PLACE(server, max_connections), .initial = "1024", BOUNDS(1, 1000000),
     .meaning = "clients at a time; one more is closed at once"},
    {SECTION_SERVER, "max_request", VALUE_NUMBER, PLACE(server, max_request), .initial = "8191", BOUNDS(128, REQUEST_MAX),
     .meaning = "bytes of a question; a longer one is denied and its connection closed"},
    {SECTION_SERVER, "max_pending", VALUE_SIZE, PLACE(server, max_pending), .initial = "64k", BOUNDS(1024, INT64_C(16) << 20),
     .meaning = "bytes of answers that a client may leave unread; then it is not read from until it reads"},
    {SECTION_SERVER, "request_timeout", VALUE_DURATION, PLACE(server, request_timeout_ms), .initial = "30s", BOUNDS(SECOND, HOUR),
     .meaning = "time for an unfinished question, or for answers that nobody reads"},
    {SECTION_SERVER, "drain_timeout", VALUE_DURATION, PLACE(server, drain_timeout_ms), .initial = "5s", BOUNDS(SECOND, 5 * MINUTE),
     .meaning = "time to answer what was received when told to stop"},

    {SECTION_LISTEN, "path", VALUE_SOCKET_PATH, PLACE(listen, path), .restart = true,
     .meaning = "the socket's path"},
    {SECTION_LISTEN, "protocol", VALUE_CHOICE, PLACE(listen, protocol), .initial = "auto", .choices = protocols, .restart = true,
     .meaning = "auto tells by a connection's first byte"},
    {SECTION_LISTEN, "host", VALUE_TEXT, PLACE(listen, host), .initial = "", .restart = true,
     .meaning = "the domain that a saslauthd listener asks about, and no other"},
    {SECTION_LISTEN, "address", VALUE_HTTP, PLACE(listen, address), .initial = "", .restart = true,
     .meaning = "in the place of path, for http: 127.0.0.1:5281 or [::1]:5281"},
    {SECTION_LISTEN, "http_user", VALUE_TEXT, PLACE(listen, http_user), .initial = "",
     .meaning = "with an address: who may ask, by HTTP basic authentication"},
    {SECTION_LISTEN, "http_password", VALUE_SECRET, PLACE(listen, http_password),
     .meaning = "and that one's password"},
    {SECTION_LISTEN, "mode", VALUE_MODE, PLACE(listen, access.mode), .initial = "0660", .restart = true,
     .meaning = "as in [server]"},
    {SECTION_LISTEN, "group", VALUE_TEXT, PLACE(listen, access.group), .initial = "", .restart = true,
     .meaning = "as in [server]"},
    {SECTION_LISTEN, "allow_users", VALUE_NAMES, PLACE(listen, access.allow_users), .initial = "",
     .meaning = "as in [server]"},
    {SECTION_LISTEN, "allow_groups", VALUE_NAMES, PLACE(listen, access.allow_groups), .initial = "",
     .meaning = "as in [server]"},

    {SECTION_CONTROL, "listen", VALUE_SOCKET_PATH, PLACE(control, listen), .initial = "", .restart = true,
     .meaning = "the operator's socket; else control.sock beside the first listener"},

    {SECTION_STATE, "dir", VALUE_PATH, PLACE(state, directory), .initial = "/var/lib/xmpp-authd", .restart = true,
     .meaning = "the daemon's own directory, mode 0700: spent tokens, users seen, users denied"},
    {SECTION_STATE, "seen_max", VALUE_NUMBER, PLACE(state, seen_max), .initial = "1000000", BOUNDS(1, 100000000),
     .meaning = "users remembered for isuser = seen; beyond them the longest absent are forgotten"},
    {SECTION_STATE, "seen_age", VALUE_DURATION, PLACE(state, seen_age_ms), .initial = "365d", BOUNDS(HOUR, 3650 * DAY),
     .meaning = "time after which an absent user is forgotten"},

    {SECTION_REPLAY, "store", VALUE_STORE, PLACE(replay, store), .initial = "journal", .restart = true,
     .meaning = "where spent tokens are remembered: journal, memory, redis://[:PASSWORD@]HOST:PORT/DB or redis+unix:PATH"},
    {SECTION_REPLAY, "redis_password_file", VALUE_PATH, PLACE(replay, redis_password_file), .initial = "", .restart = true,
     .meaning = "a file whose first line is Redis' password"},
    {SECTION_REPLAY, "after_restart", VALUE_CHOICE, PLACE(replay, after_restart), .initial = "refuse", .choices = after_restart_rules,
     .restart = true, .meaning = "where the record may be incomplete: refuse or accept tokens minted before the start"},

    {SECTION_HTTP, "listen", VALUE_HTTP, PLACE(http, listen), .initial = "", .restart = true,
     .meaning = "where /metrics, /healthz and /readyz are served: 127.0.0.1:9542, [::1]:9542 or unix:PATH; empty: nowhere"},
    {SECTION_HTTP, "mode", VALUE_MODE, PLACE(http, mode), .initial = "0660", .restart = true,
     .meaning = "the permissions of a socket at unix:PATH"},
    {SECTION_HTTP, "group", VALUE_TEXT, PLACE(http, group), .initial = "", .restart = true,
     .meaning = "its group; else the process's"},

    {SECTION_LOG, "level", VALUE_CHOICE, PLACE(log, level), .initial = "info", .choices = levels,
     .meaning = "the least important lines to write"},

    {SECTION_HOST, "otp_seed", VALUE_SECRET, PLACE(host, key.otp_seed),
     .meaning = "base32, 128 bits or more; shared with the minter"},
    {SECTION_HOST, "token_secret", VALUE_SECRET, PLACE(host, key.token_secret),
     .meaning = "128 bits or more; shared with the minter"},
    {SECTION_HOST, "secrets_file", VALUE_SECRETS, PLACE(host, secrets_file), .initial = "",
     .meaning = "instead: a file that has the two, such as Plone's secrets.cfg"},
    {SECTION_HOST, "otp_digits", VALUE_NUMBER, PLACE(host, otp_digits), .initial = "8", BOUNDS(OTP_DIGITS_MIN, OTP_DIGITS_MAX),
     .meaning = "digits of the one-time password, exact"},
    {SECTION_HOST, "otp_interval", VALUE_NUMBER, PLACE(host, otp_interval), .initial = "30", BOUNDS(1, OTP_INTERVAL_MAX),
     .meaning = "seconds of a time step"},
    {SECTION_HOST, "otp_window", VALUE_NUMBER, PLACE(host, otp_window), .initial = "1", BOUNDS(0, OTP_WINDOW_MAX),
     .meaning = "time steps accepted either side; (2 x window + 1) x interval at most 15 minutes"},
    {SECTION_HOST, "otp_hash", VALUE_CHOICE, PLACE(host, otp_hash), .initial = "sha1", .choices = otp_hashes,
     .meaning = "the one-time password's hash"},
    {SECTION_HOST, "signature_hash", VALUE_CHOICE, PLACE(host, signature_hash), .initial = "sha256", .choices = signature_hashes,
     .meaning = "the signature's hash"},
    {SECTION_HOST, "nonce_digits", VALUE_NUMBER, PLACE(host, nonce_digits), .initial = "32", BOUNDS(NONCE_DIGITS_MIN, NONCE_DIGITS_MAX),
     .meaning = "digits of the nonce, exact"},
    {SECTION_HOST, "isuser", VALUE_IS_USER, PLACE(host, is_user), .initial = "always",
     .meaning = "who exists: always, never, seen (who ever logged in), or file:PATH with one localpart or bare JID a line"},
    {SECTION_HOST, "allow_weak_secrets", VALUE_CHOICE, PLACE(host, allow_weak_secrets), .initial = "no", .choices = no_yes,
     .meaning = "let weak or well-known secrets through, with a warning at every start"},
    {SECTION_HOST, "accept", VALUE_NAMES, PLACE(host, accept), .initial = "v1",
     .meaning = "the kinds of tokens: v1, v2, jsxc, any of them"},
    {SECTION_HOST, "max_lifetime", VALUE_DURATION, PLACE(host, max_lifetime_ms), .initial = "120s", BOUNDS(5 * SECOND, 15 * MINUTE),
     .meaning = "how long a v2 token is good at the most, whatever it says"},
    {SECTION_HOST, "jsxc_secret", VALUE_SECRET, PLACE(host, jsxc_secret),
     .meaning = "JSXC's secret, 128 bits or more; with accept = jsxc"},
    {SECTION_HOST, "jsxc_max_lifetime", VALUE_DURATION, PLACE(host, jsxc_max_lifetime_ms), .initial = "1h", BOUNDS(MINUTE, 3 * HOUR),
     .meaning = "how long a JSXC token is good at the most: what its minter gives it"},

    {SECTION_KEY, "otp_seed", VALUE_SECRET, PLACE(key, otp_seed), .meaning = "as in [host]"},
    {SECTION_KEY, "token_secret", VALUE_SECRET, PLACE(key, token_secret), .meaning = "as in [host]"},
    {SECTION_KEY, "accept_from", VALUE_TIME, PLACE(key, accept_from), .minimum = INT64_MIN,
     .meaning = "the key counts from this time on"},
    {SECTION_KEY, "accept_until", VALUE_TIME, PLACE(key, accept_until), .minimum = INT64_MAX,
     .meaning = "and up to this time, itself excluded"},
};
/* clang-format on */

const size_t setting_count = sizeof(settings) / sizeof(settings[0]);

const struct setting *setting_find(enum section_kind section, const char *name)
{
    for (size_t i = 0; i < setting_count; i++) {
        if (settings[i].section == section && strcmp(settings[i].name, name) == 0)
            return &settings[i];
    }
    return NULL;
}

size_t setting_place(const struct setting *setting)
{
    size_t place = 0;

    for (const struct setting *other = setting;
         other > settings && other[-1].section == setting->section; other--)
        place++;
    return place;
}
