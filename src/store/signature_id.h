/* What a token is known by once it is spent. */
#ifndef STORE_SIGNATURE_ID_H
#define STORE_SIGNATURE_ID_H

#include <stdbool.h>
#include <stdint.h>

enum { SIGNATURE_ID_SIZE = 16 };

/* The first bytes of a computed signature: keyed, so nobody without the key can aim at a collision.
 */
struct signature_id {
    uint64_t low, high;
};

/* The id of a computed signature of SIGNATURE_ID_SIZE bytes or more. Never both halves zero. */
struct signature_id signature_id_of(const uint8_t *signature);

static inline bool signature_id_is(struct signature_id one, struct signature_id other)
{
    return one.low == other.low && one.high == other.high;
}

#endif
