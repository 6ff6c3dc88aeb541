#include "daemon/control_commands.h"

#include <string.h>

#include "daemon/keys.h"
#include "daemon/status.h"
#include "daemon/why.h"
#include "wire/protocol.h"

/* Words in a request line: a byte and a blank each, at the least. */
enum { WORDS_MAX = REQUEST_MAX / 2 + 1 };

static const char memory_is_short[] = "error=\"memory is short\"\n";

static void write_status(struct server *server, const struct control_word *words, size_t count,
                         struct evbuffer *output)
{
    (void)words;
    (void)count;
    status_write(server, output);
}

struct command {
    const char *words; /* one or two, which the request begins with */
    size_t operands_min;
    size_t operands_max;
    void (*answer)(struct server *server, const struct control_word *operands, size_t count,
                   struct evbuffer *output); /* NULL: it answers with a list */
    enum accounts_kind list;
};

static const struct command commands[] = {
    {.words = "status", .answer = write_status},
    {.words = "keys", .operands_max = 1, .answer = keys_write},
    {.words = "why", .operands_min = 1, .operands_max = 1, .answer = why_write},
    {.words = "deny", .operands_min = 1, .operands_max = 2, .answer = users_deny},
    {.words = "allow", .operands_min = 1, .operands_max = 1, .answer = users_allow},
    {.words = "denied", .list = ACCOUNTS_DENIED},
    {.words = "users list", .list = ACCOUNTS_SEEN},
    {.words = "users forget", .operands_min = 1, .operands_max = 1, .answer = users_forget},
    {.words = "users import", .operands_min = 1, .operands_max = WORDS_MAX, .answer = users_import},
};

/* What follows a command's words: "" or from the blank on. NULL: it is another command. */
static const char *operands_of(const struct command *command, const char *request, size_t length)
{
    size_t words = strlen(command->words);

    if (length < words || memcmp(request, command->words, words) != 0 ||
        (length > words && request[words] != ' '))
        return NULL;
    return request + words;
}

/* Words stand behind one blank each. Returns how many there are, or more than WORDS_MAX where one
 * is empty. */
static size_t split(const char *text, const char *end, struct control_word words_r[WORDS_MAX])
{
    size_t count = 0;

    while (text < end) {
        const char *blank = memchr(text + 1, ' ', (size_t)(end - text - 1));
        const char *word_end = blank == NULL ? end : blank;

        if (word_end == text + 1 || count == WORDS_MAX)
            return WORDS_MAX + 1;
        words_r[count++] = (struct control_word){text + 1, (size_t)(word_end - text - 1)};
        text = word_end;
    }
    return count;
}

void control_command_answer(struct server *server, const char *request, size_t length,
                            struct evbuffer *output, struct users_listing **listing_r)
{
    struct control_word words[WORDS_MAX];

    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        const struct command *command = &commands[i];
        const char *operands = operands_of(command, request, length);
        size_t count;

        if (operands == NULL)
            continue;
        count = split(operands, request + length, words);
        if (count < command->operands_min || count > command->operands_max)
            continue;
        if (command->answer != NULL)
            command->answer(server, words, count, output);
        else if ((*listing_r = users_listing_begin(server, command->list)) == NULL)
            evbuffer_add(output, memory_is_short, sizeof(memory_is_short) - 1);
        return;
    }
    evbuffer_add_printf(output, "error=\"unknown command\"\n");
}
