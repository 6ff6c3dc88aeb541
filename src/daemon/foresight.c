#include "daemon/foresight.h"

static void find(struct foresight *foresight, struct foreseen *foreseen)
{
    struct frame frame;

    foreseen->status = FRAME_INCOMPLETE;
    foreseen->host = NULL;
    if (foresight->next < foresight->end)
        foreseen->status = foresight->protocol->find_frame(
            foresight->next, (size_t)(foresight->end - foresight->next), foresight->maximum,
            &frame);
    if (foreseen->status != FRAME_COMPLETE) {
        /* Nothing behind it is looked at, nor is it itself again. */
        foresight->next = foresight->end;
        return;
    }
    foresight->next += frame.size;
    foreseen->size = frame.size;
    foreseen->question = foresight->protocol->understand(frame.text, frame.length,
                                                         foresight->pinned, foresight->user);
}

/* The host by its hash alone: its place in the table is fetched. */
static void look(struct foresight *foresight, struct foreseen *foreseen)
{
    const struct question *question = &foreseen->question;

    find(foresight, foreseen);
    foreseen->row = NULL;
    if (foreseen->status == FRAME_COMPLETE)
        foreseen->hash = name_table_expect(&foresight->authority->config->host_table,
                                           question->host, question->host_length);
}

/* By now the place is there, and tells where the host is. */
static void fetch_host(struct foresight *foresight, struct foreseen *foreseen)
{
    const struct authority *authority = foresight->authority;
    const struct config *config = authority->config;

    if (foreseen->status != FRAME_COMPLETE)
        return;
    foreseen->host = name_table_guess(&config->host_table, foreseen->hash);
    /* Who asks about one host again and again has its memory at hand. */
    if (foreseen->host == NULL || foreseen->host == foresight->last)
        return;
    foresight->last = foreseen->host;
    foreseen->row = &authority->tally.hosts[foreseen->host - config->hosts];
    prefetch_lines(config_verifier(config, foreseen->host), sizeof(struct verifier));
    __builtin_prefetch(foreseen->row);
}

/* The verifier is there, and its first key, and tell where all else is. */
static void fetch_rest(const struct foresight *foresight, const struct foreseen *foreseen)
{
    const struct judge_keys *keys;

    if (foreseen->row == NULL)
        return;
    keys = &config_verifier(foresight->authority->config, foreseen->host)->keys;
    for (size_t i = 0; i < keys->count; i++)
        token_key_prefetch(keys->keys[i]);
    tally_prefetch(*foreseen->row);
}

static struct foreseen *after(struct foresight *foresight, unsigned steps)
{
    return &foresight->ahead[(foresight->place + steps) % FORESIGHT_PLACES];
}

/* Gives the place of the next request. */
static struct foreseen *step(struct foresight *foresight)
{
    fetch_rest(foresight, after(foresight, 1));
    fetch_host(foresight, after(foresight, 2));
    look(foresight, after(foresight, FORESIGHT_STEPS));
    return after(foresight, 0);
}

void foresight_begin(struct foresight *foresight, const struct authority *authority,
                     const struct protocol *protocol, const char *pinned, size_t maximum,
                     const uint8_t *data, size_t size)
{
    foresight->authority = authority;
    foresight->protocol = protocol;
    foresight->pinned = pinned;
    foresight->maximum = maximum;
    foresight->next = data;
    foresight->end = data + size;
    foresight->looks_ahead =
        size > 0 && authority->config->host_count >= MANY_HOSTS && !protocol->asks_once;
    if (!foresight->looks_ahead)
        return;
    foresight->last = NULL;
    for (size_t i = 0; i < FORESIGHT_PLACES; i++)
        foresight->ahead[i] = (struct foreseen){.status = FRAME_INCOMPLETE};
    for (foresight->place = 0; foresight->place < FORESIGHT_STEPS; foresight->place++)
        step(foresight);
}

const struct foreseen *foresight_next(struct foresight *foresight)
{
    const struct foreseen *next = &foresight->ahead[0];

    if (!foresight->looks_ahead) {
        find(foresight, &foresight->ahead[0]);
        return next;
    }
    next = step(foresight);
    foresight->place++;
    return next;
}
