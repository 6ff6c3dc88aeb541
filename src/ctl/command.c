#include "ctl/command.h"

#include <string.h>

#include "base/nearest.h"
#include "ctl/report.h"

static const struct command *const commands[] = {
    &command_keygen, &command_rotate,       &command_keys,   &command_mint,  &command_check,
    &command_query,  &command_ping,         &command_status, &command_top,   &command_why,
    &command_deny,   &command_allow,        &command_denied, &command_users,
#ifdef HAVE_DOCTOR
    &command_doctor, &command_check_minter,
#endif
};

enum { COMMAND_COUNT = sizeof(commands) / sizeof(commands[0]) };

/* Taken by every command. */
static const unsigned common_options =
    OPTION_BIT(OPTION_CONFIG) | OPTION_BIT(OPTION_HELP) | OPTION_BIT(OPTION_VERSION);

const struct command *command_find(const char *word)
{
    const char *words[COMMAND_COUNT];
    const char *nearest;

    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(word, commands[i]->word) == 0)
            return commands[i];
        words[i] = commands[i]->word;
    }
    nearest = nearest_name(word, words, COMMAND_COUNT);
    if (!arguments_may_repeat(word))
        ctl_complain("the first word is no command; xmpp-authctl --help lists them");
    else if (nearest == NULL)
        ctl_complain("unknown command %s; xmpp-authctl --help lists them", word);
    else
        ctl_complain("unknown command %s; did you mean %s?", word, nearest);
    return NULL;
}

static int accepts_options(const struct command *command, const struct arguments *arguments)
{
    for (enum option option = 0; option < OPTION_COUNT; option++) {
        if (arguments->values[option] == NULL ||
            ((command->options | common_options) & OPTION_BIT(option)) != 0)
            continue;
        ctl_complain("%s takes no %s; see xmpp-authctl %s --help", command->word,
                     option_descriptions[option].word, command->word);
        return -1;
    }
    return 0;
}

int command_accepts(const struct command *command, const struct arguments *arguments)
{
    if (accepts_options(command, arguments) != 0)
        return -1;
    if (arguments->operand_count >= command->operands_min &&
        arguments->operand_count <= command->operands_max)
        return 0;
    if (arguments->operand_count < command->operands_min)
        ctl_complain("%s needs %s", command->word, command->operands);
    else if (strstr(command->operands, "TOKEN") != NULL)
        ctl_complain("%s takes %s and no more; a token holds a space: put it in quotes",
                     command->word, command->operands);
    else
        ctl_complain("%s takes %s and no more", command->word,
                     command->operands_max == 0 ? "options" : command->operands);
    return -1;
}

static void list_options(unsigned options, FILE *stream)
{
    for (enum option option = 0; option < OPTION_COUNT; option++) {
        const struct option_description *description = &option_descriptions[option];

        if ((options & OPTION_BIT(option)) != 0)
            fprintf(stream, "  %s%s%s\n      %s\n", description->word,
                    description->value == NULL ? "" : " ",
                    description->value == NULL ? "" : description->value, description->meaning);
    }
}

void command_usage(const struct command *command, FILE *stream)
{
    if (command != NULL) {
        fprintf(stream, "usage: xmpp-authctl %s%s%s [OPTION ...]\n\n%s\noptions:\n", command->word,
                command->operands[0] == '\0' ? "" : " ", command->operands, command->explanation);
        list_options(command->options | common_options, stream);
        return;
    }
    fputs("usage: xmpp-authctl [-c FILE] COMMAND ...\n\ncommands:\n", stream);
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        fprintf(stream, "  %s%s%s\n      %s\n", commands[i]->word,
                commands[i]->operands[0] == '\0' ? "" : " ", commands[i]->operands,
                commands[i]->meaning);
    fputs("\nxmpp-authctl COMMAND --help says more; so does xmpp-authctl(1).\n\noptions:\n",
          stream);
    list_options(common_options, stream);
}
