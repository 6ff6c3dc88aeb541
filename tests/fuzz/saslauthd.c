/* Any bytes as questions in the saslauthd framing. */
#include "framing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_framing(&protocol_saslauthd, data, size);
    return 0;
}
