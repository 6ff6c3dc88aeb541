#include "daemon/authority.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/log.h"
#include "daemon/opening.h"
#include "daemon/shortage.h"
#include "daemon/user_rules.h"
#include "token/judge.h"

/* A login whose token is being spent. */
struct pending_answer {
    struct spend_waiter waiter; /* first: the store hands it back */
    STAILQ_ENTRY(pending_answer) next;
    struct authority *authority;
    struct asker *asker; /* NULL: gone */
    struct verdict_note note;
    uint64_t denials_before; /* how many there had been when it was judged */
};

/* For all keys together: some forty tables at otp_interval = 30, or one at 1; and what is computed
 * for them in a second, about one table at 30 s: a few milliseconds. */
enum { CALENDAR_BYTES_MAX = 4 << 20, CALENDAR_OTPS_A_SECOND = 8192 };

static void share_calendars(const struct config *config, struct calendar_pool *pool)
{
    for (size_t i = 0; config != NULL && i < config->host_count; i++) {
        for (size_t k = 0; k < config->hosts[i].key_count; k++)
            token_key_share_calendars(config->hosts[i].keys[k], pool);
    }
}

/* It is held against a login that waits for the store. */
static void on_denied(void *context, const char *jid, size_t length)
{
    struct authority *authority = context;

    denial_watch_note(&authority->denials,
                      flight_recorder_user(&authority->book.recorder, jid, length));
}

int authority_init(struct authority *authority, const struct config *config,
                   struct spent_store *store, struct accounts *accounts)
{
    struct tally_plan *plan;

    *authority = (struct authority){.store = store, .accounts = accounts};
    STAILQ_INIT(&authority->unused);
    STAILQ_INIT(&authority->concluded);
    tally_init(&authority->tally);
    calendar_pool_init(&authority->calendars, CALENDAR_BYTES_MAX, CALENDAR_OTPS_A_SECOND);
    if (verdict_book_init(&authority->book, &authority->tally) != 0)
        return -1;
    if (accounts != NULL)
        accounts_tell_denied(accounts, on_denied, authority);
    plan = authority_prepare(authority, config);
    if (plan == NULL)
        return -1;
    authority_reconfigure(authority, config, plan);
    tally_plan_destroy(&plan);
    return 0;
}

struct tally_plan *authority_prepare(struct authority *authority, const struct config *next)
{
    struct tally_plan *plan =
        tally_plan_create(&authority->tally, next, moment_seconds(moment_now()));

    if (plan != NULL)
        share_calendars(next, &authority->calendars);
    return plan;
}

void authority_reconfigure(struct authority *authority, const struct config *next,
                           struct tally_plan *plan)
{
    verdict_book_settle(&authority->book);
    tally_follow(&authority->tally, plan);
    /* The old keys may be freed in another thread, which must find nothing of theirs in the pool. */
    calendar_pool_clear(&authority->calendars);
    if (authority->store != NULL)
        spent_store_follow_reach(authority->store, &next->reach, moment_now());
    authority->config = next;
}

void authority_deinit(struct authority *authority)
{
    spent_store_destroy(&authority->store);
    STAILQ_CONCAT(&authority->unused, &authority->concluded);
    while (!STAILQ_EMPTY(&authority->unused)) {
        struct pending_answer *pending = STAILQ_FIRST(&authority->unused);

        STAILQ_REMOVE_HEAD(&authority->unused, next);
        free(pending);
    }
    share_calendars(authority->config, NULL);
    verdict_book_deinit(&authority->book);
    tally_deinit(&authority->tally);
}

static enum reason reason_of_outcome(enum spend_outcome outcome)
{
    switch (outcome) {
    case SPEND_FRESH:
        return REASON_ALLOWED;
    case SPEND_REPLAYED:
    case SPEND_CLOSED:
        return REASON_REPLAYED;
    case SPEND_STARTING:
        return REASON_STARTING;
    case SPEND_FAILED:
    case SPEND_PENDING:
        break;
    }
    return REASON_STORE_ERROR;
}

static enum reason reason_of_denials(enum denial_news news)
{
    static const enum reason reasons[] = {[DENIAL_NO_NEWS] = REASON_ALLOWED,
                                          [DENIAL_OF_USER] = REASON_REVOKED,
                                          [DENIAL_UNKNOWN] = REASON_STORE_ERROR};

    return reasons[news];
}

static enum answer answer_of_reason(enum reason reason)
{
    if (reason == REASON_ALLOWED)
        return ANSWER_YES;
    return reason_is_undecided(reason) ? ANSWER_TRY_AGAIN : ANSWER_NO;
}

