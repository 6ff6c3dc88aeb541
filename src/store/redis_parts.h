/*
 * The store over Redis is made of three parts, which know each other through this; nobody else
 * includes it: the spends (redis_store.c), the connection (redis_link.c), and the check whether the
 * record there is whole (redis_check.c).
 */
#ifndef STORE_REDIS_PARTS_H
#define STORE_REDIS_PARTS_H

#include <hiredis/async.h>

#include "store/redis_denials.h"
#include "store/redis_record.h"
#include "store/redis_store.h"

/* For one question to Redis, so that ours is answered within 2 s. */
enum { REDIS_ANSWER_MS = 1500 };

enum redis_link_state {
    LINK_DOWN,       /* no connection; tried again when it is time */
    LINK_CONNECTING, /* asked for, not there yet */
    LINK_CONNECTED,  /* there, and not spoken to yet */
    LINK_CHECKING,   /* there; whether the record is whole is being found out */
    LINK_READY       /* spends go through */
};

struct redis_link {
    struct event_base *loop;
    const struct redis_address *address;
    struct event *watch;
    redisAsyncContext *context;
    enum redis_link_state state;
    int64_t since_boot_ms;  /* of the state */
    bool was_ready_or_new;  /* no outage yet: spends may wait for the connection */
    uint64_t merged_before; /* denials, before this connection */
};

struct redis_check {
    bool is_out;
    int64_t sent_boot_ms;
    struct redis_identity seen; /* by the check on its way */
    int64_t server_wall_ms;
    struct redis_clock clock;
    bool is_lost;         /* something may have been, and no floor stands for it yet */
    int64_t lost_wall_ms; /* the time of that by Redis' clock, as it went before; or 0: now */
    /* The marker as it was last read or written on this connection; "": it is not known. */
    char marker[REDIS_MARKER_SIZE];
    const char *refusal; /* connected, and yet nothing may be accepted: why, in static words */
};

struct redis_store {
    struct spent_store base; /* first: handed out as the store */
    struct redis_link link;
    struct redis_check check;
    struct waiter_list held; /* waiting for the connection */
    struct waiter_list sent; /* waiting for Redis' answer, in the order of sending */
    struct waiter_list
        recorded;  /* waiting to hear that Redis still had its record when it took theirs */
    bool was_sent; /* something, since Redis was asked for its marker */
    struct redis_denials denials;
};

/* The store that a callback of a connection is about; NULL where the connection was given up. */
static inline struct redis_store *redis_store_of(const redisAsyncContext *context)
{
    return context->data;
}

/* --- spends */

/* All that wait are told SPEND_FAILED; or those alone that wait for the connection. */
void redis_spends_fail(struct redis_store *store);
void redis_spends_fail_held(struct redis_store *store);

/* Sends what waited for the connection, as far as it may still pass. */
void redis_spends_send_held(struct redis_store *store);

/* Whether one has waited too long. */
bool redis_spends_are_overdue(const struct redis_store *store, int64_t now_boot_ms);

/* --- the connection */

/* Begins to connect, and watches over it from here on. 0, or -1 where the loop fails. */
__attribute__((warn_unused_result)) int redis_link_begin(struct redis_store *store);

/* The check went well: spends go through. */
void redis_link_is_ready(struct redis_store *store);

/* Ends the connection, to be tried again, and fails all that wait: Redis' answers that are still on
 * their way are not waited for. why: static words; NULL at the end of the store. */
void redis_link_drop(struct redis_store *store, const char *why);

/* Ends watching. */
void redis_link_end(struct redis_store *store);

/* Redis' error in static words, with nothing of ours in them. */
const char *redis_error_words(const redisReply *reply);

/* --- the check */

/* Asks all that tells whether the record is whole; the answer makes the connection ready, or drops
 * it. */
void redis_check_send(struct redis_store *store);

/* Whether a reply to GET says that the record is the one that the last check knew. */
bool redis_check_knows(const struct redis_store *store, const redisReply *reply);

/* Asks for the marker. 0, or -1 where the connection is lost. */
__attribute__((warn_unused_result)) int redis_check_ask_marker(struct redis_store *store,
                                                               redisCallbackFn *on_reply);

/* Whether it is time for another, or the answer to the last one is overdue. */
bool redis_check_is_due(const struct redis_store *store, int64_t now_boot_ms);
bool redis_check_is_overdue(const struct redis_store *store, int64_t now_boot_ms);

#endif
