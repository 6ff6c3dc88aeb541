/*
 * Does the time to deny tell how much of a signature is right? The method is dudect's (Reparaz, Balasch, Verbauwhede: "Dude, is
 * my code constant time?", 2017): two classes of tokens in random order, the time of each verdict, Welch's t-test on the two
 * means. One class has signatures that are wrong in the first byte, the other ones that are wrong in the last byte alone.
 *
 * The same is done beside it, in the same run, with a comparison that stops at the first difference. If the test can't see that
 * one, this machine is too noisy to say anything.
 */
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "token/token.h"
#include "token/verify.h"

enum { ROUNDS = 20, SAMPLES = 20000, CLASSES = 2, CROPS = 4, TOKENS = 64 };

/* Beyond this the two means differ beyond doubt; dudect's own bound. */
static const double T_BOUND = 10;

static const int64_t now = 1700000000;
static const struct token_format format = {.otp_digits = 8,
                                           .nonce_digits = 32,
                                           .interval = 30,
                                           .window = 1,
                                           .otp_hash = HASH_SHA1,
                                           .signature_hash = HASH_SHA256};

/* Welch's running sums of one class. */
struct sums {
    double count, mean, squares;
};

/* One row for all samples, and some more for those alone that took no longer than a bound: long ones are the machine's noise. */
struct comparison {
    const char *what;
    struct sums sums[CROPS][CLASSES];
    uint64_t bounds[CROPS];
};

struct subject {
    struct token_key *key;
    char tokens[CLASSES][TOKENS][TOKEN_LENGTH_MAX + 1];
    uint8_t signatures[CLASSES][TOKENS][32];
    uint8_t genuine[TOKENS][32];
};

static uint64_t nanoseconds(void)
{
    struct timespec now_is;

    clock_gettime(CLOCK_MONOTONIC_RAW, &now_is);
    return (uint64_t)now_is.tv_sec * 1000000000 + (uint64_t)now_is.tv_nsec;
}

static void add(struct sums *sums, double value)
{
    double distance = value - sums->mean;

    sums->count++;
    sums->mean += distance / sums->count;
    sums->squares += distance * (value - sums->mean);
}

static double welch_t(const struct sums sums[CLASSES])
{
    double variance = 0;

    for (int i = 0; i < CLASSES; i++) {
        if (sums[i].count < 1000)
            return 0;
        variance += sums[i].squares / (sums[i].count - 1) / sums[i].count;
    }
    return variance > 0 ? (sums[0].mean - sums[1].mean) / sqrt(variance) : 0;
}

static double largest_t(const struct comparison *comparison)
{
    double largest = 0;

    for (int i = 0; i < CROPS; i++) {
        double t = fabs(welch_t(comparison->sums[i]));

        if (t > largest)
            largest = t;
    }
    return largest;
}

static int by_value(const void *one, const void *other)
{
    uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)other;

    return a < b ? -1 : a > b;
}

/* The bounds come from the first round's times: none, and the 9 in 10, 7 in 10 and 5 in 10 that were fastest. */
static void set_bounds(struct comparison *comparison, const uint64_t *times)
{
    static const size_t tenths[CROPS] = {10, 9, 7, 5};
    uint64_t *sorted = malloc(SAMPLES * sizeof(*sorted));

    if (sorted == NULL)
        exit(2);
    memcpy(sorted, times, SAMPLES * sizeof(*sorted));
    qsort(sorted, SAMPLES, sizeof(*sorted), by_value);
    for (int i = 0; i < CROPS; i++)
        comparison->bounds[i] = tenths[i] == 10 ? UINT64_MAX : sorted[SAMPLES * tenths[i] / 10];
    free(sorted);
}

static void take(struct comparison *comparison, const uint8_t *classes, const uint64_t *times)
{
    if (comparison->bounds[0] == 0) {
        set_bounds(comparison, times);
        return;
    }
    for (size_t i = 0; i < SAMPLES; i++) {
        for (int crop = 0; crop < CROPS; crop++) {
            if (times[i] <= comparison->bounds[crop])
                add(&comparison->sums[crop][classes[i]], (double)times[i]);
        }
    }
}

