/* From question to answer: what is answered yes, what is written down of it, and what never gets as
 * far as the store. */
#include "test_daemon_authority.h"

#define HOST(name)  "[host " name "]\n"
#define A_HOST      HOST("h.example") KEY_OF("A")
#define JSXC_SECRET "ZT4mW9xQz2Lr7VbN5kYc8HdJ"
#define V2_HOST     HOST("v.example") "accept = v1, v2\n" KEY_OF("B")

static struct tally_counts counts_of(const struct site *site, const char *host)
{
    const struct host *found = config_host(site->config, host, strlen(host));

    return found == NULL ? site->authority->tally.no_host
                         : tally_counts_of(tally_host_of(&site->authority->tally, found));
}

/* The reason of the one verdict of a kind; REASON_COUNT: there is not exactly one. */
static enum reason only_reason(const uint64_t counts[REASON_COUNT])
{
    enum reason only = REASON_COUNT;

    for (enum reason reason = 0; reason < REASON_COUNT; reason++) {
        if (counts[reason] == 0)
            continue;
        if (only != REASON_COUNT || counts[reason] > 1)
            return REASON_COUNT;
        only = reason;
    }
    return only;
}

static void a_login_is_answered_yes_only_where_its_token_was_spent_now(void **state)
{
    static const struct {
        const char *name;
        enum spend_outcome outcome;
        enum answer answer;
        enum reason reason;
    } rows[] = {
        {"fresh", SPEND_FRESH, ANSWER_YES, REASON_ALLOWED},
        {"spent before", SPEND_REPLAYED, ANSWER_NO, REASON_REPLAYED},
        {"of a closed step", SPEND_CLOSED, ANSWER_NO, REASON_REPLAYED},
        {"from before the start", SPEND_STARTING, ANSWER_TRY_AGAIN, REASON_STARTING},
        {"not recorded", SPEND_FAILED, ANSWER_TRY_AGAIN, REASON_STORE_ERROR},
    };

    (void)state;
    for (size_t i = 0; i < 2 * LENGTH_OF(rows); i++) {
        size_t row = i / 2;
        char token[TOKEN_LENGTH_MAX + 1];
        struct question question;
        struct site site;

        site_open(&site, A_HOST);
        site.store->outcome = rows[row].outcome;
        site.store->at_once = i % 2 == 0;
        question = question_of(QUESTION_AUTH, "alice", "h.example",
                               minted(&site, "alice", "h.example", 0, token));
        expect(answer_to(&site, &question, at_second(1)) == rows[row].answer, "%s", rows[row].name);
        expect(only_reason(counts_of(&site, "h.example").auth) == rows[row].reason, "%s",
               rows[row].name);
        expect(site.store->asked == 1, "%s", rows[row].name);
        site_close(&site);
    }
}

static void what_is_not_a_good_token_never_reaches_the_store(void **state)
{
    static const struct {
        const char *name;
        enum question_kind kind;
        const char *user, *host;
        int64_t minted; /* seconds after noon */
        enum reason reason;
    } rows[] = {
        {"good", QUESTION_AUTH, "alice", "h.example", 0, REASON_ALLOWED},
        {"another user", QUESTION_AUTH, "bob", "h.example", 0, REASON_FORGED},
        {"another host", QUESTION_AUTH, "alice", "v.example", 0, REASON_FORGED},
        {"a host that is not served", QUESTION_AUTH, "alice", "x.example", 0, REASON_UNKNOWN_HOST},
        {"old", QUESTION_AUTH, "alice", "h.example", -90, REASON_EXPIRED},
        {"early", QUESTION_AUTH, "alice", "h.example", 90, REASON_EARLY},
        {"of another seed", QUESTION_AUTH, "alice", "h.example", 200000, REASON_WRONG_OTP},
        {"malformed", QUESTION_MALFORMED, "", "", 0, REASON_MALFORMED},
        {"a question never answered yes", QUESTION_UNSUPPORTED, "alice", "h.example", 0,
         REASON_UNSUPPORTED},
        {"features:tryagain in the middle", QUESTION_TRY_AGAIN, "", "", 0, REASON_UNSUPPORTED},
        {"isuser of a host that is not served", QUESTION_IS_USER, "alice", "x.example", 0,
         REASON_UNKNOWN_HOST},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        bool is_good = rows[i].reason == REASON_ALLOWED;
        bool has_row = rows[i].kind == QUESTION_AUTH && rows[i].reason != REASON_UNKNOWN_HOST;
        struct tally_counts counts;
        char token[TOKEN_LENGTH_MAX + 1];
        struct question question;
        struct site site;

        site_open(&site, A_HOST V2_HOST);
        question = question_of(rows[i].kind, rows[i].user, rows[i].host,
                               minted(&site, "alice", "h.example", rows[i].minted, token));
        expect(answer_to(&site, &question, at_second(1)) == (is_good ? ANSWER_YES : ANSWER_NO),
               "%s", rows[i].name);
        counts = has_row ? counts_of(&site, rows[i].host) : site.authority->tally.no_host;
        expect(only_reason(rows[i].kind == QUESTION_IS_USER ? counts.is_user : counts.auth) ==
                   rows[i].reason,
               "%s: %s", rows[i].name, reason_word(only_reason(counts.auth) % REASON_COUNT));
        expect(site.store->asked == is_good, "%s", rows[i].name);
        site_close(&site);
    }
}

