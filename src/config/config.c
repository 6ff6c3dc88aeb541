#include "config/config.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "config/doors.h"
#include "config/hosts.h"
#include "config/key_rules.h"
#include "config/listeners.h"
#include "config/replay.h"
#include "config/secret_memory.h"
#include "config/source_file.h"
#include "config/windows.h"

/* When the hosts are complete. */
static void make_guess(struct config *config, struct problems *problems)
{
    uint64_t *hashes = calloc(config->host_count + 1, sizeof(*hashes));
    int result = hashes == NULL ? -1 : 0;

    for (size_t i = 0; result == 0 && i < config->host_count; i++) {
        const char *name = config->hosts[i].name;

        hashes[i] = name_table_hash(&config->host_table, name, strlen(name));
    }
    if (result == 0)
        result = name_guess_create(&config->host_guess, hashes, config->host_count);
    free(hashes);
    if (result != 0)
        problems_error(problems, config->path, 0, "memory is short");
}

static void build(struct config *config, const struct source_file *file, struct problems *problems)
{
    struct secrets_holder own = {.path = config->path, .status = file->status};
    struct secrets_holder *holders = &own;

    config->server = section_single(&config->sections, SECTION_SERVER)->values;
    config->state = section_single(&config->sections, SECTION_STATE)->values;
    config->replay = section_single(&config->sections, SECTION_REPLAY)->values;
    config->log = section_single(&config->sections, SECTION_LOG)->values;
    listeners_build(config, problems);
    replay_build(config, problems, &holders);
    hosts_build(config, problems, &holders);
    windows_settle(config);
    verifiers_fill(config);
    make_guess(config, problems);
    key_rules_check(config, time(NULL), problems);
    doors_check(config, problems);
    listeners_check_groups(config, holders, problems);
}

static bool has_all_single_sections(const struct config *config)
{
    for (size_t kind = 0; kind < SECTION_KIND_COUNT; kind++) {
        if (section_types[kind].names == 0 &&
            section_single(&config->sections, (enum section_kind)kind) == NULL)
            return false;
    }
    return true;
}

static void read_sections(struct config *config, struct source_file *file,
                          struct problems *problems)
{
    sections_read(&config->sections, file, &config->arena, problems);
    if (has_all_single_sections(config))
        build(config, file, problems);
}

struct config *config_load(const char *path, struct problems *problems)
{
    struct config *config = calloc(1, sizeof(*config));
    struct source_file file;

    if (config == NULL) {
        problems_error(problems, path, 0, "memory is short");
        return NULL;
    }
    config->path = arena_copy(&config->arena, path, strlen(path));
    if (config->path == NULL)
        problems_error(problems, path, 0, "memory is short");
    else if (source_file_open(&file, config->path, true, problems, config->path, 0) == 0) {
        if (secret_memory_reserve(&file) == 0)
            read_sections(config, &file, problems);
        else
            problems_error(problems, config->path, 0,
                           "its secrets need more memory than was set aside at the start: restart");
        source_file_close(&file);
    }
    if (problems_have_error(problems))
        config_destroy(&config);
    return config;
}

void config_destroy(struct config **config)
{
    if (*config == NULL)
        return;
    hosts_clear(*config);
    sections_clear_secrets(&(*config)->sections);
    name_guess_clear(&(*config)->host_guess);
    name_table_clear(&(*config)->host_table);
    arena_clear(&(*config)->arena);
    free(*config);
    *config = NULL;
}

/* A peer that asks about a domain "*" asks about no domain. */
static struct host *or_any_host(const struct config *config, struct host *host, const char *domain,
                                size_t length)
{
    if (host == NULL || host == config->any_host)
        return length == 1 && *domain == '*' ? NULL : config->any_host;
    return host;
}

struct host *config_host(const struct config *config, const char *domain, size_t length)
{
    return or_any_host(config, name_table_find(&config->host_table, domain, length), domain,
                       length);
}

const struct host *config_host_expected(const struct config *config, const struct host *expected,
                                        const char *domain, size_t length)
{
    if (expected != NULL && expected != config->any_host &&
        verifier_is_named(config_verifier(config, expected), domain, length))
        return expected;
    return config_host(config, domain, length);
}

/* Where a section has its key's values; NULL for one that has no key. */
static const struct key_values *key_values_of(const struct section *section)
{
    if (section->kind == SECTION_HOST)
        return &((const struct host_values *)section->values)->key;
    return section->kind == SECTION_KEY ? section->values : NULL;
}

const struct key_fingerprint *config_section_fingerprint(const struct config *config,
                                                         const struct section *section)
{
    const struct key_values *values = key_values_of(section);
    const char *domain = section->names[0];
    const struct host *host =
        values == NULL ? NULL : name_table_find(&config->host_table, domain, strlen(domain));

    for (size_t i = 0; host != NULL && i < host->key_count; i++) {
        if (host->key_values[i] == values)
            return &host->key_fingerprints[i];
    }
    return NULL;
}
