#include "token/token_key.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "base/prefetch.h"
#include "token/otp_ring.h"
#include "token/totp.h"

/*
 * The acceptable steps (now - window to now + window), and on either side as many more as leave no
 * gap (2 x window + 1). A power of two, for the ring.
 */
enum { NEAR_STEPS_MAX = 64 };
_Static_assert(6 * OTP_WINDOW_MAX + 3 <= NEAR_STEPS_MAX, "the near ring holds a stretch");

struct token_key {
    struct token_format format;
    struct token_key_dates dates;
    struct keyed_hash *secret;
    struct keyed_hash *seed;
    struct keyed_hash *v2;       /* NULL: the format does not accept v2 */
    struct calendar_lease lease; /* without a calendar until a genuine token misses the window */
    struct otp_ring near_ring;
    uint32_t near_otps[NEAR_STEPS_MAX];
};

/*
 * The key of v2: HMAC-SHA256 under token_secret of a text that begins with a letter, where each
 * message that v1 signs begins with a digit, and of the seed. So neither kind of signature is ever
 * one of the other kind.
 */
static struct keyed_hash *create_v2(const uint8_t *seed, size_t seed_size, const uint8_t *secret,
                                    size_t secret_size)
{
    static const char domain[] = "xmpp-authd token v2 key"; /* its NUL counts */
    struct keyed_hash *maker = keyed_hash_create(HASH_SHA256, secret, secret_size);
    uint8_t *message = OPENSSL_secure_malloc(sizeof(domain) + seed_size);
    uint8_t derived[HASH_SIZE_MAX];
    struct keyed_hash *v2 = NULL;

    if (maker != NULL && message != NULL) {
        memcpy(message, domain, sizeof(domain));
        memcpy(message + sizeof(domain), seed, seed_size);
        if (keyed_hash_compute(maker, message, sizeof(domain) + seed_size, derived) == 0)
            v2 = keyed_hash_create(HASH_SHA256, derived, V2_SIGNATURE_SIZE);
        OPENSSL_cleanse(derived, sizeof(derived));
    }
    OPENSSL_secure_clear_free(message, sizeof(domain) + seed_size);
    keyed_hash_destroy(&maker);
    return v2;
}

struct token_key *token_key_create(const struct token_format *format, const uint8_t *seed,
                                   size_t seed_size, const uint8_t *secret, size_t secret_size,
                                   struct token_key_dates dates)
{
    struct token_key *key = calloc(1, sizeof(*key));

    if (key == NULL)
        return NULL;
    key->format = *format;
    key->dates = dates;
    key->secret = keyed_hash_create(format->signature_hash, secret, secret_size);
    key->seed = keyed_hash_create(format->otp_hash, seed, seed_size);
    if (format->accepts_v2)
        key->v2 = create_v2(seed, seed_size, secret, secret_size);
    otp_ring_init(&key->near_ring, key->near_otps, NEAR_STEPS_MAX);
    if (key->secret == NULL || key->seed == NULL || (format->accepts_v2 && key->v2 == NULL))
        token_key_destroy(&key);
    return key;
}

void token_key_destroy(struct token_key **key)
{
    if (*key == NULL)
        return;
    keyed_hash_destroy(&(*key)->secret);
    keyed_hash_destroy(&(*key)->seed);
    keyed_hash_destroy(&(*key)->v2);
    calendar_lease_end(&(*key)->lease);
    free(*key);
    *key = NULL;
}

/* Of the ring, only what stands there. */
static void prefetch_near(const struct token_key *key)
{
    const struct otp_ring *ring = &key->near_ring;

    __builtin_prefetch(&ring->otps[(uint64_t)ring->first & (NEAR_STEPS_MAX - 1)]);
    __builtin_prefetch(&ring->otps[(uint64_t)(ring->end - 1) & (NEAR_STEPS_MAX - 1)]);
}

void token_key_prefetch(const struct token_key *key, int step)
{
    if (step == 0) {
        prefetch_bytes(key, offsetof(struct token_key, near_otps));
    } else if (step == 1) {
        __builtin_prefetch(key->secret);
        prefetch_near(key);
    } else {
        keyed_hash_prefetch(key->secret);
    }
}

bool token_key_in_date(const struct token_key *key, int64_t seconds)
{
    return seconds >= key->dates.accept_from && seconds < key->dates.accept_until;
}

