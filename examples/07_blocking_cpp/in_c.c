/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The handler "total" once more, in C: what it knows between two steps is a structure, what follows
 * an answer is a callback. No program of its own; it is built so that it stays true.
 */
#include <mercury.h>
#include <mercury_macros.h>
#include <mercury_proc.h>
#include <stdlib.h>

MERCURY_GEN_PROC(number_t, ((int32_t)(value)))
MERCURY_GEN_PROC(answer_t, ((int32_t)(total))((hg_bool_t)(failed)))

typedef struct {
    uint32_t count;
    int32_t* values;
} numbers_t;

struct total {
    hg_handle_t request;
    uint32_t left;
    answer_t answer;
};

hg_return_t proc_numbers(hg_proc_t proc, void* data);
hg_return_t total_called(hg_handle_t request);
extern hg_id_t square_id;

hg_return_t proc_numbers(hg_proc_t proc, void* data) {
    numbers_t* numbers = data;
    hg_return_t ret = HG_SUCCESS;

    if (hg_proc_get_op(proc) != HG_FREE) ret = hg_proc_uint32_t(proc, &numbers->count);
    if (ret == HG_SUCCESS && hg_proc_get_op(proc) == HG_DECODE) {
        if (numbers->count > hg_proc_get_size_left(proc) / sizeof(int32_t)) return HG_OVERFLOW;
        numbers->values = calloc(numbers->count + 1, sizeof(int32_t));
        if (numbers->values == NULL) return HG_NOMEM;
    }
    if (ret == HG_SUCCESS)
        ret = hg_proc_bytes(proc, numbers->values, numbers->count * sizeof(int32_t));
    if (hg_proc_get_op(proc) == HG_FREE) free(numbers->values);
    return ret;
}

static void one_less(struct total* total) {
    if (--total->left > 0) return;
    HG_Respond(total->request, NULL, NULL, &total->answer);
    HG_Destroy(total->request);
    free(total);
}

static hg_return_t squared(const struct hg_cb_info* info) {
    struct total* total = info->arg;
    hg_handle_t call = info->info.forward.handle;
    number_t square;

    if (info->ret == HG_SUCCESS && HG_Get_output(call, &square) == HG_SUCCESS) {
        total->answer.total += square.value;
        HG_Free_output(call, &square);
    } else {
        total->answer.failed = HG_TRUE;
    }
    HG_Destroy(call);
    one_less(total);
    return HG_SUCCESS;
}

static hg_return_t call_square(const struct hg_info* info, hg_addr_t self, int32_t value,
                               struct total* total) {
    number_t in = {value};
    hg_handle_t call;
    hg_return_t ret = HG_Create(info->context, self, square_id, &call);

    if (ret != HG_SUCCESS) return ret;
    ret = HG_Forward(call, squared, total, &in);
    if (ret != HG_SUCCESS) HG_Destroy(call);
    return ret;
}

hg_return_t total_called(hg_handle_t request) {
    const struct hg_info* info = HG_Get_info(request);
    struct total* total = calloc(1, sizeof(*total));
    numbers_t numbers;
    hg_addr_t self = HG_ADDR_NULL;

    if (total == NULL) return HG_NOMEM;
    total->request = request;
    /* One for this function: the answers may come before all calls are made. */
    total->left = 1;
    if (HG_Get_input(request, &numbers) != HG_SUCCESS) {
        total->answer.failed = HG_TRUE;
    } else {
        if (HG_Addr_self(info->hg_class, &self) != HG_SUCCESS) {
            total->answer.failed = HG_TRUE;
            numbers.count = 0;
        }
        for (uint32_t i = 0; i < numbers.count; ++i) {
            ++total->left;
            if (call_square(info, self, numbers.values[i], total) != HG_SUCCESS) {
                total->answer.failed = HG_TRUE;
                --total->left;
            }
        }
        HG_Addr_free(info->hg_class, self);
        HG_Free_input(request, &numbers);
    }
    one_less(total);
    return HG_SUCCESS;
}
