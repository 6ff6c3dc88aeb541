#include "daemon/worker.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

struct worker {
    int ends[2]; /* a byte comes through when a job is done */
    struct event *readable;
    void (*over)(void *context);
    void *over_context;
    void (*work)(void *context);
    void *work_context;
    atomic_bool is_over; /* the job is done, and nobody was told yet */
    pthread_t thread;
    bool has_thread;
};

static void join(struct worker *worker)
{
    if (worker->has_thread)
        pthread_join(worker->thread, NULL);
    worker->has_thread = false;
}

static void on_readable(evutil_socket_t descriptor, short events, void *context)
{
    struct worker *worker = context;
    char byte;

    (void)events;
    (void)!read(descriptor, &byte, 1);
    if (!atomic_exchange(&worker->is_over, false))
        return;
    event_remove_timer(worker->readable);
    join(worker);
    worker->over(worker->over_context);
}

struct worker *worker_create(struct event_base *loop, void (*over)(void *context), void *context)
{
    struct worker *worker = calloc(1, sizeof(*worker));

    if (worker == NULL)
        return NULL;
    *worker = (struct worker){.ends = {-1, -1}, .over = over, .over_context = context};
    if (pipe2(worker->ends, O_CLOEXEC | O_NONBLOCK) == 0)
        worker->readable =
            event_new(loop, worker->ends[0], EV_READ | EV_PERSIST, on_readable, worker);
    if (worker->readable == NULL || event_add(worker->readable, NULL) != 0)
        worker_destroy(&worker);
    return worker;
}

static void *do_work(void *context)
{
    struct worker *worker = context;

    worker->work(worker->work_context);
    atomic_store(&worker->is_over, true);
    /* There is always room for it, but the kernel may have no memory: then the look finds it. */
    (void)!write(worker->ends[1], "", 1);
    return NULL;
}

void worker_begin(struct worker *worker, void (*work)(void *context), void *context)
{
    static const struct timeval look = {.tv_sec = 1};
    sigset_t all, before;

    event_add(worker->readable, &look);
    worker->work = work;
    worker->work_context = context;
    /* Signals are the event loop's: the new thread starts with all of them blocked. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    worker->has_thread = pthread_create(&worker->thread, NULL, do_work, worker) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!worker->has_thread)
        do_work(worker);
}

void worker_destroy(struct worker **worker)
{
    struct worker *gone = *worker;

    if (gone == NULL)
        return;
    join(gone);
    if (gone->readable != NULL)
        event_free(gone->readable);
    for (size_t i = 0; i < 2; i++) {
        if (gone->ends[i] >= 0)
            close(gone->ends[i]);
    }
    free(gone);
    *worker = NULL;
}
