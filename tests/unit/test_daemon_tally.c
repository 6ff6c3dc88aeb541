/* Counts that survive reloads, and rows that wait for their last answer. */
#include "test_config_files.h"

#include "config/config.h"
#include "daemon/tally.h"

#define SECRET_OF(letter)       "token_secret = " letter "T4mW9xQz2Lr7VbN5kYc8HdJ\n"
#define KEY_OF(letter)          "otp_seed = " letter "FZWIZTHNBVGW3DRO5SXE5DZOVUW64DB\n" SECRET_OF(letter)
#define HOST(name)              "[host " name "]\n" KEY_OF("A")
#define KEY(host, name, letter) "[key " host " " name "]\n" KEY_OF(letter)

static struct config *configuration(const char *text)
{
    struct problems *problems = problems_create();
    char path[FILE_PATH_SIZE];
    struct config *config = config_load(write_text(path, text), problems);

    unlink(path);
    expect(config != NULL, "%s", problems_at(problems, 0)->text);
    problems_destroy(&problems);
    return config;
}

/* What a reload does. */
static void follow(struct tally *tally, struct config **config, const char *text)
{
    struct config *next = configuration(text);
    struct tally_plan *plan = tally_plan_create(tally, next, 1000);

    assert_non_null(plan);
    tally_follow(tally, plan);
    tally_plan_destroy(&plan);
    config_destroy(config);
    *config = next;
}

static struct tally_host *row_of(const struct tally *tally, const char *name)
{
    for (size_t i = 0; i < tally->host_count; i++) {
        if (strcmp(tally->hosts[i]->rest->name, name) == 0)
            return tally_host_of(tally, &tally->config->hosts[i]);
    }
    return NULL;
}

static void each_host_has_its_row_and_strangers_share_one(void **state)
{
    struct config *config = NULL;
    struct tally tally;

    (void)state;
    tally_init(&tally);
    follow(&tally, &config, HOST("a.example") HOST("b.example") HOST("*"));
    assert_null(tally_host_of(&tally, NULL));
    tally_count(&tally, row_of(&tally, "a.example"), false, REASON_FORGED);
    tally_count(&tally, row_of(&tally, "a.example"), true, REASON_ALLOWED);
    tally_count(&tally, row_of(&tally, "*"), false, REASON_FORGED);
    tally_count(&tally, NULL, false, REASON_UNKNOWN_HOST);
    tally_count(&tally, NULL, false, REASON_MALFORMED);
    assert_int_equal(tally_counts_of(row_of(&tally, "a.example")).auth[REASON_FORGED], 1);
    assert_int_equal(tally_counts_of(row_of(&tally, "a.example")).auth[REASON_ALLOWED], 0);
    assert_int_equal(tally_counts_of(row_of(&tally, "a.example")).is_user[REASON_ALLOWED], 1);
    assert_int_equal(tally_counts_of(row_of(&tally, "b.example")).auth[REASON_FORGED], 0);
    assert_int_equal(tally_counts_of(row_of(&tally, "*")).auth[REASON_FORGED], 1);
    assert_int_equal(tally.no_host.auth[REASON_UNKNOWN_HOST], 1);
    assert_int_equal(tally.all.auth[REASON_FORGED], 2);
    assert_int_equal(tally.all.auth[REASON_MALFORMED], 1);
    tally_deinit(&tally);
    config_destroy(&config);
}

static void a_reload_keeps_what_stays_and_drops_what_goes(void **state)
{
    struct config *config = NULL;
    struct tally tally;

    (void)state;
    tally_init(&tally);
    follow(&tally, &config, HOST("a.example") KEY("a.example", "old", "B") HOST("b.example"));
    tally_count(&tally, row_of(&tally, "a.example"), false, REASON_ALLOWED);
    tally_count(&tally, row_of(&tally, "b.example"), false, REASON_ALLOWED);
    tally_note_use(row_of(&tally, "a.example")->keys[1], 1000);
    /* b goes, c comes before a, and a gets a key before the one that it had. */
    follow(&tally, &config,
           HOST("c.example") HOST("a.example") KEY("a.example", "new", "C")
               KEY("a.example", "renamed", "B"));
    assert_int_equal(tally.host_count, 2);
    assert_null(row_of(&tally, "b.example"));
    assert_int_equal(tally_counts_of(row_of(&tally, "a.example")).auth[REASON_ALLOWED], 1);
    assert_int_equal(tally_counts_of(row_of(&tally, "c.example")).auth[REASON_ALLOWED], 0);
    assert_int_equal(row_of(&tally, "a.example")->key_count, 3);
    assert_string_equal(row_of(&tally, "a.example")->keys[1]->name, "new");
    assert_int_equal(row_of(&tally, "a.example")->keys[1]->uses, 0);
    assert_string_equal(row_of(&tally, "a.example")->keys[2]->name, "renamed");
    assert_int_equal(row_of(&tally, "a.example")->keys[2]->uses, 1);
    assert_int_equal(row_of(&tally, "a.example")->keys[2]->last_use, 1000);
    follow(&tally, &config, HOST("b.example"));
    assert_int_equal(tally_counts_of(row_of(&tally, "b.example")).auth[REASON_ALLOWED], 0);
    assert_int_equal(tally.all.auth[REASON_ALLOWED], 2);
    tally_deinit(&tally);
    config_destroy(&config);
}

/* The first key of a host as it came stands in its row; what is counted of a key follows it all the
 * same, and what came later has memory of its own. */
