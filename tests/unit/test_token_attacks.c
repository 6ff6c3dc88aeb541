/* What others got wrong, attack by attack: questions, verifier and replay index together, as the
 * daemon puts them together, with a clock that the test moves. */
#include "vectors.h"

#include "store/replay_index.h"
#include "wire/question.h"

#define SECRET "a secret of the test's own, 32 characters and more"

static const int64_t noon = 1767225600; /* the first second of a step */

struct gate {
    struct token_format format;
    struct token_key *key;
    struct replay_index *index;
};

static struct gate gate_of(const struct token_format *format)
{
    struct gate gate = {
        .format = *format, .key = key_of(format, RFC_SEED, SECRET), .index = replay_index_create()};

    assert_non_null(gate.index);
    return gate;
}

static void close_gate(struct gate *gate)
{
    token_key_destroy(&gate->key);
    replay_index_destroy(&gate->index);
}

static void mint(const struct gate *gate, const char *user, int64_t seconds, const char *nonce,
                 char text_r[TOKEN_LENGTH_MAX + 1])
{
    assert_int_equal(token_mint(gate->key, &gate->format, user, "example.org",
                                totp_step(seconds, gate->format.interval), nonce, text_r),
                     0);
}

static enum reason judge(struct gate *gate, const struct claim *claim, struct moment now)
{
    static const enum reason reasons[] = {
        [SPEND_FRESH] = REASON_ALLOWED,       [SPEND_REPLAYED] = REASON_REPLAYED,
        [SPEND_CLOSED] = REASON_REPLAYED,     [SPEND_STARTING] = REASON_STARTING,
        [SPEND_PENDING] = REASON_STORE_ERROR, [SPEND_FAILED] = REASON_STORE_ERROR};
    struct token_verdict verdict;
    struct spend spend;

    token_verify(&gate->key, 1, &gate->format, claim, moment_seconds(now), &verdict);
    if (verdict.reason != REASON_ALLOWED)
        return verdict.reason;
    spend = (struct spend){.id = signature_id_of(verdict.signature),
                           .first_step = verdict.steps.first,
                           .filing_step = verdict.steps.last,
                           .interval = gate->format.interval,
                           .window = gate->format.window};
    return reasons[replay_index_spend(gate->index, &spend, now)];
}

/* Seconds by both clocks; the machine booted at noon. */
static struct moment at(int64_t seconds)
{
    return (struct moment){.wall_ms = seconds * 1000, .boot_ms = (seconds - noon) * 1000};
}

static enum reason present(struct gate *gate, const char *user, const char *text, int64_t seconds)
{
    struct claim claim = claim_of(user, "example.org", text);

    return judge(gate, &claim, at(seconds));
}

/* A whole question as it comes from the wire. */
static enum reason ask(struct gate *gate, const char *text, size_t length, int64_t seconds)
{
    char *exact = exact_copy(text, length);
    struct question question = question_parse(exact, length);
    enum reason reason = REASON_MALFORMED;

    if (question.kind == QUESTION_AUTH) {
        struct claim claim = {.user = question.user,
                              .user_length = question.user_length,
                              .host = question.host,
                              .host_length = question.host_length,
                              .password = question.password,
                              .password_length = question.password_length};

        reason = judge(gate, &claim, at(seconds));
    }
    free(exact);
    return reason;
}

/* OTP NONCE JID has no separators: the token of 1admin has the signature of one of admin's whose
 * nonce is a digit longer. */
static void moving_a_digit_from_user_to_nonce_is_denied(void **state)
{
    static const char *const users[] = {"1admin", "22admin", "31415926admin",
                                        "00000000000000000000000000000000admin"};
    struct gate gate = gate_of(&default_format);

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(users); i++) {
        size_t moved = strlen(users[i]) - strlen("admin");
        char own[TOKEN_LENGTH_MAX + 1], stolen[2 * TOKEN_LENGTH_MAX];
        char message[256], other_message[256];
        size_t size;

        mint(&gate, users[i], noon, NONCE_32, own);
        snprintf(stolen, sizeof(stolen), "%.40s%.*s%s", own, (int)moved, users[i], own + 40);
        /* The signature fits, byte for byte: only the exact length keeps the attacker out. */
        size = token_message(own, 40, users[i], strlen(users[i]), "example.org", 11, message,
                             sizeof(message));
        assert_int_equal(token_message(stolen, 40 + moved, "admin", 5, "example.org", 11,
                                       other_message, sizeof(other_message)),
                         size);
        assert_memory_equal(message, other_message, size);
        expect(present(&gate, "admin", stolen, noon) == REASON_MALFORMED, "%s", users[i]);
        /* Nor is a digit dropped at the front to make up for it. */
        expect(present(&gate, "admin", stolen + moved, noon) == REASON_FORGED, "%s", users[i]);
        expect(present(&gate, users[i], own, noon) == REASON_ALLOWED, "%s", users[i]);
    }
    close_gate(&gate);
}