/* Who looks ahead knows a host by a hash of its name alone, and hashes can be the same. */
static void an_expectation_is_held_against_the_domain_that_was_asked_about(void **state)
{
    static const char long_name[] = "a-name-of-more-than-23-bytes.example";
    static const struct {
        const char *name, *expected, *asked;
    } rows[] = {
        {"as expected", "h.example", "h.example"},
        {"none was expected", NULL, "h.example"},
        {"another", "v.example", "h.example"},
        {"one that begins as it does", "h.example.org", "h.example"},
        {"one as it begins", "h.example", "h.example.org"},
        {"too long to be at hand", long_name, long_name},
        {"a short one, and the long one was expected", long_name, "h.example"},
        {"a long one, and a short one was expected", "h.example", long_name},
        {"nobody's, which * stands for", "h.example", "x.example"},
        {"nobody's, and * was expected", "*", "x.example"},
        {"* itself", "*", "*"},
        {"no name", "h.example", ""},
        {"23 bytes, which are at hand", "name-of-23-byte.example", "name-of-23-byte.example"},
        {"24 bytes, which are not", "name-of-24-bytes.example", "name-of-24-bytes.example"},
        {"24 bytes, where 23 were expected", "name-of-23-byte.example", "name-of-23-byte.example0"},
        {"no name, and the long one was expected", long_name, ""},
    };
    struct site site;

    (void)state;
    site_open(&site,
              A_HOST V2_HOST HOST("h.example.org") KEY_OF("C")
                  HOST("a-name-of-more-than-23-bytes.example") KEY_OF("D")
                      HOST("name-of-23-byte.example") KEY_OF("F") HOST("name-of-24-bytes.example")
                          KEY_OF("G") HOST("*") KEY_OF("E"));
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        const char *expected = rows[i].expected, *asked = rows[i].asked;
        const struct name_table *table = &site.config->host_table;
        const struct host *host =
            expected == NULL ? NULL : name_table_find(table, expected, strlen(expected));

        expect((expected == NULL) == (host == NULL), "%s", rows[i].name);
        /* With the zero behind it it is another name. */
        expect(config_host_expected(site.config, host, asked, strlen(asked) + 1) ==
                   config_host(site.config, asked, strlen(asked) + 1),
               "%s, and a zero", rows[i].name);
        expect(config_host_expected(site.config, host, asked, strlen(asked)) ==
                   config_host(site.config, asked, strlen(asked)),
               "%s", rows[i].name);
    }
    site_close(&site);
}

static void another_hosts_key_opens_nothing_though_that_host_was_expected(void **state)
{
    static const char nonce[] = "01234567890123456789012345678901";
    struct told told = new_told();
    char token[TOKEN_LENGTH_MAX + 1];
    struct question question;
    const struct host *host;
    struct site site;

    (void)state;
    site_open(&site, A_HOST V2_HOST);
    host = &site.config->hosts[0];
    assert_int_equal(token_mint(host->keys[0], &host->format, "alice", "v.example",
                                totp_step(NOON, host->format.interval), nonce, token),
                     0);
    question = question_of(QUESTION_AUTH, "alice", "v.example", token);
    assert_int_equal(
        authority_ask(site.authority, &question, &site.config->hosts[0], at_second(1), &told.asker),
        ANSWER_NO);
    assert_int_equal(only_reason(counts_of(&site, "v.example").auth), REASON_FORGED);
    assert_int_equal(site.store->asked, 0);
    site_close(&site);
}

