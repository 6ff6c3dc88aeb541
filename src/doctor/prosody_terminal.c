#include <stdio.h>
#include <string.h>

#include "doctor/prosody.h"
#include "doctor/shell_words.h"

enum { LINE_SIZE = 512 };

static bool is_relay(const char *path)
{
    const char *slash = strrchr(path, '/');

    return strcmp(slash == NULL ? path : slash + 1, "xmpp-extauth") == 0;
}

/* The socket that the program asks at: its own default, or that of its `#!` line. NULL: not known.
 */
static const char *socket_of(struct examination *examination, const char *path)
{
    static const char usual[] = "/run/xmpp-authd/auth.sock";
    struct shell_words words = {.count = 0};
    char line[LINE_SIZE] = "";
    FILE *stream;

    if (is_relay(path))
        return usual;
    stream = fopen(path, "re");
    if (stream == NULL)
        return NULL;
    if (fgets(line, sizeof(line), stream) == NULL)
        line[0] = '\0';
    fclose(stream);
    line[strcspn(line, "\n")] = '\0';
    if (strncmp(line, "#!", 2) != 0 || shell_words_split(&words, line + 2) != 0 ||
        words.count == 0 || !is_relay(words.words[0]))
        return NULL;
    return words.count > 1 ? findings_text(examination->findings, "%s", words.words[1]) : usual;
}

static void check_command(struct examination *examination, const struct node *command,
                          const struct prosody_host *host)
{
    struct route route = {
        .host = host->name, .command = command->text, .lines = true, .place = command->place};
    const char *socket;

    if (strpbrk(command->text, " \t") != NULL) {
        findings_add(examination->findings, FINDING_RELAY_PROGRAM, &command->place,
                     findings_text(examination->findings,
                                   "a file with the one line #!%s SOCKET, and its path here",
                                   examination->relay),
                     "external_auth_command of %s is one path, and takes no arguments", host->name);
        return;
    }
    if (!examination_check_program(examination, command->text, &command->place))
        return;
    socket = socket_of(examination, command->text);
    if (socket != NULL)
        examination_check_socket(examination, socket, true, &command->place);
    else
        examination_pass(examination, &command->place,
                         "%s is not xmpp-extauth: whom it asks is not known here", command->text);
    examination_add_route(examination, &route, 1);
}

void prosody_examine_terminal(struct examination *examination, const struct prosody_config *config,
                              const struct prosody_host *host, const struct node *provider)
{
    const struct node *command = prosody_config_setting(config, host, "external_auth_command");
    const struct node *protocol = prosody_config_setting(config, host, "external_auth_protocol");

    findings_add(examination->findings, FINDING_TERMINAL_ROUTE, &provider->place,
                 "authentication = \"xmpp_authd\"",
                 "mod_auth_external asks for %s through a terminal, and stops all of Prosody while "
                 "it waits; xmpp-authd's own module does neither",
                 host->name);
    if (node_is(protocol, "ejabberd"))
        findings_add(examination->findings, FINDING_RELAY_PROGRAM, &protocol->place,
                     "external_auth_protocol = \"generic\"",
                     "ejabberd's framing can't pass mod_auth_external's terminal: every login of "
                     "%s is refused",
                     host->name);
    if (command == NULL)
        findings_add(examination->findings, FINDING_RELAY_PROGRAM, &provider->place,
                     findings_text(examination->findings, "external_auth_command = \"%s\"",
                                   examination->relay),
                     "%s has no external_auth_command: there is nobody to ask", host->name);
    else if (command->kind != NODE_TEXT)
        examination_pass(examination, &command->place,
                         "external_auth_command of %s is not known here", host->name);
    else
        check_command(examination, command, host);
}
