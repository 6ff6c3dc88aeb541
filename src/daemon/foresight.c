#include "daemon/foresight.h"

#include <string.h>

#include "base/prefetch.h"

void foresight_begin(struct foresight *foresight, const struct authority *authority,
                     const struct protocol *protocol, const uint8_t *data, size_t size)
{
    foresight->authority = NULL;
    if (authority->config->host_count < MANY_HOSTS || protocol == NULL || protocol->asks_once)
        return;
    *foresight = (struct foresight){
        .authority = authority, .protocol = protocol, .next = data, .end = data + size, .place = 1};
    for (size_t i = 1; i < FORESIGHT_STEPS; i++)
        foresight_step(foresight);
}

/* What stands between the second colon and the third, or the end. NULL: there is no second one. */
static const char *find_host(const char *text, size_t length, size_t *length_r)
{
    const char *end = text + length;
    const char *user = memchr(text, ':', length);
    const char *host = user == NULL ? NULL : memchr(user + 1, ':', (size_t)(end - user - 1));
    const char *behind;

    if (host == NULL)
        return NULL;
    host++;
    behind = memchr(host, ':', (size_t)(end - host));
    *length_r = (size_t)((behind == NULL ? end : behind) - host);
    return host;
}

/* The next question's host, by its hash alone: its place in the table is fetched. */
static uint64_t look(struct foresight *foresight)
{
    const struct name_table *table = &foresight->authority->config->host_table;
    struct frame frame;
    size_t length = 0;
    const char *host;

    if (foresight->next >= foresight->end ||
        foresight->protocol->find_frame(foresight->next, (size_t)(foresight->end - foresight->next),
                                        REQUEST_MAX, &frame) != FRAME_COMPLETE) {
        foresight->next = foresight->end;
        return 0;
    }
    foresight->next += frame.size;
    host = find_host(frame.text, frame.length, &length);
    return host == NULL ? 0 : name_table_expect(table, host, length);
}

/* By now the place is there, and tells where the host is. */
static const struct host *fetch_host(struct foresight *foresight, uint64_t hash)
{
    const struct authority *authority = foresight->authority;
    const struct config *config = authority->config;
    const struct host *host = hash == 0 ? NULL : name_table_guess(&config->host_table, hash);

    /* Who asks about one host again and again has its memory at hand. */
    if (host == NULL || host == foresight->last)
        return NULL;
    foresight->last = host;
    prefetch_bytes(host, sizeof(*host));
    __builtin_prefetch(&authority->tally.hosts[host - config->hosts]);
    return host;
}

static void fetch_lists(const struct authority *authority, const struct host *host)
{
    __builtin_prefetch(host->name);
    __builtin_prefetch(host->keys);
    tally_prefetch(tally_host_of(&authority->tally, host), 0);
}

static void fetch_keys(const struct authority *authority, const struct host *host, int step)
{
    for (size_t i = 0; i < host->key_count; i++)
        token_key_prefetch(host->keys[i], step);
    tally_prefetch(tally_host_of(&authority->tally, host), step + 1);
}

/* The question that is looked at so many steps from now is the one to be answered that much later. */
static struct foreseen *after(struct foresight *foresight, size_t steps)
{
    return &foresight->ahead[(foresight->place + steps) % FORESIGHT_STEPS];
}

void foresight_step(struct foresight *foresight)
{
    const struct authority *authority = foresight->authority;

    if (authority == NULL)
        return;
    for (int step = 0; step < TOKEN_KEY_FETCHES; step++) {
        const struct host *host = after(foresight, (size_t)(TOKEN_KEY_FETCHES - 1 - step))->host;

        if (host != NULL)
            fetch_keys(authority, host, step);
    }
    if (after(foresight, 3)->host != NULL)
        fetch_lists(authority, after(foresight, 3)->host);
    after(foresight, 4)->host = fetch_host(foresight, after(foresight, 4)->hash);
    after(foresight, 5)->hash = look(foresight);
    after(foresight, 5)->host = NULL;
    foresight->place = (foresight->place + 1) % FORESIGHT_STEPS;
}
