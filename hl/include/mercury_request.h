/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Waiting for completions as for a request: something is started with a request as its argument,
 * its callback calls hg_request_complete(), and hg_request_wait() progresses and triggers until
 * then.
 *
 * Threads: any number may wait in one request class; one of them at a time drives progress and
 * trigger, the others sleep until it has. A callback that it runs may wait for other requests.
 */
#ifndef MERCURY_REQUEST_H
#define MERCURY_REQUEST_H

#include "mercury_atomic.h"

typedef struct hg_request_class hg_request_class_t; /* one pair of progress and trigger */
typedef struct hg_request hg_request_t;             /* one completion that is waited for */

/* Public for the functions below; programs use those. */
struct hg_request {
    hg_request_class_t* request_class;
    void* data;
    hg_atomic_int32_t completed;
};

/*
 * Moves the network for at most `timeout` ms, as HG_Progress(). HG_UTIL_SUCCESS or HG_UTIL_FAIL;
 * both are taken alike.
 */
typedef int (*hg_request_progress_func_t)(unsigned int timeout, void* arg);

/* Runs a callback if there is one, as HG_Trigger(); `*flag` says whether it did. */
typedef int (*hg_request_trigger_func_t)(unsigned int timeout, unsigned int* flag, void* arg);

#ifdef __cplusplus
extern "C" {
#endif

/* Both functions are given `arg`. NULL when one of them is missing or memory ran out. */
HG_UTIL_PUBLIC hg_request_class_t* hg_request_init(hg_request_progress_func_t progress,
                                                   hg_request_trigger_func_t trigger, void* arg);

/* Frees the class, in which nobody waits any more; `*arg` (may be NULL) gets what init was given.
 */
HG_UTIL_PUBLIC void hg_request_finalize(hg_request_class_t* request_class, void** arg);

/* A request that is not completed; freed with hg_request_destroy(). NULL when memory ran out. */
HG_UTIL_PUBLIC hg_request_t* hg_request_create(hg_request_class_t* request_class);

/* NULL is allowed. */
HG_UTIL_PUBLIC void hg_request_destroy(hg_request_t* request);

/*
 * Progresses and triggers until the request is completed or `timeout` ms have passed; with 0 it
 * looks once. `*flag` (may be NULL) says whether it is completed. Returns HG_UTIL_SUCCESS; FAIL for
 * NULL. Blocks, and runs callbacks.
 */
HG_UTIL_PUBLIC int hg_request_wait(hg_request_t* request, unsigned int timeout, unsigned int* flag);

/* Makes a request wait again. */
static HG_UTIL_INLINE void hg_request_reset(hg_request_t* request) {
    hg_atomic_set32(&request->completed, 0);
}

/* Ends the waiting. Any thread; normally a callback. */
static HG_UTIL_INLINE void hg_request_complete(hg_request_t* request) {
    hg_atomic_set32(&request->completed, 1);
}

/*
 * Waits for one after the other, each for `timeout` ms; `*flag` (may be NULL) says whether all are
 * completed.
 */
static HG_UTIL_INLINE int hg_request_waitall(int count, hg_request_t* request[],
                                             unsigned int timeout, unsigned int* flag) {
    unsigned int all = 1;
    int i;

    for (i = 0; i < count; ++i) {
        unsigned int one = 0;
        if (hg_request_wait(request[i], timeout, &one) != HG_UTIL_SUCCESS) return HG_UTIL_FAIL;
        all = all && one;
    }
    if (flag) *flag = all;
    return HG_UTIL_SUCCESS;
}

/* Data of the program, neither used nor freed here. */
static HG_UTIL_INLINE void hg_request_set_data(hg_request_t* request, void* data) {
    request->data = data;
}

static HG_UTIL_INLINE void* hg_request_get_data(hg_request_t* request) {
    return request->data;
}

#ifdef __cplusplus
}
#endif

#endif /* MERCURY_REQUEST_H */
