#ifndef RELAY_TERMINAL_H
#define RELAY_TERMINAL_H

#include "relay/asker.h"
#include "relay/upstream.h"

/*
 * The relay for a chat server that runs it on a pseudo-terminal: Prosody's
 * mod_auth_external_insecure with lpty.
 *
 * That module writes a question, then takes whatever it reads next, within 5 s, for its answer.
 * Whatever else lies in the terminal shifts every answer by one from then on, and a wrong password
 * is let in by the yes of the question before. So here silence is the safe answer, and a yes is
 * written only while the module certainly waits for this one:
 *
 * - The terminal echoes what is written to it before the module's child has turned echo off, and
 * the module may have read only the first part of that echo. A terminal on which no relay has run
 * before (it bears no mark) gets no answer to its first question; the relay marks it, empties its
 * input and returns, and the module starts another. Where an echo can't be ruled out, that one
 * gives no answer to its first question either: only an unanswered question makes the module read
 * what is left of the echo.
 * - An answer is due 4 s after the moment at which the question may have arrived, not at which it
 * was read: the time since the input was last seen empty counts, be it spent in a stopped or
 * starved process. When it is too late for an answer, the relay marks the terminal, empties its
 * input and returns without one. A question that is written to a relay just as it returns may be
 * found by the next one, which therefore leaves its first question unanswered too.
 * - Exactly one line is a question. With more than that, none of it is asked and one 0 is written:
 * somebody has sent a line feed inside a password, and the last line's yes would be given to the
 * first line's user.
 *
 * Returns when the relay is to exit, with status 0: the module never restarts a program that ended
 * otherwise.
 */
void relay_terminal_run(struct relay_asker *asker, struct relay_upstream *upstream);

#endif