int token_key_sign(struct token_key *key, const void *message, size_t size,
                   uint8_t signature_r[HASH_SIZE_MAX])
{
    return keyed_hash_compute(key->secret, message, size, signature_r);
}

int token_key_sign_v2(struct token_key *key, const void *message, size_t size,
                      uint8_t signature_r[V2_SIGNATURE_SIZE])
{
    uint8_t signature[HASH_SIZE_MAX];

    if (key->v2 == NULL || keyed_hash_compute(key->v2, message, size, signature) != 0)
        return -1;
    memcpy(signature_r, signature, V2_SIGNATURE_SIZE);
    return 0;
}

int token_key_otp(struct token_key *key, int64_t step, uint32_t *otp_r)
{
    return hotp(key->seed, key->format.otp_hash, (uint64_t)step, key->format.otp_digits, otp_r);
}

static int compute_otp(void *context, int64_t step, uint32_t *otp_r)
{
    return token_key_otp(context, step, otp_r);
}

bool token_key_match(struct token_key *key, uint64_t otp, int64_t now, struct otp_match *match_r)
{
    int64_t window = key->format.window;

    if (otp_ring_move(&key->near_ring, now - 3 * window - 1, (size_t)(6 * window + 3), compute_otp,
                      key) != 0)
        return false;
    *match_r = (struct otp_match){.first = INT64_MAX, .last = INT64_MIN};
    for (int64_t step = now - window; step <= now + window; step++) {
        /* All ones where the step gives the OTP, else nothing: no branch tells which step it was.
         */
        int64_t mask = -(int64_t)(otp_ring_at(&key->near_ring, step) == otp);
        int64_t unseen = -(int64_t)(match_r->first == INT64_MAX);

        match_r->first = (step & mask & unseen) | (match_r->first & ~(mask & unseen));
        match_r->last = (step & mask) | (match_r->last & ~mask);
    }
    return match_r->last != INT64_MIN;
}

struct otp_match token_key_stretch(const struct token_key *key, uint64_t otp,
                                   struct otp_match match)
{
    int64_t hop = 2 * (int64_t)key->format.window + 1;
    struct otp_match stretch = match;

    for (int64_t step = match.last + 1; step <= stretch.last + hop && step < key->near_ring.end;
         step++) {
        if (otp_ring_at(&key->near_ring, step) == otp)
            stretch.last = step;
    }
    for (int64_t step = match.first - 1;
         step >= stretch.first - hop && step >= key->near_ring.first; step--) {
        if (otp_ring_at(&key->near_ring, step) == otp)
            stretch.first = step;
    }
    return stretch;
}

/* The near ring reaches as far to either side of now, so what is nearest in it is nearest at all. */
static bool find_near(const struct token_key *key, uint64_t otp, int64_t now, int64_t *step_r)
{
    bool found = false;

    for (int64_t step = key->near_ring.first; step < key->near_ring.end; step++) {
        if (otp_ring_at(&key->near_ring, step) != otp ||
            (found && llabs(step - now) >= llabs(*step_r - now)))
            continue;
        *step_r = step;
        found = true;
    }
    return found;
}

enum step_search token_key_find_step(struct token_key *key, uint64_t otp, int64_t now,
                                     int64_t *step_r)
{
    const struct otp_calendar *calendar;

    if (otp > UINT32_MAX)
        return STEP_NONE;
    /* The commonest stale token is a little late: nothing has to be computed for it. */
    if (find_near(key, otp, now, step_r))
        return STEP_FOUND;
    calendar = calendar_lease_take(&key->lease, CLOCK_REACH_SECONDS / key->format.interval + 1, now,
                                   compute_otp, key);
    if (calendar == NULL)
        return STEP_NOT_SEARCHED;
    if (otp_calendar_find(calendar, (uint32_t)otp, step_r))
        return STEP_FOUND;
    return otp_calendar_is_whole(calendar) ? STEP_NONE : STEP_NOT_SEARCHED;
}

void token_key_share_calendars(struct token_key *key, struct calendar_pool *pool)
{
    calendar_lease_join(&key->lease, pool);
}

bool token_key_remembers_steps(const struct token_key *key)
{
    return key->lease.calendar != NULL;
}
