#include "ctl/jid.h"

#include <stdio.h>
#include <string.h>

#include "ctl/report.h"

const char jid_complaint[] = "USER@HOST breaks the rules for names: neither may be empty or hold "
                             "@ / : or control characters";

int jid_split(char *text, struct jid *jid_r)
{
    char *at = strchr(text, '@');

    if (at == NULL) {
        ctl_complain("the user is written USER@HOST, such as alice@example.org");
        return -1;
    }
    if (strpbrk(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != NULL)
        ctl_complain("warning: USER@HOST holds upper case letters; chat servers ask in lower case, "
                     "and a token counts for exactly the letters that it was made for");
    *at = '\0';
    *jid_r = (struct jid){.user = text, .host = at + 1};
    return 0;
}

size_t jid_write_question(const struct jid *jid, const char *command, const char *password,
                          size_t password_length, char text_r[REQUEST_MAX])
{
    char head[REQUEST_MAX + 1];
    int length = snprintf(head, sizeof(head), "%s:%s:%s%s", command, jid->user, jid->host,
                          password == NULL ? "" : ":");

    if (length < 0 || (size_t)length + password_length > REQUEST_MAX)
        return 0;
    memcpy(text_r, head, (size_t)length);
    if (password_length > 0)
        memcpy(text_r + length, password, password_length);
    return (size_t)length + password_length;
}

bool jid_is_asked(const struct jid *jid, const char *text, size_t length,
                  struct question *question_r)
{
    struct question question = question_parse(text, length);

    /* A colon in a name would move what follows into the next field. */
    if ((question.kind != QUESTION_AUTH && question.kind != QUESTION_IS_USER) ||
        question.user_length != strlen(jid->user) || question.host_length != strlen(jid->host))
        return false;
    *question_r = question;
    return true;
}

bool jid_can_be_asked(const struct jid *jid)
{
    char text[REQUEST_MAX];
    struct question question;
    size_t length = jid_write_question(jid, "isuser", NULL, 0, text);

    return length > 0 && jid_is_asked(jid, text, length, &question);
}
