/*
 * The last verdicts on each user, for whoever asks why a login failed. Users are known by a keyed
 * hash; no name is kept.
 *
 * Genuine tokens, which only those with accounts have, are recorded apart from everything else, so
 * that no flood of forged ones flushes anybody's history. Each user has a history of his own, in
 * which repeats of the same verdict are one record: who sends his own dead tokens again and again,
 * or several kinds of them, overwrites his own history alone. When there are more users than
 * places, those whose last verdict is the oldest go, among the few that share a place with the new
 * one; which they are nobody outside can tell.
 */
#ifndef DAEMON_FLIGHT_RECORDER_H
#define DAEMON_FLIGHT_RECORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/siphash.h"
#include "token/reason.h"
#include "wire/question.h"

/* Users whose history is kept at the most, and the records of each. */
enum {
    RECORDER_GENUINE_USERS = 4096,
    RECORDER_OTHER_USERS = 1024,
    RECORDER_HISTORY = 8,
    RECORDER_READ_MAX = 2 * RECORDER_HISTORY
};

/* Two stand in a cache line. */
struct flight_record {
    uint64_t key;   /* the tally_key's id; 0: none fits */
    uint32_t first; /* seconds since the epoch (to the year 2106) */
    uint32_t last;
    uint32_t times;       /* that it was repeated, the first one counted */
    int32_t clock_offset; /* of the last; 0: none */
    uint32_t sequence;    /* of the last, among all verdicts; the recorder sets it */
    uint8_t reason;       /* enum reason */
    uint8_t question;     /* enum question_kind */
    bool is_genuine;      /* its token's signature is right */
};

struct history_set;

/* Histories, found by their users. Who is where stands apart from what is recorded, and close together: a verdict
 * on a user touches a line of the one and a line of the other, or two where there is more of him. */
struct history_table {
    struct history_set *sets;
    struct flight_record *records; /* RECORDER_HISTORY for each place of each set */
    size_t set_count;              /* a power of two */
    void *memory;                  /* of both */
};

struct flight_recorder {
    struct history_table genuine;
    struct history_table others;
    uint32_t sequence;
    uint8_t key[SIPHASH_KEY_SIZE];
};

/* An empty recorder. 0, or -1 where memory is short or there are no random numbers; released with
 * flight_recorder_deinit() in both cases. Its memory is taken at once, and used as users come. */
__attribute__((warn_unused_result)) int flight_recorder_init(struct flight_recorder *recorder);
void flight_recorder_deinit(struct flight_recorder *recorder);

/* Whose history a verdict belongs to, from USER@HOST as it is asked about. Never 0. */
uint64_t flight_recorder_user(const struct flight_recorder *recorder, const char *jid,
                              size_t length);

/* Has the memory fetched in which a user's history is looked for, while his token is judged. */
void flight_recorder_prefetch(const struct flight_recorder *recorder, uint64_t user);

/* Records a verdict (record->first, last and times of 1 set), under genuine tokens where it
 * is_genuine. */
void flight_recorder_add(struct flight_recorder *recorder, uint64_t user,
                         const struct flight_record *record);

/* A user's records of both kinds, the latest first. Returns how many there are. */
size_t flight_recorder_read(const struct flight_recorder *recorder, uint64_t user,
                            struct flight_record records_r[RECORDER_READ_MAX]);

/* Histories kept now, and the bytes that all of them may take. */
struct flight_recorder_usage {
    size_t genuine_users;
    size_t other_users;
    size_t bytes;
};
struct flight_recorder_usage flight_recorder_usage(const struct flight_recorder *recorder);

#endif
