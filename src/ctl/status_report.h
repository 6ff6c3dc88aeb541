/* What the daemon answers to `status`, read back into numbers. */
#ifndef CTL_STATUS_REPORT_H
#define CTL_STATUS_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "token/reason.h"

/* Hosts that the daemon tells of, and buckets of its latency, at the most. */
enum { REPORT_HOSTS_MAX = 128, REPORT_BUCKETS_MAX = 64, REPORT_TEXT_SIZE = 264 };

struct report_host {
    char name[REPORT_TEXT_SIZE];
    uint64_t allowed;
    uint64_t denied;
    uint64_t undecided;
    bool clock_is_off;
    int64_t clock_offset;
};

struct report_bucket {
    int64_t above_us;
    int64_t bound_us; /* inclusive; INT64_MAX: the last */
    uint64_t count;   /* without those of the buckets below */
};

struct status_report {
    char version[REPORT_TEXT_SIZE];
    char started[REPORT_TEXT_SIZE];
    char state[REPORT_TEXT_SIZE];  /* of the daemon: running or draining */
    char store[REPORT_TEXT_SIZE];  /* journal, memory, redis */
    char record[REPORT_TEXT_SIZE]; /* of its state: open, starting or failing */
    char opens[REPORT_TEXT_SIZE];  /* until when it is starting; "" where it is not */
    char failure[REPORT_TEXT_SIZE];
    uint64_t pid, uptime_s, hosts, reloads, failed_reloads, seen, denied, unshared;
    bool reload_failed;
    uint64_t clients, clients_max, accepted, refused, pending_bytes;
    uint64_t spent, steps, memory, store_errors;
    uint64_t remembered; /* users whose last verdicts are */
    uint64_t auth[REASON_COUNT];
    uint64_t is_user[REASON_COUNT];
    struct report_bucket buckets[REPORT_BUCKETS_MAX]; /* those that are not empty, rising */
    size_t bucket_count;
    struct report_host listed[REPORT_HOSTS_MAX]; /* the busiest first */
    size_t listed_count;
};

/*
 * Reads the answer, terminated lines of logfmt; lines and fields that it does not know are skipped.
 * Values that are shown are made harmless for a terminal. 0, or -1 where it is no status.
 */
__attribute__((warn_unused_result)) int status_report_read(struct status_report *report_r,
                                                           const char *answer);

/*
 * The time in microseconds within which a share (0 to 1) of the decisions of report was made that
 * earlier did not have yet (NULL: of all), taken as spread evenly over their bucket. -1: there are
 * none.
 */
double status_report_quantile(const struct status_report *report,
                              const struct status_report *earlier, double share);

/* Logins answered yes, no, and neither. */
struct report_sums {
    uint64_t allowed;
    uint64_t denied;
    uint64_t undecided;
};
struct report_sums status_report_sums(const struct status_report *report);

#endif
