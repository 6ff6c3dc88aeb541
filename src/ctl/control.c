#include "ctl/control.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/ask.h"
#include "ctl/report.h"

/* Passes bytes on as they come; nothing in them may move the terminal's cursor. */
static void pass_on(const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        putchar(bytes[i] == '\n' || isprint((unsigned char)bytes[i]) ? bytes[i] : '?');
    fflush(stdout);
}

/* Looks for lines that are errors, whatever pieces they come in. */
struct error_search {
    size_t matched; /* bytes of the word that this line began with */
    bool elsewhere; /* the line began with something else */
    bool found;
};

static void search(struct error_search *search, const char *bytes, size_t size)
{
    static const char word[] = "error=";

    for (size_t i = 0; i < size; i++) {
        if (bytes[i] == '\n') {
            search->matched = 0;
            search->elsewhere = false;
        } else if (!search->elsewhere && bytes[i] == word[search->matched]) {
            search->found = search->found || ++search->matched == sizeof(word) - 1;
        } else {
            search->elsewhere = true;
        }
        search->elsewhere = search->elsewhere || search->matched == sizeof(word) - 1;
    }
}

/* Up to the end that the daemon sets by closing. */
static int pass_all(struct talk *talk, bool is_list)
{
    struct error_search errors = {.found = false};
    char bytes[4096];
    char last = '\0';
    ssize_t got;

    while ((got = talk_receive(talk, bytes, sizeof(bytes))) > 0) {
        pass_on(bytes, (size_t)got);
        search(&errors, bytes, (size_t)got);
        last = bytes[got - 1];
        if (is_list)
            talk_extend(talk);
    }
    if (got < 0)
        return -1;
    if (last != '\n')
        ctl_complain("%s was closed %s: only root and the daemon's own user may ask there",
                     talk->path, last == '\0' ? "without an answer" : "in the middle of a line");
    else if (errors.found)
        ctl_complain("%s refused; if that is for an unknown command: is the daemon as new as this "
                     "xmpp-authctl?",
                     talk->path);
    return last == '\n' && !errors.found ? 0 : -1;
}

static enum ctl_status ask(const struct arguments *arguments, const char *request, size_t length,
                           bool is_list)
{
    enum ctl_status status = CTL_ERROR;
    struct talk talk;

    if (ask_connect(&talk, arguments, OPTION_CONTROL) != 0)
        return CTL_ERROR;
    if (talk_send(&talk, request, length) == 0 && pass_all(&talk, is_list) == 0)
        status = CTL_YES;
    talk_close(&talk);
    return status;
}

enum ctl_status control_ask(const struct arguments *arguments, const char *request, size_t length)
{
    return ask(arguments, request, length, false);
}

enum ctl_status control_list(const struct arguments *arguments, const char *request)
{
    return ask(arguments, request, strlen(request), true);
}

enum ctl_status control_askf(const struct arguments *arguments, const char *format, ...)
{
    char request[CONTROL_REQUEST_MAX + 1];
    va_list values;
    int length;

    va_start(values, format);
    /* clang-tidy 14 no longer knows va_start() in the second file of one run. */
    /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized) */
    length = vsnprintf(request, sizeof(request), format, values);
    va_end(values);
    if (length < 0 || (size_t)length >= sizeof(request)) {
        ctl_complain("the name is too long");
        return CTL_ERROR;
    }
    return control_ask(arguments, request, (size_t)length);
}

/* Up to the end that the daemon sets by closing; NULL after a complaint. */
static char *receive_whole(struct talk *talk, bool is_long)
{
    size_t used = 0, capacity = 0;
    char *text = NULL;
    ssize_t got = 1;

    while (got > 0) {
        if (capacity - used < 2) {
            char *larger = capacity < CONTROL_ANSWER_MAX ? realloc(text, capacity + 65536) : NULL;

            if (larger == NULL) {
                ctl_complain("%s answers with more than there is room for", talk->path);
                free(text);
                return NULL;
            }
            text = larger;
            capacity += 65536;
        }
        got = talk_receive(talk, text + used, capacity - used - 1);
        used += got > 0 ? (size_t)got : 0;
        if (is_long)
            talk_extend(talk);
    }
    text[used] = '\0';
    if (got == 0 && used > 0 && text[used - 1] == '\n' && strncmp(text, "error=", 6) != 0)
        return text;
    if (got == 0)
        ctl_complain(
            "%s gave no answer: only root and the daemon's own user may ask there, and the "
            "daemon must be as new as this xmpp-authctl",
            talk->path);
    free(text);
    return NULL;
}

/* Closes the talk. */
static char *fetch(struct talk *talk, const char *request, bool is_long)
{
    char *answer = NULL;

    if (talk_send(talk, request, strlen(request)) == 0)
        answer = receive_whole(talk, is_long);
    talk_close(talk);
    return answer;
}

char *control_fetch(const char *path, const char *request)
{
    struct talk talk;

    return talk_open(&talk, path) == 0 ? fetch(&talk, request, true) : NULL;
}

char *control_fetch_soon(const char *path, const char *request)
{
    struct talk talk;

    return talk_open(&talk, path) == 0 ? fetch(&talk, request, false) : NULL;
}

char *control_fetch_by(const struct arguments *arguments, const char *request)
{
    struct talk talk;

    return ask_connect(&talk, arguments, OPTION_CONTROL) == 0 ? fetch(&talk, request, false) : NULL;
}
