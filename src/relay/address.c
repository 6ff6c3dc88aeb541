#include "relay/address.h"

#include <string.h>
#include <sys/socket.h>

int relay_address(const char *path, struct sockaddr_un *address_r)
{
    size_t size = strlen(path) + 1;

    if (size > sizeof(address_r->sun_path))
        return -1;
    *address_r = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(address_r->sun_path, path, size);
    return 0;
}
