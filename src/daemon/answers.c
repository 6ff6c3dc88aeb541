#include "daemon/answers.h"

#include <stdlib.h>

void place_pool_init(struct place_pool *pool)
{
    TAILQ_INIT(&pool->unused);
}

void place_pool_deinit(struct place_pool *pool)
{
    while (!TAILQ_EMPTY(&pool->unused)) {
        struct answer_place *place = TAILQ_FIRST(&pool->unused);

        TAILQ_REMOVE(&pool->unused, place, next);
        free(place);
    }
}

void answers_init(struct answers *answers, struct place_pool *pool,
                  void (*on_filled)(struct answers *answers))
{
    *answers = (struct answers){.pool = pool, .on_filled = on_filled};
    TAILQ_INIT(&answers->open_places);
}

static void give_back(struct answer_place *place)
{
    struct answers *answers = place->answers;

    TAILQ_REMOVE(&answers->open_places, place, next);
    TAILQ_INSERT_HEAD(&answers->pool->unused, place, next);
}

void answers_clear(struct answers *answers)
{
    while (!TAILQ_EMPTY(&answers->open_places)) {
        struct answer_place *place = TAILQ_FIRST(&answers->open_places);

        asker_withdraw(&place->asker);
        give_back(place);
    }
    bytes_clear(&answers->output);
}

static void encode(const struct answers *answers, enum answer answer, uint8_t *bytes)
{
    if (answer == ANSWER_TRY_AGAIN && !answers->understands_try_again)
        answer = ANSWER_NO;
    answers->protocol->encode(answer, bytes);
}

int answers_add(struct answers *answers, enum answer answer)
{
    uint8_t *bytes = bytes_extend(&answers->output, answers->protocol->answer_size);

    if (bytes == NULL)
        return -1;
    encode(answers, answer, bytes);
    return 0;
}

void answers_fill(struct answer_place *place, enum answer answer)
{
    struct answers *answers = place->answers;

    encode(answers, answer,
           answers->output.data + answers->output.start + (place->position - answers->written));
    give_back(place);
}

static void on_answer(struct asker *asker, enum answer answer)
{
    struct answer_place *place = (struct answer_place *)asker;
    struct answers *answers = place->answers;

    answers_fill(place, answer);
    answers->on_filled(answers);
}

static struct answer_place *take_place(struct place_pool *pool)
{
    struct answer_place *place = TAILQ_FIRST(&pool->unused);

    if (place != NULL)
        TAILQ_REMOVE(&pool->unused, place, next);
    else
        place = calloc(1, sizeof(*place));
    return place;
}

struct answer_place *answers_reserve(struct answers *answers, uint64_t connection)
{
    struct answer_place *place = take_place(answers->pool);
    uint64_t position = answers->written + answers_size(answers);

    if (place == NULL)
        return NULL;
    /* Until it is known the place says try again or no: whatever may go wrong, nothing but an
     * earned yes is ever written. */
    if (answers_add(answers, ANSWER_TRY_AGAIN) != 0) {
        TAILQ_INSERT_HEAD(&answers->pool->unused, place, next);
        return NULL;
    }
    *place = (struct answer_place){.asker = {.answer = on_answer, .connection = connection},
                                   .answers = answers,
                                   .position = position};
    TAILQ_INSERT_TAIL(&answers->open_places, place, next);
    return place;
}

size_t answers_size(const struct answers *answers)
{
    return bytes_size(&answers->output);
}

size_t answers_ready(const struct answers *answers)
{
    const struct answer_place *open = TAILQ_FIRST(&answers->open_places);

    return open == NULL ? answers_size(answers) : (size_t)(open->position - answers->written);
}

const uint8_t *answers_front(const struct answers *answers)
{
    return answers->output.data + answers->output.start;
}

void answers_consume(struct answers *answers, size_t size)
{
    answers->written += size;
    bytes_consume(&answers->output, size);
}