static void moving_a_digit_from_nonce_to_user_is_denied(void **state)
{
    struct gate gate = gate_of(&default_format);
    char own[TOKEN_LENGTH_MAX + 1], moved[TOKEN_LENGTH_MAX + 1], user[16];

    (void)state;
    mint(&gate, "admin", noon, NONCE_32, own);
    snprintf(moved, sizeof(moved), "%.39s%s", own, own + 40);
    snprintf(user, sizeof(user), "%cadmin", own[39]);
    assert_int_equal(present(&gate, user, moved, noon), REASON_MALFORMED);
    close_gate(&gate);
}

/* A host that is set up for longer nonces under the same secret would let the digit move: so a
 * format is never changed under a secret. This is what would happen. */
static void the_same_secret_under_another_nonce_length_would_let_the_digit_move(void **state)
{
    struct token_format longer = default_format;
    struct gate gate = gate_of(&default_format), other;
    char own[TOKEN_LENGTH_MAX + 1], stolen[2 * TOKEN_LENGTH_MAX];

    (void)state;
    longer.nonce_digits = 33;
    other = gate_of(&longer);
    mint(&gate, "1admin", noon, NONCE_32, own);
    snprintf(stolen, sizeof(stolen), "%.40s1%s", own, own + 40);
    assert_int_equal(present(&gate, "admin", stolen, noon), REASON_MALFORMED);
    assert_int_equal(present(&other, "admin", stolen, noon), REASON_ALLOWED);
    close_gate(&gate);
    close_gate(&other);
}

/* user@host is joined with an @, so an @ in either would let the border move. */
static void moving_the_border_between_user_and_host_is_denied(void **state)
{
    static const char *const questions[] = {
        "auth:admin@example:org:",  "auth:admin:example@org:",  "auth:admin@example.org::",
        "auth::admin@example.org:", "auth:admin@:example.org:", "auth:admin:@example.org:",
        "auth:admin/x:example.org:"};
    struct gate gate = gate_of(&default_format);
    char own[TOKEN_LENGTH_MAX + 1], text[256];

    (void)state;
    mint(&gate, "admin", noon, NONCE_32, own);
    for (size_t i = 0; i < LENGTH_OF(questions); i++) {
        int length = snprintf(text, sizeof(text), "%s%s", questions[i], own);

        expect(ask(&gate, text, (size_t)length, noon) == REASON_MALFORMED, "%s", questions[i]);
    }
    assert_int_equal(ask(&gate, text,
                         (size_t)snprintf(text, sizeof(text), "auth:admin:example.org:%s", own),
                         noon),
                     REASON_ALLOWED);
    close_gate(&gate);
}

/* The peer forgot A when B of the next step came, and still took A's step. */
static void a_b_then_a_again_is_replayed(void **state)
{
    struct gate gate = gate_of(&default_format);
    char a[TOKEN_LENGTH_MAX + 1], b[TOKEN_LENGTH_MAX + 1];

    (void)state;
    mint(&gate, "alice", noon, NONCE_32, a);
    mint(&gate, "alice", noon + 30, NONCE_32, b);
    assert_int_equal(present(&gate, "alice", a, noon + 20), REASON_ALLOWED);
    assert_int_equal(present(&gate, "alice", b, noon + 31), REASON_ALLOWED);
    assert_int_equal(present(&gate, "alice", a, noon + 32), REASON_REPLAYED);
    assert_int_equal(present(&gate, "alice", b, noon + 33), REASON_REPLAYED);
    close_gate(&gate);
}

