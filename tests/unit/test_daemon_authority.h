/* What the unit tests of the authority share: a site with hosts of every kind, a store that says what
 * it is told to say, and a clock that is set by hand. */
#ifndef UNIT_TEST_DAEMON_AUTHORITY_H
#define UNIT_TEST_DAEMON_AUTHORITY_H

#include "test_config_rules.h"

#include <openssl/evp.h>

#include "daemon/authority.h"
#include "daemon/log.h"
#include "token/judge.h"

/* Says the outcome that it is told to, at once or when the turn ends. */
struct scripted_store {
    struct spent_store base; /* first: handed out as the store */
    enum spend_outcome outcome;
    bool at_once;
    unsigned asked, commits, ticks;
    struct spend last;
    struct waiter_list waiting;
};

static inline enum spend_outcome scripted_spend(struct spent_store *base, const struct spend *spend,
                                                struct moment now, struct spend_waiter *waiter)
{
    struct scripted_store *store = (struct scripted_store *)base;

    (void)now;
    store->asked++;
    store->last = *spend;
    if (store->at_once)
        return store->outcome;
    STAILQ_INSERT_TAIL(&store->waiting, waiter, next);
    return SPEND_PENDING;
}

static inline void resolve_waiting(struct scripted_store *store, enum spend_outcome outcome)
{
    while (!STAILQ_EMPTY(&store->waiting)) {
        struct spend_waiter *waiter = STAILQ_FIRST(&store->waiting);

        STAILQ_REMOVE_HEAD(&store->waiting, next);
        waiter->resolve(waiter, outcome);
    }
}

static inline void scripted_commit(struct spent_store *base, struct moment now)
{
    struct scripted_store *store = (struct scripted_store *)base;

    (void)now;
    store->commits++;
    resolve_waiting(store, store->outcome);
}

static inline void scripted_tick(struct spent_store *base, struct moment now)
{
    (void)now;
    ((struct scripted_store *)base)->ticks++;
}

static inline void scripted_destroy(struct spent_store *base)
{
    resolve_waiting((struct scripted_store *)base, SPEND_FAILED);
    replay_index_destroy(&base->index);
    free(base);
}

static inline struct scripted_store *scripted_store_create(void)
{
    static const struct spent_store_operations operations = {.word = "scripted",
                                                             .spend = scripted_spend,
                                                             .commit = scripted_commit,
                                                             .tick = scripted_tick,
                                                             .destroy = scripted_destroy};
    struct scripted_store *store = calloc(1, sizeof(*store));

    assert_non_null(store);
    store->base.operations = &operations;
    store->base.index = replay_index_create();
    assert_non_null(store->base.index);
    store->outcome = SPEND_FRESH;
    STAILQ_INIT(&store->waiting);
    return store;
}

/* Who asks, and what he was told. */
struct told {
    struct asker asker; /* first */
    unsigned times;
    enum answer answer;
};

static inline void take_answer(struct asker *asker, enum answer answer)
{
    struct told *told = (struct told *)asker;

    told->times++;
    told->answer = answer;
}

static inline struct told new_told(void)
{
    return (struct told){.asker = {.answer = take_answer, .connection = 7}};
}

/* An authority on the heap, so that whoever uses it after its end is found out. */
struct site {
    struct authority *authority;
    struct config *config;
    struct scripted_store *store;
    struct accounts *accounts;
    char directory[32];
};

static inline void site_open(struct site *site, const char *text)
{
    const char *error = NULL;
    char path[64];

    *site = (struct site){.store = scripted_store_create()};
    copy_text(site->directory, "/tmp/xa-unit-XXXXXX");
    assert_non_null(mkdtemp(site->directory));
    snprintf(path, sizeof(path), "%s/users.db", site->directory);
    site->accounts =
        accounts_open(path, (struct accounts_limits){100, 1000000}, 1767225600, &error);
    expect(site->accounts != NULL, "%s", error);
    site->config = good_config(text);
    site->authority = malloc(sizeof(*site->authority));
    assert_non_null(site->authority);
    assert_int_equal(
        authority_init(site->authority, site->config, &site->store->base, site->accounts), 0);
}

static inline void site_close(struct site *site)
{
    char command[64];

    authority_deinit(site->authority);
    free(site->authority);
    config_destroy(&site->config);
    accounts_close(&site->accounts);
    snprintf(command, sizeof(command), "rm -r %s", site->directory);
    assert_int_equal(system(command), 0);
}

enum { NOON = 1767225600 };

static inline struct moment at_second(int64_t after_noon)
{
    return (struct moment){.wall_ms = (NOON + after_noon) * 1000,
                           .boot_ms = (1000 + after_noon) * 1000,
                           .boot_ns = (1000 + after_noon) * 1000000000};
}

static inline struct question question_of(enum question_kind kind, const char *user,
                                          const char *host, const char *password)
{
    return (struct question){.kind = kind,
                             .user = user,
                             .user_length = strlen(user),
                             .host = host,
                             .host_length = strlen(host),
                             .password = password,
                             .password_length = strlen(password)};
}

/* Asks and has the turn ended: the answer, whenever it comes. */
static inline enum answer answer_to(struct site *site, const struct question *question,
                                    struct moment now)
{
    struct told told = new_told();
    int answer = authority_ask(site->authority, question, NULL, now, &told.asker);

    if (answer != ANSWER_PENDING) {
        authority_commit(site->authority, now);
        assert_int_equal(told.times, 0);
        return (enum answer)answer;
    }
    assert_non_null(told.asker.pending);
    assert_int_equal(told.times, 0);
    authority_commit(site->authority, now);
    assert_int_equal(told.times, 1);
    assert_null(told.asker.pending);
    return told.answer;
}

/* A token of one of the host's keys, issued so many seconds after noon. */
static inline const char *minted_by(const struct site *site, size_t key, const char *user,
                                    const char *host, int64_t after_noon,
                                    char text_r[TOKEN_LENGTH_MAX + 1])
{
    const struct host *found = config_host(site->config, host, strlen(host));
    static unsigned number;
    char nonce[NONCE_DIGITS_MAX + 1];

    snprintf(nonce, sizeof(nonce), "%032u", ++number);
    assert_int_equal(token_mint(found->keys[key], &found->format, user, host,
                                totp_step(NOON + after_noon, found->format.interval), nonce,
                                text_r),
                     0);
    return text_r;
}

static inline const char *minted(const struct site *site, const char *user, const char *host,
                                 int64_t after_noon, char text_r[TOKEN_LENGTH_MAX + 1])
{
    return minted_by(site, 0, user, host, after_noon, text_r);
}

#endif
