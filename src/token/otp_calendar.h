/*
 * Which time steps within 26 hours of now give a certain OTP: how far off the clock of a genuine
 * token's minter is. Built only when a genuine token misses the window; then moved along, at most
 * once a step, so that a flood of stale tokens costs no more than a flood of good ones.
 */
#ifndef TOKEN_OTP_CALENDAR_H
#define TOKEN_OTP_CALENDAR_H

#include <stdbool.h>

#include "token/otp_ring.h"

struct otp_calendar;

/* A calendar that reaches reach steps (1 or more) to either side. NULL where memory is short. */
struct otp_calendar *otp_calendar_create(size_t reach);

/* Frees *calendar and sets it to NULL; NULL is allowed. */
void otp_calendar_destroy(struct otp_calendar **calendar);

/*
 * Centres the calendar on a step, computing what is new in it. Returns 0, or -1 where compute
 * fails; it finds nothing then, until it is moved again.
 */
__attribute__((warn_unused_result)) int otp_calendar_move(struct otp_calendar *calendar,
                                                          int64_t centre, otp_function *compute,
                                                          void *context);

/*
 * The same for otps_max OTPs at the most: it may reach less far to either side then, and further when
 * it is asked again. What was computed is taken from otps_max. Returns 0, or -1 where compute fails
 * or it does not get to the centre yet.
 */
__attribute__((warn_unused_result)) int otp_calendar_approach(struct otp_calendar *calendar,
                                                              int64_t centre, int64_t *otps_max,
                                                              otp_function *compute, void *context);

/* Whether it reaches as far as it is meant to. */
bool otp_calendar_is_whole(const struct otp_calendar *calendar);

/* The bytes that it takes; they depend on its reach alone. */
size_t otp_calendar_memory(const struct otp_calendar *calendar);

/* The step nearest to the centre that gives otp (the earlier of two as near): true and *step_r, or
 * false. */
bool otp_calendar_find(const struct otp_calendar *calendar, uint32_t otp, int64_t *step_r);

#endif
