#include "ctl/key_source.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "config/key.h"
#include "config/secrets_file.h"
#include "config/value.h"
#include "ctl/report.h"

/* Bytes of a secrets file on standard input; real ones have a few hundred. */
enum { PIPED_SECRETS_MAX = 1 << 20 };

struct config *key_source_load_config(const struct arguments *arguments, const char *way_out)
{
    const char *path = arguments->values[OPTION_CONFIG];
    struct problems *problems = problems_create();
    struct config *config = NULL;

    if (problems == NULL) {
        ctl_complain("memory is short");
        return NULL;
    }
    if (path == NULL)
        path = CONFIG_DEFAULT_PATH;
    config = config_load(path, problems);
    problems_print(problems, stderr);
    problems_destroy(&problems);
    if (config == NULL)
        ctl_complain("the configuration %s can't be used: mend it, or name another with -c FILE%s",
                     path, way_out == NULL ? "" : way_out);
    return config;
}

const struct host *key_source_section(const struct config *config, const char *name)
{
    const struct host *host = name_table_find(&config->host_table, name, strlen(name));

    if (host == NULL && config->any_host != NULL)
        ctl_complain("%s has no [host %s]: its logins are judged by [host *], whose keys are those "
                     "of '*'",
                     config->path, name);
    else if (host == NULL)
        ctl_complain("%s has no [host %s]: xmpp-authctl keygen %s makes its first key",
                     config->path, name, name);
    return host;
}

/* Copies standard input to its end into a file that only this process has. */
static int copy_standard_input(int descriptor)
{
    char bytes[4096];
    size_t size = 0;
    ssize_t got;

    while ((got = read(STDIN_FILENO, bytes, sizeof(bytes))) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        size += got < 0 ? 0 : (size_t)got;
        if (size > PIPED_SECRETS_MAX)
            errno = EFBIG;
        if (got < 0 || size > PIPED_SECRETS_MAX || write(descriptor, bytes, (size_t)got) != got)
            break;
    }
    OPENSSL_cleanse(bytes, sizeof(bytes));
    return got == 0 ? 0 : -1;
}

static int open_memory(void)
{
#ifdef MFD_CLOEXEC
    return memfd_create("secrets", MFD_CLOEXEC);
#else
    errno = ENOSYS;
    return -1;
#endif
}

/*
 * Secrets files are opened by name and must be regular, for their permissions count. A pipe is
 * neither: its bytes are put into a file in memory, which then takes standard input's place.
 */
static const char *name_standard_input(void)
{
    int descriptor = open_memory();
    const char *path = NULL;

    if (descriptor >= 0 && fchmod(descriptor, 0600) == 0 && copy_standard_input(descriptor) == 0 &&
        dup2(descriptor, STDIN_FILENO) == STDIN_FILENO)
        path = "/dev/stdin";
    else
        ctl_complain("reading secrets from standard input failed: %s", strerror(errno));
    if (descriptor >= 0)
        close(descriptor);
    return path;
}

/* The format of a host that sets nothing, from the table of settings; of either kind of token. */
static int take_default_format(struct token_format *format_r)
{
    struct host_values values = {0};
    struct arena arena = {0};
    bool failed = false;

    for (size_t i = 0; i < setting_count; i++) {
        if (settings[i].section == SECTION_HOST)
            failed |= value_set_default(&settings[i], &arena, &values) != NULL;
    }
    *format_r = host_format(&values); /* reads names that live in the arena */
    arena_clear(&arena);
    format_r->accepts_v2 = true;
    return failed ? -1 : 0;
}

static void warn_of_weakness(const char *path, const char *setting, const char *weakness)
{
    if (weakness != NULL)
        ctl_complain("warning: %s: the %s %s; the daemon refuses it without allow_weak_secrets",
                     path, setting, weakness);
}

static int make_key(struct key_source *source, const char *path)
{
    struct key_report report;

    source->values.accept_from = INT64_MIN;
    source->values.accept_until = INT64_MAX;
    source->key = key_from_values(NULL, &source->host.format, &source->values, &report);
    if (source->key == NULL)
        ctl_complain("%s: %s", path, report.fault);
    warn_of_weakness(path, "otp_seed", report.otp_seed_weakness);
    warn_of_weakness(path, "token_secret", report.token_secret_weakness);
    source->fingerprint = report.fingerprint;
    return source->key == NULL ? -1 : 0;
}

static int read_secrets(struct key_source *source, const char *path)
{
    struct problems *problems = problems_create();
    struct stat status;
    int result = -1;

    if (problems != NULL) {
        result = secrets_file_read(path, problems, "--secrets", 0, &source->values, &status);
        if (problems_have_error(problems))
            result = -1;
        problems_print(problems, stderr);
        problems_destroy(&problems);
    }
    if (result != 0)
        ctl_complain("no key could be read from %s", path);
    return result;
}

static int open_secrets(struct key_source *source, const char *path)
{
    if (strcmp(path, "-") == 0)
        path = name_standard_input();
    if (path == NULL)
        return -1;
    if (take_default_format(&source->host.format) != 0) {
        ctl_complain("memory is short");
        return -1;
    }
    if (read_secrets(source, path) != 0 || make_key(source, path) != 0) {
        key_source_close(source);
        return -1;
    }
    source->key_name = "";
    source->values_of_key = &source->values;
    source->host.name = "*";
    source->host.keys = &source->key;
    source->host.key_names = &source->key_name;
    source->host.key_values = &source->values_of_key;
    source->host.key_fingerprints = &source->fingerprint;
    source->host.key_count = 1;
    return 0;
}

int key_source_open(struct key_source *source, const struct arguments *arguments)
{
    const char *secrets = arguments->values[OPTION_SECRETS];

    *source = (struct key_source){0};
    if (secrets != NULL && arguments->values[OPTION_CONFIG] != NULL) {
        ctl_complain("--secrets stands in the place of the configuration: without -c");
        return -1;
    }
    if (secrets != NULL)
        return open_secrets(source, secrets);
    source->config = key_source_load_config(
        arguments, ", or take the secrets from a file of their own with --secrets FILE");
    return source->config == NULL ? -1 : 0;
}

const struct host *key_source_host(struct key_source *source, const char *domain)
{
    if (source->config == NULL)
        return &source->host;
    return config_host(source->config, domain, strlen(domain));
}

void key_source_close(struct key_source *source)
{
    token_key_destroy(&source->key);
    secret_clear(&source->values.otp_seed);
    secret_clear(&source->values.token_secret);
    config_destroy(&source->config);
}
