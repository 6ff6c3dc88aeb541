/* The authority over time: reloads, stores and databases that fail and work again, memory that is
 * short, and what stale tokens may cost. */
#include "test_daemon_authority.h"

#include "daemon/shortage.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>

#define HOST(name) "[host " name "]\n"
#define A_HOST     HOST("a.example") KEY_OF("A")
#define B_HOST     HOST("b.example") KEY_OF("B")
#define C_HOST     HOST("c.example") KEY_OF("C")

#if !SANITIZED
static long allocations_until_failure = -1;
static unsigned long allocations;

void *__libc_calloc(size_t count, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static bool is_refused(void)
{
    allocations++;
    if (allocations_until_failure < 0 || allocations_until_failure-- > 0)
        return false;
    errno = ENOMEM;
    return true;
}

void *calloc(size_t count, size_t size)
{
    return is_refused() ? NULL : __libc_calloc(count, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return is_refused() ? NULL : __libc_memalign(alignment, size);
}
#endif

/* What is logged from here to the end; the test's own complaints go there too. */
struct logged {
    int real, file;
};

static struct logged begin_log(void)
{
    struct logged logged = {dup(STDERR_FILENO), open("/tmp", O_TMPFILE | O_RDWR, 0600)};

    assert_true(logged.real >= 0 && logged.file >= 0);
    assert_true(dup2(logged.file, STDERR_FILENO) >= 0);
    log_set_level(LOG_LEVEL_INFO);
    return logged;
}

static const char *end_log(struct logged *logged)
{
    static char text[100000];
    ssize_t size;

    assert_true(dup2(logged->real, STDERR_FILENO) >= 0);
    size = pread(logged->file, text, sizeof(text) - 1, 0);
    text[size < 0 ? 0 : size] = '\0';
    close(logged->real);
    close(logged->file);
    log_set_level(LOG_LEVEL_ERROR);
    return text;
}

static unsigned times_in(const char *text, const char *wanted)
{
    unsigned times = 0;

    for (const char *at = strstr(text, wanted); at != NULL; at = strstr(at + 1, wanted))
        times++;
    return times;
}

static enum answer log_in(struct site *site, const char *user, const char *host, int64_t minted_at,
                          int64_t now)
{
    char token[TOKEN_LENGTH_MAX + 1];
    struct question question =
        question_of(QUESTION_AUTH, user, host, minted(site, user, host, minted_at, token));

    return answer_to(site, &question, at_second(now));
}

/* What a reload does. */
static void reload(struct site *site, const char *text)
{
    struct config *next = good_config(text);
    struct tally_plan *plan = authority_prepare(site->authority, next);

    assert_non_null(plan);
    authority_reconfigure(site->authority, next, plan);
    /* Nothing is left there of the old keys, which another thread may free. */
    assert_int_equal(site->authority->calendars.memory, 0);
    tally_plan_destroy(&plan);
    config_destroy(&site->config);
    site->config = next;
}

static void a_reload_is_judged_by_from_the_next_question_on(void **state)
{
    struct told told = new_told();
    char token[TOKEN_LENGTH_MAX + 1];
    struct question question;
    struct site site;

    (void)state;
    site_open(&site, A_HOST);
    question = question_of(QUESTION_AUTH, "alice", "a.example",
                           minted(&site, "alice", "a.example", 0, token));
    assert_int_equal(authority_ask(site.authority, &question, NULL, at_second(1), &told.asker),
                     ANSWER_PENDING);
    reload(&site, B_HOST);
    /* What was asked before gets its answer, and the row that it is counted in. */
    authority_commit(site.authority, at_second(1));
    assert_int_equal(told.answer, ANSWER_YES);
    assert_int_equal(site.authority->tally.all.auth[REASON_ALLOWED], 1);
    assert_int_equal(answer_to(&site, &question, at_second(2)), ANSWER_NO);
    assert_int_equal(site.authority->tally.no_host.auth[REASON_UNKNOWN_HOST], 1);
    assert_int_equal(log_in(&site, "alice", "b.example", 0, 2), ANSWER_YES);
    assert_int_equal(site.authority->tally.hosts[0]->allowed, 1);
    site_close(&site);
}

static void sums_of_a_host_that_a_reload_removes_are_logged_before(void **state)
{
    struct logged logged;
    const char *text;
    struct site site;

    (void)state;
    site_open(&site, A_HOST);
    logged = begin_log();
    for (int i = 0; i < VERDICT_LINES_OF_A_HOST + 5; i++)
        (void)log_in(&site, "alice", "a.example", 0, 1);
    reload(&site, B_HOST);
    authority_tick(site.authority, at_second(3));
    text = end_log(&logged);
    assert_int_equal(times_in(text, "verdicts-summed"), 1);
    assert_int_equal(times_in(text, "section=a.example"), 1);
    assert_int_equal(times_in(text, "count=5"), 1);
    site_close(&site);
}

static void a_store_that_fails_is_logged_once_and_once_when_it_works_again(void **state)
{
    struct logged logged;
    const char *text;
    struct site site;

    (void)state;
    site_open(&site, A_HOST);
    logged = begin_log();
    authority_commit(site.authority, at_second(1));
    for (int i = 0; i < 3; i++) {
        site.store->base.failure = "No space left on device";
        authority_commit(site.authority, at_second(2));
    }
    for (int i = 0; i < 3; i++) {
        site.store->base.failure = NULL;
        authority_commit(site.authority, at_second(3));
    }
    text = end_log(&logged);
    assert_int_equal(times_in(text, "store-failed why=\"No space left on device\""), 1);
    assert_int_equal(times_in(text, "store-recovered"), 1);
    assert_true(strstr(text, "store-failed") < strstr(text, "store-recovered"));
    assert_int_equal(times_in(text, "error"), 1);
    site_close(&site);
}

/* No file can grow, as on a full disk. */
static void limit_files(rlim_t bytes)
{
    struct rlimit limit;

    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_database_that_fails_is_logged_once_and_once_when_it_works_again(void **state)
{
    enum { LOG_ROOM = 4096 };
    struct logged logged;
    const char *text;
    struct site site;

    (void)state;
    site_open(&site, HOST("a.example") "isuser = seen\n" KEY_OF("A"));
    logged = begin_log();
    authority_tick(site.authority, at_second(0));
    (void)log_in(&site, "alice", "a.example", 0, 1);
    /* The log is a file too. */
    limit_files(LOG_ROOM);
    for (int second = 2; second < 5; second++)
        authority_tick(site.authority, at_second(second));
    limit_files(RLIM_INFINITY);
    for (int second = 5; second < 80; second++)
        authority_tick(site.authority, at_second(second));
    text = end_log(&logged);
    expect(times_in(text, "users-database-failed") == 1, "%s", text);
    expect(times_in(text, "level=error event=users-database-failed") == 1, "%s", text);
    expect(times_in(text, "users-database-recovered") == 1, "%s", text);
    expect(times_in(text, "level=info event=users-database-recovered") == 1, "%s", text);
    assert_true(strstr(text, "users-database-failed") < strstr(text, "users-database-recovered"));
    site_close(&site);
}

/* Tables for the clocks of stale tokens: the keys of all hosts pay for them from one purse. */
static void what_stale_tokens_cost_is_bounded_for_all_keys_together(void **state)
{
    static const char *const hosts[] = {"a.example", "b.example", "c.example"};
    char token[TOKEN_LENGTH_MAX + 1];
    struct question question;
    struct site site;

    (void)state;
    site_open(&site, A_HOST B_HOST C_HOST "[key c.example second]\n" KEY_OF("D"));
    assert_int_equal(site.authority->calendars.memory_max, 4 << 20);
    assert_int_equal(site.authority->calendars.otps_each_time, 8192);
    /* The first is paid for, the second overdraws, the third has to wait. */
    for (size_t i = 0; i < LENGTH_OF(hosts); i++) {
        assert_int_equal(log_in(&site, "alice", hosts[i], -3600, 1), ANSWER_NO);
        expect(site.authority->tally.hosts[i]->rest->clock.measured == (i < 2 ? -3600 : 0), "%s",
               hosts[i]);
    }
    question = question_of(QUESTION_AUTH, "alice", "c.example",
                           minted_by(&site, 1, "alice", "c.example", -3600, token));
    assert_int_equal(answer_to(&site, &question, at_second(1)), ANSWER_NO);
    assert_int_equal(site.authority->tally.hosts[2]->rest->clock.measured, 0);
    authority_tick(site.authority, at_second(2));
    assert_int_equal(log_in(&site, "alice", "c.example", -3600, 2), ANSWER_NO);
    assert_int_equal(site.authority->tally.hosts[2]->rest->clock.measured, -3600);
    assert_true(site.authority->calendars.memory > 0);
    /* A reload's keys share it too, those that go give their tables back, and so do all at the end. */
    reload(&site, A_HOST);
    authority_tick(site.authority, at_second(3));
    authority_tick(site.authority, at_second(4));
    assert_int_equal(log_in(&site, "alice", "a.example", -3600, 5), ANSWER_NO);
    assert_true(site.authority->calendars.memory > 0);
    site_close(&site);
}

/* Its hosts stand at the end of their memory. */
static void nothing_is_read_behind_the_last_host(void **state)
{
    struct config *next = good_config(B_HOST C_HOST);
    struct config exact = *next;
    struct tally_plan *plan;
    struct site site;

    (void)state;
    site_open(&site, A_HOST);
    exact.hosts = exact_copy(next->hosts, next->host_count * sizeof(*next->hosts));
    plan = authority_prepare(site.authority, &exact);
    assert_non_null(plan);
    tally_plan_destroy(&plan);
    free(exact.hosts);
    config_destroy(&next);
    site_close(&site);
}

/* The store says itself what fails in it; where it says nothing, it is memory. */
static void a_login_that_fails_for_want_of_memory_is_a_shortage(void **state)
{
    static const struct {
        const char *name;
        enum spend_outcome outcome;
        const char *failure;
        unsigned lines;
    } rows[] = {
        {"spent", SPEND_FRESH, NULL, 0},
        {"spent already", SPEND_REPLAYED, NULL, 0},
        {"spent already, and the store fails", SPEND_REPLAYED, "the disk is full", 0},
        {"the store fails", SPEND_FAILED, "the disk is full", 0},
        {"memory is short", SPEND_FAILED, NULL, 1},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct event_limits limits = {0};
        struct logged logged;
        struct site site;

        site_open(&site, A_HOST);
        site.store->at_once = true;
        site.store->outcome = rows[i].outcome;
        site.store->base.failure = rows[i].failure;
        shortage_tell(&limits, at_second(0));
        logged = begin_log();
        (void)log_in(&site, "alice", "a.example", 0, 1);
        shortage_tell(&limits, at_second(1));
        expect(times_in(end_log(&logged), "event=memory-short") == rows[i].lines, "%s",
               rows[i].name);
        site_close(&site);
    }
}

#if !SANITIZED

static void a_login_without_memory_to_wait_in_is_told_to_try_again(void **state)
{
    struct told told = new_told();
    char token[TOKEN_LENGTH_MAX + 1];
    struct question question;
    struct site site;

    (void)state;
    site_open(&site, A_HOST);
    question = question_of(QUESTION_AUTH, "alice", "a.example",
                           minted(&site, "alice", "a.example", 0, token));
    allocations_until_failure = 0;
    assert_int_equal(authority_ask(site.authority, &question, NULL, at_second(1), &told.asker),
                     ANSWER_TRY_AGAIN);
    assert_int_equal(allocations_until_failure, -1);
    assert_int_equal(site.store->asked, 0);
    assert_int_equal(site.authority->tally.hosts[0]->rest->counts.auth[REASON_STORE_ERROR], 1);
    assert_int_equal(answer_to(&site, &question, at_second(1)), ANSWER_YES);
    site_close(&site);
}

/* Whether the store answers at once or later. */
static void from_the_second_login_on_nothing_is_allocated(void **state)
{
    (void)state;
    for (int at_once = 0; at_once < 2; at_once++) {
        struct site site;
        unsigned long before = 0;

        site_open(&site, A_HOST);
        site.store->at_once = at_once == 1;
        for (int login = 0; login < 10; login++) {
            assert_int_equal(log_in(&site, "alice", "a.example", 0, 1), ANSWER_YES);
            if (login == 0)
                before = allocations;
        }
        assert_int_equal(allocations, before);
        site_close(&site);
    }
}

static void without_memory_it_does_not_begin(void **state)
{
    long call = 0;
    int result = -1;

    (void)state;
    for (; result != 0; call++) {
        struct scripted_store *store = scripted_store_create();
        struct config *config = good_config(A_HOST);
        struct authority authority;

        allocations_until_failure = call;
        result = authority_init(&authority, config, &store->base, NULL);
        expect((result != 0) == (allocations_until_failure == -1), "call %ld", call);
        allocations_until_failure = -1;
        authority_deinit(&authority);
        config_destroy(&config);
    }
    assert_true(call > 3);
}

static void a_reload_without_memory_leaves_all_as_it_was(void **state)
{
    struct config *next = good_config(A_HOST B_HOST "[key b.example second]\n" KEY_OF("D"));
    struct tally_plan *plan = NULL;
    struct site site;
    long call = 0;

    (void)state;
    site_open(&site, A_HOST);
    for (; plan == NULL; call++) {
        allocations_until_failure = call;
        plan = authority_prepare(site.authority, next);
        expect((plan == NULL) == (allocations_until_failure == -1), "call %ld", call);
        allocations_until_failure = -1;
        assert_ptr_equal(site.authority->config, site.config);
        assert_int_equal(log_in(&site, "alice", "a.example", 0, 1), ANSWER_YES);
    }
    /* The plan, its two lists, a row and a rest of each host, a key apart, and a list of keys. */
    assert_true(call > 9);
    tally_plan_destroy(&plan);
    config_destroy(&next);
    site_close(&site);
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reload_is_judged_by_from_the_next_question_on),
        cmocka_unit_test(sums_of_a_host_that_a_reload_removes_are_logged_before),
        cmocka_unit_test(a_store_that_fails_is_logged_once_and_once_when_it_works_again),
        cmocka_unit_test(a_database_that_fails_is_logged_once_and_once_when_it_works_again),
        cmocka_unit_test(what_stale_tokens_cost_is_bounded_for_all_keys_together),
        cmocka_unit_test(nothing_is_read_behind_the_last_host),
        cmocka_unit_test(a_login_that_fails_for_want_of_memory_is_a_shortage),
#if !SANITIZED
        cmocka_unit_test(a_login_without_memory_to_wait_in_is_told_to_try_again),
        cmocka_unit_test(from_the_second_login_on_nothing_is_allocated),
        cmocka_unit_test(without_memory_it_does_not_begin),
        cmocka_unit_test(a_reload_without_memory_leaves_all_as_it_was),
#endif
    };

    log_set_level(LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
