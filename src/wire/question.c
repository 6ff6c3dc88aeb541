#include "wire/question.h"

#include <string.h>

struct command {
    const char *word; /* with the colon */
    size_t length;
    enum question_kind kind;
    bool has_password;
};

#define COMMAND(word, kind, has_password)                                                          \
    {                                                                                              \
        word ":", sizeof(word ":") - 1, kind, has_password                                         \
    }

static const struct command commands[] = {
    COMMAND("auth", QUESTION_AUTH, true),
    COMMAND("isuser", QUESTION_IS_USER, false),
    COMMAND("setpass", QUESTION_UNSUPPORTED, true),
    COMMAND("tryregister", QUESTION_UNSUPPORTED, true),
    COMMAND("removeuser", QUESTION_UNSUPPORTED, false),
    COMMAND("removeuser3", QUESTION_UNSUPPORTED, true),
    COMMAND("certauth", QUESTION_UNSUPPORTED, true),
};

static const struct command *find_command(const char *text, size_t length)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (length >= commands[i].length && memcmp(text, commands[i].word, commands[i].length) == 0)
            return &commands[i];
    }
    return NULL;
}

const struct question question_malformed = {
    .kind = QUESTION_MALFORMED, .user = "", .host = "", .password = ""};

bool question_has_control_bytes(const char *text, size_t length)
{
    unsigned char found = 0; /* as wide as what is looked at: many bytes are looked at together */

    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];

        found |= (unsigned char)((byte < 0x20) | (byte == 0x7f));
    }
    return found != 0;
}

static bool is_name(const char *text, size_t length)
{
    return length > 0 && memchr(text, '@', length) == NULL && memchr(text, '/', length) == NULL;
}

bool question_is_well_formed(const struct question *question)
{
    return is_name(question->user, question->user_length) &&
           is_name(question->host, question->host_length) &&
           memchr(question->host, ':', question->host_length) == NULL;
}

static bool split_fields(struct question *question, const char *rest, size_t length,
                         bool has_password)
{
    const char *end = rest + length;
    const char *colon = memchr(rest, ':', length);

    if (colon == NULL)
        return false;
    question->user = rest;
    question->user_length = (size_t)(colon - rest);
    question->host = colon + 1;
    colon = memchr(question->host, ':', (size_t)(end - question->host));
    if ((colon != NULL) != has_password)
        return false;
    if (!has_password)
        colon = end;
    question->host_length = (size_t)(colon - question->host);
    if (has_password) {
        question->password = colon + 1;
        question->password_length = (size_t)(end - question->password);
    }
    return question_is_well_formed(question);
}

struct question question_parse(const char *text, size_t length)
{
    static const char try_again[] = "features:tryagain";
    struct question question = question_malformed;
    const struct command *command = find_command(text, length);

    if (length == sizeof(try_again) - 1 && memcmp(text, try_again, length) == 0) {
        question.kind = QUESTION_TRY_AGAIN;
        return question;
    }
    if (command == NULL || question_has_control_bytes(text, length))
        return question_malformed;
    if (!split_fields(&question, text + command->length, length - command->length,
                      command->has_password))
        return question_malformed;
    question.kind = command->kind;
    return question;
}

size_t question_bare_jid(const struct question *question, char jid_r[BARE_JID_MAX])
{
    memcpy(jid_r, question->user, question->user_length);
    jid_r[question->user_length] = '@';
    memcpy(jid_r + question->user_length + 1, question->host, question->host_length);
    return question->user_length + 1 + question->host_length;
}

bool question_user_may_be(const struct question *question)
{
    static const char forbidden[] = "\"&'<> ";

    for (size_t i = 0; i < question->user_length; i++) {
        if (memchr(forbidden, question->user[i], sizeof(forbidden) - 1) != NULL)
            return false;
    }
    return true;
}
