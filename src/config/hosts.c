#include "config/hosts.h"

#include <string.h>

#include "config/credential.h"
#include "config/key.h"
#include "config/secrets_file.h"
#include "config/strength.h"

/* Seconds for which a token may be good, all windows included. */
static const int64_t TOKEN_LIFETIME_MAX = 900;

struct builder {
    struct config *config;
    struct problems *problems;
    struct secrets_holder **holders;
};

/* Where a key's secrets stand, for what is wrong with them. */
struct key_origin {
    int line;
    int seed_line;
    int secret_line;
};

static void out_of_memory(struct builder *builder)
{
    problems_error(builder->problems, builder->config->path, 0, "memory is short");
}

static void *take_memory(struct builder *builder, size_t count, size_t size)
{
    void *memory = arena_alloc(&builder->config->arena, count * size);

    if (memory == NULL)
        out_of_memory(builder);
    return memory;
}

const char *domain_complaint(const char *name)
{
    if (strcmp(name, "*") == 0)
        return NULL;
    for (const char *at = name; *at != '\0'; at++) {
        if (*at >= 'A' && *at <= 'Z')
            return "chat servers ask in lower case: write the domain so";
        if ((unsigned char)*at <= ' ' || *at == 0x7f || strchr("@/:*", *at) != NULL)
            return "this is no domain";
    }
    return NULL;
}

static void build_format(struct builder *builder, struct host *host)
{
    const struct host_values *values = host->section->values;
    const char *blamed = section_sets(host->section, "otp_window") ? "otp_window" : "otp_interval";

    host->format = host_format(values);
    if ((2 * values->otp_window + 1) * values->otp_interval > TOKEN_LIFETIME_MAX)
        problems_error(builder->problems, builder->config->path,
                       section_line_of(host->section, blamed),
                       "(2 x otp_window + 1) x otp_interval is more than 15 minutes: a token would "
                       "be good for too long");
}

static void judge_strength(struct builder *builder, const struct host *host, int line,
                           const char *setting, const char *weakness)
{
    const struct host_values *values = host->section->values;

    if (weakness == NULL)
        return;
    if (values->allow_weak_secrets)
        problems_warning(
            builder->problems, builder->config->path, line,
            "the %s of %s %s; allow_weak_secrets lets it through: whoever finds it out "
            "can log in as anybody",
            setting, host->name, weakness);
    else
        problems_error(builder->problems, builder->config->path, line,
                       "the %s of %s %s; make good secrets with xmpp-authctl keygen, or set "
                       "allow_weak_secrets = yes for now",
                       setting, host->name, weakness);
}

/* The key from its secrets, and its fingerprint; NULL after a problem. */
static struct token_key *create_key(struct builder *builder, const struct host *host,
                                    const struct key_values *values, struct key_origin origin,
                                    struct key_fingerprint *fingerprint_r)
{
    const struct config *config = builder->config;
    void *place = host->key_count == 0 ? config->verifiers[host - config->hosts].first_key : NULL;
    struct key_report report;
    struct token_key *key = key_from_values(place, &host->format, values, &report);

    if (key == NULL)
        problems_error(builder->problems, builder->config->path, origin.seed_line, "%s: %s",
                       host->name, report.fault);
    judge_strength(builder, host, origin.seed_line, "otp_seed", report.otp_seed_weakness);
    judge_strength(builder, host, origin.secret_line, "token_secret", report.token_secret_weakness);
    *fingerprint_r = report.fingerprint;
    return key;
}

static void add_key(struct builder *builder, struct host *host, const char *name,
                    const struct key_values *values, struct key_origin origin)
{
    struct token_key *key =
        create_key(builder, host, values, origin, &host->key_fingerprints[host->key_count]);

    if (key == NULL)
        return;
    host->keys[host->key_count] = key;
    host->key_names[host->key_count] = name;
    host->key_values[host->key_count] = values;
    host->key_lines[host->key_count] = origin.line;
    host->key_count++;
}

/* Whether both secrets of a section are there; a problem where one is missing, but for a bad one, which was complained of. */
static bool has_pair(struct builder *builder, const struct section *section,
                     const struct key_values *values)
{
    bool sets_seed = section_sets(section, "otp_seed");

    if (sets_seed != section_sets(section, "token_secret"))
        problems_error(builder->problems, builder->config->path, section->line,
                       "%s is missing: a key is an otp_seed and a token_secret",
                       sets_seed ? "token_secret" : "otp_seed");
    return values->otp_seed.bytes != NULL && values->token_secret.bytes != NULL;
}

/* Puts a file on the list of those that no group of a listener's may read. What the service manager
 * hands over it lets nobody else read, and an entry for the daemon's user in the file's access
 * control list looks like a group's right in its mode: there the mode tells nothing. */
