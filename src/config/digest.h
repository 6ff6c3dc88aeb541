/* A configuration in one number. */
#ifndef CONFIG_DIGEST_H
#define CONFIG_DIGEST_H

#include "config/config.h"

enum { CONFIG_DIGEST_SIZE = 17 };

/*
 * Writes 16 hex digits, equal for equal configurations: the first bytes of SHA-256 over the dump,
 * which has every setting, and each key's fingerprint in the place of its secrets. Returns 0, or
 * -1: memory is short.
 */
__attribute__((warn_unused_result)) int config_digest(const struct config *config,
                                                      char digest_r[CONFIG_DIGEST_SIZE]);

#endif
