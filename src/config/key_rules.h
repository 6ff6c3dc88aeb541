/* What a host's keys must be beside each other: different, each for its kinds of tokens, and at least
 * one of them good at any time. */
#ifndef CONFIG_KEY_RULES_H
#define CONFIG_KEY_RULES_H

#include "config/config.h"

/* Seconds from a token's minting until it can't be good any more, by whichever of the two clocks is
 * slower: what a key must be kept for after its minter has changed to another. */
int64_t host_token_life(const struct host *host);

/*
 * Adds a problem for a kind of tokens that is none or has no secret of its own; for each key of a host
 * that is there twice (an error, but for one from a secrets
 * file, which takes another's place in a rotation: a warning) and a warning for one that shares a
 * secret with another, for a time at which no key counts, and for a change from key to key that
 * denies tokens which were good when they were minted. now is in seconds since the epoch.
 */
void key_rules_check(const struct config *config, int64_t now, struct problems *problems);

#endif