static void add_holder(struct builder *builder, struct secrets_holder *holder, const char *path,
                       int line)
{
    holder->path = path;
    holder->blame_line = line;
    holder->next = *builder->holders;
    *builder->holders = holder;
}

/* The path of the file, or NULL after a problem. */
static const char *find_secrets(struct builder *builder, const char *value, int line)
{
    const char *path = value;
    const char *complaint = NULL;

    if (credential_is_meant(value))
        complaint = credential_path(value, &builder->config->arena, &path);
    if (complaint == NULL)
        return path;
    problems_error(builder->problems, builder->config->path, line, "secrets_file: %s", complaint);
    return NULL;
}

static bool read_secrets_file(struct builder *builder, struct host *host)
{
    struct host_values *values = host->section->values;
    int line = section_line_of(host->section, "secrets_file");
    struct secrets_holder *holder;
    const char *path;

    if (section_sets(host->section, "otp_seed") || section_sets(host->section, "token_secret")) {
        problems_error(builder->problems, builder->config->path, line,
                       "secrets_file stands in the place of otp_seed and token_secret: keep one");
        return false;
    }
    holder = take_memory(builder, 1, sizeof(*holder));
    path = holder == NULL ? NULL : find_secrets(builder, values->secrets_file, line);
    if (path == NULL || secrets_file_read(path, builder->problems, builder->config->path, line,
                                          &values->key, &holder->status) != 0)
        return false;
    if (!credential_is_meant(values->secrets_file))
        add_holder(builder, holder, path, line);
    return true;
}

static void add_own_key(struct builder *builder, struct host *host)
{
    struct host_values *values = host->section->values;
    struct key_origin origin;

    values->key.accept_from = INT64_MIN;
    values->key.accept_until = INT64_MAX;
    if (values->secrets_file != NULL) {
        origin.line = section_line_of(host->section, "secrets_file");
        origin.seed_line = origin.secret_line = origin.line;
        if (read_secrets_file(builder, host))
            add_key(builder, host, "", &values->key, origin);
    } else if (has_pair(builder, host->section, &values->key)) {
        origin.line = host->section->line;
        origin.seed_line = section_line_of(host->section, "otp_seed");
        origin.secret_line = section_line_of(host->section, "token_secret");
        add_key(builder, host, "", &values->key, origin);
    }
}

/* JSXC's secret makes a key of its own, which signs nothing but JSXC's tokens. */
static void add_jsxc_key(struct builder *builder, struct host *host)
{
    const struct host_values *values = host->section->values;
    const struct secret *secret = &values->jsxc_secret;
    int line = section_line_of(host->section, "jsxc_secret");

    if (secret->bytes == NULL)
        return;
    judge_strength(builder, host, line, "jsxc_secret", token_secret_weakness(secret));
    if (!host->format.accepts_jsxc)
        return;
    host->jsxc = jsxc_key_create(secret->bytes, secret->size);
    if (host->jsxc == NULL)
        out_of_memory(builder);
}

static void read_users(struct builder *builder, struct host *host)
{
    const struct host_values *values = host->section->values;

    host->is_user = values->is_user;
    /* A problem was added where it fails: the whole configuration is refused then. */
    if (host->is_user.mode == IS_USER_FILE &&
        user_list_read(&host->users, &builder->config->arena, host->is_user.path, builder->problems,
                       builder->config->path, section_line_of(host->section, "isuser")) != 0)
        host->is_user.mode = IS_USER_NEVER;
}

static void begin_host(struct builder *builder, struct section *section)
{
    struct config *config = builder->config;
    struct host *host = &config->hosts[config->host_count++];
    const char *complaint = domain_complaint(section->names[0]);

    host->name = section->names[0];
    host->section = section;
    if (complaint != NULL)
        problems_error(builder->problems, config->path, section->line, "%s", complaint);
    build_format(builder, host);
    add_jsxc_key(builder, host);
    read_users(builder, host);
    if (strcmp(host->name, "*") == 0)
        config->any_host = host;
    if (name_table_add(&config->host_table, host->name, strlen(host->name), host) != 0)
        out_of_memory(builder);
}

/* A host has room for every [key] section of the file that names it. */
static void make_room(struct builder *builder, struct host *host, size_t keys)
{
    host->keys = take_memory(builder, keys, sizeof(struct token_key *));
    host->key_names = take_memory(builder, keys, sizeof(const char *));
    host->key_values = take_memory(builder, keys, sizeof(const struct key_values *));
    host->key_fingerprints = take_memory(builder, keys, sizeof(struct key_fingerprint));
    host->key_lines = take_memory(builder, keys, sizeof(int));
}