static bool make_subject(struct subject *subject)
{
    static const struct token_key_dates always = {INT64_MIN, INT64_MAX};
    static const uint8_t seed[20] = "twenty bytes of seed";
    static const uint8_t secret[] = "a token secret of this test alone";
    static const size_t wrong_bytes[CLASSES] = {0, 31};

    subject->key = token_key_create(&format, seed, sizeof(seed), secret, sizeof(secret), always);
    for (int i = 0; i < TOKENS && subject->key != NULL; i++) {
        char token[TOKEN_LENGTH_MAX + 1];
        char nonce[33];

        snprintf(nonce, sizeof(nonce), "%032d", i);
        if (token_mint(subject->key, &format, "alice", "example.org",
                       totp_step(now, format.interval), nonce, token) != 0 ||
            base64_decode(token + 41, 44, subject->genuine[i], 32) != 0)
            return false;
        for (int class = 0; class < CLASSES; class ++) {
            uint8_t *signature = subject->signatures[class][i];

            memcpy(signature, subject->genuine[i], 32);
            signature[wrong_bytes[class]] ^= 0x55;
            memcpy(subject->tokens[class][i], token, sizeof(token));
            base64_encode(signature, 32, subject->tokens[class][i] + 41);
        }
    }
    return subject->key != NULL;
}

/* One presentation of a token: always from the same place, so that where a class lies in memory does not count. */
struct presentation {
    char password[TOKEN_LENGTH_MAX + 1];
    uint8_t signature[32];
    uint8_t genuine[32];
};

/* Nobody knows while this is compiled what it will be asked: it is the verifier as the daemon has it. */
static __typeof__(token_verify) *volatile verify = token_verify;

static enum reason judge(const struct subject *subject, const struct presentation *presentation)
{
    const struct claim claim = {.user = "alice",
                                .user_length = 5,
                                .host = "example.org",
                                .host_length = 11,
                                .password = presentation->password,
                                .password_length = 85};
    struct token_verdict verdict;

    verify(&subject->key, 1, &format, &claim, now, &verdict);
    return verdict.reason;
}

/* What the verifier must not do. */
static __attribute__((noinline)) bool stops_at_the_first_difference(const volatile uint8_t *one,
                                                                    const volatile uint8_t *other)
{
    for (int i = 0; i < 32; i++) {
        if (one[i] != other[i])
            return false;
    }
    return true;
}

static uint64_t time_verdict(const struct subject *subject, const struct presentation *presentation)
{
    uint64_t began = nanoseconds();
    bool denied = judge(subject, presentation) == REASON_FORGED;

    began = nanoseconds() - began;
    return denied ? began : 0;
}

static uint64_t time_control(const struct subject *subject, const struct presentation *presentation)
{
    uint64_t began = nanoseconds();
    bool denied = judge(subject, presentation) == REASON_FORGED;

    denied &= !stops_at_the_first_difference(presentation->signature, presentation->genuine);
    began = nanoseconds() - began;
    return denied ? began : 0;
}

static void run_round(const struct subject *subject, struct comparison *comparison,
                      uint64_t (*time_one)(const struct subject *, const struct presentation *))
{
    static struct presentation presentation;
    static uint64_t times[SAMPLES];
    static uint8_t classes[SAMPLES];

    for (size_t i = 0; i < SAMPLES; i++) {
        uint32_t drawn = (uint32_t)random();

        classes[i] = drawn >> 8 & 1;
        drawn %= TOKENS;
        memcpy(presentation.password, subject->tokens[classes[i]][drawn], TOKEN_LENGTH_MAX + 1);
        memcpy(presentation.signature, subject->signatures[classes[i]][drawn], 32);
        memcpy(presentation.genuine, subject->genuine[drawn], 32);
        times[i] = time_one(subject, &presentation);
        if (times[i] == 0)
            exit(2);
    }
    take(comparison, classes, times);
}

int main(void)
{
    static struct subject subject;
    static struct comparison verdict = {.what = "deny"};
    static struct comparison control = {.what = "control"};

    srandom((unsigned)nanoseconds());
    if (!make_subject(&subject))
        return 2;
    for (int i = 0; i < ROUNDS; i++) {
        run_round(&subject, &verdict, time_verdict);
        run_round(&subject, &control, time_control);
    }
    token_key_destroy(&subject.key);
    printf("constant time: t %.1f over %d verdicts (bound %.0f); a comparison that stops early: t "
           "%.1f\n",
           largest_t(&verdict), (ROUNDS - 1) * SAMPLES, T_BOUND, largest_t(&control));
    if (largest_t(&verdict) > T_BOUND) {
        puts("constant time: the time to deny tells how much of a signature is right");
        return 1;
    }
    if (largest_t(&control) <= T_BOUND) {
        puts("constant time: too noisy to say anything");
        return 3;
    }
    return 0;
}