static void no_order_of_presenting_three_tokens_lets_one_in_twice(void **state)
{
    char tokens[3][TOKEN_LENGTH_MAX + 1];

    (void)state;
    /* All sequences of seven, each token of another step and all acceptable throughout. */
    for (int sequence = 0; sequence < 3 * 3 * 3 * 3 * 3 * 3 * 3; sequence++) {
        struct gate gate = gate_of(&default_format);
        bool spent[3] = {false};

        for (int64_t i = 0; i < 3; i++)
            mint(&gate, "alice", noon + (i - 1) * 30, NONCE_32, tokens[i]);
        for (int rest = sequence, i = 0; i < 7; i++, rest /= 3) {
            enum reason expected = spent[rest % 3] ? REASON_REPLAYED : REASON_ALLOWED;

            replay_index_drop_old(gate.index, at(noon + i));
            expect(present(&gate, "alice", tokens[rest % 3], noon + i) == expected,
                   "sequence %d, token %d", sequence, i);
            spent[rest % 3] = true;
        }
        close_gate(&gate);
    }
}

/* Every pair of seconds in which a token passes the time check. */
static void a_spent_token_is_replayed_for_as_long_as_it_is_in_time(void **state)
{
    char text[TOKEN_LENGTH_MAX + 1];

    (void)state;
    for (int64_t first = -30; first < 60; first++) {
        struct gate gate = gate_of(&default_format);

        mint(&gate, "alice", noon, NONCE_32, text);
        assert_int_equal(present(&gate, "alice", text, noon + first), REASON_ALLOWED);
        for (int64_t second = first; second < 60; second++) {
            replay_index_drop_old(gate.index, at(noon + second));
            expect(present(&gate, "alice", text, noon + second) == REASON_REPLAYED,
                   "at %lld and %lld", (long long)first, (long long)second);
        }
        expect(present(&gate, "alice", text, noon + 60) == REASON_EXPIRED, "at %lld",
               (long long)first);
        close_gate(&gate);
    }
}

static void another_spelling_of_the_base64_is_not_another_token(void **state)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    static const enum hash hashes[] = {HASH_SHA256, HASH_SHA512};

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(hashes); i++) {
        struct token_format format = default_format;
        char text[TOKEN_LENGTH_MAX + 1], other[TOKEN_LENGTH_MAX + 8];
        unsigned leftover_bits = hashes[i] == HASH_SHA256 ? 2 : 4;
        struct gate gate;
        char *last;
        ptrdiff_t value;

        format.signature_hash = hashes[i];
        gate = gate_of(&format);
        mint(&gate, "alice", noon, NONCE_32, text);
        assert_int_equal(present(&gate, "alice", text, noon), REASON_ALLOWED);
        last = strchr(strchr(text, ' '), '=') - 1;
        value = strchr(alphabet, *last) - alphabet;
        for (ptrdiff_t bits = 1; bits < 1 << leftover_bits; bits++) {
            copy_text(other, text);
            other[last - text] = alphabet[value + bits];
            expect(present(&gate, "alice", other, noon) == REASON_MALFORMED, "leftover bits %td",
                   bits);
        }
        snprintf(other, sizeof(other), "%s\n", text);
        assert_int_equal(present(&gate, "alice", other, noon), REASON_MALFORMED);
        snprintf(other, sizeof(other), "%s=", text);
        assert_int_equal(present(&gate, "alice", other, noon), REASON_MALFORMED);
        snprintf(other, sizeof(other), "%.*s", (int)strlen(text) - 1, text);
        assert_int_equal(present(&gate, "alice", other, noon), REASON_MALFORMED);
        snprintf(other, sizeof(other), "%.40s  %s", text, text + 41);
        assert_int_equal(present(&gate, "alice", other, noon), REASON_MALFORMED);
        assert_int_equal(present(&gate, "alice", text, noon), REASON_REPLAYED);
        close_gate(&gate);
    }
}

