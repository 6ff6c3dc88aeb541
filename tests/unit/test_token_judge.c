/* Tokens of v2 and JSXC's: their times to the second, their places among the spent ones, and that
 * no password is judged as two kinds. */
#include "vectors.h"

#include "store/spent_store.h"
#include "token/judge.h"

enum { NOON = 1767225600 };

#define SECRET "test.vectors+only/never=use_them~elsewhere,2026"

static struct token_format format_of(unsigned window, unsigned max_lifetime, unsigned jsxc_lifetime)
{
    struct token_format format = default_format;

    format.window = window;
    format.accepts_v2 = format.accepts_jsxc = true;
    format.max_lifetime = max_lifetime;
    format.jsxc_max_lifetime = jsxc_lifetime;
    return format;
}

/* A host with one key and JSXC's; everything under one secret, the worst that could be. */
struct site {
    struct token_format format;
    struct token_key *key;
    struct key_fingerprint name;
    struct jsxc_key *jsxc;
};

static void site_init(struct site *site, struct token_format format, struct token_key_dates dates)
{
    *site = (struct site){.format = format};
    assert_int_equal(key_fingerprint((const uint8_t *)RFC_SEED, strlen(RFC_SEED),
                                     (const uint8_t *)SECRET, strlen(SECRET), &site->name),
                     0);
    site->key = token_key_create(&site->format, (const uint8_t *)RFC_SEED, strlen(RFC_SEED),
                                 (const uint8_t *)SECRET, strlen(SECRET), dates);
    site->jsxc = jsxc_key_create((const uint8_t *)SECRET, strlen(SECRET));
    assert_non_null(site->key);
    assert_non_null(site->jsxc);
}

static void site_clear(struct site *site)
{
    token_key_destroy(&site->key);
    jsxc_key_destroy(&site->jsxc);
}

static struct token_verdict judge(struct site *site, const char *password, size_t length,
                                  int64_t seconds)
{
    const struct judge_keys keys = {&site->key, &site->name, 1, site->jsxc};
    const struct claim claim = {.user = "alice",
                                .user_length = 5,
                                .host = "example.org",
                                .host_length = 11,
                                .password = password,
                                .password_length = length};
    struct token_verdict verdict;

    token_judge(&keys, &site->format, &claim, seconds, &verdict);
    return verdict;
}

static void mint_v2(struct site *site, int64_t issued, unsigned lifetime, uint64_t number,
                    char text_r[V2_LENGTH_MAX + 1])
{
    uint8_t nonce[V2_NONCE_SIZE] = {0};

    memcpy(nonce, &number, sizeof(number));
    assert_int_equal(token_v2_mint(site->key, &site->name, "alice", "example.org", issued, lifetime,
                                   nonce, text_r),
                     0);
}

/* JSXC's token of alice@example.org: the MAC is asked of the verifier itself, whose vectors another
 * implementation made. */
static void mint_jsxc(struct site *site, int64_t expiry, char text_r[JSXC_LENGTH + 1])
{
    struct jsxc_token token = {.expiry = expiry};
    uint8_t bytes[24] = {0}, mac[JSXC_MAC_SIZE];
    char base64[BASE64_ENCODED_LENGTH(24) + 1];

    assert_false(jsxc_token_fits(site->jsxc, &token, (struct text){"alice", 5},
                                 (struct text){"example.org", 11}, mac));
    memcpy(bytes + 1, mac, sizeof(mac));
    /* The first bytes of the secret's SHA-256. */
    bytes[17] = 0x55;
    bytes[18] = 0xf1;
    for (int i = 0; i < 4; i++)
        bytes[19 + i] = (uint8_t)(expiry >> (24 - 8 * i));
    base64_encode(bytes, 23, base64);
    for (size_t i = 0; i < JSXC_LENGTH; i++)
        text_r[i] = (char)(base64[i] == 'O'   ? '-'
                           : base64[i] == 'I' ? '$'
                           : base64[i] == 'l' ? '%'
                                              : base64[i]);
    text_r[JSXC_LENGTH] = '\0';
}

