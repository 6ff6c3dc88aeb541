#include "ctl/nonce.h"

#include <stdint.h>

#include <openssl/rand.h>

#include "ctl/report.h"

/* Uniform digits: a byte above the last whole ten is thrown away. */
int nonce_make(unsigned digits, char nonce_r[NONCE_DIGITS_MAX + 1])
{
    unsigned count = 0;
    uint8_t byte;

    while (count < digits) {
        if (RAND_bytes(&byte, 1) != 1) {
            ctl_complain("the system gives no random numbers");
            return -1;
        }
        if (byte < 250)
            nonce_r[count++] = (char)('0' + byte % 10);
    }
    nonce_r[count] = '\0';
    return 0;
}
