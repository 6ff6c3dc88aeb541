/* Where keys come from: the daemon's configuration, or the file of --secrets. */
#ifndef CTL_KEY_SOURCE_H
#define CTL_KEY_SOURCE_H

#include "config/config.h"
#include "ctl/arguments.h"

struct key_source {
    struct config *config; /* NULL with --secrets */
    /* With --secrets: the one host that stands for all, with one key and the default format. */
    struct host host;
    struct token_key *key;
    const char *key_name;
    struct key_values values;
    const struct key_values *values_of_key;
    struct key_fingerprint fingerprint;
};

/*
 * Loads the configuration that the arguments name, printing every problem as the daemon does.
 * Returns it, or NULL after saying why and, where that is not NULL, how to go without. Released
 * with config_destroy().
 */
struct config *key_source_load_config(const struct arguments *arguments, const char *way_out);

/* The [host] section of that very name, or NULL after a complaint that says where else to look. */
const struct host *key_source_section(const struct config *config, const char *name);

/*
 * Opens the file of --secrets (`-`: standard input, read to its end), else the configuration. Weak
 * secrets of the former bring a warning only. Returns 0, or -1 after complaints. The source must
 * stay where it is until key_source_close().
 */
__attribute__((warn_unused_result)) int key_source_open(struct key_source *source,
                                                        const struct arguments *arguments);

/* The host that judges a domain, or NULL where none does. Borrowed from the source. */
const struct host *key_source_host(struct key_source *source, const char *domain);

/* Wipes and releases. */
void key_source_close(struct key_source *source);

#endif