static const struct {
    const char *name;
    unsigned window, lifetime, max_lifetime;
    int64_t age;
    enum reason expected;
} times[] = {
    {"just issued", 1, 60, 120, 0, REASON_ALLOWED},
    {"its last second", 1, 60, 120, 59, REASON_ALLOWED},
    {"its end", 1, 60, 120, 60, REASON_EXPIRED},
    {"a minter that is ahead by all that it may", 1, 60, 120, -30, REASON_ALLOWED},
    {"a second more", 1, 60, 120, -31, REASON_EARLY},
    {"no window, just issued", 0, 60, 120, 0, REASON_ALLOWED},
    {"no window, a second ahead", 0, 60, 120, -1, REASON_EARLY},
    {"a wide window", 10, 60, 120, -300, REASON_ALLOWED},
    {"a wide window adds nothing to the end", 10, 60, 120, 60, REASON_EXPIRED},
    {"cut short", 1, 3600, 120, 119, REASON_ALLOWED},
    {"cut short, its end", 1, 3600, 120, 120, REASON_EXPIRED},
    {"as long as it may be", 1, 3600, 900, 899, REASON_ALLOWED},
    {"a second long", 1, 1, 120, 0, REASON_ALLOWED},
    {"a second long, over", 1, 1, 120, 1, REASON_EXPIRED},
    {"of another year", 1, 60, 120, 40000000, REASON_EXPIRED},
};

static void v2_counts_from_its_issue_to_its_end(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH_OF(times); i++) {
        struct site site;
        struct token_verdict verdict;
        char token[V2_LENGTH_MAX + 1];

        site_init(&site, format_of(times[i].window, times[i].max_lifetime, 3600), any_date);
        mint_v2(&site, NOON, times[i].lifetime, 1, token);
        verdict = judge(&site, token, strlen(token), NOON + times[i].age);
        expect(verdict.reason == times[i].expected, "%s: %s", times[i].name,
               reason_word(verdict.reason));
        expect(verdict.good_until == NOON + (times[i].lifetime < times[i].max_lifetime
                                                 ? times[i].lifetime
                                                 : times[i].max_lifetime),
               "%s: good until %lld", times[i].name, (long long)verdict.good_until);
        expect(verdict.reason == REASON_ALLOWED || verdict.clock_offset == -times[i].age,
               "%s: offset %lld", times[i].name, (long long)verdict.clock_offset);
        site_clear(&site);
    }
}

static void a_keys_dates_come_before_the_time(void **state)
{
    struct site site;
    char token[V2_LENGTH_MAX + 1];

    (void)state;
    site_init(&site, format_of(1, 120, 3600), (struct token_key_dates){NOON, NOON + 30});
    mint_v2(&site, NOON, 60, 1, token);
    assert_int_equal(judge(&site, token, strlen(token), NOON - 1).reason, REASON_KEY_RETIRED);
    assert_int_equal(judge(&site, token, strlen(token), NOON).reason, REASON_ALLOWED);
    assert_int_equal(judge(&site, token, strlen(token), NOON + 29).reason, REASON_ALLOWED);
    assert_int_equal(judge(&site, token, strlen(token), NOON + 30).reason, REASON_KEY_RETIRED);
    assert_int_equal(judge(&site, token, strlen(token), NOON + 3000).reason, REASON_KEY_RETIRED);
    site_clear(&site);
}

/* Whatever begins a password, it is judged as one kind: each kind's own tokens under each choice of
 * accepted kinds. */
static void a_token_is_of_one_kind(void **state)
{
    struct site site;
    char tokens[3][TOKEN_LENGTH_MAX + V2_LENGTH_MAX];

    (void)state;
    site_init(&site, format_of(1, 120, 3600), any_date);
    assert_int_equal(token_mint(site.key, &site.format, "alice", "example.org", NOON / 30, NONCE_32,
                                tokens[TOKEN_V1]),
                     0);
    mint_v2(&site, NOON, 60, 1, tokens[TOKEN_V2]);
    mint_jsxc(&site, NOON + 3600, tokens[TOKEN_JSXC]);
    for (unsigned accepted = 0; accepted < 8; accepted++) {
        site.format.refuses_v1 = (accepted & 1) == 0;
        site.format.accepts_v2 = (accepted & 2) != 0;
        site.format.accepts_jsxc = (accepted & 4) != 0;
        for (enum token_kind kind = TOKEN_V1; kind <= TOKEN_JSXC; kind++) {
            struct token_verdict verdict = judge(&site, tokens[kind], strlen(tokens[kind]), NOON);
            bool is_accepted = (accepted & 1u << kind) != 0;

            expect(token_kind_of(tokens[kind], strlen(tokens[kind])) == kind, "kind %d", kind);
            expect(verdict.reason == (is_accepted ? REASON_ALLOWED : REASON_MALFORMED),
                   "kind %d, accepted %u: %s", kind, accepted, reason_word(verdict.reason));
            expect(!is_accepted || verdict.kind == kind, "kind %d", kind);
        }
    }
    site_clear(&site);
}

