/* Words for numbers, as `status` and `top` show them. */
#ifndef CTL_STATUS_TEXT_H
#define CTL_STATUS_TEXT_H

#include "ctl/status_report.h"

enum { STATUS_TEXT_SIZE = 64 };

/* A stretch of time in its two greatest units: 3d 4h, 12m 5s. Returns text_r, as all here do. */
const char *text_of_seconds(uint64_t seconds, char text_r[STATUS_TEXT_SIZE]);

/* Microseconds with a fitting unit: 40 us, 1.2 ms, 2.5 s; negative: -. */
const char *text_of_microseconds(double microseconds, char text_r[STATUS_TEXT_SIZE]);

/* Bytes with a fitting unit: 512 B, 1.5 KiB. */
const char *text_of_bytes(uint64_t bytes, char text_r[STATUS_TEXT_SIZE]);

/* A minter's clock: agrees, 2h ahead, 40s behind. */
const char *text_of_clock(const struct report_host *host, char text_r[STATUS_TEXT_SIZE]);

/* A rate a second, from 0.01 on: 0, 0.25, 3.1, 1234. */
const char *text_of_rate(double rate, char text_r[STATUS_TEXT_SIZE]);

/* What the daemon is doing in a word or two, and whether that is trouble. */
const char *text_of_state(const struct status_report *report, bool *trouble_r);

#endif
