/*
 * Spent tokens in a Redis that several daemons share: a token is accepted once in all of them. The
 * index in memory is asked first; then one atomic SET NX decides. The users that an operator denies
 * on one of them are denied on all. Built where hiredis is there
 * (HAVE_REDIS).
 */
#ifndef STORE_REDIS_STORE_H
#define STORE_REDIS_STORE_H

#include <event2/event.h>

#include "store/accounts.h"
#include "store/spent_store.h"

struct redis_address {
    const char *host; /* an IP address, or NULL */
    int port;
    const char *path; /* a Unix socket, where host is NULL */
    int database;
    const char *password; /* terminated; NULL: none */
};

/*
 * A store over the Redis at an address, all of which is borrowed and must outlive it, in an event
 * loop that must too. It connects by itself, and again whenever the connection is lost; until it
 * has, spends wait a little and then fail. Whether the record there is whole is found out at each
 * connection; where it is not, tokens minted up to then are refused, unless accept says otherwise.
 * Denied users are shared there too, by way of accounts (borrowed likewise): they are known before
 * the first token is accepted. NULL where memory is short or the loop fails.
 */
struct spent_store *redis_store_create(struct event_base *loop, const struct redis_address *address,
                                       struct accounts *accounts, bool accept);

#endif
