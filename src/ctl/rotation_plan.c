#include "ctl/rotation_plan.h"

#include <stdio.h>

#include "base/timestamp.h"
#include "config/key_rules.h"

int rotation_section(const struct rotation *rotation, char *text_r, size_t size)
{
    int length = snprintf(text_r, size, "[key %s %s]\notp_seed = %s\ntoken_secret = %s\n",
                          rotation->host->name, rotation->name, rotation->key->otp_seed,
                          rotation->key->token_secret);

    return length > 0 && (size_t)length < size ? 0 : -1;
}

static const char *secrets_file_of(const struct rotation *rotation)
{
    return ((const struct host_values *)rotation->host->section->values)->secrets_file;
}

static void print_reload(const struct rotation *rotation, const char *section)
{
    const char *path = rotation->config->path;

    if (rotation->is_written)
        printf("# 1. Now: the section [key %s %s] was added to\n"
               "#    %s.\n",
               rotation->host->name, rotation->name, path);
    else
        printf("# 1. Now: add this section to %s:\n\n%s\n", path, section);
    printf("#    Reload the daemon (systemctl reload xmpp-authd), and give the section to every\n"
           "#    other daemon that answers for %s. From then on both keys count.\n"
           "#    xmpp-authctl keys %s must show the new one as accepted.\n",
           rotation->host->name, rotation->host->name);
}

static void print_switch(const struct rotation *rotation)
{
    char time[TIMESTAMP_SIZE];

    printf("# 2. At %s, and not before step 1 is done everywhere: let the web\n"
           "#    application mint with the new otp_seed and token_secret. Its fingerprint is then\n"
           "#    %s.\n",
           timestamp_format(rotation->switch_at, time), rotation->key->fingerprint.text);
    if (secrets_file_of(rotation) != NULL)
        printf("#    Both belong into %s, which the daemon reads too:\n"
               "#    don't reload the daemon between this step and the next.\n",
               secrets_file_of(rotation));
}

static void print_old_keys(const struct rotation *rotation)
{
    const struct host *host = rotation->host;

    for (size_t i = 0; i < host->key_count; i++) {
        printf("#      %s  ", host->key_fingerprints[i].text);
        if (host->key_names[i][0] != '\0')
            printf("[key %s %s], line %d\n", host->name, host->key_names[i], host->key_lines[i]);
        else
            printf("otp_seed and token_secret of [host %s], line %d\n", host->name,
                   host->key_lines[i]);
    }
}

static void print_removal(const struct rotation *rotation)
{
    int64_t life = host_token_life(rotation->host);
    char time[TIMESTAMP_SIZE];

    printf("# 3. Not before %s, which is %lld s after the last machine of the web\n"
           "#    application has changed: a token lives so long. ",
           timestamp_format(rotation->switch_at + life, time), (long long)life);
    if (secrets_file_of(rotation) != NULL) {
        printf("Reload the daemon: the new key then\n"
               "#    comes from the file, and the section [key %s %s] can go.\n",
               rotation->host->name, rotation->name);
        return;
    }
    printf("When xmpp-authctl keys %s\n"
           "#    calls an old key safe to delete, remove it and reload:\n",
           rotation->host->name);
    print_old_keys(rotation);
}

void rotation_plan_print(const struct rotation *rotation, const char *section)
{
    printf("# The next key of %s is %s, fingerprint %s. In this order:\n#\n", rotation->host->name,
           rotation->name, rotation->key->fingerprint.text);
    print_reload(rotation, section);
    puts("#");
    print_switch(rotation);
    puts("#");
    print_removal(rotation);
}
