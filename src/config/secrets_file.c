#include "config/secrets_file.h"

#include <string.h>

#include "config/ini.h"
#include "config/value.h"

struct found {
    struct secret *secret;
    int line;
};

struct search {
    const char *path;
    struct problems *problems;
    struct found seed;
    struct found token_secret;
};

static struct found *wanted(struct search *search, const char *name)
{
    if (strncmp(name, "prosody_", 8) == 0)
        name += 8;
    if (strcmp(name, "otp_seed") == 0)
        return &search->seed;
    if (strcmp(name, "token_secret") == 0)
        return &search->token_secret;
    return NULL;
}

static void ignore_section(void *context, const char *name, int line)
{
    (void)context;
    (void)name;
    (void)line;
}

static void take_value(struct search *search, struct found *found, const char *name,
                       const char *value, int line)
{
    const struct setting *setting =
        setting_find(SECTION_KEY, found == &search->seed ? "otp_seed" : "token_secret");
    struct key_values parsed = {0};
    struct arena no_arena = {0};
    const char *complaint = value_parse(setting, value, &no_arena, &parsed);
    struct secret *secret = found == &search->seed ? &parsed.otp_seed : &parsed.token_secret;

    if (complaint != NULL) {
        problems_error(search->problems, search->path, line, "%s %s", name, complaint);
    } else if (found->secret->bytes == NULL) {
        *found->secret = *secret;
        found->line = line;
        return;
    } else if (!secret_equal(found->secret, secret)) {
        problems_error(search->problems, search->path, line,
                       "%s has another value here than in line %d: keep one of them", name,
                       found->line);
    }
    secret_clear(secret);
}

static void take_setting(void *context, const char *name, const char *value, bool continued,
                         int line)
{
    struct search *search = context;
    struct found *found = wanted(search, name);

    /* buildout allows `name =` with the value indented on the next line; inih repeats the name for
     * it. */
    if (found == NULL || value[0] == '\0')
        return;
    if (continued && found->line == line - 1 && found->secret->bytes != NULL)
        problems_error(search->problems, search->path, line, "%s goes on over several lines", name);
    else
        take_value(search, found, name, value, line);
}

static void check_found(const struct search *search, const struct found *found, const char *name,
                        const char *blame_file, int blame_line)
{
    if (found->secret->bytes == NULL)
        problems_error(search->problems, blame_file, blame_line, "%s has neither %s nor prosody_%s",
                       search->path, name, name);
}

int secrets_file_read(const char *path, struct problems *problems, const char *blame_file,
                      int blame_line, struct key_values *values, struct stat *status_r)
{
    static const struct ini_callbacks callbacks = {ignore_section, take_setting};
    struct search search = {.path = path,
                            .problems = problems,
                            .seed.secret = &values->otp_seed,
                            .token_secret.secret = &values->token_secret};
    struct source_file file;

    if (source_file_open(&file, path, true, problems, blame_file, blame_line) != 0)
        return -1;
    *status_r = file.status;
    ini_read(&file, INI_FOREIGN, problems, &callbacks, &search);
    source_file_close(&file);
    check_found(&search, &search.seed, "otp_seed", blame_file, blame_line);
    check_found(&search, &search.token_secret, "token_secret", blame_file, blame_line);
    return values->otp_seed.bytes == NULL || values->token_secret.bytes == NULL ? -1 : 0;
}
