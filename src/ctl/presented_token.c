#include "ctl/presented_token.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "ctl/report.h"

static const char *operand_of(const struct arguments *arguments)
{
    return arguments->operand_count > 1 ? arguments->operands[1] : NULL;
}

bool presented_token_is_piped(const struct arguments *arguments)
{
    const char *operand = operand_of(arguments);

    return operand == NULL ? arguments->values[OPTION_TOKEN_FILE] == NULL
                           : strcmp(operand, "-") == 0;
}

static int take_operand(char *operand, struct presented_token *token_r)
{
    size_t length = strlen(operand);

    if (length > 0 && length <= sizeof(token_r->text)) {
        memcpy(token_r->text, operand, length);
        token_r->length = length;
    }
    OPENSSL_cleanse(operand, length);
    if (token_r->length > 0)
        return 0;
    ctl_complain("the TOKEN is %s", length == 0 ? "empty" : "longer than any question");
    return -1;
}

/* The next byte: 1, 0 at the end, or -1. Byte by byte, so that the next line is still there for
 * whoever reads next, and no copy stays in a buffer. */
static ssize_t read_byte(int descriptor, char *byte_r)
{
    ssize_t got;

    do
        got = read(descriptor, byte_r, 1);
    while (got < 0 && errno == EINTR);
    return got;
}

static int read_line(int descriptor, const char *name, struct presented_token *token_r)
{
    ssize_t got;
    char byte;

    while ((got = read_byte(descriptor, &byte)) == 1 && byte != '\n') {
        if (token_r->length == sizeof(token_r->text)) {
            ctl_complain("the first line of %s is longer than any question", name);
            return -1;
        }
        token_r->text[token_r->length++] = byte;
    }
    if (got < 0) {
        ctl_complain("%s: %s", name, strerror(errno));
        return -1;
    }
    if (token_r->length > 0 && token_r->text[token_r->length - 1] == '\r')
        token_r->length--;
    if (token_r->length > 0)
        return 0;
    ctl_complain("no token in the first line of %s", name);
    return -1;
}

static int read_file(const char *path, struct presented_token *token_r)
{
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    int result;

    if (descriptor < 0) {
        ctl_complain("%s: %s", path, strerror(errno));
        return -1;
    }
    result = read_line(descriptor, path, token_r);
    close(descriptor);
    return result;
}

static int read_standard_input(struct presented_token *token_r)
{
    static const char prompt[] = "token: ";

    if (isatty(STDIN_FILENO) &&
        write(STDERR_FILENO, prompt, sizeof(prompt) - 1) != (ssize_t)sizeof(prompt) - 1)
        return -1;
    return read_line(STDIN_FILENO, "standard input", token_r);
}

int presented_token_take(const struct arguments *arguments, struct presented_token *token_r)
{
    const char *path = arguments->values[OPTION_TOKEN_FILE];

    token_r->length = 0;
    if (path != NULL && operand_of(arguments) != NULL) {
        ctl_complain("the token is given twice: as TOKEN and by --token-file");
        return -1;
    }
    if (presented_token_is_piped(arguments))
        return read_standard_input(token_r);
    return path != NULL ? read_file(path, token_r) : take_operand(arguments->operands[1], token_r);
}

void presented_token_wipe(struct presented_token *token)
{
    OPENSSL_cleanse(token, sizeof(*token));
}
