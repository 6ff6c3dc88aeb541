/* When several stale tokens are a wrong clock, and when they are not. */
#include "vectors.h"

#include <ctype.h>

#include "daemon/clock_watch.h"

enum { TOLERANCE = 60 };

/* A letter a token: its user, a capital one where the user's last is sent again; "!" a good login. */
struct event {
    char user;
    int64_t offset;
    int64_t at;
};

static const struct {
    const char *name;
    struct event events[14];
    const char *
        news; /* a letter each: . nothing, c confirmed, W warning, R clear, r clear without a line */
} rows[] = {
    {"one token", {{'a', -3600, 0}}, "."},
    {"three tokens of one user", {{'a', -3600, 0}, {'a', -3600, 1}, {'a', -3600, 2}}, "..."},
    {"a flood of one user's",
     {{'a', -3600, 0},
      {'a', -3600, 1},
      {'a', -3600, 2},
      {'a', -3600, 3},
      {'a', -3600, 4},
      {'a', -3600, 5},
      {'a', -3600, 6},
      {'a', -3600, 7},
      {'a', -3600, 8},
      {'a', -3600, 9}},
     ".........."},
    {"two users, a token each", {{'a', -3600, 0}, {'b', -3600, 1}}, ".."},
    {"two users, three tokens", {{'a', -3600, 0}, {'b', -3600, 1}, {'a', -3600, 2}}, "..."},
    {"one user's flood and somebody's single token",
     {{'a', -3600, 0}, {'b', -3600, 1}, {'a', -3600, 2}, {'a', -3600, 3}, {'a', -3600, 4}},
     "....."},
    {"two users, two tokens each",
     {{'a', -3600, 0}, {'b', -3600, 1}, {'a', -3600, 2}, {'b', -3600, 3}},
     "...W"},
    {"two users, who send one each again and again",
     {{'a', -3600, 0}, {'A', -3630, 30}, {'b', -3600, 1}, {'B', -3660, 61}},
     "...."},
    {"three users", {{'a', 7200, 0}, {'b', 7180, 1}, {'c', 7210, 2}}, "..W"},
    {"three users, of whom one has another offset",
     {{'a', 7200, 0}, {'b', 7100, 1}, {'c', 7210, 2}},
     "..."},
    {"and with a fourth", {{'a', 7200, 0}, {'b', 7100, 1}, {'c', 7210, 2}, {'d', 7205, 3}}, "...W"},
    {"ahead is not behind", {{'a', 7200, 0}, {'b', -7200, 1}, {'c', 7200, 2}}, "..."},
    {"a quarter of an hour is too long",
     {{'a', -3600, 0}, {'b', -3600, 1}, {'c', -3600, 901}},
     "..."},
    {"a good login stands against a stale token",
     {{'a', -3600, 0}, {'b', -3600, 1}, {'!', 0, 0}, {'c', -3600, 2}, {'d', -3600, 3}},
     "....W"},
    {"as many good ones as stale ones",
     {{'a', -3600, 0},
      {'!', 0, 0},
      {'b', -3600, 1},
      {'!', 0, 0},
      {'c', -3600, 2},
      {'!', 0, 0},
      {'d', -3600, 3}},
     "......."},
    {"it is said once, and again after an hour",
     {{'a', -3600, 0},
      {'b', -3600, 1},
      {'c', -3600, 2},
      {'d', -3600, 3},
      {'e', -3600, 1200},
      {'f', -3600, 1201},
      {'g', -3600, 1202},
      {'h', -3600, 3600},
      {'i', -3600, 3601},
      {'j', -3600, 3602}},
     "..Wc..c..W"},
    {"another offset is said, but not at once",
     {{'a', -3600, 0},
      {'b', -3600, 1},
      {'c', -3600, 2},
      {'d', 7200, 3},
      {'e', 7200, 4},
      {'f', 7200, 5},
      {'g', 7200, 601},
      {'h', 7200, 602}},
     "..W..ccW"},
    {"nor can several people make a line as often as they like",
     {{'a', -3600, 0},
      {'b', -3600, 1},
      {'c', -3600, 2},
      {'!', 0, 0},
      {'!', 0, 0},
      {'!', 0, 0},
      {'a', -3600, 3},
      {'b', -3600, 4},
      {'c', -3600, 5},
      {'!', 0, 0},
      {'!', 0, 0},
      {'!', 0, 0}},
     "..W..R..c..r"},
    {"three good logins end it",
     {{'a', -3600, 0},
      {'b', -3600, 1},
      {'c', -3600, 2},
      {'!', 0, 0},
      {'!', 0, 0},
      {'!', 0, 0},
      {'!', 0, 0},
      {'d', -3600, 3}},
     "..W..R.."},
    {"not where stale ones come between",
     {{'a', -3600, 0},
      {'b', -3600, 1},
      {'c', -3600, 2},
      {'d', -3600, 2},
      {'e', -3600, 2},
      {'!', 0, 0},
      {'!', 0, 0},
      {'f', -3600, 3},
      {'!', 0, 0},
      {'!', 0, 0}},
     "..Wcc..c.."},
};

