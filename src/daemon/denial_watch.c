#include "daemon/denial_watch.h"

void denial_watch_note(struct denial_watch *watch, uint64_t user)
{
    watch->users[watch->count++ % DENIAL_WATCH_SIZE] = user;
}

enum denial_news denial_watch_since(const struct denial_watch *watch, uint64_t count, uint64_t user)
{
    if (watch->count - count > DENIAL_WATCH_SIZE)
        return DENIAL_UNKNOWN;
    for (; count < watch->count; count++) {
        if (watch->users[count % DENIAL_WATCH_SIZE] == user)
            return DENIAL_OF_USER;
    }
    return DENIAL_NO_NEWS;
}
