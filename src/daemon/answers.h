/*
 * A connection's answers in the order of its questions. One that is not known yet has its place
 * kept; what stands behind it waits. All answers of a protocol have one size, so a place is filled
 * without moving anything.
 */
#ifndef DAEMON_ANSWERS_H
#define DAEMON_ANSWERS_H

#include <stdbool.h>
#include <sys/queue.h>

#include "daemon/authority.h"
#include "daemon/bytes.h"

struct answers;

/* A place whose answer is to come. */
struct answer_place {
    struct asker asker; /* first: the authority hands it back */
    TAILQ_ENTRY(answer_place) next;
    struct answers *answers;
    uint64_t position; /* counted from the connection's first byte of output */
};

TAILQ_HEAD(place_list, answer_place);

/* Places that are not in use, shared by all connections, so that a question costs no allocation. */
struct place_pool {
    struct place_list unused;
};

struct answers {
    struct bytes output;
    uint64_t written; /* bytes that left the output at its front, ever */
    struct place_list open_places;
    struct place_pool *pool;
    const struct protocol *protocol;
    bool understands_try_again;
    void (*on_filled)(
        struct answers *answers); /* a place was filled: there may be something to write */
};

void place_pool_init(struct place_pool *pool);
void place_pool_deinit(struct place_pool *pool);

/* Empty, for an asker of the given number; pool and on_filled as above. The protocol is set by who
 * knows it, before the first answer. */
void answers_init(struct answers *answers, struct place_pool *pool,
                  void (*on_filled)(struct answers *answers));

/* Withdraws what is still to be answered, and frees. */
void answers_clear(struct answers *answers);

/* Adds an answer. 0, or -1 where memory is short. */
__attribute__((warn_unused_result)) int answers_add(struct answers *answers, enum answer answer);

/* Keeps a place for the answer to the question asked next. NULL where memory is short. */
struct answer_place *answers_reserve(struct answers *answers, uint64_t connection);

/* Fills a place at once, for an answer that was known after all. */
void answers_fill(struct answer_place *place, enum answer answer);

/* Bytes to be written, and those of them that may be: up to the first open place. */
size_t answers_size(const struct answers *answers);
size_t answers_ready(const struct answers *answers);

/* The first of them; valid until the next call. */
const uint8_t *answers_front(const struct answers *answers);

/* Takes written bytes, at most answers_ready(), from the front. */
void answers_consume(struct answers *answers, size_t size);

#endif
