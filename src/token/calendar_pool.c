#include "token/calendar_pool.h"

void calendar_pool_init(struct calendar_pool *pool, size_t memory_max, int64_t otps_each_time)
{
    *pool = (struct calendar_pool){
        .memory_max = memory_max, .otps_each_time = otps_each_time, .otps_left = otps_each_time};
    TAILQ_INIT(&pool->leases);
}

void calendar_pool_allow(struct calendar_pool *pool)
{
    pool->otps_left = pool->otps_each_time;
}

void calendar_lease_join(struct calendar_lease *lease, struct calendar_pool *pool)
{
    calendar_lease_end(lease);
    lease->pool = pool;
}

void calendar_lease_end(struct calendar_lease *lease)
{
    if (lease->pool != NULL && lease->calendar != NULL) {
        TAILQ_REMOVE(&lease->pool->leases, lease, next);
        lease->pool->memory -= otp_calendar_memory(lease->calendar);
    }
    otp_calendar_destroy(&lease->calendar);
}

void calendar_pool_clear(struct calendar_pool *pool)
{
    while (!TAILQ_EMPTY(&pool->leases))
        calendar_lease_end(TAILQ_FIRST(&pool->leases));
}

/* A calendar in the pool's room, for which others may have made way. */
static void begin(struct calendar_lease *lease, size_t reach)
{
    struct calendar_pool *pool = lease->pool;

    lease->calendar = otp_calendar_create(reach);
    if (pool == NULL || lease->calendar == NULL)
        return;
    TAILQ_INSERT_TAIL(&pool->leases, lease, next);
    pool->memory += otp_calendar_memory(lease->calendar);
    while (pool->memory > pool->memory_max && TAILQ_FIRST(&pool->leases) != lease)
        calendar_lease_end(TAILQ_FIRST(&pool->leases));
}

static int centre_on(struct calendar_lease *lease, int64_t centre, otp_function *compute,
                     void *context)
{
    if (lease->pool == NULL)
        return otp_calendar_move(lease->calendar, centre, compute, context);
    return otp_calendar_approach(lease->calendar, centre, &lease->pool->otps_left, compute,
                                 context);
}

const struct otp_calendar *calendar_lease_take(struct calendar_lease *lease, size_t reach,
                                               int64_t centre, otp_function *compute, void *context)
{
    if (lease->calendar == NULL && (lease->pool == NULL || lease->pool->otps_left > 0))
        begin(lease, reach);
    if (lease->calendar == NULL || centre_on(lease, centre, compute, context) != 0)
        return NULL;
    if (lease->pool != NULL && TAILQ_NEXT(lease, next) != NULL) {
        TAILQ_REMOVE(&lease->pool->leases, lease, next);
        TAILQ_INSERT_TAIL(&lease->pool->leases, lease, next);
    }
    return lease->calendar;
}
