/*
 * The one table of settings. It drives parsing, bounds, defaults, what a reload may change,
 * --dump-config, and the test that ties the manual page and the sample configuration to the code.
 */
#ifndef CONFIG_SETTINGS_H
#define CONFIG_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "config/secret.h"

enum section_kind {
    SECTION_SERVER,
    SECTION_LISTEN, /* [listen NAME] */
    SECTION_CONTROL,
    SECTION_STATE,
    SECTION_REPLAY,
    SECTION_HTTP,
    SECTION_LOG,
    SECTION_HOST, /* [host DOMAIN] */
    SECTION_KEY,  /* [key DOMAIN NAME] */
    SECTION_KIND_COUNT
};

struct section_type {
    const char *word;
    const char *form;   /* its header as the manual page writes it */
    unsigned names;     /* how many names follow the word */
    size_t values_size; /* of the structure that its settings are stored in */
};

enum value_kind {
    VALUE_TEXT,        /* char *; empty: NULL */
    VALUE_PATH,        /* char *, absolute; empty: NULL */
    VALUE_SECRETS,     /* char *, an absolute path or credential:NAME; empty: NULL */
    VALUE_SOCKET_PATH, /* the same, short enough for a socket's address */
    VALUE_NUMBER,      /* int64_t */
    VALUE_SIZE,        /* int64_t bytes; k, m */
    VALUE_DURATION,    /* int64_t milliseconds; s, m, h, d; a bare number is seconds */
    VALUE_MODE,        /* int64_t; octal */
    VALUE_CHOICE,      /* int64_t index into choices */
    VALUE_NAMES,       /* struct names; separated by blanks or commas */
    VALUE_SECRET,      /* struct secret */
    VALUE_STORE,       /* struct store_rule */
    VALUE_HTTP,        /* struct http_address; empty: none */
    VALUE_TIME,        /* int64_t seconds since the epoch; RFC 3339 */
    VALUE_IS_USER      /* struct is_user_rule */
};

struct names {
    const char **names;
    size_t count;
};

enum is_user_mode { IS_USER_ALWAYS, IS_USER_NEVER, IS_USER_SEEN, IS_USER_FILE };

struct is_user_rule {
    enum is_user_mode mode;
    const char *path; /* IS_USER_FILE */
};

struct setting {
    enum section_kind section;
    const char *name;
    enum value_kind kind;
    size_t offset;       /* in the section's values */
    const char *initial; /* the default as it would be written; NULL: none */
    int64_t minimum;     /* numbers, sizes and durations (ms): bounds, both inclusive */
    int64_t maximum;
    const char *const *choices; /* VALUE_CHOICE: words, NULL-terminated */
    bool restart;               /* a reload can't change it */
    const char *meaning;        /* one line: what it is for */
};

/* The table, in the order of the documentation. */
extern const struct setting settings[];
extern const size_t setting_count;
extern const struct section_type section_types[SECTION_KIND_COUNT];

/* The most settings that any section has. */
enum { SECTION_SETTINGS_MAX = 16 };

/* The setting of a section by name, or NULL. */
const struct setting *setting_find(enum section_kind section, const char *name);

/* The setting's place among those of its section, 0 to SECTION_SETTINGS_MAX - 1. */
size_t setting_place(const struct setting *setting);

/* The settings' values, one structure a section kind. */

struct access_values {
    int64_t mode;
    char *group;
    struct names allow_users;
    struct names allow_groups;
};

struct server_values {
    char *listen;
    struct access_values access;
    int64_t max_connections;
    int64_t max_request;
    int64_t max_pending;
    int64_t request_timeout_ms;
    int64_t drain_timeout_ms;
};

enum protocol_choice {
    PROTOCOL_AUTO,
    PROTOCOL_GENERIC,
    PROTOCOL_EJABBERD,
    PROTOCOL_SASLAUTHD,
    PROTOCOL_HTTP
};

struct control_values {
    char *listen;
};

struct state_values {
    char *directory;
    int64_t seen_max;
    int64_t seen_age_ms;
};

enum store_kind { STORE_JOURNAL, STORE_MEMORY, STORE_REDIS };

struct store_rule {
    enum store_kind kind;
    const char *host; /* STORE_REDIS: an IP address, or NULL */
    int port;
    const char *path; /* STORE_REDIS: a Unix socket, where host is NULL */
    int database;
    struct secret password; /* terminated; absent: none */
};
enum after_restart { AFTER_RESTART_REFUSE, AFTER_RESTART_ACCEPT };

struct replay_values {
    struct store_rule store;
    char *redis_password_file;
    int64_t after_restart; /* enum after_restart */
};

/* Where HTTP is spoken; neither host nor path: nowhere. */
struct http_address {
    const char *host; /* a loopback IP address, or NULL */
    int port;
    const char *path; /* a Unix socket, or NULL */
};

struct listen_values {
    char *path;
    int64_t protocol; /* enum protocol_choice */
    char *host;
    struct http_address address;
    char *http_user;
    struct secret http_password;
    struct access_values access;
};

struct http_values {
    struct http_address listen;
    int64_t mode;
    char *group;
};

struct log_values {
    int64_t level; /* enum log_level_choice */
};

enum log_level_choice { LEVEL_ERROR, LEVEL_WARNING, LEVEL_INFO, LEVEL_DEBUG };

struct key_values {
    struct secret otp_seed;     /* as written: base32 */
    struct secret token_secret; /* as written, and as used */
    int64_t accept_from;        /* INT64_MIN: from ever */
    int64_t accept_until;       /* INT64_MAX: for ever */
};

struct host_values {
    struct key_values key;
    char *secrets_file;
    int64_t otp_digits;
    int64_t otp_interval;
    int64_t otp_window;
    int64_t otp_hash;       /* enum hash */
    int64_t signature_hash; /* enum signature_choice */
    int64_t nonce_digits;
    struct is_user_rule is_user;
    int64_t allow_weak_secrets;
    struct names accept;
    int64_t max_lifetime_ms;
    struct secret jsxc_secret;
    int64_t jsxc_max_lifetime_ms;
};

enum signature_choice { SIGNATURE_SHA256, SIGNATURE_SHA512 };

#endif
