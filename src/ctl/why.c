/* why USER@HOST: why this user could not log in, or whether he could. */

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/logfmt.h"
#include "base/logfmt_line.h"
#include "ctl/command.h"
#include "ctl/control.h"
#include "ctl/explain.h"
#include "ctl/prepared_jid.h"
#include "ctl/report.h"

/* A domain or a JID has more than a word, and each of its bytes may be written as four. */
enum { WORD_SIZE = 64, NAME_SIZE = LOGFMT_LINE_MAX };

/* A value of a line, "" where it has none. */
struct word {
    char text[WORD_SIZE];
};

static struct word word_of(const char *line, const char *name)
{
    struct word word = {.text = ""};

    if (!logfmt_line_value(line, name, word.text, sizeof(word.text)))
        word.text[0] = '\0';
    return word;
}

static bool is(struct word word, const char *text)
{
    return strcmp(word.text, text) == 0;
}

/* What holds now, whatever happened before. */
static void print_user(const char *line)
{
    char jid[NAME_SIZE], section[NAME_SIZE];
    struct word opens = word_of(line, "opens"), offset = word_of(line, "clock_offset_s");

    if (!logfmt_line_value(line, "jid", jid, sizeof(jid)))
        jid[0] = '\0';
    if (logfmt_line_value(line, "section", section, sizeof(section)))
        printf("%s, judged by [host %s]\n", jid, section);
    else
        printf("%s\nnow: there is no section for this domain, so nobody can log in to it\n", jid);
    if (is(word_of(line, "denied"), "yes"))
        printf("now: denied by the operator; xmpp-authctl allow lets the user in again\n");
    if (opens.text[0] != '\0')
        printf("now: the daemon has just started, and refuses tokens minted before %s\n",
               opens.text);
    if (offset.text[0] != '\0')
        printf("now: the minters' clock is %s s off, as tokens of several users show\n",
               offset.text);
}

static void print_verdict(const char *line)
{
    struct word reason = word_of(line, "reason"), times = word_of(line, "times");
    struct word offset = word_of(line, "clock_offset_s"), key = word_of(line, "key");
    struct word fingerprint = word_of(line, "fingerprint"), question = word_of(line, "question");

    printf("\n%s  %s%s%s", word_of(line, "last").text, is(question, "auth") ? "" : question.text,
           is(question, "auth") ? "" : ": ", reason.text);
    if (!is(times, "1"))
        printf(", %s times since %s", times.text, word_of(line, "first").text);
    if (offset.text[0] != '\0')
        printf(", by a clock %s s off, its own age included", offset.text);
    if (fingerprint.text[0] != '\0')
        printf(", key %s%s%s", key.text, key.text[0] == '\0' ? "" : " ", fingerprint.text);
    printf("\n    %s\n", explain_reason(reason.text));
}

/* What the user's last login came to; CTL_ERROR where none is known. */
static enum ctl_status print_answer(char *answer)
{
    enum ctl_status status = CTL_ERROR;
    bool has_login = false;
    char *rest = NULL;

    for (char *line = strtok_r(answer, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        if (is(word_of(line, "what"), "user"))
            print_user(line);
        if (!is(word_of(line, "what"), "verdict"))
            continue;
        print_verdict(line);
        if (!has_login && is(word_of(line, "question"), "auth")) {
            has_login = true;
            status = is(word_of(line, "reason"), "allowed") ? CTL_YES : CTL_NO;
        }
    }
    if (!has_login)
        printf("\nno login is remembered: the chat server has not asked about this user since the "
               "daemon started, or so long ago that others took the place; is it asked about "
               "under this name, and are this daemon's sockets the ones that are asked?\n");
    return status;
}

static enum ctl_status run_why(struct arguments *arguments)
{
    char jid[PREPARED_JID_SIZE], request[CONTROL_REQUEST_MAX];
    enum ctl_status status = CTL_ERROR;
    char *answer;

    if (prepared_jid_take(arguments->operands[0], jid) != 0)
        return CTL_ERROR;
    snprintf(request, sizeof(request), "why %s\n", jid);
    answer = control_fetch_by(arguments, request);
    if (answer != NULL)
        status = print_answer(answer);
    free(answer);
    return status;
}

const struct command command_why = {
    .word = "why",
    .operands = "USER@HOST",
    .operands_min = 1,
    .operands_max = 1,
    .options = OPTION_BIT(OPTION_CONTROL),
    .meaning = "show the last verdicts on a user, each with what to do about it",
    .explanation =
        "Asks the running daemon, which remembers the last verdicts on some thousands\n"
        "of users, repeats as one. Exits with 0 if the last login was allowed, with 1\n"
        "if it was not, and with 2 if none is remembered or the daemon can't be asked.\n",
    .run = run_why,
};
