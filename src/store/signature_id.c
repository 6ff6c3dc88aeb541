#include "store/signature_id.h"

#include <string.h>

struct signature_id signature_id_of(const uint8_t *signature)
{
    struct signature_id id;

    memcpy(&id.low, signature, sizeof(id.low));
    memcpy(&id.high, signature + sizeof(id.low), sizeof(id.high));
    if (id.low == 0 && id.high == 0)
        id.low = 1;
    return id;
}
