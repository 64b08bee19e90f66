/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The handler "steps" once more, in C: the loop is a callback that starts the call whose end calls
 * it again. No program of its own; it is built so that it stays true.
 */
#include <mercury.h>
#include <mercury_macros.h>
#include <mercury_proc.h>
#include <stdlib.h>

MERCURY_GEN_PROC(number_t, ((int32_t)(value)))
MERCURY_GEN_PROC(answer_t, ((int32_t)(steps))((hg_bool_t)(failed)))

struct walk {
    hg_handle_t request;
    hg_handle_t call;
    int32_t x;
    answer_t answer;
};

hg_return_t steps_called(hg_handle_t request);
extern hg_id_t half_id;

static void finish(struct walk* walk) {
    HG_Respond(walk->request, NULL, NULL, &walk->answer);
    if (walk->call != HG_HANDLE_NULL) HG_Destroy(walk->call);
    HG_Destroy(walk->request);
    free(walk);
}

static hg_return_t halved(const struct hg_cb_info* info);

static void step(struct walk* walk) {
    number_t in = {walk->x};

    if (walk->x > 1 && !walk->answer.failed) {
        if (HG_Forward(walk->call, halved, walk, &in) == HG_SUCCESS) return;
        walk->answer.failed = HG_TRUE;
    }
    finish(walk);
}

static hg_return_t halved(const struct hg_cb_info* info) {
    struct walk* walk = info->arg;
    number_t half;

    if (info->ret == HG_SUCCESS && HG_Get_output(walk->call, &half) == HG_SUCCESS) {
        walk->x = half.value;
        ++walk->answer.steps;
        HG_Free_output(walk->call, &half);
    } else {
        walk->answer.failed = HG_TRUE;
    }
    step(walk);
    return HG_SUCCESS;
}

hg_return_t steps_called(hg_handle_t request) {
    const struct hg_info* info = HG_Get_info(request);
    struct walk* walk = calloc(1, sizeof(*walk));
    number_t in;
    hg_addr_t self = HG_ADDR_NULL;

    if (walk == NULL) return HG_NOMEM;
    walk->request = request;
    if (HG_Get_input(request, &in) != HG_SUCCESS) {
        walk->answer.failed = HG_TRUE;
    } else {
        walk->x = in.value;
        HG_Free_input(request, &in);
        if (HG_Addr_self(info->hg_class, &self) != HG_SUCCESS ||
            HG_Create(info->context, self, half_id, &walk->call) != HG_SUCCESS)
            walk->answer.failed = HG_TRUE;
        HG_Addr_free(info->hg_class, self);
    }
    step(walk);
    return HG_SUCCESS;
}
