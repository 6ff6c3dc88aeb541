#include <stdlib.h>
#include <sys/socket.h>

#include "daemon/listener.h"

static bool is_among_groups(const struct peer_rule *rule, gid_t group)
{
    for (size_t i = 0; i < rule->group_count; i++) {
        if (rule->groups[i] == group)
            return true;
    }
    return false;
}

static bool is_among_users(const struct peer_rule *rule, uid_t user)
{
    for (size_t i = 0; i < rule->user_count; i++) {
        if (rule->users[i] == user)
            return true;
    }
    return false;
}

/* The peer's supplementary groups, as they were when it connected. */
static bool has_allowed_group(int descriptor, const struct peer_rule *rule)
{
#ifdef SO_PEERGROUPS
    gid_t groups[256];
    socklen_t size = sizeof(groups);

    /* A peer in more groups than fit is not let in by them. */
    if (getsockopt(descriptor, SOL_SOCKET, SO_PEERGROUPS, groups, &size) != 0)
        return false;
    for (size_t i = 0; i < size / sizeof(groups[0]); i++) {
        if (is_among_groups(rule, groups[i]))
            return true;
    }
#else
    (void)descriptor;
    (void)rule;
#endif
    return false;
}

bool peer_is_allowed(int descriptor, const struct peer_rule *rule)
{
    struct ucred peer;
    socklen_t size = sizeof(peer);

    if (rule->user_count == 0 && rule->group_count == 0)
        return true;
    if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
        return false;
    return is_among_users(rule, peer.uid) || is_among_groups(rule, peer.gid) ||
           has_allowed_group(descriptor, rule);
}
