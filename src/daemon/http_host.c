#include "daemon/http_host.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

/* Room for what is compared; a longer name is not ours. */
enum { NAME_SIZE = 16 };

/* The length of the name in front of the port; 0: the port is none. */
static size_t name_length(const char *host)
{
    const char *end = host[0] == '[' ? strchr(host, ']') : strchr(host, ':');
    size_t digits;

    if (host[0] == '[') {
        if (end == NULL)
            return 0;
        end++;
    }
    if (end == NULL || *end == '\0')
        return strlen(host);
    digits = strspn(end + 1, "0123456789");
    return *end == ':' && digits <= 5 && end[1 + digits] == '\0' ? (size_t)(end - host) : 0;
}

bool http_host_is_local(const char *host)
{
    size_t length = host == NULL ? 0 : name_length(host);
    char name[NAME_SIZE];
    struct in_addr address;

    if (length == 0 || length >= sizeof(name))
        return false;
    memcpy(name, host, length);
    name[length] = '\0';
    if (strcasecmp(name, "localhost") == 0 || strcmp(name, "[::1]") == 0)
        return true;
    return inet_pton(AF_INET, name, &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}
