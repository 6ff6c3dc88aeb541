/*
 * What a verdict takes of a host, in a few cache lines: it is one of thousands, asked about at random,
 * and comes from far away. What the file says of the host stands elsewhere.
 */
#ifndef CONFIG_VERIFIER_H
#define CONFIG_VERIFIER_H

#include "base/cache_line.h"
#include "config/settings.h"
#include "store/replay_index.h"
#include "token/judge.h"

struct config;

/* The name's bytes that stand in a verifier. */
enum { NAME_AT_HAND = 23 };

struct verifier {
    _Alignas(CACHE_LINE) struct token_format format;
    unsigned keep_window; /* these two as in the host */
    unsigned reach[SPEND_TIMELINES];
    enum is_user_mode is_user;
    struct judge_keys keys;     /* the host's */
    struct token_key *only_key; /* where keys are listed that are one alone */
    char name[NAME_AT_HAND];    /* the domain, without an end */
    uint8_t name_length;        /* 0: it is longer */
    /* The place of the host's first. */
    _Alignas(CACHE_LINE) unsigned char first_key[TOKEN_KEY_SIZE];
};
_Static_assert(offsetof(struct verifier, first_key) / CACHE_LINE == 2,
               "a verifier is two lines, and its key");

/* Makes room for those of so many hosts, empty. 0, or -1 where memory is short; released with
 * verifiers_destroy(), after the keys. */
__attribute__((warn_unused_result)) int verifiers_create(struct config *config, size_t count);
void verifiers_destroy(struct config *config);

/* Fills them in, when the hosts are complete. */
void verifiers_fill(struct config *config);

/* Whether a verifier is known to be that of a domain; false too where its name is too long to tell. */
bool verifier_is_named(const struct verifier *verifier, const char *domain, size_t length);

#endif