/* A host's keys differ in their secret; NAMELESS is the name of a key that is nowhere. */
enum { KEYS = 3, NAMELESS = KEYS };

static void v2_counts_for_the_key_that_it_names_and_no_other(void **state)
{
    static const struct {
        const char *title;
        size_t count;              /* of keys that the host has */
        size_t signed_by, says_by; /* which key signed it, and which it names */
        enum reason reason;
    } rows[] = {
        {"the only key", 1, 0, 0, REASON_ALLOWED},
        {"the first of three", 3, 0, 0, REASON_ALLOWED},
        {"the second of three", 3, 1, 1, REASON_ALLOWED},
        {"the last of three", 3, 2, 2, REASON_ALLOWED},
        {"the first's in the second's name", 3, 0, 1, REASON_FORGED},
        {"the second's in the first's name", 3, 1, 0, REASON_FORGED},
        {"the first's in the name of none", 3, 0, NAMELESS, REASON_FORGED},
        {"a key that the host does not have", 2, 2, 2, REASON_FORGED},
        {"a host without keys", 0, 0, 0, REASON_FORGED},
    };
    static const char *const secrets[KEYS] = {SECRET "0", SECRET "1", SECRET "2"};
    static const uint8_t nonce[V2_NONCE_SIZE] = {9};
    struct token_format format = format_of(1, 120, 3600);

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct key_fingerprint names[KEYS + 1] = {[NAMELESS] = {"0123456789abcdef"}};
        struct token_key **exact_keys;
        struct key_fingerprint *exact_names;
        struct judge_keys keys;
        struct token_key *made[KEYS];
        char token[V2_LENGTH_MAX + 1];
        struct token_verdict verdict;
        struct claim claim;

        for (size_t k = 0; k < KEYS; k++) {
            made[k] = key_of(&format, RFC_SEED, secrets[k]);
            assert_int_equal(key_fingerprint((const uint8_t *)RFC_SEED, strlen(RFC_SEED),
                                             (const uint8_t *)secrets[k], strlen(secrets[k]),
                                             &names[k]),
                             0);
        }
        assert_int_equal(token_v2_mint(made[rows[i].signed_by], &names[rows[i].says_by], "alice",
                                       "example.org", NOON, 60, nonce, token),
                         0);
        /* At the end of their memory. */
        exact_keys = exact_copy(made, rows[i].count * sizeof(struct token_key *));
        exact_names = exact_copy(names, rows[i].count * sizeof(names[0]));
        keys = (struct judge_keys){exact_keys, exact_names, rows[i].count, NULL};
        claim = claim_of("alice", "example.org", token);
        token_judge(&keys, &format, &claim, NOON, &verdict);
        expect(verdict.reason == rows[i].reason, "%s: %s", rows[i].title,
               reason_word(verdict.reason));
        if (verdict.reason == REASON_ALLOWED)
            expect(verdict.key == rows[i].signed_by, "%s: key %zu", rows[i].title, verdict.key);
        free(exact_keys);
        free(exact_names);
        for (size_t k = 0; k < KEYS; k++)
            token_key_destroy(&made[k]);
    }
}

/* As v1's do: what has the shape of a token and fits no key is forged, not malformed. */
static void a_token_that_fits_no_key_is_forged(void **state)
{
    struct site site;
    char token[V2_LENGTH_MAX + 1];

    (void)state;
    site_init(&site, format_of(1, 120, 3600), any_date);
    mint_v2(&site, NOON, 60, 1, token);
    token[strlen(token) - 2] ^= 1;
    assert_int_equal(judge(&site, token, strlen(token), NOON).reason, REASON_FORGED);
    mint_jsxc(&site, NOON + 3600, token);
    assert_int_equal(judge(&site, token, strlen(token), NOON).reason, REASON_ALLOWED);
    assert_int_equal(judge(&site, token, strlen(token), NOON).good_until, NOON + 3600);
    token[5] = token[5] == 'x' ? 'y' : 'x';
    assert_int_equal(judge(&site, token, strlen(token), NOON).reason, REASON_FORGED);
    jsxc_key_destroy(&site.jsxc);
    assert_int_equal(judge(&site, token, strlen(token), NOON).reason, REASON_FORGED);
    site_clear(&site);
}

