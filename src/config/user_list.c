#include "config/user_list.h"

#include <string.h>

#include "config/source_file.h"
#include "wire/protocol.h"

static bool is_blank(char character)
{
    return character == ' ' || character == '\t' || character == '\r';
}

static void trim(const char **line, size_t *length)
{
    while (*length > 0 && is_blank((*line)[*length - 1]))
        (*length)--;
    while (*length > 0 && is_blank(**line)) {
        (*line)++;
        (*length)--;
    }
}

/* A localpart, or one with @ and a domain: what can be asked about. */
static bool is_name(const char *line, size_t length)
{
    const char *at = memchr(line, '@', length);
    size_t user_length = at == NULL ? length : (size_t)(at - line);

    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)line[i];

        if (byte <= ' ' || byte == 0x7f || byte == '/' || byte == ':')
            return false;
    }
    return user_length > 0 && length != user_length + 1 && length <= REQUEST_MAX &&
           (at == NULL || memchr(at + 1, '@', length - user_length - 1) == NULL);
}

static int add_name(struct user_list *list, struct arena *arena, const char *line, size_t length)
{
    char *name = arena_copy(arena, line, length);

    if (name == NULL)
        return -1;
    for (size_t i = 0; i < length; i++) {
        if (name[i] >= 'A' && name[i] <= 'Z')
            name[i] = (char)(name[i] - 'A' + 'a');
    }
    if (name_table_find(&list->names, name, length) != NULL)
        return 0;
    return name_table_add(&list->names, name, length, list);
}

int user_list_read(struct user_list *list, struct arena *arena, const char *path,
                   struct problems *problems, const char *blame_file, int blame_line)
{
    struct source_file file;
    const char *line;
    size_t length = 0;
    int result = 0;

    if (source_file_open(&file, path, false, problems, blame_file, blame_line) != 0)
        return -1;
    while ((line = source_file_next(&file, &length)) != NULL) {
        trim(&line, &length);
        if (length == 0 || *line == '#')
            continue;
        if (!is_name(line, length)) {
            problems_error(problems, path, file.line, "this is neither a localpart nor a bare JID");
            result = -1;
        } else if (add_name(list, arena, line, length) != 0) {
            problems_error(problems, path, file.line, "memory is short");
            result = -1;
            break;
        }
    }
    source_file_close(&file);
    return result;
}

bool user_list_holds(const struct user_list *list, const char *user, size_t user_length,
                     const char *host, size_t host_length)
{
    char jid[REQUEST_MAX];
    size_t length = user_length + 1 + host_length;

    if (name_table_find(&list->names, user, user_length) != NULL)
        return true;
    if (length > sizeof(jid))
        return false;
    memcpy(jid, user, user_length);
    jid[user_length] = '@';
    memcpy(jid + user_length + 1, host, host_length);
    return name_table_find(&list->names, jid, length) != NULL;
}

void user_list_clear(struct user_list *list)
{
    name_table_clear(&list->names);
}
