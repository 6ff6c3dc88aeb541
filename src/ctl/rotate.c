/* rotate HOST: the next key, and what to do when. */

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/crypto.h>

#include "config/ini.h"
#include "ctl/command.h"
#include "ctl/config_append.h"
#include "ctl/key_source.h"
#include "ctl/report.h"
#include "ctl/rotation_plan.h"

/* Time to do the first step in, where the time of the second is not given. */
enum { LEAD_SECONDS = 600 };

enum { SECTION_SIZE = 2 * INI_LINE_MAX + 2 * NEW_SECRET_LENGTH + 64, NAME_SIZE = 32 };

static bool is_taken(const struct host *host, const char *name)
{
    for (size_t i = 0; i < host->key_count; i++) {
        if (strcmp(host->key_names[i], name) == 0)
            return true;
    }
    return false;
}

/* The year and the first letter that is free: 2027a, 2027b; then 2027a2. */
static void choose_name(const struct host *host, int64_t seconds, char name_r[NAME_SIZE])
{
    time_t now = (time_t)seconds;
    struct tm date = {0};

    gmtime_r(&now, &date);
    for (unsigned round = 1;; round++) {
        for (int letter = 'a'; letter <= 'z'; letter++) {
            snprintf(name_r, NAME_SIZE, "%d%c", date.tm_year + 1900, letter);
            if (round > 1)
                snprintf(name_r, NAME_SIZE, "%d%c%u", date.tm_year + 1900, letter, round);
            if (!is_taken(host, name_r))
                return;
        }
    }
}

/* What can stand in a header as one word, and is no other key's. */
static int take_name(const struct host *host, const char *name)
{
    size_t length = strlen(name);

    if (length == 0 || length + strlen(host->name) + strlen("[key  ]") > INI_LINE_MAX ||
        strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") !=
            length) {
        ctl_complain("--name takes letters, digits, dots, dashes and underscores");
        return -1;
    }
    if (is_taken(host, name)) {
        ctl_complain("[key %s %s] is there already: choose another --name", host->name, name);
        return -1;
    }
    return 0;
}

/* Whether the edited file has the key that was meant, under the name that was meant. */
static bool has_key(void *context, const struct config *config)
{
    const struct rotation *rotation = context;
    const char *name = rotation->host->name;
    const struct host *host = name_table_find(&config->host_table, name, strlen(name));

    for (size_t i = 0; host != NULL && i < host->key_count; i++) {
        if (strcmp(host->key_names[i], rotation->name) == 0)
            return strcmp(host->key_fingerprints[i].text, rotation->key->fingerprint.text) == 0;
    }
    return false;
}

static enum ctl_status rotate(struct rotation *rotation, bool write)
{
    char section[SECTION_SIZE] = "\n";
    enum ctl_status status = CTL_ERROR;

    if (rotation_section(rotation, section + 1, sizeof(section) - 1) != 0)
        ctl_complain("the section's header would be too long");
    else if (!write || config_append(rotation->config->path, section, has_key, rotation) == 0)
        status = CTL_YES;
    rotation->is_written = write;
    if (status == CTL_YES && !write)
        new_key_warn_of_open_output();
    if (status == CTL_YES)
        rotation_plan_print(rotation, section + 1);
    OPENSSL_cleanse(section, sizeof(section));
    return status;
}

static enum ctl_status make_rotation(const struct arguments *arguments, const struct config *config,
                                     const struct host *host, int64_t now)
{
    const char *given = arguments->values[OPTION_NAME];
    char name[NAME_SIZE];
    struct new_key key;
    struct rotation rotation = {.config = config, .host = host, .name = name, .key = &key};
    enum ctl_status status = CTL_ERROR;

    if (given != NULL && take_name(host, given) != 0)
        return CTL_ERROR;
    if (arguments_time(arguments, &rotation.switch_at) != 0)
        return CTL_ERROR;
    choose_name(host, now, name);
    if (given != NULL)
        rotation.name = given;
    if (arguments->values[OPTION_TIME] == NULL)
        rotation.switch_at = now + LEAD_SECONDS;
    if (new_key_make(&key) == 0)
        status = rotate(&rotation, arguments->values[OPTION_WRITE] != NULL);
    new_key_wipe(&key);
    return status;
}

static enum ctl_status run_rotate(struct arguments *arguments)
{
    struct config *config = key_source_load_config(arguments, NULL);
    enum ctl_status status = CTL_ERROR;
    const struct host *host;

    if (config == NULL)
        return CTL_ERROR;
    host = key_source_section(config, arguments->operands[0]);
    if (host != NULL)
        status = make_rotation(arguments, config, host, (int64_t)time(NULL));
    config_destroy(&config);
    return status;
}

const struct command command_rotate = {
    .word = "rotate",
    .operands = "HOST",
    .operands_min = 1,
    .operands_max = 1,
    .options = OPTION_BIT(OPTION_TIME) | OPTION_BIT(OPTION_NAME) | OPTION_BIT(OPTION_WRITE),
    .meaning = "print a host's next key and what to do when; --write adds it to the configuration",
    .explanation =
        "Prints the next [key] section of a host and the steps to change to it without denying\n"
        "anybody: the daemon first, then the web application (at --time), then the old key goes.\n"
        "With --write the section is added to the configuration and its secrets are not printed.\n",
    .run = run_rotate,
};