static void on_outcome(struct spend_waiter *waiter, enum spend_outcome outcome)
{
    struct pending_answer *pending = (struct pending_answer *)waiter;
    struct authority *authority = pending->authority;
    struct asker *asker = pending->asker;
    enum reason reason = reason_of_outcome(outcome);

    if (reason == REASON_ALLOWED)
        reason = reason_of_denials(
            denial_watch_since(&authority->denials, pending->denials_before, pending->note.user));
    verdict_book_conclude(&authority->book, &pending->note, reason);
    STAILQ_INSERT_TAIL(&authority->concluded, pending, next);
    if (asker != NULL) {
        asker->pending = NULL;
        asker->answer(asker, answer_of_reason(reason));
    }
}

void asker_withdraw(struct asker *asker)
{
    if (asker->pending != NULL)
        asker->pending->asker = NULL;
    asker->pending = NULL;
}

static struct pending_answer *take_pending(struct authority *authority)
{
    struct pending_answer *pending = STAILQ_FIRST(&authority->unused);

    if (pending != NULL) {
        STAILQ_REMOVE_HEAD(&authority->unused, next);
        return pending;
    }
    pending = calloc(1, sizeof(*pending));
    if (pending != NULL) {
        pending->authority = authority;
        pending->waiter.resolve = on_outcome;
    }
    return pending;
}

/* A judgement on its way: what is found out in one step and needed in a later one. */
struct judgement {
    struct authority *authority;
    struct verdict_facts facts;
    const struct host *host; /* until it has been found: the one that is expected */
    const struct verifier *verifier;
    struct spend spend;
};

/* Its signature may be right: the looks at the index and at the user's history will find the memory
 * there by the time that this is known. */
static void expect_spend(void *context, const uint8_t *signature)
{
    struct judgement *judgement = context;
    struct authority *authority = judgement->authority;

    replay_index_prefetch(authority->store->index, signature_id_of(signature));
    judgement->facts.user = verdict_book_expect(&authority->book, judgement->facts.question);
}

/* Finds the host that the question is about, with what it is judged by; false: there is none. */
static bool find_host(const struct authority *authority, struct judgement *judgement)
{
    const struct question *question = judgement->facts.question;
    const struct host *expected = judgement->host;
    const struct host *host =
        config_host_expected(authority->config, expected, question->host, question->host_length);

    judgement->host = host;
    if (host == NULL)
        return false;
    judgement->verifier = config_verifier(authority->config, host);
    judgement->facts.row = tally_host_of(&authority->tally, host);
    /* Of a host among thousands nothing is at hand that was not foreseen. */
    if (host != expected && authority->config->host_count >= MANY_HOSTS) {
        prefetch_lines(judgement->verifier, sizeof(*judgement->verifier));
        tally_prefetch(judgement->facts.row);
    }
    return true;
}

/* ALLOWED: but for what is remembered. */
static enum reason judge_login(const struct authority *authority, struct judgement *judgement)
{
    const struct question *question = judgement->facts.question;
    const struct claim claim = {.user = question->user,
                                .user_length = question->user_length,
                                .host = question->host,
                                .host_length = question->host_length,
                                .password = question->password,
                                .password_length = question->password_length,
                                .expect = expect_spend,
                                .expect_context = judgement};
    struct token_verdict verdict;

    if (!find_host(authority, judgement))
        return REASON_UNKNOWN_HOST;
    judgement->facts.format = &judgement->verifier->format;
    token_judge(&judgement->verifier->keys, judgement->facts.format, &claim,
                moment_seconds(judgement->facts.now), &verdict);
    /* What came in time says nothing of a clock but its own age. v2 tells any distance; beyond this
     * one it is no clock's. */
    if ((verdict.reason == REASON_EXPIRED || verdict.reason == REASON_EARLY) &&
        llabs((long long)verdict.clock_offset) <= CLOCK_REACH_SECONDS)
        judgement->facts.clock_offset = verdict.clock_offset;
    judgement->spend = (struct spend){
        .id = signature_id_of(verdict.signature),
        .first_step = verdict.steps.first,
        .filing_step = verdict.steps.last,
        .interval = verdict.interval,
        .window = verdict.window,
        .keep_window = verdict.kind == TOKEN_V1 ? judgement->verifier->keep_window : 0,
        .reach = judgement->verifier->reach[verdict.kind],
        .timeline = verdict.kind};
    if (verdict.reason != REASON_MALFORMED && verdict.reason != REASON_FORGED) {
        if (verdict.key != TOKEN_KEY_NONE)
            judgement->facts.key = judgement->facts.row->keys[verdict.key];
        judgement->facts.token = judgement->spend.id.low;
        judgement->facts.is_genuine = true;
    }
    return verdict.reason;
}

static enum reason judge_user(const struct authority *authority, struct judgement *judgement)
{
    if (!find_host(authority, judgement))
        return REASON_UNKNOWN_HOST;
    return user_exists(judgement->host, authority->accounts, judgement->facts.question)
               ? REASON_ALLOWED
               : REASON_UNKNOWN_USER;
}

static enum answer conclude(struct authority *authority, const struct judgement *judgement,
                            enum reason reason)
{
    verdict_book_enter(&authority->book, &judgement->facts, reason);
    return answer_of_reason(reason);
}