static void a_password_of_any_bytes_is_a_clean_deny(void **state)
{
    static const char *const passwords[] = {"",
                                            " ",
                                            ":",
                                            "::::",
                                            "=",
                                            "%s%n%s%n",
                                            "\xff\xfe\xfd",
                                            "hunter2",
                                            "\x7f",
                                            "\x01",
                                            "\r\n",
                                            "nil",
                                            "' OR 1=1 --",
                                            "$(reboot)",
                                            "\xc3",
                                            "\xed\xa0\x80",
                                            "00000000",
                                            "0 0",
                                            "auth:a:b:c",
                                            "00000000000000000000 A==="};
    struct gate gate = gate_of(&default_format);
    uint64_t random = 23;
    char text[9000] = "auth:alice:example.org:";
    size_t before = strlen(text);

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(passwords); i++) {
        copy_text(text + before, passwords[i]);
        expect(ask(&gate, text, strlen(text), noon) == REASON_MALFORMED, "'%s'", passwords[i]);
    }
    for (int round = 0; round < 20000; round++) {
        size_t length = round % 3 == 0 ? 85 : random_below(&random, 200);

        for (size_t i = 0; i < length; i++)
            text[before + i] = (char)random_next(&random);
        expect(ask(&gate, text, before + length, noon) == REASON_MALFORMED, "round %d", round);
    }
    for (size_t length = 0; before + length <= 8191; length += 13) {
        memset(text + before, '7', length);
        expect(ask(&gate, text, before + length, noon) == REASON_MALFORMED, "%zu sevens", length);
    }
    close_gate(&gate);
}

/* The peer kept one entry for each user for ever. */
static void a_hundred_thousand_users_leave_nothing_behind(void **state)
{
    struct gate gate = gate_of(&default_format);
    size_t most = 0;
    int64_t now = noon;

    (void)state;
    for (int user = 0; user < 100000; user++) {
        char name[16], text[TOKEN_LENGTH_MAX + 1];

        snprintf(name, sizeof(name), "user%d", user);
        if (user % 100 == 0) {
            now += 30;
            replay_index_drop_old(gate.index, at(now));
        }
        mint(&gate, name, now, NONCE_32, text);
        expect(present(&gate, name, text, now) == REASON_ALLOWED, "%s", name);
        if (replay_index_usage(gate.index).tokens > most)
            most = replay_index_usage(gate.index).tokens;
    }
    expect(most <= 200, "%zu tokens at a time", most);
    replay_index_drop_old(gate.index, at(now + 60));
    assert_int_equal(replay_index_usage(gate.index).tokens, 0);
    assert_int_equal(replay_index_usage(gate.index).memory, 0);
    close_gate(&gate);
}

static void a_flood_of_forged_tokens_takes_no_memory_and_builds_no_table(void **state)
{
    struct gate gate = gate_of(&default_format);
    char text[TOKEN_LENGTH_MAX + 1];

    (void)state;
    mint(&gate, "mallory", noon, NONCE_32, text);
    for (int round = 0; round < 10000; round++) {
        char digits[16];

        snprintf(digits, sizeof(digits), "%08d", round);
        memcpy(text + 20, digits, 8);
        assert_int_equal(present(&gate, "alice", text, noon + round % 7200), REASON_FORGED);
    }
    assert_int_equal(replay_index_usage(gate.index).memory, 0);
    assert_false(token_key_remembers_steps(gate.key));
    close_gate(&gate);
}

/* The peer looked at the OTP first, and so told anybody which OTP is right now. */
static void a_forged_token_never_tells_whether_its_otp_was_right(void **state)
{
    struct gate gate = gate_of(&default_format);

    (void)state;
    for (int64_t minted = -200; minted <= 200; minted++) {
        char text[TOKEN_LENGTH_MAX + 1];

        /* The OTP of a step near or far, under a signature that is not alice's. */
        mint(&gate, "mallory", noon + minted * 30, NONCE_32, text);
        expect(present(&gate, "alice", text, noon) == REASON_FORGED, "%lld steps off",
               (long long)minted);
    }
    close_gate(&gate);
}

/* A naive utcnow() on a server in Berlin. */
static void a_wrong_clock_does_not_look_like_a_wrong_password(void **state)
{
    struct token_key *key = key_of(&default_format, RFC_SEED, SECRET);
    struct token_verdict verdict;
    char text[TOKEN_LENGTH_MAX + 1];

    (void)state;
    assert_int_equal(token_mint(key, &default_format, "alice", "example.org", (noon - 7200) / 30,
                                NONCE_32, text),
                     0);
    verdict = verdict_of(key, &default_format, "alice", "example.org", text, noon + 10);
    assert_int_equal(verdict.reason, REASON_EXPIRED);
    assert_int_equal(verdict.clock_offset, -7200);
    assert_int_equal(time_zone_offset(verdict.clock_offset, &default_format), -7200);
    token_key_destroy(&key);
}

/* Steps 74194138 and 74194140 give the same OTP, so the token of one is the token of the other.
 * Accepted in one, it must not come back in the other: not through any order of clock moves. */
