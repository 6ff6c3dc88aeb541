#include "config/replay.h"

#include <string.h>

#include "config/source_file.h"
#include "config/store_rule.h"

/* The first line, without blanks around it, as the password. */
static void take_password(struct config *config, struct problems *problems,
                          struct source_file *file, struct secret *password)
{
    size_t length = 0;
    const char *line = source_file_next(file, &length);
    char text[512] = {0};

    while (length > 0 && (unsigned char)line[length - 1] <= ' ')
        length--;
    if (line == NULL || length == 0 || length >= sizeof(text)) {
        problems_error(problems, config->path, 0, "%s: its first line is no password", file->path);
        return;
    }
    memcpy(text, line, length);
    if (secret_set(password, text, length + 1) != 0)
        problems_error(problems, config->path, 0, "memory is short");
    explicit_bzero(text, sizeof(text));
}

static void read_password(struct config *config, struct problems *problems, const char *path,
                          int line, struct store_rule *rule, struct secrets_holder **holders)
{
    struct secrets_holder *holder = arena_alloc(&config->arena, sizeof(*holder));
    struct source_file file;

    if (holder == NULL) {
        problems_error(problems, config->path, line, "memory is short");
    } else if (source_file_open(&file, path, true, problems, config->path, line) == 0) {
        *holder = (struct secrets_holder){
            .path = path, .blame_line = line, .status = file.status, .next = *holders};
        *holders = holder;
        take_password(config, problems, &file, &rule->password);
        source_file_close(&file);
    }
}

void replay_build(struct config *config, struct problems *problems, struct secrets_holder **holders)
{
    const struct section *section = section_single(&config->sections, SECTION_REPLAY);
    struct replay_values *values = section->values;
    const char *path = values->redis_password_file;
    int line = section_line_of(section, "redis_password_file");

    if (path != NULL && values->store.kind != STORE_REDIS)
        problems_error(problems, config->path, line,
                       "redis_password_file without a redis store does nothing");
    else if (path != NULL && values->store.password.bytes != NULL)
        problems_error(problems, config->path, line,
                       "redis_password_file: the store's address has a password already");
    else if (path != NULL)
        read_password(config, problems, path, line, &values->store, holders);
    if (store_rule_is_remote(&values->store) && values->store.password.bytes == NULL)
        problems_warning(problems, config->path, section_line_of(section, "store"),
                         "store: a Redis on the network without a password; whoever reaches it can "
                         "make spent tokens good again");
}
