#include "daemon/foresight.h"

static void find(struct foresight *foresight, struct foreseen *foreseen)
{
    enum frame_status status = FRAME_INCOMPLETE;
    struct frame frame;

    if (foresight->next < foresight->end)
        status = foresight->protocol->find_frame(foresight->next,
                                                 (size_t)(foresight->end - foresight->next),
                                                 foresight->maximum, &frame);
    foreseen->status = status;
    foreseen->host = NULL;
    if (status != FRAME_COMPLETE)
        return;
    foresight->next += frame.size;
    foreseen->size = frame.size;
    foreseen->question = foresight->protocol->understand(frame.text, frame.length,
                                                         foresight->pinned, foresight->user);
}

/* --- the steps */

static void find_ahead(struct foresight *foresight, struct foreseen *foreseen)
{
    const struct question *question = &foreseen->question;

    find(foresight, foreseen);
    if (foreseen->status == FRAME_COMPLETE)
        foreseen->host_number =
            config_host_guess(foresight->authority->config, question->host, question->host_length);
}

/* The number is there: the verifier is asked for, and where the host's row in the tally is. */
static void guess_host(struct foresight *foresight, struct foreseen *foreseen)
{
    const struct authority *authority = foresight->authority;
    size_t number = *foreseen->host_number;

    foreseen->host = &authority->config->hosts[number];
    /* Who asks about one host again and again has its memory at hand. */
    foreseen->comes_from_far = foreseen->host != foresight->last;
    if (!foreseen->comes_from_far)
        return;
    foresight->last = foreseen->host;
    prefetch_lines(&authority->config->verifiers[number], sizeof(struct verifier));
    __builtin_prefetch(&authority->tally.hosts[number]);
}

/* The verifier is there, and its first key, and tell where all else is. */
static void fetch_rest(const struct foresight *foresight, const struct foreseen *foreseen)
{
    const struct authority *authority = foresight->authority;
    const struct judge_keys *keys;

    if (!foreseen->comes_from_far)
        return;
    keys = &config_verifier(authority->config, foreseen->host)->keys;
    for (size_t i = 0; i < keys->count; i++)
        token_key_prefetch(keys->keys[i]);
    tally_prefetch(tally_host_of(&authority->tally, foreseen->host));
}

/* --- all of them */

static struct foreseen *at(struct foresight *foresight, unsigned number)
{
    return &foresight->ahead[number % FORESIGHT_PLACES];
}

/* Each step goes a stride further than the next one, and the last one a stride further than what is
 * answered until this is due again. Kept apart from what each request runs through, which would put
 * registers aside for it. */
__attribute__((noinline)) static void look_ahead(struct foresight *foresight)
{
    unsigned end = foresight->taken + FORESIGHT_PLACES;

    while (!foresight->is_over && foresight->found < end) {
        struct foreseen *foreseen = at(foresight, foresight->found);

        find_ahead(foresight, foreseen);
        foresight->is_over = foreseen->status != FRAME_COMPLETE;
        foresight->found += !foresight->is_over;
    }
    end -= FORESIGHT_STRIDE;
    for (; foresight->guessed < foresight->found && foresight->guessed < end; foresight->guessed++)
        guess_host(foresight, at(foresight, foresight->guessed));
    end -= FORESIGHT_STRIDE;
    for (; foresight->fetched < foresight->guessed && foresight->fetched < end;
         foresight->fetched++)
        fetch_rest(foresight, at(foresight, foresight->fetched));
    foresight->due = foresight->taken + FORESIGHT_STRIDE;
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
    /* One that asks once has a user's name in a place that all its requests share. */
    foresight->looks_ahead =
        size > 0 && authority->config->host_count >= MANY_HOSTS && !protocol->asks_once;
    foresight->is_over = false;
    foresight->last = NULL;
    foresight->taken = foresight->due = 0;
    foresight->found = foresight->guessed = foresight->fetched = 0;
}

const struct foreseen *foresight_next(struct foresight *foresight)
{
    if (!foresight->looks_ahead) {
        find(foresight, &foresight->ahead[0]);
        return &foresight->ahead[0];
    }
    if (foresight->taken == foresight->due)
        look_ahead(foresight);
    return at(foresight, foresight->taken++);
}