static void the_first_byte_says_the_kind_and_nothing_else_does(void **state)
{
    static const struct {
        const char *password;
        enum token_kind kind;
    } rows[] = {
        {"", TOKEN_V1},     {"v", TOKEN_V2}, {"v2", TOKEN_V2}, {"A", TOKEN_JSXC},
        {"Av", TOKEN_JSXC}, {"1", TOKEN_V1}, {"V", TOKEN_V1},  {"a", TOKEN_V1},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        char *exact = exact_copy(rows[i].password, strlen(rows[i].password));

        expect(token_kind_of(exact, strlen(rows[i].password)) == rows[i].kind, "'%s'",
               rows[i].password);
        free(exact);
    }
}

/* How they are filed: v1 by the host's own steps, the others by steps that no setting changes, and
 * as many of them as cover what a clock may be ahead. */
static void each_kind_has_its_steps(void **state)
{
    static const struct {
        unsigned interval, window;
        struct token_steps v1, v2, jsxc;
    } rows[] = {
        {30, 1, {30, 1}, {30, 1}, {60, 1}},    {30, 0, {30, 0}, {30, 0}, {60, 0}},
        {30, 10, {30, 10}, {30, 10}, {60, 5}}, {31, 1, {31, 1}, {30, 2}, {60, 1}},
        {60, 1, {60, 1}, {30, 2}, {60, 1}},    {61, 1, {61, 1}, {30, 3}, {60, 2}},
        {1, 1, {1, 1}, {30, 1}, {60, 1}},      {900, 0, {900, 0}, {30, 0}, {60, 0}},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        const struct token_steps expected[] = {rows[i].v1, rows[i].v2, rows[i].jsxc};
        struct token_format format = format_of(rows[i].window, 120, 3600);

        format.interval = rows[i].interval;
        for (enum token_kind kind = TOKEN_V1; kind <= TOKEN_JSXC; kind++) {
            struct token_steps steps = token_steps_of(kind, &format);

            expect(steps.interval == expected[kind].interval && steps.lead == expected[kind].lead,
                   "row %zu, kind %d: %u and %u", i, kind, steps.interval, steps.lead);
        }
    }
}

static void no_text_is_read_beyond_its_end(void **state)
{
    struct site site;
    char token[V2_LENGTH_MAX + 1];

    (void)state;
    site_init(&site, format_of(1, 120, 3600), any_date);
    mint_v2(&site, NOON, 60, 1, token);
    for (size_t length = 0; length < strlen(token); length++) {
        char *exact = malloc(length + 1);

        assert_non_null(exact);
        memcpy(exact, token, length);
        expect(judge(&site, exact, length, NOON).reason == REASON_MALFORMED, "length %zu", length);
        if (length > 0)
            exact[0] = 'A';
        expect(judge(&site, exact, length, NOON).reason == REASON_MALFORMED, "length %zu", length);
        free(exact);
    }
    site_clear(&site);
}

/* --- among the spent ones */

struct made {
    enum token_kind kind;
    char text[V2_LENGTH_MAX + 1];
};

static struct made make(struct site *site, enum token_kind kind, int64_t issued, unsigned lifetime,
                        uint64_t number)
{
    struct made made = {.kind = kind};

    if (kind == TOKEN_V2)
        mint_v2(site, issued, lifetime, number, made.text);
    else
        mint_jsxc(site, issued + lifetime, made.text);
    return made;
}

static void resolved(struct spend_waiter *waiter, enum spend_outcome outcome)
{
    (void)waiter;
    (void)outcome;
}

/* What the store says of a token at a moment; SPEND_PENDING: it is not acceptable then. */
static enum spend_outcome present(struct site *site, struct spent_store *store,
                                  const struct made *made, struct moment now)
{
    struct token_verdict verdict = judge(site, made->text, strlen(made->text), moment_seconds(now));
    struct spend_waiter waiter = {.resolve = resolved};
    const struct spend spend = {.id = signature_id_of(verdict.signature),
                                .first_step = verdict.steps.first,
                                .filing_step = verdict.steps.last,
                                .interval = verdict.interval,
                                .window = verdict.window,
                                .timeline = verdict.kind};

    if (verdict.reason != REASON_ALLOWED)
        return SPEND_PENDING;
    return spent_store_spend(store, &spend, now, &waiter);
}