static void a_recurring_otp_lets_no_token_in_twice_while_its_stretch_lasts(void **state)
{
    enum { FIRST = 74194136, MOVES = 4, PLACES = 7 };
    static const int64_t passing[] = {0, 100}; /* seconds by the boot clock between two moves */
    struct gate gate = gate_of(&default_format);
    size_t histories = 0, accepted_in[PLACES] = {0};
    char text[TOKEN_LENGTH_MAX + 1], twin[TOKEN_LENGTH_MAX + 1];

    (void)state;
    mint(&gate, "alice", INT64_C(74194138) * 30, NONCE_32, text);
    mint(&gate, "alice", INT64_C(74194140) * 30, NONCE_32, twin);
    assert_string_equal(text, twin);
    for (int history = 0; history < PLACES * PLACES * PLACES * PLACES; history++) {
        for (unsigned passes = 0; passes < 1u << MOVES; passes++) {
            int64_t boot = 1000;
            int accepted = 0;

            for (int rest = history, move = 0; move < MOVES; move++, rest /= PLACES) {
                int64_t wall = INT64_C(30) * (FIRST + rest % PLACES) + (move * 13) % 30;
                struct claim claim = claim_of("alice", "example.org", text);
                struct moment now;

                boot += passing[passes >> move & 1];
                now = (struct moment){.wall_ms = wall * 1000, .boot_ms = boot * 1000};
                replay_index_drop_old(gate.index, now);
                if (judge(&gate, &claim, now) == REASON_ALLOWED) {
                    accepted++;
                    accepted_in[rest % PLACES]++;
                }
            }
            histories++;
            expect(accepted <= 1, "history %d, passing %x: accepted %d times", history, passes,
                   accepted);
            replay_index_destroy(&gate.index);
            gate.index = replay_index_create();
            assert_non_null(gate.index);
        }
    }
    assert_true(histories > 30000);
    /* It is acceptable from the step before the first to the step after the last, nowhere else. */
    for (int place = 0; place < PLACES; place++)
        expect((accepted_in[place] > 0) == (place >= 1 && place <= 5), "place %d", place);
    close_gate(&gate);
}

/* Second by second through the whole stretch, whenever it was accepted first. */
static void a_recurring_otp_is_spent_for_every_second_of_its_stretch(void **state)
{
    const int64_t begin = INT64_C(74194137) * 30, end = INT64_C(74194142) * 30;
    char text[TOKEN_LENGTH_MAX + 1];

    (void)state;
    for (int64_t first = begin; first < end; first += 7) {
        struct gate gate = gate_of(&default_format);

        mint(&gate, "alice", INT64_C(74194138) * 30, NONCE_32, text);
        assert_int_equal(present(&gate, "alice", text, first), REASON_ALLOWED);
        for (int64_t second = first; second < end; second++) {
            replay_index_drop_old(gate.index, at(second));
            expect(present(&gate, "alice", text, second) == REASON_REPLAYED, "%lld, then %lld",
                   (long long)(first - begin), (long long)(second - begin));
        }
        assert_int_equal(present(&gate, "alice", text, end), REASON_EXPIRED);
        close_gate(&gate);
    }
}

/* The known limit of v1, written down as it is: the signature binds the OTP, not the step. Steps
 * 58913288 and 58913334 are 23 minutes apart. */
static void a_token_whose_otp_recurs_long_after_its_window_comes_back(void **state)
{
    struct gate gate = gate_of(&default_format);
    const int64_t first = INT64_C(58913288) * 30, second = INT64_C(58913334) * 30;
    char text[TOKEN_LENGTH_MAX + 1], twin[TOKEN_LENGTH_MAX + 1];

    (void)state;
    mint(&gate, "alice", first, NONCE_32, text);
    mint(&gate, "alice", second, NONCE_32, twin);
    assert_string_equal(text, twin);
    assert_int_equal(present(&gate, "alice", text, first), REASON_ALLOWED);
    for (int64_t now = first; now < first + 60; now++) {
        replay_index_drop_old(gate.index, at(now));
        assert_int_equal(present(&gate, "alice", text, now), REASON_REPLAYED);
    }
    for (int64_t now = first + 60; now < second - 30; now++) {
        enum reason reason;

        replay_index_drop_old(gate.index, at(now));
        reason = present(&gate, "alice", text, now);
        expect(reason == REASON_EXPIRED || reason == REASON_EARLY, "%lld s later: %s",
               (long long)(now - first), reason_word(reason));
    }
    /* Here it comes back; and then it is spent again. */
    replay_index_drop_old(gate.index, at(second));
    assert_int_equal(present(&gate, "alice", text, second), REASON_ALLOWED);
    assert_int_equal(present(&gate, "alice", text, second), REASON_REPLAYED);
    close_gate(&gate);
}

