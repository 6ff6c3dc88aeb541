/*
 * A password of any kind that a host takes: v1, v2 or JSXC's. The kinds are told apart by their
 * first byte alone (a digit, v, A), each has a shape that no other has, and signs what no other
 * signs: a password is judged as one kind or as none.
 */
#ifndef TOKEN_JUDGE_H
#define TOKEN_JUDGE_H

#include "token/jsxc_token.h"
#include "token/verify.h"

/* A host's keys; all borrowed. */
struct judge_keys {
    struct token_key *const *keys; /* of one format */
    const struct key_fingerprint *names;
    size_t count;
    struct jsxc_key *jsxc; /* NULL: none */
};

/* The kind that a password's first byte promises; TOKEN_V1 where it promises none. */
enum token_kind token_kind_of(const char *password, size_t length);

/* Whether a host takes tokens of a kind. */
bool token_kind_is_accepted(enum token_kind kind, const struct token_format *format);

/*
 * Judges a claim at a time in seconds since the epoch, as token_verify() does for v1: signature
 * first, in constant time, then the key's dates, then the time. Borrows everything for the call;
 * fills all that its reason makes meaningful. A key that v2 names costs one signature however many
 * there are, and so does one that is not there.
 */
void token_judge(const struct judge_keys *keys, const struct token_format *format,
                 const struct claim *claim, int64_t seconds, struct token_verdict *verdict_r);

/* How a kind's tokens are filed among the spent ones: seconds of a step, and steps by which a clock
 * may be ahead that mints them (docs/design.md, Spent tokens). */
struct token_steps {
    unsigned interval;
    unsigned lead;
};

struct token_steps token_steps_of(enum token_kind kind, const struct token_format *format);

#endif
