#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/path_error.h"
#include "daemon/listener.h"

/* Chat servers open a pool of connections at once; a full backlog looks to them like an outage. */
enum { BACKLOG = 1024 };

_Static_assert(SOCKET_PATH_SIZE >= sizeof(((struct sockaddr_un *)NULL)->sun_path),
               "a bound path fits");

static int new_socket(void)
{
    return socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

/* A socket that refuses connections is a dead daemon's; one that takes them or has a full backlog
 * is alive. */
static bool somebody_listens(const struct sockaddr_un *address)
{
    int probe = new_socket();
    bool refused;

    if (probe < 0)
        return true;
    refused = connect(probe, (const struct sockaddr *)address, sizeof(*address)) != 0 &&
              (errno == ECONNREFUSED || errno == ENOENT);
    close(probe);
    return !refused;
}

static int make_way(const struct sockaddr_un *address, char error_r[SOCKET_ERROR_SIZE])
{
    const char *path = address->sun_path;
    struct stat status;

    if (lstat(path, &status) != 0)
        return errno == ENOENT ? 0 : path_error_errno(error_r, path, "can't look at it");
    if (!S_ISSOCK(status.st_mode))
        return path_error(error_r, path, "a file that is no socket is in the way: move it");
    if (somebody_listens(address))
        return path_error(error_r, path,
                          "another daemon listens there: stop it, or use another path");
    if (unlink(path) != 0 && errno != ENOENT)
        return path_error_errno(error_r, path, "can't remove a dead daemon's socket");
    return 0;
}

static int bind_privately(int descriptor, const struct sockaddr_un *address)
{
    /* Nobody gets in before mode and group are set. */
    mode_t old_mask = umask(0177);
    int result = bind(descriptor, (const struct sockaddr *)address, sizeof(*address));
    int error = errno;

    umask(old_mask);
    errno = error;
    return result;
}

static int open_to_group(const char *path, mode_t mode, gid_t group,
                         char error_r[SOCKET_ERROR_SIZE])
{
    struct stat status;

    if (lstat(path, &status) == 0 && status.st_gid != group && lchown(path, (uid_t)-1, group) != 0)
        return path_error_errno(error_r, path,
                                "can't give it to its group (the daemon's user must be a member)");
    if (chmod(path, mode) != 0)
        return path_error_errno(error_r, path, "can't set its mode");
    return 0;
}

int socket_file_open(struct socket_file *file_r, const char *path, mode_t mode, gid_t group,
                     char error_r[SOCKET_ERROR_SIZE])
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct stat status;
    int descriptor;

    if (strlen(path) >= sizeof(address.sun_path))
        return path_error(error_r, path, "the path is longer than 107 bytes");
    memcpy(address.sun_path, path, strlen(path) + 1);
    if (make_way(&address, error_r) != 0)
        return -1;
    descriptor = new_socket();
    if (descriptor < 0)
        return path_error_errno(error_r, path, "can't make a socket");
    if (bind_privately(descriptor, &address) != 0) {
        path_error_errno(error_r, path,
                         "can't bind (does the directory exist, and may I write to it?)");
        close(descriptor);
        return -1;
    }
    if (lstat(path, &status) != 0)
        path_error_errno(error_r, path, "can't look at it");
    else if (open_to_group(path, mode, group, error_r) == 0) {
        if (listen(descriptor, BACKLOG) == 0) {
            *file_r = (struct socket_file){
                .descriptor = descriptor, .device = status.st_dev, .inode = status.st_ino};
            memcpy(file_r->path, path, strlen(path) + 1);
            return 0;
        }
        path_error_errno(error_r, path, "can't listen");
    }
    unlink(path);
    close(descriptor);
    return -1;
}

void socket_file_unlink(struct socket_file *file)
{
    struct stat status;

    if (file->path[0] != '\0' && lstat(file->path, &status) == 0 && status.st_dev == file->device &&
        status.st_ino == file->inode)
        unlink(file->path);
    /* The inode's number may be given to the next daemon's socket: never look at it again. */
    file->path[0] = '\0';
}
