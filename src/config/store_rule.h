/* The value of [replay] store. */
#ifndef CONFIG_STORE_RULE_H
#define CONFIG_STORE_RULE_H

#include "base/arena.h"
#include "config/settings.h"

/*
 * Parses journal, memory, redis://[:PASSWORD@]HOST[:PORT][/DB] (HOST an IP address, [] around IPv6,
 * or localhost) or redis+unix:PATH. Returns NULL, or (the rule untouched) static words that say
 * what a right value is; never a part of the text, for it may hold a password.
 */
const char *store_rule_parse(const char *text, struct arena *arena, struct store_rule *rule);

/* Writes it as in a file, the password masked. Returns text_r. */
const char *store_rule_format(const struct store_rule *rule, char *text_r, size_t size);

/* Whether a Redis is reached over a network that others share. */
bool store_rule_is_remote(const struct store_rule *rule);

#endif
