/* What remembers spent tokens, through its interface: the store in memory, before and after its
 * start's steps have passed. */
#include "vectors.h"

#include "store/spent_store.h"

static const int64_t noon = 1767225600; /* the first second of a step */

static struct moment at(int64_t wall, int64_t boot)
{
    return (struct moment){.wall_ms = (noon + wall) * 1000, .boot_ms = boot * 1000};
}

static struct spend token_of(uint64_t number, int64_t step)
{
    return (struct spend){.id = {.low = number, .high = number + 1},
                          .first_step = noon / 30 + step,
                          .filing_step = noon / 30 + step,
                          .interval = 30,
                          .window = 1};
}

static void never_resolved(struct spend_waiter *waiter, enum spend_outcome outcome)
{
    (void)waiter;
    fail_msg("resolved with %d, though the outcome was final", outcome);
}

static enum spend_outcome spend(struct spent_store *store, struct spend spend, struct moment now)
{
    struct spend_waiter waiter = {.resolve = never_resolved};

    return spent_store_spend(store, &spend, now, &waiter);
}

static struct spent_store *new_store(struct moment start, bool accept)
{
    struct spent_store *store = memory_store_create(start, accept);

    assert_non_null(store);
    assert_string_equal(store->operations->word, "memory");
    return store;
}

/* An empty memory can't vouch for what was spent before the start. */
static void tokens_minted_up_to_the_start_are_refused_as_starting(void **state)
{
    struct spent_store *store = new_store(at(10, 100), false);

    (void)state;
    for (int64_t second = 10; second < 300; second++) {
        int64_t step = second / 30;

        spent_store_tick(store, at(second, 90 + second));
        for (int64_t off = -1; off <= 1; off++) {
            enum spend_outcome expected = step + off <= 1 ? SPEND_STARTING : SPEND_FRESH;

            expect(spend(store, token_of((uint64_t)(second * 10 + off + 1), step + off),
                         at(second, 90 + second)) == expected,
                   "%lld s, step %lld", (long long)second, (long long)(step + off));
        }
    }
    spent_store_destroy(&store);
    assert_null(store);
}

static void accepting_after_a_restart_takes_them_all(void **state)
{
    struct spent_store *store = new_store(at(10, 100), true);

    (void)state;
    for (int64_t step = -1; step <= 1; step++) {
        assert_int_equal(spend(store, token_of((uint64_t)step + 5, step), at(10, 100)),
                         SPEND_FRESH);
        assert_int_equal(spend(store, token_of((uint64_t)step + 5, step), at(10, 100)),
                         SPEND_REPLAYED);
    }
    spent_store_destroy(&store);
}

/* The clock stood an hour slow when the daemon started. */
static void a_clock_put_right_after_the_start_does_not_open_it_early(void **state)
{
    struct spent_store *store = new_store(at(-3600, 100), false);

    (void)state;
    /* Put right at the first question: the floor goes up with it. */
    assert_int_equal(spend(store, token_of(1, 0), at(0, 100)), SPEND_STARTING);
    assert_int_equal(spend(store, token_of(2, 1), at(29, 129)), SPEND_STARTING);
    assert_int_equal(spend(store, token_of(3, 2), at(30, 130)), SPEND_FRESH);
    spent_store_destroy(&store);
}

static void a_token_whose_earliest_step_is_covered_is_refused(void **state)
{
    struct spent_store *store = new_store(at(0, 100), false);
    struct spend token = token_of(1, 3);

    (void)state;
    token.first_step = noon / 30 + 1;
    assert_int_equal(spend(store, token, at(60, 160)), SPEND_STARTING);
    token.first_step = noon / 30 + 2;
    assert_int_equal(spend(store, token, at(60, 160)), SPEND_FRESH);
    spent_store_destroy(&store);
}

static void a_refusal_as_starting_spends_nothing(void **state)
{
    struct spent_store *store = new_store(at(0, 100), false);

    (void)state;
    for (uint64_t i = 0; i < 100; i++)
        assert_int_equal(spend(store, token_of(i, 0), at(0, 100)), SPEND_STARTING);
    assert_int_equal(replay_index_usage(store->index).tokens, 0);
    assert_int_equal(store->failures, 0);
    spent_store_destroy(&store);
}

