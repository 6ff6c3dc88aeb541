#include "token/totp.h"

#include "base/moment.h"

int64_t totp_step(int64_t seconds, unsigned interval)
{
    return floor_divide(seconds, interval);
}

static uint32_t truncate_dynamically(const uint8_t *mac, size_t size)
{
    const uint8_t *at = mac + (mac[size - 1] & 15);

    return (uint32_t)(at[0] & 0x7f) << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

int hotp(const struct keyed_hash *seed, uint64_t counter, unsigned digits, uint32_t *otp_r)
{
    static const uint64_t moduli[] = {1000000, 10000000, 100000000, 1000000000, 10000000000};
    uint8_t message[8];
    uint8_t mac[HASH_SIZE_MAX];

    for (int i = 7; i >= 0; i--, counter >>= 8)
        message[i] = (uint8_t)counter;
    if (keyed_hash_compute(seed, message, sizeof(message), mac) != 0)
        return -1;
    *otp_r = (uint32_t)(truncate_dynamically(mac, hash_size(seed->hash)) %
                        moduli[digits - OTP_DIGITS_MIN]);
    return 0;
}
