/*
 * Puts a directory's head file on the disk in a thread of its own: a disk may take seconds over it,
 * and the event loop must not wait. The thread touches nothing but its own descriptors.
 */
#ifndef STORE_SYNCER_H
#define STORE_SYNCER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

enum syncer_state { SYNCER_IDLE, SYNCER_RUNNING, SYNCER_DONE, SYNCER_FAILED };

struct syncer {
    pthread_t thread;
    atomic_int state; /* enum syncer_state */
    int directory;    /* the thread's own descriptor */
    char name[32];
};

/* Begins to sync a file of the directory, and the directory; only when idle. Where no thread can be
 * had it is done at once. */
void syncer_begin(struct syncer *syncer, int directory, const char *name);

/* Takes the result of a sync that is over: SYNCER_DONE or SYNCER_FAILED once, and idle again; else
 * IDLE or RUNNING. */
enum syncer_state syncer_take(struct syncer *syncer);

/* Waits until a running sync is over. */
void syncer_finish(struct syncer *syncer);

#endif
