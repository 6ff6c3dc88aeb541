/* USER@HOST as an operator writes it, and as the daemon is asked about it. */
#ifndef CTL_JID_H
#define CTL_JID_H

#include <stdbool.h>
#include <stddef.h>

#include "wire/protocol.h"
#include "wire/question.h"

/* Both terminated, both borrowed from the text that was split. */
struct jid {
    const char *user;
    const char *host;
};

/*
 * Splits USER@HOST at its first @, in place. Says on standard error where it holds upper case
 * letters, for chat servers ask in lower case. Returns 0, or -1 after a complaint: there is no @.
 */
__attribute__((warn_unused_result)) int jid_split(char *text, struct jid *jid_r);

/*
 * Writes the question COMMAND:USER:HOST, with :PASSWORD where that is not NULL (password_length
 * bytes, any bytes), into text_r, unterminated. Returns its length, or 0 where no question is that
 * long.
 */
size_t jid_write_question(const struct jid *jid, const char *command, const char *password,
                          size_t password_length, char text_r[REQUEST_MAX]);

/*
 * Whether such a question's text asks about exactly this user and host by the rules of the wire:
 * true, and the question taken apart (borrows from text).
 */
bool jid_is_asked(const struct jid *jid, const char *text, size_t length,
                  struct question *question_r);

/* Whether a chat server can ask about this user and host at all. */
bool jid_can_be_asked(const struct jid *jid);

/* What to say where it can't. */
extern const char jid_complaint[];

#endif
