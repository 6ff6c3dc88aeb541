/* The daemon's sockets, and a chat server's questions asked as one would. */
#ifndef CTL_ASK_H
#define CTL_ASK_H

#include "ctl/arguments.h"
#include "ctl/talk.h"
#include "wire/protocol.h"

/*
 * Connects to the path that an option gives, else to the configuration's: OPTION_SOCKET for its
 * first listener, OPTION_CONTROL for its control socket. Where the option is given the
 * configuration is not looked at: who may ask may not read it. Returns 0, or -1 after a complaint.
 */
__attribute__((warn_unused_result)) int
ask_connect(struct talk *talk_r, const struct arguments *arguments, enum option option);

/* Asks one question of length bytes (1 to REQUEST_MAX). Returns 0 and the answer, or -1 after a
 * complaint. */
__attribute__((warn_unused_result)) int ask_question(struct talk *talk,
                                                     const struct protocol *protocol,
                                                     const char *text, size_t length,
                                                     enum answer *answer_r);

/* Says that this client understands try-again, length-framed as that is; whatever is answered.
 * Returns 0, or -1 after a complaint. */
__attribute__((warn_unused_result)) int ask_for_try_again(struct talk *talk);

#endif
