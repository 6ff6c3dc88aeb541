#include "token/reason.h"

const char *reason_word(enum reason reason)
{
    static const char *const words[REASON_COUNT] = {
        [REASON_ALLOWED] = "allowed",
        [REASON_MALFORMED] = "malformed",
        [REASON_UNKNOWN_HOST] = "unknown-host",
        [REASON_FORGED] = "forged",
        [REASON_WRONG_OTP] = "wrong-otp",
        [REASON_EXPIRED] = "expired",
        [REASON_EARLY] = "early",
        [REASON_KEY_RETIRED] = "key-retired",
        [REASON_REVOKED] = "revoked",
        [REASON_STARTING] = "starting",
        [REASON_REPLAYED] = "replayed",
        [REASON_UNSUPPORTED] = "unsupported",
        [REASON_UNKNOWN_USER] = "unknown-user",
        [REASON_STORE_ERROR] = "store-error",
    };

    return words[reason];
}

bool reason_is_undecided(enum reason reason)
{
    return reason == REASON_STARTING || reason == REASON_STORE_ERROR;
}