/* Spends the token of a login that is right in every other respect. */
static int spend_login(struct authority *authority, struct judgement *judgement,
                       struct asker *asker)
{
    struct pending_answer *pending = take_pending(authority);
    enum spend_outcome outcome = SPEND_FAILED;

    if (pending != NULL)
        outcome = spent_store_spend(authority->store, &judgement->spend, judgement->facts.now,
                                    &pending->waiter);
    if (outcome == SPEND_PENDING || outcome == SPEND_FRESH) {
        /* It shows that the user exists, also where the store fails in the end. */
        user_note_seen(judgement->verifier->is_user, authority->accounts, judgement->facts.question,
                       moment_seconds(judgement->facts.now));
    }
    if (outcome == SPEND_PENDING) {
        verdict_book_note(&authority->book, &judgement->facts, &pending->note);
        pending->asker = asker;
        pending->denials_before = authority->denials.count;
        asker->pending = pending;
        return ANSWER_PENDING;
    }
    /* The store says itself what fails in it; what does not is memory. */
    if (outcome == SPEND_FAILED && authority->store->failure == NULL)
        shortage_note();
    if (pending != NULL)
        STAILQ_INSERT_HEAD(&authority->unused, pending, next);
    return conclude(authority, judgement, reason_of_outcome(outcome));
}

static enum reason judge(const struct authority *authority, struct judgement *judgement)
{
    switch (judgement->facts.question->kind) {
    case QUESTION_AUTH:
        return judge_login(authority, judgement);
    case QUESTION_IS_USER:
        return judge_user(authority, judgement);
    case QUESTION_UNSUPPORTED:
    case QUESTION_TRY_AGAIN: /* anywhere but at the beginning */
        return REASON_UNSUPPORTED;
    case QUESTION_MALFORMED:
        break;
    }
    return REASON_MALFORMED;
}

int authority_ask(struct authority *authority, const struct question *question,
                  const struct host *expected, struct moment now, struct asker *asker)
{
    struct judgement judgement = {
        .authority = authority,
        .host = expected,
        .facts = {.question = question, .now = now, .connection = asker->connection}};
    enum reason reason = judge(authority, &judgement);

    if (judgement.facts.user == 0)
        judgement.facts.user = verdict_book_expect(&authority->book, question);
    if (reason != REASON_ALLOWED || question->kind != QUESTION_AUTH)
        return conclude(authority, &judgement, reason);
    if (user_is_denied(authority->accounts, question, moment_seconds(now)))
        return conclude(authority, &judgement, REASON_REVOKED);
    return spend_login(authority, &judgement, asker);
}

void authority_refuse_unframed(struct authority *authority, struct moment now, uint64_t connection)
{
    static const struct question unframed = {.kind = QUESTION_MALFORMED};
    const struct verdict_facts facts = {
        .question = &unframed, .now = now, .connection = connection};

    verdict_book_enter(&authority->book, &facts, REASON_MALFORMED);
}

/* Once when it begins to fail and once when it works again, not for every login in between. */
static void watch_store(struct authority *authority)
{
    const char *failure = authority->store->failure;

    if (failure == authority->logged_failure)
        return;
    if (failure != NULL)
        log_event_text(LOG_LEVEL_ERROR, "store-failed", "why", failure);
    else
        log_event(LOG_LEVEL_INFO, "store-recovered");
    authority->logged_failure = failure;
}

/* What was answered in this turn, by one reading of the clock for all of it. */
static void count_latency(struct authority *authority)
{
    int64_t now_ns;

    if (authority->book.entered_at_once == 0 && STAILQ_EMPTY(&authority->concluded))
        return;
    now_ns = moment_boot_ns();
    verdict_book_end_turn(&authority->book, now_ns);
    for (struct pending_answer *pending = STAILQ_FIRST(&authority->concluded); pending != NULL;
         pending = STAILQ_NEXT(pending, next))
        tally_add_latency(&authority->tally, now_ns - pending->note.asked.boot_ns, 1);
    STAILQ_CONCAT(&authority->unused, &authority->concluded);
}

void authority_commit(struct authority *authority, struct moment now)
{
    spent_store_commit(authority->store, now);
    watch_store(authority);
    count_latency(authority);
}

void authority_tick(struct authority *authority, struct moment now)
{
    bool failed = accounts_tick(authority->accounts, moment_seconds(now)) != 0;

    if (failed != authority->accounts_fail)
        log_event(failed ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO,
                  failed ? "users-database-failed" : "users-database-recovered");
    authority->accounts_fail = failed;
    calendar_pool_allow(&authority->calendars);
    spent_store_tick(authority->store, now);
    verdict_book_tick(&authority->book, now);
}

int64_t authority_opens(const struct authority *authority, struct moment now)
{
    return opening_time(authority->config, authority->store, now);
}