static void a_garbled_token_is_malformed_and_teaches_nothing(void **state)
{
    struct question question = question_of(QUESTION_AUTH, "alice", "h.example", "hunter2");
    struct flight_record records[RECORDER_READ_MAX];
    struct site site;

    (void)state;
    site_open(&site, A_HOST);
    assert_int_equal(answer_to(&site, &question, at_second(1)), ANSWER_NO);
    /* But for the user's history. */
    assert_int_equal(flight_recorder_read(&site.authority->book.recorder,
                                          verdict_book_expect(&site.authority->book, &question),
                                          records),
                     1);
    assert_int_equal(records[0].reason, REASON_MALFORMED);
    assert_int_equal(only_reason(counts_of(&site, "h.example").auth), REASON_MALFORMED);
    assert_int_equal(site.authority->tally.hosts[0]->keys[0]->last_genuine, 0);
    assert_int_equal(site.store->asked, 0);
    site_close(&site);
}

/* --- the store is told what the token is, and for how long it matters */

static void a_token_is_spent_under_its_signature_and_its_steps(void **state)
{
    char token[TOKEN_LENGTH_MAX + 1];
    struct question question;
    struct token parsed;
    struct site site;

    (void)state;
    site_open(&site, A_HOST HOST("w.example") "otp_interval = 60\n" KEY_OF("C"));
    question = question_of(QUESTION_AUTH, "alice", "h.example",
                           minted(&site, "alice", "h.example", 0, token));
    assert_int_equal(answer_to(&site, &question, at_second(1)), ANSWER_YES);
    assert_int_equal(token_parse(&site.config->hosts[0].format, token, strlen(token), &parsed), 0);
    assert_int_equal(site.store->last.id.low, signature_id_of(parsed.signature).low);
    assert_int_equal(site.store->last.id.high, signature_id_of(parsed.signature).high);
    assert_int_equal(site.store->last.first_step, NOON / 30);
    assert_int_equal(site.store->last.filing_step, NOON / 30);
    assert_int_equal(site.store->last.interval, 30);
    assert_int_equal(site.store->last.window, 1);
    /* As long as the host beside it accepts that time. */
    assert_int_equal(site.store->last.keep_window, 4);
    assert_int_equal(site.store->last.timeline, TOKEN_V1);
    site_close(&site);
}

static void a_token_of_v2_is_spent_on_its_own_timeline(void **state)
{
    static const uint8_t nonce[V2_NONCE_SIZE] = {1};
    const struct host *host;
    char token[V2_LENGTH_MAX + 1];
    struct question question;
    struct site site;

    (void)state;
    site_open(&site, V2_HOST HOST("w.example") "otp_interval = 60\n" KEY_OF("C"));
    host = &site.config->hosts[0];
    assert_int_equal(token_v2_mint(host->keys[0], &host->key_fingerprints[0], "alice", "v.example",
                                   NOON, 60, nonce, token),
                     0);
    question = question_of(QUESTION_AUTH, "alice", "v.example", token);
    assert_int_equal(answer_to(&site, &question, at_second(1)), ANSWER_YES);
    assert_int_equal(site.store->last.filing_step, (NOON + 60) / 30);
    assert_int_equal(site.store->last.keep_window, 0);
    assert_int_equal(site.store->last.timeline, TOKEN_V2);
    site_close(&site);
}

/* JSXC's token of alice@h.example, which ends so many seconds after noon. */
static const char *minted_jsxc(const struct site *site, int64_t after_noon,
                               char text_r[JSXC_LENGTH + 2])
{
    struct jsxc_token token = {.expiry = NOON + after_noon};
    uint8_t bytes[24] = {0}, digest[EVP_MAX_MD_SIZE];

    assert_int_equal(EVP_Digest(JSXC_SECRET, strlen(JSXC_SECRET), digest, NULL, EVP_sha256(), NULL),
                     1);
    (void)jsxc_token_fits(site->config->hosts[0].jsxc, &token, (struct text){"alice", 5},
                          (struct text){"h.example", 9}, bytes + 1);
    memcpy(bytes + 17, digest, JSXC_ID_SIZE);
    for (int i = 0; i < 4; i++)
        bytes[19 + i] = (uint8_t)(token.expiry >> (24 - 8 * i));
    base64_encode(bytes, 23, text_r);
    text_r[JSXC_LENGTH] = '\0';
    for (size_t i = 0; i < JSXC_LENGTH; i++)
        text_r[i] = (char)(text_r[i] == 'O'   ? '-'
                           : text_r[i] == 'I' ? '$'
                           : text_r[i] == 'l' ? '%'
                                              : text_r[i]);
    return text_r;
}

