#include "ctl/arguments.h"

#include <string.h>

#include "base/moment.h"
#include "base/nearest.h"
#include "base/number.h"
#include "base/timestamp.h"
#include "ctl/report.h"

/* The last second that timestamp_format() writes as a date. */
static const int64_t time_max = 253402300799;

const struct option_description option_descriptions[OPTION_COUNT] = {
    [OPTION_CONFIG] = {"-c", "--config", "FILE", "the daemon's configuration"},
    [OPTION_TIME] = {"--time", NULL, "TIME", "at this time: unix seconds or 2027-01-01T00:00:00Z"},
    [OPTION_NONCE] = {"--nonce", NULL, "DIGITS", "this nonce in place of a random one"},
    [OPTION_SECRETS] = {"--secrets", NULL, "FILE",
                        "the two secrets from a file such as Plone's secrets.cfg (-: standard\n"
                        "      input), in place of the configuration"},
    [OPTION_KEY] = {"--key", NULL, "NAME",
                    "the key of [key HOST NAME]; by default the first that is in date"},
    [OPTION_TOKEN_FILE] = {"--token-file", NULL, "FILE",
                           "the token from the first line of this file"},
    [OPTION_SOCKET] = {"--socket", NULL, "PATH",
                       "the daemon's socket; by default the configuration's first listener"},
    [OPTION_PROTOCOL] = {"--protocol", NULL, "NAME",
                         "the framing: ejabberd (the default) or generic"},
    [OPTION_CONTROL] = {"--control", NULL, "PATH",
                        "the daemon's control socket; by default the configuration's"},
    [OPTION_UNTIL] = {"--until", NULL, "TIME",
                      "up to this time: unix seconds or 2027-01-01T00:00:00Z"},
    [OPTION_NAME] = {"--name", NULL, "NAME", "the name of the new [key HOST NAME] section"},
    [OPTION_V2] = {"--v2", NULL, NULL, "a token of version 2"},
    [OPTION_LIFETIME] = {"--lifetime", NULL, "SECONDS",
                         "how long a token of version 2 is good; by default 60"},
    [OPTION_WRITE] = {"--write", NULL, NULL, "add the section to the configuration"},
    [OPTION_EJABBERD] = {"--ejabberd", NULL, "FILE", "ejabberd's configuration"},
    [OPTION_PROSODY] = {"--prosody", NULL, "FILE", "Prosody's configuration"},
    [OPTION_USER] = {"--user", NULL, "NAME", "the user that the chat server runs as"},
    [OPTION_FIX] = {"--fix", NULL, NULL,
                    "print a patch for what can be mended by one; findings go to standard error"},
    [OPTION_LOGFMT] = {"--logfmt", NULL, NULL, "lines of key=value, for scripts"},
    [OPTION_IGNORE] = {"--ignore", NULL, "NAMES",
                       "leave out findings of these names, with commas between them"},
    [OPTION_OFFLINE] = {"--offline", NULL, NULL, "look at files alone, and ask nobody anything"},
    [OPTION_ONCE] = {"--once", NULL, NULL, "write one page of text, after one interval, and end"},
    [OPTION_INTERVAL] = {"--interval", NULL, "SECONDS", "ask the daemon so often (default 2)"},
    [OPTION_CACERT] = {"--cacert", NULL, "FILE",
                       "trust these certificates in place of the system's"},
    [OPTION_HELP] = {"--help", "-h", NULL, "show this"},
    [OPTION_VERSION] = {"--version", NULL, NULL, "show the version"},
};

bool arguments_may_repeat(const char *word)
{
    size_t length = strlen(word);

    return length > 0 && length <= 20 && strspn(word, "abcdefghijklmnopqrstuvwxyz-") == length;
}

static void complain_of_option(const char *word)
{
    const char *words[OPTION_COUNT];
    const char *nearest;

    for (size_t i = 0; i < OPTION_COUNT; i++)
        words[i] = option_descriptions[i].word;
    nearest = nearest_name(word, words, OPTION_COUNT);
    if (!arguments_may_repeat(word))
        ctl_complain("unknown option; xmpp-authctl --help lists them");
    else if (nearest == NULL)
        ctl_complain("unknown option %s; xmpp-authctl --help lists them", word);
    else
        ctl_complain("unknown option %s; did you mean %s?", word, nearest);
}

