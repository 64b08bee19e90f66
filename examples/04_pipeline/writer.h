/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A thread that does disk writes one after another, so that the thread that drives the network
 * never waits for the disk. Jobs belong to the caller and are linked into the queue: nothing is
 * allocated.
 */
#ifndef EXAMPLES_WRITER_H
#define EXAMPLES_WRITER_H

#include <pthread.h>

/* Something to do; embed it. `run` is called once, in the writer's thread. */
struct job {
    struct job* next;
    void (*run)(struct job* job);
};

struct writer {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct job* first;
    struct job** end;
    int stopping;
};

/* Starts the thread; 0, or an errno. */
int writer_start(struct writer* writer);

/* Hands a job over; any thread. */
void writer_add(struct writer* writer, struct job* job);

/* Runs what is queued, then ends the thread. */
void writer_stop(struct writer* writer);

#endif /* EXAMPLES_WRITER_H */
