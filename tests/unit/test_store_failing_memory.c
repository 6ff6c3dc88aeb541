/* Stores whose memory is short: each allocation fails in its turn. What is not there is not half
 * there, nothing is left over, and nobody is let in. */
#include "state_fixture.h"

#include "store/journal_store.h"

#if SANITIZED

int main(void)
{
    return 0;
}

#else

enum { NOT_SOON = -1 };

static long until_failure = NOT_SOON;
static bool has_failed;
static long live; /* allocations that were not freed */

void *__libc_calloc(size_t count, size_t size);
void *__libc_malloc(size_t size);
void *__libc_realloc(void *memory, size_t size);
void __libc_free(void *memory);

static bool fails(void)
{
    if (until_failure == NOT_SOON || until_failure-- > 0)
        return false;
    has_failed = true;
    errno = ENOMEM;
    return true;
}

static void *counted(void *memory)
{
    live += memory != NULL;
    return memory;
}

void *calloc(size_t count, size_t size)
{
    return fails() ? NULL : counted(__libc_calloc(count, size));
}

void *malloc(size_t size)
{
    return fails() ? NULL : counted(__libc_malloc(size));
}

void *realloc(void *memory, size_t size)
{
    if (fails())
        return NULL;
    live -= memory != NULL;
    return counted(__libc_realloc(memory, size));
}

void free(void *memory)
{
    live -= memory != NULL;
    __libc_free(memory);
}

static void fail_allocation(long number)
{
    has_failed = false;
    until_failure = number;
}

static bool ended_with_failure(void)
{
    until_failure = NOT_SOON;
    return has_failed;
}

static struct spent_store *create_memory(const struct state_fixture *fixture)
{
    (void)fixture;
    return memory_store_create(after(0), true);
}

static struct spent_store *create_journal(const struct state_fixture *fixture)
{
    const char *incomplete = NULL;

    return journal_store_create(fixture->directory, after(0), true, &incomplete);
}

static void a_store_is_made_whole_or_not_at_all(void **state)
{
    static const struct {
        const char *name;
        struct spent_store *(*create)(const struct state_fixture *fixture);
    } rows[] = {{"memory", create_memory}, {"journal", create_journal}};

    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        bool failed = true;
        long call = 0;

        for (; failed; call++) {
            struct spent_store *store;
            long before;

            /* Whoever reads files may keep a buffer. */
            store = rows[i].create(*state);
            spent_store_destroy(&store);
            before = live;
            fail_allocation(call);
            store = rows[i].create(*state);
            failed = ended_with_failure();
            expect((store == NULL) == failed, "%s, allocation %ld", rows[i].name, call);
            spent_store_destroy(&store);
            expect(live == before, "%s, allocation %ld: %ld left", rows[i].name, call,
                   live - before);
        }
        expect(call > 2, "%s: %ld allocations", rows[i].name, call);
    }
}

struct login {
    struct spend_waiter waiter; /* first: the store hands it back */
    enum spend_outcome outcome;
};

static void take_outcome(struct spend_waiter *waiter, enum spend_outcome outcome)
{
    ((struct login *)waiter)->outcome = outcome;
}

static struct spend token(uint64_t name)
{
    return (struct spend){.id = {.low = name, .high = name * 31 + 7},
                          .first_step = noon / 30,
                          .filing_step = noon / 30,
                          .interval = 30,
                          .window = 1};
}

static enum spend_outcome spend_at(struct spent_store *store, uint64_t name, int64_t second)
{
    struct login login = {.waiter = {.resolve = take_outcome}, .outcome = SPEND_PENDING};
    struct spend spend = token(name);
    enum spend_outcome outcome = spent_store_spend(store, &spend, after(second), &login.waiter);

    if (outcome != SPEND_PENDING)
        return outcome;
    spent_store_commit(store, after(second));
    return login.outcome;
}

/* What was let in is on record: whoever opens the journal next finds it. */
static void who_is_let_in_is_on_record_whatever_memory_was_short_of(void **state)
{
    bool failed = true;

    for (long call = 0; failed; call++) {
        struct spent_store *store = create_journal(*state);
        enum spend_outcome outcome, again;

        fail_allocation(call);
        outcome = spend_at(store, 1, 1);
        failed = ended_with_failure();
        expect(outcome == (failed ? SPEND_FAILED : SPEND_FRESH), "allocation %ld: %d", call,
               outcome);
        spent_store_destroy(&store);
        store = create_journal(*state);
        again = spend_at(store, 1, 2);
        expect(again == (failed ? SPEND_FRESH : SPEND_REPLAYED), "allocation %ld: %d", call, again);
        spent_store_destroy(&store);
        empty_state(*state);
        expect(call < 100, "%ld allocations for a login", call);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        state_test(a_store_is_made_whole_or_not_at_all),
        state_test(who_is_let_in_is_on_record_whatever_memory_was_short_of),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