static bool is_spelling(const struct option_description *description, const char *word)
{
    return strcmp(word, description->word) == 0 ||
           (description->alias != NULL && strcmp(word, description->alias) == 0);
}

/* The option that a word names; its value, where that stands behind a =. OPTION_COUNT: none. */
static enum option find_option(char *word, const char **attached_r)
{
    char *equals = strchr(word, '=');
    enum option option = OPTION_CONFIG;

    *attached_r = NULL;
    if (equals != NULL) {
        *equals = '\0';
        *attached_r = equals + 1;
    }
    while (option < OPTION_COUNT && !is_spelling(&option_descriptions[option], word))
        option++;
    return option;
}

/* Takes the option at argv[*at], and its value; leaves *at on the last word used. */
static int take_option(int argc, char **argv, int *at, struct arguments *arguments)
{
    const char *value;
    enum option option = find_option(argv[*at], &value);
    const struct option_description *description = &option_descriptions[option];

    if (option == OPTION_COUNT) {
        complain_of_option(argv[*at]);
        return -1;
    }
    if (description->value == NULL && value != NULL) {
        ctl_complain("%s takes no value", description->word);
        return -1;
    }
    if (description->value != NULL && value == NULL && ++*at < argc)
        value = argv[*at];
    if (description->value != NULL && value == NULL) {
        ctl_complain("%s needs a %s", description->word, description->value);
        return -1;
    }
    if (description->value != NULL && arguments->values[option] != NULL) {
        ctl_complain("%s is given twice: keep one", description->word);
        return -1;
    }
    arguments->values[option] = description->value == NULL ? "" : value;
    return 0;
}

static void take_operand(char *word, struct arguments *arguments)
{
    if (arguments->command == NULL) {
        arguments->command = word;
        return;
    }
    if (arguments->operand_count < OPERANDS_MAX)
        arguments->operands[arguments->operand_count] = word;
    arguments->operand_count++;
}

int arguments_parse(int argc, char **argv, struct arguments *arguments_r)
{
    bool options_end = false;

    *arguments_r = (struct arguments){0};
    for (int at = 1; at < argc; at++) {
        char *word = argv[at];

        if (!options_end && strcmp(word, "--") == 0)
            options_end = true;
        else if (options_end || word[0] != '-' || word[1] == '\0')
            take_operand(word, arguments_r);
        else if (take_option(argc, argv, &at, arguments_r) != 0)
            return -1;
    }
    return 0;
}

static int take_time(const struct arguments *arguments, enum option option, int64_t *seconds_r)
{
    const char *text = arguments->values[option];
    int64_t seconds = 0;

    if ((number_parse(text, strlen(text), &seconds) != 0 && timestamp_parse(text, &seconds) != 0) ||
        seconds < 0 || seconds > time_max) {
        ctl_complain("%s takes unix seconds or a time such as 2027-01-01T00:00:00Z, from 1970 "
                     "to 9999",
                     option_descriptions[option].word);
        return -1;
    }
    *seconds_r = seconds;
    return 0;
}

int arguments_time(const struct arguments *arguments, int64_t *seconds_r)
{
    if (arguments->values[OPTION_TIME] != NULL)
        return take_time(arguments, OPTION_TIME, seconds_r);
    *seconds_r = moment_seconds(moment_now());
    return 0;
}

int arguments_until(const struct arguments *arguments, int64_t *seconds_r)
{
    int64_t until = 0;

    if (arguments->values[OPTION_UNTIL] == NULL)
        return 0;
    if (take_time(arguments, OPTION_UNTIL, &until) != 0)
        return -1;
    if (until <= moment_seconds(moment_now())) {
        ctl_complain("--until takes a time to come");
        return -1;
    }
    *seconds_r = until;
    return 0;
}
