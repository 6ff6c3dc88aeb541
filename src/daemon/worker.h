/*
 * One job at a time in a thread of its own, for what would hold the event loop up: the loop is told
 * when the job is over. What a job may touch is its own and what nobody changes meanwhile; it writes
 * no log and touches no event.
 */
#ifndef DAEMON_WORKER_H
#define DAEMON_WORKER_H

#include <stdbool.h>

#include <event2/event.h>

struct worker;

/* A worker that calls over(context) in the loop after each job. NULL where the loop, memory or
 * descriptors are short. Released with worker_destroy(). */
struct worker *worker_create(struct event_base *loop, void (*over)(void *context), void *context);

/* Begins work(context); only where no job is on its way. It is done at once where no thread can be
 * had, and over() is called in a later turn all the same. */
void worker_begin(struct worker *worker, void (*work)(void *context), void *context);

/* Waits until a job that is on its way is done, frees *worker and sets it to NULL; over() is not
 * called any more. NULL is allowed. */
void worker_destroy(struct worker **worker);

#endif