static struct moment at(int64_t wall, int64_t boot)
{
    return (struct moment){.wall_ms = wall * 1000, .boot_ms = boot * 1000};
}

/* For every place of the start in a step, and every time of issue around it: starting if it could
 * have been spent before, and taken as soon as the steps are clear of it. */
static void starting_is_what_may_have_been_spent_before_the_start(void **state)
{
    struct site site;
    unsigned taken = 0;

    (void)state;
    site_init(&site, format_of(1, 120, 3600), any_date);
    for (int64_t start = NOON; start < NOON + 60; start += 7) {
        for (int64_t issued = start - 130; issued < start + 130; issued++) {
            for (enum token_kind kind = TOKEN_V2; kind <= TOKEN_JSXC; kind++) {
                struct spent_store *store = memory_store_create(at(start, 100), false);
                struct token_steps steps = token_steps_of(kind, &site.format);
                struct made made = make(&site, kind, issued, kind == TOKEN_V2 ? 120 : 3600, 1);
                int64_t now = issued > start ? issued : start;
                enum spend_outcome outcome =
                    present(&site, store, &made, at(now, 100 + now - start));
                bool opened =
                    issued >= spent_store_opens(
                                  store,
                                  &(struct spend){.interval = steps.interval, .window = steps.lead},
                                  at(start, 100));

                if (issued - 30 <= start && outcome != SPEND_PENDING)
                    expect(outcome == SPEND_STARTING, "kind %d, start %lld, issued %lld: %d", kind,
                           (long long)start, (long long)issued, outcome);
                if (opened)
                    expect(outcome == SPEND_FRESH, "kind %d, start %lld, issued %lld: %d", kind,
                           (long long)start, (long long)issued, outcome);
                taken += opened;
                spent_store_destroy(&store);
            }
        }
    }
    assert_true(taken > 100);
    site_clear(&site);
}

enum { HISTORY_TOKENS = 48 };

/* JSXC's tokens that end in the same second are the same. */
static bool is_there(const struct made *tokens, size_t count, const struct made *made)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(tokens[i].text, made->text) == 0)
            return true;
    }
    return false;
}

/* A history: both clocks go on, the wall clock also jumps, settings change, tokens are presented at
 * any time. None is ever fresh twice; and none is refused before the clock was ever put back. */
static void play_history(uint64_t seed)
{
    struct spent_store *store = memory_store_create(at(NOON, 100), true);
    struct made tokens[HISTORY_TOKENS];
    bool spent[HISTORY_TOKENS] = {false};
    int64_t wall = NOON, boot = 100;
    bool jumped = false;
    struct site site;
    uint64_t random = seed;
    size_t count = 0;

    site_init(&site, format_of(1, 120, 3600), any_date);
    for (int turn = 0; turn < 400; turn++) {
        int64_t passed = (int64_t)random_below(&random, 40);
        size_t which = (size_t)random_below(&random, HISTORY_TOKENS);
        enum spend_outcome outcome;

        wall += passed;
        boot += passed;
        if (random_below(&random, 60) == 0) {
            wall += (int64_t)random_below(&random, 8000) - 4000;
            jumped = true;
        }
        if (random_below(&random, 20) == 0) {
            site.format.window = (unsigned)random_below(&random, 11);
            site.format.max_lifetime = 5 + (unsigned)random_below(&random, 896);
            site.format.jsxc_max_lifetime = 60 + (unsigned)random_below(&random, 10740);
        }
        if (count < HISTORY_TOKENS && random_below(&random, 3) == 0) {
            enum token_kind kind = random_below(&random, 2) == 0 ? TOKEN_V2 : TOKEN_JSXC;
            unsigned lifetime = 1 + (unsigned)random_below(&random, 3600);

            tokens[count] = make(&site, kind, wall + (int64_t)random_below(&random, 120) - 60,
                                 lifetime, seed * 1000 + count);
            which = count;
            count += !is_there(tokens, count, &tokens[count]);
        }
        spent_store_tick(store, at(wall, boot));
        if (which >= count)
            continue;
        outcome = present(&site, store, &tokens[which], at(wall, boot));
        expect(outcome != SPEND_FRESH || !spent[which], "seed %llu, turn %d: token %zu twice",
               (unsigned long long)seed, turn, which);
        expect(outcome == SPEND_PENDING || outcome == SPEND_FRESH || spent[which] || jumped,
               "seed %llu, turn %d: token %zu refused: %d", (unsigned long long)seed, turn, which,
               outcome);
        spent[which] |= outcome == SPEND_FRESH;
    }
    spent_store_destroy(&store);
    site_clear(&site);
}

