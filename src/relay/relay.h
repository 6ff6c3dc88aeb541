#ifndef RELAY_RELAY_H
#define RELAY_RELAY_H

/*
 * Relays the questions on standard input to the daemon at socket_path (borrowed) and its answers to
 * standard output: one answer a question, in order, one question at a time. Returns when the chat
 * server has closed or lost its side, or where the rules of a terminal say so (terminal.h), and
 * never because of anything the daemon or a client does.
 *
 * The caller has seen to it that descriptors 0 and 1 are open, and ignores SIGPIPE.
 */
void relay_run(const char *socket_path);

#endif