static char letter_of(enum clock_news news)
{
    static const char letters[] = {[CLOCK_NO_NEWS] = '.',
                                   [CLOCK_CONFIRMED] = 'c',
                                   [CLOCK_WARN] = 'W',
                                   [CLOCK_CLEAR] = 'R',
                                   [CLOCK_CLEAR_UNSAID] = 'r'};

    return letters[news];
}

static void what_comes_of_what_is_seen(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct clock_watch watch = {.count = 0};
        char news[16] = "";
        uint64_t token = 0, last[128] = {0};

        for (size_t k = 0; rows[i].events[k].user != '\0'; k++) {
            const struct event *event = &rows[i].events[k];
            struct clock_evidence evidence = {
                .user = (uint64_t)tolower(event->user),
                .token = isupper(event->user) ? last[tolower(event->user)] : ++token,
                .offset = event->offset,
                .at = event->at};

            last[tolower(event->user)] = evidence.token;
            news[k] =
                letter_of(event->user == '!' ? clock_watch_good(&watch)
                                             : clock_watch_stale(&watch, &evidence, TOLERANCE));
        }
        expect(strcmp(news, rows[i].news) == 0, "%s: %s, not %s", rows[i].name, news, rows[i].news);
    }
}

/* The minter's clock is off by what the token says that was used soonest after it was made. */
static void the_offset_is_that_of_the_freshest_token(void **state)
{
    static const int64_t offsets[] = {-3630, -3600, -3660};
    struct clock_watch watch = {.count = 0};

    (void)state;
    for (uint64_t i = 0; i < LENGTH_OF(offsets); i++)
        (void)clock_watch_stale(
            &watch, &(struct clock_evidence){.user = i, .token = i, .offset = offsets[i]}, 60);
    assert_true(watch.is_confirmed);
    assert_int_equal(watch.offset, -3600);
    assert_int_equal(watch.tokens, 3);
    assert_int_equal(watch.users, 3);
}

/* Somebody with one account sends as many stale tokens as he likes, of all ages. */
static void one_users_flood_neither_makes_nor_hides_an_alert(void **state)
{
    struct clock_watch watch = {.count = 0};
    uint64_t token = 0;
    enum clock_news news = CLOCK_NO_NEWS;

    (void)state;
    for (uint64_t user = 1; user <= 3; user++) {
        for (int64_t i = 0; i < 1000; i++)
            assert_int_equal(
                clock_watch_stale(&watch,
                                  &(struct clock_evidence){
                                      .user = 99, .token = ++token, .offset = 100 * i, .at = 0},
                                  TOLERANCE),
                CLOCK_NO_NEWS);
        news = clock_watch_stale(
            &watch,
            &(struct clock_evidence){.user = user, .token = ++token, .offset = -3600, .at = 0},
            TOLERANCE);
    }
    assert_int_equal(news, CLOCK_WARN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_comes_of_what_is_seen),
        cmocka_unit_test(the_offset_is_that_of_the_freshest_token),
        cmocka_unit_test(one_users_flood_neither_makes_nor_hides_an_alert),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
