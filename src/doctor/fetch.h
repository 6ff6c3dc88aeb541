/* One HTTP request for a web application's credentials, by libcurl. */
#ifndef DOCTOR_FETCH_H
#define DOCTOR_FETCH_H

#include <stdbool.h>
#include <stddef.h>

enum { FETCH_BODY_MAX = 64 * 1024, FETCH_SECONDS_MAX = 10 };

struct fetched {
    long status;
    bool no_store;     /* Cache-Control says so */
    bool cross_origin; /* it has a CORS header */
    size_t size;
    char body[FETCH_BODY_MAX];
};

/*
 * Fetches a URL of http or https, within FETCH_SECONDS_MAX; follows no redirect, and believes no
 * certificate that it can't verify. cookie: for the Cookie header, or NULL; ca_file: certificates
 * to trust, or NULL for the system's. Returns NULL; or why there is no answer, static words. The
 * body is to be wiped by the caller, either way.
 */
__attribute__((warn_unused_result)) const char *
fetch(const char *url, const char *cookie, const char *ca_file, struct fetched *fetched_r);

#endif