static bool has_room(const struct host *host)
{
    return host->keys != NULL && host->key_names != NULL && host->key_values != NULL &&
           host->key_fingerprints != NULL && host->key_lines != NULL;
}

static struct host *host_of_key(struct builder *builder, const struct section *section)
{
    const char *name = section->names[0];
    struct host *host = name_table_find(&builder->config->host_table, name, strlen(name));

    if (host == NULL)
        problems_error(builder->problems, builder->config->path, section->line,
                       "this key's domain has no [host] section");
    return host;
}

static void add_key_section(struct builder *builder, const struct section *section)
{
    struct host *host = host_of_key(builder, section);
    const struct key_values *values = section->values;
    struct key_origin origin = {section->line, section_line_of(section, "otp_seed"),
                                section_line_of(section, "token_secret")};

    if (values->accept_from >= values->accept_until)
        problems_error(builder->problems, builder->config->path,
                       section_line_of(section, "accept_until"),
                       "accept_until is not after accept_from: the key would never count");
    if (host == NULL || !has_room(host))
        return;
    if (!section_sets(section, "otp_seed") && !section_sets(section, "token_secret"))
        problems_error(builder->problems, builder->config->path, section->line,
                       "a key needs an otp_seed and a token_secret");
    else if (has_pair(builder, section, values))
        add_key(builder, host, section->names[1], values, origin);
}

static size_t count_sections(const struct config *config, enum section_kind kind)
{
    size_t count = 0;

    for (const struct section *section = config->sections.first; section != NULL;
         section = section->next)
        count += section->kind == kind;
    return count;
}

static bool has_own_key(const struct host *host)
{
    return section_sets(host->section, "otp_seed") || section_sets(host->section, "token_secret") ||
           ((const struct host_values *)host->section->values)->secrets_file != NULL;
}

/* How many keys each host may get: counted first, so that ten thousand hosts are not searched for
 * each key. */
static void count_keys(struct builder *builder)
{
    struct config *config = builder->config;

    for (size_t i = 0; i < config->host_count; i++)
        config->hosts[i].key_room = has_own_key(&config->hosts[i]);
    for (struct section *section = config->sections.first; section != NULL;
         section = section->next) {
        struct host *host = section->kind != SECTION_KEY
                                ? NULL
                                : name_table_find(&config->host_table, section->names[0],
                                                  strlen(section->names[0]));

        if (host != NULL)
            host->key_room++;
    }
    for (size_t i = 0; i < config->host_count; i++)
        make_room(builder, &config->hosts[i], config->hosts[i].key_room);
}

static void check_keys(struct builder *builder)
{
    const struct config *config = builder->config;

    for (size_t i = 0; i < config->host_count; i++) {
        const struct token_format *format = &config->hosts[i].format;

        if (config->hosts[i].key_room == 0 && (!format->refuses_v1 || format->accepts_v2))
            problems_error(builder->problems, config->path, config->hosts[i].section->line,
                           "this host has no secrets: set otp_seed and token_secret, or "
                           "secrets_file; xmpp-authctl keygen makes good ones");
    }
    if (config->host_count == 0)
        problems_error(builder->problems, config->path, config->sections.last_line,
                       "there is no [host DOMAIN] section: nobody could log in");
}

static int take_hosts(struct builder *builder, size_t count)
{
    struct config *config = builder->config;

    config->hosts = take_memory(builder, count, sizeof(struct host));
    if (config->hosts == NULL)
        return -1;
    if (verifiers_create(config, count) == 0)
        return 0;
    out_of_memory(builder);
    return -1;
}

void hosts_build(struct config *config, struct problems *problems, struct secrets_holder **holders)
{
    struct builder builder = {config, problems, holders};

    if (take_hosts(&builder, count_sections(config, SECTION_HOST) + 1) != 0)
        return;
    for (struct section *section = config->sections.first; section != NULL;
         section = section->next) {
        if (section->kind == SECTION_HOST)
            begin_host(&builder, section);
    }
    count_keys(&builder);
    for (size_t i = 0; i < config->host_count && has_room(&config->hosts[i]); i++)
        add_own_key(&builder, &config->hosts[i]);
    for (struct section *section = config->sections.first; section != NULL;
         section = section->next) {
        if (section->kind == SECTION_KEY)
            add_key_section(&builder, section);
    }
    check_keys(&builder);
}

void hosts_clear(struct config *config)
{
    for (size_t i = 0; i < config->host_count; i++) {
        struct host *host = &config->hosts[i];

        for (size_t k = 0; k < host->key_count; k++)
            token_key_destroy(&host->keys[k]);
        jsxc_key_destroy(&host->jsxc);
        user_list_clear(&host->users);
    }
    verifiers_destroy(config);
}
