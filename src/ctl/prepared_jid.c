#include "ctl/prepared_jid.h"

#include <string.h>

#include "ctl/report.h"

static const char shape[] = "a user is written USER@HOST, such as alice@example.org";
static const char forbidden[] = "USER@HOST holds a character that names can't have";

static const char *words_for(enum name_fault fault)
{
    switch (fault) {
    case NAME_IS_EMPTY:
        return shape;
    case NAME_IS_TOO_LONG:
        return "neither USER nor HOST may be longer than 1023 bytes";
    case NAME_IS_NOT_UTF8:
        return "USER@HOST is not UTF-8";
    case NAME_IS_NOT_ASCII:
        return "this xmpp-authctl was built without ICU and takes names in ASCII alone";
    case NAME_IS_FORBIDDEN:
    case NAME_IS_RIGHT:
        break;
    }
    return forbidden;
}

int prepared_jid_make(const char *text, size_t length, char jid_r[PREPARED_JID_SIZE],
                      const char **error_r)
{
    const char *at = memchr(text, '@', length);
    char user[PREPARED_NAME_SIZE], host[PREPARED_NAME_SIZE];
    enum name_fault fault;
    size_t user_length;

    if (at == NULL) {
        *error_r = shape;
        return -1;
    }
    fault = prepared_user(text, (size_t)(at - text), user);
    if (fault == NAME_IS_RIGHT)
        fault = prepared_host(at + 1, (size_t)(text + length - at - 1), host);
    if (fault != NAME_IS_RIGHT) {
        *error_r = words_for(fault);
        return -1;
    }
    user_length = strlen(user);
    memcpy(jid_r, user, user_length);
    jid_r[user_length] = '@';
    memcpy(jid_r + user_length + 1, host, strlen(host) + 1);
    return 0;
}

int prepared_jid_take(const char *operand, char jid_r[PREPARED_JID_SIZE])
{
    const char *error;

    if (prepared_jid_make(operand, strlen(operand), jid_r, &error) != 0) {
        ctl_complain("%s", error);
        return -1;
    }
    if (strcmp(operand, jid_r) != 0)
        ctl_complain("note: chat servers ask about this user in another spelling, which is taken; "
                     "the answer shows it");
    return 0;
}
