/* A denial that is told while a login waits for the store is held against that login; where that can't be known any more, it says so. */
#include "vectors.h"

#include "daemon/denial_watch.h"

enum { ALICE = 7, MALLORY = 8 };

static void note(struct denial_watch *watch, uint64_t user, unsigned times)
{
    for (unsigned i = 0; i < times; i++)
        denial_watch_note(watch, user);
}

static void every_denial_is_counted(void **state)
{
    struct denial_watch watch = {.count = 0};

    (void)state;
    note(&watch, ALICE, 3 * DENIAL_WATCH_SIZE + 1);
    assert_int_equal(watch.count, 3 * DENIAL_WATCH_SIZE + 1);
}

static void a_user_who_was_denied_since_is_told_from_others(void **state)
{
    static const struct {
        const char *name;
        unsigned others_before, of_alice, others_after;
        unsigned asked_from; /* the count when the login began to wait */
        enum denial_news news;
    } rows[] = {
        {"nobody was denied", 0, 0, 0, 0, DENIAL_NO_NEWS},
        {"others were", 5, 0, 0, 0, DENIAL_NO_NEWS},
        {"the user was, before", 0, 1, 0, 1, DENIAL_NO_NEWS},
        {"the user was, then others before", 0, 1, 3, 4, DENIAL_NO_NEWS},
        {"the user was, before, and others since", 0, 1, 3, 1, DENIAL_NO_NEWS},
        {"the user was", 0, 1, 0, 0, DENIAL_OF_USER},
        {"the user was, last of some", 4, 1, 0, 0, DENIAL_OF_USER},
        {"the user was, first of some", 0, 1, 4, 0, DENIAL_OF_USER},
        {"the user was, first of all that are kept", 0, 1, DENIAL_WATCH_SIZE - 1, 0,
         DENIAL_OF_USER},
        {"the user was, after a full round", DENIAL_WATCH_SIZE, 1, 0, DENIAL_WATCH_SIZE,
         DENIAL_OF_USER},
        {"the user was, before, as the oldest that is kept", 0, 1, DENIAL_WATCH_SIZE - 1,
         DENIAL_WATCH_SIZE, DENIAL_NO_NEWS},
        {"others were, as many as are kept", DENIAL_WATCH_SIZE, 0, 0, 0, DENIAL_NO_NEWS},
        {"others were, one more than are kept", DENIAL_WATCH_SIZE + 1, 0, 0, 0, DENIAL_UNKNOWN},
        {"the user was, before all that are kept", 0, 1, DENIAL_WATCH_SIZE, 0, DENIAL_UNKNOWN},
        {"the user was, in the round before, and others since", 0, 1, DENIAL_WATCH_SIZE, 1,
         DENIAL_NO_NEWS},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct denial_watch watch = {.count = 0};
        enum denial_news news;

        note(&watch, MALLORY, rows[i].others_before);
        note(&watch, ALICE, rows[i].of_alice);
        note(&watch, MALLORY, rows[i].others_after);
        news = denial_watch_since(&watch, rows[i].asked_from, ALICE);
        expect(news == rows[i].news, "%s: %d", rows[i].name, (int)news);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_denial_is_counted),
        cmocka_unit_test(a_user_who_was_denied_since_is_told_from_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
