#include "store/syncer.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static void *sync_both(void *context)
{
    struct syncer *syncer = context;
    int file = openat(syncer->directory, syncer->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    bool failed = file < 0 || fsync(file) != 0 || fsync(syncer->directory) != 0;

    if (file >= 0)
        close(file);
    close(syncer->directory);
    atomic_store(&syncer->state, failed ? SYNCER_FAILED : SYNCER_DONE);
    return NULL;
}

/* Signals are the event loop's: the new thread starts with all of them blocked. */
static bool start_thread(struct syncer *syncer)
{
    sigset_t all, before;
    bool started;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    started = pthread_create(&syncer->thread, NULL, sync_both, syncer) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

void syncer_begin(struct syncer *syncer, int directory, const char *name)
{
    syncer->directory = fcntl(directory, F_DUPFD_CLOEXEC, 0);
    snprintf(syncer->name, sizeof(syncer->name), "%s", name);
    if (syncer->directory < 0) {
        syncer->thread = pthread_self();
        atomic_store(&syncer->state, SYNCER_FAILED);
        return;
    }
    atomic_store(&syncer->state, SYNCER_RUNNING);
    if (!start_thread(syncer)) {
        syncer->thread = pthread_self();
        sync_both(syncer);
    }
}

enum syncer_state syncer_take(struct syncer *syncer)
{
    enum syncer_state state = (enum syncer_state)atomic_load(&syncer->state);

    if (state == SYNCER_DONE || state == SYNCER_FAILED) {
        if (!pthread_equal(syncer->thread, pthread_self()))
            pthread_join(syncer->thread, NULL);
        atomic_store(&syncer->state, SYNCER_IDLE);
    }
    return state;
}

void syncer_finish(struct syncer *syncer)
{
    if (atomic_load(&syncer->state) == SYNCER_IDLE)
        return;
    if (!pthread_equal(syncer->thread, pthread_self()))
        pthread_join(syncer->thread, NULL);
    atomic_store(&syncer->state, SYNCER_IDLE);
}
