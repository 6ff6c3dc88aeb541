#include "daemon/user_rules.h"

bool user_exists(const struct host *host, const struct accounts *accounts,
                 const struct question *question)
{
    char jid[BARE_JID_MAX];

    switch (host->is_user.mode) {
    case IS_USER_ALWAYS:
        return true;
    case IS_USER_NEVER:
        break;
    case IS_USER_SEEN:
        return accounts_has_seen(accounts, jid, question_bare_jid(question, jid));
    case IS_USER_FILE:
        return user_list_holds(&host->users, question->user, question->user_length, question->host,
                               question->host_length);
    }
    return false;
}

bool user_is_denied(const struct accounts *accounts, const struct question *question,
                    int64_t seconds)
{
    char jid[BARE_JID_MAX];

    if (accounts_denied_count(accounts) == 0)
        return false;
    return accounts_is_denied(accounts, jid, question_bare_jid(question, jid), seconds);
}

void user_note_seen(enum is_user_mode is_user, struct accounts *accounts,
                    const struct question *question, int64_t seconds)
{
    char jid[BARE_JID_MAX];

    /* A name that no JID can have is none's: the operator's own, to try a login with. */
    if (is_user == IS_USER_SEEN && question_user_may_be(question))
        accounts_note_seen(accounts, jid, question_bare_jid(question, jid), seconds);
}
