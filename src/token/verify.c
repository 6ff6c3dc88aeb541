#include "token/verify.h"

#include <string.h>

/* How far a key came with a token, the further the better: the verdict is that of the key that came
 * furthest. */
enum progress { UNFIT, SIGNED, OUT_OF_TIME, OUT_OF_DATE, FITS };

struct trial {
    enum progress progress;
    struct otp_match steps;
    int64_t stale_step; /* the one nearest to now; now itself where it was not looked for */
    uint8_t signature[HASH_SIZE_MAX];
};

/* Benefit of the doubt where it can't be looked for now: `expired` without an offset. */
static bool is_of_some_step(struct token_key *key, uint64_t otp, int64_t now, int64_t *step_r)
{
    enum step_search search = token_key_find_step(key, otp, now, step_r);

    if (search == STEP_NOT_SEARCHED)
        *step_r = now;
    return search != STEP_NONE;
}

void claim_expect(const struct claim *claim, const uint8_t *signature)
{
    if (claim->expect != NULL)
        claim->expect(claim->expect_context, signature);
}

static void try_key(struct token_key *key, const struct token_format *format,
                    const struct token *token, const char *message, size_t size, int64_t seconds,
                    struct trial *trial)
{
    int64_t now = totp_step(seconds, format->interval);
    bool in_time, genuine;

    trial->progress = UNFIT;
    if (token_key_sign(key, message, size, trial->signature) != 0)
        return;
    /* Both before either is acted on: the time taken must not tell which of the two was right. */
    in_time = token_key_match(key, token->otp, now, &trial->steps);
    genuine = hash_is_same(trial->signature, token->signature, hash_size(format->signature_hash));
    if (!genuine)
        return;
    trial->progress = SIGNED;
    if (in_time)
        trial->steps = token_key_stretch(key, token->otp, trial->steps);
    else if (!is_of_some_step(key, token->otp, now, &trial->stale_step))
        return;
    trial->progress = in_time ? FITS : OUT_OF_TIME;
    if (!token_key_in_date(key, seconds))
        trial->progress = OUT_OF_DATE;
}

static void conclude(const struct trial *best, const struct token_format *format, int64_t seconds,
                     struct token_verdict *verdict_r)
{
    static const enum reason reasons[] = {
        [UNFIT] = REASON_FORGED,        [SIGNED] = REASON_WRONG_OTP,
        [OUT_OF_TIME] = REASON_EXPIRED, [OUT_OF_DATE] = REASON_KEY_RETIRED,
        [FITS] = REASON_ALLOWED,
    };

    verdict_r->reason = reasons[best->progress];
    verdict_r->steps = best->steps;
    verdict_r->interval = format->interval;
    verdict_r->window = format->window;
    if (best->progress == FITS)
        verdict_r->good_until = (best->steps.last + format->window + 1) * (int64_t)format->interval;
    memcpy(verdict_r->signature, best->signature, hash_size(format->signature_hash));
    if (best->progress == OUT_OF_TIME) {
        int64_t now = totp_step(seconds, format->interval);

        verdict_r->clock_offset = (best->stale_step - now) * (int64_t)format->interval;
        if (verdict_r->clock_offset > 0)
            verdict_r->reason = REASON_EARLY;
    }
}

void token_verify(struct token_key *const *keys, size_t count, const struct token_format *format,
                  const struct claim *claim, int64_t seconds, struct token_verdict *verdict_r)
{
    char message[OTP_DIGITS_MAX + NONCE_DIGITS_MAX + TOKEN_JID_MAX];
    struct trial trials[2] = {{.progress = UNFIT}, {.progress = UNFIT}};
    struct trial *best = &trials[0];
    struct trial *trial = &trials[1];
    struct token token;
    size_t size;

    *verdict_r = (struct token_verdict){.reason = REASON_MALFORMED};
    if (token_parse(format, claim->password, claim->password_length, &token) != 0)
        return;
    size = token_message(token.digits, token.digit_count, claim->user, claim->user_length,
                         claim->host, claim->host_length, message, sizeof(message));
    if (size == 0)
        return;
    claim_expect(claim, token.signature);
    for (size_t i = 0; i < count; i++) {
        try_key(keys[i], format, &token, message, size, seconds, trial);
        if (trial->progress > best->progress) {
            struct trial *worse = best;

            best = trial;
            trial = worse;
            verdict_r->key = i;
        }
    }
    conclude(best, format, seconds, verdict_r);
}

int64_t time_zone_offset(int64_t clock_offset, const struct token_format *format)
{
    const int64_t half_hour = 1800;
    int64_t tolerance = (int64_t)(format->window + 1) * format->interval;
    int64_t magnitude = clock_offset < 0 ? -clock_offset : clock_offset;
    int64_t nearest = (magnitude + half_hour / 2) / half_hour * half_hour;
    int64_t distance = magnitude < nearest ? nearest - magnitude : magnitude - nearest;

    if (tolerance > 300)
        tolerance = 300;
    if (distance > tolerance)
        return 0;
    return clock_offset < 0 ? -nearest : nearest;
}