static void no_history_lets_a_token_in_twice(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 400; seed++)
        play_history(seed);
}

/* The journal keeps a window in eight bits, and a step's length in fourteen. */
static void every_token_fits_a_record(void **state)
{
    struct site site;

    (void)state;
    site_init(&site, format_of(OTP_WINDOW_MAX, 900, JSXC_LIFETIME_MAX), any_date);
    site.format.interval = 45; /* 21 steps are as near to 15 minutes as may be */
    for (enum token_kind kind = TOKEN_V2; kind <= TOKEN_JSXC; kind++) {
        for (int64_t issued = NOON; issued < NOON + 60; issued++) {
            unsigned lifetime = kind == TOKEN_V2 ? V2_LIFETIME_MAX : JSXC_LIFETIME_MAX;
            struct made made = make(&site, kind, issued, lifetime, 1);
            struct token_verdict verdict = judge(&site, made.text, strlen(made.text), issued);

            assert_int_equal(verdict.reason, REASON_ALLOWED);
            expect(verdict.window <= 255 && verdict.interval < 1 << 14, "%u", verdict.window);
        }
    }
    site_clear(&site);
}

struct expectation {
    unsigned times;
    uint8_t signature[CLAIMED_SIGNATURE_MIN];
};

static void note_expected(void *context, const uint8_t *signature)
{
    struct expectation *expectation = context;

    expectation->times++;
    memcpy(expectation->signature, signature, sizeof(expectation->signature));
}

/* A genuine token is looked for where it was expected; one that is none may be expected anywhere. */
static void the_signature_of_the_text_is_expected_once_before_the_verdict(void **state)
{
    static const char *const kinds[] = {"v1", "v2", "JSXC", "v1, a digit short"};
    static const char nonce[] = "00000000000000000000000000000000";
    struct site site;

    (void)state;
    site_init(&site, format_of(1, 120, 3600), any_date);
    for (size_t kind = 0; kind < LENGTH_OF(kinds); kind++) {
        struct expectation expectation = {.times = 0};
        const struct judge_keys keys = {&site.key, &site.name, 1, site.jsxc};
        struct claim claim = claim_of("alice", "example.org", "");
        char token[V2_LENGTH_MAX + 1];
        struct token_verdict verdict;

        if (kind == 1)
            mint_v2(&site, NOON, 60, 1, token);
        else if (kind == 2)
            mint_jsxc(&site, NOON + 60, token);
        else
            assert_int_equal(token_mint(site.key, &site.format, "alice", "example.org",
                                        NOON / (int64_t)site.format.interval, nonce, token),
                             0);
        claim.password = kind == 3 ? token + 1 : token;
        claim.password_length = strlen(claim.password);
        claim.expect = note_expected;
        claim.expect_context = &expectation;
        token_judge(&keys, &site.format, &claim, NOON, &verdict);
        expect(verdict.reason == (kind == 3 ? REASON_MALFORMED : REASON_ALLOWED), "%s: %s",
               kinds[kind], reason_word(verdict.reason));
        expect(expectation.times == (kind != 3), "%s: %u times", kinds[kind], expectation.times);
        expect(kind == 3 || memcmp(expectation.signature, verdict.signature,
                                   sizeof(expectation.signature)) == 0,
               "%s: another one is expected", kinds[kind]);
    }
    site_clear(&site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(v2_counts_from_its_issue_to_its_end),
        cmocka_unit_test(a_keys_dates_come_before_the_time),
        cmocka_unit_test(a_token_is_of_one_kind),
        cmocka_unit_test(v2_counts_for_the_key_that_it_names_and_no_other),
        cmocka_unit_test(a_token_that_fits_no_key_is_forged),
        cmocka_unit_test(the_first_byte_says_the_kind_and_nothing_else_does),
        cmocka_unit_test(each_kind_has_its_steps),
        cmocka_unit_test(no_text_is_read_beyond_its_end),
        cmocka_unit_test(starting_is_what_may_have_been_spent_before_the_start),
        cmocka_unit_test(no_history_lets_a_token_in_twice),
        cmocka_unit_test(every_token_fits_a_record),
        cmocka_unit_test(the_signature_of_the_text_is_expected_once_before_the_verdict),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
