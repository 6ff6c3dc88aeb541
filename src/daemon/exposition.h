/*
 * Prometheus' text format, version 0.0.4: families of samples, a line each. Label values are
 * escaped, and no byte of one can end its quotes or its line.
 */
#ifndef DAEMON_EXPOSITION_H
#define DAEMON_EXPOSITION_H

#include <stddef.h>
#include <stdint.h>

#include <event2/buffer.h>

#define EXPOSITION_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* Bytes of a label value that are written, escapes included; a longer one is cut. */
enum { EXPOSITION_VALUE_MAX = 1024 };

struct label {
    const char *name;
    const char *value;
};

/* Begins a family: what it is (counter, gauge, histogram) and means. Its samples follow. */
void exposition_family(struct evbuffer *output, const char *name, const char *type,
                       const char *help);

/* A sample that is a whole number. */
void exposition_number(struct evbuffer *output, const char *name, const struct label *labels,
                       size_t label_count, uint64_t value);

/* A sample in seconds, written without rounding. */
void exposition_seconds(struct evbuffer *output, const char *name, const struct label *labels,
                        size_t label_count, int64_t seconds, uint32_t nanoseconds);

/* Writes nanoseconds (not negative) as seconds without rounding or trailing zeros, as bounds of
 * buckets are written: 1500000 as 0.0015. Returns text_r. */
enum { EXPOSITION_SECONDS_SIZE = 32 };
const char *exposition_bound(int64_t nanoseconds, char text_r[EXPOSITION_SECONDS_SIZE]);

#endif
