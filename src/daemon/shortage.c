#include "daemon/shortage.h"

#include "daemon/log.h"

static bool was_noted;

void shortage_note(void)
{
    was_noted = true;
}

void shortage_tell(struct event_limits *limits, struct moment now)
{
    if (!was_noted)
        return;
    was_noted = false;
    if (event_limit_allows(limits, LIMITED_SHORTAGE, now))
        log_event_text(LOG_LEVEL_ERROR, "memory-short", "effect",
                       "clients are cut off, or their logins not decided");
}
