/*
 * What the keys' calendars may take together. Whoever has valid accounts can present genuine stale
 * tokens of many keys in turn; without a common bound each key would hold a table, and each token
 * might cost thousands of HMACs. So the tables share a room, the one used longest ago making way,
 * and an allowance of OTPs to compute, which is given anew every second. With short time steps a
 * table is larger than that; it grows from now on to either side, over some seconds.
 */
#ifndef TOKEN_CALENDAR_POOL_H
#define TOKEN_CALENDAR_POOL_H

#include <sys/queue.h>

#include "token/otp_calendar.h"

TAILQ_HEAD(calendar_list, calendar_lease);

struct calendar_pool {
    struct calendar_list leases; /* that hold a calendar, the one used last at the end */
    size_t memory;               /* bytes that they take */
    size_t memory_max;
    int64_t otps_each_time; /* what an allowance is */
    int64_t otps_left;
};

/* A key's claim to a calendar. A zeroed one has no pool: its calendar is its own and unbounded. */
struct calendar_lease {
    TAILQ_ENTRY(calendar_lease) next;
    struct calendar_pool *pool;
    struct otp_calendar *calendar; /* NULL: none now */
};

/* An empty pool with one allowance. It holds no memory of its own; every lease of it ends first. */
void calendar_pool_init(struct calendar_pool *pool, size_t memory_max, int64_t otps_each_time);

/* Gives the next allowance; what was left of the one before is gone. */
void calendar_pool_allow(struct calendar_pool *pool);

/* Ends every lease of the pool that holds a calendar: their keys are about to go, or to be freed where
 * the pool must not be touched. */
void calendar_pool_clear(struct calendar_pool *pool);

/* Makes the lease one of a pool (NULL: of none). A calendar that it holds is given up. */
void calendar_lease_join(struct calendar_lease *lease, struct calendar_pool *pool);

/*
 * The lease's calendar, centred on a step and reaching reach steps to either side, or less far while
 * the allowance does not suffice for that; the same reach in every call. Borrowed until the next call
 * that has to do with the pool. NULL where the allowance is used up, memory is short or compute
 * fails.
 */
const struct otp_calendar *calendar_lease_take(struct calendar_lease *lease, size_t reach,
                                               int64_t centre, otp_function *compute,
                                               void *context);

/* Gives the calendar up; the lease may be used again. */
void calendar_lease_end(struct calendar_lease *lease);

#endif
