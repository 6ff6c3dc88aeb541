#include "token/token_key.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "base/cache_line.h"
#include "token/otp_ring.h"
#include "token/totp.h"

/*
 * The acceptable steps (now - window to now + window), and on either side as many more as leave no
 * gap (2 x window + 1).
 */
#define NEAR_STEPS(window) (6 * (window) + 3)

/* So many OTPs stand in the key itself: those of the usual windows. */
enum { OTPS_AT_HAND = 16 };

/* What is seldom needed of a key. */
struct token_key_rest {
    struct token_format format;
    struct token_key_dates dates;
    struct keyed_hash v2; /* empty: the format does not accept v2 */
    struct keyed_hash seed;
    struct calendar_lease lease; /* without a calendar until a genuine token misses the window */
    uint32_t otps[];             /* where more of them are near than are at hand */
};

/* Two lines, which are all that v1's verdict takes: keys are asked about at random, and come from far
 * away. */
struct token_key {
    struct keyed_hash secret;
    struct token_key_rest *rest;
    struct otp_ring near_ring;
    unsigned window; /* the format's */
    bool is_dated;   /* it does not count for ever */
    bool is_placed;  /* in memory of somebody else's */
    uint32_t near_otps[OTPS_AT_HAND];
};
_Static_assert(sizeof(struct token_key) <= TOKEN_KEY_SIZE, "a key fits its place");

/*
 * The key of v2: HMAC-SHA256 under token_secret of a text that begins with a letter, where each
 * message that v1 signs begins with a digit, and of the seed. So neither kind of signature is ever
 * one of the other kind.
 */
static int make_v2(struct keyed_hash *v2_r, const uint8_t *seed, size_t seed_size,
                   const uint8_t *secret, size_t secret_size)
{
    static const char domain[] = "xmpp-authd token v2 key"; /* its NUL counts */
    struct keyed_hash maker = {0};
    uint8_t *message = OPENSSL_secure_malloc(sizeof(domain) + seed_size);
    uint8_t derived[HASH_SIZE_MAX];
    int result = -1;

    if (message != NULL && keyed_hash_init(&maker, HASH_SHA256, secret, secret_size) == 0) {
        memcpy(message, domain, sizeof(domain));
        memcpy(message + sizeof(domain), seed, seed_size);
        if (keyed_hash_compute(&maker, message, sizeof(domain) + seed_size, derived) == 0)
            result = keyed_hash_init(v2_r, HASH_SHA256, derived, V2_SIGNATURE_SIZE);
        OPENSSL_cleanse(derived, sizeof(derived));
    }
    OPENSSL_secure_clear_free(message, sizeof(domain) + seed_size);
    keyed_hash_deinit(&maker);
    return result;
}

static int make_rest(struct token_key *key, const struct token_format *format,
                     struct token_key_dates dates)
{
    uint32_t capacity = otp_ring_capacity(NEAR_STEPS(format->window));
    size_t more = capacity > OTPS_AT_HAND ? capacity * sizeof(uint32_t) : 0;

    key->rest = calloc(1, sizeof(*key->rest) + more);
    if (key->rest == NULL)
        return -1;
    key->rest->format = *format;
    key->rest->dates = dates;
    key->window = format->window;
    key->is_dated = dates.accept_from != INT64_MIN || dates.accept_until != INT64_MAX;
    otp_ring_init(&key->near_ring, more > 0 ? key->rest->otps : key->near_otps, capacity);
    return 0;
}

struct token_key *token_key_create_at(void *place, const struct token_format *format,
                                      const uint8_t *seed, size_t seed_size, const uint8_t *secret,
                                      size_t secret_size, struct token_key_dates dates)
{
    struct token_key *key = place != NULL ? place : cache_lines_alloc(TOKEN_KEY_SIZE);

    if (key == NULL)
        return NULL;
    *key = (struct token_key){.is_placed = place != NULL};
    if (make_rest(key, format, dates) != 0 ||
        keyed_hash_init(&key->secret, format->signature_hash, secret, secret_size) != 0 ||
        keyed_hash_init(&key->rest->seed, format->otp_hash, seed, seed_size) != 0 ||
        (format->accepts_v2 && make_v2(&key->rest->v2, seed, seed_size, secret, secret_size) != 0))
        token_key_destroy(&key);
    return key;
}

