#ifndef RELAY_ADDRESS_H
#define RELAY_ADDRESS_H

#include <sys/un.h>

/* Fills in the address of the local socket at path. 0, or -1 if the path is too long for one. */
int relay_address(const char *path, struct sockaddr_un *address_r);

#endif
