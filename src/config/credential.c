#include "config/credential.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char prefix[] = "credential:";

enum { NAME_MAX_LENGTH = 255 };

bool credential_is_meant(const char *value)
{
    return strncmp(value, prefix, strlen(prefix)) == 0;
}

const char *credential_complaint(const char *value)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "0123456789._-@+";
    const char *name = value + strlen(prefix);
    size_t length = strlen(name);

    if (length == 0 || length > NAME_MAX_LENGTH || strspn(name, letters) != length ||
        strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return "takes a credential's name of letters, digits and . _ - @ + after credential:";
    return NULL;
}

const char *credential_path(const char *value, struct arena *arena, const char **path_r)
{
    const char *directory = getenv("CREDENTIALS_DIRECTORY");
    const char *name = value + strlen(prefix);
    size_t length;
    char *path;

    if (directory == NULL || directory[0] != '/')
        return "no credentials here: the service manager hands them to the service alone "
               "(LoadCredential=); elsewhere set "
               "CREDENTIALS_DIRECTORY=/run/credentials/xmpp-authd.service";
    length = strlen(directory);
    path = arena_alloc(arena, length + 1 + strlen(name) + 1);
    if (path == NULL)
        return "memory is short";
    memcpy(path, directory, length);
    path[length] = '/';
    memcpy(path + length + 1, name, strlen(name) + 1);
    if (access(path, F_OK) != 0)
        return "the service manager has handed over no credential of this name "
               "(LoadCredential=, and a restart after a change of it)";
    *path_r = path;
    return NULL;
}
