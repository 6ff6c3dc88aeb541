/*
 * A whole configuration: loaded, checked, ready for use, and released as one. A reload builds a
 * second one and swaps a pointer.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include <stdio.h>
#include <sys/types.h>

#include "base/name_guess.h"
#include "config/section.h"
#include "config/user_list.h"
#include "config/verifier.h"
#include "store/reach.h"
#include "token/jsxc_token.h"
#include "token/key_fingerprint.h"
#include "token/token_key.h"

/* Where a configuration is looked for by default. */
#define CONFIG_DEFAULT_PATH "/etc/xmpp-authd/xmpp-authd.conf"

/* Who may connect, beyond what the socket's permissions say. Both empty: whoever can open it. */
struct peer_rule {
    uid_t *users;
    size_t user_count;
    gid_t *groups;
    size_t group_count;
};

struct listener {
    const char *name; /* "" for the one of [server] */
    const char *path;
    enum protocol_choice protocol;
    const char *host; /* PROTOCOL_SASLAUTHD: the domain that it is pinned to; else NULL */
    mode_t mode;
    gid_t group;
    struct peer_rule peers;
};

/* Where metrics and health are served. */
struct http_listener {
    struct http_address address;
    mode_t mode; /* of a Unix socket, and its group */
    gid_t group;
};

/* A listener that speaks HTTP to chat servers. */
struct http_door {
    const char *name;
    struct http_listener at;
    const char *user; /* of TCP, for basic authentication; else NULL */
    const struct secret *password;
    struct peer_rule peers; /* of a Unix socket */
};

struct host {
    const char *name; /* the domain, or "*" */
    struct section *section;
    struct token_format format;
    unsigned keep_window;            /* steps for which spent v1 tokens are kept after their own */
    unsigned reach[SPEND_TIMELINES]; /* seconds, of each kind that it accepts; store/reach.h */
    struct token_key *
        *keys; /* the section's own first, then its [key] sections in the file's order */
    const char **key_names; /* "" for the section's own */
    const struct key_values **key_values;
    struct key_fingerprint *key_fingerprints;
    int *key_lines;        /* where each begins in the file */
    struct jsxc_key *jsxc; /* NULL: JSXC's tokens are not accepted */
    size_t key_count;
    size_t key_room; /* how many keys the file means it to have */
    struct is_user_rule is_user;
    struct user_list users;
};

struct config {
    const char *path;
    struct arena arena;
    struct section_list sections;
    const struct server_values *server;
    const struct state_values *state;
    const struct replay_values *replay;
    const struct log_values *log;
    const char *control_path;
    struct http_listener http;
    struct listener *listeners;
    size_t listener_count;
    struct http_door *http_doors;
    size_t http_door_count;
    struct host *hosts;
    struct verifier *verifiers; /* in the hosts' order; memory of their own */
    size_t host_count;
    struct name_table host_table;
    struct name_guess host_guess; /* the same by the hash alone; only where there are hosts */
    struct host *any_host;        /* [host *], or NULL */
    struct reach reach;           /* of all hosts */
};

/*
 * Loads a file and all that it names. Every problem found is added to problems, warnings too.
 * Returns the configuration, or NULL where there was an error. Released with config_destroy().
 */
struct config *config_load(const char *path, struct problems *problems);

/* Wipes the secrets, frees everything and sets *config to NULL; NULL is allowed. */
void config_destroy(struct config **config);

/* The fingerprint of the key that a [host] or [key] section makes; NULL where it makes none. */
const struct key_fingerprint *config_section_fingerprint(const struct config *config,
                                                         const struct section *section);

/* The host for a domain as asked about (exact bytes): its own section, else [host *], else NULL. */
struct host *config_host(const struct config *config, const char *domain, size_t length);

/* The number of the host that a domain is probably about (any host's where it has none): by its
 * hash alone, so that nothing of a host is looked at. There is a host, as in every configuration
 * that was loaded. The number is asked for and may come from far away; borrowed from the
 * configuration. */
static inline const uint32_t *config_host_guess(const struct config *config, const char *domain,
                                                size_t length)
{
    return name_guess_number(&config->host_guess,
                             name_table_hash(&config->host_table, domain, length));
}

/* The same as config_host(), where it is probably a certain one (NULL: none is known): then nothing
 * is searched. */
const struct host *config_host_expected(const struct config *config, const struct host *expected,
                                        const char *domain, size_t length);

/* A host's verifier, for which nothing of the host itself is looked at. */
static inline const struct verifier *config_verifier(const struct config *config,
                                                     const struct host *host)
{
    return &config->verifiers[host - config->hosts];
}

/*
 * Whether `next` may take the place of `current` while the daemon runs; adds a problem for each
 * setting that only a restart can change, and for a token format that changed under an unchanged
 * token_secret: the fields of a token have no separators, so the old key's tokens would pass for
 * other users' in the new format.
 */
bool config_may_replace(const struct config *current, const struct config *next,
                        struct problems *problems);

/* Writes the whole configuration, defaults included, secrets masked and keys with their
 * fingerprints, as it could stand in a file. */
void config_dump(const struct config *config, FILE *stream);

#endif
