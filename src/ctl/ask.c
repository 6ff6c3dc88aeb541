#include "ctl/ask.h"

#include <string.h>

#include <openssl/crypto.h>

#include "ctl/key_source.h"
#include "ctl/report.h"

int ask_connect(struct talk *talk_r, const struct arguments *arguments, enum option option)
{
    const char *path = arguments->values[option];
    const char *way_out = option == OPTION_SOCKET ? ", or name the daemon's socket with --socket"
                                                  : ", or name the control socket with --control";
    struct config *config;
    int result;

    if (path != NULL)
        return talk_open(talk_r, path);
    config = key_source_load_config(arguments, way_out);
    if (config == NULL)
        return -1;
    path = option == OPTION_SOCKET ? config->listeners[0].path : config->control_path;
    result = talk_open(talk_r, path);
    config_destroy(&config);
    return result;
}

/* Puts the framing around a question. Returns the frame's size. */
static size_t frame(const struct protocol *protocol, const char *text, size_t length,
                    char frame_r[REQUEST_MAX + REQUEST_OVERHEAD_MAX])
{
    if (protocol == &protocol_generic) {
        memcpy(frame_r, text, length);
        frame_r[length] = '\n';
        return length + 1;
    }
    frame_r[0] = (char)(length >> 8);
    frame_r[1] = (char)(length & 0xff);
    memcpy(frame_r + 2, text, length);
    return length + 2;
}

static int read_answer(struct talk *talk, const struct protocol *protocol, enum answer *answer_r)
{
    static const enum answer answers[] = {ANSWER_NO, ANSWER_YES, ANSWER_TRY_AGAIN};
    uint8_t received[ANSWER_SIZE_MAX], expected[ANSWER_SIZE_MAX];

    if (talk_receive_all(talk, received, protocol->answer_size) != 0)
        return -1;
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        protocol->encode(answers[i], expected);
        if (memcmp(received, expected, protocol->answer_size) == 0) {
            *answer_r = answers[i];
            return 0;
        }
    }
    ctl_complain("%s gave no answer of the %s protocol: is this xmpp-authd's socket, and does it "
                 "speak this protocol?",
                 talk->path, protocol->word);
    return -1;
}

int ask_question(struct talk *talk, const struct protocol *protocol, const char *text,
                 size_t length, enum answer *answer_r)
{
    char bytes[REQUEST_MAX + REQUEST_OVERHEAD_MAX];
    int result = talk_send(talk, bytes, frame(protocol, text, length, bytes));

    OPENSSL_cleanse(bytes, sizeof(bytes));
    return result == 0 ? read_answer(talk, protocol, answer_r) : -1;
}

int ask_for_try_again(struct talk *talk)
{
    static const char text[] = "features:tryagain";
    enum answer answer;

    return ask_question(talk, &protocol_ejabberd, text, sizeof(text) - 1, &answer);
}
