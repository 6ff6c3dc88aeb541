#ifndef RELAY_ASKER_H
#define RELAY_ASKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The chat server at our standard input and output, and the one place where the relay waits:
 * whatever it waits for, it also notices that nobody is left to wait for it.
 *
 * The descriptors stay in blocking mode (they may be one terminal, or shared with the chat server
 * itself, and the mode is the open file's, not ours). They are read or written only when poll()
 * says that it can be done at once.
 */
struct relay_asker {
    int in;
    int out;
    bool terminal; /* in is a terminal; its hang-up ends all at once */

    /*
     * Nothing more will come after what is still in the pipe. The questions in it are answered
     * nevertheless (a shell's `printf ... | xmpp-extauth`), but no wait lasts longer than until
     * patience_end; once a wait has lasted that long, the other questions are denied unasked.
     */
    bool ended;
    bool out_of_patience;
    int64_t patience_end;
};

enum relay_wake {
    RELAY_WAKE_INPUT,    /* questions can be read, or the end of input */
    RELAY_WAKE_DAEMON,   /* what was waited for on the daemon's descriptor has come, and in time */
    RELAY_WAKE_DEADLINE, /* the deadline has come, or the patience with an ended input is used up */
    RELAY_WAKE_GONE,     /* the chat server is gone: exit */
};

/*
 * Waits for input (if asked to), for events on the daemon's descriptor (-1: none), and until
 * deadline (relay_now()'s clock). With a deadline that has passed it looks once and returns. Input
 * goes before the deadline, the deadline before the daemon: what the daemon says too late has not
 * been said.
 */
enum relay_wake relay_asker_wait(struct relay_asker *asker, int daemon, short events, bool input,
                                 int64_t deadline);

/*
 * Reads what is there, after RELAY_WAKE_INPUT. Returns the bytes read (1 to size), 0 if there were
 * none after all, -1 at the end of input or on an error: exit.
 */
int relay_asker_read(struct relay_asker *asker, uint8_t *buffer, size_t size);

/* Starts the patience with an ended input afresh: call it as the next question's turn comes. */
void relay_asker_begin_question(struct relay_asker *asker);

/* Waits until output can be written: RELAY_WAKE_DAEMON (it can), RELAY_WAKE_DEADLINE or
 * RELAY_WAKE_GONE. */
enum relay_wake relay_asker_wait_writable(struct relay_asker *asker, int64_t deadline);

/*
 * Writes an answer: one write(), another only for what a full pipe did not take. 0, or -1 if nobody
 * reads any more: exit.
 */
int relay_asker_write(struct relay_asker *asker, const char *bytes, size_t length);

#endif