static void a_tick_drops_what_is_over_and_a_commit_changes_nothing(void **state)
{
    struct spent_store *store = new_store(at(0, 100), true);

    (void)state;
    assert_int_equal(spend(store, token_of(1, 0), at(0, 100)), SPEND_FRESH);
    spent_store_commit(store, at(0, 100));
    assert_int_equal(spend(store, token_of(1, 0), at(0, 100)), SPEND_REPLAYED);
    spent_store_tick(store, at(59, 159));
    assert_int_equal(replay_index_usage(store->index).tokens, 1);
    spent_store_tick(store, at(60, 160));
    assert_int_equal(replay_index_usage(store->index).tokens, 0);
    assert_int_equal(spend(store, token_of(1, 0), at(0, 161)), SPEND_CLOSED);
    spent_store_destroy(&store);
}

static void when_it_is_fully_open_can_be_asked(void **state)
{
    struct spent_store *store = new_store(at(10, 100), false);

    (void)state;
    assert_int_equal(
        spent_store_opens(store, &(struct spend){.interval = 30, .window = 1}, at(10, 100)),
        noon + 60);
    assert_int_equal(
        spent_store_opens(store, &(struct spend){.interval = 900, .window = 0}, at(10, 100)),
        noon + 900);
    assert_int_equal(
        spent_store_opens(store, &(struct spend){.interval = 30, .window = 1}, at(59, 149)),
        noon + 60);
    assert_int_equal(
        spent_store_opens(store, &(struct spend){.interval = 30, .window = 1}, at(60, 150)), 0);
    assert_int_equal(
        spent_store_opens(store, &(struct spend){.interval = 900, .window = 0}, at(60, 150)),
        noon + 900);
    spent_store_destroy(&store);
    store = new_store(at(10, 100), true);
    assert_int_equal(
        spent_store_opens(store, &(struct spend){.interval = 30, .window = 1}, at(10, 100)), 0);
    spent_store_destroy(&store);
}

/* A second's tick, without any question, sees the clock put right. */
static void a_tick_sees_a_clock_that_is_put_right(void **state)
{
    struct spent_store *store = new_store(at(-3600, 100), false);

    (void)state;
    spent_store_tick(store, at(0, 100));
    assert_int_equal(
        spent_store_opens(store, &(struct spend){.interval = 30, .window = 1}, at(0, 100)),
        noon + 60);
    spent_store_destroy(&store);
}

static void nothing_is_spent_while_it_is_suspended(void **state)
{
    static const char why[] = "the test says so";
    struct spent_store *store = new_store(at(0, 100), true);

    (void)state;
    spent_store_suspend(store, why);
    assert_ptr_equal(store->failure, why);
    assert_int_equal(spend(store, token_of(1, 0), at(0, 100)), SPEND_FAILED);
    assert_int_equal(spend(store, token_of(2, 0), at(0, 100)), SPEND_FAILED);
    assert_int_equal(store->failures, 2);
    spent_store_suspend(store, NULL);
    assert_null(store->failure);
    assert_int_equal(spend(store, token_of(1, 0), at(0, 100)), SPEND_FRESH);
    assert_int_equal(spend(store, token_of(1, 0), at(0, 100)), SPEND_REPLAYED);
    assert_int_equal(store->failures, 2);
    spent_store_destroy(&store);
}

/* Every second it is said anew that the store is not suspended. */
static void going_on_takes_nothing_back_of_a_failure_of_the_stores_own(void **state)
{
    static const char own[] = "No space left on device";
    struct spent_store *store = new_store(at(0, 100), true);

    (void)state;
    store->failure = own;
    spent_store_suspend(store, NULL);
    assert_ptr_equal(store->failure, own);
    spent_store_destroy(&store);
}

static void destroying_nothing_is_allowed(void **state)
{
    struct spent_store *none = NULL;

    (void)state;
    spent_store_destroy(&none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_minted_up_to_the_start_are_refused_as_starting),
        cmocka_unit_test(accepting_after_a_restart_takes_them_all),
        cmocka_unit_test(a_clock_put_right_after_the_start_does_not_open_it_early),
        cmocka_unit_test(a_token_whose_earliest_step_is_covered_is_refused),
        cmocka_unit_test(a_refusal_as_starting_spends_nothing),
        cmocka_unit_test(a_tick_drops_what_is_over_and_a_commit_changes_nothing),
        cmocka_unit_test(when_it_is_fully_open_can_be_asked),
        cmocka_unit_test(a_tick_sees_a_clock_that_is_put_right),
        cmocka_unit_test(nothing_is_spent_while_it_is_suspended),
        cmocka_unit_test(going_on_takes_nothing_back_of_a_failure_of_the_stores_own),
        cmocka_unit_test(destroying_nothing_is_allowed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
