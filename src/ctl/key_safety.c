#include "ctl/key_safety.h"

enum { WAIT_MIN = 3600 };

int64_t key_safety_wait(int64_t life)
{
    return 2 * life > WAIT_MIN ? 2 * life : WAIT_MIN;
}

static bool counts_at(const struct key_view *key, int64_t now)
{
    return key->in_file && key->accept_from <= now && now < key->accept_until;
}

/* Whether another key is left in the file; one that counts now, if that matters. */
static bool has_other(const struct key_view *keys, size_t count, size_t at, int64_t now,
                      bool must_count)
{
    for (size_t i = 0; i < count; i++) {
        if (i != at && keys[i].in_file && (!must_count || counts_at(&keys[i], now)))
            return true;
    }
    return false;
}

static bool other_used_after(const struct key_view *keys, size_t count, size_t at, int64_t now,
                             int64_t time)
{
    for (size_t i = 0; i < count; i++) {
        if (i != at && keys[i].loaded && counts_at(&keys[i], now) && keys[i].last_use > time)
            return true;
    }
    return false;
}

static enum key_safety judge_uses(const struct key_view *keys, size_t count, size_t at, int64_t now,
                                  int64_t life)
{
    const struct key_view *key = &keys[at];
    int64_t idle_since = key->last_use > key->since ? key->last_use : key->since;

    if (now - idle_since < key_safety_wait(life))
        return key->last_use > 0 ? KEY_IN_USE : KEY_NEW;
    /* A token's life later at the least: that use shows that the minter has changed. */
    return other_used_after(keys, count, at, now, idle_since + life) ? KEY_SAFE_UNUSED
                                                                     : KEY_NO_OTHER;
}

enum key_safety key_safety_judge(const struct key_view *keys, size_t count, size_t at, int64_t now,
                                 int64_t life, bool daemon_answered)
{
    const struct key_view *key = &keys[at];
    /* Later by a token's life, for daemons whose clocks are behind. */
    bool is_over = key->accept_until < INT64_MAX - life && key->accept_until + life <= now;

    if (!key->in_file)
        return KEY_REMOVED;
    if (!has_other(keys, count, at, now, !is_over))
        return KEY_ONLY;
    if (is_over)
        return KEY_SAFE_EXPIRED;
    if (key->accept_from > now)
        return KEY_NOT_YET;
    if (!daemon_answered)
        return KEY_USES_UNKNOWN;
    if (!key->loaded)
        return KEY_NOT_LOADED;
    return judge_uses(keys, count, at, now, life);
}
