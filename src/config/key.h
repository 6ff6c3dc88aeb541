/* From settings to what verifies tokens: a host's format, and a key from its two secrets. */
#ifndef CONFIG_KEY_H
#define CONFIG_KEY_H

#include "config/settings.h"
#include "token/key_fingerprint.h"
#include "token/token_key.h"

/* Whether a host's accept has a kind of tokens: "v1", "v2" or "jsxc". */
bool host_accepts(const struct host_values *values, const char *kind);

/* The token format that a host's settings describe. */
struct token_format host_format(const struct host_values *values);

/* What is to be said about a key; each NULL if nothing is. Static words that go after the setting's
 * name. */
struct key_report {
    const char *fault;             /* why there is no key */
    const char *otp_seed_weakness; /* see strength.h */
    const char *token_secret_weakness;
    struct key_fingerprint fingerprint; /* where there is a key */
};

/*
 * The key of two secrets as they were written, both present, with the dates of values, in a place for
 * it (token_key_create_at()). Weak ones
 * make a key too: it is the caller's to judge. NULL with report_r->fault, else released with
 * token_key_destroy(). What is decoded on the way is wiped.
 */
struct token_key *key_from_values(void *place, const struct token_format *format,
                                  const struct key_values *values, struct key_report *report_r);

#endif
