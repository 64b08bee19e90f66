/* SPDX-License-Identifier: BSD-3-Clause */
/* See writer.h. */
#include "writer.h"

#include <stddef.h>

static void* run(void* argument) {
    struct writer* writer = argument;

    pthread_mutex_lock(&writer->mutex);
    for (;;) {
        struct job* job;

        while (writer->first == NULL && !writer->stopping)
            pthread_cond_wait(&writer->changed, &writer->mutex);
        if (writer->first == NULL) break;
        job = writer->first;
        writer->first = job->next;
        if (writer->first == NULL) writer->end = &writer->first;
        pthread_mutex_unlock(&writer->mutex);
        job->run(job);
        pthread_mutex_lock(&writer->mutex);
    }
    pthread_mutex_unlock(&writer->mutex);
    return NULL;
}

int writer_start(struct writer* writer) {
    writer->first = NULL;
    writer->end = &writer->first;
    writer->stopping = 0;
    pthread_mutex_init(&writer->mutex, NULL);
    pthread_cond_init(&writer->changed, NULL);
    return pthread_create(&writer->thread, NULL, run, writer);
}

void writer_add(struct writer* writer, struct job* job) {
    job->next = NULL;
    pthread_mutex_lock(&writer->mutex);
    *writer->end = job;
    writer->end = &job->next;
    pthread_cond_signal(&writer->changed);
    pthread_mutex_unlock(&writer->mutex);
}

void writer_stop(struct writer* writer) {
    pthread_mutex_lock(&writer->mutex);
    writer->stopping = 1;
    pthread_cond_signal(&writer->changed);
    pthread_mutex_unlock(&writer->mutex);
    pthread_join(writer->thread, NULL);
    pthread_cond_destroy(&writer->changed);
    pthread_mutex_destroy(&writer->mutex);
}