/* Many tokens, presented at random while the clocks are moved at random: none is let in twice, and
 * none is refused that was never let in, unless its step lost its record. */
static void no_history_of_clock_moves_lets_a_token_in_twice(void **state)
{
    enum { STEPS = 40, USERS = 3, TOKENS = STEPS * USERS };
    static char tokens[TOKENS][TOKEN_LENGTH_MAX + 1];
    static const char *const users[USERS] = {"alice", "bob", "carol"};
    size_t allowed = 0, replayed = 0;

    (void)state;
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct gate gate = gate_of(&default_format);
        bool spent[TOKENS] = {false}, used[STEPS] = {false};
        uint64_t random = 5000 + seed;
        int64_t wall = noon + 600, boot = 100;

        for (int64_t i = 0; i < TOKENS; i++)
            mint(&gate, users[i % USERS], noon + i / USERS * 30, NONCE_32, tokens[i]);
        for (int action = 0; action < 500; action++) {
            int token = (int)random_below(&random, TOKENS);
            int64_t passed = (int64_t)random_below(&random, 5);
            struct claim claim = claim_of(users[token % USERS], "example.org", tokens[token]);
            struct moment now;
            enum reason reason;

            wall += passed;
            boot += passed;
            if (random_below(&random, 40) == 0)
                wall = noon + (int64_t)random_below(&random, UINT64_C(30) * STEPS);
            if (random_below(&random, 40) == 0)
                boot += 600; /* asleep, and woken with the wall clock as it was */
            now = (struct moment){.wall_ms = wall * 1000, .boot_ms = boot * 1000};
            if (random_below(&random, 2) == 0)
                replay_index_drop_old(gate.index, now);
            reason = judge(&gate, &claim, now);
            if (reason == REASON_ALLOWED) {
                expect(!spent[token], "seed %llu, action %d: token %d is let in twice",
                       (unsigned long long)seed, action, token);
                spent[token] = used[token / USERS] = true;
                allowed++;
            } else if (reason == REASON_REPLAYED) {
                expect(used[token / USERS],
                       "seed %llu, action %d: token %d of a step that nobody used",
                       (unsigned long long)seed, action, token);
                replayed++;
            } else {
                expect(reason == REASON_EXPIRED || reason == REASON_EARLY, "seed %llu: %s",
                       (unsigned long long)seed, reason_word(reason));
            }
        }
        close_gate(&gate);
    }
    expect(allowed > 2000 && replayed > 1000, "%zu allowed, %zu replayed", allowed, replayed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moving_a_digit_from_user_to_nonce_is_denied),
        cmocka_unit_test(moving_a_digit_from_nonce_to_user_is_denied),
        cmocka_unit_test(the_same_secret_under_another_nonce_length_would_let_the_digit_move),
        cmocka_unit_test(moving_the_border_between_user_and_host_is_denied),
        cmocka_unit_test(a_b_then_a_again_is_replayed),
        cmocka_unit_test(no_order_of_presenting_three_tokens_lets_one_in_twice),
        cmocka_unit_test(a_spent_token_is_replayed_for_as_long_as_it_is_in_time),
        cmocka_unit_test(another_spelling_of_the_base64_is_not_another_token),
        cmocka_unit_test(a_password_of_any_bytes_is_a_clean_deny),
        cmocka_unit_test(a_hundred_thousand_users_leave_nothing_behind),
        cmocka_unit_test(a_flood_of_forged_tokens_takes_no_memory_and_builds_no_table),
        cmocka_unit_test(a_forged_token_never_tells_whether_its_otp_was_right),
        cmocka_unit_test(a_wrong_clock_does_not_look_like_a_wrong_password),
        cmocka_unit_test(a_recurring_otp_lets_no_token_in_twice_while_its_stretch_lasts),
        cmocka_unit_test(a_recurring_otp_is_spent_for_every_second_of_its_stretch),
        cmocka_unit_test(a_token_whose_otp_recurs_long_after_its_window_comes_back),
        cmocka_unit_test(no_history_of_clock_moves_lets_a_token_in_twice),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