/* It is none of the keys that signed it. */
static void a_token_of_jsxc_is_the_use_of_no_key(void **state)
{
    char token[JSXC_LENGTH + 2];
    struct question question;
    struct site site;

    (void)state;
    site_open(&site,
              HOST("h.example") "accept = v1, jsxc\njsxc_secret = " JSXC_SECRET "\n" KEY_OF("A"));
    question = question_of(QUESTION_AUTH, "alice", "h.example", minted_jsxc(&site, 600, token));
    assert_int_equal(answer_to(&site, &question, at_second(1)), ANSWER_YES);
    assert_int_equal(site.authority->tally.hosts[0]->keys[0]->uses, 0);
    assert_int_equal(site.store->last.timeline, TOKEN_JSXC);
    site_close(&site);
}

/* --- what is written down */

static void a_use_is_noted_under_the_key_that_fits(void **state)
{
    static const struct {
        const char *name;
        int64_t minted;
        bool is_forged;
        uint64_t uses;
        int64_t genuine;
    } rows[] = {
        {"good", 0, false, 1, NOON + 1},
        {"stale", -600, false, 0, NOON + 1},
        {"forged", 0, true, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct flight_record records[RECORDER_READ_MAX];
        char token[TOKEN_LENGTH_MAX + 1];
        const struct tally_host *row;
        struct question question;
        struct site site;

        site_open(&site, A_HOST "[key h.example other]\n" KEY_OF("B"));
        question = question_of(
            QUESTION_AUTH, "alice", "h.example",
            minted(&site, rows[i].is_forged ? "bob" : "alice", "h.example", rows[i].minted, token));
        (void)answer_to(&site, &question, at_second(1));
        row = site.authority->tally.hosts[0];
        expect(row->keys[0]->uses == rows[i].uses, "%s", rows[i].name);
        expect(row->keys[0]->last_genuine == rows[i].genuine, "%s", rows[i].name);
        expect(row->keys[1]->last_genuine == 0, "%s", rows[i].name);
        assert_int_equal(flight_recorder_read(&site.authority->book.recorder,
                                              verdict_book_expect(&site.authority->book, &question),
                                              records),
                         1);
        expect(records[0].is_genuine == !rows[i].is_forged, "%s", rows[i].name);
        expect((records[0].key != 0) == !rows[i].is_forged, "%s", rows[i].name);
        site_close(&site);
    }
}

static void only_stale_tokens_within_26_hours_speak_of_clocks(void **state)
{
    static const struct {
        const char *name;
        int64_t issued; /* seconds after noon; a minute long */
        int64_t measured;
    } rows[] = {
        {"in time", 0, 0},
        {"late", -100, -100},
        {"ahead", 1000, 1000},
        {"26 hours late", -93600, -93600},
        {"a second more", -93601, 0},
        {"26 hours ahead", 93600, 93600},
        {"a second more ahead", 93601, 0},
        {"of last year", -31536000, 0},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        static const uint8_t nonce[V2_NONCE_SIZE] = {1};
        const struct tally_host *row;
        const struct host *host;
        char token[V2_LENGTH_MAX + 1];
        struct question question;
        struct site site;

        site_open(&site, V2_HOST);
        host = &site.config->hosts[0];
        assert_int_equal(token_v2_mint(host->keys[0], &host->key_fingerprints[0], "alice",
                                       "v.example", NOON + rows[i].issued, 60, nonce, token),
                         0);
        question = question_of(QUESTION_AUTH, "alice", "v.example", token);
        (void)answer_to(&site, &question, at_second(0));
        row = site.authority->tally.hosts[0];
        expect(row->rest->clock.measured == rows[i].measured, "%s: %lld", rows[i].name,
               (long long)row->rest->clock.measured);
        expect((row->rest->clock.measured_at != 0) == (rows[i].measured != 0), "%s", rows[i].name);
        site_close(&site);
    }
}

/* One user's tokens under many names of the token would confirm a clock that nobody has. */
static void each_stale_token_is_evidence_by_itself(void **state)
{
    char token[TOKEN_LENGTH_MAX + 1];
    struct question question;
    struct site site;

    (void)state;
    site_open(&site, A_HOST);
    for (int i = 0; i < 4; i++) {
        const char *user = i < 2 ? "alice" : "bob";

        question = question_of(QUESTION_AUTH, user, "h.example",
                               minted(&site, user, "h.example", -3600, token));
        (void)answer_to(&site, &question, at_second(1));
        (void)answer_to(&site, &question, at_second(1));
        assert_int_equal(site.authority->tally.hosts[0]->rest->clock.confirmed, i < 3 ? 0 : -3600);
    }
    site_close(&site);
}

static void a_question_that_can_t_be_framed_is_counted_as_malformed(void **state)
{
    struct site site;

    (void)state;
    site_open(&site, A_HOST);
    authority_refuse_unframed(site.authority, at_second(1), 7);
    authority_commit(site.authority, at_second(1));
    assert_int_equal(only_reason(site.authority->tally.no_host.auth), REASON_MALFORMED);
    assert_int_equal(site.authority->tally.latency.total, 1);
    site_close(&site);
}

static void each_answer_is_timed_once_when_it_is_given(void **state)
{
    struct question malformed = {.kind = QUESTION_MALFORMED};
    char tokens[2][TOKEN_LENGTH_MAX + 1];
    struct told told[2] = {new_told(), new_told()};
    const struct tally_latency *latency;
    struct moment now = moment_now();
    struct moment asked = now;
    struct site site;

    (void)state;
    site_open(&site, A_HOST);
    latency = &site.authority->tally.latency;
    authority_commit(site.authority, at_second(0));
    assert_int_equal(latency->total, 0);
    /* As read from the boot clock 1.5 s ago. */
    asked.boot_ns -= 1500000000;
    asked.wall_ms = (int64_t)NOON * 1000;
    for (size_t i = 0; i < 2; i++) {
        struct question question = question_of(QUESTION_AUTH, "alice", "h.example",
                                               minted(&site, "alice", "h.example", 0, tokens[i]));

        assert_int_equal(authority_ask(site.authority, &question, NULL, asked, &told[i].asker),
                         ANSWER_PENDING);
    }
    assert_int_equal(authority_ask(site.authority, &malformed, NULL, asked, &told[0].asker),
                     ANSWER_NO);
    assert_int_equal(latency->total, 0);
    authority_commit(site.authority, asked);
    assert_int_equal(latency->total, 3);
    for (size_t i = 0; i <= TALLY_LATENCY_BOUNDS; i++)
        assert_true(latency->counts[i] == 0 ||
                    (i > 0 && tally_latency_bounds_ns[i - 1] >= 1000000000));
    assert_true(latency->sum_ns >= UINT64_C(3) * 1500000000 &&
                latency->sum_ns < UINT64_C(3) * 600000000000);
    authority_commit(site.authority, asked);
    assert_int_equal(latency->total, 3);
    site_close(&site);
}

/* --- askers that go, stores that go, and memory */

static void an_asker_that_has_gone_is_told_nothing_and_counted_all_the_same(void **state)
{
    struct told told = new_told(), stranger = new_told();
    char token[TOKEN_LENGTH_MAX + 1];
    struct question question;
    struct site site;

    (void)state;
    site_open(&site, A_HOST);
    asker_withdraw(&stranger.asker);
    question = question_of(QUESTION_AUTH, "alice", "h.example",
                           minted(&site, "alice", "h.example", 0, token));
    assert_int_equal(authority_ask(site.authority, &question, NULL, at_second(1), &told.asker),
                     ANSWER_PENDING);
    asker_withdraw(&told.asker);
    assert_null(told.asker.pending);
    authority_commit(site.authority, at_second(1));
    assert_int_equal(told.times, 0);
    assert_int_equal(only_reason(counts_of(&site, "h.example").auth), REASON_ALLOWED);
    site_close(&site);
}

static void at_the_end_all_that_wait_are_told_to_try_again(void **state)
{
    struct told told[3] = {new_told(), new_told(), new_told()};
    struct site site;

    (void)state;
    site_open(&site, A_HOST);
    for (size_t i = 0; i < LENGTH_OF(told); i++) {
        char token[TOKEN_LENGTH_MAX + 1];
        struct question question = question_of(QUESTION_AUTH, "alice", "h.example",
                                               minted(&site, "alice", "h.example", 0, token));

        assert_int_equal(
            authority_ask(site.authority, &question, NULL, at_second(1), &told[i].asker),
            ANSWER_PENDING);
        /* Once in between, so that some have waited before. */
        if (i == 1)
            authority_commit(site.authority, at_second(1));
    }
    site_close(&site);
    for (size_t i = 0; i < LENGTH_OF(told); i++) {
        assert_int_equal(told[i].times, 1);
        assert_int_equal(told[i].answer, i < 2 ? ANSWER_YES : ANSWER_TRY_AGAIN);
        assert_null(told[i].asker.pending);
    }
}

static void a_turn_ends_in_the_store_and_a_second_passes_in_all_of_it(void **state)
{
    struct site site;

    (void)state;
    site_open(&site, A_HOST);
    site.authority->calendars.otps_left = 0;
    authority_commit(site.authority, at_second(1));
    assert_int_equal(site.store->commits, 1);
    assert_int_equal(site.store->ticks, 0);
    authority_tick(site.authority, at_second(1));
    assert_int_equal(site.store->ticks, 1);
    assert_int_equal(site.authority->calendars.otps_left, 8192);
    assert_int_equal(site.authority->book.log.second, 1001);
    site_close(&site);
}

static void when_it_opens_is_the_stores_word(void **state)
{
    struct site site;

    (void)state;
    site_open(&site, A_HOST);
    assert_int_equal(authority_opens(site.authority, at_second(0)), 0);
    start_floor_set(&site.store->base.floor, at_second(0));
    assert_int_equal(authority_opens(site.authority, at_second(0)), NOON + 60);
    site_close(&site);
}

/* --- the users */

static void isuser_is_answered_by_the_hosts_rule(void **state)
{
    static const struct {
        const char *name, *rule, *user;
        bool is_user;
    } rows[] = {
        {"always", "always", "anybody", true},    {"never", "never", "alice", false},
        {"seen, and was", "seen", "alice", true}, {"seen, and was not", "seen", "bob", false},
        {"in the file", "file:", "carol", true},  {"not in the file", "file:", "alice", false},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        char file[FILE_PATH_SIZE], text[500];
        bool has_file = strcmp(rows[i].rule, "file:") == 0;
        struct question question = question_of(QUESTION_IS_USER, rows[i].user, "h.example", "");
        struct site site;

        write_text(file, "carol\n");
        snprintf(text, sizeof(text), HOST("h.example") "isuser = %s%s\n" KEY_OF("A"), rows[i].rule,
                 has_file ? file : "");
        site_open(&site, text);
        accounts_note_seen(site.accounts, "alice@h.example", 15, NOON);
        expect(answer_to(&site, &question, at_second(1)) ==
                   (rows[i].is_user ? ANSWER_YES : ANSWER_NO),
               "%s", rows[i].name);
        expect(only_reason(counts_of(&site, "h.example").is_user) ==
                   (rows[i].is_user ? REASON_ALLOWED : REASON_UNKNOWN_USER),
               "%s", rows[i].name);
        expect(site.store->asked == 0, "%s", rows[i].name);
        site_close(&site);
        unlink(file);
    }
}

static void whoever_is_denied_keeps_his_token_and_stays_out(void **state)
{
    static const struct {
        const char *name, *user;
        int64_t until; /* seconds after noon */
        enum reason reason;
    } rows[] = {
        {"denied for ever", "alice", INT64_MAX - NOON, REASON_REVOKED},
        {"denied for a second more", "alice", 2, REASON_REVOKED},
        {"denied until now", "alice", 1, REASON_ALLOWED},
        {"another user", "bob", INT64_MAX - NOON, REASON_ALLOWED},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct question question, is_user;
        char token[TOKEN_LENGTH_MAX + 1];
        struct site site;

        site_open(&site, A_HOST);
        assert_int_equal(accounts_deny(site.accounts, "alice@h.example", 15, NOON + rows[i].until,
                                       (int64_t)NOON * 1000 - 5000),
                         0);
        is_user = question_of(QUESTION_IS_USER, rows[i].user, "h.example", "");
        assert_int_equal(answer_to(&site, &is_user, at_second(1)), ANSWER_YES);
        question = question_of(QUESTION_AUTH, rows[i].user, "h.example",
                               minted(&site, rows[i].user, "h.example", 0, token));
        expect(answer_to(&site, &question, at_second(1)) ==
                   (rows[i].reason == REASON_ALLOWED ? ANSWER_YES : ANSWER_NO),
               "%s", rows[i].name);
        expect(only_reason(counts_of(&site, "h.example").auth) == rows[i].reason, "%s",
               rows[i].name);
        expect(site.store->asked == (rows[i].reason == REASON_ALLOWED), "%s", rows[i].name);
        site_close(&site);
    }
}

static void a_user_is_seen_by_a_token_that_was_not_spent_before(void **state)
{
    static const struct {
        const char *name, *user, *rule;
        bool at_once;
        enum spend_outcome outcome;
        bool is_seen;
    } rows[] = {
        {"logged in", "alice", "seen", true, SPEND_FRESH, true},
        {"logged in later", "alice", "seen", false, SPEND_FRESH, true},
        {"the record failed later", "alice", "seen", false, SPEND_FAILED, true},
        {"could not be recorded", "alice", "seen", true, SPEND_FAILED, false},
        {"spent before", "alice", "seen", true, SPEND_REPLAYED, false},
        {"from before the start", "alice", "seen", true, SPEND_STARTING, false},
        {"nobody asks who was seen", "alice", "always", true, SPEND_FRESH, false},
        {"a name that no client has", "al&ce", "seen", true, SPEND_FRESH, false},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        char token[TOKEN_LENGTH_MAX + 1], text[500];
        struct question question;
        struct site site;

        snprintf(text, sizeof(text), HOST("h.example") "isuser = %s\n" KEY_OF("A"), rows[i].rule);
        site_open(&site, text);
        site.store->at_once = rows[i].at_once;
        site.store->outcome = rows[i].outcome;
        question = question_of(QUESTION_AUTH, rows[i].user, "h.example",
                               minted(&site, rows[i].user, "h.example", 0, token));
        (void)answer_to(&site, &question, at_second(1));
        expect(accounts_seen_count(site.accounts) == rows[i].is_seen, "%s", rows[i].name);
        expect(accounts_has_seen(site.accounts, "alice@h.example", 15) == rows[i].is_seen, "%s",
               rows[i].name);
        site_close(&site);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_login_is_answered_yes_only_where_its_token_was_spent_now),
        cmocka_unit_test(what_is_not_a_good_token_never_reaches_the_store),
        cmocka_unit_test(an_expectation_is_held_against_the_domain_that_was_asked_about),
        cmocka_unit_test(another_hosts_key_opens_nothing_though_that_host_was_expected),
        cmocka_unit_test(a_garbled_token_is_malformed_and_teaches_nothing),
        cmocka_unit_test(a_token_is_spent_under_its_signature_and_its_steps),
        cmocka_unit_test(a_token_of_v2_is_spent_on_its_own_timeline),
        cmocka_unit_test(a_token_of_jsxc_is_the_use_of_no_key),
        cmocka_unit_test(a_use_is_noted_under_the_key_that_fits),
        cmocka_unit_test(only_stale_tokens_within_26_hours_speak_of_clocks),
        cmocka_unit_test(each_stale_token_is_evidence_by_itself),
        cmocka_unit_test(a_question_that_can_t_be_framed_is_counted_as_malformed),
        cmocka_unit_test(each_answer_is_timed_once_when_it_is_given),
        cmocka_unit_test(an_asker_that_has_gone_is_told_nothing_and_counted_all_the_same),
        cmocka_unit_test(at_the_end_all_that_wait_are_told_to_try_again),
        cmocka_unit_test(a_turn_ends_in_the_store_and_a_second_passes_in_all_of_it),
        cmocka_unit_test(when_it_opens_is_the_stores_word),
        cmocka_unit_test(isuser_is_answered_by_the_hosts_rule),
        cmocka_unit_test(whoever_is_denied_keeps_his_token_and_stays_out),
        cmocka_unit_test(a_user_is_seen_by_a_token_that_was_not_spent_before),
    };

    /* What is logged of verdicts is another test's. */
    log_set_level(LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
