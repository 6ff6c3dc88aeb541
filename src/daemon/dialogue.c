#include "daemon/dialogue.h"

#include <string.h>

#include "daemon/foresight.h"

void dialogue_init(struct dialogue *dialogue, struct server *server, size_t listener,
                   void (*on_filled)(struct answers *answers))
{
    static const struct protocol *const protocols[] = {
        [PROTOCOL_AUTO] = NULL, /* until the first byte tells */
        [PROTOCOL_GENERIC] = &protocol_generic,
        [PROTOCOL_EJABBERD] = &protocol_ejabberd,
        [PROTOCOL_SASLAUTHD] = &protocol_saslauthd,
    };

    *dialogue = (struct dialogue){
        .server = server, .number = server->accepted, .listener = (uint32_t)listener};
    answers_init(&dialogue->answers, &server->places, on_filled);
    dialogue->answers.protocol = protocols[server->config->listeners[listener].protocol];
}

void dialogue_clear(struct dialogue *dialogue)
{
    bytes_clear(&dialogue->input);
    answers_clear(&dialogue->answers);
}

bool dialogue_is_full(const struct dialogue *dialogue)
{
    return answers_size(&dialogue->answers) >=
           (size_t)dialogue->server->config->server->max_pending;
}

/* `features:tryagain` counts as a connection's first question alone, and needs length framing. */
static bool begins_try_again(const struct dialogue *dialogue, const struct question *question)
{
    return question->kind == QUESTION_TRY_AGAIN && !dialogue->has_asked &&
           dialogue->answers.protocol == &protocol_ejabberd;
}

/* Asks the authority, with a place kept for the answer. -1 where memory is short. */
static int ask(struct dialogue *dialogue, const struct foreseen *request)
{
    struct server *server = dialogue->server;
    struct answer_place *place = answers_reserve(&dialogue->answers, dialogue->number);
    int answer;

    if (place == NULL)
        return -1;
    answer = authority_ask(&server->authority, &request->question, request->host,
                           server_now(server), &place->asker);
    if (answer != ANSWER_PENDING)
        answers_fill(place, (enum answer)answer);
    return 0;
}

static int take_question(struct dialogue *dialogue, const struct foreseen *request)
{
    if (begins_try_again(dialogue, &request->question)) {
        dialogue->answers.understands_try_again = true;
        return answers_add(&dialogue->answers, ANSWER_YES);
    }
    return ask(dialogue, request);
}

static enum dialogue_state refuse_unframed(struct dialogue *dialogue, const char **why_r)
{
    authority_refuse_unframed(&dialogue->server->authority, server_now(dialogue->server),
                              dialogue->number);
    if (answers_add(&dialogue->answers, ANSWER_NO) != 0) {
        *why_r = "memory is short";
        return DIALOGUE_FAILED;
    }
    *why_r = "a question is too long";
    return DIALOGUE_OVER;
}

/* Answers the next question, if there is a whole one, and adds its bytes to *used. */
static enum dialogue_state answer_one(struct dialogue *dialogue, struct foresight *foresight,
                                      size_t *used, const char **why_r)
{
    const struct foreseen *request = foresight_next(foresight);

    switch (request->status) {
    case FRAME_INCOMPLETE:
        return DIALOGUE_OPEN;
    case FRAME_COMPLETE:
        break;
    case FRAME_TOO_LONG:
        return refuse_unframed(dialogue, why_r);
    }
    *why_r = "memory is short";
    if (take_question(dialogue, request) != 0)
        return DIALOGUE_FAILED;
    *used += request->size;
    dialogue->has_asked = true;
    dialogue->progressed = true;
    *why_r = "its one question is asked";
    if (dialogue->answers.protocol->asks_once)
        return DIALOGUE_OVER;
    return dialogue_is_full(dialogue) ? DIALOGUE_FULL : DIALOGUE_OPEN;
}

/* Answers the questions in data until it must stop; *used_r: how many bytes were used up. */
static enum dialogue_state answer_all(struct dialogue *dialogue, const uint8_t *data, size_t size,
                                      size_t *used_r, const char **why_r)
{
    enum dialogue_state state = DIALOGUE_OPEN;
    const struct config *config = dialogue->server->config;
    struct foresight foresight;
    size_t before;

    *used_r = 0;
    if (size > 0 && dialogue->answers.protocol == NULL)
        dialogue->answers.protocol = protocol_of_first_byte(data[0]);
    /* A reload leaves number and order of the listeners as they are. */
    foresight_begin(&foresight, &dialogue->server->authority, dialogue->answers.protocol,
                    config->listeners[dialogue->listener].host, (size_t)config->server->max_request,
                    data, size);
    do {
        before = *used_r;
        state = answer_one(dialogue, &foresight, used_r, why_r);
    } while (state == DIALOGUE_OPEN && *used_r > before);
    return state;
}

/* Keeps what was taken and not used up for the next time. */
static int keep_input(struct dialogue *dialogue, const uint8_t *data, size_t size)
{
    uint8_t *place = size == 0 ? NULL : bytes_extend(&dialogue->input, size);

    if (place != NULL)
        memcpy(place, data, size);
    return size > 0 && place == NULL ? -1 : 0;
}

/* What is left over is kept, but for the bytes behind the last question. */
static enum dialogue_state take_directly(struct dialogue *dialogue, const uint8_t *data,
                                         size_t size, const char **why_r)
{
    size_t used;
    enum dialogue_state state = answer_all(dialogue, data, size, &used, why_r);

    if (state == DIALOGUE_OVER || keep_input(dialogue, data + used, size - used) == 0)
        return state;
    *why_r = "memory is short";
    return DIALOGUE_FAILED;
}

enum dialogue_state dialogue_take(struct dialogue *dialogue, const uint8_t *data, size_t size,
                                  const char **why_r)
{
    enum dialogue_state state;
    size_t used;

    /* Straight from where it was read, unless something was left over before. */
    if (bytes_size(&dialogue->input) == 0)
        return take_directly(dialogue, data, size, why_r);
    if (keep_input(dialogue, data, size) != 0) {
        *why_r = "memory is short";
        return DIALOGUE_FAILED;
    }
    state = answer_all(dialogue, dialogue->input.data + dialogue->input.start,
                       bytes_size(&dialogue->input), &used, why_r);
    bytes_consume(&dialogue->input, state == DIALOGUE_OVER ? bytes_size(&dialogue->input) : used);
    return state;
}