struct token_key *token_key_create(const struct token_format *format, const uint8_t *seed,
                                   size_t seed_size, const uint8_t *secret, size_t secret_size,
                                   struct token_key_dates dates)
{
    return token_key_create_at(NULL, format, seed, seed_size, secret, secret_size, dates);
}

void token_key_destroy(struct token_key **key)
{
    struct token_key *gone = *key;

    *key = NULL;
    if (gone == NULL)
        return;
    keyed_hash_deinit(&gone->secret);
    if (gone->near_ring.otps != NULL)
        OPENSSL_cleanse(gone->near_ring.otps, gone->near_ring.capacity * sizeof(uint32_t));
    if (gone->rest != NULL) {
        keyed_hash_deinit(&gone->rest->seed);
        keyed_hash_deinit(&gone->rest->v2);
        calendar_lease_end(&gone->rest->lease);
        free(gone->rest);
    }
    if (gone->is_placed)
        *gone = (struct token_key){.rest = NULL};
    else
        free(gone);
}

/* Of the ring, only what stands there. */
static void prefetch_near(const struct otp_ring *ring)
{
    uint64_t mask = ring->capacity - 1;

    __builtin_prefetch(&ring->otps[(uint64_t)ring->first & mask]);
    __builtin_prefetch(&ring->otps[(uint64_t)(otp_ring_end(ring) - 1) & mask]);
}

void token_key_prefetch(const struct token_key *key)
{
    keyed_hash_prefetch(&key->secret);
    if (key->near_ring.otps != key->near_otps)
        prefetch_near(&key->near_ring);
}

bool token_key_in_date(const struct token_key *key, int64_t seconds)
{
    return !key->is_dated ||
           (seconds >= key->rest->dates.accept_from && seconds < key->rest->dates.accept_until);
}

int token_key_sign(struct token_key *key, const void *message, size_t size,
                   uint8_t signature_r[HASH_SIZE_MAX])
{
    return keyed_hash_compute(&key->secret, message, size, signature_r);
}

int token_key_sign_v2(struct token_key *key, const void *message, size_t size,
                      uint8_t signature_r[V2_SIGNATURE_SIZE])
{
    uint8_t signature[HASH_SIZE_MAX];

    if (key->rest->v2.made == NULL ||
        keyed_hash_compute(&key->rest->v2, message, size, signature) != 0)
        return -1;
    memcpy(signature_r, signature, V2_SIGNATURE_SIZE);
    return 0;
}

int token_key_otp(struct token_key *key, int64_t step, uint32_t *otp_r)
{
    return hotp(&key->rest->seed, (uint64_t)step, key->rest->format.otp_digits, otp_r);
}

static int compute_otp(void *context, int64_t step, uint32_t *otp_r)
{
    return token_key_otp(context, step, otp_r);
}

bool token_key_match(struct token_key *key, uint64_t otp, int64_t now, struct otp_match *match_r)
{
    int64_t window = key->window;

    if (otp_ring_move(&key->near_ring, now - 3 * window - 1, NEAR_STEPS(key->window), compute_otp,
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
    int64_t hop = 2 * (int64_t)key->window + 1;
    int64_t end = otp_ring_end(&key->near_ring);
    struct otp_match stretch = match;

    for (int64_t step = match.last + 1; step <= stretch.last + hop && step < end; step++) {
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

    for (int64_t step = key->near_ring.first; step < otp_ring_end(&key->near_ring); step++) {
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
    calendar =
        calendar_lease_take(&key->rest->lease, CLOCK_REACH_SECONDS / key->rest->format.interval + 1,
                            now, compute_otp, key);
    if (calendar == NULL)
        return STEP_NOT_SEARCHED;
    if (otp_calendar_find(calendar, (uint32_t)otp, step_r))
        return STEP_FOUND;
    return otp_calendar_is_whole(calendar) ? STEP_NONE : STEP_NOT_SEARCHED;
}

void token_key_share_calendars(struct token_key *key, struct calendar_pool *pool)
{
    calendar_lease_join(&key->rest->lease, pool);
}

bool token_key_remembers_steps(const struct token_key *key)
{
    return key->rest->lease.calendar != NULL;
}