static void keys_may_come_and_go_in_any_place(void **state)
{
    static const struct {
        const char *name, *text;
        size_t keys, place; /* of the one that is used, which is the first at the start */
        bool stays;
    } rows[] = {
        {"as it was", HOST("a.example"), 1, 0, true},
        {"a second one", HOST("a.example") KEY("a.example", "b", "B"), 2, 0, true},
        {"others before it",
         "[host a.example]\n" KEY_OF("B") KEY("a.example", "c", "C") KEY("a.example", "a", "A"), 3,
         2, true},
        {"alone again", HOST("a.example"), 1, 0, true},
        {"gone", "[host a.example]\n" KEY_OF("B"), 1, 0, false},
        {"still gone", "[host a.example]\n" KEY_OF("C") KEY("a.example", "b", "B"), 2, 0, false},
        {"back, from the beginning", HOST("a.example"), 1, 0, false},
    };
    struct config *config = NULL;
    struct tally tally;

    (void)state;
    tally_init(&tally);
    follow(&tally, &config, HOST("a.example"));
    tally_note_use(row_of(&tally, "a.example")->keys[0], 1000);
    tally_count(&tally, row_of(&tally, "a.example"), false, REASON_ALLOWED);
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        const struct tally_host *row;

        follow(&tally, &config, rows[i].text);
        row = row_of(&tally, "a.example");
        expect(row->key_count == rows[i].keys, "%s", rows[i].name);
        for (size_t k = 0; k < row->key_count; k++)
            expect(row->keys[k]->uses == (k == rows[i].place && rows[i].stays), "%s: key %zu",
                   rows[i].name, k);
        expect(tally_counts_of(row).auth[REASON_ALLOWED] == 1, "%s", rows[i].name);
    }
    tally_deinit(&tally);
    config_destroy(&config);
}

/* As with a secrets_file that holds what a [key] section holds too: the loader only warns. */
static void keys_of_the_same_secrets_are_counted_apart(void **state)
{
    struct config *config = NULL;
    struct tally tally;

    (void)state;
    tally_init(&tally);
    for (int reload = 0; reload < 3; reload++) {
        struct config *next =
            configuration(HOST("a.example") KEY("a.example", "second", "B") HOST("b.example"));
        struct tally_plan *plan;

        next->hosts[0].key_fingerprints[1] = next->hosts[0].key_fingerprints[0];
        plan = tally_plan_create(&tally, next, 1000);
        assert_non_null(plan);
        tally_follow(&tally, plan);
        tally_plan_destroy(&plan);
        config_destroy(&config);
        config = next;
        if (reload == 0)
            tally_note_use(row_of(&tally, "a.example")->keys[0], 1000);
        assert_int_equal(row_of(&tally, "a.example")->keys[0]->uses, 1);
        assert_string_equal(row_of(&tally, "a.example")->keys[0]->name, "");
        assert_int_equal(row_of(&tally, "a.example")->keys[1]->uses, 0);
        assert_string_equal(row_of(&tally, "a.example")->keys[1]->name, "second");
    }
    tally_deinit(&tally);
    config_destroy(&config);
}

/* As with a shared store: the answer comes after the host or the key is gone. */
static void an_answer_may_come_after_its_host_or_key_was_removed(void **state)
{
    struct config *config = NULL;
    struct tally_host *host_goes, *second_hold, *key_goes;
    struct tally_key *key;
    struct tally tally;

    (void)state;
    tally_init(&tally);
    follow(&tally, &config, HOST("a.example") HOST("b.example") KEY("b.example", "old", "B"));
    host_goes = row_of(&tally, "a.example");
    key_goes = row_of(&tally, "b.example");
    key = key_goes->keys[1];
    tally_hold(host_goes);
    tally_hold(host_goes);
    tally_hold(key_goes);
    follow(&tally, &config, HOST("b.example"));
    follow(&tally, &config, HOST("b.example") KEY("b.example", "new", "C"));
    tally_count(&tally, host_goes, false, REASON_ALLOWED);
    tally_note_use(key, 1000);
    second_hold = host_goes;
    tally_release(&host_goes);
    assert_null(host_goes);
    tally_count(&tally, second_hold, false, REASON_REPLAYED);
    tally_release(&second_hold);
    tally_release(&key_goes);
    assert_int_equal(row_of(&tally, "b.example")->key_count, 2);
    assert_int_equal(row_of(&tally, "b.example")->keys[1]->uses, 0);
    assert_int_equal(tally.all.auth[REASON_ALLOWED], 1);
    tally_deinit(&tally);
    config_destroy(&config);
}

static void latencies_fall_into_the_bucket_that_ends_at_them(void **state)
{
    static const struct {
        int64_t nanoseconds;
        size_t bucket;
    } rows[] = {
        {-1, 0},
        {0, 0},
        {1000, 0},
        {1001, 1},
        {2000, 1},
        {50000, 5},
        {50001, 6},
        {1000000, 9},
        {1500000000, 19},
        {2000000000, 19},
        {2000000001, TALLY_LATENCY_BOUNDS},
        {INT64_MAX / 8, TALLY_LATENCY_BOUNDS},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct tally tally;

        tally_init(&tally);
        tally_add_latency(&tally, rows[i].nanoseconds, 3);
        expect(tally.latency.counts[rows[i].bucket] == 3, "row %zu", i);
        expect(tally.latency.total == 3, "row %zu", i);
        tally_deinit(&tally);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_host_has_its_row_and_strangers_share_one),
        cmocka_unit_test(a_reload_keeps_what_stays_and_drops_what_goes),
        cmocka_unit_test(keys_may_come_and_go_in_any_place),
        cmocka_unit_test(keys_of_the_same_secrets_are_counted_apart),
        cmocka_unit_test(an_answer_may_come_after_its_host_or_key_was_removed),
        cmocka_unit_test(latencies_fall_into_the_bucket_that_ends_at_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
