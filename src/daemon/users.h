/* The operator's commands on users: who is denied, and who was seen. Each answers in logfmt lines;
 * what went wrong is a line error="...". */
#ifndef DAEMON_USERS_H
#define DAEMON_USERS_H

#include <event2/buffer.h>

#include "daemon/server.h"

/* A word of a request line, unterminated. */
struct control_word {
    const char *text;
    size_t length;
};

/* Whether a word is a USER@HOST that a chat server could ask about; writes the error where not. */
bool users_takes_jid(const struct control_word *word, struct evbuffer *output);

/* deny JID [UNTIL, in seconds since the epoch]. On the disk before it is answered. */
void users_deny(struct server *server, const struct control_word *words, size_t count,
                struct evbuffer *output);

/* allow JID. On the disk before it is answered. */
void users_allow(struct server *server, const struct control_word *words, size_t count,
                 struct evbuffer *output);

/* users forget JID. On the disk before it is answered. */
void users_forget(struct server *server, const struct control_word *words, size_t count,
                  struct evbuffer *output);

/* users import JID ...: all of the line, or none of it where a name breaks the rules. On the disk
 * before it is answered. */
void users_import(struct server *server, const struct control_word *words, size_t count,
                  struct evbuffer *output);

/* A list on its way to a client, written in portions: it holds no more than one of them in memory,
 * and the loop turns in between. */
struct users_listing;

/* Begins a list; NULL where memory is short. Released with users_listing_end(). */
struct users_listing *users_listing_begin(struct server *server, enum accounts_kind kind);

/* Writes the next portion. False: that was the last. */
bool users_listing_continue(struct users_listing *listing, struct evbuffer *output);

void users_listing_end(struct users_listing **listing);

#endif
